//! What a commit changes in the index.

use roaring::RoaringBitmap;
use smallvec::SmallVec;

use crate::error::Result;
use crate::hash::HashMap;
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

/// How many places are gathered before they are written, and how many changes: a set that many of them change is written once.
const MAX_PLACES: usize = 1 << 17;
const MAX_FLIPS: usize = 1 << 22;

/// Who comes and who goes, where.
#[derive(Default)]
struct Flips {
    places: HashMap<Place, Flip>,
    count: usize,
}

#[derive(Default)]
struct Flip {
    added: SmallVec<[u16; 4]>,
    removed: SmallVec<[u16; 4]>,
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
        let flip = self.places.entry(Place { definition, key, chunk }).or_default();
        if comes {
            flip.added.push(low)
        } else {
            flip.removed.push(low)
        }
        self.count += 1;
    }

    fn write_if_many(&mut self, writer: &mut dyn IndexWriter) -> Result<()> {
        if self.places.len() < MAX_PLACES && self.count < MAX_FLIPS { Ok(()) } else { self.write(writer) }
    }

    /// Writes what there is, each place once, in their order: neighbours are written one behind the other.
    fn write(&mut self, writer: &mut dyn IndexWriter) -> Result<()> {
        let mut flips: Vec<_> = self.places.drain().collect();
        flips.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        self.count = 0;
        flips.into_iter().try_for_each(|(place, flip)| writer.flip(place, &flip.added, &flip.removed))
    }
}
