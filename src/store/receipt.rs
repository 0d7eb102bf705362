//! What a commit answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::model::{CommitId, Definition, DefinitionId, EntityKey, Outcome, Revision, ValueId};

/// What a batch did, change by change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// The commit; none if nothing changed, for then nothing was committed.
    pub commit: Option<CommitId>,
    /// The instant of the commit: see [`Commit::at`](crate::Commit::at). If nothing changed, the instant that it would have had.
    pub at: Instant,
    /// The revision of the catalog afterwards.
    pub catalog: Revision,
    /// What each change did, in the order of the batch.
    pub changes: Vec<Applied>,
    /// The revision of each entity that the batch names, in the order of their first naming.
    pub entities: Vec<EntityRevision>,
    /// The definitions that the batch made, changed or restored, as this commit left them, ordered by id. A definition that was to
    /// be changed and was as asked for already is among them; one that the same batch deleted is not. They are taken from the
    /// commit itself, so they are right also where another writer has changed them since.
    ///
    /// The serial form of a receipt names definitions by their ids only, and leaves this list out.
    #[serde(skip)]
    pub definitions: Vec<Arc<Definition>>,
    /// The values of which [`crate::BatchBuilder::erase`] erased anything, by their ids: those that were asked for, and those that
    /// they were merged, split or moved to and from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<ValueId>,
}

/// What one change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Applied {
    /// What it did. A whole entity that is saved counts as created if it held nothing before.
    pub outcome: Outcome,
    /// The definition, if the change was about one (for a move: where to).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<DefinitionId>,
    /// The id of the value, if the change was about one of an entity that was ever written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<ValueId>,
}

impl Applied {
    pub(crate) const fn new(outcome: Outcome, definition: Option<DefinitionId>) -> Self {
        Self { outcome, definition, value: None }
    }
}

/// An entity and its revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityRevision {
    /// The entity.
    pub entity: EntityKey,
    /// Its revision; 0 if it was never written.
    pub revision: Revision,
}

impl Receipt {
    /// How many changes were committed.
    pub(crate) fn changed(&self) -> u64 {
        self.commit.map_or(0, |_| self.changes.len() as u64)
    }

    /// The definition with this id as the commit left it, if the batch made, changed or restored it: see
    /// [`Receipt::definitions`].
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let receipt = attributes.batch().define("customer", DefinitionSpec::string("tier")).commit()?;
    /// let id = receipt.changes[0].definition.expect("the change is about a definition");
    /// assert_eq!(receipt.definition(id).map(|definition| definition.name().as_str()), Some("tier"));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn definition(&self, id: DefinitionId) -> Option<&Arc<Definition>> {
        let index = self.definitions.binary_search_by_key(&id, |definition| definition.id()).ok()?;
        self.definitions.get(index)
    }

    /// The revision of this entity, if the batch names it.
    pub fn revision(&self, entity: &EntityKey) -> Option<Revision> {
        self.entities.iter().find(|one| one.entity == *entity).map(|one| one.revision)
    }
}
