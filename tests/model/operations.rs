//! Every operation that a host has, as data, and how they are drawn.

use custom_attributes::{DataType, DefinitionSpec, Direction, OrderBy, OrderField, Value};
use proptest::prelude::*;
use proptest::sample::select;

use crate::alphabet::{
    ACTORS, BAD_IDS, BAD_NAMES, BAD_TYPE, CUSTOMER, IDS, Id, NAMES, NOTE, NOTES, PATTERNS, TEXTS, TYPES, plain_values, values,
};

/// An entity as a host would name it.
pub(crate) type KeyGiven = (&'static str, Id);

/// One step of a declaration, or of its change.
#[derive(Debug, Clone)]
pub(crate) enum Touch {
    Rename(&'static str),
    Retype(DataType),
    Required(bool),
    Unique(bool),
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
    Alter { of: &'static str, name: &'static str, touches: Vec<Touch> },
    Delete { of: &'static str, name: &'static str, with_values: bool },
    Set { key: KeyGiven, name: &'static str, value: Value },
    SetText { key: KeyGiven, name: &'static str, text: &'static str },
    Clear { key: KeyGiven, name: &'static str },
    Move { key: KeyGiven, from: &'static str, to: &'static str },
    Save { key: KeyGiven, values: Vec<(&'static str, Value)> },
    Remove { key: KeyGiven },
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
}

/// The Rust type that a value is asked for as.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ReadAs {
    Value,
    Type(DataType),
    Byte,
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
    /// Declares for one type, by way of JSON, what another has.
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
    /// Entities in one call, and the reading of one name from each.
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
    /// Takes a snapshot and holds it.
    Hold,
    /// Closes the stores on disk and opens them again.
    Reopen,
}

fn data_type() -> impl Strategy<Value = DataType> {
    select(DataType::ALL.to_vec())
}

fn entity_type() -> impl Strategy<Value = &'static str> {
    prop_oneof![20 => select(&TYPES[..]), 1 => Just(BAD_TYPE)]
}

fn id() -> impl Strategy<Value = Id> {
    prop_oneof![30 => select(&IDS[..]), 1 => select(&BAD_IDS[..])]
}

fn key() -> impl Strategy<Value = KeyGiven> {
    (prop_oneof![30 => Just(CUSTOMER), 15 => Just(NOTE), 1 => Just(BAD_TYPE)], id())
}

fn name() -> impl Strategy<Value = &'static str> {
    home().prop_map(|(name, _)| name)
}

/// A name with its usual type; a name that nobody defines has any.
fn home() -> impl Strategy<Value = (&'static str, DataType)> {
    prop_oneof![24 => select(&NAMES[..]), 1 => (select(&BAD_NAMES[..]), data_type())]
}

/// A value of this type, which is mostly in order, or sometimes one of another.
fn value(data_type: DataType) -> BoxedStrategy<Value> {
    let wrong = self::data_type().prop_flat_map(|other| select(values(other)));
    prop_oneof![20 => select(plain_values(data_type)), 4 => select(values(data_type)), 1 => wrong].boxed()
}

/// The values of `note` are mostly text, for so its names define themselves.
fn name_and_value(of: &'static str) -> impl Strategy<Value = (&'static str, Value)> {
    home().prop_flat_map(move |(name, home)| {
        let data_type = if of == NOTE { DataType::String } else { home };
        (Just(name), value(data_type))
    })
}

fn touch(data_type: DataType) -> BoxedStrategy<Touch> {
    let some = move || value(data_type);
    let choices = move || prop::collection::vec(value(data_type), 0..=4);
    let documentation = prop_oneof![
        3 => select(vec!["money", "", "sixteen characte", "seventeen charact", "n\0ul"]).prop_map(Touch::Description),
        1 => select(vec!["group", "seventeen charact"]).prop_map(Touch::Group),
        1 => some().prop_map(Touch::Example),
        2 => select(vec!["billing", "crm"]).prop_map(Touch::UsedBy),
        2 => Just(Touch::NoDocumentation),
    ];
    let any = prop_oneof![
        4 => any::<bool>().prop_map(Touch::Required),
        6 => prop::bool::weighted(0.75).prop_map(Touch::Unique),
        2 => prop::option::of(some()).prop_map(Touch::Default),
        4 => documentation,
        2 => Just(Touch::NoRules),
        1 => Just(Touch::Choices(Vec::new())),
    ];
    let wild = prop_oneof![
        some().prop_map(|value| Touch::Minimum(Some(value))),
        choices().prop_map(Touch::Choices),
        select(&PATTERNS[..]).prop_map(|pattern| Touch::Pattern(Some(pattern))),
        select(vec![0, 29]).prop_map(|digits| Touch::FractionDigits(Some(digits))),
        Just(Touch::MaximumChars(Some(13))),
    ];
    let own = match data_type {
        DataType::String => prop_oneof![
            prop::option::of(0u32..4).prop_map(Touch::MinimumChars),
            prop::option::of(0u32..4).prop_map(Touch::MaximumChars),
            prop::option::of(select(&PATTERNS[..])).prop_map(Touch::Pattern),
            choices().prop_map(Touch::Choices),
        ]
        .boxed(),
        DataType::Boolean => some().prop_map(|value| Touch::Default(Some(value))).boxed(),
        ordered => {
            let digits = if ordered == DataType::Decimal { 2 } else { 0 };
            prop_oneof![
                3 => prop::option::of(some()).prop_map(Touch::Minimum),
                3 => prop::option::of(some()).prop_map(Touch::Maximum),
                3 => choices().prop_map(Touch::Choices),
                digits => prop::option::of(0u32..3).prop_map(Touch::FractionDigits),
            ]
            .boxed()
        }
    };
    prop_oneof![12 => any, 8 => own, 1 => wild].boxed()
}

fn spec() -> impl Strategy<Value = DefinitionSpec> {
    home().prop_flat_map(|(name, home)| {
        let data_type = prop_oneof![12 => Just(home), 1 => data_type()];
        let touches = prop_oneof![3 => Just(0usize..=0), 4 => Just(1..=1), 2 => Just(2..=3)]
            .prop_flat_map(move |count| prop::collection::vec(touch(home), count));
        (data_type, touches).prop_map(move |(data_type, touches)| touched(DefinitionSpec::new(name, data_type), &touches))
    })
}

fn alteration() -> impl Strategy<Value = Vec<Touch>> {
    let renames = name().prop_map(|name| vec![Touch::Rename(name)]);
    let retypes = data_type().prop_map(|data_type| vec![Touch::Retype(data_type)]);
    let touches = data_type().prop_flat_map(|data_type| prop::collection::vec(touch(data_type), 0..=2));
    prop_oneof![6 => renames, 1 => retypes, 10 => touches]
}

fn alter() -> impl Strategy<Value = Change> {
    let of_home = (entity_type(), home()).prop_flat_map(|(of, (name, home))| {
        let touches = prop::collection::vec(touch(home), 1..=2);
        touches.prop_map(move |touches| Change::Alter { of, name, touches })
    });
    let of_any = (entity_type(), name(), alteration()).prop_map(|(of, name, touches)| Change::Alter { of, name, touches });
    prop_oneof![2 => of_home, 1 => of_any]
}

fn change() -> BoxedStrategy<Change> {
    let set = key().prop_flat_map(|key| name_and_value(key.0).prop_map(move |(name, value)| Change::Set { key, name, value }));
    let save = key().prop_flat_map(|key| {
        let values = prop::collection::vec(name_and_value(key.0), 0..=4);
        values.prop_map(move |values| Change::Save { key, values })
    });
    prop_oneof![
        4 => (entity_type(), spec()).prop_map(|(of, spec)| Change::Define { of, spec }),
        2 => (entity_type(), spec()).prop_map(|(of, spec)| Change::Ensure { of, spec }),
        4 => alter(),
        2 => (entity_type(), name(), any::<bool>()).prop_map(|(of, name, with_values)| Change::Delete { of, name, with_values }),
        12 => set,
        3 => (key(), name(), select(&TEXTS[..])).prop_map(|(key, name, text)| Change::SetText { key, name, text }),
        4 => (key(), name()).prop_map(|(key, name)| Change::Clear { key, name }),
        3 => (key(), name(), name()).prop_map(|(key, from, to)| Change::Move { key, from, to }),
        3 => save,
        2 => key().prop_map(|key| Change::Remove { key }),
    ]
    .boxed()
}

fn actor() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![6 => Just(None), 12 => select(&ACTORS[..2]).prop_map(Some), 1 => select(&ACTORS[..]).prop_map(Some)]
}

fn batch() -> impl Strategy<Value = BatchGiven> {
    let note = prop_oneof![12 => Just(None), 4 => Just(Some(NOTES[0])), 1 => select(&NOTES[..]).prop_map(Some)];
    let expected = prop_oneof![10 => Just(Expected::Right), 1 => Just(Expected::Absent), 1 => Just(Expected::Next)];
    let expected = prop_oneof![3 => Just(0usize), 1 => Just(1), 1 => Just(2)]
        .prop_flat_map(move |count| prop::collection::vec((key(), expected.clone()), count));
    (actor(), note, expected, prop::collection::vec(change(), 0..=6)).prop_map(|(actor, note, expected, changes)| BatchGiven {
        actor,
        note,
        expected,
        changes,
    })
}

fn order_by() -> impl Strategy<Value = OrderBy> {
    let field = select(vec![OrderField::Name, OrderField::Created, OrderField::Modified]);
    (field, any::<bool>()).prop_map(|(field, descending)| {
        let direction = if descending { Direction::Descending } else { Direction::Ascending };
        OrderBy { field, direction }
    })
}

fn reading() -> BoxedStrategy<Operation> {
    let read_as = prop_oneof![2 => Just(ReadAs::Value), 4 => data_type().prop_map(ReadAs::Type), 1 => Just(ReadAs::Byte)];
    let list = (entity_type(), select(vec![1usize, 2, 3, 100, 1000, 0, 1001]), 0usize..4, order_by(), any::<bool>());
    let listed = |(of, limit, page, order_by, with_total)| Operation::List { of, limit, page, order_by, with_total };
    let entities = (entity_type(), prop::collection::vec(id(), 0..=4), name());
    prop_oneof![
        4 => (key(), name(), read_as).prop_map(|(key, name, read_as)| Operation::Get { key, name, read_as }),
        2 => (key(), name()).prop_map(|(key, name)| Operation::Reading { key, name }),
        3 => entities.prop_map(|(of, ids, name)| Operation::Entities { of, ids, name }),
        1 => key().prop_map(|key| Operation::Revision { key }),
        2 => key().prop_map(|key| Operation::Details { key }),
        1 => (entity_type(), name()).prop_map(|(of, name)| Operation::Definition { of, name }),
        2 => list.prop_map(listed),
        1 => entity_type().prop_map(|of| Operation::Export { of }),
        1 => (1u32..5, 1u32..7).prop_map(|(ordinal, definition)| Operation::GetById { ordinal, definition }),
    ]
    .boxed()
}

fn operation() -> BoxedStrategy<Operation> {
    let by_id = || (1u32..4, 1u32..6);
    let set_by_id = (by_id(), data_type().prop_flat_map(value));
    prop_oneof![
        2 => prop_oneof![8 => 1i64..3, 1 => Just(-5i64), 1 => Just(86_400_000_000i64)].prop_map(Operation::Clock),
        10 => batch().prop_map(Operation::Commit),
        2 => batch().prop_map(Operation::Check),
        14 => (actor(), change()).prop_map(|(actor, change)| Operation::Single { actor, change }),
        1 => (entity_type(), prop::collection::vec(spec(), 0..=3)).prop_map(|(of, specs)| Operation::Ensure { of, specs }),
        1 => (entity_type(), entity_type()).prop_map(|(from, of)| Operation::Import { from, of }),
        2 => set_by_id.prop_map(|((ordinal, definition), value)| Operation::SetById { ordinal, definition, value }),
        1 => by_id().prop_map(|(ordinal, definition)| Operation::ClearById { ordinal, definition }),
        9 => reading(),
        1 => Just(Operation::Hold),
        1 => Just(Operation::Reopen),
    ]
    .boxed()
}

/// A sequence: mostly with a few definitions to begin with, so that what follows has something to work on.
pub(crate) fn sequence(longest: usize) -> impl Strategy<Value = Vec<Operation>> {
    let declared = prop::collection::vec(spec(), 2..=5);
    let beginning = declared.prop_map(|specs| {
        let one = |spec| Operation::Single { actor: None, change: Change::Define { of: CUSTOMER, spec } };
        specs.into_iter().map(one).collect::<Vec<_>>()
    });
    let beginning = prop_oneof![4 => beginning, 1 => Just(Vec::new())];
    (beginning, prop::collection::vec(operation(), 1..=longest)).prop_map(|(mut all, rest)| {
        all.extend(rest);
        all
    })
}
