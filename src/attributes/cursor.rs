//! Where a page ended, as a text that a host hands out and gets back.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Rule, Violation};
use crate::filter::BoundFilter;
use crate::model::{Catalog, DataType, DefinitionId};
use crate::store::{BoundQuery, Rank};
use crate::violation::plural;

/// How many characters a checksum has.
const SUM: usize = 16;

/// Where a page ended: an opaque text, fit for an address. It goes with one query, whatever the limit.
///
/// It holds the place of the last entity in the query's order and not a number of pages, so it stays right while others
/// write: an entity that does not change is on one page, and on no other.
///
/// A cursor names what the query was bound to: the entity type, the filter with its values, and the attributes of filter and order
/// by the ids of their definitions and their data types. If any of that is another by now, because an attribute has another type,
/// was deleted and defined again, or because it is the cursor of another query, the order could mean something else, and the query
/// is refused ([`Rule::Cursor`]): start again without a cursor. Renaming an attribute changes nothing: the query names the attribute
/// by its new name, and goes on with the cursor that it has.
///
/// A text that was cut or changed is refused as soon as it is parsed. That is a safeguard against mistakes: the text is
/// neither secret nor signed, and whoever forges one reads what the query could have answered anyway.
///
/// # Sensitive values
///
/// The text contains, encoded but not encrypted, the values by which the query is ordered, as the last entity of the page holds them.
/// Where a query is ordered by a [sensitive](crate::DefinitionSpec::sensitive) attribute, do not put its cursors into URLs or logs.
/// `Debug` hides the text, so that the output of `Debug` for a page or a query does not contain it either. `Display`,
/// [`Cursor::as_str`] and the serialised form show it.
///
/// ```
/// use custom_attributes::{Attributes, DataType, DefinitionSpec, Direction, MemoryStore, Query};
/// let attributes = Attributes::new(MemoryStore::new());
/// let customers = attributes.of("customer")?;
/// customers.define(DefinitionSpec::integer("seats"))?;
/// for id in 1..=4 {
///     customers.set(id, "seats", id)?;
/// }
/// let first = customers.find(Query::all().order_by("seats", Direction::Ascending).limit(2))?;
/// let next = first.next.expect("there are more");
///
/// customers.rename("seats", "places")?;
/// let query = Query::all().order_by("places", Direction::Ascending).limit(2).after(next);
/// assert_eq!(customers.find(query.clone())?.entities.len(), 2);
///
/// // As texts, 10 comes before 2: the place is another.
/// customers.change("places", |spec| spec.of_type(DataType::String)).apply()?;
/// let refused = customers.find(query).unwrap_err();
/// assert!(refused.to_string().contains("start again without a cursor"));
/// assert!("not a cursor".parse::<custom_attributes::Cursor>().is_err());
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor(String);

impl Cursor {
    /// The place of an entity in the order of a query.
    pub(super) fn new(query: &BoundQuery, catalog: &Catalog, rank: &Rank) -> Self {
        // A tree of texts and numbers always has a JSON form.
        let place = serde_json::to_string(rank).unwrap_or_default();
        let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
        let text: String = place.bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        let meaning = meaning(query, catalog);
        Self(format!("{:016x}{meaning}{text}", checksum([&meaning, &place])))
    }

    /// The place, if the cursor goes with this query as it is bound now.
    pub(super) fn rank(&self, query: &BoundQuery, catalog: &Catalog) -> Result<Rank> {
        let (of, rank) = parts(&self.0).ok_or_else(|| malformed(&self.0))?;
        let is_typed = |(value, (id, _)): (&Option<_>, &(DefinitionId, _))| {
            value.as_ref().is_none_or(|value: &crate::Value| Some(value.data_type()) == type_of(catalog, *id))
        };
        if of == meaning(query, catalog)
            && rank.values.len() == query.order.len()
            && rank.values.iter().zip(&query.order).all(is_typed)
        {
            return Ok(rank);
        }
        let found = "of another query, or of attributes that have another definition or type by now";
        Err(Violation::new(Rule::Cursor, "of this query as it is now", found).into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is not quoted: it may have a value in it.
fn malformed(text: &str) -> Error {
    let count = text.chars().count();
    let found = format!("a text of {count} {}", plural(count, "character"));
    Violation::new(Rule::Cursor, "one that a page ended with, whole and unchanged", found).into()
}

/// What the query was bound to, and the place; none of a text that is no cursor.
fn parts(text: &str) -> Option<(&str, Rank)> {
    let (check, rest) = text.split_at_checked(SUM)?;
    let (meaning, place) = rest.split_at_checked(SUM)?;
    let bytes: Option<Vec<u8>> = place.as_bytes().chunks(2).map(byte).collect();
    let place = String::from_utf8(bytes?).ok()?;
    if check != format!("{:016x}", checksum([meaning, &place])) {
        return None;
    }
    Some((meaning, serde_json::from_str(&place).ok()?))
}

fn byte(digits: &[u8]) -> Option<u8> {
    let is_printed = digits.len() == 2 && digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    u8::from_str_radix(std::str::from_utf8(digits).ok().filter(|_| is_printed)?, 16).ok()
}

fn type_of(catalog: &Catalog, id: DefinitionId) -> Option<DataType> {
    catalog.get(id).map(|definition| definition.data_type())
}

/// What the order and the filter of a query mean, in 64 bits: equal for equal queries over the same definitions of the same types.
fn meaning(query: &BoundQuery, catalog: &Catalog) -> String {
    let mut text = query.wanted.entity_type.to_string();
    for (id, direction) in &query.order {
        text.push('\n');
        add_attribute(&mut text, *id, catalog);
        text.push_str(direction.as_str());
    }
    if let Some(filter) = &query.wanted.filter {
        text.push_str("\n\n");
        add_filter(&mut text, filter, catalog);
    }
    format!("{:016x}", checksum([&text, ""]))
}

fn add_attribute(text: &mut String, id: DefinitionId, catalog: &Catalog) {
    let data_type = type_of(catalog, id).map_or("", DataType::as_str);
    // Writing to a text does not fail.
    let _ = write!(text, "{id}:{data_type}:");
}

/// The depth of a bound filter is bounded.
fn add_filter(text: &mut String, filter: &BoundFilter, catalog: &Catalog) {
    let all = |text: &mut String, name: &str, parts: &[BoundFilter]| {
        text.push_str(name);
        for part in parts {
            add_filter(text, part, catalog);
            text.push(',');
        }
        text.push(')');
    };
    match filter {
        BoundFilter::Test(id, condition) => {
            add_attribute(text, *id, catalog);
            let _ = write!(text, "{condition}");
        }
        BoundFilter::Not(inner) => all(text, "not(", std::slice::from_ref(inner)),
        BoundFilter::And(parts) => all(text, "and(", parts),
        BoundFilter::Or(parts) => all(text, "or(", parts),
    }
}

/// FNV-1a of 64 bits, which stays the same over versions: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn checksum([first, second]: [&str; 2]) -> u64 {
    let bytes = first.bytes().chain([0]).chain(second.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursor(..)")
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    /// Takes a text that a cursor was printed as. Whether it is a cursor of a query, the query says.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a text that cannot be a cursor: it was cut, changed, or never was one.
    fn from_str(text: &str) -> Result<Self> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Cursor {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        if parts(&text).is_some() { Ok(Self(text)) } else { Err(malformed(&text)) }
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.0
    }
}
