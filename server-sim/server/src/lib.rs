//! Wiring: from a configuration to a node that serves.
//!
//! [`Node`] puts the roles together over a `Store` and a `Network`, both given as values, so that the very same node
//! runs on a real file and real TCP and on a simulated disk and network. It decides nothing about workflows.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cluster;
mod config;
mod lag_log;
mod node;
mod restore;

pub use cluster::{
    ClusterConfig, ClusterDescription, DescribeError, Member, NodeDescription, Ring, describe_cluster, nodes_alive,
};
pub use config::NodeConfig;
pub use node::{Node, NodeError};
pub use tempest_frontend::served_rpcs;
pub use tempest_history::ShardLag;
pub use tempest_matching::MatchingBacklog;

/// Version that the server reports of itself.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Every planted bug of the server crates: name, what it does, the invariant that notices.
#[cfg(feature = "chaos")]
pub fn planted_bugs() -> Vec<(&'static str, &'static str, &'static str)> {
    let own = [
        (
            "peers-of-another-timeline-are-heeded",
            "a node believes what another says that has not heard yet that the database failed over",
            "liveness",
        ),
        (
            "cluster-id-of-before-is-kept",
            "a node never reads again which cluster it is of, though a failover may have lost that",
            "liveness",
        ),
        (
            "membership-by-wall-clocks",
            "whether a node is alive is judged by its wall clock's time of its last beat, compared with one's own",
            "liveness",
        ),
        (
            "unknown-call-tried-anew",
            "a call between nodes that may have been performed is made again, and only its second answer counts",
            "refused-left-nothing",
        ),
    ];
    [
        tempest_store::PLANTED,
        tempest_history::PLANTED,
        tempest_matching::PLANTED,
        tempest_frontend::PLANTED,
        tempest_core::planted::PLANTED,
        &own,
    ]
    .concat()
}
