//! What is in history no longer: never told wrongly, gone from the file, and gone for good.
#![cfg(feature = "sqlite")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use custom_attributes::{
    AttributeStore, Attributes, Changed, CommitId, DefinitionSpec, Error, Limits, ManualClock, MemoryStore, Ordinal, Position,
    Prune, Retention, SqliteStore, Value, attr,
};
use proptest::prelude::*;

type Host = Attributes<Box<dyn AttributeStore>>;

const NAMES: [&str; 3] = ["a", "b", "c"];

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at("2026-01-01T00:00:00Z".parse().expect("an instant")))
}

fn stores(clock: &Arc<ManualClock>) -> [Host; 2] {
    let sqlite = SqliteStore::in_memory().expect("a store");
    let host = |store: Box<dyn AttributeStore>| Attributes::new(store).with_clock(Arc::clone(clock));
    [host(Box::new(MemoryStore::new())), host(Box::new(sqlite))]
}

fn on_and_on(_: custom_attributes::Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// What each entity holds, by name.
type Held = BTreeMap<(i64, &'static str), Option<Value>>;

fn held(read: impl Fn(i64, &'static str) -> Option<Value>) -> Held {
    (0..4).flat_map(|id| NAMES.map(|name| ((id, name), read(id, name)))).collect()
}

fn present(host: &Host) -> Held {
    let view = host.snapshot().expect("a snapshot");
    held(|id, name| view.get::<Value>(("customer", id), name).expect("a value"))
}

fn retention() -> impl Strategy<Value = Option<Retention>> {
    prop_oneof![
        Just(None),
        Just(Some(Retention::Forever)),
        Just(Some(Retention::Off)),
        (0..3u32).prop_map(|kept| Some(Retention::Versions(kept))),
        (0..20u64).prop_map(|seconds| Some(Retention::Seconds(seconds))),
    ]
}

#[derive(Debug, Clone)]
enum Act {
    Set(i64, usize, i64),
    Clear(i64, usize),
    Remove(i64),
    Retain(usize, Option<Retention>),
    Prune(usize),
    Wait(i64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0..4i64, 0..3usize, 0..5i64).prop_map(|(id, name, value)| Act::Set(id, name, value)),
        2 => (0..4i64, 0..3usize).prop_map(|(id, name)| Act::Clear(id, name)),
        1 => (0..4i64).prop_map(Act::Remove),
        1 => (0..3usize, retention()).prop_map(|(name, retention)| Act::Retain(name, retention)),
        2 => (1..6usize).prop_map(Act::Prune),
        2 => (1..10i64).prop_map(Act::Wait),
    ]
}

/// Each attribute begins with a retention.
fn acts(most: usize) -> impl Strategy<Value = Vec<Act>> {
    let retained = prop::array::uniform3(retention());
    (retained, prop::collection::vec(act(), 1..most)).prop_map(|(retained, acts)| {
        let begin = retained.into_iter().enumerate().map(|(name, retention)| Act::Retain(name, retention));
        begin.chain(acts).collect()
    })
}

fn apply(host: &Host, clock: &ManualClock, act: &Act) {
    let customers = host.of("customer").expect("a type");
    let done = match act {
        Act::Set(id, name, value) => customers.set(*id, NAMES[*name], *value).map(drop),
        Act::Clear(id, name) => customers.clear(*id, NAMES[*name]).map(drop),
        Act::Remove(id) => customers.remove(*id).map(drop),
        Act::Retain(name, retention) => {
            let alter = |spec: DefinitionSpec| retention.map_or(spec.clone(), |retention| spec.retention(retention));
            customers.alter(NAMES[*name], alter).map(drop)
        }
        Act::Prune(limit) => host.prune(&Prune::new().limit(*limit), on_and_on).map(drop),
        Act::Wait(seconds) => {
            clock.advance_micros(seconds * 1_000_000);
            Ok(())
        }
    };
    done.expect("it is in order");
}

/// What was held after each commit.
fn live(host: &Host, clock: &ManualClock, acts: &[Act]) -> BTreeMap<u64, Held> {
    host.of("customer").expect("a type").ensure(NAMES.map(DefinitionSpec::integer)).expect("definitions");
    let mut states = BTreeMap::from([(1, present(host))]);
    for act in acts {
        apply(host, clock, act);
        let last = host.snapshot().expect("a snapshot").as_snapshot().marks().expect("marks").commit.get();
        states.insert(last, present(host));
    }
    states
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(80) })]

    /// Whatever was pruned or not kept: as of any commit, each value is what it was then, or is said to be forgotten; and what
    /// was never pruned is not.
    #[test]
    fn the_past_is_told_as_it_was_or_not_at_all(acts in acts(40)) {
        let clock = clock();
        for host in stores(&clock) {
            let customers = host.of("customer").expect("a type");
            let states = live(&host, &clock, &acts);
            let horizons = host.snapshot().expect("a snapshot").horizons().expect("horizons");
            let until: BTreeMap<&str, u64> = horizons.iter().map(|one| (one.attribute.as_str(), one.until.get())).collect();
            for (commit, state) in states.iter().filter(|(commit, _)| **commit > 0) {
                let then = host.as_of(CommitId::new(*commit)).expect("the past");
                for ((id, name), was) in state {
                    let told = then.get::<Value>(("customer", *id), name);
                    match until.get(name).filter(|until| *until > commit) {
                        Some(_) => prop_assert!(told.expect_err("it is not known").is_forgotten()),
                        None => prop_assert_eq!(&told.expect("it is known"), was, "{} of {} as of {}", name, id, commit),
                    }
                }
                for entity in then.entities_of(customers.entity_type(), None, 10).expect("entities") {
                    let id = entity.key().id().as_integer().expect("a number");
                    for (definition, value) in entity.iter() {
                        let name = NAMES.into_iter().find(|name| *name == definition.name().as_str()).expect("a name");
                        prop_assert_eq!(state[&(id, name)].as_ref(), Some(value));
                    }
                }
                for name in NAMES.into_iter().filter(|name| until.get(name).is_none_or(|until| until <= commit)) {
                    let expected = state.iter().filter(|((_, of), value)| *of == name && value.is_some()).count() as u64;
                    prop_assert_eq!(then.count_found(customers.entity_type(), attr(name).exists()).expect("a count"), expected);
                }
            }
        }
    }

    /// A value that is restored or undone becomes what it was, or nothing is changed.
    #[test]
    fn what_is_forgotten_is_not_brought_back_wrongly(acts in acts(25), entity in 0..2i64) {
        let clock = clock();
        for host in stores(&clock) {
            let customers = host.of("customer").expect("a type");
            let states = live(&host, &clock, &acts);
            let off = |name: &str| customers.definition(name).expect("it is there").spec().retention == Some(Retention::Off);
            for (commit, state) in &states {
                let restored = host.restore_entity(("customer", entity), CommitId::new(*commit)).and_then(|batch| batch.commit());
                match restored {
                    Ok(_) => for name in NAMES.into_iter().filter(|name| !off(name)) {
                        prop_assert_eq!(&customers.get::<Value>(entity, name).expect("a value"), &state[&(entity, name)]);
                    },
                    Err(error) => prop_assert!(error.is_not_found() || error.is_forgotten(), "{}", error),
                }
            }
        }
    }
}

#[test]
fn the_store_has_a_retention_and_definitions_their_own() {
    let clock = clock();
    let mut limits = Limits::typed();
    limits.retention = Retention::days(30);
    for host in stores(&clock) {
        let host = host.with_limits(limits.clone()).expect("limits");
        let customers = host.of("customer").expect("a type");
        let own = DefinitionSpec::integer("own").retention(Retention::Forever);
        customers.ensure([DefinitionSpec::integer("n"), own, DefinitionSpec::integer("gone")]).expect("definitions");
        for n in 0..4 {
            clock.advance_micros(Duration::from_hours(24 * 20).as_micros().try_into().expect("it fits"));
            customers.save(1, [("n", n), ("own", n), ("gone", n)]).expect("a save");
        }
        customers.delete_with_values("gone").expect("a deletion");
        let mut told = Vec::new();
        let pruned = host
            .prune(&Prune::new(), |progress| {
                told.push(progress);
                ControlFlow::Continue(())
            })
            .expect("it is pruned");
        // The versions that ended 40 and 20 days ago, and now: of each but for the last two, only the first is too old.
        let of: Vec<_> = pruned.attributes.iter().map(|one| (one.attribute.as_str(), one.removed)).collect();
        assert_eq!(of, [("n", 1), ("gone", 1)], "{pruned:?}");
        assert!(told.last().is_some_and(|last| last.done == last.total), "{told:?}");
        let commit = pruned.commits[0];
        let view = host.snapshot().expect("a snapshot");
        let note = view.commit(commit).expect("a read").expect("it is there").note;
        assert_eq!(note.as_deref(), Some("prunes 2 versions of history"));
        let page = host.changes_since(Position::default(), 100).expect("changes");
        let behind: Vec<_> = page.horizons.iter().map(|one| (one.attribute.as_str(), one.until.get())).collect();
        assert_eq!(behind, [("n", 3), ("gone", 3)]);
        assert!(host.changes_since(CommitId::new(3), 100).expect("changes").horizons.is_empty());
        let changes = view.diff(("customer", 1), CommitId::new(2), CommitId::new(5)).expect("a difference");
        let told: Vec<_> = changes.iter().map(|change| (change.attribute.as_str(), change.forgotten)).collect();
        assert_eq!(told, [("n", true), ("own", false), ("gone", true)]);
        let refused = host.undo(CommitId::new(3)).map(drop).expect_err("it is forgotten").to_string();
        assert!(refused.contains("`n` is not known as of commit 2: its history was pruned, or is not kept"), "{refused}");
    }
}

fn contains(path: &Path, needle: &[u8]) -> bool {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn is_on_disk(folder: &Path, needle: &str) -> bool {
    let files = std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    files.into_iter().any(|path| contains(&path, needle.as_bytes()))
}

#[test]
fn what_is_erased_is_in_no_byte_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("erased.db");
    let store = SqliteStore::options().busy_timeout(Duration::from_millis(200)).open(&path).expect("a store");
    let host = Attributes::new(store);
    let people = host.of("person").expect("a type");
    let secret = |name: &str| DefinitionSpec::string(name).sensitive();
    people
        .ensure([secret("diagnosis"), secret("remark").searchable(false), DefinitionSpec::string("tier")])
        .expect("definitions");
    // Rows that grow and move from page to page, leaving their old places behind.
    for round in 0..4 {
        for id in 0..300 {
            let long = "x".repeat(round * 120);
            let batch = host.batch().set(("person", id), "tier", format!("{long} tier {id}"));
            let batch = batch.set(("person", id), "diagnosis", format!("SECRET-{id}-{round}"));
            batch.set(("person", id), "remark", format!("{long} WHISPER-{id}-{round}")).commit().expect("a commit");
        }
        let mail = format!("ann{round}@MAILBOX.example");
        people.set(mail.as_str(), "diagnosis", format!("HERS-{round}")).expect("a set");
    }
    let marks = ["SECRET-7-0", "SECRET-7-3", "WHISPER-7-1", "ann2@MAILBOX", "HERS-2"];
    assert!(marks.iter().all(|mark| is_on_disk(folder.path(), mark)), "all of it is there");

    let held = host.snapshot().expect("a snapshot");
    let batch = host.batch().by("dpo").erase(("person", 7), "diagnosis").erase(("person", 7), "remark");
    batch.erase_entity(("person", "ann2@MAILBOX.example")).commit().expect("it is erased");
    assert_eq!(people.get::<String>(7, "diagnosis").expect("a read"), None);
    assert_eq!(people.count_found(attr("diagnosis").starts_with("SECRET-7-")).expect("a count"), 0);
    // A snapshot that is held has it still, and so has the file.
    let busy = host.purge().expect_err("an older snapshot is held");
    assert!(matches!(busy, Error::Busy { .. }) && busy.is_transient(), "{busy:?}");
    let text = busy.to_string();
    assert!(text.contains("an older snapshot is held") && text.contains("in this or another process"), "{text}");
    assert!(text.contains("drop the snapshot") && text.contains("call `purge` again"), "{text}");
    assert_eq!(held.get::<String>(("person", 7), "diagnosis").expect("a read").as_deref(), Some("SECRET-7-3"));
    drop(held);
    host.purge().expect("nobody looks at it any longer");
    for mark in ["SECRET-7-", "WHISPER-7-", "ann2@MAILBOX", "HERS-2"] {
        assert!(!is_on_disk(folder.path(), mark), "{mark} is still there");
    }
    // The others are as they were.
    assert_eq!(people.get::<String>(8, "diagnosis").expect("a read").as_deref(), Some("SECRET-8-3"));
    assert!(is_on_disk(folder.path(), "WHISPER-8-0"));
    let view = host.snapshot().expect("a snapshot");
    assert_eq!(view.history(("person", 8)).expect("a history").len(), 12);
    view.verify_index(|fault| panic!("{fault}")).expect("an index");
    drop(view);
    // Its place is not given to another, and keys that were kept for searching are not those of the dead.
    people.set("bob", "diagnosis", "none").expect("a set");
    let keys = people.find_keys(attr("diagnosis").exists()).expect("keys").keys;
    assert!(keys.iter().all(|key| !key.to_string().contains("ann2")));
    drop(host);
    let again = Attributes::new(SqliteStore::open(&path).expect("it opens again"));
    assert_eq!(again.snapshot().expect("a snapshot").as_snapshot().marks().expect("marks").ordinal, Ordinal::new(305));
}

#[test]
fn the_file_of_a_host_is_the_hosts_to_purge() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("host.db");
    let connection = rusqlite::Connection::open(&path).expect("a database");
    connection.execute_batch("CREATE TABLE customer (name TEXT)").expect("a table of the host");
    let host = Attributes::new(SqliteStore::options().beside_host_tables().open(&path).expect("a store"));
    let refused = host.purge().expect_err("it is the host's");
    assert!(refused.to_string().contains("the host must run VACUUM and PRAGMA wal_checkpoint(TRUNCATE)"), "{refused}");
}

#[test]
fn erasing_is_for_what_is_sensitive_and_alone_in_its_batch() {
    let clock = clock();
    for host in stores(&clock) {
        let people = host.of("person").expect("a type");
        let sensitive = DefinitionSpec::string("diagnosis").sensitive().required();
        people.ensure([DefinitionSpec::string("tier"), sensitive]).expect("definitions");
        people.save(1, [("tier", "gold"), ("diagnosis", "flu")]).expect("a save");
        let refused = host.batch().erase(("person", 1), "tier").commit().expect_err("it is not sensitive").to_string();
        let said = "person/1: `tier` was never marked as sensitive, and only sensitive values are erased; mark it as sensitive first, \
                    or clear the value";
        assert_eq!(refused.strip_prefix("change 0: "), Some(said));
        let both = host.batch().erase_entity(("person", 1)).set(("person", 1), "tier", "basic").commit();
        let refused = both.expect_err("it is erased").to_string();
        assert_eq!(refused, "change 0: person/1: an entity that is erased is not changed otherwise in the same batch");
        assert!(host.batch().erase(("person", 9), "diagnosis").commit().expect("nothing to do").commit.is_none());
        assert!(host.batch().erase_entity(("person", 9)).commit().expect("nothing to do").commit.is_none());
        // A right of the person goes before a rule of the host.
        let erased = host.batch().erase(("person", 1), "diagnosis").commit().expect("it is erased").commit.expect("a commit");
        let page = host.changes_since(CommitId::new(erased.get() - 1), 10).expect("changes");
        let Some(Changed::Entity(change)) = page.changes.first() else { panic!("{page:?}") };
        assert!(change.values.is_empty(), "nothing is left to be told: {change:?}");
        assert!(host.undo(erased).expect("a batch").commit().expect("nothing to undo").commit.is_none());
    }
}
