//! The steps of a store that can be read: each commit is put together from what stands and what history has.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::hash::HashMap;
use crate::history::Definitions;
use crate::model::{CommitId, DefinitionId, EntityRecord, Held, Ordinal, Revision};
use crate::store::{Commit, Commits, PAGE, Pages, Past, Snapshot, Touched};
use crate::transfer::steps::{Defined, Heading, Left, Step, Steps, Touch};

/// How many values of entities are kept for the commits to come: an entity that many commits touched is read once.
const KEPT: usize = 1 << 18;

/// From so many on entities that stand close together are read as a page.
const CLOSE: usize = 16;

pub(super) struct Timeline<'a> {
    snapshot: &'a dyn Snapshot,
    heading: Heading,
    definitions: BTreeMap<CommitId, Vec<Defined>>,
    commits: Commits<'a>,
    read: std::vec::IntoIter<(Commit, Touched)>,
    /// The commit that was returned last, and the entities that it touched.
    current: CommitId,
    touched: Touched,
    lives: HashMap<Ordinal, Arc<Life>>,
    kept: usize,
    tells_what_stands: bool,
}

impl<'a> Timeline<'a> {
    pub(super) fn of(snapshot: &'a dyn Snapshot) -> Result<Self> {
        let (marks, catalog) = (snapshot.marks()?, snapshot.catalog()?);
        let mut steps = marks.commit.get();
        let mut commits = Commits::new(snapshot, CommitId::new(1), marks.commit);
        while let Some(page) = commits.next()? {
            steps += page.iter().map(|(_, touched)| touched.len() as u64).sum::<u64>();
        }
        let heading = Heading {
            last_commit: marks.commit,
            last_ordinal: marks.ordinal,
            catalog: catalog.revision(),
            last_definition: catalog.last_id(),
            horizons: snapshot.horizons()?,
            steps,
        };
        Ok(Self {
            snapshot,
            heading,
            definitions: definitions(snapshot)?,
            commits: Commits::new(snapshot, CommitId::new(1), marks.commit),
            read: Vec::new().into_iter(),
            current: CommitId::default(),
            touched: Touched::default(),
            lives: HashMap::default(),
            kept: 0,
            tells_what_stands: false,
        })
    }

    /// Tells of each entity what stands, for a store that may know what is no longer known here.
    pub(super) const fn tell_what_stands(&mut self) {
        self.tells_what_stands = true;
    }

    /// The entities with these ordinals, which ascend; none where one is there no longer.
    fn lives(&mut self, ordinals: &[Ordinal]) -> Result<Vec<Option<Arc<Life>>>> {
        if self.kept > KEPT {
            self.lives.clear();
            self.kept = 0;
        }
        let missing: Vec<_> = ordinals.iter().copied().filter(|ordinal| !self.lives.contains_key(ordinal)).collect();
        let records = self.records(&missing)?;
        let keys: Vec<_> = records.iter().map(|record| record.key().clone()).collect();
        for (record, past) in records.into_iter().zip(self.snapshot.history(&keys)?) {
            let life = Life::of(record, past);
            self.kept += life.weight();
            self.lives.insert(life.record.ordinal(), Arc::new(life));
        }
        Ok(ordinals.iter().map(|ordinal| self.lives.get(ordinal).cloned()).collect())
    }

    fn records(&self, ordinals: &[Ordinal]) -> Result<Vec<Arc<EntityRecord>>> {
        let (Some(first), Some(last)) = (ordinals.first(), ordinals.last()) else { return Ok(Vec::new()) };
        let span = (last.get() - first.get()) as usize + 1;
        if ordinals.len() < CLOSE || span / 4 > ordinals.len() {
            return Ok(self.snapshot.locate(ordinals)?.into_iter().flatten().collect());
        }
        let mut records = Vec::with_capacity(ordinals.len());
        let before = Ordinal::new(first.get().saturating_sub(1));
        let mut pages = Pages::new(Some(before), PAGE.min(span), |after, limit| self.snapshot.written(None, after, limit));
        while let Some(page) = pages.next()? {
            let is_behind = page.last().is_none_or(|record| record.ordinal() >= *last);
            records.extend(page.into_iter().filter(|record| ordinals.binary_search(&record.ordinal()).is_ok()));
            if is_behind {
                break;
            }
        }
        Ok(records)
    }
}

impl Steps for Timeline<'_> {
    fn heading(&self) -> &Heading {
        &self.heading
    }

    fn next(&mut self, _there: &dyn Snapshot) -> Result<Option<Step>> {
        if self.read.as_slice().is_empty() {
            self.read = self.commits.next()?.unwrap_or_default().into_iter();
        }
        let Some((commit, touched)) = self.read.next() else { return Ok(None) };
        (self.current, self.touched) = (commit.id, touched);
        let definitions = self.definitions.remove(&commit.id).unwrap_or_default();
        Ok(Some(Step { commit, definitions }))
    }

    fn each_touch(&mut self, visit: &mut dyn FnMut(Touch) -> Result<()>) -> Result<()> {
        let touched: Vec<Ordinal> = std::mem::take(&mut self.touched).iter().collect();
        for page in touched.chunks(PAGE) {
            for (ordinal, life) in page.iter().zip(self.lives(page)?) {
                let left = life.map(|life| life.left_by(self.current, self.tells_what_stands));
                visit(Touch { ordinal: *ordinal, left })?;
            }
        }
        Ok(())
    }

    fn pass_over(&mut self) -> Result<()> {
        Ok(())
    }

    fn wrong(&self, reason: String) -> Error {
        Error::corrupt(format!("the source {reason}"))
    }
}

/// What each commit did to definitions, by id.
fn definitions(snapshot: &dyn Snapshot) -> Result<BTreeMap<CommitId, Vec<Defined>>> {
    let mut by_commit: BTreeMap<CommitId, Vec<Defined>> = BTreeMap::new();
    let mut put = |commit, defined| by_commit.entry(commit).or_default().push(defined);
    for versions in Definitions::load(snapshot)?.versions() {
        let mut versions = versions.peekable();
        while let Some((definition, ended)) = versions.next() {
            put(definition.modified().commit, Defined::Stands(Arc::clone(definition)));
            let next = versions.peek().map(|(next, _)| next.modified().commit);
            if let Some(ended) = ended.filter(|ended| next != Some(*ended)) {
                put(ended, Defined::Ended(definition.id()));
            }
        }
    }
    Ok(by_commit)
}

/// All that is known of one entity.
struct Life {
    record: Arc<EntityRecord>,
    /// By the commit that ended each, then by definition.
    past: Vec<Past>,
    /// The same by the commit that began each.
    began: Vec<(CommitId, usize)>,
    /// The commits of which is known that they changed it.
    commits: Vec<CommitId>,
}

impl Life {
    fn of(record: Arc<EntityRecord>, past: Vec<Past>) -> Self {
        let mut began: Vec<_> = past.iter().enumerate().map(|(index, past)| (past.held.modified, index)).collect();
        began.sort_unstable();
        let held = record.values().iter().chain(past.iter().map(|past| &past.held));
        let mut commits: Vec<_> = held.flat_map(|held| [held.created, held.modified]).collect();
        commits.extend(past.iter().map(|past| past.ended));
        commits.sort_unstable();
        commits.dedup();
        Self { record, past, began, commits }
    }

    fn weight(&self) -> usize {
        1 + self.record.values().len() + self.past.len()
    }

    fn left_by(&self, commit: CommitId, tells_what_stands: bool) -> Left {
        let first = self.began.partition_point(|(began, _)| *began < commit);
        let of_commit = self.began[first..].iter().take_while(|(began, _)| *began == commit);
        let ended_since = of_commit.map(|(_, index)| &self.past[*index].held);
        let standing = self.record.values().iter().filter(|held| held.modified == commit);
        let mut began: Vec<Held> = standing.chain(ended_since).cloned().collect();
        began.sort_unstable_by_key(|held| held.definition);
        let first = self.past.partition_point(|past| past.ended < commit);
        let ended = self.past[first..].iter().take_while(|past| past.ended == commit);
        Left {
            entity: self.record.key().clone(),
            revision: self.revision_at(commit),
            began,
            ended: ended.map(|past| past.held.definition).collect(),
            stands: tells_what_stands.then(|| self.standing_at(commit)),
        }
    }

    /// As [`crate::history`] counts it: the commits behind the point are all known, or have left nothing to tell.
    fn revision_at(&self, commit: CommitId) -> Revision {
        let later = self.commits.len() - self.commits.partition_point(|known| *known <= commit);
        Revision::new(self.record.revision().get().saturating_sub(later as u64))
    }

    fn standing_at(&self, commit: CommitId) -> Vec<DefinitionId> {
        let present = self.record.values().iter().filter(|held| held.modified <= commit);
        let past = self.past.iter().filter(|past| past.held.modified <= commit && commit < past.ended);
        present.chain(past.map(|past| &past.held)).map(|held| held.definition).collect()
    }
}
