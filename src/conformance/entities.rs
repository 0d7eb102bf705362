//! Entities: their keys to the letter, and what is left of one that is emptied.

use crate::conformance::Store;
use crate::conformance::support::{
    EXACT, WHOLE, commit, customer, entity_type, held, holds, host, key, must, same, set, small, snapshot, there, typed,
};
use crate::model::{CommitId, DefinitionSpec, EntityId, EntityKey, Ordinal, Outcome, Revision};

fn define(store: &Store) {
    let specs = [DefinitionSpec::string("a"), DefinitionSpec::string("b"), DefinitionSpec::integer("n")];
    must(typed(&host(store), "customer").ensure(specs), "definitions are made");
}

/// Ids are kept apart to the last character, integers from texts, and come back as they were.
pub fn ids_are_kept_apart(store: &Store) {
    let promise = "ids that differ in anything are different entities, and come back as they were given";
    define(store);
    let longest = "𝔘".repeat(255);
    let also_long = format!("{}V", "𝔘".repeat(254));
    let texts = [
        "a",
        "A",
        "á",
        "a\u{301}",
        "a ",
        " a",
        "007",
        "7.0",
        "+7",
        "-0",
        "1e3",
        "9223372036854775808",
        "-9223372036854775809",
        "0x10",
        "ß",
        "ss",
        "SS",
        "\u{212a}",
        "K",
        "k",
        "'); DROP TABLE entity; --",
        "\"",
        "\\",
        "%",
        "_",
        "a/b",
        "/",
        "..",
        "?",
        "#",
        "NULL",
        "null",
        "😀",
        "🇩🇪",
        "\u{200b}",
        "\u{202e}",
        "\u{feff}",
        "日本語",
        "true",
        "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        &longest,
        &also_long,
    ];
    let mut keys: Vec<EntityKey> = texts.into_iter().map(customer).collect();
    keys.extend([i64::MIN, -1, 0, 1, 7, 100, (1 << 53) + 1, i64::MAX].into_iter().map(customer));
    let changes = keys.iter().enumerate().map(|(n, key)| set(store, key, "n", small::<i64>(n)));
    must(commit(store, changes), "values are set");
    let snapshot = snapshot(store);
    let read = must(snapshot.read(&keys), "entities are read");
    for (n, (record, key)) in read.iter().zip(&keys).enumerate() {
        let found = record.as_ref().map(|record| (record.key(), record.values()[0].value.to_string()));
        same(&found, &Some((key, n.to_string())), promise, EXACT);
    }
    let scanned = must(snapshot.scan(None, None, 1000), "entities are scanned");
    same(&scanned.iter().map(|record| record.key()).collect::<Vec<_>>(), &keys, promise, EXACT);
}

/// A text that is the canonical form of an integer is that integer.
pub fn integers_and_their_texts_are_one(store: &Store) {
    let promise = "123 and \"123\" are one entity";
    define(store);
    must(commit(store, [set(store, &customer(123), "b", "x")]), "a value is set");
    must(commit(store, [set(store, &customer("123"), "n", 5)]), "a value is set");
    same(&held(store, &customer("123")), &[(2, "x"), (3, "5")], promise, EXACT);
    let scanned = must(snapshot(store).scan(None, None, 10), "entities are scanned");
    same(&scanned.len(), &1, promise, EXACT);
    same(scanned[0].key().id(), &EntityId::from(123), promise, EXACT);
}

/// The same id is another entity in another type.
pub fn an_id_is_one_of_its_type(store: &Store) {
    let promise = "the same id in another entity type is another entity";
    let host = host(store);
    for of in ["customer", "person", "site"] {
        must(typed(&host, of).define(DefinitionSpec::string("a")), "a definition is made");
        must(typed(&host, of).set(1, "a", of), "a value is set");
    }
    must(typed(&host, "person").remove(1), "an entity is removed");
    same(&must(typed(&host, "customer").get::<String>(1, "a"), "a value is read"), &Some("customer"), promise, EXACT);
    same(&must(typed(&host, "person").get::<String>(1, "a"), "a value is read"), &None::<()>, promise, EXACT);
    same(&must(typed(&host, "site").get::<String>(1, "a"), "a value is read"), &Some("site"), promise, EXACT);
}

/// An emptied entity can be read, with its ordinal and revision, but is not scanned, counted or located.
pub fn an_emptied_entity_is_not_found(store: &Store) {
    let promise = "an entity whose last value is cleared keeps its ordinal and revision, and is not scanned, counted or located";
    let advice =
        "store the record that `Changes` has, empty as it is, and pass over empty records in `scan`, `count` and `locate`";
    define(store);
    let host = host(store);
    let of = typed(&host, "customer");
    must(
        host.batch().set(("customer", 1), "b", "x").set(("customer", 2), "b", "y").set(("customer", 3), "b", "z").commit(),
        "values are set",
    );
    must(of.clear(2, "b"), "a value is cleared");
    let snapshot = snapshot(store);
    let record = must(snapshot.read(&[customer(2)]), "an entity is read").pop().flatten();
    let found = record.map(|record| (record.ordinal().get(), record.revision().get(), record.values().len()));
    same(&found, &Some((2, 2, 0)), promise, advice);
    for of_type in [None, Some(&entity_type("customer"))] {
        let scanned = must(snapshot.scan(of_type, None, 10), "entities are scanned");
        same(&scanned.iter().map(|record| record.ordinal().get()).collect::<Vec<_>>(), &[1, 3], promise, advice);
    }
    same(&must(snapshot.count(&entity_type("customer")), "entities are counted"), &2, promise, advice);
    let located = must(snapshot.locate(&[Ordinal::new(2)]), "an entity is located").pop().flatten();
    let located = located.map(|record| (record.ordinal().get(), record.revision().get(), record.values().len()));
    same(&located, &found, promise, advice);
    holds(must(of.entity(2), "an entity is read").is_none(), promise, advice);
    same(&must(of.revision(2), "a revision is read"), &Revision::new(2), promise, advice);
}

/// An emptied entity that is written again goes on where it was: the same ordinal, the next revision.
pub fn an_emptied_entity_goes_on(store: &Store) {
    let promise = "an emptied entity that is written again has the same ordinal and the next revision";
    let advice = "never delete the row of an entity; its ordinal is part of the ids of its values, in history as well";
    define(store);
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.set(1, "b", "x"), "a value is set");
    must(of.remove(1), "an entity is removed");
    must(of.set(2, "b", "y"), "a value is set");
    must(of.set(1, "n", 5), "a value is set");
    let records = must(snapshot(store).read(&[customer(1), customer(2)]), "entities are read");
    let found: Vec<_> = records.iter().flatten().map(|record| (record.ordinal().get(), record.revision().get())).collect();
    same(&found, &[(1, 3), (2, 1)], promise, advice);
    let records = must(snapshot(store).scan(None, None, 10), "entities are scanned");
    same(&records.iter().map(|record| record.ordinal().get()).collect::<Vec<_>>(), &[1, 2], promise, advice);
    let created = records[0].values()[0].created;
    same(&created, &CommitId::new(5), "a value that is set anew is created anew", WHOLE);
}

/// Removing takes all values, required ones as well; of what was never written it does nothing.
pub fn removing_takes_everything(store: &Store) {
    let promise = "an entity that is removed loses every value in one commit";
    define(store);
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.alter("a", DefinitionSpec::required), "a rule is made");
    must(of.save(1, [("a", "x"), ("b", "y")]), "an entity is saved");
    let receipt = must(of.remove(1), promise);
    same(&(receipt.changes[0].outcome, receipt.entities[0].revision.get()), &(Outcome::Cleared, 2), promise, WHOLE);
    let nothing: [(); 0] = [];
    same(&held(store, &customer(1)), &nothing, promise, WHOLE);
    same(&must(of.remove(1), "an entity is removed again").commit, &None::<()>, promise, WHOLE);
    same(&must(of.remove(99), "an entity is removed that was never there").commit, &None::<()>, promise, WHOLE);
    same(&must(snapshot(store).read(&[customer(99)]), "an entity is read"), &[None::<()>], promise, WHOLE);
}

/// Saving makes the values given those that the entity holds; equal ones keep their creation.
pub fn saving_replaces_everything(store: &Store) {
    let promise = "an entity that is saved whole holds the values given and no others; equal ones do not move";
    define(store);
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.save(1, [("a", "x"), ("b", "y")]), "an entity is saved");
    let batch = host.batch().save(("customer", 1), [("a", crate::Value::from("x")), ("n", crate::Value::from(5))]);
    let receipt = must(batch.commit(), "an entity is saved");
    same(&receipt.changes[0].outcome, &Outcome::Updated, promise, WHOLE);
    same(&held(store, &key("customer", 1)), &[(1, "x"), (3, "5")], promise, WHOLE);
    let (_, record) = must(store.read_entity(&customer(1)), "an entity is read");
    let modified: Vec<_> = there(record, promise).values().iter().map(|held| (held.created.get(), held.modified.get())).collect();
    same(&modified, &[(2, 2), (3, 3)], promise, WHOLE);
}
