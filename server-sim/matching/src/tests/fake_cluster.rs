//! The rest of the cluster, as far as matching calls it: it takes tasks for queues of other nodes.
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{AddActivityTask, AddWorkflowTask, MatchingService, ServiceResult};
use tempest_core::NamespaceId;

#[derive(Default)]
pub(super) struct FakeCluster {
    /// How the next adds end; then all succeed.
    script: Mutex<VecDeque<ServiceResult<()>>>,
    added: Mutex<Vec<AddWorkflowTask>>,
}

impl FakeCluster {
    pub(super) fn script(&self, answers: impl IntoIterator<Item = ServiceResult<()>>) {
        self.script.lock().unwrap().extend(answers);
    }

    /// What it was asked to add, whatever it answered.
    pub(super) fn added(&self) -> Vec<AddWorkflowTask> {
        self.added.lock().unwrap().clone()
    }
}

fn not_asked<T>() -> ServiceResult<T> {
    panic!("matching does not ask the cluster for this")
}

#[async_trait]
impl MatchingService for FakeCluster {
    async fn add_workflow_task(&self, task: AddWorkflowTask) -> ServiceResult<()> {
        self.added.lock().unwrap().push(task);
        self.script.lock().unwrap().pop_front().unwrap_or(Ok(()))
    }

    async fn add_activity_task(&self, _: AddActivityTask) -> ServiceResult<()> {
        not_asked()
    }
    async fn poll_workflow_task_queue(
        &self,
        _: &NamespaceId,
        _: api::PollWorkflowTaskQueueRequest,
        _: Duration,
    ) -> ServiceResult<api::PollWorkflowTaskQueueResponse> {
        not_asked()
    }
    async fn poll_activity_task_queue(
        &self,
        _: &NamespaceId,
        _: api::PollActivityTaskQueueRequest,
        _: Duration,
    ) -> ServiceResult<api::PollActivityTaskQueueResponse> {
        not_asked()
    }
    async fn describe_task_queue(
        &self,
        _: &NamespaceId,
        _: api::DescribeTaskQueueRequest,
    ) -> ServiceResult<api::DescribeTaskQueueResponse> {
        not_asked()
    }
    async fn unload_sticky_task_queue(&self, _: &NamespaceId, _: &str) -> ServiceResult<()> {
        not_asked()
    }
}
