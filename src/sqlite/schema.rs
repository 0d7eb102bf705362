//! The tables, and the versions that are written beside them.

/// Marks a file as a store of ours, for `file` and the like: "cAtr".
pub(super) const APPLICATION_ID: i32 = 0x6341_7472;

/// The version of the tables. A file with a greater one is refused.
pub(super) const VERSION: i64 = 5;

/// `doc` is JSON keyed by definition id, ascending (`{"7":"premium","9":10000}`; DECIMAL and DATE as text); `meta` has the
/// commits of each value in the same order. `touched` has the ordinals that a commit changed, as a roaring bitmap. `ANY` keeps an id an integer or a text, as it came. [`MARK`], [`POSTINGS`] and [`HORIZONS`] come behind.
pub(super) const TABLES: &str = "
CREATE TABLE attr_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    schema INTEGER NOT NULL,
    folding TEXT NOT NULL,
    catalog INTEGER NOT NULL,
    last_definition INTEGER NOT NULL
) STRICT;
CREATE TABLE attr_commit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT,
    note TEXT,
    touched BLOB NOT NULL
) STRICT;
CREATE TABLE attr_entity_type (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE attr_definition (
    id INTEGER PRIMARY KEY,
    type INTEGER NOT NULL,
    key TEXT NOT NULL,
    spec TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    UNIQUE (type, key)
) STRICT;
CREATE TABLE attr_past_definition (
    id INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    type INTEGER NOT NULL,
    spec TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    PRIMARY KEY (id, ended)
) STRICT, WITHOUT ROWID;
CREATE TABLE attr_entity (
    ordinal INTEGER PRIMARY KEY,
    type INTEGER NOT NULL,
    id ANY NOT NULL,
    revision INTEGER NOT NULL,
    doc TEXT NOT NULL,
    meta BLOB NOT NULL,
    UNIQUE (type, id)
) STRICT;
CREATE TABLE attr_history (
    ordinal INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    definition INTEGER NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    data_type TEXT NOT NULL,
    value ANY NOT NULL,
    PRIMARY KEY (ordinal, ended, definition)
) STRICT, WITHOUT ROWID;
";

/// Tells one state of the definitions from another of the same revision: what is known of a host's transaction that was rolled
/// back must not be taken for what came instead.
pub(super) const MARK: &str = "
ALTER TABLE attr_state ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
UPDATE attr_state SET mark = random();
";

/// The index: who holds what. `key` orders as the values do; it is empty for all that hold any, and definition 0 is for all
/// entities of the type that `key` names. `bits` are `n` entities of `chunk`: few as 16 bits each, more as a roaring bitmap,
/// and what is long stands in `attr_set`, whose id is there instead: a search through a tree of keys reads each long row
/// that it passes to its end.
///
/// `attr_entity_key` tells the keys of entities without their documents. `attr_rebuild` has a row while the index is made
/// anew: where to go on.
pub(super) const POSTINGS: &str = "
CREATE TABLE attr_posting (
    definition INTEGER NOT NULL,
    key BLOB NOT NULL,
    chunk INTEGER NOT NULL,
    n INTEGER NOT NULL,
    bits ANY NOT NULL,
    PRIMARY KEY (definition, key, chunk)
) STRICT, WITHOUT ROWID;
CREATE TABLE attr_set (
    id INTEGER PRIMARY KEY,
    bits BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX attr_entity_key ON attr_entity (ordinal, type, id);
CREATE TABLE attr_rebuild (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    next INTEGER,
    definition INTEGER,
    key BLOB,
    chunk INTEGER
) STRICT;
";

/// What is in history no longer. `last_ordinal` is of an entity that was erased, whose ordinal is not given out again; the values of
/// a definition are known from `until` on.
pub(super) const HORIZONS: &str = "
ALTER TABLE attr_state ADD COLUMN last_ordinal INTEGER NOT NULL DEFAULT 0;
CREATE TABLE attr_horizon (
    definition INTEGER PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT;
";

/// Instants of commits ascend, but for those of older releases, and copies of them. `unordered` is the last commit that is earlier
/// than the one before it; 0 where there is none.
pub(super) const INSTANTS: &str = "
ALTER TABLE attr_state ADD COLUMN unordered INTEGER NOT NULL DEFAULT 0;
UPDATE attr_state SET unordered = coalesce(
    (SELECT max(c.id) FROM attr_commit c JOIN attr_commit b ON b.id = c.id - 1 WHERE c.at < b.at), 0);
";
