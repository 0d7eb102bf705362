//! The unique rule: no two entities hold equal values.

use crate::attributes::Attributes;
use crate::conformance::Store;
use crate::conformance::support::{PLAN, customer, held, host, must, refused_whole, same, small, snapshot, typed};
use crate::error::{Error, Rule};
use crate::model::{DefinitionId, DefinitionSpec, EntityKey, Ordinal, Value};

const INDEX: &str = "where the store keeps an index of unique values, bring it up to date with `Changes::unique` (drop, then remove, then add), \
                     compare whole values byte by byte, and let `holders` answer from it; without one, leave `holders` to its default";

fn with_code(store: &Store) -> Attributes<&Store> {
    let host = host(store);
    let specs =
        [DefinitionSpec::string("code").unique(), DefinitionSpec::string("other").unique(), DefinitionSpec::string("free")];
    must(typed(&host, "customer").ensure(specs), "definitions are made");
    must(typed(&host, "person").define(DefinitionSpec::string("code").unique()), "a definition is made");
    host
}

fn keys() -> Vec<EntityKey> {
    (1..=6).map(customer).collect()
}

fn off(mut spec: DefinitionSpec) -> DefinitionSpec {
    spec.rules.unique = false;
    spec
}

/// A second holder is refused, in a commit of its own as well as within one batch; other definitions do not matter.
pub fn a_unique_value_is_held_once(store: &Store) {
    let promise = "no two entities hold equal values of a unique definition";
    let host = with_code(store);
    let of = typed(&host, "customer");
    must(of.set(1, "code", "x"), "a value is set");
    let error = refused_whole(store, &keys(), Error::is_duplicate, promise, || of.set(2, "code", "x"));
    same(&error.violations()[0].limit, "customer/1", "the refusal names the holder", INDEX);
    let both = || host.batch().set(("customer", 3), "code", "y").set(("customer", 4), "code", "y").commit();
    let error = refused_whole(store, &keys(), Error::is_duplicate, promise, both);
    same(&error.violations()[0].entity, &Some(customer(4)), "the refusal names who asked second", INDEX);
    must(of.set(1, "code", "x"), "an entity keeps its own value");
    must(of.set(2, "other", "x"), "a value is free in another definition");
    must(typed(&host, "person").set(1, "code", "x"), "a value is free in another entity type");
    must(of.set(3, "free", "x").and(of.set(4, "free", "x")), "a definition that is not unique takes equal values");
}

/// A value that was given up, in whatever way, is free.
pub fn a_value_given_up_is_free(store: &Store) {
    let promise = "a unique value that was replaced, cleared, moved away or removed is free again";
    let host = with_code(store);
    let of = typed(&host, "customer");
    for (n, code) in ["replaced", "cleared", "removed", "moved", "left out"].into_iter().enumerate() {
        must(of.set(small::<i64>(n) + 1, "code", code), "a value is set");
    }
    must(of.set(1, "code", "new"), "a value is replaced");
    must(of.clear(2, "code"), "a value is cleared");
    must(of.remove(3), "an entity is removed");
    must(of.move_value(4, "code", "other"), "a value is moved");
    must(of.save(5, [("free", "x")]), "an entity is saved without it");
    for code in ["replaced", "cleared", "removed", "moved", "left out"] {
        must(of.set(6, "code", code), promise);
    }
    let still = "a value that was moved is taken where it moved to";
    refused_whole(store, &keys(), Error::is_duplicate, still, || of.set(6, "other", "moved"));
}

/// Only the end of a batch counts: values swap and go round.
pub fn values_change_hands_in_one_batch(store: &Store) {
    let promise = "unique values change hands within one batch";
    let host = with_code(store);
    let set = |pairs: &[(i64, &'static str)]| {
        pairs.iter().fold(host.batch(), |batch, (id, code)| batch.set(("customer", *id), "code", *code))
    };
    must(set(&[(1, "a"), (2, "b"), (3, "c")]).commit(), "values are set");
    must(set(&[(1, "b"), (2, "a")]).commit(), "two entities swap their values");
    must(set(&[(1, "c"), (2, "b"), (3, "a")]).commit(), "values go round between three entities");
    must(
        host.batch().remove(("customer", 1)).set(("customer", 4), "code", "c").commit(),
        "a value goes from one that is removed to another",
    );
    must(
        host.batch().set(("customer", 5), "code", "b").clear(("customer", 2), "code").commit(),
        "a value is taken before it is given up",
    );
    let nothing: Vec<(u32, String)> = Vec::new();
    let one = |code: &str| vec![(1, code.to_owned())];
    let expected = [nothing.clone(), nothing.clone(), one("a"), one("c"), one("b"), nothing];
    let found: Vec<_> = keys().iter().map(|key| held(store, key)).collect();
    same(&found, &expected, promise, INDEX);
    for taken in ["a", "b", "c"] {
        refused_whole(store, &keys(), Error::is_duplicate, "a value that changed hands is held by the new holder", || {
            of_six(&host, taken)
        });
    }
}

fn of_six(host: &Attributes<&Store>, code: &str) -> crate::Result<crate::Receipt> {
    host.batch().set(("customer", 6), "code", code.to_owned()).commit()
}

/// Equal is equal to the last character: no collation, no prefix; 1.5 and 1.50 are one.
pub fn unique_values_are_compared_exactly(store: &Store) {
    let promise = "unique values are equal if they are the same to the last character, and decimals if they are the same number";
    let host = with_code(store);
    let long = |end: &str| format!("{}{end}", "x".repeat(4095));
    let texts: Vec<String> =
        ["a", "A", "a ", " a", "á", "a\u{301}", "ß", "ss", "", " ", "1", "01", "1.0"].map(str::to_owned).into();
    let texts: Vec<String> = texts
        .into_iter()
        .chain([long("1"), long("2"), long(""), "😀".repeat(4096), format!("{}🎉", "😀".repeat(4095))])
        .collect();
    let batch =
        texts.iter().zip(1i64..).fold(host.batch(), |batch, (text, id)| batch.set(("customer", id), "code", text.as_str()));
    must(batch.commit(), promise);
    for text in &texts {
        refused_whole(store, &[], Error::is_duplicate, promise, || typed(&host, "customer").set(999, "code", text.as_str()));
    }
    let of = typed(&host, "price");
    must(of.define(DefinitionSpec::decimal("amount").unique()), "a definition is made");
    must(of.set_text(1, "amount", "1.50"), "a value is set");
    refused_whole(store, &[], Error::is_duplicate, promise, || of.set_text(2, "amount", "1.5"));
    must(of.set_text(2, "amount", "1.51"), "another value is free");
    must(of.set_text(3, "amount", "0.0000000000000000000000000001"), "another value is free");
    must(of.set_text(4, "amount", "0"), "another value is free");
    refused_whole(store, &[], Error::is_duplicate, promise, || of.set_text(5, "amount", "-0.00"));
}

/// Turning the rule on over duplicates is refused; once they are gone it holds for what was there before.
pub fn unique_can_be_turned_on(store: &Store) {
    let promise = "the unique rule is turned on only where values differ, and then holds for those that were there before";
    let host = with_code(store);
    let of = typed(&host, "customer");
    for (id, value) in [(1, "x"), (2, "y"), (3, "x")] {
        must(of.set(id, "free", value), "a value is set");
    }
    let on = || host.batch().alter("customer", "free", DefinitionSpec::unique);
    let error = refused_whole(store, &keys(), Error::is_duplicate, promise, || on().commit());
    same(&error.violations().iter().map(|found| found.rule).collect::<Vec<_>>(), &[Rule::Unique], promise, PLAN);
    let with_another = || on().set(("customer", 3), "free", "z").set(("customer", 4), "free", "y").commit();
    refused_whole(store, &keys(), Error::is_duplicate, promise, with_another);
    must(
        on().set(("customer", 3), "free", "z").set(("customer", 4), "free", "w").commit(),
        "duplicates are repaired in the same batch",
    );
    for value in ["x", "y", "z", "w"] {
        refused_whole(store, &keys(), Error::is_duplicate, promise, || of.set(5, "free", value));
    }
    must(of.set(5, "free", "v"), "another value is free");
}

/// Off and on again: what happened in between counts.
pub fn unique_can_be_turned_off_and_on(store: &Store) {
    let promise = "the unique rule can be turned off and on again, and then knows what was written in between";
    let host = with_code(store);
    let of = typed(&host, "customer");
    must(of.set(1, "code", "x").and(of.set(2, "code", "y")), "values are set");
    must(of.alter("code", off), "the rule is turned off");
    must(of.set(3, "code", "x"), "a value is set twice while the rule is off");
    must(of.set(2, "code", "gone by now"), "a value is replaced while the rule is off");
    let on = || host.batch().alter("customer", "code", DefinitionSpec::unique).commit();
    refused_whole(store, &keys(), Error::is_duplicate, promise, on);
    must(of.clear(1, "code"), "a value is cleared while the rule is off");
    must(on(), promise);
    refused_whole(store, &keys(), Error::is_duplicate, promise, || of.set(4, "code", "x"));
    must(of.set(4, "code", "y"), "a value that was given up while the rule was off is free");
    let x = Value::from("x");
    let holders = must(snapshot(store).holders(&[(DefinitionId::new(1), &x)]), "holders are looked up");
    same(&holders, &[Some(Ordinal::new(3))], promise, INDEX);
    let flip = host.batch().alter("customer", "code", off).alter("customer", "code", |spec| spec.unique().description("again"));
    must(flip.commit(), "the rule is turned off and on in one batch");
    refused_whole(store, &keys(), Error::is_duplicate, promise, || of.set(5, "code", "y"));
}

/// A deleted definition holds nothing back, and a new one of its name starts empty.
pub fn a_deleted_definition_holds_nothing_back(store: &Store) {
    let promise = "values of a deleted definition hold nothing back";
    let host = with_code(store);
    let of = typed(&host, "customer");
    must(of.set(1, "code", "x"), "a value is set");
    must(of.delete_with_values("code"), "a definition is deleted");
    must(of.define(DefinitionSpec::string("code").unique()), "a definition is made");
    must(of.set(2, "code", "x"), promise);
    refused_whole(store, &keys(), Error::is_duplicate, promise, || of.set(1, "code", "x"));
    let anew = host.batch().delete_with_values("customer", "code").define("customer", DefinitionSpec::string("code").unique());
    must(anew.set(("customer", 3), "code", "x").commit(), "a definition is replaced by a new one in one batch");
    refused_whole(store, &keys(), Error::is_duplicate, promise, || of.set(2, "code", "x"));
}
