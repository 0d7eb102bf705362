//! The test suite for backends: what [`crate::AttributeStore`] promises, one case per promise.
//!
//! # For the author of a backend
//! Write the two traits of [`crate::store`], then put this into a file under `tests/`. Each case becomes a `#[test]` of its own:
//!
//! ```
//! use custom_attributes::MemoryStore;
//! custom_attributes::conformance_tests!(memory, || MemoryStore::new());
//! # fn main() {}
//! ```
//!
//! The closure builds a fresh, empty store for each case. Where something must live as long as the store, such as the
//! folder of its file, let it return both: `(store, folder)`; the store is dropped first. See [`Fresh`].
//!
//! A backend that outlives its process runs [`durability_tests!`](crate::durability_tests) as well: a place, and how a
//! store is opened there.
//!
//! ```no_run
//! # use custom_attributes::MemoryStore;
//! # struct Folder;
//! # impl Folder { fn new() -> Self { Self } }
//! # fn open(_: &Folder) -> MemoryStore { MemoryStore::new() }
//! custom_attributes::durability_tests!(on_disk, || Folder::new(), |folder| open(folder));
//! # fn main() {}
//! ```
//!
//! Without `cargo test`, run [`CASES`] yourself: [`Case::check`] answers what failed as a text.
//!
//! A case that fails says which promise was broken, what was expected and found, and what to do about it. Cases are
//! independent of each other; when many fail, begin with the groups in the order of the list: what a store cannot keep,
//! it cannot count. The suite asks for nothing that the port does not promise: a store may be slow, refuse to be copied,
//! or answer a write with [`crate::Error::Busy`] while others write (such a write is tried again).
//!
//! [`cases`] has all of them, with what each one holds a backend to.

// Every case fails by a panic: see `support::broken`.
#![allow(clippy::missing_panics_doc)]

mod batches;
mod commits;
mod copying;
mod cursors;
mod defaults;
mod definitions;
mod entities;
mod finding;
mod forgetting;
mod going_back;
mod history;
mod ids;
mod indexed;
mod list;
mod names;
mod plain;
mod reading;
mod refused;
mod reopened;
mod revisions;
mod rules;
mod snapshots;
mod support;
mod sweeping;
mod threads;
mod unique;
mod values;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::store::AttributeStore;

/// What a case is run against.
pub type Store = dyn AttributeStore + Send + Sync;

/// How a durable case opens the store again, at the same place.
pub type Open<'a> = &'a dyn Fn() -> Box<Store>;

/// A fresh store, alone or with what must live as long: a store itself, or a store and anything else.
pub trait Fresh {
    /// The store.
    fn store(&self) -> &Store;
}

impl<S: AttributeStore + Send + Sync + 'static> Fresh for S {
    fn store(&self) -> &Store {
        self
    }
}

impl<S: AttributeStore + Send + Sync + 'static, G> Fresh for (S, G) {
    fn store(&self) -> &Store {
        &self.0
    }
}

/// One promise, and how it is tested.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its group and its name, such as `names::equal_names_are_one`.
    pub name: &'static str,
    /// Tests a fresh store.
    ///
    /// # Panics
    /// With what was promised and not kept.
    pub run: fn(&Store),
}

impl Case {
    /// Tests a fresh store, and answers what failed. What a panic prints is up to the program's panic hook.
    ///
    /// # Errors
    /// The promise that was broken, what was found, and what to do about it.
    ///
    /// ```
    /// use custom_attributes::MemoryStore;
    /// use custom_attributes::conformance::CASES;
    /// for case in CASES {
    ///     case.check(&MemoryStore::new()).map_err(|failure| format!("{}: {failure}", case.name))?;
    /// }
    /// # Ok::<(), String>(())
    /// ```
    pub fn check(&self, fresh: &impl Fresh) -> Result<(), String> {
        let caught = catch_unwind(AssertUnwindSafe(|| (self.run)(fresh.store())));
        caught.map_err(|panic| support::message(&*panic))
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// One promise of a store that outlives its process.
#[derive(Clone, Copy)]
pub struct DurableCase {
    /// Its group and its name.
    pub name: &'static str,
    /// Tests a place where there is no store yet. A store is dropped before it is opened again.
    ///
    /// # Panics
    /// With what was promised and not kept.
    pub run: fn(Open<'_>),
}

impl fmt::Debug for DurableCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Runs one case; [`conformance_tests!`](crate::conformance_tests) does this for all of them.
///
/// # Panics
/// With what was promised and not kept.
pub fn run<F: Fresh>(build: impl FnOnce() -> F, case: fn(&Store)) {
    case(build().store());
}

/// Runs one durable case; [`durability_tests!`](crate::durability_tests) does this for all of them.
///
/// # Panics
/// With what was promised and not kept.
pub fn run_durable<P, S: AttributeStore + Send + Sync + 'static>(
    place: impl FnOnce() -> P,
    open: impl Fn(&P) -> S,
    case: fn(Open<'_>),
) {
    let place = place();
    case(&|| -> Box<Store> { Box::new(open(&place)) });
}

macro_rules! list {
    ({ $($group:ident { $($case:ident)* })* } { $($durable:ident)* }) => {
        /// Every case, in the order in which failures are best looked at.
        pub const CASES: &[Case] = &[
            $($(Case { name: concat!(stringify!($group), "::", stringify!($case)), run: $group::$case },)*)*
        ];

        /// Every case for a store that outlives its process.
        pub const DURABLE_CASES: &[DurableCase] = &[
            $(DurableCase { name: concat!("durable::", stringify!($durable)), run: reopened::$durable },)*
        ];

        /// The cases themselves, with what each holds a backend to.
        pub mod cases {
            $(pub use super::$group::{$($case),*};)*
            pub use super::reopened::{$($durable),*};
        }
    };
}
crate::__conformance_cases! { [list] }
