//! From names and words to definitions and typed values.

use std::ops::Bound::{Excluded, Included, Unbounded};

use crate::error::{Result, Rule, Violation, Violations};
use crate::filter::parse::too_deep;
use crate::filter::{Asked, BoundFilter, Comparison, Condition, Filter, Literal, Position, Step, Test, Written};
use crate::model::{Catalog, DataType, Definition, EntityType, Name, Value};

/// What a filter sees where an entity holds no value for an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sees {
    /// Nothing.
    Stored,
    /// The default of the definition.
    Effective,
}

impl Filter {
    /// Binds the filter to the definitions of an entity type, to be asked of what entities hold: defaults are not seen.
    ///
    /// # Errors
    /// All that is wrong with it, each with its place if the filter was read from text: names that are not defined, values of
    /// another type or not well written, tests that do not go with the type; a filter deeper than [`Filter::MAX_DEPTH`].
    pub fn bind(&self, catalog: &Catalog, entity_type: &EntityType) -> Result<BoundFilter> {
        let mut violations = Vec::new();
        let bound = self.bind_or_refuse(catalog, entity_type, Sees::Stored, &mut violations);
        Violations::into_result(violations)?;
        Ok(bound.ok_or_else(too_deep)?)
    }

    /// The same for one who has more to refuse: none where anything is wrong, which is added.
    pub(crate) fn bind_or_refuse(
        &self,
        catalog: &Catalog,
        entity_type: &EntityType,
        sees: Sees,
        violations: &mut Vec<Violation>,
    ) -> Option<BoundFilter> {
        let mut done: Vec<Done> = Vec::new();
        for step in self.steps.iter() {
            let (bound, depth) = match step {
                Step::Test(test) => (test.bind(catalog, entity_type, sees, violations), 0),
                Step::Not => {
                    let (inner, depth) = done.pop().unwrap_or_default();
                    (inner.map(|inner| BoundFilter::Not(Box::new(inner))), depth + 1)
                }
                Step::And(operands) => join(&mut done, *operands, BoundFilter::And),
                Step::Or(operands) => join(&mut done, *operands, BoundFilter::Or),
            };
            if depth > Self::MAX_DEPTH {
                *violations = vec![too_deep()];
                return None;
            }
            done.push((bound, depth));
        }
        done.pop().and_then(|(whole, _)| whole)
    }
}

/// A part of a filter, unless something is wrong in it, and its depth.
type Done = (Option<BoundFilter>, usize);

fn join(done: &mut Vec<Done>, operands: usize, join: fn(Vec<BoundFilter>) -> BoundFilter) -> Done {
    let operands = done.split_off(done.len().saturating_sub(operands));
    let deepest = operands.iter().map(|(_, depth)| *depth).max().unwrap_or_default();
    let all: Option<Vec<_>> = operands.into_iter().map(|(operand, _)| operand).collect();
    (all.map(join), deepest + 1)
}

impl Test {
    fn bind(
        &self,
        catalog: &Catalog,
        entity_type: &EntityType,
        sees: Sees,
        violations: &mut Vec<Violation>,
    ) -> Option<BoundFilter> {
        let mut refuse = |violation: Violation, at: Position| violations.push(violation.in_filter(at.0));
        let definition = match catalog.searchable(entity_type, &self.name) {
            Ok(definition) => definition,
            Err(violation) => {
                refuse(violation, self.at);
                return None;
            }
        };
        let mut value = |literal: &Literal| {
            let bound = literal.bind(definition);
            bound.map_err(|violation| refuse(violation.about(definition), literal.at)).ok()
        };
        let condition = match &self.asked {
            Asked::Exists => Some(Condition::Exists),
            Asked::NotExists => Some(Condition::NotExists),
            Asked::Between(first, last) => {
                let (first, last) = (value(first), value(last));
                first.zip(last).map(|(first, last)| Condition::Within(Included(first), Included(last)))
            }
            Asked::In(literals) => {
                let values: Vec<_> = literals.iter().map(value).collect();
                let values: Option<Vec<_>> = values.into_iter().collect();
                values.map(|mut values| {
                    values.sort_unstable();
                    values.dedup();
                    Condition::In(values)
                })
            }
            Asked::Compare(comparison, _) if comparison.is_of_text() && definition.data_type() != DataType::String => {
                let violation = Violation::new(Rule::FilterTest, comparison.as_str(), definition.data_type());
                refuse(violation.about(definition), self.at);
                None
            }
            Asked::Compare(comparison, literal) => value(literal).map(|value| comparison.condition(value)),
        };
        let condition = condition?;
        Some(match sees {
            Sees::Stored => BoundFilter::Test(definition.id(), condition),
            Sees::Effective => effective(definition, condition),
        })
    }
}

/// A test of what an entity holds for the definition, or else of its default. It asks the store for nothing but stored values, so
/// every backend answers it, from its index. It is one level deeper than a test.
fn effective(definition: &Definition, condition: Condition) -> BoundFilter {
    let test = |condition| BoundFilter::Test(definition.id(), condition);
    match &definition.rules().default {
        None => test(condition),
        Some(default) if condition.matches(Some(default)) => BoundFilter::Or(vec![test(condition), test(Condition::NotExists)]),
        // There is always a value, so nobody is without one.
        Some(_) if condition == Condition::NotExists => test(Condition::In(Vec::new())),
        Some(_) => test(condition),
    }
}

impl Comparison {
    fn condition(self, value: Value) -> Condition {
        match (self, value) {
            (Self::Eq, value) => Condition::In(vec![value]),
            (Self::Ne, value) => Condition::NotEqual(value),
            (Self::Lt, value) => Condition::Within(Unbounded, Excluded(value)),
            (Self::Le, value) => Condition::Within(Unbounded, Included(value)),
            (Self::Gt, value) => Condition::Within(Excluded(value), Unbounded),
            (Self::Ge, value) => Condition::Within(Included(value), Unbounded),
            (Self::EqFolded, value) => Condition::EqualFolded(Name::folded(&value.to_string())),
            (Self::StartsWith, value) => Condition::StartsWith(value.to_string()),
            (Self::EndsWith, value) => Condition::EndsWith(value.to_string()),
            (Self::Contains, value) => Condition::Contains(value.to_string()),
        }
    }
}

impl Literal {
    fn bind(&self, definition: &Definition) -> Result<Value, Violation> {
        let wanted = definition.data_type();
        let other = |kind: &str| {
            let found = if definition.is_sensitive() { format!("a {kind}") } else { format!("the {kind} {self}") };
            Err(Violation::new(Rule::DataType, wanted, found))
        };
        match (&self.written, wanted) {
            (Written::Text(text), DataType::String | DataType::Date) => Value::read(wanted, text),
            (Written::Number(number), DataType::Integer | DataType::Decimal) => Value::read(wanted, number),
            (Written::Truth(truth), DataType::Boolean) => Ok(Value::Boolean(*truth)),
            (Written::Text(_), _) => other("text"),
            (Written::Number(_), _) => other("number"),
            (Written::Truth(_), _) => other("truth"),
        }
    }
}
