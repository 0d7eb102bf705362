//! A store at one point in time, as hosts see it.

use std::fmt;
use std::sync::Arc;

use crate::attributes::detail::{ValueDetail, details};
use crate::attributes::entity::{Entity, find_or_undefined, value_or_default};
use crate::error::Result;
use crate::model::{Catalog, EntityKey, EntityType, FromValue, IntoEntityKey, Limits, Ordinal, ValueId};
use crate::store::{Snapshot, page};

/// A store at one point in time, for as long as it is held: it blocks nobody, and what others write is not in it.
///
/// ```
/// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
/// let attributes = Attributes::new(MemoryStore::new());
/// let customers = attributes.of("customer")?;
/// customers.define(DefinitionSpec::string("support_tier"))?;
/// customers.set(123, "support_tier", "basic")?;
/// let before = attributes.snapshot()?;
/// customers.set(123, "support_tier", "premium")?;
/// assert_eq!(before.get::<String>(("customer", 123), "support_tier")?.as_deref(), Some("basic"));
/// # Ok::<(), custom_attributes::Error>(())
/// ```
pub struct View<'a> {
    snapshot: Box<dyn Snapshot + 'a>,
    catalog: Arc<Catalog>,
    limits: Arc<Limits>,
}

impl<'a> View<'a> {
    pub(super) fn new(snapshot: Box<dyn Snapshot + 'a>, limits: Arc<Limits>) -> Result<Self> {
        let catalog = snapshot.catalog()?;
        Ok(Self { snapshot, catalog, limits })
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn into_parts(self) -> (Box<dyn Snapshot + 'a>, Arc<Limits>) {
        (self.snapshot, self.limits)
    }

    /// The definitions.
    pub const fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The snapshot of the store itself.
    pub fn as_snapshot(&self) -> &(dyn Snapshot + 'a) {
        &*self.snapshot
    }

    /// What the entity holds for the attribute, or else the definition's default, or else nothing.
    ///
    /// # Errors
    /// Those of [`crate::AttributesOf::get`].
    pub fn get<T: FromValue>(&self, entity: impl IntoEntityKey, name: &str) -> Result<Option<T>> {
        let key = entity.into_entity_key()?;
        let definition = find_or_undefined(&self.catalog, &self.limits, key.entity_type(), name)?;
        let Some(definition) = definition else { return Ok(None) };
        let record = self.snapshot.read(std::slice::from_ref(&key))?.pop().flatten();
        value_or_default(definition, record.and_then(|record| record.value(definition.id()).cloned()))
    }

    /// All that is stored for the entity; none if nothing is, whatever defaults there are: see [`View::entity_with_defaults`].
    ///
    /// # Errors
    /// A key that is not well formed.
    pub fn entity(&self, entity: impl IntoEntityKey) -> Result<Option<Entity>> {
        Ok(self.entities(&[entity.into_entity_key()?])?.pop().flatten())
    }

    /// The entity with what is stored and, for the rest, with the defaults: see [`crate::AttributesOf::entity_with_defaults`].
    ///
    /// # Errors
    /// A key that is not well formed.
    pub fn entity_with_defaults(&self, entity: impl IntoEntityKey) -> Result<Entity> {
        let key = entity.into_entity_key()?;
        let record = self.snapshot.read(std::slice::from_ref(&key))?.pop().flatten();
        Ok(Entity::with_defaults(Arc::clone(&self.catalog), &key, record))
    }

    /// These entities with what is stored and, for the rest, with the defaults, in the order given.
    pub fn entities_with_defaults(&self, entities: &[EntityKey]) -> Result<Vec<Entity>> {
        let records = self.snapshot.read(entities)?.into_iter();
        let entity = |(key, record)| Entity::with_defaults(Arc::clone(&self.catalog), key, record);
        Ok(entities.iter().zip(records).map(entity).collect())
    }

    /// All that is stored for these entities, in the order given; none where nothing is.
    pub fn entities(&self, entities: &[EntityKey]) -> Result<Vec<Option<Entity>>> {
        let records = self.snapshot.read(entities)?;
        let entity = |record| Entity::of(Arc::clone(&self.catalog), record);
        Ok(records.into_iter().map(|record| record.and_then(entity)).collect())
    }

    /// The entities of the type that hold a value, in the order of their first writing: up to `limit` after this one.
    pub fn entities_of(&self, entity_type: &EntityType, after: Option<Ordinal>, limit: usize) -> Result<Vec<Entity>> {
        let records = page(after, limit, |after, limit| self.snapshot.scan(Some(entity_type), after, limit))?;
        Ok(records.into_iter().filter_map(|record| Entity::of(Arc::clone(&self.catalog), record)).collect())
    }

    /// How many entities of the type hold a value.
    pub fn count(&self, entity_type: &EntityType) -> Result<u64> {
        self.snapshot.count(entity_type)
    }

    /// The value with this id, with its times and actors; none if it is not there.
    pub fn value(&self, id: ValueId) -> Result<Option<ValueDetail>> {
        let Some(record) = self.snapshot.locate(&[id.ordinal()])?.pop().flatten() else { return Ok(None) };
        let held = record.get(id.definition());
        Ok(details(&*self.snapshot, &self.catalog, &record, held.into_iter())?.pop())
    }

    /// All values of the entity with their ids, times and actors, in the order of their definition.
    pub fn details(&self, entity: &EntityKey) -> Result<Vec<ValueDetail>> {
        let record = self.snapshot.read(std::slice::from_ref(entity))?.pop().flatten();
        let Some(record) = record else { return Ok(Vec::new()) };
        details(&*self.snapshot, &self.catalog, &record, record.values().iter())
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("catalog", &self.catalog.revision()).finish_non_exhaustive()
    }
}
