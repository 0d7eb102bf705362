//! The connections of a store: one for the writer, one for each snapshot, kept for the next.

use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use rusqlite::Connection;
use rusqlite::backup::Backup;

use crate::error::{Error, Result};
use crate::model::{Catalog, EntityKey, EntityRecord, Value};
use crate::sqlite::checkpoints::{Checkpoints, lock};
use crate::sqlite::failure::{busy, failed};
use crate::sqlite::keys::KeptKeys;
use crate::sqlite::names::Named;
use crate::sqlite::open::{absolute, as_given, connect_again, connect_in_memory, open, set_up};
use crate::sqlite::place::Place;
use crate::sqlite::point::Answer;
use crate::sqlite::schema::APPLICATION_ID;
use crate::sqlite::step::Step;
use crate::sqlite::tables::{Known, Tables};
use crate::sqlite::{SqliteOptions, point};
use crate::store::{Find, Removal, Snapshot};

/// How many connections of readers are kept for the next.
const KEPT_READERS: usize = 16;
/// How many copies of a store in memory are kept: each is as large as the store.
const KEPT_COPIES: usize = 1;

/// Why a file that has tables of the host is not purged, and what to do.
pub(super) const HOSTS_FILE: &str = "purging the file, which has tables of the host: the host must run VACUUM and PRAGMA \
                                     wal_checkpoint(TRUNCATE) on a connection of its own";

/// What may keep a checkpoint from cutting the log to nothing.
const OLD_SNAPSHOT: &str = "the file was purged, but its write-ahead log was not: an older snapshot is held or a transaction is open, \
                            in this or another process; drop the snapshot, end the transaction and call `purge` again";

pub(super) struct Connections {
    /// None for a store in memory, where readers look through the writer's connection or at a copy.
    place: Option<Arc<Place>>,
    options: SqliteOptions,
    /// None for a store in memory, and one that is only read. It stands before the writer, which its thread may hold.
    checkpoints: Option<Checkpoints>,
    writer: Arc<Mutex<Connection>>,
    readers: Mutex<Vec<Kept>>,
    known: Mutex<Arc<Known>>,
    keys: Arc<KeptKeys>,
}

/// A connection of a reader; `as_of` tells whether a copy of a store in memory is still like it.
struct Kept {
    connection: Connection,
    as_of: u64,
}

/// Says of a new file that the disk had no room for that it may be left behind. It is not removed: another process may have opened
/// it by now, and would lose what it writes.
fn unfinished(error: Error) -> Error {
    const DOING: &str = "setting up a new file, which may be left behind empty for the next try";
    match error {
        Error::DiskFull { source, .. } => Error::DiskFull { doing: DOING, source },
        other => other,
    }
}

impl Connections {
    pub(super) fn open(given: &Path, mut options: SqliteOptions) -> Result<Self> {
        let path = absolute(given)?;
        let is_new = path.symlink_metadata().is_err();
        let opened = open(&path, &options).map_err(as_given(given));
        let (writer, read_only) = opened.map_err(|error| if is_new { unfinished(error) } else { error })?;
        options.read_only = read_only;
        // From here on a file that has vanished is an error, and not made anew.
        options.must_exist = true;
        Self::new(Some(path), options, writer)
    }

    pub(super) fn in_memory() -> Result<Self> {
        let options = SqliteOptions::default();
        let writer = connect_in_memory(&options)?;
        set_up(&writer, &options.names, true)?;
        Self::new(None, options, writer)
    }

    fn new(path: Option<PathBuf>, options: SqliteOptions, writer: Connection) -> Result<Self> {
        // This reads, and so SQLite has opened the log by now.
        let known = Arc::new(Known::load(Named { connection: &writer, names: &options.names })?);
        let writer = Arc::new(Mutex::new(writer));
        let place = path.map(|path| Arc::new(Place::of(path)));
        let written = place.clone().filter(|_| !options.read_only);
        Ok(Self {
            checkpoints: written.map(|place| Checkpoints::of(place, options.clone(), Arc::clone(&writer))).transpose()?,
            place,
            options,
            writer,
            readers: Mutex::default(),
            known: Mutex::new(known),
            keys: Arc::default(),
        })
    }

    pub(super) fn place(&self) -> impl fmt::Debug + '_ {
        self.place.as_deref().map(Place::path)
    }

    /// The writer's connection, for one commit at a time.
    pub(super) fn writer(&self) -> Result<MutexGuard<'_, Connection>> {
        self.check_writable()?;
        Ok(lock(&self.writer))
    }

    fn named<'a>(&'a self, connection: &'a Connection) -> Named<'a> {
        Named { connection, names: &self.options.names }
    }

    /// The tables within the writer's transaction.
    pub(super) fn tables<'a>(&self, transaction: &'a Connection, known: Arc<Known>) -> Tables<&'a Connection> {
        Tables { connection: transaction, names: self.options.names.clone(), known, keys: None }
    }

    /// The same, if nobody has it.
    pub(super) fn free_writer(&self) -> Result<Option<MutexGuard<'_, Connection>>> {
        self.check_writable()?;
        match self.writer.try_lock() {
            Ok(writer) => Ok(Some(writer)),
            Err(TryLockError::Poisoned(poisoned)) => Ok(Some(poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => Ok(None),
        }
    }

    pub(super) const fn check_writable(&self) -> Result<()> {
        if self.options.read_only { Err(Error::ReadOnly) } else { Ok(()) }
    }

    /// Commits what was done on the writer's connection, if the file is still the one that was opened.
    pub(super) fn commit(&self, step: Step<'_>) -> Result<()> {
        self.check_place()?;
        step.keep()?;
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.committed();
        }
        Ok(())
    }

    /// Whether the file is still the one that was opened.
    fn check_place(&self) -> Result<()> {
        self.place.as_ref().map_or(Ok(()), |place| place.check())
    }

    /// Says of a failed read that the file was replaced, if it was: then the failure is neither damage nor the disk's.
    pub(super) fn explain_read<T>(&self, read: Result<T>) -> Result<T> {
        if let Err(Error::Backend { .. } | Error::Corrupt { .. }) = &read {
            self.check_place()?;
        }
        read
    }

    /// What is known at the revision that this connection's transaction sees.
    pub(super) fn known(&self, connection: &Connection) -> Result<Arc<Known>> {
        let named = self.named(connection);
        let select = named.prepare_cached("SELECT catalog, mark FROM attr_state");
        let state = select.and_then(|mut select| select.query_row([], |row| Ok((row.get(0)?, row.get(1)?))));
        let (revision, mark) = state.map_err(failed("reading the revision of the catalog"))?;
        let known = Arc::clone(&lock(&self.known));
        if known.is_of(revision, mark) {
            return Ok(known);
        }
        let known = Arc::new(Known::load(named)?);
        self.remember(Arc::clone(&known));
        Ok(known)
    }

    /// Keeps what is known, unless something newer is kept. A file that was put in the place of another may have the same revision.
    pub(super) fn remember(&self, known: Arc<Known>) {
        let mut kept = lock(&self.known);
        if kept.catalog.revision() <= known.catalog.revision() {
            *kept = known;
        }
    }

    /// Keeps nothing of what was erased.
    pub(super) fn forget(&self, removals: &[Removal]) {
        for removal in removals {
            if let Removal::Entity { ordinal, .. } = removal {
                self.keys.forget(*ordinal);
            }
        }
    }

    /// Writes the file anew, without what is no longer in it. `secure_delete` would not do: it overwrites what is deleted, and
    /// not the copies that stay in the gaps of pages when their rows are moved to others.
    pub(super) fn purge(&self) -> Result<()> {
        let purging = failed("purging the file");
        // SQLite does not wait for the end of a checkpoint by itself.
        let _no_other = self.checkpoints.as_ref().map(Checkpoints::hold);
        let writer = self.writer()?;
        self.check_place()?;
        let mark = writer.query_row("PRAGMA application_id", [], |row| row.get::<_, i32>(0)).map_err(&purging)?;
        if self.place.is_some() && mark != APPLICATION_ID {
            return Err(Error::backend(HOSTS_FILE, "VACUUM may give new numbers to rows of the tables of the host"));
        }
        writer.execute_batch("VACUUM").map_err(&purging)?;
        if self.place.is_none() {
            lock(&self.readers).clear();
            return Ok(());
        }
        let is_busy = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0)).map_err(&purging)?;
        if is_busy { Err(busy(OLD_SNAPSHOT)) } else { Ok(()) }
    }

    fn reader(&self) -> Result<Reader<'_>> {
        let kept = lock(&self.readers).pop();
        let kept = match (kept, &self.place) {
            (Some(kept), Some(_)) => kept,
            (None, Some(place)) => Kept { connection: connect_again(place, &self.options)?, as_of: 0 },
            (kept, None) => self.copy(kept)?,
        };
        Ok(Reader { kept: Some(kept), home: self })
    }

    /// The writer's connection for reading, also of a store that is read-only. It stays open to a file that was deleted.
    pub(super) fn open_to_file(&self) -> MutexGuard<'_, Connection> {
        lock(&self.writer)
    }

    /// A copy of a store in memory: the one that is kept if nothing was written since.
    fn copy(&self, kept: Option<Kept>) -> Result<Kept> {
        let copying = failed("copying a database in memory");
        let writer = lock(&self.writer);
        let as_of = writer.total_changes();
        let mut connection = match kept {
            Some(kept) if kept.as_of == as_of => return Ok(kept),
            Some(kept) => kept.connection,
            None => connect_in_memory(&self.options)?,
        };
        Backup::new(&writer, &mut connection).and_then(|backup| backup.step(-1)).map_err(&copying)?;
        Ok(Kept { connection, as_of })
    }

    pub(super) fn snapshot(&self) -> Result<Tables<Reader<'_>>> {
        let reader = self.reader()?;
        let begun = reader.prepare_cached("BEGIN").and_then(|mut begin| begin.execute([]));
        begun.map_err(failed("beginning a snapshot"))?;
        // The first read fixes the point in time.
        let known = self.known(&reader)?;
        Ok(Tables { connection: reader, names: self.options.names.clone(), known, keys: Some(Arc::clone(&self.keys)) })
    }

    pub(super) fn catalog(&self) -> Result<Arc<Catalog>> {
        let known = self.direct(|connection| self.known(connection))?;
        Ok(Arc::clone(&known.catalog))
    }

    pub(super) fn read_entity(&self, key: &EntityKey) -> Result<(Arc<Catalog>, Option<Arc<EntityRecord>>)> {
        let known = Arc::clone(&lock(&self.known));
        match self.direct(|connection| point::read_entity(self.named(connection), &known, key))? {
            Answer::Read(read) => Ok(read),
            Answer::Outdated => self.read_in_snapshot(key),
        }
    }

    pub(super) fn read_value(&self, key: &EntityKey, find: &mut Find<'_>) -> Result<Option<Value>> {
        let known = Arc::clone(&lock(&self.known));
        let read = self.direct(|connection| point::read_value(self.named(connection), &known, key, find))?;
        if let Answer::Read(read) = read {
            return Ok(read);
        }
        let (catalog, record) = self.read_in_snapshot(key)?;
        let Some(definition) = find(&catalog)? else { return Ok(None) };
        Ok(record.and_then(|record| record.value(definition).cloned()))
    }

    /// Where what is known is too old: a snapshot learns the definitions anew.
    fn read_in_snapshot(&self, key: &EntityKey) -> Result<(Arc<Catalog>, Option<Arc<EntityRecord>>)> {
        let tables = self.snapshot()?;
        let record = tables.read(std::slice::from_ref(key))?.pop().flatten();
        Ok((Arc::clone(&tables.known.catalog), record))
    }

    /// Reads outside any transaction of ours: one statement is a snapshot of its own.
    fn direct<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        match self.place {
            Some(_) => read(&*self.reader()?),
            None => read(&lock(&self.writer)),
        }
    }
}

/// A connection of a reader, which goes back to its home when it is dropped.
pub(super) struct Reader<'a> {
    kept: Option<Kept>,
    home: &'a Connections,
}

impl Reader<'_> {
    /// See [`Connections::explain_read`].
    pub(super) fn explain<T>(&self, read: Result<T>) -> Result<T> {
        self.home.explain_read(read)
    }
}

impl Deref for Reader<'_> {
    type Target = Connection;

    #[allow(clippy::expect_used)] // it is taken out when the reader is dropped, and not before
    fn deref(&self) -> &Connection {
        &self.kept.as_ref().expect("a reader has its connection until it is dropped").connection
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let Some(kept) = self.kept.take() else { return };
        let was_snapshot = !kept.connection.is_autocommit();
        let is_idle =
            !was_snapshot || kept.connection.prepare_cached("ROLLBACK").and_then(|mut rollback| rollback.execute([])).is_ok();
        let most = if self.home.place.is_some() { KEPT_READERS } else { KEPT_COPIES };
        let mut readers = lock(&self.home.readers);
        if is_idle && readers.len() < most {
            readers.push(kept);
        } else {
            drop(readers);
            drop(kept);
        }
        if was_snapshot && let Some(checkpoints) = &self.home.checkpoints {
            checkpoints.snapshot_ended();
        }
    }
}
