//! Required and default values, as the store keeps to them.

use crate::conformance::Store;
use crate::conformance::support::{PLAN, WHOLE, customer, held, holds, host, must, refused_whole, same, snapshot, typed};
use crate::error::Error;
use crate::model::{DefinitionId, DefinitionSpec, Value};

/// A required value cannot be cleared, moved away or left out of a save; removing the whole entity is no such thing.
pub fn required_values_stay(store: &Store) {
    let promise = "a required value is not cleared, not moved away, and not left out when an entity is saved whole";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("a").required(), DefinitionSpec::string("b")]), "definitions are made");
    must(of.set(2, "b", "y"), "an entity is written in part");
    must(of.set(1, "a", "x"), "a value is set");
    let keys = [customer(1), customer(2), customer(3)];
    refused_whole(store, &keys, Error::is_invalid, promise, || of.clear(1, "a"));
    refused_whole(store, &keys, Error::is_invalid, promise, || of.move_value(1, "a", "b"));
    refused_whole(store, &keys, Error::is_invalid, promise, || of.save(1, [("b", "z")]));
    refused_whole(store, &keys, Error::is_invalid, promise, || of.save(3, [("b", "z")]));
    must(of.clear(2, "a"), "what is not there is cleared");
    must(of.set(1, "a", "w"), "a required value is replaced");
    must(of.remove(1), "an entity is removed with its required values");
}

/// Required from one commit on: what was written before may lack it, what is written after may not lose it.
pub fn required_can_be_turned_on_and_off(store: &Store) {
    let promise = "a definition is required from the commit that says so to the one that takes it back";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("a"), DefinitionSpec::string("b")]), "definitions are made");
    must(of.set(1, "b", "without"), "a value is set");
    must(of.set(2, "a", "with"), "a value is set");
    must(of.alter("a", DefinitionSpec::required), "a rule is turned on while an entity lacks the value");
    refused_whole(store, &[customer(2)], Error::is_invalid, promise, || of.clear(2, "a"));
    let off = |mut spec: DefinitionSpec| {
        spec.rules.required = false;
        spec
    };
    must(
        host.batch().alter("customer", "a", off).clear(("customer", 2), "a").commit(),
        "a rule is turned off and used in one batch",
    );
    let nothing: [(); 0] = [];
    same(&held(store, &customer(2)), &nothing, promise, PLAN);
}

/// A default is read where nothing is stored, and stored nowhere.
pub fn defaults_are_read_and_not_stored(store: &Store) {
    let promise = "a default is read where nothing is stored, and stored nowhere";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::integer("limit").default_value(1000), DefinitionSpec::string("b")]), "definitions are made");
    let read = |id: i64| must(of.get::<i64>(id, "limit"), "a value is read");
    must(of.set(1, "b", "x"), "a value is set");
    same(&(read(1), read(2)), &(Some(1000), Some(1000)), promise, WHOLE);
    same(&held(store, &customer(1)), &[(2, "x")], promise, WHOLE);
    same(&must(snapshot(store).usage(DefinitionId::new(1)), "uses are counted"), &0, promise, WHOLE);
    must(of.set(2, "limit", 1000), "a value is set that equals the default");
    same(&held(store, &customer(2)), &[(1, "1000")], "a stored value that equals the default is stored", WHOLE);
    must(of.alter("limit", |spec| spec.default_value(5)), "a default is changed");
    same(&(read(1), read(2)), &(Some(5), Some(1000)), promise, WHOLE);
    let asked = [(DefinitionId::new(1), &Value::Integer(5))];
    holds(must(snapshot(store).holders(&asked), "holders are looked up")[0].is_none(), promise, WHOLE);
}
