//! The suite catches what it should: stores that are broken in one way each, and one that is not.
//!
//! All are one small store with one flaw switched on. Each flaw names the cases that are there to catch it.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::panic;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread;

use custom_attributes::conformance::CASES;
use custom_attributes::store::{
    AttributeStore, Batch, BoundQuery, Change, Changes, Commit, Decide, Fault, Find, Found, FoundKeys, Marks, OnProgress, Past,
    PastDefinition, Receipt, RecordChange, Removal, Snapshot, Ticket, Touched, VersionId, Wanted, plan,
};
use custom_attributes::{
    BoundFilter, Catalog, CommitId, Condition, Definition, DefinitionId, EntityKey, EntityRecord, EntityType, Error, Held,
    Lineage, Name, Ordinal, Result, Revision, Value,
};

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// Nothing.
    Sound,
    /// A batch is written change by change: what stands before the violation stays.
    NonAtomicCommit,
    /// The store's own index of names knows the case of ASCII letters only.
    AsciiOnlyFolding,
    /// What a batch expects of entities is not looked at.
    IgnoredRevision,
    /// A cleared value stays where it is.
    LostClear,
    /// The catalog is cached by the number of its definitions, so that a change of one is not noticed.
    StaleCatalog,
    /// A batch that was bound against an older catalog is taken as if it had been bound against this one.
    StaleCatalogAccepted,
    /// An emptied entity is deleted, and its ordinal with it.
    EmptiedEntityForgotten,
    /// A value that is replaced counts as new.
    CreationMoved,
    /// A snapshot reads whatever is there when it is asked.
    SnapshotNotIsolated,
    /// A snapshot starts when it is first asked.
    SnapshotTooLate,
    HistoryLost,
    /// What one commit ended comes as the commit had it, not by definition.
    HistoryUnsorted,
    PastOfDefinitionsLost,
    /// The past of many definitions comes as it was written, not by definition.
    PastOfDefinitionsUnsorted,
    /// The planner is not told when the last commit was done.
    LastInstantForgotten,
    /// A commit is looked for by its instant as if no copied commit were earlier than the one before it.
    InstantsAssumedInOrder,
    DecimalThroughFloat,
    IntegerThroughFloat,
    TextTrimmed,
    TextCutAt255,
    IdsWithoutCase,
    UniqueNotChecked,
    UniqueComparedByPrefix,
    /// The index of unique values is changed in the wrong order: first add, then remove.
    UniqueIndexOutOfOrder,
    DefinitionIdsUsedAgain,
    MillisecondsOnly,
    NoteLost,
    /// A commit takes an id though it changes nothing.
    EmptyCommits,
    EmptiedEntitiesScanned,
    EmptiedEntitiesUnwritten,
    TouchedForgotten,
    ScanIgnoresType,
    ReadInOrderOfKeys,
    /// The lock is taken after the plan was made.
    PlannedBeforeLocked,
    CountNotKept,
    /// A value that is read alone comes from a cache that nobody empties.
    StaleValue,
    NotEqualTakesAbsent,
    /// Where one of several alternatives asks for no value, it is left out.
    AbsentLeftOutOfAlternatives,
    AbsentComesFirst,
    PageBeginsWithTheLast,
    DecimalsTalliedAsTexts,
    CountIgnoresFilter,
    FindReadsThePresent,
    LongTextsFoundByPrefix,
    KeysSorted,
    SoundIndexReported,
    /// Of the records that a changed definition concerns, those of later pages are forgotten.
    FirstPageOnly,
    HistoryAlwaysKept,
    RemovalsIgnored,
    PastOfErasedKept,
    OrdinalsUsedAgain,
    ErasedUntold,
    HorizonsLost,
    /// Definitions are stored as their declarations alone.
    LineagesLost,
    /// A horizon moves back when an older version is pruned later.
    HorizonsOverwritten,
    /// The last ordinal is that of the last record, and not of what was touched.
    OrdinalsOfErasedUsedAgain,
    /// The revision of the catalog is counted, whatever comes.
    CatalogRevisionCounted,
    /// Receipts are made anew, without what the plan said of definitions.
    DefinitionsNotAnswered,
    /// A ticket is answered with what would be done, and nobody does it.
    TicketsAnsweredOnly,
    /// The records of a copied commit that came before its source failed stay.
    RefusedRecordsStay,
    /// An entity of a copied commit gets a second ordinal.
    SecondOrdinalTaken,
}

/// Each flaw, and a case that is there to catch it. Others may catch it as well.
const CATCHES: &[(Flaw, &str)] = &[
    (Flaw::TicketsAnsweredOnly, "threads::tickets_keep_what_they_say"),
    (Flaw::DefinitionsNotAnswered, "batches::receipts_carry_definitions"),
    (Flaw::RefusedRecordsStay, "refused::a_copied_commit_that_fails_leaves_nothing"),
    (Flaw::SecondOrdinalTaken, "refused::a_copied_commit_that_fails_leaves_nothing"),
    (Flaw::NonAtomicCommit, "batches::a_violation_at_the_end_undoes_all"),
    (Flaw::AsciiOnlyFolding, "names::equal_names_are_one"),
    (Flaw::IgnoredRevision, "revisions::expected_revisions_are_verified"),
    (Flaw::LostClear, "values::absent_is_not_empty"),
    (Flaw::StaleCatalog, "definitions::the_catalog_revision_moves_with_definitions_only"),
    (Flaw::StaleCatalogAccepted, "revisions::a_moved_catalog_is_a_conflict"),
    (Flaw::EmptiedEntityForgotten, "entities::an_emptied_entity_goes_on"),
    (Flaw::CreationMoved, "commits::values_know_their_commits"),
    (Flaw::SnapshotNotIsolated, "snapshots::a_snapshot_stays_at_its_point"),
    (Flaw::SnapshotTooLate, "snapshots::a_snapshot_begins_when_it_is_made"),
    (Flaw::HistoryLost, "history::values_that_end_stay_in_the_past"),
    (Flaw::HistoryUnsorted, "history::values_that_end_stay_in_the_past"),
    (Flaw::PastOfDefinitionsLost, "history::definitions_that_end_stay_in_the_past"),
    (Flaw::PastOfDefinitionsUnsorted, "history::definitions_that_end_stay_in_the_past"),
    (Flaw::LastInstantForgotten, "commits::instants_never_go_back"),
    (Flaw::InstantsAssumedInOrder, "copying::a_copy_keeps_instants_that_go_back"),
    (Flaw::DecimalThroughFloat, "values::decimals_come_back_exactly"),
    (Flaw::IntegerThroughFloat, "values::integers_come_back_exactly"),
    (Flaw::TextTrimmed, "values::texts_come_back_exactly"),
    (Flaw::TextCutAt255, "values::the_longest_texts_come_back"),
    (Flaw::IdsWithoutCase, "entities::ids_are_kept_apart"),
    (Flaw::UniqueNotChecked, "unique::a_unique_value_is_held_once"),
    (Flaw::UniqueComparedByPrefix, "unique::unique_values_are_compared_exactly"),
    (Flaw::UniqueIndexOutOfOrder, "unique::values_change_hands_in_one_batch"),
    (Flaw::DefinitionIdsUsedAgain, "definitions::definition_ids_are_never_used_again"),
    (Flaw::MillisecondsOnly, "commits::instants_are_kept_to_the_microsecond"),
    (Flaw::NoteLost, "commits::actors_and_notes_come_back"),
    (Flaw::EmptyCommits, "batches::what_changes_nothing_commits_nothing"),
    (Flaw::EmptiedEntitiesScanned, "entities::an_emptied_entity_is_not_found"),
    (Flaw::EmptiedEntitiesUnwritten, "history::the_past_is_read_as_it_was"),
    (Flaw::TouchedForgotten, "history::commits_tell_whom_they_changed"),
    (Flaw::ScanIgnoresType, "reading::scans_go_page_by_page"),
    (Flaw::ReadInOrderOfKeys, "reading::many_are_read_in_order"),
    (Flaw::PlannedBeforeLocked, "threads::no_update_is_lost"),
    (Flaw::CountNotKept, "reading::shortcuts_agree_with_the_defaults"),
    (Flaw::StaleValue, "values::booleans_come_back_exactly"),
    (Flaw::NotEqualTakesAbsent, "finding::each_test_finds_what_it_means"),
    (Flaw::AbsentLeftOutOfAlternatives, "defaults::filters_see_defaults_where_asked"),
    (Flaw::AbsentComesFirst, "finding::found_pages_agree_with_the_reference"),
    (Flaw::PageBeginsWithTheLast, "finding::found_pages_agree_with_the_reference"),
    (Flaw::DecimalsTalliedAsTexts, "finding::tallies_agree_with_the_reference"),
    (Flaw::CountIgnoresFilter, "finding::each_test_finds_what_it_means"),
    (Flaw::FindReadsThePresent, "finding::what_is_found_stays_at_its_point"),
    (Flaw::LongTextsFoundByPrefix, "indexed::long_texts_are_told_apart"),
    (Flaw::KeysSorted, "indexed::keys_are_those_of_the_page"),
    (Flaw::SoundIndexReported, "indexed::a_sound_index_has_no_faults"),
    (Flaw::FirstPageOnly, "sweeping::a_change_reaches_every_entity"),
    (Flaw::HistoryAlwaysKept, "forgetting::history_that_is_off_is_not_kept"),
    (Flaw::RemovalsIgnored, "forgetting::pruned_versions_are_gone"),
    (Flaw::PastOfErasedKept, "forgetting::erased_entities_never_were"),
    (Flaw::OrdinalsUsedAgain, "forgetting::erased_entities_never_were"),
    (Flaw::ErasedUntold, "forgetting::erased_entities_never_were"),
    (Flaw::LineagesLost, "forgetting::erased_values_are_followed"),
    (Flaw::HorizonsLost, "forgetting::history_that_is_off_is_not_kept"),
    (Flaw::HorizonsOverwritten, "forgetting::horizons_only_rise"),
    (Flaw::OrdinalsOfErasedUsedAgain, "copying::the_last_ordinal_is_copied"),
    (Flaw::CatalogRevisionCounted, "copying::a_copy_is_like_its_source"),
];

/// The one store. Its state is copied with every commit.
#[derive(Debug)]
struct Flawed {
    flaw: Flaw,
    writer: Mutex<()>,
    present: Mutex<Arc<State>>,
    cached: Mutex<Arc<Catalog>>,
    values: Mutex<BTreeMap<EntityKey, Value>>,
}

#[derive(Debug, Default, Clone)]
struct State {
    marks: Marks,
    revision: Revision,
    last_definition: DefinitionId,
    definitions: BTreeMap<DefinitionId, Arc<Definition>>,
    records: BTreeMap<Ordinal, Arc<EntityRecord>>,
    commits: Vec<Commit>,
    past: Vec<(EntityKey, Past)>,
    past_definitions: Vec<PastDefinition>,
    unique: BTreeMap<(DefinitionId, Value), Ordinal>,
    horizons: BTreeMap<DefinitionId, CommitId>,
    touched: BTreeMap<CommitId, Vec<Ordinal>>,
}

fn kept_definition(flaw: Flaw, definition: &Arc<Definition>) -> Arc<Definition> {
    if flaw != Flaw::LineagesLost {
        return Arc::clone(definition);
    }
    Arc::new(Definition::clone(definition).with_lineage(Lineage::default()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Flawed {
    fn new(flaw: Flaw) -> Self {
        Self { flaw, writer: Mutex::default(), present: Mutex::default(), cached: Mutex::default(), values: Mutex::default() }
    }

    fn present(&self) -> Arc<State> {
        Arc::clone(&lock(&self.present))
    }

    fn at(&self, state: Arc<State>) -> At<'_> {
        At { store: self, state: Mutex::new(Some(state)), planning: None }
    }

    /// Plans a batch and stores what comes of it.
    fn commit_whole(&self, batch: &Batch) -> Result<Receipt> {
        let planned_early = (self.flaw == Flaw::PlannedBeforeLocked).then(|| {
            let planned = plan(&self.at(self.present()), batch);
            // Long enough for others to come in between.
            thread::yield_now();
            thread::sleep(std::time::Duration::from_micros(200));
            planned
        });
        let _alone = lock(&self.writer);
        let before = self.present();
        let planning = At { planning: Some(batch), ..self.at(Arc::clone(&before)) };
        let plan = planned_early.unwrap_or_else(|| plan(&planning, batch))?;
        let mut after = State::clone(&before);
        let mut receipt = plan.receipt;
        if let Some(changes) = plan.changes {
            after.store(self.flaw, &planning, changes)?;
        } else if self.flaw == Flaw::EmptyCommits {
            after.marks.commit = CommitId::new(after.marks.commit.get() + 1);
            after.commits.push(Commit { id: after.marks.commit, at: batch.at(), actor: None, note: None });
            receipt.commit = Some(after.marks.commit);
        }
        *lock(&self.present) = Arc::new(after);
        if self.flaw == Flaw::DefinitionsNotAnswered {
            receipt.definitions.clear();
        }
        Ok(receipt)
    }
}

/// The same batch with these changes, bound against this revision and, if wanted, with what it expects.
fn rebuilt(batch: &Batch, changes: &[Change], revision: Revision, expecting: bool) -> Batch {
    let catalog = Catalog::load(revision, DefinitionId::default(), []).expect("an empty catalog");
    let mut built = Batch::new(&catalog, batch.at()).by(batch.actor().cloned()).with_note(batch.note().cloned());
    changes.iter().for_each(|change| built.push(change.clone()));
    let expected = batch.expected().iter().filter(|_| expecting);
    expected.for_each(|(key, revision)| built.expect_revision(key.clone(), *revision));
    built
}

impl AttributeStore for Flawed {
    fn write(&self, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<Receipt> {
        let _alone = lock(&self.writer);
        let planning = self.at(self.present());
        let plan = decide(&planning, progress)?;
        if let Some(changes) = plan.changes {
            let mut after = State::clone(&self.present());
            let stored = after.store(self.flaw, &planning, changes);
            if stored.is_ok() || self.flaw == Flaw::RefusedRecordsStay {
                *lock(&self.present) = Arc::new(after);
            }
            stored?;
        }
        Ok(plan.receipt)
    }

    fn commit_with(&self, batch: &Batch, _: &mut OnProgress<'_>) -> Result<Receipt> {
        match self.flaw {
            Flaw::NonAtomicCommit => {
                let failed = match plan(&self.at(self.present()), batch) {
                    Ok(_) => return self.commit_whole(batch),
                    Err(error) => error,
                };
                if matches!(failed, Error::Invalid(_)) {
                    for change in batch.changes() {
                        let now = self.at(self.present()).catalog()?.revision();
                        self.commit_whole(&rebuilt(batch, std::slice::from_ref(change), now, true)).ok();
                    }
                }
                Err(failed)
            }
            Flaw::IgnoredRevision => self.commit_whole(&rebuilt(batch, batch.changes(), batch.catalog(), false)),
            Flaw::StaleCatalogAccepted => {
                let now = self.at(self.present()).catalog()?.revision();
                self.commit_whole(&rebuilt(batch, batch.changes(), now, true))
            }
            _ => self.commit_whole(batch),
        }
    }

    fn submit(&self, batch: Batch) -> Result<Ticket> {
        let answer = match self.flaw {
            Flaw::TicketsAnsweredOnly => plan(&self.at(self.present()), &batch).map(|plan| plan.receipt),
            _ => self.commit(&batch),
        };
        Ok(Ticket::ready(answer))
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        let at = self.at(self.present());
        if self.flaw == Flaw::SnapshotTooLate {
            *lock(&at.state) = None;
        }
        Ok(Box::new(at))
    }

    fn catalog(&self) -> Result<Arc<Catalog>> {
        let fresh = self.at(self.present()).catalog()?;
        let mut cached = lock(&self.cached);
        if self.flaw == Flaw::StaleCatalog && cached.iter().count() == fresh.iter().count() {
            return Ok(Arc::clone(&cached));
        }
        *cached = Arc::clone(&fresh);
        Ok(fresh)
    }

    fn read_value(&self, entity: &EntityKey, find: &mut Find<'_>) -> Result<Option<Value>> {
        let snapshot = self.snapshot()?;
        let Some(definition) = find(&*snapshot.catalog()?)? else { return Ok(None) };
        let record = snapshot.read(std::slice::from_ref(entity))?.pop().flatten();
        let value = record.and_then(|record| record.value(definition).cloned());
        let mut values = lock(&self.values);
        match values.get(entity) {
            Some(stale) if self.flaw == Flaw::StaleValue => return Ok(Some(stale.clone())),
            _ => values.extend(value.clone().map(|value| (entity.clone(), value))),
        }
        Ok(value)
    }
}

impl State {
    fn store(&mut self, flaw: Flaw, before: &At<'_>, mut changes: Changes<'_>) -> Result<()> {
        let ended = changes.commit.id;
        let mut records = Vec::new();
        let mut keys: HashSet<EntityKey> = self.records.values().map(|record| record.key().clone()).collect();
        let touched = changes.each_record(before, |change| {
            let is_new = keys.insert(change.after.key().clone()) || change.before.is_some();
            if !is_new && flaw != Flaw::SecondOrdinalTaken {
                return Err(change.is_held_already());
            }
            if flaw == Flaw::RefusedRecordsStay {
                self.records.insert(change.after.ordinal(), Arc::clone(&change.after));
            }
            records.push(change);
            Ok(())
        })?;
        let last = touched.last().filter(|_| flaw != Flaw::OrdinalsOfErasedUsedAgain);
        self.marks.ordinal = self.marks.ordinal.max(last.unwrap_or_default());
        self.touched.insert(ended, touched.iter().collect());
        if flaw == Flaw::FirstPageOnly {
            records.truncate(1024.max(records.len() / 2));
        }
        self.marks.commit = ended;
        self.marks.at = Some(changes.commit.at).filter(|_| flaw != Flaw::LastInstantForgotten);
        let mut commit = changes.commit.clone();
        if flaw == Flaw::MillisecondsOnly {
            commit.at = custom_attributes::Instant::from_timestamp_millis(commit.at.timestamp_millis()).expect("an instant");
        }
        commit.note = commit.note.filter(|_| flaw != Flaw::NoteLost);
        self.commits.push(commit);
        if let Some(change) = &changes.catalog {
            let counted = flaw == Flaw::CatalogRevisionCounted;
            self.revision = if counted { self.revision.next() } else { change.after.revision() };
            for id in &change.touched {
                if let (Some(definition), true) = (change.before.get(*id), flaw != Flaw::PastOfDefinitionsLost) {
                    self.past_definitions.push(PastDefinition { definition: kept_definition(flaw, definition), ended });
                }
                self.definitions.remove(id);
                self.definitions.extend(change.after.get(*id).map(|definition| (*id, kept_definition(flaw, definition))));
            }
            let greatest = self.definitions.keys().next_back().copied().unwrap_or_default();
            let last = change.after.next_id().map_or(DefinitionId::MAX, |next| DefinitionId::new(next.get() - 1));
            self.last_definition = if flaw == Flaw::DefinitionIdsUsedAgain { greatest } else { last };
        }
        if flaw == Flaw::UniqueIndexOutOfOrder {
            self.add_unique(flaw, &records);
        }
        for held in records.iter().flat_map(|change| change.ended()) {
            self.unique.remove(&(held.definition, indexed(flaw, &held.value)));
        }
        if flaw != Flaw::UniqueIndexOutOfOrder {
            self.add_unique(flaw, &records);
        }
        for change in &records {
            let ended_here: Vec<&Held> =
                if flaw == Flaw::HistoryAlwaysKept { change.ended().collect() } else { change.past().collect() };
            let past = ended_here
                .into_iter()
                .filter(|_| flaw != Flaw::HistoryLost)
                .map(|held| (change.after.key().clone(), Past { held: held.clone(), ended }));
            self.past.extend(past);
            let ordinal = change.after.ordinal();
            self.marks.ordinal = self.marks.ordinal.max(ordinal);
            let mut held: Vec<Held> = change.after.values().to_vec();
            if let (Flaw::LostClear, Some(before)) = (flaw, &change.before) {
                held.extend(before.values().iter().filter(|held| change.after.get(held.definition).is_none()).cloned());
                held.sort_by_key(|held| held.definition);
            }
            for held in &mut held {
                held.value = kept(flaw, &held.value);
                if flaw == Flaw::CreationMoved {
                    held.created = held.modified;
                }
            }
            if flaw == Flaw::EmptiedEntityForgotten && held.is_empty() {
                self.records.remove(&ordinal);
                self.marks.ordinal = self.records.keys().next_back().copied().unwrap_or_default();
                continue;
            }
            let after =
                EntityRecord::load(change.after.key().clone(), ordinal, change.after.revision(), held).expect("sorted values");
            self.records.insert(ordinal, Arc::new(after));
        }
        if flaw != Flaw::RemovalsIgnored {
            changes.removals.iter().for_each(|removal| self.take_out(flaw, removal));
        }
        for (definition, until) in &changes.horizons {
            let known = self.horizons.entry(*definition).or_default();
            *known = if flaw == Flaw::HorizonsOverwritten { *until } else { (*until).max(*known) };
        }
        let touched = changes.catalog.iter().flat_map(|change| change.touched.iter().map(|id| (*id, change.after.get(*id))));
        for (id, _) in touched.filter(|(_, after)| after.is_some_and(|definition| definition.rules().unique)) {
            let held = self.records.values().filter_map(|record| Some((record.value(id)?, record.ordinal())));
            self.unique.extend(held.map(|(value, ordinal)| ((id, indexed(flaw, value)), ordinal)));
        }
        Ok(())
    }

    fn take_out(&mut self, flaw: Flaw, removal: &Removal) {
        let key_of = |ordinal: &Ordinal| self.records.get(ordinal).map(|record| record.key().clone());
        match removal {
            Removal::Entity { ordinal, entity } => {
                self.records.remove(ordinal);
                if flaw != Flaw::PastOfErasedKept {
                    self.past.retain(|(key, _)| key != entity);
                }
                if flaw == Flaw::OrdinalsUsedAgain {
                    self.marks.ordinal = self.records.keys().next_back().copied().unwrap_or_default();
                }
            }
            Removal::Value { ordinal, definition } => {
                let holder = key_of(ordinal);
                self.past.retain(|(key, past)| Some(key) != holder.as_ref() || past.held.definition != *definition);
            }
            Removal::Version(VersionId { ordinal, ended, definition }) => {
                let holder = key_of(ordinal);
                let is_it = |past: &Past| past.held.definition == *definition && past.ended == *ended;
                self.past.retain(|(key, past)| Some(key) != holder.as_ref() || !is_it(past));
            }
            _ => {}
        }
    }

    fn add_unique(&mut self, flaw: Flaw, records: &[RecordChange]) {
        for change in records {
            let added = change.begun().map(|held| ((held.definition, indexed(flaw, &held.value)), change.after.ordinal()));
            self.unique.extend(added);
        }
    }
}

/// A value as the index of unique values has it.
fn indexed(flaw: Flaw, value: &Value) -> Value {
    match value {
        Value::String(text) if flaw == Flaw::UniqueComparedByPrefix => Value::String(text.chars().take(255).collect()),
        other => other.clone(),
    }
}

/// A value as it is stored.
fn kept(flaw: Flaw, value: &Value) -> Value {
    match (flaw, value) {
        (Flaw::DecimalThroughFloat, Value::Decimal(number)) => {
            let float = f64::from_str(&number.to_string()).expect("a number");
            rust_decimal::Decimal::from_str(&float.to_string()).map_or_else(|_| value.clone(), Value::Decimal)
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        (Flaw::IntegerThroughFloat, Value::Integer(number)) => Value::Integer(*number as f64 as i64),
        (Flaw::TextTrimmed, Value::String(text)) => Value::from(text.trim()),
        (Flaw::TextCutAt255, Value::String(text)) => Value::String(text.chars().take(255).collect()),
        _ => value.clone(),
    }
}

/// A snapshot, for readers or, with the batch, for its plan.
struct At<'a> {
    store: &'a Flawed,
    state: Mutex<Option<Arc<State>>>,
    planning: Option<&'a Batch>,
}

impl At<'_> {
    fn state(&self) -> Arc<State> {
        match self.store.flaw {
            Flaw::SnapshotNotIsolated => self.store.present(),
            _ => Arc::clone(lock(&self.state).get_or_insert_with(|| self.store.present())),
        }
    }

    fn flaw(&self) -> Flaw {
        self.store.flaw
    }

    fn touched_by(&self, commit: CommitId) -> Touched {
        let state = self.state();
        let mut touched = state.touched.get(&commit).cloned().unwrap_or_default();
        // Whoever looks at the present alone forgets those that were changed again.
        let stands = |ordinal: &Ordinal| {
            let record = state.records.get(ordinal);
            record.is_some_and(|record| record.values().iter().any(|held| held.modified == commit))
        };
        touched.retain(|ordinal| self.flaw() != Flaw::TouchedForgotten || stands(ordinal));
        touched.retain(|ordinal| self.flaw() != Flaw::ErasedUntold || state.records.contains_key(ordinal));
        touched.into_iter().collect()
    }

    fn wanted(&self, wanted: &Wanted) -> Vec<Arc<EntityRecord>> {
        let state = if self.flaw() == Flaw::FindReadsThePresent { self.store.present() } else { self.state() };
        state.records.values().filter(|record| wanted.admits(record)).cloned().collect()
    }

    /// Whether a batch defines what this definition's name would be, but for letters that are not ASCII.
    fn is_overlooked(&self, definition: &Definition) -> bool {
        let lower = |name: &Name| name.as_str().to_ascii_lowercase();
        let changes = self.planning.iter().flat_map(|batch| batch.changes());
        changes.into_iter().any(|change| match change {
            Change::Define(newer) => newer.name() == definition.name() && lower(newer.name()) != lower(definition.name()),
            _ => false,
        })
    }

    fn same_key(&self, one: &EntityKey, other: &EntityKey) -> bool {
        let lower = |key: &EntityKey| key.to_string().to_lowercase();
        one == other || (self.flaw() == Flaw::IdsWithoutCase && lower(one) == lower(other))
    }
}

impl Snapshot for At<'_> {
    fn catalog(&self) -> Result<Arc<Catalog>> {
        let state = self.state();
        let mut names = std::collections::BTreeSet::new();
        // The one of two equal names that was found first: which one is up to chance in a real store.
        let found = state.definitions.values().filter(|definition| {
            let overlooked = self.flaw() == Flaw::AsciiOnlyFolding && self.is_overlooked(definition);
            !overlooked && names.insert((definition.entity_type().clone(), definition.name().key().to_owned()))
        });
        Ok(Arc::new(Catalog::load(state.revision, state.last_definition, found.map(|definition| Definition::clone(definition)))?))
    }

    fn marks(&self) -> Result<Marks> {
        Ok(self.state().marks)
    }

    fn read(&self, entities: &[EntityKey]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        let state = self.state();
        let one = |key: &EntityKey| state.records.values().find(|record| self.same_key(record.key(), key)).cloned();
        let mut found: Vec<_> = if entities.len() < 100 {
            entities.iter().map(one).collect()
        } else {
            let by_key: std::collections::HashMap<_, _> = state.records.values().map(|record| (record.key(), record)).collect();
            entities.iter().map(|key| by_key.get(key).map(|record| Arc::clone(record))).collect()
        };
        if self.flaw() == Flaw::ReadInOrderOfKeys && self.planning.is_none() {
            found.sort_by_key(|record| record.as_ref().map(|record| record.key().clone()));
        }
        Ok(found)
    }

    fn written(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        let (state, flaw, first) = (self.state(), self.flaw(), after.unwrap_or_default());
        let wanted = |record: &&Arc<EntityRecord>| {
            let of_type = entity_type.is_none_or(|wanted| wanted == record.key().entity_type());
            record.ordinal() > first && of_type && (flaw != Flaw::EmptiedEntitiesUnwritten || !record.is_empty())
        };
        Ok(state.records.range(first..).map(|(_, record)| record).filter(wanted).take(limit).cloned().collect())
    }

    fn touched(&self, commits: &[CommitId]) -> Result<Vec<Touched>> {
        Ok(commits.iter().map(|commit| self.touched_by(*commit)).collect())
    }

    fn scan(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        let state = self.state();
        let (flaw, first) = (self.flaw(), after.unwrap_or_default());
        let wanted = |record: &&Arc<EntityRecord>| {
            let of_type = entity_type.is_none_or(|wanted| wanted == record.key().entity_type()) || flaw == Flaw::ScanIgnoresType;
            record.ordinal() > first && of_type && (!record.is_empty() || flaw == Flaw::EmptiedEntitiesScanned)
        };
        Ok(state.records.range(first..).map(|(_, record)| record).filter(wanted).take(limit).cloned().collect())
    }

    fn commits(&self, ids: &[CommitId]) -> Result<Vec<Option<Commit>>> {
        let state = self.state();
        let index = |id: &CommitId| usize::try_from(id.get().checked_sub(1)?).ok();
        Ok(ids.iter().map(|id| state.commits.get(index(id)?).cloned()).collect())
    }

    fn history(&self, entities: &[EntityKey]) -> Result<Vec<Vec<Past>>> {
        let state = self.state();
        let one = |entity: &EntityKey| {
            let mut past: Vec<_> = state.past.iter().filter(|(key, _)| key == entity).map(|(_, past)| past.clone()).collect();
            if self.flaw() != Flaw::HistoryUnsorted {
                past.sort_by_key(|past| (past.ended, past.held.definition));
            }
            past
        };
        Ok(entities.iter().map(one).collect())
    }

    fn past_definitions(&self, definitions: Option<&[DefinitionId]>) -> Result<Vec<PastDefinition>> {
        let state = self.state();
        let is_wanted = |id: DefinitionId| definitions.is_none_or(|definitions| definitions.contains(&id));
        let past = state.past_definitions.iter().filter(|past| is_wanted(past.definition.id()));
        let mut past: Vec<_> = past.cloned().collect();
        if self.flaw() != Flaw::PastOfDefinitionsUnsorted {
            past.sort_by_key(|past| (past.definition.id(), past.ended));
        }
        Ok(past)
    }

    fn commit_at(&self, at: custom_attributes::Instant) -> Result<CommitId> {
        let state = self.state();
        let found = match self.flaw() {
            Flaw::InstantsAssumedInOrder => state.commits.partition_point(|commit| commit.at <= at),
            _ => state.commits.iter().position(|commit| commit.at > at).unwrap_or(state.commits.len()),
        };
        Ok(CommitId::new(found as u64))
    }

    fn horizons(&self) -> Result<BTreeMap<DefinitionId, CommitId>> {
        Ok(if self.flaw() == Flaw::HorizonsLost { BTreeMap::new() } else { self.state().horizons.clone() })
    }

    fn holders(&self, values: &[(DefinitionId, &Value)]) -> Result<Vec<Option<Ordinal>>> {
        let (state, flaw) = (self.state(), self.flaw());
        let one = |(definition, value): &(DefinitionId, &Value)| state.unique.get(&(*definition, indexed(flaw, value))).copied();
        Ok(values.iter().map(|asked| one(asked).filter(|_| flaw != Flaw::UniqueNotChecked)).collect())
    }

    fn count(&self, entity_type: &EntityType) -> Result<u64> {
        let state = self.state();
        let of_type = state.records.values().filter(|record| record.key().entity_type() == entity_type);
        Ok(of_type.filter(|record| self.flaw() == Flaw::CountNotKept || !record.is_empty()).count() as u64)
    }

    fn find(&self, query: &BoundQuery) -> Result<Found> {
        let mut query = query.clone();
        if let Some(filter) = query.wanted.filter.as_mut().filter(|_| self.flaw() == Flaw::NotEqualTakesAbsent) {
            take_absent(filter);
        }
        if let Some(BoundFilter::Or(all)) =
            query.wanted.filter.as_mut().filter(|_| self.flaw() == Flaw::AbsentLeftOutOfAlternatives)
        {
            all.retain(|one| !matches!(one, BoundFilter::Test(_, Condition::NotExists)));
        }
        let mut ranked: Vec<_> = self.wanted(&query.wanted).into_iter().map(|record| (query.rank(&record), record)).collect();
        ranked.retain(|(rank, _)| match &query.after {
            Some(after) if self.flaw() == Flaw::PageBeginsWithTheLast => query.compare(after, rank).is_le(),
            _ => query.reaches(rank),
        });
        ranked.sort_by(|(a, _), (b, _)| query.compare(a, b));
        if self.flaw() == Flaw::LongTextsFoundByPrefix {
            let part =
                |value: &Option<Value>| value.as_ref().map(|value| value.to_string().chars().take(100).collect::<String>());
            ranked.sort_by_key(|(rank, _)| rank.values.first().map(part));
        }
        if self.flaw() == Flaw::AbsentComesFirst {
            ranked.sort_by_key(|(rank, _)| rank.values.first().is_some_and(Option::is_some));
        }
        let has_more = ranked.len() > query.limit;
        Ok(Found { records: ranked.into_iter().take(query.limit).map(|(_, record)| record).collect(), has_more })
    }

    fn find_keys(&self, query: &BoundQuery) -> Result<FoundKeys> {
        let found = self.find(query)?;
        let end = found.records.last().filter(|_| found.has_more).map(|last| query.rank(last));
        let mut keys: Vec<_> = found.records.iter().map(|record| record.key().clone()).collect();
        if self.flaw() == Flaw::KeysSorted {
            keys.sort_by_key(|key| std::cmp::Reverse(key.clone()));
        }
        Ok(FoundKeys { keys, end })
    }

    fn verify_index(&self, report: &mut dyn FnMut(Fault) -> ControlFlow<()>, _: &mut OnProgress<'_>) -> Result<()> {
        if self.flaw() == Flaw::SoundIndexReported {
            let fault = r#"{"kind":"missing","definition":1,"ordinal":1}"#;
            let _enough = report(serde_json::from_str(fault).expect("a fault"));
        }
        Ok(())
    }

    fn count_wanted(&self, wanted: &Wanted) -> Result<u64> {
        let mut wanted = wanted.clone();
        wanted.filter = wanted.filter.filter(|_| self.flaw() != Flaw::CountIgnoresFilter);
        Ok(self.wanted(&wanted).len() as u64)
    }

    fn tally(&self, wanted: &Wanted, definition: DefinitionId) -> Result<Vec<(Value, u64)>> {
        let mut counts: BTreeMap<(Value, String), u64> = BTreeMap::new();
        for value in self.wanted(wanted).iter().filter_map(|record| record.value(definition)) {
            let value = match value {
                Value::Decimal(number) if self.flaw() != Flaw::DecimalsTalliedAsTexts => number.normalize().into(),
                other => other.clone(),
            };
            let text = value.to_string();
            *counts.entry((value, text)).or_default() += 1;
        }
        Ok(counts.into_iter().map(|((value, _), count)| (value, count)).collect())
    }
}

/// Makes `!=` the complement of `=`, as those expect who forget that an absent value is no value.
fn take_absent(filter: &mut BoundFilter) {
    match filter {
        BoundFilter::Not(inner) => take_absent(inner),
        BoundFilter::And(all) | BoundFilter::Or(all) => all.iter_mut().for_each(take_absent),
        BoundFilter::Test(definition, Condition::NotEqual(value)) => {
            let equal = Condition::In(vec![value.clone()]);
            *filter = BoundFilter::Not(Box::new(BoundFilter::Test(*definition, equal)));
        }
        _ => {}
    }
}

/// The names of the cases that fail for this flaw, each with its message.
fn failures(flaw: Flaw, cases: impl Fn(&str) -> bool) -> Vec<(&'static str, String)> {
    let wanted = CASES.iter().filter(|case| cases(case.name));
    wanted.filter_map(|case| Some((case.name, case.check(&Flawed::new(flaw)).err()?))).collect()
}

/// What the suite says is looked at below and need not be printed; other panics are as loud as ever.
fn silence_the_suite() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !info.payload().downcast_ref::<String>().is_some_and(|text| text.starts_with("broken: ")) {
                loud(info);
            }
        }));
    });
}

#[test]
fn a_store_without_a_flaw_passes() {
    silence_the_suite();
    assert_eq!(failures(Flaw::Sound, |_| true), [] as [(&str, String); 0]);
}

#[test]
fn every_flaw_is_caught() {
    silence_the_suite();
    let mut missed = Vec::new();
    for (flaw, case) in CATCHES {
        match failures(*flaw, |name| name == *case).as_slice() {
            [(_, message)] if message.starts_with("broken: ") && message.contains("to do: ") => {}
            other => missed.push(format!("{flaw:?} is not caught as it should be by {case}: {other:?}")),
        }
    }
    assert_eq!(missed, [] as [String; 0]);
}
