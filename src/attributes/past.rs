//! The past, as hosts see it.

use crate::attributes::{Attributes, View};
use crate::error::{Error, Result};
use crate::history::{
    AsOf, ChangePage, DefinitionVersion, Definitions, Point, Position, ValueChange, Version, changes_between, changes_since,
    changes_until, definition_versions, versions,
};
use crate::model::{CommitId, DefinitionId, IntoEntityKey, Ordinal, ValueId};
use crate::store::{AttributeStore, Commit, commit_with_id, history_of, written_at};

impl View<'_> {
    /// The store as it was at a point in its past: definitions, entities, and what is found. It is answered from what is
    /// there and what is in history, without an index: a search reads all entities and their histories.
    ///
    /// # Errors
    /// A commit that is not yet done; a failure of the storage.
    pub fn as_of(self, point: impl Into<Point>) -> Result<Self> {
        let (snapshot, limits) = self.into_parts();
        View::new(Box::new(AsOf::new(snapshot, point.into())?), limits)
    }

    /// The commit with this id; none if it is not there.
    pub fn commit(&self, id: CommitId) -> Result<Option<Commit>> {
        commit_with_id(self.as_snapshot(), id)
    }

    /// All that the entity holds and ever held, each version of each value with its commits, by the commit that began it.
    /// Renaming and deleting a definition does not cut it.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::string("tier"))?;
    /// customers.by("ann").set(123, "tier", "basic")?;
    /// let customers = attributes.of("customer")?;
    /// customers.by("bob").set(123, "tier", "premium")?;
    /// let history = attributes.snapshot()?.history(("customer", 123))?;
    /// let told: Vec<_> = history.iter().map(|version| (version.value.to_string(), version.began.by.as_deref())).collect();
    /// assert_eq!(told, [("basic".into(), Some("ann")), ("premium".into(), Some("bob"))]);
    /// assert_eq!(history[0].ended, Some(history[1].began.clone()));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// A key that is not well formed.
    pub fn history(&self, entity: impl IntoEntityKey) -> Result<Vec<Version>> {
        let record = self.as_snapshot().read(&[entity.into_entity_key()?])?.pop().flatten();
        record.map_or(Ok(Vec::new()), |record| versions(self.as_snapshot(), &record, None))
    }

    /// All versions of the value with this id, those before it was cleared as well, by the commit that began each.
    pub fn value_history(&self, id: ValueId) -> Result<Vec<Version>> {
        let record = written_at(self.as_snapshot(), id.ordinal())?;
        record.map_or(Ok(Vec::new()), |record| versions(self.as_snapshot(), &record, Some(id.definition())))
    }

    /// All versions of the definition with this id, in their order, also of one that was deleted.
    pub fn definition_history(&self, id: DefinitionId) -> Result<Vec<DefinitionVersion>> {
        definition_versions(self.as_snapshot(), id)
    }

    /// How the entity differs between two points: from the first to the second.
    ///
    /// ```
    /// use custom_attributes::{Attributes, CommitId, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::integer("seats"))?;
    /// customers.set(123, "seats", 5)?;
    /// customers.set(123, "seats", 9)?;
    /// let view = attributes.snapshot()?;
    /// let changes = view.diff(("customer", 123), CommitId::new(2), CommitId::new(3))?;
    /// assert_eq!((changes[0].before.clone(), changes[0].after.clone()), (Some(5.into()), Some(9.into())));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// A key that is not well formed; a commit that is not yet done.
    pub fn diff(&self, entity: impl IntoEntityKey, from: impl Into<Point>, to: impl Into<Point>) -> Result<Vec<ValueChange>> {
        let snapshot = self.as_snapshot();
        let (from, to) = (from.into().resolve(snapshot)?, to.into().resolve(snapshot)?);
        let record = snapshot.read(&[entity.into_entity_key()?])?.pop().flatten();
        let Some(record) = record else { return Ok(Vec::new()) };
        let past = history_of(snapshot, record.key())?;
        changes_between(&Definitions::load(snapshot)?, &snapshot.horizons()?, (&record, &past), from, to)
    }

    /// What one commit changed, behind this entity or from the first on, with at most so many entities. The next page begins behind
    /// the ordinal in the position of the last.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::integer("seats"))?;
    /// let batch = (1..=3).fold(attributes.batch(), |batch, id| batch.set(("customer", id), "seats", id));
    /// let commit = batch.commit()?.commit.expect("a commit");
    /// customers.set(1, "seats", 9)?;
    /// let view = attributes.snapshot()?;
    /// let page = view.changes_of(commit, None, 2)?;
    /// assert_eq!((page.changes.len(), page.has_more), (2, true));
    /// let page = view.changes_of(commit, Some(page.position.ordinal), 2)?;
    /// assert_eq!((page.changes.len(), page.has_more), (1, false));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// A commit that is not there.
    pub fn changes_of(&self, commit: CommitId, after: Option<Ordinal>, limit: usize) -> Result<ChangePage> {
        let before = self.commit(commit)?.and_then(|found| found.id.get().checked_sub(1));
        let before = before.ok_or_else(|| Error::not_found(format!("commit {commit}"), Vec::new()))?;
        let begin = after.map_or_else(|| Position::from(CommitId::new(before)), |ordinal| Position { commit, ordinal });
        changes_until(self.as_snapshot(), begin, commit, limit)
    }

    /// What changed behind a position, commit by commit, with at most so many entities: see [`Attributes::changes_since`].
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn changes_since(&self, position: impl Into<Position>, limit: usize) -> Result<ChangePage> {
        changes_since(self.as_snapshot(), position.into(), limit)
    }
}

impl<S: AttributeStore> Attributes<S> {
    /// The store as it was at a commit or an instant: see [`View::as_of`].
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore, attr};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::string("tier"))?;
    /// let first = customers.set(123, "tier", "basic")?.commit.expect("a commit");
    /// customers.set(123, "tier", "premium")?;
    /// let then = attributes.as_of(first)?;
    /// assert_eq!(then.get::<String>(("customer", 123), "tier")?.as_deref(), Some("basic"));
    /// assert_eq!(then.count_found(customers.entity_type(), &attr("tier").eq("basic"))?, 1);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// A commit that is not yet done; a failure of the storage.
    pub fn as_of(&self, point: impl Into<Point>) -> Result<View<'_>> {
        self.snapshot()?.as_of(point)
    }

    /// What changed behind a position: every change of every commit, in their order. A page ends behind so many entities,
    /// in the middle of a commit if need be; the next begins at the position of the last. None is missed, whoever writes
    /// meanwhile: a commit is seen whole, and behind all that were before it.
    ///
    /// ```
    /// use custom_attributes::{Attributes, Changed, DefinitionSpec, MemoryStore, Position};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::string("tier"))?;
    /// customers.set(123, "tier", "basic")?;
    /// let page = attributes.changes_since(Position::default(), 100)?;
    /// let Changed::Entity(change) = &page.changes[1] else { panic!("the definition comes first") };
    /// assert_eq!((change.entity.to_string().as_str(), change.values[0].after.clone()), ("customer/123", Some("basic".into())));
    /// assert!(attributes.changes_since(page.position, 100)?.changes.is_empty());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn changes_since(&self, position: impl Into<Position>, limit: usize) -> Result<ChangePage> {
        self.snapshot()?.changes_since(position, limit)
    }
}
