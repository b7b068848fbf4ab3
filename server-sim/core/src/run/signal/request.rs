//! SignalWorkflowExecution.
use crate::{
    Context, Decision, MutableState, Rejection, Reply, Transition, planted_in,
    run::{decision::Extras, inputs::closed},
};
use temporalio_protos::temporal::api::{
    history::v1::WorkflowExecutionSignaledEventAttributes, workflowservice::v1 as api,
};

/// A repeat is recognised before the run is asked whether it is open: the signal was delivered, so it succeeds.
pub(crate) fn decide(
    state: &MutableState,
    request: api::SignalWorkflowExecutionRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    if let Some(transition) = repeated(state, &request.request_id, context) {
        return Ok(transition);
    }
    if !state.is_open() {
        return Err(closed());
    }
    refuse_while_closing(state)?;
    let mut decision = Decision::about(state, context);
    let attributes = WorkflowExecutionSignaledEventAttributes {
        signal_name: request.signal_name,
        input: request.input,
        identity: request.identity,
        header: request.header,
        request_id: request.request_id,
        ..WorkflowExecutionSignaledEventAttributes::default()
    };
    decision.signal(attributes, Extras { links: request.links, ..Extras::default() })?;
    decision.schedule_workflow_task_for_news();
    Ok(decision.finish(Reply::None))
}

/// What a signal does that the run has already: nothing.
pub(crate) fn repeated(state: &MutableState, request_id: &str, context: &Context) -> Option<Transition> {
    let seen = !request_id.is_empty() && state.auxiliary.signal_request_ids.contains(request_id);
    if !seen || planted_in!(context, crate::planted::SIGNAL_RETRY_DELIVERED_TWICE) {
        return None;
    }
    let mut transition = Transition::nothing(Reply::None);
    transition.probes.push("signal-repeated");
    Some(transition)
}

/// A run that was kept from closing by news must not be kept from it by more and more of them.
pub(crate) fn refuse_while_closing(state: &MutableState) -> Result<(), Rejection> {
    if state.auxiliary.workflow_task.close_attempted && state.workflow_task_is_started() {
        return Err(Rejection::BusyWorkflow(
            "workflow operation can not be applied because workflow is closing".into(),
        ));
    }
    Ok(())
}
