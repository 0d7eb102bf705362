//! Defaults: read where nothing is stored, and seen by filters where a query asks for it.

use crate::attributes::{Attributes, Query, Source};
use crate::conformance::Store;
use crate::conformance::support::{PLAN, WHOLE, customer, entity_type, held, holds, host, key, must, parse, same, there, typed};
use crate::filter::Filter;
use crate::model::{DataType, DefinitionSpec, Revision};
use crate::store::Direction;

const AS_STORED: &str = "let an index answer what `BoundFilter::matches` says of each record: an alternative that nothing is stored, and a \
                         list of no values, are parts of a filter like any other";

const SPECS: [(&str, DataType, Option<&str>); 6] = [
    ("s", DataType::String, Some("basic")),
    ("d", DataType::Decimal, Some("1.50")),
    ("i", DataType::Integer, Some("10")),
    ("b", DataType::Boolean, Some("false")),
    ("t", DataType::Date, Some("2025-06-01")),
    ("plain", DataType::Integer, None),
];

/// What entity `n` holds of an attribute; of some it holds nothing.
fn text(name: &str, n: u32) -> Option<String> {
    Some(match (name, n) {
        ("plain", _) if !n.is_multiple_of(7) => (n % 5).to_string(),
        ("s", _) if !n.is_multiple_of(3) => ["basic", "premium", "Basic plus"][n as usize % 5 % 3].to_owned(),
        ("d", _) if n % 4 != 1 => ["1.5", "-2.25", "100"][n as usize % 3].to_owned(),
        ("i", _) if n.is_multiple_of(2) => (n % 13).to_string(),
        ("b", _) if n % 5 > 2 => n.is_multiple_of(2).to_string(),
        ("t", _) if n % 6 > 2 => format!("2025-0{}-01", 1 + n % 9),
        _ => return None,
    })
}

const COUNT: u32 = 90;

/// Customers that hold some of their values, and persons who hold those and, for the rest, the defaults.
fn twins(store: &Store) -> Attributes<&Store> {
    let host = host(store);
    for of in ["customer", "person"] {
        let spec = |(name, data_type, default): (&str, _, Option<&str>)| {
            let spec = DefinitionSpec::new(name, data_type);
            let has_default = default.filter(|_| of == "customer");
            has_default.map_or(spec.clone(), |default| spec.default_value(parse(data_type, default)))
        };
        must(typed(&host, of).ensure(SPECS.map(spec)), "definitions are made");
        must(typed(&host, of).define(DefinitionSpec::integer("mark")), "a definition is made");
        let mut batch = host.batch();
        for n in 0..COUNT {
            batch = batch.set((of, n), "mark", n % 4);
            for (name, _, default) in SPECS {
                let default = default.filter(|_| of == "person").map(str::to_owned);
                if let Some(text) = text(name, n).or(default) {
                    batch = batch.set_text((of, n), name, text);
                }
            }
        }
        must(batch.commit(), "values are set");
        must(typed(&host, of).remove(COUNT / 2), "an entity is removed: it is found by nothing");
    }
    host
}

/// The same question of all defaults, whether they are stored or not.
pub fn filters_see_defaults_where_asked(store: &Store) {
    let promise = "a filter that sees defaults finds what it would find if every default were stored";
    let host = twins(store);
    let (customers, persons) = (typed(&host, "customer"), typed(&host, "person"));
    let mut tests = Vec::new();
    for (name, values) in [
        ("s", ["'basic'", "'premium'", "'a'"]),
        ("d", ["1.5", "-2.25", "1.6"]),
        ("i", ["10", "3", "11"]),
        ("b", ["false", "true", "false"]),
        ("t", ["'2025-06-01'", "'2025-04-01'", "'2025-12-31'"]),
        ("plain", ["1", "3", "9"]),
    ] {
        for value in values {
            tests.extend(["=", "!=", "<", "<=", ">", ">="].map(|test| format!("{name} {test} {value}")));
        }
        let [a, b, c] = values;
        tests.extend([format!("{name} in ({b}, {a})"), format!("{name} in ({b}, {c})"), format!("{name} in ()")]);
        tests.extend([format!("{name} between {b} and {a}"), format!("{name} between {a} and {c}")]);
        tests.extend([format!("{name} exists"), format!("{name} not exists")]);
    }
    tests.extend(["s ~= 'BASIC'", "s starts with 'b'", "s ends with 'm'", "s contains 'asi'"].map(str::to_owned));
    tests.extend(["mark = 1", "mark > 0"].map(str::to_owned));
    let alone = tests.clone();
    // Any of them joined: the same draws each time.
    let mut state = 2_463_534_242_u32;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % below
    };
    for _ in 0..150 {
        let [a, b, c] = [0; 3].map(|_| alone[draw(alone.len())].clone());
        tests.push(match draw(4) {
            0 => format!("{a} and {b}"),
            1 => format!("not ({a} or {b})"),
            2 => format!("({a} or {b}) and not {c}"),
            _ => format!("{a} or not ({b} and {c})"),
        });
    }
    for text in tests {
        let promise = format!("{promise}: {text}");
        let filter = must(Filter::parse(&text), "a filter is read");
        let (seeing, plain) = (Query::new(filter.clone()).with_defaults().limit(1000), Query::new(filter).limit(1000));
        let ids = |page: crate::KeyPage| page.keys.iter().map(|key| key.id().to_string()).collect::<Vec<_>>();
        let expected = ids(must(persons.find_keys(plain.clone()), "entities are found"));
        same(&ids(must(customers.find_keys(seeing.clone()), &promise)), &expected, &promise, AS_STORED);
        let page = must(customers.find(seeing.clone().limit(7)), &promise);
        let found: Vec<_> = page.entities.iter().map(|entity| entity.key().id().to_string()).collect();
        same(&found, &expected.iter().take(7).collect::<Vec<_>>(), &promise, AS_STORED);
        if let Some(next) = page.next {
            same(
                &ids(must(customers.find_keys(seeing.clone().after(next)), &promise)),
                &expected.iter().skip(7).collect::<Vec<_>>(),
                &promise,
                AS_STORED,
            );
        }
        let count = must(customers.count_found(seeing.clone()), &promise);
        same(&count, &(expected.len() as u64), &promise, AS_STORED);
        same(&must(customers.explain(seeing.clone()), &promise).found, &expected.len(), &promise, AS_STORED);
        let facets = |of: &str, query| must(typed(&host, of).facets(query, "mark"), &promise).values().to_vec();
        same(&facets("customer", seeing.clone()), &facets("person", plain.clone()), &promise, AS_STORED);
        let view = must(host.snapshot(), "a snapshot is made");
        let last = must(view.as_snapshot().marks(), "the marks are read").commit;
        let then = must(view.as_of(last), "the past is read");
        same(&must(then.count_found(&entity_type("customer"), seeing), &promise), &count, &promise, AS_STORED);
    }
}

/// A cursor of a filter that sees defaults ends where the default is another, and the filter means something else.
pub fn a_cursor_knows_the_defaults_of_its_filter(store: &Store) {
    let promise = "a cursor is refused once a changed default makes its filter mean something else, and goes on otherwise";
    let host = twins(store);
    let of = typed(&host, "customer");
    let filter = must(Filter::parse("i >= 10"), "a filter is read");
    let query = Query::new(filter.clone()).with_defaults().order_by("plain", Direction::Ascending).limit(5);
    let page = must(of.find(query.clone()), "a page is found");
    let next = there(page.next, "there are more");
    let stored = Query::new(filter).order_by("plain", Direction::Ascending).limit(5).after(next.clone());
    holds(of.find(stored).is_err(), "a filter that sees defaults is another", AS_STORED);
    must(of.alter("i", |spec| spec.default_value(11)), "another default is as good");
    must(of.find(query.clone().after(next.clone())), promise);
    must(of.alter("i", |spec| spec.default_value(9)), "another default is not");
    holds(of.find(query.after(next)).is_err(), promise, AS_STORED);
}

/// A whole entity with its defaults, in one call, whatever it holds.
pub fn whole_entities_have_defaults(store: &Store) {
    let promise = "an entity is read with its defaults in one call, also where it holds nothing";
    let host = twins(store);
    let of = typed(&host, "customer");
    let view = must(host.snapshot(), "a snapshot is made");
    // One that holds some values, one that was emptied, one that was never written.
    let ids = [3, COUNT / 2, 5000];
    let keys = ids.map(customer);
    let many = must(of.entities_with_defaults(ids), promise);
    for ((id, key), entity) in ids.iter().zip(&keys).zip(&many) {
        let holds_some = *id == 3;
        same(&entity.is_empty(), &!holds_some, promise, PLAN);
        same(&must(of.entity(*id), "an entity is read").is_some(), &holds_some, "defaults alone make no entity", PLAN);
        same(&entity.revision(), &must(of.revision(*id), "a revision is read"), promise, PLAN);
        let told: Vec<_> =
            entity.iter_with_defaults().map(|one| (one.definition.id().get(), one.value.to_string(), one.source)).collect();
        let mut expected = Vec::new();
        for (number, (name, _, default)) in (1..).zip(SPECS) {
            let stored = text(name, *id).filter(|_| holds_some);
            let effective = stored.clone().or(default.map(str::to_owned));
            let read = must(of.reading(*id, name), "a value is read");
            same(&read.as_ref().map(|read| read.value.to_string()), &effective, "`reading` gives the default", WHOLE);
            same(&must(entity.reading(name), "a value is read"), &read, promise, WHOLE);
            let source = if stored.is_some() { Source::Stored } else { Source::Default };
            expected.extend(effective.map(|text| (number, text, source)));
        }
        expected.extend(holds_some.then(|| (7, (id % 4).to_string(), Source::Stored)));
        same(&told, &expected, promise, WHOLE);
        same(&entity.iter().count(), &held(store, key).len(), "an entity lists what is stored", WHOLE);
        for other in [must(of.entity_with_defaults(*id), promise), must(view.entity_with_defaults(key), promise)] {
            same(&other.record(), &entity.record(), promise, WHOLE);
        }
    }
    same(&many[2].revision(), &Revision::ABSENT, promise, PLAN);
    let again = must(view.entities_with_defaults(&keys), promise);
    same(&again.iter().map(crate::Entity::key).collect::<Vec<_>>(), &keys.iter().collect::<Vec<_>>(), promise, WHOLE);
    let nobody = must(view.entity_with_defaults(key("site", 1)), "a type without definitions has no defaults");
    same(&nobody.iter_with_defaults().count(), &0, promise, PLAN);
}
