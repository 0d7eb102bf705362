//! The laws of definitions: which rules make sense, what they admit, what a refusal says, and the serial forms.

use std::time::{Duration, Instant};

use chrono::NaiveDate;
use custom_attributes::{
    Attributes, Bound, Catalog, DataType, Definition, DefinitionId, DefinitionSpec, EntityType, Error, Limits, MemoryStore,
    Revision, Rule, Stamp, Undefined, Value, Violation,
};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::refusals::assert_json_refused;

fn customer() -> EntityType {
    EntityType::new("customer").expect("an entity type")
}

fn define_with(spec: DefinitionSpec, limits: &Limits) -> Result<Definition, Error> {
    Definition::new(DefinitionId::new(1), customer(), spec, limits)
}

fn define(spec: DefinitionSpec) -> Result<Definition, Error> {
    define_with(spec, &Limits::typed())
}

fn defined(spec: DefinitionSpec) -> Definition {
    define(spec).unwrap_or_else(|error| panic!("should be a definition: {error}"))
}

fn refusals(spec: DefinitionSpec) -> Vec<Violation> {
    let error = define(spec).expect_err("senseless");
    assert!(error.is_invalid(), "{error:?}");
    error.violations().to_vec()
}

fn refusal(spec: DefinitionSpec) -> Violation {
    let all = refusals(spec);
    let [violation] = all.as_slice() else { panic!("one violation, not {all:?}") };
    violation.clone()
}

/// Rule, limit and found of each.
fn data(violations: &[Violation]) -> Vec<(Rule, &str, &str)> {
    violations.iter().map(|v| (v.rule, v.limit.as_str(), v.found.as_str())).collect()
}

fn bind(definition: &Definition, text: &str) -> Result<Bound, Violation> {
    definition.bind_text(text, &Limits::typed())
}

#[track_caller]
fn assert_admits(definition: &Definition, texts: &[&str]) {
    for text in texts {
        let bound = bind(definition, text).unwrap_or_else(|violation| panic!("{text:?}: {violation}"));
        assert_eq!(bound.definition(), definition.id());
        assert_eq!(Some(bound.into_value()), Value::parse(definition.data_type(), text).ok());
    }
}

#[track_caller]
fn assert_refuses(definition: &Definition, rule: Rule, limit: &str, texts: &[&str]) {
    for text in texts {
        let violation = bind(definition, text).expect_err(text);
        assert_eq!((violation.rule, violation.limit.as_str()), (rule, limit), "{text:?}");
        assert_eq!(violation.attribute.as_deref(), Some(definition.name().as_str()));
    }
}

fn decimal(text: &str) -> Value {
    Value::parse(DataType::Decimal, text).expect("a decimal")
}

fn day(text: &str) -> Value {
    Value::parse(DataType::Date, text).expect("a day")
}

#[test]
fn a_definition_without_rules_admits_every_value_of_its_type_and_no_other() {
    for data_type in DataType::ALL {
        let definition = defined(DefinitionSpec::new("a", data_type));
        for (other, text) in [
            (DataType::String, "1"),
            (DataType::Decimal, "1"),
            (DataType::Integer, "1"),
            (DataType::Boolean, "true"),
            (DataType::Date, "2024-02-29"),
        ] {
            let value = Value::parse(other, text).expect("a value");
            match definition.bind(value.clone(), &Limits::typed()) {
                Ok(bound) => assert_eq!((bound.value(), other), (&value, data_type)),
                Err(violation) => {
                    assert_ne!(other, data_type);
                    assert_eq!(data(&[violation]), [(Rule::DataType, data_type.as_str(), other.as_str())]);
                }
            }
        }
    }
    let violation = defined(DefinitionSpec::integer("age")).bind("7".into(), &Limits::typed()).expect_err("a text");
    assert_eq!(violation.to_string(), "`age` is INTEGER, but was given STRING");
}

#[test]
fn a_value_that_no_parser_made_is_checked_all_the_same() {
    let limits = Limits::typed();
    let text = defined(DefinitionSpec::string("a"));
    assert_eq!(text.bind("a\0".into(), &limits).expect_err("a NUL").to_string(), "`a` takes any character but NUL; found U+0000");
    assert_eq!(text.bind("x".repeat(4097).into(), &limits).expect_err("long").rule, Rule::MaximumChars);
    let number = defined(DefinitionSpec::decimal("a"));
    for (decimal, rule) in [
        (Decimal::MAX, Rule::Range),
        (Decimal::MIN, Rule::Range),
        (Decimal::from_i128_with_scale(i128::from(i64::MAX) + 1, 0), Rule::Range),
        (Decimal::from_i128_with_scale(12_345_678_901_234_567_890_123_456_789, 28), Rule::SignificantDigits),
    ] {
        assert_eq!(number.bind(decimal.into(), &limits).expect_err("out of range").rule, rule);
    }
    let bound = number.bind((-Decimal::ZERO).into(), &limits).expect("zero");
    assert_eq!(bound.value().to_string(), "0");
    let one = Decimal::from_i128_with_scale(10_000_000_000_000_000_000_000_000_000, 28);
    assert_eq!(number.bind(one.into(), &limits).expect("one").value().to_string(), "1");
    let date = defined(DefinitionSpec::date("a"));
    for (year, month, day) in [(0, 12, 31), (10000, 1, 1), (-1, 1, 1)] {
        let day = NaiveDate::from_ymd_opt(year, month, day).expect("a day");
        let violation = date.bind(day.into(), &limits).expect_err("out of range");
        assert_eq!((violation.rule, violation.limit.as_str()), (Rule::Range, "0001-01-01 to 9999-12-31"));
    }
}

#[test]
fn a_minimum_and_a_maximum_admit_their_own_edge_and_refuse_what_is_past_it() {
    let integer = defined(DefinitionSpec::integer("n").minimum(-5).maximum(10));
    assert_admits(&integer, &["-5", "0", "10"]);
    assert_refuses(&integer, Rule::Minimum, "-5", &["-6", "-9223372036854775808"]);
    assert_refuses(&integer, Rule::Maximum, "10", &["11", "9223372036854775807"]);
    assert_eq!(bind(&integer, "11").expect_err("too great").to_string(), "`n` takes no more than 10, not 11");

    let number = defined(DefinitionSpec::decimal("d").minimum(decimal("0.01")).maximum(decimal("99.990")));
    assert_admits(&number, &["0.01", "0.010", "99.99", "99.990000", "1"]);
    assert_refuses(&number, Rule::Minimum, "0.01", &["0.0099999999999999999999999999", "0", "-1"]);
    assert_refuses(&number, Rule::Maximum, "99.990", &["99.9900000000000000000000001", "100"]);

    let date = defined(DefinitionSpec::date("t").minimum(day("2024-02-29")).maximum(day("2024-12-31")));
    assert_admits(&date, &["2024-02-29", "2024-12-31"]);
    assert_refuses(&date, Rule::Minimum, "2024-02-29", &["2024-02-28", "0001-01-01"]);
    assert_refuses(&date, Rule::Maximum, "2024-12-31", &["2025-01-01", "9999-12-31"]);
    assert_eq!(bind(&date, "2024-02-28").expect_err("early").to_string(), "`t` takes no less than 2024-02-29, not 2024-02-28");

    let one = defined(DefinitionSpec::integer("n").minimum(7).maximum(7));
    assert_admits(&one, &["7"]);
    let ends = defined(DefinitionSpec::integer("n").minimum(i64::MIN).maximum(i64::MAX));
    assert_admits(&ends, &["-9223372036854775808", "9223372036854775807"]);
}

#[test]
fn the_number_of_characters_is_counted_in_characters_at_both_edges() {
    let code = defined(DefinitionSpec::string("code").minimum_chars(2).maximum_chars(3));
    assert_admits(&code, &["ab", "abc", "éé", "💰💰💰", "  "]);
    assert_refuses(&code, Rule::MinimumChars, "2", &["", "a", "💰"]);
    assert_refuses(&code, Rule::MaximumChars, "3", &["abcd", "éééé", "e\u{301}e\u{301}"]);
    assert_eq!(bind(&code, "abcd").expect_err("long").to_string(), "`code` takes at most 3 characters, not 4");
    assert_eq!(bind(&code, "a").expect_err("short").to_string(), "`code` takes at least 2 characters, not 1");
    let one = defined(DefinitionSpec::string("one").minimum_chars(1).maximum_chars(1));
    assert_eq!(bind(&one, "").expect_err("short").to_string(), "`one` takes at least 1 character, not 0");
    assert_eq!(bind(&one, "ab").expect_err("long").to_string(), "`one` takes at most 1 character, not 2");
    assert_admits(&defined(DefinitionSpec::string("empty").maximum_chars(0)), &[""]);
    let widest = defined(DefinitionSpec::string("w").minimum_chars(4096).maximum_chars(4096));
    assert_admits(&widest, &[&"é".repeat(4096)]);
}

#[test]
fn fraction_digits_count_only_what_carries_value() {
    let price = defined(DefinitionSpec::decimal("price").fraction_digits(2));
    assert_admits(&price, &["1", "1.5", "1.50", "1.500000", "-0.01", "0.00000", "9223372036854775807"]);
    assert_refuses(&price, Rule::FractionDigits, "2", &["1.501", "0.001", "-1.555"]);
    assert_eq!(
        bind(&price, "1.501").expect_err("three").to_string(),
        "`price` takes at most 2 digits after the point, not 1.501"
    );
    let whole = defined(DefinitionSpec::decimal("whole").fraction_digits(0));
    assert_admits(&whole, &["7", "7.0"]);
    assert_refuses(&whole, Rule::FractionDigits, "0", &["7.1"]);
    let tenth = defined(DefinitionSpec::decimal("tenth").fraction_digits(1));
    assert_eq!(bind(&tenth, "0.25").expect_err("two").to_string(), "`tenth` takes at most 1 digit after the point, not 0.25");
    assert_admits(&defined(DefinitionSpec::decimal("all").fraction_digits(28)), &["0.0000000000000000000000000001"]);
    assert_eq!(
        data(&refusals(DefinitionSpec::decimal("a").fraction_digits(29))),
        [(Rule::Size, "at most 28 fraction digits", "29")]
    );
}

#[test]
fn a_pattern_must_match_the_whole_value() {
    for (pattern, admitted, refused) in [
        ("[A-Z]{3}", &["ABC"][..], &["", "AB", "ABCD", "xABC", "ABC\n", " ABC", "abc"][..]),
        ("a|ab", &["a", "ab"], &["abc", "b", "aab"]),
        ("^a$", &["a"], &["a\n", "\na", "ba"]),
        ("(?m)^a$", &["a"], &["a\nb", "b\na"]),
        ("(?s).*", &["", "a\nb"], &[]),
        (".*", &["", "ab"], &["a\nb", "ab\n"]),
        ("(?i)straße", &["STRAßE", "straße"], &["strasse"]),
        (r"\d+", &["7", "٣"], &["", "7 "]),
        ("", &[""], &["a", " "]),
        ("(?x)a # a comment", &["a"], &["a ", "ab", "", "a # a comment", "a\n"]),
        ("(?x) a \n b # last", &["ab"], &["a b", "ab\n", "a"]),
        ("(?x)a|b#", &["a", "b"], &["ab", "c"]),
        ("a # no comment", &["a # no comment"], &["a", "a # no comment\n"]),
        (r"\#", &["#"], &["\\#"]),
        ("'; DROP TABLE entity; --", &["'; DROP TABLE entity; --"], &["x"]),
        (r"(a+)+b", &["aab"], &["aaaa"]),
    ] {
        let definition = defined(DefinitionSpec::string("code").pattern(pattern));
        assert_admits(&definition, admitted);
        assert_refuses(&definition, Rule::Pattern, pattern, refused);
    }
    let code = defined(DefinitionSpec::string("code").pattern("[A-Z]{3}"));
    let message = bind(&code, "ab\n").expect_err("lower case").to_string();
    assert_eq!(message, "`code` takes only what matches `[A-Z]{3}` in full, not \"ab\\n\"");
}

#[test]
fn a_pattern_that_is_none_by_itself_is_refused_with_the_reason() {
    for (pattern, reason) in [
        ("a)|(b", "unopened group"),
        ("a)", "unopened group"),
        ("(a", "unclosed group"),
        ("[a", "unclosed character class"),
        ("*", "repetition operator missing expression"),
        ("a{2,1}", "invalid repetition count range, the start must be <= the end"),
        ("(?=a)", "look-around, including look-ahead and look-behind, is not supported"),
        (r"(a)\1", "backreferences are not supported"),
        (r"\", "incomplete escape sequence, reached end of pattern prematurely"),
        ("(?x)(a # b)", "unclosed group"),
    ] {
        let violation = refusal(DefinitionSpec::string("code").pattern(pattern));
        assert_eq!(data(&[violation]), [(Rule::Grammar, &*format!("a regular expression as its pattern ({reason})"), pattern)]);
    }
    let message = refusal(DefinitionSpec::string("code").pattern("a)|(b")).to_string();
    assert_eq!(message, "`code` takes a regular expression as its pattern (unopened group), not \"a)|(b\"");
    for deep in ["(".repeat(2000) + &")".repeat(2000), "(?:".repeat(1000) + "a" + &")".repeat(1000)] {
        assert!(matches!(refusal(DefinitionSpec::string("code").pattern(deep)).rule, Rule::Grammar | Rule::Size));
    }
}

#[test]
fn a_pattern_is_bounded_in_its_text_and_in_what_it_compiles_to() {
    let longest = defined(DefinitionSpec::string("code").pattern("a".repeat(4096)));
    assert_admits(&longest, &[&"a".repeat(4096)]);
    let long = refusal(DefinitionSpec::string("code").pattern("a".repeat(4097)));
    assert_eq!(data(&[long]), [(Rule::Size, "at most 4096 characters of pattern", "4097")]);
    for huge in ["a{1000000}", r"\pL{50000}", "(((a{100}){100}){100}){100}", r"(?i)[\pL\pN]{20000}"] {
        let violation = refusal(DefinitionSpec::string("code").pattern(huge));
        assert_eq!(data(&[violation]), [(Rule::Size, "a pattern that compiles to at most 1048576 bytes", huge)]);
    }
    let message = refusal(DefinitionSpec::string("code").pattern("a{1000000}")).to_string();
    assert_eq!(message, "`code` takes a pattern that compiles to at most 1048576 bytes, not a{1000000}");
    let mut limits = Limits::typed();
    limits.pattern_bytes = 1;
    let error = define_with(DefinitionSpec::string("code").pattern("abc"), &limits).expect_err("too big");
    assert_eq!(error.violations()[0].rule, Rule::Size);
}

#[test]
fn a_pattern_that_would_be_catastrophic_elsewhere_answers_at_once() {
    for pattern in ["(a+)+b", "(a|aa)+b", "(a*)*b", "(.*a){20}b", r"^(([a-z])+.)+[A-Z]([a-z])+$"] {
        let definition = defined(DefinitionSpec::string("code").pattern(pattern));
        let begun = Instant::now();
        assert_refuses(&definition, Rule::Pattern, pattern, &[&"a".repeat(4096)]);
        assert!(begun.elapsed() < Duration::from_secs(5), "{pattern}: {:?}", begun.elapsed());
    }
}

#[test]
fn choices_admit_equal_values_and_no_others() {
    let tier = defined(DefinitionSpec::string("tier").choices(["silver", "gold", "Gold", "", "'; --"]));
    assert_admits(&tier, &["gold", "Gold", "silver", "", "'; --"]);
    let limit = "`silver`, `gold`, `Gold`, ``, `'; --`";
    assert_refuses(&tier, Rule::Choices, limit, &["GOLD", " gold", "bronze"]);
    assert_eq!(bind(&tier, "bronze").expect_err("none").to_string(), format!("`tier` takes only {limit}, not \"bronze\""));

    let rate = defined(DefinitionSpec::decimal("rate").choices([decimal("1.50"), decimal("-2"), decimal("0")]));
    assert_admits(&rate, &["1.5", "1.500", "-2.0", "-0"]);
    assert_refuses(&rate, Rule::Choices, "`1.50`, `-2`, `0`", &["1.51", "2"]);

    let date = defined(DefinitionSpec::date("t").choices([day("2024-02-29")]));
    assert_admits(&date, &["2024-02-29"]);
    assert_refuses(&date, Rule::Choices, "`2024-02-29`", &["2024-03-01"]);

    let many = defined(DefinitionSpec::integer("many").choices(0..10));
    assert_refuses(&many, Rule::Choices, "`0`, `1`, `2`, `3`, `4`, `5`, `6`, `7` and 2 more", &["10"]);

    let long = defined(DefinitionSpec::string("long").choices(["x".repeat(4096)]));
    assert!(bind(&long, "y").expect_err("none").to_string().len() < 300);
}

#[test]
fn five_thousand_choices_are_admitted_and_one_more_is_refused() {
    let definition = defined(DefinitionSpec::integer("n").choices(0..5000));
    assert_admits(&definition, &["0", "4999"]);
    assert_eq!(bind(&definition, "5000").expect_err("none").rule, Rule::Choices);
    let violation = refusal(DefinitionSpec::integer("n").choices(0..5001));
    assert_eq!(violation.to_string(), "`n` takes at most 5000 choices, not 5001");
    let mut limits = Limits::typed();
    limits.choices = 2;
    assert!(define_with(DefinitionSpec::integer("n").choices(0..2), &limits).is_ok());
    let error = define_with(DefinitionSpec::integer("n").choices(0..3), &limits).expect_err("three");
    assert_eq!(data(error.violations()), [(Rule::Size, "at most 2 choices", "3")]);
}

#[test]
fn choices_that_are_one_value_are_refused_however_they_are_written() {
    let violation = refusal(DefinitionSpec::decimal("rate").choices([decimal("1.5"), decimal("2"), decimal("1.50")]));
    assert_eq!(violation.rule, Rule::Contradiction);
    let message = violation.to_string();
    assert!(
        ["1.5", "1.50"]
            .map(|twice| format!("`rate` has rules that contradict each other: choices differ, but {twice} is there twice"))
            .contains(&message),
        "{message}"
    );
    assert_eq!(refusal(DefinitionSpec::string("tier").choices(["a", "b", "a"])).found, "a is there twice");
    assert_eq!(
        refusal(DefinitionSpec::decimal("d").choices([decimal("0"), Value::from(-Decimal::ZERO)])).rule,
        Rule::Contradiction
    );
    defined(DefinitionSpec::string("tier").choices(["a", "A", "é", "e\u{301}"]));
}

#[test]
fn each_rule_is_refused_on_every_type_that_it_has_no_meaning_for() {
    type With = fn(DefinitionSpec) -> DefinitionSpec;
    let ordered = "DECIMAL, INTEGER and DATE";
    let rules: [(&str, &str, With); 7] = [
        ("a minimum", ordered, |spec| spec.minimum(0)),
        ("a maximum", ordered, |spec| spec.maximum(0)),
        ("a least number of characters", "STRING", |spec| spec.minimum_chars(0)),
        ("a greatest number of characters", "STRING", |spec| spec.maximum_chars(9)),
        ("a number of fraction digits", "DECIMAL", |spec| spec.fraction_digits(2)),
        ("a pattern", "STRING", |spec| spec.pattern("a")),
        ("a list of choices", "STRING, DECIMAL, INTEGER and DATE", |spec| spec.choices([true, false])),
    ];
    for (what, types, with) in rules {
        for data_type in DataType::ALL {
            let spec = with(DefinitionSpec::new("a", data_type));
            if types.contains(data_type.as_str()) {
                let refused = define(spec).err().map(|error| error.violations().iter().map(|v| v.rule).collect::<Vec<_>>());
                assert!(refused.is_none_or(|rules| !rules.contains(&Rule::Applicable)), "{what} on {data_type}");
            } else {
                assert_eq!(data(&refusals(spec)), [(Rule::Applicable, types, &*format!("{what} on {data_type}"))]);
            }
        }
    }
    let message = refusal(DefinitionSpec::boolean("vip").pattern("x")).to_string();
    assert_eq!(message, "`vip` has a rule that makes sense for STRING only: a pattern on BOOLEAN");
    for data_type in DataType::ALL {
        defined(DefinitionSpec::new("a", data_type).required().unique());
    }
}

#[test]
fn a_bound_is_a_value_of_the_type_itself() {
    for (spec, found) in [
        (DefinitionSpec::integer("n").minimum(decimal("1.5")), "a minimum of type DECIMAL"),
        (DefinitionSpec::decimal("n").maximum(1), "a maximum of type INTEGER"),
        (DefinitionSpec::date("n").minimum("2024-01-01"), "a minimum of type STRING"),
    ] {
        let violation = refusal(spec);
        assert_eq!((violation.rule, violation.found.as_str()), (Rule::DataType, found));
    }
    let spec = DefinitionSpec::decimal("n").minimum(Decimal::MIN).maximum(Decimal::MAX);
    assert_eq!(refusals(spec).iter().map(|v| v.rule).collect::<Vec<_>>(), [Rule::Range, Rule::Range]);
}

#[test]
fn a_value_that_the_definition_declares_is_named_where_its_type_is_wrong() {
    let host = Attributes::new(MemoryStore::new());
    let customers = host.of("customer").expect("a type");
    let spec = || DefinitionSpec::string("tier");
    for (declared, said) in [
        (spec().default_value("5"), "`tier` is INTEGER, but was given a default of type STRING"),
        (spec().choices(["5"]), "`tier` is INTEGER, but was given a choice of type STRING"),
        (spec().example("5"), "`tier` is INTEGER, but was given an example of type STRING"),
        (DefinitionSpec::decimal("tier").minimum(decimal("1.5")), "`tier` is INTEGER, but was given a minimum of type DECIMAL"),
        (DefinitionSpec::decimal("tier").maximum(decimal("1.5")), "`tier` is INTEGER, but was given a maximum of type DECIMAL"),
    ] {
        customers.define(declared).expect("a definition");
        let refused =
            customers.change("tier", |spec| spec.of_type(DataType::Integer)).apply().expect_err("it is of the old type");
        assert_eq!(refused.to_string(), said);
        customers.delete("tier").expect("a deletion");
    }
}

#[test]
fn rules_that_no_value_could_meet_together_are_refused() {
    let cases = [
        (DefinitionSpec::integer("n").minimum(2).maximum(1), "the minimum is 2", "the maximum is 1"),
        (
            DefinitionSpec::decimal("n").minimum(decimal("1.51")).maximum(decimal("1.5")),
            "the minimum is 1.51",
            "the maximum is 1.5",
        ),
        (
            DefinitionSpec::date("n").minimum(day("2024-01-02")).maximum(day("2024-01-01")),
            "the minimum is 2024-01-02",
            "the maximum is 2024-01-01",
        ),
        (DefinitionSpec::string("n").minimum_chars(2).maximum_chars(1), "at least 2 characters", "at most 1"),
        (
            DefinitionSpec::decimal("n").minimum(decimal("0.001")).maximum(decimal("0.009")).fraction_digits(2),
            "at most 2 fraction digits",
            "none such lies from 0.001 to 0.009",
        ),
        (
            DefinitionSpec::decimal("n").minimum(decimal("-0.9")).maximum(decimal("-0.1")).fraction_digits(0),
            "at most 0 fraction digits",
            "none such lies from -0.9 to -0.1",
        ),
        (
            DefinitionSpec::string("n").unique().default_value("x"),
            "no two entities hold equal values",
            "all that hold none read the default x",
        ),
    ];
    for (spec, limit, found) in cases {
        let violation = refusal(spec);
        assert_eq!(violation.to_string(), format!("`n` has rules that contradict each other: {limit}, but {found}"));
        assert_eq!(data(&[violation]), [(Rule::Contradiction, limit, found)]);
    }
    defined(DefinitionSpec::decimal("n").minimum(decimal("0.001")).maximum(decimal("0.01")).fraction_digits(2));
    defined(DefinitionSpec::decimal("n").minimum(decimal("-0.9")).maximum(decimal("0.1")).fraction_digits(0));
    defined(DefinitionSpec::decimal("n").minimum(decimal("1.50")).maximum(decimal("1.5")).fraction_digits(1));
}

#[test]
fn a_definition_that_refuses_its_own_default_choice_or_example_is_refused() {
    let cases: [(DefinitionSpec, Rule, &str, &str); 9] = [
        (DefinitionSpec::integer("n").minimum(1).default_value(0), Rule::Minimum, "1", "0"),
        (DefinitionSpec::integer("n").default_value("1"), Rule::DataType, "INTEGER", "a default of type STRING"),
        (DefinitionSpec::string("n").choices(["a"]).default_value("b"), Rule::Choices, "`a`", "b"),
        (DefinitionSpec::integer("n").maximum(1).choices([1, 2]), Rule::Maximum, "1", "2"),
        (DefinitionSpec::string("n").pattern("a+").choices(["a", "b"]), Rule::Pattern, "a+", "b"),
        (DefinitionSpec::string("n").pattern("a+").example("ab"), Rule::Pattern, "a+", "ab"),
        (DefinitionSpec::string("n").example("a\0"), Rule::Characters, "any character but NUL", "U+0000"),
        (DefinitionSpec::string("n").maximum_chars(2).default_value("abc"), Rule::MaximumChars, "2", "3"),
        (DefinitionSpec::decimal("n").fraction_digits(1).example(decimal("0.25")), Rule::FractionDigits, "1", "0.25"),
    ];
    for (spec, rule, limit, found) in cases {
        let violation = refusal(spec);
        assert_eq!(violation.attribute.as_deref(), Some("n"));
        assert_eq!(data(&[violation]), [(rule, limit, found)]);
    }
    defined(DefinitionSpec::integer("n").minimum(1).maximum(1).choices([1]).default_value(1).example(1));
}

#[test]
fn the_values_of_a_definition_are_kept_as_any_value_is() {
    let forms: [(Decimal, &str); 4] = [
        (-Decimal::ZERO, "0"),
        (-Decimal::new(0, 2), "0.00"),
        (Decimal::new(150, 2), "1.50"),
        // 29 digits are one more than a value has, but these zeros carry nothing.
        (Decimal::from_i128_with_scale(10_i128.pow(28), 28), "1"),
    ];
    for (given, kept) in forms {
        let spec =
            DefinitionSpec::decimal("n").default_value(given).choices([given]).example(given).minimum(given).maximum(given);
        let definition = defined(spec);
        let rules = definition.rules();
        let own = [&rules.default, &rules.minimum, &rules.maximum].into_iter().flatten();
        let own = own.chain(&rules.choices).chain(&definition.documentation().examples);
        assert_eq!(own.map(Value::to_string).collect::<Vec<_>>(), [kept; 5]);
        // As in a store that keeps it as text.
        let json = serde_json::to_string(definition.spec()).expect("JSON");
        let again: DefinitionSpec = serde_json::from_str(&json).expect("a declaration");
        assert_eq!(format!("{:?}", again), format!("{:?}", definition.spec()));
    }
}

#[test]
fn all_that_is_wrong_with_a_definition_is_said_at_once_and_names_it() {
    let spec = DefinitionSpec::string(" bad[name] ")
        .minimum(1)
        .fraction_digits(2)
        .minimum_chars(9)
        .maximum_chars(8)
        .pattern("(")
        .description("a\0b")
        .example("0123456789");
    let violations = refusals(spec);
    let rules: Vec<_> = violations.iter().map(|violation| violation.rule).collect();
    assert_eq!(
        rules,
        [
            Rule::NameCharacters,
            Rule::Applicable,
            Rule::Applicable,
            Rule::Contradiction,
            Rule::Characters,
            Rule::Grammar,
            Rule::MaximumChars
        ]
    );
    assert!(violations.iter().all(|violation| violation.attribute.as_deref() == Some(" bad[name] ")), "{violations:?}");

    let violations = refusals(DefinitionSpec::integer(" n ").minimum(5).default_value(1).choices([2, 7, 3]).example(4));
    assert!(violations.iter().all(|violation| violation.attribute.as_deref() == Some("n")));
    let found: Vec<_> = violations.iter().map(|violation| (violation.rule, violation.found.as_str())).collect();
    assert_eq!(found, [(Rule::Minimum, "2"), (Rule::Minimum, "3"), (Rule::Minimum, "1"), (Rule::Minimum, "4")]);
}

#[test]
fn an_error_spells_out_five_violations_and_counts_the_rest() {
    let error = define(DefinitionSpec::integer("n").maximum(0).choices(1..=7)).expect_err("seven are too great");
    assert_eq!(error.violations().len(), 7);
    let message = error.to_string();
    let first: Vec<_> = (1..=5).map(|n| format!("`n` takes no more than 0, not {n}")).collect();
    assert_eq!(message, first.join("; ") + "; and 2 more");
}

#[test]
fn the_documentation_is_bounded_at_its_edges() {
    let (edge, past) = ("é".repeat(4096), "é".repeat(4097));
    defined(DefinitionSpec::string("a").description(&*edge).group(&*edge).used_by(&*edge).example(&edge));
    for (spec, limit) in [
        (DefinitionSpec::string("a").description(&*past), "at most 4096 characters of description"),
        (DefinitionSpec::string("a").group(&*past), "at most 4096 characters of group"),
        (DefinitionSpec::string("a").used_by(&*past), "at most 4096 characters of dependent"),
    ] {
        assert_eq!(data(&refusals(spec)), [(Rule::Size, limit, "4097")]);
    }
    for (spec, limit) in [
        (DefinitionSpec::string("a").description("\0"), "any character but NUL in its description"),
        (DefinitionSpec::string("a").group("a\0"), "any character but NUL in its group"),
        (DefinitionSpec::string("a").used_by("\0b"), "any character but NUL in its dependent"),
        (DefinitionSpec::string("a").pattern("a\0"), "any character but NUL in its pattern"),
    ] {
        assert_eq!(data(&refusals(spec)), [(Rule::Characters, limit, "U+0000")]);
    }
    let with = |n: i64| (0..n).fold(DefinitionSpec::integer("a"), |spec, i| spec.example(i).used_by(format!("system {i}")));
    defined(with(100));
    let refused = refusals(with(101));
    assert_eq!(data(&refused), [(Rule::Size, "at most 100 examples", "101"), (Rule::Size, "at most 100 dependents", "101")]);
    assert_eq!(refused[0].to_string(), "`a` takes at most 100 examples, not 101");
    let mut limits = Limits::typed();
    limits.documentation_chars = 3;
    let spec = DefinitionSpec::string("a").example("abcd").example("abc").description("abcd");
    let error = define_with(spec, &limits).expect_err("long");
    let longer = [(Rule::Size, "at most 3 characters of description", "4"), (Rule::Size, "at most 3 characters of example", "4")];
    assert_eq!(data(error.violations()), longer);
}

#[test]
fn a_host_that_allows_shorter_strings_refuses_longer_limits_values_and_defaults() {
    let limits = Limits::key_value();
    let free = define_with(DefinitionSpec::string("note"), &limits).expect("no rules");
    assert!(free.bind("é".repeat(150).into(), &limits).is_ok());
    let violation = free.bind("é".repeat(151).into(), &limits).expect_err("long");
    assert_eq!(violation.to_string(), "`note` takes at most 150 characters, not 151");
    assert!(define_with(DefinitionSpec::string("note").minimum_chars(150).maximum_chars(150), &limits).is_ok());
    let error = define_with(DefinitionSpec::string("note").maximum_chars(151), &limits).expect_err("wide");
    assert_eq!(error.to_string(), "`note` takes at most 150 characters as a limit, not 151");
    assert!(define_with(DefinitionSpec::string("note").default_value("x".repeat(151)), &limits).is_err());
    let error = define(DefinitionSpec::string("note").minimum_chars(4097)).expect_err("wide");
    assert_eq!(error.to_string(), "`note` takes at most 4096 characters as a limit, not 4097");
}

#[test]
fn limits_can_be_set_lower_than_their_bound_and_never_higher_or_to_nothing() {
    assert!(Limits::typed().check().is_ok() && Limits::key_value().check().is_ok());
    assert_eq!(Limits::default(), Limits::typed());
    type Set = fn(&mut Limits, usize);
    let each: [(&str, usize, Set); 7] = [
        ("name_chars", 256, |l, n| l.name_chars = n),
        ("string_chars", 4096, |l, n| l.string_chars = n),
        ("choices", 5000, |l, n| l.choices = n),
        ("pattern_bytes", 1_048_576, |l, n| l.pattern_bytes = n),
        ("documentation_chars", 4096, |l, n| l.documentation_chars = n),
        ("documentation_items", 100, |l, n| l.documentation_items = n),
        ("commit_chars", 1024, |l, n| l.commit_chars = n),
    ];
    for (field, bound, set) in each {
        let check = |n| {
            let mut limits = Limits::typed();
            set(&mut limits, n);
            limits.check()
        };
        assert!(check(1).is_ok() && check(bound).is_ok(), "{field}");
        for wrong in [0, bound + 1, usize::MAX] {
            let error = check(wrong).expect_err(field);
            assert_eq!(data(error.violations()), [(Rule::Limits, &*format!("1 to {bound} as {field}"), &*wrong.to_string())]);
        }
    }
    let mut limits = Limits::typed();
    (limits.name_chars, limits.choices) = (257, 0);
    let message = limits.check().expect_err("two").to_string();
    assert_eq!(message, "the settings take 1 to 256 as name_chars, not 257; the settings take 1 to 5000 as choices, not 0");
}

#[test]
fn what_happens_to_undefined_names_is_chosen_for_the_store_and_for_each_type() -> Result<(), Box<dyn std::error::Error>> {
    let site = EntityType::new("site")?;
    let json = r#"{"string_chars":150,"undefined":"reject","undefined_of":{"site":{"define_as_string":{"max_chars":150}}}}"#;
    let limits: Limits = serde_json::from_str(json)?;
    assert_eq!(limits.undefined_for(&customer()), Undefined::Reject);
    assert_eq!(limits.undefined_for(&site), Undefined::DefineAsString { max_chars: 150 });
    assert!(limits.check().is_ok());
    assert_eq!(serde_json::from_str::<Limits>(&serde_json::to_string(&limits)?)?, limits);
    assert_eq!(serde_json::from_str::<Limits>("{}")?, Limits::typed());
    for (max_chars, good) in [(0, false), (1, true), (150, true), (151, false)] {
        let mut limits = Limits::key_value();
        limits.undefined_of.insert(site.clone(), Undefined::DefineAsString { max_chars });
        assert_eq!(limits.check().is_ok(), good, "{max_chars}");
    }
    for json in [
        r#"{"strings":1}"#,
        r#"{"name_chars":-1}"#,
        r#"{"undefined":"ignore"}"#,
        r#"{"undefined":{"define_as_string":{"max_chars":150,"max":1}}}"#,
        r#"{"undefined_of":{"2":"reject"}}"#,
    ] {
        assert!(serde_json::from_str::<Limits>(json).is_err(), "{json}");
    }
    Ok(())
}

#[test]
fn a_declaration_in_json_is_flat_and_leaves_out_what_is_not_set() -> Result<(), Box<dyn std::error::Error>> {
    let spec = DefinitionSpec::decimal("rate")
        .required()
        .default_value(decimal("1.50"))
        .minimum(decimal("0"))
        .maximum(decimal("9.99"))
        .fraction_digits(2)
        .choices([decimal("1.50"), decimal("2")])
        .description("per month")
        .group("billing")
        .example(decimal("2"))
        .used_by("invoices");
    let json = concat!(
        r#"{"name":"rate","data_type":"DECIMAL","required":true,"default":"1.50","minimum":"0","maximum":"9.99","fraction_digits":2,"#,
        r#""choices":["1.50","2"],"description":"per month","group":"billing","examples":["2"],"used_by":["invoices"]}"#
    );
    assert_eq!(serde_json::to_string(&spec)?, json);
    assert_eq!(serde_json::from_str::<DefinitionSpec>(json)?, spec);
    assert_eq!(serde_json::to_string(&DefinitionSpec::date("a"))?, r#"{"name":"a","data_type":"DATE"}"#);
    for spec in [
        DefinitionSpec::date("a").minimum(day("0001-01-01")).maximum(day("9999-12-31")).unique(),
        DefinitionSpec::boolean("a").default_value(false),
        DefinitionSpec::integer("a").minimum(i64::MIN).maximum(i64::MAX),
        DefinitionSpec::string("a").pattern("a\\d \"").minimum_chars(1).maximum_chars(2).choices(["7", "true"]),
        DefinitionSpec::string("'; DROP TABLE x").default_value("2024-01-01"),
    ] {
        let back: DefinitionSpec = serde_json::from_str(&serde_json::to_string(&spec)?)?;
        assert_eq!(back, spec);
    }
    Ok(())
}

#[test]
fn a_declaration_in_json_with_an_unknown_field_or_a_wrong_literal_is_refused() {
    assert_json_refused::<DefinitionSpec>(&[
        (r#"{"name":"a","data_type":"STRING","maxLength":3}"#, "unknown field `maxLength`"),
        (r#"{"name":"a","data_type":"STRING","name":"b"}"#, "duplicate field `name`"),
        (r#"{"data_type":"STRING"}"#, "missing field `name`"),
        (r#"{"name":"a"}"#, "missing field `data_type`"),
        (r#"{"name":"a","data_type":"string"}"#, "unknown variant `string`"),
        (r#"{"name":"a","data_type":"DECIMAL","default":1.5}"#, "a decimal is written as text, to stay exact"),
        (
            r#"{"name":"a","data_type":"DECIMAL","default":-9223372036854775808}"#,
            "`a` takes -9223372036854775807 to 9223372036854775807",
        ),
        (r#"{"name":"a","data_type":"DECIMAL","default":"1e5"}"#, "`a` takes a decimal number"),
        (r#"{"name":"a","data_type":"INTEGER","default":9223372036854775808}"#, "an integer of 64 bits"),
        (r#"{"name":"a","data_type":"INTEGER","default":true}"#, "`a` is INTEGER, but was given BOOLEAN"),
        (r#"{"name":"a","data_type":"STRING","default":1}"#, "`a` is STRING, but was given INTEGER"),
        (r#"{"name":"a","data_type":"DATE","minimum":"2023-02-29"}"#, "`a` takes a real day as YYYY-MM-DD, not \"2023-02-29\""),
        (r#"{"name":"a","data_type":"STRING","default":"\ud83d"}"#, "hex escape"),
        (r#"{"name":"a","data_type":"STRING","default":["x"]}"#, "invalid type: sequence"),
        (r#"{"name":"a","data_type":"STRING","minimum_chars":-1}"#, "invalid value"),
    ]);
    let json = r#"{"name":"a","data_type":"DATE","minimum":"x","maximum":"y","choices":["z"]}"#;
    let error = serde_json::from_str::<DefinitionSpec>(json).expect_err("three").to_string();
    assert!(["\"x\"", "\"y\"", "\"z\""].iter().all(|found| error.contains(found)), "all at once: {error}");
}

#[test]
fn a_definition_in_json_is_its_declaration_with_its_id_type_and_stamps() -> Result<(), Box<dyn std::error::Error>> {
    let stamp =
        Stamp { commit: custom_attributes::CommitId::new(3), at: "2025-01-04T10:30:00.000001Z".parse()?, by: Some("ann".into()) };
    let definition = defined(DefinitionSpec::integer(" n ").minimum(0)).stamped(stamp.clone(), stamp.clone());
    assert_eq!((definition.created(), definition.modified()), (&stamp, &stamp));
    let stamped = r#"{"commit":3,"at":"2025-01-04T10:30:00.000001Z","by":"ann"}"#;
    let json = format!(
        r#"{{"id":1,"entity_type":"customer","name":"n","data_type":"INTEGER","minimum":0,"created":{stamped},"modified":{stamped}}}"#
    );
    assert_eq!(serde_json::to_string(&definition)?, json);
    Ok(())
}

#[test]
fn a_definition_declares_itself_again() {
    let spec = DefinitionSpec::string(" Tier ")
        .choices(["b", "a"])
        .default_value("a")
        .description("d")
        .group("g")
        .used_by("u")
        .required();
    let definition = defined(spec.clone());
    assert_eq!(definition.spec(), &spec.named("Tier"));
    assert_eq!(defined(definition.spec().clone()), definition);
    assert_eq!(definition.rules().choices, [Value::from("b"), Value::from("a")], "choices keep their order");
    assert_eq!(definition.documentation().group.as_deref(), Some("g"));
    assert_eq!(
        (definition.entity_type(), definition.data_type(), definition.name().key()),
        (&customer(), DataType::String, "tier")
    );
}

fn catalog(names: &[&str]) -> Catalog {
    let define = |(n, name): (usize, &&str)| {
        let id = DefinitionId::new(u32::try_from(n).expect("few") + 1);
        Definition::new(id, customer(), DefinitionSpec::string(*name), &Limits::typed()).expect("a definition")
    };
    let last = DefinitionId::new(u32::try_from(names.len()).expect("few"));
    Catalog::load(Revision::new(1), last, names.iter().enumerate().map(define)).expect("a catalog")
}

#[test]
fn a_catalog_finds_a_name_in_every_spelling_and_only_in_its_own_type() {
    let catalog = catalog(&["Straße", "tier", "café"]);
    for (name, id) in [("STRASSE", 1), (" strasse\n", 1), ("Tier", 2), ("tier", 2), ("CAFE\u{301}", 3), ("café", 3)] {
        assert_eq!(catalog.find(&customer(), name).map(|definition| definition.id().get()), Some(id), "{name:?}");
    }
    for name in ["", "tiers", "cafe", "straſe", "\0"] {
        assert!(catalog.find(&customer(), name).is_none(), "{name:?}");
    }
    assert!(catalog.find(&EntityType::new("site").expect("a type"), "tier").is_none());
    assert_eq!(catalog.entity_types(), [&customer()]);
    assert_eq!(catalog.of(&customer()).len(), 3);
    assert_eq!(catalog.iter().count(), 3);
    assert_eq!(catalog.next_id(), Some(DefinitionId::new(4)));
}

#[test]
fn a_name_that_is_not_found_is_answered_with_those_that_resemble_it() {
    let catalog = catalog(&["support_tier", "Support Tyer", "credit_limit", "limit", "vip"]);
    let error = catalog.resolve(&customer(), "suport_tier").expect_err("misspelt");
    assert!(error.is_not_found() && error.code() == 40404);
    let message = "the attribute `suport_tier` of `customer` does not exist; did you mean `support_tier` or `Support Tyer`?";
    assert_eq!(error.to_string(), message);
    assert_eq!(catalog.near(&customer(), "LIMIT"), ["limit", "credit_limit"]);
    assert!(catalog.near(&customer(), "contract_expiry").is_empty());
    let message = catalog.resolve(&customer(), "contract_expiry").expect_err("unknown").to_string();
    assert_eq!(message, "the attribute `contract_expiry` of `customer` does not exist");
    let message = catalog.resolve(&customer(), &"x\n".repeat(1 << 19)).expect_err("unknown").to_string();
    assert!(message.len() < 700 && !message.contains('\n'), "{message}");
}

#[test]
fn a_stored_catalog_whose_definitions_cannot_stand_beside_each_other_is_damaged() {
    let define = |id: u32, name: &str| {
        Definition::new(DefinitionId::new(id), customer(), DefinitionSpec::string(name), &Limits::typed()).expect("a definition")
    };
    let load = |last: u32, list: Vec<Definition>| Catalog::load(Revision::new(1), DefinitionId::new(last), list);
    assert!(load(2, vec![define(1, "a"), define(2, "b")]).is_ok());
    for (last, list) in [
        (2, vec![define(1, "a"), define(1, "b")]),
        (2, vec![define(1, "ss"), define(2, "ß")]),
        (1, vec![define(2, "a")]),
        (1, vec![define(0, "a")]),
        (u32::MAX, vec![define(u32::MAX, "a")]),
    ] {
        let error = load(last, list).expect_err("damaged");
        assert_eq!(error.code(), 50002);
        assert!(error.to_string().contains("cannot stand beside the others"), "{error}");
    }
    let full = load(DefinitionId::MAX.get(), vec![define(DefinitionId::MAX.get(), "a")]).expect("full");
    assert_eq!(full.next_id(), None);
}

#[test]
fn a_violation_is_data_that_comes_back_from_json() -> Result<(), Box<dyn std::error::Error>> {
    let key = custom_attributes::EntityKey::new("customer", 7)?;
    let violation = Violation::new(Rule::Maximum, 10, 11).of("n").at(3, Some(&key));
    let json = concat!(
        r#"{"place":3,"entity":{"entity_type":"customer","entity_id":7},"attribute":"n","#,
        r#""rule":"maximum","limit":"10","found":"11"}"#
    );
    assert_eq!(serde_json::to_string(&violation)?, json);
    assert_eq!(serde_json::from_str::<Violation>(json)?, violation);
    assert_eq!(violation.to_string(), "change 3: customer/7: `n` takes no more than 10, not 11");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_integer_is_admitted_exactly_between_its_bounds(a in -50i64..50, b in -50i64..50, n in -60i64..60) {
        let spec = DefinitionSpec::integer("n").minimum(a).maximum(b);
        match define(spec) {
            Ok(definition) => prop_assert_eq!(definition.bind(n.into(), &Limits::typed()).is_ok(), (a..=b).contains(&n)),
            Err(error) => prop_assert!(a > b, "{}", error),
        }
    }

    #[test]
    fn bounds_and_fraction_digits_contradict_exactly_when_no_value_meets_them(a in -300i64..300, width in 0i64..120, digits in 0u32..4) {
        let thousandths = |n: i64| Decimal::new(n, 3);
        let spec = DefinitionSpec::decimal("n").minimum(thousandths(a)).maximum(thousandths(a + width)).fraction_digits(digits);
        let step = 10i64.pow(3 - digits);
        let some = (a..=a + width).any(|n| n % step == 0);
        prop_assert_eq!(define(spec).is_ok(), some);
    }

    #[test]
    fn a_text_is_admitted_exactly_within_its_lengths(text in "[aé💰]{0,6}", a in 0u32..6, b in 0u32..6) {
        if let Ok(definition) = define(DefinitionSpec::string("n").minimum_chars(a).maximum_chars(b)) {
            let chars = u32::try_from(text.chars().count()).expect("few");
            prop_assert_eq!(definition.bind(text.into(), &Limits::typed()).is_ok(), (a..=b).contains(&chars));
        } else {
            prop_assert!(a > b);
        }
    }

    #[test]
    fn a_decimal_is_admitted_exactly_with_few_enough_digits(number in -100_000i64..100_000, scale in 0u32..5, digits in 0u32..5) {
        let definition = defined(DefinitionSpec::decimal("n").fraction_digits(digits));
        let fits = scale <= digits || number % 10i64.pow(scale - digits) == 0;
        prop_assert_eq!(definition.bind(Decimal::new(number, scale).into(), &Limits::typed()).is_ok(), fits);
    }

    #[test]
    fn a_choice_is_admitted_exactly_if_it_is_listed(choices in proptest::collection::btree_set(-20i64..20, 1..10), n in -20i64..20) {
        let definition = defined(DefinitionSpec::integer("n").choices(choices.iter().rev().copied()));
        prop_assert_eq!(definition.bind(n.into(), &Limits::typed()).is_ok(), choices.contains(&n));
    }

    #[test]
    fn a_pattern_of_a_quoted_text_admits_that_text_alone(text in "\\PC{0,8}", other in "\\PC{0,8}") {
        let quoted: String = text.chars().map(|c| format!("\\x{{{:x}}}", u32::from(c))).collect();
        let definition = defined(DefinitionSpec::string("n").pattern(quoted));
        prop_assert!(definition.bind(text.as_str().into(), &Limits::typed()).is_ok());
        prop_assert_eq!(definition.bind(other.as_str().into(), &Limits::typed()).is_ok(), text == other);
    }

    #[test]
    fn any_declaration_comes_back_from_json_as_it_went(name in any::<String>(), text in proptest::option::of(any::<String>()), n in any::<i64>(), digits in any::<u32>(), flag: bool) {
        let mut spec = DefinitionSpec::integer(name).minimum(n).default_value(n).choices([n]).example(n).fraction_digits(digits);
        spec.documentation.description.clone_from(&text);
        spec.rules.pattern = text;
        spec.rules.required = flag;
        let json = serde_json::to_string(&spec).expect("serialises");
        prop_assert_eq!(serde_json::from_str::<DefinitionSpec>(&json).expect("reads back"), spec);
    }

    #[test]
    fn any_pattern_is_a_rule_or_a_refusal_and_never_a_panic(pattern in "[a-c()|?*+{}\\[\\]^$.#\\\\ \\n1x:]{0,12}", text in "[a-c#\\n ]{0,4}") {
        match define(DefinitionSpec::string("n").pattern(pattern.as_str())) {
            Ok(definition) => {
                let admitted = definition.bind(text.as_str().into(), &Limits::typed()).is_ok();
                // Without flags of its own, the plain wrapping says what a full match is.
                if !pattern.contains("(?") {
                    let plain = regex::Regex::new(&format!(r"\A(?:{pattern})\z")).expect("compiles");
                    prop_assert_eq!(admitted, plain.is_match(&text));
                }
            }
            Err(error) => prop_assert!(matches!(error.violations()[0].rule, Rule::Grammar | Rule::Size)),
        }
    }
}
