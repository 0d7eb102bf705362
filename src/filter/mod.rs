//! The question: a filter over the attributes of an entity type, built in Rust or read from text, then bound to definitions.

mod bind;
mod bound;
mod build;
mod lexer;
mod parse;
mod print;

pub(crate) use bind::Sees;
pub(crate) use bound::WithoutValues;
pub use bound::{BoundFilter, Condition};
pub use build::{Attr, attr};

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

/// A question about the attributes of an entity: is this one wanted?
///
/// It is built in Rust, beginning with [`attr`], or read from text, and is printed as that text. Its serial form is the text.
///
/// | text | Rust | wanted is |
/// | --- | --- | --- |
/// | `tier = 'premium'`, `tier != 'basic'` | `eq`, `ne` | a value that is equal, or is not |
/// | `credit_limit > 10`, `>=`, `<`, `<=` | `gt`, `ge`, `lt`, `le` | a value on that side |
/// | `credit_limit between 10 and 20` | `between` | a value from 10 to 20, both of them included |
/// | `tier in ('basic', 'premium')` | `is_in` | one of these values |
/// | `tier ~= 'PREMIUM'` | `eq_folded` | a text that is equal whatever its case, as names are |
/// | `tier starts with 'pre'`, `ends with`, `contains` | `starts_with`, `ends_with`, `contains` | a text with this part |
/// | `tier exists`, `tier not exists` | `exists`, `not_exists` | any value, or none |
/// | `not`, `and`, `or`, in this order; `( )` | `!`, `&`, `\|` | |
///
/// - Names are bare (`support_tier`, `größe`, `स्थिति`) or in double quotes (`"Contract Expiry Date"`), and are equal whatever their
///   case. A bare name begins with a letter or `_`, and goes on with letters, digits, marks, `_`, `.` and `-`: it is an identifier
///   by UAX #31 (`XID_Start`, `XID_Continue`) with these additions. A keyword, in any case, is a name only in double quotes.
///   Texts and dates are in single quotes; a quote within is doubled. Numbers, `true` and `false` are bare. Keywords have
///   any case.
/// - Values are of the attribute's type; of BOOLEAN, `false` comes before `true`. Texts compare by code point.
/// - An absent value matches no comparison, `!=` neither. `not` is the complement: all others of the type that hold a value.
/// - A filter sees stored values, and no defaults, unless the query asks for it: see [`crate::Query::with_defaults`].
///
/// ```
/// use custom_attributes::{Filter, attr};
/// let built = attr("credit_limit").gt(10_000) & !attr("churned").eq(true);
/// let read: Filter = "credit_limit > 10000 and not churned = true".parse()?;
/// assert_eq!(built, read);
/// assert_eq!(built.to_string(), "credit_limit > 10000 and not churned = true");
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a filter does nothing until it is asked"]
pub struct Filter {
    /// Operands before what joins them: whatever a filter's depth, nothing here is recursive. Never empty.
    /// Shared by clones, for a filter is cloned into each query.
    steps: Arc<Vec<Step>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Test(Test),
    Not,
    /// All of so many operands; none of them is an `And` itself.
    And(usize),
    /// Any of so many operands; none of them is an `Or` itself.
    Or(usize),
}

/// What is asked of one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Test {
    name: String,
    at: Position,
    asked: Asked,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Compare(Comparison, Literal),
    Between(Literal, Literal),
    In(Vec<Literal>),
    Exists,
    NotExists,
}

/// How an attribute's value is compared with one other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    EqFolded,
    StartsWith,
    EndsWith,
    Contains,
}

impl Comparison {
    const ALL: [Self; 10] = [
        Self::Eq,
        Self::Ne,
        Self::Lt,
        Self::Le,
        Self::Gt,
        Self::Ge,
        Self::EqFolded,
        Self::StartsWith,
        Self::EndsWith,
        Self::Contains,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::EqFolded => "~=",
            Self::StartsWith => "starts with",
            Self::EndsWith => "ends with",
            Self::Contains => "contains",
        }
    }

    /// Whether it makes sense for texts only.
    const fn is_of_text(self) -> bool {
        matches!(self, Self::EqFolded | Self::StartsWith | Self::EndsWith | Self::Contains)
    }
}

/// A value as it is written, before its type is known.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Literal {
    written: Written,
    at: Position,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Written {
    Text(String),
    Number(String),
    Truth(bool),
}

/// A place in the text that a filter was read from, in characters that a person sees (grapheme clusters), from 1; none if it was built. It is no part of what the
/// filter asks: filters that differ in it are equal.
#[derive(Debug, Clone, Copy, Default)]
struct Position(Option<usize>);

impl PartialEq for Position {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Position {}

impl Filter {
    /// The longest text that is read, in bytes.
    pub const MAX_BYTES: usize = 65_536;
    /// How deep parentheses and `not` may stand in each other.
    pub const MAX_DEPTH: usize = 64;

    /// Reads a filter from text: the same as `text.parse()`.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the place, and what should stand there.
    ///
    /// ```
    /// use custom_attributes::Filter;
    /// let error = Filter::parse("tier = 'premium' and credit_limit >").unwrap_err();
    /// assert_eq!(error.to_string(), "the filter expects a value at character 36, not its end");
    /// assert_eq!(error.violations()[0].position, Some(36));
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        Ok(parse::parse(text)?)
    }
}

impl std::str::FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
