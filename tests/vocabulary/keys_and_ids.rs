//! The laws of entity types, entity ids, keys, and the numbers inside a store.

use std::collections::HashSet;

use custom_attributes::{
    Clock, CommitId, DefinitionId, EntityId, EntityKey, EntityType, Instant, IntoEntityId, IntoEntityKey, ManualClock, Ordinal,
    Revision, Rule, ValueId,
};
use proptest::prelude::*;

use crate::refusals::{assert_json_refused, only};

fn id(text: &str) -> EntityId {
    EntityId::parse(text).unwrap_or_else(|error| panic!("{text:?} should be an id: {error}"))
}

const ENTITY_ID: &str = "an integer of 64 bits, or a text of 1 to 255 characters without control characters";
const ENTITY_TYPE: &str = "1 to 64 of A-Z a-z 0-9 _ - . and first a letter";

#[test]
fn an_entity_type_is_1_to_64_of_its_characters_and_first_a_letter() {
    for text in ["a", "Z", "customer", "Customer", "a1", "a_b-c.d", "a.", &"x".repeat(64)] {
        assert_eq!(EntityType::new(text).expect(text).as_str(), text);
    }
    let long = "x".repeat(65);
    for text in [
        "",
        " ",
        "1a",
        "_a",
        "-a",
        ".a",
        "a b",
        " a",
        "a ",
        "a\0",
        "a\n",
        "a/b",
        "a:b",
        "a'b",
        "é",
        "aé",
        "ａ",
        "a\u{200b}",
        "a;DROP TABLE x",
        &long,
    ] {
        let violation = only(&EntityType::new(text).expect_err(text));
        assert_eq!((violation.rule, violation.limit.as_str()), (Rule::EntityType, ENTITY_TYPE));
        assert_eq!(violation.found, text);
    }
    let message = EntityType::new("2nd customer").expect_err("a digit first").to_string();
    assert_eq!(message, "an entity type is 1 to 64 of A-Z a-z 0-9 _ - . and first a letter, not \"2nd customer\"");
}

#[test]
fn entity_types_differ_by_case() {
    assert_ne!(EntityType::new("customer").ok(), EntityType::new("Customer").ok());
}

#[test]
fn a_text_that_is_the_canonical_form_of_an_i64_is_that_integer() {
    for number in [0, 1, -1, 9, 10, 123, -123, i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1] {
        let from_text = id(&number.to_string());
        assert_eq!(from_text, EntityId::from(number));
        assert_eq!((from_text.as_integer(), from_text.as_text()), (Some(number), None));
    }
}

#[test]
fn a_text_that_only_resembles_an_integer_stays_a_text() {
    for text in [
        "007",
        "00",
        "-0",
        "+1",
        "-",
        "--1",
        "-01",
        " 1",
        "1 ",
        "1.0",
        "1e5",
        "1_000",
        "0x1",
        "٣",
        "１",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999",
        "NaN",
    ] {
        assert_eq!((id(text).as_integer(), id(text).as_text()), (None, Some(text)));
        assert_eq!(id(text).to_string(), text);
    }
}

#[test]
fn a_text_id_has_1_to_255_characters_and_none_is_a_control() {
    for text in ["a", " ", "a b", "é", "名前", "💰", "a/b", "x'; DROP TABLE entity; --", "\u{200b}", "{}"] {
        assert_eq!(id(text).as_text(), Some(text));
    }
    for unit in ["x", "é", "名", "💰", "1"] {
        assert_eq!(id(&unit.repeat(255)).as_text(), Some(unit.repeat(255).as_str()));
        let violation = only(&EntityId::parse(&unit.repeat(256)).expect_err(unit));
        assert_eq!((violation.rule, violation.limit.as_str()), (Rule::EntityId, ENTITY_ID));
        assert!(violation.found.ends_with("… (256 characters)"), "{}", violation.found);
    }
    for text in ["", "\0", "a\0b", "a\n", "\t", "\u{7f}", "\u{85}", "\u{1b}[31m"] {
        let violation = only(&EntityId::parse(text).expect_err(text));
        assert_eq!((violation.rule, violation.found.as_str()), (Rule::EntityId, text));
    }
    let message = EntityId::parse("a\0b").expect_err("a NUL").to_string();
    assert_eq!(message, format!("an entity id is {ENTITY_ID}, not \"a\\0b\""));
    assert!(EntityId::parse(&"x".repeat(1 << 20)).expect_err("long").to_string().len() < 400);
}

#[test]
fn text_ids_are_compared_as_they_are() {
    let all = ["a", "A", "é", "e\u{301}", "ß", "ss", "1.0", "01"].map(id);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
}

#[test]
fn integers_sort_by_number_and_before_texts_which_sort_by_code_point() {
    let ids = ["-9223372036854775808", "-2", "0", "9", "10", " ", "007", "9223372036854775808", "A", "a", "é"].map(id);
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
}

#[test]
fn every_integer_of_rust_that_fits_becomes_an_id_and_a_wider_one_is_refused() {
    let all = [
        7i8.into_entity_id(),
        7i16.into_entity_id(),
        7i32.into_entity_id(),
        7i64.into_entity_id(),
        7u8.into_entity_id(),
        7u16.into_entity_id(),
        7u32.into_entity_id(),
        7u64.into_entity_id(),
        "7".into_entity_id(),
        "7".to_owned().into_entity_id(),
        (&"7".to_owned()).into_entity_id(),
        id("7").into_entity_id(),
        (&id("7")).into_entity_id(),
    ];
    for each in all {
        assert_eq!(each.expect("fits"), EntityId::from(7));
    }
    assert_eq!((i64::MAX as u64).into_entity_id().ok(), Some(EntityId::from(i64::MAX)));
    let violation = only(&(i64::MAX as u64 + 1).into_entity_id().expect_err("too wide"));
    assert_eq!((violation.rule, violation.found.as_str()), (Rule::EntityId, "9223372036854775808"));
}

#[test]
fn an_id_in_json_is_a_number_or_a_text_and_is_checked() -> Result<(), Box<dyn std::error::Error>> {
    for (json, same) in [
        ("123", "123"),
        ("\"123\"", "123"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775807", "9223372036854775807"),
        ("\"007\"", "\"007\""),
        ("\"9223372036854775808\"", "\"9223372036854775808\""),
        ("\"é\"", "\"é\""),
    ] {
        let id: EntityId = serde_json::from_str(json)?;
        assert_eq!(serde_json::to_string(&id)?, same);
    }
    assert_json_refused::<EntityId>(&[
        ("9223372036854775808", "an entity id is an integer of 64 bits with a sign, not \"9223372036854775808\""),
        ("1.0", "an integer of 64 bits or a text"),
        ("true", "an integer of 64 bits or a text"),
        ("null", "an integer of 64 bits or a text"),
        ("\"\"", "an entity id is"),
        ("\"a\\u0000\"", "an entity id is"),
        ("\"\\udfff\"", "surrogate"),
    ]);
    Ok(())
}

#[test]
fn a_key_is_its_type_and_its_id_in_every_form() -> Result<(), Box<dyn std::error::Error>> {
    let key = EntityKey::new("customer", 123)?;
    assert_eq!(key, EntityKey::new("customer", "123")?);
    assert_eq!(key, ("customer", 123u64).into_entity_key()?);
    assert_eq!(key, (key.entity_type(), key.id()).into_entity_key()?);
    assert_eq!(key, (&key).into_entity_key()?);
    assert_eq!(key, EntityKey::of(EntityType::new("customer")?, EntityId::from(123)));
    assert_eq!(key.to_string(), "customer/123");
    let json = r#"{"entity_type":"customer","entity_id":123}"#;
    assert_eq!(serde_json::to_string(&key)?, json);
    assert_eq!(serde_json::from_str::<EntityKey>(json)?, key);
    for json in
        [r#"{"entity_type":"2","entity_id":1}"#, r#"{"entity_type":"customer","entity_id":""}"#, r#"{"entity_type":"customer"}"#]
    {
        assert!(serde_json::from_str::<EntityKey>(json).is_err(), "{json}");
    }
    assert_ne!(key, EntityKey::new("site", 123)?);
    assert_eq!(only(&EntityKey::new("", 1).expect_err("no type")).rule, Rule::EntityType);
    assert_eq!(only(&EntityKey::new("customer", "").expect_err("no id")).rule, Rule::EntityId);
    Ok(())
}

#[test]
fn a_value_id_is_positive_and_below_2_to_the_53_at_both_ends() {
    let first = ValueId::of(Ordinal::new(1), DefinitionId::new(1));
    let last = ValueId::of(Ordinal::MAX, DefinitionId::MAX);
    assert_eq!((first.get(), last.get()), ((1 << 20) + 1, (1 << 52) - 1));
    assert_eq!((last.ordinal(), last.definition()), (Ordinal::MAX, DefinitionId::MAX));
    for id in [first, last] {
        assert_eq!(ValueId::new(id.get()).ok(), Some(id));
    }
}

#[test]
fn a_number_that_no_value_can_have_is_no_value_id() {
    for number in [0, 1, 7, (1 << 20) - 1, 1 << 20, 2 << 20, 1 << 52, (1 << 52) + 1, 1 << 53, u64::MAX] {
        let violation = only(&ValueId::new(number).expect_err("no value's"));
        assert_eq!((violation.rule, violation.limit.as_str()), (Rule::ValueId, "1048577 to 4503599627370495"));
        assert_eq!(violation.found, number.to_string());
        assert!(serde_json::from_str::<ValueId>(&number.to_string()).is_err());
    }
    let message = ValueId::new(0).expect_err("none").to_string();
    assert_eq!(message, "a value id is a number from 1048577 to 4503599627370495, not 0");
    assert!(serde_json::from_str::<ValueId>("1048577.5").is_err());
}

#[test]
fn ordinals_and_definition_ids_count_up_to_their_last_and_no_further() {
    assert_eq!(Ordinal::MAX.get(), 4_294_967_295);
    assert_eq!(Ordinal::new(4_294_967_294).next(), Some(Ordinal::MAX));
    assert_eq!(Ordinal::MAX.next(), None);
    assert_eq!(DefinitionId::MAX.get(), 1_048_575);
    assert_eq!(DefinitionId::new(1_048_574).next(), Some(DefinitionId::MAX));
    assert_eq!(DefinitionId::MAX.next(), None);
    assert_eq!(Revision::ABSENT.next(), Revision::new(1));
}

#[test]
fn numbers_in_json_are_bare() -> Result<(), serde_json::Error> {
    assert_eq!(serde_json::to_string(&(CommitId::new(1), Revision::new(2), Ordinal::new(3), DefinitionId::new(4)))?, "[1,2,3,4]");
    assert_eq!(serde_json::to_string(&ValueId::of(Ordinal::new(1), DefinitionId::new(7)))?, "1048583");
    assert_eq!(serde_json::from_str::<Revision>("18446744073709551615")?.get(), u64::MAX);
    assert!(serde_json::from_str::<Ordinal>("4294967296").is_err());
    assert!(serde_json::from_str::<Ordinal>("-1").is_err());
    Ok(())
}

#[test]
fn a_manual_clock_stands_still_keeps_microseconds_and_moves_both_ways() -> Result<(), Box<dyn std::error::Error>> {
    let start: Instant = "2025-01-04T10:30:00.123456789Z".parse()?;
    let clock = ManualClock::at(start);
    assert_eq!(serde_json::to_string(&clock.now())?, "\"2025-01-04T10:30:00.123456Z\"");
    assert_eq!(clock.now(), clock.now());
    clock.advance_micros(-1);
    assert_eq!(serde_json::to_string(&clock.now())?, "\"2025-01-04T10:30:00.123455Z\"");
    clock.set("1969-12-31T23:59:59.9999999Z".parse()?);
    assert_eq!(serde_json::to_string(&clock.now())?, "\"1969-12-31T23:59:59.999999Z\"");
    Ok(())
}

#[test]
fn a_manual_clock_that_is_moved_too_far_stops_at_the_end_of_time() -> Result<(), Box<dyn std::error::Error>> {
    let clock = ManualClock::at("2025-01-04T10:30:00Z".parse()?);
    clock.advance_micros(i64::MAX);
    let end = clock.now();
    assert!(end > "9999-12-31T23:59:59Z".parse::<Instant>()?, "{end}");
    clock.advance_micros(i64::MAX);
    assert_eq!(clock.now(), end);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_integer_and_its_text_are_one_id(number in any::<i64>()) {
        prop_assert_eq!(EntityId::parse(&number.to_string()).expect("an id"), EntityId::from(number));
    }

    #[test]
    fn an_id_prints_as_it_parses_and_comes_back_from_json(text in prop_oneof!["\\PC{1,20}", "-?[0-9]{1,22}", any::<String>()]) {
        if let Ok(id) = EntityId::parse(&text) {
            prop_assert_eq!(id.to_string(), text.clone());
            prop_assert_eq!(id.as_integer().is_some(), text.parse::<i64>().is_ok_and(|number| number.to_string() == text));
            let json = serde_json::to_string(&id).expect("serialises");
            prop_assert_eq!(serde_json::from_str::<EntityId>(&json).expect("reads back"), id);
        } else {
            prop_assert!(text.is_empty() || text.chars().any(char::is_control) || text.chars().count() > 255);
        }
    }

    #[test]
    fn ids_are_equal_exactly_when_their_texts_are(a in "-?[0-9a]{1,3}", b in "-?[0-9a]{1,3}") {
        prop_assert_eq!(id(&a) == id(&b), a == b);
    }

    #[test]
    fn a_value_id_gives_back_what_it_was_made_of(ordinal in 1u32.., definition in 1u32..=1_048_575) {
        let id = ValueId::of(Ordinal::new(ordinal), DefinitionId::new(definition));
        prop_assert!(id.get() > 0 && id.get() < 1 << 53);
        prop_assert_eq!(ValueId::new(id.get()).expect("a value's"), id);
        prop_assert_eq!((id.ordinal().get(), id.definition().get()), (ordinal, definition));
        let json = serde_json::to_string(&id).expect("serialises");
        prop_assert_eq!(serde_json::from_str::<ValueId>(&json).expect("reads back"), id);
    }

    #[test]
    fn every_number_is_a_value_id_that_comes_apart_and_together_or_is_refused(number in any::<u64>(), shift in 0u32..64) {
        if let Ok(id) = ValueId::new(number >> shift) {
            prop_assert_eq!(ValueId::of(id.ordinal(), id.definition()), id);
        }
    }
}
