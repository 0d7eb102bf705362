//! How the reference model makes, changes and deletes definitions.

use std::collections::BTreeSet;

use custom_attributes::{DefinitionSpec, Offending, Outcome, Rule};

use crate::alphabet::{NOTE, UNDEFINED_CHARS, displayed};
use crate::reference::{Key, ModelDefinition, ModelEntity, ModelValue};
use crate::rules::{Fault, ask_the_same, declare, settled, shown_name};
use crate::writing::Writing;

impl Writing<'_> {
    pub(super) fn name_taken(&self, of: &str, except: Option<u32>, name: &str) -> Option<Fault> {
        let (id, holder) = self.next.find(of, name)?;
        (Some(id) != except).then(|| Fault::new(Rule::NameUnique, &holder.spec.name, displayed(name)))
    }

    pub(super) fn define(&mut self, place: usize, key: Option<&Key>, of: &'static str, given: &DefinitionSpec) -> Option<u32> {
        let declared = declare(given).map_err(|faults| (given.name.clone(), faults));
        let declared = declared.and_then(|spec| match self.name_taken(of, None, &spec.name) {
            Some(fault) => Err((spec.name, vec![fault])),
            None => Ok(spec),
        });
        let spec = match declared {
            Ok(spec) => spec,
            Err((name, faults)) => {
                let name = shown_name(&name);
                faults.into_iter().for_each(|fault| self.refuse(Some(place), key, Some(&name), fault));
                return None;
            }
        };
        self.next.last_definition += 1;
        let (id, stamp) = (self.next.last_definition, self.stamp());
        self.next
            .definitions
            .insert(id, ModelDefinition { of, spec, created: stamp.clone(), modified: stamp, took_over: BTreeSet::new() });
        self.touch(id, place);
        self.declared.push(id);
        Some(id)
    }

    pub(super) fn touch(&mut self, id: u32, place: usize) {
        self.altered_at.push((id, place));
        if !self.touched.contains(&id) {
            self.touched.push(id);
        }
    }

    /// Leaves a definition that is needed as it is, if it has the type, and the declaration makes sense.
    pub(super) fn keep_definition(&mut self, place: usize, id: u32, needed: &DefinitionSpec) {
        let found = self.definition(id).spec.clone();
        if needed.data_type != found.data_type {
            let fault = Fault::new(Rule::DefinedDataType, found.data_type, needed.data_type);
            return self.refuse(Some(place), None, Some(&found.name), fault);
        }
        if let Err(faults) = declare(needed) {
            let name = shown_name(&needed.name);
            return faults.into_iter().for_each(|fault| self.refuse(Some(place), None, Some(&name), fault));
        }
        self.declared.push(id);
        self.did(Outcome::Unchanged, Some(id), None);
    }

    pub(super) fn redefine(&mut self, place: usize, id: u32, given: DefinitionSpec, conversion: Option<Offending>) {
        let older = self.definition(id).clone();
        if given.data_type != older.spec.data_type && conversion.is_none() {
            let fault = Fault::new(Rule::DefinedDataType, older.spec.data_type, given.data_type);
            return self.refuse(Some(place), None, Some(&older.spec.name), fault);
        }
        let spec = match declare(&given) {
            Ok(spec) => spec,
            Err(faults) => {
                let name = shown_name(&given.name);
                return faults.into_iter().for_each(|fault| self.refuse(Some(place), None, Some(&name), fault));
            }
        };
        if let Some(fault) = self.name_taken(older.of, Some(id), &spec.name) {
            return self.refuse(Some(place), None, Some(&spec.name), fault);
        }
        self.declared.push(id);
        if spec == older.spec {
            return self.did(Outcome::Unchanged, Some(id), None);
        }
        if spec.data_type != older.spec.data_type || !ask_the_same(&older.spec, &spec) {
            self.settle_held(place, id, &spec, conversion == Some(Offending::Clear), 0);
        }
        let newer = ModelDefinition { spec, modified: self.stamp(), ..older };
        self.next.definitions.insert(id, newer);
        self.touch(id, place);
        self.did(Outcome::Updated, Some(id), None);
    }

    /// Values that are held follow their definition: as they are, converted, or, where they cannot, away. Those that were set by
    /// this commit or before it stood under the definition once, and stay.
    pub(super) fn settle_held(&mut self, place: usize, id: u32, spec: &DefinitionSpec, clears: bool, stood: u64) {
        self.has_settled = true;
        self.sweep(id, id);
        let by_value = self.numbers_by_value;
        let settled = |held: &ModelValue| if held.modified <= stood { Ok(None) } else { settled(spec, &held.value, by_value) };
        let moves = |entity: &ModelEntity| entity.values.get(&id).is_some_and(|was| !matches!(settled(was), Ok(None)));
        self.meet(moves);
        let holders = self.next.entities.iter().filter_map(|(key, entity)| Some((key.clone(), entity.values.get(&id)?.clone())));
        for (key, held) in holders.collect::<Vec<_>>() {
            // What is set or cleared later is not asked what it is now.
            if self.to_come.iter().any(|(later, other, other_id)| *later > place && *other == key && *other_id == id) {
                continue;
            }
            match settled(&held) {
                Ok(None) => {}
                Ok(Some(value)) => {
                    let converted = ModelValue { value, created: held.created, modified: self.commit.id };
                    self.next.entities.entry(key).or_default().values.insert(id, converted);
                }
                Err(_) if clears && !spec.rules.required => _ = self.take(&key, id),
                Err(fault) => self.break_rule(place, Some(&key), &spec.name, fault),
            }
        }
    }

    /// Comes upon entities that were there before, in the order of their first writing.
    pub(super) fn meet(&mut self, wanted: impl Fn(&ModelEntity) -> bool) {
        for (key, _) in self.before.living(None).into_iter().filter(|(_, entity)| wanted(entity)) {
            if !self.met.contains(key) {
                self.met.push(key.clone());
            }
        }
    }

    pub(super) fn delete(&mut self, place: usize, id: u32, with_values: bool) {
        let spec = self.definition(id).spec.clone();
        let holders = self.next.entities.values_mut().filter(|entity| entity.values.contains_key(&id));
        if with_values {
            holders.for_each(|entity| _ = entity.values.remove(&id));
            self.meet(|entity| entity.values.contains_key(&id));
        } else {
            let (count, used_by) = (holders.count(), &spec.documentation.used_by);
            if count > 0 || !used_by.is_empty() {
                let hold = if count == 1 { "entity holds" } else { "entities hold" };
                let used_by = if used_by.is_empty() { String::new() } else { format!(", used by {}", used_by.join(", ")) };
                let fault = Fault::new(
                    Rule::InUse,
                    "delete it with its values if that is meant",
                    format!("{count} {hold} a value{used_by}"),
                );
                self.break_rule(place, None, &spec.name, fault);
            }
        }
        self.next.definitions.remove(&id);
        self.touch(id, place);
        self.did(Outcome::Cleared, Some(id), None);
    }

    pub(super) fn resolve(&mut self, place: usize, key: Option<&Key>, of: &str, name: &str) -> Option<u32> {
        let found = self.next.find(of, name).map(|(id, _)| id);
        if found.is_none() {
            self.refuse(Some(place), key, Some(name), Fault::wordless(Rule::Defined));
        }
        found
    }

    pub(super) fn resolve_or_define(&mut self, place: usize, key: &Key, name: &str) -> Option<u32> {
        if key.of == NOTE && self.next.find(NOTE, name).is_none() {
            return self.define(place, Some(key), NOTE, &DefinitionSpec::string(name).maximum_chars(UNDEFINED_CHARS));
        }
        self.resolve(place, Some(key), key.of, name)
    }
}
