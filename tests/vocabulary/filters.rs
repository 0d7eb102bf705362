//! The language of filters: what is read, how it is printed, what a refusal says, and which entities are meant.

use custom_attributes::{
    Attributes, BoundFilter, Catalog, DefinitionSpec, EntityType, Filter, MemoryStore, Name, Query, Rule, Value, Violation, attr,
};
use proptest::prelude::*;
use rust_decimal::Decimal;
use unicode_segmentation::UnicodeSegmentation;

use crate::refusals::only;

fn read(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text:?} should be a filter: {error}"))
}

fn refusal(text: &str) -> Violation {
    only(&Filter::parse(text).expect_err(text))
}

/// Reads a text, and prints it the same.
#[track_caller]
fn assert_same(text: &str) {
    assert_eq!(read(text).to_string(), text);
}

#[test]
fn canonical_texts_are_printed_as_they_were_read() {
    for text in [
        "tier = 'premium'",
        "tier != 'it''s'",
        "credit_limit > -10",
        "rate <= 1.50",
        "seats between 5 and 10",
        "tier in ('basic', 'premium')",
        "tier in ()",
        "churned = true",
        "tier ~= 'PREMIUM'",
        "tier starts with 'pre'",
        "tier ends with 'ium'",
        "tier contains 'em'",
        "\"Contract Expiry Date\" >= '2027-12-31'",
        "\"say \"\"so\"\"\" not exists",
        "\"and\" exists",
        "größe.in-cm = 1",
        "स्थिति = 'सक्रिय'",
        "น้ำ > 1",
        "Cafe\u{301} exists",
        "_ = 1",
        "a\u{301}\u{327}.b-c = 1",
        "\"AND\" exists",
        "\"Not\" exists",
        "\"12\" = 1",
        "\"-5\" = 1",
        "\"1.5e3\" = 1",
        "\"\u{301}a\" = 1",
        "m² = 1",
        "a = 1 and b = 2 and c = 3",
        "a = 1 or b = 2 and c = 3",
        "(a = 1 or b = 2) and c = 3",
        "not a = 1 and not (b = 2 or c = 3)",
        "not not a exists",
        "a between 1 and 2 and b = 3",
        "a = ''",
        "a = 'zwei\nZeilen'",
    ] {
        assert_same(text);
    }
}

#[test]
fn spelling_is_free_where_it_says_nothing() {
    for (text, printed) in [
        ("  tier='premium'  ", "tier = 'premium'"),
        ("a=1 AND b=2 Or NOT c=3", "a = 1 and b = 2 or not c = 3"),
        ("tier STARTS   With 'x'", "tier starts with 'x'"),
        ("tier Not Exists", "tier not exists"),
        ("((a = 1))", "a = 1"),
        ("(a = 1 and b = 2) and c = 3", "a = 1 and b = 2 and c = 3"),
        ("a = 1 or (b = 2 or c = 3)", "a = 1 or b = 2 or c = 3"),
        ("(a = 1 and b = 2) or c = 3", "a = 1 and b = 2 or c = 3"),
        ("\"tier\" = 1", "tier = 1"),
        ("a=TRUE", "a = true"),
        ("a in(1,2)", "a in (1, 2)"),
        ("not(a=1)", "not a = 1"),
    ] {
        assert_eq!(read(text).to_string(), printed);
    }
}

#[test]
fn built_filters_are_those_that_are_read() {
    let day = chrono::NaiveDate::from_ymd_opt(2027, 12, 31).expect("a day");
    let expected =
        "tier = 'a' and seats >= 5 and (rate < 1.50 or due between '2027-12-31' and '2027-12-31') and not churned = true";
    let built = attr("tier").eq("a")
        & attr("seats").ge(5)
        & (attr("rate").lt(Decimal::new(150, 2)) | attr("due").between(day, day))
        & !attr("churned").eq(true);
    assert_eq!(built.to_string(), expected);
    assert_eq!(built, read(expected));
    let grouped = attr("a").exists() & (attr("b").exists() & attr("c").exists());
    assert_eq!(grouped, (attr("a").exists() & attr("b").exists()) & attr("c").exists());
}

#[test]
fn refusals_point_at_the_place() {
    for (text, position, limit, found) in [
        ("", 1, "an attribute's name, `not` or `(`", "its end"),
        ("   ", 4, "an attribute's name, `not` or `(`", "its end"),
        ("tier", 5, "a comparison such as `=`, `in`, `between`, `contains` or `exists`", "its end"),
        ("tier premium", 6, "a comparison such as `=`, `in`, `between`, `contains` or `exists`", "`premium`"),
        ("tier = premium", 8, "a value (a text or a date in single quotes)", "`premium`"),
        ("tier == 'x'", 7, "a value", "`=`"),
        ("tier = \"x\"", 8, "a value", "the name `x`"),
        ("größe = ", 9, "a value", "its end"),
        ("tier = 'x", 8, "another ' to close the one", "its end"),
        ("\"tier = 1", 1, "another \" to close the one", "its end"),
        ("a = 1 b = 2", 7, "`and`, `or` or its end", "`b`"),
        ("(a = 1", 7, "`and`, `or` or `)`", "its end"),
        ("a = 1)", 6, "`and`, `or` or its end", "`)`"),
        ("a = 1 and", 10, "an attribute's name, `not` or `(`", "its end"),
        ("and = 1", 1, "an attribute's name, `not` or `(`", "`and`"),
        ("a between 1", 12, "`and`", "its end"),
        ("a in 1", 6, "`(`", "`1`"),
        ("a in (1 2)", 9, "`,` or `)`", "`2`"),
        ("a in (1,)", 9, "a value", "`)`"),
        ("a starts 'x'", 10, "`with`", "the text 'x'"),
        ("a not 1", 7, "`exists`", "`1`"),
        ("a = 1e5", 5, "a number such as -12.50, without exponent or separators,", "`1e5`"),
        ("a = 1_000", 5, "a number such as -12.50, without exponent or separators,", "`1_000`"),
        ("a = -", 5, "a number such as -12.50, without exponent or separators,", "`-`"),
        ("a = 1.", 5, "a number such as -12.50, without exponent or separators,", "`1.`"),
        ("a = +1", 5, "a name, a value, a comparison or a parenthesis", "`+`"),
        ("(a = 1) ;", 9, "a name, a value, a comparison or a parenthesis", "`;`"),
        ("a in (1) +", 10, "a name, a value, a comparison or a parenthesis", "`+`"),
        // A person sees so many characters, and no half of one.
        ("स्थिति ! 1", 4, "a name, a value, a comparison or a parenthesis", "`!`"),
        ("a; drop table", 2, "a name, a value, a comparison or a parenthesis", "`;`"),
    ] {
        let violation = refusal(text);
        assert_eq!(violation.rule, Rule::FilterSyntax, "{text:?}");
        let said = (violation.position, violation.limit.as_str(), violation.found.as_str());
        assert_eq!(said, (Some(position), limit, found), "{text:?}");
    }
    let message = Filter::parse("tier = premium").unwrap_err().to_string();
    assert_eq!(message, "the filter expects a value (a text or a date in single quotes) at character 8, not `premium`");
}

#[test]
fn marks_belong_to_the_letters_that_they_are_on() {
    let attributes = Attributes::new(MemoryStore::new());
    let customers = attributes.of("customer").expect("a type");
    for name in ["स्थिति", "น้ำ", "Cafe\u{301}", "नाम-२", "ʻokina"] {
        customers.define(DefinitionSpec::integer(name)).expect(name);
        customers.set(1, name, 5).expect(name);
        assert_eq!(customers.count_found(read(&format!("{name} = 5"))).expect(name), 1, "{name}");
        let refused = refusal(&format!("{name} = x"));
        let seen = name.graphemes(true).count();
        assert_eq!((refused.position, refused.found.as_str()), (Some(seen + 4), "`x`"), "{name}");
    }
    // A mark on what is no letter is shown with it; so is one on a digit.
    for (text, position, found) in [
        ("a = 1 and +\u{301}\u{327} = 1", 11, "`+\u{301}\u{327}`"),
        ("a = 5e\u{301}", 5, "`5e\u{301}`"),
        ("👨\u{200d}👩\u{200d}👧 = 1", 1, "`👨\u{200d}👩\u{200d}👧`"),
        ("\"👨\u{200d}👩\u{200d}👧\" + 1", 5, "`+`"),
        ("a = 'é\r\n' +", 10, "`+`"),
    ] {
        let violation = refusal(text);
        assert_eq!((violation.position, violation.found.as_str()), (Some(position), found), "{text:?}");
    }
    // A long text is cut between two characters that a person sees.
    let long = format!("a = {}", "e\u{301}".repeat(100));
    let found = refusal(&long).found;
    assert!(found.starts_with("`e\u{301}") && found.contains("e\u{301}… ("), "{found}");
}

#[test]
fn no_size_or_depth_breaks_it() {
    let deepest = format!("{}a = 1{}", "(".repeat(Filter::MAX_DEPTH), ")".repeat(Filter::MAX_DEPTH));
    assert_eq!(read(&deepest).to_string(), "a = 1");
    for deep in ["(".repeat(Filter::MAX_DEPTH + 1), "not ".repeat(Filter::MAX_DEPTH + 1), "(".repeat(Filter::MAX_BYTES)] {
        let violation = refusal(&deep);
        assert_eq!((violation.rule, violation.limit.as_str()), (Rule::FilterSize, "at most 64 levels of parentheses and `not`"));
    }
    let longest = format!("a = '{}'", "x".repeat(Filter::MAX_BYTES - 6));
    assert_eq!(read(&longest).to_string(), longest);
    let violation = refusal(&"(".repeat(1_000_000));
    assert_eq!((violation.rule, violation.found.as_str()), (Rule::FilterSize, "1000000"));

    // Built ones are bounded when they are bound, and dropped without a stack of their own depth.
    let (catalog, of) = catalog();
    let mut built = attr("tier").exists();
    for n in 0..Filter::MAX_DEPTH {
        assert!(built.bind(&catalog, &of).is_ok(), "{n}");
        built = !built;
    }
    assert!(built.bind(&catalog, &of).is_ok());
    let deep = (0..100_000).fold(built, |filter, n| if n % 2 == 0 { !filter } else { filter & attr("seats").gt(n) });
    assert_eq!(only(&deep.bind(&catalog, &of).unwrap_err()).rule, Rule::FilterSize);
}

#[test]
fn its_serial_form_is_its_text() {
    let filter = read("tier = 'premium' and seats > 5");
    let json = serde_json::to_string(&filter).expect("it serialises");
    assert_eq!(json, r#""tier = 'premium' and seats > 5""#);
    assert_eq!(serde_json::from_str::<Filter>(&json).expect("it comes back"), filter);
    let error = serde_json::from_str::<Filter>(r#""tier =""#).unwrap_err().to_string();
    assert!(error.contains("the filter expects a value at character 7"), "{error}");
}

fn catalog() -> (std::sync::Arc<Catalog>, EntityType) {
    let attributes = Attributes::new(MemoryStore::new());
    define(&attributes);
    let of = EntityType::new("customer").expect("a type");
    (std::sync::Arc::clone(attributes.snapshot().expect("a snapshot").catalog()), of)
}

fn define(attributes: &Attributes<MemoryStore>) {
    let specs = [
        DefinitionSpec::string("tier"),
        DefinitionSpec::integer("seats"),
        DefinitionSpec::decimal("rate"),
        DefinitionSpec::boolean("churned"),
        DefinitionSpec::date("Contract Expiry Date"),
    ];
    attributes.of("customer").expect("a type").ensure(specs).expect("definitions");
}

fn bind(text: &str) -> Result<BoundFilter, Vec<Violation>> {
    let (catalog, of) = catalog();
    read(text).bind(&catalog, &of).map_err(|error| error.violations().to_vec())
}

#[test]
fn binding_says_all_that_is_wrong_and_where() {
    for (text, messages) in [
        (
            "teir = 'x' and seats > 'y'",
            &[
                "character 1: `teir` is not defined for `customer`; did you mean `tier`? If not, define it first",
                "character 24: `seats` is INTEGER, but was given the text 'y'",
            ][..],
        ),
        ("tier = 5", &["character 8: `tier` is STRING, but was given the number 5"]),
        ("tier = true", &["character 8: `tier` is STRING, but was given the truth true"]),
        ("churned = 'true'", &["character 11: `churned` is BOOLEAN, but was given the text 'true'"]),
        ("seats = 1.5", &["character 9: `seats` takes an integer such as -12, without sign + or separators, not \"1.5\""]),
        (
            "seats = 9223372036854775808",
            &["character 9: `seats` takes -9223372036854775808 to 9223372036854775807, not 9223372036854775808"],
        ),
        (
            "\"contract expiry date\" < '2023-02-29'",
            &["character 26: `Contract Expiry Date` takes a real day as YYYY-MM-DD, not \"2023-02-29\""],
        ),
        ("SEATS contains '5'", &["character 1: `seats` is INTEGER, and `contains` is asked of STRING only"]),
        ("rate starts with '5'", &["character 1: `rate` is DECIMAL, and `starts with` is asked of STRING only"]),
        (
            "rate in (1, 'x', true)",
            &[
                "character 13: `rate` is DECIMAL, but was given the text 'x'",
                "character 18: `rate` is DECIMAL, but was given the truth true",
            ],
        ),
        ("tier = 'a\0b'", &["character 8: `tier` takes any character but NUL; found U+0000"]),
    ] {
        let violations = bind(text).expect_err(text);
        assert_eq!(violations.iter().map(ToString::to_string).collect::<Vec<_>>(), messages, "{text}");
    }
    let (catalog, of) = catalog();
    let error = read("teir = 'x'").bind(&catalog, &of).unwrap_err();
    assert!(error.is_not_found() && error.is_invalid(), "{error:?}");
    let built = attr("seats").eq("five").bind(&catalog, &of).unwrap_err();
    assert_eq!(built.to_string(), "`seats` is INTEGER, but was given the text 'five'");
}

/// Three customers and one that holds nothing of this; who is meant by each filter.
#[test]
fn each_test_means_what_it_says() {
    let attributes = Attributes::new(MemoryStore::new());
    define(&attributes);
    let customers = attributes.of("customer").expect("a type");
    let rows = [
        (1, "Straße", 5, "1.50", true, "2025-01-31"),
        (2, "strand", 10, "-0.5", false, "2025-02-01"),
        (3, "", -1, "1.5", false, "9999-12-31"),
    ];
    for (id, tier, seats, rate, churned, due) in rows {
        let batch = attributes.batch().set(("customer", id), "tier", tier).set(("customer", id), "seats", seats);
        let batch = batch.set_text(("customer", id), "rate", rate).set(("customer", id), "churned", churned);
        batch.set_text(("customer", id), "contract expiry date", due).commit().expect("a commit");
    }
    customers.set(4, "seats", 7).expect("a set");
    // What is of another type, or was emptied, is never meant.
    attributes.of("person").expect("a type").define(DefinitionSpec::string("tier")).expect("a definition");
    attributes.of("person").expect("a type").set(1, "tier", "Straße").expect("a set");
    customers.set(5, "seats", 7).expect("a set");
    customers.clear(5, "seats").expect("a clear");
    for (text, ids) in [
        ("tier = 'Straße'", &[1][..]),
        ("tier = 'straße'", &[]),
        ("tier ~= 'STRASSE'", &[1]),
        ("tier != 'strand'", &[1, 3]),
        ("tier = ''", &[3]),
        ("tier < 'a'", &[1, 3]),
        ("tier starts with 'str'", &[2]),
        ("tier starts with ''", &[1, 2, 3]),
        ("tier ends with 'd'", &[2]),
        ("tier contains 'tra'", &[1, 2]),
        ("tier exists", &[1, 2, 3]),
        ("tier not exists", &[4]),
        ("not tier exists", &[4]),
        ("not tier = 'strand'", &[1, 3, 4]),
        ("seats > 5", &[2, 4]),
        ("seats >= 5", &[1, 2, 4]),
        ("seats < 5", &[3]),
        ("seats <= 5", &[1, 3]),
        ("seats between 5 and 7", &[1, 4]),
        ("seats between 7 and 5", &[]),
        ("seats in (10, 7, 7, 99)", &[2, 4]),
        ("seats in ()", &[]),
        ("not seats in ()", &[1, 2, 3, 4]),
        ("rate = 1.5", &[1, 3]),
        ("rate in (1.500)", &[1, 3]),
        ("rate != 1.5", &[2]),
        ("rate < 0", &[2]),
        ("churned = true", &[1]),
        ("churned != true", &[2, 3]),
        ("churned < true", &[2, 3]),
        ("\"Contract Expiry Date\" <= '2025-02-01'", &[1, 2]),
        ("tier exists and seats > 0", &[1, 2]),
        ("tier = 'strand' or seats = 7", &[2, 4]),
        ("seats = 5 or seats = 7 and tier exists", &[1]),
        ("(seats = 5 or seats = 7) and tier not exists", &[4]),
        ("not (tier exists and seats > 0)", &[3, 4]),
        ("not (not seats = 7)", &[4]),
    ] {
        let page = customers.find(read(text)).unwrap_or_else(|error| panic!("{text}: {error}"));
        let found: Vec<_> = page.entities.iter().filter_map(|entity| entity.key().id().as_integer()).collect();
        assert_eq!(found, ids, "{text}");
        assert_eq!(customers.count_found(read(text)).expect("a count"), ids.len() as u64, "{text}");
    }
    assert_eq!(customers.find(Query::all()).expect("a page").entities.len(), 4);
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z_][a-zA-Z0-9_.-]{0,6}",
        Just("and".to_owned()),
        Just("Contract Expiry Date".to_owned()),
        "\\PC{0,6}",
        "[\"' a]{0,4}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::Integer),
        (any::<i64>(), 0u32..=10).prop_map(|(number, scale)| Value::Decimal(Decimal::new(number, scale))),
        any::<bool>().prop_map(Value::Boolean),
        any::<String>().prop_map(Value::String),
        "['\"a ]{0,5}".prop_map(Value::String),
        (0i32..3_000_000).prop_map(|day| chrono::NaiveDate::from_num_days_from_ce_opt(day + 1).expect("a day").into()),
    ]
}

fn test() -> impl Strategy<Value = Filter> {
    (name(), 0..15, value(), value(), prop::collection::vec(value(), 0..4)).prop_map(|(name, kind, one, other, many)| {
        let attr = attr(name);
        match kind {
            0 => attr.eq(one),
            1 => attr.ne(one),
            2 => attr.lt(one),
            3 => attr.le(one),
            4 => attr.gt(one),
            5 => attr.ge(one),
            6 => attr.eq_folded(one),
            7 => attr.starts_with(one),
            8 => attr.ends_with(one),
            9 => attr.contains(one),
            10 => attr.between(one, other),
            11 => attr.is_in(many),
            12 => attr.exists(),
            _ => attr.not_exists(),
        }
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    test().prop_recursive(6, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a & b),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a | b),
            inner.prop_map(|filter| !filter),
        ]
    })
}

/// Pieces of the language, and of none.
fn scraps() -> impl Strategy<Value = String> {
    static PIECES: [&str; 26] = [
        "and", "or", "not", "(", ")", "in", "between", "exists", "starts", "with", "a", "\"b\"", "'c'", "1", "-2.5", "true", "=",
        "!=", "<=", ",", "'", "\"", "é", "\0", "~=", "contains",
    ];
    prop::collection::vec(
        (prop::sample::select(&PIECES[..]).prop_map(str::to_owned), prop::sample::select(&["", " "][..])),
        0..24,
    )
    .prop_map(|pieces| pieces.into_iter().map(|(piece, blank)| piece + blank).collect())
}

proptest! {
    #[test]
    fn what_is_printed_is_read_again(filter in filter()) {
        let text = filter.to_string();
        let again = Filter::parse(&text).map_err(|error| TestCaseError::fail(format!("{text:?}: {error}")))?;
        prop_assert_eq!(&again, &filter);
        prop_assert_eq!(again.to_string(), text);
    }

    /// Any name that can be defined can be asked for, as it is printed.
    #[test]
    fn any_legal_name_is_printed_and_read_again(text in prop_oneof![any::<String>(), "[\\p{L}\\p{M}\\p{N}_. -]{1,6}"]) {
        if let Ok(name) = Name::new(&text) {
            let filter = attr(name.as_str()).exists();
            let printed = filter.to_string();
            let again = Filter::parse(&printed).map_err(|error| TestCaseError::fail(format!("{printed:?}: {error}")))?;
            prop_assert_eq!(&again, &filter);
            prop_assert_eq!(again.to_string(), printed);
        }
    }

    #[test]
    fn any_text_is_read_or_refused_in_place(text in prop_oneof![scraps(), any::<String>()]) {
        match Filter::parse(&text) {
            Ok(filter) => prop_assert_eq!(Filter::parse(&filter.to_string()).expect("it is printed right"), filter),
            Err(error) => {
                let violation = &error.violations()[0];
                let end = text.graphemes(true).count() + 1;
                prop_assert!(violation.position.is_some_and(|position| (1..=end).contains(&position)), "{:?}", violation);
            }
        }
    }
}
