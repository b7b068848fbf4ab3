//! Requests and commands as tests need them.
use super::{NAMESPACE, WORKFLOW_ID};
use prost_wkt_types::Duration;
use temporalio_protos::temporal::api::{
    command::v1::{
        CancelTimerCommandAttributes, Command, CompleteWorkflowExecutionCommandAttributes,
        ContinueAsNewWorkflowExecutionCommandAttributes, FailWorkflowExecutionCommandAttributes,
        RecordMarkerCommandAttributes, RequestCancelActivityTaskCommandAttributes,
        RequestCancelExternalWorkflowExecutionCommandAttributes, ScheduleActivityTaskCommandAttributes,
        SignalExternalWorkflowExecutionCommandAttributes, StartChildWorkflowExecutionCommandAttributes,
        StartTimerCommandAttributes, command::Attributes,
    },
    common::v1::{ActivityType, Payload, Payloads, WorkflowExecution, WorkflowType},
    enums::v1::{CommandType, TaskQueueKind, WorkflowIdConflictPolicy, WorkflowIdReusePolicy},
    failure::v1::{ApplicationFailureInfo, Failure, failure::FailureInfo},
    taskqueue::v1::TaskQueue,
    workflowservice::v1 as api,
};

pub const QUEUE: &str = "orders";

pub fn seconds(seconds: i64) -> Option<Duration> {
    Some(Duration { seconds, nanos: 0 })
}

pub fn payloads(text: &str) -> Option<Payloads> {
    Some(Payloads { payloads: vec![Payload { data: text.as_bytes().to_vec(), ..Default::default() }] })
}

pub fn queue(name: &str) -> Option<TaskQueue> {
    Some(TaskQueue { name: name.into(), kind: TaskQueueKind::Normal.into(), ..Default::default() })
}

pub fn execution() -> Option<WorkflowExecution> {
    Some(WorkflowExecution { workflow_id: WORKFLOW_ID.into(), run_id: String::new() })
}

/// As the frontend hands it on: defaults filled in.
pub fn start(request_id: &str) -> api::StartWorkflowExecutionRequest {
    let mut request = api::StartWorkflowExecutionRequest {
        namespace: NAMESPACE.into(),
        workflow_id: WORKFLOW_ID.into(),
        workflow_type: Some(WorkflowType { name: "OrderSaga".into() }),
        task_queue: queue(QUEUE),
        input: payloads("3 books"),
        workflow_task_timeout: seconds(10),
        workflow_run_timeout: seconds(0),
        identity: "client".into(),
        request_id: request_id.into(),
        ..Default::default()
    };
    request.set_workflow_id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicate);
    request.set_workflow_id_conflict_policy(WorkflowIdConflictPolicy::Fail);
    request
}

pub fn signal(name: &str, request_id: &str) -> api::SignalWorkflowExecutionRequest {
    api::SignalWorkflowExecutionRequest {
        namespace: NAMESPACE.into(),
        workflow_execution: execution(),
        signal_name: name.into(),
        input: payloads("one more book"),
        identity: "client".into(),
        request_id: request_id.into(),
        ..Default::default()
    }
}

pub fn signal_with_start(name: &str, request_id: &str) -> api::SignalWithStartWorkflowExecutionRequest {
    let mut request = api::SignalWithStartWorkflowExecutionRequest {
        namespace: NAMESPACE.into(),
        workflow_id: WORKFLOW_ID.into(),
        workflow_type: Some(WorkflowType { name: "OrderSaga".into() }),
        task_queue: queue(QUEUE),
        input: payloads("3 books"),
        workflow_task_timeout: seconds(10),
        workflow_run_timeout: seconds(0),
        identity: "client".into(),
        request_id: request_id.into(),
        signal_name: name.into(),
        signal_input: payloads("one more book"),
        ..Default::default()
    };
    request.set_workflow_id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicate);
    request.set_workflow_id_conflict_policy(WorkflowIdConflictPolicy::UseExisting);
    request
}

pub fn cancel(request_id: &str) -> api::RequestCancelWorkflowExecutionRequest {
    api::RequestCancelWorkflowExecutionRequest {
        namespace: NAMESPACE.into(),
        workflow_execution: execution(),
        identity: "client".into(),
        request_id: request_id.into(),
        reason: "changed my mind".into(),
        ..Default::default()
    }
}

pub fn terminate(reason: &str) -> api::TerminateWorkflowExecutionRequest {
    api::TerminateWorkflowExecutionRequest {
        namespace: NAMESPACE.into(),
        workflow_execution: execution(),
        reason: reason.into(),
        identity: "client".into(),
        ..Default::default()
    }
}

pub fn application_failure(message: &str, failure_type: &str) -> Failure {
    Failure {
        message: message.into(),
        failure_info: Some(FailureInfo::ApplicationFailureInfo(ApplicationFailureInfo {
            r#type: failure_type.into(),
            ..Default::default()
        })),
        ..Default::default()
    }
}

pub fn command(command_type: CommandType, attributes: Attributes) -> Command {
    Command { command_type: command_type.into(), attributes: Some(attributes), ..Default::default() }
}

/// An activity with ten seconds per attempt, changed by `edit`.
pub fn schedule_activity(id: &str, edit: impl FnOnce(&mut ScheduleActivityTaskCommandAttributes)) -> Command {
    let mut attributes = ScheduleActivityTaskCommandAttributes {
        activity_id: id.into(),
        activity_type: Some(ActivityType { name: "Charge".into() }),
        task_queue: queue("payments"),
        input: payloads("42 EUR"),
        start_to_close_timeout: seconds(10),
        ..Default::default()
    };
    edit(&mut attributes);
    command(CommandType::ScheduleActivityTask, Attributes::ScheduleActivityTaskCommandAttributes(attributes))
}

pub fn cancel_activity(scheduled_event_id: i64) -> Command {
    let attributes = RequestCancelActivityTaskCommandAttributes { scheduled_event_id };
    command(CommandType::RequestCancelActivityTask, Attributes::RequestCancelActivityTaskCommandAttributes(attributes))
}

pub fn start_timer(id: &str, after_seconds: i64) -> Command {
    let attributes = StartTimerCommandAttributes { timer_id: id.into(), start_to_fire_timeout: seconds(after_seconds) };
    command(CommandType::StartTimer, Attributes::StartTimerCommandAttributes(attributes))
}

pub fn cancel_timer(id: &str) -> Command {
    let attributes = CancelTimerCommandAttributes { timer_id: id.into() };
    command(CommandType::CancelTimer, Attributes::CancelTimerCommandAttributes(attributes))
}

pub fn marker(name: &str) -> Command {
    let attributes = RecordMarkerCommandAttributes { marker_name: name.into(), ..Default::default() };
    command(CommandType::RecordMarker, Attributes::RecordMarkerCommandAttributes(attributes))
}

pub fn start_child(id: &str, edit: impl FnOnce(&mut StartChildWorkflowExecutionCommandAttributes)) -> Command {
    let mut attributes = StartChildWorkflowExecutionCommandAttributes {
        workflow_id: id.into(),
        workflow_type: Some(WorkflowType { name: "Ship".into() }),
        input: payloads("1 parcel"),
        ..Default::default()
    };
    edit(&mut attributes);
    command(
        CommandType::StartChildWorkflowExecution,
        Attributes::StartChildWorkflowExecutionCommandAttributes(attributes),
    )
}

pub fn signal_external(workflow_id: &str, child_workflow_only: bool) -> Command {
    let attributes = SignalExternalWorkflowExecutionCommandAttributes {
        execution: Some(WorkflowExecution { workflow_id: workflow_id.into(), run_id: String::new() }),
        signal_name: "hurry".into(),
        input: payloads("please"),
        child_workflow_only,
        ..Default::default()
    };
    command(
        CommandType::SignalExternalWorkflowExecution,
        Attributes::SignalExternalWorkflowExecutionCommandAttributes(attributes),
    )
}

pub fn cancel_external(workflow_id: &str, child_workflow_only: bool) -> Command {
    let attributes = RequestCancelExternalWorkflowExecutionCommandAttributes {
        workflow_id: workflow_id.into(),
        child_workflow_only,
        reason: "no need".into(),
        ..Default::default()
    };
    command(
        CommandType::RequestCancelExternalWorkflowExecution,
        Attributes::RequestCancelExternalWorkflowExecutionCommandAttributes(attributes),
    )
}

pub fn complete_workflow(result: &str) -> Command {
    let attributes = CompleteWorkflowExecutionCommandAttributes { result: payloads(result) };
    command(CommandType::CompleteWorkflowExecution, Attributes::CompleteWorkflowExecutionCommandAttributes(attributes))
}

pub fn fail_workflow(failure: Failure) -> Command {
    let attributes = FailWorkflowExecutionCommandAttributes { failure: Some(failure) };
    command(CommandType::FailWorkflowExecution, Attributes::FailWorkflowExecutionCommandAttributes(attributes))
}

pub fn cancel_workflow() -> Command {
    let attributes = Attributes::CancelWorkflowExecutionCommandAttributes(Default::default());
    command(CommandType::CancelWorkflowExecution, attributes)
}

pub fn continue_as_new(
    input: &str,
    edit: impl FnOnce(&mut ContinueAsNewWorkflowExecutionCommandAttributes),
) -> Command {
    let mut attributes =
        ContinueAsNewWorkflowExecutionCommandAttributes { input: payloads(input), ..Default::default() };
    edit(&mut attributes);
    command(
        CommandType::ContinueAsNewWorkflowExecution,
        Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(attributes),
    )
}
