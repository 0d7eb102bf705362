//! What the cases are written with.

use std::any::Any;
use std::fmt::Debug;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant as Watch};

use crate::attributes::{Attributes, AttributesOf};
use crate::clock::{Clock, Instant};
use crate::conformance::Store;
use crate::error::{Error, Result};
use crate::model::{
    CommitId, DataType, DefinitionId, DefinitionSpec, EntityKey, EntityRecord, EntityType, Held, IntoEntityId, Limits, Ordinal,
    Value,
};
use crate::store::{Batch, Change, Fault, Past, PastDefinition, Receipt, Snapshot, Touched};

pub(super) const PLAN: &str = "call `decide` over a snapshot of the very transaction that stores what it answers; if it fails, store nothing and \
                               hand its error on";
pub(super) const WHOLE: &str = "write down all of `Changes` in one transaction: catalog, records, history and commit";
pub(super) const EXACT: &str = "store texts as bytes of UTF-8 and compare them as bytes (no collation, no padding, no trimming), \
                                integers in 64 bits, decimals as text with their zeros, dates as text or days";
pub(super) const ISOLATED: &str = "let a snapshot read one consistent version, for as long as it is held: a read transaction that begins when \
                                   it is made, or data that is copied when it is changed";
pub(super) const ORDERED: &str = "let one commit happen at a time: take the write lock before the snapshot that `decide` looks at, and keep it \
                                  until all is stored";
pub(super) const HISTORY: &str = "add `RecordChange::past` of every record, with the commit's id, to the history, and for every touched \
                                  definition what the catalog had before";
pub(super) const ALONE: &str = "`read_value` answers what `read_entity` does";
pub(super) const ORDER: &str =
    "answer in the order of the question: one answer for each thing asked for, none where there is none";

/// A clock that moves by an odd step each time it is asked, so that no two commits share an instant.
#[derive(Debug)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Instant {
        micros(self.0.fetch_add(1_000_003, Ordering::SeqCst))
    }
}

/// An instant by its microseconds since 1970.
pub(super) fn micros(micros: i64) -> Instant {
    there(Instant::from_timestamp_micros(micros), "chrono can hold an instant")
}

/// The host of a case.
pub(super) fn host(store: &Store) -> Attributes<&Store> {
    Attributes::new(store).with_clock(Ticking(AtomicI64::new(1_735_986_600_000_001)))
}

/// The host's handle of an entity type.
pub(super) fn typed<'a, 's>(host: &'a Attributes<&'s Store>, of: &str) -> AttributesOf<'a, &'s Store> {
    host.of_type(entity_type(of))
}

pub(super) fn entity_type(text: &str) -> EntityType {
    must(EntityType::new(text), "an entity type is well-formed")
}

pub(super) fn key(of: &str, id: impl IntoEntityId) -> EntityKey {
    must(EntityKey::new(of, id), "a key is well-formed")
}

pub(super) fn parse(data_type: DataType, text: &str) -> Value {
    must(Value::parse(data_type, text), "a value is well-formed")
}

/// One of the suite's own counts, which fit any integer.
pub(super) fn small<N>(count: impl TryInto<N>) -> N {
    there(count.try_into().ok(), "a count of the suite is small")
}

pub(super) fn customer(id: impl IntoEntityId) -> EntityKey {
    key("customer", id)
}

/// The failure that every case ends in: what was promised, what is the matter, and what to do.
///
/// A case is the body of a `#[test]`, so it fails as tests do; without one, `Case::check` makes a text of it.
#[track_caller]
#[allow(clippy::panic)]
pub(super) fn broken(promise: &str, matter: &str, advice: &str) -> ! {
    panic!("broken: {promise}\n  {matter}\n  to do: {advice}");
}

#[track_caller]
pub(super) fn holds(truth: bool, promise: &str, advice: &str) {
    if !truth {
        broken(promise, "it does not hold", advice);
    }
}

/// Compares what was found by its `Debug` form, which tells 1.5 from 1.50 where `==` does not.
#[track_caller]
pub(super) fn same<F: Debug + ?Sized, E: Debug + ?Sized>(found: &F, expected: &E, promise: &str, advice: &str) {
    let (found, expected) = (format!("{found:?}"), format!("{expected:?}"));
    if found != expected {
        broken(promise, &format!("expected {}\n     found {}", cut(&expected), cut(&found)), advice);
    }
}

fn cut(text: &str) -> String {
    let end = text.char_indices().nth(2000).map_or(text.len(), |(end, _)| end);
    if end < text.len() { format!("{}… ({} bytes)", &text[..end], text.len()) } else { text.to_owned() }
}

/// What must succeed for the case to go on.
#[track_caller]
pub(super) fn must<T>(result: Result<T>, doing: &str) -> T {
    match result {
        Ok(done) => done,
        Err(error) => {
            broken(doing, &format!("it failed: {error}{}", causes(&error)), "this must succeed: find out why it does not")
        }
    }
}

/// What must be there for the case to go on.
#[track_caller]
pub(super) fn there<T>(found: Option<T>, promise: &str) -> T {
    found.unwrap_or_else(|| broken(promise, "there is none", "this must be there: find out why it is not"))
}

fn causes(error: &Error) -> String {
    let mut text = String::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str("; because: ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// What must be refused, for the reason that `is` looks for.
#[track_caller]
pub(super) fn refused<T: Debug>(result: Result<T>, is: impl Fn(&Error) -> bool, promise: &str, advice: &str) -> Error {
    match result {
        Err(error) if is(&error) => error,
        Err(other) => broken(promise, &format!("it was refused, but with another error: {other}{}", causes(&other)), advice),
        Ok(done) => broken(promise, &format!("it was done: {}", cut(&format!("{done:?}"))), advice),
    }
}

/// What must be refused, and then must have changed nothing at all.
#[track_caller]
pub(super) fn refused_whole(
    store: &Store,
    keys: &[EntityKey],
    is: impl Fn(&Error) -> bool,
    promise: &str,
    act: impl FnOnce() -> Result<Receipt>,
) -> Error {
    let before = picture(&*snapshot(store), keys);
    let error = refused(act(), is, promise, PLAN);
    unchanged(&before, &picture(&*snapshot(store), keys), "a commit that fails has changed nothing", PLAN);
    error
}

/// Compares two pictures, and says where they first differ.
#[track_caller]
pub(super) fn unchanged(before: &[String], after: &[String], promise: &str, advice: &str) {
    let differ = before.iter().zip(after).find(|(before, after)| before != after);
    match differ {
        Some((before, after)) => same(after.as_str(), before.as_str(), promise, advice),
        None => same(&after.len(), &before.len(), promise, advice),
    }
}

/// A value with its commits: the output of `Debug` hides it.
fn held_text(held: &Held) -> String {
    format!("{}={:?} from {} at {}", held.definition, held.value, held.created, held.modified)
}

fn record_text(record: &EntityRecord) -> String {
    let values: Vec<_> = record.values().iter().map(held_text).collect();
    format!("{} {} at {}: {values:?}", record.key(), record.ordinal(), record.revision())
}

pub(super) fn past_text(past: &Past) -> String {
    format!("{} until {}", held_text(&past.held), past.ended)
}

/// All that a snapshot shows, line by line; of emptied and unknown entities it shows these.
pub(super) fn picture(snapshot: &dyn Snapshot, keys: &[EntityKey]) -> Vec<String> {
    let catalog = must(snapshot.catalog(), "the catalog is read");
    let marks = must(snapshot.marks(), "the marks are read");
    let mut lines = vec![format!("catalog at {} next {:?}", catalog.revision(), catalog.next_id()), format!("{marks:?}")];
    lines.extend(catalog.iter().map(|definition| {
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            definition.id(),
            definition.entity_type(),
            definition.spec(),
            definition.created(),
            definition.modified(),
            definition.lineage()
        )
    }));
    let last = catalog.next_id().map_or(DefinitionId::MAX.get(), DefinitionId::get);
    for definition in (1..=last).map(DefinitionId::new) {
        let past = past_definitions(snapshot, definition);
        lines.extend(past.iter().map(|past| format!("past {:?} ended {}", past.definition, past.ended)));
        let usage = must(snapshot.usage(definition), "the uses of a definition are counted");
        lines.push(format!("definition {definition} used {usage}"));
    }
    lines.push(format!("horizons {:?}", must(snapshot.horizons(), "the horizons are read")));
    let scanned = must(snapshot.scan(None, None, usize::MAX), "all entities are scanned");
    lines.extend(scanned.iter().map(|record| record_text(record)));
    for (key, record) in keys.iter().zip(must(snapshot.read(keys), "entities are read")) {
        lines.push(format!("read {key}: {:?}", record.as_deref().map(record_text)));
    }
    for key in scanned.iter().map(|record| record.key()).chain(keys) {
        let past = past_of(snapshot, key);
        lines.push(format!("past of {key}: {:?}", past.iter().map(past_text).collect::<Vec<_>>()));
    }
    let commits: Vec<_> = (1..=marks.commit.get() + 1).map(CommitId::new).collect();
    for (id, commit) in commits.iter().zip(must(snapshot.commits(&commits), "commits are read")) {
        lines.push(format!("commit {id}: {commit:?}"));
    }
    lines
}

/// The index says what the records say.
#[track_caller]
pub(super) fn sound(store: &Store, advice: &str) {
    let mut faults = Vec::new();
    let mut report = |fault: Fault| {
        faults.push(fault.to_string());
        ControlFlow::Continue(())
    };
    let verified = snapshot(store).verify_index(&mut report, &mut |_| ControlFlow::Continue(()));
    must(verified, "the index is verified");
    same(&faults, &Vec::<String>::new(), "the index has what the records have, and nothing else", advice);
}

/// What an entity held once and holds no longer.
pub(super) fn past_of(snapshot: &dyn Snapshot, entity: &EntityKey) -> Vec<Past> {
    let mut past = must(snapshot.history(std::slice::from_ref(entity)), "the past of an entity is read");
    same(&past.len(), &1, "a question for one entity has one answer", ORDER);
    past.pop().unwrap_or_default()
}

/// What a definition was once and is no longer.
pub(super) fn past_definitions(snapshot: &dyn Snapshot, id: DefinitionId) -> Vec<PastDefinition> {
    must(snapshot.past_definitions(Some(&[id])), "the past of a definition is read")
}

/// Which entities a commit changed.
pub(super) fn touched(snapshot: &dyn Snapshot, commit: CommitId) -> Vec<Ordinal> {
    let touched = must(snapshot.touched(&[commit]), "a commit is read");
    same(&touched.len(), &1, "a question for one commit has one answer", ORDER);
    touched.iter().flat_map(Touched::iter).collect()
}

pub(super) fn snapshot(store: &Store) -> Box<dyn Snapshot + '_> {
    must(store.snapshot(), "a snapshot is made")
}

/// The values of an entity as its record has them now: definition, and the exact text. Read one by one, they are the same.
pub(super) fn held(store: &Store, key: &EntityKey) -> Vec<(u32, String)> {
    let (_, record) = must(store.read_entity(key), "an entity is read");
    let values = record.iter().flat_map(|record| record.values());
    let one = |held: &Held| {
        same(&read_value(store, key, held.definition), &Some(&held.value), ALONE, ORDER);
        (held.definition.get(), held.value.to_string())
    };
    values.map(one).collect()
}

/// What the entity holds for one definition, read alone.
pub(super) fn read_value(store: &Store, key: &EntityKey, definition: DefinitionId) -> Option<Value> {
    must(store.read_value(key, &mut |catalog| Ok(catalog.get(definition).map(|found| found.id()))), "a value is read")
}

/// Commits changes at the port itself, as a batch bound against the catalog as it is now.
pub(super) fn commit(store: &Store, changes: impl IntoIterator<Item = Change>) -> Result<Receipt> {
    let mut batch = batch(store);
    changes.into_iter().for_each(|change| batch.push(change));
    store.commit(&batch)
}

/// An empty batch, bound against the catalog as it is now.
pub(super) fn batch(store: &Store) -> Batch {
    let catalog = must(store.catalog(), "the catalog is read");
    Batch::new(&catalog, micros(1_735_986_600_000_000))
}

/// The change that defines this, as the next definition.
pub(super) fn define(store: &Store, spec: DefinitionSpec) -> Change {
    let catalog = must(store.catalog(), "the catalog is read");
    let id = there(catalog.next_id(), "ids are not used up");
    let definition = crate::Definition::new(id, entity_type("customer"), spec, &Limits::typed());
    Change::Define(Box::new(must(definition, "a definition is well-formed")))
}

/// The change that sets a value.
pub(super) fn set(store: &Store, key: &EntityKey, name: &str, value: impl Into<Value>) -> Change {
    let catalog = must(store.catalog(), "the catalog is read");
    let definition = must(catalog.resolve(key.entity_type(), name), "a definition is found by its name");
    let value = must(definition.bind(value.into(), &Limits::typed()).map_err(Error::from), "a definition takes a value");
    Change::Set { entity: key.clone(), value }
}

/// Tries again what may well succeed if it is made again, for a while.
pub(super) fn patiently<T>(mut act: impl FnMut() -> Result<T>) -> Result<T> {
    let watch = Watch::now();
    loop {
        match act() {
            Err(error) if error.is_transient() && watch.elapsed() < Duration::from_secs(60) => std::thread::yield_now(),
            done => return done,
        }
    }
}

/// The same declaration without the required rule.
pub(super) fn optional(mut spec: DefinitionSpec) -> DefinitionSpec {
    spec.rules.required = false;
    spec
}

/// What a panic said.
pub(super) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message").to_owned()
}
