//! What a backend is asked to find, and what it answers.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::filter::BoundFilter;
use crate::model::{DefinitionId, EntityKey, EntityRecord, EntityType, Ordinal, Value};

/// Which way an order goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Smallest first.
    #[default]
    Ascending,
    /// Greatest first.
    Descending,
}

impl Direction {
    /// How it is written: `asc` or `desc`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }

    /// An ascending comparison, turned where this descends.
    #[must_use]
    pub const fn turn(self, ascending: Ordering) -> Ordering {
        match self {
            Self::Ascending => ascending,
            Self::Descending => ascending.reverse(),
        }
    }
}

/// Which entities are wanted: those of one type that hold a value, and that the filter admits if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The type.
    pub entity_type: EntityType,
    /// The filter.
    pub filter: Option<BoundFilter>,
}

impl Wanted {
    /// Whether this entity is.
    pub fn admits(&self, record: &EntityRecord) -> bool {
        !record.is_empty()
            && record.key().entity_type() == &self.entity_type
            && self.filter.as_ref().is_none_or(|filter| filter.matches(record))
    }
}

/// A page of entities, as a backend is asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundQuery {
    /// Which entities.
    pub wanted: Wanted,
    /// By which values they are ordered; entities that hold none come last. Where all are equal, by ordinal.
    pub order: Vec<(DefinitionId, Direction)>,
    /// The entity behind which the page begins; it need not be there any longer.
    pub after: Option<Rank>,
    /// How many entities the page has at most.
    pub limit: usize,
}

/// Where an entity stands in an order.
///
/// `Debug` shows the types of the values and not the values, which may be sensitive.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rank {
    /// What it holds for the definitions of the order.
    pub values: Vec<Option<Value>>,
    /// Its ordinal.
    pub ordinal: Ordinal,
}

impl fmt::Debug for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<_> = self.values.iter().map(|value| value.as_ref().map(Value::hidden)).collect();
        f.debug_struct("Rank").field("values", &values).field("ordinal", &self.ordinal).finish()
    }
}

impl BoundQuery {
    /// Where the entity stands in this query's order.
    pub fn rank(&self, record: &EntityRecord) -> Rank {
        let values = self.order.iter().map(|(definition, _)| record.value(*definition).cloned());
        Rank { values: values.collect(), ordinal: record.ordinal() }
    }

    /// Which of two comes first.
    pub fn compare(&self, a: &Rank, b: &Rank) -> Ordering {
        let mut unlike = self.order.iter().zip(a.values.iter().zip(&b.values)).map(|((_, direction), pair)| match pair {
            (Some(a), Some(b)) => direction.turn(a.cmp(b)),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        let by_values = unlike.find(|order| order.is_ne()).unwrap_or(Ordering::Equal);
        by_values.then_with(|| a.ordinal.cmp(&b.ordinal))
    }

    /// Whether the page begins before this place.
    pub fn reaches(&self, rank: &Rank) -> bool {
        self.after.as_ref().is_none_or(|after| self.compare(after, rank).is_lt())
    }

    /// Checks that a page ends after the place where it begins: with a damaged index, a caller who goes on from its end could read
    /// the same pages for ever.
    pub(crate) fn check_progress(&self, end: Option<&Rank>) -> Result<()> {
        if end.is_none_or(|end| self.reaches(end)) {
            return Ok(());
        }
        Err(Error::corrupt("a page of a search ends before it begins; rebuild the index with `rebuild_index`"))
    }
}

/// A page that was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The entities, in order.
    pub records: Vec<Arc<EntityRecord>>,
    /// Whether others follow.
    pub has_more: bool,
}

/// A page of which only the keys were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundKeys {
    /// The keys of the entities, in order.
    pub keys: Vec<EntityKey>,
    /// Where the page ended; none if no others follow.
    pub end: Option<Rank>,
}
