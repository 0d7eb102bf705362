//! All definitions that a store ever had.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::Result;
use crate::history::{DefinitionChange, Horizons};
use crate::model::{Catalog, CommitId, Definition, DefinitionId, Revision};
use crate::store::{Commit, Snapshot};

/// Each definition in all its versions.
pub(crate) struct Definitions {
    versions: BTreeMap<DefinitionId, Vec<Stood>>,
}

/// A version, and the commit that ended it; the one that began it is in its stamps.
struct Stood {
    definition: Arc<Definition>,
    ended: Option<CommitId>,
}

impl Stood {
    fn is_of(&self, commit: CommitId) -> bool {
        self.definition.modified().commit <= commit && self.ended.is_none_or(|ended| commit < ended)
    }
}

impl Definitions {
    pub(crate) fn load(snapshot: &dyn Snapshot) -> Result<Self> {
        let last = snapshot.catalog()?.last_id().get();
        Self::load_these(snapshot, (1..=last).map(DefinitionId::new))
    }

    pub(crate) fn load_these(snapshot: &dyn Snapshot, ids: impl IntoIterator<Item = DefinitionId>) -> Result<Self> {
        let catalog = snapshot.catalog()?;
        let mut versions = BTreeMap::new();
        for id in ids {
            let past = snapshot.past_definitions(id)?.into_iter();
            let past = past.map(|past| Stood { definition: past.definition, ended: Some(past.ended) });
            let present = catalog.get(id).map(|definition| Stood { definition: Arc::clone(definition), ended: None });
            versions.insert(id, past.chain(present).collect());
        }
        Ok(Self { versions })
    }

    /// The versions of each, by id, and of each in their order, with the commit that ended it.
    pub(crate) fn versions(&self) -> impl Iterator<Item = impl Iterator<Item = (&Arc<Definition>, Option<CommitId>)>> {
        self.versions.values().map(|versions| versions.iter().map(|stood| (&stood.definition, stood.ended)))
    }

    /// A definition as it was when this commit was done.
    pub(crate) fn at(&self, id: DefinitionId, commit: CommitId) -> Option<&Arc<Definition>> {
        self.versions.get(&id)?.iter().find(|stood| stood.is_of(commit)).map(|stood| &stood.definition)
    }

    /// Its last version, whether it is still there or not.
    pub(crate) fn last(&self, id: DefinitionId) -> Option<&Arc<Definition>> {
        self.versions.get(&id)?.last().map(|stood| &stood.definition)
    }

    /// The last version of each.
    pub(crate) fn lasts(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.versions.keys().filter_map(|id| self.last(*id))
    }

    /// All definitions as they were when this commit was done, but for those of whose values nothing is known then.
    pub(crate) fn catalog(&self, commit: CommitId, horizons: &Horizons) -> Result<Catalog> {
        let all = self.versions.values().flatten();
        let moved = all.flat_map(|stood| [Some(stood.definition.modified().commit), stood.ended]).flatten();
        let moved: BTreeSet<CommitId> = moved.filter(|moved| *moved <= commit).collect();
        let was_made = |versions: &Vec<Stood>| versions.first().is_some_and(|first| first.definition.created().commit <= commit);
        let last = self.versions.iter().filter(|(_, versions)| was_made(versions)).map(|(id, _)| *id).max();
        let there = self.versions.keys().filter_map(|id| self.at(*id, commit));
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

    /// The definitions that this commit changed.
    pub(crate) fn changed_by(&self, commit: &Commit) -> Vec<DefinitionChange> {
        let previous = CommitId::new(commit.id.get().saturating_sub(1));
        let ids = self.versions.keys();
        let one = |id: &DefinitionId| {
            let (before, after) = (self.at(*id, previous).cloned(), self.at(*id, commit.id).cloned());
            let is_same = before.as_ref().map(Arc::as_ptr) == after.as_ref().map(Arc::as_ptr);
            (!is_same).then(|| DefinitionChange { commit: commit.clone(), before, after })
        };
        ids.filter_map(one).collect()
    }
}
