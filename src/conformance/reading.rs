//! Reading many: in the order of the question, page by page, counted right.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::attributes::Attributes;
use crate::conformance::Store;
use crate::conformance::plain::Plain;
use crate::conformance::support::{
    ALONE, ORDER, customer, entity_type, host, key, must, read_value, refused, same, snapshot, typed,
};
use crate::error::Error;
use crate::model::{Catalog, CommitId, DataType, DefinitionId, DefinitionSpec, EntityRecord, EntityType, Ordinal, Value};
use crate::store::Snapshot;

const PAGED: &str = "answer up to `limit` entities that hold a value, of the type asked for, with ordinals greater than `after`, in their order; \
                     pass over emptied ones before the limit is counted";

/// Two types, every data type, emptied entities, gaps, values that were given up.
pub(super) fn mixed(store: &Store) -> Attributes<&Store> {
    let host = host(store);
    let names = ["s", "d", "i", "b", "t"];
    for of in ["customer", "person"] {
        let specs = DataType::ALL.into_iter().zip(names).map(|(data_type, name)| DefinitionSpec::new(name, data_type));
        must(
            typed(&host, of).ensure(specs.map(|spec| if spec.name == "b" { spec } else { spec.unique() })),
            "definitions are made",
        );
    }
    let batch = (0..120u32).fold(host.batch(), |batch, n| {
        let entity = key(if n % 3 == 0 { "person" } else { "customer" }, n);
        let batch = batch.set(entity.clone(), "s", format!("text {n}")).set_text(entity.clone(), "d", format!("{n}.50"));
        let batch = batch.set(entity.clone(), "b", n % 2 == 0);
        if n % 4 == 0 {
            batch.set(entity, "i", n)
        } else {
            batch.set_text(entity, "t", format!("2024-{:02}-{:02}", n % 12 + 1, n / 12 + 1))
        }
    });
    must(batch.commit(), "values are set");
    let batch = (0..120u32)
        .step_by(7)
        .fold(host.batch(), |batch, n| batch.remove(key(if n % 3 == 0 { "person" } else { "customer" }, n)));
    must(batch.commit(), "entities are removed");
    let batch = (1..120u32)
        .step_by(11)
        .fold(host.batch(), |batch, n| batch.clear(key(if n % 3 == 0 { "person" } else { "customer" }, n), "s"));
    must(batch.commit(), "values are cleared");
    must(typed(&host, "customer").set(1, "s", "text 7"), "a value that was given up is taken");
    host
}

/// Many entities in one call: in the order of the question, twice where asked twice, none where there is none.
pub fn many_are_read_in_order(store: &Store) {
    let promise = "`read` answers in the order of the question, twice where asked twice, with none for what was never written";
    mixed(store);
    let snapshot = snapshot(store);
    let asked = [
        customer(2),
        key("person", 3),
        customer(99_999),
        customer(2),
        key("person", 2),
        customer(1),
        customer("2"),
        customer("x"),
        key("site", 2),
        customer(7),
        customer(2),
    ];
    let found = must(snapshot.read(&asked), "entities are read");
    let found: Vec<_> = found.iter().map(|record| record.as_ref().map(|record| record.key().to_string())).collect();
    let there = |text: &str| Some(text.to_owned());
    let expected = [
        there("customer/2"),
        there("person/3"),
        None,
        there("customer/2"),
        None,
        there("customer/1"),
        there("customer/2"),
        None,
        None,
        there("customer/7"),
        there("customer/2"),
    ];
    same(&found, &expected, promise, ORDER);
    let nothing: [(); 0] = [];
    same(&must(snapshot.read(&[]), "nothing is read"), &nothing, promise, ORDER);
}

/// Tens of thousands in one call: no limit of a statement's parameters shows through.
pub fn very_many_are_read_in_one_call(store: &Store) {
    let promise = "`read`, `locate`, `commits` and `holders` take tens of thousands in one call";
    let advice = "ask in pieces where a statement takes only so many parameters";
    mixed(store);
    let snapshot = snapshot(store);
    let n = 40_000u32;
    let keys: Vec<_> = (0..n).map(customer).collect();
    let found = must(snapshot.read(&keys), promise);
    let there: BTreeSet<_> = found.iter().flatten().filter_map(|record| record.key().id().as_integer()).collect();
    same(&(found.len(), there.len()), &(40_000, 80), promise, advice);
    let located = must(snapshot.locate(&(0..2_000).map(Ordinal::new).collect::<Vec<_>>()), promise);
    same(&(located.len(), located.iter().flatten().count()), &(2_000, 120), promise, advice);
    let commits = must(snapshot.commits(&(0..u64::from(n)).map(CommitId::new).collect::<Vec<_>>()), promise);
    same(&(commits.len(), commits.iter().flatten().count()), &(40_000, 6), promise, advice);
    let values: Vec<_> = (0..n).map(|n| Value::from(format!("text {n}"))).collect();
    let asked: Vec<_> = values.iter().map(|value| (DefinitionId::new(1), value)).collect();
    let holders = must(snapshot.holders(&asked), promise);
    let wanted = must(snapshot.usage(DefinitionId::new(1)), "uses are counted");
    same(&(holders.len(), holders.iter().flatten().count() as u64), &(40_000, wanted), promise, advice);
}

/// Page by page, whatever the size of a page, a scan gives every entity once, in the order of ordinals.
pub fn scans_go_page_by_page(store: &Store) {
    let promise = "a scan gives each entity that holds a value once, in the order of ordinals, whatever the size of its pages";
    mixed(store);
    let snapshot = snapshot(store);
    for of in [
        None,
        Some(entity_type("customer")),
        Some(entity_type("person")),
        Some(entity_type("site")),
        Some(entity_type("Customer")),
    ] {
        let all = must(snapshot.scan(of.as_ref(), None, usize::MAX), "all entities are scanned");
        let of_type = |record: &Arc<EntityRecord>| of.as_ref().is_none_or(|of| record.key().entity_type() == of);
        let ordinals: Vec<_> = all.iter().map(|record| record.ordinal()).collect();
        let good =
            all.iter().all(|record| of_type(record) && !record.is_empty()) && ordinals.is_sorted_by(|one, other| one < other);
        same(&good, &true, promise, PAGED);
        let expected = match of.as_ref().map(EntityType::as_str) {
            None => 102,
            Some("customer") => 68,
            Some("person") => 34,
            Some(_) => 0,
        };
        same(&all.len(), &expected, promise, PAGED);
        for size in [1, 2, 3, 34, 50, 68, 101, 102, 103] {
            let (mut pages, mut after) = (Vec::new(), None);
            loop {
                let page = must(snapshot.scan(of.as_ref(), after, size), "a page is scanned");
                same(&(page.len() <= size), &true, "a page has no more than its limit", PAGED);
                let last = page.last().map(|record| record.ordinal());
                let is_last = page.len() < size;
                pages.extend(page);
                if is_last || pages.len() > all.len() {
                    break;
                }
                after = last;
            }
            same(&pages, &all, promise, PAGED);
        }
    }
    let nothing: [(); 0] = [];
    same(&must(snapshot.scan(None, Some(Ordinal::new(120)), 10), "the end is scanned"), &nothing, promise, PAGED);
    same(&must(snapshot.scan(None, Some(Ordinal::MAX), 10), "beyond the end is scanned"), &nothing, promise, PAGED);
    // Ordinal 1 was removed.
    let first = must(snapshot.scan(None, Some(Ordinal::new(0)), 1), "the first is scanned");
    same(&first.iter().map(|record| record.ordinal().get()).collect::<Vec<_>>(), &[2], promise, PAGED);
}

/// What a backend answers from an index is what the trait's own methods find by a scan.
pub fn shortcuts_agree_with_the_defaults(store: &Store) {
    let promise = "a method that a backend provides answers what the one of the trait would";
    let advice = "let an index follow every change of the records, or leave the method to the trait";
    let host = mixed(store);
    must(typed(&host, "person").delete_with_values("d"), "a definition is deleted");
    must(typed(&host, "customer").alter("i", |spec| spec.named("number")), "a definition is renamed");
    let quick = snapshot(store);
    let plain = Plain(snapshot(store));
    for of in ["customer", "person", "site"].map(entity_type) {
        same(&must(quick.count(&of), "entities are counted"), &must(plain.count(&of), "entities are counted"), promise, advice);
    }
    for definition in (0..=12).map(DefinitionId::new) {
        let (quick, plain) =
            (must(quick.usage(definition), "uses are counted"), must(plain.usage(definition), "uses are counted"));
        same(&quick, &plain, promise, advice);
    }
    let ordinals: Vec<_> = [0, 120, 121, 5, 5, 1].into_iter().chain(1..=120).chain([u32::MAX]).map(Ordinal::new).collect();
    same(
        &must(quick.locate(&ordinals), "entities are located"),
        &must(plain.locate(&ordinals), "entities are located"),
        promise,
        advice,
    );
    let records = must(plain.scan(None, None, usize::MAX), "all entities are scanned");
    let catalog = must(plain.catalog(), "the catalog is read");
    let held = records.iter().flat_map(|record| record.values()).map(|held| (held.definition, held.value.clone()));
    let absent = (0..12)
        .map(DefinitionId::new)
        .flat_map(|id| [(id, Value::from("absent")), (id, Value::from(-5)), (id, Value::from("text 0"))]);
    let values: Vec<_> = held.chain(absent).filter(|(id, _)| catalog.get(*id).is_none_or(|found| found.rules().unique)).collect();
    let asked: Vec<_> = values.iter().map(|(id, value)| (*id, value)).collect();
    let (quick, plain) =
        (must(quick.holders(&asked), "holders are looked up"), must(plain.holders(&asked), "holders are looked up"));
    same(&quick, &plain, promise, advice);
}

/// The store's shorthands answer what a snapshot of the same moment does.
pub fn shorthands_agree_with_snapshots(store: &Store) {
    let promise = "`catalog` and `read_entity` answer what a snapshot of the same moment does";
    mixed(store);
    let snapshot = snapshot(store);
    let catalog = must(snapshot.catalog(), "the catalog is read");
    let keys = [customer(1), customer(2), customer(7), key("person", 3), customer(5000), key("site", 1)];
    for (key, expected) in keys.iter().zip(must(snapshot.read(&keys), "entities are read")) {
        let (with, found) = must(store.read_entity(key), "an entity is read");
        same(&found, &expected, promise, ORDER);
        same(&with.revision(), &catalog.revision(), promise, ORDER);
        for definition in catalog.iter().map(|definition| definition.id()).chain([DefinitionId::new(5000)]) {
            let held = expected.as_ref().and_then(|record| record.value(definition));
            same(&read_value(store, key, definition).as_ref(), &held, ALONE, ORDER);
        }
        let refusal = || Error::not_found("what is looked for", Vec::new());
        let found = store.read_value(key, &mut |_| Err(refusal()));
        refused(found, Error::is_not_found, "`read_value` hands on the error of the one who looks for a definition", ORDER);
    }
    let specs = |catalog: &Catalog| catalog.iter().map(|definition| definition.spec().clone()).collect::<Vec<_>>();
    let short = must(store.catalog(), "the catalog is read");
    same(&specs(&short), &specs(&catalog), promise, ORDER);
}
