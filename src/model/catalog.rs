//! All definitions of a store at one revision.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::{Error, Result, Rule, Violation};
use crate::hash::HashMap;
use crate::model::near::nearest;
use crate::model::{ByType, CommitId, Definition, DefinitionId, EntityType, Name, Retention, Revision};
use crate::violation::{Visible, shorten};

/// An immutable snapshot of all definitions, with its revision.
///
/// Names are looked up by their folded key: see [`Name`].
#[derive(Debug, Clone)]
pub struct Catalog {
    revision: Revision,
    next: Option<DefinitionId>,
    /// By id, which is dense and never reused: a deleted definition leaves a hole.
    by_id: Vec<Option<Arc<Definition>>>,
    by_name: ByType<HashMap<Box<str>, DefinitionId>>,
    /// Every commit asks for them, and most catalogs have few.
    unique: BTreeSet<DefinitionId>,
    /// Those of which no history is kept.
    unkept: BTreeSet<DefinitionId>,
    /// The required ones. Every commit looks them up for each entity.
    required: ByType<BTreeSet<DefinitionId>>,
    /// In a catalog of the past: those of which is not known what was held then, with the commits from which on it is.
    forgotten: BTreeMap<DefinitionId, (Arc<Definition>, CommitId)>,
}

impl Default for Catalog {
    fn default() -> Self {
        Self::new()
    }
}

impl Catalog {
    /// The catalog of a new store: empty, at revision 0.
    ///
    /// ```
    /// # use custom_attributes::{Catalog, DefinitionId, Revision};
    /// let catalog = Catalog::new();
    /// assert_eq!((catalog.revision(), catalog.next_id()), (Revision::ABSENT, Some(DefinitionId::new(1))));
    /// ```
    pub fn new() -> Self {
        Self {
            revision: Revision::ABSENT,
            next: Some(DefinitionId::new(1)),
            by_id: Vec::new(),
            by_name: ByType::default(),
            unique: BTreeSet::new(),
            unkept: BTreeSet::new(),
            required: ByType::default(),
            forgotten: BTreeMap::new(),
        }
    }

    /// The catalog that a backend has stored. `last` is the greatest definition id ever given out.
    ///
    /// # Errors
    /// Definitions that cannot stand beside each other: the same id or the same name twice, or an id over `last`.
    ///
    /// ```
    /// use custom_attributes::{Catalog, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Revision};
    /// let (id, spec) = (DefinitionId::new(1), DefinitionSpec::string("tier"));
    /// let definition = Definition::new(id, EntityType::new("customer")?, spec, &Limits::typed())?;
    /// let catalog = Catalog::load(Revision::new(4), DefinitionId::new(9), [definition])?;
    /// assert_eq!(catalog.next_id(), Some(DefinitionId::new(10)));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn load(revision: Revision, last: DefinitionId, definitions: impl IntoIterator<Item = Definition>) -> Result<Self> {
        let mut catalog = Self { revision, next: last.next(), ..Self::new() };
        for definition in definitions {
            let (id, name) = (definition.id(), definition.name().clone());
            if id > last.min(DefinitionId::MAX)
                || id.get() == 0
                || catalog.get(id).is_some()
                || catalog.find(definition.entity_type(), name.key()).is_some()
            {
                return Err(Error::corrupt(format!("definition {id}, `{name}`, cannot stand beside the others")));
            }
            catalog.put(definition);
        }
        Ok(catalog)
    }

    /// The revision: it moves with every commit that touches a definition.
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// The id that the next definition gets; none if all are used up.
    pub const fn next_id(&self) -> Option<DefinitionId> {
        self.next
    }

    /// The last id that was given to a definition; 0 before the first.
    pub fn last_id(&self) -> DefinitionId {
        self.next.map_or(DefinitionId::MAX, |next| DefinitionId::new(next.get() - 1))
    }

    /// The definition with this id.
    ///
    /// ```
    /// # use custom_attributes::{Catalog, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Revision};
    /// # let customer = EntityType::new("customer")?;
    /// # let (id, spec) = (DefinitionId::new(1), DefinitionSpec::string("Support Tier"));
    /// # let definition = Definition::new(id, customer.clone(), spec, &Limits::typed())?;
    /// # let catalog = Catalog::load(Revision::new(1), id, [definition])?;
    /// assert_eq!(catalog.get(id).map(|definition| definition.name().as_str()), Some("Support Tier"));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn get(&self, id: DefinitionId) -> Option<&Arc<Definition>> {
        self.by_id.get(id.get() as usize)?.as_ref()
    }

    /// The definition with this name, whatever its case.
    ///
    /// ```
    /// # use custom_attributes::{Catalog, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Revision};
    /// # let customer = EntityType::new("customer")?;
    /// # let (id, spec) = (DefinitionId::new(1), DefinitionSpec::string("Support Tier"));
    /// # let definition = Definition::new(id, customer.clone(), spec, &Limits::typed())?;
    /// # let catalog = Catalog::load(Revision::new(1), id, [definition])?;
    /// assert!(catalog.find(&customer, "SUPPORT tier").is_some());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn find(&self, entity_type: &EntityType, name: &str) -> Option<&Arc<Definition>> {
        let names = self.by_name.get(entity_type)?;
        // A name that is written as its key, as most are, needs no folding.
        let id = match names.get(name) {
            Some(id) if name.is_ascii() => id,
            _ => names.get(Name::key_of(name).as_str())?,
        };
        self.get(*id)
    }

    /// The definition with this name.
    ///
    /// # Errors
    /// [`Error::NotFound`], with names that resemble it.
    ///
    /// ```
    /// # use custom_attributes::{Catalog, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Revision};
    /// # let customer = EntityType::new("customer")?;
    /// # let (id, spec) = (DefinitionId::new(1), DefinitionSpec::string("Support Tier"));
    /// # let definition = Definition::new(id, customer.clone(), spec, &Limits::typed())?;
    /// # let catalog = Catalog::load(Revision::new(1), id, [definition])?;
    /// let error = catalog.resolve(&customer, "suport tier").unwrap_err();
    /// assert!(error.is_not_found());
    /// let message = "the attribute `suport tier` of `customer` does not exist; did you mean `Support Tier`?";
    /// assert_eq!(error.to_string(), message);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn resolve(&self, entity_type: &EntityType, name: &str) -> Result<&Arc<Definition>> {
        let missing = || {
            if let Some((definition, until)) = self.forgotten(entity_type, name) {
                return Error::Forgotten { attribute: definition.name().to_string(), until: *until };
            }
            let what = format!("the attribute `{}` of `{entity_type}`", Visible(&shorten(name.to_owned())));
            Error::not_found(what, self.near(entity_type, name))
        };
        self.find(entity_type, name).ok_or_else(missing)
    }

    /// Up to three names of the type that resemble this one, the closest first.
    ///
    /// ```
    /// # use custom_attributes::{Catalog, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Revision};
    /// # let customer = EntityType::new("customer")?;
    /// # let (id, spec) = (DefinitionId::new(1), DefinitionSpec::string("Support Tier"));
    /// # let definition = Definition::new(id, customer.clone(), spec, &Limits::typed())?;
    /// # let catalog = Catalog::load(Revision::new(1), id, [definition])?;
    /// assert_eq!(catalog.near(&customer, "tier"), ["Support Tier"]);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn near(&self, entity_type: &EntityType, name: &str) -> Vec<String> {
        let keys = self.by_name.get(entity_type).into_iter().flat_map(|names| names.iter());
        let close = nearest(&Name::key_of(name), keys.map(|(key, id)| (&**key, *id)));
        close.into_iter().filter_map(|id| self.get(id)).map(|definition| definition.name().to_string()).collect()
    }

    /// What is wrong with a name that is not defined.
    pub(crate) fn undefined(&self, entity_type: &EntityType, name: &str) -> Violation {
        if let Some((definition, until)) = self.forgotten(entity_type, name) {
            return Violation::new(Rule::Forgotten, format!("a point before commit {until}"), "").of(definition.name().as_str());
        }
        let near: Vec<_> = self.near(entity_type, name).iter().map(|name| format!("`{name}`")).collect();
        Violation::new(Rule::Defined, near.join(" or "), entity_type).of(name)
    }

    /// Whether entities are found by this definition, if it is there.
    pub(crate) fn is_searchable(&self, id: DefinitionId) -> bool {
        self.get(id).is_some_and(|definition| definition.is_searchable())
    }

    /// The definition with this name, to find entities by.
    pub(crate) fn searchable(&self, entity_type: &EntityType, name: &str) -> Result<&Arc<Definition>, Violation> {
        let definition = self.find(entity_type, name).ok_or_else(|| self.undefined(entity_type, name))?;
        let refused = || Violation::new(Rule::Searchable, true, false).about(definition);
        if definition.is_searchable() { Ok(definition) } else { Err(refused()) }
    }

    /// All definitions of a type, by id.
    ///
    /// ```
    /// # use custom_attributes::{Catalog, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Revision};
    /// # let customer = EntityType::new("customer")?;
    /// # let (id, spec) = (DefinitionId::new(1), DefinitionSpec::string("Support Tier"));
    /// # let definition = Definition::new(id, customer.clone(), spec, &Limits::typed())?;
    /// # let catalog = Catalog::load(Revision::new(1), id, [definition])?;
    /// assert_eq!(catalog.of(&customer).len(), 1);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn of(&self, entity_type: &EntityType) -> Vec<&Arc<Definition>> {
        self.those_of(entity_type, |_| true)
    }

    /// Those of a type that are wanted, by id.
    pub(crate) fn those_of(&self, entity_type: &EntityType, wanted: impl Fn(&Definition) -> bool) -> Vec<&Arc<Definition>> {
        let ids = self.by_name.get(entity_type).into_iter().flat_map(HashMap::values);
        let mut definitions: Vec<_> = ids.filter_map(|id| self.get(*id)).filter(|definition| wanted(definition)).collect();
        definitions.sort_unstable_by_key(|definition| definition.id());
        definitions
    }

    /// All definitions, by id.
    ///
    /// ```
    /// # use custom_attributes::{Catalog, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Revision};
    /// # let customer = EntityType::new("customer")?;
    /// # let (id, spec) = (DefinitionId::new(1), DefinitionSpec::string("Support Tier"));
    /// # let definition = Definition::new(id, customer.clone(), spec, &Limits::typed())?;
    /// # let catalog = Catalog::load(Revision::new(1), id, [definition])?;
    /// assert_eq!(catalog.iter().count(), 1);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.by_id.iter().flatten()
    }

    /// The unique definitions, by id.
    pub(crate) const fn unique(&self) -> &BTreeSet<DefinitionId> {
        &self.unique
    }

    /// Those of which no history is kept, by themselves.
    pub(crate) const fn unkept(&self) -> &BTreeSet<DefinitionId> {
        &self.unkept
    }

    /// The required definitions of a type, by id.
    pub(crate) fn required_of(&self, entity_type: &EntityType) -> impl Iterator<Item = DefinitionId> + '_ {
        self.required.get(entity_type).into_iter().flatten().copied()
    }

    /// Leaves out what is not known of a point in the past, and says so to who asks for it.
    pub(crate) fn forget(&mut self, definition: Arc<Definition>, until: CommitId) {
        self.forgotten.insert(definition.id(), (definition, until));
    }

    pub(crate) fn has_forgotten(&self) -> bool {
        !self.forgotten.is_empty()
    }

    fn forgotten(&self, entity_type: &EntityType, name: &str) -> Option<&(Arc<Definition>, CommitId)> {
        let key = Name::key_of(name);
        let is_it = |found: &Definition| found.entity_type() == entity_type && found.name().key() == key;
        self.forgotten.values().find(|(definition, _)| is_it(definition))
    }

    /// The entity types that have definitions, in alphabetical order.
    ///
    /// ```
    /// # use custom_attributes::{Catalog, Definition, DefinitionId, DefinitionSpec, EntityType, Limits, Revision};
    /// # let customer = EntityType::new("customer")?;
    /// # let (id, spec) = (DefinitionId::new(1), DefinitionSpec::string("Support Tier"));
    /// # let definition = Definition::new(id, customer.clone(), spec, &Limits::typed())?;
    /// # let catalog = Catalog::load(Revision::new(1), id, [definition])?;
    /// assert_eq!(catalog.entity_types(), [&customer]);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn entity_types(&self) -> Vec<&EntityType> {
        let used = self.by_name.iter().filter(|(_, names)| !names.is_empty());
        used.map(|(entity_type, _)| entity_type).collect()
    }

    /// Adds a definition, whose id must be [`Catalog::next_id`].
    pub(crate) fn define(&mut self, definition: Definition) -> Result<(), Violation> {
        self.check_name(&definition)?;
        self.next = definition.id().next();
        self.put(definition);
        Ok(())
    }

    /// Puts a definition in the place of the one with its id.
    pub(crate) fn redefine(&mut self, definition: Definition) -> Result<(), Violation> {
        self.check_name(&definition)?;
        self.undefine(definition.id());
        self.put(definition);
        Ok(())
    }

    /// Takes a definition out. Its id is not used again.
    pub(crate) fn undefine(&mut self, id: DefinitionId) -> Option<Arc<Definition>> {
        let definition = self.by_id.get_mut(id.get() as usize)?.take()?;
        if let Some(names) = self.by_name.get_mut(definition.entity_type()) {
            names.remove(definition.name().key());
        }
        self.unique.remove(&id);
        self.unkept.remove(&id);
        if let Some(required) = self.required.get_mut(definition.entity_type()) {
            required.remove(&id);
        }
        Some(definition)
    }

    pub(crate) fn at_revision(mut self, revision: Revision) -> Self {
        self.revision = revision;
        self
    }

    /// A name belongs to one definition of its type.
    fn check_name(&self, definition: &Definition) -> Result<(), Violation> {
        match self.find(definition.entity_type(), definition.name().key()) {
            Some(holder) if holder.id() != definition.id() => {
                Err(Violation::new(Rule::NameUnique, holder.name(), definition.name()).of(definition.name().as_str()))
            }
            _ => Ok(()),
        }
    }

    fn put(&mut self, definition: Definition) {
        let index = definition.id().get() as usize;
        if self.by_id.len() <= index {
            self.by_id.resize(index + 1, None);
        }
        let names = self.by_name.entry(definition.entity_type());
        names.insert(definition.name().key().into(), definition.id());
        if definition.rules().unique {
            self.unique.insert(definition.id());
        }
        if definition.spec().retention == Some(Retention::Off) {
            self.unkept.insert(definition.id());
        }
        if definition.rules().required {
            self.required.entry(definition.entity_type()).insert(definition.id());
        }
        self.by_id[index] = Some(Arc::new(definition));
    }
}
