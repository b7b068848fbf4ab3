//! The store itself: which lane a write takes, which read answers.
use crate::config::PostgresConfig;
use crate::lane::Lane;
use crate::lookout;
use crate::pool::Pool;
use crate::read;
use crate::schema;
use crate::target::Target;
use futures::future::{BoxFuture, FutureExt};
use std::sync::Arc;
use tempest_rt::task::TaskGroup;
use tempest_store::keys::Key;
use tempest_store::{ReadFuture, ReadRequest, Store, StoreError, Timeline, WriteFuture, WriteRequest};
use tokio::sync::watch;

/// A [`Store`] in one schema of a PostgreSQL database, open in as many processes as one likes. Dropping it abandons what
/// is queued; [`PostgresStore::close`] finishes it first.
pub struct PostgresStore {
    /// A shard's commits all take the same one, and so stay in order.
    lanes: Vec<Arc<Lane>>,
    /// Acquiring a shard or partition may wait for locks of the previous owner: no commits wait behind that.
    ownership: Arc<Lane>,
    reads: Arc<Pool>,
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
    // Boxed: an async function is compiled by each crate that polls it, and behind this one is the whole client.
    pub fn connect(config: PostgresConfig) -> BoxFuture<'static, Result<Self, StoreError>> {
        Self::connected(config).boxed()
    }

    async fn connected(config: PostgresConfig) -> Result<Self, StoreError> {
        let target = Arc::new(Target::new(config)?);
        let tasks = TaskGroup::default();
        let found = schema::find_or_create(&target, &tasks).await;
        if let Err(error) = found {
            tasks.stop();
            return Err(error);
        }
        let lanes = (0..target.config.lanes).map(|_| Lane::start(target.clone(), &tasks)).collect();
        let ownership = Lane::start(target.clone(), &tasks);
        let reads = Arc::new(Pool::new(target.clone(), tasks.clone()));
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

impl Store for PostgresStore {
    fn write(&self, request: WriteRequest) -> WriteFuture {
        let lane = match &request {
            WriteRequest::Commit(commit) => self.lane(u64::from(commit.shard.0)),
            WriteRequest::Backlog(commit) => self.lane(hash(&commit.partition.encode())),
            WriteRequest::AcquireShard { .. }
            | WriteRequest::LeasePartition(_)
            | WriteRequest::PutNamespace(_)
            | WriteRequest::Cluster(_)
            | WriteRequest::ForgetNode(_) => &self.ownership,
            // Judged by nothing: it needs no lane, and a node that beats must not wait for locks of another.
            WriteRequest::Beat(node) => {
                let (reads, node) = (self.reads.clone(), node.clone());
                return Box::pin(async move { read::beat(&reads, &node).await });
            }
        };
        Box::pin(lane.push(request))
    }

    fn read(&self, request: ReadRequest) -> ReadFuture<'_> {
        Box::pin(read::perform(&self.reads, request))
    }

    fn timeline(&self) -> watch::Receiver<Timeline> {
        self.target.timeline.subscribe()
    }

    fn hear_of(&self, timeline: Timeline) {
        self.target.hear_of(timeline);
    }
}
