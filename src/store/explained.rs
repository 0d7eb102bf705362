//! How a query is answered.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a query was answered: what was asked of how many entities, in which order, and how each answer was found. It is made
/// by answering the query.
///
/// ```
/// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore, attr};
/// let attributes = Attributes::new(MemoryStore::new());
/// let customers = attributes.of("customer")?;
/// customers.ensure([DefinitionSpec::string("tier"), DefinitionSpec::integer("seats")])?;
/// for (id, tier) in [(1, "basic"), (2, "premium"), (3, "basic")] {
///     customers.set(id, "tier", tier)?;
///     customers.set(id, "seats", id)?;
/// }
/// let explanation = customers.explain(attr("seats").exists() & attr("tier").eq("premium"))?;
/// assert_eq!(
///     explanation.to_string(),
///     "all of\n  tier = 'premium': looked up, 1 expected; 1 found\n  \
///      seats exists: looked up, 3 expected; 1 given, 1 left\nby ordinal: the first 100; 1 found"
/// );
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The filter's parts in the order in which they were taken, those of a part behind it.
    pub parts: Vec<ExplainedPart>,
    /// How the order was had.
    pub order: ExplainedOrder,
    /// How many entities the page could have at most.
    pub limit: usize,
    /// How many it has.
    pub found: usize,
}

/// A part of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExplainedPart {
    /// How many parts it is a part of.
    pub depth: usize,
    /// The part, if it is a test of one attribute: as text. `a sensitive value` stands in place of each value that the filter
    /// compares with a sensitive attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// How it was answered.
    pub way: Way,
    /// How many entities were expected to meet it, where that was known beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// How many entities it was asked of; 0 if it was asked first, of the index alone.
    pub given: u64,
    /// How many of these met it.
    pub left: u64,
}

/// How a part of a filter was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Way {
    /// Each of its parts was asked of those that met the ones before.
    AllOf,
    /// Each of its parts was asked of those that met none before.
    AnyOf,
    /// Those that do not meet its part.
    Not,
    /// Its values were looked up in the index.
    LookedUp,
    /// So many entries of the index were walked, and so many entities were read.
    Walked {
        /// Entries of the index.
        steps: u64,
        /// Entities.
        read: u64,
    },
    /// The entities themselves were read.
    Read,
}

/// How an order was had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExplainedOrder {
    /// In the order of first writing, which is that of the index.
    #[default]
    Ordinal,
    /// The values that order it were walked.
    Walked,
    /// So many entities were read and sorted.
    Sorted {
        /// Entities.
        read: u64,
    },
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllOf => f.write_str("all of"),
            Self::AnyOf => f.write_str("any of"),
            Self::Not => f.write_str("not"),
            Self::LookedUp => f.write_str("looked up"),
            Self::Walked { steps, read: 0 } => write!(f, "walked {steps} entries"),
            Self::Walked { steps, read } => write!(f, "walked {steps} entries, read {read} entities"),
            Self::Read => f.write_str("read the entities"),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            write!(f, "{:indent$}", "", indent = 2 * part.depth)?;
            match (&part.test, part.expected) {
                (None, _) => writeln!(f, "{}", part.way)?,
                (Some(test), expected) => {
                    write!(f, "{test}: {}", part.way)?;
                    expected.map_or(Ok(()), |expected| write!(f, ", {expected} expected"))?;
                    match part.given {
                        0 => writeln!(f, "; {} found", part.left)?,
                        given => writeln!(f, "; {given} given, {} left", part.left)?,
                    }
                }
            }
        }
        match self.order {
            ExplainedOrder::Ordinal => f.write_str("by ordinal"),
            ExplainedOrder::Walked => f.write_str("by value: walked"),
            ExplainedOrder::Sorted { read } => write!(f, "by value: read and sorted {read} entities"),
        }?;
        write!(f, ": the first {}; {} found", self.limit, self.found)
    }
}
