//! Stores that are copied, written to lines and read from them, and backed up: nothing is lost, and nothing is added.
#![cfg(feature = "sqlite")]

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use custom_attributes::{
    AttributeStore, Attributes, CommitId, DataType, DefinitionId, DefinitionSpec, Error, Fault, Limits, ManualClock, MemoryStore,
    Point, Position, Progress, Prune, Retention, SqliteStore, Value, View,
};
use proptest::prelude::*;

#[allow(dead_code, unreachable_pub)]
#[path = "../examples/custom_backend.rs"]
mod custom_backend;

type Host = Attributes<Box<dyn AttributeStore>>;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const IDS: i64 = 5;

fn on_and_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at("2026-01-01T00:00:00Z".parse().expect("an instant")))
}

fn host(store: impl AttributeStore + 'static, clock: &Arc<ManualClock>) -> Host {
    let mut limits = Limits::typed();
    limits.retention = Retention::Forever;
    let store: Box<dyn AttributeStore> = Box::new(store);
    Attributes::new(store).with_limits(limits).expect("limits").with_clock(Arc::clone(clock))
}

fn memory(clock: &Arc<ManualClock>) -> Host {
    host(MemoryStore::new(), clock)
}

fn sqlite(clock: &Arc<ManualClock>) -> Host {
    host(SqliteStore::in_memory().expect("a store"), clock)
}

fn third(clock: &Arc<ManualClock>) -> Host {
    host(custom_backend::StateStore::default(), clock)
}

#[derive(Debug, Clone)]
enum Act {
    Set(i64, usize, i64),
    Many(usize, i64),
    Clear(i64, usize),
    Remove(i64),
    Erase(i64, usize),
    EraseEntity(i64),
    Define(usize, bool),
    Rename(usize, usize),
    Swap(usize, usize),
    Type(usize, DataType, bool),
    Delete(usize),
    Restore(u64),
    Undo(u64),
    Merge(usize, usize),
    Retain(usize, Retention),
    Prune(usize),
    Passing,
    Wait(i64),
}

fn act() -> impl Strategy<Value = Act> {
    let (id, name) = (|| 0..IDS, || 0..NAMES.len());
    let retention = prop_oneof![
        Just(Retention::Forever),
        Just(Retention::Off),
        (0..3u32).prop_map(Retention::Versions),
        (0..20u64).prop_map(Retention::Seconds),
    ];
    let data_type = prop_oneof![Just(DataType::Integer), Just(DataType::String), Just(DataType::Decimal)];
    prop_oneof![
        12 => (id(), name(), 0..5i64).prop_map(|(id, name, value)| Act::Set(id, name, value)),
        3 => (name(), 0..9i64).prop_map(|(name, value)| Act::Many(name, value)),
        3 => (id(), name()).prop_map(|(id, name)| Act::Clear(id, name)),
        1 => id().prop_map(Act::Remove),
        1 => (id(), name()).prop_map(|(id, name)| Act::Erase(id, name)),
        1 => id().prop_map(Act::EraseEntity),
        3 => (name(), any::<bool>()).prop_map(|(name, searchable)| Act::Define(name, searchable)),
        1 => (name(), name()).prop_map(|(from, to)| Act::Rename(from, to)),
        1 => (name(), name()).prop_map(|(one, other)| Act::Swap(one, other)),
        2 => (name(), data_type, any::<bool>()).prop_map(|(name, data_type, searchable)| Act::Type(name, data_type, searchable)),
        1 => name().prop_map(Act::Delete),
        1 => (0..20u64).prop_map(Act::Restore),
        1 => (1..20u64).prop_map(Act::Undo),
        1 => (name(), name()).prop_map(|(from, into)| Act::Merge(from, into)),
        2 => (name(), retention).prop_map(|(name, retention)| Act::Retain(name, retention)),
        2 => (1..9usize).prop_map(Act::Prune),
        1 => Just(Act::Passing),
        2 => (1..10i64).prop_map(Act::Wait),
    ]
}

fn acts(most: usize) -> impl Strategy<Value = Vec<Act>> {
    let begin = (0..NAMES.len()).map(|name| Act::Define(name, name % 2 == 0)).collect::<Vec<_>>();
    prop::collection::vec(act(), 1..most).prop_map(move |acts| begin.iter().cloned().chain(acts).collect())
}

/// Does it, if it can be done: what is refused changes nothing.
fn apply(host: &Host, clock: &ManualClock, act: &Act) {
    clock.advance_micros(1001);
    let of = host.of("customer").expect("a type");
    let value = |name: usize, value: i64| {
        let view = host.snapshot().expect("a snapshot");
        let text = if value % 2 == 0 { value.to_string() } else { format!("{value}.50") };
        let data_type = view.catalog().find(of.entity_type(), NAMES[name]).map(|definition| definition.data_type());
        match data_type {
            Some(DataType::Decimal) => Value::parse(DataType::Decimal, &text).expect("a decimal"),
            Some(DataType::Integer) => Value::from(value),
            _ => Value::from(text),
        }
    };
    let done = match act {
        Act::Set(id, name, n) => {
            host.batch().by("somebody").set(("customer", *id), NAMES[*name], value(*name, *n)).commit().map(drop)
        }
        Act::Many(name, n) => {
            let batch = (0..IDS)
                .fold(host.batch().note("many"), |batch, id| batch.set(("customer", id), NAMES[*name], value(*name, n + id)));
            batch.commit().map(drop)
        }
        Act::Clear(id, name) => of.clear(*id, NAMES[*name]).map(drop),
        Act::Remove(id) => of.remove(*id).map(drop),
        Act::Erase(id, name) => host.batch().erase(("customer", *id), NAMES[*name]).commit().map(drop),
        Act::EraseEntity(id) => host.batch().erase_entity(("customer", *id)).commit().map(drop),
        Act::Define(name, searchable) => {
            of.define(DefinitionSpec::string(NAMES[*name]).sensitive().searchable(*searchable)).map(drop)
        }
        Act::Rename(from, to) => of.rename(NAMES[*from], NAMES[*to]).map(drop),
        Act::Swap(one, other) => {
            let steps = [(NAMES[*one], "passing"), (NAMES[*other], NAMES[*one]), ("passing", NAMES[*other])];
            let batch = steps
                .into_iter()
                .fold(host.batch(), |batch, (from, to)| batch.alter("customer", from, move |spec| spec.named(to)));
            batch.commit().map(drop)
        }
        Act::Type(name, data_type, searchable) => {
            let alter = |spec: DefinitionSpec| spec.of_type(*data_type).searchable(*searchable);
            of.change(NAMES[*name], alter).apply_with(custom_attributes::Offending::Clear).map(drop)
        }
        Act::Delete(name) => of.delete_with_values(NAMES[*name]).map(drop),
        Act::Restore(commit) => {
            let restored = host.restore_definition(DefinitionId::new(1 + u32::try_from(*commit).expect("a small number") % 6));
            restored.and_then(|batch| batch.commit()).map(drop)
        }
        Act::Undo(commit) => host.undo(CommitId::new(*commit)).and_then(|batch| batch.commit()).map(drop),
        Act::Merge(from, into) => {
            of.plan().merge(NAMES[*from], NAMES[*into]).apply_with(custom_attributes::Offending::Clear).map(drop)
        }
        Act::Retain(name, retention) => of.alter(NAMES[*name], |spec| spec.retention(*retention)).map(drop),
        Act::Prune(limit) => host.prune(&Prune::new().limit(*limit), on_and_on).map(drop),
        Act::Passing => {
            let batch = host.batch().define("customer", DefinitionSpec::string("passing")).delete("customer", "passing");
            batch.commit().map(drop)
        }
        Act::Wait(seconds) => {
            clock.advance_micros(seconds * 1_000_000);
            Ok(())
        }
    };
    match done {
        Ok(()) => {}
        Err(error) => assert!((40_000..50_000).contains(&error.code()), "{act:?}: {error}"),
    }
}

/// All that a store answers of the past and the present.
fn told(host: &Host) -> Vec<String> {
    let view = host.snapshot().expect("a snapshot");
    let marks = view.as_snapshot().marks().expect("marks");
    let mut told = vec![format!("{marks:?}")];
    for commit in 0..=marks.commit.get() {
        let then = host.as_of(Point::Commit(CommitId::new(commit))).expect("the past");
        told.push(format!("{commit}: {}", state(&then)));
        let mut position = Position::from(CommitId::new(commit));
        loop {
            let page = view.changes_since(position, 3).expect("changes");
            told.push(format!("{position}: {}", serde_json::to_string(&page.changes).expect("JSON")));
            position = page.position;
            if !page.has_more {
                break;
            }
        }
    }
    let mut fault = |fault: Fault| -> ControlFlow<()> { panic!("{fault:?}") };
    view.as_snapshot().verify_index(&mut fault, &mut |_| ControlFlow::Continue(())).expect("an index");
    told
}

fn state(view: &View<'_>) -> String {
    let definitions: Vec<_> = view.catalog().iter().map(|definition| serde_json::to_string(definition).expect("JSON")).collect();
    let revision = view.catalog().revision();
    let records = view.as_snapshot().written(None, None, 100).expect("records");
    format!("{revision} {definitions:?} {records:?}")
}

#[track_caller]
fn alike(found: &Host, expected: &Host) {
    let contents = |host: &Host| host.contents(on_and_on).expect("contents");
    for (found, expected) in told(found).iter().zip(&told(expected)) {
        assert_eq!(found, expected);
    }
    assert_eq!(contents(found), contents(expected));
}

fn lines(host: &Host) -> Vec<u8> {
    let mut lines = Vec::new();
    host.export(&mut lines, on_and_on).expect("an export");
    lines
}

fn copy(from: &Host, to: Host) -> Host {
    from.copy_to(to.store(), on_and_on).expect("a copy");
    to
}

fn import(lines: &[u8], to: Host) -> Host {
    to.import(lines, on_and_on).expect("an import");
    to
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    /// Whatever became of a store: it goes from any kind to any other and through lines, and tells the same everywhere; and each
    /// of them goes on alike.
    #[test]
    fn copies_are_alike_and_go_on_alike(before in acts(40), after in prop::collection::vec(act(), 1..8)) {
        let clock = clock();
        let source = memory(&clock);
        before.iter().for_each(|act| apply(&source, &clock, act));
        let first = copy(&source, sqlite(&clock));
        let second = copy(&first, third(&clock));
        let third_ = copy(&second, memory(&clock));
        let written = lines(&source);
        prop_assert!(written == lines(&first));
        let read = [import(&written, sqlite(&clock)), import(&lines(&second), memory(&clock)), import(&written, third(&clock))];
        let copies: Vec<Host> = [first, second, third_].into_iter().chain(read).collect();
        copies.iter().for_each(|copy| alike(copy, &source));
        let now = custom_attributes::Clock::now(&*clock);
        for host in copies.iter().chain([&source]) {
            clock.set(now);
            after.iter().for_each(|act| apply(host, &clock, act));
        }
        copies.iter().for_each(|copy| alike(copy, &source));
    }

    /// A copy that is made again after more has happened, pruned and erased as well, is like a new one.
    #[test]
    fn a_copy_is_brought_up_to_date(rounds in prop::collection::vec(acts(15), 2..4)) {
        let clock = clock();
        let source = memory(&clock);
        let copies = [sqlite(&clock), third(&clock), memory(&clock)];
        for acts in rounds {
            acts.iter().for_each(|act| apply(&source, &clock, act));
            for copy in &copies {
                source.copy_to(copy.store(), on_and_on).expect("a copy");
                alike(copy, &source);
            }
        }
    }

    /// An import that came to any point goes on from there.
    #[test]
    fn an_import_goes_on_where_it_ended(acts in acts(30), cut in 0.0..1.0f64) {
        let clock = clock();
        let source = memory(&clock);
        acts.iter().for_each(|act| apply(&source, &clock, act));
        let whole = lines(&source);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let part = (whole.len() as f64 * cut) as usize;
        for to in [memory(&clock), sqlite(&clock), third(&clock)] {
            let error = to.import(&whole[..part], on_and_on).expect_err("it is cut off");
            prop_assert!(matches!(error, Error::Unreadable { .. }), "{error}");
            alike(&import(&whole, to), &source);
        }
    }

    /// A byte that is not what it was is found, and nothing of it is kept.
    #[test]
    fn a_flipped_byte_is_found(place in 0.0..1.0f64, bit in 0..8u32) {
        let clock = clock();
        let source = memory(&clock);
        for name in 0..4 {
            apply(&source, &clock, &Act::Define(name, true));
            apply(&source, &clock, &Act::Many(name, 3));
        }
        let mut changed = lines(&source);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let index = (changed.len() as f64 * place) as usize;
        changed[index] ^= 1 << bit;
        let to = memory(&clock);
        let error = to.import(changed.as_slice(), on_and_on).expect_err("it is damaged");
        prop_assert!(matches!(error, Error::Unreadable { .. }), "{error}");
        // What was taken in is the beginning of the source.
        let last = to.snapshot().expect("a snapshot").as_snapshot().marks().expect("marks").commit;
        prop_assert_eq!(state(&to.snapshot().expect("a snapshot")), state(&source.as_of(Point::Commit(last)).expect("the past")));
    }
}

fn filled() -> Host {
    let clock = clock();
    let source = memory(&clock);
    for name in 0..4 {
        apply(&source, &clock, &Act::Define(name, true));
        apply(&source, &clock, &Act::Many(name, 3));
    }
    source
}

#[test]
fn lines_say_what_is_the_matter_with_them() {
    let whole = String::from_utf8(lines(&filled())).expect("text");
    let all: Vec<&str> = whole.lines().collect();
    let join = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let mut swapped = all.clone();
    swapped.swap(8, 9);
    let mut without = all.clone();
    without.remove(9);
    let newer = whole.replacen("\"version\":1", "\"version\":2", 1);
    let cut = join(&all[..all.len() - 1]);
    let behind = format!("{whole}{}\n", all[0]);
    for (text, said) in [
        (String::new(), "line 1 of the export is missing: there is nothing to import"),
        ("name,tier\n1,premium\n".to_owned(), "line 1 of the export is not the beginning of an export"),
        (newer, "line 1 of the export is of version 2, and this release reads version 1; use a newer release"),
        (cut, "is missing: the export was cut off before its end"),
        (join(&swapped), "line 9 of the export is of the entity with ordinal 5, which commit 2 touches twice or out of order"),
        (join(&without), "line 10 of the export is not the sum of those before it"),
        (behind, "stands behind the end of the export"),
    ] {
        let to = memory(&clock());
        let error = to.import(text.as_bytes(), on_and_on).expect_err("it is wrong");
        assert!(error.to_string().contains(said), "{error} does not say {said}\n{}", join(&all[..14]));
        assert_eq!(error.code(), 42200);
    }
}

#[test]
fn a_store_with_something_else_is_not_written() {
    let (source, clock) = (filled(), clock());
    for (acts, said) in [
        (vec![Act::Wait(1), Act::Define(3, false)], "its commit 1 is not that of the source"),
        (
            (0..9).map(|n| Act::Define(n % 4, true)).chain((0..9).map(|n| Act::Set(1, 0, n))).collect(),
            "is not that of the source",
        ),
    ] {
        let to = memory(&clock);
        acts.iter().for_each(|act| apply(&to, &clock, act));
        let before = to.digest().expect("a digest");
        for error in [source.copy_to(to.store(), on_and_on), to.import(lines(&source).as_slice(), on_and_on)] {
            let error = error.expect_err("it is not empty");
            assert!(error.to_string().contains(said), "{error}");
            assert_eq!(error.code(), 40903);
        }
        assert_eq!(to.digest().expect("a digest"), before);
    }
    // One that has more than the source.
    let ahead = copy(&source, memory(&clock));
    apply(&ahead, &clock, &Act::Set(1, 0, 100));
    let error = source.copy_to(ahead.store(), on_and_on).expect_err("it is ahead");
    assert!(error.to_string().contains("it has 9 commits, and the source 8"), "{error}");
}

#[test]
fn what_is_ended_goes_on() {
    let source = filled();
    for n in 0..3000 {
        source.of("customer").expect("a type").set(n % 50, "a", n.to_string()).expect("a value is set");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let to = host(SqliteStore::open(folder.path().join("copy.db")).expect("a store"), &clock());
    let mut last = 0;
    for least in [1000, 5000, u64::MAX] {
        let copied = source.copy_to(to.store(), |progress| {
            assert!(progress.done <= progress.total, "{progress:?}");
            last = progress.total - progress.done;
            if progress.done > least { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match copied {
            Ok(_) => assert_eq!(last, 0),
            Err(error) => assert!(matches!(error, Error::Stopped), "{error}"),
        }
    }
    alike_shortly(&to, &source);
}

#[track_caller]
fn alike_shortly(found: &Host, expected: &Host) {
    assert_eq!(found.contents(on_and_on).expect("contents"), expected.contents(on_and_on).expect("contents"));
}

#[test]
fn many_entities_of_one_commit_go_page_by_page() {
    let clock = clock();
    let source = memory(&clock);
    apply(&source, &clock, &Act::Define(0, true));
    let of = |host: &Host, n: i64| {
        let batch = (0..5000).fold(host.batch(), |batch, id| batch.set(("customer", id), "a", (n * id % 700).to_string()));
        batch.commit().expect("a batch");
    };
    of(&source, 1);
    of(&source, 3);
    source.batch().erase_entity(("customer", 77)).commit().expect("one is erased");
    let there = copy(&source, sqlite(&clock));
    alike_shortly(&there, &source);
    let mut fault = |fault: Fault| -> ControlFlow<()> { panic!("{fault:?}") };
    there.store().snapshot().expect("a snapshot").verify_index(&mut fault, &mut |_| ControlFlow::Continue(())).expect("an index");
    alike_shortly(&import(&lines(&source), third(&clock)), &source);
}

/// A reader that gives a few bytes at a time.
struct Drops<'a>(&'a [u8]);

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let few = buffer.len().min(7);
        self.0.read(&mut buffer[..few])
    }
}

#[test]
fn lines_come_in_drops() {
    let source = filled();
    let to = memory(&clock());
    to.import(io::BufReader::new(Drops(&lines(&source))), on_and_on).expect("an import");
    alike(&to, &source);
}

#[test]
fn a_backup_is_whole_while_others_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(folder.path().join("crm.db")).expect("a store");
    let attributes = Attributes::new(store.clone());
    let of = attributes.of("customer").expect("a type");
    of.define(DefinitionSpec::string("a")).expect("a definition");
    let batch = (0..20_000).fold(attributes.batch(), |batch, id| batch.set(("customer", id), "a", format!("value {id}")));
    batch.commit().expect("a batch");
    let ends = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut n = 0;
            while !ends.load(Ordering::Relaxed) {
                of.set(n % 20_000, "a", format!("other {n}")).expect("a value is set");
                n += 1;
            }
            n
        });
        for n in 0..3 {
            let path = folder.path().join(format!("backup {n}.db"));
            let before = attributes.snapshot().expect("a snapshot").as_snapshot().marks().expect("marks").commit;
            let mut told = 0;
            store
                .backup(&path, |progress| {
                    told += 1;
                    thread::sleep(std::time::Duration::from_millis(5));
                    assert!(progress.done <= progress.total);
                    ControlFlow::Continue(())
                })
                .expect("a backup");
            assert!(told > 0);
            let backup = Attributes::new(SqliteStore::open(&path).expect("it opens"));
            let last = backup.snapshot().expect("a snapshot").as_snapshot().marks().expect("marks").commit;
            assert!(last >= before);
            // It is what the store was at that commit.
            let then = attributes.as_of(last).expect("the past");
            assert_eq!(state(&backup.snapshot().expect("a snapshot")), state(&then));
            let mut fault = |fault: Fault| -> ControlFlow<()> { panic!("{fault:?}") };
            backup
                .store()
                .snapshot()
                .expect("a snapshot")
                .verify_index(&mut fault, &mut |_| ControlFlow::Continue(()))
                .expect("an index");
        }
        ends.store(true, Ordering::Relaxed);
        assert!(writer.join().expect("the writer ends") > 0);
    });
}

#[test]
fn a_backup_that_is_not_whole_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let store = SqliteStore::open(path("crm.db")).expect("a store");
    let names = || {
        let mut names: Vec<_> = std::fs::read_dir(folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .filter(|name| !name.starts_with("crm.db"))
            .collect();
        names.sort();
        names
    };
    let stopped = store.backup(path("backup.db"), |_| ControlFlow::Break(())).expect_err("it is ended");
    assert!(matches!(stopped, Error::Stopped), "{stopped}");
    assert_eq!(names(), [] as [&str; 0]);
    store.backup(path("backup.db"), on_and_on).expect("a backup");
    let taken = store.backup(path("backup.db"), on_and_on).expect_err("there is one");
    assert!(taken.to_string().contains("there is a file already"), "{taken}");
    let nowhere = store.backup(path("missing").join("backup.db"), on_and_on).expect_err("there is no folder");
    assert!(nowhere.to_string().contains("SQLite cannot make it"), "{nowhere}");
    let open = SqliteStore::open(path("backup.db")).expect("it opens");
    Attributes::new(open.clone()).of("customer").and_then(|of| of.define(DefinitionSpec::string("a"))).expect("it is written");
    let used = store.backup_over(path("backup.db"), on_and_on).expect_err("it is in use");
    assert!(used.to_string().contains("is in use"), "{used}");
    drop(open);
    store.backup_over(path("backup.db"), on_and_on).expect("it is replaced");
    assert_eq!(names(), ["backup.db"]);
    let digest = |store: SqliteStore| Attributes::new(store).digest().expect("a digest");
    assert_eq!(digest(SqliteStore::open(path("backup.db")).expect("it opens")), digest(store));
}

#[test]
fn a_store_in_memory_is_backed_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::in_memory().expect("a store");
    let attributes = Attributes::new(store.clone());
    attributes.of("customer").and_then(|of| of.define(DefinitionSpec::string("a"))).expect("a definition");
    store.backup(folder.path().join("backup.db"), on_and_on).expect("a backup");
    let backup = Attributes::new(SqliteStore::open(folder.path().join("backup.db")).expect("it opens"));
    assert_eq!(backup.digest().expect("a digest"), attributes.digest().expect("a digest"));
}
