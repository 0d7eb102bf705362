//! What breaks a rule: plain data, with a sentence for a person.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::model::{Definition, EntityKey, is_visible};

/// Stands in a violation, and in the output of `Debug`, for a value of a sensitive attribute.
pub(crate) const REDACTED: &str = "a sensitive value";

/// How many characters of a found text a violation repeats.
const SHOWN_CHARS: usize = 80;

/// The rule that was broken. Serialises in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// The form of an entity type.
    EntityType,
    /// The form of an entity id.
    EntityId,
    /// The range of a value id.
    ValueId,
    /// The length of a name.
    NameLength,
    /// The characters that a name may have.
    NameCharacters,
    /// A name belongs to one definition only.
    NameUnique,
    /// A name must be defined before it is used.
    Defined,
    /// The data type of a value.
    DataType,
    /// The data type of a definition that exists already.
    DefinedDataType,
    /// The way a value of the type is written.
    Grammar,
    /// The range of the type itself.
    Range,
    /// How many significant digits a DECIMAL can have.
    SignificantDigits,
    /// The characters that a text may have.
    Characters,
    /// A rule that has no meaning for the data type.
    Applicable,
    /// Rules that no value could meet together.
    Contradiction,
    /// How much one definition may carry: choices, pattern, documentation.
    Size,
    /// The required rule.
    Required,
    /// The unique rule.
    Unique,
    /// The least number or the earliest day.
    Minimum,
    /// The greatest number or the latest day.
    Maximum,
    /// The least number of characters.
    MinimumChars,
    /// The greatest number of characters.
    MaximumChars,
    /// How many digits a DECIMAL may have after its point.
    FractionDigits,
    /// The pattern that a text must match in full.
    Pattern,
    /// The closed list of values.
    Choices,
    /// A value can only be moved from where there is one.
    Held,
    /// A value can only be moved to where there is none.
    Vacant,
    /// An entity is saved with one value of each attribute.
    Once,
    /// A definition that holds values or has dependents is not deleted by accident.
    InUse,
    /// The bounds of a listing's page or limit.
    Page,
    /// The bounds of a commit's actor and note.
    Commit,
    /// The bounds of the settings themselves.
    Limits,
    /// The way a filter is written.
    FilterSyntax,
    /// The bounds of a filter.
    FilterSize,
    /// What can be asked of an attribute of this type.
    FilterTest,
    /// A cursor belongs to one query, and to attributes as they were then.
    Cursor,
    /// Entities are found by searchable attributes.
    Searchable,
    /// A value becomes one of another type only if it can be that exactly.
    Conversion,
    /// A value becomes one of another type only with the same text, unless numbers are converted by value; see
    /// [`crate::SchemaPlan::numbers_by_value`].
    ConversionText,
    /// What was changed again since is not undone with the rest.
    Superseded,
    /// What is in history no longer is not brought back.
    Forgotten,
    /// Only what is marked as sensitive is erased by itself.
    Sensitive,
    /// A sensitive value is moved or restored only to an attribute that is marked as sensitive.
    SensitiveTarget,
    /// An entity that is erased is not changed in the same batch.
    Erased,
    /// Two attributes are merged where an entity holds one of them, or the same for both.
    Merge,
}

impl Rule {
    /// The error code that goes with the rule; see [`crate::Error::code`].
    pub const fn code(self) -> u32 {
        match self {
            Self::NameUnique | Self::Unique => 40002,
            Self::Defined | Self::Held => 40404,
            Self::InUse => 40901,
            Self::Forgotten => 41000,
            _ => 40000,
        }
    }

    /// Which texts of its violations repeat a value of the attribute. There is no wildcard, so that whoever adds a rule decides it.
    const fn repeats(self) -> Repeats {
        match self {
            Self::Grammar
            | Self::Range
            | Self::SignificantDigits
            | Self::Unique
            | Self::Minimum
            | Self::Maximum
            | Self::FractionDigits
            | Self::Pattern
            | Self::Choices
            | Self::Vacant
            | Self::Conversion
            | Self::ConversionText
            | Self::Superseded => Repeats::Found,
            Self::Merge => Repeats::FoundAndLimit,
            Self::EntityType
            | Self::EntityId
            | Self::ValueId
            | Self::NameLength
            | Self::NameCharacters
            | Self::NameUnique
            | Self::Defined
            | Self::DataType
            | Self::DefinedDataType
            | Self::Characters
            | Self::Applicable
            | Self::Contradiction
            | Self::Size
            | Self::Required
            | Self::MinimumChars
            | Self::MaximumChars
            | Self::Held
            | Self::Once
            | Self::InUse
            | Self::Page
            | Self::Commit
            | Self::Limits
            | Self::FilterSyntax
            | Self::FilterSize
            | Self::FilterTest
            | Self::Cursor
            | Self::Searchable
            | Self::Forgotten
            | Self::Sensitive
            | Self::SensitiveTarget
            | Self::Erased => Repeats::Nothing,
        }
    }

    /// Whether its sentence says by itself what it speaks of.
    const fn has_subject(self) -> bool {
        use Rule::{
            Commit, Cursor, EntityId, EntityType, Erased, FilterSize, FilterSyntax, Limits, NameCharacters, NameLength, Page,
            ValueId,
        };
        matches!(
            self,
            Commit
                | Cursor
                | EntityId
                | EntityType
                | Erased
                | FilterSize
                | FilterSyntax
                | Limits
                | NameCharacters
                | NameLength
                | Page
                | ValueId
        )
    }
}

/// Which texts of a violation repeat a value.
enum Repeats {
    Nothing,
    Found,
    FoundAndLimit,
}

/// One broken rule: where, which, its limit, and what was found instead.
///
/// Of an attribute that is or was once marked as sensitive no value is repeated: `found` is `a sensitive value` then. Lengths and
/// types are told, and so is what the asker of a filter wrote where it cannot be read as a filter at all.
///
/// ```
/// use custom_attributes::{DataType, Rule, Value};
/// let error = Value::parse(DataType::Date, "2023-02-29").unwrap_err();
/// let violation = &error.violations()[0];
/// assert_eq!(violation.rule, Rule::Grammar);
/// assert_eq!(violation.found, "2023-02-29");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Violation {
    /// The change's place in its batch, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<usize>,
    /// The place in the text of a filter, in characters that a person sees, from 1. These are the extended grapheme clusters of
    /// UAX #29: a letter with its combining marks is one, and so is a family of emoji.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// The entity that was to be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<EntityKey>,
    /// The attribute's name, as it is defined or, where it is not, as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// The rule.
    pub rule: Rule,
    /// What the rule allows.
    pub limit: String,
    /// What was found. A long text is cut, and says so.
    pub found: String,
}

impl Violation {
    /// A violation without a place.
    pub fn new(rule: Rule, limit: impl fmt::Display, found: impl fmt::Display) -> Self {
        let found = shorten(found.to_string());
        Self { place: None, position: None, entity: None, attribute: None, rule, limit: limit.to_string(), found }
    }

    /// The same, of this attribute.
    #[must_use]
    pub fn of(mut self, attribute: impl Into<String>) -> Self {
        self.attribute = Some(shorten(attribute.into()));
        self
    }

    /// The same, of an attribute that is defined: its name is given, and its values are taken out if it is sensitive. Every
    /// violation that may repeat a value of a definition is made by this.
    #[must_use]
    pub(crate) fn about(self, definition: &Definition) -> Self {
        let violation = self.of(definition.name().as_str());
        if definition.is_sensitive() { violation.redacted() } else { violation }
    }

    /// The same without values.
    pub(crate) fn redacted(mut self) -> Self {
        match self.rule.repeats() {
            Repeats::Nothing => {}
            Repeats::Found => REDACTED.clone_into(&mut self.found),
            Repeats::FoundAndLimit => {
                REDACTED.clone_into(&mut self.found);
                REDACTED.clone_into(&mut self.limit);
            }
        }
        self
    }

    /// The same, at this place in a batch and of this entity.
    #[must_use]
    pub fn at(mut self, place: usize, entity: Option<&EntityKey>) -> Self {
        self.place = Some(place);
        self.entity = entity.cloned();
        self
    }

    /// The same, at this place in the text of a filter.
    #[must_use]
    pub(crate) const fn in_filter(mut self, position: Option<usize>) -> Self {
        self.position = position;
        self
    }
}

/// The beginning of a long text, with a note of its length.
pub(crate) fn shorten(text: String) -> String {
    let Some((cut, _)) = text.char_indices().nth(SHOWN_CHARS) else { return text };
    // No half of what a person sees as one character, unless there is nothing else.
    let starts = text.grapheme_indices(true).map(|(start, _)| start).take_while(|start| *start <= cut);
    let cut = starts.last().filter(|start| *start > 0).unwrap_or(cut);
    format!("{}… ({} characters)", &text[..cut], text.chars().count())
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place {
            write!(f, "change {place}: ")?;
        }
        if let Some(position) = self.position.filter(|_| self.rule != Rule::FilterSyntax) {
            write!(f, "character {position}: ")?;
        }
        if let Some(entity) = &self.entity {
            write!(f, "{}: ", Visible(&entity.to_string()))?;
        }
        match (&self.attribute, self.rule) {
            (Some(attribute), Rule::NameLength | Rule::NameCharacters) => write!(f, "`{}` is not a name: ", Visible(attribute))?,
            (Some(_), Rule::NameUnique) => {}
            (Some(attribute), _) => write!(f, "`{}` ", Visible(attribute))?,
            (None, Rule::Grammar) => return write!(f, "{} is not {}", Quoted(&self.found), Visible(&self.limit)),
            (None, rule) if rule.has_subject() => {}
            (None, _) => f.write_str("the value ")?,
        }
        let Self { limit, found, .. } = self;
        let (limit, found, quoted) = (Visible(limit), Visible(found), Quoted(found));
        let characters = plural(limit.0, "character");
        match self.rule {
            Rule::EntityType => write!(f, "an entity type is {limit}, not {quoted}"),
            Rule::EntityId => write!(f, "an entity id is {limit}, not {quoted}"),
            Rule::ValueId => write!(f, "a value id is a number from {limit}, not {found}"),
            Rule::NameLength => write!(f, "a name has {limit} characters, not {found}"),
            Rule::NameCharacters => write!(f, "a name has {limit}; found {found}"),
            Rule::NameUnique => {
                let by = if limit.0 == found.0 { String::new() } else { format!(", `{limit}`") };
                write!(
                    f,
                    "the name `{found}` is taken by another attribute of the same entity type{by}; choose another \
                     name, or rename that attribute (names are compared without case)"
                )
            }
            Rule::Defined if limit.0.is_empty() => write!(f, "is not defined for `{found}`; define it first"),
            Rule::Defined => write!(f, "is not defined for `{found}`; did you mean {limit}? If not, define it first"),
            Rule::DataType => write!(f, "is {limit}, but was given {found}"),
            Rule::DefinedDataType => write!(f, "is defined as {limit}, and cannot be declared as {found}; `change` converts it"),
            Rule::Grammar => write!(f, "takes {limit}, not {quoted}"),
            Rule::Range => write!(f, "takes {limit}, not {found}"),
            Rule::SignificantDigits => write!(f, "takes at most {limit} significant {}, not {found}", plural(limit.0, "digit")),
            Rule::Characters => write!(f, "takes {limit}; found {found}"),
            Rule::Applicable => write!(f, "has a rule that makes sense for {limit} only: {found}"),
            Rule::Contradiction => write!(f, "has rules that contradict each other: {limit}, but {found}"),
            Rule::Size => write!(f, "takes {limit}, not {found}"),
            Rule::Required => write!(f, "is required, and would be {found}: {limit}"),
            Rule::Unique => write!(f, "is unique, and {quoted} is held by {limit} already"),
            Rule::Minimum => write!(f, "takes no less than {limit}, not {found}"),
            Rule::Maximum => write!(f, "takes no more than {limit}, not {found}"),
            Rule::MinimumChars => write!(f, "takes at least {limit} {characters}, not {found}"),
            Rule::MaximumChars => write!(f, "takes at most {limit} {characters}, not {found}"),
            Rule::FractionDigits => write!(f, "takes at most {limit} {} after the point, not {found}", plural(limit.0, "digit")),
            Rule::Pattern => write!(f, "takes only what matches `{limit}` in full, not {quoted}"),
            Rule::Choices => write!(f, "takes only {limit}, not {quoted}"),
            Rule::Held => write!(f, "holds no value that could be moved"),
            Rule::Vacant => write!(f, "holds {quoted} already; clear it before `{limit}` is moved here"),
            Rule::Once => write!(f, "is given twice; an entity holds one value of each attribute"),
            Rule::InUse => write!(f, "is in use: {found}; {limit}"),
            Rule::Page => write!(f, "a listing takes {limit}, not {found}"),
            Rule::Commit => write!(f, "a commit's actor and note have {limit}, not {found}"),
            Rule::Limits => write!(f, "the settings take {limit}, not {found}"),
            Rule::FilterSyntax => {
                let position = self.position.unwrap_or_default();
                write!(f, "the filter expects {limit} at character {position}, not {found}")
            }
            Rule::FilterSize => write!(f, "a filter has {limit}, not {found}"),
            Rule::Cursor => write!(f, "the cursor is {found}, not {limit}; start again without a cursor"),
            Rule::Searchable => write!(f, "is not searchable; `make_searchable` makes its index"),
            Rule::Conversion => write!(f, "cannot be {limit} exactly where it is {quoted}"),
            Rule::ConversionText => write!(
                f,
                "cannot be {limit} exactly, because {quoted} would not keep its text; correct it, or convert numbers by value"
            ),
            // Of a definition: a value has its entity.
            Rule::Superseded if self.entity.is_none() && found.0 != "deleted" => write!(
                f,
                "was changed again after {limit}, so {limit} cannot be undone as it is; undo the later changes of the definition \
                 first, or change the definition by itself"
            ),
            Rule::Superseded if self.entity.is_none() => write!(
                f,
                "was deleted after {limit}, so {limit} cannot be undone as it is; bring the definition back with \
                 `restore_definition` first"
            ),
            Rule::Superseded => write!(f, "was changed after {limit}, and is {found} now; restore it by itself if that is meant"),
            Rule::Forgotten => write!(f, "is not known as of {limit}: its history was pruned, or is not kept"),
            Rule::Sensitive => {
                write!(
                    f,
                    "was never marked as sensitive, and only sensitive values are erased; mark it as sensitive first, or clear the value"
                )
            }
            Rule::SensitiveTarget => {
                let attribute = Visible(self.attribute.as_deref().unwrap_or_default());
                write!(f, "is not marked as sensitive, and {limit} is; mark `{attribute}` as sensitive first")
            }
            Rule::Erased => write!(f, "an entity that is erased is not changed otherwise in the same batch"),
            Rule::Merge => write!(f, "holds {limit}, and the attribute that is merged into it {quoted}"),
            Rule::FilterTest => write!(f, "is {found}, and `{limit}` is asked of STRING only"),
        }
    }
}

impl std::error::Error for Violation {}

/// A text for a message: what could not be seen, or would break or turn the line, is spelled out.
pub(crate) struct Visible<'a>(pub(crate) &'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| if is_visible(c) { write!(f, "{c}") } else { write!(f, "{}", c.escape_unicode()) })
    }
}

/// A text in quotation marks, unless it stands for a value that is not told.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == REDACTED { f.write_str(REDACTED) } else { write!(f, "{:?}", self.0) }
    }
}

/// The noun in the number that the count asks for.
pub(crate) fn plural(count: impl fmt::Display, noun: &str) -> String {
    if count.to_string() == "1" { noun.to_owned() } else { format!("{noun}s") }
}

/// One or more violations: all that a batch has, in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Violations(Vec<Violation>);

/// How many violations the message of an error spells out; the data has them all.
const SPELLED_OUT: usize = 5;

impl Violations {
    /// An error if there are any, in the order of their places.
    pub(crate) fn into_result(mut violations: Vec<Violation>) -> crate::Result<()> {
        if violations.is_empty() {
            return Ok(());
        }
        violations.sort_by_key(|v| v.place);
        Err(crate::Error::Invalid(Self(violations)))
    }

    /// The same, where there is but one change that they can be of.
    pub(crate) fn without_places(mut self) -> Self {
        self.0.iter_mut().for_each(|violation| violation.place = None);
        self
    }

    /// All of them.
    pub fn as_slice(&self) -> &[Violation] {
        &self.0
    }

    /// The violations as plain data.
    pub fn into_vec(self) -> Vec<Violation> {
        self.0
    }

    pub(crate) fn code(&self) -> u32 {
        let first = self.0.first().map_or(40000, |v| v.rule.code());
        if self.0.iter().all(|v| v.rule.code() == first) { first } else { 40000 }
    }
}

impl From<Violation> for Violations {
    fn from(violation: Violation) -> Self {
        Self(vec![violation])
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, violation) in self.0.iter().take(SPELLED_OUT).enumerate() {
            write!(f, "{}{violation}", if n == 0 { "" } else { "; " })?;
        }
        match self.0.len().saturating_sub(SPELLED_OUT) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl std::error::Error for Violations {}
