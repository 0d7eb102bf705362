//! Files whose schema would do more than hold rows.

use std::path::Path;

use custom_attributes::{Attributes, Error, SqliteStore};
use rusqlite::Connection;

use crate::{folder, open, prepared, seats, set};

/// What opening the file says once this was done to it.
fn refusal(path: &Path, done: &str) -> String {
    drop(prepared(path));
    Connection::open(path).unwrap().execute_batch(done).unwrap_or_else(|error| panic!("{done}: {error}"));
    for options in [SqliteStore::options(), SqliteStore::options().beside_host_tables(), SqliteStore::options().read_only()] {
        match options.open(path) {
            Ok(_) => panic!("it was opened after {done}"),
            Err(error @ Error::Open { .. }) if error.code() == 50001 => drop(error),
            Err(error) => panic!("{done}: {error:?}"),
        }
    }
    SqliteStore::open(path).map(drop).unwrap_err().to_string()
}

/// Rebuilds a table with other columns, as a program would.
fn rebuilt(table: &str, from: &str, to: &str) -> String {
    format!(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(sql, '{from}', '{to}') WHERE name = '{table}';
         PRAGMA writable_schema = RESET;"
    )
}

#[test]
fn what_is_not_ours_is_refused_by_its_name_and_with_what_to_do() {
    let keep = "CREATE TRIGGER keep_old BEFORE UPDATE ON attr_entity BEGIN SELECT RAISE(IGNORE); END";
    let cases: [(&str, String, &[&str]); 14] = [
        ("trigger", keep.into(), &["trigger `keep_old`", "`attr_entity`", "drop the trigger"]),
        (
            "after",
            "CREATE TRIGGER swap AFTER INSERT ON attr_commit BEGIN UPDATE attr_entity SET doc = '{}'; END".into(),
            &["trigger `swap`", "`attr_commit`"],
        ),
        ("unique", "CREATE UNIQUE INDEX one ON attr_commit (actor)".into(), &["unique index `one`", "`attr_commit`"]),
        ("partial", "CREATE UNIQUE INDEX two ON attr_set (1) WHERE id > 5".into(), &["unique index `two`", "drop the index"]),
        (
            "index",
            "DROP INDEX attr_entity_key; CREATE INDEX attr_entity_key ON attr_entity (revision) WHERE id_type > 7".into(),
            &["its index `attr_entity_key` is `CREATE INDEX attr_entity_key ON attr_entity (revision) WHERE id_type > 7`"],
        ),
        (
            "view",
            "ALTER TABLE attr_history RENAME TO mine; CREATE VIEW attr_history AS SELECT * FROM mine".into(),
            &["a view", "`attr_history`"],
        ),
        (
            "virtual",
            "DROP TABLE attr_history; CREATE VIRTUAL TABLE attr_history USING fts5(value)".into(),
            &["`attr_history` is a virtual table"],
        ),
        (
            "generated",
            "ALTER TABLE attr_entity ADD COLUMN more TEXT GENERATED ALWAYS AS (doc || 'x') VIRTUAL".into(),
            &["table `attr_entity` also has `more TEXT GENERATED ALWAYS AS (doc || 'x') VIRTUAL`"],
        ),
        (
            "column",
            "ALTER TABLE attr_horizon ADD COLUMN more INTEGER DEFAULT 7".into(),
            &["`attr_horizon` also has `more INTEGER DEFAULT 7`"],
        ),
        (
            "check",
            rebuilt("attr_commit", "at INTEGER NOT NULL", "at INTEGER NOT NULL CHECK (at < 0)"),
            &["`attr_commit` has `at INTEGER NOT NULL CHECK (at < 0)` instead of `at INTEGER NOT NULL`"],
        ),
        (
            "default",
            rebuilt("attr_posting", " n INTEGER NOT NULL", " n INTEGER NOT NULL DEFAULT (random())"),
            &["`attr_posting` has `n INTEGER NOT NULL DEFAULT (random())` instead of"],
        ),
        ("strict", rebuilt("attr_set", "STRICT", ""), &["`attr_set` ends with `` and not with `STRICT`"]),
        ("case", "CREATE TRIGGER t2 AFTER DELETE ON ATTR_Entity BEGIN SELECT 1; END".into(), &["trigger `t2`"]),
        (
            "constraint",
            "DROP TABLE attr_past_definition; CREATE TABLE attr_past_definition (id INTEGER NOT NULL, ended INTEGER NOT NULL,
             type INTEGER NOT NULL, spec TEXT NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL) STRICT"
                .into(),
            &["`attr_past_definition` lacks `PRIMARY KEY (id, ended)`"],
        ),
    ];
    let folder = folder();
    for (name, done, said) in cases {
        let refused = refusal(&folder.path().join(format!("{name}.db")), &done);
        assert!(refused.contains(&format!("{name}.db")), "{name}: {refused}");
        assert!(said.iter().all(|said| refused.contains(said)), "{name}: {refused}");
    }
}

#[test]
fn what_harms_nothing_is_the_hosts_affair() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    drop(prepared(&path));
    let host = Connection::open(&path).unwrap();
    host.execute_batch(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT);
         CREATE TRIGGER customers_after AFTER INSERT ON customers BEGIN UPDATE customers SET name = upper(name); END;
         CREATE INDEX by_actor ON attr_commit (actor);
         CREATE VIEW attr_mine AS SELECT 1 AS one;
         CREATE TABLE attr_also_mine (a UNIQUE)",
    )
    .unwrap();
    let attributes = open(&path);
    set(&attributes, 1, 6).unwrap();
    assert_eq!(seats(&attributes, 1), Some(6));
}

#[test]
fn a_trigger_that_comes_while_the_store_is_open_does_not_run() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = prepared(&path);
    let host = Connection::open(&path).unwrap();
    host.execute_batch(
        "CREATE TRIGGER swap AFTER UPDATE ON attr_entity BEGIN UPDATE attr_entity SET doc = '{\"1\":666}'; END;
         CREATE TRIGGER drop_it BEFORE INSERT ON attr_history BEGIN SELECT RAISE(IGNORE); END",
    )
    .unwrap();
    set(&attributes, 1, 6).unwrap();
    assert_eq!(seats(&attributes, 1), Some(6));
    assert_eq!(attributes.snapshot().unwrap().history(("customer", 1)).unwrap().len(), 2);
    drop(attributes);
    assert!(SqliteStore::open(&path).map(drop).unwrap_err().to_string().contains("trigger"));
    host.execute_batch("DROP TRIGGER swap; DROP TRIGGER drop_it").unwrap();
    assert_eq!(seats(&open(&path), 1), Some(6));
}

#[test]
fn each_prefix_has_tables_of_its_own() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let with = |prefix: &str| SqliteStore::options().beside_host_tables().prefix(prefix).unwrap().open(&path);
    for prefix in ["a", "crm_", "attr_", "e_attr_"] {
        let attributes = Attributes::new(with(prefix).unwrap());
        attributes.of("customer").unwrap().define(custom_attributes::DefinitionSpec::integer("seats")).unwrap();
        set(&attributes, 1, 5).unwrap();
        attributes.of("customer").unwrap().set("c-1", "seats", 5).unwrap();
    }
    let host = Connection::open(&path).unwrap();
    host.execute_batch("CREATE TRIGGER t AFTER INSERT ON crm_entity BEGIN SELECT 1; END").unwrap();
    assert!(with("crm_").map(drop).unwrap_err().to_string().contains("`crm_entity`"));
    for prefix in ["a", "attr_", "e_attr_"] {
        assert_eq!(seats(&Attributes::new(with(prefix).unwrap()), 1), Some(5), "{prefix}");
    }
}

#[test]
fn a_hostile_file_of_an_older_version_is_refused_and_not_upgraded() {
    let folder = folder();
    let path = folder.path().join("old.db");
    let host = Connection::open(&path).unwrap();
    host.execute_batch(include_str!("../files/version-1.sql")).unwrap();
    host.execute_batch("CREATE TRIGGER t AFTER INSERT ON attr_entity BEGIN SELECT 1; END").unwrap();
    assert!(SqliteStore::open(&path).map(drop).unwrap_err().to_string().contains("trigger `t`"));
    let version: i64 = host.query_row("SELECT schema FROM attr_state", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
    host.execute_batch("DROP TRIGGER t; ALTER TABLE attr_commit ADD COLUMN more INTEGER CHECK (more IS NULL)").unwrap();
    assert!(SqliteStore::open(&path).map(drop).unwrap_err().to_string().contains("`more INTEGER CHECK (more IS NULL)`"));
    host.execute_batch("ALTER TABLE attr_commit DROP COLUMN more").unwrap();
    drop(SqliteStore::open(&path).unwrap());
    drop(SqliteStore::open(&path).unwrap());
}
