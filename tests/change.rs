//! Definitions that change while values are held: what is told beforehand, what is done, and what is undone.
#![cfg(feature = "sqlite")]

use custom_attributes::{
    AttributeStore, Attributes, DataType, DefinitionSpec, Error, MemoryStore, Offending, Rule, SqliteStore, Value, attr,
};
use proptest::prelude::*;

type Host = Attributes<Box<dyn AttributeStore>>;

fn stores() -> [Host; 2] {
    let sqlite = SqliteStore::in_memory().expect("a store");
    [Attributes::new(Box::new(MemoryStore::new())), Attributes::new(Box::new(sqlite))]
}

fn held(host: &Host) -> Vec<(String, DataType, String)> {
    let view = host.snapshot().expect("a snapshot");
    let customers = host.of("customer").expect("a type");
    let entities = view.entities_of(customers.entity_type(), None, 1000).expect("entities");
    let one = |(key, value): (String, &Value)| (key, value.data_type(), value.to_string());
    let values = entities.iter().flat_map(|entity| entity.iter().map(|(_, value)| (entity.key().to_string(), value)));
    values.map(one).collect()
}

fn is_sound(host: &Host) {
    let view = host.snapshot().expect("a snapshot");
    let verified = view.verify_index(|fault| panic!("{fault}"));
    verified.expect("an index");
}

fn values() -> impl Strategy<Value = (DataType, Vec<Value>)> {
    let texts = |data_type: DataType| match data_type {
        DataType::Decimal => "-?0{0,2}[0-9]{1,5}(\\.[0-9]{1,3}0{0,2})?",
        DataType::Integer => "-?[0-9]{1,6}",
        DataType::Boolean => "true|false",
        DataType::Date => "20[0-2][0-9]-(0[1-9]|1[0-2])-[0-2][1-8]",
        _ => "[-+]?0{0,2}[0-9]{0,4}(\\.[0-9]{0,2}0{0,30})?|true|false|[a-z ]{0,5}|2024-0?[1-3]-1[0-9]",
    };
    prop::sample::select(DataType::ALL.to_vec()).prop_flat_map(move |data_type| {
        let value = texts(data_type).prop_map(move |text| Value::parse(data_type, &text).expect("it is well-formed"));
        (Just(data_type), prop::collection::vec(value, 1..12))
    })
}

/// What a value becomes as one of another type, by the text alone.
fn with_same_text(value: &Value, to: DataType) -> Option<Value> {
    let text = value.to_string();
    Value::parse(to, &text).ok().filter(|converted| converted.to_string() == text)
}

/// What a value becomes if numbers are converted by value.
fn with_same_number(value: &Value, to: DataType) -> Option<Value> {
    let text = match (value, to) {
        (Value::Decimal(number), DataType::Integer) => number.normalize().to_string(),
        _ => value.to_string(),
    };
    Value::parse(to, &text).ok()
}

fn load(host: &Host, from: DataType, values: &[Value]) {
    let customers = host.of("customer").expect("a type");
    customers.define(DefinitionSpec::new("field", from)).expect("a definition");
    let ids = 0i64..;
    let batch =
        values.iter().zip(ids).fold(host.batch(), |batch, (value, id)| batch.set(("customer", id), "field", value.clone()));
    batch.commit().expect("a commit");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// What is told beforehand is what happens: each value keeps its text, or offends, and undoing brings all back.
    #[test]
    fn a_change_of_type_does_what_was_told(
        (from, values) in values(),
        to in prop::sample::select(DataType::ALL.to_vec()),
        by_value in any::<bool>(),
    ) {
        for host in stores() {
            let customers = host.of("customer").expect("a type");
            load(&host, from, &values);
            let before = held(&host);
            let change = || {
                let change = customers.change("field", |spec| spec.of_type(to));
                if by_value { change.numbers_by_value() } else { change }
            };
            let report = change().check().expect("a report");
            prop_assert_eq!(report.held, values.len() as u64);
            let convert = if by_value { with_same_number } else { with_same_text };
            let expected: Vec<_> = values.iter().map(|value| convert(value, to)).collect();
            let bad = expected.iter().filter(|expected| expected.is_none()).count() as u64;
            prop_assert_eq!(report.offending, bad);
            prop_assert_eq!(report.converted, if from == to { 0 } else { values.len() as u64 - bad });
            let pairs = || values.iter().zip(&expected).filter_map(|(value, converted)| Some((value, converted.as_ref()?)));
            let other_texts = pairs().filter(|(value, converted)| value.to_string() != converted.to_string()).count();
            prop_assert_eq!(report.by_value, other_texts as u64);
            prop_assert_eq!(report.conversions.iter().filter(|conversion| conversion.by_value).count(), other_texts);
            prop_assert!(by_value || other_texts == 0);
            prop_assert_eq!(change().offences(None, 1000).expect("offences"), report.offences.clone());
            if bad > 0 {
                let refused = change().apply().expect_err("a value offends");
                prop_assert_eq!(refused.violations().len() as u64, bad);
                prop_assert_eq!(held(&host), before.clone());
            }
            let done = change().apply_with(Offending::Clear).expect("a change").commit;
            prop_assert_eq!(done.is_none(), from == to);
            let now: Vec<_> = held(&host).into_iter().map(|(_, data_type, text)| (data_type, text)).collect();
            let good = expected.iter().flatten().map(|value| (to, value.to_string()));
            prop_assert_eq!(now, good.collect::<Vec<_>>());
            is_sound(&host);
            for value in expected.iter().flatten() {
                prop_assert!(customers.count_found(attr("field").eq(value.clone())).expect("a count") > 0);
            }
            if let Some(done) = done {
                host.undo(done).expect("nothing came after").commit().expect("an undo");
                prop_assert_eq!(held(&host), before);
                prop_assert_eq!(customers.definition("field").expect("it is there").data_type(), from);
                is_sound(&host);
            }
        }
    }

    /// Between any two types: there and back gives the same bytes, without any undo. What would not, offends.
    #[test]
    fn what_is_converted_there_and_back_has_the_same_text(
        (from, values) in values(),
        to in prop::sample::select(DataType::ALL.to_vec()),
    ) {
        for value in &values {
            if let Ok(converted) = value.converted(to) {
                let back = converted.converted(from).expect("it came from there");
                prop_assert_eq!(format!("{back:?}"), format!("{value:?}"));
            }
        }
        for host in stores() {
            load(&host, from, &values);
            let before = held(&host);
            let customers = host.of("customer").expect("a type");
            let kept: Vec<_> = before.iter().zip(&values).filter(|(_, value)| with_same_text(value, to).is_some()).collect();
            customers.change("field", |spec| spec.of_type(to)).apply_with(Offending::Clear).expect("a change");
            customers.change("field", |spec| spec.of_type(from)).apply().expect("all of it goes back");
            prop_assert_eq!(held(&host), kept.into_iter().map(|(held, _)| held.clone()).collect::<Vec<_>>());
        }
    }

    /// The values that are split off, and those that are merged back, have the texts that they had.
    #[test]
    fn what_is_split_off_and_merged_back_has_the_same_text(
        (from, values) in values(),
        to in prop::sample::select(DataType::ALL.to_vec()),
        by_value in any::<bool>(),
    ) {
        for host in stores() {
            load(&host, from, &values);
            let before = held(&host);
            let customers = host.of("customer").expect("a type");
            customers.define(DefinitionSpec::new("other", to)).expect("a definition");
            let plan = customers.plan().split("field", "other");
            let plan = if by_value { plan.numbers_by_value() } else { plan };
            let report = plan.check().expect("a report");
            let convert = if by_value { with_same_number } else { with_same_text };
            let moved = values.iter().filter(|value| convert(value, to).is_some()).count();
            prop_assert_eq!((report.converted, report.offending), (moved as u64, 0));
            let done = plan.apply().expect("a split").commit;
            prop_assert_eq!(customers.count_found(attr("other").exists()).expect("a count"), moved as u64);
            if by_value {
                if let Some(done) = done {
                    host.undo(done).expect("nothing came after").commit().expect("an undo");
                }
            } else {
                customers.plan().merge("other", "field").apply().expect("all of it goes back");
            }
            prop_assert_eq!(held(&host), before);
            is_sound(&host);
        }
    }
}

#[test]
fn a_text_that_would_not_come_back_offends() {
    let offending = |from: DataType, text: &str, to: DataType| {
        let value = Value::parse(from, text).expect("it is well-formed");
        let refused = value.converted(to).expect_err(text);
        assert_eq!(refused.violations()[0].rule, Rule::ConversionText, "{text}");
    };
    for text in ["01234", "-0", "00", "-007"] {
        offending(DataType::String, text, DataType::Integer);
    }
    for text in ["007", "-0", "-0.0", "00.5", "1.5000000000000000000000000000000"] {
        offending(DataType::String, text, DataType::Decimal);
    }
    for text in ["5.0", "5.00", "-3.0"] {
        offending(DataType::Decimal, text, DataType::Integer);
    }
    for host in stores() {
        let customers = host.of("customer").expect("a type");
        customers.define(DefinitionSpec::string("zip")).expect("a definition");
        customers.set(1, "zip", "01234").expect("a set");
        let change = || customers.change("zip", |spec| spec.of_type(DataType::Integer));
        let refused = change().apply().expect_err("the zero would get lost").to_string();
        let said = "customer/1: `zip` cannot be INTEGER exactly, because \"01234\" would not keep its text; correct it, or \
                    convert numbers by value";
        assert_eq!(refused, said);
        let done = change().numbers_by_value().apply().expect("it is asked for").commit.expect("a commit");
        assert_eq!(customers.get::<i64>(1, "zip").expect("a number"), Some(1234));
        host.undo(done).expect("nothing came after").commit().expect("an undo");
        assert_eq!(customers.get::<String>(1, "zip").expect("a text").as_deref(), Some("01234"));
        // A batch of the host's own has the same rule, and the same way out.
        let batch = || host.batch().change("customer", "zip", |spec| spec.of_type(DataType::Decimal), Offending::Refuse);
        assert_eq!(batch().commit().expect_err("the zero would get lost").violations()[0].rule, Rule::ConversionText);
        batch().numbers_by_value().commit().expect("it is asked for");
    }
}

#[test]
fn a_merged_text_is_not_lost_to_another_text_of_the_same_number() {
    for host in stores() {
        let customers = host.of("customer").expect("a type");
        customers.ensure([DefinitionSpec::string("old"), DefinitionSpec::decimal("new")]).expect("definitions");
        let decimal = |text: &str| Value::parse(DataType::Decimal, text).expect("a decimal");
        let batch = host.batch().set(("customer", 1), "old", "1.50").set(("customer", 1), "new", decimal("1.5"));
        batch.set(("customer", 2), "old", "1.5").set(("customer", 2), "new", decimal("1.5")).commit().expect("a commit");
        let merge = || customers.plan().merge("old", "new");
        let report = merge().check().expect("a report");
        assert_eq!((report.offending, report.offences[0].violation.rule), (1, Rule::Merge));
        assert_eq!(merge().numbers_by_value().check().expect("a report").offending, 0);
    }
}

#[test]
fn tightened_rules_report_refuse_or_clear() {
    for host in stores() {
        let customers = host.of("customer").expect("a type");
        customers.define(DefinitionSpec::integer("seats")).expect("a definition");
        let batch = (1..=300i64).fold(host.batch(), |batch, id| batch.set(("customer", id), "seats", id));
        batch.commit().expect("a commit");
        let change = || customers.change("seats", |spec| spec.named("places").maximum(100).description("how many sit"));
        let report = change().check().expect("a report");
        assert_eq!((report.held, report.converted, report.offending, report.offences.len()), (300, 0, 200, 100));
        let said = "customer/101: `places` takes no more than 100, not 101";
        let first = &report.offences[0];
        assert_eq!(format!("{}: {}", first.entity, first.violation), said);
        let next = change().offences(Some(report.offences[99].ordinal), 1000).expect("a page");
        assert_eq!((next.len(), next[0].entity.to_string()), (100, "customer/201".to_owned()));
        assert_eq!(change().apply().expect_err("200 offend").violations().len(), 200);
        let done = change().apply_with(Offending::Clear).expect("a change");
        assert_eq!(customers.count_found(attr("places").exists()).expect("a count"), 100);
        host.undo(done.commit.expect("a commit")).expect("a batch").commit().expect("an undo");
        assert_eq!(customers.count_found(attr("seats").gt(100)).expect("a count"), 200);
        is_sound(&host);
    }
}

#[test]
fn what_must_not_go_is_never_cleared() {
    for host in stores() {
        let customers = host.of("customer").expect("a type");
        customers.ensure([DefinitionSpec::string("code"), DefinitionSpec::string("must").required()]).expect("definitions");
        let batch = host.batch().set(("customer", 1), "code", "05").save(("customer", 2), [("code", "5"), ("must", "5")]);
        batch.set(("customer", 1), "must", "x").commit().expect("a commit");
        // Two texts that differ become one number.
        let change = || customers.change("code", |spec| spec.of_type(DataType::Integer).unique()).numbers_by_value();
        let report = change().check().expect("a report");
        assert_eq!((report.converted, report.offending), (1, 1));
        assert!(report.offences[0].violation.to_string().contains("held by customer/1 already"), "{:?}", report.offences);
        assert!(change().apply_with(Offending::Clear).expect_err("they would be equal").is_duplicate());
        let required = customers.change("must", |spec| spec.of_type(DataType::Integer));
        assert_eq!(required.apply_with(Offending::Clear).expect_err("it must be there").violations().len(), 1);
        // Without saying so, nothing is converted.
        let refused = customers.alter("code", |spec| spec.of_type(DataType::Integer)).expect_err("it is STRING").to_string();
        assert_eq!(refused, "`code` is defined as STRING, and cannot be declared as INTEGER; `change` converts it");
        let unknown = customers.change("cod", |spec| spec).check().expect_err("it is not defined");
        assert!(unknown.is_not_found() && unknown.to_string().contains("did you mean `code`?"), "{unknown}");
        let senseless = customers.change("code", |spec| spec.of_type(DataType::Boolean).maximum(5)).check();
        assert!(matches!(senseless, Err(Error::Invalid(_))), "{senseless:?}");
    }
}

#[test]
fn a_snapshot_keeps_the_old_type_while_others_convert() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = Attributes::new(SqliteStore::open(folder.path().join("types.db")).expect("a store"));
    let customers = host.of("customer").expect("a type");
    customers.define(DefinitionSpec::string("seats")).expect("a definition");
    for id in 0..20i64 {
        customers.set(id, "seats", id.to_string()).expect("a set");
    }
    let before = host.snapshot().expect("a snapshot");
    let change = customers.change("seats", |spec| spec.of_type(DataType::Integer));
    change.apply().expect("a change");
    assert_eq!(before.get::<String>(("customer", 7), "seats").expect("a text").as_deref(), Some("7"));
    assert_eq!(before.count_found(customers.entity_type(), attr("seats").starts_with("1")).expect("a count"), 11);
    assert_eq!(customers.count_found(attr("seats").ge(10)).expect("a count"), 10);
    let then = host.as_of(custom_attributes::CommitId::new(21)).expect("the past");
    assert_eq!(then.count_found(customers.entity_type(), attr("seats").starts_with("1")).expect("a count"), 11);
}

#[test]
fn what_moved_since_it_was_checked_is_neither_cleared_nor_overlooked() {
    for host in stores() {
        let customers = host.of("customer").expect("a type");
        customers.ensure(["seats", "other"].map(DefinitionSpec::string)).expect("definitions");
        let batch = host.batch().set(("customer", 1), "seats", "1").set(("customer", 2), "seats", "two");
        batch.commit().expect("a commit");
        let plan = || customers.change("seats", |spec| spec.of_type(DataType::Integer));
        let checked = plan();
        assert_eq!(checked.check().expect("a report").offending, 1);
        customers.set(3, "seats", "three").expect("a set");
        customers.set(1, "seats", "11").expect("a set");
        let refused = checked.apply_with(Offending::Clear).expect_err("nobody has seen the third");
        let said = "customer/3: `seats` takes an integer such as -12, without sign + or separators, not \"three\"";
        assert_eq!(refused.to_string(), said);
        let checked = plan();
        assert_eq!(checked.check().expect("a report").offending, 2);
        customers.alter("other", |spec| spec.description("it moves the catalog")).expect("a change");
        assert!(checked.apply_with(Offending::Clear).expect_err("definitions have moved").is_conflict());
        let before = held(&host);
        plan().apply_with(Offending::Clear).expect("without a check it takes what it meets");
        assert_eq!(held(&host).len(), before.len() - 2);
    }
}

#[test]
fn a_plan_that_is_ended_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = Attributes::new(SqliteStore::open(folder.path().join("plan.db")).expect("a store"));
    sqlite.of("customer").expect("a type").define(DefinitionSpec::string("seats")).expect("a definition");
    let batch = (0..10_000i64).fold(sqlite.batch(), |batch, id| batch.set(("customer", id), "seats", id.to_string()));
    batch.commit().expect("a load");
    let customers = sqlite.of("customer").expect("a type");
    let plan = || customers.change("seats", |spec| spec.of_type(DataType::Integer));
    let marks = || sqlite.snapshot().expect("a snapshot").as_snapshot().marks().expect("marks");
    let before = marks();
    // Before it is checked whole, and after: when half of it is stored.
    for after in [1, 4] {
        let mut told = 0;
        let ended = plan().apply_with_progress(Offending::Refuse, |progress| {
            assert_eq!(progress.total, 20_000);
            told += 1;
            if told < after { std::ops::ControlFlow::Continue(()) } else { std::ops::ControlFlow::Break(()) }
        });
        assert!(matches!(ended, Err(Error::Stopped)), "{ended:?}");
        assert_eq!((marks(), told), (before, after));
        assert_eq!(customers.count_found(attr("seats").starts_with("999")).expect("a count"), 11);
    }
    let mut told = Vec::new();
    let done = plan().apply_with_progress(Offending::Refuse, |progress| {
        told.push(progress.done);
        std::ops::ControlFlow::Continue(())
    });
    done.expect("it is done");
    assert!(told.is_sorted() && told.last() == Some(&20_000), "{told:?}");
    is_sound_of(&sqlite);
}

fn is_sound_of(host: &Attributes<SqliteStore>) {
    host.snapshot().expect("a snapshot").verify_index(|fault| panic!("{fault}")).expect("an index");
}

#[test]
fn steps_of_a_plan_build_on_each_other() {
    for host in stores() {
        let customers = host.of("customer").expect("a type");
        let used = DefinitionSpec::string("used").used_by("billing");
        customers.ensure([DefinitionSpec::string("a"), DefinitionSpec::string("b"), used]).expect("definitions");
        let batch = host.batch().set(("customer", 1), "a", "05").set(("customer", 2), "b", "7").set(("customer", 3), "a", "x");
        batch.commit().expect("a commit");
        // The text of a number is not the text that it was; a text that is none goes on to the next step.
        let plan = customers
            .plan()
            .numbers_by_value()
            .change("a", |spec| spec.of_type(DataType::Integer))
            .change("a", |spec| spec.of_type(DataType::String).named("c"))
            .merge("c", "b")
            .rename("b", "all");
        let report = plan.check().expect("a report");
        let steps: Vec<_> = report.steps.iter().map(|step| (step.held, step.converted, step.offending)).collect();
        assert_eq!(steps, [(2, 1, 1), (2, 1, 0), (2, 2, 0), (3, 0, 0)]);
        let done = plan.apply_with(Offending::Clear).expect("a plan");
        assert_eq!(customers.get::<String>(1, "all").expect("a text").as_deref(), Some("5"));
        assert_eq!(customers.get::<String>(2, "all").expect("a text").as_deref(), Some("7"));
        assert!(customers.entity(3).expect("a read").is_none());
        is_sound(&host);
        host.undo(done.commit.expect("a commit")).expect("nothing came after").commit().expect("an undo");
        assert_eq!(customers.get::<String>(1, "a").expect("a text").as_deref(), Some("05"));
        assert_eq!(customers.get::<String>(3, "a").expect("a text").as_deref(), Some("x"));
        let refused = customers.plan().merge("used", "b").check().expect_err("others depend on it").to_string();
        assert!(refused.contains("`used` is in use: used by billing; take its dependents out"), "{refused}");
        let unknown = customers.plan().merge("a", "bb").check().expect_err("it is not defined").to_string();
        assert!(unknown.contains("did you mean `b`"), "{unknown}");
    }
}

#[test]
fn a_large_batch_tells_how_far_it_is_and_can_be_ended() {
    for host in stores() {
        host.of("customer").expect("a type").define(DefinitionSpec::integer("seats")).expect("a definition");
        let batch = || (0..10_000i64).fold(host.batch(), |batch, id| batch.set(("customer", id), "seats", id));
        let ended = batch().commit_with(|_| std::ops::ControlFlow::Break(()));
        assert!(matches!(ended, Err(Error::Stopped)), "{ended:?}");
        assert!(held(&host).is_empty());
        let mut told = Vec::new();
        let done = batch().commit_with(|progress| {
            told.push((progress.done, progress.total));
            std::ops::ControlFlow::Continue(())
        });
        assert_eq!(done.expect("a commit").changes.len(), 10_000);
        assert_eq!(told, [(4096, 10_000), (8192, 10_000), (10_000, 10_000)]);
        is_sound(&host);
    }
}
