//! Columns as the numbers that they stand for. A number that cannot stand there is damage, and never another number instead.

use rusqlite::Row;

use crate::clock::Instant;
use crate::error::{Error, Result};
use crate::model::{CommitId, DefinitionId, Ordinal, Revision};
use crate::sqlite::failure::failed;

/// The greatest commit id and the greatest revision.
pub(super) const MAX_COUNT: i64 = crate::model::MAX_COUNT.cast_signed();

/// A row whose columns are read, and what it is, for messages.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a, 's> {
    row: &'a Row<'s>,
    of: &'static str,
}

impl<'a, 's> Columns<'a, 's> {
    pub(super) const fn new(row: &'a Row<'s>, of: &'static str) -> Self {
        Self { row, of }
    }

    pub(super) fn get<T: rusqlite::types::FromSql>(self, index: usize) -> Result<T> {
        self.row.get(index).map_err(failed("reading the tables"))
    }

    fn out_of_bounds(self, what: &str, found: i64) -> Error {
        Error::corrupt(format!("{} has {what} {found}, which is out of bounds", self.of))
    }

    fn number(self, index: usize, what: &str, min: i64, max: i64) -> Result<u64> {
        let found: i64 = self.get(index)?;
        let number = u64::try_from(found).ok().filter(|_| (min..=max).contains(&found));
        number.ok_or_else(|| self.out_of_bounds(what, found))
    }

    fn small(self, index: usize, what: &str, max: u32) -> Result<u32> {
        let found: i64 = self.get(index)?;
        let number = u32::try_from(found).ok().filter(|number| (1..=max).contains(number));
        number.ok_or_else(|| self.out_of_bounds(what, found))
    }

    /// The id of a commit that exists.
    pub(super) fn commit(self, index: usize) -> Result<CommitId> {
        self.number(index, "the commit id", 1, MAX_COUNT).map(CommitId::new)
    }

    /// The id of the last commit; 0 if there is none.
    pub(super) fn last_commit(self, index: usize) -> Result<CommitId> {
        self.number(index, "the last commit id", 0, MAX_COUNT).map(CommitId::new)
    }

    /// The revision of an entity that was written.
    pub(super) fn revision(self, index: usize) -> Result<Revision> {
        self.number(index, "the revision", 1, MAX_COUNT).map(Revision::new)
    }

    /// The revision of the catalog; 0 before the first definition.
    pub(super) fn catalog_revision(self, index: usize) -> Result<Revision> {
        self.number(index, "the catalog revision", 0, MAX_COUNT).map(Revision::new)
    }

    pub(super) fn ordinal(self, index: usize) -> Result<Ordinal> {
        self.small(index, "the ordinal", Ordinal::MAX.get()).map(Ordinal::new)
    }

    /// The last ordinal; 0 if none was given out.
    pub(super) fn last_ordinal(self, index: usize) -> Result<Ordinal> {
        let last = u32::try_from(self.number(index, "the last ordinal", 0, i64::from(u32::MAX))?);
        last.map(Ordinal::new).map_err(|_| self.out_of_bounds("the last ordinal", i64::MAX))
    }

    pub(super) fn definition(self, index: usize) -> Result<DefinitionId> {
        self.small(index, "the definition id", DefinitionId::MAX.get()).map(DefinitionId::new)
    }

    pub(super) fn instant(self, index: usize) -> Result<Instant> {
        let micros: i64 = self.get(index)?;
        Instant::from_timestamp_micros(micros).ok_or_else(|| self.out_of_bounds("the instant", micros))
    }

    /// When something was made, last changed, and ended: commits that ascend.
    pub(super) fn life(self, [created, modified]: [usize; 2], ended: Option<usize>) -> Result<Life> {
        let life = Life {
            created: self.commit(created)?,
            modified: self.commit(modified)?,
            ended: ended.map(|ended| self.commit(ended)).transpose()?,
        };
        let ascends = life.created <= life.modified && life.ended.is_none_or(|ended| life.modified < ended);
        if ascends { Ok(life) } else { Err(Error::corrupt(format!("{} has commits that do not ascend", self.of))) }
    }
}

/// The commits of a value or a definition.
pub(super) struct Life {
    pub(super) created: CommitId,
    pub(super) modified: CommitId,
    pub(super) ended: Option<CommitId>,
}
