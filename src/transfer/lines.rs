//! The steps of a store as lines of JSON, and how they are written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::model::{CommitId, DefinitionId, DefinitionSpec, EntityKey, EntityType, Held, Lineage, Ordinal, Revision, Value};
use crate::store::{Commit, OnProgress, Snapshot};
use crate::transfer::digest::{Contents, contents};
use crate::transfer::steps::{Defined, Heading, Left, Pace, Step, Steps, Touch};
use crate::transfer::timeline::Timeline;

pub(super) const FORMAT: &str = "custom-attributes/export";
pub(super) const VERSION: u32 = 1;

/// After so many lines there is a sum over those before it: damage is found close to where it is.
const SUMMED: u32 = 1000;

/// No line is longer: one who reads needs no more memory than that.
pub(super) const MAX_BYTES: usize = 1 << 28;

/// One line. Each says what it is: `{"commit":{…}}`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(clippy::large_enum_variant)] // there is one at a time
pub(super) enum Line<'a> {
    /// The first.
    Export(HeadingLine),
    /// Behind it is all that the commit did.
    Commit(Commit),
    Definition(DefinitionLine<'a>),
    DefinitionEnded(DefinitionId),
    Entity(EntityLine<'a>),
    /// It was touched, and erased since.
    EntityErased(Ordinal),
    /// Of all lines before it.
    Sum(String),
    /// The last.
    End(EndLine),
}

#[derive(Serialize, Deserialize)]
pub(super) struct HeadingLine {
    pub(super) format: String,
    pub(super) version: u32,
    commits: CommitId,
    ordinals: Ordinal,
    catalog: Revision,
    definitions: DefinitionId,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    horizons: BTreeMap<DefinitionId, CommitId>,
    steps: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DefinitionLine<'a> {
    pub(super) id: DefinitionId,
    pub(super) entity_type: Cow<'a, EntityType>,
    /// None where it is this commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<CommitId>,
    pub(super) spec: Cow<'a, DefinitionSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lineage: Option<Cow<'a, Lineage>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntityLine<'a> {
    pub(super) ordinal: Ordinal,
    pub(super) entity: Cow<'a, EntityKey>,
    pub(super) revision: Revision,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) began: Vec<HeldLine<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ended: Vec<DefinitionId>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeldLine<'a> {
    pub(super) definition: DefinitionId,
    pub(super) value: Cow<'a, Value>,
    /// None where it is this commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<CommitId>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndLine {
    pub(super) contents: Contents,
    /// Of all lines before it.
    pub(super) sum: String,
}

impl HeadingLine {
    fn of(heading: &Heading) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            commits: heading.last_commit,
            ordinals: heading.last_ordinal,
            catalog: heading.catalog,
            definitions: heading.last_definition,
            horizons: heading.horizons.clone(),
            steps: heading.steps,
        }
    }

    pub(super) fn into_heading(self) -> Heading {
        Heading {
            last_commit: self.commits,
            last_ordinal: self.ordinals,
            catalog: self.catalog,
            last_definition: self.definitions,
            horizons: self.horizons,
            steps: self.steps,
        }
    }
}

/// The sum of lines, as it is written.
pub(super) fn sum_of(lines: &Sha256) -> String {
    let sum = lines.clone().finalize();
    sum.iter().take(8).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

pub(super) fn export(snapshot: &dyn Snapshot, writer: &mut dyn Write, progress: &mut OnProgress<'_>) -> Result<Contents> {
    let mut timeline = Timeline::of(snapshot)?;
    let heading = timeline.heading().clone();
    let mut pace = Pace::new(heading.steps.saturating_add(heading.last_ordinal.get().into()));
    let mut lines = Lines { writer: BufWriter::with_capacity(1 << 16, writer), sum: Sha256::new(), since: 0, line: Vec::new() };
    lines.write(&Line::Export(HeadingLine::of(&heading)))?;
    while let Some(Step { commit, definitions }) = timeline.next(snapshot)? {
        let id = commit.id;
        lines.write(&Line::Commit(commit))?;
        for defined in &definitions {
            lines.write(&definition_line(defined, id))?;
        }
        pace.step(1, progress)?;
        timeline.each_touch(&mut |touch| {
            lines.write(&touch_line(&touch, id))?;
            pace.step(1, progress)
        })?;
        lines.sum()?;
    }
    let contents = contents(snapshot, &mut pace, progress)?;
    let sum = sum_of(&lines.sum);
    lines.write(&Line::End(EndLine { contents: contents.clone(), sum }))?;
    lines.writer.flush().map_err(failed)?;
    pace.end(progress)?;
    Ok(contents)
}

fn earlier(created: CommitId, commit: CommitId) -> Option<CommitId> {
    Some(created).filter(|created| *created != commit)
}

fn definition_line(defined: &Defined, commit: CommitId) -> Line<'_> {
    match defined {
        Defined::Stands(definition) => Line::Definition(DefinitionLine {
            id: definition.id(),
            entity_type: Cow::Borrowed(definition.entity_type()),
            created: earlier(definition.created().commit, commit),
            spec: Cow::Borrowed(definition.spec()),
            lineage: definition.lineage().map(Cow::Borrowed),
        }),
        Defined::Ended(id) => Line::DefinitionEnded(*id),
    }
}

fn touch_line(touch: &Touch, commit: CommitId) -> Line<'_> {
    let Some(Left { entity, revision, began, ended, .. }) = &touch.left else { return Line::EntityErased(touch.ordinal) };
    let held = |held: &'_ Held| -> HeldLine<'_> {
        let created = earlier(held.created, commit);
        HeldLine { definition: held.definition, value: Cow::Owned(held.value.clone()), created }
    };
    Line::Entity(EntityLine {
        ordinal: touch.ordinal,
        entity: Cow::Borrowed(entity),
        revision: *revision,
        began: began.iter().map(held).collect(),
        ended: ended.clone(),
    })
}

fn failed(error: std::io::Error) -> Error {
    Error::backend("writing the export", error)
}

struct Lines<'a> {
    writer: BufWriter<&'a mut dyn Write>,
    sum: Sha256,
    since: u32,
    line: Vec<u8>,
}

impl Lines<'_> {
    fn write(&mut self, line: &Line<'_>) -> Result<()> {
        if self.since == SUMMED {
            self.sum()?;
        }
        self.put(line)?;
        self.since += 1;
        Ok(())
    }

    fn sum(&mut self) -> Result<()> {
        self.since = 0;
        self.put(&Line::Sum(sum_of(&self.sum)))
    }

    fn put(&mut self, line: &Line<'_>) -> Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line).map_err(|error| Error::backend("writing the export", error))?;
        self.line.push(b'\n');
        if self.line.len() > MAX_BYTES {
            return Err(Error::backend("writing the export", format!("a line has more than {MAX_BYTES} bytes")));
        }
        self.sum.update(&self.line);
        self.writer.write_all(&self.line).map_err(failed)
    }
}
