//! The reference evaluator: what a question means, by looking at every entity of the type. An index must answer the same.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::error::Result;
use crate::model::{DefinitionId, EntityRecord, Value};
use crate::store::scan::{each_record, scan_from};
use crate::store::{BoundQuery, ExplainedOrder, Explanation, Found, Rank, Snapshot, Wanted};

pub(super) fn find<S: Snapshot + ?Sized>(snapshot: &S, query: &BoundQuery) -> Result<Found> {
    let mut ranking = Ranking::of(query);
    let first = if query.order.is_empty() { query.after.as_ref().map(|after| after.ordinal) } else { None };
    scan_from(snapshot, Some(&query.wanted.entity_type), first, |record| {
        if query.wanted.admits(record) {
            ranking.offer(record);
        }
        // In the order of the scan, the first that are found are the page.
        if query.order.is_empty() && ranking.best.len() > query.limit {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    let mut records = ranking.finish();
    let has_more = records.len() > query.limit;
    records.truncate(query.limit);
    Ok(Found { records, has_more })
}

/// The first entities of a page, and one more, of all that are offered.
pub(crate) struct Ranking<'a> {
    query: &'a BoundQuery,
    best: Vec<(Rank, Arc<EntityRecord>)>,
}

impl<'a> Ranking<'a> {
    pub(crate) const fn of(query: &'a BoundQuery) -> Self {
        Self { query, best: Vec::new() }
    }

    pub(crate) fn offer(&mut self, record: &Arc<EntityRecord>) {
        let rank = self.query.rank(record);
        if !self.query.reaches(&rank) {
            return;
        }
        self.best.push((rank, Arc::clone(record)));
        // One more than the page tells whether others follow; what is worse goes now and then.
        if self.best.len() > self.kept().saturating_mul(2) {
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

    pub(crate) fn finish(mut self) -> Vec<Arc<EntityRecord>> {
        self.cut();
        self.best.into_iter().map(|(_, record)| record).collect()
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
    each_record(snapshot, Some(&wanted.entity_type), |record| {
        if wanted.admits(record) {
            visit(record);
        }
    })
}

/// All entities of the type are read, up to the last of the page where they need not be sorted.
pub(super) fn explain<S: Snapshot + ?Sized>(snapshot: &S, query: &BoundQuery) -> Result<Explanation> {
    let mut read = 0;
    each_record(snapshot, Some(&query.wanted.entity_type), |_| read += 1)?;
    let order = if query.order.is_empty() { ExplainedOrder::Ordinal } else { ExplainedOrder::Sorted { read } };
    Ok(Explanation { order, limit: query.limit, found: find(snapshot, query)?.records.len(), ..Explanation::default() })
}
