//! Attributes on a connection that the host lends.
#![cfg(feature = "sqlite")]

mod interleaved;
mod lending;
mod pool;
mod prefixes;
mod prepared;
mod together;

use custom_attributes::{Attributes, DefinitionSpec, HostTables, LentStore};
use rusqlite::Connection;
use tempfile::TempDir;

/// A database of the host, with a table of its own, in a folder of its own.
struct Crm {
    tables: HostTables,
    connection: Connection,
    folder: TempDir,
}

impl Crm {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("crm.db")).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF").unwrap();
        connection.execute_batch("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").unwrap();
        let crm = Self { tables: HostTables::new(), connection, folder };
        declare(&crm.on());
        crm
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("crm.db")
    }

    fn another(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn on(&self) -> Attributes<LentStore<'_>> {
        Attributes::new(self.tables.on(&self.connection).unwrap())
    }

    fn run(&self, sql: &str) {
        self.connection.execute_batch(sql).unwrap();
    }

    /// How many customers there are, and what the first has.
    fn both(&self) -> (i64, Option<i64>) {
        let rows = self.connection.query_row("SELECT count(*) FROM customers", [], |row| row.get(0)).unwrap();
        (rows, limit(&self.on(), 1))
    }
}

fn declare(attributes: &Attributes<LentStore<'_>>) {
    let specs = [DefinitionSpec::integer("credit_limit").minimum(0), DefinitionSpec::string("code").unique()];
    attributes.of("customer").unwrap().ensure(specs).unwrap();
}

fn set(attributes: &Attributes<LentStore<'_>>, id: i64, limit: i64) {
    attributes.of("customer").unwrap().set(id, "credit_limit", limit).unwrap();
}

fn limit(attributes: &Attributes<LentStore<'_>>, id: i64) -> Option<i64> {
    attributes.of("customer").unwrap().get(id, "credit_limit").unwrap()
}

fn faults(attributes: &Attributes<LentStore<'_>>) -> usize {
    let mut faults = 0;
    attributes
        .snapshot()
        .unwrap()
        .verify_index(|_| {
            faults += 1;
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    faults
}
