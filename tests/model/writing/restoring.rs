//! How the reference model writes what brings the past back.

use custom_attributes::{Instant, Offending, Outcome};

use crate::asked::{not_found, refusal};
use crate::past::{Restoration, Step};
use crate::reference::{Model, ModelDefinition, next_commit};
use crate::shapes::{Receipt, Refusal};
use crate::writing::Writing;

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
            Step::Restore(id, definition) => self.restore(place, *id, definition),
            Step::Change { of, name, spec } => {
                if let Some(id) = self.resolve(place, None, of, name) {
                    self.redefine(place, id, spec.clone(), Some(Offending::Refuse));
                }
            }
            Step::Delete { of, name } => {
                if let Some(id) = self.resolve(place, None, of, name) {
                    self.delete(place, id, false);
                }
            }
            Step::Aside { id, name } => {
                let stamp = self.stamp();
                if let Some(definition) = self.next.definitions.get_mut(id) {
                    definition.spec.name.clone_from(name);
                    definition.modified = stamp;
                }
                self.touch(*id, place);
                self.declared.push(*id);
            }
            Step::Put { id, .. } if !self.next.definitions.contains_key(id) => {
                // Where its definition could not come back, that is what is said.
                return if self.refused.is_empty() { Err(not_found()) } else { Ok(()) };
            }
            Step::Put { key, id, value: Some(value) } => self.set(place, key, *id, Ok(value.clone())),
            Step::Put { key, id, value: None } => self.clear(place, key, *id),
        }
        Ok(())
    }

    fn restore(&mut self, place: usize, id: u32, definition: &ModelDefinition) {
        if let Some(fault) = self.taken(definition.of, Some(id), &definition.spec.name) {
            return self.refuse(Some(place), None, Some(&definition.spec.name), fault);
        }
        let restored = ModelDefinition { modified: self.stamp(), ..definition.clone() };
        self.next.definitions.insert(id, restored);
        self.touch(id, place);
        self.declared.push(id);
        self.did(Outcome::Created, Some(id), None);
    }
}
