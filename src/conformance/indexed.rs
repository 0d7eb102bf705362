//! What an index must not forget: long texts, attributes that come and go, and that it is made from the records alone.

use crate::attributes::Query;
use crate::conformance::Store;
use crate::conformance::plain::Plain;
use crate::conformance::reading::mixed;
use crate::conformance::support::{customer, entity_type, host, key, must, refused, same, snapshot, sound, typed};
use crate::error::Rule;
use crate::filter::{Filter, attr};
use crate::model::DefinitionSpec;
use crate::store::{BoundQuery, Direction, Snapshot, Wanted};

const BY_RECORDS: &str = "an index that keeps a part of a text only must look at the records of all that share the part";
const FROM_CHANGES: &str = "change the index with `RecordChange::ended` and `begun` in the transaction of the records; make it from all \
                            records when a definition becomes searchable, and drop it when it no longer is";

/// Texts are compared whole, in tests, in orders, in counts.
pub fn long_texts_are_told_apart(store: &Store) {
    let promise = "texts are found, ordered and counted by all of their characters, however long they are";
    let host = host(store);
    let customers = typed(&host, "customer");
    must(customers.ensure([DefinitionSpec::string("text"), DefinitionSpec::integer("n")]), "definitions are made");
    let long = "é".repeat(1000);
    let mut texts = vec![long.clone(), format!("{long}a"), format!("{long}b"), format!("{long}a"), "z".to_owned()];
    texts.extend([63, 64, 65, 127, 128, 129].map(|count| "é".repeat(count)));
    texts.extend([127, 128, 129, 255, 256, 257].map(|count| "e".repeat(count)));
    for (text, id) in texts.iter().zip(0i64..) {
        must(customers.set(id, "text", text.as_str()), "a long text is set");
        must(customers.set(id, "n", id % 3), "a value is set");
    }
    let (quick, plain) = (snapshot(store), Plain(snapshot(store)));
    let (catalog, of) = (must(quick.catalog(), "the catalog is read"), entity_type("customer"));
    let id = |name: &str| catalog.find(&of, name).map(|definition| definition.id()).unwrap_or_default();
    let text = || attr("text");
    let mut filters: Vec<Option<Filter>> = vec![None, Some(text().contains("éa")), Some(text().ends_with("éb"))];
    let sought = [format!("{long}aa"), "é".repeat(64), "é".repeat(65), "e".repeat(128), "e".repeat(129)];
    for sought in texts[..3].iter().chain(&sought).map(String::as_str) {
        let tests = [text().eq(sought), text().ne(sought), text().lt(sought), text().le(sought), text().gt(sought)];
        let more = [text().ge(sought), text().starts_with(sought), !text().eq(sought), text().eq_folded(sought.to_uppercase())];
        filters.extend(tests.into_iter().chain(more).map(Some));
        filters.push(Some(text().is_in([sought, "z"]) & attr("n").ge(1)));
        filters.push(Some(text().between("ee", sought) | attr("n").eq(2)));
    }
    for (filter, direction) in filters.into_iter().zip([Direction::Ascending, Direction::Descending].into_iter().cycle()) {
        let bound = filter.as_ref().map(|filter| must(filter.bind(&catalog, &of), "a filter is bound"));
        let wanted = Wanted { entity_type: of.clone(), filter: bound };
        let order = vec![(id("text"), direction), (id("n"), Direction::Descending)];
        let mut query = BoundQuery { wanted: wanted.clone(), order, after: None, limit: 4 };
        loop {
            let expected = must(plain.find(&query), "a page is found");
            same(&must(quick.find(&query), "a page is found"), &expected, promise, BY_RECORDS);
            let Some(last) = expected.records.last().filter(|_| expected.has_more) else { break };
            query.after = Some(query.rank(last));
        }
        let count = must(plain.count_wanted(&wanted), "entities are counted");
        same(&must(quick.count_wanted(&wanted), "entities are counted"), &count, promise, BY_RECORDS);
        let tally = must(plain.tally(&wanted, id("text")), "values are counted");
        same(&must(quick.tally(&wanted, id("text")), "values are counted"), &tally, promise, BY_RECORDS);
    }
}

/// An attribute that is not searchable is refused, and is found by as soon as it is.
pub fn what_is_not_searchable_is_refused(store: &Store) {
    let promise = "an attribute that is not searchable is refused by name; once it is, all that was ever set is found by it";
    let host = host(store);
    let customers = typed(&host, "customer");
    let specs = [DefinitionSpec::string("notes").searchable(false), DefinitionSpec::integer("n")];
    must(customers.ensure(specs), "definitions are made");
    for (id, note) in [(1, "a"), (2, "b"), (3, "a")] {
        must(customers.set(id, "notes", note), "a value is set");
    }
    let is_refused = || {
        let refuses = |error: &crate::Error| error.violations().iter().any(|violation| violation.rule == Rule::Searchable);
        let by_order = Query::all().order_by("NOTES", Direction::Ascending);
        refused(customers.find(attr("notes").eq("a")), refuses, promise, FROM_CHANGES);
        refused(customers.find(by_order), refuses, promise, FROM_CHANGES);
        refused(customers.count_found(attr("notes").not_exists()), refuses, promise, FROM_CHANGES);
        refused(customers.facets(None, "notes"), refuses, promise, FROM_CHANGES);
    };
    let found = |filter: Filter| {
        let page = must(customers.find(filter), promise);
        page.entities.iter().map(|entity| entity.key().id().to_string()).collect::<Vec<_>>()
    };
    let switch = |searchable: bool| {
        must(customers.alter("notes", move |spec| spec.searchable(searchable)), "a definition is changed");
    };
    is_refused();
    switch(true);
    same(&found(attr("notes").eq("a")), &["1", "3"], promise, FROM_CHANGES);
    must(customers.set(1, "notes", "b"), "a value is set");
    same(&found(attr("notes").eq("b")), &["1", "2"], promise, FROM_CHANGES);
    switch(false);
    is_refused();
    must(customers.set(3, "notes", "b"), "a value is set");
    must(customers.set(2, "n", 5), "a value is set");
    must(customers.clear(2, "notes"), "a value is cleared");
    // In one batch with values: they count, whether they come before or after it.
    let on = host.batch().set(customer(4), "notes", "c").alter("customer", "notes", |spec| spec.searchable(true));
    must(on.set(customer(5), "notes", "c").set(customer(1), "notes", "c").commit(), "a batch is committed");
    same(&found(attr("notes").eq("c")), &["1", "4", "5"], promise, FROM_CHANGES);
    same(&found(attr("notes").eq("b")), &["3"], promise, FROM_CHANGES);
    same(&found(!attr("notes").exists()), &["2"], promise, FROM_CHANGES);
    sound(store, FROM_CHANGES);
    let contradiction = customers.alter("notes", |spec| spec.searchable(false).unique());
    refused(contradiction, crate::Error::is_invalid, "a unique attribute is searchable", FROM_CHANGES);
}

/// Keys alone are those of the page.
pub fn keys_are_those_of_the_page(store: &Store) {
    let promise = "`find_keys` answers the keys of the page that `find` answers, and where it ends";
    mixed(store);
    let snapshot = snapshot(store);
    let catalog = must(snapshot.catalog(), "the catalog is read");
    let of = entity_type("customer");
    let orders = [vec![], catalog.of(&of).iter().take(2).map(|definition| (definition.id(), Direction::Descending)).collect()];
    for (order, limit) in orders.into_iter().flat_map(|order| [3, 1000].map(|limit| (order.clone(), limit))) {
        let mut query = BoundQuery { wanted: Wanted { entity_type: of.clone(), filter: None }, order, after: None, limit };
        loop {
            let found = must(snapshot.find(&query), "a page is found");
            let keys = must(snapshot.find_keys(&query), "the keys of a page are found");
            let expected: Vec<_> = found.records.iter().map(|record| record.key().clone()).collect();
            let end = found.records.last().filter(|_| found.has_more).map(|last| query.rank(last));
            same(&(&keys.keys, &keys.end), &(&expected, &end), promise, "leave `find_keys` to the trait, or ask both the same");
            if end.is_none() {
                break;
            }
            query.after = end;
        }
    }
}

/// After changes of every kind the index is what the records ask for.
pub fn a_sound_index_has_no_faults(store: &Store) {
    let host = mixed(store);
    sound(store, FROM_CHANGES);
    let (customers, persons) = (typed(&host, "customer"), typed(&host, "person"));
    let specs = [DefinitionSpec::string("code").unique(), DefinitionSpec::string("spare"), DefinitionSpec::date("gone")];
    must(customers.ensure(specs), "definitions are made");
    for id in 0..40i64 {
        must(customers.set(id, "code", format!("code {id}")), "a value is set");
        must(customers.set_text(id, "gone", "2026-01-31"), "a value is set");
    }
    let swap = host.batch().set(customer(1), "code", "code 2").set(customer(2), "code", "code 1");
    must(swap.move_value(customer(3), "code", "spare").commit(), "a batch is committed");
    must(customers.remove(4), "an entity is removed");
    must(customers.set(4, "code", "code 4"), "an entity comes back");
    must(customers.alter("code", |spec| spec.named("key")), "a definition is renamed");
    must(host.batch().delete_with_values("customer", "gone").commit(), "a definition is deleted with its values");
    must(persons.define(DefinitionSpec::boolean("gone")), "a definition is made");
    must(host.batch().set(key("person", 77), "gone", true).clear(key("person", 77), "gone").commit(), "a batch is committed");
    sound(store, FROM_CHANGES);
}
