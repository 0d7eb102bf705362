//! The answers: pages, counts, and the values of an attribute.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use roaring::RoaringBitmap;

use crate::error::{Error, Result};
use crate::index::Key;
use crate::index::key::all;
use crate::index::node::Part;
use crate::index::order::Ordered;
use crate::index::postings::{BLOCK, NO_DEFINITION, Postings, Sets, ordinal, ordinals, size, split};
use crate::index::span::{FIRST, PROBE};
use crate::model::{Catalog, DataType, DefinitionId, Ordinal, Value};
use crate::store::{BoundQuery, Direction, ExplainedOrder, Explanation, Found, FoundKeys, Rank, Wanted};

/// How many candidates are looked at first where it is not known who meets the filter; then twice as many.
const FIRST_BLOCK: usize = 256;

/// A page, in order.
pub(crate) fn find<P: Postings + ?Sized>(postings: &P, query: &BoundQuery) -> Result<Found> {
    let page = PageOf::find(postings, query, None)?;
    let records = postings.locate(&page.ordinals)?.into_iter().map(|found| found.filter(|record| !record.is_empty()));
    let records: Option<Vec<_>> = records.collect();
    Ok(Found { records: records.ok_or_else(lost)?, has_more: page.has_more })
}

/// The keys of a page, in order.
pub(crate) fn find_keys<P: Postings + ?Sized>(postings: &P, query: &BoundQuery) -> Result<FoundKeys> {
    let page = PageOf::find(postings, query, None)?;
    let last = page.ordinals.last().filter(|_| page.has_more);
    let end = match last {
        Some(last) if query.order.is_empty() => Some(Rank { values: Vec::new(), ordinal: *last }),
        Some(last) => Some(query.rank(&*postings.locate(&[*last])?.pop().flatten().ok_or_else(lost)?)),
        None => None,
    };
    Ok(FoundKeys { keys: postings.keys(&page.ordinals)?, end })
}

/// How a page is found, by finding it.
pub(crate) fn explain<P: Postings + ?Sized>(postings: &P, query: &BoundQuery) -> Result<Explanation> {
    let mut explanation = Explanation { limit: query.limit, ..Explanation::default() };
    explanation.found = PageOf::find(postings, query, Some(&mut explanation))?.ordinals.len();
    Ok(explanation)
}

/// An index is made from the records: who is in it is there.
pub(crate) fn lost() -> Error {
    Error::corrupt("the index has an entity that is not there (`rebuild_index` rebuilds an index)")
}

/// Who is on a page, in order, and whether others follow.
struct PageOf {
    ordinals: Vec<Ordinal>,
    has_more: bool,
}

impl PageOf {
    fn find<P: Postings + ?Sized>(postings: &P, query: &BoundQuery, explanation: Option<&mut Explanation>) -> Result<Self> {
        let catalog = postings.catalog()?;
        let mut asked = Asked::of(postings, &catalog, &query.wanted)?;
        // One more than the page tells whether others follow.
        let wanted = query.limit.saturating_add(1);
        let mut order = ExplainedOrder::Ordinal;
        let mut ordinals = if query.order.is_empty() {
            asked.first(query.after.as_ref().map(|after| after.ordinal), wanted)?
        } else {
            let set = asked.whole()?;
            let mut ordered = Ordered::new(postings, &catalog, query, wanted);
            ordered.take(&set, 0, true)?;
            order = ordered.explained();
            ordered.found
        };
        if let Some(explanation) = explanation {
            explanation.order = order;
            asked.filter.iter().for_each(|filter| filter.explain(&catalog, 0, &mut explanation.parts));
        }
        let has_more = ordinals.len() > query.limit;
        ordinals.truncate(query.limit);
        Ok(Self { ordinals, has_more })
    }
}

/// How many are wanted.
pub(crate) fn count<P: Postings + ?Sized>(postings: &P, wanted: &Wanted) -> Result<u64> {
    let catalog = postings.catalog()?;
    let mut asked = Asked::of(postings, &catalog, wanted)?;
    let all = || postings.total(NO_DEFINITION, &Key::of_type(&wanted.entity_type).only());
    let known = match &asked.filter {
        Some(filter) => filter.count(postings, &all)?,
        None => Some(all()?),
    };
    match known {
        Some(count) => Ok(count),
        None => Ok(size(&asked.whole()?)),
    }
}

/// The values that those who are wanted hold, each with the number of its holders.
pub(crate) fn tally<P: Postings + ?Sized>(postings: &P, wanted: &Wanted, definition: DefinitionId) -> Result<Vec<(Value, u64)>> {
    let catalog = postings.catalog()?;
    let Some(found) = catalog.get(definition) else { return Ok(Vec::new()) };
    let is_searchable = found.is_searchable();
    let mut tally = Tally { postings, definition, data_type: found.data_type(), counts: BTreeMap::new() };
    if wanted.filter.is_none() && is_searchable {
        tally.sizes()?;
    } else {
        let set = Asked::of(postings, &catalog, wanted)?.whole()?;
        if !is_searchable || !tally.walk(&set)? {
            tally.counts.clear();
            tally.read(&set)?;
        }
    }
    Ok(tally.counts.into_iter().collect())
}

/// What is asked of one entity type.
struct Asked<'a, P: ?Sized> {
    postings: &'a P,
    wanted: &'a Wanted,
    filter: Option<Part<'a>>,
}

impl<'a, P: Postings + ?Sized> Asked<'a, P> {
    fn of(postings: &'a P, catalog: &Arc<Catalog>, wanted: &'a Wanted) -> Result<Self> {
        let filter = wanted.filter.as_ref().map(|filter| Part::of(postings, catalog, filter)).transpose()?;
        Ok(Self { postings, wanted, filter })
    }

    fn begin(&mut self) -> Result<()> {
        self.filter.as_mut().map_or(Ok(()), |filter| filter.begin(self.postings))
    }

    fn last_chunk(&self) -> Result<u16> {
        Ok(split(self.postings.last_record()?).0)
    }

    fn restrict(&mut self, chunk: u16, candidates: &mut RoaringBitmap) -> Result<()> {
        match &mut self.filter {
            Some(filter) => filter.restrict(self.postings, chunk, candidates),
            None => Ok(()),
        }
    }

    /// Whether it costs the same for any number of candidates.
    fn is_settled(&self) -> bool {
        self.filter.as_ref().is_none_or(Part::is_settled)
    }

    /// All of a chunk who are wanted.
    fn chunk(&mut self, chunk: u16) -> Result<RoaringBitmap> {
        if let Some(filter) = self.filter.as_mut().filter(|filter| filter.is_known()) {
            return filter.known(self.postings, chunk);
        }
        let mut set = self.postings.living(&self.wanted.entity_type, chunk)?;
        self.restrict(chunk, &mut set)?;
        Ok(set)
    }

    /// All who are wanted.
    fn whole(&mut self) -> Result<Sets> {
        self.begin()?;
        let mut sets = Sets::new();
        for chunk in 0..=self.last_chunk()? {
            let set = self.chunk(chunk)?;
            if !set.is_empty() {
                sets.insert(chunk, set);
            }
        }
        Ok(sets)
    }

    /// The first who are wanted, by ordinal. No more is looked at than that needs.
    fn first(&mut self, after: Option<Ordinal>, wanted: usize) -> Result<Vec<Ordinal>> {
        let mut found = Vec::new();
        let mut block = FIRST_BLOCK;
        let begin = after.map_or(Some(Ordinal::default()), Ordinal::next);
        let Some((first, low)) = begin.map(split) else { return Ok(found) };
        self.begin()?;
        for chunk in first..=self.last_chunk()? {
            let low = if chunk == first { u32::from(low) } else { 0 };
            let mut take = |these: &RoaringBitmap| {
                found.extend(these.range(low..).take(wanted - found.len()).map(|low| ordinal(chunk, low)));
                found.len() == wanted
            };
            if self.is_settled() {
                if take(&self.chunk(chunk)?) {
                    break;
                }
                continue;
            }
            let mut left = self.postings.living(&self.wanted.entity_type, chunk)?;
            left.remove_range(..low);
            while !left.is_empty() {
                let mut these = if self.is_settled() { std::mem::take(&mut left) } else { split_off(&mut left, block) };
                block = block.saturating_mul(2);
                self.restrict(chunk, &mut these)?;
                if take(&these) {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }
}

/// Takes the first so many out of a set.
fn split_off(set: &mut RoaringBitmap, count: usize) -> RoaringBitmap {
    let taken: RoaringBitmap = set.iter().take(count).collect();
    *set -= &taken;
    taken
}

struct Tally<'a, P: ?Sized> {
    postings: &'a P,
    definition: DefinitionId,
    data_type: DataType,
    counts: BTreeMap<Value, u64>,
}

impl<P: Postings + ?Sized> Tally<'_, P> {
    /// Of all entities: the sizes tell it, but where texts were cut.
    fn sizes(&mut self) -> Result<()> {
        let (mut sizes, mut cut): (Vec<(Key, u64)>, Vec<Key>) = (Vec::new(), Vec::new());
        self.postings.sizes(self.definition, &all(), &mut |bytes, size| {
            match sizes.last_mut() {
                Some((key, sum)) if key.as_bytes() == bytes => *sum += size,
                _ => sizes.push((Key::load(bytes), size)),
            }
            ControlFlow::Continue(())
        })?;
        for (key, size) in sizes {
            match key.value(self.data_type)? {
                Some(value) => self.add(value, size),
                None => cut.push(key),
            }
        }
        for key in cut {
            let mut set = Sets::new();
            self.postings.walk(self.definition, &key.only(), Direction::Ascending, &mut |_, chunk, holders| {
                set.insert(chunk, holders.into_set());
                Ok(ControlFlow::Continue(()))
            })?;
            self.read(&set)?;
        }
        Ok(())
    }

    /// Of a set, by walking over the values; false if reading the entities is shorter.
    fn walk(&mut self, set: &Sets) -> Result<bool> {
        let mut steps = size(set).saturating_mul(PROBE).saturating_add(FIRST);
        let (definition, data_type, postings) = (self.definition, self.data_type, self.postings);
        let mut current: Option<(Key, Option<Value>)> = None;
        let mut cut = Sets::new();
        postings.walk(definition, &all(), Direction::Ascending, &mut |bytes, chunk, holders| {
            steps = steps.saturating_sub(1);
            if steps == 0 {
                return Ok(ControlFlow::Break(()));
            }
            let Some(set) = set.get(&chunk) else { return Ok(ControlFlow::Continue(())) };
            if current.as_ref().is_none_or(|(key, _)| key.as_bytes() != bytes) {
                let key = Key::load(bytes);
                let value = key.value(data_type)?;
                current = Some((key, value));
            }
            match &current {
                Some((_, Some(value))) => {
                    let count = holders.count_in(set);
                    if count > 0 {
                        self.add(value.clone(), count);
                    }
                }
                _ => *cut.entry(chunk).or_default() |= holders.of_those(set),
            }
            Ok(ControlFlow::Continue(()))
        })?;
        self.read(&cut)?;
        Ok(steps > 0)
    }

    /// Of a set, by reading what its entities hold.
    fn read(&mut self, set: &Sets) -> Result<()> {
        let all: Vec<Ordinal> = ordinals(set).collect();
        for block in all.chunks(BLOCK) {
            for value in self.postings.values(self.definition, block)?.into_iter().flatten() {
                self.add(value.normalized(), 1);
            }
        }
        Ok(())
    }

    fn add(&mut self, value: Value, count: u64) {
        *self.counts.entry(value).or_default() += count;
    }
}
