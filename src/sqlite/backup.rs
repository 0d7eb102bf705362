//! A copy of the file while others read and write it.

use std::fs;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::error::{Error, Result};
use crate::sqlite::SqliteStore;
use crate::sqlite::connections::Reader;
use crate::sqlite::failure::failed;
use crate::sqlite::open::absolute;
use crate::sqlite::place::beside;
use crate::store::{OnProgress, Progress, tell};

/// How many pages are copied between two words about it.
const STEP: i32 = 1024;

/// How long it waits where the file that is written is looked at by others, which nobody should.
const PAUSE: Duration = Duration::from_millis(5);

impl SqliteStore {
    /// Copies the whole file, as it is now, to a new one, and tells after each step how many of its pages are copied. Others read and
    /// write meanwhile; what they write is not in it. The copy is checked before it gets its name: there is never half of one. Where
    /// the file has tables of the host, they are copied as well. The copy is of the file that the store has open, also if that was
    /// deleted, moved or replaced meanwhile; the store may then have to copy it in one step, during which writers wait.
    ///
    /// # Errors
    /// [`Error::Open`] if there is such a file already, or it cannot be made; [`Error::Stopped`] if the caller ended it, and nothing
    /// is left behind; a failure of SQLite.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use custom_attributes::{Attributes, DefinitionSpec, SqliteStore};
    /// # let folder = tempfile::tempdir()?;
    /// # let (path, backup) = (folder.path().join("crm.db"), folder.path().join("crm.backup.db"));
    /// let attributes = Attributes::new(SqliteStore::open(&path)?);
    /// attributes.of("customer")?.define(DefinitionSpec::string("tier"))?;
    /// attributes.store().backup(&backup, |_| ControlFlow::Continue(()))?;
    /// assert_eq!(Attributes::new(SqliteStore::open(&backup)?).digest()?, attributes.digest()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backup(&self, path: impl AsRef<Path>, mut progress: impl FnMut(Progress) -> ControlFlow<()>) -> Result<()> {
        let place = Place::new(&absolute(path.as_ref())?);
        if place.path.symlink_metadata().is_ok() {
            return Err(place.taken());
        }
        self.back_up(&place, &mut progress)?;
        place.name_new()
    }

    /// The same in the place of a file that may be there already: an earlier backup, that nobody has open. It is there until the new
    /// one is whole.
    ///
    /// # Errors
    /// Those of [`SqliteStore::backup`]; [`Error::Open`] if the file that is there is in use.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use custom_attributes::SqliteStore;
    /// # let folder = tempfile::tempdir()?;
    /// # let (path, backup) = (folder.path().join("crm.db"), folder.path().join("crm.backup.db"));
    /// let store = SqliteStore::open(&path)?;
    /// store.backup_over(&backup, |_| ControlFlow::Continue(()))?;
    /// assert!(store.backup(&backup, |_| ControlFlow::Continue(())).is_err());
    /// store.backup_over(&backup, |_| ControlFlow::Continue(()))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backup_over(&self, path: impl AsRef<Path>, mut progress: impl FnMut(Progress) -> ControlFlow<()>) -> Result<()> {
        let place = Place::new(&absolute(path.as_ref())?);
        place.check_free()?;
        self.back_up(&place, &mut progress)?;
        place.check_free()?;
        place.rename()
    }

    fn back_up(&self, place: &Place, progress: &mut OnProgress<'_>) -> Result<()> {
        let backing_up = failed("backing up");
        let source = match self.connections.snapshot() {
            Ok(snapshot) => Source::Snapshot(snapshot.connection),
            // There is no further connection to a file that was deleted, and a copy is what its owner needs most.
            Err(Error::FileReplaced { .. }) => Source::Writer,
            Err(error) => return Err(error),
        };
        let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut copy = Connection::open_with_flags(&place.partial, access)
            .map_err(|error| place.refuse("SQLite cannot make it", Some(error.into())))?;
        copy.execute_batch("PRAGMA synchronous = FULL").map_err(&backing_up)?;
        match source {
            Source::Snapshot(reader) => copy_pages(&reader, &mut copy, STEP, progress)?,
            Source::Writer => {
                // All at once, and `progress` is called afterwards: it may use this store, which would wait for the writer.
                let (mut done, mut total) = (0, 0);
                let mut count = |told: Progress| {
                    (done, total) = (told.done, told.total);
                    ControlFlow::Continue(())
                };
                copy_pages(&self.connections.open_to_file(), &mut copy, -1, &mut count)?;
                tell(progress, done, total)?;
            }
        }
        let found: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(&backing_up)?;
        if found != "ok" {
            return Err(Error::corrupt(format!("the backup is not sound: {found}")));
        }
        copy.close().map_err(|(_, error)| backing_up(error))?;
        // Some systems keep what was written of a file that nobody asked to keep.
        let synced = fs::File::open(&place.partial).and_then(|file| file.sync_all());
        synced.map_err(|error| Error::backend("backing up", error))
    }
}

/// What is copied from.
enum Source<'a> {
    /// It stays at its point: what is written meanwhile does not have the copy begin again.
    Snapshot(Reader<'a>),
    Writer,
}

/// Copies all pages, so many in a step.
fn copy_pages(from: &Connection, copy: &mut Connection, at_once: i32, progress: &mut OnProgress<'_>) -> Result<()> {
    let backing_up = failed("backing up");
    let backup = Backup::new(from, copy).map_err(&backing_up)?;
    loop {
        let step = backup.step(at_once).map_err(&backing_up)?;
        let pages = backup.progress();
        let total = u64::try_from(pages.pagecount).unwrap_or_default();
        tell(progress, total.saturating_sub(u64::try_from(pages.remaining).unwrap_or_default()), total)?;
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => std::thread::sleep(PAUSE),
        }
    }
}

/// Where a backup goes, and where it is while it is not whole. What is left of it goes when this is dropped.
struct Place {
    path: PathBuf,
    partial: PathBuf,
}

impl Place {
    fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), partial: beside(path, &format!(".{}.partial", std::process::id())) }
    }

    fn refuse(&self, reason: &str, source: Option<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Open { place: self.path.display().to_string(), reason: reason.to_owned(), source }
    }

    fn taken(&self) -> Error {
        self.refuse("there is a file already; name another, or ask for it to be replaced", None)
    }

    /// The log of another file would be read into this one.
    fn check_free(&self) -> Result<()> {
        if self.path.is_dir() {
            return Err(self.refuse("it is a folder; name a file in it", None));
        }
        if ["-wal", "-journal"].iter().any(|end| beside(&self.path, end).exists()) {
            return Err(self.refuse("the file that is there is in use, or was not closed; close it first", None));
        }
        Ok(())
    }

    /// Gives it its name, unless somebody else was first.
    fn name_new(&self) -> Result<()> {
        match fs::hard_link(&self.partial, &self.path) {
            Ok(()) => self.keep_name(),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(self.taken()),
            // Not every file system has links.
            Err(_) if self.path.symlink_metadata().is_ok() => Err(self.taken()),
            Err(_) => self.rename(),
        }
    }

    fn rename(&self) -> Result<()> {
        fs::rename(&self.partial, &self.path).map_err(|error| self.refuse("it cannot get its name", Some(error.into())))?;
        self.keep_name()
    }

    /// A name is kept with its folder.
    fn keep_name(&self) -> Result<()> {
        if cfg!(unix) {
            let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
            synced
                .map_err(|error| Error::backend("making the name of the backup last, which is whole under that name", error))?;
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm", "-journal"] {
            // What is not there need not go.
            let _ = fs::remove_file(beside(&self.partial, end));
        }
    }
}
