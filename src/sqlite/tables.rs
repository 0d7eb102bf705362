//! The tables as one connection sees them: what a snapshot reads, inside a transaction of readers or of the writer.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Deref};
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use serde::Deserialize;

use crate::clock::Instant;
use crate::error::{Error, Result};
use crate::hash::HashMap;
use crate::index::{self, Key, NO_DEFINITION, Postings};
use crate::model::{
    ByType, Catalog, CommitId, DataType, Definition, DefinitionId, DefinitionSpec, EntityKey, EntityRecord, EntityType, Held,
    Limits, Lineage, Ordinal, Revision, Stamp, Value,
};
use crate::sqlite::codec;
use crate::sqlite::failure::failed;
use crate::sqlite::keys::KeptKeys;
use crate::sqlite::names::{Named, Names};
use crate::sqlite::step::Step;
use crate::store::{
    BoundQuery, Commit, Explanation, Fault, Found, FoundKeys, Marks, OnProgress, Past, PastDefinition, Snapshot, Wanted,
};

/// What changes only with the catalog, and is kept between snapshots.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// Drawn anew with each change of the definitions: two may have the same revision, if the first was rolled back.
    pub(super) mark: i64,
    pub(super) catalog: Arc<Catalog>,
    pub(super) types: ByType<i64>,
    pub(super) type_names: HashMap<i64, EntityType>,
}

impl Known {
    /// Reads all of one instant, also where the caller has no transaction open: what is kept under a revision is of that revision.
    pub(super) fn load(connection: Named<'_>) -> Result<Self> {
        let reading = failed("reading the definitions");
        let _instant = Step::reading(connection.connection).map_err(&reading)?;
        let mut known = Self::default();
        let mut types = connection.prepare("SELECT id, name FROM attr_entity_type").map_err(&reading)?;
        let mut rows = types.query([]).map_err(&reading)?;
        while let Some(row) = rows.next().map_err(&reading)? {
            known.add_type(row.get(0).map_err(&reading)?, EntityType::new(&row.get::<_, String>(1).map_err(&reading)?)?);
        }
        let state = "SELECT catalog, last_definition, mark FROM attr_state";
        let state = connection.query_row(state, [], |row| Ok((id(row, 0)?, row.get(1)?, row.get(2)?)));
        let (revision, last, mark) = state.map_err(&reading)?;
        known.mark = mark;
        let mut select = connection.prepare(&format!("SELECT {DEFINITION} FROM attr_definition d {STAMPS}")).map_err(&reading)?;
        let mut rows = select.query([]).map_err(&reading)?;
        let mut definitions = Vec::new();
        while let Some(row) = rows.next().map_err(&reading)? {
            definitions.push(read_definition(row, &known.type_names)?);
        }
        known.catalog = Arc::new(Catalog::load(Revision::new(revision), DefinitionId::new(last), definitions)?);
        Ok(known)
    }

    /// Whether it is what a store knows that has this revision, and this mark.
    pub(super) fn is_of(&self, revision: i64, mark: i64) -> bool {
        self.mark == mark && self.catalog.revision() == Revision::new(revision.unsigned_abs())
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.mark == other.mark && self.catalog.revision() == other.catalog.revision()
    }

    pub(super) fn add_type(&mut self, number: i64, entity_type: EntityType) {
        *self.types.entry(&entity_type) = number;
        self.type_names.insert(number, entity_type);
    }

    /// A number that no row has stands for a type that has no definitions, and so no entities.
    pub(super) fn type_number(&self, entity_type: &EntityType) -> i64 {
        self.types.get(entity_type).copied().unwrap_or(-1)
    }
}

const DEFINITION: &str = "d.id, d.type, d.spec, c.id, c.at, c.actor, m.id, m.at, m.actor";
const STAMPS: &str = "JOIN attr_commit c ON c.id = d.created JOIN attr_commit m ON m.id = d.modified";

/// How the text of a definition begins that has a lineage; the others are the declaration alone.
pub(super) const LINEAGE: &str = "{\"lineage\":";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSpec {
    lineage: Lineage,
    spec: DefinitionSpec,
}

fn read_spec(text: &str) -> serde_json::Result<StoredSpec> {
    if text.starts_with(LINEAGE) {
        return serde_json::from_str(text);
    }
    Ok(StoredSpec { lineage: Lineage::default(), spec: serde_json::from_str(text)? })
}

fn read_definition(row: &Row<'_>, types: &HashMap<i64, EntityType>) -> Result<Definition> {
    let reading = failed("reading a definition");
    let number: u32 = row.get(0).map_err(&reading)?;
    let damaged = |source: Option<_>| Error::Corrupt { what: format!("definition {number} cannot be read"), source };
    let spec: String = row.get(2).map_err(&reading)?;
    let StoredSpec { lineage, spec } = read_spec(&spec).map_err(|error| damaged(Some(error.into())))?;
    let entity_type = types.get(&row.get(1).map_err(&reading)?).ok_or_else(|| damaged(None))?;
    let stamp = |first: usize| {
        let by: Option<Box<str>> = row.get(first + 2)?;
        let at = instant(row.get(first + 1)?);
        rusqlite::Result::Ok(Stamp { commit: CommitId::new(id(row, first)?), at, by: by.map(Arc::from) })
    };
    let (created, modified) = (stamp(3).map_err(&reading)?, stamp(6).map_err(&reading)?);
    let definition = Definition::new(DefinitionId::new(number), entity_type.clone(), spec, &Limits::typed());
    Ok(definition.map_err(|error| damaged(Some(error.into())))?.stamped(created, modified).with_lineage(lineage))
}

/// An id that is stored as an integer of SQLite, which has a sign.
fn id(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(index)?.unsigned_abs())
}

fn instant(micros: i64) -> Instant {
    Instant::from_timestamp_micros(micros).unwrap_or_default()
}

/// A version in history: `definition, created, modified, ended, data_type, value`.
fn read_past(row: &Row<'_>) -> Result<Past> {
    let reading = failed("reading history");
    let data_type: DataType = row.get::<_, String>(4).map_err(&reading)?.parse()?;
    let value = codec::from_sql(data_type, row.get_ref(5).map_err(&reading)?)?;
    let commit = |index| id(row, index).map(CommitId::new).map_err(&reading);
    let definition = DefinitionId::new(row.get(0).map_err(&reading)?);
    let held = Held { definition, value, created: commit(1)?, modified: commit(2)? };
    Ok(Past { held, ended: commit(3)? })
}

/// The tables within one transaction of one connection.
pub(super) struct Tables<C> {
    pub(super) connection: C,
    pub(super) names: Names,
    pub(super) known: Arc<Known>,
    /// None for the writer, who also sees what may never be committed.
    pub(super) keys: Option<Arc<KeptKeys>>,
}

/// What makes a record: `ordinal, revision, doc, meta` from this column on.
pub(super) fn read_record(catalog: &Catalog, key: EntityKey, row: &Row<'_>, first: usize) -> Result<Arc<EntityRecord>> {
    let reading = failed("reading an entity");
    let ordinal = Ordinal::new(row.get(first).map_err(&reading)?);
    let revision = Revision::new(id(row, first + 1).map_err(&reading)?);
    let doc = row.get_ref(first + 2).map_err(&reading)?.as_str().map_err(|error| damaged(&key, error))?;
    let meta = row.get_ref(first + 3).map_err(&reading)?.as_blob().map_err(|error| damaged(&key, error))?;
    let values = codec::read_values(catalog, doc, meta).map_err(|error| damaged(&key, error))?;
    Ok(Arc::new(EntityRecord::load(key, ordinal, revision, values)?))
}

pub(super) fn damaged(key: &EntityKey, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Corrupt { what: format!("{key} cannot be read"), source: Some(Box::new(source)) }
}

impl<C: Deref<Target = Connection>> Tables<C> {
    pub(super) fn named(&self) -> Named<'_> {
        Named { connection: &self.connection, names: &self.names }
    }

    pub(super) fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>> {
        self.named().prepare_cached(sql).map_err(failed("preparing a statement"))
    }

    /// Rows of `type, id, ordinal, revision, doc, meta`.
    fn records(&self, statement: &mut CachedStatement<'_>, params: impl rusqlite::Params) -> Result<Vec<Arc<EntityRecord>>> {
        let reading = failed("reading entities");
        let mut rows = statement.query(params).map_err(&reading)?;
        let mut records = Vec::new();
        while let Some(row) = rows.next().map_err(&reading)? {
            records.push(read_record(&self.known.catalog, self.entity_key(row)?, row, 2)?);
        }
        Ok(records)
    }

    /// The next records that meet a condition, by ordinal.
    fn page(
        &self,
        entity_type: Option<&EntityType>,
        after: Option<Ordinal>,
        limit: usize,
        condition: &str,
    ) -> Result<Vec<Arc<EntityRecord>>> {
        let after = after.unwrap_or_default().get();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        // The sign keeps SQLite from taking the index by type and id, and sorting.
        let of_type = if entity_type.is_some() { "AND +type = ?3" } else { "" };
        let mut select = self.prepare(&format!(
            "SELECT type, id, ordinal, revision, doc, meta FROM attr_entity \
             WHERE ordinal > ?1 {of_type} {condition} ORDER BY ordinal LIMIT ?2 + 0"
        ))?;
        match entity_type {
            Some(entity_type) => self.records(&mut select, params![after, limit, self.known.type_number(entity_type)]),
            None => self.records(&mut select, params![after, limit]),
        }
    }

    /// What is in the first two columns: the number of the type, and the id.
    pub(super) fn entity_key(&self, row: &Row<'_>) -> Result<EntityKey> {
        let reading = failed("reading the key of an entity");
        let number: i64 = row.get(0).map_err(&reading)?;
        let entity_type = self.known.type_names.get(&number);
        let entity_type = entity_type.ok_or_else(|| Error::corrupt(format!("an entity has the unknown type {number}")))?;
        Ok(EntityKey::of(entity_type.clone(), codec::id_from_sql(row.get_ref(1).map_err(&reading)?)?))
    }

    fn mark(&self, sql: &str) -> Result<i64> {
        let last: Option<i64> = self.prepare(sql)?.query_row([], |row| row.get(0)).map_err(failed("reading the last id"))?;
        Ok(last.unwrap_or_default())
    }
}

impl<C: Deref<Target = Connection>> Snapshot for Tables<C> {
    fn catalog(&self) -> Result<Arc<Catalog>> {
        Ok(Arc::clone(&self.known.catalog))
    }

    fn marks(&self) -> Result<Marks> {
        let commit = CommitId::new(self.mark("SELECT max(id) FROM attr_commit")?.unsigned_abs());
        let last = "SELECT max(last_ordinal, coalesce((SELECT max(ordinal) FROM attr_entity), 0)) FROM attr_state";
        let ordinal = u32::try_from(self.mark(last)?);
        let ordinal = ordinal.map_err(|_| Error::corrupt("an ordinal is out of bounds"))?;
        Ok(Marks { commit, ordinal: Ordinal::new(ordinal) })
    }

    fn read(&self, entities: &[EntityKey]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        let reading = failed("reading an entity");
        let mut select = self.prepare("SELECT ordinal, revision, doc, meta FROM attr_entity WHERE type = ?1 AND id = ?2")?;
        let mut one = |key: &EntityKey| {
            let number = self.known.type_number(key.entity_type());
            let mut rows = select.query(params![number, codec::id_to_sql(key.id())]).map_err(&reading)?;
            let row = rows.next().map_err(&reading)?;
            row.map(|row| read_record(&self.known.catalog, key.clone(), row, 0)).transpose()
        };
        entities.iter().map(&mut one).collect()
    }

    fn written(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        self.page(entity_type, after, limit, "")
    }

    fn scan(&self, entity_type: Option<&EntityType>, after: Option<Ordinal>, limit: usize) -> Result<Vec<Arc<EntityRecord>>> {
        self.page(entity_type, after, limit, "AND doc <> '{}'")
    }

    fn touched(&self, commit: CommitId) -> Result<Vec<Ordinal>> {
        let reading = failed("reading a commit");
        let Ok(number) = i64::try_from(commit.get()) else { return Ok(Vec::new()) };
        let mut select = self.prepare("SELECT touched FROM attr_commit WHERE id = ?1")?;
        let mut rows = select.query([number]).map_err(&reading)?;
        let Some(row) = rows.next().map_err(&reading)? else { return Ok(Vec::new()) };
        codec::read_touched(row.get_ref(0).and_then(|touched| Ok(touched.as_blob()?)).map_err(&reading)?)
    }

    fn commits(&self, ids: &[CommitId]) -> Result<Vec<Option<Commit>>> {
        let mut select = self.prepare("SELECT at, actor, note FROM attr_commit WHERE id = ?1")?;
        let mut one = |id: &CommitId| {
            let Ok(number) = i64::try_from(id.get()) else { return Ok(None) };
            let commit = select.query_row([number], |row| {
                let (actor, note): (Option<Box<str>>, Option<Box<str>>) = (row.get(1)?, row.get(2)?);
                Ok(Commit { id: *id, at: instant(row.get(0)?), actor: actor.map(Arc::from), note: note.map(Arc::from) })
            });
            commit.optional().map_err(failed("reading a commit"))
        };
        ids.iter().map(&mut one).collect()
    }

    fn history(&self, entity: &EntityKey) -> Result<Vec<Past>> {
        let reading = failed("reading history");
        let mut select = self.prepare(
            "SELECT h.definition, h.created, h.modified, h.ended, h.data_type, h.value FROM attr_history h \
             JOIN attr_entity e USING (ordinal) WHERE e.type = +?1 AND e.id = +?2 ORDER BY h.ended, h.definition",
        )?;
        let number = self.known.type_number(entity.entity_type());
        let mut rows = select.query(params![number, codec::id_to_sql(entity.id())]).map_err(&reading)?;
        let mut history = Vec::new();
        while let Some(row) = rows.next().map_err(&reading)? {
            history.push(read_past(row)?);
        }
        Ok(history)
    }

    fn histories(&self, after: Option<Ordinal>, limit: usize) -> Result<Vec<(Ordinal, Vec<Past>)>> {
        let reading = failed("reading history");
        let mut select = self.prepare(
            "SELECT definition, created, modified, ended, data_type, value, ordinal FROM attr_history \
             WHERE ordinal > ?1 ORDER BY ordinal, ended, definition",
        )?;
        let mut rows = select.query([after.unwrap_or_default().get()]).map_err(&reading)?;
        let mut histories: Vec<(Ordinal, Vec<Past>)> = Vec::new();
        while let Some(row) = rows.next().map_err(&reading)? {
            let ordinal = Ordinal::new(row.get(6).map_err(&reading)?);
            let begun = histories.len();
            match histories.last_mut() {
                Some((last, past)) if *last == ordinal => past.push(read_past(row)?),
                _ if begun == limit => break,
                _ => histories.push((ordinal, vec![read_past(row)?])),
            }
        }
        Ok(histories)
    }

    fn horizons(&self) -> Result<BTreeMap<DefinitionId, CommitId>> {
        let reading = failed("reading how far history reaches back");
        let mut select = self.prepare("SELECT definition, until FROM attr_horizon")?;
        let horizons =
            select.query_map([], |row| Ok((DefinitionId::new(row.get(0)?), CommitId::new(id(row, 1)?)))).map_err(&reading)?;
        horizons.collect::<rusqlite::Result<_>>().map_err(reading)
    }

    fn past_definitions(&self, definition: DefinitionId) -> Result<Vec<PastDefinition>> {
        let reading = failed("reading the history of a definition");
        let sql = format!("SELECT {DEFINITION}, d.ended FROM attr_past_definition d {STAMPS} WHERE d.id = +?1 ORDER BY d.ended");
        let mut select = self.prepare(&sql)?;
        let mut rows = select.query([definition.get()]).map_err(&reading)?;
        let mut past = Vec::new();
        while let Some(row) = rows.next().map_err(&reading)? {
            let definition = Arc::new(read_definition(row, &self.known.type_names)?);
            past.push(PastDefinition { definition, ended: CommitId::new(id(row, 9).map_err(&reading)?) });
        }
        Ok(past)
    }

    fn locate(&self, ordinals: &[Ordinal]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        let mut select =
            self.prepare("SELECT type, id, ordinal, revision, doc, meta FROM attr_entity WHERE ordinal = ?1 AND doc <> '{}'")?;
        let mut one = |ordinal: &Ordinal| Ok(self.records(&mut select, [ordinal.get()])?.pop());
        ordinals.iter().map(&mut one).collect()
    }

    fn holders(&self, values: &[(DefinitionId, &Value)]) -> Result<Vec<Option<Ordinal>>> {
        values.iter().map(|(definition, value)| index::holder(self, *definition, value)).collect()
    }

    fn usage(&self, definition: DefinitionId) -> Result<u64> {
        index::usage(self, definition)
    }

    fn count(&self, entity_type: &EntityType) -> Result<u64> {
        self.total(NO_DEFINITION, &Key::of_type(entity_type).only())
    }

    fn find(&self, query: &BoundQuery) -> Result<Found> {
        index::find(self, query)
    }

    fn find_keys(&self, query: &BoundQuery) -> Result<FoundKeys> {
        index::find_keys(self, query)
    }

    fn count_wanted(&self, wanted: &Wanted) -> Result<u64> {
        index::count(self, wanted)
    }

    fn tally(&self, wanted: &Wanted, definition: DefinitionId) -> Result<Vec<(Value, u64)>> {
        index::tally(self, wanted, definition)
    }

    fn explain(&self, query: &BoundQuery) -> Result<Explanation> {
        index::explain(self, query)
    }

    fn verify_index(&self, report: &mut dyn FnMut(Fault) -> ControlFlow<()>, progress: &mut OnProgress<'_>) -> Result<()> {
        index::verify(self, report, progress)
    }
}
