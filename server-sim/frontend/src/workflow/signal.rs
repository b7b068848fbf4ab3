//! SignalWorkflowExecution.
use crate::Frontend;
use crate::validation::{self, invalid};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceError, ServiceResult};

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
    let again = tempest_rt::planted!("unknown-signal-tried-anew").then(|| request.clone());
    let mut delivered = frontend.history.signal_workflow(&namespace.id, request).await;
    if let (Err(ServiceError::OutcomeUnknown(_)), Some(again)) = (&delivered, again) {
        let again = api::SignalWorkflowExecutionRequest { request_id: tempest_rt::entropy::uuid(), ..again };
        delivered = frontend.history.signal_workflow(&namespace.id, again).await;
    }
    match delivered {
        Err(ServiceError::OutcomeUnknown(_)) if tempest_rt::planted!("unknown-signal-answered-as-delivered") => {}
        delivered => delivered?,
    }
    Ok(api::SignalWorkflowExecutionResponse::default())
}
