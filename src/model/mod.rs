//! What an attribute is: names, typed values, rules, definitions, records. No I/O, no storage.

mod by_type;
mod catalog;
mod definition;
mod difference;
mod entity;
mod form;
mod ids;
mod limits;
mod lineage;
mod literal;
mod name;
mod near;
mod record;
mod retention;
mod rules;
mod spec;
mod value;

pub(crate) use by_type::ByType;
pub use catalog::Catalog;
pub use definition::{Bound, Definition, Stamp};
pub use difference::Difference;
pub use entity::{EntityId, EntityKey, EntityType, IntoEntityId, IntoEntityKey};
pub(crate) use ids::MAX_COUNT;
pub use ids::{CommitId, DefinitionId, Ordinal, Revision, ValueId};
pub use limits::{Limits, Undefined};
pub use lineage::Lineage;
pub use name::Name;
pub(crate) use name::is_visible;
pub use record::{Diff, Edit, EntityRecord, Held, Outcome};
pub use retention::Retention;
pub use spec::{DefinitionSpec, Documentation, Rules};
pub use value::{DataType, FromValue, Value};

pub(crate) use value::{Exactness, longer_than, number_parts};
#[cfg(feature = "sqlite")]
pub(crate) use {literal::Bare, value::read_date};
