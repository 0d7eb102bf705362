//! As with a pool: a connection for each piece of work, and a transaction of the host around it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use custom_attributes::model::{Catalog, CommitId, DefinitionId, EntityKey, EntityRecord, EntityType, Ordinal, Value};
use custom_attributes::store::{
    BoundQuery, Commit, Decide, Explanation, Fault, Found, FoundKeys, Marks, OnProgress, Past, PastDefinition, Receipt, Snapshot,
    Touched, Wanted,
};
use custom_attributes::{AttributeStore, Attributes, HostTables, Result, conformance_tests, durability_tests};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::{Crm, faults, limit, set};

/// Connections to one file, handed out and taken back.
struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

struct Pooled<'p> {
    pool: &'p Pool,
    connection: Option<Connection>,
}

impl Pool {
    fn take(&self) -> Pooled<'_> {
        let idle = self.idle.lock().unwrap().pop();
        let connection = idle.unwrap_or_else(|| {
            let connection = Connection::open(&self.path).unwrap();
            connection.busy_timeout(Duration::from_secs(30)).unwrap();
            connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF").unwrap();
            connection
        });
        Pooled { pool: self, connection: Some(connection) }
    }
}

impl std::ops::Deref for Pooled<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().unwrap()
    }
}

impl Drop for Pooled<'_> {
    fn drop(&mut self) {
        let connection = self.connection.take().unwrap();
        if !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK").unwrap();
        }
        self.pool.idle.lock().unwrap().push(connection);
    }
}

/// A store as the host makes one of a pool: what is read is read within a transaction, and so is what is written, if asked for.
struct OfPool {
    pool: Pool,
    tables: HostTables,
    in_transaction: bool,
}

impl OfPool {
    fn at(folder: &TempDir, in_transaction: bool) -> Self {
        let pool = Pool { path: folder.path().join("crm.db"), idle: Mutex::default() };
        Self { pool, tables: HostTables::with_prefix("crm_").unwrap(), in_transaction }
    }
}

impl fmt::Debug for OfPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfPool")
    }
}

impl AttributeStore for OfPool {
    fn write(&self, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<Receipt> {
        let connection = self.pool.take();
        if !self.in_transaction {
            return self.tables.on(&connection)?.write(decide, progress);
        }
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        let receipt = self.tables.on(&connection)?.write(decide, progress);
        connection.execute_batch("COMMIT").unwrap();
        receipt
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        let connection = self.pool.take();
        self.tables.on(&connection)?;
        connection.execute_batch("BEGIN").unwrap();
        let catalog = self.tables.on(&connection)?.catalog()?;
        Ok(Box::new(Held { connection, tables: &self.tables, catalog }))
    }

    fn read_entity(&self, entity: &EntityKey) -> Result<(Arc<Catalog>, Option<Arc<EntityRecord>>)> {
        self.tables.on(&self.pool.take())?.read_entity(entity)
    }

    fn read_value(&self, entity: &EntityKey, find: &mut custom_attributes::store::Find<'_>) -> Result<Option<Value>> {
        self.tables.on(&self.pool.take())?.read_value(entity, find)
    }

    /// As the library advises a host.
    fn purge(&self) -> Result<()> {
        let connection = self.pool.take();
        assert!(self.tables.on(&connection)?.purge().is_err());
        let failed = |error| custom_attributes::Error::backend("purging", error);
        connection.execute_batch("VACUUM").map_err(failed)?;
        let is_busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(failed)?;
        assert!(!is_busy);
        Ok(())
    }

    fn rebuild_index(&self, progress: &mut OnProgress<'_>) -> Result<()> {
        self.tables.on(&self.pool.take())?.rebuild_index(progress)
    }
}

/// A transaction that is held, on a connection of its own.
struct Held<'p> {
    connection: Pooled<'p>,
    tables: &'p HostTables,
    catalog: Arc<Catalog>,
}

macro_rules! forward {
    ($($name:ident($($argument:ident: $of:ty),*) -> $answer:ty;)*) => {
        impl Snapshot for Held<'_> {
            fn catalog(&self) -> Result<Arc<Catalog>> {
                Ok(Arc::clone(&self.catalog))
            }

            $(fn $name(&self, $($argument: $of),*) -> Result<$answer> {
                self.tables.on(&self.connection)?.snapshot()?.$name($($argument),*)
            })*
        }
    };
}
forward! {
    marks() -> Marks;
    read(entities: &[EntityKey]) -> Vec<Option<Arc<EntityRecord>>>;
    written(of: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Vec<Arc<EntityRecord>>;
    commits(ids: &[CommitId]) -> Vec<Option<Commit>>;
    touched(commits: &[CommitId]) -> Vec<Touched>;
    history(entities: &[EntityKey]) -> Vec<Vec<Past>>;
    past_definitions(definitions: Option<&[DefinitionId]>) -> Vec<PastDefinition>;
    commit_at(at: custom_attributes::Instant) -> CommitId;
    horizons() -> BTreeMap<DefinitionId, CommitId>;
    histories(after: Option<Ordinal>, limit: usize) -> Vec<(Ordinal, Vec<Past>)>;
    scan(of: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Vec<Arc<EntityRecord>>;
    locate(ordinals: &[Ordinal]) -> Vec<Option<Arc<EntityRecord>>>;
    holders(values: &[(DefinitionId, &Value)]) -> Vec<Option<Ordinal>>;
    usage(definition: DefinitionId) -> u64;
    count(of: &EntityType) -> u64;
    find(query: &BoundQuery) -> Found;
    find_keys(query: &BoundQuery) -> FoundKeys;
    count_wanted(wanted: &Wanted) -> u64;
    tally(wanted: &Wanted, definition: DefinitionId) -> Vec<(Value, u64)>;
    explain(query: &BoundQuery) -> Explanation;
    verify_index(report: &mut dyn FnMut(Fault) -> ControlFlow<()>, progress: &mut OnProgress<'_>) -> ();
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

conformance_tests!(in_transactions, || {
    let folder = folder();
    (OfPool::at(&folder, true), folder)
});
conformance_tests!(outside_transactions, || {
    let folder = folder();
    (OfPool::at(&folder, false), folder)
});
durability_tests!(durable, folder, |folder| OfPool::at(folder, true));

#[test]
fn many_threads_write_rows_and_attributes_on_connections_of_their_own() {
    let crm = Crm::new();
    let (threads, each) = (6, 40);
    let (path, tables) = (crm.path(), &crm.tables);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let path = &path;
            scope.spawn(move || {
                for n in 0..each {
                    // As a pool does: no connection is the same for long.
                    let mut connection = Connection::open(path).unwrap();
                    connection.busy_timeout(Duration::from_secs(30)).unwrap();
                    let immediate = rusqlite::TransactionBehavior::Immediate;
                    let transaction = connection.transaction_with_behavior(immediate).unwrap();
                    let id = thread * each + n;
                    transaction.execute("INSERT INTO customers VALUES (?1, 'x')", [id]).unwrap();
                    set(&Attributes::new(tables.on(&transaction).unwrap()), id, id);
                    if n % 3 == 0 {
                        transaction.rollback().unwrap();
                    } else {
                        transaction.commit().unwrap();
                    }
                }
            });
        }
    });
    let attributes = crm.on();
    let mut rows = crm.connection.prepare("SELECT id FROM customers").unwrap();
    let rows: Vec<i64> = rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 6 * 26);
    assert!(rows.iter().all(|id| limit(&attributes, *id) == Some(*id)));
    let count = attributes.snapshot().unwrap().count(&EntityType::new("customer").unwrap()).unwrap();
    assert_eq!((count, faults(&attributes)), (6 * 26, 0));
}
