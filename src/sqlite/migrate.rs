//! Files that an older release wrote are brought up to date when they are opened for writing.

use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::Result;
use crate::index;
use crate::sqlite::failure::failed;
use crate::sqlite::postings::PostingWriter;
use crate::sqlite::schema::{APPLICATION_ID, POSTINGS, VERSION};
use crate::sqlite::tables::{Known, Tables};

/// Brings an older file up to date, whole or not at all; one that is not older stays as it is.
pub(super) fn migrate(connection: &mut Connection) -> Result<()> {
    let migrating = failed("bringing the tables up to date");
    let version = |connection: &Connection| connection.query_row("SELECT schema FROM attr_state", [], |row| row.get::<_, i64>(0));
    if version(connection).map_err(&migrating)? >= VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&migrating)?;
    // Another process may have been first.
    if version(&transaction).map_err(&migrating)? == 1 {
        add_postings(&transaction)?;
    }
    transaction.execute("UPDATE attr_state SET schema = ?1", [VERSION]).map_err(&migrating)?;
    let application: i32 = transaction.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(&migrating)?;
    if application == APPLICATION_ID {
        transaction.execute_batch(&format!("PRAGMA user_version = {VERSION}")).map_err(&migrating)?;
    }
    transaction.commit().map_err(&migrating)
}

/// From version 1 to 2: an index of all values, instead of one of unique values.
fn add_postings(connection: &Connection) -> Result<()> {
    let migrating = failed("making the index");
    connection.execute_batch("DROP TABLE attr_unique").and_then(|()| connection.execute_batch(POSTINGS)).map_err(migrating)?;
    let known = Arc::new(Known::load(connection)?);
    index::build_all(&Tables { connection, known, keys: None }, &mut PostingWriter::new(connection))
}
