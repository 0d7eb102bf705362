//! The keys of entities by ordinal. Every page of keys asks for them, and a key that was committed never changes.

use std::sync::{PoisonError, RwLock};

use crate::hash::HashMap;
use crate::model::{EntityId, EntityKey, EntityType, Ordinal};

/// Neighbours stand together: entities that were written together are often found together.
const NEIGHBOURS: usize = 64;
/// So many bytes of blocks are kept, then it begins anew: about 2,000,000 integers of one type, or 300,000 short texts.
const MAX_BYTES: usize = 16 << 20;

/// Keys that were read once, of committed entities only.
#[derive(Default)]
pub(super) struct KeptKeys {
    blocks: RwLock<Blocks>,
}

#[derive(Default)]
struct Blocks {
    blocks: HashMap<u32, Block>,
    bytes: usize,
}

/// What is known of neighbours.
enum Block {
    /// Most hosts count their records: integers of one type, of which the bits of `known` say which are there.
    Integers {
        entity_type: EntityType,
        ids: Box<[i64; NEIGHBOURS]>,
        known: u64,
    },
    Keys(Box<[Option<EntityKey>]>),
}

impl KeptKeys {
    /// The keys of these, where they are kept.
    pub(super) fn get(&self, ordinals: &[Ordinal]) -> Vec<Option<EntityKey>> {
        let kept = self.blocks.read().unwrap_or_else(PoisonError::into_inner);
        let mut last = None;
        let mut one = |ordinal: &Ordinal| {
            let (number, within) = place(*ordinal);
            let block = match last {
                Some((found, block)) if found == number => block,
                _ => last.insert((number, kept.blocks.get(&number))).1,
            };
            block.and_then(|block: &Block| block.get(within))
        };
        ordinals.iter().map(&mut one).collect()
    }

    pub(super) fn keep<'a>(&self, keys: impl Iterator<Item = (Ordinal, &'a EntityKey)>) {
        let mut kept = self.blocks.write().unwrap_or_else(PoisonError::into_inner);
        keys.for_each(|(ordinal, key)| kept.keep(ordinal, key));
    }

    /// Of an entity that is erased.
    pub(super) fn forget(&self, ordinal: Ordinal) {
        let (number, _) = place(ordinal);
        let mut kept = self.blocks.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = kept.blocks.remove(&number) {
            kept.bytes -= block.bytes();
        }
    }
}

impl Blocks {
    fn keep(&mut self, ordinal: Ordinal, key: &EntityKey) {
        let (number, within) = place(ordinal);
        if self.bytes > MAX_BYTES {
            *self = Self::default();
        }
        let block = self.blocks.entry(number).or_insert_with(|| {
            let block = Block::of(key);
            self.bytes += block.bytes();
            block
        });
        if !block.fits(key) {
            self.bytes -= block.bytes();
            *block = Block::Keys((0..NEIGHBOURS).map(|within| block.get(within)).collect());
            self.bytes += block.bytes();
        }
        block.set(within, key);
    }
}

impl Block {
    fn of(key: &EntityKey) -> Self {
        match key.id().as_integer() {
            Some(_) => Self::Integers { entity_type: key.entity_type().clone(), ids: Box::new([0; NEIGHBOURS]), known: 0 },
            None => Self::Keys(vec![None; NEIGHBOURS].into()),
        }
    }

    /// Without the texts that stand elsewhere for their length.
    fn bytes(&self) -> usize {
        size_of::<(u32, Self)>()
            + match self {
                Self::Integers { ids, .. } => size_of_val(&**ids),
                Self::Keys(keys) => size_of_val(&**keys),
            }
    }

    fn fits(&self, key: &EntityKey) -> bool {
        match self {
            Self::Integers { entity_type, .. } => key.id().as_integer().is_some() && entity_type == key.entity_type(),
            Self::Keys(_) => true,
        }
    }

    fn get(&self, within: usize) -> Option<EntityKey> {
        match self {
            Self::Integers { entity_type, ids, known } => {
                let id = ids.get(within).filter(|_| known >> within & 1 == 1)?;
                Some(EntityKey::of(entity_type.clone(), EntityId::from(*id)))
            }
            Self::Keys(keys) => keys.get(within).cloned().flatten(),
        }
    }

    /// Of a key that fits.
    fn set(&mut self, within: usize, key: &EntityKey) {
        match self {
            Self::Integers { ids, known, .. } => {
                if let (Some(slot), Some(id)) = (ids.get_mut(within), key.id().as_integer()) {
                    *slot = id;
                    *known |= 1 << within;
                }
            }
            Self::Keys(keys) => {
                if let Some(slot) = keys.get_mut(within) {
                    *slot = Some(key.clone());
                }
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation)] // 64 fit into any number
const fn place(ordinal: Ordinal) -> (u32, usize) {
    let neighbours = NEIGHBOURS as u32;
    (ordinal.get() / neighbours, (ordinal.get() % neighbours) as usize)
}
