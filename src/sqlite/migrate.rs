//! Files that an older release wrote are brought up to date when they are opened for writing.

use std::collections::BTreeMap;
use std::sync::Arc;

use roaring::RoaringBitmap;
use rusqlite::{Connection, params};

use crate::error::{Error, Result};
use crate::index;
use crate::sqlite::failure::failed;
use crate::sqlite::names::{Named, Names};
use crate::sqlite::postings::PostingWriter;
use crate::sqlite::schema::{APPLICATION_ID, HORIZONS, INSTANTS, MARK, POSTINGS, VERSION};
use crate::sqlite::step::Step;
use crate::sqlite::tables::{Known, Tables};
use crate::sqlite::views;
use crate::store::each_record;

/// From version 4 to 5: definitions that were sensitive once, and are unmarked now, are noted as such, so that their values are
/// hidden and can be erased. From which others their values came is not known of those files.
const WAS_SENSITIVE: &str = r#"
UPDATE attr_definition SET spec = '{"lineage":{"was_sensitive":true},"spec":' || spec || '}'
WHERE json_extract(spec, '$.sensitive') IS NOT 1
  AND EXISTS (SELECT 1 FROM attr_past_definition p WHERE p.id = attr_definition.id AND json_extract(p.spec, '$.sensitive'));
UPDATE attr_past_definition SET spec = '{"lineage":{"was_sensitive":true},"spec":' || spec || '}'
WHERE json_extract(spec, '$.sensitive') IS NOT 1
  AND EXISTS (
    SELECT 1 FROM attr_past_definition p
    WHERE p.id = attr_past_definition.id AND p.ended < attr_past_definition.ended AND json_extract(p.spec, '$.sensitive'));
"#;

/// Brings an older file up to date, whole or not at all, and not if `check` refuses what it has become. A file that is not older
/// stays as it is, and is not checked.
pub(super) fn migrate(connection: &Connection, names: &Names, check: impl FnOnce() -> Result<()>) -> Result<()> {
    let named = Named { connection, names };
    let migrating = failed("bringing the tables up to date");
    let version = || named.query_row("SELECT schema FROM attr_state", [], |row| row.get::<_, i64>(0));
    if version().map_err(&migrating)? >= VERSION {
        return Ok(());
    }
    let step = Step::writing(connection).map_err(&migrating)?;
    // Another process may have been first.
    let found = version().map_err(&migrating)?;
    if found < 1 {
        return Err(Error::corrupt(format!("its tables are of version {found}, which never was")));
    }
    if found < 4 {
        // First: what the others know of the definitions has it.
        named.execute_batch(MARK).map_err(&migrating)?;
    }
    if found < 5 {
        named.execute_batch(WAS_SENSITIVE).map_err(&migrating)?;
    }
    if found < 2 {
        add_postings(named)?;
    }
    if found < 3 {
        named.execute_batch(HORIZONS).map_err(&migrating)?;
        views::add(named)?;
    } else {
        views::give_two_ids(named)?;
    }
    if found < 5 {
        named.execute_batch(INSTANTS).map_err(&migrating)?;
    }
    named.execute("UPDATE attr_state SET schema = ?1", [VERSION]).map_err(&migrating)?;
    let application: i32 = named.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(&migrating)?;
    if application == APPLICATION_ID {
        named.execute_batch(&format!("PRAGMA user_version = {VERSION}")).map_err(&migrating)?;
    }
    check()?;
    step.keep()
}

/// From version 1 to 2: an index of all values, instead of one of unique values.
fn add_postings(named: Named<'_>) -> Result<()> {
    let migrating = failed("making the index");
    let tables = "DROP TABLE attr_unique; ALTER TABLE attr_commit ADD COLUMN touched BLOB NOT NULL DEFAULT x''";
    named.execute_batch(tables).and_then(|()| named.execute_batch(POSTINGS)).map_err(migrating)?;
    let known = Arc::new(Known::load(named)?);
    let tables = Tables { connection: named.connection, names: named.names.clone(), known, keys: None };
    index::build_all(&tables, &mut PostingWriter::new(named))?;
    add_touched(&tables)
}

/// Each commit learns which entities it changed: those of which a value began or ended with it.
fn add_touched(tables: &Tables<&Connection>) -> Result<()> {
    let migrating = failed("collecting what each commit changed");
    let mut touched: BTreeMap<i64, RoaringBitmap> = BTreeMap::new();
    let mut commits = tables.prepare("SELECT id FROM attr_commit")?;
    for commit in commits.query_map([], |row| row.get(0)).map_err(&migrating)? {
        touched.insert(commit.map_err(&migrating)?, RoaringBitmap::new());
    }
    each_record(tables, None, |record| {
        for held in record.values() {
            add(&mut touched, held.modified.get().cast_signed(), record.ordinal().get());
        }
    })?;
    let mut past = tables.prepare("SELECT ordinal, modified, ended FROM attr_history")?;
    let mut rows = past.query([]).map_err(&migrating)?;
    while let Some(row) = rows.next().map_err(&migrating)? {
        let ordinal = row.get(0).map_err(&migrating)?;
        add(&mut touched, row.get(1).map_err(&migrating)?, ordinal);
        add(&mut touched, row.get(2).map_err(&migrating)?, ordinal);
    }
    let mut update = tables.prepare("UPDATE attr_commit SET touched = ?2 WHERE id = ?1")?;
    for (commit, touched) in touched {
        update.execute(params![commit, index::bitmap_to_bytes(touched)?]).map_err(&migrating)?;
    }
    Ok(())
}

fn add(touched: &mut BTreeMap<i64, RoaringBitmap>, commit: i64, ordinal: u32) {
    if let Some(touched) = touched.get_mut(&commit) {
        touched.insert(ordinal);
    }
}
