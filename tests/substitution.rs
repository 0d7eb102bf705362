//! No column of a file is believed beyond what it can hold: a value that cannot stand there is damage, and never another value.
#![cfg(feature = "sqlite")]

use std::fmt::Write;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use custom_attributes::{
    Attributes, CommitId, DefinitionId, DefinitionSpec, EntityType, Error, Position, Query, Result, Retention, SqliteStore, View,
    attr,
};
use rusqlite::Connection;
use tempfile::TempDir;

/// What is put into each column, as SQL.
const VALUES: [&str; 7] = ["-1", "0", "9223372036854775807", "-9223372036854775808", "NULL", "'text'", "x'c328'"];

/// The columns of a table, and what tells its first row and its last.
const TABLES: [(&str, &str, &[&str]); 12] = [
    ("attr_state", "id", &["id", "schema", "folding", "catalog", "last_definition", "last_ordinal", "unordered"]),
    ("attr_commit", "id", &["id", "at", "actor", "note", "touched"]),
    ("attr_entity_type", "id", &["id", "name"]),
    ("attr_definition", "id", &["id", "type", "spec", "created", "modified"]),
    ("attr_past_definition", "id", &["id", "ended", "type", "spec", "created", "modified"]),
    ("attr_entity", "ordinal", &["ordinal", "type", "id", "revision", "doc", "meta"]),
    ("attr_history", "ordinal", &["ordinal", "ended", "definition", "created", "modified", "data_type", "value"]),
    ("attr_horizon", "definition", &["definition", "until"]),
    ("attr_posting", "definition", &["definition", "key", "chunk", "n", "bits"]),
    ("attr_set", "id", &["bits"]),
    ("attr_rebuild", "id", &["next", "definition", "key", "chunk"]),
    ("attr_view", "type", &["type"]),
];

/// What a column may hold as well as what it holds: only a checksum could tell. `*` stands for every value.
const LEGAL: [(&str, &str, &str); 12] = [
    // An instant is any number of microseconds that a calendar has, an actor and a note any text or none.
    ("attr_commit", "at", "-1"),
    ("attr_commit", "at", "0"),
    ("attr_commit", "actor", "*"),
    ("attr_commit", "note", "*"),
    // An entity type has any name that is well formed.
    ("attr_entity_type", "name", "'text'"),
    // An integer has any value, and so has an id.
    ("attr_entity", "id", "*"),
    ("attr_history", "value", "*"),
    // The key of a row: a read by key finds no row, as if it had been deleted. Whoever reads all of the table notices.
    ("attr_entity", "type", "*"),
    ("attr_history", "definition", "*"),
    ("attr_history", "ordinal", "*"),
    // The index, which is compared with the records by `verify_index`.
    ("attr_posting", "*", "*"),
    ("attr_view", "*", "*"),
];

fn is_legal(table: &str, column: &str, value: &str) -> bool {
    let is = |pattern: &str, found: &str| pattern == "*" || pattern == found;
    LEGAL.iter().any(|(t, c, v)| is(t, table) && is(c, column) && is(v, value))
}

fn fill(path: &Path) {
    let attributes = Attributes::new(SqliteStore::open(path).unwrap());
    let customers = attributes.of("customer").unwrap();
    customers
        .ensure([
            DefinitionSpec::string("tier"),
            DefinitionSpec::integer("seats"),
            DefinitionSpec::boolean("churned"),
            DefinitionSpec::decimal("limit"),
            DefinitionSpec::date("since"),
            DefinitionSpec::integer("visits").retention(Retention::Off),
            DefinitionSpec::string("gone"),
        ])
        .unwrap();
    for id in 0..20 {
        let batch =
            attributes.batch().by("ann").note("a note").set(("customer", id), "tier", if id % 2 == 0 { "a" } else { "b" });
        let batch =
            batch.set(("customer", id), "seats", id).set(("customer", id), "churned", true).set(("customer", id), "gone", "x");
        let batch = batch.set_text(("customer", id), "limit", "1.50").set_text(("customer", id), "since", "2025-01-04");
        batch.set(("customer", id), "visits", 1).commit().unwrap();
    }
    for id in 0..5 {
        let batch = attributes.batch().set(("customer", id), "seats", id + 100).set(("customer", id), "churned", false);
        batch.set(("customer", id), "visits", 2).set_text(("customer", id), "limit", "2.5").commit().unwrap();
    }
    customers.alter("tier", |spec| spec.description("how much they pay")).unwrap();
    customers.delete_with_values("gone").unwrap();
    customers.set("a text", "tier", "a").unwrap();
    // Enough holders of one value for a set of its own.
    let many =
        (1000..1400).filter(|id| id % 3 != 0).fold(attributes.batch(), |batch, id| batch.set(("customer", id), "churned", true));
    many.commit().unwrap();
    customers.remove(7).unwrap();
    attributes.batch().erase_entity(("customer", 8)).commit().unwrap();
    // The last entity that was given an ordinal is erased: only the state of the store knows of it.
    customers.set(9999, "tier", "a").unwrap();
    attributes.batch().erase_entity(("customer", 9999)).commit().unwrap();
    let mut steps = 0;
    attributes
        .rebuild_index(|_| {
            steps += 1;
            if steps == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
}

fn shown<T: std::fmt::Debug>(all: impl IntoIterator<Item = T>) -> String {
    all.into_iter().fold(String::new(), |mut text, one| {
        writeln!(text, "{one:?}").unwrap();
        text
    })
}

/// A read, with its answer as a text.
type Read = fn(&Attributes<SqliteStore>) -> Result<String>;

/// Every kind of read.
const READS: [(&str, Read); 12] = [
    ("digest", |attributes| Ok(attributes.digest()?.to_string())),
    ("export", |attributes| {
        let mut lines = Vec::new();
        attributes.export(&mut lines, |_| ControlFlow::Continue(()))?;
        Ok(String::from_utf8(lines).unwrap())
    }),
    ("entities", |attributes| scanned(&attributes.snapshot()?)),
    ("point reads", |attributes| {
        let customers = attributes.of("customer")?;
        let mut text = String::new();
        for id in [0, 1, 19, 1399] {
            let record = attributes.store_read(id)?;
            write!(text, "{record} {:?} {:?}", customers.get::<String>(id, "tier")?, customers.get::<i64>(id, "seats")?).unwrap();
        }
        Ok(text)
    }),
    ("details", |attributes| {
        let customers = attributes.of("customer")?;
        Ok(shown([customers.details(0)?, customers.details(3)?]))
    }),
    ("history", |attributes| {
        let view = attributes.snapshot()?;
        let mut text = String::new();
        for id in 0..21 {
            text += &shown(view.history(("customer", id))?);
        }
        Ok(text)
    }),
    ("definitions", |attributes| {
        let view = attributes.snapshot()?;
        let mut text = shown(view.catalog().iter());
        for id in 1..8 {
            text += &shown(view.definition_history(DefinitionId::new(id))?);
        }
        Ok(text)
    }),
    ("find", |attributes| {
        let view = attributes.snapshot()?;
        let found = view.find_keys(&EntityType::new("customer")?, Query::from(attr("tier").eq("a")).limit(500))?;
        Ok(shown(view.as_snapshot().read(&found.keys)?))
    }),
    ("count", |attributes| {
        let view = attributes.snapshot()?;
        let of = EntityType::new("customer")?;
        Ok(format!("{} {}", view.count(&of)?, view.count_found(&of, attr("churned").eq(true))?))
    }),
    ("changes", |attributes| Ok(format!("{:?}", attributes.changes_since(Position::default(), 10_000)?))),
    ("as of", |attributes| scanned(&attributes.as_of(CommitId::new(12))?)),
    ("horizons", |attributes| Ok(shown(attributes.snapshot()?.horizons()?))),
];

fn scanned(view: &View<'_>) -> Result<String> {
    Ok(shown(view.as_snapshot().scan(Some(&EntityType::new("customer")?), None, 1000)?))
}

trait StoreRead {
    fn store_read(&self, id: i64) -> Result<String>;
}

impl StoreRead for Attributes<SqliteStore> {
    fn store_read(&self, id: i64) -> Result<String> {
        use custom_attributes::store::AttributeStore;
        let (_, record) = self.store().read_entity(&custom_attributes::EntityKey::new("customer", id)?)?;
        Ok(format!("{record:?}"))
    }
}

#[test]
fn no_column_is_believed_beyond_what_it_can_hold() {
    let folder = TempDir::new().unwrap();
    let whole = folder.path().join("whole.db");
    fill(&whole);
    let attributes = Attributes::new(SqliteStore::open(&whole).unwrap());
    let right: Vec<String> = READS.iter().map(|(_, read)| read(&attributes).unwrap()).collect();
    drop(attributes);
    let (mut wrong, mut tried, mut errors) = (Vec::new(), 0, 0);
    for (table, key, columns) in TABLES {
        for (column, value, end) in columns
            .iter()
            .flat_map(|column| VALUES.iter().map(move |value| (column, value)))
            .flat_map(|(c, v)| ["min", "max"].map(move |end| (c, v, end)))
        {
            let path = folder.path().join("damaged.db");
            for name in ["damaged.db", "damaged.db-wal", "damaged.db-shm"] {
                fs::remove_file(folder.path().join(name)).ok();
            }
            fs::copy(&whole, &path).unwrap();
            let connection = Connection::open(&path).unwrap();
            connection.execute_batch("PRAGMA ignore_check_constraints = ON").unwrap();
            let sql = format!("UPDATE {table} SET {column} = {value} WHERE {key} = (SELECT {end}({key}) FROM {table})");
            // Not every value fits every column: the tables are strict.
            if connection.execute(&sql, []).unwrap_or_default() == 0 {
                continue;
            }
            connection.close().unwrap();
            tried += 1;
            let opened = match SqliteStore::open(&path) {
                Ok(store) => Attributes::new(store),
                Err(Error::Corrupt { .. } | Error::Open { .. }) => {
                    errors += READS.len();
                    continue;
                }
                Err(error) => {
                    wrong.push(format!("{sql}: opening fails with {error:?}"));
                    continue;
                }
            };
            for ((name, read), right) in READS.iter().zip(&right) {
                match read(&opened) {
                    Ok(found) if found == *right || is_legal(table, column, value) => {}
                    Ok(_) => wrong.push(format!("{sql}: {name} answers something else")),
                    Err(Error::Corrupt { .. } | Error::Open { .. }) => errors += 1,
                    Err(_) if is_legal(table, column, value) => {}
                    Err(error) => wrong.push(format!("{sql}: {name} fails with {error:?}")),
                }
            }
        }
    }
    println!("{tried} damaged columns, {errors} reads answer that the store is damaged");
    assert!(tried > 200 && errors > 1000, "{tried} damages and {errors} errors");
    assert_eq!(wrong, [] as [String; 0], "{}", wrong.join("\n"));
}

/// What the state of a store counts is checked against its rows.
#[test]
fn two_rows_of_state_are_damage() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("whole.db");
    fill(&path);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA ignore_check_constraints = ON").unwrap();
    let columns = "schema, folding, catalog, last_definition, mark, last_ordinal, unordered";
    connection.execute(&format!("INSERT INTO attr_state (id, {columns}) SELECT 2, {columns} FROM attr_state"), []).unwrap();
    connection.close().unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains("has 2 rows, and must have one"), "{error}");
}
