//! The index at size, damaged and made anew, and in files that an older release wrote.
#![cfg(feature = "sqlite")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use custom_attributes::{
    AttributeStore, Attributes, DataType, DefinitionSpec, Direction, Error, ExplainedOrder, FaultKind, Filter, MemoryStore,
    Query, SqliteStore, Value, Way, attr,
};
use proptest::prelude::*;
use rusqlite::Connection;
use rust_decimal::Decimal;

fn sqlite(path: &Path) -> Attributes<SqliteStore> {
    Attributes::new(SqliteStore::open(path).expect("a store"))
}

fn faults<S: AttributeStore>(attributes: &Attributes<S>) -> Vec<(FaultKind, String)> {
    let mut faults = Vec::new();
    let verified = attributes.snapshot().expect("a snapshot").verify_index(|fault| {
        faults.push((fault.kind, fault.to_string()));
        ControlFlow::Continue(())
    });
    verified.expect("an index that can be read");
    faults
}

fn ids<S: AttributeStore>(attributes: &Attributes<S>, query: impl Into<Query>) -> Vec<i64> {
    let customers = attributes.of("customer").expect("a type");
    let (mut ids, mut query) = (Vec::new(), query.into());
    loop {
        let page = customers.find_keys(query.clone()).expect("a page");
        ids.extend(page.keys.iter().filter_map(|key| key.id().as_integer()));
        let Some(next) = page.next else { return ids };
        query = query.after(next);
    }
}

/// More entities than a set has room for: 65,536 are a chunk of the index.
const COUNT: i64 = 66_500;

fn fill<S: AttributeStore>(attributes: &Attributes<S>) {
    let customers = attributes.of("customer").expect("a type");
    let specs = [DefinitionSpec::string("kind"), DefinitionSpec::integer("number"), DefinitionSpec::boolean("rare")];
    customers.ensure(specs).expect("definitions");
    let batch = (0..COUNT).fold(attributes.batch(), |batch, id| {
        let batch = batch.set(("customer", id), "kind", ["a", "b", "c"][id as usize % 3]);
        let batch = batch.set(("customer", id), "number", (id * 7919) % COUNT);
        if id % 4096 == 0 { batch.set(("customer", id), "rare", true) } else { batch }
    });
    batch.commit().expect("a commit");
}

fn asks_many_chunks<S: AttributeStore>(attributes: &Attributes<S>) {
    fill(attributes);
    let customers = attributes.of("customer").expect("a type");
    let count = |text: &str| customers.count_found(Filter::parse(text).expect("a filter")).expect("a count");
    let number = |id: i64| (id * 7919) % COUNT;
    let of = |wanted: &dyn Fn(i64) -> bool| (0..COUNT).filter(|id| wanted(*id)).collect::<Vec<_>>();
    assert_eq!(count("kind exists"), COUNT as u64);
    assert_eq!(count("kind = 'a'"), of(&|id| id % 3 == 0).len() as u64);
    assert_eq!(count("not kind = 'a' and number < 1000"), of(&|id| id % 3 != 0 && number(id) < 1000).len() as u64);
    assert_eq!(count("number >= 100 and number < 60000"), 59_900);
    assert_eq!(count("rare not exists"), of(&|id| id % 4096 != 0).len() as u64);
    let narrow = attr("rare").eq(true) & attr("number").gt(30_000);
    assert_eq!(ids(attributes, narrow), of(&|id| id % 4096 == 0 && number(id) > 30_000));
    let wide = attr("number").ge(10) & !attr("kind").eq("b");
    assert_eq!(ids(attributes, Query::new(wide).limit(10_000)), of(&|id| number(id) >= 10 && id % 3 != 1));
    let mut sorted = of(&|id| id % 3 == 2);
    sorted.sort_by_key(|id| std::cmp::Reverse(number(*id)));
    let by_number = Query::new(attr("kind").eq("c")).order_by("number", Direction::Descending).limit(7000);
    assert_eq!(ids(attributes, by_number), sorted);
    let mut sorted = of(&|id| id % 4096 == 0);
    sorted.sort_by_key(|id| (*id % 3, number(*id)));
    let few = Query::new(attr("rare").exists()).order_by("kind", Direction::Ascending).order_by("number", Direction::Ascending);
    assert_eq!(ids(attributes, few.limit(3)), sorted);
    let facets = customers.facets(Some(&attr("number").lt(300)), "kind").expect("facets");
    assert_eq!(facets.holders(), 300);
    assert_eq!(customers.facets(None, "number").expect("facets").distinct(), COUNT as usize);
}

#[test]
fn many_chunks_are_asked_as_one_in_memory() {
    asks_many_chunks(&Attributes::new(MemoryStore::new()));
}

#[test]
fn many_chunks_are_asked_as_one_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("many.db");
    let attributes = sqlite(&path);
    asks_many_chunks(&attributes);
    // One value has one holder in a list of two bytes, another thousands in a bitmap that stands apart; both grow and shrink.
    let connection = Connection::open(&path).expect("a database");
    let form = |key: &str| {
        let sql = "SELECT p.n, length(coalesce(s.bits, p.bits)), s.id IS NOT NULL \
                   FROM attr_posting p JOIN attr_definition d ON d.id = p.definition LEFT JOIN attr_set s ON s.id = p.bits \
                   WHERE d.key = 'kind' AND p.key = ?1 AND p.chunk = 0";
        let key = [&[1], key.as_bytes()].concat();
        let row = connection.query_row(sql, [key], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get(2)?)));
        row.expect("a row")
    };
    let strays = || {
        let sql = "SELECT count(*) FROM attr_set WHERE id NOT IN (SELECT bits FROM attr_posting WHERE typeof(bits) = 'integer')";
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a count")
    };
    let customers = attributes.of("customer").expect("a type");
    customers.set(1, "kind", "d").expect("a set");
    assert_eq!(form("d"), (1, 2, false));
    let all =
        |kind: &str| (0..40_000i64).step_by(2).fold(attributes.batch(), |batch, id| batch.set(("customer", id), "kind", kind));
    all("d").commit().expect("a commit");
    let (count, bytes, is_apart) = form("d");
    assert!(count == 20_001 && bytes < 8300 && is_apart, "{count} in {bytes} bytes");
    assert_eq!(customers.count_found(attr("kind").eq("d")).expect("a count"), 20_001);
    all("e").set(("customer", 6), "kind", "d").set(("customer", 4), "kind", "d").commit().expect("a commit");
    assert_eq!(form("d"), (3, 6, false));
    assert_eq!(ids(&attributes, attr("kind").eq("d")), [1, 4, 6]);
    assert_eq!(faults(&attributes), []);
    assert_eq!(strays(), 0);
    // Sets that are lost, and one that belongs to nobody.
    let damage = "DELETE FROM attr_set WHERE id > 1; INSERT INTO attr_set (id, bits) VALUES (9999, x'00')";
    connection.execute_batch(damage).expect("some damage");
    let lost = customers.find_keys(attr("kind").eq("e")).expect_err("a set that is lost");
    assert!(lost.to_string().contains("rebuild_index"), "{lost}");
    let mut steps = Vec::new();
    let rebuilt = attributes.rebuild_index(|progress| {
        steps.push((progress.done, progress.total));
        ControlFlow::Continue(())
    });
    rebuilt.expect("an index");
    assert!(steps.len() > 3 && steps.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0), "{steps:?}");
    assert!(steps.last().is_some_and(|(done, steps)| done == steps), "{steps:?}");
    assert_eq!(ids(&attributes, Query::new(attr("kind").eq("e")).limit(10_000)).len(), 19_998);
    assert_eq!((faults(&attributes), strays()), (Vec::new(), 0));
}

fn small(path: &Path) -> Attributes<SqliteStore> {
    let attributes = sqlite(path);
    let customers = attributes.of("customer").expect("a type");
    customers.ensure([DefinitionSpec::string("tier"), DefinitionSpec::integer("seats")]).expect("definitions");
    let batch = (0..100i64).fold(attributes.batch(), |batch, id| {
        batch.set(("customer", id), "tier", ["basic", "premium"][id as usize % 2]).set(("customer", id), "seats", id)
    });
    batch.commit().expect("a commit");
    attributes
}

/// What `tampering` does to the tables of a small store is reported so, and mended.
fn is_found_and_mended(tampering: &str, expected: &[(FaultKind, &str)]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("damaged.db");
    let attributes = small(&path);
    Connection::open(&path).expect("a database").execute_batch(tampering).expect("some damage");
    let found = faults(&attributes);
    let expected: Vec<_> = expected.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect();
    assert_eq!(found, expected, "{tampering}");
    attributes.rebuild_index(|_| ControlFlow::Continue(())).expect("an index");
    assert_eq!(faults(&attributes), [], "{tampering}");
    assert_eq!(ids(&attributes, attr("tier").eq("premium") & attr("seats").lt(4)), [1, 3]);
}

#[test]
fn damage_is_reported_and_mended() {
    let of = |key: &str| format!("(SELECT id FROM attr_definition WHERE key = '{key}')");
    let (tier, seats) = (of("tier"), of("seats"));
    // The key of 7: one byte is needed, and it is 7.
    is_found_and_mended(
        &format!("DELETE FROM attr_posting WHERE definition = {seats} AND key = x'8107'"),
        &[(FaultKind::Missing, "customer/7 is not found by `seats` = \"7\"")],
    );
    // Holders are numbered as they were written: customer/0 has ordinal 1.
    is_found_and_mended(
        &format!("UPDATE attr_posting SET bits = x'0900' WHERE definition = {seats} AND key = x'8107'"),
        &[
            (FaultKind::Missing, "customer/7 is not found by `seats` = \"7\""),
            (FaultKind::Surplus, "customer/8 is wrongly found by `seats` = \"7\""),
        ],
    );
    is_found_and_mended(
        &format!("INSERT INTO attr_posting VALUES ({seats}, x'8201ff', 0, 1, x'0100')"),
        &[(FaultKind::Surplus, "customer/0 is wrongly found by `seats` = \"511\"")],
    );
    is_found_and_mended(
        "INSERT INTO attr_posting VALUES (99, x'80', 3, 1, x'0100')",
        &[(
            FaultKind::Surplus,
            "the entity with the ordinal 196609, which is not there, is wrongly found by the definition 99, which is not there \
             or not searchable",
        )],
    );
    is_found_and_mended(
        &format!("INSERT INTO attr_posting VALUES ({tier}, x'01', 0, 2, x'01000200')"),
        &[
            (FaultKind::Surplus, "customer/0 is wrongly found by `tier` = \"\""),
            (FaultKind::Surplus, "customer/1 is wrongly found by `tier` = \"\""),
        ],
    );
}

#[test]
fn sets_that_cannot_be_read_are_errors_and_mended() {
    for bits in ["x''", "x'01'", "zeroblob(100)", "randomblob(500)"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("garbled.db");
        let attributes = small(&path);
        let garble = format!("UPDATE attr_posting SET bits = {bits}, n = n + 100 WHERE n > 1");
        Connection::open(&path).expect("a database").execute_batch(&garble).expect("some damage");
        let customers = attributes.of("customer").expect("a type");
        let error = customers.find(attr("tier").eq("basic")).expect_err("a set that cannot be read");
        assert!(matches!(error, custom_attributes::Error::Corrupt { .. }), "{bits}: {error:?}");
        assert!(error.to_string().contains("rebuild_index"), "{error}");
        attributes.rebuild_index(|_| ControlFlow::Continue(())).expect("an index");
        assert_eq!(faults(&attributes), [], "{bits}");
    }
}

#[test]
fn a_rebuild_goes_on_where_it_ended_while_others_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("resumed.db");
    let attributes = small(&path);
    let connection = Connection::open(&path).expect("a database");
    connection.execute_batch("UPDATE attr_posting SET bits = x'0100', n = 1").expect("some damage");
    connection.execute_batch("INSERT INTO attr_posting VALUES (99, x'80', 3, 1, x'0100')").expect("some damage");
    let mut first = Vec::new();
    let ended = attributes.rebuild_index(|progress| {
        first.push(progress.done);
        ControlFlow::Break(())
    });
    ended.expect("a step");
    assert_eq!(first, [1]);
    // Another process goes on.
    let other = sqlite(&path);
    other.of("customer").expect("a type").set(200, "seats", 5).expect("a set");
    let mut rest = Vec::new();
    let ended = other.rebuild_index(|progress| {
        rest.push(progress.done);
        ControlFlow::Continue(())
    });
    ended.expect("the rest");
    assert_eq!(rest, [2], "the first step is not done again");
    assert_eq!(faults(&attributes), []);
    assert_eq!(ids(&attributes, attr("seats").eq(5)), [5, 200]);
}

/// `version-1.sql` was written by the code that had no index: 120 customers, whose values follow from their numbers.
#[test]
fn a_file_of_version_1_is_brought_up_to_date() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("old.db");
    Connection::open(&path).expect("a database").execute_batch(include_str!("files/version-1.sql")).expect("the old store");
    let refused = SqliteStore::options().read_only().open(&path).expect_err("a reader cannot bring it up to date");
    assert!(refused.to_string().ends_with("open it once for writing, which brings it up to date"), "{refused}");

    let attributes = sqlite(&path);
    assert_eq!(faults(&attributes), []);
    // Commits that were made before they told whom they changed tell it now.
    let changes = attributes.changes_since(custom_attributes::Position::default(), 1000).expect("changes").changes;
    let of_commit = |commit: u64| changes.iter().filter(|change| change.commit().id.get() == commit).count();
    assert_eq!((1..=5).map(of_commit).collect::<Vec<_>>(), [7, 120, 1, 1, 2]);
    let customers = attributes.of("customer").expect("a type");
    let count = |text: &str| customers.count_found(Filter::parse(text).expect("a filter")).expect("a count");
    let of = |wanted: &dyn Fn(u64) -> bool| (1..=120).filter(|n| wanted(*n)).count() as u64;
    assert_eq!(count("tier = 'gold' and seats > 3"), of(&|n| n % 3 == 2 && n % 7 > 3));
    assert_eq!(count("churned = true or limit < 100"), of(&|n| n % 5 == 0 || n * 100 < 800));
    assert_eq!(count("since < '2015-01-01'"), of(&|n| n % 20 < 5));
    assert_eq!(count("remark starts with 'xxx'"), of(&|n| n % 4 > 0));
    assert_eq!(customers.entity("c7").expect("an entity").expect("it is there").get::<i64>("seats").expect("a number"), Some(0));
    let taken = customers.set("c7", "code", "code 9").expect_err("a unique value that is held");
    assert!(taken.to_string().contains("is unique, and \"code 9\" is held by customer/c9 already"), "{taken}");
    customers.set("c7", "code", "code 700").expect("a set");
    assert_eq!(faults(&attributes), []);
    drop(attributes);
    let connection = Connection::open(&path).expect("a database");
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a version");
    assert_eq!(version, 5);
    assert_eq!(ids(&sqlite(&path), attr("seats").exists()), (1..=60).map(|half| 2 * half).collect::<Vec<_>>());
}

#[test]
fn long_texts_cost_the_index_no_more_than_their_beginning() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("long.db");
    let attributes = sqlite(&path);
    let customers = attributes.of("customer").expect("a type");
    let specs = [DefinitionSpec::string("essay"), DefinitionSpec::string("remark").searchable(false)];
    customers.ensure(specs).expect("definitions");
    let text = |id: i64| format!("{}{id:04}", "é".repeat(4092));
    for id in 0..20 {
        customers.set(id, "essay", text(id)).expect("a set");
        customers.set(id, "remark", text(id)).expect("a set");
    }
    let connection = Connection::open(&path).expect("a database");
    let sql = "SELECT count(*), max(length(key)), sum(length(key) + length(bits)) FROM attr_posting";
    let (rows, longest, bytes): (i64, i64, i64) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("a row");
    // One for the type, one for all who hold an essay, and one for all essays, which begin alike; none for the remarks.
    assert!(rows == 3 && longest <= 130 && bytes < 400, "{rows} rows, a key of {longest}, {bytes} bytes");
    assert_eq!(ids(&attributes, attr("essay").eq(text(7))), [7]);
    assert_eq!(ids(&attributes, attr("essay").ends_with("0013")), [13]);
    let last = Query::all().order_by("essay", Direction::Descending).limit(2);
    let page = customers.find_keys(last).expect("a page");
    assert_eq!(page.keys.iter().map(|key| key.id().as_integer()).collect::<Vec<_>>(), [Some(19), Some(18)]);
    let refused = customers.find(attr("remark").exists()).expect_err("it is not searchable");
    let said = "`remark` is not searchable; `make_searchable` makes its index";
    assert_eq!(refused.to_string(), said);
    customers.alter("remark", |spec| spec.searchable(true)).expect("an index");
    assert_eq!(ids(&attributes, attr("remark").starts_with("é") & attr("remark").contains("é0005")), [5]);
}

fn tells_how_far_it_is<S: AttributeStore>(attributes: &Attributes<S>) {
    let customers = attributes.of("customer").expect("a type");
    customers.define(DefinitionSpec::integer("number").searchable(false)).expect("a definition");
    let batch = (0..10_000).fold(attributes.batch(), |batch, id| batch.set(("customer", id), "number", id % 100));
    batch.commit().expect("a commit");
    let stopped = customers.make_searchable("number", |_| ControlFlow::Break(())).expect_err("it was ended");
    assert!(matches!(stopped, Error::Stopped), "{stopped}");
    assert!(customers.find_keys(attr("number").exists()).is_err(), "it is as it was");
    assert_eq!(faults(attributes), []);
    let mut told = Vec::new();
    let made = customers.make_searchable("number", |progress| {
        told.push((progress.done, progress.total));
        ControlFlow::Continue(())
    });
    assert!(made.expect("an index").is_searchable());
    assert!(told.len() > 1 && told.is_sorted() && told.last() == Some(&(10_000, 10_000)), "{told:?}");
    assert_eq!(customers.count_found(attr("number").eq(7)).expect("a count"), 100);
    assert_eq!(faults(attributes), []);
}

#[test]
fn making_an_index_tells_how_far_it_is_and_can_be_ended() {
    tells_how_far_it_is(&Attributes::new(MemoryStore::new()));
    let folder = tempfile::tempdir().expect("a folder");
    tells_how_far_it_is(&sqlite(&folder.path().join("progress.db")));
}

fn tells_how_it_answers<S: AttributeStore>(attributes: &Attributes<S>) {
    let customers = attributes.of("customer").expect("a type");
    let specs = [DefinitionSpec::integer("number"), DefinitionSpec::string("tier"), DefinitionSpec::boolean("rare")];
    customers.ensure(specs).expect("definitions");
    let batch = (0..3000i64).fold(attributes.batch(), |batch, id| {
        let batch = batch.set(("customer", id), "number", id).set(("customer", id), "tier", ["a", "b", "c"][id as usize % 3]);
        if id % 1000 == 0 { batch.set(("customer", id), "rare", true) } else { batch }
    });
    batch.commit().expect("a commit");
    let rare = || attr("rare").eq(true);
    let by_number = |filter: Filter| Query::new(filter).order_by("number", Direction::Descending);

    // Three are read; to walk over 3,000 values would take longer.
    let explained = customers.explain(attr("number").gt(10) & rare()).expect("an explanation");
    let [and, first, second] = explained.parts.as_slice() else { panic!("{explained}") };
    assert_eq!((and.way, first.way, first.test.as_deref()), (Way::AllOf, Way::LookedUp, Some("rare = true")));
    assert_eq!((first.expected, first.left), (Some(3), 3));
    assert!(matches!(second.way, Way::Walked { steps: 200..=300, read: 3 }), "{explained}");
    assert_eq!((second.test.as_deref(), second.given, second.left), (Some("number > 10"), 3, 2));
    // A thousand are not: after the first of them, walking is shorter.
    let many = Query::new(attr("number").gt(10) & attr("tier").eq("b")).limit(3000);
    let explained = customers.explain(many).expect("an explanation");
    assert!(matches!(explained.parts[2].way, Way::Walked { steps: 2989..=2995, read: 0..=100 }), "{explained}");
    assert_eq!((explained.parts[2].given, explained.found, explained.limit), (1000, 996, 3000));
    // A broad filter walks the order, a narrow one sorts what it leaves.
    let broad = customers.explain(by_number(attr("tier").ne("b"))).expect("an explanation");
    assert_eq!((broad.order, broad.found), (ExplainedOrder::Walked, 100));
    let narrow = customers.explain(by_number(rare())).expect("an explanation");
    assert_eq!((narrow.order, narrow.found), (ExplainedOrder::Sorted { read: 3 }, 3));
    assert!(narrow.to_string().ends_with("by value: read and sorted 3 entities: the first 100; 3 found"), "{narrow}");
}

#[test]
fn a_query_tells_how_it_was_answered() {
    tells_how_it_answers(&Attributes::new(MemoryStore::new()));
    tells_how_it_answers(&Attributes::new(SqliteStore::in_memory().expect("a store")));
}

/// Values of one type, some of them close to each other or to a bound, texts also longer than the index keeps.
fn values(data_type: DataType) -> BoxedStrategy<Vec<Value>> {
    let one = match data_type {
        DataType::String => prop_oneof!["[aéz\u{ffff}😀]{0,4}", "e{125,131}[ab]?", "(é){62,66}"].prop_map(Value::from).boxed(),
        DataType::Decimal => {
            let number = prop_oneof![
                (-1000i64..1000, 0u32..4).prop_map(|(number, scale)| Decimal::new(number, scale)),
                (any::<i64>(), 0u32..20).prop_map(|(number, scale)| Decimal::new(number.max(-i64::MAX), scale)),
                (-5i128..5, 28u32..=28).prop_map(|(number, scale)| Decimal::from_i128_with_scale(number, scale)),
            ];
            number.prop_map(Value::from).boxed()
        }
        DataType::Integer => {
            let bytes = (0u32..64, -2i64..=2, any::<bool>());
            let near = bytes.prop_map(|(bits, by, negative)| {
                let number = (1i64 << bits.min(62)).saturating_add(by);
                if negative { -number } else { number }
            });
            prop_oneof![any::<i64>(), -300i64..300, near, Just(i64::MIN), Just(i64::MAX)].prop_map(Value::from).boxed()
        }
        DataType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        _ => (1i32..=3_652_059)
            .prop_map(|day| Value::from(chrono::NaiveDate::from_num_days_from_ce_opt(day).expect("a day")))
            .boxed(),
    };
    proptest::collection::vec(one, 1..24).boxed()
}

fn typed_values() -> impl Strategy<Value = (DataType, Vec<Value>)> {
    proptest::sample::select(DataType::ALL.to_vec()).prop_flat_map(|data_type| (Just(data_type), values(data_type)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    /// The keys of the index order as the values do, and come back as the values they were.
    #[test]
    fn an_index_orders_as_values_do((data_type, values) in typed_values()) {
        let (memory, file) = (Attributes::new(MemoryStore::new()), Attributes::new(SqliteStore::in_memory().expect("a store")));
        orders_as_values_do(&memory, data_type, &values)?;
        orders_as_values_do(&file, data_type, &values)?;
    }
}

fn orders_as_values_do<S: AttributeStore>(
    attributes: &Attributes<S>,
    data_type: DataType,
    values: &[Value],
) -> Result<(), TestCaseError> {
    let customers = attributes.of("customer").expect("a type");
    customers.define(DefinitionSpec::new("value", data_type)).expect("a definition");
    let all = values.iter().zip(0i64..);
    let batch = all.clone().fold(attributes.batch(), |batch, (value, id)| batch.set(("customer", id), "value", value.clone()));
    batch.commit().expect("a commit");
    let mut sorted: Vec<_> = all.clone().collect();
    sorted.sort();
    let found = ids(attributes, Query::all().order_by("value", Direction::Ascending).limit(5));
    prop_assert_eq!(found, sorted.iter().map(|(_, id)| *id).collect::<Vec<_>>());
    let mut counts: BTreeMap<&Value, u64> = BTreeMap::new();
    values.iter().for_each(|value| *counts.entry(value).or_default() += 1);
    let facets = customers.facets(None, "value").expect("facets");
    let counts: Vec<_> = counts.into_iter().map(|(value, count)| (value.clone(), count)).collect();
    prop_assert_eq!(facets.values(), counts);
    for bound in values {
        let of = |wanted: &dyn Fn(&Value) -> bool| {
            all.clone().filter(|(value, _)| wanted(value)).map(|(_, id)| id).collect::<Vec<_>>()
        };
        prop_assert_eq!(ids(attributes, attr("value").eq(bound.clone())), of(&|value| value == bound));
        prop_assert_eq!(ids(attributes, attr("value").lt(bound.clone())), of(&|value| value < bound));
        prop_assert_eq!(ids(attributes, attr("value").le(bound.clone())), of(&|value| value <= bound));
        prop_assert_eq!(ids(attributes, !attr("value").gt(bound.clone())), of(&|value| value <= bound));
        prop_assert_eq!(ids(attributes, attr("value").ge(bound.clone())), of(&|value| value >= bound));
    }
    Ok(())
}

#[test]
fn comparing_and_counting_tell_how_far_they_are_and_can_be_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let attributes = sqlite(&folder.path().join("told.db"));
    let customers = attributes.of("customer").expect("a type");
    customers.define(DefinitionSpec::integer("n")).expect("a definition");
    let batch = (0..70_000i64).fold(attributes.batch(), |batch, id| batch.set(("customer", id), "n", id));
    batch.commit().expect("a load");
    let view = attributes.snapshot().expect("a snapshot");
    let mut told = Vec::new();
    let all = |progress: custom_attributes::Progress| {
        told.push((progress.done, progress.total));
        ControlFlow::Continue(())
    };
    view.verify_index_with(|fault| panic!("{fault}"), all).expect("an index");
    assert_eq!(told, [(65_536, 70_000), (70_000, 70_000)]);
    let ended = view.verify_index_with(|fault| panic!("{fault}"), |_| ControlFlow::Break(()));
    assert!(matches!(ended, Err(custom_attributes::Error::Stopped)), "{ended:?}");
    let mut told = 0;
    let usage = view.usage_with(customers.entity_type(), |progress| {
        told = progress.done;
        ControlFlow::Continue(())
    });
    assert_eq!((usage.expect("usage")[0].distinct, told), (70_000, 70_000));
    let ended = view.usage_with(customers.entity_type(), |_| ControlFlow::Break(()));
    assert!(matches!(ended, Err(custom_attributes::Error::Stopped)), "{:?}", ended.err());
}
