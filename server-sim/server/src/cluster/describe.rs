//! What an operator sees of a cluster: each node is asked what it sees and holds.
use super::peers::Peers;
use super::ring::{Member, Ring};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use tempest_api::ServiceError;
use tempest_history::HistoryHandle;
use tempest_rt::net::Network;
use tempest_store::{RangeId, ShardId};

/// One node, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeDescription {
    pub name: String,
    pub version: String,
    pub shard_count: u32,
    /// Who is there, as this node sees it.
    pub members: Vec<Member>,
    /// The shards that it believes to own, with its range ids. Of two nodes that believe so, the higher one does.
    pub held: BTreeMap<ShardId, RangeId>,
    /// Counts since it started, by name; `data_loss` should be 0.
    pub counters: BTreeMap<String, u64>,
}

/// A whole cluster: every node that the first one names, with its description or why there is none.
#[derive(Clone, Debug)]
pub struct ClusterDescription {
    pub nodes: Vec<(Member, Result<NodeDescription, ServiceError>)>,
}

impl ClusterDescription {
    /// Who owns which shard: of several that believe so, the one with the highest range id.
    pub fn owners(&self) -> BTreeMap<ShardId, (RangeId, &str)> {
        let mut owners: BTreeMap<ShardId, (RangeId, &str)> = BTreeMap::new();
        for (member, description) in &self.nodes {
            let held = description.as_ref().map(|description| &description.held).into_iter().flatten();
            for (shard, range) in held {
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
/// The first node does not answer.
pub async fn describe_cluster(network: Arc<dyn Network>, address: &str) -> Result<ClusterDescription, ServiceError> {
    let peers = Peers::new(network);
    let first = peers.describe(address).await?;
    let mut nodes = Vec::new();
    for member in first.members.clone() {
        let description =
            if member.name == first.name { Ok(first.clone()) } else { peers.describe(&member.address).await };
        nodes.push((member, description));
    }
    Ok(ClusterDescription { nodes })
}

pub(super) fn describe_node(name: &str, shard_count: u32, ring: &Ring, history: &HistoryHandle) -> NodeDescription {
    let counters = history.counters().snapshot().named();
    NodeDescription {
        name: name.to_owned(),
        version: crate::VERSION.to_owned(),
        shard_count,
        members: ring.members().to_vec(),
        held: history.held(),
        counters: counters.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_owners_the_later_one_counts() {
        let node = |name: &str, range| {
            let member = Member { name: name.into(), address: String::new(), roles: vec![] };
            let description = NodeDescription {
                name: name.into(),
                version: String::new(),
                shard_count: 1,
                members: vec![],
                held: [(ShardId(1), RangeId(range))].into(),
                counters: BTreeMap::new(),
            };
            (member, Ok(description))
        };
        let silent = (node("c", 9).0, Err(ServiceError::Unavailable("silence".into())));
        let cluster = ClusterDescription { nodes: vec![node("a", 4), node("b", 3), silent] };
        assert_eq!(cluster.owners(), [(ShardId(1), (RangeId(4), "a"))].into());
    }
}
