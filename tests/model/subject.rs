//! How a store is asked: through the handles that a host has.

use std::sync::Arc;

use custom_attributes::store::AttributeStore;
use custom_attributes::{
    Attr, Attributes, AttributesOf, BatchBuilder, CommitId, DataType, DefinitionExport, DefinitionId, Error, Filter, FromValue,
    IntoEntityKey, ListDefinitions, Ordinal, Query, Reading, Receipt, Revision, Source, Value, ValueId, View, attr,
};

use crate::alphabet::Id;
use crate::asked::expected_revision;
use crate::operations::{Ago, Asking, BatchGiven, Change, KeyGiven, Operation, Question, ReadAs, Search, Touch, Wanted, touched};
use crate::reference::Model;
use crate::shapes::{Answer, Defined, Detail, Effective, Entity, Exact, Past};

pub(crate) type Attributed = Attributes<Arc<dyn AttributeStore>>;
type Of<'a> = AttributesOf<'a, Arc<dyn AttributeStore>>;
type Batch<'a> = BatchBuilder<'a, Arc<dyn AttributeStore>>;

fn of_type<'a>(attributes: &'a Attributed, of: &str, actor: Option<&str>) -> Result<Of<'a>, Error> {
    let handle = attributes.of(of)?;
    Ok(if let Some(actor) = actor { handle.by(actor) } else { handle })
}

/// What the store answers. The model says which revisions are right; it is as it was before the operation.
pub(crate) fn answer(attributes: &Attributed, model: &Model, operation: &Operation) -> Answer {
    Answer::from_result(ask(attributes, model, operation))
}

fn ask(attributes: &Attributed, model: &Model, operation: &Operation) -> Result<Answer, Error> {
    let of = |of: &str| attributes.of(of);
    let value_id = |ordinal: u32, definition: u32| ValueId::of(Ordinal::new(ordinal), DefinitionId::new(definition));
    let receipt = |receipt: Receipt| Answer::Receipt((&receipt).into());
    Ok(match operation {
        Operation::Clock(_) | Operation::Hold | Operation::Reopen => Answer::Nothing,
        Operation::Commit(given) => receipt(batch(attributes, model, given).commit()?),
        Operation::Check(given) => receipt(batch(attributes, model, given).check()?),
        Operation::Single { actor, change } => single(attributes, *actor, change)?,
        Operation::Ensure { of: name, specs } => ensured(&of(name)?.ensure(specs.iter().cloned())?),
        Operation::Import { from, of: name } => {
            let json = of(from)?.export_definitions()?.to_json();
            receipt(of(name)?.import_definitions(&DefinitionExport::from_json(&json)?).apply()?)
        }
        Operation::Export { of: name } => {
            let export = of(name)?.export_definitions()?;
            assert_eq!(export, DefinitionExport::from_json(&export.to_json())?, "what is exported is imported");
            Answer::Specs(export.definitions.into_iter().map(Exact).collect())
        }
        Operation::SetById { ordinal, definition, value } => {
            receipt(attributes.set_value(value_id(*ordinal, *definition), value.clone())?)
        }
        Operation::ClearById { ordinal, definition } => receipt(attributes.clear_value(value_id(*ordinal, *definition))?),
        Operation::GetById { ordinal, definition } => {
            let detail = attributes.value(value_id(*ordinal, *definition))?;
            Answer::Details(detail.iter().map(Detail::from).collect())
        }
        Operation::Get { key: (name, id), name: attribute, read_as } => get(&of(name)?, *id, attribute, *read_as)?,
        Operation::Reading { key: (name, id), name: attribute } => Answer::Reading(of(name)?.reading(*id, attribute)?.map(seen)),
        Operation::Entities { of: name, ids, name: attribute } => {
            let entities = of(name)?.entities(ids.iter().copied())?;
            if let [id] = ids[..] {
                let alone = of(name)?.entity(id)?;
                assert_eq!(alone.map(|one| one.record().clone()), entities[0].as_ref().map(|one| one.record().clone()));
            }
            let entities = entities.iter().map(|one| one.as_ref().map(|entity| entity_seen(entity, attribute)).transpose());
            let effective = of(name)?.entities_with_defaults(ids.iter().copied())?;
            Answer::Entities(entities.collect::<Result<_, Error>>()?, effective.iter().map(effective_seen).collect())
        }
        Operation::Revision { key: (name, id) } => Answer::Revision(of(name)?.revision(*id)?.get()),
        Operation::Details { key: (name, id) } => Answer::Details(of(name)?.details(*id)?.iter().map(Detail::from).collect()),
        Operation::Definition { of: name, name: attribute } => Answer::Definition((&*of(name)?.definition(attribute)?).into()),
        Operation::ChangeReport { of: name, name: attribute, touches } => report(&of(name)?, attribute, touches)?,
        Operation::ReadPast { ago, key, name, question } => {
            read_past(&attributes.as_of(CommitId::new(ago.commit(model)))?, *key, name, question.as_ref())?
        }
        Operation::Restore { wanted, actor, note, meanwhile } => {
            let batch = restoring(attributes, model, wanted)?.note(*note);
            let batch = if let Some(actor) = actor { batch.by(*actor) } else { batch };
            let first = meanwhile.as_ref().map_or(Ok(Answer::Nothing), |change| single(attributes, None, change));
            Answer::Restored(Answer::from_result(first).into(), Answer::from_result(batch.commit().map(receipt)).into())
        }
        Operation::CheckRestore { wanted, note } => receipt(restoring(attributes, model, wanted)?.note(*note).check()?),
        Operation::Find(search) => turn_pages(&of(search.of)?, search)?,
        Operation::Facets { of: name, question, with_defaults, name: attribute } => {
            let question = question.as_ref().map(filter);
            let query = Query::from(question.as_ref());
            let facets = of(name)?.facets(if *with_defaults { query.with_defaults() } else { query }, attribute)?;
            let counted = facets.most_frequent().into_iter().map(|(value, count)| (value.to_string(), count));
            Answer::Facets(counted.collect())
        }
        Operation::List { of: name, limit, page, order_by, with_total } => {
            let list = ListDefinitions::new().limit(*limit).page(*page).order_by(*order_by);
            let page = of(name)?.definitions(&if *with_total { list.with_total() } else { list })?;
            let definitions = page.definitions.iter().map(|definition| Defined::from(&**definition)).collect();
            Answer::Page { definitions, total: page.total }
        }
    })
}

/// The filter, built in Rust, and the same when it is read from its text.
fn filter(question: &Question) -> Filter {
    fn built(question: &Question) -> Filter {
        match question {
            Question::Not(inner) => !built(inner),
            Question::And(all) => all.iter().map(built).reduce(|a, b| a & b).expect("it has operands"),
            Question::Or(any) => any.iter().map(built).reduce(|a, b| a | b).expect("it has operands"),
            Question::Test(name, asking) => tested(attr(*name), asking.clone()),
        }
    }
    let built = built(question);
    assert_eq!(Filter::parse(&built.to_string()).expect("it is printed as it is read"), built);
    built
}

fn tested(attr: Attr, asking: Asking) -> Filter {
    match asking {
        Asking::Exists => attr.exists(),
        Asking::NotExists => attr.not_exists(),
        Asking::Between(first, last) => attr.between(first, last),
        Asking::In(values) => attr.is_in(values),
        Asking::Compare("=", value) => attr.eq(value),
        Asking::Compare("!=", value) => attr.ne(value),
        Asking::Compare("<", value) => attr.lt(value),
        Asking::Compare("<=", value) => attr.le(value),
        Asking::Compare(">", value) => attr.gt(value),
        Asking::Compare(">=", value) => attr.ge(value),
        Asking::Compare("~=", value) => attr.eq_folded(value),
        Asking::Compare("starts with", value) => attr.starts_with(value),
        Asking::Compare("ends with", value) => attr.ends_with(value),
        Asking::Compare("contains", value) => attr.contains(value),
        Asking::Compare(unknown, _) => panic!("{unknown} is no comparison"),
    }
}

fn turn_pages(of: &Of<'_>, search: &Search) -> Result<Answer, Error> {
    let filter = search.question.as_ref().map(filter);
    let query = filter.map_or_else(Query::all, Query::new).limit(search.limit);
    let query = if search.with_defaults { query.with_defaults() } else { query };
    let mut query = search.order.iter().fold(query, |query, (name, direction)| query.order_by(*name, *direction));
    let all = query.clone();
    let mut pages = Vec::new();
    loop {
        let page = of.find(query.clone())?;
        pages.push(page.entities.iter().map(|entity| entity.key().id().to_string()).collect());
        let Some(next) = page.next else { break };
        query = query.after(next);
    }
    let count = of.count_found(all)?;
    Ok(Answer::Found { pages, count })
}

fn restoring<'a>(attributes: &'a Attributed, model: &Model, wanted: &Wanted) -> Result<Batch<'a>, Error> {
    let commit = |ago: &Ago| CommitId::new(ago.commit(model));
    match wanted {
        Wanted::Undo(ago) => attributes.undo(commit(ago)),
        Wanted::Entity(key, ago) => attributes.restore_entity(*key, commit(ago)),
        Wanted::Definition(id) => attributes.restore_definition(DefinitionId::new(*id)),
        Wanted::Value { ordinal, definition, ago } => {
            let id = ValueId::of(Ordinal::new(*ordinal), DefinitionId::new(*definition));
            attributes.restore_value(id, commit(ago))
        }
    }
}

fn read_past(then: &View<'_>, key: KeyGiven, name: &str, question: Option<&Question>) -> Result<Answer, Error> {
    let key = key.into_entity_key()?;
    let count = question.map(|question| then.count_found(key.entity_type(), filter(question))).transpose()?;
    Ok(Answer::Past {
        details: then.details(&key)?.iter().map(Detail::from).collect(),
        entity: then.entity(&key)?.map(|entity| entity_seen(&entity, name)).transpose()?,
        history: then.as_snapshot().history(std::slice::from_ref(&key))?.iter().flatten().map(Past::from).collect(),
        count,
    })
}

/// The report, whose offences are the same when they are turned page by page.
fn report(of: &Of<'_>, name: &str, touches: &[Touch]) -> Result<Answer, Error> {
    let change = of.change(name, |spec| touched(spec, touches));
    let report = change.check()?;
    let mut paged: Vec<custom_attributes::Offence> = Vec::new();
    loop {
        let page = change.offences(paged.last().map(|last| last.ordinal), 2)?;
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, report.offences);
    Ok(Answer::Report((&report).into()))
}

fn batch<'a>(attributes: &'a Attributed, model: &Model, given: &'a BatchGiven) -> Batch<'a> {
    let mut batch = attributes.batch();
    if let Some(actor) = given.actor {
        batch = batch.by(actor);
    }
    if let Some(note) = given.note {
        batch = batch.note(note);
    }
    if given.numbers_by_value {
        batch = batch.numbers_by_value();
    }
    for (key, expected) in &given.expected {
        batch = batch.expect_revision(*key, Revision::new(expected_revision(model, *key, *expected)));
    }
    let batch = given.changes.iter().fold(batch, add);
    assert_eq!(batch.len(), given.changes.len());
    assert_eq!(batch.is_empty(), given.changes.is_empty());
    batch
}

fn add<'a>(batch: Batch<'a>, change: &'a Change) -> Batch<'a> {
    match change {
        Change::Define { of, spec } => batch.define(of, spec.clone()),
        Change::Ensure { of, spec } => batch.ensure(of, spec.clone()),
        Change::Declare { of, spec, offending } => batch.declare(of, spec.clone(), *offending),
        Change::Alter { of, name, touches } => batch.alter(of, *name, move |spec| touched(spec, touches)),
        Change::Convert { of, name, touches, offending } => {
            batch.change(of, *name, move |spec| touched(spec, touches), *offending)
        }
        Change::Merge { of, from, into, offending } => batch.merge(of, *from, *into, *offending),
        Change::Split { of, from, into } => batch.split(of, *from, *into),
        Change::Delete { of, name, with_values: false } => batch.delete(of, *name),
        Change::Delete { of, name, with_values: true } => batch.delete_with_values(of, *name),
        Change::Set { key, name, value } => batch.set(*key, *name, value.clone()),
        Change::SetText { key, name, text } => batch.set_text(*key, *name, *text),
        Change::Clear { key, name } => batch.clear(*key, *name),
        Change::Move { key, from, to } => batch.move_value(*key, *from, *to),
        Change::Save { key, values } => batch.save(*key, values.iter().cloned()),
        Change::Remove { key } => batch.remove(*key),
    }
}

fn single(attributes: &Attributed, actor: Option<&str>, change: &Change) -> Result<Answer, Error> {
    let handle = |of: &str| of_type(attributes, of, actor);
    let receipt = match change {
        Change::Define { of, spec } => return Ok(Answer::Definition((&*handle(of)?.define(spec.clone())?).into())),
        Change::Ensure { of, spec } => return Ok(ensured(&handle(of)?.ensure([spec.clone()])?)),
        Change::Declare { of, spec, offending } => handle(of)?.declare([spec.clone()]).apply_with(*offending),
        Change::Alter { of, name, touches } => {
            let handle = handle(of)?;
            let altered = match &touches[..] {
                [crate::operations::Touch::Rename(new)] => handle.rename(name, new),
                _ => handle.alter(name, |spec| touched(spec, touches)),
            };
            return Ok(Answer::Definition((&*altered?).into()));
        }
        Change::Convert { of, name, touches, offending } => {
            let handle = handle(of)?;
            handle.change(name, |spec| touched(spec, touches)).apply_with(*offending)
        }
        Change::Merge { of, from, into, offending } => handle(of)?.plan().merge(*from, *into).apply_with(*offending),
        Change::Split { of, from, into } => handle(of)?.plan().split(*from, *into).apply(),
        Change::Delete { of, name, with_values: false } => handle(of)?.delete(name),
        Change::Delete { of, name, with_values: true } => handle(of)?.delete_with_values(name),
        Change::Set { key: (of, id), name, value } => handle(of)?.set(*id, name, value.clone()),
        Change::SetText { key: (of, id), name, text } => handle(of)?.set_text(*id, name, text),
        Change::Clear { key: (of, id), name } => handle(of)?.clear(*id, name),
        Change::Move { key: (of, id), from, to } => handle(of)?.move_value(*id, from, to),
        Change::Save { key: (of, id), values } => handle(of)?.save(*id, values.iter().cloned()),
        Change::Remove { key: (of, id) } => handle(of)?.remove(*id),
    };
    Ok(Answer::Receipt((&receipt?).into()))
}

fn ensured(all: &[custom_attributes::Ensured]) -> Answer {
    let fields = |one: &custom_attributes::Ensured| one.differences.iter().map(|difference| difference.field.clone()).collect();
    Answer::Ensured(all.iter().map(|one| (one.outcome, fields(one), (&*one.definition).into())).collect())
}

pub(crate) fn seen(reading: Reading) -> (Exact<Value>, bool) {
    (Exact(reading.value), reading.source == Source::Stored)
}

fn effective_seen(entity: &custom_attributes::Entity) -> Effective {
    let one = |one: custom_attributes::EffectiveValue<'_>| {
        (one.definition.id().get(), (Exact(one.value.clone()), one.source == Source::Stored))
    };
    let (key, revision) = (entity.key().to_string(), entity.revision().get());
    Effective { key, revision, values: entity.iter_with_defaults().map(one).collect() }
}

/// The entity, with the reading of one name; there is no reading where the name is not defined.
fn entity_seen(entity: &custom_attributes::Entity, name: &str) -> Result<Entity, Error> {
    let value = |(definition, value): (&Arc<custom_attributes::Definition>, &Value)| {
        let name = definition.name().as_str();
        let id = entity.value_id(name)?.map_or(0, ValueId::get);
        Ok((name.to_owned(), Exact(value.clone()), id))
    };
    let reading = match entity.reading(name) {
        Err(error) if error.is_not_found() => None,
        reading => Some(reading?.map(seen)),
    };
    Ok(Entity {
        key: entity.key().to_string(),
        revision: entity.revision().get(),
        values: entity.iter().map(value).collect::<Result<_, Error>>()?,
        reading,
    })
}

fn get(of: &Of<'_>, id: Id, name: &str, read_as: ReadAs) -> Result<Answer, Error> {
    fn typed<T: FromValue + Into<Value>>(of: &Of<'_>, id: Id, name: &str, other: T) -> Result<Option<Exact<Value>>, Error> {
        let value: Option<Value> = of.get::<T>(id, name)?.map(Into::into);
        let or_other = Value::from_value(of.get_or(id, name, other)?.into())?;
        assert!(value.as_ref().is_none_or(|value| *value == or_other), "{value:?} is read as {or_other}");
        Ok(value.map(Exact))
    }
    let value = match read_as {
        ReadAs::Value => of.get::<Value>(id, name)?.map(Exact),
        ReadAs::Byte => typed::<u8>(of, id, name, 0)?,
        ReadAs::Type(DataType::String) => typed(of, id, name, String::new())?,
        ReadAs::Type(DataType::Decimal) => typed(of, id, name, rust_decimal::Decimal::ZERO)?,
        ReadAs::Type(DataType::Integer) => typed(of, id, name, 0i64)?,
        ReadAs::Type(DataType::Boolean) => typed(of, id, name, false)?,
        ReadAs::Type(_) => typed(of, id, name, chrono::NaiveDate::default())?,
    };
    Ok(Answer::Value(value))
}
