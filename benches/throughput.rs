//! Durable sets of one value from many threads, beside what one would write by hand: one transaction for each, on one connection
//! behind a mutex. Both sides in turns in one run; what counts is the ratio of what is done in a second.
//!
//! `cargo bench --bench throughput` measures over 100,000 entities; `-- --entities 10000` over fewer; `-- --quick` in fewer turns;
//! `-- --in-flight` only what is handed in without waiting.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/customers.rs"]
mod customers;
#[path = "support/turns.rs"]
mod turns;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use custom_attributes::{Attributes, DefinitionSpec, SqliteStore, Submitted};
use rusqlite::Connection;

use by_hand::ByHand;
use customers::{ATTRIBUTES, Customers, Walk};
use turns::{Arguments, Turns};

/// The attribute that is set: in the middle of the ten.
const ONE: &str = ATTRIBUTES[5].0;
/// How many tickets each thread holds at once.
const IN_FLIGHT: usize = 64;

struct Sides {
    hand: Mutex<Connection>,
    ours: Attributes<SqliteStore>,
    customers: Customers,
}

fn main() {
    let arguments = Arguments::read();
    let folder = tempfile::tempdir().expect("a folder for the files");
    let sides = Sides::load(Customers::new(arguments.entities), folder.path());
    println!("{} entities x {} attributes, medians of {} turns", arguments.entities, ATTRIBUTES.len(), arguments.turns.0);
    println!(
        "{:<44} {:>11} {:>11} {:>7} {:>14} {:>6}",
        "durable sets of one value", "by hand /s", "ours /s", "ratio", "(quartiles)", "goal"
    );
    let is_part = arguments.has("--in-flight");
    for (threads, sets, goal) in [(1, 200, 1.0), (4, 50, 2.0), (16, 25, 3.5)].into_iter().filter(|_| !is_part) {
        let what = format!("{threads} threads, each set waited for");
        sides.compare(arguments.turns, &what, threads, (sets, sets), goal, Sides::set_each);
    }
    for threads in [1, 4, 16] {
        let what = format!("{threads} threads, {IN_FLIGHT} in flight each");
        sides.compare(arguments.turns, &what, threads, (128 / threads, 8192 / threads), 10.0, Sides::set_in_flight);
    }
    if is_part {
        return;
    }
    sides.latencies(if arguments.turns.0 < 10 { 2 } else { 6 }, folder.path());
}

impl Sides {
    fn load(customers: Customers, folder: &Path) -> Self {
        let mut hand = ByHand::create(&folder.join("hand.db"));
        hand.load(&customers);
        drop(hand);
        let hand = Connection::open(folder.join("hand.db")).expect("a file");
        hand.execute_batch("PRAGMA synchronous = FULL").expect("a setting");
        let ours = Attributes::new(SqliteStore::open(folder.join("ours.db")).expect("a store"));
        let specs = ATTRIBUTES.map(|(name, data_type)| DefinitionSpec::new(name, data_type));
        ours.of("customer").expect("a type").ensure(specs).expect("definitions");
        let named = |values: [custom_attributes::Value; 10]| ATTRIBUTES.iter().map(|(name, _)| *name).zip(values);
        let batch = customers.iter().fold(ours.batch(), |batch, (id, values)| batch.save(("customer", id), named(values)));
        batch.commit().expect("a load");
        // Neither side begins with the log of the load.
        for file in ["hand.db", "ours.db"] {
            let connection = Connection::open(folder.join(file)).expect("a file");
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("a checkpoint");
        }
        Self { hand: Mutex::new(hand), ours, customers }
    }

    fn set_by_hand(&self, walk: &mut Walk) {
        let hand = self.hand.lock().expect("nobody panics");
        let mut set = hand.prepare_cached(&format!("UPDATE customer SET {ONE} = ?2 WHERE id = ?1")).expect("SQL");
        assert_eq!(set.execute([walk.next_id(), walk.next_number()]).expect("a set"), 1);
    }

    fn set(&self, walk: &mut Walk) {
        let customers = self.ours.of("customer").expect("a type");
        customers.set(walk.next_id(), ONE, walk.next_number()).expect("a set");
    }

    fn set_each(&self, walk: &mut Walk, sets: usize) {
        (0..sets).for_each(|_| self.set(walk));
    }

    fn set_in_flight(&self, walk: &mut Walk, sets: usize) {
        let mut tickets = VecDeque::new();
        for _ in 0..sets {
            if tickets.len() == IN_FLIGHT {
                tickets.pop_front().map(Submitted::wait).expect("a ticket").expect("a set");
            }
            let batch = self.ours.batch().set(("customer", walk.next_id()), ONE, walk.next_number());
            tickets.push_back(batch.submit().expect("a place in the queue"));
        }
        tickets.into_iter().for_each(|ticket| _ = ticket.wait().expect("a set"));
    }

    /// Each thread does so many sets a turn: by hand, and ours.
    fn compare(
        &self,
        turns: Turns,
        what: &str,
        threads: usize,
        (by_hand, ours): (usize, usize),
        goal: f64,
        set: impl Fn(&Self, &mut Walk, usize) + Sync,
    ) {
        let turns = Turns(turns.0.div_ceil(3));
        let mut seed = 0;
        let mut a_second = |sets: usize, work: &(dyn Fn(&mut Walk) + Sync)| {
            let began = Instant::now();
            thread::scope(|scope| {
                for _ in 0..threads {
                    seed += 1;
                    let mut walk = self.customers.walk_of(seed);
                    scope.spawn(move || work(&mut walk));
                }
            });
            (threads * sets) as f64 / began.elapsed().as_secs_f64()
        };
        let mut pairs = Vec::new();
        for turn in 0..=turns.0 {
            let mut hand = || a_second(by_hand, &|walk| (0..by_hand).for_each(|_| self.set_by_hand(walk)));
            let first = if turn % 2 == 0 { Some(hand()) } else { None };
            let our = a_second(ours, &|walk| set(self, walk, ours));
            let hand = first.unwrap_or_else(|| a_second(by_hand, &|walk| (0..by_hand).for_each(|_| self.set_by_hand(walk))));
            pairs.push((hand, our));
        }
        // The first turn does not count.
        let sorted = |one: &dyn Fn(&(f64, f64)) -> f64| {
            let mut all: Vec<f64> = pairs[1..].iter().map(one).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        let quartile = |all: &[f64], n: usize| all[(all.len() - 1) * n / 4];
        let ratios = sorted(&|(hand, ours)| ours / hand);
        println!(
            "{what:<44} {:>11.0} {:>11.0} {:>7.2} {:>14} {goal:>6.1} {}",
            quartile(&sorted(&|pair| pair.0), 2),
            quartile(&sorted(&|pair| pair.1), 2),
            quartile(&ratios, 2),
            format!("({:.2}-{:.2})", quartile(&ratios, 1), quartile(&ratios, 3)),
            if quartile(&ratios, 2) >= goal { "met" } else { "missed" },
        );
    }

    /// How long single sets take while checkpoints are taken beside them, in slices of both sides by turns.
    fn latencies(&self, slices: u64, folder: &Path) {
        println!(
            "{:<44} {:>11} {:>11} {:>11} {:>9} {:>10}",
            "a set of 4 threads, checkpoints running", "p50", "p99", "worst", "sets", "log"
        );
        let (mut by_hand, mut ours) = (Vec::new(), Vec::new());
        for slice in 0..slices {
            by_hand.append(&mut self.slice(slice, |walk| self.set_by_hand(walk)));
            ours.append(&mut self.slice(slice, |walk| self.set(walk)));
        }
        for (side, mut all, file) in [("by hand", by_hand, "hand.db-wal"), ("ours", ours, "ours.db-wal")] {
            all.sort();
            let log = std::fs::metadata(folder.join(file)).map_or(0, |file| file.len());
            let at = |share: f64| format!("{:.2} ms", all[((all.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3);
            println!("{side:<44} {:>11} {:>11} {:>11} {:>9} {:>7.1} MB", at(0.5), at(0.99), at(1.0), all.len(), log as f64 / 1e6);
        }
    }

    fn slice(&self, seed: u64, set: impl Fn(&mut Walk) + Sync) -> Vec<Duration> {
        let until = Instant::now() + Duration::from_secs(3);
        let set = &set;
        thread::scope(|scope| {
            let of_one = |n| {
                let mut walk = self.customers.walk_of(1_000 + seed * 4 + n);
                scope.spawn(move || {
                    let mut all = Vec::new();
                    while Instant::now() < until {
                        let began = Instant::now();
                        set(&mut walk);
                        all.push(began.elapsed());
                    }
                    all
                })
            };
            let threads: Vec<_> = (0..4).map(of_one).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("a thread")).collect()
        })
    }
}
