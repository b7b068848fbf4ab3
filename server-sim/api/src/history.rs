//! The protocol of the history role: everything that is asked of a workflow is one [`Input`], which may change it, or one
//! [`Read`], which does not.
use crate::{ServiceError, ServiceResult};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tempest_core::{
    BranchRef, EventId, Input, NamespaceId, RecordActivityTaskStarted, RecordWorkflowTaskStarted, RunId, RunKey,
    Started, TransferTask, WorkflowId, wire,
};
use temporalio_protos::temporal::api::{
    common::v1::WorkflowExecution, enums::v1::WorkflowExecutionStatus, history::v1::HistoryEvent,
    workflowservice::v1 as api,
};

/// History, as the other roles and its own shards see it. Inputs come validated for shape.
///
/// Every answer, an error or a no-op included, rests on durable state only. Each call may be repeated: request ids and
/// task tokens make the repeat harmless.
#[async_trait]
pub trait HistoryService: Send + Sync + 'static {
    /// Answers when what was decided is durable; an input that a later one answers, when that is.
    async fn call(&self, to: Target, input: Input) -> ServiceResult<Reply>;

    async fn read(&self, to: Target, read: Read) -> ServiceResult<View>;

    /// [`HistoryService::call`], which gives back what it did not take: it can be asked elsewhere, and no copy was made.
    async fn offer(&self, to: Target, input: Input) -> Result<Reply, Refused<(Target, Input)>> {
        self.call(to, input).await.map_err(Refused::from)
    }
}

/// A workflow id within its namespace. Its runs live in one shard.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkflowKey {
    pub namespace_id: NamespaceId,
    pub workflow_id: WorkflowId,
}

impl WorkflowKey {
    pub fn of(run: &RunKey) -> Self {
        Self { namespace_id: run.namespace_id.clone(), workflow_id: run.workflow_id.clone() }
    }

    pub fn run(&self, run_id: RunId) -> RunKey {
        RunKey { namespace_id: self.namespace_id.clone(), workflow_id: self.workflow_id.clone(), run_id }
    }
}

/// Which run of which workflow is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub workflow: WorkflowKey,
    /// Empty: the current run.
    pub run_id: RunId,
}

impl Target {
    pub fn new(namespace_id: NamespaceId, workflow_id: impl Into<WorkflowId>, run_id: impl Into<RunId>) -> Self {
        let workflow = WorkflowKey { namespace_id, workflow_id: workflow_id.into() };
        Self { workflow, run_id: run_id.into() }
    }

    pub fn of(run: &RunKey) -> Self {
        Self { workflow: WorkflowKey::of(run), run_id: run.run_id.clone() }
    }

    /// The workflow's current run.
    pub fn current(namespace_id: &NamespaceId, workflow_id: &str) -> Self {
        Self::new(namespace_id.clone(), workflow_id, RunId::default())
    }

    /// The run that a request names.
    pub fn named(namespace_id: &NamespaceId, execution: Option<&WorkflowExecution>) -> Self {
        let (workflow_id, run_id) =
            execution.map_or(("", ""), |execution| (execution.workflow_id.as_str(), execution.run_id.as_str()));
        Self::new(namespace_id.clone(), workflow_id, run_id)
    }

    /// The same, unless the request names the chain: then its newest run is meant, as in Temporal, and the core compares
    /// the chain.
    pub fn of_chain(
        namespace_id: &NamespaceId,
        execution: Option<&WorkflowExecution>,
        first_execution_run_id: &str,
    ) -> Self {
        let mut target = Self::named(namespace_id, execution);
        if !first_execution_run_id.is_empty() {
            target.run_id = RunId::default();
        }
        target
    }
}

/// What came of an input: the core's reply, completed by what only the shard knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// There is nothing more to say.
    Done,
    Started(Started),
    /// With the first page of the history, and the task token.
    WorkflowTaskStarted(#[serde(with = "wire")] Box<api::PollWorkflowTaskQueueResponse>),
    /// With the next workflow task, history and token included, if it was asked for and is needed.
    WorkflowTaskCompleted(#[serde(with = "wire")] Box<api::RespondWorkflowTaskCompletedResponse>),
    /// With the task token.
    ActivityTaskStarted(#[serde(with = "wire")] Box<api::PollActivityTaskQueueResponse>),
    Heartbeat {
        cancel_requested: bool,
    },
    /// The run that has the signal: by its workflow id alone the caller does not know which one that is.
    Signaled(RunId),
}

impl Reply {
    /// # Errors
    /// The reply is one to another input.
    pub fn started(self) -> ServiceResult<Started> {
        match self {
            Self::Started(started) => Ok(started),
            reply => reply.unexpected(),
        }
    }

    /// The error for a caller whose input has no such reply.
    ///
    /// # Errors
    /// Always.
    pub fn unexpected<T>(self) -> ServiceResult<T> {
        Err(ServiceError::Internal(format!("history gave a reply of another kind: {self:?}")))
    }
}

/// Questions that change nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Read {
    /// As DescribeWorkflowExecution shows it.
    Describe,
    /// Where a run's history is and how far it goes now. With a wait, answered when `next_event_id` exceeds
    /// `wait.next_event_id`, or the run is closed, or `wait.timeout` is over (then with what there is).
    HistoryPosition(Option<HistoryWait>),
    /// Events with `from <= id < until`, at most about `page_size`: whole batches, so a page may exceed it. Reads what
    /// [`Read::HistoryPosition`] proved durable.
    HistoryPage { branch: BranchRef, from: EventId, until: EventId, page_size: usize },
    /// The newest events first: ids below `until`, descending, about `page_size` of them.
    HistoryPageReverse { branch: BranchRef, until: EventId, page_size: usize },
    /// Whether the run still waits for the outcome of the cross-workflow call that this task makes. The callee cannot tell
    /// whether the call was executed before. A run that is gone is `NotFound`.
    AwaitsOutboundCall(TransferTask),
}

/// The answer to a [`Read`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum View {
    Described(#[serde(with = "wire")] Box<api::DescribeWorkflowExecutionResponse>),
    HistoryPosition(Box<HistoryPosition>),
    History(#[serde(with = "wire::list")] Vec<HistoryEvent>),
    /// Yes or no.
    Truth(bool),
}

impl View {
    fn unexpected<T>(self) -> ServiceResult<T> {
        Err(ServiceError::Internal(format!("history gave a view of another kind: {self:?}")))
    }

    fn truth(self) -> ServiceResult<bool> {
        match self {
            Self::Truth(truth) => Ok(truth),
            view => view.unexpected(),
        }
    }

    fn history(self) -> ServiceResult<Vec<HistoryEvent>> {
        match self {
            Self::History(events) => Ok(events),
            view => view.unexpected(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryWait {
    /// Answer once the history goes beyond this.
    pub next_event_id: EventId,
    /// Answer only once the run is closed.
    pub until_closed: bool,
    /// At most this long.
    pub timeout: Duration,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryPosition {
    pub run: RunKey,
    pub branch: BranchRef,
    pub next_event_id: EventId,
    #[serde(with = "wire::number")]
    pub status: WorkflowExecutionStatus,
    /// Not persisted: scheduled and started events of a transient workflow task.
    #[serde(with = "wire::list")]
    pub transient_events: Vec<HistoryEvent>,
}

/// A call that failed, and what was asked, where the callee did not take it. Whether it may be asked again, the error says.
#[derive(Debug)]
pub struct Refused<A> {
    pub error: ServiceError,
    pub ask: Option<Box<A>>,
}

impl<A> From<ServiceError> for Refused<A> {
    fn from(error: ServiceError) -> Self {
        Self { error, ask: None }
    }
}

/// What several callers ask in the same way. Errors are the service's.
impl dyn HistoryService + '_ {
    /// Compare-and-set: one poll gets the task.
    pub async fn record_workflow_task_started(
        &self,
        run: &RunKey,
        request: RecordWorkflowTaskStarted,
    ) -> ServiceResult<Box<api::PollWorkflowTaskQueueResponse>> {
        match self.call(Target::of(run), Input::RecordWorkflowTaskStarted(request)).await? {
            Reply::WorkflowTaskStarted(response) => Ok(response),
            reply => reply.unexpected(),
        }
    }

    /// Compare-and-set: one poll gets the task.
    pub async fn record_activity_task_started(
        &self,
        run: &RunKey,
        request: RecordActivityTaskStarted,
    ) -> ServiceResult<Box<api::PollActivityTaskQueueResponse>> {
        match self.call(Target::of(run), Input::RecordActivityTaskStarted(request)).await? {
            Reply::ActivityTaskStarted(response) => Ok(response),
            reply => reply.unexpected(),
        }
    }

    pub async fn complete_workflow_task(
        &self,
        token: tempest_core::WorkflowTaskToken,
        request: api::RespondWorkflowTaskCompletedRequest,
    ) -> ServiceResult<api::RespondWorkflowTaskCompletedResponse> {
        let target = Target::new(token.namespace_id.clone(), token.workflow_id.clone(), token.run_id.clone());
        match self.call(target, Input::CompleteWorkflowTask(token, Box::new(request))).await? {
            Reply::WorkflowTaskCompleted(response) => Ok(*response),
            Reply::Done => Ok(api::RespondWorkflowTaskCompletedResponse::default()),
            reply => reply.unexpected(),
        }
    }

    pub async fn describe(&self, target: Target) -> ServiceResult<Box<api::DescribeWorkflowExecutionResponse>> {
        match self.read(target, Read::Describe).await? {
            View::Described(response) => Ok(response),
            view => view.unexpected(),
        }
    }

    pub async fn history_position(&self, target: Target, wait: Option<HistoryWait>) -> ServiceResult<HistoryPosition> {
        match self.read(target, Read::HistoryPosition(wait)).await? {
            View::HistoryPosition(position) => Ok(*position),
            view => view.unexpected(),
        }
    }

    pub async fn read_history(
        &self,
        run: &RunKey,
        branch: &BranchRef,
        from: EventId,
        until: EventId,
        page_size: usize,
    ) -> ServiceResult<Vec<HistoryEvent>> {
        let read = Read::HistoryPage { branch: branch.clone(), from, until, page_size };
        self.read(Target::of(run), read).await?.history()
    }

    pub async fn read_history_reverse(
        &self,
        run: &RunKey,
        branch: &BranchRef,
        until: EventId,
        page_size: usize,
    ) -> ServiceResult<Vec<HistoryEvent>> {
        let read = Read::HistoryPageReverse { branch: branch.clone(), until, page_size };
        self.read(Target::of(run), read).await?.history()
    }

    pub async fn awaits_outbound_call(&self, caller: &RunKey, task: TransferTask) -> ServiceResult<bool> {
        self.read(Target::of(caller), Read::AwaitsOutboundCall(task)).await?.truth()
    }
}
