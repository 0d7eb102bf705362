//! Beside what one would write by hand, in one run: a table with a typed, indexed column per attribute in SQLite, and a
//! plain map in memory. Both sides do the same work on the same data, in turns, slice by slice; what counts is the ratio.
//!
//! `cargo bench --bench beside_by_hand` measures 100,000 entities; `-- --entities 10000` fewer; `-- --quick` in fewer turns;
//! `-- --sqlite` and `-- --memory` one part alone.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/customers.rs"]
mod customers;
#[path = "support/turns.rs"]
mod turns;

use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;

use custom_attributes::{
    AttributeStore, Attributes, AttributesOf, CommitId, DefinitionSpec, MemoryStore, SqliteStore, Value, View,
};

use by_hand::ByHand;
use customers::{ATTRIBUTES, Customers};
use turns::{Arguments, Report, Turns};

/// The attribute that is read and set alone: in the middle of the ten.
const ONE: usize = 5;

fn main() {
    let arguments = Arguments::read();
    let (entities, turns) = (arguments.entities, arguments.turns);
    let customers = Customers::new(entities);
    let folder = tempfile::tempdir().expect("a folder for the files");
    println!("{entities} entities x {} attributes, medians of {} turns", ATTRIBUTES.len(), turns.0);
    Report::head();
    if !arguments.has("--memory") {
        let (hand, ours) = load(&customers, folder.path(), turns);
        agree(&customers, &hand, &ours);
        sqlite(&customers, &hand, &ours, turns);
        agree(&customers, &hand, &ours);
    }
    if !arguments.has("--sqlite") {
        memory(&customers, turns);
    }
}

fn define<S: AttributeStore>(customers: &AttributesOf<'_, S>) {
    customers.ensure(ATTRIBUTES.map(|(name, data_type)| DefinitionSpec::new(name, data_type))).expect("definitions");
}

/// All entities in one transaction, or one batch.
fn fill<S: AttributeStore>(attributes: &Attributes<S>, customers: &Customers) {
    define(&attributes.of("customer").expect("a type"));
    let named = |values: [Value; 10]| ATTRIBUTES.iter().map(|(name, _)| *name).zip(values);
    let batch = customers.iter().fold(attributes.batch(), |batch, (id, values)| batch.save(("customer", id), named(values)));
    batch.commit().expect("a load");
}

fn load(customers: &Customers, folder: &Path, turns: Turns) -> (ByHand, Attributes<SqliteStore>) {
    let (mut kept_hand, mut kept_ours) = (None, None);
    let path = |side: &str, turn: usize| folder.join(format!("{side}-{turn}.db"));
    let (mut hand_turn, mut our_turn) = (0, 0);
    let report = turns.few().measure(
        || {
            hand_turn += 1;
            let mut hand = ByHand::create(&path("hand", hand_turn));
            hand.load(customers);
            kept_hand = Some(hand);
        },
        || {
            our_turn += 1;
            let ours = Attributes::new(SqliteStore::open(path("ours", our_turn)).expect("a store"));
            fill(&ours, customers);
            kept_ours = Some(ours);
        },
    );
    report.print(&format!("load {} entities, history on", customers.len()), customers.len(), 1.3);
    let size = |path: &Path| {
        let connection = rusqlite::Connection::open(path).expect("a file");
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("a checkpoint");
        std::fs::metadata(path).expect("a file").len()
    };
    let (hand, ours) = (size(&path("hand", hand_turn)), size(&path("ours", our_turn)));
    Report::sizes("file", hand, ours, 1.3);
    (kept_hand.expect("a load by hand"), kept_ours.expect("a load of ours"))
}

/// What both sides hold is the same: a ratio between different answers would say nothing.
fn agree(data: &Customers, hand: &ByHand, ours: &Attributes<SqliteStore>) {
    let customers = ours.of("customer").expect("a type");
    let mut whole = hand.reader_of_all();
    let step = (data.len() / 1000).max(1);
    for (id, _) in data.iter().step_by(step) {
        let entity = customers.entity(id).expect("an entity").expect("it is loaded");
        assert_eq!(entity.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>(), whole.read(id), "customer {id}");
    }
}

fn sqlite(data: &Customers, hand: &ByHand, ours: &Attributes<SqliteStore>, turns: Turns) {
    let customers = ours.of("customer").expect("a type");
    let (name, reads) = (ATTRIBUTES[ONE].0, 2_000);
    let (mut a, mut b) = (data.walk(), data.walk());
    let mut one = hand.reader_of_one(name);
    let report = turns.measure(
        || (0..reads).for_each(|_| _ = black_box(one.read(a.next_id()))),
        || (0..reads).for_each(|_| _ = black_box(customers.get::<i64>(b.next_id(), name).expect("a value"))),
    );
    report.print("read one value", reads, 1.6);

    let mut whole = hand.reader_of_all();
    let report = turns.measure(
        || (0..reads).for_each(|_| _ = black_box(whole.read(a.next_id()))),
        || (0..reads).for_each(|_| _ = black_box(customers.entity(b.next_id()).expect("an entity"))),
    );
    report.print("read a whole entity", reads, 1.3);

    // The past of an entity, beside its present: both ours, each in a snapshot that is held.
    let (now, then) = (ours.snapshot().expect("a snapshot"), ours.as_of(CommitId::new(2)).expect("the load"));
    let read = |view: &View<'_>, id: i64| _ = black_box(view.entity(("customer", id)).expect("a read"));
    let report =
        turns.measure(|| (0..reads).for_each(|_| read(&now, a.next_id())), || (0..reads).for_each(|_| read(&then, b.next_id())));
    report.print("read an entity as of a commit, beside now", reads, 3.0);
    drop((now, then));

    let calls = 20;
    let report = turns.measure(
        || (0..calls * 100).for_each(|_| _ = black_box(whole.read(a.next_id()))),
        || (0..calls).for_each(|_| _ = black_box(customers.entities((0..100).map(|_| b.next_id())).expect("entities"))),
    );
    report.print("read 100 entities in one call", calls, 1.2);

    let sets = 50;
    let mut set = hand.setter_of_one(name);
    let report = turns.measure(
        || (0..sets).for_each(|_| set.set(a.next_id(), a.next_number())),
        || (0..sets).for_each(|_| _ = customers.set(b.next_id(), name, b.next_number()).expect("a set")),
    );
    report.print("set one value durably, history on", sets, 1.25);
}

fn memory(data: &Customers, turns: Turns) {
    let ours = Attributes::new(MemoryStore::new());
    fill(&ours, data);
    let customers = ours.of("customer").expect("a type");
    let mut map: HashMap<(u64, u32), Value> = HashMap::new();
    for (id, values) in data.iter() {
        map.extend(values.into_iter().zip(0..).map(|(value, n)| ((id.unsigned_abs(), n), value)));
    }
    let (mut a, mut b) = (data.walk(), data.walk());
    let (reads, attribute) = (200_000, u32::try_from(ONE).expect("a small number"));
    let number = |value: Option<&Value>| match value {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    };
    let report = turns.measure(
        || (0..reads).for_each(|_| _ = black_box(number(map.get(&(a.next_id().unsigned_abs(), attribute))))),
        || (0..reads).for_each(|_| _ = black_box(customers.get::<i64>(b.next_id(), ATTRIBUTES[ONE].0).expect("a value"))),
    );
    report.print("in memory: read one value", reads, 3.0);
}
