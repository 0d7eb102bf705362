//! Scans over a snapshot, page by page.
//!
//! A damaged file, or a faulty store, can return a page that does not lie after the asked-for position. A caller that goes on
//! from such a page would read for ever. So every scan of this crate goes through [`page`], which checks that positions ascend
//! within a page and from one page to the next, and returns [`Error::Corrupt`] where they do not.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::{CommitId, Definition, EntityKey, EntityRecord, EntityType, Ordinal};
use crate::store::{Commit, Past, PastDefinition, Snapshot, Touched};

/// How many rows a scan reads in one call.
pub(crate) const PAGE: usize = 1024;

/// A row of a scan in the order of ordinals.
pub(crate) trait Placed {
    fn ordinal(&self) -> Ordinal;
}

impl Placed for Arc<EntityRecord> {
    fn ordinal(&self) -> Ordinal {
        EntityRecord::ordinal(self)
    }
}

impl Placed for (Ordinal, Vec<Past>) {
    fn ordinal(&self) -> Ordinal {
        self.0
    }
}

/// Reads one page of at most `limit` rows after a position, and checks that the rows ascend from there.
pub(crate) fn page<T: Placed>(
    after: Option<Ordinal>,
    limit: usize,
    read: impl FnOnce(Option<Ordinal>, usize) -> Result<Vec<T>>,
) -> Result<Vec<T>> {
    let page = read(after, limit)?;
    let mut last = after.unwrap_or_default();
    for row in &page {
        let ordinal = row.ordinal();
        if ordinal <= last {
            return Err(Error::corrupt(format!("a scan of entities returned ordinal {ordinal} after ordinal {last}")));
        }
        last = ordinal;
    }
    if page.len() > limit {
        return Err(Error::corrupt(format!("a scan of entities returned {} rows, and {limit} were asked for", page.len())));
    }
    Ok(page)
}

/// A scan from a position to the end.
pub(crate) struct Pages<F> {
    read: F,
    after: Option<Ordinal>,
    limit: usize,
    is_done: bool,
}

impl<T: Placed, F: FnMut(Option<Ordinal>, usize) -> Result<Vec<T>>> Pages<F> {
    pub(crate) const fn new(after: Option<Ordinal>, limit: usize, read: F) -> Self {
        Self { read, after, limit, is_done: false }
    }

    /// The next page; none after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<T>>> {
        if self.is_done {
            return Ok(None);
        }
        let page = page(self.after, self.limit, &mut self.read)?;
        self.is_done = page.len() < self.limit;
        self.after = page.last().map(Placed::ordinal).or(self.after);
        Ok(Some(page))
    }
}

/// Visits every entity that was ever written, a page at a time.
pub(crate) fn each_page<S: Snapshot + ?Sized>(
    snapshot: &S,
    mut visit: impl FnMut(Vec<Arc<EntityRecord>>) -> Result<()>,
) -> Result<()> {
    let mut pages = Pages::new(None, PAGE, |after, limit| snapshot.written(None, after, limit));
    while let Some(page) = pages.next()? {
        visit(page)?;
    }
    Ok(())
}

/// Reads written entities after a position until `pick` has kept `limit` of them. `pick` is given a page at a time.
pub(crate) fn fill<S: Snapshot + ?Sized>(
    snapshot: &S,
    entity_type: Option<&EntityType>,
    mut after: Option<Ordinal>,
    limit: usize,
    mut pick: impl FnMut(Vec<Arc<EntityRecord>>) -> Result<Vec<Arc<EntityRecord>>>,
) -> Result<Vec<Arc<EntityRecord>>> {
    let mut picked = Vec::new();
    while picked.len() < limit {
        let wanted = (limit - picked.len()).min(PAGE);
        let page = page(after, wanted, |after, limit| snapshot.written(entity_type, after, limit))?;
        let last = page.last().map(Placed::ordinal).filter(|_| page.len() == wanted);
        picked.extend(pick(page)?);
        let Some(last) = last else { break };
        after = Some(last);
    }
    Ok(picked)
}

/// The entity with this ordinal, if it was ever written and is not erased.
pub(crate) fn written_at<S: Snapshot + ?Sized>(snapshot: &S, ordinal: Ordinal) -> Result<Option<Arc<EntityRecord>>> {
    Ok(snapshot.locate(&[ordinal])?.pop().flatten())
}

/// Visits every entity that holds a value, a page at a time.
pub(crate) fn each_record<S: Snapshot + ?Sized>(
    snapshot: &S,
    entity_type: Option<&EntityType>,
    mut visit: impl FnMut(&Arc<EntityRecord>),
) -> Result<()> {
    scan_from(snapshot, entity_type, None, |record| {
        visit(record);
        ControlFlow::Continue(())
    })
}

/// Visits the entities after a position that hold a value, a page at a time, until `visit` breaks.
pub(crate) fn scan_from<S: Snapshot + ?Sized>(
    snapshot: &S,
    entity_type: Option<&EntityType>,
    after: Option<Ordinal>,
    mut visit: impl FnMut(&Arc<EntityRecord>) -> ControlFlow<()>,
) -> Result<()> {
    let mut pages = Pages::new(after, PAGE, |after, limit| snapshot.scan(entity_type, after, limit));
    while let Some(page) = pages.next()? {
        if page.iter().try_for_each(&mut visit).is_break() {
            break;
        }
    }
    Ok(())
}

/// The commit with this id, if there is one.
pub(crate) fn commit_with_id(snapshot: &dyn Snapshot, id: CommitId) -> Result<Option<Commit>> {
    Ok(snapshot.commits(&[id])?.pop().flatten())
}

/// What one entity held once and holds no longer.
pub(crate) fn history_of(snapshot: &dyn Snapshot, entity: &EntityKey) -> Result<Vec<Past>> {
    Ok(snapshot.history(std::slice::from_ref(entity))?.pop().unwrap_or_default())
}

/// The definitions that are deleted, each as it was last, by id.
pub(crate) fn gone_definitions(snapshot: &dyn Snapshot) -> Result<Vec<Arc<Definition>>> {
    let (catalog, mut lasts) = (snapshot.catalog()?, BTreeMap::new());
    // The versions of one definition come in their order: the last of them stays.
    for PastDefinition { definition, .. } in snapshot.past_definitions(None)? {
        lasts.insert(definition.id(), definition);
    }
    lasts.retain(|id, _| catalog.get(*id).is_none());
    Ok(lasts.into_values().collect())
}

/// How many commits are read in one call together with what they touched.
const COMMITS: u64 = 256;

/// Reads the commits from `next` to `last`, each with what it touched, a page at a time.
///
/// Commit ids are dense, so a missing one is damage. That also bounds the scan: a last id that is far too great ends it at
/// the first commit that does not exist.
pub(crate) struct Commits<'a> {
    snapshot: &'a dyn Snapshot,
    next: u64,
    last: CommitId,
}

impl<'a> Commits<'a> {
    pub(crate) const fn new(snapshot: &'a dyn Snapshot, first: CommitId, last: CommitId) -> Self {
        Self { snapshot, next: first.get(), last }
    }

    /// The next page; none after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<(Commit, Touched)>>> {
        let last = self.last.get().min(self.next.saturating_add(COMMITS - 1));
        if self.next > last {
            return Ok(None);
        }
        let ids: Vec<CommitId> = (self.next..=last).map(CommitId::new).collect();
        self.next = last.saturating_add(1);
        let commits = present(&ids, self.snapshot.commits(&ids)?)?;
        let touched = self.snapshot.touched(&ids)?;
        if touched.len() != ids.len() {
            return Err(Error::corrupt(format!("{} commits were read and {} answered", ids.len(), touched.len())));
        }
        Ok(Some(commits.into_iter().zip(touched).collect()))
    }
}

/// The commits with these ids, all of which must exist.
pub(crate) fn present(ids: &[CommitId], commits: Vec<Option<Commit>>) -> Result<Vec<Commit>> {
    let mut commits = commits.into_iter();
    let one = |id: &CommitId| {
        let found = commits.next().flatten().filter(|commit| commit.id == *id);
        found.ok_or_else(|| Error::corrupt(format!("commit {id} is missing")))
    };
    ids.iter().map(one).collect()
}

/// The last commit that no commit up to it is later than: see [`Snapshot::commit_at`].
pub(crate) fn last_commit_at<S: Snapshot + ?Sized>(snapshot: &S, at: crate::Instant) -> Result<CommitId> {
    let last = snapshot.marks()?.commit.get();
    let mut next = 1;
    while next <= last {
        let ids: Vec<CommitId> = (next..=last).take(PAGE).map(CommitId::new).collect();
        for commit in present(&ids, snapshot.commits(&ids)?)? {
            if commit.at > at {
                return Ok(CommitId::new(commit.id.get() - 1));
            }
        }
        next += ids.len() as u64;
    }
    Ok(CommitId::new(last))
}
