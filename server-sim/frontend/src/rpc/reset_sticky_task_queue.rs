//! ResetStickyTaskQueue: the worker has evicted the run from its cache.
use crate::{Frontend, validation};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceResult, Target};
use tempest_core::Input;

/// # Errors
/// `InvalidArgument`, and history's: `NotFound` also if the run is closed.
pub async fn reset(
    frontend: &Frontend,
    request: api::ResetStickyTaskQueueRequest,
) -> ServiceResult<api::ResetStickyTaskQueueResponse> {
    let namespace = frontend.namespace(&request.namespace).await?;
    let execution = validation::execution(request.execution.as_ref())?;
    let target = Target::named(&namespace.id, Some(&execution));
    frontend.history.call(target, Input::ResetStickiness).await?;
    Ok(api::ResetStickyTaskQueueResponse {})
}
