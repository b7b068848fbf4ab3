//! What the cluster says of itself. Only what works is advertised.
use crate::Frontend;
use tempest_api::proto::{version::v1::VersionInfo, workflowservice::v1 as api};

/// GetSystemInfo: what SDKs may rely on.
pub fn system_info(frontend: &Frontend) -> api::GetSystemInfoResponse {
    api::GetSystemInfoResponse {
        server_version: frontend.config.server_version.clone(),
        capabilities: Some(api::get_system_info_response::Capabilities {
            signal_and_query_header: true,
            internal_error_differentiation: true,
            activity_failure_include_heartbeat: true,
            encoded_failure_attributes: true,
            upsert_memo: true,
            sdk_metadata: true,
            ..Default::default()
        }),
    }
}

/// GetClusterInfo: what tools show.
pub fn cluster_info(frontend: &Frontend) -> api::GetClusterInfoResponse {
    let versions = [
        ("temporal-go", "<2.0.0"),
        ("temporal-java", "<2.0.0"),
        ("temporal-php", "<3.0.0"),
        ("temporal-server", "<2.0.0"),
        ("temporal-typescript", "<2.0.0"),
        ("temporal-cli", "<2.0.0"),
        ("temporal-ui", "<3.0.0"),
    ];
    api::GetClusterInfoResponse {
        supported_clients: versions.into_iter().map(|(client, range)| (client.to_owned(), range.to_owned())).collect(),
        server_version: frontend.config.server_version.clone(),
        cluster_id: frontend.config.cluster_id.clone(),
        version_info: Some(VersionInfo::default()),
        cluster_name: frontend.config.cluster_name.clone(),
        history_shard_count: i32::try_from(frontend.config.shard_count).unwrap_or(i32::MAX),
        persistence_store: frontend.config.persistence_store.clone(),
        visibility_store: "none".into(),
        initial_failover_version: 1,
        failover_version_increment: 10,
    }
}
