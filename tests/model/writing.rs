//! How the reference model writes: a batch is done change by change on a copy.

mod definitions;
mod merging;
mod required;
mod restoring;
mod unique;

use custom_attributes::{DefinitionSpec, Instant, Offending, Outcome, Rule, Value};

use crate::alphabet::{BAD_TYPE, COMMIT_CHARS};
use crate::asked::{Asked, expected_revision, not_found, refusal, violation};
use crate::operations::{Change, KeyGiven, touched};
use crate::reference::{Key, Model, ModelDefinition, ModelValue, next_commit, stamp_of, value_id};
use crate::rules::{Fault, bind, bind_held, read};
use crate::shapes::{Applied, Commit, Receipt, Refusal, Stamp, Violation};
use crate::writing::required::Taking;

/// A batch in the model's terms.
struct Writing<'a> {
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
    /// Definitions that it makes, changes or restores, or finds as asked for.
    declared: Vec<u32>,
    /// Which change last set a value, or last changed a definition.
    set_at: Vec<(Key, u32, usize)>,
    altered_at: Vec<(u32, usize)>,
    expected: Vec<(Key, u64)>,
    /// Entities that it comes upon without naming them, in their order.
    met: Vec<Key>,
    /// Where it sets or clears which value, whatever that was, and where it will have done so.
    overwrites: Vec<(usize, Key, u32)>,
    to_come: Vec<(usize, Key, u32)>,
    /// Definitions whose values change with a definition, whoever holds them: all of them are compared where they are unique.
    swept: Vec<u32>,
    /// What refused requests would have given, or are told to lack.
    unseen: Vec<(Key, u32)>,
    /// Required values that were taken from entities, and whether each may go with the entity, or in any case.
    taken: Vec<(usize, Key, u32, Taking)>,
    /// Entities of which anything was taken back.
    restored: Vec<Key>,
    /// Definitions that are to go, and must have no holder at the end.
    vacated: Vec<(usize, u32, String)>,
    /// The first change of each entity.
    first_at: Vec<(Key, usize)>,
    /// Whether a definition was changed in a way that held values have to follow.
    has_settled: bool,
    numbers_by_value: bool,
}

/// A batch that was done on a copy.
struct Written {
    next: Model,
    commit: Commit,
    expected: Vec<(Key, u64)>,
    refused: Vec<Violation>,
    broken: Vec<Violation>,
    changes: Vec<(Applied, Option<Key>)>,
    named: Vec<Key>,
    touched: Vec<u32>,
    declared: Vec<u32>,
}

impl Model {
    pub(crate) fn write(&mut self, asked: &Asked<'_>) -> Result<Receipt, Refusal> {
        let commit = next_commit(self, asked.at, asked.actor, asked.note);
        let written = Writing::done(self, &commit, |writing| {
            writing.numbers_by_value = asked.numbers_by_value;
            for (key, revision) in asked.expected {
                if let Some(found) = writing.key(None, *key) {
                    writing.expected.push((found, expected_revision(writing.before, *key, *revision)));
                }
            }
            for (place, change) in asked.changes.iter().enumerate() {
                writing.change(place, change);
            }
            Ok(())
        })?;
        self.keep(written, asked.alone)
    }

    /// Sets or clears what has this id.
    pub(crate) fn write_by_id(&mut self, at: Instant, ordinal: u32, id: u32, value: Option<Value>) -> Result<Receipt, Refusal> {
        let held = self.located(ordinal).filter(|(_, entity)| entity.values.contains_key(&id));
        let Some(key) = held.map(|(key, _)| key.clone()) else { return Err(not_found()) };
        let commit = next_commit(self, at, None, None);
        let written = Writing::done(self, &commit, |writing| {
            match &value {
                Some(value) => writing.set(0, &key, id, Ok(value.clone())),
                None => writing.clear(0, &key, id),
            }
            Ok(())
        })?;
        self.keep(written, true)
    }

    fn keep(&mut self, written: Written, alone: bool) -> Result<Receipt, Refusal> {
        let Written { next, commit, expected, refused, broken, changes, named, touched, mut declared } = written;
        let found = |(key, expected): &(Key, u64)| (Some(key.to_string()), *expected, self.revision(key));
        let moved: Vec<_> = expected.iter().map(found).filter(|(_, expected, found)| expected != found).collect();
        // Where an entity has moved, what it holds is not what the batch was made for.
        let broken = if moved.is_empty() { broken } else { Vec::new() };
        let violations: Vec<_> = refused.into_iter().chain(broken).collect();
        if !violations.is_empty() || !moved.is_empty() {
            return Err(refusal(violations, moved, alone));
        }
        let id = self.settle(next, &commit, &named, &touched);
        declared.sort_unstable();
        declared.dedup();
        let number = |(applied, key): (Applied, Option<Key>)| {
            let ordinal = key.and_then(|key| self.entity(&key)).map(|entity| entity.ordinal);
            Applied { value: ordinal.zip(applied.definition).map(|(ordinal, id)| value_id(ordinal, id)), ..applied }
        };
        Ok(Receipt {
            commit: id,
            at: commit.at,
            catalog: self.catalog,
            changes: changes.into_iter().map(number).collect(),
            entities: named.iter().map(|key| (key.to_string(), self.revision(key))).collect(),
            definitions: declared.iter().filter_map(|id| Some(self.definitions.get(id)?.seen(*id))).collect(),
        })
    }
}

impl<'a> Writing<'a> {
    /// Does a batch, and once more if it changes definitions: what is set behind such a change is known only from the first
    /// time.
    fn done(before: &'a Model, commit: &Commit, each: impl Fn(&mut Self) -> Result<(), Refusal>) -> Result<Written, Refusal> {
        let mut writing = Self::new(before, commit.clone());
        writing.check_commit();
        each(&mut writing)?;
        if writing.has_settled {
            writing = Self { to_come: writing.overwrites, ..Self::new(before, commit.clone()) };
            writing.check_commit();
            each(&mut writing)?;
        }
        let expected = writing.expected.clone();
        expected.iter().for_each(|(key, _)| writing.name(key));
        writing.check_vacated();
        writing.check_required();
        writing.check_unique();
        let Self { next, commit, refused, broken, changes, named, touched, declared, .. } = writing;
        Ok(Written { next, commit, expected, refused, broken, changes, named, touched, declared })
    }

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
            declared: Vec::new(),
            set_at: Vec::new(),
            altered_at: Vec::new(),
            expected: Vec::new(),
            met: Vec::new(),
            swept: Vec::new(),
            overwrites: Vec::new(),
            to_come: Vec::new(),
            unseen: Vec::new(),
            taken: Vec::new(),
            restored: Vec::new(),
            vacated: Vec::new(),
            first_at: Vec::new(),
            has_settled: false,
            numbers_by_value: false,
        }
    }

    fn check_commit(&mut self) {
        for text in [self.commit.actor.clone(), self.commit.note.clone()].into_iter().flatten() {
            if text.chars().count() > COMMIT_CHARS || text.contains('\0') {
                self.refuse(None, None, None, Fault::wordless(Rule::Commit));
            }
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

    fn name_at(&mut self, place: usize, key: &Key) {
        self.name(key);
        if !self.first_at.iter().any(|(other, _)| other == key) {
            self.first_at.push((key.clone(), place));
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
                    self.keep_definition(place, id, spec);
                } else if let Some(id) = self.define(place, None, of, spec) {
                    self.did(Outcome::Created, Some(id), None);
                }
            }
            Change::Declare { of, spec, offending } => {
                if !self.is_type(Some(place), of) {
                    return;
                }
                if let Some((id, _)) = self.next.find(of, &spec.name) {
                    self.redefine(place, id, spec.clone(), Some(*offending));
                } else if let Some(id) = self.define(place, None, of, spec) {
                    self.did(Outcome::Created, Some(id), None);
                }
            }
            Change::Alter { of, name, touches } => {
                if self.is_type(Some(place), of)
                    && let Some(id) = self.resolve(place, None, of, name)
                {
                    let spec = touched(self.definition(id).spec.clone(), touches);
                    self.redefine(place, id, spec, None);
                }
            }
            Change::Convert { of, name, touches, offending } => {
                if self.is_type(Some(place), of)
                    && let Some(id) = self.resolve(place, None, of, name)
                {
                    let spec = touched(self.definition(id).spec.clone(), touches);
                    self.redefine(place, id, spec, Some(*offending));
                }
            }
            Change::Merge { of, from, into, offending } => {
                if let Some((from, into)) = self.pair(place, of, from, into) {
                    self.merge(place, from, into, *offending == Offending::Clear);
                }
            }
            Change::Split { of, from, into } => {
                if let Some((from, into)) = self.pair(place, of, from, into) {
                    self.split(place, from, into);
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
                self.name_at(place, &key);
                self.overwrite_all(place, &key);
                let values = std::mem::take(&mut self.next.entities.entry(key.clone()).or_default().values);
                let outcome = if values.is_empty() { Outcome::Unchanged } else { Outcome::Cleared };
                values.keys().for_each(|id| self.took(place, &key, *id, Taking::WithAll));
                self.did(outcome, None, Some(&key));
            }
        }
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
                self.name_at(place, key);
                self.overwrites.push((place, key.clone(), id));
                let outcome = self.put(place, key, id, value);
                self.did(outcome, Some(id), Some(key));
            }
            Err(fault) => {
                self.refuse(Some(place), Some(key), Some(&spec.name), fault);
                self.unseen.push((key.clone(), id));
            }
        }
    }

    fn put(&mut self, place: usize, key: &Key, id: u32, value: Value) -> Outcome {
        self.set_at.push((key.clone(), id, place));
        self.hold(key, id, value)
    }

    fn hold(&mut self, key: &Key, id: u32, value: Value) -> Outcome {
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

    fn overwrite_all(&mut self, place: usize, key: &Key) {
        self.overwrites.extend((1..=self.next.last_definition).map(|id| (place, key.clone(), id)));
    }

    fn clear(&mut self, place: usize, key: &Key, id: u32) {
        self.name_at(place, key);
        self.overwrites.push((place, key.clone(), id));
        let was_there = self.take(key, id);
        if was_there {
            self.took(place, key, id, Taking::Cleared);
        }
        self.did(if was_there { Outcome::Cleared } else { Outcome::Unchanged }, Some(id), Some(key));
    }

    fn move_value(&mut self, place: usize, key: &Key, from: u32, to: u32) {
        self.name_at(place, key);
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
        match bind_held(&target, value) {
            Ok(value) => {
                self.take(key, from);
                let outcome = self.put(place, key, to, value);
                self.took(place, key, from, Taking::Moved);
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
                Err(fault) => {
                    self.refuse(Some(place), Some(key), Some(&spec.name), fault);
                    self.unseen.push((key.clone(), id));
                }
                Ok(_) if bound.iter().any(|(other, _)| *other == id) => {
                    self.refuse(Some(place), Some(key), Some(&spec.name), Fault::wordless(Rule::Once));
                }
                Ok(value) => bound.push((id, value)),
            }
        }
        let is_refused = self.refused.len() > refused;
        for (id, name) in self.required_of(key.of) {
            if is_refused {
                self.unseen.push((key.clone(), id));
            }
            if given.contains(&id) {
                continue;
            }
            let fault = Fault::new(Rule::Required, "give it when the entity is saved whole", "missing");
            if is_refused {
                self.refuse(Some(place), Some(key), Some(&name), fault);
            } else {
                self.break_rule(place, Some(key), &name, fault);
            }
        }
        if is_refused {
            return;
        }
        self.name_at(place, key);
        self.overwrite_all(place, key);
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
}
