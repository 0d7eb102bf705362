//! What a host would write by hand: a table with a typed column per attribute and an index on each, statements held.
#![allow(dead_code, reason = "each bench uses a part of it")]

use std::path::Path;

use chrono::NaiveDate;
use custom_attributes::{DataType, Value};
use rusqlite::types::{ToSqlOutput, Value as Sql};
use rusqlite::{CachedStatement, Connection, Row, Statement, params_from_iter};
use rust_decimal::Decimal;

use crate::customers::{ATTRIBUTES, Customers};

pub(crate) struct ByHand {
    connection: Connection,
}

/// Decimals are cents: exact, and as fast as a number can be.
fn column(data_type: DataType) -> &'static str {
    match data_type {
        DataType::Integer | DataType::Boolean | DataType::Decimal => "INTEGER",
        _ => "TEXT",
    }
}

pub(crate) fn to_sql(value: &Value) -> ToSqlOutput<'_> {
    match value {
        Value::String(text) => text.as_str().into(),
        Value::Integer(number) => ToSqlOutput::Owned(Sql::Integer(*number)),
        Value::Boolean(truth) => ToSqlOutput::Owned(Sql::Integer((*truth).into())),
        Value::Decimal(number) => ToSqlOutput::Owned(Sql::Integer(i64::try_from(number.mantissa()).expect("cents"))),
        other => ToSqlOutput::Owned(Sql::Text(other.to_string())),
    }
}

fn from_sql(row: &Row<'_>, index: usize, data_type: DataType) -> rusqlite::Result<Value> {
    Ok(match data_type {
        DataType::Integer => Value::Integer(row.get(index)?),
        DataType::Boolean => Value::Boolean(row.get(index)?),
        DataType::Decimal => Value::Decimal(Decimal::new(row.get(index)?, 2)),
        DataType::Date => Value::Date(row.get_ref(index)?.as_str()?.parse::<NaiveDate>().expect("a day")),
        _ => Value::String(row.get(index)?),
    })
}

impl ByHand {
    pub(crate) fn create(path: &Path) -> Self {
        let connection = Connection::open(path).expect("a file");
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").expect("settings");
        let columns: Vec<String> = ATTRIBUTES.iter().map(|(name, data_type)| format!("{name} {}", column(*data_type))).collect();
        let table = format!("CREATE TABLE customer (id INTEGER PRIMARY KEY, {})", columns.join(", "));
        connection.execute_batch(&table).expect("a table");
        for (name, _) in ATTRIBUTES {
            connection.execute_batch(&format!("CREATE INDEX customer_{name} ON customer ({name})")).expect("an index");
        }
        Self { connection }
    }

    pub(crate) fn load(&mut self, customers: &Customers) {
        let transaction = self.connection.transaction().expect("a transaction");
        let mut insert =
            transaction.prepare("INSERT INTO customer VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)").expect("SQL");
        for (id, values) in customers.iter() {
            let row = [ToSqlOutput::Owned(Sql::Integer(id))].into_iter().chain(values.iter().map(to_sql));
            insert.execute(params_from_iter(row)).expect("an insert");
        }
        drop(insert);
        transaction.commit().expect("a commit");
    }

    pub(crate) fn prepare(&self, sql: &str) -> Statement<'_> {
        self.connection.prepare(sql).expect("SQL")
    }

    pub(crate) fn prepare_cached(&self, sql: &str) -> CachedStatement<'_> {
        self.connection.prepare_cached(sql).expect("SQL")
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.connection.execute_batch(sql).expect("SQL");
    }

    pub(crate) fn reader_of_one(&self, name: &str) -> ReaderOfOne<'_> {
        ReaderOfOne(self.connection.prepare(&format!("SELECT {name} FROM customer WHERE id = ?1")).expect("SQL"))
    }

    pub(crate) fn reader_of_all(&self) -> ReaderOfAll<'_> {
        ReaderOfAll(self.connection.prepare("SELECT * FROM customer WHERE id = ?1").expect("SQL"))
    }

    pub(crate) fn setter_of_one(&self, name: &str) -> SetterOfOne<'_> {
        SetterOfOne(self.connection.prepare(&format!("UPDATE customer SET {name} = ?2 WHERE id = ?1")).expect("SQL"))
    }
}

pub(crate) struct ReaderOfOne<'a>(Statement<'a>);

impl ReaderOfOne<'_> {
    pub(crate) fn read(&mut self, id: i64) -> i64 {
        self.0.query_row([id], |row| row.get(0)).expect("a value")
    }
}

pub(crate) struct ReaderOfAll<'a>(Statement<'a>);

impl ReaderOfAll<'_> {
    pub(crate) fn read(&mut self, id: i64) -> Vec<Value> {
        let values = |row: &Row<'_>| (0..).zip(ATTRIBUTES).map(|(n, (_, data_type))| from_sql(row, n + 1, data_type)).collect();
        self.0.query_row([id], values).expect("an entity")
    }
}

pub(crate) struct SetterOfOne<'a>(Statement<'a>);

impl SetterOfOne<'_> {
    pub(crate) fn set(&mut self, id: i64, number: i64) {
        assert_eq!(self.0.execute([id, number]).expect("an update"), 1);
    }
}
