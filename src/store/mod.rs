//! The port: what a backend offers, what it is given, and what it answers.
//!
//! Two doors. One way in, [`AttributeStore::write`]; one way out, a [`Snapshot`]. To write a backend, implement the
//! two traits; [`plan`] decides what a batch does. The suite in the module `conformance` (a feature of the same name)
//! says whether it keeps its promises; `examples/custom_backend.rs` is a whole backend to begin with.

mod batch;
mod changes;
mod explained;
mod fault;
mod plan;
mod port;
mod progress;
mod query;
mod receipt;
mod reference;
mod scan;
mod stamps;
mod sweep;
mod ticket;
mod told;
mod unique;
mod working;

pub use batch::{Batch, Change, Offending, VersionId};
pub use changes::{CatalogChange, Changes, Commit, Past, PastDefinition, RecordChange, Removal, Touched};
pub use explained::{ExplainedOrder, ExplainedPart, Explanation, Way};
pub use fault::{Fault, FaultKind};
pub(crate) use plan::{Duplicate, Judged, Lack, is_left_out, judge, missing};
pub use plan::{Plan, plan, plan_with};
pub use port::{AttributeStore, Decide, Find, Marks, Snapshot};
pub(crate) use progress::tell;
pub use progress::{OnProgress, Progress};
pub use query::{BoundQuery, Direction, Found, FoundKeys, Rank, Wanted};
pub use receipt::{Applied, EntityRevision, Receipt};
pub(crate) use reference::Ranking;
pub(crate) use scan::{
    Commits, PAGE, Pages, commit_with_id, each_page, each_record, fill, gone_definitions, history_of, page, present, scan_from,
    written_at,
};
pub(crate) use stamps::Stamps;
pub(crate) use sweep::Swept;
pub use ticket::{Promise, Ticket};
pub(crate) use told::{Arriving, Told};
