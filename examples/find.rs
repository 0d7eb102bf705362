//! Finds the entities of one type by what they hold.

mod csv_support;
#[path = "csv_support/stored.rs"]
mod stored;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use custom_attributes::{
    Attributes, Cursor, Definition, Direction, Entity, EntityType, Error, Filter, OrderByAttribute, Query, SqliteStore, Value,
    View,
};

use csv_support::{Result, doing, finish, note};
use stored::definitions;

/// Finds the entities of one type by what they hold.
///
/// A filter compares attributes with values: support_tier = 'premium' and credit_limit > 10000. Texts and dates are in single
/// quotes, names with spaces in double quotes. There are =, !=, <, <=, >, >=, ~= (equal whatever its case), between 1 and 2,
/// in (1, 2), starts with, ends with, contains, exists, not exists, and, or, not, and parentheses.
///
/// All that are found are printed, in the order in which they were first written, an id a line. With --limit it is one page,
/// and stderr tells how to get the next.
#[derive(Parser)]
#[command(name = "find", version)]
struct Args {
    /// The store; it is only read.
    #[arg(long, value_name = "PATH")]
    db: PathBuf,
    /// The type of the entities, for instance customer.
    #[arg(long = "type", value_name = "TYPE", value_parser = EntityType::new)]
    entity_type: EntityType,
    /// The filter; without it, all that hold a value.
    filter: Option<String>,
    /// Attributes to order by, each with :desc for the greatest first; entities without a value come last.
    #[arg(long, value_name = "NAME[:desc],…", value_delimiter = ',', value_parser = order)]
    order_by: Vec<OrderByAttribute>,
    /// How many entities to print at most: 1 to 10000.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Where the page before ended, as it was printed on stderr.
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
    /// Attributes to print behind the id.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', conflicts_with = "show_all")]
    show: Vec<String>,
    /// Print all attributes behind the id, in the order of their definition.
    #[arg(long)]
    show_all: bool,
    /// Print only how many there are.
    #[arg(long, conflicts_with_all = ["facet", "order_by", "limit", "after", "show", "show_all"])]
    count: bool,
    /// Print the values of this attribute among them, the most frequent first, each with its count.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["order_by", "limit", "after", "show", "show_all"])]
    facet: Option<String>,
    /// Have the filter see the default of an attribute where an entity holds no value, and print defaults like values.
    #[arg(long)]
    with_defaults: bool,
    /// Print how the query is answered, by answering it once.
    #[arg(long, conflicts_with_all = ["count", "facet"])]
    explain: bool,
    /// How to print: columns with tabs between (in a value, tab, line break and \ are written as \t, \n, \r and \\), a JSON
    /// object a line, or a table with a head.
    #[arg(long, value_enum, default_value = "tsv")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Tsv,
    Json,
    Table,
}

fn order(text: &str) -> Result<OrderByAttribute, String> {
    let (name, direction) = match text.rsplit_once(':') {
        Some((name, "desc")) => (name, Direction::Descending),
        Some((name, "asc")) => (name, Direction::Ascending),
        _ => (text, Direction::Ascending),
    };
    if name.is_empty() {
        return Err("an order is NAME, NAME:asc or NAME:desc".to_owned());
    }
    Ok(OrderByAttribute { name: name.to_owned(), direction })
}

fn main() -> ExitCode {
    finish(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    let attributes = Attributes::new(SqliteStore::options().read_only().must_exist().open(&args.db)?);
    let view = attributes.snapshot()?;
    let definitions = definitions(&view, &args.db, &args.entity_type)?;
    let pointed = |error: Error| point(error, args.filter.as_deref().unwrap_or_default());
    let filter = args.filter.as_deref().map(Filter::parse).transpose().map_err(pointed)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut query = filter.map_or_else(Query::all, Query::new);
    query.with_defaults = args.with_defaults;
    if args.count {
        writeln!(out, "{}", view.count_found(&args.entity_type, query).map_err(pointed)?)?;
    } else if let Some(name) = &args.facet {
        let facets = view.facets(&args.entity_type, query, name).map_err(pointed)?;
        let rows = facets.most_frequent().into_iter().map(|(value, count)| Ok(vec![Some(value.clone()), Some(counted(count))]));
        let head = [facets.definition().name().to_string(), "count".to_owned()];
        let object = |row: &Row| serde_json::json!({ "value": json(&row[0]), "count": json(&row[1]) });
        print(&mut out, args.format, &head, rows, object)?;
    } else {
        query.order_by.clone_from(&args.order_by);
        query.after.clone_from(&args.after);
        if args.explain {
            let query = args.limit.map_or(query.clone(), |limit| query.limit(limit));
            let explanation = view.explain(&args.entity_type, query).map_err(pointed)?;
            match args.format {
                Format::Json => writeln!(out, "{}", serde_json::to_string(&explanation)?)?,
                Format::Tsv | Format::Table => writeln!(out, "{explanation}")?,
            }
            return out.flush().map_err(doing("writing to stdout failed"));
        }
        print_found(&mut out, args, &view, definitions, query).map_err(|error| match error.downcast::<Error>() {
            Ok(error) => pointed(*error),
            Err(other) => other,
        })?;
    }
    out.flush().map_err(doing("writing to stdout failed"))
}

fn counted(count: u64) -> Value {
    Value::Integer(count.try_into().unwrap_or(i64::MAX))
}

fn print_found(out: &mut impl Write, args: &Args, view: &View<'_>, all: Vec<Arc<Definition>>, query: Query) -> Result<()> {
    let of = &args.entity_type;
    let shown: Vec<Arc<Definition>> = if args.show_all {
        all
    } else {
        args.show.iter().map(|name| view.catalog().resolve(of, name).cloned()).collect::<Result<_, Error>>()?
    };
    let names = || shown.iter().map(|definition| definition.name().to_string());
    let head: Vec<String> = std::iter::once("id".to_owned()).chain(names()).collect();
    let object = |row: &Row| {
        let held = names().zip(&row[1..]).filter(|(_, value)| value.is_some());
        let values: serde_json::Map<_, _> = held.map(|(name, value)| (name, json(value))).collect();
        serde_json::json!({ "id": json(&row[0]), "values": values })
    };
    let row = |entity: Entity| {
        let id = entity.key().id();
        let id = id.as_integer().map_or_else(|| Value::String(id.to_string()), Value::Integer);
        let default = |definition: &Definition| definition.rules().default.clone().filter(|_| args.with_defaults);
        let value =
            |definition: &Arc<Definition>| entity.record().value(definition.id()).cloned().or_else(|| default(definition));
        let values = shown.iter().map(value);
        std::iter::once(Some(id)).chain(values).collect::<Vec<_>>()
    };
    let Some(limit) = args.limit else {
        let all = view.find_all(of, query.limit(Query::MAX_LIMIT)).map(|entity| Ok(row(entity?)));
        return print(out, args.format, &head, all, object);
    };
    let page = view.find(of, query.limit(limit))?;
    print(out, args.format, &head, page.entities.into_iter().map(|entity| Ok(row(entity))), object)?;
    if let Some(next) = page.next {
        note(&format!("there are more: --after {next}"));
    }
    Ok(())
}

type Row = Vec<Option<Value>>;

fn print(
    out: &mut impl Write,
    format: Format,
    head: &[String],
    mut rows: impl Iterator<Item = Result<Row>>,
    object: impl Fn(&Row) -> serde_json::Value,
) -> Result<()> {
    match format {
        Format::Tsv => rows.try_for_each(|row| Ok(writeln!(out, "{}", cells(&row?).join("\t"))?)),
        Format::Json => rows.try_for_each(|row| Ok(writeln!(out, "{}", object(&row?))?)),
        Format::Table => table(out, head, rows),
    }
}

fn cells(row: &Row) -> Vec<String> {
    row.iter().map(|value| value.as_ref().map(escaped).unwrap_or_default()).collect()
}

fn escaped(value: &Value) -> String {
    value.to_string().replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

/// As in a document of definitions: DECIMAL and DATE as text, so that they stay exact.
fn json(value: &Option<Value>) -> serde_json::Value {
    match value {
        None => serde_json::Value::Null,
        Some(Value::Integer(number)) => (*number).into(),
        Some(Value::Boolean(truth)) => (*truth).into(),
        Some(other) => other.to_string().into(),
    }
}

fn table(out: &mut impl Write, head: &[String], rows: impl Iterator<Item = Result<Row>>) -> Result<()> {
    let mut lines = vec![head.to_vec()];
    for row in rows {
        lines.push(cells(&row?));
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let rule = widths.iter().map(|width| "-".repeat(*width)).collect();
    lines.insert(1, rule);
    for line in lines {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// An error of a filter, with a finger on the place.
fn point(error: Error, filter: &str) -> Box<dyn std::error::Error> {
    let place = error.violations().iter().find_map(|violation| violation.position);
    match place {
        Some(place) if !filter.contains('\n') => {
            format!("{error}\n  {filter}\n  {}^", " ".repeat(place.saturating_sub(1))).into()
        }
        _ => error.into(),
    }
}
