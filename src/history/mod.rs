//! The past: a store as it once was, what each commit changed, and the versions of values and definitions.

mod as_of;
mod changes;
mod definitions;
mod horizon;
mod position;
mod versions;

pub use as_of::Point;
pub(crate) use as_of::{AsOf, Horizons, is_known, state_at};
pub use changes::{ChangePage, Changed, DefinitionChange, EntityChange, EntityErased, ValueChange};
pub(crate) use changes::{changes_between, changes_since, changes_until};
pub(crate) use definitions::Definitions;
pub use horizon::Horizon;
pub(crate) use horizon::horizons;
pub use position::{ParsePositionError, Position};
pub use versions::{DefinitionVersion, Version};
pub(crate) use versions::{definition_versions, versions};
