//! What an operator sees of a cluster: each node is asked what it sees and holds.
use super::peers::Peers;
use super::ring::{Member, Ring};
use futures::future::{BoxFuture, FutureExt};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use tempest_api::ServiceError;
use tempest_history::{HistoryHandle, ShardLag};
use tempest_matching::{Matching, MatchingBacklog};
use tempest_rt::net::{BadAddress, Network};
use tempest_rt::time::Duration;
use tempest_store::{RangeId, ShardId};

/// One node, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeDescription {
    pub name: String,
    pub version: String,
    pub shard_count: u32,
    /// Who is there, as this node sees it.
    pub members: Vec<Member>,
    /// The shards that it believes it owns, with its range ids. Of two nodes that believe so, the higher one does.
    pub held: BTreeMap<ShardId, RangeId>,
    /// How far the queues of those shards are behind, by this node's own clocks.
    #[serde(default)]
    pub lags: BTreeMap<ShardId, ShardLag>,
    /// What waits in the task queues that are loaded here.
    #[serde(default)]
    pub backlog: MatchingBacklog,
    /// For how long it has not reached the database, if its last beat did not.
    #[serde(default)]
    pub without_store_ms: Option<u64>,
    /// By how many milliseconds the wall clock of each other node is ahead of its own (less than 0: behind), for those that
    /// have beaten twice since it looks. Rows have the clock as it was at the beat and are read up to a beat later: what is
    /// not longer than a few beats means nothing.
    #[serde(default)]
    pub clocks_apart_ms: BTreeMap<String, i64>,
    /// Counts since it started, by name; `data_loss` should be 0.
    pub counters: BTreeMap<String, u64>,
}

/// A whole cluster: every node that the first one names, with its description or why there is none.
#[derive(Clone, Debug)]
pub struct ClusterDescription {
    /// The name of the first one.
    pub asked: String,
    pub nodes: Vec<(Member, Result<NodeDescription, DescribeError>)>,
}

/// Why a node is not described: what was found where it was asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DescribeError {
    #[error(transparent)]
    Address(#[from] BadAddress),
    #[error("no server can be reached at {address}: {why}")]
    NotReached { address: String, why: String },
    /// Another server than tempest, or the wrong port of it.
    #[error("{address} answers gRPC calls, but none of those between nodes: it is likely where clients call")]
    NotForNodes { address: String },
    #[error("{address} takes connections, but does not speak as a node does: {why}")]
    NoNode { address: String, why: String },
    #[error("{address} takes connections, but answers nothing within {patience:?}")]
    Silent { address: String, patience: Duration },
    #[error("the node at {address} does not describe itself: {error}")]
    Refused { address: String, error: ServiceError },
    #[error("the node at {address} speaks another version: {why}")]
    OtherVersion { address: String, why: String },
}

impl ClusterDescription {
    /// As the nodes know it; 0 if none answers.
    pub fn shard_count(&self) -> u32 {
        self.described().map(|(_, node)| node.shard_count).max().unwrap_or(0)
    }

    /// How far the queues of each shard are behind, as its owner says. A shard that is just being acquired has not said
    /// it yet.
    pub fn lags(&self) -> BTreeMap<ShardId, ShardLag> {
        let owners = self.owners();
        let of_owner = |name: &str, shard: &ShardId| owners.get(shard).is_some_and(|(_, owner)| *owner == name);
        let lags = self.described().flat_map(|(member, node)| node.lags.iter().map(move |lag| (member, lag)));
        let lags = lags.filter(|(member, (shard, _))| of_owner(&member.name, shard));
        lags.map(|(_, (shard, lag))| (*shard, *lag)).collect()
    }

    fn described(&self) -> impl Iterator<Item = (&Member, &NodeDescription)> {
        self.nodes.iter().filter_map(|(member, description)| Some((member, description.as_ref().ok()?)))
    }

    /// By how many milliseconds a node's wall clock is ahead of that of the node that was asked first, as that one says, see
    /// [`NodeDescription::clocks_apart_ms`]. Nothing for that node itself, and while it does not know.
    pub fn clock_apart_ms(&self, name: &str) -> Option<i64> {
        let (_, asked) = self.described().find(|(member, _)| member.name == self.asked)?;
        asked.clocks_apart_ms.get(name).copied()
    }

    /// Who owns which shard: of several that believe so, the one with the highest range id.
    pub fn owners(&self) -> BTreeMap<ShardId, (RangeId, &str)> {
        let mut owners: BTreeMap<ShardId, (RangeId, &str)> = BTreeMap::new();
        for (member, node) in self.described() {
            for (shard, range) in &node.held {
                let owner = owners.entry(*shard).or_default();
                *owner = (*owner).max((*range, member.name.as_str()));
            }
        }
        owners
    }
}

/// Asks the node at `address`, where it listens for other nodes, and then everybody it sees.
///
/// # Errors
/// The first node does not answer, or there is none.
pub fn describe_cluster(
    network: Arc<dyn Network>,
    address: &str,
) -> BoxFuture<'_, Result<ClusterDescription, DescribeError>> {
    describe_all(network, address).boxed()
}

async fn describe_all(network: Arc<dyn Network>, address: &str) -> Result<ClusterDescription, DescribeError> {
    let peers = Peers::new(network, None);
    let first = peers.describe(address).await?;
    let mut nodes = Vec::new();
    for member in first.members.clone() {
        let description =
            if member.name == first.name { Ok(first.clone()) } else { peers.describe(&member.address).await };
        nodes.push((member, description));
    }
    Ok(ClusterDescription { asked: first.name, nodes })
}

/// A caller that has a [`super::membership::Membership`] adds what that knows of clocks.
pub(super) fn describe_node(
    name: &str,
    shard_count: u32,
    ring: &Ring,
    history: &HistoryHandle,
    matching: &Matching,
    without_store: Option<Duration>,
) -> NodeDescription {
    let counters = history.counters().snapshot().named();
    NodeDescription {
        name: name.to_owned(),
        version: crate::VERSION.to_owned(),
        shard_count,
        members: ring.members().to_vec(),
        held: history.held(),
        lags: history.lags(),
        backlog: matching.backlog(),
        without_store_ms: without_store.map(|silence| u64::try_from(silence.as_millis()).unwrap_or(u64::MAX)),
        clocks_apart_ms: BTreeMap::new(),
        counters: counters.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_owners_the_later_one_counts_and_of_clocks_the_one_that_was_asked() {
        let node = |name: &str, range, transfer_tasks| {
            let member = Member { name: name.into(), address: String::new(), roles: vec![] };
            let lag = ShardLag { transfer_tasks, ..ShardLag::default() };
            let description = NodeDescription {
                name: name.into(),
                version: String::new(),
                shard_count: 2,
                members: vec![],
                held: [(ShardId(1), RangeId(range))].into(),
                lags: [(ShardId(1), lag)].into(),
                backlog: MatchingBacklog::default(),
                without_store_ms: None,
                clocks_apart_ms: [("b".into(), range * 1000)].into(),
                counters: BTreeMap::new(),
            };
            (member, Ok(description))
        };
        let silence = DescribeError::NotReached { address: "c:7234".into(), why: "silence".into() };
        let silent = (node("c", 9, 9).0, Err(silence));
        let nodes = vec![node("a", 4, 40), node("b", 3, 30), silent];
        let cluster = ClusterDescription { asked: "a".into(), nodes };
        assert_eq!(cluster.owners(), [(ShardId(1), (RangeId(4), "a"))].into());
        assert_eq!(cluster.lags()[&ShardId(1)].transfer_tasks, 40);
        assert_eq!(cluster.shard_count(), 2);
        assert_eq!(["a", "b", "c"].map(|node| cluster.clock_apart_ms(node)), [None, Some(4000), None], "as a says");
    }

    #[test]
    fn a_node_of_a_version_that_tells_neither_lags_nor_clocks_is_described_without() {
        #[derive(Serialize)]
        struct Earlier {
            name: &'static str,
            version: &'static str,
            shard_count: u32,
            members: Vec<Member>,
            held: BTreeMap<ShardId, RangeId>,
            counters: BTreeMap<String, u64>,
        }
        let earlier = Earlier {
            name: "a",
            version: "0",
            shard_count: 2,
            members: vec![],
            held: [(ShardId(1), RangeId(4))].into(),
            counters: BTreeMap::new(),
        };
        let bytes = rmp_serde::to_vec_named(&earlier).expect("it is plain data");
        let read: NodeDescription = rmp_serde::from_slice(&bytes).expect("what is new may be missing");
        assert_eq!((read.held, read.lags), (earlier.held, BTreeMap::new()));
        assert_eq!(read.clocks_apart_ms, BTreeMap::new());
    }
}
