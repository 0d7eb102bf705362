//! A small CRM with tables of its own, whose attributes are part of its transactions.

mod csv_support;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use custom_attributes::{Attributes, DefinitionSpec, HostTables, LentStore};
use rusqlite::{Connection, TransactionBehavior, params};

use csv_support::{Result, doing, finish};

/// A small CRM with tables of its own, whose attributes are part of its transactions.
///
/// It takes on a customer: a row of its own, and attributes. Then it takes on one more, and fails in the middle, as a service may
/// be killed in the middle: neither the row nor the attributes are there. At last its own SQL joins both.
#[derive(Parser)]
#[command(name = "host_transaction", version)]
struct Args {
    /// The database of the CRM, which is made if it is not there; without it, one in memory.
    #[arg(long, value_name = "PATH")]
    db: Option<PathBuf>,
    /// What the names of the tables of attributes begin with.
    #[arg(long, value_name = "PREFIX", default_value = "attr_")]
    prefix: String,
    /// The name of the customer that is taken on.
    #[arg(default_value = "Acme")]
    name: String,
    /// What this customer may owe, in euros.
    #[arg(long, value_name = "EUROS", default_value_t = 10_000)]
    credit_limit: i64,
}

fn main() -> ExitCode {
    finish(run(&Args::parse()))
}

/// The CRM: a connection of its own, which a pool might have lent it, and the handle that all of its threads share.
struct Crm {
    connection: Connection,
    tables: HostTables,
}

/// What keeps a customer from being taken on behind its row and its attributes.
type Then = fn() -> Result<()>;

impl Crm {
    fn open(args: &Args) -> Result<Self> {
        let opened = match &args.db {
            Some(path) => Connection::open(path).map_err(doing(format!("cannot open {}", path.display()))),
            None => Connection::open_in_memory().map_err(doing("cannot open a database in memory")),
        };
        let mut connection = opened?;
        // The host's choice: the statements of attributes are kept in its cache.
        connection.set_prepared_statement_cache_capacity(64);
        let tables = HostTables::with_prefix(&args.prefix)?;

        // The schema of the CRM and its attributes are one step of its start.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch("CREATE TABLE IF NOT EXISTS customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")?;
        Attributes::new(tables.on(&transaction)?).of("customer")?.ensure([
            DefinitionSpec::string("support_tier").choices(["basic", "premium"]).default_value("basic"),
            DefinitionSpec::integer("credit_limit").minimum(0).description("In euros."),
        ])?;
        transaction.commit()?;
        Ok(Self { connection, tables })
    }

    /// A row and attributes, or neither.
    fn take_on(&mut self, name: &str, tier: &str, credit_limit: i64, then: Then) -> Result<i64> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute("INSERT INTO customers (name) VALUES (?1)", [name])?;
        let id = transaction.last_insert_rowid();
        let attributes: Attributes<LentStore<'_>> = Attributes::new(self.tables.on(&transaction)?);
        let customer = ("customer", id);
        attributes.batch().set(customer, "support_tier", tier).set(customer, "credit_limit", credit_limit).commit()?;
        then()?;
        transaction.commit()?;
        Ok(id)
    }

    /// How many customers there are: of those in the table, and of those with attributes.
    fn counts(&self) -> Result<(u64, u64)> {
        let rows: i64 = self.connection.query_row("SELECT count(*) FROM customers", [], |row| row.get(0))?;
        let attributes = Attributes::new(self.tables.on(&self.connection)?);
        let customers = attributes.of("customer")?;
        Ok((rows.unsigned_abs(), attributes.snapshot()?.count(customers.entity_type())?))
    }

    /// The names of those who may owe so much, by the CRM's own SQL.
    fn may_owe(&self, prefix: &str, least: i64) -> Result<Vec<(String, String, i64)>> {
        let sql = format!(
            "SELECT c.name, a.support_tier, a.credit_limit FROM customers c \
             JOIN {prefix}of_customer a ON a.entity_id = c.id WHERE a.credit_limit >= ?1 ORDER BY c.id"
        );
        let mut select = self.connection.prepare(&sql)?;
        let rows = select.query_map(params![least], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn run(args: &Args) -> Result<()> {
    let mut crm = Crm::open(args)?;
    let mut out = io::stdout().lock();

    let taken_on = crm.take_on(&args.name, "premium", args.credit_limit, || Ok(()));
    let id = taken_on.map_err(doing(format!("{} is not taken on, and nothing of it is kept", args.name)))?;
    writeln!(out, "{} is taken on as customer {id}: a row of the CRM and two attributes, in one transaction", args.name)?;

    let before = crm.counts()?;
    let failed = crm.take_on("Bolt", "basic", 500, || Err("the CRM failed in the middle".into()));
    let after = crm.counts()?;
    let reason = failed.err().map(|error| error.to_string()).unwrap_or_default();
    if before != after {
        return Err(format!("half of a customer was kept: {before:?} became {after:?}").into());
    }
    writeln!(out, "Bolt is not ({reason}): {} rows and {} with attributes, as before", after.0, after.1)?;

    writeln!(out, "who may owe 1000 and more:")?;
    for (name, tier, limit) in crm.may_owe(&args.prefix, 1000)? {
        writeln!(out, "{name}\t{tier}\t{limit}")?;
    }
    Ok(())
}
