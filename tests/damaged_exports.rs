//! Exports whose lines were changed, moved, repeated or dropped: each is refused, or imports what it says. Nothing of a commit
//! stays that was refused, and every store answers the same.
#![cfg(feature = "sqlite")]

use std::ops::ControlFlow;
use std::sync::Arc;

use custom_attributes::{
    AttributeStore, Attributes, DataType, DefinitionSpec, Error, ManualClock, MemoryStore, Offending, Progress, SqliteStore,
};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

#[allow(dead_code, unreachable_pub)]
#[path = "../examples/custom_backend.rs"]
mod custom_backend;

type Host = Attributes<Box<dyn AttributeStore>>;

fn on_and_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn host(store: impl AttributeStore + 'static) -> Host {
    Attributes::new(Box::new(store))
}

/// An empty store of each kind.
fn stores() -> [(&'static str, Host); 3] {
    [
        ("memory", host(MemoryStore::new())),
        ("SQLite", host(SqliteStore::in_memory().expect("a store"))),
        ("the example", host(custom_backend::StateStore::default())),
    ]
}

/// The lines of a store in which everything happened that a line can tell.
fn exported() -> Vec<Vec<u8>> {
    let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z".parse().expect("an instant")));
    let source = Attributes::new(MemoryStore::new()).with_clock(clock);
    let customers = source.of("customer").expect("a type");
    let specs = [
        DefinitionSpec::string("tier").unique(),
        DefinitionSpec::integer("credit"),
        DefinitionSpec::string("code"),
        DefinitionSpec::string("secret").sensitive(),
    ];
    customers.ensure(specs).expect("definitions");
    for round in 0..3i64 {
        for id in 0..4i64 {
            let batch = source.batch().set(("customer", id), "tier", format!("{round} of {id}"));
            let batch = batch.set(("customer", id), "credit", round * id).set(("customer", id + 4), "code", round.to_string());
            batch.set(("customer", "x"), "secret", "hush").commit().expect("a commit");
        }
    }
    customers.change("code", |spec| spec.of_type(DataType::Decimal)).apply_with(Offending::Clear).expect("a change");
    source.batch().erase_entity(("customer", 2)).erase(("customer", "x"), "secret").commit().expect("some are erased");
    customers.remove(3).expect("an entity is emptied");
    customers.delete_with_values("credit").expect("a definition is deleted");
    source.batch().by("ann").note("back").set(("customer", 2), "tier", "again").commit().expect("an erased one comes back");
    let mut lines = Vec::new();
    source.export(&mut lines, on_and_on).expect("an export");
    lines.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn kind(line: &[u8]) -> Option<String> {
    let line: Json = serde_json::from_slice(line).ok()?;
    line.as_object()?.keys().next().cloned()
}

/// Makes all sums right again, as one would who knows how they are made.
fn summed(lines: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut sum = Sha256::new();
    let mut done = Vec::new();
    for line in lines {
        let now: String = sum.clone().finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let mut line = line.clone();
        if let Ok(mut read) = serde_json::from_slice::<Json>(&line) {
            if read.get("sum").is_some() {
                line = format!("{}\n", json!({ "sum": now })).into_bytes();
            } else if let Some(end) = read.get_mut("end").and_then(Json::as_object_mut) {
                end.insert("sum".into(), json!(now));
                line = format!("{read}\n").into_bytes();
            }
        }
        sum.update(&line);
        done.push(line);
    }
    done
}

/// What an import answers, and what the store holds then.
struct Imported {
    done: Result<(), Error>,
    digest: String,
    commits: u64,
}

fn import(name: &str, to: &Host, lines: &[Vec<u8>]) -> Imported {
    let done = to.import(lines.concat().as_slice(), on_and_on).map(drop);
    let view = to.snapshot().expect("a snapshot");
    view.verify_index(|fault| panic!("{name}: {fault}")).expect("an index");
    let contents = to.contents(on_and_on).expect("it can be read whole");
    Imported { done, digest: contents.digest.to_string(), commits: contents.commits }
}

/// What a store holds after so many commits of an export.
fn digest_at(lines: &[Vec<u8>], commits: u64) -> String {
    let is_later = |line: &Vec<u8>| {
        let line: Json = serde_json::from_slice(line).expect("a line");
        line.get("end").is_some() || line["commit"]["id"].as_u64().is_some_and(|id| id > commits)
    };
    let to = host(custom_backend::StateStore::default());
    // A commit is imported when the line after its sum was read.
    let end = lines.iter().position(is_later).expect("an end");
    let cut_off = to.import(lines[..=end].concat().as_slice(), on_and_on);
    assert!(cut_off.is_err() || end + 1 == lines.len(), "{cut_off:?}");
    to.digest().expect("a digest").to_string()
}

/// Imports the lines into every store, which all answer the same. Those that write many commits at once may keep fewer of them.
fn import_into_all(lines: &[Vec<u8>]) -> Vec<(&'static str, Host, Imported)> {
    let import = |(name, to): (&'static str, Host)| {
        let imported = import(name, &to, lines);
        (name, to, imported)
    };
    let answers: Vec<_> = stores().into_iter().map(import).collect();
    let code = |imported: &Imported| imported.done.as_ref().err().map(Error::code);
    let (_, _, first) = &answers[0];
    for (name, _, other) in &answers[1..] {
        assert_eq!(code(first), code(other), "{name}: {:?}, and memory: {:?}", other.done, first.done);
        assert!(other.commits != first.commits || other.digest == first.digest, "{name}: {:?}", other.done);
    }
    answers
}

/// Refused where a commit is damaged: every store keeps whole commits before it, and the good export goes on from there.
fn is_refused_at_its_commit(good: &[Vec<u8>], bad: &[Vec<u8>]) {
    for (name, to, refused) in import_into_all(bad) {
        let error = refused.done.expect_err("it is damaged");
        assert!(matches!(error, Error::Unreadable { .. }), "{name}: {error}");
        assert_eq!(refused.digest, digest_at(good, refused.commits), "{name}: {error}");
        let whole = import(name, &to, good);
        whole.done.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// One line of each commit comes a second time in the place of the commit's sum.
#[test]
fn a_second_line_of_an_entity_leaves_nothing() {
    let good = exported();
    let mut tried = 0;
    for (at, line) in good.iter().enumerate() {
        let is_last = kind(line).as_deref() == Some("entity") && kind(&good[at + 1]).as_deref() == Some("sum");
        if is_last {
            let mut bad = good.clone();
            bad[at + 1].clone_from(line);
            is_refused_at_its_commit(&good, &bad);
            // The same where the sums say that it must be so.
            bad[at + 1].clone_from(&good[at + 1]);
            bad.insert(at, line.clone());
            is_refused_at_its_commit(&good, &summed(&bad));
            tried += 1;
        }
    }
    assert!(tried > 12, "{tried}");
}

/// Two entities of one commit have one key; so have one of it and one that is there.
#[test]
fn a_second_ordinal_of_an_entity_leaves_nothing() {
    let source = Attributes::new(MemoryStore::new());
    source.of("customer").expect("a type").define(DefinitionSpec::string("tier")).expect("a definition");
    source.of("customer").expect("a type").set(1, "tier", "a").expect("a set");
    source.batch().set(("customer", 2), "tier", "b").set(("customer", 3), "tier", "c").commit().expect("a commit");
    let mut lines = Vec::new();
    source.export(&mut lines, on_and_on).expect("an export");
    let text = String::from_utf8(lines).expect("text");
    for same in [1, 2] {
        let bad = text.replace(r#""entity_id":3"#, &format!(r#""entity_id":{same}"#));
        assert_ne!(bad, text);
        let bad: Vec<_> = bad.split_inclusive('\n').map(|line| line.as_bytes().to_vec()).collect();
        for (name, _, refused) in import_into_all(&summed(&bad)) {
            let error = refused.done.expect_err("one key has two ordinals").to_string();
            assert!(error.contains(&format!("customer/{same} comes as ordinal 3, and has another already")), "{name}: {error}");
            assert!(refused.commits <= 2, "{name}");
        }
    }
}

#[derive(Debug, Clone)]
enum Damage {
    Swap(usize, usize),
    Repeat(usize, usize),
    Delete(usize),
    Edit(usize, usize, Edit),
}

#[derive(Debug, Clone, Copy)]
enum Edit {
    Drop,
    Null,
    More,
    Less,
    Zero,
    Most,
    Other,
}

fn damage() -> impl Strategy<Value = Damage> {
    let edit = prop::sample::select(vec![Edit::Drop, Edit::Null, Edit::More, Edit::Less, Edit::Zero, Edit::Most, Edit::Other]);
    prop_oneof![
        1 => (any::<usize>(), any::<usize>()).prop_map(|(one, other)| Damage::Swap(one, other)),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(one, to)| Damage::Repeat(one, to)),
        1 => any::<usize>().prop_map(Damage::Delete),
        3 => (any::<usize>(), any::<usize>(), edit).prop_map(|(line, field, edit)| Damage::Edit(line, field, edit)),
    ]
}

/// Calls `visit` for each value that has no parts, until it answers that it is done.
fn leaves(json: &mut Json, visit: &mut dyn FnMut(&mut Json) -> bool) -> bool {
    match json {
        Json::Object(fields) => fields.values_mut().any(|field| leaves(field, visit)),
        Json::Array(items) => items.iter_mut().any(|item| leaves(item, visit)),
        leaf => visit(leaf),
    }
}

fn edited(line: &[u8], field: usize, edit: Edit) -> Vec<u8> {
    let mut json: Json = serde_json::from_slice(line).expect("a line");
    let mut count = 0;
    leaves(&mut json, &mut |_| {
        count += 1;
        false
    });
    let mut left = field % count.max(1);
    leaves(&mut json, &mut |leaf| {
        if left > 0 {
            left -= 1;
            return false;
        }
        let number = leaf.as_i64();
        *leaf = match edit {
            Edit::Drop => json!([]),
            Edit::Null => Json::Null,
            Edit::More => number.map_or_else(|| json!("b"), |number| json!(number.saturating_add(1))),
            Edit::Less => number.map_or_else(|| json!(""), |number| json!(number.saturating_sub(1))),
            Edit::Zero => json!(0),
            Edit::Most => json!(1u64 << 53),
            Edit::Other => json!("INTEGER"),
        };
        true
    });
    format!("{json}\n").into_bytes()
}

fn damaged(good: &[Vec<u8>], damages: &[Damage]) -> Vec<Vec<u8>> {
    let mut lines = good.to_vec();
    for damage in damages {
        let count = lines.len();
        match damage {
            Damage::Swap(one, other) => lines.swap(one % count, other % count),
            Damage::Repeat(one, to) => {
                let line = lines[one % count].clone();
                lines.insert(to % count, line);
            }
            Damage::Delete(one) => drop(lines.remove(one % count)),
            Damage::Edit(line, field, edit) => lines[line % count] = edited(&lines[line % count], *field, *edit),
        }
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Lines that were damaged are found by their sums: the commits before them are kept, and nothing else.
    #[test]
    fn damaged_lines_are_refused(damages in prop::collection::vec(damage(), 1..4)) {
        let good = exported();
        let bad = damaged(&good, &damages);
        prop_assume!(bad != good);
        is_refused_at_its_commit(&good, &bad);
    }

    /// The same of one who makes the sums anew: what is imported is what the lines say, and sound in every store.
    #[test]
    fn forged_lines_are_refused_or_are_what_they_say(damages in prop::collection::vec(damage(), 1..4)) {
        let bad = summed(&damaged(&exported(), &damages));
        for (_, _, imported) in import_into_all(&bad) {
            if imported.done.is_ok() {
                let end: Json = serde_json::from_slice(bad.last().expect("a line")).expect("an end");
                prop_assert_eq!(&json!(imported.digest), &end["end"]["contents"]["digest"]);
            }
        }
    }
}
