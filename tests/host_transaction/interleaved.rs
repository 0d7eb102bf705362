//! Transactions and savepoints of the host, and commits of attributes between them, at random, beside plain maps.

use std::collections::BTreeMap;

use custom_attributes::{Attributes, DefinitionSpec, EntityType, HostTables, LentStore, Offending, SqliteStore, attr};
use proptest::prelude::*;
use rusqlite::Connection;

const IDS: i64 = 4;

#[derive(Debug, Clone)]
enum Step {
    Begin,
    Commit,
    Rollback,
    Savepoint,
    RollbackTo(usize),
    Release(usize),
    Row(i64),
    Define(usize),
    Set {
        id: i64,
        name: usize,
        value: i64,
    },
    Clear {
        id: i64,
        name: usize,
    },
    Refused(i64),
    /// By a store that is made anew, as for the next request.
    Anew,
    /// Of the definitions and values, by another connection, which waits for nobody.
    Beside {
        id: i64,
        value: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (id, name) = (0..IDS, 0..3usize);
    prop_oneof![
        2 => Just(Step::Begin),
        1 => Just(Step::Commit),
        1 => Just(Step::Rollback),
        3 => Just(Step::Savepoint),
        2 => (0..3usize).prop_map(Step::RollbackTo),
        1 => (0..3usize).prop_map(Step::Release),
        2 => id.clone().prop_map(Step::Row),
        2 => name.clone().prop_map(Step::Define),
        8 => (id.clone(), name.clone(), 0..5i64).prop_map(|(id, name, value)| Step::Set { id, name, value }),
        2 => (id.clone(), name).prop_map(|(id, name)| Step::Clear { id, name }),
        1 => id.clone().prop_map(Step::Refused),
        1 => Just(Step::Anew),
        1 => (id, 0..5i64).prop_map(|(id, value)| Step::Beside { id, value }),
    ]
}

/// What there is: rows of the host, and values by the names that are defined.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    rows: BTreeMap<i64, i64>,
    values: BTreeMap<String, BTreeMap<i64, i64>>,
}

fn name(name: usize) -> String {
    format!("n{name}")
}

struct Run<'c> {
    connection: &'c Connection,
    beside: &'c Connection,
    tables: &'c HostTables,
    now: Model,
    /// What was when the transaction, and then each savepoint, was begun.
    before: Vec<Model>,
}

type Store<'c> = Attributes<LentStore<'c>>;

impl<'c> Run<'c> {
    fn store(&self) -> Store<'c> {
        Attributes::new(self.tables.on(self.connection).unwrap())
    }

    fn is_open(&self) -> bool {
        !self.before.is_empty()
    }

    fn sql(&self, sql: &str) {
        self.connection.execute_batch(sql).unwrap();
    }

    fn step(&mut self, store: &Store<'_>, step: &Step) {
        let customers = store.of("customer").unwrap();
        match *step {
            Step::Begin if !self.is_open() => {
                self.sql("BEGIN IMMEDIATE");
                self.before.push(self.now.clone());
            }
            Step::Commit if self.is_open() => {
                self.sql("COMMIT");
                self.before.clear();
            }
            Step::Rollback if self.is_open() => {
                self.sql("ROLLBACK");
                self.now = self.before.swap_remove(0);
                self.before.clear();
            }
            Step::Savepoint if self.is_open() => {
                self.sql(&format!("SAVEPOINT s{}", self.before.len()));
                self.before.push(self.now.clone());
            }
            Step::RollbackTo(back) if self.before.len() > 1 => {
                let at = (self.before.len() - 1).saturating_sub(back).max(1);
                self.sql(&format!("ROLLBACK TO s{at}"));
                self.before.truncate(at + 1);
                self.now = self.before[at].clone();
            }
            Step::Release(back) if self.before.len() > 1 => {
                let at = (self.before.len() - 1).saturating_sub(back).max(1);
                self.sql(&format!("RELEASE s{at}"));
                self.before.truncate(at);
            }
            Step::Row(id) => {
                let count = self.now.rows.entry(id).or_default();
                *count += 1;
                self.connection.execute("INSERT OR REPLACE INTO hosts VALUES (?1, ?2)", [id, *count]).unwrap();
            }
            Step::Define(one) => {
                let done = customers.define(DefinitionSpec::integer(name(one)).maximum(4));
                assert_eq!(done.is_ok(), !self.now.values.contains_key(&name(one)), "{done:?}");
                self.now.values.entry(name(one)).or_default();
            }
            Step::Set { id, name: one, value } => {
                let done = customers.set(id, &name(one), value);
                match self.now.values.get_mut(&name(one)) {
                    Some(values) => _ = (done.unwrap(), values.insert(id, value)),
                    None => assert!(done.unwrap_err().is_not_found()),
                }
            }
            Step::Clear { id, name: one } => {
                let done = customers.clear(id, &name(one));
                match self.now.values.get_mut(&name(one)) {
                    Some(values) => _ = (done.unwrap(), values.remove(&id)),
                    None => assert!(done.unwrap_err().is_not_found()),
                }
            }
            Step::Refused(id) => {
                let batch =
                    self.now.values.keys().fold(store.batch(), |batch, name| batch.set(("customer", id), name.clone(), 1));
                let refused = batch.define("customer", DefinitionSpec::integer("low").minimum(9).default_value(1)).commit();
                assert!(refused.unwrap_err().is_invalid());
            }
            Step::Beside { id, value } => {
                let beside = Attributes::new(self.tables.on(self.beside).unwrap());
                let declared = DefinitionSpec::integer("n0").maximum(4);
                let batch = beside.batch().declare("customer", declared, Offending::Refuse);
                match batch.set(("customer", id), "n0", value).commit() {
                    Ok(_) => _ = self.now.values.entry(name(0)).or_default().insert(id, value),
                    Err(error) => assert!(self.is_open() && error.is_transient(), "{error}"),
                }
            }
            _ => {}
        }
    }

    fn check(&self, store: &Store<'_>) {
        let customers = store.of("customer").unwrap();
        let view = store.snapshot().unwrap();
        let mut names: Vec<_> = view.catalog().iter().map(|definition| definition.name().to_string()).collect();
        names.sort_unstable();
        assert_eq!(names, self.now.values.keys().cloned().collect::<Vec<_>>());
        for (name, values) in &self.now.values {
            for id in 0..IDS {
                assert_eq!(customers.get::<i64>(id, name).unwrap(), values.get(&id).copied(), "{name} of {id}");
            }
            let sum: i64 = values.values().sum();
            let found = customers.count_found(attr(name).ge(1)).unwrap();
            assert_eq!(found, values.values().filter(|value| **value >= 1).count() as u64, "{name}");
            assert_eq!(customers.facets(None, name).unwrap().holders(), values.len() as u64);
            let sql = format!("SELECT total(\"{name}\") FROM attr_of_customer");
            let total: f64 = self.connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert_eq!(total, sum as f64);
        }
        let mut rows = self.connection.prepare("SELECT id, n FROM hosts").unwrap();
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(rows.collect::<Result<BTreeMap<i64, i64>, _>>().unwrap(), self.now.rows);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_host_s_transaction_holds_all(steps in prop::collection::vec(step(), 1..50), is_wal: bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crm.db");
        let mode = if is_wal { "WAL" } else { "DELETE" };
        let open = || {
            let connection = Connection::open(&path).unwrap();
            connection.busy_timeout(std::time::Duration::ZERO).unwrap();
            connection.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(())).unwrap();
            connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
            connection
        };
        let (connection, beside, tables) = (open(), open(), HostTables::new());
        connection.execute_batch("CREATE TABLE hosts (id INTEGER PRIMARY KEY, n INTEGER)").unwrap();
        let mut run =
            Run { connection: &connection, beside: &beside, tables: &tables, now: Model::default(), before: Vec::new() };
        let mut lent = run.store();
        for step in steps {
            if matches!(step, Step::Anew) {
                lent = run.store();
            }
            run.step(&lent, &step);
            run.check(&lent);
        }
        if run.is_open() {
            run.sql("COMMIT");
        }
        let store = Attributes::new(SqliteStore::options().beside_host_tables().open(&path).unwrap());
        let count = store.snapshot().unwrap().count(&EntityType::new("customer").unwrap()).unwrap();
        let held: std::collections::BTreeSet<_> = run.now.values.values().flat_map(BTreeMap::keys).collect();
        prop_assert_eq!(count, held.len() as u64);
        let mut faults = 0;
        store.snapshot().unwrap().verify_index(|_| { faults += 1; std::ops::ControlFlow::Continue(()) }).unwrap();
        prop_assert_eq!(faults, 0);
    }
}
