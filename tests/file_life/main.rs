//! What may happen to the file of a store that others can reach: a schema that is not ours, another file in its place, odd names.
#![cfg(feature = "sqlite")]

mod hostile;
mod names;
mod replaced;

use std::path::Path;

use custom_attributes::{Attributes, DefinitionSpec, SqliteStore};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(path: impl AsRef<Path>) -> Attributes<SqliteStore> {
    Attributes::new(SqliteStore::open(path).unwrap())
}

/// A file with one definition, and one value.
fn prepared(path: &Path) -> Attributes<SqliteStore> {
    let attributes = open(path);
    let customers = attributes.of("customer").unwrap();
    customers.define(DefinitionSpec::integer("seats")).unwrap();
    customers.set(1, "seats", 5).unwrap();
    attributes
}

fn seats(attributes: &Attributes<SqliteStore>, id: i64) -> Option<i64> {
    attributes.of("customer").unwrap().get(id, "seats").unwrap()
}

fn set(attributes: &Attributes<SqliteStore>, id: i64, seats: i64) -> custom_attributes::Result<custom_attributes::Receipt> {
    attributes.of("customer").unwrap().set(id, "seats", seats)
}
