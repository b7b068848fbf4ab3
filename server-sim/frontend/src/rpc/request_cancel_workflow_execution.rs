//! RequestCancelWorkflowExecution.
use crate::{Frontend, links, namespace::Namespace, validation};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceResult, Target};
use tempest_core::Input;

/// # Errors
/// `InvalidArgument`, and history's.
pub async fn request_cancel(
    frontend: &Frontend,
    namespace: &Namespace,
    mut request: api::RequestCancelWorkflowExecutionRequest,
) -> ServiceResult<api::RequestCancelWorkflowExecutionResponse> {
    validation::execution(request.workflow_execution.as_ref())?;
    validation::within_limit(&request.request_id, "RequestId")?;
    links::validate(&request.links)?;
    if request.request_id.is_empty() {
        request.request_id = tempest_rt::entropy::uuid();
    }
    let (execution, chain) = (request.workflow_execution.as_ref(), &request.first_execution_run_id);
    let target = Target::of_chain(&namespace.id, execution, chain);
    frontend.history.call(target, Input::RequestCancel(Box::new(request))).await?;
    Ok(api::RequestCancelWorkflowExecutionResponse {})
}
