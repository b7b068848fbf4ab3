//! RequestCancelWorkflowExecution.
use crate::{Context, Decision, MutableState, Rejection, Reply, Transition, run::decision::Extras};
use temporalio_protos::temporal::api::{
    history::v1::WorkflowExecutionCancelRequestedEventAttributes, workflowservice::v1 as api,
};

/// Asking twice, or asking a closed run, whichever was meant, succeeds and changes nothing. It does not wait for a
/// delayed start.
pub(crate) fn decide(
    state: &MutableState,
    request: api::RequestCancelWorkflowExecutionRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    if !state.is_open() {
        return Ok(Transition::nothing(Reply::None));
    }
    state.refuse_other_chain(&request.first_execution_run_id)?;
    if state.cancellation_is_requested() {
        return Ok(Transition::nothing(Reply::None));
    }
    let mut decision = Decision::about(state, context);
    let attributes = WorkflowExecutionCancelRequestedEventAttributes {
        cause: request.reason,
        identity: request.identity,
        ..WorkflowExecutionCancelRequestedEventAttributes::default()
    };
    decision.event_with(attributes, Extras { links: request.links, ..Extras::default() });
    decision.schedule_workflow_task();
    Ok(decision.finish(Reply::None))
}
