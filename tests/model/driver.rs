//! Applies a sequence of operations to the model and to every store, and compares all answers.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use custom_attributes::store::AttributeStore;
use custom_attributes::{Attributes, Clock, CommitId, ManualClock, MemoryStore, View};

use crate::alphabet::limits;
use crate::asked::Asked;
use crate::custom_backend::StateStore;
use crate::operations::Operation;
use crate::reference::Model;
use crate::shapes::{Answer, Refusal};
use crate::subject::{Attributed, answer};
use crate::whole::{Fact, facts, facts_of, progress, progress_of};

/// Which stores run a sequence beside the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stores {
    /// Memory, and SQLite in memory.
    InMemory,
    /// Those, and a file of SQLite that is closed and opened again.
    OnDisk,
}

struct Subject {
    name: &'static str,
    attributes: Attributed,
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
    path: Option<PathBuf>,
}

type Disagreement = String;

fn attributes(store: Arc<dyn AttributeStore>, clock: &Arc<ManualClock>) -> Attributed {
    Attributes::new(store).with_limits(limits()).expect("the limits are in order").with_clock(Arc::clone(clock))
}

#[cfg(feature = "sqlite")]
fn add_sqlite(subjects: &mut Vec<Subject>, clock: &Arc<ManualClock>, folder: Option<&std::path::Path>) {
    use custom_attributes::SqliteStore;
    let store = SqliteStore::in_memory().expect("there is memory");
    subjects.push(Subject { name: "SQLite in memory", attributes: attributes(Arc::new(store), clock), path: None });
    if let Some(folder) = folder {
        let path = folder.join("model.db");
        let store = SqliteStore::open(&path).expect("the folder can be written");
        subjects.push(Subject { name: "SQLite", attributes: attributes(Arc::new(store), clock), path: Some(path) });
    }
}

/// The old store is let go before the new one is opened, as when a process ends and another begins.
#[cfg(feature = "sqlite")]
fn reopen(subject: &mut Subject, clock: &Arc<ManualClock>) -> Result<(), Disagreement> {
    if let Some(path) = &subject.path {
        subject.attributes = attributes(Arc::new(MemoryStore::new()), clock);
        let store = custom_attributes::SqliteStore::open(path).map_err(|error| format!("it does not open again: {error:?}"))?;
        subject.attributes = attributes(Arc::new(store), clock);
    }
    Ok(())
}

#[cfg(not(feature = "sqlite"))]
fn add_sqlite(_: &mut Vec<Subject>, _: &Arc<ManualClock>, _: Option<&std::path::Path>) {}

#[cfg(not(feature = "sqlite"))]
#[allow(clippy::unnecessary_wraps)] // as with SQLite
fn reopen(_: &mut Subject, _: &Arc<ManualClock>) -> Result<(), Disagreement> {
    Ok(())
}

/// Runs one sequence.
pub(crate) fn run(operations: &[Operation], stores: Stores) -> Result<(), Disagreement> {
    let clock = Arc::new(ManualClock::at("2025-01-04T10:30:00.000001Z".parse().expect("it is an instant")));
    let folder = (stores == Stores::OnDisk).then(|| tempfile::tempdir().expect("there is a folder for temporary files"));
    let memory = attributes(Arc::new(MemoryStore::new()), &clock);
    // It answers all questions by the trait's own methods: the reference that an index is held against.
    let reference = attributes(Arc::new(StateStore::default()), &clock);
    let mut subjects = vec![
        Subject { name: "memory", attributes: memory, path: None },
        Subject { name: "the example, without an index", attributes: reference, path: None },
    ];
    add_sqlite(&mut subjects, &clock, folder.as_ref().map(tempfile::TempDir::path));
    let mut model = Model::default();
    for part in operations.split_inclusive(|operation| matches!(operation, Operation::Reopen)) {
        run_part(&subjects, &mut model, part, &clock)?;
        if let Some(Operation::Reopen) = part.last() {
            for subject in &mut subjects {
                reopen(subject, &clock)?;
            }
        }
        for subject in &subjects {
            let view = snapshot(subject)?;
            compare_whole(subject, &view, &model)?;
            verify(subject, &view)?;
        }
    }
    // One that no snapshot was held of, as a rule; in one of the stores, for it takes long.
    if let Some(then) = model.states.get(model.states.len() / 2) {
        let subject = &subjects[model.states.len() % subjects.len()];
        compare_past(subject, then).map_err(|what| format!("as of a commit: {what}"))?;
    }
    Ok(())
}

/// A part between two openings of the stores. Snapshots live no longer than it.
fn run_part(subjects: &[Subject], model: &mut Model, operations: &[Operation], clock: &ManualClock) -> Result<(), Disagreement> {
    let mut held: Vec<(Model, Vec<View<'_>>)> = Vec::new();
    for (step, operation) in operations.iter().enumerate() {
        match operation {
            Operation::Clock(micros) => clock.advance_micros(*micros),
            Operation::Hold => held.push((model.clone(), subjects.iter().map(snapshot).collect::<Result<_, _>>()?)),
            _ => step_all(subjects, model, operation, clock).map_err(|what| format!("step {step}, {operation:?}: {what}"))?,
        }
    }
    for (model, views) in &held {
        for (subject, view) in subjects.iter().zip(views) {
            compare_whole(subject, view, model).map_err(|what| format!("in a snapshot that was held: {what}"))?;
        }
    }
    // The present has moved on; what was then is made from history.
    for (model, _) in held.iter().take(1) {
        for subject in subjects {
            compare_past(subject, model).map_err(|what| format!("as of a commit: {what}"))?;
        }
    }
    Ok(())
}

fn compare_past(subject: &Subject, model: &Model) -> Result<(), Disagreement> {
    let then = CommitId::new(model.commits.len() as u64);
    let view = subject.attributes.as_of(then).map_err(|error| format!("{}: {error:?}", subject.name))?;
    let found = facts(&view, model).map_err(|error| format!("{}: {error:?}", subject.name))?;
    // A definition that came and went within one batch left only its id used up, of which history knows nothing.
    let known = |facts: Vec<Fact>| facts.into_iter().filter(|fact| !matches!(fact, Fact::Catalog { .. })).collect();
    compare(subject, Ok(known(found)), &known(facts_of(model)))
}

fn snapshot(subject: &Subject) -> Result<View<'_>, Disagreement> {
    subject.attributes.snapshot().map_err(|error| format!("{}: {error:?}", subject.name))
}

fn step_all(subjects: &[Subject], model: &mut Model, operation: &Operation, clock: &ManualClock) -> Result<(), Disagreement> {
    let before = model.clone();
    let expected = predict(model, operation, clock);
    let expected = expected.unwrap_or_else(Answer::Refused);
    let mut first: Option<Answer> = None;
    for subject in subjects {
        let found = answer(&subject.attributes, &before, operation);
        if !found.agrees_with(&expected) {
            return Err(format!("{} answers\n  {found:?}\nand the model\n  {expected:?}", subject.name));
        }
        if let Some(first) = first.as_ref().filter(|first| **first != found) {
            return Err(format!("{} answers\n  {found:?}\nand {}\n  {first:?}", subject.name, subjects[0].name));
        }
        first.get_or_insert(found);
        let view = snapshot(subject)?;
        compare(subject, progress(&view), &progress_of(model))?;
    }
    Ok(())
}

fn predict(model: &mut Model, operation: &Operation, clock: &ManualClock) -> Result<Answer, Refusal> {
    let at = clock.now();
    Ok(match operation {
        Operation::Clock(_) | Operation::Hold | Operation::Reopen => Answer::Nothing,
        Operation::Commit(batch) => Answer::Receipt(model.write(&Asked::batch(at, batch))?),
        Operation::Check(batch) => Answer::Receipt(model.clone().write(&Asked::batch(at, batch))?),
        Operation::Single { actor, change } => {
            let asked = Asked::single(at, *actor, change);

            model.single(&asked, change)?
        }
        Operation::Ensure { of, specs } => model.ensure(at, of, specs)?,
        Operation::Import { from, of } => {
            let specs: Vec<_> = model.export(from)?.into_iter().map(|spec| spec.0).collect();
            model.import(at, of, &specs)?
        }
        Operation::Export { of } => Answer::Specs(model.export(of)?),
        Operation::SetById { ordinal, definition, value } => {
            Answer::Receipt(model.write_by_id(at, *ordinal, *definition, Some(value.clone()))?)
        }
        Operation::ClearById { ordinal, definition } => Answer::Receipt(model.write_by_id(at, *ordinal, *definition, None)?),
        Operation::GetById { ordinal, definition } => Answer::Details(model.detail(*ordinal, *definition).into_iter().collect()),
        Operation::Get { key, name, read_as } => Answer::Value(model.get(*key, name, *read_as)?),
        Operation::Reading { key, name } => Answer::Reading(model.reading(*key, name)?),
        Operation::Entities { of, ids, name } => model.entities_read(of, ids, name)?,
        Operation::Revision { key } => Answer::Revision(model.revision(&crate::reading::entity_key(*key)?)),
        Operation::Details { key } => Answer::Details(model.details(&crate::reading::entity_key(*key)?)),
        Operation::Definition { of, name } => Answer::Definition(model.definition_named(of, name)?),
        Operation::ChangeReport { of, name, touches } => model.change_report(of, name, touches)?,
        Operation::ReadPast { ago, key, name, question } => model.read_past(*ago, *key, name, question.as_ref())?,
        Operation::Restore { wanted, actor, note, meanwhile } => {
            let restoration = model.restoration(wanted)?;
            let mut first = Answer::Nothing;
            if let Some(change) = meanwhile {
                first = model.single(&Asked::single(at, None, change), change).unwrap_or_else(Answer::Refused);
            }
            let restored = model.restore(at, *actor, note, &restoration);
            Answer::Restored(first.into(), restored.map_or_else(Answer::Refused, Answer::Receipt).into())
        }
        Operation::CheckRestore { wanted, note } => {
            let restoration = model.restoration(wanted)?;
            Answer::Receipt(model.clone().restore(at, None, note, &restoration)?)
        }
        Operation::Find(search) => model.search(search)?,
        Operation::Facets { of, question, with_defaults, name } => model.facets(of, question.as_ref(), *with_defaults, name)?,
        Operation::List { of, limit, page, order_by, with_total } => model.list(of, *limit, *page, *order_by, *with_total)?,
    })
}

fn compare_whole(subject: &Subject, view: &View<'_>, model: &Model) -> Result<(), Disagreement> {
    compare(subject, facts(view, model), &facts_of(model))
}

fn verify(subject: &Subject, view: &View<'_>) -> Result<(), Disagreement> {
    let mut fault = None;
    let verified = view.verify_index(|found| {
        fault = Some(found.to_string());
        ControlFlow::Break(())
    });
    verified.map_err(|error| format!("{}: {error:?}", subject.name))?;
    fault.map_or(Ok(()), |fault| Err(format!("the index of {}: {fault}", subject.name)))
}

fn compare(subject: &Subject, found: Result<Vec<Fact>, custom_attributes::Error>, expected: &[Fact]) -> Result<(), Disagreement> {
    let found = found.map_err(|error| format!("{}: {error:?}", subject.name))?;
    match found.iter().zip(expected).find(|(found, expected)| found != expected) {
        Some((found, expected)) => Err(format!("{} holds\n  {found:?}\nand the model\n  {expected:?}", subject.name)),
        None if found.len() != expected.len() => {
            Err(format!("{} knows {} facts, not {}", subject.name, found.len(), expected.len()))
        }
        None => Ok(()),
    }
}
