//! What a node needs to know.
use crate::cluster::ClusterConfig;
use tempest_frontend::FrontendConfig;
use tempest_history::HistoryConfig;
use tempest_matching::MatchingConfig;
use tempest_rt::time::Duration;

/// One node: alone with all roles, or one of a cluster.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Where the frontend listens, `host:port`; port 0 lets the system choose.
    pub address: String,
    /// Registered at boot if they do not exist yet.
    pub namespaces: Vec<String>,
    /// A store remembers the shard count that it was created with; another one is refused.
    pub shard_count: u32,
    /// Name of the cluster, as clients see it.
    pub cluster_name: String,
    /// How long a node that is asked to stop goes on serving while its health checks fail, 0 and up; Temporal's is 0. Long
    /// enough, load balancers have sent callers elsewhere before it takes no more calls.
    pub fail_health_checks_for: Duration,
    pub history: HistoryConfig,
    pub matching: MatchingConfig,
    pub frontend: FrontendConfig,
    /// `None`: this node is alone and owns everything.
    pub cluster: Option<ClusterConfig>,
}

impl NodeConfig {
    /// A node on `address` with the default namespace and default bounds.
    pub fn new(address: impl Into<String>, shard_count: u32) -> Self {
        Self {
            address: address.into(),
            namespaces: vec!["default".into()],
            shard_count,
            cluster_name: "active".into(),
            fail_health_checks_for: Duration::ZERO,
            history: HistoryConfig { shard_count, ..HistoryConfig::default() },
            matching: MatchingConfig::default(),
            frontend: FrontendConfig::default(),
            cluster: None,
        }
    }
}
