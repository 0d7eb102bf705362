//! What the tables are called: all statements are written with the default prefix, and say another where the host chose one.

use std::borrow::Cow;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, Params, Row, Statement};

use crate::error::{Error, Result};

/// As it stands in all statements.
const DEFAULT: &str = "attr_";

/// The longest prefix.
const MAX: usize = 32;

/// The names of the tables, by what they begin with.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// None for the default, which costs no statement anything.
    prefix: Option<Arc<str>>,
}

impl Names {
    /// SQLite does not tell upper from lower case in a name: here there is only one.
    pub(super) fn new(prefix: &str) -> Result<Self> {
        let is_first = |c: char| c.is_ascii_lowercase() || c == '_';
        let is_well_formed = prefix.starts_with(is_first)
            && prefix.len() <= MAX
            && prefix.chars().all(|c| is_first(c) || c.is_ascii_digit())
            && !prefix.starts_with("sqlite_");
        if !is_well_formed {
            let reason = format!(
                "a prefix of tables has 1 to {MAX} characters of a-z, 0-9 and _, begins with no digit, and not with sqlite_; \
                 not `{prefix}`"
            );
            return Err(Error::Open { place: "the tables".into(), reason, source: None });
        }
        Ok(Self { prefix: Some(prefix).filter(|prefix| *prefix != DEFAULT).map(Arc::from) })
    }

    pub(super) fn prefix(&self) -> &str {
        self.prefix.as_deref().unwrap_or(DEFAULT)
    }

    pub(super) const fn is_default(&self) -> bool {
        self.prefix.is_none()
    }

    /// What an object of this name would be called with the default prefix; none if its name begins otherwise. SQLite does not
    /// tell upper from lower case.
    pub(super) fn plain(&self, name: &str) -> Option<String> {
        let name = name.to_ascii_lowercase();
        name.strip_prefix(self.prefix()).map(|rest| format!("{DEFAULT}{rest}"))
    }

    /// The statement with these names in place. No text of a user may be part of it.
    pub(super) fn put<'a>(&self, sql: &'a str) -> Cow<'a, str> {
        match &self.prefix {
            None => Cow::Borrowed(sql),
            Some(prefix) => Cow::Owned(sql.replace(DEFAULT, prefix)),
        }
    }
}

/// A connection that puts the names into every statement.
///
/// Where SQLite supposes that a plan may depend on a parameter (behind a join, an order or a limit), it prepares a statement of a cache anew
/// at each use: reading one value took eight times as long. Our own connections switch that off; on one of the host, a sign
/// before the parameter does, `+?1`, or a sum behind LIMIT.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    /// For statements that have their names, or need none.
    pub(super) connection: &'a Connection,
    pub(super) names: &'a Names,
}

impl<'a> Named<'a> {
    pub(super) fn prepare(&self, sql: &str) -> rusqlite::Result<Statement<'a>> {
        self.connection.prepare(&self.names.put(sql))
    }

    pub(super) fn prepare_cached(&self, sql: &str) -> rusqlite::Result<CachedStatement<'a>> {
        self.connection.prepare_cached(&self.names.put(sql))
    }

    pub(super) fn execute(&self, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
        self.connection.execute(&self.names.put(sql), params)
    }

    pub(super) fn execute_batch(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.execute_batch(&self.names.put(sql))
    }

    pub(super) fn query_row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.connection.query_row(&self.names.put(sql), params, read)
    }
}
