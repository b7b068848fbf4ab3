//! One run's state: what its events say ([`DurableProjection`]) and what they do not ([`AuxiliaryState`]). Each part's share
//! of it is in that part's folder.
use super::events::answered;
use crate::{
    AuxiliaryChange, AuxiliaryState, BranchRef, CopyOnWrite, DurableProjection, EventId, Rejection, RunId, RunKey,
    TransferTask,
};
use serde::{Deserialize, Serialize};
use temporalio_protos::temporal::api::{enums::v1::WorkflowExecutionStatus, history::v1::HistoryEvent};

/// One step of a decision: a history event, or a change to a part that follows from no event.
#[derive(Clone, Debug)]
pub enum Change {
    Event(Box<HistoryEvent>),
    Auxiliary(AuxiliaryChange),
}

/// One run's state. It changes by its events and by what follows from none ([`AuxiliaryChange`]), and only while something
/// is decided; it can be rebuilt from its history, auxiliary state aside. Copies share what they have not changed. What
/// serde sees of it is its row without its parts, which are stored beside it ([`crate::Part`]).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MutableState {
    key: CopyOnWrite<RunKey>,
    /// Rises with each stored change; the store compares it.
    version: u64,
    branch: CopyOnWrite<BranchRef>,
    /// Each of its parts has a row of its own.
    #[serde(default)]
    pub(crate) parts_apart: bool,
    pub(crate) durable: DurableProjection,
    #[serde(default)]
    pub(crate) auxiliary: AuxiliaryState,
}

impl MutableState {
    /// A run that has no event yet. It is a tree of its own, with one branch.
    pub(crate) fn empty(key: RunKey) -> Self {
        let branch = BranchRef { tree: key.run_id.0.clone(), branch: key.run_id.0.clone() };
        let (key, branch) = (key.into(), branch.into());
        Self {
            key,
            version: 0,
            branch,
            parts_apart: false,
            durable: DurableProjection::default(),
            auxiliary: AuxiliaryState::default(),
        }
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
    pub fn auxiliary(&self) -> &AuxiliaryState {
        &self.auxiliary
    }

    /// Started id of the last completed workflow task; 0 if there is none.
    pub fn previous_started_event_id(&self) -> EventId {
        self.durable.previous_started_event_id
    }

    /// The queue that workflow tasks go to when no sticky queue is set.
    pub fn task_queue(&self) -> &str {
        self.durable.task_queue()
    }

    /// The decision is made: this is the next state to be stored.
    pub(crate) fn raise_version(&mut self) {
        self.version += 1;
    }

    /// Refuses a caller that names the first run of another chain: it means that chain only.
    pub(crate) fn refuse_other_chain(&self, first_execution_run_id: &str) -> Result<(), Rejection> {
        if first_execution_run_id.is_empty() || self.first_execution_run_id().as_str() == first_execution_run_id {
            return Ok(());
        }
        Err(Rejection::NotFound("workflow execution not found".into()))
    }

    /// Whether the answer to what this event asked of another run waits in the buffer.
    pub(crate) fn answer_is_buffered(&self, initiated_event_id: EventId) -> bool {
        self.auxiliary.buffered.iter().any(|event| answered(event) == Some(initiated_event_id))
    }

    /// Whether a transfer task still has something to do.
    pub fn task_is_due(&self, task: &TransferTask) -> bool {
        match task {
            TransferTask::WorkflowTask { stamp, .. } => {
                self.is_open()
                    && self.auxiliary.workflow_task.stamp == *stamp
                    && self.workflow_task().is_some_and(|task| !task.is_started())
            }
            TransferTask::ActivityTask { scheduled_event_id, attempt, .. } => {
                self.is_open()
                    && self
                        .pending_activity(*scheduled_event_id)
                        .is_some_and(|(_, progress)| progress.attempt == *attempt && progress.started.is_none())
            }
            TransferTask::StartChild { initiated_event_id } => {
                self.pending_child(*initiated_event_id).is_some_and(|child| self.child_is_due(child))
            }
            TransferTask::SignalExternal { initiated_event_id } => {
                self.is_open() && self.pending_signal(*initiated_event_id).is_some()
            }
            TransferTask::CancelExternal { initiated_event_id } => {
                self.is_open() && self.pending_cancel(*initiated_event_id).is_some()
            }
            TransferTask::CloseExecution => !self.is_open(),
        }
    }

    /// Rebuilds the state from its whole history; auxiliary parts are empty.
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
        super::text::canonical(&format!("{:#?}", self.durable))
    }
}
