//! Several processes on one file, and processes that are killed: each child is this very program, run again.
#![cfg(feature = "sqlite")]

use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use custom_attributes::{Attributes, DefinitionSpec, EntityType, Error, IntoEntityKey, Limits, Revision, SqliteStore};

const ROLE: &str = "PROCESSES_TEST_ROLE";
const FILE: &str = "PROCESSES_TEST_FILE";

/// Starts this program again as a child that does nothing but this role.
fn child(role: &str, path: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "the_role_of_a_child", "--nocapture"]).env(ROLE, role).env(FILE, path);
    command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap()
}

fn open(path: impl AsRef<Path>) -> Attributes<SqliteStore> {
    Attributes::new(SqliteStore::open(path).unwrap())
}

fn assert_index_is_sound(attributes: &Attributes<SqliteStore>) {
    let verified = attributes.snapshot().unwrap().verify_index(|fault| panic!("{fault}"));
    verified.unwrap();
}

/// Not a test by itself: what a child does.
#[test]
fn the_role_of_a_child() {
    let (Ok(role), Ok(path)) = (std::env::var(ROLE), std::env::var(FILE)) else { return };
    match role.as_str() {
        "acknowledge" => acknowledge(&path),
        "fill" => fill(&path),
        "count" => (0..100).for_each(|_| count_up(&open(&path))),
        "define" => _ = open(&path).of("customer").unwrap().define(DefinitionSpec::integer("credit_limit")).unwrap(),
        "key_value" => {
            let attributes = open(&path).with_limits(Limits::key_value()).unwrap();
            for n in 0..50 {
                attributes.of("customer").unwrap().set(std::process::id(), &format!("key {}", n % 25), n.to_string()).unwrap();
            }
        }
        "claim" => {
            let claimed = open(&path).of("customer").unwrap().set(std::process::id(), "external_crm_id", "SF-1");
            println!("\nclaimed {}", claimed.is_ok());
        }
        "rebuild" => {
            let step = |_| {
                println!("\nstep");
                std::thread::sleep(Duration::from_secs(600));
                ControlFlow::Continue(())
            };
            open(&path).rebuild_index(step).unwrap();
        }
        other => panic!("no such role: {other}"),
    }
}

/// Writes two values in each commit, and says so once the commit has returned.
fn acknowledge(path: &str) {
    let attributes = open(path);
    for n in 0i64.. {
        attributes
            .batch()
            .set(("customer", 1), "a", n)
            .set(("customer", 2), "b", n)
            .set(("customer", n + 10), "a", n)
            .commit()
            .unwrap();
        println!("\nkept {n}");
    }
}

#[test]
fn what_was_acknowledged_survives_a_killed_process_and_nothing_is_half_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let attributes = open(&path);
    attributes.of("customer").unwrap().ensure([DefinitionSpec::integer("a"), DefinitionSpec::integer("b")]).unwrap();
    drop(attributes);
    for round in 0..10u64 {
        let mut child = child("acknowledge", &path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = None;
        let mut left = 5 + round * 7;
        while left > 0 {
            let line = lines.next().unwrap().unwrap();
            if let Some(n) = line.strip_prefix("kept ") {
                acknowledged = n.parse::<i64>().ok();
                left -= 1;
            }
        }
        std::thread::sleep(Duration::from_micros(round * 137));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            acknowledged = line.strip_prefix("kept ").and_then(|n| n.parse().ok()).or(acknowledged);
        }
        let view_of = open(&path);
        let view = view_of.snapshot().unwrap();
        let a = view.get::<i64>(("customer", 1), "a").unwrap();
        let b = view.get::<i64>(("customer", 2), "b").unwrap();
        assert_eq!(a, b, "a commit is half there");
        assert_eq!(view.get::<i64>(("customer", a.unwrap() + 10), "a").unwrap(), a, "a commit is half there");
        assert!(a >= acknowledged, "{acknowledged:?} was acknowledged, and {a:?} is kept");
        drop(view);
        assert_index_is_sound(&view_of);
        view_of.batch().remove(("customer", 1)).remove(("customer", 2)).commit().unwrap();
    }
}

/// Writes until the system refuses to make a file longer; then what was kept before is read as if nothing had been.
fn fill(path: &str) {
    let attributes = open(path);
    let of: EntityType = "customer".parse().unwrap();
    let long = "x".repeat(4000);
    for n in 0i64.. {
        let batch = (0..50).fold(attributes.batch(), |batch, i| batch.set(("customer", n * 50 + i), "note", long.as_str()));
        let Err(error) = batch.commit() else {
            println!("\nkept {n}");
            continue;
        };
        // Which of the two depends on where in the commit the room ended.
        assert!(matches!(error, Error::Backend { .. } | Error::CommitOutcomeUnknown { .. }), "{error:?}");
        let view = attributes.snapshot().unwrap();
        let is_kept = view.get::<String>(("customer", n * 50), "note").unwrap().is_some();
        assert!(!is_kept || matches!(error, Error::CommitOutcomeUnknown { .. }), "{error:?}");
        assert_eq!(view.get::<String>(("customer", n * 50 - 1), "note").unwrap(), Some(long));
        assert_eq!(view.count(&of).unwrap(), (n.unsigned_abs() + u64::from(is_kept)) * 50);
        println!("\nrefused {error}");
        return;
    }
}

#[test]
#[cfg(unix)]
fn a_full_disk_refuses_a_commit_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let attributes = open(&path);
    attributes.of("customer").unwrap().define(DefinitionSpec::string("note")).unwrap();
    drop(attributes);
    // A limit on the length of files stands in for the end of the disk: both fail in the middle of writing.
    let script = "trap '' XFSZ; ulimit -f 8192; exec \"$0\" --exact the_role_of_a_child --nocapture";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(std::env::current_exe().unwrap()).env(ROLE, "fill").env(FILE, &path);
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("\nrefused "), "{text}");
    let kept = text.lines().filter(|line| line.starts_with("kept ")).count() as u64;
    assert!(kept > 0);

    let attributes = open(&path);
    let count = || attributes.snapshot().unwrap().count(&"customer".parse().unwrap()).unwrap();
    let found = count();
    assert!(found == kept * 50 || (found == (kept + 1) * 50 && text.contains("unknown")), "{found} of {kept} times 50");
    attributes.of("customer").unwrap().set(-1, "note", "there is room again").unwrap();
    assert_eq!(count(), found + 1);
    assert_index_is_sound(&attributes);
}

#[test]
fn a_rebuild_goes_on_after_its_process_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let attributes = open(&path);
    attributes.of("customer").unwrap().define(DefinitionSpec::string("note")).unwrap();
    attributes.of("customer").unwrap().set(1, "note", "kept").unwrap();
    let mut child = child("rebuild", &path);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "step"));
    child.kill().unwrap();
    child.wait().unwrap();
    attributes.of("customer").unwrap().set(2, "note", "written meanwhile").unwrap();
    let mut done = Vec::new();
    let rebuilt = attributes.rebuild_index(|progress| {
        done.push(progress.done);
        ControlFlow::Continue(())
    });
    rebuilt.unwrap();
    assert_eq!(done, [2], "the first step is not done again");
    assert_index_is_sound(&attributes);
}

#[test]
fn a_definition_of_one_process_is_seen_by_the_next_operation_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let attributes = open(&path);
    let customers = attributes.of("customer").unwrap();
    assert!(customers.get::<i64>(1, "credit_limit").unwrap_err().is_not_found());
    assert!(customers.set(1, "credit_limit", 5).unwrap_err().is_not_found());
    assert!(child("define", &path).wait().unwrap().success());
    assert_eq!(customers.get::<i64>(1, "credit_limit").unwrap(), None);
    customers.set(1, "credit_limit", 5).unwrap();
    assert!(customers.define(DefinitionSpec::integer("Credit_Limit")).unwrap_err().is_duplicate());
    assert_eq!(customers.get::<i64>(1, "CREDIT_LIMIT").unwrap(), Some(5));
}

/// Reads, adds one, and writes if nobody was faster.
fn count_up(attributes: &Attributes<SqliteStore>) {
    let customers = attributes.of("customer").unwrap();
    loop {
        let entity = customers.entity(1).unwrap();
        let (revision, number) = match &entity {
            Some(entity) => (entity.revision(), entity.get::<i64>("a").unwrap().unwrap_or_default()),
            None => (Revision::ABSENT, 0),
        };
        let key = ("customer", 1).into_entity_key().unwrap();
        match attributes.batch().expect_revision(&key, revision).set(&key, "a", number + 1).commit() {
            Ok(_) => return,
            Err(error) if error.is_transient() => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
fn expected_revisions_lose_no_update_between_processes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let attributes = open(&path);
    attributes.of("customer").unwrap().define(DefinitionSpec::integer("a")).unwrap();
    let children: Vec<_> = (0..3).map(|_| child("count", &path)).collect();
    (0..100).for_each(|_| count_up(&attributes));
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let customer = attributes.of("customer").unwrap().entity(1).unwrap().unwrap();
    assert_eq!(customer.get::<i64>("a").unwrap(), Some(400));
    assert_eq!(customer.revision(), Revision::new(400));
}

#[test]
fn undefined_names_are_defined_once_by_many_processes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    // The children meet on a file that none of them has made yet.
    let children: Vec<_> = (0..3).map(|_| child("key_value", &path)).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let attributes = open(&path);
    let snapshot = attributes.snapshot().unwrap();
    let customer = "customer".parse().unwrap();
    assert_eq!(snapshot.catalog().of(&customer).len(), 25);
    assert_eq!(snapshot.count(&customer).unwrap(), 3);
}

#[test]
fn a_unique_value_goes_to_one_of_many_processes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let attributes = open(&path);
    attributes.of("customer").unwrap().define(DefinitionSpec::string("external_crm_id").unique()).unwrap();
    let children: Vec<_> = (0..4).map(|_| child("claim", &path)).collect();
    let claimed = children.into_iter().map(|child| {
        let said = child.wait_with_output().unwrap().stdout;
        String::from_utf8(said).unwrap().lines().filter(|line| *line == "claimed true").count()
    });
    assert_eq!(claimed.sum::<usize>(), 1);
    let error = attributes.of("customer").unwrap().set(1, "external_crm_id", "SF-1").unwrap_err();
    assert!(error.is_duplicate() && matches!(error, Error::Invalid(_)), "{error:?}");
}
