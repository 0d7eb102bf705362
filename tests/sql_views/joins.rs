//! The two columns of ids: whatever the host's own column is, a join on the right one finds exactly the entity that `get` finds,
//! and finds it by an index.

use custom_attributes::{AttributeStore, Attributes, AttributesOf, DefinitionSpec, EntityId, HostTables, Query, attr};
use proptest::prelude::*;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params};

use crate::{crm, define, fill, sql_id, text};

/// How a host joins by a column of this declaration: with this column of the view, and this expression of its own.
struct Host {
    declared: &'static str,
    ours: &'static str,
    theirs: &'static str,
}

const fn host(declared: &'static str, ours: &'static str, theirs: &'static str) -> Host {
    Host { declared, ours, theirs }
}

const AS_TEXT: &str = "CAST(c.id AS TEXT)";

/// As the documentation of `SqliteStore` says it.
const HOSTS: [Host; 17] = [
    host("INTEGER PRIMARY KEY", "entity_id", "c.id"),
    host("INTEGER UNIQUE", "entity_id", "c.id"),
    host("BIGINT", "entity_id", "c.id"),
    host("NUMERIC UNIQUE", "entity_id", "c.id"),
    host("REAL", "entity_id", "c.id"),
    host("TEXT PRIMARY KEY", "entity_key", "c.id"),
    host("VARCHAR(40)", "entity_key", "c.id"),
    host("TEXT COLLATE NOCASE", "entity_key", "c.id COLLATE BINARY"),
    host("BLOB", "entity_key", AS_TEXT),
    host("", "entity_key", AS_TEXT),
    host("PRIMARY KEY", "entity_key", AS_TEXT),
    host("NUMERIC", "entity_key", AS_TEXT),
    host("UUID UNIQUE", "entity_key", AS_TEXT),
    host("INTEGER PRIMARY KEY", "entity_key", AS_TEXT),
    host("INTEGER", "entity_key", AS_TEXT),
    host("TEXT", "entity_key", AS_TEXT),
    host("UUID COLLATE NOCASE", "entity_key", "CAST(c.id AS TEXT) COLLATE BINARY"),
];

/// The host's rows with their attribute, and `seen`, which tells a row without an entity from an entity without the attribute.
const JOINS: [&str; 4] = [
    "SELECT c.n, v.tier, v.entity_key FROM host c JOIN {view} v ON v.{ours} = {theirs}",
    "SELECT c.n, v.tier, v.entity_key FROM {view} v JOIN host c ON v.{ours} = {theirs}",
    "SELECT c.n, v.tier, v.entity_key FROM host c LEFT JOIN {view} v ON v.{ours} = {theirs} WHERE v.entity_key IS NOT NULL",
    "SELECT c.n, (SELECT tier FROM {view} v WHERE v.{ours} = {theirs}), (SELECT entity_key FROM {view} v WHERE v.{ours} = {theirs})
     FROM host c WHERE EXISTS (SELECT 1 FROM {view} v WHERE v.{ours} = {theirs})",
];

/// The host's rows that have an entity.
const SETS: [&str; 3] = [
    "SELECT c.n FROM host c WHERE {theirs} IN (SELECT {ours} FROM {view})",
    "SELECT c.n FROM host c WHERE NOT NOT EXISTS (SELECT 1 FROM {view} v WHERE v.{ours} = {theirs})",
    "SELECT c.n FROM host c EXCEPT SELECT c.n FROM host c LEFT JOIN {view} v ON v.{ours} = {theirs} WHERE v.entity_key IS NULL",
];

impl Host {
    fn sql(&self, pattern: &str, view: &str) -> String {
        pattern.replace("{view}", view).replace("{ours}", self.ours).replace("{theirs}", self.theirs)
    }

    /// The id that a row of the host stands for, if it can be one.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    fn id(&self, stored: &Sql) -> Option<EntityId> {
        match stored {
            Sql::Integer(number) => Some(EntityId::from(*number)),
            Sql::Text(text) if self.ours == "entity_key" => EntityId::parse(text).ok(),
            // A column of numbers may hold an integer as a REAL, exactly or not at all.
            Sql::Real(number) if self.ours == "entity_id" => {
                let is_there = number.fract() == 0.0 && (i64::MIN as f64..-(i64::MIN as f64)).contains(number);
                is_there.then(|| EntityId::from(*number as i64))
            }
            _ => None,
        }
    }
}

/// Texts that SQLite takes for numbers, and numbers at their bounds.
const TRICKY: &[&str] = &[
    "0",
    "7",
    "8",
    "70",
    "-7",
    "07",
    "007",
    "7.0",
    "8.0",
    "+7",
    " 7",
    "7 ",
    "\u{a0}7",
    "7e0",
    "7E0",
    "70e-1",
    "0.7e1",
    "7.",
    ".7",
    "0x7",
    "-0",
    "+0",
    "00",
    "-07",
    "0.0",
    "-0.0",
    "1e400",
    "inf",
    "nan",
    "1_000",
    "9223372036854775806",
    "9223372036854775807",
    "9223372036854775808",
    "9223372036854775807.0",
    "+9223372036854775807",
    "-9223372036854775807",
    "-9223372036854775808",
    "-9223372036854775809",
    "9007199254740992",
    "9007199254740993",
    "9007199254740993.0",
    "9.00719925474099e+15",
    "c-7",
    "C-7",
    "it's",
    "é",
    "e\u{301}",
    "７",
    "٧",
    "😀",
    "null",
    "true",
    "\"7\"",
    "[7]",
    "a b",
];

fn ids() -> impl Strategy<Value = EntityId> {
    let parsed = |text: String| EntityId::parse(&text).unwrap();
    prop_oneof![
        4 => proptest::sample::select(TRICKY).prop_map(|text| EntityId::parse(text).unwrap()),
        1 => any::<i64>().prop_map(EntityId::from),
        2 => "[-+ ]?[0-9]{0,3}(\\.[0-9]{0,2})?[eE]?[0-9 ]".prop_map(parsed),
        1 => "\\PC{1,6}".prop_map(parsed),
    ]
}

fn rows(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> Vec<Vec<Sql>> {
    let mut select = connection.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = select.column_count();
    let rows = select.query_map(params, |row| (0..columns).map(|n| row.get(n)).collect()).unwrap();
    sorted(rows.map(Result::unwrap).collect())
}

/// In an order of no meaning, which is the same for the same rows.
fn sorted(mut rows: Vec<Vec<Sql>>) -> Vec<Vec<Sql>> {
    rows.sort_by_key(|row| format!("{row:?}"));
    rows
}

/// Parameters need no value for it.
fn plan(connection: &Connection, sql: &str) -> String {
    let mut select = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let steps = select.raw_query().mapped(|row| row.get::<_, String>(3));
    steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What `get` finds of these.
fn tier<S: AttributeStore>(of: &AttributesOf<'_, S>, id: &EntityId) -> Option<Sql> {
    of.get::<String>(id, "tier").unwrap().map(Sql::Text)
}

/// A table of the host by a column of this declaration, with a row for each id that the column takes.
fn host_table(connection: &Connection, declared: &str, ids: &[(EntityId, bool)]) {
    connection.execute_batch(&format!("DROP TABLE IF EXISTS host; CREATE TABLE host (id {declared}, n INTEGER)")).unwrap();
    for (n, (id, as_text)) in (0i64..).zip(ids) {
        let number = id.as_integer().filter(|_| !as_text);
        let id = number.map_or_else(|| text(&id.to_string()), Sql::Integer);
        // A primary key of integers takes no text, and what is unique no second.
        let _ = connection.execute("INSERT INTO host VALUES (?1, ?2)", params![id, n]);
    }
}

fn check<S: AttributeStore>(
    connection: &Connection,
    of: &AttributesOf<'_, S>,
    view: &str,
    host: &Host,
) -> Result<(), TestCaseError> {
    let stored = rows(connection, "SELECT n, id FROM host", []);
    let is_real = |row: &Vec<Sql>| matches!(row[1], Sql::Real(_)) && host.ours == "entity_key";
    // As a text, 7.0 would be an id that the host does not mean: a column that holds REAL joins on `entity_id` alone.
    let unsupported: Vec<Sql> = stored.iter().filter(|row| is_real(row)).map(|row| row[0].clone()).collect();
    let mut expected = Vec::new();
    for row in &stored {
        let Some(id) = host.id(&row[1]) else { continue };
        if let Some(tier) = tier(of, &id) {
            expected.push(vec![row[0].clone(), tier, text(&id.to_string())]);
        }
    }
    let found = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
        let mut rows = rows(connection, sql, params);
        rows.retain(|row| !unsupported.contains(&row[0]));
        rows
    };
    let expected = sorted(expected);
    for join in JOINS {
        let sql = host.sql(join, view);
        prop_assert_eq!(&found(&sql, &[]), &expected, "{} by {}", sql, host.declared);
    }
    let expected = sorted(expected.into_iter().map(|mut row| vec![row.swap_remove(0)]).collect());
    for set in SETS {
        let sql = host.sql(set, view);
        prop_assert_eq!(&found(&sql, &[]), &expected, "{} by {}", sql, host.declared);
    }
    let json = of.find_keys(Query::new(attr("tier").exists()).limit(Query::MAX_LIMIT)).unwrap().ids_as_json();
    let values = match host.ours {
        "entity_id" => "SELECT value FROM json_each(?1) WHERE type = 'integer'",
        _ => "SELECT CAST(value AS TEXT) FROM json_each(?1)",
    };
    let sql = format!("SELECT c.n FROM host c WHERE {} IN ({values})", host.theirs);
    prop_assert_eq!(&found(&sql, &[&json]), &expected, "{} by {}", sql, host.declared);
    Ok(())
}

#[test]
fn joins_search_our_indexes() {
    let crm = crm("CREATE TABLE things (id, name TEXT)");
    let mixed = |n: i64| EntityId::parse(&if n % 2 == 0 { n.to_string() } else { format!("0{n}") }).unwrap();
    fill(&crm, "customer", (0..300).map(EntityId::from));
    fill(&crm, "person", (0..300).map(|n| EntityId::parse(&format!("p-{n}")).unwrap()));
    fill(&crm, "thing", (0..300).map(mixed));
    for (entity_type, ids) in [("customer", "entity_id"), ("person", "entity_key"), ("thing", "entity_key")] {
        let view = format!("attr_of_{entity_type}");
        for host in &HOSTS {
            let table = format!(
                "DROP TABLE IF EXISTS host; CREATE TABLE host (id {}, n TEXT); CREATE INDEX host_n ON host (n);
                 INSERT OR IGNORE INTO host SELECT {ids}, 'n ' || entity_key FROM {view}",
                host.declared
            );
            if crm.host.execute_batch(&table).is_err() {
                assert!(host.declared == "INTEGER PRIMARY KEY" && entity_type != "customer", "{table}");
                continue;
            }
            let by = match host.ours {
                "entity_id" => "SEARCH v USING INDEX attr_entity_number (id_number=? AND id_type=?)",
                _ => "SEARCH v USING INDEX attr_entity_text (id_text=? AND id_type=?)",
            };
            let is_there = |plan: &str| plan.replace(" attr_entity USING", " v USING").contains(by);
            let page = "c.rowid > 5 ORDER BY c.rowid LIMIT 10";
            for (join, wanted) in [
                ("JOIN", "c.id = 17"),
                ("JOIN", "c.n = 'n 17'"),
                ("JOIN", "c.n > 'n' ORDER BY c.n LIMIT 10"),
                ("LEFT JOIN", "c.id = 17"),
                ("LEFT JOIN", "c.n = 'n 17'"),
                ("LEFT JOIN", "c.n > 'n' ORDER BY c.n LIMIT 10"),
                // Of a range of ids, JOIN may begin with ours, by their own index.
                ("LEFT JOIN", page),
            ] {
                let from = format!("SELECT v.support_tier FROM host c {join} {{view}} v ON v.{{ours}} = {{theirs}}");
                let sql = format!("{} WHERE {wanted}", host.sql(&from, &view));
                let plan = plan(&crm.host, &sql);
                assert!(is_there(&plan) && !plan.contains("SCAN attr_entity"), "{sql} by {}: {plan}", host.declared);
                assert!(wanted != page || plan.starts_with("SEARCH c USING INTEGER PRIMARY KEY"), "{sql}: {plan}");
            }
            for wanted in [
                "EXISTS (SELECT 1 FROM {view} v WHERE v.{ours} = {theirs})",
                "(SELECT support_tier FROM {view} WHERE {ours} = {theirs}) = 'x'",
            ] {
                let sql = host.sql(&format!("SELECT n FROM host c WHERE {wanted}"), &view);
                let plan = plan(&crm.host, &sql);
                assert!(is_there(&plan), "{sql} by {}: {plan}", host.declared);
            }
            // A set is read once: what is of the type, and nothing else.
            let sql =
                host.sql("SELECT n FROM host c WHERE {theirs} IN (SELECT {ours} FROM {view} WHERE support_tier = 'x')", &view);
            let plan = plan(&crm.host, &sql);
            assert!(plan.contains("SEARCH attr_entity USING INDEX") && plan.contains("(type=?)"), "{sql}: {plan}");
        }
        for alone in
            ["entity_id = 17", "entity_id = ?1", "entity_id IN (16, 17)", "entity_id IN (SELECT value FROM json_each(?1))"]
        {
            let plan = plan(&crm.host, &format!("SELECT support_tier FROM {view} WHERE {alone}"));
            assert!(
                plan.contains("SEARCH attr_entity USING INDEX attr_entity_number (id_number=? AND id_type=?)"),
                "{alone}: {plan}"
            );
        }
        for alone in ["entity_key = '017'", "entity_key = 17", "entity_key = ?1", "entity_key IN ('16', ?1)"] {
            let plan = plan(&crm.host, &format!("SELECT support_tier FROM {view} WHERE {alone}"));
            assert!(
                plan.contains("SEARCH attr_entity USING INDEX attr_entity_text (id_text=? AND id_type=?)"),
                "{alone}: {plan}"
            );
        }
    }
}

/// The statement that was in the host's program before stays right, and is not even prepared anew.
#[test]
fn the_first_text_changes_nothing_of_a_view() {
    let crm = crm("CREATE TABLE words (id TEXT PRIMARY KEY)");
    let customers = crm.of("customer");
    define(&customers);
    for id in [7, 8] {
        customers.set(id, "support_tier", format!("of {id}")).unwrap();
    }
    crm.host
        .execute_batch("INSERT INTO customers VALUES (7, 'Acme'), (8, 'Bolt'); INSERT INTO words VALUES ('7'), ('07'), ('8.0')")
        .unwrap();
    let columns = "SELECT name, type FROM pragma_table_xinfo('attr_of_customer') LIMIT 2";
    let schema = |host: &Connection| (rows(host, "PRAGMA schema_version", []), rows(host, columns, []));
    let before = schema(&crm.host);
    assert_eq!(before.1, [["entity_id", "INTEGER"], ["entity_key", "TEXT"]].map(|row| row.map(text)));
    let joins = [
        "SELECT c.id, v.support_tier FROM customers c JOIN attr_of_customer v ON v.entity_id = c.id",
        "SELECT c.id, v.support_tier FROM customers c LEFT JOIN attr_of_customer v ON v.entity_id = c.id",
        "SELECT id, name FROM customers WHERE id IN (SELECT entity_id FROM attr_of_customer)",
        "SELECT entity_id, typeof(entity_id) FROM attr_of_customer WHERE entity_id IN (7, 8)",
    ];
    let answers = joins.map(|sql| rows(&crm.host, sql, []));
    assert!(answers.iter().all(|rows| rows.len() == 2), "{answers:?}");

    for id in ["07", "8.0", "+7", " 7", "7e0"] {
        customers.set(id, "support_tier", format!("of {id}")).unwrap();
    }
    assert_eq!(joins.map(|sql| rows(&crm.host, sql, [])), answers);
    assert_eq!(schema(&crm.host), before);
    let by_words = "SELECT w.id, v.support_tier FROM words w JOIN attr_of_customer v ON v.entity_key = w.id";
    let by_words = rows(&crm.host, by_words, []);
    assert_eq!(by_words, ["07", "7", "8.0"].map(|id| [text(id), text(&format!("of {id}"))]));
}

#[test]
fn what_was_found_is_one_parameter() {
    let crm = crm("CREATE TABLE words (id TEXT PRIMARY KEY); CREATE TABLE things (id)");
    let of = crm.of("thing");
    of.define(DefinitionSpec::string("tier")).unwrap();
    let ids = ["007", "9223372036854775807", "-9223372036854775808", "\"quoted\" \\ 😀", "7", "8", "8.0", "1e5"];
    for id in ids.iter().filter(|id| **id != "8") {
        of.set(*id, "tier", "premium").unwrap();
    }
    let found = of.find_keys(Query::new(attr("tier").eq("premium"))).unwrap().ids_as_json();
    for id in ids {
        let id = EntityId::parse(id).unwrap();
        crm.host.execute("INSERT INTO words VALUES (?1)", [id.to_string()]).unwrap();
        crm.host.execute("INSERT INTO things VALUES (?1)", [sql_id(&id)]).unwrap();
        if let Some(number) = id.as_integer() {
            crm.host.execute("INSERT INTO customers VALUES (?1, NULL)", [number]).unwrap();
        }
    }
    let texts = "(SELECT CAST(value AS TEXT) FROM json_each(?1))";
    for (sql, lacks, search) in [
        (
            "SELECT id FROM customers WHERE id IN (SELECT value FROM json_each(?1) WHERE type = 'integer')".to_owned(),
            Sql::Integer(8),
            true,
        ),
        (format!("SELECT id FROM words WHERE id IN {texts}"), text("8"), true),
        (format!("SELECT id FROM things WHERE CAST(id AS TEXT) IN {texts}"), Sql::Integer(8), false),
    ] {
        let (table, _) = sql.split_once(" WHERE ").unwrap();
        let mut expected = rows(&crm.host, table, []);
        expected.retain(|row| row[0] != lacks);
        assert_eq!(rows(&crm.host, &sql, [&found]), expected, "{sql}");
        assert_eq!(plan(&crm.host, &sql).starts_with("SEARCH"), search, "{sql}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn a_host_finds_what_get_finds(
        entities in proptest::collection::btree_set(ids(), 0..30),
        others in proptest::collection::vec((ids(), any::<bool>()), 0..20),
        prefix in proptest::sample::select(vec!["attr_", "crm_"]),
    ) {
        let connection = Connection::open_in_memory().unwrap();
        let attributes = Attributes::new(HostTables::with_prefix(prefix).unwrap().on(&connection).unwrap());
        let (of, other) = (attributes.of("kind").unwrap(), attributes.of("Kind").unwrap());
        for of in [&of, &other] {
            of.define(DefinitionSpec::string("tier")).unwrap();
        }
        let mut batch = attributes.batch();
        for (n, id) in entities.iter().enumerate() {
            batch = batch.set(("kind", id), "tier", format!("of {id}"));
            // Another type has some of the same ids, and others.
            batch = batch.set(("Kind", id), "tier", "another's");
            if n % 3 == 0 {
                batch = batch.set(("Kind", format!("{id}0")), "tier", "another's");
            }
        }
        if !entities.is_empty() {
            batch.commit().unwrap();
        }
        let view = format!("{prefix}of_kind");
        let ids: Vec<_> = entities.iter().enumerate().map(|(n, id)| (id.clone(), n % 2 == 0)).chain(others).collect();

        for host in &HOSTS {
            host_table(&connection, host.declared, &ids);
            check(&connection, &of, &view, host)?;
        }
        // Alone, as literals and as parameters.
        for (id, _) in &ids {
            let expected: Vec<Vec<Sql>> = tier(&of, id).into_iter().map(|tier| vec![tier, text(&id.to_string())]).collect();
            let found = |wanted: &str, params: &[&dyn rusqlite::ToSql]| {
                rows(&connection, &format!("SELECT tier, entity_key FROM {view} WHERE {wanted}"), params)
            };
            let key = id.to_string();
            let mut all = vec![
                found(&format!("entity_key = {}", quoted(&key)), &[]),
                found(&format!("{} IN (entity_key)", quoted(&key)), &[]),
                found(&format!("entity_key IN ({}, 'no such id')", quoted(&key)), &[]),
                found("entity_key = ?1", &[&key]),
                found("?1 = entity_key", &[&key]),
                found("entity_key IN (SELECT CAST(value AS TEXT) FROM json_each(?1))", &[&serde_json::to_string(&[id]).unwrap()]),
            ];
            if let Some(number) = id.as_integer() {
                all.extend([
                    found(&format!("entity_id = {number}"), &[]),
                    found(&format!("entity_key = {number}"), &[]),
                    found(&format!("entity_id IN ({number})"), &[]),
                    found("entity_id = ?1", &[&number]),
                    found("entity_key = ?1", &[&number]),
                    found("entity_id IN (SELECT value FROM json_each(?1) WHERE type = 'integer')", &[&format!("[{number}]")]),
                ]);
            }
            for found in all {
                prop_assert_eq!(&found, &expected, "{:?}", key);
            }
        }
        // Each entity once, with both of its ids.
        let shown = rows(&connection, &format!("SELECT entity_id, entity_key FROM {view}"), []);
        let expected: Vec<_> = entities.iter().map(|id| vec![id.as_integer().map_or(Sql::Null, Sql::Integer), text(&id.to_string())]).collect();
        prop_assert_eq!(shown, sorted(expected));
    }
}
