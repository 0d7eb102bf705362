//! What a definition has behind it that its declaration does not say.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::DefinitionId;

/// Where values of a definition came from, and whether it was ever marked as sensitive.
///
/// It follows the definition through every change, deletion and restoration, so that an erasure finds all copies of a value. A
/// backend stores it with each version of a definition and gives it back with [`crate::Definition::with_lineage`]. It serialises
/// as an object that leaves out what is not set; most definitions have an empty one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    /// Whether an earlier version was marked as sensitive.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    was_sensitive: bool,
    /// The definitions whose values were merged into it or split off to it, with those that these had taken over.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    took_over: BTreeSet<DefinitionId>,
}

impl Lineage {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) const fn was_sensitive(&self) -> bool {
        self.was_sensitive
    }

    pub(crate) const fn took_over(&self) -> &BTreeSet<DefinitionId> {
        &self.took_over
    }

    pub(crate) const fn mark_sensitive(&mut self) {
        self.was_sensitive = true;
    }

    /// Notes that values of `from`, which has `lineage` itself, came to this definition.
    pub(crate) fn take_over(&mut self, from: DefinitionId, lineage: &Self) {
        self.took_over.insert(from);
        self.took_over.extend(&lineage.took_over);
    }
}
