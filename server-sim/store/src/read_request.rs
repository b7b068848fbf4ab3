//! Every read as a value. Each `limit` is an upper bound on rows; a caller that gets `limit` rows asks again from the last
//! key.
use crate::{
    BacklogRow, BranchId, HistoryNode, NamespaceRecord, PartitionKey, RangeId, RunRecord, ShardId, ShardRecord,
    StoreError, TaskKey, TaskRow,
};
use serde::{Deserialize, Serialize};
use tempest_core::{EventId, NamespaceId, RunId, RunKey, WorkflowId};

/// Everything that can be asked of a reader. What each means is said at the call of its name in
/// [`StoreCalls`](crate::StoreCalls).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadRequest {
    Shard(ShardId),
    Ranges(Vec<ShardId>),
    Run(RunKey),
    CurrentRun { namespace: NamespaceId, workflow: WorkflowId },
    Runs { after: Option<RunKey>, limit: usize },
    History { branch: BranchId, from: EventId, until: EventId, limit: usize },
    Tasks { shard: ShardId, after: TaskKey, before: TaskKey, limit: usize },
    Namespaces,
    Backlog { partition: PartitionKey, after: i64, limit: usize },
}

/// What was found: each request has the variant of its own name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Found {
    Shard(Option<ShardRecord>),
    Ranges(Vec<RangeId>),
    Run(Option<RunRecord>),
    CurrentRun(Option<RunId>),
    Runs(Vec<(RunKey, RunRecord)>),
    History(Vec<HistoryNode>),
    Tasks(Vec<TaskRow>),
    Namespaces(Vec<NamespaceRecord>),
    Backlog(Vec<BacklogRow>),
}

/// How a read ended.
pub type ReadAnswer = Result<Found, StoreError>;
