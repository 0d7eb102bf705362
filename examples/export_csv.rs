//! Exports the entities of one type as CSV: an entity becomes a row, an attribute becomes a column.

mod csv_support;
#[path = "csv_support/stored.rs"]
mod stored;

use std::borrow::Cow;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use custom_attributes::{Attributes, Definition, EntityType, SqliteStore, Value, View};

use csv_support::{Result, delimiter, doing, finish, note};
use stored::definitions;

/// Exports the entities of one type as CSV: an entity becomes a row, an attribute becomes a column.
///
/// Rows are in the order in which the entities were first written, columns in the order in which the attributes were
/// defined. What an entity does not hold is an empty cell.
#[derive(Parser)]
#[command(name = "export_csv", version)]
struct Args {
    /// The store; it is only read.
    #[arg(long, value_name = "PATH")]
    db: PathBuf,
    /// The type of the entities, for instance customer.
    #[arg(long = "type", value_name = "TYPE", value_parser = EntityType::new)]
    entity_type: EntityType,
    /// The name of the first column, which has the id of each entity.
    #[arg(long, value_name = "NAME", default_value = "id")]
    id_column: String,
    /// What stands between two cells: one ASCII character such as ; or the word tab.
    #[arg(long, value_name = "CHAR", default_value = ",", value_parser = delimiter)]
    delimiter: u8,
    /// Puts an apostrophe before texts that a spreadsheet would take for a formula: those that begin with = + - @, a tab or a
    /// carriage return. Values of STRING, text ids and names are guarded; numbers are left as they are. Leave it off if the file
    /// is to be imported again: an import takes the apostrophe for a part of the text.
    #[arg(long)]
    guard_formulas: bool,
    /// The file to write; stdout without it. It is there whole or not at all.
    out: Option<PathBuf>,
}

/// How many entities are read at a time.
const PAGE: usize = 1000;

fn main() -> ExitCode {
    finish(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    let attributes = Attributes::new(SqliteStore::options().read_only().must_exist().open(&args.db)?);
    let view = attributes.snapshot()?;
    let export = Export::new(args, &view)?;
    match &args.out {
        None => export.write(io::stdout().lock()).map(drop).map_err(doing("the export to stdout failed")),
        Some(out) => export.save(out, &args.db),
    }
}

struct Export<'a> {
    view: &'a View<'a>,
    entity_type: &'a EntityType,
    id_column: &'a str,
    delimiter: u8,
    guards_formulas: bool,
    definitions: Vec<Arc<Definition>>,
}

impl<'a> Export<'a> {
    fn new(args: &'a Args, view: &'a View<'a>) -> Result<Self> {
        let Args { db, entity_type, id_column, delimiter, guard_formulas, .. } = args;
        let definitions = definitions(view, db, entity_type)?;
        if definitions.iter().any(|definition| definition.name().as_str() == id_column) {
            return Err(format!("an attribute is called {id_column:?}; give the id another column with --id-column NAME").into());
        }
        Ok(Self { view, entity_type, id_column, delimiter: *delimiter, guards_formulas: *guard_formulas, definitions })
    }

    /// Writes all of it, and gives back how many entities that are.
    fn write(&self, out: impl Write) -> Result<usize> {
        let mut csv = csv::WriterBuilder::new().delimiter(self.delimiter).from_writer(out);
        let mut guarded = 0;
        let names = self.definitions.iter().map(|definition| definition.name().as_str());
        for name in [self.id_column].into_iter().chain(names) {
            csv.write_field(self.text(name, &mut guarded).as_ref())?;
        }
        csv.write_record(None::<&[u8]>)?;
        let (mut count, mut empty, mut after) = (0, 0, None);
        loop {
            let page = self.view.entities_of(self.entity_type, after, PAGE)?;
            for entity in &page {
                let cells = self.definitions.iter().map(|definition| entity.record().value(definition.id()));
                match entity.key().id().as_text() {
                    Some(text) => csv.write_field(self.text(text, &mut guarded).as_ref())?,
                    None => csv.write_field(entity.key().id().to_string())?,
                }
                for value in cells {
                    empty += usize::from(value.is_some_and(|value| *value == Value::String(String::new())));
                    match value {
                        Some(Value::String(text)) => csv.write_field(self.text(text, &mut guarded).as_ref())?,
                        value => csv.write_field(value.map(Value::to_string).unwrap_or_default())?,
                    }
                }
                csv.write_record(None::<&[u8]>)?;
            }
            count += page.len();
            after = page.last().map(|entity| entity.record().ordinal());
            if page.len() < PAGE {
                break;
            }
        }
        csv.flush()?;
        if guarded > 0 {
            note(&format!("note: texts that got an apostrophe (--guard-formulas): {guarded}; an import would keep it"));
        }
        if empty > 0 {
            note(&format!("note: values that are the empty text: {empty}; in CSV they look like absent ones"));
        }
        Ok(count)
    }

    /// A text as its cell has it.
    fn text<'t>(&self, text: &'t str, guarded: &mut usize) -> Cow<'t, str> {
        if self.guards_formulas && text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            *guarded += 1;
            return Cow::Owned(format!("'{text}"));
        }
        Cow::Borrowed(text)
    }

    /// Writes to a file beside `out` first, so that a failure leaves `out` as it was.
    fn save(&self, out: &Path, db: &Path) -> Result<()> {
        let failed = || format!("the export to {} failed", out.display());
        // A link stays a link: what it leads to is replaced.
        let target = fs::canonicalize(out).unwrap_or_else(|_| out.to_owned());
        if fs::canonicalize(db).is_ok_and(|db| db == target) {
            return Err(format!("{} is the store itself", out.display()).into());
        }
        if fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
            return Err(format!("{} is not a file; leave it out, and redirect stdout", out.display()).into());
        }
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        // A temporary file is for its owner alone; an export is as readable as any new file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(folder).map_err(doing(failed()))?;
        let count = self.write(file.as_file_mut()).map_err(doing(failed()))?;
        if let Ok(replaced) = fs::metadata(&target) {
            file.as_file().set_permissions(replaced.permissions()).map_err(doing(failed()))?;
        }
        file.as_file().sync_all().map_err(doing(failed()))?;
        file.persist(&target).map_err(|error| doing(failed())(error.error))?;
        note(&format!("exported to {} (entities: {count}, attributes: {})", out.display(), self.definitions.len()));
        Ok(())
    }
}
