//! A dry run of changed definitions, entity by entity.

use std::ops::ControlFlow;

use crate::error::{Result, Violation, Violations};
use crate::hash::HashMap;
use crate::model::{Definition, DefinitionId, EntityKey, EntityRecord, EntityType, Ordinal, Value};
use crate::store::plan::Planner;
use crate::store::sweep::{Sweep, Swept};
use crate::store::unique::{compared_whole, duplicate};
use crate::store::working::{Steps, Telling};
use crate::store::{Batch, OnProgress, Snapshot};

/// What a batch of changed definitions would do to one entity.
pub(crate) struct Judged<'a> {
    pub(crate) record: &'a EntityRecord,
    /// What each step does.
    pub(crate) steps: Steps<'a>,
    /// The values that another entity would hold as well.
    pub(crate) duplicates: Vec<Duplicate>,
}

/// A value of a unique definition that an entity before holds already.
pub(crate) struct Duplicate {
    /// The place of the change that brings it about.
    pub(crate) place: usize,
    pub(crate) definition: DefinitionId,
    pub(crate) value: Value,
    pub(crate) is_sensitive: bool,
    pub(crate) violation: Violation,
}

/// Visits the entities of a type behind this one, until it is enough. The batch names none itself.
///
/// # Errors
/// What is wrong with the definitions as they would be.
pub(crate) fn judge(
    snapshot: &dyn Snapshot,
    batch: &Batch,
    entity_type: &EntityType,
    from: Option<Ordinal>,
    progress: &mut OnProgress<'_>,
    mut visit: impl FnMut(Judged<'_>) -> ControlFlow<()>,
) -> Result<()> {
    let mut planner = Planner::load(snapshot, batch)?;
    planner.judges = true;
    planner.apply_all()?;
    Violations::into_result(std::mem::take(&mut planner.violations))?;
    let unique = compared_whole(&planner.before, &planner.catalog, &planner.working);
    let mut seen: HashMap<(DefinitionId, Value), EntityKey> = HashMap::default();
    // Who was first with a value of a unique attribute is known only from the beginning on.
    let begin = if unique.is_empty() { from } else { None };
    let mut telling = Telling::once(snapshot.count(entity_type)?);
    planner.working.each_swept(snapshot, entity_type, begin, &mut telling, progress, |record, steps, after| {
        let mut duplicates = Vec::new();
        for id in &unique {
            let offends = |(sweep, swept): &(&Sweep, Swept)| sweep.source().id() == *id && matches!(swept, Swept::Offends { .. });
            // What cannot stay takes nobody's place.
            let Some(value) = after.value(*id).filter(|_| !steps.iter().any(offends)) else { continue };
            match seen.get(&(*id, value.clone())) {
                None => _ = seen.insert((*id, value.clone()), record.key().clone()),
                Some(first) => duplicates.push(planner.duplicate(*id, value, first)),
            }
        }
        let is_behind = from.is_none_or(|from| record.ordinal() > from);
        if is_behind { visit(Judged { record, steps, duplicates }) } else { ControlFlow::Continue(()) }
    })
}

impl Planner<'_> {
    fn duplicate(&self, definition: DefinitionId, value: &Value, first: &EntityKey) -> Duplicate {
        let swept = self.working.sweeps.iter().rev().find(|sweep| sweep.target().id() == definition);
        let place = swept.map(|sweep| sweep.place).or_else(|| self.touched.get(&definition).copied()).unwrap_or_default();
        let found = self.catalog.get(definition).map(|found| &**found);
        let violation = duplicate(found, first, value);
        let is_sensitive = found.is_none_or(Definition::is_sensitive);
        Duplicate { place, definition, value: value.clone(), is_sensitive, violation }
    }
}
