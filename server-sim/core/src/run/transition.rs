//! What happens next, and is not performed yet.
use crate::{Change, EventId, MutableState, PartKey, RunId, RunKey, Time, TimerTask, TransferTask};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use temporalio_protos::temporal::api::{
    enums::v1::WorkflowExecutionStatus, history::v1::HistoryEvent, workflowservice::v1 as api,
};

/// The decision on one input. Nothing of it is true before its commit is durable, the reply included.
#[derive(Clone, Debug)]
pub struct Transition {
    /// What is written: the run that was given to `decide` if it changes, then the run that this input opens (start,
    /// continue-as-new, retry, terminate-existing). Empty if nothing changes (a repeat, a stale timer).
    pub runs: Vec<RunWrite>,
    pub reply: Reply,
    /// What the callers of earlier inputs hear now, that were promised an answer by [`Reply::Later`].
    pub answers: Vec<(AnswerKey, Result<Reply, crate::Rejection>)>,
    /// Names of the rare paths this decision took, for the harness's vacuity guard.
    pub probes: Vec<&'static str>,
}

/// One run's next state and what goes with it; a run that changes and one that is opened look alike.
#[derive(Clone, Debug)]
pub struct RunWrite {
    /// The next state itself: it replaces what was decided on as soon as this is staged.
    pub state: Box<MutableState>,
    /// The version of the state that was decided on, which must still be the stored one; `None` for a run that must not
    /// exist yet. Such a run becomes its workflow id's current one.
    pub expected_version: Option<u64>,
    /// Events to append to the history branch, contiguous, as one batch (empty if only auxiliary parts changed).
    pub events: Vec<HistoryEvent>,
    pub transfer_tasks: Vec<TransferTask>,
    pub timer_tasks: Vec<TimerTask>,
    /// All that differs from the state before, or is there no more. Empty if only tasks are added.
    pub touched: BTreeSet<PartKey>,
    /// The parts whose own rows change with this write, where they have any: each is written as the state has it, or deleted
    /// if the state lacks it or has it in its row again. All other rows of parts stay as they are.
    pub part_rows: BTreeSet<PartKey>,
    /// Every change in order, if the context asks for it ([`crate::Flags::traced`]).
    pub trace: Vec<Change>,
}

impl Transition {
    /// Nothing changes; there may be something to say.
    pub(crate) fn nothing(reply: Reply) -> Self {
        Self { runs: Vec::new(), reply, answers: Vec::new(), probes: Vec::new() }
    }

    /// The run that it opens, if it opens one.
    pub fn opened(&self) -> Option<&RunWrite> {
        self.runs.iter().find(|run| run.opens())
    }

    /// The run that was there before and changes, if one does.
    pub fn changed(&self) -> Option<&RunWrite> {
        self.runs.iter().find(|run| !run.opens())
    }
}

impl RunWrite {
    pub fn key(&self) -> &RunKey {
        self.state.key()
    }

    /// Whether it is a run that did not exist.
    pub fn opens(&self) -> bool {
        self.expected_version.is_none()
    }
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
    /// Nothing yet: a later transition of this run has the answer, among its [`Transition::answers`]. If the caller goes
    /// away, or the shard gets another owner, the answer is dropped, and the caller asks again.
    Later(AnswerKey),
    /// The input is refused, *and* the changes above happen (a workflow task failed for bad commands).
    Refused(crate::Rejection),
}

/// Names one of the answers that callers of a run wait for. A caller that repeats an input waits for the same one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AnswerKey(pub String);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    pub run_id: RunId,
    pub first_execution_run_id: RunId,
    /// False if an existing run answered.
    pub started: bool,
    /// The run that answered has an event of this start, with its request id.
    #[serde(default)]
    pub attached: bool,
    #[serde(with = "crate::wire::number")]
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
