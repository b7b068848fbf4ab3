//! TerminateWorkflowExecution.
use crate::{Frontend, links, namespace::Namespace, validation};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceResult, Target};
use tempest_core::Input;

/// So that a person's termination can be told from the server's own.
const REASON_DEFAULT: &str = "terminated by user via frontend";
const IDENTITY_DEFAULT: &str = "frontend-service";

/// # Errors
/// `InvalidArgument`, and history's: `NotFound` if the run is closed.
pub async fn terminate(
    frontend: &Frontend,
    namespace: &Namespace,
    mut request: api::TerminateWorkflowExecutionRequest,
) -> ServiceResult<api::TerminateWorkflowExecutionResponse> {
    validation::execution(request.workflow_execution.as_ref())?;
    links::validate(&request.links)?;
    if request.reason.is_empty() {
        request.reason = REASON_DEFAULT.to_owned();
    }
    if request.identity.is_empty() {
        request.identity = IDENTITY_DEFAULT.to_owned();
    }
    let (execution, chain) = (request.workflow_execution.as_ref(), &request.first_execution_run_id);
    let target = Target::of_chain(&namespace.id, execution, chain);
    frontend.history.call(target, Input::Terminate(Box::new(request))).await?;
    Ok(api::TerminateWorkflowExecutionResponse {})
}
