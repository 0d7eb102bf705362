//! The asynchronous handle: no task is held up, and what a dropped future leaves is what its documentation says.
#![cfg(all(feature = "sqlite", feature = "tokio"))]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use custom_attributes::{AsyncAttributes, Attributes, DefinitionSpec, Error, MemoryStore, SqliteStore, attr};
use rusqlite::Connection;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

type Service = AsyncAttributes<SqliteStore>;

async fn service(path: &std::path::Path) -> Service {
    let attributes = AsyncAttributes::new(Attributes::new(SqliteStore::options().queue(8).open(path).unwrap()));
    let specs = [DefinitionSpec::integer("a"), DefinitionSpec::integer("b").unique()];
    attributes.with(|attributes| attributes.of("customer")?.ensure(specs)).await.unwrap();
    attributes
}

/// How long the only thread of a runtime is held up at most, while this future runs beside it.
async fn longest_stop(beside: impl Future<Output = ()>) -> Duration {
    let mut longest = Duration::ZERO;
    let mut beside = pin!(beside);
    loop {
        let began = Instant::now();
        tokio::select! {
            biased;
            () = &mut beside => return longest.max(began.elapsed().saturating_sub(Duration::from_millis(1))),
            () = sleep(Duration::from_millis(1)) => longest = longest.max(began.elapsed().saturating_sub(Duration::from_millis(1))),
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_done_daily() {
    let folder = tempfile::tempdir().unwrap();
    let attributes = service(&folder.path().join("crm.db")).await;
    attributes.set(("customer", 1), "a", 5).await.unwrap();
    attributes.set_text(("customer", 2), "a".to_owned(), "7").await.unwrap();
    let batch = attributes.batch().by("ann").set(("customer", 1), "b", 1).set(("customer", 3), "a", 9);
    assert_eq!(attributes.commit(batch).await.unwrap().changes.len(), 2);
    attributes.clear(("customer", 3), "a").await.unwrap();
    assert_eq!(attributes.get::<i64>(("customer", 2), "a").await.unwrap(), Some(7));
    let entity = attributes.entity(("customer", 1)).await.unwrap().unwrap();
    assert_eq!(entity.get::<i64>("b").unwrap(), Some(1));
    assert!(attributes.entity(("customer", 3)).await.unwrap().is_none());
    assert_eq!(attributes.find("customer", attr("a").ge(5)).await.unwrap().entities.len(), 2);
    assert_eq!(attributes.count_found("customer", attr("a").ge(6)).await.unwrap(), 1);

    let refused = attributes.set(("customer", 1), "a", "text").await.unwrap_err();
    assert!(refused.is_invalid() && refused.violations()[0].place.is_none());
    assert!(attributes.set(("customer", 2), "b", 1).await.unwrap_err().is_duplicate());
    assert!(attributes.set(("customer", 2), "c", 1).await.unwrap_err().is_not_found());
    assert!(attributes.get::<i64>(("customer", ""), "a").await.unwrap_err().is_invalid());
}

#[tokio::test(flavor = "current_thread")]
async fn a_task_beside_is_never_held_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let attributes = service(&path).await;
    // Another process has the file: the writer waits, the queue of eight is full, and so are callers held up who do not await.
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let work = async {
        let mut tasks = JoinSet::new();
        for n in 0..40i64 {
            let attributes = attributes.clone();
            tasks.spawn(async move { attributes.set(("customer", n), "a", n).await.unwrap() });
        }
        sleep(Duration::from_millis(500)).await;
        assert!(tasks.try_join_next().is_none(), "nothing is written yet");
        assert_eq!(attributes.count_found("customer", attr("a").ge(0)).await.unwrap(), 0, "reading goes on");
        drop(other);
        while let Some(done) = tasks.join_next().await {
            assert!(done.unwrap().commit.is_some());
        }
    };
    let longest = longest_stop(work).await;
    assert!(longest < Duration::from_millis(250), "the runtime was held up for {longest:?}");
    assert_eq!(attributes.count_found("customer", attr("a").ge(0)).await.unwrap(), 40);
}

#[tokio::test(flavor = "current_thread")]
async fn a_timeout_does_not_take_a_commit_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let attributes = service(&path).await;
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let set = attributes.set(("customer", 1), "a", 5);
    assert!(timeout(Duration::from_millis(100), set).await.is_err());
    drop(other);
    attributes.set(("customer", 2), "a", 6).await.unwrap();
    assert_eq!(attributes.get::<i64>(("customer", 1), "a").await.unwrap(), Some(5));
}

#[tokio::test(flavor = "current_thread")]
async fn a_future_that_is_never_polled_does_nothing_and_one_that_was_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let attributes = service(&path).await;
    drop(attributes.set(("customer", 1), "a", 1));
    {
        let once = pin!(attributes.set(("customer", 2), "a", 2));
        assert!(matches!(once.poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
    }
    attributes.close().await.unwrap();
    // What was begun may be bound on a thread beside the runtime yet.
    let again = service(&path).await;
    let began = Instant::now();
    while again.get::<i64>(("customer", 2), "a").await.unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(again.get::<i64>(("customer", 1), "a").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_write_while_definitions_move() {
    let folder = tempfile::tempdir().unwrap();
    let attributes = service(&folder.path().join("crm.db")).await;
    let mut tasks = JoinSet::new();
    for n in 0..200i64 {
        let attributes = attributes.clone();
        tasks.spawn(async move {
            if n % 20 == 0 {
                let batch = attributes.batch().define("customer", DefinitionSpec::string(format!("c{n}")));
                attributes.commit(batch).await.unwrap();
            }
            attributes.set(("customer", n), "a", n).await.unwrap();
            assert_eq!(attributes.get::<i64>(("customer", n), "a").await.unwrap(), Some(n));
        });
    }
    tasks.join_all().await;
    assert_eq!(attributes.count_found("customer", attr("a").ge(0)).await.unwrap(), 200);
    attributes.with(|attributes| attributes.snapshot()?.verify_index(|fault| panic!("{fault}"))).await.unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn a_panic_of_the_work_comes_out() {
    let attributes = AsyncAttributes::new(Attributes::new(MemoryStore::new()));
    let task = tokio::spawn(async move { attributes.with(|_| -> custom_attributes::Result<()> { panic!("as asked") }).await });
    assert!(task.await.unwrap_err().is_panic());
}

#[test]
fn outside_a_runtime_it_is_an_error() {
    let attributes = AsyncAttributes::new(Attributes::new(MemoryStore::new()));
    let answered = pin!(attributes.get::<i64>(("customer", 1), "a")).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(answered, Poll::Ready(Err(Error::Backend { .. }))));
}

#[test]
fn a_store_in_memory_has_the_same_handle() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let attributes = AsyncAttributes::new(Attributes::new(MemoryStore::new()));
        attributes.blocking().of("customer").unwrap().define(DefinitionSpec::integer("a")).unwrap();
        attributes.set(("customer", 1), "a", 1).await.unwrap();
        assert_eq!(attributes.get::<i64>(("customer", 1), "a").await.unwrap(), Some(1));
        attributes.close().await.unwrap();
    });
}
