//! Stores that outlive their process: what was acknowledged is there when the store is opened again.

use crate::conformance::definitions::rich_specs;
use crate::conformance::support::{
    customer, host, key, must, optional, parse, picture, refused, same, snapshot, typed, unchanged,
};
use crate::conformance::values::awkward_texts;
use crate::conformance::{Open, Store};
use crate::error::Error;
use crate::model::{DataType, DefinitionSpec, EntityKey, Limits, Value};

const ADVICE: &str = "write it down before `commit` returns, and read it back from there alone: a cache that was filled by the writer hides what \
                      the file lacks";

fn keys() -> Vec<EntityKey> {
    (1..=10).map(customer).chain([customer("007"), customer("Ünï 'x'"), key("person", 1)]).collect()
}

/// Everything of every kind.
fn fill(store: &Store) {
    let host = host(store);
    let of = typed(&host, "customer").by("ann");
    must(of.ensure(rich_specs()), "definitions are made");
    must(of.alter("plain", |spec| spec.named("Straße").unique()), "a definition is changed");
    must(of.alter("Tier 'of' \"support\"; --", optional), "a rule is taken back");
    must(typed(&host, "person").ensure(["a", "b", "last"].map(DefinitionSpec::string)), "definitions are made");
    must(typed(&host, "person").delete("last"), "the last definition is deleted");
    let batch = host.batch().by("bob").note("first").set(("customer", 1), "credit", parse(DataType::Decimal, "10.50"));
    let batch = batch.set(("customer", 1), "expiry", parse(DataType::Date, "0001-01-01")).set(("customer", 1), "level", i64::MIN);
    let batch = batch.set(("customer", "007"), "STRASSE", "x").set(("customer", "Ünï 'x'"), "active", true);
    must(batch.set(("person", 1), "a", "y").commit(), "values are set");
    must(host.batch().split("person", "a", "b").commit(), "values are split off");
    for text in awkward_texts() {
        must(of.set(2, "empty", text), "a value is replaced");
    }
    must(of.set(3, "count", 5).and(of.remove(3)), "an entity is written and removed");
    must(typed(&host, "person").remove(1), "an entity is removed");
    must(typed(&host, "person").alter("a", DefinitionSpec::required), "a rule is made");
}

/// The whole picture is the same after the store was closed and opened again, twice.
pub fn everything_is_there_again(open: Open<'_>) {
    let promise = "what was acknowledged is there when the store is opened again, to the last detail";
    let store = open();
    fill(&*store);
    let before = picture(&*snapshot(&*store), &keys());
    drop(store);
    for _ in 0..2 {
        unchanged(&before, &picture(&*snapshot(&*open()), &keys()), promise, ADVICE);
    }
}

/// Ids, ordinals, revisions and rules go on where they were.
pub fn it_goes_on_where_it_was(open: Open<'_>) {
    let promise =
        "a store that is opened again goes on where it was: commit ids, ordinals, definition ids, revisions, unique values";
    let store = open();
    fill(&*store);
    let marks = must(snapshot(&*store).marks(), "the marks are read");
    let next = must(store.catalog(), "the catalog is read").next_id();
    drop(store);
    let store = open();
    let host = host(&*store);
    let of = typed(&host, "customer");
    refused(of.set(8, "straße", "x"), Error::is_duplicate, "a unique value is taken after the store was opened again", ADVICE);
    let receipt = must(of.set(8, "straße", "z"), "a value is set");
    same(&receipt.commit.map(crate::CommitId::get), &Some(marks.commit.get() + 1), promise, ADVICE);
    let ordinal = receipt.changes[0].value.map(|id| id.ordinal().get());
    same(&ordinal, &Some(marks.ordinal.get() + 1), promise, ADVICE);
    same(&must(of.set(3, "count", 6), "an emptied entity is written").entities[0].revision.get(), &3, promise, ADVICE);
    let made = must(of.define(DefinitionSpec::string("another")), "a definition is made");
    same(&Some(made.id()), &next, promise, ADVICE);
    refused(of.set(9, "level", 7), Error::is_invalid, "rules hold after the store was opened again", ADVICE);
    let level =
        must(must(store.catalog(), "the catalog is read").resolve(of.entity_type(), "level"), "a definition is found").clone();
    let refused = level.bind(Value::Integer(7), &Limits::typed());
    same(&refused.is_err(), &true, "rules hold after the store was opened again", ADVICE);
}

/// A place where nothing was written is an empty store again.
pub fn nothing_is_there_again(open: Open<'_>) {
    let promise = "an empty store is empty when it is opened again";
    let before = picture(&*snapshot(&*open()), &keys());
    unchanged(&before, &picture(&*snapshot(&*open()), &keys()), promise, ADVICE);
}

/// A batch that was refused is not there when the store is opened again.
pub fn what_was_refused_is_not_there(open: Open<'_>) {
    let promise = "a batch that was refused is not there when the store is opened again";
    let store = open();
    fill(&*store);
    let before = picture(&*snapshot(&*store), &keys());
    let batch = host(&*store);
    let batch = batch.batch().define("customer", DefinitionSpec::string("n")).set(("customer", 9), "n", "x").set(
        ("customer", 9),
        "straße",
        "x",
    );
    refused(batch.commit(), Error::is_duplicate, "a unique value is held once", ADVICE);
    drop(store);
    unchanged(&before, &picture(&*snapshot(&*open()), &keys()), promise, ADVICE);
}
