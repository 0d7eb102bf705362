//! A whole backend: every commit makes a new state, and a snapshot is a state that is held on to.
//!
//! What there is to learn from it:
//! - The rules of writing are not here. `decide` says what is to be done; a backend writes it down.
//! - Isolation is had by never changing what others may look at: a commit works on a copy and puts it in place at the end.
//! - Only the required methods are written. The others, such as `holders` and `usage`, come from the trait, by a scan.
//!
//! It is slow, for it copies its maps with every commit, and durable by nobody. It is right, which the suite shows:
//! `cargo run --example custom_backend`, or the same as tests in `tests/conformance.rs`.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::{Excluded, Unbounded};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use clap::Parser;
use custom_attributes::conformance::CASES;
use custom_attributes::store::{
    AttributeStore, Changes, Commit, Decide, Marks, OnProgress, Past, PastDefinition, Receipt, Removal, Snapshot, Touched,
    VersionId,
};
use custom_attributes::{Catalog, CommitId, DefinitionId, EntityKey, EntityRecord, EntityType, Ordinal, Result};

/// The store: the present state, and a lock that lets one commit happen at a time.
#[derive(Debug, Default)]
pub(crate) struct StateStore {
    writer: Mutex<()>,
    present: RwLock<Arc<State>>,
}

/// All that a store holds at one point in time. Nobody changes a state that others can see.
#[derive(Debug, Default, Clone)]
struct State {
    catalog: Arc<Catalog>,
    marks: Marks,
    ordinals: HashMap<EntityKey, Ordinal>,
    records: BTreeMap<Ordinal, Arc<EntityRecord>>,
    commits: Vec<Commit>,
    /// The ordinals that each of them changed.
    touched: Vec<Touched>,
    past: HashMap<Ordinal, Vec<Past>>,
    past_definitions: BTreeMap<DefinitionId, Vec<PastDefinition>>,
    horizons: BTreeMap<DefinitionId, CommitId>,
}

impl StateStore {
    fn present(&self) -> Arc<State> {
        Arc::clone(&self.present.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl AttributeStore for StateStore {
    fn write(&self, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<Receipt> {
        // The lock is taken before the snapshot: what is decided by cannot move until it is stored.
        let _alone = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.present();
        let snapshot = At(Arc::clone(&before));
        let plan = decide(&snapshot, progress)?;
        if let Some(changes) = plan.changes {
            let mut after = State::clone(&before);
            after.write_down(&snapshot, changes)?;
            *self.present.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(after);
        }
        Ok(plan.receipt)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(At(self.present())))
    }
}

impl State {
    /// Nothing is decided here: the changes are checked, numbered and complete.
    fn write_down(&mut self, before: &At, mut changes: Changes) -> Result<()> {
        let ended = changes.commit.id;
        self.marks.commit = ended;
        self.marks.at = Some(changes.commit.at);
        self.commits.push(changes.commit.clone());
        if let Some(change) = &changes.catalog {
            for older in change.touched.iter().filter_map(|id| change.before.get(*id)) {
                let past = PastDefinition { definition: Arc::clone(older), ended };
                self.past_definitions.entry(older.id()).or_default().push(past);
            }
            self.catalog = Arc::clone(&change.after);
        }
        let touched = changes.each_record(before, |change| {
            let ordinal = change.after.ordinal();
            let past = change.past().map(|held| Past { held: held.clone(), ended });
            self.past.entry(ordinal).or_default().extend(past);
            let key = change.after.key();
            if self.ordinals.insert(key.clone(), ordinal).is_some_and(|other| other != ordinal) {
                return Err(change.is_held_already());
            }
            // An emptied entity is kept, with its ordinal and its revision: it may be written again, and has a past.
            self.records.insert(ordinal, change.after);
            Ok(())
        })?;
        // The ordinals of a copy may be of entities that are there no longer: they are given out all the same.
        self.marks.ordinal = self.marks.ordinal.max(touched.last().unwrap_or_default());
        self.touched.push(touched);
        changes.removals.iter().for_each(|removal| self.take_out(removal));
        for (definition, until) in changes.horizons {
            let known = self.horizons.entry(definition).or_default();
            *known = until.max(*known);
        }
        Ok(())
    }

    /// What is taken out is taken out of the past as well; the ordinal of an erased entity is not given out again.
    fn take_out(&mut self, removal: &Removal) {
        match removal {
            Removal::Entity { ordinal, entity } => {
                self.past.remove(ordinal);
                self.records.remove(ordinal);
                self.ordinals.remove(entity);
            }
            Removal::Value { ordinal, definition } => {
                self.past.entry(*ordinal).or_default().retain(|past| past.held.definition != *definition);
            }
            Removal::Version(VersionId { ordinal, ended, definition }) => {
                let is_it = |past: &Past| past.ended == *ended && past.held.definition == *definition;
                self.past.entry(*ordinal).or_default().retain(|past| !is_it(past));
            }
            _ => {}
        }
    }

    fn record(&self, key: &EntityKey) -> Option<Arc<EntityRecord>> {
        self.records.get(self.ordinals.get(key)?).cloned()
    }
}

/// A snapshot: a state, for as long as it is held.
struct At(Arc<State>);

impl Snapshot for At {
    fn catalog(&self) -> Result<Arc<Catalog>> {
        Ok(Arc::clone(&self.0.catalog))
    }

    fn marks(&self) -> Result<Marks> {
        Ok(self.0.marks)
    }

    fn read(&self, entities: &[EntityKey]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        Ok(entities.iter().map(|key| self.0.record(key)).collect())
    }

    fn written(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        let rest = self.0.records.range((after.map_or(Unbounded, Excluded), Unbounded)).map(|(_, record)| record);
        let of_type = |record: &&Arc<EntityRecord>| entity_type.is_none_or(|wanted| wanted == record.key().entity_type());
        Ok(rest.filter(of_type).take(limit).cloned().collect())
    }

    fn commits(&self, ids: &[CommitId]) -> Result<Vec<Option<Commit>>> {
        let index = |id: &CommitId| usize::try_from(id.get().checked_sub(1)?).ok();
        Ok(ids.iter().map(|id| self.0.commits.get(index(id)?).cloned()).collect())
    }

    fn touched(&self, commits: &[CommitId]) -> Result<Vec<Touched>> {
        let index = |id: &CommitId| usize::try_from(id.get().checked_sub(1)?).ok();
        Ok(commits.iter().map(|id| self.0.touched.get(index(id)?).cloned()).map(Option::unwrap_or_default).collect())
    }

    fn history(&self, entities: &[EntityKey]) -> Result<Vec<Vec<Past>>> {
        let one = |entity: &EntityKey| {
            let past = self.0.ordinals.get(entity).and_then(|ordinal| self.0.past.get(ordinal));
            let mut past = past.cloned().unwrap_or_default();
            past.sort_by_key(|past| (past.ended, past.held.definition));
            past
        };
        Ok(entities.iter().map(one).collect())
    }

    fn past_definitions(&self, definitions: Option<&[DefinitionId]>) -> Result<Vec<PastDefinition>> {
        let is_wanted = |id: &DefinitionId| definitions.is_none_or(|definitions| definitions.contains(id));
        let past = self.0.past_definitions.iter().filter(|(id, _)| is_wanted(id));
        Ok(past.flat_map(|(_, past)| past.iter().cloned()).collect())
    }

    fn horizons(&self) -> Result<BTreeMap<DefinitionId, CommitId>> {
        Ok(self.0.horizons.clone())
    }
}

/// A complete backend in under 200 lines. The program runs the public conformance suite over it and prints, case by case,
/// what held; it fails if any case does.
#[derive(Parser)]
struct Arguments {
    /// Run only the cases whose names contain this, such as `unique::`.
    cases: Option<String>,
    /// List the cases instead of running them.
    #[arg(long)]
    list: bool,
}

#[allow(dead_code, reason = "the tests include this file as a module")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let wanted = arguments.cases.unwrap_or_default();
    let cases: Vec<_> = CASES.iter().filter(|case| case.name.contains(&wanted)).collect();
    if cases.is_empty() {
        eprintln!("error: no case has `{wanted}` in its name; see them all with --list");
        return ExitCode::FAILURE;
    }
    if arguments.list {
        cases.iter().for_each(|case| println!("{}", case.name));
        return ExitCode::SUCCESS;
    }
    // A failure is printed below, once and in one piece.
    std::panic::set_hook(Box::new(|_| {}));
    let mut failed = 0;
    for case in &cases {
        match case.check(&StateStore::default()) {
            Ok(()) => println!("held    {}", case.name),
            Err(failure) => {
                failed += 1;
                println!("FAILED  {}\n{failure}", case.name);
            }
        }
    }
    println!("{} of {} cases held", cases.len() - failed, cases.len());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
