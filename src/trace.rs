//! What is told to `tracing`: what was done, of which type, how many, how long. Never a value, nor an id: an error is told by its code.

use std::time::Instant;

use crate::error::Result;
use crate::model::EntityType;

/// Something that is done.
pub(crate) struct Doing<'a> {
    pub(crate) operation: &'static str,
    pub(crate) entity_type: Option<&'a EntityType>,
    /// How many changes or entities it is asked for.
    pub(crate) size: u64,
}

impl<'a> Doing<'a> {
    pub(crate) const fn new(operation: &'static str) -> Self {
        Self { operation, entity_type: None, size: 0 }
    }

    pub(crate) const fn of(mut self, entity_type: &'a EntityType) -> Self {
        self.entity_type = Some(entity_type);
        self
    }

    pub(crate) const fn sized(mut self, size: usize) -> Self {
        self.size = size as u64;
        self
    }

    /// Does it within a span, and tells how it ended: how many came of it, or the code of the error.
    #[cfg(feature = "tracing")]
    pub(crate) fn tell<T>(self, work: impl FnOnce() -> Result<T>, count: impl FnOnce(&T) -> u64) -> Result<T> {
        let (operation, entity_type) = (self.operation, self.entity_type.map(EntityType::as_str));
        let span = tracing::debug_span!("custom_attributes", operation, entity_type, size = self.size);
        let _within = span.enter();
        let began = Instant::now();
        let done = work();
        self.ended(began, &done, count);
        done
    }

    /// Tells how it ended that began then.
    #[cfg(feature = "tracing")]
    pub(crate) fn ended<T>(self, began: Instant, done: &Result<T>, count: impl FnOnce(&T) -> u64) {
        let Self { operation, entity_type, size } = self;
        let entity_type = entity_type.map(EntityType::as_str);
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        match done {
            Ok(result) => tracing::debug!(operation, entity_type, size, count = count(result), micros, "done"),
            Err(error) => tracing::warn!(operation, entity_type, size, code = error.code(), micros, "failed"),
        }
    }

    #[cfg(not(feature = "tracing"))]
    #[inline]
    pub(crate) fn tell<T>(self, work: impl FnOnce() -> Result<T>, count: impl FnOnce(&T) -> u64) -> Result<T> {
        let Self { operation, entity_type, size } = self;
        let _ = (operation, entity_type, size, count);
        work()
    }

    #[cfg(not(feature = "tracing"))]
    #[inline]
    pub(crate) fn ended<T>(self, began: Instant, done: &Result<T>, count: impl FnOnce(&T) -> u64) {
        let Self { operation, entity_type, size } = self;
        let _ = (operation, entity_type, size, began, done, count);
    }
}
