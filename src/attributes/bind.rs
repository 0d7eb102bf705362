//! From what was asked to what can be done: names to definitions, texts to values, all that is wrong collected.

use std::sync::Arc;

use crate::attributes::batch::{EntityRequest, Given, Input, Request, Target};
use crate::error::{Error, Result, Rule, Violation, Violations};
use crate::hash::HashSet;
use crate::model::{
    Bound, Catalog, CommitId, DataType, Definition, DefinitionId, DefinitionSpec, EntityKey, EntityType, Limits, Name, Undefined,
};
use crate::store::{Batch, Change, Offending, Receipt, is_left_out, missing};

/// A batch that is bound against a catalog, with what could not be bound.
pub(super) struct BoundBatch {
    pub(super) batch: Batch,
    pub(super) binding: Binding,
}

/// What the answer to a bound batch is read with.
pub(super) struct Binding {
    pub(super) violations: Vec<Violation>,
    /// Attributes of entities that refused requests give, or are reported to lack: the store has not seen these requests.
    unseen: HashSet<(EntityKey, String)>,
    /// For each change of the batch the place of its request, and whether it is what was asked for or comes with it.
    places: Vec<(usize, bool)>,
}

impl Binding {
    /// Puts the store's answer into the terms of the requests.
    pub(super) fn answer(self, answer: Result<Receipt>, alone: bool) -> Result<Receipt> {
        let place_of = |place: usize| self.places.get(place).map(|(place, _)| *place);
        let mut violations = self.violations;
        let answer = match answer {
            Err(Error::Invalid(found)) => {
                let is_said = |violation: &Violation| {
                    let value = violation.entity.clone().zip(violation.attribute.clone());
                    is_left_out(violation) && value.is_some_and(|value| self.unseen.contains(&value))
                };
                let found = found.into_vec().into_iter().filter(|violation| !is_said(violation));
                violations.extend(found.map(|violation| {
                    let place = violation.place.and_then(place_of);
                    Violation { place, ..violation }
                }));
                Err(None)
            }
            Err(other) => Err(Some(other)),
            Ok(receipt) => Ok(receipt),
        };
        if alone {
            violations.iter_mut().for_each(|violation| violation.place = None);
        }
        Violations::into_result(violations)?;
        let mut receipt = match answer {
            Ok(receipt) => receipt,
            Err(Some(error)) => return Err(error),
            Err(None) => return Err(Error::corrupt("a batch was refused without a reason")),
        };
        let mut asked_for = self.places.iter().map(|(_, asked_for)| *asked_for);
        receipt.changes.retain(|_| asked_for.next().unwrap_or(true));
        Ok(receipt)
    }
}

pub(super) struct Binder<'a> {
    limits: &'a Limits,
    /// The definitions as the changes so far leave them.
    catalog: Arc<Catalog>,
    /// The definitions that are deleted, if the batch erases values by their names.
    gone: Vec<Arc<Definition>>,
    pub(super) batch: Batch,
    violations: Vec<Violation>,
    unseen: HashSet<(EntityKey, DefinitionId)>,
    places: Vec<(usize, bool)>,
}

impl<'a> Binder<'a> {
    pub(super) fn new(limits: &'a Limits, catalog: Arc<Catalog>, mut batch: Batch, requests: usize) -> Self {
        batch.reserve(requests);
        let places = Vec::with_capacity(requests);
        Self { limits, catalog, gone: Vec::new(), batch, violations: Vec::new(), unseen: HashSet::default(), places }
    }

    /// Resolves names of erasures among these deleted definitions as well.
    pub(super) fn with_gone(mut self, gone: Vec<Arc<Definition>>) -> Self {
        self.gone = gone;
        self
    }

    pub(super) fn finish(self) -> BoundBatch {
        let named = |(entity, id)| Some((entity, self.catalog.get(id)?.name().to_string()));
        let unseen = self.unseen.into_iter().filter_map(named).collect();
        BoundBatch { batch: self.batch, binding: Binding { violations: self.violations, unseen, places: self.places } }
    }

    pub(super) fn refuse(&mut self, place: Option<usize>, entity: Option<&EntityKey>, mut violation: Violation) {
        violation.place = place;
        violation.entity = entity.cloned().or(violation.entity);
        self.violations.push(violation);
    }

    pub(super) fn refuse_all(&mut self, place: Option<usize>, entity: Option<&EntityKey>, error: &Error) {
        for violation in error.violations() {
            self.refuse(place, entity, violation.clone());
        }
    }

    /// # Errors
    /// Only where the store has no more ids; what is wrong with the request is collected.
    pub(super) fn bind(&mut self, place: usize, request: &Request<'_>) -> Result<()> {
        match request {
            Request::Define { entity_type, spec } => {
                let Some(entity_type) = self.well_formed(place, entity_type) else { return Ok(()) };
                self.define(place, None, entity_type, (**spec).clone())?;
            }
            Request::Ensure { entity_type, spec } => {
                let Some(entity_type) = self.well_formed(place, entity_type) else { return Ok(()) };
                match self.catalog.find(entity_type, &spec.name).cloned() {
                    Some(definition) => self.keep(place, &definition, (**spec).clone()),
                    None => _ = self.define(place, None, entity_type, (**spec).clone())?,
                }
            }
            Request::Declare { entity_type, spec, offending } => {
                let Some(entity_type) = self.well_formed(place, entity_type) else { return Ok(()) };
                match self.catalog.find(entity_type, &spec.name).cloned() {
                    Some(definition) => self.redefine(place, &definition, (**spec).clone(), Some(*offending)),
                    None => _ = self.define(place, None, entity_type, (**spec).clone())?,
                }
            }
            Request::Alter { entity_type, name, alter, conversion } => {
                let Some(entity_type) = self.well_formed(place, entity_type) else { return Ok(()) };
                if let Some(definition) = self.resolve(place, None, entity_type, name) {
                    self.redefine(place, &definition, alter(definition.spec().clone()), *conversion);
                }
            }
            Request::Delete { entity_type, name, with_values } => {
                let Some(entity_type) = self.well_formed(place, entity_type) else { return Ok(()) };
                if let Some(definition) = self.resolve(place, None, entity_type, name) {
                    let (definition, with_values) = (definition.id(), *with_values);
                    self.undefine(definition);
                    self.push(place, true, Change::Undefine { definition, with_values });
                }
            }
            Request::Merge { entity_type, from, into, offending } => {
                let Some(entity_type) = self.well_formed(place, entity_type) else { return Ok(()) };
                let pair = self.resolve(place, None, entity_type, from).zip(self.resolve(place, None, entity_type, into));
                if let Some((from, into)) = pair.map(|(from, into)| (from.id(), into.id())) {
                    if from != into {
                        self.undefine(from);
                    }
                    self.push(place, true, Change::Merge { from, into, offending: *offending });
                }
            }
            Request::Split { entity_type, from, into } => {
                let Some(entity_type) = self.well_formed(place, entity_type) else { return Ok(()) };
                let pair = self.resolve(place, None, entity_type, from).zip(self.resolve(place, None, entity_type, into));
                if let Some((from, into)) = pair {
                    self.push(place, true, Change::Split { from: from.id(), into: into.id() });
                }
            }
            Request::Prune(versions) => self.push(place, true, Change::Prune(versions.clone())),
            Request::RestoreDefinitions { definitions, as_of } => self.restore_definitions(place, definitions, *as_of),
            Request::Entity { entity, request } => {
                let Some(entity) = self.well_formed(place, entity) else { return Ok(()) };
                self.bind_entity(place, entity, request)?;
            }
        }
        Ok(())
    }

    fn bind_entity(&mut self, place: usize, entity: &EntityKey, request: &EntityRequest<'_>) -> Result<()> {
        let key = entity.clone();
        let change = match request {
            EntityRequest::Set(target, input) => {
                let Some(definition) = self.target(place, entity, target, true)? else { return Ok(()) };
                self.value(place, entity, &definition, input).map(|value| Change::Set { entity: key, value })
            }
            EntityRequest::Clear(target) => {
                let definition = self.target(place, entity, target, false)?;
                definition.map(|definition| Change::Clear { entity: key, definition: definition.id() })
            }
            EntityRequest::Restore(definition, None) => Some(Change::RestoreAbsence { entity: key, definition: *definition }),
            EntityRequest::Restore(id, Some(value)) => {
                let Some(definition) = self.target(place, entity, &Target::Id(*id), true)? else { return Ok(()) };
                let bound = definition.bind_past(value);
                let bound = bound.map_err(|violation| self.refuse(Some(place), Some(entity), violation));
                bound.ok().map(|value| Change::RestoreValue { entity: key, value })
            }
            EntityRequest::Move(from, to) => {
                let from = self.resolve(place, Some(entity), entity.entity_type(), from);
                let to = self.resolve_or_define(place, entity, to)?;
                from.zip(to).map(|(from, to)| Change::Move { entity: key, from: from.id(), to: to.id() })
            }
            EntityRequest::Save(values) => self.values(place, entity, values)?.map(|values| Change::Save { entity: key, values }),
            EntityRequest::Remove => Some(Change::Remove { entity: key }),
            EntityRequest::EraseValue(name) => {
                let definitions = self.resolve_ever(place, entity, name);
                definitions.map(|definitions| Change::EraseValue { entity: key, definitions })
            }
            EntityRequest::Erase => Some(Change::EraseEntity { entity: key }),
        };
        if let Some(change) = change {
            self.push(place, true, change);
        }
        Ok(())
    }

    fn undefine(&mut self, id: DefinitionId) {
        self.gone.extend(Arc::make_mut(&mut self.catalog).undefine(id));
    }

    fn push(&mut self, place: usize, asked_for: bool, change: Change) {
        self.batch.push(change);
        self.places.push((place, asked_for));
    }

    fn well_formed<'t, T>(&mut self, place: usize, given: &'t Given<T>) -> Option<&'t T> {
        given.as_ref().map_err(|error| self.refuse_all(Some(place), None, error)).ok()
    }

    /// Defines what was asked for, or what a value of this entity needs.
    fn define(
        &mut self,
        place: usize,
        needed_by: Option<&EntityKey>,
        entity_type: &EntityType,
        spec: DefinitionSpec,
    ) -> Result<Option<Arc<Definition>>> {
        let exhausted = Error::Exhausted { what: "definitions", limit: u64::from(DefinitionId::MAX.get()) };
        let id = self.catalog.next_id().ok_or(exhausted)?;
        let definition = match Definition::new(id, entity_type.clone(), spec, self.limits) {
            Ok(definition) => definition,
            Err(error) => {
                self.refuse_all(Some(place), needed_by, &error);
                return Ok(None);
            }
        };
        if let Err(violation) = Arc::make_mut(&mut self.catalog).define(definition.clone()) {
            self.refuse(Some(place), needed_by, violation);
            return Ok(None);
        }
        self.push(place, needed_by.is_none(), Change::Define(Box::new(definition)));
        Ok(self.catalog.get(id).cloned())
    }

    /// Leaves a definition as it is, if the declaration is well formed and has its type.
    fn keep(&mut self, place: usize, found: &Arc<Definition>, declared: DefinitionSpec) {
        if declared.data_type != found.data_type() {
            return self.refuse_type(place, found, declared.data_type);
        }
        if let Err(error) = Definition::new(found.id(), found.entity_type().clone(), declared, self.limits) {
            return self.refuse_all(Some(place), None, &error);
        }
        let definition = Box::new(Definition::clone(found));
        self.push(place, true, Change::Redefine { definition, offending: Offending::Refuse });
    }

    fn refuse_type(&mut self, place: usize, found: &Definition, declared: DataType) {
        let violation = Violation::new(Rule::DefinedDataType, found.data_type(), declared);
        self.refuse(Some(place), None, violation.of(found.name().as_str()));
    }

    /// A change that is to convert says so.
    fn redefine(&mut self, place: usize, older: &Definition, spec: DefinitionSpec, conversion: Option<Offending>) {
        if spec.data_type != older.data_type() && conversion.is_none() {
            return self.refuse_type(place, older, spec.data_type);
        }
        let offending = conversion.unwrap_or_default();
        self.put(place, older, spec, |definition| Change::Redefine { definition, offending });
    }

    /// Puts a definition with another declaration under the id of an older one.
    fn put(&mut self, place: usize, older: &Definition, spec: DefinitionSpec, change: impl FnOnce(Box<Definition>) -> Change) {
        let newer = match Definition::new(older.id(), older.entity_type().clone(), spec, self.limits) {
            Ok(newer) => newer.succeeding(older).stamped(older.created().clone(), older.modified().clone()),
            Err(error) => return self.refuse_all(Some(place), None, &error),
        };
        match Arc::make_mut(&mut self.catalog).redefine(newer.clone()) {
            Ok(()) => self.push(place, true, change(Box::new(newer))),
            Err(violation) => self.refuse(Some(place), None, violation),
        }
    }

    /// Takes definitions back to what they were. All of them go before the first comes back, so that names can change hands.
    fn restore_definitions(&mut self, place: usize, restored: &[(DefinitionId, Option<Arc<Definition>>)], as_of: CommitId) {
        let catalog = Arc::make_mut(&mut self.catalog);
        let now: Vec<_> = restored.iter().map(|(id, _)| catalog.undefine(*id)).collect();
        let back = restored.iter().zip(now).filter_map(|((_, then), now)| {
            let then = Definition::clone(then.as_ref()?);
            catalog.redefine(now.iter().fold(then, |then, now| then.succeeding(now))).err()
        });
        let taken: Vec<_> = back.collect();
        if taken.is_empty() {
            return self.push(place, true, Change::RestoreDefinitions { definitions: restored.to_vec(), as_of });
        }
        // Nothing more is said of their values: the store would take them for values of the definitions of now.
        restored.iter().for_each(|(id, _)| _ = catalog.undefine(*id));
        taken.into_iter().for_each(|violation| self.refuse(Some(place), None, violation));
    }

    fn target(&mut self, place: usize, entity: &EntityKey, target: &Target<'_>, to_set: bool) -> Result<Option<Arc<Definition>>> {
        match target {
            Target::Id(id) => {
                let found = self.catalog.get(*id).cloned();
                // A definition that could not be brought back is reported already.
                if found.is_none() && !self.violations.is_empty() {
                    return Ok(None);
                }
                let missing = || Error::not_found(format!("the definition {id}"), Vec::new());
                found.map(Some).ok_or_else(missing)
            }
            Target::Name(name) if to_set => self.resolve_or_define(place, entity, name),
            Target::Name(name) => Ok(self.resolve(place, Some(entity), entity.entity_type(), name)),
        }
    }

    fn resolve(&mut self, place: usize, entity: Option<&EntityKey>, of: &EntityType, name: &str) -> Option<Arc<Definition>> {
        let found = self.catalog.find(of, name).cloned();
        if found.is_none() {
            self.refuse(Some(place), entity, self.catalog.undefined(of, name));
        }
        found
    }

    /// Finds the definition that has the name, and all deleted ones that had it last.
    fn resolve_ever(&mut self, place: usize, entity: &EntityKey, name: &str) -> Option<Vec<DefinitionId>> {
        let (of, key) = (entity.entity_type(), Name::key_of(name));
        let had_it = |gone: &&Arc<Definition>| gone.entity_type() == of && gone.name().key() == key;
        let gone = self.gone.iter().filter(had_it).map(|gone| gone.id());
        let now = self.catalog.find(of, name).map(|found| found.id());
        let mut ids: Vec<DefinitionId> = now.into_iter().chain(gone.filter(|id| self.catalog.get(*id).is_none())).collect();
        ids.dedup();
        if ids.is_empty() {
            self.resolve(place, Some(entity), of, name);
            return None;
        }
        Some(ids)
    }

    /// Finds the definition; where undefined names are allowed, makes it.
    fn resolve_or_define(&mut self, place: usize, entity: &EntityKey, name: &str) -> Result<Option<Arc<Definition>>> {
        let of = entity.entity_type();
        if let Some(found) = self.catalog.find(of, name) {
            return Ok(Some(Arc::clone(found)));
        }
        match self.limits.undefined_for(of) {
            Undefined::Reject => Ok(self.resolve(place, Some(entity), of, name)),
            Undefined::DefineAsString { max_chars } => {
                let spec = DefinitionSpec::string(name).maximum_chars(max_chars);
                self.define(place, Some(entity), of, spec)
            }
        }
    }

    fn value(&mut self, place: usize, entity: &EntityKey, definition: &Definition, input: &Input<'_>) -> Option<Bound> {
        let bound = match input {
            Input::Value(value) => definition.bind(value.clone(), self.limits),
            Input::Text(text) => definition.bind_text(text, self.limits),
        };
        let refuse = |violation| {
            self.refuse(Some(place), Some(entity), violation);
            self.unseen.insert((entity.clone(), definition.id()));
        };
        bound.map_err(refuse).ok()
    }

    fn values(
        &mut self,
        place: usize,
        entity: &EntityKey,
        values: &[(std::borrow::Cow<'_, str>, Input<'_>)],
    ) -> Result<Option<Vec<Bound>>> {
        let mut bound: Vec<Bound> = Vec::with_capacity(values.len());
        let before = self.violations.len();
        for (name, input) in values {
            let Some(definition) = self.resolve_or_define(place, entity, name)? else { continue };
            let Some(value) = self.value(place, entity, &definition, input) else { continue };
            if bound.iter().any(|other| other.definition() == value.definition()) {
                let violation = Violation::new(Rule::Once, 1, "another");
                self.refuse(Some(place), Some(entity), violation.about(&definition));
                continue;
            }
            bound.push(value);
        }
        if self.violations.len() == before {
            return Ok(Some(bound));
        }
        // The store does not see this change, so what it lacks is said here.
        let given: Vec<_> =
            values.iter().filter_map(|(name, _)| self.catalog.find(entity.entity_type(), name)).map(|found| found.id()).collect();
        for violation in missing(&self.catalog, entity, |id| given.contains(&id)) {
            self.refuse(Some(place), Some(entity), violation);
        }
        let required = self.catalog.required_of(entity.entity_type());
        self.unseen.extend(required.map(|id| (entity.clone(), id)));
        Ok(None)
    }
}
