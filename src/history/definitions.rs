//! All definitions that a store ever had.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::Result;
use crate::model::{Catalog, CommitId, Definition, DefinitionId, Revision};
use crate::store::Snapshot;

/// Each definition in all its versions, from the commit that made it so to the one that ended that.
pub(crate) struct Definitions {
    versions: BTreeMap<DefinitionId, Vec<(Arc<Definition>, Option<CommitId>)>>,
}

impl Definitions {
    pub(crate) fn load(snapshot: &dyn Snapshot) -> Result<Self> {
        let catalog = snapshot.catalog()?;
        let mut versions = BTreeMap::new();
        for id in (1..=catalog.last_id().get()).map(DefinitionId::new) {
            let past = snapshot.past_definitions(id)?.into_iter().map(|past| (past.definition, Some(past.ended)));
            let present = catalog.get(id).map(|definition| (Arc::clone(definition), None));
            versions.insert(id, past.chain(present).collect());
        }
        Ok(Self { versions })
    }

    /// A definition as it was when this commit was done.
    pub(crate) fn at(&self, id: DefinitionId, commit: CommitId) -> Option<&Arc<Definition>> {
        let stood = |(definition, ended): &&(Arc<Definition>, Option<CommitId>)| {
            definition.modified().commit <= commit && ended.is_none_or(|ended| commit < ended)
        };
        self.versions.get(&id)?.iter().find(stood).map(|(definition, _)| definition)
    }

    /// Its last version, whether it is still there or not.
    pub(crate) fn last(&self, id: DefinitionId) -> Option<&Arc<Definition>> {
        self.versions.get(&id)?.last().map(|(definition, _)| definition)
    }

    pub(crate) fn catalog(&self, commit: CommitId) -> Result<Catalog> {
        let all = self.versions.values().flatten();
        let moved = all.flat_map(|(definition, ended)| [Some(definition.modified().commit), *ended]).flatten();
        let moved: BTreeSet<CommitId> = moved.filter(|moved| *moved <= commit).collect();
        let was_made = |versions: &Vec<(Arc<Definition>, Option<CommitId>)>| {
            versions.first().is_some_and(|(definition, _)| definition.created().commit <= commit)
        };
        let last = self.versions.iter().filter(|(_, versions)| was_made(versions)).map(|(id, _)| *id).max();
        let there = self.versions.keys().filter_map(|id| self.at(*id, commit)).map(|definition| Definition::clone(definition));
        Catalog::load(Revision::new(moved.len() as u64), last.unwrap_or_default(), there)
    }

    /// The definitions that this commit changed, as they were before and after it.
    pub(crate) fn changed_by(&self, commit: CommitId) -> Vec<(Option<Arc<Definition>>, Option<Arc<Definition>>)> {
        let before = CommitId::new(commit.get().saturating_sub(1));
        let one = |id: &DefinitionId| (self.at(*id, before).cloned(), self.at(*id, commit).cloned());
        let differ = |(before, after): &(Option<Arc<Definition>>, Option<Arc<Definition>>)| match (before, after) {
            (Some(before), Some(after)) => !Arc::ptr_eq(before, after),
            (before, after) => before.is_some() != after.is_some(),
        };
        self.versions.keys().map(one).filter(differ).collect()
    }
}
