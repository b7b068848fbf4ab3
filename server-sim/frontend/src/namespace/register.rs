//! RegisterNamespace.
use super::Namespace;
use crate::{Frontend, validation};
use std::time::Duration;
use tempest_api::proto::{
    enums::v1::{ArchivalState, NamespaceState},
    namespace::v1::{BadBinaries, NamespaceConfig, NamespaceInfo, namespace_info},
    replication::v1::{ClusterReplicationConfig, NamespaceReplicationConfig},
    workflowservice::v1 as api,
};
use tempest_api::{ServiceError, ServiceResult};
use tempest_core::rules::durations;

const RETENTION_MIN: Duration = Duration::from_secs(3600);

/// The request that registers `name` with defaults.
pub fn named(name: &str) -> api::RegisterNamespaceRequest {
    api::RegisterNamespaceRequest { namespace: name.to_owned(), ..Default::default() }
}

/// # Errors
/// `InvalidArgument`, or `NamespaceAlreadyExists`.
pub async fn register(
    frontend: &Frontend,
    request: api::RegisterNamespaceRequest,
) -> ServiceResult<api::RegisterNamespaceResponse> {
    check_name(&request.namespace)?;
    if request.is_global_namespace {
        return Err(ServiceError::InvalidArgument(
            "Cannot register a global namespace: this cluster has one region. Leave is_global_namespace unset.".into(),
        ));
    }
    let retention_period = match request.workflow_execution_retention_period {
        None => proto(frontend.config.retention_default),
        Some(asked) => retention(asked)?,
    };
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
            ..Default::default()
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
        return Err(ServiceError::InvalidArgument("A valid retention period is not set on request.".into()));
    }
    if durations::value(Some(&asked)) < RETENTION_MIN {
        return Err(ServiceError::InvalidArgument("A minimal retention period of 1 hour is required.".into()));
    }
    Ok(asked)
}

/// Letters, digits, and what else Temporal's own check lets through in practice; never empty.
///
/// # Errors
/// `InvalidArgument` with the name and what is wrong with it.
pub fn check_name(name: &str) -> ServiceResult<()> {
    let well_formed = name.chars().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    validation::namespace_name(name)?;
    if !well_formed {
        return Err(ServiceError::InvalidArgument(format!(
            "Invalid namespace name {name:?}: begin with a letter or digit, and use letters, digits, '-', '_' and '.'."
        )));
    }
    Ok(())
}

fn proto(duration: Duration) -> prost_wkt_types::Duration {
    prost_wkt_types::Duration { seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX), nanos: 0 }
}
