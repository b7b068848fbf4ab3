//! The real server in this process: nodes on a runtime of their own, over the database that a bench asks for.

use super::database::Schema;
use super::disk::{Syncs, SyncsSoFar, TimedDisk};
use super::processor::SERVER_THREADS;
use super::watched_store::WatchedStore;
use crate::{BenchError, Database, Plan, RealPlan};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempest_rt::net::Tcp;
use tempest_server::{ClusterConfig, Node, NodeConfig};
use tempest_store::Store;
use tempest_store::redb::{RedbConfig, RedbStore};
use tempest_store_postgres::{PostgresConfig, PostgresStore};
use tokio::runtime::Runtime;

/// Nodes find each other and settle who owns what within this.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(60);
const SETTLE_PAUSE: Duration = Duration::from_millis(5);
/// Blocking threads of the store must live as long as a server does: their processor time goes with them.
const THREAD_KEEP_ALIVE: Duration = Duration::from_secs(3600);

pub struct Server {
    runtime: Runtime,
    nodes: Vec<Node>,
    stores: Vec<Arc<WatchedStore>>,
    syncs: Arc<Syncs>,
    close: Vec<BoxFuture<'static, ()>>,
    /// Where clients call.
    pub addresses: Vec<String>,
    /// From the first node's start until all shards were owned.
    pub acquired_in: Duration,
    /// Removed at the end.
    _directory: tempfile::TempDir,
    schema: Option<Schema>,
}

/// What a server has done so far.
#[derive(Clone, Debug, Default)]
pub struct DoneSoFar {
    pub commits: u64,
    pub syncs: SyncsSoFar,
    /// By shard.
    pub actors: Vec<Duration>,
    /// By lane, over all nodes.
    pub lanes: Vec<Duration>,
}

struct Opened {
    stores: Vec<Arc<WatchedStore>>,
    close: Vec<BoxFuture<'static, ()>>,
    schema: Option<Schema>,
}

impl Server {
    pub fn start(plan: &Plan, real: &RealPlan, shards: u32) -> Result<Self, BenchError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name(SERVER_THREADS)
            .thread_keep_alive(THREAD_KEEP_ALIVE)
            .build()?;
        let directory = match &real.database {
            Database::File(Some(place)) => tempfile::tempdir_in(place)?,
            _ => tempfile::tempdir()?,
        };
        let disk =
            TimedDisk { sync_at_least: real.fsync_at_least.unwrap_or_default(), syncs: Arc::new(Syncs::default()) };
        let syncs = disk.syncs.clone();
        let opened = runtime.block_on(open(plan, real, &directory, disk))?;
        let began = Instant::now();
        let failed = |why: String| BenchError::Server { shards, why };
        let nodes = runtime.block_on(start_nodes(plan, shards, &opened.stores)).map_err(failed)?;
        let settled = runtime.block_on(until_settled(&nodes, shards));
        let acquired_in = began.elapsed();
        let addresses = nodes.iter().filter_map(|node| node.address().map(str::to_owned)).collect();
        let Opened { stores, close, schema } = opened;
        let server =
            Self { runtime, nodes, stores, syncs, close, addresses, acquired_in, _directory: directory, schema };
        if !settled {
            server.stop();
            return Err(failed(format!("not every shard was owned within {} s", SETTLE_TIMEOUT.as_secs())));
        }
        Ok(server)
    }

    pub fn so_far(&self) -> DoneSoFar {
        let mut done = DoneSoFar { syncs: self.syncs.so_far(), ..DoneSoFar::default() };
        for node in &self.nodes {
            let times = node.history().actor_times();
            done.actors.resize(times.len(), Duration::ZERO);
            for (sum, time) in done.actors.iter_mut().zip(times) {
                *sum += time;
            }
        }
        for store in &self.stores {
            let writes = store.so_far();
            done.commits += writes.commits;
            done.lanes.extend(writes.busy);
        }
        done
    }

    pub fn stop(self) {
        let Self { runtime, nodes, close, schema, stores, .. } = self;
        runtime.block_on(async {
            futures::future::join_all(nodes.into_iter().map(Node::stop)).await;
            futures::future::join_all(close).await;
            drop(stores);
            if let Some(schema) = schema {
                schema.drop().await;
            }
        });
        runtime.shutdown_background();
    }
}

impl DoneSoFar {
    pub fn since(&self, before: &DoneSoFar) -> DoneSoFar {
        let less = |now: &[Duration], before: &[Duration]| {
            now.iter().zip(before).map(|(now, before)| now.saturating_sub(*before)).collect()
        };
        DoneSoFar {
            commits: self.commits - before.commits,
            syncs: SyncsSoFar {
                number: self.syncs.number - before.syncs.number,
                took: self.syncs.took.saturating_sub(before.syncs.took),
            },
            actors: less(&self.actors, &before.actors),
            lanes: less(&self.lanes, &before.lanes),
        }
    }
}

/// One store, or one for each node where nodes have connections of their own.
async fn open(
    plan: &Plan,
    real: &RealPlan,
    directory: &tempfile::TempDir,
    disk: TimedDisk,
) -> Result<Opened, BenchError> {
    let failed = |error: tempest_store::StoreError| BenchError::Database(error.to_string());
    let redb = match &real.database {
        Database::Memory => RedbStore::in_memory(RedbConfig::default()).await.map_err(failed)?,
        Database::File(_) => {
            let path = directory.path().join("tempest.db");
            RedbStore::open(Arc::new(disk), path, RedbConfig::default()).await.map_err(failed)?
        }
        Database::Postgres(url) => {
            let schema = Schema::new(url);
            let mut opened = Opened { stores: Vec::new(), close: Vec::new(), schema: None };
            for _ in 0..plan.nodes {
                let config = PostgresConfig { schema: schema.name.clone(), ..PostgresConfig::new(url) };
                let lanes = config.lanes;
                let store = Arc::new(PostgresStore::connect(config).await.map_err(failed)?);
                let closing = store.clone();
                opened.close.push(Box::pin(async move { closing.close().await }));
                opened.stores.push(Arc::new(WatchedStore::new(store, lanes)));
            }
            opened.schema = Some(schema);
            return Ok(opened);
        }
    };
    let store = Arc::new(redb);
    let closing = store.clone();
    Ok(Opened {
        stores: vec![Arc::new(WatchedStore::new(store, 1))],
        close: vec![Box::pin(async move { closing.close().await })],
        schema: None,
    })
}

async fn start_nodes(plan: &Plan, shards: u32, stores: &[Arc<WatchedStore>]) -> Result<Vec<Node>, String> {
    let mut nodes = Vec::new();
    for number in 0..plan.nodes {
        let mut config = NodeConfig::new("127.0.0.1:0", shards);
        config.history.measure_actors = true;
        if plan.nodes > 1 {
            config.cluster = Some(ClusterConfig::new(format!("node-{number}"), "127.0.0.1:0"));
        }
        let store: Arc<dyn Store> = stores[number as usize % stores.len()].clone();
        nodes.push(Node::start(config, store, Arc::new(Tcp)).await.map_err(|error| error.to_string())?);
    }
    Ok(nodes)
}

/// Every shard has an owner, and every node sees all nodes. False if that takes too long.
async fn until_settled(nodes: &[Node], shards: u32) -> bool {
    let deadline = Instant::now() + SETTLE_TIMEOUT;
    loop {
        let owned: usize = nodes.iter().map(|node| node.history().held().len()).sum();
        let sees_all = |node: &Node| node.ring().is_none_or(|ring| ring.borrow().members().len() == nodes.len());
        if owned == shards as usize && nodes.iter().all(sees_all) {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(SETTLE_PAUSE).await;
    }
}
