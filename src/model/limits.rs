//! What a host allows: plain data, with the published limits of the field as presets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::error::{Rule, Violation};
use crate::model::{Definition, EntityType, Name, Retention, Value};

/// What happens when a value is set for a name that is not defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Undefined {
    /// It is an error: definitions are required.
    #[default]
    Reject,
    /// The name is defined as a STRING of at most so many characters, in the same commit.
    DefineAsString {
        /// The greatest length of its values in characters.
        max_chars: u32,
    },
}

/// What a host allows. A limit can be set lower than its default, never higher.
///
/// ```
/// use custom_attributes::{Limits, Undefined};
/// assert_eq!(Limits::typed().string_chars, 4096);
/// assert_eq!(Limits::key_value().undefined, Undefined::DefineAsString { max_chars: 150 });
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// The greatest length of a name in characters: 256.
    pub name_chars: usize,
    /// The greatest length of a STRING in characters: 4096. A definition may set less for itself.
    pub string_chars: usize,
    /// The greatest number of choices of one definition: 5000.
    pub choices: usize,
    /// The greatest size of a compiled pattern in bytes: 1 MiB.
    pub pattern_bytes: usize,
    /// The greatest length of a description, a group, an example, a pattern or the name of a dependent in characters: 4096.
    pub documentation_chars: usize,
    /// The greatest number of examples, and of dependents, of one definition: 100.
    pub documentation_items: usize,
    /// The greatest length of a commit's actor and note in characters: 1024.
    pub commit_chars: usize,
    /// What happens when a value is set for a name that is not defined.
    pub undefined: Undefined,
    /// The same for single entity types, where it differs.
    pub undefined_of: BTreeMap<EntityType, Undefined>,
    /// How long history is kept, where a definition does not say otherwise: forever.
    pub retention: Retention,
}

impl Limits {
    /// Typed definitions, as the messaging platforms have them: names of 256 characters, strings of 4096, definitions required.
    ///
    /// ```
    /// # use custom_attributes::Limits;
    /// let limits = Limits::typed();
    /// assert_eq!((limits.name_chars, limits.string_chars, limits.choices), (256, 4096, 5000));
    /// ```
    pub const fn typed() -> Self {
        Self {
            name_chars: Name::MAX_CHARS,
            string_chars: Value::MAX_CHARS,
            choices: 5000,
            pattern_bytes: 1 << 20,
            documentation_chars: 4096,
            documentation_items: 100,
            commit_chars: 1024,
            undefined: Undefined::Reject,
            undefined_of: BTreeMap::new(),
            retention: Retention::Forever,
        }
    }

    /// Free key-value pairs, as the telecom CRMs have them: strings of 150 characters, an unknown name defines itself as STRING.
    ///
    /// ```
    /// # use custom_attributes::Limits;
    /// assert_eq!(Limits::key_value().string_chars, 150);
    /// ```
    pub const fn key_value() -> Self {
        let mut limits = Self::typed();
        limits.string_chars = 150;
        limits.undefined = Undefined::DefineAsString { max_chars: 150 };
        limits
    }

    /// What happens to unknown names of this entity type.
    ///
    /// ```
    /// use custom_attributes::{EntityType, Limits, Undefined};
    /// let site = EntityType::new("site")?;
    /// let mut limits = Limits::typed();
    /// limits.undefined_of.insert(site.clone(), Undefined::DefineAsString { max_chars: 150 });
    /// assert_eq!(limits.undefined_for(&site), Undefined::DefineAsString { max_chars: 150 });
    /// assert_eq!(limits.undefined_for(&EntityType::new("customer")?), Undefined::Reject);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn undefined_for(&self, entity_type: &EntityType) -> Undefined {
        self.undefined_of.get(entity_type).copied().unwrap_or(self.undefined)
    }

    /// How long the history of this definition is kept.
    ///
    /// ```
    /// # use custom_attributes::{Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Retention};
    /// # let (id, entity_type) = (DefinitionId::new(1), EntityType::new("customer")?);
    /// let mut limits = Limits::typed();
    /// limits.retention = Retention::days(365);
    /// let seen = Definition::new(id, entity_type, DefinitionSpec::date("last seen"), &limits)?;
    /// assert_eq!(limits.retention_of(&seen), Retention::days(365));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn retention_of(&self, definition: &Definition) -> Retention {
        definition.spec().retention.unwrap_or(self.retention)
    }

    /// Checks that no limit is beyond its bound.
    ///
    /// # Errors
    /// Names each limit that is.
    ///
    /// ```
    /// # use custom_attributes::Limits;
    /// let mut limits = Limits::typed();
    /// limits.name_chars = 257;
    /// assert_eq!(limits.check().unwrap_err().to_string(), "the settings take 1 to 256 as name_chars, not 257");
    /// ```
    pub fn check(&self) -> Result<()> {
        let most = Self::typed();
        let each = [
            ("name_chars", self.name_chars, most.name_chars),
            ("string_chars", self.string_chars, most.string_chars),
            ("choices", self.choices, most.choices),
            ("pattern_bytes", self.pattern_bytes, most.pattern_bytes),
            ("documentation_chars", self.documentation_chars, most.documentation_chars),
            ("documentation_items", self.documentation_items, most.documentation_items),
            ("commit_chars", self.commit_chars, most.commit_chars),
        ];
        let mut violations = Vec::new();
        for (field, found, bound) in each {
            if found == 0 || found > bound {
                violations.push(Violation::new(Rule::Limits, format!("1 to {bound} as {field}"), found));
            }
        }
        let undefined = self.undefined_of.values().chain([&self.undefined]);
        for max_chars in undefined.filter_map(|undefined| match undefined {
            Undefined::DefineAsString { max_chars } => Some(*max_chars as usize),
            Undefined::Reject => None,
        }) {
            if max_chars == 0 || max_chars > self.string_chars {
                let limit = format!("1 to {} (string_chars) as max_chars of undefined names", self.string_chars);
                violations.push(Violation::new(Rule::Limits, limit, max_chars));
            }
        }
        crate::error::Violations::into_result(violations)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::typed()
    }
}
