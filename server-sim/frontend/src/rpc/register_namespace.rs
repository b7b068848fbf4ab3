//! RegisterNamespace.
use crate::Frontend;
use crate::namespace::{Namespace, offered};
use crate::validation::{self, invalid};
use std::time::Duration;
use tempest_api::ServiceResult;
use tempest_api::proto::{
    enums::v1::{ArchivalState, NamespaceState, ReplicationState},
    namespace::v1::{BadBinaries, NamespaceConfig, NamespaceInfo, namespace_info},
    replication::v1::{ClusterReplicationConfig, NamespaceReplicationConfig},
    workflowservice::v1 as api,
};
use tempest_core::rules::durations;

const RETENTION_MIN: Duration = Duration::from_secs(3600);

/// The request that registers `name` as this server does for itself.
pub fn named(name: &str, retention: Duration) -> api::RegisterNamespaceRequest {
    api::RegisterNamespaceRequest {
        namespace: name.to_owned(),
        workflow_execution_retention_period: Some(proto(retention)),
        ..Default::default()
    }
}

/// # Errors
/// `InvalidArgument`, or `NamespaceAlreadyExists`.
pub async fn register(
    frontend: &Frontend,
    request: api::RegisterNamespaceRequest,
) -> ServiceResult<api::RegisterNamespaceResponse> {
    check_name(&request.namespace)?;
    if request.is_global_namespace {
        return invalid("Cannot register global namespace when not enabled");
    }
    // Temporal has no default either: a request without a retention asks for none at all.
    let retention_period = retention(request.workflow_execution_retention_period.unwrap_or_default())?;
    offered::here(frontend, &request.active_cluster_name, &request.clusters)?;
    offered::history_archival(request.history_archival_state(), &request.history_archival_uri)?;
    offered::visibility_archival(request.visibility_archival_state(), &request.visibility_archival_uri)?;
    let id = Namespace::id_of(&request.namespace);
    let description = api::DescribeNamespaceResponse {
        namespace_info: Some(NamespaceInfo {
            name: request.namespace.clone(),
            state: NamespaceState::Registered as i32,
            description: request.description,
            owner_email: request.owner_email,
            data: request.data,
            id: id.0.clone(),
            ..Default::default()
        }),
        config: Some(NamespaceConfig {
            workflow_execution_retention_ttl: Some(retention_period),
            bad_binaries: Some(BadBinaries::default()),
            history_archival_state: ArchivalState::Disabled as i32,
            visibility_archival_state: ArchivalState::Disabled as i32,
            ..Default::default()
        }),
        replication_config: Some(NamespaceReplicationConfig {
            active_cluster_name: frontend.config.cluster_name.clone(),
            clusters: vec![ClusterReplicationConfig {
                cluster_name: frontend.config.cluster_name.clone(),
                ..Default::default()
            }],
            state: ReplicationState::Normal as i32,
        }),
        ..Default::default()
    };
    frontend.namespaces.put(Namespace { id, name: request.namespace, version: 1, description }).await?;
    Ok(api::RegisterNamespaceResponse {})
}

/// What namespaces of this server can do and how much; filled in when one is described, not stored.
pub fn advertised(
    frontend: &Frontend,
    mut description: api::DescribeNamespaceResponse,
) -> api::DescribeNamespaceResponse {
    if let Some(info) = &mut description.namespace_info {
        info.capabilities = Some(namespace_info::Capabilities::default());
        info.limits = Some(namespace_info::Limits {
            blob_size_limit_error: i64::try_from(frontend.config.blob_bytes_max).unwrap_or(i64::MAX),
            memo_size_limit_error: i64::try_from(frontend.config.memo_bytes_max).unwrap_or(i64::MAX),
            ..Default::default()
        });
    }
    description
}

/// How long a namespace keeps closed runs, within bounds.
pub fn retention(mut asked: prost_wkt_types::Duration) -> ServiceResult<prost_wkt_types::Duration> {
    if durations::validate_and_cap(Some(&mut asked)).is_err() {
        return invalid("A valid retention period is not set on request.");
    }
    if durations::value(Some(&asked)) < RETENTION_MIN {
        return invalid("A valid retention period is not set on request.");
    }
    Ok(asked)
}

/// As in Temporal any name will do that is not empty, and no longer than an id can be.
///
/// # Errors
/// `InvalidArgument` with what is wrong with it.
pub fn check_name(name: &str) -> ServiceResult<()> {
    validation::namespace_name(name)
}

fn proto(duration: Duration) -> prost_wkt_types::Duration {
    prost_wkt_types::Duration { seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX), nanos: 0 }
}
