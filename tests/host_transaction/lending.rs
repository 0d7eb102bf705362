//! The connection is the host's: it stays as it was, and what fails on it is said.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use custom_attributes::{Attributes, DefinitionSpec, EntityType, Error, HostTables};
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};

use crate::{Crm, declare, faults, limit, set};

/// All pragmas that answer a value and change nothing.
fn settings(connection: &Connection) -> Vec<(String, String)> {
    let mut names = connection.prepare("SELECT name FROM pragma_pragma_list ORDER BY name").unwrap();
    let acts = [
        "checkpoint",
        "vacuum",
        "integrity",
        "check",
        "optimize",
        "list",
        "info",
        "shrink",
        "reset",
        "data_version",
        "schema_version",
        "count",
        "freelist",
    ];
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let harmless = names.into_iter().filter(|name| !acts.iter().any(|act| name.contains(act)));
    let value = |name: &String| {
        let mut pragma = connection.prepare(&format!("PRAGMA {name}")).ok()?;
        let mut rows = pragma.query([]).ok()?;
        let value: rusqlite::types::Value = rows.next().ok()??.get(0).ok()?;
        Some(format!("{value:?}"))
    };
    harmless.filter_map(|name| value(&name).map(|value| (name, value))).collect()
}

fn switches(connection: &Connection) -> Vec<bool> {
    let all = [
        DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG,
        DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY,
        DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER,
        DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW,
        DbConfig::SQLITE_DBCONFIG_DEFENSIVE,
        DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA,
        DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA,
        DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
    ];
    all.iter().map(|one| connection.db_config(*one).unwrap()).collect()
}

#[test]
fn nothing_of_the_connection_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = Connection::open(folder.path().join("crm.db")).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA cache_size = 77;
             PRAGMA recursive_triggers = ON; PRAGMA application_id = 7; PRAGMA user_version = 8; PRAGMA trusted_schema = OFF;
             PRAGMA reverse_unordered_selects = ON; PRAGMA case_sensitive_like = ON; PRAGMA temp_store = MEMORY",
        )
        .unwrap();
    connection.busy_timeout(Duration::from_millis(1234)).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).unwrap();
    connection.create_scalar_function("lower", 1, FunctionFlags::SQLITE_UTF8, |_| Ok(7)).unwrap();
    let (updates, commits) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (on_update, on_commit) = (Arc::clone(&updates), Arc::clone(&commits));
    // Setting a hook returns a `Result` from rusqlite 0.38 on, and nothing before.
    let _ = connection.update_hook(Some(move |_, _: &str, _: &str, _| _ = on_update.fetch_add(1, Ordering::Relaxed)));
    let _ = connection.commit_hook(Some(move || {
        on_commit.fetch_add(1, Ordering::Relaxed);
        false
    }));
    let before = (settings(&connection), switches(&connection));
    assert!(before.0.len() > 20, "{before:?}");

    let tables = HostTables::new();
    declare(&Attributes::new(tables.on(&connection).unwrap()));
    let transaction = connection.transaction().unwrap();
    let attributes = Attributes::new(tables.on(&transaction).unwrap());
    for id in 0..50 {
        set(&attributes, id, id);
    }
    assert!(attributes.of("customer").unwrap().set(1, "credit_limit", -1).is_err());
    assert_eq!(faults(&attributes), 0);
    assert_eq!(attributes.snapshot().unwrap().count(&EntityType::new("customer").unwrap()).unwrap(), 50);
    transaction.commit().unwrap();

    assert_eq!((settings(&connection), switches(&connection)), before);
    assert!(connection.is_autocommit());
    assert_eq!(connection.query_row("SELECT lower('A')", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
    let met = (updates.load(Ordering::Relaxed), commits.load(Ordering::Relaxed));
    assert!(met.0 > 50 && met.1 > 0, "{met:?}");
    connection.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)").unwrap();
    assert_eq!((updates.load(Ordering::Relaxed), commits.load(Ordering::Relaxed)), (met.0 + 1, met.1 + 2));
}

#[test]
fn every_journal_mode_will_do() {
    for mode in ["DELETE", "TRUNCATE", "PERSIST", "MEMORY", "WAL"] {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("crm.db")).unwrap();
        connection.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(())).unwrap();
        let tables = HostTables::new();
        let attributes = Attributes::new(tables.on(&connection).unwrap());
        declare(&attributes);
        connection.execute_batch("BEGIN").unwrap();
        set(&attributes, 1, 10);
        connection.execute_batch("ROLLBACK; BEGIN").unwrap();
        set(&attributes, 1, 11);
        connection.execute_batch("COMMIT").unwrap();
        assert_eq!((limit(&attributes, 1), faults(&attributes)), (Some(11), 0), "{mode}");
    }
}

#[test]
fn tables_of_an_attached_database_are_not_taken_for_those_of_the_main_one() {
    let crm = Crm::new();
    set(&crm.on(), 1, 10);
    let main = Connection::open_in_memory().unwrap();
    main.execute("ATTACH ?1 AS other", [crm.path().to_str().unwrap()]).unwrap();
    let attributes = Attributes::new(crm.tables.on(&main).unwrap());
    assert_eq!(attributes.snapshot().unwrap().catalog().iter().count(), 0);
    declare(&attributes);
    set(&attributes, 1, 20);
    assert_eq!((limit(&attributes, 1), limit(&crm.on(), 1)), (Some(20), Some(10)));
}

#[test]
fn a_database_that_cannot_be_written_is_read() {
    let crm = Crm::new();
    set(&crm.on(), 1, 10);
    let reader = Connection::open_with_flags(crm.path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let attributes = Attributes::new(crm.tables.on(&reader).unwrap());
    assert_eq!(limit(&attributes, 1), Some(10));
    assert!(matches!(attributes.of("customer").unwrap().set(1, "credit_limit", 1), Err(Error::ReadOnly)));
    assert_eq!(faults(&attributes), 0);
    // Names that another release folded are folded anew by who can write.
    crm.run("UPDATE attr_state SET folding = 'other'");
    assert_eq!(limit(&Attributes::new(crm.tables.on(&reader).unwrap()), 1), Some(10));
    assert_eq!(limit(&crm.on(), 1), Some(10));
    let folding: String = crm.connection.query_row("SELECT folding FROM attr_state", [], |row| row.get(0)).unwrap();
    assert_ne!(folding, "other");

    let empty = crm.folder.path().join("empty.db");
    Connection::open(&empty).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let reader = Connection::open_with_flags(&empty, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let refused = crm.tables.on(&reader).unwrap_err().to_string();
    assert!(refused.contains("empty.db: it has no attributes yet, and cannot be written"), "{refused}");
}

#[test]
fn a_busy_database_is_said_to_be_busy() {
    let crm = Crm::new();
    let other = crm.another();
    other.busy_timeout(Duration::ZERO).unwrap();
    crm.run("BEGIN IMMEDIATE");
    let attributes = Attributes::new(crm.tables.on(&other).unwrap());
    let busy = |attributes: &Attributes<_>| attributes.of("customer").unwrap().set(1, "credit_limit", 1).unwrap_err();
    assert!(matches!(busy(&attributes), Error::Busy { .. }));
    assert!(other.is_autocommit());
    // A transaction that has read what is no longer the last cannot become one that writes; it stays, for the host to end.
    other.execute_batch("BEGIN").unwrap();
    assert_eq!(limit(&attributes, 1), None);
    set(&crm.on(), 1, 10);
    crm.run("COMMIT");
    assert!(matches!(busy(&attributes), Error::Busy { .. }));
    assert!(!other.is_autocommit());
    assert_eq!(limit(&attributes, 1), None);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(limit(&attributes, 1), Some(10));
}

#[test]
fn a_full_disk_leaves_no_half_a_batch() {
    let crm = Crm::new();
    set(&crm.on(), 1, 10);
    let pages: i64 = crm.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    crm.connection.query_row(&format!("PRAGMA max_page_count = {}", pages + 3), [], |_| Ok(())).unwrap();
    crm.run("BEGIN; INSERT INTO customers VALUES (1, 'Acme')");
    let attributes = crm.on();
    let big = (0..2000).fold(attributes.batch(), |batch, id| batch.set(("customer", id), "code", format!("{id:0>200}")));
    let failed = big.commit().unwrap_err();
    assert_eq!(failed.code(), 50701, "{failed}");
    let was_undone = crm.connection.is_autocommit();
    assert_eq!(failed.to_string().contains("SQLite has undone the whole transaction"), was_undone, "{failed}");
    if !was_undone {
        crm.run("COMMIT");
    }
    assert_eq!(crm.both(), (i64::from(!was_undone), Some(10)));
    crm.connection.query_row("PRAGMA max_page_count = 100000", [], |_| Ok(())).unwrap();
    set(&attributes, 2, 20);
    assert_eq!(faults(&attributes), 0);
}

#[test]
fn an_interrupted_batch_is_an_error() {
    let mut crm = Crm::new();
    set(&crm.on(), 1, 10);
    // SQLite asks at each of its steps.
    let left = Arc::new(AtomicUsize::new(usize::MAX));
    let asked = Arc::clone(&left);
    let _ = crm.connection.progress_handler(1, Some(move || asked.fetch_sub(1, Ordering::Relaxed) == 0));
    let attributes = crm.on();
    let mut refused = 0;
    for after in [1, 10, 100, 300, 1000, 3000, 10_000] {
        crm.run("BEGIN; INSERT INTO customers VALUES (1, 'Acme')");
        left.store(after, Ordering::Relaxed);
        let done = (0..300).fold(attributes.batch(), |batch, id| batch.set(("customer", id), "credit_limit", id)).commit();
        left.store(usize::MAX, Ordering::Relaxed);
        let was_undone = crm.connection.is_autocommit();
        if let Err(error) = done {
            refused += 1;
            assert_eq!(error.to_string().contains("SQLite has undone the whole transaction"), was_undone, "{error}");
            assert_eq!(crm.both(), (i64::from(!was_undone), Some(10)));
        }
        if !was_undone {
            crm.run("ROLLBACK");
        }
    }
    assert!(refused > 3);
    assert_eq!((crm.both(), faults(&attributes)), ((0, Some(10)), 0));
}

/// Makes further tables in a transaction of the host, which fails.
fn assert_making_says_what_is_undone(crm: &Crm) -> Option<Error> {
    let more = HostTables::with_prefix("more_").unwrap();
    let error = more.on(&crm.connection).err()?;
    let was_undone = crm.connection.is_autocommit();
    assert_eq!(error.to_string().contains("SQLite has undone the whole transaction of the host"), was_undone, "{error}");
    Some(error)
}

#[test]
fn making_tables_in_a_transaction_says_what_is_undone() {
    let mut crm = Crm::new();
    set(&crm.on(), 1, 10);
    let pages: i64 = crm.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    for room in [0, 1, 5] {
        crm.connection.query_row(&format!("PRAGMA max_page_count = {}", pages + room), [], |_| Ok(())).unwrap();
        crm.run("BEGIN; INSERT INTO customers VALUES (1, 'Acme')");
        assert_eq!(assert_making_says_what_is_undone(&crm).unwrap().code(), 50701);
        if !crm.connection.is_autocommit() {
            crm.run("ROLLBACK");
        }
    }
    crm.connection.query_row("PRAGMA max_page_count = 100000", [], |_| Ok(())).unwrap();
    let left = Arc::new(AtomicUsize::new(usize::MAX));
    let asked = Arc::clone(&left);
    let _ = crm.connection.progress_handler(1, Some(move || asked.fetch_sub(1, Ordering::Relaxed) == 0));
    let mut undone = 0;
    for after in (0..100_000).step_by(97) {
        crm.run("BEGIN; INSERT INTO customers VALUES (1, 'Acme')");
        left.store(after, Ordering::Relaxed);
        let failed = assert_making_says_what_is_undone(&crm);
        left.store(usize::MAX, Ordering::Relaxed);
        if failed.is_none() {
            crm.run("ROLLBACK");
            break;
        }
        match crm.connection.is_autocommit() {
            true => undone += 1,
            false => crm.run("ROLLBACK"),
        }
    }
    assert!(undone > 0);
    assert_eq!(crm.both(), (0, Some(10)));
}

#[test]
fn tables_of_a_newer_release_are_refused() {
    let crm = Crm::new();
    crm.run("UPDATE attr_state SET schema = 99");
    let refused = crm.tables.on(&crm.connection).unwrap_err().to_string();
    assert!(refused.contains("crm.db: its tables are of version 99"), "{refused}");
}

#[test]
fn tables_of_an_older_release_are_brought_up_to_date_in_the_transaction() {
    let crm = Crm::new();
    let path = crm.folder.path().join("old.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../files/version-1.sql")).unwrap();
    old.execute_batch("PRAGMA application_id = 0").unwrap();
    let version = || old.query_row("SELECT schema FROM attr_state", [], |row| row.get::<_, i64>(0)).unwrap();
    for end in ["ROLLBACK", "COMMIT"] {
        old.execute_batch("BEGIN").unwrap();
        let attributes = Attributes::new(crm.tables.on(&old).unwrap());
        assert_eq!(attributes.of("customer").unwrap().get::<i64>("c7", "seats").unwrap(), Some(0));
        assert_eq!((version(), faults(&attributes)), (5, 0));
        old.execute_batch(end).unwrap();
        assert_eq!(version(), if end == "COMMIT" { 5 } else { 1 });
    }
}

#[test]
fn a_cache_of_the_smallest_size_will_do() {
    let crm = Crm::new();
    crm.connection.set_prepared_statement_cache_capacity(0);
    set(&crm.on(), 1, 10);
    crm.on().of("customer").unwrap().define(DefinitionSpec::string("more")).unwrap();
    assert_eq!(limit(&crm.on(), 1), Some(10));
}
