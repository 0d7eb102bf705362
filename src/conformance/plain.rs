//! A snapshot without shortcuts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Result;
use crate::model::{Catalog, CommitId, DefinitionId, EntityKey, EntityRecord, EntityType, Ordinal};
use crate::store::{Commit, Marks, Past, PastDefinition, Snapshot, Touched};

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

    fn history(&self, entities: &[EntityKey]) -> Result<Vec<Vec<Past>>> {
        self.0.history(entities)
    }

    fn past_definitions(&self, definitions: Option<&[DefinitionId]>) -> Result<Vec<PastDefinition>> {
        self.0.past_definitions(definitions)
    }

    fn touched(&self, commits: &[CommitId]) -> Result<Vec<Touched>> {
        self.0.touched(commits)
    }

    fn horizons(&self) -> Result<BTreeMap<DefinitionId, CommitId>> {
        self.0.horizons()
    }
}
