//! What a commit changes in the index.

use std::ops::ControlFlow;
use std::sync::Arc;

use roaring::RoaringBitmap;
use smallvec::SmallVec;

use crate::error::Result;
use crate::hash::HashMap;
use crate::index::Key;
use crate::index::postings::{NO_DEFINITION, Place, split};
use crate::model::{Catalog, DefinitionId, EntityRecord, EntityType, Ordinal, Value};
use crate::store::{Changes, OnProgress, RecordChange, Snapshot, scan_from, tell};

/// How a backend writes the index down.
pub(crate) trait IndexWriter {
    /// Nothing of this definition is kept any longer.
    fn forget(&mut self, definition: DefinitionId) -> Result<()>;

    /// Some come to hold a value, others hold it no longer.
    fn flip(&mut self, place: Place, added: &[u16], removed: &[u16]) -> Result<()>;
}

/// The index of a commit that is being written.
pub(crate) struct Writing<'a> {
    after: Arc<Catalog>,
    /// Definitions that were not searchable before: their index is made as a whole.
    begun: Vec<DefinitionId>,
    flips: Flips,
    writer: &'a mut dyn IndexWriter,
}

impl<'a> Writing<'a> {
    /// Writes what changed definitions ask for. The snapshot is from before the changes, of which none is stored yet.
    pub(crate) fn begin<S: Snapshot + ?Sized>(
        snapshot: &S,
        changes: &Changes<'_>,
        writer: &'a mut dyn IndexWriter,
        progress: &mut OnProgress<'_>,
    ) -> Result<Self> {
        let catalog = snapshot.catalog()?;
        let (before, after) = changes.catalog.as_ref().map_or((&catalog, &catalog), |change| (&change.before, &change.after));
        let touched = changes.catalog.iter().flat_map(|change| &change.touched).copied();
        let mut begun = Vec::new();
        for id in touched.filter(|id| before.get(*id).is_some()) {
            match (before.is_searchable(id), after.is_searchable(id)) {
                (true, false) => writer.forget(id)?,
                (false, true) => begun.push(id),
                _ => {}
            }
        }
        for definition in &begun {
            build(snapshot, after, *definition, changes, writer, progress)?;
        }
        if changes.is_told() {
            // It was built from what was there; what comes of the records is still to come.
            begun.clear();
        }
        Ok(Self { after: Arc::clone(after), begun, flips: Flips::default(), writer })
    }

    pub(crate) fn record(&mut self, change: &RecordChange) -> Result<()> {
        let Self { after, begun, flips, writer } = self;
        flips.record(change, |id| after.is_searchable(id) && !begun.contains(&id));
        flips.write_if_many(&mut **writer)
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        self.flips.write(self.writer)
    }
}

/// The keys under which an entity is found.
pub(super) fn keys_of<'a>(record: &'a EntityRecord, catalog: &'a Catalog) -> impl Iterator<Item = (DefinitionId, Key)> + 'a {
    let held = record.values().iter().filter(|held| catalog.is_searchable(held.definition));
    let keys = held.flat_map(|held| [(held.definition, Key::any()), (held.definition, Key::of(&held.value))]);
    keys.chain([(NO_DEFINITION, Key::of_type(record.key().entity_type()))])
}

/// Takes in what all entities hold for a definition when the changes are done.
fn build<S: Snapshot + ?Sized>(
    snapshot: &S,
    catalog: &Catalog,
    definition: DefinitionId,
    changes: &Changes<'_>,
    writer: &mut dyn IndexWriter,
    progress: &mut OnProgress<'_>,
) -> Result<()> {
    let Some(entity_type) = catalog.get(definition).map(|definition| definition.entity_type()) else { return Ok(()) };
    let named = changes.named();
    let passed_over: RoaringBitmap = named.iter().map(|change| change.after.ordinal().get()).collect();
    let mut flips = Flips::default();
    for change in named {
        flips.hold(definition, change.after.value(definition), change.after.ordinal());
    }
    let (mut done, total) = (0, snapshot.count(entity_type)?);
    take_in(snapshot, Some(entity_type), flips, writer, |record, flips| {
        if !passed_over.contains(record.ordinal().get()) {
            let swept = changes.swept(record).map(|change| change.after);
            flips.hold(definition, swept.as_ref().unwrap_or(record).value(definition), record.ordinal());
        }
        done += 1;
        if done % TOLD == 0 || done == total { tell(progress, done, total) } else { Ok(()) }
    })
}

/// Takes in all entities, where there was no index.
#[cfg(feature = "sqlite")]
pub(crate) fn build_all<S: Snapshot + ?Sized>(snapshot: &S, writer: &mut dyn IndexWriter) -> Result<()> {
    let catalog = snapshot.catalog()?;
    take_in(snapshot, None, Flips::default(), writer, |record, flips| {
        keys_of(record, &catalog).for_each(|(definition, key)| flips.push(definition, key, record.ordinal(), true));
        Ok(())
    })
}

/// Visits all entities, and writes what comes of it.
fn take_in<S: Snapshot + ?Sized>(
    snapshot: &S,
    entity_type: Option<&EntityType>,
    mut flips: Flips,
    writer: &mut dyn IndexWriter,
    mut visit: impl FnMut(&Arc<EntityRecord>, &mut Flips) -> Result<()>,
) -> Result<()> {
    let mut result = Ok(());
    scan_from(snapshot, entity_type, None, |record| {
        result = visit(record, &mut flips).and_then(|()| flips.write_if_many(writer));
        if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    result?;
    flips.write(writer)
}

/// After how many entities it is told how far it has come.
const TOLD: u64 = 4096;

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
            flip.added.push(low);
        } else {
            flip.removed.push(low);
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
