//! Many commits in one transaction: each costs the disk a wait otherwise.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::sqlite::connections::Connections;
use crate::sqlite::failure::{failed, waited};
use crate::sqlite::step::Step;
use crate::sqlite::write;
use crate::store::{Decide, OnProgress};

/// After how long a transaction ends when its commit is done: other writers wait for it, and so much is done again after a failure.
const AT_ONCE: Duration = Duration::from_secs(1);

impl Connections {
    /// Does some commits, durably when it returns; whether they were the last. If one fails, none of them is kept.
    pub(super) fn write_some(&self, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<bool> {
        let began = Instant::now();
        let writer = self.writer()?;
        let step = Step::writing(&writer).map_err(failed("beginning to write")).map_err(waited(began))?;
        let mut known = self.known(&writer)?;
        let (began, mut removals) = (Instant::now(), Vec::new());
        let was_last = loop {
            let tables = self.tables(&writer, Arc::clone(&known));
            let Some(mut changes) = decide(&tables, progress)?.changes else { break true };
            known = write::store(&tables, &mut changes, progress)?;
            removals.append(&mut changes.removals);
            if began.elapsed() >= AT_ONCE {
                break false;
            }
        };
        self.commit(step)?;
        self.remember(known);
        self.forget(&removals);
        Ok(was_last)
    }
}
