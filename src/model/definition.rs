//! A definition as it stands in a catalog: checked, compiled, with an id; it binds values.

use std::fmt;
use std::sync::Arc;

use regex::Regex;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::error::{Result, Rule, Violation, Violations};
use crate::model::rules::{self, check_spec};
use crate::model::value::longer_than;
use crate::model::{
    CommitId, DataType, DefinitionId, DefinitionSpec, Documentation, EntityType, Exactness, Limits, Lineage, Name, Rules, Value,
};

/// Which commit did something, when, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stamp {
    /// The commit.
    pub commit: CommitId,
    /// Its instant.
    pub at: Instant,
    /// Its actor, if one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Arc<str>>,
}

/// A definition in a [`crate::Catalog`]: name, data type, rules and documentation of one attribute of one entity type.
///
/// Cheap to clone. Serialises as its [`DefinitionSpec`] with `id`, `entity_type`, `created` and `modified` beside it, and its
/// [`Lineage`] if it has one.
#[derive(Debug, Clone)]
pub struct Definition {
    id: DefinitionId,
    entity_type: EntityType,
    body: Arc<Body>,
    created: Stamp,
    modified: Stamp,
    /// None where it is empty, as most are.
    lineage: Option<Arc<Lineage>>,
}

#[derive(Debug)]
struct Body {
    name: Name,
    spec: DefinitionSpec,
    pattern: Option<Regex>,
    /// Sorted, so that a value is looked up and not searched for.
    choices: Vec<Value>,
}

/// A value that a definition has checked: what a [`crate::store::Batch`] carries. Made by [`Definition::bind`] only.
///
/// `Debug` shows the type of the value and not the value, which may be sensitive.
#[derive(Clone, PartialEq, Eq)]
pub struct Bound {
    definition: DefinitionId,
    value: Value,
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("definition", &self.definition).field("value", &self.value.hidden()).finish()
    }
}

impl Bound {
    /// The definition that checked it.
    ///
    /// ```
    /// # use custom_attributes::{DataType, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Value};
    /// # let limits = Limits::typed();
    /// # let spec = DefinitionSpec::integer("seats").minimum(1).description("Paid seats");
    /// # let definition = Definition::new(DefinitionId::new(1), EntityType::new("customer")?, spec, &limits)?;
    /// assert_eq!(definition.bind(5.into(), &limits)?.definition(), definition.id());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub const fn definition(&self) -> DefinitionId {
        self.definition
    }

    /// The value.
    ///
    /// ```
    /// # use custom_attributes::{DataType, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Value};
    /// # let limits = Limits::typed();
    /// # let spec = DefinitionSpec::integer("seats").minimum(1).description("Paid seats");
    /// # let definition = Definition::new(DefinitionId::new(1), EntityType::new("customer")?, spec, &limits)?;
    /// assert_eq!(definition.bind(5.into(), &limits)?.value(), &Value::from(5));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// The value, taken out.
    ///
    /// ```
    /// # use custom_attributes::{DataType, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Value};
    /// # let limits = Limits::typed();
    /// # let spec = DefinitionSpec::integer("seats").minimum(1).description("Paid seats");
    /// # let definition = Definition::new(DefinitionId::new(1), EntityType::new("customer")?, spec, &limits)?;
    /// assert_eq!(definition.bind(5.into(), &limits)?.into_value(), Value::from(5));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn into_value(self) -> Value {
        self.value
    }
}

impl Definition {
    /// Checks a declaration and compiles it. Its stamps are those of commit 0, until a commit gives it others.
    ///
    /// # Errors
    /// All that is wrong with the name, the rules and the documentation.
    ///
    /// ```
    /// use custom_attributes::{Definition, DefinitionId, DefinitionSpec, EntityType, Limits};
    /// let spec = DefinitionSpec::integer("seats").minimum(9).maximum(1).pattern("x");
    /// let error = Definition::new(DefinitionId::new(1), EntityType::new("customer")?, spec, &Limits::typed()).unwrap_err();
    /// assert_eq!(error.violations().len(), 2);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn new(id: DefinitionId, entity_type: EntityType, mut spec: DefinitionSpec, limits: &Limits) -> Result<Self> {
        let mut violations = Vec::new();
        let name = Name::checked(&spec.name, limits.name_chars).unwrap_or_else(|violation| {
            violations.push(violation);
            Name::stand_in()
        });
        if violations.is_empty() {
            name.as_str().clone_into(&mut spec.name);
        }
        let pattern = check_spec(&mut spec, limits, &mut violations);
        let mut choices = spec.rules.choices.clone();
        choices.sort_unstable();
        let definition = Self {
            id,
            entity_type,
            body: Arc::new(Body { name, spec, pattern, choices }),
            created: Stamp::default(),
            modified: Stamp::default(),
            lineage: None,
        };
        rules::check_own_values(&definition, limits, &mut violations);
        let name = &definition.spec().name;
        Violations::into_result(violations.into_iter().map(|violation| violation.of(name)).collect())?;
        Ok(definition)
    }

    /// The same definition with these stamps.
    ///
    /// ```
    /// # use custom_attributes::{CommitId, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Stamp};
    /// # let (spec, limits) = (DefinitionSpec::integer("seats"), Limits::typed());
    /// # let definition = Definition::new(DefinitionId::new(1), EntityType::new("customer")?, spec, &limits)?;
    /// let stamp = Stamp { commit: CommitId::new(3), ..Stamp::default() };
    /// assert_eq!(definition.stamped(stamp.clone(), stamp).created().commit, CommitId::new(3));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    #[must_use]
    pub fn stamped(mut self, created: Stamp, modified: Stamp) -> Self {
        self.created = created;
        self.modified = modified;
        self
    }

    /// The same definition with this lineage, as a backend has stored it.
    ///
    /// ```
    /// # use custom_attributes::{Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Lineage};
    /// # let (spec, limits) = (DefinitionSpec::integer("seats"), Limits::typed());
    /// # let definition = Definition::new(DefinitionId::new(1), EntityType::new("customer")?, spec, &limits)?;
    /// assert_eq!(definition.with_lineage(Lineage::default()).lineage(), None);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    #[must_use]
    pub fn with_lineage(mut self, lineage: Lineage) -> Self {
        self.lineage = (!lineage.is_empty()).then(|| Arc::new(lineage));
        self
    }

    /// Where values of it came from; none if from nowhere else. A backend stores it with the definition.
    pub fn lineage(&self) -> Option<&Lineage> {
        self.lineage.as_deref()
    }

    /// This definition as the version after `older`, whose lineage it continues.
    pub(crate) fn succeeding(self, older: &Self) -> Self {
        let mut lineage = older.lineage().cloned().unwrap_or_default();
        if older.is_sensitive() {
            lineage.mark_sensitive();
        }
        self.with_lineage(lineage)
    }

    /// Whether it is marked as sensitive, or was at any time before: values of it stand in no error and no `Debug`, and are moved
    /// only to attributes that are marked. Whether it is marked now is [`DefinitionSpec::sensitive`].
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let people = attributes.of("person")?;
    /// people.define(DefinitionSpec::string("diagnosis").sensitive())?;
    /// let unmarked = people.alter("diagnosis", |spec| DefinitionSpec::string(spec.name))?;
    /// assert!(unmarked.is_sensitive() && !unmarked.spec().sensitive);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn is_sensitive(&self) -> bool {
        self.spec().sensitive || self.lineage().is_some_and(Lineage::was_sensitive)
    }

    /// The id.
    pub const fn id(&self) -> DefinitionId {
        self.id
    }

    /// The entity type it belongs to.
    pub const fn entity_type(&self) -> &EntityType {
        &self.entity_type
    }

    /// The name.
    ///
    /// ```
    /// # use custom_attributes::{DataType, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Value};
    /// # let limits = Limits::typed();
    /// # let spec = DefinitionSpec::integer("seats").minimum(1).description("Paid seats");
    /// # let definition = Definition::new(DefinitionId::new(1), EntityType::new("customer")?, spec, &limits)?;
    /// assert_eq!(definition.name().as_str(), "seats");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn name(&self) -> &Name {
        &self.body.name
    }

    /// The type of its values.
    ///
    /// ```
    /// # use custom_attributes::{DataType, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Value};
    /// # let limits = Limits::typed();
    /// # let spec = DefinitionSpec::integer("seats").minimum(1).description("Paid seats");
    /// # let definition = Definition::new(DefinitionId::new(1), EntityType::new("customer")?, spec, &limits)?;
    /// assert_eq!(definition.data_type(), DataType::Integer);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn data_type(&self) -> DataType {
        self.body.spec.data_type
    }

    /// Its rules.
    ///
    /// ```
    /// # use custom_attributes::{DataType, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Value};
    /// # let limits = Limits::typed();
    /// # let spec = DefinitionSpec::integer("seats").minimum(1).description("Paid seats");
    /// # let definition = Definition::new(DefinitionId::new(1), EntityType::new("customer")?, spec, &limits)?;
    /// assert_eq!(definition.rules().minimum, Some(Value::from(1)));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn rules(&self) -> &Rules {
        &self.body.spec.rules
    }

    /// Whether entities can be found by it: see [`DefinitionSpec::searchable`]. A backend that keeps an index keeps it for
    /// those that are, and for no others.
    ///
    /// ```
    /// # use custom_attributes::{Definition, DefinitionId, DefinitionSpec, EntityType, Limits};
    /// # let spec = DefinitionSpec::integer("seats");
    /// # let definition = Definition::new(DefinitionId::new(1), EntityType::new("customer")?, spec, &Limits::typed())?;
    /// assert!(definition.is_searchable());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn is_searchable(&self) -> bool {
        self.body.spec.searchable
    }

    /// What it tells people.
    ///
    /// ```
    /// # use custom_attributes::{DataType, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Value};
    /// # let limits = Limits::typed();
    /// # let spec = DefinitionSpec::integer("seats").minimum(1).description("Paid seats");
    /// # let definition = Definition::new(DefinitionId::new(1), EntityType::new("customer")?, spec, &limits)?;
    /// assert_eq!(definition.documentation().description.as_deref(), Some("Paid seats"));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn documentation(&self) -> &Documentation {
        &self.body.spec.documentation
    }

    /// What would declare it again.
    ///
    /// ```
    /// # use custom_attributes::{DataType, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Value};
    /// # let limits = Limits::typed();
    /// # let spec = DefinitionSpec::integer("seats").minimum(1).description("Paid seats");
    /// # let definition = Definition::new(DefinitionId::new(1), EntityType::new("customer")?, spec, &limits)?;
    /// let renamed = definition.spec().clone().named("licences");
    /// assert_eq!(renamed.rules, *definition.rules());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn spec(&self) -> &DefinitionSpec {
        &self.body.spec
    }

    /// The commit that created it.
    pub const fn created(&self) -> &Stamp {
        &self.created
    }

    /// The commit that last changed it.
    pub const fn modified(&self) -> &Stamp {
        &self.modified
    }

    /// Checks a value: its type, the type's own limits, the host's and the rules.
    ///
    /// # Errors
    /// The first rule that it breaks.
    ///
    /// ```
    /// use custom_attributes::{Definition, DefinitionId, DefinitionSpec, EntityType, Limits};
    /// let spec = DefinitionSpec::integer("credit_limit").minimum(0);
    /// let limits = Limits::typed();
    /// let definition = Definition::new(DefinitionId::new(1), EntityType::new("customer")?, spec, &limits)?;
    /// assert!(definition.bind(10_000.into(), &limits).is_ok());
    /// let refused = definition.bind((-1).into(), &limits).unwrap_err();
    /// assert_eq!(refused.to_string(), "`credit_limit` takes no less than 0, not -1");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn bind(&self, value: Value, limits: &Limits) -> Result<Bound, Violation> {
        let bound = self.bind_typed(value, limits);
        bound.map_err(|violation| violation.about(self))
    }

    /// Reads a value of its type from text, and checks it.
    ///
    /// # Errors
    /// A text that is not written as the type asks, or the first rule that it breaks.
    ///
    /// ```
    /// # use custom_attributes::{DataType, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Value};
    /// # let limits = Limits::typed();
    /// # let spec = DefinitionSpec::integer("seats").minimum(1).description("Paid seats");
    /// # let definition = Definition::new(DefinitionId::new(1), EntityType::new("customer")?, spec, &limits)?;
    /// assert_eq!(definition.bind_text("5", &limits)?.value(), &Value::from(5));
    /// let refused = definition.bind_text("5.0", &limits).unwrap_err();
    /// assert_eq!(refused.to_string(), "`seats` takes an integer such as -12, without sign + or separators, not \"5.0\"");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn bind_text(&self, text: &str, limits: &Limits) -> Result<Bound, Violation> {
        let value = Value::read(self.data_type(), text).map_err(|violation| violation.about(self))?;
        self.bind(value, limits)
    }

    /// Takes a value of the past: one of this type, or one that is exactly one of this type. The rules are not asked, for they
    /// bind writing and not going back.
    pub(crate) fn bind_past(&self, value: &Value) -> Result<Bound, Violation> {
        let value = if value.data_type() == self.data_type() {
            Ok(value.clone())
        } else {
            value.convert(self.data_type(), Exactness::SameText)
        };
        let value = value.map_err(|violation| violation.about(self))?;
        Ok(Bound { definition: self.id, value })
    }

    fn bind_typed(&self, value: Value, limits: &Limits) -> Result<Bound, Violation> {
        if value.data_type() != self.data_type() {
            return Err(Violation::new(Rule::DataType, self.data_type(), value.data_type()));
        }
        let value = value.checked()?;
        if let Value::String(text) = &value
            && longer_than(text, limits.string_chars)
        {
            return Err(Violation::new(Rule::MaximumChars, limits.string_chars, text.chars().count()));
        }
        self.admit(&value)?;
        Ok(Bound { definition: self.id, value })
    }

    /// Holds a well-formed value of the right type against the rules.
    pub(crate) fn admit(&self, value: &Value) -> Result<(), Violation> {
        let rules = self.rules();
        match value {
            Value::String(text) => self.admit_text(text)?,
            Value::Decimal(number) => admit_fraction(*number, rules.fraction_digits)?,
            _ => {}
        }
        if let Some(minimum) = rules.minimum.as_ref().filter(|minimum| value < minimum) {
            return Err(Violation::new(Rule::Minimum, minimum, value));
        }
        if let Some(maximum) = rules.maximum.as_ref().filter(|maximum| value > maximum) {
            return Err(Violation::new(Rule::Maximum, maximum, value));
        }
        if !self.body.choices.is_empty() && self.body.choices.binary_search(value).is_err() {
            return Err(Violation::new(Rule::Choices, rules::list(&rules.choices), value));
        }
        Ok(())
    }

    fn admit_text(&self, text: &str) -> Result<(), Violation> {
        let rules = self.rules();
        if let Some(maximum) = rules.maximum_chars.filter(|maximum| longer_than(text, *maximum as usize)) {
            return Err(Violation::new(Rule::MaximumChars, maximum, text.chars().count()));
        }
        if let Some(minimum) =
            rules.minimum_chars.filter(|minimum| text.chars().take(*minimum as usize).count() < *minimum as usize)
        {
            return Err(Violation::new(Rule::MinimumChars, minimum, text.chars().count()));
        }
        match (&self.body.pattern, &rules.pattern) {
            (Some(regex), Some(pattern)) if !regex.is_match(text) => Err(Violation::new(Rule::Pattern, pattern, text)),
            _ => Ok(()),
        }
    }

    /// What a value that was held for an earlier version becomes: none if it can stay as it is.
    pub(crate) fn settle(&self, value: &Value, exactness: Exactness) -> Result<Option<Bound>, Violation> {
        if value.data_type() == self.data_type() {
            return self.admit(value).map(|()| None).map_err(|violation| violation.about(self));
        }
        let converted = value.convert(self.data_type(), exactness).map_err(|violation| violation.about(self))?;
        self.bind(converted, &Limits::typed()).map(Some)
    }

    /// Whether `newer` may refuse a value that this one admits.
    pub(crate) fn is_tightened_by(&self, newer: &Self) -> bool {
        let only_checks = |rules: &Rules| Rules { required: false, unique: false, default: None, ..rules.clone() };
        only_checks(self.rules()) != only_checks(newer.rules())
    }
}

fn admit_fraction(number: Decimal, digits: Option<u32>) -> Result<(), Violation> {
    match digits {
        Some(digits) if number.normalize().scale() > digits => Err(Violation::new(Rule::FractionDigits, digits, number)),
        _ => Ok(()),
    }
}

impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        let key = |d: &Self| (d.id, d.entity_type.clone(), d.created.clone(), d.modified.clone(), d.lineage.clone());
        key(self) == key(other) && self.spec() == other.spec()
    }
}

impl Eq for Definition {}

#[derive(Serialize)]
struct Form {
    id: DefinitionId,
    entity_type: EntityType,
    #[serde(flatten)]
    spec: DefinitionSpec,
    created: Stamp,
    modified: Stamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    lineage: Option<Lineage>,
}

impl Serialize for Definition {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = Form {
            id: self.id,
            entity_type: self.entity_type.clone(),
            spec: self.spec().clone(),
            created: self.created.clone(),
            modified: self.modified.clone(),
            lineage: self.lineage().cloned(),
        };
        form.serialize(serializer)
    }
}
