//! Steps are done again in another store, one commit each, with the ids, instants and revisions that they had.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::{Catalog, CommitId, DataType, Definition, DefinitionId, EntityKey, EntityRecord, Held, Ordinal, Value};
use crate::store::{
    Arriving, AttributeStore, CatalogChange, Changes, Commit, OnProgress, PAGE, Plan, Receipt, Removal, Snapshot, Told,
    VersionId, each_page, present, written_at,
};
use crate::transfer::steps::{Defined, Heading, Left, Pace, Step, Steps, Touch};

/// Does the steps again behind those that the store has already; answers how many these are.
pub(super) fn pour(
    steps: &mut dyn Steps,
    to: &dyn AttributeStore,
    pace: &RefCell<Pace>,
    reconcile: &dyn Fn(&dyn Snapshot) -> Result<Vec<Removal>>,
    progress: &mut OnProgress<'_>,
) -> Result<CommitId> {
    let there = to.snapshot()?;
    let done = there.marks()?.commit;
    pass_over_known(steps, &*there, done, pace)?;
    let heading = steps.heading().clone();
    let is_behind = CommitId::default() < done && done < heading.last_commit;
    let removals = Cell::new(if is_behind { reconcile(&*there)? } else { Vec::new() });
    drop(there);
    let pouring = Pouring { steps: RefCell::new(steps), heading, pace, removals, is_resumed: is_behind };
    to.write_each(&mut |snapshot, progress| pouring.plan(done, snapshot, progress), progress)?;
    Ok(done)
}

/// Compares the commits that the store has with the first steps.
fn pass_over_known(steps: &mut dyn Steps, there: &dyn Snapshot, done: CommitId, pace: &RefCell<Pace>) -> Result<()> {
    let mut next = 1;
    while next <= done.get() {
        let ids: Vec<_> = (next..=done.get()).take(PAGE).map(CommitId::new).collect();
        let known = present(&ids, there.commits(&ids)?)?;
        for ((id, known), touched) in ids.iter().zip(known).zip(there.touched(&ids)?) {
            let Some(step) = steps.next(there)? else {
                return Err(other(format!("it has {done} commits, and the source {}", id.get() - 1)));
            };
            if known != step.commit {
                return Err(other(format!("its commit {id} is not that of the source; copy into an empty store")));
            }
            steps.pass_over()?;
            pace.borrow_mut().skip(1 + touched.len() as u64);
        }
        next += ids.len() as u64;
    }
    Ok(())
}

fn other(reason: String) -> Error {
    Error::NotACopy { reason }
}

struct Pouring<'a> {
    steps: RefCell<&'a mut dyn Steps>,
    heading: Heading,
    pace: &'a RefCell<Pace>,
    /// What the store has of the commits that it knows, and the source has no longer: it goes with the first commit.
    removals: Cell<Vec<Removal>>,
    is_resumed: bool,
}

impl Pouring<'_> {
    fn plan<'a>(&'a self, done: CommitId, there: &dyn Snapshot, progress: &mut OnProgress<'_>) -> Result<Plan<'a>> {
        let (marks, before) = (there.marks()?, there.catalog()?);
        let mut receipt = Receipt {
            commit: None,
            at: chrono::DateTime::default(),
            catalog: before.revision(),
            changes: vec![],
            entities: vec![],
            definitions: vec![],
            erased: vec![],
        };
        let Some(step) = self.steps.borrow_mut().next(there)? else { return Ok(Plan { receipt, changes: None }) };
        let Step { commit, definitions } = step;
        if commit.id.get() != marks.commit.get() + 1 {
            return Err(other(format!("somebody else wrote commit {} while it was copied", marks.commit)));
        }
        let is_last = commit.id == self.heading.last_commit;
        let catalog = catalog_change(&before, definitions, is_last.then_some(&self.heading)).map_err(|error| match error {
            // It is the source that is damaged, and not the store.
            Error::Corrupt { what, .. } => self.steps.borrow().wrong(format!("ends definitions that do not fit: {what}")),
            other => other,
        })?;
        self.pace.borrow_mut().step(1, progress)?;
        (receipt.commit, receipt.at) = (Some(commit.id), commit.at);
        receipt.catalog = catalog.as_ref().map_or(before.revision(), |change| change.after.revision());
        let is_first = commit.id.get() == done.get() + 1;
        let id = commit.id;
        let mut leaving = Leaving::of(catalog.as_ref(), there)?;
        let told = Told::by(move |before, arriving| {
            self.tell(id, marks.ordinal, before, &mut leaving, arriving)?;
            match leaving.remaining() {
                None => Ok(()),
                Some(reason) => Err(self.steps.borrow().wrong(format!("{reason} after commit {id}"))),
            }
        });
        let mut changes = Changes::told(commit, catalog, self.removals.take(), told);
        if is_first {
            // Of what is known no longer nothing is told from the beginning, also if the copy is ended half-way.
            changes.horizons.clone_from(&self.heading.horizons);
        }
        Ok(Plan { receipt, changes: Some(changes) })
    }

    /// Entities behind the last ordinal are new; the others are read a page at a time.
    fn tell(
        &self,
        commit: CommitId,
        last: Ordinal,
        before: &dyn Snapshot,
        leaving: &mut Leaving,
        arriving: &mut Arriving<'_, '_>,
    ) -> Result<()> {
        let mut page: Vec<Touch> = Vec::new();
        let mut steps = self.steps.borrow_mut();
        steps.each_touch(&mut |touch| {
            page.push(touch);
            if page.len() == PAGE { self.tell_page(commit, last, before, &mut page, leaving, arriving) } else { Ok(()) }
        })?;
        self.tell_page(commit, last, before, &mut page, leaving, arriving)
    }

    fn tell_page(
        &self,
        commit: CommitId,
        last: Ordinal,
        before: &dyn Snapshot,
        page: &mut Vec<Touch>,
        leaving: &mut Leaving,
        arriving: &mut Arriving<'_, '_>,
    ) -> Result<()> {
        let count = page.len() as u64;
        let known = page.iter().filter(|touch| touch.ordinal <= last).filter_map(|touch| touch.left.as_ref());
        let known: Vec<EntityKey> = known.map(|left| left.entity.clone()).collect();
        let mut records = if known.is_empty() { Vec::new() } else { before.read(&known)? }.into_iter();
        for Touch { ordinal, left } in page.drain(..) {
            let Some(left) = left else {
                match if self.is_resumed { written_at(before, ordinal)? } else { None } {
                    Some(record) => {
                        leaving.meet(&record, None);
                        arriving.erase(record)?;
                    }
                    None => arriving.gone(ordinal)?,
                }
                continue;
            };
            let record = if ordinal <= last { records.next().flatten() } else { None };
            if record.as_ref().map(|record| record.ordinal()) != (ordinal <= last).then_some(ordinal) {
                return Err(other(format!("{} is another entity there than in the source, by commit {commit}", left.entity)));
            }
            let ended = left.ended.clone();
            let after = after(record.as_deref(), ordinal, left)?;
            if let Some(record) = &record {
                leaving.meet(record, Some(&after));
            }
            arriving.record(record, after, ended)?;
        }
        self.pace.borrow_mut().step(count, arriving.progress)
    }
}

/// The definitions that a commit deletes or gives another type, and how many values of them are yet to go. A value that stayed
/// could not be read.
struct Leaving(Vec<(DefinitionId, Option<DataType>, u64)>);

impl Leaving {
    fn of(change: Option<&CatalogChange>, there: &dyn Snapshot) -> Result<Self> {
        let mut leaving = Vec::new();
        for id in change.iter().flat_map(|change| &change.touched) {
            let (before, after) =
                (change.and_then(|change| change.before.get(*id)), change.and_then(|change| change.after.get(*id)));
            let Some(before) = before else { continue };
            // It belongs to one entity type: with another it is another definition.
            let stays = after.filter(|after| after.entity_type() == before.entity_type()).map(|after| after.data_type());
            if stays != Some(before.data_type()) {
                leaving.push((*id, stays, there.usage(*id)?));
            }
        }
        Ok(Self(leaving))
    }

    fn meet(&mut self, before: &EntityRecord, after: Option<&EntityRecord>) {
        for (id, becomes, values) in &mut self.0 {
            let now = after.and_then(|after| after.value(*id)).map(Value::data_type);
            if before.get(*id).is_some() && (now.is_none() || now == *becomes) {
                *values = values.saturating_sub(1);
            }
        }
    }

    fn remaining(&self) -> Option<String> {
        let (id, _, values) = self.0.iter().find(|(_, _, values)| *values > 0)?;
        Some(format!("leaves {values} values of definition {id}, which is deleted or of another type,"))
    }
}

/// What a record is after a commit.
fn after(before: Option<&EntityRecord>, ordinal: Ordinal, left: Left) -> Result<EntityRecord> {
    let Left { entity, revision, began, ended, stands } = left;
    let goes = |id: &DefinitionId| {
        ended.contains(id)
            || began.iter().any(|held| held.definition == *id)
            || stands.as_ref().is_some_and(|stands| !stands.contains(id))
    };
    let stay = before.map_or(&[][..], EntityRecord::values).iter().filter(|held| !goes(&held.definition));
    let mut values: Vec<Held> = stay.cloned().collect();
    values.extend(began);
    values.sort_unstable_by_key(|held| held.definition);
    EntityRecord::load(entity, ordinal, revision, values)
}

/// What a commit did to the catalog. Some of its revisions, and of the ids that were used, may have left no trace: with the last
/// commit it comes to where that of the source is.
fn catalog_change(before: &Arc<Catalog>, steps: Vec<Defined>, end: Option<&Heading>) -> Result<Option<CatalogChange>> {
    let end = end.filter(|end| end.catalog > before.revision() || end.last_definition > before.last_id());
    if steps.is_empty() && end.is_none() {
        return Ok(None);
    }
    let mut touched: BTreeMap<DefinitionId, Option<Arc<Definition>>> = BTreeMap::new();
    for step in steps {
        match step {
            Defined::Stands(definition) => touched.insert(definition.id(), Some(definition)),
            Defined::Ended(id) => touched.insert(id, None),
        };
    }
    let stay = before.iter().filter(|definition| !touched.contains_key(&definition.id()));
    let all = stay.chain(touched.values().flatten()).map(|definition| Definition::clone(definition));
    let last = touched.keys().last().copied().unwrap_or_default().max(before.last_id());
    let (revision, last) = end.map_or((before.revision().next(), last), |end| (end.catalog, end.last_definition));
    let after = Arc::new(Catalog::load(revision, last, all)?);
    Ok(Some(CatalogChange { before: Arc::clone(before), after, touched: touched.into_keys().collect() }))
}

/// What a store that was copied before has of the past, and the source has no longer, because it was pruned or erased since.
/// Entities that hold something go when the commit comes that emptied them.
pub(super) fn forgotten(there: &dyn Snapshot, source: &dyn Snapshot) -> Result<Vec<Removal>> {
    let mut removals = Vec::new();
    each_page(there, |page| {
        let keys: Vec<EntityKey> = page.iter().map(|record| record.key().clone()).collect();
        let mut kept = Vec::new();
        for (record, found) in page.iter().zip(source.read(&keys)?) {
            let ordinal = record.ordinal();
            if found.is_some_and(|found| found.ordinal() == ordinal) {
                kept.push(Arc::clone(record));
            } else if record.is_empty() {
                removals.push(Removal::Entity { ordinal, entity: record.key().clone() });
            }
        }
        removals.extend(pruned(&kept, there, source)?);
        Ok(())
    })?;
    Ok(removals)
}

/// The versions of these entities that are in history there, and no longer in that of the source.
fn pruned(records: &[Arc<EntityRecord>], there: &dyn Snapshot, source: &dyn Snapshot) -> Result<Vec<Removal>> {
    let keys: Vec<EntityKey> = records.iter().map(|record| record.key().clone()).collect();
    let mut pruned = Vec::new();
    for ((record, past), kept) in records.iter().zip(there.history(&keys)?).zip(source.history(&keys)?) {
        let kept: BTreeSet<_> = kept.into_iter().map(|past| (past.ended, past.held.definition)).collect();
        let gone = past.into_iter().filter(|past| !kept.contains(&(past.ended, past.held.definition)));
        pruned.extend(gone.map(|past| {
            Removal::Version(VersionId { ordinal: record.ordinal(), ended: past.ended, definition: past.held.definition })
        }));
    }
    Ok(pruned)
}

/// Whether the commits are those of a store that has not moved since.
pub(super) fn unmoved(there: &dyn Snapshot, heading: &Heading) -> Result<()> {
    let marks = there.marks()?;
    if marks.commit == heading.last_commit {
        return Ok(());
    }
    let last: Option<Commit> = there.commits(&[marks.commit])?.pop().flatten();
    let by = last.and_then(|commit| commit.actor).map_or_else(String::new, |actor| format!(" by {actor}"));
    Err(other(format!("it is at commit {}{by}, and the source at {}", marks.commit, heading.last_commit)))
}
