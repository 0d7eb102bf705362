//! The file that a store has open, and whether it still has its name.
//!
//! A file that is deleted or replaced while it is open goes on working for whoever has it open, and what is written to it is
//! gone when it is closed. So each commit looks first at the names of the file, of its write-ahead log and of the index of the
//! log: device and inode must be those that were opened. On systems other than Unix nothing is looked at; Windows refuses to
//! delete or to replace a file that SQLite has open.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// What comes behind the name of the file, and what it is.
const FILES: [(&str, &str); 3] = [("", "file"), ("-wal", "write-ahead log"), ("-shm", "index of the write-ahead log")];

/// What to do about a file that does not come back.
const SAVE: &str = "save what the store still has open with `SqliteStore::backup` before you close it";

/// Device and inode.
type Identity = (u64, u64);

/// The names of the files of a store, and which files these were when it was opened.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    /// The file first.
    files: Vec<(PathBuf, &'static str, Identity)>,
}

impl Place {
    /// The files that the path leads to now. SQLite has them open: a file under the path of another process's making is told
    /// from ours only from here on.
    pub(super) fn of(path: PathBuf) -> Self {
        // SQLite follows links, and puts the log beside the file that it comes to.
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        let name = |end: &str| if end.is_empty() { path.clone() } else { beside(&real, end) };
        let found = FILES.iter().filter_map(|(end, what)| {
            let name = name(end);
            let identity = identity(&name).ok().flatten()?;
            Some((name, *what, identity))
        });
        Self { files: found.collect(), path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether each name leads to the file that was opened.
    pub(super) fn check(&self) -> Result<()> {
        self.files.iter().try_for_each(|file| self.check_one(file))
    }

    fn check_one(&self, (name, what, opened): &(PathBuf, &'static str, Identity)) -> Result<()> {
        let reason = match identity(name) {
            // SQLite would read whatever log lies beside a file into it.
            Ok(Some(found)) if found != *opened && *what == FILES[0].1 => format!(
                "another file is in the place of its {what}; decide which of the two is meant: move the old one back, or close the \
                 store, remove the {} beside the new one, as that may be of the old one, and open the store again",
                FILES[1].1
            ),
            Ok(Some(found)) if found != *opened => {
                format!("another file is in the place of its {what}; move the old one back; if it is gone, {SAVE}")
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                format!("its {what} was deleted or moved away; if it was moved, move it back; if it was deleted, {SAVE}")
            }
            // A name that cannot be looked at tells nothing.
            _ => return Ok(()),
        };
        Err(Error::FileReplaced { place: self.path.display().to_string(), reason })
    }

    /// How long the write-ahead log is.
    pub(super) fn length_of_log(&self) -> u64 {
        let log = self.files.iter().find(|(_, what, _)| *what == FILES[1].1).map(|(name, _, _)| name.clone());
        std::fs::metadata(log.unwrap_or_else(|| beside(&self.path, FILES[1].0))).map_or(0, |file| file.len())
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> std::io::Result<Option<Identity>> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).map(|file| Some((file.dev(), file.ino())))
}

#[cfg(not(unix))]
fn identity(_: &Path) -> std::io::Result<Option<Identity>> {
    Ok(None)
}

/// The path with more to its name.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}
