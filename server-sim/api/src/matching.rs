//! What the matching role offers: it brings tasks and polls together.
use crate::history::ServiceResult;
use async_trait::async_trait;
use std::time::Duration;
use tempest_core::{EventId, NamespaceId, RunKey};
use temporalio_protos::temporal::api::workflowservice::v1 as api;

/// Matching, as frontend and history see it. Dropping the future of a poll withdraws the poll.
#[async_trait]
pub trait MatchingService: Send + Sync + 'static {
    /// Answers once the task is with a worker whose start is recorded, or durable in the backlog.
    ///
    /// # Errors
    /// `StickyWorkerUnavailable` if nobody has polled the sticky queue for a while.
    async fn add_workflow_task(&self, task: AddWorkflowTask) -> ServiceResult<()>;

    async fn add_activity_task(&self, task: AddActivityTask) -> ServiceResult<()>;

    /// Waits up to `timeout` for a task; an empty response (no task token) means there was none.
    async fn poll_workflow_task_queue(
        &self,
        namespace: &NamespaceId,
        request: api::PollWorkflowTaskQueueRequest,
        timeout: Duration,
    ) -> ServiceResult<api::PollWorkflowTaskQueueResponse>;

    async fn poll_activity_task_queue(
        &self,
        namespace: &NamespaceId,
        request: api::PollActivityTaskQueueRequest,
        timeout: Duration,
    ) -> ServiceResult<api::PollActivityTaskQueueResponse>;

    /// Pollers seen lately, and the backlog.
    async fn describe_task_queue(
        &self,
        namespace: &NamespaceId,
        request: api::DescribeTaskQueueRequest,
    ) -> ServiceResult<api::DescribeTaskQueueResponse>;

    /// A worker goes down: its sticky queue has no poller any more.
    async fn unload_sticky_task_queue(&self, namespace: &NamespaceId, sticky_task_queue: &str) -> ServiceResult<()>;
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AddWorkflowTask {
    pub run: RunKey,
    pub scheduled_event_id: EventId,
    pub stamp: u64,
    pub task_queue: String,
    /// The normal queue, if `task_queue` is sticky.
    pub sticky_for: Option<String>,
    /// The task is worthless after this; `None`: never.
    pub schedule_to_start_timeout: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AddActivityTask {
    pub run: RunKey,
    pub scheduled_event_id: EventId,
    pub attempt: i32,
    pub task_queue: String,
    pub schedule_to_start_timeout: Option<Duration>,
}
