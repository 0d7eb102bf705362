//! Commits as the stamps of what they did.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::model::{CommitId, Stamp};
use crate::store::Snapshot;

/// The stamps of some commits, read in one call.
pub(crate) struct Stamps(Vec<Stamp>);

impl Stamps {
    pub(crate) fn load(snapshot: &dyn Snapshot, ids: impl IntoIterator<Item = CommitId>) -> Result<Self> {
        let ids: BTreeSet<CommitId> = ids.into_iter().collect();
        let ids: Vec<CommitId> = ids.into_iter().collect();
        let commits = snapshot.commits(&ids)?.into_iter().flatten();
        Ok(Self(commits.map(|commit| Stamp { commit: commit.id, at: commit.at, by: commit.actor }).collect()))
    }

    pub(crate) fn get(&self, id: CommitId) -> Option<Stamp> {
        self.0.binary_search_by_key(&id, |stamp| stamp.commit).ok().map(|index| self.0[index].clone())
    }

    /// The stamp of a commit that something refers to, and that is there for it.
    pub(crate) fn of(&self, id: CommitId) -> Result<Stamp> {
        self.get(id).ok_or_else(|| Error::corrupt(format!("commit {id} is missing")))
    }
}
