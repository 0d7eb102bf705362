//! Values as keys: bytes that order as the values do, equal where they are equal, and bounded however long a text is.

use std::ops::{Bound, Range};

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::model::{DataType, EntityType, Value};

/// How many bytes of a text its key has; what is longer is cut.
const MAX_TEXT: usize = 128;
/// Begins the key of a text, so that no value has the empty key.
const TEXT: u8 = 1;
/// Ends the key of a text that was cut. No byte of UTF-8 is as great, so it stands behind every text that is its beginning.
const CUT: u8 = 0xff;

/// So many bytes are held in place: all numbers and dates, and most texts that tell kinds apart.
type Bytes = SmallVec<[u8; 24]>;

/// What a value is looked up by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(Bytes);

/// Keys from the first one, which is included, to the second, which is not.
pub(crate) type Keys = Range<Key>;

impl Key {
    /// The key of all that hold a value of a definition, whichever it is. It comes before the keys of values.
    pub(crate) fn any() -> Self {
        Self(Bytes::new())
    }

    /// The key of all entities of a type, which belong to no definition.
    pub(crate) fn of_type(entity_type: &EntityType) -> Self {
        Self::load(entity_type.as_str().as_bytes())
    }

    pub(crate) fn of(value: &Value) -> Self {
        let mut bytes = Bytes::new();
        match value {
            Value::String(text) => write_text(&mut bytes, text),
            Value::Decimal(number) => write_decimal(&mut bytes, *number),
            Value::Integer(number) => write_integer(&mut bytes, *number),
            Value::Boolean(truth) => bytes.push(u8::from(*truth)),
            Value::Date(day) => write_integer(&mut bytes, i64::from(day.num_days_from_ce())),
        }
        Self(bytes)
    }

    /// A key as it is stored.
    pub(crate) fn load(bytes: &[u8]) -> Self {
        Self(Bytes::from_slice(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it stands for texts that are longer than a key, and may differ behind its end.
    pub(crate) fn is_cut(&self) -> bool {
        self.0.first() == Some(&TEXT) && self.0.last() == Some(&CUT)
    }

    /// The value with this key; a decimal has no zeros at its end. None if the key was cut.
    pub(crate) fn value(&self, data_type: DataType) -> Result<Option<Value>> {
        if self.is_cut() {
            return Ok(None);
        }
        let read = read_value(&self.0, data_type);
        read.map(Some).ok_or_else(|| {
            Error::corrupt(format!("the index has a key that is not of type {data_type} (`rebuild_index` rebuilds an index)"))
        })
    }

    /// The first key behind this one.
    fn next(mut self) -> Self {
        self.0.push(0);
        self
    }

    /// This key alone.
    pub(crate) fn only(self) -> Keys {
        self.clone()..self.next()
    }
}

/// The keys of all values.
pub(crate) fn all() -> Keys {
    Key::load(&[0])..Key::load(&[CUT])
}

/// The keys of the values between these bounds, a bound itself too if it is cut.
pub(crate) fn within(first: &Bound<Value>, last: &Bound<Value>) -> Keys {
    let all = all();
    let start = match first {
        Bound::Unbounded => all.start,
        Bound::Included(first) => Key::of(first),
        Bound::Excluded(first) => behind(Key::of(first), false),
    };
    let end = match last {
        Bound::Unbounded => all.end,
        Bound::Included(last) => Key::of(last).next(),
        Bound::Excluded(last) => behind(Key::of(last), true),
    };
    start..end
}

fn behind(excluded: Key, is_end: bool) -> Key {
    if excluded.is_cut() == is_end { excluded.next() } else { excluded }
}

/// The keys of the texts that begin so, and, of a beginning that is longer than a key, of others too.
pub(crate) fn starting_with(part: &str) -> Keys {
    let mut bytes = Bytes::new();
    write_text(&mut bytes, part);
    let start = Key(bytes);
    if start.is_cut() {
        return start.only();
    }
    let mut end = start.clone();
    if let Some(last) = end.0.last_mut() {
        *last += 1; // never the greatest byte: UTF-8 has none
    }
    start..end
}

fn write_text(bytes: &mut Bytes, text: &str) {
    let text = text.as_bytes();
    bytes.push(TEXT);
    bytes.extend_from_slice(&text[..text.len().min(MAX_TEXT)]);
    if text.len() > MAX_TEXT {
        bytes.push(CUT);
    }
}

/// The number of bytes, on the side of its sign, and those that are needed.
fn write_integer(bytes: &mut Bytes, number: i64) {
    let magnitude = if number < 0 { !number } else { number };
    let needed = (71 - magnitude.leading_zeros()) as usize / 8;
    let count = u8::try_from(needed).unwrap_or_default();
    bytes.push(if number < 0 { 0x7f - count } else { 0x80 + count });
    bytes.extend_from_slice(&number.to_be_bytes()[8 - needed..]);
}

fn read_integer(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (fill, count) = if *first < 0x80 { (0xff, 0x7f - first) } else { (0, first - 0x80) };
    let (needed, rest) = rest.split_at_checked(usize::from(count))?;
    let mut number = [fill; 8];
    number.get_mut(8usize.checked_sub(needed.len())?..)?.copy_from_slice(needed);
    Some((i64::from_be_bytes(number), rest))
}

/// The whole number below, and the digits above it, two to a byte, without zeros at their end.
fn write_decimal(bytes: &mut Bytes, number: Decimal) {
    let one = 10i128.pow(number.scale());
    let whole = number.mantissa().div_euclid(one);
    write_integer(bytes, i64::try_from(whole).unwrap_or(if whole < 0 { i64::MIN } else { i64::MAX }));
    let digits = number.scale().next_multiple_of(2);
    let mut part = number.mantissa().rem_euclid(one) * 10i128.pow(digits - number.scale());
    let mut unit = 10i128.pow(digits);
    while part > 0 {
        unit /= 100;
        bytes.push(u8::try_from(part / unit).unwrap_or_default());
        part %= unit;
    }
}

fn read_decimal(bytes: &[u8]) -> Option<Decimal> {
    let (whole, pairs) = read_integer(bytes)?;
    let (mut mantissa, mut scale) = (i128::from(whole), 0);
    for pair in pairs {
        mantissa = mantissa.checked_mul(100)?.checked_add(i128::from(*pair))?;
        scale += 2;
    }
    while scale > 0 && mantissa % 10 == 0 {
        (mantissa, scale) = (mantissa / 10, scale - 1);
    }
    Decimal::try_from_i128_with_scale(mantissa, scale).ok()
}

fn read_value(bytes: &[u8], data_type: DataType) -> Option<Value> {
    match data_type {
        DataType::String => {
            let text = bytes.split_first().filter(|(first, _)| **first == TEXT)?.1;
            std::str::from_utf8(text).ok().map(Value::from)
        }
        DataType::Decimal => read_decimal(bytes).map(Value::Decimal),
        DataType::Integer => read_integer(bytes).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| Value::Integer(number)),
        DataType::Boolean => match bytes {
            [0] => Some(Value::Boolean(false)),
            [1] => Some(Value::Boolean(true)),
            _ => None,
        },
        DataType::Date => {
            let (days, _) = read_integer(bytes).filter(|(_, rest)| rest.is_empty())?;
            NaiveDate::from_num_days_from_ce_opt(i32::try_from(days).ok()?).map(Value::Date)
        }
    }
}
