//! The attributes of one entity type: the handle of daily use.

use std::fmt;
use std::sync::Arc;

use crate::attributes::batch::BatchBuilder;
use crate::attributes::entity::{Entity, Reading, find_or_undefined, value_or_default};
use crate::attributes::{Attributes, ValueDetail};
use crate::error::Result;
use crate::model::{Definition, EntityKey, EntityType, FromValue, IntoEntityId, Revision, Value};
use crate::store::{AttributeStore, Receipt};

/// The attributes of one entity type. A light handle: make one whenever it is needed.
///
/// ```
/// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
/// let attributes = Attributes::new(MemoryStore::new());
/// let customers = attributes.of("customer")?;
/// customers.define(DefinitionSpec::string("billing_method"))?;
/// customers.set(123, "billing_method", "quarterly")?;
/// assert_eq!(customers.get_or(123, "billing_method", "monthly".to_owned())?, "quarterly");
/// assert_eq!(customers.get_or(124, "billing_method", "monthly".to_owned())?, "monthly");
/// # Ok::<(), custom_attributes::Error>(())
/// ```
pub struct AttributesOf<'a, S> {
    pub(super) attributes: &'a Attributes<S>,
    pub(super) entity_type: EntityType,
    actor: Option<Arc<str>>,
}

impl<'a, S: AttributeStore> AttributesOf<'a, S> {
    pub(super) const fn new(attributes: &'a Attributes<S>, entity_type: EntityType) -> Self {
        Self { attributes, entity_type, actor: None }
    }

    /// The same handle for this actor: what it writes is written in that name.
    #[must_use]
    pub fn by(mut self, actor: impl Into<Arc<str>>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// The entity type.
    pub const fn entity_type(&self) -> &EntityType {
        &self.entity_type
    }

    /// The key of an entity of this type.
    ///
    /// # Errors
    /// An id that is not well formed.
    pub fn key(&self, id: impl IntoEntityId) -> Result<EntityKey> {
        Ok(EntityKey::of(self.entity_type.clone(), id.into_entity_id()?))
    }

    /// What the entity holds for the attribute, or else the definition's default, or else nothing.
    ///
    /// # Errors
    /// A name that is not defined (where undefined names are allowed: nothing is read), or a value of another type than
    /// is asked for.
    pub fn get<T: FromValue>(&self, id: impl IntoEntityId, name: &str) -> Result<Option<T>> {
        let Some((definition, held)) = self.read_value(id, name)? else { return Ok(None) };
        value_or_default(&definition, held)
    }

    /// What the entity holds for the attribute, or else the definition's default, or else this.
    ///
    /// # Errors
    /// Those of [`AttributesOf::get`].
    pub fn get_or<T: FromValue>(&self, id: impl IntoEntityId, name: &str, default: T) -> Result<T> {
        Ok(self.get(id, name)?.unwrap_or(default))
    }

    /// The same as [`AttributesOf::get`], telling a stored value from the definition's default.
    ///
    /// # Errors
    /// A name that is not defined (where undefined names are allowed: nothing is read).
    pub fn reading(&self, id: impl IntoEntityId, name: &str) -> Result<Option<Reading>> {
        Ok(self.read_value(id, name)?.and_then(|(definition, held)| Reading::of(&definition, held)))
    }

    /// The definition, unless it need not be there, and what the entity holds for it at the same instant.
    fn read_value(&self, id: impl IntoEntityId, name: &str) -> Result<Option<(Arc<Definition>, Option<Value>)>> {
        let mut definition = None;
        let held = self.attributes.store.read_value(&self.key(id)?, &mut |catalog| {
            definition = find_or_undefined(catalog, &self.attributes.limits, &self.entity_type, name)?.cloned();
            Ok(definition.as_ref().map(|definition| definition.id()))
        })?;
        Ok(definition.map(|definition| (definition, held)))
    }

    /// All that is stored for the entity; none if nothing is, whatever defaults there are. [`AttributesOf::entity_with_defaults`]
    /// has them.
    ///
    /// # Errors
    /// An id that is not well formed.
    pub fn entity(&self, id: impl IntoEntityId) -> Result<Option<Entity>> {
        let (catalog, record) = self.attributes.store.read_entity(&self.key(id)?)?;
        Ok(record.and_then(|record| Entity::of(catalog, record)))
    }

    /// The entity with what is stored and, for the rest, with the defaults of the definitions, in one read. There is always one: an
    /// entity for which nothing is stored, or that was never written, has its defaults ([`Entity::is_empty`] tells).
    ///
    /// [`Entity::get`] gives the same for each name as [`AttributesOf::get`]; [`Entity::iter_with_defaults`] has all of it.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::string("tier").default_value("basic"))?;
    /// assert!(customers.entity(123)?.is_none());
    /// let customer = customers.entity_with_defaults(123)?;
    /// assert_eq!(customer.get::<String>("tier")?.as_deref(), Some("basic"));
    /// assert!(customer.is_empty());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// An id that is not well formed.
    pub fn entity_with_defaults(&self, id: impl IntoEntityId) -> Result<Entity> {
        let key = self.key(id)?;
        let (catalog, record) = self.attributes.store.read_entity(&key)?;
        Ok(Entity::with_defaults(catalog, &key, record))
    }

    /// These entities with what is stored and, for the rest, with the defaults, in one call and of one instant, in the order given.
    ///
    /// # Errors
    /// An id that is not well formed.
    pub fn entities_with_defaults<I: IntoEntityId>(&self, ids: impl IntoIterator<Item = I>) -> Result<Vec<Entity>> {
        let keys: Vec<EntityKey> = ids.into_iter().map(|id| self.key(id)).collect::<Result<_>>()?;
        self.attributes.snapshot()?.entities_with_defaults(&keys)
    }

    /// All that is stored for these entities, in one call and of one instant, in the order given; none where nothing is.
    ///
    /// # Errors
    /// An id that is not well formed.
    pub fn entities<I: IntoEntityId>(&self, ids: impl IntoIterator<Item = I>) -> Result<Vec<Option<Entity>>> {
        let keys: Vec<EntityKey> = ids.into_iter().map(|id| self.key(id)).collect::<Result<_>>()?;
        self.attributes.snapshot()?.entities(&keys)
    }

    /// The revision of the entity: [`Revision::ABSENT`] if it was never written; an emptied one keeps its own.
    ///
    /// # Errors
    /// An id that is not well formed.
    pub fn revision(&self, id: impl IntoEntityId) -> Result<Revision> {
        let (_, record) = self.attributes.store.read_entity(&self.key(id)?)?;
        Ok(record.map_or(Revision::ABSENT, |record| record.revision()))
    }

    /// All values of the entity with their ids, times and actors, in the order of their definition.
    ///
    /// # Errors
    /// An id that is not well formed.
    pub fn details(&self, id: impl IntoEntityId) -> Result<Vec<ValueDetail>> {
        self.attributes.snapshot()?.details(&self.key(id)?)
    }

    /// Sets a value, whether there was one or not.
    ///
    /// Any well-formed id is taken, also of an entity that was never written before: only the host knows its records, so it is for
    /// the host to check that one with this id exists, and to [`remove`](Self::remove) the entity when it deletes the record.
    ///
    /// Where the entity holds no value yet and the type has [required](crate::DefinitionSpec::required) attributes, set all of
    /// them together: with [`save`](Self::save), or in one [batch](Attributes::batch).
    ///
    /// # Errors
    /// A name that is not defined, or a value that the definition refuses; a required value that a new entity lacks.
    pub fn set(&self, id: impl IntoEntityId, name: &str, value: impl Into<Value>) -> Result<Receipt> {
        self.alone().set(self.key(id)?, name, value).commit()
    }

    /// Sets a value that is read from text, as the attribute's type is written. Otherwise like [`AttributesOf::set`].
    ///
    /// # Errors
    /// A name that is not defined, or a value that the definition refuses; a required value that a new entity lacks.
    pub fn set_text(&self, id: impl IntoEntityId, name: &str, text: &str) -> Result<Receipt> {
        self.alone().set_text(self.key(id)?, name, text).commit()
    }

    /// Clears a value, if there is one.
    ///
    /// # Errors
    /// A name that is not defined, or a required value.
    pub fn clear(&self, id: impl IntoEntityId, name: &str) -> Result<Receipt> {
        self.alone().clear(self.key(id)?, name).commit()
    }

    /// Moves a value to another attribute of the same entity, in one change.
    ///
    /// # Errors
    /// A name that is not defined, nothing to move, a place that is taken, a value that the other definition refuses, or a
    /// required value.
    pub fn move_value(&self, id: impl IntoEntityId, from: &str, to: &str) -> Result<Receipt> {
        self.alone().move_value(self.key(id)?, from, to).commit()
    }

    /// Saves an entity whole: it holds these values afterwards and no others.
    ///
    /// As with [`set`](Self::set), it is for the host to check that it has a record with this id.
    ///
    /// # Errors
    /// All that is wrong with the values, and every required one that is missing.
    pub fn save<N: AsRef<str>, V: Into<Value>>(
        &self,
        id: impl IntoEntityId,
        values: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Receipt> {
        let values = values.into_iter().map(|(name, value)| (name.as_ref().to_owned(), value));
        self.alone().save(self.key(id)?, values).commit()
    }

    /// Removes the entity with all it holds, required values as well.
    ///
    /// # Errors
    /// An id that is not well formed.
    pub fn remove(&self, id: impl IntoEntityId) -> Result<Receipt> {
        self.alone().remove(self.key(id)?).commit()
    }

    pub(super) fn alone(&self) -> BatchBuilder<'_, S> {
        self.batch().alone()
    }

    pub(super) fn batch(&self) -> BatchBuilder<'_, S> {
        self.attributes.batch().by_maybe(self.actor.clone())
    }
}

impl<S> fmt::Debug for AttributesOf<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttributesOf").field("entity_type", &self.entity_type).field("actor", &self.actor).finish_non_exhaustive()
    }
}
