//! A history and a matching that remember what they were asked and answer as told.
use async_trait::async_trait;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tempest_api::proto::enums::v1::WorkflowExecutionStatus;
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::taskqueue::v1::{PollerInfo, TaskQueueStats};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{
    HistoryPosition, HistoryService, MatchingAsk, MatchingReply, MatchingService, Read, Reply, ServiceError,
    ServiceResult, Target, TaskQueueKey, View, WorkerInstance, WorkflowKey,
};
use tempest_core::{ActivityRef, BranchRef, EventId, Input, NamespaceId, RunId, RunKey, Started};

pub(super) struct FakeHistory {
    calls: Mutex<Vec<String>>,
    /// What the next looks at a run are answered with.
    pub(super) unreadable: Mutex<Vec<ServiceError>>,
    /// What every call that changes something is answered with, if anything.
    failure: Mutex<Option<ServiceError>>,
    /// Nothing is answered, as by a shard that is stuck.
    pub(super) silent: AtomicBool,
    pub(super) failed_activities: Mutex<Vec<api::RespondActivityTaskFailedRequest>>,
    pub(super) started: Mutex<Vec<api::StartWorkflowExecutionRequest>>,
    /// A start is answered by a run that is there, and that has an event of it.
    pub(super) attaches: Mutex<bool>,
    /// Whose activities were reported.
    pub(super) activities: Mutex<Vec<(Target, ActivityRef)>>,
    /// The run `w` as it is now; a wait lasts its full time if nothing would end it.
    run: Mutex<FakeRun>,
}

#[derive(Clone)]
pub(super) struct FakeRun {
    pub(super) run_id: String,
    pub(super) events: Vec<HistoryEvent>,
    pub(super) status: WorkflowExecutionStatus,
    pub(super) transient: Vec<HistoryEvent>,
}

impl Default for FakeHistory {
    fn default() -> Self {
        let run = FakeRun {
            run_id: super::RUN.into(),
            events: Vec::new(),
            status: WorkflowExecutionStatus::Running,
            transient: Vec::new(),
        };
        Self {
            calls: Mutex::default(),
            failure: Mutex::default(),
            silent: AtomicBool::default(),
            unreadable: Mutex::default(),
            failed_activities: Mutex::default(),
            started: Mutex::default(),
            attaches: Mutex::default(),
            activities: Mutex::default(),
            run: Mutex::new(run),
        }
    }
}

impl FakeHistory {
    pub(super) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    pub(super) fn change_run(&self, change: impl FnOnce(&mut FakeRun)) {
        change(&mut self.run.lock().unwrap());
    }

    pub(super) fn fail_with(&self, error: ServiceError) {
        *self.failure.lock().unwrap() = Some(error);
    }

    pub(super) fn succeed(&self) {
        *self.failure.lock().unwrap() = None;
    }

    fn called(&self, call: impl Into<String>) -> ServiceResult<()> {
        self.calls.lock().unwrap().push(call.into());
        self.failure.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    fn position(&self, namespace: &NamespaceId) -> HistoryPosition {
        let run = self.run.lock().unwrap().clone();
        HistoryPosition {
            run: RunKey { namespace_id: namespace.clone(), workflow_id: "w".into(), run_id: run.run_id.into() },
            branch: BranchRef { tree: "t".into(), branch: "b".into() },
            next_event_id: run.events.len() as EventId + 1,
            status: run.status,
            transient_events: run.transient,
        }
    }
}

#[async_trait]
impl HistoryService for FakeHistory {
    async fn call(&self, to: Target, input: Input) -> ServiceResult<Reply> {
        if self.silent.load(Relaxed) {
            std::future::pending::<()>().await;
        }
        let of_activity = |named| self.activities.lock().unwrap().push((to.clone(), named));
        match input {
            Input::Start(request) => {
                self.called("start")?;
                self.started.lock().unwrap().push(*request);
                let attached = *self.attaches.lock().unwrap();
                Ok(Reply::Started(Started { started: !attached, attached, ..started() }))
            }
            Input::SignalWithStart(_) => {
                self.called("signal with start")?;
                Ok(Reply::Started(started()))
            }
            Input::Signal(request) => {
                assert!(!request.request_id.is_empty(), "a signal can be told from its repetition");
                self.called(format!("signal {}", request.signal_name))?;
                Ok(Reply::Signaled(super::RUN.into()))
            }
            Input::RequestCancel(_) => {
                self.called("cancel")?;
                Ok(Reply::Done)
            }
            Input::Terminate(request) => {
                self.called(format!("terminate by {}: {}", request.identity, request.reason))?;
                Ok(Reply::Done)
            }
            Input::CompleteWorkflowTask(token, _) => {
                self.called(format!("complete workflow task {}", token.scheduled_event_id))?;
                Ok(Reply::Done)
            }
            Input::FailWorkflowTask(token, request) => {
                let message = request.failure.map(|failure| failure.message).unwrap_or_default();
                self.called(format!("fail workflow task {}: {message}", token.scheduled_event_id))?;
                Ok(Reply::Done)
            }
            Input::HeartbeatActivity(named, _) => {
                self.called("heartbeat")?;
                of_activity(named);
                Ok(Reply::Heartbeat { cancel_requested: false })
            }
            Input::CompleteActivity(named, _) => {
                self.called("complete activity")?;
                of_activity(named);
                Ok(Reply::Done)
            }
            Input::FailActivity(named, request) => {
                self.called("fail activity")?;
                of_activity(named);
                self.failed_activities.lock().unwrap().push(*request);
                Ok(Reply::Done)
            }
            Input::CancelActivity(named, _) => {
                self.called("cancel activity")?;
                of_activity(named);
                Ok(Reply::Done)
            }
            Input::ResetStickiness => {
                self.called(format!(
                    "reset stickiness of {:?} {:?}",
                    to.workflow.workflow_id.as_str(),
                    to.run_id.as_str()
                ))?;
                Ok(Reply::Done)
            }
            input => panic!("no RPC asks for {input:?}"),
        }
    }

    async fn read(&self, to: Target, read: Read) -> ServiceResult<View> {
        let WorkflowKey { namespace_id, workflow_id } = &to.workflow;
        if workflow_id.as_str() != "w" {
            return Err(ServiceError::NotFound(format!("workflow not found for ID: {workflow_id}")));
        }
        let events = self.run.lock().unwrap().events.clone();
        Ok(match read {
            Read::Describe => View::Described(Box::default()),
            Read::HistoryPage { from, until, page_size, .. } => {
                let page = events.into_iter().filter(|event| (from..until).contains(&event.event_id));
                View::History(page.take(page_size).collect())
            }
            Read::HistoryPageReverse { until, page_size, .. } => {
                let page = events.into_iter().rev().filter(|event| event.event_id < until);
                View::History(page.take(page_size).collect())
            }
            Read::HistoryPosition(wait) => {
                if let Some(error) = self.unreadable.lock().unwrap().pop() {
                    return Err(error);
                }
                if let Some(wait) = wait {
                    let position = self.position(namespace_id);
                    let closed = position.status != WorkflowExecutionStatus::Running;
                    let enough = !wait.until_closed && position.next_event_id > wait.next_event_id;
                    if !closed && !enough {
                        tempest_rt::time::sleep(wait.timeout).await;
                    }
                }
                View::HistoryPosition(Box::new(self.position(namespace_id)))
            }
            read => panic!("no RPC asks for {read:?}"),
        })
    }
}

fn started() -> Started {
    let run_id = RunId::from(super::RUN);
    let first_execution_run_id = run_id.clone();
    let status = WorkflowExecutionStatus::Running;
    Started { run_id, first_execution_run_id, started: true, attached: false, status }
}

#[derive(Default)]
pub(super) struct FakeMatching {
    pub(super) timeouts: Mutex<Vec<Duration>>,
    pub(super) unloaded: Mutex<Vec<String>>,
    pub(super) polled: Mutex<Vec<api::PollWorkflowTaskQueueRequest>>,
    pub(super) polls_ended: Mutex<Vec<(String, WorkerInstance)>>,
    /// The answer to requests that polls end.
    pub(super) ending_fails: Mutex<Option<ServiceError>>,
}

#[async_trait]
impl MatchingService for FakeMatching {
    async fn ask(&self, to: TaskQueueKey, what: MatchingAsk) -> ServiceResult<MatchingReply> {
        self.timeouts.lock().unwrap().extend(what.timeout());
        Ok(match what {
            MatchingAsk::PollWorkflowTaskQueue(request, _) => {
                self.polled.lock().unwrap().push(*request);
                MatchingReply::WorkflowTask(Box::default())
            }
            MatchingAsk::PollActivityTaskQueue(..) => {
                let response = api::PollActivityTaskQueueResponse { task_token: vec![1], ..Default::default() };
                MatchingReply::ActivityTask(Box::new(response))
            }
            MatchingAsk::DescribeTaskQueue(request) => {
                // As many tasks as the number of the type says.
                let count = i64::from(request.task_queue_type);
                let stats = TaskQueueStats { approximate_backlog_count: count, ..Default::default() };
                let pollers = vec![PollerInfo { identity: "worker".into(), ..Default::default() }];
                let described = api::DescribeTaskQueueResponse { pollers, stats: Some(stats), ..Default::default() };
                MatchingReply::Described(Box::new(described))
            }
            MatchingAsk::EndWorkerPolls(worker) => {
                self.polls_ended.lock().unwrap().push((to.name, worker));
                return self.ending_fails.lock().unwrap().clone().map_or(Ok(MatchingReply::Done), Err);
            }
            MatchingAsk::UnloadStickyTaskQueue => {
                self.unloaded.lock().unwrap().push(to.name);
                MatchingReply::Done
            }
            what => panic!("no RPC asks for {what:?}"),
        })
    }
}
