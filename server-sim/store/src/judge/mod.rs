//! Whether a write may be done, and what it then changes: pure functions, the same for every engine.
//!
//! 1. [`Needs`]: which rows a request is judged by, known from the request alone.
//! 2. The engine reads them inside its transaction, under the locks that [`Table`](crate::Table) asks for: a [`View`].
//! 3. [`judge`] decides by the view, and returns the rows to put and to remove, or an error and nothing.
//! 4. The engine [takes](View::take) the changes into the view, so that the next request of the batch is judged by what
//!    this one did, and in the end writes what has changed.
//!
//! A refused request leaves nothing behind and disturbs no other.
mod backlog_commit;
mod change;
mod cluster;
mod namespace;
mod needs;
mod node;
mod ownership;
mod shard_commit;
mod view;

pub use change::{Change, Value, Verdict};
pub use needs::Needs;
pub use view::{Edit, View};

use crate::{BacklogCommit, RangeId, ShardCommit, StoreError, Timeline, WriteRequest};

/// What `request` comes to, if the database is on `timeline` and the rows that it [needs](Needs) are as in `view`.
///
/// # Errors
/// Why nothing is to be done.
pub fn judge(request: &WriteRequest, view: &View, timeline: Timeline) -> Result<Verdict, StoreError> {
    match request {
        // Whatever its row says: it was acquired before the database failed over.
        WriteRequest::Commit(ShardCommit { range_id, .. }) | WriteRequest::Backlog(BacklogCommit { range_id, .. })
            if range_id.timeline() != timeline =>
        {
            Err(StoreError::OwnershipLost { current: RangeId(0) })
        }
        WriteRequest::Commit(commit) => shard_commit::judge(view, commit),
        WriteRequest::Backlog(commit) => backlog_commit::judge(view, commit),
        WriteRequest::AcquireShard { shard, expected, owner } => {
            ownership::acquire_shard(view, *shard, *expected, owner, timeline)
        }
        WriteRequest::LeasePartition(partition) => ownership::lease_partition(view, partition, timeline),
        WriteRequest::PutNamespace(record) => namespace::judge(view, record),
        WriteRequest::Cluster(initial) => cluster::judge(view, initial),
        WriteRequest::Beat(node) => node::beat(view, node),
        WriteRequest::ForgetNode(node) => node::forget(view, node),
    }
}

fn conflict<T>(what: String) -> Result<T, StoreError> {
    Err(StoreError::Conflict(what))
}

/// What is said of a request whose transaction may have been committed or not. What was applied is in doubt. What was
/// refused is not stored for certain, but the reason may be an effect that is itself in doubt, so it is not repeated.
pub fn after_unknown_commit(answer: crate::WriteAnswer, why: &str) -> crate::WriteAnswer {
    match answer {
        Ok(written) if written.changed_anything() => Err(StoreError::OutcomeUnknown(why.to_owned())),
        Ok(_) | Err(_) => Err(StoreError::Unavailable(why.to_owned())),
    }
}
