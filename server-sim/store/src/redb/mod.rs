//! The embedded store: one redb database in a file, on a simulated disk, or in memory.
//!
//! Writes go through a bounded queue, one writer at a time, all that wait in one transaction with one fsync.
//! Reads are snapshots of what is durable. All work that waits for a disk runs in `tempest_rt::task::blocking`.
//!
//! After an I/O error nothing that the process believes about the file is safe any more: the store turns *failed*, every
//! later operation is `Unavailable`, and [`RedbStore::failed`] tells the node to stop, so that the next process recovers
//! from the disk as after a crash. A full disk is milder: it shows when the file grows, before anything commits, so writes
//! are refused, reads go on, and once there is room so do writes.
mod acquired;
mod config;
mod engine;
mod open;
mod read;
mod tables;

pub use config::RedbConfig;

use crate::file_system::FileSystem;
use crate::write_queue::{Replies, WriteQueue};
use crate::{ReadFuture, ReadRequest, Store, StoreError, Timeline, WriteFuture, WriteRequest};
use engine::{Engine, Placed};
use futures::future::{BoxFuture, FutureExt};
use open::Source;
use std::path::Path;
use std::sync::Arc;
use tempest_rt::task;
use tokio::sync::{Semaphore, watch};

/// A file fails over to nothing.
const TIMELINE: Timeline = Timeline(0);

/// A [`Store`] in one redb database. Dropping it abandons what is queued; [`RedbStore::close`] finishes it first.
pub struct RedbStore {
    engine: Arc<Engine>,
    queue: Arc<WriteQueue<Placed>>,
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

    /// Boxed: an async function is compiled by each crate that polls it.
    fn start(source: Source, config: RedbConfig) -> BoxFuture<'static, Result<Self, StoreError>> {
        Self::started(source, config).boxed()
    }

    async fn started(source: Source, config: RedbConfig) -> Result<Self, StoreError> {
        let config = config.validated()?;
        let opening = config.clone();
        let engine = Arc::new(task::blocking(move || Engine::open(source, opening)).await?);
        let reads_concurrent_max = u32::try_from(config.reads_concurrent_max).expect("validated to be at most 512");
        let queue = Arc::new(WriteQueue::new(config.queue_limits(), "the disk"));
        let tasks = task::TaskGroup::default();
        tasks.spawn(write_batches(queue.clone(), engine.clone()));
        let reads = Arc::new(Semaphore::new(reads_concurrent_max as usize));
        let timeline = watch::Sender::new(TIMELINE);
        Ok(Self { engine, queue, reads, reads_concurrent_max, timeline, tasks })
    }

    /// Resolves, with the reason, once the store has failed: the process should end and recover from disk.
    pub fn failed(&self) -> impl Future<Output = String> + Send + use<> {
        self.engine.failed()
    }

    /// Finishes what is queued, refuses everything else, and closes the file.
    pub async fn close(&self) {
        self.queue.close().await;
        // Every read holds a permit: with all of them here, none is running.
        let _all = self.reads.acquire_many(self.reads_concurrent_max).await;
        let engine = self.engine.clone();
        task::blocking(move || engine.close()).await;
    }

    /// Queues a write before it returns, as [`Store::write`] does, for a database that keeps its state in this store and
    /// has `timeline` itself.
    pub fn write_on(&self, timeline: Timeline, request: WriteRequest) -> WriteFuture {
        let bytes = request.bytes();
        Box::pin(self.queue.push((timeline, request), bytes))
    }
}

/// The writer: one batch at a time, each one transaction with one fsync.
async fn write_batches(queue: Arc<WriteQueue<Placed>>, engine: Arc<Engine>) {
    while let Some(first) = queue.batch().await {
        let (queue, engine) = (queue.clone(), engine.clone());
        task::blocking(move || write_while_any_wait(&queue, &engine, first)).await;
    }
    queue.drained();
}

/// Answers from where it writes, and goes on with what has gathered meanwhile: each way back to the writer's task would be
/// two switches of threads, before the callers hear and before the disk is busy again.
fn write_while_any_wait(queue: &WriteQueue<Placed>, engine: &Engine, first: (Vec<Placed>, Replies)) {
    let mut next = Some(first);
    while let Some((requests, replies)) = next {
        replies.send(engine.write(&requests));
        next = queue.batch_at_hand();
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        // The writer's thread would go on with it.
        self.queue.abandon();
        self.tasks.stop();
    }
}

impl Store for RedbStore {
    fn write(&self, request: WriteRequest) -> WriteFuture {
        self.write_on(TIMELINE, request)
    }

    fn read(&self, request: ReadRequest) -> ReadFuture<'_> {
        if let ReadRequest::Ranges(shards) = &request
            && let Some(answer) = self.engine.ranges_at_hand(shards)
        {
            return Box::pin(std::future::ready(answer));
        }
        Box::pin(async move {
            let _permit = self.reads.acquire().await.expect("the semaphore is never closed");
            if self.engine.is_in_memory() {
                return self.engine.read(&request);
            }
            let engine = self.engine.clone();
            task::blocking(move || engine.read(&request)).await
        })
    }

    fn timeline(&self) -> watch::Receiver<Timeline> {
        self.timeline.subscribe()
    }

    fn hear_of(&self, _: Timeline) {}
}
