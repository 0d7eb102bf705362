//! Imports a CSV file: a row becomes an entity, a column becomes an attribute. All of it or nothing.

mod csv_support;
#[path = "csv_support/table.rs"]
mod table;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use custom_attributes::{
    Attributes, Catalog, DataType, Definition, DefinitionId, DefinitionSpec, EntityKey, EntityType, Error, IntoEntityId, Limits,
    Name, Outcome, Receipt, Rule, SqliteStore, Value, Violation,
};
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use csv_support::{Result, delimiter, doing, finish, note};
use table::{Row, Table};

/// Imports a CSV file into a store: a row becomes an entity, a column becomes an attribute.
///
/// All of the file is imported or nothing. Each column gets the narrowest of INTEGER, DECIMAL, DATE and BOOLEAN that all
/// its values are written as, and STRING otherwise; `007` stays a STRING. An attribute that is defined already keeps its
/// definition. An empty cell is absent: it sets nothing, and clears nothing.
#[derive(Parser)]
#[command(name = "import_csv", version)]
struct Args {
    /// The CSV file by RFC 4180, in UTF-8; its first line names the columns. A quote where none may stand is an error.
    file: PathBuf,
    /// The store; it is made if it is not there.
    #[arg(long, value_name = "PATH")]
    db: PathBuf,
    /// The type of the entities, for instance customer.
    #[arg(long = "type", value_name = "TYPE", value_parser = EntityType::new)]
    entity_type: EntityType,
    /// The column that has the id of each entity. Here and below, a column is given by its header, or by its number as #1.
    #[arg(long, value_name = "COLUMN")]
    id: String,
    /// What stands between two cells: one ASCII character such as ; or the word tab.
    #[arg(long, value_name = "CHAR", default_value = ",", value_parser = delimiter)]
    delimiter: u8,
    /// Gives the attribute of a column another name than the column's.
    #[arg(long = "name", value_name = "NAME=COLUMN")]
    names: Vec<String>,
    /// Sets the data type of a column: STRING, DECIMAL, INTEGER, BOOLEAN or DATE.
    #[arg(long = "as", value_name = "COLUMN=TYPE", value_parser = typed)]
    types: Vec<(String, DataType)>,
    /// Takes every column as STRING, but for those that `--as` names.
    #[arg(long)]
    as_text: bool,
    /// A cell with this text is absent as well. Values are never trimmed: a cell of one blank is `--absent ' '`.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    absent: Vec<String>,
}

fn typed(text: &str) -> Result<(String, DataType), String> {
    let (column, data_type) = text.rsplit_once('=').ok_or("it is written as COLUMN=TYPE")?;
    Ok((column.to_owned(), data_type.parse().map_err(|error: Error| error.to_string())?))
}

/// How many refused cells are shown.
const SHOWN: usize = 5;

fn main() -> ExitCode {
    finish(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    let started = Instant::now();
    let table = Table::read(&args.file, args.delimiter)?;
    let id = column(&table, &args.id, "--id")?;
    let keys = keys(&table, id, &args.entity_type)?;
    // A store that is not there is made when nothing but the disk can fail any more.
    let existing = if args.db.exists() { Some(Attributes::new(SqliteStore::open(&args.db)?)) } else { None };
    let catalog = match &existing {
        Some(attributes) => Arc::clone(attributes.snapshot()?.catalog()),
        None => Arc::default(),
    };
    let import = Import { columns: columns(args, &table, id, &catalog)?, table: &table, keys: &keys, absent: &args.absent };
    import.check()?;
    let attributes = match existing {
        Some(attributes) => attributes,
        None => Attributes::new(SqliteStore::open(&args.db)?),
    };
    let receipt = import.commit(&attributes, args)?;
    let reported = import.report(args, &receipt, started.elapsed());
    reported.map_err(doing("the import is done, but what it did cannot be printed"))
}

/// The place of a column that was named on the command line.
fn column(table: &Table, header: &str, option: &str) -> Result<usize> {
    let found: Vec<usize> = (0..table.headers.len()).filter(|index| table.headers[*index] == header).collect();
    match found.as_slice() {
        [index] => Ok(*index),
        [] => numbered(table, header).ok_or_else(|| {
            let one = table.headers.len() == 1 && [';', '\t', '|'].iter().any(|other| table.headers[0].contains(*other));
            let advice = if one { "; give its delimiter with --delimiter" } else { "" };
            format!("{} has no column {header:?} ({option}); it has {}{advice}", table.file, list(&table.headers)).into()
        }),
        [first, ..] => {
            let (file, count, number) = (&table.file, found.len(), first + 1);
            let advice = format!("give the number of one, such as #{number} for the first of them");
            Err(format!("{file} has {count} columns {header:?} ({option}); {advice}").into())
        }
    }
}

/// The column that is given by its number, from `#1`.
fn numbered(table: &Table, column: &str) -> Option<usize> {
    let number: usize = column.strip_prefix('#')?.parse().ok()?;
    (1..=table.headers.len()).contains(&number).then(|| number - 1)
}

fn list(headers: &[String]) -> String {
    let headers: Vec<_> = headers.iter().map(|header| format!("{header:?}")).collect();
    headers.join(", ")
}

/// The entity of each row.
fn keys(table: &Table, id: usize, entity_type: &EntityType) -> Result<Vec<EntityKey>> {
    let mut lines = HashMap::new();
    let mut keys = Vec::with_capacity(table.rows.len());
    for Row { line, cells } in &table.rows {
        let (text, place) = (&cells[id], format!("{}:{line}: column {:?}", table.file, table.headers[id]));
        if text.is_empty() {
            return Err(format!("{place}: the id is empty").into());
        }
        let key = EntityKey::of(entity_type.clone(), text.into_entity_id().map_err(doing(place.as_str()))?);
        if let Some(first) = lines.insert(key.clone(), line) {
            return Err(format!("{place}: {text:?} is the id of line {first} already").into());
        }
        keys.push(key);
    }
    Ok(keys)
}

/// A column that becomes an attribute.
struct Column {
    index: usize,
    definition: Arc<Definition>,
    is_new: bool,
}

/// Finds the name and the type of each column's attribute.
fn columns(args: &Args, table: &Table, id: usize, catalog: &Catalog) -> Result<Vec<Column>> {
    let names = names(args, table, id)?;
    let types = types(args, table, id)?;
    let mut taken: HashMap<String, usize> = HashMap::new();
    let mut columns = Vec::new();
    for (index, header) in table.headers.iter().enumerate().filter(|(index, _)| *index != id) {
        let name = names.get(&index).copied().unwrap_or(header);
        if let Some(other) = taken.insert(Name::key_of(name), index) {
            let (file, first, number) = (&table.file, &table.headers[other], index + 1);
            let columns = format!("columns {first:?} (#{}) and {header:?} (#{number})", other + 1);
            let option = quoted(&format!("{name} {number}=#{number}"));
            let advice = format!("names differ by more than case; give one of them another, for instance with --name {option}");
            return Err(format!("{file}: {columns} are one attribute: {advice}").into());
        }
        let asked = types.get(&index).copied();
        let existing = catalog.find(&args.entity_type, name);
        if let (Some(asked), Some(existing)) = (asked, existing)
            && asked != existing.data_type()
        {
            let (name, has) = (existing.name(), existing.data_type());
            return Err(format!("column {header:?}: `{name}` is defined as {has} already, and cannot be {asked} (--as)").into());
        }
        let definition = if let Some(existing) = existing {
            Arc::clone(existing)
        } else {
            let found = || if args.as_text { DataType::String } else { infer(table, index, &args.absent) };
            let data_type = asked.unwrap_or_else(found);
            let spec = DefinitionSpec::new(name, data_type);
            // The number is for the check alone: the store gives the definition its own.
            let definition = Definition::new(DefinitionId::new(1), args.entity_type.clone(), spec, &Limits::typed());
            let option = quoted(&format!("NAME=#{}", index + 1));
            let place = format!("{}: column {header:?} needs another name: --name {option}", table.file);
            Arc::new(definition.map_err(doing(place))?)
        };
        if definition.name().as_str() != name {
            note(&format!("note: column {header:?} is the attribute `{}`", definition.name()));
        }
        columns.push(Column { index, definition, is_new: existing.is_none() });
    }
    if columns.is_empty() {
        return Err(format!("{} has no column but the id", table.file).into());
    }
    Ok(columns)
}

/// The names that were given on the command line, by column.
fn names<'a>(args: &'a Args, table: &Table, id: usize) -> Result<HashMap<usize, &'a str>> {
    let mut names = HashMap::new();
    for given in &args.names {
        let Some((_, after_first)) = given.split_once('=') else {
            return Err(format!("--name {given:?} is not written as NAME=COLUMN").into());
        };
        // Names and columns may have an equals sign themselves.
        let mut splits = given.match_indices('=').map(|(at, _)| (&given[..at], &given[at + 1..]));
        let split =
            splits.find(|(_, header)| table.headers.iter().any(|other| other == header) || numbered(table, header).is_some());
        let (name, index) = match split {
            Some((name, header)) => (name, column(table, header, "--name")?),
            None => ("", column(table, after_first, "--name")?),
        };
        one_of_each(&mut names, index, name, table, id, "--name")?;
    }
    Ok(names)
}

/// The types that were given on the command line, by column.
fn types(args: &Args, table: &Table, id: usize) -> Result<HashMap<usize, DataType>> {
    let mut types = HashMap::new();
    for (header, data_type) in &args.types {
        one_of_each(&mut types, column(table, header, "--as")?, *data_type, table, id, "--as")?;
    }
    Ok(types)
}

fn one_of_each<T>(all: &mut HashMap<usize, T>, index: usize, one: T, table: &Table, id: usize, option: &str) -> Result<()> {
    let header = &table.headers[index];
    if index == id {
        return Err(format!("column {header:?} is the id, and no attribute ({option})").into());
    }
    match all.insert(index, one) {
        Some(_) => Err(format!("column {header:?} is given twice ({option})").into()),
        None => Ok(()),
    }
}

/// The types that a column may have, the narrowest first; STRING takes the rest.
const NARROW: [DataType; 4] = [DataType::Integer, DataType::Decimal, DataType::Date, DataType::Boolean];

/// The narrowest type that all values of a column are written as.
fn infer(table: &Table, index: usize, absent: &[String]) -> DataType {
    let values = || table.rows.iter().map(|row| (row.line, &row.cells[index])).filter(|(_, text)| !is_absent(text, absent));
    let count = values().count();
    if count == 0 {
        return DataType::String;
    }
    // More misses than these are another type, and no slip.
    let few = if count < 3 { 0 } else { (count / 10).max(1) };
    let mut closest: Option<(DataType, Vec<(usize, &str)>)> = None;
    for data_type in NARROW {
        let misses: Vec<_> =
            values().filter(|(_, text)| Value::from(*text).converted(data_type).is_err()).take(few + 1).collect();
        if misses.is_empty() {
            return data_type;
        }
        if misses.len() <= few && closest.as_ref().is_none_or(|(_, fewest)| misses.len() < fewest.len()) {
            closest = Some((data_type, misses));
        }
    }
    if let Some((data_type, misses)) = closest {
        let (header, (line, text)) = (&table.headers[index], misses[0]);
        let advice = if misses.iter().all(|(_, other)| *other == text) {
            format!("if that means absent, add --absent {}", quoted(text))
        } else {
            "correct them, or add --absent TEXT for what means absent".to_owned()
        };
        let but = format!("it would be {data_type} but for {} of its {count} values", misses.len());
        note(&format!("note: column {header:?} is STRING: {but}, the first {text:?} on line {line}; {advice}"));
    }
    DataType::String
}

fn is_absent(text: &str, absent: &[String]) -> bool {
    text.is_empty() || absent.iter().any(|absent| absent == text)
}

/// As a shell takes it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

struct Import<'a> {
    table: &'a Table,
    keys: &'a [EntityKey],
    columns: Vec<Column>,
    absent: &'a [String],
}

impl<'a> Import<'a> {
    /// The values of one row.
    fn values(&self, row: &'a Row) -> impl Iterator<Item = (&Column, &'a str)> {
        let cells = self.columns.iter().map(move |column| (column, &row.cells[column.index]));
        cells.filter(move |(_, text)| !is_absent(text, self.absent))
    }

    /// Checks every value against its definition.
    fn check(&self) -> Result<()> {
        let limits = Limits::typed();
        let mut refused = Vec::new();
        for row in bar(self.table.rows.len()).wrap_iter(self.table.rows.iter()) {
            for (column, text) in self.values(row) {
                if let Err(violation) = column.definition.bind_text(text, &limits) {
                    refused.push(self.refusal(row, column, &violation));
                }
            }
        }
        refuse(&refused)
    }

    /// Declares what is new and sets all values, in one batch.
    fn commit(&self, attributes: &Attributes<SqliteStore>, args: &Args) -> Result<Receipt> {
        let progress = ProgressBar::new_spinner().with_message("committing");
        progress.enable_steady_tick(Duration::from_millis(100));
        let file = args.file.file_name().map_or(Cow::Borrowed("a CSV file"), OsStr::to_string_lossy);
        let mut batch = attributes.batch().note(format!("imported from {file}"));
        // `define`, and not `ensure`: should another have defined the same meanwhile, its rules must not be lost.
        for column in self.columns.iter().filter(|column| column.is_new) {
            batch = batch.define(args.entity_type.as_str(), column.definition.spec().clone());
        }
        let definitions = batch.len();
        for (row, key) in self.table.rows.iter().zip(self.keys) {
            for (column, text) in self.values(row) {
                batch = batch.set_text(key, column.definition.name().as_str(), text);
            }
        }
        let committed = batch.commit();
        progress.finish_and_clear();
        committed.map_err(|error| self.explain(error, definitions))
    }

    /// What only the store can refuse, such as a value that must be unique, it reports by its place in the batch.
    fn explain(&self, error: Error, definitions: usize) -> Box<dyn std::error::Error> {
        let rows = self.table.rows.iter();
        let values: Vec<_> = rows.flat_map(|row| self.values(row).map(move |(column, _)| (row, column))).collect();
        let refusal = |violation: &Violation| {
            let (row, column) = values.get(violation.place?.checked_sub(definitions)?)?;
            Some(self.refusal(row, column, violation))
        };
        let refused: Option<Vec<String>> = error.violations().iter().map(refusal).collect();
        match refused.as_deref().map(refuse) {
            Some(Err(refused)) => refused,
            _ => error.into(),
        }
    }

    fn refusal(&self, row: &Row, column: &Column, violation: &Violation) -> String {
        let (mut rule, Table { file, headers, .. }) = (violation.clone(), self.table);
        // The line says it already.
        (rule.place, rule.entity) = (None, None);
        // A value that is missing stands in no column.
        if rule.rule == Rule::Required {
            return format!("{file}:{}: {rule}", row.line);
        }
        let value: String = row.cells[column.index].chars().take(80).collect();
        let value = if column.definition.is_sensitive() { String::new() } else { format!(", value {value:?}") };
        format!("{file}:{}: column {:?}{value}: {rule}", row.line, headers[column.index])
    }

    fn report(&self, args: &Args, receipt: &Receipt, took: Duration) -> Result<()> {
        let created = self.columns.iter().filter(|column| column.is_new).count();
        let values = receipt.changes.get(created..).unwrap_or_default();
        let count = |outcome: Outcome| values.iter().filter(|applied| applied.outcome == outcome).count();
        let without = self.keys.len().saturating_sub(receipt.entities.len());
        if without > 0 {
            note(&format!("note: rows without a value: {without}; an entity that holds nothing is not kept"));
        }
        let mut out = io::stdout().lock();
        let (file, db, entity_type) = (&self.table.file, args.db.display(), &args.entity_type);
        match receipt.commit {
            Some(commit) => writeln!(out, "imported {file} into {db} as {entity_type}, in commit {commit}")?,
            None => writeln!(out, "nothing is changed: {db} holds all of {file} already")?,
        }
        writeln!(out, "entities     {}", receipt.entities.len())?;
        writeln!(out, "definitions  {} ({created} created)", self.columns.len())?;
        let [created, updated, unchanged] = [Outcome::Created, Outcome::Updated, Outcome::Unchanged].map(count);
        writeln!(out, "values       {} ({created} created, {updated} updated, {unchanged} unchanged)", values.len())?;
        let rate = values.len() as u128 * 1000 / took.as_millis().max(1);
        writeln!(out, "time         {:.2} s, {rate} values/s", took.as_secs_f64())?;
        Ok(())
    }
}

/// Fails if any value is refused, with the first of them.
fn refuse(refused: &[String]) -> Result<()> {
    let mut message = match refused.len() {
        0 => return Ok(()),
        1 => "a value is refused, and nothing is imported".to_owned(),
        count => format!("{count} values are refused, and nothing is imported"),
    };
    for refusal in refused.iter().take(SHOWN) {
        message = format!("{message}\n  {refusal}");
    }
    if refused.len() > SHOWN {
        message = format!("{message}\n  and {} more", refused.len() - SHOWN);
    }
    Err(message.into())
}

/// Shown on a terminal only.
fn bar(rows: usize) -> ProgressBar {
    let style =
        ProgressStyle::with_template("checking {wide_bar} {pos}/{len} rows").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(rows as u64).with_style(style).with_finish(ProgressFinish::AndClear)
}
