//! The calls that history answers.
use super::*;
use async_trait::async_trait;
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ActivityAddress, HistoryPosition, HistoryWait, encode_token};
use tempest_core::{
    ActivityTaskToken, BranchRef, ChildClosed, ErrandEnd, EventId, NamespaceId, OtherRun, RecordActivityTaskStarted,
    RecordWorkflowTaskStarted, Reply, RunId, RunKey, StartChild, Started, TransferTask, WorkflowTaskToken,
};

#[async_trait]
impl HistoryService for HistoryHandle {
    async fn start_workflow(
        &self,
        namespace: &NamespaceId,
        mut request: api::StartWorkflowExecutionRequest,
    ) -> ServiceResult<api::StartWorkflowExecutionResponse> {
        // The core knows namespaces by id only; for the frontend the field is the name.
        request.namespace.clone_from(&namespace.0);
        let target = current(namespace, &request.workflow_id);
        let decided = self.decide(target, Input::Start(Box::new(request))).await?;
        let Reply::Started(Started { run_id, first_execution_run_id, started, status }) = decided.reply else {
            return Err(unexpected(&decided.reply));
        };
        Ok(api::StartWorkflowExecutionResponse {
            run_id: run_id.0,
            first_execution_run_id: first_execution_run_id.0,
            started,
            status: status as i32,
            ..Default::default()
        })
    }

    async fn signal_with_start_workflow(
        &self,
        namespace: &NamespaceId,
        mut request: api::SignalWithStartWorkflowExecutionRequest,
    ) -> ServiceResult<api::SignalWithStartWorkflowExecutionResponse> {
        request.namespace.clone_from(&namespace.0);
        let target = current(namespace, &request.workflow_id);
        let decided = self.decide(target, Input::SignalWithStart(Box::new(request))).await?;
        let Reply::Started(Started { run_id, first_execution_run_id, started, .. }) = decided.reply else {
            return Err(unexpected(&decided.reply));
        };
        Ok(api::SignalWithStartWorkflowExecutionResponse {
            run_id: run_id.0,
            first_execution_run_id: first_execution_run_id.0,
            started,
            ..Default::default()
        })
    }

    async fn signal_workflow(
        &self,
        namespace: &NamespaceId,
        request: api::SignalWorkflowExecutionRequest,
    ) -> ServiceResult<()> {
        let target = execution(namespace, request.workflow_execution.as_ref());
        self.decide(target, Input::Signal(Box::new(request))).await.map(drop)
    }

    async fn request_cancel_workflow(
        &self,
        namespace: &NamespaceId,
        request: api::RequestCancelWorkflowExecutionRequest,
    ) -> ServiceResult<()> {
        let mut target = execution(namespace, request.workflow_execution.as_ref());
        if !request.first_execution_run_id.is_empty() {
            // The chain is named, so its newest run is meant, as in Temporal; the core compares the chain.
            target.run_id = RunId::default();
        }
        self.decide(target, Input::RequestCancel(Box::new(request))).await.map(drop)
    }

    async fn terminate_workflow(
        &self,
        namespace: &NamespaceId,
        request: api::TerminateWorkflowExecutionRequest,
    ) -> ServiceResult<()> {
        let mut target = execution(namespace, request.workflow_execution.as_ref());
        if !request.first_execution_run_id.is_empty() {
            target.run_id = RunId::default();
        }
        self.decide(target, Input::Terminate(Box::new(request))).await.map(drop)
    }

    async fn describe_workflow(
        &self,
        namespace: &NamespaceId,
        execution: &WorkflowExecution,
    ) -> ServiceResult<api::DescribeWorkflowExecutionResponse> {
        self.ask(self::execution(namespace, Some(execution)), Ask::Describe).await
    }

    async fn start_child_workflow(
        &self,
        namespace: &NamespaceId,
        child: StartChild,
    ) -> ServiceResult<api::StartWorkflowExecutionResponse> {
        let target = current(namespace, &child.request.workflow_id);
        let decided = self.decide(target, Input::StartChild(Box::new(child))).await?;
        answer_unless(tempest_rt::buggify!("history-child-start-answer-lost"))?;
        let Reply::Started(Started { run_id, first_execution_run_id, started, status }) = decided.reply else {
            return Err(unexpected(&decided.reply));
        };
        Ok(api::StartWorkflowExecutionResponse {
            run_id: run_id.0,
            first_execution_run_id: first_execution_run_id.0,
            started,
            status: status as i32,
            ..Default::default()
        })
    }

    async fn begin_child_workflow(&self, child: &RunKey, parent: OtherRun) -> ServiceResult<()> {
        self.decide(Target::of(child), Input::BeginChild(parent)).await.map(drop)
    }

    async fn signal_by_workflow(
        &self,
        namespace: &NamespaceId,
        from: OtherRun,
        request: api::SignalWorkflowExecutionRequest,
    ) -> ServiceResult<()> {
        let target = execution(namespace, request.workflow_execution.as_ref());
        self.decide(target, Input::SignalByWorkflow(from, Box::new(request))).await?;
        answer_unless(tempest_rt::buggify!("history-signal-answer-lost"))
    }

    async fn request_cancel_by_workflow(
        &self,
        namespace: &NamespaceId,
        from: OtherRun,
        request: api::RequestCancelWorkflowExecutionRequest,
    ) -> ServiceResult<()> {
        let mut target = execution(namespace, request.workflow_execution.as_ref());
        if !request.first_execution_run_id.is_empty() {
            target.run_id = RunId::default();
        }
        self.decide(target, Input::RequestCancelByWorkflow(from, Box::new(request))).await.map(drop)
    }

    async fn terminate_by_workflow(
        &self,
        namespace: &NamespaceId,
        from: OtherRun,
        request: api::TerminateWorkflowExecutionRequest,
    ) -> ServiceResult<()> {
        let mut target = execution(namespace, request.workflow_execution.as_ref());
        if !request.first_execution_run_id.is_empty() {
            target.run_id = RunId::default();
        }
        self.decide(target, Input::TerminateByWorkflow(from, Box::new(request))).await.map(drop)
    }

    async fn record_errand_end(&self, run: &RunKey, end: ErrandEnd) -> ServiceResult<()> {
        self.decide(Target::of(run), Input::ErrandEnded(end)).await?;
        answer_unless(tempest_rt::buggify!("history-errand-end-answer-lost"))
    }

    async fn record_child_closed(&self, parent: &RunKey, closed: ChildClosed) -> ServiceResult<()> {
        self.decide(Target::of(parent), Input::ChildClosed(Box::new(closed))).await?;
        answer_unless(tempest_rt::buggify!("history-child-closed-answer-lost"))
    }

    async fn record_workflow_task_started(
        &self,
        run: &RunKey,
        request: RecordWorkflowTaskStarted,
    ) -> ServiceResult<api::PollWorkflowTaskQueueResponse> {
        let decided = self.decide(Target::of(run), Input::RecordWorkflowTaskStarted(request)).await?;
        let Reply::WorkflowTaskStarted(started) = decided.reply else { return Err(unexpected(&decided.reply)) };
        poll_response(&*self.store, &self.config, &decided.run, &decided.branch, *started).await
    }

    async fn record_activity_task_started(
        &self,
        run: &RunKey,
        request: RecordActivityTaskStarted,
    ) -> ServiceResult<api::PollActivityTaskQueueResponse> {
        let scheduled_event_id = request.scheduled_event_id;
        let decided = self.decide(Target::of(run), Input::RecordActivityTaskStarted(request)).await?;
        let Reply::ActivityStarted(mut response) = decided.reply else { return Err(unexpected(&decided.reply)) };
        let started_time = response.started_time.as_ref().map(Time::from_proto).unwrap_or_default();
        response.task_token = encode_token(&ActivityTaskToken {
            namespace_id: run.namespace_id.clone(),
            workflow_id: run.workflow_id.clone(),
            run_id: decided.run.run_id,
            scheduled_event_id,
            attempt: response.attempt,
            started_time,
        });
        Ok(*response)
    }

    async fn complete_workflow_task(
        &self,
        token: WorkflowTaskToken,
        request: api::RespondWorkflowTaskCompletedRequest,
    ) -> ServiceResult<api::RespondWorkflowTaskCompletedResponse> {
        let target = task_target(&token);
        let decided = self.decide(target, Input::CompleteWorkflowTask(token, Box::new(request))).await?;
        let completed = match decided.reply {
            Reply::WorkflowTaskCompleted(completed) => completed,
            Reply::None => return Ok(api::RespondWorkflowTaskCompletedResponse::default()),
            reply => return Err(unexpected(&reply)),
        };
        let mut workflow_task = None;
        if let Some(started) = completed.workflow_task {
            // An answer that got lost on its way would look the same: the task then times out and comes again.
            if tempest_rt::buggify!("history-drop-inline-task") {
                return Err(ServiceError::OutcomeUnknown("the answer got lost".into()));
            }
            // It is completed whatever becomes of the next one, which times out if nobody gets it.
            let inline = poll_response(&*self.store, &self.config, &decided.run, &decided.branch, started).await;
            workflow_task = Some(inline.map_err(|error| ServiceError::OutcomeUnknown(error.to_string()))?);
        }
        Ok(api::RespondWorkflowTaskCompletedResponse {
            workflow_task,
            activity_tasks: completed.activity_tasks,
            reset_history_event_id: completed.reset_history_event_id,
        })
    }

    async fn fail_workflow_task(
        &self,
        token: WorkflowTaskToken,
        request: api::RespondWorkflowTaskFailedRequest,
    ) -> ServiceResult<()> {
        let target = task_target(&token);
        self.decide(target, Input::FailWorkflowTask(token, Box::new(request))).await.map(drop)
    }

    async fn heartbeat_activity(
        &self,
        activity: ActivityAddress,
        request: api::RecordActivityTaskHeartbeatRequest,
    ) -> ServiceResult<api::RecordActivityTaskHeartbeatResponse> {
        let (target, activity) = activity_target(activity);
        let decided = self.decide(target, Input::HeartbeatActivity(activity, Box::new(request))).await?;
        match decided.reply {
            Reply::Heartbeat { cancel_requested } => {
                Ok(api::RecordActivityTaskHeartbeatResponse { cancel_requested, ..Default::default() })
            }
            reply => Err(unexpected(&reply)),
        }
    }

    async fn complete_activity(
        &self,
        activity: ActivityAddress,
        request: api::RespondActivityTaskCompletedRequest,
    ) -> ServiceResult<()> {
        let (target, activity) = activity_target(activity);
        self.decide(target, Input::CompleteActivity(activity, Box::new(request))).await.map(drop)
    }

    async fn fail_activity(
        &self,
        activity: ActivityAddress,
        request: api::RespondActivityTaskFailedRequest,
    ) -> ServiceResult<()> {
        let (target, activity) = activity_target(activity);
        self.decide(target, Input::FailActivity(activity, Box::new(request))).await.map(drop)
    }

    async fn cancel_activity(
        &self,
        activity: ActivityAddress,
        request: api::RespondActivityTaskCanceledRequest,
    ) -> ServiceResult<()> {
        let (target, activity) = activity_target(activity);
        self.decide(target, Input::CancelActivity(activity, Box::new(request))).await.map(drop)
    }

    async fn history_position(
        &self,
        namespace: &NamespaceId,
        execution: &WorkflowExecution,
        wait: Option<HistoryWait>,
    ) -> ServiceResult<HistoryPosition> {
        let target = self::execution(namespace, Some(execution));
        if let Some(wait) = wait {
            // Dropping the ask withdraws it: the shard sees that nobody listens any more.
            let asked = self.ask(target.clone(), |reply| Ask::Position(Some(wait), reply));
            if let Ok(answer) = tempest_rt::time::timeout(wait.timeout, asked).await {
                return answer;
            }
        }
        self.ask(target, |reply| Ask::Position(None, reply)).await
    }

    async fn read_history(
        &self,
        _run: &RunKey,
        branch: &BranchRef,
        from: EventId,
        until: EventId,
        page_size: usize,
    ) -> ServiceResult<Vec<HistoryEvent>> {
        let events = if tempest_rt::buggify!("history-read-page-of-one") { 1 } else { page_size };
        let page = PageSize { events, bytes: self.config.history_page_bytes_max };
        read_events(&*self.store, branch, from.max(1), until, page, self.config.history_nodes_per_read).await
    }

    async fn read_history_reverse(
        &self,
        _run: &RunKey,
        branch: &BranchRef,
        until: EventId,
        page_size: usize,
    ) -> ServiceResult<Vec<HistoryEvent>> {
        let from = until.saturating_sub(i64::try_from(page_size).unwrap_or(i64::MAX)).max(1);
        let nodes = self.config.history_nodes_per_read;
        let all = PageSize { events: usize::MAX, bytes: usize::MAX };
        let mut events = read_events(&*self.store, branch, from, until, all, nodes).await?;
        events.reverse();
        Ok(fitting(events, self.config.history_page_bytes_max))
    }

    async fn task_is_due(&self, run: &RunKey, task: &TransferTask) -> ServiceResult<bool> {
        self.ask(Target::of(run), |reply| Ask::TransferIsDue(task.clone(), reply)).await
    }

    async fn awaits_errand(&self, run: &RunKey, task: &TransferTask) -> ServiceResult<bool> {
        self.ask(Target::of(run), |reply| Ask::AwaitsErrand(task.clone(), reply)).await
    }

    async fn reset_sticky_task_queue(&self, run: &RunKey) -> ServiceResult<()> {
        self.decide(Target::of(run), Input::ResetStickiness).await.map(drop)
    }
}

/// Calls of errands may go from node to node: where the simulation wants it so, what was done is not heard of.
fn answer_unless(lost: bool) -> ServiceResult<()> {
    if lost { Err(ServiceError::OutcomeUnknown("the answer got lost".into())) } else { Ok(()) }
}

fn current(namespace: &NamespaceId, workflow_id: &str) -> Target {
    target(namespace.clone(), workflow_id.into(), RunId::default())
}

fn execution(namespace: &NamespaceId, execution: Option<&WorkflowExecution>) -> Target {
    let WorkflowExecution { workflow_id, run_id } = execution.cloned().unwrap_or_default();
    target(namespace.clone(), workflow_id.into(), run_id.into())
}

fn task_target(token: &WorkflowTaskToken) -> Target {
    target(token.namespace_id.clone(), token.workflow_id.clone(), token.run_id.clone())
}

fn activity_target(address: ActivityAddress) -> (Target, tempest_core::ActivityRef) {
    (target(address.namespace_id, address.workflow_id, address.run_id), address.activity)
}

fn target(namespace_id: NamespaceId, workflow_id: tempest_core::WorkflowId, run_id: RunId) -> Target {
    Target { workflow: WorkflowKey { namespace_id, workflow_id }, run_id }
}

/// The core answered another question.
fn unexpected(reply: &Reply) -> ServiceError {
    ServiceError::Internal(format!("the core gave a reply of another kind: {reply:?}"))
}
