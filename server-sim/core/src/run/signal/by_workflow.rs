//! Another run signals this one. As with requests of clients, it may be repeated.
use super::request;
use crate::{
    Context, Decision, MutableState, OtherRun, Rejection, Reply, Transition,
    run::{decision::Extras, inputs::closed},
};
use temporalio_protos::temporal::api::{
    history::v1::WorkflowExecutionSignaledEventAttributes, workflowservice::v1 as api,
};

/// A signal that is already there is a success, whatever became of the run since.
pub(crate) fn decide(
    state: &MutableState,
    from: OtherRun,
    request: api::SignalWorkflowExecutionRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    if let Some(transition) = request::repeated(state, &request.request_id, context) {
        return Ok(transition);
    }
    if !state.is_open() {
        return Err(closed());
    }
    request::refuse_while_closing(state)?;
    state.require_parent(&from)?;
    let mut decision = Decision::about(state, context);
    let attributes = WorkflowExecutionSignaledEventAttributes {
        signal_name: request.signal_name,
        input: request.input,
        identity: request.identity,
        header: request.header,
        request_id: request.request_id,
        external_workflow_execution: Some(from.execution()),
        ..WorkflowExecutionSignaledEventAttributes::default()
    };
    decision.signal(attributes, Extras { links: request.links, ..Extras::default() })?;
    decision.schedule_workflow_task_for_news();
    Ok(decision.finish(Reply::None))
}
