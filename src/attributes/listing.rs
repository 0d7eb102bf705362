//! Definitions, a page at a time.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Rule, Violation};
use crate::model::Definition;
use crate::store::Direction;

/// By what a listing is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OrderField {
    /// The folded name.
    #[default]
    Name,
    /// When the definition was created.
    Created,
    /// When it was last changed.
    Modified,
}

/// The order of a listing; ties are in the order of folded names. Written as `name:asc`, `modified:desc`, or the field alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrderBy {
    /// By what.
    pub field: OrderField,
    /// Which way.
    pub direction: Direction,
}

impl FromStr for OrderBy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong =
            || Violation::new(Rule::Page, "an order by name, created or modified, then :asc or :desc", format!("{text:?}"));
        let (field, direction) = text.split_once(':').unwrap_or((text, "asc"));
        let field = match field {
            "name" => OrderField::Name,
            "created" => OrderField::Created,
            "modified" => OrderField::Modified,
            _ => return Err(wrong().into()),
        };
        let direction = match direction {
            "asc" => Direction::Ascending,
            "desc" => Direction::Descending,
            _ => return Err(wrong().into()),
        };
        Ok(Self { field, direction })
    }
}

impl fmt::Display for OrderBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = match self.field {
            OrderField::Name => "name",
            OrderField::Created => "created",
            OrderField::Modified => "modified",
        };
        write!(f, "{field}:{}", self.direction.as_str())
    }
}

impl TryFrom<String> for OrderBy {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<OrderBy> for String {
    fn from(order: OrderBy) -> Self {
        order.to_string()
    }
}

/// Which definitions to list: by default the first 100, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ListDefinitions {
    /// How many a page has: 1–1000.
    pub limit: usize,
    /// Which page, the first being 1. One past the end is empty.
    pub page: usize,
    /// In which order.
    pub order_by: OrderBy,
    /// Whether all are counted.
    pub include_total: bool,
}

impl Default for ListDefinitions {
    fn default() -> Self {
        Self { limit: 100, page: 1, order_by: OrderBy::default(), include_total: false }
    }
}

impl ListDefinitions {
    /// The greatest number of definitions on a page.
    pub const MAX_LIMIT: usize = 1000;

    /// The first 100 by name.
    pub fn new() -> Self {
        Self::default()
    }

    /// So many on a page: 1–1000.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// This page, the first being 1.
    #[must_use]
    pub const fn page(mut self, page: usize) -> Self {
        self.page = page;
        self
    }

    /// In this order.
    #[must_use]
    pub const fn order_by(mut self, order_by: OrderBy) -> Self {
        self.order_by = order_by;
        self
    }

    /// With the number of all.
    #[must_use]
    pub const fn with_total(mut self) -> Self {
        self.include_total = true;
        self
    }

    pub(super) fn page_of(&self, mut definitions: Vec<&Arc<Definition>>) -> Result<DefinitionPage> {
        if self.limit == 0 || self.limit > Self::MAX_LIMIT {
            return Err(Violation::new(Rule::Page, format!("a limit from 1 to {}", Self::MAX_LIMIT), self.limit).into());
        }
        let skipped = self.page.checked_sub(1).ok_or_else(|| Violation::new(Rule::Page, "a page from 1", self.page))?;
        let by_field = |a: &Definition, b: &Definition| match self.order_by.field {
            OrderField::Name => a.name().cmp(b.name()),
            OrderField::Created => a.created().at.cmp(&b.created().at),
            OrderField::Modified => a.modified().at.cmp(&b.modified().at),
        };
        definitions.sort_by(|a, b| {
            let order = self.order_by.direction.turn(by_field(a, b));
            order.then_with(|| a.name().cmp(b.name()))
        });
        let page = definitions.iter().skip(skipped.saturating_mul(self.limit)).take(self.limit);
        Ok(DefinitionPage {
            limit: self.limit,
            page: self.page,
            order_by: self.order_by,
            total: self.include_total.then_some(definitions.len()),
            definitions: page.map(|definition| Arc::clone(definition)).collect(),
        })
    }
}

/// A page of definitions, with what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DefinitionPage {
    /// How many a page has.
    pub limit: usize,
    /// Which page it is, the first being 1.
    pub page: usize,
    /// The order.
    pub order_by: OrderBy,
    /// How many definitions there are, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<usize>,
    /// The definitions.
    pub definitions: Vec<Arc<Definition>>,
}
