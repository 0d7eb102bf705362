//! What hosts hold: names are resolved, values checked, batches built, conflicts retried.

mod batch;
mod bind;
mod cursor;
mod definitions;
mod detail;
mod entity;
mod export;
mod facets;
mod find;
mod home;
mod listing;
mod of;
mod past;
mod plan;
mod prune;
mod query;
mod restore;
mod submitted;
mod subscription;
mod usage;
mod view;

use std::sync::Arc;

use crate::attributes::subscription::Watch;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::model::{EntityKey, EntityType, Limits, Value, ValueId};
use crate::store::{AttributeStore, Receipt};

pub use batch::BatchBuilder;
pub use cursor::Cursor;
pub use definitions::Ensured;
pub use detail::ValueDetail;
pub use entity::{EffectiveValue, Entity, Reading, Source};
pub use export::DefinitionExport;
pub use facets::Facets;
pub(crate) use home::Home;
pub use listing::{DefinitionPage, ListDefinitions, OrderBy, OrderField};
pub use of::AttributesOf;
pub use plan::{Conversion, Offence, PlanReport, SchemaPlan, StepReport};
pub use prune::{Prune, Pruned, PrunedAttribute};
pub use query::{KeyPage, OrderByAttribute, Page, Query};
pub use submitted::Submitted;
pub use subscription::Subscription;
pub use usage::Usage;
pub use view::View;

/// How often a call starts again because others moved the catalog, or a single entity, under it.
const ATTEMPTS: usize = 64;

/// The attributes of a store: what a host keeps, and shares between its threads.
///
/// It is as cheap to clone, and as free to be sent and shared, as its store.
///
/// ```
/// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
/// let attributes = Attributes::new(MemoryStore::new());
/// let customers = attributes.of("customer")?;
/// customers.define(DefinitionSpec::date("Contract Expiry Date"))?;
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Attributes<S> {
    store: S,
    limits: Arc<Limits>,
    clock: Arc<dyn Clock>,
    watch: Arc<Watch>,
}

impl<S: AttributeStore> Attributes<S> {
    /// The attributes of this store, with the limits of [`Limits::typed`] and the system's clock.
    pub fn new(store: S) -> Self {
        Self { store, limits: Arc::new(Limits::typed()), clock: Arc::new(SystemClock), watch: Arc::default() }
    }

    /// The same with other limits.
    ///
    /// # Errors
    /// Limits beyond their bounds: see [`Limits::check`].
    ///
    /// ```
    /// use custom_attributes::{Attributes, Limits, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new()).with_limits(Limits::key_value())?;
    /// // An unknown name defines itself as STRING.
    /// attributes.of("customer")?.set(123, "external_crm_id", "SF-12345")?;
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn with_limits(mut self, limits: Limits) -> Result<Self> {
        limits.check()?;
        self.limits = Arc::new(limits);
        Ok(self)
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The store.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The attributes of one entity type.
    ///
    /// # Errors
    /// An entity type that is not well formed.
    pub fn of(&self, entity_type: &str) -> Result<AttributesOf<'_, S>> {
        Ok(self.of_type(EntityType::new(entity_type)?))
    }

    /// The attributes of one entity type.
    pub fn of_type(&self, entity_type: EntityType) -> AttributesOf<'_, S> {
        AttributesOf::new(self, entity_type)
    }

    /// A batch: any mix of changes of any number of entities and types, done whole or not at all.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore, Outcome};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let receipt = attributes
    ///     .batch()
    ///     .by("alice")
    ///     .define("customer", DefinitionSpec::integer("credit_limit").minimum(0))
    ///     .set(("customer", 123), "credit_limit", 10_000)
    ///     .set(("customer", 124), "credit_limit", 500)
    ///     .commit()?;
    /// assert_eq!(receipt.changes[1].outcome, Outcome::Created);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn batch(&self) -> BatchBuilder<'_, S> {
        BatchBuilder::new(Home::Borrowed(self))
    }

    /// The store as it is now, for as long as it is held. It blocks nobody.
    pub fn snapshot(&self) -> Result<View<'_>> {
        View::new(self.store.snapshot()?, Arc::clone(&self.limits))
    }

    /// The value with this id, with its times and actors; none if it is not there (any longer).
    pub fn value(&self, id: ValueId) -> Result<Option<ValueDetail>> {
        self.snapshot()?.value(id)
    }

    /// Changes the value with this id.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none (any longer); a value that the definition refuses.
    pub fn set_value(&self, id: ValueId, value: impl Into<Value>) -> Result<Receipt> {
        let value = value.into();
        self.change_by_id(id, |batch, key| batch.set_id(key, id.definition(), value.clone()))
    }

    /// Clears the value with this id.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none (any longer); a required value.
    pub fn clear_value(&self, id: ValueId) -> Result<Receipt> {
        self.change_by_id(id, |batch, key| batch.clear_id(key, id.definition()))
    }

    /// Finds whose value it is, and changes it if it has not moved meanwhile; if it has, starts again.
    fn change_by_id(
        &self,
        id: ValueId,
        change: impl Fn(BatchBuilder<'_, S>, EntityKey) -> BatchBuilder<'_, S>,
    ) -> Result<Receipt> {
        for attempt in 1.. {
            let record = self.store.snapshot()?.locate(&[id.ordinal()])?.pop().flatten();
            let record = record.filter(|record| record.get(id.definition()).is_some());
            let record = record.ok_or_else(|| Error::not_found(format!("the value {id}"), Vec::new()))?;
            let batch = self.batch().alone().expect_revision(record.key().clone(), record.revision());
            match change(batch, record.key().clone()).commit() {
                Err(Error::Conflict(_)) if attempt < ATTEMPTS => {}
                done => return done,
            }
        }
        Err(Error::not_found(format!("the value {id}"), Vec::new()))
    }
}
