//! A store as the steps that made it, one for each commit: what goes from one store to another.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::{CommitId, Definition, DefinitionId, EntityKey, Held, Ordinal, Revision};
use crate::store::{Commit, OnProgress, Snapshot, tell};

/// What is true of a store as a whole, at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) last_commit: CommitId,
    pub(super) last_ordinal: Ordinal,
    /// The revision of the catalog, which counts commits that left no trace as well.
    pub(super) catalog: Revision,
    pub(super) last_definition: DefinitionId,
    pub(super) horizons: BTreeMap<DefinitionId, CommitId>,
    /// How many commits there are, and how many entities they touched, each counted each time.
    pub(super) steps: u64,
}

/// One commit, and what it did to definitions.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) commit: Commit,
    pub(super) definitions: Vec<Defined>,
}

#[derive(Debug, Clone)]
pub(super) enum Defined {
    /// It was made, changed or brought back.
    Stands(Arc<Definition>),
    Ended(DefinitionId),
}

/// What a commit did to an entity.
#[derive(Debug, Clone)]
pub(super) struct Touch {
    pub(super) ordinal: Ordinal,
    /// None of an entity that was erased since.
    pub(super) left: Option<Left>,
}

/// What is left of that.
#[derive(Debug, Clone)]
pub(super) struct Left {
    pub(super) entity: EntityKey,
    pub(super) revision: Revision,
    pub(super) began: Vec<Held>,
    /// Whose values ended, and are in history.
    pub(super) ended: Vec<DefinitionId>,
    /// Whose values of earlier commits are known to stand on, if that is told: a store that was copied before knows of others,
    /// which were pruned since.
    pub(super) stands: Option<Vec<DefinitionId>>,
}

/// Where the steps come from, in the order of the commits.
pub(super) trait Steps {
    fn heading(&self) -> &Heading;

    /// The next commit; what it did to entities is either visited or passed over before the one behind it.
    /// `there` knows the commits before it: it is where they were done again, or the source itself.
    fn next(&mut self, there: &dyn Snapshot) -> Result<Option<Step>>;

    fn each_touch(&mut self, visit: &mut dyn FnMut(Touch) -> Result<()>) -> Result<()>;

    fn pass_over(&mut self) -> Result<()>;

    /// The error for steps that contradict themselves, where they were read last.
    fn wrong(&self, reason: String) -> Error;
}

/// How far it has come.
pub(super) struct Pace {
    done: u64,
    total: u64,
}

/// After how many steps it is told.
const TOLD: u64 = 4096;

impl Pace {
    pub(super) const fn new(total: u64) -> Self {
        Self { done: 0, total }
    }

    pub(super) fn step(&mut self, steps: u64, progress: &mut OnProgress<'_>) -> Result<()> {
        let before = self.done;
        self.done = self.done.saturating_add(steps);
        let is_told = before / TOLD != self.done / TOLD || self.done == self.total;
        if is_told { tell(progress, self.done, self.total) } else { Ok(()) }
    }

    /// Steps that need not be done.
    pub(super) const fn skip(&mut self, steps: u64) {
        self.done = self.done.saturating_add(steps);
    }

    /// All that was expected is done.
    pub(super) fn end(&self, progress: &mut OnProgress<'_>) -> Result<()> {
        tell(progress, self.total, self.total)
    }
}
