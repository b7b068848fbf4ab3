//! Events that arrive while a worker holds a workflow task wait in a buffer: the worker's commands were decided without
//! them, so they must come after. Whether a kind of event waits depends on the kind alone; the buffer is written to
//! history at the end of a decision unless a workflow task is started, and before one is scheduled.
use crate::{Decision, EphemeralChange, EventId, planted_in};
use std::collections::BTreeMap;
use temporalio_protos::temporal::api::{
    enums::v1::WorkflowTaskFailedCause,
    history::v1::{HistoryEvent, history_event::Attributes},
};

/// True for what others do to a run, false for what workflow tasks say and for its end.
pub(crate) fn waits_in_buffer(attributes: &Attributes) -> bool {
    use Attributes::*;
    !matches!(
        attributes,
        WorkflowExecutionStartedEventAttributes(_)
            | WorkflowExecutionCompletedEventAttributes(_)
            | WorkflowExecutionFailedEventAttributes(_)
            | WorkflowExecutionTimedOutEventAttributes(_)
            | WorkflowExecutionTerminatedEventAttributes(_)
            | WorkflowExecutionCanceledEventAttributes(_)
            | WorkflowExecutionContinuedAsNewEventAttributes(_)
            | WorkflowTaskScheduledEventAttributes(_)
            | WorkflowTaskStartedEventAttributes(_)
            | WorkflowTaskCompletedEventAttributes(_)
            | WorkflowTaskFailedEventAttributes(_)
            | WorkflowTaskTimedOutEventAttributes(_)
            | ActivityTaskScheduledEventAttributes(_)
            | ActivityTaskCancelRequestedEventAttributes(_)
            | TimerStartedEventAttributes(_)
            | TimerCanceledEventAttributes(_)
            | MarkerRecordedEventAttributes(_)
            | UpsertWorkflowSearchAttributesEventAttributes(_)
            | WorkflowPropertiesModifiedEventAttributes(_)
            | RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(_)
            | SignalExternalWorkflowExecutionInitiatedEventAttributes(_)
            | StartChildWorkflowExecutionInitiatedEventAttributes(_)
            | WorkflowExecutionUpdateAcceptedEventAttributes(_)
            | WorkflowExecutionUpdateCompletedEventAttributes(_)
            | NexusOperationScheduledEventAttributes(_)
            | NexusOperationCancelRequestedEventAttributes(_)
    )
}

impl Decision<'_> {
    /// Writes the buffer to history. What closes an activity or a child moves behind everything else, in the order of arrival;
    /// then it learns the id of its started event.
    pub(crate) fn flush_buffer(&mut self) {
        if self.state.ephemera.buffered.is_empty() {
            return;
        }
        if self.state.ephemera.buffered.len() > 1 {
            self.probe("buffer_with_many_events");
        }
        let buffered = Vec::clone(&self.state.ephemera.buffered);
        self.ephemeral(EphemeralChange::BufferEmptied);
        let (closing, others): (Vec<_>, Vec<_>) = buffered.into_iter().partition(closes_something);
        let mut started_ids = BTreeMap::new();
        for mut event in others.into_iter().chain(closing) {
            event.event_id = self.next_event_id();
            if !planted_in!(self.context, "started-id-not-wired") {
                wire_started_id(&mut event, &mut started_ids);
            }
            self.append(event);
        }
    }

    /// What every decision ends with: nothing stays buffered without reason, and the limits hold.
    pub(crate) fn settle(&mut self) {
        if !self.state.is_open() {
            return;
        }
        let buffered = &self.state.ephemera.buffered;
        let bytes: usize = buffered.iter().map(prost::Message::encoded_len).sum();
        let limits = &self.context.limits;
        if buffered.len() > limits.buffered_events_max || bytes > limits.buffered_bytes_max {
            self.probe("buffer_limit_reached");
            self.fail_started_workflow_task(WorkflowTaskFailedCause::ForceCloseCommand);
            self.schedule_workflow_task();
        }
        if !self.state.workflow_task_is_started() {
            self.flush_buffer();
        }
        if self.next_event_id() - 1 > self.context.limits.history_events_max {
            self.probe("history_limit_reached");
            self.terminate_run("Workflow history count exceeds limit.", None, crate::HISTORY_SERVICE, Vec::new());
        } else if self.state.durable.history_size_bytes > self.context.limits.history_bytes_max {
            self.probe("history_limit_reached");
            self.terminate_run("Workflow history size exceeds limit.", None, crate::HISTORY_SERVICE, Vec::new());
        } else if self.state.approximate_bytes() > self.context.limits.mutable_state_bytes_max {
            self.probe("mutable_state_limit_reached");
            let reason = "Workflow mutable state size exceeds limit.";
            self.terminate_run(reason, None, crate::HISTORY_SERVICE, Vec::new());
        }
    }
}

fn closes_something(event: &HistoryEvent) -> bool {
    crate::state::closed_activity(event).is_some() || crate::state::closed_child(event).is_some()
}

fn wire_started_id(event: &mut HistoryEvent, started_ids: &mut BTreeMap<EventId, EventId>) {
    let started_id = |scheduled: EventId, fallback: EventId| started_ids.get(&scheduled).copied().unwrap_or(fallback);
    match event.attributes.as_mut() {
        Some(Attributes::ActivityTaskStartedEventAttributes(started)) => {
            started_ids.insert(started.scheduled_event_id, event.event_id);
        }
        Some(Attributes::ChildWorkflowExecutionStartedEventAttributes(started)) => {
            started_ids.insert(started.initiated_event_id, event.event_id);
        }
        Some(Attributes::ChildWorkflowExecutionCompletedEventAttributes(closed)) => {
            closed.started_event_id = started_id(closed.initiated_event_id, closed.started_event_id);
        }
        Some(Attributes::ChildWorkflowExecutionFailedEventAttributes(closed)) => {
            closed.started_event_id = started_id(closed.initiated_event_id, closed.started_event_id);
        }
        Some(Attributes::ChildWorkflowExecutionCanceledEventAttributes(closed)) => {
            closed.started_event_id = started_id(closed.initiated_event_id, closed.started_event_id);
        }
        Some(Attributes::ChildWorkflowExecutionTimedOutEventAttributes(closed)) => {
            closed.started_event_id = started_id(closed.initiated_event_id, closed.started_event_id);
        }
        Some(Attributes::ChildWorkflowExecutionTerminatedEventAttributes(closed)) => {
            closed.started_event_id = started_id(closed.initiated_event_id, closed.started_event_id);
        }
        Some(Attributes::ActivityTaskCompletedEventAttributes(closed)) => {
            closed.started_event_id = started_id(closed.scheduled_event_id, closed.started_event_id);
        }
        Some(Attributes::ActivityTaskFailedEventAttributes(closed)) => {
            closed.started_event_id = started_id(closed.scheduled_event_id, closed.started_event_id);
        }
        Some(Attributes::ActivityTaskTimedOutEventAttributes(closed)) => {
            closed.started_event_id = started_id(closed.scheduled_event_id, closed.started_event_id);
        }
        Some(Attributes::ActivityTaskCanceledEventAttributes(closed)) => {
            closed.started_event_id = started_id(closed.scheduled_event_id, closed.started_event_id);
        }
        _ => {}
    }
}
