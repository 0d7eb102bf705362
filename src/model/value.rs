//! Typed values, and how each is written.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Result;
use crate::error::{Rule, Violation};
use crate::violation::REDACTED;

/// The type of an attribute's values. Written and serialised in capitals.
///
/// ```
/// use custom_attributes::DataType;
/// assert_eq!("DECIMAL".parse::<DataType>()?, DataType::Decimal);
/// assert_eq!(DataType::Date.to_string(), "DATE");
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum DataType {
    /// Text of up to 4096 characters.
    String,
    /// An exact decimal number of up to 28 significant digits.
    Decimal,
    /// A 64-bit integer.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A day, `YYYY-MM-DD`.
    Date,
}

impl DataType {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::String, Self::Decimal, Self::Integer, Self::Boolean, Self::Date];

    /// The spelling.
    ///
    /// ```
    /// # use custom_attributes::DataType;
    /// assert_eq!(DataType::Boolean.as_str(), "BOOLEAN");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "STRING",
            Self::Decimal => "DECIMAL",
            Self::Integer => "INTEGER",
            Self::Boolean => "BOOLEAN",
            Self::Date => "DATE",
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for DataType {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|data_type| data_type.as_str() == text);
        found.ok_or_else(|| Violation::new(Rule::Grammar, "a data type: STRING, DECIMAL, INTEGER, BOOLEAN or DATE", text).into())
    }
}

/// When a value of one type may become a value of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Exactness {
    /// Both have the same text, so that converting back gives the same bytes.
    #[default]
    SameText,
    /// Both are the same number: `01234` becomes 1234, and `5.00` becomes 5.
    SameNumber,
}

/// A typed value.
///
/// Values compare within their type, texts by code point and decimals by number, so that 1.50 equals 1.5; across types
/// the order is that of [`DataType`]. Serialises as `{"DECIMAL":"1.50"}`: DECIMAL and DATE as text, INTEGER and BOOLEAN bare.
///
/// ```
/// use custom_attributes::{DataType, Value};
/// let value = Value::parse(DataType::Decimal, "10000.50")?;
/// assert_eq!(value.to_string(), "10000.50");
/// assert_eq!(value, Value::parse(DataType::Decimal, "10000.5")?);
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Value {
    /// Text.
    String(String),
    /// An exact decimal number.
    #[serde(with = "decimal_as_text")]
    Decimal(Decimal),
    /// A 64-bit integer.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// A day.
    #[serde(with = "date_as_text")]
    Date(NaiveDate),
}

impl Value {
    /// The greatest length of a STRING in characters.
    pub const MAX_CHARS: usize = 4096;
    /// How many significant digits a DECIMAL can have.
    pub const MAX_DIGITS: u32 = 28;
    /// The greatest magnitude of a DECIMAL.
    pub const MAX_MAGNITUDE: i64 = i64::MAX;

    /// Returns the value as a value of another type, if both have the same text.
    ///
    /// The text of a value is what its `Display` prints. The same text means that converting back gives the very same value:
    /// `01234` is not the number 1234, and DECIMAL `5.00` is not INTEGER `5`.
    ///
    /// # Errors
    /// - [`Rule::ConversionText`] if the value can be converted, but not with the same text.
    /// - [`Rule::Conversion`] if the types do not go together: a fraction as INTEGER, a number as BOOLEAN, a day as a number.
    /// - The rule that a text breaks as a value of the type.
    ///
    /// ```
    /// use custom_attributes::{DataType, Rule, Value};
    /// assert_eq!(Value::from("29.85").converted(DataType::Decimal)?, Value::parse(DataType::Decimal, "29.85")?);
    /// assert_eq!(Value::parse(DataType::Decimal, "5")?.converted(DataType::Integer)?, Value::from(5));
    /// let refused = Value::from("01234").converted(DataType::Integer).unwrap_err();
    /// assert_eq!(refused.violations()[0].rule, Rule::ConversionText);
    /// assert!(Value::parse(DataType::Decimal, "5.00")?.converted(DataType::Integer).is_err());
    /// assert!(Value::from(1).converted(DataType::Boolean).is_err());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn converted(&self, data_type: DataType) -> Result<Self> {
        Ok(self.convert(data_type, Exactness::SameText)?)
    }

    pub(crate) fn convert(&self, data_type: DataType, exactness: Exactness) -> Result<Self, Violation> {
        let converted = self.convert_by_value(data_type)?;
        // An integer has the same text as a decimal, and everything has the same text as STRING.
        let may_differ = matches!(
            (self, data_type),
            (Self::String(_), DataType::Integer | DataType::Decimal) | (Self::Decimal(_), DataType::Integer)
        );
        if exactness == Exactness::SameText && may_differ && !self.has_text_of(&converted) {
            return Err(Violation::new(Rule::ConversionText, data_type, self));
        }
        Ok(converted)
    }

    /// Whether both values print the same.
    pub(crate) fn has_text_of(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }

    fn convert_by_value(&self, data_type: DataType) -> Result<Self, Violation> {
        match (self, data_type) {
            (value, same) if value.data_type() == same => Ok(value.clone()),
            (Self::String(text), data_type) => Self::read(data_type, text),
            (value, DataType::String) => Ok(Self::String(value.to_string())),
            (Self::Integer(number), DataType::Decimal) => Ok(Self::Decimal((*number).into())),
            (Self::Decimal(number), DataType::Integer) if number.is_integer() => {
                Self::read(DataType::Integer, &number.trunc().normalize().to_string())
            }
            (value, data_type) => Err(Violation::new(Rule::Conversion, data_type, value)),
        }
    }

    /// Reads a value of this type from its text: nothing is trimmed, rounded or guessed.
    ///
    /// # Errors
    /// A text that is not written as the type asks, or lies beyond its limits.
    ///
    /// ```
    /// use custom_attributes::{DataType, Value};
    /// assert_eq!(Value::parse(DataType::Integer, "-12")?, Value::Integer(-12));
    /// let error = Value::parse(DataType::Boolean, "yes").unwrap_err();
    /// assert_eq!(error.to_string(), "\"yes\" is not true or false");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn parse(data_type: DataType, text: &str) -> Result<Self> {
        Ok(Self::read(data_type, text)?)
    }

    pub(crate) fn read(data_type: DataType, text: &str) -> Result<Self, Violation> {
        let value = match data_type {
            DataType::String => Some(Self::String(text.to_owned())),
            DataType::Decimal => return read_decimal(text).map(Self::Decimal),
            DataType::Integer => return read_integer(text).map(Self::Integer),
            DataType::Boolean => match text {
                "true" => Some(Self::Boolean(true)),
                "false" => Some(Self::Boolean(false)),
                _ => None,
            },
            DataType::Date => read_date(text).map(Self::Date),
        };
        let value = value.ok_or_else(|| Violation::new(Rule::Grammar, grammar(data_type), text))?;
        value.checked()
    }

    /// The type of the value.
    ///
    /// ```
    /// # use custom_attributes::{DataType, Value};
    /// assert_eq!(Value::from("premium").data_type(), DataType::String);
    /// ```
    pub const fn data_type(&self) -> DataType {
        match self {
            Self::String(_) => DataType::String,
            Self::Decimal(_) => DataType::Decimal,
            Self::Integer(_) => DataType::Integer,
            Self::Boolean(_) => DataType::Boolean,
            Self::Date(_) => DataType::Date,
        }
    }

    /// The value without what makes equal ones look different: the zeros at the end of a decimal.
    pub(crate) fn normalized(self) -> Self {
        match self {
            Self::Decimal(number) => Self::Decimal(number.normalize()),
            other => other,
        }
    }

    /// Checks what the type itself asks, whoever made the value, and takes the sign off zero.
    pub(crate) fn checked(self) -> Result<Self, Violation> {
        match self {
            Self::String(text) if text.contains('\0') => Err(Violation::new(Rule::Characters, "any character but NUL", "U+0000")),
            Self::String(text) if longer_than(&text, Self::MAX_CHARS) => {
                Err(Violation::new(Rule::MaximumChars, Self::MAX_CHARS, text.chars().count()))
            }
            Self::Decimal(number) => check_decimal(number).map(Self::Decimal),
            Self::Date(day) if !(1..=9999).contains(&day.year()) => {
                Err(Violation::new(Rule::Range, "0001-01-01 to 9999-12-31", day))
            }
            good => Ok(good),
        }
    }
}

impl Value {
    /// The value for `Debug` output, hidden if its attribute is sensitive.
    pub(crate) fn shown(&self, is_sensitive: bool) -> &dyn fmt::Debug {
        if is_sensitive { &Redacted } else { self }
    }

    /// The type of the value for `Debug` output of what does not know the attribute, and so cannot tell whether it is sensitive.
    pub(crate) const fn hidden(&self) -> impl fmt::Debug + use<> {
        Hidden(self.data_type())
    }
}

struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

struct Hidden(DataType);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(..)", self.0)
    }
}

/// Whether the text has more characters than that; looks at no more than it must.
pub(crate) fn longer_than(text: &str, max_chars: usize) -> bool {
    text.len() > max_chars && text.chars().nth(max_chars).is_some()
}

fn grammar(data_type: DataType) -> &'static str {
    match data_type {
        DataType::String => "text",
        DataType::Decimal => "a decimal number such as -12.50, without exponent, sign + or separators",
        DataType::Integer => "an integer such as -12, without sign + or separators",
        DataType::Boolean => "true or false",
        DataType::Date => "a real day as YYYY-MM-DD",
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// What stands before the point and behind it, if the text is written as `-?digits[.digits]`.
pub(crate) fn number_parts(text: &str) -> Option<(&str, Option<&str>)> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(whole, fraction)| (whole, Some(fraction)));
    (is_digits(whole) && fraction.is_none_or(is_digits)).then_some((whole, fraction))
}

fn read_integer(text: &str) -> Result<i64, Violation> {
    if !is_digits(text.strip_prefix('-').unwrap_or(text)) {
        return Err(Violation::new(Rule::Grammar, grammar(DataType::Integer), text));
    }
    text.parse().map_err(|_| Violation::new(Rule::Range, format!("{} to {}", i64::MIN, i64::MAX), text))
}

fn read_decimal(text: &str) -> Result<Decimal, Violation> {
    let parts = number_parts(text).ok_or_else(|| Violation::new(Rule::Grammar, grammar(DataType::Decimal), text));
    let (whole, fraction) = parts?;
    // Zeros that carry no value never make a number too long; but 1.50 keeps the zero it was written with.
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.unwrap_or_default();
    let (max_digits, significant) = (Value::MAX_DIGITS as usize, fraction.trim_end_matches('0'));
    let fraction = if whole.len() + fraction.len() > max_digits { significant } else { fraction };
    let digits = if whole.is_empty() { significant.trim_start_matches('0').len() } else { whole.len() + significant.len() };
    if whole.len() > 19 {
        return Err(magnitude(text));
    }
    if digits > max_digits {
        return Err(Violation::new(Rule::SignificantDigits, max_digits, text));
    }
    if fraction.len() > max_digits {
        return Err(Violation::new(Rule::FractionDigits, max_digits, text));
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    let plain =
        format!("{sign}{}.{}", if whole.is_empty() { "0" } else { whole }, if fraction.is_empty() { "0" } else { fraction });
    let mut number = Decimal::from_str_exact(&plain).map_err(|_| Violation::new(Rule::SignificantDigits, max_digits, text))?;
    if fraction.is_empty() {
        number = number.trunc();
    }
    check_decimal(number)
}

fn magnitude(found: impl fmt::Display) -> Violation {
    Violation::new(Rule::Range, format!("-{0} to {0}", Value::MAX_MAGNITUDE), found)
}

fn check_decimal(mut number: Decimal) -> Result<Decimal, Violation> {
    if number.is_zero() {
        number.set_sign_positive(true);
    }
    if number.abs() > Decimal::from(Value::MAX_MAGNITUDE) {
        return Err(magnitude(number));
    }
    let over = |number: &Decimal| number.mantissa().unsigned_abs() >= 10u128.pow(Value::MAX_DIGITS);
    if over(&number) {
        let shorter = number.normalize();
        if over(&shorter) {
            return Err(Violation::new(Rule::SignificantDigits, Value::MAX_DIGITS, number));
        }
        number = shorter;
    }
    Ok(number)
}

/// `YYYY-MM-DD` and nothing else; others roll 02-29 over, or take 2023-2-9.
pub(crate) fn read_date(text: &str) -> Option<NaiveDate> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else { return None };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0u32, |sum, b| if b.is_ascii_digit() { Some(sum * 10 + u32::from(b - b'0')) } else { None })
    };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    if year == 0 {
        return None;
    }
    NaiveDate::from_ymd_opt(year, number(&[m1, m2])?, number(&[d1, d2])?)
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => f.write_str(text),
            Self::Decimal(number) => number.fmt(f),
            Self::Integer(number) => number.fmt(f),
            Self::Boolean(truth) => truth.fmt(f),
            Self::Date(day) => day.fmt(f),
        }
    }
}

macro_rules! into_value {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}
into_value! {
    bool => Boolean, String => String, &str => String, &String => String, Decimal => Decimal, NaiveDate => Date,
    i8 => Integer, i16 => Integer, i32 => Integer, i64 => Integer, u8 => Integer, u16 => Integer, u32 => Integer,
}

/// What a value can be read as: `bool`, the integers up to `i64`, `Decimal`, `String`, `NaiveDate`, and [`Value`] itself.
///
/// ```
/// use custom_attributes::{FromValue, Value};
/// assert_eq!(i64::from_value(Value::from(7))?, 7);
/// assert!(String::from_value(Value::from(7)).is_err());
/// # Ok::<(), custom_attributes::Violation>(())
/// ```
pub trait FromValue: Sized {
    /// Turns a value into it.
    ///
    /// # Errors
    /// A value of another type, or an integer that does not fit.
    fn from_value(value: Value) -> Result<Self, Violation>;
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self, Violation> {
        Ok(value)
    }
}

macro_rules! from_value {
    ($($into:ty => $variant:ident),* $(,)?) => {$(
        impl FromValue for $into {
            fn from_value(value: Value) -> Result<Self, Violation> {
                match value {
                    Value::$variant(inner) => Ok(inner),
                    other => Err(read_as(other.data_type(), DataType::$variant)),
                }
            }
        }

        impl TryFrom<Value> for $into {
            type Error = crate::Error;

            fn try_from(value: Value) -> Result<Self> {
                Ok(Self::from_value(value)?)
            }
        }
    )*};
}
from_value! { bool => Boolean, i64 => Integer, Decimal => Decimal, String => String, NaiveDate => Date }

macro_rules! narrower_integers {
    ($($into:ty)*) => {$(
        impl FromValue for $into {
            fn from_value(value: Value) -> Result<Self, Violation> {
                let number = i64::from_value(value)?;
                number.try_into().map_err(|_| Violation::new(Rule::Range, format!("{} to {}", Self::MIN, Self::MAX), number))
            }
        }

        impl TryFrom<Value> for $into {
            type Error = crate::Error;

            fn try_from(value: Value) -> Result<Self> {
                Ok(Self::from_value(value)?)
            }
        }
    )*};
}
narrower_integers!(i8 i16 i32 u8 u16 u32 u64);

fn read_as(has: DataType, asked: DataType) -> Violation {
    Violation::new(Rule::DataType, has, format_args!("to a reader of {asked}"))
}

mod decimal_as_text {
    use super::{Decimal, Deserialize, Deserializer, Serializer, read_decimal};

    pub(super) fn serialize<S: Serializer>(number: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        read_decimal(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
mod date_as_text {
    use super::{DataType, Deserialize, Deserializer, NaiveDate, Rule, Serializer, Violation, grammar, read_date};

    pub(super) fn serialize<S: Serializer>(day: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(day)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom(Violation::new(Rule::Grammar, grammar(DataType::Date), &text));
        read_date(&text).ok_or_else(wrong)
    }
}
