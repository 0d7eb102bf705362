//! History that has outlived its retention is removed, and what was erased leaves the place where it was kept.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::TimeDelta;
use serde::Serialize;

use crate::attributes::Attributes;
use crate::attributes::View;
use crate::clock::Instant;
use crate::error::{Error, Result};
use crate::history::{Definitions, Horizon, Point, horizons};
use crate::model::{CommitId, Definition, DefinitionId, EntityType, Limits, Ordinal, Retention};
use crate::store::{AttributeStore, PAGE, Pages, Past, Progress, Snapshot, VersionId, tell};
use crate::trace::Doing;

/// How many versions one commit removes at the most: other writers wait for it.
const STEP: usize = 10_000;

/// How much of history is to be removed by one call: at the most 100,000 versions, unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Prune {
    limit: usize,
    after: Option<Ordinal>,
}

impl Default for Prune {
    fn default() -> Self {
        Self { limit: 100_000, after: None }
    }
}

impl Prune {
    /// At the most 100,000 versions, from the first entity on.
    pub fn new() -> Self {
        Self::default()
    }

    /// At the most so many versions.
    pub const fn limit(mut self, versions: usize) -> Self {
        self.limit = versions;
        self
    }

    /// From behind this entity on: where an earlier call ended.
    pub const fn after(mut self, ordinal: Ordinal) -> Self {
        self.after = Some(ordinal);
        self
    }
}

/// What was removed from history.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Pruned {
    /// How many versions.
    pub removed: u64,
    /// Of which attributes, and how many of each.
    pub attributes: Vec<PrunedAttribute>,
    /// The commits that removed them.
    pub commits: Vec<CommitId>,
    /// Where to go on; none if all was looked at.
    pub next: Option<Ordinal>,
    /// Why it ended before all was looked at, if the storage failed after a commit: the message of the error. What the commits
    /// before it removed stays removed, and is counted here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// How much of an attribute's history was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PrunedAttribute {
    /// The type of the entities.
    pub entity_type: EntityType,
    /// The name that the attribute has now, or had last.
    pub attribute: String,
    /// How many versions.
    pub removed: u64,
}

impl<S: AttributeStore> Attributes<S> {
    /// Removes what has outlived its [`Retention`] from history, in commits of up to 10,000 versions each, and tells after each how many
    /// entities were gone over. The caller may end it; what was removed stays removed. Of a point in the past that a removed
    /// version belonged to, the attribute is not known any longer: asking for it is [`crate::Error::Forgotten`].
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use custom_attributes::{Attributes, DefinitionSpec, Limits, ManualClock, MemoryStore, Prune, Retention};
    /// use std::sync::Arc;
    /// let mut limits = Limits::typed();
    /// limits.retention = Retention::days(30);
    /// let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z".parse()?));
    /// let attributes = Attributes::new(MemoryStore::new()).with_limits(limits)?.with_clock(Arc::clone(&clock));
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::string("tier"))?;
    /// let first = customers.set(123, "tier", "basic")?.commit.expect("a commit");
    /// customers.set(123, "tier", "premium")?;
    /// clock.set("2026-02-01T00:00:00Z".parse()?);
    /// let pruned = attributes.prune(&Prune::new(), |_| ControlFlow::Continue(()))?;
    /// assert_eq!((pruned.removed, pruned.attributes[0].attribute.as_str()), (1, "tier"));
    /// let then = attributes.as_of(first)?.get::<String>(("customer", 123), "tier");
    /// assert!(then.unwrap_err().is_forgotten());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the storage before the first commit: nothing was removed. One after it ends the call, and is in
    /// [`Pruned::failure`] beside what was removed by then.
    pub fn prune(&self, prune: &Prune, progress: impl FnMut(Progress) -> ControlFlow<()>) -> Result<Pruned> {
        Doing::new("prune").sized(prune.limit).tell(|| self.prune_history(prune, progress), |pruned| pruned.removed)
    }

    fn prune_history(&self, prune: &Prune, mut progress: impl FnMut(Progress) -> ControlFlow<()>) -> Result<Pruned> {
        let mut removed: BTreeMap<DefinitionId, u64> = BTreeMap::new();
        let mut pruned = Pruned { next: prune.after, ..Pruned::default() };
        let snapshot = self.store.snapshot()?;
        let total = u64::from(snapshot.marks()?.ordinal.get());
        let outlived = Outlived::of(&*snapshot, &self.limits, self.clock.now())?;
        drop(snapshot);
        let (mut left, mut last) = (prune.limit, None);
        while left > 0 {
            let (versions, next) = match self.prune_step(&outlived, &mut pruned.commits, (pruned.next, last), left.min(STEP)) {
                Ok(step) => step,
                Err(error) if pruned.commits.is_empty() => return Err(error),
                // Commits are behind it, and an error would say that nothing was done.
                Err(error) => {
                    pruned.failure = Some(error.to_string());
                    break;
                }
            };
            pruned.next = next;
            left -= versions.len();
            last = versions.last().map(place).or(last);
            for version in versions {
                *removed.entry(version.definition).or_default() += 1;
            }
            let done = next.map_or(total, |next| u64::from(next.get()));
            let goes_on = tell(&mut progress, done, total).is_ok();
            if next.is_none() || !goes_on {
                break;
            }
        }
        for (id, removed) in removed {
            pruned.removed += removed;
            if let Some(last) = outlived.definitions.get(&id) {
                let (entity_type, attribute) = (last.entity_type().clone(), last.name().to_string());
                pruned.attributes.push(PrunedAttribute { entity_type, attribute, removed });
            }
        }
        Ok(pruned)
    }

    /// Removes up to so many versions in one commit, if there are any; answers which, and where to go on.
    fn prune_step(
        &self,
        outlived: &Outlived,
        commits: &mut Vec<CommitId>,
        (after, last): (Option<Ordinal>, Option<Place>),
        limit: usize,
    ) -> Result<(Vec<VersionId>, Option<Ordinal>)> {
        // Of now: what the last step removed is not in it.
        let (versions, next) = outlived.page(&*self.store.snapshot()?, after, limit)?;
        // A step looks again at the entity where the last one stopped. What that one removed must be gone, or this never ends.
        let first = versions.first().map(place);
        if let Some((ordinal, ended, _)) = first.filter(|first| last.is_some_and(|last| *first <= last)) {
            let what = format!("a value that ended with commit {ended} was removed from the history of the entity with ordinal");
            return Err(Error::corrupt(format!("{what} {ordinal}, and is still there")));
        }
        if !versions.is_empty() {
            let note = format!("prunes {} versions of history", versions.len());
            commits.extend(self.batch().note(note).prune(versions.clone()).commit()?.commit);
        }
        Ok((versions, next))
    }

    /// Leaves nothing of what was erased in the place where the store is kept: see [`crate::BatchBuilder::erase`]. A file of SQLite
    /// is written anew, which takes as long as its size asks, and as much free space; other writers wait. What lies elsewhere, such as
    /// backups, copies and logs of the host, is up to the host.
    ///
    /// # Errors
    /// [`crate::Error::Busy`] while a snapshot is held, here or in another process, that is older than the erasure: let go of it, and
    /// call it again. A file that is the host's, which is the host's to write anew; a failure of the storage.
    pub fn purge(&self) -> Result<()> {
        Doing::new("purge").tell(|| self.store.purge(), |()| 0)
    }
}

impl View<'_> {
    /// The attributes of which history does not reach back to the first commit, because it was pruned or is not kept, each with the
    /// commit from which on it does. In a view of a point before that they are not there: asking for one by name is
    /// [`crate::Error::Forgotten`], and entities are without it.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore, Retention};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::integer("visits").retention(Retention::Off))?;
    /// let first = customers.set(123, "visits", 1)?.commit.expect("a commit");
    /// assert!(attributes.snapshot()?.horizons()?.is_empty());
    /// let second = customers.set(123, "visits", 2)?.commit.expect("a commit");
    /// let horizons = attributes.snapshot()?.horizons()?;
    /// assert_eq!((horizons[0].attribute.as_str(), horizons[0].until), ("visits", second));
    /// assert!(attributes.as_of(first)?.get::<i64>(("customer", 123), "visits").unwrap_err().is_forgotten());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn horizons(&self) -> Result<Vec<Horizon>> {
        horizons(self.as_snapshot(), CommitId::default())
    }
}

/// What has outlived its retention.
struct Outlived {
    /// All definitions, as they are or were last.
    definitions: BTreeMap<DefinitionId, Arc<Definition>>,
    /// For definitions whose versions are kept for a time: those that ended up to this commit have had it.
    ended: BTreeMap<DefinitionId, CommitId>,
    /// For those of which so many are kept.
    versions: BTreeMap<DefinitionId, usize>,
}

impl Outlived {
    fn of(snapshot: &dyn Snapshot, limits: &Limits, now: Instant) -> Result<Self> {
        let mut outlived = Self { definitions: BTreeMap::new(), ended: BTreeMap::new(), versions: BTreeMap::new() };
        let definitions = Definitions::load(snapshot)?;
        let mut until: BTreeMap<u64, CommitId> = BTreeMap::new();
        for definition in definitions.lasts() {
            outlived.definitions.insert(definition.id(), Arc::clone(definition));
            match limits.retention_of(definition) {
                Retention::Forever => {}
                Retention::Off => _ = outlived.versions.insert(definition.id(), 0),
                Retention::Versions(kept) => _ = outlived.versions.insert(definition.id(), kept as usize),
                Retention::Seconds(seconds) => {
                    let commit = match until.get(&seconds) {
                        Some(commit) => *commit,
                        None => *until.entry(seconds).or_insert(last_before(snapshot, now, seconds)?),
                    };
                    outlived.ended.insert(definition.id(), commit);
                }
            }
        }
        Ok(outlived)
    }

    /// Up to so many versions, of the entities behind this one, and where to go on.
    fn page(&self, snapshot: &dyn Snapshot, after: Option<Ordinal>, limit: usize) -> Result<(Vec<VersionId>, Option<Ordinal>)> {
        let mut versions = Vec::new();
        let mut pages = Pages::new(after, PAGE, |after, limit| snapshot.histories(after, limit));
        while let Some(histories) = pages.next()? {
            for (ordinal, past) in histories {
                let mut these = self.of_entity(ordinal, &past);
                these.truncate(limit - versions.len());
                versions.extend(these);
                if versions.len() == limit {
                    // Of this one there may be more.
                    return Ok((versions, Some(Ordinal::new(ordinal.get() - 1))));
                }
            }
        }
        Ok((versions, None))
    }

    /// Oldest first, so that what is left when it is ended early is the newest.
    fn of_entity(&self, ordinal: Ordinal, past: &[Past]) -> Vec<VersionId> {
        let mut newer: BTreeMap<DefinitionId, usize> = BTreeMap::new();
        let mut outlived = Vec::new();
        for Past { held, ended } in past.iter().rev() {
            let definition = held.definition;
            let newer = newer.entry(definition).or_default();
            let goes = self.ended.get(&definition).is_some_and(|until| ended <= until)
                || self.versions.get(&definition).is_some_and(|kept| *newer >= *kept);
            *newer += 1;
            outlived.extend(goes.then_some(VersionId { ordinal, ended: *ended, definition }));
        }
        outlived.reverse();
        outlived
    }
}

/// Where a version stands among those that are removed one after the other.
type Place = (Ordinal, CommitId, DefinitionId);

fn place(version: &VersionId) -> Place {
    (version.ordinal, version.ended, version.definition)
}

/// The last commit that is older than so many seconds.
fn last_before(snapshot: &dyn Snapshot, now: Instant, seconds: u64) -> Result<CommitId> {
    let age = i64::try_from(seconds).ok().and_then(TimeDelta::try_seconds);
    let before = age.and_then(|age| now.checked_sub_signed(age));
    before.map_or(Ok(CommitId::default()), |before| Point::Instant(before).resolve(snapshot))
}
