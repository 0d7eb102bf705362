//! The records that a batch works on.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::error::Result;
use crate::hash::HashMap;
use crate::model::{CommitId, DefinitionId, EntityKey, EntityRecord, EntityType, Ordinal};
use crate::store::scan::{each_record, scan_from};
use crate::store::sweep::{Sweep, Swept, concern};
use crate::store::{Marks, OnProgress, Snapshot, tell};

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
    /// The commit that is in the making.
    pub(super) commit: CommitId,
    /// What is done to all others that hold a value.
    pub(super) sweeps: Vec<Sweep>,
    /// Where the last one was found: changes of one entity mostly stand together.
    last: Cell<usize>,
}

impl Working {
    /// Loads every record that the batch names, in one call.
    pub(super) fn load<'a>(snapshot: &dyn Snapshot, marks: Marks, keys: impl Iterator<Item = &'a EntityKey>) -> Result<Self> {
        let mut working = Self { commit: CommitId::new(marks.commit.get() + 1), ..Self::default() };
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
        each_record(snapshot, Some(entity_type), |record| visit(&self.current(record)))?;
        let is_new = |work: &&Work| work.before.as_ref().is_none_or(|before| before.is_empty());
        let of_type = |work: &&Work| work.after.key().entity_type() == entity_type;
        self.works.iter().filter(is_new).filter(of_type).for_each(|work| visit(&work.after));
        Ok(())
    }

    /// The record as the batch has it now.
    pub(super) fn current<'a>(&'a self, record: &'a EntityRecord) -> Cow<'a, EntityRecord> {
        if let Some(index) = self.index(record.key()) {
            return Cow::Borrowed(&self.works[index].after);
        }
        let mut record = Cow::Borrowed(record);
        if concern(&self.sweeps, &record) {
            self.sweeps.iter().for_each(|sweep| _ = sweep.apply(record.to_mut(), self.commit));
        }
        record
    }

    /// Whether a step looks at values of this definition, or makes them.
    pub(super) fn is_swept(&self, id: DefinitionId) -> bool {
        self.sweeps.iter().any(|sweep| sweep.source().id() == id || sweep.target().id() == id)
    }

    /// Visits every entity of a type that the batch does not name, behind this one: as it is, what each step does to it, and as it is
    /// then.
    pub(super) fn each_swept(
        &self,
        snapshot: &dyn Snapshot,
        entity_type: &EntityType,
        from: Option<Ordinal>,
        telling: &mut Telling,
        progress: &mut OnProgress<'_>,
        mut visit: impl FnMut(&EntityRecord, Steps<'_>, &EntityRecord) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut result = Ok(());
        scan_from(snapshot, Some(entity_type), from, |record| {
            let mut flow = ControlFlow::Continue(());
            if self.index(record.key()).is_none() {
                let (mut after, mut steps) = (Cow::Borrowed(&**record), Vec::new());
                if concern(&self.sweeps, record) {
                    let step = |sweep: &'_ Sweep, after: &mut EntityRecord| sweep.apply(after, self.commit);
                    for sweep in &self.sweeps {
                        steps.extend(step(sweep, after.to_mut()).map(|swept| (sweep, swept)));
                    }
                }
                flow = visit(record, steps, &after);
            }
            result = telling.step(progress);
            if result.is_ok() { flow } else { ControlFlow::Break(()) }
        })?;
        result
    }
}

/// What each step did to a record.
pub(crate) type Steps<'a> = Vec<(&'a Sweep, Swept)>;

/// The types whose entities these steps look at, each once.
pub(super) fn entity_types(sweeps: &[Sweep]) -> impl Iterator<Item = &EntityType> {
    let types: BTreeSet<&EntityType> = sweeps.iter().map(Sweep::entity_type).collect();
    types.into_iter()
}

/// How far steps over all entities have come. They are gone over twice: to be checked, and to be stored.
pub(super) struct Telling {
    done: u64,
    total: u64,
}

/// After how many entities it is told.
const TOLD: u64 = 4096;

impl Telling {
    pub(super) fn over(sweeps: &[Sweep], snapshot: &dyn Snapshot) -> Result<Self> {
        let counts = entity_types(sweeps).map(|entity_type| snapshot.count(entity_type));
        let once: u64 = counts.sum::<Result<u64>>()?;
        Ok(Self { done: 0, total: once * 2 })
    }

    /// Steps over so many, which are gone over once.
    pub(super) const fn once(total: u64) -> Self {
        Self { done: 0, total }
    }

    /// The same when all of them were checked, and so many named ones are to be stored beside them.
    pub(super) const fn second(mut self, named: u64) -> Self {
        self.done = self.total / 2;
        self.total += named;
        self
    }

    pub(super) fn step(&mut self, progress: &mut OnProgress<'_>) -> Result<()> {
        self.done += 1;
        if self.done.is_multiple_of(TOLD) || self.done == self.total { tell(progress, self.done, self.total) } else { Ok(()) }
    }
}
