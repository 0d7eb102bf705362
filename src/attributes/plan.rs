//! A plan: changes of definitions that are looked at before they are made.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Serialize;

use crate::attributes::batch::{Alter, BatchBuilder};
use crate::attributes::of::AttributesOf;
use crate::error::{Error, Result, Violation, Violations};
use crate::model::{
    Catalog, CommitId, Definition, DefinitionId, DefinitionSpec, Difference, EntityKey, Ordinal, Revision, Value,
};
use crate::store::{AttributeStore, Change, Duplicate, Judged, Offending, OnProgress, Progress, Receipt, Swept, judge};
use crate::trace::Doing;

/// How many examples of conversions and offences a report has.
const REPORTED: usize = 100;

/// A plan of changes to the definitions of a type: look at what it means for the values that are held, then make it, or not. Nothing
/// is done until it is applied, in one commit that judges every value as it is then. Undoing that commit brings back what was.
///
/// ```
/// use custom_attributes::{Attributes, DataType, DefinitionSpec, MemoryStore, Offending};
/// let attributes = Attributes::new(MemoryStore::new());
/// let customers = attributes.of("customer")?;
/// customers.ensure(["seats", "tel", "phone", "remark"].map(DefinitionSpec::string))?;
/// customers.save(1, [("seats", "12"), ("tel", "555-01"), ("remark", "2025-01-31")])?;
/// customers.save(2, [("seats", "a dozen"), ("phone", "555-02"), ("remark", "calls on Mondays")])?;
///
/// let plan = customers
///     .plan()
///     .change("seats", |spec| spec.of_type(DataType::Integer).minimum(1))
///     .merge("tel", "phone")
///     .define(DefinitionSpec::date("since"))
///     .split("remark", "since");
/// let report = plan.check()?;
/// let counts: Vec<_> = report.steps.iter().map(|step| (step.held, step.converted, step.offending)).collect();
/// assert_eq!(counts, [(2, 1, 1), (1, 1, 0), (0, 0, 0), (2, 1, 0)]);
/// assert_eq!(report.offences[0].entity.to_string(), "customer/2");
///
/// let done = plan.apply_with(Offending::Clear)?;
/// let first = customers.entity(1)?.expect("it holds values");
/// assert_eq!(first.get::<String>("phone")?.as_deref(), Some("555-01"));
/// assert_eq!(first.get::<chrono::NaiveDate>("since")?, chrono::NaiveDate::from_ymd_opt(2025, 1, 31));
///
/// attributes.undo(done.commit.expect("it changed something"))?.commit()?;
/// assert_eq!(customers.get::<String>(2, "seats")?.as_deref(), Some("a dozen"));
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[must_use = "a plan is carried out when it is applied"]
pub struct SchemaPlan<'a, S> {
    of: &'a AttributesOf<'a, S>,
    steps: Vec<Step<'a>>,
    numbers_by_value: bool,
    /// What it was last checked against.
    checked: Cell<Option<(CommitId, Revision)>>,
}

enum Step<'a> {
    Define(Box<DefinitionSpec>),
    Declare(Box<DefinitionSpec>),
    Change { name: String, alter: Box<Alter<'a>> },
    Delete { name: String },
    Merge { from: String, into: String },
    Split { from: String, into: String },
}

/// What a plan would mean for the values that are held. The counts are those of all steps together.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PlanReport {
    /// The commit up to which was looked.
    pub as_of: CommitId,
    /// What each step would do, in the order of the plan.
    pub steps: Vec<StepReport>,
    /// How many values the steps look at.
    pub held: u64,
    /// How many of them would become values of another type, or of another attribute.
    pub converted: u64,
    /// How many of these would stay the same number with another text; see [`SchemaPlan::numbers_by_value`].
    pub by_value: u64,
    /// How many of them cannot stay, and cannot become what they should.
    pub offending: u64,
    /// The first 100 that would be converted.
    pub conversions: Vec<Conversion>,
    /// The first 100 that cannot stay; [`SchemaPlan::offences`] has all of them.
    pub offences: Vec<Offence>,
}

/// What one step of a plan would do.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct StepReport {
    /// The definition as it is, of which the values are looked at; none if it is made.
    pub before: Option<Arc<Definition>>,
    /// The definition as it would be, of which they become values; none if it is deleted.
    pub after: Option<DefinitionSpec>,
    /// How many values it looks at.
    pub held: u64,
    /// How many of them would become values of another type, or of another attribute.
    pub converted: u64,
    /// How many of these would stay the same number with another text; see [`SchemaPlan::numbers_by_value`].
    pub by_value: u64,
    /// How many of them cannot stay, and cannot become what they should.
    pub offending: u64,
}

impl StepReport {
    /// In what the definition as it would be differs from the definition as it is; empty where one of them is missing. The
    /// definition as it would be is [`Difference::declared`].
    pub fn differences(&self) -> Vec<Difference> {
        let pair = self.after.as_ref().zip(self.before.as_deref());
        pair.map(|(after, before)| after.differences(before.spec())).unwrap_or_default()
    }
}

/// A value that would be converted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Conversion {
    /// Who holds it.
    pub entity: EntityKey,
    /// The step of the plan, from 0.
    pub step: usize,
    /// As it is; none of a sensitive attribute.
    pub from: Option<Value>,
    /// As it would be; none of a sensitive attribute.
    pub to: Option<Value>,
    /// Whether `to` is the same number as `from`, but has another text: `01234` and 1234.
    pub by_value: bool,
}

/// A value that could not stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Offence {
    /// Who holds it.
    pub entity: EntityKey,
    /// The ordinal of the entity: the next page of offences begins behind it.
    pub ordinal: Ordinal,
    /// The step of the plan, from 0.
    pub step: usize,
    /// The value; none of a sensitive attribute.
    pub value: Option<Value>,
    /// Why not.
    pub violation: Violation,
}

impl<S: AttributeStore> AttributesOf<'_, S> {
    /// A plan of changes to the definitions of this type, with nothing in it yet.
    pub const fn plan(&self) -> SchemaPlan<'_, S> {
        SchemaPlan { of: self, steps: Vec::new(), numbers_by_value: false, checked: Cell::new(None) }
    }

    /// A plan that makes definitions exactly what is declared, for hosts that keep their definitions as code. Those that are missing
    /// are made; those that differ get the rules, the documentation and the type that are declared; definitions that are not named
    /// here stay as they are. [`SchemaPlan::check`] is the dry run, [`SchemaPlan::apply`] does it. Calling it again changes nothing.
    ///
    /// It takes back what an administrator has changed since. [`AttributesOf::ensure`] does not.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore, Outcome};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::string("tier").choices(["basic", "premium", "gold"]))?;
    /// customers.set(123, "tier", "gold")?;
    ///
    /// let declared = || [DefinitionSpec::string("tier").choices(["basic", "premium"]), DefinitionSpec::date("since")];
    /// let report = customers.declare(declared()).check()?;
    /// assert_eq!(report.steps[0].differences()[0].field, "choices");
    /// assert_eq!(report.offences[0].entity.to_string(), "customer/123");
    /// assert!(customers.declare(declared()).apply().is_err());
    ///
    /// customers.set(123, "tier", "premium")?;
    /// let receipt = customers.declare(declared()).apply()?;
    /// assert_eq!((receipt.changes[0].outcome, receipt.changes[1].outcome), (Outcome::Updated, Outcome::Created));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn declare(&self, specs: impl IntoIterator<Item = DefinitionSpec>) -> SchemaPlan<'_, S> {
        specs.into_iter().fold(self.plan(), SchemaPlan::declare)
    }

    /// A plan with one change: see [`SchemaPlan::change`].
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
    pub fn change<'b>(
        &'b self,
        name: &str,
        alter: impl Fn(DefinitionSpec) -> DefinitionSpec + Send + Sync + 'b,
    ) -> SchemaPlan<'b, S> {
        self.plan().change(name, alter)
    }
}

impl<'a, S> SchemaPlan<'a, S> {
    fn with(mut self, step: Step<'a>) -> Self {
        self.steps.push(step);
        self
    }

    /// Makes a definition.
    pub fn define(self, spec: DefinitionSpec) -> Self {
        self.with(Step::Define(Box::new(spec)))
    }

    /// Makes a definition exactly what is declared: makes it if none has its name, or else changes the one that has it, as
    /// [`SchemaPlan::change`] does.
    pub fn declare(self, spec: DefinitionSpec) -> Self {
        self.with(Step::Declare(Box::new(spec)))
    }

    /// Changes a definition: its name, its rules, its documentation, its type.
    ///
    /// Held values are converted to another type only if their text stays the same, so that converting back gives the same
    /// bytes: `5` becomes INTEGER, `05` and DECIMAL `5.0` do not. A value that cannot be converted, or breaks a new rule, offends.
    /// [`SchemaPlan::numbers_by_value`] relaxes this for numbers.
    pub fn change(self, name: impl Into<String>, alter: impl Fn(DefinitionSpec) -> DefinitionSpec + Send + Sync + 'a) -> Self {
        self.with(Step::Change { name: name.into(), alter: Box::new(alter) })
    }

    /// Converts numbers by value: `01234` becomes 1234, `-0` becomes 0, and `5.00` becomes INTEGER 5.
    ///
    /// It applies to every `change`, `merge` and `split` of the plan. Without it, a value offends if its text would not stay the
    /// same. The report counts the values whose text changes ([`PlanReport::by_value`]) and marks each ([`Conversion::by_value`]).
    /// Undoing the commit brings the texts back, if history is kept.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DataType, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::string("seats"))?;
    /// customers.set(1, "seats", "012")?;
    /// let change = || customers.change("seats", |spec| spec.of_type(DataType::Integer));
    /// assert_eq!(change().check()?.offending, 1);
    /// let report = change().numbers_by_value().check()?;
    /// assert_eq!((report.converted, report.by_value, report.offending), (1, 1, 0));
    /// assert!(report.conversions[0].by_value);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub const fn numbers_by_value(mut self) -> Self {
        self.numbers_by_value = true;
        self
    }

    /// Gives a definition another name.
    pub fn rename(self, name: impl Into<String>, new: impl Into<String>) -> Self {
        let new = new.into();
        self.change(name, move |spec| spec.named(new.as_str()))
    }

    /// Deletes a definition with all its values, which stay in history, if that is kept.
    pub fn delete(self, name: impl Into<String>) -> Self {
        self.with(Step::Delete { name: name.into() })
    }

    /// Moves all values of one attribute to another, and deletes the first. A value offends if it cannot be one of the other, or
    /// meets another there; where both are the same, one stays. A required value that offends is never cleared.
    pub fn merge(self, from: impl Into<String>, into: impl Into<String>) -> Self {
        self.with(Step::Merge { from: from.into(), into: into.into() })
    }

    /// Moves those values of an attribute to another that it admits, where an entity holds none there; the others stay where they
    /// are. Values of a required attribute cannot be split off: each that would be offends, and is never cleared. Make the attribute
    /// optional in a step before. [`SchemaPlan::define`] makes the other in the same plan.
    pub fn split(self, from: impl Into<String>, into: impl Into<String>) -> Self {
        self.with(Step::Split { from: from.into(), into: into.into() })
    }
}

impl<S: AttributeStore> SchemaPlan<'_, S> {
    /// What it would mean now, value by value. It changes nothing, and blocks nobody. What is applied afterwards is refused as a
    /// conflict if a definition was changed in between, and clears no value that was set in between.
    ///
    /// # Errors
    /// A name that is not defined; all that is wrong with a definition as it would be.
    pub fn check(&self) -> Result<PlanReport> {
        self.check_with(|_| ControlFlow::Continue(()))
    }

    /// The same, which tells how many entities it has looked at; the caller may end it.
    ///
    /// # Errors
    /// Those of [`SchemaPlan::check`]; [`crate::Error::Stopped`] if the caller ended it.
    pub fn check_with(&self, progress: impl FnMut(Progress) -> ControlFlow<()>) -> Result<PlanReport> {
        let doing = Doing::new("check_plan").of(self.of.entity_type()).sized(self.steps.len());
        doing.tell(|| self.report(progress), |report| report.held)
    }

    fn report(&self, mut progress: impl FnMut(Progress) -> ControlFlow<()>) -> Result<PlanReport> {
        let mut report = PlanReport {
            as_of: CommitId::default(),
            steps: Vec::new(),
            held: 0,
            converted: 0,
            by_value: 0,
            offending: 0,
            conversions: Vec::new(),
            offences: Vec::new(),
        };
        let mut counts = vec![Counts::default(); self.steps.len()];
        let (checked, ends) = self.judge(None, &mut progress, |judged| {
            for (step, told) in told(judged) {
                let count = &mut counts[step];
                count.held += 1;
                match told {
                    Told::Stays => {}
                    Told::Converted(conversion) => {
                        count.converted += 1;
                        count.by_value += u64::from(conversion.by_value);
                        add(&mut report.conversions, conversion);
                    }
                    Told::Offends(offence) => {
                        count.offending += 1;
                        add(&mut report.offences, offence);
                    }
                }
            }
            ControlFlow::Continue(())
        })?;
        report.as_of = checked.0;
        for (Counts { held, converted, by_value, offending }, (before, after)) in counts.into_iter().zip(ends) {
            report.held += held;
            report.converted += converted;
            report.by_value += by_value;
            report.offending += offending;
            report.steps.push(StepReport { before, after, held, converted, by_value, offending });
        }
        self.checked.set(Some(checked));
        Ok(report)
    }

    /// Up to so many of the values that could not stay, by the ordinals of their entities, behind this one. Those of one entity are
    /// never on two pages.
    ///
    /// # Errors
    /// Those of [`SchemaPlan::check`].
    pub fn offences(&self, after: Option<Ordinal>, limit: usize) -> Result<Vec<Offence>> {
        let mut offences = Vec::new();
        self.judge(after, &mut |_| ControlFlow::Continue(()), |judged| {
            if offences.len() < limit {
                offences.extend(told(judged).into_values().filter_map(|told| match told {
                    Told::Offends(offence) => Some(offence),
                    Told::Stays | Told::Converted(_) => None,
                }));
            }
            if offences.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(offences)
    }

    /// Carries it out, if no value offends.
    ///
    /// # Errors
    /// Those of [`SchemaPlan::check`]; [`crate::Error::Invalid`] with every value that offends; [`crate::Error::Conflict`] if a
    /// definition was changed after it was checked.
    pub fn apply(self) -> Result<Receipt> {
        self.apply_with(Offending::Refuse)
    }

    /// Carries it out, and does with values that offend as is said. If it was checked, those that were set later are not cleared, for
    /// nobody has looked at them: they are reported, and it is refused. Two equal values of an attribute that is to be unique, and a
    /// value that must be there, are never cleared.
    ///
    /// # Errors
    /// Those of [`SchemaPlan::apply`].
    pub fn apply_with(self, offending: Offending) -> Result<Receipt> {
        self.apply_with_progress(offending, |_| ControlFlow::Continue(()))
    }

    /// The same, which tells how many entities were gone over: each twice, for they are checked before anything is stored. The caller
    /// may end it, and nothing is changed then. Readers go on meanwhile, other writers wait; memory is needed for a page of
    /// entities, whatever their number, in a store that is not itself in memory.
    ///
    /// # Errors
    /// Those of [`SchemaPlan::apply`]; [`crate::Error::Stopped`] if the caller ended it.
    pub fn apply_with_progress(self, offending: Offending, progress: impl FnMut(Progress) -> ControlFlow<()>) -> Result<Receipt> {
        let checked = self.checked.get();
        let offending = match (offending, checked) {
            (Offending::Clear, Some((seen, _))) => Offending::ClearUntil(seen),
            (offending, _) => offending,
        };
        let batch = self.batch(offending);
        let batch = checked.iter().fold(batch, |batch, (_, catalog)| batch.expect_catalog(*catalog));
        batch.commit_with(progress)
    }

    fn batch(&self, offending: Offending) -> BatchBuilder<'_, S> {
        let of = self.of.entity_type().as_str();
        let batch = self.of.batch();
        let batch = if self.steps.len() == 1 { batch.alone() } else { batch };
        let batch = if self.numbers_by_value { batch.numbers_by_value() } else { batch };
        self.steps.iter().fold(batch, |batch, step| match step {
            Step::Define(spec) => batch.define(of, DefinitionSpec::clone(spec)),
            Step::Declare(spec) => batch.declare(of, DefinitionSpec::clone(spec), offending),
            Step::Change { name, alter } => batch.change(of, name.as_str(), alter, offending),
            Step::Delete { name } => batch.delete_with_values(of, name.as_str()),
            Step::Merge { from, into } => batch.merge(of, from.as_str(), into.as_str(), offending),
            Step::Split { from, into } => batch.split(of, from.as_str(), into.as_str()),
        })
    }

    /// Visits what it would do to each entity behind this one, and says against what it was judged, and the definitions before and
    /// after each step.
    fn judge(
        &self,
        from: Option<Ordinal>,
        progress: &mut OnProgress<'_>,
        visit: impl FnMut(Judged<'_>) -> ControlFlow<()>,
    ) -> Result<((CommitId, Revision), Vec<Ends>)> {
        let snapshot = self.of.attributes.store().snapshot()?;
        let catalog = snapshot.catalog()?;
        let builder = self.batch(Offending::Refuse);
        let bound = builder.bind(&catalog)?;
        let (batch, changes) = (&bound.batch, bound.batch.changes());
        let judged = match Violations::into_result(bound.binding.violations.clone()) {
            Ok(()) => judge(&*snapshot, batch, self.of.entity_type(), from, progress, visit),
            refused => refused,
        };
        judged.map_err(|error| self.placed(error))?;
        let ends = (0..self.steps.len()).map(|step| ends(&catalog, changes, step)).collect();
        Ok(((snapshot.marks()?.commit, catalog.revision()), ends))
    }

    /// A single step needs no place in its violations.
    fn placed(&self, error: Error) -> Error {
        match error {
            Error::Invalid(violations) if self.steps.len() == 1 => Error::Invalid(violations.without_places()),
            other => other,
        }
    }
}

/// The definitions before and after a step.
type Ends = (Option<Arc<Definition>>, Option<DefinitionSpec>);

/// Each step of a plan is one change of its batch.
fn ends(catalog: &Catalog, changes: &[Change], step: usize) -> Ends {
    let before = |id| stands(catalog, changes.get(..step).unwrap_or_default(), id);
    let spec = |definition: Arc<Definition>| definition.spec().clone();
    match changes.get(step) {
        Some(Change::Define(definition)) => (None, Some(definition.spec().clone())),
        Some(Change::Redefine { definition, .. }) => (before(definition.id()), Some(definition.spec().clone())),
        Some(Change::Undefine { definition, .. }) => (before(*definition), None),
        Some(Change::Merge { from, into, .. } | Change::Split { from, into }) => (before(*from), before(*into).map(spec)),
        _ => (None, None),
    }
}

/// A definition as these changes leave it.
fn stands(catalog: &Catalog, changes: &[Change], id: DefinitionId) -> Option<Arc<Definition>> {
    let changed = changes.iter().rev().find_map(|change| match change {
        Change::Define(definition) | Change::Redefine { definition, .. } if definition.id() == id => Some(definition),
        _ => None,
    });
    changed.map(|definition| Arc::new(Definition::clone(definition))).or_else(|| catalog.get(id).cloned())
}

/// What a step would do to the values that it looks at.
#[derive(Clone, Default)]
struct Counts {
    held: u64,
    converted: u64,
    by_value: u64,
    offending: u64,
}

/// What a step would do to a value.
enum Told {
    Stays,
    Converted(Conversion),
    Offends(Offence),
}

/// What each step would do to an entity that it concerns.
fn told(judged: Judged<'_>) -> BTreeMap<usize, Told> {
    let Judged { record, steps, duplicates } = judged;
    let offence = |step, value: Option<Value>, violation| {
        Told::Offends(Offence { entity: record.key().clone(), ordinal: record.ordinal(), step, value, violation })
    };
    let mut told = BTreeMap::new();
    for (sweep, swept) in steps {
        let step = sweep.place;
        let hides = sweep.source().is_sensitive() || sweep.target().is_sensitive();
        let shown = |value: Value| (!hides).then_some(value);
        let one = match swept {
            Swept::Stays | Swept::Cleared => Told::Stays,
            Swept::Moved { from, to } => {
                let by_value = from.data_type() != to.data_type() && !from.has_text_of(&to);
                let (from, to) = (shown(from), shown(to));
                Told::Converted(Conversion { entity: record.key().clone(), step, from, to, by_value })
            }
            Swept::Offends { value, violation, .. } => offence(step, shown(value), violation),
        };
        told.insert(step, one);
    }
    for Duplicate { place, definition, value, is_sensitive, violation } in duplicates {
        let value = record.value(definition).cloned().unwrap_or(value);
        let value = (!is_sensitive).then_some(value);
        told.insert(place, offence(place, value, violation));
    }
    told
}

fn add<T>(examples: &mut Vec<T>, example: T) {
    if examples.len() < REPORTED {
        examples.push(example);
    }
}

impl<S> fmt::Debug for SchemaPlan<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchemaPlan").field("steps", &self.steps.len()).finish_non_exhaustive()
    }
}
