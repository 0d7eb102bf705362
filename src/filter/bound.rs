//! A filter whose names are definitions and whose values have their types: what a backend is asked.

use std::fmt;
use std::ops::Bound;

use crate::filter::print::quoted;
use crate::model::{DefinitionId, EntityRecord, Name, Value};
use crate::violation::REDACTED;

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
///
/// `Display` shows the condition as in a filter's text. `Debug` hides the values, which may be sensitive.
#[derive(Clone, PartialEq, Eq)]
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
        self.write(f, written)
    }
}

/// A condition does not know its attribute, so it cannot tell whether its values are sensitive.
impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, |value| format!("{:?}", value.hidden()))
    }
}

/// A condition in a filter's text, with [`REDACTED`] in place of each value.
pub(crate) struct WithoutValues<'a>(pub(crate) &'a Condition);

impl fmt::Display for WithoutValues<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, |_| REDACTED.to_owned())
    }
}

impl Condition {
    fn write(&self, f: &mut fmt::Formatter<'_>, shown: fn(&Value) -> String) -> fmt::Result {
        use Bound::{Excluded, Included, Unbounded};
        let text = |text: &str| shown(&Value::from(text));
        match self {
            Self::NotExists => f.write_str("not exists"),
            Self::Exists => f.write_str("exists"),
            Self::NotEqual(value) => write!(f, "!= {}", shown(value)),
            Self::In(values) => match values.as_slice() {
                [value] => write!(f, "= {}", shown(value)),
                values => {
                    let values: Vec<_> = values.iter().map(shown).collect();
                    write!(f, "in ({})", values.join(", "))
                }
            },
            Self::Within(Included(first), Included(last)) => write!(f, "between {} and {}", shown(first), shown(last)),
            Self::Within(Included(first), Unbounded) => write!(f, ">= {}", shown(first)),
            Self::Within(Excluded(first), Unbounded) => write!(f, "> {}", shown(first)),
            Self::Within(Unbounded, Included(last)) => write!(f, "<= {}", shown(last)),
            Self::Within(Unbounded, Excluded(last)) => write!(f, "< {}", shown(last)),
            Self::Within(first, last) => {
                write!(f, "within {:?} and {:?}", first.as_ref().map(shown), last.as_ref().map(shown))
            }
            Self::EqualFolded(part) => write!(f, "~= {}", text(part)),
            Self::StartsWith(part) => write!(f, "starts with {}", text(part)),
            Self::EndsWith(part) => write!(f, "ends with {}", text(part)),
            Self::Contains(part) => write!(f, "contains {}", text(part)),
        }
    }
}

/// A value as it stands in a filter's text.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text, '\''),
        Value::Date(day) => format!("'{day}'"),
        other => other.to_string(),
    }
}
