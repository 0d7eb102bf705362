//! The index made anew from the records, in steps of which each is a transaction of its own.

use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension, params};

use crate::error::{Error, Result};
use crate::index::{Expected, Holders, Key, Place, Postings, is_supported, split};
use crate::model::{DefinitionId, Ordinal};
use crate::sqlite::failure::failed;
use crate::sqlite::names::Named;
use crate::sqlite::postings::PostingWriter;
use crate::sqlite::tables::Tables;
use crate::store::{OnProgress, Progress, scan_from};

/// How many places of the index a step looks at in search of what belongs to nobody.
const LOOKED_AT: usize = 20_000;

/// Where a rebuild stands: first each chunk is written from its records, then what nobody asked for is taken out.
enum Stage {
    Write(u16),
    TakeOut(Option<Place>),
}

/// Does one step within a transaction of its own, which is ended when the call returns.
pub(super) type InTransaction<'a> = dyn FnMut(&mut dyn FnMut(&Tables<&Connection>) -> Result<()>) -> Result<()> + 'a;

/// Does step after step until all is done, or the caller has enough; what was done stays done. Between two steps others
/// write, and keep right what is right already.
pub(super) fn rebuild(in_transaction: &mut InTransaction<'_>, progress: &mut OnProgress<'_>) -> Result<()> {
    let mut done = 0;
    loop {
        let (mut last, mut next) = (0, None);
        in_transaction(&mut |tables| {
            last = split(tables.last_record()?).0;
            next = match stage(tables.named())? {
                Stage::Write(chunk) => {
                    done = u64::from(chunk);
                    // The next chunk that has a record: most ordinals of a damaged file may have none.
                    let next = write_chunk(tables, chunk)?.filter(|next| chunk < *next && *next <= last);
                    Some(next.map_or(Stage::TakeOut(None), Stage::Write))
                }
                Stage::TakeOut(after) => {
                    done = done.max(u64::from(last) + 1);
                    take_out(tables, after.as_ref())?.map(|place| Stage::TakeOut(Some(place)))
                }
            };
            remember(tables.named(), next.as_ref())
        })?;
        done += 1;
        let steps = (u64::from(last) + 2).max(done + u64::from(next.is_some()));
        if progress(Progress::new(done, steps)).is_break() || next.is_none() {
            return Ok(());
        }
    }
}

fn stage(connection: Named<'_>) -> Result<Stage> {
    let sql = "SELECT next, definition, key, chunk FROM attr_rebuild";
    let found = connection.query_row(sql, [], |row| {
        let next: Option<u16> = row.get(0)?;
        let definition: Option<u32> = row.get(1)?;
        let place = match definition {
            Some(definition) => Some(Place {
                definition: DefinitionId::new(definition),
                key: Key::load(row.get_ref(2)?.as_blob()?),
                chunk: row.get(3)?,
            }),
            None => None,
        };
        Ok(next.map_or(Stage::TakeOut(place), Stage::Write))
    });
    Ok(found.optional().map_err(failed("making the index anew"))?.unwrap_or(Stage::Write(0)))
}

fn remember(connection: Named<'_>, stage: Option<&Stage>) -> Result<()> {
    let (next, place) = match stage {
        None => {
            let forgotten = connection.execute("DELETE FROM attr_rebuild", []);
            return forgotten.map(|_| ()).map_err(failed("making the index anew"));
        }
        Some(Stage::Write(chunk)) => (Some(*chunk), None),
        Some(Stage::TakeOut(place)) => (None, place.as_ref()),
    };
    let sql = "INSERT OR REPLACE INTO attr_rebuild (id, next, definition, key, chunk) VALUES (1, ?1, ?2, ?3, ?4)";
    let (definition, key) = (place.map(|place| place.definition.get()), place.map(|place| place.key.as_bytes()));
    let row = params![next, definition, key, place.map(|place| place.chunk)];
    connection.execute(sql, row).map(|_| ()).map_err(failed("making the index anew"))
}

/// Writes the places of one chunk, and returns the chunk of the next record, if there is one.
fn write_chunk(tables: &Tables<&Connection>, chunk: u16) -> Result<Option<u16>> {
    let (mut expected, mut next) = (Expected::default(), None);
    let before = Ordinal::new((u32::from(chunk) << 16).saturating_sub(1));
    scan_from(tables, None, Some(before), |record| {
        let found = split(record.ordinal()).0;
        if found != chunk {
            next = Some(found);
            return ControlFlow::Break(());
        }
        expected.add(record, &tables.known.catalog);
        ControlFlow::Continue(())
    })?;
    let mut writer = PostingWriter::new(tables.named());
    expected.into_places(chunk).try_for_each(|(place, holders)| writer.put(&place, &holders))?;
    Ok(next)
}

/// Takes out the places behind this one to which nobody belongs, and says where to go on.
fn take_out(tables: &Tables<&Connection>, after: Option<&Place>) -> Result<Option<Place>> {
    let mut places = Vec::new();
    tables.places_after(after, &mut |place| {
        places.push(place);
        Ok(if places.len() < LOOKED_AT { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    let mut writer = PostingWriter::new(tables.named());
    for place in &places {
        let holders = match tables.at(place) {
            Ok(holders) => holders.map(Holders::into_set).unwrap_or_default(),
            // All that somebody belongs to was written anew: it can be read.
            Err(Error::Corrupt { .. }) => roaring::RoaringBitmap::new(),
            Err(error) => return Err(error),
        };
        if !is_supported(tables, &tables.known.catalog, place, &holders)? {
            writer.take_out(place)?;
        }
    }
    if places.len() < LOOKED_AT {
        writer.take_out_stray()?;
        return Ok(None);
    }
    Ok(places.pop())
}
