//! What goes in: resolved names, checked values, and what they were checked against.

use std::sync::Arc;

use crate::clock::{Instant, to_micros};
use crate::model::{Bound, Catalog, CommitId, Definition, DefinitionId, EntityKey, Exactness, Ordinal, Revision};

/// One change of a batch. Its values are [`Bound`]: a definition has checked them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Adds a definition. Its id is the next one of the catalog that the batch was bound against.
    Define(Box<Definition>),
    /// Puts a definition in the place of the one with its id: another name, other rules or documentation, another type. Values
    /// that are held are converted to it: see [`Batch::numbers_by_value`].
    Redefine {
        /// The definition.
        definition: Box<Definition>,
        /// What becomes of values that cannot be converted, or that new rules refuse.
        offending: Offending,
    },
    /// Takes definitions back to what they were, all at once, so that names can change hands among them. No entity may hold a
    /// value of a definition that goes.
    RestoreDefinitions {
        /// Each id, with the definition as it stood; none if it was not there.
        definitions: Vec<(DefinitionId, Option<Arc<Definition>>)>,
        /// The commit as of which they stood so. Values that were set no later are not held against the rules.
        as_of: CommitId,
    },
    /// Deletes a definition.
    Undefine {
        /// Which.
        definition: DefinitionId,
        /// Whether values and dependents are no hindrance: what it holds is cleared with it.
        with_values: bool,
    },
    /// Moves what all entities hold for one attribute to another of the same type, and deletes the first. Values are converted to
    /// the type of the other; where an entity holds another value there already, and where that one does not admit it, the value
    /// offends.
    Merge {
        /// Whose values.
        from: DefinitionId,
        /// Where to.
        into: DefinitionId,
        /// What becomes of values that cannot be moved.
        offending: Offending,
    },
    /// Moves those values of an attribute to another of the same type that it admits, where an entity holds none there yet. The
    /// others stay.
    Split {
        /// Whose values.
        from: DefinitionId,
        /// Where to.
        into: DefinitionId,
    },
    /// Sets a value, whether there was one or not.
    Set {
        /// The entity.
        entity: EntityKey,
        /// The value.
        value: Bound,
    },
    /// Takes a value away, if there is one.
    Clear {
        /// The entity.
        entity: EntityKey,
        /// Whose value.
        definition: DefinitionId,
    },
    /// Moves a value to another attribute of the same entity, which holds none.
    Move {
        /// The entity.
        entity: EntityKey,
        /// Whose value.
        from: DefinitionId,
        /// Where to.
        to: DefinitionId,
    },
    /// Makes these the values that the entity holds, and no others; required ones must be among them.
    Save {
        /// The entity.
        entity: EntityKey,
        /// All its values, each definition once.
        values: Vec<Bound>,
    },
    /// Takes a value back to what it was, whatever the rules of today ask of it.
    RestoreValue {
        /// The entity.
        entity: EntityKey,
        /// The value, in the type that its definition has now.
        value: Bound,
    },
    /// Takes a value away where there was none, whatever the rules of today ask of it.
    RestoreAbsence {
        /// The entity.
        entity: EntityKey,
        /// Whose value. The definition may be gone already.
        definition: DefinitionId,
    },
    /// Takes all values of the entity away, required ones as well.
    Remove {
        /// The entity.
        entity: EntityKey,
    },
    /// Takes all values away that the entity holds and ever held for these definitions, as if they had never been, and follows
    /// them to where they were merged, split or moved to and from: see [`crate::BatchBuilder::erase`].
    EraseValue {
        /// The entity.
        entity: EntityKey,
        /// The definition that has the name now, if there is one, and then all deleted ones that had it last.
        definitions: Vec<DefinitionId>,
    },
    /// Takes the entity away with its key, all its values and all that history has of them, as if it had never been. Its ordinal
    /// is not given out again.
    EraseEntity {
        /// The entity.
        entity: EntityKey,
    },
    /// Takes versions out of history, whose definitions are known from their ends on only.
    Prune(Vec<VersionId>),
}

impl Change {
    /// The entity of which it replaces what is held for this definition, whatever that is.
    pub(crate) fn overwrites(&self, id: DefinitionId) -> Option<&EntityKey> {
        match self {
            Self::Set { entity, value } | Self::RestoreValue { entity, value } if value.definition() == id => Some(entity),
            Self::Clear { entity, definition } | Self::RestoreAbsence { entity, definition } if *definition == id => Some(entity),
            Self::EraseValue { entity, definitions } if definitions.contains(&id) => Some(entity),
            Self::Save { entity, .. } | Self::Remove { entity } | Self::EraseEntity { entity } => Some(entity),
            _ => None,
        }
    }
}

/// A version of a value in history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionId {
    /// The entity.
    pub ordinal: Ordinal,
    /// The commit that ended it.
    pub ended: CommitId,
    /// Whose value.
    pub definition: DefinitionId,
}

impl Change {
    /// The entity that is changed, if it is one.
    pub const fn entity(&self) -> Option<&EntityKey> {
        match self {
            Self::Define(_)
            | Self::Redefine { .. }
            | Self::RestoreDefinitions { .. }
            | Self::Undefine { .. }
            | Self::Merge { .. }
            | Self::Split { .. }
            | Self::Prune(_) => None,
            Self::Set { entity, .. }
            | Self::Clear { entity, .. }
            | Self::Move { entity, .. }
            | Self::Save { entity, .. }
            | Self::RestoreValue { entity, .. }
            | Self::RestoreAbsence { entity, .. }
            | Self::Remove { entity }
            | Self::EraseValue { entity, .. }
            | Self::EraseEntity { entity } => Some(entity),
        }
    }
}

/// What becomes of held values that a changed definition does not admit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Offending {
    /// The change is refused, and each of them is reported.
    #[default]
    Refuse,
    /// They are cleared in the same commit. They stay in history, if that is kept.
    Clear,
    /// The same for those that stood when this commit was done. Those that were set later, which nobody has looked at, are
    /// reported, and the change is refused.
    ClearUntil(CommitId),
}

impl Offending {
    /// Whether a value that offends is cleared, by the commit that set it.
    pub(crate) fn clears(self, set: CommitId) -> bool {
        match self {
            Self::Refuse => false,
            Self::Clear => true,
            Self::ClearUntil(seen) => set <= seen,
        }
    }
}

/// An atomic batch of changes, with what it was checked against: the revision of the catalog, and of entities.
#[derive(Debug, Clone)]
pub struct Batch {
    at: Instant,
    actor: Option<Arc<str>>,
    note: Option<Arc<str>>,
    catalog: Revision,
    expected: Vec<(EntityKey, Revision)>,
    changes: Vec<Change>,
    keeps_history: bool,
    exactness: Exactness,
}

impl Batch {
    /// An empty batch, bound against this catalog, to be committed with this instant (cut to the microsecond).
    pub fn new(catalog: &Catalog, at: Instant) -> Self {
        let at = to_micros(at);
        Self {
            at,
            actor: None,
            note: None,
            catalog: catalog.revision(),
            expected: Vec::new(),
            changes: Vec::new(),
            keeps_history: true,
            exactness: Exactness::SameText,
        }
    }

    /// Names who does it.
    #[must_use]
    pub fn by(mut self, actor: Option<Arc<str>>) -> Self {
        self.actor = actor;
        self
    }

    /// Says why.
    #[must_use]
    pub fn with_note(mut self, note: Option<Arc<str>>) -> Self {
        self.note = note;
        self
    }

    /// Whether what it replaces or clears goes to history, where a definition does not say otherwise.
    #[must_use]
    pub const fn keeping_history(mut self, keeps: bool) -> Self {
        self.keeps_history = keeps;
        self
    }

    /// Converts held values to a number type if the number stays the same, whether or not its text does.
    ///
    /// Without it a value is converted only if its text stays the same. It applies to every [`Change::Redefine`],
    /// [`Change::Merge`] and [`Change::Split`] of the batch.
    #[must_use]
    pub const fn numbers_by_value(mut self) -> Self {
        self.exactness = Exactness::SameNumber;
        self
    }

    /// Has the batch refused as a conflict unless the entity is at this revision.
    pub fn expect_revision(&mut self, entity: EntityKey, revision: Revision) {
        self.expected.push((entity, revision));
    }

    /// Makes room for this many changes.
    pub(crate) fn reserve(&mut self, changes: usize) {
        self.changes.reserve(changes);
    }

    /// Adds a change.
    pub fn push(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// The instant of the commit.
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// Who does it.
    pub const fn actor(&self) -> Option<&Arc<str>> {
        self.actor.as_ref()
    }

    /// Why.
    pub const fn note(&self) -> Option<&Arc<str>> {
        self.note.as_ref()
    }

    /// The revision of the catalog that it was bound against.
    pub const fn catalog(&self) -> Revision {
        self.catalog
    }

    /// Whether what it replaces or clears goes to history, where a definition does not say otherwise.
    pub const fn keeps_history(&self) -> bool {
        self.keeps_history
    }

    pub(crate) const fn exactness(&self) -> Exactness {
        self.exactness
    }

    /// The revisions that entities must be at.
    pub fn expected(&self) -> &[(EntityKey, Revision)] {
        &self.expected
    }

    /// The changes, in order.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }
}
