//! Few names, ids, values and texts, so that what is drawn at random meets again and again.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::NaiveDate;
use custom_attributes::{DataType, EntityId, EntityType, Error, IntoEntityId, Limits, Undefined, Value};
use rust_decimal::Decimal;

/// Its names must be defined.
pub(crate) const CUSTOMER: &str = "customer";
/// Its names define themselves.
pub(crate) const NOTE: &str = "note";
pub(crate) static TYPES: [&str; 2] = [CUSTOMER, NOTE];
pub(crate) const BAD_TYPE: &str = "2nd";

pub(crate) const NAME_CHARS: usize = 10;
pub(crate) const STRING_CHARS: usize = 12;
pub(crate) const CHOICES: usize = 3;
pub(crate) const DOCUMENTATION_CHARS: usize = 16;
pub(crate) const DOCUMENTATION_ITEMS: usize = 2;
pub(crate) const COMMIT_CHARS: usize = 8;
pub(crate) const UNDEFINED_CHARS: u32 = 6;

/// Low limits, so that few characters reach them.
pub(crate) fn limits() -> Limits {
    let mut limits = Limits::typed();
    limits.name_chars = NAME_CHARS;
    limits.string_chars = STRING_CHARS;
    limits.choices = CHOICES;
    limits.documentation_chars = DOCUMENTATION_CHARS;
    limits.documentation_items = DOCUMENTATION_ITEMS;
    limits.commit_chars = COMMIT_CHARS;
    let note = EntityType::new(NOTE).expect("it is well formed");
    limits.undefined_of = BTreeMap::from([(note, Undefined::DefineAsString { max_chars: UNDEFINED_CHARS })]);
    limits
}

/// Names, in several spellings, each with the type that definitions and values of it mostly have.
pub(crate) static NAMES: [(&str, DataType); 14] = [
    ("tier", DataType::String),
    ("Tier", DataType::String),
    ("straße", DataType::String),
    ("STRASSE", DataType::String),
    ("Straẞe", DataType::String),
    ("k", DataType::Integer),
    ("\u{212A}", DataType::Integer),
    ("limit", DataType::Decimal),
    (" LIMIT ", DataType::Decimal),
    ("é", DataType::Date),
    ("e\u{301}", DataType::Date),
    ("flag", DataType::Boolean),
    ("ΟΔΟΣ", DataType::Integer),
    ("οδος", DataType::Integer),
];

/// Fewer of them.
pub(crate) static FEW_NAMES: [(&str, DataType); 4] =
    [("tier", DataType::String), ("k", DataType::Integer), ("limit", DataType::Decimal), ("flag", DataType::Boolean)];

pub(crate) static BAD_NAMES: [&str; 6] = ["", "  ", "a\u{200b}b", "{x}", "elevenchars", "nobody"];

/// A key for each name of the alphabet, from a table of its own.
pub(crate) fn folded(name: &str) -> String {
    let mut key = String::new();
    for c in name.trim().chars() {
        match c {
            'ß' | 'ẞ' => key.push_str("ss"),
            '\u{212A}' => key.push('k'),
            'Ο' => key.push('ο'),
            'Δ' => key.push('δ'),
            'Σ' | 'ς' => key.push('σ'),
            '\u{301}' => {
                assert_eq!(key.pop(), Some('e'));
                key.push('é');
            }
            other => key.push(other.to_ascii_lowercase()),
        }
    }
    key
}

/// The name as it is kept: trimmed and composed.
pub(crate) fn displayed(name: &str) -> String {
    name.trim().replace("e\u{301}", "é").replace('\u{212a}', "K")
}

/// An id as a host would give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Id {
    Integer(i64),
    Text(&'static str),
}

pub(crate) static IDS: [Id; 7] =
    [Id::Integer(7), Id::Text("7"), Id::Text("007"), Id::Integer(-1), Id::Text("x"), Id::Text("X"), Id::Integer(i64::MAX)];
pub(crate) static FEW_IDS: [Id; 3] = [Id::Integer(7), Id::Integer(-1), Id::Text("x")];
pub(crate) static BAD_IDS: [Id; 2] = [Id::Text(""), Id::Text("a\nb")];

impl Id {
    /// The text says all: an integer is the same id as the text that it is written as.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Integer(number) => number.to_string(),
            Self::Text(text) => text.to_owned(),
        }
    }

    pub(crate) fn is_good(self) -> bool {
        !matches!(self, Self::Text("" | "a\nb"))
    }
}

impl IntoEntityId for Id {
    fn into_entity_id(self) -> Result<EntityId, Error> {
        match self {
            Self::Integer(number) => number.into_entity_id(),
            Self::Text(text) => text.into_entity_id(),
        }
    }
}

pub(crate) static ACTORS: [&str; 4] = ["alice", "bob", "", "a\0b"];
pub(crate) static NOTES: [&str; 3] = ["why", "ninechars", "ünïcöde"];

/// Patterns, with what each matches; the last is none.
pub(crate) static PATTERNS: [&str; 4] = ["[a-z]+", "a|bb", "(?i)B.*", "a)|(b"];

pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "[a-z]+" => !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase()),
        "a|bb" => text == "a" || text == "bb",
        "(?i)B.*" => text.starts_with(['b', 'B']) && !text.contains('\n'),
        other => panic!("{other} is no pattern of the alphabet"),
    }
}

fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse().expect("it is a decimal"))
}

fn day(year: i32, month: u32, day: u32) -> Value {
    Value::Date(NaiveDate::from_ymd_opt(year, month, day).expect("it is a day"))
}

/// Values of a type: the last ones are beyond what the type, or the limits, allow.
pub(crate) fn values(data_type: DataType) -> &'static [Value] {
    static VALUES: LazyLock<[Vec<Value>; DataType::ALL.len()]> = LazyLock::new(|| DataType::ALL.map(make_values));
    let index = DataType::ALL.iter().position(|one| *one == data_type).expect("there are no others");
    &VALUES[index]
}

fn make_values(data_type: DataType) -> Vec<Value> {
    match data_type {
        DataType::String => [
            "a",
            "b",
            "bb",
            "B",
            "",
            "7",
            "1.50",
            "true",
            "007",
            "-0",
            "1.0",
            "é",
            "sevench",
            "a b'\"--",
            "x\0y",
            "thirteenchars",
        ]
        .map(Value::from)
        .to_vec(),
        DataType::Integer => [0, 1, 5, 10, -1, i64::MAX].map(Value::from).to_vec(),
        DataType::Decimal => {
            let negative_zero = Value::Decimal(-Decimal::ZERO);
            let mut all = ["1", "1.0", "1.5", "1.50", "2.25", "-3", "10"].map(decimal).to_vec();
            all.extend([negative_zero, decimal("9223372036854775807"), decimal("9223372036854775808")]);
            all
        }
        DataType::Boolean => vec![true.into(), false.into()],
        DataType::Date => {
            vec![day(2024, 2, 29), day(2025, 1, 4), day(1, 1, 1), day(9999, 12, 31), day(10_000, 1, 1), day(0, 12, 31)]
        }
        other => panic!("{other} is no type of the alphabet"),
    }
}

/// Values that are in order everywhere, for rules and for most of the writing.
pub(crate) fn plain_values(data_type: DataType) -> &'static [Value] {
    let plain = match data_type {
        DataType::String => 11,
        DataType::Integer => 5,
        DataType::Decimal => 7,
        DataType::Boolean => 2,
        _ => 3,
    };
    &values(data_type)[..plain]
}

pub(crate) static TEXTS: [&str; 31] = [
    "a",
    "bb",
    "",
    "1",
    "5",
    "007",
    "-1",
    "-0",
    "1.5",
    "1.50",
    "-0.0",
    "2.25",
    "true",
    "false",
    "2024-02-29",
    "2025-01-04",
    "TRUE",
    "1e5",
    "+1",
    " 1",
    "1_000",
    ".5",
    "5.",
    "9223372036854775808",
    "-9223372036854775808",
    "1.2345678901234567890123456789",
    "2023-02-29",
    "2025-1-4",
    "0000-01-01",
    "10000-01-01",
    "x\0y",
];
