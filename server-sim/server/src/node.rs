//! A running node.
use crate::NodeConfig;
use crate::cluster::{Joined, KnownTimeline, Local, Ring, join};
use crate::{lag_log, restore};
use futures::future::{BoxFuture, FutureExt};
use std::sync::Arc;
use tempest_api::{HistoryService, MatchingService, ServiceError};
use tempest_frontend::{Frontend, FrontendConfig, health_service, operator_service, workflow_service};
use tempest_history::{HistoryConfig, HistoryHandle};
use tempest_matching::{Matching, MatchingConfig};
use tempest_rt::net::{self, Network};
use tempest_rt::task::TaskGroup;
use tempest_rt::time::{Duration, sleep, timeout};
use tempest_store::{ClusterRecord, Store, StoreCalls, StoreError};
use tokio::sync::watch;

/// Calls that are under way when a node is asked to stop get this long to end: long polls do not end by themselves.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(500);

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    #[error("cannot listen on {address}: {error}")]
    Listen { address: String, error: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "the database was created with {stored} shards, and the configuration asks for {asked}: a cluster keeps the \
         shard count it was created with"
    )]
    ShardCount { stored: u32, asked: u32 },
    #[error(
        "the name {name:?} is taken: a node with that name is alive at {address}. Give each node of a cluster its own, or stop \
         that one first"
    )]
    NameTaken { name: String, address: String },
    #[error("namespace {namespace} cannot be registered: {error}")]
    Namespace { namespace: String, error: ServiceError },
    #[error("invalid configuration: {0}")]
    Config(String),
}

/// One node, serving. Dropping it abandons what is under way, as a crash would.
pub struct Node {
    /// Nothing if clients are not served here.
    address: Option<String>,
    frontend: Arc<Frontend>,
    fail_health_checks_for: Duration,
    history: Arc<HistoryHandle>,
    /// Keeps alive what matching calls.
    _services: Arc<dyn HistoryService>,
    joined: Option<Joined>,
    tasks: TaskGroup,
    stopping: watch::Sender<bool>,
    served: watch::Receiver<bool>,
}

impl Node {
    /// Listens, acquires the shards, registers the namespaces, and serves.
    ///
    /// # Errors
    /// [`NodeError`] says what a person has to change.
    // Boxed: an async function is compiled by each crate that polls it, and behind this one is the whole server.
    #[inline(never)]
    pub fn start(
        config: NodeConfig,
        store: Arc<dyn Store>,
        network: Arc<dyn Network>,
    ) -> BoxFuture<'static, Result<Self, NodeError>> {
        Self::started(config, store, network).boxed()
    }

    async fn started(config: NodeConfig, store: Arc<dyn Store>, network: Arc<dyn Network>) -> Result<Self, NodeError> {
        config.validate()?;
        // Listening comes next: a taken port is the commonest mistake, and nothing has been touched yet.
        let listener = listen_for_clients(&config, &network).await?;
        let address = listener.as_ref().map(|listener| listener.local_address());
        let cluster = stored_cluster(&config, &store).await?;

        let tasks = TaskGroup::default();
        let (of_history, of_matching) = of_roles(&config);
        let history =
            HistoryHandle::new(of_history, store.clone()).map_err(|error| NodeError::Config(error.to_string()))?;
        let history = Arc::new(history);
        let matching = Matching::start(store.clone(), of_matching, tasks.clone())
            .map_err(|error| NodeError::Config(error.to_string()))?;
        let mut as_history: Arc<dyn HistoryService> = history.clone();
        let mut as_matching: Arc<dyn MatchingService> = matching.clone();
        let known = KnownTimeline::new(store.clone(), cluster.clone());
        let mut joined = None;
        if let Some(of_cluster) = &config.cluster {
            let local = Local {
                shard_count: config.shard_count,
                timeline: known.clone(),
                history: history.clone(),
                matching: matching.clone(),
            };
            let member = join(of_cluster, local, store.clone(), network, &tasks).await?;
            (as_history, as_matching) = (member.history.clone(), member.matching.clone());
            joined = Some(member);
        }
        matching.connect(&as_history, &as_matching);
        history.start(as_matching.clone(), Arc::downgrade(&as_history));

        let of_frontend = FrontendConfig {
            cluster_name: cluster.cluster_name,
            cluster_id: cluster.cluster_id,
            shard_count: cluster.shard_count,
            ..config.frontend.clone()
        };
        let frontend = Frontend::new(of_frontend, as_history.clone(), as_matching, store.clone());
        for namespace in &config.namespaces {
            frontend
                .ensure_namespace(namespace)
                .await
                .map_err(|error| NodeError::Namespace { namespace: namespace.clone(), error })?;
        }

        let (stopping, stop) = watch::channel(false);
        let (served_sender, served) = watch::channel(listener.is_none());
        if let Some(listener) = listener {
            tasks.spawn(serve_clients(frontend.clone(), listener, stop, served_sender));
        }
        tasks.spawn(restore::after_failovers(store, known, Arc::downgrade(&frontend)));
        tasks.spawn(lag_log::tell(Arc::downgrade(&history)));
        log_serving(address.as_deref(), joined.as_ref(), config.shard_count);
        Ok(Self {
            address,
            frontend,
            fail_health_checks_for: config.fail_health_checks_for,
            history,
            _services: as_history,
            joined,
            tasks,
            stopping,
            served,
        })
    }

    /// Where it listens for clients, port 0 resolved; nothing if it does not have the role frontend.
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    pub fn history(&self) -> &Arc<HistoryHandle> {
        &self.history
    }

    /// Where it listens for other nodes, port 0 resolved; nothing if it is alone.
    pub fn peer_address(&self) -> Option<&str> {
        self.joined.as_ref().map(|joined| joined.address.as_str())
    }

    /// The cluster as this node sees it; nothing if it is alone.
    pub fn ring(&self) -> Option<watch::Receiver<Arc<Ring>>> {
        self.joined.as_ref().map(|joined| joined.ring.clone())
    }

    /// Fails its health checks for a while, tells the other nodes, stops accepting calls, lets those under way end for a
    /// moment, lets every commit end, and stops.
    pub fn stop(self) -> BoxFuture<'static, ()> {
        self.stopped().boxed()
    }

    async fn stopped(mut self) {
        self.frontend.fail_health_checks();
        if self.address.is_some() && !self.fail_health_checks_for.is_zero() {
            sleep(self.fail_health_checks_for).await;
        }
        if let Some(joined) = &mut self.joined {
            joined.leave().await;
        }
        self.stopping.send_replace(true);
        let _ = timeout(DRAIN_TIMEOUT, self.served.wait_for(|served| *served)).await;
        self.history.shutdown().await;
        if let Some(joined) = &self.joined {
            joined.stop_serving();
        }
        self.tasks.stop_and_wait().await;
    }
}

/// Nothing if the node does not have the role frontend.
async fn listen_for_clients(
    config: &NodeConfig,
    network: &Arc<dyn Network>,
) -> Result<Option<Box<dyn net::Listener>>, NodeError> {
    if !config.serves_clients() {
        return Ok(None);
    }
    let listening = network.listen(config.address.clone()).await;
    listening.map(Some).map_err(|error| NodeError::Listen { address: config.address.clone(), error })
}

/// The cluster's row, written by the first node of it.
async fn stored_cluster(config: &NodeConfig, store: &Arc<dyn Store>) -> Result<ClusterRecord, NodeError> {
    let initial = ClusterRecord {
        shard_count: config.shard_count,
        cluster_id: tempest_rt::entropy::uuid(),
        cluster_name: config.cluster_name.clone(),
    };
    let cluster = store.cluster(initial).await?;
    if cluster.shard_count != config.shard_count {
        return Err(NodeError::ShardCount { stored: cluster.shard_count, asked: config.shard_count });
    }
    Ok(cluster)
}

/// What history and matching get of the node's configuration.
fn of_roles(config: &NodeConfig) -> (HistoryConfig, MatchingConfig) {
    let mut of_matching = config.matching.clone();
    let mut of_history = HistoryConfig { shard_count: config.shard_count, ..config.history.clone() };
    if let Some(cluster) = &config.cluster {
        of_history.owner.clone_from(&cluster.name);
        // As often as a silent node is noticed: what it may have had for a while is found as soon.
        of_history.ownership_check_interval = Some(cluster.silence_max);
        of_matching.lease_check_interval = Some(cluster.silence_max);
    }
    (of_history, of_matching)
}

/// Answers clients until it is told to stop, and says when it does no more.
async fn serve_clients(
    frontend: Arc<Frontend>,
    listener: Box<dyn net::Listener>,
    mut stop: watch::Receiver<bool>,
    served: watch::Sender<bool>,
) {
    let router = net::server()
        .add_service(workflow_service(frontend.clone()))
        .add_service(operator_service(frontend.clone()))
        .add_service(health_service(frontend));
    let stopped = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    if let Err(error) = net::serve(router, listener, stopped).await {
        tracing::error!(%error, "the listener failed");
    }
    served.send_replace(true);
}

fn log_serving(address: Option<&str>, joined: Option<&Joined>, shards: u32) {
    match address {
        Some(address) => tracing::info!(%address, shards, "serving"),
        None => {
            let for_nodes = joined.map(|joined| joined.address.as_str()).unwrap_or_default();
            tracing::info!(for_nodes, shards, "serving other nodes only: clients are not, without the role frontend");
        }
    }
}
