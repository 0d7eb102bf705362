//! Names: the same without regard to case, in all of Unicode, and shown as they were given.

use crate::conformance::Store;
use crate::conformance::support::{
    EXACT, commit, customer, define, entity_type, holds, host, must, refused_whole, same, snapshot, there, typed,
};
use crate::error::Error;
use crate::model::{DefinitionId, DefinitionSpec, Name};

const FOLDED: &str = "let `plan` decide which names are the same; where the store compares names itself, compare `Name::key` byte by byte, and \
                      never the name with a collation or `lower()`, which may know ASCII only";

/// Names that are one: ß and SS, Kelvin and K, all sigmas, composed and decomposed, capitals beyond ASCII.
const EQUAL: [[&str; 2]; 12] = [
    ["support_tier", "SUPPORT_TIER"],
    ["Straße", "STRASSE"],
    ["Maß", "maẞ"],
    ["\u{212a}elvin", "kelvin"],
    ["ὈΔΥΣΣΕΎΣ", "ὀδυσσεύς"],
    ["λόγος", "λόγοσ"],
    ["Café", "cafe\u{301}"],
    ["ÅNGSTRÖM", "a\u{30a}ngstro\u{308}m"],
    ["ЁЖИК", "ёжик"],
    ["ﬁnance", "FINANCE"],
    ["Ǆ", "ǆ"],
    ["ԱՐԵՒ", "արեւ"],
];

/// Names that look alike and are not one.
const DIFFERENT: [&str; 22] =
    ["i", "ı", "İ", "e", "é", "è", "o", "ø", "ss", "s", "a b", "ab", "a  b", "a_b", "a-b", "１", "1", "Ａ", "a", "а", "%", "a%"];

/// Names that a careless statement or path would trip over.
const AWKWARD: [&str; 14] = [
    "Robert'); DROP TABLE definitions;--",
    "\"quoted\"",
    "back\\slash",
    "per%cent_under",
    "a\u{a0}b",
    "$.\"7\"",
    "#1 & 2; 3",
    "select",
    "NULL",
    "-- comment",
    "😀🎉",
    "🇩🇪",
    "?1 :name @x $y",
    "Contract Expiry Date",
];

/// Of two names that are one, the second is refused by the store as a duplicate.
pub fn equal_names_are_one(store: &Store) {
    let promise = "a name belongs to one definition of its type, without regard to case, in all of Unicode";
    let host = host(store);
    for [first, second] in EQUAL {
        must(typed(&host, "customer").define(DefinitionSpec::string(first)), "a definition is made");
        for name in [first, second] {
            let promise = format!("{promise}: `{first}` and `{name}` are one");
            let again = || commit(store, [define(store, DefinitionSpec::string(name))]);
            let error = refused_whole(store, &[], Error::is_duplicate, &promise, again);
            holds(error.violations().len() == 1, &promise, FOLDED);
        }
    }
    let catalog = must(snapshot(store).catalog(), "the catalog is read");
    same(&catalog.of(&entity_type("customer")).len(), &EQUAL.len(), promise, FOLDED);
}

/// Names that are one find the same definition, which is shown as it was named (in Unicode's composed form, NFC).
pub fn names_are_found_in_any_spelling(store: &Store) {
    let promise = "a definition is found by every spelling of its name, and shown by the one it was given";
    let host = host(store);
    let of = typed(&host, "customer");
    for [first, second] in EQUAL {
        let made = must(of.define(DefinitionSpec::string(first)), "a definition is made");
        must(of.set(1, second, first), "a value is set under another spelling of the name");
        let catalog = must(snapshot(store).catalog(), "the catalog is read");
        let found = must(catalog.resolve(&entity_type("customer"), second), promise);
        let given = must(Name::new(first), "a name is well-formed");
        same(&(found.id(), found.name().as_str()), &(made.id(), given.as_str()), promise, FOLDED);
    }
    for [first, second] in EQUAL {
        same(&must(of.get::<String>(1, second), "a value is read"), &Some(first), promise, FOLDED);
    }
}

/// Accents, widths, scripts and the Turkish i tell names apart: no locale, no collation.
pub fn different_names_are_apart(store: &Store) {
    let promise = "names that differ by more than case are different: accents, widths, scripts, inner spaces, ı and i";
    let host = host(store);
    let of = typed(&host, "customer");
    for name in DIFFERENT {
        must(of.define(DefinitionSpec::string(name)), &format!("{promise}: `{name}` is free"));
    }
    let values = DIFFERENT.iter().fold(host.batch(), |batch, name| batch.set(("customer", 1), *name, *name));
    must(values.commit(), "values are set");
    let one = there(must(of.entity(1), "an entity is read"), promise);
    for name in DIFFERENT {
        same(&must(one.get::<String>(name), "a value is read"), &Some(name), promise, FOLDED);
    }
}

/// A name is shown as it was given, whatever is in it.
pub fn names_come_back_as_given(store: &Store) {
    let promise = "a name comes back as it was given";
    let host = host(store);
    let longest = "𝔘".repeat(256);
    let names: Vec<&str> = AWKWARD.into_iter().chain([longest.as_str(), "MiXeD CaSe"]).collect();
    let made = must(typed(&host, "customer").ensure(names.iter().copied().map(DefinitionSpec::string)), "definitions are made");
    let catalog = must(snapshot(store).catalog(), "the catalog is read");
    for (made, name) in made.iter().zip(&names) {
        same(&catalog.get(made.definition.id()).map(|found| found.name().as_str()), &Some(name), promise, EXACT);
        same(&catalog.find(&entity_type("customer"), name).map(|found| found.id()), &Some(made.definition.id()), promise, EXACT);
    }
}

/// A rename that changes only the case is fine; one to a name that is taken is not.
pub fn a_rename_minds_other_names_only(store: &Store) {
    let promise = "a rename to another spelling of the same name is done, and one to a name that is taken is refused";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("straße"), DefinitionSpec::string("tier")]), "definitions are made");
    must(of.set(1, "straße", "Hauptstr. 1"), "a value is set");
    must(of.rename("STRASSE", "Strasse"), promise);
    let catalog = must(snapshot(store).catalog(), "the catalog is read");
    same(&catalog.get(DefinitionId::new(1)).map(|found| found.name().as_str()), &Some("Strasse"), promise, FOLDED);
    same(&must(of.get::<String>(1, "straße"), "a value is read"), &Some("Hauptstr. 1"), promise, FOLDED);
    let taken = || host.batch().alter("customer", "tier", |spec| spec.named("STRAßE")).commit();
    refused_whole(store, &[customer(1)], Error::is_duplicate, promise, taken);
}
