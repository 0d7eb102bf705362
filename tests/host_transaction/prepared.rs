//! Statements are prepared once, though the host's connection has none of the settings of ours.

use std::sync::Arc;
use std::sync::Mutex;

use custom_attributes::{Attributes, Direction, LentStore, Query, attr};
use rusqlite::hooks::{AuthContext, Authorization};

use crate::{Crm, set};

fn all(attributes: &Attributes<LentStore<'_>>, n: i64) {
    let customers = attributes.of("customer").unwrap();
    for id in [n, n + 1, n] {
        set(attributes, id, id % 7);
        customers.set(id, "code", format!("c{id}-{n}")).unwrap();
        customers.get::<i64>(id, "credit_limit").unwrap();
        customers.entity(id).unwrap();
        customers.details(id).unwrap();
    }
    customers.clear(n, "credit_limit").unwrap();
    set(attributes, n, 5);
    assert!(customers.set(n, "credit_limit", -1).is_err());
    let view = attributes.snapshot().unwrap();
    view.history(("customer", n)).unwrap();
    for filter in [attr("credit_limit").eq(5), attr("credit_limit").ge(2), attr("code").starts_with("c")] {
        customers.find(Query::new(filter.clone()).order_by("credit_limit", Direction::Descending).limit(5)).unwrap();
        customers.find_keys(Query::new(filter.clone()).order_by("code", Direction::Ascending).limit(5)).unwrap();
        customers.count_found(&filter).unwrap();
        customers.facets(Some(&filter), "credit_limit").unwrap();
    }
    view.count(customers.entity_type()).unwrap();
    view.entities_of(customers.entity_type(), None, 10).unwrap();
    attributes.changes_since(custom_attributes::Position::default(), 10).unwrap();
}

/// What was prepared when the same had been done twice before.
fn prepared(capacity: usize, work: impl Fn(&Attributes<LentStore<'_>>, i64)) -> Vec<String> {
    let mut crm = Crm::new();
    crm.connection.set_prepared_statement_cache_capacity(capacity);
    // SQLite asks what a statement may do each time it prepares it.
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&asked);
    // A `Result` from rusqlite 0.38 on, and nothing before.
    let _ = crm.connection.authorizer(Some(move |context: AuthContext<'_>| {
        seen.lock().unwrap().push(format!("{:?}", context.action));
        Authorization::Allow
    }));
    crm.run("BEGIN");
    for n in 0..40 {
        set(&crm.on(), n, n);
    }
    let attributes = crm.on();
    work(&attributes, 100);
    work(&attributes, 200);
    asked.lock().unwrap().clear();
    work(&crm.on(), 300);
    let asked = asked.lock().unwrap();
    asked.clone()
}

#[test]
fn nothing_is_prepared_twice() {
    let asked = prepared(64, all);
    assert!(asked.is_empty(), "{asked:#?}");
}

#[test]
fn sets_and_reads_need_no_more_statements_than_is_said() {
    let sets = |attributes: &Attributes<LentStore<'_>>, n| {
        for id in [n, n + 1, n] {
            set(attributes, id, id % 7);
            crate::limit(attributes, id);
        }
    };
    assert!(prepared(16, sets).is_empty());
}
