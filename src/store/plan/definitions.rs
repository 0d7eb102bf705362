//! What changes of definitions do: to the catalog, and to the values that are held.

use std::collections::HashSet;
use std::sync::Arc;

use crate::error::{Error, Result, Rule, Violation};
use crate::model::{CommitId, Definition, DefinitionId, EntityKey, EntityRecord, Outcome, Stamp};
use crate::store::plan::erasing::Carried;
use crate::store::plan::{Planner, moved_catalog};
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
            self.refuse(place, None, self.undefined(id, newer.entity_type()));
            return Applied::new(Outcome::Unchanged, Some(id));
        };
        if older.spec() == newer.spec() && !self.judges {
            return Applied::new(Outcome::Unchanged, Some(id));
        }
        let newer = newer.clone().succeeding(&older);
        if self.judges || older.data_type() != newer.data_type() || older.is_tightened_by(&newer) {
            self.settle_held_values(place, &newer, offending, CommitId::default());
        }
        self.put(place, newer, older.created().clone());
        Applied::new(Outcome::Updated, Some(id))
    }

    /// Takes definitions back to what they were. All of them go before the first comes back: a name may have gone from one to
    /// another, and is free by then.
    pub(super) fn restore_definitions(
        &mut self,
        place: usize,
        restored: &[(DefinitionId, Option<Arc<Definition>>)],
        as_of: CommitId,
    ) -> Result<Applied> {
        let mut outcomes = Vec::with_capacity(restored.len());
        let mut changed = Vec::with_capacity(restored.len());
        for (id, then) in restored {
            // A definition that never was belongs to another catalog than the one that the batch was bound against.
            if *id > self.catalog.last_id() {
                return Err(moved_catalog(self.batch, &self.before));
            }
            self.declared.insert(*id);
            let now = self.catalog.get(*id).cloned();
            let then = then.as_deref().map(|then| self.successor(then)).transpose()?;
            let outcome = match (&now, &then) {
                (None, None) => Outcome::Unchanged,
                (Some(now), Some(then)) if now.spec() == then.spec() => Outcome::Unchanged,
                (Some(now), Some(then)) => {
                    if now.data_type() != then.data_type() || now.is_tightened_by(then) {
                        self.settle_held_values(place, then, Offending::Refuse, as_of);
                    }
                    Outcome::Updated
                }
                (Some(now), None) => {
                    self.vacated.push((place, Arc::clone(now)));
                    Outcome::Cleared
                }
                (None, Some(_)) => Outcome::Created,
            };
            if outcome != Outcome::Unchanged {
                Arc::make_mut(&mut self.catalog).undefine(*id);
                self.touched.insert(*id, place);
                changed.extend(then);
            }
            outcomes.push(outcome);
        }
        for then in changed {
            let created = then.created().clone();
            self.put(place, then, created);
        }
        Ok(match (&outcomes[..], restored) {
            ([outcome], [(id, _)]) => Applied::new(*outcome, Some(*id)),
            (outcomes, _) if outcomes.iter().all(|outcome| *outcome == Outcome::Unchanged) => {
                Applied::new(Outcome::Unchanged, None)
            }
            _ => Applied::new(Outcome::Updated, None),
        })
    }

    /// A definition of the past as the next version of what it is now, or was last.
    fn successor(&self, then: &Definition) -> Result<Definition> {
        let id = then.id();
        let older = match self.catalog.get(id).or_else(|| self.before.get(id)) {
            Some(older) => Some(Arc::clone(older)),
            None => self.snapshot.past_definitions(Some(&[id]))?.pop().map(|past| past.definition),
        };
        Ok(older.iter().fold(then.clone(), |then, older| then.succeeding(older)))
    }

    /// Refuses definitions that are to go while entities hold values of theirs.
    pub(super) fn check_vacated(&mut self) -> Result<()> {
        for (place, definition) in std::mem::take(&mut self.vacated) {
            let holders = self.holders(&definition)?;
            if holders > 0 {
                self.refuse(place, None, in_use(&definition, &held_by(holders)));
            }
        }
        Ok(())
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

    /// Values that are held become what the newer definition admits: each that it cannot is a violation, or goes. Those that were
    /// set no later than `stood` stood under this very definition once, and may stay.
    fn settle_held_values(&mut self, place: usize, newer: &Definition, offending: Offending, stood: CommitId) {
        let id = newer.id();
        // What is set or cleared later in the batch is not asked what it is now.
        let later = self.batch.changes().iter().skip(place + 1).filter_map(|change| change.overwrites(id));
        let later: HashSet<&EntityKey> = later.collect();
        self.sweep(Sweep::settle(place, Arc::new(newer.clone()), offending, stood), &later);
    }

    /// Does a step to the records that the batch names, and leaves it to be done to all others.
    fn sweep(&mut self, sweep: Sweep, passed_over: &HashSet<&EntityKey>) {
        let sweep = sweep.with(self.batch.exactness());
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
        } else {
            let (holders, dependents) = (self.holders(&definition)?, &definition.documentation().used_by);
            if holders > 0 || !dependents.is_empty() {
                let used_by = if dependents.is_empty() { String::new() } else { format!(", used by {}", dependents.join(", ")) };
                self.refuse(place, None, in_use(&definition, &format!("{}{used_by}", held_by(holders))));
            }
        }
        Arc::make_mut(&mut self.catalog).undefine(id);
        self.touched.insert(id, place);
        Ok(Applied::new(Outcome::Cleared, Some(id)))
    }

    /// How many entities hold a value of a definition, as the batch leaves them so far.
    fn holders(&self, definition: &Definition) -> Result<u64> {
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
        Ok(count)
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
            self.refuse(place, None, self.undefined(into, source.entity_type()));
            return None;
        }
        (from != into).then_some((source, target))
    }
}

fn held_by(holders: u64) -> String {
    format!("{holders} {} a value", if holders == 1 { "entity holds" } else { "entities hold" })
}

fn in_use(definition: &Definition, found: &str) -> Violation {
    Violation::new(Rule::InUse, "delete it with its values if that is meant", found).about(definition)
}
