//! Value ids: stable, small, and the way back to the entity.

use crate::conformance::Store;
use crate::conformance::support::{ORDER, WHOLE, customer, holds, host, key, must, refused, same, snapshot, there, typed};
use crate::error::Error;
use crate::model::{DefinitionId, DefinitionSpec, Ordinal, Value, ValueId};

fn define(store: &Store) {
    let specs = [DefinitionSpec::string("a"), DefinitionSpec::string("b")];
    must(typed(&host(store), "customer").ensure(specs), "definitions are made");
    must(typed(&host(store), "person").define(DefinitionSpec::string("a")), "a definition is made");
}

/// A value keeps its id while it changes, is cleared and set again, and while its definition is renamed.
pub fn value_ids_are_stable(store: &Store) {
    let promise = "the id of an entity's value of a definition never changes";
    define(store);
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.set(5, "a", "other entity"), "a value is set");
    let first = must(of.set(1, "a", "x"), "a value is set").changes[0].value;
    same(&first.map(ValueId::get), &Some((2 << 20) + 1), promise, WHOLE);
    must(of.set(1, "a", "y"), "a value is replaced");
    must(of.rename("a", "c"), "a definition is renamed");
    must(of.clear(1, "c"), "a value is cleared");
    must(of.remove(5), "another entity is removed");
    let again = must(of.set(1, "c", "z"), "a value is set again").changes[0].value;
    same(&again, &first, promise, WHOLE);
    let detail = there(must(host.value(there(again, promise)), "a value is read by its id"), promise);
    same(&(detail.entity, detail.value), &(customer(1), Value::from("z")), promise, WHOLE);
}

/// Ordinals find their entities, in the order of the question, and none where there is none.
pub fn ordinals_find_their_entities(store: &Store) {
    let promise =
        "`locate` finds an entity by its ordinal, whatever its type; an emptied one as well; none for a number not given out";
    define(store);
    let host = host(store);
    for id in 1..=4 {
        must(typed(&host, "customer").set(id, "a", "x"), "a value is set");
        must(typed(&host, "person").set(id, "a", "y"), "a value is set");
    }
    must(typed(&host, "person").remove(2), "an entity is removed");
    let asked = [7, 2, 4, 0, 2, 8, 9, u32::MAX, 1].map(Ordinal::new);
    let found = must(snapshot(store).locate(&asked), "entities are located");
    let found: Vec<_> = found.iter().map(|record| record.as_ref().map(|record| record.key())).collect();
    let person = |id: i64| Some(key("person", id));
    let expected = [Some(customer(4)), person(1), person(2), None, person(1), person(4), None, None, Some(customer(1))];
    same(&found, &expected, promise, ORDER);
    let nothing: [(); 0] = [];
    same(&must(snapshot(store).locate(&[]), "nothing is located"), &nothing, promise, ORDER);
}

/// A value is read, replaced and cleared by its id.
pub fn values_are_changed_by_their_ids(store: &Store) {
    let promise = "a value is read, replaced and cleared by its id, until it is gone";
    define(store);
    let host = host(store);
    let receipt = must(host.batch().set(("customer", 1), "a", "x").set(("customer", 1), "b", "y").commit(), "values are set");
    must(typed(&host, "customer").alter("b", DefinitionSpec::required), "a rule is made");
    let (a, b) = (there(receipt.changes[0].value, promise), there(receipt.changes[1].value, promise));
    must(host.set_value(a, "z"), promise);
    same(&must(typed(&host, "customer").get::<String>(1, "a"), "a value is read"), &Some("z"), promise, WHOLE);
    must(host.clear_value(a), promise);
    holds(must(host.value(a), "a value is read by its id").is_none(), promise, WHOLE);
    let gone = "a value that is gone is not found by its id";
    refused(host.set_value(a, "w"), Error::is_not_found, gone, WHOLE);
    refused(host.clear_value(a), Error::is_not_found, gone, WHOLE);
    refused(host.clear_value(b), Error::is_invalid, "a required value is not cleared by its id", WHOLE);
    same(&must(host.value(b), "a value is read by its id").map(|detail| detail.value), &Some(Value::from("y")), promise, WHOLE);
    let never = ValueId::of(Ordinal::new(77), DefinitionId::new(1));
    holds(must(host.value(never), "a value is read by an id that was never given out").is_none(), promise, WHOLE);
}
