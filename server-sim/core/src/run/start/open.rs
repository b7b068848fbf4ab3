//! The beginning of a run, by request or in place of a run that has just closed.
use crate::{
    AuxiliaryChange, Context, Decision, Rejection, RunKey, TimerKind,
    rules::payloads,
    run::{
        decision::{Extras, Opened},
        workflow_task::Caches,
    },
};
use temporalio_protos::temporal::api::{
    common::v1::{Memo, SearchAttributes},
    history::v1::{WorkflowExecutionSignaledEventAttributes, WorkflowExecutionStartedEventAttributes},
};

/// All that a new run begins with.
pub(crate) struct Opening {
    pub(crate) started: WorkflowExecutionStartedEventAttributes,
    pub(crate) extras: Extras,
    pub(crate) request_id: String,
    pub(crate) signal: Option<(WorkflowExecutionSignaledEventAttributes, Extras)>,
    /// It is a child: its parent lets it begin.
    pub(crate) waits_for_parent: bool,
}

/// Opens a run: started, a first signal if there is one, and the first workflow task unless it is delayed or its parent's
/// to give.
///
/// # Errors
/// Only a first signal over the limit is refused.
pub(crate) fn open(key: RunKey, mut opening: Opening, context: &Context) -> Result<Opened, Rejection> {
    let (memo, attributes) = (opening.started.memo.take(), opening.started.search_attributes.take());
    opening.started.memo =
        memo.and_then(|memo| payloads::fields_that_say_something(memo.fields)).map(|fields| Memo { fields });
    opening.started.search_attributes = attributes
        .and_then(|attributes| payloads::fields_that_say_something(attributes.indexed_fields))
        .map(|indexed_fields| SearchAttributes { indexed_fields });
    let mut decision = Decision::opening(key, context);
    decision.event_with(opening.started, opening.extras);
    decision.auxiliary(AuxiliaryChange::StartedBy { request_id: opening.request_id });
    if context.timeline > 0 {
        decision.auxiliary(AuxiliaryChange::Caches(Caches::fresh(context.timeline)));
    }
    let durable = &decision.state.durable;
    let (run_end, chain_end) = (durable.run_expiration(), durable.execution_expiration());
    let execution_time = durable.execution_time();
    if let Some(end) = run_end {
        decision.timer(end, TimerKind::RunTimeout);
    }
    if let Some(end) = chain_end {
        decision.timer(end, TimerKind::ExecutionTimeout);
    }
    if let Some((signal, extras)) = opening.signal {
        decision.signal(signal, extras)?;
    }
    if decision.state.durable.has_first_backoff() {
        decision.probe("first-workflow-task-delayed");
        decision.timer(execution_time, TimerKind::WorkflowBackoff);
    } else if !opening.waits_for_parent {
        decision.schedule_workflow_task();
    }
    Ok(decision.finish_new_run())
}
