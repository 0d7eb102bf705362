//! The first of a set in the order of what they hold.

use std::ops::ControlFlow;

use roaring::RoaringBitmap;

use crate::error::Result;
use crate::index::answer::lost;
use crate::index::key::all;
use crate::index::postings::{BLOCK, Place, Postings, Sets, ordinals, size};
use crate::index::span::{FIRST, PROBE};
use crate::index::{Holders, Key, Keys};
use crate::model::{Catalog, DefinitionId, Ordinal, Value};
use crate::store::{BoundQuery, Direction, ExplainedOrder, Ranking};

/// Finds a page by walking over the values that order it, where many are in the set, and by sorting the set where few are.
/// As with tests, which is shorter shows on the way: a walk is given up when sorting would have cost as much.
pub(super) struct Ordered<'a, P: ?Sized> {
    postings: &'a P,
    catalog: &'a Catalog,
    query: &'a BoundQuery,
    wanted: usize,
    pub(super) found: Vec<Ordinal>,
    /// How many entities were read to sort them.
    read: u64,
}

impl<'a, P: Postings + ?Sized> Ordered<'a, P> {
    pub(super) const fn new(postings: &'a P, catalog: &'a Catalog, query: &'a BoundQuery, wanted: usize) -> Self {
        Self { postings, catalog, query, wanted, found: Vec::new(), read: 0 }
    }

    pub(super) const fn explained(&self) -> ExplainedOrder {
        match self.read {
            0 => ExplainedOrder::Walked,
            read => ExplainedOrder::Sorted { read },
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.wanted
    }

    /// Takes from a set whose entities are equal in what comes before this level. Where they are also equal to the entity
    /// behind which the page begins, those up to it are passed over.
    pub(super) fn take(&mut self, set: &Sets, level: usize, is_at_start: bool) -> Result<()> {
        if self.is_full() || set.values().all(RoaringBitmap::is_empty) {
            return Ok(());
        }
        let after = self.query.after.as_ref().filter(|_| is_at_start);
        let Some((definition, direction)) = self.query.order.get(level).copied() else {
            self.by_ordinal(set, after.map(|after| after.ordinal));
            return Ok(());
        };
        if !self.catalog.is_searchable(definition) {
            return self.sort(set);
        }
        let begin = after.map(|after| after.values.get(level).and_then(Option::as_ref));
        if begin != Some(None) {
            let taken = self.found.len();
            if !self.walk(set, level, (definition, direction), begin.flatten())? {
                self.found.truncate(taken);
                return self.sort(set);
            }
        }
        if self.is_full() {
            return Ok(());
        }
        let mut without = Sets::new();
        for (chunk, set) in set {
            let holders = self.postings.at(&Place { definition, key: Key::any(), chunk: *chunk })?;
            let holding = holders.map(|holders| holders.of_those(set)).unwrap_or_default();
            without.insert(*chunk, set - holding);
        }
        self.take(&without, level + 1, begin == Some(None))
    }

    /// Takes those that hold a value, value by value; false if sorting is shorter.
    fn walk(
        &mut self,
        set: &Sets,
        level: usize,
        (definition, direction): (DefinitionId, Direction),
        begin: Option<&Value>,
    ) -> Result<bool> {
        let begin = begin.map(Key::of);
        let mut steps = size(set).saturating_mul(PROBE).saturating_add(FIRST);
        let mut group: Option<(Key, Sets)> = None;
        let postings = self.postings;
        postings.walk(definition, &from(begin.as_ref(), direction), direction, &mut |bytes, chunk, holders| {
            if let Some((key, these)) = group.take_if(|(key, _)| key.as_bytes() != bytes) {
                self.take_group(&key, &these, level, begin.as_ref())?;
            }
            steps = steps.saturating_sub(1);
            if steps == 0 || self.is_full() {
                return Ok(ControlFlow::Break(()));
            }
            add(&mut group, bytes, chunk, &holders, set);
            Ok(ControlFlow::Continue(()))
        })?;
        if let Some((key, these)) = group {
            self.take_group(&key, &these, level, begin.as_ref())?;
        }
        Ok(steps > 0 || self.is_full())
    }

    /// Takes those that hold values of one key.
    fn take_group(&mut self, key: &Key, group: &Sets, level: usize, begin: Option<&Key>) -> Result<()> {
        if key.is_cut() {
            return self.sort(group);
        }
        self.take(group, level + 1, begin == Some(key))
    }

    fn by_ordinal(&mut self, set: &Sets, after: Option<Ordinal>) {
        let wanted = self.wanted - self.found.len();
        self.found.extend(ordinals(set).filter(|ordinal| after.is_none_or(|after| *ordinal > after)).take(wanted));
    }

    /// Takes from the set by reading all of it.
    fn sort(&mut self, set: &Sets) -> Result<()> {
        let mut ranking = Ranking::of(self.query);
        let all: Vec<Ordinal> = ordinals(set).collect();
        for block in all.chunks(BLOCK) {
            for record in self.postings.locate(block)? {
                ranking.offer(&record.ok_or_else(lost)?);
            }
        }
        self.read += all.len() as u64;
        let wanted = self.wanted - self.found.len();
        self.found.extend(ranking.finish().into_iter().take(wanted).map(|record| record.ordinal()));
        Ok(())
    }
}

/// The keys from this one on.
fn from(begin: Option<&Key>, direction: Direction) -> Keys {
    let all = all();
    match (begin, direction) {
        (None, _) => all,
        (Some(begin), Direction::Ascending) => begin.clone()..all.end,
        (Some(begin), Direction::Descending) => all.start..begin.clone().only().end,
    }
}

fn add(group: &mut Option<(Key, Sets)>, bytes: &[u8], chunk: u16, holders: &Holders, set: &Sets) {
    let these = set.get(&chunk).map(|set| holders.of_those(set)).filter(|these| !these.is_empty());
    if let Some(these) = these {
        group.get_or_insert_with(|| (Key::load(bytes), Sets::new())).1.insert(chunk, these);
    }
}
