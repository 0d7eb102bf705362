//! Rows of the host and attributes: both or neither.

use std::ops::ControlFlow;

use custom_attributes::{Attributes, DataType, DefinitionSpec, Error, HostTables, LentStore, Position, SqliteStore, attr};
use rusqlite::{Connection, TransactionBehavior};
use rust_decimal::Decimal;

use crate::{Crm, declare, faults, limit, set};

const ACME: &str = "INSERT INTO customers VALUES (1, 'Acme')";

#[test]
fn both_are_committed_or_neither_is() {
    for (end, expected) in [("ROLLBACK", (0, None)), ("COMMIT", (1, Some(10)))] {
        let crm = Crm::new();
        crm.run("BEGIN IMMEDIATE");
        crm.run(ACME);
        set(&crm.on(), 1, 10);
        assert_eq!(crm.both(), (1, Some(10)), "the transaction sees itself");
        crm.run(end);
        assert_eq!(crm.both(), expected);
        assert_eq!(faults(&crm.on()), 0);
    }
}

#[test]
fn a_connection_that_breaks_off_leaves_neither() {
    let crm = Crm::new();
    let other = crm.another();
    let transaction = other.unchecked_transaction().unwrap();
    transaction.execute_batch(ACME).unwrap();
    set(&Attributes::new(crm.tables.on(&transaction).unwrap()), 1, 10);
    drop(transaction);
    drop(other);
    assert_eq!(crm.both(), (0, None));
}

#[test]
fn a_savepoint_of_the_host_undoes_what_came_behind_it() {
    let crm = Crm::new();
    let attributes = crm.on();
    crm.run("BEGIN");
    set(&attributes, 1, 1);
    crm.run("SAVEPOINT a");
    crm.run(ACME);
    set(&attributes, 1, 2);
    set(&attributes, 2, 2);
    crm.run("ROLLBACK TO a");
    assert_eq!((crm.both(), limit(&attributes, 2)), ((0, Some(1)), None));
    set(&attributes, 2, 3);
    crm.run("RELEASE a");
    crm.run("COMMIT");
    assert_eq!((crm.both(), limit(&attributes, 2)), ((0, Some(1)), Some(3)));
    assert_eq!(crm.on().of("customer").unwrap().find_keys(attr("credit_limit").exists()).unwrap().keys.len(), 2);
    assert_eq!(faults(&attributes), 0);
}

#[test]
fn a_refused_batch_undoes_only_itself() {
    let crm = Crm::new();
    let attributes = crm.on();
    crm.run("BEGIN");
    crm.run(ACME);
    set(&attributes, 1, 10);
    let refused = attributes.batch().set(("customer", 1), "credit_limit", 20).set(("customer", 2), "credit_limit", -1).commit();
    assert!(refused.unwrap_err().is_invalid());
    // Also one that is stopped when much of it is written.
    let stopped = attributes.batch().define("customer", DefinitionSpec::string("new")).set(("customer", 1), "new", "x");
    assert!(matches!(stopped.commit_with(|_| ControlFlow::Break(())), Ok(_) | Err(Error::Stopped)));
    set(&attributes, 3, 30);
    crm.run("COMMIT");
    assert_eq!((crm.both(), limit(&attributes, 3)), ((1, Some(10)), Some(30)));
    assert_eq!(faults(&attributes), 0);
}

#[test]
fn without_a_transaction_each_batch_is_one() {
    let crm = Crm::new();
    set(&crm.on(), 1, 10);
    assert!(crm.connection.is_autocommit());
    assert!(crm.on().of("customer").unwrap().set(1, "credit_limit", -1).is_err());
    assert!(crm.connection.is_autocommit());
    assert_eq!(limit(&Attributes::new(LentStore::on(&crm.another()).unwrap()), 1), Some(10));
}

#[test]
fn other_stores_see_it_behind_the_commit_and_not_before() {
    let crm = Crm::new();
    let other = Attributes::new(SqliteStore::open(crm.path()).unwrap());
    let customers = other.of("customer").unwrap();
    let seen = other.changes_since(Position::default(), 100).unwrap().position;
    crm.run("BEGIN IMMEDIATE");
    crm.on().of("customer").unwrap().define(DefinitionSpec::string("tier")).unwrap();
    crm.on().of("customer").unwrap().set(1, "tier", "premium").unwrap();
    assert!(customers.get::<String>(1, "tier").unwrap_err().is_not_found());
    crm.run("COMMIT");
    assert_eq!(customers.get::<String>(1, "tier").unwrap().as_deref(), Some("premium"));
    assert_eq!(customers.find_keys(attr("tier").eq("premium")).unwrap().keys.len(), 1);
    assert_eq!(other.changes_since(seen, 100).unwrap().changes.len(), 2);
    // And the other way round.
    customers.define(DefinitionSpec::string("note")).unwrap();
    customers.set(1, "note", "n").unwrap();
    assert_eq!(crm.on().of("customer").unwrap().get::<String>(1, "note").unwrap().as_deref(), Some("n"));
}

#[test]
fn definitions_that_were_rolled_back_are_not_taken_for_those_that_came_instead() {
    let crm = Crm::new();
    let define = |attributes: &Attributes<LentStore<'_>>, spec| {
        attributes.of("customer").unwrap().define(spec).unwrap();
    };
    let held = crm.on();
    crm.run("BEGIN; SAVEPOINT a");
    define(&held, DefinitionSpec::integer("first"));
    held.of("customer").unwrap().set(1, "first", 1).unwrap();
    crm.run("ROLLBACK TO a");
    // The same revision and the same id, by another store on this connection.
    define(&crm.on(), DefinitionSpec::string("second"));
    crm.on().of("customer").unwrap().set(1, "second", "x").unwrap();
    assert!(held.of("customer").unwrap().get::<i64>(1, "first").unwrap_err().is_not_found());
    assert_eq!(held.of("customer").unwrap().get::<String>(1, "second").unwrap().as_deref(), Some("x"));
    crm.run("ROLLBACK");
    assert!(held.of("customer").unwrap().get::<String>(1, "second").unwrap_err().is_not_found());
    // By another connection.
    let other = crm.another();
    define(&Attributes::new(crm.tables.on(&other).unwrap()), DefinitionSpec::boolean("third"));
    held.of("customer").unwrap().set(1, "third", true).unwrap();
    assert_eq!(held.snapshot().unwrap().catalog().iter().count(), 3);
}

#[test]
fn tables_that_were_rolled_back_are_made_again() {
    let connection = Connection::open_in_memory().unwrap();
    let tables = HostTables::new();
    let count = || connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).unwrap();
    connection.execute_batch("BEGIN").unwrap();
    let attributes = Attributes::new(tables.on(&connection).unwrap());
    declare(&attributes);
    set(&attributes, 1, 10);
    connection.execute_batch("ROLLBACK").unwrap();
    assert_eq!(count(), 0);
    assert!(attributes.of("customer").unwrap().get::<i64>(1, "credit_limit").unwrap_err().is_not_found());
    declare(&attributes);
    set(&attributes, 1, 11);
    assert_eq!(limit(&attributes, 1), Some(11));
}

#[test]
fn a_snapshot_ends_with_the_next_commit_that_its_connection_sees() {
    let crm = Crm::new();
    let attributes = crm.on();
    set(&attributes, 1, 1);
    let is_ended = |view: &custom_attributes::View<'_>| match view.get::<i64>(("customer", 1), "credit_limit") {
        Err(error @ Error::SnapshotEnded { .. }) => error.is_transient() && error.code() == 40902,
        other => panic!("{other:?}"),
    };
    crm.run("BEGIN");
    let view = attributes.snapshot().unwrap();
    assert_eq!(view.get::<i64>(("customer", 1), "credit_limit").unwrap(), Some(1));
    let other = crm.another();
    set(&Attributes::new(crm.tables.on(&other).unwrap()), 1, 2);
    assert_eq!(view.get::<i64>(("customer", 1), "credit_limit").unwrap(), Some(1), "the host's transaction stands still");
    crm.run("COMMIT");
    assert!(is_ended(&view));
    let view = attributes.snapshot().unwrap();
    assert_eq!(view.get::<i64>(("customer", 1), "credit_limit").unwrap(), Some(2));
    assert!(crm.connection.is_autocommit(), "nothing stays open");
    set(&attributes, 1, 3);
    assert!(is_ended(&view));
    assert_eq!(limit(&attributes, 1), Some(3));
}

#[test]
fn the_view_of_a_type_joins_within_the_transaction() {
    let crm = Crm::new();
    crm.run("BEGIN");
    crm.run(ACME);
    set(&crm.on(), 1, 10);
    let sql = "SELECT c.name, a.credit_limit FROM customers c JOIN attr_of_customer a ON a.entity_id = c.id";
    let joined = || crm.connection.query_row(sql, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)));
    assert_eq!(joined().unwrap(), ("Acme".to_owned(), 10));
    crm.run("ROLLBACK");
    assert!(joined().is_err());
}

#[test]
fn the_whole_api_works_in_a_transaction() {
    let mut crm = Crm::new();
    let transaction = crm.connection.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    let attributes = Attributes::new(crm.tables.on(&transaction).unwrap());
    let customers = attributes.of("customer").unwrap();
    for id in 0..300 {
        customers.set(id, "credit_limit", id % 7).unwrap();
    }
    assert_eq!(customers.count_found(attr("credit_limit").ge(3)).unwrap(), 171);
    let last = customers.set(1, "credit_limit", 99).unwrap().commit.unwrap();
    let converted = customers.change("credit_limit", |spec| spec.of_type(DataType::Decimal).minimum(Decimal::ZERO)).check();
    assert_eq!(converted.unwrap().converted, 300);
    attributes.undo(last).unwrap().commit().unwrap();
    assert_eq!(customers.get::<i64>(1, "credit_limit").unwrap(), Some(1));
    assert_eq!(attributes.as_of(last).unwrap().get::<i64>(("customer", 1), "credit_limit").unwrap(), Some(99));
    attributes.batch().erase_entity(("customer", 5)).commit().unwrap();
    assert_eq!(attributes.rebuild_index(|_| ControlFlow::Continue(())).map(|_| faults(&attributes)).unwrap(), 0);
    let refused = attributes.purge().unwrap_err().to_string();
    assert!(refused.contains("the host must run VACUUM and PRAGMA wal_checkpoint(TRUNCATE)"), "{refused}");
    transaction.commit().unwrap();
    assert_eq!(faults(&crm.on()), 0);
}
