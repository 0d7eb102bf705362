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
