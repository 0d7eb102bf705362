//! What a commit changes in the index.

use roaring::RoaringBitmap;

use crate::error::Result;
use crate::index::Key;
use crate::index::postings::{NO_DEFINITION, Place, split};
use crate::model::{Catalog, DefinitionId, EntityRecord, Ordinal, Value};
use crate::store::{Changes, RecordChange, Snapshot, each_record};

/// How a backend writes the index down.
pub(crate) trait IndexWriter {
    /// Nothing of this definition is kept any longer.
    fn forget(&mut self, definition: DefinitionId) -> Result<()>;

    /// Some come to hold a value, others hold it no longer.
    fn flip(&mut self, place: Place, added: &[u16], removed: &[u16]) -> Result<()>;
}

/// Writes down what the changes mean for the index. The snapshot is from before them.
pub(crate) fn write<S: Snapshot + ?Sized>(snapshot: &S, changes: &Changes, writer: &mut dyn IndexWriter) -> Result<()> {
    let catalog = snapshot.catalog()?;
    let (before, after) = changes.catalog.as_ref().map_or((&catalog, &catalog), |change| (&change.before, &change.after));
    let touched = changes.catalog.iter().flat_map(|change| &change.touched).copied();
    let (mut begun, mut ended) = (Vec::new(), Vec::new());
    for id in touched.filter(|id| before.get(*id).is_some()) {
        match (is_kept(before, id), is_kept(after, id)) {
            (true, false) => ended.push(id),
            (false, true) => begun.push(id),
            _ => {}
        }
    }
    for definition in &ended {
        writer.forget(*definition)?;
    }
    let mut flips = Flips::default();
    for record in &changes.records {
        flips.record(record, |id| is_kept(after, id) && !begun.contains(&id));
        flips.write_if_many(writer)?;
    }
    flips.write(writer)?;
    for definition in begun {
        build(snapshot, after, definition, &changes.records, writer)?;
    }
    Ok(())
}

fn is_kept(catalog: &Catalog, id: DefinitionId) -> bool {
    catalog.get(id).is_some_and(|definition| definition.is_searchable())
}

/// The keys under which an entity is found.
pub(super) fn keys_of<'a>(record: &'a EntityRecord, catalog: &'a Catalog) -> impl Iterator<Item = (DefinitionId, Key)> + 'a {
    let held = record.values().iter().filter(|held| is_kept(catalog, held.definition));
    let keys = held.flat_map(|held| [(held.definition, Key::any()), (held.definition, Key::of(&held.value))]);
    keys.chain([(NO_DEFINITION, Key::of_type(record.key().entity_type()))])
}

/// Takes in what all entities hold for a definition.
fn build<S: Snapshot + ?Sized>(
    snapshot: &S,
    catalog: &Catalog,
    definition: DefinitionId,
    changed: &[RecordChange],
    writer: &mut dyn IndexWriter,
) -> Result<()> {
    let Some(entity_type) = catalog.get(definition).map(|definition| definition.entity_type()) else { return Ok(()) };
    let mut flips = Flips::default();
    for change in changed {
        flips.hold(definition, change.after.value(definition), change.after.ordinal());
    }
    let passed_over: RoaringBitmap = changed.iter().map(|change| change.after.ordinal().get()).collect();
    let mut result = Ok(());
    each_record(snapshot, Some(entity_type), |record| {
        if result.is_ok() && !passed_over.contains(record.ordinal().get()) {
            flips.hold(definition, record.value(definition), record.ordinal());
            result = flips.write_if_many(writer);
        }
    })?;
    result?;
    flips.write(writer)
}

/// Takes in all entities, where there was no index.
#[cfg(feature = "sqlite")]
pub(crate) fn build_all<S: Snapshot + ?Sized>(snapshot: &S, writer: &mut dyn IndexWriter) -> Result<()> {
    let catalog = snapshot.catalog()?;
    let (mut flips, mut result) = (Flips::default(), Ok(()));
    each_record(snapshot, None, |record| {
        if result.is_ok() {
            for (definition, key) in keys_of(record, &catalog) {
                flips.push(definition, key, record.ordinal(), true);
            }
            result = flips.write_if_many(writer);
        }
    })?;
    result?;
    flips.write(writer)
}

/// How many changes are gathered before they are written: a set that many of them change is written once.
const GATHERED: usize = 1 << 17;

/// Who comes and who goes, where.
#[derive(Default)]
struct Flips {
    flips: Vec<(Place, u16, bool)>,
}

impl Flips {
    fn record(&mut self, change: &RecordChange, is_kept: impl Fn(DefinitionId) -> bool) {
        let ordinal = change.after.ordinal();
        let was_there = change.before.as_ref().is_some_and(|before| !before.is_empty());
        if was_there == change.after.is_empty() {
            self.push(NO_DEFINITION, Key::of_type(change.after.key().entity_type()), ordinal, !was_there);
        }
        let before = |id| change.before.as_ref().and_then(|before| before.value(id));
        for held in change.begun().filter(|held| is_kept(held.definition)) {
            let (key, was) = (Key::of(&held.value), before(held.definition).map(Key::of));
            if was.as_ref() == Some(&key) {
                continue;
            }
            match was {
                Some(was) => self.push(held.definition, was, ordinal, false),
                None => self.push(held.definition, Key::any(), ordinal, true),
            }
            self.push(held.definition, key, ordinal, true);
        }
        for held in change.ended().filter(|held| is_kept(held.definition)) {
            if change.after.get(held.definition).is_none() {
                self.push(held.definition, Key::any(), ordinal, false);
                self.push(held.definition, Key::of(&held.value), ordinal, false);
            }
        }
    }

    fn hold(&mut self, definition: DefinitionId, value: Option<&Value>, ordinal: Ordinal) {
        if let Some(value) = value {
            self.push(definition, Key::any(), ordinal, true);
            self.push(definition, Key::of(value), ordinal, true);
        }
    }

    fn push(&mut self, definition: DefinitionId, key: Key, ordinal: Ordinal, comes: bool) {
        let (chunk, low) = split(ordinal);
        self.flips.push((Place { definition, key, chunk }, low, comes));
    }

    fn write_if_many(&mut self, writer: &mut dyn IndexWriter) -> Result<()> {
        if self.flips.len() < GATHERED { Ok(()) } else { self.write(writer) }
    }

    /// Writes what there is, each place once.
    fn write(&mut self, writer: &mut dyn IndexWriter) -> Result<()> {
        self.flips.sort_unstable();
        let mut flips = self.flips.drain(..).peekable();
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        while let Some((place, low, comes)) = flips.next() {
            if comes {
                added.push(low);
            } else {
                removed.push(low);
            }
            if flips.peek().is_none_or(|(next, _, _)| *next != place) {
                writer.flip(place, &added, &removed)?;
                added.clear();
                removed.clear();
            }
        }
        Ok(())
    }
}
