//! One run's state: what its events say ([`DurableProjection`]) and what they do not ([`Ephemera`]).
mod apply_event;
mod copy_on_write;
mod describe;
mod durable;
mod ephemeral;
mod others;
mod owed;
mod parts;
mod size;
mod text;

pub(crate) use apply_event::closed_activity;
pub use copy_on_write::CopyOnWrite;
pub use durable::{Activity, Closed, DurableProjection, UserTimer, WorkflowTask};
pub use ephemeral::{ActivityProgress, ActivityStart, Caches, Ephemera, EphemeralChange, Sticky, WorkflowTaskEphemera};
pub(crate) use others::closed_child;
pub use others::{Child, ChildStart, ExternalCancel, ExternalSignal};
pub use owed::Owed;
pub use parts::{PartKey, Parts};

use crate::{BranchRef, EventId, RunId, RunKey, Time, TransferTask};
use serde::{Deserialize, Serialize};
use temporalio_protos::temporal::api::{
    enums::v1::WorkflowExecutionStatus,
    history::v1::{HistoryEvent, history_event::Attributes},
};

/// One step of a decision: a history event, or a change to a part that follows from no event.
#[derive(Clone, Debug)]
pub enum Change {
    Event(Box<HistoryEvent>),
    Ephemeral(EphemeralChange),
}

/// One run's state. It changes by its events and by what follows from none ([`EphemeralChange`]), and only while something
/// is decided; it can be rebuilt from its history, ephemera aside. Copies share what they have not changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MutableState {
    key: CopyOnWrite<RunKey>,
    /// Rises with each stored change; the store compares it.
    version: u64,
    branch: CopyOnWrite<BranchRef>,
    pub(crate) durable: DurableProjection,
    #[serde(default)]
    pub(crate) ephemera: Ephemera,
}

impl MutableState {
    /// A run that has no event yet. It is a tree of its own, with one branch.
    pub(crate) fn empty(key: RunKey) -> Self {
        let branch = BranchRef { tree: key.run_id.0.clone(), branch: key.run_id.0.clone() };
        let (key, branch) = (key.into(), branch.into());
        Self { key, version: 0, branch, durable: DurableProjection::default(), ephemera: Ephemera::default() }
    }

    pub fn key(&self) -> &RunKey {
        &self.key
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn branch(&self) -> BranchRef {
        BranchRef::clone(&self.branch)
    }

    pub fn status(&self) -> WorkflowExecutionStatus {
        match &self.durable.closed {
            Some(closed) => WorkflowExecutionStatus::try_from(closed.status)
                .expect("only known statuses are ever written by apply_event"),
            None if self.durable.next_event_id == 1 => WorkflowExecutionStatus::Unspecified,
            None => WorkflowExecutionStatus::Running,
        }
    }

    pub fn is_open(&self) -> bool {
        self.status() == WorkflowExecutionStatus::Running
    }

    pub fn first_execution_run_id(&self) -> &RunId {
        &self.durable.first_execution_run_id
    }

    /// Id the next persisted event gets; the last one in history is one less.
    pub fn next_event_id(&self) -> EventId {
        self.durable.next_event_id
    }

    /// The parts that follow from events, for those who compare them field by field.
    pub fn durable(&self) -> &DurableProjection {
        &self.durable
    }

    /// The parts that follow from no event.
    pub fn ephemera(&self) -> &Ephemera {
        &self.ephemera
    }

    /// Started id of the last completed workflow task; 0 if there is none.
    pub fn previous_started_event_id(&self) -> EventId {
        self.durable.previous_started_event_id
    }

    /// The queue that workflow tasks go to when no sticky queue is set.
    pub fn task_queue(&self) -> &str {
        self.durable.task_queue()
    }

    /// The workflow task that is scheduled or started, transient or not.
    pub fn workflow_task(&self) -> Option<&WorkflowTask> {
        self.durable.workflow_task.as_deref().or(self.ephemera.workflow_task.transient.as_ref())
    }

    pub(crate) fn workflow_task_is_started(&self) -> bool {
        self.workflow_task().is_some_and(WorkflowTask::is_started)
    }

    /// An activity that nothing has closed yet, not even in the buffer.
    pub(crate) fn pending_activity(&self, scheduled_event_id: EventId) -> Option<(&Activity, &ActivityProgress)> {
        let activity = self.durable.activities.get(&scheduled_event_id)?;
        let closing = self.ephemera.activities_closing.contains(&scheduled_event_id);
        (!closing).then(|| (activity, self.progress(scheduled_event_id)))
    }

    pub(crate) fn pending_activities(&self) -> impl Iterator<Item = (&Activity, &ActivityProgress)> {
        self.durable.activities.keys().filter_map(|id| self.pending_activity(*id))
    }

    pub(crate) fn progress(&self, scheduled_event_id: EventId) -> &ActivityProgress {
        self.ephemera.activities.get(&scheduled_event_id).expect("each activity has its progress: see invariants")
    }

    pub(crate) fn pending_timers(&self) -> impl Iterator<Item = &UserTimer> {
        self.durable.timers.values().filter(|timer| !self.ephemera.timers_firing.contains(&timer.started_event_id))
    }

    pub(crate) fn cancel_is_requested(&self) -> bool {
        self.durable.cancel_requested
            || self.ephemera.buffered.iter().any(|event| {
                matches!(event.attributes, Some(Attributes::WorkflowExecutionCancelRequestedEventAttributes(_)))
            })
    }

    /// Events in history and in the buffer that are signals.
    pub(crate) fn signal_count(&self) -> usize {
        let buffered = self.ephemera.buffered.iter();
        self.durable.signal_count
            + buffered
                .filter(|event| {
                    matches!(event.attributes, Some(Attributes::WorkflowExecutionSignaledEventAttributes(_)))
                })
                .count()
    }

    /// Still before the first workflow task of a delayed run: signals wait, they schedule nothing.
    pub(crate) fn waits_for_first_backoff(&self) -> bool {
        self.durable.has_first_backoff()
            && self.durable.previous_started_event_id == 0
            && self.workflow_task().is_none()
            && !self.ephemera.backoff_is_over
    }

    /// The decision is made: this is the next state to be stored.
    pub(crate) fn raise_version(&mut self) {
        self.version += 1;
    }

    /// Whether a transfer task still has something to do.
    pub fn task_is_due(&self, task: &TransferTask) -> bool {
        match task {
            TransferTask::WorkflowTask { stamp, .. } => {
                self.is_open()
                    && self.ephemera.workflow_task.stamp == *stamp
                    && self.workflow_task().is_some_and(|task| !task.is_started())
            }
            TransferTask::ActivityTask { scheduled_event_id, attempt, .. } => {
                self.is_open()
                    && self
                        .pending_activity(*scheduled_event_id)
                        .is_some_and(|(_, progress)| progress.attempt == *attempt && progress.started.is_none())
            }
            TransferTask::StartChild { .. }
            | TransferTask::SignalExternal { .. }
            | TransferTask::CancelExternal { .. } => self.errand(task).is_some(),
            TransferTask::CloseExecution => !self.is_open(),
        }
    }

    /// Scheduled and started events of a transient workflow task, for history reads of workers. Empty if other events
    /// were written since it was scheduled: its ids would not follow the history.
    pub fn transient_events(&self) -> Vec<HistoryEvent> {
        match &self.ephemera.workflow_task.transient {
            Some(task) if task.scheduled_event_id == self.durable.next_event_id => task.events(),
            _ => Vec::new(),
        }
    }

    /// Rebuilds the state from its whole history; ephemeral parts are empty.
    ///
    /// # Errors
    /// A sentence saying which event cannot follow which.
    pub fn rebuild(key: RunKey, events: &[HistoryEvent]) -> Result<MutableState, String> {
        let mut state = MutableState::empty(key);
        for event in events {
            state.apply_event(event)?;
        }
        Ok(state)
    }

    /// The parts that follow from events alone, as text that can be compared and diffed.
    pub fn durable_projection(&self) -> String {
        text::canonical(&format!("{:#?}", self.durable))
    }

    /// When the run times out, if it does.
    pub(crate) fn run_expiration(&self) -> Option<Time> {
        self.durable.run_expiration()
    }
}
