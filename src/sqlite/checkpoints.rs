//! Checkpoints: what stands in the write-ahead log is put in its place in the file, beside the commits and not within them.
//!
//! A thread of their own takes them, on a connection of its own: when nobody has written for a moment, and when the log has grown
//! long. The long part is done while others write; what they write meanwhile is done with the writer held, so that the log is
//! through and begins anew with the next commit, whatever the load. Only a snapshot that is held for long keeps it growing.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use crate::error::Result;
use crate::sqlite::SqliteOptions;
use crate::sqlite::failure::failed;
use crate::sqlite::open::connect;

/// So many pages of the log (16 MB, at SQLite's 4096 bytes each) are no longer short: four times what SQLite takes by itself, as
/// pages that are written often are put in place once for all.
const LONG: usize = 4000;
/// With so many, readers are waited for, which keep the log from beginning anew. Then SQLite takes checkpoints within commits as
/// well, as it does by itself.
const TOO_LONG: usize = 4 * LONG;
const PAGE_BYTES: usize = 4096;
/// How often is looked how long the log is. If nobody has written meanwhile, it is a good moment.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How long readers are waited for, and with them all writers.
const PATIENCE: Duration = Duration::from_millis(100);

pub(super) struct Checkpoints {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    path: PathBuf,
    options: SqliteOptions,
    writer: Arc<Mutex<Connection>>,
    state: Mutex<State>,
    changed: Condvar,
    /// Held while a checkpoint is taken.
    taking: Mutex<()>,
}

#[derive(Default)]
struct State {
    commits: u64,
    /// The commits up to here are where they belong, or were tried.
    settled: u64,
    has_thread: bool,
    is_closing: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Checkpoints {
    pub(super) fn of(path: PathBuf, options: SqliteOptions, writer: Arc<Mutex<Connection>>) -> Result<Self> {
        let raising = lock(&writer).query_row(&format!("PRAGMA wal_autocheckpoint = {TOO_LONG}"), [], |_| Ok(()));
        raising.map_err(failed("configuring a connection"))?;
        let (state, changed, taking) = (Mutex::default(), Condvar::new(), Mutex::default());
        let shared = Shared { path, options, writer, state, changed, taking };
        Ok(Self { shared: Arc::new(shared), thread: Mutex::default() })
    }

    /// None is taken as long as this is held. It is asked for before the writer.
    pub(super) fn hold(&self) -> MutexGuard<'_, ()> {
        lock(&self.shared.taking)
    }

    pub(super) fn committed(&self) {
        let mut state = lock(&self.shared.state);
        let was_settled = state.commits == state.settled;
        state.commits += 1;
        if !state.has_thread {
            state.has_thread = true;
            drop(state);
            self.start();
        } else if was_settled {
            drop(state);
            self.shared.changed.notify_one();
        }
    }

    /// Without a thread SQLite takes them; the next commit tries again.
    fn start(&self) {
        let shared = Arc::clone(&self.shared);
        let started = thread::Builder::new().name("attributes-checkpoints".into()).spawn(move || shared.run());
        if started.is_err() {
            lock(&self.shared.state).has_thread = false;
        }
        *lock(&self.thread) = started.ok();
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        lock(&self.shared.state).is_closing = true;
        self.shared.changed.notify_all();
        if let Some(thread) = lock(&self.thread).take().filter(|running| running.thread().id() != thread::current().id()) {
            _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self) {
        // Where one of these fails, SQLite goes on taking checkpoints.
        let Ok(connection) = connect(&self.path, &self.options) else { return };
        if connection.busy_timeout(PATIENCE).is_err() {
            return;
        }
        let mut due = LONG;
        while let Some(is_idle) = self.wait() {
            let seen = lock(&self.state).commits;
            if is_idle {
                self.take_at_leisure(&connection);
                lock(&self.state).settled = seen;
                continue;
            }
            // Older releases of SQLite do not know how to only look, and take one.
            let pages = pages_after(&connection, "NOOP").unwrap_or_default();
            if pages < LONG {
                due = LONG;
            } else if pages >= due {
                // A snapshot may keep it from beginning anew: then it is not tried again before it has grown as much again.
                due = self.take_under_load(&connection).unwrap_or(pages) + LONG;
            }
        }
    }

    /// Until it is time to look. None if it never will be; else whether nobody writes.
    fn wait(&self) -> Option<bool> {
        let mut state = lock(&self.state);
        while state.commits == state.settled && !state.is_closing {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let seen = state.commits;
        let closing = self.changed.wait_timeout_while(state, LOOK_AGAIN, |state| !state.is_closing);
        let state = closing.unwrap_or_else(PoisonError::into_inner).0;
        (!state.is_closing).then_some(state.commits == seen)
    }

    fn take_at_leisure(&self, connection: &Connection) {
        let _taking = lock(&self.taking);
        pages_after(connection, "PASSIVE");
        // A log that one large commit has left is not kept for ever.
        if length_of_log(&self.path) > TOO_LONG * PAGE_BYTES {
            let _nobody_writes = lock(&self.writer);
            pages_after(connection, "TRUNCATE");
        }
    }

    fn take_under_load(&self, connection: &Connection) -> Option<usize> {
        let _taking = lock(&self.taking);
        pages_after(connection, "PASSIVE")?;
        let _nobody_writes = lock(&self.writer);
        let pages = pages_after(connection, "PASSIVE")?;
        if pages >= TOO_LONG { pages_after(connection, "RESTART") } else { Some(pages) }
    }
}

/// How many pages the log has after a checkpoint of this kind; none if it failed.
fn pages_after(connection: &Connection, kind: &str) -> Option<usize> {
    let pages = connection.query_row(&format!("PRAGMA wal_checkpoint({kind})"), [], |row| row.get::<_, i64>(1)).ok()?;
    usize::try_from(pages).ok()
}

fn length_of_log(path: &Path) -> usize {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let length = std::fs::metadata(log).map_or(0, |file| file.len());
    usize::try_from(length).unwrap_or(usize::MAX)
}
