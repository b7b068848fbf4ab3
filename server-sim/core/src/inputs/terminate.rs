//! TerminateWorkflowExecution.
use crate::{Context, Decision, MutableState, Rejection, Reply, Transition};
use temporalio_protos::temporal::api::workflowservice::v1 as api;

pub(super) fn decide(
    state: &MutableState,
    request: api::TerminateWorkflowExecutionRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    super::cancel::refuse_other_chain(state, &request.first_execution_run_id)?;
    if !state.is_open() {
        return Err(super::closed());
    }
    let mut decision = Decision::about(state, context);
    decision.terminate_run(&request.reason, request.details, &request.identity, request.links);
    Ok(decision.finish(Reply::None))
}
