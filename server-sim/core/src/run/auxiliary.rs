//! What follows from no event: lost by a rebuild, kept by the store.
use crate::{
    ActivityProgress, Buffer, EventId, PartKey, Parts, SeenSignals, Sticky, WorkflowTaskAuxiliary,
    run::workflow_task::Caches,
};
use serde::{Deserialize, Serialize};
use temporalio_protos::temporal::api::history::v1::HistoryEvent;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AuxiliaryState {
    /// Arrived while a workflow task is started; they get their ids when it ends.
    #[serde(skip)]
    pub buffered: Buffer,
    pub workflow_task: WorkflowTaskAuxiliary,
    pub sticky: Option<Sticky>,
    /// By scheduled event id; exactly the activities of the durable projection.
    #[serde(skip)]
    pub activities: Parts<ActivityProgress>,
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

impl AuxiliaryState {
    /// Returns the parts of the state that this changes.
    pub(crate) fn apply(&mut self, change: AuxiliaryChange) -> Vec<PartKey> {
        match change {
            AuxiliaryChange::EventBuffered(event) => return vec![self.buffered.push(*event)],
            AuxiliaryChange::BufferEmptied => return self.buffered.empty(),
            AuxiliaryChange::BufferedTimerFiredRemoved { started_event_id } => {
                return self.buffered.remove_timer_fired(started_event_id).into_iter().collect();
            }
            AuxiliaryChange::ActivityProgress { scheduled_event_id, progress } => {
                self.activities.insert(scheduled_event_id, *progress);
                return vec![PartKey::Activity(scheduled_event_id)];
            }
            AuxiliaryChange::SignalSeen { request_id } => return vec![self.signal_request_ids.insert(request_id)],
            AuxiliaryChange::WorkflowTask(task) => self.workflow_task = task,
            AuxiliaryChange::Sticky(sticky) => self.sticky = sticky,
            AuxiliaryChange::StartedBy { request_id } => self.start_request_id = request_id,
            AuxiliaryChange::BackoffOver => self.backoff_is_over = true,
            AuxiliaryChange::Caches(caches) => self.caches = caches,
        }
        vec![PartKey::Run]
    }
}
