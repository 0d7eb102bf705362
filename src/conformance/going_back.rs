//! Undo and restore: they return to a state that was valid then, whatever the rules of today ask of it.

use crate::attributes::{Attributes, BatchBuilder};
use crate::conformance::Store;
use crate::conformance::support::{
    PLAN, WHOLE, customer, held, holds, host, must, optional, refused, refused_whole, same, snapshot, sound, there, typed,
};
use crate::error::{Error, Result, Rule};
use crate::model::{CommitId, DataType, DefinitionSpec, Value};
use crate::store::Receipt;

fn commit_of(receipt: Result<Receipt>, doing: &str) -> CommitId {
    there(must(receipt, doing).commit, doing)
}

fn undo(host: &Attributes<&Store>, commit: CommitId) -> Result<Receipt> {
    let batch = host.undo(commit)?;
    let (checked, done) = (batch.check(), batch.commit());
    same(&checked.is_ok(), &done.is_ok(), "a check answers what the commit answers", PLAN);
    done
}

/// An entity that a commit created is gone when the commit is undone, with its required values.
pub fn what_a_commit_created_is_undone(store: &Store) {
    const ALL: i64 = 2100;
    let promise = "undoing a commit removes the entities that it created, with their required values";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("must").required(), DefinitionSpec::integer("n")]), "definitions are made");
    must(of.save(0, [("must", "stays")]), "an entity is there before");
    let import = (1..=ALL).fold(host.batch(), |batch, id| batch.save(("customer", id), [("must", id.to_string())]));
    let import = commit_of(import.commit(), "many entities are created");
    must(undo(&host, import), "the commit is undone");
    same(&must(snapshot(store).count(of.entity_type()), "entities are counted"), &1, promise, WHOLE);
    same(&held(store, &customer(0)), &[(1, "stays")], "others are left alone", WHOLE);
    sound(store, WHOLE);
}

/// An entity goes back to before a rule, and to before it was there; one that is gone comes back without what is required now.
pub fn an_entity_goes_back_to_what_it_was(store: &Store) {
    let promise = "an entity is restored to what it was, also where it was not there or the rules of today ask for more";
    let host = host(store);
    let of = typed(&host, "customer");
    let before = commit_of(of.define(DefinitionSpec::string("a")).map(|_| ()).and_then(|()| of.set(9, "a", "x")), "a set");
    let first = commit_of(of.set(1, "a", "one"), "an entity is created");
    must(of.define(DefinitionSpec::string("must").required()), "a rule is made");
    must(host.batch().set(("customer", 1), "a", "two").set(("customer", 1), "must", "m").commit(), "it is changed");
    let nothing: [(); 0] = [];
    must(must(host.restore_entity(customer(1), first), "it is found").commit(), "it goes back to before the rule");
    same(&held(store, &customer(1)), &[(1, "one")], promise, WHOLE);
    must(must(host.restore_entity(customer(1), before), "it is found").commit(), "it goes back to before it was there");
    same(&held(store, &customer(1)), &nothing, promise, WHOLE);
    must(must(host.restore_entity(customer(1), first), "it is found").commit(), "it comes back");
    same(&held(store, &customer(1)), &[(1, "one")], promise, WHOLE);
    let gone = commit_of(of.remove(1), "it is removed");
    must(undo(&host, gone), "its removal is undone");
    same(&held(store, &customer(1)), &[(1, "one")], promise, WHOLE);
    let id = there(must(of.details(1), "an entity is read").pop(), "it holds a value").id;
    must(of.alter("a", DefinitionSpec::required), "a rule is made");
    must(must(host.restore_value(id, before), "it is found").commit(), "a required value goes back to none");
    same(&held(store, &customer(1)), &nothing, promise, WHOLE);
    sound(store, WHOLE);
}

/// No rule but unique stands against a value that is restored.
pub fn rules_do_not_bind_what_is_restored(store: &Store) {
    let promise = "a restored value is not held against rules, but unique values stay unique";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::integer("n"), DefinitionSpec::string("code"), DefinitionSpec::string("text")]), "1");
    let all = |n: i64, code: &str, text: &str| {
        let batch = host.batch().set(("customer", 1), "n", n).set(("customer", 1), "code", code);
        batch.set(("customer", 1), "text", text).commit()
    };
    let then = commit_of(all(5, "x", "long text"), "2: values are set");
    must(all(50, "y", "t"), "3: they are changed");
    let rules =
        host.batch()
            .alter("customer", "n", |spec| spec.minimum(10).choices([50, 60]))
            .alter("customer", "text", |spec| spec.maximum_chars(3).pattern("[a-z]+"));
    must(rules.commit(), "4: rules are made");
    must(of.alter("code", DefinitionSpec::unique), "5: a rule is made");
    let restored = || host.restore_entity(customer(1), then).and_then(BatchBuilder::commit);
    must(of.set(2, "code", "x"), "6: another takes the value");
    let error = refused_whole(store, &[customer(1), customer(2)], Error::is_duplicate, promise, restored);
    let says_who = error.violations().iter().all(|violation| violation.rule == Rule::Unique && violation.limit == "customer/2");
    holds(says_who, "the violation names the holder", PLAN);
    must(of.set(2, "code", "z"), "7: and lets it go");
    must(restored(), "8: the entity is restored");
    same(&held(store, &customer(1)), &[(1, "5"), (2, "x"), (3, "long text")], promise, WHOLE);
    refused(of.set(3, "n", 5), Error::is_invalid, "writing is bound by the rules still", PLAN);
    sound(store, WHOLE);
}

/// A value goes back to a definition of another type if it is exactly one of that type.
pub fn values_go_back_across_types(store: &Store) {
    let promise = "a restored value is converted to the present type, or refused with the reason";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::integer("to text"), DefinitionSpec::string("to number")]), "1");
    let then =
        commit_of(host.batch().set(("customer", 1), "to text", 5).set(("customer", 2), "to number", "a dozen").commit(), "2");
    must(host.batch().set(("customer", 1), "to text", 6).set(("customer", 2), "to number", "12").commit(), "3");
    must(of.change("to text", |spec| spec.of_type(DataType::String)).apply(), "4: a type changes");
    must(of.change("to number", |spec| spec.of_type(DataType::Integer)).apply(), "5: a type changes");
    must(must(host.restore_entity(customer(1), then), "it is found").commit(), "it is restored");
    same(&must(of.get::<Value>(1, "to text"), "a value is read"), &Some(Value::from("5")), promise, WHOLE);
    let inexact = |error: &Error| {
        let [violation] = error.violations() else { return false };
        let names_it = violation.attribute.as_deref() == Some("to number") && violation.found == "a dozen";
        names_it && violation.entity == Some(customer(2))
    };
    let restored = || host.restore_entity(customer(2), then).and_then(BatchBuilder::commit);
    refused_whole(store, &[customer(2)], inexact, promise, restored);
    same(&must(of.get::<i64>(2, "to number"), "a value is read"), &Some(12), promise, WHOLE);
    sound(store, WHOLE);
}

/// Definitions go back together: names that changed hands, definitions that one commit made and deleted, and their values.
pub fn definitions_go_back_together(store: &Store) {
    let promise = "undoing a commit takes all its definitions back at once, with the names that they had";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("a"), DefinitionSpec::string("b"), DefinitionSpec::string("c")]), "1");
    must(of.save(1, [("a", "1"), ("b", "2"), ("c", "3")]), "2");
    let exchange = host.batch().alter("customer", "a", |spec| spec.named("t")).alter("customer", "b", |spec| spec.named("a"));
    let exchange = exchange.alter("customer", "t", |spec| spec.named("b")).delete_with_values("customer", "c");
    let exchange = exchange.define("customer", DefinitionSpec::integer("C").required().used_by("billing"));
    let exchange = exchange.set(("customer", 1), "C", 4).set(("customer", 2), "C", 5);
    let exchange = commit_of(exchange.commit(), "3: names are exchanged");
    same(&held(store, &customer(1)), &[(1, "1"), (2, "2"), (4, "4")], "a batch is done", WHOLE);
    must(undo(&host, exchange), "4: it is undone");
    let entity = there(must(of.entity(1), "an entity is read"), promise);
    let held: Vec<_> = entity.iter().map(|(definition, value)| (definition.name().to_string(), value.to_string())).collect();
    same(&held, &[("a", "1"), ("b", "2"), ("c", "3")], promise, WHOLE);
    holds(must(of.entity(2), "an entity is read").is_none(), promise, WHOLE);
    sound(store, WHOLE);
}

/// Violations of going back use the names that the host knows.
pub fn what_cannot_go_back_is_named(store: &Store) {
    let promise = "a refused undo names attributes as they are defined";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.define(DefinitionSpec::integer("limit").maximum(10)), "1");
    let made =
        host.batch().define("customer", DefinitionSpec::string("x").required()).define("customer", DefinitionSpec::string("y"));
    let made = made.alter("customer", "limit", |spec| spec.maximum(100));
    let made = commit_of(made.set(("customer", 1), "x", "x1").set(("customer", 1), "y", "y1").commit(), "2");
    must(of.set(2, "y", "y2").map(drop).or_else(|_| of.save(2, [("x", "x2"), ("y", "y2")]).map(drop)), "3: others use them");
    must(of.save(3, [("x", Value::from("x3")), ("limit", Value::from(50))]), "4: another value is set");
    let names = |error: &Error| {
        let mut names: Vec<_> = error.violations().iter().filter_map(|violation| violation.attribute.clone()).collect();
        names.sort_unstable();
        names == ["limit", "x", "y"] && !error.to_string().contains('~')
    };
    refused_whole(store, &[customer(1), customer(2), customer(3)], names, promise, || undo(&host, made));
    must(of.alter("x", optional), "5: a rule is taken back");
    let superseded = |error: &Error| error.violations().iter().any(|violation| violation.rule == Rule::Superseded);
    refused(undo(&host, made), superseded, promise, PLAN);
}

/// A definition goes back to rules that values broke then, because they were there before: that state was valid.
pub fn values_that_stood_may_stay(store: &Store) {
    let promise = "undoing a change of rules refuses values that were set since, and no value that stood before";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.define(DefinitionSpec::integer("n")), "1");
    let then = commit_of(of.set(1, "n", 50), "2");
    must(of.set(1, "n", 5), "3");
    must(of.alter("n", |spec| spec.maximum(10)), "4");
    must(must(host.restore_entity(customer(1), then), "it is found").commit(), "5: a value comes back over the maximum");
    let loosened = must(of.alter("n", |spec| spec.maximum(100)), "6").modified().commit;
    must(undo(&host, loosened), "7: the rule goes back");
    same(&held(store, &customer(1)), &[(1, "50")], promise, WHOLE);
    let loosened = must(of.change("n", |spec| spec.maximum(100)).apply(), "8").commit;
    must(of.set(2, "n", 70), "9: a value is set");
    let only_this = |error: &Error| matches!(error.violations(), [violation] if violation.entity == Some(customer(2)));
    let undone = || undo(&host, loosened.unwrap_or_default());
    refused_whole(store, &[customer(1), customer(2)], only_this, promise, undone);
}
