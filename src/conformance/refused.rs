//! Commits that fail half-way: of a copy whose source turns out to be damaged, and of work that the caller ends.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::conformance::Store;
use crate::conformance::copying::eventful;
use crate::conformance::support::{customer, host, micros, must, refused, same, small, snapshot, sound, there, typed};
use crate::error::{Error, Result};
use crate::memory::MemoryStore;
use crate::model::{CommitId, DataType, DefinitionId, DefinitionSpec, EntityKey, EntityRecord, Held, Ordinal, Revision};
use crate::store::{Arriving, Changes, Commit, Offending, OnProgress, Plan, Progress, Receipt, Snapshot, Told};
use crate::transfer::Contents;

const NOTHING: &str = "change nothing that anyone can see before `Changes::each_record` returned `Ok`: it can fail at any record";

fn on_and_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn contents(store: &Store) -> Contents {
    must(host(store).contents(on_and_on), "a store is read whole")
}

/// One record of a copied commit: its ordinal, the id of its entity, and its value.
type Line = (u32, i64, i64);

/// Writes a commit as a copy does, which may end with an error of its source.
fn write_copied(store: &Store, lines: &[Line], source_fails: bool) -> Result<Receipt> {
    let decide = |now: &dyn Snapshot| {
        let id = CommitId::new(now.marks()?.commit.get() + 1);
        let tell = move |before: &dyn Snapshot, arriving: &mut Arriving<'_, '_>| {
            for (ordinal, entity, value) in lines {
                let key = customer(*entity);
                let ordinal = Ordinal::new(*ordinal);
                let known = before.read(std::slice::from_ref(&key))?.pop().flatten().filter(|record| record.ordinal() == ordinal);
                let held = Held { definition: DefinitionId::new(1), value: (*value).into(), created: id, modified: id };
                let revision = known.as_ref().map_or(Revision::ABSENT, |record| record.revision()).next();
                let after = EntityRecord::load(key, ordinal, revision, vec![held])?;
                arriving.record(known, after, vec![DefinitionId::new(1)])?;
            }
            if source_fails { Err(Error::corrupt("the source cannot be read")) } else { Ok(()) }
        };
        let commit = Commit { id, at: micros(1_735_986_700_000_000), actor: None, note: None };
        let catalog = now.catalog()?.revision();
        let receipt = Receipt {
            commit: Some(id),
            at: commit.at,
            catalog,
            changes: vec![],
            entities: vec![],
            definitions: vec![],
            erased: vec![],
        };
        Ok(Plan { receipt, changes: Some(Changes::told(commit, None, Vec::new(), Told::by(tell))) })
    };
    store.write(&mut |now, _| decide(now), &mut on_and_on)
}

/// The source of a copy fails, or contradicts itself, after any number of records.
pub fn a_copied_commit_that_fails_leaves_nothing(store: &Store) {
    let promise = "a commit whose source fails or is damaged changes nothing, however much of it was handed over";
    let of = host(store);
    must(typed(&of, "customer").define(DefinitionSpec::integer("n")), "a definition is made");
    must((1..=3i64).fold(of.batch(), |batch, id| batch.set(("customer", id), "n", id)).commit(), "entities are made");
    let before = contents(store);
    let good: [Line; 5] = [(1, 1, 10), (2, 2, 2), (3, 3, 30), (4, 4, 40), (5, 5, 50)];
    let unchanged = |result: Result<Receipt>| {
        refused(result, |_| true, promise, NOTHING);
        same(&contents(store), &before, promise, NOTHING);
        sound(store, NOTHING);
    };
    for handed_over in 0..=good.len() {
        unchanged(write_copied(store, &good[..handed_over], true));
    }
    for damaged in [
        // The same entity twice: one that is there, and one that is new.
        &[(1, 1, 10), (1, 1, 11)][..],
        &[(4, 4, 40), (4, 4, 41)],
        &[(4, 4, 40), (5, 5, 50), (4, 4, 41)],
        // One entity with a second ordinal: it is there, or came just before.
        &[(4, 4, 40), (5, 2, 20)],
        &[(4, 4, 40), (5, 4, 41)],
    ] {
        unchanged(write_copied(store, damaged, false));
    }
    must(write_copied(store, &good, false), "a copied commit is written");
    let found = typed(&of, "customer");
    let values: Vec<_> = (1..=5i64).map(|id| must(found.get::<i64>(id, "n"), "a value is read")).collect();
    same(&values, &[10, 2, 30, 40, 50].map(Some), "what was refused stands in nobody's way", NOTHING);
    sound(store, NOTHING);
}

/// An export is cut off behind each of its lines, or cannot be read any further: whole commits stay, and it goes on from there.
pub fn an_import_that_fails_leaves_whole_commits(store: &Store) {
    let promise = "an import that fails keeps whole commits, and nothing of the one that failed";
    let source = eventful();
    let mut lines = Vec::new();
    must(host(&source).export(&mut lines, on_and_on), "a store is exported");
    let ends = lines.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let mut seen: BTreeMap<CommitId, Contents> = BTreeMap::new();
    for end in ends.filter(|end| *end < lines.len()) {
        let unreadable = |error: &Error| matches!(error, Error::Unreadable { .. });
        refused(host(store).import(&lines[..end], on_and_on), unreadable, promise, NOTHING);
        // The line is there twice.
        let start = lines[..end - 1].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let twice = [&lines[..end], &lines[start..end], &lines[end..]].concat();
        if lines[start..].starts_with(b"{\"entity") {
            refused(host(store).import(twice.as_slice(), on_and_on), unreadable, promise, NOTHING);
        }
        let now = contents(store);
        let at = must(snapshot(store).marks(), "the marks are read").commit;
        same(seen.entry(at).or_insert_with(|| now.clone()), &now, promise, NOTHING);
        sound(store, NOTHING);
    }
    must(host(store).import(lines.as_slice(), on_and_on), "an export is imported");
    same(&contents(store), &contents(&source), promise, NOTHING);
    sound(store, NOTHING);
}

/// The caller ends a change of all entities, a large batch and a copy, each at every place where it is asked.
pub fn what_the_caller_ends_leaves_nothing(store: &Store) {
    const ALL: i64 = 5000;
    let promise = "what the caller ends changes nothing, or leaves whole commits of a copy";
    let source = MemoryStore::new();
    let origin = host(&source);
    must(typed(&origin, "customer").define(DefinitionSpec::string("n")), "a definition is made");
    for round in 0..2 {
        let texts = (0..ALL).map(|id| (id, (id + round).to_string()));
        must(texts.fold(origin.batch(), |batch, (id, text)| batch.set(("customer", id), "n", text)).commit(), "values are set");
    }
    let asked = Cell::new(0u32);
    let seen = Cell::new(BTreeMap::<CommitId, Contents>::new());
    // Ends the work when it asks for the n-th time, for each n, until it is done before that.
    let end_everywhere = |work: &dyn Fn(&mut OnProgress<'_>) -> Result<()>| {
        for last in 1.. {
            asked.set(0);
            let done = work(&mut |_| {
                asked.set(asked.get() + 1);
                if asked.get() < last { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            // A store need not ask.
            if done.is_ok() {
                return;
            }
            refused(done, |error| matches!(error, Error::Stopped), promise, NOTHING);
            let at = must(snapshot(store).marks(), "the marks are read").commit;
            let (now, mut known) = (contents(store), seen.take());
            same(known.entry(at).or_insert_with(|| now.clone()), &now, promise, NOTHING);
            seen.set(known);
            sound(store, NOTHING);
        }
    };
    end_everywhere(&|progress| origin.copy_to(store, progress).map(drop));
    let of = host(store);
    seen.take();
    end_everywhere(&|progress| {
        let change = typed(&of, "customer");
        let change = change.change("n", |spec| spec.of_type(DataType::Integer).named("m"));
        change.apply_with_progress(Offending::Refuse, progress).map(drop)
    });
    seen.take();
    end_everywhere(&|progress| {
        (0..ALL).fold(of.batch(), |batch, id| batch.set(("customer", id), "m", id + 7)).commit_with(progress).map(drop)
    });
    let last: EntityKey = customer(ALL - 1);
    let record = there(must(snapshot(store).read(&[last]), "an entity is read").pop().flatten(), promise);
    let values: Vec<_> = record.values().iter().map(|held| held.value.clone()).collect();
    same(&values, &[crate::Value::from(small::<i64>(ALL + 6))], "what is not ended is done", NOTHING);
}
