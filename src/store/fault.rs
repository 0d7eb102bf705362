//! What can be wrong with an index.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{DefinitionId, EntityKey, Ordinal, Value};
use crate::violation::shorten;

/// A difference between an index and the records that it is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fault {
    /// Whether something is missing or too much.
    pub kind: FaultKind,
    /// The definition; 0 if it is about which entities of a type there are.
    pub definition: DefinitionId,
    /// The name of the definition, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// The value; none if it is about whether any is held, about texts that are longer than the index keeps, or about a sensitive
    /// attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The ordinal of the entity.
    pub ordinal: Ordinal,
    /// The entity, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<EntityKey>,
}

/// What kind of difference it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// The entity is not found by what it holds.
    Missing,
    /// The entity is found by what it does not hold.
    Surplus,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.entity {
            Some(entity) => write!(f, "{entity} ")?,
            None => write!(f, "the entity with the ordinal {}, which is not there, ", self.ordinal)?,
        }
        f.write_str(match self.kind {
            FaultKind::Missing => "is not found by ",
            FaultKind::Surplus => "is wrongly found by ",
        })?;
        match (&self.attribute, &self.value) {
            (Some(attribute), Some(value)) => write!(f, "`{attribute}` = {:?}", shorten(value.to_string())),
            (Some(attribute), None) => write!(f, "`{attribute}`"),
            (None, _) if self.definition == DefinitionId::default() => f.write_str("its type"),
            (None, _) => write!(f, "the definition {}, which is not there or not searchable", self.definition),
        }
    }
}
