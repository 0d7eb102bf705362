//! Filters built in Rust.

use std::ops::{BitAnd, BitOr, Not};
use std::sync::Arc;

use crate::filter::{Asked, Comparison, Filter, Literal, Position, Step, Test, Written};
use crate::model::Value;

/// An attribute to ask about, by its name. See [`Filter`] for all that can be asked.
///
/// ```
/// use custom_attributes::attr;
/// assert_eq!(attr("Contract Expiry Date").not_exists().to_string(), r#""Contract Expiry Date" not exists"#);
/// ```
pub fn attr(name: impl Into<String>) -> Attr {
    Attr { name: name.into() }
}

/// The beginning of a test, from [`attr`]: its methods make it a [`Filter`].
#[derive(Debug, Clone)]
#[must_use = "an attribute alone asks nothing"]
pub struct Attr {
    name: String,
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $method:ident => $comparison:ident),* $(,)?) => {$(
        $(#[$doc])*
        pub fn $method(self, value: impl Into<Value>) -> Filter {
            self.asked(Asked::Compare(Comparison::$comparison, value.into().into()))
        }
    )*};
}

impl Attr {
    comparisons! {
        /// The value is equal to this one: 1.5 is 1.50.
        eq => Eq,
        /// There is a value, and it is not equal to this one.
        ne => Ne,
        /// The value is less than this one, or an earlier day.
        lt => Lt,
        /// The value is this one or less.
        le => Le,
        /// The value is greater than this one, or a later day.
        gt => Gt,
        /// The value is this one or greater.
        ge => Ge,
        /// The text is equal to this one whatever its case, as names are: ß is ss, and composed é is decomposed é.
        eq_folded => EqFolded,
        /// The text begins with this one.
        starts_with => StartsWith,
        /// The text ends with this one.
        ends_with => EndsWith,
        /// This one is a part of the text.
        contains => Contains,
    }

    /// The value is from the first to the last, both of them included.
    ///
    /// ```
    /// use custom_attributes::attr;
    /// assert_eq!(attr("seats").between(5, 10).to_string(), "seats between 5 and 10");
    /// ```
    pub fn between(self, first: impl Into<Value>, last: impl Into<Value>) -> Filter {
        self.asked(Asked::Between(first.into().into(), last.into().into()))
    }

    /// The value is one of these; of none, it never is.
    ///
    /// ```
    /// use custom_attributes::attr;
    /// assert_eq!(attr("tier").is_in(["basic", "premium"]).to_string(), "tier in ('basic', 'premium')");
    /// ```
    pub fn is_in<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        self.asked(Asked::In(values.into_iter().map(|value| value.into().into()).collect()))
    }

    /// There is a value.
    pub fn exists(self) -> Filter {
        self.asked(Asked::Exists)
    }

    /// There is no value.
    pub fn not_exists(self) -> Filter {
        self.asked(Asked::NotExists)
    }

    fn asked(self, asked: Asked) -> Filter {
        Filter::from(Test { name: self.name, at: Position::default(), asked })
    }
}

impl From<Test> for Filter {
    fn from(test: Test) -> Self {
        Self { steps: Arc::new(vec![Step::Test(test)]) }
    }
}

impl From<Value> for Literal {
    fn from(value: Value) -> Self {
        let written = match value {
            Value::String(text) => Written::Text(text),
            Value::Boolean(truth) => Written::Truth(truth),
            Value::Date(_) => Written::Text(value.to_string()),
            Value::Integer(_) | Value::Decimal(_) => Written::Number(value.to_string()),
        };
        Self { written, at: Position::default() }
    }
}

impl BitAnd for Filter {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.joined(other, Step::And)
    }
}

impl BitOr for Filter {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.joined(other, Step::Or)
    }
}

impl Not for Filter {
    type Output = Self;

    fn not(mut self) -> Self {
        Arc::make_mut(&mut self.steps).push(Step::Not);
        self
    }
}

impl Filter {
    /// Joins two filters; one that is joined in the same way gives its operands.
    fn joined(self, other: Self, join: fn(usize) -> Step) -> Self {
        let (mut steps, mut others) = (Arc::unwrap_or_clone(self.steps), Arc::unwrap_or_clone(other.steps));
        let mut all = 0;
        for side in [&mut steps, &mut others] {
            all += match side.last() {
                Some(last @ &(Step::And(operands) | Step::Or(operands))) if *last == join(operands) => {
                    side.pop();
                    operands
                }
                _ => 1,
            };
        }
        steps.append(&mut others);
        steps.push(join(all));
        Self { steps: Arc::new(steps) }
    }
}
