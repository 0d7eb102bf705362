//! Children, each this very program run again: killed in the middle, out of room, and counted for what they leave behind.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use custom_attributes::{Error, Limits, Retention, SqliteStore, Submitted};

use crate::{assert_index_is_sound, folder, held, prepared};

const ROLE: &str = "WRITER_TEST_ROLE";
const FILE: &str = "WRITER_TEST_FILE";

fn child(role: &str, path: &Path, script: &str) -> Command {
    let mut command = Command::new("sh");
    let script = format!("{script} exec \"$0\" --exact processes::the_role_of_a_child --nocapture");
    command.args(["-c", &script]).arg(std::env::current_exe().unwrap()).env(ROLE, role).env(FILE, path);
    command.stderr(Stdio::inherit()).stdout(Stdio::piped());
    command
}

/// Not a test by itself: what a child does.
#[test]
fn the_role_of_a_child() {
    let (Ok(role), Ok(path)) = (std::env::var(ROLE), std::env::var(FILE)) else { return };
    match role.as_str() {
        "acknowledge" => acknowledge(path.as_ref()),
        "fill" => fill(path.as_ref()),
        "leave" => leave(path.as_ref()),
        other => panic!("no such role: {other}"),
    }
}

/// Hands in many before it waits, and says of each that it is kept once its ticket does.
fn acknowledge(path: &Path) {
    let attributes = prepared(path);
    let mut waiting: VecDeque<(i64, Submitted<'_, SqliteStore>)> = VecDeque::new();
    for n in 0i64.. {
        if waiting.len() == 64 {
            let (kept, submitted) = waiting.pop_front().unwrap();
            submitted.wait().unwrap();
            println!("\nkept {kept}");
        }
        let batch = attributes.batch().set(("customer", 1), "a", n).set(("customer", n + 10), "a", n);
        waiting.push_back((n, batch.submit().unwrap()));
    }
}

#[test]
#[cfg(unix)]
fn a_killed_process_has_kept_every_ticket_that_was_answered() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    for round in 0..8u64 {
        let mut child = child("acknowledge", &path, "").spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut answered = None;
        let mut left = 20 + round * 90;
        while left > 0 {
            let line = lines.next().unwrap().unwrap();
            if let Some(n) = line.strip_prefix("kept ") {
                answered = n.parse::<i64>().ok();
                left -= 1;
            }
        }
        thread::sleep(Duration::from_micros(round * 371));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            answered = line.strip_prefix("kept ").and_then(|n| n.parse().ok()).or(answered);
        }
        let attributes = prepared(&path);
        let last = held(&attributes, 1).unwrap();
        assert!(last >= answered.unwrap(), "{answered:?} was answered, and {last} is kept");
        assert!((0..=last).all(|n| held(&attributes, n + 10) == Some(n)), "what is kept has no gaps");
        assert_eq!(held(&attributes, last + 11), None, "a commit is half there");
        assert_index_is_sound(&attributes);
        (0..=last).fold(attributes.batch(), |batch, n| batch.remove(("customer", n + 10))).commit().unwrap();
    }
}

/// Hands in until the system refuses to make a file longer, and compares what each ticket says with what is there.
fn fill(path: &Path) {
    // The same entities again and again, no history, and a snapshot that keeps the log from beginning anew: the log meets the limit,
    // and the file never does.
    let mut limits = Limits::typed();
    limits.retention = Retention::Off;
    let attributes = prepared(path).with_limits(limits).unwrap();
    let view = attributes.snapshot().unwrap();
    let long = "x".repeat(3900);
    let customers = attributes.of("customer").unwrap();
    for round in 0i64.. {
        let note = format!("{round} {long}");
        let submit = |n: i64| {
            (0..10)
                .fold(attributes.batch(), |batch, i| batch.set(("customer", n * 10 + i), "note", note.as_str()))
                .submit()
                .unwrap()
        };
        let answers: Vec<_> = (0..40).map(submit).collect::<Vec<_>>().into_iter().map(Submitted::wait).collect();
        let failed = answers.iter().filter(|answer| answer.is_err()).count();
        for (n, answer) in (0i64..).zip(&answers) {
            let is_there = |i: &i64| customers.get::<String>(n * 10 + i, "note").unwrap().as_deref() == Some(&note);
            let there = (0..10).filter(is_there).count();
            match answer {
                Ok(_) => assert_eq!(there, 10),
                // A write that fails keeps nothing, also in the last step of a commit.
                Err(Error::Backend { .. }) => assert_eq!(there, 0, "{answer:?}"),
                Err(other) => panic!("{other:?}"),
            }
        }
        if failed == 0 {
            println!("\nkept {round}");
            continue;
        }
        println!("\nfailed {failed}");
        drop(view);
        // The log begins anew after a checkpoint: what fits into the pages that are there goes on being written.
        let began = Instant::now();
        while let Err(error) = customers.set(1, "a", 1) {
            let length = |end: &str| fs::metadata(format!("{}{end}", path.display())).map(|file| file.len());
            let lengths = (length(""), length("-wal"));
            assert!(began.elapsed() < Duration::from_secs(20), "{error:?}, with {lengths:?}");
            thread::sleep(Duration::from_millis(50));
        }
        println!("\ngoes on");
        return;
    }
}

#[test]
#[cfg(unix)]
fn tickets_tell_the_truth_on_a_full_disk_and_the_store_goes_on() {
    let folder = folder();
    let path = folder.path().join("crm.db");
    drop(prepared(&path));
    // A limit on the length of files stands in for the end of the disk: both fail in the middle of writing.
    let output = child("fill", &path, "trap '' XFSZ; ulimit -f 8192;").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("\nkept 0") && text.contains("\ngoes on"), "{text}");
    let attributes = prepared(&path);
    assert_eq!(held(&attributes, 1), Some(1));
    assert_index_is_sound(&attributes);
}

/// Everything that opens files and starts threads, in clones, then nothing of it.
fn leave(path: &Path) {
    let open_files = || {
        let links = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
        links.filter(|link| link.starts_with(path.parent().unwrap())).count()
    };
    let threads = || fs::read_dir("/proc/self/task").unwrap().count();
    let (files_before, threads_before) = (open_files(), threads());
    for round in 0..20i64 {
        let attributes = prepared(path);
        let clone = attributes.clone();
        let work = |thread: i64| {
            let attributes = attributes.clone();
            for n in 0..10 {
                drop(attributes.batch().set(("customer", thread), "a", n + round).submit().unwrap());
                attributes.snapshot().unwrap().count(&"customer".parse().unwrap()).unwrap();
                attributes.of("customer").unwrap().set(thread, "note", n.to_string()).unwrap();
            }
        };
        thread::scope(|scope| (0..4).for_each(|thread| _ = scope.spawn(move || work(thread))));
        assert!(open_files() > files_before && threads() > threads_before);
        drop(attributes);
        drop(clone.batch().set(("customer", 9), "a", round).submit().unwrap());
        drop(clone);
        // A thread that was joined may be listed a moment longer.
        let began = Instant::now();
        while threads() > threads_before && began.elapsed() < Duration::from_secs(5) {
            thread::yield_now();
        }
        assert_eq!((open_files(), threads()), (files_before, threads_before), "round {round}");
        assert_eq!(held(&prepared(path), 9), Some(round));
    }
    // Nobody wrote: nothing is started.
    let attributes = prepared(path);
    assert_eq!(held(&attributes, 9), Some(19));
    assert_eq!(threads(), threads_before);
    println!("\nleft nothing");
}

#[test]
#[cfg(target_os = "linux")]
fn a_store_leaves_no_thread_and_no_file_behind() {
    let folder = folder();
    let output = child("leave", &folder.path().canonicalize().unwrap().join("crm.db"), "").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("left nothing"), "{text}");
}
