//! The reference model: maps that are cloned, changed and put in the place of the old ones.
//!
//! It shares no code with the crate but plain data: declarations, values, and the names of rules and outcomes. Where the
//! design is silent, it does what the documentation of the crate says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use custom_attributes::{DefinitionSpec, Instant, Value};

use crate::alphabet::{Id, folded};
use crate::shapes::{Commit, Defined, Detail, Exact, Held, Past, Record, Stamp};

/// An entity, by what it is written as.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) of: &'static str,
    pub(crate) id: String,
}

impl Key {
    pub(crate) fn new(of: &'static str, id: Id) -> Self {
        Self { of, id: id.text() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.of, self.id)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct ModelDefinition {
    pub(crate) of: &'static str,
    pub(crate) spec: DefinitionSpec,
    pub(crate) created: Stamp,
    pub(crate) modified: Stamp,
    /// The definitions whose values came to it, and theirs.
    pub(crate) took_over: BTreeSet<u32>,
}

impl ModelDefinition {
    pub(crate) fn seen(&self, id: u32) -> Defined {
        Defined {
            id,
            of: self.of.to_owned(),
            spec: Exact(self.spec.clone()),
            created: self.created.clone(),
            modified: self.modified.clone(),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct ModelValue {
    pub(crate) value: Value,
    pub(crate) created: u64,
    pub(crate) modified: u64,
}

impl ModelValue {
    fn seen(&self, definition: u32) -> Held {
        Held { definition, value: Exact(self.value.clone()), created: self.created, modified: self.modified }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct ModelEntity {
    /// 0 while it was never written.
    pub(crate) ordinal: u32,
    pub(crate) revision: u64,
    pub(crate) values: BTreeMap<u32, ModelValue>,
    pub(crate) past: Vec<Past>,
}

/// A whole store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) catalog: u64,
    pub(crate) last_definition: u32,
    pub(crate) last_ordinal: u32,
    pub(crate) definitions: BTreeMap<u32, ModelDefinition>,
    pub(crate) past_definitions: BTreeMap<u32, Vec<(Defined, u64)>>,
    pub(crate) entities: BTreeMap<Key, ModelEntity>,
    pub(crate) commits: Vec<Commit>,
    /// What each commit left, without this list.
    pub(crate) states: Vec<Rc<Self>>,
}

impl Model {
    pub(crate) fn find(&self, of: &str, name: &str) -> Option<(u32, &ModelDefinition)> {
        let is_it = |definition: &ModelDefinition| definition.of == of && folded(&definition.spec.name) == folded(name);
        self.definitions.iter().find(|(_, definition)| is_it(definition)).map(|(id, definition)| (*id, definition))
    }

    pub(crate) fn entity(&self, key: &Key) -> Option<&ModelEntity> {
        self.entities.get(key)
    }

    pub(crate) fn revision(&self, key: &Key) -> u64 {
        self.entity(key).map_or(0, |entity| entity.revision)
    }

    pub(crate) fn located(&self, ordinal: u32) -> Option<(&Key, &ModelEntity)> {
        self.entities.iter().find(|(_, entity)| entity.ordinal == ordinal && !entity.values.is_empty())
    }

    /// Entities that hold a value, in the order of their first writing.
    pub(crate) fn living(&self, of: Option<&str>) -> Vec<(&Key, &ModelEntity)> {
        let wanted = |key: &Key| of.is_none_or(|of| of == key.of);
        let mut all: Vec<_> = self.entities.iter().filter(|(key, entity)| wanted(key) && !entity.values.is_empty()).collect();
        all.sort_by_key(|(_, entity)| entity.ordinal);
        all
    }

    pub(crate) fn record(&self, key: &Key) -> Option<Record> {
        let entity = self.entity(key)?;
        Some(Record {
            key: key.to_string(),
            ordinal: entity.ordinal,
            revision: entity.revision,
            values: entity.values.iter().map(|(id, value)| value.seen(*id)).collect(),
        })
    }

    pub(crate) fn details(&self, key: &Key) -> Vec<Detail> {
        let Some(entity) = self.entity(key) else { return Vec::new() };
        let one = |(id, value): (&u32, &ModelValue)| Detail {
            id: value_id(entity.ordinal, *id),
            key: key.to_string(),
            definition: self.definitions[id].seen(*id),
            value: Exact(value.value.clone()),
            created: self.stamp(value.created),
            modified: self.stamp(value.modified),
        };
        entity.values.iter().map(one).collect()
    }

    fn stamp(&self, id: u64) -> Stamp {
        let commit = self.commits.iter().find(|commit| commit.id == id).expect("values refer to commits");
        Stamp { commit: id, at: commit.at, by: commit.actor.clone() }
    }

    /// Puts `next` in the place of what was, as one commit: what differs is stamped, numbered and remembered.
    ///
    /// `named` are the entities that the batch names, in their order; `touched` the definitions that it changed, whether
    /// or not they came back to what they were.
    pub(crate) fn settle(&mut self, mut next: Self, commit: &Commit, named: &[Key], touched: &[u32]) -> Option<u64> {
        let mut changed = !touched.is_empty();
        let fresh: Vec<&Key> = named.iter().filter(|key| self.entity(key).is_none()).collect();
        let rest: Vec<Key> = self.entities.keys().cloned().collect();
        for key in rest.iter().chain(fresh) {
            let before = self.entities.get(key).cloned().unwrap_or_default();
            let Some(after) = next.entities.get_mut(key) else { continue };
            let mut moved = false;
            for (id, was) in &before.values {
                match after.values.get_mut(id) {
                    // What came back to what it was within the commit never changed.
                    Some(is) if is.value == was.value && is.created == was.created => *is = was.clone(),
                    _ => {
                        after.past.push(Past { held: was.seen(*id), ended: commit.id });
                        moved = true;
                    }
                }
            }
            moved |= after.values.keys().any(|id| !before.values.contains_key(id));
            if moved {
                after.revision = before.revision + 1;
                changed = true;
            }
            if moved && before.ordinal == 0 {
                next.last_ordinal += 1;
                after.ordinal = next.last_ordinal;
            }
        }
        // What came and went within the commit was never written.
        next.entities.retain(|_, entity| entity.ordinal > 0);
        for id in touched {
            if let Some(was) = self.definitions.get(id) {
                next.past_definitions.entry(*id).or_default().push((was.seen(*id), commit.id));
            }
        }
        if !touched.is_empty() {
            next.catalog += 1;
        }
        if changed {
            next.commits.push(commit.clone());
            *self = next;
            self.states.push(Rc::new(Self { states: Vec::new(), ..self.clone() }));
        }
        changed.then_some(commit.id)
    }
}

/// The id of a value is its place: which entity's, of which definition.
pub(crate) fn value_id(ordinal: u32, definition: u32) -> u64 {
    u64::from(ordinal) * 1_048_576 + u64::from(definition)
}

/// The commit that is being made.
pub(crate) fn stamp_of(commit: &Commit) -> Stamp {
    Stamp { commit: commit.id, at: commit.at, by: commit.actor.clone() }
}

/// A commit after the last, before it is known whether it will be one. It is not earlier, wherever the clock is.
pub(crate) fn next_commit(model: &Model, at: Instant, actor: Option<&str>, note: Option<&str>) -> Commit {
    let at = model.commits.last().map_or(at, |last| at.max(last.at));
    Commit { id: model.commits.len() as u64 + 1, at, actor: actor.map(str::to_owned), note: note.map(str::to_owned) }
}
