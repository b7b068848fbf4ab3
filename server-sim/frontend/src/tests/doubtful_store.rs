//! A store whose next write of a namespace ends as told, performed or not.
use async_trait::async_trait;
use std::sync::Mutex;
use tempest_core::{EventId, NamespaceId, RunId, RunKey, WorkflowId};
use tempest_store::redb::{RedbConfig, RedbStore};
use tempest_store::*;
use tokio::sync::watch;

pub(super) struct DoubtfulStore {
    inner: RedbStore,
    next: Mutex<Option<(StoreError, bool)>>,
}

impl DoubtfulStore {
    pub(super) async fn new() -> Self {
        let inner = RedbStore::in_memory(RedbConfig::default()).await.expect("a store in memory opens");
        Self { inner, next: Mutex::default() }
    }

    pub(super) fn end_next_write(&self, end: StoreError, performed: bool) {
        *self.next.lock().unwrap() = Some((end, performed));
    }
}

fn not_asked() -> ! {
    panic!("a frontend asks for namespaces only")
}

#[async_trait]
impl Store for DoubtfulStore {
    fn timeline(&self) -> watch::Receiver<Timeline> {
        self.inner.timeline()
    }
    fn hear_of(&self, timeline: Timeline) {
        self.inner.hear_of(timeline);
    }
    async fn put_namespace(&self, record: NamespaceRecord) -> Result<(), StoreError> {
        let next = self.next.lock().unwrap().take();
        let Some((end, performed)) = next else { return self.inner.put_namespace(record).await };
        if performed {
            self.inner.put_namespace(record).await?;
        }
        Err(end)
    }
    async fn namespaces(&self) -> Result<Vec<NamespaceRecord>, StoreError> {
        self.inner.namespaces().await
    }
    async fn cluster(&self, _: ClusterRecord) -> Result<ClusterRecord, StoreError> {
        not_asked()
    }
    async fn acquire_shard(&self, _: ShardId, _: RangeId, _: &str) -> Result<ShardRecord, StoreError> {
        not_asked()
    }
    async fn shard(&self, _: ShardId) -> Result<Option<ShardRecord>, StoreError> {
        not_asked()
    }
    fn commit(&self, _: ShardCommit) -> CommitFuture {
        not_asked()
    }
    async fn ranges(&self, _: &[ShardId]) -> Result<Vec<RangeId>, StoreError> {
        not_asked()
    }
    async fn run(&self, _: &RunKey) -> Result<Option<RunRecord>, StoreError> {
        not_asked()
    }
    async fn current_run(&self, _: &NamespaceId, _: &WorkflowId) -> Result<Option<RunId>, StoreError> {
        not_asked()
    }
    async fn runs(&self, _: Option<RunKey>, _: usize) -> Result<Vec<(RunKey, RunRecord)>, StoreError> {
        not_asked()
    }
    async fn history(&self, _: &BranchId, _: EventId, _: EventId, _: usize) -> Result<Vec<HistoryNode>, StoreError> {
        not_asked()
    }
    async fn tasks(&self, _: ShardId, _: TaskKey, _: TaskKey, _: usize) -> Result<Vec<TaskRow>, StoreError> {
        not_asked()
    }
    async fn beat(&self, _: NodeRecord) -> Result<Vec<NodeRecord>, StoreError> {
        not_asked()
    }
    async fn forget_node(&self, _: NodeRecord) -> Result<(), StoreError> {
        not_asked()
    }
    async fn lease_partition(&self, _: &PartitionKey) -> Result<PartitionRecord, StoreError> {
        not_asked()
    }
    fn commit_backlog(&self, _: BacklogCommit) -> CommitFuture {
        not_asked()
    }
    async fn backlog(&self, _: &PartitionKey, _: i64, _: usize) -> Result<Vec<BacklogRow>, StoreError> {
        not_asked()
    }
}
