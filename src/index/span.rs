//! A test whose keys have to be walked before it is known who meets it.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use roaring::RoaringBitmap;

use crate::error::Result;
use crate::filter::Condition;
use crate::index::postings::{BLOCK, Postings, Sets, ordinal, size, split};
use crate::index::{Holders, Key, Keys};
use crate::model::{DataType, DefinitionId, Ordinal};
use crate::store::{Direction, Way};

/// What it costs to look at the value of one entity, in steps of a walk over keys: in SQLite 25 to 70 were measured.
pub(super) const PROBE: u64 = 32;
/// How many steps are walked before it is asked whether another way is shorter.
pub(super) const FIRST: u64 = 256;

/// Which of the keys that are walked meet the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admitted {
    /// All of them.
    All,
    /// Those whose value does.
    ByValue(DataType),
}

/// Who meets a test is found by walking over keys, or by looking at what the candidates hold. Which is shorter shows only
/// on the way: before candidates are looked at, so many keys are walked as that would cost. So it costs at most twice what
/// the shorter way does.
#[derive(Debug)]
pub(crate) struct Span {
    definition: DefinitionId,
    condition: Condition,
    admitted: Admitted,
    /// Keys of texts that were cut, so that the holders have to be looked at.
    unsure_keys: Vec<Key>,
    /// What is left to be walked.
    left: VecDeque<Keys>,
    sure: Sets,
    unsure: Sets,
    /// How many steps were walked, and how many entities were read.
    walked: u64,
    read: u64,
}

impl Span {
    /// All values with these keys meet the test; of those whose key was cut, it has to be seen.
    pub(super) fn of(definition: DefinitionId, condition: Condition, keys: Vec<Keys>, unsure_keys: Vec<Key>) -> Self {
        let left = keys.into_iter().filter(|keys| keys.start < keys.end).collect();
        let (admitted, sure, unsure) = (Admitted::All, Sets::new(), Sets::new());
        Self { definition, condition, admitted, unsure_keys, left, sure, unsure, walked: 0, read: 0 }
    }

    /// Each key has to be looked at.
    pub(super) fn by_value(definition: DefinitionId, condition: Condition, data_type: DataType) -> Self {
        let span = Self::of(definition, condition, vec![crate::index::key::all()], Vec::new());
        Self { admitted: Admitted::ByValue(data_type), ..span }
    }

    pub(super) const fn way(&self) -> Way {
        Way::Walked { steps: self.walked, read: self.read }
    }

    pub(super) fn is_walked(&self) -> bool {
        self.left.is_empty()
    }

    /// Whether it is walked, and none of those who were found has to be looked at.
    pub(super) fn is_sure(&self) -> bool {
        self.is_walked() && self.unsure.is_empty()
    }

    pub(super) fn known(&self, chunk: u16) -> RoaringBitmap {
        self.sure.get(&chunk).cloned().unwrap_or_default()
    }

    /// How many are known to meet it, or may do so.
    pub(super) fn len(&self) -> u64 {
        size(&self.sure) + size(&self.unsure)
    }

    /// Whether the values with this key meet the test; none if some do and others may not.
    fn admits(&self, key: &[u8]) -> Result<Option<bool>> {
        match self.admitted {
            Admitted::All => Ok(Some(true).filter(|_| self.unsure_keys.iter().all(|unsure| unsure.as_bytes() != key))),
            Admitted::ByValue(data_type) => {
                Ok(Key::load(key).value(data_type)?.map(|value| self.condition.matches(Some(&value))))
            }
        }
    }

    /// Walks on until so many steps are done in all, and to the end of a key.
    pub(super) fn walk<P: Postings + ?Sized>(&mut self, postings: &P, steps: u64) -> Result<()> {
        while let Some(keys) = self.left.front().filter(|_| self.walked < steps).cloned() {
            let (mut current, mut admits, mut stopped) = (Vec::new(), None, None);
            let mut is_first = true;
            let mut ones = Vec::new();
            postings.walk(self.definition, &keys, Direction::Ascending, &mut |bytes, chunk, holders| {
                if is_first || current != bytes {
                    if self.walked >= steps {
                        stopped = Some(Key::load(bytes));
                        return Ok(ControlFlow::Break(()));
                    }
                    is_first = false;
                    current.clear();
                    current.extend_from_slice(bytes);
                    admits = self.admits(bytes)?;
                }
                self.walked += 1;
                match (admits, holders) {
                    (Some(true), Holders::Few(few)) => {
                        ones.extend(few.iter().map(|low| ordinal(chunk, u32::from(*low)).get()));
                    }
                    (Some(true), holders) => holders.add_to(self.sure.entry(chunk).or_default()),
                    (Some(false), _) => {}
                    (None, holders) => holders.add_to(self.unsure.entry(chunk).or_default()),
                }
                Ok(ControlFlow::Continue(()))
            })?;
            self.add_all(ones);
            match (stopped, self.left.front_mut()) {
                (Some(key), Some(keys)) => keys.start = key,
                _ => {
                    self.left.pop_front();
                    self.walked += 1;
                }
            }
        }
        Ok(())
    }

    /// Adds many at once, which is shorter than one by one.
    fn add_all(&mut self, mut ones: Vec<u32>) {
        ones.sort_unstable();
        ones.dedup();
        for these in ones.chunk_by(|a, b| a >> 16 == b >> 16) {
            let chunk = these.first().map_or(0, |one| split(Ordinal::new(*one)).0);
            let these = RoaringBitmap::from_sorted_iter(these.iter().map(|one| one & 0xffff));
            *self.sure.entry(chunk).or_default() |= these.unwrap_or_default();
        }
    }

    /// How many meet it, if that can be told from the keys alone, before any is walked.
    pub(super) fn count<P: Postings + ?Sized>(&self, postings: &P) -> Result<Option<u64>> {
        if self.admitted == Admitted::All && self.unsure_keys.is_empty() {
            let totals = self.left.iter().map(|keys| postings.total(self.definition, keys));
            return totals.sum::<Result<u64>>().map(Some);
        }
        let mut total = 0;
        let mut failed = Ok(true);
        for keys in &self.left {
            postings.sizes(self.definition, keys, &mut |bytes, size| {
                match self.admits(bytes) {
                    Ok(Some(admits)) => total += if admits { size } else { 0 },
                    Ok(None) => failed = Ok(false),
                    Err(error) => failed = Err(error),
                }
                if matches!(failed, Ok(true)) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
        }
        Ok(failed?.then_some(total))
    }

    /// Leaves the candidates that meet it.
    pub(super) fn restrict<P: Postings + ?Sized>(
        &mut self,
        postings: &P,
        chunk: u16,
        candidates: &mut RoaringBitmap,
    ) -> Result<()> {
        let read = self.read.saturating_add(candidates.len());
        self.walk(postings, read.saturating_mul(PROBE))?;
        if !self.is_walked() {
            self.read = read;
            return probe(postings, self.definition, &self.condition, chunk, candidates);
        }
        let mut unsure = self.unsure.get(&chunk).map(|unsure| unsure & &*candidates).unwrap_or_default();
        match self.sure.get(&chunk) {
            Some(sure) => *candidates &= sure,
            None => candidates.clear(),
        }
        if unsure.is_empty() {
            return Ok(());
        }
        self.read = self.read.saturating_add(unsure.len());
        probe(postings, self.definition, &self.condition, chunk, &mut unsure)?;
        *candidates |= unsure;
        Ok(())
    }
}

/// Leaves the candidates whose value meets the condition.
pub(super) fn probe<P: Postings + ?Sized>(
    postings: &P,
    definition: DefinitionId,
    condition: &Condition,
    chunk: u16,
    candidates: &mut RoaringBitmap,
) -> Result<()> {
    let all: Vec<u32> = candidates.iter().collect();
    for block in all.chunks(BLOCK) {
        let ordinals: Vec<Ordinal> = block.iter().map(|low| ordinal(chunk, *low)).collect();
        let values = postings.values(definition, &ordinals)?;
        for (low, value) in block.iter().zip(values) {
            if !condition.matches(value.as_ref()) {
                candidates.remove(*low);
            }
        }
    }
    Ok(())
}
