//! Waited for, polled, awaited without a runtime, dropped.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use custom_attributes::store::{Batch, Promise};
use custom_attributes::{
    AttributeStore, Attributes, Clock, DefinitionSpec, Error, MemoryStore, Receipt, SqliteStore, Submitted, SystemClock, Ticket,
};

use crate::{folder, held, prepared};

/// Runs futures on this thread, and counts how often they are woken.
struct ByHand(Thread, AtomicUsize);

impl Wake for ByHand {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.unpark();
    }
}

fn run<F: Future>(future: F) -> (F::Output, usize) {
    let by_hand = Arc::new(ByHand(thread::current(), AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&by_hand));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return (done, by_hand.1.load(Ordering::SeqCst)),
            Poll::Pending => thread::park_timeout(Duration::from_secs(60)),
        }
    }
}

#[test]
fn the_store_and_its_tickets_go_between_threads() {
    fn is_free<T: Send + Sync + 'static>() {}
    is_free::<SqliteStore>();
    is_free::<Attributes<SqliteStore>>();
    is_free::<Ticket>();
    is_free::<Promise>();
    fn is_sent<T: Send>() {}
    is_sent::<Submitted<'static, SqliteStore>>();
}

#[test]
fn many_are_handed_in_before_the_first_is_waited_for() {
    let folder = folder();
    let attributes = prepared(&folder.path().join("crm.db"));
    let submit = |n: i64| attributes.batch().by("ann").set(("customer", n % 50), "a", n).submit().unwrap();
    let receipts: Vec<Receipt> =
        (0..500).map(submit).collect::<Vec<_>>().into_iter().map(|submitted| submitted.wait().unwrap()).collect();
    let ids: Vec<_> = receipts.iter().map(|receipt| receipt.commit.unwrap().get()).collect();
    assert_eq!(
        ids,
        (ids[0]..ids[0] + 500).collect::<Vec<_>>(),
        "one thread's batches are done in order, each a commit of its own"
    );
    assert!((0..50).all(|id| held(&attributes, id) == Some(450 + id)));
    let detail = attributes.of("customer").unwrap().details(7).unwrap();
    assert_eq!((detail[0].modified.commit.get(), detail[0].modified.by.as_deref()), (ids[457], Some("ann")));
}

#[test]
fn a_commit_stands_behind_what_its_thread_handed_in() {
    let folder = folder();
    let attributes = prepared(&folder.path().join("crm.db"));
    for n in 0..200 {
        drop(attributes.batch().set(("customer", 1), "a", 2 * n).submit().unwrap());
        attributes.of("customer").unwrap().set(1, "a", 2 * n + 1).unwrap();
        assert_eq!(held(&attributes, 1), Some(2 * n + 1));
        drop(attributes.batch().set(("customer", 1), "a", -n).submit().unwrap());
        let told = attributes.batch().set(("customer", 1), "a", n).commit_with(|_| std::ops::ControlFlow::Continue(()));
        told.unwrap();
        assert_eq!(held(&attributes, 1), Some(n));
    }
}

#[test]
fn tickets_are_polled() {
    let folder = folder();
    let attributes = prepared(&folder.path().join("crm.db"));
    let mut submitted = attributes.batch().set(("customer", 1), "a", 1).submit().unwrap();
    let began = Instant::now();
    let answer = loop {
        if let Some(answer) = submitted.try_take() {
            break answer;
        }
        assert!(began.elapsed() < Duration::from_secs(60));
        thread::yield_now();
    };
    assert!(answer.unwrap().commit.is_some());
    assert!(submitted.try_take().is_none() && submitted.is_done(), "an answer is given once");
}

#[test]
fn tickets_are_awaited_without_a_runtime() {
    let folder = folder();
    let attributes = prepared(&folder.path().join("crm.db"));
    let (receipts, woken) = run(async {
        let submitted: Vec<_> = (0..100i64).map(|n| attributes.batch().set(("customer", n), "a", n).submit().unwrap()).collect();
        let mut receipts = Vec::new();
        for one in submitted {
            receipts.push(one.await.unwrap());
        }
        receipts
    });
    assert_eq!(receipts.len(), 100);
    assert!(woken <= 100, "{woken}: nobody is woken in vain");
    assert!((0..100).all(|n| held(&attributes, n) == Some(n)));
}

#[test]
fn a_ticket_moves_between_tasks_and_wakes_the_last() {
    let (mut ticket, promise) = Ticket::pair();
    let wakers = [(); 2].map(|()| Arc::new(ByHand(thread::current(), AtomicUsize::new(0))));
    for by_hand in &wakers {
        let waker = Waker::from(Arc::clone(by_hand));
        assert!(Pin::new(&mut ticket).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert!(ticket.wait_for(Duration::from_millis(1)).is_none());
    let waker = Waker::from(Arc::clone(&wakers[1]));
    assert!(Pin::new(&mut ticket).poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(promise.answer(Err(Error::Stopped)).is_none());
    assert_eq!(wakers.map(|one| one.1.load(Ordering::SeqCst)), [0, 1]);
    assert!(matches!(ticket.wait(), Err(Error::Stopped)));
}

#[test]
fn a_promise_that_is_not_kept_is_an_error_and_no_hang() {
    let (ticket, promise) = Ticket::pair();
    let waiting = thread::spawn(|| ticket.wait());
    drop(promise);
    assert!(matches!(waiting.join().unwrap(), Err(Error::Backend { .. })));
    let (ticket, mut promise) = Ticket::pair();
    promise.put_in_doubt();
    drop(promise);
    assert!(matches!(ticket.wait(), Err(Error::CommitOutcomeUnknown { .. })));
    let (ticket, promise) = Ticket::pair();
    drop(ticket);
    assert!(matches!(promise.answer(Err(Error::Stopped)), Some(Error::Stopped)));
}

#[test]
fn a_ticket_of_a_panicking_batch_is_answered_and_the_writer_goes_on() {
    let folder = folder();
    let attributes = prepared(&folder.path().join("crm.db"));
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("the waker of a host");
        }
    }
    for n in 0..20 {
        let mut submitted = attributes.batch().set(("customer", n), "a", n).submit().unwrap();
        let waker = Waker::from(Arc::new(Panics));
        _ = Pin::new(&mut submitted).poll(&mut Context::from_waker(&waker));
        drop(submitted);
        attributes.batch().set(("customer", 100 + n), "a", n).submit().unwrap().wait().unwrap();
        assert_eq!(held(&attributes, n), Some(n));
    }
}

#[test]
fn dropped_tickets_cancel_nothing() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = prepared(&path);
    for n in 0..300 {
        drop(attributes.batch().set(("customer", n), "a", n).submit().unwrap());
    }
    drop(attributes);
    let attributes = prepared(&path);
    assert!((0..300).all(|n| held(&attributes, n) == Some(n)), "the store writes what it was given before it is gone");
}

#[test]
fn definitions_may_move_while_a_batch_waits() {
    let folder = folder();
    let attributes = prepared(&folder.path().join("crm.db"));
    let customers = attributes.of("customer").unwrap();
    let mut waiting = Vec::new();
    for n in 0..30i64 {
        waiting.push((n, attributes.batch().set(("customer", n), "a", n).submit().unwrap()));
        waiting.push((n + 100, attributes.batch().set(("customer", n + 100), "a", n).submit().unwrap()));
        drop(attributes.batch().define("customer", DefinitionSpec::string(format!("c{n}"))).submit().unwrap());
    }
    for (n, submitted) in waiting {
        // One by each way of waiting.
        let receipt = if n < 100 { submitted.wait() } else { run(submitted).0 };
        assert!(receipt.unwrap().commit.is_some());
        assert_eq!(customers.get::<i64>(n, "a").unwrap(), Some(n % 100));
    }
}

#[test]
fn what_can_be_told_at_once_is_told_at_once() {
    let folder = folder();
    let attributes = prepared(&folder.path().join("crm.db"));
    let refused = attributes.batch().set(("customer", 1), "a", "text").set(("customer", 1), "unknown", 1).submit().unwrap_err();
    assert_eq!(refused.violations().iter().map(|violation| violation.place).collect::<Vec<_>>(), [Some(0), Some(1)]);
    let store = SqliteStore::options().read_only().open(folder.path().join("crm.db")).unwrap();
    let batch = Batch::new(&store.catalog().unwrap(), SystemClock.now());
    assert!(matches!(store.submit(batch), Err(Error::ReadOnly)));
}

#[test]
fn a_store_that_knows_no_better_commits_at_once() {
    let attributes = Attributes::new(Arc::new(MemoryStore::new()));
    attributes.of("customer").unwrap().define(DefinitionSpec::integer("a")).unwrap();
    let submitted = attributes.batch().set(("customer", 1), "a", 1).submit().unwrap();
    assert!(submitted.is_done());
    assert_eq!(attributes.of("customer").unwrap().get::<i64>(1, "a").unwrap(), Some(1));
    assert!(submitted.wait().unwrap().commit.is_some());
}

#[test]
fn a_store_in_memory_has_the_same_writer() {
    let attributes = Attributes::new(SqliteStore::in_memory().unwrap());
    crate::define(&attributes);
    let submit = |n: i64| attributes.batch().set(("customer", n), "a", n).submit().unwrap();
    let submitted: Vec<_> = (0..100).map(submit).collect();
    submitted.into_iter().for_each(|one| _ = one.wait().unwrap());
    assert!((0..100).all(|n| held(&attributes, n) == Some(n)));
}
