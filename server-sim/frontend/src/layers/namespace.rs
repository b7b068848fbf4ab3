//! Finds the namespace that a request names, in a state in which it takes the request.
use crate::{Frontend, namespace::Namespace};
use std::sync::Arc;
use tempest_api::ServiceResult;
use tempest_api::proto::enums::v1::NamespaceState;

/// # Errors
/// `InvalidArgument` if the request names none, `NamespaceNotFound` if there is no such namespace, `NamespaceInvalidState`
/// if it was deleted.
pub async fn open(frontend: &Frontend, name: &str) -> ServiceResult<Arc<Namespace>> {
    frontend.namespace_in(name, &[NamespaceState::Registered, NamespaceState::Deprecated]).await
}

/// The same for requests that open runs: a deprecated namespace takes none.
pub async fn to_start_in(frontend: &Frontend, name: &str) -> ServiceResult<Arc<Namespace>> {
    frontend.namespace_in(name, &[NamespaceState::Registered]).await
}
