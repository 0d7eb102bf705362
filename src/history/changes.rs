//! What commits changed, in their order.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::history::{Definitions, state_at};
use crate::model::{CommitId, Definition, EntityKey, EntityRecord, Ordinal, Value, ValueId};
use crate::store::{Commit, Snapshot, commit_with_id, written_at};

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

/// A page of changes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChangePage {
    /// The changes, commit by commit; in a commit the definitions first, then the entities by ordinal.
    pub changes: Vec<Changed>,
    /// Where to go on.
    pub position: Position,
    /// Whether there are more already.
    pub has_more: bool,
}

/// One change.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Changed {
    /// A definition was made, changed or deleted.
    Definition(DefinitionChange),
    /// Values of an entity were set, replaced or cleared.
    Entity(EntityChange),
}

/// What a commit did to a definition.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DefinitionChange {
    /// The commit.
    pub commit: Commit,
    /// As it was; none if it was not there.
    pub before: Option<Arc<Definition>>,
    /// As it is after the commit; none if it is no longer there.
    pub after: Option<Arc<Definition>>,
}

/// What a commit did to an entity.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct EntityChange {
    /// The commit.
    pub commit: Commit,
    /// The entity.
    #[serde(flatten)]
    pub entity: EntityKey,
    /// Its values that changed, in the order of their definitions.
    pub values: Vec<ValueChange>,
}

/// What became of a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ValueChange {
    /// The id of the value.
    pub id: ValueId,
    /// The name that the attribute had then.
    pub attribute: String,
    /// As it was; none if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// As it became; none if it was cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// The changes behind a position, at most so many of entities.
pub(crate) fn changes_since(snapshot: &dyn Snapshot, position: Position, limit: usize) -> Result<ChangePage> {
    let last = snapshot.marks()?.commit;
    // Before the first commit there is nothing to be in the middle of.
    let position = if position.commit == CommitId::default() { Position::from(position.commit) } else { position };
    let mut page = ChangePage { changes: Vec::new(), position, has_more: position < Position::from(last) };
    if !page.has_more || limit == 0 {
        return Ok(page);
    }
    let definitions = Definitions::load(snapshot)?;
    let mut left = limit;
    for id in (position.commit.get().max(1)..=last.get()).map(CommitId::new) {
        let is_begun = id == position.commit;
        if is_begun && position.ordinal == Ordinal::MAX {
            continue;
        }
        let missing = || Error::corrupt(format!("commit {id} is missing"));
        let commit = commit_with_id(snapshot, id)?.ok_or_else(missing)?;
        if !is_begun {
            page.changes.extend(definitions.changed_by(&commit).into_iter().map(Changed::Definition));
            page.position = Position { commit: id, ordinal: Ordinal::default() };
        }
        let after = if is_begun { position.ordinal } else { Ordinal::default() };
        for ordinal in snapshot.touched(id)?.into_iter().filter(|ordinal| *ordinal > after) {
            if left == 0 {
                return Ok(page);
            }
            page.changes.push(Changed::Entity(change_of(snapshot, &definitions, &commit, ordinal)?));
            page.position.ordinal = ordinal;
            left -= 1;
        }
        page.position = Position::from(id);
        if left == 0 {
            break;
        }
    }
    page.has_more = page.position < Position::from(last);
    Ok(page)
}

fn change_of(snapshot: &dyn Snapshot, definitions: &Definitions, commit: &Commit, ordinal: Ordinal) -> Result<EntityChange> {
    let missing =
        || Error::corrupt(format!("the entity with the ordinal {ordinal}, which commit {} changed, is missing", commit.id));
    let now = written_at(snapshot, ordinal)?.ok_or_else(missing)?;
    let values = changes_between(snapshot, definitions, &now, CommitId::new(commit.id.get() - 1), commit.id)?;
    Ok(EntityChange { commit: commit.clone(), entity: now.key().clone(), values })
}

/// How an entity differs between two commits.
pub(crate) fn changes_between(
    snapshot: &dyn Snapshot,
    definitions: &Definitions,
    now: &EntityRecord,
    first: CommitId,
    second: CommitId,
) -> Result<Vec<ValueChange>> {
    let past = snapshot.history(now.key())?;
    let (before, after) = (state_at(now, &past, first)?, state_at(now, &past, second)?);
    let mut changes = Vec::new();
    for id in before.definitions_with(&after).into_iter().filter(|id| before.get(*id) != after.get(*id)) {
        let named = definitions.at(id, second).or_else(|| definitions.at(id, first)).or_else(|| definitions.last(id));
        let named = named.ok_or_else(|| Error::corrupt(format!("definition {id}, which {} held, is missing", now.key())))?;
        let (before, after) = (before.value(id).cloned(), after.value(id).cloned());
        changes.push(ValueChange { id: now.value_id(id), attribute: named.name().to_string(), before, after });
    }
    Ok(changes)
}
