//! Prints how much the attributes of a store are used.

mod csv_support;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use custom_attributes::{Attributes, Definition, EntityType, SqliteStore, Usage};

use csv_support::{Result, finish};

/// Prints for each attribute of a store how many entities hold it, how many different values there are, and when it was first and
/// last set.
#[derive(Parser)]
#[command(name = "stats", version)]
struct Args {
    /// The store; it is only read.
    #[arg(long, value_name = "PATH")]
    db: PathBuf,
    /// The type of the entities; without it, all types.
    #[arg(long = "type", value_name = "TYPE", value_parser = EntityType::new)]
    entity_type: Option<EntityType>,
    /// List instead what the documentation of the attributes lacks; the exit code is 1 if anything is listed.
    #[arg(long)]
    check: bool,
    /// How to print: a table, or a JSON object a line.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => finish(Err(error)),
    }
}

/// Whether nothing is amiss.
fn run(args: &Args) -> Result<bool> {
    let attributes = Attributes::new(SqliteStore::options().read_only().must_exist().open(&args.db)?);
    let view = attributes.snapshot()?;
    let types: Vec<EntityType> = match &args.entity_type {
        Some(entity_type) => vec![entity_type.clone()],
        None => view.catalog().entity_types().into_iter().cloned().collect(),
    };
    let mut out = io::stdout().lock();
    if args.check {
        let mut lacks = 0;
        for definition in types.iter().flat_map(|entity_type| view.catalog().of(entity_type)) {
            for lack in lacking(definition) {
                lacks += 1;
                writeln!(out, "{}.{}: {lack}", definition.entity_type(), definition.name())?;
            }
        }
        return Ok(lacks == 0);
    }
    let mut rows = vec![HEAD.map(str::to_owned)];
    for entity_type in &types {
        for usage in view.usage(entity_type)? {
            match args.format {
                Format::Json => writeln!(out, "{}", serde_json::to_string(&usage)?)?,
                Format::Table => rows.push(row(&usage)),
            }
        }
    }
    if args.format == Format::Table {
        let widths: Vec<usize> =
            (0..HEAD.len()).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
        for row in rows {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(out, "{}", cells.join("  ").trim_end())?;
        }
    }
    Ok(true)
}

const HEAD: [&str; 9] = ["attribute", "type", "holders", "share", "distinct", "near limit", "first set", "last set", "used by"];

fn row(usage: &Usage) -> [String; 9] {
    let definition = &usage.definition;
    let day = |stamp: &Option<custom_attributes::Stamp>| {
        stamp.as_ref().map_or_else(String::new, |stamp| stamp.at.format("%Y-%m-%d").to_string())
    };
    [
        format!("{}.{}", definition.entity_type(), definition.name()),
        definition.data_type().to_string(),
        usage.holders.to_string(),
        format!("{:.1} %", usage.share() * 100.0),
        usage.distinct.to_string(),
        usage.near_limit.to_string(),
        day(&usage.first),
        day(&usage.last),
        definition.documentation().used_by.join(", "),
    ]
}

fn lacking(definition: &Definition) -> Vec<&'static str> {
    let documentation = definition.documentation();
    let lacks = [
        (documentation.description.is_none(), "has no description"),
        (documentation.group.is_none(), "belongs to no group"),
        (documentation.examples.is_empty() && definition.rules().choices.is_empty(), "has no example of a value"),
        (documentation.used_by.is_empty(), "names nobody who uses it"),
    ];
    lacks.into_iter().filter(|(is_lacking, _)| *is_lacking).map(|(_, lack)| lack).collect()
}
