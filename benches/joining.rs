//! The host's own SQL that joins its table on attributes through a view, beside the same join on a table with a typed column
//! for each attribute: the same rows on both sides, in turns; what counts is the ratio.
//!
//! `cargo bench --bench joining` measures 100,000 entities; `-- --entities 10000` fewer; `-- --quick` in fewer turns.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/customers.rs"]
mod customers;
#[path = "support/turns.rs"]
mod turns;

use std::hint::black_box;

use custom_attributes::{Attributes, AttributesOf, DefinitionSpec, Filter, Query, SqliteStore};
use rusqlite::types::Value;
use rusqlite::{Connection, Params, Statement};

use by_hand::ByHand;
use customers::{ATTRIBUTES, Customers};
use turns::{Arguments, Report, Turns};

/// Ten customers each have a name.
const HOST: &str = "
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE INDEX customers_name ON customers (name);
";

fn main() {
    let arguments = Arguments::read();
    let (entities, turns) = (arguments.entities, arguments.turns);
    let data = Customers::new(entities);
    let folder = tempfile::tempdir().expect("a folder for the files");
    println!("{entities} entities x {} attributes, medians of {} turns", ATTRIBUTES.len(), turns.0);
    Report::head();

    let mut hand = ByHand::create(&folder.path().join("by_hand.db"));
    hand.load(&data);
    let path = folder.path().join("ours.db");
    let host = Connection::open(&path).expect("a file");
    host.execute_batch(HOST).expect("a table");
    let fill = format!(
        "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {entities})
         INSERT INTO customers SELECT id, 'name ' || (id % {}) FROM n",
        entities.div_ceil(10)
    );
    host.execute_batch(&fill).expect("customers");
    hand.execute(HOST);
    hand.execute(&fill);
    let ours = Attributes::new(SqliteStore::options().beside_host_tables().open(&path).expect("a store"));
    let attributes = ours.of("customer").expect("a type");
    attributes.ensure(ATTRIBUTES.map(|(name, data_type)| DefinitionSpec::new(name, data_type))).expect("definitions");
    let batch = data.iter().fold(ours.batch(), |batch, (id, values)| {
        batch.save(("customer", id), ATTRIBUTES.iter().map(|(name, _)| *name).zip(values))
    });
    batch.commit().expect("a load");

    joins(&data, &hand, &host, turns);
    found(&hand, &host, &attributes, turns);
}

fn rows(statement: &mut Statement<'_>, params: impl Params) -> Vec<Vec<Value>> {
    let columns = statement.column_count();
    let rows = statement.query_map(params, |row| (0..columns).map(|n| row.get(n)).collect());
    rows.expect("a query").collect::<Result<_, _>>().expect("rows")
}

fn joins(data: &Customers, hand: &ByHand, host: &Connection, turns: Turns) {
    let all = "c.name, a.gender, a.partner, a.internet_service, a.contract, a.payment_method, a.tenure, a.credit_limit, a.contract_expiry";
    let people = data.len().div_ceil(10) as i64;
    for (what, times, few, columns, wanted) in [
        ("one customer by id, one attribute", 1_000, false, "c.name, a.credit_limit", "WHERE c.id = ?1"),
        ("one customer by id, eight attributes", 1_000, false, all, "WHERE c.id = ?1"),
        ("ten customers by name, two attributes", 200, false, "a.credit_limit, a.contract", "WHERE c.name = 'name ' || ?1"),
        (
            "a hundred in order, three attributes",
            50,
            false,
            "a.tenure, a.contract, a.contract_expiry",
            "WHERE c.id > ?1 ORDER BY c.id LIMIT 100",
        ),
        ("all, one sum", 1, true, "sum(a.credit_limit)", "WHERE c.id > ?1 - ?1"),
    ] {
        for join in ["JOIN", "LEFT JOIN"] {
            let mut by_hand =
                hand.prepare(&format!("SELECT {columns} FROM customers c {join} customer a ON a.id = c.id {wanted}"));
            let view = format!("SELECT {columns} FROM customers c {join} attr_of_customer a ON a.entity_id = c.id {wanted}");
            let mut view = host.prepare(&view).expect("SQL");
            let (mut a, mut b) = (data.walk(), data.walk());
            let bound = |id: i64| if wanted.contains("name") { id % people } else { id };
            for _ in 0..20 {
                let id = [bound(a.next_id())];
                b.next_id();
                assert_eq!(rows(&mut by_hand, id), rows(&mut view, id), "{what}");
            }
            let report = if few { turns.few() } else { turns }.measure(
                || (0..times).for_each(|_| _ = black_box(rows(&mut by_hand, [bound(a.next_id())]))),
                || (0..times).for_each(|_| _ = black_box(rows(&mut view, [bound(b.next_id())]))),
            );
            let shown = if join == "JOIN" { what.to_owned() } else { format!("  the same by {join}") };
            report.print(&shown, times, 3.0);
        }
    }
}

/// What is asked of attributes is found by the library's index, and handed to the host's SQL.
fn found(hand: &ByHand, host: &Connection, attributes: &AttributesOf<'_, SqliteStore>, turns: Turns) {
    let wanted = "gender = 'Male' and contract = 'Two year' and tenure > 60";
    let sql = "SELECT c.name FROM customers c JOIN customer a ON a.id = c.id WHERE";
    let mut by_hand = hand.prepare(&format!("{sql} {wanted} ORDER BY c.id"));
    let by_ids = "SELECT name FROM customers WHERE id IN (SELECT value FROM json_each(?1) WHERE type = 'integer') ORDER BY id";
    let mut by_ids = host.prepare(by_ids).expect("SQL");
    let query = Query::new(Filter::parse(wanted).expect("a filter")).limit(Query::MAX_LIMIT);
    let mut find = || {
        let (mut query, mut all) = (query.clone(), Vec::new());
        loop {
            let page = attributes.find_keys(query.clone()).expect("a page");
            all.extend(rows(&mut by_ids, [page.ids_as_json()]));
            let Some(next) = page.next else { return all };
            query = query.after(next);
        }
    };
    assert_eq!(rows(&mut by_hand, []), find());
    let report = turns.measure(|| _ = black_box(rows(&mut by_hand, [])), || _ = black_box(find()));
    report.print("names of a three-way and, by found ids", 1, 3.0);
}
