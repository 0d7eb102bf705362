//! The laws of values: what each type accepts, how it is written, and what a refusal says.

use std::hash::{BuildHasher, RandomState};

use chrono::{Datelike, Days, NaiveDate};
use custom_attributes::{DataType, FromValue, Rule, Value, Violation};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::refusals::{assert_json_refused, only};

fn value(data_type: DataType, text: &str) -> Value {
    Value::parse(data_type, text).unwrap_or_else(|error| panic!("{text:?} should be {data_type}: {error}"))
}

fn refusal(data_type: DataType, text: &str) -> Violation {
    let error = Value::parse(data_type, text).expect_err(text);
    assert!(error.is_invalid() && error.code() == 40000, "{error:?}");
    let violation = only(&error);
    assert_eq!((violation.place, &violation.entity, &violation.attribute), (None, &None, &None));
    violation
}

fn assert_refused(data_type: DataType, text: &str, rule: Rule, limit: &str) {
    let violation = refusal(data_type, text);
    assert_eq!((violation.rule, violation.limit.as_str()), (rule, limit), "{text:?}");
    assert_eq!(violation.found, text);
}

/// Nothing of these is a number or a day, in any type but STRING.
const NOT_NUMBERS: &[&str] = &[
    "",
    "-",
    "--1",
    "+1",
    " 1",
    "1 ",
    "1\n",
    "\t1",
    "1_000",
    "1,000",
    "1'000",
    "1.000,00",
    "1e5",
    "1E5",
    "1e-5",
    "1e",
    "0x10",
    "0b1",
    "1f",
    "٣",
    "１",
    "۴",
    "²",
    "½",
    "Ⅷ",
    "−1",
    "–1",
    "NaN",
    "nan",
    "inf",
    "-inf",
    "Infinity",
    "∞",
    "null",
    "true",
    "one",
    "1\0",
    "\0",
    "1-",
    "1-1",
    "(1)",
    "$1",
    "1%",
    "'; DROP TABLE entity; --",
    "1; --",
    "\u{feff}1",
    "1\u{200b}",
];

const INTEGER: &str = "an integer such as -12, without sign + or separators";
const DECIMAL: &str = "a decimal number such as -12.50, without exponent, sign + or separators";
const DATE: &str = "a real day as YYYY-MM-DD";
const MAGNITUDE: &str = "-9223372036854775807 to 9223372036854775807";

#[test]
fn the_data_types_have_exactly_these_spellings_in_every_form() {
    let spellings = ["STRING", "DECIMAL", "INTEGER", "BOOLEAN", "DATE"];
    assert_eq!(DataType::ALL.map(DataType::as_str), spellings);
    for (data_type, spelling) in DataType::ALL.into_iter().zip(spellings) {
        assert_eq!(data_type.to_string(), spelling);
        assert_eq!(spelling.parse::<DataType>().ok(), Some(data_type));
        assert_eq!(serde_json::to_string(&data_type).ok(), Some(format!("\"{spelling}\"")));
        assert_eq!(serde_json::from_str::<DataType>(&format!("\"{spelling}\"")).ok(), Some(data_type));
    }
    for wrong in ["", "string", "String", " STRING", "STRING ", "TEXT", "NUMBER", "BOOL", "DATETIME", "STRİNG"] {
        let error = wrong.parse::<DataType>().expect_err(wrong);
        assert_eq!(error.violations()[0].rule, Rule::Grammar);
        assert_eq!(error.to_string(), format!("{wrong:?} is not a data type: STRING, DECIMAL, INTEGER, BOOLEAN or DATE"));
        assert!(serde_json::from_str::<DataType>(&format!("{wrong:?}")).is_err());
    }
    assert_eq!(format!("[{:>8}|{:<8}]", DataType::Date, DataType::Date), "[    DATE|DATE    ]");
}

#[test]
fn an_integer_is_read_from_digits_with_or_without_a_minus() {
    for (text, number) in [
        ("0", 0),
        ("-0", 0),
        ("7", 7),
        ("007", 7),
        ("-007", -7),
        ("9223372036854775806", i64::MAX - 1),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775807", -i64::MAX),
        ("-9223372036854775808", i64::MIN),
        ("000000000000000000000000000009223372036854775807", i64::MAX),
    ] {
        assert_eq!(value(DataType::Integer, text), Value::Integer(number));
    }
}

#[test]
fn an_integer_one_past_either_end_is_refused_with_the_ends() {
    let ends = "-9223372036854775808 to 9223372036854775807";
    for text in
        ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "99999999999999999999999999999999999999999999"]
    {
        assert_refused(DataType::Integer, text, Rule::Range, ends);
    }
    let message = "the value takes -9223372036854775808 to 9223372036854775807, not 9223372036854775808";
    assert_eq!(refusal(DataType::Integer, "9223372036854775808").to_string(), message);
}

#[test]
fn what_is_not_written_as_an_integer_is_refused_and_never_guessed() {
    for text in NOT_NUMBERS.iter().chain(&["1.", ".5", "1.0", "1.5", "."]) {
        assert_refused(DataType::Integer, text, Rule::Grammar, INTEGER);
    }
    assert_eq!(refusal(DataType::Integer, "1e5").to_string(), format!("\"1e5\" is not {INTEGER}"));
    assert_eq!(refusal(DataType::Integer, "1\0").to_string(), format!("\"1\\0\" is not {INTEGER}"));
}

#[test]
fn what_is_not_written_as_a_decimal_is_refused_and_never_guessed() {
    for text in
        NOT_NUMBERS.iter().chain(&["1.", ".5", ".", "-.", "-.5", "-1.", "1..2", "1.2.3", "1.-2", "1.+2", "1. 5", "1 .5", "1.5e0"])
    {
        assert_refused(DataType::Decimal, text, Rule::Grammar, DECIMAL);
    }
}

#[test]
fn a_decimal_keeps_its_value_and_the_zeros_it_was_written_with() {
    for (text, written) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.00", "0.00"),
        ("1.50", "1.50"),
        ("-1.50", "-1.50"),
        ("0001.5", "1.5"),
        ("-0001.5", "-1.5"),
        ("10000.50", "10000.50"),
        ("0.1", "0.1"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775807", "-9223372036854775807"),
        ("9223372036854775807.000", "9223372036854775807.000"),
        ("9223372036854775806.999999999", "9223372036854775806.999999999"),
        ("0.0000000000000000000000000001", "0.0000000000000000000000000001"),
        ("0.9999999999999999999999999999", "0.9999999999999999999999999999"),
        ("1.234567890123456789012345678", "1.234567890123456789012345678"),
    ] {
        assert_eq!(value(DataType::Decimal, text).to_string(), written, "{text}");
    }
}

#[test]
fn zeros_that_carry_no_value_never_make_a_decimal_too_long() {
    let zeros = "0".repeat(100);
    for (text, same) in [
        (format!("{zeros}1.5"), "1.5"),
        (format!("-{zeros}1.5{zeros}"), "-1.5"),
        (format!("1.{zeros}"), "1"),
        (format!("{zeros}.{zeros}"), "0"),
        (format!("-{zeros}"), "0"),
        (format!("9223372036854775807.{zeros}"), "9223372036854775807"),
        (format!("0.0000000000000000000000000001{zeros}"), "0.0000000000000000000000000001"),
        (format!("1.234567890123456789012345678{zeros}"), "1.234567890123456789012345678"),
        ("0".repeat(1 << 20), "0"),
    ] {
        assert_eq!(value(DataType::Decimal, &text), value(DataType::Decimal, same));
    }
}

#[test]
fn a_decimal_has_28_significant_digits_and_29_are_refused_never_rounded() {
    for text in [
        "1.2345678901234567890123456789",
        "12345678901234567.890123456789",
        "-1.0000000000000000000000000001",
        "9223372036854775806.1234567891",
        "0.12345678901234567890123456789",
        "0.99999999999999999999999999999",
    ] {
        assert_refused(DataType::Decimal, text, Rule::SignificantDigits, "28");
        let shorter = &text[..text.len() - 1];
        assert_eq!(value(DataType::Decimal, shorter).to_string(), shorter);
    }
    let message = "the value takes at most 28 significant digits, not 0.99999999999999999999999999999";
    assert_eq!(refusal(DataType::Decimal, "0.99999999999999999999999999999").to_string(), message);
}

#[test]
fn a_decimal_that_is_short_but_too_far_behind_the_point_is_refused_for_that() {
    for text in ["0.00000000000000000000000000001", "-0.00000000000000000000000000011", "0.01234567890123456789012345678"] {
        assert_refused(DataType::Decimal, text, Rule::FractionDigits, "28");
    }
    let message = "the value takes at most 28 digits after the point, not 0.00000000000000000000000000001";
    assert_eq!(refusal(DataType::Decimal, "0.00000000000000000000000000001").to_string(), message);
}

#[test]
fn a_decimal_beyond_the_magnitude_of_an_i64_is_refused_even_by_a_fraction() {
    for text in [
        "9223372036854775808",
        "-9223372036854775808",
        "9223372036854775807.1",
        "-9223372036854775807.1",
        "9223372036854775807.000000001",
        "9999999999999999999",
        "10000000000000000000",
        "79228162514264337593543950336",
        "100000000000000000000000000000000000000000000000",
    ] {
        assert_refused(DataType::Decimal, text, Rule::Range, MAGNITUDE);
    }
    let long = "9".repeat(1 << 20);
    let message = refusal(DataType::Decimal, &long).to_string();
    assert_eq!(message, format!("the value takes {MAGNITUDE}, not {}… (1048576 characters)", "9".repeat(80)));
}

#[test]
fn a_boolean_is_true_or_false_and_nothing_like_it() {
    assert_eq!(value(DataType::Boolean, "true"), Value::Boolean(true));
    assert_eq!(value(DataType::Boolean, "false"), Value::Boolean(false));
    for text in
        ["", "True", "TRUE", "FALSE", "t", "f", "yes", "no", "on", "off", "1", "0", " true", "true ", "true\0", "ｔｒｕｅ"]
    {
        assert_refused(DataType::Boolean, text, Rule::Grammar, "true or false");
    }
    assert_eq!(refusal(DataType::Boolean, "yes").to_string(), "\"yes\" is not true or false");
}

#[test]
fn every_day_from_0001_to_9999_reads_back_as_it_is_written() {
    let mut days = 0;
    for year in 1..=9999i32 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for month in 1..=12u32 {
            let length = match month {
                2 => 28 + u32::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            // Every day of some years, and of every month both ends and what lies past them.
            for day in (0..=32u32).filter(|day| year % 97 == 1 || [0, 1, 28, 29, 30, 31, 32].contains(day)) {
                let text = format!("{year:04}-{month:02}-{day:02}");
                match Value::parse(DataType::Date, &text) {
                    Ok(value) => {
                        assert!((1..=length).contains(&day), "{text} is no day");
                        assert_eq!(value.to_string(), text);
                        days += 1;
                    }
                    Err(_) => assert!(!(1..=length).contains(&day), "{text} is a day"),
                }
            }
        }
    }
    assert!(days > 500_000, "{days}");
}

#[test]
fn days_sort_as_the_calendar_does_and_as_their_texts_do() {
    let first = NaiveDate::from_ymd_opt(1, 1, 1).expect("a day");
    let mut before = (Value::Date(first), "0001-01-01".to_owned());
    for stride in 1..3650 {
        let day = Value::Date(first + Days::new(stride * 1000 + stride % 7));
        let text = day.to_string();
        assert!(day > before.0 && text > before.1, "{text}");
        assert_eq!(value(DataType::Date, &text), day);
        before = (day, text);
    }
}

#[test]
fn what_is_not_a_real_day_written_in_full_is_refused_and_never_rolled_over() {
    for text in [
        "2023-02-29",
        "1900-02-29",
        "2023-02-30",
        "2023-04-31",
        "2023-13-01",
        "2023-00-01",
        "2023-01-00",
        "2023-01-32",
        "0000-01-01",
        "10000-01-01",
        "-001-01-01",
        "-0001-01-01",
        "+2023-01-01",
        "2023-2-9",
        "2023-2-09",
        "23-02-09",
        "2023/02/09",
        "2023.02.09",
        "20230209",
        "09-02-2023",
        "2023-02-09 ",
        " 2023-02-09",
        "2023-02-09T00:00:00Z",
        "2023-02-09\0",
        "2023-02-0٩",
        "２０２３-02-09",
        "2023–02–09",
        "2023-W06-4",
        "2023-040",
        "today",
        "",
        "0",
        "yyyy-mm-dd",
        "2023-02--9",
        "2023-+2-09",
        "2023-02-+9",
        "2023- 2- 9",
    ] {
        assert_refused(DataType::Date, text, Rule::Grammar, DATE);
    }
    for (text, year) in [("0001-01-01", 1), ("9999-12-31", 9999), ("2024-02-29", 2024), ("2000-02-29", 2000)] {
        let Value::Date(day) = value(DataType::Date, text) else { panic!("a day") };
        assert_eq!(day.year(), year);
    }
    assert_eq!(refusal(DataType::Date, "2023-02-29").to_string(), "\"2023-02-29\" is not a real day as YYYY-MM-DD");
}

#[test]
fn a_string_is_any_text_without_nul_and_is_never_trimmed() {
    for text in [
        "",
        " ",
        "  a  ",
        "\t\r\n",
        "\u{200b}\u{202e}",
        "{}[]",
        "Robert'); DROP TABLE entity;--",
        "e\u{301}",
        "é",
        "\u{feff}",
        "\u{ffff}",
        "💰",
    ] {
        assert_eq!(value(DataType::String, text), Value::String(text.to_owned()));
        assert_eq!(value(DataType::String, text).to_string(), text);
    }
    assert_ne!(value(DataType::String, "é"), value(DataType::String, "e\u{301}"), "a value is not normalised");
    assert_ne!(value(DataType::String, "a"), value(DataType::String, "A"), "a value keeps its case");
    for text in ["\0", "a\0b", "a\0"] {
        let violation = refusal(DataType::String, text);
        assert_eq!((violation.rule, violation.found.as_str()), (Rule::Characters, "U+0000"));
        assert_eq!(violation.to_string(), "the value takes any character but NUL; found U+0000");
    }
}

#[test]
fn a_string_has_4096_characters_however_many_bytes_they_take_and_4097_are_refused() {
    for unit in ["x", "é", "名", "💰", "\u{301}"] {
        assert_eq!(value(DataType::String, &unit.repeat(4096)).to_string(), unit.repeat(4096));
        let violation = refusal(DataType::String, &unit.repeat(4097));
        assert_eq!((violation.rule, violation.limit.as_str(), violation.found.as_str()), (Rule::MaximumChars, "4096", "4097"));
    }
    assert_eq!(refusal(DataType::String, &"x".repeat(4097)).to_string(), "the value takes at most 4096 characters, not 4097");
    assert_eq!(refusal(DataType::String, &"x".repeat(1 << 20)).found, "1048576");
}

#[test]
fn decimals_of_one_value_are_equal_and_hash_alike_however_they_are_written() {
    let hasher = RandomState::new();
    for row in [&["1.5", "1.50", "1.500", "01.5"][..], &["0", "-0", "0.00", "-0.000"], &["100", "100.0"], &["-2", "-2.00"]] {
        for (a, b) in row.iter().flat_map(|a| row.iter().map(move |b| (a, b))) {
            let (x, y) = (value(DataType::Decimal, a), value(DataType::Decimal, b));
            assert_eq!(x, y);
            assert_eq!(x.cmp(&y), std::cmp::Ordering::Equal);
            assert_eq!(hasher.hash_one(&x), hasher.hash_one(&y), "{a} and {b}");
        }
    }
}

#[test]
fn values_sort_by_type_and_within_it_by_number_day_or_code_point() {
    let rows = [
        (DataType::String, &["", "A", "B", "a", "aa", "b", "é", "名", "💰"][..]),
        (DataType::Decimal, &["-10.5", "-10.49", "-1", "0", "0.001", "1.49", "1.5", "9", "10"]),
        (DataType::Integer, &["-9223372036854775808", "-1", "0", "2", "10", "9223372036854775807"]),
        (DataType::Boolean, &["false", "true"]),
        (DataType::Date, &["0001-01-01", "1999-12-31", "2000-01-01", "9999-12-31"]),
    ];
    let all: Vec<Value> = rows.iter().flat_map(|(t, texts)| texts.iter().map(|text| value(*t, text))).collect();
    assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "{all:?}");
    assert!(all.windows(2).all(|pair| pair[0].data_type() <= pair[1].data_type()));
}

#[test]
fn a_value_in_json_says_its_type_and_is_exact() -> Result<(), Box<dyn std::error::Error>> {
    for (data_type, text, json) in [
        (DataType::String, "a\"b", r#"{"STRING":"a\"b"}"#),
        (DataType::Decimal, "1.50", r#"{"DECIMAL":"1.50"}"#),
        (DataType::Decimal, "9223372036854775806.999999999", r#"{"DECIMAL":"9223372036854775806.999999999"}"#),
        (DataType::Integer, "-9223372036854775808", r#"{"INTEGER":-9223372036854775808}"#),
        (DataType::Boolean, "true", r#"{"BOOLEAN":true}"#),
        (DataType::Date, "0001-01-01", r#"{"DATE":"0001-01-01"}"#),
    ] {
        let value = value(data_type, text);
        assert_eq!(serde_json::to_string(&value)?, json);
        let back: Value = serde_json::from_str(json)?;
        assert_eq!((back.data_type(), back.to_string()), (data_type, text.to_owned()));
    }
    assert_json_refused::<Value>(&[
        (r#"{"DECIMAL":1.5}"#, "invalid type"),
        (r#"{"DECIMAL":1}"#, "invalid type"),
        (r#"{"DECIMAL":"1e5"}"#, "\"1e5\" is not a decimal number"),
        (r#"{"DECIMAL":"9223372036854775807.1"}"#, "not 9223372036854775807.1"),
        (r#"{"INTEGER":1.0}"#, "invalid type"),
        (r#"{"INTEGER":"1"}"#, "invalid type"),
        (r#"{"INTEGER":9223372036854775808}"#, "invalid value"),
        (r#"{"BOOLEAN":1}"#, "invalid type"),
        (r#"{"DATE":"2023-02-29"}"#, "\"2023-02-29\" is not a real day"),
        (r#"{"DATE":"2023-2-9"}"#, "is not a real day"),
        (r#"{"STRING":"\ud800"}"#, "hex escape"),
        (r#"{"STRING":null}"#, "invalid type"),
        (r#"{"decimal":"1"}"#, "unknown variant"),
        (r#"{"FLOAT":1.5}"#, "unknown variant"),
        (r#""bare""#, "unknown variant"),
    ]);
    Ok(())
}

#[test]
fn a_value_is_read_as_its_own_rust_type_and_never_coerced_into_another() {
    let integer = Value::from(300);
    assert_eq!(i64::from_value(integer.clone()).ok(), Some(300));
    assert_eq!(u64::try_from(integer.clone()).ok(), Some(300));
    assert_eq!(u16::from_value(integer.clone()).ok(), Some(300));
    let narrow = u8::from_value(integer.clone()).expect_err("does not fit");
    assert_eq!((narrow.rule, narrow.limit.as_str(), narrow.found.as_str()), (Rule::Range, "0 to 255", "300"));
    let below = u64::from_value(Value::from(-1)).expect_err("does not fit");
    assert_eq!(below.to_string(), "the value takes 0 to 18446744073709551615, not -1");
    let other = bool::from_value(integer.clone()).expect_err("an integer");
    assert_eq!((other.rule, other.limit.as_str()), (Rule::DataType, "INTEGER"));
    assert_eq!(other.to_string(), "the value is INTEGER, but was given to a reader of BOOLEAN");
    assert!(Decimal::from_value(integer.clone()).is_err(), "an integer is not read as a decimal");
    assert!(String::from_value(integer.clone()).is_err(), "an integer is not read as a text");
    assert!(i64::from_value(Value::from(Decimal::ONE)).is_err(), "a decimal is not read as an integer");
    assert!(NaiveDate::from_value(Value::from("2023-02-09")).is_err(), "a text is not read as a day");
    assert_eq!(Value::from_value(integer.clone()).ok(), Some(integer));
}

#[test]
fn rust_values_become_the_values_one_would_expect() {
    assert_eq!(Value::from(true), Value::Boolean(true));
    for number in [Value::from(-5i8), Value::from(-5i16), Value::from(-5i32), Value::from(-5i64)] {
        assert_eq!(number, Value::Integer(-5));
    }
    for number in [Value::from(5u8), Value::from(5u16), Value::from(5u32)] {
        assert_eq!(number, Value::Integer(5));
    }
    assert_eq!(Value::from(u32::MAX), Value::Integer(4_294_967_295));
    for text in [Value::from("a"), Value::from("a".to_owned()), Value::from(&"a".to_owned())] {
        assert_eq!(text, Value::String("a".to_owned()));
    }
    let day = NaiveDate::from_ymd_opt(2024, 2, 29).expect("a day");
    assert_eq!(Value::from(day).to_string(), "2024-02-29");
    assert_eq!(Value::from(Decimal::new(150, 2)).to_string(), "1.50");
}

/// A text of the grammar of DECIMAL, within its limits.
fn decimal_text() -> impl Strategy<Value = String> {
    let whole = prop_oneof![Just(String::new()), "[1-9][0-9]{0,17}", Just("9223372036854775806".to_owned())];
    (any::<bool>(), "0{0,3}", whole, "[0-9]{0,28}").prop_map(|(minus, zeros, whole, fraction)| {
        let room = 28 - whole.len();
        let fraction = &fraction[..fraction.len().min(room)];
        let whole = if zeros.is_empty() && whole.is_empty() { "0".to_owned() } else { zeros + &whole };
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{}{whole}{point}{fraction}", if minus { "-" } else { "" })
    })
}

/// Sign, whole and fraction, without zeros that carry no value: what two decimals of one value share.
fn normal(text: &str) -> String {
    let unsigned = text.trim_start_matches('-');
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let sign = if text.starts_with('-') && !(whole.is_empty() && fraction.is_empty()) { "-" } else { "" };
    format!("{sign}{whole}.{fraction}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_integer_prints_as_it_parses(number in any::<i64>()) {
        let value = Value::Integer(number);
        prop_assert_eq!(Value::parse(DataType::Integer, &value.to_string()).expect("parses"), value);
    }

    #[test]
    fn a_decimal_keeps_the_value_of_its_text(text in decimal_text()) {
        let value = Value::parse(DataType::Decimal, &text).expect("within the limits");
        prop_assert_eq!(normal(&value.to_string()), normal(&text));
        let again = Value::parse(DataType::Decimal, &value.to_string()).expect("parses");
        prop_assert_eq!(again.to_string(), value.to_string());
        prop_assert_eq!(again, value);
    }

    #[test]
    fn decimals_are_equal_exactly_when_their_texts_say_one_number(a in decimal_text(), b in decimal_text(), zeros in "0{0,40}") {
        let x = Value::parse(DataType::Decimal, &a).expect("within the limits");
        let y = Value::parse(DataType::Decimal, &b).expect("within the limits");
        prop_assert_eq!(x == y, normal(&a) == normal(&b));
        let longer = if a.contains('.') { format!("{a}{zeros}") } else { format!("{a}.0{zeros}") };
        prop_assert_eq!(Value::parse(DataType::Decimal, &longer).expect("zeros carry no value"), x);
    }

    #[test]
    fn a_string_of_any_characters_but_nul_is_kept(text in any::<String>()) {
        match Value::parse(DataType::String, &text) {
            Ok(value) => prop_assert_eq!(value.to_string(), text),
            Err(error) => prop_assert!(text.contains('\0'), "{}", error),
        }
    }

    #[test]
    fn a_text_is_read_as_a_type_only_if_it_prints_as_the_same_value(text in "[-+0-9. e_/:TZ]{0,12}") {
        for data_type in [DataType::Decimal, DataType::Integer, DataType::Boolean, DataType::Date] {
            if let Ok(value) = Value::parse(data_type, &text) {
                if data_type == DataType::Date {
                    prop_assert_eq!(value.to_string(), text.clone());
                } else {
                    prop_assert_eq!(normal(&value.to_string()), normal(&text));
                }
            }
        }
    }

    #[test]
    fn a_value_comes_back_from_json_as_it_went(number in any::<i64>(), decimal in decimal_text(), text in "\\PC*", truth: bool, day in 0u64..3_652_059) {
        let first = NaiveDate::from_ymd_opt(1, 1, 1).expect("a day");
        let decimal = Value::parse(DataType::Decimal, &decimal).expect("within the limits");
        for value in [number.into(), decimal, text.into(), truth.into(), Value::Date(first + Days::new(day))] {
            let json = serde_json::to_string(&value).expect("serialises");
            let back: Value = serde_json::from_str(&json).expect("reads back");
            prop_assert_eq!(back.to_string(), value.to_string());
            prop_assert_eq!(back, value);
        }
    }

    #[test]
    fn the_order_of_decimals_is_that_of_their_numbers(a in -1_000_000i64..1_000_000, b in -1_000_000i64..1_000_000, scale in 0u32..10) {
        let decimal = |number| Value::from(Decimal::new(number, scale));
        prop_assert_eq!(decimal(a).cmp(&decimal(b)), a.cmp(&b));
    }
}
