//! How the reference model reads the past, and what it takes to bring it back: from whole copies of what once was.

use std::rc::Rc;

use custom_attributes::{Rule, Value};

use crate::asked::{not_found, refusal, violation};
use crate::operations::{Ago, KeyGiven, Question, Wanted};
use crate::reading::entity_key;
use crate::reference::{Key, Model, ModelDefinition, ModelEntity};
use crate::rules::Fault;
use crate::shapes::{Answer, Refusal, Violation};

/// A batch that brings something back.
#[derive(Debug, Default)]
pub(crate) struct Restoration {
    pub(crate) steps: Vec<Step>,
    pub(crate) expected: Vec<(Key, u64)>,
    /// The revision of the catalog, where definitions are brought back.
    pub(crate) catalog: Option<u64>,
}

#[derive(Debug)]
pub(crate) enum Step {
    /// Definitions as they stood as of a commit.
    Definitions(Vec<(u32, Option<ModelDefinition>)>, u64),
    Put {
        key: Key,
        id: u32,
        value: Option<Value>,
    },
}

fn superseded(key: Option<&Key>, name: &str, limit: String, found: impl ToString) -> Violation {
    violation(None, key, Some(name), Fault::new(Rule::Superseded, limit, found))
}

fn value(entity: Option<&ModelEntity>, id: u32) -> Option<&Value> {
    Some(&entity?.values.get(&id)?.value)
}

/// Whether a value is another, or another version of the same.
fn differs(before: Option<&ModelEntity>, after: Option<&ModelEntity>, id: u32) -> bool {
    let version = |entity: Option<&ModelEntity>| entity?.values.get(&id).map(|held| (held.created, held.modified));
    version(before) != version(after)
}

fn ids(before: Option<&ModelEntity>, after: Option<&ModelEntity>) -> Vec<u32> {
    let mut ids: Vec<u32> = before.into_iter().chain(after).flat_map(|entity| entity.values.keys().copied()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

impl Model {
    pub(crate) fn as_of(&self, commit: u64) -> Result<Rc<Self>, Refusal> {
        match usize::try_from(commit).expect("there are few").checked_sub(1) {
            None => Ok(Rc::default()),
            Some(index) => self.states.get(index).cloned().ok_or_else(not_found),
        }
    }

    /// An entity as it was, and how many there were that the question wants.
    pub(crate) fn read_past(&self, ago: Ago, key: KeyGiven, name: &str, question: Option<&Question>) -> Result<Answer, Refusal> {
        let then = self.as_of(ago.commit(self))?;
        let key = entity_key(key)?;
        let count = question.map(|question| then.count_found(key.of, question)).transpose()?;
        Ok(Answer::Past {
            details: then.details(&key),
            entity: then.entity_read(&key, name),
            history: then.entity(&key).map(|entity| entity.past.clone()).unwrap_or_default(),
            count,
        })
    }

    pub(crate) fn restoration(&self, wanted: &Wanted) -> Result<Restoration, Refusal> {
        match wanted {
            Wanted::Undo(ago) => self.undo(ago.commit(self)),
            Wanted::Entity(key, ago) => self.restore_values(&entity_key(*key)?, ago.commit(self), None),
            Wanted::Value { ordinal, definition, ago } => {
                let key = self.entities.iter().find(|(_, entity)| entity.ordinal == *ordinal).map(|(key, _)| key);
                self.restore_values(key.ok_or_else(not_found)?, ago.commit(self), Some(*definition))
            }
            Wanted::Definition(id) => self.restore_definition(*id),
        }
    }

    fn restore_values(&self, key: &Key, commit: u64, only: Option<u32>) -> Result<Restoration, Refusal> {
        let then = self.as_of(commit)?;
        let now = Some(self.entity(key).ok_or_else(not_found)?);
        let then = then.entity(key);
        let mut restoration = Restoration { expected: vec![(key.clone(), self.revision(key))], ..Restoration::default() };
        let mut violations = Vec::new();
        for id in ids(now, then).into_iter().filter(|id| only.is_none_or(|only| only == *id)) {
            if value(now, id) == value(then, id) {
                continue;
            }
            if self.definitions.contains_key(&id) {
                restoration.steps.push(Step::Put { key: key.clone(), id, value: value(then, id).cloned() });
            } else {
                violations.push(superseded(Some(key), &self.last_name(id), "that time".to_owned(), "deleted"));
            }
        }
        finished(restoration, violations)
    }

    fn restore_definition(&self, id: u32) -> Result<Restoration, Refusal> {
        let deleted = (1..=self.states.len() as u64).rev().find_map(|commit| {
            let as_of = commit - 1;
            let before = self.as_of(commit - 1).ok()?;
            let was_deleted = before.definitions.contains_key(&id) && !self.as_of(commit).ok()?.definitions.contains_key(&id);
            was_deleted.then_some((as_of, before))
        });
        let (as_of, before) = deleted.filter(|_| !self.definitions.contains_key(&id)).ok_or_else(not_found)?;
        let mut steps = vec![Step::Definitions(vec![(id, Some(before.definitions[&id].clone()))], as_of)];
        for (key, entity) in before.living(None) {
            if let Some(held) = entity.values.get(&id) {
                steps.push(Step::Put { key: key.clone(), id, value: Some(held.value.clone()) });
            }
        }
        Ok(Restoration { steps, expected: Vec::new(), catalog: Some(self.catalog) })
    }

    fn last_name(&self, id: u32) -> String {
        let (last, _) = self.past_definitions[&id].last().expect("it was deleted");
        last.spec.0.name.clone()
    }

    fn undo(&self, commit: u64) -> Result<Restoration, Refusal> {
        let (before, after) = (self.as_of(commit.checked_sub(1).ok_or_else(not_found)?)?, self.as_of(commit)?);
        let (mut restoration, mut violations) = (Restoration::default(), Vec::new());
        let mut undone = Vec::new();
        for id in 1..=after.last_definition {
            let (was, became, now) = (before.definitions.get(&id), after.definitions.get(&id), self.definitions.get(&id));
            let version = |definition: Option<&ModelDefinition>| definition.map(|definition| definition.modified.commit);
            let Some(either) = was.or(became).filter(|_| version(was) != version(became)) else { continue };
            let spec = |definition: Option<&ModelDefinition>| definition.map(|definition| definition.spec.clone());
            if spec(was) == spec(became) {
                continue;
            }
            if spec(now) != spec(became) {
                let found = if now.is_some() { "another" } else { "deleted" };
                let named = now.or(became).unwrap_or(either);
                violations.push(superseded(None, &named.spec.name, format!("commit {commit}"), found));
                continue;
            }
            restoration.catalog = Some(self.catalog);
            undone.push((id, was.cloned()));
        }
        if !undone.is_empty() {
            restoration.steps.push(Step::Definitions(undone, commit - 1));
        }
        let mut changed: Vec<_> = after.entities.iter().filter(|(key, entity)| entity.revision > before.revision(key)).collect();
        changed.sort_by_key(|(_, entity)| entity.ordinal);
        for (key, became) in changed {
            let (was, became, now) = (before.entity(key), Some(became), self.entity(key));
            restoration.expected.push((key.clone(), self.revision(key)));
            for id in ids(was, became).into_iter().filter(|id| differs(was, became, *id)) {
                let named = after.definitions.get(&id).or_else(|| before.definitions.get(&id));
                let name = &named.expect("it held a value").spec.name;
                let comes_back = restoration.steps.iter().any(|step| matches!(step, Step::Definitions(all, _) if all.iter().any(|(back, then)| *back == id && then.is_some())));
                if value(now, id) != value(became, id) {
                    let found = value(now, id).map_or("absent".to_owned(), |held| format!("{:?}", held.to_string()));
                    violations.push(superseded(Some(key), name, format!("commit {commit}"), found));
                } else if self.definitions.contains_key(&id) || comes_back {
                    restoration.steps.push(Step::Put { key: key.clone(), id, value: value(was, id).cloned() });
                } else {
                    violations.push(superseded(Some(key), name, "that time".to_owned(), "deleted"));
                }
            }
        }
        finished(restoration, violations)
    }
}

fn finished(restoration: Restoration, violations: Vec<Violation>) -> Result<Restoration, Refusal> {
    if violations.is_empty() { Ok(restoration) } else { Err(refusal(violations, Vec::new(), false)) }
}
