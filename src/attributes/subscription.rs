//! Following the changes of a store within a process.

use std::fmt;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::attributes::Attributes;
use crate::error::Result;
use crate::history::{ChangePage, Position};
use crate::model::CommitId;
use crate::store::AttributeStore;

/// How long a subscription sleeps before it looks for the commits of others.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The last commit that was made through here, and who waits for the next.
#[derive(Debug, Default)]
pub(super) struct Watch {
    last: Mutex<CommitId>,
    moved: Condvar,
}

impl Watch {
    pub(super) fn announce(&self, commit: CommitId) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = (*last).max(commit);
        drop(last);
        self.moved.notify_all();
    }

    /// Waits until there is a commit behind this one, or for as long as is said.
    fn wait(&self, seen: CommitId, most: Duration) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.moved.wait_timeout_while(last, most, |last| *last <= seen);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// Every change of a store in the order of the commits, as they come. It reads what is committed, so it sees nothing that is not
/// kept, holds no writer up however slow it is, and misses nothing.
///
/// ```
/// use std::time::Duration;
/// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
/// let attributes = Attributes::new(MemoryStore::new());
/// let customers = attributes.of("customer")?;
/// customers.define(DefinitionSpec::string("tier"))?;
/// let mut changes = attributes.subscribe()?;
/// customers.set(123, "tier", "basic")?;
/// assert_eq!(changes.next_page(Duration::from_secs(10))?.changes.len(), 1);
/// assert!(changes.next_page(Duration::ZERO)?.changes.is_empty());
/// # Ok::<(), custom_attributes::Error>(())
/// ```
pub struct Subscription<S> {
    attributes: Attributes<S>,
    position: Position,
    limit: usize,
}

impl<S: AttributeStore> Subscription<S> {
    /// Where it stands: behind the last page, to be kept, and gone on from in another process.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Takes up to so many entities a page: 1000 by default, at least one.
    #[must_use]
    pub fn limit(mut self, entities: usize) -> Self {
        self.limit = entities.max(1);
        self
    }

    /// The next changes, as soon as there are any; an empty page if there are none for so long. Commits made through this
    /// [`Attributes`] and its clones wake it at once; those of others, and of other processes, are looked for ten times a second.
    ///
    /// # Errors
    /// A failure of the storage; the next call begins at the same place.
    pub fn next_page(&mut self, wait: Duration) -> Result<ChangePage> {
        let began = Instant::now();
        loop {
            let page = self.attributes.changes_since(self.position, self.limit)?;
            self.position = page.position;
            let left = wait.saturating_sub(began.elapsed());
            if !page.changes.is_empty() || left.is_zero() {
                return Ok(page);
            }
            self.attributes.watch.wait(self.position.commit, left.min(LOOK_AGAIN));
        }
    }
}

impl<S> Attributes<S> {
    /// Wakes who waits for commits up to this one.
    pub(crate) fn announce(&self, commit: CommitId) {
        self.watch.announce(commit);
    }
}

impl<S: AttributeStore + Clone> Attributes<S> {
    /// Follows the changes from now on.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn subscribe(&self) -> Result<Subscription<S>> {
        let last = self.snapshot()?.as_snapshot().marks()?.commit;
        Ok(self.subscribe_from(last))
    }

    /// Follows the changes behind a position, those that are made already first.
    pub fn subscribe_from(&self, position: impl Into<Position>) -> Subscription<S> {
        Subscription { attributes: self.clone(), position: position.into(), limit: 1000 }
    }
}

impl<S> fmt::Debug for Subscription<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("position", &self.position).finish_non_exhaustive()
    }
}
