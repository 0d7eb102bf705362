//! Copies a store: into another, into a file of JSON lines, and back.

mod csv_support;

use std::fs::{self, File};
use std::io::{self, BufReader, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use clap::Parser;
use custom_attributes::{Attributes, Contents, MemoryStore, Progress, SqliteStore};
use indicatif::{ProgressBar, ProgressStyle};

use csv_support::{Result, doing, finish, note};

/// Copies all that a store holds: definitions in all their versions, values, history and commits. In the end source and copy are
/// compared, and what was copied is printed with its digest, which is the same for equal stores of any kind.
///
/// SPEC is one of
///   sqlite:PATH   a store in an SQLite file
///   jsonl:PATH    a file of JSON lines; jsonl:- is standard input or output
///   backup:PATH   only behind --to, from a store in SQLite: a copy of its file, page by page, which is the fastest
///
/// A copy into a store that was ended goes on where it was, and one that was made before is brought up to date. Files of lines and
/// backups are made new: one that is there is not overwritten. Values of sensitive attributes are copied as they are.
#[derive(Parser)]
#[command(name = "copy", version, verbatim_doc_comment)]
struct Args {
    /// What is copied; it is only read.
    #[arg(long, value_name = "SPEC")]
    from: Spec,
    /// Where to. Without it, the source is read and checked, and its digest printed.
    #[arg(long, value_name = "SPEC")]
    to: Option<Spec>,
}

#[derive(Debug, Clone)]
enum Spec {
    Sqlite(PathBuf),
    /// None is standard input or output.
    Lines(Option<PathBuf>),
    Backup(PathBuf),
}

impl FromStr for Spec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((_, "")) | None => Err("it is written as sqlite:PATH, jsonl:PATH, jsonl:- or backup:PATH".into()),
            Some(("sqlite", path)) => Ok(Self::Sqlite(path.into())),
            Some(("jsonl", "-")) => Ok(Self::Lines(None)),
            Some(("jsonl", path)) => Ok(Self::Lines(Some(path.into()))),
            Some(("backup", path)) => Ok(Self::Backup(path.into())),
            Some((kind, _)) => Err(format!("there is no kind {kind:?}; there are sqlite, jsonl and backup")),
        }
    }
}

fn main() -> ExitCode {
    finish(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    let contents = match (&args.from, &args.to) {
        (Spec::Sqlite(path), to) => {
            let attributes = Attributes::new(SqliteStore::options().read_only().must_exist().open(path)?);
            copy(&attributes, to.as_ref())?
        }
        (Spec::Lines(from), Some(Spec::Sqlite(to))) => import(from.as_deref(), &Attributes::new(SqliteStore::open(to)?))?,
        (Spec::Lines(from), to) => {
            let attributes = Attributes::new(MemoryStore::new());
            let contents = import(from.as_deref(), &attributes)?;
            match to {
                Some(Spec::Lines(to)) => export(&attributes, to.as_deref())?,
                Some(_) => return Err("a backup is made of a store in SQLite; copy to sqlite:PATH instead".into()),
                None => contents,
            }
        }
        (Spec::Backup(_), _) => return Err("a backup is a store: read it as sqlite:PATH".into()),
    };
    let told = format!(
        "{} commits, {} definitions, {} entities, {} values, {} in history\ndigest {}",
        contents.commits, contents.definitions, contents.entities, contents.values, contents.past_values, contents.digest
    );
    if matches!(args.to, Some(Spec::Lines(None))) {
        note(&told);
        return Ok(());
    }
    writeln!(io::stdout(), "{told}").map_err(doing("it is done, but what was done cannot be printed"))
}

fn copy(attributes: &Attributes<SqliteStore>, to: Option<&Spec>) -> Result<Contents> {
    let bar = Bar::new("copying");
    match to {
        None => Ok(attributes.contents(|progress| bar.tell(progress))?),
        Some(Spec::Lines(to)) => export(attributes, to.as_deref()),
        Some(Spec::Sqlite(to)) => {
            let copied = attributes.copy_to(&SqliteStore::open(to)?, |progress| bar.tell(progress))?;
            if copied.since.get() > 0 {
                note(&format!("{} commits were there already", copied.since));
            }
            Ok(copied.contents)
        }
        Some(Spec::Backup(to)) => {
            attributes.store().backup(to, |progress| bar.tell(progress))?;
            let backup = SqliteStore::options().read_only().must_exist().open(to)?;
            Ok(Attributes::new(backup).contents(|progress| bar.tell(progress))?)
        }
    }
}

fn export<S: custom_attributes::AttributeStore>(attributes: &Attributes<S>, to: Option<&Path>) -> Result<Contents> {
    let bar = Bar::new("exporting");
    let Some(path) = to else { return Ok(attributes.export(io::stdout().lock(), |progress| bar.tell(progress))?) };
    let file = File::create_new(path).map_err(doing(format!("cannot make {}", path.display())))?;
    let exported = attributes.export(&file, |progress| bar.tell(progress)).and_then(|contents| {
        file.sync_all().map(|()| contents).map_err(|error| custom_attributes::Error::backend("writing the export", error))
    });
    if exported.is_err() {
        // What has no end can be of no use.
        let _ = fs::remove_file(path);
    }
    Ok(exported?)
}

fn import<S: custom_attributes::AttributeStore>(from: Option<&Path>, attributes: &Attributes<S>) -> Result<Contents> {
    let bar = Bar::new("importing");
    let imported = match from {
        None => attributes.import(io::stdin().lock(), |progress| bar.tell(progress)),
        Some(path) => {
            let file = File::open(path).map_err(doing(format!("cannot open {}", path.display())))?;
            attributes.import(BufReader::with_capacity(1 << 16, file), |progress| bar.tell(progress))
        }
    };
    Ok(imported?.contents)
}

struct Bar(ProgressBar);

impl Bar {
    fn new(doing: &'static str) -> Self {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {percent} %").unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = if io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        Self(bar.with_style(style).with_message(doing))
    }

    fn tell(&self, progress: Progress) -> ControlFlow<()> {
        self.0.set_length(progress.total);
        self.0.set_position(progress.done);
        ControlFlow::Continue(())
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
