//! Who holds a value: the entities of one chunk.

use std::sync::Arc;

use roaring::RoaringBitmap;
use smallvec::{SmallVec, smallvec};

/// How many entities a set spells out as a list; above, a bitmap takes less.
const MAX_LISTED: usize = 16;

/// A set of entities of one chunk, never empty. Most values of a number or a date have few holders in a chunk.
#[derive(Debug, Clone)]
pub(crate) enum Holders {
    /// In order.
    Few(SmallVec<[u16; 4]>),
    Many(Arc<RoaringBitmap>),
}

impl Holders {
    pub(crate) fn one(low: u16) -> Self {
        Self::Few(smallvec![low])
    }

    /// The set of these; none if there are none.
    pub(crate) fn of(set: RoaringBitmap) -> Option<Self> {
        match usize::try_from(set.len()) {
            Ok(0) => None,
            Ok(1..=MAX_LISTED) => Some(Self::Few(set.iter().map(low).collect())),
            _ => Some(Self::Many(Arc::new(set))),
        }
    }

    pub(crate) fn insert(&mut self, low: u16) {
        match self {
            Self::Few(few) => {
                if let Err(at) = few.binary_search(&low) {
                    few.insert(at, low);
                }
                if few.len() > MAX_LISTED {
                    *self = Self::Many(Arc::new(set_of(few)));
                }
            }
            Self::Many(set) => _ = Arc::make_mut(set).insert(u32::from(low)),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Few(few) => few.len() as u64,
            Self::Many(set) => set.len(),
        }
    }

    pub(crate) fn first(&self) -> Option<u32> {
        match self {
            Self::Few(few) => few.first().map(|one| u32::from(*one)),
            Self::Many(set) => set.min(),
        }
    }

    /// Adds those who are here.
    pub(crate) fn add_to(&self, set: &mut RoaringBitmap) {
        match self {
            Self::Few(few) => set.extend(few.iter().map(|one| u32::from(*one))),
            Self::Many(many) => *set |= &**many,
        }
    }

    /// Those of a set that are here.
    pub(crate) fn of_those(&self, set: &RoaringBitmap) -> RoaringBitmap {
        match self {
            Self::Few(few) => few.iter().map(|one| u32::from(*one)).filter(|one| set.contains(*one)).collect(),
            Self::Many(many) => &**many & set,
        }
    }

    /// How many of a set are here.
    pub(crate) fn count_in(&self, set: &RoaringBitmap) -> u64 {
        match self {
            Self::Few(few) => few.iter().filter(|one| set.contains(u32::from(**one))).count() as u64,
            Self::Many(many) => many.intersection_len(set),
        }
    }

    pub(crate) fn into_set(self) -> RoaringBitmap {
        match self {
            Self::Few(few) => set_of(&few),
            Self::Many(set) => Arc::unwrap_or_clone(set),
        }
    }

    /// The set after some came and some went.
    pub(crate) fn flipped(before: Option<Self>, added: &[u16], removed: &[u16]) -> Option<Self> {
        if let (None, &[one], []) = (&before, added, removed) {
            return Some(Self::one(one));
        }
        let mut set = before.map(Self::into_set).unwrap_or_default();
        set -= set_of(removed);
        set |= set_of(added);
        Self::of(set)
    }
}

fn set_of(these: &[u16]) -> RoaringBitmap {
    let these = these.iter().map(|one| u32::from(*one));
    // Those who come in order, as in a load, are only put behind each other.
    RoaringBitmap::from_sorted_iter(these.clone()).unwrap_or_else(|_| these.collect())
}

#[allow(clippy::cast_possible_truncation)] // what is cut off is zero: a set is of one chunk
const fn low(one: u32) -> u16 {
    one as u16
}

#[cfg(feature = "sqlite")]
pub(crate) fn unreadable() -> crate::Error {
    crate::Error::corrupt("the index has a set that cannot be read (`rebuild_index` rebuilds an index)")
}

/// In the portable format of roaring bitmaps (<https://github.com/RoaringBitmap/RoaringFormatSpec>).
#[cfg(feature = "sqlite")]
pub(crate) fn bitmap_to_bytes(mut set: RoaringBitmap) -> crate::Result<Vec<u8>> {
    set.optimize();
    let mut bytes = Vec::with_capacity(set.serialized_size());
    set.serialize_into(&mut bytes).map_err(|error| crate::Error::backend("writing a set of entities", error))?;
    Ok(bytes)
}

/// A few as a list of 16 bits each, many as a bitmap.
#[cfg(feature = "sqlite")]
impl Holders {
    pub(crate) fn to_bytes(&self) -> crate::Result<Vec<u8>> {
        match self {
            Self::Few(few) => Ok(few.iter().flat_map(|one| one.to_le_bytes()).collect()),
            Self::Many(set) => bitmap_to_bytes(RoaringBitmap::clone(set)),
        }
    }

    pub(crate) fn from_bytes(count: u64, bytes: &[u8]) -> crate::Result<Self> {
        if count > MAX_LISTED as u64 {
            let set = RoaringBitmap::deserialize_from(bytes).ok().filter(|set| set.len() == count && set.max() < Some(1 << 16));
            return set.and_then(Self::of).ok_or_else(unreadable);
        }
        let few: SmallVec<_> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        let is_sound = count > 0 && bytes.len() as u64 == 2 * count && few.is_sorted_by(|a, b| a < b);
        if is_sound { Ok(Self::Few(few)) } else { Err(unreadable()) }
    }
}
