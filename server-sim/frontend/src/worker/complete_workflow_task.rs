//! RespondWorkflowTaskCompleted.
use super::task_token;
use crate::{Frontend, validation};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceResult, decode_workflow_token};

/// # Errors
/// `InvalidArgument` for a token that is none of ours, and history's.
pub async fn complete(
    frontend: &Frontend,
    request: api::RespondWorkflowTaskCompletedRequest,
) -> ServiceResult<api::RespondWorkflowTaskCompletedResponse> {
    let token = task_token(&request.task_token, decode_workflow_token)?;
    frontend.namespace_of_token(&request.namespace, &token.namespace_id).await?;
    validation::within_limit(&request.identity, "Identity")?;
    frontend.history.complete_workflow_task(token, request).await
}
