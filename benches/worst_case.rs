//! The slowest questions that we know of, on data that is made to be slow to ask: how long each takes per million entities.
//!
//! `cargo bench --bench worst_case` asks 100,000 entities in SQLite; `-- --entities 1000000` more.

#[path = "support/turns.rs"]
mod turns;

use std::time::{Duration, Instant};

use custom_attributes::{Attributes, AttributesOf, DefinitionSpec, Direction, Filter, Query, SqliteStore};
use rust_decimal::Decimal;

use turns::Arguments;

/// How often each question is asked; the median counts.
const TURNS: usize = 5;

fn main() {
    let entities = i64::try_from(Arguments::read().entities).expect("--entities takes a number of 64 bits");
    let folder = tempfile::tempdir().expect("a folder for the file");
    let attributes = Attributes::new(SqliteStore::open(folder.path().join("worst.db")).expect("a store"));
    fill(&attributes, entities);
    let customers = attributes.of("customer").expect("a type");
    println!("{entities} entities; medians of {TURNS}, each as per million entities");
    let first =
        |query: Query| move |customers: &AttributesOf<'_, SqliteStore>| _ = customers.find_keys(query.clone()).expect("a page");
    let count = |text: &str| {
        let filter = Filter::parse(text).expect("a filter");
        move |customers: &AttributesOf<'_, SqliteStore>| _ = customers.count_found(&filter).expect("a count")
    };
    let query = |text: &str| Query::new(Filter::parse(text).expect("a filter"));
    let report = |what: &str, ask: &dyn Fn(&AttributesOf<'_, SqliteStore>)| {
        let mut times: Vec<Duration> = (0..TURNS)
            .map(|_| {
                let began = Instant::now();
                ask(&customers);
                began.elapsed()
            })
            .collect();
        times.sort_unstable();
        let scaled = times[TURNS / 2].as_secs_f64() * 1e6 / entities as f64;
        println!("{what:<90} {:>10.1} ms", scaled * 1e3);
    };
    report("a part of long texts, all read: note contains 'nowhere', counted", &count("note contains 'nowhere'"));
    report("equal whatever the case, long texts: note ~= 'nowhere', counted", &count("note ~= 'nowhere'"));
    report("a part of distinct texts: code contains 'nowhere', counted", &count("code contains 'nowhere'"));
    report("equal whatever the case, distinct texts: code ~= 'nowhere', counted", &count("code ~= 'nowhere'"));
    let halves = format!("amount > {0} and counter_amount > {0}", entities / 2);
    report("two halves that exclude each other, counted", &count(&halves));
    report("a wide range, counted: amount > 1", &count("amount > 1"));
    report("a wide range whose entities come last, a page", &first(query(&format!("amount > {}", entities - 200))));
    report("a wide range and its complement, a page", &first(query("amount > 1 and not amount > 0.5")));
    report("long texts in order, a page", &first(Query::all().order_by("note", Direction::Ascending)));
    report("all values of distinct numbers under a wide filter: facets", &|customers| {
        let filter = Filter::parse("half = true").expect("a filter");
        assert!(customers.facets(Some(&filter), "amount").expect("facets").distinct() > 0);
    });
}

/// Distinct texts, long texts that are equal for longer than the index keeps, and two numbers that go against each other.
fn fill(attributes: &Attributes<SqliteStore>, entities: i64) {
    let specs = [
        DefinitionSpec::string("code"),
        DefinitionSpec::string("note"),
        DefinitionSpec::decimal("amount"),
        DefinitionSpec::integer("counter_amount"),
        DefinitionSpec::boolean("half"),
    ];
    attributes.of("customer").expect("a type").ensure(specs).expect("definitions");
    let same = "x".repeat(150);
    for first in (0..entities).step_by(20_000) {
        let part = first..(first + 20_000).min(entities);
        let batch = part.fold(attributes.batch(), |batch, id| {
            let key = ("customer", id);
            let batch = batch.set(key, "code", format!("code {:016x}", id.wrapping_mul(0x9e37_79b9_7f4a_7c15u64 as i64)));
            let batch = batch.set(key, "note", format!("{same} {id}")).set(key, "amount", Decimal::from(id));
            batch.set(key, "counter_amount", entities - id).set(key, "half", id % 2 == 0)
        });
        batch.commit().expect("a load");
    }
}
