//! Batches: all or nothing, with an answer for every change.

use crate::attributes::Attributes;
use crate::conformance::Store;
use crate::conformance::support::{
    PLAN, WHOLE, batch, commit, customer, entity_type, held, holds, host, key, must, picture, refused, refused_whole, same, set,
    small, snapshot, there, typed, unchanged,
};
use crate::error::{Error, Rule};
use crate::model::{CommitId, DefinitionId, DefinitionSpec, Ordinal, Outcome, Revision, ValueId};
use crate::store::{Change, Offending};

fn with_definitions(store: &Store) -> Attributes<&Store> {
    let host = host(store);
    let specs = [DefinitionSpec::string("a"), DefinitionSpec::integer("n"), DefinitionSpec::string("code").unique()];
    must(typed(&host, "customer").ensure(specs), "definitions are made");
    must(typed(&host, "person").define(DefinitionSpec::string("a")), "a definition is made");
    host
}

/// A violation in the last of many changes undoes all that stand before it, definitions as well.
pub fn a_violation_at_the_end_undoes_all(store: &Store) {
    let promise = "a batch is done whole or not at all";
    let host = with_definitions(store);
    must(typed(&host, "customer").set(1, "code", "taken"), "a value is set");
    let keys: Vec<_> = (1..=40).map(customer).collect();
    let act = || {
        let all = (2..=40).fold(host.batch(), |batch, id| batch.set(("customer", id), "a", "x").set(("customer", id), "n", id));
        let all = all.define("customer", DefinitionSpec::string("new")).alter("customer", "a", |spec| spec.named("b"));
        let all = all.delete_with_values("person", "a").clear(("customer", 1), "code").set(("customer", 1), "code", "taken");
        all.set(("customer", 40), "code", "taken").commit()
    };
    let error = refused_whole(store, &keys, Error::is_duplicate, promise, act);
    same(&error.violations().iter().map(|violation| violation.place).collect::<Vec<_>>(), &[Some(83)], promise, PLAN);
}

/// A conflict undoes all of a batch as well.
pub fn a_conflict_undoes_all(store: &Store) {
    let promise = "a batch whose expectation does not hold is not done";
    let host = with_definitions(store);
    let act = || host.batch().set(("customer", 1), "a", "x").expect_revision(("customer", 2), Revision::new(7)).commit();
    refused_whole(store, &[customer(1), customer(2)], Error::is_conflict, promise, act);
}

/// What was refused leaves no trace in what comes next: no commit id, no ordinal, no revision is used up.
pub fn a_refused_batch_uses_nothing_up(store: &Store) {
    let promise = "a refused batch uses up no commit id, no ordinal, no revision and no definition id";
    let host = with_definitions(store);
    must(typed(&host, "customer").set(1, "code", "taken"), "a value is set");
    let define = || host.batch().define("customer", DefinitionSpec::string("new"));
    for _ in 0..3 {
        let twice = define().set(("customer", 2), "code", "taken").set(("customer", 1), "a", "x").commit();
        refused(twice, Error::is_duplicate, "a unique value is held once", PLAN);
    }
    let receipt =
        must(define().set(("customer", 2), "code", "free").set(("customer", 1), "a", "x").commit(), "a good batch is done");
    same(&receipt.commit, &Some(CommitId::new(4)), promise, PLAN);
    same(&receipt.changes[0].definition, &Some(DefinitionId::new(5)), promise, PLAN);
    same(&receipt.changes[1].value, &Some(ValueId::of(Ordinal::new(2), DefinitionId::new(3))), promise, PLAN);
    same(&receipt.entities.iter().map(|one| one.revision.get()).collect::<Vec<_>>(), &[1, 2], promise, PLAN);
}

/// A receipt says of each change what it did, and of each entity its revision.
pub fn receipts_are_exact(store: &Store) {
    let promise = "a receipt says of each change what it did, with the id of its value, and of each entity its revision";
    let host = with_definitions(store);
    must(
        host.batch().set(("customer", 1), "a", "x").set(("customer", 1), "n", 1).set(("customer", 2), "a", "y").commit(),
        "values are set",
    );
    let mixed = host.batch().set(("customer", 1), "a", "x").set(("customer", 1), "n", 2).set(("customer", 3), "a", "z");
    let mixed = mixed.clear(("customer", 2), "a").clear(("customer", 2), "n").clear(("customer", 4), "a").move_value(
        ("customer", 1),
        "a",
        "code",
    );
    let mixed = mixed.save(("person", "p"), [("a", "p")]).remove(("customer", 3)).remove(("customer", 4)).declare(
        "person",
        DefinitionSpec::string("A"),
        Offending::Refuse,
    );
    let receipt = must(mixed.expect_revision(("customer", 9), Revision::ABSENT).commit(), "a batch is committed");
    let id = |ordinal, definition| Some(ValueId::of(Ordinal::new(ordinal), DefinitionId::new(definition)).get());
    let changes: Vec<_> = receipt
        .changes
        .iter()
        .map(|change| (change.outcome, change.definition.map(DefinitionId::get), change.value.map(ValueId::get)))
        .collect();
    let expected = [
        (Outcome::Unchanged, Some(1), id(1, 1)),
        (Outcome::Updated, Some(2), id(1, 2)),
        // It came and went within the batch, so that it was never written and has no ordinal.
        (Outcome::Created, Some(1), None),
        (Outcome::Cleared, Some(1), id(2, 1)),
        (Outcome::Unchanged, Some(2), id(2, 2)),
        (Outcome::Unchanged, Some(1), None),
        (Outcome::Created, Some(3), id(1, 3)),
        (Outcome::Created, None, None),
        (Outcome::Cleared, None, None),
        (Outcome::Unchanged, None, None),
        (Outcome::Updated, Some(4), None),
    ];
    same(&changes, &expected, promise, PLAN);
    let entities: Vec<_> = receipt.entities.iter().map(|one| (one.entity.to_string(), one.revision.get())).collect();
    let expected =
        [("customer/1", 2), ("customer/3", 0), ("customer/2", 2), ("customer/4", 0), ("person/p", 1), ("customer/9", 0)];
    same(&entities, &expected, promise, PLAN);
    same(&receipt.commit, &Some(CommitId::new(4)), promise, PLAN);
    same(&receipt.catalog, &Revision::new(3), promise, PLAN);
}

/// A receipt carries the definitions that its batch made, changed or restored, so that nobody has to read them afterwards.
pub fn receipts_carry_definitions(store: &Store) {
    let promise = "a receipt carries the definitions that the batch made, changed or restored, as the commit left them";
    let advice = "hand the receipt of `decide` on as it is";
    let host = with_definitions(store);
    let batch =
        host.batch().by("ann").alter("customer", "n", |spec| spec.minimum(0)).ensure("customer", DefinitionSpec::string("a"));
    let batch = batch.define("customer", DefinitionSpec::string("brief")).delete("customer", "brief");
    let receipt = must(batch.define("customer", DefinitionSpec::date("since")).commit(), "a batch is committed");
    let catalog = must(store.catalog(), "the catalog is read");
    let stored = |ids: &[u32]| -> Vec<_> { ids.iter().filter_map(|id| catalog.get(DefinitionId::new(*id)).cloned()).collect() };
    same(&receipt.definitions, &stored(&[1, 2, 6]), promise, advice);
    for definition in &receipt.definitions[1..] {
        same(&definition.modified().commit, &receipt.commit.unwrap_or_default(), promise, advice);
    }
    let values = must(host.batch().set(("customer", 1), "a", "x").commit(), "a value is set");
    holds(values.definitions.is_empty(), "a receipt without changes of definitions carries none", advice);
}

/// Where nothing changes, nothing is committed: no id, no revision, no history.
pub fn what_changes_nothing_commits_nothing(store: &Store) {
    let promise = "a batch that changes nothing is no commit";
    let host = with_definitions(store);
    must(typed(&host, "customer").set(1, "a", "x"), "a value is set");
    let keys = [customer(1), customer(2)];
    let before = picture(&*snapshot(store), &keys);
    let back_and_forth = host.batch().set(("customer", 1), "a", "y").set(("customer", 1), "a", "x");
    let batches = [
        host.batch(),
        host.batch().set(("customer", 1), "a", "x"),
        host.batch().clear(("customer", 1), "n").clear(("customer", 2), "n").remove(("customer", 2)),
        host.batch().save(("customer", 1), [("a", "x")]).ensure("customer", DefinitionSpec::string("a")),
        back_and_forth,
        host.batch().set(("customer", 2), "a", "x").clear(("customer", 2), "a"),
    ];
    for batch in batches {
        let receipt = must(batch.commit(), "a batch that changes nothing is accepted");
        same(&receipt.commit, &None::<()>, promise, PLAN);
        unchanged(&before, &picture(&*snapshot(store), &keys), promise, "where `Plan::changes` is none, write nothing");
    }
}

/// The ids of commits rise by one.
pub fn commit_ids_rise_by_one(store: &Store) {
    let promise = "the ids of commits rise by one, from 1";
    let host = with_definitions(store);
    for n in 1..=20 {
        let receipt = must(typed(&host, "customer").set(n % 3, "n", n), "a value is set");
        let expected = CommitId::new(small::<u64>(n) + 2);
        same(&receipt.commit, &Some(expected), promise, WHOLE);
        same(&must(snapshot(store).marks(), "the marks are read").commit, &expected, promise, WHOLE);
    }
}

/// Entities are numbered from 1 in the order of their first writing, without gaps.
pub fn ordinals_are_dense(store: &Store) {
    let promise = "an entity gets the next ordinal when it is first written, and none before";
    let host = with_definitions(store);
    let batch =
        host.batch().clear(("customer", "named only"), "a").set(("customer", "x"), "a", "1").set(("person", "y"), "a", "2");
    must(batch.set(("customer", "w"), "a", "3").set(("customer", "x"), "n", 1).commit(), "values are set");
    must(typed(&host, "customer").set("named only", "a", "4"), "a value is set");
    let keys = [customer("x"), key("person", "y"), customer("w"), customer("named only")];
    let records = must(snapshot(store).read(&keys), "entities are read");
    let found: Vec<_> = records.iter().flatten().map(|record| record.ordinal().get()).collect();
    same(&found, &[1, 2, 3, 4], promise, WHOLE);
    same(&must(snapshot(store).marks(), "the marks are read").ordinal, &Ordinal::new(4), promise, WHOLE);
}

/// Many changes of one entity in one batch are one revision; the last one holds.
pub fn one_revision_per_commit(store: &Store) {
    let promise = "a commit moves the revision of an entity by one, however often it changes it";
    let host = with_definitions(store);
    let many = (0..50).fold(host.batch(), |batch, n| batch.set(("customer", 1), "n", n).set(("customer", 1), "a", n.to_string()));
    let receipt = must(many.clear(("customer", 1), "a").commit(), "a batch is committed");
    same(&receipt.entities[0].revision, &Revision::new(1), promise, PLAN);
    same(&held(store, &customer(1)), &[(2, "49")], "the last change of a value holds", PLAN);
    let (_, record) = must(store.read_entity(&customer(1)), "an entity is read");
    same(&there(record, "an entity is there once it is written").revision(), &Revision::new(1), promise, WHOLE);
}

/// All violations are reported at once, each with its place.
pub fn all_violations_are_reported(store: &Store) {
    let promise = "all violations of a batch are reported at once, each with its place and entity";
    let host = with_definitions(store);
    must(host.batch().set(("customer", 1), "code", "one").set(("customer", 2), "code", "two").commit(), "values are set");
    must(typed(&host, "customer").alter("a", DefinitionSpec::required), "a definition is changed");
    must(typed(&host, "customer").set(5, "a", "x"), "a value is set");
    let act = || {
        let batch = host.batch().set(("customer", 3), "code", "one").set(("customer", 4), "n", 1).clear(("customer", 5), "a");
        batch.set(("customer", 4), "code", "two").save(("customer", 6), [("n", 1)]).commit()
    };
    let error = refused_whole(store, &[customer(3), customer(4), customer(5), customer(6)], Error::is_invalid, promise, act);
    let found: Vec<_> = error.violations().iter().map(|found| (found.place, found.rule, found.entity.clone())).collect();
    let expected = [
        (Some(0), Rule::Required, Some(customer(3))),
        (Some(0), Rule::Unique, Some(customer(3))),
        (Some(1), Rule::Required, Some(customer(4))),
        (Some(2), Rule::Required, Some(customer(5))),
        (Some(3), Rule::Unique, Some(customer(4))),
        (Some(4), Rule::Required, Some(customer(6))),
    ];
    same(&found, &expected, promise, PLAN);
}

/// Thousands of changes of several types in one batch.
pub fn a_large_batch_is_one_commit(store: &Store) {
    let promise = "a batch of thousands of changes is one commit";
    let host = with_definitions(store);
    let large = (0..3000).fold(host.batch(), |batch, id| {
        let batch = batch.set(("customer", id), "n", id).set(("customer", id), "code", format!("c{id}"));
        if id % 3 == 0 { batch.set(("person", id), "a", "p") } else { batch }
    });
    let receipt = must(large.commit(), promise);
    same(&receipt.commit, &Some(CommitId::new(3)), promise, WHOLE);
    let snapshot = snapshot(store);
    let count = |of| must(snapshot.count(&entity_type(of)), "entities are counted");
    same(&(count("customer"), count("person")), &(3000, 1000), promise, WHOLE);
    same(&held(store, &customer(2999)), &[(2, "2999"), (3, "c2999")], promise, WHOLE);
}

/// A value moves to another attribute in one change, and not to where there is one.
pub fn a_value_moves_in_one_change(store: &Store) {
    let promise = "a value moves from one attribute to another in one change";
    let host = with_definitions(store);
    let of = typed(&host, "customer");
    must(of.set(1, "a", "x"), "a value is set");
    must(of.move_value(1, "a", "code"), promise);
    same(&held(store, &customer(1)), &[(3, "x")], promise, PLAN);
    must(of.set(1, "a", "y"), "a value is set");
    let taken = "a value is not moved to where there is one";
    refused_whole(store, &[customer(1)], Error::is_invalid, taken, || of.move_value(1, "a", "code"));
    refused_whole(store, &[customer(1)], Error::is_invalid, "only what is there is moved, and to its own type", || {
        of.move_value(1, "n", "a")
    });
    let twice = || of.move_value(2, "a", "code");
    refused_whole(store, &[customer(2)], Error::is_not_found, "only what is there is moved", twice);
}

/// A dry run answers what a commit would, and does nothing.
pub fn a_dry_run_changes_nothing(store: &Store) {
    let promise = "`plan` over a snapshot for readers answers what a commit would, and does nothing";
    let host = with_definitions(store);
    let changes = || [set(store, &customer(1), "a", "x"), set(store, &customer(1), "code", "y")];
    let before = picture(&*snapshot(store), &[customer(1)]);
    let mut dry = batch(store);
    changes().into_iter().for_each(|change: Change| dry.push(change));
    let planned = must(crate::store::plan(&*snapshot(store), &dry), "a batch is planned");
    unchanged(&before, &picture(&*snapshot(store), &[customer(1)]), promise, PLAN);
    let done = must(commit(store, changes()), "a batch is committed");
    same(&planned.receipt, &done, promise, PLAN);
    holds(must(typed(&host, "customer").entity(1), "an entity is read").is_some(), promise, WHOLE);
}
