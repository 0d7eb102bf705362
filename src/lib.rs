//! crate docs
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::todo, clippy::unimplemented)]

mod attributes;
mod clock;
mod error;
mod memory;
pub mod model;
#[cfg(feature = "sqlite")]
mod sqlite;
pub mod store;
mod violation;

pub use attributes::{
    Attributes, AttributesOf, BatchBuilder, DefinitionExport, DefinitionPage, Direction, Ensured, Entity, ListDefinitions, OrderBy,
    OrderField, Reading, Source, ValueDetail, View,
};
pub use clock::{Clock, Instant, ManualClock, SystemClock};
pub use error::{Error, Moved, Result, Rule, Violation, Violations};
pub use memory::MemoryStore;
pub use model::*;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore};
pub use store::{Applied, AttributeStore, Commit, EntityRevision, Past, PastDefinition, Receipt, Snapshot};
