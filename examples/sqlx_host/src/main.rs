//! A service that keeps its customers with sqlx, and writes a customer and its attributes in one transaction.

#[cfg(test)]
mod tests;

use std::error::Error;
use std::path::Path;

use custom_attributes::{Attributes, DefinitionSpec, HostTables, LentStore};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

// The documentation of `HostTables` shows this function; a test compares the two.
/// Runs `work` on the attributes of a database that sqlx has open, inside the open transaction if there is one.
async fn with_attributes<T>(
    connection: &mut SqliteConnection,
    tables: &HostTables,
    work: impl FnOnce(&Attributes<LentStore<'_>>) -> custom_attributes::Result<T>,
) -> Result<T> {
    let mut locked = connection.lock_handle().await?;
    // SAFETY: sqlx opened this handle and keeps it open while `connection` is borrowed. `locked` keeps the worker
    // thread of sqlx away from the handle. `lent` does not own the handle and does not close it, and it is declared
    // after `locked`, so it is dropped, with its statements, before sqlx can use the handle again. Nothing is awaited
    // and nothing of `lent` is returned.
    let lent = unsafe { custom_attributes::rusqlite::Connection::from_handle(locked.as_raw_handle().as_ptr())? };
    // Setting and getting a value uses about 16 statements, which is all that rusqlite keeps by default.
    lent.set_prepared_statement_cache_capacity(64);
    let attributes = Attributes::new(tables.on(&lent)?);
    Ok(work(&attributes)?)
}

/// The service. It clones cheaply and is shared by all tasks.
#[derive(Clone)]
struct Crm {
    pool: SqlitePool,
    tables: HostTables,
}

impl Crm {
    /// Opens the database, and creates its tables and definitions if they are missing.
    async fn open(path: &Path) -> Result<Self> {
        let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(path).create_if_missing(true)).await?;
        let tables = HostTables::new();
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("CREATE TABLE IF NOT EXISTS customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
            .execute(&mut *transaction)
            .await?;
        with_attributes(&mut transaction, &tables, |attributes| {
            attributes.of("customer")?.ensure([DefinitionSpec::integer("credit_limit").minimum(0)])
        })
        .await?;
        transaction.commit().await?;
        Ok(Self { pool, tables })
    }

    /// Adds a customer: its row and its attribute, or neither.
    async fn add(&self, id: i64, name: &str, credit_limit: i64) -> Result<()> {
        // IMMEDIATE: a transaction that has only read can fail as busy when it starts to write.
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT INTO customers (id, name) VALUES (?1, ?2)").bind(id).bind(name).execute(&mut *transaction).await?;
        with_attributes(&mut transaction, &self.tables, |attributes| {
            attributes.of("customer")?.set(id, "credit_limit", credit_limit)
        })
        .await?;
        // If anything failed, sqlx rolls the transaction back when it is dropped.
        Ok(transaction.commit().await?)
    }

    /// The customer's name and attribute, joined by the service's own SQL.
    async fn find(&self, id: i64) -> Result<Option<(String, Option<i64>)>> {
        let sql = "SELECT c.name, a.credit_limit FROM customers c \
                   LEFT JOIN attr_of_customer a ON a.entity_id = c.id WHERE c.id = ?1";
        Ok(sqlx::query_as(sql).bind(id).fetch_optional(&self.pool).await?)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let crm = Crm::open(&folder.path().join("crm.db")).await?;

    crm.add(1, "Acme", 10_000).await?;
    println!("committed: {:?}", crm.find(1).await?);

    let refused = crm.add(2, "Bolt", -1).await;
    println!(
        "rolled back: {:?}, because {}",
        crm.find(2).await?,
        refused.err().map_or_else(String::new, |error| error.to_string())
    );

    crm.pool.close().await;
    Ok(())
}
