//! All definitions that a store ever had.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::Result;
use crate::history::{DefinitionChange, Horizons};
use crate::model::{Catalog, CommitId, Definition, DefinitionId, Revision};
use crate::store::{Commit, PastDefinition, Snapshot};

/// Definitions in all their versions.
///
/// Only past versions are collected; those that stand are looked up in the catalog. So it costs by what is in history, and not by
/// how many definitions there are.
pub(crate) struct Definitions {
    catalog: Arc<Catalog>,
    past: BTreeMap<DefinitionId, Vec<PastDefinition>>,
}

/// A version, and the commit that ended it; the one that began it is in its stamps.
type Stood<'a> = (&'a Arc<Definition>, Option<CommitId>);

fn is_of((definition, ended): &Stood<'_>, commit: CommitId) -> bool {
    definition.modified().commit <= commit && ended.is_none_or(|ended| commit < ended)
}

impl Definitions {
    pub(crate) fn load(snapshot: &dyn Snapshot) -> Result<Self> {
        Self::of(snapshot, snapshot.past_definitions(None)?)
    }

    pub(crate) fn load_these(snapshot: &dyn Snapshot, ids: impl IntoIterator<Item = DefinitionId>) -> Result<Self> {
        let ids: Vec<DefinitionId> = ids.into_iter().collect();
        Self::of(snapshot, if ids.is_empty() { Vec::new() } else { snapshot.past_definitions(Some(&ids))? })
    }

    fn of(snapshot: &dyn Snapshot, all: Vec<PastDefinition>) -> Result<Self> {
        let mut past: BTreeMap<DefinitionId, Vec<PastDefinition>> = BTreeMap::new();
        for version in all {
            past.entry(version.definition.id()).or_default().push(version);
        }
        Ok(Self { catalog: snapshot.catalog()?, past })
    }

    /// The versions of one definition, in their order.
    fn of_one(&self, id: DefinitionId) -> impl DoubleEndedIterator<Item = Stood<'_>> + Clone {
        let past = self.past.get(&id).into_iter().flatten().map(|past| (&past.definition, Some(past.ended)));
        past.chain(self.catalog.get(id).map(|definition| (definition, None)))
    }

    /// The definitions that ever were, by id.
    fn ids(&self) -> BTreeSet<DefinitionId> {
        self.past.keys().copied().chain(self.catalog.iter().map(|definition| definition.id())).collect()
    }

    /// The versions of each, by id, and of each in their order, with the commit that ended it.
    pub(crate) fn versions(&self) -> impl Iterator<Item = impl Iterator<Item = Stood<'_>>> {
        self.ids().into_iter().map(|id| self.of_one(id))
    }

    /// A definition as it was when this commit was done.
    pub(crate) fn at(&self, id: DefinitionId, commit: CommitId) -> Option<&Arc<Definition>> {
        self.of_one(id).find(|stood| is_of(stood, commit)).map(|(definition, _)| definition)
    }

    /// Its last version, whether it is still there or not.
    pub(crate) fn last(&self, id: DefinitionId) -> Option<&Arc<Definition>> {
        self.of_one(id).next_back().map(|(definition, _)| definition)
    }

    /// The last version of each.
    pub(crate) fn lasts(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.ids().into_iter().filter_map(|id| self.last(id))
    }

    /// All definitions as they were when this commit was done, but for those of whose values nothing is known then.
    pub(crate) fn catalog(&self, commit: CommitId, horizons: &Horizons) -> Result<Catalog> {
        let all = self.versions().flatten();
        let moved = all.flat_map(|(definition, ended)| [Some(definition.modified().commit), ended]).flatten();
        let moved: BTreeSet<CommitId> = moved.filter(|moved| *moved <= commit).collect();
        let ids = self.ids();
        let was_made = |id: DefinitionId| self.of_one(id).next().is_some_and(|(first, _)| first.created().commit <= commit);
        let last = ids.iter().copied().filter(|id| was_made(*id)).max();
        let there = ids.iter().filter_map(|id| self.at(*id, commit));
        let forgotten = |definition: &Definition| horizons.get(&definition.id()).filter(|until| **until > commit);
        let known =
            there.clone().filter(|definition| forgotten(definition).is_none()).map(|definition| Definition::clone(definition));
        let mut catalog = Catalog::load(Revision::new(moved.len() as u64), last.unwrap_or_default(), known)?;
        for definition in there {
            if let Some(until) = forgotten(definition) {
                catalog.forget(Arc::clone(definition), *until);
            }
        }
        Ok(catalog)
    }

    /// Which definitions each commit after `first`, up to `last`, made, changed or deleted.
    pub(crate) fn changed_between(&self, first: CommitId, last: CommitId) -> BTreeMap<CommitId, BTreeSet<DefinitionId>> {
        let mut changed: BTreeMap<CommitId, BTreeSet<DefinitionId>> = BTreeMap::new();
        let past = self.past.values().flatten().map(|past| (&past.definition, Some(past.ended)));
        for (definition, ended) in past.chain(self.catalog.iter().map(|definition| (definition, None))) {
            for commit in [Some(definition.modified().commit), ended].into_iter().flatten() {
                if first < commit && commit <= last {
                    changed.entry(commit).or_default().insert(definition.id());
                }
            }
        }
        changed
    }

    /// What a commit did to these definitions.
    pub(crate) fn changes_of(&self, commit: &Commit, ids: &BTreeSet<DefinitionId>) -> Vec<DefinitionChange> {
        let previous = CommitId::new(commit.id.get().saturating_sub(1));
        let one = |id: &DefinitionId| {
            let (before, after) = (self.at(*id, previous).cloned(), self.at(*id, commit.id).cloned());
            let is_same = before.as_ref().map(Arc::as_ptr) == after.as_ref().map(Arc::as_ptr);
            (!is_same).then(|| DefinitionChange { commit: commit.clone(), before, after })
        };
        ids.iter().filter_map(one).collect()
    }
}
