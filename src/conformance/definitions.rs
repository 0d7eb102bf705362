//! Definitions: kept whole, numbered once, changed and deleted in one piece.

use crate::conformance::Store;
use crate::conformance::support::{
    EXACT, PLAN, WHOLE, commit, customer, define, entity_type, held, holds, host, key, must, parse, past_definitions, past_of,
    refused, refused_whole, same, set, snapshot, there, typed,
};
use crate::error::{Error, Result, Rule};
use crate::model::{CommitId, DataType, DefinitionId, DefinitionSpec, Limits, Ordinal, Outcome, Revision, Value};
use crate::store::{Change, Offending, Receipt};

fn decimal(text: &str) -> Value {
    parse(DataType::Decimal, text)
}

fn date(text: &str) -> Value {
    parse(DataType::Date, text)
}

/// One definition of each type, with every rule and every piece of documentation that there is.
pub(super) fn rich_specs() -> Vec<DefinitionSpec> {
    let text = DefinitionSpec::string("Tier 'of' \"support\"; --")
        .required()
        .minimum_chars(1)
        .maximum_chars(4096)
        .pattern(r"[\w '\\]+|😀");
    let text = text.choices(["basic", "premium \\ ' ", "😀"]).default_value("basic").description("Line one\nline two\t\u{7f}");
    let text = text.group("Überblick").example("basic").used_by("billing").used_by("'; DROP TABLE definitions; --");
    let number =
        DefinitionSpec::decimal("credit").minimum(decimal("-9223372036854775807")).maximum(decimal("9223372036854775807"));
    let number = number.fraction_digits(4).default_value(decimal("10.50")).example(decimal("1.00"));
    vec![
        text,
        number,
        DefinitionSpec::decimal("rate").choices([decimal("0.10"), decimal("0.1234567890123456789012345678")]),
        DefinitionSpec::integer("count").unique().minimum(i64::MIN).maximum(i64::MAX),
        DefinitionSpec::integer("level").choices([i64::MIN, -1, 0, i64::MAX]).default_value(i64::MAX),
        DefinitionSpec::boolean("active").default_value(false).example(true),
        DefinitionSpec::date("expiry").minimum(date("0001-01-01")).maximum(date("9999-12-31")).default_value(date("2024-02-29")),
        DefinitionSpec::string("empty").default_value("").description("").group(""),
        DefinitionSpec::string("plain"),
    ]
}

/// A fresh store is empty: revision 0, no commit, no ordinal, nothing to be read.
pub fn a_fresh_store_is_empty(store: &Store) {
    let promise = "a fresh store is empty: no definition, no commit, no entity";
    let advice = "build a fresh store for each case, and answer a question about what is not there with none, not with an error";
    let snapshot = snapshot(store);
    let catalog = must(snapshot.catalog(), "the catalog is read");
    same(&(catalog.revision(), catalog.next_id()), &(Revision::ABSENT, Some(DefinitionId::new(1))), promise, advice);
    holds(catalog.iter().next().is_none(), promise, advice);
    let marks = must(snapshot.marks(), "the marks are read");
    same(&(marks.commit, marks.ordinal), &(CommitId::new(0), Ordinal::new(0)), promise, advice);
    let commits = must(snapshot.commits(&[CommitId::new(0), CommitId::new(1), CommitId::new(u64::MAX)]), "commits are read");
    same(&commits, &[None::<()>, None, None], promise, advice);
    same(&must(snapshot.read(&[customer(1)]), "an entity is read"), &[None::<()>], promise, advice);
    same(
        &must(snapshot.locate(&[Ordinal::new(0), Ordinal::new(1), Ordinal::MAX]), "entities are located"),
        &[None::<()>; 3],
        promise,
        advice,
    );
    let asked = [(DefinitionId::new(1), &Value::Integer(1))];
    same(&must(snapshot.holders(&asked), "holders are looked up"), &[None::<()>], promise, advice);
    let nothing: [(); 0] = [];
    same(&must(snapshot.scan(None, None, 10), "entities are scanned"), &nothing, promise, advice);
    same(&past_of(&*snapshot, &customer(1)), &nothing, promise, advice);
    same(&past_definitions(&*snapshot, DefinitionId::new(1)), &nothing, promise, advice);
    same(&must(snapshot.usage(DefinitionId::new(1)), "uses are counted"), &0, promise, advice);
    same(&must(snapshot.count(&entity_type("customer")), "entities are counted"), &0, promise, advice);
}

/// Name, type, every rule and all documentation come back exactly, with the stamps of the commit.
pub fn definitions_come_back_whole(store: &Store) {
    let promise = "a definition comes back as it was made: name, type, rules, documentation, stamps";
    let advice = "keep the whole of `Definition::spec` (its serial form is exact), and both stamps beside it";
    let host = host(store);
    let declare = |batch, spec| crate::BatchBuilder::define(batch, "customer", spec);
    let receipt = must(rich_specs().into_iter().fold(host.batch().by("ann"), declare).commit(), "definitions are made");
    let catalog = must(snapshot(store).catalog(), "the catalog is read");
    for (spec, id) in rich_specs().iter().zip(1..) {
        let found = catalog.get(DefinitionId::new(id));
        let definition = there(found, promise);
        same(definition.spec(), spec, promise, advice);
        same(definition.entity_type(), &entity_type("customer"), promise, advice);
        for stamp in [definition.created(), definition.modified()] {
            same(&(stamp.commit, stamp.at, stamp.by.as_deref()), &(CommitId::new(1), receipt.at, Some("ann")), promise, advice);
        }
    }
    same(&catalog.iter().count(), &rich_specs().len(), promise, advice);
}

/// A change keeps the stamp of the creation and moves the other one.
pub fn a_changed_definition_keeps_its_creation(store: &Store) {
    let promise = "a changed definition keeps its id and its creation, and gets a new modification";
    let host = host(store);
    let of = typed(&host, "customer").by("ann");
    must(of.define(DefinitionSpec::integer("limit")), "a definition is made");
    let catalog = must(store.catalog(), "the catalog is read");
    let made = there(catalog.get(DefinitionId::new(1)), promise).created().clone();
    must(typed(&host, "customer").alter("limit", |spec| spec.minimum(5)), "a definition is changed");
    let catalog = must(snapshot(store).catalog(), "the catalog is read");
    let changed = there(catalog.get(DefinitionId::new(1)), promise);
    same(changed.created(), &made, promise, WHOLE);
    same(&(changed.modified().commit, &changed.modified().by), &(CommitId::new(2), None::<()>), promise, WHOLE);
    same(&changed.rules().minimum, &Some(Value::Integer(5)), promise, WHOLE);
}

/// The catalog's revision moves by one with each commit that touches a definition, and with no other.
pub fn the_catalog_revision_moves_with_definitions_only(store: &Store) {
    let promise = "the revision of the catalog moves by one with a commit that touches definitions, and with no other";
    let host = host(store);
    let of = typed(&host, "customer");
    let at = |expected: u64, receipt: Result<Receipt>| {
        let receipt = must(receipt, "a batch is committed");
        same(&receipt.catalog, &Revision::new(expected), promise, WHOLE);
        same(&must(store.catalog(), "the catalog is read").revision(), &Revision::new(expected), promise, WHOLE);
    };
    let two = host.batch().define("customer", DefinitionSpec::string("a")).define("person", DefinitionSpec::string("b"));
    at(1, two.commit());
    at(1, of.set(1, "a", "x"));
    at(1, host.batch().alter("customer", "a", |spec| spec).commit());
    at(2, host.batch().alter("customer", "a", |spec| spec.description("d")).set(("customer", 1), "a", "y").commit());
    at(3, typed(&host, "person").delete("b"));
    at(3, of.clear(1, "a"));
}

/// A rename moves no value: they are keyed by definition. The old name is free again.
pub fn a_rename_keeps_values(store: &Store) {
    let promise = "values stay with a definition that is renamed";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.define(DefinitionSpec::string("tier")), "a definition is made");
    must(of.set(1, "tier", "premium"), "a value is set");
    must(of.rename("tier", "Service Level"), "a definition is renamed");
    same(&must(of.get::<String>(1, "service level"), "a value is read"), &Some("premium"), promise, WHOLE);
    refused(of.get::<String>(1, "tier"), Error::is_not_found, "a name that was given up is not found", WHOLE);
    must(of.define(DefinitionSpec::integer("tier")), "a name that was given up is used again");
    same(&must(of.get::<i64>(1, "tier"), "a value is read"), &None::<()>, "a new definition starts without values", WHOLE);
    same(&must(of.get::<String>(1, "Service Level"), "a value is read"), &Some("premium"), promise, WHOLE);
}

/// Two definitions can exchange their names in one batch: only the end of a commit counts.
pub fn names_can_be_exchanged_in_one_batch(store: &Store) {
    let promise = "definitions can exchange their names in one batch";
    let advice =
        "where names stand in an index that admits each once, delete all touched definitions from it before the new ones go in";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("a"), DefinitionSpec::string("b")]), "definitions are made");
    must(host.batch().set(("customer", 1), "a", "of a").set(("customer", 1), "b", "of b").commit(), "values are set");
    let swap = host.batch().alter("customer", "a", |spec| spec.named("c")).alter("customer", "b", |spec| spec.named("a"));
    must(swap.alter("customer", "c", |spec| spec.named("b")).commit(), promise);
    let one = there(must(of.entity(1), "an entity is read"), promise);
    let read = |name| must(one.get::<String>(name), "a value is read");
    same(&(read("a"), read("b")), &(Some("of b"), Some("of a")), promise, advice);
}

/// What holds values or has dependents is not deleted by accident; the refusal has the counts.
pub fn a_definition_in_use_is_not_deleted(store: &Store) {
    let promise = "a definition that entities hold values of is not deleted, and the refusal counts them";
    let advice = "let `usage` count the entities that hold a value";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("tier"), DefinitionSpec::string("used").used_by("billing")]), "definitions are made");
    for id in 1..=3 {
        must(of.set(id, "tier", "premium"), "a value is set");
    }
    must(of.clear(3, "tier"), "a value is cleared");
    let keys = [customer(1), customer(2), customer(3)];
    let in_use = |error: &Error| error.code() == 40901;
    let error = refused_whole(store, &keys, in_use, promise, || of.delete("tier"));
    holds(error.to_string().contains("2 entities"), promise, advice);
    let error = refused_whole(store, &keys, in_use, "a definition with dependents is not deleted", || of.delete("used"));
    holds(error.to_string().contains("billing"), "the refusal names the dependents", advice);
    must(of.clear(1, "tier").and(of.clear(2, "tier")), "values are cleared");
    must(of.delete("tier"), "a definition that nobody uses any more is deleted");
}

/// Deleted with its values: every entity loses its value in the same commit, and no other value.
pub fn a_definition_is_deleted_with_its_values(store: &Store) {
    let promise = "a definition that is deleted with its values leaves none behind, and takes no others along";
    let host = host(store);
    let of = typed(&host, "customer");
    let declared = [DefinitionSpec::string("a").required().used_by("billing"), DefinitionSpec::string("b")];
    must(of.ensure(declared), "definitions are made");
    must(
        host.batch().set(("customer", 1), "a", "1").set(("customer", 1), "b", "2").set(("customer", 2), "a", "3").commit(),
        "values are set",
    );
    let receipt = must(of.delete_with_values("a"), "a definition is deleted with its values");
    same(&receipt.changes[0].outcome, &Outcome::Cleared, promise, WHOLE);
    let snapshot = snapshot(store);
    holds(must(snapshot.catalog(), "the catalog is read").get(DefinitionId::new(1)).is_none(), promise, WHOLE);
    same(&held(store, &customer(1)), &[(2, "2")], promise, WHOLE);
    let records = must(snapshot.read(&[customer(1), customer(2)]), "entities are read");
    let states: Vec<_> = records.into_iter().flatten().map(|record| (record.revision().get(), record.values().len())).collect();
    same(&states, &[(2, 1), (2, 0)], promise, WHOLE);
    same(&must(snapshot.count(&entity_type("customer")), "entities are counted"), &1, promise, WHOLE);
}

/// Definition ids rise by one and are never used again, not even one that came and went within one batch.
pub fn definition_ids_are_never_used_again(store: &Store) {
    let promise = "the id of a deleted definition is never given out again";
    let advice = "keep the last id that was given out (`Catalog::next_id` less one), and hand it to `Catalog::load`; the greatest id that is \
                  still there is not enough";
    let host = host(store);
    let of = typed(&host, "customer");
    let next = |expected: u32| {
        let next = must(snapshot(store).catalog(), "the catalog is read").next_id();
        same(&next, &Some(DefinitionId::new(expected)), promise, advice);
    };
    must(of.ensure([DefinitionSpec::string("a"), DefinitionSpec::string("b")]), "definitions are made");
    must(of.delete("b"), "a definition is deleted");
    next(3);
    let again = must(of.define(DefinitionSpec::string("b")), "a name that was given up is used again");
    same(&again.id(), &DefinitionId::new(3), promise, advice);
    let brief = host.batch().define("customer", DefinitionSpec::string("brief")).delete("customer", "brief");
    must(brief.commit(), "a definition is made and deleted in one batch");
    next(5);
    refused_whole(store, &[], Error::is_duplicate, "a name is taken once", || {
        commit(store, [define(store, DefinitionSpec::string("B"))])
    });
    next(5);
}

/// New rules are held against every value that is there; each that they refuse is reported, and nothing changes.
pub fn tighter_rules_are_held_against_values(store: &Store) {
    let promise = "rules that held values break are refused, each value with its entity";
    let advice = "let `scan` show every entity of the type that holds a value";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.define(DefinitionSpec::integer("limit")), "a definition is made");
    let values = (1..=30).fold(host.batch(), |batch, id| batch.set(("customer", id), "limit", id));
    must(values.commit(), "values are set");
    let keys = [customer(1), customer(30)];
    let tighten = || host.batch().alter("customer", "limit", |spec| spec.maximum(27)).commit();
    let error = refused_whole(store, &keys, Error::is_invalid, promise, tighten);
    let found: Vec<_> = error.violations().iter().map(|found| (found.rule, found.entity.clone())).collect();
    let expected: Vec<_> = (28..=30).map(|id| (Rule::Maximum, Some(customer(id)))).collect();
    same(&found, &expected, promise, advice);
    let repair = host.batch().set(("customer", 28), "limit", 1).set(("customer", 29), "limit", 1).remove(("customer", 30));
    must(
        repair.alter("customer", "limit", |spec| spec.maximum(27)).commit(),
        "values are repaired and rules tightened in one batch",
    );
}

/// Entity types are case-sensitive, and each has names of its own.
pub fn entity_types_are_apart(store: &Store) {
    let promise = "entity types are apart: names, entities and counts of one are not those of another, and case matters";
    let host = host(store);
    let types = ["customer", "Customer", "customer.", "customer-1", "customer_1", "c"];
    for (of, n) in types.iter().zip(1i64..) {
        must(typed(&host, of).define(DefinitionSpec::integer("n")), "a name is used for another type");
        must(typed(&host, of).set(7, "n", n), "a value is set");
    }
    for (of, n) in types.iter().zip(1i64..) {
        same(&must(typed(&host, of).get::<i64>(7, "n"), "a value is read"), &Some(n), promise, EXACT);
        let snapshot = snapshot(store);
        same(&must(snapshot.count(&entity_type(of)), "entities are counted"), &1, promise, EXACT);
        let scanned = must(snapshot.scan(Some(&entity_type(of)), None, 10), "entities are scanned");
        same(&scanned.iter().map(|record| record.key()).collect::<Vec<_>>(), &[key(of, 7)], promise, EXACT);
    }
}

/// What is defined in a batch can be used in the same batch.
pub fn defined_and_used_in_one_batch(store: &Store) {
    let promise = "a definition can be made and used in one batch";
    let host = host(store);
    let batch = host.batch().define("customer", DefinitionSpec::string("a")).set(("customer", 1), "a", "x");
    must(batch.alter("customer", "a", |spec| spec.named("b")).set(("customer", 2), "b", "y").commit(), promise);
    same(&held(store, &customer(1)), &[(1, "x")], promise, WHOLE);
    same(&held(store, &customer(2)), &[(1, "y")], promise, WHOLE);
    let past = past_definitions(&*snapshot(store), DefinitionId::new(1));
    holds(past.is_empty(), "what came and went within one batch leaves no past", WHOLE);
}

/// Hundreds of definitions come back by id.
pub fn many_definitions(store: &Store) {
    let promise = "hundreds of definitions come back, by id";
    let host = host(store);
    let specs = (0..400).map(|n| DefinitionSpec::string(format!("attribute {n}")));
    must(typed(&host, "customer").ensure(specs), "definitions are made");
    let catalog = must(snapshot(store).catalog(), "the catalog is read");
    let names: Vec<_> = catalog.of(&entity_type("customer")).iter().map(|definition| definition.name().to_string()).collect();
    let expected: Vec<_> = (0..400).map(|n| format!("attribute {n}")).collect();
    same(&names, &expected, promise, WHOLE);
}

/// A service that needs definitions at each start takes back nothing that was changed since, whatever is held by then.
pub fn needed_definitions_stay_as_they_are(store: &Store) {
    let promise = "`ensure` makes what is missing, keeps what is there, and tells in what it differs";
    let host = host(store);
    let of = typed(&host, "customer");
    let needed = || {
        let tier = DefinitionSpec::string("tier").choices(["basic", "premium"]).default_value("basic");
        [
            tier.description("What is paid for."),
            DefinitionSpec::integer("seats"),
            DefinitionSpec::decimal("rate").minimum(decimal("1.50")),
        ]
    };
    let fields = |one: &crate::Ensured| one.differences.iter().map(|difference| difference.field.clone()).collect::<Vec<_>>();
    let nothing: [&str; 0] = [];
    for one in must(of.ensure(needed()), "definitions are made") {
        same(&(one.outcome, fields(&one)), &(Outcome::Created, nothing), promise, WHOLE);
    }
    let changed = |spec: DefinitionSpec| {
        spec.choices(["basic", "premium", "gold"]).default_value("gold").description("Set by sales.").named("Tier").group("Sales")
    };
    must(of.alter("tier", changed), "an administrator changes a definition");
    must(of.alter("rate", |spec| spec.minimum(decimal("1.5"))), "an equal minimum is written otherwise");
    must(of.set(1, "tier", "gold"), "what was added is used");
    let before = must(store.catalog(), "the catalog is read");
    for _ in 0..2 {
        let ensured = must(of.ensure(needed()), "a service starts again");
        holds(ensured.iter().all(|one| one.outcome == Outcome::Unchanged), promise, WHOLE);
        let expected = [vec!["choices", "default", "description", "group", "name"], vec![], vec![]];
        same(&ensured.iter().map(&fields).collect::<Vec<_>>(), &expected, promise, WHOLE);
        let choices = &ensured[0].differences[0];
        let texts = (choices.declared.as_deref(), choices.found.as_deref());
        same(&texts, &(Some(r#"["basic","premium"]"#), Some(r#"["basic","premium","gold"]"#)), promise, WHOLE);
        must(host.batch().ensure("customer", needed()[0].clone()).commit(), "a batch needs a definition");
        let after = must(store.catalog(), "the catalog is read");
        same(&after.revision(), &before.revision(), promise, WHOLE);
        same(&after.iter().collect::<Vec<_>>(), &before.iter().collect::<Vec<_>>(), promise, WHOLE);
    }
    let clash = "a definition of another type is not what is needed";
    refused(of.ensure([DefinitionSpec::date("new"), DefinitionSpec::decimal("seats")]), Error::is_invalid, clash, PLAN);
    refused_whole(store, &[customer(1)], Error::is_invalid, clash, || {
        let batch = host.batch().ensure("customer", DefinitionSpec::date("new"));
        batch.ensure("customer", DefinitionSpec::decimal("seats")).commit()
    });
}

/// Definitions as code: made exactly what is declared, with a report beforehand.
pub fn declared_definitions_are_made_exact(store: &Store) {
    let promise = "`declare` makes definitions exactly what is declared, or nothing where a value offends";
    let host = host(store);
    let of = typed(&host, "customer");
    must(
        of.ensure([DefinitionSpec::string("tier").choices(["a", "b"]), DefinitionSpec::string("seats")]),
        "definitions are made",
    );
    must(host.batch().set(("customer", 1), "tier", "b").set(("customer", 1), "seats", "12").commit(), "values are set");
    let other = DefinitionSpec::string("other").description("not declared");
    must(of.define(other.clone()), "a definition is made");
    let declared = |choices: &[&str]| {
        let tier = DefinitionSpec::string("Tier").choices(choices.iter().copied()).default_value("a");
        [tier, DefinitionSpec::integer("seats"), DefinitionSpec::date("since")]
    };
    let too_tight = of.declare(declared(&["a"]));
    let report = must(too_tight.check(), "a declaration is checked");
    same(&(report.converted, report.offending), &(1, 1), promise, PLAN);
    let fields: Vec<Vec<_>> =
        report.steps.iter().map(|step| step.differences().into_iter().map(|one| one.field).collect()).collect();
    let expected: [Vec<&str>; 3] = [vec!["choices", "default", "name"], vec!["data_type"], vec![]];
    same(&fields, &expected, "a report tells in what each definition differs", PLAN);
    refused_whole(store, &[customer(1)], Error::is_invalid, promise, || too_tight.apply());

    let receipt = must(of.declare(declared(&["a", "b"])).apply(), "definitions are declared");
    let outcomes: Vec<_> = receipt.changes.iter().map(|change| change.outcome).collect();
    same(&outcomes, &[Outcome::Updated, Outcome::Updated, Outcome::Created], promise, WHOLE);
    for (number, spec) in (1..).zip([declared(&["a", "b"])[0].clone(), declared(&[])[1].clone(), other, declared(&[])[2].clone()])
    {
        let catalog = must(store.catalog(), "the catalog is read");
        let found = there(catalog.get(DefinitionId::new(number)), "the definition is there");
        same(found.spec(), &spec, promise, WHOLE);
    }
    same(&held(store, &customer(1)), &[(1, "b"), (2, "12")], promise, WHOLE);
    let again = must(of.declare(declared(&["a", "b"])).apply(), "definitions are declared again");
    same(&again.commit, &None::<()>, "what is as declared is no commit", PLAN);
}

/// What a batch says of a definition that is not there, or not of the entity's type, is refused by the store itself.
pub fn unknown_definitions_are_refused(store: &Store) {
    let promise = "a value for a definition that is not there, or of another type, is refused";
    let host = host(store);
    must(typed(&host, "customer").define(DefinitionSpec::string("a")), "a definition is made");
    must(typed(&host, "person").define(DefinitionSpec::string("a")), "a definition is made");
    let wrong_type = match set(store, &key("person", 1), "a", "x") {
        Change::Set { value, .. } => Change::Set { entity: customer(1), value },
        other => other,
    };
    refused_whole(store, &[customer(1)], Error::is_not_found, promise, || commit(store, [wrong_type.clone()]));
    let clear = Change::Clear { entity: customer(1), definition: DefinitionId::new(9) };
    refused_whole(store, &[customer(1)], Error::is_not_found, promise, || commit(store, [clear.clone()]));
    let stray =
        crate::Definition::new(DefinitionId::new(9), entity_type("customer"), DefinitionSpec::string("b"), &Limits::typed());
    let stray = must(stray, "a definition is well-formed");
    let conflict = "a definition whose id is not the next one is a conflict";
    refused_whole(store, &[], Error::is_conflict, conflict, || commit(store, [Change::Define(Box::new(stray.clone()))]));
    refused_whole(store, &[], Error::is_not_found, promise, || {
        commit(store, [Change::Redefine { definition: Box::new(stray.clone()), offending: Offending::Refuse }])
    });
}
