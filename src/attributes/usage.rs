//! How much the definitions of a type are used.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Serialize;

use crate::attributes::View;
use crate::clock::Instant;
use crate::error::Result;
use crate::model::{CommitId, Definition, EntityType, Limits, Stamp, Value};
use crate::store::{Progress, Snapshot, Stamps, scan_from, tell};

/// A value is near a limit from this part of the way on.
const NEAR: f64 = 0.9;

/// After how many entities it is told.
const TOLD: u64 = 4096;

/// How much one definition is used.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Usage {
    /// The definition; its dependents are in its documentation.
    pub definition: Arc<Definition>,
    /// How many entities hold a value.
    pub holders: u64,
    /// How many of the type hold a value of any attribute.
    pub entities: u64,
    /// How many different values are held; equal decimals are one.
    pub distinct: u64,
    /// How many values are near a limit: texts of nine tenths of the greatest length, or numbers and days in the last tenth of the
    /// way from the minimum to the maximum, or in the first.
    pub near_limit: u64,
    /// The first commit that set a value that is still held; none if none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Stamp>,
    /// The last that set one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Stamp>,
}

impl Usage {
    /// The part of the type's entities that hold a value, from 0 to 1.
    #[allow(clippy::cast_precision_loss)] // it is a part of a whole
    pub fn share(&self) -> f64 {
        if self.entities == 0 { 0.0 } else { self.holders as f64 / self.entities as f64 }
    }

    /// Whether no value that is held was set since this instant.
    pub fn is_unused_since(&self, instant: Instant) -> bool {
        self.last.as_ref().is_none_or(|last| last.at < instant)
    }
}

impl View<'_> {
    /// How much each definition of the type is used, in their order. All entities of the type are read, once, and the
    /// different values are held in memory meanwhile.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.ensure([DefinitionSpec::string("tier"), DefinitionSpec::string("remark")])?;
    /// attributes.batch().set(("customer", 1), "tier", "gold").set(("customer", 2), "tier", "gold").commit()?;
    /// let usage = attributes.snapshot()?.usage(customers.entity_type())?;
    /// assert_eq!((usage[0].holders, usage[0].distinct, usage[0].share()), (2, 1, 1.0));
    /// assert!(usage[1].holders == 0 && usage[1].last.is_none());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn usage(&self, entity_type: &EntityType) -> Result<Vec<Usage>> {
        self.usage_with(entity_type, |_| ControlFlow::Continue(()))
    }

    /// The same, which tells how many entities were read; the caller may end it.
    ///
    /// # Errors
    /// Those of [`View::usage`]; [`crate::Error::Stopped`] if the caller ended it.
    pub fn usage_with(
        &self,
        entity_type: &EntityType,
        mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Vec<Usage>> {
        let (snapshot, limits) = (self.as_snapshot(), self.limits());
        let definitions = self.catalog().of(entity_type);
        let mut counts: Vec<_> = definitions.into_iter().map(|definition| Counted::new(definition, limits)).collect();
        let (mut entities, total, mut result) = (0, snapshot.count(entity_type)?, Ok(()));
        scan_from(snapshot, Some(entity_type), None, |record| {
            entities += 1;
            for held in record.values() {
                if let Ok(index) = counts.binary_search_by_key(&held.definition, |counted| counted.definition.id()) {
                    counts[index].add(&held.value, held.created, held.modified);
                }
            }
            if entities % TOLD == 0 || entities == total {
                result = tell(&mut progress, entities, total);
            }
            if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        result?;
        counts.into_iter().map(|counted| counted.finish(snapshot, entities)).collect()
    }
}

struct Counted {
    definition: Arc<Definition>,
    max_chars: usize,
    holders: u64,
    near_limit: u64,
    distinct: HashSet<Value>,
    commits: Option<(CommitId, CommitId)>,
}

impl Counted {
    fn new(definition: &Arc<Definition>, limits: &Limits) -> Self {
        let max_chars = definition.rules().maximum_chars.map_or(limits.string_chars, |most| most as usize);
        let definition = Arc::clone(definition);
        Self { definition, max_chars, holders: 0, near_limit: 0, distinct: HashSet::new(), commits: None }
    }

    fn add(&mut self, value: &Value, created: CommitId, modified: CommitId) {
        self.holders += 1;
        self.near_limit += u64::from(self.is_near(value));
        if !self.distinct.contains(value) {
            self.distinct.insert(value.clone());
        }
        let (first, last) = self.commits.unwrap_or((created, modified));
        self.commits = Some((first.min(created), last.max(modified)));
    }

    fn is_near(&self, value: &Value) -> bool {
        let rules = self.definition.rules();
        if let Value::String(text) = value {
            #[allow(clippy::cast_precision_loss)] // up to a few thousand characters
            return text.len() as f64 >= NEAR * self.max_chars as f64
                && text.chars().count() as f64 >= NEAR * self.max_chars as f64;
        }
        let (Some(minimum), Some(maximum)) = (&rules.minimum, &rules.maximum) else { return false };
        let (Some(minimum), Some(maximum), Some(value)) = (measure(minimum), measure(maximum), measure(value)) else {
            return false;
        };
        let margin = (maximum - minimum) * (1.0 - NEAR);
        value <= minimum + margin || value >= maximum - margin
    }

    fn finish(self, snapshot: &dyn Snapshot, entities: u64) -> Result<Usage> {
        let stamps = Stamps::load(snapshot, self.commits.into_iter().flat_map(|(first, last)| [first, last]))?;
        Ok(Usage {
            first: self.commits.map(|(first, _)| stamps.of(first)).transpose()?,
            last: self.commits.map(|(_, last)| stamps.of(last)).transpose()?,
            definition: self.definition,
            holders: self.holders,
            entities,
            distinct: self.distinct.len() as u64,
            near_limit: self.near_limit,
        })
    }
}

/// About how far along a number or a day is: only how near a limit is asked of it.
fn measure(value: &Value) -> Option<f64> {
    use chrono::Datelike;
    use rust_decimal::prelude::ToPrimitive;
    match value {
        Value::Integer(number) => number.to_f64(),
        Value::Decimal(number) => number.to_f64(),
        Value::Date(day) => Some(day.num_days_from_ce().into()),
        _ => None,
    }
}
