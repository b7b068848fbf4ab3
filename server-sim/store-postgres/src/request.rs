//! Everything that can be asked of a lane, and what is answered.
use tempest_store::{
    BacklogCommit, ClusterRecord, NamespaceRecord, PartitionKey, PartitionRecord, RangeId, ShardCommit, ShardId,
    ShardRecord, StoreError,
};

#[derive(Debug)]
pub enum Request {
    Commit(ShardCommit),
    Backlog(BacklogCommit),
    AcquireShard { shard: ShardId, expected: RangeId, owner: String },
    LeasePartition(PartitionKey),
    PutNamespace(NamespaceRecord),
    Cluster(ClusterRecord),
}

/// What a request that was applied answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    Done,
    Shard(ShardRecord),
    Partition(PartitionRecord),
    Cluster(ClusterRecord),
}

pub type Answer = Result<Applied, StoreError>;

impl Request {
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
                Request::AcquireShard { .. } | Request::LeasePartition(_) | Request::Cluster(_) => 0,
            }
    }
}
