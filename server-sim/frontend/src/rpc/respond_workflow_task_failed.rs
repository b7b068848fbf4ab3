//! RespondWorkflowTaskFailed.
use crate::Frontend;
use crate::worker::OneWorkflowTask;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceResult, Target};
use tempest_core::Input;

/// # Errors
/// History's.
pub async fn fail(
    frontend: &Frontend,
    OneWorkflowTask { token, .. }: OneWorkflowTask,
    request: api::RespondWorkflowTaskFailedRequest,
) -> ServiceResult<api::RespondWorkflowTaskFailedResponse> {
    let target = Target::new(token.namespace_id.clone(), token.workflow_id.clone(), token.run_id.clone());
    frontend.history.call(target, Input::FailWorkflowTask(token, Box::new(request))).await?;
    Ok(api::RespondWorkflowTaskFailedResponse {})
}
