//! The typed calls that every store has, each one request through one of its two doors.
use crate::{
    BacklogCommit, BacklogRow, BranchId, ClusterRecord, CommitOutcome, Found, HistoryNode, NamespaceRecord, NodeRecord,
    PartitionKey, PartitionRecord, RangeId, ReadRequest, RunRecord, ShardCommit, ShardId, ShardRecord, Store,
    StoreError, TaskKey, TaskRow, WriteRequest, Written,
};
use futures::future::BoxFuture;
use std::fmt::Debug;
use tempest_core::{EventId, NamespaceId, RunId, RunKey, WorkflowId};

/// The end of a commit that was queued; dropping it does not take the commit back.
pub type CommitFuture = BoxFuture<'static, CommitOutcome>;

/// Waits for an answer and takes what is in it.
macro_rules! answered {
    ($answer:expr, $($variant:path)|+) => {
        match $answer.await? {
            $($variant(value))|+ => Ok(value),
            other => wrong_answer(&other),
        }
    };
}

/// Each request has one kind of answer.
fn wrong_answer(answer: &impl Debug) -> ! {
    unreachable!("a request was answered with another's answer: {answer:?}")
}

/// What callers ask of a [`Store`].
pub trait StoreCalls: Store {
    /// The cluster's row: created from `initial` by the first caller, later ones get what is there.
    ///
    /// # Errors
    /// `Incompatible` if the store was written by a version that this one cannot read.
    fn cluster(&self, initial: ClusterRecord) -> impl Future<Output = Result<ClusterRecord, StoreError>> + Send {
        let answer = self.write(WriteRequest::Cluster(initial));
        async move { answered!(answer, Written::Cluster | Written::ClusterFound) }
    }

    /// Acquires the shard by compare-and-set of its range id: `expected` is what the caller read last (`RangeId(0)` for a
    /// shard that has no row yet); the new range id is the next one after it, see [`RangeId::next`].
    ///
    /// # Errors
    /// `Conflict` if another node was faster; `OutcomeUnknown` means that it must be read again.
    fn acquire_shard(
        &self,
        shard: ShardId,
        expected: RangeId,
        owner: &str,
    ) -> impl Future<Output = Result<ShardRecord, StoreError>> + Send {
        let answer = self.write(WriteRequest::AcquireShard { shard, expected, owner: owner.to_owned() });
        async move { answered!(answer, Written::Shard) }
    }

    fn shard(&self, shard: ShardId) -> impl Future<Output = Result<Option<ShardRecord>, StoreError>> + Send {
        async move { answered!(self.read(ReadRequest::Shard(shard)), Found::Shard) }
    }

    /// Queues a commit before it returns, so that calls in sequence order are applied in sequence order; commits of
    /// all shards that wait together become durable by one fsync. Never blocks: a store with too much waiting answers
    /// `Unavailable`, and what is queued behind in that shard then finds a gap in the sequence.
    fn commit(&self, commit: ShardCommit) -> CommitFuture {
        let answer = self.write(WriteRequest::Commit(commit));
        Box::pin(async move { answer.await.into() })
    }

    /// Proves ownership for a batch of reads (read-index): for each shard the range id that owns it now. 0 if it was not
    /// acquired on the database's present timeline.
    fn ranges(&self, shards: &[ShardId]) -> impl Future<Output = Result<Vec<RangeId>, StoreError>> + Send {
        let request = ReadRequest::Ranges(shards.to_vec());
        async move { answered!(self.read(request), Found::Ranges) }
    }

    fn run(&self, key: &RunKey) -> impl Future<Output = Result<Option<RunRecord>, StoreError>> + Send {
        let request = ReadRequest::Run(key.clone());
        async move { answered!(self.read(request), Found::Run) }
    }

    fn current_run(
        &self,
        namespace: &NamespaceId,
        workflow: &WorkflowId,
    ) -> impl Future<Output = Result<Option<RunId>, StoreError>> + Send {
        let request = ReadRequest::CurrentRun { namespace: namespace.clone(), workflow: workflow.clone() };
        async move { answered!(self.read(request), Found::CurrentRun) }
    }

    /// Runs of all namespaces after a key, in key order. For verification and background scans, never for requests.
    fn runs(
        &self,
        after: Option<RunKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(RunKey, RunRecord)>, StoreError>> + Send {
        async move { answered!(self.read(ReadRequest::Runs { after, limit }), Found::Runs) }
    }

    /// Nodes with `from <= node < until`, in order.
    fn history(
        &self,
        branch: &BranchId,
        from: EventId,
        until: EventId,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<HistoryNode>, StoreError>> + Send {
        let request = ReadRequest::History { branch: branch.clone(), from, until, limit };
        async move { answered!(self.read(request), Found::History) }
    }

    /// Tasks of `shard` with `after < key < before`, in key order; both keys are of one category.
    fn tasks(
        &self,
        shard: ShardId,
        after: TaskKey,
        before: TaskKey,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<TaskRow>, StoreError>> + Send {
        async move { answered!(self.read(ReadRequest::Tasks { shard, after, before, limit }), Found::Tasks) }
    }

    /// Creates (version 1) or replaces (version = stored + 1) a namespace.
    ///
    /// # Errors
    /// `Conflict` if the name is taken by another id or the version is not the next one.
    fn put_namespace(&self, record: NamespaceRecord) -> impl Future<Output = Result<(), StoreError>> + Send {
        let answer = self.write(WriteRequest::PutNamespace(record));
        async move { answer.await.map(drop) }
    }

    fn namespaces(&self) -> impl Future<Output = Result<Vec<NamespaceRecord>, StoreError>> + Send {
        async move { answered!(self.read(ReadRequest::Namespaces), Found::Namespaces) }
    }

    /// Writes a node's row; returns all rows as they were just before, its own among them if there was one.
    fn beat(&self, node: NodeRecord) -> impl Future<Output = Result<Vec<NodeRecord>, StoreError>> + Send {
        let answer = self.write(WriteRequest::Beat(node));
        async move { answered!(answer, Written::Nodes) }
    }

    /// Deletes the row of a node that is gone, if the row is still this one: a node that is there after all has written
    /// another.
    fn forget_node(&self, node: NodeRecord) -> impl Future<Output = Result<(), StoreError>> + Send {
        let answer = self.write(WriteRequest::ForgetNode(node));
        async move { answer.await.map(drop) }
    }

    /// Leases a partition: raises its range id, whatever it was, as [`RangeId::next`] does.
    fn lease_partition(
        &self,
        partition: &PartitionKey,
    ) -> impl Future<Output = Result<PartitionRecord, StoreError>> + Send {
        let answer = self.write(WriteRequest::LeasePartition(partition.clone()));
        async move { answered!(answer, Written::Partition) }
    }

    /// As [`StoreCalls::commit`], for a backlog.
    fn commit_backlog(&self, commit: BacklogCommit) -> CommitFuture {
        let answer = self.write(WriteRequest::Backlog(commit));
        Box::pin(async move { answer.await.into() })
    }

    /// Rows with `task_id > after`, in order.
    fn backlog(
        &self,
        partition: &PartitionKey,
        after: i64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<BacklogRow>, StoreError>> + Send {
        let request = ReadRequest::Backlog { partition: partition.clone(), after, limit };
        async move { answered!(self.read(request), Found::Backlog) }
    }
}

impl<S: Store + ?Sized> StoreCalls for S {}
