//! A value with all that is known of it.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::model::{Catalog, CommitId, Definition, EntityKey, EntityRecord, Held, Stamp, Value, ValueId};
use crate::store::{Snapshot, Stamps};

/// A value with its id, its times and its actors.
///
/// Serialises with `id`, `entity_type`, `entity_id`, `attribute` (the name), `value`, `created` and `modified`.
/// `Debug` hides the value of a sensitive attribute.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ValueDetail {
    /// The id of the value.
    pub id: ValueId,
    /// The entity that holds it.
    #[serde(flatten)]
    pub entity: EntityKey,
    /// The definition.
    #[serde(rename = "attribute", serialize_with = "name_of")]
    pub definition: Arc<Definition>,
    /// The value.
    pub value: Value,
    /// The commit that first set it.
    pub created: Stamp,
    /// The commit that last changed it.
    pub modified: Stamp,
}

impl fmt::Debug for ValueDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, entity, definition, value, created, modified } = self;
        let mut fields = f.debug_struct("ValueDetail");
        fields.field("id", id).field("entity", entity).field("attribute", definition.name());
        fields.field("value", value.shown(definition.is_sensitive()));
        fields.field("created", created).field("modified", modified).finish()
    }
}

fn name_of<S: serde::Serializer>(definition: &Arc<Definition>, serializer: S) -> Result<S::Ok, S::Error> {
    definition.name().serialize(serializer)
}

/// The details of these values of the record, their commits looked up in one call.
pub(super) fn details<'h>(
    snapshot: &dyn Snapshot,
    catalog: &Catalog,
    record: &EntityRecord,
    values: impl Iterator<Item = &'h Held> + Clone,
) -> Result<Vec<ValueDetail>> {
    let stamps = Stamps::load(snapshot, values.clone().flat_map(|held| [held.created, held.modified]))?;
    let stamp = |id: CommitId| {
        let missing = || Error::corrupt(format!("commit {id}, which {} refers to, is missing", record.key()));
        stamps.get(id).ok_or_else(missing)
    };
    let one = |held: &Held| {
        let missing = || Error::corrupt(format!("definition {}, which {} refers to, is missing", held.definition, record.key()));
        Ok(ValueDetail {
            id: record.value_id(held.definition),
            entity: record.key().clone(),
            definition: Arc::clone(catalog.get(held.definition).ok_or_else(missing)?),
            value: held.value.clone(),
            created: stamp(held.created)?,
            modified: stamp(held.modified)?,
        })
    };
    values.map(one).collect()
}
