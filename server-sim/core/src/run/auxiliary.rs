//! What follows from no event: lost by a rebuild, kept by the store.
use crate::{
    ActivityProgress, CopyOnWrite, EventId, PartKey, Parts, SeenSignals, Sticky, WorkflowTaskAuxiliary,
    run::{activity::events::closed_activity, timer::events::timer_fired, workflow_task::Caches},
    wire,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use temporalio_protos::temporal::api::history::v1::HistoryEvent;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AuxiliaryState {
    /// Arrived while a workflow task is started; they get their ids when it ends.
    #[serde(with = "wire::shared::list")]
    pub buffered: CopyOnWrite<Vec<HistoryEvent>>,
    pub workflow_task: WorkflowTaskAuxiliary,
    pub sticky: Option<Sticky>,
    /// By scheduled event id; exactly the activities of the durable projection.
    #[serde(skip)]
    pub activities: Parts<ActivityProgress>,
    /// Started event ids of timers whose fired event is in the buffer.
    pub timers_firing: BTreeSet<EventId>,
    /// Scheduled event ids of activities whose closing event is in the buffer.
    pub activities_closing: BTreeSet<EventId>,
    /// The request that made this run, for de-duplication.
    pub start_request_id: String,
    #[serde(skip)]
    pub signal_request_ids: SeenSignals,
    /// The delay before the first workflow task has passed.
    pub backoff_is_over: bool,
    pub caches: Caches,
}

/// A change to a part that follows from no event.
#[derive(Clone, Debug)]
pub enum AuxiliaryChange {
    /// With it, what it closes counts as closed.
    EventBuffered(Box<HistoryEvent>),
    /// The buffer was written to history, or dropped with a closed run.
    BufferEmptied,
    /// The timer was cancelled before its fired event left the buffer.
    BufferedTimerFiredRemoved {
        started_event_id: EventId,
    },
    WorkflowTask(WorkflowTaskAuxiliary),
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

impl AuxiliaryChange {
    /// The part of the state that it changes.
    pub(crate) fn part(&self) -> PartKey {
        match self {
            Self::ActivityProgress { scheduled_event_id, .. } => PartKey::Activity(*scheduled_event_id),
            Self::SignalSeen { request_id } => SeenSignals::part_of(request_id),
            Self::EventBuffered(_)
            | Self::BufferEmptied
            | Self::BufferedTimerFiredRemoved { .. }
            | Self::WorkflowTask(_)
            | Self::Sticky(_)
            | Self::StartedBy { .. }
            | Self::BackoffOver
            | Self::Caches(_) => PartKey::Run,
        }
    }
}

impl AuxiliaryState {
    pub(crate) fn apply(&mut self, change: AuxiliaryChange) {
        match change {
            AuxiliaryChange::EventBuffered(event) => self.buffer(*event),
            AuxiliaryChange::BufferEmptied => self.empty_buffer(),
            AuxiliaryChange::BufferedTimerFiredRemoved { started_event_id } => {
                self.timers_firing.remove(&started_event_id);
                self.buffered.retain(|event| timer_fired(event) != Some(started_event_id));
            }
            AuxiliaryChange::WorkflowTask(task) => self.workflow_task = task,
            AuxiliaryChange::Sticky(sticky) => self.sticky = sticky,
            AuxiliaryChange::ActivityProgress { scheduled_event_id, progress } => {
                self.activities.insert(scheduled_event_id, *progress);
            }
            AuxiliaryChange::StartedBy { request_id } => self.start_request_id = request_id,
            AuxiliaryChange::SignalSeen { request_id } => {
                self.signal_request_ids.insert(request_id);
            }
            AuxiliaryChange::BackoffOver => self.backoff_is_over = true,
            AuxiliaryChange::Caches(caches) => self.caches = caches,
        }
    }

    fn buffer(&mut self, event: HistoryEvent) {
        self.timers_firing.extend(timer_fired(&event));
        self.activities_closing.extend(closed_activity(&event));
        self.buffered.push(event);
    }

    pub(crate) fn empty_buffer(&mut self) {
        if self.buffered.is_empty() {
            return;
        }
        self.buffered = CopyOnWrite::default();
        self.timers_firing.clear();
        self.activities_closing.clear();
    }
}
