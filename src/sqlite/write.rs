//! Writes a commit's changes down, inside the writer's transaction.

use std::sync::Arc;

use roaring::RoaringBitmap;
use rusqlite::{Connection, params};

use crate::error::{Error, Result};
use crate::index;
use crate::model::{Catalog, Definition, EntityType};
use crate::sqlite::codec;
use crate::sqlite::failure::failed;
use crate::sqlite::tables::Known;
use crate::store::{CatalogChange, Changes, Commit, RecordChange};

/// Stores all changes, and says what is known once they are committed.
pub(super) fn store(connection: &Connection, known: &Arc<Known>, changes: &Changes) -> Result<Arc<Known>> {
    let Changes { commit, catalog, records } = changes;
    let write = Write { connection, commit: signed(commit.id.get())? };
    write.commit(commit, changes.touched())?;
    let known = match catalog {
        Some(change) => Arc::new(write.catalog(known, change)?),
        None => Arc::clone(known),
    };
    write.records(&known, records)?;
    Ok(known)
}

/// SQLite's integers have a sign.
fn signed(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| Error::corrupt(format!("the number {number} is out of bounds")))
}

struct Write<'a> {
    connection: &'a Connection,
    commit: i64,
}

impl Write<'_> {
    fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<()> {
        let writing = failed("writing");
        self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).map_err(writing)?;
        Ok(())
    }

    fn commit(&self, commit: &Commit, touched: RoaringBitmap) -> Result<()> {
        let sql = "INSERT INTO attr_commit (id, at, actor, note, touched) VALUES (?1, ?2, ?3, ?4, ?5)";
        let (at, touched) = (commit.at.timestamp_micros(), index::bitmap_to_bytes(touched)?);
        self.execute(sql, params![self.commit, at, commit.actor.as_deref(), commit.note.as_deref(), touched])
    }

    fn catalog(&self, known: &Known, change: &CatalogChange) -> Result<Known> {
        let mut known = Known { catalog: Arc::clone(&change.after), ..known.clone() };
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
        let last = change.touched.iter().max().map_or(0, |id| id.get());
        self.execute("UPDATE attr_state SET catalog = ?1, last_definition = max(last_definition, ?2)", params![revision, last])?;
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
        let number = self.connection.last_insert_rowid();
        known.add_type(number, entity_type.clone());
        Ok(number)
    }

    fn records(&self, known: &Known, records: &[RecordChange]) -> Result<()> {
        let writing = failed("writing entities");
        let prepare = |sql| self.connection.prepare_cached(sql).map_err(&writing);
        let mut insert =
            prepare("INSERT INTO attr_entity (ordinal, type, id, revision, doc, meta) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        let mut update = prepare("UPDATE attr_entity SET revision = ?2, doc = ?3, meta = ?4 WHERE ordinal = ?1")?;
        let mut end = prepare(
            "INSERT INTO attr_history (ordinal, ended, definition, created, modified, data_type, value) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for change in records {
            let record = &change.after;
            let (ordinal, revision) = (record.ordinal().get(), signed(record.revision().get())?);
            let (doc, meta) = (codec::write_doc(record)?, codec::write_meta(record));
            let written = if change.before.is_some() {
                update.execute(params![ordinal, revision, doc, meta])
            } else {
                let number = known.type_number(record.key().entity_type());
                insert.execute(params![ordinal, number, codec::id_to_sql(record.key().id()), revision, doc, meta])
            };
            if written.map_err(&writing)? != 1 {
                return Err(Error::corrupt(format!("{} has lost its row", record.key())));
            }
            for held in change.ended() {
                let (created, modified) = (signed(held.created.get())?, signed(held.modified.get())?);
                let (data_type, value) = (held.value.data_type().as_str(), codec::to_sql(&held.value));
                let row = params![ordinal, self.commit, held.definition.get(), created, modified, data_type, value];
                end.execute(row).map_err(&writing)?;
            }
        }
        Ok(())
    }
}

fn spec(definition: &Definition) -> Result<String> {
    serde_json::to_string(definition.spec()).map_err(|error| Error::backend("writing a definition", error))
}
