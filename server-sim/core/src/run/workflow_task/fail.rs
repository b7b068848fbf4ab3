//! RespondWorkflowTaskFailed.
use super::end::WorkflowTaskFailure;
use crate::{Context, Decision, MutableState, Rejection, Reply, Transition, WorkflowTaskToken, run::inputs::closed};
use temporalio_protos::temporal::api::{enums::v1::WorkflowTaskFailedCause as Cause, workflowservice::v1 as api};

pub(crate) fn decide(
    state: &MutableState,
    token: &WorkflowTaskToken,
    request: api::RespondWorkflowTaskFailedRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    if !state.is_open() {
        return Err(closed());
    }
    check_token(state, token)?;
    let mut decision = Decision::about(state, context);
    if request.cause() == Cause::GrpcMessageTooLarge {
        // The worker can never answer: retrying would go on forever.
        decision.terminate_run("GrpcMessageTooLarge", None, crate::HISTORY_SERVICE, Vec::new());
        return Ok(decision.finish(Reply::None));
    }
    #[allow(deprecated, reason = "Temporal still copies it, and older SDKs still send it")]
    let binary_checksum = request.binary_checksum.clone();
    decision.fail_workflow_task(WorkflowTaskFailure {
        cause: request.cause(),
        failure: request.failure,
        identity: request.identity,
        binary_checksum,
    });
    decision.schedule_workflow_task();
    Ok(decision.finish(Reply::None))
}

/// A token is of the started workflow task, or of none.
pub(crate) fn check_token(state: &MutableState, token: &WorkflowTaskToken) -> Result<(), Rejection> {
    let matches = state.is_open()
        && state.workflow_task().is_some_and(|task| {
            task.is_started()
                && task.scheduled_event_id == token.scheduled_event_id
                && task.started_event_id == token.started_event_id
                && task.started_time == token.started_time
                && task.attempt == token.attempt
        });
    if matches { Ok(()) } else { Err(Rejection::NotFound("Workflow task not found.".into())) }
}
