//! A place in the changes of a store.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::model::{CommitId, Ordinal};

/// How far a reader of changes has come: plain data, to be kept between two processes. The default is before all changes;
/// that of a commit is behind it. As a text it is the number of the commit, and behind a colon the ordinal of the entity if
/// it is in the middle of the commit.
///
/// ```
/// use custom_attributes::{CommitId, Position};
/// let behind = Position::from(CommitId::new(12));
/// assert_eq!((behind.to_string().as_str(), "12".parse()), ("12", Ok(behind)));
/// assert_eq!("12:40".parse::<Position>()?.to_string(), "12:40");
/// assert!("twelve".parse::<Position>().is_err());
/// # Ok::<(), custom_attributes::ParsePositionError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Position {
    /// The commit up to which all was read.
    pub commit: CommitId,
    /// And of that commit, the entities up to this one.
    pub ordinal: Ordinal,
}

impl From<CommitId> for Position {
    fn from(commit: CommitId) -> Self {
        Self { commit, ordinal: Ordinal::MAX }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.commit.get(), self.ordinal) {
            (0, _) | (_, Ordinal::MAX) => self.commit.fmt(f),
            (_, ordinal) => write!(f, "{}:{ordinal}", self.commit),
        }
    }
}

/// A text that is no [`Position`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a position is the number of a commit, or that and the ordinal of an entity, as in 12:40")]
pub struct ParsePositionError(());

impl FromStr for Position {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Self, ParsePositionError> {
        let (commit, ordinal) = text.split_once(':').map_or((text, None), |(commit, ordinal)| (commit, Some(ordinal)));
        let commit = commit.parse().map(CommitId::new).map_err(|_| ParsePositionError(()))?;
        let ordinal = ordinal.map(|ordinal| ordinal.parse().map(Ordinal::new)).transpose();
        let ordinal = ordinal.map_err(|_| ParsePositionError(()))?;
        Ok(match ordinal {
            Some(ordinal) => Self { commit, ordinal },
            None if commit == CommitId::default() => Self::default(),
            None => Self::from(commit),
        })
    }
}
