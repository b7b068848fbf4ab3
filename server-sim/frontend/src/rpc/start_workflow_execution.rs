//! StartWorkflowExecution.
use crate::links;
use crate::{Frontend, namespace::Namespace, validation};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceResult, Target};
use tempest_core::rules::failure::cut_causes;
use tempest_core::rules::start_request::prepare_start;
use tempest_core::{Input, Started};

/// # Errors
/// `InvalidArgument` with Temporal's words, the namespace's, and history's: above all that the workflow runs already.
pub async fn start(
    frontend: &Frontend,
    namespace: &Namespace,
    mut request: api::StartWorkflowExecutionRequest,
) -> ServiceResult<api::StartWorkflowExecutionResponse> {
    prepare_start(&mut request, tempest_rt::entropy::uuid, &frontend.limits)?;
    validation::within_limit(&request.identity, "Identity")?;
    links::validate(&request.links)?;
    validation::offered(
        !request.completion_callbacks.is_empty(),
        request.versioning_override.is_some(),
        request.time_skipping_config.is_some(),
    )?;
    request.continued_failure.iter_mut().for_each(cut_causes);
    // The first workflow task always goes through the task queue: eager start is not offered.
    request.request_eager_execution = false;
    let (workflow_id, request_id) = (request.workflow_id.clone(), request.request_id.clone());
    let target = Target::current(&namespace.id, &workflow_id);
    let answer = frontend.history.call(target, Input::Start(Box::new(request))).await?;
    let Started { run_id, first_execution_run_id, started, attached, status } = answer.started()?;
    let link = match attached {
        true => links::to_attached(&namespace.name, workflow_id, run_id.0.clone(), request_id),
        false => links::to_started(&namespace.name, workflow_id, run_id.0.clone()),
    };
    Ok(api::StartWorkflowExecutionResponse {
        run_id: run_id.0,
        first_execution_run_id: first_execution_run_id.0,
        started,
        status: status as i32,
        link: Some(link),
        ..Default::default()
    })
}
