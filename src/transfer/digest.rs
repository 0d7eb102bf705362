//! All that a store holds in one number, the same for equal stores whatever keeps them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::history::Definitions;
use crate::model::{CommitId, Definition, EntityKey, Held, Ordinal, Value};
use crate::store::{Commit, Commits, Marks, OnProgress, PAGE, Pages, Past, Snapshot, each_page};
use crate::transfer::steps::Pace;

/// The SHA-256 of all that a store holds: commits, all versions of definitions, values with their commits, history, how far that
/// reaches back, and which ids come next. Stores that hold the same have the same, whatever keeps them; an index is no part of it.
///
/// ```
/// use custom_attributes::{Attributes, Digest, MemoryStore};
/// let digest = Attributes::new(MemoryStore::new()).digest()?;
/// assert_eq!(digest.to_string().len(), 64);
/// assert_eq!(digest.to_string().parse::<Digest>()?, digest);
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || crate::Violation::new(crate::Rule::Grammar, "a digest: 64 hexadecimal digits", text);
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong().into());
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a store holds, counted, and its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Contents {
    /// How many commits were done.
    pub commits: u64,
    /// How many definitions there are.
    pub definitions: u64,
    /// How many entities were ever written and are not erased, emptied ones as well.
    pub entities: u64,
    /// How many values they hold.
    pub values: u64,
    /// How many values are in history.
    pub past_values: u64,
    /// Of all of it.
    pub digest: Digest,
}

/// Goes over all that a store holds.
pub(super) fn contents(snapshot: &dyn Snapshot, pace: &mut Pace, progress: &mut OnProgress<'_>) -> Result<Contents> {
    let (marks, catalog) = (snapshot.marks()?, snapshot.catalog()?);
    let mut sum = Sum(Sha256::new());
    sum.text("custom-attributes/1");
    let numbers = [marks.commit.get(), marks.ordinal.get().into(), catalog.revision().get(), catalog.last_id().get().into()];
    numbers.into_iter().for_each(|number| sum.number(number));
    sum.commits(snapshot, marks)?;
    for (definition, ended) in Definitions::load(snapshot)?.versions().flatten() {
        sum.definition(definition, ended)?;
    }
    sum.text("horizons");
    for (definition, until) in snapshot.horizons()? {
        sum.number(definition.get().into());
        sum.number(until.get());
    }
    let mut counted = Contents {
        commits: marks.commit.get(),
        definitions: catalog.iter().count() as u64,
        entities: 0,
        values: 0,
        past_values: 0,
        digest: Digest([0; 32]),
    };
    sum.entities(snapshot, &mut counted, pace, progress)?;
    sum.histories(snapshot, &mut counted)?;
    counted.digest = Digest(sum.0.finalize().into());
    Ok(counted)
}

/// Takes in what is told apart by where it ends: numbers have one length, and texts tell theirs.
struct Sum(Sha256);

impl Sum {
    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text);
    }

    fn optional(&mut self, text: Option<&str>) {
        self.number(text.is_some().into());
        self.text(text.unwrap_or_default());
    }

    fn commits(&mut self, snapshot: &dyn Snapshot, marks: Marks) -> Result<()> {
        let mut commits = Commits::new(snapshot, CommitId::new(1), marks.commit);
        while let Some(page) = commits.next()? {
            for (Commit { id, at, actor, note }, touched) in page {
                if touched.last() > Some(marks.ordinal) {
                    return Err(Error::corrupt(format!("commit {id} touched an entity after the last, {}", marks.ordinal)));
                }
                self.number(id.get());
                self.number(at.timestamp_micros().cast_unsigned());
                self.optional(actor.as_deref());
                self.optional(note.as_deref());
                self.number(touched.len() as u64);
                touched.iter().for_each(|ordinal| self.number(ordinal.get().into()));
            }
        }
        Ok(())
    }

    fn definition(&mut self, definition: &Definition, ended: Option<CommitId>) -> Result<()> {
        let failed = |error| Error::backend("writing a definition", error);
        let mut spec = serde_json::to_string(definition.spec()).map_err(failed)?;
        if let Some(lineage) = definition.lineage() {
            spec += &serde_json::to_string(lineage).map_err(failed)?;
        }
        self.number(definition.id().get().into());
        self.text(definition.entity_type().as_str());
        self.text(&spec);
        self.number(definition.created().commit.get());
        self.number(definition.modified().commit.get());
        self.number(ended.unwrap_or_default().get());
        Ok(())
    }

    fn entities(
        &mut self,
        snapshot: &dyn Snapshot,
        counted: &mut Contents,
        pace: &mut Pace,
        progress: &mut OnProgress<'_>,
    ) -> Result<()> {
        self.text("entities");
        let last = snapshot.marks()?.commit.get();
        each_page(snapshot, |page| {
            for record in &page {
                let modified = record.values().iter().map(|held| held.modified.get()).max().unwrap_or_default();
                if record.revision().get().max(modified) > last {
                    return Err(Error::corrupt(format!("{} has a commit or a revision after the last, {last}", record.key())));
                }
                self.key(record.key(), record.ordinal());
                self.number(record.revision().get());
                self.number(record.values().len() as u64);
                record.values().iter().for_each(|held| self.held(held));
                counted.values += record.values().len() as u64;
            }
            counted.entities += page.len() as u64;
            pace.step(page.len() as u64, progress)
        })
    }

    fn histories(&mut self, snapshot: &dyn Snapshot, counted: &mut Contents) -> Result<()> {
        self.text("history");
        let mut pages = Pages::new(None, PAGE, |after, limit| snapshot.histories(after, limit));
        while let Some(page) = pages.next()? {
            for (ordinal, past) in &page {
                self.number(ordinal.get().into());
                self.number(past.len() as u64);
                for Past { held, ended } in past {
                    self.held(held);
                    self.number(ended.get());
                }
                counted.past_values += past.len() as u64;
            }
        }
        Ok(())
    }

    fn key(&mut self, key: &EntityKey, ordinal: Ordinal) {
        self.number(ordinal.get().into());
        self.text(key.entity_type().as_str());
        match key.id().as_text() {
            Some(text) => self.optional(Some(text)),
            None => {
                self.optional(None);
                self.number(key.id().as_integer().unwrap_or_default().cast_unsigned());
            }
        }
    }

    fn held(&mut self, held: &Held) {
        self.number(held.definition.get().into());
        self.number(held.created.get());
        self.number(held.modified.get());
        self.text(held.value.data_type().as_str());
        match &held.value {
            Value::String(text) => self.text(text),
            Value::Integer(number) => self.number(number.cast_unsigned()),
            Value::Boolean(truth) => self.number((*truth).into()),
            // As texts they have their zeros.
            Value::Decimal(number) => self.text(&number.to_string()),
            Value::Date(day) => self.text(&day.to_string()),
        }
    }
}
