//! The algorithm of a commit, written once for all backends: verify, load, apply, check, settle.

mod definitions;
mod entities;
mod erasing;
mod judge;
mod required;

pub(crate) use judge::{Duplicate, Judged, judge};
pub(crate) use required::{Lack, is_left_out, missing};

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::clock::Instant;
use crate::error::{Error, Moved, Result, Rule, Violation, Violations};
use crate::hash::HashSet;
use crate::model::{
    Catalog, CommitId, Definition, DefinitionId, EntityKey, EntityType, Ordinal, Outcome, Revision, Stamp, ValueId,
};
use crate::store::changes::{Keeping, Kept};
use crate::store::plan::erasing::{Carried, Reached};
use crate::store::plan::required::TakenValue;
use crate::store::sweep::Swept;
use crate::store::unique;
use crate::store::working::{Telling, Work, Working, entity_types};
use crate::store::{
    Applied, Batch, CatalogChange, Change, Changes, Commit, EntityRevision, OnProgress, Receipt, RecordChange, Removal, Snapshot,
};

/// What a batch would do: the answer to its caller, and what is to be stored.
#[derive(Debug)]
#[non_exhaustive]
pub struct Plan<'a> {
    /// The answer.
    pub receipt: Receipt,
    /// What is to be stored; nothing if the batch changes nothing.
    pub changes: Option<Changes<'a>>,
}

/// Decides what a batch does to a store as this snapshot shows it. It writes nothing.
///
/// A backend calls it inside the transaction that will store the result, over a snapshot of that transaction. Over a
/// snapshot for readers it is a dry run.
///
/// # Errors
/// [`Error::Conflict`] if what the batch was bound against has moved; else [`Error::Invalid`] with all violations.
pub fn plan(snapshot: &dyn Snapshot, batch: &Batch) -> Result<Plan<'static>> {
    plan_with(snapshot, batch, &mut |_| ControlFlow::Continue(()))
}

/// The same, which tells how far it has come where a change of definitions concerns many entities: it is half of the way, storing
/// them is the other.
///
/// # Errors
/// Those of [`plan`]; [`Error::Stopped`].
pub fn plan_with(snapshot: &dyn Snapshot, batch: &Batch, progress: &mut OnProgress<'_>) -> Result<Plan<'static>> {
    let mut planner = Planner::load(snapshot, batch)?;
    planner.verify()?;
    planner.apply_all()?;
    planner.check_swept(progress)?;
    planner.check_vacated()?;
    planner.check_required();
    let Planner { before, catalog, touched, working, violations, .. } = &mut planner;
    unique::check(snapshot, batch, before, catalog, touched, working, violations)?;
    Violations::into_result(std::mem::take(&mut planner.violations))?;
    planner.settle()
}

pub(super) struct Planner<'a> {
    snapshot: &'a dyn Snapshot,
    batch: &'a Batch,
    before: Arc<Catalog>,
    catalog: Arc<Catalog>,
    /// The definitions that are changed, each with the place of its last change.
    touched: BTreeMap<DefinitionId, usize>,
    /// The definitions that the batch makes, changes or restores, those included that are as asked for already.
    declared: BTreeSet<DefinitionId>,
    last_ordinal: Ordinal,
    /// The instant of the commit: that of the batch, or that of the last commit where the clock of the host has gone back.
    at: Instant,
    working: Working,
    /// How many of the working records the batch names; those behind them it touches only.
    named: usize,
    applied: Vec<Applied>,
    violations: Vec<Violation>,
    removals: Vec<Removal>,
    /// What is removed from history leaves these unknown before their commits.
    horizons: BTreeMap<DefinitionId, CommitId>,
    erased: HashSet<EntityKey>,
    /// What was erased of entities that stay, for the receipt.
    erased_values: BTreeSet<ValueId>,
    /// Between which definitions values are merged or split by this batch.
    carried: Vec<Carried>,
    /// The deleted definitions, once they were asked for.
    gone: Option<Vec<Arc<Definition>>>,
    /// What the last erasure reached: the next one mostly is of the same name.
    reached: Option<Reached>,
    /// Required values that were taken from entities.
    taken_values: Vec<TakenValue>,
    /// Definitions that went with no value of theirs cleared, each with the place of its change: no entity may hold one at the end.
    vacated: Vec<(usize, Arc<Definition>)>,
    /// The places of steps over all entities that do anything to one.
    moving: BTreeSet<usize>,
    /// Whether every value of a changed definition is looked at, also where no rule asks for it.
    judges: bool,
}

impl<'a> Planner<'a> {
    fn load(snapshot: &'a dyn Snapshot, batch: &'a Batch) -> Result<Self> {
        let before = snapshot.catalog()?;
        if before.revision() != batch.catalog() {
            return Err(moved_catalog(batch, &before));
        }
        let marks = snapshot.marks()?;
        let keys = batch.changes().iter().filter_map(Change::entity);
        let working = Working::load(snapshot, marks, keys.chain(batch.expected().iter().map(|(key, _)| key)))?;
        Ok(Self {
            snapshot,
            batch,
            catalog: Arc::clone(&before),
            before,
            touched: BTreeMap::new(),
            declared: BTreeSet::new(),
            last_ordinal: marks.ordinal,
            at: marks.at.map_or(batch.at(), |last| last.max(batch.at())),
            named: working.works.len(),
            working,
            applied: Vec::with_capacity(batch.changes().len()),
            violations: Vec::new(),
            removals: Vec::new(),
            horizons: BTreeMap::new(),
            erased: HashSet::default(),
            erased_values: BTreeSet::new(),
            carried: Vec::new(),
            gone: None,
            reached: None,
            taken_values: Vec::new(),
            vacated: Vec::new(),
            moving: BTreeSet::new(),
            judges: false,
        })
    }

    /// Compares the revisions of entities with those that the batch expects.
    fn verify(&self) -> Result<()> {
        let moved = self.batch.expected().iter().filter_map(|(key, expected)| {
            let found = self.working.index(key).map_or(Revision::ABSENT, |index| self.working.works[index].after.revision());
            (found != *expected).then(|| Moved { entity: Some(key.clone()), expected: *expected, found })
        });
        let moved: Vec<_> = moved.collect();
        if moved.is_empty() { Ok(()) } else { Err(Error::Conflict(moved)) }
    }

    fn apply_all(&mut self) -> Result<()> {
        for (place, change) in self.batch.changes().iter().enumerate() {
            let applied = self.apply(place, change)?;
            self.applied.push(applied);
        }
        Ok(())
    }

    fn apply(&mut self, place: usize, change: &Change) -> Result<Applied> {
        match change {
            Change::Define(definition) => self.define(place, definition),
            Change::Redefine { definition, offending } => Ok(self.redefine(place, definition, *offending)),
            Change::RestoreDefinitions { definitions, as_of } => self.restore_definitions(place, definitions, *as_of),
            Change::Undefine { definition, with_values } => self.undefine(place, *definition, *with_values),
            Change::Merge { from, into, offending } => Ok(self.merge(place, *from, *into, *offending)),
            Change::Split { from, into } => Ok(self.split(place, *from, *into)),
            Change::Set { entity, value } => Ok(self.set(place, entity, value)),
            Change::Clear { entity, definition } => Ok(self.clear(place, entity, *definition)),
            Change::Move { entity, from, to } => Ok(self.move_value(place, entity, *from, *to)),
            Change::Save { entity, values } => Ok(self.save(place, entity, values)),
            Change::RestoreValue { entity, value } => Ok(self.set(place, entity, value)),
            Change::RestoreAbsence { entity, definition } => Ok(self.restore_absence(place, entity, *definition)),
            Change::Remove { entity } => Ok(self.remove(place, entity, Lack::Removed)),
            Change::EraseValue { entity, definitions } => self.erase_value(place, entity, definitions),
            Change::EraseEntity { entity } => Ok(self.erase_entity(place, entity)),
            Change::Prune(versions) => Ok(self.prune(versions)),
        }
    }

    fn refuse(&mut self, place: usize, entity: Option<&EntityKey>, violation: Violation) {
        self.violations.push(violation.at(place, entity));
    }

    /// Says that a type has no such definition, by the last name that the definition had.
    fn undefined(&self, id: DefinitionId, entity_type: &EntityType) -> Violation {
        let known = self.catalog.get(id).or_else(|| self.before.get(id));
        let name = known.map_or_else(|| format!("definition {id}"), |known| known.name().to_string());
        Violation::new(Rule::Defined, "", entity_type).of(name)
    }

    fn stamp(&self) -> Stamp {
        Stamp { commit: self.working.commit, at: self.at, by: self.batch.actor().cloned() }
    }

    /// What changed definitions mean for the entities that the batch does not name: all that is wrong with it is found here, and
    /// nothing is kept of the rest, which is done again when it is stored.
    fn check_swept(&mut self, progress: &mut OnProgress<'_>) -> Result<()> {
        let Self { snapshot, working, violations, moving, .. } = self;
        let mut telling = Telling::over(&working.sweeps, *snapshot)?;
        for entity_type in entity_types(&working.sweeps) {
            working.each_swept(*snapshot, entity_type, None, &mut telling, progress, |record, steps, _| {
                for (sweep, swept) in steps {
                    if swept.moves() {
                        moving.insert(sweep.place);
                    }
                    if let Swept::Offends { violation, is_cleared: false, .. } = swept {
                        violations.push(violation.at(sweep.place, Some(record.key())));
                    }
                }
                ControlFlow::Continue(())
            })?;
        }
        Ok(())
    }

    /// Gives new entities their ordinals, the changed ones their revisions, and puts it all together.
    fn settle(mut self) -> Result<Plan<'static>> {
        let mut diffs = Vec::with_capacity(self.working.works.len());
        for work in &mut self.working.works {
            let diff = work.after.settle(work.before.as_deref());
            if !diff.is_empty() && work.before.is_none() {
                let exhausted = Error::Exhausted { what: "entities", limit: u64::from(Ordinal::MAX.get()) };
                self.last_ordinal = self.last_ordinal.next().ok_or(exhausted)?;
                work.after.number(self.last_ordinal);
            }
            diffs.push(diff);
        }
        self.number_values();
        self.settle_splits();
        self.settle_lineages();
        let entities = self.revisions();
        let keeping = Keeping::of(&self.before, &self.catalog, self.batch.keeps_history()).map(Arc::new);
        let id = self.working.commit;
        let Working { works, mut sweeps, .. } = std::mem::take(&mut self.working);
        sweeps.retain(|_| !self.moving.is_empty());
        let swept_over = works.iter().filter_map(|work| Some(work.before.as_ref()?.ordinal().get())).collect();
        let changed = works.into_iter().zip(diffs).filter(|(_, diff)| !diff.is_empty());
        let change = |(work, diff): (Work, _)| RecordChange {
            before: work.before,
            after: Arc::new(work.after),
            diff,
            kept: Kept::of(keeping.clone()),
        };
        let records: Vec<_> = changed.map(change).collect();
        if let Some(keeping) = &keeping {
            let ended = records.iter().flat_map(|change| &change.diff.ended).copied();
            let swept = sweeps.iter().flat_map(|sweep| [sweep.source().id(), sweep.target().id()]);
            let unkept: BTreeSet<_> = ended.chain(swept).filter(|id| !keeping.keeps(*id)).collect();
            self.horizons.extend(unkept.into_iter().map(|unknown| (unknown, id)));
        }
        let catalog = self.settle_catalog();
        let commit = Commit { id, at: self.at, actor: self.batch.actor().cloned(), note: self.batch.note().cloned() };
        let changed = catalog.is_some() || !records.is_empty() || !sweeps.is_empty() || !self.removals.is_empty();
        let receipt = Receipt {
            commit: changed.then_some(id),
            at: self.at,
            catalog: self.catalog.revision(),
            changes: self.applied,
            entities,
            definitions: self.declared.iter().filter_map(|id| self.catalog.get(*id).cloned()).collect(),
            erased: self.erased_values.into_iter().collect(),
        };
        let Self { removals, horizons, .. } = self;
        let changes = || Changes { commit, catalog, removals, horizons, records, sweeps, swept_over, keeping, told: None };
        Ok(Plan { receipt, changes: changed.then(changes) })
    }

    /// Those of the entities that the batch names.
    fn revisions(&self) -> Vec<EntityRevision> {
        let named = self.working.works.iter().take(self.named).map(|work| &work.after);
        let one = |record: &crate::EntityRecord| {
            let is_erased = self.erased.contains(record.key());
            let revision = if is_erased { Revision::ABSENT } else { record.revision() };
            EntityRevision { entity: record.key().clone(), revision }
        };
        named.map(one).collect()
    }

    /// Value ids need the ordinals, which new entities have only now.
    fn number_values(&mut self) {
        for (applied, change) in self.applied.iter_mut().zip(self.batch.changes()) {
            let index = change.entity().and_then(|key| self.working.index(key));
            let ordinal = index.map_or(Ordinal::default(), |index| self.working.works[index].after.ordinal());
            if let Some(definition) = applied.definition.filter(|_| ordinal.get() > 0) {
                applied.value = Some(ValueId::of(ordinal, definition));
            }
        }
    }

    /// Whether anything was to be split off is known only when all entities were looked at.
    fn settle_splits(&mut self) {
        for (place, (applied, change)) in self.applied.iter_mut().zip(self.batch.changes()).enumerate() {
            if matches!(change, Change::Split { .. }) && !self.moving.contains(&place) {
                applied.outcome = Outcome::Unchanged;
            }
        }
    }

    fn settle_catalog(&mut self) -> Option<CatalogChange> {
        // What was made and deleted in one batch leaves its id used up, and so the catalog changed.
        if self.touched.is_empty() {
            return None;
        }
        let next = self.before.revision().next();
        self.catalog = Arc::new(Arc::unwrap_or_clone(std::mem::take(&mut self.catalog)).at_revision(next));
        let touched = std::mem::take(&mut self.touched).into_keys().collect();
        Some(CatalogChange { before: Arc::clone(&self.before), after: Arc::clone(&self.catalog), touched })
    }
}

fn moved_catalog(batch: &Batch, found: &Catalog) -> Error {
    Error::Conflict(vec![Moved { entity: None, expected: batch.catalog(), found: found.revision() }])
}
