//! Who holds a value: the entities of one chunk.

use std::sync::Arc;

use roaring::RoaringBitmap;

/// How many entities a set of bits spells out as a list; above, a bitmap takes less.
#[cfg(feature = "sqlite")]
const MAX_LISTED: usize = 16;

/// A set of entities of one chunk, never empty. Most values of a number or a date have one holder in a chunk.
#[derive(Debug, Clone)]
pub(crate) enum Holders {
    One(u16),
    Many(Arc<RoaringBitmap>),
}

impl Holders {
    /// The set of these; none if there are none.
    pub(crate) fn of(set: RoaringBitmap) -> Option<Self> {
        match (set.len(), set.min()) {
            (1, Some(one)) => Some(Self::One(low(one))),
            (_, None) => None,
            _ => Some(Self::Many(Arc::new(set))),
        }
    }

    pub(crate) fn insert(&mut self, low: u16) {
        match self {
            Self::One(one) if *one == low => {}
            Self::One(one) => *self = Self::Many(Arc::new([*one, low].into_iter().map(u32::from).collect())),
            Self::Many(set) => _ = Arc::make_mut(set).insert(u32::from(low)),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::One(_) => 1,
            Self::Many(set) => set.len(),
        }
    }

    /// Adds those who are here.
    pub(crate) fn add_to(&self, set: &mut RoaringBitmap) {
        match self {
            Self::One(one) => _ = set.insert(u32::from(*one)),
            Self::Many(many) => *set |= &**many,
        }
    }

    /// Those of a set that are here.
    pub(crate) fn of_those(&self, set: &RoaringBitmap) -> RoaringBitmap {
        match self {
            Self::One(one) => [u32::from(*one)].into_iter().filter(|one| set.contains(*one)).collect(),
            Self::Many(many) => &**many & set,
        }
    }

    /// How many of the candidates are here.
    pub(crate) fn count_in(&self, candidates: &RoaringBitmap) -> u64 {
        match self {
            Self::One(one) => u64::from(candidates.contains(u32::from(*one))),
            Self::Many(set) => set.intersection_len(candidates),
        }
    }

    pub(crate) fn into_set(self) -> RoaringBitmap {
        match self {
            Self::One(one) => RoaringBitmap::from_iter([u32::from(one)]),
            Self::Many(set) => Arc::unwrap_or_clone(set),
        }
    }

    /// The set after some came and some went.
    pub(crate) fn flipped(before: Option<Self>, added: &[u16], removed: &[u16]) -> Option<Self> {
        if let (None, &[one], []) = (&before, added, removed) {
            return Some(Self::One(one));
        }
        let mut set = before.map(Self::into_set).unwrap_or_default();
        for one in removed {
            set.remove(u32::from(*one));
        }
        set.extend(added.iter().map(|one| u32::from(*one)));
        Self::of(set)
    }
}

#[allow(clippy::cast_possible_truncation)] // what is cut off is zero: a set is of one chunk
const fn low(one: u32) -> u16 {
    one as u16
}

/// A few as a list of 16 bits each, many in the portable format of roaring bitmaps
/// (<https://github.com/RoaringBitmap/RoaringFormatSpec>).
#[cfg(feature = "sqlite")]
impl Holders {
    pub(crate) fn to_bytes(&self) -> crate::Result<Vec<u8>> {
        match self {
            Self::One(one) => Ok(one.to_le_bytes().into()),
            Self::Many(set) if set.len() <= MAX_LISTED as u64 => Ok(set.iter().flat_map(|one| low(one).to_le_bytes()).collect()),
            Self::Many(set) => {
                let mut set = RoaringBitmap::clone(set);
                set.optimize();
                let mut bytes = Vec::with_capacity(set.serialized_size());
                set.serialize_into(&mut bytes).map_err(|error| crate::Error::backend("writing an index", error))?;
                Ok(bytes)
            }
        }
    }

    pub(crate) fn from_bytes(count: u64, bytes: &[u8]) -> crate::Result<Self> {
        let damaged = || crate::Error::corrupt("an index has a set that cannot be read; make it anew with `rebuild_index`");
        if count > MAX_LISTED as u64 {
            let set = RoaringBitmap::deserialize_from(bytes).ok().filter(|set| set.len() == count && set.max() < Some(1 << 16));
            return set.and_then(Self::of).ok_or_else(damaged);
        }
        if bytes.len() as u64 != 2 * count {
            return Err(damaged());
        }
        let mut listed = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        if let (1, Some(one)) = (count, listed.next()) {
            return Ok(Self::One(one));
        }
        let listed = bytes.chunks_exact(2).map(|pair| u32::from(u16::from_le_bytes([pair[0], pair[1]])));
        RoaringBitmap::from_sorted_iter(listed).ok().and_then(Self::of).ok_or_else(damaged)
    }
}
