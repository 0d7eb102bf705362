//! The answer to a batch that was handed in, before there is one.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};
use std::{fmt, mem};

use crate::error::{Error, Result};
use crate::store::Receipt;

/// A batch that was handed in with [`super::AttributeStore::submit`]: waited for, asked now and then, or awaited, on any runtime
/// or none. Dropping it does not take the batch back.
///
/// ```
/// use custom_attributes::model::Catalog;
/// use custom_attributes::store::Batch;
/// use custom_attributes::{AttributeStore, Clock, MemoryStore, SystemClock};
/// let store = MemoryStore::new();
/// let batch = Batch::new(&*store.catalog()?, SystemClock.now());
/// assert_eq!(store.submit(batch)?.wait()?.commit, None);
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[must_use = "the answer is lost, and with it the error of a batch that was refused"]
pub struct Ticket {
    slot: Arc<Slot>,
}

/// The duty to answer a [`Ticket`], for backends. One that is dropped unanswered answers with an error, so nobody waits in vain.
pub struct Promise {
    /// None once it is answered.
    slot: Option<Arc<Slot>>,
    is_in_doubt: bool,
}

#[derive(Default)]
struct Slot {
    state: Mutex<State>,
}

#[derive(Default)]
enum State {
    #[default]
    Open,
    Awaited(Waker),
    Answered(Result<Receipt>),
    Taken,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, answer: Result<Receipt>) {
        let before = mem::replace(&mut *self.lock(), State::Answered(answer));
        // The lock is free by now: who is woken may look at once.
        if let State::Awaited(waker) = before {
            waker.wake();
        }
    }
}

/// Wakes a thread that has parked itself.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

impl Ticket {
    /// A ticket that is not answered yet, and the promise to do so.
    pub fn pair() -> (Self, Promise) {
        let slot = Arc::<Slot>::default();
        (Self { slot: Arc::clone(&slot) }, Promise { slot: Some(slot), is_in_doubt: false })
    }

    /// A ticket that is answered already.
    pub fn ready(answer: Result<Receipt>) -> Self {
        Self { slot: Arc::new(Slot { state: Mutex::new(State::Answered(answer)) }) }
    }

    /// Whether there is an answer.
    pub fn is_done(&self) -> bool {
        matches!(*self.slot.lock(), State::Answered(_) | State::Taken)
    }

    /// The answer, if it is there. It is given once.
    pub fn try_take(&mut self) -> Option<Result<Receipt>> {
        let mut state = self.slot.lock();
        if !matches!(*state, State::Answered(_)) {
            return None;
        }
        match mem::replace(&mut *state, State::Taken) {
            State::Answered(answer) => Some(answer),
            _ => None,
        }
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// Those of [`super::AttributeStore::commit`]; [`Error::Backend`] if the writer ended before it came to the batch.
    pub fn wait(mut self) -> Result<Receipt> {
        loop {
            if let Some(answer) = self.park(None) {
                return answer;
            }
        }
    }

    /// Waits for the answer, for as long as is said; none if it is not there by then, and the ticket is as it was.
    pub fn wait_for(&mut self, most: Duration) -> Option<Result<Receipt>> {
        self.park(Instant::now().checked_add(most))
    }

    fn park(&mut self, until: Option<Instant>) -> Option<Result<Receipt>> {
        if let Some(answer) = self.try_take() {
            return Some(answer);
        }
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(answer) = Pin::new(&mut *self).poll(&mut context) {
                return Some(answer);
            }
            match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => thread::park(),
                Some(Duration::ZERO) => return None,
                Some(left) => thread::park_timeout(left),
            }
        }
    }
}

impl Future for Ticket {
    type Output = Result<Receipt>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.slot.lock();
        match &mut *state {
            State::Answered(_) => {}
            State::Taken => return Poll::Ready(Err(Error::backend("waiting for a commit", "its answer was given before"))),
            State::Awaited(waker) => {
                waker.clone_from(context.waker());
                return Poll::Pending;
            }
            State::Open => {
                *state = State::Awaited(context.waker().clone());
                return Poll::Pending;
            }
        }
        drop(state);
        self.get_mut().try_take().map_or(Poll::Pending, Poll::Ready)
    }
}

impl Promise {
    /// From here on it is not known whether the batch is kept, until it is answered: the last step of its commit begins.
    pub const fn put_in_doubt(&mut self) {
        self.is_in_doubt = true;
    }

    /// Answers. Gives back an error that nobody will hear of, since the ticket is gone.
    pub fn answer(mut self, answer: Result<Receipt>) -> Option<Error> {
        let slot = self.slot.take()?;
        let is_heard = Arc::strong_count(&slot) > 1;
        match answer {
            Err(error) if !is_heard => Some(error),
            answer => {
                slot.answer(answer);
                None
            }
        }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        slot.answer(Err(if self.is_in_doubt {
            Error::commit_outcome_unknown("the writer ended in the middle of the commit")
        } else {
            Error::backend("committing", "the writer ended before it came to this batch, and nothing was changed")
        }));
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("is_done", &self.is_done()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").field("is_in_doubt", &self.is_in_doubt).finish_non_exhaustive()
    }
}
