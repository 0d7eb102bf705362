//! A query as a host writes it, and the page that answers it.

use serde::{Deserialize, Serialize};

use crate::attributes::{Cursor, Entity};
use crate::error::{Result, Rule, Violation, Violations};
use crate::filter::{BoundFilter, Filter, Sees};
use crate::model::{Catalog, EntityKey, EntityType};
use crate::store::{BoundQuery, Direction, Wanted};

/// Which entities of a type are wanted, in which order, and how many: plain data.
///
/// ```
/// use custom_attributes::{Attributes, DefinitionSpec, Direction, MemoryStore, Query, attr};
/// let attributes = Attributes::new(MemoryStore::new());
/// let customers = attributes.of("customer")?;
/// customers.define(DefinitionSpec::integer("credit_limit"))?;
/// for (id, limit) in [(1, 500), (2, 20_000), (3, 15_000)] {
///     customers.set(id, "credit_limit", limit)?;
/// }
/// let query = Query::new(attr("credit_limit").gt(10_000)).order_by("credit_limit", Direction::Descending).limit(1);
/// let page = customers.find(query.clone())?;
/// assert_eq!(page.entities[0].key().to_string(), "customer/2");
/// let page = customers.find(query.after(page.next.expect("there is a third")))?;
/// assert_eq!(page.entities[0].key().to_string(), "customer/3");
/// assert_eq!(page.next, None);
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
#[must_use = "a query does nothing until it is asked"]
pub struct Query {
    /// Those that it admits; all that hold a value if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// The attributes that order them, the first before the second. Without, and between equals, the order is that in which
    /// the entities were first written.
    pub order_by: Vec<OrderByAttribute>,
    /// How many entities a page has at most: 1 to 10,000, by default 100.
    pub limit: usize,
    /// Whether the filter sees defaults: see [`Query::with_defaults`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub with_defaults: bool,
    /// Where the page before this one ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Cursor>,
}

/// An order by the values of an attribute. Entities that hold none come last, whichever the direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderByAttribute {
    /// The attribute's name, in any case.
    pub name: String,
    /// Which way.
    #[serde(default)]
    pub direction: Direction,
}

impl Default for Query {
    fn default() -> Self {
        Self { filter: None, order_by: Vec::new(), limit: 100, with_defaults: false, after: None }
    }
}

impl From<Filter> for Query {
    fn from(filter: Filter) -> Self {
        Self::new(filter)
    }
}

impl From<&Filter> for Query {
    fn from(filter: &Filter) -> Self {
        Self::new(filter.clone())
    }
}

/// All that hold a value if there is no filter.
impl From<Option<&Filter>> for Query {
    fn from(filter: Option<&Filter>) -> Self {
        Self { filter: filter.cloned(), ..Self::default() }
    }
}

impl Query {
    /// The most entities that a page can have.
    pub const MAX_LIMIT: usize = 10_000;
    /// The most attributes that can order a query.
    pub const MAX_ORDER: usize = 16;

    /// The first 100 entities that the filter admits, in the order of their first writing.
    pub fn new(filter: Filter) -> Self {
        Self { filter: Some(filter), ..Self::default() }
    }

    /// The first 100 entities that hold a value.
    pub fn all() -> Self {
        Self::default()
    }

    /// Orders by this attribute, after those that were named before.
    pub fn order_by(mut self, name: impl Into<String>, direction: Direction) -> Self {
        self.order_by.push(OrderByAttribute { name: name.into(), direction });
        self
    }

    /// How many entities a page has at most: 1 to 10,000.
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Has the filter see the default of a definition where an entity holds no value for it: what [`crate::AttributesOf::get`] gives
    /// is what the filter compares. By default a filter sees stored values only.
    ///
    /// - Entities that hold at least one value are found, and no others: one that holds nothing is not known here.
    /// - An attribute with a default always has a value, so `exists` is true of every entity, and `not exists` of none. Ask without
    ///   defaults who holds a value.
    /// - Only the filter sees defaults. The order goes by stored values, those without one last; facets count stored values.
    ///
    /// The index serves it like any other filter. A cursor goes on until the default of an attribute in the filter is changed so
    /// that the filter means something else.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore, Query, attr};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.ensure([DefinitionSpec::string("tier").default_value("basic"), DefinitionSpec::integer("seats")])?;
    /// customers.set(1, "seats", 5)?;
    /// customers.set(2, "tier", "premium")?;
    ///
    /// let basic = attr("tier").eq("basic");
    /// assert_eq!(customers.count_found(&basic)?, 0);
    /// assert_eq!(customers.count_found(Query::new(basic).with_defaults())?, 1);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub const fn with_defaults(mut self) -> Self {
        self.with_defaults = true;
        self
    }

    /// The page after the one that ended here: see [`Cursor`] for when that is refused.
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// Which entities are wanted, in whatever order.
    pub(super) fn bind_wanted(&self, catalog: &Catalog, entity_type: &EntityType) -> Result<Wanted> {
        let mut violations = Vec::new();
        let filter = self.bind_filter(catalog, entity_type, &mut violations);
        Violations::into_result(violations)?;
        Ok(Wanted { entity_type: entity_type.clone(), filter })
    }

    /// None if there is no filter, or if it is refused.
    fn bind_filter(&self, catalog: &Catalog, entity_type: &EntityType, violations: &mut Vec<Violation>) -> Option<BoundFilter> {
        let sees = if self.with_defaults { Sees::Effective } else { Sees::Stored };
        self.filter.as_ref().and_then(|filter| filter.bind_or_refuse(catalog, entity_type, sees, violations))
    }

    pub(super) fn bind(&self, catalog: &Catalog, entity_type: &EntityType) -> Result<BoundQuery> {
        if self.limit == 0 || self.limit > Self::MAX_LIMIT {
            return Err(Violation::new(Rule::Page, format!("a limit from 1 to {}", Self::MAX_LIMIT), self.limit).into());
        }
        if self.order_by.len() > Self::MAX_ORDER {
            let limit = format!("at most {} attributes to order by", Self::MAX_ORDER);
            return Err(Violation::new(Rule::Page, limit, self.order_by.len()).into());
        }
        let mut violations = Vec::new();
        let filter = self.bind_filter(catalog, entity_type, &mut violations);
        let mut order = Vec::with_capacity(self.order_by.len());
        for by in &self.order_by {
            match catalog.searchable(entity_type, &by.name) {
                Ok(definition) => order.push((definition.id(), by.direction)),
                Err(violation) => violations.push(violation),
            }
        }
        Violations::into_result(violations)?;
        let wanted = Wanted { entity_type: entity_type.clone(), filter };
        let mut bound = BoundQuery { wanted, order, after: None, limit: self.limit };
        bound.after = self.after.as_ref().map(|cursor| cursor.rank(&bound, catalog)).transpose()?;
        Ok(bound)
    }
}

/// A page of entities, each with all that it holds, of one instant.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page {
    /// The entities, in the order asked for.
    pub entities: Vec<Entity>,
    /// Where the next page begins; none if this is the last.
    pub next: Option<Cursor>,
}

/// A page of which only the keys were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyPage {
    /// The keys of the entities, in the order asked for.
    pub keys: Vec<EntityKey>,
    /// Where the next page begins; none if this is the last.
    pub next: Option<Cursor>,
}

impl KeyPage {
    /// Returns the ids as one JSON array, which the host's own SQL takes as one parameter: integers stay integers, texts texts.
    ///
    /// SQLite compares a column of numbers by number, so that `'07'` equals 7 there, and takes no number for a text next to a
    /// column of texts. The values of `json_each` have no type that would say otherwise, so the SQL says it:
    ///
    /// | the host's column | condition |
    /// | --- | --- |
    /// | INTEGER | `id IN (SELECT value FROM json_each(?1) WHERE type = 'integer')` |
    /// | TEXT | `id IN (SELECT CAST(value AS TEXT) FROM json_each(?1))` |
    /// | any other but REAL | `CAST(id AS TEXT) IN (SELECT CAST(value AS TEXT) FROM json_each(?1))` |
    ///
    /// The first two use the host's index on its column. The shorter `id IN (SELECT value FROM json_each(?1))` is right where an
    /// INTEGER column meets a type that has only integers as ids.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, SqliteStore, attr};
    /// use rusqlite::Connection;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("crm.db");
    /// let host = Connection::open(&path)?;
    /// host.execute_batch("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO customers VALUES (123, 'Acme')")?;
    /// let attributes = Attributes::new(SqliteStore::options().beside_host_tables().open(&path)?);
    /// let customers = attributes.of("customer")?;
    /// customers.define(DefinitionSpec::string("support_tier"))?;
    /// customers.set(123, "support_tier", "premium")?;
    ///
    /// let found = customers.find_keys(attr("support_tier").eq("premium"))?.ids_as_json();
    /// assert_eq!(found, "[123]");
    /// let sql = "SELECT c.name FROM customers c WHERE c.id IN (SELECT value FROM json_each(?1) WHERE type = 'integer')";
    /// assert_eq!(host.query_row(sql, [found], |row| row.get::<_, String>(0))?, "Acme");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ids_as_json(&self) -> String {
        let id = |key: &EntityKey| match (key.id().as_integer(), key.id().as_text()) {
            (Some(number), _) => serde_json::Value::from(number),
            (None, text) => serde_json::Value::from(text),
        };
        serde_json::Value::Array(self.keys.iter().map(id).collect()).to_string()
    }
}
