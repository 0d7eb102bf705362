//! How the reference model writes: a batch is done change by change on a copy.

use custom_attributes::{DefinitionSpec, Instant, Outcome, Rule, Value};

use crate::alphabet::{BAD_TYPE, COMMIT_CHARS, NOTE, UNDEFINED_CHARS, displayed};
use crate::asked::{Asked, expected_revision, not_found, refusal, violation};
use crate::operations::{Change, KeyGiven, touched};
use crate::reference::{Key, Model, ModelDefinition, ModelValue, next_commit, stamp_of, value_id};
use crate::rules::{Fault, admits, ask_the_same, bind, declare, read};
use crate::shapes::{Applied, Commit, Receipt, Refusal, Stamp, Violation};

/// A batch in the model's terms.
pub(crate) struct Writing<'a> {
    before: &'a Model,
    next: Model,
    commit: Commit,
    /// What is wrong whatever the entities hold: such a change is passed over.
    refused: Vec<Violation>,
    /// What is wrong for what is held: such a change is gone on with, to find what else is wrong.
    broken: Vec<Violation>,
    changes: Vec<(Applied, Option<Key>)>,
    named: Vec<Key>,
    touched: Vec<u32>,
    /// Which change last set a value, or last changed a definition.
    set_at: Vec<(Key, u32, usize)>,
    altered_at: Vec<(u32, usize)>,
}

impl Model {
    pub(crate) fn write(&mut self, asked: &Asked<'_>) -> Result<Receipt, Refusal> {
        let mut writing = Writing::new(self, next_commit(self, asked.at, asked.actor, asked.note));
        for text in [asked.actor, asked.note].into_iter().flatten() {
            if text.chars().count() > COMMIT_CHARS || text.contains('\0') {
                writing.refuse(None, None, None, Fault::wordless(Rule::Commit));
            }
        }
        let mut expected = Vec::new();
        for (key, revision) in asked.expected {
            if let Some(found) = writing.key(None, *key) {
                expected.push((found, expected_revision(self, *key, *revision)));
            }
        }
        for (place, change) in asked.changes.iter().enumerate() {
            writing.change(place, change);
        }
        expected.iter().for_each(|(key, _)| writing.name(key));
        writing.check_unique();
        let Writing { next, commit, refused, broken, changes, named, touched, .. } = writing;
        let found = |(key, expected): &(Key, u64)| (Some(key.to_string()), *expected, self.revision(key));
        let moved: Vec<_> = expected.iter().map(found).filter(|(_, expected, found)| expected != found).collect();
        // Where an entity has moved, what it holds is not what the batch was made for.
        let broken = if moved.is_empty() { broken } else { Vec::new() };
        let violations: Vec<_> = refused.into_iter().chain(broken).collect();
        if !violations.is_empty() || !moved.is_empty() {
            return Err(refusal(violations, moved, asked.alone));
        }
        let id = self.settle(next, &commit, &named, &touched);
        let number = |(applied, key): (Applied, Option<Key>)| {
            let ordinal = key.and_then(|key| self.entity(&key)).map(|entity| entity.ordinal);
            Applied { value: ordinal.zip(applied.definition).map(|(ordinal, id)| value_id(ordinal, id)), ..applied }
        };
        Ok(Receipt {
            commit: id,
            at: asked.at,
            catalog: self.catalog,
            changes: changes.into_iter().map(number).collect(),
            entities: named.iter().map(|key| (key.to_string(), self.revision(key))).collect(),
        })
    }

    /// Sets or clears what has this id.
    pub(crate) fn write_by_id(&mut self, at: Instant, ordinal: u32, id: u32, value: Option<Value>) -> Result<Receipt, Refusal> {
        let held = self.located(ordinal).filter(|(_, entity)| entity.values.contains_key(&id));
        let Some(key) = held.map(|(key, _)| key.clone()) else { return Err(not_found()) };
        let mut writing = Writing::new(self, next_commit(self, at, None, None));
        match value {
            Some(value) => writing.set(0, &key, id, Ok(value)),
            None => writing.clear(0, &key, id),
        }
        writing.check_unique();
        let Writing { next, commit, refused, broken, changes, named, touched, .. } = writing;
        let violations: Vec<_> = refused.into_iter().chain(broken).collect();
        if !violations.is_empty() {
            return Err(refusal(violations, Vec::new(), true));
        }
        let commit = self.settle(next, &commit, &named, &touched);
        let changes = changes.into_iter().map(|(applied, _)| Applied { value: Some(value_id(ordinal, id)), ..applied }).collect();
        let entities = vec![(key.to_string(), self.revision(&key))];
        Ok(Receipt { commit, at, catalog: self.catalog, changes, entities })
    }
}

impl<'a> Writing<'a> {
    fn new(before: &'a Model, commit: Commit) -> Self {
        Self {
            before,
            next: before.clone(),
            commit,
            refused: Vec::new(),
            broken: Vec::new(),
            changes: Vec::new(),
            named: Vec::new(),
            touched: Vec::new(),
            set_at: Vec::new(),
            altered_at: Vec::new(),
        }
    }

    fn refuse(&mut self, place: Option<usize>, key: Option<&Key>, attribute: Option<&str>, fault: Fault) {
        self.refused.push(violation(place, key, attribute, fault));
    }

    fn break_rule(&mut self, place: usize, key: Option<&Key>, attribute: &str, fault: Fault) {
        self.broken.push(violation(Some(place), key, Some(attribute), fault));
    }

    fn stamp(&self) -> Stamp {
        stamp_of(&self.commit)
    }

    fn name(&mut self, key: &Key) {
        if !self.named.contains(key) {
            self.named.push(key.clone());
        }
    }

    fn did(&mut self, outcome: Outcome, definition: Option<u32>, key: Option<&Key>) {
        self.changes.push((Applied { outcome, definition, value: None }, key.cloned()));
    }

    fn definition(&self, id: u32) -> &ModelDefinition {
        &self.next.definitions[&id]
    }

    fn is_type(&mut self, place: Option<usize>, of: &str) -> bool {
        if of == BAD_TYPE {
            self.refuse(place, None, None, Fault::wordless(Rule::EntityType));
        }
        of != BAD_TYPE
    }

    fn key(&mut self, place: Option<usize>, (of, id): KeyGiven) -> Option<Key> {
        if !self.is_type(place, of) {
            return None;
        }
        if !id.is_good() {
            self.refuse(place, None, None, Fault::wordless(Rule::EntityId));
            return None;
        }
        Some(Key::new(of, id))
    }

    fn change(&mut self, place: usize, change: &Change) {
        match change {
            Change::Define { of, spec } => {
                if self.is_type(Some(place), of)
                    && let Some(id) = self.define(place, None, of, spec)
                {
                    self.did(Outcome::Created, Some(id), None);
                }
            }
            Change::Ensure { of, spec } => {
                if !self.is_type(Some(place), of) {
                    return;
                }
                if let Some((id, _)) = self.next.find(of, &spec.name) {
                    self.redefine(place, id, spec.clone());
                } else if let Some(id) = self.define(place, None, of, spec) {
                    self.did(Outcome::Created, Some(id), None);
                }
            }
            Change::Alter { of, name, touches } => {
                if self.is_type(Some(place), of)
                    && let Some(id) = self.resolve(place, None, of, name)
                {
                    let spec = touched(self.definition(id).spec.clone(), touches);
                    self.redefine(place, id, spec);
                }
            }
            Change::Delete { of, name, with_values } => {
                if self.is_type(Some(place), of)
                    && let Some(id) = self.resolve(place, None, of, name)
                {
                    self.delete(place, id, *with_values);
                }
            }
            Change::Set { key, name, value } => self.set_by_name(place, *key, name, |_| Ok(value.clone())),
            Change::SetText { key, name, text } => self.set_by_name(place, *key, name, |spec| read(spec.data_type, text)),
            Change::Clear { key, name } => {
                let Some(key) = self.key(Some(place), *key) else { return };
                if let Some(id) = self.resolve(place, Some(&key), key.of, name) {
                    self.clear(place, &key, id);
                }
            }
            Change::Move { key, from, to } => {
                let Some(key) = self.key(Some(place), *key) else { return };
                let from = self.resolve(place, Some(&key), key.of, from);
                let to = self.resolve_or_define(place, &key, to);
                if let (Some(from), Some(to)) = (from, to) {
                    self.move_value(place, &key, from, to);
                }
            }
            Change::Save { key, values } => {
                let Some(key) = self.key(Some(place), *key) else { return };
                self.save(place, &key, values);
            }
            Change::Remove { key } => {
                let Some(key) = self.key(Some(place), *key) else { return };
                self.name(&key);
                let values = &mut self.next.entities.entry(key.clone()).or_default().values;
                let outcome = if values.is_empty() { Outcome::Unchanged } else { Outcome::Cleared };
                values.clear();
                self.did(outcome, None, Some(&key));
            }
        }
    }

    fn taken(&self, of: &str, except: Option<u32>, name: &str) -> Option<Fault> {
        let (id, holder) = self.next.find(of, name)?;
        (Some(id) != except).then(|| Fault::new(Rule::NameUnique, &holder.spec.name, displayed(name)))
    }

    fn define(&mut self, place: usize, key: Option<&Key>, of: &'static str, given: &DefinitionSpec) -> Option<u32> {
        let declared = declare(given).map_err(|faults| (given.name.clone(), faults));
        let declared = declared.and_then(|spec| match self.taken(of, None, &spec.name) {
            Some(fault) => Err((spec.name, vec![fault])),
            None => Ok(spec),
        });
        let spec = match declared {
            Ok(spec) => spec,
            Err((name, faults)) => {
                let name = if crate::rules::name_fault(&name).is_none() { displayed(&name) } else { name };
                faults.into_iter().for_each(|fault| self.refuse(Some(place), key, Some(&name), fault));
                return None;
            }
        };
        self.next.last_definition += 1;
        let (id, stamp) = (self.next.last_definition, self.stamp());
        self.next.definitions.insert(id, ModelDefinition { of, spec, created: stamp.clone(), modified: stamp });
        self.touch(id, place);
        Some(id)
    }

    fn touch(&mut self, id: u32, place: usize) {
        self.altered_at.push((id, place));
        if !self.touched.contains(&id) {
            self.touched.push(id);
        }
    }

    fn redefine(&mut self, place: usize, id: u32, given: DefinitionSpec) {
        let older = self.definition(id).clone();
        if given.data_type != older.spec.data_type {
            let fault = Fault::new(Rule::DefinedDataType, older.spec.data_type, given.data_type);
            return self.refuse(Some(place), None, Some(&older.spec.name), fault);
        }
        let spec = match declare(&given) {
            Ok(spec) => spec,
            Err(faults) => {
                let is_name = crate::rules::name_fault(&given.name).is_none();
                let name = if is_name { displayed(&given.name) } else { given.name };
                return faults.into_iter().for_each(|fault| self.refuse(Some(place), None, Some(&name), fault));
            }
        };
        if let Some(fault) = self.taken(older.of, Some(id), &spec.name) {
            return self.refuse(Some(place), None, Some(&spec.name), fault);
        }
        if spec == older.spec {
            return self.did(Outcome::Unchanged, Some(id), None);
        }
        if !ask_the_same(&older.spec, &spec) {
            let held =
                self.next.entities.iter().filter_map(|(key, entity)| Some((key.clone(), entity.values.get(&id)?.value.clone())));
            for (key, value) in held.collect::<Vec<_>>() {
                if let Some(fault) = admits(&spec, &value) {
                    self.break_rule(place, Some(&key), &spec.name, fault);
                }
            }
        }
        let newer = ModelDefinition { spec, modified: self.stamp(), ..older };
        self.next.definitions.insert(id, newer);
        self.touch(id, place);
        self.did(Outcome::Updated, Some(id), None);
    }

    fn delete(&mut self, place: usize, id: u32, with_values: bool) {
        let spec = self.definition(id).spec.clone();
        let holders = self.next.entities.values_mut().filter(|entity| entity.values.contains_key(&id));
        if with_values {
            holders.for_each(|entity| _ = entity.values.remove(&id));
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

    fn resolve(&mut self, place: usize, key: Option<&Key>, of: &str, name: &str) -> Option<u32> {
        let found = self.next.find(of, name).map(|(id, _)| id);
        if found.is_none() {
            self.refuse(Some(place), key, Some(name), Fault::wordless(Rule::Defined));
        }
        found
    }

    fn resolve_or_define(&mut self, place: usize, key: &Key, name: &str) -> Option<u32> {
        if key.of == NOTE && self.next.find(NOTE, name).is_none() {
            return self.define(place, Some(key), NOTE, &DefinitionSpec::string(name).maximum_chars(UNDEFINED_CHARS));
        }
        self.resolve(place, Some(key), key.of, name)
    }

    fn set_by_name(&mut self, place: usize, key: KeyGiven, name: &str, value: impl Fn(&DefinitionSpec) -> Result<Value, Fault>) {
        let Some(key) = self.key(Some(place), key) else { return };
        if let Some(id) = self.resolve_or_define(place, &key, name) {
            let value = value(&self.definition(id).spec);
            self.set(place, &key, id, value);
        }
    }

    fn set(&mut self, place: usize, key: &Key, id: u32, value: Result<Value, Fault>) {
        let spec = self.definition(id).spec.clone();
        match value.and_then(|value| bind(&spec, value)) {
            Ok(value) => {
                self.name(key);
                let outcome = self.put(place, key, id, value);
                self.did(outcome, Some(id), Some(key));
            }
            Err(fault) => self.refuse(Some(place), Some(key), Some(&spec.name), fault),
        }
    }

    fn put(&mut self, place: usize, key: &Key, id: u32, value: Value) -> Outcome {
        self.set_at.push((key.clone(), id, place));
        let commit = self.commit.id;
        let values = &mut self.next.entities.entry(key.clone()).or_default().values;
        match values.get_mut(&id) {
            Some(held) if held.value == value => Outcome::Unchanged,
            Some(held) => {
                *held = ModelValue { value, created: held.created, modified: commit };
                Outcome::Updated
            }
            None => {
                values.insert(id, ModelValue { value, created: commit, modified: commit });
                Outcome::Created
            }
        }
    }

    fn held(&self, key: &Key, id: u32) -> Option<Value> {
        Some(self.next.entity(key)?.values.get(&id)?.value.clone())
    }

    fn take(&mut self, key: &Key, id: u32) -> bool {
        self.next.entities.get_mut(key).is_some_and(|entity| entity.values.remove(&id).is_some())
    }

    fn clear(&mut self, place: usize, key: &Key, id: u32) {
        self.name(key);
        let was_there = self.take(key, id);
        let spec = &self.definition(id).spec;
        if was_there && spec.rules.required {
            let (name, fault) = (spec.name.clone(), Fault::new(Rule::Required, "it cannot be cleared", "it was to be"));
            self.break_rule(place, Some(key), &name, fault);
        }
        self.did(if was_there { Outcome::Cleared } else { Outcome::Unchanged }, Some(id), Some(key));
    }

    fn move_value(&mut self, place: usize, key: &Key, from: u32, to: u32) {
        self.name(key);
        let (source, target) = (self.definition(from).spec.clone(), self.definition(to).spec.clone());
        if from == to {
            return self.did(Outcome::Unchanged, Some(to), Some(key));
        }
        let Some(value) = self.held(key, from) else {
            return self.break_rule(place, Some(key), &source.name, Fault::wordless(Rule::Held));
        };
        if let Some(there) = self.held(key, to) {
            self.break_rule(place, Some(key), &target.name, Fault::new(Rule::Vacant, &source.name, there));
        }
        if source.rules.required {
            let fault = Fault::new(Rule::Required, "it cannot be moved away", "it was to be");
            self.break_rule(place, Some(key), &source.name, fault);
        }
        match bind(&target, value) {
            Ok(value) => {
                self.take(key, from);
                let outcome = self.put(place, key, to, value);
                self.did(outcome, Some(to), Some(key));
            }
            Err(fault) => self.break_rule(place, Some(key), &target.name, fault),
        }
    }

    fn save(&mut self, place: usize, key: &Key, values: &[(&'static str, Value)]) {
        let refused = self.refused.len();
        let (mut given, mut bound) = (Vec::new(), Vec::<(u32, Value)>::new());
        for (name, value) in values {
            let Some(id) = self.resolve_or_define(place, key, name) else { continue };
            given.push(id);
            let spec = self.definition(id).spec.clone();
            match bind(&spec, value.clone()) {
                Err(fault) => self.refuse(Some(place), Some(key), Some(&spec.name), fault),
                Ok(_) if bound.iter().any(|(other, _)| *other == id) => {
                    self.refuse(Some(place), Some(key), Some(&spec.name), Fault::wordless(Rule::Once));
                }
                Ok(value) => bound.push((id, value)),
            }
        }
        let is_refused = self.refused.len() > refused;
        let missing =
            self.next.definitions.iter().filter(|(id, one)| one.of == key.of && one.spec.rules.required && !given.contains(id));
        for name in missing.map(|(_, one)| one.spec.name.clone()).collect::<Vec<_>>() {
            let fault = Fault::new(Rule::Required, "an entity is not saved without it", "it is missing");
            if is_refused {
                self.refuse(Some(place), Some(key), Some(&name), fault);
            } else {
                self.break_rule(place, Some(key), &name, fault);
            }
        }
        if is_refused {
            return;
        }
        self.name(key);
        let held = self.next.entities.entry(key.clone()).or_default();
        let was_empty = held.values.is_empty();
        let all = held.values.len();
        held.values.retain(|id, _| given.contains(id));
        let mut changed = held.values.len() < all;
        for (id, value) in bound {
            changed |= self.put(place, key, id, value) != Outcome::Unchanged;
        }
        let outcome = match (changed, was_empty, values.is_empty()) {
            (false, ..) => Outcome::Unchanged,
            (true, true, _) => Outcome::Created,
            (true, false, true) => Outcome::Cleared,
            (true, false, false) => Outcome::Updated,
        };
        self.did(outcome, None, Some(key));
    }

    /// No two entities hold equal values of a unique attribute when all is done.
    fn check_unique(&mut self) {
        let unique = self.next.definitions.iter().filter(|(_, definition)| definition.spec.rules.unique);
        for (id, name) in unique.map(|(id, definition)| (*id, definition.spec.name.clone())).collect::<Vec<_>>() {
            let was_unique = self.before.definitions.get(&id).is_none_or(|was| was.spec.rules.unique);
            // Those that held it first come first: by ordinal, then as the batch names them.
            let mut keys: Vec<Key> = self.before.living(None).into_iter().map(|(key, _)| key.clone()).collect();
            keys.extend(self.named.iter().filter(|key| self.before.entity(key).is_none_or(|was| was.values.is_empty())).cloned());
            let held: Vec<(Key, Value)> = keys.iter().filter_map(|key| Some((key.clone(), self.held(key, id)?))).collect();
            let was = |key: &Key| self.before.entity(key).and_then(|entity| entity.values.get(&id)).map(|held| &held.value);
            let (kept, mut claimed): (Vec<_>, Vec<_>) =
                held.into_iter().partition(|(key, value)| !was_unique || was(key) == Some(value));
            if was_unique {
                claimed.sort_by_key(|(key, _)| self.named.iter().position(|named| named == key));
            }
            let all = if was_unique { &claimed } else { &kept };
            for (n, (key, value)) in all.iter().enumerate() {
                let first = all[..n].iter().find(|(_, other)| other == value);
                let keeper = kept.iter().filter(|_| was_unique).find(|(_, other)| other == value);
                for (holder, _) in first.into_iter().chain(keeper) {
                    let set_at = self.set_at.iter().rev().find(|(set, set_id, _)| set == key && *set_id == id).map(|at| at.2);
                    let altered_at = self.altered_at.iter().rev().find(|(altered, _)| *altered == id).map(|at| at.1);
                    let place = set_at.or(altered_at);
                    let fault = Fault::new(Rule::Unique, holder, value);
                    self.broken.push(violation(place, Some(key), Some(&name), fault));
                }
            }
        }
    }
}
