//! Removes history that has outlived its time, and what a person asks to be erased.

mod csv_support;

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use custom_attributes::{Attributes, EntityId, EntityType, Limits, Progress, Prune, Retention, SqliteStore};
use indicatif::ProgressBar;

use csv_support::{Result, finish, note};

/// Removes history that has outlived its time, or what a person asks to be erased, value, history, index and bytes.
#[derive(Parser)]
#[command(name = "forget", version)]
struct Args {
    /// The store.
    #[arg(long, value_name = "PATH")]
    db: PathBuf,
    /// Who does it.
    #[arg(long, value_name = "ACTOR")]
    by: Option<String>,
    /// Why: the number of the request, for instance. Notes are not erased.
    #[arg(long, value_name = "NOTE")]
    note: Option<String>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Removes old versions from history; definitions with a retention of their own keep to that.
    Prune {
        /// Keep what was replaced or cleared in the last so many days.
        #[arg(long, value_name = "DAYS", required_unless_present = "versions", conflicts_with = "versions")]
        days: Option<u32>,
        /// Keep the last so many versions of each value, beside the one that stands.
        #[arg(long, value_name = "COUNT")]
        versions: Option<u32>,
        /// Remove at the most so many versions.
        #[arg(long, value_name = "COUNT", default_value = "100000", value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Erases an entity with its id, or single attributes of it that are marked as sensitive, and writes the file anew.
    Erase {
        /// The type of the entity, for instance person.
        #[arg(long = "type", value_name = "TYPE", value_parser = EntityType::new)]
        entity_type: EntityType,
        /// The id of the entity.
        #[arg(long, value_name = "ID")]
        id: String,
        /// Only these attributes.
        names: Vec<String>,
    },
}

fn main() -> ExitCode {
    finish(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    let attributes = Attributes::new(SqliteStore::options().must_exist().open(&args.db)?);
    match &args.what {
        What::Prune { days, versions, limit } => {
            let mut limits = Limits::typed();
            limits.retention = match (days, versions) {
                (Some(days), _) => Retention::days(*days),
                (None, versions) => Retention::Versions(versions.unwrap_or_default()),
            };
            prune(&attributes.with_limits(limits)?, *limit)
        }
        What::Erase { entity_type, id, names } => erase(&attributes, args, entity_type, id, names),
    }
}

fn prune(attributes: &Attributes<SqliteStore>, limit: u32) -> Result<()> {
    let bar = ProgressBar::new(0);
    let told = |progress: Progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        ControlFlow::Continue(())
    };
    let pruned = attributes.prune(&Prune::new().limit(limit as usize), told)?;
    bar.finish_and_clear();
    let mut out = io::stdout().lock();
    for one in &pruned.attributes {
        writeln!(out, "{}.{}: {} versions", one.entity_type, one.attribute, one.removed)?;
    }
    writeln!(out, "{} versions removed", pruned.removed)?;
    if let Some(failure) = pruned.failure {
        return Err(format!("the rest was not looked at: {failure}; run it again").into());
    }
    if pruned.next.is_some() {
        writeln!(out, "there are more; run it again")?;
    }
    Ok(())
}

fn erase(attributes: &Attributes<SqliteStore>, args: &Args, entity_type: &EntityType, id: &str, names: &[String]) -> Result<()> {
    let key = (entity_type.as_str(), EntityId::parse(id)?);
    let batch = args.by.iter().fold(attributes.batch(), |batch, actor| batch.by(actor.as_str()));
    let batch = args.note.iter().fold(batch, |batch, note| batch.note(note.as_str()));
    let batch = match names {
        [] => batch.erase_entity(key),
        names => names.iter().fold(batch, |batch, name| batch.erase(key.clone(), name.as_str())),
    };
    let mut out = io::stdout().lock();
    match batch.commit()?.commit {
        Some(commit) => writeln!(out, "erased in commit {commit}")?,
        None => writeln!(out, "there was nothing to erase")?,
    }
    note("writing the file anew; other writers wait");
    attributes.purge()?;
    writeln!(out, "the file has no byte of it")?;
    Ok(())
}
