//! What a store has of an entity type.

use std::path::Path;
use std::sync::Arc;

use custom_attributes::{Definition, EntityType, View};

use crate::csv_support::Result;

/// The definitions of the type; a type without any is most likely a slip.
pub(crate) fn definitions(view: &View<'_>, db: &Path, entity_type: &EntityType) -> Result<Vec<Arc<Definition>>> {
    let definitions: Vec<_> = view.catalog().of(entity_type).into_iter().cloned().collect();
    if definitions.is_empty() {
        let types: Vec<_> = view.catalog().entity_types().iter().map(|other| other.as_str().to_owned()).collect();
        let has = if types.is_empty() { "no attributes at all".to_owned() } else { format!("those of {}", types.join(", ")) };
        return Err(format!("{} has no attributes of `{entity_type}`; it has {has}", db.display()).into());
    }
    Ok(definitions)
}
