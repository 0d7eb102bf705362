//! What a snapshot of a file reads.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::{Catalog, CommitId, DefinitionId, EntityKey, EntityRecord, EntityType, Ordinal, Value};
use crate::sqlite::connections::Reader;
use crate::sqlite::failure::second_look_if;
use crate::sqlite::tables::Tables;
use crate::store::{
    BoundQuery, Commit, Explanation, Fault, Found, FoundKeys, Marks, OnProgress, Past, PastDefinition, Snapshot, Touched, Wanted,
};

/// The tables within a transaction of a reader. What seems damaged is read once more: see [`second_look_if`].
pub(super) struct FileSnapshot<'a>(pub(super) Tables<Reader<'a>>);

impl<'a> FileSnapshot<'a> {
    fn look<T>(&self, mut read: impl FnMut(&Tables<Reader<'a>>) -> Result<T>) -> Result<T> {
        let connection = &self.0.connection;
        // After some failures SQLite ends the transaction by itself. What is read then is of another instant.
        let is_open = || !connection.is_autocommit();
        if !is_open() {
            return Err(Error::backend("reading a snapshot", "a failed read has ended the snapshot; take a new one"));
        }
        connection.explain(second_look_if(is_open, || read(&self.0)))
    }
}

impl Snapshot for FileSnapshot<'_> {
    fn catalog(&self) -> Result<Arc<Catalog>> {
        self.0.catalog()
    }

    fn marks(&self) -> Result<Marks> {
        self.look(Snapshot::marks)
    }

    fn read(&self, entities: &[EntityKey]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        self.look(|tables| tables.read(entities))
    }

    fn written(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        self.look(|tables| tables.written(entity_type, after, limit))
    }

    fn commits(&self, ids: &[CommitId]) -> Result<Vec<Option<Commit>>> {
        self.look(|tables| tables.commits(ids))
    }

    fn touched(&self, commits: &[CommitId]) -> Result<Vec<Touched>> {
        self.look(|tables| tables.touched(commits))
    }

    fn history(&self, entities: &[EntityKey]) -> Result<Vec<Vec<Past>>> {
        self.look(|tables| tables.history(entities))
    }

    fn past_definitions(&self, definitions: Option<&[DefinitionId]>) -> Result<Vec<PastDefinition>> {
        self.look(|tables| tables.past_definitions(definitions))
    }

    fn commit_at(&self, at: crate::Instant) -> Result<CommitId> {
        self.look(|tables| tables.commit_at(at))
    }

    fn horizons(&self) -> Result<BTreeMap<DefinitionId, CommitId>> {
        self.look(Snapshot::horizons)
    }

    fn histories(&self, after: Option<Ordinal>, limit: usize) -> Result<Vec<(Ordinal, Vec<Past>)>> {
        self.look(|tables| tables.histories(after, limit))
    }

    fn scan(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        self.look(|tables| tables.scan(entity_type, after, limit))
    }

    fn locate(&self, ordinals: &[Ordinal]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        self.look(|tables| tables.locate(ordinals))
    }

    fn holders(&self, values: &[(DefinitionId, &Value)]) -> Result<Vec<Option<Ordinal>>> {
        self.look(|tables| tables.holders(values))
    }

    fn usage(&self, definition: DefinitionId) -> Result<u64> {
        self.look(|tables| tables.usage(definition))
    }

    fn count(&self, entity_type: &EntityType) -> Result<u64> {
        self.look(|tables| tables.count(entity_type))
    }

    fn find(&self, query: &BoundQuery) -> Result<Found> {
        self.look(|tables| tables.find(query))
    }

    fn find_keys(&self, query: &BoundQuery) -> Result<FoundKeys> {
        self.look(|tables| tables.find_keys(query))
    }

    fn count_wanted(&self, wanted: &Wanted) -> Result<u64> {
        self.look(|tables| tables.count_wanted(wanted))
    }

    fn tally(&self, wanted: &Wanted, definition: DefinitionId) -> Result<Vec<(Value, u64)>> {
        self.look(|tables| tables.tally(wanted, definition))
    }

    fn explain(&self, query: &BoundQuery) -> Result<Explanation> {
        self.look(|tables| tables.explain(query))
    }

    fn verify_index(&self, report: &mut dyn FnMut(Fault) -> ControlFlow<()>, progress: &mut OnProgress<'_>) -> Result<()> {
        // Not looked at twice: faults that were reported would be so twice.
        self.0.connection.explain(self.0.verify_index(report, progress))
    }
}
