//! What a change of definitions means for the entities that hold a value: decided one record at a time, so that a dry run, a
//! check and a commit of any size do the same.

use std::sync::Arc;

use crate::error::{Rule, Violation};
use crate::model::{Bound, CommitId, Definition, Edit, EntityRecord, EntityType, Exactness, Limits, Value};
use crate::store::{Lack, Offending};

/// A step over all entities of a type.
#[derive(Debug)]
pub(crate) struct Sweep {
    /// The place of its change in the batch.
    pub(crate) place: usize,
    /// When a value may become one of another type.
    exactness: Exactness,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// Values become what the definition admits.
    Settle {
        definition: Arc<Definition>,
        offending: Offending,
        /// Values that were set no later than by this commit are not held against the rules.
        stood: CommitId,
    },
    /// Values go.
    Clear { definition: Arc<Definition> },
    /// Values go over to another attribute.
    Merge { from: Arc<Definition>, into: Arc<Definition>, offending: Offending },
    /// Those that another attribute admits go over to it.
    Split { from: Arc<Definition>, into: Arc<Definition> },
}

/// What a step did to the value of one record.
pub(crate) enum Swept {
    /// It may stay as it is.
    Stays,
    Cleared,
    /// It became another, or one of another attribute.
    Moved {
        from: Value,
        to: Value,
    },
    /// It cannot stay; where the step says so, it was cleared.
    Offends {
        value: Value,
        violation: Violation,
        is_cleared: bool,
    },
}

impl Swept {
    /// Whether the record is another then.
    pub(crate) const fn moves(&self) -> bool {
        matches!(self, Self::Cleared | Self::Moved { .. } | Self::Offends { is_cleared: true, .. })
    }
}

impl Sweep {
    const fn new(place: usize, step: Step) -> Self {
        Self { place, exactness: Exactness::SameText, step }
    }

    pub(super) const fn settle(place: usize, definition: Arc<Definition>, offending: Offending, stood: CommitId) -> Self {
        Self::new(place, Step::Settle { definition, offending, stood })
    }

    pub(super) const fn clear(place: usize, definition: Arc<Definition>) -> Self {
        Self::new(place, Step::Clear { definition })
    }

    pub(super) const fn merge(place: usize, from: Arc<Definition>, into: Arc<Definition>, offending: Offending) -> Self {
        Self::new(place, Step::Merge { from, into, offending })
    }

    pub(super) const fn split(place: usize, from: Arc<Definition>, into: Arc<Definition>) -> Self {
        Self::new(place, Step::Split { from, into })
    }

    /// Converts values as the batch asks.
    pub(super) const fn with(mut self, exactness: Exactness) -> Self {
        self.exactness = exactness;
        self
    }

    /// The definition whose values it looks at.
    pub(crate) fn source(&self) -> &Arc<Definition> {
        match &self.step {
            Step::Settle { definition, .. } | Step::Clear { definition } => definition,
            Step::Merge { from, .. } | Step::Split { from, .. } => from,
        }
    }

    /// The definition whose values it makes.
    pub(crate) fn target(&self) -> &Arc<Definition> {
        match &self.step {
            Step::Settle { definition, .. } | Step::Clear { definition } => definition,
            Step::Merge { into, .. } | Step::Split { into, .. } => into,
        }
    }

    pub(super) fn entity_type(&self) -> &EntityType {
        self.source().entity_type()
    }

    /// Does it to a record; nothing where the record holds no value for it.
    pub(crate) fn apply(&self, record: &mut EntityRecord, commit: CommitId) -> Option<Swept> {
        let held = record.get(self.source().id())?.clone();
        let cleared = |record: &mut EntityRecord, definition: &Definition| {
            record.apply_one(Edit::Clear(definition.id()), commit);
        };
        let offends = |record: &mut EntityRecord, value: Value, violation: Violation, is_cleared: bool| {
            if is_cleared {
                cleared(record, self.source());
            }
            Swept::Offends { value, violation: violation.about(self.target()), is_cleared }
        };
        Some(match &self.step {
            Step::Clear { definition } => {
                cleared(record, definition);
                Swept::Cleared
            }
            Step::Settle { definition, stood, .. }
                if held.modified <= *stood && held.value.data_type() == definition.data_type() =>
            {
                Swept::Stays
            }
            Step::Settle { definition, offending, .. } => match definition.settle(&held.value, self.exactness) {
                Ok(None) => Swept::Stays,
                Ok(Some(bound)) => moved(record, held.value, bound, commit),
                Err(violation) => {
                    let is_cleared = offending.clears(held.modified) && !definition.rules().required;
                    offends(record, held.value, violation, is_cleared)
                }
            },
            Step::Merge { from, into, offending } => match self.merged(record, into, &held.value) {
                Ok(bound) => {
                    cleared(record, from);
                    match bound {
                        Some(bound) => moved(record, held.value, bound, commit),
                        None => Swept::Cleared,
                    }
                }
                Err(violation) => {
                    let is_cleared = offending.clears(held.modified) && !from.rules().required;
                    offends(record, held.value, violation, is_cleared)
                }
            },
            Step::Split { from, into } => match self.merged(record, into, &held.value) {
                Ok(Some(_)) if from.rules().required => {
                    Swept::Offends { value: held.value, violation: Lack::SplitOff.of(from), is_cleared: false }
                }
                Ok(Some(bound)) => {
                    cleared(record, from);
                    moved(record, held.value, bound, commit)
                }
                Ok(None) | Err(_) => Swept::Stays,
            },
        })
    }

    /// A value as one of another attribute; none if the entity holds the same there already.
    fn merged(&self, record: &EntityRecord, into: &Definition, value: &Value) -> Result<Option<Bound>, Violation> {
        let bound = into.bind(value.convert(into.data_type(), self.exactness)?, &Limits::typed())?;
        let is_converted = value.data_type() != into.data_type();
        // Equal decimals may have other texts. A text that was converted must not get lost to one of them.
        let keeps_text = |other: &Value| !is_converted || self.exactness == Exactness::SameNumber || value.has_text_of(other);
        match record.value(into.id()) {
            None => Ok(Some(bound)),
            Some(other) if other == bound.value() && keeps_text(other) => Ok(None),
            Some(other) => Err(Violation::new(Rule::Merge, format!("{:?}", other.to_string()), value)),
        }
    }
}

fn moved(record: &mut EntityRecord, from: Value, bound: Bound, commit: CommitId) -> Swept {
    let to = bound.value().clone();
    record.apply_one(Edit::Set(bound), commit);
    Swept::Moved { from, to }
}

/// Whether one of these steps looks at a value that the record holds, or may after those before it.
pub(crate) fn concern(sweeps: &[Sweep], record: &EntityRecord) -> bool {
    sweeps.iter().any(|sweep| record.get(sweep.source().id()).is_some())
}
