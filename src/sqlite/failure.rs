//! SQLite's errors in the crate's terms.

use std::time::Duration;

use rusqlite::{Connection, ErrorCode, ffi};

use crate::error::{Error, Result};

/// Not in the bindings for older releases.
const IOERR_CORRUPTFS: i32 = ffi::SQLITE_IOERR | (33 << 8);

/// What holds a store that is busy, where nothing more is known of it.
const HELD: &str = "another connection or a transaction of the caller holds it; end an open write transaction of your own, or try \
                    again";

/// A busy error; [`waited`] adds how long was waited.
pub(super) const fn busy(reason: &'static str) -> Error {
    Error::Busy { waited: Duration::ZERO, reason }
}

/// The error for a failure while something was done.
pub(super) fn failed(doing: &'static str) -> impl Fn(rusqlite::Error) -> Error {
    move |error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => busy(HELD),
        Some(ErrorCode::ReadOnly) => Error::ReadOnly,
        _ if is_full(&error) => Error::DiskFull { doing, source: error.into() },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::Corrupt {
            what: format!("SQLite found damage, or could not read the disk, while {doing}"),
            source: Some(error.into()),
        },
        Some(ErrorCode::ConstraintViolation) => {
            Error::Corrupt { what: format!("its tables contradict each other while {doing}"), source: Some(error.into()) }
        }
        _ if is_unreadable(&error) => {
            Error::Corrupt { what: format!("a row cannot be read while {doing}"), source: Some(error.into()) }
        }
        _ => Error::backend(doing, error),
    }
}

/// Whether the disk is full.
///
/// `SQLITE_IOERR_SHMSIZE` is included: SQLite returns it if it cannot lengthen the index of the write-ahead log, whatever the reason.
/// A failed write of a database or a log is `SQLITE_FULL` only if the disk is full, so other codes are not included.
fn is_full(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map_or(ffi::SQLITE_OK, |error| error.extended_code);
    code & 0xff == ffi::SQLITE_FULL || code == ffi::SQLITE_IOERR_SHMSIZE
}

/// Whether a row is there and has something else than it should, or must be there and is not.
const fn is_unreadable(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as Sql;
    matches!(
        error,
        Sql::FromSqlConversionFailure(..)
            | Sql::IntegralValueOutOfRange(..)
            | Sql::InvalidColumnType(..)
            | Sql::Utf8Error(..)
            | Sql::QueryReturnedNoRows
    )
}

/// The error of a COMMIT that failed on this connection, which was not rolled back since.
///
/// The outcome is unknown only if SQLite had written all of the commit before it failed: a failed fsync, for one. Nothing was
/// kept, and the error says so by being another than [`Error::CommitOutcomeUnknown`], if
/// - the transaction is still open: SQLite refused the COMMIT (busy, interrupted, a violated foreign key);
/// - the disk is full. A write-ahead log gets the mark of a commit with its last frame, and a rollback journal ends a commit by
///   being deleted: what runs out of room comes earlier in both;
/// - a hook of the host refused it;
/// - writing to a write-ahead log failed. There the mark comes last, and SQLite writes nothing after it before the fsync.
///   A rollback journal may be ended by a write (`journal_mode = PERSIST`), so there it stays unknown.
///
/// `SQLITE_IOERR_SHMSIZE` stays unknown as well, although the disk is full: SQLite lengthens the index of the log after it has written
/// the mark of the commit to the log, and a process that recovers the log finds that mark.
pub(super) fn commit_failed(connection: &Connection, error: rusqlite::Error) -> Error {
    let code = error.sqlite_error().map_or(ffi::SQLITE_OK, |error| error.extended_code);
    let nothing_is_kept = !connection.is_autocommit()
        || matches!(code & 0xff, ffi::SQLITE_FULL | ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED)
        || code == ffi::SQLITE_CONSTRAINT_COMMITHOOK
        || (code == ffi::SQLITE_IOERR_WRITE && has_write_ahead_log(connection));
    match nothing_is_kept {
        true if code & 0xff == ffi::SQLITE_CONSTRAINT => Error::backend("committing", error),
        true => failed("committing")(error),
        false => Error::commit_outcome_unknown(error),
    }
}

fn has_write_ahead_log(connection: &Connection) -> bool {
    let mode = connection.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0));
    mode.is_ok_and(|mode| mode == "wal")
}

/// Says of a busy error how long was waited.
pub(super) fn waited(since: std::time::Instant) -> impl Fn(Error) -> Error {
    move |error| match error {
        Error::Busy { reason, .. } => Error::Busy { waited: since.elapsed(), reason },
        other => other,
    }
}

/// Does once more what a failed read, or what seems to be damage, has ended.
///
/// SQLite reports a read that failed with EIO as a damaged file (`SQLITE_IOERR_CORRUPTFS` becomes `SQLITE_CORRUPT` before a caller
/// sees it), and keeps nothing of such a page: a second look tells a disk that failed once from a file that is damaged.
pub(super) fn second_look<T>(look: impl FnMut() -> Result<T>) -> Result<T> {
    second_look_if(|| true, look)
}

/// Like [`second_look`], but returns the error of the first look if `may_repeat` says no by then. SQLite ends the transaction of a
/// read that failed, so a second look may see another state than the first.
pub(super) fn second_look_if<T>(may_repeat: impl Fn() -> bool, mut look: impl FnMut() -> Result<T>) -> Result<T> {
    match look() {
        Err(Error::Corrupt { source: Some(source), .. } | Error::Backend { source, .. }) if is_read(&*source) && may_repeat() => {
            look()
        }
        done => done,
    }
}

fn is_read(source: &(dyn std::error::Error + 'static)) -> bool {
    let error = source.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error);
    error.is_some_and(|error| {
        let is_damage = error.extended_code & 0xff == ffi::SQLITE_CORRUPT;
        is_damage || matches!(error.extended_code, ffi::SQLITE_IOERR_READ | IOERR_CORRUPTFS)
    })
}
