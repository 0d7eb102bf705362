//! The tables as one connection sees them: what a snapshot reads, inside a transaction of readers or of the writer.

use std::collections::{BTreeMap, BTreeSet};
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
use crate::sqlite::column::Columns;
use crate::sqlite::failure::failed;
use crate::sqlite::keys::KeptKeys;
use crate::sqlite::names::{Named, Names};
use crate::sqlite::step::Step;
use crate::store::{
    BoundQuery, Commit, Explanation, Fault, Found, FoundKeys, Marks, OnProgress, Past, PastDefinition, Snapshot, Touched, Wanted,
    present,
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
            let name: String = row.get(1).map_err(&reading)?;
            let entity_type = EntityType::new(&name);
            let unknown =
                |error: Error| Error::Corrupt { what: format!("{name:?} is no entity type"), source: Some(error.into()) };
            known.add_type(row.get(0).map_err(&reading)?, entity_type.map_err(unknown)?);
        }
        let state = State::read(connection)?;
        known.mark = state.mark;
        let mut select = connection.prepare(&format!("SELECT {DEFINITION} FROM attr_definition d {STAMPS}")).map_err(&reading)?;
        let mut rows = select.query([]).map_err(&reading)?;
        let mut definitions = Vec::new();
        while let Some(row) = rows.next().map_err(&reading)? {
            definitions.push(read_definition(row, &known.type_names, None)?);
        }
        state.check(&definitions)?;
        known.catalog = Arc::new(Catalog::load(state.catalog, state.last_definition, definitions)?);
        Ok(known)
    }

    /// Whether it is what a store knows that has this revision, and this mark.
    pub(super) fn is_of(&self, revision: i64, mark: i64) -> bool {
        self.mark == mark && u64::try_from(revision) == Ok(self.catalog.revision().get())
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

/// What the row of state says of definitions, and what bounds that.
struct State {
    catalog: Revision,
    last_definition: DefinitionId,
    mark: i64,
    rows: i64,
    last_commit: CommitId,
    /// The greatest id of a definition that was changed or deleted.
    last_past: i64,
    first_past: i64,
}

impl State {
    fn read(connection: Named<'_>) -> Result<Self> {
        let reading = failed("reading the state of the store");
        let sql = "SELECT catalog, last_definition, mark, (SELECT count(*) FROM attr_state), \
                   coalesce((SELECT max(id) FROM attr_commit), 0), coalesce((SELECT max(id) FROM attr_past_definition), 0), \
                   coalesce((SELECT min(id) FROM attr_past_definition), 1) \
                   FROM attr_state";
        let mut select = connection.prepare(sql).map_err(&reading)?;
        let mut rows = select.query([]).map_err(&reading)?;
        let row = rows.next().map_err(&reading)?.ok_or_else(|| Error::corrupt("the state of the store is missing"))?;
        let columns = Columns::new(row, "the state of the store");
        let last = columns.get::<i64>(1)?;
        let last_definition = u32::try_from(last).ok().map(DefinitionId::new).filter(|last| *last <= DefinitionId::MAX);
        Ok(Self {
            catalog: columns.catalog_revision(0)?,
            last_definition: last_definition
                .ok_or_else(|| Error::corrupt(format!("the last definition id, {last}, is out of bounds")))?,
            mark: columns.get(2)?,
            rows: columns.get(3)?,
            last_commit: columns.last_commit(4)?,
            last_past: columns.get(5)?,
            first_past: columns.get(6)?,
        })
    }

    /// Its counters are checked against the rows. A commit moves the revision of the catalog at most once, and every commit that
    /// made or changed a definition moved it.
    fn check(&self, definitions: &[Definition]) -> Result<()> {
        let Self { catalog, last_definition, rows, last_commit, last_past, first_past, .. } = self;
        if *rows != 1 {
            return Err(Error::corrupt(format!("the state of the store has {rows} rows, and must have one")));
        }
        let moved: BTreeSet<CommitId> = definitions.iter().map(|definition| definition.modified().commit).collect();
        if catalog.get() > last_commit.get() || catalog.get() < moved.len() as u64 {
            return Err(Error::corrupt(format!(
                "the catalog revision {catalog} does not go with {last_commit} commits, of which {} changed definitions",
                moved.len()
            )));
        }
        if *first_past < 1 || *last_past > i64::from(last_definition.get()) {
            return Err(Error::corrupt(format!(
                "the last definition id is {last_definition}, and definitions {first_past} to {last_past} are in history"
            )));
        }
        Ok(())
    }
}

const DEFINITION: &str = "d.id, d.type, d.spec, d.created, c.at, c.actor, d.modified, m.at, m.actor";
const STAMPS: &str = "LEFT JOIN attr_commit c ON c.id = d.created LEFT JOIN attr_commit m ON m.id = d.modified";

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

/// A definition from the columns of [`DEFINITION`]; `ended` is the column of the commit that ended it.
fn read_definition(row: &Row<'_>, types: &HashMap<i64, EntityType>, ended: Option<usize>) -> Result<Definition> {
    let columns = Columns::new(row, "a definition");
    let id = columns.definition(0)?;
    let damaged = |source: Option<_>| Error::Corrupt { what: format!("definition {id} cannot be read"), source };
    let spec: String = columns.get(2)?;
    let StoredSpec { lineage, spec } = read_spec(&spec).map_err(|error| damaged(Some(error.into())))?;
    let entity_type = types.get(&columns.get(1)?).ok_or_else(|| damaged(None))?;
    let life = columns.life([3, 6], ended)?;
    let stamp = |commit: CommitId, first: usize| {
        if columns.get::<Option<i64>>(first)?.is_none() {
            return Err(Error::corrupt(format!("commit {commit}, which definition {id} names, is missing")));
        }
        let by: Option<Box<str>> = columns.get(first + 1)?;
        Ok(Stamp { commit, at: columns.instant(first)?, by: by.map(Arc::from) })
    };
    let (created, modified) = (stamp(life.created, 4)?, stamp(life.modified, 7)?);
    let definition = Definition::new(id, entity_type.clone(), spec, &Limits::typed());
    Ok(definition.map_err(|error| damaged(Some(error.into())))?.stamped(created, modified).with_lineage(lineage))
}

/// A version in history: `definition, created, modified, ended, data_type, value`.
fn read_past(row: &Row<'_>) -> Result<Past> {
    let columns = Columns::new(row, "a value in history");
    let data_type: String = columns.get(4)?;
    let data_type: DataType = data_type.parse().map_err(|error: Error| Error::Corrupt {
        what: format!("history has a value of the type {data_type:?}"),
        source: Some(error.into()),
    })?;
    let value = codec::from_sql(data_type, row.get_ref(5).map_err(failed("reading history"))?)?;
    let life = columns.life([1, 2], Some(3))?;
    let held = Held { definition: columns.definition(0)?, value, created: life.created, modified: life.modified };
    Ok(Past { held, ended: life.ended.unwrap_or_default() })
}

/// The first ordinal of a scan. Rows before the first possible ordinal are read as well, so that they are noticed.
fn first_after(after: Option<Ordinal>) -> i64 {
    after.map_or(i64::MIN, |after| i64::from(after.get()) + 1)
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
    let columns = Columns::new(row, "an entity");
    let (ordinal, revision) = (columns.ordinal(first)?, columns.revision(first + 1)?);
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
        let first = first_after(after);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        // The sign keeps SQLite from taking the index by type and id, and sorting.
        let of_type = if entity_type.is_some() { "AND +type = ?3" } else { "" };
        let mut select = self.prepare(&format!(
            "SELECT type, id, ordinal, revision, doc, meta FROM attr_entity \
             WHERE ordinal >= ?1 {of_type} {condition} ORDER BY ordinal LIMIT ?2 + 0"
        ))?;
        match entity_type {
            Some(entity_type) => self.records(&mut select, params![first, limit, self.known.type_number(entity_type)]),
            None => self.records(&mut select, params![first, limit]),
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

    /// Rows of [`DEFINITION`] and the commit that ended each version.
    fn read_past_definitions(&self, sql: &str, params: impl rusqlite::Params, past: &mut Vec<PastDefinition>) -> Result<()> {
        let reading = failed("reading the history of definitions");
        let mut select = self.prepare(sql)?;
        let mut rows = select.query(params).map_err(&reading)?;
        while let Some(row) = rows.next().map_err(&reading)? {
            let definition = Arc::new(read_definition(row, &self.known.type_names, Some(9))?);
            past.push(PastDefinition { definition, ended: Columns::new(row, "a definition").commit(9)? });
        }
        Ok(())
    }

    /// The last commit and its instant, checked against the one before it, which must be there.
    fn last_commit(&self) -> Result<Option<(CommitId, Instant)>> {
        let reading = failed("reading the last commit");
        let mut select =
            self.prepare("SELECT id, at, (SELECT min(id) FROM attr_commit) FROM attr_commit ORDER BY id DESC LIMIT 2")?;
        let mut rows = select.query([]).map_err(&reading)?;
        let Some(row) = rows.next().map_err(&reading)? else { return Ok(None) };
        let columns = Columns::new(row, "the last commit");
        let (last, at, first) = (columns.commit(0)?, columns.instant(1)?, columns.commit(2)?);
        let before = rows.next().map_err(&reading)?.map(|row| Columns::new(row, "a commit").commit(0)).transpose()?;
        if first.get() != 1 || before.unwrap_or_default().get() + 1 != last.get() {
            return Err(Error::corrupt(format!("commits before the last, {last}, are missing")));
        }
        Ok(Some((last, at)))
    }

    /// The last ordinal that was given out, and the last commit that is earlier than the one before it.
    fn last_ordinal(&self) -> Result<(Ordinal, CommitId)> {
        let reading = failed("reading the last ordinal");
        let mut select = self.prepare(
            "SELECT last_ordinal, coalesce((SELECT max(ordinal) FROM attr_entity), 0), unordered, \
             coalesce((SELECT min(ordinal) FROM attr_entity), 1) FROM attr_state",
        )?;
        let mut rows = select.query([]).map_err(&reading)?;
        let row = rows.next().map_err(&reading)?.ok_or_else(|| Error::corrupt("the state of the store is missing"))?;
        let columns = Columns::new(row, "the state of the store");
        columns.ordinal(3)?;
        Ok((columns.last_ordinal(0)?.max(columns.last_ordinal(1)?), columns.last_commit(2)?))
    }
}

impl<C: Deref<Target = Connection>> Snapshot for Tables<C> {
    fn catalog(&self) -> Result<Arc<Catalog>> {
        Ok(Arc::clone(&self.known.catalog))
    }

    fn marks(&self) -> Result<Marks> {
        let (commit, at) = self.last_commit()?.unzip();
        let (commit, (ordinal, unordered)) = (commit.unwrap_or_default(), self.last_ordinal()?);
        if unordered > commit {
            return Err(Error::corrupt(format!(
                "commit {unordered} is not there, and is said to be earlier than the one before it"
            )));
        }
        Ok(Marks { commit, ordinal, at })
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
        self.page(entity_type, after, limit, "AND NOT (doc = '{}' AND meta = x'')")
    }

    fn touched(&self, commits: &[CommitId]) -> Result<Vec<Touched>> {
        let reading = failed("reading a commit");
        let mut select = self.prepare("SELECT touched FROM attr_commit WHERE id = ?1")?;
        let mut one = |commit: &CommitId| {
            let Ok(number) = i64::try_from(commit.get()) else { return Ok(Touched::default()) };
            let mut rows = select.query([number]).map_err(&reading)?;
            let Some(row) = rows.next().map_err(&reading)? else { return Ok(Touched::default()) };
            codec::read_touched(row.get_ref(0).and_then(|touched| Ok(touched.as_blob()?)).map_err(&reading)?)
        };
        commits.iter().map(&mut one).collect()
    }

    fn commits(&self, ids: &[CommitId]) -> Result<Vec<Option<Commit>>> {
        let reading = failed("reading a commit");
        let mut select = self.prepare("SELECT at, actor, note FROM attr_commit WHERE id = ?1")?;
        let mut one = |id: &CommitId| {
            let Ok(number) = i64::try_from(id.get()) else { return Ok(None) };
            let mut rows = select.query([number]).map_err(&reading)?;
            let Some(row) = rows.next().map_err(&reading)? else { return Ok(None) };
            let columns = Columns::new(row, "a commit");
            let (actor, note): (Option<Box<str>>, Option<Box<str>>) = (columns.get(1)?, columns.get(2)?);
            Ok(Some(Commit { id: *id, at: columns.instant(0)?, actor: actor.map(Arc::from), note: note.map(Arc::from) }))
        };
        ids.iter().map(&mut one).collect()
    }

    fn history(&self, entities: &[EntityKey]) -> Result<Vec<Vec<Past>>> {
        let reading = failed("reading history");
        let mut select = self.prepare(
            "SELECT h.definition, h.created, h.modified, h.ended, h.data_type, h.value FROM attr_history h \
             JOIN attr_entity e USING (ordinal) WHERE e.type = +?1 AND e.id = +?2 ORDER BY h.ended, h.definition",
        )?;
        let mut one = |entity: &EntityKey| {
            let number = self.known.type_number(entity.entity_type());
            let mut rows = select.query(params![number, codec::id_to_sql(entity.id())]).map_err(&reading)?;
            let mut history = Vec::new();
            while let Some(row) = rows.next().map_err(&reading)? {
                history.push(read_past(row)?);
            }
            Ok(history)
        };
        entities.iter().map(&mut one).collect()
    }

    fn histories(&self, after: Option<Ordinal>, limit: usize) -> Result<Vec<(Ordinal, Vec<Past>)>> {
        let reading = failed("reading history");
        let mut select = self.prepare(
            "SELECT definition, created, modified, ended, data_type, value, ordinal FROM attr_history \
             WHERE ordinal >= ?1 ORDER BY ordinal, ended, definition",
        )?;
        let mut rows = select.query([first_after(after)]).map_err(&reading)?;
        let mut histories: Vec<(Ordinal, Vec<Past>)> = Vec::new();
        while let Some(row) = rows.next().map_err(&reading)? {
            let ordinal = Columns::new(row, "a value in history").ordinal(6)?;
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
        let mut rows = select.query([]).map_err(&reading)?;
        let mut horizons = BTreeMap::new();
        while let Some(row) = rows.next().map_err(&reading)? {
            let columns = Columns::new(row, "a horizon of history");
            // A copy learns all horizons of its source with its first commit: it may not have reached them yet.
            horizons.insert(columns.definition(0)?, columns.commit(1)?);
        }
        Ok(horizons)
    }

    fn past_definitions(&self, definitions: Option<&[DefinitionId]>) -> Result<Vec<PastDefinition>> {
        let mut past = Vec::new();
        let Some(definitions) = definitions else {
            let sql = format!("SELECT {DEFINITION}, d.ended FROM attr_past_definition d {STAMPS} ORDER BY d.id, d.ended");
            self.read_past_definitions(&sql, [], &mut past)?;
            return Ok(past);
        };
        let sql = format!("SELECT {DEFINITION}, d.ended FROM attr_past_definition d {STAMPS} WHERE d.id = +?1 ORDER BY d.ended");
        for definition in definitions.iter().collect::<BTreeSet<_>>() {
            self.read_past_definitions(&sql, [definition.get()], &mut past)?;
        }
        Ok(past)
    }

    fn commit_at(&self, at: Instant) -> Result<CommitId> {
        let (last, unordered) = (self.last_commit()?.map_or(0, |(last, _)| last.get()), self.last_ordinal()?.1.get());
        let micros = at.timestamp_micros();
        let later = "SELECT id FROM attr_commit WHERE id <= ?1 AND at > ?2 ORDER BY id LIMIT 1";
        let later = self.prepare(later)?.query_row([unordered.cast_signed(), micros], |row| row.get::<_, i64>(0)).optional();
        if let Some(later) = later.map_err(failed("looking for a commit by its instant"))? {
            return u64::try_from(later - 1).map(CommitId::new).map_err(|_| Error::corrupt("a commit id is out of bounds"));
        }
        // From there on instants ascend.
        let (mut low, mut high) = (unordered.min(last), last);
        while low < high {
            let middle = [CommitId::new(low + (high - low).div_ceil(2))];
            let commit = present(&middle, self.commits(&middle)?)?;
            if commit.iter().all(|commit| commit.at <= at) { low = middle[0].get() } else { high = middle[0].get() - 1 }
        }
        Ok(CommitId::new(low))
    }

    fn locate(&self, ordinals: &[Ordinal]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
        let mut select = self.prepare("SELECT type, id, ordinal, revision, doc, meta FROM attr_entity WHERE ordinal = ?1")?;
        let mut one = |ordinal: &Ordinal| {
            let found = self.records(&mut select, [ordinal.get()])?.pop();
            match &found {
                Some(record) if record.ordinal() != *ordinal => Err(index::lost()),
                _ => Ok(found),
            }
        };
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
