//! Group commit: what waits is done in one transaction, so that all share the one wait for the disk that makes it last.

use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::sqlite::connections::Connections;
use crate::sqlite::failure::{failed, second_look, second_look_if, waited};
use crate::sqlite::step::Step;
use crate::sqlite::write;
use crate::store::{Batch, Plan, Promise, Receipt, plan};

/// A batch that was handed in, and whoever has its ticket.
pub(super) struct Job {
    pub(super) batch: Batch,
    pub(super) promise: Promise,
}

/// What a batch came to within a transaction that is not committed yet.
enum Came {
    /// It wrote.
    Stored(Receipt),
    /// It was refused, or changes nothing: so it stays, whatever becomes of the transaction.
    Settled(Result<Receipt>),
    /// The same, but it saw what others of the group wrote before it, and falls with them.
    SettledOn(Result<Receipt>),
}

/// Does these on the writer's connection. The answers are in the order of the jobs; only one that panicked has none.
///
/// No batch needs a savepoint: what it does is decided whole before the first of it is written, so one that is refused has
/// written nothing. What fails after that is the storage: then nothing of the group is kept, and each is tried by itself, so
/// that each meets its own fate and its own error.
pub(super) fn commit(connections: &Connections, writer: &Connection, jobs: &mut [Job]) -> Vec<Option<Result<Receipt>>> {
    if jobs.len() > 1 {
        match guarded(|| together(connections, writer, jobs)) {
            Some(Ok(answers)) => return answers.into_iter().map(Some).collect(),
            // Each would wait as long for the same.
            Some(Err(Error::Busy { waited, reason })) => {
                return jobs.iter().map(|_| Some(Err(Error::Busy { waited, reason }))).collect();
            }
            Some(Err(_)) | None => {}
        }
    }
    jobs.iter_mut().map(|job| guarded(|| alone(connections, writer, job))).collect()
}

fn alone(connections: &Connections, writer: &Connection, job: &mut Job) -> Result<Receipt> {
    let answers = second_look(|| together(connections, writer, std::slice::from_mut(job)))?;
    let lost = || Err(Error::backend("committing", "the batch has no answer"));
    answers.into_iter().next().unwrap_or_else(lost)
}

/// None if it panicked. What is left behind is whole: a transaction ends with its guard.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// The answers of all; an error if nothing of any was kept.
fn together(connections: &Connections, writer: &Connection, jobs: &mut [Job]) -> Result<Vec<Result<Receipt>>> {
    let began = Instant::now();
    let step = Step::writing(writer).map_err(failed("beginning to write")).map_err(waited(began))?;
    let mut known = connections.known(writer)?;
    let (mut came, mut removals, mut has_written) = (Vec::with_capacity(jobs.len()), Vec::new(), false);
    for job in &mut *jobs {
        let tables = connections.tables(writer, Arc::clone(&known));
        let settled = match second_look_if(|| !writer.is_autocommit(), || plan(&tables, &job.batch)) {
            Ok(Plan { receipt, changes: Some(mut changes) }) => {
                known = write::store(&tables, &mut changes, &mut |_| ControlFlow::Continue(()))?;
                removals.append(&mut changes.removals);
                has_written = true;
                came.push(Came::Stored(receipt));
                continue;
            }
            Ok(Plan { receipt, changes: None }) => Ok(receipt),
            // SQLite ended the transaction by itself: what was written before is gone as well.
            Err(error) if writer.is_autocommit() => return Err(error),
            Err(error) => Err(error),
        };
        came.push(if has_written { Came::SettledOn(settled) } else { Came::Settled(settled) });
    }
    if !has_written {
        return Ok(came.into_iter().map(|came| answer(came, None)).collect());
    }
    for (job, came) in jobs.iter_mut().zip(&came) {
        if matches!(came, Came::Stored(_)) {
            job.promise.put_in_doubt();
        }
    }
    match connections.commit(step).map_err(waited(began)) {
        Ok(()) => {
            connections.remember(known);
            connections.forget(&removals);
            Ok(came.into_iter().map(|came| answer(came, None)).collect())
        }
        Err(Error::CommitOutcomeUnknown { source }) => {
            let source = Shared(source.into());
            Ok(came.into_iter().map(|came| answer(came, Some(source.clone()))).collect())
        }
        Err(error) => Err(error),
    }
}

/// What is true of a batch once the COMMIT of its group is through, or its outcome is unknown for this reason.
fn answer(came: Came, failure: Option<Shared>) -> Result<Receipt> {
    match (came, failure) {
        (Came::Settled(answer), _) | (Came::SettledOn(answer), None) => answer,
        (Came::Stored(receipt), None) => Ok(receipt),
        (Came::SettledOn(_), Some(source)) => {
            Err(Error::backend("committing what this batch was decided upon; it changed nothing itself", source))
        }
        (Came::Stored(_), Some(source)) => Err(Error::commit_outcome_unknown(source)),
    }
}

/// A cause that several batches have in common.
#[derive(Debug, Clone)]
struct Shared(Arc<dyn std::error::Error + Send + Sync>);

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Shared {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
