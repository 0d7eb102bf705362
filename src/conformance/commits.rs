//! Commits: their instants to the microsecond, who did it, and why.

use std::sync::Arc;

use crate::conformance::Store;
use crate::conformance::support::{EXACT, ORDER, customer, define, host, micros, must, same, set, snapshot, there, typed};
use crate::model::{CommitId, DefinitionId, DefinitionSpec};
use crate::store::{Batch, Commit};

const TIMES: &str = "store instants as a 64-bit count of microseconds since 1970; never read a clock";

/// Commits a new value with this instant, actor and note.
fn write(store: &Store, n: i64, at: crate::Instant, actor: Option<&str>, note: Option<&str>) -> crate::Receipt {
    let catalog = must(store.catalog(), "the catalog is read");
    let mut batch = Batch::new(&catalog, at).by(actor.map(Arc::from)).with_note(note.map(Arc::from));
    batch.push(set(store, &customer(1), "n", n));
    must(store.commit(&batch), "a batch is committed")
}

/// The year 1: every instant of a case is later.
const EARLIEST: i64 = -62_135_596_800_000_000;

fn prepare(store: &Store) {
    let catalog = must(store.catalog(), "the catalog is read");
    let mut batch = Batch::new(&catalog, micros(EARLIEST));
    batch.push(define(store, DefinitionSpec::integer("n")));
    must(store.commit(&batch), "a definition is made");
}

/// Instants come with the batch and are kept to the microsecond: before 1970, and far ahead.
pub fn instants_are_kept_to_the_microsecond(store: &Store) {
    let promise = "the instant of a commit is the batch's, to the microsecond";
    prepare(store);
    let texts = [
        "0001-01-01T00:00:00Z",
        "1900-01-01T00:00:00.000001Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "2016-12-31T23:59:59.999999Z",
        "2025-01-04T10:29:59.999999Z",
        "2025-01-04T10:30:00.000001Z",
        "2025-01-04T10:30:00.123456Z",
        "2038-01-19T03:14:08Z",
        "9999-12-31T23:59:59.999998Z",
    ];
    for (text, n) in texts.iter().zip(1i64..) {
        let at = there(text.parse().ok(), "an instant is read");
        let receipt = write(store, n, at, None, None);
        same(&receipt.at, &at, promise, TIMES);
        let found = must(snapshot(store).commits(&receipt.commit.map_or(vec![], |id| vec![id])), "a commit is read");
        same(&found.into_iter().flatten().map(|commit| commit.at).collect::<Vec<_>>(), &[at], promise, TIMES);
    }
    let last = micros(253_402_300_799_999_999);
    let receipt = write(store, 100, last + chrono::TimeDelta::nanoseconds(789), None, None);
    same(&receipt.at, &last, "what lies below a microsecond is cut off", TIMES);
    let catalog = must(store.catalog(), "the catalog is read");
    let defined = there(catalog.get(DefinitionId::new(1)), "a definition is there once it is made").created().at;
    same(&defined, &micros(EARLIEST), "a definition keeps the instant of its commit", TIMES);
}

/// A commit is not earlier than the one before it, wherever the clock of the host is: neither the commit, nor its receipt, nor the
/// stamps of what it did. So every instant stands for one commit, and a later instant never for an earlier one.
pub fn instants_never_go_back(store: &Store) {
    let promise = "a commit has the instant of its batch or that of the commit before it, whichever is later";
    let advice = "let `Marks::at` be the instant of the last commit";
    prepare(store);
    let day = |text: &str| there(format!("{text}T10:00:00Z").parse::<crate::Instant>().ok(), "an instant is read");
    let clock = ["2026-01-05", "2026-01-03", "2026-01-04", "1969-07-20", "2026-01-06"].map(day);
    let kept = ["2026-01-05", "2026-01-05", "2026-01-05", "2026-01-05", "2026-01-06"].map(day);
    for ((batch, kept), n) in clock.into_iter().zip(kept).zip(1i64..) {
        let receipt = write(store, n, batch, None, None);
        same(&receipt.at, &kept, promise, advice);
        let found = must(snapshot(store).commits(&receipt.commit.map_or(vec![], |id| vec![id])), "a commit is read");
        same(&found.into_iter().flatten().map(|commit| commit.at).collect::<Vec<_>>(), &[kept], promise, advice);
        same(&must(snapshot(store).marks(), "the marks are read").at, &Some(kept), promise, advice);
        let details = must(typed(&host(store), "customer").details(1), "the details of a value are read");
        same(&details[0].modified.at, &kept, promise, advice);
    }
    let at = |text: &str| must(snapshot(store).commit_at(day(text)), "a commit is found by its instant").get();
    let found = ["0001-01-01", "2026-01-03", "2026-01-04", "2026-01-05", "2026-01-06", "2026-02-01"].map(at);
    let promise = "`commit_at` finds the last commit that is not later";
    same(&found, &[1, 1, 1, 5, 6, 6], promise, "look for the first commit that is later, and answer the one before it");
    let before = must(snapshot(store).commit_at(micros(EARLIEST - 1)), "a commit is found by its instant");
    same(&before.get(), &0, promise, "before the first commit there is none");
}

/// Actors and notes come back as they were, and none is not the same as an empty one.
pub fn actors_and_notes_come_back(store: &Store) {
    let promise = "the actor and the note of a commit come back as they were given, or none if none was";
    prepare(store);
    let long = "𝔘".repeat(1024);
    let pairs = [
        (None, None),
        (Some("ann"), None),
        (None, Some("because")),
        (Some(""), Some("")),
        (Some("'); DROP TABLE commits; --"), Some("\"\\\n\t%")),
        (Some("Zoë 😀"), Some(long.as_str())),
        (Some("NULL"), Some("null")),
        (Some(" spaces "), Some("日本語")),
    ];
    let ids: Vec<_> = pairs
        .iter()
        .zip(1i64..)
        .map(|((actor, note), n)| write(store, n, micros(n), *actor, *note).commit)
        .map(|commit| there(commit, "a change is a commit"))
        .collect();
    let found = must(snapshot(store).commits(&ids), "commits are read");
    for ((commit, (actor, note)), id) in found.iter().zip(pairs).zip(&ids) {
        let plain = commit.as_ref().map(|commit: &Commit| (commit.id, commit.actor.as_deref(), commit.note.as_deref()));
        same(&plain, &Some((*id, actor, note)), promise, EXACT);
    }
    let of = host(store);
    let details = must(typed(&of, "customer").details(1), "the details of a value are read");
    let by = |stamp: &crate::Stamp| stamp.by.as_deref().map(str::to_owned);
    same(&(by(&details[0].created), by(&details[0].modified)), &(None::<()>, Some(" spaces ")), promise, EXACT);
}

/// Commits are read in the order of the question, and there is none before the first or after the last.
pub fn commits_are_read_in_order(store: &Store) {
    let promise = "`commits` answers in the order of the question, none where there is none";
    prepare(store);
    for n in 1..=5 {
        write(store, n, micros(n), None, None);
    }
    let asked = [6, 2, 0, 2, 7, 1, u64::MAX].map(CommitId::new);
    let found = must(snapshot(store).commits(&asked), "commits are read");
    let found: Vec<_> =
        found.iter().map(|commit| commit.as_ref().map(|commit| (commit.id.get(), commit.at.timestamp_micros()))).collect();
    let expected = [Some((6, 5)), Some((2, 1)), None, Some((2, 1)), None, Some((1, EARLIEST)), None];
    same(&found, &expected, promise, ORDER);
}

/// Values know the commits that first set and last changed them.
pub fn values_know_their_commits(store: &Store) {
    let promise = "a value has the commit that first set it and the one that last changed it";
    prepare(store);
    let host = host(store);
    let of = typed(&host, "customer");
    let stamps = || {
        let details = must(of.details(1), "the details of a value are read");
        let plain = |stamp: &crate::Stamp| (stamp.commit.get(), stamp.by.as_deref().map(str::to_owned));
        (plain(&details[0].created), plain(&details[0].modified))
    };
    must(typed(&host, "customer").by("ann").set(1, "n", 1), "a value is set");
    must(typed(&host, "customer").by("bob").set(1, "n", 2), "a value is replaced");
    must(typed(&host, "customer").by("cyd").set(1, "n", 2), "an equal value is set");
    same(&stamps(), &((2, Some("ann")), (3, Some("bob"))), promise, EXACT);
    must(of.clear(1, "n"), "a value is cleared");
    must(of.set(1, "n", 3), "a value is set again");
    same(&stamps(), &((5, None::<()>), (5, None::<()>)), promise, EXACT);
}
