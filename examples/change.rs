//! Changes the type or the name of an attribute, and tells beforehand what that means for the values that are held.

mod csv_support;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use custom_attributes::{Attributes, CommitId, DataType, DefinitionSpec, EntityType, Error, Offending, SqliteStore};

use csv_support::{Result, finish};

/// Changes the type or the name of an attribute: a dry run, unless it is to be applied.
///
/// Values are converted exactly, or not at all: a text by the grammar of the type, anything to its text, a whole number between
/// INTEGER and DECIMAL. What cannot be converted is listed, each with its entity and the reason.
#[derive(Parser)]
#[command(name = "change", version)]
struct Args {
    /// The store.
    #[arg(long, value_name = "PATH")]
    db: PathBuf,
    /// The type of the entities, for instance customer.
    #[arg(long = "type", value_name = "TYPE", value_parser = EntityType::new)]
    entity_type: EntityType,
    /// The attribute.
    #[arg(required_unless_present = "undo")]
    name: Option<String>,
    /// Its new type: STRING, DECIMAL, INTEGER, BOOLEAN or DATE.
    #[arg(long, value_name = "TYPE", value_parser = data_type)]
    to: Option<DataType>,
    /// Its new name.
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    /// Make the change, unless values offend: then refuse it, or clear those.
    #[arg(long, value_enum, value_name = "IF OFFENDING")]
    apply: Option<Apply>,
    /// Who does it.
    #[arg(long, value_name = "ACTOR")]
    by: Option<String>,
    /// Instead, undo all that this commit did.
    #[arg(long, value_name = "COMMIT", conflicts_with_all = ["name", "to", "rename", "apply"])]
    undo: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Apply {
    Refuse,
    Clear,
}

fn data_type(text: &str) -> Result<DataType, String> {
    text.parse().map_err(|error: Error| error.to_string())
}

fn main() -> ExitCode {
    finish(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    let attributes = Attributes::new(SqliteStore::options().must_exist().open(&args.db)?);
    let mut out = io::stdout().lock();
    if let Some(commit) = args.undo {
        let undo = attributes.undo(CommitId::new(commit))?;
        let undo = args.by.iter().fold(undo, |undo, actor| undo.by(actor.as_str()));
        let done = undo.commit()?.commit;
        writeln!(out, "undone: {}", done.map_or("nothing".to_owned(), |done| format!("commit {done}")))?;
        return Ok(());
    }
    let customers = attributes.of_type(args.entity_type.clone());
    let customers = match &args.by {
        Some(actor) => customers.by(actor.as_str()),
        None => customers,
    };
    let name = args.name.as_deref().unwrap_or_default();
    let alter = |spec: DefinitionSpec| {
        let spec = args.to.map_or(spec.clone(), |data_type| spec.of_type(data_type));
        args.rename.iter().fold(spec, |spec, name| spec.named(name))
    };
    let change = customers.change(name, alter);
    let report = change.check()?;
    writeln!(out, "held       {}", report.held)?;
    writeln!(out, "converted  {}", report.converted)?;
    writeln!(out, "offending  {}", report.offending)?;
    for offence in &report.offences {
        writeln!(out, "  {}: {}", offence.entity, offence.violation)?;
    }
    let more = report.offending - report.offences.len() as u64;
    if more > 0 {
        writeln!(out, "  and {more} more")?;
    }
    let offending = match args.apply {
        None => return Ok(writeln!(out, "nothing was changed; --apply refuse or --apply clear makes the change")?),
        Some(Apply::Refuse) => Offending::Refuse,
        Some(Apply::Clear) => Offending::Clear,
    };
    match change.apply_with(offending)?.commit {
        Some(commit) => writeln!(out, "done: commit {commit}; --undo {commit} takes it back")?,
        None => writeln!(out, "it was so already")?,
    }
    Ok(())
}
