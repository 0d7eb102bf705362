//! What an SQLite store does with the files it meets: new, old, foreign, damaged, read-only, shared with the host.
#![cfg(feature = "sqlite")]

use std::fs;
use std::path::{Path, PathBuf};

use custom_attributes::{Attributes, DefinitionSpec, Error, SqliteOptions, SqliteStore};
use rusqlite::Connection;
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn filled(path: &Path) -> Attributes<SqliteStore> {
    let attributes = Attributes::new(SqliteStore::open(path).unwrap());
    let customers = attributes.of("customer").unwrap();
    customers.define(DefinitionSpec::string("support_tier")).unwrap();
    for id in 0..500 {
        customers.set(id, "support_tier", "premium").unwrap();
    }
    attributes
}

fn refusal(opened: custom_attributes::Result<SqliteStore>) -> String {
    match opened {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_new_file_is_made_and_marked() {
    let folder = folder();
    let path = folder.path().join("new.db");
    drop(SqliteStore::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).unwrap();
    assert_ne!(pragma("application_id"), 0);
    assert_eq!(pragma("user_version"), 5);
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn an_empty_file_becomes_a_store() {
    let folder = folder();
    let path = folder.path().join("empty.db");
    fs::write(&path, b"").unwrap();
    filled(&path);
    assert_eq!(
        Attributes::new(SqliteStore::open(&path).unwrap())
            .of("customer")
            .unwrap()
            .get::<String>(7, "support_tier")
            .unwrap()
            .unwrap(),
        "premium"
    );
}

#[test]
fn an_empty_file_is_refused_to_a_reader_and_left_empty() {
    let folder = folder();
    let path = folder.path().join("empty.db");
    fs::write(&path, b"").unwrap();
    let said = refusal(SqliteStore::options().read_only().open(&path));
    assert!(said.contains("it has no attributes yet"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn a_text_file_is_refused_and_left_as_it_was() {
    let folder = folder();
    for (name, text) in [("short.txt", "hello".to_owned()), ("long.txt", "a line of text\n".repeat(1000))] {
        let path = folder.path().join(name);
        fs::write(&path, &text).unwrap();
        let said = refusal(SqliteStore::open(&path));
        assert!(said.contains(name) && said.contains("not an SQLite database"), "{said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_foreign_database_is_refused_with_its_tables_and_left_as_it_was() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT)").unwrap();
    let before = fs::read(&path).unwrap();
    let said = refusal(SqliteStore::open(&path));
    assert!(said.contains("customers") && said.contains("beside_host_tables"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), before);
    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("PRAGMA application_id = 42; VACUUM").unwrap();
    assert!(refusal(SqliteStore::open(&other)).contains("0x2a"));
}

#[test]
fn the_hosts_own_file_keeps_its_tables_and_marks() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let host = Connection::open(&path).unwrap();
    host.execute_batch(
        "PRAGMA application_id = 42; PRAGMA user_version = 7;
         CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO customers VALUES (123, 'Acme')",
    )
    .unwrap();
    let store = SqliteStore::options().beside_host_tables().open(&path).unwrap();
    let attributes = Attributes::new(store);
    let customers = attributes.of("customer").unwrap();
    customers.define(DefinitionSpec::string("support_tier")).unwrap();
    customers.set(123, "support_tier", "premium").unwrap();
    let pragma = |name: &str| host.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((pragma("application_id"), pragma("user_version")), (42, 7));
    let joined: (String, String) = host
        .query_row("SELECT c.name, e.doc ->> '$.\"1\"' FROM customers c JOIN attr_entity e ON e.id = c.id", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(joined, ("Acme".into(), "premium".into()));
    // Once they are there, the file is a store of ours, however it is opened.
    SqliteStore::open(&path).unwrap();
}

#[test]
fn a_truncated_file_is_an_error_whatever_is_cut_off() {
    let folder = folder();
    let path = folder.path().join("whole.db");
    drop(filled(&path));
    let whole = fs::read(&path).unwrap();
    for length in [50, 100, 1000, 4096, whole.len() / 2, whole.len() - 4096, whole.len() - 1] {
        let cut = folder.path().join(format!("cut-{length}.db"));
        fs::write(&cut, &whole[..length]).unwrap();
        let said = match SqliteStore::open(&cut) {
            Err(error) => error,
            Ok(_) => panic!("a file cut to {length} of {} bytes was opened", whole.len()),
        };
        assert!(matches!(said, Error::Open { .. } | Error::Corrupt { .. }), "{length}: {said:?}");
        assert_eq!(fs::read(&cut).unwrap(), &whole[..length]);
    }
}

#[test]
fn overwritten_pages_are_errors_and_never_panics() {
    let folder = folder();
    let path = folder.path().join("whole.db");
    drop(filled(&path));
    let whole = fs::read(&path).unwrap();
    for page in 1..whole.len() / 4096 {
        let damaged = folder.path().join(format!("page-{page}.db"));
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(&damaged, &bytes).unwrap();
        // Most pages show when they are used. What is read is right, or an error.
        let Ok(store) = SqliteStore::open(&damaged) else { continue };
        let attributes = Attributes::new(store);
        let customers = attributes.of("customer").unwrap();
        for id in 0..500 {
            match customers.get::<String>(id, "support_tier") {
                Ok(value) => assert!(value.is_none_or(|value| value == "premium")),
                Err(error) => assert!(matches!(error, Error::Corrupt { .. } | Error::Backend { .. }), "{error:?}"),
            }
        }
    }
}

#[test]
fn documents_that_were_tampered_with_are_errors() {
    let folder = folder();
    for (n, tampering) in [
        "UPDATE attr_entity SET doc = '{\"1\":5}'",
        "UPDATE attr_entity SET doc = '{\"9\":\"x\"}'",
        "UPDATE attr_entity SET doc = '{\"1\":\"x\"'",
        "UPDATE attr_entity SET doc = '{\"1\":\"x\",\"1\":\"y\"}'",
        "UPDATE attr_entity SET meta = x''",
        "UPDATE attr_entity SET meta = x'ffffffffffffffffffff01'",
        "UPDATE attr_entity SET meta = x'0201000101'",
        "UPDATE attr_entity SET doc = '[]'",
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{n}.db"));
        drop(filled(&path));
        Connection::open(&path).unwrap().execute(tampering, []).unwrap();
        let attributes = Attributes::new(SqliteStore::open(&path).unwrap());
        let error = attributes.of("customer").unwrap().entity(7).unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{tampering}: {error:?}");
        assert!(error.to_string().contains("customer/7"), "{error}");
    }
}

#[test]
fn a_newer_schema_is_refused_with_both_versions() {
    let folder = folder();
    let path = folder.path().join("newer.db");
    drop(filled(&path));
    Connection::open(&path).unwrap().execute("UPDATE attr_state SET schema = 99", []).unwrap();
    let said = refusal(SqliteStore::open(&path));
    assert!(said.contains("version 99") && said.contains("newer release"), "{said}");
}

#[test]
fn a_missing_file_or_folder_is_said_so() {
    let folder = folder();
    let missing: PathBuf = folder.path().join("no such folder").join("crm.db");
    let said = refusal(SqliteStore::open(&missing));
    assert!(said.contains("no such folder") && said.contains("create it first"), "{said}");
    let path = folder.path().join("crm.db");
    for options in [SqliteStore::options().must_exist(), SqliteStore::options().read_only()] {
        assert!(refusal(options.open(&path)).contains("there is no such file"));
        assert!(!path.exists());
    }
    assert!(refusal(SqliteStore::open(folder.path())).contains("it is a folder"));
}

#[test]
fn a_read_only_store_reads_and_refuses_to_write() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let writing = filled(&path);
    let reading = Attributes::new(SqliteStore::options().read_only().open(&path).unwrap());
    let customers = reading.of("customer").unwrap();
    assert_eq!(customers.get::<String>(7, "support_tier").unwrap().as_deref(), Some("premium"));
    let error = customers.set(7, "support_tier", "basic").unwrap_err();
    assert!(matches!(error, Error::ReadOnly), "{error:?}");
    assert_eq!(error.code(), 40300);
    writing.of("customer").unwrap().set(7, "support_tier", "basic").unwrap();
    assert_eq!(customers.get::<String>(7, "support_tier").unwrap().as_deref(), Some("basic"));
}

#[test]
fn another_folding_is_replaced_and_a_collision_names_both() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = Attributes::new(SqliteStore::open(&path).unwrap());
    let customers = attributes.of("customer").unwrap();
    customers.ensure([DefinitionSpec::string("Straße"), DefinitionSpec::string("Weg")]).unwrap();
    drop(attributes);
    let host = Connection::open(&path).unwrap();
    host.execute_batch("UPDATE attr_state SET folding = 'ASCII'; UPDATE attr_definition SET key = 'old ' || id").unwrap();
    let attributes = Attributes::new(SqliteStore::open(&path).unwrap());
    assert_eq!(attributes.of("customer").unwrap().definition("STRASSE").unwrap().name().as_str(), "Straße");
    let keys = |sql: &str| host.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(keys("SELECT count(*) FROM attr_definition WHERE key IN ('strasse', 'weg')"), 2);
    drop(attributes);
    host.execute_batch(
        "UPDATE attr_state SET folding = 'ASCII';
         UPDATE attr_definition SET spec = replace(spec, 'Weg', 'STRASSE') WHERE id = 2",
    )
    .unwrap();
    let said = refusal(SqliteStore::open(&path));
    assert!(said.contains("`Straße`") && said.contains("`STRASSE`"), "{said}");
}

#[test]
fn used_up_ids_are_errors() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    drop(filled(&path));
    let host = Connection::open(&path).unwrap();
    host.execute("UPDATE attr_state SET last_definition = 1048575, catalog = catalog + 1", []).unwrap();
    host.execute("UPDATE attr_entity SET ordinal = 4294967295 WHERE id = 7", []).unwrap();
    let attributes = Attributes::new(SqliteStore::open(&path).unwrap());
    let customers = attributes.of("customer").unwrap();
    let error = customers.define(DefinitionSpec::string("one more")).unwrap_err();
    assert!(error.to_string().contains("1048575"), "{error}");
    let error = customers.set(1_000, "support_tier", "premium").unwrap_err();
    assert!(error.to_string().contains("4294967295"), "{error}");
    assert_eq!(error.code(), 50700);
    customers.set(7, "support_tier", "basic").unwrap();
    let last = customers.details(7).unwrap().remove(0);
    assert!(last.id.get() < 1 << 53);
    assert_eq!(attributes.value(last.id).unwrap().unwrap(), last);
}

#[test]
fn a_busy_file_is_a_transient_error_that_says_how_long_was_waited() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    drop(filled(&path));
    let options: SqliteOptions = SqliteStore::options().busy_timeout(std::time::Duration::from_millis(50));
    let attributes = Attributes::new(options.open(&path).unwrap());
    let host = Connection::open(&path).unwrap();
    host.execute_batch("BEGIN IMMEDIATE").unwrap();
    let customers = attributes.of("customer").unwrap();
    let error = customers.set(7, "support_tier", "basic").unwrap_err();
    assert!(error.is_transient() && matches!(error, Error::Busy { waited, .. } if waited.as_millis() >= 50), "{error:?}");
    assert_eq!(customers.get::<String>(7, "support_tier").unwrap().as_deref(), Some("premium"));
    host.execute_batch("ROLLBACK").unwrap();
    customers.set(7, "support_tier", "basic").unwrap();
}
