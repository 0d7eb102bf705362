//! What is in history no longer: never kept, pruned, or erased.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::attributes::{Attributes, Prune};
use crate::conformance::Store;
use crate::conformance::plain::Plain;
use crate::conformance::support::{customer, holds, host, must, past_of, past_text, same, snapshot, sound, there, typed};
use crate::history::{AsOf, Point};
use crate::model::{CommitId, DefinitionId, DefinitionSpec, EntityKey, Limits, Ordinal, Retention, Revision};
use crate::store::{Offending, Snapshot};

const KEPT: &str = "add `RecordChange::past` to the history, which is not all that ended";
const HORIZON: &str = "keep `Changes::horizons`, each where it is later than what was kept";
const LINEAGE: &str =
    "keep `Definition::lineage` with every version of a definition, and give it back by `Definition::with_lineage`";
const TAKEN_OUT: &str = "carry out `Changes::removals` when all else is written";

/// Definition, value, ended.
fn past(snapshot: &dyn Snapshot, entity: &EntityKey) -> Vec<(u32, String, u64)> {
    let past = past_of(snapshot, entity);
    past.iter().map(|past| (past.held.definition.get(), past.held.value.to_string(), past.ended.get())).collect()
}

fn horizons(store: &Store) -> Vec<(u32, u64)> {
    let horizons = must(snapshot(store).horizons(), "the horizons are read");
    horizons.into_iter().map(|(id, until)| (id.get(), until.get())).collect()
}

fn limited(store: &Store, retention: Retention) -> Attributes<&Store> {
    let mut limits = Limits::typed();
    limits.retention = retention;
    must(host(store).with_limits(limits), "limits are in order")
}

/// What ends without history leaves no past, and a horizon that says so.
pub fn history_that_is_off_is_not_kept(store: &Store) {
    let promise = "where no history is kept, what ends leaves no past, and is known from then on only";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("a"), DefinitionSpec::integer("seen").retention(Retention::Off)]), "1");
    must(of.save(1, [("seen", 1)]), "2");
    must(of.set(1, "a", "x"), "3");
    same(&horizons(store), &Vec::<(u32, u64)>::new(), promise, HORIZON);
    must(host.batch().set(("customer", 1), "seen", 2).set(("customer", 1), "a", "y").commit(), "4");
    must(of.set(2, "seen", 1), "5: a first write ends nothing");
    same(&past(&*snapshot(store), &customer(1)), &[(1, "x", 4)], promise, KEPT);
    same(&horizons(store), &[(2, 4)], promise, HORIZON);
    let then = must(AsOf::new(snapshot(store), Point::Commit(CommitId::new(3))), "the past is read");
    let catalog = must(then.catalog(), "the catalog is read");
    same(&catalog.iter().count(), &1, "what is not known of a point is not in its catalog", HORIZON);
    let record = there(must(then.read(&[customer(1)]), "an entity is read").pop().flatten(), promise);
    same(&record.values().len(), &1, promise, HORIZON);
    // And the same where the store has it so, but for definitions that say otherwise.
    let off = limited(store, Retention::Off);
    let of = typed(&off, "customer");
    must(of.alter("seen", |spec| spec.retention(Retention::Forever)), "6");
    must(off.batch().set(("customer", 1), "seen", 3).set(("customer", 1), "a", "z").commit(), "7");
    same(&past(&*snapshot(store), &customer(1)), &[(1, "x", 4), (2, "2", 7)], promise, KEPT);
    same(&horizons(store), &[(1, 7), (2, 4)], promise, HORIZON);
}

/// Versions that are pruned are gone, the others are there; a snapshot that is held has them still.
pub fn pruned_versions_are_gone(store: &Store) {
    let promise = "versions that are pruned are gone, and no others; what they were of is known from their ends on";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("a"), DefinitionSpec::string("b").retention(Retention::Versions(2))]), "1");
    for n in 0..5 {
        must(of.save(1, [("a", format!("a{n}")), ("b", format!("b{n}"))]), "2 to 6");
    }
    must(of.set(2, "b", "only"), "7");
    let before = snapshot(store);
    let all = past(&*before, &customer(1));
    let pruned = must(host.prune(&Prune::new().limit(1), |_| ControlFlow::Continue(())), "8: one version is pruned");
    same(&(pruned.removed, pruned.next.is_some(), pruned.commits), &(1, true, vec![CommitId::new(8)]), promise, TAKEN_OUT);
    let prune = pruned.next.iter().fold(Prune::new(), |prune, next| prune.after(*next));
    same(&must(host.prune(&prune, |_| ControlFlow::Continue(())), "9: the rest is pruned").removed, &1, promise, TAKEN_OUT);
    let left: Vec<_> = all.iter().filter(|(id, _, ended)| *id == 1 || *ended > 4).cloned().collect();
    same(&past(&*snapshot(store), &customer(1)), &left, promise, TAKEN_OUT);
    same(&past(&*before, &customer(1)), &all, "a snapshot stays at its point", TAKEN_OUT);
    same(&horizons(store), &[(2, 4)], promise, HORIZON);
    let known = must(AsOf::new(snapshot(store), Point::Commit(CommitId::new(4))), "the past is read");
    let record = there(must(known.read(&[customer(1)]), "an entity is read").pop().flatten(), promise);
    let held: Vec<_> = record.values().iter().map(|held| held.value.to_string()).collect();
    same(&(held, record.revision()), &(vec!["a2".to_owned(), "b2".to_owned()], Revision::new(3)), promise, TAKEN_OUT);
    let nothing = must(host.prune(&Prune::new(), |_| ControlFlow::Continue(())), "nothing is pruned");
    same(&(nothing.removed, nothing.commits.len()), &(0, 0), "what prunes nothing commits nothing", TAKEN_OUT);
}

/// Where a version is pruned that ended before others that were, what is known of the attribute is no more than before.
pub fn horizons_only_rise(store: &Store) {
    let promise = "a horizon is the latest end of all versions that were pruned, in whatever order they were";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.define(DefinitionSpec::integer("n").retention(Retention::Versions(0))), "1");
    must(host.batch().set(("customer", 1), "n", 1).set(("customer", 2), "n", 1).commit(), "2");
    must(of.set(2, "n", 2), "3");
    must(of.set(1, "n", 2), "4");
    for _ in 0..2 {
        must(host.prune(&Prune::new().limit(1), |_| ControlFlow::Continue(())), "5 and 6: a version is pruned");
        same(&horizons(store), &[(1, 4)], promise, HORIZON);
    }
}

/// Histories are read by ordinal, those of entities that have one.
pub fn histories_go_page_by_page(store: &Store) {
    let promise = "histories come by the ordinals of their entities, whole, and of those that have one";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.define(DefinitionSpec::integer("n")), "a definition is made");
    for n in 0..3 {
        for id in (1..=7).filter(|id| n == 0 || id % 2 == 0) {
            must(of.set(id, "n", n), "a value is set");
        }
    }
    let (found, plain) = (snapshot(store), Plain(snapshot(store)));
    let flat = |all: Vec<(Ordinal, Vec<crate::store::Past>)>| {
        let one =
            |(ordinal, past): &(Ordinal, Vec<_>)| format!("{ordinal}: {:?}", past.iter().map(past_text).collect::<Vec<_>>());
        all.iter().map(one).collect::<Vec<_>>()
    };
    for after in [None, Some(0), Some(1), Some(2), Some(3), Some(6), Some(9)] {
        for limit in [0, 1, 2, 100] {
            let after = after.map(Ordinal::new);
            let expected = flat(must(Snapshot::histories(&plain, after, limit), "histories are read"));
            same(&flat(must(found.histories(after, limit), "histories are read")), &expected, promise, promise);
        }
    }
}

/// An erased value is gone with its past, and others are as they were.
pub fn erased_values_never_were(store: &Store) {
    let promise = "a value that is erased is gone with all its past, and nothing else is";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("a"), DefinitionSpec::string("s").sensitive().unique()]), "1");
    for n in 0..3 {
        for id in 1..=2 {
            must(of.save(id, [("a", format!("a{n}")), ("s", format!("s{n} of {id}"))]), "2 to 7");
        }
    }
    let others = past(&*snapshot(store), &customer(2));
    let erased = must(host.batch().erase(("customer", 1), "s").commit(), "8: a value is erased");
    same(&erased.commit, &Some(CommitId::new(8)), promise, TAKEN_OUT);
    same(&past(&*snapshot(store), &customer(1)), &[(1, "a0", 4), (1, "a1", 6)], promise, TAKEN_OUT);
    same(&past(&*snapshot(store), &customer(2)), &others, promise, TAKEN_OUT);
    same(&must(of.get::<String>(1, "s"), "a value is read"), &None::<String>, promise, TAKEN_OUT);
    for commit in 2..=8 {
        let then = must(AsOf::new(snapshot(store), Point::Commit(CommitId::new(commit))), "the past is read");
        let record = there(must(then.read(&[customer(1)]), "an entity is read").pop().flatten(), promise);
        holds(record.get(DefinitionId::new(2)).is_none(), promise, TAKEN_OUT);
    }
    // It was held by nobody, as far as anybody knows.
    must(of.set(3, "s", "s2 of 1"), "9: its value is free");
    must(host.batch().erase(("customer", 1), "s").commit(), "there is nothing to erase any longer");
    sound(store, TAKEN_OUT);
}

/// An erased value is gone from the definitions that it was merged, split and moved from and to as well.
pub fn erased_values_are_followed(store: &Store) {
    let promise = "a value that is erased is gone from all definitions that it went through";
    let host = host(store);
    let of = typed(&host, "customer");
    let secret = |name: &str| DefinitionSpec::string(name).sensitive();
    must(of.ensure([secret("a"), secret("b"), secret("c"), secret("d"), DefinitionSpec::string("plain")]), "1");
    for id in 1..=2 {
        must(of.save(id, [("a", "one"), ("d", "two"), ("plain", "two")]), "2 and 3");
    }
    must(host.batch().merge("customer", "a", "b", Offending::Refuse).commit(), "4: a is merged into b");
    must(of.set(1, "b", "one of 1"), "5");
    must(of.alter("b", |spec| DefinitionSpec::string(spec.name)), "6: b is sensitive no longer");
    must(of.alter("b", DefinitionSpec::sensitive), "7: it is again");
    must(host.batch().split("customer", "b", "c").commit(), "8: b is split into c");
    must(of.delete_with_values("c"), "9: c is deleted");
    must(host.batch().move_value(("customer", 1), "d", "b").commit(), "10: a value of customer 1 is moved from d to b");
    let others = past(&*snapshot(store), &customer(2));
    let erased =
        must(host.batch().erase(("customer", 1), "a").commit(), "11: a value is erased by the name of a deleted definition");
    let ids: Vec<_> = erased.erased.iter().map(|id| id.definition().get()).collect();
    same(&ids, &vec![1, 2, 3, 4], promise, LINEAGE);
    same(&past(&*snapshot(store), &customer(1)), &Vec::<(u32, String, u64)>::new(), promise, TAKEN_OUT);
    let record = there(must(snapshot(store).read(&[customer(1)]), "an entity is read").pop().flatten(), promise);
    let left: Vec<_> = record.values().iter().map(|held| (held.definition.get(), held.value.to_string())).collect();
    same(&left, &vec![(5, "two".to_owned())], "values of other definitions stay", TAKEN_OUT);
    same(&past(&*snapshot(store), &customer(2)), &others, "values of other entities stay", TAKEN_OUT);
    sound(store, TAKEN_OUT);
}

/// An erased entity is gone with its key; its ordinal is not given out again.
pub fn erased_entities_never_were(store: &Store) {
    let promise = "an entity that is erased is gone, with its past and its key, and its ordinal is not given out again";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("a"), DefinitionSpec::string("u").unique()]), "1");
    for id in 1..=3 {
        must(of.save(id, [("a", "x".to_owned()), ("u", format!("u{id}"))]), "2 to 4");
        must(of.set(id, "a", "y"), "5 to 7");
    }
    must(of.remove(2), "8: one is emptied");
    let erased =
        must(host.batch().erase_entity(("customer", 3)).erase_entity(("customer", 2)).commit(), "9: two entities are erased");
    same(&erased.revision(&customer(3)), &Some(Revision::ABSENT), promise, TAKEN_OUT);
    let marks = must(snapshot(store).marks(), "the marks are read");
    same(&marks.ordinal, &Ordinal::new(3), promise, "keep the last ordinal, whatever becomes of its entity");
    let written = must(snapshot(store).written(None, None, 100), "entities are read");
    same(&written.iter().map(|record| record.key().to_string()).collect::<Vec<_>>(), &["customer/1"], promise, TAKEN_OUT);
    for id in 2..=3 {
        same(&past(&*snapshot(store), &customer(id)), &Vec::<(u32, String, u64)>::new(), promise, TAKEN_OUT);
        same(&must(of.revision(id), "a revision is read"), &Revision::ABSENT, promise, TAKEN_OUT);
    }
    same(&must(snapshot(store).count(of.entity_type()), "entities are counted"), &1, promise, TAKEN_OUT);
    must(of.save(3, [("u", "u3")]), "10: it is written again");
    let again = there(must(snapshot(store).read(&[customer(3)]), "an entity is read").pop().flatten(), promise);
    same(&(again.ordinal(), again.revision()), &(Ordinal::new(4), Revision::new(1)), promise, TAKEN_OUT);
    same(&past(&*snapshot(store), &customer(3)), &Vec::<(u32, String, u64)>::new(), promise, TAKEN_OUT);
    let then = must(AsOf::new(snapshot(store), Point::Commit(CommitId::new(9))), "the past is read");
    same(&must(then.read(&[customer(3)]), "an entity is read"), &[None::<()>], promise, TAKEN_OUT);
    // Those who follow the changes are told.
    let view = must(host.snapshot(), "a snapshot is made");
    let mut told: BTreeMap<u32, usize> = BTreeMap::new();
    for change in must(view.changes_since(CommitId::new(0), 100), "changes are read").changes {
        if let crate::history::Changed::Erased(erased) = change {
            *told.entry(erased.ordinal.get()).or_default() += 1;
        }
    }
    same(&told.into_keys().collect::<Vec<_>>(), &[2, 3], promise, "`touched` has erased entities as well");
    // Who holds a snapshot that has it still keeps it in the file.
    drop((view, then));
    must(host.purge(), "what was erased is purged");
    sound(store, TAKEN_OUT);
}
