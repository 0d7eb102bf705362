//! The answer: postings, which say of each value who holds it, and the one evaluator over them.

mod answer;
mod change;
mod holders;
mod key;
mod node;
mod order;
mod postings;
mod span;
mod verify;

pub(crate) use answer::{count, explain, find, find_keys, lost, tally};
#[cfg(feature = "sqlite")]
pub(crate) use change::build_all;
pub(crate) use change::{IndexWriter, Writing};
pub(crate) use holders::Holders;
#[cfg(feature = "sqlite")]
pub(crate) use holders::{bitmap_to_bytes, unreadable};
pub(crate) use key::{Key, Keys, all as all_keys};
pub(crate) use postings::{NO_DEFINITION, Place, Postings, Visit, holder, usage};
pub(crate) use verify::verify;
#[cfg(feature = "sqlite")]
pub(crate) use {
    postings::split,
    verify::{Expected, is_supported},
};
