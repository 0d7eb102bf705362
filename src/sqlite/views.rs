//! Views for the host's own SQL: one for each entity type, with a row for each entity and a column for each attribute.
//!
//! # The two columns of ids
//!
//! SQLite converts the operands of a comparison by their affinity: next to a column of numbers, the text '07' is the number 7.
//! No single column can stand for the ids of every host: a column of numbers takes the host's '07' for 7, a column of texts is
//! converted to numbers by an INTEGER column of the host, and a column without an affinity is found by no index. So each view
//! has two, whatever ids its entities have: `entity_id` is an integer or NULL, and `entity_key` is the text of every id.
//!
//! Both are plain columns of the table, generated from `id`. A CAST or a CASE in the view would hide them from the indexes
//! behind a LEFT JOIN. `id_type` is `type` once more: SQLite's estimates of how many entities a type has, and of how many
//! have an id within a type, must differ; see [`View::sql`].

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use crate::error::Result;
use crate::model::{Catalog, DataType, Definition, EntityType};
use crate::sqlite::failure::failed;
use crate::sqlite::names::{Named, Names};
use crate::sqlite::tables::Known;
use crate::store::CatalogChange;

/// What the name of each view begins with behind the prefix of the tables; the entity type follows.
const OF: &str = "of_";

/// Tells our views from the host's, and from those of a store with another prefix: they are never replaced.
fn mark(names: &Names) -> String {
    let by = if names.is_default() { String::new() } else { format!(" with {}", names.prefix()) };
    format!("/* by custom-attributes{by}, which makes it anew when a definition changes */")
}

/// The most columns that SQLite gives by default: views do not ask for more, and the first definitions have them.
const MAX_COLUMNS: usize = 2000;

/// The columns that the host joins on: each with the column of the table that it shows.
const IDS: [(&str, &str); 2] = [("id_number", "entity_id"), ("id_text", "entity_key")];

/// Keeps the name that each type's view was given once.
const TABLE: &str = "
CREATE TABLE attr_view (
    type INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE
) STRICT;
";

const COLUMNS: &str = "
ALTER TABLE attr_entity ADD COLUMN id_type INTEGER GENERATED ALWAYS AS (type) VIRTUAL;
ALTER TABLE attr_entity ADD COLUMN id_number INTEGER GENERATED ALWAYS AS (CASE WHEN typeof(id) = 'integer' THEN id END) VIRTUAL;
ALTER TABLE attr_entity ADD COLUMN id_text TEXT GENERATED ALWAYS AS (CAST(id AS TEXT)) VIRTUAL;
";

/// Neither index is partial: SQLite takes a partial index for smaller than it is, and reads all of it for a page of the host's
/// rows. A file of version 3 or 4 has at least one of them already.
const INDEXES: &str = "
CREATE UNIQUE INDEX IF NOT EXISTS attr_entity_number ON attr_entity (id_number, id_type);
CREATE UNIQUE INDEX IF NOT EXISTS attr_entity_text ON attr_entity (id_text, id_type);
";

/// Makes the tables, and the views of all that is defined.
pub(super) fn add(connection: Named<'_>) -> Result<()> {
    let making = failed("making the tables of views");
    connection.execute_batch(TABLE).and_then(|()| connection.execute_batch(COLUMNS)).map_err(making)?;
    write_all(connection)
}

/// From version 4 to 5: until then, `entity_id` became a text with the first id that was one.
///
/// `attr_view` loses the column that told which kinds of ids there are. DROP COLUMN would fail where the host has a view that is
/// broken, for it reads all of the schema.
pub(super) fn give_two_ids(connection: Named<'_>) -> Result<()> {
    let making = failed("making the tables of views");
    let mut names: Vec<(i64, String)> = Vec::new();
    let mut select = connection.prepare("SELECT type, name FROM attr_view").map_err(&making)?;
    for row in select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(&making)? {
        names.push(row.map_err(&making)?);
    }
    drop(select);
    connection.execute_batch("DROP TABLE attr_view").and_then(|()| connection.execute_batch(TABLE)).map_err(&making)?;
    for name in names {
        connection.execute("INSERT INTO attr_view (type, name) VALUES (?1, ?2)", name).map_err(&making)?;
    }
    write_all(connection)
}

/// Makes the indexes of ids, and the views of all types.
fn write_all(connection: Named<'_>) -> Result<()> {
    connection.execute_batch(INDEXES).map_err(failed("indexing the ids"))?;
    let known = Known::load(connection)?;
    // In the order of their numbers: of two types that differ by case, the earlier keeps the plain name.
    let types: BTreeMap<_, _> = known.type_names.iter().collect();
    types
        .into_iter()
        .try_for_each(|(number, entity_type)| View { connection, number: *number, entity_type }.write(&known.catalog))
}

/// Brings the views up to date with definitions that changed. `known` is what is known behind the change.
pub(super) fn follow(connection: Named<'_>, known: &Known, change: &CatalogChange) -> Result<()> {
    let of = |catalog: &Catalog| -> Vec<EntityType> {
        let touched = change.touched.iter().filter_map(|id| catalog.get(*id));
        touched.map(|definition| definition.entity_type().clone()).collect()
    };
    let mut types = [of(&change.before), of(&change.after)].concat();
    types.sort_unstable_by_key(|entity_type| known.type_number(entity_type));
    types.dedup();
    types.iter().try_for_each(|entity_type| {
        View { connection, number: known.type_number(entity_type), entity_type }.write(&known.catalog)
    })
}

/// The view of one type.
struct View<'a> {
    connection: Named<'a>,
    number: i64,
    entity_type: &'a EntityType,
}

/// Who has a name among the tables, indexes and views of the file.
#[derive(PartialEq)]
enum Holder {
    Nobody,
    Ours(String),
    Host,
}

impl View<'_> {
    fn write(&self, catalog: &Catalog) -> Result<()> {
        let writing = failed("writing a view");
        let name = self.name()?;
        let keep = "INSERT INTO attr_view (type, name) VALUES (?1, ?2) ON CONFLICT (type) DO UPDATE SET name = ?2";
        self.connection.execute(keep, params![self.number, name]).map_err(&writing)?;
        let definitions = catalog.of(self.entity_type);
        let wanted = (!definitions.is_empty()).then(|| self.sql(&name, &definitions));
        let found = match self.holder(&name)? {
            Holder::Ours(sql) => Some(sql),
            _ => None,
        };
        // A change of the schema makes every connection read it anew; most changes of a definition are none to its view.
        if found == wanted {
            return Ok(());
        }
        if found.is_some() {
            self.connection.connection.execute_batch(&format!("DROP VIEW {}", quoted(&name))).map_err(&writing)?;
        }
        wanted.map_or(Ok(()), |sql| self.connection.connection.execute_batch(&sql)).map_err(&writing)
    }

    /// The name that the type was given, unless the host has taken it; a suffix that no type can have sets apart what SQLite
    /// holds to be the same.
    fn name(&self) -> Result<String> {
        let naming = failed("naming a view");
        let given = "SELECT name FROM attr_view WHERE type = ?1";
        let given: Option<String> =
            self.connection.query_row(given, [self.number], |row| row.get(0)).optional().map_err(&naming)?;
        let plain = format!("{}{OF}{}", self.connection.names.prefix(), self.entity_type);
        let suffixed = (2..).map(|n: u64| format!("{plain}[{n}]"));
        for name in given.into_iter().chain([plain.clone()]).chain(suffixed) {
            let others = "SELECT 1 FROM attr_view WHERE name = ?1 AND type <> ?2";
            let others = self.connection.query_row(others, params![name, self.number], |_| Ok(())).optional();
            if others.map_err(&naming)?.is_none() && self.holder(&name)? != Holder::Host {
                return Ok(name);
            }
        }
        Ok(plain)
    }

    fn holder(&self, name: &str) -> Result<Holder> {
        let looking = failed("looking for a view");
        let sql = "SELECT type, sql FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type <> 'trigger'";
        let held = self.connection.query_row(sql, [name], |row| Ok((row.get(0)?, row.get(1)?))).optional();
        let held: Option<(String, Option<String>)> = held.map_err(looking)?;
        Ok(match held {
            None => Holder::Nobody,
            Some((kind, Some(sql))) if kind == "view" && sql.contains(&mark(self.connection.names)) => Holder::Ours(sql),
            Some(_) => Holder::Host,
        })
    }

    fn sql(&self, name: &str, definitions: &[&Arc<Definition>]) -> String {
        let mut columns = IDS.map(|(column, shown)| format!("{column} AS {shown}")).to_vec();
        for definition in definitions {
            let more = columns_of(definition);
            if columns.len() + more.len() > MAX_COLUMNS {
                break;
            }
            columns.extend(more);
        }
        let (name, number, columns) = (quoted(name), self.number, columns.join(",\n  "));
        // With no word on it, SQLite takes the entities of a type to be ten, and begins with them whatever is asked of the
        // host's rows. Half of all are too many for that, and few enough to go to them by their index; the same word on the
        // column that stands in the indexes of ids would make it take half of all to have the same id.
        let of_type = format!("id_type = {number} AND likelihood(type = {number}, 0.5) AND likely(doc <> '{{}}')");
        let (mark, prefix) = (mark(self.connection.names), self.connection.names.prefix());
        format!("CREATE VIEW {name} {mark} AS SELECT\n  {columns}\nFROM {prefix}entity WHERE {of_type}")
    }
}

/// Typed as columns of a table would be: SQLite compares by the affinity of a column, and a CAST has that of its type.
fn columns_of(definition: &Definition) -> Vec<String> {
    let column =
        |data_type: &str, name: &str| format!("CAST(doc ->> '$.\"{}\"' AS {data_type}) AS {}", definition.id(), quoted(name));
    let name = definition.name().as_str();
    let is_taken = IDS.iter().any(|(_, shown)| name.eq_ignore_ascii_case(shown));
    let plain = if is_taken { format!("{name} [attribute]") } else { name.to_owned() };
    match definition.data_type() {
        DataType::Integer | DataType::Boolean => vec![column("INTEGER", &plain)],
        DataType::Decimal => vec![column("TEXT", &plain), column("REAL", &format!("{name} [number]"))],
        DataType::String | DataType::Date => vec![column("TEXT", &plain)],
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
