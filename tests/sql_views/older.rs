//! Files of older releases get the views of this one when they are opened for writing.

use std::ops::ControlFlow;

use custom_attributes::{AttributeStore, Attributes, DefinitionSpec, HostTables, SqliteStore};
use rusqlite::Connection;
use rusqlite::types::Value as Sql;

use crate::{Crm, SPECS, crm, define, open, text};

const VERSION_1: &str = include_str!("../files/version-1.sql");
const VERSION_4: &str = include_str!("../files/version-4.sql");

/// A view that the host has broken is none of ours.
const BROKEN: &str = "CREATE VIEW broken AS SELECT * FROM dropped";

/// A file that an older release wrote, opened for writing.
fn opened(dump: &str) -> Crm {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let host = Connection::open(&path).unwrap();
    host.execute_batch(dump).unwrap();
    host.execute_batch(BROKEN).unwrap();
    let attributes = open(&path);
    Crm { path, attributes, host, _folder: folder }
}

#[test]
fn an_older_file_gets_its_views() {
    let crm = opened(VERSION_1);
    let customers = crm.of("customer");
    assert_eq!(crm.one::<i64>("SELECT count(*) FROM attr_of_customer"), 120);
    // Every other one is known by a text.
    let kinds = "SELECT typeof(entity_id), typeof(entity_key), count(*) FROM attr_of_customer GROUP BY 1, 2";
    let kind = |id: &str| vec![text(id), text("text"), Sql::Integer(60)];
    assert_eq!(crm.rows(kinds), [kind("integer"), kind("null")]);
    for row in crm.rows("SELECT entity_key, tier, seats FROM attr_of_customer") {
        let Sql::Text(id) = &row[0] else { panic!("a text") };
        assert_eq!(customers.get::<String>(id, "tier").unwrap().map(Sql::Text).unwrap_or(Sql::Null), row[1]);
        assert_eq!(customers.get::<i64>(id, "seats").unwrap().map(Sql::Integer).unwrap_or(Sql::Null), row[2]);
    }
}

#[test]
fn a_file_of_version_2_gets_the_same_views_as_a_new_one() {
    let mut crm = crm("");
    for (entity_type, id) in [("customer", "7"), ("Customer", "c-7"), ("site", "1"), ("site", "s-1"), ("gone", "g-1")] {
        define(&crm.of(entity_type));
        crm.of(entity_type).set(id, "seats", 1).unwrap();
    }
    for (name, _) in SPECS {
        crm.of("gone").delete_with_values(name).unwrap();
    }
    let schema = "SELECT type, name, sql FROM sqlite_schema WHERE name LIKE 'attr_%' AND name <> 'attr_entity' ORDER BY name";
    let state = |crm: &Crm| (crm.rows(schema), crm.rows("SELECT * FROM attr_view"));
    let before = state(&crm);
    let views: Vec<_> = crm.views().iter().map(|view| format!("DROP VIEW \"{view}\";")).collect();
    crm.host
        .execute_batch(&format!(
            "{} DROP TABLE attr_view; DROP INDEX attr_entity_number; DROP INDEX attr_entity_text;
             ALTER TABLE attr_entity DROP COLUMN id_type; ALTER TABLE attr_entity DROP COLUMN id_number;
             ALTER TABLE attr_entity DROP COLUMN id_text; DROP TABLE attr_horizon;
             ALTER TABLE attr_state DROP COLUMN unordered; ALTER TABLE attr_state DROP COLUMN last_ordinal; ALTER TABLE attr_state DROP COLUMN mark; UPDATE attr_state SET schema = 2",
            views.concat()
        ))
        .unwrap();
    crm.attributes = open(&crm.path);
    assert_eq!(state(&crm), before);
    crm.of("gone").define(DefinitionSpec::string("back")).unwrap();
    crm.of("gone").set("g-1", "back", "yes").unwrap();
    assert_eq!(crm.one::<String>("SELECT entity_key FROM attr_of_gone"), "g-1");
}

/// What `version-4.sql` holds: each value names its type and its id.
const IDS: [&str; 16] = [
    "7",
    "8",
    "-3",
    "0",
    "9223372036854775807",
    "-9223372036854775808",
    "07",
    "8.0",
    "+7",
    " 7",
    "7e0",
    "-0",
    "9223372036854775808",
    "c-7",
    "it's",
    "é😀",
];

/// The views tell what `get` tells, by both columns of ids, and are those that a new store makes of the same definitions.
fn is_brought_up_to_date<S: AttributeStore>(attributes: &Attributes<S>, connection: &Connection, prefix: &str) {
    let one = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
        let mut select = connection.prepare(&sql.replace("{prefix}", prefix)).unwrap();
        let rows = select.query_map(params, |row| row.get::<_, Sql>(0)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>()
    };
    assert_eq!(one("SELECT schema FROM {prefix}state", &[]), [Sql::Integer(5)]);
    assert_eq!(one("SELECT count(*) FROM pragma_table_info('{prefix}view')", &[]), [Sql::Integer(2)]);
    for (entity_type, view) in [("customer", "customer"), ("person", "person"), ("site", "site"), ("Site", "Site[2]")] {
        let of = attributes.of(entity_type).unwrap();
        for id in IDS {
            let expected: Vec<_> = of.get::<String>(id, "tier").unwrap().map(Sql::Text).into_iter().collect();
            let from = format!("SELECT tier FROM \"{{prefix}}of_{view}\" WHERE");
            assert_eq!(one(&format!("{from} entity_key = ?1"), &[&id]), expected, "{entity_type}/{id}");
            if let Ok(number) = id.parse::<i64>()
                && number.to_string() == id
            {
                assert_eq!(one(&format!("{from} entity_id = ?1"), &[&number]), expected, "{entity_type}/{id}");
            }
        }
    }
    // An attribute had the name of the new column.
    let named = "SELECT \"Entity_Key [attribute]\" FROM {prefix}of_person WHERE entity_key = '07'";
    assert_eq!(one(named, &[]), [text("an attribute")]);
    // The next change of a definition finds all as it would in a new file.
    attributes.of("gone").unwrap().define(DefinitionSpec::string("tier")).unwrap();
    attributes.of("gone").unwrap().set("g-1", "tier", "back").unwrap();
    assert_eq!(one("SELECT tier FROM {prefix}of_gone WHERE entity_key = 'g-1'", &[]), [text("back")]);

    let schema = |connection: &Connection, prefix: &str| {
        let sql = "SELECT name, sql FROM sqlite_schema WHERE sql <> '' AND (name LIKE ?1 || 'of_%' OR name LIKE ?1 || 'entity_%')
                   AND name <> ?1 || 'entity_type' ORDER BY name";
        let mut select = connection.prepare(sql).unwrap();
        let rows = select.query_map([prefix], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>()
    };
    let new = Connection::open_in_memory().unwrap();
    let copy = Attributes::new(HostTables::with_prefix(prefix).unwrap().on(&new).unwrap());
    attributes.copy_to(copy.store(), |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(schema(connection, prefix), schema(&new, prefix));
}

#[test]
fn a_file_of_version_4_gets_both_columns_of_ids() {
    let crm = opened(VERSION_4);
    is_brought_up_to_date(&crm.attributes, &crm.host, "attr_");
    assert_eq!(crm.one::<i64>("PRAGMA user_version"), 5);
    assert_eq!(crm.one::<String>("PRAGMA integrity_check"), "ok");
    // Version 3 had no mark of the definitions yet.
    let version_3 = "ALTER TABLE attr_state DROP COLUMN mark; UPDATE attr_state SET schema = 3;";
    let crm = opened(&format!("{VERSION_4}{version_3}"));
    is_brought_up_to_date(&crm.attributes, &crm.host, "attr_");
}

#[test]
fn a_file_of_version_4_stays_as_it_is_until_it_is_opened_for_writing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    Connection::open(&path).unwrap().execute_batch(VERSION_4).unwrap();
    let refused = SqliteStore::options().read_only().open(&path).unwrap_err().to_string();
    assert!(
        refused.contains("its tables are of version 4")
            && refused.ends_with("open it once for writing, which brings it up to date")
    );
    drop(open(&path));
    let reader = Attributes::new(SqliteStore::options().read_only().open(&path).unwrap());
    assert_eq!(reader.of("person").unwrap().get::<String>("07", "tier").unwrap().as_deref(), Some("person 07"));
}

#[test]
fn lent_tables_of_version_4_are_brought_up_to_date_in_the_transaction() {
    for prefix in ["attr_", "crm_"] {
        let by = if prefix == "attr_" { String::new() } else { format!(" with {prefix}") };
        let dump = VERSION_4.replace("custom-attributes,", &format!("custom-attributes{by},")).replace("attr_", prefix);
        let host = Connection::open_in_memory().unwrap();
        host.execute_batch(&dump).unwrap();
        host.execute_batch(BROKEN).unwrap();
        host.execute_batch("PRAGMA application_id = 9; PRAGMA user_version = 9").unwrap();
        let tables = HostTables::with_prefix(prefix).unwrap();
        let version = || host.query_row(&format!("SELECT schema FROM {prefix}state"), [], |row| row.get::<_, i64>(0)).unwrap();
        host.execute_batch("BEGIN").unwrap();
        tables.on(&host).unwrap();
        assert_eq!(version(), 5);
        host.execute_batch("ROLLBACK").unwrap();
        assert_eq!(version(), 4);
        is_brought_up_to_date(&Attributes::new(tables.on(&host).unwrap()), &host, prefix);
        assert_eq!(host.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap(), 9);
    }
}
