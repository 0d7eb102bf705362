//! The two traits of a backend.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::clock::Instant;
use crate::error::Result;
use crate::model::{Catalog, CommitId, DefinitionId, EntityKey, EntityRecord, EntityType, Ordinal, Value};
use crate::store::scan::{PAGE, Pages, each_record, fill, last_commit_at};
use crate::store::{
    Batch, BoundQuery, Commit, Explanation, Fault, Found, FoundKeys, OnProgress, Past, PastDefinition, Plan, Receipt, Ticket,
    Touched, Wanted, plan_with, reference,
};

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
    /// there are any; ends, durably; and hands the receipt on. Where any of it fails, nothing was changed. No other commit comes
    /// between what `decide` sees and what is stored. What takes long is told to `progress` on the way.
    ///
    /// `decide` may be called a second time, over a new transaction, after the first one failed and changed nothing: SQLite's store
    /// does so after a disk read that failed. So `decide` must give the same answer to the same snapshot.
    ///
    /// # Errors
    /// What `decide` or `progress` answers, or a failure of the storage.
    fn write(&self, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<Receipt>;

    /// Does what [`AttributeStore::write`] does again and again, until `decide` answers a plan without changes. Each plan is a commit
    /// of its own, and the next is decided over what it left. They are durable when this returns, and need not be before: a backend
    /// that pays for each time may end many of them at once. Where it fails, those before the failure are kept up to one of them,
    /// and nothing behind it: which one, the store tells. `decide` is called once for each plan, because it may take each from a
    /// source that cannot go back: a backend whose `write` may call it again provides this method itself.
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
    /// The instant of the last commit; none before the first. The next commit is not earlier.
    pub at: Option<Instant>,
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

    /// Returns which entities each of these commits changed, in this order, including entities that were erased since. A commit
    /// that does not exist changed none.
    fn touched(&self, commits: &[CommitId]) -> Result<Vec<Touched>>;

    /// Returns what each of these entities held once and holds no longer, in this order. The values of one entity are sorted by
    /// the commit that ended them, then by definition. An entity that was never written has none.
    fn history(&self, entities: &[EntityKey]) -> Result<Vec<Vec<Past>>>;

    /// Returns what these definitions were once and are no longer, or what all definitions were if none are named: sorted by
    /// definition, then by the commit that ended each version. A store over a network answers either in one query.
    fn past_definitions(&self, definitions: Option<&[DefinitionId]>) -> Result<Vec<PastDefinition>>;

    /// The definitions of whose values history is not whole, each with the commit from which on it is: the latest of those that
    /// [`super::Changes::horizons`] had.
    fn horizons(&self) -> Result<BTreeMap<DefinitionId, CommitId>>;

    /// The entities that have a history, with it, by ordinal, after this one. An answer of fewer than `limit` is the last.
    fn histories(&self, after: Option<Ordinal>, limit: usize) -> Result<Vec<(Ordinal, Vec<Past>)>> {
        let mut histories = Vec::new();
        let mut pages = Pages::new(after, PAGE, |after, limit| self.written(None, after, limit));
        while histories.len() < limit
            && let Some(page) = pages.next()?
        {
            let keys: Vec<EntityKey> = page.iter().map(|record| record.key().clone()).collect();
            let all = page.iter().map(|record| record.ordinal()).zip(self.history(&keys)?);
            let left = limit - histories.len();
            histories.extend(all.filter(|(_, past)| !past.is_empty()).take(left));
        }
        Ok(histories)
    }

    /// Returns the commit that an instant stands for: the last commit before the first that is later than `at`; 0 if the first
    /// commit is later.
    ///
    /// Instants of commits do not go backwards in a store that this release wrote, so this is the last commit that is not later.
    /// They may go backwards in a store that an older release wrote, and in a copy of it; then a commit counts as late as the
    /// latest commit before it.
    fn commit_at(&self, at: Instant) -> Result<CommitId> {
        last_commit_at(self, at)
    }

    /// Those of the entities that were written that hold at least one value.
    fn scan(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        fill(self, entity_type, after, limit, |page| Ok(page.into_iter().filter(|record| !record.is_empty()).collect()))
    }

    /// Returns the entities with these ordinals, in this order; none where an ordinal was never given out, or its entity was
    /// erased. An emptied entity is there, with its revision.
    fn locate(&self, ordinals: &[Ordinal]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        let one = |ordinal: &Ordinal| {
            let Some(before) = ordinal.get().checked_sub(1) else { return Ok(None) };
            let found = self.written(None, Some(Ordinal::new(before)), 1)?.pop();
            Ok(found.filter(|record| record.ordinal() == *ordinal))
        };
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
