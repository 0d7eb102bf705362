//! Whether the tables in a file are those that this library makes.
//!
//! A file may come from anywhere, and SQLite runs what its schema says: a trigger changes what was written, a generated column or
//! a CHECK computes, a UNIQUE index refuses or (with OR REPLACE) deletes rows. So a store compares the schema of its tables with
//! its own before it uses them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::sqlite::failure::failed;
use crate::sqlite::names::Names;
use crate::sqlite::open::set_up;

/// Columns as an upgrade left them, and as they are in a new file.
const UPGRADED: [(&str, &str); 1] = [("touched BLOB NOT NULL DEFAULT x''", "touched BLOB NOT NULL")];

const CHANGED: &str = "another program has changed it: restore the file from a backup, or change it back";

/// An object of the schema.
#[derive(Debug)]
struct Object {
    kind: String,
    name: String,
    table: String,
    /// None for the indexes of PRIMARY KEY and UNIQUE, which the text of their table tells.
    sql: Option<String>,
}

/// The statements of what this library makes, by name, with the default prefix.
#[derive(Debug, Default)]
struct Made {
    tables: BTreeMap<String, String>,
    indexes: BTreeMap<String, String>,
}

/// Columns and constraints, and what stands behind them.
#[derive(Debug, PartialEq)]
struct Table {
    parts: BTreeSet<String>,
    options: String,
}

/// Refuses what makes one of our tables another than ours.
///
/// # Errors
/// [`Error::Open`] that names the object, and says what to do about it.
pub(super) fn check(connection: &Connection, names: &Names, place: &str) -> Result<()> {
    let made = made()?;
    let refuse = |reason: String| Err(Error::Open { place: place.to_owned(), reason, source: None });
    let ours = |name: &str| names.plain(name).and_then(|plain| made.tables.get(&plain));
    for object in objects(connection)? {
        let Object { kind, name, table, sql } = &object;
        let sql = sql.as_deref().unwrap_or_default();
        match kind.as_str() {
            "trigger" if ours(table).is_some() => {
                let why = "which it would change behind the back of this library";
                return refuse(format!("the trigger `{name}` is on the table `{table}`, {why}; drop the trigger"));
            }
            "index" if ours(table).is_some() => match names.plain(name).and_then(|plain| made.indexes.get(&plain)) {
                Some(made) if tidy(&names.put(made)) == tidy(sql) => {}
                Some(_) => return refuse(format!("its index `{name}` is `{}`; {CHANGED}", tidy(sql))),
                None if tidy(sql).to_ascii_uppercase().starts_with("CREATE UNIQUE") => {
                    let why = "which may hold what it forbids";
                    return refuse(format!("the unique index `{name}` is on the table `{table}`, {why}; drop the index"));
                }
                None => {}
            },
            "view" if ours(name).is_some() => {
                let advice = "restore the file from a backup, or choose another prefix if the view is the host's own";
                return refuse(format!("a view is in the place of the table `{name}`; {advice}"));
            }
            "table" => {
                let Some(expected) = ours(name).and_then(|made| Table::read(&names.put(made))) else { continue };
                let what = match Table::read(sql) {
                    Some(found) if found == expected => continue,
                    Some(found) => found.difference(&expected),
                    None => "is a virtual table".to_owned(),
                };
                return refuse(format!("its table `{name}` {what}; {CHANGED}"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn objects(connection: &Connection) -> Result<Vec<Object>> {
    let looking = failed("looking at the schema");
    let mut select = connection.prepare("SELECT type, name, tbl_name, sql FROM main.sqlite_schema").map_err(&looking)?;
    let objects =
        select.query_map([], |row| Ok(Object { kind: row.get(0)?, name: row.get(1)?, table: row.get(2)?, sql: row.get(3)? }));
    objects.and_then(Iterator::collect).map_err(looking)
}

/// Made once, from a database in memory: there is no second description of the tables.
fn made() -> Result<&'static Made> {
    static MADE: OnceLock<Made> = OnceLock::new();
    if let Some(made) = MADE.get() {
        return Ok(made);
    }
    let connection = Connection::open_in_memory().map_err(failed("opening a database in memory"))?;
    set_up(&connection, &Names::default(), true)?;
    let mut made = Made::default();
    for Object { kind, name, sql, .. } in objects(&connection)? {
        match (kind.as_str(), sql) {
            ("table", Some(sql)) => _ = made.tables.insert(name, sql),
            ("index", Some(sql)) => _ = made.indexes.insert(name, sql),
            _ => {}
        }
    }
    Ok(MADE.get_or_init(|| made))
}

impl Table {
    /// Of the text of CREATE TABLE, as SQLite keeps it; none for a virtual table.
    fn read(sql: &str) -> Option<Self> {
        let sql = tidy(sql);
        let (head, rest) = sql.split_once('(')?;
        if !head.to_ascii_uppercase().starts_with("CREATE TABLE") {
            return None;
        }
        let (mut parts, mut part, mut depth, mut quote) = (BTreeSet::new(), String::new(), 0, None);
        let mut end = rest.len();
        for (at, c) in rest.char_indices() {
            match (quote, c) {
                (Some(open), _) if c == open => quote = None,
                (None, '\'' | '"' | '`') => quote = Some(c),
                (None, '[') => quote = Some(']'),
                (None, '(') => depth += 1,
                (None, ')') if depth == 0 => {
                    end = at + 1;
                    break;
                }
                (None, ')') => depth -= 1,
                (None, ',') if depth == 0 => {
                    parts.insert(upgraded(&part));
                    part.clear();
                    continue;
                }
                _ => {}
            }
            part.push(c);
        }
        parts.insert(upgraded(&part));
        Some(Self { parts, options: rest.get(end..).unwrap_or_default().trim().to_owned() })
    }

    fn difference(&self, expected: &Self) -> String {
        let quoted = |parts: Vec<&String>| parts.into_iter().map(|part| format!("`{part}`")).collect::<Vec<_>>().join(", ");
        let more: Vec<_> = self.parts.difference(&expected.parts).collect();
        let less: Vec<_> = expected.parts.difference(&self.parts).collect();
        match (more.is_empty(), less.is_empty()) {
            (true, true) => format!("ends with `{}` and not with `{}`", self.options, expected.options),
            (false, true) => format!("also has {}", quoted(more)),
            (true, false) => format!("lacks {}", quoted(less)),
            (false, false) => format!("has {} instead of {}", quoted(more), quoted(less)),
        }
    }
}

fn upgraded(part: &str) -> String {
    let part = part.trim();
    UPGRADED.iter().find(|(old, _)| *old == part).map_or(part, |(_, new)| new).to_owned()
}

/// The text with one space wherever there is white space. What is quoted may be changed by this as well: no text of ours quotes
/// white space, and two texts that differ in nothing else do the same to our rows.
fn tidy(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}
