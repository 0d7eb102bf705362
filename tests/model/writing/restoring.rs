//! How the reference model writes what brings the past back.

use custom_attributes::{Instant, Outcome, Value};

use crate::asked::{not_found, refusal};
use crate::past::{Restoration, Step};
use crate::reference::{Key, Model, ModelDefinition, next_commit};
use crate::rules::{ask_the_same, converted};
use crate::shapes::{Receipt, Refusal};
use crate::writing::Writing;
use crate::writing::required::Taking;

impl Model {
    pub(crate) fn restore(
        &mut self,
        at: Instant,
        actor: Option<&str>,
        note: &str,
        restoration: &Restoration,
    ) -> Result<Receipt, Refusal> {
        if let Some(expected) = restoration.catalog.filter(|expected| *expected != self.catalog) {
            return Err(refusal(Vec::new(), vec![(None, expected, self.catalog)], false));
        }
        let commit = next_commit(self, at, actor, Some(note));
        let written = Writing::done(self, &commit, |writing| {
            writing.expected.clone_from(&restoration.expected);
            restoration.steps.iter().enumerate().try_for_each(|(place, step)| writing.step(place, step))
        })?;
        self.keep(written, false)
    }
}

impl Writing<'_> {
    fn step(&mut self, place: usize, step: &Step) -> Result<(), Refusal> {
        match step {
            Step::Definitions(all, as_of) => self.restore_definitions(place, all, *as_of),
            Step::Put { id, value: Some(_), .. } if !self.next.definitions.contains_key(id) => {
                // Where its definition could not come back, that is what is said.
                return if self.refused.is_empty() { Err(not_found()) } else { Ok(()) };
            }
            Step::Put { key, id, value: Some(value) } => self.put_back(place, key, *id, value),
            Step::Put { key, id, value: None } => {
                self.goes_back(place, key, *id);
                let outcome = if self.take(key, *id) { Outcome::Cleared } else { Outcome::Unchanged };
                self.took(place, key, *id, Taking::Back);
                self.did(outcome, Some(*id), Some(key));
            }
        }
        Ok(())
    }

    fn goes_back(&mut self, place: usize, key: &Key, id: u32) {
        self.name_at(place, key);
        self.overwrites.push((place, key.clone(), id));
        self.restored.push(key.clone());
    }

    /// No rule is asked; only the type must be able to hold it.
    fn put_back(&mut self, place: usize, key: &Key, id: u32, value: &Value) {
        let spec = self.definition(id).spec.clone();
        let same_type = value.data_type() == spec.data_type;
        match if same_type { Ok(value.clone()) } else { converted(value, spec.data_type, false) } {
            Ok(value) => {
                self.goes_back(place, key, id);
                let outcome = self.put(place, key, id, value);
                self.did(outcome, Some(id), Some(key));
            }
            Err(fault) => self.refuse(Some(place), Some(key), Some(&spec.name), fault),
        }
    }

    /// All at once: of their names as they are now none stands in the way.
    fn restore_definitions(&mut self, place: usize, all: &[(u32, Option<ModelDefinition>)], as_of: u64) {
        let now: Vec<_> = all.iter().map(|(id, _)| self.next.definitions.remove(id)).collect();
        let back = all.iter().filter_map(|(id, then)| Some((id, then.as_ref()?)));
        let taken =
            back.filter_map(|(id, then)| Some((then.spec.name.clone(), self.name_taken(then.of, Some(*id), &then.spec.name)?)));
        let taken: Vec<_> = taken.collect();
        if !taken.is_empty() {
            return taken.into_iter().for_each(|(name, fault)| self.refuse(Some(place), None, Some(&name), fault));
        }
        let mut outcomes = Vec::new();
        for ((id, then), now) in all.iter().zip(now) {
            let outcome = match (&now, then) {
                (None, None) => Outcome::Unchanged,
                (None, Some(_)) => Outcome::Created,
                (Some(now), None) => {
                    self.vacated.push((place, *id, now.spec.name.clone()));
                    Outcome::Cleared
                }
                (Some(now), Some(then)) if now.spec == then.spec => Outcome::Unchanged,
                (Some(now), Some(then)) => {
                    if now.spec.data_type != then.spec.data_type || !ask_the_same(&now.spec, &then.spec) {
                        self.settle_held(place, *id, &then.spec, false, as_of);
                    }
                    Outcome::Updated
                }
            };
            outcomes.push(outcome);
            self.declared.push(*id);
            if outcome == Outcome::Unchanged {
                self.next.definitions.extend(now.map(|now| (*id, now)));
                continue;
            }
            let (stamp, took_over) = (self.stamp(), now.map(|now| now.took_over));
            let then = then.clone().map(|then| {
                let took_over = took_over.unwrap_or_else(|| then.took_over.clone());
                (*id, ModelDefinition { modified: stamp, took_over, ..then })
            });
            self.next.definitions.extend(then);
            self.touch(*id, place);
        }
        match (&outcomes[..], all) {
            ([outcome], [(id, _)]) => self.did(*outcome, Some(*id), None),
            (outcomes, _) if outcomes.iter().all(|one| *one == Outcome::Unchanged) => self.did(Outcome::Unchanged, None, None),
            _ => self.did(Outcome::Updated, None, None),
        }
    }
}
