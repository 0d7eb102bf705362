//! Changes the attributes of a store, and tells beforehand what that means for the values that are held.

mod csv_support;

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use custom_attributes::{
    Attributes, AttributesOf, CommitId, Conversion, DataType, DefinitionSpec, EntityType, Error, Offending, PlanReport,
    SchemaPlan, SqliteStore, StepReport, Value,
};
use indicatif::{ProgressBar, ProgressStyle};

use csv_support::{Result, finish};

/// Changes the attributes of a store: a dry run, unless it is to be applied, and then all of it in one commit, or nothing.
///
/// A value is converted only if its text stays the same, so that nothing is lost: `01234` is not the INTEGER 1234, unless
/// `--numbers-by-value` says so. What cannot be converted is listed, each with its entity and the reason. Definitions are made first, then
/// types are changed, values split off, attributes merged, and at last renamed.
#[derive(Parser)]
#[command(name = "change", version)]
struct Args {
    /// The store.
    #[arg(long, value_name = "PATH")]
    db: PathBuf,
    /// The type of the entities, for instance customer.
    #[arg(long = "type", value_name = "TYPE", value_parser = EntityType::new)]
    entity_type: EntityType,
    /// Makes an attribute.
    #[arg(long, value_name = "NAME=TYPE", value_parser = typed)]
    define: Vec<(String, DataType)>,
    /// Changes the data type of an attribute to STRING, DECIMAL, INTEGER, BOOLEAN or DATE.
    #[arg(long, value_name = "NAME=TYPE", value_parser = typed)]
    to: Vec<(String, DataType)>,
    /// Changes the type of each STRING to the narrowest of INTEGER, DECIMAL, DATE and BOOLEAN that all its values are written as
    /// which are not blank, if there is one.
    #[arg(long)]
    infer: bool,
    /// Converts numbers by value: 01234 becomes 1234, and DECIMAL 5.00 becomes INTEGER 5. The report counts and lists those whose
    /// text changes.
    #[arg(long)]
    numbers_by_value: bool,
    /// Moves those values of an attribute to another that are written as that one's type.
    #[arg(long, value_name = "NAME=INTO", value_parser = pair)]
    split: Vec<(String, String)>,
    /// Moves all values of an attribute to another, and deletes it.
    #[arg(long, value_name = "NAME=INTO", value_parser = pair)]
    merge: Vec<(String, String)>,
    /// Gives an attribute another name.
    #[arg(long, value_name = "NAME=NEW", value_parser = pair)]
    rename: Vec<(String, String)>,
    /// Carries it out, unless values offend: then refuses, or clears those.
    #[arg(long, value_enum, value_name = "IF OFFENDING")]
    apply: Option<Apply>,
    /// Who does it.
    #[arg(long, value_name = "ACTOR")]
    by: Option<String>,
    /// Instead, undo all that this commit did.
    #[arg(long, value_name = "COMMIT", conflicts_with_all = ["define", "to", "infer", "numbers_by_value", "split", "merge", "rename", "apply"])]
    undo: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Apply {
    Refuse,
    Clear,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, other) = text.rsplit_once('=').ok_or("it is written with an = between the two")?;
    Ok((name.to_owned(), other.to_owned()))
}

fn typed(text: &str) -> Result<(String, DataType), String> {
    let (name, data_type) = pair(text)?;
    Ok((name, data_type.parse().map_err(|error: Error| error.to_string())?))
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
    let of_type = attributes.of_type(args.entity_type.clone());
    let of_type = match &args.by {
        Some(actor) => of_type.by(actor.as_str()),
        None => of_type,
    };
    let plan = plan(args, &of_type)?;
    let report = plan.check_with(progress("checking"))?;
    if args.infer && report.steps.is_empty() {
        return Ok(writeln!(out, "nothing to change: no STRING attribute holds only values of a narrower type")?);
    }
    tell(&mut out, &report)?;
    let offending = match args.apply {
        None => return Ok(writeln!(out, "nothing was changed; --apply refuse or --apply clear carries it out")?),
        Some(Apply::Refuse) => Offending::Refuse,
        Some(Apply::Clear) => Offending::Clear,
    };
    match plan.apply_with_progress(offending, progress("changing"))?.commit {
        Some(commit) => writeln!(out, "done: commit {commit}; --undo {commit} takes it back")?,
        None => writeln!(out, "it was so already")?,
    }
    Ok(())
}

fn plan<'a>(args: &Args, of_type: &'a AttributesOf<'a, SqliteStore>) -> Result<SchemaPlan<'a, SqliteStore>> {
    let inferred = if args.infer { infer(of_type)? } else { Vec::new() };
    let mut plan = of_type.plan();
    if args.numbers_by_value {
        plan = plan.numbers_by_value();
    }
    for (name, data_type) in &args.define {
        plan = plan.define(DefinitionSpec::new(name.as_str(), *data_type));
    }
    let named = |name: &str| args.to.iter().any(|(other, _)| other == name);
    for (name, data_type) in args.to.iter().cloned().chain(inferred.into_iter().filter(|(name, _)| !named(name))) {
        plan = plan.change(name, move |spec| spec.of_type(data_type));
    }
    for (name, into) in &args.split {
        plan = plan.split(name.as_str(), into.as_str());
    }
    for (name, into) in &args.merge {
        plan = plan.merge(name.as_str(), into.as_str());
    }
    for (name, new) in &args.rename {
        plan = plan.rename(name.as_str(), new.as_str());
    }
    Ok(plan)
}

/// From narrow to wide: what is written as one is written as those behind it, if as any.
const NARROW: [DataType; 4] = [DataType::Integer, DataType::Decimal, DataType::Date, DataType::Boolean];

/// The type of each text attribute of which values are written as one that is narrower.
fn infer(of_type: &AttributesOf<'_, SqliteStore>) -> Result<Vec<(String, DataType)>> {
    let definitions = of_type.export_definitions()?.definitions;
    let mut inferred = Vec::new();
    for spec in definitions.into_iter().filter(|spec| spec.data_type == DataType::String && spec.searchable) {
        let facets = of_type.facets(None, &spec.name)?;
        let texts: Vec<String> =
            facets.values().iter().map(|(value, _)| value.to_string()).filter(|text| !text.trim().is_empty()).collect();
        let all_are = |data_type: DataType| texts.iter().all(|text| Value::from(text).converted(data_type).is_ok());
        if let Some(narrow) = NARROW.into_iter().find(|narrow| !texts.is_empty() && all_are(*narrow)) {
            inferred.push((spec.name, narrow));
        }
    }
    Ok(inferred)
}

fn tell(out: &mut impl Write, report: &PlanReport) -> Result<()> {
    for step in &report.steps {
        let StepReport { held, converted, by_value, offending, .. } = step;
        let by_value = if *by_value > 0 { format!(" ({by_value} by value)") } else { String::new() };
        writeln!(out, "{}: {held} held, {converted} converted{by_value}, {offending} offending", title(step))?;
    }
    for conversion in report.conversions.iter().filter(|conversion| conversion.by_value) {
        let Conversion { entity, from, to, .. } = conversion;
        match (from, to) {
            (Some(from), Some(to)) => writeln!(out, "  {entity}: {:?} becomes {to}", from.to_string())?,
            _ => writeln!(out, "  {entity}: a sensitive value gets another text")?,
        }
    }
    for offence in &report.offences {
        writeln!(out, "  {}: {}", offence.entity, offence.violation)?;
    }
    let more = report.offending - report.offences.len() as u64;
    if more > 0 {
        writeln!(out, "  and {more} more")?;
    }
    Ok(())
}

fn title(step: &StepReport) -> String {
    let after = step.after.as_ref().map(|after| format!("{} {}", after.name, after.data_type)).unwrap_or_default();
    match &step.before {
        None => format!("new {after}"),
        Some(before) => format!("{} {} to {after}", before.name(), before.data_type()),
    }
}

/// Tells on a terminal how far it is.
fn progress(doing: &'static str) -> impl FnMut(custom_attributes::Progress) -> ControlFlow<()> {
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}").unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(0).with_style(style).with_message(doing);
    move |progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        if progress.done >= progress.total {
            bar.finish_and_clear();
        }
        ControlFlow::Continue(())
    }
}
