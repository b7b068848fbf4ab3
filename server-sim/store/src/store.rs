//! The contract.
use crate::{outcome::*, records::*};
use async_trait::async_trait;
use futures::future::BoxFuture;
use tempest_core::{EventId, NamespaceId, RunId, RunKey, WorkflowId};
use tokio::sync::watch;

/// The end of a commit that was enqueued; dropping it does not take the commit back.
pub type CommitFuture = BoxFuture<'static, CommitOutcome>;

/// Durable operations with typed outcomes. Every `limit` is an upper bound on rows returned; a caller that gets `limit`
/// rows asks again from the last key.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The newest timeline of the database that this process has seen. It rises when it connects to a database that failed
    /// over, before anything is asked of that one.
    fn timeline(&self) -> watch::Receiver<Timeline>;

    /// Another process knows this timeline of the same database. If it is newer, whoever is connected to a primary of an
    /// older one leaves it.
    fn hear_of(&self, timeline: Timeline);

    /// The cluster's row: created from `initial` by the first caller, later ones get what is there.
    ///
    /// # Errors
    /// `Incompatible` if the store was written by a version that this one cannot read.
    async fn cluster(&self, initial: ClusterRecord) -> Result<ClusterRecord, StoreError>;

    /// Takes the shard by compare-and-set of its range id: `expected` is what the caller read last (`RangeId(0)` for a
    /// shard that has no row yet); the new range id is the next one after it, see [`RangeId::next`].
    ///
    /// # Errors
    /// `Conflict` if somebody else was faster; `OutcomeUnknown` means that it must be read again.
    async fn acquire_shard(&self, shard: ShardId, expected: RangeId, owner: &str) -> Result<ShardRecord, StoreError>;

    async fn shard(&self, shard: ShardId) -> Result<Option<ShardRecord>, StoreError>;

    /// Enqueues a commit before it returns, so that calls in sequence order are applied in sequence order; commits of
    /// all shards that wait together become durable by one fsync. Never blocks: a store with too much waiting answers
    /// `Unavailable`, and what is queued behind in that shard then finds a gap in the sequence.
    fn commit(&self, commit: ShardCommit) -> CommitFuture;

    /// Proves ownership for a batch of reads (read-index): for each shard the range id that owns it now. 0 if nobody has
    /// taken it on the database's present timeline.
    async fn ranges(&self, shards: &[ShardId]) -> Result<Vec<RangeId>, StoreError>;

    async fn run(&self, key: &RunKey) -> Result<Option<RunRecord>, StoreError>;

    async fn current_run(&self, namespace: &NamespaceId, workflow: &WorkflowId) -> Result<Option<RunId>, StoreError>;

    /// Runs of a namespace after a key, in key order. For verification and background scans, never for requests.
    async fn runs(&self, after: Option<RunKey>, limit: usize) -> Result<Vec<(RunKey, RunRecord)>, StoreError>;

    /// Nodes with `from <= node < until`, in order.
    async fn history(
        &self,
        branch: &BranchId,
        from: EventId,
        until: EventId,
        limit: usize,
    ) -> Result<Vec<HistoryNode>, StoreError>;

    /// Tasks of `shard` with `after < key < before`, in key order; both keys are of one category.
    async fn tasks(
        &self,
        shard: ShardId,
        after: TaskKey,
        before: TaskKey,
        limit: usize,
    ) -> Result<Vec<TaskRow>, StoreError>;

    /// Creates (version 1) or replaces (version = stored + 1) a namespace.
    ///
    /// # Errors
    /// `Conflict` if the name is taken by another id or the version is not the next one.
    async fn put_namespace(&self, record: NamespaceRecord) -> Result<(), StoreError>;

    async fn namespaces(&self) -> Result<Vec<NamespaceRecord>, StoreError>;

    /// Writes a node's row; returns all rows as they were just before, its own among them if there was one.
    async fn beat(&self, node: NodeRecord) -> Result<Vec<NodeRecord>, StoreError>;

    /// Deletes the row of a node that is gone, if the row is still this one: a node that is there after all has written
    /// another.
    async fn forget_node(&self, node: NodeRecord) -> Result<(), StoreError>;

    /// Takes a partition: raises its range id, whatever it was, as [`RangeId::next`] does.
    async fn lease_partition(&self, partition: &PartitionKey) -> Result<PartitionRecord, StoreError>;

    /// As [`Store::commit`], for a backlog.
    fn commit_backlog(&self, commit: BacklogCommit) -> CommitFuture;

    /// Rows with `task_id > after`, in order.
    async fn backlog(&self, partition: &PartitionKey, after: i64, limit: usize) -> Result<Vec<BacklogRow>, StoreError>;
}
