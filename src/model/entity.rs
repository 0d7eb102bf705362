//! The key of a record of the host: its type and its id.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

use crate::Result;
use crate::error::{Rule, Violation};

/// The kind of record that attributes hang on, such as `customer`: case-sensitive, cheap to clone.
///
/// ```
/// use custom_attributes::EntityType;
/// assert_eq!(EntityType::new("customer")?.as_str(), "customer");
/// assert!(EntityType::new("2nd customer").is_err());
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityType(SmolStr);

impl EntityType {
    /// The greatest length in characters.
    pub const MAX_CHARS: usize = 64;

    /// Takes 1–64 characters of `A-Z a-z 0-9 _ - .`, first a letter.
    ///
    /// # Errors
    /// Anything else.
    ///
    /// ```
    /// # use custom_attributes::EntityType;
    /// let error = EntityType::new("").unwrap_err();
    /// assert_eq!(error.to_string(), "an entity type is 1 to 64 of A-Z a-z 0-9 _ - . and first a letter, not \"\"");
    /// ```
    pub fn new(text: &str) -> Result<Self> {
        let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        let good = text.len() <= Self::MAX_CHARS
            && text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            && text.bytes().all(inner);
        if good {
            Ok(Self(text.into()))
        } else {
            Err(Violation::new(Rule::EntityType, "1 to 64 of A-Z a-z 0-9 _ - . and first a letter", text).into())
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for EntityType {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl fmt::Display for EntityType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for EntityType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EntityType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The host's own id of a record: an `i64`, or a text of 1–255 characters without control characters.
///
/// A text that is the canonical form of an `i64` is that integer, so `123` and `"123"` are one id; `"007"` is a text.
/// Integers sort before texts. Serialises as a number or a text.
///
/// ```
/// use custom_attributes::EntityId;
/// assert_eq!(EntityId::from(123), EntityId::parse("123")?);
/// assert_eq!(EntityId::parse("007")?.as_text(), Some("007"));
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId(Repr);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Repr {
    Integer(i64),
    Text(SmolStr),
}

impl EntityId {
    /// The greatest length of a text in characters.
    pub const MAX_CHARS: usize = 255;

    /// Takes an id from its text.
    ///
    /// # Errors
    /// An empty text, one of over 255 characters, or one with a control character.
    ///
    /// ```
    /// # use custom_attributes::EntityId;
    /// assert_eq!(EntityId::parse("-5")?.as_integer(), Some(-5));
    /// assert!(EntityId::parse("line\nbreak").is_err());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        if let Some(number) = canonical_integer(text) {
            return Ok(Self(Repr::Integer(number)));
        }
        // A text of at most 255 bytes cannot have more characters than that.
        let long = text.len() > Self::MAX_CHARS && text.chars().count() > Self::MAX_CHARS;
        if text.is_empty() || long || text.chars().any(char::is_control) {
            let limit = "an integer of 64 bits, or a text of 1 to 255 characters without control characters";
            return Err(Violation::new(Rule::EntityId, limit, text).into());
        }
        Ok(Self(Repr::Text(text.into())))
    }

    /// The integer, if it is one.
    ///
    /// ```
    /// # use custom_attributes::EntityId;
    /// assert_eq!(EntityId::parse("123")?.as_integer(), Some(123));
    /// assert_eq!(EntityId::parse("0123")?.as_integer(), None);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn as_integer(&self) -> Option<i64> {
        match self.0 {
            Repr::Integer(number) => Some(number),
            Repr::Text(_) => None,
        }
    }

    /// The text, if it is not an integer.
    ///
    /// ```
    /// # use custom_attributes::EntityId;
    /// assert_eq!(EntityId::parse("c-7")?.as_text(), Some("c-7"));
    /// assert_eq!(EntityId::parse("7")?.as_text(), None);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn as_text(&self) -> Option<&str> {
        match &self.0 {
            Repr::Integer(_) => None,
            Repr::Text(text) => Some(text),
        }
    }
}

fn canonical_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = match digits.as_bytes() {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if canonical { text.parse().ok() } else { None }
}

impl From<i64> for EntityId {
    fn from(number: i64) -> Self {
        Self(Repr::Integer(number))
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Integer(number) => number.fmt(f),
            Repr::Text(text) => f.write_str(text),
        }
    }
}

impl Serialize for EntityId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Repr::Integer(number) => serializer.serialize_i64(*number),
            Repr::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for EntityId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = EntityId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer of 64 bits or a text")
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<EntityId, E> {
                Ok(number.into())
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<EntityId, E> {
                number.into_entity_id().map_err(E::custom)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<EntityId, E> {
                EntityId::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// What can be given as an entity id: integers, texts, and ids themselves.
///
/// ```
/// use custom_attributes::IntoEntityId;
/// assert_eq!(7u64.into_entity_id()?, "7".into_entity_id()?);
/// assert!(u64::MAX.into_entity_id().is_err());
/// # Ok::<(), custom_attributes::Error>(())
/// ```
pub trait IntoEntityId {
    /// Turns it into an id.
    ///
    /// # Errors
    /// A text or a number that cannot be one.
    fn into_entity_id(self) -> Result<EntityId>;
}

macro_rules! integer_ids {
    ($($from:ty)*) => {$(
        impl IntoEntityId for $from {
            fn into_entity_id(self) -> Result<EntityId> {
                Ok(EntityId::from(i64::from(self)))
            }
        }
    )*};
}
integer_ids!(i8 i16 i32 i64 u8 u16 u32);

impl IntoEntityId for u64 {
    fn into_entity_id(self) -> Result<EntityId> {
        let integer = i64::try_from(self);
        integer.map(EntityId::from).map_err(|_| Violation::new(Rule::EntityId, "an integer of 64 bits with a sign", self).into())
    }
}

impl IntoEntityId for &str {
    fn into_entity_id(self) -> Result<EntityId> {
        EntityId::parse(self)
    }
}

impl IntoEntityId for &String {
    fn into_entity_id(self) -> Result<EntityId> {
        EntityId::parse(self)
    }
}

impl IntoEntityId for String {
    fn into_entity_id(self) -> Result<EntityId> {
        EntityId::parse(&self)
    }
}

impl IntoEntityId for EntityId {
    fn into_entity_id(self) -> Result<EntityId> {
        Ok(self)
    }
}

impl IntoEntityId for &EntityId {
    fn into_entity_id(self) -> Result<EntityId> {
        Ok(self.clone())
    }
}

/// An entity: its type and its id.
///
/// ```
/// use custom_attributes::EntityKey;
/// let key = EntityKey::new("customer", 123)?;
/// assert_eq!(key.to_string(), "customer/123");
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityKey {
    entity_type: EntityType,
    entity_id: EntityId,
}

impl EntityKey {
    /// Takes an entity type and an id.
    ///
    /// # Errors
    /// A type or an id that is not well formed.
    ///
    /// ```
    /// # use custom_attributes::EntityKey;
    /// assert_eq!(EntityKey::new("customer", "123")?, EntityKey::new("customer", 123)?);
    /// assert!(EntityKey::new("customer", "").is_err());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn new(entity_type: &str, id: impl IntoEntityId) -> Result<Self> {
        Ok(Self::of(EntityType::new(entity_type)?, id.into_entity_id()?))
    }

    /// Puts the two together.
    ///
    /// ```
    /// # use custom_attributes::{EntityId, EntityKey, EntityType};
    /// let key = EntityKey::of(EntityType::new("site")?, EntityId::from(7));
    /// assert_eq!(key.to_string(), "site/7");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn of(entity_type: EntityType, entity_id: EntityId) -> Self {
        Self { entity_type, entity_id }
    }

    /// The kind of record.
    ///
    /// ```
    /// # use custom_attributes::EntityKey;
    /// assert_eq!(EntityKey::new("customer", 123)?.entity_type().as_str(), "customer");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn entity_type(&self) -> &EntityType {
        &self.entity_type
    }

    /// The host's id.
    ///
    /// ```
    /// # use custom_attributes::EntityKey;
    /// assert_eq!(EntityKey::new("customer", 123)?.id().as_integer(), Some(123));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn id(&self) -> &EntityId {
        &self.entity_id
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.entity_type, self.entity_id)
    }
}

/// What can be given as an entity: a key, or a type and an id.
///
/// ```
/// use custom_attributes::{EntityKey, IntoEntityKey};
/// assert_eq!(("customer", 123).into_entity_key()?, EntityKey::new("customer", 123)?);
/// # Ok::<(), custom_attributes::Error>(())
/// ```
pub trait IntoEntityKey {
    /// Turns it into a key.
    ///
    /// # Errors
    /// A type or an id that is not well formed.
    fn into_entity_key(self) -> Result<EntityKey>;
}

impl IntoEntityKey for EntityKey {
    fn into_entity_key(self) -> Result<EntityKey> {
        Ok(self)
    }
}

impl IntoEntityKey for &EntityKey {
    fn into_entity_key(self) -> Result<EntityKey> {
        Ok(self.clone())
    }
}

impl<I: IntoEntityId> IntoEntityKey for (&str, I) {
    fn into_entity_key(self) -> Result<EntityKey> {
        EntityKey::new(self.0, self.1)
    }
}

impl<I: IntoEntityId> IntoEntityKey for (&EntityType, I) {
    fn into_entity_key(self) -> Result<EntityKey> {
        Ok(EntityKey::of(self.0.clone(), self.1.into_entity_id()?))
    }
}
