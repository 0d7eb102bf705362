//! Finding: every test on every type, pages in every order, values counted.

use crate::attributes::{Attributes, Query};
use crate::conformance::Store;
use crate::conformance::plain::Plain;
use crate::conformance::reading::mixed;
use crate::conformance::support::{customer, entity_type, holds, host, key, must, same, snapshot, typed};
use crate::filter::{Filter, attr};
use crate::model::{Catalog, DataType, DefinitionSpec};
use crate::store::{BoundQuery, Direction, Snapshot, Wanted};

const AS_REFERENCE: &str = "let an index answer what `BoundFilter::matches` and `BoundQuery::compare` say of each record, or leave the \
                            method to the trait";

fn filter(text: &str) -> Filter {
    must(Filter::parse(text), "a filter is read")
}

/// Three customers with all types, one with nothing but a number, one that was emptied; a person with the same values.
fn typed_values(store: &Store) -> Attributes<&Store> {
    let host = host(store);
    let specs = |of: &str| {
        let specs = DataType::ALL.map(|data_type| DefinitionSpec::new(data_type.as_str().to_lowercase(), data_type));
        must(typed(&host, of).ensure(specs), "definitions are made");
    };
    specs("customer");
    specs("person");
    let rows = [
        (customer(1), "Straße", "1.50", "5", "true", "2025-01-31"),
        (customer(2), "strand", "-0.5", "10", "false", "2025-02-01"),
        (key("person", 3), "strand", "-0.5", "10", "false", "2025-02-01"),
        (customer("vier"), "", "1.5", "-1", "false", "9999-12-31"),
    ];
    for (entity, string, decimal, integer, boolean, date) in rows {
        let values = [("string", string), ("decimal", decimal), ("integer", integer), ("boolean", boolean), ("date", date)];
        let batch = values.into_iter().fold(host.batch(), |batch, (name, text)| batch.set_text(entity.clone(), name, text));
        must(batch.commit(), "values are set");
    }
    must(typed(&host, "customer").set(5, "integer", 7), "a value is set");
    must(typed(&host, "customer").set(6, "integer", 7), "a value is set");
    must(typed(&host, "customer").clear(6, "integer"), "a value is cleared");
    host
}

/// Every test, on every type, over values and where there are none.
pub fn each_test_finds_what_it_means(store: &Store) {
    let promise = "a filter finds the entities that it describes, in the order in which they were first written";
    let host = typed_values(store);
    let customers = typed(&host, "customer");
    for (text, found) in [
        ("string = 'strand'", &["2"][..]),
        ("string = 'Strand'", &[]),
        ("string = ''", &["vier"]),
        ("string != 'strand'", &["1", "vier"]),
        ("string < 'strand'", &["1", "vier"]),
        ("string <= 'strand'", &["1", "2", "vier"]),
        ("string > 'Straße'", &["2"]),
        ("string >= 'Straße'", &["1", "2"]),
        ("string between 'A' and 'Z'", &["1"]),
        ("string in ('strand', '', 'nobody')", &["2", "vier"]),
        ("string ~= 'STRASSE'", &["1"]),
        ("string starts with 'str'", &["2"]),
        ("string starts with ''", &["1", "2", "vier"]),
        ("string ends with 'e'", &["1"]),
        ("string contains 'tra'", &["1", "2"]),
        ("string exists", &["1", "2", "vier"]),
        ("string not exists", &["5"]),
        ("decimal = 1.5", &["1", "vier"]),
        ("decimal != 1.500", &["2"]),
        ("decimal < 0", &["2"]),
        ("decimal <= -0.50", &["2"]),
        ("decimal > -0.5", &["1", "vier"]),
        ("decimal >= 1.5", &["1", "vier"]),
        ("decimal between -1 and 1.4", &["2"]),
        ("decimal in (1.5000, 7)", &["1", "vier"]),
        ("decimal exists", &["1", "2", "vier"]),
        ("decimal not exists", &["5"]),
        ("integer = 7", &["5"]),
        ("integer != 7", &["1", "2", "vier"]),
        ("integer < 5", &["vier"]),
        ("integer <= 5", &["1", "vier"]),
        ("integer > 5", &["2", "5"]),
        ("integer >= 5", &["1", "2", "5"]),
        ("integer between 5 and 7", &["1", "5"]),
        ("integer between 7 and 5", &[]),
        ("integer in (10, -1)", &["2", "vier"]),
        ("integer in ()", &[]),
        ("integer exists", &["1", "2", "vier", "5"]),
        ("integer not exists", &[]),
        ("boolean = true", &["1"]),
        ("boolean != true", &["2", "vier"]),
        ("boolean < true", &["2", "vier"]),
        ("boolean >= false", &["1", "2", "vier"]),
        ("boolean in (true, false)", &["1", "2", "vier"]),
        ("boolean not exists", &["5"]),
        ("date = '2025-02-01'", &["2"]),
        ("date != '2025-02-01'", &["1", "vier"]),
        ("date < '2025-02-01'", &["1"]),
        ("date <= '2025-02-01'", &["1", "2"]),
        ("date > '2025-02-01'", &["vier"]),
        ("date >= '9999-12-31'", &["vier"]),
        ("date between '2025-01-01' and '2025-12-31'", &["1", "2"]),
        ("date in ('2025-01-31', '0001-01-01')", &["1"]),
        ("date not exists", &["5"]),
        ("not string = 'strand'", &["1", "vier", "5"]),
        ("not string exists", &["5"]),
        ("not (string exists and integer > 0)", &["vier", "5"]),
        ("string exists and integer > 0", &["1", "2"]),
        ("integer = 7 or boolean = true", &["1", "5"]),
        ("(integer = 7 or integer = 5) and not string exists", &["5"]),
    ] {
        let promise = format!("{promise}: {text}");
        let page = must(customers.find(filter(text)), &promise);
        let ids: Vec<_> = page.entities.iter().map(|entity| entity.key().id().to_string()).collect();
        same(&ids, &found, &promise, AS_REFERENCE);
        let count = must(customers.count_found(filter(text)), &promise);
        same(&count, &(found.len() as u64), &promise, AS_REFERENCE);
    }
    let all = must(customers.find(Query::all()), promise);
    same(&all.entities.len(), &4, promise, AS_REFERENCE);
}

/// Questions about [`mixed`].
fn questions(catalog: &Catalog) -> Vec<Wanted> {
    let texts = [
        "s starts with 'text 1'",
        "s not exists",
        "i > 40 and i < 80",
        "b = true and not i exists",
        "t between '2024-02-01' and '2024-06-30' or d > 100",
        "not (d > 20 and b = true)",
        "s contains '7' or s ends with '0'",
    ];
    let mut all = Vec::new();
    for of in ["customer", "person"].map(entity_type) {
        let filters = texts.iter().map(|text| Some(must(filter(text).bind(catalog, &of), "a filter is bound")));
        all.extend(filters.chain([None]).map(|filter| Wanted { entity_type: of.clone(), filter }));
    }
    all.push(Wanted { entity_type: entity_type("site"), filter: None });
    all
}

/// Page by page, in every order, what is found is what the trait's own method finds.
pub fn found_pages_agree_with_the_reference(store: &Store) {
    let promise = "`find` answers each page as the trait's own method does, in the order asked for, absent values last";
    mixed(store);
    let (quick, plain) = (snapshot(store), Plain(snapshot(store)));
    let catalog = must(plain.catalog(), "the catalog is read");
    for wanted in questions(&catalog) {
        let id = |name: &str| catalog.find(&wanted.entity_type, name).map(|definition| definition.id());
        let by = |names: &[(&str, Direction)]| {
            names.iter().filter_map(|(name, direction)| Some((id(name)?, *direction))).collect::<Vec<_>>()
        };
        let orders = [
            by(&[]),
            by(&[("i", Direction::Ascending)]),
            by(&[("t", Direction::Descending)]),
            by(&[("b", Direction::Descending), ("s", Direction::Ascending)]),
            by(&[("b", Direction::Ascending), ("d", Direction::Descending)]),
        ];
        for (order, limit) in orders.into_iter().flat_map(|order| [1, 7, 1000].map(|limit| (order.clone(), limit))) {
            let mut query = BoundQuery { wanted: wanted.clone(), order, after: None, limit };
            for _ in 0..=120 {
                let expected = must(plain.find(&query), "a page is found");
                let found = must(quick.find(&query), "a page is found");
                let keys = |found: &crate::store::Found| {
                    let keys: Vec<_> = found.records.iter().map(|record| record.key().to_string()).collect();
                    (keys, found.has_more)
                };
                same(&keys(&found), &keys(&expected), promise, AS_REFERENCE);
                same(&found.records, &expected.records, promise, "answer the records whole, as `read` does");
                let Some(last) = expected.records.last().filter(|_| expected.has_more) else { break };
                query.after = Some(query.rank(last));
            }
        }
        let counted = must(quick.count_wanted(&wanted), "entities are counted");
        same(&counted, &must(plain.count_wanted(&wanted), "entities are counted"), promise, AS_REFERENCE);
    }
}

/// The values of each definition, with their counts, are those that the trait's own method counts.
pub fn tallies_agree_with_the_reference(store: &Store) {
    let promise = "`tally` counts every value once for each holder, in the order of values, equal decimals together";
    let host = mixed(store);
    must(typed(&host, "site").define(DefinitionSpec::decimal("rate")), "a definition is made");
    for n in 200..210u32 {
        let rate = if n % 2 == 0 { "7.70" } else { "7.7" };
        must(typed(&host, "site").set_text(n, "rate", rate), "a value is set");
    }
    let (quick, plain) = (snapshot(store), Plain(snapshot(store)));
    let catalog = must(plain.catalog(), "the catalog is read");
    for wanted in questions(&catalog) {
        for definition in catalog.of(&wanted.entity_type) {
            let expected = must(plain.tally(&wanted, definition.id()), "values are counted");
            let found = must(quick.tally(&wanted, definition.id()), "values are counted");
            same(&found, &expected, promise, AS_REFERENCE);
            let written = |values: &[(crate::Value, u64)]| values.iter().map(|(value, _)| value.to_string()).collect::<Vec<_>>();
            same(&written(&found), &written(&expected), promise, "take the zeros at the end of a decimal off");
        }
    }
    let facets = must(typed(&host, "site").facets(None, "rate"), "values are counted");
    same(
        &facets.values().iter().map(|(value, count)| format!("{value} {count}")).collect::<Vec<_>>(),
        &["7.7 10"],
        promise,
        AS_REFERENCE,
    );
}

/// What a snapshot finds is what it found when it was made.
pub fn what_is_found_stays_at_its_point(store: &Store) {
    let promise = "a snapshot finds what there was when it was made, whatever is written after";
    let host = typed_values(store);
    let customers = typed(&host, "customer");
    let view = must(host.snapshot(), "a snapshot is made");
    let wanted = attr("integer").ge(5);
    must(customers.set(1, "integer", 0), "a value is set");
    must(customers.clear(2, "integer"), "a value is cleared");
    must(customers.remove(5), "an entity is removed");
    must(customers.set(8, "integer", 100), "a value is set");
    let of = entity_type("customer");
    let page = must(view.find(&of, wanted.clone()), promise);
    let ids: Vec<_> = page.entities.iter().map(|entity| entity.key().id().to_string()).collect();
    same(&ids, &["1", "2", "5"], promise, AS_REFERENCE);
    same(&must(view.count_found(&of, &wanted), promise), &3, promise, AS_REFERENCE);
    holds(must(view.facets(&of, None, "integer"), promise).holders() == 4, promise, AS_REFERENCE);
    let now = must(customers.find(wanted), "entities are found");
    let ids: Vec<_> = now.entities.iter().map(|entity| entity.key().id().to_string()).collect();
    same(&ids, &["8"], "what is committed is found at once", AS_REFERENCE);
}
