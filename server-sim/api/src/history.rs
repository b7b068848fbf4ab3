//! What the history role offers: workflow state machines, by shard.
use crate::ServiceError;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tempest_core::{
    ActivityRef, BranchRef, ChildClosed, ErrandEnd, EventId, NamespaceId, OtherRun, RecordActivityTaskStarted,
    RecordWorkflowTaskStarted, RunId, RunKey, StartChild, TransferTask, WorkflowId, WorkflowTaskToken,
};
use temporalio_protos::temporal::api::{
    common::v1::WorkflowExecution, enums::v1::WorkflowExecutionStatus, history::v1::HistoryEvent,
    workflowservice::v1 as api,
};

/// Result of a call between roles.
pub type ServiceResult<T> = Result<T, ServiceError>;

/// History, as frontend and matching see it. Requests come validated for shape, with the namespace resolved to its id.
///
/// Every answer, an error or a no-op included, rests on durable state only. Each call may be repeated: request ids and
/// task tokens make the repeat harmless. An empty run id means the current run.
#[async_trait]
pub trait HistoryService: Send + Sync + 'static {
    async fn start_workflow(
        &self,
        namespace: &NamespaceId,
        request: api::StartWorkflowExecutionRequest,
    ) -> ServiceResult<api::StartWorkflowExecutionResponse>;

    async fn signal_with_start_workflow(
        &self,
        namespace: &NamespaceId,
        request: api::SignalWithStartWorkflowExecutionRequest,
    ) -> ServiceResult<api::SignalWithStartWorkflowExecutionResponse>;

    async fn signal_workflow(
        &self,
        namespace: &NamespaceId,
        request: api::SignalWorkflowExecutionRequest,
    ) -> ServiceResult<()>;

    async fn request_cancel_workflow(
        &self,
        namespace: &NamespaceId,
        request: api::RequestCancelWorkflowExecutionRequest,
    ) -> ServiceResult<()>;

    async fn terminate_workflow(
        &self,
        namespace: &NamespaceId,
        request: api::TerminateWorkflowExecutionRequest,
    ) -> ServiceResult<()>;

    async fn describe_workflow(
        &self,
        namespace: &NamespaceId,
        execution: &WorkflowExecution,
    ) -> ServiceResult<api::DescribeWorkflowExecutionResponse>;

    /// Another run's errand: starts its child, which waits for `begin_child_workflow`. The same child again gets the same
    /// answer: the first run of its chain.
    async fn start_child_workflow(
        &self,
        namespace: &NamespaceId,
        child: StartChild,
    ) -> ServiceResult<api::StartWorkflowExecutionResponse>;

    /// The parent has recorded the start of this child. Without effect on a child that has begun.
    async fn begin_child_workflow(&self, child: &RunKey, parent: OtherRun) -> ServiceResult<()>;

    async fn signal_by_workflow(
        &self,
        namespace: &NamespaceId,
        from: OtherRun,
        request: api::SignalWorkflowExecutionRequest,
    ) -> ServiceResult<()>;

    async fn request_cancel_by_workflow(
        &self,
        namespace: &NamespaceId,
        from: OtherRun,
        request: api::RequestCancelWorkflowExecutionRequest,
    ) -> ServiceResult<()>;

    async fn terminate_by_workflow(
        &self,
        namespace: &NamespaceId,
        from: OtherRun,
        request: api::TerminateWorkflowExecutionRequest,
    ) -> ServiceResult<()>;

    /// How a run's errand ended. `NotFound` if the run has closed; what is not pending any more is no error.
    async fn record_errand_end(&self, run: &RunKey, end: ErrandEnd) -> ServiceResult<()>;

    /// A child's last run has closed. `NotFound` if the parent has closed or waits for no such child.
    async fn record_child_closed(&self, parent: &RunKey, closed: ChildClosed) -> ServiceResult<()>;

    /// Compare-and-set: one poll gets the task. Returns the poll response, history's first page and token included.
    async fn record_workflow_task_started(
        &self,
        run: &RunKey,
        request: RecordWorkflowTaskStarted,
    ) -> ServiceResult<api::PollWorkflowTaskQueueResponse>;

    async fn record_activity_task_started(
        &self,
        run: &RunKey,
        request: RecordActivityTaskStarted,
    ) -> ServiceResult<api::PollActivityTaskQueueResponse>;

    async fn complete_workflow_task(
        &self,
        token: WorkflowTaskToken,
        request: api::RespondWorkflowTaskCompletedRequest,
    ) -> ServiceResult<api::RespondWorkflowTaskCompletedResponse>;

    async fn fail_workflow_task(
        &self,
        token: WorkflowTaskToken,
        request: api::RespondWorkflowTaskFailedRequest,
    ) -> ServiceResult<()>;

    async fn heartbeat_activity(
        &self,
        activity: ActivityAddress,
        request: api::RecordActivityTaskHeartbeatRequest,
    ) -> ServiceResult<api::RecordActivityTaskHeartbeatResponse>;

    async fn complete_activity(
        &self,
        activity: ActivityAddress,
        request: api::RespondActivityTaskCompletedRequest,
    ) -> ServiceResult<()>;

    async fn fail_activity(
        &self,
        activity: ActivityAddress,
        request: api::RespondActivityTaskFailedRequest,
    ) -> ServiceResult<()>;

    async fn cancel_activity(
        &self,
        activity: ActivityAddress,
        request: api::RespondActivityTaskCanceledRequest,
    ) -> ServiceResult<()>;

    /// Where a run's history is and how far it goes now. With `wait`, answers when `next_event_id` exceeds
    /// `wait.next_event_id`, or the run is closed, or `wait.timeout` is over (then with what there is).
    async fn history_position(
        &self,
        namespace: &NamespaceId,
        execution: &WorkflowExecution,
        wait: Option<HistoryWait>,
    ) -> ServiceResult<HistoryPosition>;

    /// Events with `from <= id < until`, at most about `page_size`: whole batches, so a page may exceed it. Reads what
    /// [`HistoryService::history_position`] proved durable.
    async fn read_history(
        &self,
        run: &RunKey,
        branch: &BranchRef,
        from: EventId,
        until: EventId,
        page_size: usize,
    ) -> ServiceResult<Vec<HistoryEvent>>;

    /// The newest events first: ids below `until`, descending, about `page_size` of them.
    async fn read_history_reverse(
        &self,
        run: &RunKey,
        branch: &BranchRef,
        until: EventId,
        page_size: usize,
    ) -> ServiceResult<Vec<HistoryEvent>>;

    /// Matching asks before it dispatches a task that waited long: is it still wanted?
    async fn task_is_due(&self, run: &RunKey, task: &TransferTask) -> ServiceResult<bool>;

    /// Whether the run still waits to hear how this errand of it ended: whoever is asked to do it cannot tell whether it was
    /// done before. A run that is gone is `NotFound`.
    async fn awaits_errand(&self, run: &RunKey, task: &TransferTask) -> ServiceResult<bool>;

    /// No worker polls the run's sticky queue: forget it (no event).
    async fn reset_sticky_task_queue(&self, run: &RunKey) -> ServiceResult<()>;
}

/// Which activity of which run a worker means.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ActivityAddress {
    pub namespace_id: NamespaceId,
    pub workflow_id: WorkflowId,
    /// Empty: the current run.
    pub run_id: RunId,
    pub activity: ActivityRef,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct HistoryWait {
    /// Answer once the history goes beyond this.
    pub next_event_id: EventId,
    /// Answer only once the run is closed.
    pub until_closed: bool,
    /// At most this long.
    pub timeout: Duration,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HistoryPosition {
    pub run: RunKey,
    pub branch: BranchRef,
    pub next_event_id: EventId,
    #[serde(with = "crate::error::number")]
    pub status: WorkflowExecutionStatus,
    /// Not persisted: scheduled and started events of a transient workflow task.
    #[serde(with = "tempest_core::wire::list")]
    pub transient_events: Vec<HistoryEvent>,
}
