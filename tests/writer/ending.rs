//! Closing and dropping: nothing that was handed in is lost in silence, and nothing is left behind.

use std::future::Future as _;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use custom_attributes::{AttributeStore, Attributes, Clock, Error, SqliteStore, SystemClock, store::Batch};

use crate::{define, folder, held, prepared};

#[test]
fn closing_writes_what_was_handed_in_and_tells_what_nobody_heard() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = prepared(&path);
    let store = attributes.store().clone();
    for n in 0..100i64 {
        drop(attributes.batch().set(("customer", n), "a", n).set(("customer", n), "b", n / 2).submit().unwrap());
    }
    let heard = attributes.batch().set(("customer", 100), "b", 0).submit().unwrap();
    let unheard = store.close();
    assert_eq!(unheard.len(), 50);
    assert!(unheard.iter().all(Error::is_duplicate));
    assert!(heard.wait().unwrap_err().is_duplicate(), "who kept the ticket is told, also when the store is closed");
    assert!((0..100).all(|n| held(&attributes, n).is_some() == (n % 2 == 0)), "reading goes on");
    let refused = [
        attributes.batch().set(("customer", 1), "a", 1).submit().map(drop).unwrap_err(),
        attributes.of("customer").unwrap().set(1, "a", 1).map(drop).unwrap_err(),
        attributes
            .batch()
            .set(("customer", 1), "a", 1)
            .commit_with(|_| std::ops::ControlFlow::Continue(()))
            .map(drop)
            .unwrap_err(),
    ];
    for error in refused {
        assert!(matches!(error, Error::Backend { .. }), "{error:?}");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the store was closed");
    }
}

#[test]
fn callers_that_wait_for_room_are_told_when_it_closes() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = Attributes::new(SqliteStore::options().queue(1).open(&path).unwrap());
    define(&attributes);
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let submit = |n: i64| attributes.batch().set(("customer", n), "a", n).submit();
    let first = submit(1).unwrap();
    thread::sleep(Duration::from_millis(100));
    let second = submit(2).unwrap();
    thread::scope(|scope| {
        let third = scope.spawn(|| submit(3));
        thread::sleep(Duration::from_millis(100));
        let closing = scope.spawn(|| attributes.store().clone().close());
        assert!(third.join().unwrap().is_err());
        drop(other);
        assert!(closing.join().unwrap().is_empty());
    });
    assert!(first.wait().is_ok() && second.wait().is_ok());
}

/// A task that holds the last clone of the store, and lets go of it when it is woken: on the thread of the writer.
struct Task(std::sync::Mutex<Option<SqliteStore>>);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        drop(self.0.lock().unwrap().take());
    }
}

#[test]
fn the_writer_may_wake_who_holds_the_last_clone() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    drop(prepared(&path));
    for _ in 0..20 {
        let store = SqliteStore::open(&path).unwrap();
        let batch = Batch::new(&store.catalog().unwrap(), SystemClock.now());
        let mut ticket = store.submit(batch).unwrap();
        let task = Arc::new(Task(std::sync::Mutex::new(Some(store))));
        let waker = Waker::from(Arc::clone(&task));
        if std::pin::Pin::new(&mut ticket).poll(&mut Context::from_waker(&waker)).is_pending() {
            let began = Instant::now();
            while !ticket.is_done() {
                assert!(began.elapsed() < Duration::from_secs(30), "the writer waits for itself");
                thread::yield_now();
            }
        }
    }
}
