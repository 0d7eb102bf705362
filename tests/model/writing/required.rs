//! How the reference model holds entities to what they must have: by what they hold when all is done.

use custom_attributes::Rule;

use crate::asked::violation;
use crate::reference::Key;
use crate::rules::Fault;
use crate::writing::Writing;

/// How a value was taken from an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taking {
    Cleared,
    Moved,
    WithAll,
    Back,
}

impl Writing<'_> {
    pub(super) fn required_of(&self, of: &str) -> Vec<(u32, String)> {
        let required = self.next.definitions.iter().filter(|(_, one)| one.of == of && one.spec.rules.required);
        required.map(|(id, one)| (*id, one.spec.name.clone())).collect()
    }

    pub(super) fn took(&mut self, place: usize, key: &Key, id: u32, taking: Taking) {
        if self.required_of(key.of).iter().any(|(required, _)| *required == id) {
            self.taken.push((place, key.clone(), id, taking));
        }
    }

    pub(super) fn check_vacated(&mut self) {
        for (place, id, name) in std::mem::take(&mut self.vacated) {
            let count = self.next.entities.values().filter(|entity| entity.values.contains_key(&id)).count();
            if count > 0 {
                let hold = if count == 1 { "entity holds" } else { "entities hold" };
                let found = format!("{count} {hold} a value");
                let fault = Fault::new(Rule::InUse, "delete it with its values if that is meant", found);
                self.break_rule(place, None, &name, fault);
            }
        }
    }

    pub(super) fn check_required(&mut self) {
        let mut found = Vec::new();
        for key in self.named.clone() {
            let held = |entity: Option<&crate::reference::ModelEntity>| {
                entity.map(|entity| entity.values.keys().copied().collect::<Vec<_>>()).unwrap_or_default()
            };
            let (before, after) = (held(self.before.entity(&key)), held(self.next.entity(&key)));
            for (id, name) in self.required_of(key.of).into_iter().filter(|(id, _)| !after.contains(id)) {
                if before.is_empty() && !after.is_empty() && !self.restored.contains(&key) {
                    found.extend(self.not_given(&key, id, &name));
                }
                let last = self.taken.iter().rev().find(|(_, taken, taken_id, _)| *taken == key && *taken_id == id);
                let is_given = self.unseen.contains(&(key.clone(), id));
                if let Some((place, _, _, taking)) = last.filter(|_| before.contains(&id) && !is_given) {
                    let (limit, text) = match taking {
                        Taking::Moved => ("set another value for it in the same batch", "moved away"),
                        Taking::WithAll if after.is_empty() => continue,
                        Taking::Back => continue,
                        Taking::Cleared | Taking::WithAll => ("set another value, or remove the whole entity", "cleared"),
                    };
                    found.push(violation(Some(*place), Some(&key), Some(&name), Fault::new(Rule::Required, limit, text)));
                }
            }
        }
        self.broken.extend(found);
    }

    /// What is missing in a new entity, if nothing else was wrong with it.
    fn not_given(&self, key: &Key, id: u32, name: &str) -> Option<crate::shapes::Violation> {
        let entity = Some(key.to_string());
        let is_said = self.broken.iter().any(|other| other.entity == entity && other.attribute.as_deref() == Some(name));
        if is_said || self.unseen.contains(&(key.clone(), id)) {
            return None;
        }
        let place = self.first_at.iter().find(|(other, _)| other == key).map(|(_, place)| *place);
        let fault = Fault::new(Rule::Required, "set it in the batch that creates the entity", "missing");
        Some(violation(place, Some(key), Some(name), fault))
    }
}
