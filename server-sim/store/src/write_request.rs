//! Every write as a value, and what it answers.
use crate::{
    BacklogCommit, ClusterRecord, CommitOutcome, NamespaceRecord, NodeRecord, PartWrite, PartitionKey, PartitionRecord,
    RangeId, RunWrite, ShardCommit, ShardId, ShardRecord, StoreError,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Everything that can be asked of a writer. What each means is said at the call of its name in
/// [`StoreCalls`](crate::StoreCalls).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WriteRequest {
    Commit(ShardCommit),
    Backlog(BacklogCommit),
    AcquireShard { shard: ShardId, expected: RangeId, owner: String },
    LeasePartition(PartitionKey),
    PutNamespace(NamespaceRecord),
    Cluster(ClusterRecord),
    Beat(NodeRecord),
    ForgetNode(NodeRecord),
}

/// What a write that was done answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Written {
    Done,
    Shard(ShardRecord),
    Partition(PartitionRecord),
    Cluster(ClusterRecord),
    /// All nodes, as they were before.
    Nodes(Vec<NodeRecord>),
    /// The row was there already; nothing was written.
    ClusterFound(ClusterRecord),
}

impl Written {
    /// Whether the database is another one than before.
    pub fn changed_anything(&self) -> bool {
        !matches!(self, Written::ClusterFound(_))
    }
}

/// How a write ended.
pub type WriteAnswer = Result<Written, StoreError>;

impl WriteRequest {
    /// Roughly how much memory it holds while it waits, and how much it will write.
    pub fn bytes(&self) -> usize {
        const OVERHEAD: usize = 256;
        OVERHEAD
            + match self {
                WriteRequest::Commit(commit) => {
                    let runs = commit.runs.iter().map(RunWrite::bytes).sum::<usize>();
                    let history = commit.history.iter().map(|append| append.events.len()).sum::<usize>();
                    let tasks = commit.tasks_added.iter().map(|task| 32 + task.body.len()).sum::<usize>();
                    runs + history + tasks + 32 * commit.tasks_deleted.len()
                }
                WriteRequest::Backlog(commit) => {
                    commit.added.iter().map(|row| 32 + row.body.len()).sum::<usize>() + 8 * commit.deleted.len()
                }
                WriteRequest::PutNamespace(record) => record.description.len(),
                WriteRequest::AcquireShard { .. }
                | WriteRequest::LeasePartition(_)
                | WriteRequest::Cluster(_)
                | WriteRequest::Beat(_)
                | WriteRequest::ForgetNode(_) => 0,
            }
    }
}

impl RunWrite {
    /// Of its row and its changed parts.
    pub fn bytes(&self) -> usize {
        let part = |part: &PartWrite| 32 + part.body.as_ref().map_or(0, Bytes::len);
        self.row.len() + self.parts.iter().map(part).sum::<usize>()
    }
}

/// Of an implementation's own answer, whatever it says when all is well.
impl<T> From<Result<T, StoreError>> for CommitOutcome {
    fn from(answer: Result<T, StoreError>) -> CommitOutcome {
        match answer {
            Ok(_) => CommitOutcome::Committed,
            Err(StoreError::Conflict(what)) => CommitOutcome::Conflict(what),
            Err(StoreError::OwnershipLost { current }) => CommitOutcome::OwnershipLost { current },
            Err(StoreError::OutcomeUnknown(what)) => CommitOutcome::OutcomeUnknown(what),
            // Damage found while validating: nothing was written.
            Err(error @ (StoreError::Unavailable(_) | StoreError::Corrupt(_) | StoreError::Incompatible(_))) => {
                CommitOutcome::Unavailable(error.to_string())
            }
        }
    }
}

/// The answer that a commit with this outcome had.
impl From<CommitOutcome> for WriteAnswer {
    fn from(outcome: CommitOutcome) -> WriteAnswer {
        match outcome {
            CommitOutcome::Committed => Ok(Written::Done),
            CommitOutcome::Conflict(what) => Err(StoreError::Conflict(what)),
            CommitOutcome::OwnershipLost { current } => Err(StoreError::OwnershipLost { current }),
            CommitOutcome::Unavailable(what) => Err(StoreError::Unavailable(what)),
            CommitOutcome::OutcomeUnknown(what) => Err(StoreError::OutcomeUnknown(what)),
        }
    }
}
