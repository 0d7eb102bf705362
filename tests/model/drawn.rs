//! How operations are drawn: by plain functions, from bytes that proptest draws and shrinks.
//!
//! A strategy for every part would cost more than the stores take to answer. A smaller byte chooses an earlier alternative,
//! and the earlier ones are the simpler ones, so that shrunk bytes are simpler operations.

use custom_attributes::{DataType, DefinitionSpec, Direction, Offending, OrderBy, OrderField, Value};
use proptest::prelude::*;

use crate::alphabet::{
    ACTORS, BAD_IDS, BAD_NAMES, BAD_TYPE, CUSTOMER, FEW_IDS, FEW_NAMES, IDS, Id, NAMES, NOTE, NOTES, PATTERNS, TEXTS, TYPES,
    plain_values, values,
};
use crate::operations::{
    Ago, Asking, BatchGiven, Change, Expected, KeyGiven, Operation, Question, ReadAs, Search, Touch, Wanted, touched,
};

/// How many bytes an operation has; a larger one goes on with zeros.
const BYTES: usize = 96;

/// A sequence: mostly with a few definitions to begin with, so that what follows has something to work on.
pub(crate) fn sequence(longest: usize) -> impl Strategy<Value = Vec<Operation>> {
    let bytes = || prop::collection::vec(any::<u8>(), BYTES);
    let beginning = prop_oneof![4 => prop::collection::vec(bytes(), 2..=5), 1 => Just(Vec::new())];
    (any::<bool>(), beginning, prop::collection::vec(bytes(), 1..=longest)).prop_map(|(is_dense, beginning, rest)| {
        let first = beginning.iter().map(|bytes| Draw { rest: bytes, is_dense });
        let rest = rest.iter().map(|bytes| operation(&mut Draw { rest: bytes, is_dense }));
        if is_dense {
            // Bytes that were not drawn are those of the simplest.
            let mut first = first.chain(std::iter::repeat_with(|| Draw { rest: &[], is_dense }));
            let defined: Vec<_> = FEW_NAMES.iter().zip(&mut first).map(|(few, mut draw)| spec_of(&mut draw, *few)).collect();
            let filled = first.next().map(|mut draw| scenes::filling(&mut draw));
            return defined.into_iter().map(define).chain(filled).chain(rest).collect();
        }
        first.map(|mut draw| define(spec(&mut draw))).chain(rest).collect()
    })
}

fn define(spec: DefinitionSpec) -> Operation {
    Operation::Single { actor: None, change: Change::Define { of: CUSTOMER, spec } }
}

/// The bytes that are left to choose by.
struct Draw<'a> {
    rest: &'a [u8],
    /// Few names of few entities, so that most changes have a past to undo and values to convert.
    is_dense: bool,
}

impl Draw<'_> {
    /// A number from 0, below this one, which is at most 256.
    fn below(&mut self, end: usize) -> usize {
        let byte = self.rest.split_off_first().copied().unwrap_or_default();
        usize::from(byte) * end / 256
    }

    fn small(&mut self, end: u32) -> u32 {
        u32::try_from(self.below(end as usize)).expect("it is below 256")
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    fn truth(&mut self) -> bool {
        self.below(2) == 1
    }

    fn maybe<T>(&mut self, some: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.truth() { Some(some(self)) } else { None }
    }

    fn many<T>(&mut self, least: usize, most: usize, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = least + self.below(most - least + 1);
        (0..count).map(|_| one(self)).collect()
    }
}

/// One of the alternatives, each as often as its weight says.
macro_rules! one_of {
    ($draw:ident, $($weight:expr => $alternative:expr),+ $(,)?) => {{
        let mut left = $draw.below(0 $(+ $weight)+);
        'chosen: {
            $(
                if left < $weight {
                    break 'chosen ($alternative);
                }
                left -= $weight;
            )+
            unreachable!("{left} beyond all weights")
        }
    }};
}

mod scenes;

fn data_type(draw: &mut Draw<'_>) -> DataType {
    draw.one(&DataType::ALL)
}

fn entity_type(draw: &mut Draw<'_>) -> &'static str {
    let of_any = if draw.is_dense { 1 } else { 20 };
    one_of!(draw, 20 - of_any => CUSTOMER, of_any => draw.one(&TYPES), 1 => BAD_TYPE)
}

fn id(draw: &mut Draw<'_>) -> Id {
    one_of!(draw, 30 => if draw.is_dense { draw.one(&FEW_IDS) } else { draw.one(&IDS) }, 1 => draw.one(&BAD_IDS))
}

fn key(draw: &mut Draw<'_>) -> KeyGiven {
    let notes = if draw.is_dense { 2 } else { 15 };
    (one_of!(draw, 30 => CUSTOMER, notes => NOTE, 1 => BAD_TYPE), id(draw))
}

/// A name with its usual type; a name that nobody defines has any.
fn home(draw: &mut Draw<'_>) -> Home {
    one_of!(draw, 24 => if draw.is_dense { draw.one(&FEW_NAMES) } else { draw.one(&NAMES) }, 1 => (draw.one(&BAD_NAMES), data_type(draw)))
}

fn name(draw: &mut Draw<'_>) -> &'static str {
    home(draw).0
}

/// A value of this type, which is mostly in order, or sometimes one of another.
fn value(draw: &mut Draw<'_>, data_type: DataType) -> Value {
    one_of!(draw,
        20 => draw.one(plain_values(data_type)),
        4 => draw.one(values(data_type)),
        1 => {
            let other = self::data_type(draw);
            draw.one(values(other))
        },
    )
}

/// The values of `note` are mostly text, for so its names define themselves.
fn name_and_value(draw: &mut Draw<'_>, of: &str) -> (&'static str, Value) {
    let (name, home) = home(draw);
    (name, value(draw, if of == NOTE { DataType::String } else { home }))
}

fn touch(draw: &mut Draw<'_>, data_type: DataType) -> Touch {
    one_of!(draw, 12 => touch_of_any(draw, data_type), 8 => touch_of(draw, data_type), 1 => wild_touch(draw, data_type))
}

fn touch_of_any(draw: &mut Draw<'_>, data_type: DataType) -> Touch {
    one_of!(draw,
        4 => Touch::Required(draw.truth()),
        6 => Touch::Unique(draw.below(4) < 3),
        2 => Touch::Searchable(draw.below(3) < 2),
        2 => Touch::Default(draw.maybe(|draw| value(draw, data_type))),
        4 => documentation(draw, data_type),
        2 => Touch::NoRules,
        1 => Touch::Choices(Vec::new()),
    )
}

fn documentation(draw: &mut Draw<'_>, data_type: DataType) -> Touch {
    one_of!(draw,
        3 => Touch::Description(draw.one(&["money", "", "sixteen characte", "seventeen charact", "n\0ul"])),
        1 => Touch::Group(draw.one(&["group", "seventeen charact"])),
        1 => Touch::Example(value(draw, data_type)),
        2 => Touch::UsedBy(draw.one(&["billing", "crm"])),
        2 => Touch::NoDocumentation,
    )
}

/// What makes sense for the type.
fn touch_of(draw: &mut Draw<'_>, data_type: DataType) -> Touch {
    match data_type {
        DataType::String => one_of!(draw,
            1 => Touch::MinimumChars(draw.maybe(|draw| draw.small(4))),
            1 => Touch::MaximumChars(draw.maybe(|draw| draw.small(4))),
            1 => Touch::Pattern(draw.maybe(|draw| draw.one(&PATTERNS))),
            1 => choices(draw, data_type),
        ),
        DataType::Boolean => Touch::Default(Some(value(draw, data_type))),
        ordered => {
            let digits = if ordered == DataType::Decimal { 2 } else { 0 };
            one_of!(draw,
                3 => Touch::Minimum(draw.maybe(|draw| value(draw, data_type))),
                3 => Touch::Maximum(draw.maybe(|draw| value(draw, data_type))),
                3 => choices(draw, data_type),
                digits => Touch::FractionDigits(draw.maybe(|draw| draw.small(3))),
            )
        }
    }
}

/// What may make none.
fn wild_touch(draw: &mut Draw<'_>, data_type: DataType) -> Touch {
    one_of!(draw,
        1 => Touch::Minimum(Some(value(draw, data_type))),
        1 => choices(draw, data_type),
        1 => Touch::Pattern(Some(draw.one(&PATTERNS))),
        1 => Touch::FractionDigits(Some(draw.one(&[0, 29]))),
        1 => Touch::MaximumChars(Some(13)),
    )
}

fn choices(draw: &mut Draw<'_>, data_type: DataType) -> Touch {
    Touch::Choices(draw.many(0, 4, |draw| value(draw, data_type)))
}

fn spec(draw: &mut Draw<'_>) -> DefinitionSpec {
    let named = home(draw);
    spec_of(draw, named)
}

fn spec_of(draw: &mut Draw<'_>, (name, home): Home) -> DefinitionSpec {
    let data_type = one_of!(draw, 12 => home, 1 => data_type(draw));
    let plain = if draw.is_dense { 12 } else { 3 };
    let touches = one_of!(draw, plain => 0, 4 => 1, 2 => 2 + draw.below(2));
    touched(DefinitionSpec::new(name, data_type), &draw.many(touches, touches, |draw| touch(draw, home)))
}

fn alteration(draw: &mut Draw<'_>) -> Change {
    let of = entity_type(draw);
    one_of!(draw,
        2 => {
            let (name, home) = home(draw);
            Change::Alter { of, name, touches: draw.many(1, 2, |draw| touch(draw, home)) }
        },
        1 => Change::Alter { of, name: name(draw), touches: any_touches(draw) },
    )
}

fn any_touches(draw: &mut Draw<'_>) -> Vec<Touch> {
    one_of!(draw,
        6 => vec![Touch::Rename(name(draw))],
        1 => vec![Touch::Retype(data_type(draw))],
        10 => {
            let data_type = data_type(draw);
            draw.many(0, 2, |draw| touch(draw, data_type))
        },
    )
}

/// To another type mostly, without the rules of the old one.
fn conversion(draw: &mut Draw<'_>) -> (&'static str, Vec<Touch>) {
    let ((name, home), data_type) = (home(draw), data_type(draw));
    let mut touches = one_of!(draw,
        8 => vec![Touch::NoRules, Touch::NoDocumentation, Touch::Retype(data_type)],
        2 => vec![Touch::Retype(data_type)],
        1 => vec![Touch::NoRules, Touch::Retype(home)],
        2 => Vec::new(),
    );
    let last = if touches.is_empty() { home } else { data_type };
    touches.extend(draw.many(0, 2, |draw| touch(draw, last)));
    (name, touches)
}

fn change(draw: &mut Draw<'_>) -> Change {
    let (sets, conversions, deletions) = if draw.is_dense { (40, 8, 5) } else { (12, 2, 2) };
    one_of!(draw,
        sets => {
            let key = key(draw);
            let (name, value) = name_and_value(draw, key.0);
            Change::Set { key, name, value }
        },
        4 => Change::Define { of: entity_type(draw), spec: spec(draw) },
        2 => Change::Ensure { of: entity_type(draw), spec: spec(draw) },
        2 => {
            let offending = draw.one(&[Offending::Refuse, Offending::Clear]);
            Change::Declare { of: entity_type(draw), spec: spec(draw), offending }
        },
        4 => alteration(draw),
        conversions => {
            let (name, touches) = conversion(draw);
            let offending = draw.one(&[Offending::Refuse, Offending::Clear]);
            Change::Convert { of: entity_type(draw), name, touches, offending }
        },
        2 => {
            let offending = draw.one(&[Offending::Refuse, Offending::Clear]);
            Change::Merge { of: entity_type(draw), from: name(draw), into: name(draw), offending }
        },
        2 => Change::Split { of: entity_type(draw), from: name(draw), into: name(draw) },
        deletions => Change::Delete { of: entity_type(draw), name: name(draw), with_values: draw.truth() },
        3 => Change::SetText { key: key(draw), name: name(draw), text: draw.one(&TEXTS) },
        4 => Change::Clear { key: key(draw), name: name(draw) },
        3 => Change::Move { key: key(draw), from: name(draw), to: name(draw) },
        3 => {
            let key = key(draw);
            Change::Save { key, values: draw.many(0, 4, |draw| name_and_value(draw, key.0)) }
        },
        2 => Change::Remove { key: key(draw) },
    )
}

fn actor(draw: &mut Draw<'_>) -> Option<&'static str> {
    one_of!(draw, 6 => None, 12 => Some(draw.one(&ACTORS[..2])), 1 => Some(draw.one(&ACTORS)))
}

fn batch(draw: &mut Draw<'_>) -> BatchGiven {
    let actor = actor(draw);
    let note = one_of!(draw, 12 => None, 4 => Some(NOTES[0]), 1 => Some(draw.one(&NOTES)));
    let expected = one_of!(draw, 3 => 0, 1 => 1, 1 => 2);
    let expected = draw.many(expected, expected, |draw| {
        (key(draw), one_of!(draw, 10 => Expected::Right, 1 => Expected::Absent, 1 => Expected::Next))
    });
    let changes = draw.many(0, if draw.is_dense { 4 } else { 6 }, change);
    BatchGiven { actor, note, expected, changes, numbers_by_value: draw.truth() }
}

fn order_by(draw: &mut Draw<'_>) -> OrderBy {
    OrderBy {
        field: draw.one(&[OrderField::Name, OrderField::Created, OrderField::Modified]),
        direction: draw.one(&[Direction::Ascending, Direction::Descending]),
    }
}

fn reading(draw: &mut Draw<'_>) -> Operation {
    one_of!(draw,
        4 => Operation::Get {
            key: key(draw),
            name: name(draw),
            read_as: one_of!(draw, 2 => ReadAs::Value, 4 => ReadAs::Type(data_type(draw)), 1 => ReadAs::Byte),
        },
        2 => Operation::Reading { key: key(draw), name: name(draw) },
        3 => Operation::Entities { of: entity_type(draw), ids: draw.many(0, 4, id), name: name(draw) },
        1 => Operation::Revision { key: key(draw) },
        2 => Operation::Details { key: key(draw) },
        1 => Operation::Definition { of: entity_type(draw), name: name(draw) },
        2 => Operation::List {
            of: entity_type(draw),
            limit: draw.one(&[1, 2, 3, 100, 1000, 0, 1001]),
            page: draw.below(4),
            order_by: order_by(draw),
            with_total: draw.truth(),
        },
        1 => Operation::Export { of: entity_type(draw) },
        1 => Operation::GetById { ordinal: 1 + draw.small(4), definition: 1 + draw.small(6) },
    )
}

fn asking(draw: &mut Draw<'_>, home: DataType) -> Asking {
    let ordering = ["=", "!=", "<", "<=", ">", ">="];
    let of_text = ["~=", "starts with", "ends with", "contains"];
    one_of!(draw,
        12 => Asking::Compare(draw.one(&ordering), value(draw, home)),
        2 => Asking::Between(value(draw, home), value(draw, home)),
        3 => Asking::In(draw.many(0, 3, |draw| value(draw, home))),
        2 => Asking::Exists,
        2 => Asking::NotExists,
        4 => {
            let comparison = draw.one(&of_text);
            Asking::Compare(comparison, value(draw, DataType::String))
        },
    )
}

type Home = (&'static str, DataType);

fn question(draw: &mut Draw<'_>, names: &[Home], depth: usize) -> Question {
    if depth == 0 {
        let (name, home) = draw.one(names);
        return Question::Test(name, asking(draw, home));
    }
    one_of!(draw,
        6 => question(draw, names, 0),
        2 => Question::Not(Box::new(question(draw, names, depth - 1))),
        2 => Question::And(draw.many(2, 3, |draw| question(draw, names, depth - 1))),
        2 => Question::Or(draw.many(2, 3, |draw| question(draw, names, depth - 1))),
    )
}

/// About two names at most: a question of many is mostly refused, for one of them is not defined.
fn finding(draw: &mut Draw<'_>) -> Operation {
    let of = one_of!(draw, 6 => CUSTOMER, 1 => entity_type(draw));
    let names = draw.many(1, 2, home);
    let question = one_of!(draw, 4 => Some(question(draw, &names, 2)), 1 => None);
    one_of!(draw,
        3 => {
            let order = draw.many(0, 2, |draw| (draw.one(&names).0, draw.one(&[Direction::Ascending, Direction::Descending])));
            Operation::Find(Search { of, question, order, limit: draw.one(&[1, 2, 3, 100]), with_defaults: draw.truth() })
        },
        1 => Operation::Facets { of, question, with_defaults: draw.truth(), name: draw.one(&names).0 },
    )
}

/// Mostly one of the last: what is older was changed again.
fn ago(draw: &mut Draw<'_>) -> Ago {
    Ago(one_of!(draw, 8 => 0, 8 => i64::from(draw.small(4)), 4 => i64::from(draw.small(12)), 1 => -1))
}

fn wanted(draw: &mut Draw<'_>) -> Wanted {
    one_of!(draw,
        6 => Wanted::Undo(ago(draw)),
        5 => Wanted::Entity(key(draw), ago(draw)),
        2 => Wanted::Value { ordinal: 1 + draw.small(3), definition: 1 + draw.small(5), ago: ago(draw) },
        2 => Wanted::Definition(draw.small(6)),
    )
}

fn restoring(draw: &mut Draw<'_>) -> Operation {
    let (wanted, note) = (wanted(draw), one_of!(draw, 12 => NOTES[0], 1 => draw.one(&NOTES)));
    one_of!(draw,
        5 => Operation::Restore { wanted, actor: actor(draw), note, meanwhile: None },
        1 => Operation::Restore { wanted, actor: actor(draw), note, meanwhile: Some(change(draw)) },
        1 => Operation::CheckRestore { wanted, note },
    )
}

fn reading_past(draw: &mut Draw<'_>) -> Operation {
    let (ago, key, names) = (ago(draw), key(draw), draw.many(1, 2, home));
    let name = draw.one(&names).0;
    Operation::ReadPast { ago, key, name, question: draw.maybe(|draw| question(draw, &names, 1)) }
}

fn change_report(draw: &mut Draw<'_>) -> Operation {
    let (name, touches) = conversion(draw);
    Operation::ChangeReport { of: entity_type(draw), name, touches }
}

fn dense_operation(draw: &mut Draw<'_>) -> Operation {
    one_of!(draw,
        14 => Operation::Single { actor: actor(draw), change: change(draw) },
        8 => Operation::Commit(batch(draw)),
        3 => scenes::filling(draw),
        2 => scenes::refilling(draw),
        4 => scenes::requiring(draw),
        3 => scenes::tightening(draw),
        2 => scenes::splitting(draw),
        3 => scenes::rewriting(draw),
        1 => Operation::Check(batch(draw)),
        10 => restoring(draw),
        3 => reading_past(draw),
        4 => change_report(draw),
        3 => finding(draw),
        2 => reading(draw),
        1 => Operation::Clock(1),
        1 => Operation::Hold,
        1 => Operation::Reopen,
    )
}

fn operation(draw: &mut Draw<'_>) -> Operation {
    if draw.is_dense {
        return dense_operation(draw);
    }
    one_of!(draw,
        14 => Operation::Single { actor: actor(draw), change: change(draw) },
        10 => Operation::Commit(batch(draw)),
        2 => Operation::Check(batch(draw)),
        2 => Operation::Clock(one_of!(draw, 4 => 1, 4 => 2, 2 => -5, 1 => 86_400_000_000, 1 => -200_000_000_000)),
        1 => Operation::Ensure { of: entity_type(draw), specs: draw.many(0, 3, spec) },
        1 => Operation::Import { from: entity_type(draw), of: entity_type(draw) },
        2 => {
            let (ordinal, definition, data_type) = (1 + draw.small(3), 1 + draw.small(5), data_type(draw));
            Operation::SetById { ordinal, definition, value: value(draw, data_type) }
        },
        1 => Operation::ClearById { ordinal: 1 + draw.small(3), definition: 1 + draw.small(5) },
        9 => reading(draw),
        8 => finding(draw),
        2 => restoring(draw),
        1 => reading_past(draw),
        1 => change_report(draw),
        1 => Operation::Hold,
        1 => Operation::Reopen,
    )
}
