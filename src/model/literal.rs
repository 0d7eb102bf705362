//! Bare values: their type is not written with them, but is that of their definition.

use std::borrow::Borrow;
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Rule, Violation};
use crate::model::{DataType, Value};

/// A bare value that is written: DECIMAL and DATE as text, INTEGER and BOOLEAN as JSON has them.
pub(crate) struct Bare<V>(pub(crate) V);

impl<V: Borrow<Value>> Serialize for Bare<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.borrow() {
            Value::String(text) => serializer.serialize_str(text),
            Value::Integer(number) => serializer.serialize_i64(*number),
            Value::Boolean(truth) => serializer.serialize_bool(*truth),
            Value::Decimal(number) => serializer.collect_str(number),
            Value::Date(day) => serializer.collect_str(day),
        }
    }
}

/// A bare value that was read, before its type is known.
pub(super) enum Literal {
    Text(String),
    Integer(i64),
    Boolean(bool),
}

impl Literal {
    pub(super) fn read(self, data_type: DataType) -> Result<Value, Violation> {
        let found = match (self, data_type) {
            (Self::Text(text), _) => return Value::read(data_type, &text),
            (Self::Integer(number), DataType::Integer) => return Ok(Value::Integer(number)),
            (Self::Integer(number), DataType::Decimal) => return Value::Decimal(Decimal::from(number)).checked(),
            (Self::Boolean(truth), DataType::Boolean) => return Ok(Value::Boolean(truth)),
            (Self::Integer(_), _) => DataType::Integer,
            (Self::Boolean(_), _) => DataType::Boolean,
        };
        Err(Violation::new(Rule::DataType, data_type, found))
    }
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Literal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, an integer of 64 bits, or true or false (a decimal is written as text, to stay exact)")
            }

            fn visit_str<E>(self, text: &str) -> Result<Literal, E> {
                Ok(Literal::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Literal, E> {
                Ok(Literal::Text(text))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Literal, E> {
                Ok(Literal::Integer(number))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Literal, E> {
                let wide = |_| E::invalid_value(serde::de::Unexpected::Unsigned(number), &self);
                i64::try_from(number).map(Literal::Integer).map_err(wide)
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Literal, E> {
                Ok(Literal::Boolean(truth))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
