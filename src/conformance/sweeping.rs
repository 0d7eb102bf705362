//! Changes of definitions that reach entities which no batch names.

use std::ops::ControlFlow;

use crate::conformance::Store;
use crate::conformance::support::{
    customer, holds, host, must, optional, past_of, refused, same, snapshot, sound, touched, typed,
};
use crate::filter::attr;
use crate::model::{DataType, DefinitionSpec, Value};
use crate::store::Offending;

const EVERY: &str = "write what `Changes::each_record` hands over, every record of it";

/// More entities than fit on a page are converted in one commit, emptied ones and those of other types aside.
pub fn a_change_reaches_every_entity(store: &Store) {
    const ALL: i64 = 2500;
    let promise = "a change of a definition reaches every entity that holds a value, however many there are";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("n"), DefinitionSpec::string("other")]), "definitions are made");
    must(typed(&host, "person").define(DefinitionSpec::string("n")), "another type has one of that name");
    let batch = (0..ALL).fold(host.batch(), |batch, id| {
        let batch = batch.set(("customer", id), "n", id.to_string());
        if id % 100 == 0 { batch.set(("person", id), "n", "seven") } else { batch }
    });
    must(batch.commit(), "a load");
    must(of.clear(7, "n"), "an entity is emptied");
    let mut told = Vec::new();
    let plan = of.change("n", |spec| spec.of_type(DataType::Integer));
    let done = plan.apply_with_progress(Offending::Refuse, |progress| {
        told.push((progress.done, progress.total));
        ControlFlow::Continue(())
    });
    let commit = must(done, "a definition changes its type").commit;
    holds(told.last().is_none_or(|(done, total)| done == total), "progress ends with all", "tell what is done as it is done");
    same(&must(of.count_found(attr("n").ge(0)), "entities are found"), &(ALL - 1), promise, EVERY);
    for id in [0, 1, 1023, 1024, 1025, 2048, ALL - 1] {
        same(&must(of.get::<i64>(id, "n"), "a value is read"), &Some(id), promise, EVERY);
        let past = past_of(&*snapshot(store), &customer(id));
        let ended: Vec<_> = past.iter().map(|past| (past.held.value.clone(), Some(past.ended))).collect();
        same(&ended, &[(Value::from(id.to_string()), commit)], promise, EVERY);
    }
    let people = typed(&host, "person");
    same(&must(people.get::<String>(100, "n"), "a value is read").as_deref(), &Some("seven"), promise, EVERY);
    let touched = commit.map(|commit| touched(&*snapshot(store), commit).len());
    same(&touched, &usize::try_from(ALL - 1).ok(), "a commit knows all whom it changed", EVERY);
    sound(store, EVERY);
}

/// Values go over to another attribute, where that admits them.
pub fn merged_values_move(store: &Store) {
    let promise = "what is merged moves where the other holds none, is dropped where it is the same, and offends otherwise";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("from"), DefinitionSpec::integer("into")]), "1");
    must(of.set(1, "from", "10"), "2");
    must(host.batch().set(("customer", 2), "from", "20").set(("customer", 2), "into", 20).commit(), "3");
    must(of.set(3, "into", 30), "4");
    must(host.batch().set(("customer", 4), "from", "40").set(("customer", 4), "into", 41).commit(), "5");
    must(of.set(5, "from", "five"), "6");
    let plan = || of.plan().merge("from", "into");
    let report = must(plan().check(), "a plan is checked");
    same(&(report.held, report.converted, report.offending), &(4, 1, 2), promise, EVERY);
    refused(plan().apply(), |error| error.violations().len() == 2, promise, EVERY);
    must(plan().apply_with(Offending::Clear), "7: two attributes are merged");
    let held: Vec<_> = (1..=5).map(|id| must(of.get::<i64>(id, "into"), "a value is read")).collect();
    same(&held, &[Some(10), Some(20), Some(30), Some(41), None], promise, EVERY);
    holds(of.definition("from").is_err(), "what was merged into another is deleted", EVERY);
    same(&must(of.count_found(attr("into").le(20)), "entities are found"), &2, promise, EVERY);
    let past = past_of(&*snapshot(store), &customer(5));
    same(&past.len(), &1, "what is cleared stays in history", EVERY);
    sound(store, EVERY);
}

/// Values that another attribute admits go over to it, the others stay.
pub fn split_values_move(store: &Store) {
    let promise = "what is split off moves where the other admits it and holds none, and stays otherwise";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.define(DefinitionSpec::string("free")), "1");
    let texts = ["7", "seven", "-3", "0"];
    must(texts.iter().zip(1..).fold(host.batch(), |batch, (text, id)| batch.set(("customer", id), "free", *text)).commit(), "2");
    let plan = of.plan().define(DefinitionSpec::integer("number").minimum(0)).split("free", "number");
    let done = must(plan.apply(), "3: numbers are split off");
    let held: Vec<_> = (1..=4)
        .map(|id| (must(of.get::<String>(id, "free"), "a text is read"), must(of.get::<i64>(id, "number"), "a number is read")))
        .collect();
    let expected = [(None, Some(7)), (Some("seven"), None), (Some("-3"), None), (None, Some(0))];
    same(&held, &expected.map(|(text, number)| (text.map(str::to_owned), number)), promise, EVERY);
    sound(store, EVERY);
    let undo = done.commit.map(|commit| must(host.undo(commit), "an undo is made"));
    must(undo.map_or_else(|| host.batch().commit(), crate::BatchBuilder::commit), "4: it is undone");
    let free: Vec<_> = (1..=4).map(|id| must(of.get::<String>(id, "free"), "a text is read")).collect();
    same(&free, &texts.map(|text| Some(text.to_owned())), "undoing it brings every text back", EVERY);
    sound(store, EVERY);
}

/// What a plan would take from entities that must have it is refused, and told beforehand.
pub fn what_is_required_is_not_swept_away(store: &Store) {
    let promise = "a plan takes no required value from an entity: each is an offence in its report, and is never cleared";
    let host = host(store);
    let of = typed(&host, "customer");
    must(
        of.ensure([DefinitionSpec::string("must").required(), DefinitionSpec::integer("n"), DefinitionSpec::integer("into")]),
        "1",
    );
    let batch = host.batch().set(("customer", 1), "must", "7").set(("customer", 1), "into", 8);
    must(batch.set(("customer", 2), "must", "seven").commit(), "2");
    let plans: [(_, &dyn Fn() -> _); 3] = [
        (1, &|| of.plan().split("must", "n")),
        (2, &|| of.plan().merge("must", "into")),
        (1, &|| of.plan().change("must", |spec| spec.of_type(DataType::Integer))),
    ];
    for (offending, plan) in plans {
        let report = must(plan().check(), "a plan is checked");
        same(&(report.held, report.offending), &(2, offending), promise, EVERY);
        for what in [Offending::Refuse, Offending::Clear] {
            let told = |error: &crate::Error| error.violations().len() as u64 == report.offending;
            refused(plan().apply_with(what), told, promise, EVERY);
        }
    }
    let named = must(of.plan().split("must", "n").check(), "a plan is checked").offences;
    let names: Vec<_> = named.iter().map(|offence| offence.violation.attribute.as_deref()).collect();
    same(&names, &[Some("must")], promise, EVERY);
    must(of.plan().change("must", optional).split("must", "n").apply(), "3: it need not be there any longer");
    same(&must(of.get::<i64>(1, "n"), "a value is read"), &Some(7), promise, EVERY);
    sound(store, EVERY);
}

/// What entities come to hold by a change of a definition is unique where it must be.
pub fn what_is_swept_is_unique(store: &Store) {
    let promise = "no two entities hold equal values of a unique attribute, also where a change of definitions makes them";
    let host = host(store);
    let of = typed(&host, "customer");
    must(of.ensure([DefinitionSpec::string("code").unique(), DefinitionSpec::string("old")]), "1");
    must(host.batch().set(("customer", 1), "code", "05").set(("customer", 2), "code", "5").commit(), "2");
    must(of.set(3, "old", "05"), "3");
    let same_number = of.change("code", |spec| spec.of_type(DataType::Integer)).numbers_by_value();
    refused(same_number.apply(), crate::Error::is_duplicate, promise, "answer `holders` by what is held");
    refused(of.plan().merge("old", "code").apply(), crate::Error::is_duplicate, promise, "answer `holders` by what is held");
    must(of.clear(1, "code"), "4");
    must(of.plan().merge("old", "code").apply(), "5");
    must(
        of.change("code", |spec| spec.of_type(DataType::Integer)).numbers_by_value().apply().map(drop).or_else(|error| {
            // 3 has "05" by now, which is 5 as well.
            if error.is_duplicate() { Ok(()) } else { Err(error) }
        }),
        "a conversion is done or refused as a duplicate",
    );
    same(&must(of.get::<String>(3, "code"), "a value is read").as_deref(), &Some("05"), promise, EVERY);
    sound(store, EVERY);
}
