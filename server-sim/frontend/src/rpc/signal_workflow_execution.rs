//! SignalWorkflowExecution.
use crate::links;
use crate::validation::{self, invalid};
use crate::{Frontend, namespace::Namespace};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{Reply, ServiceError, ServiceResult, Target};
use tempest_core::{Input, RunId};

/// # Errors
/// `InvalidArgument`, and history's: `NotFound` if the run is closed and did not have this signal already.
pub async fn signal(
    frontend: &Frontend,
    namespace: &Namespace,
    mut request: api::SignalWorkflowExecutionRequest,
) -> ServiceResult<api::SignalWorkflowExecutionResponse> {
    validation::execution(request.workflow_execution.as_ref())?;
    if request.signal_name.is_empty() {
        return invalid("SignalName is not set on request.");
    }
    validation::within_limit(&request.signal_name, "SignalName")?;
    validation::within_limit(&request.request_id, "RequestId")?;
    validation::within_limit(&request.identity, "Identity")?;
    links::validate(&request.links)?;
    if request.request_id.is_empty() {
        // Our own retries towards history must not deliver it twice.
        request.request_id = tempest_rt::entropy::uuid();
    }
    let (execution, request_id) = (request.workflow_execution.clone().unwrap_or_default(), request.request_id.clone());
    let again = tempest_rt::planted!(crate::plants::UNKNOWN_SIGNAL_TRIED_ANEW).then(|| request.clone());
    let target = Target::named(&namespace.id, request.workflow_execution.as_ref());
    let mut delivered = deliver(frontend, target, request).await;
    if let (Err(ServiceError::OutcomeUnknown(_)), Some(again)) = (&delivered, again) {
        let again = api::SignalWorkflowExecutionRequest { request_id: tempest_rt::entropy::uuid(), ..again };
        let target = Target::named(&namespace.id, again.workflow_execution.as_ref());
        delivered = deliver(frontend, target, again).await;
    }
    let run_id = match delivered {
        Err(ServiceError::OutcomeUnknown(_))
            if tempest_rt::planted!(crate::plants::UNKNOWN_SIGNAL_ANSWERED_AS_DELIVERED) =>
        {
            RunId::from(execution.run_id)
        }
        delivered => delivered?,
    };
    let link = links::to_signal(&namespace.name, execution.workflow_id, run_id.0, request_id);
    Ok(api::SignalWorkflowExecutionResponse { link: Some(link) })
}

/// Returns the run that has the signal.
async fn deliver(
    frontend: &Frontend,
    target: Target,
    request: api::SignalWorkflowExecutionRequest,
) -> ServiceResult<RunId> {
    match frontend.history.call(target, Input::Signal(Box::new(request))).await? {
        Reply::Signaled(run_id) => Ok(run_id),
        reply => reply.unexpected(),
    }
}
