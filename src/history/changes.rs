//! What commits changed, in their order.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::hash::HashMap;
use crate::history::{Definitions, Horizon, Horizons, Position, horizons, is_known, state_at};
use crate::model::{CommitId, Definition, EntityKey, EntityRecord, Ordinal, Value, ValueId};
use crate::store::{Commit, Commits, Past, Snapshot};

/// A page of changes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChangePage {
    /// The changes, commit by commit; in a commit the definitions first, then the entities by ordinal.
    pub changes: Vec<Changed>,
    /// Where to go on.
    pub position: Position,
    /// Whether there are more already.
    pub has_more: bool,
    /// The attributes of which some changes behind the position where the page began are known no longer: they are not in this
    /// page, or have nothing before them. Who keeps a copy, and was behind, reads those anew.
    pub horizons: Vec<Horizon>,
}

/// One change.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Changed {
    /// A definition was made, changed or deleted.
    Definition(DefinitionChange),
    /// Values of an entity were set, replaced or cleared.
    Entity(EntityChange),
    /// An entity was changed that is erased by now, with this commit or a later one.
    Erased(EntityErased),
}

/// What a commit did to a definition.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DefinitionChange {
    /// The commit.
    pub commit: Commit,
    /// As it was; none if it was not there.
    pub before: Option<Arc<Definition>>,
    /// As it is after the commit; none if it is no longer there.
    pub after: Option<Arc<Definition>>,
}

/// What a commit did to an entity.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct EntityChange {
    /// The commit.
    pub commit: Commit,
    /// The entity.
    #[serde(flatten)]
    pub entity: EntityKey,
    /// Its values that changed, in the order of their definitions. None are left if they were erased, or are known no longer.
    pub values: Vec<ValueChange>,
}

/// A change of an entity that is erased by now: whoever keeps a copy of what it held, by its ordinal, which is in the ids of its
/// values, lets go of it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct EntityErased {
    /// The commit.
    pub commit: Commit,
    /// The ordinal of the entity.
    pub ordinal: Ordinal,
}

/// What became of a value.
///
/// `Debug` hides the values of a sensitive attribute.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ValueChange {
    /// The id of the value.
    pub id: ValueId,
    /// The name that the attribute had then.
    pub attribute: String,
    /// As it was; none if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// As it became; none if it was cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Whether history does not tell what it was at both ends: then `before` and `after` have no more than what is known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forgotten: bool,
    /// Whether the attribute is marked as sensitive, or was once.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

impl fmt::Debug for ValueChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, attribute, before, after, forgotten, sensitive } = self;
        let (before, after) =
            (before.as_ref().map(|value| value.shown(*sensitive)), after.as_ref().map(|value| value.shown(*sensitive)));
        let mut fields = f.debug_struct("ValueChange");
        fields.field("id", id).field("attribute", attribute);
        fields.field("before", &before).field("after", &after);
        fields.field("forgotten", forgotten).field("sensitive", sensitive).finish()
    }
}

/// The changes behind a position, at most so many of entities.
pub(crate) fn changes_since(snapshot: &dyn Snapshot, position: Position, limit: usize) -> Result<ChangePage> {
    changes_until(snapshot, position, snapshot.marks()?.commit, limit)
}

/// Those up to a commit.
pub(crate) fn changes_until(snapshot: &dyn Snapshot, position: Position, last: CommitId, limit: usize) -> Result<ChangePage> {
    // Before the first commit there is nothing to be in the middle of.
    let position = if position.commit == CommitId::default() { Position::from(position.commit) } else { position };
    let mut page = ChangePage { changes: Vec::new(), position, has_more: position < Position::from(last), horizons: Vec::new() };
    if !page.has_more || limit == 0 {
        return Ok(page);
    }
    page.horizons = horizons(snapshot, position.commit)?;
    let definitions = Definitions::load(snapshot)?;
    let changed = definitions.changed_between(position.commit, last);
    let first = position.commit.get().saturating_add(u64::from(position.ordinal == Ordinal::MAX)).max(1);
    let (mut steps, mut left) = (Vec::new(), limit);
    let mut commits = Commits::new(snapshot, CommitId::new(first), last);
    'commits: while let Some(commits) = commits.next()? {
        for (commit, touched) in commits {
            let is_begun = commit.id == position.commit;
            if !is_begun {
                let ids = changed.get(&commit.id);
                let changes = ids.map(|ids| definitions.changes_of(&commit, ids)).unwrap_or_default();
                steps.extend(changes.into_iter().map(Step::Definition));
                page.position = Position { commit: commit.id, ordinal: Ordinal::default() };
            }
            let after = if is_begun { position.ordinal } else { Ordinal::default() };
            for ordinal in touched.after(after) {
                if left == 0 {
                    break 'commits;
                }
                steps.push(Step::Entity(commit.clone(), ordinal));
                page.position.ordinal = ordinal;
                left -= 1;
            }
            page.position = Position::from(commit.id);
            if left == 0 {
                break 'commits;
            }
        }
    }
    page.changes = Entities { snapshot, definitions: &definitions, horizons: snapshot.horizons()? }.put_in(steps)?;
    page.has_more = page.position < Position::from(last);
    Ok(page)
}

/// A change of which, for an entity, no more is known yet than that it was touched.
enum Step {
    Definition(DefinitionChange),
    Entity(Commit, Ordinal),
}

/// How many entities are read in one call, with their history.
const BLOCK: usize = 256;

/// Reads what commits did to entities, a block of entities at a time.
struct Entities<'a> {
    snapshot: &'a dyn Snapshot,
    definitions: &'a Definitions,
    horizons: Horizons,
}

impl Entities<'_> {
    fn put_in(&self, steps: Vec<Step>) -> Result<Vec<Changed>> {
        let touched = steps.iter().filter_map(|step| match step {
            Step::Entity(commit, ordinal) => Some((commit, *ordinal)),
            Step::Definition(_) => None,
        });
        let touched: Vec<_> = touched.collect();
        let mut entities = Vec::with_capacity(touched.len());
        for block in touched.chunks(BLOCK) {
            entities.extend(self.changes(block)?);
        }
        let mut entities = entities.into_iter();
        let changes = steps.into_iter().filter_map(|step| match step {
            Step::Definition(change) => Some(Changed::Definition(change)),
            Step::Entity(..) => entities.next(),
        });
        Ok(changes.collect())
    }

    fn changes(&self, block: &[(&Commit, Ordinal)]) -> Result<Vec<Changed>> {
        let ordinals: BTreeSet<Ordinal> = block.iter().map(|(_, ordinal)| *ordinal).collect();
        let ordinals: Vec<Ordinal> = ordinals.into_iter().collect();
        let records: Vec<_> = self.snapshot.locate(&ordinals)?.into_iter().flatten().collect();
        let keys: Vec<EntityKey> = records.iter().map(|record| record.key().clone()).collect();
        let lives: HashMap<Ordinal, _> =
            records.into_iter().zip(self.snapshot.history(&keys)?).map(|life| (life.0.ordinal(), life)).collect();
        let one = |(commit, ordinal): &(&Commit, Ordinal)| {
            let (commit, ordinal) = (Commit::clone(commit), *ordinal);
            let Some((now, past)) = lives.get(&ordinal) else { return Ok(Changed::Erased(EntityErased { commit, ordinal })) };
            let before = CommitId::new(commit.id.get() - 1);
            let mut values = changes_between(self.definitions, &self.horizons, (now, past), before, commit.id)?;
            // Of which nothing is known is said once, for the page.
            values.retain(|value| !value.forgotten || value.before != value.after);
            Ok(Changed::Entity(EntityChange { commit, entity: now.key().clone(), values }))
        };
        block.iter().map(one).collect()
    }
}

/// How an entity differs between two commits, and where that is not known.
pub(crate) fn changes_between(
    definitions: &Definitions,
    horizons: &Horizons,
    (now, past): (&EntityRecord, &[Past]),
    first: CommitId,
    second: CommitId,
) -> Result<Vec<ValueChange>> {
    let (before, after) = (state_at(now, past, first)?, state_at(now, past, second)?);
    let is_forgotten = |id| [first, second].iter().any(|at| !is_known(horizons, id, now, past, *at));
    let is_of_type = |id| definitions.last(id).is_some_and(|last| last.entity_type() == now.key().entity_type());
    let mut ids = before.definitions_with(&after);
    ids.extend(horizons.keys().filter(|id| is_of_type(**id) && is_forgotten(**id)));
    ids.sort_unstable();
    ids.dedup();
    let mut changes = Vec::new();
    for id in ids {
        let forgotten = is_forgotten(id);
        if before.get(id) == after.get(id) && !forgotten {
            continue;
        }
        let named = definitions.at(id, second).or_else(|| definitions.at(id, first)).or_else(|| definitions.last(id));
        let named = named.ok_or_else(|| Error::corrupt(format!("definition {id}, which {} held, is missing", now.key())))?;
        let (before, after) = (before.value(id).cloned(), after.value(id).cloned());
        let sensitive = definitions.last(id).is_some_and(|last| last.is_sensitive());
        let attribute = named.name().to_string();
        changes.push(ValueChange { id: now.value_id(id), attribute, before, after, forgotten, sensitive });
    }
    Ok(changes)
}
