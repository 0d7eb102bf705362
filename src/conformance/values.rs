//! Values: what is read is what was written, for every type and to its ends.

use crate::conformance::Store;
use crate::conformance::support::{
    EXACT, WHOLE, customer, held, holds, host, key, must, parse, same, small, snapshot, there, typed,
};
use crate::model::{DataType, DefinitionSpec, Outcome, Value};
use crate::store::Snapshot;

/// Texts that are easily changed on their way.
pub(super) fn awkward_texts() -> Vec<String> {
    let texts = [
        "",
        " ",
        "  both ends  ",
        "\t\r\n",
        "line\nbreak\r\n",
        "\u{1}\u{7}\u{1b}[31m\u{7f}\u{85}",
        "\u{feff}bom",
        "zero\u{200b}width",
        "\u{202e}right to left",
        "'",
        "''",
        "\"",
        "\\",
        "\\'",
        "`",
        "%_",
        "'); DROP TABLE entity; --",
        "NULL",
        "null",
        "\\N",
        "{}",
        "[1,2]",
        "{\"a\":\"b\\u0000\"}",
        "\\u0041",
        "&amp;<b>",
        "007",
        "1e5",
        "1.50",
        "-0",
        "9223372036854775808",
        "true",
        "2023-02-29",
        "infinity",
        "é",
        "e\u{301}",
        "ß",
        "ss",
        "SS",
        "\u{212a}",
        "K",
        "ﬁ",
        "e\u{301}\u{302}\u{303}\u{304}",
        "😀",
        "👩‍👩‍👧‍👦",
        "🇩🇪",
        "𝔘",
        "\u{10ffff}",
        "\u{fffd}",
        "\u{fffe}",
        "\u{e000}",
        "日本語",
        "العربية",
        "a",
        "A",
        "a ",
        " a",
    ];
    texts.into_iter().map(str::to_owned).collect()
}

/// Sets each value at an entity of its own, and compares what a new snapshot reads to the last character.
fn round_trip(store: &Store, data_type: DataType, values: &[Value], promise: &str) {
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.define(DefinitionSpec::new("value", data_type)), "a definition is made");
    let batch =
        values.iter().zip(1i64..).fold(host.batch(), |batch, (value, id)| batch.set(("customer", id), "value", value.clone()));
    must(batch.commit(), "values are set");
    let compare = |snapshot: &dyn Snapshot| {
        let keys: Vec<_> = (1..=values.len()).map(|id| customer(small::<i64>(id))).collect();
        for (record, value) in must(snapshot.read(&keys), "entities are read").into_iter().zip(values) {
            let found = record.as_ref().and_then(|record| record.values().first()).map(|held| &held.value);
            same(&found, &Some(value), promise, EXACT);
        }
    };
    compare(&*snapshot(store));
    // Over another value as well: an update takes other ways than a first write.
    for (value, id) in values.iter().rev().zip(1i64..) {
        must(of.set(id, "value", value.clone()), "a value is replaced");
    }
    for (value, id) in values.iter().rev().zip(1i64..) {
        let found = must(of.get::<Value>(id, "value"), "a value is read");
        same(&found, &Some(value), promise, EXACT);
    }
    for (value, id) in values.iter().zip(1i64..) {
        must(of.clear(id, "value"), "a value is cleared");
        same(&must(of.get::<Value>(id, "value"), "a cleared value is read"), &None::<()>, promise, EXACT);
        must(of.set(id, "value", value.clone()), "a value is set again");
        same(&must(of.get::<Value>(id, "value"), "a value is read"), &Some(value), promise, EXACT);
    }
    compare(&*snapshot(store));
}

/// Quotes, control characters, emoji, combining marks, SQL, texts that look like something else: as they were.
pub fn texts_come_back_exactly(store: &Store) {
    let values: Vec<_> = awkward_texts().into_iter().map(Value::String).collect();
    round_trip(store, DataType::String, &values, "a text comes back as it was written, character by character");
}

/// The longest text has 4096 characters, and each may take four bytes.
pub fn the_longest_texts_come_back(store: &Store) {
    let longest =
        ["𝔘".repeat(4096), "'".repeat(4096), "\\".repeat(4096), "e\u{301}".repeat(2048), format!("{}b", "a".repeat(4095))];
    let values: Vec<_> = longest.into_iter().map(Value::String).collect();
    round_trip(store, DataType::String, &values, "a text of 4096 characters comes back whole");
}

/// All 64 bits.
pub fn integers_come_back_exactly(store: &Store) {
    let ends = [
        i64::MIN,
        i64::MIN + 1,
        -(1 << 53) - 1,
        -1,
        0,
        1,
        (1 << 53) + 1,
        i64::MAX - 1,
        i64::MAX,
        i64::from(i32::MIN),
        4_294_967_296,
    ];
    let values: Vec<_> = ends.into_iter().map(Value::Integer).collect();
    round_trip(store, DataType::Integer, &values, "an integer comes back with all its 64 bits");
}

/// 28 digits, with the zeros that they were written with.
pub fn decimals_come_back_exactly(store: &Store) {
    let texts = [
        "0",
        "0.0",
        "0.00",
        "1.50",
        "1.5",
        "-1.500",
        "100",
        "100.0",
        "0.1",
        "0.10",
        "9223372036854775807",
        "-9223372036854775807",
        "9223372036854775806.999999999",
        "1234567890123456789.123456789",
        "0.1234567890123456789012345678",
        "-0.0000000000000000000000000001",
        "1.000000000000000000000000000",
        "9007199254740993",
        "0.30000000000000004",
        "1.10000000000000000000",
    ];
    let values: Vec<_> = texts.iter().map(|text| parse(DataType::Decimal, text)).collect();
    for (value, text) in values.iter().zip(texts) {
        same(&value.to_string(), text, "the suite's own decimals keep their zeros", EXACT);
    }
    round_trip(store, DataType::Decimal, &values, "a decimal comes back with every digit and every zero");
}

/// Both of them.
pub fn booleans_come_back_exactly(store: &Store) {
    round_trip(store, DataType::Boolean, &[Value::Boolean(true), Value::Boolean(false)], "a boolean comes back");
}

/// From the year 1 to the year 9999.
pub fn dates_come_back_exactly(store: &Store) {
    let texts = [
        "0001-01-01",
        "0099-12-31",
        "0999-06-15",
        "1582-10-10",
        "1900-02-28",
        "1969-12-31",
        "1970-01-01",
        "2000-02-29",
        "2024-02-29",
        "9999-12-31",
    ];
    let values: Vec<_> = texts.iter().map(|text| parse(DataType::Date, text)).collect();
    round_trip(store, DataType::Date, &values, "a date comes back as the same day");
}

/// Texts are one if their characters are: case, accents, composition and spaces at the end tell values apart.
pub fn similar_texts_are_different_values(store: &Store) {
    let promise = "texts that differ in any character are different values";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.define(DefinitionSpec::string("value")), "a definition is made");
    let texts = ["a", "A", "a ", " a", "á", "a\u{301}", "ß", "ss", "", " ", "1", "01", "1.0"];
    for (n, text) in texts.into_iter().enumerate() {
        let outcome = must(of.set(1, "value", text), "a value is set").changes[0].outcome;
        same(&outcome, if n == 0 { &Outcome::Created } else { &Outcome::Updated }, promise, EXACT);
        same(&held(store, &customer(1)), &[(1, text)], promise, EXACT);
    }
}

/// 1.5 and 1.50 are one value: setting the one over the other changes nothing.
pub fn equal_decimals_are_one_value(store: &Store) {
    let promise = "1.5 and 1.50 are one value: setting the one over the other moves nothing";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.define(DefinitionSpec::decimal("value")), "a definition is made");
    must(of.set_text(1, "value", "1.50"), "a value is set");
    let receipt = must(of.set_text(1, "value", "1.5"), "an equal value is set");
    same(&(receipt.commit, receipt.changes[0].outcome), &(None::<()>, Outcome::Unchanged), promise, EXACT);
    same(&held(store, &customer(1)), &[(1, "1.50")], promise, EXACT);
}

/// The empty string is a value; absent is not empty.
pub fn absent_is_not_empty(store: &Store) {
    let promise = "the empty string is a value, and absence is none";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("a"), DefinitionSpec::string("b")]), "definitions are made");
    must(of.set(1, "a", ""), "a value is set");
    let one = must(of.entity(1), "an entity is read");
    let one = there(one, "an entity that holds an empty string is found");
    same(&must(one.get::<String>("a"), "a value is read"), &Some(""), promise, EXACT);
    same(&must(one.get::<String>("b"), "a value is read"), &None::<()>, promise, EXACT);
    same(&must(of.clear(1, "a"), "a value is cleared").changes[0].outcome, &Outcome::Cleared, promise, EXACT);
    holds(must(of.entity(1), "an entity is read").is_none(), promise, EXACT);
}

/// An entity holds hundreds of values of all types, by definition, whatever the order they were set in.
pub fn a_wide_entity_comes_back_in_order(store: &Store) {
    let promise = "an entity comes back with all its values, sorted by definition";
    let host = host(store);
    let of = typed(&host, "person");
    let data_type = |n: usize| DataType::ALL[n % 5];
    let value = |n: usize| match data_type(n) {
        DataType::String => Value::from(format!("text {n}")),
        DataType::Decimal => parse(DataType::Decimal, &format!("{n}.{n:03}0")),
        DataType::Integer => Value::from(small::<i64>(n) - 100),
        DataType::Boolean => Value::from(n.is_multiple_of(2)),
        DataType::Date => parse(DataType::Date, &format!("2024-02-{:02}", n % 29 + 1)),
    };
    let count = 250;
    must(of.ensure((0..count).map(|n| DefinitionSpec::new(format!("a{n}"), data_type(n)))), "definitions are made");
    // 77 and 250 have no common divisor: each is hit once, in no order.
    let scattered: Vec<_> = (0..count).map(|n| n * 77 % count).collect();
    for half in scattered.chunks(count / 2) {
        let batch = half.iter().fold(host.batch(), |batch, n| batch.set(("person", 1), format!("a{n}"), value(*n)));
        must(batch.commit(), "values are set");
    }
    let expected: Vec<_> = (0..count).zip(1u32..).map(|(n, id)| (id, value(n).to_string())).collect();
    same(&held(store, &key("person", 1)), &expected, promise, WHOLE);
}
