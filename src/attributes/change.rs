//! A change of a definition that is looked at before it is made.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Serialize;

use crate::attributes::batch::BatchBuilder;
use crate::attributes::of::AttributesOf;
use crate::error::{Result, Rule, Violation};
use crate::hash::HashMap;
use crate::model::{Definition, DefinitionSpec, EntityKey, EntityRecord, Ordinal, Value};
use crate::store::{AttributeStore, Offending, Receipt, Snapshot, scan_from};

/// How many examples of conversions and offences a report has.
const REPORTED: usize = 100;

/// A change of a definition, its type as well: look at it, then make it, or not.
#[must_use = "a change is made when it is applied"]
pub struct DefinitionChanging<'a, S> {
    of: &'a AttributesOf<'a, S>,
    name: String,
    alter: Box<dyn Fn(DefinitionSpec) -> DefinitionSpec + 'a>,
}

/// What a change of a definition would mean for the values that are held.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ChangeReport {
    /// The definition as it is.
    pub before: Arc<Definition>,
    /// As it would be.
    pub after: DefinitionSpec,
    /// How many entities hold a value.
    pub held: u64,
    /// How many of the values would be converted to another type.
    pub converted: u64,
    /// How many of them cannot be, or would break a rule.
    pub offending: u64,
    /// The first 100 conversions.
    pub conversions: Vec<Conversion>,
    /// The first 100 that cannot stay; [`DefinitionChanging::offences`] has all of them.
    pub offences: Vec<Offence>,
}

/// A value that would be converted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Conversion {
    /// Who holds it.
    pub entity: EntityKey,
    /// As it is.
    pub from: Value,
    /// As it would be.
    pub to: Value,
}

/// A value that a changed definition would not admit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Offence {
    /// Who holds it.
    pub entity: EntityKey,
    /// The ordinal of the entity: the next page of offences begins behind it.
    pub ordinal: Ordinal,
    /// The value.
    pub value: Value,
    /// Why not.
    pub violation: Violation,
}

impl<S: AttributeStore> AttributesOf<'_, S> {
    /// A change of a definition: its name, its rules, its type. Nothing is done until it is applied, in one commit that judges
    /// every value as it is then. Undoing that commit brings back what was.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DataType, DefinitionSpec, MemoryStore, Offending};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::string("TotalCharges"))?;
    /// customers.set(1, "TotalCharges", "29.85")?;
    /// customers.set(2, "TotalCharges", "")?;
    ///
    /// let change = customers.change("TotalCharges", |spec| spec.of_type(DataType::Decimal));
    /// let report = change.check()?;
    /// assert_eq!((report.held, report.converted, report.offending), (2, 1, 1));
    /// assert_eq!(report.offences[0].entity.to_string(), "customer/2");
    /// let done = change.apply_with(Offending::Clear)?;
    /// assert_eq!(customers.details(1)?[0].value.to_string(), "29.85");
    /// assert!(customers.entity(2)?.is_none());
    ///
    /// attributes.undo(done.commit.expect("it changed something"))?.commit()?;
    /// assert_eq!(customers.get::<String>(2, "TotalCharges")?.as_deref(), Some(""));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn change<'b>(&'b self, name: &str, alter: impl Fn(DefinitionSpec) -> DefinitionSpec + 'b) -> DefinitionChanging<'b, S> {
        DefinitionChanging { of: self, name: name.to_owned(), alter: Box::new(alter) }
    }
}

impl<S: AttributeStore> DefinitionChanging<'_, S> {
    /// What it would mean now, value by value. It changes nothing, and blocks nobody.
    ///
    /// # Errors
    /// A name that is not defined; all that is wrong with the definition as it would be.
    pub fn check(&self) -> Result<ChangeReport> {
        let judging = Judging::begin(self)?;
        let mut report = ChangeReport {
            before: Arc::clone(&judging.before),
            after: judging.after.spec().clone(),
            held: 0,
            converted: 0,
            offending: 0,
            conversions: Vec::new(),
            offences: Vec::new(),
        };
        judging.each(None, |judged| {
            report.held += 1;
            match judged {
                Judged::Stays => {}
                Judged::Converted(conversion) => {
                    report.converted += 1;
                    add(&mut report.conversions, conversion);
                }
                Judged::Offends(offence) => {
                    report.offending += 1;
                    add(&mut report.offences, offence);
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(report)
    }

    /// Up to so many of the values that would not be admitted, by the ordinals of their entities, behind this one.
    ///
    /// # Errors
    /// Those of [`DefinitionChanging::check`].
    pub fn offences(&self, after: Option<Ordinal>, limit: usize) -> Result<Vec<Offence>> {
        let judging = Judging::begin(self)?;
        let mut offences = Vec::new();
        if limit > 0 {
            judging.each(after, |judged| {
                if let Judged::Offends(offence) = judged {
                    offences.push(offence);
                }
                if offences.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
        }
        Ok(offences)
    }

    /// Makes the change, if no value offends.
    ///
    /// # Errors
    /// Those of [`DefinitionChanging::check`]; [`crate::Error::Invalid`] with every value that offends.
    pub fn apply(self) -> Result<Receipt> {
        self.apply_with(Offending::Refuse)
    }

    /// Makes the change, and does with values that offend as is said. Two equal values of an attribute that is to be unique,
    /// and a value that must be there, are never cleared: the change is refused.
    ///
    /// # Errors
    /// Those of [`DefinitionChanging::apply`].
    pub fn apply_with(self, offending: Offending) -> Result<Receipt> {
        self.batch(offending).commit()
    }

    fn batch(&self, offending: Offending) -> BatchBuilder<'_, S> {
        let alter = |spec| (self.alter)(spec);
        self.of.batch().change(self.of.entity_type().as_str(), self.name.as_str(), alter, offending)
    }
}

/// A change that is judged at one point in time.
struct Judging<'a> {
    snapshot: Box<dyn Snapshot + 'a>,
    before: Arc<Definition>,
    after: Definition,
}

impl<'a> Judging<'a> {
    fn begin<S: AttributeStore>(change: &DefinitionChanging<'a, S>) -> Result<Self> {
        let attributes = change.of.attributes;
        let snapshot = attributes.store().snapshot()?;
        let before = Arc::clone(snapshot.catalog()?.resolve(change.of.entity_type(), &change.name)?);
        let spec = (change.alter)(before.spec().clone());
        let after = Definition::new(before.id(), before.entity_type().clone(), spec, attributes.limits())?;
        Ok(Self { snapshot, before, after })
    }

    /// Visits every value that is held behind this entity, until it is enough.
    fn each(&self, from: Option<Ordinal>, mut visit: impl FnMut(Judged) -> ControlFlow<()>) -> Result<()> {
        let mut judge = Judge { after: &self.after, seen: self.after.rules().unique.then(HashMap::default) };
        // Who was first with a value of a unique attribute is known only from the beginning on.
        let begin = if judge.seen.is_some() { None } else { from };
        scan_from(&*self.snapshot, Some(self.after.entity_type()), begin, |record| match judge.judge(record) {
            Some(judged) if from.is_none_or(|from| record.ordinal() > from) => visit(judged),
            _ => ControlFlow::Continue(()),
        })
    }
}

enum Judged {
    Stays,
    Converted(Conversion),
    Offends(Offence),
}

struct Judge<'a> {
    after: &'a Definition,
    /// The values of an attribute that is to be unique, each with its first holder.
    seen: Option<HashMap<Value, EntityKey>>,
}

impl Judge<'_> {
    fn judge(&mut self, record: &EntityRecord) -> Option<Judged> {
        let value = record.value(self.after.id())?;
        let settled = self.after.settle(value).and_then(|settled| {
            let after = settled.as_ref().map_or(value, |settled| settled.value());
            self.check_unique(after, record.key())?;
            Ok(settled)
        });
        Some(match settled {
            Ok(None) => Judged::Stays,
            Ok(Some(converted)) => {
                Judged::Converted(Conversion { entity: record.key().clone(), from: value.clone(), to: converted.into_value() })
            }
            Err(violation) => Judged::Offends(Offence {
                entity: record.key().clone(),
                ordinal: record.ordinal(),
                value: value.clone(),
                violation: violation.of(self.after.name().as_str()),
            }),
        })
    }

    fn check_unique(&mut self, value: &Value, holder: &EntityKey) -> Result<(), Violation> {
        let Some(seen) = &mut self.seen else { return Ok(()) };
        match seen.get(value) {
            Some(first) => Err(Violation::new(Rule::Unique, first, value)),
            None => {
                seen.insert(value.clone(), holder.clone());
                Ok(())
            }
        }
    }
}

fn add<T>(examples: &mut Vec<T>, example: T) {
    if examples.len() < REPORTED {
        examples.push(example);
    }
}

impl<S> fmt::Debug for DefinitionChanging<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefinitionChanging").field("name", &self.name).finish_non_exhaustive()
    }
}
