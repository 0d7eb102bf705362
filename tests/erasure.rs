//! An erasure by name follows the value: wherever it was merged, split, moved, renamed, converted, deleted or restored to, nothing
//! of it is left in the file, in its log, or in any answer.
#![cfg(feature = "sqlite")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use custom_attributes::{
    AttributeStore, Attributes, CommitId, DataType, DefinitionId, DefinitionSpec, MemoryStore, Offending, Outcome, Prune,
    Receipt, Result, Retention, Rule, SqliteStore,
};
use proptest::prelude::*;

type Host = Attributes<Box<dyn AttributeStore>>;

/// It is the value of person 1, who wants it erased.
const SECRET: &str = "MARKER-4711";
/// Person 2 holds this one, which stays.
const OTHER: &str = "OTHER-4712";

fn secret(name: &str) -> DefinitionSpec {
    DefinitionSpec::string(name).sensitive()
}

fn plain(name: &str) -> DefinitionSpec {
    DefinitionSpec::string(name)
}

/// How a value comes to where it is, and the names by which it can be erased.
struct Case {
    name: &'static str,
    prepare: fn(&Host) -> Result<()>,
    erased_by: &'static [&'static str],
}

fn begin(host: &Host, specs: &[DefinitionSpec], name: &str) -> Result<CommitId> {
    let people = host.of("person")?;
    people.ensure(specs.iter().cloned())?;
    people.set(2, name, OTHER)?;
    Ok(people.set(1, name, SECRET)?.commit.expect("it is new"))
}

const CASES: &[Case] = &[
    Case {
        name: "it is held, and was replaced",
        prepare: |host| {
            begin(host, &[secret("a")], "a")?;
            host.of("person")?.set(1, "a", "later").map(drop)
        },
        erased_by: &["a"],
    },
    Case {
        name: "deleted with its values",
        prepare: |host| {
            begin(host, &[secret("a")], "a")?;
            host.of("person")?.delete_with_values("a").map(drop)
        },
        erased_by: &["a", "A"],
    },
    Case {
        name: "deleted, and a new attribute has the name",
        prepare: |host| {
            begin(host, &[secret("a")], "a")?;
            host.of("person")?.delete_with_values("a")?;
            host.of("person")?.define(secret("a"))?;
            host.of("person")?.set(1, "a", "later").map(drop)
        },
        erased_by: &["a"],
    },
    Case {
        name: "deleted, and a new attribute that is not sensitive has the name",
        prepare: |host| {
            begin(host, &[secret("a")], "a")?;
            host.of("person")?.delete_with_values("a")?;
            host.of("person")?.define(plain("a")).map(drop)
        },
        erased_by: &["a"],
    },
    Case {
        name: "merged into another",
        prepare: |host| {
            begin(host, &[secret("a"), secret("b")], "a")?;
            host.batch().merge("person", "a", "b", Offending::Refuse).commit().map(drop)
        },
        erased_by: &["a", "b"],
    },
    Case {
        name: "merged into another that held the same",
        prepare: |host| {
            begin(host, &[secret("a"), secret("b")], "a")?;
            host.of("person")?.set(1, "b", SECRET)?;
            host.batch().merge("person", "a", "b", Offending::Refuse).commit().map(drop)
        },
        erased_by: &["a", "b"],
    },
    Case {
        name: "replaced before its attribute was merged",
        prepare: |host| {
            begin(host, &[secret("a"), secret("b")], "a")?;
            host.of("person")?.clear(1, "a")?;
            host.batch().merge("person", "a", "b", Offending::Refuse).commit().map(drop)
        },
        erased_by: &["a", "b"],
    },
    Case {
        name: "merged twice",
        prepare: |host| {
            begin(host, &[secret("a"), secret("b"), secret("c")], "a")?;
            host.batch().merge("person", "a", "b", Offending::Refuse).commit()?;
            host.of("person")?.set(1, "b", "later")?;
            host.batch().merge("person", "b", "c", Offending::Refuse).commit().map(drop)
        },
        erased_by: &["a", "b", "c"],
    },
    Case {
        name: "merged twice in one batch, and deleted",
        prepare: |host| {
            begin(host, &[secret("a"), secret("b"), secret("c")], "a")?;
            let batch = host.batch().merge("person", "a", "b", Offending::Refuse);
            batch.merge("person", "b", "c", Offending::Refuse).commit()?;
            host.of("person")?.delete_with_values("c").map(drop)
        },
        erased_by: &["a", "b", "c"],
    },
    Case {
        name: "merged, and the merge undone",
        prepare: |host| {
            begin(host, &[secret("a"), secret("b")], "a")?;
            let merged = host.batch().merge("person", "a", "b", Offending::Refuse).commit()?;
            host.undo(merged.commit.expect("it moved something"))?.commit().map(drop)
        },
        erased_by: &["a", "b"],
    },
    Case {
        name: "split off",
        prepare: |host| {
            begin(host, &[secret("a"), secret("b")], "a")?;
            host.batch().split("person", "a", "b").commit().map(drop)
        },
        erased_by: &["a", "b"],
    },
    Case {
        name: "split off, replaced there, and the split attribute deleted",
        prepare: |host| {
            begin(host, &[secret("a"), secret("b")], "a")?;
            host.batch().split("person", "a", "b").commit()?;
            host.of("person")?.set(1, "b", "later")?;
            host.of("person")?.delete_with_values("a").map(drop)
        },
        erased_by: &["a", "b"],
    },
    Case {
        name: "moved to another attribute",
        prepare: |host| {
            begin(host, &[secret("a"), secret("b")], "a")?;
            host.batch().move_value(("person", 1), "a", "b").commit().map(drop)
        },
        erased_by: &["a", "b"],
    },
    Case {
        name: "moved there and on, and the first move undone by hand",
        prepare: |host| {
            begin(host, &[secret("a"), secret("b"), secret("c")], "a")?;
            host.batch().move_value(("person", 1), "a", "b").commit()?;
            host.batch().move_value(("person", 1), "b", "c").commit()?;
            host.of("person")?.set(1, "c", "later").map(drop)
        },
        erased_by: &["a", "b", "c"],
    },
    Case {
        name: "moved, and the move undone",
        prepare: |host| {
            begin(host, &[secret("a"), secret("b")], "a")?;
            let moved = host.batch().move_value(("person", 1), "a", "b").commit()?;
            host.undo(moved.commit.expect("it moved"))?.commit().map(drop)
        },
        erased_by: &["a", "b"],
    },
    Case {
        name: "renamed",
        prepare: |host| {
            begin(host, &[secret("a")], "a")?;
            host.of("person")?.rename("a", "b").map(drop)
        },
        erased_by: &["b"],
    },
    Case {
        name: "renamed, and deleted with its values",
        prepare: |host| {
            begin(host, &[secret("a")], "a")?;
            host.of("person")?.rename("a", "b")?;
            host.of("person")?.delete_with_values("b").map(drop)
        },
        erased_by: &["b"],
    },
    Case {
        name: "deleted, restored and deleted again",
        prepare: |host| {
            begin(host, &[secret("a")], "a")?;
            let people = host.of("person")?;
            let id = people.definition("a")?.id();
            people.delete_with_values("a")?;
            host.restore_definition(id)?.commit()?;
            people.delete_with_values("a").map(drop)
        },
        erased_by: &["a"],
    },
    Case {
        name: "restored from history",
        prepare: |host| {
            let first = begin(host, &[secret("a")], "a")?;
            host.of("person")?.set(1, "a", "later")?;
            host.restore_entity(("person", 1), first)?.commit().map(drop)
        },
        erased_by: &["a"],
    },
    Case {
        name: "unmarked",
        prepare: |host| {
            begin(host, &[secret("a")], "a")?;
            host.of("person")?.set(1, "a", "later")?;
            host.of("person")?.alter("a", |spec| plain(&spec.name)).map(drop)
        },
        erased_by: &["a"],
    },
    Case {
        name: "unmarked and deleted",
        prepare: |host| {
            begin(host, &[secret("a")], "a")?;
            host.of("person")?.alter("a", |spec| plain(&spec.name))?;
            host.of("person")?.delete_with_values("a").map(drop)
        },
        erased_by: &["a"],
    },
    Case {
        name: "unique and searchable by parts",
        prepare: |host| {
            begin(host, &[secret("a").unique()], "a")?;
            host.of("person")?.set(1, "a", format!("{SECRET} and more")).map(drop)
        },
        erased_by: &["a"],
    },
    Case {
        name: "merged from an attribute that was not sensitive",
        prepare: |host| {
            begin(host, &[plain("a"), secret("b")], "a")?;
            host.batch().merge("person", "a", "b", Offending::Refuse).commit().map(drop)
        },
        erased_by: &["b"],
    },
    Case {
        name: "split off from an attribute that is not sensitive, and set there again",
        prepare: |host| {
            begin(host, &[plain("a"), secret("b")], "a")?;
            host.batch().split("person", "a", "b").commit()?;
            host.of("person")?.set(1, "a", SECRET)?;
            host.of("person")?.set(1, "a", OTHER).map(drop)
        },
        erased_by: &["b"],
    },
    Case {
        name: "moved from an attribute that is not sensitive",
        prepare: |host| {
            begin(host, &[plain("a"), secret("b")], "a")?;
            host.batch().move_value(("person", 1), "a", "b").commit().map(drop)
        },
        erased_by: &["b"],
    },
    Case {
        name: "split off, and what it became there was pruned",
        prepare: |host| {
            begin(host, &[plain("a"), secret("b").retention(Retention::Versions(0))], "a")?;
            host.batch().split("person", "a", "b").commit()?;
            host.of("person")?.set(1, "b", "later")?;
            host.prune(&Prune::new(), |_| std::ops::ControlFlow::Continue(())).map(drop)
        },
        erased_by: &["b"],
    },
    Case {
        name: "split off to an attribute without history",
        prepare: |host| {
            begin(host, &[secret("a"), secret("b").retention(Retention::Off)], "a")?;
            host.batch().split("person", "a", "b").commit()?;
            host.of("person")?.set(1, "b", "later").map(drop)
        },
        erased_by: &["a", "b"],
    },
];

fn holds(folder: &Path, needle: &str) -> bool {
    let files = std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    files.into_iter().any(|path| {
        let bytes = std::fs::read(path).expect("a file");
        bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}

/// All that can be read of a person, now and at every commit before.
fn told(host: &Host, id: i64) -> String {
    let view = host.snapshot().expect("a snapshot");
    let mut told: Vec<String> =
        view.history(("person", id)).expect("a history").iter().map(|version| version.value.to_string()).collect();
    let last = view.as_snapshot().marks().expect("marks").commit.get();
    for commit in 0..=last {
        let then = host.as_of(CommitId::new(commit)).expect("the past");
        let entity = then.entity(("person", id)).expect("a read");
        told.extend(entity.iter().flat_map(|entity| entity.iter().map(|(_, value)| value.to_string()).collect::<Vec<_>>()));
    }
    told.dedup();
    told.join("\n")
}

#[test]
fn an_erasure_reaches_the_value_wherever_it_went() {
    for Case { name, prepare, erased_by } in CASES {
        for by in *erased_by {
            let folder = tempfile::tempdir().expect("a folder");
            let file = SqliteStore::open(folder.path().join("people.db")).expect("a store");
            let stores: [Box<dyn AttributeStore>; 3] =
                [Box::new(file), Box::new(SqliteStore::in_memory().expect("a store")), Box::new(MemoryStore::new())];
            for host in stores.map(Attributes::new) {
                prepare(&host).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(told(&host, 1).contains(SECRET), "{name}: it is there at first");
                let other = told(&host, 2);
                let receipt = host.batch().erase(("person", 1), *by).commit().expect("it is erased");
                assert_eq!(receipt.changes[0].outcome, Outcome::Cleared, "{name}, erased by `{by}`");
                assert!(!receipt.erased.is_empty() && receipt.erased.iter().all(|id| id.ordinal().get() == 2));
                assert!(!told(&host, 1).contains(SECRET), "{name}, erased by `{by}`: {}", told(&host, 1));
                assert_eq!(told(&host, 2).lines().next(), other.lines().next(), "{name}: another person's values stay");
                host.purge().expect("nobody looks at it");
                host.snapshot().expect("a snapshot").verify_index(|fault| panic!("{name}: {fault}")).expect("an index");
                let again = host.batch().erase(("person", 1), *by).commit().expect("there is nothing left");
                assert_eq!((again.changes[0].outcome, again.erased.len()), (Outcome::Unchanged, 0), "{name}");
            }
            assert!(!holds(folder.path(), SECRET), "{name}, erased by `{by}`: it is in the file");
            assert!(holds(folder.path(), OTHER), "{name}: the other value is in the file");
        }
    }
}

/// Type, text as it was set, type that it is converted to.
#[test]
fn an_erasure_takes_every_form_of_a_converted_value() {
    let conversions = [
        (DataType::String, "4711471147.5", DataType::Decimal),
        (DataType::Decimal, "4711471147.00", DataType::String),
        (DataType::String, "1947-11-08", DataType::Date),
        (DataType::Integer, "4711471147", DataType::Decimal),
    ];
    for (first, text, then) in conversions {
        let folder = tempfile::tempdir().expect("a folder");
        let host = Attributes::new(SqliteStore::open(folder.path().join("people.db")).expect("a store"));
        let people = host.of("person").expect("a type");
        people.define(DefinitionSpec::new("a", first).sensitive()).expect("a definition");
        people.define(DefinitionSpec::new("b", then).sensitive()).expect("a definition");
        people.set_text(1, "a", text).expect("a set");
        people.change("a", |spec| spec.of_type(then)).apply().expect("it is exact");
        host.batch().move_value(("person", 1), "a", "b").commit().expect("a move");
        people.delete_with_values("b").expect("a deletion");
        let digits: String = text.chars().take(10).collect();
        // Numbers stand as numbers in the file, not as text.
        let is_text = |data_type| data_type != DataType::Integer;
        assert!(holds(folder.path(), &digits) || !is_text(first), "{text}");
        host.batch().erase(("person", 1), "a").commit().expect("it is erased");
        host.purge().expect("nobody looks at it");
        assert!(!holds(folder.path(), &digits), "{text}");
        assert_eq!(told(&host_of(host), 1), "");
    }
}

fn host_of(host: Attributes<SqliteStore>) -> Host {
    Attributes::new(Box::new(host.store().clone()))
}

#[test]
fn what_was_only_equal_by_chance_stays() {
    for host in stores() {
        let people = host.of("person").expect("a type");
        people.ensure([secret("a"), secret("b"), plain("tier"), secret("other")]).expect("definitions");
        people.save(1, [("a", "same"), ("tier", "same"), ("other", "same")]).expect("a save");
        people.save(1, [("a", "later"), ("tier", "later"), ("other", "other")]).expect("a save");
        let receipt = host.batch().erase(("person", 1), "a").commit().expect("it is erased");
        assert_eq!(receipt.erased.len(), 1);
        assert_eq!(people.get::<String>(1, "other").expect("a read").as_deref(), Some("other"));
        let view = host.snapshot().expect("a snapshot");
        let left: Vec<_> = view.history(("person", 1)).expect("a history").into_iter().map(|one| one.value.to_string()).collect();
        assert_eq!(left, ["same", "same", "later", "other"]);
    }
}

fn stores() -> [Host; 2] {
    let sqlite = SqliteStore::in_memory().expect("a store");
    [Attributes::new(Box::new(MemoryStore::new())), Attributes::new(Box::new(sqlite))]
}

fn refusal(refused: Result<Receipt>) -> String {
    let refused = refused.expect_err("it is refused");
    assert_eq!(refused.violations()[0].rule, Rule::SensitiveTarget, "{refused}");
    assert!(!format!("{refused}{refused:?}").contains(SECRET), "{refused}");
    refused.to_string()
}

#[test]
fn a_sensitive_value_goes_only_to_a_sensitive_attribute() {
    for host in stores() {
        begin(&host, &[secret("a"), plain("b")], "a").expect("a value");
        let people = host.of("person").expect("a type");
        people.set(1, "b", format!("{SECRET} there")).expect("a set");
        let said = "`b` is not marked as sensitive, and `a` is; mark `b` as sensitive first";
        let merged = host.batch().merge("person", "a", "b", Offending::Clear).commit();
        assert_eq!(refusal(merged), format!("change 0: {said}"));
        assert_eq!(refusal(host.batch().split("person", "a", "b").commit()), format!("change 0: {said}"));
        let moved = host.batch().move_value(("person", 1), "a", "b").commit();
        assert_eq!(refusal(moved), format!("change 0: person/1: {said}"));
        let planned = people.plan().merge("a", "b").check().map(drop).expect_err("it is refused").to_string();
        assert_eq!(planned, said);
        // An attribute that was unmarked may still hold what it held.
        people.alter("a", |spec| plain(&spec.name)).expect("it is unmarked");
        assert_eq!(refusal(host.batch().split("person", "a", "b").commit()), format!("change 0: {said}"));
        assert_eq!(people.get::<String>(1, "a").expect("a read").as_deref(), Some(SECRET), "nothing has moved");
        people.alter("b", |spec| spec.sensitive()).expect("it is marked");
        people.clear(1, "b").expect("a clear");
        host.batch().move_value(("person", 1), "a", "b").commit().expect("now it may");
    }
}

#[test]
fn what_was_held_while_sensitive_is_restored_only_where_it_is_sensitive() {
    for host in stores() {
        let first = begin(&host, &[secret("a")], "a").expect("a value");
        let people = host.of("person").expect("a type");
        let id = people.details(1).expect("details")[0].id;
        let replaced = people.set(1, "a", "later").expect("a set").commit.expect("a commit");
        let unmarked = host.batch().alter("person", "a", |spec| plain(&spec.name)).commit().expect("it is unmarked");
        let said = format!(
            "person/1: `a` is not marked as sensitive, and its value as of commit {first} is; mark `a` as sensitive first"
        );
        assert_eq!(refusal(host.restore_value(id, first).and_then(|batch| batch.commit())), said);
        assert_eq!(refusal(host.restore_entity(("person", 1), first).and_then(|batch| batch.commit())), said);
        assert_eq!(refusal(host.undo(replaced).and_then(|batch| batch.commit())), said);
        // What was held after it was unmarked is restored as ever.
        let open = people.set(1, "a", "open").expect("a set").commit.expect("a commit");
        people.set(1, "a", "open again").expect("a set");
        host.restore_value(id, open).and_then(|batch| batch.commit()).expect("it was not sensitive then");
        // And all of it once the attribute is marked again.
        host.undo(unmarked.commit.expect("a commit")).and_then(|batch| batch.commit()).expect("it is marked again");
        host.restore_value(id, first).and_then(|batch| batch.commit()).expect("it is sensitive now as well");
        assert_eq!(people.get::<String>(1, "a").expect("a read").as_deref(), Some(SECRET));
    }
}

#[test]
fn a_copy_knows_where_values_came_from() {
    let here = Attributes::new(MemoryStore::new());
    let people = here.of("person").expect("a type");
    people.ensure([secret("a"), secret("b"), secret("c"), secret("d")]).expect("definitions");
    people.set(1, "a", SECRET).expect("a set");
    here.batch().split("person", "a", "b").commit().expect("a split");
    here.batch().merge("person", "b", "c", Offending::Refuse).commit().expect("a merge");
    people.clear(1, "c").expect("a clear");
    people.alter("c", |spec| plain(&spec.name)).expect("it is unmarked");
    let goes_on = |_| std::ops::ControlFlow::Continue(());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("copy.db");
    let mut lines = Vec::new();
    here.export(&mut lines, goes_on).expect("an export");
    let imported = Attributes::new(SqliteStore::open(&path).expect("a store"));
    imported.import(lines.as_slice(), goes_on).expect("an import");
    assert_eq!(imported.digest().expect("a digest"), here.digest().expect("a digest"));
    drop(imported);
    let opened = Attributes::new(SqliteStore::open(&path).expect("it opens again"));
    let copied = Attributes::new(MemoryStore::new());
    opened.copy_to(copied.store(), goes_on).expect("a copy");
    assert_eq!(copied.digest().expect("a digest"), here.digest().expect("a digest"));
    for host in [host_of(opened), Attributes::new(Box::new(copied.store().clone()))] {
        let receipt = host.batch().erase(("person", 1), "c").commit().expect("it is erased");
        assert_eq!(receipt.erased.iter().map(|id| id.definition().get()).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(told(&host, 1), "");
    }
}

#[test]
fn the_file_of_a_host_holds_nothing_once_the_host_has_purged_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let connection = rusqlite::Connection::open(folder.path().join("host.db")).expect("a database");
    connection
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT)")
        .expect("a table");
    let tables = custom_attributes::HostTables::with_prefix("crm_").expect("a prefix");
    {
        let host = Attributes::new(tables.on(&connection).expect("tables"));
        let people = host.of("person").expect("a type");
        people.ensure([secret("a").unique(), secret("b")]).expect("definitions");
        people.set(1, "a", SECRET).expect("a set");
        host.batch().merge("person", "a", "b", Offending::Refuse).commit().expect("a merge");
        people.delete_with_values("b").expect("a deletion");
        assert!(holds(folder.path(), SECRET));
        let receipt = host.batch().erase(("person", 1), "a").commit().expect("it is erased");
        assert_eq!(receipt.erased.len(), 2);
    }
    connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").expect("it is the host's to do");
    assert!(!holds(folder.path(), SECRET));
}

#[test]
fn changes_around_an_erasure_in_one_batch_are_done_in_their_order() {
    for host in stores() {
        begin(&host, &[secret("a"), secret("b")], "a").expect("a value");
        let people = host.of("person").expect("a type");
        let batch = host.batch().merge("person", "a", "b", Offending::Refuse).erase(("person", 1), "b");
        let receipt = batch.set(("person", 1), "b", "new").commit().expect("a commit");
        assert_eq!(receipt.erased.len(), 2);
        assert_eq!(told(&host, 1), "new");
        assert_eq!(people.get::<String>(2, "b").expect("a read").as_deref(), Some(OTHER));
        let batch = host.batch().set(("person", 1), "b", SECRET).delete_with_values("person", "b").erase(("person", 1), "B");
        batch.commit().expect("a commit");
        assert_eq!(told(&host, 1), "");
        let unknown = host.batch().erase(("person", 1), "nobody").commit().expect_err("there is no such name");
        assert!(unknown.is_not_found());
    }
}

#[test]
fn an_entity_that_is_erased_leaves_nothing() {
    for Case { name, prepare, .. } in CASES {
        let folder = tempfile::tempdir().expect("a folder");
        let host: Host = Attributes::new(Box::new(SqliteStore::open(folder.path().join("people.db")).expect("a store")));
        prepare(&host).unwrap_or_else(|error| panic!("{name}: {error}"));
        host.batch().erase_entity(("person", 1)).commit().expect("it is erased");
        host.purge().expect("nobody looks at it");
        assert!(!holds(folder.path(), SECRET), "{name}");
    }
}

#[test]
fn a_file_of_an_older_release_learns_what_was_sensitive_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("old.db");
    let host = Attributes::new(SqliteStore::open(&path).expect("a store"));
    let people = host.of("person").expect("a type");
    for name in ["a", "b"] {
        people.define(secret(name)).expect("a definition");
        people.set(1, name, SECRET).expect("a set");
        people.set(1, name, "later").expect("a set");
        people.alter(name, |spec| plain(&spec.name)).expect("it is unmarked");
    }
    people.define(plain("c")).expect("a definition");
    people.delete_with_values("b").expect("a deletion");
    drop(host);
    let connection = rusqlite::Connection::open(&path).expect("a database");
    let older = "UPDATE attr_definition SET spec = json_extract(spec, '$.spec') WHERE spec LIKE '{\"lineage%';
                 UPDATE attr_past_definition SET spec = json_extract(spec, '$.spec') WHERE spec LIKE '{\"lineage%';
                 ALTER TABLE attr_view ADD COLUMN ids INTEGER NOT NULL DEFAULT 0;
                 ALTER TABLE attr_state DROP COLUMN unordered;
                 UPDATE attr_state SET schema = 4; PRAGMA user_version = 4";
    connection.execute_batch(older).expect("as it was before lineages");
    drop(connection);
    let host = Attributes::new(SqliteStore::open(&path).expect("it is brought up to date"));
    let people = host.of("person").expect("a type");
    assert!(people.definition("a").expect("it is there").is_sensitive());
    assert!(!people.definition("c").expect("it is there").is_sensitive());
    host.batch().erase(("person", 1), "a").erase(("person", 1), "b").commit().expect("it is erased");
    host.purge().expect("nobody looks at it");
    assert!(!holds(folder.path(), SECRET));
}

/// What a host does before somebody wants a value erased. Names are by their place in [`NAMES`].
#[derive(Debug, Clone)]
enum Act {
    Set(i64, usize),
    Clear(i64, usize),
    Move(i64, usize, usize),
    Merge(usize, usize),
    Split(usize, usize),
    Delete(usize),
    Define(usize),
    Rename(usize, usize),
    Mark(usize, bool),
    RestoreDefinition(u32),
    RestoreEntity(i64, u64),
    Undo(u64),
}

/// The last one is not sensitive at first.
const NAMES: [&str; 5] = ["a", "b", "c", "d", "plain"];

fn spec_of(name: usize) -> DefinitionSpec {
    if name == 4 { plain(NAMES[name]) } else { secret(NAMES[name]) }
}

fn act() -> impl Strategy<Value = Act> {
    let (id, name) = (|| 1..3i64, || 0..5usize);
    prop_oneof![
        8 => (id(), name()).prop_map(|(id, name)| Act::Set(id, name)),
        1 => (id(), name()).prop_map(|(id, name)| Act::Clear(id, name)),
        4 => (id(), name(), name()).prop_map(|(id, from, to)| Act::Move(id, from, to)),
        2 => (name(), name()).prop_map(|(from, into)| Act::Merge(from, into)),
        2 => (name(), name()).prop_map(|(from, into)| Act::Split(from, into)),
        1 => name().prop_map(Act::Delete),
        1 => name().prop_map(Act::Define),
        1 => (name(), name()).prop_map(|(from, to)| Act::Rename(from, to)),
        1 => (name(), any::<bool>()).prop_map(|(name, marks)| Act::Mark(name, marks)),
        1 => (1..8u32).prop_map(Act::RestoreDefinition),
        1 => (id(), 0..6u64).prop_map(|(id, ago)| Act::RestoreEntity(id, ago)),
        2 => (0..4u64).prop_map(Act::Undo),
    ]
}

/// What is refused changes nothing.
fn apply(host: &Host, act: &Act, count: usize) {
    let people = host.of("person").expect("a type");
    let last = host.snapshot().expect("a snapshot").as_snapshot().marks().expect("marks").commit.get();
    let ago = |ago: u64| CommitId::new(last.saturating_sub(ago).max(1));
    let _ = match act {
        Act::Set(id, name) => people.set(*id, NAMES[*name], format!("value {count}.")),
        Act::Clear(id, name) => people.clear(*id, NAMES[*name]),
        Act::Move(id, from, to) => host.batch().move_value(("person", *id), NAMES[*from], NAMES[*to]).commit(),
        Act::Merge(from, into) => host.batch().merge("person", NAMES[*from], NAMES[*into], Offending::Clear).commit(),
        Act::Split(from, into) => host.batch().split("person", NAMES[*from], NAMES[*into]).commit(),
        Act::Delete(name) => people.delete_with_values(NAMES[*name]),
        Act::Define(name) => host.batch().define("person", spec_of(*name)).commit(),
        Act::Rename(from, to) => host.batch().alter("person", NAMES[*from], |spec| spec.named(NAMES[*to])).commit(),
        Act::Mark(name, marks) => {
            host.batch().alter("person", NAMES[*name], |spec| if *marks { spec.sensitive() } else { plain(&spec.name) }).commit()
        }
        Act::RestoreDefinition(id) => host.restore_definition(DefinitionId::new(*id)).and_then(|batch| batch.commit()),
        Act::RestoreEntity(id, commits) => host.restore_entity(("person", *id), ago(*commits)).and_then(|batch| batch.commit()),
        Act::Undo(commits) => host.undo(ago(*commits)).and_then(|batch| batch.commit()),
    };
}

/// What each person ever held, by definition: seen from outside, after each act.
type Seen = BTreeMap<(i64, DefinitionId), BTreeSet<String>>;

fn see(host: &Host, seen: &mut Seen, names: &mut BTreeMap<DefinitionId, (String, bool)>) {
    let view = host.snapshot().expect("a snapshot");
    for definition in view.catalog().iter() {
        let was_sensitive = names.get(&definition.id()).is_some_and(|(_, sensitive)| *sensitive);
        names.insert(definition.id(), (definition.name().to_string(), was_sensitive || definition.spec().sensitive));
    }
    for id in 1..3 {
        let Some(entity) = view.entity(("person", id)).expect("a read") else { continue };
        for (definition, value) in entity.iter() {
            seen.entry((id, definition.id())).or_default().insert(value.to_string());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Whatever was done before: what a person ever held under a name is nowhere once it is erased by that name, and the other
    /// person keeps all.
    #[test]
    fn no_value_is_left_that_was_ever_held_under_the_name(acts in prop::collection::vec(act(), 1..30), by in 0..5usize) {
        for host in stores() {
            let people = host.of("person").expect("a type");
            people.ensure((0..5).map(spec_of)).expect("definitions");
            let (mut seen, mut names) = (Seen::new(), BTreeMap::new());
            see(&host, &mut seen, &mut names);
            for (count, act) in acts.iter().enumerate() {
                apply(&host, act, count);
                see(&host, &mut seen, &mut names);
            }
            let other = told(&host, 2);
            let live: BTreeSet<_> = host.snapshot().expect("a snapshot").catalog().iter().map(|definition| definition.id()).collect();
            let named = names.iter().filter(|(_, (name, _))| name == NAMES[by]);
            // Among those, an attribute that is there and was never sensitive is not meant.
            let meant: Vec<_> = named.filter(|(id, (_, sensitive))| *sensitive || !live.contains(id)).collect();
            let erased = host.batch().erase(("person", 1), NAMES[by]).commit();
            if !meant.iter().any(|(_, (_, sensitive))| *sensitive) {
                prop_assert!(erased.is_err());
                continue;
            }
            let erased = erased.expect("it is sensitive");
            let left = told(&host, 1);
            let held: BTreeSet<_> = meant.iter().filter_map(|(id, _)| seen.get(&(1, **id))).flatten().collect();
            for value in &held {
                prop_assert!(!left.contains(value.as_str()), "{value} is left of {held:?}: {left}");
            }
            prop_assert_eq!(erased.commit.is_some(), erased.changes[0].outcome == Outcome::Cleared);
            prop_assert_eq!(erased.erased.is_empty(), erased.commit.is_none());
            prop_assert!(held.is_empty() || erased.commit.is_some());
            let (now, was) = (told(&host, 2), other);
            prop_assert_eq!(now.lines().collect::<BTreeSet<_>>(), was.lines().collect::<BTreeSet<_>>());
            host.snapshot().expect("a snapshot").verify_index(|fault| panic!("{fault}")).expect("an index");
        }
    }
}
