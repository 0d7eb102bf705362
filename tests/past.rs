//! The past brought back: entities, values, definitions, and all that one commit did.
#![cfg(feature = "sqlite")]

use std::ops::ControlFlow;
use std::sync::Arc;

use custom_attributes::{
    AttributeStore, Attributes, Changed, CommitId, DefinitionSpec, ManualClock, MemoryStore, Position, Receipt, SqliteStore, attr,
};
use proptest::prelude::*;

fn stores() -> [Attributes<Box<dyn AttributeStore>>; 2] {
    let sqlite = SqliteStore::in_memory().expect("a store");
    [Attributes::new(Box::new(MemoryStore::new())), Attributes::new(Box::new(sqlite))]
}

type Host = Attributes<Box<dyn AttributeStore>>;

fn commit(done: &Receipt) -> CommitId {
    done.commit.expect("it changed something")
}

/// What there is, to the letter, whoever did it and when.
fn picture(host: &Host) -> Vec<String> {
    let view = host.snapshot().expect("a snapshot");
    let mut lines: Vec<_> = view.catalog().iter().map(|found| format!("{} {:?}", found.id(), found.spec())).collect();
    let customers = host.of("customer").expect("a type");
    for entity in view.entities_of(customers.entity_type(), None, 100).expect("entities") {
        lines.extend(entity.iter().map(|(definition, value)| format!("{} {} {value}", entity.key(), definition.id())));
    }
    lines.sort();
    lines
}

/// Does one thing of many kinds; none if it changes nothing or is refused.
fn act(host: &Host, (kind, entity, name, value): (u8, i64, usize, i64)) -> Option<CommitId> {
    let customers = host.of("customer").expect("a type");
    let names = ["a", "b", "c"];
    let (name, other) = (names[name], names[(name + 1) % 3]);
    let done = match kind {
        0..=3 => customers.set(entity, name, value),
        4 => customers.clear(entity, name),
        5 => customers.remove(entity),
        6 => customers.move_value(entity, name, other),
        7 => host.batch().set(("customer", entity), name, value).set(("customer", value), other, entity).commit(),
        8 => host.batch().delete_with_values("customer", name).commit(),
        9 => host.batch().define("customer", DefinitionSpec::integer(name)).set(("customer", entity), name, value).commit(),
        10 => host.batch().alter("customer", name, |spec| spec.description("again")).commit(),
        _ => host.batch().alter("customer", name, move |spec| spec.named(other)).commit(),
    };
    done.ok().and_then(|receipt| receipt.commit)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Undoing the last commit brings back what was before it, and undoing that brings back what it did.
    #[test]
    fn the_last_commit_is_undone_whole(acts in prop::collection::vec((0u8..12, 0i64..4, 0usize..3, 0i64..4), 1..30)) {
        for host in stores() {
            let specs = ["a", "b", "c"].map(DefinitionSpec::integer);
            host.of("customer").expect("a type").ensure(specs).expect("definitions");
            let mut last = picture(&host);
            for one in &acts {
                let Some(done) = act(&host, *one) else { continue };
                let now = picture(&host);
                let undone = commit(&host.undo(done).expect("nothing came after it").commit().expect("an undo"));
                prop_assert_eq!(&picture(&host), &last, "after {:?}", one);
                host.undo(undone).expect("nothing came after it").commit().expect("an undo of the undo");
                prop_assert_eq!(&picture(&host), &now, "again after {:?}", one);
                last = now;
            }
            let mut faults = 0;
            let view = host.snapshot().expect("a snapshot");
            view.verify_index(|_| { faults += 1; ControlFlow::Continue(()) }).expect("an index");
            prop_assert_eq!(faults, 0);
        }
    }
}

#[test]
fn entities_and_values_are_what_they_were() {
    for host in stores() {
        let customers = host.of("customer").expect("a type");
        let specs = [DefinitionSpec::string("tier"), DefinitionSpec::decimal("limit"), DefinitionSpec::string("gone")];
        customers.ensure(specs).expect("definitions");
        let batch = host.batch().set(("customer", 1), "tier", "gold").set_text(("customer", 1), "limit", "1.50");
        let first = commit(&batch.set(("customer", 1), "gone", "x").commit().expect("a commit"));
        let limit = customers.details(1).expect("details")[1].id;
        host.batch().save(("customer", 1), [("tier", "basic")]).commit().expect("a commit");
        customers.delete("gone").expect("nobody holds it");

        let refused = host.restore_entity(("customer", 1), first).expect_err("a definition is gone").to_string();
        let said = "customer/1: `gone` was changed after that time, and is deleted now; restore it by itself if that is meant";
        assert_eq!(refused, said);
        host.restore_value(limit, first).expect("a value").by("ann").commit().expect("a commit");
        assert_eq!(customers.details(1).expect("details")[1].value.to_string(), "1.50");
        let history = host.snapshot().expect("a snapshot").value_history(limit).expect("history");
        assert_eq!(history.len(), 2);
        assert_eq!((history[1].began.by.as_deref(), &history[1].ended), (Some("ann"), &None));
        let view = host.snapshot().expect("a snapshot");
        let noted = view.commit(history[1].began.commit).expect("a read").expect("a commit").note;
        assert_eq!(noted.as_deref(), Some(format!("restores value {limit} as of commit {first}").as_str()));

        let gone = view.catalog().last_id();
        host.restore_definition(gone).expect("it is deleted").commit().expect("a commit");
        assert!(host.restore_definition(gone).expect_err("it is there").is_not_found());
        host.restore_entity(("customer", 1), first).expect("all is defined").commit().expect("a commit");
        let held: Vec<_> = customers.details(1).expect("details").iter().map(|detail| detail.value.to_string()).collect();
        assert_eq!(held, ["gold", "1.50", "x"]);
        assert!(host.restore_entity(("customer", 9), first).expect_err("it never was").is_not_found());
        assert!(host.restore_value(limit, CommitId::new(99)).expect_err("it is not yet done").is_not_found());
    }
}

#[test]
fn what_cannot_be_brought_back_is_told_before_anything_changes() {
    for host in stores() {
        let customers = host.of("customer").expect("a type");
        customers.ensure([DefinitionSpec::integer("seats"), DefinitionSpec::string("code").unique()]).expect("definitions");
        let batch = host.batch().set(("customer", 1), "seats", 500).set(("customer", 2), "seats", 7);
        let first = commit(&batch.set(("customer", 1), "code", "x").commit().expect("a commit"));
        host.batch().set(("customer", 1), "seats", 5).clear(("customer", 1), "code").commit().expect("a commit");
        customers.set(2, "code", "x").expect("it is free");
        customers.alter("seats", |spec| spec.maximum(100)).expect("all are less");
        let restored = host.restore_entity(("customer", 1), first).expect("a batch");
        let refused = restored.check().expect_err("another holds it").to_string();
        assert_eq!(refused, "change 1: customer/1: `code` is unique, and \"x\" is held by customer/2 already");
        assert!(restored.commit().is_err());
        let refused = host.undo(first).map(drop).expect_err("much has moved").to_string();
        let said = "customer/1: `seats` was changed after commit 2, and is \"5\" now; restore it by itself if that is meant; \
                    customer/1: `code` was changed after commit 2, and is absent now; restore it by itself if that is meant";
        assert_eq!(refused, said);
        let renamed = commit(&host.batch().alter("customer", "seats", |spec| spec.named("places")).commit().expect("a rename"));
        let undone = host.undo(renamed).expect("a batch");
        customers.alter("places", |spec| spec.description("how many")).expect("a change");
        assert!(undone.commit().expect_err("it was changed meanwhile").is_conflict());
        customers.rename("places", "seats").expect("a rename");
        // Who writes in between is not overwritten.
        let restored = host.restore_entity(("customer", 2), first).expect("a batch");
        customers.set(2, "seats", 8).expect("a set");
        assert!(restored.commit().expect_err("it has moved").is_conflict());
        assert_eq!(customers.get::<i64>(2, "seats").expect("a read"), Some(8));
    }
}

#[test]
fn an_undo_of_definitions_says_what_stands_against_it() {
    for host in stores() {
        let customers = host.of("customer").expect("a type");
        customers.ensure([DefinitionSpec::string("left"), DefinitionSpec::string("right")]).expect("definitions");
        let exchange = host.batch().alter("customer", "left", |spec| spec.named("aside"));
        let exchange = exchange.alter("customer", "right", |spec| spec.named("left"));
        let exchanged = commit(&exchange.alter("customer", "aside", |spec| spec.named("right")).commit().expect("a commit"));
        customers.alter("left", |spec| spec.description("changed again")).expect("a change");
        let refused = host.undo(exchanged).map(drop).expect_err("it was changed again").to_string();
        let said = "`left` was changed again after commit 2, so commit 2 cannot be undone as it is; undo the later changes of the \
                    definition first, or change the definition by itself";
        assert_eq!(refused, said);
        customers.delete("left").expect("a deletion");
        let refused = host.undo(exchanged).map(drop).expect_err("it is deleted").to_string();
        let said = "`left` was deleted after commit 2, so commit 2 cannot be undone as it is; bring the definition back with \
                    `restore_definition` first";
        assert_eq!(refused, said);

        let renamed = commit(&host.batch().alter("customer", "right", |spec| spec.named("far")).commit().expect("a rename"));
        customers.define(DefinitionSpec::string("right")).expect("its name is free");
        let refused = host.undo(renamed).expect("a batch").commit().expect_err("its name is taken");
        assert!(refused.is_duplicate(), "{refused}");
        let said = "change 0: the name `right` is taken by another attribute of the same entity type; choose another name, or rename \
                    that attribute (names are compared without case)";
        assert_eq!(refused.to_string(), said);
        let refused = customers.define(DefinitionSpec::string("RIGHT")).expect_err("its name is taken").to_string();
        let said = "the name `RIGHT` is taken by another attribute of the same entity type, `right`; choose another name, or rename \
                    that attribute (names are compared without case)";
        assert_eq!(refused, said);
    }
}

#[test]
fn a_deleted_definition_comes_back_with_its_values_and_its_index() {
    for host in stores() {
        let customers = host.of("customer").expect("a type");
        let id = customers.define(DefinitionSpec::string("tier").unique()).expect("a definition").id();
        for n in 0..50 {
            customers.set(n, "tier", format!("tier {n}")).expect("a set");
        }
        let before = picture(&host);
        customers.delete_with_values("tier").expect("a deletion");
        customers.define(DefinitionSpec::integer("tier")).expect("its name is free");
        let taken = host.restore_definition(id).expect("a batch").commit().expect_err("its name is taken");
        assert!(taken.is_duplicate(), "{taken}");
        customers.rename("tier", "other").expect("a rename");
        customers.delete("other").expect("nobody holds it");
        host.restore_definition(id).expect("a batch").commit().expect("a commit");
        assert_eq!(picture(&host), before);
        assert_eq!(customers.count_found(attr("tier").eq("tier 7")).expect("a count"), 1);
        assert!(customers.set(99, "tier", "tier 7").is_err(), "it is unique again");
        let versions = host.snapshot().expect("a snapshot").definition_history(id).expect("history");
        assert_eq!(versions.iter().map(|version| version.ended.is_some()).collect::<Vec<_>>(), [true, false]);
        assert_eq!(versions[0].definition.created(), versions[1].definition.created());
    }
}

#[test]
fn changes_are_read_by_many_while_others_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("feed.db");
    let open = || Attributes::new(SqliteStore::open(&path).expect("a store"));
    open().of("customer").expect("a type").define(DefinitionSpec::integer("n")).expect("a definition");
    std::thread::scope(|scope| {
        for writer in 0..3i64 {
            let host = open();
            scope.spawn(move || {
                for n in 0..40 {
                    let batch = host.batch().set(("customer", writer * 1000 + n), "n", n).set(("customer", writer), "n", n);
                    batch.commit().expect("a commit");
                }
            });
        }
        let host = open();
        let (mut position, mut commits) = (Position::default(), Vec::new());
        while commits.last() != Some(&121) {
            let page = host.changes_since(position, 3).expect("changes");
            commits.extend(page.changes.iter().map(|change: &Changed| change.commit().id.get()));
            position = page.position;
        }
        commits.dedup();
        assert_eq!(commits, (1..=121).collect::<Vec<_>>());
    });
}

/// Follows until this commit, and says which commits it saw, each once.
fn follow<S: AttributeStore>(mut changes: custom_attributes::Subscription<S>, last: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    while seen.last() != Some(&last) {
        let page = changes.next_page(std::time::Duration::from_secs(60)).expect("changes");
        assert!(!page.changes.is_empty(), "nothing came for a minute");
        seen.extend(page.changes.iter().map(|change| change.commit().id.get()));
        seen.dedup();
    }
    seen
}

#[test]
fn a_store_without_commits_has_no_changes() {
    for host in stores() {
        let page = host.changes_since(Position::default(), 10).expect("a page");
        assert!(page.changes.is_empty() && !page.has_more);
        host.of("customer").expect("a type").define(DefinitionSpec::integer("n")).expect("a definition");
        let next = host.changes_since(page.position, 10).expect("a page");
        assert_eq!((next.changes.len(), next.has_more), (1, false));
        let nothing = host.changes_since(Position::default(), 0).expect("a page");
        assert!(nothing.changes.is_empty() && nothing.has_more);
    }
}

#[test]
fn subscribers_see_every_commit_however_slow_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("followed.db");
    let open = || Attributes::new(SqliteStore::open(&path).expect("a store"));
    let host = open();
    let customers = host.of("customer").expect("a type");
    customers.define(DefinitionSpec::integer("n")).expect("a definition");
    let slow = host.subscribe().expect("a subscription").limit(1);
    let (from_now, from_the_first) = (host.subscribe().expect("a subscription"), host.subscribe_from(Position::default()));
    // Commits of another store, as of another process, are seen as well.
    let other = open().subscribe().expect("a subscription");
    std::thread::scope(|scope| {
        let fast = [scope.spawn(|| follow(from_now, 61)), scope.spawn(|| follow(other, 61))];
        let all = scope.spawn(|| follow(from_the_first, 61));
        for n in 0..60i64 {
            customers.set(n % 7, "n", n).expect("a set");
        }
        for one in fast {
            assert_eq!(one.join().expect("it follows"), (2..=61).collect::<Vec<_>>());
        }
        assert_eq!(all.join().expect("it follows"), (1..=61).collect::<Vec<_>>());
    });
    assert_eq!(follow(slow, 61), (2..=61).collect::<Vec<_>>());
    let mut idle = host.subscribe().expect("a subscription");
    let began = std::time::Instant::now();
    let wait = std::time::Duration::from_millis(250);
    assert!(idle.next_page(wait).expect("a page").changes.is_empty() && began.elapsed() >= wait);
}

#[test]
fn names_that_went_from_one_to_another_go_back() {
    for host in stores() {
        let customers = host.of("customer").expect("a type");
        customers.ensure(["a", "b"].map(DefinitionSpec::string)).expect("definitions");
        host.batch().set(("customer", 1), "a", "of a").set(("customer", 1), "b", "of b").commit().expect("a commit");
        let mut last = picture(&host);
        let named = |name: &'static str| move |spec: DefinitionSpec| spec.named(name);
        let reused = host.batch().delete_with_values("customer", "a").define("customer", DefinitionSpec::integer("a"));
        let exchanged =
            host.batch().alter("customer", "a", named("c")).alter("customer", "b", named("a")).alter("customer", "c", named("b"));
        let handed_on = host.batch().alter("customer", "b", named("d")).define("customer", DefinitionSpec::date("b"));
        for batch in [reused.set(("customer", 2), "a", 7), exchanged, handed_on] {
            let done = commit(&batch.commit().expect("a commit"));
            let now = picture(&host);
            let undone = commit(&host.undo(done).expect("nothing came after it").commit().expect("an undo"));
            assert_eq!(picture(&host), last);
            let again = host.undo(undone).expect("nothing came after it").commit().expect("an undo of the undo");
            assert_eq!(picture(&host), now);
            assert_eq!(
                again.changes.iter().filter(|applied| applied.outcome == custom_attributes::Outcome::Unchanged).count(),
                0
            );
            last = now;
        }
    }
}

fn day(text: &str) -> custom_attributes::Instant {
    format!("{text}T10:00:00Z").parse().expect("an instant")
}

/// Writes each value at its own day, wherever that moves the clock.
fn written_on<S: AttributeStore>(store: S, days: &[(&str, i64)]) -> Attributes<S> {
    let clock = Arc::new(ManualClock::at(day("1900-01-01")));
    let attributes = Attributes::new(store).with_clock(Arc::clone(&clock));
    let customers = attributes.of("customer").expect("a type");
    customers.define(DefinitionSpec::integer("n")).expect("a definition");
    for (at, n) in days {
        clock.set(day(at));
        customers.set(1, "n", *n).expect("a set");
    }
    drop(customers);
    attributes
}

fn as_of<S: AttributeStore>(attributes: &Attributes<S>, at: &str) -> Option<i64> {
    attributes.as_of(day(at)).expect("a view").get(("customer", 1), "n").expect("a value")
}

/// Of two instants the later never shows an earlier state, wherever the clock was: on every backend.
#[test]
fn as_of_an_instant_follows_time_where_the_clock_went_back() {
    let days = [("2026-01-05", 1), ("2026-01-03", 2), ("2026-01-04", 3), ("1969-07-20", 4), ("2026-01-06", 5)];
    fn check<S: AttributeStore>(attributes: &Attributes<S>) {
        let asked = ["1969-07-20", "2026-01-03", "2026-01-04", "2026-01-05", "2026-01-06", "2026-01-07"];
        // A commit whose clock had gone back has the instant of the one before it.
        let expected = [None, None, None, Some(4), Some(5), Some(5)];
        assert_eq!(asked.map(|at| as_of(attributes, at)), expected);
        let history = attributes.snapshot().expect("a view").history(("customer", 1)).expect("a history");
        let began: Vec<_> = history.iter().map(|version| version.began.at).collect();
        assert!(began.is_sorted(), "{began:?}");
        assert_eq!(began[3], day("2026-01-05"));
    }
    check(&written_on(MemoryStore::new(), &days));
    let folder = tempfile::tempdir().expect("a folder");
    check(&written_on(SqliteStore::open(folder.path().join("a.db")).expect("a store"), &days));
    check(&written_on(SqliteStore::in_memory().expect("a store"), &days));
    let connection = rusqlite::Connection::open_in_memory().expect("a connection");
    check(&written_on(custom_attributes::LentStore::on(&connection).expect("a store"), &days));
}

/// The batches of a group are not earlier than each other either.
#[test]
fn batches_that_are_committed_together_do_not_go_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::at(day("2026-01-05")));
    let store = SqliteStore::open(folder.path().join("a.db")).expect("a store");
    let attributes = Attributes::new(store).with_clock(Arc::clone(&clock));
    attributes.of("customer").expect("a type").define(DefinitionSpec::integer("n")).expect("a definition");
    let tickets: Vec<_> = (0..200)
        .map(|n| {
            clock.advance_micros(if n % 3 == 0 { -7_000_000 } else { 1_000_000 });
            attributes.batch().set(("customer", 1), "n", n).submit().expect("a ticket")
        })
        .collect();
    let receipts: Vec<_> = tickets.into_iter().map(|ticket| ticket.wait().expect("a receipt")).collect();
    assert!(receipts.iter().map(|receipt| (receipt.commit, receipt.at)).is_sorted(), "{receipts:?}");
}

/// A file that an older release wrote keeps its instants. Each commit counts as late as the latest before it, so that a later
/// instant never stands for an earlier commit; what is committed from now on is not earlier than the last.
#[test]
fn an_old_file_whose_instants_go_back_has_one_answer_for_each_instant() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("old.db");
    let connection = rusqlite::Connection::open(&path).expect("a database");
    connection.execute_batch(include_str!("files/version-1.sql")).expect("an old file");
    for (id, at) in [(1, "2026-01-05"), (2, "2026-01-03"), (3, "2026-01-04"), (4, "1969-07-20"), (5, "2026-01-06")] {
        let sql = "UPDATE attr_commit SET at = ?2 WHERE id = ?1";
        connection.execute(sql, (id, day(at).timestamp_micros())).expect("an old file");
    }
    drop(connection);
    let clock = ManualClock::at(day("2026-01-02"));
    let attributes = Attributes::new(SqliteStore::open(&path).expect("a store")).with_clock(clock);
    let at = |text: &str| attributes.snapshot().expect("a view").as_snapshot().commit_at(day(text)).expect("a commit").get();
    let asked = ["1960-01-01", "1969-07-20", "2026-01-03", "2026-01-04", "2026-01-05", "2026-01-06"];
    assert_eq!(asked.map(at), [0, 0, 0, 0, 4, 5]);
    let receipt = attributes.of("customer").expect("a type").set(1, "seats", 77).expect("a set");
    assert_eq!((receipt.commit.map(CommitId::get), receipt.at), (Some(6), day("2026-01-06")));
    assert_eq!(at("2026-01-06"), 6);
    let first = attributes.snapshot().expect("a view").commit(CommitId::new(4)).expect("a commit").expect("it is there");
    assert_eq!(first.at, day("1969-07-20"), "its own instant stays as it is");
    let copy = MemoryStore::new();
    attributes.copy_to(&copy, |_| std::ops::ControlFlow::Continue(())).expect("a copy");
    let copied = Attributes::new(copy);
    let at = |text: &str| copied.snapshot().expect("a view").as_snapshot().commit_at(day(text)).expect("a commit").get();
    assert_eq!(asked.map(at), [0, 0, 0, 0, 4, 6]);
}
