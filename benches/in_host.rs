//! Attributes in the host's own transaction, beside upserts written by hand into a wide table on the same terms: one connection,
//! one transaction with rows of the host in it, statements held.
//!
//! `cargo bench --bench in_host` measures 100,000 entities; `-- --entities 10000` fewer; `-- --quick` in fewer turns.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/customers.rs"]
mod customers;
#[path = "support/turns.rs"]
mod turns;

use std::hint::black_box;
use std::path::Path;

use custom_attributes::{Attributes, DefinitionSpec, HostTables};
use rusqlite::{Connection, TransactionBehavior};

use by_hand::ByHand;
use customers::{ATTRIBUTES, Customers, Walk};
use turns::{Arguments, Report, Turns};

/// The attribute that is set: in the middle of the ten, a number with an index.
const ONE: usize = 5;

/// The host's own rows, on both sides.
const CALLS: &str = "CREATE TABLE calls (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, seconds INTEGER NOT NULL)";
const CALL: &str = "INSERT INTO calls (customer, seconds) VALUES (?1, ?2)";

fn main() {
    let arguments = Arguments::read();
    let (entities, turns) = (arguments.entities, arguments.turns);
    let customers = Customers::new(entities);
    let folder = tempfile::tempdir().expect("a folder for the files");
    println!("{entities} entities x {} attributes, medians of {} turns", ATTRIBUTES.len(), turns.0);
    let mut hand = ByHand::create(&folder.path().join("hand.db"));
    hand.load(&customers);
    hand.execute(CALLS);
    let tables = HostTables::new();
    let mut ours = host(&tables, &folder.path().join("ours.db"), &customers);
    Report::head();
    measure(&customers, &mut hand, &mut ours, &tables, turns);
}

fn host(tables: &HostTables, path: &Path, customers: &Customers) -> Connection {
    let mut connection = Connection::open(path).expect("a file");
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").expect("settings");
    connection.execute_batch(CALLS).expect("a table of the host");
    connection.set_prepared_statement_cache_capacity(64);
    let transaction = connection.transaction().expect("a transaction");
    let attributes = Attributes::new(tables.on(&transaction).expect("the tables"));
    let of = attributes.of("customer").expect("a type");
    of.ensure(ATTRIBUTES.map(|(name, data_type)| DefinitionSpec::new(name, data_type))).expect("definitions");
    let batch = customers.iter().fold(attributes.batch(), |batch, (id, values)| {
        batch.save(("customer", id), ATTRIBUTES.iter().map(|(name, _)| *name).zip(values))
    });
    batch.commit().expect("a load");
    transaction.commit().expect("a commit");
    connection
}

fn measure(data: &Customers, hand: &mut ByHand, ours: &mut Connection, tables: &HostTables, turns: Turns) {
    let name = ATTRIBUTES[ONE].0;
    let (mut a, mut b) = (data.walk(), data.walk());
    let upsert =
        format!("INSERT INTO customer (id, {name}) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET {name} = excluded.{name}");

    let by_hand = |walk: &mut Walk, calls: usize, sets: usize| {
        hand.execute("BEGIN IMMEDIATE");
        let mut call = hand.prepare_cached(CALL);
        let mut set = hand.prepare_cached(&upsert);
        (0..calls).for_each(|_| _ = call.execute([walk.next_id(), walk.next_number()]).expect("a row"));
        (0..sets).for_each(|_| _ = set.execute([walk.next_id(), walk.next_number()]).expect("a value"));
        drop((call, set));
        hand.execute("COMMIT");
    };
    let mut in_host = |walk: &mut Walk, calls: usize, sets: usize, is_batch: bool| {
        let transaction = ours.transaction_with_behavior(TransactionBehavior::Immediate).expect("a transaction");
        let mut call = transaction.prepare_cached(CALL).expect("SQL");
        (0..calls).for_each(|_| _ = call.execute([walk.next_id(), walk.next_number()]).expect("a row"));
        drop(call);
        let attributes = Attributes::new(tables.on(&transaction).expect("the tables"));
        let customers = attributes.of("customer").expect("a type");
        if is_batch {
            let mut batch = attributes.batch();
            for _ in 0..sets {
                batch = batch.set(("customer", walk.next_id()), name, walk.next_number());
            }
            batch.commit().expect("a batch");
        } else {
            (0..sets).for_each(|_| _ = customers.set(walk.next_id(), name, walk.next_number()).expect("a set"));
        }
        transaction.commit().expect("a commit");
    };

    let times = 50;
    let report = turns
        .measure(|| (0..times).for_each(|_| by_hand(&mut a, 1, 1)), || (0..times).for_each(|_| in_host(&mut b, 1, 1, false)));
    report.print("a row and a value, committed", times, 1.5);
    let times = 10;
    let report = turns
        .measure(|| (0..times).for_each(|_| by_hand(&mut a, 10, 10)), || (0..times).for_each(|_| in_host(&mut b, 10, 10, true)));
    report.print("10 rows and a batch of 10, committed", times, 1.5);
    let sets = 1000;
    let report = turns.measure(|| by_hand(&mut a, sets, sets), || in_host(&mut b, sets, sets, true));
    report.print("1000 rows and a batch of 1000", sets, 1.5);
    let report = turns.measure(|| by_hand(&mut a, sets, sets), || in_host(&mut b, sets, sets, false));
    report.print("1000 rows and 1000 sets, each a commit", sets, 1.5);
    let report = turns.measure(|| by_hand(&mut a, 0, sets), || in_host(&mut b, 0, sets, false));
    report.print("1000 sets alone, each a commit", sets, 1.5);

    let reads = 2000;
    let mut one = hand.reader_of_one(name);
    let transaction = ours.transaction().expect("a transaction");
    let attributes = Attributes::new(tables.on(&transaction).expect("the tables"));
    let customers = attributes.of("customer").expect("a type");
    let report = turns.measure(
        || (0..reads).for_each(|_| _ = black_box(one.read(a.next_id()))),
        || (0..reads).for_each(|_| _ = black_box(customers.get::<i64>(b.next_id(), name).expect("a value"))),
    );
    report.print("read one value", reads, 1.6);
}
