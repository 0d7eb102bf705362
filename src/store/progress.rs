//! How long work tells how far it has come.

use std::ops::ControlFlow;

use crate::error::{Error, Result};

/// How far long work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How much is done: entities or steps, as the work says.
    pub done: u64,
    /// How much there is in all, as far as is known now.
    pub total: u64,
}

/// Is told how far the work has come, and may end it.
pub type OnProgress<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

impl Progress {
    /// For authors of backends.
    pub const fn new(done: u64, total: u64) -> Self {
        Self { done, total }
    }
}

/// Tells it to the caller, who may have had enough.
pub(crate) fn tell(progress: &mut OnProgress<'_>, done: u64, total: u64) -> Result<()> {
    match progress(Progress::new(done, total.max(done))) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Stopped),
    }
}
