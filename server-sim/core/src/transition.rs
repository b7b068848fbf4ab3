//! What happens next, performed by nobody yet.
use crate::{EventId, MutableState, RunId, Time, TimerTask, TransferTask};
use temporalio_protos::temporal::api::{
    enums::v1::WorkflowExecutionStatus, history::v1::HistoryEvent, workflowservice::v1 as api,
};

/// The decision on one input. Nothing of it is true before its commit is durable, the reply included.
#[derive(Clone, Debug)]
pub struct Transition {
    /// What changes in the run that was given to `decide`; `None` if it stays as it is (a repeat, a stale timer).
    pub run: Option<RunChange>,
    /// A run that this input opens: start, continue-as-new, retry, terminate-existing.
    pub new_run: Option<Box<NewRun>>,
    pub reply: Reply,
    /// Names of the rare paths this decision took, for the harness's vacuity guard.
    pub probes: Vec<&'static str>,
}

/// One run's next state and what goes with it.
#[derive(Clone, Debug)]
pub struct RunChange {
    /// The changes in order; `MutableState::apply` folds them and nothing else changes a state.
    pub changes: Vec<crate::Change>,
    /// Events to append to the history branch, contiguous, as one batch (empty if only ephemeral parts changed).
    pub events: Vec<HistoryEvent>,
    pub transfer_tasks: Vec<TransferTask>,
    pub timer_tasks: Vec<TimerTask>,
}

#[derive(Clone, Debug)]
pub struct NewRun {
    pub run_id: RunId,
    /// The new run's state, all its changes applied.
    pub state: MutableState,
    pub events: Vec<HistoryEvent>,
    pub transfer_tasks: Vec<TransferTask>,
    pub timer_tasks: Vec<TimerTask>,
    /// Whether the workflow id's current-run pointer must move to it (always, today).
    pub becomes_current: bool,
}

/// What the caller is told once everything above is durable.
#[derive(Clone, Debug)]
pub enum Reply {
    None,
    Started(Started),
    WorkflowTaskStarted(Box<WorkflowTaskStarted>),
    WorkflowTaskCompleted(Box<WorkflowTaskCompleted>),
    ActivityStarted(Box<api::PollActivityTaskQueueResponse>),
    Heartbeat {
        cancel_requested: bool,
    },
    /// The input is refused, *and* the changes above happen (a workflow task failed for bad commands).
    Refused(crate::Rejection),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    pub run_id: RunId,
    pub first_execution_run_id: RunId,
    /// False if an existing run answered.
    pub started: bool,
    pub status: WorkflowExecutionStatus,
}

/// Everything a poll response needs beside the history itself, which the shard reads from the branch.
#[derive(Clone, Debug)]
pub struct WorkflowTaskStarted {
    /// Without history and task token; the shard fills these.
    pub response: api::PollWorkflowTaskQueueResponse,
    pub token: crate::WorkflowTaskToken,
    /// Ship events from here ...
    pub history_from: EventId,
    /// ... up to and including this one, from the branch ...
    pub history_until: EventId,
    /// ... then these, which are not persisted (transient scheduled and started).
    pub transient_events: Vec<HistoryEvent>,
}

#[derive(Clone, Debug)]
pub struct WorkflowTaskCompleted {
    /// Set when the next workflow task is returned inline.
    pub workflow_task: Option<WorkflowTaskStarted>,
    /// Eagerly started activities.
    pub activity_tasks: Vec<api::PollActivityTaskQueueResponse>,
    pub reset_history_event_id: EventId,
    /// Shard time of the decision.
    pub now: Time,
}
