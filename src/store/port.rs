//! The two traits of a backend.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::error::Result;
use crate::model::{Catalog, CommitId, Definition, DefinitionId, EntityKey, EntityRecord, EntityType, Ordinal, Value};
use crate::store::{
    Batch, BoundQuery, Commit, Explanation, Fault, Found, FoundKeys, OnProgress, Past, PastDefinition, Plan, Receipt, Ticket,
    Wanted, plan_with, reference,
};

/// How many records a default method takes from a scan at a time.
const SCANNED: usize = 1024;

/// Picks a definition of a catalog, for [`AttributeStore::read_value`]. It is called once.
pub type Find<'a> = dyn FnMut(&Catalog) -> Result<Option<DefinitionId>> + 'a;

/// Decides what is to be done over a snapshot, and may tell how far it has come: see [`AttributeStore::write`].
pub type Decide<'a> = dyn FnMut(&dyn Snapshot, &mut OnProgress<'_>) -> Result<Plan<'a>> + 'a;

/// A place where attributes are kept: one way in, one way out.
///
/// # What a backend guarantees
/// - **Atomic.** A commit that fails has changed nothing; a reader sees all of a commit or none of it.
/// - **Ordered.** Commits happen one after the other, as if in one line; ids rise by one, and a snapshot that sees a
///   commit sees all before it. Verifying what a batch expects and storing what it does are one step in that line.
/// - **Durable.** When `commit` returns, what it stored survives whatever the backend says it survives (memory: nothing;
///   SQLite: a killed process and a cut of power). Where the last step fails and the outcome cannot be known, the error
///   is [`crate::Error::CommitOutcomeUnknown`] and no other.
/// - **Exact.** What is read is what was written: ids, texts, decimals with their zeros, instants to the microsecond.
/// - **No clock.** Instants come with the batch.
///
/// All rules of writing are decided elsewhere; what a backend does is [`AttributeStore::write`]. Nothing of a backend may panic,
/// whatever the storage does.
pub trait AttributeStore: fmt::Debug {
    /// Begins; asks `decide` over a snapshot of this very transaction what is to be done; writes down its [`super::Changes`], if
    /// there are any; ends, durably; and hands the receipt on. Where any of it fails, nothing was changed. `decide` is called
    /// once, and alone: no other commit comes between what it sees and what is stored. What takes long is told to `progress` on
    /// the way.
    ///
    /// # Errors
    /// What `decide` or `progress` answers, or a failure of the storage.
    fn write(&self, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<Receipt>;

    /// Does what [`AttributeStore::write`] does again and again, until `decide` answers a plan without changes. Each plan is a commit
    /// of its own, and the next is decided over what it left. They are durable when this returns, and need not be before: a backend
    /// that pays for each time may end many of them at once. Where it fails, those before the failure are kept up to one of them,
    /// and nothing behind it: which one, the store tells.
    ///
    /// # Errors
    /// Those of [`AttributeStore::write`].
    fn write_each(&self, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<()> {
        while self.write(decide, progress)?.commit.is_some() {}
        Ok(())
    }

    /// Does all of the batch or nothing, durably.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`] if the catalog or an expected entity has moved, [`crate::Error::Invalid`] with all
    /// violations, or a failure of the storage.
    fn commit(&self, batch: &Batch) -> Result<Receipt> {
        self.commit_with(batch, &mut |_| ControlFlow::Continue(()))
    }

    /// The same, which tells on the way how far it has come where it takes long, and ends if the caller has enough.
    ///
    /// # Errors
    /// Those of [`AttributeStore::commit`]; [`crate::Error::Stopped`], where nothing was changed.
    fn commit_with(&self, batch: &Batch, progress: &mut OnProgress<'_>) -> Result<Receipt> {
        self.write(&mut |snapshot, progress| plan_with(snapshot, batch, progress), progress)
    }

    /// Hands a batch in and does not wait for it: the ticket has the answer of [`AttributeStore::commit`] once there is one. A
    /// backend that can do better than one commit after the other does what is waiting together; batches are done in the order in
    /// which one thread hands them in. Where too much is waiting already, it blocks until there is room.
    ///
    /// # Errors
    /// Only if the batch was not taken.
    fn submit(&self, batch: Batch) -> Result<Ticket> {
        Ok(Ticket::ready(self.commit(&batch)))
    }

    /// The store as it is now, for as long as it is held. It blocks neither writers nor other readers.
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>>;

    /// The definitions as they are now.
    fn catalog(&self) -> Result<Arc<Catalog>> {
        self.snapshot()?.catalog()
    }

    /// One entity as it is now, with the definitions of the same instant. A shorthand that a backend may make faster.
    fn read_entity(&self, entity: &EntityKey) -> Result<(Arc<Catalog>, Option<Arc<EntityRecord>>)> {
        let snapshot = self.snapshot()?;
        let record = snapshot.read(std::slice::from_ref(entity))?.pop().flatten();
        Ok((snapshot.catalog()?, record))
    }

    /// One value as it is now: of the definition that `find` picks among those of the same instant; none if the entity holds
    /// none, or `find` picks none. A shorthand that a backend may make faster.
    ///
    /// # Errors
    /// What `find` answers, or a failure of the storage.
    fn read_value(&self, entity: &EntityKey, find: &mut Find<'_>) -> Result<Option<Value>> {
        let (catalog, record) = self.read_entity(entity)?;
        let Some(definition) = find(&catalog)? else { return Ok(None) };
        Ok(record.and_then(|record| record.value(definition).cloned()))
    }

    /// Leaves nothing of what was erased in the place where the store is kept. Without such a place there is nothing to do.
    ///
    /// # Errors
    /// [`crate::Error::Busy`] while a snapshot is held that is older than the erasure; a failure of the storage.
    fn purge(&self) -> Result<()> {
        Ok(())
    }

    /// Makes the index anew from the records, step by step, and tells after each how far it has come; the caller may end it
    /// there. Each step stands by itself: readers and other writers go on in between, and a call after one that ended early
    /// goes on where it ended. Without an index there is nothing to do.
    ///
    /// # Errors
    /// A failure of the storage.
    fn rebuild_index(&self, progress: &mut OnProgress<'_>) -> Result<()> {
        let _ = progress;
        Ok(())
    }
}

/// How far a store has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// The last commit; 0 before the first.
    pub commit: CommitId,
    /// The last ordinal that was given to an entity; 0 before the first.
    pub ordinal: Ordinal,
}

/// A store at one point in time.
///
/// What is provided here is right for any backend; a backend with an index does it faster.
pub trait Snapshot {
    /// The definitions.
    fn catalog(&self) -> Result<Arc<Catalog>>;

    /// How far the store has come.
    fn marks(&self) -> Result<Marks>;

    /// These entities, in this order; none where one was never written. An emptied entity is there, with its revision.
    fn read(&self, entities: &[EntityKey]) -> Result<Vec<Option<Arc<EntityRecord>>>>;

    /// Entities that were ever written, emptied ones as well, by ordinal, after this one: of one type, or of all. An answer
    /// of fewer than `limit` is the last.
    fn written(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>>;

    /// These commits, in this order; none where there is none.
    fn commits(&self, ids: &[CommitId]) -> Result<Vec<Option<Commit>>>;

    /// Which entities a commit changed, by ordinal, also those that are erased by now.
    fn touched(&self, commit: CommitId) -> Result<Vec<Ordinal>>;

    /// What the entity held once and holds no longer, by the commit that ended it, then by definition.
    fn history(&self, entity: &EntityKey) -> Result<Vec<Past>>;

    /// What the definition was once and is no longer, by the commit that ended it.
    fn past_definitions(&self, definition: DefinitionId) -> Result<Vec<PastDefinition>>;

    /// The definitions of whose values history is not whole, each with the commit from which on it is: the latest of those that
    /// [`super::Changes::horizons`] had.
    fn horizons(&self) -> Result<BTreeMap<DefinitionId, CommitId>>;

    /// The entities that have a history, with it, by ordinal, after this one. An answer of fewer than `limit` is the last.
    fn histories(&self, after: Option<Ordinal>, limit: usize) -> Result<Vec<(Ordinal, Vec<Past>)>> {
        let (mut histories, mut after) = (Vec::new(), after);
        while histories.len() < limit {
            let page = self.written(None, after, SCANNED)?;
            let Some(last) = page.last().map(|last| last.ordinal()) else { break };
            for record in page {
                let past = self.history(record.key())?;
                if !past.is_empty() && histories.len() < limit {
                    histories.push((record.ordinal(), past));
                }
            }
            after = Some(last);
        }
        Ok(histories)
    }

    /// Those of the entities that were written that hold at least one value.
    fn scan(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        fill(self, entity_type, after, limit, |record| Ok(Some(record).filter(|record| !record.is_empty())))
    }

    /// The entities with these ordinals, in this order; none where one was never given out, or holds nothing.
    fn locate(&self, ordinals: &[Ordinal]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        let one = |ordinal: &Ordinal| Ok(written_at(self, *ordinal)?.filter(|record| !record.is_empty()));
        ordinals.iter().map(one).collect()
    }

    /// Which entity holds each of these values, if one does; any of them if several do. Asked for unique definitions.
    fn holders(&self, values: &[(DefinitionId, &Value)]) -> Result<Vec<Option<Ordinal>>> {
        let mut holders = vec![None; values.len()];
        if values.is_empty() {
            return Ok(holders);
        }
        each_record(self, None, |record| {
            for (holder, (definition, value)) in holders.iter_mut().zip(values) {
                if record.value(*definition) == Some(*value) {
                    *holder = Some(record.ordinal());
                }
            }
        })?;
        Ok(holders)
    }

    /// How many entities hold a value of this definition.
    fn usage(&self, definition: DefinitionId) -> Result<u64> {
        let mut count = 0;
        let catalog = self.catalog()?;
        let entity_type = catalog.get(definition).map(|found| found.entity_type());
        each_record(self, entity_type, |record| count += u64::from(record.get(definition).is_some()))?;
        Ok(count)
    }

    /// How many entities of this type hold at least one value.
    fn count(&self, entity_type: &EntityType) -> Result<u64> {
        let mut count = 0;
        each_record(self, Some(entity_type), |_| count += 1)?;
        Ok(count)
    }

    /// A page of the entities that are wanted, in the order asked for.
    fn find(&self, query: &BoundQuery) -> Result<Found> {
        reference::find(self, query)
    }

    /// The same, of which only the keys are told.
    fn find_keys(&self, query: &BoundQuery) -> Result<FoundKeys> {
        let found = self.find(query)?;
        let end = found.records.last().filter(|_| found.has_more).map(|last| query.rank(last));
        Ok(FoundKeys { keys: found.records.iter().map(|record| record.key().clone()).collect(), end })
    }

    /// How many entities are wanted.
    fn count_wanted(&self, wanted: &Wanted) -> Result<u64> {
        reference::count(self, wanted)
    }

    /// Which values those that are wanted hold for this definition, in order, each with the number of its holders. A decimal
    /// has no zeros at its end.
    fn tally(&self, wanted: &Wanted, definition: DefinitionId) -> Result<Vec<(Value, u64)>> {
        reference::tally(self, wanted, definition)
    }

    /// How the page is found.
    fn explain(&self, query: &BoundQuery) -> Result<Explanation> {
        reference::explain(self, query)
    }

    /// Compares the index with the records, and reports every difference until the caller has enough, and how many entities were
    /// gone over, which may end it as well. Without an index there is no difference.
    fn verify_index(&self, report: &mut dyn FnMut(Fault) -> ControlFlow<()>, progress: &mut OnProgress<'_>) -> Result<()> {
        let _ = (report, progress);
        Ok(())
    }
}

/// Goes over what was written, behind this entity, until so many of it were picked.
pub(crate) fn fill<S: Snapshot + ?Sized>(
    snapshot: &S,
    entity_type: Option<&EntityType>,
    mut after: Option<Ordinal>,
    limit: usize,
    mut pick: impl FnMut(Arc<EntityRecord>) -> Result<Option<Arc<EntityRecord>>>,
) -> Result<Vec<Arc<EntityRecord>>> {
    let mut picked = Vec::new();
    while picked.len() < limit {
        let wanted = limit - picked.len();
        let page = snapshot.written(entity_type, after, wanted)?;
        let last = page.last().map(|last| last.ordinal()).filter(|_| page.len() == wanted);
        for record in page {
            picked.extend(pick(record)?);
        }
        let Some(last) = last else { break };
        after = Some(last);
    }
    Ok(picked)
}

/// The commit with this id, if there is one.
pub(crate) fn commit_with_id(snapshot: &dyn Snapshot, id: CommitId) -> Result<Option<Commit>> {
    Ok(snapshot.commits(&[id])?.pop().flatten())
}

/// The definitions that are deleted, each as it was last.
pub(crate) fn gone_definitions(snapshot: &dyn Snapshot) -> Result<Vec<Arc<Definition>>> {
    let catalog = snapshot.catalog()?;
    let gone = (1..=catalog.last_id().get()).map(DefinitionId::new).filter(|id| catalog.get(*id).is_none());
    let lasts = gone.map(|id| Ok(snapshot.past_definitions(id)?.pop().map(|past| past.definition)));
    lasts.filter_map(Result::transpose).collect()
}

/// The entity with this ordinal, if it was ever written.
pub(crate) fn written_at<S: Snapshot + ?Sized>(snapshot: &S, ordinal: Ordinal) -> Result<Option<Arc<EntityRecord>>> {
    let Some(before) = ordinal.get().checked_sub(1) else { return Ok(None) };
    let found = snapshot.written(None, Some(Ordinal::new(before)), 1)?.pop();
    Ok(found.filter(|record| record.ordinal() == ordinal))
}

/// Visits every entity that holds a value, a page at a time.
pub(crate) fn each_record<S: Snapshot + ?Sized>(
    snapshot: &S,
    entity_type: Option<&EntityType>,
    mut visit: impl FnMut(&Arc<EntityRecord>),
) -> Result<()> {
    scan_from(snapshot, entity_type, None, |record| {
        visit(record);
        ControlFlow::Continue(())
    })
}

/// Visits the entities that hold a value, a page at a time, from behind this one on until it is enough.
pub(crate) fn scan_from<S: Snapshot + ?Sized>(
    snapshot: &S,
    entity_type: Option<&EntityType>,
    mut after: Option<Ordinal>,
    mut visit: impl FnMut(&Arc<EntityRecord>) -> ControlFlow<()>,
) -> Result<()> {
    loop {
        let page = snapshot.scan(entity_type, after, SCANNED)?;
        if page.iter().try_for_each(&mut visit).is_break() {
            return Ok(());
        }
        match page.last() {
            Some(last) if page.len() >= SCANNED => after = Some(last.ordinal()),
            _ => return Ok(()),
        }
    }
}

macro_rules! forward_store {
    ($($pointer:ty),*) => {$(
        impl<S: AttributeStore + ?Sized> AttributeStore for $pointer {
            fn write(&self, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<Receipt> {
                (**self).write(decide, progress)
            }

            fn write_each(&self, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<()> {
                (**self).write_each(decide, progress)
            }

            fn commit(&self, batch: &Batch) -> Result<Receipt> {
                (**self).commit(batch)
            }

            fn commit_with(&self, batch: &Batch, progress: &mut OnProgress<'_>) -> Result<Receipt> {
                (**self).commit_with(batch, progress)
            }

            fn submit(&self, batch: Batch) -> Result<Ticket> {
                (**self).submit(batch)
            }

            fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
                (**self).snapshot()
            }

            fn catalog(&self) -> Result<Arc<Catalog>> {
                (**self).catalog()
            }

            fn read_entity(&self, entity: &EntityKey) -> Result<(Arc<Catalog>, Option<Arc<EntityRecord>>)> {
                (**self).read_entity(entity)
            }

            fn read_value(&self, entity: &EntityKey, find: &mut Find<'_>) -> Result<Option<Value>> {
                (**self).read_value(entity, find)
            }

            fn purge(&self) -> Result<()> {
                (**self).purge()
            }

            fn rebuild_index(&self, progress: &mut OnProgress<'_>) -> Result<()> {
                (**self).rebuild_index(progress)
            }
        }
    )*};
}
forward_store!(&S, Box<S>, Arc<S>);
