//! Values as they stand in the tables: the document of an entity, the commits of its values, single values.

use std::borrow::Cow;

use roaring::RoaringBitmap;
use rusqlite::types::{ToSqlOutput, Value as Sql, ValueRef};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use crate::error::{Error, Result};
use crate::model::{Bare, Catalog, CommitId, DataType, Definition, DefinitionId, EntityId, EntityRecord, Held, Value, read_date};
use crate::sqlite::column::MAX_COUNT;
use crate::store::Touched;

/// The record's values as a document.
pub(super) fn write_doc(record: &EntityRecord) -> Result<String> {
    serde_json::to_string(&Document(record.values())).map_err(|error| Error::backend("writing an entity", error))
}

struct Document<'a>(&'a [Held]);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|held| (held.definition.get(), Bare(&held.value))))
    }
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
        let part = u64::from(first & 0x7f);
        number |= part.checked_shl(shift).filter(|shifted| shifted >> shift == part)?;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// The values of a document, with their commits.
pub(super) fn read_values(catalog: &Catalog, doc: &str, mut meta: &[u8]) -> Result<Vec<Held>> {
    let mut values = Vec::with_capacity(16);
    for field in Fields::of(doc)? {
        let (id, written) = field?;
        let definition = catalog.get(id).ok_or_else(|| unreadable(&format!("there is no definition {id}")))?;
        let value = written.into_value(definition)?;
        values.push(Held { definition: id, value, created: CommitId::default(), modified: CommitId::default() });
    }
    let mut rest = values.as_mut_slice();
    while !rest.is_empty() {
        let mut next = || read_varint(&mut meta);
        let (Some(run), Some(created), Some(age)) = (next(), next(), next()) else { return Err(unequal()) };
        let modified = created.checked_add(age).filter(|modified| created > 0 && *modified <= MAX_COUNT.cast_unsigned());
        let modified = modified.ok_or_else(|| Error::corrupt("a value has commits that are out of bounds"))?;
        let run = usize::try_from(run).ok().filter(|run| (1..=rest.len()).contains(run)).ok_or_else(unequal)?;
        let (these, others) = rest.split_at_mut(run);
        for held in these {
            (held.created, held.modified) = (CommitId::new(created), CommitId::new(modified));
        }
        rest = others;
    }
    if meta.is_empty() { Ok(values) } else { Err(unequal()) }
}

/// The value of one definition in a document; the others are passed over.
pub(super) fn read_value(definition: &Definition, doc: &str) -> Result<Option<Value>> {
    for field in Fields::of(doc)? {
        let (id, written) = field?;
        if id >= definition.id() {
            return if id == definition.id() { written.into_value(definition).map(Some) } else { Ok(None) };
        }
    }
    Ok(None)
}

fn unequal() -> Error {
    Error::corrupt("an entity's document and the commits of its values do not go together")
}

fn unreadable(why: &str) -> Error {
    Error::corrupt(format!("an entity's document cannot be read: {why}"))
}

/// The fields of a document as `write_doc` writes it, which is JSON without a blank outside of texts.
struct Fields<'a> {
    rest: &'a str,
}

/// A value as it stands in a document.
enum Written<'a> {
    Bare(&'a str),
    Text(Cow<'a, str>),
}

impl<'a> Fields<'a> {
    fn of(doc: &'a str) -> Result<Self> {
        let inner = doc.strip_prefix('{').and_then(|doc| doc.strip_suffix('}'));
        inner.map(|rest| Self { rest }).ok_or_else(|| unreadable("it is not an object"))
    }

    fn field(&mut self) -> Option<(DefinitionId, Written<'a>)> {
        let (id, value) = read_key(self.rest.strip_prefix('"')?)?;
        let (written, rest) = match value.strip_prefix('"') {
            Some(text) => read_quoted(text)?,
            None => {
                let (bare, rest) = until(value, b',').unwrap_or((value, ""));
                (Written::Bare(bare), rest)
            }
        };
        self.rest = match rest.strip_prefix(',') {
            Some(more) => Some(more).filter(|more| !more.is_empty())?,
            None => Some(rest).filter(|rest| rest.is_empty())?,
        };
        Some((id, written))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(DefinitionId, Written<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| self.field().ok_or_else(|| unreadable("a field is malformed")))
    }
}

/// What stands before an ASCII character, and the rest, which begins with it. What is sought is near: `str::find` would
/// spend more on its preparations.
fn until(text: &str, end: u8) -> Option<(&str, &str)> {
    text.bytes().position(|byte| byte == end).map(|end| text.split_at(end))
}

/// A key, from behind its opening quote, and what follows its colon.
fn read_key(text: &str) -> Option<(DefinitionId, &str)> {
    let (mut number, mut digits) = (0, 0);
    for digit in text.bytes().take_while(u8::is_ascii_digit).take(9) {
        (number, digits) = (number * 10 + u32::from(digit - b'0'), digits + 1);
    }
    Some((DefinitionId::new(number), text[digits..].strip_prefix("\":")?))
}

/// A text, from behind its opening quote, and what follows its closing one.
fn read_quoted(text: &str) -> Option<(Written<'_>, &str)> {
    let first = text.bytes().position(|byte| byte == b'"' || byte == b'\\')?;
    let (plain, rest) = text.split_at(first);
    if let Some(rest) = rest.strip_prefix('"') {
        return Some((Written::Text(plain.into()), rest));
    }
    let mut is_escaped = false;
    let end = rest.bytes().position(|byte| {
        let closes = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        closes
    })?;
    let (inner, rest) = (&text[..first + end], &rest[end + 1..]);
    let unescaped: String = serde_json::from_str(&format!("\"{inner}\"")).ok()?;
    Some((Written::Text(unescaped.into()), rest))
}

impl Written<'_> {
    fn into_value(self, definition: &Definition) -> Result<Value> {
        let value = match (definition.data_type(), self) {
            (DataType::Integer, Written::Bare(number)) => number.parse().ok().map(Value::Integer),
            (DataType::Boolean, Written::Bare("true")) => Some(Value::Boolean(true)),
            (DataType::Boolean, Written::Bare("false")) => Some(Value::Boolean(false)),
            (DataType::String, Written::Text(text)) => Some(Value::String(text.into_owned())),
            (data_type, Written::Text(text)) => read_text(data_type, &text),
            (_, Written::Bare(_)) => None,
        };
        value.ok_or_else(|| unreadable(&format!("`{}` is not a {}", definition.name(), definition.data_type())))
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

pub(super) fn from_sql(data_type: DataType, sql: ValueRef<'_>) -> Result<Value> {
    let value = match (data_type, sql) {
        (DataType::Integer, ValueRef::Integer(number)) => Some(Value::Integer(number)),
        (DataType::Boolean, ValueRef::Integer(number @ 0..=1)) => Some(Value::Boolean(number == 1)),
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
        ValueRef::Text(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_| wrong(String::from_utf8_lossy(bytes)))?;
            // The text of an integer is stored as an integer.
            let id = EntityId::parse(text).ok().filter(|id| id.as_text() == Some(text));
            id.ok_or_else(|| wrong(text.into()))
        }
        _ => Err(wrong("empty or binary".into())),
    }
}

/// The ordinals of a bitmap.
pub(super) fn read_touched(bytes: &[u8]) -> Result<Touched> {
    let touched = RoaringBitmap::deserialize_from(bytes).ok().filter(|touched| !touched.contains(0));
    touched.map(Touched).ok_or_else(|| Error::corrupt("what a commit changed cannot be read"))
}
