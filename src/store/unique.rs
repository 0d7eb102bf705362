//! The unique rule: no two entities hold equal values.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Result, Rule, Violation};
use crate::hash::HashMap;
use crate::model::{Catalog, Definition, DefinitionId, EntityKey, EntityRecord, Ordinal, Value};
use crate::store::working::Working;
use crate::store::{Batch, Change, Snapshot};

fn is_unique(catalog: &Catalog, id: DefinitionId) -> bool {
    catalog.unique().contains(&id)
}

/// Definitions of which every value has to be looked at: they held values before they became unique, or a step over all entities
/// makes values of theirs.
pub(super) fn compared_whole(before: &Catalog, after: &Catalog, working: &Working) -> Vec<DefinitionId> {
    if before.revision() == after.revision() && std::ptr::eq(before, after) && working.sweeps.is_empty() {
        return Vec::new();
    }
    let became = |id: DefinitionId| before.get(id).is_some() && !is_unique(before, id);
    after.unique().iter().copied().filter(|id| became(*id) || working.is_swept(*id)).collect()
}

/// What is wrong with a value that another entity holds.
pub(super) fn duplicate(definition: Option<&Definition>, holder: &EntityKey, value: &Value) -> Violation {
    let violation = Violation::new(Rule::Unique, holder, value);
    // Unique definitions come from the catalog, so there always is one; without it nothing is told of the value.
    match definition {
        Some(definition) => violation.about(definition),
        None => violation.redacted(),
    }
}

/// Finds every value that two entities would hold.
pub(super) fn check(
    snapshot: &dyn Snapshot,
    batch: &Batch,
    before: &Arc<Catalog>,
    after: &Arc<Catalog>,
    touched: &BTreeMap<DefinitionId, usize>,
    working: &Working,
    violations: &mut Vec<Violation>,
) -> Result<()> {
    if after.unique().is_empty() {
        return Ok(());
    }
    let newly = compared_whole(before, after, working);
    let mut set_at: Option<HashMap<_, _>> = None;
    let mut refuse = |id: DefinitionId, value: &Value, record: &EntityRecord, holder: &EntityKey| {
        let mut violation = duplicate(after.get(id).map(|definition| &**definition), holder, value);
        let set_at = set_at.get_or_insert_with(|| last_sets(batch, violations)).get(&(record.key(), id));
        // Where the batch did not set it, it made the definition unique.
        let swept_at = || working.sweeps.iter().rev().find(|sweep| sweep.target().id() == id).map(|sweep| sweep.place);
        violation.place = set_at.or_else(|| touched.get(&id)).copied().or_else(swept_at);
        violation.entity = Some(record.key().clone());
        violations.push(violation);
    };
    let claims = claims(after, working, &newly);
    let mut first: HashMap<(DefinitionId, &Value), &EntityRecord> = HashMap::default();
    for (id, value, record) in &claims {
        let claimed_by = *first.entry((*id, value)).or_insert(record);
        if claimed_by.key() != record.key() {
            refuse(*id, value, record, claimed_by.key());
        }
    }
    for ((id, value, record), holder) in claims.iter().zip(holders(snapshot, &claims)?) {
        let Some(holder) = holder else { continue };
        let still_holds = working.current(&holder).value(*id) == Some(*value);
        if still_holds && holder.key() != record.key() {
            refuse(*id, value, record, holder.key());
        }
    }
    for id in newly {
        let Some(definition) = after.get(id) else { continue };
        let mut seen: BTreeMap<Value, EntityKey> = BTreeMap::new();
        working.each_current(snapshot, definition.entity_type(), |record| {
            let Some(held) = record.get(id) else { return };
            match seen.get(&held.value) {
                Some(holder) => refuse(id, &held.value, record, holder),
                None => _ = seen.insert(held.value.clone(), record.key().clone()),
            }
        })?;
    }
    Ok(())
}

/// Which change of the batch was the last to set which value.
fn last_sets<'b>(batch: &'b Batch, violations: &[Violation]) -> HashMap<(&'b EntityKey, DefinitionId), usize> {
    let mut places = HashMap::default();
    // What is moved is refused where it is not there, or the other definition does not admit it; all else goes on.
    let is_refused = |place: usize| {
        let at = |violation: &&Violation| violation.place == Some(place);
        violations.iter().filter(at).any(|violation| !matches!(violation.rule, Rule::Vacant | Rule::Required))
    };
    for (place, change) in batch.changes().iter().enumerate() {
        match change {
            Change::Set { entity, value } | Change::RestoreValue { entity, value } => {
                _ = places.insert((entity, value.definition()), place);
            }
            Change::Move { from, to, .. } if from == to || is_refused(place) => {}
            Change::Move { entity, to, .. } => _ = places.insert((entity, *to), place),
            Change::Save { entity, values } => places.extend(values.iter().map(|value| ((entity, value.definition()), place))),
            Change::Define(_)
            | Change::Redefine { .. }
            | Change::RestoreDefinitions { .. }
            | Change::RestoreAbsence { .. }
            | Change::Undefine { .. }
            | Change::Merge { .. }
            | Change::Split { .. }
            | Change::Clear { .. }
            | Change::Remove { .. }
            | Change::EraseValue { .. }
            | Change::EraseEntity { .. }
            | Change::Prune(_) => {}
        }
    }
    places
}

/// A value of a unique definition that an entity did not hold before.
type Claim<'a> = (DefinitionId, &'a Value, &'a EntityRecord);

fn claims<'a>(after: &Catalog, working: &'a Working, newly: &[DefinitionId]) -> Vec<Claim<'a>> {
    let mut claims = Vec::new();
    for work in &working.works {
        for held in
            work.after.values().iter().filter(|held| is_unique(after, held.definition) && !newly.contains(&held.definition))
        {
            let was = work.before.as_ref().and_then(|was| was.get(held.definition));
            if was.is_none_or(|was| was.value != held.value) {
                claims.push((held.definition, &held.value, &work.after));
            }
        }
    }
    claims
}

fn holders(snapshot: &dyn Snapshot, claims: &[Claim]) -> Result<Vec<Option<Arc<EntityRecord>>>> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let values: Vec<_> = claims.iter().map(|(id, value, _)| (*id, *value)).collect();
    let ordinals = snapshot.holders(&values)?;
    let found: Vec<Ordinal> = ordinals.iter().flatten().copied().collect();
    let mut records = snapshot.locate(&found)?.into_iter();
    Ok(ordinals.into_iter().map(|ordinal| ordinal.and_then(|_| records.next().flatten())).collect())
}
