//! How a transcript spells events, tasks and changes: one line each, what is empty or zero left out.
use crate::shard::EPOCH;
use prost_wkt_types::Duration;
use tempest_core::{AuxiliaryChange, ClosePolicyCall, CrossCall, StartChild, Time, TimerKind, TimerTask, TransferTask};
use temporalio_protos::temporal::api::{
    common::v1::{Memo, Payload, Payloads, Priority, SearchAttributes, WorkflowExecution},
    enums::v1::{RetryState, TimeoutType, WorkflowTaskFailedCause},
    failure::v1::{Failure, failure::FailureInfo},
    history::v1::{HistoryEvent, history_event::Attributes},
    taskqueue::v1::TaskQueue,
};

/// `name=value` pairs after a first word.
struct Line(String);

impl Line {
    fn word(word: impl ToString) -> Self {
        Self(word.to_string())
    }

    fn text(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            let quoted = value.contains(' ');
            self.0 += &if quoted { format!(" {name}={value:?}") } else { format!(" {name}={value}") };
        }
        self
    }

    fn number(self, name: &str, value: i64) -> Self {
        if value == 0 { self } else { self.text(name, &value.to_string()) }
    }

    fn event(self, name: &str, id: i64) -> Self {
        if id == 0 { self } else { self.text(name, &format!("#{id}")) }
    }

    fn flag(mut self, name: &str, value: bool) -> Self {
        if value {
            self.0 += &format!(" {name}");
        }
        self
    }

    fn duration(self, name: &str, value: &Option<Duration>) -> Self {
        match value {
            Some(value) if value.seconds != 0 || value.nanos != 0 => {
                let value = std::time::Duration::new(value.seconds as u64, value.nanos as u32);
                self.text(name, &format!("{value:?}"))
            }
            _ => self,
        }
    }

    fn payloads(self, name: &str, value: &Option<Payloads>) -> Self {
        match value {
            Some(value) => self.text(name, &payloads(value)),
            None => self,
        }
    }

    fn failure(self, name: &str, value: &Option<Failure>) -> Self {
        match value {
            Some(value) => self.text(name, &format!("<{}>", failure(value))),
            None => self,
        }
    }

    fn execution(self, name: &str, value: &Option<WorkflowExecution>) -> Self {
        match value {
            Some(run) if run.run_id.is_empty() => self.text(name, &run.workflow_id),
            Some(run) => self.text(name, &format!("{}/{}", run.workflow_id, run.run_id)),
            None => self,
        }
    }

    fn queue(self, value: &Option<TaskQueue>) -> Self {
        let Some(queue) = value else { return self };
        let line = self.text("queue", &queue.name);
        if queue.normal_name.is_empty() { line } else { line.text("sticky-for", &queue.normal_name) }
    }

    fn priority(self, value: &Option<Priority>) -> Self {
        let Some(Priority { priority_key, fairness_key, fairness_weight }) = value else { return self };
        let weight = if *fairness_weight == 0.0 { String::new() } else { fairness_weight.to_string() };
        let fields = Self(String::new()).number("key", (*priority_key).into()).text("fairness", fairness_key);
        self.text("priority", &format!("[{}]", fields.text("weight", &weight).0.trim()))
    }

    fn retry_state(self, value: RetryState) -> Self {
        if value == RetryState::Unspecified { self } else { self.text("retry-state", &format!("{value:?}")) }
    }

    fn memo(self, value: &Option<Memo>) -> Self {
        self.fields("memo", value.iter().flat_map(|memo| &memo.fields))
    }

    fn search_attributes(self, value: &Option<SearchAttributes>) -> Self {
        self.fields("search-attributes", value.iter().flat_map(|attributes| &attributes.indexed_fields))
    }

    fn fields<'a>(self, name: &str, fields: impl Iterator<Item = (&'a String, &'a Payload)>) -> Self {
        let mut fields: Vec<_> = fields.map(|(name, value)| format!("{name}:{}", payload(value))).collect();
        fields.sort();
        if fields.is_empty() { self } else { self.text(name, &format!("{{{}}}", fields.join(","))) }
    }
}

fn payload(value: &Payload) -> String {
    String::from_utf8_lossy(&value.data).into_owned()
}

pub fn payloads(value: &Payloads) -> String {
    value.payloads.iter().map(payload).collect::<Vec<_>>().join(",")
}

pub fn failure(value: &Failure) -> String {
    let info = match &value.failure_info {
        Some(FailureInfo::ApplicationFailureInfo(info)) => {
            Line::word("application").text("type", &info.r#type).flag("non-retryable", info.non_retryable)
        }
        Some(FailureInfo::TimeoutFailureInfo(info)) => Line::word("timeout")
            .text("type", &format!("{:?}", info.timeout_type()))
            .payloads("last-heartbeat", &info.last_heartbeat_details),
        Some(FailureInfo::ServerFailureInfo(info)) => Line::word("server").flag("non-retryable", info.non_retryable),
        Some(FailureInfo::CanceledFailureInfo(_)) => Line::word("canceled"),
        Some(FailureInfo::TerminatedFailureInfo(_)) => Line::word("terminated"),
        Some(other) => Line::word(format!("{other:?}")),
        None => Line::word("no info"),
    };
    let cause = value.cause.as_ref().map_or(String::new(), |cause| format!(" caused by {}", failure(cause)));
    format!("{} ({}){cause}", value.message, info.0)
}

pub fn memo(value: &Option<Memo>) -> String {
    Line(String::new()).memo(value).0
}

pub fn priority(value: &Option<Priority>) -> String {
    Line(String::new()).priority(value).0
}

pub fn search_attributes(value: &Option<SearchAttributes>) -> String {
    Line(String::new()).search_attributes(value).0
}

/// A time as seconds since the beginning.
pub fn time(value: Time) -> String {
    if value < EPOCH { "never".into() } else { format!("+{:?}", value.since(EPOCH)) }
}

/// `#5 TimerFired timer=t started=#4`
pub fn event(event: &HistoryEvent, now: Time) -> String {
    let at = event.event_time.as_ref().map_or(Time::ZERO, Time::from_proto);
    let name = event.event_type().as_str_name().strip_prefix("EVENT_TYPE_").expect("all have it").to_owned();
    let name = camel_case(&name);
    let head = if event.event_id > 0 { format!("#{} {name}", event.event_id) } else { name };
    let line = attributes(Line(head), event.attributes.as_ref().expect("an event has attributes"));
    // Only an event that tells of another time than its writing says so.
    if at == now { line.0 } else { format!("{} at={}", line.0, time(at)) }
}

fn attributes(line: Line, attributes: &Attributes) -> Line {
    use Attributes as A;
    match attributes {
        A::WorkflowExecutionStartedEventAttributes(e) => line
            .text("type", e.workflow_type.as_ref().map_or("", |t| &t.name))
            .queue(&e.task_queue)
            .number("attempt", e.attempt.into())
            .payloads("input", &e.input)
            .duration("execution-timeout", &e.workflow_execution_timeout)
            .duration("run-timeout", &e.workflow_run_timeout)
            .duration("task-timeout", &e.workflow_task_timeout)
            .text(
                "expires",
                &e.workflow_execution_expiration_time.as_ref().map_or(String::new(), |t| time(Time::from_proto(t))),
            )
            .duration("first-backoff", &e.first_workflow_task_backoff)
            .text("first-run", &e.first_execution_run_id)
            .text("original-run", &e.original_execution_run_id)
            .text("continued-run", &e.continued_execution_run_id)
            .execution("parent", &e.parent_workflow_execution)
            .event("parent-event", e.parent_initiated_event_id)
            .execution("root", &e.root_workflow_execution)
            .text("initiator", if e.initiator == 0 { "" } else { e.initiator().as_str_name() })
            .failure("continued-failure", &e.continued_failure)
            .payloads("last-result", &e.last_completion_result)
            .priority(&e.priority)
            .memo(&e.memo)
            .search_attributes(&e.search_attributes),
        A::WorkflowExecutionCompletedEventAttributes(e) => line
            .payloads("result", &e.result)
            .event("by", e.workflow_task_completed_event_id)
            .text("new-run", &e.new_execution_run_id),
        A::WorkflowExecutionFailedEventAttributes(e) => line
            .failure("failure", &e.failure)
            .retry_state(e.retry_state())
            .event("by", e.workflow_task_completed_event_id)
            .text("new-run", &e.new_execution_run_id),
        A::WorkflowExecutionTimedOutEventAttributes(e) => {
            line.retry_state(e.retry_state()).text("new-run", &e.new_execution_run_id)
        }
        A::WorkflowExecutionCanceledEventAttributes(e) => {
            line.payloads("details", &e.details).event("by", e.workflow_task_completed_event_id)
        }
        A::WorkflowExecutionTerminatedEventAttributes(e) => {
            line.text("reason", &e.reason).payloads("details", &e.details).text("identity", &e.identity)
        }
        A::WorkflowExecutionContinuedAsNewEventAttributes(e) => line
            .text("new-run", &e.new_execution_run_id)
            .text("type", e.workflow_type.as_ref().map_or("", |t| &t.name))
            .queue(&e.task_queue)
            .payloads("input", &e.input)
            .duration("run-timeout", &e.workflow_run_timeout)
            .duration("task-timeout", &e.workflow_task_timeout)
            .duration("backoff", &e.backoff_start_interval)
            .text("initiator", if e.initiator == 0 { "" } else { e.initiator().as_str_name() })
            .payloads("last-result", &e.last_completion_result)
            .memo(&e.memo)
            .search_attributes(&e.search_attributes)
            .event("by", e.workflow_task_completed_event_id),
        A::WorkflowExecutionSignaledEventAttributes(e) => line
            .text("signal", &e.signal_name)
            .payloads("input", &e.input)
            .text("identity", &e.identity)
            .text("request", &e.request_id)
            .execution("by", &e.external_workflow_execution),
        A::WorkflowExecutionOptionsUpdatedEventAttributes(e) => line.text("attached-request", &e.attached_request_id),
        A::WorkflowExecutionCancelRequestedEventAttributes(e) => line
            .text("cause", &e.cause)
            .text("identity", &e.identity)
            .execution("by", &e.external_workflow_execution)
            .event("by-event", e.external_initiated_event_id),
        A::WorkflowTaskScheduledEventAttributes(e) => {
            line.queue(&e.task_queue).duration("timeout", &e.start_to_close_timeout).number("attempt", e.attempt.into())
        }
        A::WorkflowTaskStartedEventAttributes(e) => line
            .event("scheduled", e.scheduled_event_id)
            .text("identity", &e.identity)
            .flag("suggest-continue-as-new", e.suggest_continue_as_new),
        A::WorkflowTaskCompletedEventAttributes(e) => line
            .event("scheduled", e.scheduled_event_id)
            .event("started", e.started_event_id)
            .text("identity", &e.identity),
        A::WorkflowTaskTimedOutEventAttributes(e) => line
            .event("scheduled", e.scheduled_event_id)
            .event("started", e.started_event_id)
            .text("timeout", &timeout(e.timeout_type())),
        A::WorkflowTaskFailedEventAttributes(e) => line
            .event("scheduled", e.scheduled_event_id)
            .event("started", e.started_event_id)
            .text("cause", &cause(e.cause()))
            .failure("failure", &e.failure)
            .text("identity", &e.identity),
        A::ActivityTaskScheduledEventAttributes(e) => {
            let retry = e.retry_policy.as_ref().map_or(String::new(), |policy| {
                Line(String::new())
                    .duration("initial", &policy.initial_interval)
                    .text("coefficient", &policy.backoff_coefficient.to_string())
                    .duration("max", &policy.maximum_interval)
                    .number("attempts", policy.maximum_attempts.into())
                    .text("not", &policy.non_retryable_error_types.join(","))
                    .0
            });
            line.text("id", &e.activity_id)
                .text("type", e.activity_type.as_ref().map_or("", |t| &t.name))
                .queue(&e.task_queue)
                .payloads("input", &e.input)
                .duration("schedule-to-close", &e.schedule_to_close_timeout)
                .duration("schedule-to-start", &e.schedule_to_start_timeout)
                .duration("start-to-close", &e.start_to_close_timeout)
                .duration("heartbeat", &e.heartbeat_timeout)
                .text("retry", &format!("[{}]", retry.trim()))
                .priority(&e.priority)
                .event("by", e.workflow_task_completed_event_id)
        }
        A::ActivityTaskStartedEventAttributes(e) => line
            .event("scheduled", e.scheduled_event_id)
            .number("attempt", e.attempt.into())
            .text("identity", &e.identity)
            .failure("last-failure", &e.last_failure),
        A::ActivityTaskCompletedEventAttributes(e) => line
            .event("scheduled", e.scheduled_event_id)
            .event("started", e.started_event_id)
            .payloads("result", &e.result)
            .text("identity", &e.identity),
        A::ActivityTaskFailedEventAttributes(e) => line
            .event("scheduled", e.scheduled_event_id)
            .event("started", e.started_event_id)
            .failure("failure", &e.failure)
            .retry_state(e.retry_state())
            .text("identity", &e.identity),
        A::ActivityTaskTimedOutEventAttributes(e) => line
            .event("scheduled", e.scheduled_event_id)
            .event("started", e.started_event_id)
            .failure("failure", &e.failure)
            .retry_state(e.retry_state()),
        A::ActivityTaskCancelRequestedEventAttributes(e) => {
            line.event("scheduled", e.scheduled_event_id).event("by", e.workflow_task_completed_event_id)
        }
        A::ActivityTaskCanceledEventAttributes(e) => line
            .event("scheduled", e.scheduled_event_id)
            .event("started", e.started_event_id)
            .event("requested", e.latest_cancel_requested_event_id)
            .payloads("details", &e.details)
            .text("identity", &e.identity),
        A::TimerStartedEventAttributes(e) => line
            .text("id", &e.timer_id)
            .duration("after", &e.start_to_fire_timeout)
            .event("by", e.workflow_task_completed_event_id),
        A::TimerFiredEventAttributes(e) => line.text("id", &e.timer_id).event("started", e.started_event_id),
        A::TimerCanceledEventAttributes(e) => line
            .text("id", &e.timer_id)
            .event("started", e.started_event_id)
            .event("by", e.workflow_task_completed_event_id)
            .text("identity", &e.identity),
        A::MarkerRecordedEventAttributes(e) => {
            line.text("name", &e.marker_name).event("by", e.workflow_task_completed_event_id)
        }
        A::UpsertWorkflowSearchAttributesEventAttributes(e) => {
            line.search_attributes(&e.search_attributes).event("by", e.workflow_task_completed_event_id)
        }
        A::WorkflowPropertiesModifiedEventAttributes(e) => {
            line.memo(&e.upserted_memo).event("by", e.workflow_task_completed_event_id)
        }
        A::StartChildWorkflowExecutionInitiatedEventAttributes(e) => line
            .text("id", &e.workflow_id)
            .text("type", e.workflow_type.as_ref().map_or("", |t| &t.name))
            .queue(&e.task_queue)
            .payloads("input", &e.input)
            .duration("execution-timeout", &e.workflow_execution_timeout)
            .duration("run-timeout", &e.workflow_run_timeout)
            .duration("task-timeout", &e.workflow_task_timeout)
            .text("on-parent-close", &format!("{:?}", e.parent_close_policy()))
            .text("namespace", &e.namespace)
            .priority(&e.priority)
            .event("by", e.workflow_task_completed_event_id),
        A::StartChildWorkflowExecutionFailedEventAttributes(e) => line
            .event("initiated", e.initiated_event_id)
            .text("id", &e.workflow_id)
            .text("cause", &format!("{:?}", e.cause()))
            .event("by", e.workflow_task_completed_event_id),
        A::ChildWorkflowExecutionStartedEventAttributes(e) => {
            line.event("initiated", e.initiated_event_id).execution("run", &e.workflow_execution)
        }
        A::ChildWorkflowExecutionCompletedEventAttributes(e) => line
            .event("initiated", e.initiated_event_id)
            .event("started", e.started_event_id)
            .execution("run", &e.workflow_execution)
            .payloads("result", &e.result),
        A::ChildWorkflowExecutionFailedEventAttributes(e) => line
            .event("initiated", e.initiated_event_id)
            .event("started", e.started_event_id)
            .execution("run", &e.workflow_execution)
            .failure("failure", &e.failure)
            .retry_state(e.retry_state()),
        A::ChildWorkflowExecutionCanceledEventAttributes(e) => line
            .event("initiated", e.initiated_event_id)
            .event("started", e.started_event_id)
            .execution("run", &e.workflow_execution)
            .payloads("details", &e.details),
        A::ChildWorkflowExecutionTimedOutEventAttributes(e) => line
            .event("initiated", e.initiated_event_id)
            .event("started", e.started_event_id)
            .execution("run", &e.workflow_execution)
            .retry_state(e.retry_state()),
        A::ChildWorkflowExecutionTerminatedEventAttributes(e) => line
            .event("initiated", e.initiated_event_id)
            .event("started", e.started_event_id)
            .execution("run", &e.workflow_execution),
        A::SignalExternalWorkflowExecutionInitiatedEventAttributes(e) => line
            .execution("to", &e.workflow_execution)
            .text("signal", &e.signal_name)
            .payloads("input", &e.input)
            .flag("child-only", e.child_workflow_only)
            .event("by", e.workflow_task_completed_event_id),
        A::ExternalWorkflowExecutionSignaledEventAttributes(e) => {
            line.event("initiated", e.initiated_event_id).execution("to", &e.workflow_execution)
        }
        A::SignalExternalWorkflowExecutionFailedEventAttributes(e) => line
            .event("initiated", e.initiated_event_id)
            .execution("to", &e.workflow_execution)
            .text("cause", &format!("{:?}", e.cause())),
        A::RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(e) => line
            .execution("to", &e.workflow_execution)
            .text("reason", &e.reason)
            .flag("child-only", e.child_workflow_only)
            .event("by", e.workflow_task_completed_event_id),
        A::ExternalWorkflowExecutionCancelRequestedEventAttributes(e) => {
            line.event("initiated", e.initiated_event_id).execution("to", &e.workflow_execution)
        }
        A::RequestCancelExternalWorkflowExecutionFailedEventAttributes(e) => line
            .event("initiated", e.initiated_event_id)
            .execution("to", &e.workflow_execution)
            .text("cause", &format!("{:?}", e.cause())),
        other => Line(format!("{} {other:?}", line.0)),
    }
}

/// What a transfer task asks of other runs.
pub fn cross_call(cross_call: &CrossCall) -> String {
    match cross_call {
        CrossCall::StartChild { child, otherwise } => {
            let StartChild { request, parent, root, .. } = child.as_ref();
            let line = Line::word("start child")
                .text("id", &request.workflow_id)
                .text("request", &request.request_id)
                .text("parent", &format!("{}/{}", parent.workflow_id, parent.run_id))
                .execution("root", &Some(root.clone()))
                .priority(&request.priority);
            format!("{}; should this run close meanwhile: {}", line.0, close_policy_call(otherwise))
        }
        CrossCall::BeginChild { child, .. } => format!("let child begin run={}/{}", child.workflow_id, child.run_id),
        CrossCall::Settle(child) => close_policy_call(child),
        CrossCall::Signal(to) => {
            Line::word("signal")
                .execution("to", &to.request.workflow_execution)
                .text("signal", &to.request.signal_name)
                .text("request", &to.request.request_id)
                .flag("child-only", to.from.child_only)
                .0
        }
        CrossCall::Cancel(to) => {
            Line::word("request cancel")
                .execution("to", &to.request.workflow_execution)
                .text("request", &to.request.request_id)
                .flag("child-only", to.from.child_only)
                .0
        }
        CrossCall::Known(end) => format!("nobody: {:?}", end.outcome),
        CrossCall::Close { report, children } => {
            let report = report.as_ref().map(|report| {
                Line::word("report")
                    .text("to", &format!("{}/{}", report.parent.workflow_id, report.parent.run_id))
                    .event("initiated", report.initiated_event_id)
                    .text("first-run", report.first_execution_run_id.as_str())
                    .0
            });
            report.into_iter().chain(children.iter().map(close_policy_call)).collect::<Vec<_>>().join("; ")
        }
    }
}

fn close_policy_call(call: &ClosePolicyCall) -> String {
    match call {
        ClosePolicyCall::Terminate(to) => {
            Line::word("terminate")
                .execution("child", &to.request.workflow_execution)
                .text("first-run", &to.request.first_execution_run_id)
                .text("reason", &to.request.reason)
                .0
        }
        ClosePolicyCall::Cancel(to) => {
            Line::word("request cancel")
                .execution("child", &to.request.workflow_execution)
                .text("first-run", &to.request.first_execution_run_id)
                .0
        }
        ClosePolicyCall::Abandon { child, .. } => format!("let child begin id={}", child.workflow_id),
    }
}

/// A change that no event tells of.
pub fn auxiliary(change: &AuxiliaryChange, now: Time) -> Option<String> {
    let line = match change {
        AuxiliaryChange::EventBuffered(buffered) => Line::word(format!("buffered {}", event(buffered, now))),
        AuxiliaryChange::BufferEmptied => Line::word("buffer emptied"),
        AuxiliaryChange::BufferedTimerFiredRemoved { started_event_id } => {
            Line::word("unbuffered TimerFired").event("started", *started_event_id)
        }
        // A first attempt is told by its events.
        AuxiliaryChange::WorkflowTask(task) if task.attempt == 1 && !task.close_attempted => return None,
        AuxiliaryChange::WorkflowTask(task) => {
            let line = Line::word("workflow task")
                .number("attempt", task.attempt.into())
                .flag("close-attempted", task.close_attempted);
            match &task.transient {
                Some(transient) => line
                    .event("transient", transient.scheduled_event_id)
                    .event("started", transient.started_event_id)
                    .text("queue", &transient.queue)
                    .text("timeout", &format!("{:?}", transient.timeout)),
                None => line,
            }
        }
        AuxiliaryChange::Caches(caches) => Line::word(format!("caches emptied {:?}", caches.emptied)),
        AuxiliaryChange::Sticky(None) => Line::word("sticky cleared"),
        AuxiliaryChange::Sticky(Some(sticky)) => Line::word("sticky")
            .text("queue", &sticky.queue)
            .text("schedule-to-start", &format!("{:?}", sticky.schedule_to_start_timeout)),
        AuxiliaryChange::ActivityProgress { scheduled_event_id, progress } => {
            let started = progress.started.as_ref();
            Line::word("activity")
                .event("scheduled", *scheduled_event_id)
                .number("attempt", progress.attempt.into())
                .text("due", &time(progress.due_time))
                .text("started", &started.map_or(String::new(), |start| time(start.time)))
                .text("identity", started.map_or("", |start| &start.identity))
                .payloads("heartbeat", &progress.heartbeat_details)
                .text("heartbeat-at", &progress.last_heartbeat_time.map_or(String::new(), time))
                .failure("last-failure", &progress.last_failure)
        }
        AuxiliaryChange::StartedBy { request_id } => Line::word("started by").text("request", request_id),
        AuxiliaryChange::SignalSeen { request_id } => Line::word("signal seen").text("request", request_id),
        AuxiliaryChange::BackoffOver => Line::word("backoff is over"),
    };
    Some(line.0)
}

pub fn transfer_task(task: &TransferTask) -> String {
    match task {
        TransferTask::WorkflowTask { scheduled_event_id, stamp, task_queue, sticky_for, schedule_to_start_timeout } => {
            Line::word("WorkflowTask")
                .event("scheduled", *scheduled_event_id)
                .number("stamp", *stamp as i64)
                .text("queue", task_queue)
                .text("sticky-for", sticky_for.as_deref().unwrap_or_default())
                .text("schedule-to-start", &schedule_to_start_timeout.map_or(String::new(), |t| format!("{t:?}")))
                .0
        }
        TransferTask::ActivityTask { scheduled_event_id, attempt, task_queue, schedule_to_start_timeout } => {
            Line::word("ActivityTask")
                .event("scheduled", *scheduled_event_id)
                .number("attempt", (*attempt).into())
                .text("queue", task_queue)
                .text("schedule-to-start", &schedule_to_start_timeout.map_or(String::new(), |t| format!("{t:?}")))
                .0
        }
        TransferTask::StartChild { initiated_event_id } => {
            Line::word("StartChild").event("initiated", *initiated_event_id).0
        }
        TransferTask::SignalExternal { initiated_event_id } => {
            Line::word("SignalExternal").event("initiated", *initiated_event_id).0
        }
        TransferTask::CancelExternal { initiated_event_id } => {
            Line::word("CancelExternal").event("initiated", *initiated_event_id).0
        }
        TransferTask::CloseExecution => "CloseExecution".into(),
    }
}

pub fn timer_task(task: &TimerTask) -> String {
    let what = match &task.kind {
        TimerKind::UserTimer { started_event_id } => Line::word("UserTimer").event("started", *started_event_id).0,
        TimerKind::ActivityTimeout { scheduled_event_id, attempt, timeout } => {
            Line::word(format!("Activity{timeout:?}"))
                .event("scheduled", *scheduled_event_id)
                .number("attempt", (*attempt).into())
                .0
        }
        TimerKind::ActivityRetry { scheduled_event_id, attempt } => {
            Line::word("ActivityRetry").event("scheduled", *scheduled_event_id).number("attempt", (*attempt).into()).0
        }
        TimerKind::WorkflowTaskTimeout { scheduled_event_id, stamp, timeout } => {
            Line::word(format!("WorkflowTask{timeout:?}"))
                .event("scheduled", *scheduled_event_id)
                .number("stamp", *stamp as i64)
                .0
        }
        other => format!("{other:?}"),
    };
    format!("{what} at {}", time(task.fire_time))
}

fn timeout(value: TimeoutType) -> String {
    format!("{value:?}")
}

fn cause(value: WorkflowTaskFailedCause) -> String {
    format!("{value:?}")
}

fn camel_case(name: &str) -> String {
    name.split('_').map(|word| word[..1].to_owned() + &word[1..].to_lowercase()).collect()
}
