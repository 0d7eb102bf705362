//! A filter whose names are definitions and whose values have their types: what a backend is asked.

use std::fmt;
use std::ops::Bound;

use crate::filter::print::quoted;
use crate::model::{DefinitionId, EntityRecord, Name, Value};

/// A [`crate::Filter`] that is bound to the definitions of a catalog. Its depth is bounded by
/// [`crate::Filter::MAX_DEPTH`], and one level more where it sees defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BoundFilter {
    /// A test of what the entity holds for one definition.
    Test(DefinitionId, Condition),
    /// The complement.
    Not(Box<BoundFilter>),
    /// All of these.
    And(Vec<BoundFilter>),
    /// Any of these.
    Or(Vec<BoundFilter>),
}

/// What is asked of a value. All but [`Condition::NotExists`] ask that there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// There is none.
    NotExists,
    /// There is one.
    Exists,
    /// It is not equal to this one.
    NotEqual(Value),
    /// It is one of these, which are in order, each once.
    In(Vec<Value>),
    /// It is between these.
    Within(Bound<Value>, Bound<Value>),
    /// It is a text that, folded as names are, is this one.
    EqualFolded(String),
    /// It is a text that begins with this one.
    StartsWith(String),
    /// It is a text that ends with this one.
    EndsWith(String),
    /// It is a text that has this one as a part.
    Contains(String),
}

impl BoundFilter {
    /// Whether the entity is wanted.
    ///
    /// This is what a filter means. Backends with an index must answer the same.
    pub fn matches(&self, record: &EntityRecord) -> bool {
        match self {
            Self::Test(definition, condition) => condition.matches(record.value(*definition)),
            Self::Not(inner) => !inner.matches(record),
            Self::And(all) => all.iter().all(|one| one.matches(record)),
            Self::Or(any) => any.iter().any(|one| one.matches(record)),
        }
    }
}

impl Condition {
    /// Whether this is what the entity is to hold.
    pub fn matches(&self, held: Option<&Value>) -> bool {
        match held {
            None => *self == Self::NotExists,
            Some(value) => self.admits(value),
        }
    }

    fn admits(&self, value: &Value) -> bool {
        match self {
            Self::NotExists => false,
            Self::Exists => true,
            Self::NotEqual(other) => value != other,
            Self::In(values) => values.binary_search(value).is_ok(),
            Self::Within(first, last) => {
                let from = match first {
                    Bound::Included(first) => value >= first,
                    Bound::Excluded(first) => value > first,
                    Bound::Unbounded => true,
                };
                let to = match last {
                    Bound::Included(last) => value <= last,
                    Bound::Excluded(last) => value < last,
                    Bound::Unbounded => true,
                };
                from && to
            }
            Self::EqualFolded(folded) => is_text(value, |text| Name::folded(text) == *folded),
            Self::StartsWith(part) => is_text(value, |text| text.starts_with(part)),
            Self::EndsWith(part) => is_text(value, |text| text.ends_with(part)),
            Self::Contains(part) => is_text(value, |text| text.contains(part)),
        }
    }
}

fn is_text(value: &Value, wanted: impl FnOnce(&str) -> bool) -> bool {
    matches!(value, Value::String(text) if wanted(text))
}

/// As it is asked of an attribute in a filter's text.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Bound::{Excluded, Included, Unbounded};
        match self {
            Self::NotExists => f.write_str("not exists"),
            Self::Exists => f.write_str("exists"),
            Self::NotEqual(value) => write!(f, "!= {}", Written(value)),
            Self::In(values) => match values.as_slice() {
                [value] => write!(f, "= {}", Written(value)),
                values => {
                    let values: Vec<_> = values.iter().map(|value| Written(value).to_string()).collect();
                    write!(f, "in ({})", values.join(", "))
                }
            },
            Self::Within(Included(first), Included(last)) => write!(f, "between {} and {}", Written(first), Written(last)),
            Self::Within(Included(first), Unbounded) => write!(f, ">= {}", Written(first)),
            Self::Within(Excluded(first), Unbounded) => write!(f, "> {}", Written(first)),
            Self::Within(Unbounded, Included(last)) => write!(f, "<= {}", Written(last)),
            Self::Within(Unbounded, Excluded(last)) => write!(f, "< {}", Written(last)),
            Self::Within(first, last) => write!(f, "within {first:?} and {last:?}"),
            Self::EqualFolded(text) => write!(f, "~= {}", Written(&Value::from(text.as_str()))),
            Self::StartsWith(text) => write!(f, "starts with {}", Written(&Value::from(text.as_str()))),
            Self::EndsWith(text) => write!(f, "ends with {}", Written(&Value::from(text.as_str()))),
            Self::Contains(text) => write!(f, "contains {}", Written(&Value::from(text.as_str()))),
        }
    }
}

/// A value as it stands in a filter's text.
struct Written<'a>(&'a Value);

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::String(text) => quoted(f, text, '\''),
            Value::Date(day) => write!(f, "'{day}'"),
            other => write!(f, "{other}"),
        }
    }
}
