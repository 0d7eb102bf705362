//! The reference evaluator: what a question means, by looking at every entity of the type. An index must answer the same.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::error::Result;
use crate::model::{DefinitionId, EntityRecord, Ordinal, Value};
use crate::store::port::scan_from;
use crate::store::{BoundQuery, Found, Rank, Snapshot, Wanted};

pub(super) fn find<S: Snapshot + ?Sized>(snapshot: &S, query: &BoundQuery) -> Result<Found> {
    let mut page = Page { query, best: Vec::new() };
    let first = if query.order.is_empty() { query.after.as_ref().map(|after| after.ordinal) } else { None };
    scan_from(snapshot, Some(&query.wanted.entity_type), first, |record| {
        if query.wanted.admits(record) {
            page.offer(record);
        }
        // In the order of the scan, the first that are found are the page.
        if query.order.is_empty() && page.best.len() > query.limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(page.finish())
}

/// The first entities of a page, of all that were offered.
struct Page<'a> {
    query: &'a BoundQuery,
    best: Vec<(Rank, Arc<EntityRecord>)>,
}

impl Page<'_> {
    fn offer(&mut self, record: &Arc<EntityRecord>) {
        let rank = self.query.rank(record);
        if !self.query.reaches(&rank) {
            return;
        }
        self.best.push((rank, Arc::clone(record)));
        // One more than the page tells whether others follow; what is worse goes now and then.
        if self.best.len() > 2 * self.kept() {
            self.cut();
        }
    }

    const fn kept(&self) -> usize {
        self.query.limit.saturating_add(1)
    }

    fn cut(&mut self) {
        self.best.sort_unstable_by(|(a, _), (b, _)| self.query.compare(a, b));
        self.best.truncate(self.kept());
    }

    fn finish(mut self) -> Found {
        self.cut();
        let has_more = self.best.len() > self.query.limit;
        let records = self.best.into_iter().take(self.query.limit).map(|(_, record)| record).collect();
        Found { records, has_more }
    }
}

pub(super) fn count<S: Snapshot + ?Sized>(snapshot: &S, wanted: &Wanted) -> Result<u64> {
    let mut count = 0;
    each_wanted(snapshot, wanted, |_| count += 1)?;
    Ok(count)
}

pub(super) fn tally<S: Snapshot + ?Sized>(snapshot: &S, wanted: &Wanted, definition: DefinitionId) -> Result<Vec<(Value, u64)>> {
    let mut counts: BTreeMap<Value, u64> = BTreeMap::new();
    each_wanted(snapshot, wanted, |record| {
        let Some(value) = record.value(definition) else { return };
        match counts.get_mut(value) {
            Some(count) => *count += 1,
            None => _ = counts.insert(value.clone().normalized(), 1),
        }
    })?;
    Ok(counts.into_iter().collect())
}

fn each_wanted<S: Snapshot + ?Sized>(snapshot: &S, wanted: &Wanted, mut visit: impl FnMut(&EntityRecord)) -> Result<()> {
    scan_from(snapshot, Some(&wanted.entity_type), None::<Ordinal>, |record| {
        if wanted.admits(record) {
            visit(record);
        }
        ControlFlow::Continue(())
    })
}
