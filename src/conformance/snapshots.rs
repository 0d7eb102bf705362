//! Snapshots: each stays at its point in time, whatever others write.

use crate::attributes::Attributes;
use crate::conformance::Store;
use crate::conformance::support::{
    ISOLATED, customer, entity_type, host, must, past_definitions, past_of, picture, same, small, snapshot, there, typed,
    unchanged,
};
use crate::model::{DefinitionId, DefinitionSpec, EntityKey, Ordinal, Value};
use crate::store::Snapshot;

fn prepare(store: &Store) -> Attributes<&Store> {
    let host = host(store);
    let specs = [DefinitionSpec::integer("n"), DefinitionSpec::string("code").unique(), DefinitionSpec::string("free")];
    must(typed(&host, "customer").ensure(specs), "definitions are made");
    let values = (1..=5)
        .fold(host.batch(), |batch, id| batch.set(("customer", id), "n", id).set(("customer", id), "code", format!("c{id}")));
    must(values.commit(), "values are set");
    host
}

fn keys() -> Vec<EntityKey> {
    (1..=8).map(customer).collect()
}

/// Everything that a commit can move.
fn move_everything(host: &Attributes<&Store>) {
    let of = typed(host, "customer");
    must(of.set(1, "n", 100), "a value is replaced while a snapshot is held");
    must(of.clear(2, "n"), "a value is cleared while a snapshot is held");
    must(of.remove(3), "an entity is removed while a snapshot is held");
    must(of.set(6, "code", "c3"), "a new entity takes a value that was given up while a snapshot is held");
    must(of.set(7, "n", 7), "a new entity is written while a snapshot is held");
    let batch = host.batch().set(("customer", 4), "code", "c5").set(("customer", 5), "code", "c4");
    must(batch.commit(), "entities swap values while a snapshot is held");
    must(of.alter("n", |spec| spec.named("number").minimum(0)), "a definition is changed while a snapshot is held");
    must(of.define(DefinitionSpec::string("new")), "a definition is made while a snapshot is held");
    must(of.set(8, "new", "x"), "a value is set while a snapshot is held");
    must(of.delete_with_values("number"), "a definition is deleted while a snapshot is held");
    must(of.delete("free"), "a definition is deleted while a snapshot is held");
}

/// The whole picture of a snapshot is the same before and after others have moved everything.
pub fn a_snapshot_stays_at_its_point(store: &Store) {
    let promise = "a snapshot shows the same for as long as it is held: definitions, entities, history, commits, counts";
    let host = prepare(store);
    must(typed(&host, "customer").set(1, "n", 11), "a value is replaced");
    let held = snapshot(store);
    let before = picture(&*held, &keys());
    move_everything(&host);
    unchanged(&before, &picture(&*held, &keys()), promise, ISOLATED);
    let now = picture(&*snapshot(store), &keys());
    same(&(now == before), &false, "a new snapshot sees what was written", ISOLATED);
}

/// A snapshot that is first asked after others have written still shows its own point.
pub fn a_snapshot_begins_when_it_is_made(store: &Store) {
    let promise = "a snapshot shows the point at which it was made, not the one at which it is first asked";
    let advice =
        "begin the read transaction at once, or read something in it: many databases take their snapshot at the first read";
    let host = prepare(store);
    let before = picture(&*snapshot(store), &keys());
    let held = snapshot(store);
    move_everything(&host);
    unchanged(&before, &picture(&*held, &keys()), promise, advice);
}

/// Each question by itself, as the first one that is asked of an old snapshot.
pub fn every_question_stays_at_its_point(store: &Store) {
    let host = prepare(store);
    must(typed(&host, "customer").set(1, "n", 11), "a value is replaced");
    let held: Vec<_> = (0..10).map(|_| snapshot(store)).collect();
    move_everything(&host);
    let of = entity_type("customer");
    let promise = |what: &str| format!("a snapshot stays at its point in time: its {what}");
    let catalog = must(held[0].catalog(), "the catalog is read");
    let names: Vec<_> = catalog.iter().map(|definition| definition.name().to_string()).collect();
    same(&(catalog.revision().get(), names), &(1, ["n", "code", "free"]), &promise("catalog"), ISOLATED);
    let records = must(held[1].read(&keys()), "entities are read");
    let numbers: Vec<_> =
        records.iter().map(|record| record.as_ref().map(|record| record.values()[0].value.to_string())).collect();
    let expected = [Some("11"), Some("2"), Some("3"), Some("4"), Some("5"), None, None, None];
    same(&numbers, &expected, &promise("entities"), ISOLATED);
    let scanned = must(held[2].scan(Some(&of), None, 100), "entities are scanned");
    same(&scanned.iter().map(|record| record.ordinal().get()).collect::<Vec<_>>(), &[1, 2, 3, 4, 5], &promise("scan"), ISOLATED);
    same(&must(held[3].count(&of), "entities are counted"), &5, &promise("count"), ISOLATED);
    same(&must(held[4].usage(DefinitionId::new(1)), "uses are counted"), &5, &promise("usage"), ISOLATED);
    let codes: Vec<_> = ["c3", "c4", "c5", "c6"].map(Value::from).into();
    let asked: Vec<_> = codes.iter().map(|code| (DefinitionId::new(2), code)).collect();
    let holders = must(held[5].holders(&asked), "holders are looked up");
    same(&holders, &[Some(Ordinal::new(3)), Some(Ordinal::new(4)), Some(Ordinal::new(5)), None], &promise("holders"), ISOLATED);
    let located = must(held[6].locate(&[Ordinal::new(3), Ordinal::new(6)]), "entities are located");
    same(&located.iter().map(Option::is_some).collect::<Vec<_>>(), &[true, false], &promise("located entities"), ISOLATED);
    let past = |key: EntityKey| past_of(&*held[7], &key).len();
    same(&(past(customer(1)), past(customer(2)), past(customer(3))), &(1, 0, 0), &promise("history"), ISOLATED);
    let past = past_definitions(&*held[8], DefinitionId::new(1));
    same(&past.len(), &0, &promise("past definitions"), ISOLATED);
    let marks = must(held[9].marks(), "the marks are read");
    same(&(marks.commit.get(), marks.ordinal.get()), &(3, 5), &promise("marks"), ISOLATED);
    let commits = must(held[9].commits(&[crate::CommitId::new(3), crate::CommitId::new(4)]), "commits are read");
    same(&commits.iter().map(Option::is_some).collect::<Vec<_>>(), &[true, false], &promise("commits"), ISOLATED);
}

/// Many snapshots at once, each at a point of its own.
pub fn many_snapshots_at_once(store: &Store) {
    let promise = "many snapshots can be held at once, each at its own point";
    let host = prepare(store);
    let mut held: Vec<Box<dyn Snapshot + '_>> = Vec::new();
    for n in 0..40 {
        must(typed(&host, "customer").set(1, "n", n), "a value is set while snapshots are held");
        must(typed(&host, "customer").set(100 + n, "n", n), "a new entity is written while snapshots are held");
        held.push(snapshot(store));
    }
    for (n, snapshot) in (0..40_u64).zip(&held).collect::<Vec<_>>().into_iter().rev() {
        let record = there(must(snapshot.read(&[customer(1)]), "an entity is read").pop().flatten(), promise);
        let counted = must(snapshot.count(&entity_type("customer")), "entities are counted");
        same(&(record.values()[0].value.to_string(), counted), &(n.to_string(), 6 + n), promise, ISOLATED);
    }
    // In another order than they were made in.
    while held.len() > 1 {
        drop(held.swap_remove(held.len() / 2));
        must(typed(&host, "customer").set(1, "n", -1), "a value is set while snapshots come and go");
    }
}

/// The first snapshot of an empty store stays empty.
pub fn a_snapshot_of_nothing_stays_empty(store: &Store) {
    let promise = "a snapshot of an empty store stays empty";
    let held = snapshot(store);
    let before = picture(&*held, &keys());
    prepare(store);
    unchanged(&before, &picture(&*held, &keys()), promise, ISOLATED);
}

/// What was committed is in every snapshot, and in every shorthand, that comes after.
pub fn what_is_committed_is_seen_at_once(store: &Store) {
    let promise = "what `commit` has acknowledged is in every later snapshot, catalog and single read";
    let advice = "where the catalog or a record is cached, compare its revision with the store's on every use; and let no reader start from an \
                  older version than the last one that was acknowledged";
    let host = prepare(store);
    let old = snapshot(store);
    for n in 0..30i64 {
        let name = format!("a{n}");
        must(
            host.batch().define("customer", DefinitionSpec::integer(&*name)).set(("customer", 1), &*name, n).commit(),
            "a batch is committed",
        );
        let id = DefinitionId::new(4 + small::<u32>(n));
        let (catalog, record) = must(store.read_entity(&customer(1)), "an entity is read");
        let single = record.and_then(|record| record.value(id).cloned());
        same(&(catalog.get(id).is_some(), single), &(true, Some(Value::Integer(n))), promise, advice);
        same(&must(store.catalog(), "the catalog is read").revision(), &catalog.revision(), promise, advice);
        let snapshot = snapshot(store);
        same(&must(snapshot.catalog(), "the catalog is read").revision(), &catalog.revision(), promise, advice);
        let read = must(snapshot.read(&[customer(1)]), "an entity is read").pop().flatten();
        same(&read.map(|record| record.values().len()), &Some(3 + small::<usize>(n)), promise, advice);
        let marks = must(snapshot.marks(), "the marks are read");
        same(&marks.commit.get(), &(3 + small::<u64>(n)), promise, advice);
        same(&must(old.catalog(), "the catalog is read").revision().get(), &1, "an old snapshot keeps its catalog", advice);
    }
    must(typed(&host, "customer").remove(1), "an entity is removed");
    let (_, record) = must(store.read_entity(&customer(1)), "an entity is read");
    same(&record.map(|record| record.values().len()), &Some(0), promise, advice);
    let (_, record) = must(store.read_entity(&customer(99)), "an entity is read that was never written");
    same(&record, &None::<()>, promise, advice);
}
