//! Matching that only writes down what it is given, and refuses when told to.
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;
use tempest_api::{
    AddActivityTask, AddWorkflowTask, MatchingAsk, MatchingReply, MatchingService, ServiceError, ServiceResult,
    TaskQueueKey,
};
use tokio::sync::{Notify, mpsc};

pub struct FakeMatching {
    workflow_tasks: mpsc::UnboundedSender<AddWorkflowTask>,
    activity_tasks: mpsc::UnboundedSender<AddActivityTask>,
    pub given: tokio::sync::Mutex<Given>,
    refusals: Mutex<VecDeque<ServiceError>>,
    /// While set, nothing that is added is answered.
    silent: Mutex<bool>,
    never: Notify,
    /// How long it takes to accept a task.
    latency: Mutex<Duration>,
}

pub struct Given {
    pub workflow_tasks: mpsc::UnboundedReceiver<AddWorkflowTask>,
    pub activity_tasks: mpsc::UnboundedReceiver<AddActivityTask>,
}

impl Default for FakeMatching {
    fn default() -> Self {
        let (workflow_tasks, given_workflow_tasks) = mpsc::unbounded_channel();
        let (activity_tasks, given_activity_tasks) = mpsc::unbounded_channel();
        let given = Given { workflow_tasks: given_workflow_tasks, activity_tasks: given_activity_tasks };
        Self {
            workflow_tasks,
            activity_tasks,
            given: tokio::sync::Mutex::new(given),
            refusals: Mutex::default(),
            silent: Mutex::new(false),
            never: Notify::new(),
            latency: Mutex::default(),
        }
    }
}

impl FakeMatching {
    pub fn refuse_next(&self, error: ServiceError) {
        self.refusals.lock().unwrap().push_back(error);
    }

    pub fn never_answer(&self, silent: bool) {
        *self.silent.lock().unwrap() = silent;
    }

    pub fn take_long(&self, latency: Duration) {
        *self.latency.lock().unwrap() = latency;
    }

    pub async fn workflow_task(&self) -> AddWorkflowTask {
        self.given.lock().await.workflow_tasks.recv().await.unwrap()
    }

    pub async fn activity_task(&self) -> AddActivityTask {
        self.given.lock().await.activity_tasks.recv().await.unwrap()
    }

    pub async fn has_nothing(&self) -> bool {
        let given = self.given.lock().await;
        given.workflow_tasks.is_empty() && given.activity_tasks.is_empty()
    }

    async fn admit(&self) -> ServiceResult<()> {
        let silent = *self.silent.lock().unwrap();
        if silent {
            self.never.notified().await;
        }
        let latency = *self.latency.lock().unwrap();
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        match self.refusals.lock().unwrap().pop_front() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl MatchingService for FakeMatching {
    async fn ask(&self, _: TaskQueueKey, what: MatchingAsk) -> ServiceResult<MatchingReply> {
        self.admit().await?;
        match what {
            MatchingAsk::AddWorkflowTask(task) => self.workflow_tasks.send(task).unwrap(),
            MatchingAsk::AddActivityTask(task) => self.activity_tasks.send(task).unwrap(),
            what => unimplemented!("history never asks for {what:?}"),
        }
        Ok(MatchingReply::Done)
    }
}
