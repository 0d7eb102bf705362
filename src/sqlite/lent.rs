//! The store on a connection that the host lends: what it writes is part of the host's transaction.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::{Connection, ErrorCode};

use crate::error::{Error, Result};
use crate::model::{Catalog, CommitId, EntityKey, EntityRecord, Name, Value};
use crate::sqlite::connections::HOSTS_FILE;
use crate::sqlite::failure::{failed, waited};
use crate::sqlite::lent_snapshot::LentSnapshot;
use crate::sqlite::names::{Named, Names};
use crate::sqlite::open::{check_sqlite, open_lent, place_of};
use crate::sqlite::point::{Answer, EntityRead};
use crate::sqlite::schema::VERSION;
use crate::sqlite::step::Step;
use crate::sqlite::tables::{Known, Tables};
use crate::sqlite::{point, rebuild, write};
use crate::store::{AttributeStore, Decide, Find, OnProgress, Receipt, Snapshot};

/// So many states of definitions are kept: a host may have many files, and many transactions.
const KEPT: usize = 16;

/// The tables of attributes in databases of the host: what it keeps, shares between its threads, and puts on whichever
/// connection it has in hand. It remembers definitions that were read, of any number of files, so that this costs next to nothing.
///
#[doc = include_str!("lent.md")]
#[derive(Clone, Default)]
pub struct HostTables {
    names: Names,
    kept: Arc<Mutex<Vec<Arc<Known>>>>,
}

impl HostTables {
    /// Tables whose names begin with `attr_`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tables whose names begin otherwise: see [`SqliteOptions::prefix`](crate::SqliteOptions::prefix).
    ///
    /// # Errors
    /// [`Error::Open`] for a prefix that is not well formed.
    pub fn with_prefix(prefix: &str) -> Result<Self> {
        Ok(Self { names: Names::new(prefix)?, kept: Arc::default() })
    }

    /// The store on this connection, within its transaction if it has one open. The tables are made if they are not there, and
    /// brought up to date if an older release made them: do so when the host starts, rather than in the middle of its work.
    ///
    /// # Errors
    /// [`Error::Open`] for tables of a newer release, for a name that the host has taken, or for a database without attributes that
    /// cannot be written; a failure of SQLite.
    pub fn on<'c>(&self, connection: &'c Connection) -> Result<LentStore<'c>> {
        check_sqlite(|| place_of(connection))?;
        let store = LentStore { connection, tables: self.clone(), known: RefCell::default() };
        store.call(|_| store.now())?;
        Ok(store)
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Arc<Known>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, revision: i64, mark: i64) -> Option<Arc<Known>> {
        self.kept().iter().find(|known| known.is_of(revision, mark)).cloned()
    }

    /// Also of what may be rolled back: nothing else will ever have its mark.
    fn keep(&self, known: &Arc<Known>) {
        let mut kept = self.kept();
        if kept.iter().any(|other| other.is_like(known)) {
            return;
        }
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(Arc::clone(known));
    }
}

impl fmt::Debug for HostTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostTables").field("prefix", &self.names.prefix()).finish_non_exhaustive()
    }
}

/// A store on a connection of the host, as [`HostTables::on`] makes it: see there.
#[derive(Clone)]
pub struct LentStore<'c> {
    connection: &'c Connection,
    tables: HostTables,
    /// What this one needed last.
    known: RefCell<Arc<Known>>,
}

/// What one statement tells of the tables.
struct State {
    is_current: bool,
    revision: i64,
    mark: i64,
    commit: CommitId,
}

impl<'c> LentStore<'c> {
    /// On this connection, with tables whose names begin with `attr_`; [`HostTables::on`] for one that is made often.
    ///
    /// # Errors
    /// Those of [`HostTables::on`].
    pub fn on(connection: &'c Connection) -> Result<Self> {
        HostTables::new().on(connection)
    }

    /// The connection.
    pub const fn connection(&self) -> &'c Connection {
        self.connection
    }

    fn named(&self) -> Named<'_> {
        Named { connection: self.connection, names: &self.tables.names }
    }

    pub(super) fn tables(&self, known: Arc<Known>) -> Tables<&'c Connection> {
        // Keys that were read may be rolled back.
        Tables { connection: self.connection, names: self.tables.names.clone(), known, keys: None }
    }

    /// What is known at this moment, and the last commit. The tables may be gone again with the transaction that made them.
    pub(super) fn now(&self) -> Result<(Arc<Known>, CommitId)> {
        let reading = failed("reading the state of the tables");
        let state = match self.state() {
            Ok(state) if state.is_current => state,
            // A table is missing, or a column.
            Err(error) if !matches!(error.sqlite_error_code(), None | Some(ErrorCode::Unknown)) => return Err(reading(error)),
            _ => {
                open_lent(self.connection, &self.tables.names)?;
                self.state().map_err(reading)?
            }
        };
        let known = Arc::clone(&self.known.borrow());
        if known.is_of(state.revision, state.mark) {
            return Ok((known, state.commit));
        }
        let known = match self.tables.find(state.revision, state.mark) {
            Some(known) => known,
            None => Arc::new(Known::load(self.named())?),
        };
        self.remember(&known);
        Ok((known, state.commit))
    }

    fn state(&self) -> rusqlite::Result<State> {
        // Of the main database: an attached one may have such tables as well.
        let sql =
            "SELECT schema, folding, catalog, mark, coalesce((SELECT max(id) FROM main.attr_commit), 0) FROM main.attr_state";
        self.named().prepare_cached(sql)?.query_row([], |row| {
            Ok(State {
                is_current: row.get::<_, i64>(0)? == VERSION && row.get_ref(1)?.as_str()? == Name::FOLDING,
                revision: row.get(2)?,
                mark: row.get(3)?,
                commit: u64::try_from(row.get::<_, i64>(4)?)
                    .map(CommitId::new)
                    .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(4, -1))?,
            })
        })
    }

    fn remember(&self, known: &Arc<Known>) {
        self.tables.keep(known);
        *self.known.borrow_mut() = Arc::clone(known);
    }

    /// Where what is known is too old: learns the definitions anew, of the same instant.
    fn read_anew(&self, entity: &EntityKey) -> Result<EntityRead> {
        self.call(|_| {
            let _instant = Step::reading(self.connection).map_err(failed("beginning to read"))?;
            let tables = self.tables(self.now()?.0);
            let record = tables.read(std::slice::from_ref(entity))?.pop().flatten();
            Ok((Arc::clone(&tables.known.catalog), record))
        })
    }

    /// Every call that may take long or fail goes through here: the error says how long was waited, and whether SQLite has undone the
    /// transaction of the host.
    pub(super) fn call<T>(&self, work: impl FnOnce(&HostTransaction<'_>) -> Result<T>) -> Result<T> {
        let began = Instant::now();
        let host = HostTransaction::of(self.connection);
        work(&host).map_err(|error| if host.is_undone() { undone(error) } else { waited(began)(error) })
    }

    /// Does this in a transaction of ours, or in a savepoint within the host's.
    fn in_step<T>(&self, work: impl FnOnce(&Tables<&Connection>) -> Result<(T, Keep)>) -> Result<T> {
        self.call(|_| {
            let step = Step::writing(self.connection).map_err(failed("beginning to write"))?;
            let (done, keep) = work(&self.tables(self.now()?.0))?;
            match keep {
                Keep::Nothing => {}
                Keep::All => step.keep()?,
            }
            Ok(done)
        })
    }
}

/// The transaction that the host had open when a call began. After some failures, also of a read, SQLite undoes all of it by itself.
pub(super) struct HostTransaction<'c> {
    connection: &'c Connection,
    was_open: bool,
}

impl<'c> HostTransaction<'c> {
    fn of(connection: &'c Connection) -> Self {
        Self { connection, was_open: !connection.is_autocommit() }
    }

    pub(super) fn is_undone(&self) -> bool {
        self.was_open && self.connection.is_autocommit()
    }
}

/// The error of a call that ended the transaction of which it was part. Its kind stays.
fn undone(error: Error) -> Error {
    const DOING: &str = "using the attributes, and SQLite has undone the whole transaction of the host";
    match error {
        Error::DiskFull { source, .. } => Error::DiskFull { doing: DOING, source },
        Error::Corrupt { what, source } => Error::Corrupt { what: format!("{what}, {DOING}"), source },
        other => Error::backend(DOING, other),
    }
}

/// What of a step is to stay.
enum Keep {
    All,
    Nothing,
}

impl AttributeStore for LentStore<'_> {
    fn write(&self, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<Receipt> {
        let (receipt, known) = self.in_step(|tables| {
            let plan = decide(tables, progress)?;
            let Some(mut changes) = plan.changes else { return Ok(((plan.receipt, None), Keep::Nothing)) };
            let known = write::store(tables, &mut changes, progress)?;
            Ok(((plan.receipt, Some(known)), Keep::All))
        })?;
        if let Some(known) = known {
            self.remember(&known);
        }
        Ok(receipt)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        let (known, commit) = self.call(|_| self.now())?;
        Ok(Box::new(LentSnapshot::new(self, known, commit)))
    }

    fn read_entity(&self, entity: &EntityKey) -> Result<(Arc<Catalog>, Option<Arc<EntityRecord>>)> {
        let known = Arc::clone(&self.known.borrow());
        let host = HostTransaction::of(self.connection);
        match point::read_entity(self.named(), &known, entity) {
            Ok(Answer::Read(read)) => return Ok(read),
            // Reading again would see the state without the transaction.
            Err(error) if host.is_undone() => return Err(undone(error)),
            _ => {}
        }
        // The definitions have changed, the tables are gone, or it failed, and will say why.
        self.read_anew(entity)
    }

    fn read_value(&self, entity: &EntityKey, find: &mut Find<'_>) -> Result<Option<Value>> {
        let known = Arc::clone(&self.known.borrow());
        // What `find` answers is its own: it is asked once.
        let mut is_asked = false;
        let host = HostTransaction::of(self.connection);
        let read = point::read_value(self.named(), &known, entity, &mut |catalog| {
            is_asked = true;
            find(catalog)
        });
        match read {
            Ok(Answer::Read(value)) => return Ok(value),
            Err(error) if host.is_undone() => return Err(undone(error)),
            Err(error) if is_asked => return Err(error),
            _ => {}
        }
        let (catalog, record) = self.read_anew(entity)?;
        let Some(definition) = find(&catalog)? else { return Ok(None) };
        Ok(record.and_then(|record| record.value(definition).cloned()))
    }

    fn purge(&self) -> Result<()> {
        Err(Error::backend(HOSTS_FILE, "SQLite cannot write a file anew within a transaction"))
    }

    fn rebuild_index(&self, progress: &mut OnProgress<'_>) -> Result<()> {
        rebuild::rebuild(&mut |step| self.in_step(|tables| Ok((step(tables)?, Keep::All))), progress)
    }
}

impl fmt::Debug for LentStore<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LentStore").field("connection", self.connection).field("tables", &self.tables).finish_non_exhaustive()
    }
}
