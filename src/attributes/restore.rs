//! Undo and restore: each makes a batch that the host can look at, name, and commit.
//!
//! Rules bind writing, not going back: what is restored was valid at its time. So no rule of today refuses a restored value, or
//! that a value is absent again, with one exception: unique values stay unique. A value whose attribute has another type now is
//! converted if that is exact, and refused if not.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::attributes::{Attributes, BatchBuilder};
use crate::error::{Error, Result, Rule, Violation, Violations};
use crate::history::{
    Changed, DefinitionChange, Definitions, EntityChange, Horizons, Point, Position, changes_until, is_known, state_at,
};
use crate::model::{
    Catalog, CommitId, Definition, DefinitionId, EntityKey, EntityRecord, IntoEntityKey, Ordinal, Retention, Value, ValueId,
    longer_than,
};
use crate::store::{AttributeStore, Commit, PAGE, Past, Snapshot, Touched, commit_with_id, history_of, written_at};

impl<S: AttributeStore> Attributes<S> {
    /// A batch that makes an entity what it was at a point. It is refused as a conflict if the entity is changed before it is
    /// committed. An entity that did not exist at the point is removed.
    ///
    /// Rules of today do not refuse what is restored, but for unique values that another entity holds. Where an attribute has another
    /// type now, its value is converted if that is exact. [`BatchBuilder::check`] tells beforehand what cannot be restored.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.ensure([DefinitionSpec::string("tier"), DefinitionSpec::integer("seats")])?;
    /// let then = customers.set(123, "tier", "premium")?.commit.expect("a commit");
    /// attributes.batch().set(("customer", 123), "tier", "basic").set(("customer", 123), "seats", 5).commit()?;
    /// attributes.restore_entity(("customer", 123), then)?.by("ann").commit()?;
    /// assert_eq!(customers.get::<String>(123, "tier")?.as_deref(), Some("premium"));
    /// assert_eq!(customers.get::<i64>(123, "seats")?, None);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// A commit that is not yet done; an entity that was never written; values whose definition was deleted since, each of
    /// them: restore it first; values that are in history no longer. Attributes of which no history is kept stay as they are.
    pub fn restore_entity(&self, entity: impl IntoEntityKey, point: impl Into<Point>) -> Result<BatchBuilder<'_, S>> {
        let (key, snapshot) = (entity.into_entity_key()?, self.store.snapshot()?);
        let at = point.into().resolve(&*snapshot)?;
        let now = snapshot.read(std::slice::from_ref(&key))?.pop().flatten();
        let now = now.ok_or_else(|| Error::not_found(key.to_string(), Vec::new()))?;
        // The key of an entity may be erased one day, and notes are not.
        let batch = self.noted(format!("restores entity {} as of commit {at}", now.ordinal()));
        Restoring::new(&*snapshot, batch)?.state(&now, at, None)
    }

    /// A batch that makes one value what it was at a point: another value, or none. As with [`Attributes::restore_entity`].
    ///
    /// # Errors
    /// A commit that is not yet done; an entity that was never written; a definition that was deleted since; a value that is in
    /// history no longer.
    pub fn restore_value(&self, id: ValueId, point: impl Into<Point>) -> Result<BatchBuilder<'_, S>> {
        let snapshot = self.store.snapshot()?;
        let at = point.into().resolve(&*snapshot)?;
        let now = written_at(&*snapshot, id.ordinal())?;
        let now = now.ok_or_else(|| Error::not_found(format!("the entity of value {id}"), Vec::new()))?;
        let batch = self.noted(format!("restores value {id} as of commit {at}"));
        Restoring::new(&*snapshot, batch)?.state(&now, at, Some(id.definition()))
    }

    /// A batch that brings a deleted definition back, under its own id and so with its history, and with the values that were
    /// cleared with it. Its name must be free. As with [`Attributes::restore_entity`], rules do not refuse these values.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// let id = customers.define(DefinitionSpec::string("tier"))?.id();
    /// customers.set(123, "tier", "premium")?;
    /// customers.delete_with_values("tier")?;
    /// attributes.restore_definition(id)?.commit()?;
    /// assert_eq!(customers.get::<String>(123, "tier")?.as_deref(), Some("premium"));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// A definition that never was, or is there.
    pub fn restore_definition(&self, id: DefinitionId) -> Result<BatchBuilder<'_, S>> {
        let snapshot = self.store.snapshot()?;
        let last = snapshot.past_definitions(Some(&[id]))?.pop().filter(|_| id.get() > 0);
        let is_gone = snapshot.catalog()?.get(id).is_none();
        let last = last.filter(|_| is_gone);
        let last = last.ok_or_else(|| Error::not_found(format!("a deleted definition {id}"), Vec::new()))?;
        let batch = self.noted(format!("restores the definition {id}, `{}`", last.definition.name()));
        let mut restoring = Restoring::new(&*snapshot, batch)?;
        restoring.expect_catalog();
        let as_of = CommitId::new(last.ended.get().saturating_sub(1));
        restoring.definitions(vec![(id, Some(Arc::clone(&last.definition)))], as_of);
        let touched: Vec<Ordinal> = snapshot.touched(&[last.ended])?.iter().flat_map(Touched::iter).collect();
        for page in touched.chunks(PAGE) {
            let records: Vec<_> = snapshot.locate(page)?.into_iter().flatten().collect();
            let keys: Vec<EntityKey> = records.iter().map(|record| record.key().clone()).collect();
            for (key, past) in keys.iter().zip(snapshot.history(&keys)?) {
                let cleared = past.iter().find(|past| past.held.definition == id && past.ended == last.ended);
                if let Some(cleared) = cleared {
                    restoring.set(key, id, Some(&cleared.held.value));
                }
            }
        }
        restoring.finish()
    }

    /// A batch that undoes all that one commit did. Entities that the commit created are removed, and rules do not refuse what is
    /// restored, as with [`Attributes::restore_entity`]. What was changed again since is left to be decided one by one, and is an
    /// error here. Attributes of which no history is kept stay as they are, where it is not known that the commit changed them.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.ensure([DefinitionSpec::integer("seats")])?;
    /// customers.set(1, "seats", 5)?;
    /// let mistaken = attributes.batch().set(("customer", 1), "seats", 500).set(("customer", 2), "seats", 500).commit()?;
    /// attributes.undo(mistaken.commit.expect("a commit"))?.by("ann").commit()?;
    /// assert_eq!(customers.get::<i64>(1, "seats")?, Some(5));
    /// assert_eq!(customers.get::<i64>(2, "seats")?, None);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// A commit that is not there; [`Error::Invalid`] with all that was changed again since, or is in history no longer.
    pub fn undo(&self, commit: CommitId) -> Result<BatchBuilder<'_, S>> {
        let snapshot = self.store.snapshot()?;
        if commit_with_id(&*snapshot, commit)?.is_none() {
            return Err(Error::not_found(format!("commit {commit}"), Vec::new()));
        }
        let mut restoring = Restoring::new(&*snapshot, self.noted(format!("undoes commit {commit}")))?;
        let mut position = Position::from(CommitId::new(commit.get() - 1));
        // Definitions come first, for values are theirs.
        let mut definitions = Some(Vec::new());
        loop {
            let page = changes_until(&*snapshot, position, commit, PAGE)?;
            for change in page.changes {
                match change {
                    Changed::Definition(change) => definitions.get_or_insert_default().push(change),
                    Changed::Entity(change) => {
                        definitions.take().iter().for_each(|definitions| restoring.undo_definitions(commit, definitions));
                        restoring.undo_entity(&change)?;
                    }
                    // It is as if it had never been.
                    Changed::Erased(_) => {}
                }
            }
            position = page.position;
            if !page.has_more {
                break;
            }
        }
        definitions.iter().for_each(|definitions| restoring.undo_definitions(commit, definitions));
        restoring.finish()
    }

    /// A batch that says what it does, where the limits leave room for it.
    fn noted(&self, note: String) -> BatchBuilder<'_, S> {
        let fits = !longer_than(&note, self.limits.commit_chars);
        if fits { self.batch().note(note) } else { self.batch() }
    }
}

impl Changed {
    /// The commit that did it.
    pub const fn commit(&self) -> &Commit {
        match self {
            Self::Definition(change) => &change.commit,
            Self::Entity(change) => &change.commit,
            Self::Erased(change) => &change.commit,
        }
    }
}

/// A batch in the making, and what cannot be in it.
struct Restoring<'s, 'a, S> {
    snapshot: &'s dyn Snapshot,
    catalog: Arc<Catalog>,
    horizons: Horizons,
    /// Definitions that the batch itself brings back.
    restored: Vec<DefinitionId>,
    /// Definitions that the batch changes or brings back, and whether they are marked as sensitive then.
    marked: BTreeMap<DefinitionId, bool>,
    /// The versions of definitions that were marked once and are not marked now, each read once for all entities.
    unmarked: BTreeMap<DefinitionId, Definitions>,
    batch: BatchBuilder<'a, S>,
    violations: Vec<Violation>,
}

impl<'s, 'a, S: AttributeStore> Restoring<'s, 'a, S> {
    fn new(snapshot: &'s dyn Snapshot, batch: BatchBuilder<'a, S>) -> Result<Self> {
        let (catalog, horizons) = (snapshot.catalog()?, snapshot.horizons()?);
        let (restored, marked, unmarked, violations) = Default::default();
        Ok(Self { snapshot, catalog, horizons, restored, marked, unmarked, batch, violations })
    }

    fn finish(self) -> Result<BatchBuilder<'a, S>> {
        Violations::into_result(self.violations)?;
        Ok(self.batch)
    }

    fn change(&mut self, change: impl FnOnce(BatchBuilder<'a, S>) -> BatchBuilder<'a, S>) {
        let empty = BatchBuilder::new(self.batch.attributes().clone());
        self.batch = change(std::mem::replace(&mut self.batch, empty));
    }

    fn refuse(&mut self, entity: Option<&EntityKey>, violation: Violation) {
        self.violations.push(Violation { entity: entity.cloned(), ..violation });
    }

    /// Whether a definition will be marked as sensitive when the batch is done.
    fn will_be_sensitive(&self, id: DefinitionId) -> bool {
        let changed = self.marked.get(&id).copied();
        changed.unwrap_or_else(|| self.catalog.get(id).is_some_and(|definition| definition.spec().sensitive))
    }

    /// Brings a value of the past back, unless it was held while its attribute was marked as sensitive, and that is not marked now.
    /// `ended` is the commit that replaced or cleared the value.
    fn bring_back(&mut self, entity: &EntityKey, id: DefinitionId, past: Option<(&Value, CommitId)>) -> Result<()> {
        if let Some((_, ended)) = past
            && !self.will_be_sensitive(id)
            && let Some(definition) = self.catalog.get(id).filter(|definition| definition.is_sensitive()).cloned()
        {
            let versions = match self.unmarked.entry(id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(free) => free.insert(Definitions::load_these(self.snapshot, [id])?),
            };
            let last = CommitId::new(ended.get() - 1);
            if versions.at(id, last).is_some_and(|then| then.spec().sensitive) {
                let what = format!("its value as of commit {last}");
                self.refuse(Some(entity), Violation::new(Rule::SensitiveTarget, what, "").about(&definition));
                return Ok(());
            }
        }
        if past.is_some() && self.will_be_sensitive(id) {
            // Whoever unmarks it meanwhile does not get the value back.
            self.expect_catalog();
        }
        self.set(entity, id, past.map(|(value, _)| value));
        Ok(())
    }

    /// What is done to definitions was decided by what they are now.
    fn expect_catalog(&mut self) {
        let revision = self.catalog.revision();
        self.change(|batch| batch.expect_catalog(revision));
    }

    fn definitions(&mut self, then: Vec<(DefinitionId, Option<Arc<Definition>>)>, as_of: CommitId) {
        for then in then.iter().filter_map(|(_, then)| then.as_ref()) {
            self.restored.push(then.id());
            self.marked.insert(then.id(), then.spec().sensitive);
        }
        self.change(|batch| batch.restore_definitions(then, as_of));
    }

    fn set(&mut self, entity: &EntityKey, id: DefinitionId, value: Option<&Value>) {
        self.change(|batch| batch.restore(entity.clone(), id, value.cloned()));
    }

    /// Makes a record what it was, or one value of it.
    fn state(mut self, now: &EntityRecord, at: CommitId, only: Option<DefinitionId>) -> Result<BatchBuilder<'a, S>> {
        let past = history_of(self.snapshot, now.key())?;
        let state = state_at(now, &past, at)?;
        self.change(|batch| batch.expect_revision(now.key(), now.revision()));
        let unknown = self.unknown(now, &past, at);
        for (id, name) in &unknown {
            if only == Some(*id) || (only.is_none() && !self.is_off(*id)) {
                self.refuse(Some(now.key()), forgotten(at).of(name.clone()));
            }
        }
        let ids = now.definitions_with(&state).into_iter().filter(|id| only.is_none_or(|only| only == *id));
        for id in ids.filter(|id| now.value(*id) != state.value(*id) && !unknown.contains_key(id)) {
            if self.catalog.get(id).is_some() {
                self.bring_back(now.key(), id, ended(&past, id, at, state.value(id)))?;
            } else {
                let last = self.snapshot.past_definitions(Some(&[id]))?.pop();
                let name = last.map_or_else(|| format!("definition {id}"), |last| last.definition.name().to_string());
                self.refuse(Some(now.key()), gone().of(name));
            }
        }
        self.finish()
    }

    /// The definitions for which history does not tell what an entity held at a point, with their names.
    fn unknown(&self, now: &EntityRecord, past: &[Past], at: CommitId) -> BTreeMap<DefinitionId, String> {
        let of_type = self.catalog.of(now.key().entity_type()).into_iter().map(|found| (found.id(), found.name().to_string()));
        of_type.filter(|(id, _)| !is_known(&self.horizons, *id, now, past, at)).collect()
    }

    fn is_off(&self, id: DefinitionId) -> bool {
        let limits = self.batch.attributes().limits();
        self.catalog.get(id).is_some_and(|definition| limits.retention_of(definition) == Retention::Off)
    }

    /// Makes definitions what they were before the commit that made these changes.
    fn undo_definitions(&mut self, commit: CommitId, changes: &[DefinitionChange]) {
        let mut undone = Vec::with_capacity(changes.len());
        for change in changes {
            let (before, after) = (&change.before, &change.after);
            let Some(either) = before.as_ref().or(after.as_ref()) else { continue };
            // Values came to it, which is undone with them: its declaration is what it was.
            if before.as_ref().zip(after.as_ref()).is_some_and(|(before, after)| before.spec() == after.spec()) {
                continue;
            }
            let now = self.catalog.get(either.id()).cloned();
            if now.as_ref().map(|now| now.spec()) == after.as_ref().map(|after| after.spec()) {
                undone.push((either.id(), before.clone()));
            } else {
                let found = now.as_ref().map_or("deleted", |_| "another");
                // Names may have been exchanged: the host knows the definition by the name that it has now, or had last.
                let named = now.as_ref().or(after.as_ref()).unwrap_or(either);
                self.refuse(None, superseded(commit, found).of(named.name().as_str()));
            }
        }
        if !undone.is_empty() {
            self.expect_catalog();
            self.definitions(undone, CommitId::new(commit.get().saturating_sub(1)));
        }
    }

    fn undo_entity(&mut self, change: &EntityChange) -> Result<()> {
        let now = self.snapshot.read(std::slice::from_ref(&change.entity))?.pop().flatten();
        let Some(now) = now else { return Err(Error::corrupt(format!("{} is missing", change.entity))) };
        self.change(|batch| batch.expect_revision(now.key(), now.revision()));
        let commit = change.commit.id;
        let unknown = self.unknown_of(&now, commit)?;
        for (id, name) in &unknown {
            let is_of_commit = now.get(*id).is_some_and(|held| held.modified == commit);
            if is_of_commit || !self.is_off(*id) {
                self.refuse(Some(now.key()), forgotten(CommitId::new(commit.get() - 1)).of(name.clone()));
            }
        }
        for value in &change.values {
            let (id, held) = (value.id.definition(), now.value(value.id.definition()));
            if unknown.contains_key(&id) {
                continue;
            }
            if held != value.after.as_ref() {
                let found = held.map_or_else(|| "absent".to_owned(), |held| format!("{:?}", held.to_string()));
                let refused = superseded(commit, &found);
                let definition = held.and_then(|_| self.catalog.get(id));
                let refused = definition.map_or(refused.clone(), |definition| refused.about(definition));
                self.refuse(Some(now.key()), refused.of(value.attribute.clone()));
            } else if self.catalog.get(id).is_none() && !self.restored.contains(&id) {
                self.refuse(Some(now.key()), gone().of(value.attribute.clone()));
            } else {
                let value = value.before.as_ref().map(|value| (value, commit));
                self.bring_back(now.key(), id, value)?;
            }
        }
        Ok(())
    }

    /// The definitions of which is not known what a commit did to an entity.
    fn unknown_of(&self, now: &EntityRecord, commit: CommitId) -> Result<BTreeMap<DefinitionId, String>> {
        if self.horizons.is_empty() {
            return Ok(BTreeMap::new());
        }
        let past = history_of(self.snapshot, now.key())?;
        let mut unknown = self.unknown(now, &past, CommitId::new(commit.get() - 1));
        unknown.extend(self.unknown(now, &past, commit));
        Ok(unknown)
    }
}

/// A value of a point in the past, with the commit that ended it.
fn ended<'v>(past: &[Past], id: DefinitionId, at: CommitId, value: Option<&'v Value>) -> Option<(&'v Value, CommitId)> {
    let is_it = |past: &&Past| past.held.definition == id && past.held.modified <= at && at < past.ended;
    let ended = past.iter().find(is_it).map_or(CommitId::new(at.get() + 1), |past| past.ended);
    Some((value?, ended))
}

fn forgotten(at: CommitId) -> Violation {
    Violation::new(Rule::Forgotten, format!("commit {at}"), "")
}

fn superseded(commit: CommitId, found: &str) -> Violation {
    Violation::new(Rule::Superseded, format!("commit {commit}"), found)
}

fn gone() -> Violation {
    Violation::new(Rule::Superseded, "that time", "deleted")
}
