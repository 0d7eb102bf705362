//! Views for the host's own SQL: one for each entity type, with a row for each entity and a column for each attribute.
//!
//! The index by type and id does not serve `a.entity_id = c.id`. Its column has no affinity: SQLite does not take it to compare
//! with an INTEGER column, and with a TEXT column the integer 17 is not the text '17' of the host. So each view gives the ids
//! as a column of integers would until the first text comes, and from then on as one of texts, each with an index of its own.
//! These are columns of the table, for a view behind LEFT JOIN takes no index of an expression. `id_type` is `type` once more:
//! what SQLite supposes of how many entities a type has, and an id has in its type, must differ; see [`View::sql`].

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use crate::error::Result;
use crate::model::{Catalog, DataType, Definition, EntityId, EntityType};
use crate::sqlite::failure::failed;
use crate::sqlite::names::{Named, Names};
use crate::sqlite::tables::Known;
use crate::store::{CatalogChange, RecordChange};

/// What the name of each view begins with behind the prefix of the tables; the entity type follows.
const OF: &str = "of_";

/// Tells our views from the host's, and from those of a store with another prefix: they are never replaced.
fn mark(names: &Names) -> String {
    let by = if names.is_default() { String::new() } else { format!(" with {}", names.prefix()) };
    format!("/* by custom-attributes{by}, which makes it anew when a definition changes */")
}

/// The most columns that SQLite gives by default: views do not ask for more, and the first definitions have them.
const MAX_COLUMNS: usize = 2000;

/// The column that joins.
const ENTITY_ID: &str = "entity_id";

/// `attr_view` keeps each type's name once it was given, and which kinds of ids its entities have: see [`kind`].
const TABLES: &str = "
CREATE TABLE attr_view (
    type INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    ids INTEGER NOT NULL
) STRICT;
ALTER TABLE attr_entity ADD COLUMN id_type INTEGER GENERATED ALWAYS AS (type) VIRTUAL;
ALTER TABLE attr_entity ADD COLUMN id_number INTEGER GENERATED ALWAYS AS (CASE WHEN typeof(id) = 'integer' THEN id END) VIRTUAL;
ALTER TABLE attr_entity ADD COLUMN id_text TEXT GENERATED ALWAYS AS (CAST(id AS TEXT)) VIRTUAL;
";

/// By which ids a view joins, and its index. None is partial: SQLite would take it for smaller than it is, and read all of it
/// for a page of the host's rows.
const FORMS: [(&str, &str); 2] = [("id_number", "attr_entity_number"), ("id_text", "attr_entity_text")];

const INTEGERS: i64 = 1;
const TEXTS: i64 = 2;

fn kind(id: &EntityId) -> i64 {
    if id.as_integer().is_some() { INTEGERS } else { TEXTS }
}

fn form(ids: i64) -> usize {
    usize::from(ids & TEXTS != 0)
}

/// Makes the tables, and the views of all that is defined.
pub(super) fn add(connection: Named<'_>) -> Result<()> {
    let making = failed("making the views");
    connection.execute_batch(TABLES).map_err(&making)?;
    let known = Known::load(connection)?;
    let kinds = "SELECT max(typeof(id) = 'integer') * 1 + max(typeof(id) = 'text') * 2 FROM attr_entity WHERE type = ?1";
    let mut kinds = connection.prepare(kinds).map_err(&making)?;
    // In the order of their numbers: of two types that differ by case, the earlier keeps the plain name.
    let types: BTreeMap<_, _> = known.type_names.iter().collect();
    for (number, entity_type) in types {
        let ids: Option<i64> = kinds.query_row([number], |row| row.get(0)).map_err(&making)?;
        View { connection, number: *number, entity_type }.write(ids.unwrap_or_default(), &known.catalog)?;
    }
    Ok(())
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
    for entity_type in &types {
        let view = View { connection, number: known.type_number(entity_type), entity_type };
        let ids = view.ids()?;
        view.write(ids, &known.catalog)?;
    }
    Ok(())
}

/// The kinds of ids that new entities have, by their types.
#[derive(Default)]
pub(super) struct Met(BTreeMap<EntityType, i64>);

impl Met {
    pub(super) fn see(&mut self, change: &RecordChange) {
        if change.before.is_some() {
            return;
        }
        let key = change.after.key();
        match self.0.get_mut(key.entity_type()) {
            Some(kinds) => *kinds |= kind(key.id()),
            None => _ = self.0.insert(key.entity_type().clone(), kind(key.id())),
        }
    }
}

/// Brings the views up to date with the kinds of ids that were met.
pub(super) fn meet(connection: Named<'_>, known: &Known, met: Met) -> Result<()> {
    for (entity_type, kinds) in met.0 {
        let view = View { connection, number: known.type_number(&entity_type), entity_type: &entity_type };
        let ids = view.ids()?;
        if ids | kinds != ids {
            view.write(ids | kinds, &known.catalog)?;
        }
    }
    Ok(())
}

/// Sees to it that the forms in use have their index, and no other: each costs every new entity.
fn index(connection: Named<'_>) -> Result<()> {
    let indexing = failed("indexing the ids");
    let used = "SELECT EXISTS (SELECT 1 FROM attr_view WHERE (ids & ?1 <> 0) = ?2)";
    let mut used = connection.prepare_cached(used).map_err(&indexing)?;
    for (column, index) in FORMS {
        let is_used: bool = used.query_row(params![TEXTS, column == FORMS[1].0], |row| row.get(0)).map_err(&indexing)?;
        let sql = if is_used {
            format!("CREATE UNIQUE INDEX IF NOT EXISTS {index} ON attr_entity ({column}, id_type)")
        } else {
            format!("DROP INDEX IF EXISTS {index}")
        };
        connection.execute_batch(&sql).map_err(&indexing)?;
    }
    Ok(())
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
    fn ids(&self) -> Result<i64> {
        let sql = "SELECT ids FROM attr_view WHERE type = ?1";
        let select = self.connection.prepare_cached(sql);
        let ids = select.and_then(|mut select| select.query_row([self.number], |row| row.get(0)).optional());
        Ok(ids.map_err(failed("reading the kinds of ids"))?.unwrap_or_default())
    }

    fn write(&self, ids: i64, catalog: &Catalog) -> Result<()> {
        let writing = failed("writing a view");
        let name = self.name()?;
        let keep = "INSERT INTO attr_view (type, name, ids) VALUES (?1, ?2, ?3) \
                    ON CONFLICT (type) DO UPDATE SET name = ?2, ids = ?3";
        self.connection.execute(keep, params![self.number, name, ids]).map_err(&writing)?;
        index(self.connection)?;
        let definitions = catalog.of(self.entity_type);
        let wanted = (!definitions.is_empty()).then(|| self.sql(&name, ids, &definitions));
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

    fn sql(&self, name: &str, ids: i64, definitions: &[&Arc<Definition>]) -> String {
        let (id, _) = FORMS[form(ids)];
        let mut columns = vec![format!("{id} AS {ENTITY_ID}")];
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
    let plain = if name.eq_ignore_ascii_case(ENTITY_ID) { format!("{name} [attribute]") } else { name.to_owned() };
    match definition.data_type() {
        DataType::Integer | DataType::Boolean => vec![column("INTEGER", &plain)],
        DataType::Decimal => vec![column("TEXT", &plain), column("REAL", &format!("{name} [number]"))],
        DataType::String | DataType::Date => vec![column("TEXT", &plain)],
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
