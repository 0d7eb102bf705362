//! The records of a commit that was done elsewhere, as they come: what they were decided by is not asked again.

use std::fmt;
use std::sync::Arc;

use roaring::RoaringBitmap;

use crate::error::{Error, Result};
use crate::model::{DefinitionId, Diff, EntityRecord, Held, Ordinal};
use crate::store::changes::Kept;
use crate::store::{CatalogChange, Changes, Commit, OnProgress, RecordChange, Removal, Snapshot};

type Tell<'a> = dyn FnMut(&dyn Snapshot, &mut Arriving<'_, '_>) -> Result<()> + 'a;

/// Where they come from. It is asked once.
pub(crate) struct Told<'a>(Box<Tell<'a>>);

impl<'a> Told<'a> {
    pub(crate) fn by(tell: impl FnMut(&dyn Snapshot, &mut Arriving<'_, '_>) -> Result<()> + 'a) -> Self {
        Self(Box::new(tell))
    }

    /// Those that were touched, and of which no record is told.
    pub(super) fn each(
        &mut self,
        before: &dyn Snapshot,
        progress: &mut OnProgress<'_>,
        visit: &mut dyn FnMut(RecordChange) -> Result<()>,
        removals: &mut Vec<Removal>,
    ) -> Result<RoaringBitmap> {
        let mut arriving = Arriving { progress, visit, removals, gone: RoaringBitmap::new(), last: Ordinal::default() };
        (self.0)(before, &mut arriving)?;
        Ok(arriving.gone)
    }
}

impl fmt::Debug for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}

/// Takes them in.
pub(crate) struct Arriving<'a, 'p> {
    pub(crate) progress: &'a mut OnProgress<'p>,
    visit: &'a mut dyn FnMut(RecordChange) -> Result<()>,
    removals: &'a mut Vec<Removal>,
    gone: RoaringBitmap,
    /// The entity that was touched last. A record that came twice would be in the index twice.
    last: Ordinal,
}

impl Arriving<'_, '_> {
    /// A record becomes another; of the values that end, these are in history.
    pub(crate) fn record(
        &mut self,
        before: Option<Arc<EntityRecord>>,
        after: EntityRecord,
        kept: Vec<DefinitionId>,
    ) -> Result<()> {
        self.meet(after.ordinal())?;
        let diff = difference(before.as_deref().map_or(&[], EntityRecord::values), after.values());
        (self.visit)(RecordChange { before, after: Arc::new(after), diff, kept: Kept::These(kept) })
    }

    /// An entity was touched that is there no longer.
    pub(crate) fn gone(&mut self, ordinal: Ordinal) -> Result<()> {
        self.meet(ordinal)?;
        self.gone.insert(ordinal.get());
        Ok(())
    }

    /// Each entity comes once, in the order of ordinals.
    fn meet(&mut self, ordinal: Ordinal) -> Result<()> {
        if ordinal <= self.last {
            return Err(Error::corrupt(format!(
                "one commit of the source touches entities out of order, or one twice: {ordinal}"
            )));
        }
        self.last = ordinal;
        Ok(())
    }

    /// An entity is emptied, and taken out when all else is written.
    pub(crate) fn erase(&mut self, before: Arc<EntityRecord>) -> Result<()> {
        let after = EntityRecord::load(before.key().clone(), before.ordinal(), before.revision().next(), Vec::new())?;
        self.removals.push(Removal::Entity { ordinal: before.ordinal(), entity: before.key().clone() });
        self.record(Some(before), after, Vec::new())
    }
}

/// The values that differ in anything, their commits as well.
fn difference(before: &[Held], after: &[Held]) -> Diff {
    let absent_from = |others: &[Held], held: &Held| {
        let index = others.binary_search_by_key(&held.definition, |other| other.definition);
        index.map_or(true, |index| others[index] != *held)
    };
    let differing = |these: &[Held], others: &[Held]| {
        these.iter().filter(|held| absent_from(others, held)).map(|held| held.definition).collect()
    };
    Diff { ended: differing(before, after), begun: differing(after, before) }
}

impl<'a> Changes<'a> {
    /// A commit that was done elsewhere, with all that it left.
    pub(crate) fn told(commit: Commit, catalog: Option<CatalogChange>, removals: Vec<Removal>, told: Told<'a>) -> Self {
        Self {
            commit,
            catalog,
            removals,
            horizons: std::collections::BTreeMap::new(),
            records: Vec::new(),
            sweeps: Vec::new(),
            swept_over: RoaringBitmap::new(),
            keeping: None,
            told: Some(told),
        }
    }
}
