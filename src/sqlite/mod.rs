//! The store in an SQLite file: one row an entity, one writer, readers beside it.

mod backup;
mod bulk;
mod checkpoints;
mod codec;
mod column;
mod connections;
mod failure;
mod file_snapshot;
mod group;
mod keys;
mod lent;
mod lent_snapshot;
mod migrate;
mod names;
mod open;
mod own_tables;
mod place;
mod point;
mod postings;
mod rebuild;
mod schema;
mod step;
mod tables;
mod views;
mod write;
mod writer;

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::model::{Catalog, EntityKey, EntityRecord, Value};
use crate::sqlite::connections::Connections;
use crate::sqlite::failure::{failed, second_look, waited};
use crate::sqlite::file_snapshot::FileSnapshot;
use crate::sqlite::names::Names;
use crate::sqlite::step::Step;
use crate::sqlite::tables::Tables;
use crate::sqlite::writer::Writer;
use crate::store::{AttributeStore, Batch, Decide, Find, OnProgress, Receipt, Snapshot, Ticket, plan_with};

pub use lent::{HostTables, LentStore};

/// A store in an SQLite file. Cheap to clone; clones share its connections.
///
/// Commits are durable when they return (write-ahead log, `synchronous = FULL`). Snapshots have connections of their own,
/// one each for as long as they are held, and block nobody. Other processes may use the same file at the same time.
///
/// Who finds the writer free commits at once, on its own thread. Batches that have to wait, and those that are handed in without
/// waiting ([`crate::BatchBuilder::submit`]), are committed together by a thread that the first of them starts: each whole or not
/// at all for itself, all with one wait for the disk. Another thread takes checkpoints beside commits. Dropping the last clone
/// writes what was handed in, ends both threads and closes all files; it blocks for as long as that takes.
///
/// If the file is deleted, moved or replaced while it is open, commits and [`purge`](crate::Attributes::purge) return
/// [`Error::FileReplaced`] and write nothing. On Unix they compare device and inode of the file, of its write-ahead log and of the
/// index of the log with those that were opened. Reads on connections that are open already go on seeing the file that was opened: up
/// to 16 connections of earlier reads are kept. A read that needs another connection returns [`Error::FileReplaced`], and so does a
/// read that fails. [`SqliteStore::backup`] always copies the file that was opened, also after it was deleted.
///
/// The schema of a file is not trusted. Opening refuses triggers on the tables of the store, views and virtual tables in their place,
/// and tables or UNIQUE indexes that this library does not make. Later changes of the schema are not checked, but no trigger runs
/// on the connections of the store, whenever it was made.
///
/// A host that has a write transaction open on the same file must not write to this store before it commits: the store waits for that
/// transaction and then returns [`Error::Busy`]. [`HostTables`] writes attributes inside a transaction of the host, of rusqlite or
/// sqlx.
///
/// ```
/// use custom_attributes::{Attributes, DefinitionSpec, SqliteStore};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("crm.db");
/// let attributes = Attributes::new(SqliteStore::open(&path)?);
/// attributes.of("customer")?.define(DefinitionSpec::string("support_tier"))?;
/// attributes.of("customer")?.set(123, "support_tier", "premium")?;
///
/// let again = Attributes::new(SqliteStore::open(&path)?);
/// assert_eq!(again.of("customer")?.get::<String>(123, "support_tier")?.as_deref(), Some("premium"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
#[doc = include_str!("views.md")]
#[derive(Clone)]
pub struct SqliteStore {
    /// It goes first: it ends what it has begun on the connections.
    writer: Arc<Writer>,
    connections: Arc<Connections>,
}

/// How a file is opened.
///
/// ```
/// use custom_attributes::SqliteStore;
/// # let folder = tempfile::tempdir()?;
/// let missing = SqliteStore::options().must_exist().open(folder.path().join("crm.db")).unwrap_err();
/// assert!(missing.to_string().ends_with("there is no such file"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct SqliteOptions {
    read_only: bool,
    must_exist: bool,
    beside_host_tables: bool,
    busy_timeout: Duration,
    names: Names,
    queue: usize,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            read_only: false,
            must_exist: false,
            beside_host_tables: false,
            busy_timeout: Duration::from_secs(10),
            names: Names::default(),
            queue: 1024,
        }
    }
}

impl SqliteOptions {
    /// Only for reading: commits answer [`crate::Error::ReadOnly`].
    pub const fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// A file that is not there is an error, and not made.
    pub const fn must_exist(mut self) -> Self {
        self.must_exist = true;
        self
    }

    /// What the names of our tables and views begin with, instead of `attr_`. Stores with different prefixes share a file, and do
    /// not notice each other.
    ///
    /// # Errors
    /// [`crate::Error::Open`] if it is not 1 to 32 characters of `a-z`, `0-9` and `_`, or begins with a digit or `sqlite_`.
    ///
    /// ```
    /// use custom_attributes::SqliteStore;
    /// # let folder = tempfile::tempdir()?;
    /// SqliteStore::options().prefix("crm_")?.open(folder.path().join("crm.db"))?;
    /// assert!(SqliteStore::options().prefix("Crm-").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prefix(mut self, prefix: &str) -> Result<Self> {
        self.names = Names::new(prefix)?;
        Ok(self)
    }

    /// The file may have tables of others: ours, whose names begin with `attr_` or the prefix of your choice, are made beside them. The file is switched
    /// to a write-ahead log; its application id and user version stay as they are.
    pub const fn beside_host_tables(mut self) -> Self {
        self.beside_host_tables = true;
        self
    }

    /// How long a call waits for another connection or process that writes: 10 seconds by default.
    pub const fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// How many batches may wait to be committed: 1024 by default, at least one. Who hands in another waits for room.
    pub const fn queue(mut self, batches: usize) -> Self {
        self.queue = batches;
        self
    }

    /// Opens the file, or makes it.
    ///
    /// The path is the name of a file and nothing else: SQLite's URIs (`file:crm.db?mode=ro`) are not read as such. A relative path
    /// is of the folder that is current now. `:memory:` and an empty path are refused; see [`SqliteStore::in_memory`].
    ///
    /// # Errors
    /// [`crate::Error::Open`] for a place that cannot be a store, or a schema that is not ours, and says why;
    /// [`crate::Error::Corrupt`] for a damaged file; [`crate::Error::DiskFull`] if there is no room for a new file, or for the index of
    /// the write-ahead log that SQLite keeps beside each open file. A new file may then be left behind without tables; the next call
    /// makes a store of it.
    pub fn open(self, path: impl AsRef<Path>) -> Result<SqliteStore> {
        let began = Instant::now();
        let queue = self.queue;
        let connections = second_look(|| Connections::open(path.as_ref(), self.clone())).map_err(waited(began))?;
        Ok(SqliteStore::on(connections, queue))
    }
}

impl SqliteStore {
    /// Opens the file, or makes it: see [`SqliteOptions::open`].
    ///
    /// # Errors
    /// Those of [`SqliteOptions::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::options().open(path)
    }

    /// How a file is opened, to be said otherwise than by default.
    pub fn options() -> SqliteOptions {
        SqliteOptions::default()
    }

    /// A store in memory, for tests of hosts that use the file otherwise. Each snapshot copies it whole, for SQLite has no
    /// readers beside a writer in memory; [`crate::MemoryStore`] has.
    ///
    /// # Errors
    /// A failure of SQLite.
    pub fn in_memory() -> Result<Self> {
        Ok(Self::on(Connections::in_memory()?, SqliteOptions::default().queue))
    }

    fn on(connections: Connections, queue: usize) -> Self {
        let connections = Arc::new(connections);
        Self { writer: Arc::new(Writer::new(Arc::clone(&connections), queue)), connections }
    }

    /// Takes no more batches, writes down what was handed in, and tells the errors of those that nobody could hear of, for their
    /// tickets were dropped: the first 100. Other clones can still be read from. Dropping the last clone does the same, and tells
    /// nobody.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, SqliteStore};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("crm.db");
    /// let store = SqliteStore::open(&path)?;
    /// let attributes = Attributes::new(store.clone());
    /// attributes.of("customer")?.define(DefinitionSpec::integer("seats").minimum(1).unique())?;
    /// drop(attributes.batch().set(("customer", 1), "seats", 5).submit()?);
    /// drop(attributes.batch().set(("customer", 2), "seats", 5).submit()?);
    /// let unheard = store.close();
    /// assert!(unheard.len() == 1 && unheard[0].is_duplicate());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(self) -> Vec<Error> {
        self.writer.close()
    }

    /// What a read answers, and what is said if it fails.
    fn read<'a, T>(&'a self, mut read: impl FnMut(&'a Connections) -> Result<T>) -> Result<T> {
        let began = Instant::now();
        self.connections.explain_read(second_look(|| read(&self.connections))).map_err(waited(began))
    }

    fn write_on(&self, writer: &Connection, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<Receipt> {
        let began = Instant::now();
        let step = Step::writing(writer).map_err(failed("beginning to write")).map_err(waited(began))?;
        let known = self.connections.known(writer)?;
        let tables = self.connections.tables(writer, known);
        let plan = decide(&tables, progress)?;
        let Some(mut changes) = plan.changes else { return Ok(plan.receipt) };
        let known = write::store(&tables, &mut changes, progress)?;
        self.connections.commit(step)?;
        self.connections.remember(known);
        self.connections.forget(&changes.removals);
        Ok(plan.receipt)
    }
}

impl AttributeStore for SqliteStore {
    fn write(&self, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<Receipt> {
        self.writer.let_pass()?;
        let writer = self.connections.writer()?;
        second_look(|| self.write_on(&writer, decide, progress))
    }

    fn commit(&self, batch: &Batch) -> Result<Receipt> {
        let silent: &mut OnProgress<'_> = &mut |_| ControlFlow::Continue(());
        let decide: &mut Decide<'_> = &mut |snapshot, progress| plan_with(snapshot, batch, progress);
        self.writer.commit(batch, |writer| second_look(|| self.write_on(writer, decide, silent)))
    }

    fn submit(&self, batch: Batch) -> Result<Ticket> {
        self.writer.submit(batch)
    }

    fn write_each(&self, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<()> {
        while !self.connections.write_some(decide, progress)? {}
        Ok(())
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(FileSnapshot(self.read(Connections::snapshot)?)))
    }

    fn catalog(&self) -> Result<Arc<Catalog>> {
        self.read(Connections::catalog)
    }

    fn read_entity(&self, entity: &EntityKey) -> Result<(Arc<Catalog>, Option<Arc<EntityRecord>>)> {
        self.read(|connections| connections.read_entity(entity))
    }

    fn read_value(&self, entity: &EntityKey, find: &mut Find<'_>) -> Result<Option<Value>> {
        self.read(|connections| connections.read_value(entity, find))
    }

    fn purge(&self) -> Result<()> {
        let began = Instant::now();
        self.connections.purge().map_err(waited(began))
    }

    fn rebuild_index(&self, progress: &mut OnProgress<'_>) -> Result<()> {
        let began = Instant::now();
        let mut in_transaction = |step: &mut dyn FnMut(&Tables<&Connection>) -> Result<()>| {
            let writer = self.connections.writer()?;
            let transaction = Step::writing(&writer).map_err(failed("making the index anew"))?;
            let known = self.connections.known(&writer)?;
            step(&self.connections.tables(&writer, known))?;
            self.connections.commit(transaction)
        };
        rebuild::rebuild(&mut in_transaction, progress).map_err(waited(began))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("place", &self.connections.place()).finish_non_exhaustive()
    }
}
