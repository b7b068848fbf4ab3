//! RequestCancelWorkflowExecution.
use crate::{Frontend, validation};
use tempest_api::ServiceResult;
use tempest_api::proto::workflowservice::v1 as api;

/// # Errors
/// `InvalidArgument`, and history's.
pub async fn request_cancel(
    frontend: &Frontend,
    mut request: api::RequestCancelWorkflowExecutionRequest,
) -> ServiceResult<api::RequestCancelWorkflowExecutionResponse> {
    let namespace = frontend.namespace(&request.namespace).await?;
    validation::execution(request.workflow_execution.as_ref())?;
    validation::within_limit(&request.request_id, "RequestId")?;
    if request.request_id.is_empty() {
        request.request_id = tempest_rt::entropy::uuid();
    }
    frontend.history.request_cancel_workflow(&namespace.id, request).await?;
    Ok(api::RequestCancelWorkflowExecutionResponse {})
}
