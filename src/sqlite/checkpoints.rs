//! Checkpoints: what stands in the write-ahead log is put in its place in the file, beside the commits and not within them.
//!
//! A thread of their own takes them, on a connection of its own: when nobody has written for a moment, and when the log has grown
//! long. The long part is done while others write; what they write meanwhile is done with the writer held, so that the log is
//! through and starts over with the next commit, whatever the load.
//!
//! Only a snapshot that is held for long keeps the log growing. A checkpoint that met one is tried again when a snapshot of this
//! store ends, and from time to time for those of other processes, until all of the log is in the file. A log that has become
//! long is then cut to nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::error::Result;
use crate::sqlite::SqliteOptions;
use crate::sqlite::failure::failed;
use crate::sqlite::open::connect_again;
use crate::sqlite::place::Place;

/// So many pages of the log (16 MB, at SQLite's 4096 bytes each) are no longer short: four times what SQLite takes by itself, as
/// pages that are written often are put in place once for all.
const LONG: usize = 4000;
/// With so many, readers are waited for, which keep the log from beginning anew. Then SQLite takes checkpoints within commits as
/// well, as it does by itself.
const TOO_LONG: usize = 4 * LONG;
/// A log of so many bytes is not kept: as long as [`TOO_LONG`] pages of the usual length.
const LONG_FILE: u64 = 64 << 20;
/// How often is looked how long the log is. If nobody has written meanwhile, it is a good moment.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How long readers are waited for, and with them all writers.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long after the first checkpoint that did not finish the next one is tried; each pause is twice as long as the one before.
const FIRST_PAUSE: Duration = LOOK_AGAIN;
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How often a checkpoint begins again beside the writers, to leave less for when they are held up.
const PASSES: usize = 5;

pub(super) struct Checkpoints {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    place: Arc<Place>,
    options: SqliteOptions,
    writer: Arc<Mutex<Connection>>,
    state: Mutex<State>,
    changed: Condvar,
    /// The last checkpoint did not finish. Whoever ends a snapshot looks here first.
    is_held_up: AtomicBool,
    /// Held while a checkpoint is taken.
    taking: Mutex<()>,
}

#[derive(Default)]
struct State {
    commits: u64,
    /// The commits up to here are where they belong, or were tried.
    settled: u64,
    /// When a checkpoint that did not finish is tried again, and how long the pause after that one is.
    again: Option<(Instant, Duration)>,
    has_thread: bool,
    is_closing: bool,
}

/// What a thread that takes checkpoints wakes up for.
enum Moment {
    /// Somebody has written within the last moment.
    Busy,
    /// Nobody has, or a checkpoint is to be tried again.
    Idle,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic leaves behind here is whole: a connection, whose transaction ends with its guard, or a plain value.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Checkpoints {
    pub(super) fn of(place: Arc<Place>, options: SqliteOptions, writer: Arc<Mutex<Connection>>) -> Result<Self> {
        let raising = lock(&writer).query_row(&format!("PRAGMA wal_autocheckpoint = {TOO_LONG}"), [], |_| Ok(()));
        raising.map_err(failed("configuring a connection"))?;
        let (state, changed, is_held_up, taking) = Default::default();
        let shared = Shared { place, options, writer, state, changed, is_held_up, taking };
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

    /// A snapshot has ended, which may have held up a checkpoint.
    pub(super) fn snapshot_ended(&self) {
        if !self.shared.is_held_up.load(Ordering::Relaxed) {
            return;
        }
        if let Some((when, pause)) = &mut lock(&self.shared.state).again {
            // Not at once: where many snapshots come and go, not each is worth a try.
            (*when, *pause) = ((*when).min(Instant::now() + LOOK_AGAIN), FIRST_PAUSE);
        }
        self.shared.changed.notify_one();
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
        let Ok(connection) = connect_again(&self.place, &self.options) else { return };
        // From here on no commit takes one: not even where a snapshot has let the log grow.
        if lock(&self.writer).query_row("PRAGMA wal_autocheckpoint = 0", [], |_| Ok(())).is_err() {
            return;
        }
        let mut due = LONG;
        while let Some(moment) = self.wait() {
            let seen = lock(&self.state).commits;
            if matches!(moment, Moment::Idle) {
                let is_through = self.take_at_leisure(&connection);
                self.settle(seen, is_through);
                continue;
            }
            let pages = self.look(&connection);
            if pages < LONG {
                due = LONG;
            } else if pages >= due {
                // A snapshot may keep it from beginning anew: then it is not tried again before it has grown as much again.
                due = self.take_under_load(&connection).map_or(pages, |log| log.pages) + LONG;
            }
        }
    }

    /// Until it is time to look. None if it never will be.
    fn wait(&self) -> Option<Moment> {
        let mut state = lock(&self.state);
        while state.commits == state.settled && !state.is_closing {
            let left = state.again.map(|(when, _)| when.saturating_duration_since(Instant::now()));
            state = match left {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return Some(Moment::Idle),
                Some(left) => self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        let seen = state.commits;
        let closing = self.changed.wait_timeout_while(state, LOOK_AGAIN, |state| !state.is_closing);
        let state = closing.unwrap_or_else(PoisonError::into_inner).0;
        let moment = if state.commits == seen { Moment::Idle } else { Moment::Busy };
        (!state.is_closing).then_some(moment)
    }

    /// How many pages the log has. SQLite before 3.51 does not know NOOP and takes a checkpoint instead. `VACUUM` and TRUNCATE fail as
    /// busy at once if they meet it, so it must not run beside [`Checkpoints::hold`].
    fn look(&self, connection: &Connection) -> usize {
        let _taking = lock(&self.taking);
        checkpoint(connection, "NOOP").map_or(0, |log| log.pages)
    }

    /// The commits up to this one are done with, or what is left of them is tried again.
    fn settle(&self, seen: u64, is_through: bool) {
        let mut state = lock(&self.state);
        let pause = match state.again {
            Some((_, pause)) if state.settled == seen => (pause * 2).min(LONGEST_PAUSE),
            _ => FIRST_PAUSE,
        };
        state.settled = seen;
        state.again = (!is_through).then(|| (Instant::now() + pause, pause));
        self.is_held_up.store(!is_through, Ordering::Relaxed);
    }

    /// Whether all of the log is in the file, and the log is not long.
    fn take_at_leisure(&self, connection: &Connection) -> bool {
        let _taking = lock(&self.taking);
        // Nobody is waited for: neither readers nor, with them, writers.
        let is_through = without_waiting(connection) && pass(connection).is_some_and(|log| log.is_through());
        // A log that one large commit, or a snapshot, has left is not kept for ever.
        if !is_through || self.place.length_of_log() <= LONG_FILE {
            return is_through;
        }
        let _nobody_writes = lock(&self.writer);
        checkpoint(connection, "TRUNCATE").is_some_and(|log| !log.is_busy)
    }

    fn take_under_load(&self, connection: &Connection) -> Option<Log> {
        let _taking = lock(&self.taking);
        pass(connection)?;
        let _nobody_writes = lock(&self.writer);
        let log = checkpoint(connection, "PASSIVE")?;
        if log.pages < TOO_LONG {
            return Some(log);
        }
        let kind = if self.place.length_of_log() > LONG_FILE { "TRUNCATE" } else { "RESTART" };
        connection.busy_timeout(PATIENCE).ok()?;
        checkpoint(connection, kind)
    }
}

/// Puts all but little of the log into the file while others write.
fn pass(connection: &Connection) -> Option<Log> {
    let mut log = checkpoint(connection, "PASSIVE")?;
    for _ in 1..PASSES {
        // What is left was written meanwhile, or is held by a snapshot: then the same is left again.
        let before = log.left();
        if before < LONG {
            break;
        }
        log = checkpoint(connection, "PASSIVE")?;
        if log.left() >= before {
            break;
        }
    }
    Some(log)
}

/// The log after a checkpoint.
struct Log {
    is_busy: bool,
    pages: usize,
    in_file: usize,
}

impl Log {
    const fn left(&self) -> usize {
        self.pages.saturating_sub(self.in_file)
    }

    const fn is_through(&self) -> bool {
        !self.is_busy && self.left() == 0
    }
}

fn without_waiting(connection: &Connection) -> bool {
    connection.busy_timeout(Duration::ZERO).is_ok()
}

/// None if it failed.
fn checkpoint(connection: &Connection, kind: &str) -> Option<Log> {
    let pages = |pages: i64| usize::try_from(pages).unwrap_or_default();
    let taken = connection.query_row(&format!("PRAGMA wal_checkpoint({kind})"), [], |row| {
        Ok(Log { is_busy: row.get(0)?, pages: pages(row.get(1)?), in_file: pages(row.get(2)?) })
    });
    taken.ok()
}
