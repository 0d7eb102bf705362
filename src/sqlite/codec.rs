//! Values as they stand in the tables: the document of an entity, the commits of its values, single values.

use std::borrow::Cow;
use std::fmt;

use rusqlite::types::{ToSqlOutput, Value as Sql, ValueRef};
use rust_decimal::Decimal;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use crate::error::{Error, Result};
use crate::model::{Catalog, CommitId, DataType, DefinitionId, EntityId, EntityRecord, Held, Value, read_date};

/// The record's values as a document.
pub(super) fn write_doc(record: &EntityRecord) -> String {
    use fmt::Write as _;
    let mut doc = String::with_capacity(24 * record.values().len() + 2);
    doc.push('{');
    for (n, held) in record.values().iter().enumerate() {
        let comma = if n == 0 { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = match &held.value {
            Value::String(text) => {
                let _ = write!(doc, "{comma}\"{}\":", held.definition);
                write_text(&mut doc, text);
                Ok(())
            }
            Value::Decimal(number) => write!(doc, "{comma}\"{}\":\"{number}\"", held.definition),
            Value::Date(day) => write!(doc, "{comma}\"{}\":\"{day}\"", held.definition),
            Value::Integer(number) => write!(doc, "{comma}\"{}\":{number}", held.definition),
            Value::Boolean(truth) => write!(doc, "{comma}\"{}\":{truth}", held.definition),
        };
    }
    doc.push('}');
    doc
}

fn write_text(doc: &mut String, text: &str) {
    use fmt::Write as _;
    doc.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        doc.push_str(&text[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => doc.push_str("\\\""),
            b'\\' => doc.push_str("\\\\"),
            b'\n' => doc.push_str("\\n"),
            b'\r' => doc.push_str("\\r"),
            b'\t' => doc.push_str("\\t"),
            // Writing to a String cannot fail.
            _ => _ = write!(doc, "\\u{byte:04x}"),
        }
    }
    doc.push_str(&text[plain..]);
    doc.push('"');
}

/// The commits of the record's values: runs of equal ones, as the values of one import are.
pub(super) fn write_meta(record: &EntityRecord) -> Vec<u8> {
    let mut meta = Vec::with_capacity(8);
    let same = |a: &Held, b: &Held| a.created == b.created && a.modified == b.modified;
    for run in record.values().chunk_by(same) {
        let (created, modified) = (run[0].created.get(), run[0].modified.get());
        for number in [run.len() as u64, created, modified.wrapping_sub(created)] {
            write_varint(&mut meta, number);
        }
    }
    meta
}

#[allow(clippy::cast_possible_truncation)] // what is cut off is written next
fn write_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// The values of a document, with their commits.
pub(super) fn read_values(catalog: &Catalog, doc: &str, mut meta: &[u8]) -> Result<Vec<Held>> {
    let mut values = Vec::with_capacity(16);
    let mut json = serde_json::Deserializer::from_str(doc);
    let read = json.deserialize_map(Document { catalog, values: &mut values }).and_then(|()| json.end());
    read.map_err(|error| Error::Corrupt { what: "an entity's document cannot be read".into(), source: Some(error.into()) })?;
    let mut rest = values.as_mut_slice();
    while !rest.is_empty() {
        let mut next = || read_varint(&mut meta);
        let (Some(run), Some(created), Some(age)) = (next(), next(), next()) else { return Err(unequal()) };
        let run = usize::try_from(run).ok().filter(|run| (1..=rest.len()).contains(run)).ok_or_else(unequal)?;
        let (these, others) = rest.split_at_mut(run);
        for held in these {
            (held.created, held.modified) = (CommitId::new(created), CommitId::new(created.wrapping_add(age)));
        }
        rest = others;
    }
    if meta.is_empty() { Ok(values) } else { Err(unequal()) }
}

fn unequal() -> Error {
    Error::corrupt("an entity's document and the commits of its values do not go together")
}

struct Document<'a> {
    catalog: &'a Catalog,
    values: &'a mut Vec<Held>,
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("values by definition")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<&str>()? {
            let definition = key.parse().ok().map(DefinitionId::new).and_then(|id| self.catalog.get(id));
            let definition = definition.ok_or_else(|| serde::de::Error::custom(format_args!("no definition {key}")))?;
            let value = map.next_value_seed(Typed(definition.data_type()))?;
            let unset = CommitId::default();
            self.values.push(Held { definition: definition.id(), value, created: unset, modified: unset });
        }
        Ok(())
    }
}

struct Typed(DataType);

impl<'de> DeserializeSeed<'de> for Typed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.0 {
            DataType::Integer => deserializer.deserialize_i64(self),
            DataType::Boolean => deserializer.deserialize_bool(self),
            DataType::String | DataType::Decimal | DataType::Date => deserializer.deserialize_str(self),
        }
    }
}

impl Visitor<'_> for Typed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of type {}", self.0)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        read_text(self.0, text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
        let wide = |_| E::invalid_value(serde::de::Unexpected::Unsigned(number), &self);
        i64::try_from(number).map(Value::Integer).map_err(wide)
    }

    fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Boolean(truth))
    }
}

fn read_text(data_type: DataType, text: &str) -> Option<Value> {
    match data_type {
        DataType::String => Some(Value::String(text.to_owned())),
        DataType::Decimal => Decimal::from_str_exact(text).ok().map(Value::Decimal),
        DataType::Date => read_date(text).map(Value::Date),
        DataType::Integer | DataType::Boolean => None,
    }
}

/// A single value in a column of its own.
pub(super) fn to_sql(value: &Value) -> ToSqlOutput<'_> {
    let text = |text: String| ToSqlOutput::Owned(Sql::Text(text));
    match value {
        Value::String(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        Value::Decimal(number) => text(number.to_string()),
        Value::Date(day) => text(day.to_string()),
        Value::Integer(number) => ToSqlOutput::Owned(Sql::Integer(*number)),
        Value::Boolean(truth) => ToSqlOutput::Owned(Sql::Integer(i64::from(*truth))),
    }
}

/// The same so that equal values are equal in SQL: 1.5 for 1.50.
pub(super) fn to_unique(value: &Value) -> ToSqlOutput<'_> {
    match value {
        Value::Decimal(number) => ToSqlOutput::Owned(Sql::Text(number.normalize().to_string())),
        other => to_sql(other),
    }
}

pub(super) fn from_sql(data_type: DataType, sql: ValueRef<'_>) -> Result<Value> {
    let value = match (data_type, sql) {
        (DataType::Integer, ValueRef::Integer(number)) => Some(Value::Integer(number)),
        (DataType::Boolean, ValueRef::Integer(number)) => Some(Value::Boolean(number != 0)),
        (_, ValueRef::Text(text)) => std::str::from_utf8(text).ok().and_then(|text| read_text(data_type, text)),
        _ => None,
    };
    value.ok_or_else(|| Error::corrupt(format!("a value of type {data_type} cannot be read")))
}

pub(super) fn id_to_sql(id: &EntityId) -> ToSqlOutput<'_> {
    match id.as_text() {
        Some(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        None => ToSqlOutput::Owned(Sql::Integer(id.as_integer().unwrap_or_default())),
    }
}

pub(super) fn id_from_sql(sql: ValueRef<'_>) -> Result<EntityId> {
    let wrong = |found: Cow<'_, str>| Error::corrupt(format!("an entity's id cannot be {found:?}"));
    match sql {
        ValueRef::Integer(number) => Ok(EntityId::from(number)),
        ValueRef::Text(text) => {
            let text = String::from_utf8_lossy(text);
            EntityId::parse(&text).map_err(|_| wrong(text))
        }
        _ => Err(wrong("empty or binary".into())),
    }
}
