//! DescribeNamespace, by name or by id.
use super::register::advertised;
use crate::Frontend;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceError, ServiceResult};

/// # Errors
/// `NamespaceNotFound`, or `InvalidArgument` if the request names nothing.
pub async fn describe(
    frontend: &Frontend,
    request: api::DescribeNamespaceRequest,
) -> ServiceResult<api::DescribeNamespaceResponse> {
    let namespace = match (request.namespace.as_str(), request.id.as_str()) {
        ("", "") => return Err(ServiceError::InvalidArgument("Namespace not set on request.".into())),
        ("", id) => frontend.namespaces.by_id(id).await?,
        (name, _) => frontend.namespaces.by_name(name).await?,
    };
    Ok(advertised(frontend, namespace.description.clone()))
}
