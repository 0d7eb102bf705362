//! Prints what changes in a store.

mod csv_support;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use clap::Parser;
use custom_attributes::{Attributes, Horizon, Position, SqliteStore};

use csv_support::{Result, finish, note};

/// Prints what changed in a store, a JSON object a line, in the order of the commits: definitions with what they were and are,
/// entities with the values that changed.
///
/// It ends with the last change, and says on stderr where to go on; with --follow it waits for more.
#[derive(Parser)]
#[command(name = "tail", version)]
struct Args {
    /// The store; it is only read.
    #[arg(long, value_name = "PATH")]
    db: PathBuf,
    /// Begin behind this commit, or position: as it was printed on stderr. Without it, with the first.
    #[arg(long, value_name = "COMMIT[:ORDINAL]", default_value = "0")]
    since: Position,
    /// Wait for more, and print it as it comes.
    #[arg(long)]
    follow: bool,
    /// How often to look for more, in milliseconds.
    #[arg(long, value_name = "MS", default_value = "500", requires = "follow", value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
}

/// How many entities are read at a time.
const PAGE: usize = 1000;

fn main() -> ExitCode {
    finish(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    let attributes = Attributes::new(SqliteStore::options().read_only().must_exist().open(&args.db)?);
    let mut out = io::stdout().lock();
    let mut position = args.since;
    let mut told = Vec::new();
    loop {
        let page = attributes.changes_since(position, PAGE)?;
        for Horizon { entity_type, attribute, until, .. } in page.horizons.iter().filter(|horizon| !told.contains(*horizon)) {
            note(&format!("note: changes of {entity_type}.{attribute} before commit {until} are not all known any longer"));
        }
        told = page.horizons;
        for change in &page.changes {
            writeln!(out, "{}", serde_json::to_string(change)?)?;
        }
        out.flush()?;
        position = page.position;
        match (page.has_more, args.follow) {
            (true, _) => {}
            (false, true) => sleep(Duration::from_millis(args.every)),
            (false, false) => break,
        }
    }
    note(&format!("go on with --since {position}"));
    Ok(())
}
