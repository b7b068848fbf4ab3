//! ResetStickyTaskQueue: the worker has evicted the run from its cache.
use crate::{Frontend, validation};
use tempest_api::ServiceResult;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::RunKey;

/// # Errors
/// `InvalidArgument`, and history's: `NotFound` also if the run is closed.
pub async fn reset(
    frontend: &Frontend,
    request: api::ResetStickyTaskQueueRequest,
) -> ServiceResult<api::ResetStickyTaskQueueResponse> {
    let namespace = frontend.namespace(&request.namespace).await?;
    let execution = validation::execution(request.execution.as_ref())?;
    let run = RunKey {
        namespace_id: namespace.id.clone(),
        workflow_id: execution.workflow_id.as_str().into(),
        run_id: execution.run_id.as_str().into(),
    };
    frontend.history.reset_sticky_task_queue(&run).await?;
    Ok(api::ResetStickyTaskQueueResponse {})
}
