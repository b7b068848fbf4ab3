//! A decorator around a server's store: what it hands over and how that ends goes into the commit feed.
use crate::check::CommitFeed;
use async_trait::async_trait;
use std::sync::Arc;
use tempest_core::{EventId, NamespaceId, RunId, RunKey, WorkflowId};
use tempest_store::{
    BacklogCommit, BacklogRow, BranchId, ClusterRecord, CommitFuture, HistoryNode, NamespaceRecord, NodeRecord,
    PartitionKey, PartitionRecord, RangeId, RunRecord, ShardCommit, ShardId, ShardRecord, Store, StoreError, TaskKey,
    TaskRow, Timeline,
};

/// Passes everything through and writes shard commits down.
pub struct RecordingStore {
    inner: Arc<dyn Store>,
    feed: CommitFeed,
    server: String,
    incarnation: u32,
    now_ns: fn() -> u64,
}

impl RecordingStore {
    pub fn new(
        inner: Arc<dyn Store>,
        feed: CommitFeed,
        server: String,
        incarnation: u32,
        now_ns: fn() -> u64,
    ) -> RecordingStore {
        feed.begin(&server, incarnation);
        RecordingStore { inner, feed, server, incarnation, now_ns }
    }
}

#[async_trait]
impl Store for RecordingStore {
    fn timeline(&self) -> tokio::sync::watch::Receiver<Timeline> {
        self.inner.timeline()
    }

    fn hear_of(&self, timeline: Timeline) {
        self.inner.hear_of(timeline);
    }

    async fn cluster(&self, initial: ClusterRecord) -> Result<ClusterRecord, StoreError> {
        self.inner.cluster(initial).await
    }

    async fn acquire_shard(&self, shard: ShardId, expected: RangeId, owner: &str) -> Result<ShardRecord, StoreError> {
        self.inner.acquire_shard(shard, expected, owner).await
    }

    async fn shard(&self, shard: ShardId) -> Result<Option<ShardRecord>, StoreError> {
        self.inner.shard(shard).await
    }

    fn commit(&self, commit: ShardCommit) -> CommitFuture {
        let known = *self.inner.timeline().borrow();
        let position = self.feed.submit((self.now_ns)(), &self.server, self.incarnation, known, &commit);
        let (feed, now_ns) = (self.feed.clone(), self.now_ns);
        let hearing = feed.clone();
        let ending = self.inner.commit(commit);
        // The outcome is noted even if nobody waits for it: a dropped future takes no commit back.
        let (ended, outcome) = tokio::sync::oneshot::channel();
        tempest_rt::task::spawn(async move {
            let outcome = ending.await;
            feed.end(position, now_ns(), outcome.clone());
            let _ = ended.send(outcome);
        });
        Box::pin(async move {
            match outcome.await {
                Ok(outcome) => {
                    hearing.hear(position);
                    outcome
                }
                // The runtime is going down: nobody is there to be told.
                Err(_) => std::future::pending().await,
            }
        })
    }

    async fn ranges(&self, shards: &[ShardId]) -> Result<Vec<RangeId>, StoreError> {
        self.inner.ranges(shards).await
    }

    async fn run(&self, key: &RunKey) -> Result<Option<RunRecord>, StoreError> {
        self.inner.run(key).await
    }

    async fn current_run(&self, namespace: &NamespaceId, workflow: &WorkflowId) -> Result<Option<RunId>, StoreError> {
        self.inner.current_run(namespace, workflow).await
    }

    async fn runs(&self, after: Option<RunKey>, limit: usize) -> Result<Vec<(RunKey, RunRecord)>, StoreError> {
        self.inner.runs(after, limit).await
    }

    async fn history(
        &self,
        branch: &BranchId,
        from: EventId,
        until: EventId,
        limit: usize,
    ) -> Result<Vec<HistoryNode>, StoreError> {
        self.inner.history(branch, from, until, limit).await
    }

    async fn tasks(
        &self,
        shard: ShardId,
        after: TaskKey,
        before: TaskKey,
        limit: usize,
    ) -> Result<Vec<TaskRow>, StoreError> {
        self.inner.tasks(shard, after, before, limit).await
    }

    async fn put_namespace(&self, record: NamespaceRecord) -> Result<(), StoreError> {
        self.inner.put_namespace(record).await
    }

    async fn namespaces(&self) -> Result<Vec<NamespaceRecord>, StoreError> {
        self.inner.namespaces().await
    }

    async fn beat(&self, node: NodeRecord) -> Result<Vec<NodeRecord>, StoreError> {
        let timeline = node.timeline;
        let rows = self.inner.beat(node).await?;
        self.feed.timeline_known(&self.server, timeline);
        Ok(rows)
    }

    async fn forget_node(&self, node: NodeRecord) -> Result<(), StoreError> {
        self.inner.forget_node(node).await
    }

    async fn lease_partition(&self, partition: &PartitionKey) -> Result<PartitionRecord, StoreError> {
        self.inner.lease_partition(partition).await
    }

    fn commit_backlog(&self, commit: BacklogCommit) -> CommitFuture {
        self.inner.commit_backlog(commit)
    }

    async fn backlog(&self, partition: &PartitionKey, after: i64, limit: usize) -> Result<Vec<BacklogRow>, StoreError> {
        self.inner.backlog(partition, after, limit).await
    }
}
