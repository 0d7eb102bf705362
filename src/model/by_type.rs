//! Something for each entity type.

use crate::model::EntityType;

/// A map of entity types, in their order. There are few of them, and all that is read begins with one: comparing a few short
/// texts costs less than hashing one.
#[derive(Debug, Clone)]
pub(crate) struct ByType<V> {
    entries: Vec<(EntityType, V)>,
}

impl<V> Default for ByType<V> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<V> ByType<V> {
    pub(crate) fn get(&self, entity_type: &EntityType) -> Option<&V> {
        self.position(entity_type).ok().map(|index| &self.entries[index].1)
    }

    pub(crate) fn get_mut(&mut self, entity_type: &EntityType) -> Option<&mut V> {
        self.position(entity_type).ok().map(|index| &mut self.entries[index].1)
    }

    pub(crate) fn entry(&mut self, entity_type: &EntityType) -> &mut V
    where
        V: Default,
    {
        let index = self.position(entity_type).unwrap_or_else(|index| {
            self.entries.insert(index, (entity_type.clone(), V::default()));
            index
        });
        &mut self.entries[index].1
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(EntityType, V)> {
        self.entries.iter()
    }

    fn position(&self, entity_type: &EntityType) -> Result<usize, usize> {
        self.entries.binary_search_by(|(other, _)| other.cmp(entity_type))
    }
}
