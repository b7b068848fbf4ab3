//! What follows from a run's events alone. This one type says which parts those are: rebuilding and checking use it
//! and keep no list of their own. A buffered event has no place in history yet, so nothing here knows of it.
use super::{Child, CopyOnWrite, ExternalCancel, ExternalSignal, Parts};
use crate::{EventId, RunId, Time, rules::durations, wire};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use temporalio_protos::temporal::api::{
    common::v1::Payload,
    enums::v1::{EventType, TaskQueueKind},
    history::v1::{
        ActivityTaskScheduledEventAttributes, HistoryEvent, WorkflowExecutionStartedEventAttributes,
        WorkflowTaskScheduledEventAttributes, WorkflowTaskStartedEventAttributes, history_event::Attributes,
    },
    sdk::v1::UserMetadata,
    taskqueue::v1::TaskQueue,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DurableProjection {
    pub next_event_id: EventId,
    /// Encoded bytes of all events, task ids aside: these are stamped later.
    #[serde(default)]
    pub history_size_bytes: i64,
    #[serde(with = "wire::shared")]
    pub started: Arc<WorkflowExecutionStartedEventAttributes>,
    pub first_execution_run_id: RunId,
    pub start_time: Time,
    #[serde(default, with = "wire::shared::option")]
    pub user_metadata: CopyOnWrite<Option<UserMetadata>>,
    #[serde(default)]
    pub closed: Option<Closed>,
    #[serde(default)]
    pub workflow_task: Option<CopyOnWrite<WorkflowTask>>,
    /// Started id of the last completed workflow task; 0 if there is none.
    #[serde(default)]
    pub previous_started_event_id: EventId,
    /// By scheduled event id.
    #[serde(default)]
    pub activities: Parts<Activity>,
    /// By started event id.
    #[serde(default)]
    pub timers: Parts<UserTimer>,
    /// By initiated event id, as are signals and cancels.
    #[serde(default)]
    pub children: Parts<Child>,
    /// Signals to other runs.
    #[serde(default)]
    pub signals: Parts<ExternalSignal>,
    /// Requests that other runs be cancelled.
    #[serde(default)]
    pub cancels: Parts<ExternalCancel>,
    #[serde(default)]
    pub cancel_requested: bool,
    #[serde(default)]
    pub signal_count: usize,
    #[serde(default, with = "wire::shared::map")]
    pub memo: CopyOnWrite<BTreeMap<String, Payload>>,
    #[serde(default, with = "wire::shared::map")]
    pub search_attributes: CopyOnWrite<BTreeMap<String, Payload>>,
}

/// How and when a run closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// A `WorkflowExecutionStatus`.
    pub status: i32,
    pub time: Time,
    /// The run that goes on in its place.
    pub successor: Option<RunId>,
}

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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    pub scheduled_event_id: EventId,
    pub scheduled_time: Time,
    #[serde(with = "wire::shared")]
    pub attributes: Arc<ActivityTaskScheduledEventAttributes>,
    /// 0 if nobody asked.
    #[serde(default)]
    pub cancel_requested_event_id: EventId,
    /// 0 until the started event is written, which happens just before the closing one.
    #[serde(default)]
    pub started_event_id: EventId,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserTimer {
    pub timer_id: String,
    pub started_event_id: EventId,
    pub expiry: Time,
}

impl Default for DurableProjection {
    fn default() -> Self {
        Self {
            next_event_id: 1,
            history_size_bytes: 0,
            started: Arc::default(),
            first_execution_run_id: RunId::default(),
            start_time: Time::ZERO,
            user_metadata: CopyOnWrite::default(),
            closed: None,
            workflow_task: None,
            previous_started_event_id: 0,
            activities: Parts::default(),
            timers: Parts::default(),
            children: Parts::default(),
            signals: Parts::default(),
            cancels: Parts::default(),
            cancel_requested: false,
            signal_count: 0,
            memo: CopyOnWrite::default(),
            search_attributes: CopyOnWrite::default(),
        }
    }
}

impl DurableProjection {
    pub fn task_queue(&self) -> &str {
        self.started.task_queue.as_ref().map_or("", |queue| &queue.name)
    }

    pub fn workflow_type(&self) -> &str {
        self.started.workflow_type.as_ref().map_or("", |kind| &kind.name)
    }

    pub(crate) fn has_first_backoff(&self) -> bool {
        !durations::value(self.started.first_workflow_task_backoff.as_ref()).is_zero()
    }

    /// When the first workflow task was or will be scheduled.
    pub fn execution_time(&self) -> Time {
        self.start_time.plus(durations::value(self.started.first_workflow_task_backoff.as_ref()))
    }

    pub fn execution_expiration(&self) -> Option<Time> {
        self.started.workflow_execution_expiration_time.as_ref().map(Time::from_proto)
    }

    /// The run timeout counts from the end of the first backoff and never passes the end of the whole chain.
    pub fn run_expiration(&self) -> Option<Time> {
        let own = durations::limit(self.started.workflow_run_timeout.as_ref())
            .map(|timeout| self.execution_time().plus(timeout));
        match (own, self.execution_expiration()) {
            (Some(own), Some(chain)) => Some(own.min(chain)),
            (own, chain) => own.or(chain),
        }
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

impl Activity {
    pub fn activity_id(&self) -> &str {
        &self.attributes.activity_id
    }

    pub fn cancel_is_requested(&self) -> bool {
        self.cancel_requested_event_id != 0
    }

    pub(crate) fn task_queue(&self) -> &str {
        self.attributes.task_queue.as_ref().map_or("", |queue| &queue.name)
    }

    /// Schedule-to-close counts from the first scheduling, over all attempts.
    pub(crate) fn expiration(&self) -> Option<Time> {
        durations::limit(self.attributes.schedule_to_close_timeout.as_ref())
            .map(|timeout| self.scheduled_time.plus(timeout))
    }
}
