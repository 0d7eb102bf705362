//! How the reference model merges attributes, and splits values off.

use custom_attributes::{Outcome, Rule, Value};

use crate::reference::Key;
use crate::rules::{Fault, bind_held, converted};
use crate::writing::Writing;

impl Writing<'_> {
    pub(super) fn pair(&mut self, place: usize, of: &'static str, from: &str, into: &str) -> Option<(u32, u32)> {
        if !self.is_type(Some(place), of) {
            return None;
        }
        let (from, into) = (self.resolve(place, None, of, from), self.resolve(place, None, of, into));
        from.zip(into)
    }

    pub(super) fn merge(&mut self, place: usize, from: u32, into: u32, clears: bool) {
        if from == into {
            return self.did(Outcome::Unchanged, Some(into), None);
        }
        let spec = self.definition(from).spec.clone();
        let used_by = spec.documentation.used_by.join(", ");
        if !used_by.is_empty() {
            let advice = "take its dependents out of its documentation first if they can do without it";
            self.break_rule(place, None, &spec.name, Fault::new(Rule::InUse, advice, format!("used by {used_by}")));
        }
        self.sweep(from, into);
        let target = self.definition(into).spec.name.clone();
        for (key, value) in self.holders(from) {
            match self.moved(&key, into, &value) {
                Ok(moved) => {
                    self.take(&key, from);
                    if let Some(moved) = moved {
                        self.hold(&key, into, moved);
                    }
                }
                Err(_) if clears && !spec.rules.required => _ = self.take(&key, from),
                Err(fault) => self.break_rule(place, Some(&key), &target, fault),
            }
        }
        self.take_over(from, into);
        self.next.definitions.remove(&from);
        self.touch(from, place);
        self.altered_at.push((into, place));
        self.did(Outcome::Updated, Some(into), None);
    }

    pub(super) fn split(&mut self, place: usize, from: u32, into: u32) {
        if from == into {
            return self.did(Outcome::Unchanged, Some(into), None);
        }
        self.sweep(from, into);
        let source = self.definition(from).spec.clone();
        let mut outcome = Outcome::Unchanged;
        for (key, value) in self.holders(from) {
            let Ok(Some(moved)) = self.moved(&key, into, &value) else { continue };
            if source.rules.required {
                let fault = Fault::new(Rule::Required, "make it optional first", "split off");
                self.break_rule(place, Some(&key), &source.name, fault);
            } else {
                self.take(&key, from);
                self.hold(&key, into, moved);
                outcome = Outcome::Updated;
            }
        }
        if outcome == Outcome::Updated {
            self.take_over(from, into);
        }
        self.altered_at.push((into, place));
        self.did(outcome, Some(into), None);
    }

    /// A definition keeps where its values came from, for those who erase them.
    fn take_over(&mut self, from: u32, into: u32) {
        let mut took_over = self.definition(from).took_over.clone();
        took_over.insert(from);
        let stamp = self.stamp();
        let definition = self.next.definitions.get_mut(&into).expect("it is there");
        if !took_over.is_subset(&definition.took_over) {
            definition.took_over.extend(took_over);
            definition.modified = stamp;
            if !self.touched.contains(&into) {
                self.touched.push(into);
            }
        }
    }

    /// What is made of values of a definition that was there before is made of all of them.
    pub(super) fn sweep(&mut self, from: u32, into: u32) {
        if self.before.definitions.contains_key(&from) || self.swept.contains(&from) {
            self.swept.extend([from, into]);
        }
    }

    fn holders(&self, id: u32) -> Vec<(Key, Value)> {
        let entities = self.next.entities.iter();
        entities.filter_map(|(key, entity)| Some((key.clone(), entity.values.get(&id)?.value.clone()))).collect()
    }

    /// A value as one of another definition; none if that is held already.
    fn moved(&self, key: &Key, into: u32, value: &Value) -> Result<Option<Value>, Fault> {
        let spec = &self.definition(into).spec;
        let by_value = self.numbers_by_value;
        let is_same_type = value.data_type() == spec.data_type;
        let moved = if is_same_type { value.clone() } else { converted(value, spec.data_type, by_value)? };
        let moved = bind_held(spec, moved)?;
        match self.held(key, into) {
            None => Ok(Some(moved)),
            // A text that became a number is not lost to another text of that number.
            Some(other) if other == moved && (is_same_type || by_value || other.to_string() == value.to_string()) => Ok(None),
            Some(other) => Err(Fault::new(Rule::Merge, format!("{:?}", other.to_string()), value)),
        }
    }
}
