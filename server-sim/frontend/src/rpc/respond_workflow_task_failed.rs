//! RespondWorkflowTaskFailed.
use crate::worker::{bounded, task_token};
use crate::{Frontend, validation};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceResult, Target, decode_workflow_token};
use tempest_core::Input;

/// # Errors
/// `InvalidArgument` for a token that is none of ours, and history's.
pub async fn fail(
    frontend: &Frontend,
    mut request: api::RespondWorkflowTaskFailedRequest,
) -> ServiceResult<api::RespondWorkflowTaskFailedResponse> {
    let token = task_token(&request.task_token, decode_workflow_token)?;
    frontend.namespace_of_token(&request.namespace, &token.namespace_id).await?;
    validation::within_limit(&request.identity, "Identity")?;
    request.failure = request.failure.map(|failure| bounded(frontend, failure).0);
    let target = Target::new(token.namespace_id.clone(), token.workflow_id.clone(), token.run_id.clone());
    frontend.history.call(target, Input::FailWorkflowTask(token, Box::new(request))).await?;
    Ok(api::RespondWorkflowTaskFailedResponse {})
}
