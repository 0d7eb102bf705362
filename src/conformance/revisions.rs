//! Optimistic concurrency: a batch is done only while what it was checked against has not moved.

use crate::conformance::Store;
use crate::conformance::support::{
    ORDERED, PLAN, batch, commit, customer, define, host, must, refused_whole, same, set, snapshot, typed,
};
use crate::error::{Error, Moved};
use crate::model::{DefinitionSpec, EntityKey, Revision};

fn moved(error: &Error) -> Vec<(Option<EntityKey>, u64, u64)> {
    let plain = |moved: &Moved| (moved.entity.clone(), moved.expected.get(), moved.found.get());
    if let Error::Conflict(all) = error { all.iter().map(plain).collect() } else { Vec::new() }
}

fn prepare(store: &Store) {
    must(typed(&host(store), "customer").define(DefinitionSpec::integer("n")), "a definition is made");
    for n in 1..=3 {
        must(commit(store, [set(store, &customer(1), "n", n)]), "a value is set");
    }
    must(commit(store, [set(store, &customer(2), "n", 1)]), "a value is set");
}

/// The right revision lets a batch pass, any other refuses it whole, and the refusal has all that moved.
pub fn expected_revisions_are_verified(store: &Store) {
    let promise = "a batch that expects another revision than there is, is a conflict, with all that moved";
    prepare(store);
    let keys = [customer(1), customer(2), customer(3)];
    for wrong in [0, 2, 4, u64::MAX] {
        let act = || {
            let mut batch = batch(store);
            batch.expect_revision(customer(1), Revision::new(wrong));
            batch.expect_revision(customer(2), Revision::new(1));
            batch.expect_revision(customer(3), Revision::new(wrong));
            batch.push(set(store, &customer(2), "n", 9));
            store.commit(&batch)
        };
        let error = refused_whole(store, &keys, Error::is_conflict, promise, act);
        let mut expected = vec![(Some(customer(1)), wrong, 3)];
        if wrong != 0 {
            expected.push((Some(customer(3)), wrong, 0));
        }
        same(&moved(&error), &expected, promise, PLAN);
    }
    let mut right = batch(store);
    right.expect_revision(customer(1), Revision::new(3));
    right.push(set(store, &customer(1), "n", 9));
    same(
        &must(store.commit(&right), "a batch that expects what is there is done").revision(&customer(1)),
        &Some(Revision::new(4)),
        promise,
        PLAN,
    );
    refused_whole(store, &keys, Error::is_conflict, "the same expectation does not hold twice", || store.commit(&right));
}

/// Revision 0 expects an entity that was never written; an emptied one was.
pub fn absent_expects_a_new_entity(store: &Store) {
    let promise = "expecting revision 0 lets only the first write of an entity pass";
    prepare(store);
    let write_new = |id: i64| {
        let mut batch = batch(store);
        batch.expect_revision(customer(id), Revision::ABSENT);
        batch.push(set(store, &customer(id), "n", 7));
        store.commit(&batch)
    };
    must(write_new(9), "a new entity is written");
    refused_whole(store, &[customer(9)], Error::is_conflict, promise, || write_new(9));
    must(typed(&host(store), "customer").remove(9), "an entity is removed");
    let error = refused_whole(store, &[customer(9)], Error::is_conflict, promise, || write_new(9));
    same(&moved(&error), &[(Some(customer(9)), 0, 2)], "an emptied entity keeps its revision", PLAN);
}

/// A batch that was bound against another catalog is refused, whether that is older or newer.
pub fn a_moved_catalog_is_a_conflict(store: &Store) {
    let promise = "a batch that was bound against another revision of the catalog is a conflict";
    prepare(store);
    let mut stale = batch(store);
    stale.push(set(store, &customer(1), "n", 9));
    must(commit(store, [define(store, DefinitionSpec::string("new"))]), "a definition is made");
    let error = refused_whole(store, &[customer(1)], Error::is_conflict, promise, || store.commit(&stale));
    same(&moved(&error), &[(None::<()>, 1, 2)], promise, ORDERED);
    let mut empty = crate::store::Batch::new(&crate::Catalog::new(), stale.at());
    let error = refused_whole(store, &[], Error::is_conflict, promise, || store.commit(&empty));
    same(&moved(&error), &[(None::<()>, 0, 2)], promise, ORDERED);
    empty = batch(store);
    must(store.commit(&empty), "an empty batch that was bound against the catalog as it is, is accepted");
}

/// A commit moves the revisions of the entities that it changes, and of no others.
pub fn revisions_move_with_changes_only(store: &Store) {
    let promise = "a commit moves the revision of each entity that it changes, by one, and of no other";
    prepare(store);
    let read = || {
        let records = must(snapshot(store).read(&[customer(1), customer(2)]), "entities are read");
        records.iter().flatten().map(|record| record.revision().get()).collect::<Vec<_>>()
    };
    same(&read(), &[3, 1], promise, PLAN);
    must(commit(store, [set(store, &customer(1), "n", 3), set(store, &customer(2), "n", 5)]), "one value is changed, one is not");
    same(&read(), &[3, 2], promise, PLAN);
    must(typed(&host(store), "customer").alter("n", |spec| spec.description("d")), "a definition is changed");
    same(&read(), &[3, 2], "a change of a definition moves no entity", PLAN);
}
