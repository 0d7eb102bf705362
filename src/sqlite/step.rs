//! What is done whole or not at all, also on a connection that has a transaction open already.

use rusqlite::{Connection, Result};

use crate::error::Error;
use crate::sqlite::failure::{commit_failed, failed};

/// Inner savepoints may have the name of an outer one: SQLite takes the innermost.
const SAVEPOINT: &str = "custom_attributes";

/// A transaction of ours; within one that is open already, a savepoint. What was not kept is undone when it is dropped.
#[derive(Debug)]
pub(super) struct Step<'c> {
    connection: &'c Connection,
    end: Option<End>,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Transaction,
    Savepoint,
    /// What only reads needs no savepoint.
    Nothing,
}

fn run(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

impl<'c> Step<'c> {
    /// To write. A transaction that was only read from and has to become one that writes fails at once if another has written
    /// meanwhile, so ours are for writing from the beginning.
    pub(super) fn writing(connection: &'c Connection) -> Result<Self> {
        let end = if connection.is_autocommit() {
            run(connection, "BEGIN IMMEDIATE")?;
            End::Transaction
        } else {
            run(connection, &format!("SAVEPOINT {SAVEPOINT}"))?;
            End::Savepoint
        };
        Ok(Self { connection, end: Some(end) })
    }

    /// To read all of one instant.
    pub(super) fn reading(connection: &'c Connection) -> Result<Self> {
        let end = if connection.is_autocommit() {
            run(connection, "BEGIN")?;
            End::Transaction
        } else {
            End::Nothing
        };
        Ok(Self { connection, end: Some(end) })
    }

    /// Commits, or leaves what was done to the transaction of which it is part. If that fails and the outcome is known, nothing
    /// was kept: see [`commit_failed`].
    pub(super) fn keep(mut self) -> Result<(), Error> {
        match self.end {
            Some(End::Transaction) => run(self.connection, "COMMIT").map_err(|error| commit_failed(self.connection, error))?,
            Some(End::Savepoint) => {
                run(self.connection, &format!("RELEASE {SAVEPOINT}")).map_err(failed("releasing a savepoint"))?;
            }
            Some(End::Nothing) | None => {}
        }
        self.end = None;
        Ok(())
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        // After some failures SQLite has undone the whole transaction by itself.
        if self.connection.is_autocommit() {
            return;
        }
        // What cannot be undone now is undone when the connection is closed.
        let _ = match self.end {
            Some(End::Transaction) => run(self.connection, "ROLLBACK"),
            Some(End::Savepoint) => run(self.connection, &format!("ROLLBACK TO {SAVEPOINT}"))
                .and_then(|()| run(self.connection, &format!("RELEASE {SAVEPOINT}"))),
            Some(End::Nothing) | None => Ok(()),
        };
    }
}
