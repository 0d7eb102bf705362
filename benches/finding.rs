//! Finding beside columns, in one run: a table with an index on each of its typed columns in SQLite, and a scan over a plain
//! map in memory. Both sides give the same answers, which is checked; what counts is the ratio.
//!
//! `cargo bench --bench finding` asks 100,000 entities; `-- --entities 1000000` more; `-- --quick` in fewer turns;
//! `-- --sqlite` and `-- --memory` one part alone.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/customers.rs"]
mod customers;
#[path = "support/turns.rs"]
mod turns;

use std::cell::Cell;
use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;

use custom_attributes::{
    AttributeStore, Attributes, AttributesOf, Cursor, DefinitionSpec, Direction, Filter, MemoryStore, Query, SqliteStore, Value,
};

use by_hand::{ByHand, to_sql};
use customers::{ATTRIBUTES, Customers};
use turns::{Arguments, Report, Turns};

/// The same words in both languages.
const THREE_WAY: &str = "contract = 'Two year' and internet_service = 'DSL' and payment_method = 'Mailed check'";
const EITHER_BUT_NOT: &str = "(contract = 'Two year' or internet_service = 'No') and not payment_method = 'Electronic check'";
const BROAD: &str = "partner = true";
const RARE: &str = "credit_limit = 5000";

fn main() {
    let arguments = Arguments::read();
    let (entities, turns) = (arguments.entities, arguments.turns);
    let data = Customers::new(entities);
    let folder = tempfile::tempdir().expect("a folder for the files");
    println!("{entities} entities x {} attributes, medians of {} turns", ATTRIBUTES.len(), turns.0);
    Report::head();
    if !arguments.has("--memory") {
        sqlite(&data, folder.path(), turns);
    }
    if !arguments.has("--sqlite") {
        memory(&data, turns);
    }
}

fn fill<S: AttributeStore>(attributes: &Attributes<S>, data: &Customers) {
    let specs = ATTRIBUTES.map(|(name, data_type)| DefinitionSpec::new(name, data_type));
    attributes.of("customer").expect("a type").ensure(specs).expect("definitions");
    let mut all = data.iter().peekable();
    while all.peek().is_some() {
        let named = |values: [Value; 10]| ATTRIBUTES.iter().map(|(name, _)| *name).zip(values);
        let part = all.by_ref().take(20_000);
        let batch = part.fold(attributes.batch(), |batch, (id, values)| batch.save(("customer", id), named(values)));
        batch.commit().expect("a load");
    }
}

/// Both sides over the same file contents.
struct Sides<'a> {
    hand: &'a ByHand,
    ours: &'a AttributesOf<'a, SqliteStore>,
    turns: Turns,
}

fn filter(text: &str) -> Filter {
    Filter::parse(text).expect("a filter")
}

impl Sides<'_> {
    fn count(&self, what: &str, by_hand: &str, text: &str, goal: f64) {
        let mut select = self.hand.prepare(&format!("SELECT count(*) FROM customer WHERE {by_hand}"));
        let mut by_hand = || select.query_row([], |row| row.get::<_, i64>(0)).expect("a count").unsigned_abs();
        let filter = filter(text);
        let ours = || self.ours.count_found(&filter).expect("a count");
        let found = by_hand();
        assert_eq!(found, ours(), "{text}");
        let report = self.turns.measure(|| _ = black_box(by_hand()), || _ = black_box(ours()));
        report.print(&format!("{what} ({found})"), 1, goal);
    }

    /// All keys that are found, in any order.
    fn keys(&self, what: &str, by_hand: &str, text: &str, goal: f64) {
        let mut select = self.hand.prepare(&format!("SELECT id FROM customer WHERE {by_hand}"));
        let mut by_hand =
            || select.query_map([], |row| row.get(0)).expect("rows").map(|id| id.expect("an id")).collect::<Vec<i64>>();
        let query = Query::new(filter(text)).limit(10_000);
        let ours = || {
            let (mut found, mut query) = (Vec::new(), query.clone());
            loop {
                let page = self.ours.find_keys(query.clone()).expect("a page");
                found.extend(page.keys.iter().filter_map(|key| key.id().as_integer()));
                let Some(next) = page.next else { return found };
                query = query.after(next);
            }
        };
        let mut found = by_hand();
        found.sort_unstable();
        assert_eq!(found, ours(), "{text}");
        let report = self.turns.measure(|| _ = black_box(by_hand()), || _ = black_box(ours()));
        report.print(&format!("{what} ({})", found.len()), 1, goal);
    }

    /// A page of 100 keys.
    fn page(&self, what: &str, by_hand: &str, query: &Query, goal: f64) {
        let mut select = self.hand.prepare(&format!("SELECT id FROM customer WHERE {by_hand} LIMIT 100"));
        let mut by_hand =
            || select.query_map([], |row| row.get(0)).expect("rows").map(|id| id.expect("an id")).collect::<Vec<i64>>();
        let ours = || {
            let page = self.ours.find_keys(query.clone()).expect("a page");
            page.keys.iter().filter_map(|key| key.id().as_integer()).collect::<Vec<_>>()
        };
        assert_eq!(by_hand(), ours(), "{query:?}");
        let report = self.turns.measure(|| _ = black_box(by_hand()), || _ = black_box(ours()));
        report.print(what, 1, goal);
    }
}

/// The cursor behind this customer, in the order of writing.
fn after(customers: &AttributesOf<'_, SqliteStore>, query: &Query, id: i64) -> Cursor {
    let mut query = query.clone().limit(10_000);
    loop {
        let page = customers.find_keys(query.clone()).expect("a page");
        let before = page.keys.iter().take_while(|key| key.id().as_integer().is_some_and(|found| found <= id)).count();
        if before < page.keys.len() {
            return customers.find_keys(query.limit(before.max(1))).expect("a page").next.expect("there is more");
        }
        query = query.after(page.next.expect("there is more"));
    }
}

fn sqlite(data: &Customers, folder: &Path, turns: Turns) {
    let mut hand = ByHand::create(&folder.join("hand.db"));
    hand.load(data);
    let attributes = Attributes::new(SqliteStore::open(folder.join("ours.db")).expect("a store"));
    fill(&attributes, data);
    let ours = attributes.of("customer").expect("a type");
    let sides = Sides { hand: &hand, ours: &ours, turns };

    sides.count("three-way and, counted", THREE_WAY, THREE_WAY, 0.07);
    sides.count("(A or B) and not C, counted", EITHER_BUT_NOT, EITHER_BUT_NOT, 0.03);
    sides.count("70 %, counted", BROAD, BROAD, 0.01);
    sides.count("equality, 0.2 %, counted", RARE, RARE, 0.35);
    sides.keys("three-way and, all keys", THREE_WAY, THREE_WAY, 0.07);
    sides.keys("equality, 0.2 %, all keys", RARE, RARE, 0.35);
    let mut charges: Vec<_> = data.iter().map(|(_, values)| values[8].clone()).collect();
    charges.sort_unstable();
    let [first, last] = [50, 51].map(|percent| charges[charges.len() * percent / 100].to_string());
    let cents = |text: &str| text.replace('.', "");
    let by_hand = format!("total_charges BETWEEN {} AND {}", cents(&first), cents(&last));
    let range = format!("total_charges between {first} and {last}");
    sides.count("range, 1 %, counted", &by_hand, &range, 1.3);
    sides.keys("range, 1 %, all keys", &by_hand, &range, 1.3);

    let middle = i64::try_from(data.len() / 2).expect("a number");
    let query = Query::new(filter(THREE_WAY));
    let cursor = after(&ours, &query, middle);
    sides.page(
        "page of 100, three-way and, middle",
        &format!("{THREE_WAY} AND id > {middle} ORDER BY id"),
        &query.after(cursor),
        0.3,
    );
    let broad = Query::new(filter(BROAD)).order_by("monthly_charges", Direction::Descending);
    sides.page("sorted page of 100, broad filter", &format!("{BROAD} ORDER BY monthly_charges DESC, id"), &broad, 1.0);
    let narrow = Query::new(filter(THREE_WAY)).order_by("total_charges", Direction::Ascending);
    sides.page("sorted page of 100, narrow filter", &format!("{THREE_WAY} ORDER BY total_charges, id"), &narrow, 0.5);

    batches(data, &hand, &attributes, turns);
}

/// 5,000 random values of random customers in one transaction.
fn batches(data: &Customers, hand: &ByHand, ours: &Attributes<SqliteStore>, turns: Turns) {
    let sets = |mut walk: customers::Walk| move || (0..5000).map(|_| walk.next_set()).collect::<Vec<_>>();
    let (mut a, mut b) = (sets(data.walk()), sets(data.walk()));
    let mut updates: Vec<_> =
        ATTRIBUTES.iter().map(|(name, _)| hand.prepare(&format!("UPDATE customer SET {name} = ?2 WHERE id = ?1"))).collect();
    let report = turns.few().measure(
        || {
            hand.execute("BEGIN IMMEDIATE");
            for (id, n, value) in a() {
                updates[n].execute((id, to_sql(&value))).expect("an update");
            }
            hand.execute("COMMIT");
        },
        || {
            let batch =
                b().into_iter().fold(ours.batch(), |batch, (id, n, value)| batch.set(("customer", id), ATTRIBUTES[n].0, value));
            batch.commit().expect("a commit");
        },
    );
    report.print("5,000 random sets, one transaction", 5000, 2.0);
}

fn memory(data: &Customers, turns: Turns) {
    let attributes = Attributes::new(MemoryStore::new());
    fill(&attributes, data);
    let customers = attributes.of("customer").expect("a type");
    let map: HashMap<i64, [Value; 10]> = data.iter().collect();
    let wanted = [(3, Value::from("Two year")), (2, Value::from("DSL")), (4, Value::from("Mailed check"))];
    let scan = || map.values().filter(|values| wanted.iter().all(|(n, value)| values[*n] == *value)).count() as u64;
    let filter = filter(THREE_WAY);
    let ours = || customers.count_found(&filter).expect("a count");
    assert_eq!(scan(), ours());
    let found = Cell::new(0);
    let report = turns.few().measure(|| found.set(black_box(scan())), || _ = black_box(ours()));
    report.print(&format!("in memory: three-way and, counted ({})", found.get()), 1, 0.005);
}
