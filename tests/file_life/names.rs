//! A path is a path: nothing in it is an option, a URI, or another kind of database.

use std::ops::ControlFlow;
use std::process::Command;

use custom_attributes::{Error, SqliteStore};

use crate::{folder, open, prepared, seats};

const ROLE: &str = "FILE_NAMES_TEST_ROLE";

/// Names that SQLite understands otherwise where it takes URIs, and plain ones that look like it.
const NAMES: [&str; 8] = [
    "file:x.db",
    "file:x.db?mode=memory",
    "file:crm.db?vfs=none",
    "file:///crm.db",
    "crm.db?mode=ro#here",
    "100%25.db",
    "FILE:y.db",
    "file::memory:",
];

#[test]
fn a_name_that_looks_like_a_uri_is_a_file_of_that_name() {
    // Relative names: a child has its own folder.
    let folder = folder();
    for name in NAMES.iter().filter(|name| name.contains("//")) {
        std::fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
    }
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program);
    child.args(["--exact", "names::the_role_of_a_child", "--nocapture"]).env(ROLE, "names").current_dir(folder.path());
    assert!(child.status().unwrap().success());
    for name in NAMES {
        let path = folder.path().join(name);
        assert!(path.is_file(), "{name}");
        assert_eq!(seats(&open(&path), 1), Some(5), "{name}");
        let backup = folder.path().join(format!("{name}.backup"));
        assert!(backup.is_file(), "{name}");
        assert_eq!(seats(&open(&backup), 1), Some(5), "{name}");
    }
}

/// Not a test by itself: what the child does.
#[test]
fn the_role_of_a_child() {
    if std::env::var(ROLE).is_err() {
        return;
    }
    let home = std::env::current_dir().unwrap();
    for name in NAMES {
        let attributes = prepared(name.as_ref());
        attributes.store().backup(format!("{name}.backup"), |_| ControlFlow::Continue(())).unwrap();
        attributes.store().backup_over(format!("{name}.backup"), |_| ControlFlow::Continue(())).unwrap();
        // The file stays the same whatever folder becomes the current one.
        std::env::set_current_dir("/").unwrap();
        let held: Vec<_> = (0..3).map(|_| attributes.snapshot().unwrap()).collect();
        assert!(held.iter().all(|view| view.get::<i64>(("customer", 1), "seats").unwrap() == Some(5)));
        crate::set(&attributes, 2, 6).unwrap();
        std::env::set_current_dir(&home).unwrap();
    }
}

#[test]
fn names_that_are_none_are_refused() {
    for (name, said) in [(":memory:", "SqliteStore::in_memory()"), ("", "the path is empty")] {
        let opened = SqliteStore::open(name).map(drop).unwrap_err();
        assert!(matches!(opened, Error::Open { .. }) && opened.to_string().contains(said), "{opened}");
        let store = SqliteStore::in_memory().unwrap();
        let backup = store.backup(name, |_| ControlFlow::Continue(())).unwrap_err();
        assert!(backup.to_string().contains(said), "{backup}");
        assert!(store.backup_over(name, |_| ControlFlow::Continue(())).is_err());
    }
    assert!(!std::path::Path::new(":memory:").exists());
}
