//! The writer of an SQLite store: tickets, group commit, what becomes of them when things go wrong, and what it leaves behind.
#![cfg(feature = "sqlite")]

mod checkpoints;
mod disk;
mod ending;
mod groups;
mod processes;
mod tickets;

use std::path::Path;

use custom_attributes::{Attributes, DefinitionSpec, SqliteStore};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A file with a few definitions.
fn prepared(path: &Path) -> Attributes<SqliteStore> {
    let attributes = Attributes::new(SqliteStore::open(path).unwrap());
    define(&attributes);
    attributes
}

fn define(attributes: &Attributes<SqliteStore>) {
    let specs = [DefinitionSpec::integer("a"), DefinitionSpec::integer("b").unique(), DefinitionSpec::string("note")];
    attributes.of("customer").unwrap().ensure(specs).unwrap();
}

/// What customer `id` holds for `a`.
fn held(attributes: &Attributes<SqliteStore>, id: i64) -> Option<i64> {
    attributes.of("customer").unwrap().get(id, "a").unwrap()
}

fn assert_index_is_sound(attributes: &Attributes<SqliteStore>) {
    attributes.snapshot().unwrap().verify_index(|fault| panic!("{fault}")).unwrap();
}
