//! The rest of the cluster, as far as matching calls it: it takes tasks for queues of other nodes.
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::Mutex;
use tempest_api::{AddWorkflowTask, MatchingAsk, MatchingReply, MatchingService, ServiceResult, TaskQueueKey};

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

#[async_trait]
impl MatchingService for FakeCluster {
    async fn ask(&self, to: TaskQueueKey, what: MatchingAsk) -> ServiceResult<MatchingReply> {
        let MatchingAsk::AddWorkflowTask(task) = what else { panic!("matching does not ask the cluster for {what:?}") };
        assert_eq!((&to.namespace_id, &to.name), (&task.run.namespace_id, &task.task_queue));
        self.added.lock().unwrap().push(task);
        self.script.lock().unwrap().pop_front().unwrap_or(Ok(())).map(|()| MatchingReply::Done)
    }
}
