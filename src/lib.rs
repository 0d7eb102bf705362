//! Typed custom attributes for the records of a host application.
//!
//! A host has records of its own: customers, persons, sites. Its users need to attach what no fixed column foresaw: a
//! `Contract Expiry Date` to a person, a `credit_limit` to a customer. The host links this crate, chooses a backend, and
//! keeps its records where they are.
//!
//! ```
//! use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
//!
//! let attributes = Attributes::new(MemoryStore::new());
//! let customers = attributes.of("customer")?;
//! customers.ensure([
//!     DefinitionSpec::integer("credit_limit").minimum(0).default_value(1000),
//!     DefinitionSpec::date("Contract Expiry Date"),
//! ])?;
//!
//! customers.set(123, "credit_limit", 10_000)?;
//! customers.set_text(123, "contract expiry date", "2026-12-31")?;
//! assert_eq!(customers.get::<i64>(123, "credit_limit")?, Some(10_000));
//! assert_eq!(customers.get::<i64>(124, "credit_limit")?, Some(1000));
//!
//! let refused = customers.set(123, "credit_limit", -5).unwrap_err();
//! assert_eq!(refused.to_string(), "customer/123: `credit_limit` takes no less than 0, not -5");
//! # Ok::<(), custom_attributes::Error>(())
//! ```
//!
//! - A [`Filter`] and a [`Query`] say which entities are wanted; [`AttributesOf::find`] answers with a [`Page`] of them.
//! - [`Attributes`] is what a host keeps; [`AttributesOf`] is the handle of one entity type; [`BatchBuilder`] does many
//!   changes whole or not at all; [`View`] is a snapshot.
//! - [`MemoryStore`] and `SqliteStore` (feature `sqlite`, on by default) are backends; [`store`] is the port to write
//!   others against, and `conformance` (feature of that name) the suite that proves them.
//! - `HostTables` puts the tables of `SqliteStore` on a connection of the host: attributes are part of its transactions.
//! - [`BatchBuilder::submit`] hands in without waiting; `AsyncAttributes` (feature `tokio`) is a handle for tasks.
//! - [`Limits`] are what a host allows, [`Error`] is what can go wrong.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::pedantic)]
// An error section stands where the kind of error is not plain; SQLite is a name; arms and names may look alike.
#![allow(clippy::missing_errors_doc, clippy::must_use_candidate, clippy::module_name_repetitions, clippy::doc_markdown)]
#![allow(clippy::similar_names, clippy::single_match_else, clippy::match_same_arms, clippy::needless_for_each)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::todo, clippy::unimplemented)]

#[cfg(feature = "tokio")]
mod asynchronous;
mod attributes;
mod clock;
#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
mod error;
mod filter;
mod hash;
mod history;
mod index;
mod memory;
pub mod model;
#[cfg(feature = "sqlite")]
mod sqlite;
pub mod store;
mod trace;
mod transfer;
mod violation;

/// The programs of the README are tests.
#[cfg(all(doctest, feature = "sqlite", feature = "tokio"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub use asynchronous::AsyncAttributes;
pub use attributes::{
    Attributes, AttributesOf, BatchBuilder, Conversion, Cursor, DefinitionExport, DefinitionPage, EffectiveValue, Ensured,
    Entity, Facets, KeyPage, ListDefinitions, Offence, OrderBy, OrderByAttribute, OrderField, Page, PlanReport, Prune, Pruned,
    PrunedAttribute, Query, Reading, SchemaPlan, Source, StepReport, Submitted, Subscription, Usage, ValueDetail, View,
};
pub use clock::{Clock, Instant, ManualClock, SystemClock};
pub use error::{Error, Moved, Result, Rule, Violation, Violations};
pub use filter::{Attr, BoundFilter, Condition, Filter, attr};
pub use history::{
    ChangePage, Changed, DefinitionChange, DefinitionVersion, EntityChange, EntityErased, Horizon, ParsePositionError, Point,
    Position, ValueChange, Version,
};
pub use memory::MemoryStore;
pub use model::*;
/// The version of rusqlite that this build uses, of the range that this crate accepts.
///
/// [`HostTables::on`] takes a connection of this version. A host that names types through this path does not need to keep a
/// dependency of its own in step; one that needs more features of rusqlite adds `rusqlite = { version = "*", features = [..] }`.
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub use rusqlite;
#[cfg(feature = "sqlite")]
pub use sqlite::{HostTables, LentStore, SqliteOptions, SqliteStore};
pub use store::{
    Applied, AttributeStore, Commit, Direction, EntityRevision, ExplainedOrder, ExplainedPart, Explanation, Fault, FaultKind,
    Offending, OnProgress, Past, PastDefinition, Progress, Receipt, Snapshot, Ticket, VersionId, Way,
};
pub use transfer::{Contents, Copied, Digest};
