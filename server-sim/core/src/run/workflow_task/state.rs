//! What a run knows of its workflow task: what history tells of it ([`WorkflowTask`]), and what it does not.
use crate::{EventId, MutableState, Time, rules::durations};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use temporalio_protos::temporal::api::{
    enums::v1::{EventType, TaskQueueKind},
    history::v1::{
        HistoryEvent, WorkflowTaskScheduledEventAttributes, WorkflowTaskStartedEventAttributes,
        history_event::Attributes,
    },
    taskqueue::v1::TaskQueue,
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowTask {
    pub scheduled_event_id: EventId,
    pub scheduled_time: Time,
    /// From 1; above 1 the task is transient.
    pub attempt: i32,
    /// Start to close.
    pub timeout: Duration,
    pub queue: String,
    /// The normal queue that a sticky `queue` stands for.
    pub sticky_for: Option<String>,
    /// 0 until it is started.
    #[serde(default)]
    pub started_event_id: EventId,
    #[serde(default)]
    pub started_time: Time,
    #[serde(default)]
    pub request_id: String,
    #[serde(default)]
    pub identity: String,
    #[serde(default)]
    pub suggest_continue_as_new: bool,
    /// Values of `SuggestContinueAsNewReason`.
    #[serde(default)]
    pub suggest_continue_as_new_reasons: Vec<i32>,
    #[serde(default)]
    pub history_size_bytes: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkflowTaskAuxiliary {
    /// Of the pending workflow task, or of the next one; above 1 it is transient.
    pub attempt: i32,
    /// Rises each time a workflow task is scheduled anew.
    pub stamp: u64,
    /// When the first of a chain of heartbeating workflow tasks was scheduled.
    pub original_scheduled_time: Time,
    /// A workflow task without events in history.
    pub transient: Option<WorkflowTask>,
    /// The last workflow task wanted to close the run, but there were events it had not seen.
    pub close_attempted: bool,
}

impl Default for WorkflowTaskAuxiliary {
    fn default() -> Self {
        Self { attempt: 1, stamp: 0, original_scheduled_time: Time::ZERO, transient: None, close_attempted: false }
    }
}

impl WorkflowTask {
    pub fn is_started(&self) -> bool {
        self.started_event_id != 0
    }

    pub(crate) fn queue_proto(&self) -> TaskQueue {
        match &self.sticky_for {
            Some(normal) => {
                TaskQueue { name: self.queue.clone(), kind: TaskQueueKind::Sticky.into(), normal_name: normal.clone() }
            }
            None => TaskQueue { name: self.queue.clone(), kind: TaskQueueKind::Normal.into(), ..TaskQueue::default() },
        }
    }

    pub(crate) fn scheduled_attributes(&self) -> WorkflowTaskScheduledEventAttributes {
        WorkflowTaskScheduledEventAttributes {
            task_queue: Some(self.queue_proto()),
            start_to_close_timeout: Some(durations::to_wire(self.timeout)),
            attempt: self.attempt,
        }
    }

    pub(crate) fn started_attributes(&self) -> WorkflowTaskStartedEventAttributes {
        WorkflowTaskStartedEventAttributes {
            scheduled_event_id: self.scheduled_event_id,
            identity: self.identity.clone(),
            request_id: self.request_id.clone(),
            suggest_continue_as_new: self.suggest_continue_as_new,
            suggest_continue_as_new_reasons: self.suggest_continue_as_new_reasons.clone(),
            history_size_bytes: self.history_size_bytes,
            ..WorkflowTaskStartedEventAttributes::default()
        }
    }

    /// The scheduled and (if it is) started event, as they would stand in history.
    pub(crate) fn events(&self) -> Vec<HistoryEvent> {
        let mut events = vec![event(
            self.scheduled_event_id,
            self.scheduled_time,
            EventType::WorkflowTaskScheduled,
            self.scheduled_attributes().into(),
        )];
        if self.is_started() {
            let attributes = self.started_attributes().into();
            events.push(event(self.started_event_id, self.started_time, EventType::WorkflowTaskStarted, attributes));
        }
        events
    }
}

fn event(id: EventId, time: Time, kind: EventType, attributes: Attributes) -> HistoryEvent {
    HistoryEvent {
        event_id: id,
        event_time: Some(time.to_proto()),
        event_type: kind.into(),
        attributes: Some(attributes),
        ..HistoryEvent::default()
    }
}

impl MutableState {
    /// The workflow task that is scheduled or started, transient or not.
    pub fn workflow_task(&self) -> Option<&WorkflowTask> {
        self.durable.workflow_task.as_deref().or(self.auxiliary.workflow_task.transient.as_ref())
    }

    pub(crate) fn workflow_task_is_started(&self) -> bool {
        self.workflow_task().is_some_and(WorkflowTask::is_started)
    }

    pub(crate) fn had_workflow_task(&self) -> bool {
        self.workflow_task().is_some()
            || self.durable.previous_started_event_id != 0
            || self.auxiliary.workflow_task.stamp != 0
    }

    /// Scheduled and started events of a transient workflow task, for history reads of workers. Empty if other events
    /// were written since it was scheduled: its ids would not follow the history.
    pub fn transient_events(&self) -> Vec<HistoryEvent> {
        match &self.auxiliary.workflow_task.transient {
            Some(task) if task.scheduled_event_id == self.durable.next_event_id => task.events(),
            _ => Vec::new(),
        }
    }
}
