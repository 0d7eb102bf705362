//! Finding entities by what they hold.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::attributes::{Attributes, AttributesOf, Cursor, Entity, Facets, KeyPage, Page, Query, View};
use crate::error::Result;
use crate::model::EntityType;
use crate::store::{AttributeStore, Explanation, Fault, Progress};
use crate::trace::Doing;

impl View<'_> {
    /// A page of the entities that the query wants, each with all that it holds.
    ///
    /// # Errors
    /// All that is wrong with the query, see [`crate::Filter::bind`]; a cursor of another query.
    pub fn find(&self, entity_type: &EntityType, query: impl Into<Query>) -> Result<Page> {
        let bound = query.into().bind(self.catalog(), entity_type)?;
        let find = || self.as_snapshot().find(&bound);
        let found = Doing::new("find").of(entity_type).sized(bound.limit).tell(find, |found| found.records.len() as u64)?;
        let last = found.records.last().filter(|_| found.has_more);
        let end = last.map(|last| bound.rank(last));
        bound.check_progress(end.as_ref())?;
        let next = end.map(|end| Cursor::new(&bound, self.catalog(), &end));
        let entities = found.records.into_iter().filter_map(|record| Entity::of(Arc::clone(self.catalog()), record));
        Ok(Page { entities: entities.collect(), next })
    }

    /// The same, of which only the keys are read: for hosts that have the records themselves.
    ///
    /// # Errors
    /// Those of [`View::find`].
    pub fn find_keys(&self, entity_type: &EntityType, query: impl Into<Query>) -> Result<KeyPage> {
        let bound = query.into().bind(self.catalog(), entity_type)?;
        let find = || self.as_snapshot().find_keys(&bound);
        let found = Doing::new("find_keys").of(entity_type).sized(bound.limit).tell(find, |found| found.keys.len() as u64)?;
        bound.check_progress(found.end.as_ref())?;
        let next = found.end.map(|end| Cursor::new(&bound, self.catalog(), &end));
        Ok(KeyPage { keys: found.keys, next })
    }

    /// All entities that the query wants, read a page (of the query's limit) at a time, all of this instant.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore, Query};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::string("tier"))?;
    /// for id in 0..250 {
    ///     customers.set(id, "tier", "basic")?;
    /// }
    /// let view = attributes.snapshot()?;
    /// let all = view.find_all(customers.entity_type(), Query::all()).collect::<Result<Vec<_>, _>>()?;
    /// assert_eq!(all.len(), 250);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`View::find`]; after one, it ends.
    pub fn find_all(&self, entity_type: &EntityType, query: impl Into<Query>) -> impl Iterator<Item = Result<Entity>> + '_ {
        let (entity_type, mut next) = (entity_type.clone(), Some(query.into()));
        let pages = std::iter::from_fn(move || {
            let query = next.take()?;
            Some(self.find(&entity_type, query.clone()).map(|page| {
                next = page.next.map(|cursor| query.after(cursor));
                page.entities
            }))
        });
        pages.flat_map(|page| match page {
            Ok(entities) => entities.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    }

    /// How many entities the filter of the query, or a filter alone, admits. Order, limit and cursor of a query do not matter.
    ///
    /// # Errors
    /// All that is wrong with the filter.
    pub fn count_found(&self, entity_type: &EntityType, query: impl Into<Query>) -> Result<u64> {
        let wanted = query.into().bind_wanted(self.catalog(), entity_type)?;
        Doing::new("count").of(entity_type).tell(|| self.as_snapshot().count_wanted(&wanted), |count| *count)
    }

    /// The values of an attribute among the entities that the filter of the query, or a filter alone, admits, or all without one,
    /// with their counts. Stored values are counted, also where the filter sees defaults. Order, limit and cursor of a query do not
    /// matter.
    ///
    /// # Errors
    /// All that is wrong with the filter; a name that is not defined, or not searchable.
    pub fn facets(&self, entity_type: &EntityType, query: impl Into<Query>, name: &str) -> Result<Facets> {
        self.catalog().resolve(entity_type, name)?;
        let definition = self.catalog().searchable(entity_type, name)?;
        let wanted = query.into().bind_wanted(self.catalog(), entity_type)?;
        let tally = || self.as_snapshot().tally(&wanted, definition.id());
        let values = Doing::new("facets").of(entity_type).tell(tally, |values| values.len() as u64)?;
        Ok(Facets::new(Arc::clone(definition), values))
    }

    /// How the query is answered, by answering it: see [`Explanation`].
    ///
    /// # Errors
    /// Those of [`View::find`].
    pub fn explain(&self, entity_type: &EntityType, query: impl Into<Query>) -> Result<Explanation> {
        self.as_snapshot().explain(&query.into().bind(self.catalog(), entity_type)?)
    }

    /// Compares the index by which entities are found with what they hold, and reports every difference until the caller
    /// has enough. It reads all entities, and blocks nobody. [`Attributes::rebuild_index`] mends what is reported.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// attributes.of("customer")?.define(DefinitionSpec::string("tier"))?;
    /// attributes.of("customer")?.set(123, "tier", "basic")?;
    /// let mut faults = Vec::new();
    /// attributes.snapshot()?.verify_index(|fault| {
    ///     faults.push(fault);
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert!(faults.is_empty());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the storage; an index or records that cannot be read.
    pub fn verify_index(&self, report: impl FnMut(Fault) -> ControlFlow<()>) -> Result<()> {
        self.verify_index_with(report, |_| ControlFlow::Continue(()))
    }

    /// The same, which tells how many entities were gone over; the caller may end it there.
    ///
    /// # Errors
    /// Those of [`View::verify_index`]; [`crate::Error::Stopped`] if the caller ended it.
    pub fn verify_index_with(
        &self,
        mut report: impl FnMut(Fault) -> ControlFlow<()>,
        mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut faults = 0;
        let verify = || {
            let mut counted = |fault| {
                faults += 1;
                report(fault)
            };
            self.as_snapshot().verify_index(&mut counted, &mut progress)?;
            Ok(faults)
        };
        Doing::new("verify_index").tell(verify, |faults| *faults).map(drop)
    }
}

impl<S: AttributeStore> Attributes<S> {
    /// Makes the index by which entities are found anew from what they hold, step by step, and tells after each step how
    /// far it has come; the caller may end it there. Readers and writers go on in between. A call after one that ended
    /// early, or whose process did, goes on where it ended.
    ///
    /// A store in memory has nothing to do: its index cannot be damaged apart from it.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use custom_attributes::{Attributes, DefinitionSpec, SqliteStore};
    /// let attributes = Attributes::new(SqliteStore::in_memory()?);
    /// attributes.of("customer")?.define(DefinitionSpec::string("tier"))?;
    /// attributes.of("customer")?.set(123, "tier", "basic")?;
    /// attributes.rebuild_index(|progress| {
    ///     println!("{} of {} steps", progress.done, progress.total);
    ///     ControlFlow::Continue(())
    /// })?;
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the storage; what was done until then stays done.
    pub fn rebuild_index(&self, mut progress: impl FnMut(Progress) -> ControlFlow<()>) -> Result<()> {
        Doing::new("rebuild_index").tell(|| self.store().rebuild_index(&mut progress), |()| 0)
    }
}

impl<S: AttributeStore> AttributesOf<'_, S> {
    /// A page of the entities that the query, or a filter alone, wants, each with all that it holds.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore, attr};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.ensure([DefinitionSpec::string("support_tier"), DefinitionSpec::integer("credit_limit")])?;
    /// customers.save(123, [("support_tier", "premium".into()), ("credit_limit", custom_attributes::Value::from(20_000))])?;
    /// let page = customers.find(attr("support_tier").eq("premium") & attr("credit_limit").gt(10_000))?;
    /// assert_eq!(page.entities[0].get::<i64>("credit_limit")?, Some(20_000));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// All that is wrong with the query, see [`crate::Filter::bind`]; a cursor of another query.
    pub fn find(&self, query: impl Into<Query>) -> Result<Page> {
        self.attributes.snapshot()?.find(self.entity_type(), query)
    }

    /// The same, of which only the keys are read: for hosts that have the records themselves.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, EntityKey, MemoryStore, attr};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::string("support_tier"))?;
    /// customers.set(123, "support_tier", "premium")?;
    /// let page = customers.find_keys(attr("support_tier").eq("premium"))?;
    /// assert_eq!(page.keys, [EntityKey::new("customer", 123)?]);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`AttributesOf::find`].
    pub fn find_keys(&self, query: impl Into<Query>) -> Result<KeyPage> {
        self.attributes.snapshot()?.find_keys(self.entity_type(), query)
    }

    /// How the query is answered, by answering it: see [`Explanation`].
    ///
    /// # Errors
    /// Those of [`AttributesOf::find`].
    pub fn explain(&self, query: impl Into<Query>) -> Result<Explanation> {
        self.attributes.snapshot()?.explain(self.entity_type(), query)
    }

    /// How many entities the filter of the query, or a filter alone, admits. Order, limit and cursor of a query do not matter.
    ///
    /// # Errors
    /// All that is wrong with the filter.
    pub fn count_found(&self, query: impl Into<Query>) -> Result<u64> {
        self.attributes.snapshot()?.count_found(self.entity_type(), query)
    }

    /// The values of an attribute among the entities that the filter of the query, or a filter alone, admits, or all without one,
    /// with their counts. Stored values are counted, also where the filter sees defaults. Order, limit and cursor of a query do not
    /// matter.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::string("tier"))?;
    /// for (id, tier) in [(1, "basic"), (2, "premium"), (3, "basic")] {
    ///     customers.set(id, "tier", tier)?;
    /// }
    /// let facets = customers.facets(None, "tier")?;
    /// let most: Vec<_> = facets.most_frequent().into_iter().map(|(value, count)| (value.to_string(), count)).collect();
    /// assert_eq!(most, [("basic".to_owned(), 2), ("premium".to_owned(), 1)]);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// All that is wrong with the filter; a name that is not defined, or not searchable.
    pub fn facets(&self, query: impl Into<Query>, name: &str) -> Result<Facets> {
        self.attributes.snapshot()?.facets(self.entity_type(), query, name)
    }
}
