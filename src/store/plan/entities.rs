//! What changes of entities do to their records.

use std::sync::Arc;

use crate::error::{Rule, Violation};
use crate::model::{Bound, Definition, DefinitionId, Edit, EntityKey, EntityRecord, Limits, Ordinal, Outcome};
use crate::store::plan::{Lack, Planner, missing};
use crate::store::{Applied, Removal, VersionId};

impl Planner<'_> {
    /// The definition, if it is one of this entity's type.
    fn definition(&mut self, place: usize, entity: &EntityKey, id: DefinitionId) -> Option<Arc<Definition>> {
        if self.is_defined(place, entity, id) { self.catalog.get(id).cloned() } else { None }
    }

    fn is_defined(&mut self, place: usize, entity: &EntityKey, id: DefinitionId) -> bool {
        let defined = self.catalog.get(id).is_some_and(|definition| definition.entity_type() == entity.entity_type());
        if !defined {
            self.refuse(place, Some(entity), self.undefined(id, entity.entity_type()));
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

    pub(super) fn set(&mut self, place: usize, entity: &EntityKey, value: &Bound) -> Applied {
        let id = value.definition();
        let commit = self.working.commit;
        if !self.is_defined(place, entity, id) {
            return Applied::new(Outcome::Unchanged, Some(id));
        }
        Applied::new(self.record(entity).apply_one(Edit::Set(value.clone()), commit), Some(id))
    }

    pub(super) fn clear(&mut self, place: usize, entity: &EntityKey, id: DefinitionId) -> Applied {
        let commit = self.working.commit;
        if !self.is_defined(place, entity, id) {
            return Applied::new(Outcome::Unchanged, Some(id));
        }
        let outcome = self.record(entity).apply_one(Edit::Clear(id), commit);
        if outcome == Outcome::Cleared {
            self.note_taken(place, entity, id, Lack::Cleared);
        }
        Applied::new(outcome, Some(id))
    }

    /// Its definition need not be there: it may have gone with all that is taken back.
    pub(super) fn restore_absence(&mut self, place: usize, entity: &EntityKey, id: DefinitionId) -> Applied {
        let commit = self.working.commit;
        let outcome = self.record(entity).apply_one(Edit::Clear(id), commit);
        self.note_taken(place, entity, id, Lack::Allowed);
        Applied::new(outcome, Some(id))
    }

    pub(super) fn move_value(&mut self, place: usize, entity: &EntityKey, from: DefinitionId, to: DefinitionId) -> Applied {
        let unchanged = Applied::new(Outcome::Unchanged, Some(to));
        let (Some(source), Some(target)) = (self.definition(place, entity, from), self.definition(place, entity, to)) else {
            return unchanged;
        };
        if from == to {
            return unchanged;
        }
        if !self.may_carry(place, Some(entity), &source, &target) {
            return unchanged;
        }
        let commit = self.working.commit;
        let record = self.record(entity);
        let (held, occupied) = (record.value(from).cloned(), record.value(to).cloned());
        let Some(value) = held else {
            self.refuse(place, Some(entity), Violation::new(Rule::Held, "", "").about(&source));
            return unchanged;
        };
        if let Some(occupied) = occupied {
            self.refuse(place, Some(entity), Violation::new(Rule::Vacant, source.name(), occupied).about(&target));
        }
        match target.bind(value, &Limits::typed()) {
            Ok(bound) => {
                let record = self.record(entity);
                record.apply_one(Edit::Clear(from), commit);
                let outcome = record.apply_one(Edit::Set(bound), commit);
                self.note_taken(place, entity, from, Lack::MovedAway);
                Applied::new(outcome, Some(to))
            }
            Err(violation) => {
                self.refuse(place, Some(entity), violation);
                unchanged
            }
        }
    }

    pub(super) fn save(&mut self, place: usize, entity: &EntityKey, values: &[Bound]) -> Applied {
        let given = |id: DefinitionId| values.iter().any(|value| value.definition() == id);
        for violation in missing(&self.catalog, entity, given) {
            self.refuse(place, Some(entity), violation);
        }
        let commit = self.working.commit;
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

    pub(super) fn remove(&mut self, place: usize, entity: &EntityKey, how: Lack) -> Applied {
        let commit = self.working.commit;
        let record = self.record(entity);
        let held: Vec<_> = record.values().iter().map(|held| held.definition).collect();
        let outcome = if held.is_empty() { Outcome::Unchanged } else { Outcome::Cleared };
        record.apply(held.iter().copied().map(Edit::Clear), commit);
        held.into_iter().for_each(|id| self.note_taken(place, entity, id, how));
        Applied::new(outcome, None)
    }

    pub(super) fn erase_entity(&mut self, place: usize, entity: &EntityKey) -> Applied {
        if self.batch.changes().iter().filter(|change| change.entity() == Some(entity)).count() > 1 {
            self.refuse(place, Some(entity), Violation::new(Rule::Erased, "", ""));
        }
        let before = self.working.index(entity).and_then(|index| self.working.works[index].before.clone());
        let Some(before) = before else { return Applied::new(Outcome::Unchanged, None) };
        self.remove(place, entity, Lack::Allowed);
        self.erased.insert(entity.clone());
        self.removals.push(Removal::Entity { ordinal: before.ordinal(), entity: entity.clone() });
        Applied::new(Outcome::Cleared, None)
    }

    pub(super) fn prune(&mut self, versions: &[VersionId]) -> Applied {
        for version in versions {
            let horizon = self.horizons.entry(version.definition).or_default();
            *horizon = version.ended.max(*horizon);
        }
        self.removals.extend(versions.iter().map(|version| Removal::Version(*version)));
        Applied::new(if versions.is_empty() { Outcome::Unchanged } else { Outcome::Cleared }, None)
    }
}
