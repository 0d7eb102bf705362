//! What a damaged SQLite file, or a faulty store, does to those who read it: an answer or an error, soon, and never a panic.
//!
//! `CUSTOM_ATTRIBUTES_DAMAGE=20000` makes the sweeps try so many damages instead of the few that every run has time for.
#![cfg(feature = "sqlite")]

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use custom_attributes::store::{
    AttributeStore, Commit, Decide, Marks, OnProgress, Past, PastDefinition, Receipt, Snapshot, Touched,
};
use custom_attributes::{
    Attributes, Catalog, CommitId, DefinitionId, DefinitionSpec, Direction, EntityKey, EntityRecord, EntityType, Error, Limits,
    MemoryStore, Ordinal, Position, Prune, Query, Result, Retention, SqliteStore, attr,
};
use tempfile::TempDir;

/// No operation on a file of 250 KB may take longer, on whatever machine: an endless loop takes for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is read and written of a damaged store.
const OPERATIONS: [&str; 12] = [
    "verify_index",
    "digest",
    "export",
    "copy_to",
    "usage",
    "find",
    "count",
    "history",
    "changes_since",
    "as_of",
    "prune",
    "rebuild_index",
];

/// Pages of 512 bytes: a small file has many, and trees of some depth.
fn fill(path: &Path) {
    rusqlite::Connection::open(path).unwrap().execute_batch("PRAGMA page_size = 512; VACUUM").unwrap();
    let attributes = attributes(SqliteStore::open(path).unwrap());
    let customers = attributes.of("customer").unwrap();
    let specs = [
        DefinitionSpec::string("tier"),
        DefinitionSpec::integer("seats").retention(Retention::Versions(1)),
        DefinitionSpec::decimal("limit"),
        DefinitionSpec::date("since"),
        DefinitionSpec::boolean("churned").searchable(false),
        DefinitionSpec::string("code").unique(),
        DefinitionSpec::string("gone"),
    ];
    customers.ensure(specs).unwrap();
    for part in 0..4 {
        let ids = (0..60).map(|id| part * 60 + id);
        let batch = ids.fold(attributes.batch(), |batch, id: i64| {
            let key = if id % 3 == 0 { EntityKey::new("customer", format!("c{id}")) } else { EntityKey::new("customer", id) };
            let key = key.unwrap();
            batch
                .set(&key, "tier", ["basic", "premium", "gold"][usize::try_from(id % 3).unwrap()])
                .set(&key, "seats", id)
                .set_text(&key, "limit", format!("{id}.50"))
                .set_text(&key, "since", "2025-01-04")
                .set(&key, "churned", id % 2 == 0)
                .set(&key, "code", format!("code {id}"))
                .set(&key, "gone", "x")
        });
        batch.commit().unwrap();
    }
    for n in 0..40 {
        attributes.of("customer").unwrap().by("ann").set(n * 3 + 1, "seats", n + 1000).unwrap();
        customers.set(1, "tier", format!("tier {n}")).unwrap();
    }
    customers.alter("tier", |spec| spec.description("how much they pay")).unwrap();
    customers.delete_with_values("gone").unwrap();
    attributes.batch().erase_entity(("customer", 238)).commit().unwrap();
    customers.remove(4).unwrap();
}

fn attributes<S: AttributeStore>(store: S) -> Attributes<S> {
    let mut limits = Limits::typed();
    limits.retention = Retention::Versions(30);
    Attributes::new(store).with_limits(limits).unwrap()
}

fn on_and_on<T>(_: T) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Does one of [`OPERATIONS`].
fn operate<S: AttributeStore>(attributes: &Attributes<S>, operation: &str) -> Result<()> {
    let customers = attributes.of("customer")?;
    match operation {
        "verify_index" => attributes.snapshot()?.verify_index(|_| ControlFlow::Continue(())),
        "digest" => attributes.digest().map(drop),
        "export" => attributes.export(std::io::sink(), on_and_on).map(drop),
        "copy_to" => attributes.copy_to(&MemoryStore::new(), on_and_on).map(drop),
        "usage" => attributes.snapshot()?.usage(customers.entity_type()).map(drop),
        "rebuild_index" => attributes.rebuild_index(on_and_on),
        "find" => {
            let view = attributes.snapshot()?;
            let narrow = Query::from(attr("tier").eq("gold") & attr("seats").gt(5)).limit(7);
            let sorted = Query::from(attr("limit").exists()).order_by("seats", Direction::Descending).limit(7);
            for query in [narrow, sorted, Query::all().order_by("code", Direction::Ascending).limit(50)] {
                view.find_keys(customers.entity_type(), query.clone())?;
                view.find_all(customers.entity_type(), query).try_for_each(|entity| entity.map(drop))?;
            }
            Ok(())
        }
        "count" => {
            attributes.snapshot()?.count(customers.entity_type())?;
            customers.count_found(attr("seats").gt(5)).map(drop)
        }
        "history" => {
            let view = attributes.snapshot()?;
            (0..6).try_for_each(|id| view.history(("customer", id)).map(drop))?;
            view.definition_history(DefinitionId::new(1)).map(drop)
        }
        "changes_since" => attributes.changes_since(Position::default(), 500).map(drop),
        "as_of" => {
            let view = attributes.as_of(CommitId::new(20))?;
            view.entities_of(customers.entity_type(), None, 100).map(drop)?;
            attributes.as_of("2025-01-04T10:00:00Z".parse::<custom_attributes::Instant>().expect("an instant")).map(drop)
        }
        "prune" => attributes.prune(&Prune::new(), on_and_on).map(drop),
        other => panic!("there is no operation {other}"),
    }
}

/// Opens a file and does all of it, and tells what failed as it should not have.
fn bears(path: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    let store = match catch_unwind(|| SqliteStore::open(path)) {
        Ok(Ok(store)) => attributes(store),
        Ok(Err(_)) => return wrong,
        Err(_) => return vec!["opening panics".to_owned()],
    };
    for operation in OPERATIONS {
        let tried = catch_unwind(AssertUnwindSafe(|| operate(&store, operation)));
        match tried {
            Err(_) => wrong.push(format!("{operation} panics")),
            Ok(Err(Error::CommitOutcomeUnknown { .. })) => wrong.push(format!("{operation} does not know its outcome")),
            Ok(_) => {}
        }
    }
    wrong
}

/// Does it under a watchdog, which names the damage whose reader does not come back.
fn watched(damages: Vec<(String, Vec<u8>)>) {
    let (sender, told) = channel();
    let worker = std::thread::spawn(move || {
        let folder = TempDir::new().unwrap();
        for (number, (damage, bytes)) in damages.into_iter().enumerate() {
            let path = folder.path().join(format!("{number}.db"));
            fs::write(&path, bytes).unwrap();
            sender.send((damage, None)).unwrap();
            let wrong = bears(&path);
            sender.send((String::new(), Some(wrong))).unwrap();
            for end in ["", "-wal", "-shm"] {
                fs::remove_file(folder.path().join(format!("{number}.db{end}"))).ok();
            }
        }
    });
    let (mut current, mut wrong) = (String::new(), Vec::new());
    loop {
        match told.recv_timeout(PATIENCE) {
            Ok((damage, None)) => current = damage,
            Ok((_, Some(found))) => wrong.extend(found.into_iter().map(|found| format!("{current}: {found}"))),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("{current}: a reader does not come back within {PATIENCE:?}"),
        }
    }
    worker.join().unwrap();
    assert_eq!(wrong, [] as [String; 0]);
}

/// Numbers that look like chance, and are the same in every run.
struct Drawn(u64);

impl Drawn {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below).unwrap()).unwrap()
    }
}

/// How many damages of each kind are tried.
fn dose(few: usize) -> usize {
    std::env::var("CUSTOM_ATTRIBUTES_DAMAGE").ok().and_then(|dose| dose.parse().ok()).unwrap_or(few)
}

fn seed() -> u64 {
    std::env::var("CUSTOM_ATTRIBUTES_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x9e37_79b9_7f4a_7c15)
}

fn whole() -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("whole.db");
    fill(&path);
    assert_eq!(bears(&path), [] as [String; 0]);
    let store = attributes(SqliteStore::open(&path).unwrap());
    OPERATIONS.iter().for_each(|operation| operate(&store, operation).unwrap_or_else(|error| panic!("{operation}: {error:?}")));
    drop(store);
    fs::read(&path).unwrap()
}

/// Damages are made and tried a few at a time, so that a large dose needs no more memory than a small one.
fn sweep(few: usize, mut damage: impl FnMut(&mut Drawn, &mut Vec<u8>) -> String) {
    let whole = whole();
    let (mut drawn, mut left) = (Drawn(seed()), dose(few));
    let began = Instant::now();
    let all = left;
    while left > 0 {
        let these = left.min(64);
        let damages = (0..these).map(|_| {
            let mut bytes = whole.clone();
            (damage(&mut drawn, &mut bytes), bytes)
        });
        watched(damages.collect());
        left -= these;
    }
    println!("{all} damages to a file of {} bytes in {:?}", whole.len(), began.elapsed());
}

#[test]
fn a_flipped_bit_ends_in_an_answer_or_an_error() {
    sweep(40, |drawn, bytes| {
        // The header of the file and its schema, which SQLite checks, are hit less often than the rest.
        let at = if drawn.next(10) == 0 { drawn.next(bytes.len()) } else { 1024 + drawn.next(bytes.len() - 1024) };
        let bit = drawn.next(8);
        bytes[at] ^= 1 << bit;
        format!("bit {bit} of byte {at}")
    });
}

#[test]
fn one_page_over_another_ends_in_an_answer_or_an_error() {
    sweep(30, |drawn, bytes| {
        let pages = bytes.len() / 512;
        let (from, to) = (drawn.next(pages), 1 + drawn.next(pages - 1));
        let page = bytes[from * 512..from * 512 + 512].to_vec();
        if drawn.next(2) == 0 {
            let other = bytes[to * 512..to * 512 + 512].to_vec();
            if from > 0 {
                bytes[from * 512..from * 512 + 512].copy_from_slice(&other);
            }
        }
        bytes[to * 512..to * 512 + 512].copy_from_slice(&page);
        format!("page {from} over page {to}")
    });
}

#[test]
fn a_few_overwritten_bytes_end_in_an_answer_or_an_error() {
    sweep(20, |drawn, bytes| {
        let at = 512 + drawn.next(bytes.len() - 520);
        let length = 1 + drawn.next(8);
        let with = [0, 0xff, 0x7f, 0x80][drawn.next(4)];
        bytes[at..at + length].fill(with);
        format!("{length} bytes of {with:#x} from {at} on")
    });
}

/// A store whose scans do not go on: each is broken in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scan {
    Sound,
    /// Every page is the first.
    Repeats,
    /// The rows of a page come from the last to the first.
    Descends,
    /// The last row of each page comes twice.
    Stutters,
    /// A page has more rows than were asked for.
    Overflows,
}

#[derive(Debug)]
struct Faulty(MemoryStore, Scan);

struct FaultySnapshot<'a>(Box<dyn Snapshot + 'a>, Scan);

fn broken<T: Clone>(rows: Vec<T>, scan: Scan) -> Vec<T> {
    let mut rows = rows;
    match scan {
        Scan::Descends => rows.reverse(),
        Scan::Stutters => {
            if let Some(last) = rows.last().cloned() {
                rows.pop();
                rows.extend(rows.last().cloned().or(Some(last)));
            }
        }
        Scan::Overflows => rows.extend(rows.last().cloned()),
        Scan::Sound | Scan::Repeats => {}
    }
    rows
}

impl AttributeStore for Faulty {
    fn write(&self, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<Receipt> {
        let scan = self.1;
        self.0.write(&mut |snapshot, progress| decide(&Forward(snapshot, scan), progress), progress)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(FaultySnapshot(self.0.snapshot()?, self.1)))
    }
}

struct Forward<'a>(&'a dyn Snapshot, Scan);

macro_rules! faulty {
    ($($snapshot:ty),*) => {$(
        impl Snapshot for $snapshot {
            fn catalog(&self) -> Result<Arc<Catalog>> {
                self.0.catalog()
            }

            fn marks(&self) -> Result<Marks> {
                self.0.marks()
            }

            fn read(&self, entities: &[EntityKey]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
                self.0.read(entities)
            }

            fn written(&self, of: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
                let after = after.filter(|_| self.1 != Scan::Repeats);
                Ok(broken(self.0.written(of, after, limit)?, self.1))
            }

            fn commits(&self, ids: &[CommitId]) -> Result<Vec<Option<Commit>>> {
                self.0.commits(ids)
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

            fn locate(&self, ordinals: &[Ordinal]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
                self.0.locate(ordinals)
            }
        }
    )*};
}
faulty!(FaultySnapshot<'_>, Forward<'_>);

/// Whatever the store of a third party answers, a scan comes to its end, and says what is wrong.
#[test]
fn a_store_whose_scans_do_not_go_on_is_an_error() {
    for scan in [Scan::Sound, Scan::Repeats, Scan::Descends, Scan::Stutters, Scan::Overflows] {
        let (sender, told) = channel();
        std::thread::spawn(move || {
            let store = MemoryStore::new();
            let inner = Attributes::new(store.clone());
            let customers = inner.of("customer").unwrap();
            customers.ensure([DefinitionSpec::string("tier"), DefinitionSpec::integer("seats")]).unwrap();
            // More than two pages.
            for part in 0..3 {
                let ids = (0..1000).map(|id| part * 1000 + id);
                ids.fold(inner.batch(), |batch, id: i64| batch.set(("customer", id), "tier", "basic")).commit().unwrap();
            }
            let of = attributes(Faulty(store, scan));
            let customers = of.of("customer").unwrap();
            let scans: [(&str, &dyn Fn() -> Result<()>); 8] = [
                ("digest", &|| operate(&of, "digest")),
                ("usage", &|| operate(&of, "usage")),
                ("count", &|| of.snapshot()?.count(customers.entity_type()).map(drop)),
                ("find", &|| customers.find(attr("tier").eq("gold")).map(drop)),
                ("export", &|| operate(&of, "export")),
                ("copy_to", &|| operate(&of, "copy_to")),
                ("as_of", &|| of.as_of(CommitId::new(4))?.count(customers.entity_type()).map(drop)),
                ("change", &|| customers.change("tier", |spec| spec.choices(["basic"])).check().map(drop)),
            ];
            for (operation, scanned) in scans {
                sender.send((operation, scanned().map_err(|error| (error.code(), error.to_string())))).unwrap();
            }
        });
        loop {
            match told.recv_timeout(PATIENCE) {
                Ok((_, Ok(()))) if scan == Scan::Sound => {}
                Ok((_, Err((50002, message)))) if scan != Scan::Sound => {
                    assert!(message.contains("a scan of entities"), "{message}")
                }
                Ok(other) => panic!("{scan:?}: {other:?}"),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("{scan:?}: a scan does not come to its end"),
            }
        }
    }
}
