//! The store itself: which lane a write takes, which read answers.
use crate::config::PostgresConfig;
use crate::lane::Lane;
use crate::lookout;
use crate::pool::Pool;
use crate::read;
use crate::request::{Answer, Applied, Request};
use crate::schema;
use crate::target::Target;
use async_trait::async_trait;
use std::sync::Arc;
use tempest_core::{EventId, NamespaceId, RunId, RunKey, WorkflowId};
use tempest_rt::task::TaskGroup;
use tempest_store::redb::keys::{CurrentRunKey, Key};
use tempest_store::*;
use tokio::sync::watch;

/// A [`Store`] in one schema of a PostgreSQL database, open in as many processes as one likes. Dropping it abandons what
/// is queued; [`PostgresStore::close`] finishes it first.
pub struct PostgresStore {
    /// A shard's commits all take the same one, and so stay in order.
    lanes: Vec<Arc<Lane>>,
    /// Taking a shard or partition may wait for locks of the one who had it: nobody's commits wait behind that.
    ownership: Arc<Lane>,
    reads: Pool,
    target: Arc<Target>,
    tasks: TaskGroup,
}

impl PostgresStore {
    /// Connects, and creates the schema if there is none.
    ///
    /// # Errors
    /// `Unavailable` if the database cannot be reached or takes no writes; `Incompatible` if it refuses the user, does
    /// not exist, is of another schema version, or the configuration is out of range. Each says what to do; none shows
    /// the password.
    pub async fn connect(config: PostgresConfig) -> Result<Self, StoreError> {
        let target = Arc::new(Target::new(config)?);
        let tasks = TaskGroup::default();
        let found = schema::find_or_create(&target, &tasks).await;
        if let Err(error) = found {
            tasks.stop();
            return Err(error);
        }
        let lanes = (0..target.config.lanes).map(|_| Lane::start(target.clone(), &tasks)).collect();
        let ownership = Lane::start(target.clone(), &tasks);
        let reads = Pool::new(target.clone(), tasks.clone());
        tasks.spawn(lookout::look_out(target.clone()));
        Ok(Self { lanes, ownership, reads, target, tasks })
    }

    /// Finishes what is queued, refuses everything else, and closes the connections.
    pub async fn close(&self) {
        futures::future::join_all(self.lanes.iter().map(|lane| lane.close())).await;
        self.ownership.close().await;
        self.reads.close().await;
        self.tasks.stop_and_wait().await;
    }

    fn lane(&self, number: u64) -> &Lane {
        let lanes = self.lanes.len() as u64;
        &self.lanes[usize::try_from(number % lanes).expect("there are at most 64 lanes")]
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

/// The same for the same key in every run: FNV-1a.
fn hash(key: &[u8]) -> u64 {
    key.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Each request has one kind of answer: see [`Request::judge`].
fn wrong_answer(applied: &Applied) -> ! {
    unreachable!("a request was answered with another's answer: {applied:?}")
}

#[async_trait]
impl Store for PostgresStore {
    fn timeline(&self) -> watch::Receiver<Timeline> {
        self.target.timeline.subscribe()
    }

    fn hear_of(&self, timeline: Timeline) {
        self.target.hear_of(timeline);
    }

    async fn cluster(&self, initial: ClusterRecord) -> Result<ClusterRecord, StoreError> {
        match self.ownership.push(Request::Cluster(initial)).await? {
            Applied::Cluster(record) => Ok(record),
            other => wrong_answer(&other),
        }
    }

    async fn acquire_shard(&self, shard: ShardId, expected: RangeId, owner: &str) -> Result<ShardRecord, StoreError> {
        match self.ownership.push(Request::AcquireShard { shard, expected, owner: owner.to_owned() }).await? {
            Applied::Shard(record) => Ok(record),
            other => wrong_answer(&other),
        }
    }

    async fn shard(&self, shard: ShardId) -> Result<Option<ShardRecord>, StoreError> {
        read::shard(&self.reads, shard).await
    }

    fn commit(&self, commit: ShardCommit) -> CommitFuture {
        let lane = self.lane(u64::from(commit.shard.0));
        fenced(lane.push(Request::Commit(commit)))
    }

    async fn ranges(&self, shards: &[ShardId]) -> Result<Vec<RangeId>, StoreError> {
        read::ranges(&self.reads, shards).await
    }

    async fn run(&self, key: &RunKey) -> Result<Option<RunRecord>, StoreError> {
        read::run(&self.reads, key).await
    }

    async fn current_run(&self, namespace: &NamespaceId, workflow: &WorkflowId) -> Result<Option<RunId>, StoreError> {
        let key = CurrentRunKey { namespace_id: namespace.clone(), workflow_id: workflow.clone() };
        read::current_run(&self.reads, &key).await
    }

    async fn runs(&self, after: Option<RunKey>, limit: usize) -> Result<Vec<(RunKey, RunRecord)>, StoreError> {
        read::runs(&self.reads, after, limit).await
    }

    async fn history(
        &self,
        branch: &BranchId,
        from: EventId,
        until: EventId,
        limit: usize,
    ) -> Result<Vec<HistoryNode>, StoreError> {
        read::history(&self.reads, branch, from, until, limit).await
    }

    async fn tasks(
        &self,
        shard: ShardId,
        after: TaskKey,
        before: TaskKey,
        limit: usize,
    ) -> Result<Vec<TaskRow>, StoreError> {
        read::history_tasks(&self.reads, shard, after, before, limit).await
    }

    async fn put_namespace(&self, record: NamespaceRecord) -> Result<(), StoreError> {
        self.ownership.push(Request::PutNamespace(record)).await.map(|_| ())
    }

    async fn namespaces(&self) -> Result<Vec<NamespaceRecord>, StoreError> {
        read::namespaces(&self.reads).await
    }

    async fn beat(&self, node: NodeRecord) -> Result<Vec<NodeRecord>, StoreError> {
        read::beat(&self.reads, &node).await
    }

    async fn forget_node(&self, node: NodeRecord) -> Result<(), StoreError> {
        read::forget_node(&self.reads, &node).await
    }

    async fn lease_partition(&self, partition: &PartitionKey) -> Result<PartitionRecord, StoreError> {
        match self.ownership.push(Request::LeasePartition(partition.clone())).await? {
            Applied::Partition(record) => Ok(record),
            other => wrong_answer(&other),
        }
    }

    fn commit_backlog(&self, commit: BacklogCommit) -> CommitFuture {
        let lane = self.lane(hash(&commit.partition.encode()));
        fenced(lane.push(Request::Backlog(commit)))
    }

    async fn backlog(&self, partition: &PartitionKey, after: i64, limit: usize) -> Result<Vec<BacklogRow>, StoreError> {
        read::backlog(&self.reads, partition, after, limit).await
    }
}

fn fenced(answer: impl Future<Output = Answer> + Send + 'static) -> CommitFuture {
    Box::pin(async move { answer.await.into() })
}
