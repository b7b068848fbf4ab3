//! The last event.
use super::Closed;
use crate::{
    MutableState, PartKey, RunId,
    run::events::{Applied, At},
};
use temporalio_protos::temporal::api::{
    enums::v1::WorkflowExecutionStatus as Status,
    history::v1::{
        WorkflowExecutionCanceledEventAttributes, WorkflowExecutionCompletedEventAttributes,
        WorkflowExecutionContinuedAsNewEventAttributes, WorkflowExecutionFailedEventAttributes,
        WorkflowExecutionTerminatedEventAttributes, WorkflowExecutionTimedOutEventAttributes,
    },
};

pub(crate) fn completed(
    state: &mut MutableState,
    at: At<'_>,
    closed: &WorkflowExecutionCompletedEventAttributes,
) -> Applied {
    close(state, Status::Completed, at, &closed.new_execution_run_id)
}

pub(crate) fn failed(state: &mut MutableState, at: At<'_>, closed: &WorkflowExecutionFailedEventAttributes) -> Applied {
    close(state, Status::Failed, at, &closed.new_execution_run_id)
}

pub(crate) fn timed_out(
    state: &mut MutableState,
    at: At<'_>,
    closed: &WorkflowExecutionTimedOutEventAttributes,
) -> Applied {
    close(state, Status::TimedOut, at, &closed.new_execution_run_id)
}

pub(crate) fn continued_as_new(
    state: &mut MutableState,
    at: At<'_>,
    closed: &WorkflowExecutionContinuedAsNewEventAttributes,
) -> Applied {
    close(state, Status::ContinuedAsNew, at, &closed.new_execution_run_id)
}

pub(crate) fn canceled(state: &mut MutableState, at: At<'_>, _: &WorkflowExecutionCanceledEventAttributes) -> Applied {
    close(state, Status::Canceled, at, "")
}

pub(crate) fn terminated(
    state: &mut MutableState,
    at: At<'_>,
    _: &WorkflowExecutionTerminatedEventAttributes,
) -> Applied {
    close(state, Status::Terminated, at, "")
}

/// Nothing waits in a closed run: its workflow task and stickiness end with it. What is in its buffer is dropped before.
fn close(state: &mut MutableState, status: Status, at: At<'_>, successor: &str) -> Applied {
    let successor = (!successor.is_empty()).then(|| RunId(successor.to_owned()));
    state.durable.closed = Some(Closed { status: status.into(), time: at.time, successor });
    state.durable.workflow_task = None;
    state.auxiliary.workflow_task.transient = None;
    state.auxiliary.sticky = None;
    Ok(PartKey::Run)
}
