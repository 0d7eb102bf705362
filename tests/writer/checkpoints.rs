//! The write-ahead log: bounded under load, short when idle, and in nobody's way.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use custom_attributes::{Attributes, SqliteStore, Submitted};
use rusqlite::Connection;

use crate::{assert_index_is_sound, folder, prepared};

const MB: u64 = 1 << 20;

fn length(path: &Path, end: &str) -> u64 {
    let mut file = path.as_os_str().to_owned();
    file.push(end);
    fs::metadata(file).map_or(0, |file| file.len())
}

#[test]
fn the_log_stays_bounded_under_steady_load_and_readers() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = prepared(&path);
    let is_over = AtomicBool::new(false);
    let long = "x".repeat(4000);
    let write = |thread: i64| {
        for round in 0..200i64 {
            let submit = |n: i64| {
                let note = format!("{}{round}", &long[4..]);
                attributes.batch().set(("customer", thread * 1000 + n), "note", note).submit().unwrap()
            };
            let submitted: Vec<_> = (0..64).map(submit).collect();
            submitted.into_iter().for_each(|one: Submitted<'_, _>| _ = one.wait().unwrap());
        }
    };
    let longest = thread::scope(|scope| {
        let writers: Vec<_> = (0..3).map(|thread| scope.spawn(move || write(thread))).collect();
        // Readers that come and go, which keep a log from beginning anew if nobody minds them.
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                let view = attributes.snapshot().unwrap();
                thread::sleep(Duration::from_millis(2));
                view.count(&"customer".parse().unwrap()).unwrap();
            }
        });
        let mut longest = 0;
        while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
            longest = longest.max(length(&path, "-wal"));
            thread::sleep(Duration::from_millis(5));
        }
        is_over.store(true, Ordering::SeqCst);
        longest
    });
    // However long this goes on, the log stays at about half of this bound; without checkpoints under load it grows past it. What
    // is put in the file is 150 MB of texts, of which nearly all has gone to history.
    assert!(length(&path, "") > 80 * MB, "{}", length(&path, ""));
    assert!(longest < 160 * MB, "the log grew to {longest} bytes");
    assert_index_is_sound(&attributes);
}

#[test]
fn an_idle_store_brings_its_log_into_the_file() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = prepared(&path);
    let before = length(&path, "");
    let batch = (0..2000i64).fold(attributes.batch(), |batch, n| batch.set(("customer", n), "a", n));
    batch.commit().unwrap();
    let began = Instant::now();
    while length(&path, "") == before {
        assert!(began.elapsed() < Duration::from_secs(30), "no checkpoint was taken");
        thread::sleep(Duration::from_millis(20));
    }
    // What one large commit has left is not kept for ever.
    let long = "x".repeat(4000);
    let batch = (0..18_000i64).fold(attributes.batch(), |batch, n| batch.set(("customer", n), "note", long.as_str()));
    batch.commit().unwrap();
    assert!(length(&path, "-wal") > 70 * MB, "{}", length(&path, "-wal"));
    let began = Instant::now();
    while length(&path, "-wal") > 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "the log is still {} bytes", length(&path, "-wal"));
        thread::sleep(Duration::from_millis(20));
    }
    attributes.of("customer").unwrap().set(1, "a", 5).unwrap();
    attributes.purge().unwrap();
}

/// Commits texts of about this many megabytes.
fn write(attributes: &Attributes<SqliteStore>, megabytes: i64) {
    for part in 0..megabytes / 20 {
        let long = format!("{part}{}", "x".repeat(3990));
        let batch = (0..5_000i64).fold(attributes.batch(), |batch, n| batch.set(("customer", n), "note", long.as_str()));
        batch.commit().unwrap();
    }
}

fn wait_for_a_short_log(path: &Path, most: Duration) {
    let began = Instant::now();
    while length(path, "-wal") > MB {
        assert!(began.elapsed() < most, "the log is still {} MB long", length(path, "-wal") / MB);
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_log_that_a_snapshot_made_long_is_cut_when_the_snapshot_ends() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = prepared(&path);
    let view = attributes.snapshot().unwrap();
    write(&attributes, 100);
    // Long enough for the pauses between tries to be long: the end of a snapshot of this store is not waited for.
    thread::sleep(Duration::from_millis(3500));
    assert!(length(&path, "-wal") > 100 * MB, "{}", length(&path, "-wal"));
    view.count(&"customer".parse().unwrap()).unwrap();
    drop(view);
    wait_for_a_short_log(&path, Duration::from_secs(30));
    assert_index_is_sound(&attributes);
}

/// Whether the first commit after another connection held a long log up leaves it to the thread of checkpoints.
fn is_left_to_the_thread() -> bool {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = prepared(&path);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN").unwrap();
    other.query_row("SELECT count(*) FROM attr_entity", [], |row| row.get::<_, i64>(0)).unwrap();
    write(&attributes, 100);
    // The thread has tried some times, and waits for a while by now.
    thread::sleep(Duration::from_millis(500));
    let (log, file) = (length(&path, "-wal"), length(&path, ""));
    assert!(log > 100 * MB && file < MB, "{log} {file}");
    other.execute_batch("COMMIT").unwrap();
    attributes.of("customer").unwrap().set(1, "a", 1).unwrap();
    // A commit that took a checkpoint by itself would have brought the log into the file before it returned.
    let is_left = length(&path, "") < MB;
    wait_for_a_short_log(&path, Duration::from_secs(60));
    assert!(length(&path, "") > 10 * MB);
    assert_index_is_sound(&attributes);
    is_left
}

#[test]
fn a_log_that_others_made_long_is_cut_and_no_writer_does_it() {
    // The thread may be quick, or the machine slow: then there is nothing to see.
    assert!((0..5).any(|_| is_left_to_the_thread()));
}
