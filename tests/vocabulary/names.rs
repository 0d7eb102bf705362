//! The laws of names: which are names, which are the same, and what a refusal says.

use custom_attributes::{Definition, DefinitionId, DefinitionSpec, EntityType, Error, Limits, Name, Rule, Violation};
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use crate::refusals::{assert_json_refused, only};

fn name(text: &str) -> Name {
    Name::new(text).unwrap_or_else(|error| panic!("{text:?} should be a name: {error}"))
}

fn refusal(text: &str) -> Violation {
    let error = Name::new(text).expect_err(text);
    assert!(error.is_invalid() && error.code() == 40000, "{error:?}");
    only(&error)
}

fn assert_refused(text: &str, rule: Rule, limit: &str, found: &str) {
    let violation = refusal(text);
    assert_eq!((violation.rule, violation.limit.as_str(), violation.found.as_str()), (rule, limit, found), "{text:?}");
}

const CHARACTERS: &str = "no control, format, private-use or unassigned characters and none of { } [ ]";

/// Each row is one name in several spellings.
const SAME: &[&[&str]] = &[
    &["tier", "Tier", "TIER", " tier ", "\t\u{a0}tier\u{3000}\n"],
    &["straße", "STRASSE", "Strasse", "STRAẞE", "straſſe"],
    &["K", "k", "\u{212a}"],
    &["Å", "å", "\u{212b}", "A\u{30a}", "a\u{30a}"],
    &["ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ", "ὀδυσσεύσ"],
    &["café", "cafe\u{301}", "CAFÉ", "CAFE\u{301}"],
    &["ﬁscal", "fiscal", "FISCAL"],
    &["ẖ", "h\u{331}", "H\u{331}"],
    &["ǰ", "J\u{30c}"],
    &["ŉ", "ʼn", "ʼN"],
    &["İ", "I\u{307}", "i\u{307}"],
    &["ᾳ", "ᾼ", "α\u{345}", "ΑΙ", "αι"],
    &["각", "\u{1100}\u{1161}\u{11a8}"],
    &["Ω", "\u{2126}", "ω"],
    &["q\u{307}\u{323}", "Q\u{323}\u{307}"],
    &["ꭰ", "Ꭰ"],
    &["ǆ", "ǅ", "Ǆ"],
    &["µ", "μ", "Μ"],
];

/// In each row every name is another one.
const DIFFERENT: &[&[&str]] = &[
    &["i", "ı", "İ", "í", "ì"],
    &["tier", "tier s", "ti er", "ti  er", "ti-er", "ti_er", "tiers"],
    &["s", "ss", "sss"],
    &["a", "ａ", "а", "ª"],
    &["2", "²", "②", "٢"],
    &["ff", "f"],
    &["cafe", "café", "cafè"],
    &["e\u{301}\u{323}", "e\u{301}", "e\u{323}"],
];

#[test]
fn names_are_the_same_in_every_case_composition_and_spelling_of_unicode() {
    for row in SAME {
        for a in *row {
            for b in *row {
                assert_eq!(name(a), name(b), "{a:?} and {b:?}");
                assert_eq!(name(a).key(), name(b).key(), "{a:?} and {b:?}");
                assert_eq!(Name::key_of(a), name(b).key(), "{a:?} and {b:?}");
            }
        }
    }
}

#[test]
fn names_that_only_look_alike_or_differ_by_a_locales_rules_are_different() {
    for row in DIFFERENT {
        for (i, a) in row.iter().enumerate() {
            for b in &row[i + 1..] {
                assert_ne!(name(a), name(b), "{a:?} and {b:?}");
            }
        }
    }
}

#[test]
fn a_name_is_shown_as_it_was_given_but_trimmed_and_composed() {
    for (given, shown) in [
        ("Contract Expiry Date", "Contract Expiry Date"),
        ("  Contract  Expiry\u{a0}Date ", "Contract  Expiry\u{a0}Date"),
        ("\r\n\t Tier \u{2003}\u{85}", "Tier"),
        ("Cafe\u{301}", "Café"),
        ("Straße", "Straße"),
        ("\u{212a}", "K"),
        ("'; DROP TABLE definition; --", "'; DROP TABLE definition; --"),
        ("%s%n\\\"`$(rm)<b>", "%s%n\\\"`$(rm)<b>"),
        ("名前", "名前"),
        ("شارع", "شارع"),
        ("💰", "💰"),
        ("❤\u{fe0f}", "❤\u{fe0f}"),
        (".", "."),
        ("0", "0"),
    ] {
        assert_eq!(name(given).as_str(), shown);
        assert_eq!(name(given).to_string(), shown);
    }
}

#[test]
fn a_name_has_1_to_256_characters_counted_after_composition() {
    for unit in ["x", "é", "名", "💰", "e\u{301}", "\u{1100}\u{1161}\u{11a8}", "\u{3b1}\u{313}\u{301}\u{345}"] {
        assert_eq!(name(&unit.repeat(256)).as_str().chars().count(), 256, "{unit:?}");
        assert_refused(&unit.repeat(257), Rule::NameLength, "1 to 256", "257");
        assert_eq!(name(&format!("  {}\n", unit.repeat(256))), name(&unit.repeat(256)));
    }
    // These do not compose to one character: each counts as two.
    assert_eq!(name(&"x\u{301}".repeat(128)).as_str().chars().count(), 256);
    assert_refused(&"x\u{301}".repeat(129), Rule::NameLength, "1 to 256", "258");
    // U+0958 is one character that composition takes apart into two.
    assert_eq!(name(&"\u{958}".repeat(128)).as_str().chars().count(), 256);
    assert_refused(&"\u{958}".repeat(129), Rule::NameLength, "1 to 256", "258");
    // The key may be longer than the name: the limit is the name's.
    assert_eq!(name(&"ΐ".repeat(256)).as_str().chars().count(), 256);
    assert_eq!(name(&"ß".repeat(256)).key(), "ss".repeat(256));
}

#[test]
fn a_name_of_nothing_but_white_space_is_empty() {
    for text in ["", " ", "\t\r\n", "\u{a0}\u{2003}\u{3000}\u{2028}"] {
        assert_refused(text, Rule::NameLength, "1 to 256", "0");
    }
    assert_eq!(refusal(" ").to_string(), "` ` is not a name: a name has 1 to 256 characters, not 0");
}

#[test]
fn a_megabyte_of_text_is_refused_as_a_name_with_a_short_message() {
    let violation = refusal(&"x".repeat(1 << 20));
    assert_eq!((violation.rule, violation.found.as_str()), (Rule::NameLength, "1048576"));
    let begin = "x".repeat(80);
    let message = format!("`{begin}… (1048576 characters)` is not a name: a name has 1 to 256 characters, not 1048576");
    assert_eq!(violation.to_string(), message);
    for text in ["e\u{301}".repeat(1 << 18), "\u{1d15f}".repeat(1 << 18), "\u{301}".repeat(1 << 19)] {
        assert_eq!(refusal(&text).rule, Rule::NameLength);
    }
    assert_eq!(name(&format!("{0}x{0}", " ".repeat(1 << 20))).as_str(), "x");
}

#[test]
fn a_character_that_cannot_be_seen_or_has_no_meaning_is_refused_and_named() {
    for (c, found) in [
        ('\0', "U+0000"),
        ('\u{1}', "U+0001"),
        ('\t', "U+0009"),
        ('\n', "U+000A"),
        ('\u{1b}', "U+001B"),
        ('\u{7f}', "U+007F"),
        ('\u{85}', "U+0085"),
        ('\u{ad}', "U+00AD"),
        ('\u{61c}', "U+061C"),
        ('\u{180e}', "U+180E"),
        ('\u{200b}', "U+200B"),
        ('\u{200c}', "U+200C"),
        ('\u{200d}', "U+200D"),
        ('\u{200e}', "U+200E"),
        ('\u{200f}', "U+200F"),
        ('\u{202a}', "U+202A"),
        ('\u{202e}', "U+202E"),
        ('\u{2060}', "U+2060"),
        ('\u{2066}', "U+2066"),
        ('\u{2069}', "U+2069"),
        ('\u{feff}', "U+FEFF"),
        ('\u{fff9}', "U+FFF9"),
        ('\u{e000}', "U+E000"),
        ('\u{f8ff}', "U+F8FF"),
        ('\u{f0000}', "U+F0000"),
        ('\u{10fffd}', "U+10FFFD"),
        ('\u{378}', "U+0378"),
        ('\u{fdd0}', "U+FDD0"),
        ('\u{fffe}', "U+FFFE"),
        ('\u{ffff}', "U+FFFF"),
        ('\u{e0001}', "U+E0001"),
        ('\u{e007f}', "U+E007F"),
        ('\u{10ffff}', "U+10FFFF"),
        ('{', "U+007B"),
        ('}', "U+007D"),
        ('[', "U+005B"),
        (']', "U+005D"),
    ] {
        assert_refused(&format!("a{c}b"), Rule::NameCharacters, CHARACTERS, found);
    }
    assert_refused("{{name}}", Rule::NameCharacters, CHARACTERS, "U+007B");
}

#[test]
fn a_refusal_spells_out_what_cannot_be_seen_so_that_no_message_lies_or_breaks_its_line() {
    let message = refusal("zero\u{200b}width").to_string();
    assert_eq!(message, format!("`zero\\u{{200b}}width` is not a name: a name has {CHARACTERS}; found U+200B"));
    let message = refusal("a\nERROR \u{202e}evil\0").to_string();
    assert_eq!(message, format!("`a\\u{{a}}ERROR \\u{{202e}}evil\\u{{0}}` is not a name: a name has {CHARACTERS}; found U+000A"));
    assert_eq!(refusal("zero\u{200b}width").attribute.as_deref(), Some("zero\u{200b}width"), "the data is as it was given");
}

#[test]
fn every_character_alone_either_makes_a_name_that_keeps_all_the_laws_or_is_refused() {
    let mut names = 0;
    // All that fold or compose; of ideographs, syllables and the empty planes a sample.
    let all = ('\0'..='\u{33ff}').chain('\u{a000}'..='\u{abff}').chain('\u{f900}'..='\u{1ffff}').chain('\u{e0000}'..='\u{e01ff}');
    for c in all.chain(('\u{3400}'..=char::MAX).step_by(97)) {
        let text = c.to_string();
        let Ok(name) = Name::new(&text) else { continue };
        names += 1;
        assert_eq!(name.as_str(), text.nfc().collect::<String>());
        assert_laws(&name);
        assert_eq!(name, self::name(&text.nfd().collect::<String>()));
    }
    assert!(names > 30_000, "{names}");
}

#[test]
fn the_laws_hold_for_letters_under_the_marks_that_fold_or_move() {
    let marks = ['\u{301}', '\u{307}', '\u{308}', '\u{30c}', '\u{313}', '\u{323}', '\u{331}', '\u{342}', '\u{345}'];
    for c in ('a'..='\u{24f}').chain('\u{370}'..='\u{52f}').chain('\u{1e00}'..='\u{1fff}').filter(|c| c.is_alphabetic()) {
        for first in marks {
            for second in ['\u{301}', '\u{323}', '\u{345}'] {
                let text: String = [c, first, second].iter().collect();
                let Ok(name) = Name::new(&text) else { continue };
                assert_laws(&name);
                assert_eq!(name, self::name(&text.nfd().collect::<String>()), "{text:?}");
            }
        }
    }
}

fn assert_laws(name: &Name) {
    let shown = name.as_str();
    assert_eq!(Name::new(shown).expect("a name as shown is a name").as_str(), shown);
    assert_eq!(Name::key_of(shown), name.key(), "{shown:?}");
    assert_eq!(Name::key_of(name.key()), name.key(), "the key of a key is itself: {shown:?}");
}

#[test]
fn names_sort_and_hash_by_their_key() {
    let mut names: Vec<Name> = ["b", "A", "C", "a "].map(name).into();
    names.sort();
    assert_eq!(names.iter().map(Name::as_str).collect::<String>(), "AabC");
    let set: std::collections::HashSet<Name> = SAME.concat().iter().map(|text| name(text)).collect();
    assert_eq!(set.len(), SAME.len());
}

#[test]
fn a_name_in_json_is_its_text_and_is_checked() -> Result<(), Box<dyn std::error::Error>> {
    assert_eq!(serde_json::to_string(&name(" Cafe\u{301} "))?, r#""Café""#);
    assert_eq!(serde_json::from_str::<Name>(r#"" Caf\u0065\u0301 ""#)?.as_str(), "Café");
    assert_json_refused::<Name>(&[
        (r#""a\u0000b""#, "found U+0000"),
        (r#""a\u202eb""#, "found U+202E"),
        (r#""\ud800""#, "hex escape"),
        (r#""\udc00x""#, "surrogate"),
        (r#""""#, "a name has 1 to 256 characters, not 0"),
        ("7", "invalid type"),
        ("null", "invalid type"),
    ]);
    Ok(())
}

#[test]
fn a_host_may_allow_fewer_characters_and_the_message_says_how_many() {
    let mut limits = Limits::typed();
    limits.name_chars = 3;
    let define = |name: &str| {
        let entity_type = EntityType::new("customer").expect("a type");
        Definition::new(DefinitionId::new(1), entity_type, DefinitionSpec::string(name), &limits)
    };
    assert!(define("abc").is_ok());
    assert!(define(" e\u{301}e\u{301}e\u{301} ").is_ok());
    let error = define("abcd").expect_err("too long");
    assert_eq!(error.to_string(), "`abcd` is not a name: a name has 1 to 3 characters, not 4");
    let error: Error = define(&"x".repeat(1 << 20)).expect_err("too long");
    assert!(error.to_string().len() < 300, "{error}");
}

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => any::<char>().prop_map(String::from),
        4 => proptest::char::range(' ', '~').prop_map(String::from),
        2 => proptest::char::range('\u{a0}', '\u{24f}').prop_map(String::from),
        2 => proptest::char::range('\u{300}', '\u{36f}').prop_map(String::from),
        2 => proptest::char::range('\u{1f00}', '\u{1fff}').prop_map(String::from),
        1 => proptest::char::range('\u{1100}', '\u{11ff}').prop_map(String::from),
        1 => proptest::sample::select(SAME.concat()).prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_name_that_keeps_the_laws_or_is_refused_for_a_reason(text in text()) {
        match Name::new(&text) {
            Ok(name) => {
                assert_laws(&name);
                prop_assert_eq!(name.as_str(), text.trim().nfc().collect::<String>());
                let json = serde_json::to_string(&name).expect("serialises");
                let back: Name = serde_json::from_str(&json).expect("reads back");
                prop_assert_eq!(back.as_str(), name.as_str());
            }
            Err(error) => prop_assert!(matches!(error.violations()[0].rule, Rule::NameLength | Rule::NameCharacters)),
        }
    }

    #[test]
    fn the_composed_and_the_decomposed_spelling_are_one_name(text in text()) {
        let (nfc, nfd): (String, String) = (text.nfc().collect(), text.nfd().collect());
        prop_assert_eq!(Name::key_of(&nfc), Name::key_of(&nfd));
        match (Name::new(&nfc), Name::new(&nfd)) {
            (Ok(a), Ok(b)) => prop_assert_eq!(a.as_str(), b.as_str()),
            (Err(_), Err(_)) => {}
            (a, b) => prop_assert!(false, "{a:?} but {b:?}"),
        }
    }

    #[test]
    fn names_are_equal_exactly_when_their_keys_are(a in text(), b in text()) {
        if let (Ok(a), Ok(b)) = (Name::new(&a), Name::new(&b)) {
            prop_assert_eq!(a == b, a.key() == b.key());
            prop_assert_eq!(a.cmp(&b), a.key().cmp(b.key()));
            prop_assert_eq!(a == b, b == a);
        }
    }

    #[test]
    fn ascii_names_are_equal_exactly_when_they_are_without_their_case(a in "[ -Z^-z|~]{1,4}", b in "[ -Z^-z|~]{1,4}") {
        if let (Ok(x), Ok(y)) = (Name::new(&a), Name::new(&b)) {
            prop_assert_eq!(x == y, a.trim().eq_ignore_ascii_case(b.trim()));
            let upper = Name::new(&a.to_uppercase()).expect("a name");
            prop_assert_eq!(x, upper);
        }
    }
}
