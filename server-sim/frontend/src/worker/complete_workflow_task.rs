//! RespondWorkflowTaskCompleted.
use super::task_token;
use crate::{Frontend, validation};
use tempest_api::proto::command::v1::{Command, command::Attributes};
use tempest_api::proto::failure::v1::Failure;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceResult, decode_workflow_token};
use tempest_core::rules::failure;

/// # Errors
/// `InvalidArgument` for a token that is none of ours, and history's.
pub async fn complete(
    frontend: &Frontend,
    mut request: api::RespondWorkflowTaskCompletedRequest,
) -> ServiceResult<api::RespondWorkflowTaskCompletedResponse> {
    let token = task_token(&request.task_token, decode_workflow_token)?;
    frontend.namespace_of_token(&request.namespace, &token.namespace_id).await?;
    validation::within_limit(&request.identity, "Identity")?;
    request.commands.iter_mut().filter_map(failure_of).for_each(failure::cut_causes);
    frontend.history.complete_workflow_task(token, request).await
}

/// The failure that a command writes into history.
fn failure_of(command: &mut Command) -> Option<&mut Failure> {
    match command.attributes.as_mut()? {
        Attributes::FailWorkflowExecutionCommandAttributes(fail) => fail.failure.as_mut(),
        Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(next) => next.failure.as_mut(),
        Attributes::RecordMarkerCommandAttributes(marker) => marker.failure.as_mut(),
        _ => None,
    }
}
