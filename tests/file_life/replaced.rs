//! A file that is deleted, moved or replaced while a store has it open: nothing is acknowledged that nobody will find.
#![cfg(unix)]

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use custom_attributes::{Attributes, Error, SqliteStore};

use crate::{folder, open, prepared, seats, set};

fn beside(path: &Path, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", path.display()))
}

/// What each way of writing says.
fn assert_nothing_is_acknowledged(attributes: &Attributes<SqliteStore>, said: &str) {
    let progress = |_| ControlFlow::Continue(());
    let batch = || attributes.batch().set(("customer", 2), "seats", 9).set(("customer", 3), "seats", 9);
    let submitted: Vec<_> = (0..10).map(|_| batch().submit().unwrap()).collect();
    let mut errors: Vec<Error> = submitted.into_iter().map(|one| one.wait().unwrap_err()).collect();
    errors.push(set(attributes, 2, 9).unwrap_err());
    errors.push(batch().commit().unwrap_err());
    errors.push(batch().commit_with(progress).unwrap_err());
    errors.push(attributes.rebuild_index(progress).unwrap_err());
    errors.push(attributes.of("customer").unwrap().define(custom_attributes::DefinitionSpec::string("late")).unwrap_err());
    for error in errors {
        assert!(matches!(error, Error::FileReplaced { .. }) && error.code() == 50005, "{error:?}");
        let text = error.to_string();
        assert!(text.contains("crm.db") && text.contains(said) && text.contains("nothing was written"), "{text}");
    }
}

#[test]
fn a_deleted_file() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = prepared(&path);
    fs::remove_file(&path).unwrap();
    assert_nothing_is_acknowledged(&attributes, "its file was deleted or moved away");
    drop(attributes);
    assert!(!path.exists());
}

#[test]
fn a_file_that_is_moved_away_and_back() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = prepared(&path);
    fs::rename(&path, folder.path().join("elsewhere.db")).unwrap();
    assert_nothing_is_acknowledged(&attributes, "its file was deleted or moved away");
    fs::rename(folder.path().join("elsewhere.db"), &path).unwrap();
    set(&attributes, 2, 7).unwrap();
    drop(attributes);
    let again = open(&path);
    assert_eq!([1, 2, 3].map(|id| seats(&again, id)), [Some(5), Some(7), None]);
}

#[test]
fn a_file_that_another_one_replaces() {
    let folder = folder();
    let (path, other) = (folder.path().join("crm.db"), folder.path().join("other.db"));
    let attributes = prepared(&path);
    let from = prepared(&other);
    set(&from, 1, 50).unwrap();
    drop(from);
    fs::rename(&other, &path).unwrap();
    assert_nothing_is_acknowledged(&attributes, "another file is in the place of its file, and the log");
    // What has the old one open sees it yet; nobody gets the two mixed up.
    let held: Vec<_> = (0..20).map_while(|_| attributes.snapshot().ok()).collect();
    assert!(held.iter().all(|view| view.get::<i64>(("customer", 1), "seats").unwrap() == Some(5)));
    assert!(held.len() < 20, "a reader more would read the other file");
    drop(held);
    drop(attributes);
    // SQLite leaves the log where it is, and would read it into the other file.
    fs::remove_file(beside(&path, "-wal")).unwrap();
    assert_eq!(seats(&open(&path), 1), Some(50));
}

#[test]
fn a_deleted_or_replaced_log() {
    let folder = folder();
    for (n, (end, said)) in
        [("-wal", "its write-ahead log"), ("-shm", "its index of the write-ahead log")].into_iter().enumerate()
    {
        let path = folder.path().join(format!("{n}-crm.db"));
        let attributes = prepared(&path);
        let (log, aside) = (beside(&path, end), beside(&path, ".aside"));
        fs::rename(&log, &aside).unwrap();
        assert_nothing_is_acknowledged(&attributes, &format!("{said} was deleted"));
        fs::copy(&aside, &log).unwrap();
        assert_nothing_is_acknowledged(&attributes, &format!("another file is in the place of {said}"));
        fs::rename(&aside, &log).unwrap();
        set(&attributes, 2, 7).unwrap();
        drop(attributes);
        assert_eq!(seats(&open(&path), 2), Some(7));
    }
}

#[test]
fn a_link_that_leads_elsewhere_by_now() {
    let folder = folder();
    let (first, second, path) = (folder.path().join("1.db"), folder.path().join("2.db"), folder.path().join("crm.db"));
    drop(prepared(&first));
    drop(prepared(&second));
    symlink(&first, &path).unwrap();
    let attributes = open(&path);
    set(&attributes, 1, 6).unwrap();
    fs::remove_file(&path).unwrap();
    symlink(&second, &path).unwrap();
    assert_nothing_is_acknowledged(&attributes, "another file is in the place of its file, and the log");
    drop(attributes);
    assert_eq!((seats(&open(&first), 1), seats(&open(&second), 1)), (Some(6), Some(5)));
}

#[test]
fn what_a_store_does_to_its_own_files_is_no_replacement() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let (attributes, other) = (prepared(&path), open(&path));
    attributes.purge().unwrap();
    set(&attributes, 1, 6).unwrap();
    other.purge().unwrap();
    set(&other, 1, 7).unwrap();
    set(&attributes, 2, 8).unwrap();
    drop(other);
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    set(&attributes, 3, 9).unwrap();
    assert_eq!([1, 2, 3].map(|id| seats(&attributes, id)), [Some(7), Some(8), Some(9)]);
}
