//! Cross-workflow calls: what a run's transfer task asks of *other* runs, wherever they live.
//!
//! Two runs are never changed in one commit. Each thing one run asks of another goes the same way:
//! 1. an event (`...Initiated`) and a transfer task are committed with the run that asks;
//! 2. the task's cross-workflow call is one idempotent call to the other run: [`MutableState::cross_call`] says which, with
//!    a request id that follows from the run and the event, so that every repetition carries the same one;
//! 3. its end comes back as an [`crate::Input`], and only then is the task deleted.
//!
//! Every step may be repeated, late, or lost and repeated. What that can lead to, and what is done about it:
//! - *The answer to a start gets lost.* The repeated start finds the child, even when the child's chain has gone on to
//!   another run meanwhile: a run knows which event of which run it is the child of.
//! - *The child ends before its start is recorded* (a signal may let it begin, a timeout or a person may end it). The
//!   parent then records the start first, and the end right after it. The start, when it comes, finds no pending child.
//! - *The child must not begin before its start is recorded*, or the parent could close without knowing of a running
//!   child. It gets its first workflow task from the parent's task, after the record ([`CrossCall::BeginChild`]).
//! - *The parent closes before it has recorded the start.* The start may have happened all the same. The owner of
//!   the parent's shard then settles the child: ended by its policy, or told to begin if it is to be abandoned.
//! - *The parent closes after it.* `CloseExecution` ends the children; those of other parents by the same workflow id
//!   are spared, since a run is asked as the child of one parent.
//! - *The child goes on in another run* (continue-as-new, retry). Only the last run of the chain reports.
//! - *The parent is gone, closed, or has heard it already.* There is no run to tell, and the call is done.
//! - *A call arrives late that was made before another one was answered.* What it asks for may be done and over. An owner
//!   that cannot remember asks the run that wanted it whether it still waits ([`MutableState::awaits`]).
//! - *The outcome of a call is unknown.* It is made again. Only a definite refusal becomes a `...Failed` event, and
//!   only once no earlier call can be on its way any more that would do what the event denies.
use crate::{EventId, KnownEvents, MutableState, NamespaceId, RunId, RunKey, TransferTask, WorkflowId, wire};
use serde::{Deserialize, Serialize};
use temporalio_protos::temporal::api::{
    common::v1::WorkflowExecution,
    enums::v1::{
        CancelExternalWorkflowExecutionFailedCause as CancelFailed,
        SignalExternalWorkflowExecutionFailedCause as SignalFailed,
        StartChildWorkflowExecutionFailedCause as StartFailed,
    },
    history::v1::HistoryEvent,
    workflowservice::v1 as api,
};

/// One transfer task's business with other runs.
#[derive(Clone, Debug)]
pub enum CrossCall {
    /// Start it, tell the run that asked how that ended, let it begin. If that run has closed meanwhile, settle it.
    StartChild {
        child: Box<StartChild>,
        otherwise: ClosePolicyCall,
    },
    /// Its start is recorded: it may begin.
    BeginChild {
        child: RunKey,
        parent: OtherRun,
    },
    /// The run closed before it heard of the start.
    Settle(ClosePolicyCall),
    Signal(ToRun<api::SignalWorkflowExecutionRequest>),
    Cancel(ToRun<api::RequestCancelWorkflowExecutionRequest>),
    /// What came of it is known without asking another run.
    Known(CrossCallEnd),
    /// The run closed.
    Close {
        report: Option<ReportToParent>,
        children: Vec<ClosePolicyCall>,
    },
}

/// A request to a run of this namespace, on behalf of another.
#[derive(Clone, Debug)]
pub struct ToRun<T> {
    pub namespace_id: NamespaceId,
    pub from: OtherRun,
    pub request: T,
}

/// The run that acts on another one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherRun {
    pub namespace_id: NamespaceId,
    pub workflow_id: WorkflowId,
    pub run_id: RunId,
    /// Its event that says so; 0 where a policy does.
    pub initiated_event_id: EventId,
    /// Refuse it unless the run that is acted on is its child.
    pub child_only: bool,
}

impl OtherRun {
    pub fn key(&self) -> RunKey {
        let Self { namespace_id, workflow_id, run_id, .. } = self.clone();
        RunKey { namespace_id, workflow_id, run_id }
    }

    pub(crate) fn execution(self) -> WorkflowExecution {
        WorkflowExecution { workflow_id: self.workflow_id.0, run_id: self.run_id.0 }
    }
}

/// What happens to a child whose parent has closed.
#[derive(Clone, Debug)]
pub enum ClosePolicyCall {
    Terminate(ToRun<api::TerminateWorkflowExecutionRequest>),
    Cancel(ToRun<api::RequestCancelWorkflowExecutionRequest>),
    /// It goes on by itself: only its first workflow task may still be missing.
    Abandon {
        child: RunKey,
        parent: OtherRun,
    },
}

/// A request to start a run as another one's child.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StartChild {
    /// The child's.
    pub namespace_id: NamespaceId,
    #[serde(with = "wire")]
    pub request: api::StartWorkflowExecutionRequest,
    pub parent: RunKey,
    pub parent_namespace: String,
    pub initiated_event_id: EventId,
    /// The run at the root of the tree.
    #[serde(with = "wire")]
    pub root: WorkflowExecution,
}

/// Who is to hear that a child's last run has closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportToParent {
    pub parent: RunKey,
    pub initiated_event_id: EventId,
    pub child: RunKey,
    pub first_execution_run_id: RunId,
}

/// The last run of a child's chain has closed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChildClosed {
    pub initiated_event_id: EventId,
    pub workflow_id: WorkflowId,
    pub run_id: RunId,
    /// Of its chain: what its start was recorded with.
    pub first_execution_run_id: RunId,
    /// Its last event.
    #[serde(with = "wire")]
    pub closing: HistoryEvent,
}

/// How a cross-workflow call ended, certainly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrossCallEnd {
    pub initiated_event_id: EventId,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// With its first run.
    ChildStarted(RunId),
    /// The causes are values of their protobuf enums.
    ChildStartFailed(i32),
    Signaled,
    SignalFailed(i32),
    CancelRequested,
    CancelFailed(i32),
}

impl Outcome {
    /// Whether it did not happen.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::ChildStartFailed(_) | Self::SignalFailed(_) | Self::CancelFailed(_) => true,
            Self::ChildStarted(_) | Self::Signaled | Self::CancelRequested => false,
        }
    }
}

impl MutableState {
    /// What a transfer task still has to do with other runs; `None` if nothing, or if it is a task for matching.
    /// `events` has the event that it needs ([`MutableState::event_needed_to_call`]).
    pub fn cross_call(&self, task: &TransferTask, events: &KnownEvents) -> Option<CrossCall> {
        match task {
            TransferTask::WorkflowTask { .. } | TransferTask::ActivityTask { .. } => None,
            TransferTask::StartChild { initiated_event_id } => {
                self.child_cross_call(self.pending_child(*initiated_event_id)?, events)
            }
            TransferTask::SignalExternal { initiated_event_id } => self.signal_cross_call(*initiated_event_id, events),
            TransferTask::CancelExternal { initiated_event_id } => self.cancel_cross_call(*initiated_event_id),
            TransferTask::CloseExecution => self.close_cross_call(),
        }
    }

    /// Whether this run still waits to hear how such a cross-workflow call ended. If not, a call of it that is made or
    /// arrives only now would do what no run asks for any more.
    pub fn awaits(&self, task: &TransferTask) -> bool {
        let asks = |execution: Option<&_>| self.is_open() && !self.is_meant_by(execution);
        match task {
            TransferTask::StartChild { initiated_event_id: id } => {
                self.is_open() && self.pending_child(*id).is_some() && self.child_start(*id).is_none()
            }
            TransferTask::SignalExternal { initiated_event_id: id } => {
                self.pending_signal(*id).is_some_and(|signal| asks(signal.attributes.workflow_execution.as_ref()))
            }
            TransferTask::CancelExternal { initiated_event_id: id } => {
                self.pending_cancel(*id).is_some_and(|cancel| asks(cancel.attributes.workflow_execution.as_ref()))
            }
            TransferTask::WorkflowTask { .. } | TransferTask::ActivityTask { .. } | TransferTask::CloseExecution => {
                false
            }
        }
    }

    pub(crate) fn request_id(&self, initiated_event_id: EventId) -> String {
        cross_call_request_id(&self.key().run_id, initiated_event_id)
    }

    /// Acting on oneself counts as acting on no run, whichever run is meant; Temporal says so too.
    pub(crate) fn is_meant_by(&self, execution: Option<&WorkflowExecution>) -> bool {
        execution.is_some_and(|execution| execution.workflow_id == self.key().workflow_id.as_str())
    }

    pub(crate) fn execution(&self) -> WorkflowExecution {
        WorkflowExecution { workflow_id: self.key().workflow_id.0.clone(), run_id: self.key().run_id.0.clone() }
    }

    pub(crate) fn as_other(&self, initiated_event_id: EventId, child_only: bool) -> OtherRun {
        let RunKey { namespace_id, workflow_id, run_id } = self.key().clone();
        OtherRun { namespace_id, workflow_id, run_id, initiated_event_id, child_only }
    }
}

/// One request id for one event, whenever and however often it is needed.
pub fn cross_call_request_id(run: &RunId, initiated_event_id: EventId) -> String {
    format!("{run}:{initiated_event_id}")
}

impl Outcome {
    pub fn start_failed(cause: StartFailed) -> Self {
        Self::ChildStartFailed(cause.into())
    }

    pub fn signal_failed(cause: SignalFailed) -> Self {
        Self::SignalFailed(cause.into())
    }

    pub fn cancel_failed(cause: CancelFailed) -> Self {
        Self::CancelFailed(cause.into())
    }
}
