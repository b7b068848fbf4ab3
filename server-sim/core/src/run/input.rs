//! Everything that can happen to a run. There is no second way in.
use crate::{ChildClosed, CrossCallEnd, EventId, OtherRun, RunId, StartChild, TimerTask};
use serde::{Deserialize, Serialize};
use temporalio_protos::temporal::api::workflowservice::v1 as api;

/// Requests arrive validated for shape by the frontend (ids, sizes, enum values) and with defaults filled in; their field
/// `namespace` is the namespace's *name*, as the client sent it, and the id comes with the [`crate::Context`]. Rules that
/// depend on state are decided here.
///
/// Nodes of two versions send each other inputs, by variant and field names: variants are added and never changed, and what
/// they hold grows by optional fields only.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Input {
    /// State: the workflow id's current run, if any. May open a run.
    Start(#[serde(with = "crate::wire")] Box<api::StartWorkflowExecutionRequest>),
    /// State: as for `Start`.
    SignalWithStart(#[serde(with = "crate::wire")] Box<api::SignalWithStartWorkflowExecutionRequest>),
    Signal(#[serde(with = "crate::wire")] Box<api::SignalWorkflowExecutionRequest>),
    RequestCancel(#[serde(with = "crate::wire")] Box<api::RequestCancelWorkflowExecutionRequest>),
    Terminate(#[serde(with = "crate::wire")] Box<api::TerminateWorkflowExecutionRequest>),

    RecordWorkflowTaskStarted(RecordWorkflowTaskStarted),
    CompleteWorkflowTask(
        WorkflowTaskToken,
        #[serde(with = "crate::wire")] Box<api::RespondWorkflowTaskCompletedRequest>,
    ),
    FailWorkflowTask(WorkflowTaskToken, #[serde(with = "crate::wire")] Box<api::RespondWorkflowTaskFailedRequest>),

    RecordActivityTaskStarted(RecordActivityTaskStarted),
    HeartbeatActivity(ActivityRef, #[serde(with = "crate::wire")] Box<api::RecordActivityTaskHeartbeatRequest>),
    CompleteActivity(ActivityRef, #[serde(with = "crate::wire")] Box<api::RespondActivityTaskCompletedRequest>),
    FailActivity(ActivityRef, #[serde(with = "crate::wire")] Box<api::RespondActivityTaskFailedRequest>),
    CancelActivity(ActivityRef, #[serde(with = "crate::wire")] Box<api::RespondActivityTaskCanceledRequest>),

    /// State: as for `Start`. Another run wants it as its child.
    StartChild(Box<StartChild>),
    /// The parent has recorded this child's start, so that it may begin.
    BeginChild(OtherRun),
    SignalByWorkflow(OtherRun, #[serde(with = "crate::wire")] Box<api::SignalWorkflowExecutionRequest>),
    RequestCancelByWorkflow(OtherRun, #[serde(with = "crate::wire")] Box<api::RequestCancelWorkflowExecutionRequest>),
    /// Only parents do so, by their close policy.
    TerminateByWorkflow(OtherRun, #[serde(with = "crate::wire")] Box<api::TerminateWorkflowExecutionRequest>),
    /// What this run asked of another one has ended.
    #[serde(rename = "ErrandEnded")]
    CrossCallEnded(CrossCallEnd),
    ChildClosed(Box<ChildClosed>),

    /// A timer task of the timer queue is due in shard time. No other node says so.
    #[serde(skip)]
    FireTimer(TimerTask),
    /// No poller on the sticky queue: matching asks for the normal queue (no event, as in Temporal).
    ResetStickiness,
}

impl Input {
    /// Whether it may open a run, so that it is decided also where there is none.
    pub fn may_open_run(&self) -> bool {
        matches!(self, Self::Start(_) | Self::SignalWithStart(_) | Self::StartChild(_))
    }
}

/// Matching found a poll for a workflow task. Compare-and-set on (scheduled event, stamp); a repeat with the same
/// `request_id` gets the same answer, another poll `TaskAlreadyStarted`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordWorkflowTaskStarted {
    pub scheduled_event_id: EventId,
    pub stamp: u64,
    /// Drawn by matching per dispatch.
    pub request_id: String,
    pub identity: String,
    /// The queue that was polled, to tell sticky from normal.
    pub polled_queue: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordActivityTaskStarted {
    pub scheduled_event_id: EventId,
    pub attempt: i32,
    pub request_id: String,
    pub identity: String,
}

/// What a workflow task token says (and what must match for its completion to count).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowTaskToken {
    pub namespace_id: crate::NamespaceId,
    pub workflow_id: crate::WorkflowId,
    pub run_id: RunId,
    pub scheduled_event_id: EventId,
    pub started_event_id: EventId,
    pub started_time: crate::Time,
    pub attempt: i32,
}

/// What an activity task token says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityTaskToken {
    pub namespace_id: crate::NamespaceId,
    pub workflow_id: crate::WorkflowId,
    pub run_id: RunId,
    pub scheduled_event_id: EventId,
    pub attempt: i32,
    /// Tells apart two starts of one attempt.
    pub started_time: crate::Time,
}

/// How a caller names an activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActivityRef {
    Token(ActivityTaskToken),
    /// By the activity id that the workflow gave it; the run is found by the caller.
    Id(String),
}
