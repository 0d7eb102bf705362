//! An entity as it is read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::error::Result;
use crate::model::{
    Catalog, Definition, EntityKey, EntityRecord, EntityType, FromValue, Limits, Ordinal, Revision, Undefined, Value, ValueId,
};

/// All that one entity holds, with the definitions of the same instant.
///
/// [`Entity::get`] and [`Entity::reading`] give what is stored, or else the default of the definition. [`Entity::iter`] has what is
/// stored, [`Entity::iter_with_defaults`] both.
///
/// ```
/// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
/// let attributes = Attributes::new(MemoryStore::new());
/// let customers = attributes.of("customer")?;
/// customers.ensure([DefinitionSpec::string("support_tier"), DefinitionSpec::integer("credit_limit").default_value(1000)])?;
/// customers.set(123, "support_tier", "premium")?;
/// let customer = customers.entity(123)?.expect("it holds a value");
/// assert_eq!(customer.get::<String>("support_tier")?.as_deref(), Some("premium"));
/// assert_eq!(customer.get::<i64>("credit_limit")?, Some(1000));
/// assert_eq!((customer.iter().count(), customer.iter_with_defaults().count()), (1, 2));
/// # Ok::<(), custom_attributes::Error>(())
/// ```
///
/// `Debug` hides the values of sensitive attributes.
#[derive(Clone)]
pub struct Entity {
    catalog: Arc<Catalog>,
    record: Arc<EntityRecord>,
}

impl fmt::Debug for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.iter().map(|(definition, value)| (definition.name(), value.shown(definition.is_sensitive())));
        let values: BTreeMap<_, _> = values.map(|(name, value)| (name.as_str(), value)).collect();
        f.debug_struct("Entity").field("key", self.key()).field("revision", &self.revision()).field("values", &values).finish()
    }
}

impl Entity {
    /// None of an emptied record: such an entity is not found.
    pub(super) fn of(catalog: Arc<Catalog>, record: Arc<EntityRecord>) -> Option<Self> {
        (!record.is_empty()).then_some(Self { catalog, record })
    }

    /// An entity that may hold nothing, for its defaults.
    pub(super) fn with_defaults(catalog: Arc<Catalog>, key: &EntityKey, record: Option<Arc<EntityRecord>>) -> Self {
        let blank = || Arc::new(EntityRecord::new(key.clone(), Ordinal::default()));
        Self { catalog, record: record.unwrap_or_else(blank) }
    }

    /// Whether it holds nothing: it has defaults at most. Only what is read with defaults can be so.
    pub fn is_empty(&self) -> bool {
        self.record.is_empty()
    }

    /// The key.
    pub fn key(&self) -> &EntityKey {
        self.record.key()
    }

    /// The revision, to expect it in a batch.
    pub fn revision(&self) -> Revision {
        self.record.revision()
    }

    /// What it holds for the attribute, or else the definition's default, or else nothing.
    ///
    /// # Errors
    /// A name that is not defined, or a value of another type than is asked for.
    pub fn get<T: FromValue>(&self, name: &str) -> Result<Option<T>> {
        let definition = self.definition(name)?;
        value_or_default(definition, self.record.value(definition.id()).cloned())
    }

    /// The same, telling a stored value from the definition's default.
    ///
    /// # Errors
    /// A name that is not defined.
    pub fn reading(&self, name: &str) -> Result<Option<Reading>> {
        let definition = self.definition(name)?;
        Ok(Reading::of(definition, self.record.value(definition.id()).cloned()))
    }

    /// The id of its value; none if nothing is stored.
    ///
    /// # Errors
    /// A name that is not defined.
    pub fn value_id(&self, name: &str) -> Result<Option<ValueId>> {
        let id = self.definition(name)?.id();
        Ok(self.record.get(id).map(|_| self.record.value_id(id)))
    }

    /// What [`Entity::get`] gives for each attribute that it gives anything for, in the order of definition: the stored values, and
    /// the defaults of the definitions for which nothing is stored.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore, Source};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// let tier = DefinitionSpec::string("tier").default_value("basic");
    /// customers.ensure([tier, DefinitionSpec::integer("seats"), DefinitionSpec::date("since")])?;
    /// customers.set(123, "seats", 5)?;
    /// let customer = customers.entity_with_defaults(123)?;
    /// let all: Vec<_> = customer.iter_with_defaults().map(|one| (one.definition.name().as_str(), one.source)).collect();
    /// assert_eq!(all, [("tier", Source::Default), ("seats", Source::Stored)]);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn iter_with_defaults(&self) -> impl Iterator<Item = EffectiveValue<'_>> {
        self.catalog.of(self.key().entity_type()).into_iter().filter_map(|definition| {
            let stored = self.record.value(definition.id()).map(|value| (value, Source::Stored));
            let default = || definition.rules().default.as_ref().map(|value| (value, Source::Default));
            let (value, source) = stored.or_else(default)?;
            Some(EffectiveValue { definition, value, source })
        })
    }

    /// What is stored, in the order of definition; [`Entity::iter_with_defaults`] has the defaults as well.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<Definition>, &Value)> {
        self.record.values().iter().filter_map(|held| Some((self.catalog.get(held.definition)?, &held.value)))
    }

    /// The definitions of its instant.
    pub const fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The record itself, with the commits of each value.
    pub const fn record(&self) -> &Arc<EntityRecord> {
        &self.record
    }

    fn definition(&self, name: &str) -> Result<&Arc<Definition>> {
        self.catalog.resolve(self.key().entity_type(), name)
    }
}

/// What an entity holds for an attribute, or else the default of the definition.
///
/// `Debug` names the attribute and hides the value of a sensitive one.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EffectiveValue<'a> {
    /// The definition.
    pub definition: &'a Arc<Definition>,
    /// The value.
    pub value: &'a Value,
    /// Where it comes from.
    pub source: Source,
}

impl fmt::Debug for EffectiveValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { definition, value, source } = self;
        let mut fields = f.debug_struct("EffectiveValue");
        fields.field("attribute", definition.name()).field("value", value.shown(definition.is_sensitive()));
        fields.field("source", source).finish()
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The entity holds it.
    Stored,
    /// The entity holds none, and the definition has it as default.
    Default,
}

/// A value that was read, and where it comes from.
///
/// `Debug` hides the value of a sensitive attribute.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading {
    /// The value.
    pub value: Value,
    /// Where it comes from.
    pub source: Source,
    /// Whether the attribute is marked as sensitive, or was once.
    pub sensitive: bool,
}

impl Reading {
    pub(super) fn of(definition: &Definition, held: Option<Value>) -> Option<Self> {
        let sensitive = definition.is_sensitive();
        let stored = held.map(|value| Self { value, source: Source::Stored, sensitive });
        let default = |value: &Value| Self { value: value.clone(), source: Source::Default, sensitive };
        stored.or_else(|| definition.rules().default.as_ref().map(default))
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, source, sensitive } = self;
        let mut fields = f.debug_struct("Reading");
        fields.field("value", value.shown(*sensitive)).field("source", source).field("sensitive", sensitive).finish()
    }
}

/// What is held for the definition, or else its default, as the type that is asked for.
pub(super) fn value_or_default<T: FromValue>(definition: &Definition, held: Option<Value>) -> Result<Option<T>> {
    let value = held.or_else(|| definition.rules().default.clone());
    Ok(value.map(T::from_value).transpose().map_err(|violation| violation.about(definition))?)
}

/// The definition, or nothing where a name need not be defined.
pub(super) fn find_or_undefined<'c>(
    catalog: &'c Catalog,
    limits: &Limits,
    entity_type: &EntityType,
    name: &str,
) -> Result<Option<&'c Arc<Definition>>> {
    match catalog.find(entity_type, name) {
        None if limits.undefined_for(entity_type) == Undefined::Reject => catalog.resolve(entity_type, name).map(Some),
        found => Ok(found),
    }
}
