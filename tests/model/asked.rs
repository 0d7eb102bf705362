//! What the reference model is asked to write, and how it refuses.

use custom_attributes::{Instant, Rule};

use crate::operations::{BatchGiven, Change, Expected, KeyGiven};
use crate::reference::{Key, Model};
use crate::rules::Fault;
use crate::shapes::{Refusal, Violation};

/// Changes as they were given, and what is expected of the revisions.
pub(crate) struct Asked<'a> {
    pub(crate) at: Instant,
    pub(crate) actor: Option<&'a str>,
    pub(crate) note: Option<&'a str>,
    pub(crate) expected: &'a [(KeyGiven, Expected)],
    pub(crate) changes: &'a [Change],
    pub(crate) numbers_by_value: bool,
    /// A single change has no place.
    pub(crate) alone: bool,
}

impl<'a> Asked<'a> {
    pub(crate) fn batch(at: Instant, batch: &'a BatchGiven) -> Self {
        let BatchGiven { actor, note, expected, changes, numbers_by_value } = batch;
        Self { at, actor: *actor, note: *note, expected, changes, numbers_by_value: *numbers_by_value, alone: false }
    }

    pub(crate) fn single(at: Instant, actor: Option<&'a str>, change: &'a Change) -> Self {
        // One that declares any number of definitions gives each its place.
        let alone = !matches!(change, Change::Ensure { .. });
        let changes = std::slice::from_ref(change);
        Self { at, actor, note: None, expected: &[], changes, numbers_by_value: false, alone }
    }
}

/// The revision that a batch expects.
pub(crate) fn expected_revision(model: &Model, (of, id): KeyGiven, expected: Expected) -> u64 {
    let found = model.revision(&Key::new(of, id));
    match expected {
        Expected::Right => found,
        Expected::Absent => 0,
        Expected::Next => found + 1,
    }
}

pub(crate) fn not_found() -> Refusal {
    Refusal { code: 40404, violations: Vec::new(), moved: Vec::new(), text: String::new() }
}

pub(crate) fn refusal(mut violations: Vec<Violation>, moved: Vec<(Option<String>, u64, u64)>, alone: bool) -> Refusal {
    let code_of = |violation: &Violation| match violation.rule {
        Rule::NameUnique | Rule::Unique => 40002,
        Rule::Defined | Rule::Held => 40404,
        Rule::InUse => 40901,
        _ => 40000,
    };
    let code = match &violations[..] {
        [] => 40900,
        [first, rest @ ..] if rest.iter().all(|other| code_of(other) == code_of(first)) => code_of(first),
        _ => 40000,
    };
    if alone {
        violations.iter_mut().for_each(|violation| violation.place = None);
    }
    let moved = if violations.is_empty() { moved } else { Vec::new() };
    Refusal { code, violations, moved, text: String::new() }
}

/// A refusal of one thing outside any batch.
pub(crate) fn refused_alone(attribute: Option<&str>, fault: Fault) -> Refusal {
    refusal(vec![violation(None, None, attribute, fault)], Vec::new(), true)
}

pub(crate) fn violation(place: Option<usize>, key: Option<&Key>, attribute: Option<&str>, fault: Fault) -> Violation {
    let (entity, attribute) = (key.map(Key::to_string), attribute.map(str::to_owned));
    Violation { place, entity, attribute, rule: fault.rule, texts: fault.texts }
}
