//! The name of an attribute, and when two names are the same.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicase::UniCase;
use unicode_normalization::{UnicodeNormalization, is_nfc};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::Result;
use crate::error::{Rule, Violation};

/// An attribute's name, such as `Contract Expiry Date`: kept as given (trimmed, in NFC), equal without regard to case.
///
/// Equality is that of `NFC(full case fold(NFC(name)))`: ß = ss = SS, Kelvin K = k, ς = σ, and no locale's rules (ı is not i).
///
/// ```
/// use custom_attributes::Name;
/// assert_eq!(Name::new("Straße")?, Name::new(" STRASSE ")?);
/// assert_ne!(Name::new("ı")?, Name::new("i")?);
/// assert!(Name::new("zero\u{200b}width").is_err());
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Name {
    text: Box<str>,
    key: Box<str>,
}

impl Name {
    /// The greatest length in characters (Unicode scalar values, counted in NFC).
    pub const MAX_CHARS: usize = 256;

    /// Which folding makes the keys. Stores record it, and rebuild their keys when it changes.
    pub const FOLDING: &'static str = "NFC(unicase 2 full fold(NFC))";

    /// Takes a name.
    ///
    /// # Errors
    /// A name without a character or with over 256, or one with a control, format (zero-width, bidi), private-use or
    /// unassigned character, or one of `{ } [ ]`.
    ///
    /// ```
    /// use custom_attributes::Name;
    /// assert_eq!(Name::new(" Cafe\u{301} ")?.as_str(), "Café");
    /// let error = Name::new("a[0]").unwrap_err();
    /// assert_eq!(error.violations()[0].found, "U+005B");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn new(text: &str) -> Result<Self> {
        Ok(Self::checked(text, Self::MAX_CHARS)?)
    }

    pub(crate) fn checked(given: &str, max_chars: usize) -> Result<Self, Violation> {
        let trimmed = given.trim();
        // Of what NFC makes from more bytes than this, at least `max_chars` characters are left: no need to compose a megabyte.
        if trimmed.len() > max_chars.saturating_mul(4 * LONGEST_DECOMPOSITION) {
            return Err(too_long(trimmed.chars().count(), max_chars).of(given));
        }
        let text = nfc(trimmed);
        let chars = text.chars().count();
        if chars == 0 || chars > max_chars {
            return Err(too_long(chars, max_chars).of(given));
        }
        if let Some(bad) = text.chars().find(|c| !is_allowed(*c)) {
            let limit = "no control, format, private-use or unassigned characters and none of { } [ ]";
            return Err(Violation::new(Rule::NameCharacters, limit, format!("U+{:04X}", u32::from(bad))).of(given));
        }
        Ok(Self { key: fold(&text).into(), text: text.into() })
    }

    /// Stands in for a refused name while the rest of its definition is checked.
    pub(super) fn stand_in() -> Self {
        Self { text: Box::default(), key: Box::default() }
    }

    /// The name as it is shown.
    ///
    /// ```
    /// # use custom_attributes::Name;
    /// assert_eq!(Name::new(" Contract Expiry Date ")?.as_str(), "Contract Expiry Date");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The folded key: two names are the same if their keys are.
    ///
    /// ```
    /// # use custom_attributes::Name;
    /// assert_eq!(Name::new("Straße")?.key(), "strasse");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The key of any text, without a look at whether it could be a name: to look one up.
    ///
    /// ```
    /// assert_eq!(custom_attributes::Name::key_of(" External_CRM_id"), "external_crm_id");
    /// ```
    pub fn key_of(text: &str) -> String {
        Self::folded(text.trim())
    }

    /// Any text as it is compared where case is not to matter.
    pub(crate) fn folded(text: &str) -> String {
        fold(&nfc(text))
    }
}

/// No character takes more than this many in canonical decomposition.
const LONGEST_DECOMPOSITION: usize = 4;

fn too_long(chars: usize, max_chars: usize) -> Violation {
    Violation::new(Rule::NameLength, format!("1 to {max_chars}"), chars)
}

fn is_allowed(c: char) -> bool {
    is_visible(c) && !matches!(c, '{' | '}' | '[' | ']')
}

/// Whether a person can see the character, and sees the same everywhere.
pub(crate) fn is_visible(c: char) -> bool {
    use GeneralCategory::{Control, Format, PrivateUse, Surrogate, Unassigned};
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    !matches!(c.general_category(), Control | Format | PrivateUse | Surrogate | Unassigned)
}

fn nfc(text: &str) -> Cow<'_, str> {
    if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let folded = UniCase::unicode(text).to_folded_case();
    if is_nfc(&folded) { folded } else { folded.nfc().collect() }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl std::hash::Hash for Name {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
