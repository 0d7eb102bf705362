//! What is told to `tracing`: what was done, of which type, how many and how long, and no value of anybody.

use std::fmt::Debug;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use custom_attributes::{Attributes, DefinitionSpec, MemoryStore, Prune, Query, attr};
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
        assert_eq!(people.count_found(&attr("diagnosis").eq("SECRET")).expect("a count"), 3);
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
