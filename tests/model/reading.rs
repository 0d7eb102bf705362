//! How the reference model reads.

use custom_attributes::{DataType, Direction, OrderBy, OrderField, Outcome, Rule, Value};

use crate::alphabet::{BAD_TYPE, Id, NOTE, folded};
use crate::asked::{Asked, not_found, refused_alone};
use crate::operations::{Change, KeyGiven, ReadAs};
use crate::reference::{Key, Model, ModelDefinition, value_id};
use crate::rules::{Fault, differing_fields};
use crate::shapes::{Answer, Defined, Detail, Effective, Ensured, Entity, Exact, Reading, Receipt, Refusal};

type Answered<T> = Result<T, Refusal>;

pub(crate) fn entity_type(of: &str) -> Answered<()> {
    if of == BAD_TYPE { Err(refused_alone(None, Fault::wordless(Rule::EntityType))) } else { Ok(()) }
}

pub(crate) fn entity_key((of, id): KeyGiven) -> Answered<Key> {
    entity_type(of)?;
    if id.is_good() { Ok(Key::new(of, id)) } else { Err(refused_alone(None, Fault::wordless(Rule::EntityId))) }
}

impl Model {
    pub(crate) fn lookup(&self, of: &str, name: &str) -> Answered<(u32, &ModelDefinition)> {
        self.find(of, name).ok_or_else(not_found)
    }

    fn reading_of(&self, key: &Key, id: u32, definition: &ModelDefinition) -> Reading {
        let held = self.entity(key).and_then(|entity| entity.values.get(&id));
        let stored = held.map(|held| (Exact(held.value.clone()), true));
        stored.or_else(|| definition.spec.rules.default.clone().map(|value| (Exact(value), false)))
    }

    pub(crate) fn reading(&self, key: KeyGiven, name: &str) -> Answered<Reading> {
        let key = entity_key(key)?;
        match self.find(key.of, name) {
            Some((id, definition)) => Ok(self.reading_of(&key, id, definition)),
            None if key.of == NOTE => Ok(None),
            None => Err(not_found()),
        }
    }

    pub(crate) fn get(&self, key: KeyGiven, name: &str, read_as: ReadAs) -> Answered<Option<Exact<Value>>> {
        let Some((value, _)) = self.reading(key, name)? else { return Ok(None) };
        let attribute = self.find(key.0, name).map(|(_, definition)| definition.spec.name.as_str());
        let is = value.0.data_type();
        let wrong = |asked: DataType| Fault::new(Rule::DataType, is, format!("to a reader of {asked}"));
        let fault = match (read_as, &value.0) {
            (ReadAs::Value, _) => None,
            (ReadAs::Type(asked), _) => (asked != is).then(|| wrong(asked)),
            (ReadAs::Byte, Value::Integer(0..=255)) => None,
            (ReadAs::Byte, Value::Integer(number)) => Some(Fault::new(Rule::Range, "0 to 255", number)),
            (ReadAs::Byte, _) => Some(wrong(DataType::Integer)),
        };
        fault.map_or(Ok(Some(value)), |fault| Err(refused_alone(attribute, fault)))
    }

    /// An entity, and what it reads for one name; there is no reading where the name is not defined.
    pub(crate) fn entity_read(&self, key: &Key, name: &str) -> Option<Entity> {
        let entity = self.entity(key).filter(|entity| !entity.values.is_empty())?;
        let value = |(id, held): (&u32, &crate::reference::ModelValue)| {
            let name = self.definitions[id].spec.name.clone();
            (name, Exact(held.value.clone()), value_id(entity.ordinal, *id))
        };
        Some(Entity {
            key: key.to_string(),
            revision: entity.revision,
            values: entity.values.iter().map(value).collect(),
            reading: self.find(key.of, name).map(|(id, definition)| self.reading_of(key, id, definition)),
        })
    }

    pub(crate) fn entities_read(&self, of: &'static str, ids: &[Id], name: &str) -> Answered<Answer> {
        entity_type(of)?;
        let keys: Vec<Key> = ids.iter().map(|id| entity_key((of, *id))).collect::<Answered<_>>()?;
        let entities = keys.iter().map(|key| self.entity_read(key, name)).collect();
        Ok(Answer::Entities(entities, keys.iter().map(|key| self.effective(key)).collect()))
    }

    /// All that is stored, and the defaults for the rest.
    fn effective(&self, key: &Key) -> Effective {
        let all = self.definitions.iter().filter(|(_, definition)| definition.of == key.of);
        let one = |(id, definition): (&u32, &ModelDefinition)| Some((*id, self.reading_of(key, *id, definition)?));
        Effective { key: key.to_string(), revision: self.revision(key), values: all.filter_map(one).collect() }
    }

    pub(crate) fn detail(&self, ordinal: u32, definition: u32) -> Option<Detail> {
        let (key, _) = self.located(ordinal)?;
        self.details(key).into_iter().find(|detail| detail.definition.id == definition)
    }

    pub(crate) fn definition_named(&self, of: &str, name: &str) -> Answered<Defined> {
        entity_type(of)?;
        let (id, definition) = self.lookup(of, name)?;
        Ok(definition.seen(id))
    }

    fn definitions_of(&self, of: &str) -> Answered<Vec<Defined>> {
        entity_type(of)?;
        let all = self.definitions.iter().filter(|(_, definition)| definition.of == of);
        Ok(all.map(|(id, definition)| definition.seen(*id)).collect())
    }

    pub(crate) fn list(&self, of: &str, limit: usize, page: usize, order_by: OrderBy, with_total: bool) -> Answered<Answer> {
        let mut all = self.definitions_of(of)?;
        if !(1..=1000).contains(&limit) || page == 0 {
            return Err(refused_alone(None, Fault::wordless(Rule::Page)));
        }
        all.sort_by_key(|definition| folded(&definition.spec.0.name));
        match order_by.field {
            OrderField::Created => all.sort_by_key(|definition| definition.created.at),
            OrderField::Modified => all.sort_by_key(|definition| definition.modified.at),
            _ => {}
        }
        if order_by.direction == Direction::Descending {
            // Ties stay in the order of their names.
            match order_by.field {
                OrderField::Created => all.sort_by_key(|definition| std::cmp::Reverse(definition.created.at)),
                OrderField::Modified => all.sort_by_key(|definition| std::cmp::Reverse(definition.modified.at)),
                _ => all.reverse(),
            }
        }
        let total = with_total.then_some(all.len());
        let definitions = all.chunks(limit).nth(page - 1).map(<[Defined]>::to_vec).unwrap_or_default();
        Ok(Answer::Page { definitions, total })
    }

    pub(crate) fn export(&self, of: &str) -> Answered<Vec<Exact<custom_attributes::DefinitionSpec>>> {
        Ok(self.definitions_of(of)?.into_iter().map(|definition| definition.spec).collect())
    }

    /// What became of the definitions that a receipt is about.
    pub(crate) fn ensured(&self, receipt: &Receipt) -> Vec<(Outcome, Defined)> {
        let one = |applied: &crate::shapes::Applied| {
            let id = applied.definition.expect("every change is about a definition");
            (applied.outcome, self.definitions[&id].seen(id))
        };
        receipt.changes.iter().map(one).collect()
    }

    /// One change by the handle of its entity type: what is malformed is found before there is a batch.
    pub(crate) fn single(&mut self, asked: &Asked<'_>, change: &Change) -> Answered<Answer> {
        match change {
            Change::Define { of, .. }
            | Change::Ensure { of, .. }
            | Change::Declare { of, .. }
            | Change::Alter { of, .. }
            | Change::Convert { of, .. }
            | Change::Merge { of, .. }
            | Change::Split { of, .. }
            | Change::Delete { of, .. } => {
                entity_type(of)?;
            }
            Change::Set { key, .. }
            | Change::SetText { key, .. }
            | Change::Clear { key, .. }
            | Change::Move { key, .. }
            | Change::Save { key, .. }
            | Change::Remove { key } => _ = entity_key(*key)?,
        }
        let receipt = self.write(asked)?;
        Ok(match change {
            Change::Define { .. } | Change::Alter { .. } => Answer::Definition(self.ensured(&receipt).swap_remove(0).1),
            Change::Ensure { spec, .. } => Answer::Ensured(self.differing(&receipt, std::slice::from_ref(spec))),
            _ => Answer::Receipt(receipt),
        })
    }

    pub(crate) fn ensure(
        &mut self,
        at: custom_attributes::Instant,
        of: &'static str,
        specs: &[custom_attributes::DefinitionSpec],
    ) -> Answered<Answer> {
        entity_type(of)?;
        let changes: Vec<_> = specs.iter().map(|spec| Change::Ensure { of, spec: spec.clone() }).collect();
        let asked =
            Asked { at, actor: None, note: None, expected: &[], changes: &changes, numbers_by_value: false, alone: false };
        let receipt = self.write(&asked)?;
        Ok(Answer::Ensured(self.differing(&receipt, specs)))
    }

    fn differing(&self, receipt: &Receipt, specs: &[custom_attributes::DefinitionSpec]) -> Vec<Ensured> {
        let ensured = self.ensured(receipt).into_iter().zip(specs);
        ensured.map(|((outcome, found), spec)| (outcome, differing_fields(spec, &found.spec.0), found)).collect()
    }

    /// Makes each definition exactly what is declared.
    pub(crate) fn import(
        &mut self,
        at: custom_attributes::Instant,
        of: &'static str,
        specs: &[custom_attributes::DefinitionSpec],
    ) -> Answered<Answer> {
        entity_type(of)?;
        let offending = custom_attributes::Offending::Refuse;
        let changes: Vec<_> = specs.iter().map(|spec| Change::Declare { of, spec: spec.clone(), offending }).collect();
        let asked = Asked {
            at,
            actor: None,
            note: None,
            expected: &[],
            changes: &changes,
            numbers_by_value: false,
            alone: specs.len() == 1,
        };
        Ok(Answer::Receipt(self.write(&asked)?))
    }
}
