//! The store in memory: the same records, rules and answers as on disk, durable by nobody.

mod ordinals;
mod postings;
mod records;
mod snapshot;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use crate::clock::Instant;
use crate::error::Result;
use crate::hash::{HashMap, HashSet};
use crate::index;
use crate::memory::ordinals::Ordinals;
use crate::memory::postings::{PostingMap, Steps};
use crate::memory::records::Records;
use crate::memory::snapshot::MemorySnapshot;
use crate::model::{Catalog, CommitId, DefinitionId, EntityKey, EntityRecord, Ordinal, Value};
use crate::store::{
    AttributeStore, Changes, Commit, Decide, Find, Marks, OnProgress, Past, PastDefinition, Receipt, RecordChange, Removal,
    Snapshot, Touched, VersionId,
};

/// A commit that changes more records is put together on a copy, so that nobody waits for it; below, copying would cost more.
const COPIED_FROM: usize = 1024;

/// A store in memory. Cheap to clone; clones share what it holds.
///
/// Snapshots block nobody: what a writer changes is copied, in small pieces, only while a snapshot still holds it.
///
/// ```
/// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
/// let attributes = Attributes::new(MemoryStore::new());
/// let customers = attributes.of("customer")?;
/// customers.define(DefinitionSpec::string("support_tier"))?;
/// customers.set(123, "support_tier", "premium")?;
/// assert_eq!(customers.get::<String>(123, "support_tier")?.as_deref(), Some("premium"));
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Held by the one commit under way, while readers go on.
    writer: Mutex<()>,
    present: RwLock<Present>,
}

/// All that a read of the present needs, behind one lock.
#[derive(Default)]
struct Present {
    state: State,
    ordinals: Ordinals,
}

/// What a snapshot holds on to: cheap to clone, and changed in place while nobody does.
#[derive(Clone, Default)]
struct State {
    catalog: Arc<Catalog>,
    marks: Marks,
    records: Records,
    postings: PostingMap,
    horizons: Arc<BTreeMap<DefinitionId, CommitId>>,
    logs: Arc<RwLock<Logs>>,
}

/// What grows, and is shared by all snapshots, which pass over what is younger than themselves. Where something is taken out, a
/// copy without it takes its place, and snapshots that are held keep theirs.
#[derive(Clone, Default)]
struct Logs {
    commits: Vec<Commit>,
    /// The latest instant up to each of them: ascending, also where a copied commit is earlier than the one before it.
    latest: Vec<Instant>,
    /// The ordinals that each of them changed.
    touched: Vec<Touched>,
    past: HashMap<Ordinal, Vec<Past>>,
    past_definitions: BTreeMap<DefinitionId, Vec<PastDefinition>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> State {
        self.shared.present().state.clone()
    }

    fn write_alone(&self) -> MutexGuard<'_, ()> {
        self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn present(&self) -> RwLockReadGuard<'_, Present> {
        self.present.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything is checked by now, so nothing here can fail half-way. The logs grow first: no snapshot sees their new
    /// end before it sees the state that goes with it.
    fn store(&self, changes: &Changes<'_>, records: Vec<RecordChange>, touched: Touched, steps: Steps) {
        if !changes.removals.is_empty() {
            return self.store_removing(changes, records, touched, steps);
        }
        let last = touched.last().unwrap_or_default();
        let logs = Arc::clone(&self.present().state.logs);
        logs.write().unwrap_or_else(PoisonError::into_inner).grow(changes, &records, touched);
        if records.len() > COPIED_FROM {
            // Readers go on meanwhile; what is changed is copied once, as if a snapshot were held.
            let mut state = self.present().state.clone();
            let born = state.apply(changes, records, last, steps);
            return self.put_in_place(state, changes, born);
        }
        let mut present = self.present.write().unwrap_or_else(PoisonError::into_inner);
        let born = present.state.apply(changes, records, last, steps);
        present.name(changes, born);
    }

    /// Snapshots that are held keep the logs as they were; those that begin now wait.
    fn store_removing(&self, changes: &Changes<'_>, records: Vec<RecordChange>, touched: Touched, steps: Steps) {
        let copied = |state: &State| {
            let is_held = Arc::strong_count(&state.logs) > 1;
            is_held.then(|| Arc::new(RwLock::new(state.logs().clone())))
        };
        let copy = copied(&self.present().state);
        let mut present = self.present.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(copy) = copy.or_else(|| copied(&present.state)) {
            present.state.logs = copy;
        }
        let last = touched.last().unwrap_or_default();
        present.state.logs.write().unwrap_or_else(PoisonError::into_inner).grow(changes, &records, touched);
        let born = present.state.apply(changes, records, last, steps);
        present.name(changes, born);
    }

    fn put_in_place(&self, state: State, changes: &Changes<'_>, born: Vec<(EntityKey, Ordinal)>) {
        let mut present = self.present.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut present.state, state);
        present.name(changes, born);
        drop(present);
        // Taking the old one apart is no reason to keep readers waiting.
        drop(before);
    }
}

impl State {
    fn logs(&self) -> RwLockReadGuard<'_, Logs> {
        self.logs.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts everything in place, and says which entities are new.
    fn apply(
        &mut self,
        changes: &Changes<'_>,
        records: Vec<RecordChange>,
        last: Ordinal,
        steps: Steps,
    ) -> Vec<(EntityKey, Ordinal)> {
        let commit = &changes.commit;
        self.marks = Marks { commit: commit.id, ordinal: self.marks.ordinal.max(last), at: Some(commit.at) };
        self.postings.apply(steps.0);
        if let Some(catalog) = &changes.catalog {
            self.catalog = Arc::clone(&catalog.after);
        }
        if !changes.horizons.is_empty() {
            let horizons = Arc::make_mut(&mut self.horizons);
            for (definition, until) in &changes.horizons {
                let known = horizons.entry(*definition).or_default();
                *known = (*known).max(*until);
            }
        }
        let mut born = Vec::new();
        for change in records {
            let ordinal = change.after.ordinal();
            if change.before.is_none() {
                born.push((change.after.key().clone(), ordinal));
            }
            // The old record goes last, when it is no longer in the way of the chunk's being changed in place.
            drop(change.before);
            self.records.put(change.after);
        }
        for removal in &changes.removals {
            if let Removal::Entity { ordinal, .. } = removal {
                self.records.take_out(*ordinal);
            }
        }
        born
    }
}

impl Present {
    /// New entities are found by their keys, and erased ones no longer.
    fn name(&mut self, changes: &Changes<'_>, born: Vec<(EntityKey, Ordinal)>) {
        for (key, ordinal) in born {
            self.ordinals.insert(&key, ordinal);
        }
        for removal in &changes.removals {
            if let Removal::Entity { entity, .. } = removal {
                self.ordinals.take_out(entity);
            }
        }
    }

    fn record(&self, entity: &EntityKey) -> Option<&Arc<EntityRecord>> {
        self.state.records.get(self.ordinals.get(entity)?)
    }
}

impl Logs {
    fn grow(&mut self, changes: &Changes<'_>, records: &[RecordChange], touched: Touched) {
        let ended = changes.commit.id;
        let at = changes.commit.at;
        self.commits.push(changes.commit.clone());
        self.latest.push(self.latest.last().map_or(at, |latest| at.max(*latest)));
        self.touched.push(touched);
        for change in records.iter().filter(|change| !change.diff.ended.is_empty()) {
            let mut past = change.past().map(|held| Past { held: held.clone(), ended }).peekable();
            if past.peek().is_some() {
                self.past.entry(change.after.ordinal()).or_default().extend(past);
            }
        }
        for removal in &changes.removals {
            self.remove(removal);
        }
        if let Some(catalog) = &changes.catalog {
            for definition in catalog.touched.iter().filter_map(|id| catalog.before.get(*id)) {
                let past = PastDefinition { definition: Arc::clone(definition), ended };
                self.past_definitions.entry(definition.id()).or_default().push(past);
            }
        }
    }
}

impl Logs {
    fn remove(&mut self, removal: &Removal) {
        let (ordinal, goes): (_, &dyn Fn(&Past) -> bool) = match removal {
            Removal::Entity { ordinal, .. } => (ordinal, &|_| true),
            Removal::Value { ordinal, definition } => (ordinal, &|past| past.held.definition == *definition),
            Removal::Version(VersionId { ordinal, ended, definition }) => {
                (ordinal, &|past| past.held.definition == *definition && past.ended == *ended)
            }
        };
        if let Some(past) = self.past.get_mut(ordinal) {
            past.retain(|past| !goes(past));
            if past.is_empty() {
                self.past.remove(ordinal);
            }
        }
    }
}

impl AttributeStore for MemoryStore {
    fn write(&self, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<Receipt> {
        let _alone = self.write_alone();
        let snapshot = MemorySnapshot::new(&self.shared, self.state());
        let plan = decide(&snapshot, progress)?;
        if let Some(mut changes) = plan.changes {
            let (mut steps, mut records) = (Steps::default(), Vec::new());
            let mut writing = index::Writing::begin(&snapshot, &changes, &mut steps, progress)?;
            let mut born = Born::of(&changes);
            // Everything that can fail happens up to here; nothing is changed before `store`, which cannot.
            let touched = changes.each_record_with(&snapshot, progress, &mut |change| {
                if change.before.is_none() && !born.is_new(&self.shared, change.after.key()) {
                    return Err(change.is_held_already());
                }
                writing.record(&change)?;
                records.push(change);
                Ok(())
            })?;
            writing.finish()?;
            drop(snapshot);
            self.shared.store(&changes, records, touched, steps);
        }
        Ok(plan.receipt)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(MemorySnapshot::new(&self.shared, self.state())))
    }

    fn catalog(&self) -> Result<Arc<Catalog>> {
        Ok(Arc::clone(&self.shared.present().state.catalog))
    }

    fn read_entity(&self, entity: &EntityKey) -> Result<(Arc<Catalog>, Option<Arc<EntityRecord>>)> {
        let present = self.shared.present();
        Ok((Arc::clone(&present.state.catalog), present.record(entity).cloned()))
    }

    fn read_value(&self, entity: &EntityKey, find: &mut Find<'_>) -> Result<Option<Value>> {
        let present = self.shared.present();
        let Some(definition) = find(&present.state.catalog)? else { return Ok(None) };
        Ok(present.record(entity).and_then(|record| record.value(definition)).cloned())
    }
}

/// The entities that a commit makes. Only a copied commit can be wrong about one: the planner has looked for each.
struct Born(Option<HashSet<EntityKey>>);

impl Born {
    fn of(changes: &Changes<'_>) -> Self {
        Self(changes.is_told().then(HashSet::default))
    }

    /// Whether the entity neither is there nor came before in this commit.
    fn is_new(&mut self, shared: &Shared, key: &EntityKey) -> bool {
        let Some(born) = &mut self.0 else { return true };
        shared.present().ordinals.get(key).is_none() && born.insert(key.clone())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marks = self.state().marks;
        f.debug_struct("MemoryStore").field("marks", &marks).finish_non_exhaustive()
    }
}
