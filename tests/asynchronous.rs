//! The asynchronous handle: no task is held up, and what a dropped future leaves is what its documentation says.
#![cfg(all(feature = "sqlite", feature = "tokio"))]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use custom_attributes::{AsyncAttributes, Attributes, DefinitionSpec, Error, FromValue, MemoryStore, SqliteStore, attr};
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

/// Numbers that are the same in each run.
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Polls a future once, or for a while, and drops it.
async fn dropped_early<T>(future: impl Future<Output = custom_attributes::Result<T>>, drawn: &mut Drawn) {
    let mut future = pin!(future);
    match drawn.below(4) {
        0 => _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop())),
        1 => {
            if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
                tokio::task::yield_now().await;
                _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
        }
        _ => _ = timeout(Duration::from_micros(drawn.below(400)), future).await,
    }
}

/// Drops calls of every kind at any moment, sets the same value afterwards, and looks for one that came too late: of the values
/// that were held one after the other, none may be smaller than the one before.
async fn assert_no_dropped_call_overtakes<S>(attributes: AsyncAttributes<S>, seed: u64)
where
    S: custom_attributes::AttributeStore + Send + Sync + 'static,
{
    let mut drawn = Drawn(seed);
    for round in 0..150i64 {
        let (early, late) = (2 * round, 2 * round + 1);
        match drawn.below(5) {
            0 => dropped_early(attributes.set(("customer", 1), "a", early), &mut drawn).await,
            1 => dropped_early(attributes.set_text(("customer", 1), "a", early.to_string()), &mut drawn).await,
            2 => {
                let large = (10..400i64).fold(attributes.batch(), |batch, id| batch.set(("customer", id), "a", early));
                dropped_early(attributes.commit(large.set(("customer", 1), "a", early)), &mut drawn).await;
            }
            3 => {
                let defines = attributes.batch().define("customer", DefinitionSpec::string(format!("c{round}")));
                dropped_early(attributes.commit(defines.set(("customer", 1), "a", early)), &mut drawn).await;
            }
            _ => {
                let work = move |attributes: &Attributes<S>| {
                    std::thread::sleep(Duration::from_micros(200));
                    attributes.of("customer")?.set(1, "a", early)
                };
                dropped_early(attributes.with(work), &mut drawn).await;
            }
        }
        // Now and then by a clone, and through other doors.
        match drawn.below(3) {
            0 => _ = attributes.clone().set(("customer", 1), "a", late).await.unwrap(),
            1 => _ = attributes.with(move |attributes| attributes.of("customer")?.set(1, "a", late)).await.unwrap(),
            _ => _ = attributes.commit(attributes.batch().set(("customer", 1), "a", late)).await.unwrap(),
        }
        assert_eq!(attributes.get::<i64>(("customer", 1), "a").await.unwrap(), Some(late), "round {round}");
    }
    let (mut history, last) = attributes
        .with(|attributes| Ok((attributes.snapshot()?.history(("customer", 1))?, attributes.of("customer")?.get::<i64>(1, "a")?)))
        .await
        .unwrap();
    history.sort_by_key(|version| version.began.commit);
    let held: Vec<i64> = history.into_iter().map(|version| i64::from_value(version.value).unwrap()).collect();
    assert_eq!((held.last().copied(), last), (Some(299), Some(299)));
    assert!(held.len() > 150, "some of the dropped calls were done");
    assert!(held.is_sorted(), "{held:?}");
    attributes.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_dropped_call_does_not_overtake_what_comes_after_it() {
    for seed in 1..4 {
        let folder = tempfile::tempdir().unwrap();
        assert_no_dropped_call_overtakes(service(&folder.path().join("crm.db")).await, seed).await;
        let attributes = Attributes::new(MemoryStore::new());
        attributes.of("customer").unwrap().define(DefinitionSpec::integer("a")).unwrap();
        assert_no_dropped_call_overtakes(AsyncAttributes::new(attributes), seed).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_dropped_call_that_waits_for_room_comes_first_and_reads_wait_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let attributes = service(&path).await;
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut tasks = JoinSet::new();
    for n in 10..30i64 {
        let attributes = attributes.clone();
        tasks.spawn(async move { attributes.set(("customer", n), "a", n).await.unwrap() });
    }
    sleep(Duration::from_millis(200)).await;
    // The queue has room for eight.
    assert!(timeout(Duration::from_millis(100), attributes.set(("customer", 1), "a", 149)).await.is_err());
    let after = attributes.set(("customer", 1), "a", 150);
    let mut after = pin!(after);
    assert!(timeout(Duration::from_millis(200), after.as_mut()).await.is_err());
    assert_eq!(attributes.get::<i64>(("customer", 1), "a").await.unwrap(), None);
    assert_eq!(attributes.view(|view| view.count(&"customer".parse()?)).await.unwrap(), 0);
    drop(other);
    after.await.unwrap();
    assert_eq!(attributes.get::<i64>(("customer", 1), "a").await.unwrap(), Some(150));
    tasks.join_all().await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!(attributes.get::<i64>(("customer", 1), "a").await.unwrap(), Some(150));
}
