//! A memory store at one point in time.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::error::Result;
use crate::index::{self, Holders, Key, Keys, NO_DEFINITION, Place, Postings, Visit};
use crate::memory::{Shared, State};
use crate::model::{Catalog, CommitId, DefinitionId, EntityKey, EntityRecord, EntityType, Ordinal, Value};
use crate::store::{
    BoundQuery, Commit, Direction, Explanation, Fault, Found, FoundKeys, Marks, OnProgress, Past, PastDefinition, Snapshot,
    Wanted,
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
        let first = after.map_or(1, |after| after.get().saturating_add(1));
        (first..=self.state.marks.ordinal.get()).filter_map(|ordinal| self.state.records.get(Ordinal::new(ordinal)))
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

    fn touched(&self, commit: CommitId) -> Result<Vec<Ordinal>> {
        let logs = self.state.logs();
        let index = commit.get().checked_sub(1).and_then(|index| usize::try_from(index).ok());
        let touched = index.filter(|_| self.is_past(commit)).and_then(|index| logs.touched.get(index));
        Ok(touched.into_iter().flatten().map(Ordinal::new).collect())
    }

    fn history(&self, entity: &EntityKey) -> Result<Vec<Past>> {
        let ordinal = self.shared.present().ordinals.get(entity);
        let logs = self.state.logs();
        let past = ordinal.and_then(|ordinal| logs.past.get(&ordinal));
        let mut past: Vec<_> = past.into_iter().flatten().filter(|past| self.is_past(past.ended)).cloned().collect();
        past.sort_by_key(|past| (past.ended, past.held.definition));
        Ok(past)
    }

    fn past_definitions(&self, definition: DefinitionId) -> Result<Vec<PastDefinition>> {
        let logs = self.state.logs();
        let past = logs.past_definitions.get(&definition).into_iter().flatten();
        Ok(past.filter(|past| self.is_past(past.ended)).cloned().collect())
    }

    fn horizons(&self) -> Result<BTreeMap<DefinitionId, CommitId>> {
        Ok(BTreeMap::clone(&self.state.horizons))
    }

    fn locate(&self, ordinals: &[Ordinal]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        let one = |ordinal: &Ordinal| self.state.records.get(*ordinal).filter(|record| !record.is_empty()).cloned();
        Ok(ordinals.iter().map(one).collect())
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

    fn keys(&self, ordinals: &[Ordinal]) -> Result<Vec<EntityKey>> {
        let key = |ordinal: &Ordinal| self.state.records.get(*ordinal).map(|record| record.key().clone());
        Ok(ordinals.iter().filter_map(key).collect())
    }

    fn values(&self, definition: DefinitionId, ordinals: &[Ordinal]) -> Result<Vec<Option<Value>>> {
        let value = |ordinal: &Ordinal| self.state.records.get(*ordinal)?.value(definition).cloned();
        Ok(ordinals.iter().map(value).collect())
    }
}
