//! What follows from no event: lost by a rebuild, kept by the store.
use super::CopyOnWrite;
use crate::{EventId, Time, wire};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use temporalio_protos::temporal::api::{common::v1::Payloads, failure::v1::Failure, history::v1::HistoryEvent};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ephemera {
    /// Arrived while a workflow task is started; they get their ids when it ends.
    #[serde(with = "wire::list")]
    pub buffered: Vec<HistoryEvent>,
    pub workflow_task: WorkflowTaskEphemera,
    pub sticky: Option<Sticky>,
    /// By scheduled event id; exactly the activities of the durable projection.
    pub activities: CopyOnWrite<BTreeMap<EventId, ActivityProgress>>,
    /// Started event ids of timers whose fired event is in the buffer.
    pub timers_firing: BTreeSet<EventId>,
    /// The request that made this run, for de-duplication.
    pub start_request_id: String,
    pub signal_request_ids: CopyOnWrite<BTreeSet<String>>,
    /// The delay before the first workflow task has passed.
    pub backoff_is_over: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkflowTaskEphemera {
    /// Of the pending workflow task, or of the next one; above 1 it is transient.
    pub attempt: i32,
    /// Rises each time a workflow task is scheduled anew.
    pub stamp: u64,
    /// When the first of a chain of heartbeating workflow tasks was scheduled.
    pub original_scheduled_time: Time,
    /// A workflow task without events in history.
    pub transient: Option<super::WorkflowTask>,
    /// The last workflow task wanted to close the run, but there were events it had not seen.
    pub close_attempted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sticky {
    pub queue: String,
    /// Zero means that it never gives up.
    pub schedule_to_start_timeout: Duration,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActivityProgress {
    pub attempt: i32,
    /// When this attempt was or will be offered.
    pub due_time: Time,
    /// Its backoff, if it had one, is over: matching has it or is being told.
    pub offered: bool,
    pub started: Option<ActivityStart>,
    #[serde(with = "wire::option")]
    pub heartbeat_details: Option<Payloads>,
    pub last_heartbeat_time: Option<Time>,
    /// Of the last attempt that did not succeed.
    #[serde(with = "wire::option")]
    pub last_failure: Option<Failure>,
    pub last_worker_identity: String,
    pub last_attempt_complete_time: Option<Time>,
    /// Its closing event is in the buffer.
    pub closing: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityStart {
    pub time: Time,
    pub request_id: String,
    pub identity: String,
}

/// A change to a part that follows from no event.
#[derive(Clone, Debug)]
pub enum EphemeralChange {
    /// With it, what it closes counts as closed.
    EventBuffered(Box<HistoryEvent>),
    /// The buffer was written to history, or dropped with a closed run.
    BufferEmptied,
    /// The timer was cancelled before its fired event left the buffer.
    BufferedTimerFiredRemoved {
        started_event_id: EventId,
    },
    WorkflowTask(WorkflowTaskEphemera),
    Sticky(Option<Sticky>),
    ActivityProgress {
        scheduled_event_id: EventId,
        progress: Box<ActivityProgress>,
    },
    StartedBy {
        request_id: String,
    },
    SignalSeen {
        request_id: String,
    },
    BackoffOver,
}

impl Default for WorkflowTaskEphemera {
    fn default() -> Self {
        Self { attempt: 1, stamp: 0, original_scheduled_time: Time::ZERO, transient: None, close_attempted: false }
    }
}

impl Default for ActivityProgress {
    fn default() -> Self {
        Self {
            attempt: 1,
            due_time: Time::ZERO,
            offered: true,
            started: None,
            heartbeat_details: None,
            last_heartbeat_time: None,
            last_failure: None,
            last_worker_identity: String::new(),
            last_attempt_complete_time: None,
            closing: false,
        }
    }
}

impl Ephemera {
    pub(crate) fn apply(&mut self, change: &EphemeralChange) {
        match change {
            EphemeralChange::EventBuffered(event) => self.buffer(event),
            EphemeralChange::BufferEmptied => self.empty_buffer(),
            EphemeralChange::BufferedTimerFiredRemoved { started_event_id } => {
                self.timers_firing.remove(started_event_id);
                self.buffered.retain(|event| super::apply_event::timer_fired(event) != Some(*started_event_id));
            }
            EphemeralChange::WorkflowTask(task) => self.workflow_task = task.clone(),
            EphemeralChange::Sticky(sticky) => self.sticky = sticky.clone(),
            EphemeralChange::ActivityProgress { scheduled_event_id, progress } => {
                self.activities.insert(*scheduled_event_id, progress.as_ref().clone());
            }
            EphemeralChange::StartedBy { request_id } => self.start_request_id.clone_from(request_id),
            EphemeralChange::SignalSeen { request_id } => {
                self.signal_request_ids.insert(request_id.clone());
            }
            EphemeralChange::BackoffOver => self.backoff_is_over = true,
        }
    }

    fn buffer(&mut self, event: &HistoryEvent) {
        if let Some(started_event_id) = super::apply_event::timer_fired(event) {
            self.timers_firing.insert(started_event_id);
        }
        if let Some(scheduled_event_id) = super::apply_event::closed_activity(event)
            && let Some(progress) = self.activities.get_mut(&scheduled_event_id)
        {
            progress.closing = true;
        }
        self.buffered.push(event.clone());
    }

    fn empty_buffer(&mut self) {
        self.buffered.clear();
        self.timers_firing.clear();
        if self.activities.values().any(|progress| progress.closing) {
            self.activities.values_mut().for_each(|progress| progress.closing = false);
        }
    }
}
