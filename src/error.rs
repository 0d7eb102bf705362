//! One error for the crate, and the violations that it carries.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{CommitId, EntityKey, Revision};
pub use crate::violation::{Rule, Violation, Violations};

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. Ask it by predicate ([`Error::is_not_found`], …) or by its stable [`Error::code`].
///
/// Whatever the error, but for [`Error::CommitOutcomeUnknown`] and what a call of many steps says of itself: nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input breaks rules. All of them are listed.
    #[error(transparent)]
    Invalid(#[from] Violations),

    /// What was asked for does not exist.
    #[error("{what} does not exist{}", Near(near))]
    #[non_exhaustive]
    NotFound {
        /// What was asked for.
        what: String,
        /// Names that resemble it, the closest first.
        near: Vec<String>,
    },

    /// What was asked of the past is in history no longer.
    #[error("what `{attribute}` was before commit {until} is not known: its history was pruned, or is not kept")]
    #[non_exhaustive]
    Forgotten {
        /// The attribute.
        attribute: String,
        /// The commit from which on it is known.
        until: CommitId,
    },

    /// What the batch was checked against has moved. Read again, decide again, try again.
    #[error("{}", describe(.0))]
    Conflict(Vec<Moved>),

    /// A snapshot on a connection that the host lends has met a commit that came after it. Take a new one, or read within a
    /// transaction of the host.
    #[error(
        "the snapshot has ended: its connection sees commit {found} by now, not {taken_at}; take a new one, or read within a transaction"
    )]
    #[non_exhaustive]
    SnapshotEnded {
        /// The last commit when it was first read from.
        taken_at: CommitId,
        /// The last commit that its connection sees now.
        found: CommitId,
    },

    /// A number space of the store is used up.
    #[error("the store can hold no more {what}: all {limit} ids are used; start a new store")]
    #[non_exhaustive]
    Exhausted {
        /// What is used up.
        what: &'static str,
        /// How many there can be.
        limit: u64,
    },

    /// The store was opened for reading only, or its file cannot be written.
    #[error("the store is read-only; open it for writing, and see that its file and folder can be written")]
    ReadOnly,

    /// Another connection held the store for longer than this one would wait.
    ///
    /// The holder may be the caller. A `SqliteStore` has connections of its own, so a write to it waits for any write transaction
    /// that the host has open on the same file, also one on the same thread, and then returns this error. In such a transaction,
    /// use `HostTables::on` on the connection of the host instead.
    ///
    /// [`Attributes::purge`](crate::Attributes::purge) also returns it while an older snapshot is held.
    #[error("the store was busy for {waited:?}: {reason}")]
    #[non_exhaustive]
    Busy {
        /// How long was waited.
        waited: Duration,
        /// What holds the store, and what to do about it.
        reason: &'static str,
    },

    /// The caller ended long work before it was done.
    #[error("it was stopped before it was done")]
    Stopped,

    /// The place cannot be opened as a store.
    #[error("cannot open {place}: {reason}")]
    #[non_exhaustive]
    Open {
        /// The file, as given.
        place: String,
        /// Why not, and what to do about it.
        reason: String,
        /// The backend's own error, if there was one.
        source: Option<Box<dyn StdError + Send + Sync>>,
    },

    /// What the store holds cannot be right.
    #[error("the store is damaged: {what}; restore it from a backup, or copy what can still be read into a new store")]
    #[non_exhaustive]
    Corrupt {
        /// What was found, and where.
        what: String,
        /// The backend's own error, if there was one.
        source: Option<Box<dyn StdError + Send + Sync>>,
    },

    /// An export cannot be read. What stands before the line may have been taken in.
    #[error("line {line} of the export {reason}")]
    #[non_exhaustive]
    Unreadable {
        /// The line, from 1 on.
        line: u64,
        /// What is the matter with it.
        reason: String,
    },

    /// What was to become a copy holds something else.
    #[error("the store to copy to holds something else: {reason}")]
    #[non_exhaustive]
    NotACopy {
        /// What was found.
        reason: String,
    },

    /// A copy was made, and does not hold what the source holds.
    #[error("the copy is not like its source: its digest is {found}, not {expected}; copy again into an empty store")]
    #[non_exhaustive]
    Differs {
        /// The digest of the source.
        expected: String,
        /// That of the copy.
        found: String,
    },

    /// The last step of a commit failed: the batch may be kept whole or not at all. Read before trying again.
    #[error(
        "the storage failed while it committed: the batch is kept whole or not at all, and which is unknown; reopen the store and read before trying again"
    )]
    #[non_exhaustive]
    CommitOutcomeUnknown {
        /// The backend's own error.
        source: Box<dyn StdError + Send + Sync>,
    },

    /// The disk is full, or the file may not become longer. Nothing was changed.
    #[error(
        "the disk is full, or the file may not become longer: it failed while {doing}, and nothing was changed; make room and try again"
    )]
    #[non_exhaustive]
    DiskFull {
        /// What was being done.
        doing: &'static str,
        /// The backend's own error.
        source: Box<dyn StdError + Send + Sync>,
    },

    /// The file of the store was deleted, moved away or replaced while it was open. The call changed nothing.
    ///
    /// `SqliteStore::backup` still copies what the store has open, until the store is closed.
    #[error("the call changed nothing, as {place} is not the file that the store has open: {reason}")]
    #[non_exhaustive]
    FileReplaced {
        /// The file, as it was opened.
        place: String,
        /// Which file it is about, what became of it, and what to do.
        reason: String,
    },

    /// The storage failed in a way of its own.
    #[error("the storage failed while {doing}")]
    #[non_exhaustive]
    Backend {
        /// What was being done.
        doing: &'static str,
        /// The backend's own error.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// An [`Error::NotFound`] with names that resemble what was asked for.
    pub fn not_found(what: impl Into<String>, near: Vec<String>) -> Self {
        Self::NotFound { what: what.into(), near }
    }

    /// An [`Error::Backend`], for authors of backends.
    pub fn backend(doing: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Backend { doing, source: source.into() }
    }

    /// An [`Error::CommitOutcomeUnknown`], for authors of backends.
    pub fn commit_outcome_unknown(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::CommitOutcomeUnknown { source: source.into() }
    }

    /// An [`Error::Corrupt`], for authors of backends.
    pub fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into(), source: None }
    }

    /// Whether something asked for does not exist: an attribute, a value, a definition.
    pub fn is_not_found(&self) -> bool {
        self.code() == 40404
    }

    /// Whether history does not reach back to what was asked of the past.
    pub fn is_forgotten(&self) -> bool {
        self.code() == 41000
    }

    /// Whether a name or a unique value is taken.
    pub fn is_duplicate(&self) -> bool {
        self.code() == 40002
    }

    /// Whether what was checked against had moved: read again, decide again, try again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }

    /// Whether the input is at fault, and the same call would fail again.
    pub fn is_invalid(&self) -> bool {
        matches!(self, Self::Invalid(_))
    }

    /// Whether the same call may well succeed if it is made again.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Conflict(_) | Self::Busy { .. } | Self::SnapshotEnded { .. })
    }

    /// The violations, if the input was at fault.
    pub fn violations(&self) -> &[Violation] {
        match self {
            Self::Invalid(violations) => violations.as_slice(),
            _ => &[],
        }
    }

    /// A number that stays the same for a kind of error over all versions.
    ///
    /// | code | meaning |
    /// | --- | --- |
    /// | 40000 | invalid input |
    /// | 40002 | duplicate name or unique value |
    /// | 40404 | does not exist |
    /// | 40900 | conflict |
    /// | 40901 | a definition is in use |
    /// | 40902 | a snapshot has ended |
    /// | 40903 | the store to copy to holds something else |
    /// | 41000 | in history no longer |
    /// | 42200 | an export cannot be read |
    /// | 40300 | read-only |
    /// | 49900 | stopped by the caller |
    /// | 50000 | the storage failed |
    /// | 50001 | cannot be opened |
    /// | 50002 | damaged |
    /// | 50003 | outcome of a commit unknown |
    /// | 50004 | a copy is not like its source |
    /// | 50005 | the file was deleted or replaced while it was open |
    /// | 50300 | busy |
    /// | 50700 | ids used up |
    /// | 50701 | the disk is full |
    ///
    /// Where several violations are reported, it is their code if they share one, and 40000 if not.
    pub fn code(&self) -> u32 {
        match self {
            Self::Invalid(violations) => violations.code(),
            Self::NotFound { .. } => 40404,
            Self::Forgotten { .. } => 41000,
            Self::Conflict(_) => 40900,
            Self::SnapshotEnded { .. } => 40902,
            Self::Exhausted { .. } => 50700,
            Self::ReadOnly => 40300,
            Self::Busy { .. } => 50300,
            Self::Stopped => 49900,
            Self::Open { .. } => 50001,
            Self::Corrupt { .. } => 50002,
            Self::CommitOutcomeUnknown { .. } => 50003,
            Self::Unreadable { .. } => 42200,
            Self::NotACopy { .. } => 40903,
            Self::Differs { .. } => 50004,
            Self::FileReplaced { .. } => 50005,
            Self::DiskFull { .. } => 50701,
            Self::Backend { .. } => 50000,
        }
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::Invalid(Violations::from(violation))
    }
}

/// One thing that moved under a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The entity, or none for the catalog of definitions.
    pub entity: Option<EntityKey>,
    /// The revision that was expected.
    pub expected: Revision,
    /// The revision that was found.
    pub found: Revision,
}

fn describe(moved: &[Moved]) -> String {
    let one = |Moved { entity, expected, found }: &Moved| {
        let what = entity.as_ref().map_or_else(|| "the catalog".to_owned(), EntityKey::to_string);
        format!("{what} is at revision {found}, not {expected}")
    };
    let all: Vec<String> = moved.iter().map(one).collect();
    all.join(", ") + "; read again, decide again, try again"
}

struct Near<'a>(&'a [String]);

impl fmt::Display for Near<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, name) in self.0.iter().enumerate() {
            write!(f, "{}`{name}`", if n == 0 { "; did you mean " } else { " or " })?;
        }
        if self.0.is_empty() { Ok(()) } else { f.write_str("?") }
    }
}
