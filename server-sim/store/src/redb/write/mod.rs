//! Writes: each request is judged and applied in order inside the batch's one transaction.
//!
//! A request validates everything before it writes anything, so a refused one leaves nothing behind and disturbs no
//! other, without savepoints. What it reads includes what earlier requests of the same batch wrote.
mod backlog_commit;
mod cluster;
mod namespace;
mod node;
mod ownership;
mod shard_commit;

use crate::redb::tables::{Stop, Tables};
use crate::{Timeline, WriteRequest, Written};

/// Applies a request to the transaction, whole or not at all.
///
/// # Errors
/// `Stop::Refused` leaves the transaction as it was.
pub fn apply(request: &WriteRequest, timeline: Timeline, tables: &mut Tables<'_>) -> Result<Written, Stop> {
    match request {
        WriteRequest::Commit(commit) => shard_commit::apply(tables, commit),
        WriteRequest::Backlog(commit) => backlog_commit::apply(tables, commit),
        WriteRequest::AcquireShard { shard, expected, owner } => {
            ownership::acquire_shard(tables, *shard, *expected, owner, timeline)
        }
        WriteRequest::LeasePartition(partition) => ownership::lease_partition(tables, partition, timeline),
        WriteRequest::PutNamespace(record) => namespace::put(tables, record),
        WriteRequest::Cluster(initial) => cluster::found_or_created(tables, initial),
        WriteRequest::Beat(node) => node::beat(tables, node),
        WriteRequest::ForgetNode(node) => node::forget(tables, node),
    }
}
