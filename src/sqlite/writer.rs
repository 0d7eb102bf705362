//! The one writer: who finds it free commits at once, on its own thread; the others hand over to a thread that commits what
//! waits together.
//!
//! The thread is started by the first batch that has to wait, and ends with the last clone of the store. A lone caller so pays
//! for no hand-over, and a store that nobody writes to in parallel has no such thread.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::model::Catalog;
use crate::sqlite::connections::Connections;
use crate::sqlite::group::{self, Job};
use crate::store::{Batch, Receipt, Ticket};

/// A batch of more changes gains nothing from company, and is not copied to be handed over.
const LARGE: usize = 1024;
/// So many changes make up for the wait for the disk: who comes later waits for the next group, and not for ever.
const IN_A_GROUP: usize = 4096;
/// No more than these are waited for before a group begins: more would save next to nothing for each.
const WORTH_WAITING_FOR: usize = 16;
/// How long the next group is waited for at most: half as long as the last one took, as more would cost more than it saves.
const PATIENCE: Duration = Duration::from_millis(1);
/// So many errors are kept that nobody heard of.
const UNHEARD: usize = 100;

pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    connections: Arc<Connections>,
    queue: Mutex<Queue>,
    /// There is something to do.
    work: Condvar,
    /// There is room in the queue again.
    room: Condvar,
    most: usize,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    has_thread: bool,
    is_closing: bool,
    /// How many were just answered, and will be back in a moment if each caller goes on.
    expected: usize,
    /// How long they are waited for.
    until: Option<Instant>,
    unheard: Vec<Error>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> Error {
    Error::backend("handing a batch in", "the store was closed")
}

impl Writer {
    pub(super) fn new(connections: Arc<Connections>, most: usize) -> Self {
        let shared =
            Shared { connections, queue: Mutex::default(), work: Condvar::new(), room: Condvar::new(), most: most.max(1) };
        Self { shared: Arc::new(shared), thread: Mutex::default() }
    }

    /// Commits on this thread if nobody is before it: `alone` does so. Else the batch waits with the others.
    pub(super) fn commit(&self, batch: &Batch, alone: impl FnOnce(&Connection) -> Result<Receipt>) -> Result<Receipt> {
        let is_next = {
            let queue = self.shared.lock();
            if queue.is_closing {
                return Err(closed());
            }
            queue.jobs.is_empty() && queue.expected <= 1
        };
        if is_next && let Some(writer) = self.shared.connections.free_writer()? {
            return alone(&writer);
        }
        if batch.changes().len() > LARGE {
            self.let_pass()?;
            return alone(&*self.shared.connections.writer()?);
        }
        self.submit(batch.clone())?.wait()
    }

    /// Waits for what was handed in before.
    pub(super) fn let_pass(&self) -> Result<()> {
        let queue = self.shared.lock();
        if queue.is_closing {
            return Err(closed());
        }
        if !queue.jobs.is_empty() {
            drop(queue);
            // It changes nothing, whatever it is answered, and is answered behind all others.
            _ = self.submit(Batch::new(&Catalog::default(), crate::Instant::default()))?.wait();
        }
        Ok(())
    }

    pub(super) fn submit(&self, batch: Batch) -> Result<Ticket> {
        self.shared.connections.check_writable()?;
        let mut queue = self.shared.lock();
        loop {
            if queue.is_closing {
                return Err(closed());
            }
            if !queue.has_thread {
                queue.has_thread = true;
                drop(queue);
                let started = self.start();
                queue = self.shared.lock();
                if let Err(error) = started {
                    queue.has_thread = false;
                    return Err(Error::backend("starting the thread of the writer", error));
                }
            } else if queue.jobs.len() >= self.shared.most {
                queue = self.shared.room.wait(queue).unwrap_or_else(PoisonError::into_inner);
            } else {
                break;
            }
        }
        let (ticket, promise) = Ticket::pair();
        queue.jobs.push_back(Job { batch, promise });
        let is_enough = queue.jobs.len() == queue.expected.max(1);
        drop(queue);
        if is_enough {
            self.shared.work.notify_one();
        }
        Ok(ticket)
    }

    fn start(&self) -> std::io::Result<()> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = Arc::clone(&self.shared);
        let started = thread::Builder::new().name("attributes-writer".into()).spawn(move || shared.run())?;
        // One before it has ended, or there would be no need for this one.
        *thread = Some(started);
        Ok(())
    }

    /// Takes no more, does what was handed in, and says what went wrong with batches whose tickets were dropped.
    pub(super) fn close(&self) -> Vec<Error> {
        self.shared.lock().is_closing = true;
        self.shared.work.notify_all();
        self.shared.room.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The last clone may be held by a task that the writer itself wakes and so drops: it cannot wait for itself.
        if let Some(thread) = thread.filter(|running| running.thread().id() != thread::current().id()) {
            _ = thread.join();
        }
        std::mem::take(&mut self.shared.lock().unheard)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

/// Whatever ends the thread, nobody waits for it in vain: its jobs answer when they are dropped, and the next to come starts
/// another.
struct Leaving<'a>(&'a Shared);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.has_thread = false;
        queue.expected = 0;
        let left = std::mem::take(&mut queue.jobs);
        drop(queue);
        drop(left);
        self.0.room.notify_all();
    }
}

impl Shared {
    fn run(&self) {
        let _leaving = Leaving(self);
        while self.wait_for_work() {
            let Ok(writer) = self.connections.writer() else { return };
            // Only now, with the writer at hand: what came while another had it goes along.
            let (mut jobs, began) = (self.take(), Instant::now());
            let answers = group::commit(&self.connections, &writer, &mut jobs);
            drop(writer);
            self.answer(jobs, answers, began.elapsed());
        }
    }

    /// False if there will be none.
    fn wait_for_work(&self) -> bool {
        let mut queue = self.lock();
        loop {
            let left = queue.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
            if !queue.jobs.is_empty() && (queue.jobs.len() >= queue.expected || left.is_zero() || queue.is_closing) {
                return true;
            }
            if queue.jobs.is_empty() && queue.is_closing {
                return false;
            }
            queue = if left.is_zero() {
                (queue.expected, queue.until) = (0, None);
                self.work.wait(queue).unwrap_or_else(PoisonError::into_inner)
            } else {
                self.work.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0
            };
        }
    }

    fn take(&self) -> Vec<Job> {
        let mut queue = self.lock();
        let mut changes = 0;
        let fits = queue.jobs.iter().take_while(|job| {
            let is_first = changes == 0;
            changes += job.batch.changes().len().max(1);
            is_first || changes <= IN_A_GROUP
        });
        let taken = fits.count();
        let was_full = queue.jobs.len() >= self.most;
        let jobs = queue.jobs.drain(..taken).collect();
        drop(queue);
        if was_full {
            self.room.notify_all();
        }
        jobs
    }

    fn answer(&self, jobs: Vec<Job>, answers: Vec<Option<Result<Receipt>>>, took: Duration) {
        let mut queue = self.lock();
        // Said before the first is answered, or it would find the writer free and commit alone, before the others are back.
        queue.expected = jobs.len().min(WORTH_WAITING_FOR);
        queue.until = (queue.expected > 1).then(|| Instant::now() + PATIENCE.min(took / 2));
        drop(queue);
        for (job, answer) in jobs.into_iter().zip(answers) {
            // One without an answer panicked, and says so as it is dropped.
            let Some(answer) = answer else { continue };
            // A waker is the caller's code.
            let unheard = catch_unwind(AssertUnwindSafe(|| job.promise.answer(answer)));
            if let Ok(Some(error)) = unheard {
                let mut queue = self.lock();
                if queue.unheard.len() < UNHEARD {
                    queue.unheard.push(error);
                }
            }
        }
    }
}
