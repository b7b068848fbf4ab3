//! What a node needs to know.
use crate::NodeError;
use crate::cluster::ClusterConfig;
use tempest_frontend::FrontendConfig;
use tempest_history::HistoryConfig;
use tempest_matching::MatchingConfig;
use tempest_rt::net::check_address;
use tempest_rt::time::Duration;
use tempest_store::Role;

/// One node: alone with all roles, or one of a cluster.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Where the frontend listens, `host:port`; port 0 lets the system choose. Without that role it is not looked at.
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

    /// Whether clients may call this node.
    pub fn serves_clients(&self) -> bool {
        self.cluster.as_ref().is_none_or(|cluster| cluster.roles.contains(&Role::Frontend))
    }

    /// Whether a node can be made of this, as far as that can be told before anything is opened or made.
    ///
    /// # Errors
    /// What is wrong with the first field that has something wrong.
    pub fn validate(&self) -> Result<(), NodeError> {
        if self.serves_clients() {
            check_address(&self.address).map_err(|error| NodeError::Config(format!("address is {error}")))?;
        }
        for namespace in &self.namespaces {
            tempest_frontend::check_namespace_name(namespace)
                .map_err(|error| NodeError::Namespace { namespace: namespace.clone(), error })?;
        }
        if let Some(cluster) = &self.cluster {
            cluster.validate().map_err(|error| NodeError::Config(format!("[cluster]: {error}")))?;
            if self.serves_clients() && cluster.address == self.address && !self.address.ends_with(":0") {
                let what =
                    format!("address and [cluster] address are both {:?}: give each a port of its own", self.address);
                return Err(NodeError::Config(what));
            }
        }
        let history = HistoryConfig { shard_count: self.shard_count, ..self.history.clone() };
        history.validate().map_err(|error| NodeError::Config(error.to_string()))?;
        self.matching.validate().map_err(|error| NodeError::Config(error.to_string()))
    }
}
