//! Matching found a poll for a workflow task.
use crate::{
    AuxiliaryChange, Context, Decision, MutableState, RecordWorkflowTaskStarted, Rejection, Reply, TimerKind,
    Transition, WorkflowTaskStarted, WorkflowTaskTimeoutKind, WorkflowTaskToken, planted_in, run::inputs::closed,
};
use temporalio_protos::temporal::api::{
    common::v1::{WorkflowExecution, WorkflowType},
    enums::v1::{SuggestContinueAsNewReason, TaskQueueKind},
    taskqueue::v1::TaskQueue,
    workflowservice::v1 as api,
};

pub(crate) fn decide(
    state: &MutableState,
    request: RecordWorkflowTaskStarted,
    context: &Context,
) -> Result<Transition, Rejection> {
    if !state.is_open() {
        return Err(closed());
    }
    let Some(task) = state.workflow_task() else {
        return Err(Rejection::NotFound("Workflow task not found.".into()));
    };
    if state.auxiliary.workflow_task.stamp != request.stamp {
        return Err(Rejection::ObsoleteTask);
    }
    if task.is_started() {
        return answer_again(state, &request);
    }
    if task.scheduled_event_id != request.scheduled_event_id {
        return Err(Rejection::ObsoleteTask);
    }
    let sticky_queue = state.auxiliary.sticky.as_ref().map(|sticky| sticky.queue.as_str());
    let polled_normal = request.polled_queue == state.task_queue();
    if !polled_normal && sticky_queue != Some(request.polled_queue.as_str()) {
        // Of a sticky queue that the run has left since.
        return Err(Rejection::ObsoleteTask);
    }
    let mut decision = Decision::about(state, context);
    if polled_normal && sticky_queue.is_some() {
        // The sticky worker did not come for it; the one that did has no cache.
        decision.probe("sticky-task-taken-from-normal-queue");
        decision.auxiliary(AuxiliaryChange::Sticky(None));
    }
    decision.start_workflow_task(request.request_id, request.identity);
    let partial = decision.state.auxiliary.sticky.is_some();
    let reply = started_reply(&decision.state, partial);
    Ok(decision.finish(Reply::WorkflowTaskStarted(Box::new(reply))))
}

/// The answer to a dispatch may be lost: asking again with the same request id gets it once more.
fn answer_again(state: &MutableState, request: &RecordWorkflowTaskStarted) -> Result<Transition, Rejection> {
    let task = state.workflow_task().expect("the caller found it");
    if task.request_id != request.request_id {
        return Err(Rejection::TaskAlreadyStarted);
    }
    let reply = started_reply(state, state.auxiliary.sticky.is_some());
    let mut transition = Transition::nothing(Reply::WorkflowTaskStarted(Box::new(reply)));
    transition.probes.push("workflow-task-start-repeated");
    Ok(transition)
}

impl Decision<'_> {
    /// Starts the pending workflow task. A transient one whose ids were taken by newer events becomes a first attempt.
    pub(crate) fn start_workflow_task(&mut self, request_id: String, identity: String) {
        let mut task = self.state.workflow_task().expect("the caller found a pending workflow task").clone();
        let mut auxiliary = self.state.auxiliary.workflow_task.clone();
        if auxiliary.transient.is_some() && task.scheduled_event_id != self.next_event_id() {
            self.probe("transient-workflow-task-became-normal");
            auxiliary.transient = None;
            auxiliary.attempt = 1;
            self.auxiliary(AuxiliaryChange::WorkflowTask(auxiliary.clone()));
            task.attempt = 1;
            task.scheduled_event_id = self.next_event_id();
            self.event(task.scheduled_attributes());
        }
        let limits = &self.context.limits;
        task.started_time = self.now();
        task.request_id = request_id;
        task.identity = identity;
        task.history_size_bytes = self.state.durable.history_size_bytes;
        task.suggest_continue_as_new_reasons.clear();
        if task.history_size_bytes >= limits.history_bytes_suggest_continue_as_new {
            task.suggest_continue_as_new_reasons.push(SuggestContinueAsNewReason::HistorySizeTooLarge.into());
        }
        if self.next_event_id() >= limits.history_events_suggest_continue_as_new {
            task.suggest_continue_as_new_reasons.push(SuggestContinueAsNewReason::TooManyHistoryEvents.into());
        }
        task.suggest_continue_as_new = !task.suggest_continue_as_new_reasons.is_empty();
        let kind = TimerKind::WorkflowTaskTimeout {
            scheduled_event_id: task.scheduled_event_id,
            stamp: auxiliary.stamp,
            timeout: WorkflowTaskTimeoutKind::StartToClose,
        };
        if auxiliary.transient.is_none() || !planted_in!(self.context, crate::planted::TRANSIENT_TASK_WITHOUT_TIMEOUT) {
            self.timer(self.now().plus(task.timeout), kind);
        }
        if auxiliary.transient.is_some() {
            task.started_event_id = task.scheduled_event_id + 1;
            auxiliary.transient = Some(task);
            self.auxiliary(AuxiliaryChange::WorkflowTask(auxiliary));
        } else {
            self.event(task.started_attributes());
        }
    }
}

/// What the worker that got the started workflow task is sent. `partial`: it has the history up to its last one.
pub(crate) fn started_reply(state: &MutableState, partial: bool) -> WorkflowTaskStarted {
    let task = state.workflow_task().expect("the caller started it");
    let key = state.key();
    let transient_events = state.transient_events();
    let previous = state.durable.previous_started_event_id;
    let history_until = match transient_events.is_empty() {
        true => task.started_event_id,
        false => task.scheduled_event_id - 1,
    };
    WorkflowTaskStarted {
        response: api::PollWorkflowTaskQueueResponse {
            workflow_execution: Some(WorkflowExecution {
                workflow_id: key.workflow_id.0.clone(),
                run_id: key.run_id.0.clone(),
            }),
            workflow_type: Some(WorkflowType { name: state.durable.workflow_type().to_owned() }),
            previous_started_event_id: previous,
            started_event_id: task.started_event_id,
            attempt: task.attempt,
            workflow_execution_task_queue: Some(TaskQueue {
                name: state.task_queue().to_owned(),
                kind: TaskQueueKind::Normal.into(),
                ..TaskQueue::default()
            }),
            scheduled_time: Some(task.scheduled_time.to_proto()),
            started_time: Some(task.started_time.to_proto()),
            ..api::PollWorkflowTaskQueueResponse::default()
        },
        token: WorkflowTaskToken {
            namespace_id: key.namespace_id.clone(),
            workflow_id: key.workflow_id.clone(),
            run_id: key.run_id.clone(),
            scheduled_event_id: task.scheduled_event_id,
            started_event_id: task.started_event_id,
            started_time: task.started_time,
            attempt: task.attempt,
        },
        history_from: if partial { previous + 1 } else { 1 },
        history_until,
        transient_events,
    }
}
