//! A snapshot without shortcuts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Result;
use crate::model::{Catalog, CommitId, DefinitionId, EntityKey, EntityRecord, EntityType, Ordinal};
use crate::store::{Commit, Marks, Past, PastDefinition, Snapshot};

/// Forwards the required methods alone, so that the provided ones are those of the trait.
pub(super) struct Plain<'a>(pub(super) Box<dyn Snapshot + 'a>);

impl Snapshot for Plain<'_> {
    fn catalog(&self) -> Result<Arc<Catalog>> {
        self.0.catalog()
    }

    fn marks(&self) -> Result<Marks> {
        self.0.marks()
    }

    fn read(&self, entities: &[EntityKey]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        self.0.read(entities)
    }

    fn written(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        self.0.written(entity_type, after, limit)
    }

    fn commits(&self, ids: &[CommitId]) -> Result<Vec<Option<Commit>>> {
        self.0.commits(ids)
    }

    fn history(&self, entity: &EntityKey) -> Result<Vec<Past>> {
        self.0.history(entity)
    }

    fn past_definitions(&self, definition: DefinitionId) -> Result<Vec<PastDefinition>> {
        self.0.past_definitions(definition)
    }

    fn touched(&self, commit: CommitId) -> Result<Vec<Ordinal>> {
        self.0.touched(commit)
    }

    fn horizons(&self) -> Result<BTreeMap<DefinitionId, CommitId>> {
        self.0.horizons()
    }
}
