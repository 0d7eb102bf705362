//! Threads: commits happen one after the other, and readers see whole ones.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::conformance::Store;
use crate::conformance::support::{
    ISOLATED, ORDERED, batch, customer, host, must, optional, past_of, patiently, same, set, small, snapshot, there, typed,
};
use crate::error::{Error, Result};
use crate::model::{CommitId, DefinitionId, DefinitionSpec, Ordinal, Outcome, Value};
use crate::store::Receipt;

const THREADS: i64 = 6;

/// Starts so many threads at once, and hands out what they found, in their order. What one panics with, all panic with.
fn at_once<T: Send>(count: i64, work: impl Fn(i64) -> T + Sync) -> Vec<T> {
    let (barrier, work) = (Barrier::new(small::<usize>(count)), &work);
    let barrier = &barrier;
    thread::scope(|scope| {
        let start = |n| {
            scope.spawn(move || {
                barrier.wait();
                work(n)
            })
        };
        let threads: Vec<_> = (0..count).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

fn define(store: &Store) {
    let specs = [DefinitionSpec::integer("n"), DefinitionSpec::string("code").unique(), DefinitionSpec::string("a")];
    must(typed(&host(store), "customer").ensure(specs), "definitions are made");
}

/// Many ask for one unique value at once: exactly one gets it.
pub fn one_of_many_gets_a_unique_value(store: &Store) {
    let promise = "of many threads that ask for one unique value at once, exactly one gets it";
    define(store);
    for round in 0..20 {
        let code = format!("code {round}");
        let results = at_once(THREADS, |id| patiently(|| typed(&host(store), "customer").set(id, "code", code.as_str())));
        let won = results.iter().filter(|result| result.is_ok()).count();
        same(&won, &1, promise, ORDERED);
        for result in results {
            if let Err(error) = result {
                same(&error.is_duplicate(), &true, "the others are told that it is taken", ORDERED);
            }
        }
        let code = Value::from(code);
        let records = must(snapshot(store).scan(None, None, 100), "entities are scanned");
        let held =
            records.iter().filter(|record| record.get(DefinitionId::new(2)).is_some_and(|held| held.value == code)).count();
        same(&held, &1, promise, ORDERED);
    }
}

/// Many raise one counter at once, each expecting the revision that it read: no step is lost.
pub fn no_update_is_lost(store: &Store) {
    let promise = "many threads raise one counter, each expecting the revision that it read, and no step is lost";
    define(store);
    let steps = 25;
    let raise = || -> Result<Receipt> {
        let (_, record) = store.read_entity(&customer(1))?;
        let revision = record.as_ref().map_or(crate::Revision::ABSENT, |record| record.revision());
        let n = match record.as_ref().and_then(|record| record.value(DefinitionId::new(1))) {
            Some(Value::Integer(n)) => *n,
            _ => 0,
        };
        let mut batch = batch(store);
        batch.expect_revision(customer(1), revision);
        batch.push(set(store, &customer(1), "n", n + 1));
        store.commit(&batch)
    };
    let receipts = at_once(THREADS, |_| (0..steps).map(|_| patiently(raise)).collect::<Vec<_>>());
    let ids: BTreeSet<_> = receipts.into_iter().flatten().map(|done| must(done, "a counter is raised").commit).collect();
    let (_, record) = must(store.read_entity(&customer(1)), "an entity is read");
    let record = there(record, promise);
    let total = THREADS * steps;
    same(&(record.values()[0].value.clone(), record.revision().get()), &(Value::Integer(total), total), promise, ORDERED);
    let expected: Vec<_> = (2..=total + 1).map(|id| Some(CommitId::new(small::<u64>(id)))).collect();
    same(&ids.into_iter().collect::<Vec<_>>(), &expected, "the commits of many threads are one line without gaps", ORDERED);
    let past = past_of(&*snapshot(store), &customer(1));
    let values: Vec<_> = past.iter().map(|past| past.held.value.clone()).collect();
    same(&values, &(1..total).map(Value::Integer).collect::<Vec<_>>(), "the past has every step, in order", ORDERED);
}

/// Many write entities of their own at once: ordinals, commits and values are all there, each once.
pub fn many_write_at_once(store: &Store) {
    let promise = "many threads write entities of their own at once, and all of it is there, numbered without gaps";
    define(store);
    let each = 30;
    let write = |thread: i64| {
        let host = host(store);
        for n in 0..each {
            let (id, other) = (thread * each + n, thread * each + (n + 1) % each);
            let act = || host.batch().set(("customer", id), "n", id).set(("customer", other), "a", n.to_string()).commit();
            must(patiently(act), "a batch is committed beside others");
        }
    };
    at_once(THREADS, write);
    let total = THREADS * each;
    let snapshot = snapshot(store);
    let records = must(snapshot.scan(None, None, usize::MAX), "entities are scanned");
    let ordinals: Vec<_> = records.iter().map(|record| i64::from(record.ordinal().get())).collect();
    same(&ordinals, &(1..=total).collect::<Vec<_>>(), promise, ORDERED);
    let ids: BTreeSet<_> = records.iter().filter_map(|record| record.key().id().as_integer()).collect();
    same(&ids.into_iter().collect::<Vec<_>>(), &(0..total).collect::<Vec<_>>(), promise, ORDERED);
    for record in &records {
        let id = record.key().id().as_integer();
        let found = record.values().iter().map(|held| held.value.clone()).collect::<Vec<_>>();
        same(&(found.first().cloned(), found.len()), &(id.map(Value::Integer), 2), promise, ORDERED);
    }
    let marks = must(snapshot.marks(), "the marks are read");
    same(&marks.commit, &CommitId::new(small::<u64>(total) + 1), promise, ORDERED);
    same(&marks.ordinal, &Ordinal::new(small::<u32>(total)), promise, ORDERED);
}

/// Many define one name at once: one makes it, the others find it made. Different names are all there.
pub fn many_define_at_once(store: &Store) {
    let promise = "many threads declare one definition at once, and one of them makes it";
    for round in 0..8 {
        let declare = |thread: i64| {
            let shared = DefinitionSpec::string(format!("Straße {round}"));
            let own = DefinitionSpec::string(format!("own {round} {thread}"));
            patiently(|| typed(&host(store), "customer").ensure([shared.clone(), own.clone()]))
        };
        let ensured: Vec<_> =
            at_once(THREADS, declare).into_iter().map(|done| must(done, "definitions are declared beside others")).collect();
        let made = ensured.iter().filter(|both| both[0].outcome == Outcome::Created).count();
        same(&made, &1, promise, ORDERED);
        let ids: BTreeSet<_> = ensured.iter().map(|both| both[0].definition.id()).collect();
        same(&ids.len(), &1, promise, ORDERED);
    }
    let catalog = must(store.catalog(), "the catalog is read");
    let names: BTreeSet<_> = catalog.iter().map(|definition| definition.name().key().to_owned()).collect();
    let total = small::<usize>(8 * (THREADS + 1));
    same(&(names.len(), catalog.iter().count()), &(total, total), promise, ORDERED);
    same(
        &catalog.next_id().map(DefinitionId::get),
        &Some(8 * (THREADS + 1) + 1),
        "ids of definitions rise without gaps",
        ORDERED,
    );
}

/// A value becomes required while others clear it: whoever comes after the rule is refused.
pub fn required_holds_from_its_commit_on(store: &Store) {
    let promise = "once a definition is required, no thread clears a value of it, however close behind";
    define(store);
    for round in 0..10 {
        let (name, count) = (format!("r{round}"), 12);
        must(typed(&host(store), "customer").define(DefinitionSpec::integer(name.as_str())), "a definition is made");
        let declaring = host(store);
        let values = (0..THREADS * count).fold(declaring.batch(), |batch, id| batch.set(("customer", id), name.as_str(), id));
        must(values.commit(), "values are set");
        let done = at_once(THREADS, |thread| {
            let host = host(store);
            let of = typed(&host, "customer");
            if thread == 0 {
                return vec![patiently(|| host.batch().alter("customer", name.as_str(), DefinitionSpec::required).commit())];
            }
            (0..count).map(|n| patiently(|| of.clear(thread * count + n, &name))).collect()
        });
        let required =
            must(done[0][0].as_ref().map_err(|error| crate::Error::corrupt(error.to_string())), "a rule is turned on").commit;
        for cleared in done.iter().skip(1).flatten() {
            match cleared {
                Ok(receipt) => same(&(receipt.commit < required), &true, promise, ORDERED),
                Err(error) => same(&error.is_invalid(), &true, promise, ORDERED),
            }
        }
        must(typed(&host(store), "customer").alter(&name, optional), "the rule is turned off for the next round");
    }
}

/// The same race for a rule that looks at all values: uniqueness turned on while others write.
pub fn unique_holds_from_its_commit_on(store: &Store) {
    let promise = "the unique rule is turned on while others write, and from then on no two values are equal";
    define(store);
    for round in 0..10 {
        let name = format!("u{round}");
        must(typed(&host(store), "customer").define(DefinitionSpec::string(name.as_str())), "a definition is made");
        let done = at_once(THREADS, |thread| {
            let host = host(store);
            if thread == 0 {
                return patiently(|| host.batch().alter("customer", name.as_str(), DefinitionSpec::unique).commit());
            }
            patiently(|| typed(&host, "customer").set(thread, &name, if thread % 2 == 0 { "even" } else { "odd" }))
        });
        let catalog = must(store.catalog(), "the catalog is read");
        let definition = must(catalog.resolve(customer(1).entity_type(), &name), "a definition is found").clone();
        let records = must(snapshot(store).scan(None, None, 1000), "entities are scanned");
        let values: Vec<_> = records.iter().filter_map(|record| Some(record.get(definition.id())?.value.clone())).collect();
        let different: BTreeSet<_> = values.iter().cloned().collect();
        let is_kept = !definition.rules().unique || different.len() == values.len();
        same(&is_kept, &true, promise, ORDERED);
        same(&definition.rules().unique, &done[0].is_ok(), "the rule is on if its commit was acknowledged", ORDERED);
        same(&done[1..].iter().filter(|result| result.is_ok()).count(), &values.len(), "what was acknowledged is there", ORDERED);
    }
}

/// While others write, every snapshot shows whole commits, and never an earlier state than the last.
pub fn readers_see_whole_commits(store: &Store) {
    let promise = "a snapshot shows all of a commit or none of it, while others write";
    define(store);
    let stop = AtomicBool::new(false);
    let write = |n: i64| _ = must(patiently(|| write_all_at_once(store, n)), "a batch is committed while others read");
    let read = || {
        let mut last = 0;
        while !stop.load(Ordering::SeqCst) {
            let snapshot = snapshot(store);
            let records = must(snapshot.read(&[customer(2), customer(1)]), "entities are read while others write");
            let seen: Vec<_> = records.iter().map(|record| record.as_ref().map_or(0, |record| record.revision().get())).collect();
            same(&(seen[0] == seen[1]), &true, promise, ISOLATED);
            let catalog = must(snapshot.catalog(), "the catalog is read while others write");
            same(&catalog.revision().get(), &(seen[0] + 1), promise, ISOLATED);
            let marks = must(snapshot.marks(), "the marks are read while others write");
            same(&marks.commit.get(), &(seen[0] + 1), promise, ISOLATED);
            let past = past_of(&*snapshot, &customer(1));
            same(&(past.len() as u64), &seen[0].saturating_sub(1), promise, ISOLATED);
            let count = must(snapshot.count(&super::support::entity_type("customer")), "entities are counted while others write");
            same(&count, &if seen[0] == 0 { 0 } else { seen[0] + 2 }, promise, ISOLATED);
            let commits = must(snapshot.commits(&[marks.commit, CommitId::new(marks.commit.get() + 1)]), "commits are read");
            same(&(commits[0].is_some(), commits[1].is_some()), &(true, false), promise, ISOLATED);
            same(&(seen[0] >= last), &true, "a later snapshot never shows an earlier state", ISOLATED);
            last = seen[0];
        }
    };
    at_once(4, |thread| {
        if thread > 0 {
            return read();
        }
        let _stop = OnDrop(&stop);
        (1..=80).for_each(write);
    });
}

/// Two old entities, a definition and a new entity, in one batch.
fn write_all_at_once(store: &Store, n: i64) -> Result<Receipt> {
    let (host, name) = (host(store), format!("x{n}"));
    let batch = host.batch().set(("customer", 1), "n", n).set(("customer", 2), "n", n);
    batch.define("customer", DefinitionSpec::integer(name.as_str())).set(("customer", 1000 + n), name.as_str(), n).commit()
}

/// A single read has the entity and the definitions of one instant, while others write both.
pub fn single_reads_are_of_one_instant(store: &Store) {
    let promise = "`read_entity` and `read_value` answer values and the catalog of the same instant, while others write";
    let advice = "take both from one snapshot, or under one lock";
    define(store);
    let stop = AtomicBool::new(false);
    at_once(4, |thread| {
        if thread == 0 {
            let _stop = OnDrop(&stop);
            (1..=150).for_each(|n| _ = must(patiently(|| write_all_at_once(store, n)), "a batch is committed while others read"));
            return;
        }
        let mut n = 1;
        while !stop.load(Ordering::SeqCst) {
            let (catalog, record) = must(store.read_entity(&customer(1000 + n)), "an entity is read while others write");
            let defined = catalog.find(customer(1).entity_type(), &format!("x{n}")).is_some();
            same(&record.is_some(), &defined, promise, advice);
            let mut defined_then = false;
            let value = store.read_value(&customer(1000 + n), &mut |catalog| {
                let definition = catalog.find(customer(1).entity_type(), &format!("x{n}"));
                defined_then = definition.is_some();
                Ok(definition.map(|definition| definition.id()))
            });
            same(&must(value, "a value is read while others write").is_some(), &defined_then, promise, advice);
            n += i64::from(defined);
        }
    });
}

/// Sets a flag when it goes, however it goes: a writer that fails lets its readers end.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// What a thread was refused for, is no reason for another: errors are each caller's own.
pub fn refusals_are_each_callers_own(store: &Store) {
    let promise = "a batch that is refused harms no other, though they are written at once";
    let advice = "where batches of several callers are stored in one transaction, give each a savepoint of its own";
    define(store);
    must(typed(&host(store), "customer").set("holder", "code", "taken"), "a value is set");
    let each = 15;
    let done = at_once(THREADS, |thread| {
        let host = host(store);
        let of = typed(&host, "customer");
        let code = |n| if thread % 2 == 0 { format!("free {thread} {n}") } else { "taken".to_owned() };
        (0..each).map(|n| patiently(|| of.set(thread * each + n, "code", code(n)))).collect::<Vec<_>>()
    });
    for (results, thread) in done.into_iter().zip(0i64..) {
        for (result, n) in results.into_iter().zip(0i64..) {
            let (_, record) = must(store.read_entity(&customer(thread * each + n)), "an entity is read");
            let expected = thread % 2 == 0;
            same(&(result.is_ok(), record.is_some()), &(expected, expected), promise, advice);
            same(&result.err().is_none_or(|error: Error| error.is_duplicate()), &true, promise, advice);
        }
    }
}

/// Many threads hand batches in and wait for none before the last: each is answered for itself, and what was answered is there.
pub fn tickets_keep_what_they_say(store: &Store) {
    let promise = "a batch that was handed in is answered as if it had been committed, in the order of its thread";
    let todo = "let `submit` answer what `commit` would; a batch that is refused must not take others with it, and none is answered \
                before it is stored";
    define(store);
    let each = 20i64;
    at_once(THREADS, |thread| {
        let hand_in = |step: i64| {
            let mut batch = batch(store);
            batch.push(set(store, &customer(thread), "n", step));
            // Every fourth asks for what the first of the thread has.
            let code = format!("{thread} {}", if step % 4 == 3 { 0 } else { step });
            batch.push(set(store, &customer(thread * 100 + step + 1000), "code", code));
            must(store.submit(batch), "a batch is handed in")
        };
        let tickets: Vec<_> = (0..each).map(hand_in).collect();
        let mut last = CommitId::default();
        for (step, ticket) in (0..each).zip(tickets) {
            let answer = ticket.wait();
            same(&answer.is_ok(), &(step % 4 != 3), promise, todo);
            let Ok(receipt) = answer else { continue };
            let commit = there(receipt.commit, promise);
            same(&(commit > last), &true, promise, todo);
            last = commit;
            let (_, record) = must(store.read_entity(&customer(thread * 100 + step + 1000)), "an entity is read");
            same(&record.is_some(), &true, promise, todo);
        }
    });
    for thread in 0..THREADS {
        let (_, record) = must(store.read_entity(&customer(thread)), "an entity is read");
        let held = there(record, promise).value(DefinitionId::new(1)).cloned();
        same(&held, &Some(Value::Integer(each - 2)), promise, todo);
    }
}
