//! The store in memory: the same records, rules and answers as on disk, durable by nobody.

mod ordinals;
mod postings;
mod records;
mod snapshot;

use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use roaring::RoaringBitmap;

use crate::error::Result;
use crate::hash::HashMap;
use crate::index;
use crate::memory::ordinals::Ordinals;
use crate::memory::postings::{PostingMap, Steps};
use crate::memory::records::Records;
use crate::memory::snapshot::MemorySnapshot;
use crate::model::{Catalog, DefinitionId, EntityKey, EntityRecord, Ordinal, Value};
use crate::store::{
    AttributeStore, Batch, Changes, Commit, Find, Marks, OnProgress, Past, PastDefinition, Receipt, Snapshot, plan,
};

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
    logs: RwLock<Logs>,
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
}

/// What only grows, and is shared by all snapshots, which pass over what is younger than themselves.
#[derive(Default)]
struct Logs {
    commits: Vec<Commit>,
    /// The ordinals that each of them changed.
    touched: Vec<RoaringBitmap>,
    past: HashMap<Ordinal, Vec<Past>>,
    past_definitions: HashMap<DefinitionId, Vec<PastDefinition>>,
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

    fn logs(&self) -> RwLockReadGuard<'_, Logs> {
        self.logs.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything is checked by now, so nothing here can fail half-way. The logs grow first: no snapshot sees their new
    /// end before it sees the state that goes with it.
    fn store(&self, changes: Changes, steps: Steps) {
        let commit = changes.commit.id;
        let mut logs = self.logs.write().unwrap_or_else(PoisonError::into_inner);
        logs.grow(&changes);
        drop(logs);
        let mut present = self.present.write().unwrap_or_else(PoisonError::into_inner);
        let Present { state, ordinals } = &mut *present;
        state.marks.commit = commit;
        state.postings.apply(steps.0);
        if let Some(catalog) = changes.catalog {
            state.catalog = catalog.after;
        }
        for change in changes.records {
            let ordinal = change.after.ordinal();
            state.marks.ordinal = state.marks.ordinal.max(ordinal);
            if change.before.is_none() {
                ordinals.insert(change.after.key(), ordinal);
            }
            // The old record goes last, when it is no longer in the way of the chunk's being changed in place.
            drop(change.before);
            state.records.put(change.after);
        }
    }
}

impl Present {
    fn record(&self, entity: &EntityKey) -> Option<&Arc<EntityRecord>> {
        self.state.records.get(self.ordinals.get(entity)?)
    }
}

impl Logs {
    fn grow(&mut self, changes: &Changes) {
        let ended = changes.commit.id;
        self.commits.push(changes.commit.clone());
        self.touched.push(changes.touched());
        for change in &changes.records {
            let ordinal = change.after.ordinal();
            if !change.diff.ended.is_empty() {
                let past = change.ended().map(|held| Past { held: held.clone(), ended });
                self.past.entry(ordinal).or_default().extend(past);
            }
        }
        if let Some(catalog) = &changes.catalog {
            for definition in catalog.touched.iter().filter_map(|id| catalog.before.get(*id)) {
                let past = PastDefinition { definition: Arc::clone(definition), ended };
                self.past_definitions.entry(definition.id()).or_default().push(past);
            }
        }
    }
}

impl AttributeStore for MemoryStore {
    fn commit(&self, batch: &Batch) -> Result<Receipt> {
        self.commit_with(batch, &mut |_| ControlFlow::Continue(()))
    }

    fn commit_with(&self, batch: &Batch, progress: &mut OnProgress<'_>) -> Result<Receipt> {
        let _alone = self.write_alone();
        let snapshot = MemorySnapshot::new(&self.shared, self.state());
        let plan = plan(&snapshot, batch)?;
        if let Some(changes) = plan.changes {
            let mut steps = Steps::default();
            index::write(&snapshot, &changes, &mut steps, progress)?;
            drop(snapshot);
            self.shared.store(changes, steps);
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

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marks = self.state().marks;
        f.debug_struct("MemoryStore").field("marks", &marks).finish_non_exhaustive()
    }
}
