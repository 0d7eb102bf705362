//! Where a page ended, as a text that a host hands out and gets back.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Rule, Violation};
use crate::store::Rank;

/// Where a page ended. An opaque text, fit for an address; it belongs to one query, whatever the limit.
///
/// It holds the place of the last entity in the query's order and not a number of pages, so it stays right while others
/// write: an entity that does not change is on one page, and on no other.
///
/// A text that was cut, changed or given to another query is refused. That is a safeguard against mistakes: the text is
/// neither secret nor signed, and whoever forges one reads what the query could have answered anyway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    pub(super) fn new(mark: &str, rank: &Rank) -> Self {
        // A tree of texts and numbers always has a JSON form.
        let place = serde_json::to_string(rank).unwrap_or_default();
        let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
        let text: String = place.bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        Self(format!("{:016x}{text}", checksum(mark, &place)))
    }

    /// The place, if the cursor belongs to the query with this mark.
    pub(super) fn rank(&self, mark: &str, values: usize) -> Result<Rank> {
        let wrong =
            || Error::from(Violation::new(Rule::Cursor, "the cursor of a page of this same query, as it was given", &self.0));
        let (check, place) = self.0.split_at_checked(16).ok_or_else(wrong)?;
        let bytes: Option<Vec<u8>> = place.as_bytes().chunks(2).map(byte).collect();
        let place = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(wrong)?;
        if check != format!("{:016x}", checksum(mark, &place)) {
            return Err(wrong());
        }
        let rank: Rank = serde_json::from_str(&place).map_err(|_| wrong())?;
        if rank.values.len() == values { Ok(rank) } else { Err(wrong()) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn byte(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 2)?, 16).ok()
}

/// FNV-1a of 64 bits, which stays the same over versions: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn checksum(mark: &str, place: &str) -> u64 {
    let bytes = mark.bytes().chain([0]).chain(place.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Cursor {
    type Err = std::convert::Infallible;

    /// Any text is taken; the query says whether it is a cursor of its own.
    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}
