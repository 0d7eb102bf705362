//! What it costs to copy a store, to export and import it, to back it up and to take its digest, beside loading it.
//!
//! `cargo bench --bench copying` measures 100,000 entities; `-- --entities 1000000` more.

#[path = "support/customers.rs"]
mod customers;
#[path = "support/turns.rs"]
mod turns;

use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::time::Instant;

use custom_attributes::{AttributeStore, Attributes, DefinitionSpec, MemoryStore, Progress, SqliteStore};

use customers::{ATTRIBUTES, Customers};
use turns::Arguments;

fn on_and_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn timed<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = act();
    println!("{what:60} {:8.2} s", began.elapsed().as_secs_f64());
    done
}

fn fill<S: AttributeStore>(attributes: &Attributes<S>, customers: &Customers) {
    let specs = ATTRIBUTES.map(|(name, data_type)| DefinitionSpec::new(name, data_type));
    attributes.of("customer").expect("a type").ensure(specs).expect("definitions");
    let batch = customers.iter().fold(attributes.batch(), |batch, (id, values)| {
        batch.save(("customer", id), ATTRIBUTES.iter().map(|(name, _)| *name).zip(values))
    });
    batch.commit().expect("a load");
}

fn set<S: AttributeStore>(attributes: &Attributes<S>, customers: &Customers, commits: usize) {
    let (of, mut walk) = (attributes.of("customer").expect("a type"), customers.walk());
    for _ in 0..commits {
        let (id, n, value) = walk.next_set();
        of.set(id, ATTRIBUTES[n].0, value).expect("a value is set");
    }
}

fn main() {
    let arguments = Arguments::read();
    let folder = tempfile::tempdir().expect("a folder for the files");
    let customers = Customers::new(arguments.entities);
    let open = |name: &str| Attributes::new(SqliteStore::open(folder.path().join(name)).expect("a store"));
    let commits = customers.len() / 5;
    println!("{} entities of {} values", customers.len(), ATTRIBUTES.len());

    let loaded = open("loaded.db");
    timed("load into SQLite, in one batch", || fill(&loaded, &customers));
    let source = Attributes::new(MemoryStore::new());
    timed("load into memory", || fill(&source, &customers));
    let copied = open("copied.db");
    timed("copy memory to SQLite, digests compared", || source.copy_to(copied.store(), on_and_on).expect("a copy"));
    let memory = MemoryStore::new();
    timed("copy SQLite to memory, digests compared", || copied.copy_to(&memory, on_and_on).expect("a copy"));
    timed("digest of SQLite", || copied.digest().expect("a digest"));
    timed("digest of memory", || source.digest().expect("a digest"));
    let lines = folder.path().join("lines.jsonl");
    timed("export SQLite", || copied.export(File::create(&lines).expect("a file"), on_and_on).expect("an export"));
    let read = BufReader::new(File::open(&lines).expect("a file"));
    timed("import into SQLite", || open("imported.db").import(read, on_and_on).expect("an import"));
    timed("backup of SQLite", || copied.store().backup(folder.path().join("backup.db"), on_and_on).expect("a backup"));
    let size = |name: &str| std::fs::metadata(folder.path().join(name)).map_or(0, |file| file.len()) / 1_000_000;
    println!("{} MB of lines, {} MB in SQLite, {} MB loaded", size("lines.jsonl"), size("backup.db"), size("loaded.db"));

    timed(&format!("{commits} sets in memory, a commit each"), || set(&source, &customers, commits));
    timed("the copy brought up to date", || source.copy_to(copied.store(), on_and_on).expect("a copy"));
    timed("the same, of nothing", || source.copy_to(copied.store(), on_and_on).expect("a copy"));
    timed(&format!("{commits} durable sets in SQLite, a commit each"), || set(&loaded, &customers, commits));
}
