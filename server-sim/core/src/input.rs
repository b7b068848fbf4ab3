//! Everything that can happen to a run. There is no second way in.
use crate::{ChildClosed, ErrandEnd, EventId, OtherRun, RunId, StartChild, TimerTask};
use serde::{Deserialize, Serialize};
use temporalio_protos::temporal::api::workflowservice::v1 as api;

/// Requests arrive validated for shape by the frontend (ids, sizes, enum values), with defaults filled in and with the
/// namespace's *id* in the field `namespace` (its name where a workflow task is completed: commands name namespaces);
/// rules that depend on state are decided here.
#[derive(Clone, Debug)]
pub enum Input {
    /// State: the workflow id's current run, if any. May open a run.
    Start(Box<api::StartWorkflowExecutionRequest>),
    /// State: as for `Start`.
    SignalWithStart(Box<api::SignalWithStartWorkflowExecutionRequest>),
    Signal(Box<api::SignalWorkflowExecutionRequest>),
    RequestCancel(Box<api::RequestCancelWorkflowExecutionRequest>),
    Terminate(Box<api::TerminateWorkflowExecutionRequest>),

    RecordWorkflowTaskStarted(RecordWorkflowTaskStarted),
    CompleteWorkflowTask(WorkflowTaskToken, Box<api::RespondWorkflowTaskCompletedRequest>),
    FailWorkflowTask(WorkflowTaskToken, Box<api::RespondWorkflowTaskFailedRequest>),

    RecordActivityTaskStarted(RecordActivityTaskStarted),
    HeartbeatActivity(ActivityRef, Box<api::RecordActivityTaskHeartbeatRequest>),
    CompleteActivity(ActivityRef, Box<api::RespondActivityTaskCompletedRequest>),
    FailActivity(ActivityRef, Box<api::RespondActivityTaskFailedRequest>),
    CancelActivity(ActivityRef, Box<api::RespondActivityTaskCanceledRequest>),

    /// State: as for `Start`. Another run wants it as its child.
    StartChild(Box<StartChild>),
    /// The parent has recorded this child's start, so that it may begin.
    BeginChild(OtherRun),
    SignalByWorkflow(OtherRun, Box<api::SignalWorkflowExecutionRequest>),
    RequestCancelByWorkflow(OtherRun, Box<api::RequestCancelWorkflowExecutionRequest>),
    /// Only parents do so, by their close policy.
    TerminateByWorkflow(OtherRun, Box<api::TerminateWorkflowExecutionRequest>),
    /// What this run asked of another one has ended.
    ErrandEnded(ErrandEnd),
    ChildClosed(Box<ChildClosed>),

    /// A timer task of the timer queue is due in shard time.
    FireTimer(TimerTask),
    /// No poller on the sticky queue: matching asks for the normal queue (no event, as in Temporal).
    ResetStickiness,
}

/// Matching found a poll for a workflow task. Compare-and-set on (scheduled event, stamp); a repeat with the same
/// `request_id` gets the same answer, anybody else `TaskAlreadyStarted`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordWorkflowTaskStarted {
    pub scheduled_event_id: EventId,
    pub stamp: u64,
    /// Drawn by matching per hand-over.
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
