//! What changes of definitions do: to the catalog, and to the values that are held.

use std::collections::HashSet;
use std::sync::Arc;

use crate::error::{Error, Result, Rule, Violation};
use crate::model::{Definition, DefinitionId, EntityKey, EntityRecord, Outcome, Stamp};
use crate::store::plan::erasing::Carried;
use crate::store::plan::{Planner, moved_catalog, undefined};
use crate::store::sweep::{Sweep, Swept};
use crate::store::{Applied, Offending};

impl Planner<'_> {
    pub(super) fn define(&mut self, place: usize, definition: &Definition) -> Result<Applied> {
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
        self.declared.insert(id);
        Ok(Applied::new(Outcome::Created, Some(id)))
    }

    pub(super) fn redefine(&mut self, place: usize, newer: &Definition, offending: Offending) -> Applied {
        let id = newer.id();
        self.declared.insert(id);
        let Some(older) = self.catalog.get(id).cloned() else {
            self.refuse(place, None, undefined(id, newer.entity_type()));
            return Applied::new(Outcome::Unchanged, Some(id));
        };
        if older.spec() == newer.spec() && !self.judges {
            return Applied::new(Outcome::Unchanged, Some(id));
        }
        let newer = newer.clone().succeeding(&older);
        if self.judges || older.data_type() != newer.data_type() || older.is_tightened_by(&newer) {
            self.settle_held_values(place, &newer, offending);
        }
        self.put(place, newer, older.created().clone());
        Applied::new(Outcome::Updated, Some(id))
    }

    pub(super) fn restore(&mut self, place: usize, definition: &Definition) -> Result<Applied> {
        let id = definition.id();
        // One that is there, or never was, belongs to another catalog than the one that the batch was bound against.
        if self.catalog.get(id).is_some() || id > self.catalog.last_id() {
            return Err(moved_catalog(self.batch, &self.before));
        }
        self.declared.insert(id);
        let older = match self.before.get(id) {
            Some(older) => Some(Arc::clone(older)),
            None => self.snapshot.past_definitions(id)?.pop().map(|past| past.definition),
        };
        let restored = definition.clone();
        let restored = older.iter().fold(restored, |restored, older| restored.succeeding(older));
        self.put(place, restored, definition.created().clone());
        Ok(Applied::new(Outcome::Created, Some(id)))
    }

    /// Puts a definition under its id, with the stamp of its making.
    fn put(&mut self, place: usize, definition: Definition, created: Stamp) {
        let definition = definition.stamped(created, self.stamp());
        let id = definition.id();
        match Arc::make_mut(&mut self.catalog).redefine(definition) {
            Ok(()) => _ = self.touched.insert(id, place),
            Err(violation) => self.refuse(place, None, violation),
        }
    }

    /// Values that are held become what the newer definition admits: each that it cannot is a violation, or goes.
    fn settle_held_values(&mut self, place: usize, newer: &Definition, offending: Offending) {
        let id = newer.id();
        // What is set or cleared later in the batch is not asked what it is now.
        let later = self.batch.changes().iter().skip(place + 1).filter_map(|change| change.overwrites(id));
        let later: HashSet<&EntityKey> = later.collect();
        self.sweep(Sweep::settle(place, Arc::new(newer.clone()), offending), &later);
    }

    /// Does a step to the records that the batch names, and leaves it to be done to all others.
    fn sweep(&mut self, sweep: Sweep, passed_over: &HashSet<&EntityKey>) {
        let works = self.working.works.iter_mut().filter(|work| !passed_over.contains(work.after.key()));
        for work in works {
            let Some(swept) = sweep.apply(&mut work.after, self.working.commit) else { continue };
            if swept.moves() {
                self.moving.insert(sweep.place);
            }
            if let Swept::Offends { violation, is_cleared: false, .. } = swept {
                self.violations.push(violation.at(sweep.place, Some(work.after.key())));
            }
        }
        // Of a definition that the batch itself made, only the records that it names can hold a value.
        if self.before.get(sweep.source().id()).is_some() || self.working.is_swept(sweep.source().id()) {
            self.working.sweeps.push(sweep);
        }
    }

    pub(super) fn undefine(&mut self, place: usize, id: DefinitionId, with_values: bool) -> Result<Applied> {
        let Some(definition) = self.catalog.get(id).cloned() else {
            return Ok(Applied::new(Outcome::Unchanged, Some(id)));
        };
        if with_values {
            self.sweep(Sweep::clear(place, Arc::clone(&definition)), &HashSet::new());
        } else if let Some(found) = self.in_use(&definition)? {
            let advice = "delete it with its values if that is meant";
            self.refuse(place, None, Violation::new(Rule::InUse, advice, found).about(&definition));
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
        let mut count = now.saturating_sub(was);
        if self.working.is_swept(id) {
            count = 0;
            let of = definition.entity_type();
            self.working.each_current(self.snapshot, of, |record| count += holds(record))?;
        }
        let dependents = &definition.documentation().used_by;
        if count == 0 && dependents.is_empty() {
            return Ok(None);
        }
        let used_by = if dependents.is_empty() { String::new() } else { format!(", used by {}", dependents.join(", ")) };
        Ok(Some(format!("{count} {} a value{used_by}", if count == 1 { "entity holds" } else { "entities hold" })))
    }

    pub(super) fn merge(&mut self, place: usize, from: DefinitionId, into: DefinitionId, offending: Offending) -> Applied {
        let Some((from, into)) = self.pair(place, from, into) else { return Applied::new(Outcome::Unchanged, Some(into)) };
        let target = into.id();
        let used_by = &from.documentation().used_by;
        if !used_by.is_empty() {
            let advice = "take its dependents out of its documentation first if they can do without it";
            let found = format!("used by {}", used_by.join(", "));
            self.refuse(place, None, Violation::new(Rule::InUse, advice, found).about(&from));
        }
        if self.may_carry(place, None, &from, &into) {
            self.carried.push(Carried { place, from: from.id(), into: target, is_split: false });
            self.sweep(Sweep::merge(place, Arc::clone(&from), into, offending), &HashSet::new());
        }
        // What still holds a value of it is refused.
        Arc::make_mut(&mut self.catalog).undefine(from.id());
        self.touched.insert(from.id(), place);
        Applied::new(Outcome::Updated, Some(target))
    }

    pub(super) fn split(&mut self, place: usize, from: DefinitionId, into: DefinitionId) -> Applied {
        let Some((from, into)) = self.pair(place, from, into) else { return Applied::new(Outcome::Unchanged, Some(into)) };
        let target = into.id();
        if self.may_carry(place, None, &from, &into) {
            self.carried.push(Carried { place, from: from.id(), into: target, is_split: true });
            self.sweep(Sweep::split(place, from, into), &HashSet::new());
        }
        Applied::new(Outcome::Updated, Some(target))
    }

    /// Two definitions of one type; none if they are one, or not there.
    fn pair(&mut self, place: usize, from: DefinitionId, into: DefinitionId) -> Option<(Arc<Definition>, Arc<Definition>)> {
        let (Some(source), Some(target)) = (self.catalog.get(from).cloned(), self.catalog.get(into).cloned()) else {
            let missing = if self.catalog.get(from).is_none() { from } else { into };
            self.violations.push(Violation::new(Rule::Defined, "", "").of(format!("definition {missing}")).at(place, None));
            return None;
        };
        if source.entity_type() != target.entity_type() {
            self.refuse(place, None, undefined(into, source.entity_type()));
            return None;
        }
        (from != into).then_some((source, target))
    }
}
