//! A store goes elsewhere: into another store, into a file, and back.

mod copy;
mod digest;
mod import;
mod lines;
mod steps;
mod timeline;

use std::cell::RefCell;
use std::io::{BufRead, Write};
use std::ops::ControlFlow;

use serde::Serialize;

use crate::attributes::Attributes;
use crate::error::{Error, Result};
use crate::model::CommitId;
use crate::store::{AttributeStore, OnProgress, Progress, Snapshot};
use crate::transfer::import::Import;
use crate::transfer::steps::{Heading, Pace, Steps};
use crate::transfer::timeline::Timeline;

pub use digest::{Contents, Digest};

/// What came to a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Copied {
    /// The last commit that was there before: 0 of an empty store.
    pub since: CommitId,
    /// What the store holds by now, which is what the source held.
    pub contents: Contents,
}

impl<S: AttributeStore> Attributes<S> {
    /// The [`Digest`] of all that the store holds. Everything is read once.
    ///
    /// # Errors
    /// A failure of the storage.
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let empty = attributes.digest()?;
    /// attributes.of("customer")?.define(DefinitionSpec::string("tier"))?;
    /// assert_ne!(attributes.digest()?, empty);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn digest(&self) -> Result<Digest> {
        Ok(self.contents(|_| ControlFlow::Continue(()))?.digest)
    }

    /// What the store holds, counted, with its digest; tells after each thousand entities how far it has come.
    ///
    /// # Errors
    /// A failure of the storage; [`Error::Stopped`] if the caller ended it.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// attributes.of("customer")?.define(DefinitionSpec::string("tier"))?;
    /// attributes.of("customer")?.set(123, "tier", "basic")?;
    /// attributes.of("customer")?.set(123, "tier", "premium")?;
    /// let contents = attributes.contents(|_| ControlFlow::Continue(()))?;
    /// assert_eq!((contents.commits, contents.values, contents.past_values), (3, 1, 1));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn contents(&self, mut progress: impl FnMut(Progress) -> ControlFlow<()>) -> Result<Contents> {
        let snapshot = self.store().snapshot()?;
        let mut pace = Pace::new(snapshot.marks()?.ordinal.get().into());
        let contents = digest::contents(&*snapshot, &mut pace, &mut progress)?;
        pace.end(&mut progress)?;
        Ok(contents)
    }

    /// Copies all that this store holds, as it is now, to another: definitions in all their versions, values, history and commits,
    /// with the ids, revisions, instants and actors that they have. Both may be of any kind. In the end both are compared by their
    /// digests. The other may be read meanwhile, and must not be written.
    ///
    /// The other store is empty, or has the first commits of this one: those of a copy that was ended, or made some time ago. Then
    /// the rest follows, and what was pruned and erased here since goes there as well.
    ///
    /// # Errors
    /// [`Error::NotACopy`] if the other store holds anything else; [`Error::Differs`] if the digests are not the same in the end;
    /// [`Error::Stopped`] if the caller ended it: called again, it goes on where it was. A failure of either storage.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use custom_attributes::{Attributes, CommitId, DefinitionSpec, MemoryStore};
    /// let here = Attributes::new(MemoryStore::new());
    /// here.of("customer")?.define(DefinitionSpec::string("tier"))?;
    /// here.of("customer")?.set(123, "tier", "premium")?;
    ///
    /// let there = Attributes::new(MemoryStore::new());
    /// here.copy_to(there.store(), |_| ControlFlow::Continue(()))?;
    /// assert_eq!(there.of("customer")?.get::<String>(123, "tier")?.as_deref(), Some("premium"));
    ///
    /// here.of("customer")?.set(123, "tier", "basic")?;
    /// let copied = here.copy_to(there.store(), |_| ControlFlow::Continue(()))?;
    /// assert_eq!((copied.since, copied.contents.digest), (CommitId::new(2), here.digest()?));
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn copy_to<T: AttributeStore + ?Sized>(
        &self,
        to: &T,
        mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Copied> {
        copy(&*self.store().snapshot()?, &to, &mut progress)
    }

    /// Writes all that the store holds, as it is now, as lines of JSON, each by itself: what it is in whole, then commit by commit
    /// what each did, and in the end a digest of the whole. Nothing is held in memory but what is on its way.
    ///
    /// Values of sensitive attributes are in it as they are: keep it as the store is kept.
    ///
    /// # Errors
    /// [`Error::Backend`] if the writer fails; [`Error::Stopped`] if the caller ended it: what was written by then is refused by an
    /// import, for it has no end. A failure of the storage.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let here = Attributes::new(MemoryStore::new());
    /// here.of("customer")?.define(DefinitionSpec::string("tier"))?;
    /// here.of("customer")?.set(123, "tier", "premium")?;
    /// let mut lines = Vec::new();
    /// here.export(&mut lines, |_| ControlFlow::Continue(()))?;
    ///
    /// let there = Attributes::new(MemoryStore::new());
    /// there.import(lines.as_slice(), |_| ControlFlow::Continue(()))?;
    /// assert_eq!(there.digest()?, here.digest()?);
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn export(&self, mut writer: impl Write, mut progress: impl FnMut(Progress) -> ControlFlow<()>) -> Result<Contents> {
        lines::export(&*self.store().snapshot()?, &mut writer, &mut progress)
    }

    /// Takes in what [`Attributes::export`] wrote. The store is empty, or has the first commits of the export, as an import leaves
    /// them that was ended: then it goes on behind them. What was damaged is not taken in, but for the commits before it.
    ///
    /// # Errors
    /// [`Error::Unreadable`] with the line, for what is no export, is one of a newer release, was changed, or was cut off;
    /// [`Error::NotACopy`] if the store holds anything else; [`Error::Stopped`] if the caller ended it. A failure of the reader or
    /// of the storage.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use custom_attributes::{Attributes, MemoryStore};
    /// let mut lines = Vec::new();
    /// Attributes::new(MemoryStore::new()).export(&mut lines, |_| ControlFlow::Continue(()))?;
    /// lines.truncate(lines.len() - 10);
    /// let cut = Attributes::new(MemoryStore::new()).import(lines.as_slice(), |_| ControlFlow::Continue(())).unwrap_err();
    /// assert_eq!(cut.to_string(), "line 2 of the export has no end: the export was cut off there");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    pub fn import(&self, mut reader: impl BufRead, mut progress: impl FnMut(Progress) -> ControlFlow<()>) -> Result<Copied> {
        let copied = import(&mut reader, self.store(), &mut progress)?;
        self.announce(CommitId::new(copied.contents.commits));
        Ok(copied)
    }
}

fn copy(source: &dyn Snapshot, to: &dyn AttributeStore, progress: &mut OnProgress<'_>) -> Result<Copied> {
    let mut timeline = Timeline::of(source)?;
    let heading = timeline.heading().clone();
    let entities = u64::from(heading.last_ordinal.get());
    let pace = RefCell::new(Pace::new(heading.steps.saturating_add(entities * 2)));
    if to.snapshot()?.marks()?.commit > CommitId::default() {
        timeline.tell_what_stands();
    }
    let since = copy::pour(&mut timeline, to, &pace, &|there| copy::forgotten(there, source), progress)?;
    let mut pace = pace.into_inner();
    let contents = copied_whole(to, &heading, &mut pace, progress)?;
    let expected = digest::contents(source, &mut pace, progress)?;
    pace.end(progress)?;
    if contents != expected {
        return Err(Error::Differs { expected: expected.digest.to_string(), found: contents.digest.to_string() });
    }
    Ok(Copied { since, contents })
}

fn import(reader: &mut dyn BufRead, to: &dyn AttributeStore, progress: &mut OnProgress<'_>) -> Result<Copied> {
    let mut import = Import::begin(reader)?;
    let heading = import.heading().clone();
    let pace = RefCell::new(Pace::new(heading.steps.saturating_add(heading.last_ordinal.get().into())));
    let since = copy::pour(&mut import, to, &pace, &|_| Ok(Vec::new()), progress)?;
    let (line, expected) = import.end()?;
    let mut pace = pace.into_inner();
    let contents = copied_whole(to, &heading, &mut pace, progress)?;
    pace.end(progress)?;
    if contents != expected {
        let found = contents.digest;
        return Err(Import::wrong_at(line, format!("has the digest {}, and what was imported has {found}", expected.digest)));
    }
    Ok(Copied { since, contents })
}

fn copied_whole(to: &dyn AttributeStore, heading: &Heading, pace: &mut Pace, progress: &mut OnProgress<'_>) -> Result<Contents> {
    let there = to.snapshot()?;
    copy::unmoved(&*there, heading)?;
    digest::contents(&*there, pace, progress)
}
