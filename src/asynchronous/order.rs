//! The order of the calls of a handle.
//!
//! Work that was begun on a thread for blocking work goes on when the future of its call is dropped. Nothing else would keep such work
//! from being overtaken by a call that begins later, and from undoing then what that one has done. So each call waits for the
//! work of earlier calls whose futures are gone. Calls that are awaited wait for nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

#[derive(Default)]
pub(super) struct Order {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: u64,
    /// Calls whose work is under way.
    working: BTreeSet<u64>,
    /// Those of them whose futures were dropped.
    left_behind: BTreeSet<u64>,
    /// Calls that wait for those, with what wakes them.
    waiting: BTreeMap<u64, Waker>,
}

impl Order {
    /// A call that begins now.
    pub(super) fn begin(self: &Arc<Self>) -> Call {
        let mut state = self.lock();
        state.last += 1;
        Call { order: Arc::clone(self), number: state.last }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call, as long as its future lives.
pub(super) struct Call {
    order: Arc<Order>,
    number: u64,
}

impl Call {
    /// Waits for the work of earlier calls whose futures were dropped.
    pub(super) async fn wait_for_earlier(&self) {
        poll_fn(|context| {
            let mut state = self.order.lock();
            if state.left_behind.first().is_none_or(|earliest| *earliest > self.number) {
                state.waiting.remove(&self.number);
                return Poll::Ready(());
            }
            state.waiting.insert(self.number, context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Work of this call, which is done when this is dropped.
    pub(super) fn work(&self) -> Work {
        self.order.lock().working.insert(self.number);
        Work { order: Arc::clone(&self.order), number: self.number }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut state = self.order.lock();
        state.waiting.remove(&self.number);
        if state.working.contains(&self.number) {
            state.left_behind.insert(self.number);
        }
    }
}

/// Work under way.
pub(super) struct Work {
    order: Arc<Order>,
    number: u64,
}

impl Drop for Work {
    fn drop(&mut self) {
        let mut state = self.order.lock();
        state.working.remove(&self.number);
        let woken = if state.left_behind.remove(&self.number) { std::mem::take(&mut state.waiting) } else { BTreeMap::new() };
        drop(state);
        woken.into_values().for_each(Waker::wake);
    }
}
