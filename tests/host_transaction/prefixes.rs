//! Stores with different prefixes share a file, and do not notice each other.

use custom_attributes::{AttributeStore, Attributes, DefinitionSpec, Error, HostTables, ListDefinitions, SqliteStore};
use rusqlite::Connection;

fn fill<S: AttributeStore>(attributes: &Attributes<S>, name: &str, value: &str) {
    let things = attributes.of("attr_thing").unwrap();
    things.ensure([DefinitionSpec::string(name), DefinitionSpec::integer("attr_number")]).unwrap();
    for id in 0..100 {
        things.set(id, name, value).unwrap();
        things.set(id, "attr_number", id).unwrap();
        things.set(id, name, format!("{value}{}", id % 3)).unwrap();
    }
}

#[test]
fn two_stores_in_one_file_do_not_notice_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let plain = Attributes::new(SqliteStore::open(&path).unwrap());
    fill(&plain, "attr_one", "a");
    let refused = SqliteStore::options().prefix("crm_").unwrap().open(&path).unwrap_err().to_string();
    assert!(refused.contains("beside_host_tables"), "{refused}");
    let options = || SqliteStore::options().prefix("crm_").unwrap().beside_host_tables();
    let other = Attributes::new(options().open(&path).unwrap());
    assert_eq!(other.snapshot().unwrap().catalog().iter().count(), 0);
    fill(&other, "attr_two", "b");
    let connection = Connection::open(&path).unwrap();
    let lent = HostTables::with_prefix("attr_of_").unwrap();
    let lent = Attributes::new(lent.on(&connection).unwrap());
    fill(&lent, "attr_three", "c");

    assert_eq!(names(&plain), ["attr_number", "attr_one"]);
    assert_eq!(names(&other), ["attr_number", "attr_two"]);
    let sql = |view: &str, name: &str| format!("SELECT \"{name}\" FROM {view} WHERE entity_id = 7 AND attr_number = 7");
    for (view, name, value) in [
        ("attr_of_attr_thing", "attr_one", "a1"),
        ("crm_of_attr_thing", "attr_two", "b1"),
        ("attr_of_of_attr_thing", "attr_three", "c1"),
    ] {
        assert_eq!(connection.query_row(&sql(view, name), [], |row| row.get::<_, String>(0)).unwrap(), value);
    }
    for prefix in ["attr_", "crm_", "attr_of_"] {
        let marks = connection.query_row(&format!("SELECT max(id) FROM {prefix}commit"), [], |row| row.get::<_, i64>(0));
        assert_eq!(marks.unwrap(), 301, "{prefix}");
    }
    drop(other);
    let again = Attributes::new(options().open(&path).unwrap());
    assert_eq!(again.of("attr_thing").unwrap().get::<String>(7, "attr_two").unwrap().as_deref(), Some("b1"));
    // The file is still one of ours alone, and can be written anew.
    again.purge().unwrap();
}

fn names<S: AttributeStore>(attributes: &Attributes<S>) -> Vec<String> {
    let page = attributes.of("attr_thing").unwrap().definitions(&ListDefinitions::new()).unwrap();
    page.definitions.iter().map(|definition| definition.name().to_string()).collect()
}

#[test]
fn a_view_of_one_store_is_not_replaced_by_another_whose_view_would_have_its_name() {
    let connection = Connection::open_in_memory().unwrap();
    let (plain, other) = (HostTables::new(), HostTables::with_prefix("attr_of_").unwrap());
    let define = |tables: &HostTables, entity_type: &str, name: &str| {
        let attributes = Attributes::new(tables.on(&connection).unwrap());
        attributes.of(entity_type).unwrap().define(DefinitionSpec::string(name)).unwrap();
    };
    define(&plain, "of_x", "one");
    define(&other, "x", "two");
    define(&plain, "of_x", "three");
    let columns = |view: &str| -> Vec<String> {
        let mut select = connection.prepare("SELECT name FROM pragma_table_info(?1)").unwrap();
        select.query_map([view], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(columns("attr_of_of_x"), ["entity_id", "entity_key", "one", "three"]);
    assert_eq!(columns("attr_of_of_x[2]"), ["entity_id", "entity_key", "two"]);
}

#[test]
fn a_prefix_is_refused_that_is_none() {
    for prefix in ["", "1a", "Crm_", "crm-", "crm ", "é", "sqlite_x", "a;b", &"a".repeat(33)] {
        let refused = HostTables::with_prefix(prefix).unwrap_err();
        assert!(matches!(refused, Error::Open { .. }), "{prefix}: {refused}");
        assert!(refused.to_string().contains(&format!("not `{prefix}`")), "{refused}");
        assert!(SqliteStore::options().prefix(prefix).is_err());
    }
    for prefix in ["a", "_", "x9_", "attr_", &"a".repeat(32)] {
        HostTables::with_prefix(prefix).unwrap();
    }
}

#[test]
fn a_name_that_the_host_has_taken_is_said() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE crm_entity (x); BEGIN").unwrap();
    let refused = HostTables::with_prefix("crm_").unwrap().on(&connection).unwrap_err().to_string();
    assert!(refused.contains("crm_entity already exists") && refused.contains("choose another prefix"), "{refused}");
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!((tables, connection.is_autocommit()), (1, false));
}
