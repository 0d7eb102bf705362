//! A batch that was handed in, in the terms in which it was asked for.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use crate::attributes::ATTEMPTS;
use crate::attributes::BatchBuilder;
use crate::attributes::bind::Binding;
use crate::error::{Error, Result};
use crate::store::{AttributeStore, Receipt, Ticket};
use crate::trace::Doing;

/// A batch that was handed in with [`BatchBuilder::submit`]: waited for, asked now and then, or awaited as a future, on any
/// runtime or none. Dropping it does not take the batch back.
///
/// If others change definitions meanwhile, the batch is bound to what they are now and handed in again, as
/// [`BatchBuilder::commit`] does. Whoever asks or awaits does that, which reads the definitions, and may wait for room. One that
/// is dropped is not handed in again, and a [`crate::Subscription`] finds what it did by looking, within a tenth of a second.
///
/// ```
/// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
/// let attributes = Attributes::new(MemoryStore::new());
/// attributes.of("customer")?.define(DefinitionSpec::integer("credit_limit"))?;
/// let mut submitted = attributes.batch().set(("customer", 123), "credit_limit", 500).submit()?;
/// let receipt = loop {
///     // Something else is done here.
///     if let Some(answer) = submitted.try_take() {
///         break answer?;
///     }
/// };
/// assert_eq!(receipt.changes.len(), 1);
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[must_use = "the answer is lost, and with it the error of a batch that was refused"]
pub struct Submitted<'a, S> {
    batch: BatchBuilder<'a, S>,
    ticket: Ticket,
    /// None once it is answered.
    binding: Option<Binding>,
    attempts: usize,
    began: Instant,
}

/// Nothing in it refers to itself.
impl<S> Unpin for Submitted<'_, S> {}

impl<'a, S: AttributeStore> Submitted<'a, S> {
    pub(super) fn begin(batch: BatchBuilder<'a, S>) -> Result<Self> {
        let began = Instant::now();
        let (ticket, binding) = hand_in(&batch)?;
        Ok(Self { batch, ticket, binding: Some(binding), attempts: 1, began })
    }

    /// Whether the store has answered.
    pub fn is_done(&self) -> bool {
        self.ticket.is_done()
    }

    /// The answer, if it is there. It is given once.
    pub fn try_take(&mut self) -> Option<Result<Receipt>> {
        let answer = self.ticket.try_take()?;
        match self.settle(answer) {
            Some(answer) => Some(answer),
            None => self.hand_in_again().err().map(Err),
        }
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// Those of [`BatchBuilder::commit`]; [`Error::Backend`] if the store was closed before it came to the batch.
    pub fn wait(mut self) -> Result<Receipt> {
        loop {
            let ticket = std::mem::replace(&mut self.ticket, Ticket::ready(Err(Error::Stopped)));
            let answer = ticket.wait();
            if let Some(answer) = self.settle(answer) {
                return answer;
            }
            self.hand_in_again()?;
        }
    }

    /// The answer of the store to the attempt under way; none if it is to be handed in again.
    pub(crate) fn poll_attempt(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Receipt>>> {
        let answer = ready!(Pin::new(&mut self.ticket).poll(context));
        Poll::Ready(self.settle(answer))
    }

    pub(crate) fn hand_in_again(&mut self) -> Result<()> {
        self.attempts += 1;
        let (ticket, binding) = hand_in(&self.batch)?;
        (self.ticket, self.binding) = (ticket, Some(binding));
        Ok(())
    }

    fn settle(&mut self, answer: Result<Receipt>) -> Option<Result<Receipt>> {
        if let Err(error) = &answer
            && self.attempts < ATTEMPTS
            && self.batch.is_tried_again(error)
        {
            return None;
        }
        let Some(binding) = self.binding.take() else { return Some(answer) };
        let answer = self.batch.answer(binding, answer);
        Doing::new("submit").sized(self.batch.len()).ended(self.began, &answer, Receipt::changed);
        Some(answer)
    }
}

fn hand_in<S: AttributeStore>(batch: &BatchBuilder<'_, S>) -> Result<(Ticket, Binding)> {
    let (bound, binding) = batch.bind_to_commit()?;
    Ok((batch.attributes().store().submit(bound)?, binding))
}

impl<S: AttributeStore> Future for Submitted<'_, S> {
    type Output = Result<Receipt>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            if let Some(answer) = ready!(this.poll_attempt(context)) {
                return Poll::Ready(answer);
            }
            if let Err(error) = this.hand_in_again() {
                return Poll::Ready(Err(error));
            }
        }
    }
}

impl<S> fmt::Debug for Submitted<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submitted").field("batch", &self.batch).field("ticket", &self.ticket).finish_non_exhaustive()
    }
}
