//! SignalWorkflowExecution.
use crate::Frontend;
use crate::validation::{self, invalid};
use tempest_api::ServiceResult;
use tempest_api::proto::workflowservice::v1 as api;

/// # Errors
/// `InvalidArgument`, and history's: `NotFound` if the run is closed and did not have this signal already.
pub async fn signal(
    frontend: &Frontend,
    mut request: api::SignalWorkflowExecutionRequest,
) -> ServiceResult<api::SignalWorkflowExecutionResponse> {
    let namespace = frontend.namespace(&request.namespace).await?;
    validation::execution(request.workflow_execution.as_ref())?;
    if request.signal_name.is_empty() {
        return invalid("SignalName is not set on request.");
    }
    validation::within_limit(&request.signal_name, "SignalName")?;
    validation::within_limit(&request.request_id, "RequestId")?;
    validation::within_limit(&request.identity, "Identity")?;
    validation::payloads(frontend, request.input.as_ref())?;
    if request.request_id.is_empty() {
        // Our own retries towards history must not deliver it twice.
        request.request_id = tempest_rt::entropy::uuid();
    }
    frontend.history.signal_workflow(&namespace.id, request).await?;
    Ok(api::SignalWorkflowExecutionResponse::default())
}
