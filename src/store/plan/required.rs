//! The required rule, judged by what a batch leaves: the order of its changes does not matter.

use crate::error::{Rule, Violation};
use crate::hash::{HashMap, HashSet};
use crate::model::{Catalog, Definition, DefinitionId, EntityKey};
use crate::store::Change;
use crate::store::plan::Planner;

/// How an entity comes to be without a required value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lack {
    /// The batch creates the entity and does not give the value.
    NotGiven,
    /// The entity is saved whole without it.
    NotSaved,
    Cleared,
    MovedAway,
    SplitOff,
    /// It was removed with all the entity held. That is allowed, unless the batch writes the entity again without it.
    Removed,
    /// It was erased, or taken back to a time when there was none. That is always allowed.
    Allowed,
}

/// A required value that a change took from an entity.
pub(super) struct TakenValue {
    place: usize,
    work: usize,
    definition: DefinitionId,
    how: Lack,
}

/// What to do about a save that leaves a required value out.
const SAVE_IT: &str = "give it when the entity is saved whole";

/// Whether a required value is missing from what the batch leaves, and not only from one save.
pub(crate) fn is_left_out(violation: &Violation) -> bool {
    violation.rule == Rule::Required && violation.limit != SAVE_IT
}

impl Lack {
    pub(crate) fn of(self, definition: &Definition) -> Violation {
        let (found, advice) = match self {
            Self::NotGiven => ("missing", "set it in the batch that creates the entity"),
            Self::NotSaved => ("missing", SAVE_IT),
            Self::Cleared | Self::Removed | Self::Allowed => ("cleared", "set another value, or remove the whole entity"),
            Self::MovedAway => ("moved away", "set another value for it in the same batch"),
            Self::SplitOff => ("split off", "make it optional first"),
        };
        Violation::new(Rule::Required, advice, found).about(definition)
    }
}

/// What an entity lacks that is to be saved with these values.
pub(crate) fn missing(catalog: &Catalog, entity: &EntityKey, given: impl Fn(DefinitionId) -> bool) -> Vec<Violation> {
    let lacks = catalog.required_of(entity.entity_type()).filter(|id| !given(*id));
    lacks.filter_map(|id| catalog.get(id)).map(|definition| Lack::NotSaved.of(definition)).collect()
}

impl Planner<'_> {
    /// Notes that a change took a value from an entity. Whether the change may do so is known at the end of the batch, which can
    /// give the entity another value.
    pub(super) fn note_taken(&mut self, place: usize, entity: &EntityKey, definition: DefinitionId, how: Lack) {
        let is_required = self.catalog.get(definition).is_some_and(|definition| definition.rules().required);
        if let Some(work) = self.working.index(entity).filter(|_| is_required) {
            self.taken_values.push(TakenValue { place, work, definition, how });
        }
    }

    /// Refuses entities that the batch creates without a required value, and those that it takes one from.
    pub(super) fn check_required(&mut self) {
        let missing = self.not_given();
        if !missing.is_empty() {
            self.refuse_missing(&missing);
        }
        let mut judged = HashSet::default();
        // The last change of a value decides.
        for TakenValue { place, work, definition, how } in std::mem::take(&mut self.taken_values).into_iter().rev() {
            let is_last = judged.insert((work, definition));
            let work = &self.working.works[work];
            let was_held = work.before.as_ref().is_some_and(|before| before.get(definition).is_some());
            let is_allowed = match how {
                Lack::Removed => work.after.is_empty(),
                Lack::Allowed => true,
                _ => false,
            };
            if !is_last || !was_held || is_allowed || work.after.get(definition).is_some() {
                continue;
            }
            if let Some(definition) = self.catalog.get(definition).filter(|definition| definition.rules().required) {
                self.violations.push(how.of(definition).at(place, Some(work.after.key())));
            }
        }
    }

    /// Each entity that held nothing before the batch, holds something after it, and lacks a required value; but for those that
    /// are taken back to what they were.
    fn not_given(&self) -> Vec<(usize, DefinitionId)> {
        let mut missing = Vec::new();
        for (index, work) in self.working.works.iter().enumerate() {
            let is_created = work.before.as_ref().is_none_or(|before| before.is_empty()) && !work.after.is_empty();
            if is_created {
                let required = self.catalog.required_of(work.after.key().entity_type());
                missing.extend(required.filter(|id| work.after.get(*id).is_none()).map(|id| (index, id)));
            }
        }
        if !missing.is_empty() {
            let changes = self.batch.changes().iter();
            let restored = changes.filter_map(|change| match change {
                Change::RestoreValue { entity, .. } | Change::RestoreAbsence { entity, .. } => Some(entity),
                _ => None,
            });
            let restored: HashSet<_> = restored.collect();
            missing.retain(|(index, _)| !restored.contains(self.working.works[*index].after.key()));
        }
        missing
    }

    /// Each is reported at the first change of its entity, unless another violation of the value says already why it is not there.
    fn refuse_missing(&mut self, missing: &[(usize, DefinitionId)]) {
        let mut first_places = HashMap::default();
        for (place, change) in self.batch.changes().iter().enumerate() {
            if let Some(entity) = change.entity() {
                first_places.entry(entity).or_insert(place);
            }
        }
        let said: HashSet<_> = self.violations.iter().map(|violation| (&violation.entity, &violation.attribute)).collect();
        let mut violations = Vec::new();
        for (index, id) in missing {
            let (key, definition) = (self.working.works[*index].after.key(), self.catalog.get(*id));
            let violation = definition.map(|definition| Lack::NotGiven.of(definition));
            if let Some((violation, place)) = violation.zip(first_places.get(key)) {
                let violation = violation.at(*place, Some(key));
                if !said.contains(&(&violation.entity, &violation.attribute)) {
                    violations.push(violation);
                }
            }
        }
        self.violations.extend(violations);
    }
}
