//! Every backend of the crate, each way of handing one on, and the example backend, held to the public suite.

use std::sync::Arc;

use custom_attributes::{AttributeStore, MemoryStore, conformance_tests};

#[path = "../examples/custom_backend.rs"]
mod custom_backend;

conformance_tests!(memory, MemoryStore::new);
conformance_tests!(example, custom_backend::StateStore::default);

// The pointers forward every method, provided ones as well.
conformance_tests!(boxed, || Box::new(MemoryStore::new()) as Box<dyn AttributeStore + Send + Sync>);
conformance_tests!(shared, || Arc::new(MemoryStore::new()));
conformance_tests!(lent, || &*Box::leak(Box::new(MemoryStore::new())));

#[cfg(feature = "sqlite")]
mod sqlite {
    use custom_attributes::{SqliteStore, conformance_tests, durability_tests};
    use tempfile::TempDir;

    fn folder() -> TempDir {
        TempDir::new().expect("a temporary folder")
    }

    fn open(folder: &TempDir) -> SqliteStore {
        SqliteStore::open(folder.path().join("attributes.db")).expect("a store")
    }

    conformance_tests!(file, || {
        let folder = folder();
        (open(&folder), folder)
    });
    conformance_tests!(in_memory, || SqliteStore::in_memory().expect("a store"));
    durability_tests!(durable, folder, open);
}
