//! The protocol of the matching role, which brings tasks and polls together: one [`MatchingAsk`] to one task queue.
use crate::{ServiceError, ServiceResult};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tempest_core::{EventId, NamespaceId, RunKey, wire};
use temporalio_protos::temporal::api::{taskqueue::v1::TaskQueue, workflowservice::v1 as api};

/// Matching, as frontend and history see it. Dropping the future of a poll withdraws the poll.
#[async_trait]
pub trait MatchingService: Send + Sync + 'static {
    async fn ask(&self, to: TaskQueueKey, what: MatchingAsk) -> ServiceResult<MatchingReply>;
}

/// A task queue's name within its namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskQueueKey {
    pub namespace_id: NamespaceId,
    pub name: String,
}

/// As with history's inputs, variants and optional fields are added, and nothing else changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MatchingAsk {
    /// Answered once the task is with a worker whose start is recorded, or durable in the backlog.
    /// `StickyWorkerUnavailable` if no worker has polled the sticky queue for a while.
    AddWorkflowTask(AddWorkflowTask),
    AddActivityTask(AddActivityTask),
    /// Waits so long for a task; an empty response (no task token) means there was none.
    PollWorkflowTaskQueue(#[serde(with = "wire")] Box<api::PollWorkflowTaskQueueRequest>, Duration),
    PollActivityTaskQueue(#[serde(with = "wire")] Box<api::PollActivityTaskQueueRequest>, Duration),
    /// Pollers seen lately, and the backlog.
    DescribeTaskQueue(#[serde(with = "wire")] Box<api::DescribeTaskQueueRequest>),
    /// A worker goes down: its polls at the node of this queue end empty, now and those that are still on their way.
    /// Without effect on a worker without an instance key.
    EndWorkerPolls(WorkerInstance),
    /// A worker goes down: its sticky queue has no poller any more.
    UnloadStickyTaskQueue,
}

/// One worker of a process, as it names itself in its polls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerInstance {
    pub key: String,
    pub identity: String,
}

impl MatchingAsk {
    /// How long it waits for something to happen.
    pub fn timeout(&self) -> Option<Duration> {
        match self {
            Self::PollWorkflowTaskQueue(_, timeout) | Self::PollActivityTaskQueue(_, timeout) => Some(*timeout),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MatchingReply {
    Done,
    WorkflowTask(#[serde(with = "wire")] Box<api::PollWorkflowTaskQueueResponse>),
    ActivityTask(#[serde(with = "wire")] Box<api::PollActivityTaskQueueResponse>),
    Described(#[serde(with = "wire")] Box<api::DescribeTaskQueueResponse>),
}

impl MatchingReply {
    fn unexpected<T>(self) -> ServiceResult<T> {
        Err(ServiceError::Internal(format!("matching gave a reply of another kind: {self:?}")))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddActivityTask {
    pub run: RunKey,
    pub scheduled_event_id: EventId,
    pub attempt: i32,
    pub task_queue: String,
    pub schedule_to_start_timeout: Option<Duration>,
}

/// Each ask with its types. Errors are the service's.
impl dyn MatchingService + '_ {
    pub async fn add_workflow_task(&self, task: AddWorkflowTask) -> ServiceResult<()> {
        let to = TaskQueueKey { namespace_id: task.run.namespace_id.clone(), name: task.task_queue.clone() };
        self.ask(to, MatchingAsk::AddWorkflowTask(task)).await.map(drop)
    }

    pub async fn add_activity_task(&self, task: AddActivityTask) -> ServiceResult<()> {
        let to = TaskQueueKey { namespace_id: task.run.namespace_id.clone(), name: task.task_queue.clone() };
        self.ask(to, MatchingAsk::AddActivityTask(task)).await.map(drop)
    }

    pub async fn poll_workflow_task_queue(
        &self,
        namespace_id: &NamespaceId,
        request: api::PollWorkflowTaskQueueRequest,
        timeout: Duration,
    ) -> ServiceResult<api::PollWorkflowTaskQueueResponse> {
        let to = queue_of(namespace_id, request.task_queue.as_ref());
        match self.ask(to, MatchingAsk::PollWorkflowTaskQueue(Box::new(request), timeout)).await? {
            MatchingReply::WorkflowTask(response) => Ok(*response),
            reply => reply.unexpected(),
        }
    }

    pub async fn poll_activity_task_queue(
        &self,
        namespace_id: &NamespaceId,
        request: api::PollActivityTaskQueueRequest,
        timeout: Duration,
    ) -> ServiceResult<api::PollActivityTaskQueueResponse> {
        let to = queue_of(namespace_id, request.task_queue.as_ref());
        match self.ask(to, MatchingAsk::PollActivityTaskQueue(Box::new(request), timeout)).await? {
            MatchingReply::ActivityTask(response) => Ok(*response),
            reply => reply.unexpected(),
        }
    }

    pub async fn describe_task_queue(
        &self,
        namespace_id: &NamespaceId,
        request: api::DescribeTaskQueueRequest,
    ) -> ServiceResult<api::DescribeTaskQueueResponse> {
        let to = queue_of(namespace_id, request.task_queue.as_ref());
        match self.ask(to, MatchingAsk::DescribeTaskQueue(Box::new(request))).await? {
            MatchingReply::Described(response) => Ok(*response),
            reply => reply.unexpected(),
        }
    }

    pub async fn end_worker_polls(
        &self,
        namespace_id: &NamespaceId,
        task_queue: &str,
        worker: WorkerInstance,
    ) -> ServiceResult<()> {
        let to = TaskQueueKey { namespace_id: namespace_id.clone(), name: task_queue.to_owned() };
        self.ask(to, MatchingAsk::EndWorkerPolls(worker)).await.map(drop)
    }

    pub async fn unload_sticky_task_queue(&self, namespace_id: &NamespaceId, name: &str) -> ServiceResult<()> {
        let to = TaskQueueKey { namespace_id: namespace_id.clone(), name: name.to_owned() };
        self.ask(to, MatchingAsk::UnloadStickyTaskQueue).await.map(drop)
    }
}

fn queue_of(namespace_id: &NamespaceId, queue: Option<&TaskQueue>) -> TaskQueueKey {
    let name = queue.map_or(String::new(), |queue| queue.name.clone());
    TaskQueueKey { namespace_id: namespace_id.clone(), name }
}
