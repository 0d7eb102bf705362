//! The records that a batch works on.

use std::cell::Cell;
use std::sync::Arc;

use crate::error::Result;
use crate::hash::HashMap;
use crate::model::{EntityKey, EntityRecord, EntityType, Ordinal};
use crate::store::port::each_record;
use crate::store::{Marks, Snapshot};

/// One record under work: as it was, and as it is now.
pub(super) struct Work {
    pub(super) before: Option<Arc<EntityRecord>>,
    pub(super) after: EntityRecord,
}

impl Work {
    pub(super) fn new(before: Option<Arc<EntityRecord>>, key: &EntityKey) -> Self {
        let after = before.as_deref().cloned().unwrap_or_else(|| EntityRecord::new(key.clone(), Ordinal::default()));
        Self { before, after }
    }
}

/// All of them, in the order in which the batch first names them.
#[derive(Default)]
pub(super) struct Working {
    pub(super) works: Vec<Work>,
    by_key: HashMap<EntityKey, usize>,
    /// Where the last one was found: changes of one entity mostly stand together.
    last: Cell<usize>,
}

impl Working {
    /// Loads every record that the batch names, in one call.
    pub(super) fn load<'a>(snapshot: &dyn Snapshot, marks: Marks, keys: impl Iterator<Item = &'a EntityKey>) -> Result<Self> {
        let mut working = Self::default();
        let mut wanted: Vec<EntityKey> = Vec::new();
        for key in keys {
            // Changes of one entity mostly stand together.
            if wanted.last() != Some(key) && !working.by_key.contains_key(key) {
                working.by_key.insert(key.clone(), wanted.len());
                wanted.push(key.clone());
            }
        }
        // A first load meets an empty store, and asks it nothing.
        let is_empty = marks.ordinal == Ordinal::default();
        let records = if is_empty { vec![None; wanted.len()] } else { snapshot.read(&wanted)? };
        working.works = records.into_iter().zip(&wanted).map(|(record, key)| Work::new(record, key)).collect();
        Ok(working)
    }

    pub(super) fn index(&self, key: &EntityKey) -> Option<usize> {
        let last = self.last.get();
        if self.works.get(last).is_some_and(|work| work.after.key() == key) {
            return Some(last);
        }
        let found = self.by_key.get(key).copied()?;
        self.last.set(found);
        Some(found)
    }

    /// Takes a record in that the batch does not name, but touches.
    pub(super) fn adopt(&mut self, record: &Arc<EntityRecord>) -> &mut Work {
        let index = *self.by_key.entry(record.key().clone()).or_insert(self.works.len());
        if index == self.works.len() {
            self.works.push(Work::new(Some(Arc::clone(record)), record.key()));
        }
        &mut self.works[index]
    }

    /// Visits every entity of the type that holds a value in the store or in the batch, as the batch has it now.
    pub(super) fn each_current(
        &self,
        snapshot: &dyn Snapshot,
        entity_type: &EntityType,
        mut visit: impl FnMut(&EntityRecord),
    ) -> Result<()> {
        each_record(snapshot, Some(entity_type), |record| visit(self.current(record)))?;
        let is_new = |work: &&Work| work.before.as_ref().is_none_or(|before| before.is_empty());
        let of_type = |work: &&Work| work.after.key().entity_type() == entity_type;
        self.works.iter().filter(is_new).filter(of_type).for_each(|work| visit(&work.after));
        Ok(())
    }

    /// The record as the batch has it now.
    pub(super) fn current<'a>(&'a self, record: &'a EntityRecord) -> &'a EntityRecord {
        self.index(record.key()).map_or(record, |index| &self.works[index].after)
    }
}
