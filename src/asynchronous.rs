//! An asynchronous handle, for hosts on tokio.

mod order;

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::asynchronous::order::{Call, Order};
use crate::attributes::{Attributes, BatchBuilder, Entity, Home, Page, Query, Submitted, View};
use crate::error::{Error, Result};
use crate::model::{EntityType, FromValue, IntoEntityKey, Value};
use crate::store::{AttributeStore, Receipt};

/// The attributes of a store, for tasks of a tokio runtime. No thread that runs tasks is ever blocked: what reads, and what binds a
/// batch, runs where tokio keeps blocking work; a commit is awaited without any thread, however many are under way.
///
/// [`AsyncAttributes::with`] has everything that [`Attributes`] has; what is needed daily is here as well.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), custom_attributes::Error> {
/// use custom_attributes::{AsyncAttributes, Attributes, DefinitionSpec, MemoryStore, attr};
/// let attributes = AsyncAttributes::new(Attributes::new(MemoryStore::new()));
/// let batch = attributes.batch().define("customer", DefinitionSpec::integer("credit_limit").minimum(0));
/// attributes.commit(batch).await?;
///
/// attributes.set(("customer", 123), "credit_limit", 10_000).await?;
/// assert_eq!(attributes.get::<i64>(("customer", 123), "credit_limit").await?, Some(10_000));
/// let page = attributes.find("customer", attr("credit_limit").gt(5_000)).await?;
/// assert_eq!(page.entities.len(), 1);
///
/// let usage = attributes.with(|attributes| attributes.snapshot()?.count(&"customer".parse()?)).await?;
/// assert_eq!(usage, 1);
/// # Ok(())
/// # }
/// ```
///
/// # Cancellation
/// Dropping a future that was never polled does nothing. Dropping one that was:
/// - of a read (`get`, `entity`, `find`, `count_found`, `view`): the read goes on to its end, and its result is dropped.
/// - of [`AsyncAttributes::with`]: the work goes on to its end, if it was begun.
/// - of [`AsyncAttributes::commit`], `set` or `clear`: the batch is not taken back. It is handed in and committed whole, or
///   refused, and nobody hears of it; only where others change definitions at that very moment it may end unwritten. So a timeout
///   around a commit says nothing of what became of it: read to find out, or keep the future (in a task of its own) and go on
///   waiting for it later.
///
/// What a dropped future has begun comes before what the same handle, or a clone of it, begins afterwards: `commit`, `set`, `clear`,
/// `with` and `close` wait until the batch is handed in, or the work is done. A value that is set after a timeout is not
/// replaced by the one whose call timed out. Reads do not wait, so they may not see it yet, and what is done through
/// [`AsyncAttributes::blocking`] knows no order. Calls that are awaited at the same time are not ordered among each other.
///
/// # Under load
/// Where the queue of a store is full, batches wait for room beside the tasks, on the threads that tokio keeps for blocking work:
/// 512 by default, which reads need as well. A host that may have more commits under way bounds them, or raises that number.
///
/// # Next to sqlx
/// This handle writes on connections of its own, so its batches are not part of a transaction that the host has open with sqlx. Such
/// a transaction on the same SQLite file must end first: a write here waits for it and then returns [`Error::Busy`]. `HostTables`
/// shows how to set attributes inside a transaction of sqlx.
///
/// # The end
/// The last handle that is dropped waits until what was handed in is written. [`AsyncAttributes::close`] does so without blocking.
///
/// Every method answers an [`Error::Backend`] outside a runtime.
pub struct AsyncAttributes<S> {
    attributes: Arc<Attributes<S>>,
    order: Arc<Order>,
}

impl<S> Clone for AsyncAttributes<S> {
    fn clone(&self) -> Self {
        Self { attributes: Arc::clone(&self.attributes), order: Arc::clone(&self.order) }
    }
}

impl<S: AttributeStore + Send + Sync + 'static> AsyncAttributes<S> {
    /// The same attributes, for tasks.
    pub fn new(attributes: Attributes<S>) -> Self {
        Self { attributes: Arc::new(attributes), order: Arc::default() }
    }

    /// The same attributes for other threads, whom they may block.
    pub fn blocking(&self) -> &Attributes<S> {
        &self.attributes
    }

    /// Does any work with the attributes where blocking work belongs. What it does goes on to its end, also if this future is
    /// dropped, and then later writes of this handle wait for it: use [`AsyncAttributes::view`] for what only reads. A panic comes
    /// out here.
    ///
    /// # Errors
    /// What the work answers; [`Error::Backend`] outside a runtime, and in one that shuts down.
    pub async fn with<T: Send + 'static>(&self, work: impl FnOnce(&Attributes<S>) -> Result<T> + Send + 'static) -> Result<T> {
        let attributes = Arc::clone(&self.attributes);
        let call = self.begin().await;
        in_order(&call, move || work(&attributes)).await
    }

    /// Reads from a snapshot, where blocking work belongs. If this future is dropped, the reading goes on to its end, and nobody
    /// waits for it. A panic comes out here.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), custom_attributes::Error> {
    /// use custom_attributes::{AsyncAttributes, Attributes, MemoryStore};
    /// let attributes = AsyncAttributes::new(Attributes::new(MemoryStore::new()));
    /// assert_eq!(attributes.view(|view| view.count(&"customer".parse()?)).await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the reading answers; [`Error::Backend`] outside a runtime, and in one that shuts down.
    pub async fn view<T: Send + 'static>(&self, read: impl FnOnce(&View<'_>) -> Result<T> + Send + 'static) -> Result<T> {
        self.read(move |attributes| read(&attributes.snapshot()?)).await
    }

    async fn read<T: Send + 'static>(&self, read: impl FnOnce(&Attributes<S>) -> Result<T> + Send + 'static) -> Result<T> {
        let attributes = Arc::clone(&self.attributes);
        beside_tasks(move || read(&attributes)).await
    }

    /// A call that may write, behind those that were left behind.
    async fn begin(&self) -> Call {
        let call = self.order.begin();
        call.wait_for_earlier().await;
        call
    }

    /// A batch in the making, for [`AsyncAttributes::commit`]. Its own `commit` and `submit` block.
    pub fn batch(&self) -> BatchBuilder<'static, S> {
        BatchBuilder::new(Home::Shared(Arc::clone(&self.attributes)))
    }

    /// Does all of the batch or nothing. Many that are under way at once are done together, where the store can, and share the
    /// wait for the disk. If others change definitions meanwhile, it is bound anew and tried again.
    ///
    /// # Errors
    /// Those of [`BatchBuilder::commit`].
    pub async fn commit(&self, batch: BatchBuilder<'static, S>) -> Result<Receipt> {
        let call = self.begin().await;
        let mut submitted = in_order(&call, move || batch.submit()).await?;
        loop {
            if let Some(answer) = poll_fn(|context| submitted.poll_attempt(context)).await {
                return answer;
            }
            submitted = in_order(&call, move || {
                Submitted::hand_in_again(&mut submitted)?;
                Ok(submitted)
            })
            .await?;
        }
    }

    /// Sets a value, whether there was one or not. As with [`crate::AttributesOf::set`], it is for the host to check that it has a
    /// record with this id.
    ///
    /// # Errors
    /// Those of [`BatchBuilder::commit`].
    pub async fn set(
        &self,
        entity: impl IntoEntityKey,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Value>,
    ) -> Result<Receipt> {
        self.commit(self.batch().alone().set(entity, name, value)).await
    }

    /// Sets a value that is read from text, as the attribute's type is written.
    ///
    /// # Errors
    /// Those of [`BatchBuilder::commit`].
    pub async fn set_text(
        &self,
        entity: impl IntoEntityKey,
        name: impl Into<Cow<'static, str>>,
        text: impl Into<Cow<'static, str>>,
    ) -> Result<Receipt> {
        self.commit(self.batch().alone().set_text(entity, name, text)).await
    }

    /// Clears a value, if there is one.
    ///
    /// # Errors
    /// Those of [`BatchBuilder::commit`].
    pub async fn clear(&self, entity: impl IntoEntityKey, name: impl Into<Cow<'static, str>>) -> Result<Receipt> {
        self.commit(self.batch().alone().clear(entity, name)).await
    }

    /// What the entity holds for the attribute, or else the definition's default, or else nothing.
    ///
    /// # Errors
    /// Those of [`crate::AttributesOf::get`].
    pub async fn get<T: FromValue + Send + 'static>(
        &self,
        entity: impl IntoEntityKey,
        name: impl Into<Cow<'static, str>>,
    ) -> Result<Option<T>> {
        let (key, name) = (entity.into_entity_key()?, name.into());
        self.read(move |attributes| attributes.of_type(key.entity_type().clone()).get(key.id().clone(), &name)).await
    }

    /// All that is stored for the entity; none if nothing is, whatever defaults there are.
    ///
    /// # Errors
    /// A key that is not well formed.
    pub async fn entity(&self, entity: impl IntoEntityKey) -> Result<Option<Entity>> {
        let key = entity.into_entity_key()?;
        self.read(move |attributes| attributes.of_type(key.entity_type().clone()).entity(key.id().clone())).await
    }

    /// The entity with what it holds and, for the rest, with the defaults: see [`crate::AttributesOf::entity_with_defaults`].
    ///
    /// # Errors
    /// A key that is not well formed.
    pub async fn entity_with_defaults(&self, entity: impl IntoEntityKey) -> Result<Entity> {
        let key = entity.into_entity_key()?;
        self.read(move |attributes| attributes.of_type(key.entity_type().clone()).entity_with_defaults(key.id().clone())).await
    }

    /// A page of the entities that are wanted, of one type.
    ///
    /// # Errors
    /// Those of [`crate::AttributesOf::find`].
    pub async fn find(&self, entity_type: &str, query: impl Into<Query>) -> Result<Page> {
        let (entity_type, query) = (EntityType::new(entity_type)?, query.into());
        self.read(move |attributes| attributes.of_type(entity_type).find(query)).await
    }

    /// How many entities of the type the filter of the query, or a filter alone, admits.
    ///
    /// # Errors
    /// All that is wrong with the filter.
    pub async fn count_found(&self, entity_type: &str, query: impl Into<Query>) -> Result<u64> {
        let (entity_type, query) = (EntityType::new(entity_type)?, query.into());
        self.read(move |attributes| attributes.of_type(entity_type).count_found(query)).await
    }

    /// Drops this handle where blocking work belongs: if it is the last, what was handed in is written when this returns, and
    /// threads and files of the store are gone.
    ///
    /// # Errors
    /// [`Error::Backend`] outside a runtime, and in one that shuts down.
    pub async fn close(self) -> Result<()> {
        let call = self.begin().await;
        in_order(&call, move || {
            drop(self);
            Ok(())
        })
        .await
    }
}

/// Runs work of a call where it blocks no task. If the call is dropped, later calls wait for the work.
async fn in_order<T: Send + 'static>(call: &Call, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let under_way = call.work();
    beside_tasks(move || {
        let _under_way = under_way;
        work()
    })
    .await
}

/// Runs what may block where it blocks no task.
async fn beside_tasks<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let runtime = Handle::try_current().map_err(|error| Error::backend("looking for the runtime", error))?;
    match runtime.spawn_blocking(work).await {
        Ok(done) => done,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(ended) => Err(Error::backend("working beside the runtime, which shuts down", ended)),
        },
    }
}

impl<S> fmt::Debug for AsyncAttributes<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncAttributes").finish_non_exhaustive()
    }
}
