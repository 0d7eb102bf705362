//! Lines of JSON as the steps of a store.

use std::borrow::Cow;
use std::io::{BufRead, Read};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result, Violation};
use crate::hash::HashMap;
use crate::model::{CommitId, DataType, Definition, DefinitionId, EntityType, Held, Limits, MAX_COUNT, Ordinal, Stamp};
use crate::store::{Commit, Snapshot, commit_with_id};
use crate::transfer::digest::Contents;
use crate::transfer::lines::{DefinitionLine, EndLine, EntityLine, FORMAT, HeldLine, Line, MAX_BYTES, VERSION, sum_of};
use crate::transfer::steps::{Defined, Heading, Left, Step, Steps, Touch};

pub(super) struct Import<'a> {
    reader: Reader<'a>,
    heading: Heading,
    current: Commit,
    /// The definitions after the lines so far: values must be of their types.
    types: HashMap<DefinitionId, (EntityType, DataType)>,
    /// The entity that the current commit touched last. A commit touches each entity once, in the order of ordinals.
    touched: Ordinal,
    /// The last ordinal that was given out. Ordinals have no gaps.
    last_ordinal: Ordinal,
    /// What was read, and belongs behind the commit or the definitions that came before it.
    ahead: Option<Line<'static>>,
    end: Option<Contents>,
}

impl<'a> Import<'a> {
    pub(super) fn begin(from: &'a mut dyn BufRead) -> Result<Self> {
        let mut reader = Reader { from, number: 0, sum: Sha256::new(), buffer: Vec::new(), is_summed: false };
        let heading = reader.heading()?;
        let is_counted = |number: u64| number <= MAX_COUNT;
        let are_sound = heading.horizons.iter().all(|(definition, until)| {
            definition.get() > 0 && *definition <= heading.last_definition && until.get() > 0 && is_counted(until.get())
        });
        if !is_counted(heading.last_commit.get()) || !is_counted(heading.catalog.get()) || !are_sound {
            return Err(reader.wrong("speaks of a number that no store comes to"));
        }
        let current = Commit { id: CommitId::default(), at: chrono::DateTime::default(), actor: None, note: None };
        Ok(Self {
            reader,
            heading,
            current,
            types: HashMap::default(),
            touched: Ordinal::default(),
            last_ordinal: Ordinal::default(),
            ahead: None,
            end: None,
        })
    }

    /// The last line, when all were read: where it stands, and what it says that the store holds.
    pub(super) fn end(self) -> Result<(u64, Contents)> {
        match self.end {
            Some(contents) => Ok((self.reader.number, contents)),
            None => Err(self.reader.wrong("is not the last: there is more behind the commits that it speaks of")),
        }
    }

    /// The error of the last line.
    pub(super) fn wrong_at(line: u64, reason: impl Into<String>) -> Error {
        Error::Unreadable { line, reason: reason.into() }
    }

    fn line(&mut self) -> Result<Line<'static>> {
        match self.ahead.take() {
            Some(line) => Ok(line),
            None => self.reader.line(),
        }
    }

    /// A definition, with the stamp of its making.
    fn definition(&self, line: DefinitionLine<'_>, there: &dyn Snapshot) -> Result<Definition> {
        if line.id.get() == 0 || line.id > self.heading.last_definition {
            return Err(self.reader.wrong(format!("is of definition {}, which the first line does not count", line.id)));
        }
        let stamp = |commit: Commit| Stamp { commit: commit.id, at: commit.at, by: commit.actor };
        let modified = stamp(self.current.clone());
        let created = match line.created {
            None => modified.clone(),
            Some(created) => commit_with_id(there, created)?
                .map(stamp)
                .ok_or_else(|| self.reader.wrong(format!("speaks of commit {created}, which is not before it")))?,
        };
        let limits = Limits::typed();
        let lineage = line.lineage.map(Cow::into_owned).unwrap_or_default();
        let definition = Definition::new(line.id, line.entity_type.into_owned(), line.spec.into_owned(), &limits);
        let definition = definition.map_err(|error| self.reader.wrong(format!("has no sound definition: {error}")))?;
        Ok(definition.stamped(created, modified).with_lineage(lineage))
    }

    /// Checks that the commit touches its entities in order, and gives out no ordinal but the next.
    fn meet(&mut self, ordinal: Ordinal) -> Result<()> {
        let is_next = || self.last_ordinal.next() == Some(ordinal);
        if ordinal <= self.touched || (ordinal > self.last_ordinal && !is_next()) {
            let commit = self.current.id;
            let reason = format!("is of the entity with ordinal {ordinal}, which commit {commit} touches twice or out of order");
            return Err(self.reader.wrong(reason));
        }
        self.touched = ordinal;
        self.last_ordinal = self.last_ordinal.max(ordinal);
        Ok(())
    }

    fn touch(&self, line: EntityLine<'_>) -> Result<Touch> {
        let entity_type = line.entity.entity_type();
        let held = |HeldLine { definition, value, created }: HeldLine<'_>| {
            let value = value.into_owned().checked();
            // The value may be sensitive, and stands in the line for who may read it.
            let wrong = |violation: Violation| {
                let violation = violation.redacted().of(format!("definition {definition}"));
                self.reader.wrong(format!("has a value that cannot be: {violation}"))
            };
            let value = value.map_err(wrong)?;
            let data_type = value.data_type();
            if self.types.get(&definition).is_none_or(|(of, defined)| of != entity_type || *defined != data_type) {
                let reason =
                    format!("has a value of type {data_type} for definition {definition}, which is not one of that type");
                return Err(self.reader.wrong(reason));
            }
            let created = created.unwrap_or(self.current.id);
            if created.get() == 0 || created > self.current.id {
                return Err(self.reader.wrong(format!("speaks of commit {created}, which is not before it")));
            }
            Ok(Held { definition, value, created, modified: self.current.id })
        };
        // A revision counts the commits that touched the entity.
        if !(1..=self.current.id.get()).contains(&line.revision.get()) {
            let (revision, commit) = (line.revision, self.current.id);
            return Err(self.reader.wrong(format!("has the revision {revision}, which commit {commit} cannot lead to")));
        }
        let began = line.began.into_iter().map(held).collect::<Result<Vec<_>>>()?;
        let (entity, revision, ended) = (line.entity.into_owned(), line.revision, line.ended);
        Ok(Touch { ordinal: line.ordinal, left: Some(Left { entity, revision, began, ended, stands: None }) })
    }

    fn finish(&mut self, end: EndLine) -> Result<()> {
        if self.current.id != self.heading.last_commit {
            let (found, expected) = (self.current.id, self.heading.last_commit);
            return Err(self.reader.wrong(format!("comes behind commit {found}, and the first speaks of {expected}")));
        }
        let (found, expected) = (self.last_ordinal, self.heading.last_ordinal);
        if found != expected {
            return Err(self.reader.wrong(format!("comes behind {found} entities, and the first speaks of {expected}")));
        }
        self.reader.ended()?;
        self.end = Some(end.contents);
        Ok(())
    }
}

impl Steps for Import<'_> {
    fn heading(&self) -> &Heading {
        &self.heading
    }

    fn next(&mut self, there: &dyn Snapshot) -> Result<Option<Step>> {
        if self.end.is_some() {
            return Ok(None);
        }
        let commit = match self.line()? {
            Line::Commit(commit) => commit,
            Line::End(end) => {
                self.finish(end)?;
                return Ok(None);
            }
            _ => return Err(self.reader.wrong("is not a commit, which is expected here")),
        };
        let expected = CommitId::new(self.current.id.get() + 1);
        if commit.id != expected || expected > self.heading.last_commit {
            return Err(self.reader.wrong(format!("is commit {}, and not {expected}", commit.id)));
        }
        if commit.at.timestamp_subsec_nanos() % 1000 != 0 {
            return Err(self.reader.wrong("has an instant that is finer than a microsecond"));
        }
        self.current = commit.clone();
        self.touched = Ordinal::default();
        let mut definitions = Vec::new();
        loop {
            match self.line()? {
                Line::Definition(line) => {
                    let definition = self.definition(line, there)?;
                    self.types.insert(definition.id(), (definition.entity_type().clone(), definition.data_type()));
                    definitions.push(Defined::Stands(Arc::new(definition)));
                }
                Line::DefinitionEnded(id) => {
                    self.types.remove(&id);
                    definitions.push(Defined::Ended(id));
                }
                other => {
                    self.ahead = Some(other);
                    return Ok(Some(Step { commit, definitions }));
                }
            }
        }
    }

    fn each_touch(&mut self, visit: &mut dyn FnMut(Touch) -> Result<()>) -> Result<()> {
        loop {
            match self.line()? {
                Line::Entity(line) => {
                    self.meet(line.ordinal)?;
                    visit(self.touch(line)?)?;
                }
                Line::EntityErased(ordinal) => {
                    self.meet(ordinal)?;
                    visit(Touch { ordinal, left: None })?;
                }
                // A commit is not written before the sum of its lines was compared.
                _ if !self.reader.is_summed => {
                    let commit = self.current.id;
                    return Err(self.reader.wrong(format!("stands where the sum of commit {commit} is expected")));
                }
                other => {
                    self.ahead = Some(other);
                    return Ok(());
                }
            }
        }
    }

    fn pass_over(&mut self) -> Result<()> {
        self.each_touch(&mut |_| Ok(()))
    }

    fn wrong(&self, reason: String) -> Error {
        self.reader.wrong(reason)
    }
}

struct Reader<'a> {
    from: &'a mut dyn BufRead,
    /// Of the line that was read last, from 1 on.
    number: u64,
    sum: Sha256,
    buffer: Vec<u8>,
    /// Whether a sum stood directly before the line that was read last.
    is_summed: bool,
}

impl Reader<'_> {
    fn wrong(&self, reason: impl Into<String>) -> Error {
        Error::Unreadable { line: self.number, reason: reason.into() }
    }

    fn heading(&mut self) -> Result<Heading> {
        let not_ours = |reader: &Self| reader.wrong(format!("is not the beginning of an export: it has no format {FORMAT}"));
        if !self.read()? {
            return Err(self.wrong("is missing: there is nothing to import"));
        }
        // A newer version may have other fields; which it is comes before all of them.
        let line: serde_json::Value = serde_json::from_slice(&self.buffer).map_err(|_| not_ours(self))?;
        let export = line.get("export").filter(|export| export.get("format").is_some_and(|format| format == FORMAT));
        let version =
            export.ok_or_else(|| not_ours(self))?.get("version").and_then(serde_json::Value::as_u64).unwrap_or_default();
        if version != u64::from(VERSION) {
            return Err(
                self.wrong(format!("is of version {version}, and this release reads version {VERSION}; use a newer release"))
            );
        }
        match self.parse()? {
            Line::Export(heading) => {
                self.sum.update(&self.buffer);
                Ok(heading.into_heading())
            }
            _ => Err(not_ours(self)),
        }
    }

    /// The next line that is no sum; sums are compared.
    fn line(&mut self) -> Result<Line<'static>> {
        self.is_summed = false;
        loop {
            if !self.read()? {
                return Err(self.wrong("is missing: the export was cut off before its end"));
            }
            let line = self.parse()?;
            let (Line::Sum(sum) | Line::End(EndLine { sum, .. })) = &line else {
                self.sum.update(&self.buffer);
                return Ok(line);
            };
            if *sum != sum_of(&self.sum) {
                return Err(self.wrong("is not the sum of those before it: one of them was changed, or is missing"));
            }
            self.sum.update(&self.buffer);
            if !matches!(line, Line::Sum(_)) {
                return Ok(line);
            }
            self.is_summed = true;
        }
    }

    fn parse(&self) -> Result<Line<'static>> {
        // The message of the parser may repeat a value, which may be sensitive.
        serde_json::from_slice(&self.buffer).map_err(|error| {
            let what = if error.is_data() { "is no line of an export" } else { "is not JSON" };
            self.wrong(format!("{what}: see its column {}", error.column()))
        })
    }

    /// Reads a line with its end; none is left if there is nothing more.
    fn read(&mut self) -> Result<bool> {
        self.number += 1;
        self.buffer.clear();
        let mut bounded = (&mut *self.from).take(MAX_BYTES as u64 + 1);
        bounded.read_until(b'\n', &mut self.buffer).map_err(|error| Error::backend("reading the export", error))?;
        if self.buffer.len() > MAX_BYTES {
            return Err(self.wrong(format!("has more than {MAX_BYTES} bytes")));
        }
        if !self.buffer.is_empty() && !self.buffer.ends_with(b"\n") {
            return Err(self.wrong("has no end: the export was cut off there"));
        }
        Ok(!self.buffer.is_empty())
    }

    /// Behind the end there is nothing.
    fn ended(&mut self) -> Result<()> {
        if self.read()? {
            return Err(self.wrong("stands behind the end of the export"));
        }
        self.number -= 1;
        Ok(())
    }
}
