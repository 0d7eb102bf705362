//! What a lent connection sees. Nothing stays open between two calls: a transaction of ours that the host does not know of would
//! take up what it writes meanwhile.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::model::{Catalog, CommitId, DefinitionId, EntityKey, EntityRecord, EntityType, Ordinal, Value};
use crate::sqlite::failure::{failed, second_look_if};
use crate::sqlite::lent::LentStore;
use crate::sqlite::step::Step;
use crate::sqlite::tables::{Known, Tables};
use crate::store::{
    BoundQuery, Commit, Explanation, Fault, Found, FoundKeys, Marks, OnProgress, Past, PastDefinition, Snapshot, Touched, Wanted,
};

/// Stands still as long as the connection sees the same commits; behind that it has ended, which it says.
pub(super) struct LentSnapshot<'a> {
    store: &'a LentStore<'a>,
    known: Arc<Known>,
    /// The last commit when it was made, and then when it was first read from.
    taken_at: Cell<CommitId>,
    is_read: Cell<bool>,
}

impl<'a> LentSnapshot<'a> {
    pub(super) const fn new(store: &'a LentStore<'a>, known: Arc<Known>, last: CommitId) -> Self {
        Self { store, known, taken_at: Cell::new(last), is_read: Cell::new(false) }
    }

    /// Each call is of one instant, and of the same as the one before.
    fn read_from<T>(&self, mut read: impl FnMut(&Tables<&'a Connection>) -> Result<T>) -> Result<T> {
        self.store.call(|host| {
            let _instant = Step::reading(self.store.connection()).map_err(failed("beginning to read"))?;
            let (known, found) = self.store.now()?;
            let taken_at = self.taken_at.get();
            if !known.is_like(&self.known) || (self.is_read.get() && taken_at != found) {
                return Err(Error::SnapshotEnded { taken_at, found });
            }
            self.taken_at.set(found);
            self.is_read.set(true);
            let tables = self.store.tables(known);
            second_look_if(|| !host.is_undone(), || read(&tables))
        })
    }
}

impl Snapshot for LentSnapshot<'_> {
    fn catalog(&self) -> Result<Arc<Catalog>> {
        Ok(Arc::clone(&self.known.catalog))
    }

    fn marks(&self) -> Result<Marks> {
        self.read_from(Snapshot::marks)
    }

    fn read(&self, entities: &[EntityKey]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        self.read_from(|tables| tables.read(entities))
    }

    fn written(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        self.read_from(|tables| tables.written(entity_type, after, limit))
    }

    fn commits(&self, ids: &[CommitId]) -> Result<Vec<Option<Commit>>> {
        self.read_from(|tables| tables.commits(ids))
    }

    fn touched(&self, commits: &[CommitId]) -> Result<Vec<Touched>> {
        self.read_from(|tables| tables.touched(commits))
    }

    fn history(&self, entities: &[EntityKey]) -> Result<Vec<Vec<Past>>> {
        self.read_from(|tables| tables.history(entities))
    }

    fn past_definitions(&self, definitions: Option<&[DefinitionId]>) -> Result<Vec<PastDefinition>> {
        self.read_from(|tables| tables.past_definitions(definitions))
    }

    fn commit_at(&self, at: crate::Instant) -> Result<CommitId> {
        self.read_from(|tables| tables.commit_at(at))
    }

    fn horizons(&self) -> Result<BTreeMap<DefinitionId, CommitId>> {
        self.read_from(Snapshot::horizons)
    }

    fn histories(&self, after: Option<Ordinal>, limit: usize) -> Result<Vec<(Ordinal, Vec<Past>)>> {
        self.read_from(|tables| tables.histories(after, limit))
    }

    fn scan(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        self.read_from(|tables| tables.scan(entity_type, after, limit))
    }

    fn locate(&self, ordinals: &[Ordinal]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        self.read_from(|tables| tables.locate(ordinals))
    }

    fn holders(&self, values: &[(DefinitionId, &Value)]) -> Result<Vec<Option<Ordinal>>> {
        self.read_from(|tables| tables.holders(values))
    }

    fn usage(&self, definition: DefinitionId) -> Result<u64> {
        self.read_from(|tables| tables.usage(definition))
    }

    fn count(&self, entity_type: &EntityType) -> Result<u64> {
        self.read_from(|tables| tables.count(entity_type))
    }

    fn find(&self, query: &BoundQuery) -> Result<Found> {
        self.read_from(|tables| tables.find(query))
    }

    fn find_keys(&self, query: &BoundQuery) -> Result<FoundKeys> {
        self.read_from(|tables| tables.find_keys(query))
    }

    fn count_wanted(&self, wanted: &Wanted) -> Result<u64> {
        self.read_from(|tables| tables.count_wanted(wanted))
    }

    fn tally(&self, wanted: &Wanted, definition: DefinitionId) -> Result<Vec<(Value, u64)>> {
        self.read_from(|tables| tables.tally(wanted, definition))
    }

    fn explain(&self, query: &BoundQuery) -> Result<Explanation> {
        self.read_from(|tables| tables.explain(query))
    }

    fn verify_index(&self, report: &mut dyn FnMut(Fault) -> ControlFlow<()>, progress: &mut OnProgress<'_>) -> Result<()> {
        self.read_from(|tables| tables.verify_index(report, progress))
    }
}
