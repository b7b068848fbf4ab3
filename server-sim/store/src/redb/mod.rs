//! The embedded store: one redb database in a file, on a simulated disk, or in memory.
//!
//! Writes go through a pipeline: a bounded queue, one writer at a time, all that wait in one transaction with one fsync.
//! Reads are snapshots of what is durable. All blocking work runs in `tempest_rt::task::blocking`.
//!
//! After an I/O error nothing that the process believes about the file is safe any more: the store turns *failed*, every
//! later operation is `Unavailable`, and [`RedbStore::failed`] tells the node to stop, so that the next process recovers
//! from the disk as after a crash. A full disk is milder: it shows when the file grows, before anything commits, so writes
//! are refused, reads go on, and once there is room so do writes.
mod config;
mod engine;
/// Keys as bytes that sort as the keys do: an affair of each implementation, but nothing in these is redb's, and every
/// store whose tables hold bytes under bytes may use them.
pub mod keys;
mod open;
mod pipeline;
mod read;
mod tables;
mod values;
mod write;

pub use config::RedbConfig;
pub use open::SCHEMA_VERSION;

use crate::file_system::FileSystem;
use crate::outcome::StoreError;
use crate::records::*;
use crate::store::{CommitFuture, Store};
use crate::write_request::{WriteAnswer, WriteRequest, Written, wrong_answer};
use async_trait::async_trait;
use engine::Engine;
use keys::CurrentRunKey;
use open::Source;
use pipeline::Pipeline;
use redb::ReadTransaction;
use std::path::Path;
use std::sync::Arc;
use tables::Stop;
use tempest_core::{EventId, NamespaceId, RunId, RunKey, WorkflowId};
use tempest_rt::task;
use tokio::sync::{Semaphore, watch};

/// A file fails over to nothing.
const TIMELINE: Timeline = Timeline(0);

/// A [`Store`] in one redb database. Dropping it abandons what is queued; [`RedbStore::close`] finishes it first.
pub struct RedbStore {
    engine: Arc<Engine>,
    pipeline: Arc<Pipeline>,
    reads: Arc<Semaphore>,
    reads_concurrent_max: u32,
    timeline: watch::Sender<Timeline>,
    tasks: task::TaskGroup,
}

impl RedbStore {
    /// Opens the database at `path`, creating it if there is none.
    ///
    /// # Errors
    /// `Unavailable` if it is in use or cannot be reached, `Incompatible` if another version wrote it, `Corrupt` if it is
    /// damaged or no database at all. The message names the file and says what to do.
    pub async fn open(
        file_system: Arc<dyn FileSystem>,
        path: impl AsRef<Path>,
        config: RedbConfig,
    ) -> Result<Self, StoreError> {
        Self::start(Source::File { file_system, path: path.as_ref().to_owned() }, config).await
    }

    /// A store that ends with the process.
    ///
    /// # Errors
    /// `Incompatible` if the configuration is out of range.
    pub async fn in_memory(config: RedbConfig) -> Result<Self, StoreError> {
        Self::start(Source::Memory, config).await
    }

    async fn start(source: Source, config: RedbConfig) -> Result<Self, StoreError> {
        let config = config.validated()?;
        let opening = config.clone();
        let engine = Arc::new(task::blocking(move || Engine::open(source, opening)).await?);
        let reads_concurrent_max = u32::try_from(config.reads_concurrent_max).expect("validated to be at most 512");
        let pipeline = Arc::new(Pipeline::new(config));
        let tasks = task::TaskGroup::default();
        tasks.spawn(pipeline.clone().run(engine.clone()));
        let reads = Arc::new(Semaphore::new(reads_concurrent_max as usize));
        let timeline = watch::Sender::new(TIMELINE);
        Ok(Self { engine, pipeline, reads, reads_concurrent_max, timeline, tasks })
    }

    /// Resolves, with the reason, once the store has failed: the process should end and recover from disk.
    pub fn failed(&self) -> impl Future<Output = String> + Send + use<> {
        self.engine.failed()
    }

    /// Finishes what is queued, refuses everything else, and closes the file.
    pub async fn close(&self) {
        self.pipeline.close().await;
        // Every read holds a permit: with all of them here, none is running.
        let _all = self.reads.acquire_many(self.reads_concurrent_max).await;
        let engine = self.engine.clone();
        task::blocking(move || engine.close()).await;
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _permit = self.reads.acquire().await.expect("the semaphore is never closed");
        let engine = self.engine.clone();
        task::blocking(move || engine.read(read)).await
    }

    /// Queues any write before it returns: writes are done in the order in which they were queued.
    pub fn enqueue(&self, request: WriteRequest) -> impl Future<Output = WriteAnswer> + Send + use<> {
        self.pipeline.enqueue(request)
    }

    async fn write(&self, request: WriteRequest) -> WriteAnswer {
        self.enqueue(request).await
    }

    fn write_fenced(&self, request: WriteRequest) -> CommitFuture {
        let answer = self.pipeline.enqueue(request);
        Box::pin(async move { answer.await.into() })
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

#[async_trait]
impl Store for RedbStore {
    fn timeline(&self) -> watch::Receiver<Timeline> {
        self.timeline.subscribe()
    }

    fn hear_of(&self, _: Timeline) {}

    async fn cluster(&self, initial: ClusterRecord) -> Result<ClusterRecord, StoreError> {
        match self.write(WriteRequest::Cluster(initial)).await? {
            Written::Cluster(record) | Written::ClusterFound(record) => Ok(record),
            other => wrong_answer(other),
        }
    }

    async fn acquire_shard(&self, shard: ShardId, expected: RangeId, owner: &str) -> Result<ShardRecord, StoreError> {
        match self
            .write(WriteRequest::AcquireShard { shard, expected, owner: owner.to_owned(), timeline: TIMELINE })
            .await?
        {
            Written::Shard(record) => Ok(record),
            other => wrong_answer(other),
        }
    }

    async fn shard(&self, shard: ShardId) -> Result<Option<ShardRecord>, StoreError> {
        self.read(move |snapshot| read::shard(snapshot, shard)).await
    }

    fn commit(&self, commit: ShardCommit) -> CommitFuture {
        self.write_fenced(WriteRequest::Commit(commit))
    }

    async fn ranges(&self, shards: &[ShardId]) -> Result<Vec<RangeId>, StoreError> {
        let shards = shards.to_vec();
        self.read(move |snapshot| read::ranges(snapshot, &shards)).await
    }

    async fn run(&self, key: &RunKey) -> Result<Option<RunRecord>, StoreError> {
        let key = key.clone();
        self.read(move |snapshot| read::run(snapshot, &key)).await
    }

    async fn current_run(&self, namespace: &NamespaceId, workflow: &WorkflowId) -> Result<Option<RunId>, StoreError> {
        let key = CurrentRunKey { namespace_id: namespace.clone(), workflow_id: workflow.clone() };
        self.read(move |snapshot| read::current_run(snapshot, &key)).await
    }

    async fn runs(&self, after: Option<RunKey>, limit: usize) -> Result<Vec<(RunKey, RunRecord)>, StoreError> {
        self.read(move |snapshot| read::runs(snapshot, after.as_ref(), limit)).await
    }

    async fn history(
        &self,
        branch: &BranchId,
        from: EventId,
        until: EventId,
        limit: usize,
    ) -> Result<Vec<HistoryNode>, StoreError> {
        let branch = branch.clone();
        self.read(move |snapshot| read::history(snapshot, &branch, from, until, limit)).await
    }

    async fn tasks(
        &self,
        shard: ShardId,
        after: TaskKey,
        before: TaskKey,
        limit: usize,
    ) -> Result<Vec<TaskRow>, StoreError> {
        self.read(move |snapshot| read::history_tasks(snapshot, shard, after, before, limit)).await
    }

    async fn put_namespace(&self, record: NamespaceRecord) -> Result<(), StoreError> {
        self.write(WriteRequest::PutNamespace(record)).await.map(|_| ())
    }

    async fn namespaces(&self) -> Result<Vec<NamespaceRecord>, StoreError> {
        self.read(read::namespaces).await
    }

    async fn beat(&self, node: NodeRecord) -> Result<Vec<NodeRecord>, StoreError> {
        match self.write(WriteRequest::Beat(node)).await? {
            Written::Nodes(before) => Ok(before),
            other => wrong_answer(other),
        }
    }

    async fn forget_node(&self, node: NodeRecord) -> Result<(), StoreError> {
        self.write(WriteRequest::ForgetNode(node)).await.map(|_| ())
    }

    async fn lease_partition(&self, partition: &PartitionKey) -> Result<PartitionRecord, StoreError> {
        match self.write(WriteRequest::LeasePartition { partition: partition.clone(), timeline: TIMELINE }).await? {
            Written::Partition(record) => Ok(record),
            other => wrong_answer(other),
        }
    }

    fn commit_backlog(&self, commit: BacklogCommit) -> CommitFuture {
        self.write_fenced(WriteRequest::Backlog(commit))
    }

    async fn backlog(&self, partition: &PartitionKey, after: i64, limit: usize) -> Result<Vec<BacklogRow>, StoreError> {
        let partition = partition.clone();
        self.read(move |snapshot| read::backlog(snapshot, &partition, after, limit)).await
    }
}
