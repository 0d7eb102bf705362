//! Cursors: a page goes on where the one before it ended, or says that it cannot.

use crate::attributes::{Attributes, AttributesOf, Cursor, Query};
use crate::conformance::Store;
use crate::conformance::support::{PLAN, commit, host, must, refused, same, there, typed};
use crate::error::{Error, Rule};
use crate::filter::{Filter, attr};
use crate::model::{DataType, DefinitionSpec, Outcome};
use crate::store::{Direction, Offending};

const ADVICE: &str = "answer the catalog of the snapshot's own instant, and find by what it says";

type Of<'a, 's> = AttributesOf<'a, &'s Store>;

/// Six customers with numbers whose order as texts is another.
fn six(store: &Store, n: DefinitionSpec) -> Attributes<&Store> {
    let host = host(store);
    let other = DefinitionSpec::new("other", n.data_type);
    must(typed(&host, "customer").ensure([n, other, DefinitionSpec::string("tier")]), "definitions are made");
    for (id, n) in (1..).zip(["9", "10", "2", "100", "30", "1"]) {
        let batch = host.batch().set_text(("customer", id), "n", n).set(("customer", id), "tier", "basic");
        must(batch.commit(), "values are set");
    }
    host
}

/// The ways to page: by first writing under a filter, by the values of a broad filter, of a narrow one, and of all.
fn ways(n: &str) -> Vec<Query> {
    let by = |query: Query| query.order_by(n, Direction::Ascending).limit(2);
    vec![
        Query::new(attr(n).exists()).limit(2),
        Query::new(attr(n).exists() & attr("tier").eq("basic")).limit(2),
        by(Query::all()),
        by(Query::new(attr("tier").eq("basic"))),
        by(Query::new(attr("tier").eq("basic"))).order_by("tier", Direction::Descending),
    ]
}

/// The cursor of the first page, the same whether entities or keys are read.
fn first(of: &Of<'_, '_>, query: &Query) -> Cursor {
    let page = must(of.find(query.clone()), "a page is found");
    let keys = must(of.find_keys(query.clone()), "keys are found");
    same(&keys.next, &page.next, "a page of keys ends where the page ends", ADVICE);
    there(page.next, "there are more pages")
}

fn is_cursor(error: &Error) -> bool {
    matches!(error.violations(), [violation] if violation.rule == Rule::Cursor) && error.to_string().contains("without a cursor")
}

fn is_refused(of: &Of<'_, '_>, query: &Query, promise: &str) {
    refused(of.find(query.clone()).map(|page| page.entities.len()), is_cursor, promise, ADVICE);
    refused(of.find_keys(query.clone()), is_cursor, promise, ADVICE);
    refused(of.explain(query.clone()), is_cursor, promise, ADVICE);
}

/// All ids from a page on, each page of keys like the page of entities.
fn rest(of: &Of<'_, '_>, mut query: Query) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..10 {
        let page = must(of.find(query.clone()), "the next page is found");
        let keys = must(of.find_keys(query.clone()), "the next page is found");
        same(&keys.next, &page.next, "a page of keys ends where the page ends", ADVICE);
        ids.extend(keys.keys.iter().map(|key| key.id().to_string()));
        match page.next {
            Some(next) => query = query.after(next),
            None => break,
        }
    }
    ids
}

fn change(of: &Of<'_, '_>, n: &str, data_type: DataType) {
    must(of.change(n, |spec| spec.of_type(data_type)).apply(), "an attribute gets another type");
}

/// Where an attribute of the filter or of the order has another type, or is another, a cursor of before is refused.
pub fn a_cursor_ends_with_what_it_meant(store: &Store) {
    let promise = "a cursor is refused once an attribute of its query has another type, or is another";
    let host = six(store, DefinitionSpec::integer("n"));
    let of = typed(&host, "customer");
    let types = [DataType::String, DataType::Integer, DataType::Decimal, DataType::Integer, DataType::String, DataType::Decimal];
    for data_type in types {
        let cursors: Vec<_> = ways("n").into_iter().map(|query| (first(&of, &query), query)).collect();
        change(&of, "n", data_type);
        for (cursor, query) in cursors {
            is_refused(&of, &query.clone().after(cursor), promise);
            let again = rest(&of, query.clone());
            same(&again.len(), &6, "without a cursor, every entity is on one page", ADVICE);
        }
    }

    let cursors: Vec<_> = ways("n").into_iter().map(|query| (first(&of, &query), query)).collect();
    must(of.delete_with_values("n"), "a definition is deleted");
    for (cursor, query) in &cursors {
        refused(of.find_keys(query.clone().after(cursor.clone())), Error::is_not_found, promise, ADVICE);
    }
    must(of.define(DefinitionSpec::decimal("n")), "another is made with its name");
    for (id, n) in (1..).zip(["9", "10", "2", "100", "30", "1"]) {
        must(of.set_text(id, "n", n), "a value is set");
    }
    for (cursor, query) in &cursors {
        is_refused(&of, &query.clone().after(cursor.clone()), promise);
    }

    // What is merged into another is gone; the other means what it meant, under whichever name.
    let cursors: Vec<_> = ways("n").into_iter().map(|query| (first(&of, &query), query)).collect();
    change(&of, "other", DataType::Decimal);
    must(of.plan().merge("n", "other").apply(), "attributes are merged");
    must(of.rename("other", "n"), "the other gets the name");
    for (cursor, query) in &cursors {
        is_refused(&of, &query.clone().after(cursor.clone()), promise);
    }
    let others: Vec<_> = ways("n").into_iter().map(|query| (rest(&of, query.clone()), first(&of, &query), query)).collect();
    must(of.define(DefinitionSpec::decimal("late")), "a definition is made");
    must(of.set(1, "late", rust_decimal::Decimal::ONE), "a value is set");
    must(of.plan().merge("late", "n").apply_with(Offending::Clear), "another is merged into it");
    for (all, cursor, query) in others {
        same(&rest(&of, query.after(cursor)), &all[2..].to_vec(), "a cursor goes on where its attributes are the same", ADVICE);
    }
}

/// A new name, other rules and other words leave the order as it is: a cursor goes on, with the new name in the query.
pub fn a_cursor_outlives_a_rename(store: &Store) {
    let promise = "a cursor goes on after a rename, other rules and another description";
    let host = six(store, DefinitionSpec::integer("n"));
    let of = typed(&host, "customer");
    let before: Vec<_> = ways("n").into_iter().map(|query| (rest(&of, query.clone()), first(&of, &query))).collect();
    must(of.rename("n", "Größe"), "a definition is renamed");
    must(of.alter("größe", |spec| spec.minimum(0).description("How many.")), "a definition is changed");
    for ((all, cursor), query) in before.into_iter().zip(ways("GRÖSSE")) {
        same(&rest(&of, query.after(cursor)), &all[2..].to_vec(), promise, ADVICE);
    }
    // A name that is given to another attribute is that attribute.
    let cursors: Vec<_> = ways("Größe").into_iter().map(|query| first(&of, &query)).collect();
    let swap = host
        .batch()
        .alter("customer", "größe", |spec| spec.named("aside"))
        .alter("customer", "other", |spec| spec.named("Größe"));
    must(swap.alter("customer", "aside", |spec| spec.named("other")).commit(), "names are exchanged");
    for (cursor, query) in cursors.into_iter().zip(ways("Größe")) {
        is_refused(&of, &query.after(cursor), "the name of another attribute makes another query");
    }
}

/// A cursor knows the values of its filter by their types.
pub fn a_cursor_knows_its_filter(store: &Store) {
    let promise = "a cursor belongs to one filter, as it is bound";
    let host = six(store, DefinitionSpec::integer("n"));
    let of = typed(&host, "customer");
    let parse = |text: &str| must(Filter::parse(text), "a filter is read");
    let texts = [
        "n > 0",
        "n >= 1",
        "n in (1, 2, 9, 10, 30, 100)",
        "n between 1 and 100",
        "not n = 0",
        "n != 0",
        "n exists",
        "n > 0 or n < 0",
    ];
    for text in texts {
        let cursor = first(&of, &Query::new(parse(text)).limit(2));
        for other in texts {
            let query = Query::new(parse(other)).limit(3).after(cursor.clone());
            if text == other {
                same(&rest(&of, query).len(), &4, promise, ADVICE);
            } else {
                is_refused(&of, &query, promise);
            }
        }
        is_refused(&typed(&host, "person"), &Query::all().after(cursor), "a cursor belongs to one entity type");
    }
    // What changes nothing of the definitions changes nothing of a cursor.
    let query = Query::new(parse("n > 0")).limit(2);
    let cursor = first(&of, &query);
    let same_again = must(of.ensure([DefinitionSpec::integer("n")]), "a service starts again");
    same(&same_again[0].outcome, &Outcome::Unchanged, "what is there stays", PLAN);
    must(commit(store, []), "an empty batch is committed");
    same(&rest(&of, query.after(cursor)).len(), &4, promise, ADVICE);
}
