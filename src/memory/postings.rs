//! The index in memory: a persistent map, so that a snapshot costs nothing and a writer copies the way to what it changes.

use std::ops::ControlFlow;

use imbl::OrdMap;

use crate::error::Result;
use crate::index::{Holders, IndexWriter, Key, Keys, Place, Visit, all_keys};
use crate::model::DefinitionId;
use crate::store::Direction;

#[derive(Clone, Default)]
pub(super) struct PostingMap {
    places: OrdMap<Place, Holders>,
}

impl PostingMap {
    pub(super) fn at(&self, place: &Place) -> Option<&Holders> {
        self.places.get(place)
    }

    fn range(&self, definition: DefinitionId, keys: &Keys) -> impl DoubleEndedIterator<Item = (&Place, &Holders)> {
        let at = |key: &Key| Place { definition, key: key.clone(), chunk: 0 };
        self.places.range(at(&keys.start)..at(&keys.end))
    }

    pub(super) fn sizes(&self, definition: DefinitionId, keys: &Keys, visit: &mut dyn FnMut(&[u8], u64) -> ControlFlow<()>) {
        let _enough = self.range(definition, keys).try_for_each(|(place, holders)| visit(place.key.as_bytes(), holders.len()));
    }

    pub(super) fn walk(&self, definition: DefinitionId, keys: &Keys, direction: Direction, visit: &mut Visit<'_>) -> Result<()> {
        let mut range = self.range(definition, keys);
        loop {
            let next = match direction {
                Direction::Ascending => range.next(),
                Direction::Descending => range.next_back(),
            };
            let Some((place, holders)) = next else { return Ok(()) };
            if visit(place.key.as_bytes(), place.chunk, holders.clone())?.is_break() {
                return Ok(());
            }
        }
    }

    pub(super) fn places(&self, visit: &mut dyn FnMut(Place) -> Result<ControlFlow<()>>) -> Result<()> {
        for place in self.places.keys() {
            if visit(place.clone())?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn forget(&mut self, definition: DefinitionId) {
        let everything = Key::any()..all_keys().end;
        let places: Vec<_> = self.range(definition, &everything).map(|(place, _)| place.clone()).collect();
        for place in places {
            self.places.remove(&place);
        }
    }

    fn flip(&mut self, place: Place, added: &[u16], removed: &[u16]) {
        let Some(slot) = self.places.get_mut(&place) else {
            if let Some(holders) = Holders::flipped(None, added, removed) {
                self.places.insert(place, holders);
            }
            return;
        };
        let before = std::mem::replace(slot, Holders::one(0));
        match Holders::flipped(Some(before), added, removed) {
            Some(after) => *slot = after,
            None => _ = self.places.remove(&place),
        }
    }

    pub(super) fn apply(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Forget(definition) => self.forget(definition),
                Step::Flip { place, added, removed } => self.flip(place, &added, &removed),
            }
        }
    }
}

/// One change of the index.
pub(super) enum Step {
    Forget(DefinitionId),
    Flip { place: Place, added: Vec<u16>, removed: Vec<u16> },
}

/// Collects what is to be changed, while readers go on.
#[derive(Default)]
pub(super) struct Steps(pub(super) Vec<Step>);

impl IndexWriter for Steps {
    fn forget(&mut self, definition: DefinitionId) -> Result<()> {
        self.0.push(Step::Forget(definition));
        Ok(())
    }

    fn flip(&mut self, place: Place, added: &[u16], removed: &[u16]) -> Result<()> {
        self.0.push(Step::Flip { place, added: added.into(), removed: removed.into() });
        Ok(())
    }
}
