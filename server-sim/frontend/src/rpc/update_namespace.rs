//! UpdateNamespace: description, owner, data, retention.
use super::register_namespace::{advertised, retention};
use crate::Frontend;
use crate::namespace::{Namespace, offered};
use crate::validation::invalid;
use tempest_api::proto::enums::v1::{NamespaceState, ReplicationState};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceError, ServiceResult};

/// # Errors
/// `NamespaceNotFound`; `InvalidArgument` for what cannot be changed; `Unavailable` if another caller changed it first.
pub async fn update(
    frontend: &Frontend,
    _: &Namespace,
    request: api::UpdateNamespaceRequest,
) -> ServiceResult<api::UpdateNamespaceResponse> {
    check(frontend, &request)?;
    // The cache may be old, and the write compares versions: decide on what is in the store now.
    let all = frontend.namespaces.all().await?;
    let stored = all
        .into_iter()
        .find(|namespace| namespace.name == request.namespace)
        .ok_or_else(|| ServiceError::NamespaceNotFound(request.namespace.clone()))?;
    let mut namespace = Namespace::clone(&stored);
    change(&mut namespace, request)?;
    namespace.version += 1;
    match frontend.namespaces.put(namespace.clone()).await {
        Err(ServiceError::Unavailable(_)) if tempest_rt::planted!(crate::plants::NAMESPACE_CONFLICT_TAKEN_FOR_DONE) => {
        }
        written => written?,
    }
    let description = advertised(frontend, namespace.description);
    Ok(api::UpdateNamespaceResponse {
        namespace_info: description.namespace_info,
        config: description.config,
        replication_config: description.replication_config,
        failover_version: description.failover_version,
        is_global_namespace: description.is_global_namespace,
    })
}

/// What is asked for is there to be had.
fn check(frontend: &Frontend, request: &api::UpdateNamespaceRequest) -> ServiceResult<()> {
    if request.promote_namespace {
        return invalid(format!(
            "global namespace is not enabled on this cluster, cannot update global namespace or promote local \
             namespace: {}",
            request.namespace
        ));
    }
    request.config.as_ref().map_or(Ok(()), offered::config)?;
    if !request.delete_bad_binary.is_empty() {
        return invalid(format!("Bad binary checksum {} doesn't exists.", request.delete_bad_binary));
    }
    let Some(replication) = &request.replication_config else { return Ok(()) };
    if replication.state() == ReplicationState::Handover {
        return invalid("Handover can only be set for global namespace");
    }
    offered::here(frontend, &replication.active_cluster_name, &replication.clusters)
}

fn change(namespace: &mut Namespace, request: api::UpdateNamespaceRequest) -> ServiceResult<()> {
    let info = namespace.description.namespace_info.get_or_insert_default();
    if let Some(update) = request.update_info {
        if !update.description.is_empty() {
            info.description = update.description;
        }
        if !update.owner_email.is_empty() {
            info.owner_email = update.owner_email;
        }
        info.data.extend(update.data);
        if update.state != NamespaceState::Unspecified as i32 && update.state != info.state {
            match (info.state(), NamespaceState::try_from(update.state)) {
                (NamespaceState::Registered, Ok(NamespaceState::Deprecated)) => info.state = update.state,
                // Temporal marks it, and never deletes anything of it.
                (_, Ok(NamespaceState::Deleted)) => {
                    return invalid("A namespace cannot be deleted by an update of its state.");
                }
                _ => return invalid("Invalid namespace state update."),
            }
        }
    }
    if let Some(asked) = request.config.and_then(|config| config.workflow_execution_retention_ttl) {
        namespace.description.config.get_or_insert_default().workflow_execution_retention_ttl = Some(retention(asked)?);
    }
    Ok(())
}
