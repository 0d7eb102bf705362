//! Erasing values: from which definitions they are taken, and where else they went.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::error::{Result, Rule, Violation};
use crate::model::{
    Catalog, CommitId, Definition, DefinitionId, Edit, EntityKey, EntityRecord, EntityType, Lineage, Outcome, Value, ValueId,
};
use crate::store::plan::{Lack, Planner};
use crate::store::{Applied, Past, Removal, VersionId, gone_definitions, history_of};

/// A change of the batch that carries values of all entities from one definition to another.
pub(super) struct Carried {
    pub(super) place: usize,
    pub(super) from: DefinitionId,
    pub(super) into: DefinitionId,
    /// A split that moves no value leaves no trace.
    pub(super) is_split: bool,
}

/// The definitions whose values an erasure takes.
struct Reach {
    /// All that the entity holds and held for these.
    whole: BTreeSet<DefinitionId>,
    /// Definitions that exchanged values with those, and were never sensitive: only equal values are taken.
    related: BTreeSet<DefinitionId>,
}

/// What was found for a name, as long as no definition is changed behind it.
pub(super) struct Reached {
    ids: Vec<DefinitionId>,
    entity_type: EntityType,
    catalog: Arc<Catalog>,
    carried: usize,
    reach: Arc<Reach>,
}

/// A value that the entity holds or held.
struct Version {
    definition: DefinitionId,
    /// Its text, the same for all types that the value was converted to.
    text: String,
    began: CommitId,
    /// None if it is held still.
    ended: Option<CommitId>,
}

impl Planner<'_> {
    /// Whether values of one attribute may become values of another; it is refused if sensitive ones would come to an attribute that
    /// is not marked. An attribute that was unmarked may still hold values from before, and so counts as sensitive here.
    pub(super) fn may_carry(&mut self, place: usize, entity: Option<&EntityKey>, from: &Definition, into: &Definition) -> bool {
        let may = !from.is_sensitive() || into.spec().sensitive;
        if !may {
            self.refuse(place, entity, Violation::new(Rule::SensitiveTarget, format_args!("`{}`", from.name()), "").about(into));
        }
        may
    }

    /// Notes in each definition that values came to, where from.
    pub(super) fn settle_lineages(&mut self) {
        let mut lineages: BTreeMap<DefinitionId, (usize, Lineage)> = BTreeMap::new();
        for Carried { place, from, into, is_split } in std::mem::take(&mut self.carried) {
            if is_split && !self.moving.contains(&place) {
                continue;
            }
            let lineage = |id| match lineages.get(&id) {
                Some((_, lineage)) => lineage.clone(),
                None => self
                    .catalog
                    .get(id)
                    .or_else(|| self.before.get(id))
                    .and_then(|found| found.lineage().cloned())
                    .unwrap_or_default(),
            };
            let mut taking = lineage(into);
            taking.take_over(from, &lineage(from));
            lineages.insert(into, (place, taking));
        }
        for (id, (place, lineage)) in lineages {
            let Some(definition) = self.catalog.get(id).filter(|found| found.lineage() != Some(&lineage)) else { continue };
            let created = definition.created().clone();
            let definition = Definition::clone(definition).with_lineage(lineage).stamped(created, self.stamp());
            // It keeps its name, which therefore is free.
            if Arc::make_mut(&mut self.catalog).redefine(definition).is_ok() {
                self.touched.entry(id).or_insert(place);
            }
        }
    }

    pub(super) fn erase_value(&mut self, place: usize, entity: &EntityKey, ids: &[DefinitionId]) -> Result<Applied> {
        let unchanged = Applied::new(Outcome::Unchanged, ids.first().copied());
        let Some(reach) = self.reach(place, entity, ids)? else { return Ok(unchanged) };
        let Some(index) = self.working.index(entity) else { return Ok(unchanged) };
        let history = history_of(self.snapshot, entity)?;
        let work = &self.working.works[index];
        let before = work.before.clone();
        let versions = versions(before.as_deref(), &work.after, &history, self.working.commit);
        let taken = self.taken(&reach, &versions)?;
        let mut erased = BTreeSet::new();
        for version in taken {
            let (id, commit) = (version.definition, self.working.commit);
            if version.ended.is_none() {
                self.working.works[index].after.apply_one(Edit::Clear(id), commit);
                self.note_taken(place, entity, id, Lack::Allowed);
            }
            let Some(before) = &before else { continue };
            let ordinal = before.ordinal();
            let is_first = erased.insert(id);
            if !reach.whole.contains(&id) {
                let ended = version.ended.unwrap_or(commit);
                self.removals.push(Removal::Version(VersionId { ordinal, ended, definition: id }));
            } else if is_first {
                self.removals.push(Removal::Value { ordinal, definition: id });
            }
            self.erased_values.insert(ValueId::of(ordinal, id));
        }
        Ok(if erased.is_empty() { unchanged } else { Applied { outcome: Outcome::Cleared, ..unchanged } })
    }

    /// The definitions to erase from; none if it is refused.
    fn reach(&mut self, place: usize, entity: &EntityKey, ids: &[DefinitionId]) -> Result<Option<Arc<Reach>>> {
        let is_it = |reached: &&Reached| {
            reached.ids == ids
                && reached.entity_type == *entity.entity_type()
                && Arc::ptr_eq(&reached.catalog, &self.catalog)
                && reached.carried == self.carried.len()
        };
        if let Some(reached) = self.reached.as_ref().filter(is_it) {
            return Ok(Some(Arc::clone(&reached.reach)));
        }
        let Some(reach) = self.find_reach(place, entity, ids)?.map(Arc::new) else { return Ok(None) };
        self.reached = Some(Reached {
            ids: ids.to_vec(),
            entity_type: entity.entity_type().clone(),
            catalog: Arc::clone(&self.catalog),
            carried: self.carried.len(),
            reach: Arc::clone(&reach),
        });
        Ok(Some(reach))
    }

    fn find_reach(&mut self, place: usize, entity: &EntityKey, ids: &[DefinitionId]) -> Result<Option<Reach>> {
        let known = self.all_definitions()?;
        let found: Vec<&Arc<Definition>> = ids.iter().filter_map(|id| known.get(id)).collect();
        let is_other = |definition: &&Arc<Definition>| definition.entity_type() != entity.entity_type();
        if found.len() < ids.len() || found.is_empty() || found.iter().any(is_other) {
            let missing = ids.iter().find(|id| !known.contains_key(id)).or(ids.first()).copied().unwrap_or_default();
            self.refuse(place, Some(entity), self.undefined(missing, entity.entity_type()));
            return Ok(None);
        }
        if !found.iter().any(|definition| definition.is_sensitive()) {
            self.refuse(place, Some(entity), Violation::new(Rule::Sensitive, true, false).about(found[0]));
            return Ok(None);
        }
        // One that has the name by now, and was never sensitive, is not meant.
        let is_whole = |id: &DefinitionId| self.catalog.get(*id).is_none_or(|definition| definition.is_sensitive());
        let edges = self.edges(&known);
        let neighbours = |ids: &BTreeSet<DefinitionId>| -> BTreeSet<DefinitionId> {
            ids.iter().filter_map(|id| edges.get(id)).flatten().copied().collect()
        };
        let mut whole: BTreeSet<DefinitionId> = ids.iter().copied().filter(is_whole).collect();
        loop {
            let more: BTreeSet<_> = neighbours(&whole).into_iter().filter(|id| is_whole(id) && !whole.contains(id)).collect();
            if more.is_empty() {
                break;
            }
            whole.extend(more);
        }
        let mut related: BTreeSet<DefinitionId> = &neighbours(&whole) - &whole;
        loop {
            let more: BTreeSet<_> = &(&neighbours(&related) - &whole) - &related;
            if more.is_empty() {
                return Ok(Some(Reach { whole, related }));
            }
            related.extend(more);
        }
    }

    /// Every definition, those that are deleted in their last version.
    fn all_definitions(&mut self) -> Result<BTreeMap<DefinitionId, Arc<Definition>>> {
        if self.gone.is_none() {
            self.gone = Some(gone_definitions(self.snapshot)?);
        }
        let all = self.gone.iter().flatten().chain(self.before.iter()).chain(self.catalog.iter());
        Ok(all.map(|definition| (definition.id(), Arc::clone(definition))).collect())
    }

    /// Between which definitions values were carried, in both directions.
    fn edges(&self, known: &BTreeMap<DefinitionId, Arc<Definition>>) -> BTreeMap<DefinitionId, BTreeSet<DefinitionId>> {
        let mut edges: BTreeMap<DefinitionId, BTreeSet<DefinitionId>> = BTreeMap::new();
        let mut join = |one: DefinitionId, other: DefinitionId| {
            edges.entry(one).or_default().insert(other);
            edges.entry(other).or_default().insert(one);
        };
        for definition in known.values() {
            let from = definition.lineage().into_iter().flat_map(Lineage::took_over);
            from.for_each(|from| join(*from, definition.id()));
        }
        self.carried.iter().for_each(|carried| join(carried.from, carried.into));
        edges
    }

    /// The versions that are erased. A value that was moved from one attribute to another ended there with the commit with which it
    /// began here: so it is followed on, and equal values of attributes that it came through go as well.
    fn taken<'v>(&self, reach: &Reach, versions: &'v [Version]) -> Result<Vec<&'v Version>> {
        let (mut taken, mut left): (Vec<_>, Vec<_>) =
            versions.iter().partition(|version| reach.whole.contains(&version.definition));
        let mut related = reach.related.clone();
        // What was taken over by an attribute whose own history is not whole may have been any value that ended before.
        let horizons = if related.is_empty() { BTreeMap::new() } else { self.snapshot.horizons()? };
        let unknown = reach.whole.iter().filter_map(|id| horizons.get(id)).max().copied().unwrap_or_default();
        let may_be_it = |version: &Version| {
            reach.related.contains(&version.definition) && version.ended.is_some_and(|ended| ended <= unknown)
        };
        let mut texts: HashSet<&str> = HashSet::new();
        let mut ends: HashSet<(CommitId, &str)> = HashSet::new();
        let mut beginnings: HashSet<(CommitId, &str)> = HashSet::new();
        let mut seen = 0;
        while seen < taken.len() {
            for version in &taken[seen..] {
                texts.insert(&version.text);
                beginnings.insert((version.began, &version.text));
                ends.extend(version.ended.map(|ended| (ended, version.text.as_str())));
            }
            seen = taken.len();
            let is_linked = |version: &Version| {
                ends.contains(&(version.began, version.text.as_str()))
                    || version.ended.is_some_and(|ended| beginnings.contains(&(ended, version.text.as_str())))
            };
            related.extend(left.iter().filter(|version| is_linked(version)).map(|version| version.definition));
            let goes = |version: &&Version| {
                may_be_it(version) || (related.contains(&version.definition) && texts.contains(version.text.as_str()))
            };
            let (more, rest) = left.into_iter().partition(goes);
            taken.extend::<Vec<_>>(more);
            left = rest;
        }
        Ok(taken)
    }
}

fn versions(before: Option<&EntityRecord>, after: &EntityRecord, history: &[Past], commit: CommitId) -> Vec<Version> {
    let past = history.iter().map(|past| (&past.held, Some(past.ended)));
    let stood = before.map_or(&[][..], EntityRecord::values).iter();
    // What the batch replaced before this change is history when it is committed.
    let stood = stood.filter(|held| after.get(held.definition) != Some(held)).map(|held| (held, Some(commit)));
    let held = after.values().iter().map(|held| (held, None));
    let all = past.chain(stood).chain(held);
    all.map(|(held, ended)| Version { definition: held.definition, text: text_of(&held.value), began: held.modified, ended })
        .collect()
}

/// The text of a value, with numbers in one form: 1234 may have been `01234` or 1234.0 before.
fn text_of(value: &Value) -> String {
    let text = value.to_string();
    text.parse::<Decimal>().map_or(text, |number| number.normalize().to_string())
}
