//! How events change children.
use super::{Child, ChildStart};
use crate::{
    EventId, MutableState, PartKey, RunId,
    run::events::{Applied, At},
};
use std::sync::Arc;
use temporalio_protos::temporal::api::history::v1::{
    ChildWorkflowExecutionCanceledEventAttributes, ChildWorkflowExecutionCompletedEventAttributes,
    ChildWorkflowExecutionFailedEventAttributes, ChildWorkflowExecutionStartedEventAttributes,
    ChildWorkflowExecutionTerminatedEventAttributes, ChildWorkflowExecutionTimedOutEventAttributes, HistoryEvent,
    StartChildWorkflowExecutionFailedEventAttributes, StartChildWorkflowExecutionInitiatedEventAttributes,
    history_event::Attributes,
};

pub(crate) fn initiated(
    state: &mut MutableState,
    at: At<'_>,
    initiated: &StartChildWorkflowExecutionInitiatedEventAttributes,
) -> Applied {
    let child = Child { initiated_event_id: at.id, attributes: Arc::new(without_payloads(initiated)), started: None };
    state.durable.children.insert(at.id, child);
    Ok(PartKey::Child(at.id))
}

/// What a state keeps of it: all but what only the child reads. Each field is named, so that a new one is not forgotten.
fn without_payloads(
    initiated: &StartChildWorkflowExecutionInitiatedEventAttributes,
) -> StartChildWorkflowExecutionInitiatedEventAttributes {
    #[allow(deprecated, reason = "older workers still send these")]
    StartChildWorkflowExecutionInitiatedEventAttributes {
        namespace: initiated.namespace.clone(),
        namespace_id: initiated.namespace_id.clone(),
        workflow_id: initiated.workflow_id.clone(),
        workflow_type: initiated.workflow_type.clone(),
        task_queue: initiated.task_queue.clone(),
        input: None,
        workflow_execution_timeout: initiated.workflow_execution_timeout,
        workflow_run_timeout: initiated.workflow_run_timeout,
        workflow_task_timeout: initiated.workflow_task_timeout,
        parent_close_policy: initiated.parent_close_policy,
        control: initiated.control.clone(),
        workflow_task_completed_event_id: initiated.workflow_task_completed_event_id,
        workflow_id_reuse_policy: initiated.workflow_id_reuse_policy,
        retry_policy: initiated.retry_policy.clone(),
        cron_schedule: initiated.cron_schedule.clone(),
        header: None,
        memo: None,
        search_attributes: None,
        inherit_build_id: initiated.inherit_build_id,
        priority: initiated.priority.clone(),
        time_skipping_config: initiated.time_skipping_config.clone(),
        time_skipping_state_propagation: initiated.time_skipping_state_propagation,
        versioning_override: initiated.versioning_override.clone(),
    }
}

pub(crate) fn start_failed(
    state: &mut MutableState,
    _: At<'_>,
    failed: &StartChildWorkflowExecutionFailedEventAttributes,
) -> Applied {
    remove(state, failed.initiated_event_id)
}

pub(crate) fn started(
    state: &mut MutableState,
    at: At<'_>,
    started: &ChildWorkflowExecutionStartedEventAttributes,
) -> Applied {
    let id = started.initiated_event_id;
    let waits = state.durable.children.get(&id).is_some_and(|child| child.started.is_none());
    let started = waits.then(|| start(at.id, started)).ok_or_else(|| format!("no child {id} waits to start"))?;
    state.durable.children.change(&id, |child| child.started = Some(started));
    Ok(PartKey::Child(id))
}

pub(crate) fn completed(
    state: &mut MutableState,
    _: At<'_>,
    closed: &ChildWorkflowExecutionCompletedEventAttributes,
) -> Applied {
    remove(state, closed.initiated_event_id)
}

pub(crate) fn failed(
    state: &mut MutableState,
    _: At<'_>,
    closed: &ChildWorkflowExecutionFailedEventAttributes,
) -> Applied {
    remove(state, closed.initiated_event_id)
}

pub(crate) fn canceled(
    state: &mut MutableState,
    _: At<'_>,
    closed: &ChildWorkflowExecutionCanceledEventAttributes,
) -> Applied {
    remove(state, closed.initiated_event_id)
}

pub(crate) fn timed_out(
    state: &mut MutableState,
    _: At<'_>,
    closed: &ChildWorkflowExecutionTimedOutEventAttributes,
) -> Applied {
    remove(state, closed.initiated_event_id)
}

pub(crate) fn terminated(
    state: &mut MutableState,
    _: At<'_>,
    closed: &ChildWorkflowExecutionTerminatedEventAttributes,
) -> Applied {
    remove(state, closed.initiated_event_id)
}

fn remove(state: &mut MutableState, initiated_event_id: EventId) -> Applied {
    let known = state.durable.children.remove(&initiated_event_id);
    known
        .then_some(PartKey::Child(initiated_event_id))
        .ok_or_else(|| format!("nothing that event {initiated_event_id} began is pending"))
}

fn start(event_id: EventId, started: &ChildWorkflowExecutionStartedEventAttributes) -> ChildStart {
    let run_id = started.workflow_execution.as_ref().map_or(String::new(), |execution| execution.run_id.clone());
    ChildStart { event_id, run_id: RunId(run_id) }
}

/// The child whose start this event tells, with the start.
pub(crate) fn started_child(event: &HistoryEvent) -> Option<(EventId, ChildStart)> {
    match &event.attributes {
        Some(Attributes::ChildWorkflowExecutionStartedEventAttributes(started)) => {
            Some((started.initiated_event_id, start(event.event_id, started)))
        }
        _ => None,
    }
}

/// The child of which nothing more is heard after this event.
pub(crate) fn ended_child(event: &HistoryEvent) -> Option<EventId> {
    match &event.attributes {
        Some(Attributes::StartChildWorkflowExecutionFailedEventAttributes(failed)) => Some(failed.initiated_event_id),
        _ => closed_child(event),
    }
}

/// The child whose end this event tells.
pub(crate) fn closed_child(event: &HistoryEvent) -> Option<EventId> {
    match &event.attributes {
        Some(Attributes::ChildWorkflowExecutionCompletedEventAttributes(closed)) => Some(closed.initiated_event_id),
        Some(Attributes::ChildWorkflowExecutionFailedEventAttributes(closed)) => Some(closed.initiated_event_id),
        Some(Attributes::ChildWorkflowExecutionCanceledEventAttributes(closed)) => Some(closed.initiated_event_id),
        Some(Attributes::ChildWorkflowExecutionTimedOutEventAttributes(closed)) => Some(closed.initiated_event_id),
        Some(Attributes::ChildWorkflowExecutionTerminatedEventAttributes(closed)) => Some(closed.initiated_event_id),
        _ => None,
    }
}

/// While the buffer is written, what closes a child learns the id that its start has been given just before.
pub(crate) fn learn_started_id(event: &mut HistoryEvent, started_id: impl Fn(EventId) -> Option<EventId>) {
    let (initiated, started) = match event.attributes.as_mut() {
        Some(Attributes::ChildWorkflowExecutionCompletedEventAttributes(e)) => {
            (e.initiated_event_id, &mut e.started_event_id)
        }
        Some(Attributes::ChildWorkflowExecutionFailedEventAttributes(e)) => {
            (e.initiated_event_id, &mut e.started_event_id)
        }
        Some(Attributes::ChildWorkflowExecutionCanceledEventAttributes(e)) => {
            (e.initiated_event_id, &mut e.started_event_id)
        }
        Some(Attributes::ChildWorkflowExecutionTimedOutEventAttributes(e)) => {
            (e.initiated_event_id, &mut e.started_event_id)
        }
        Some(Attributes::ChildWorkflowExecutionTerminatedEventAttributes(e)) => {
            (e.initiated_event_id, &mut e.started_event_id)
        }
        _ => return,
    };
    if let Some(id) = started_id(initiated) {
        *started = id;
    }
}
