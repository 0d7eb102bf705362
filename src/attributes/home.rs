//! Where a batch is committed.

use std::ops::Deref;
use std::sync::Arc;

use crate::attributes::Attributes;

/// Where a batch is committed: it may be handed on to another thread, and then it must not borrow.
#[derive(Debug)]
pub(crate) enum Home<'a, S> {
    Borrowed(&'a Attributes<S>),
    #[cfg_attr(not(feature = "tokio"), allow(dead_code))]
    Shared(Arc<Attributes<S>>),
}

impl<S> Deref for Home<'_, S> {
    type Target = Attributes<S>;

    fn deref(&self) -> &Attributes<S> {
        match self {
            Self::Borrowed(attributes) => attributes,
            Self::Shared(attributes) => attributes,
        }
    }
}

impl<S> Clone for Home<'_, S> {
    fn clone(&self) -> Self {
        match self {
            Self::Borrowed(attributes) => Self::Borrowed(attributes),
            Self::Shared(attributes) => Self::Shared(Arc::clone(attributes)),
        }
    }
}
