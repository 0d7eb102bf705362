//! The host's own SQL joins on attributes: what the views show, how fast they are found, and that they follow the definitions.
#![cfg(feature = "sqlite")]

mod joins;
mod older;

use std::path::{Path, PathBuf};
use std::process::Command;

use custom_attributes::{Attributes, AttributesOf, DataType, DefinitionSpec, EntityId, Offending, Query, SqliteStore, Value};
use proptest::prelude::*;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params};
use tempfile::TempDir;

type Store = Attributes<SqliteStore>;

struct Crm {
    path: PathBuf,
    attributes: Store,
    host: Connection,
    _folder: TempDir,
}

/// The host's file, with tables of its own by integers and by texts, and the store beside them.
fn crm(tables: &str) -> Crm {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let host = Connection::open(&path).unwrap();
    host.execute_batch("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT); CREATE INDEX by_name ON customers (name)")
        .unwrap();
    host.execute_batch(tables).unwrap();
    let attributes = open(&path);
    Crm { path, attributes, host, _folder: folder }
}

fn open(path: &Path) -> Store {
    Attributes::new(SqliteStore::options().beside_host_tables().open(path).unwrap())
}

impl Crm {
    fn of(&self, entity_type: &str) -> AttributesOf<'_, SqliteStore> {
        self.attributes.of(entity_type).unwrap()
    }

    fn rows(&self, sql: &str) -> Vec<Vec<Sql>> {
        let mut select = self.host.prepare(sql).unwrap();
        let columns = select.column_count();
        let rows = select.query_map([], |row| (0..columns).map(|n| row.get(n)).collect()).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn one<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        self.host.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    fn columns(&self, view: &str) -> Vec<String> {
        // A statement notices that the schema has changed when it runs.
        self.one::<i64>("SELECT count(*) FROM customers");
        let select = self.host.prepare(&format!("SELECT * FROM \"{view}\"")).unwrap();
        (0..select.column_count()).map(|n| select.column_name(n).unwrap().to_owned()).collect()
    }

    fn views(&self) -> Vec<String> {
        let mut select = self.host.prepare("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

fn text(text: &str) -> Sql {
    Sql::Text(text.into())
}

const SPECS: [(&str, DataType); 5] = [
    ("support_tier", DataType::String),
    ("seats", DataType::Integer),
    ("price", DataType::Decimal),
    ("churned", DataType::Boolean),
    ("since", DataType::Date),
];

fn define(customers: &AttributesOf<'_, SqliteStore>) {
    customers.ensure(SPECS.map(|(name, data_type)| DefinitionSpec::new(name, data_type))).unwrap();
}

fn fill(crm: &Crm, entity_type: &str, ids: impl IntoIterator<Item = EntityId>) {
    define(&crm.of(entity_type));
    let mut batch = crm.attributes.batch();
    for id in ids {
        batch = batch.set((entity_type, id), "support_tier", "premium");
    }
    batch.commit().unwrap();
}

#[test]
fn values_compare_and_sort_as_those_of_columns() {
    let crm = crm("CREATE TABLE t (word TEXT, number INTEGER, day TEXT); INSERT INTO t VALUES ('007', 7, '2027-12-31')");
    let customers = crm.of("customer");
    define(&customers);
    let tricky = "\"quoted\" \\ back\nline\ttab 'single' 😀 é \u{7f}";
    for (id, tier, seats, price, churned, since) in [
        (1, "007", 7, "1.50", true, "2027-12-31"),
        (2, tricky, i64::MIN, "-1234567890123456789.123456789", false, "0001-01-01"),
        (3, "", i64::MAX, "9.9", false, "9999-12-31"),
        (4, "7", 10, "10", true, "2020-02-29"),
    ] {
        let price = Value::parse(DataType::Decimal, price).unwrap();
        let since = Value::parse(DataType::Date, since).unwrap();
        let values: [(&str, Value); 5] = [
            ("support_tier", tier.into()),
            ("seats", seats.into()),
            ("price", price),
            ("churned", churned.into()),
            ("since", since),
        ];
        customers.save(id, values).unwrap();
    }
    let sql = "SELECT support_tier, typeof(support_tier), seats, typeof(seats), price, typeof(price), typeof(\"price [number]\"),
               churned, typeof(churned), since, typeof(since) FROM attr_of_customer WHERE entity_id = 2";
    let kinds = ["text", "integer", "text", "real", "integer", "text"].map(text);
    let [a, b, c, d, e, f] = kinds;
    let price = text("-1234567890123456789.123456789");
    assert_eq!(
        crm.rows(sql),
        [[text(tricky), a, Sql::Integer(i64::MIN), b, price, c, d, Sql::Integer(0), e, text("0001-01-01"), f]]
    );
    let ids = |wanted: &str| {
        let rows = crm.rows(&format!("SELECT a.entity_id FROM attr_of_customer a, t {wanted}"));
        rows.into_iter().map(|row| if let Sql::Integer(id) = row[0] { id } else { 0 }).collect::<Vec<_>>()
    };
    assert_eq!(ids("WHERE support_tier = '007'"), [1]);
    assert_eq!(ids("WHERE support_tier = t.word"), [1]);
    assert_eq!(ids("WHERE support_tier = ''"), [3]);
    assert_eq!(ids("WHERE support_tier LIKE '%quoted%'"), [2]);
    assert_eq!(ids("WHERE seats = 9223372036854775807"), [3]);
    assert_eq!(ids("WHERE seats = t.number"), [1]);
    assert_eq!(ids("WHERE seats = '7'"), [1]);
    assert_eq!(ids("WHERE seats > 9 ORDER BY seats"), [4, 3]);
    assert_eq!(ids("ORDER BY seats"), [2, 1, 4, 3]);
    assert_eq!(ids("WHERE churned ORDER BY since"), [4, 1]);
    assert_eq!(ids("WHERE churned = FALSE ORDER BY entity_id"), [2, 3]);
    assert_eq!(ids("WHERE since = t.day"), [1]);
    assert_eq!(ids("WHERE since BETWEEN '2020-01-01' AND '2027-12-31' ORDER BY since"), [4, 1]);
    assert_eq!(ids("WHERE \"price [number]\" > 1.5 ORDER BY \"price [number]\""), [3, 4]);
    assert_eq!(ids("ORDER BY \"price [number]\" DESC"), [4, 3, 1, 2]);
}

#[test]
fn a_view_follows_its_definitions() {
    let crm = crm("");
    let customers = crm.of("customer");
    assert!(crm.views().is_empty());
    define(&customers);
    customers.set(1, "seats", 12).unwrap();
    customers.set(1, "support_tier", "12").unwrap();
    let mut held = crm.host.prepare("SELECT * FROM attr_of_customer").unwrap();
    assert_eq!(held.query_row([], |row| row.get::<_, i64>(3)).unwrap(), 12);

    customers.rename("seats", "Number of \"seats\"").unwrap();
    assert_eq!(crm.one::<i64>("SELECT \"Number of \"\"seats\"\"\" FROM attr_of_customer"), 12);
    customers.change("support_tier", |spec| spec.of_type(DataType::Decimal)).apply_with(Offending::Refuse).unwrap();
    let columns = ["entity_id", "entity_key", "support_tier", "support_tier [number]", "Number of \"seats\""];
    assert_eq!(crm.columns("attr_of_customer")[..5], columns);
    assert_eq!(crm.one::<f64>("SELECT \"support_tier [number]\" FROM attr_of_customer"), 12.0);

    let seats = customers.definition("Number of \"seats\"").unwrap().id();
    let deleted = customers.delete_with_values("Number of \"seats\"").unwrap();
    assert!(!crm.columns("attr_of_customer").iter().any(|column| column.contains("seats")));
    crm.attributes.restore_definition(seats).unwrap().commit().unwrap();
    assert_eq!(crm.one::<i64>("SELECT \"Number of \"\"seats\"\"\" FROM attr_of_customer"), 12);
    assert!(deleted.commit.is_some());

    customers.remove(1).unwrap();
    assert_eq!(crm.one::<i64>("SELECT count(*) FROM attr_of_customer"), 0);
    let version: i64 = crm.one("PRAGMA schema_version");
    customers.alter("since", |spec| spec.description("Since when.")).unwrap();
    assert_eq!(crm.one::<i64>("PRAGMA schema_version"), version, "what no view shows changes none");
    for name in ["support_tier", "Number of \"seats\"", "price", "churned", "since"] {
        customers.delete(name).unwrap();
    }
    assert!(crm.views().is_empty());
    assert_eq!(crm.one::<String>("SELECT name FROM attr_view"), "attr_of_customer");
    customers.define(DefinitionSpec::string("again")).unwrap();
    assert_eq!(crm.columns("attr_of_customer"), ["entity_id", "entity_key", "again"]);
}

#[test]
fn what_is_rolled_back_leaves_the_view_as_it_was() {
    let crm = crm("");
    let customers = crm.of("customer");
    define(&customers);
    crm.host.execute_batch("ALTER TABLE attr_entity ADD COLUMN refuse INTEGER CHECK (refuse IS NOT NULL)").unwrap();
    let before = crm.columns("attr_of_customer");
    let batch =
        crm.attributes.batch().define("customer", DefinitionSpec::string("late")).define("site", DefinitionSpec::string("city"));
    batch.set(("customer", "c-1"), "late", "x").commit().unwrap_err();
    assert_eq!((crm.views(), crm.columns("attr_of_customer")), (vec!["attr_of_customer".to_owned()], before));
    crm.host.execute_batch("ALTER TABLE attr_entity DROP COLUMN refuse").unwrap();
    customers.set(1, "support_tier", "premium").unwrap();
    assert_eq!(crm.one::<i64>("SELECT entity_id FROM attr_of_customer"), 1);
}

#[test]
fn names_that_sqlite_holds_to_be_the_same_are_told_apart() {
    let crm = crm("CREATE TABLE Attr_Of_Site (mine); CREATE VIEW attr_of_person AS SELECT 5 AS mine");
    for entity_type in ["customer", "Customer", "CUSTOMER", "site", "person", "sales-order.2"] {
        let of = crm.of(entity_type);
        of.ensure([
            DefinitionSpec::string("Entity_ID"),
            DefinitionSpec::string("select"),
            DefinitionSpec::decimal("rowid"),
            DefinitionSpec::decimal("ENTITY_KEY"),
        ])
        .unwrap();
        of.set(1, "entity_id", entity_type).unwrap();
    }
    let named = "SELECT t.name, v.name FROM attr_view v JOIN attr_entity_type t ON t.id = v.type ORDER BY t.id";
    let names = ["attr_of_customer", "attr_of_Customer[2]", "attr_of_CUSTOMER[3]", "attr_of_site[2]", "attr_of_person[2]"];
    let rows = crm.rows(named);
    assert_eq!(rows.iter().map(|row| row[1].clone()).collect::<Vec<_>>()[..5], names.map(text));
    for row in rows {
        let (Sql::Text(entity_type), Sql::Text(view)) = (&row[0], &row[1]) else { panic!("two texts") };
        let ours = ["entity_id", "entity_key", "Entity_ID [attribute]", "select", "rowid", "rowid [number]"];
        assert_eq!(crm.columns(view)[..6], ours);
        assert_eq!(crm.columns(view)[6..], ["ENTITY_KEY [attribute]", "ENTITY_KEY [number]"]);
        assert_eq!(&crm.one::<String>(&format!("SELECT \"Entity_ID [attribute]\" FROM \"{view}\"")), entity_type);
    }
    assert_eq!(crm.columns("Attr_Of_Site"), ["mine"]);
    assert_eq!(crm.one::<i64>("SELECT mine FROM attr_of_person"), 5);

    // A name that the host takes while no view has it is the host's.
    for name in ["entity_id", "select", "rowid", "entity_key"] {
        crm.of("customer").delete_with_values(name).unwrap();
    }
    crm.host.execute_batch("CREATE TABLE attr_of_customer (mine)").unwrap();
    crm.of("customer").define(DefinitionSpec::string("tier")).unwrap();
    assert_eq!(crm.columns("attr_of_customer"), ["mine"]);
    assert_eq!(crm.columns("attr_of_customer[4]"), ["entity_id", "entity_key", "tier"]);
}

#[test]
fn a_view_has_as_many_columns_as_sqlite_gives() {
    let crm = crm("");
    let mut batch = crm.attributes.batch();
    for n in 0..2_100 {
        batch = batch.define("customer", DefinitionSpec::integer(format!("number {n}")));
    }
    batch.set(("customer", 1), "number 1997", 5).set(("customer", 1), "number 2099", 7).commit().unwrap();
    let columns = crm.columns("attr_of_customer");
    assert_eq!((columns.len(), columns.last().unwrap().as_str()), (2_000, "number 1997"));
    assert_eq!(crm.one::<i64>("SELECT \"number 1997\" FROM attr_of_customer"), 5);
    let customers = crm.of("customer");
    assert_eq!(customers.get::<i64>(1, "number 2099").unwrap(), Some(7));
    // A DECIMAL needs two, and is left out whole; what comes behind fills the place of what goes.
    customers.change("number 1997", |spec| spec.of_type(DataType::Decimal)).apply_with(Offending::Refuse).unwrap();
    assert_eq!(crm.columns("attr_of_customer").last().unwrap(), "number 1996");
    customers.delete("number 0").unwrap();
    assert_eq!(crm.columns("attr_of_customer").last().unwrap(), "number 1997 [number]");
}

fn sql_id(id: &EntityId) -> Sql {
    id.as_integer().map_or_else(|| text(id.as_text().unwrap()), Sql::Integer)
}

/// The shell has a SQLite of its own, of another version, and nothing of this crate.
#[test]
fn the_plain_shell_joins() {
    let there = Command::new("sqlite3").arg("--version").output().is_ok();
    if !there && std::env::var("CI").is_err() {
        eprintln!("sqlite3 is not installed: not tried");
        return;
    }
    let crm = crm("INSERT INTO customers VALUES (123, 'Acme'), (124, 'Bolt')");
    define(&crm.of("customer"));
    crm.of("customer").set(123, "support_tier", "premium").unwrap();
    crm.of("customer").set_text(123, "price", "12.50").unwrap();
    let shell = |sql: &str| {
        let ran = Command::new("sqlite3").arg("-batch").arg(&crm.path).arg(sql).output().expect("the sqlite3 shell is installed");
        assert!(ran.status.success(), "{sql}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    };
    let join = "SELECT c.name, a.support_tier, a.price, a.\"price [number]\" FROM customers c JOIN attr_of_customer a ON a.entity_id = c.id";
    assert_eq!(shell(join), "Acme|premium|12.50|12.5\n");
    let plan = shell(&format!("EXPLAIN QUERY PLAN {join} WHERE c.name = 'Acme'"));
    assert!(plan.contains("SEARCH attr_entity USING INDEX attr_entity_number (id_number=? AND id_type=?)"), "{plan}");
    assert_eq!(shell("PRAGMA integrity_check"), "ok\n");
}

fn values(data_type: DataType) -> BoxedStrategy<Value> {
    let exact = |data_type| move |text: String| Value::parse(data_type, &text).unwrap();
    match data_type {
        DataType::String => prop_oneof![
            "[0-9.eE+ -]{0,6}".prop_map(Value::from),
            "[a-z\"'\\\\{}\\[\\]:,$%\n\t\u{1}\u{1f}é😀\u{2028}]{0,12}".prop_map(Value::from),
        ]
        .boxed(),
        DataType::Integer => prop_oneof![any::<i64>(), -3i64..3, Just(i64::MIN), Just(i64::MAX)].prop_map(Value::from).boxed(),
        DataType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        DataType::Date => (1i32..=9999, 1u32..=12, 1u32..=28)
            .prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"))
            .prop_map(exact(DataType::Date))
            .boxed(),
        _ => "-?[0-9]{1,18}(\\.[0-9]{1,9})?".prop_map(exact(DataType::Decimal)).boxed(),
    }
}

fn ids() -> impl Strategy<Value = EntityId> {
    let texts = "[0-9]{1,3}|[a-z'\" -]{1,4}".prop_map(|id| EntityId::parse(&id).unwrap());
    prop_oneof![3 => (-20i64..20).prop_map(EntityId::from), 1 => texts]
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z\"'`;.,$%*()/\\\\ _é😀-]{1,8}",
        "select|from|rowid|entity_id|ENTITY_ID|Entity_Key|id|type|doc|null|\\?1|:a|@b"
    ]
}

/// As the view gives it.
fn sql_value(value: &Value) -> Sql {
    match value {
        Value::Integer(number) => Sql::Integer(*number),
        Value::Boolean(truth) => Sql::Integer((*truth).into()),
        other => Sql::Text(other.to_string()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn a_view_shows_what_is_read(
        specs in proptest::collection::vec((names(), proptest::sample::select(DataType::ALL.to_vec())), 1..6)
            .prop_flat_map(|specs| {
                let values: Vec<_> = specs.iter().map(|(_, data_type)| proptest::option::of(values(*data_type))).collect();
                (Just(specs), proptest::collection::vec((ids(), values), 0..12))
            }),
        renamed in names(),
    ) {
        let (specs, entities) = specs;
        let crm = crm("");
        let of = crm.of("kind");
        let mut defined = Vec::new();
        for (name, data_type) in specs {
            defined.push(of.define(DefinitionSpec::new(name, data_type)).ok());
        }
        for (id, values) in entities {
            for (definition, value) in defined.iter().zip(values) {
                if let (Some(definition), Some(value)) = (definition, value) {
                    of.set(&id, definition.name().as_str(), value).unwrap();
                }
            }
        }
        if let Some(first) = defined.first().cloned().flatten() {
            let _ = of.rename(first.name().as_str(), &renamed);
        }
        let catalog = crm.attributes.snapshot().unwrap().catalog().clone();
        let definitions = catalog.of(of.entity_type());
        if definitions.is_empty() {
            prop_assert!(crm.views().is_empty());
            return Ok(());
        }

        let entities = of.find(Query::all().limit(100)).unwrap().entities;
        let columns = crm.columns("attr_of_kind");
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let mut at = 2;
        for definition in definitions {
            let name = definition.name().as_str();
            let is_ours = ["entity_id", "entity_key"].iter().any(|ours| name.eq_ignore_ascii_case(ours));
            let plain = if is_ours { format!("{name} [attribute]") } else { name.to_owned() };
            prop_assert_eq!(&columns[at], &plain);
            for entity in &entities {
                let id = text(&entity.key().id().to_string());
                let held = entity.iter().find(|(held, _)| held.id() == definition.id()).map(|(_, value)| value);
                let sql = format!("SELECT {} FROM attr_of_kind WHERE entity_key = ?1", quoted(&plain));
                let shown: Sql = crm.host.query_row(&sql, [&id], |row| row.get(0)).unwrap();
                prop_assert_eq!(&shown, &held.map_or(Sql::Null, sql_value));
                let Some(held) = held else { continue };
                // Equal to itself as a parameter, and in its place among the others.
                let sql = format!("SELECT count(*) FROM attr_of_kind WHERE {} = ?1", quoted(&plain));
                let equal: i64 = crm.host.query_row(&sql, [&shown], |row| row.get(0)).unwrap();
                let by = if definition.data_type() == DataType::Decimal { format!("{name} [number]") } else { plain.clone() };
                let key = crm.host.query_row(&format!("SELECT {} FROM attr_of_kind WHERE entity_key = ?1", quoted(&by)), [&id], |row| row.get::<_, Sql>(0)).unwrap();
                let sql = format!("SELECT count(*) FROM attr_of_kind WHERE {} < ?1", quoted(&by));
                let below: i64 = crm.host.query_row(&sql, params![key], |row| row.get(0)).unwrap();
                let others = || entities.iter().flat_map(|other| other.iter()).filter(|(other, _)| other.id() == definition.id()).map(|(_, value)| value);
                if definition.data_type() == DataType::Decimal {
                    prop_assert!(matches!(key, Sql::Real(_)));
                    let number = |value: &Value| value.to_string().parse::<f64>().unwrap();
                    prop_assert_eq!(below as usize, others().filter(|other| number(other) < number(held)).count());
                } else {
                    prop_assert_eq!(below as usize, others().filter(|other| *other < held).count());
                    prop_assert_eq!(equal as usize, others().filter(|other| *other == held).count());
                }
            }
            at += if definition.data_type() == DataType::Decimal { 2 } else { 1 };
        }
        prop_assert_eq!(columns.len(), at);
        prop_assert_eq!(crm.one::<i64>("SELECT count(*) FROM attr_of_kind") as usize, entities.len());
    }
}
