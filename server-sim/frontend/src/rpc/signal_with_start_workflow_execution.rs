//! SignalWithStartWorkflowExecution.
use crate::links;
use crate::{Frontend, namespace::Namespace, validation};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceResult, Target};
use tempest_core::rules::start_request::prepare_signal_with_start;
use tempest_core::{Input, Started};

/// # Errors
/// `InvalidArgument` with Temporal's words, the namespace's, and history's.
pub async fn signal_with_start(
    frontend: &Frontend,
    namespace: &Namespace,
    mut request: api::SignalWithStartWorkflowExecutionRequest,
) -> ServiceResult<api::SignalWithStartWorkflowExecutionResponse> {
    prepare_signal_with_start(&mut request, tempest_rt::entropy::uuid, &frontend.limits)?;
    validation::within_limit(&request.identity, "Identity")?;
    links::validate(&request.links)?;
    validation::offered(false, request.versioning_override.is_some(), request.time_skipping_config.is_some())?;
    let (workflow_id, request_id) = (request.workflow_id.clone(), request.request_id.clone());
    let target = Target::current(&namespace.id, &workflow_id);
    let answer = frontend.history.call(target, Input::SignalWithStart(Box::new(request))).await?;
    let Started { run_id, first_execution_run_id, started, .. } = answer.started()?;
    let link = links::to_signal(&namespace.name, workflow_id, run_id.0.clone(), request_id);
    Ok(api::SignalWithStartWorkflowExecutionResponse {
        run_id: run_id.0,
        first_execution_run_id: first_execution_run_id.0,
        started,
        signal_link: Some(link),
    })
}
