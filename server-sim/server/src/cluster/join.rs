//! How a node becomes one of a cluster, and how it leaves.
use super::describe::{NodeDescription, describe_node};
use super::membership::{ClusterConfig, Membership};
use super::peers::{NodeService, Peers};
use super::ring::Ring;
use super::route::{Cluster, OnlyHere, Repeated, ToHistory, ToMatching};
use super::timeline::KnownTimeline;
use crate::NodeError;
use std::sync::Arc;
use tempest_api::{HistoryService, MatchingService, RoutedHistory, RoutedMatching};
use tempest_history::{HistoryHandle, Placement};
use tempest_matching::Matching;
use tempest_rt::net::{self, Network};
use tempest_rt::task::TaskGroup;
use tempest_store::{ShardId, Store};
use tokio::sync::watch;

/// What this node carries itself.
pub(crate) struct Local {
    pub shard_count: u32,
    pub timeline: KnownTimeline,
    pub history: Arc<HistoryHandle>,
    pub matching: Arc<Matching>,
}

/// A node among others.
pub(crate) struct Joined {
    /// The whole cluster's services.
    pub history: Arc<dyn HistoryService>,
    pub matching: Arc<dyn MatchingService>,
    pub ring: watch::Receiver<Arc<Ring>>,
    /// Where it listens for other nodes.
    pub address: String,
    leaving: watch::Sender<bool>,
    left: watch::Receiver<bool>,
    stop_serving: watch::Sender<bool>,
}

impl Joined {
    /// Tells the other nodes, which then acquire what this node has.
    pub async fn leave(&mut self) {
        self.leaving.send_replace(true);
        let _ = self.left.wait_for(|left| *left).await;
    }

    /// Answers other nodes no more.
    pub fn stop_serving(&self) {
        self.stop_serving.send_replace(true);
    }
}

/// Listens for other nodes, writes this node's row, and places shards and task queues as the ring says, from now on.
pub(crate) async fn join(
    config: &ClusterConfig,
    local: Local,
    store: Arc<dyn Store>,
    network: Arc<dyn Network>,
    tasks: &TaskGroup,
) -> Result<Joined, NodeError> {
    let listener = network
        .listen(config.address.clone())
        .await
        .map_err(|error| NodeError::Listen { address: config.address.clone(), error })?;
    let address = listener.local_address();
    let advertised = config.advertised_address.clone().unwrap_or_else(|| address.clone());
    let timeline = local.timeline.clone();
    let mut membership = Membership::new(config, advertised, store);
    let ring = membership.ring();
    membership.introduce().await?;

    let peers = Arc::new(Peers::new(network, Some(timeline.clone())));
    let cluster = Cluster { own_name: config.name.clone(), ring: ring.clone(), peers: peers.clone() };
    let own_history = Arc::new(Repeated(local.history.clone()));
    let to_history = ToHistory { cluster: cluster.clone(), shard_count: local.shard_count, local: own_history };
    let to_matching = ToMatching { cluster, local: local.matching.clone() };

    let for_peers = NodeService {
        timeline,
        history: local.history.clone(),
        matching: Arc::new(RoutedMatching(OnlyHere(to_matching.clone()))),
        describe: {
            let (name, shards, ring) = (config.name.clone(), local.shard_count, ring.clone());
            let (history, matching) = (local.history.clone(), local.matching.clone());
            let (without_store, clocks_apart) = (membership.without_store(), membership.clocks_apart());
            Arc::new(move || {
                let silence = without_store.borrow().map(|since| since.elapsed());
                let described = describe_node(&name, shards, &ring.borrow(), &history, &matching, silence);
                NodeDescription { clocks_apart_ms: clocks_apart.borrow().clone(), ..described }
            })
        },
    };
    let (stop_serving, mut stop) = watch::channel(false);
    let router = net::server().add_service(for_peers);
    tasks.spawn(async move {
        let stopped = async move { drop(stop.wait_for(|stop| *stop).await) };
        if let Err(error) = net::serve(router, listener, stopped).await {
            tracing::error!(%error, "the listener for other nodes failed");
        }
    });

    place(&ring.borrow().clone(), &config.name, &local, &peers);
    tasks.spawn(place_again(ring.clone(), config.name.clone(), local, peers));

    let (leaving, leave) = watch::channel(false);
    let (has_left, left) = watch::channel(false);
    tasks.spawn(async move {
        membership.run(leave).await;
        has_left.send_replace(true);
    });
    Ok(Joined {
        history: Arc::new(RoutedHistory(to_history)),
        matching: Arc::new(RoutedMatching(to_matching)),
        ring,
        address,
        leaving,
        left,
        stop_serving,
    })
}

/// Places shards and task queues whenever the ring changes.
async fn place_again(mut ring: watch::Receiver<Arc<Ring>>, own_name: String, local: Local, peers: Arc<Peers>) {
    while ring.changed().await.is_ok() {
        let changed = ring.borrow_and_update().clone();
        place(&changed, &own_name, &local, &peers);
    }
}

/// Gives away what belongs elsewhere, and acquires what belongs here.
fn place(ring: &Arc<Ring>, own_name: &str, local: &Local, peers: &Peers) {
    let addresses: Vec<&str> = ring.members().iter().map(|member| member.address.as_str()).collect();
    peers.keep_only(&addresses);
    for shard in (1..=local.shard_count).map(ShardId) {
        let placement = match ring.of_shard(shard) {
            Some(member) if member.name == own_name => Placement::Here,
            member => Placement::There { address: member.map_or_else(String::new, |member| member.address.clone()) },
        };
        local.history.place(shard, placement);
    }
    let (ring, own_name) = (ring.clone(), own_name.to_owned());
    local.matching.keep_only(move |namespace, queue| {
        ring.of_task_queue(namespace, queue).is_some_and(|member| member.name == own_name)
    });
}
