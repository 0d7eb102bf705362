//! History: what was replaced, cleared, changed or deleted, with the commits that began and ended it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::conformance::Store;
use crate::conformance::definitions::rich_specs;
use crate::conformance::support::{
    HISTORY, customer, holds, host, key, must, past_definitions, past_of, picture, same, snapshot, sound, there, touched, typed,
};
use crate::history::{AsOf, Changed, Point, Position};
use crate::model::{CommitId, DataType, DefinitionId, DefinitionSpec, EntityKey, EntityRecord, Held, Value, ValueId};
use crate::store::Offending;

/// Definition, value, created, modified, ended: plain, so that decimals show their zeros.
type Told = (u32, String, u64, u64, u64);

fn past(store: &Store, entity: &EntityKey) -> Vec<Told> {
    let past = past_of(&*snapshot(store), entity);
    let plain = past.iter().map(|past| {
        let held = &past.held;
        (held.definition.get(), held.value.to_string(), held.created.get(), held.modified.get(), past.ended.get())
    });
    plain.collect()
}

fn define(store: &Store) {
    let specs = [DefinitionSpec::string("a"), DefinitionSpec::decimal("d"), DefinitionSpec::string("c")];
    must(typed(&host(store), "customer").ensure(specs), "definitions are made");
}

/// A first write, and a write of what is there already, leave no past.
pub fn a_first_write_leaves_no_past(store: &Store) {
    let promise = "a first write costs no history, and neither does one that changes nothing";
    define(store);
    let host = host(store);
    must(host.batch().set(("customer", 1), "a", "x").set(("customer", 1), "c", "y").commit(), "values are set");
    must(typed(&host, "customer").set(1, "a", "x"), "an equal value is set");
    must(typed(&host, "customer").set_text(1, "d", "1.5"), "a value is set");
    let nothing: [(); 0] = [];
    same(&past(store, &customer(1)), &nothing, promise, HISTORY);
    for id in 0..5 {
        let past = past_definitions(&*snapshot(store), DefinitionId::new(id));
        same(&past, &nothing, promise, HISTORY);
    }
}

/// What is replaced, cleared, moved away, left out or removed stays in the past, exactly and in order.
pub fn values_that_end_stay_in_the_past(store: &Store) {
    let promise = "a value that ends goes to the past as it stood, by the commit that ended it, then by definition";
    define(store);
    let host = host(store);
    let of = typed(&host, "customer");
    must(
        host.batch()
            .set(("customer", 1), "c", "c1")
            .set(("customer", 1), "a", "a1")
            .set_text(("customer", 1), "d", "1.50")
            .commit(),
        "2",
    );
    must(of.set(1, "a", "a2"), "3: a value is replaced");
    must(of.set_text(1, "d", "1.500"), "nothing: an equal value");
    must(of.set_text(1, "d", "-0.10"), "4: a value is replaced");
    must(of.clear(1, "a"), "5: a value is cleared");
    must(of.set(1, "a", "a3"), "6: a value is set again");
    must(of.remove(1), "7: an entity is removed");
    must(of.set(1, "c", "c2"), "8: it is written again");
    must(of.move_value(1, "c", "a"), "9: a value is moved");
    must(of.save(1, [("c", "c3")]), "10: an entity is saved without a value");
    must(of.set(1, "a", "a4"), "11: a value is set");
    must(
        host.batch().set(("customer", 1), "c", "c4").clear(("customer", 1), "a").commit(),
        "12: one is replaced, one is cleared",
    );
    let expected = [
        (1, "a1", 2, 2, 3),
        (2, "1.50", 2, 2, 4),
        (1, "a2", 2, 3, 5),
        (1, "a3", 6, 6, 7),
        (2, "-0.10", 2, 4, 7),
        (3, "c1", 2, 2, 7),
        (3, "c2", 8, 8, 9),
        (1, "c2", 9, 9, 10),
        (1, "a4", 11, 11, 12),
        (3, "c3", 10, 10, 12),
    ];
    same(&past(store, &customer(1)), &expected, promise, HISTORY);
    let nothing: [(); 0] = [];
    same(&past(store, &customer(2)), &nothing, "the past of one entity is not that of another", HISTORY);
}

/// What comes and goes within one batch never was.
pub fn a_commit_is_one_step_of_the_past(store: &Store) {
    let promise = "the past has a commit's ends only: what came and went within a batch never was";
    define(store);
    let host = host(store);
    must(typed(&host, "customer").set(1, "a", "before"), "a value is set");
    let batch = ["1", "2", "3"]
        .iter()
        .fold(host.batch(), |batch, text| batch.set(("customer", 1), "a", *text).set(("customer", 1), "c", *text));
    must(batch.clear(("customer", 1), "c").commit(), "a value is replaced many times");
    same(&past(store, &customer(1)), &[(1, "before", 2, 2, 3)], promise, HISTORY);
}

/// What a deleted definition held is in the past of each entity, and the definition in its own.
pub fn deleted_values_stay_in_the_past(store: &Store) {
    let promise = "what a deleted definition held stays in the past of its entities";
    define(store);
    let host = host(store);
    must((1..=3).fold(host.batch(), |batch, id| batch.set(("customer", id), "a", format!("v{id}"))).commit(), "values are set");
    must(typed(&host, "customer").delete_with_values("a"), "a definition is deleted with its values");
    for id in 1..=3 {
        same(&past(store, &customer(id)), &[(1, format!("v{id}"), 2, 2, 3)], promise, HISTORY);
    }
    let past = past_definitions(&*snapshot(store), DefinitionId::new(1));
    let plain: Vec<_> = past.iter().map(|past| (past.definition.name().to_string(), past.ended.get())).collect();
    same(&plain, &[("a", 3)], "a deleted definition is in its own past", HISTORY);
}

/// Each state of a definition stays in its past, whole, with the stamps that it had.
pub fn definitions_that_end_stay_in_the_past(store: &Store) {
    let promise = "a definition that is changed or deleted goes to its past as it stood, stamps and all, in order";
    let host = host(store);
    let of = typed(&host, "customer").by("ann");
    must(of.ensure(rich_specs()), "definitions are made");
    let first = must(snapshot(store).catalog(), "the catalog is read");
    for (spec, n) in rich_specs().iter().zip(0..) {
        must(of.alter(&spec.name, |spec| spec.named(format!("renamed {n}"))), "a definition is renamed");
    }
    let second = must(snapshot(store).catalog(), "the catalog is read");
    must(of.alter("renamed 0", |spec| spec), "nothing is changed");
    must(of.delete_with_values("renamed 0"), "a definition is deleted");
    let past = |id: u32| {
        let past = past_definitions(&*snapshot(store), DefinitionId::new(id));
        past.into_iter().map(|past| (past.definition, past.ended.get())).collect::<Vec<_>>()
    };
    let at = |catalog: &crate::Catalog, id: u32| there(catalog.get(DefinitionId::new(id)), promise).clone();
    same(&past(1), &[(at(&first, 1), 2), (at(&second, 1), 11)], promise, HISTORY);
    let all = must(snapshot(store).past_definitions(None), "the past of all definitions is read");
    let ends: Vec<_> = all.iter().map(|past| (past.definition.id().get(), past.ended.get())).collect();
    let expected: Vec<_> = [(1, 2), (1, 11)].into_iter().chain((2..=9).map(|id: u32| (id, u64::from(id) + 1))).collect();
    same(&ends, &expected, "the past of all definitions is sorted by definition, then by the commit that ended it", HISTORY);
    let some = [9, 2, 40, 2].map(DefinitionId::new);
    let some = must(snapshot(store).past_definitions(Some(&some)), "the past of some definitions is read");
    let ends: Vec<_> = some.iter().map(|past| (past.definition.id().get(), past.ended.get())).collect();
    same(&ends, &[(2, 3), (9, 10)], "a definition that is named twice is answered once, in the order of ids", HISTORY);
    for id in 2..=9 {
        same(&past(id), &[(at(&first, id), u64::from(id) + 1)], promise, HISTORY);
    }
}

/// Histories of entities with the same id in different types are apart, and long ones come back whole.
pub fn a_long_past_comes_back_whole(store: &Store) {
    let promise = "a long past comes back whole and in order";
    define(store);
    let host = host(store);
    must(typed(&host, "person").define(DefinitionSpec::integer("n")), "a definition is made");
    for n in 0..300 {
        let batch = host.batch().set(("person", 1), "n", n);
        let batch = if n % 100 == 0 { batch.set(("customer", 1), "a", n.to_string()) } else { batch };
        must(batch.commit(), "a value is replaced");
    }
    let found = past(store, &key("person", 1));
    let expected: Vec<_> = (0..299u64).map(|n| (4, n.to_string(), 3, n + 3, n + 4)).collect();
    same(&found, &expected, promise, HISTORY);
    same(&past(store, &customer(1)), &[(1, "0", 3, 3, 103), (1, "100", 3, 103, 203)], promise, HISTORY);
}

/// Commits of every kind: each of these is one.
fn live(store: &Store, mut after_each: impl FnMut()) {
    let host = host(store);
    let of = typed(&host, "customer");
    let people = typed(&host, "person");
    let mut done = |doing: &str, done: crate::Result<()>| {
        must(done, doing);
        after_each();
    };
    let specs = [DefinitionSpec::string("a"), DefinitionSpec::decimal("d"), DefinitionSpec::string("c").unique()];
    done("definitions are made", of.ensure(specs).map(drop));
    let batch = host.batch().set(("customer", 1), "a", "x").set_text(("customer", 2), "d", "1.50").set(("customer", 3), "c", "u");
    done("three are written", batch.commit().map(drop));
    done("a value is replaced", of.set(1, "a", "y").map(drop));
    done("another type begins", people.define(DefinitionSpec::integer("n")).map(drop));
    done("one of it is written", people.set(1, "n", 7).map(drop));
    done("a definition is renamed", of.rename("a", "b").map(drop));
    done("an entity is emptied", of.remove(2).map(drop));
    done(
        "a unique value changes hands",
        host.batch().clear(("customer", 3), "c").set(("customer", 1), "c", "u").commit().map(drop),
    );
    done("a definition goes with its values", of.delete_with_values("b").map(drop));
    done("another takes its old name", of.define(DefinitionSpec::boolean("a")).map(drop));
    done("the emptied one comes back", of.set(2, "a", true).map(drop));
    done(
        "a definition and its value at once",
        host.batch().define("person", DefinitionSpec::string("s")).set(("person", 2), "s", "").commit().map(drop),
    );
}

fn everyone() -> Vec<EntityKey> {
    (1..=4).map(customer).chain((1..=3).map(|id| key("person", id))).collect()
}

/// As of a commit, all is as it was when it was done.
pub fn the_past_is_read_as_it_was(store: &Store) {
    let promise = "as of a commit, all is as it was when it was done: definitions, values, revisions, times, history";
    let advice = "`written` has emptied entities as well, and `history` all that ended";
    let mut seen = vec![picture(&*snapshot(store), &everyone())];
    live(store, || seen.push(picture(&*snapshot(store), &everyone())));
    for (expected, commit) in seen.iter().zip(0..) {
        let then = must(AsOf::new(snapshot(store), Point::Commit(CommitId::new(commit))), "a commit of the past is read");
        same(&picture(&then, &everyone()), expected, promise, advice);
    }
    let instant = there(must(snapshot(store).commits(&[CommitId::new(3)]), "a commit is read").pop().flatten(), promise).at;
    for (moved, commit) in [(-1, 2), (0, 3), (1, 3)] {
        let instant = instant + chrono::TimeDelta::microseconds(moved);
        let then = must(AsOf::new(snapshot(store), Point::Instant(instant)), "an instant of the past is read");
        same(&picture(&then, &everyone()), &seen[commit], promise, advice);
    }
    holds(AsOf::new(snapshot(store), Point::Commit(CommitId::new(99))).is_err(), "what is not yet done cannot be read", advice);
}

/// A commit knows the entities that it changed.
pub fn commits_tell_whom_they_changed(store: &Store) {
    let promise = "`touched` has the ordinals of the entities that the commit changed, and of no others";
    live(store, || {});
    let found = snapshot(store);
    for commit in (0..15).map(CommitId::new) {
        let moved = |held: &Held| held.modified == commit;
        let written = must(found.written(None, None, usize::MAX), "all entities are read");
        let is_touched = |record: &&Arc<EntityRecord>| {
            let past = past_of(&*found, record.key());
            record.values().iter().any(moved) || past.iter().any(|past| past.ended == commit || moved(&past.held))
        };
        let expected: Vec<_> = written.iter().filter(is_touched).map(|record| record.ordinal()).collect();
        let advice = "store the ordinals of all records that `Changes::each_record` hands over with the commit";
        same(&touched(&*found, commit), &expected, promise, advice);
    }
}

/// Who follows the changes has what the store has, however long the pages are.
pub fn changes_follow_each_other(store: &Store) {
    let promise = "who follows the changes, page by page, knows all that the store holds";
    live(store, || {});
    let host = host(store);
    let view = must(host.snapshot(), "a snapshot is made");
    let held = everyone().iter().flat_map(|key| must(view.details(key), "values are read")).collect::<Vec<_>>();
    let expected: BTreeMap<ValueId, String> = held.iter().map(|detail| (detail.id, detail.value.to_string())).collect();
    for limit in [1, 2, 100] {
        let (mut position, mut mirror, mut defined) = (Position::default(), BTreeMap::new(), 0);
        loop {
            let page = must(view.changes_since(position, limit), "changes are read");
            for change in &page.changes {
                match change {
                    Changed::Definition(change) => {
                        defined += usize::from(change.after.is_some());
                        defined -= usize::from(change.before.is_some());
                    }
                    Changed::Erased(erased) => holds(false, promise, &format!("nothing was erased, not {erased:?}")),
                    Changed::Entity(change) => {
                        for value in &change.values {
                            let before = mirror.remove(&value.id);
                            same(&before, &value.before.as_ref().map(ToString::to_string), promise, HISTORY);
                            mirror.extend(value.after.as_ref().map(|after| (value.id, after.to_string())));
                        }
                    }
                }
            }
            position = page.position;
            if !page.has_more {
                break;
            }
        }
        same(&mirror, &expected, promise, HISTORY);
        same(&defined, &view.catalog().iter().count(), promise, HISTORY);
    }
}

/// A deleted definition comes back under its own id, with what was cleared with it.
pub fn a_deleted_definition_comes_back(store: &Store) {
    let promise = "a deleted definition that is restored has its id, its making and its history, and what it held";
    let host = host(store);
    let of = typed(&host, "customer");
    let made = must(of.define(DefinitionSpec::string("a").unique()), "a definition is made");
    must((1..=3).fold(host.batch(), |batch, id| batch.set(("customer", id), "a", format!("v{id}"))).commit(), "values are set");
    must(of.delete_with_values("a"), "it is deleted with its values");
    must(of.define(DefinitionSpec::integer("b")), "another is made, which gets another id");
    must(must(host.restore_definition(made.id()), "what it held is found").commit(), "it is restored");
    let catalog = must(snapshot(store).catalog(), "the catalog is read");
    let back = there(catalog.get(made.id()), promise);
    same(&(back.spec(), back.created()), &(made.spec(), made.created()), promise, HISTORY);
    same(&back.modified().commit, &CommitId::new(5), promise, HISTORY);
    for id in 1..=3 {
        same(&must(of.get::<String>(id, "a"), "a value is read"), &Some(format!("v{id}")), promise, HISTORY);
    }
    let taken = must(snapshot(store).holders(&[(made.id(), &"v2".into())]), "a holder is found");
    same(&taken.first().map(Option::is_some), &Some(true), promise, "values of a restored definition are in the index again");
    same(&must(of.define(DefinitionSpec::date("c")), "a definition is made").id(), &DefinitionId::new(3), promise, HISTORY);
    let past = past_definitions(&*snapshot(store), made.id());
    same(&past.iter().map(|past| past.ended.get()).collect::<Vec<_>>(), &[3], promise, HISTORY);
}

/// Held values are stored as what a definition's new type makes of them; the past keeps them as they were.
pub fn values_change_their_type_with_their_definition(store: &Store) {
    let promise = "values are converted with their definition, exactly; what cannot be goes to the past as it was";
    let advice = "store what `RecordChange::after` has, whatever type the definition had before";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.define(DefinitionSpec::string("n")), "a definition is made");
    let texts = [(1, "1.50"), (2, "7"), (3, "seven"), (4, "-3")];
    must(
        texts.iter().fold(host.batch(), |batch, (id, text)| batch.set(("customer", *id), "n", *text)).commit(),
        "values are set",
    );
    let held_at = must(snapshot(store).marks(), "the marks are read").commit;
    let before = picture(&*snapshot(store), &everyone());
    let change = of.change("n", |spec| spec.of_type(DataType::Decimal));
    must(change.apply_with(Offending::Clear), "the definition changes its type");
    let held = |id: i64| must(of.get::<Value>(id, "n"), "a value is read").map(|value| (value.data_type(), value.to_string()));
    let decimal = |text: &str| Some((DataType::Decimal, text.to_owned()));
    same(&[held(1), held(2), held(3), held(4)], &[decimal("1.50"), decimal("7"), None, decimal("-3")], promise, advice);
    let found = must(of.count_found(crate::filter::attr("n").lt(2)), "entities are found");
    same(&found, &2, promise, "values of the new type are in the index, and those of the old are not");
    same(&past(store, &customer(3)), &[(1, "seven", 2, 2, 3)], promise, HISTORY);
    let then = must(AsOf::new(snapshot(store), Point::Commit(held_at)), "the past is read");
    same(&picture(&then, &everyone()), &before, promise, HISTORY);
    sound(store, "take the old key out, and put the new one in");
}
