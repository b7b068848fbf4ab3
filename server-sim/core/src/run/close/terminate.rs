//! A run is ended at once: by TerminateWorkflowExecution, by its parent's close policy, or by the server.
use crate::{
    Context, Decision, MutableState, OtherRun, Rejection, Reply, Transition,
    run::{decision::Extras, inputs::closed},
};
use temporalio_protos::temporal::api::{
    common::v1::{Link, Payloads},
    enums::v1::WorkflowTaskFailedCause,
    history::v1::WorkflowExecutionTerminatedEventAttributes,
    workflowservice::v1 as api,
};

pub(crate) fn decide(
    state: &MutableState,
    request: api::TerminateWorkflowExecutionRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    state.refuse_other_chain(&request.first_execution_run_id)?;
    if !state.is_open() {
        return Err(closed());
    }
    let mut decision = Decision::about(state, context);
    decision.terminate_run(&request.reason, request.details, &request.identity, request.links);
    Ok(decision.finish(Reply::None))
}

/// Only its parent does so, by its close policy.
pub(crate) fn by_workflow(
    state: &MutableState,
    from: &OtherRun,
    request: api::TerminateWorkflowExecutionRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    if !state.is_open() {
        return Err(closed());
    }
    state.require_parent(from)?;
    decide(state, request, context)
}

impl Decision<'_> {
    /// Ends the run at once: a workflow task in a worker's hands fails, what it has not seen is written before the end.
    pub(crate) fn terminate_run(&mut self, reason: &str, details: Option<Payloads>, identity: &str, links: Vec<Link>) {
        self.fail_started_workflow_task(WorkflowTaskFailedCause::ForceCloseCommand);
        self.flush_buffer();
        let attributes = WorkflowExecutionTerminatedEventAttributes {
            reason: reason.to_owned(),
            details,
            identity: identity.to_owned(),
        };
        self.close_run(attributes, Extras { links, ..Extras::default() });
    }
}
