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
use crate::{
    BacklogCommit, ClusterRecord, NamespaceRecord, NodeRecord, PartitionKey, PartitionRecord, RangeId, ShardCommit,
    ShardId, ShardRecord,
};

/// Everything that can be asked of the writer.
#[derive(Debug)]
pub enum Request {
    Commit(ShardCommit),
    Backlog(BacklogCommit),
    AcquireShard { shard: ShardId, expected: RangeId, owner: String },
    LeasePartition(PartitionKey),
    PutNamespace(NamespaceRecord),
    Cluster(ClusterRecord),
    Beat(NodeRecord),
}

/// What a request that was applied answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    Done,
    Shard(ShardRecord),
    Partition(PartitionRecord),
    Cluster(ClusterRecord),
    /// All nodes, as they were before.
    Nodes(Vec<NodeRecord>),
    /// The row was there already; nothing was written.
    ClusterFound(ClusterRecord),
}

impl Request {
    /// Applies the request to the transaction, whole or not at all.
    ///
    /// # Errors
    /// `Stop::Refused` leaves the transaction as it was.
    pub fn apply(&self, tables: &mut Tables<'_>) -> Result<Applied, Stop> {
        match self {
            Request::Commit(commit) => shard_commit::apply(tables, commit),
            Request::Backlog(commit) => backlog_commit::apply(tables, commit),
            Request::AcquireShard { shard, expected, owner } => {
                ownership::acquire_shard(tables, *shard, *expected, owner)
            }
            Request::LeasePartition(partition) => ownership::lease_partition(tables, partition),
            Request::PutNamespace(record) => namespace::put(tables, record),
            Request::Cluster(initial) => cluster::found_or_created(tables, initial),
            Request::Beat(node) => node::beat(tables, node),
        }
    }

    /// Roughly how much memory it holds while it waits, and how much it will write.
    pub fn bytes(&self) -> usize {
        const OVERHEAD: usize = 256;
        OVERHEAD
            + match self {
                Request::Commit(commit) => {
                    let runs = commit.runs.iter().map(|run| run.state.len()).sum::<usize>();
                    let history = commit.history.iter().map(|append| append.events.len()).sum::<usize>();
                    let tasks = commit.tasks_added.iter().map(|task| 32 + task.body.len()).sum::<usize>();
                    runs + history + tasks + 32 * commit.tasks_deleted.len()
                }
                Request::Backlog(commit) => {
                    commit.added.iter().map(|row| 32 + row.body.len()).sum::<usize>() + 8 * commit.deleted.len()
                }
                Request::PutNamespace(record) => record.description.len(),
                Request::AcquireShard { .. } | Request::LeasePartition(_) | Request::Cluster(_) | Request::Beat(_) => 0,
            }
    }
}
