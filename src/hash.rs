//! The maps of the library.

/// A map whose hashes cost a fraction of the standard library's: names and entity ids are looked up with every value.
///
/// Each map has a seed of its own, so collisions cannot be prepared without knowing the process; but the authors of
/// `foldhash` promise no defence against one who can measure it from inside.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

/// The same for sets.
pub(crate) type HashSet<T> = std::collections::HashSet<T, foldhash::fast::RandomState>;
