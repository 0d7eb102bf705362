//! A memory store at one point in time.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::clock::Instant;
use crate::error::Result;
use crate::index::{self, Holders, Key, Keys, NO_DEFINITION, Place, Postings, Visit};
use crate::memory::{Shared, State};
use crate::model::{Catalog, CommitId, DefinitionId, EntityKey, EntityRecord, EntityType, Ordinal, Value};
use crate::store::{
    BoundQuery, Commit, Direction, Explanation, Fault, Found, FoundKeys, Marks, OnProgress, Past, PastDefinition, Snapshot,
    Touched, Wanted,
};

pub(super) struct MemorySnapshot<'a> {
    shared: &'a Shared,
    state: State,
}

impl<'a> MemorySnapshot<'a> {
    pub(super) const fn new(shared: &'a Shared, state: State) -> Self {
        Self { shared, state }
    }

    fn records_after(&self, after: Option<Ordinal>) -> impl Iterator<Item = &Arc<EntityRecord>> {
        self.state.records.after(after.unwrap_or_default())
    }

    fn is_past(&self, ended: CommitId) -> bool {
        ended <= self.state.marks.commit
    }
}

impl Snapshot for MemorySnapshot<'_> {
    fn catalog(&self) -> Result<Arc<Catalog>> {
        Ok(Arc::clone(&self.state.catalog))
    }

    fn marks(&self) -> Result<Marks> {
        Ok(self.state.marks)
    }

    fn read(&self, entities: &[EntityKey]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        let present = self.shared.present();
        let read = |key| self.state.records.get(present.ordinals.get(key)?).cloned();
        Ok(entities.iter().map(read).collect())
    }

    fn written(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        let wanted = |record: &&Arc<EntityRecord>| entity_type.is_none_or(|wanted| wanted == record.key().entity_type());
        Ok(self.records_after(after).filter(wanted).take(limit).cloned().collect())
    }

    fn scan(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        let wanted = |record: &&Arc<EntityRecord>| {
            !record.is_empty() && entity_type.is_none_or(|wanted| wanted == record.key().entity_type())
        };
        Ok(self.records_after(after).filter(wanted).take(limit).cloned().collect())
    }

    fn commits(&self, ids: &[CommitId]) -> Result<Vec<Option<Commit>>> {
        let logs = self.state.logs();
        let one = |id: &CommitId| {
            let index = usize::try_from(id.get().checked_sub(1)?).ok()?;
            logs.commits.get(index).filter(|commit| self.is_past(commit.id)).cloned()
        };
        Ok(ids.iter().map(one).collect())
    }

    fn touched(&self, commits: &[CommitId]) -> Result<Vec<Touched>> {
        let logs = self.state.logs();
        let one = |id: &CommitId| {
            let index = usize::try_from(id.get().checked_sub(1)?).ok()?;
            logs.touched.get(index).filter(|_| self.is_past(*id)).cloned()
        };
        Ok(commits.iter().map(|id| one(id).unwrap_or_default()).collect())
    }

    fn history(&self, entities: &[EntityKey]) -> Result<Vec<Vec<Past>>> {
        let present = self.shared.present();
        let ordinals: Vec<_> = entities.iter().map(|entity| present.ordinals.get(entity)).collect();
        drop(present);
        let logs = self.state.logs();
        let one = |ordinal: Option<Ordinal>| {
            let past = ordinal.and_then(|ordinal| logs.past.get(&ordinal));
            let mut past: Vec<_> = past.into_iter().flatten().filter(|past| self.is_past(past.ended)).cloned().collect();
            past.sort_by_key(|past| (past.ended, past.held.definition));
            past
        };
        Ok(ordinals.into_iter().map(one).collect())
    }

    fn past_definitions(&self, definitions: Option<&[DefinitionId]>) -> Result<Vec<PastDefinition>> {
        let logs = self.state.logs();
        let is_past = |past: &&PastDefinition| self.is_past(past.ended);
        let Some(definitions) = definitions else {
            return Ok(logs.past_definitions.values().flatten().filter(is_past).cloned().collect());
        };
        let named: BTreeSet<&DefinitionId> = definitions.iter().collect();
        let past = named.into_iter().filter_map(|id| logs.past_definitions.get(id)).flatten();
        Ok(past.filter(is_past).cloned().collect())
    }

    fn commit_at(&self, at: Instant) -> Result<CommitId> {
        let logs = self.state.logs();
        let commits =
            usize::try_from(self.state.marks.commit.get()).map_or(logs.latest.len(), |last| last.min(logs.latest.len()));
        let later = logs.latest[..commits].partition_point(|latest| *latest <= at);
        Ok(CommitId::new(later as u64))
    }

    fn horizons(&self) -> Result<BTreeMap<DefinitionId, CommitId>> {
        Ok(BTreeMap::clone(&self.state.horizons))
    }

    fn locate(&self, ordinals: &[Ordinal]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        Ok(ordinals.iter().map(|ordinal| self.state.records.get(*ordinal).cloned()).collect())
    }

    fn holders(&self, values: &[(DefinitionId, &Value)]) -> Result<Vec<Option<Ordinal>>> {
        values.iter().map(|(definition, value)| index::holder(self, *definition, value)).collect()
    }

    fn usage(&self, definition: DefinitionId) -> Result<u64> {
        index::usage(self, definition)
    }

    fn count(&self, entity_type: &EntityType) -> Result<u64> {
        self.total(NO_DEFINITION, &Key::of_type(entity_type).only())
    }

    fn find(&self, query: &BoundQuery) -> Result<Found> {
        index::find(self, query)
    }

    fn find_keys(&self, query: &BoundQuery) -> Result<FoundKeys> {
        index::find_keys(self, query)
    }

    fn count_wanted(&self, wanted: &Wanted) -> Result<u64> {
        index::count(self, wanted)
    }

    fn tally(&self, wanted: &Wanted, definition: DefinitionId) -> Result<Vec<(Value, u64)>> {
        index::tally(self, wanted, definition)
    }

    fn explain(&self, query: &BoundQuery) -> Result<Explanation> {
        index::explain(self, query)
    }

    fn verify_index(&self, report: &mut dyn FnMut(Fault) -> ControlFlow<()>, progress: &mut OnProgress<'_>) -> Result<()> {
        index::verify(self, report, progress)
    }
}

impl Postings for MemorySnapshot<'_> {
    fn at(&self, place: &Place) -> Result<Option<Holders>> {
        Ok(self.state.postings.at(place).cloned())
    }

    fn sizes(&self, definition: DefinitionId, keys: &Keys, visit: &mut dyn FnMut(&[u8], u64) -> ControlFlow<()>) -> Result<()> {
        self.state.postings.sizes(definition, keys, visit);
        Ok(())
    }

    fn walk(&self, definition: DefinitionId, keys: &Keys, direction: Direction, visit: &mut Visit<'_>) -> Result<()> {
        self.state.postings.walk(definition, keys, direction, visit)
    }

    fn places(&self, visit: &mut dyn FnMut(Place) -> Result<ControlFlow<()>>) -> Result<()> {
        self.state.postings.places(visit)
    }

    fn last_record(&self) -> Result<Ordinal> {
        Ok(self.state.records.last())
    }

    fn keys(&self, ordinals: &[Ordinal]) -> Result<Vec<EntityKey>> {
        let key = |ordinal: &Ordinal| self.state.records.get(*ordinal).map(|record| record.key().clone());
        ordinals.iter().map(key).collect::<Option<_>>().ok_or_else(index::lost)
    }

    fn values(&self, definition: DefinitionId, ordinals: &[Ordinal]) -> Result<Vec<Option<Value>>> {
        let value = |ordinal: &Ordinal| self.state.records.get(*ordinal)?.value(definition).cloned();
        Ok(ordinals.iter().map(value).collect())
    }
}
