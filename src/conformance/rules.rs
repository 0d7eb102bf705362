//! Required and default values, as the store keeps to them.

use crate::conformance::Store;
use crate::conformance::support::{
    PLAN, WHOLE, customer, held, holds, host, must, optional, refused, refused_whole, same, snapshot, typed,
};
use crate::error::{Error, Rule};
use crate::model::{DefinitionId, DefinitionSpec, Value};

/// A required value cannot be cleared, moved away or left out of a save; removing the whole entity is no such thing.
pub fn required_values_stay(store: &Store) {
    let promise = "a required value is not cleared, not moved away, and not left out when an entity is saved whole";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("a").required(), DefinitionSpec::string("b")]), "definitions are made");
    must(of.alter("a", optional), "a rule is turned off");
    must(of.set(2, "b", "y"), "an entity is written in part");
    must(of.alter("a", DefinitionSpec::required), "and on again");
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

/// The batch that creates an entity gives what is required, in whatever order; entities that were there may lack it.
pub fn new_entities_have_what_is_required(store: &Store) {
    let promise = "the batch that creates an entity gives every required value, by whatever change";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure(["a", "b", "c"].map(DefinitionSpec::string)), "definitions are made");
    must(of.set(1, "a", "before the rule"), "an entity is created");
    must(of.alter("c", DefinitionSpec::required), "a rule is made");
    let keys = [customer(1), customer(2), customer(3)];
    let missing = |error: &Error| {
        let [violation] = error.violations() else { return false };
        violation.rule == Rule::Required && violation.attribute.as_deref() == Some("c") && violation.entity == Some(customer(2))
    };
    refused_whole(store, &keys, missing, promise, || of.set(2, "a", "x"));
    refused_whole(store, &keys, missing, promise, || of.set_text(2, "a", "x"));
    refused_whole(store, &keys, missing, promise, || of.save(2, [("a", "x")]));
    refused_whole(store, &keys, missing, promise, || {
        host.batch().set(("customer", 2), "b", "x").move_value(("customer", 2), "b", "a").commit()
    });
    refused_whole(store, &keys, missing, promise, || {
        host.batch().set(("customer", 2), "a", "x").set(("customer", 2), "c", "y").clear(("customer", 2), "c").commit()
    });
    refused_whole(store, &keys, missing, promise, || {
        host.batch().save(("customer", 3), [("c", "z")]).set(("customer", 2), "a", "x").commit()
    });
    let checked = host.batch().set(("customer", 2), "a", "x").check();
    refused(checked, missing, "a check answers what the commit answers", PLAN);
    must(of.set(1, "b", "x"), "an entity that was there is changed otherwise");
    must(host.batch().set(("customer", 2), "a", "x").set(("customer", 2), "c", "y").commit(), "the rule is met behind");
    must(host.batch().clear(("customer", 2), "c").set(("customer", 2), "c", "z").commit(), "a value is replaced");
    let again = || host.batch().remove(("customer", 2)).set(("customer", 2), "a", "x").commit();
    refused_whole(store, &keys, missing, "an entity that goes on keeps what is required", again);
    let all = host.batch().clear(("customer", 2), "c").set(("customer", 2), "c", "w").remove(("customer", 2));
    must(all.commit(), "an entity is removed, whatever was done to it before");
    refused_whole(store, &keys, missing, "an entity that was removed is created again", || of.set(2, "a", "x"));
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
    must(
        host.batch().alter("customer", "a", optional).clear(("customer", 2), "a").commit(),
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
