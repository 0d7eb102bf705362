//! The algorithm of a commit, written once for all backends: verify, load, apply, check, settle.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::error::{Error, Moved, Result, Rule, Violation, Violations};
use crate::model::{
    Bound, Catalog, CommitId, Definition, DefinitionId, Edit, EntityKey, EntityRecord, Limits, Ordinal, Outcome, Revision, Stamp,
};
use crate::store::port::each_record;
use crate::store::unique;
use crate::store::working::{Work, Working};
use crate::store::{
    Applied, Batch, CatalogChange, Change, Changes, Commit, EntityRevision, Offending, Receipt, RecordChange, Snapshot,
};

/// What a batch would do: the answer to its caller, and what is to be stored.
#[derive(Debug)]
#[non_exhaustive]
pub struct Plan {
    /// The answer.
    pub receipt: Receipt,
    /// What is to be stored; nothing if the batch changes nothing.
    pub changes: Option<Changes>,
}

/// Decides what a batch does to a store as this snapshot shows it. It writes nothing.
///
/// A backend calls it inside the transaction that will store the result, over a snapshot of that transaction. Over a
/// snapshot for readers it is a dry run.
///
/// # Errors
/// [`Error::Conflict`] if what the batch was bound against has moved; else [`Error::Invalid`] with all violations.
pub fn plan(snapshot: &dyn Snapshot, batch: &Batch) -> Result<Plan> {
    let mut planner = Planner::load(snapshot, batch)?;
    planner.verify()?;
    for (place, change) in batch.changes().iter().enumerate() {
        let applied = planner.apply(place, change)?;
        planner.applied.push(applied);
    }
    let Planner { before, catalog, touched, working, violations, .. } = &mut planner;
    unique::check(snapshot, batch, before, catalog, touched, working, violations)?;
    Violations::into_result(std::mem::take(&mut planner.violations))?;
    planner.settle()
}

struct Planner<'a> {
    snapshot: &'a dyn Snapshot,
    batch: &'a Batch,
    before: Arc<Catalog>,
    catalog: Arc<Catalog>,
    /// The definitions that are changed, each with the place of its last change.
    touched: BTreeMap<DefinitionId, usize>,
    commit: CommitId,
    last_ordinal: Ordinal,
    working: Working,
    /// How many of the working records the batch names; those behind them it touches only.
    named: usize,
    applied: Vec<Applied>,
    violations: Vec<Violation>,
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
            commit: CommitId::new(marks.commit.get() + 1),
            last_ordinal: marks.ordinal,
            named: working.works.len(),
            working,
            applied: Vec::with_capacity(batch.changes().len()),
            violations: Vec::new(),
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

    fn apply(&mut self, place: usize, change: &Change) -> Result<Applied> {
        match change {
            Change::Define(definition) => self.define(place, definition),
            Change::Redefine { definition, offending } => self.redefine(place, definition, *offending),
            Change::Restore(definition) => self.restore(place, definition),
            Change::Undefine { definition, with_values } => self.undefine(place, *definition, *with_values),
            Change::Set { entity, value } => Ok(self.set(place, entity, value)),
            Change::Clear { entity, definition } => Ok(self.clear(place, entity, *definition)),
            Change::Move { entity, from, to } => Ok(self.move_value(place, entity, *from, *to)),
            Change::Save { entity, values } => Ok(self.save(place, entity, values)),
            Change::Remove { entity } => Ok(self.remove(entity)),
        }
    }

    fn refuse(&mut self, place: usize, entity: Option<&EntityKey>, violation: Violation) {
        self.violations.push(violation.at(place, entity));
    }

    fn stamp(&self) -> Stamp {
        Stamp { commit: self.commit, at: self.batch.at(), by: self.batch.actor().cloned() }
    }

    fn define(&mut self, place: usize, definition: &Definition) -> Result<Applied> {
        let id = definition.id();
        match self.catalog.next_id() {
            Some(next) if next == id => {}
            Some(_) => return Err(moved_catalog(self.batch, &self.before)),
            None => return Err(Error::Exhausted { what: "definitions", limit: u64::from(DefinitionId::MAX.get()) }),
        }
        let definition = definition.clone().stamped(self.stamp(), self.stamp());
        match Arc::make_mut(&mut self.catalog).define(definition) {
            Ok(()) => _ = self.touched.insert(id, place),
            Err(violation) => self.refuse(place, None, violation),
        }
        Ok(Applied::new(Outcome::Created, Some(id)))
    }

    fn redefine(&mut self, place: usize, newer: &Definition, offending: Offending) -> Result<Applied> {
        let id = newer.id();
        let Some(older) = self.catalog.get(id).cloned() else {
            self.refuse(place, None, undefined(id, newer.entity_type()));
            return Ok(Applied::new(Outcome::Unchanged, Some(id)));
        };
        if older.spec() == newer.spec() {
            return Ok(Applied::new(Outcome::Unchanged, Some(id)));
        }
        if older.data_type() != newer.data_type() || older.is_tightened_by(newer) {
            self.settle_held_values(place, newer, offending)?;
        }
        self.put(place, newer, older.created().clone());
        Ok(Applied::new(Outcome::Updated, Some(id)))
    }

    fn restore(&mut self, place: usize, definition: &Definition) -> Result<Applied> {
        let id = definition.id();
        // One that is there, or never was, belongs to another catalog than the one that the batch was bound against.
        if self.catalog.get(id).is_some() || id > self.catalog.last_id() {
            return Err(moved_catalog(self.batch, &self.before));
        }
        self.put(place, definition, definition.created().clone());
        Ok(Applied::new(Outcome::Created, Some(id)))
    }

    /// Puts a definition under its id, with the stamp of its making.
    fn put(&mut self, place: usize, definition: &Definition, created: Stamp) {
        let definition = definition.clone().stamped(created, self.stamp());
        let id = definition.id();
        match Arc::make_mut(&mut self.catalog).redefine(definition) {
            Ok(()) => _ = self.touched.insert(id, place),
            Err(violation) => self.refuse(place, None, violation),
        }
    }

    /// Values that are held become what the newer definition admits: each that it cannot is a violation, or goes.
    fn settle_held_values(&mut self, place: usize, newer: &Definition, offending: Offending) -> Result<()> {
        let (id, commit, working) = (newer.id(), self.commit, &mut self.working);
        // What is set later in the batch comes in the form in which it is set.
        let later = self.batch.changes().iter().skip(place + 1).filter_map(|change| match change {
            Change::Set { entity, value } if value.definition() == id => Some(entity),
            _ => None,
        });
        let later: HashSet<&EntityKey> = later.collect();
        if self.before.get(id).is_some() {
            each_record(self.snapshot, Some(newer.entity_type()), |record| {
                if record.value(id).is_some_and(|value| newer.settle(value) != Ok(None)) {
                    working.adopt(record);
                }
            })?;
        }
        for work in working.works.iter_mut().filter(|work| !later.contains(work.after.key())) {
            let settled = work.after.value(id).map(|value| newer.settle(value));
            match (settled, offending) {
                (None | Some(Ok(None)), _) => {}
                (Some(Ok(Some(converted))), _) => _ = work.after.apply_one(Edit::Set(converted), commit),
                (Some(Err(_)), Offending::Clear) if !newer.rules().required => {
                    work.after.apply_one(Edit::Clear(id), commit);
                }
                (Some(Err(violation)), _) => {
                    self.violations.push(violation.of(newer.name().as_str()).at(place, Some(work.after.key())));
                }
            }
        }
        Ok(())
    }

    fn undefine(&mut self, place: usize, id: DefinitionId, with_values: bool) -> Result<Applied> {
        let Some(definition) = self.catalog.get(id).cloned() else {
            return Ok(Applied::new(Outcome::Unchanged, Some(id)));
        };
        if with_values {
            self.clear_everywhere(&definition)?;
        } else if let Some(found) = self.in_use(&definition)? {
            let advice = "delete it with its values if that is meant";
            self.refuse(place, None, Violation::new(Rule::InUse, advice, found).of(definition.name().as_str()));
        }
        Arc::make_mut(&mut self.catalog).undefine(id);
        self.touched.insert(id, place);
        Ok(Applied::new(Outcome::Cleared, Some(id)))
    }

    /// What stands against deleting a definition.
    fn in_use(&self, definition: &Definition) -> Result<Option<String>> {
        let id = definition.id();
        let stored = if self.before.get(id).is_some() { self.snapshot.usage(id)? } else { 0 };
        let holds = |record: &EntityRecord| u64::from(record.get(id).is_some());
        let (mut now, mut was) = (stored, 0);
        for work in &self.working.works {
            now += holds(&work.after);
            was += work.before.as_deref().map_or(0, holds);
        }
        let count = now.saturating_sub(was);
        let dependents = &definition.documentation().used_by;
        if count == 0 && dependents.is_empty() {
            return Ok(None);
        }
        let used_by = if dependents.is_empty() { String::new() } else { format!(", used by {}", dependents.join(", ")) };
        Ok(Some(format!("{count} {} a value{used_by}", if count == 1 { "entity holds" } else { "entities hold" })))
    }

    fn clear_everywhere(&mut self, definition: &Definition) -> Result<()> {
        let (id, commit, working) = (definition.id(), self.commit, &mut self.working);
        if self.before.get(id).is_some() {
            each_record(self.snapshot, Some(definition.entity_type()), |record| {
                if record.get(id).is_some() {
                    working.adopt(record);
                }
            })?;
        }
        for work in &mut working.works {
            work.after.apply_one(Edit::Clear(id), commit);
        }
        Ok(())
    }

    /// The definition, if it is one of this entity's type.
    fn definition(&mut self, place: usize, entity: &EntityKey, id: DefinitionId) -> Option<Arc<Definition>> {
        if self.is_defined(place, entity, id) { self.catalog.get(id).cloned() } else { None }
    }

    fn is_defined(&mut self, place: usize, entity: &EntityKey, id: DefinitionId) -> bool {
        let defined = self.catalog.get(id).is_some_and(|definition| definition.entity_type() == entity.entity_type());
        if !defined {
            self.refuse(place, Some(entity), undefined(id, entity.entity_type()));
        }
        defined
    }

    fn record(&mut self, entity: &EntityKey) -> &mut EntityRecord {
        let work = match self.working.index(entity) {
            Some(index) => &mut self.working.works[index],
            None => self.working.adopt(&Arc::new(EntityRecord::new(entity.clone(), Ordinal::default()))),
        };
        &mut work.after
    }

    fn set(&mut self, place: usize, entity: &EntityKey, value: &Bound) -> Applied {
        let id = value.definition();
        let commit = self.commit;
        if !self.is_defined(place, entity, id) {
            return Applied::new(Outcome::Unchanged, Some(id));
        }
        Applied::new(self.record(entity).apply_one(Edit::Set(value.clone()), commit), Some(id))
    }

    fn clear(&mut self, place: usize, entity: &EntityKey, id: DefinitionId) -> Applied {
        let commit = self.commit;
        let Some(definition) = self.definition(place, entity, id) else {
            return Applied::new(Outcome::Unchanged, Some(id));
        };
        let outcome = self.record(entity).apply_one(Edit::Clear(id), commit);
        if definition.rules().required && outcome == Outcome::Cleared {
            self.refuse(place, Some(entity), required(&definition, "it cannot be cleared", "it was to be"));
        }
        Applied::new(outcome, Some(id))
    }

    fn move_value(&mut self, place: usize, entity: &EntityKey, from: DefinitionId, to: DefinitionId) -> Applied {
        let unchanged = Applied::new(Outcome::Unchanged, Some(to));
        let (Some(source), Some(target)) = (self.definition(place, entity, from), self.definition(place, entity, to)) else {
            return unchanged;
        };
        if from == to {
            return unchanged;
        }
        let commit = self.commit;
        let record = self.record(entity);
        let (held, occupied) = (record.value(from).cloned(), record.value(to).cloned());
        let Some(value) = held else {
            self.refuse(place, Some(entity), Violation::new(Rule::Held, "", "").of(source.name().as_str()));
            return unchanged;
        };
        if let Some(occupied) = occupied {
            self.refuse(place, Some(entity), Violation::new(Rule::Vacant, source.name(), occupied).of(target.name().as_str()));
        }
        if source.rules().required {
            self.refuse(place, Some(entity), required(&source, "it cannot be moved away", "it was to be"));
        }
        match target.bind(value, &Limits::typed()) {
            Ok(bound) => {
                let record = self.record(entity);
                record.apply_one(Edit::Clear(from), commit);
                Applied::new(record.apply_one(Edit::Set(bound), commit), Some(to))
            }
            Err(violation) => {
                self.refuse(place, Some(entity), violation);
                unchanged
            }
        }
    }

    fn save(&mut self, place: usize, entity: &EntityKey, values: &[Bound]) -> Applied {
        let given = |id: DefinitionId| values.iter().any(|value| value.definition() == id);
        for violation in missing(&self.catalog, entity, given) {
            self.refuse(place, Some(entity), violation);
        }
        let commit = self.commit;
        let defined = values.iter().all(|value| self.is_defined(place, entity, value.definition()));
        if !defined {
            return Applied::new(Outcome::Unchanged, None);
        }
        let record = self.record(entity);
        let was_empty = record.is_empty();
        let others = record.values().iter().map(|held| held.definition).filter(|id| !given(*id));
        let clears: Vec<_> = others.map(Edit::Clear).collect();
        let outcomes = record.apply(clears.into_iter().chain(values.iter().cloned().map(Edit::Set)), commit);
        let changed = outcomes.iter().any(|outcome| *outcome != Outcome::Unchanged);
        let outcome = match (changed, was_empty, record.is_empty()) {
            (false, ..) => Outcome::Unchanged,
            (true, true, _) => Outcome::Created,
            (true, false, true) => Outcome::Cleared,
            (true, false, false) => Outcome::Updated,
        };
        Applied::new(outcome, None)
    }

    fn remove(&mut self, entity: &EntityKey) -> Applied {
        let commit = self.commit;
        let record = self.record(entity);
        let held: Vec<_> = record.values().iter().map(|held| Edit::Clear(held.definition)).collect();
        let outcome = if held.is_empty() { Outcome::Unchanged } else { Outcome::Cleared };
        record.apply(held, commit);
        Applied::new(outcome, None)
    }

    /// Gives new entities their ordinals, the changed ones their revisions, and puts it all together.
    fn settle(mut self) -> Result<Plan> {
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
        let named = self.working.works.iter().take(self.named).map(|work| &work.after);
        let entities = named.map(|record| EntityRevision { entity: record.key().clone(), revision: record.revision() }).collect();
        let works = std::mem::take(&mut self.working.works).into_iter().zip(diffs);
        let changed = works.filter(|(_, diff)| !diff.is_empty());
        let change = |(work, diff): (Work, _)| RecordChange { before: work.before, after: Arc::new(work.after), diff };
        let records: Vec<_> = changed.map(change).collect();
        let catalog = self.settle_catalog();
        let commit =
            Commit { id: self.commit, at: self.batch.at(), actor: self.batch.actor().cloned(), note: self.batch.note().cloned() };
        let changed = catalog.is_some() || !records.is_empty();
        let receipt = Receipt {
            commit: changed.then_some(self.commit),
            at: self.batch.at(),
            catalog: self.catalog.revision(),
            changes: self.applied,
            entities,
        };
        Ok(Plan { receipt, changes: changed.then_some(Changes { commit, catalog, records }) })
    }

    /// Value ids need the ordinals, which new entities have only now.
    fn number_values(&mut self) {
        for (applied, change) in self.applied.iter_mut().zip(self.batch.changes()) {
            let index = change.entity().and_then(|key| self.working.index(key));
            let ordinal = index.map_or(Ordinal::default(), |index| self.working.works[index].after.ordinal());
            if let Some(definition) = applied.definition.filter(|_| ordinal.get() > 0) {
                applied.value = Some(crate::ValueId::of(ordinal, definition));
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

fn undefined(id: DefinitionId, entity_type: &crate::EntityType) -> Violation {
    Violation::new(Rule::Defined, "", entity_type).of(format!("definition {id}"))
}

/// What an entity lacks that is to be saved with these values.
pub(crate) fn missing(catalog: &Catalog, entity: &EntityKey, given: impl Fn(DefinitionId) -> bool) -> Vec<Violation> {
    let lacks = catalog.those_of(entity.entity_type(), |definition| definition.rules().required && !given(definition.id()));
    lacks.into_iter().map(|definition| required(definition, "an entity is not saved without it", "it is missing")).collect()
}

fn required(definition: &Definition, limit: &str, found: &str) -> Violation {
    Violation::new(Rule::Required, limit, found).of(definition.name().as_str())
}
