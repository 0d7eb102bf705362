//! Which ordinal an entity has.

use crate::hash::HashMap;
use crate::model::{ByType, EntityId, EntityKey, Ordinal};

/// It grows, and is shared by all snapshots: one that is older than an entity has an ordinal for it, but no record.
#[derive(Default)]
pub(super) struct Ordinals {
    of_type: ByType<OfType>,
}

/// Integers apart from texts: their entries are a fraction as large, and found in fewer steps.
#[derive(Default)]
struct OfType {
    integers: HashMap<i64, Ordinal>,
    texts: HashMap<EntityId, Ordinal>,
}

impl Ordinals {
    pub(super) fn get(&self, key: &EntityKey) -> Option<Ordinal> {
        let of_type = self.of_type.get(key.entity_type())?;
        let found = match key.id().as_integer() {
            Some(number) => of_type.integers.get(&number),
            None => of_type.texts.get(key.id()),
        };
        found.copied()
    }

    pub(super) fn insert(&mut self, key: &EntityKey, ordinal: Ordinal) {
        let of_type = self.of_type.entry(key.entity_type());
        match key.id().as_integer() {
            Some(number) => of_type.integers.insert(number, ordinal),
            None => of_type.texts.insert(key.id().clone(), ordinal),
        };
    }

    /// Of an entity that is erased. A snapshot that is held finds it by its ordinal only.
    pub(super) fn take_out(&mut self, key: &EntityKey) {
        let of_type = self.of_type.entry(key.entity_type());
        match key.id().as_integer() {
            Some(number) => of_type.integers.remove(&number),
            None => of_type.texts.remove(key.id()),
        };
    }
}
