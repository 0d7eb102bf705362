//! Writes a commit's changes down, inside the writer's transaction.

use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, params};

use crate::error::{Error, Result};
use crate::index;
use crate::model::{Catalog, CommitId, Definition, DefinitionId, EntityType, Ordinal};
use crate::sqlite::codec;
use crate::sqlite::column::MAX_COUNT;
use crate::sqlite::failure::failed;
use crate::sqlite::names::Named;
use crate::sqlite::postings::PostingWriter;
use crate::sqlite::tables::{Known, LINEAGE, Tables};
use crate::sqlite::views;
use crate::store::{CatalogChange, Changes, Commit, OnProgress, RecordChange, Removal, Touched, VersionId};

/// Stores all changes, whatever they mean for the index as well, and says what is known once they are committed.
pub(super) fn store(
    tables: &Tables<&Connection>,
    changes: &mut Changes<'_>,
    progress: &mut OnProgress<'_>,
) -> Result<Arc<Known>> {
    let connection = tables.named();
    let write = Write { connection, commit: signed(changes.commit.id.get())? };
    let known = match &changes.catalog {
        Some(change) => Arc::new(write.catalog(&tables.known, change)?),
        None => Arc::clone(&tables.known),
    };
    let mut postings = PostingWriter::new(connection);
    let mut index = index::Writing::begin(tables, changes, &mut postings, progress)?;
    let mut records = write.records(&known)?;
    let mut last = Ordinal::default();
    let touched = changes.each_record_with(tables, progress, &mut |change| {
        last = last.max(change.after.ordinal());
        index.record(&change)?;
        records.write(&change)
    })?;
    drop(records);
    index.finish()?;
    if let Some(last) = touched.last().filter(|touched| *touched > last) {
        write.give_out(last)?;
    }
    write.commit(&changes.commit, touched)?;
    if changes.is_told() {
        write.instants_go_back(&changes.commit)?;
    }
    changes.removals.iter().try_for_each(|removal| write.remove(removal))?;
    changes.horizons.iter().try_for_each(|(definition, until)| write.horizon(*definition, *until))?;
    Ok(known)
}

/// SQLite's integers have a sign.
fn signed(number: u64) -> Result<i64> {
    i64::try_from(number)
        .ok()
        .filter(|number| *number <= MAX_COUNT)
        .ok_or_else(|| Error::corrupt(format!("the number {number} is out of bounds")))
}

struct Write<'a> {
    connection: Named<'a>,
    commit: i64,
}

impl Write<'_> {
    fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<()> {
        let writing = failed("writing");
        self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).map_err(writing)?;
        Ok(())
    }

    fn commit(&self, commit: &Commit, touched: Touched) -> Result<()> {
        let sql = "INSERT INTO attr_commit (id, at, actor, note, touched) VALUES (?1, ?2, ?3, ?4, ?5)";
        let (at, touched) = (commit.at.timestamp_micros(), index::bitmap_to_bytes(touched.into_bitmap())?);
        self.execute(sql, params![self.commit, at, commit.actor.as_deref(), commit.note.as_deref(), touched])
    }

    /// A copied commit keeps its instant, and may be earlier than the one before it. A commit that was planned here never is.
    fn instants_go_back(&self, commit: &Commit) -> Result<()> {
        let sql = "UPDATE attr_state SET unordered = ?1 WHERE (SELECT at FROM attr_commit WHERE id = ?1 - 1) > ?2";
        self.execute(sql, [self.commit, commit.at.timestamp_micros()])
    }

    fn catalog(&self, known: &Known, change: &CatalogChange) -> Result<Known> {
        let mut known = known.clone();
        known.catalog = Arc::clone(&change.after);
        let defined = |catalog: &'_ Catalog| -> Vec<Arc<Definition>> {
            change.touched.iter().filter_map(|id| catalog.get(*id).cloned()).collect()
        };
        // All old rows go before the first new one comes: names may have changed places.
        for definition in defined(&change.before) {
            self.end_definition(&known, &definition)?;
        }
        for definition in defined(&change.after) {
            self.begin_definition(&mut known, &definition)?;
        }
        let revision = signed(change.after.revision().get())?;
        let last = change.after.last_id().get();
        let sql =
            "UPDATE attr_state SET catalog = ?1, last_definition = max(last_definition, ?2), mark = random() RETURNING mark";
        let update = self.connection.prepare_cached(sql);
        let mark = update.and_then(|mut update| update.query_row(params![revision, last], |row| row.get(0)));
        known.mark = mark.map_err(failed("writing"))?;
        views::follow(self.connection, &known, change)?;
        Ok(known)
    }

    fn end_definition(&self, known: &Known, definition: &Definition) -> Result<()> {
        self.execute(
            "INSERT INTO attr_past_definition (id, ended, type, spec, created, modified) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                definition.id().get(),
                self.commit,
                known.type_number(definition.entity_type()),
                spec(definition)?,
                signed(definition.created().commit.get())?,
                signed(definition.modified().commit.get())?,
            ],
        )?;
        self.execute("DELETE FROM attr_definition WHERE id = ?1", [definition.id().get()])
    }

    fn begin_definition(&self, known: &mut Known, definition: &Definition) -> Result<()> {
        let number = self.type_number(known, definition.entity_type())?;
        self.execute(
            "INSERT INTO attr_definition (id, type, key, spec, created, modified) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                definition.id().get(),
                number,
                definition.name().key(),
                spec(definition)?,
                signed(definition.created().commit.get())?,
                signed(definition.modified().commit.get())?,
            ],
        )
    }

    fn type_number(&self, known: &mut Known, entity_type: &EntityType) -> Result<i64> {
        if let Some(number) = known.types.get(entity_type) {
            return Ok(*number);
        }
        self.execute("INSERT INTO attr_entity_type (name) VALUES (?1)", [entity_type.as_str()])?;
        let number = self.connection.connection.last_insert_rowid();
        known.add_type(number, entity_type.clone());
        Ok(number)
    }

    fn records<'a>(&'a self, known: &'a Known) -> Result<Records<'a>> {
        let prepare = |sql| self.connection.prepare_cached(sql).map_err(failed("writing entities"));
        Ok(Records {
            known,
            commit: self.commit,
            insert: prepare("INSERT INTO attr_entity (ordinal, type, id, revision, doc, meta) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
            update: prepare("UPDATE attr_entity SET revision = ?2, doc = ?3, meta = ?4 WHERE ordinal = ?1")?,
            end: prepare(
                "INSERT INTO attr_history (ordinal, ended, definition, created, modified, data_type, value) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
        })
    }

    fn remove(&self, removal: &Removal) -> Result<()> {
        match removal {
            Removal::Entity { ordinal, .. } => {
                self.execute("DELETE FROM attr_history WHERE ordinal = ?1", [ordinal.get()])?;
                self.execute("DELETE FROM attr_entity WHERE ordinal = ?1", [ordinal.get()])?;
                self.give_out(*ordinal)
            }
            Removal::Value { ordinal, definition } => {
                let sql = "DELETE FROM attr_history WHERE ordinal = ?1 AND definition = ?2";
                self.execute(sql, [ordinal.get(), definition.get()])
            }
            Removal::Version(VersionId { ordinal, ended, definition }) => {
                let sql = "DELETE FROM attr_history WHERE ordinal = ?1 AND ended = ?2 AND definition = ?3";
                self.execute(sql, params![ordinal.get(), signed(ended.get())?, definition.get()])
            }
        }
    }

    /// The ordinal is not given out again, whether an entity has it or not.
    fn give_out(&self, ordinal: Ordinal) -> Result<()> {
        self.execute("UPDATE attr_state SET last_ordinal = max(last_ordinal, ?1)", [ordinal.get()])
    }

    fn horizon(&self, definition: DefinitionId, until: CommitId) -> Result<()> {
        let sql = "INSERT INTO attr_horizon (definition, until) VALUES (?1, ?2) \
                   ON CONFLICT DO UPDATE SET until = max(until, excluded.until)";
        self.execute(sql, params![definition.get(), signed(until.get())?])
    }
}

/// Writes the rows of entities, and of what they held.
struct Records<'a> {
    known: &'a Known,
    commit: i64,
    insert: CachedStatement<'a>,
    update: CachedStatement<'a>,
    end: CachedStatement<'a>,
}

impl Records<'_> {
    fn write(&mut self, change: &RecordChange) -> Result<()> {
        let writing = failed("writing entities");
        let record = &change.after;
        let (ordinal, revision) = (record.ordinal().get(), signed(record.revision().get())?);
        let (doc, meta) = (codec::write_doc(record)?, codec::write_meta(record));
        let written = if change.before.is_some() {
            self.update.execute(params![ordinal, revision, doc, meta])
        } else {
            let number = self.known.type_number(record.key().entity_type());
            self.insert.execute(params![ordinal, number, codec::id_to_sql(record.key().id()), revision, doc, meta])
        };
        let is_twice = |error: &rusqlite::Error| error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation);
        if change.before.is_none() && written.as_ref().is_err_and(is_twice) {
            return Err(change.is_held_already());
        }
        if written.map_err(&writing)? != 1 {
            return Err(Error::corrupt(format!("{} has lost its row", record.key())));
        }
        for held in change.past() {
            let (created, modified) = (signed(held.created.get())?, signed(held.modified.get())?);
            let (data_type, value) = (held.value.data_type().as_str(), codec::to_sql(&held.value));
            let row = params![ordinal, self.commit, held.definition.get(), created, modified, data_type, value];
            self.end.execute(row).map_err(&writing)?;
        }
        Ok(())
    }
}

/// The declaration; beside it, in an object around both, the lineage if there is one.
fn spec(definition: &Definition) -> Result<String> {
    let spec = serde_json::to_string(definition.spec());
    let lineage = definition.lineage().map(serde_json::to_string).transpose();
    let failed = |error| Error::backend("writing a definition", error);
    let (spec, lineage) = (spec.map_err(failed)?, lineage.map_err(failed)?);
    Ok(lineage.map_or_else(|| spec.clone(), |lineage| format!("{LINEAGE}{lineage},\"spec\":{spec}}}")))
}
