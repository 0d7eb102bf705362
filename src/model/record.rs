//! All that one entity holds, and the one function that changes it.

use std::fmt;

use crate::model::{Bound, CommitId, DefinitionId, EntityKey, Ordinal, Revision, Value, ValueId};

/// A value as an entity holds it.
///
/// `Debug` shows the type of the value and not the value, which may be sensitive.
#[derive(Clone, PartialEq, Eq)]
pub struct Held {
    /// Its definition.
    pub definition: DefinitionId,
    /// The value.
    pub value: Value,
    /// The commit that first set it.
    pub created: CommitId,
    /// The commit that last changed it.
    pub modified: CommitId,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { definition, value, created, modified } = self;
        let mut fields = f.debug_struct("Held");
        fields.field("definition", definition).field("value", &value.hidden());
        fields.field("created", created).field("modified", modified).finish()
    }
}

/// All that one entity holds: its ordinal, its revision, and its values sorted by definition.
///
/// Every backend loads it, applies edits to it, and stores it; so the rules of writing are here and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityRecord {
    key: EntityKey,
    ordinal: Ordinal,
    revision: Revision,
    values: Vec<Held>,
}

/// One edit of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Sets a value, whether there was one or not.
    Set(Bound),
    /// Takes the value away, if there is one.
    Clear(DefinitionId),
}

/// What one edit did. Serialises in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// There was nothing, and now there is.
    Created,
    /// There was something else.
    Updated,
    /// It was so already: nothing moved.
    Unchanged,
    /// There was something, and now there is nothing.
    Cleared,
}

/// What a commit changed in one record, seen from its ends: what came and went within it never was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Diff {
    /// Whose values were replaced or cleared: what stood in the record before goes to history.
    pub ended: Vec<DefinitionId>,
    /// Whose values are new or different now.
    pub begun: Vec<DefinitionId>,
}

impl Diff {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.ended.is_empty() && self.begun.is_empty()
    }
}

impl EntityRecord {
    /// The record of an entity that was never written: revision 0, no values.
    pub const fn new(key: EntityKey, ordinal: Ordinal) -> Self {
        Self { key, ordinal, revision: Revision::ABSENT, values: Vec::new() }
    }

    /// A record as a backend has stored it.
    ///
    /// # Errors
    /// Values that are not sorted by definition, each once.
    ///
    /// ```
    /// use custom_attributes::{CommitId, DefinitionId, EntityKey, EntityRecord, Held, Ordinal, Revision};
    /// let commit = CommitId::new(1);
    /// let held = |id| Held { definition: DefinitionId::new(id), value: "x".into(), created: commit, modified: commit };
    /// let load = |values| EntityRecord::load(EntityKey::new("customer", 123)?, Ordinal::new(1), Revision::new(1), values);
    /// assert!(load(vec![held(1), held(2)]).is_ok());
    /// assert!(load(vec![held(2), held(1)]).is_err());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn load(key: EntityKey, ordinal: Ordinal, revision: Revision, values: Vec<Held>) -> crate::Result<Self> {
        if values.windows(2).any(|pair| pair[0].definition >= pair[1].definition) {
            return Err(crate::Error::corrupt(format!("the values of {key} are out of order")));
        }
        Ok(Self { key, ordinal, revision, values })
    }

    /// The entity.
    pub const fn key(&self) -> &EntityKey {
        &self.key
    }

    /// Its number in the store.
    pub const fn ordinal(&self) -> Ordinal {
        self.ordinal
    }

    /// Its revision.
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// Its values, sorted by definition.
    pub fn values(&self) -> &[Held] {
        &self.values
    }

    /// The definitions for which this record or the other holds a value, each once, in order.
    pub(crate) fn definitions_with(&self, other: &Self) -> Vec<DefinitionId> {
        let mut ids: Vec<_> = self.values.iter().chain(&other.values).map(|held| held.definition).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The value that it holds for this definition, with its commits.
    ///
    /// ```
    /// # use custom_attributes::{CommitId, Definition, DefinitionId, DefinitionSpec, Edit, EntityKey, EntityRecord, EntityType, Limits, Ordinal, Outcome, Revision};
    /// # let (spec, limits) = (DefinitionSpec::integer("seats"), Limits::typed());
    /// # let seats = Definition::new(DefinitionId::new(7), EntityType::new("customer")?, spec, &limits)?;
    /// let mut record = EntityRecord::new(EntityKey::new("customer", 123)?, Ordinal::new(1));
    /// record.apply([Edit::Set(seats.bind(5.into(), &limits)?)], CommitId::new(1));
    /// assert_eq!(record.get(seats.id()).map(|held| &held.value), Some(&5.into()));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn get(&self, definition: DefinitionId) -> Option<&Held> {
        self.position(definition).ok().map(|index| &self.values[index])
    }

    /// The value that it holds for this definition.
    ///
    /// ```
    /// # use custom_attributes::{CommitId, Definition, DefinitionId, DefinitionSpec, Edit, EntityKey, EntityRecord, EntityType, Limits, Ordinal, Outcome, Revision};
    /// # let (spec, limits) = (DefinitionSpec::integer("seats"), Limits::typed());
    /// # let seats = Definition::new(DefinitionId::new(7), EntityType::new("customer")?, spec, &limits)?;
    /// let mut record = EntityRecord::new(EntityKey::new("customer", 123)?, Ordinal::new(1));
    /// assert_eq!(record.value(seats.id()), None);
    /// record.apply([Edit::Set(seats.bind(5.into(), &limits)?)], CommitId::new(1));
    /// assert_eq!(record.value(seats.id()), Some(&5.into()));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn value(&self, definition: DefinitionId) -> Option<&Value> {
        self.get(definition).map(|held| &held.value)
    }

    /// The id of its value for this definition, whether or not it holds one.
    ///
    /// ```
    /// # use custom_attributes::{CommitId, Definition, DefinitionId, DefinitionSpec, Edit, EntityKey, EntityRecord, EntityType, Limits, Ordinal, Outcome, Revision};
    /// # let (spec, limits) = (DefinitionSpec::integer("seats"), Limits::typed());
    /// # let seats = Definition::new(DefinitionId::new(7), EntityType::new("customer")?, spec, &limits)?;
    /// let mut record = EntityRecord::new(EntityKey::new("customer", 123)?, Ordinal::new(1));
    /// assert_eq!(record.value_id(seats.id()).get(), (1 << 20) + 7);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn value_id(&self, definition: DefinitionId) -> ValueId {
        ValueId::of(self.ordinal, definition)
    }

    /// Gives a new entity its ordinal.
    pub(crate) const fn number(&mut self, ordinal: Ordinal) {
        self.ordinal = ordinal;
    }

    /// Whether it holds nothing: such an entity is not found, listed or counted.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Applies edits in order, as this commit, and says what each did.
    ///
    /// ```
    /// # use custom_attributes::{CommitId, Definition, DefinitionId, DefinitionSpec, Edit, EntityKey, EntityRecord, EntityType, Limits, Ordinal, Outcome, Revision};
    /// # let (spec, limits) = (DefinitionSpec::integer("seats"), Limits::typed());
    /// # let seats = Definition::new(DefinitionId::new(7), EntityType::new("customer")?, spec, &limits)?;
    /// let mut record = EntityRecord::new(EntityKey::new("customer", 123)?, Ordinal::new(1));
    /// let set = Edit::Set(seats.bind(5.into(), &limits)?);
    /// let did = record.apply([set.clone(), set, Edit::Clear(seats.id())], CommitId::new(1));
    /// assert_eq!(did, [Outcome::Created, Outcome::Unchanged, Outcome::Cleared]);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn apply(&mut self, edits: impl IntoIterator<Item = Edit>, commit: CommitId) -> Vec<Outcome> {
        let edits = edits.into_iter();
        self.values.reserve(edits.size_hint().0.saturating_sub(self.values.len()));
        edits.map(|edit| self.apply_one(edit, commit)).collect()
    }

    pub(crate) fn apply_one(&mut self, edit: Edit, commit: CommitId) -> Outcome {
        match edit {
            Edit::Set(bound) => match self.position(bound.definition()) {
                Ok(index) if self.values[index].value == *bound.value() => Outcome::Unchanged,
                Ok(index) => {
                    let held = &mut self.values[index];
                    (held.value, held.modified) = (bound.into_value(), commit);
                    Outcome::Updated
                }
                Err(index) => {
                    let definition = bound.definition();
                    let held = Held { definition, value: bound.into_value(), created: commit, modified: commit };
                    self.values.insert(index, held);
                    Outcome::Created
                }
            },
            Edit::Clear(definition) => match self.position(definition) {
                Ok(index) => {
                    self.values.remove(index);
                    Outcome::Cleared
                }
                Err(_) => Outcome::Unchanged,
            },
        }
    }

    /// Ends a commit: what differs from `before` is the diff; where anything does, the revision moves by one.
    ///
    /// A value that changed within the commit and came back to what it was keeps the commits it had.
    ///
    /// ```
    /// # use custom_attributes::{CommitId, Definition, DefinitionId, DefinitionSpec, Edit, EntityKey, EntityRecord, EntityType, Limits, Ordinal, Outcome, Revision};
    /// # let (spec, limits) = (DefinitionSpec::integer("seats"), Limits::typed());
    /// # let seats = Definition::new(DefinitionId::new(7), EntityType::new("customer")?, spec, &limits)?;
    /// let mut record = EntityRecord::new(EntityKey::new("customer", 123)?, Ordinal::new(1));
    /// record.apply([Edit::Set(seats.bind(5.into(), &limits)?)], CommitId::new(1));
    /// let diff = record.settle(None);
    /// assert_eq!((diff.begun, diff.ended), (vec![seats.id()], vec![]));
    /// assert_eq!(record.revision(), Revision::new(1));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn settle(&mut self, before: Option<&Self>) -> Diff {
        let old = before.map_or(&[][..], Self::values);
        let mut diff = Diff { ended: Vec::new(), begun: Vec::with_capacity(self.values.len()) };
        for held in &mut self.values {
            match old.binary_search_by_key(&held.definition, |was| was.definition).map(|index| &old[index]) {
                Ok(was) if was == held => {}
                Ok(was) if was.value == held.value && was.created == held.created => *held = was.clone(),
                Ok(was) => {
                    diff.ended.push(was.definition);
                    diff.begun.push(held.definition);
                }
                Err(_) => diff.begun.push(held.definition),
            }
        }
        diff.ended.extend(old.iter().map(|was| was.definition).filter(|definition| self.get(*definition).is_none()));
        if !diff.is_empty() {
            self.revision = self.revision.next();
        }
        diff
    }

    fn position(&self, definition: DefinitionId) -> Result<usize, usize> {
        self.values.binary_search_by_key(&definition, |held| held.definition)
    }
}
