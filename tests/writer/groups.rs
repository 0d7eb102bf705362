//! What happens among batches that are committed together.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use custom_attributes::{AttributeStore, Attributes, Error, Limits, Revision, SqliteStore};
use rusqlite::Connection;

use crate::{assert_index_is_sound, define, folder, held, prepared};

/// Keeps all writers of the file waiting while it lives: what is handed in meanwhile comes to be one group.
fn held_up(path: &std::path::Path) -> Connection {
    let other = Connection::open(path).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[test]
fn a_refused_batch_harms_no_other_of_its_group() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = prepared(&path);
    let other = held_up(&path);
    let mut submitted = Vec::new();
    for n in 0..90i64 {
        let batch = attributes.batch().set(("customer", n), "a", n);
        // The second of three claims the value of the first; the third expects what is not so.
        submitted.push(match n % 3 {
            0 => batch.set(("customer", n), "b", n).submit().unwrap(),
            1 => batch.set(("customer", n), "b", n - 1).submit().unwrap(),
            _ => batch.expect_revision(("customer", n - 2), Revision::ABSENT).submit().unwrap(),
        });
    }
    assert!(!submitted[89].is_done());
    drop(other);
    for (n, one) in (0..).zip(submitted) {
        let answer = one.wait();
        match n % 3 {
            0 => assert!(answer.unwrap().commit.is_some()),
            1 => assert!(answer.unwrap_err().is_duplicate()),
            _ => assert!(answer.unwrap_err().is_conflict()),
        }
        assert_eq!(held(&attributes, n).is_some(), n % 3 == 0, "{n}");
    }
    assert_index_is_sound(&attributes);
}

#[test]
fn each_batch_of_a_group_sees_those_before_it() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = prepared(&path);
    let other = held_up(&path);
    let claim = |id: i64| attributes.batch().set(("customer", id), "b", 7).submit().unwrap();
    let give_up = |id: i64| attributes.batch().clear(("customer", id), "b").submit().unwrap();
    let submitted = [claim(1), claim(2), give_up(1), claim(2), claim(1)];
    let erased = attributes.batch().erase_entity(("customer", 2)).submit().unwrap();
    let again = attributes.batch().expect_revision(("customer", 2), Revision::ABSENT).set(("customer", 2), "a", 1).submit();
    drop(other);
    assert_eq!(submitted.map(|one| one.wait().is_ok()), [true, false, true, true, false]);
    erased.wait().unwrap();
    assert_eq!(again.unwrap().wait().unwrap().entities[0].revision, Revision::new(1));
    let keys = attributes.of("customer").unwrap().find_keys(custom_attributes::attr("a").eq(1)).unwrap().keys;
    assert_eq!(keys[0].to_string(), "customer/2");
    assert_index_is_sound(&attributes);
}

#[test]
fn undefined_names_are_defined_once_from_many_threads() {
    let folder = folder();
    let attributes = Attributes::new(SqliteStore::open(folder.path().join("crm.db")).unwrap());
    let attributes = attributes.with_limits(Limits::key_value()).unwrap();
    thread::scope(|scope| {
        for thread in 0..8i64 {
            let attributes = &attributes;
            scope.spawn(move || {
                for n in 0..20 {
                    attributes.of("customer").unwrap().set(thread, &format!("key {}", (n + thread) % 20), "x").unwrap();
                }
            });
        }
    });
    let snapshot = attributes.snapshot().unwrap();
    assert_eq!(snapshot.catalog().of(&"customer".parse().unwrap()).len(), 20);
    assert!((0..8i64).all(|thread| snapshot.entity(("customer", thread)).unwrap().unwrap().iter().count() == 20));
    drop(snapshot);
    assert_index_is_sound(&attributes);
}

#[test]
fn readers_see_whole_commits_while_groups_are_written() {
    let folder = folder();
    let attributes = prepared(&folder.path().join("crm.db"));
    let is_over = AtomicBool::new(false);
    let write = |thread: i64| {
        for n in 0..150i64 {
            let batch = attributes.batch().set(("customer", thread), "a", n).set(("customer", thread + 100), "a", n);
            if n % 3 == 0 { batch.commit().map(drop) } else { batch.submit().and_then(|one| one.wait().map(drop)) }.unwrap();
        }
    };
    let read = || {
        while !is_over.load(Ordering::SeqCst) {
            let view = attributes.snapshot().unwrap();
            for thread in 0..6i64 {
                let get = |id: i64| view.get::<i64>(("customer", id), "a").unwrap();
                assert_eq!(get(thread), get(thread + 100));
            }
        }
    };
    thread::scope(|scope| {
        let writers: Vec<_> = (0..6).map(|thread| scope.spawn(move || write(thread))).collect();
        scope.spawn(read);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        is_over.store(true, Ordering::SeqCst);
    });
    let marks = attributes.store().snapshot().unwrap().marks().unwrap();
    assert_eq!(marks.commit.get(), 1 + 6 * 150);
    assert_index_is_sound(&attributes);
}

#[test]
fn a_file_that_stays_busy_is_said_to_be_and_keeps_nothing() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let store = SqliteStore::options().busy_timeout(Duration::from_millis(50)).open(&path).unwrap();
    let attributes = Attributes::new(store);
    define(&attributes);
    let other = held_up(&path);
    let submit = |n: i64| attributes.batch().set(("customer", n), "a", n).submit().unwrap();
    let submitted: Vec<_> = (0..50).map(submit).collect();
    for one in submitted {
        assert!(matches!(one.wait(), Err(Error::Busy { waited, .. }) if waited >= Duration::from_millis(40)));
    }
    drop(other);
    assert!((0..50).all(|n| held(&attributes, n).is_none()));
    (0..50).map(submit).collect::<Vec<_>>().into_iter().for_each(|one| _ = one.wait().unwrap());
    assert!((0..50).all(|n| held(&attributes, n) == Some(n)));
}

#[test]
fn a_full_queue_holds_its_callers_up() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = Attributes::new(SqliteStore::options().queue(4).open(&path).unwrap());
    define(&attributes);
    let other = held_up(&path);
    let submit = |n: i64| attributes.batch().set(("customer", n), "a", n).submit().unwrap();
    // The writer takes the first out of the queue, and is held up with it.
    let first = submit(0);
    thread::sleep(Duration::from_millis(200));
    assert!(!first.is_done());
    let waiting: Vec<_> = (1..=4).map(submit).collect();
    let began = Instant::now();
    thread::scope(|scope| {
        let one_more = scope.spawn(|| submit(5));
        thread::sleep(Duration::from_millis(300));
        assert!(!one_more.is_finished(), "there is no room");
        drop(other);
        one_more.join().unwrap().wait().unwrap();
        assert!(began.elapsed() < Duration::from_secs(9));
    });
    waiting.into_iter().for_each(|one| _ = one.wait().unwrap());
    assert!((0..=5).all(|n| held(&attributes, n) == Some(n)));
}

#[test]
fn long_commits_go_between_groups() {
    let folder = folder();
    let attributes = prepared(&folder.path().join("crm.db"));
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..10i64 {
                let large = (0..1500).fold(attributes.batch(), |batch, id| batch.set(("customer", id), "a", n));
                large.commit().unwrap();
                attributes.rebuild_index(|_| ControlFlow::Continue(())).unwrap();
            }
        });
        for thread in 0..4i64 {
            let attributes = &attributes;
            scope.spawn(move || {
                (0..100).for_each(|n| _ = attributes.of("customer").unwrap().set(5000 + thread, "a", n).unwrap());
            });
        }
    });
    assert!((0..1500).all(|id| held(&attributes, id) == Some(9)));
    assert!((0..4).all(|thread| held(&attributes, 5000 + thread) == Some(99)));
    assert_index_is_sound(&attributes);
}

#[test]
fn each_of_a_group_is_told_of_damage_by_its_own_code() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = prepared(&path);
    let other = held_up(&path);
    let submit = |n: i64| attributes.batch().set(("customer", n), "a", n).submit().unwrap();
    let submitted: Vec<_> = (0..20).map(submit).collect();
    // Definitions that cannot be read: all batches meet them before the first is looked at.
    other.execute_batch("UPDATE attr_definition SET spec = '{'; UPDATE attr_state SET catalog = catalog + 1; COMMIT").unwrap();
    for one in submitted {
        let error = one.wait().unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }) && error.code() == 50002, "{error:?}");
    }
}
