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
#[cfg(feature = "chaos")]
mod plants;
mod restore;

pub use cluster::{
    ClusterConfig, ClusterDescription, DescribeError, Member, NodeDescription, Ring, describe_cluster, nodes_alive,
};
pub use config::NodeConfig;
pub use node::{Node, NodeError};
#[cfg(feature = "chaos")]
pub use plants::planted_bugs;
pub use tempest_frontend::served_rpcs;
pub use tempest_history::ShardLag;
pub use tempest_matching::MatchingBacklog;

/// Version that the server reports of itself.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
