//! The index as a backend keeps it: for each definition and value, who holds it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use roaring::RoaringBitmap;

use crate::error::Result;
use crate::index::{Holders, Key, Keys};
use crate::model::{DefinitionId, EntityKey, EntityType, Ordinal, Value};
use crate::store::{Direction, Snapshot, each_record};

/// The definition of what belongs to none: the entities of each type that hold a value.
pub(crate) const NO_DEFINITION: DefinitionId = DefinitionId::new(0);

/// Where a set of holders stands: each is of one chunk of 65,536 entities.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) definition: DefinitionId,
    pub(crate) key: Key,
    pub(crate) chunk: u16,
}

/// Sets of entities by chunk, none of them empty.
pub(crate) type Sets = BTreeMap<u16, RoaringBitmap>;

/// The chunk of an entity, and its number in there.
#[allow(clippy::cast_possible_truncation)] // that is what splits it
pub(crate) const fn split(ordinal: Ordinal) -> (u16, u16) {
    ((ordinal.get() >> 16) as u16, ordinal.get() as u16)
}

pub(crate) fn ordinal(chunk: u16, low: u32) -> Ordinal {
    Ordinal::new(u32::from(chunk) << 16 | low)
}

/// How many entities are read at a time.
pub(super) const BLOCK: usize = 1024;

/// How many are in these sets.
pub(super) fn size(sets: &Sets) -> u64 {
    sets.values().map(RoaringBitmap::len).sum()
}

/// Who is in these sets, in order.
pub(super) fn ordinals(sets: &Sets) -> impl Iterator<Item = Ordinal> + '_ {
    sets.iter().flat_map(|(chunk, set)| set.iter().map(|low| ordinal(*chunk, low)))
}

/// Is called with a key, the chunk, and the holders.
pub(crate) type Visit<'a> = dyn FnMut(&[u8], u16, Holders) -> Result<ControlFlow<()>> + 'a;

/// What the evaluator asks of a backend: a map in the order of definition, key and chunk.
pub(crate) trait Postings: Snapshot {
    /// Who holds this value, in this chunk.
    fn at(&self, place: &Place) -> Result<Option<Holders>>;

    /// How many hold each of these keys, in each chunk, without a look at who: in order, until it is enough.
    fn sizes(&self, definition: DefinitionId, keys: &Keys, visit: &mut dyn FnMut(&[u8], u64) -> ControlFlow<()>) -> Result<()>;

    /// Who holds each of these keys, in each chunk: in order, or from the last to the first, until it is enough.
    fn walk(&self, definition: DefinitionId, keys: &Keys, direction: Direction, visit: &mut Visit<'_>) -> Result<()>;

    /// All places of the index, in order, until it is enough.
    fn places(&self, visit: &mut dyn FnMut(Place) -> Result<ControlFlow<()>>) -> Result<()>;

    /// The greatest ordinal of an entity that exists; 0 if there is none. Ordinals may have been given out after it.
    fn last_record(&self) -> Result<Ordinal>;

    /// The keys of these entities, all of which are there.
    fn keys(&self, ordinals: &[Ordinal]) -> Result<Vec<EntityKey>>;

    /// What these entities hold for a definition.
    fn values(&self, definition: DefinitionId, ordinals: &[Ordinal]) -> Result<Vec<Option<Value>>>;

    /// How many entities hold one of these keys.
    fn total(&self, definition: DefinitionId, keys: &Keys) -> Result<u64> {
        let mut total = 0;
        self.sizes(definition, keys, &mut |_, size| {
            total += size;
            ControlFlow::Continue(())
        })?;
        Ok(total)
    }

    /// The entities of a type that hold a value, in this chunk.
    fn living(&self, entity_type: &EntityType, chunk: u16) -> Result<RoaringBitmap> {
        let place = Place { definition: NO_DEFINITION, key: Key::of_type(entity_type), chunk };
        Ok(self.at(&place)?.map(Holders::into_set).unwrap_or_default())
    }
}

/// An entity that holds this value, if one does.
pub(crate) fn holder<P: Postings + ?Sized>(postings: &P, definition: DefinitionId, value: &Value) -> Result<Option<Ordinal>> {
    let key = Key::of(value);
    let (is_cut, mut found) = (key.is_cut(), None);
    postings.walk(definition, &key.only(), Direction::Ascending, &mut |_, chunk, holders| {
        found = if is_cut {
            let holders: Vec<_> = holders.into_set().into_iter().map(|low| ordinal(chunk, low)).collect();
            let held = postings.values(definition, &holders)?;
            holders.iter().zip(held).find(|(_, held)| held.as_ref() == Some(value)).map(|(holder, _)| *holder)
        } else {
            holders.first().map(|low| ordinal(chunk, low))
        };
        Ok(if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(found)
}

/// How many entities hold a value of this definition.
pub(crate) fn usage<P: Postings + ?Sized>(postings: &P, definition: DefinitionId) -> Result<u64> {
    let catalog = postings.catalog()?;
    let Some(found) = catalog.get(definition) else { return Ok(0) };
    if found.is_searchable() {
        return postings.total(definition, &Key::any().only());
    }
    let mut count = 0;
    each_record(postings, Some(found.entity_type()), |record| count += u64::from(record.get(definition).is_some()))?;
    Ok(count)
}
