//! DescribeNamespace, by name or by id.
use super::register_namespace::advertised;
use crate::{Frontend, validation};
use tempest_api::ServiceResult;
use tempest_api::proto::workflowservice::v1 as api;

/// # Errors
/// `NamespaceNotFound`, or `InvalidArgument` if the request names nothing.
pub async fn describe(
    frontend: &Frontend,
    request: api::DescribeNamespaceRequest,
) -> ServiceResult<api::DescribeNamespaceResponse> {
    let namespace = match (request.namespace.as_str(), request.id.as_str()) {
        ("", id) if !id.is_empty() => {
            validation::within_limit(id, "Namespace")?;
            frontend.namespace_by_id(id).await?
        }
        (name, _) => {
            validation::namespace_name(name)?;
            frontend.namespace_by_name(name).await?
        }
    };
    Ok(advertised(frontend, namespace.description.clone()))
}
