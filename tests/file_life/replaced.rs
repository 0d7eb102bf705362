//! A file that is deleted, moved or replaced while a store has it open: nothing is acknowledged that nobody will find.
#![cfg(unix)]

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use custom_attributes::{Attributes, Error, MemoryStore, SqliteStore};

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
    errors.push(attributes.purge().unwrap_err());
    errors.push(attributes.of("customer").unwrap().define(custom_attributes::DefinitionSpec::string("late")).unwrap_err());
    for error in errors {
        assert!(matches!(error, Error::FileReplaced { .. }) && error.code() == 50005, "{error:?}");
        let text = error.to_string();
        assert!(text.contains("crm.db") && text.contains(said) && text.contains("changed nothing"), "{text}");
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
fn a_copy_or_an_import_into_a_deleted_file() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let progress = |_| ControlFlow::Continue(());
    let attributes = prepared(&path);
    let more = Attributes::new(MemoryStore::new());
    attributes.copy_to(more.store(), progress).unwrap();
    more.of("customer").unwrap().set(2, "seats", 7).unwrap();
    let mut export = Vec::new();
    more.export(&mut export, progress).unwrap();
    fs::remove_file(&path).unwrap();
    let copied = more.copy_to(attributes.store(), progress).unwrap_err();
    let imported = attributes.import(&export[..], progress).unwrap_err();
    assert_eq!((copied.code(), imported.code()), (50005, 50005), "{copied} {imported}");
}

#[test]
fn the_error_says_what_to_do() {
    let folder = folder();
    let (path, aside) = (folder.path().join("crm.db"), folder.path().join("aside.db"));
    let attributes = prepared(&path);
    let said = || set(&attributes, 2, 9).unwrap_err().to_string();
    fs::rename(&path, &aside).unwrap();
    let gone = said();
    assert!(gone.contains("if it was moved, move it back") && gone.contains("if it was deleted, save"), "{gone}");
    assert!(gone.contains("`SqliteStore::backup` before you close it"), "{gone}");
    fs::copy(&aside, &path).unwrap();
    let replaced = said();
    assert!(replaced.contains("decide which of the two is meant: move the old one back, or close the store"), "{replaced}");
}

#[test]
fn a_deleted_file_is_still_backed_up() {
    let folder = folder();
    for (n, (end, has_reader)) in [("", true), ("", false), ("-wal", true), ("-wal", false)].into_iter().enumerate() {
        let (path, copy) = (folder.path().join(format!("{n}-crm.db")), folder.path().join(format!("{n}-copy.db")));
        let expected = prepared(&path).digest().unwrap();
        let attributes = open(&path);
        if has_reader {
            assert_eq!(seats(&attributes, 1), Some(5));
        }
        fs::remove_file(beside(&path, end)).unwrap();
        let mut told = Vec::new();
        // The callback may use the store.
        let progress = |progress: custom_attributes::Progress| {
            told.push((progress, set(&attributes, 2, 9).unwrap_err().code()));
            ControlFlow::Continue(())
        };
        attributes.store().backup(&copy, progress).unwrap();
        assert!(told.iter().all(|(_, code)| *code == 50005) && told.last().is_some_and(|(last, _)| last.done == last.total));
        attributes.store().backup_over(&copy, |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(open(&copy).digest().unwrap(), expected);
    }
}

/// Takes snapshots until one needs a connection more, and returns its error.
fn assert_is_refused_to_read(attributes: &Attributes<SqliteStore>) {
    let mut held = Vec::new();
    let error = (0..20).find_map(|_| attributes.snapshot().map(|view| held.push(view)).err()).expect("a connection more");
    assert_eq!(error.code(), 50005, "{error:?}");
    let text = error.to_string();
    assert!(text.contains("changed nothing") && text.contains("was deleted or moved away"), "{text}");
    assert!(held.iter().all(|view| view.get::<i64>(("customer", 1), "seats").unwrap() == Some(5)));
}

#[test]
fn a_deleted_file_or_log_is_named_to_a_reader_that_needs_it() {
    let folder = folder();
    for (n, end) in ["", "-wal", "-shm"].into_iter().enumerate() {
        let path = folder.path().join(format!("{n}-crm.db"));
        let attributes = prepared(&path);
        fs::remove_file(beside(&path, end)).unwrap();
        assert_is_refused_to_read(&attributes);
        assert!(!beside(&path, end).exists(), "nothing is put in its place");
    }
}

#[test]
fn a_read_that_fails_as_the_file_was_replaced() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    let attributes = prepared(&path);
    let many = (0..3000).fold(attributes.batch(), |batch, id| batch.set(("customer", id), "seats", id));
    many.commit().unwrap();
    attributes.purge().unwrap();
    drop(attributes);
    let attributes = open(&path);
    assert_eq!(seats(&attributes, 1), Some(1));
    let held = attributes.snapshot().unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_len(4096).unwrap();
    let damaged = held.get::<i64>(("customer", 2500), "seats").unwrap_err();
    assert_eq!(damaged.code(), 50002, "{damaged}");
    fs::remove_file(&path).unwrap();
    let replaced = held.get::<i64>(("customer", 2500), "seats").unwrap_err();
    assert_eq!(replaced.code(), 50005, "{replaced}");
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
    assert_nothing_is_acknowledged(&attributes, "another file is in the place of its file; decide");
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
    assert_nothing_is_acknowledged(&attributes, "another file is in the place of its file; decide");
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
