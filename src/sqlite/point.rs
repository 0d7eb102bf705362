//! One entity, or one value of it, by one statement, which is a snapshot of its own: it reads the state of the definitions as well.

use std::sync::Arc;

use rusqlite::{Row, params};

use crate::error::{Error, Result};
use crate::model::{Catalog, EntityKey, EntityRecord, Value};
use crate::sqlite::codec;
use crate::sqlite::failure::failed;
use crate::sqlite::names::Named;
use crate::sqlite::tables::{Known, damaged, read_record};
use crate::store::Find;

/// What such a statement answers.
pub(super) enum Answer<T> {
    Read(T),
    /// The definitions are others than what is known.
    Outdated,
}

/// An entity, if there is one, with the definitions of the same instant.
pub(super) type EntityRead = (Arc<Catalog>, Option<Arc<EntityRecord>>);

pub(super) fn read_entity(named: Named<'_>, known: &Known, key: &EntityKey) -> Result<Answer<EntityRead>> {
    let sql = "SELECT s.catalog, s.mark, e.ordinal, e.revision, e.doc, e.meta FROM attr_state s \
               LEFT JOIN attr_entity e ON e.type = +?1 AND e.id = +?2";
    read(named, known, sql, key, |row| {
        let ordinal: Option<u32> = row.get(2).map_err(failed("reading an entity"))?;
        let record = ordinal.map(|_| read_record(&known.catalog, key.clone(), row, 2)).transpose()?;
        Ok((Arc::clone(&known.catalog), record))
    })
}

/// The value for the definition that `find` picks.
pub(super) fn read_value(named: Named<'_>, known: &Known, key: &EntityKey, find: &mut Find<'_>) -> Result<Answer<Option<Value>>> {
    let sql = "SELECT s.catalog, s.mark, e.doc FROM attr_state s LEFT JOIN attr_entity e ON e.type = +?1 AND e.id = +?2";
    read(named, known, sql, key, |row| {
        let Some(definition) = find(&known.catalog)?.and_then(|id| known.catalog.get(id)) else { return Ok(None) };
        let doc = row.get_ref(2).and_then(|doc| Ok(doc.as_str_or_null()?)).map_err(failed("reading a value"))?;
        let value = doc.map(|doc| codec::read_value(definition, doc)).transpose();
        Ok(value.map_err(|error| damaged(key, error))?.flatten())
    })
}

fn read<T>(
    named: Named<'_>,
    known: &Known,
    sql: &str,
    key: &EntityKey,
    read: impl FnOnce(&Row<'_>) -> Result<T>,
) -> Result<Answer<T>> {
    let reading = failed("reading an entity");
    let mut select = named.prepare_cached(sql).map_err(&reading)?;
    let number = known.type_number(key.entity_type());
    let mut rows = select.query(params![number, codec::id_to_sql(key.id())]).map_err(&reading)?;
    let row = rows.next().map_err(&reading)?.ok_or_else(|| Error::corrupt("the state of the store is missing"))?;
    if known.is_of(row.get(0).map_err(&reading)?, row.get(1).map_err(&reading)?) {
        read(row).map(Answer::Read)
    } else {
        Ok(Answer::Outdated)
    }
}
