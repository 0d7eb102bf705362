//! What the recipe promises to a host on sqlx.

use std::time::Duration;

use custom_attributes::{Attributes, DefinitionSpec, SqliteStore};
use sqlx::{Acquire, Row};

use super::*;

async fn crm() -> (tempfile::TempDir, Crm) {
    let folder = tempfile::tempdir().unwrap();
    let crm = Crm::open(&folder.path().join("crm.db")).await.unwrap();
    (folder, crm)
}

async fn limit(crm: &Crm, id: i64) -> Option<i64> {
    let mut connection = crm.pool.acquire().await.unwrap();
    with_attributes(&mut connection, &crm.tables, |attributes| attributes.of("customer")?.get(id, "credit_limit")).await.unwrap()
}

async fn set(connection: &mut SqliteConnection, crm: &Crm, id: i64, limit: i64) -> Result<()> {
    with_attributes(connection, &crm.tables, |attributes| attributes.of("customer")?.set(id, "credit_limit", limit))
        .await
        .map(|_| ())
}

async fn insert(connection: &mut SqliteConnection, id: i64) {
    sqlx::query("INSERT INTO customers (id, name) VALUES (?1, 'Acme')").bind(id).execute(connection).await.unwrap();
}

#[tokio::test]
async fn a_commit_keeps_the_row_and_the_attribute() {
    let (folder, crm) = crm().await;
    crm.add(1, "Acme", 10_000).await.unwrap();
    assert_eq!(crm.find(1).await.unwrap(), Some(("Acme".to_owned(), Some(10_000))));
    crm.pool.close().await;

    let again = Crm::open(&folder.path().join("crm.db")).await.unwrap();
    assert_eq!(limit(&again, 1).await, Some(10_000));
}

#[tokio::test]
async fn a_rollback_undoes_both() {
    let (_folder, crm) = crm().await;
    let mut transaction = crm.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    insert(&mut transaction, 1).await;
    set(&mut transaction, &crm, 1, 10_000).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!((crm.find(1).await.unwrap(), limit(&crm, 1).await), (None, None));

    let mut transaction = crm.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    set(&mut transaction, &crm, 1, 10_000).await.unwrap();
    drop(transaction);
    assert_eq!(limit(&crm, 1).await, None);
}

#[tokio::test]
async fn a_refused_attribute_leaves_the_rest_of_the_transaction() {
    let (_folder, crm) = crm().await;
    crm.add(1, "Acme", -1).await.unwrap_err();
    assert_eq!(crm.find(1).await.unwrap(), None);

    let mut transaction = crm.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    insert(&mut transaction, 2).await;
    set(&mut transaction, &crm, 2, 500).await.unwrap();
    set(&mut transaction, &crm, 2, -1).await.unwrap_err();
    insert(&mut transaction, 3).await;
    transaction.commit().await.unwrap();
    assert_eq!(crm.find(2).await.unwrap(), Some(("Acme".to_owned(), Some(500))));
    assert_eq!(crm.find(3).await.unwrap(), Some(("Acme".to_owned(), None)));
}

#[tokio::test]
async fn a_savepoint_of_sqlx_undoes_the_attributes_set_since() {
    let (_folder, crm) = crm().await;
    let mut transaction = crm.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    set(&mut transaction, &crm, 1, 500).await.unwrap();
    let mut inner = transaction.begin().await.unwrap();
    set(&mut inner, &crm, 1, 600).await.unwrap();
    inner.rollback().await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(limit(&crm, 1).await, Some(500));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_share_a_pool() {
    let (_folder, crm) = crm().await;
    let tasks = (0..8).map(|task| {
        let crm = crm.clone();
        tokio::spawn(async move {
            for id in task * 10..task * 10 + 10 {
                crm.add(id, "Acme", id).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    for id in 0..80 {
        assert_eq!(crm.find(id).await.unwrap(), Some(("Acme".to_owned(), Some(id))));
    }
}

#[tokio::test]
async fn the_settings_of_sqlx_stay() {
    let (_folder, crm) = crm().await;
    let mut connection = crm.pool.acquire().await.unwrap();
    let mut settings = Vec::new();
    for _ in 0..2 {
        for pragma in ["foreign_keys", "busy_timeout", "synchronous"] {
            let sql = sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"));
            settings.push(sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut *connection).await.unwrap());
        }
        set(&mut connection, &crm, 1, 500).await.unwrap();
    }
    assert_eq!(settings[..3], settings[3..]);
    assert_eq!(settings[..2], [1, 5000]);
}

/// sqlx 0.9 keeps the columns of a cached statement, and panics if SQLite finds more of them later. A view gains a column with
/// each definition, so `SELECT *` from it must not be cached.
#[tokio::test]
async fn statements_of_sqlx_survive_a_new_attribute() {
    let (_folder, crm) = crm().await;
    crm.add(1, "Acme", 500).await.unwrap();
    let mut connection = crm.pool.acquire().await.unwrap();
    let mut columns = Vec::new();
    for name in ["seats", "tier"] {
        let named = sqlx::query_scalar::<_, i64>("SELECT credit_limit FROM attr_of_customer");
        assert_eq!(named.fetch_all(&mut *connection).await.unwrap(), [500]);
        let all = sqlx::query("SELECT * FROM attr_of_customer").persistent(false);
        columns.push(all.fetch_all(&mut *connection).await.unwrap()[0].len());
        with_attributes(&mut connection, &crm.tables, |attributes| {
            attributes.of("customer")?.define(DefinitionSpec::string(name))
        })
        .await
        .unwrap();
    }
    assert_eq!(columns[1], columns[0] + 1);
}

/// The mistake that the recipe is for: a store with a connection of its own waits for the caller's own transaction.
#[tokio::test]
async fn a_store_of_its_own_is_busy_while_the_transaction_is_open() {
    let (folder, crm) = crm().await;
    let options = SqliteStore::options().beside_host_tables().busy_timeout(Duration::from_millis(50));
    let store = Attributes::new(options.open(folder.path().join("crm.db")).unwrap());

    let mut transaction = crm.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    insert(&mut transaction, 1).await;
    let error = store.of("customer").unwrap().set(1, "credit_limit", 500).unwrap_err();
    assert!(matches!(error, custom_attributes::Error::Busy { .. }), "{error:?}");
    assert!(error.to_string().contains("a transaction of the caller"), "{error}");

    transaction.commit().await.unwrap();
    store.of("customer").unwrap().set(1, "credit_limit", 500).unwrap();
    assert_eq!(crm.find(1).await.unwrap(), Some(("Acme".to_owned(), Some(500))));
}

#[test]
fn the_documentation_shows_this_code() {
    let documented = include_str!("../../../src/sqlite/lent.md");
    let recipe = documented.split("```rust,ignore\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(include_str!("main.rs").contains(recipe), "src/sqlite/lent.md and examples/sqlx_host/src/main.rs differ:\n{recipe}");
}
