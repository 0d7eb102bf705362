//! Pages, cursors and facets.

use std::collections::BTreeSet;

use custom_attributes::{Attributes, Cursor, DefinitionSpec, Direction, Error, Filter, MemoryStore, Query, Rule, Value, attr};
use rust_decimal::Decimal;

use crate::refusals::only;

/// Customers 1 to `count`: each with a number, every second with a tier.
fn store(count: i64) -> Attributes<MemoryStore> {
    let attributes = Attributes::new(MemoryStore::new());
    let specs = [DefinitionSpec::string("tier"), DefinitionSpec::integer("number"), DefinitionSpec::decimal("rate")];
    attributes.of("customer").expect("a type").ensure(specs).expect("definitions");
    let batch = (1..=count).fold(attributes.batch(), |batch, id| {
        let batch = batch.set(("customer", id), "number", id % 7);
        if id % 2 == 0 { batch.set(("customer", id), "tier", ["a", "b", "c"][id as usize % 3]) } else { batch }
    });
    batch.commit().expect("a commit");
    attributes
}

fn ids(entities: &[custom_attributes::Entity]) -> Vec<i64> {
    entities.iter().filter_map(|entity| entity.key().id().as_integer()).collect()
}

/// All ids of a query, a page at a time, as a host would turn the pages.
fn turned(attributes: &Attributes<MemoryStore>, mut query: Query) -> Vec<i64> {
    let customers = attributes.of("customer").expect("a type");
    let mut found = Vec::new();
    loop {
        let page = customers.find(query.clone()).expect("a page");
        assert!(page.entities.len() <= query.limit);
        found.extend(ids(&page.entities));
        let Some(next) = page.next else { return found };
        assert_eq!(page.entities.len(), query.limit, "a page that is not the last is full");
        // As it goes through a client and back.
        query = query.after(next.as_str().parse::<Cursor>().expect("a cursor"));
    }
}

#[test]
fn pages_follow_each_other_in_any_order() {
    let attributes = store(40);
    let of = |id: i64| (id % 2 == 0).then(|| ["a", "b", "c"][id as usize % 3]);
    let mut expected: Vec<i64> = (1..=40).collect();
    for limit in [1, 3, 20, 39, 40, 41] {
        assert_eq!(turned(&attributes, Query::all().limit(limit)), expected, "{limit}");
    }
    // Absent last in both directions, then the number, then the order of writing.
    for direction in [Direction::Ascending, Direction::Descending] {
        expected.sort_by(|a, b| {
            let tiers = match (of(*a), of(*b)) {
                (Some(a), Some(b)) => direction.turn(a.cmp(b)),
                (a, b) => b.is_some().cmp(&a.is_some()),
            };
            tiers.then((b % 7).cmp(&(a % 7))).then(a.cmp(b))
        });
        for limit in [1, 3, 20, 41] {
            let query = Query::all().order_by("TIER", direction).order_by("number", Direction::Descending).limit(limit);
            assert_eq!(turned(&attributes, query), expected, "{limit}");
        }
    }
}

#[test]
fn a_cursor_stays_right_while_others_write() {
    let attributes = store(30);
    let customers = attributes.of("customer").expect("a type");
    let query = Query::new(attr("number").ge(0)).order_by("number", Direction::Ascending).limit(10);
    let first = customers.find(query.clone()).expect("a page");
    let seen: BTreeSet<i64> = ids(&first.entities).into_iter().collect();
    // The last of the page goes, one of it moves behind, one behind moves before, and one is new.
    let last = *ids(&first.entities).last().expect("a last");
    customers.remove(last).expect("a removal");
    let (moved, unseen) = (*seen.first().expect("a first"), (1..=30).find(|id| !seen.contains(id)).expect("one behind"));
    customers.set(moved, "number", 100).expect("a set");
    customers.set(unseen, "number", -5).expect("a set");
    customers.set(31, "number", 3).expect("a set");
    let rest = turned(&attributes, query.after(first.next.expect("there is more")));
    let unchanged: BTreeSet<i64> = (1..=30).filter(|id| ![last, moved, unseen].contains(id)).collect();
    let rest_of_unchanged: Vec<i64> = rest.iter().copied().filter(|id| unchanged.contains(id)).collect();
    assert_eq!(rest_of_unchanged.iter().collect::<BTreeSet<_>>().len(), rest_of_unchanged.len(), "no entity twice");
    let together: BTreeSet<i64> = seen.iter().filter(|id| unchanged.contains(id)).copied().chain(rest_of_unchanged).collect();
    assert_eq!(together, unchanged, "none skipped that did not change");
    assert!(rest.contains(&31) && rest.contains(&moved) && !rest.contains(&unseen), "{rest:?}");
}

fn next_of(attributes: &Attributes<MemoryStore>) -> Cursor {
    let query = Query::all().order_by("tier", Direction::Ascending).limit(1);
    attributes.of("customer").expect("a type").find(query).expect("a page").next.expect("there is more")
}

#[test]
fn a_cursor_belongs_to_its_query() {
    let attributes = store(30);
    let customers = attributes.of("customer").expect("a type");
    let query = Query::new(attr("number").ge(0)).limit(10);
    let next = customers.find(query.clone()).expect("a page").next.expect("there is more");
    // A spelling or a limit makes no other query.
    assert!(customers.find(query.clone().limit(3).after(next.clone())).is_ok());
    let others = [Query::all(), Query::new(attr("number").ge(1)), query.clone().order_by("tier", Direction::Ascending)];
    let text = next.as_str();
    let broken = [
        &text[..text.len() - 1],
        &text[1..],
        "",
        "zz",
        "é0123456789abcdef",
        &text.replace('7', "8").replace('3', "4"),
        &format!("{text}00"),
    ]
    .map(str::to_owned);
    for text in broken {
        let violation = only(&text.parse::<Cursor>().expect_err("it cannot be a cursor"));
        assert_eq!(violation.rule, Rule::Cursor, "{text:?}");
        let json = serde_json::json!({ "after": text });
        assert!(serde_json::from_value::<Query>(json).is_err(), "{text:?}");
    }
    for refused in others.map(|other| other.after(next.clone())) {
        let violation = only(&customers.find(refused.clone()).expect_err("a cursor of another query"));
        assert_eq!(violation.rule, Rule::Cursor, "{refused:?}");
    }
    let error = attributes.of("person").expect("a type").find(Query::all().after(next)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the cursor is of another query, or of attributes that have another definition or type by now, not of this query as it is \
         now; start again without a cursor"
    );
    let error = "zz".parse::<Cursor>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the cursor is a text of 2 characters, not one that a page ended with, whole and unchanged; start again without a cursor"
    );
    let error = "z".parse::<Cursor>().unwrap_err();
    assert!(error.to_string().starts_with("the cursor is a text of 1 character, not one"), "{error}");
    let json = serde_json::to_string(&next_of(&attributes)).expect("it serialises");
    assert_eq!(serde_json::from_str::<Cursor>(&json).expect("it comes back"), next_of(&attributes));
}

#[test]
fn a_query_is_bounded_and_plain() {
    let attributes = store(3);
    let customers = attributes.of("customer").expect("a type");
    let message = |query: Query| customers.find(query).expect_err("it is refused").to_string();
    assert_eq!(message(Query::all().limit(0)), "a listing takes a limit from 1 to 10000, not 0");
    assert_eq!(message(Query::all().limit(10_001)), "a listing takes a limit from 1 to 10000, not 10001");
    assert_eq!(customers.find(Query::all().limit(10_000)).expect("a page").entities.len(), 3);
    let many = (0..17).fold(Query::all(), |query, _| query.order_by("number", Direction::Ascending));
    assert_eq!(message(many), "a listing takes at most 16 attributes to order by, not 17");
    let wrong = Query::new(attr("nmber").gt(1)).order_by("teir", Direction::Ascending);
    let both = "`nmber` is not defined for `customer`; did you mean `number`? If not, define it first; \
                `teir` is not defined for `customer`; did you mean `tier`? If not, define it first";
    assert_eq!(message(wrong), both);

    let query = Query::new(attr("number").gt(1)).order_by("tier", Direction::Descending).limit(7);
    let json = serde_json::to_string(&query).expect("it serialises");
    assert_eq!(json, r#"{"filter":"number > 1","order_by":[{"name":"tier","direction":"descending"}],"limit":7}"#);
    assert_eq!(serde_json::from_str::<Query>(&json).expect("it comes back"), query);
    let with_defaults = serde_json::to_string(&query.clone().with_defaults()).expect("it serialises");
    assert!(with_defaults.ends_with(r#""limit":7,"with_defaults":true}"#), "{with_defaults}");
    assert_eq!(serde_json::from_str::<Query>(&with_defaults).expect("it comes back"), query.with_defaults());
    assert_eq!(serde_json::from_str::<Query>("{}").expect("all of it has defaults"), Query::all());
}

#[test]
fn an_iterator_reads_all_pages_of_one_instant() {
    let attributes = store(25);
    let view = attributes.snapshot().expect("a snapshot");
    let customers = attributes.of("customer").expect("a type");
    let all = view.find_all(customers.entity_type(), Query::new(attr("number").ge(0)).limit(4));
    let mut found = Vec::new();
    for entity in all {
        found.push(entity.expect("an entity"));
        customers.set(1000 + found.len() as i64, "number", 1).expect("a set");
    }
    assert_eq!(ids(&found), (1..=25).collect::<Vec<_>>());
    let wrong = view.find_all(customers.entity_type(), attr("nmber").gt(1)).collect::<Vec<_>>();
    assert!(matches!(wrong.as_slice(), [Err(Error::Invalid(_))]), "{wrong:?}");
}

#[test]
fn facets_count_what_is_held() {
    let attributes = store(12);
    let customers = attributes.of("customer").expect("a type");
    let values = |filter: Option<&Filter>| {
        let facets = customers.facets(filter, "Tier").expect("facets");
        facets.most_frequent().into_iter().map(|(value, count)| format!("{value} {count}")).collect::<Vec<_>>()
    };
    assert_eq!(values(None), ["a 2", "b 2", "c 2"]);
    assert_eq!(values(Some(&attr("number").le(4))), ["b 2", "c 2"]);
    assert_eq!(values(Some(&attr("number").gt(6))), [""; 0]);
    let unknown = customers.facets(None, "teir").unwrap_err();
    assert!(unknown.is_not_found(), "{unknown:?}");
}

#[test]
fn sums_and_means_are_exact_or_refused() {
    let attributes = store(0);
    let customers = attributes.of("customer").expect("a type");
    customers.define(DefinitionSpec::date("due")).expect("a definition");
    let facets = |name: &str| customers.facets(None, name).expect("facets");
    assert_eq!((facets("rate").sum().expect("a sum"), facets("rate").mean().expect("a mean")), (None, None));
    assert_eq!((facets("due").mean().expect("a mean"), facets("due").min()), (None, None));
    for (id, rate) in [(1, "0.10"), (2, "0.2"), (3, "-1.5"), (4, "0.1")] {
        customers.set_text(id, "rate", rate).expect("a set");
    }
    let rate = facets("rate");
    // Equal decimals are one value, without zeros at its end.
    assert_eq!(
        rate.values().iter().map(|(value, count)| format!("{value} {count}")).collect::<Vec<_>>(),
        ["-1.5 1", "0.1 2", "0.2 1"]
    );
    assert_eq!(rate.sum().expect("a sum").map(|sum| sum.to_string()).as_deref(), Some("-1.1"));
    assert_eq!(rate.mean().expect("a mean"), Some(Value::Decimal(Decimal::new(-275, 3))));
    // i64 twice is more than an i64.
    for id in 1..=2 {
        customers.set(id, "number", i64::MAX).expect("a set");
    }
    assert_eq!(facets("number").sum().expect("a sum").map(|sum| sum.to_string()).as_deref(), Some("18446744073709551614"));
    assert_eq!(facets("number").mean().expect("a mean"), Some(Value::Decimal(Decimal::from(i64::MAX))));
    // Nothing is rounded: a sum that no decimal can be is refused.
    customers.set_text(1, "rate", "9223372036854775807").expect("a set");
    customers.set_text(2, "rate", "0.0000000000000000000000000001").expect("a set");
    let refused = facets("rate").sum().unwrap_err();
    assert_eq!(refused.to_string(), "`rate` takes at most 28 significant digits, not their exact sum");
    for (id, due) in [(1, "2025-01-01"), (2, "2025-01-04"), (3, "2025-01-04")] {
        customers.set_text(id, "due", due).expect("a set");
    }
    let day = facets("due").mean().expect("a mean").expect("there are days");
    assert_eq!(day.to_string(), "2025-01-03");
    assert_eq!(facets("due").sum().unwrap_err().to_string(), "`due` is DATE, but was given to a sum of numbers");
    customers.set(1, "tier", "a").expect("a set");
    assert_eq!(facets("tier").mean().unwrap_err().to_string(), "`tier` is STRING, but was given to a sum of numbers");
}
