//! Commits that were done elsewhere: a store becomes a copy, and goes on being written like its source.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::attributes::{Attributes, Prune};
use crate::conformance::Store;
use crate::conformance::plain::Plain;
use crate::conformance::support::{customer, host, micros, must, parse, refused, same, snapshot, sound, touched, typed};
use crate::error::{Error, Result};
use crate::memory::MemoryStore;
use crate::model::{
    Catalog, CommitId, DataType, DefinitionId, DefinitionSpec, EntityKey, EntityRecord, EntityType, Ordinal, Retention,
};
use crate::store::{
    AttributeStore, Commit, Decide, Marks, OnProgress, Past, PastDefinition, Progress, Receipt, Snapshot, Touched,
};
use crate::transfer::Contents;

const TOLD: &str = "write down what `Changes` has, whatever your store would have come to by itself: revisions of entities and of the \
                    catalog, its last definition id, and the ordinals that `Changes::each_record` answers";

fn on_and_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn contents(store: &Store) -> Contents {
    must(host(store).contents(on_and_on), "a store is read whole")
}

/// All that can become of definitions, values and history.
pub(super) fn eventful() -> MemoryStore {
    let source = MemoryStore::new();
    let host = host(&source);
    let of = typed(&host, "customer");
    let specs = [
        DefinitionSpec::string("a").unique(),
        DefinitionSpec::string("b").searchable(false),
        DefinitionSpec::integer("pruned").retention(Retention::Versions(0)),
        DefinitionSpec::integer("unkept").retention(Retention::Off),
        DefinitionSpec::string("secret").sensitive(),
        DefinitionSpec::string("gone"),
    ];
    must(of.ensure(specs), "definitions are made");
    for n in 0..3i64 {
        for id in 1..=5i64 {
            let save = [
                ("a", format!("{n} of {id}").into()),
                ("b", format!("{}.50", n * id).into()),
                ("pruned", n.into()),
                ("unkept", n.into()),
                ("secret", "hush".into()),
                ("gone", n.to_string().into()),
            ];
            must(of.save(id, save as [(&str, crate::Value); 6]), "an entity is saved");
        }
    }
    must(of.set(6, "pruned", 1), "a value is set");
    must(of.clear(6, "pruned"), "a value is cleared, of which nothing will be left");
    let found_by = |spec: DefinitionSpec| spec.of_type(DataType::Decimal).named("B").searchable(true);
    must(of.change("b", found_by).apply(), "an attribute changes its type, and can be searched by");
    must(of.remove(5), "an entity is emptied");
    must(host.batch().erase_entity(("customer", 5)).erase_entity(("customer", 4)).commit(), "entities are erased");
    must(host.batch().erase(("customer", 3), "secret").commit(), "a value is erased");
    must(host.prune(&Prune::new(), on_and_on), "history is pruned");
    must(of.delete_with_values("gone"), "a definition is deleted");
    for _ in 0..2 {
        let passing = host.batch().define("customer", DefinitionSpec::string("passing")).delete("customer", "passing");
        must(passing.commit(), "a definition is made and deleted in one batch");
    }
    must(host.batch().by("somebody").note("at last").set(("customer", 5), "pruned", 5).commit(), "an erased entity comes back");
    source
}

fn copy(source: &MemoryStore, store: &Store) -> Contents {
    must(Attributes::new(source).copy_to(store, on_and_on), "a store is copied").contents
}

/// Whatever a store holds, a copy holds the same: ids, ordinals, revisions, commits, history and horizons.
pub fn a_copy_is_like_its_source(store: &Store) {
    let promise = "a copy holds all that its source holds, and nothing else";
    let source = eventful();
    copy(&source, store);
    same(&contents(store), &contents(&source), promise, TOLD);
    let (found, expected) = (snapshot(store), snapshot(&source));
    same(&must(found.marks(), "marks are read"), &must(expected.marks(), "marks are read"), promise, TOLD);
    sound(store, TOLD);
    for id in 1..=must(expected.marks(), "marks are read").commit.get() {
        let id = CommitId::new(id);
        let touched = (touched(&*found, id), touched(&*expected, id));
        same(&touched.0, &touched.1, "a commit tells whom it touched, erased ones as well", TOLD);
    }
}

/// A copy goes on like its source: the same batch makes the same of both.
pub fn a_copy_goes_on_like_its_source(store: &Store) {
    let promise = "the same batch gets the same ids and revisions in a copy as in its source";
    let source = eventful();
    copy(&source, store);
    let write = |store: &Store| {
        let host = host(store);
        let batch = host.batch().define("customer", DefinitionSpec::string("next")).set(("customer", 9), "next", "x");
        must(
            batch.set(("customer", 1), "B", parse(DataType::Decimal, "7.0")).set(("customer", 6), "pruned", 3).commit(),
            "a batch is done",
        )
    };
    let (found, expected) = (write(store), write(&source));
    same(&found, &expected, promise, TOLD);
    let entity = |store: &Store, key: EntityKey| must(snapshot(store).read(&[key]), "an entity is read");
    for id in [1, 6, 9] {
        same(&entity(store, customer(id)), &entity(&source, customer(id)), promise, TOLD);
    }
}

/// An entity that is there no longer when it is copied has its ordinal, also if it was the last.
pub fn the_last_ordinal_is_copied(store: &Store) {
    let promise = "an ordinal is not given out again, also if nobody had it when the store was copied";
    let source = MemoryStore::new();
    let origin = host(&source);
    must(typed(&origin, "customer").define(DefinitionSpec::string("a")), "1");
    must(typed(&origin, "customer").set(1, "a", "x"), "2");
    must(origin.batch().erase_entity(("customer", 1)).commit(), "3");
    copy(&source, store);
    same(&must(snapshot(store).marks(), "marks are read").ordinal, &Ordinal::new(1), promise, TOLD);
    must(typed(&host(store), "customer").set(2, "a", "y"), "4");
    same(&must(snapshot(store).marks(), "marks are read").ordinal, &Ordinal::new(2), promise, TOLD);
}

/// A copy that was made before is brought up to date: what was pruned and erased since goes, what was written comes.
pub fn a_copy_is_brought_up_to_date(store: &Store) {
    let promise = "a copy that is made again holds all that its source holds by now, and nothing else";
    let source = eventful();
    copy(&source, store);
    let origin = host(&source);
    let of = typed(&origin, "customer");
    for n in 10..14i64 {
        must(origin.batch().set(("customer", 1), "pruned", n).set(("customer", 2), "unkept", n).commit(), "values are set");
        must(of.set(7, "a", n.to_string()), "a value is set");
    }
    must(origin.batch().erase(("customer", 2), "secret").erase_entity(("customer", 3)).commit(), "some are erased");
    must(of.set(3, "a", "new"), "one of them comes back");
    must(
        of.clear(6, "pruned").map(drop).or_else(|error| if error.is_not_found() { Ok(()) } else { Err(error) }),
        "a value is cleared",
    );
    must(origin.prune(&Prune::new(), on_and_on), "history is pruned");
    let before = contents(store);
    copy(&source, store);
    same(&contents(store), &contents(&source), promise, "carry out `Changes::removals` when all else is written");
    let other = MemoryStore::new();
    let different = Attributes::new(&other);
    must(different.of("customer").and_then(|of| of.define(DefinitionSpec::string("z"))), "another store is written");
    let is_other = |error: &Error| matches!(error, Error::NotACopy { .. });
    refused(different.copy_to(store, on_and_on), is_other, "a store that holds something else is not written", TOLD);
    same(&contents(store), &contents(&source), promise, TOLD);
    same(&(before == contents(store)), &false, promise, TOLD);
}

/// Many commits may be ended at once; one that fails takes none of those with it that were ended.
pub fn commits_in_a_row_are_kept_in_order(store: &Store) {
    let promise = "`write_each` keeps commits from the first on, each of them whole";
    let source = eventful();
    let mut said = 0;
    let stopped = Attributes::new(&source).copy_to(store, |_| {
        said += 1;
        if said > 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match stopped {
        Ok(_) | Err(Error::Stopped) => {}
        Err(other) => must(Err(other), "a copy is ended"),
    }
    let marks = must(snapshot(store).marks(), "marks are read");
    let ids: Vec<_> = (1..=marks.commit.get()).map(CommitId::new).collect();
    let (found, expected) = (must(snapshot(store).commits(&ids), "commits"), must(snapshot(&source).commits(&ids), "commits"));
    same(&found, &expected, promise, TOLD);
    copy(&source, store);
    same(&contents(store), &contents(&source), promise, TOLD);
    let mut asked = 0;
    must(
        store.write_each(
            &mut |snapshot, _| {
                asked += 1;
                let batch = crate::store::Batch::new(&*snapshot.catalog()?, crate::Instant::default());
                crate::store::plan(snapshot, &batch)
            },
            &mut on_and_on,
        ),
        "it ends with the first plan that changes nothing",
    );
    same(&asked, &1, "`write_each` asks until nothing is to be done, and no more", TOLD);
}

/// What a store of an older release may have: the instants of some commits go back. It is only read from.
#[derive(Debug)]
struct Backwards(MemoryStore);

/// By commit, in seconds.
const INSTANTS: [i64; 8] = [50, 30, 40, -100, 60, 20, 60, 70];

impl AttributeStore for Backwards {
    fn write(&self, _: &mut Decide<'_>, _: &mut OnProgress<'_>) -> Result<Receipt> {
        Err(Error::ReadOnly)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(BackwardsSnapshot(Plain(self.0.snapshot()?))))
    }
}

struct BackwardsSnapshot<'a>(Plain<'a>);

impl Snapshot for BackwardsSnapshot<'_> {
    fn catalog(&self) -> Result<Arc<Catalog>> {
        self.0.catalog()
    }

    fn marks(&self) -> Result<Marks> {
        let marks = self.0.marks()?;
        let last = self.commits(&[marks.commit])?.pop().flatten();
        Ok(Marks { at: last.map(|commit| commit.at), ..marks })
    }

    fn read(&self, entities: &[EntityKey]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        self.0.read(entities)
    }

    fn written(&self, of: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        self.0.written(of, after, limit)
    }

    fn commits(&self, ids: &[CommitId]) -> Result<Vec<Option<Commit>>> {
        let mut commits = self.0.commits(ids)?;
        for commit in commits.iter_mut().flatten() {
            commit.at =
                micros(INSTANTS.iter().zip(1..).find(|(_, id)| *id == commit.id.get()).map_or(0, |(at, _)| at * 1_000_000));
        }
        Ok(commits)
    }

    fn touched(&self, commits: &[CommitId]) -> Result<Vec<Touched>> {
        self.0.touched(commits)
    }

    fn history(&self, entities: &[EntityKey]) -> Result<Vec<Vec<Past>>> {
        self.0.history(entities)
    }

    fn past_definitions(&self, definitions: Option<&[DefinitionId]>) -> Result<Vec<PastDefinition>> {
        self.0.past_definitions(definitions)
    }

    fn horizons(&self) -> Result<BTreeMap<DefinitionId, CommitId>> {
        self.0.horizons()
    }
}

/// A copy has the instants of its source as they are, also where they go back. Then an instant stands for the last commit before
/// the first that is later, and what is committed afterwards is not earlier than the last copied commit.
pub fn a_copy_keeps_instants_that_go_back(store: &Store) {
    let source = Backwards(MemoryStore::new());
    let of_source = host(&source.0);
    must(typed(&of_source, "customer").define(DefinitionSpec::integer("n")), "a definition is made");
    for n in 2..=8 {
        must(typed(&of_source, "customer").set(1, "n", n), "a value is set");
    }
    let attributes = Attributes::new(&source);
    must(attributes.copy_to(&store, on_and_on), "a store is copied");
    let ids: Vec<CommitId> = (1..=8).map(CommitId::new).collect();
    let commits = must(snapshot(store).commits(&ids), "commits are read");
    let seconds: Vec<_> = commits.iter().flatten().map(|commit| commit.at.timestamp()).collect();
    same(&seconds, &INSTANTS, "a copied commit has the instant that it had", TOLD);
    let asked = [-101, -100, 0, 20, 29, 30, 40, 49, 50, 59, 60, 61, 70, 99];
    let at =
        |seconds: i64| must(snapshot(store).commit_at(micros(seconds * 1_000_000)), "a commit is found by its instant").get();
    let promise = "`commit_at` answers the last commit before the first that is later, also where instants go back";
    let advice = "where a copied commit is earlier than the one before it, instants are not sorted: look at all commits up to it";
    same(&asked.map(at), &[0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 7, 7, 8, 8], promise, advice);
    let catalog = must(store.catalog(), "the catalog is read");
    let mut batch = crate::store::Batch::new(&catalog, micros(65_000_000));
    batch.push(super::support::set(store, &customer(1), "n", 9));
    let receipt = must(store.commit(&batch), "a batch is committed");
    same(&receipt.at.timestamp(), &70, "what is committed after a copy is not earlier than its last commit", TOLD);
    same(&at(70), &9, promise, advice);
}
