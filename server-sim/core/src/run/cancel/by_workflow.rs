//! Another run asks that this one be cancelled. As with requests of clients, it may be repeated.
use crate::{Context, Decision, MutableState, OtherRun, Rejection, Reply, Transition, run::decision::Extras};
use temporalio_protos::temporal::api::{
    history::v1::WorkflowExecutionCancelRequestedEventAttributes, workflowservice::v1 as api,
};

/// A run that is closed or asked already needs no more: that succeeds.
pub(crate) fn decide(
    state: &MutableState,
    from: OtherRun,
    request: api::RequestCancelWorkflowExecutionRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    if !state.is_open() {
        return Ok(Transition::nothing(Reply::None));
    }
    state.refuse_other_chain(&request.first_execution_run_id)?;
    state.require_parent(&from)?;
    if state.cancellation_is_requested() {
        return Ok(Transition::nothing(Reply::None));
    }
    let mut decision = Decision::about(state, context);
    let attributes = WorkflowExecutionCancelRequestedEventAttributes {
        cause: request.reason,
        external_initiated_event_id: from.initiated_event_id,
        external_workflow_execution: Some(from.execution()),
        identity: request.identity,
    };
    decision.event_with(attributes, Extras { links: request.links, ..Extras::default() });
    decision.schedule_workflow_task();
    Ok(decision.finish(Reply::None))
}
