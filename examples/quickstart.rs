//! The five-minute tour: define, set, read, be refused, batch, conflict, look behind a value, reopen.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use custom_attributes::{Attributes, DefinitionSpec, Revision, SqliteStore};

/// A tour of the crate in five minutes: it does what it says, and says what it does.
///
/// The store is a SQLite file in a temporary folder, which is removed at the end.
#[derive(Parser)]
#[command(name = "quickstart", version)]
struct Args {}

fn main() -> ExitCode {
    let Args {} = Args::parse();
    match tour(&mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            let causes = std::iter::successors(error.source(), |cause| <dyn std::error::Error>::source(*cause));
            let causes: String = causes.map(|cause| format!("\n  because: {cause}")).collect();
            let _ = writeln!(io::stderr(), "error: {error}{causes}");
            ExitCode::FAILURE
        }
    }
}

fn tour(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("customers.db");
    let attributes = Attributes::new(SqliteStore::open(&path)?);
    let customers = attributes.of("customer")?;

    writeln!(out, "1. Define what a service needs. It does so at each start: what is there already stays.")?;
    let needed = [
        DefinitionSpec::string("billing_method").choices(["monthly", "quarterly"]).default_value("monthly").used_by("billing"),
        DefinitionSpec::string("support_tier"),
        DefinitionSpec::integer("credit_limit").minimum(0).description("In euros."),
        DefinitionSpec::date("Contract Expiry Date"),
        DefinitionSpec::string("external_crm_id").unique(),
    ];
    for ensured in customers.ensure(needed)? {
        let (definition, outcome) = (&ensured.definition, ensured.outcome);
        writeln!(out, "   {} {}: {outcome:?}", definition.data_type(), definition.name())?;
    }

    writeln!(out, "\n2. Set values, and get them typed. Customer 123 is a record of the host; only its id is known here.")?;
    customers.set(123, "support_tier", "premium")?;
    customers.set(123, "credit_limit", 10_000)?;
    customers.set_text(123, "contract expiry date", "2027-12-31")?;
    let limit: Option<i64> = customers.get(123, "credit_limit")?;
    let expiry: Option<chrono::NaiveDate> = customers.get(123, "Contract Expiry Date")?;
    writeln!(out, "   credit_limit of 123: {limit:?}, Contract Expiry Date: {expiry:?}")?;

    writeln!(out, "\n3. Get with a default: the caller's, or the definition's.")?;
    let tier = customers.get_or(124, "support_tier", "basic".to_owned())?;
    writeln!(out, "   support_tier of 124: {tier} (it holds none)")?;
    writeln!(out, "   billing_method of 124: {:?}", customers.reading(124, "billing_method")?)?;

    writeln!(out, "\n4. A bad value is never bent into shape: the error says what to do.")?;
    let refused = [
        customers.set(123, "credit_limit", "a lot").map(drop),
        customers.set(123, "credit_limit", -1).map(drop),
        customers.set_text(123, "Contract Expiry Date", "2027-02-29").map(drop),
        customers.set(123, "billing_method", "weekly").map(drop),
        customers.set(123, "suport_tier", "basic").map(drop),
        customers.define(DefinitionSpec::string("SUPPORT_TIER")).map(drop),
    ];
    for error in refused.into_iter().filter_map(Result::err) {
        writeln!(out, "   {}: {error}", error.code())?;
    }

    writeln!(out, "\n5. A batch is done whole or not at all; its receipt says what each change did.")?;
    let receipt = attributes
        .batch()
        .by("alice")
        .note("onboarding")
        .set(("customer", 124), "support_tier", "basic")
        .set(("customer", 124), "external_crm_id", "SF-12345")
        .set(("customer", 123), "support_tier", "premium")
        .clear(("customer", 123), "Contract Expiry Date")
        .commit()?;
    let outcomes: Vec<_> = receipt.changes.iter().map(|applied| applied.outcome).collect();
    if let Some(commit) = receipt.commit {
        writeln!(out, "   {outcomes:?} in commit {commit}")?;
    }
    let batch =
        attributes.batch().set(("customer", 125), "external_crm_id", "SF-12345").set(("customer", 125), "credit_limit", -5);
    if let Err(error) = batch.commit() {
        writeln!(out, "   all that is wrong comes at once, and customer 125 is as it was:")?;
        for violation in error.violations() {
            writeln!(out, "   {}: {violation}", violation.rule.code())?;
        }
    }

    writeln!(out, "\n6. Nobody's change is overwritten unseen: expect the revision that was read.")?;
    let read = customers.revision(123)?;
    customers.by("bob").set(123, "credit_limit", 20_000)?;
    let late =
        attributes.batch().by("alice").expect_revision(("customer", 123), read).set(("customer", 123), "credit_limit", 15_000);
    if let Err(error) = late.commit() {
        writeln!(out, "   {}: {error}", error.code())?;
    }
    let new_only =
        attributes.batch().expect_revision(("customer", 124), Revision::ABSENT).set(("customer", 124), "credit_limit", 1);
    writeln!(
        out,
        "   expected to be new, 124 is a conflict as well: {}",
        new_only.commit().is_err_and(|error| error.is_conflict())
    )?;

    writeln!(out, "\n7. Each value knows its id, its times and its actors.")?;
    let customers = attributes.of("customer")?;
    for detail in customers.details(123)? {
        let (name, by) = (detail.definition.name(), detail.modified.by.as_deref().unwrap_or("nobody named"));
        writeln!(
            out,
            "   {} {name} = {}: created {}, modified {} by {by}",
            detail.id, detail.value, detail.created.at, detail.modified.at
        )?;
    }

    writeln!(out, "\n8. A snapshot stays at its instant while others write.")?;
    let before = attributes.snapshot()?;
    customers.set(123, "support_tier", "basic")?;
    let then: Option<String> = before.get(("customer", 123), "support_tier")?;
    let now: Option<String> = customers.get(123, "support_tier")?;
    writeln!(out, "   support_tier of 123 then: {then:?}, now: {now:?}")?;

    writeln!(out, "\n9. What was acknowledged is on the disk: close the store, open it again.")?;
    drop(before);
    drop(attributes);
    let attributes = Attributes::new(SqliteStore::open(&path)?);
    if let Some(customer) = attributes.of("customer")?.entity(123)? {
        let values: Vec<_> = customer.iter().map(|(definition, value)| format!("{} = {value}", definition.name())).collect();
        writeln!(out, "   {}: {}", customer.key(), values.join(", "))?;
    }
    drop(attributes);
    folder.close()?;
    Ok(())
}
