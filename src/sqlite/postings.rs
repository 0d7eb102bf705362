//! The index in its table: a row for each definition, key and chunk.

use std::ops::{ControlFlow, Deref};

use rusqlite::{CachedStatement, Connection, Row, params};

use crate::error::{Error, Result};
use crate::index::{self, Holders, IndexWriter, Key, Keys, Place, Postings, Visit};
use crate::model::{DefinitionId, EntityKey, Ordinal, Value};
use crate::sqlite::codec;
use crate::sqlite::failure::failed;
use crate::sqlite::tables::Tables;
use crate::store::Direction;

/// Walking over so many keys costs about what looking one up does.
const DENSE: u32 = 4;

impl<C: Deref<Target = Connection>> Postings for Tables<C> {
    fn at(&self, place: &Place) -> Result<Option<Holders>> {
        let sql = "SELECT n, bits FROM attr_posting WHERE definition = ?1 AND key = ?2 AND chunk = ?3";
        holders_at(&mut self.prepare(sql)?, place)
    }

    fn sizes(&self, definition: DefinitionId, keys: &Keys, visit: &mut dyn FnMut(&[u8], u64) -> ControlFlow<()>) -> Result<()> {
        let reading = failed("reading an index");
        let mut select =
            self.prepare("SELECT key, n FROM attr_posting WHERE definition = ?1 AND key >= ?2 AND key < ?3 ORDER BY key, chunk")?;
        let bounds = params![definition.get(), keys.start.as_bytes(), keys.end.as_bytes()];
        let mut rows = select.query(bounds).map_err(&reading)?;
        while let Some(row) = rows.next().map_err(&reading)? {
            let size: i64 = row.get(1).map_err(&reading)?;
            if visit(key(row)?, size.unsigned_abs()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn walk(&self, definition: DefinitionId, keys: &Keys, direction: Direction, visit: &mut Visit<'_>) -> Result<()> {
        let reading = failed("reading an index");
        let mut select = self.prepare(match direction {
            Direction::Ascending => {
                "SELECT key, n, bits, chunk FROM attr_posting \
                 WHERE definition = ?1 AND key >= ?2 AND key < ?3 ORDER BY key, chunk"
            }
            Direction::Descending => {
                "SELECT key, n, bits, chunk FROM attr_posting \
                 WHERE definition = ?1 AND key >= ?2 AND key < ?3 ORDER BY key DESC, chunk DESC"
            }
        })?;
        let bounds = params![definition.get(), keys.start.as_bytes(), keys.end.as_bytes()];
        let mut rows = select.query(bounds).map_err(&reading)?;
        while let Some(row) = rows.next().map_err(&reading)? {
            let chunk = row.get(3).map_err(&reading)?;
            if visit(key(row)?, chunk, holders(row, 1)?)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn places(&self, visit: &mut dyn FnMut(Place) -> Result<ControlFlow<()>>) -> Result<()> {
        self.places_after(None, visit)
    }

    fn keys(&self, ordinals: &[Ordinal]) -> Result<Vec<EntityKey>> {
        let reading = failed("reading the key of an entity");
        let mut select = self.prepare("SELECT type, id FROM attr_entity INDEXED BY attr_entity_key WHERE ordinal = ?1")?;
        let mut one = |ordinal: &Ordinal| {
            let mut rows = select.query([ordinal.get()]).map_err(&reading)?;
            let row = rows.next().map_err(&reading)?.ok_or_else(index::lost)?;
            self.entity_key(row)
        };
        match ordinals {
            [first, .., last] if ordinals.is_sorted() && last.get() - first.get() < DENSE * len_of(ordinals) => {
                self.keys_between(*first, *last, ordinals)
            }
            _ => ordinals.iter().map(&mut one).collect(),
        }
    }

    fn values(&self, definition: DefinitionId, ordinals: &[Ordinal]) -> Result<Vec<Option<Value>>> {
        let Some(definition) = self.known.catalog.get(definition) else { return Ok(vec![None; ordinals.len()]) };
        let reading = failed("reading a value");
        let mut select = self.prepare("SELECT doc FROM attr_entity WHERE ordinal = ?1")?;
        let mut one = |ordinal: &Ordinal| {
            let mut rows = select.query([ordinal.get()]).map_err(&reading)?;
            let Some(row) = rows.next().map_err(&reading)? else { return Ok(None) };
            let doc = row.get_ref(0).and_then(|doc| Ok(doc.as_str()?)).map_err(&reading)?;
            codec::read_value(definition, doc)
        };
        ordinals.iter().map(&mut one).collect()
    }
}

fn len_of(ordinals: &[Ordinal]) -> u32 {
    u32::try_from(ordinals.len()).unwrap_or(u32::MAX / DENSE)
}

impl<C: Deref<Target = Connection>> Tables<C> {
    /// The keys of many that stand close together, which are walked over.
    fn keys_between(&self, first: Ordinal, last: Ordinal, ordinals: &[Ordinal]) -> Result<Vec<EntityKey>> {
        let reading = failed("reading the keys of entities");
        let mut select = self.prepare(
            "SELECT type, id, ordinal FROM attr_entity INDEXED BY attr_entity_key WHERE ordinal BETWEEN ?1 AND ?2 ORDER BY ordinal",
        )?;
        let mut rows = select.query([first.get(), last.get()]).map_err(&reading)?;
        let mut keys = Vec::with_capacity(ordinals.len());
        while let (Some(wanted), Some(row)) = (ordinals.get(keys.len()), rows.next().map_err(&reading)?) {
            if row.get::<_, u32>(2).map_err(&reading)? == wanted.get() {
                keys.push(self.entity_key(row)?);
            }
        }
        if keys.len() == ordinals.len() { Ok(keys) } else { Err(index::lost()) }
    }

    /// The places behind this one, or all.
    pub(super) fn places_after(
        &self,
        after: Option<&Place>,
        visit: &mut dyn FnMut(Place) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let reading = failed("reading an index");
        let mut select = self.prepare(
            "SELECT key, definition, chunk FROM attr_posting WHERE (definition, key, chunk) > (?1, ?2, ?3) \
             ORDER BY definition, key, chunk",
        )?;
        // No definition has a negative number: all come behind it.
        let (definition, bytes) = after.map_or((-1, &[][..]), |place| (i64::from(place.definition.get()), place.key.as_bytes()));
        let mut rows = select.query(params![definition, bytes, after.map_or(0, |place| place.chunk)]).map_err(&reading)?;
        while let Some(row) = rows.next().map_err(&reading)? {
            let definition = DefinitionId::new(row.get(1).map_err(&reading)?);
            let place = Place { definition, key: Key::load(key(row)?), chunk: row.get(2).map_err(&reading)? };
            if visit(place)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn key<'a>(row: &'a Row<'_>) -> Result<&'a [u8]> {
    row.get_ref(0).and_then(|key| Ok(key.as_blob()?)).map_err(failed("reading an index"))
}

/// What is written in this column and the next: how many there are, and who.
fn holders(row: &Row<'_>, first: usize) -> Result<Holders> {
    let reading = failed("reading an index");
    let count: i64 = row.get(first).map_err(&reading)?;
    let bits = row.get_ref(first + 1).and_then(|bits| Ok(bits.as_blob()?)).map_err(&reading)?;
    Holders::from_bytes(count.unsigned_abs(), bits)
}

fn holders_at(select: &mut CachedStatement<'_>, place: &Place) -> Result<Option<Holders>> {
    let reading = failed("reading an index");
    let mut rows = select.query(params![place.definition.get(), place.key.as_bytes(), place.chunk]).map_err(&reading)?;
    rows.next().map_err(&reading)?.map(|row| holders(row, 0)).transpose()
}

/// Writes the index within the writer's transaction.
pub(super) struct PostingWriter<'a> {
    connection: &'a Connection,
}

impl<'a> PostingWriter<'a> {
    pub(super) const fn new(connection: &'a Connection) -> Self {
        Self { connection }
    }

    fn prepare(&self, sql: &str) -> Result<CachedStatement<'a>> {
        self.connection.prepare_cached(sql).map_err(failed("writing an index"))
    }

    fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize> {
        self.prepare(sql)?.execute(params).map_err(failed("writing an index"))
    }

    /// Writes who is at a place, whoever was there.
    pub(super) fn put(&mut self, place: &Place, holders: &Holders) -> Result<()> {
        let size = i64::try_from(holders.len()).map_err(|_| Error::corrupt("a set of an index is out of bounds"))?;
        let sql = "INSERT INTO attr_posting (definition, key, chunk, n, bits) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT DO UPDATE SET n = excluded.n, bits = excluded.bits WHERE bits <> excluded.bits OR n <> excluded.n";
        let (definition, key) = (place.definition.get(), place.key.as_bytes());
        self.execute(sql, params![definition, key, place.chunk, size, holders.to_bytes()?])?;
        Ok(())
    }

    /// Leaves nobody at a place.
    pub(super) fn take_out(&mut self, place: &Place) -> Result<()> {
        let sql = "DELETE FROM attr_posting WHERE definition = ?1 AND key = ?2 AND chunk = ?3";
        self.execute(sql, params![place.definition.get(), place.key.as_bytes(), place.chunk])?;
        Ok(())
    }

    /// Most keys of a number or a date come with one holder, and go with it: that takes one statement. Whether it was so?
    fn flip_one(&self, place: &Place, added: &[u16], removed: &[u16]) -> Result<bool> {
        let (definition, key) = (place.definition.get(), place.key.as_bytes());
        match (added, removed) {
            ([one], []) => {
                let sql = "INSERT INTO attr_posting (definition, key, chunk, n, bits) VALUES (?1, ?2, ?3, 1, ?4) \
                           ON CONFLICT DO NOTHING";
                self.execute(sql, params![definition, key, place.chunk, one.to_le_bytes()])
            }
            ([], [one]) => {
                let sql = "DELETE FROM attr_posting WHERE definition = ?1 AND key = ?2 AND chunk = ?3 AND n = 1 AND bits = ?4";
                self.execute(sql, params![definition, key, place.chunk, one.to_le_bytes()])
            }
            _ => Ok(0),
        }
        .map(|rows| rows == 1)
    }
}

impl IndexWriter for PostingWriter<'_> {
    fn forget(&mut self, definition: DefinitionId) -> Result<()> {
        self.execute("DELETE FROM attr_posting WHERE definition = ?1", [definition.get()])?;
        Ok(())
    }

    fn flip(&mut self, place: Place, added: &[u16], removed: &[u16]) -> Result<()> {
        if self.flip_one(&place, added, removed)? {
            return Ok(());
        }
        let sql = "SELECT n, bits FROM attr_posting WHERE definition = ?1 AND key = ?2 AND chunk = ?3";
        let before = holders_at(&mut self.prepare(sql)?, &place)?;
        match Holders::flipped(before, added, removed) {
            Some(after) => self.put(&place, &after),
            None => self.take_out(&place),
        }
    }
}
