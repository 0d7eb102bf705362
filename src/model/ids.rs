//! The numbers that things are known by inside a store.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Rule, Violation};

/// The greatest commit id and the greatest revision: a store has fewer than 2^53 commits, and each moves a revision once.
pub(crate) const MAX_COUNT: u64 = (1 << 53) - 1;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name($inner);

        impl $name {
            /// The id with this number.
            pub const fn new(number: $inner) -> Self {
                Self(number)
            }

            /// The number itself.
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// The number of a commit: 1 for the first of a store, rising by 1 with each.
    CommitId(u64)
}

number! {
    /// A counter that moves with every commit that touches its entity (or the catalog): 0 before the first one.
    ///
    /// ```
    /// use custom_attributes::Revision;
    /// assert_eq!(Revision::ABSENT.next(), Revision::new(1));
    /// ```
    Revision(u64)
}

impl Revision {
    /// The revision of an entity that was never written. Expect it to say "only if it is new".
    pub const ABSENT: Self = Self(0);

    /// The revision after this one.
    ///
    /// ```
    /// # use custom_attributes::Revision;
    /// assert_eq!(Revision::new(7).next().get(), 8);
    /// ```
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

number! {
    /// The dense number that a store gives an entity at its first write: 1 to [`Ordinal::MAX`].
    Ordinal(u32)
}

impl Ordinal {
    /// The last ordinal, and so the number of entities that one store can hold: 4,294,967,295.
    pub const MAX: Self = Self(u32::MAX);

    /// The ordinal after this one; none after the last.
    ///
    /// ```
    /// # use custom_attributes::Ordinal;
    /// assert_eq!(Ordinal::new(1).next(), Some(Ordinal::new(2)));
    /// assert_eq!(Ordinal::MAX.next(), None);
    /// ```
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }
}

number! {
    /// The number of a definition in its store: 1 to [`DefinitionId::MAX`], never used again after a deletion.
    DefinitionId(u32)
}

impl DefinitionId {
    /// The last definition id, and so the number of definitions that one store can ever make: 1,048,575.
    pub const MAX: Self = Self((1 << DEFINITION_BITS) - 1);

    /// The id after this one; none after the last.
    ///
    /// ```
    /// # use custom_attributes::DefinitionId;
    /// assert_eq!(DefinitionId::new(1).next(), Some(DefinitionId::new(2)));
    /// assert_eq!(DefinitionId::MAX.next(), None);
    /// ```
    pub const fn next(self) -> Option<Self> {
        if self.0 < Self::MAX.0 { Some(Self(self.0 + 1)) } else { None }
    }
}

const DEFINITION_BITS: u32 = 20;

/// The id of one value: which entity's value of which definition.
///
/// It is positive, below 2^53 (so that JavaScript keeps it), and stays the same while the value changes.
///
/// ```
/// use custom_attributes::{DefinitionId, Ordinal, ValueId};
/// let id = ValueId::of(Ordinal::new(1), DefinitionId::new(7));
/// assert_eq!(id.get(), (1 << 20) + 7);
/// assert_eq!(ValueId::new(id.get())?, id);
/// assert!(ValueId::new(0).is_err());
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ValueId(u64);

impl ValueId {
    /// The id of what this entity holds for this definition.
    ///
    /// ```
    /// # use custom_attributes::{DefinitionId, Ordinal, ValueId};
    /// assert_eq!(ValueId::of(Ordinal::MAX, DefinitionId::MAX).get(), (1 << 52) - 1);
    /// ```
    pub fn of(ordinal: Ordinal, definition: DefinitionId) -> Self {
        Self((u64::from(ordinal.0) << DEFINITION_BITS) | u64::from(definition.0))
    }

    /// Takes a number that was once given out as a value id.
    ///
    /// # Errors
    /// A number that no value can have.
    ///
    /// ```
    /// # use custom_attributes::ValueId;
    /// assert!(ValueId::new(1_048_583).is_ok());
    /// let error = ValueId::new(7).unwrap_err();
    /// assert_eq!(error.to_string(), "a value id is a number from 1048577 to 4503599627370495, not 7");
    /// ```
    pub fn new(number: u64) -> crate::Result<Self> {
        let id = Self(number);
        let ordinal = number >> DEFINITION_BITS;
        if ordinal == 0 || ordinal > u64::from(u32::MAX) || id.definition().get() == 0 {
            let limit = format!("{} to {}", Self::of(Ordinal(1), DefinitionId(1)), Self::of(Ordinal::MAX, DefinitionId::MAX));
            return Err(Violation::new(Rule::ValueId, limit, number).into());
        }
        Ok(id)
    }

    /// The number itself.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The entity's ordinal.
    ///
    /// ```
    /// # use custom_attributes::ValueId;
    /// assert_eq!(ValueId::new(1_048_583)?.ordinal().get(), 1);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    #[allow(clippy::cast_possible_truncation)] // `new` and `of` admit nothing wider
    pub const fn ordinal(self) -> Ordinal {
        Ordinal((self.0 >> DEFINITION_BITS) as u32)
    }

    /// The definition's id.
    ///
    /// ```
    /// # use custom_attributes::ValueId;
    /// assert_eq!(ValueId::new(1_048_583)?.definition().get(), 7);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    #[allow(clippy::cast_possible_truncation)] // masked to 20 bits
    pub const fn definition(self) -> DefinitionId {
        DefinitionId((self.0 & (DefinitionId::MAX.0 as u64)) as u32)
    }
}

impl fmt::Display for ValueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for ValueId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
