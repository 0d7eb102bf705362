//! A batch as a host writes it: names and values as given, resolved when it is committed.

use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::attributes::bind::{Binder, Binding, BoundBatch};
use crate::attributes::home::Home;
use crate::attributes::{ATTEMPTS, Submitted};
use crate::error::{Error, Moved, Result, Rule, Violation};
use crate::model::{
    Catalog, CommitId, Definition, DefinitionId, DefinitionSpec, EntityKey, EntityType, IntoEntityKey, Retention, Revision,
    Value, longer_than,
};
use crate::store::{AttributeStore, Batch, Offending, Progress, Receipt, VersionId, gone_definitions, plan};
use crate::trace::Doing;
use crate::violation::plural;

/// An atomic batch in the making. Nothing happens before [`BatchBuilder::commit`].
///
/// What is wrong with it, a malformed key as well as a refused value, is reported by `commit`: all of it, each with its
/// place, which is the number of the call that added the change, from 0.
#[must_use = "a batch does nothing until it is committed"]
pub struct BatchBuilder<'a, S> {
    attributes: Home<'a, S>,
    actor: Option<Arc<str>>,
    note: Option<Arc<str>>,
    expected: Vec<(Result<EntityKey>, Revision)>,
    pub(super) requests: Vec<Request<'a>>,
    /// A single change needs no place in its violations.
    alone: bool,
    /// The revision of the catalog that it was made for, if it is for no other.
    catalog: Option<Revision>,
    numbers_by_value: bool,
}

/// One change as it was asked for.
pub(super) enum Request<'a> {
    Define { entity_type: Given<EntityType>, spec: Box<DefinitionSpec> },
    Ensure { entity_type: Given<EntityType>, spec: Box<DefinitionSpec> },
    Declare { entity_type: Given<EntityType>, spec: Box<DefinitionSpec>, offending: Offending },
    Alter { entity_type: Given<EntityType>, name: Cow<'a, str>, alter: Box<Alter<'a>>, conversion: Option<Offending> },
    Delete { entity_type: Given<EntityType>, name: Cow<'a, str>, with_values: bool },
    RestoreDefinitions { definitions: Vec<(DefinitionId, Option<Arc<Definition>>)>, as_of: CommitId },
    Merge { entity_type: Given<EntityType>, from: Cow<'a, str>, into: Cow<'a, str>, offending: Offending },
    Split { entity_type: Given<EntityType>, from: Cow<'a, str>, into: Cow<'a, str> },
    Prune(Vec<VersionId>),
    Entity { entity: Given<EntityKey>, request: EntityRequest<'a> },
}

impl Request<'_> {
    const fn erases_by_name(&self) -> bool {
        matches!(self, Self::Entity { request: EntityRequest::EraseValue(_), .. })
    }
}

/// What was given, or what is wrong with it. A batch has a million of these, few of them wrong: what is large is boxed.
pub(super) type Given<T> = Result<T, Box<Error>>;

fn given<T>(given: Result<T>) -> Given<T> {
    given.map_err(Box::new)
}

pub(super) type Alter<'a> = dyn Fn(DefinitionSpec) -> DefinitionSpec + Send + Sync + 'a;

/// One change of an entity.
pub(super) enum EntityRequest<'a> {
    Set(Target<'a>, Input<'a>),
    Clear(Target<'a>),
    /// Back to this value, or to none.
    Restore(DefinitionId, Option<Value>),
    Move(Cow<'a, str>, Cow<'a, str>),
    Save(Vec<(Cow<'a, str>, Input<'a>)>),
    Remove,
    EraseValue(Cow<'a, str>),
    Erase,
}

pub(super) enum Target<'a> {
    Name(Cow<'a, str>),
    Id(DefinitionId),
}

#[derive(Clone)]
pub(super) enum Input<'a> {
    Value(Value),
    Text(Cow<'a, str>),
}

impl<'a, S: AttributeStore> BatchBuilder<'a, S> {
    pub(crate) const fn new(attributes: Home<'a, S>) -> Self {
        Self {
            attributes,
            actor: None,
            note: None,
            expected: Vec::new(),
            requests: Vec::new(),
            alone: false,
            catalog: None,
            numbers_by_value: false,
        }
    }

    pub(crate) const fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    pub(super) fn by_maybe(mut self, actor: Option<Arc<str>>) -> Self {
        self.actor = actor;
        self
    }

    /// Names who does it: up to 1024 characters.
    pub fn by(mut self, actor: impl Into<Arc<str>>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// Says why: up to 1024 characters.
    pub fn note(mut self, note: impl Into<Arc<str>>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Has the batch refused as a conflict unless the entity is at this revision. [`Revision::ABSENT`] expects it never
    /// to have been written.
    pub fn expect_revision(mut self, entity: impl IntoEntityKey, revision: Revision) -> Self {
        self.expected.push((entity.into_entity_key(), revision));
        self
    }

    /// Adds a definition, whose name must be free.
    pub fn define(mut self, entity_type: &str, spec: DefinitionSpec) -> Self {
        self.requests.push(Request::Define { entity_type: given(EntityType::new(entity_type)), spec: Box::new(spec) });
        self
    }

    /// Adds a definition if none has its name. A definition that is there stays as it is, with the rules and the documentation that
    /// it has by now; one of another data type refuses the batch. [`crate::AttributesOf::ensure`] does the same and reports in what
    /// the definition differs.
    pub fn ensure(mut self, entity_type: &str, spec: DefinitionSpec) -> Self {
        self.requests.push(Request::Ensure { entity_type: given(EntityType::new(entity_type)), spec: Box::new(spec) });
        self
    }

    /// Makes a definition exactly what is declared: adds it if none has its name, or else changes the one that has it, as
    /// [`BatchBuilder::change`] does, its type included. [`crate::AttributesOf::declare`] tells beforehand what that means.
    pub fn declare(mut self, entity_type: &str, spec: DefinitionSpec, offending: Offending) -> Self {
        let entity_type = given(EntityType::new(entity_type));
        self.requests.push(Request::Declare { entity_type, spec: Box::new(spec), offending });
        self
    }

    /// Changes a definition: its name, rules or documentation. The function gets what it is and gives back what it shall
    /// be; it may be called more than once, if others change definitions meanwhile.
    pub fn alter(
        mut self,
        entity_type: &str,
        name: impl Into<Cow<'a, str>>,
        alter: impl Fn(DefinitionSpec) -> DefinitionSpec + Send + Sync + 'a,
    ) -> Self {
        let (entity_type, alter) = (given(EntityType::new(entity_type)), Box::new(alter));
        self.requests.push(Request::Alter { entity_type, name: name.into(), alter, conversion: None });
        self
    }

    /// Changes a definition, its type as well: values that are held are converted, and those that cannot be, or that new rules
    /// refuse, are settled as is said here. [`crate::AttributesOf::change`] tells beforehand what that means.
    pub fn change(
        mut self,
        entity_type: &str,
        name: impl Into<Cow<'a, str>>,
        alter: impl Fn(DefinitionSpec) -> DefinitionSpec + Send + Sync + 'a,
        offending: Offending,
    ) -> Self {
        let (entity_type, alter) = (given(EntityType::new(entity_type)), Box::new(alter));
        self.requests.push(Request::Alter { entity_type, name: name.into(), alter, conversion: Some(offending) });
        self
    }

    /// Converts numbers by value in every `change`, `merge` and `split` of the batch: see
    /// [`SchemaPlan::numbers_by_value`](crate::SchemaPlan::numbers_by_value).
    pub const fn numbers_by_value(mut self) -> Self {
        self.numbers_by_value = true;
        self
    }

    /// Moves what all entities hold for one attribute to another, and deletes the first. Values are converted as with
    /// [`BatchBuilder::change`]; one that cannot be, or meets another value there, is settled as is said here, except that a
    /// required value is never cleared. [`crate::AttributesOf::plan`] tells beforehand what that means. A sensitive attribute is
    /// merged only into one that is marked as sensitive as well: otherwise it is refused by [`crate::Rule::SensitiveTarget`].
    pub fn merge(
        mut self,
        entity_type: &str,
        from: impl Into<Cow<'a, str>>,
        into: impl Into<Cow<'a, str>>,
        offending: Offending,
    ) -> Self {
        let entity_type = given(EntityType::new(entity_type));
        self.requests.push(Request::Merge { entity_type, from: from.into(), into: into.into(), offending });
        self
    }

    /// Moves those values of an attribute to another that it admits, where an entity holds none there; the others stay. So the
    /// numbers among free texts come to be numbers. Values of a sensitive attribute are split off only to one that is marked as
    /// sensitive as well. A value of a required attribute cannot be split off, and offends.
    pub fn split(mut self, entity_type: &str, from: impl Into<Cow<'a, str>>, into: impl Into<Cow<'a, str>>) -> Self {
        let entity_type = given(EntityType::new(entity_type));
        self.requests.push(Request::Split { entity_type, from: from.into(), into: into.into() });
        self
    }

    /// Deletes a definition that no entity holds a value of, and no system depends on.
    pub fn delete(mut self, entity_type: &str, name: impl Into<Cow<'a, str>>) -> Self {
        let entity_type = given(EntityType::new(entity_type));
        self.requests.push(Request::Delete { entity_type, name: name.into(), with_values: false });
        self
    }

    /// Deletes a definition and clears every value of it.
    pub fn delete_with_values(mut self, entity_type: &str, name: impl Into<Cow<'a, str>>) -> Self {
        let entity_type = given(EntityType::new(entity_type));
        self.requests.push(Request::Delete { entity_type, name: name.into(), with_values: true });
        self
    }

    /// Sets a value, whether there was one or not.
    ///
    /// The entity need not have been written before, and the host need not have it: only the host knows its records, so it is for
    /// the host to check that one with this id exists. [`BatchBuilder::expect_revision`] refuses the batch where the entity was
    /// never written here, or has changed.
    ///
    /// A batch that creates an entity must give all its [required](DefinitionSpec::required) values, in any order.
    pub fn set(self, entity: impl IntoEntityKey, name: impl Into<Cow<'a, str>>, value: impl Into<Value>) -> Self {
        self.on(entity, EntityRequest::Set(Target::Name(name.into()), Input::Value(value.into())))
    }

    /// Sets a value that is read from text, as the attribute's type is written. Otherwise like [`BatchBuilder::set`].
    pub fn set_text(self, entity: impl IntoEntityKey, name: impl Into<Cow<'a, str>>, text: impl Into<Cow<'a, str>>) -> Self {
        self.on(entity, EntityRequest::Set(Target::Name(name.into()), Input::Text(text.into())))
    }

    /// Clears a value, if there is one. A required value can only be cleared where the same batch sets another.
    pub fn clear(self, entity: impl IntoEntityKey, name: impl Into<Cow<'a, str>>) -> Self {
        self.on(entity, EntityRequest::Clear(Target::Name(name.into())))
    }

    /// Moves a value to another attribute of the same entity, which must hold none and whose rules it must meet. A sensitive value is
    /// moved only to an attribute that is marked as sensitive as well. A required value can only be moved away where the same batch
    /// sets another.
    pub fn move_value(self, entity: impl IntoEntityKey, from: impl Into<Cow<'a, str>>, to: impl Into<Cow<'a, str>>) -> Self {
        self.on(entity, EntityRequest::Move(from.into(), to.into()))
    }

    /// Saves an entity whole: it holds these values afterwards and no others; required ones must be among them.
    ///
    /// As with [`BatchBuilder::set`], it is for the host to check that it has a record with this id.
    pub fn save<N: Into<Cow<'a, str>>, V: Into<Value>>(
        self,
        entity: impl IntoEntityKey,
        values: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.into(), Input::Value(value.into())));
        self.on(entity, EntityRequest::Save(values.collect()))
    }

    /// Removes an entity with all it holds, required values as well. Its revision stays and moves on. If the same batch writes
    /// the entity again, it must keep a value of each required attribute that it held.
    pub fn remove(self, entity: impl IntoEntityKey) -> Self {
        self.on(entity, EntityRequest::Remove)
    }

    /// Erases what an entity holds, and all that it ever held, for a sensitive attribute, as if it had never been. It is gone for all
    /// readers when the batch is committed, and from the file with [`crate::Attributes::purge`]. [`Receipt::erased`] has the ids of
    /// the values that were erased; if there was nothing to erase, the outcome is [`crate::Outcome::Unchanged`].
    ///
    /// The name may be that of a deleted attribute: the one it had last. If a new attribute has the name by now, both are meant; a new
    /// one that was never marked as sensitive is left alone. An attribute that was marked once can be erased, also if it is unmarked now.
    ///
    /// The erasure follows the value:
    /// - All values of the entity go for every attribute that was merged or split into this one, or that this one was merged or split
    ///   into, and so on from there, if it is sensitive or deleted. This holds also if the merge or the split was undone.
    /// - From attributes that were never sensitive, and that values were split or moved from, go the values that are equal to an
    ///   erased one. If the history of the erased attribute was pruned, or is not kept, all go that ended before it begins.
    /// - Where a value was moved by [`BatchBuilder::move_value`], it goes at both ends. This is found by the history of both: if one
    ///   keeps none, erase the value by the other name as well. Only the moved value is followed: earlier values of the attribute
    ///   that it was moved from stay, so erase them by that name.
    ///
    /// Required values are erased as well. Actors, notes and ids of entities are not values: see [`BatchBuilder::erase_entity`].
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let people = attributes.of("person")?;
    /// people.ensure([DefinitionSpec::string("diagnosis").sensitive(), DefinitionSpec::string("tier")])?;
    /// people.set(123, "diagnosis", "flu")?;
    /// people.set(123, "diagnosis", "a cold")?;
    /// assert!(attributes.batch().erase(("person", 123), "tier").commit().is_err());
    /// attributes.batch().by("ann").note("request 17").erase(("person", 123), "diagnosis").commit()?;
    /// attributes.purge()?;
    /// assert!(attributes.snapshot()?.history(("person", 123))?.is_empty());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn erase(self, entity: impl IntoEntityKey, name: impl Into<Cow<'a, str>>) -> Self {
        self.on(entity, EntityRequest::EraseValue(name.into()))
    }

    /// Erases an entity with its id and all that it ever held, sensitive or not: as if it had never been. Its ordinal and the ids
    /// of its values are not used again; its revisions begin anew if it is written once more. Actors and notes of commits stay.
    /// It is gone for all readers when the batch is committed, and from the file with [`crate::Attributes::purge`]. A store in memory
    /// finds it no longer by its id in snapshots that are held.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore, Revision};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let people = attributes.of("person")?;
    /// people.define(DefinitionSpec::string("tier"))?;
    /// people.set("ann@example.org", "tier", "gold")?;
    /// attributes.batch().erase_entity(("person", "ann@example.org")).commit()?;
    /// attributes.purge()?;
    /// assert_eq!(people.revision("ann@example.org")?, Revision::ABSENT);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn erase_entity(self, entity: impl IntoEntityKey) -> Self {
        self.on(entity, EntityRequest::Erase)
    }

    pub(super) fn prune(mut self, versions: Vec<VersionId>) -> Self {
        self.requests.push(Request::Prune(versions));
        self
    }

    /// Takes definitions back to what they were as of a commit; none stands for one that was not there.
    pub(super) fn restore_definitions(
        mut self,
        definitions: Vec<(DefinitionId, Option<Arc<Definition>>)>,
        as_of: CommitId,
    ) -> Self {
        self.requests.push(Request::RestoreDefinitions { definitions, as_of });
        self
    }

    /// Takes a value back to what it was, or to none.
    pub(super) fn restore(self, entity: EntityKey, definition: DefinitionId, value: Option<Value>) -> Self {
        self.on(entity, EntityRequest::Restore(definition, value))
    }

    /// Has it refused as a conflict once definitions have moved, where it would be tried again otherwise.
    pub(super) const fn expect_catalog(mut self, revision: Revision) -> Self {
        self.catalog = Some(revision);
        self
    }

    pub(super) const fn attributes(&self) -> &Home<'a, S> {
        &self.attributes
    }

    pub(super) fn set_id(self, entity: EntityKey, definition: DefinitionId, value: Value) -> Self {
        self.on(entity, EntityRequest::Set(Target::Id(definition), Input::Value(value)))
    }

    pub(super) fn clear_id(self, entity: EntityKey, definition: DefinitionId) -> Self {
        self.on(entity, EntityRequest::Clear(Target::Id(definition)))
    }

    fn on(mut self, entity: impl IntoEntityKey, request: EntityRequest<'a>) -> Self {
        self.requests.push(Request::Entity { entity: given(entity.into_entity_key()), request });
        self
    }

    /// How many changes it has.
    pub const fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Does all of it or nothing. If others change definitions meanwhile, it is checked anew and tried again.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all violations, [`Error::Conflict`] if an expected entity has moved, or a failure of the
    /// storage.
    pub fn commit(self) -> Result<Receipt> {
        self.told(|| self.try_repeatedly(S::commit))
    }

    /// Hands it in and does not wait for it: see [`Submitted`]. Many that are handed in before the first is waited for are done
    /// together, where the store can, and share the wait for the disk. It blocks while too many are waiting.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore, Submitted};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// attributes.of("customer")?.define(DefinitionSpec::integer("credit_limit"))?;
    /// let hand_in = |id: i64| attributes.batch().set(("customer", id), "credit_limit", 500).submit();
    /// let submitted = (0..100).map(hand_in).collect::<Result<Vec<_>, _>>()?;
    /// let receipts = submitted.into_iter().map(Submitted::wait).collect::<Result<Vec<_>, _>>()?;
    /// assert!(receipts.iter().all(|receipt| receipt.commit.is_some()));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`BatchBuilder::commit`] that can be told at once, above all of names and values: the batch was not taken.
    pub fn submit(self) -> Result<Submitted<'a, S>> {
        Submitted::begin(self)
    }

    /// The same, which tells how far it has come in what takes long, by the entities that were looked at or are written. The
    /// caller may end it, and nothing is changed then. Readers go on meanwhile, other writers wait.
    ///
    /// # Errors
    /// Those of [`BatchBuilder::commit`]; [`Error::Stopped`] if the caller ended it.
    pub fn commit_with(self, mut progress: impl FnMut(Progress) -> ControlFlow<()>) -> Result<Receipt> {
        self.told(|| self.try_repeatedly(|store, batch| store.commit_with(batch, &mut progress)))
    }

    /// The deleted definitions of the instant of this catalog.
    fn gone(&self, catalog: &Catalog) -> Result<Vec<Arc<Definition>>> {
        let snapshot = self.attributes.store.snapshot()?;
        let (expected, found) = (catalog.revision(), snapshot.catalog()?.revision());
        if found == expected {
            gone_definitions(&*snapshot)
        } else {
            Err(Error::Conflict(vec![Moved { entity: None, expected, found }]))
        }
    }

    fn told(&self, commit: impl FnOnce() -> Result<Receipt>) -> Result<Receipt> {
        Doing::new("commit").sized(self.len()).tell(commit, Receipt::changed)
    }

    fn try_repeatedly(&self, mut commit: impl FnMut(&S, &Batch) -> Result<Receipt>) -> Result<Receipt> {
        for _ in 1..ATTEMPTS {
            match self.try_once(&mut commit) {
                Err(error) if self.is_tried_again(&error) => {}
                done => return done,
            }
        }
        self.try_once(&mut commit)
    }

    /// Whether only definitions have moved under it, so that it may be bound to what they are now.
    pub(super) fn is_tried_again(&self, error: &Error) -> bool {
        let Error::Conflict(moved) = error else { return false };
        self.catalog.is_none() && moved.iter().all(|moved| moved.entity.is_none())
    }

    /// What [`BatchBuilder::commit`] would answer now. Nothing is written.
    ///
    /// # Errors
    /// Those of `commit`.
    pub fn check(&self) -> Result<Receipt> {
        let snapshot = self.attributes.store.snapshot()?;
        let bound = self.bind(&snapshot.catalog()?)?;
        let planned = plan(&*snapshot, &bound.batch);
        bound.binding.answer(planned.map(|plan| plan.receipt), self.alone)
    }

    fn try_once(&self, commit: &mut impl FnMut(&S, &Batch) -> Result<Receipt>) -> Result<Receipt> {
        let (batch, binding) = self.bind_to_commit()?;
        self.answer(binding, commit(&self.attributes.store, &batch))
    }

    /// The batch for the store, and what its answer is to be read with.
    ///
    /// # Errors
    /// What is wrong with it, where names or values are.
    pub(super) fn bind_to_commit(&self) -> Result<(Batch, Binding)> {
        let catalog = self.attributes.store.catalog()?;
        let BoundBatch { batch, binding } = self.bind(&catalog)?;
        if binding.violations.is_empty() {
            return Ok((batch, binding));
        }
        // The batch is refused; what the store would have said of the rest belongs to the answer.
        let planned = plan(&*self.attributes.store.snapshot()?, &batch);
        let refused = binding.answer(planned.map(|plan| plan.receipt), self.alone);
        Err(refused.err().unwrap_or_else(|| Error::corrupt("a batch was refused without a reason")))
    }

    /// What the store answered, to those who follow its changes as well.
    pub(super) fn answer(&self, binding: Binding, answer: Result<Receipt>) -> Result<Receipt> {
        if let Ok(Receipt { commit: Some(commit), .. }) = answer {
            self.attributes.watch.announce(commit);
        }
        binding.answer(answer, self.alone)
    }

    pub(super) fn bind(&self, catalog: &Arc<Catalog>) -> Result<BoundBatch> {
        let attributes = &*self.attributes;
        if let Some(expected) = self.catalog.filter(|expected| *expected != catalog.revision()) {
            return Err(Error::Conflict(vec![Moved { entity: None, expected, found: catalog.revision() }]));
        }
        let mut batch = Batch::new(catalog, attributes.clock.now());
        batch = batch.by(self.actor.clone()).with_note(self.note.clone());
        batch = batch.keeping_history(attributes.limits.retention != Retention::Off);
        if self.numbers_by_value {
            batch = batch.numbers_by_value();
        }
        let mut binder = Binder::new(&attributes.limits, Arc::clone(catalog), batch, self.requests.len());
        if self.requests.iter().any(Request::erases_by_name) {
            binder = binder.with_gone(self.gone(catalog)?);
        }
        for text in [&self.actor, &self.note].into_iter().flatten() {
            let most = attributes.limits.commit_chars;
            if longer_than(text, most) || text.contains('\0') {
                let limit = format!("at most {most} {} and no NUL", plural(most, "character"));
                binder.refuse(None, None, Violation::new(Rule::Commit, limit, text.escape_debug()));
            }
        }
        for (entity, revision) in &self.expected {
            match entity {
                Ok(entity) => binder.batch.expect_revision(entity.clone(), *revision),
                Err(error) => binder.refuse_all(None, None, error),
            }
        }
        for (place, request) in self.requests.iter().enumerate() {
            binder.bind(place, request)?;
        }
        Ok(binder.finish())
    }
}

impl<S> fmt::Debug for BatchBuilder<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchBuilder").field("changes", &self.requests.len()).field("actor", &self.actor).finish_non_exhaustive()
    }
}
