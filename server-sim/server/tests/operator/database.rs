//! A database in memory with a standby that may lag, and the connections of nodes whose clocks may be off.
use async_trait::async_trait;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tempest_core::{EventId, NamespaceId, RunId, RunKey, WorkflowId};
use tempest_store::redb::{RedbConfig, RedbStore};
use tempest_store::*;
use tokio::sync::watch;

pub struct Database {
    primary: RedbStore,
    standby: RedbStore,
    /// Whether writes reach the standby. Locked while one is queued: both do all of them in one order.
    is_replicated: Mutex<bool>,
    timeline: watch::Sender<Timeline>,
    /// How often each node has beaten.
    beats: watch::Sender<BTreeMap<String, u64>>,
}

impl Database {
    pub async fn new() -> Arc<Self> {
        let store = || async { RedbStore::in_memory(RedbConfig::default()).await.unwrap() };
        Arc::new(Self {
            primary: store().await,
            standby: store().await,
            is_replicated: Mutex::new(true),
            timeline: watch::Sender::default(),
            beats: watch::Sender::default(),
        })
    }

    /// A node's way to it. The node's wall clock is `ahead_ns` ahead of what it is.
    pub fn connection(self: &Arc<Self>, ahead_ns: i64) -> Arc<dyn Store> {
        Arc::new(Connection { database: self.clone(), ahead_ns })
    }

    /// From now on nothing reaches the standby.
    pub fn cut_the_standby_off(&self) {
        *self.is_replicated.lock().unwrap() = false;
    }

    /// The standby takes over, without what has not reached it.
    pub fn fail_over(&self) {
        let mut is_replicated = self.is_replicated.lock().unwrap();
        *is_replicated = false;
        self.timeline.send_replace(Timeline(1));
    }

    /// Waits until a node has beaten `more` times. With 3 it has surely read what was there before, and said what it had to.
    pub async fn beats(&self, node: &str, more: u64) {
        let of_node = |beats: &BTreeMap<String, u64>| beats.get(node).copied().unwrap_or(0);
        let mut beats = self.beats.subscribe();
        let enough = of_node(&beats.borrow()) + more;
        beats.wait_for(|beats| of_node(beats) >= enough).await.expect("the database is there");
    }

    fn now(&self) -> Timeline {
        *self.timeline.borrow()
    }

    /// The one that serves.
    fn serving(&self) -> &RedbStore {
        if self.now() == Timeline(0) { &self.primary } else { &self.standby }
    }

    /// Queues a write before it returns. A fence that was taken before a failover is worth nothing after it.
    fn write(&self, request: WriteRequest) -> BoxFuture<'static, WriteAnswer> {
        let is_replicated = self.is_replicated.lock().unwrap();
        let fence = match &request {
            WriteRequest::Commit(commit) => Some(commit.range_id),
            WriteRequest::Backlog(commit) => Some(commit.range_id),
            _ => None,
        };
        if fence.is_some_and(|range| range.timeline() != self.now()) {
            return Box::pin(async { Err(StoreError::OwnershipLost { current: RangeId(0) }) });
        }
        let replicated = is_replicated.then(|| self.standby.enqueue(request.clone()));
        let written = self.serving().enqueue(request);
        Box::pin(async move {
            let written = written.await;
            if let Some(replicated) = replicated {
                // The same: it has had the same writes in the same order.
                let _ = replicated.await;
            }
            written
        })
    }
}

struct Connection {
    database: Arc<Database>,
    ahead_ns: i64,
}

#[async_trait]
impl Store for Connection {
    fn timeline(&self) -> watch::Receiver<Timeline> {
        self.database.timeline.subscribe()
    }

    fn hear_of(&self, _: Timeline) {}

    async fn cluster(&self, initial: ClusterRecord) -> Result<ClusterRecord, StoreError> {
        match self.database.write(WriteRequest::Cluster(initial)).await? {
            Written::Cluster(record) | Written::ClusterFound(record) => Ok(record),
            other => wrong_answer(other),
        }
    }

    async fn acquire_shard(&self, shard: ShardId, expected: RangeId, owner: &str) -> Result<ShardRecord, StoreError> {
        let (owner, timeline) = (owner.to_owned(), self.database.now());
        match self.database.write(WriteRequest::AcquireShard { shard, expected, owner, timeline }).await? {
            Written::Shard(record) => Ok(record),
            other => wrong_answer(other),
        }
    }

    async fn shard(&self, shard: ShardId) -> Result<Option<ShardRecord>, StoreError> {
        self.database.serving().shard(shard).await
    }

    fn commit(&self, commit: ShardCommit) -> CommitFuture {
        let answer = self.database.write(WriteRequest::Commit(commit));
        Box::pin(async move { answer.await.into() })
    }

    async fn ranges(&self, shards: &[ShardId]) -> Result<Vec<RangeId>, StoreError> {
        let ranges = self.database.serving().ranges(shards).await?;
        Ok(ranges.into_iter().map(|range| range.if_of(self.database.now())).collect())
    }

    async fn run(&self, key: &RunKey) -> Result<Option<RunRecord>, StoreError> {
        self.database.serving().run(key).await
    }

    async fn current_run(&self, namespace: &NamespaceId, workflow: &WorkflowId) -> Result<Option<RunId>, StoreError> {
        self.database.serving().current_run(namespace, workflow).await
    }

    async fn runs(&self, after: Option<RunKey>, limit: usize) -> Result<Vec<(RunKey, RunRecord)>, StoreError> {
        self.database.serving().runs(after, limit).await
    }

    async fn history(
        &self,
        branch: &BranchId,
        from: EventId,
        until: EventId,
        limit: usize,
    ) -> Result<Vec<HistoryNode>, StoreError> {
        self.database.serving().history(branch, from, until, limit).await
    }

    async fn tasks(
        &self,
        shard: ShardId,
        after: TaskKey,
        before: TaskKey,
        limit: usize,
    ) -> Result<Vec<TaskRow>, StoreError> {
        self.database.serving().tasks(shard, after, before, limit).await
    }

    async fn put_namespace(&self, record: NamespaceRecord) -> Result<(), StoreError> {
        self.database.write(WriteRequest::PutNamespace(record)).await.map(drop)
    }

    async fn namespaces(&self) -> Result<Vec<NamespaceRecord>, StoreError> {
        self.database.serving().namespaces().await
    }

    /// What a node with this clock writes is later, and what others wrote looks earlier to it.
    async fn beat(&self, mut node: NodeRecord) -> Result<Vec<NodeRecord>, StoreError> {
        node.wall_clock.0 += self.ahead_ns;
        let name = node.name.clone();
        let Written::Nodes(mut rows) = self.database.write(WriteRequest::Beat(node)).await? else {
            unreachable!("a beat is answered with rows")
        };
        rows.iter_mut().for_each(|row| row.wall_clock.0 -= self.ahead_ns);
        self.database.beats.send_modify(|beats| *beats.entry(name).or_default() += 1);
        Ok(rows)
    }

    async fn forget_node(&self, mut node: NodeRecord) -> Result<(), StoreError> {
        node.wall_clock.0 += self.ahead_ns;
        self.database.write(WriteRequest::ForgetNode(node)).await.map(drop)
    }

    async fn lease_partition(&self, partition: &PartitionKey) -> Result<PartitionRecord, StoreError> {
        let (partition, timeline) = (partition.clone(), self.database.now());
        match self.database.write(WriteRequest::LeasePartition { partition, timeline }).await? {
            Written::Partition(record) => Ok(record),
            other => wrong_answer(other),
        }
    }

    fn commit_backlog(&self, commit: BacklogCommit) -> CommitFuture {
        let answer = self.database.write(WriteRequest::Backlog(commit));
        Box::pin(async move { answer.await.into() })
    }

    async fn backlog(&self, partition: &PartitionKey, after: i64, limit: usize) -> Result<Vec<BacklogRow>, StoreError> {
        self.database.serving().backlog(partition, after, limit).await
    }
}
