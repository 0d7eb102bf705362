//! All that can be seen of a store at one point in time, as a list of facts; and the same of the model.

use custom_attributes::store::Snapshot;
use custom_attributes::{CommitId, DataType, DefinitionId, EntityKey, EntityType, Error, Ordinal, Value, ValueId, View};

use crate::alphabet::{IDS, TYPES, plain_values};
use crate::operations::{KeyGiven, ReadAs};
use crate::reference::{Key, Model};
use crate::shapes::{Commit, Defined, Detail, Exact, Past, Record};

#[derive(Debug, PartialEq)]
pub(crate) enum Fact {
    Catalog { revision: u64, next: Option<u32>, types: Vec<String> },
    Marks { commit: u64, ordinal: u32 },
    Definitions(Vec<Defined>),
    Commits(Vec<Option<Commit>>),
    Records(Vec<Option<Record>>),
    Found(String, bool),
    Details(String, Vec<Detail>),
    History(String, Vec<Past>),
    PastDefinitions(u32, Vec<(Defined, u64)>),
    Usage(u32, u64),
    Count(&'static str, u64),
    Page(Option<&'static str>, u32, usize, Vec<Record>),
    Located(Vec<Option<Record>>),
    Holders(u32, Vec<Option<u32>>),
    Value(u64, Option<Detail>),
    CommitAt(i64, u64),
    Got(KeyGiven, &'static str, Option<Option<Exact<Value>>>),
}

/// How far it has come: what is compared after every step.
pub(crate) fn progress(view: &View<'_>) -> Result<Vec<Fact>, Error> {
    let catalog = view.catalog();
    let snapshot = view.as_snapshot();
    let marks = snapshot.marks()?;
    let mut facts = vec![
        Fact::Catalog {
            revision: catalog.revision().get(),
            next: catalog.next_id().map(DefinitionId::get),
            types: catalog.entity_types().into_iter().map(EntityType::to_string).collect(),
        },
        Fact::Marks { commit: marks.commit.get(), ordinal: marks.ordinal.get() },
    ];
    for of in TYPES {
        facts.push(Fact::Count(of, view.count(&EntityType::new(of)?)?));
    }
    Ok(facts)
}

pub(crate) fn progress_of(model: &Model) -> Vec<Fact> {
    let is_used = |of: &&str| model.definitions.values().any(|definition| definition.of == *of);
    let mut facts = vec![
        Fact::Catalog {
            revision: model.catalog,
            next: Some(model.last_definition + 1),
            types: TYPES.into_iter().filter(is_used).map(str::to_owned).collect(),
        },
        Fact::Marks { commit: model.commits.len() as u64, ordinal: model.last_ordinal },
    ];
    facts.extend(TYPES.map(|of| Fact::Count(of, model.living(Some(of)).len() as u64)));
    facts
}

/// Pages that begin everywhere, and end in the middle, at the end and behind it.
const LIMITS: [usize; 4] = [0, 1, 2, 100];

/// The instants of the first and the last commits, and those next to them.
fn around(model: &Model) -> impl Iterator<Item = custom_attributes::Instant> {
    let ends = model.commits.iter().take(2).chain(model.commits.iter().rev().take(8));
    ends.flat_map(|commit| [-1, 0, 1].map(|moved| commit.at + chrono::TimeDelta::microseconds(moved)))
}

fn page_types() -> [Option<&'static str>; 3] {
    [None, Some(TYPES[0]), Some(TYPES[1])]
}

/// Of every id of the alphabet in its types, once: 7 and "7" are the same.
fn keys() -> Vec<Key> {
    let mut keys: Vec<Key> = TYPES.into_iter().flat_map(|of| IDS.map(|id| Key::new(of, id))).collect();
    keys.sort();
    keys.dedup();
    keys
}

/// A few names of every entity.
fn asked() -> impl Iterator<Item = (KeyGiven, &'static str)> {
    let keys = TYPES.into_iter().flat_map(|of| IDS.map(|id| (of, id)));
    keys.flat_map(|key| ["TIER", "limit"].map(|name| (key, name)))
}

/// All that a snapshot tells. The model says only how far to look.
pub(crate) fn facts(view: &View<'_>, model: &Model) -> Result<Vec<Fact>, Error> {
    let mut facts = progress(view)?;
    let (catalog, snapshot) = (view.catalog(), view.as_snapshot());
    facts.push(Fact::Definitions(catalog.iter().map(|definition| (&**definition).into()).collect()));
    let commits: Vec<_> = (0..=model.commits.len() as u64 + 1).map(CommitId::new).collect();
    let commits = snapshot.commits(&commits)?;
    facts.push(Fact::Commits(commits.iter().map(|commit| commit.as_ref().map(Commit::from)).collect()));
    for at in around(model) {
        facts.push(Fact::CommitAt(at.timestamp_micros(), snapshot.commit_at(at)?.get()));
    }
    let keys: Vec<EntityKey> = keys().iter().map(|key| EntityKey::new(key.of, &key.id)).collect::<Result<_, _>>()?;
    let record = |record: &std::sync::Arc<custom_attributes::EntityRecord>| Record::from(&**record);
    let records = snapshot.read(&keys)?;
    facts.push(Fact::Records(records.iter().map(|one| one.as_ref().map(record)).collect()));
    for (key, entity) in keys.iter().zip(view.entities(&keys)?) {
        facts.push(Fact::Found(key.to_string(), entity.is_some()));
        facts.push(Fact::Details(key.to_string(), view.details(key)?.iter().map(Detail::from).collect()));
        facts.push(Fact::History(
            key.to_string(),
            view.as_snapshot().history(std::slice::from_ref(key))?.iter().flatten().map(Past::from).collect(),
        ));
    }
    let all = snapshot.past_definitions(None)?;
    for id in (1..=model.last_definition + 1).map(DefinitionId::new) {
        let past = snapshot.past_definitions(Some(&[id]))?;
        let of_all = all.iter().filter(|past| past.definition.id() == id);
        let seen = |past: &custom_attributes::store::PastDefinition| (Defined::from(&*past.definition), past.ended.get());
        facts.push(Fact::PastDefinitions(id.get(), past.iter().map(seen).collect()));
        facts.push(Fact::PastDefinitions(id.get(), of_all.map(seen).collect()));
        facts.push(Fact::Usage(id.get(), snapshot.usage(id)?));
    }
    for of in page_types() {
        let of_type = of.map(EntityType::new).transpose()?;
        for after in 0..=model.last_ordinal {
            for limit in LIMITS {
                let page = snapshot.scan(of_type.as_ref(), Some(Ordinal::new(after)), limit)?;
                facts.push(Fact::Page(of, after, limit, page.iter().map(record).collect()));
            }
        }
    }
    for (key, name) in asked() {
        let got = match view.get::<Value>(key, name) {
            Err(error) if error.is_not_found() => None,
            got => Some(got?.map(Exact)),
        };
        facts.push(Fact::Got(key, name, got));
    }
    let ordinals: Vec<_> = (0..=model.last_ordinal + 1).map(Ordinal::new).collect();
    let located: Vec<_> = snapshot.locate(&ordinals)?.into_iter().map(|one| one.filter(|record| !record.is_empty())).collect();
    facts.push(Fact::Located(located.iter().map(|one| one.as_ref().map(record)).collect()));
    for definition in catalog.iter().filter(|definition| definition.rules().unique) {
        let values = plain_values(definition.data_type());
        facts.push(Fact::Holders(definition.id().get(), holders(snapshot, definition.id(), values)?));
    }
    for ordinal in 1..=model.last_ordinal + 1 {
        for definition in 1..=model.last_definition + 1 {
            let id = ValueId::of(Ordinal::new(ordinal), DefinitionId::new(definition));
            facts.push(Fact::Value(id.get(), view.value(id)?.as_ref().map(Detail::from)));
        }
    }
    Ok(facts)
}

fn holders(snapshot: &dyn Snapshot, id: DefinitionId, values: &[Value]) -> Result<Vec<Option<u32>>, Error> {
    let asked: Vec<_> = values.iter().map(|value| (id, value)).collect();
    Ok(snapshot.holders(&asked)?.into_iter().map(|ordinal| ordinal.map(Ordinal::get)).collect())
}

pub(crate) fn facts_of(model: &Model) -> Vec<Fact> {
    let mut facts = progress_of(model);
    facts.push(Fact::Definitions(model.definitions.iter().map(|(id, definition)| definition.seen(*id)).collect()));
    let commits = std::iter::once(None).chain(model.commits.iter().cloned().map(Some)).chain([None]);
    facts.push(Fact::Commits(commits.collect()));
    for at in around(model) {
        let last = model.commits.iter().filter(|commit| commit.at <= at).map(|commit| commit.id).max();
        facts.push(Fact::CommitAt(at.timestamp_micros(), last.unwrap_or_default()));
    }
    facts.push(Fact::Records(keys().iter().map(|key| model.record(key)).collect()));
    for key in keys() {
        let entity = model.entity(&key);
        facts.push(Fact::Found(key.to_string(), entity.is_some_and(|entity| !entity.values.is_empty())));
        facts.push(Fact::Details(key.to_string(), model.details(&key)));
        facts.push(Fact::History(key.to_string(), entity.map(|entity| entity.past.clone()).unwrap_or_default()));
    }
    for id in 1..=model.last_definition + 1 {
        let past = model.past_definitions.get(&id).cloned().unwrap_or_default();
        facts.push(Fact::PastDefinitions(id, past.clone()));
        facts.push(Fact::PastDefinitions(id, past));
        let holds = |entity: &&crate::reference::ModelEntity| entity.values.contains_key(&id);
        facts.push(Fact::Usage(id, model.entities.values().filter(holds).count() as u64));
    }
    let records = |of: Option<&str>| model.living(of).into_iter().filter_map(|(key, _)| model.record(key)).collect::<Vec<_>>();
    for of in page_types() {
        let all = records(of);
        for after in 0..=model.last_ordinal {
            for limit in LIMITS {
                let page = all.iter().filter(|record| record.ordinal > after).take(limit).cloned().collect();
                facts.push(Fact::Page(of, after, limit, page));
            }
        }
    }
    facts.extend(asked().map(|(key, name)| Fact::Got(key, name, model.get(key, name, ReadAs::Value).ok())));
    let all = records(None);
    let located = (0..=model.last_ordinal + 1).map(|ordinal| all.iter().find(|record| record.ordinal == ordinal).cloned());
    facts.push(Fact::Located(located.collect()));
    for (id, definition) in model.definitions.iter().filter(|(_, definition)| definition.spec.rules.unique) {
        facts.push(Fact::Holders(*id, holders_of(model, *id, definition.spec.data_type)));
    }
    for ordinal in 1..=model.last_ordinal + 1 {
        for definition in 1..=model.last_definition + 1 {
            facts.push(Fact::Value(crate::reference::value_id(ordinal, definition), model.detail(ordinal, definition)));
        }
    }
    facts
}

fn holders_of(model: &Model, id: u32, data_type: DataType) -> Vec<Option<u32>> {
    let holder = |value: &Value| {
        let holds = |entity: &&crate::reference::ModelEntity| entity.values.get(&id).is_some_and(|held| held.value == *value);
        model.entities.values().find(holds).map(|entity| entity.ordinal)
    };
    plain_values(data_type).iter().map(holder).collect()
}
