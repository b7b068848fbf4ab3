//! GetClusterInfo: what tools show.
use crate::Frontend;
use tempest_api::ServiceResult;
use tempest_api::proto::{version::v1::VersionInfo, workflowservice::v1 as api};

/// # Errors
/// None.
pub async fn cluster_info(
    frontend: &Frontend,
    _: api::GetClusterInfoRequest,
) -> ServiceResult<api::GetClusterInfoResponse> {
    let versions = [
        ("temporal-go", "<2.0.0"),
        ("temporal-java", "<2.0.0"),
        ("temporal-php", "<3.0.0"),
        ("temporal-server", "<2.0.0"),
        ("temporal-typescript", "<2.0.0"),
        ("temporal-cli", "<2.0.0"),
        ("temporal-ui", "<3.0.0"),
    ];
    Ok(api::GetClusterInfoResponse {
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
    })
}
