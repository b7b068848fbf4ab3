//! What the store holds. Keys and encodings of one implementation are its own affair; these are the common values.
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tempest_core::{EventId, NamespaceId, RunId, RunKey, Time, WorkflowId};

/// A shard's number, from 1 to the cluster's shard count, as in Temporal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShardId(pub u32);

/// The fence of a shard or of a task-queue partition: whoever raised it last owns it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RangeId(pub i64);

impl std::fmt::Display for ShardId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Display for RangeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A shard's row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardRecord {
    pub range_id: RangeId,
    /// Sequence of the last applied [`ShardCommit`]; never decreases, also not across owners.
    pub sequence: u64,
    /// High-water mark of shard time.
    pub time: Time,
    /// Who took it last, for operators.
    pub owner: String,
}

/// The only write of workflow state. Applied whole or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardCommit {
    pub shard: ShardId,
    /// Must equal the shard's range id, else [`crate::CommitOutcome::OwnershipLost`].
    pub range_id: RangeId,
    /// Must be the shard's sequence + 1, else [`crate::CommitOutcome::Conflict`].
    pub sequence: u64,
    /// High-water mark of shard time; a store keeps the highest it was ever given.
    pub time: Time,
    /// At most two, different ones, else `Conflict`.
    pub runs: Vec<RunWrite>,
    pub current: Option<CurrentRunWrite>,
    pub history: Vec<HistoryAppend>,
    /// A task whose key is there already is a `Conflict`: ids are never used twice, and the other's work would be lost.
    pub tasks_added: Vec<TaskRow>,
    /// Deleted after the additions. Deleting a task that is not there is no error.
    pub tasks_deleted: Vec<TaskKey>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunWrite {
    pub key: RunKey,
    /// `None`: the run must not exist yet.
    pub expected_version: Option<u64>,
    pub version: u64,
    pub state: Bytes,
}

/// Moves the pointer from a workflow id to its current run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentRunWrite {
    pub namespace_id: NamespaceId,
    pub workflow_id: WorkflowId,
    /// `None`: there must be no current run.
    pub expected: Option<RunId>,
    pub run_id: RunId,
}

/// A run as read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    pub version: u64,
    pub state: Bytes,
}

/// A history branch. Runs share prefixes of one tree after a reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BranchId {
    /// The run id of the run that planted the tree.
    pub tree: String,
    /// Unique within the tree.
    pub branch: String,
}

/// One batch of events: all that one transition wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryAppend {
    pub branch: BranchId,
    /// Id of the batch's first event; must not exist on the branch yet.
    pub node: EventId,
    /// An encoded `temporal.api.history.v1.History`.
    pub events: Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryNode {
    pub node: EventId,
    pub events: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TaskCategory {
    Transfer,
    Timer,
    Visibility,
}

/// Orders a shard's history tasks: by fire time (zero for immediate categories), then by task id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskKey {
    pub category: TaskCategory,
    pub fire_time: Time,
    /// Unique within the shard for ever: (range id << 24) + counter.
    pub task_id: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRow {
    pub key: TaskKey,
    /// An encoded history task with its run.
    pub body: Bytes,
}

/// A namespace, found by id or by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceRecord {
    pub id: NamespaceId,
    pub name: String,
    /// Compare-and-set counter, from 1.
    pub version: u64,
    /// An encoded `temporal.api.workflowservice.v1.DescribeNamespaceResponse`.
    pub description: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TaskQueueType {
    Workflow,
    Activity,
}

/// One partition of a task queue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartitionKey {
    pub namespace_id: NamespaceId,
    pub name: String,
    pub queue_type: TaskQueueType,
    pub partition: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionRecord {
    pub range_id: RangeId,
    /// Every task up to and including this id is done with.
    pub ack_level: i64,
}

/// A fenced write to a partition's backlog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BacklogCommit {
    pub partition: PartitionKey,
    /// Must equal the partition's range id, else `OwnershipLost`.
    pub range_id: RangeId,
    pub added: Vec<BacklogRow>,
    /// Tasks to delete, by id; ids that are not there are no error.
    pub deleted: Vec<i64>,
    /// A store keeps the highest it was ever given.
    pub ack_level: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BacklogRow {
    pub task_id: i64,
    pub body: Bytes,
}

/// What a node does for its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Frontend,
    History,
    Matching,
}

/// A node's row: how the nodes of a cluster see each other. That it changes is what counts; no time in it is ever compared
/// with another node's to tell who is alive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Unique in the cluster; a node keeps it over restarts.
    pub name: String,
    /// `host:port` where other nodes call it.
    pub address: String,
    /// Drawn at each start.
    pub incarnation: String,
    /// Rises with each beat of an incarnation.
    pub beat: u64,
    pub roles: Vec<Role>,
    /// It goes down on purpose: whatever it has is for others.
    pub leaving: bool,
    /// Its wall clock at the beat, to report clocks that differ.
    pub wall_clock: Time,
}

/// What a store says of itself; a node refuses a store that another cluster shape wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRecord {
    pub shard_count: u32,
    pub cluster_id: String,
    pub cluster_name: String,
    /// Changes when a failover may have lost acknowledged commits.
    pub timeline: u64,
}
