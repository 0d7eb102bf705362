//! What is told to `tracing`: what was done, of which type, how many and how long, and no value of anybody.

use std::fmt::Debug;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use custom_attributes::model::Edit;
use custom_attributes::store::{Batch, BoundQuery, Change, Wanted, plan};
use custom_attributes::{
    Attributes, CommitId, DataType, DefinitionSpec, Direction, EntityKey, Error, Filter, Limits, MemoryStore, Offending, Prune,
    Query, Value, attr,
};
use proptest::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes as SpanAttributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps all that it is told, a line each.
#[derive(Clone, Default)]
struct Told {
    lines: Arc<Mutex<Vec<String>>>,
    spans: Arc<AtomicU64>,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }
}

impl Told {
    fn keep(&self, kind: &str, record: impl FnOnce(&mut Line)) {
        let mut line = Line(kind.to_owned());
        record(&mut line);
        self.lines.lock().expect("no panic").push(line.0);
    }

    fn events(&self) -> Vec<String> {
        let lines = self.lines.lock().expect("no panic");
        lines.iter().filter(|line| line.starts_with("event")).cloned().collect()
    }
}

impl Subscriber for Told {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &SpanAttributes<'_>) -> Id {
        self.keep("span", |line| span.record(line));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.keep("more", |line| values.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.keep("event", |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn what_is_done_is_told_without_values() {
    let told = Told::default();
    tracing::subscriber::with_default(told.clone(), || {
        let attributes = Attributes::new(MemoryStore::new());
        let people = attributes.of("person").expect("a type");
        people.define(DefinitionSpec::string("diagnosis").sensitive()).expect("a definition");
        let batch = (0..3).fold(attributes.batch(), |batch, id| batch.set(("person", id), "diagnosis", "SECRET"));
        batch.note("SECRET too").commit().expect("a commit");
        attributes.batch().set(("person", 9), "diagnosis", "SECRET").submit().expect("a ticket").wait().expect("a commit");
        people.clear(9, "diagnosis").expect("a clear");
        people.find(Query::new(attr("diagnosis").eq("SECRET")).limit(2)).expect("a page");
        assert_eq!(people.count_found(attr("diagnosis").eq("SECRET")).expect("a count"), 3);
        people.set("SECRET id", "diagnoses", "SECRET").expect_err("it is not defined");
        people.change("diagnosis", |spec| spec.maximum_chars(3)).check().expect("a report");
        attributes.prune(&Prune::new(), |_| ControlFlow::Continue(())).expect("nothing to prune");
    });
    let events = told.events();
    for expected in [
        "event message=done operation=\"commit\" size=3 count=3 micros=",
        "event message=done operation=\"submit\" size=1 count=1 micros=",
        "event message=done operation=\"find\" entity_type=\"person\" size=2 count=2 micros=",
        "event message=done operation=\"count\" entity_type=\"person\" size=0 count=3 micros=",
        "event message=failed operation=\"commit\" size=1 code=40404 micros=",
        "event message=done operation=\"check_plan\" entity_type=\"person\" size=1 count=3 micros=",
        "event message=done operation=\"prune\" size=100000 count=0 micros=",
    ] {
        assert!(events.iter().any(|event| event.starts_with(expected)), "{expected}\n{events:#?}");
    }
    let lines = told.lines.lock().expect("no panic");
    assert!(lines.iter().any(|line| line.starts_with("span operation=\"commit\"")), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains("SECRET")), "{lines:#?}");
}

/// It is in every value that is sensitive here, and in nothing else: as a number it is a multiple of this one.
const MARKER: i64 = 4_711_471_147;

/// All that a host may write to a log: errors with their causes and their data, and the output of `Debug`.
#[derive(Default)]
struct Heard(Vec<String>);

impl Heard {
    fn of<T: Debug>(&mut self, result: Result<T, Error>) {
        match result {
            Ok(done) => self.0.push(format!("{done:?}")),
            Err(error) => {
                let data = serde_json::to_string(error.violations()).expect("plain data");
                self.0.push(format!("{error} {error:?} {data}"));
                let causes = std::iter::successors(std::error::Error::source(&error), |cause| (*cause).source());
                self.0.extend(causes.map(|cause| format!("{cause} {cause:?}")));
            }
        }
    }
}

/// Rules that admit some of the values, and a value that may break them.
fn attribute() -> impl Strategy<Value = (DefinitionSpec, Vec<Value>)> {
    let flags = prop::collection::vec(any::<bool>(), 8);
    (prop::sample::select(DataType::ALL.as_slice()), flags, prop::collection::vec(0..40u8, 3)).prop_map(
        |(data_type, flags, tails)| {
            let mut spec = DefinitionSpec::new("secret", data_type).sensitive();
            spec.rules.unique = flags[0];
            match data_type {
                DataType::String => {
                    spec.rules.pattern = flags[1].then(|| "[a-z]+ or [0-9]+".to_owned());
                    spec.rules.maximum_chars = flags[2].then_some(12);
                    spec.rules.minimum_chars = (flags[3] && !flags[2]).then_some(30);
                    spec.rules.choices = if flags[4] { vec!["one".into(), "two".into()] } else { Vec::new() };
                    spec.rules.choices.retain(|_| !flags[1] && !flags[3]);
                }
                DataType::Integer => {
                    spec.rules.minimum = flags[1].then_some(Value::from(-5));
                    spec.rules.maximum = flags[2].then_some(Value::from(5));
                    spec.rules.choices = if flags[4] { vec![1.into(), 2.into()] } else { Vec::new() };
                }
                DataType::Decimal => {
                    spec.rules.maximum = flags[1].then(|| Value::parse(DataType::Decimal, "5.5").expect("a number"));
                    spec.rules.fraction_digits = flags[2].then_some(1);
                }
                _ => {}
            }
            let value = |tail: &u8| match tail % 4 {
                0 => Value::from(MARKER * (1 + i64::from(*tail))),
                1 => Value::parse(DataType::Decimal, &format!("{MARKER}.{tail:02}9")).expect("a number"),
                2 => Value::from(format!("{MARKER} {}", "x".repeat(usize::from(*tail)))),
                _ => Value::from(format!("{MARKER}")),
            };
            let values = tails.iter().map(value).collect();
            (spec, values)
        },
    )
}

/// Whether a number of the test or a text of it is repeated, also in hexadecimal digits.
fn tells(line: &str) -> bool {
    let in_hex: String = MARKER.to_string().bytes().map(|byte| format!("{byte:02x}")).collect();
    if line.contains(&in_hex) {
        return true;
    }
    let digits = line.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse::<i64>().ok());
    line.contains(&MARKER.to_string()) || digits.filter(|number| *number > 0).any(|number| number % MARKER == 0)
}

fn hear(heard: &mut Heard, spec: &DefinitionSpec, values: &[Value]) {
    let host = Attributes::new(MemoryStore::new());
    let people = host.of("person").expect("a type");
    let bare = DefinitionSpec::new("secret", spec.data_type).sensitive();
    let specs = [bare, DefinitionSpec::string("text").sensitive(), DefinitionSpec::string("plain")];
    people.ensure(specs).expect("definitions");
    for (id, value) in values.iter().enumerate() {
        let id = i64::try_from(id).expect("it is small");
        heard.of(people.set(id, "text", value.to_string()));
        heard.of(people.set_text(id, "secret", &value.to_string()));
        heard.of(people.set(id, "secret", value.clone()));
    }
    let marks = || host.snapshot().expect("a snapshot").as_snapshot().marks().expect("marks").commit;
    let filled = marks();
    let plan = people.plan().change("secret", |_| spec.clone()).change("text", |spec| spec.of_type(DataType::Integer));
    let report = plan.check();
    heard.0.extend(report.as_ref().ok().map(|report| serde_json::to_string(report).expect("plain data")));
    heard.of(report);
    heard.of(plan.offences(None, 10));
    heard.of(plan.apply());
    for (name, into) in [("text", "secret"), ("secret", "text"), ("text", "plain"), ("secret", "plain")] {
        heard.of(people.plan().merge(name, into).check());
        heard.of(host.batch().merge("person", name, into, Offending::Refuse).check());
        heard.of(host.batch().split("person", name, into).check());
        heard.of(host.batch().move_value(("person", 0), name, into).check());
        heard.of(host.batch().clear(("person", 0), into).move_value(("person", 0), name, into).check());
    }
    heard.of(people.change("secret", |_| spec.clone()).apply_with(Offending::Clear));
    for value in values {
        heard.of(people.set(7, "secret", value.clone()));
        heard.of(people.set_text(7, "secret", &value.to_string()));
        heard.of(people.save(8, [("secret", value.clone()), ("text", value.clone())]));
        heard.of(people.set(9, "secret", value.clone()));
        for filter in
            [attr("secret").eq(value.clone()), attr("secret").gt(value.clone()), attr("text").contains(value.to_string())]
        {
            heard.of(people.find(Query::new(filter.clone())));
            heard.of(people.facets(Some(&filter), "secret"));
        }
        let filters = [format!("secret = '{value}' and text < '{value}'"), format!("text in ({MARKER}) or secret = true")];
        for filter in filters {
            heard.of(filter.parse::<Filter>().and_then(|filter| people.find(Query::new(filter))));
        }
        let batch = host.batch().set(("person", 1), "secret", value.clone());
        heard.0.push(format!("{batch:?}"));
        if let Ok(definition) = people.definition("secret") {
            let bound = definition.bind(value.clone(), &Limits::typed());
            heard.0.push(format!("{bound:?} {:?}", definition.bind_text(&value.to_string(), &Limits::typed())));
            if let Ok(value) = bound {
                let mut batch = Batch::new(
                    host.snapshot().expect("a snapshot").catalog(),
                    "2026-01-01T00:00:00Z".parse().expect("an instant"),
                );
                batch.push(Change::Set { entity: custom_attributes::EntityKey::new("person", 1).expect("a key"), value });
                heard.0.push(format!("{batch:?}"));
            }
        }
    }
    for name in ["secret", "text"] {
        heard.of(people.get::<bool>(0, name));
        heard.of(people.get::<i8>(0, name));
        heard.of(people.entity(0).and_then(|entity| entity.map(|entity| entity.get::<i8>(name)).transpose()));
    }
    hear_types(heard, &host, values);
    let view = host.snapshot().expect("a snapshot");
    heard.of(people.entity(0));
    heard.of(people.details(0));
    heard.of(view.history(("person", 0)));
    heard.of(host.changes_since(CommitId::new(0), 100));
    heard.of(view.diff(("person", 0), CommitId::new(0), marks()));
    heard.of(view.as_snapshot().written(None, None, 10));
    heard.of(view.as_snapshot().history(&[custom_attributes::EntityKey::new("person", 0).expect("a key")]));
    for commit in 1..=marks().get() {
        heard.of(host.undo(CommitId::new(commit)).and_then(|batch| batch.check()));
        heard.of(host.restore_entity(("person", 0), CommitId::new(commit)).and_then(|batch| batch.check()));
    }
    // It was sensitive, and its values are hidden still.
    heard.of(people.alter("text", |spec| DefinitionSpec::new(spec.name, spec.data_type)).map(|_| ()));
    heard.of(people.change("text", |spec| spec.of_type(DataType::Date)).check());
    heard.of(host.restore_entity(("person", 0), filled).and_then(|batch| batch.check()));
    heard.of(people.get::<bool>(1, "text"));

    // What another wrote to a file may be of any form.
    let mut lines = Vec::new();
    host.export(&mut lines, |_| ControlFlow::Continue(())).expect("an export");
    let lines = String::from_utf8(lines).expect("JSON");
    for (right, wrong) in
        [("{\"STRING\":\"", "{\"INTEGER\":\""), ("{\"STRING\":\"", "{\"STRINGS\":\""), ("{\"STRING\":\"", "{\"DATE\":\"")]
    {
        let wrong = lines.replace(right, wrong);
        let there = Attributes::new(MemoryStore::new());
        heard.of(there.import(wrong.as_bytes(), |_| ControlFlow::Continue(())));
    }
}

/// Types that hold values and are made only by reading, by searching, or for a backend.
fn hear_types(heard: &mut Heard, host: &Attributes<MemoryStore>, values: &[Value]) {
    let people = host.of("person").expect("a type");
    let view = host.snapshot().expect("a snapshot");
    let (snapshot, catalog) = (view.as_snapshot(), view.catalog());
    let key = EntityKey::new("person", 0).expect("a key");
    let entity = people.entity_with_defaults(0).expect("an entity");
    heard.0.push(format!("{:?} {entity:?}", entity.iter_with_defaults().collect::<Vec<_>>()));
    heard.0.push(format!("{:?} {host:?} {people:?} {view:?}", entity.record()));
    heard.of(view.entities_of(people.entity_type(), None, 10));
    heard.of(view.usage(people.entity_type()));
    // The one that was set again and again.
    heard.of(snapshot.history(&[EntityKey::new("person", 7).expect("a key")]));
    for name in ["secret", "text"] {
        heard.of(people.reading(0, name));
        heard.of(entity.reading(name));
        if let Ok(Some(id)) = entity.value_id(name) {
            heard.of(view.value_history(id));
            heard.of(view.value(id));
        }
        for direction in [Direction::Ascending, Direction::Descending] {
            // A page of one has a cursor behind each of its values.
            let query = Query::all().order_by(name, direction).limit(1);
            heard.of(people.explain(query.clone()));
            let page = people.find_keys(query.clone()).expect("a page");
            if let Some(next) = &page.next {
                heard.0.push(format!("{:?} {:?}", next, query.clone().after(next.clone())));
                heard.of(people.find(query.clone().after(next.clone())));
            }
            heard.0.push(format!("{page:?}"));
            heard.of(people.find(query));
            let id = catalog.find(people.entity_type(), name).expect("a definition").id();
            let wanted = Wanted { entity_type: people.entity_type().clone(), filter: None };
            let mut bound = BoundQuery { wanted, order: vec![(id, direction)], after: None, limit: 1 };
            bound.after = Some(bound.rank(entity.record()));
            heard.0.push(format!("{bound:?} {:?}", bound.after));
            heard.of(snapshot.find(&bound));
            heard.of(snapshot.find_keys(&BoundQuery { after: None, ..bound }));
        }
    }
    let written = values.iter().map(ToString::to_string);
    let texts = written.flat_map(|text| {
        let attribute = || attr("text");
        let asked = [attribute().eq(text.clone()), attribute().ne(text.clone()), attribute().gt(text.clone())];
        let more = [attribute().between("0", text.clone()), attribute().is_in(["x".to_owned(), text.clone()])];
        let parts =
            [attribute().starts_with(text.clone()), attribute().contains(text.clone()), attribute().ends_with(text.clone())];
        asked.into_iter().chain(more).chain(parts).chain([attribute().eq_folded(text)])
    });
    let secrets = values.iter().flat_map(|value| {
        let attribute = || attr("secret");
        let asked = [attribute().eq(value.clone()), attribute().ne(value.clone()), attribute().le(value.clone())];
        asked.into_iter().chain([attribute().between(value.clone(), value.clone()), attribute().is_in([value.clone()])])
    });
    for filter in texts.chain(secrets) {
        let filter = !filter | attr("plain").exists();
        heard.of(filter.bind(catalog, people.entity_type()));
        let explained = people.explain(&filter);
        heard.0.extend(explained.as_ref().ok().map(|explained| format!("{explained}")));
        heard.of(explained);
    }
    for text in values.iter().map(ToString::to_string) {
        for name in ["secret", "text"] {
            let definition = catalog.find(people.entity_type(), name).expect("a definition");
            let Ok(value) = definition.bind_text(&text, &Limits::typed()) else { continue };
            heard.0.push(format!(
                "{:?} {:?}",
                Edit::Set(value.clone()),
                Change::Set { entity: key.clone(), value: value.clone() }
            ));
            let mut batch = Batch::new(catalog, "2026-01-01T00:00:00Z".parse().expect("an instant"));
            batch.push(Change::Set { entity: key.clone(), value });
            heard.of(plan(snapshot, &batch));
        }
    }
}

/// Every public type that holds a value and knows its attribute, or an id of it. Whoever adds such a type adds it here.
const HOLDERS: [&str; 26] = [
    "Batch",
    "Bound",
    "BoundQuery",
    "Changes",
    "Cursor",
    "EffectiveValue",
    "Entity",
    "EntityChange",
    "EntityRecord",
    "Explanation",
    "Facets",
    "Found",
    "FoundKeys",
    "Held",
    "KeyPage",
    "Page",
    "Past",
    "Plan",
    "Query",
    "Rank",
    "Reading",
    "RecordChange",
    "ValueChange",
    "ValueDetail",
    "Version",
    "Violation",
];

#[test]
fn every_type_that_holds_a_value_is_heard_without_it() {
    let mut heard = Heard::default();
    let values = ["one", "two", "three"].map(|tail| Value::from(format!("{MARKER} {tail}")));
    hear(&mut heard, &DefinitionSpec::string("secret").sensitive(), &values);
    for name in HOLDERS {
        let is_of = |line: &&String| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == name);
        assert!(heard.0.iter().any(|line| is_of(&line)), "no `{name}` was shown");
    }
    for line in &heard.0 {
        assert!(!tells(line), "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn no_error_and_no_log_repeats_a_sensitive_value((spec, values) in attribute()) {
        let told = Told::default();
        let mut heard = Heard::default();
        tracing::subscriber::with_default(told.clone(), || hear(&mut heard, &spec, &values));
        let lines = told.lines.lock().expect("no panic");
        prop_assert!(heard.0.len() > 40 && !lines.is_empty());
        for line in heard.0.iter().chain(lines.iter()) {
            prop_assert!(!tells(line), "{line}");
        }
    }
}
