//! Records by dense ordinal, in two levels of chunks that are copied only while a snapshot holds them.

use std::sync::Arc;

use crate::model::{EntityRecord, Ordinal};

const FAN: usize = 256;

type Leaf = Vec<Option<Arc<EntityRecord>>>;
type Branch = Vec<Arc<Leaf>>;

#[derive(Clone, Default)]
pub(super) struct Records {
    root: Arc<Vec<Arc<Branch>>>,
}

/// Ordinals start at 1; chunks at 0.
fn split(ordinal: Ordinal) -> Option<(usize, usize, usize)> {
    let index = ordinal.get().checked_sub(1)? as usize;
    Some((index / FAN / FAN, index / FAN % FAN, index % FAN))
}

impl Records {
    pub(super) fn get(&self, ordinal: Ordinal) -> Option<&Arc<EntityRecord>> {
        let (root, branch, leaf) = split(ordinal)?;
        self.root.get(root)?.get(branch)?.get(leaf)?.as_ref()
    }

    /// The records after this ordinal, in order. Ordinals without a record cost nothing: whole chunks of them are skipped.
    pub(super) fn after(&self, after: Ordinal) -> impl Iterator<Item = &Arc<EntityRecord>> {
        let first = after.get() as usize;
        let (root, branch, leaf) = (first / FAN / FAN, first / FAN % FAN, first % FAN);
        let roots = self.root.iter().enumerate().skip(root);
        let branches = roots.flat_map(move |(at, branches)| {
            let is_first = at == root;
            let leaves = branches.iter().enumerate().skip(if is_first { branch } else { 0 });
            leaves.flat_map(move |(at, leaves)| leaves.iter().skip(if is_first && at == branch { leaf } else { 0 }))
        });
        branches.flatten()
    }

    /// The greatest ordinal of a record; 0 if there is none.
    pub(super) fn last(&self) -> Ordinal {
        let leaves = self.root.iter().rev().flat_map(|branches| branches.iter().rev());
        leaves.flat_map(|leaves| leaves.iter().rev()).flatten().next().map_or(Ordinal::default(), |record| record.ordinal())
    }

    pub(super) fn put(&mut self, record: Arc<EntityRecord>) {
        let Some((root, branch, leaf)) = split(record.ordinal()) else { return };
        let branch = entry(Arc::make_mut(entry(Arc::make_mut(&mut self.root), root)), branch);
        *entry(Arc::make_mut(branch), leaf) = Some(record);
    }

    pub(super) fn take_out(&mut self, ordinal: Ordinal) {
        let Some((root, branch, leaf)) = split(ordinal) else { return };
        let branch = entry(Arc::make_mut(entry(Arc::make_mut(&mut self.root), root)), branch);
        *entry(Arc::make_mut(branch), leaf) = None;
    }
}

fn entry<T: Clone + Default>(chunk: &mut Vec<T>, index: usize) -> &mut T {
    if chunk.len() <= index {
        chunk.resize(index + 1, T::default());
    }
    &mut chunk[index]
}
