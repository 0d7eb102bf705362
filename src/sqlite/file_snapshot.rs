//! What a snapshot of a file reads.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::error::Result;
use crate::model::{Catalog, CommitId, DefinitionId, EntityKey, EntityRecord, EntityType, Ordinal, Value};
use crate::sqlite::connections::Reader;
use crate::sqlite::failure::second_look;
use crate::sqlite::tables::Tables;
use crate::store::{
    BoundQuery, Commit, Explanation, Fault, Found, FoundKeys, Marks, OnProgress, Past, PastDefinition, Snapshot, Touched, Wanted,
};

/// The tables within a transaction of a reader. What seems damaged is read once more: see [`second_look`].
pub(super) struct FileSnapshot<'a>(pub(super) Tables<Reader<'a>>);

impl Snapshot for FileSnapshot<'_> {
    fn catalog(&self) -> Result<Arc<Catalog>> {
        self.0.catalog()
    }

    fn marks(&self) -> Result<Marks> {
        second_look(|| self.0.marks())
    }

    fn read(&self, entities: &[EntityKey]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        second_look(|| self.0.read(entities))
    }

    fn written(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        second_look(|| self.0.written(entity_type, after, limit))
    }

    fn commits(&self, ids: &[CommitId]) -> Result<Vec<Option<Commit>>> {
        second_look(|| self.0.commits(ids))
    }

    fn touched(&self, commits: &[CommitId]) -> Result<Vec<Touched>> {
        second_look(|| self.0.touched(commits))
    }

    fn history(&self, entities: &[EntityKey]) -> Result<Vec<Vec<Past>>> {
        second_look(|| self.0.history(entities))
    }

    fn past_definitions(&self, definitions: Option<&[DefinitionId]>) -> Result<Vec<PastDefinition>> {
        second_look(|| self.0.past_definitions(definitions))
    }

    fn commit_at(&self, at: crate::Instant) -> Result<CommitId> {
        second_look(|| self.0.commit_at(at))
    }

    fn horizons(&self) -> Result<BTreeMap<DefinitionId, CommitId>> {
        second_look(|| self.0.horizons())
    }

    fn histories(&self, after: Option<Ordinal>, limit: usize) -> Result<Vec<(Ordinal, Vec<Past>)>> {
        second_look(|| self.0.histories(after, limit))
    }

    fn scan(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        second_look(|| self.0.scan(entity_type, after, limit))
    }

    fn locate(&self, ordinals: &[Ordinal]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        second_look(|| self.0.locate(ordinals))
    }

    fn holders(&self, values: &[(DefinitionId, &Value)]) -> Result<Vec<Option<Ordinal>>> {
        second_look(|| self.0.holders(values))
    }

    fn usage(&self, definition: DefinitionId) -> Result<u64> {
        second_look(|| self.0.usage(definition))
    }

    fn count(&self, entity_type: &EntityType) -> Result<u64> {
        second_look(|| self.0.count(entity_type))
    }

    fn find(&self, query: &BoundQuery) -> Result<Found> {
        second_look(|| self.0.find(query))
    }

    fn find_keys(&self, query: &BoundQuery) -> Result<FoundKeys> {
        second_look(|| self.0.find_keys(query))
    }

    fn count_wanted(&self, wanted: &Wanted) -> Result<u64> {
        second_look(|| self.0.count_wanted(wanted))
    }

    fn tally(&self, wanted: &Wanted, definition: DefinitionId) -> Result<Vec<(Value, u64)>> {
        second_look(|| self.0.tally(wanted, definition))
    }

    fn explain(&self, query: &BoundQuery) -> Result<Explanation> {
        second_look(|| self.0.explain(query))
    }

    fn verify_index(&self, report: &mut dyn FnMut(Fault) -> ControlFlow<()>, progress: &mut OnProgress<'_>) -> Result<()> {
        // Faults that were reported would be so twice.
        self.0.verify_index(report, progress)
    }
}
