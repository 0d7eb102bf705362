//! What an answer looks like, as plain data: those of the stores and those of the model come to this form to be compared.

use std::fmt::Debug;

use custom_attributes as ca;
use custom_attributes::{DefinitionSpec, Instant, Outcome, Rule, Value};

/// Compared by all that can be seen of it: 1.50 and 1.5 are one value, but not one text.
#[derive(Debug, Clone)]
pub(crate) struct Exact<T>(pub(crate) T);

impl<T: Debug> PartialEq for Exact<T> {
    fn eq(&self, other: &Self) -> bool {
        format!("{:?}", self.0) == format!("{:?}", other.0)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stamp {
    pub(crate) commit: u64,
    pub(crate) at: Instant,
    pub(crate) by: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Defined {
    pub(crate) id: u32,
    pub(crate) of: String,
    pub(crate) spec: Exact<DefinitionSpec>,
    pub(crate) created: Stamp,
    pub(crate) modified: Stamp,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Commit {
    pub(crate) id: u64,
    pub(crate) at: Instant,
    pub(crate) actor: Option<String>,
    pub(crate) note: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) definition: u32,
    pub(crate) value: Exact<Value>,
    pub(crate) created: u64,
    pub(crate) modified: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Past {
    pub(crate) held: Held,
    pub(crate) ended: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) key: String,
    pub(crate) ordinal: u32,
    pub(crate) revision: u64,
    pub(crate) values: Vec<Held>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Detail {
    pub(crate) id: u64,
    pub(crate) key: String,
    pub(crate) definition: Defined,
    pub(crate) value: Exact<Value>,
    pub(crate) created: Stamp,
    pub(crate) modified: Stamp,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Applied {
    pub(crate) outcome: Outcome,
    pub(crate) definition: Option<u32>,
    pub(crate) value: Option<u64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Receipt {
    pub(crate) commit: Option<u64>,
    pub(crate) at: Instant,
    pub(crate) catalog: u64,
    pub(crate) changes: Vec<Applied>,
    pub(crate) entities: Vec<(String, u64)>,
    pub(crate) definitions: Vec<Defined>,
}

/// A reading, and whether it is stored.
pub(crate) type Reading = Option<(Exact<Value>, bool)>;

/// An entity as it is read: what it holds by name with the ids of its values, and the reading of one name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entity {
    pub(crate) key: String,
    pub(crate) revision: u64,
    pub(crate) values: Vec<(String, Exact<Value>, u64)>,
    pub(crate) reading: Option<Reading>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Violation {
    pub(crate) place: Option<usize>,
    pub(crate) entity: Option<String>,
    pub(crate) attribute: Option<String>,
    pub(crate) rule: Rule,
    /// The limit and what was found; none where the model has no words of its own.
    pub(crate) texts: Option<(String, String)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: u32,
    pub(crate) violations: Vec<Violation>,
    pub(crate) moved: Vec<(Option<String>, u64, u64)>,
    /// All that the error says; empty for the model.
    pub(crate) text: String,
}

/// A value that a changed definition would not admit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Offence {
    pub(crate) entity: String,
    pub(crate) ordinal: u32,
    /// None of a sensitive attribute.
    pub(crate) value: Option<Exact<Value>>,
    pub(crate) violation: Violation,
}

/// A value, and what it would become; none of a sensitive attribute.
pub(crate) type Converted = Option<(Exact<Value>, Exact<Value>)>;

/// What a change of a definition would mean.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    pub(crate) before: Defined,
    pub(crate) after: Exact<DefinitionSpec>,
    pub(crate) held: u64,
    pub(crate) converted: u64,
    pub(crate) offending: u64,
    pub(crate) conversions: Vec<(String, Converted)>,
    pub(crate) offences: Vec<Offence>,
}

/// An entity with its defaults: by definition the value, and whether it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Effective {
    pub(crate) key: String,
    pub(crate) revision: u64,
    pub(crate) values: Vec<(u32, (Exact<Value>, bool))>,
}

/// What became of a definition, the fields in which it differs from what was needed, and the definition.
pub(crate) type Ensured = (Outcome, Vec<String>, Defined);

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Nothing,
    Receipt(Receipt),
    Definition(Defined),
    Ensured(Vec<Ensured>),
    Page {
        definitions: Vec<Defined>,
        total: Option<usize>,
    },
    Specs(Vec<Exact<DefinitionSpec>>),
    Value(Option<Exact<Value>>),
    Reading(Reading),
    Entities(Vec<Option<Entity>>, Vec<Effective>),
    Revision(u64),
    Details(Vec<Detail>),
    Found {
        pages: Vec<Vec<String>>,
        count: u64,
    },
    Facets(Vec<(String, u64)>),
    Report(Report),
    Past {
        details: Vec<Detail>,
        entity: Option<Entity>,
        history: Vec<Past>,
        count: Option<u64>,
    },
    /// Of what was done meanwhile, and then.
    Restored(Box<Answer>, Box<Answer>),
    Refused(Refusal),
}

impl From<&ca::Stamp> for Stamp {
    fn from(stamp: &ca::Stamp) -> Self {
        Self { commit: stamp.commit.get(), at: stamp.at, by: stamp.by.as_deref().map(str::to_owned) }
    }
}

impl From<&ca::Definition> for Defined {
    fn from(definition: &ca::Definition) -> Self {
        Self {
            id: definition.id().get(),
            of: definition.entity_type().to_string(),
            spec: Exact(definition.spec().clone()),
            created: definition.created().into(),
            modified: definition.modified().into(),
        }
    }
}

impl From<&ca::Commit> for Commit {
    fn from(commit: &ca::Commit) -> Self {
        let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().map(str::to_owned);
        Self { id: commit.id.get(), at: commit.at, actor: text(&commit.actor), note: text(&commit.note) }
    }
}

impl From<&ca::Held> for Held {
    fn from(held: &ca::Held) -> Self {
        Self {
            definition: held.definition.get(),
            value: Exact(held.value.clone()),
            created: held.created.get(),
            modified: held.modified.get(),
        }
    }
}

impl From<&ca::Past> for Past {
    fn from(past: &ca::Past) -> Self {
        Self { held: (&past.held).into(), ended: past.ended.get() }
    }
}

impl From<&ca::EntityRecord> for Record {
    fn from(record: &ca::EntityRecord) -> Self {
        Self {
            key: record.key().to_string(),
            ordinal: record.ordinal().get(),
            revision: record.revision().get(),
            values: record.values().iter().map(Held::from).collect(),
        }
    }
}

impl From<&ca::ValueDetail> for Detail {
    fn from(detail: &ca::ValueDetail) -> Self {
        Self {
            id: detail.id.get(),
            key: detail.entity.to_string(),
            definition: (&*detail.definition).into(),
            value: Exact(detail.value.clone()),
            created: (&detail.created).into(),
            modified: (&detail.modified).into(),
        }
    }
}

impl From<&ca::Receipt> for Receipt {
    fn from(receipt: &ca::Receipt) -> Self {
        let applied = |applied: &ca::Applied| Applied {
            outcome: applied.outcome,
            definition: applied.definition.map(ca::DefinitionId::get),
            value: applied.value.map(ca::ValueId::get),
        };
        Self {
            commit: receipt.commit.map(ca::CommitId::get),
            at: receipt.at,
            catalog: receipt.catalog.get(),
            changes: receipt.changes.iter().map(applied).collect(),
            entities: receipt.entities.iter().map(|one| (one.entity.to_string(), one.revision.get())).collect(),
            definitions: receipt.definitions.iter().map(|definition| (&**definition).into()).collect(),
        }
    }
}

impl From<&ca::Violation> for Violation {
    fn from(violation: &ca::Violation) -> Self {
        Self {
            place: violation.place,
            entity: violation.entity.as_ref().map(ca::EntityKey::to_string),
            attribute: violation.attribute.clone(),
            rule: violation.rule,
            texts: Some((violation.limit.clone(), violation.found.clone())),
        }
    }
}

impl From<&ca::Offence> for Offence {
    fn from(offence: &ca::Offence) -> Self {
        Self {
            entity: offence.entity.to_string(),
            ordinal: offence.ordinal.get(),
            value: offence.value.clone().map(Exact),
            violation: (&offence.violation).into(),
        }
    }
}

impl From<&ca::PlanReport> for Report {
    fn from(report: &ca::PlanReport) -> Self {
        let conversion = |one: &ca::Conversion| {
            let values = one.from.clone().zip(one.to.clone());
            (one.entity.to_string(), values.map(|(from, to)| (Exact(from), Exact(to))))
        };
        Self {
            before: report.steps[0].before.as_deref().map(Defined::from).expect("it is changed"),
            after: Exact(report.steps[0].after.clone().expect("it is not deleted")),
            held: report.held,
            converted: report.converted,
            offending: report.offending,
            conversions: report.conversions.iter().map(conversion).collect(),
            offences: report.offences.iter().map(Offence::from).collect(),
        }
    }
}

impl From<ca::Error> for Refusal {
    fn from(error: ca::Error) -> Self {
        let moved = match &error {
            ca::Error::Conflict(moved) => moved.as_slice(),
            _ => &[],
        };
        let one =
            |moved: &ca::Moved| (moved.entity.as_ref().map(ca::EntityKey::to_string), moved.expected.get(), moved.found.get());
        Self {
            code: error.code(),
            violations: error.violations().iter().map(Violation::from).collect(),
            moved: moved.iter().map(one).collect(),
            text: format!("{error}\n{error:?}"),
        }
    }
}

impl Answer {
    /// What a store answers, or how it refuses.
    pub(crate) fn from_result(result: Result<Self, ca::Error>) -> Self {
        result.unwrap_or_else(|error| Self::Refused(error.into()))
    }

    /// Whether a store's answer is the model's. Violations may stand in any order within their place, and where the model
    /// has no words of its own, those of the store are not compared.
    pub(crate) fn agrees_with(&self, model: &Self) -> bool {
        let (store, model) = match (self, model) {
            (Self::Refused(store), Self::Refused(model)) => (store, model),
            (Self::Report(store), Self::Report(model)) => return store.agrees_with(model),
            (Self::Restored(first, then), Self::Restored(model_first, model_then)) => {
                return first.agrees_with(model_first) && then.agrees_with(model_then);
            }
            _ => return self == model,
        };
        let ordered = store.violations.is_sorted_by_key(|violation| violation.place);
        let mut left: Vec<&Violation> = store.violations.iter().collect();
        // The most particular first, so that none takes what another needs.
        let mut wanted: Vec<&Violation> = model.violations.iter().collect();
        wanted.sort_by_key(|violation| violation.texts.is_none());
        let all_found = wanted.iter().all(|wanted| {
            let found = left.iter().position(|found| found.agrees_with(wanted));
            found.map(|index| left.swap_remove(index)).is_some()
        });
        store.code == model.code && store.moved == model.moved && ordered && all_found && left.is_empty()
    }
}

impl Report {
    fn agrees_with(&self, model: &Self) -> bool {
        let same = |(store, model): (&Offence, &Offence)| {
            let worded = Offence { violation: model.violation.clone(), ..store.clone() };
            store.violation.agrees_with(&model.violation) && worded == *model
        };
        let rest = |report: &Self| Self { offences: Vec::new(), ..report.clone() };
        self.offences.len() == model.offences.len()
            && self.offences.iter().zip(&model.offences).all(same)
            && rest(self) == rest(model)
    }
}

impl Violation {
    fn agrees_with(&self, model: &Self) -> bool {
        let Self { place, entity, attribute, rule, texts } = model;
        (&self.place, &self.entity, &self.attribute, &self.rule) == (place, entity, attribute, rule)
            && (texts.is_none() || self.texts == *texts)
    }
}
