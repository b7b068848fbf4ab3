//! What the errands of other runs ask of this one: signals, requests to cancel, and the end of a child by its parent's
//! close policy. As with requests of clients, each may be repeated.
use super::children::refuse_strangers;
use crate::{Context, Decision, MutableState, OtherRun, Rejection, Reply, Transition, decision::Extras};
use temporalio_protos::temporal::api::{
    common::v1::WorkflowExecution,
    history::v1::{WorkflowExecutionCancelRequestedEventAttributes, WorkflowExecutionSignaledEventAttributes},
    workflowservice::v1 as api,
};

pub(super) fn not_its_parent() -> Rejection {
    Rejection::NotFound("workflow parent does not match".into())
}

fn execution(from: OtherRun) -> WorkflowExecution {
    WorkflowExecution { workflow_id: from.workflow_id.0, run_id: from.run_id.0 }
}

/// A signal that is already there is a success, whatever became of the run since.
pub(super) fn signal(
    state: &MutableState,
    from: OtherRun,
    request: api::SignalWorkflowExecutionRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    if let Some(transition) = super::signal::repeated(state, &request.request_id, context) {
        return Ok(transition);
    }
    if !state.is_open() {
        return Err(super::closed());
    }
    super::signal::refuse_while_closing(state)?;
    refuse_strangers(state, &from)?;
    let mut decision = Decision::about(state, context);
    let attributes = WorkflowExecutionSignaledEventAttributes {
        signal_name: request.signal_name,
        input: request.input,
        identity: request.identity,
        header: request.header,
        request_id: request.request_id,
        external_workflow_execution: Some(execution(from)),
        ..WorkflowExecutionSignaledEventAttributes::default()
    };
    decision.signal(attributes, Extras { links: request.links, ..Extras::default() })?;
    decision.schedule_workflow_task_for_news();
    Ok(decision.finish(Reply::None))
}

/// A run that is closed or asked already needs no more: that succeeds.
pub(super) fn request_cancel(
    state: &MutableState,
    from: OtherRun,
    request: api::RequestCancelWorkflowExecutionRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    if !state.is_open() {
        return Ok(Transition::nothing(Reply::None));
    }
    super::cancel::refuse_other_chain(state, &request.first_execution_run_id)?;
    refuse_strangers(state, &from)?;
    if state.cancel_is_requested() {
        return Ok(Transition::nothing(Reply::None));
    }
    let mut decision = Decision::about(state, context);
    let attributes = WorkflowExecutionCancelRequestedEventAttributes {
        cause: request.reason,
        external_initiated_event_id: from.initiated_event_id,
        external_workflow_execution: Some(execution(from)),
        identity: request.identity,
    };
    decision.event_with(attributes, Extras { links: request.links, ..Extras::default() });
    decision.schedule_workflow_task();
    Ok(decision.finish(Reply::None))
}

pub(super) fn terminate(
    state: &MutableState,
    from: &OtherRun,
    request: api::TerminateWorkflowExecutionRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    if !state.is_open() {
        return Err(super::closed());
    }
    refuse_strangers(state, from)?;
    super::terminate::decide(state, request, context)
}
