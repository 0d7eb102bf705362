//! What a plan would have stored: plain data for a backend to write down.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::error::{Error, Result};
use crate::model::{Catalog, CommitId, Definition, DefinitionId, Diff, EntityKey, EntityRecord, Held, Ordinal, Retention};
use crate::store::scan::scan_from;
use crate::store::sweep::{Sweep, concern};
use crate::store::told::Told;
use crate::store::working::{Telling, entity_types};
use crate::store::{OnProgress, Snapshot, VersionId};

/// One atomic batch, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Its instant, in microseconds.
    ///
    /// It is the instant of the batch ([`Clock`](crate::Clock)), or the instant of the commit before it, whichever is later: the
    /// instants of a store do not go backwards, whatever the clocks of its hosts do. A copy and an import keep the instants of
    /// their source, and a store that an older release wrote keeps its own; those may go backwards.
    pub at: Instant,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Arc<str>>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Arc<str>>,
}

/// A value that was replaced or cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The value as it stood.
    pub held: Held,
    /// The commit that replaced or cleared it.
    pub ended: CommitId,
}

/// A definition that was changed or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastDefinition {
    /// The definition as it stood.
    pub definition: Arc<Definition>,
    /// The commit that changed or deleted it.
    pub ended: CommitId,
}

/// All that one commit changes. A backend writes it down whole or not at all.
#[derive(Debug)]
#[non_exhaustive]
pub struct Changes<'a> {
    /// The commit, whose id is the one after the last.
    pub commit: Commit,
    /// The definitions, if any of them is touched.
    pub catalog: Option<CatalogChange>,
    /// What is taken out when all else is written: it is complete when [`Changes::each_record`] has come to its end.
    pub removals: Vec<Removal>,
    /// The definitions of which history has gaps from now on, each with the commit from which on it has none: these replace what
    /// was known, where they are later.
    pub horizons: BTreeMap<DefinitionId, CommitId>,
    /// The records that the batch names.
    pub(super) records: Vec<RecordChange>,
    /// What is done to all others, and which these are not.
    pub(super) sweeps: Vec<Sweep>,
    pub(super) swept_over: RoaringBitmap,
    pub(super) keeping: Option<Arc<Keeping>>,
    /// Those of a copy, in the place of all others.
    pub(super) told: Option<Told<'a>>,
}

/// Which entities a commit touched: what is stored with it for [`Snapshot::touched`].
///
/// Those of a copy may be there no longer: no record of them is handed over, and yet the greatest of these ordinals is the last
/// that was given out, if none before was greater.
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use = "they are stored with the commit"]
pub struct Touched(pub(crate) RoaringBitmap);

impl Touched {
    /// Their ordinals, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Ordinal> + '_ {
        self.0.iter().map(Ordinal::new)
    }

    /// Those after this one, ascending.
    pub(crate) fn after(&self, after: Ordinal) -> impl Iterator<Item = Ordinal> + '_ {
        let first = after.get().checked_add(1);
        first.into_iter().flat_map(|first| self.0.range(first..)).map(Ordinal::new)
    }

    /// How many entities.
    pub fn len(&self) -> usize {
        usize::try_from(self.0.len()).unwrap_or(usize::MAX)
    }

    /// Whether no entity was touched.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The greatest of them.
    pub fn last(&self) -> Option<Ordinal> {
        self.0.max().map(Ordinal::new)
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn into_bitmap(self) -> RoaringBitmap {
        self.0
    }
}

impl FromIterator<Ordinal> for Touched {
    fn from_iter<I: IntoIterator<Item = Ordinal>>(ordinals: I) -> Self {
        Self(ordinals.into_iter().map(Ordinal::get).collect())
    }
}

impl Changes<'_> {
    /// Hands over every record that changes, once, and answers which entities the commit touched. Where a changed definition
    /// concerns many entities, they are read page by page from `before`, a snapshot of the very transaction, and nothing is held in
    /// memory but the page: what was visited may be stored at once.
    ///
    /// It can fail at any record, because a copy or an import finds out only here that its source is damaged. Then nothing of the
    /// commit may stay: a backend without transactions collects the records, and changes nothing before this returned `Ok`. A
    /// damaged source can also give a second ordinal to an entity: a backend refuses a new record whose key it has already, with
    /// [`RecordChange::is_held_already`].
    ///
    /// # Errors
    /// A failure of the storage, or of `visit`.
    pub fn each_record(&mut self, before: &dyn Snapshot, mut visit: impl FnMut(RecordChange) -> Result<()>) -> Result<Touched> {
        self.each_record_with(before, &mut |_| ControlFlow::Continue(()), &mut visit)
    }

    /// The same, which tells how far it has come where many entities are concerned.
    ///
    /// # Errors
    /// Those of [`Changes::each_record`]; [`crate::Error::Stopped`].
    pub fn each_record_with(
        &mut self,
        before: &dyn Snapshot,
        progress: &mut OnProgress<'_>,
        visit: &mut dyn FnMut(RecordChange) -> Result<()>,
    ) -> Result<Touched> {
        let mut touched = RoaringBitmap::new();
        let visit = &mut |change: RecordChange| {
            touched.insert(change.after.ordinal().get());
            visit(change)
        };
        if let Some(told) = &mut self.told {
            let gone = told.each(before, progress, visit, &mut self.removals)?;
            return Ok(Touched(touched | gone));
        }
        let named = std::mem::take(&mut self.records);
        let mut telling = Telling::over(&self.sweeps, before)?.second(named.len() as u64);
        for entity_type in entity_types(&self.sweeps) {
            let mut result = Ok(());
            scan_from(before, Some(entity_type), None, |record| {
                result = self.swept(record).map_or(Ok(()), &mut *visit).and_then(|()| telling.step(progress));
                if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            result?;
        }
        // They come last: what is stored of them is not to be met by those who read the others.
        named.into_iter().try_for_each(|change| visit(change).and_then(|()| telling.step(progress)))?;
        Ok(Touched(touched))
    }

    /// Whether its records are known only when they are handed over.
    pub(crate) const fn is_told(&self) -> bool {
        self.told.is_some()
    }

    /// The records that the batch names, of those that change.
    pub(crate) fn named(&self) -> &[RecordChange] {
        &self.records
    }

    /// What becomes of a record that the batch does not name, if anything does.
    pub(crate) fn swept(&self, record: &Arc<EntityRecord>) -> Option<RecordChange> {
        if !concern(&self.sweeps, record) || self.swept_over.contains(record.ordinal().get()) {
            return None;
        }
        let mut after = EntityRecord::clone(record);
        self.sweeps.iter().for_each(|sweep| _ = sweep.apply(&mut after, self.commit.id));
        let diff = after.settle(Some(record));
        if diff.is_empty() {
            return None;
        }
        let kept = Kept::of(self.keeping.clone());
        Some(RecordChange { before: Some(Arc::clone(record)), after: Arc::new(after), diff, kept })
    }
}

/// What is taken out of a store for good, values and past alike.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Removal {
    /// An entity with its key, its record, which is empty by then, and its history. Its ordinal is not given out again.
    Entity {
        /// Its ordinal.
        ordinal: Ordinal,
        /// Its key.
        entity: EntityKey,
    },
    /// All that history has of a value.
    Value {
        /// The entity.
        ordinal: Ordinal,
        /// Whose value.
        definition: DefinitionId,
    },
    /// A version, if it is in history.
    Version(VersionId),
}

/// Of which definitions history is kept.
#[derive(Debug)]
pub(super) struct Keeping {
    before: Arc<Catalog>,
    after: Arc<Catalog>,
    by_default: bool,
}

impl Keeping {
    /// None where it is kept of all.
    pub(super) fn of(before: &Arc<Catalog>, after: &Arc<Catalog>, by_default: bool) -> Option<Self> {
        let keeps_all = by_default && before.unkept().is_empty() && after.unkept().is_empty();
        (!keeps_all).then(|| Self { before: Arc::clone(before), after: Arc::clone(after), by_default })
    }

    pub(super) fn keeps(&self, id: DefinitionId) -> bool {
        let definition = self.after.get(id).or_else(|| self.before.get(id));
        let own = definition.and_then(|definition| definition.spec().retention);
        own.map_or(self.by_default, |retention| retention != Retention::Off)
    }
}

/// What of a record goes to history.
#[derive(Debug)]
pub(super) enum Kept {
    All,
    As(Arc<Keeping>),
    /// What a copied commit left there.
    These(Vec<DefinitionId>),
}

impl Kept {
    pub(super) fn of(keeping: Option<Arc<Keeping>>) -> Self {
        keeping.map_or(Self::All, Self::As)
    }

    fn keeps(&self, id: DefinitionId) -> bool {
        match self {
            Self::All => true,
            Self::As(keeping) => keeping.keeps(id),
            Self::These(ids) => ids.contains(&id),
        }
    }
}

/// What changes in the catalog.
#[derive(Debug)]
#[non_exhaustive]
pub struct CatalogChange {
    /// As it was.
    pub before: Arc<Catalog>,
    /// As it will be. Its definitions carry their new stamps.
    pub after: Arc<Catalog>,
    /// The definitions that are added, changed or deleted. Those that `before` has go to history.
    pub touched: Vec<DefinitionId>,
}

/// What changes in one record.
#[derive(Debug)]
#[non_exhaustive]
pub struct RecordChange {
    /// As it was; none if the entity was never written.
    pub before: Option<Arc<EntityRecord>>,
    /// As it will be.
    pub after: Arc<EntityRecord>,
    /// The difference.
    pub diff: Diff,
    pub(super) kept: Kept,
}

impl RecordChange {
    /// Returns the error for a new record whose key has another ordinal already. Only a damaged source of a copy or an import
    /// brings it about.
    pub fn is_held_already(&self) -> Error {
        let Self { after, .. } = self;
        Error::NotACopy { reason: format!("{} comes as ordinal {}, and has another already", after.key(), after.ordinal()) }
    }

    /// What goes to history: the values that are replaced or cleared, as they stood, but for those of which none is kept.
    pub fn past(&self) -> impl Iterator<Item = &Held> {
        self.ended().filter(|held| self.kept.keeps(held.definition))
    }

    /// The values that are replaced or cleared, as they stood.
    pub fn ended(&self) -> impl Iterator<Item = &Held> {
        let before = self.before.as_deref();
        self.diff.ended.iter().filter_map(move |definition| before?.get(*definition))
    }

    /// The values that are new or different.
    pub fn begun(&self) -> impl Iterator<Item = &Held> {
        self.diff.begun.iter().filter_map(|definition| self.after.get(*definition))
    }
}
