//! The versions of values and definitions, each with the commits that began and ended it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::history::Definitions;
use crate::model::{CommitId, Definition, DefinitionId, EntityKey, EntityRecord, Held, Stamp, Value, ValueId};
use crate::store::{Snapshot, Stamps, history_of};

/// A value for as long as it stood. Serialises with the entity's type and id beside the rest.
/// `Debug` hides the value of a sensitive attribute.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Version {
    /// The id of the value, the same for all versions.
    pub id: ValueId,
    /// The entity.
    #[serde(flatten)]
    pub entity: EntityKey,
    /// The name that the attribute has now, or had last.
    pub attribute: String,
    /// The value.
    pub value: Value,
    /// The commit that first set a value here.
    pub created: Stamp,
    /// The commit that began this version.
    pub began: Stamp,
    /// The commit that replaced or cleared it; none if it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Stamp>,
    /// Whether the attribute is marked as sensitive, or was once.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, entity, attribute, value, created, began, ended, sensitive } = self;
        let mut fields = f.debug_struct("Version");
        fields.field("id", id).field("entity", entity).field("attribute", attribute).field("value", value.shown(*sensitive));
        fields.field("created", created).field("began", began).field("ended", ended).field("sensitive", sensitive).finish()
    }
}

/// A definition for as long as it stood; the commit that began it is its `modified`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DefinitionVersion {
    /// The definition, as it stood.
    pub definition: Arc<Definition>,
    /// The commit that changed or deleted it; none if it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Stamp>,
}

/// All versions of an entity's values, or of the one of a definition, by the commit that began each.
pub(crate) fn versions(snapshot: &dyn Snapshot, record: &EntityRecord, definition: Option<DefinitionId>) -> Result<Vec<Version>> {
    let past = history_of(snapshot, record.key())?;
    let all = past.iter().map(|past| (&past.held, Some(past.ended))).chain(record.values().iter().map(|held| (held, None)));
    let mut all: Vec<_> = all.filter(|(held, _)| definition.is_none_or(|wanted| wanted == held.definition)).collect();
    all.sort_by_key(|(held, _)| (held.modified, held.definition));
    let stamps =
        Stamps::load(snapshot, all.iter().flat_map(|(held, ended)| [Some(held.created), Some(held.modified), *ended]).flatten())?;
    let named: BTreeSet<DefinitionId> = all.iter().map(|(held, _)| held.definition).collect();
    let definitions = Definitions::load_these(snapshot, named)?;
    let one = |(held, ended): &(&Held, Option<CommitId>)| {
        let missing = || Error::corrupt(format!("definition {}, which {} held, is missing", held.definition, record.key()));
        let definition = definitions.last(held.definition).ok_or_else(missing)?;
        Ok(Version {
            id: record.value_id(held.definition),
            entity: record.key().clone(),
            attribute: definition.name().to_string(),
            value: held.value.clone(),
            created: stamps.of(held.created)?,
            began: stamps.of(held.modified)?,
            ended: ended.map(|ended| stamps.of(ended)).transpose()?,
            sensitive: definition.is_sensitive(),
        })
    };
    all.iter().map(one).collect()
}

/// All versions of a definition, in their order.
pub(crate) fn definition_versions(snapshot: &dyn Snapshot, id: DefinitionId) -> Result<Vec<DefinitionVersion>> {
    let past = snapshot.past_definitions(Some(&[id]))?;
    let stamps = Stamps::load(snapshot, past.iter().map(|past| past.ended))?;
    let past =
        past.into_iter().map(|past| Ok(DefinitionVersion { definition: past.definition, ended: Some(stamps.of(past.ended)?) }));
    let present = snapshot.catalog()?.get(id).cloned().map(|definition| Ok(DefinitionVersion { definition, ended: None }));
    past.chain(present).collect()
}
