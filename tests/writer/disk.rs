//! Disks that are full, and disks that fail to read: children of this program on a small disk, or with a failing `pread`.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use custom_attributes::{AttributeStore, Attributes, DefinitionSpec, Error, HostTables, SqliteStore, Submitted, attr};

use crate::{assert_index_is_sound, folder, held, prepared};

const ROLE: &str = "DISK_TEST_ROLE";
const FOLDER: &str = "DISK_TEST_FOLDER";

fn child(role: &str, folder: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env(ROLE, role).env(FOLDER, folder);
    command
}

/// What a child said, which has done all of its part.
fn said(output: Output) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    text
}

/// Not a test by itself: what a child does.
#[test]
fn the_role_of_a_child() {
    let (Ok(role), Ok(folder)) = (std::env::var(ROLE), std::env::var(FOLDER)) else { return };
    match role.as_str() {
        "fill" => fill(Path::new(&folder)),
        "open" => open_without_room(Path::new(&folder)),
        "misread" => misread(Path::new(&folder)),
        "misread_in_host" => misread_in_transaction_of_host(Path::new(&folder)),
        other => panic!("no such role: {other}"),
    }
}

fn assert_is_full(error: &Error) {
    assert!(matches!(error, Error::DiskFull { .. }) && error.code() == 50701, "{error:?}");
    let text = error.to_string();
    assert!(text.contains("the disk is full") && text.contains("nothing was changed") && text.contains("make room"), "{text}");
}

/// Writes until the disk is full, and then some; makes room, and goes on.
fn fill(folder: &Path) {
    let (path, ballast) = (folder.join("crm.db"), folder.join("ballast"));
    fs::write(&ballast, vec![1; 2 << 20]).unwrap();
    let attributes = prepared(&path);
    let customers = attributes.of("customer").unwrap();
    let note = |n: i64| customers.get::<String>(n, "note").unwrap();
    let long = "x".repeat(4000);
    let kept = (0i64..).find(|n| customers.set(*n, "note", long.as_str()).is_err()).unwrap();
    // How many fit depends on when checkpoints are taken: until then a note is in the log only, and takes the room of several pages.
    assert!(kept > 20, "{kept}");
    for n in kept..kept + 300 {
        assert_is_full(&customers.set(n, "note", long.as_str()).unwrap_err());
    }
    let submit = |n: i64| attributes.batch().set(("customer", n), "note", long.as_str()).submit().unwrap();
    let submitted: Vec<_> = (kept..kept + 100).map(submit).collect();
    submitted.into_iter().map(Submitted::wait).for_each(|answer| assert_is_full(&answer.unwrap_err()));
    let large = (kept..kept + 50).fold(attributes.batch(), |batch, n| batch.set(("customer", n), "note", long.as_str()));
    assert_is_full(&large.commit_with(|_| std::ops::ControlFlow::Continue(())).unwrap_err());
    let spec = DefinitionSpec::string("late").description("x".repeat(900)).example("x".repeat(4000));
    assert_is_full(&customers.define(spec).unwrap_err());
    assert!((0..kept).all(|n| note(n).is_some()) && (kept..kept + 300).all(|n| note(n).is_none()));
    fs::remove_file(&ballast).unwrap();
    customers.set(kept, "note", long.as_str()).unwrap();
    drop(attributes);
    let again = prepared(&path);
    assert_eq!(again.snapshot().unwrap().count(&"customer".parse().unwrap()).unwrap(), kept.unsigned_abs() + 1);
    assert_index_is_sound(&again);
    println!("\nwent on");
}

/// Opens an existing file and a new one, without room for what SQLite puts beside them.
fn open_without_room(folder: &Path) {
    let (path, new, ballast) = (folder.join("crm.db"), folder.join("new.db"), folder.join("ballast"));
    drop(prepared(&path));
    let fill = || {
        let mut file = fs::File::options().append(true).create(true).open(&ballast).unwrap();
        for size in [1 << 16, 4096, 1] {
            while std::io::Write::write_all(&mut file, &vec![1; size]).is_ok() {}
        }
    };
    fill();
    let options = [SqliteStore::options(), SqliteStore::options().must_exist(), SqliteStore::options().read_only()];
    for options in options {
        assert_is_full(&options.open(&path).unwrap_err());
    }
    let mut rooms = 0;
    // A page more of room each time: each step of making a store meets a full disk.
    for _ in 0..40 {
        fill();
        let length = fs::metadata(&ballast).unwrap().len();
        fs::File::options().write(true).open(&ballast).unwrap().set_len(length - 4096 * (rooms + 1)).unwrap();
        let Err(error) = SqliteStore::open(&new) else { break };
        assert_is_full(&error);
        if rooms == 0 {
            assert!(error.to_string().contains("a new file, which may be left behind empty for the next try"), "{error}");
        }
        rooms += 1;
    }
    assert!((3..40).contains(&rooms), "{rooms}");
    fs::remove_file(&ballast).unwrap();
    for path in [&path, &new] {
        prepared(path).of("customer").unwrap().set(1, "a", 1).unwrap();
    }
    println!("\nopened");
}

/// Runs the role on a small disk of its own, which only the child sees: it needs no more rights than a user has, where the system
/// lets users do so. None if it does not.
fn on_a_small_disk(role: &str) -> Option<String> {
    let folder = folder();
    let mount = "mount -t tmpfs -o size=6m none \"$DISK_TEST_FOLDER\"";
    let program = std::env::current_exe().unwrap();
    let is_possible = child("none", folder.path(), "unshare", &["-rm", "sh", "-c", mount]).output();
    if !is_possible.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: this system lets nobody mount a small disk for a test");
        return None;
    }
    let script = format!("{mount} && exec \"$0\" --exact disk::the_role_of_a_child --nocapture");
    let child = child(role, folder.path(), "unshare", &["-rm", "sh", "-c", &script, program.to_str().unwrap()]).output();
    Some(said(child.unwrap()))
}

#[test]
fn opening_on_a_full_disk_says_so() {
    let Some(text) = on_a_small_disk("open") else { return };
    assert!(text.contains("\nopened"), "{text}");
}

#[test]
fn a_full_disk_is_said_to_be_full_and_keeps_nothing() {
    let Some(text) = on_a_small_disk("fill") else { return };
    assert!(text.contains("\nwent on"), "{text}");
}

/// A `pread` that fails once, with EIO or the error that is asked for, of a database, as soon as there is a file to say so.
const FAILING: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>
static int fails(size_t n) {
    const char *trigger = getenv("DISK_TEST_TRIGGER");
    return n >= 4096 && trigger && unlink(trigger) == 0;
}
static int error(void) {
    const char *asked = getenv("DISK_TEST_ERROR");
    return asked ? atoi(asked) : EIO;
}
ssize_t pread64(int fd, void *to, size_t n, off64_t at) {
    static ssize_t (*real)(int, void *, size_t, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "pread64");
    if (fails(n)) { errno = error(); return -1; }
    return real(fd, to, n, at);
}
ssize_t pread(int fd, void *to, size_t n, off_t at) { return pread64(fd, to, n, at); }
"#;

/// A closed file of many entities, and the path whose appearance makes the next read of it fail.
fn filled(folder: &Path) -> (PathBuf, PathBuf) {
    let path = folder.join("crm.db");
    let trigger = PathBuf::from(std::env::var("DISK_TEST_TRIGGER").unwrap());
    let attributes = prepared(&path);
    let many = (0..3000i64).fold(attributes.batch(), |batch, n| batch.set(("customer", n), "a", n));
    many.commit().unwrap();
    drop(attributes);
    (path, trigger)
}

/// Reads and writes while one read of the disk fails, in each with a store that has nothing in its caches.
fn misread(folder: &Path) {
    let (path, trigger) = filled(folder);
    let once = |what: &str, work: &dyn Fn(&Attributes<SqliteStore>) -> custom_attributes::Result<()>| {
        let attributes = Attributes::new(SqliteStore::open(&path).unwrap());
        // What it knows of the definitions is of the file that is read from now on.
        attributes.store().catalog().unwrap();
        fs::write(&trigger, b"").unwrap();
        let done = work(&attributes);
        assert!(!trigger.exists(), "{what}: nothing was read");
        done.unwrap_or_else(|error| panic!("{what}: {error:?} ({})", error.code()));
    };
    once("get", &|attributes| attributes.of("customer")?.get::<i64>(7, "a").map(|found| assert_eq!(found, Some(7))));
    once("entity", &|attributes| attributes.of("customer")?.entity(2000).map(|found| assert!(found.is_some())));
    once("find", &|attributes| {
        attributes.of("customer")?.find(attr("a").ge(2990)).map(|page| assert_eq!(page.entities.len(), 10))
    });
    once("set", &|attributes| attributes.of("customer")?.set(2500, "a", 1).map(drop));
    once("submit", &|attributes| attributes.batch().set(("customer", 2600), "a", 1).submit()?.wait().map(drop));
    once("define", &|attributes| attributes.of("customer")?.define(DefinitionSpec::string("late")).map(drop));
    fs::write(&trigger, b"").unwrap();
    let attributes = Attributes::new(SqliteStore::open(&path).unwrap());
    assert!(!trigger.exists(), "open: nothing was read");
    assert_eq!((held(&attributes, 2500), held(&attributes, 2600)), (Some(1), Some(1)));
    assert_index_is_sound(&attributes);
    println!("\nread all the same");
}

/// Reads within a transaction of the host while one read of the disk fails in such a way that SQLite undoes the transaction.
fn misread_in_transaction_of_host(folder: &Path) {
    type Attributed<'a> = Attributes<custom_attributes::LentStore<'a>>;
    let (path, trigger) = filled(folder);
    let tables = HostTables::new();
    let in_host = |what: &str, is_warm: bool, work: &dyn Fn(&Attributed<'_>) -> custom_attributes::Result<()>| {
        let host = rusqlite::Connection::open(&path).unwrap();
        // It knows the definitions, and has nothing of the values in its cache.
        tables.on(&host).unwrap();
        host.execute_batch("BEGIN IMMEDIATE; CREATE TABLE of_host (id INTEGER)").unwrap();
        let attributes = is_warm.then(|| Attributes::new(tables.on(&host).unwrap()));
        if !is_warm {
            host.execute_batch("PRAGMA cache_size = 0; PRAGMA shrink_memory").unwrap();
        }
        fs::write(&trigger, b"").unwrap();
        let done = match attributes {
            Some(attributes) => work(&attributes),
            None => tables.on(&host).map(drop),
        };
        assert!(!trigger.exists(), "{what}: nothing was read");
        assert!(host.is_autocommit(), "{what}: SQLite kept the transaction");
        let error = done.expect_err(what);
        assert!(error.to_string().contains("SQLite has undone the whole transaction of the host"), "{what}: {error}");
    };
    in_host("get", true, &|attributes| attributes.of("customer")?.get::<i64>(7, "a").map(drop));
    in_host("entity", true, &|attributes| attributes.of("customer")?.entity(2000).map(drop));
    in_host("find", true, &|attributes| attributes.of("customer")?.find(attr("a").ge(2990)).map(drop));
    in_host("history", true, &|attributes| attributes.snapshot()?.history(("customer", 2000)).map(drop));
    in_host("set", true, &|attributes| attributes.of("customer")?.set(2500, "a", 1).map(drop));
    in_host("on", false, &|_| Ok(()));
    assert_batches_stay_whole(&path, &trigger);
    println!("\nread in the transaction of the host");
}

/// A batch that was handed in, whose read fails and ends the transaction, is kept whole all the same, and alone.
fn assert_batches_stay_whole(path: &Path, trigger: &Path) {
    let attributes = Attributes::new(SqliteStore::open(path).unwrap());
    attributes.store().catalog().unwrap();
    fs::write(trigger, b"").unwrap();
    let batch = (2600..2700).fold(attributes.batch(), |batch, n| batch.set(("customer", n), "a", 1));
    batch.submit().unwrap().wait().unwrap();
    assert!(!trigger.exists(), "nothing was read");
    assert_index_is_sound(&attributes);
}

#[test]
fn a_read_that_fails_once_is_no_damage() {
    with_failing_reads("misread", None, "\nread all the same");
}

#[test]
fn a_read_that_undoes_the_transaction_of_the_host_says_so() {
    // EACCES: SQLite takes EIO for damage, which undoes nothing.
    with_failing_reads("misread_in_host", Some("13"), "\nread in the transaction of the host");
}

fn with_failing_reads(role: &str, error: Option<&str>, expected: &str) {
    let folder = folder();
    let (source, library) = (folder.path().join("failing.c"), folder.path().join("failing.so"));
    fs::write(&source, FAILING).unwrap();
    let arguments = ["-shared", "-fPIC", "-o", library.to_str().unwrap(), source.to_str().unwrap(), "-ldl"];
    if !Command::new("cc").args(arguments).status().is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: there is no C compiler to make a failing read with");
        return;
    }
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "disk::the_role_of_a_child", "--nocapture"];
    let mut child = child(role, folder.path(), program.to_str().unwrap(), &arguments);
    child.envs(error.map(|error| ("DISK_TEST_ERROR", error)));
    let output = child.env("LD_PRELOAD", &library).env("DISK_TEST_TRIGGER", folder.path().join("trigger")).output();
    let text = said(output.unwrap());
    assert!(text.contains(expected), "{text}");
}
