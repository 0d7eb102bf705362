//! Every operation that a host has, as data.

use custom_attributes::{DataType, DefinitionSpec, Direction, Offending, OrderBy, Value};

use crate::alphabet::Id;
use crate::reference::Model;

/// An entity as a host would name it.
pub(crate) type KeyGiven = (&'static str, Id);

/// One step of a declaration, or of its change.
#[derive(Debug, Clone)]
pub(crate) enum Touch {
    Rename(&'static str),
    Retype(DataType),
    Required(bool),
    Unique(bool),
    Searchable(bool),
    Default(Option<Value>),
    Minimum(Option<Value>),
    Maximum(Option<Value>),
    MinimumChars(Option<u32>),
    MaximumChars(Option<u32>),
    FractionDigits(Option<u32>),
    Pattern(Option<&'static str>),
    Choices(Vec<Value>),
    Description(&'static str),
    Group(&'static str),
    Example(Value),
    UsedBy(&'static str),
    NoDocumentation,
    NoRules,
}

/// What the touches make of a declaration.
pub(crate) fn touched(mut spec: DefinitionSpec, touches: &[Touch]) -> DefinitionSpec {
    for touch in touches.iter().cloned() {
        match touch {
            Touch::Rename(name) => name.clone_into(&mut spec.name),
            Touch::Retype(data_type) => spec.data_type = data_type,
            Touch::Required(required) => spec.rules.required = required,
            Touch::Unique(unique) => spec.rules.unique = unique,
            Touch::Searchable(searchable) => spec.searchable = searchable,
            Touch::Default(value) => spec.rules.default = value,
            Touch::Minimum(value) => spec.rules.minimum = value,
            Touch::Maximum(value) => spec.rules.maximum = value,
            Touch::MinimumChars(chars) => spec.rules.minimum_chars = chars,
            Touch::MaximumChars(chars) => spec.rules.maximum_chars = chars,
            Touch::FractionDigits(digits) => spec.rules.fraction_digits = digits,
            Touch::Pattern(pattern) => spec.rules.pattern = pattern.map(str::to_owned),
            Touch::Choices(choices) => spec.rules.choices = choices,
            Touch::Description(text) => spec.documentation.description = Some(text.to_owned()),
            Touch::Group(text) => spec.documentation.group = Some(text.to_owned()),
            Touch::Example(value) => spec.documentation.examples.push(value),
            Touch::UsedBy(system) => spec.documentation.used_by.push(system.to_owned()),
            Touch::NoDocumentation => spec.documentation = custom_attributes::Documentation::default(),
            Touch::NoRules => spec.rules = custom_attributes::Rules::default(),
        }
    }
    spec
}

/// One change.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Define { of: &'static str, spec: DefinitionSpec },
    Ensure { of: &'static str, spec: DefinitionSpec },
    Declare { of: &'static str, spec: DefinitionSpec, offending: Offending },
    Alter { of: &'static str, name: &'static str, touches: Vec<Touch> },
    Convert { of: &'static str, name: &'static str, touches: Vec<Touch>, offending: Offending },
    Delete { of: &'static str, name: &'static str, with_values: bool },
    Merge { of: &'static str, from: &'static str, into: &'static str, offending: Offending },
    Split { of: &'static str, from: &'static str, into: &'static str },
    Set { key: KeyGiven, name: &'static str, value: Value },
    SetText { key: KeyGiven, name: &'static str, text: &'static str },
    Clear { key: KeyGiven, name: &'static str },
    Move { key: KeyGiven, from: &'static str, to: &'static str },
    Save { key: KeyGiven, values: Vec<(&'static str, Value)> },
    Remove { key: KeyGiven },
}

/// A commit, counted back from the last; one after the last is not yet done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ago(pub(crate) i64);

impl Ago {
    pub(crate) fn commit(self, model: &Model) -> u64 {
        let last = i64::try_from(model.commits.len()).expect("there are few");
        (last - self.0).max(0).unsigned_abs()
    }
}

/// What is to be brought back.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    Undo(Ago),
    Entity(KeyGiven, Ago),
    Value { ordinal: u32, definition: u32, ago: Ago },
    Definition(u32),
}

/// The revision that a batch expects, seen from the one that the entity is at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    Right,
    Absent,
    Next,
}

#[derive(Debug, Clone)]
pub(crate) struct BatchGiven {
    pub(crate) actor: Option<&'static str>,
    pub(crate) note: Option<&'static str>,
    pub(crate) expected: Vec<(KeyGiven, Expected)>,
    pub(crate) changes: Vec<Change>,
    pub(crate) numbers_by_value: bool,
}

/// The Rust type that a value is asked for as.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ReadAs {
    Value,
    Type(DataType),
    Byte,
}

/// What is asked of one attribute.
#[derive(Debug, Clone)]
pub(crate) enum Asking {
    Compare(&'static str, Value),
    Between(Value, Value),
    In(Vec<Value>),
    Exists,
    NotExists,
}

/// A filter as it is thought of.
#[derive(Debug, Clone)]
pub(crate) enum Question {
    Test(&'static str, Asking),
    Not(Box<Question>),
    And(Vec<Question>),
    Or(Vec<Question>),
}

#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) of: &'static str,
    pub(crate) question: Option<Question>,
    pub(crate) order: Vec<(&'static str, Direction)>,
    pub(crate) limit: usize,
    pub(crate) with_defaults: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Operation {
    /// Moves the clock.
    Clock(i64),
    Commit(BatchGiven),
    /// Asks what a batch would do.
    Check(BatchGiven),
    /// One change by the handle of its entity type.
    Single {
        actor: Option<&'static str>,
        change: Change,
    },
    Ensure {
        of: &'static str,
        specs: Vec<DefinitionSpec>,
    },
    /// Makes for one type, by way of JSON, exactly the definitions that another has.
    Import {
        from: &'static str,
        of: &'static str,
    },
    Export {
        of: &'static str,
    },
    SetById {
        ordinal: u32,
        definition: u32,
        value: Value,
    },
    ClearById {
        ordinal: u32,
        definition: u32,
    },
    GetById {
        ordinal: u32,
        definition: u32,
    },
    Get {
        key: KeyGiven,
        name: &'static str,
        read_as: ReadAs,
    },
    Reading {
        key: KeyGiven,
        name: &'static str,
    },
    /// Entities in one call, with their defaults and without, and the reading of one name from each.
    Entities {
        of: &'static str,
        ids: Vec<Id>,
        name: &'static str,
    },
    Revision {
        key: KeyGiven,
    },
    Details {
        key: KeyGiven,
    },
    Definition {
        of: &'static str,
        name: &'static str,
    },
    List {
        of: &'static str,
        limit: usize,
        page: usize,
        order_by: OrderBy,
        with_total: bool,
    },
    /// Turns all pages of a query.
    Find(Search),
    Facets {
        of: &'static str,
        question: Option<Question>,
        with_defaults: bool,
        name: &'static str,
    },
    /// Asks what a change of a definition would mean.
    ChangeReport {
        of: &'static str,
        name: &'static str,
        touches: Vec<Touch>,
    },
    ReadPast {
        ago: Ago,
        key: KeyGiven,
        name: &'static str,
        question: Option<Question>,
    },
    /// Makes a batch that brings something back, and commits it: at once, or when something else was done.
    Restore {
        wanted: Wanted,
        actor: Option<&'static str>,
        note: &'static str,
        meanwhile: Option<Change>,
    },
    /// The same, which is only asked what it would do.
    CheckRestore {
        wanted: Wanted,
        note: &'static str,
    },
    /// Takes a snapshot and holds it.
    Hold,
    /// Closes the stores on disk and opens them again.
    Reopen,
}
