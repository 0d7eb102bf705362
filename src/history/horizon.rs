//! How far history reaches back.

use serde::Serialize;

use crate::error::Result;
use crate::history::Definitions;
use crate::model::{CommitId, DefinitionId, EntityType};
use crate::store::Snapshot;

/// An attribute of whose values history does not reach back to the first: some were pruned, or are not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Horizon {
    /// The type of the entities.
    pub entity_type: EntityType,
    /// The name that the attribute has now, or had last.
    pub attribute: String,
    /// Its definition.
    pub definition: DefinitionId,
    /// The commit from which on all that it held is known.
    pub until: CommitId,
}

/// Those that lie behind a commit, in the order of their definitions.
pub(crate) fn horizons(snapshot: &dyn Snapshot, behind: CommitId) -> Result<Vec<Horizon>> {
    let mut horizons = snapshot.horizons()?;
    horizons.retain(|_, until| *until > behind);
    let definitions = Definitions::load_these(snapshot, horizons.keys().copied())?;
    let one = |(id, until): (DefinitionId, CommitId)| {
        let last = definitions.last(id)?;
        let (entity_type, attribute) = (last.entity_type().clone(), last.name().to_string());
        Some(Horizon { entity_type, attribute, definition: id, until })
    };
    Ok(horizons.into_iter().filter_map(one).collect())
}
