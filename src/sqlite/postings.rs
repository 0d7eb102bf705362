//! The index in its table: a row for each definition, key and chunk.

use std::ops::{ControlFlow, Deref};

use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use crate::error::{Error, Result};
use crate::index::{self, Holders, IndexWriter, Key, Keys, Place, Postings, Visit};
use crate::model::{DefinitionId, EntityKey, Ordinal, Value};
use crate::sqlite::codec;
use crate::sqlite::column::Columns;
use crate::sqlite::failure::failed;
use crate::sqlite::names::Named;
use crate::sqlite::tables::Tables;
use crate::store::Direction;

/// Walking over so many keys costs about what looking one up does.
const DENSE: u32 = 4;
/// The longest set, in bytes, that stands within its row: such rows have their place in a page of 4 KiB.
const MAX_WITHIN: usize = 256;

impl<C: Deref<Target = Connection>> Postings for Tables<C> {
    fn at(&self, place: &Place) -> Result<Option<Holders>> {
        let reading = failed("reading an index");
        let mut select = self.prepare("SELECT n, bits FROM attr_posting WHERE definition = ?1 AND key = ?2 AND chunk = ?3")?;
        let mut rows = select.query(params![place.definition.get(), place.key.as_bytes(), place.chunk]).map_err(&reading)?;
        rows.next().map_err(&reading)?.map(|row| self.holders(row, 0)).transpose()
    }

    fn total(&self, definition: DefinitionId, keys: &Keys) -> Result<u64> {
        // A sum over damaged rows may overflow, which `total` does not.
        let sql = "SELECT CAST(total(n) AS INTEGER), coalesce(min(n), 1), coalesce(max(n), 1) FROM attr_posting \
                   WHERE definition = ?1 AND key >= ?2 AND key < ?3";
        let bounds = params![definition.get(), keys.start.as_bytes(), keys.end.as_bytes()];
        let total = self.prepare(sql)?.query_row(bounds, |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)));
        let (total, least, most) = total.map_err(failed("reading an index"))?;
        size(least).and(size(most))?;
        u64::try_from(total).map_err(|_| index::unreadable())
    }

    fn sizes(&self, definition: DefinitionId, keys: &Keys, visit: &mut dyn FnMut(&[u8], u64) -> ControlFlow<()>) -> Result<()> {
        let reading = failed("reading an index");
        let mut select = self
            .prepare("SELECT key, n FROM attr_posting WHERE definition = +?1 AND key >= ?2 AND key < ?3 ORDER BY key, chunk")?;
        let bounds = params![definition.get(), keys.start.as_bytes(), keys.end.as_bytes()];
        let mut rows = select.query(bounds).map_err(&reading)?;
        while let Some(row) = rows.next().map_err(&reading)? {
            if visit(key(row)?, size(row.get(1).map_err(&reading)?)?).is_break() {
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
                 WHERE definition = +?1 AND key >= ?2 AND key < ?3 ORDER BY key, chunk"
            }
            Direction::Descending => {
                "SELECT key, n, bits, chunk FROM attr_posting \
                 WHERE definition = +?1 AND key >= ?2 AND key < ?3 ORDER BY key DESC, chunk DESC"
            }
        })?;
        let bounds = params![definition.get(), keys.start.as_bytes(), keys.end.as_bytes()];
        let mut rows = select.query(bounds).map_err(&reading)?;
        while let Some(row) = rows.next().map_err(&reading)? {
            let chunk = row.get(3).map_err(&reading)?;
            if visit(key(row)?, chunk, self.holders(row, 1)?)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn places(&self, visit: &mut dyn FnMut(Place) -> Result<ControlFlow<()>>) -> Result<()> {
        self.places_after(None, visit)
    }

    fn last_record(&self) -> Result<Ordinal> {
        let reading = failed("reading the last ordinal");
        let mut select = self.prepare("SELECT coalesce(max(ordinal), 0) FROM attr_entity")?;
        let mut rows = select.query([]).map_err(&reading)?;
        let Some(row) = rows.next().map_err(&reading)? else { return Ok(Ordinal::default()) };
        Columns::new(row, "an entity").last_ordinal(0)
    }

    fn keys(&self, ordinals: &[Ordinal]) -> Result<Vec<EntityKey>> {
        let Some(kept) = &self.keys else { return self.read_keys(ordinals) };
        let mut found = kept.get(ordinals);
        let missing: Vec<Ordinal> = found.iter().zip(ordinals).filter(|(key, _)| key.is_none()).map(|(_, one)| *one).collect();
        if !missing.is_empty() {
            let read = self.read_keys(&missing)?;
            kept.keep(missing.into_iter().zip(&read));
            found.iter_mut().filter(|key| key.is_none()).zip(read).for_each(|(key, read)| *key = Some(read));
        }
        found.into_iter().collect::<Option<_>>().ok_or_else(index::lost)
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
    /// The keys of these, none of which is kept.
    fn read_keys(&self, ordinals: &[Ordinal]) -> Result<Vec<EntityKey>> {
        if let [first, .., last] = ordinals
            && ordinals.is_sorted()
            && last.get() - first.get() < DENSE * len_of(ordinals)
        {
            return self.keys_between(*first, *last, ordinals);
        }
        let reading = failed("reading the key of an entity");
        let mut select = self.prepare("SELECT type, id FROM attr_entity INDEXED BY attr_entity_key WHERE ordinal = ?1")?;
        let mut one = |ordinal: &Ordinal| {
            let mut rows = select.query([ordinal.get()]).map_err(&reading)?;
            let row = rows.next().map_err(&reading)?.ok_or_else(index::lost)?;
            self.entity_key(row)
        };
        ordinals.iter().map(&mut one).collect()
    }

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

    /// What is written in this column and the next: how many there are, and who.
    fn holders(&self, row: &Row<'_>, first: usize) -> Result<Holders> {
        let reading = failed("reading an index");
        let count = size(row.get(first).map_err(&reading)?)?;
        match row.get_ref(first + 1).map_err(&reading)? {
            ValueRef::Integer(id) => {
                let mut select = self.prepare("SELECT bits FROM attr_set WHERE id = ?1")?;
                let mut rows = select.query([id]).map_err(&reading)?;
                let Some(row) = rows.next().map_err(&reading)? else { return Err(index::unreadable()) };
                Holders::from_bytes(count, row.get_ref(0).and_then(|bits| Ok(bits.as_blob()?)).map_err(&reading)?)
            }
            bits => Holders::from_bytes(count, bits.as_blob().map_err(|_| index::unreadable())?),
        }
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
        let mut last = after.cloned();
        while let Some(row) = rows.next().map_err(&reading)? {
            let definition = DefinitionId::new(row.get(1).map_err(&reading)?);
            let place = Place { definition, key: Key::load(key(row)?), chunk: row.get(2).map_err(&reading)? };
            // A rebuild goes on from the place where it stopped: out of order, it would never end.
            if last.as_ref().is_some_and(|last| place <= *last) {
                return Err(Error::corrupt("the index has places that are out of order"));
            }
            last = Some(place.clone());
            if visit(place)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// How many entities of one chunk are in a set.
fn size(n: i64) -> Result<u64> {
    u64::try_from(n).ok().filter(|n| (1..=1 << 16).contains(n)).ok_or_else(index::unreadable)
}

fn key<'a>(row: &'a Row<'_>) -> Result<&'a [u8]> {
    row.get_ref(0).and_then(|key| Ok(key.as_blob()?)).map_err(failed("reading an index"))
}

/// A set as it is written, and the id under which it stands apart, if it does.
struct Written {
    count: i64,
    apart: Option<i64>,
    bits: Vec<u8>,
}

/// Writes the index within the writer's transaction.
pub(super) struct PostingWriter<'a> {
    connection: Named<'a>,
}

impl<'a> PostingWriter<'a> {
    pub(super) const fn new(connection: Named<'a>) -> Self {
        Self { connection }
    }

    fn prepare(&self, sql: &str) -> Result<CachedStatement<'a>> {
        self.connection.prepare_cached(sql).map_err(failed("writing an index"))
    }

    fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize> {
        self.prepare(sql)?.execute(params).map_err(failed("writing an index"))
    }

    /// What stands at a place: how many, and their set with its id if it stands apart.
    fn row_at(&self, place: &Place) -> Result<Option<Written>> {
        let reading = failed("reading an index");
        let sql = "SELECT p.n, p.bits, s.bits FROM attr_posting p LEFT JOIN attr_set s ON s.id = p.bits \
                   WHERE p.definition = +?1 AND p.key = +?2 AND p.chunk = +?3";
        let written = self.prepare(sql)?.query_row(params![place.definition.get(), place.key.as_bytes(), place.chunk], |row| {
            let count: i64 = row.get(0)?;
            Ok(match row.get_ref(1)? {
                ValueRef::Integer(id) => {
                    Written { count, apart: Some(id), bits: row.get::<_, Option<_>>(2)?.unwrap_or_default() }
                }
                bits => Written { count, apart: None, bits: bits.as_blob()?.into() },
            })
        });
        written.optional().map_err(reading)
    }

    /// Writes who is at a place, whoever was there.
    pub(super) fn put(&mut self, place: &Place, holders: &Holders) -> Result<()> {
        let before = self.row_at(place)?;
        let bits = holders.to_bytes()?;
        if before.as_ref().is_some_and(|before| u64::try_from(before.count) == Ok(holders.len()) && before.bits == bits) {
            return Ok(());
        }
        self.write(place, before.and_then(|before| before.apart), holders.len(), bits)
    }

    /// Writes a set at a place where another may stand apart.
    fn write(&mut self, place: &Place, apart: Option<i64>, count: u64, bits: Vec<u8>) -> Result<()> {
        let count = i64::try_from(count).map_err(|_| Error::corrupt("a set of an index is out of bounds"))?;
        let bits = if bits.len() > MAX_WITHIN {
            Sql::Integer(self.write_apart(apart, &bits)?)
        } else {
            self.take_out_apart(apart)?;
            Sql::Blob(bits)
        };
        let sql = "INSERT INTO attr_posting (definition, key, chunk, n, bits) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT DO UPDATE SET n = excluded.n, bits = excluded.bits";
        self.execute(sql, params![place.definition.get(), place.key.as_bytes(), place.chunk, count, bits])?;
        Ok(())
    }

    fn write_apart(&self, apart: Option<i64>, bits: &[u8]) -> Result<i64> {
        // With no id it gets the next; with one that has lost its row it comes back.
        let sql = "INSERT INTO attr_set (id, bits) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET bits = excluded.bits RETURNING id";
        self.prepare(sql)?.query_row(params![apart, bits], |row| row.get(0)).map_err(failed("writing an index"))
    }

    fn take_out_apart(&self, apart: Option<i64>) -> Result<()> {
        if apart.is_some() {
            self.execute("DELETE FROM attr_set WHERE id = ?1", [apart])?;
        }
        Ok(())
    }

    /// Leaves nobody at a place.
    pub(super) fn take_out(&mut self, place: &Place) -> Result<()> {
        let sql = "DELETE FROM attr_posting WHERE definition = ?1 AND key = ?2 AND chunk = ?3";
        self.take_out_apart(self.row_at(place)?.and_then(|before| before.apart))?;
        self.execute(sql, params![place.definition.get(), place.key.as_bytes(), place.chunk])?;
        Ok(())
    }

    /// Leaves no set that belongs to no place.
    pub(super) fn take_out_stray(&mut self) -> Result<()> {
        let sql = "DELETE FROM attr_set WHERE id NOT IN (SELECT bits FROM attr_posting WHERE typeof(bits) = 'integer')";
        self.execute(sql, [])?;
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
        let sets = "DELETE FROM attr_set WHERE id IN \
                    (SELECT bits FROM attr_posting WHERE definition = ?1 AND typeof(bits) = 'integer')";
        self.execute(sets, [definition.get()])?;
        self.execute("DELETE FROM attr_posting WHERE definition = ?1", [definition.get()])?;
        Ok(())
    }

    fn flip(&mut self, place: Place, added: &[u16], removed: &[u16]) -> Result<()> {
        if self.flip_one(&place, added, removed)? {
            return Ok(());
        }
        let before = self.row_at(&place)?;
        let apart = before.as_ref().and_then(|before| before.apart);
        let before = before.map(|before| Holders::from_bytes(size(before.count)?, &before.bits)).transpose()?;
        match Holders::flipped(before, added, removed) {
            Some(after) => self.write(&place, apart, after.len(), after.to_bytes()?),
            None => self.take_out(&place),
        }
    }
}
