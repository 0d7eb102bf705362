//! Definitions of one entity type: declared, read, listed, changed, deleted.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Serialize;

use crate::attributes::SchemaPlan;
use crate::attributes::export::DefinitionExport;
use crate::attributes::listing::{DefinitionPage, ListDefinitions};
use crate::attributes::of::AttributesOf;
use crate::error::{Error, Result};
use crate::model::{Definition, DefinitionSpec, Difference, Outcome};
use crate::store::{Applied, AttributeStore, Progress, Receipt};

/// What became of one definition that a service needs: see [`AttributesOf::ensure`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Ensured {
    /// The definition, as it was when [`AttributesOf::ensure`] committed.
    pub definition: Arc<Definition>,
    /// Whether it was created; [`Outcome::Unchanged`] if it was there.
    pub outcome: Outcome,
    /// In what the definition differs from the declaration; empty if it is exactly what was declared.
    pub differences: Vec<Difference>,
}

impl<S: AttributeStore> AttributesOf<'_, S> {
    /// Adds a definition.
    ///
    /// # Errors
    /// A name that is taken ([`Error::is_duplicate`]), or all that is wrong with the declaration.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let people = attributes.of("person")?;
    /// people.define(DefinitionSpec::date("Contract Expiry Date"))?;
    /// let twice = people.define(DefinitionSpec::date("contract expiry date")).unwrap_err();
    /// assert!(twice.is_duplicate());
    /// assert_eq!(twice.code(), 40002);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn define(&self, spec: DefinitionSpec) -> Result<Arc<Definition>> {
        first(&self.alone().define(self.entity_type.as_str(), spec).commit()?)
    }

    /// The definition with this name, whatever its case.
    ///
    /// # Errors
    /// [`Error::NotFound`], with names that resemble it.
    pub fn definition(&self, name: &str) -> Result<Arc<Definition>> {
        self.attributes.store.catalog()?.resolve(&self.entity_type, name).cloned()
    }

    /// A page of the definitions.
    ///
    /// # Errors
    /// A limit or a page out of bounds.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, ListDefinitions, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let people = attributes.of("person")?;
    /// people.ensure([DefinitionSpec::string("Company"), DefinitionSpec::date("Contract Expiry")])?;
    /// let page = people.definitions(&ListDefinitions::new().order_by("name:desc".parse()?).limit(1).with_total())?;
    /// assert_eq!(page.definitions[0].name().as_str(), "Contract Expiry");
    /// assert_eq!(page.total, Some(2));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn definitions(&self, list: &ListDefinitions) -> Result<DefinitionPage> {
        list.page_of(self.attributes.store.catalog()?.of(&self.entity_type))
    }

    /// Changes a definition: its name, its rules or its documentation. Values stay with it.
    ///
    /// New rules must admit every value that is held, or nothing is changed and each that they refuse is reported. The
    /// function may be called more than once, if others change definitions meanwhile.
    ///
    /// # Errors
    /// A name that is not defined or is taken, another data type, held values that the new rules refuse, or all that is
    /// wrong with the declaration.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::integer("credit_limit"))?;
    /// customers.set(123, "credit_limit", 500)?;
    /// assert!(customers.alter("credit_limit", |spec| spec.minimum(1000)).is_err());
    /// customers.alter("credit_limit", |spec| spec.minimum(100).description("in euros"))?;
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn alter(&self, name: &str, alter: impl Fn(DefinitionSpec) -> DefinitionSpec + Send + Sync) -> Result<Arc<Definition>> {
        first(&self.alone().alter(self.entity_type.as_str(), name, alter).commit()?)
    }

    /// Makes an attribute searchable: its index is made of all that is held, within the one commit that says so, which tells
    /// how many entities it has looked at. The caller may end it, and nothing is changed then. Readers go on meanwhile,
    /// other writers wait.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore, attr};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::string("remark").searchable(false))?;
    /// customers.set(123, "remark", "calls on Mondays")?;
    /// assert!(customers.find(attr("remark").contains("Monday")).is_err());
    /// customers.make_searchable("remark", |progress| {
    ///     println!("{} of {}", progress.done, progress.total);
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(customers.find(attr("remark").contains("Monday"))?.entities.len(), 1);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    ///
    /// # Errors
    /// A name that is not defined; [`crate::Error::Stopped`] if the caller ended it.
    pub fn make_searchable(&self, name: &str, progress: impl FnMut(Progress) -> ControlFlow<()>) -> Result<Arc<Definition>> {
        let batch = self.alone().alter(self.entity_type.as_str(), name, |spec| spec.searchable(true));
        first(&batch.commit_with(progress)?)
    }

    /// Renames a definition. Values stay with it; a change of case alone is fine.
    ///
    /// # Errors
    /// A name that is not defined, or is taken.
    pub fn rename(&self, name: &str, new: &str) -> Result<Arc<Definition>> {
        self.alter(name, |spec| spec.named(new))
    }

    /// Deletes a definition that no entity holds a value of and no system depends on.
    ///
    /// # Errors
    /// A name that is not defined; a definition in use, with the counts and the dependents.
    pub fn delete(&self, name: &str) -> Result<Receipt> {
        self.alone().delete(self.entity_type.as_str(), name).commit()
    }

    /// Deletes a definition and clears every value of it. What it held stays in history.
    ///
    /// # Errors
    /// A name that is not defined.
    pub fn delete_with_values(&self, name: &str) -> Result<Receipt> {
        self.alone().delete_with_values(self.entity_type.as_str(), name).commit()
    }

    /// Creates the definitions that a service needs and that are missing, all or nothing. To be called at each start.
    ///
    /// Definitions that are there stay as they are: what an administrator has changed since, such as an added choice, is kept. In
    /// what each differs from the declaration is in [`Ensured::differences`], in the order of `specs`. To make definitions exactly
    /// what is declared, use [`AttributesOf::declare`].
    ///
    /// A definition that was renamed is found by its new name only: the old name counts as missing, and is created.
    ///
    /// # Errors
    /// A definition that is there with another data type, or all that is wrong with a declaration.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore, Outcome};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// let needed = || [DefinitionSpec::string("tier").choices(["basic", "premium"]), DefinitionSpec::integer("credit_limit")];
    /// assert_eq!(customers.ensure(needed())?[0].outcome, Outcome::Created);
    ///
    /// // An administrator adds a choice, and a value uses it. The next start keeps the choice and reports it.
    /// customers.alter("tier", |spec| spec.choices(["basic", "premium", "gold"]))?;
    /// customers.set(123, "tier", "gold")?;
    /// let ensured = customers.ensure(needed())?;
    /// assert_eq!((ensured[0].outcome, ensured[0].differences[0].field.as_str()), (Outcome::Unchanged, "choices"));
    /// assert!(ensured[1].differences.is_empty());
    /// assert!(customers.ensure([DefinitionSpec::date("credit_limit")]).is_err());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn ensure(&self, specs: impl IntoIterator<Item = DefinitionSpec>) -> Result<Vec<Ensured>> {
        let (of, specs) = (self.entity_type.as_str(), Vec::from_iter(specs));
        let receipt = specs.iter().fold(self.batch(), |batch, spec| batch.ensure(of, spec.clone())).commit()?;
        let ensured = receipt.changes.iter().zip(specs).map(|(applied, spec)| {
            let definition = changed(&receipt, applied)?;
            let differences = spec.differences(definition.spec());
            Ok(Ensured { definition, outcome: applied.outcome, differences })
        });
        ensured.collect()
    }

    /// All definitions of the type as plain data.
    pub fn export_definitions(&self) -> Result<DefinitionExport> {
        let catalog = self.attributes.store.catalog()?;
        let specs = catalog.of(&self.entity_type).into_iter().map(|definition| definition.spec().clone());
        Ok(DefinitionExport::new(self.entity_type.clone(), specs.collect()))
    }

    /// A plan that makes exported definitions for this type exactly as they were exported: see [`AttributesOf::declare`].
    pub fn import_definitions(&self, export: &DefinitionExport) -> SchemaPlan<'_, S> {
        self.declare(export.definitions.iter().cloned())
    }
}

/// The definition that the one change of a batch was about.
fn first(receipt: &Receipt) -> Result<Arc<Definition>> {
    receipt.changes.first().map_or_else(|| Err(unanswered()), |applied| changed(receipt, applied))
}

/// The definition that a change was about, as its commit left it. Nothing is read: what others do afterwards, and a storage that
/// fails afterwards, do not make an error of what was committed.
fn changed(receipt: &Receipt, applied: &Applied) -> Result<Arc<Definition>> {
    applied.definition.and_then(|id| receipt.definition(id)).cloned().ok_or_else(unanswered)
}

/// The planner answers each change of a definition with that definition, so a store that hands its receipt on never meets this.
fn unanswered() -> Error {
    Error::corrupt("the store answered a change of a definition without that definition")
}
