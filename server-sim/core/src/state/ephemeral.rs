//! What follows from no event: lost by a rebuild, kept by the store.
use super::{CopyOnWrite, PartKey, Parts};
use crate::{EventId, Time, wire};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, time::Duration};
use temporalio_protos::temporal::api::{common::v1::Payloads, failure::v1::Failure, history::v1::HistoryEvent};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ephemera {
    /// Arrived while a workflow task is started; they get their ids when it ends.
    #[serde(with = "wire::shared::list")]
    pub buffered: CopyOnWrite<Vec<HistoryEvent>>,
    pub workflow_task: WorkflowTaskEphemera,
    pub sticky: Option<Sticky>,
    /// By scheduled event id; exactly the activities of the durable projection.
    pub activities: Parts<ActivityProgress>,
    /// Started event ids of timers whose fired event is in the buffer.
    pub timers_firing: BTreeSet<EventId>,
    /// Scheduled event ids of activities whose closing event is in the buffer.
    pub activities_closing: BTreeSet<EventId>,
    /// The request that made this run, for de-duplication.
    pub start_request_id: String,
    pub signal_request_ids: CopyOnWrite<BTreeSet<String>>,
    /// The delay before the first workflow task has passed.
    pub backoff_is_over: bool,
    pub caches: Caches,
}

/// Whose cache of the run is no further than its history. A failover of the database may take events back that workers have
/// applied already; no SDK notices, and what such a worker answers does not follow from the history that is left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Caches {
    /// On another one, nobody's.
    pub timeline: u32,
    /// Workers, by identity, that have dropped what they had cached. `None`: the run began on this timeline, and everybody
    /// is with it.
    pub emptied: Option<BTreeSet<String>>,
}

impl Caches {
    /// Workers remembered for a run; one that is forgotten drops its cache once more.
    const EMPTIED_MAX: usize = 16;

    /// Of a run that begins now.
    pub(crate) fn fresh(timeline: u32) -> Self {
        Self { timeline, emptied: None }
    }

    /// Whether a worker's cache can be no further than the history.
    pub(crate) fn agree(&self, timeline: u32, identity: &str) -> bool {
        self.timeline == timeline && self.emptied.as_ref().is_none_or(|emptied| emptied.contains(identity))
    }

    /// After this worker was told to drop what it has.
    pub(crate) fn after_emptying(&self, timeline: u32, identity: &str) -> Self {
        let mut emptied = self.emptied.clone().filter(|_| self.timeline == timeline).unwrap_or_default();
        if emptied.len() >= Self::EMPTIED_MAX {
            emptied.pop_first();
        }
        emptied.insert(identity.to_owned());
        Self { timeline, emptied: Some(emptied) }
    }
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
    Caches(Caches),
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
        }
    }
}

impl EphemeralChange {
    /// The part of the state that it changes.
    pub(crate) fn part(&self) -> PartKey {
        match self {
            Self::ActivityProgress { scheduled_event_id, .. } => PartKey::Activity(*scheduled_event_id),
            Self::EventBuffered(_)
            | Self::BufferEmptied
            | Self::BufferedTimerFiredRemoved { .. }
            | Self::WorkflowTask(_)
            | Self::Sticky(_)
            | Self::StartedBy { .. }
            | Self::SignalSeen { .. }
            | Self::BackoffOver
            | Self::Caches(_) => PartKey::Run,
        }
    }
}

impl Ephemera {
    pub(crate) fn apply(&mut self, change: EphemeralChange) {
        match change {
            EphemeralChange::EventBuffered(event) => self.buffer(*event),
            EphemeralChange::BufferEmptied => self.empty_buffer(),
            EphemeralChange::BufferedTimerFiredRemoved { started_event_id } => {
                self.timers_firing.remove(&started_event_id);
                self.buffered.retain(|event| super::apply_event::timer_fired(event) != Some(started_event_id));
            }
            EphemeralChange::WorkflowTask(task) => self.workflow_task = task,
            EphemeralChange::Sticky(sticky) => self.sticky = sticky,
            EphemeralChange::ActivityProgress { scheduled_event_id, progress } => {
                self.activities.insert(scheduled_event_id, *progress);
            }
            EphemeralChange::StartedBy { request_id } => self.start_request_id = request_id,
            EphemeralChange::SignalSeen { request_id } => {
                self.signal_request_ids.insert(request_id);
            }
            EphemeralChange::BackoffOver => self.backoff_is_over = true,
            EphemeralChange::Caches(caches) => self.caches = caches,
        }
    }

    fn buffer(&mut self, event: HistoryEvent) {
        self.timers_firing.extend(super::apply_event::timer_fired(&event));
        self.activities_closing.extend(super::apply_event::closed_activity(&event));
        self.buffered.push(event);
    }

    pub(super) fn empty_buffer(&mut self) {
        if self.buffered.is_empty() {
            return;
        }
        self.buffered = CopyOnWrite::default();
        self.timers_firing.clear();
        self.activities_closing.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_agrees_with_the_timeline_it_was_emptied_on() {
        let fresh = Caches::fresh(2);
        assert!(fresh.agree(2, "a") && !fresh.agree(3, "a"));
        let caches = fresh.after_emptying(3, "a");
        assert!(caches.agree(3, "a") && !caches.agree(3, "b") && !caches.agree(2, "a"));
        let caches = caches.after_emptying(3, "b");
        assert!(caches.agree(3, "a") && caches.agree(3, "b"));
        assert!(!caches.after_emptying(4, "b").agree(4, "a"), "of another timeline nothing is known");
    }

    #[test]
    fn only_so_many_workers_are_remembered() {
        let caches = (0..100).fold(Caches::fresh(0), |caches, worker| caches.after_emptying(1, &worker.to_string()));
        assert_eq!(caches.emptied.map(|emptied| emptied.len()), Some(Caches::EMPTIED_MAX));
    }
}
