//! What the values of an attribute are, and how many hold each.

use std::fmt;
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use crate::error::{Result, Rule, Violation};
use crate::model::{DataType, Definition, Value};

/// The values that the wanted entities hold for one attribute, each with the number of its holders; and what follows from it.
/// Entities that hold none count for nothing, and a definition's default neither.
///
/// ```
/// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
/// use rust_decimal::Decimal;
/// let attributes = Attributes::new(MemoryStore::new());
/// let customers = attributes.of("customer")?;
/// customers.define(DefinitionSpec::integer("seats"))?;
/// for (id, seats) in [(1, 5), (2, 20), (3, 5)] {
///     customers.set(id, "seats", seats)?;
/// }
/// let facets = customers.facets(None, "seats")?;
/// assert_eq!((facets.holders(), facets.distinct()), (3, 2));
/// assert_eq!((facets.min(), facets.max()), (Some(&5.into()), Some(&20.into())));
/// assert_eq!(facets.sum()?, Some(Decimal::from(30)));
/// assert_eq!(facets.mean()?, Some(Decimal::from(10).into()));
/// # Ok::<(), custom_attributes::Error>(())
/// ```
///
/// `Debug` hides the values of a sensitive attribute.
#[derive(Clone)]
pub struct Facets {
    definition: Arc<Definition>,
    values: Vec<(Value, u64)>,
}

impl fmt::Debug for Facets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hides = self.definition.is_sensitive();
        let values: Vec<_> = self.values.iter().map(|(value, holders)| (value.shown(hides), holders)).collect();
        f.debug_struct("Facets").field("attribute", self.definition.name()).field("values", &values).finish()
    }
}

impl Facets {
    pub(super) const fn new(definition: Arc<Definition>, values: Vec<(Value, u64)>) -> Self {
        Self { definition, values }
    }

    /// The definition.
    pub const fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }

    /// The values in their own order, each with the number of its holders.
    pub fn values(&self) -> &[(Value, u64)] {
        &self.values
    }

    /// The values that most entities hold first; those with as many in their own order.
    pub fn most_frequent(&self) -> Vec<(&Value, u64)> {
        let mut values: Vec<_> = self.values.iter().map(|(value, count)| (value, *count)).collect();
        values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        values
    }

    /// How many values there are.
    pub const fn distinct(&self) -> usize {
        self.values.len()
    }

    /// How many entities hold one.
    pub fn holders(&self) -> u64 {
        self.values.iter().map(|(_, count)| count).sum()
    }

    /// The first of the values in their own order: the least number, the earliest day.
    pub fn min(&self) -> Option<&Value> {
        self.values.first().map(|(value, _)| value)
    }

    /// The last of the values in their own order: the greatest number, the latest day.
    pub fn max(&self) -> Option<&Value> {
        self.values.last().map(|(value, _)| value)
    }

    /// The exact sum of an INTEGER or DECIMAL over all holders; none if nobody holds a value.
    ///
    /// # Errors
    /// Another type; a sum that has more digits than a decimal can.
    pub fn sum(&self) -> Result<Option<Decimal>> {
        if !matches!(self.definition.data_type(), DataType::Integer | DataType::Decimal) {
            return Err(self.refused(Rule::DataType, self.definition.data_type(), "to a sum of numbers").into());
        }
        let numbers: Vec<_> = self.values.iter().filter_map(|(value, count)| Some((number(value)?, *count))).collect();
        if numbers.is_empty() {
            return Ok(None);
        }
        let too_long = || self.refused(Rule::SignificantDigits, Value::MAX_DIGITS, "their exact sum");
        Ok(Some(exact_sum(&numbers).ok_or_else(too_long)?))
    }

    /// The mean over all holders: of an INTEGER or DECIMAL a decimal, of 28 digits where it does not end before; of a DATE the
    /// day, or the one before if it falls between two. None if nobody holds a value.
    ///
    /// # Errors
    /// Another type; those of [`Facets::sum`].
    pub fn mean(&self) -> Result<Option<Value>> {
        if self.definition.data_type() != DataType::Date {
            let mean = |sum: Decimal| sum.checked_div(Decimal::from(self.holders()));
            return Ok(self.sum()?.and_then(mean).map(|mean| Value::Decimal(mean.normalize())));
        }
        let days = self.values.iter().filter_map(|(value, count)| match value {
            Value::Date(day) => Some(i128::from(day.num_days_from_ce()) * i128::from(*count)),
            _ => None,
        });
        let mean = days.sum::<i128>().checked_div_euclid(i128::from(self.holders()));
        let day = mean.and_then(|mean| NaiveDate::from_num_days_from_ce_opt(i32::try_from(mean).ok()?));
        Ok(day.map(Value::Date))
    }

    fn refused(&self, rule: Rule, limit: impl fmt::Display, found: &str) -> Violation {
        Violation::new(rule, limit, found).about(&self.definition)
    }
}

fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Integer(number) => Some(Decimal::from(*number)),
        Value::Decimal(number) => Some(*number),
        _ => None,
    }
}

/// Whole numbers and what is behind their points are summed apart: a store's entities fit either sum into 127 bits.
fn exact_sum(numbers: &[(Decimal, u64)]) -> Option<Decimal> {
    let unit = 10i128.pow(Value::MAX_DIGITS);
    let (mut wholes, mut parts) = (0i128, 0i128);
    for (number, count) in numbers {
        let (mantissa, one) = (number.mantissa(), 10i128.checked_pow(number.scale())?);
        wholes = wholes.checked_add((mantissa / one).checked_mul(i128::from(*count))?)?;
        parts = parts.checked_add((mantissa % one).checked_mul(unit / one)?.checked_mul(i128::from(*count))?)?;
    }
    wholes = wholes.checked_add(parts.div_euclid(unit))?;
    let (mut part, mut scale) = (parts.rem_euclid(unit), Value::MAX_DIGITS);
    while scale > 0 && part % 10 == 0 {
        (part, scale) = (part / 10, scale - 1);
    }
    let mantissa = wholes.checked_mul(10i128.checked_pow(scale)?)?.checked_add(part)?;
    Decimal::try_from_i128_with_scale(mantissa, scale).ok()
}
