//! Opening a file: what it is, whether it may be used, and making it a store if it is new.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, OptionalExtension};

use crate::error::{Error, Result};
use crate::model::{DefinitionSpec, Name};
use crate::sqlite::SqliteOptions;
use crate::sqlite::failure::{failed, waited};
use crate::sqlite::migrate::migrate;
use crate::sqlite::names::{Named, Names};
use crate::sqlite::own_tables;
use crate::sqlite::place::{Place, beside};
use crate::sqlite::schema::{APPLICATION_ID, HORIZONS, INSTANTS, MARK, POSTINGS, TABLES, VERSION};
use crate::sqlite::step::Step;
use crate::sqlite::views;

/// How many names of foreign tables a message spells out.
const SPELLED_OUT: usize = 5;

/// What a file may not make a connection of ours do.
const SETTINGS: [(DbConfig, bool); 2] =
    [(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true), (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)];

/// How long SQLite sleeps between two tries to switch to WAL, which does not wait by itself.
const PAUSE: Duration = Duration::from_millis(5);

/// The oldest SQLite that knows all that the tables and views use: `STRICT` (3.37) and `->>` (3.38).
const OLDEST_SQLITE: i32 = 3_038_000;

/// What was found in a file.
enum Found {
    Store,
    Nothing,
    Foreign(Vec<String>),
}

/// Opens the file for its writer; the flag says whether it can be written.
pub(super) fn open(path: &Path, options: &SqliteOptions) -> Result<(Connection, bool)> {
    let place = path.display().to_string();
    let refuse = |reason: String, source: Option<_>| Error::Open { place: place.clone(), reason, source };
    check_sqlite(|| place.clone())?;
    check_place(path, options).map_err(|reason| refuse(reason, None))?;
    let explain = |error| explain(error, &place, options);
    let connection = connect(path, options).map_err(explain)?;
    let names = &options.names;
    let found = look(&connection, names).map_err(explain)?;
    check_length(&connection, path).map_err(explain)?;
    let read_only = options.read_only || connection.is_readonly(MAIN_DB).map_err(failed("opening"))?;
    match found {
        Found::Store => {}
        Found::Foreign(tables) if !options.beside_host_tables => {
            let shown = tables.iter().take(SPELLED_OUT).cloned().collect::<Vec<_>>().join(", ");
            let advice = "if it is the host's own, open it with SqliteStore::options().beside_host_tables()";
            return Err(refuse(format!("it is a database of something else (with {shown}); {advice}"), None));
        }
        Found::Nothing | Found::Foreign(_) if read_only => {
            return Err(refuse("it has no attributes yet, and cannot be written".into(), None));
        }
        Found::Nothing | Found::Foreign(_) => {}
    }
    if !read_only {
        switch_to_wal(&connection, options).map_err(explain)?;
        set_up(&connection, names, matches!(found, Found::Nothing)).map_err(explain)?;
        migrate(&connection, names, || own_tables::check(&connection, names, &place)).map_err(explain)?;
    }
    check_version(&connection, names, &place)?;
    own_tables::check(&connection, names, &place)?;
    if !read_only {
        refold(&connection, names, &place)?;
    }
    Ok((connection, read_only))
}

/// The path as it stays whatever folder becomes the current one.
pub(super) fn absolute(path: &Path) -> Result<PathBuf> {
    let refuse = |reason: &str, source: Option<std::io::Error>| {
        let source = source.map(Into::into);
        Error::Open { place: format!("`{}`", path.display()), reason: reason.to_owned(), source }
    };
    if path.as_os_str() == ":memory:" {
        let advice = "SqliteStore::in_memory() opens a store in memory; name a file of this name ./:memory:";
        return Err(refuse(advice, None));
    }
    if path.as_os_str().is_empty() {
        return Err(refuse("the path is empty; name a file", None));
    }
    std::path::absolute(path).map_err(|error| refuse("the path cannot be made absolute", Some(error)))
}

/// The SQLite that the program is linked with. Only one that is not bundled can be too old.
pub(super) fn check_sqlite(place: impl FnOnce() -> String) -> Result<()> {
    if rusqlite::version_number() >= OLDEST_SQLITE {
        return Ok(());
    }
    let reason = format!(
        "the program is linked with SQLite {}, and this library needs SQLite 3.38.0 or later; use a newer one, or the feature `bundled`",
        rusqlite::version()
    );
    Err(Error::Open { place: place(), reason, source: None })
}

/// Names the file in an error as the caller named it.
pub(super) fn as_given(path: &Path) -> impl Fn(Error) -> Error + '_ {
    move |error| match error {
        Error::Open { reason, source, .. } => Error::Open { place: path.display().to_string(), reason, source },
        other => other,
    }
}

fn check_place(path: &Path, options: &SqliteOptions) -> Result<(), String> {
    if path.is_dir() {
        return Err("it is a folder; name a file in it".into());
    }
    if path.exists() {
        return Ok(());
    }
    if options.read_only || options.must_exist {
        return Err("there is no such file".into());
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            Err(format!("its folder, {}, does not exist; create it first", folder.display()))
        }
        _ => Ok(()),
    }
}

/// A connection more to the file that a store has open already.
pub(super) fn connect_again(place: &Place, options: &SqliteOptions) -> Result<Connection> {
    // Another file under its name is not even opened: SQLite would read the log beside it into it, which is of the first. If the log
    // is gone, SQLite would make an empty one, and read wrong pages by an index that is of the first log.
    place.check()?;
    let opened = connect(place.path(), options);
    place.check()?;
    opened
}

/// A connection with the settings that each of ours has. The path is absolute: SQLite takes such a one for no URI, and for none
/// of the names that mean a database in memory.
fn connect(path: &Path, options: &SqliteOptions) -> Result<Connection> {
    let access = match (options.read_only, options.must_exist) {
        (true, _) => OpenFlags::SQLITE_OPEN_READ_ONLY,
        (false, true) => OpenFlags::SQLITE_OPEN_READ_WRITE,
        (false, false) => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    };
    let place = path.display().to_string();
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| Error::Open { place, reason: "SQLite cannot open it".into(), source: Some(error.into()) })?;
    configure(&connection, options)?;
    Ok(connection)
}

/// The same to a database of its own, in memory.
pub(super) fn connect_in_memory(options: &SqliteOptions) -> Result<Connection> {
    check_sqlite(|| "the database in memory".to_owned())?;
    let connection = Connection::open_in_memory().map_err(failed("opening a database in memory"))?;
    configure(&connection, options)?;
    Ok(connection)
}

fn configure(connection: &Connection, options: &SqliteOptions) -> Result<()> {
    let configuring = failed("configuring a connection");
    connection.busy_timeout(options.busy_timeout).map_err(&configuring)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Without it SQLite prepares a statement anew whenever a parameter changes that a plan might depend on: reading one
    // value took four times as long.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(&configuring)?;
    // A file may come from anywhere, and another program may change its schema while it is open. These keep what the schema says
    // from being more than data: no trigger runs, no function with effects is called, no shadow table is written.
    for (config, is_on) in SETTINGS {
        connection.set_db_config(config, is_on).map_err(&configuring)?;
    }
    // A pragma, as rusqlite has the switch of this name only with a newer SQLite than some systems.
    let pragmas = "PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON";
    connection.execute_batch(pragmas).map_err(&configuring)
}

fn explain(error: Error, place: &str, options: &SqliteOptions) -> Error {
    let Error::Backend { source, doing } = error else {
        return match error {
            Error::Corrupt { source: Some(source), .. } if is(&*source, ErrorCode::NotADatabase) => {
                let reason = "it is not an SQLite database, or it is encrypted".into();
                Error::Open { place: place.to_owned(), reason, source: Some(source) }
            }
            Error::Corrupt { what, source } => Error::Corrupt { what: format!("{place}: {what}"), source },
            other => other,
        };
    };
    if options.read_only && is(&*source, ErrorCode::CannotOpen) {
        let reason = "a reader shares a small file beside it, which cannot be made there: see that its folder can be written";
        return Error::Open { place: place.to_owned(), reason: reason.into(), source: Some(source) };
    }
    Error::Backend { source, doing }
}

fn is(source: &(dyn std::error::Error + 'static), code: ErrorCode) -> bool {
    source.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code) == Some(code)
}

fn look(connection: &Connection, names: &Names) -> Result<Found> {
    let looking = failed("looking at the file");
    let mut select = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").map_err(&looking)?;
    let tables =
        select.query_map([], |row| row.get(0)).and_then(Iterator::collect::<Result<Vec<String>, _>>).map_err(&looking)?;
    if tables.iter().any(|table| table.strip_prefix(names.prefix()) == Some("state")) {
        return Ok(Found::Store);
    }
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(&looking)?;
    match (tables.is_empty(), application) {
        (true, 0 | APPLICATION_ID) => Ok(Found::Nothing),
        (true, other) => Ok(Found::Foreign(vec![format!("application id {other:#x}")])),
        (false, _) => Ok(Found::Foreign(tables)),
    }
}

/// SQLite reads a last page that is cut short as if zeros followed. With a log beside it, a file may be behind its length.
fn check_length(connection: &Connection, path: &Path) -> Result<()> {
    let looking = failed("looking at the length of the file");
    let pragma = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(&looking);
    let needed = (pragma("PRAGMA page_count")? * pragma("PRAGMA page_size")?).unsigned_abs();
    let length = |path: &Path| std::fs::metadata(path).map(|file| file.len());
    match (length(&beside(path, "-wal")), length(path)) {
        (Ok(1..), _) => Ok(()),
        (_, Ok(found)) if found < needed => Err(Error::corrupt(format!("it was cut off at {found} of {needed} bytes"))),
        (_, Ok(_)) => Ok(()),
        (_, Err(error)) => Err(Error::backend("looking at the length of the file", error)),
    }
}

/// Two processes may open a new file at once, and SQLite does not wait for this switch by itself.
fn switch_to_wal(connection: &Connection, options: &SqliteOptions) -> Result<()> {
    let began = Instant::now();
    loop {
        let mode = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
        match mode.map_err(failed("switching to a write-ahead log")) {
            Ok(mode) if mode == "wal" || mode == "memory" => return Ok(()),
            Ok(mode) => {
                let source =
                    format!("SQLite keeps the journal mode {mode}; the file system may not share memory between processes");
                return Err(Error::backend("switching to a write-ahead log", source));
            }
            Err(Error::Busy { .. }) if began.elapsed() < options.busy_timeout => std::thread::sleep(PAUSE),
            Err(error) => return Err(waited(began)(error)),
        }
    }
}

/// Makes the tables, unless another process was first. A file of our own is marked as such; the host's is not.
pub(super) fn set_up(connection: &Connection, names: &Names, is_ours: bool) -> Result<()> {
    let named = Named { connection, names };
    let creating = failed("creating the tables");
    if is_there(named).map_err(&creating)? {
        return Ok(());
    }
    let step = Step::writing(connection).map_err(&creating)?;
    if is_there(named).map_err(&creating)? {
        return Ok(());
    }
    [TABLES, MARK, POSTINGS, HORIZONS, INSTANTS]
        .iter()
        .try_for_each(|sql| named.execute_batch(sql))
        .map_err(|error| taken(error, named))?;
    let state = "INSERT INTO attr_state (id, schema, folding, catalog, last_definition, mark) VALUES (1, ?1, ?2, 0, 0, random())";
    named.execute(state, (VERSION, Name::FOLDING)).map_err(&creating)?;
    views::add(named)?;
    if is_ours {
        let mark = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}");
        named.execute_batch(&mark).map_err(&creating)?;
    }
    step.keep()
}

/// The host may have a table of that name.
fn taken(error: rusqlite::Error, named: Named<'_>) -> Error {
    let said = error.to_string();
    if !said.contains("already") {
        return failed("creating the tables")(error);
    }
    let reason = format!("{said}, which is not of this library; choose another prefix than {}", named.names.prefix());
    Error::Open { place: place_of(named.connection), reason, source: Some(error.into()) }
}

/// Where a connection leads to, for messages.
pub(super) fn place_of(connection: &Connection) -> String {
    let path = connection.path().filter(|path| !path.is_empty());
    path.unwrap_or("the database in memory").to_owned()
}

/// Makes the tables beside those of the host, or brings them up to date, on a connection that the host lends.
pub(super) fn open_lent(connection: &Connection, names: &Names) -> Result<()> {
    let place = place_of(connection);
    let looking = failed("looking at the database");
    let read_only = connection.is_readonly(MAIN_DB).map_err(&looking)?;
    if !is_there(Named { connection, names }).map_err(&looking)? {
        if read_only {
            let reason = "it has no attributes yet, and cannot be written".into();
            return Err(Error::Open { place, reason, source: None });
        }
        set_up(connection, names, false)?;
    }
    if read_only {
        return check_version(connection, names, &place);
    }
    // Its schema is the host's affair, and so are the settings of its connection.
    migrate(connection, names, || Ok(()))?;
    check_version(connection, names, &place)?;
    refold(connection, names, &place)
}

fn is_there(named: Named<'_>) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'attr_state'";
    Ok(named.query_row(sql, [], |_| Ok(())).optional()?.is_some())
}

fn check_version(connection: &Connection, names: &Names, place: &str) -> Result<()> {
    let named = Named { connection, names };
    let checking = failed("reading the version of the tables");
    let found: i64 = named.query_row("SELECT schema FROM attr_state", [], |row| row.get(0)).map_err(&checking)?;
    let advice = match found.cmp(&VERSION) {
        Ordering::Equal => return Ok(()),
        Ordering::Less => "open it once for writing, which brings it up to date",
        Ordering::Greater => "use a newer release",
    };
    let reason = format!("its tables are of version {found}, and this release reads version {VERSION}; {advice}");
    Err(Error::Open { place: place.to_owned(), reason, source: None })
}

/// Where another folding wrote the keys of the names, they are made anew.
fn refold(connection: &Connection, names: &Names, place: &str) -> Result<()> {
    let named = Named { connection, names };
    let folding = failed("folding the names anew");
    let is_current = || {
        let found: String = named.query_row("SELECT folding FROM attr_state", [], |row| row.get(0))?;
        rusqlite::Result::Ok(found == Name::FOLDING)
    };
    if is_current().map_err(&folding)? {
        return Ok(());
    }
    let step = Step::writing(connection).map_err(&folding)?;
    let mut rows: Vec<(i64, i64, String)> = Vec::new();
    let mut select = named.prepare("SELECT id, type, spec FROM attr_definition").map_err(&folding)?;
    let read = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(&folding)?;
    for row in read {
        rows.push(row.map_err(&folding)?);
    }
    drop(select);
    // Ids as keys for a moment: no new key can meet an old one.
    named.execute("UPDATE attr_definition SET key = char(0) || id", []).map_err(&folding)?;
    for (id, entity_type, spec) in rows {
        let spec: DefinitionSpec =
            serde_json::from_str(&spec).map_err(|error| Error::backend("folding the names anew", error))?;
        let key = Name::key_of(&spec.name);
        let clash = "SELECT json_extract(spec, '$.name') FROM attr_definition WHERE type = ?1 AND key = ?2";
        let clash: Option<String> = named.query_row(clash, (entity_type, &key), |row| row.get(0)).optional().map_err(&folding)?;
        if let Some(other) = clash {
            let reason =
                format!("its names `{}` and `{other}` have become the same; rename one with an older release", spec.name);
            return Err(Error::Open { place: place.to_owned(), reason, source: None });
        }
        named.execute("UPDATE attr_definition SET key = ?2 WHERE id = ?1", (id, &key)).map_err(&folding)?;
    }
    named.execute("UPDATE attr_state SET folding = ?1", [Name::FOLDING]).map_err(&folding)?;
    step.keep()
}
