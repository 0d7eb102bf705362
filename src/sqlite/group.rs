//! Group commit: what waits is done in one transaction, so that all share the one wait for the disk that makes it last.

use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Error, Result};
use crate::sqlite::connections::Connections;
use crate::sqlite::failure::{commit_failed, failed, waited};
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
/// that each meets its own fate.
pub(super) fn commit(connections: &Connections, writer: &mut Connection, jobs: &mut [Job]) -> Vec<Option<Result<Receipt>>> {
    match guarded(|| together(connections, writer, jobs)) {
        Some(Some(answers)) => return answers.into_iter().map(Some).collect(),
        None if jobs.len() == 1 => return vec![None],
        Some(None) | None => {}
    }
    let mut each = |job: &mut Job| {
        let answers = guarded(|| together(connections, writer, std::slice::from_mut(job)));
        answers.flatten().and_then(|mut answers| answers.pop())
    };
    jobs.iter_mut().map(&mut each).collect()
}

/// None if it panicked. What is left behind is whole: a transaction ends with its guard.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// None if nothing of it was kept, and each had better be tried by itself.
fn together(connections: &Connections, writer: &mut Connection, jobs: &mut [Job]) -> Option<Vec<Result<Receipt>>> {
    let is_alone = jobs.len() == 1;
    let each = |jobs: &[Job], error: Error| Some(copies(error, jobs.len()).into_iter().map(Err).collect());
    let began = Instant::now();
    let begin = writer.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = match begin.map_err(failed("beginning to write")).map_err(waited(began)) {
        Ok(transaction) => transaction,
        Err(error) => return each(jobs, error),
    };
    let mut known = match connections.known(&transaction) {
        Ok(known) => known,
        Err(error) => return each(jobs, error),
    };
    let (mut came, mut removals, mut has_written) = (Vec::with_capacity(jobs.len()), Vec::new(), false);
    for job in &mut *jobs {
        let tables = connections.tables(&transaction, Arc::clone(&known));
        let settled = match plan(&tables, &job.batch) {
            Ok(Plan { receipt, changes: Some(mut changes) }) => {
                match write::store(&tables, &mut changes, &mut |_| ControlFlow::Continue(())) {
                    Ok(newer) => known = newer,
                    Err(error) if is_alone => return each(jobs, error),
                    Err(_) => return None,
                }
                removals.append(&mut changes.removals);
                has_written = true;
                came.push(Came::Stored(receipt));
                continue;
            }
            Ok(Plan { receipt, changes: None }) => Ok(receipt),
            // SQLite ended the transaction by itself: what was written before is gone as well.
            Err(_) if transaction.is_autocommit() && !is_alone => return None,
            Err(error) => Err(error),
        };
        came.push(if has_written { Came::SettledOn(settled) } else { Came::Settled(settled) });
    }
    if !has_written {
        return Some(came.into_iter().map(|came| answer(came, None)).collect());
    }
    for (job, came) in jobs.iter_mut().zip(&came) {
        if matches!(came, Came::Stored(_)) {
            job.promise.put_in_doubt();
        }
    }
    match transaction.commit().map_err(commit_failed).map_err(waited(began)) {
        Ok(()) => {
            connections.committed();
            connections.remember(known);
            connections.forget(&removals);
            Some(came.into_iter().map(|came| answer(came, None)).collect())
        }
        Err(error) => {
            let errors = copies(error, came.len()).into_iter();
            Some(came.into_iter().zip(errors).map(|(came, error)| answer(came, Some(error))).collect())
        }
    }
}

/// What is true of a batch once the COMMIT of its group is through, or has failed.
fn answer(came: Came, failure: Option<Error>) -> Result<Receipt> {
    match (came, failure) {
        (Came::Settled(answer), _) | (Came::SettledOn(answer), None) => answer,
        (Came::Stored(receipt), None) => Ok(receipt),
        (Came::SettledOn(_), Some(Error::CommitOutcomeUnknown { source })) => {
            Err(Error::backend("committing what this batch was decided upon; it changed nothing itself", source))
        }
        (Came::Stored(_) | Came::SettledOn(_), Some(error)) => Err(error),
    }
}

/// The same error for each.
fn copies(error: Error, times: usize) -> Vec<Error> {
    if times == 1 {
        return vec![error];
    }
    let copy: Box<dyn Fn() -> Error> = match error {
        Error::Busy { waited } => Box::new(move || Error::Busy { waited }),
        Error::ReadOnly => Box::new(|| Error::ReadOnly),
        Error::CommitOutcomeUnknown { source } => {
            let shared: Arc<dyn std::error::Error + Send + Sync> = source.into();
            Box::new(move || Error::commit_outcome_unknown(Shared(Arc::clone(&shared))))
        }
        other => {
            let shared: Arc<dyn std::error::Error + Send + Sync> = Arc::new(other);
            Box::new(move || Error::backend("beginning to write", Shared(Arc::clone(&shared))))
        }
    };
    (0..times).map(|_| copy()).collect()
}

/// A cause that several batches have in common.
#[derive(Debug)]
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
