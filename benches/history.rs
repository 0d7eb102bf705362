//! What history costs, beside the same store with history off, in turns; and a change of type of all values of an attribute, with the
//! memory that it needs and what readers wait meanwhile.
//!
//! `cargo bench --bench history` measures 100,000 entities; `-- --entities 1000000` more; `-- --quick` in fewer turns; `-- --change`
//! the change of type alone.

#[path = "support/customers.rs"]
mod customers;
#[path = "support/turns.rs"]
mod turns;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use custom_attributes::{Attributes, CommitId, DataType, DefinitionSpec, Limits, Offending, Retention, SqliteStore, Value};

use customers::{ATTRIBUTES, Customers};
use turns::{Arguments, Report, Turns};

/// How many sets one transaction has.
const SETS: usize = 5_000;

fn main() {
    let arguments = Arguments::read();
    let folder = tempfile::tempdir().expect("a folder for the files");
    let customers = Customers::new(arguments.entities);
    println!("{} entities, medians of {} turns", customers.len(), arguments.turns.0);
    if !arguments.has("--change") {
        costs(&customers, folder.path(), arguments.turns);
    }
    change(&customers, folder.path());
}

fn open(path: &Path, retention: Retention) -> Attributes<SqliteStore> {
    let mut limits = Limits::typed();
    limits.retention = retention;
    let store = SqliteStore::open(path).expect("a store");
    Attributes::new(store).with_limits(limits).expect("limits")
}

fn fill(attributes: &Attributes<SqliteStore>, customers: &Customers) {
    let specs = ATTRIBUTES.map(|(name, data_type)| DefinitionSpec::new(name, data_type));
    attributes.of("customer").expect("a type").ensure(specs).expect("definitions");
    let named = |values: [Value; 10]| ATTRIBUTES.iter().map(|(name, _)| *name).zip(values);
    let batch = customers.iter().fold(attributes.batch(), |batch, (id, values)| batch.save(("customer", id), named(values)));
    batch.commit().expect("a load");
}

fn costs(customers: &Customers, folder: &Path, turns: Turns) {
    Report::head_of("off", "on");
    let mut loads = 0;
    let (mut off, mut on) = (None, None);
    let mut load = |retention: Retention| {
        loads += 1;
        let path = |load: usize| folder.join(format!("load-{load}.db"));
        // The last of each side is gone on with, and the one before it is no longer open.
        if loads > 4 {
            std::fs::remove_file(path(loads - 4)).expect("it is closed");
        }
        let attributes = open(&path(loads), retention);
        fill(&attributes, customers);
        attributes
    };
    let load = std::cell::RefCell::new(&mut load);
    let report = turns
        .few()
        .measure(|| off = Some((load.borrow_mut())(Retention::Off)), || on = Some((load.borrow_mut())(Retention::Forever)));
    report.print(&format!("load {} entities", customers.len()), customers.len(), 1.05);

    let (off, on) = (off.expect("a load"), on.expect("a load"));
    let (mut a, mut b) = (customers.walk(), customers.walk());
    let update = |attributes: &Attributes<SqliteStore>, walk: &mut customers::Walk| {
        let batch = (0..SETS).fold(attributes.batch(), |batch, _| {
            let (id, n, value) = walk.next_set();
            batch.set(("customer", id), ATTRIBUTES[n].0, value)
        });
        batch.commit().expect("a commit");
    };
    let report = turns.measure(|| update(&off, &mut a), || update(&on, &mut b));
    report.print("5,000 random sets in one transaction", SETS, 1.5);

    let name = ATTRIBUTES[5].0;
    let set = |attributes: &Attributes<SqliteStore>, walk: &mut customers::Walk| {
        let of = attributes.of("customer").expect("a type");
        (0..50).for_each(|_| _ = of.set(walk.next_id(), name, walk.next_number()).expect("a set"));
    };
    let report = turns.measure(|| set(&off, &mut a), || set(&on, &mut b));
    report.print("set one value durably", 50, 1.5);

    let (now, then) = (on.snapshot().expect("a snapshot"), on.as_of(CommitId::new(2)).expect("the load"));
    let read = |view: &custom_attributes::View<'_>, walk: &mut customers::Walk| {
        (0..2_000).for_each(|_| _ = std::hint::black_box(view.entity(("customer", walk.next_id())).expect("a read")));
    };
    Report::head_of("now", "as of");
    let report = turns.measure(|| read(&now, &mut a), || read(&then, &mut b));
    report.print("read an entity, of which many changed", 2_000, 3.0);
}

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|kilobytes| kilobytes.trim().parse().ok()).unwrap_or(0) * 1024
}

/// Texts to numbers, in a file that was loaded in parts, so that what is measured is the change.
fn change(customers: &Customers, folder: &Path) {
    let attributes = open(&folder.join("change.db"), Retention::Forever);
    let of = attributes.of("customer").expect("a type");
    of.ensure([DefinitionSpec::string("number"), DefinitionSpec::string("name")]).expect("definitions");
    let all = i64::try_from(customers.len()).expect("it fits");
    for first in (0..all).step_by(20_000) {
        let batch = (first..(first + 20_000).min(all)).fold(attributes.batch(), |batch, id| {
            let batch = batch.set(("customer", id), "number", id.to_string());
            batch.set(("customer", id), "name", format!("customer number {id}"))
        });
        batch.commit().expect("a load");
    }
    let plan = of.change("number", |spec| spec.of_type(DataType::Integer));
    let began = Instant::now();
    assert_eq!(plan.check().expect("a report").converted, customers.len() as u64);
    let checked = began.elapsed();
    let (before, done, told) = (peak(), AtomicBool::new(false), std::cell::Cell::new(0));
    let (applied, mut waits) = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut walk, mut waits) = (customers.walk(), Vec::new());
            while !done.load(Ordering::Relaxed) {
                let began = Instant::now();
                std::hint::black_box(of.entity(walk.next_id() - 1).expect("a read"));
                waits.push(began.elapsed());
                thread::sleep(Duration::from_micros(200));
            }
            waits
        });
        let began = Instant::now();
        let counted = |_| {
            told.set(told.get() + 1);
            ControlFlow::Continue(())
        };
        plan.apply_with_progress(Offending::Refuse, counted).expect("a change");
        let applied = began.elapsed();
        done.store(true, Ordering::Relaxed);
        (applied, reader.join().expect("a reader"))
    });
    waits.sort_unstable();
    let wait = |of_1000: usize| waits[(waits.len() - 1) * of_1000 / 1000].as_secs_f64() * 1e3;
    println!("{} texts to INTEGER: checked in {:.2} s, applied in {:.2} s", customers.len(), secs(checked), secs(applied));
    println!("  told {} times; memory grew by {:.0} MB", told.get(), (peak() - before) as f64 / 1e6);
    println!(
        "  {} reads meanwhile: p50 {:.3} ms, p99 {:.3} ms, the longest {:.2} ms",
        waits.len(),
        wait(500),
        wait(990),
        wait(1000)
    );
}

fn secs(time: Duration) -> f64 {
    time.as_secs_f64()
}
