//! SQLite's errors in the crate's terms.

use std::time::Duration;

use rusqlite::ErrorCode;

use crate::error::Error;

/// The error for a failure while something was done.
pub(super) fn failed(doing: &'static str) -> impl Fn(rusqlite::Error) -> Error {
    move |error| match error.sqlite_error_code() {
        // How long was waited is known further up: see `waited`.
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy { waited: Duration::ZERO },
        Some(ErrorCode::ReadOnly) => Error::ReadOnly,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Error::Corrupt { what: format!("SQLite found it so while {doing}"), source: Some(error.into()) }
        }
        Some(ErrorCode::ConstraintViolation) => {
            Error::Corrupt { what: format!("its tables contradict each other while {doing}"), source: Some(error.into()) }
        }
        _ => Error::backend(doing, error),
    }
}

/// The error of a failed COMMIT. Only a busy database is known to have kept nothing.
pub(super) fn commit_failed(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => failed("committing")(error),
        _ => Error::commit_outcome_unknown(error),
    }
}

/// Says of a busy error how long was waited.
pub(super) fn waited(since: std::time::Instant) -> impl Fn(Error) -> Error {
    move |error| match error {
        Error::Busy { .. } => Error::Busy { waited: since.elapsed() },
        other => other,
    }
}
