//! The definitions of an entity type as a document.

use serde::{Deserialize, Serialize};

use crate::error::{Result, Rule, Violation};
use crate::model::{DefinitionSpec, EntityType};

const FORMAT: &str = "custom-attributes/definitions";
const VERSION: u32 = 1;

/// The definitions of one entity type, to be kept, compared, and declared elsewhere.
///
/// ```
/// use custom_attributes::{Attributes, DefinitionExport, DefinitionSpec, MemoryStore};
/// let attributes = Attributes::new(MemoryStore::new());
/// attributes.of("customer")?.define(DefinitionSpec::decimal("credit_limit").minimum(rust_decimal::Decimal::ZERO))?;
/// let json = attributes.of("customer")?.export_definitions()?.to_json();
/// let elsewhere = Attributes::new(MemoryStore::new());
/// elsewhere.of("customer")?.import_definitions(&DefinitionExport::from_json(&json)?).apply()?;
/// assert_eq!(elsewhere.of("customer")?.export_definitions()?.to_json(), json);
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DefinitionExport {
    format: String,
    version: u32,
    /// The entity type that they were exported from.
    pub entity_type: EntityType,
    /// The definitions, in the order of their making.
    pub definitions: Vec<DefinitionSpec>,
}

impl DefinitionExport {
    pub(super) fn new(entity_type: EntityType, definitions: Vec<DefinitionSpec>) -> Self {
        Self { format: FORMAT.to_owned(), version: VERSION, entity_type, definitions }
    }

    /// The document as JSON.
    pub fn to_json(&self) -> String {
        // A tree of texts and numbers always has a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads the document from JSON.
    ///
    /// # Errors
    /// A text that is no such document, or one of a newer version.
    pub fn from_json(json: &str) -> Result<Self> {
        let wrong =
            |found: String| Violation::new(Rule::Grammar, "a document of definitions, as exported", found).of("the import");
        let export: Self = serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
        if export.format != FORMAT || export.version != VERSION {
            let found = format!("{} version {} (this is {FORMAT} version {VERSION})", export.format, export.version);
            return Err(wrong(found).into());
        }
        Ok(export)
    }
}
