//! UpdateNamespace: description, owner, data, retention.
use super::Namespace;
use super::register::{advertised, retention};
use crate::Frontend;
use tempest_api::proto::{enums::v1::NamespaceState, workflowservice::v1 as api};
use tempest_api::{ServiceError, ServiceResult};

/// # Errors
/// `NamespaceNotFound`; `InvalidArgument` for what cannot be changed; `Unavailable` if somebody else changed it first.
pub async fn update(
    frontend: &Frontend,
    request: api::UpdateNamespaceRequest,
) -> ServiceResult<api::UpdateNamespaceResponse> {
    if request.promote_namespace || request.replication_config.as_ref().is_some_and(|r| !r.clusters.is_empty()) {
        return Err(ServiceError::InvalidArgument(
            "Replication cannot be changed: this cluster has one region.".into(),
        ));
    }
    frontend.namespace(&request.namespace).await?;
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
        Err(ServiceError::Unavailable(_)) if tempest_rt::planted!("namespace-conflict-taken-for-done") => {}
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
        match NamespaceState::try_from(update.state) {
            Ok(NamespaceState::Unspecified) => {}
            Ok(state @ (NamespaceState::Registered | NamespaceState::Deprecated)) => info.state = state as i32,
            _ => {
                return Err(ServiceError::InvalidArgument(format!(
                    "State {} cannot be set: use DeleteNamespace to delete a namespace.",
                    update.state
                )));
            }
        }
    }
    if let Some(asked) = request.config.and_then(|config| config.workflow_execution_retention_ttl) {
        namespace.description.config.get_or_insert_default().workflow_execution_retention_ttl = Some(retention(asked)?);
    }
    Ok(())
}
