//! A history and a matching that remember what they were asked and answer as told.
use async_trait::async_trait;
use std::sync::Mutex;
use std::time::Duration;
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::enums::v1::WorkflowExecutionStatus;
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::*;
use tempest_core::*;

pub(super) struct FakeHistory {
    calls: Mutex<Vec<String>>,
    /// What the next looks at a run are answered with.
    pub(super) unreadable: Mutex<Vec<ServiceError>>,
    /// What every call that changes something is answered with, if anything.
    failure: Mutex<Option<ServiceError>>,
    pub(super) failed_activities: Mutex<Vec<api::RespondActivityTaskFailedRequest>>,
    pub(super) started: Mutex<Vec<api::StartWorkflowExecutionRequest>>,
    pub(super) addresses: Mutex<Vec<ActivityAddress>>,
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
            unreadable: Mutex::default(),
            failed_activities: Mutex::default(),
            started: Mutex::default(),
            addresses: Mutex::default(),
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
    async fn start_workflow(
        &self,
        _: &NamespaceId,
        request: api::StartWorkflowExecutionRequest,
    ) -> ServiceResult<api::StartWorkflowExecutionResponse> {
        self.called("start")?;
        self.started.lock().unwrap().push(request);
        Ok(api::StartWorkflowExecutionResponse { run_id: super::RUN.into(), started: true, ..Default::default() })
    }
    async fn signal_with_start_workflow(
        &self,
        _: &NamespaceId,
        _: api::SignalWithStartWorkflowExecutionRequest,
    ) -> ServiceResult<api::SignalWithStartWorkflowExecutionResponse> {
        self.called("signal with start")?;
        Ok(Default::default())
    }
    async fn signal_workflow(
        &self,
        _: &NamespaceId,
        request: api::SignalWorkflowExecutionRequest,
    ) -> ServiceResult<()> {
        assert!(!request.request_id.is_empty(), "a signal can be told from its repetition");
        self.called(format!("signal {}", request.signal_name))?;
        Ok(())
    }
    async fn request_cancel_workflow(
        &self,
        _: &NamespaceId,
        _: api::RequestCancelWorkflowExecutionRequest,
    ) -> ServiceResult<()> {
        self.called("cancel")?;
        Ok(())
    }
    async fn terminate_workflow(
        &self,
        _: &NamespaceId,
        request: api::TerminateWorkflowExecutionRequest,
    ) -> ServiceResult<()> {
        self.called(format!("terminate by {}: {}", request.identity, request.reason))?;
        Ok(())
    }
    async fn start_child_workflow(
        &self,
        _: &NamespaceId,
        _: StartChild,
    ) -> ServiceResult<api::StartWorkflowExecutionResponse> {
        panic!("only history asks for this")
    }
    async fn begin_child_workflow(&self, _: &RunKey, _: OtherRun) -> ServiceResult<()> {
        panic!("only history asks for this")
    }
    async fn signal_by_workflow(
        &self,
        _: &NamespaceId,
        _: OtherRun,
        _: api::SignalWorkflowExecutionRequest,
    ) -> ServiceResult<()> {
        panic!("only history asks for this")
    }
    async fn request_cancel_by_workflow(
        &self,
        _: &NamespaceId,
        _: OtherRun,
        _: api::RequestCancelWorkflowExecutionRequest,
    ) -> ServiceResult<()> {
        panic!("only history asks for this")
    }
    async fn terminate_by_workflow(
        &self,
        _: &NamespaceId,
        _: OtherRun,
        _: api::TerminateWorkflowExecutionRequest,
    ) -> ServiceResult<()> {
        panic!("only history asks for this")
    }
    async fn record_errand_end(&self, _: &RunKey, _: ErrandEnd) -> ServiceResult<()> {
        panic!("only history asks for this")
    }
    async fn record_child_closed(&self, _: &RunKey, _: ChildClosed) -> ServiceResult<()> {
        panic!("only history asks for this")
    }
    async fn describe_workflow(
        &self,
        _: &NamespaceId,
        execution: &WorkflowExecution,
    ) -> ServiceResult<api::DescribeWorkflowExecutionResponse> {
        if execution.workflow_id != "w" {
            return Err(ServiceError::NotFound(format!("workflow not found for ID: {}", execution.workflow_id)));
        }
        Ok(Default::default())
    }
    async fn record_workflow_task_started(
        &self,
        _: &RunKey,
        _: RecordWorkflowTaskStarted,
    ) -> ServiceResult<api::PollWorkflowTaskQueueResponse> {
        panic!("only matching asks for this")
    }
    async fn record_activity_task_started(
        &self,
        _: &RunKey,
        _: RecordActivityTaskStarted,
    ) -> ServiceResult<api::PollActivityTaskQueueResponse> {
        panic!("only matching asks for this")
    }
    async fn complete_workflow_task(
        &self,
        token: WorkflowTaskToken,
        _: api::RespondWorkflowTaskCompletedRequest,
    ) -> ServiceResult<api::RespondWorkflowTaskCompletedResponse> {
        self.called(format!("complete workflow task {}", token.scheduled_event_id))?;
        Ok(Default::default())
    }
    async fn fail_workflow_task(
        &self,
        token: WorkflowTaskToken,
        request: api::RespondWorkflowTaskFailedRequest,
    ) -> ServiceResult<()> {
        let message = request.failure.map(|failure| failure.message).unwrap_or_default();
        self.called(format!("fail workflow task {}: {message}", token.scheduled_event_id))?;
        Ok(())
    }
    async fn heartbeat_activity(
        &self,
        activity: ActivityAddress,
        _: api::RecordActivityTaskHeartbeatRequest,
    ) -> ServiceResult<api::RecordActivityTaskHeartbeatResponse> {
        self.called("heartbeat")?;
        self.addresses.lock().unwrap().push(activity);
        Ok(Default::default())
    }
    async fn complete_activity(
        &self,
        activity: ActivityAddress,
        _: api::RespondActivityTaskCompletedRequest,
    ) -> ServiceResult<()> {
        self.called("complete activity")?;
        self.addresses.lock().unwrap().push(activity);
        Ok(())
    }
    async fn fail_activity(
        &self,
        activity: ActivityAddress,
        request: api::RespondActivityTaskFailedRequest,
    ) -> ServiceResult<()> {
        self.called("fail activity")?;
        self.addresses.lock().unwrap().push(activity);
        self.failed_activities.lock().unwrap().push(request);
        Ok(())
    }
    async fn cancel_activity(
        &self,
        activity: ActivityAddress,
        _: api::RespondActivityTaskCanceledRequest,
    ) -> ServiceResult<()> {
        self.called("cancel activity")?;
        self.addresses.lock().unwrap().push(activity);
        Ok(())
    }
    async fn history_position(
        &self,
        namespace: &NamespaceId,
        execution: &WorkflowExecution,
        wait: Option<HistoryWait>,
    ) -> ServiceResult<HistoryPosition> {
        if execution.workflow_id != "w" {
            return Err(ServiceError::NotFound(format!("workflow not found for ID: {}", execution.workflow_id)));
        }
        if let Some(error) = self.unreadable.lock().unwrap().pop() {
            return Err(error);
        }
        if let Some(wait) = wait {
            let position = self.position(namespace);
            let closed = position.status != WorkflowExecutionStatus::Running;
            let enough = !wait.until_closed && position.next_event_id > wait.next_event_id;
            if !closed && !enough {
                tempest_rt::time::sleep(wait.timeout).await;
            }
        }
        Ok(self.position(namespace))
    }
    async fn read_history(
        &self,
        _: &RunKey,
        _: &BranchRef,
        from: EventId,
        until: EventId,
        page_size: usize,
    ) -> ServiceResult<Vec<HistoryEvent>> {
        let events = self.run.lock().unwrap().events.clone();
        Ok(events.into_iter().filter(|e| (from..until).contains(&e.event_id)).take(page_size).collect())
    }
    async fn read_history_reverse(
        &self,
        _: &RunKey,
        _: &BranchRef,
        until: EventId,
        page_size: usize,
    ) -> ServiceResult<Vec<HistoryEvent>> {
        let events = self.run.lock().unwrap().events.clone();
        Ok(events.into_iter().rev().filter(|e| e.event_id < until).take(page_size).collect())
    }
    async fn task_is_due(&self, _: &RunKey, _: &TransferTask) -> ServiceResult<bool> {
        panic!("only matching asks for this")
    }
    async fn awaits_errand(&self, _: &RunKey, _: &TransferTask) -> ServiceResult<bool> {
        panic!("only history asks for this")
    }
    async fn reset_sticky_task_queue(&self, _: &RunKey) -> ServiceResult<()> {
        panic!("only matching asks for this")
    }
}

#[derive(Default)]
pub(super) struct FakeMatching {
    pub(super) timeouts: Mutex<Vec<Duration>>,
    pub(super) unloaded: Mutex<Vec<String>>,
    pub(super) polled: Mutex<Vec<api::PollWorkflowTaskQueueRequest>>,
}

#[async_trait]
impl MatchingService for FakeMatching {
    async fn add_workflow_task(&self, _: AddWorkflowTask) -> ServiceResult<()> {
        panic!("only history asks for this")
    }
    async fn add_activity_task(&self, _: AddActivityTask) -> ServiceResult<()> {
        panic!("only history asks for this")
    }
    async fn poll_workflow_task_queue(
        &self,
        _: &NamespaceId,
        request: api::PollWorkflowTaskQueueRequest,
        timeout: Duration,
    ) -> ServiceResult<api::PollWorkflowTaskQueueResponse> {
        self.timeouts.lock().unwrap().push(timeout);
        self.polled.lock().unwrap().push(request);
        Ok(Default::default())
    }
    async fn poll_activity_task_queue(
        &self,
        _: &NamespaceId,
        _: api::PollActivityTaskQueueRequest,
        timeout: Duration,
    ) -> ServiceResult<api::PollActivityTaskQueueResponse> {
        self.timeouts.lock().unwrap().push(timeout);
        Ok(api::PollActivityTaskQueueResponse { task_token: vec![1], ..Default::default() })
    }
    async fn describe_task_queue(
        &self,
        _: &NamespaceId,
        _: api::DescribeTaskQueueRequest,
    ) -> ServiceResult<api::DescribeTaskQueueResponse> {
        Ok(Default::default())
    }
    async fn unload_sticky_task_queue(&self, _: &NamespaceId, sticky_task_queue: &str) -> ServiceResult<()> {
        self.unloaded.lock().unwrap().push(sticky_task_queue.to_owned());
        Ok(())
    }
}
