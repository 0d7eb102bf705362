//! The maps of the library.

/// A map whose hashes cost a fraction of the standard library's: names and entity ids are looked up with every value. The
/// seed differs from process to process, so ids that strangers choose cannot be made to collide beforehand.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;
