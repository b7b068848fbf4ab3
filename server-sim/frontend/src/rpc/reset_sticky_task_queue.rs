//! ResetStickyTaskQueue: the worker has evicted the run from its cache.
use crate::{Frontend, namespace::Namespace, validation};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceResult, Target};
use tempest_core::Input;

/// # Errors
/// `InvalidArgument`, and history's: `NotFound` also if the run is closed.
pub async fn reset(
    frontend: &Frontend,
    namespace: &Namespace,
    request: api::ResetStickyTaskQueueRequest,
) -> ServiceResult<api::ResetStickyTaskQueueResponse> {
    let execution = validation::execution(request.execution.as_ref())?;
    let target = Target::named(&namespace.id, Some(execution));
    frontend.history.call(target, Input::ResetStickiness).await?;
    Ok(api::ResetStickyTaskQueueResponse {})
}
