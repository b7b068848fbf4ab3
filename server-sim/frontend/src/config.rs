//! The bounds of the frontend role.
use std::time::Duration;

/// Every limit of the frontend. Each field says its unit and what breaks when it is wrong.
#[derive(Clone, Debug)]
pub struct FrontendConfig {
    /// Name of the cluster, as GetClusterInfo reports it.
    pub cluster_name: String,
    /// As GetClusterInfo reports it; the store's.
    pub cluster_id: String,
    /// As GetClusterInfo reports it.
    pub shard_count: u32,
    /// Which database there is, as GetClusterInfo reports it.
    pub persistence_store: String,
    /// The Temporal version whose behaviour clients may expect; SDKs compare it.
    pub server_version: String,
    /// One payload or failure, in bytes; Temporal's is 2 MiB. Larger ones are refused.
    pub blob_bytes_max: usize,
    /// What is kept of a failure that is larger than that, in bytes; Temporal's is 512 KiB.
    pub failure_head_bytes_max: usize,
    /// Memo or search attributes of one request, in bytes.
    pub memo_bytes_max: usize,
    /// Events on one history page where the request asks for none or more.
    pub history_page_events_max: usize,
    /// A history long poll answers after at most this long, 20 s in Temporal.
    pub history_long_poll: Duration,
    /// A task poll answers after at most this long, 60 s in Temporal.
    pub task_long_poll: Duration,
    /// Long polls answer this much before the caller's deadline, or the answer would be lost.
    pub long_poll_margin: Duration,
    /// Namespaces of the cluster; more are refused.
    pub namespaces_max: usize,
    /// Retention of the namespaces that this node itself registers, 1 h and up; a client says which it wants.
    pub retention_default: Duration,
}

impl Default for FrontendConfig {
    fn default() -> Self {
        Self {
            cluster_name: "active".into(),
            cluster_id: String::new(),
            shard_count: 1,
            persistence_store: "redb".into(),
            server_version: "1.29.0".into(),
            blob_bytes_max: 2 * 1024 * 1024,
            failure_head_bytes_max: 512 * 1024,
            memo_bytes_max: 2 * 1024 * 1024,
            history_page_events_max: 256,
            history_long_poll: Duration::from_secs(20),
            task_long_poll: Duration::from_secs(60),
            long_poll_margin: Duration::from_secs(1),
            namespaces_max: 10_000,
            retention_default: Duration::from_secs(24 * 3600),
        }
    }
}
