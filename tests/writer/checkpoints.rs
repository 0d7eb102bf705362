//! The write-ahead log: bounded under load, short when idle, and in nobody's way.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use custom_attributes::Submitted;

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
