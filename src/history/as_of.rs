//! A store as it was when a commit was done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::clock::Instant;
use crate::error::{Error, Result};
use crate::history::Definitions;
use crate::model::{Catalog, CommitId, DefinitionId, EntityKey, EntityRecord, EntityType, Held, Ordinal, Revision};
use crate::store::{Commit, Marks, Past, PastDefinition, Snapshot, Touched, commit_with_id, fill, written_at};

/// A point in the past of a store.
///
/// ```
/// use custom_attributes::{CommitId, Instant, Point};
/// assert_eq!(Point::from(CommitId::new(7)), Point::Commit(CommitId::new(7)));
/// let noon: Instant = "2026-01-04T12:00:00Z".parse()?;
/// assert_eq!(Point::from(noon), Point::Instant(noon));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Point {
    /// When this commit was done; 0 is before the first.
    Commit(CommitId),
    /// The last commit before the first that is later than this instant; before the first commit if that is later.
    ///
    /// Commit instants do not go backwards within a store ([`crate::Commit::at`]), so this is the last commit that is not later.
    /// A store that an older release wrote, or a copy of it, may have commits whose instants go backwards, because the clock of
    /// the host did. Such a commit counts as late as the latest commit before it, so a later instant never stands for an earlier
    /// commit.
    Instant(Instant),
}

impl From<CommitId> for Point {
    fn from(commit: CommitId) -> Self {
        Self::Commit(commit)
    }
}

impl From<Instant> for Point {
    fn from(instant: Instant) -> Self {
        Self::Instant(instant)
    }
}

impl Point {
    /// The commit that is meant.
    pub(crate) fn resolve(self, snapshot: &dyn Snapshot) -> Result<CommitId> {
        let last = snapshot.marks()?.commit;
        match self {
            Self::Commit(commit) if commit > last => {
                Err(Error::not_found(format!("commit {commit}, after the last, {last},"), Vec::new()))
            }
            Self::Commit(commit) => Ok(commit),
            Self::Instant(instant) => snapshot.commit_at(instant),
        }
    }
}

/// An entity as it was when a commit was done, as far as history reaches back to it: see [`is_known`].
pub(crate) fn state_at(now: &EntityRecord, past: &[Past], at: CommitId) -> Result<EntityRecord> {
    let present = now.values().iter().filter(|held| held.modified <= at);
    let ended = past.iter().filter(|past| past.held.modified <= at && at < past.ended).map(|past| &past.held);
    let mut values: Vec<Held> = present.chain(ended).cloned().collect();
    values.sort_unstable_by_key(|held| held.definition);
    // Each commit that began or ended one of its values was a revision. Those behind the point are all there.
    let later: BTreeSet<CommitId> = commits_of(now, past).filter(|moved| *moved > at).collect();
    let revision = now.revision().get().saturating_sub(later.len() as u64);
    EntityRecord::load(now.key().clone(), now.ordinal(), Revision::new(revision), values)
}

/// The commits of which is known that they changed an entity.
fn commits_of<'a>(now: &'a EntityRecord, past: &'a [Past]) -> impl Iterator<Item = CommitId> + 'a {
    let began = now.values().iter().chain(past.iter().map(|past| &past.held)).flat_map(|held| [held.created, held.modified]);
    began.chain(past.iter().map(|past| past.ended))
}

/// The definitions of whose values history has gaps, each with the commit from which on it has none.
pub(crate) type Horizons = BTreeMap<DefinitionId, CommitId>;

/// Whether history tells what an entity held for a definition at this point.
pub(crate) fn is_known(horizons: &Horizons, id: DefinitionId, now: &EntityRecord, past: &[Past], at: CommitId) -> bool {
    horizons.get(&id).is_none_or(|until| *until <= at)
        || now.get(id).is_some_and(|held| held.modified <= at)
        || past.iter().any(|past| past.held.definition == id && past.held.modified <= at && at < past.ended)
}

/// A snapshot of the past: made from what is there now, and from what is no longer.
pub(crate) struct AsOf<'a> {
    now: Box<dyn Snapshot + 'a>,
    commit: CommitId,
    catalog: Arc<Catalog>,
}

impl<'a> AsOf<'a> {
    pub(crate) fn new(now: Box<dyn Snapshot + 'a>, point: Point) -> Result<Self> {
        let commit = point.resolve(&*now)?;
        let catalog = Arc::new(Definitions::load(&*now)?.catalog(commit, &now.horizons()?)?);
        Ok(Self { now, commit, catalog })
    }

    /// Entities as they were, in this order; none of one that was first written later.
    fn states(&self, now: &[Arc<EntityRecord>]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        let keys: Vec<EntityKey> = now.iter().map(|record| record.key().clone()).collect();
        now.iter().zip(self.now.history(&keys)?).map(|(now, past)| self.state(now, &past)).collect()
    }

    fn state(&self, now: &EntityRecord, past: &[Past]) -> Result<Option<Arc<EntityRecord>>> {
        let mut state = state_at(now, past, self.commit)?;
        if self.catalog.has_forgotten() {
            // Its revision counts commits that left no trace, and so does not tell whether it was there.
            if !commits_of(now, past).any(|commit| commit <= self.commit) {
                return Ok(None);
            }
            let known = state.values().iter().filter(|held| self.catalog.get(held.definition).is_some()).cloned().collect();
            state = EntityRecord::load(state.key().clone(), state.ordinal(), state.revision(), known)?;
        }
        Ok(Some(Arc::new(state)).filter(|state| state.revision() > Revision::ABSENT))
    }
}

impl Snapshot for AsOf<'_> {
    fn catalog(&self) -> Result<Arc<Catalog>> {
        Ok(Arc::clone(&self.catalog))
    }

    fn marks(&self) -> Result<Marks> {
        // Ordinals are given in the order of commits.
        let (mut low, mut high) = (0, self.now.marks()?.ordinal.get());
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let record = written_at(&*self.now, Ordinal::new(middle))?;
            let was_there = self.states(record.as_slice())?.into_iter().flatten().next().is_some();
            if was_there { low = middle } else { high = middle - 1 }
        }
        let at = commit_with_id(&*self.now, self.commit)?.map(|commit| commit.at);
        Ok(Marks { commit: self.commit, ordinal: Ordinal::new(low), at })
    }

    fn read(&self, entities: &[EntityKey]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        let now = self.now.read(entities)?;
        let there: Vec<_> = now.iter().flatten().cloned().collect();
        let mut states = self.states(&there)?.into_iter();
        Ok(now.into_iter().map(|record| record.and_then(|_| states.next().flatten())).collect())
    }

    fn written(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        fill(&*self.now, entity_type, after, limit, |page| Ok(self.states(&page)?.into_iter().flatten().collect()))
    }

    fn commits(&self, ids: &[CommitId]) -> Result<Vec<Option<Commit>>> {
        let commits = self.now.commits(ids)?;
        Ok(commits.into_iter().map(|commit| commit.filter(|commit| commit.id <= self.commit)).collect())
    }

    fn history(&self, entities: &[EntityKey]) -> Result<Vec<Vec<Past>>> {
        let mut all = self.now.history(entities)?;
        all.iter_mut().for_each(|past| past.retain(|past| past.ended <= self.commit));
        Ok(all)
    }

    fn past_definitions(&self, definitions: Option<&[DefinitionId]>) -> Result<Vec<PastDefinition>> {
        let mut past = self.now.past_definitions(definitions)?;
        past.retain(|past| past.ended <= self.commit);
        Ok(past)
    }

    fn horizons(&self) -> Result<Horizons> {
        self.now.horizons()
    }

    fn touched(&self, commits: &[CommitId]) -> Result<Vec<Touched>> {
        let touched = commits.iter().zip(self.now.touched(commits)?);
        Ok(touched.map(|(commit, touched)| if *commit > self.commit { Touched::default() } else { touched }).collect())
    }

    fn commit_at(&self, at: Instant) -> Result<CommitId> {
        Ok(self.now.commit_at(at)?.min(self.commit))
    }
}
