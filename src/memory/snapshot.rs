//! A memory store at one point in time.

use std::sync::Arc;

use crate::error::Result;
use crate::memory::{Shared, State};
use crate::model::{Catalog, CommitId, DefinitionId, EntityKey, EntityRecord, EntityType, Ordinal, Value};
use crate::store::{Commit, Marks, Past, PastDefinition, Snapshot};

pub(super) struct MemorySnapshot<'a> {
    shared: &'a Shared,
    state: State,
}

impl<'a> MemorySnapshot<'a> {
    pub(super) const fn new(shared: &'a Shared, state: State) -> Self {
        Self { shared, state }
    }

    fn is_past(&self, ended: CommitId) -> bool {
        ended <= self.state.marks.commit
    }

    /// Looks through all records for the values' holders, as the shared index has moved on.
    fn scan_for_holder(&self, definition: DefinitionId, value: &Value) -> Option<Ordinal> {
        let all = (1..=self.state.marks.ordinal.get()).map(Ordinal::new);
        let holds = |ordinal: &Ordinal| self.holds(*ordinal, definition, value);
        all.into_iter().find(holds)
    }

    fn holds(&self, ordinal: Ordinal, definition: DefinitionId, value: &Value) -> bool {
        self.state.records.get(ordinal).and_then(|record| record.value(definition)) == Some(value)
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

    fn scan(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        let first = after.map_or(1, |after| after.get().saturating_add(1));
        let wanted = |record: &&Arc<EntityRecord>| {
            !record.is_empty() && entity_type.is_none_or(|wanted| wanted == record.key().entity_type())
        };
        let all = (first..=self.state.marks.ordinal.get()).filter_map(|ordinal| self.state.records.get(Ordinal::new(ordinal)));
        Ok(all.filter(wanted).take(limit).cloned().collect())
    }

    fn commits(&self, ids: &[CommitId]) -> Result<Vec<Option<Commit>>> {
        let logs = self.shared.logs();
        let one = |id: &CommitId| {
            let index = usize::try_from(id.get().checked_sub(1)?).ok()?;
            logs.commits.get(index).filter(|commit| self.is_past(commit.id)).cloned()
        };
        Ok(ids.iter().map(one).collect())
    }

    fn history(&self, entity: &EntityKey) -> Result<Vec<Past>> {
        let ordinal = self.shared.present().ordinals.get(entity);
        let logs = self.shared.logs();
        let past = ordinal.and_then(|ordinal| logs.past.get(&ordinal));
        let mut past: Vec<_> = past.into_iter().flatten().filter(|past| self.is_past(past.ended)).cloned().collect();
        past.sort_by_key(|past| (past.ended, past.held.definition));
        Ok(past)
    }

    fn past_definitions(&self, definition: DefinitionId) -> Result<Vec<PastDefinition>> {
        let logs = self.shared.logs();
        let past = logs.past_definitions.get(&definition).into_iter().flatten();
        Ok(past.filter(|past| self.is_past(past.ended)).cloned().collect())
    }

    fn locate(&self, ordinals: &[Ordinal]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        let one = |ordinal: &Ordinal| self.state.records.get(*ordinal).filter(|record| !record.is_empty()).cloned();
        Ok(ordinals.iter().map(one).collect())
    }

    fn holders(&self, values: &[(DefinitionId, &Value)]) -> Result<Vec<Option<Ordinal>>> {
        let logs = self.shared.logs();
        let is_present = logs.commits.len() as u64 == self.state.marks.commit.get();
        let one = |(definition, value): &(DefinitionId, &Value)| {
            let indexed = logs.unique.get(definition).and_then(|values| values.get(value)).copied();
            match indexed.filter(|ordinal| self.holds(*ordinal, *definition, value)) {
                None if !is_present => self.scan_for_holder(*definition, value),
                found => found,
            }
        };
        Ok(values.iter().map(one).collect())
    }
}
