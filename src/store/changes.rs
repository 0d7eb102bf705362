//! What a plan would have stored: plain data for a backend to write down.

use std::sync::Arc;

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::model::{Catalog, CommitId, Definition, DefinitionId, Diff, EntityRecord, Held};

/// One atomic batch, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Its instant.
    pub at: Instant,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Arc<str>>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Arc<str>>,
}

/// A value that was replaced or cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The value as it stood.
    pub held: Held,
    /// The commit that replaced or cleared it.
    pub ended: CommitId,
}

/// A definition that was changed or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastDefinition {
    /// The definition as it stood.
    pub definition: Arc<Definition>,
    /// The commit that changed or deleted it.
    pub ended: CommitId,
}

/// All that one commit changes. A backend writes it down whole or not at all.
#[derive(Debug)]
#[non_exhaustive]
pub struct Changes {
    /// The commit, whose id is the one after the last.
    pub commit: Commit,
    /// The definitions, if any of them is touched.
    pub catalog: Option<CatalogChange>,
    /// The records that change, each once.
    pub records: Vec<RecordChange>,
}

impl Changes {
    /// The ordinals of the records that change.
    pub(crate) fn touched(&self) -> RoaringBitmap {
        self.records.iter().map(|change| change.after.ordinal().get()).collect()
    }
}

/// What changes in the catalog.
#[derive(Debug)]
#[non_exhaustive]
pub struct CatalogChange {
    /// As it was.
    pub before: Arc<Catalog>,
    /// As it will be. Its definitions carry their new stamps.
    pub after: Arc<Catalog>,
    /// The definitions that are added, changed or deleted. Those that `before` has go to history.
    pub touched: Vec<DefinitionId>,
}

/// What changes in one record.
#[derive(Debug)]
#[non_exhaustive]
pub struct RecordChange {
    /// As it was; none if the entity was never written.
    pub before: Option<Arc<EntityRecord>>,
    /// As it will be.
    pub after: Arc<EntityRecord>,
    /// The difference.
    pub diff: Diff,
}

impl RecordChange {
    /// The values that are replaced or cleared, as they stood: what goes to history.
    pub fn ended(&self) -> impl Iterator<Item = &Held> {
        let before = self.before.as_deref();
        self.diff.ended.iter().filter_map(move |definition| before?.get(*definition))
    }

    /// The values that are new or different.
    pub fn begun(&self) -> impl Iterator<Item = &Held> {
        self.diff.begun.iter().filter_map(|definition| self.after.get(*definition))
    }
}
