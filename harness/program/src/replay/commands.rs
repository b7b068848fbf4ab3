//! The commands of a worker, and what is in them.
use crate::interpret::{ActivityOrder, ChildOrder, RunEnd, RunInput};
use crate::plan::{ATTRIBUTE, Activity, Backoff, ClosePolicy, Retry};
use prost_wkt_types::Duration;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use tempest_api::proto::command::v1 as attributes;
use tempest_api::proto::command::v1::Command;
use tempest_api::proto::command::v1::command::Attributes;
use tempest_api::proto::common::v1::{
    ActivityType, Memo, Payload, Payloads, RetryPolicy, SearchAttributes, WorkflowExecution, WorkflowType,
};
use tempest_api::proto::enums::v1::{CommandType, ParentClosePolicy, WorkflowIdReusePolicy};
use tempest_api::proto::failure::v1::failure::FailureInfo;
use tempest_api::proto::failure::v1::{ApplicationFailureInfo, Failure};
use tempest_api::proto::taskqueue::v1::TaskQueue;

/// The workflow type of all programs.
pub const WORKFLOW_TYPE: &str = "program";
/// The activity type of all their activities.
const ACTIVITY_TYPE: &str = "step";
/// The name of all their signals: the payload says which one it is, so that a worker needs one handler.
pub const SIGNAL: &str = "signal";
/// A task queue that no worker polls.
pub const UNATTENDED: &str = "unattended";

/// What a run's code knows of where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    pub workflow_id: String,
    pub task_queue: String,
}

/// What an activity is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepInput {
    pub path: String,
    pub activity: Activity,
}

/// As SDKs write JSON.
///
/// # Panics
/// A value that has no JSON: programs have none.
pub fn payloads(value: &impl Serialize) -> Payloads {
    Payloads { payloads: vec![payload(value)] }
}

pub(crate) fn payload(value: &impl Serialize) -> Payload {
    let data = serde_json::to_vec(value).expect("programs are plain data");
    let metadata = HashMap::from([("encoding".to_owned(), b"json/plain".to_vec())]);
    Payload { metadata, data, ..Default::default() }
}

/// Reads the one value that is there.
///
/// # Errors
/// There is none, or it is another one.
pub fn input_of<T: DeserializeOwned>(payloads: Option<&Payloads>) -> Result<T, String> {
    let payload = payloads.and_then(|payloads| payloads.payloads.first()).ok_or("it has no input")?;
    serde_json::from_slice(&payload.data).map_err(|error| error.to_string())
}

pub(super) fn number_in(payloads: Option<&Payloads>) -> Option<u32> {
    input_of(payloads).ok()
}

fn command(kind: CommandType, attributes: Attributes) -> Command {
    Command { command_type: kind.into(), attributes: Some(attributes), ..Default::default() }
}

pub(crate) fn duration(ms: u64) -> Duration {
    Duration {
        seconds: i64::try_from(ms / 1000).unwrap_or(i64::MAX),
        nanos: i32::try_from(ms % 1000 * 1_000_000).unwrap_or(0),
    }
}

fn queue(name: &str) -> TaskQueue {
    TaskQueue { name: name.to_owned(), ..Default::default() }
}

/// How often and after which pauses something is tried.
pub fn retry_policy(attempts_max: u32, backoff: Backoff) -> RetryPolicy {
    RetryPolicy {
        initial_interval: Some(duration(backoff.initial_ms)),
        backoff_coefficient: f64::from(backoff.coefficient),
        maximum_interval: Some(duration(backoff.max_ms)),
        maximum_attempts: i32::try_from(attempts_max).unwrap_or(i32::MAX),
        non_retryable_error_types: Vec::new(),
    }
}

fn retry(retry: Retry) -> RetryPolicy {
    retry_policy(retry.attempts_max, retry.backoff)
}

pub(super) fn schedule_activity(names: &Names, order: &ActivityOrder) -> Command {
    let activity = &order.activity;
    let input = StepInput { path: order.path.clone(), activity: activity.clone() };
    let attributes = attributes::ScheduleActivityTaskCommandAttributes {
        activity_id: order.path.clone(),
        activity_type: Some(ActivityType { name: ACTIVITY_TYPE.to_owned() }),
        task_queue: Some(queue(if activity.unattended { UNATTENDED } else { &names.task_queue })),
        input: Some(payloads(&input)),
        schedule_to_close_timeout: activity.schedule_to_close_ms.map(duration),
        schedule_to_start_timeout: activity.schedule_to_start_ms.map(duration),
        start_to_close_timeout: Some(duration(activity.start_to_close_ms)),
        heartbeat_timeout: activity.heartbeat_ms.map(duration),
        retry_policy: Some(retry_policy(activity.attempts_max, activity.backoff)),
        ..Default::default()
    };
    command(CommandType::ScheduleActivityTask, Attributes::ScheduleActivityTaskCommandAttributes(attributes))
}

pub(super) fn cancel_activity(scheduled_event_id: i64) -> Command {
    let attributes = attributes::RequestCancelActivityTaskCommandAttributes { scheduled_event_id };
    command(CommandType::RequestCancelActivityTask, Attributes::RequestCancelActivityTaskCommandAttributes(attributes))
}

pub(super) fn start_timer(timer_id: &str, ms: u64) -> Command {
    let attributes = attributes::StartTimerCommandAttributes {
        timer_id: timer_id.to_owned(),
        start_to_fire_timeout: Some(duration(ms)),
    };
    command(CommandType::StartTimer, Attributes::StartTimerCommandAttributes(attributes))
}

pub(super) fn cancel_timer(timer_id: &str) -> Command {
    let attributes = attributes::CancelTimerCommandAttributes { timer_id: timer_id.to_owned() };
    command(CommandType::CancelTimer, Attributes::CancelTimerCommandAttributes(attributes))
}

pub(super) fn start_child(names: &Names, order: &ChildOrder) -> Command {
    let policy = match order.child.policy {
        ClosePolicy::Terminate => ParentClosePolicy::Terminate,
        ClosePolicy::Cancel => ParentClosePolicy::RequestCancel,
        ClosePolicy::Abandon => ParentClosePolicy::Abandon,
    };
    let attributes = attributes::StartChildWorkflowExecutionCommandAttributes {
        workflow_id: order.workflow_id.clone(),
        workflow_type: Some(WorkflowType { name: WORKFLOW_TYPE.to_owned() }),
        task_queue: Some(queue(&names.task_queue)),
        input: Some(payloads(&order.input)),
        workflow_run_timeout: order.child.run_ms.map(duration),
        parent_close_policy: policy.into(),
        workflow_id_reuse_policy: WorkflowIdReusePolicy::AllowDuplicate.into(),
        retry_policy: order.child.retry.map(retry),
        ..Default::default()
    };
    command(
        CommandType::StartChildWorkflowExecution,
        Attributes::StartChildWorkflowExecutionCommandAttributes(attributes),
    )
}

pub(super) fn signal_another(workflow_id: &str, signal: &str) -> Command {
    let attributes = attributes::SignalExternalWorkflowExecutionCommandAttributes {
        execution: Some(WorkflowExecution { workflow_id: workflow_id.to_owned(), run_id: String::new() }),
        signal_name: SIGNAL.to_owned(),
        input: Some(payloads(&signal)),
        ..Default::default()
    };
    command(
        CommandType::SignalExternalWorkflowExecution,
        Attributes::SignalExternalWorkflowExecutionCommandAttributes(attributes),
    )
}

pub(super) fn cancel_another(workflow_id: &str) -> Command {
    cancel_external(workflow_id, false)
}

pub(super) fn cancel_child(workflow_id: &str) -> Command {
    cancel_external(workflow_id, true)
}

fn cancel_external(workflow_id: &str, child_workflow_only: bool) -> Command {
    let attributes = attributes::RequestCancelExternalWorkflowExecutionCommandAttributes {
        workflow_id: workflow_id.to_owned(),
        child_workflow_only,
        ..Default::default()
    };
    command(
        CommandType::RequestCancelExternalWorkflowExecution,
        Attributes::RequestCancelExternalWorkflowExecutionCommandAttributes(attributes),
    )
}

pub(super) fn memo(key: &str, value: u64) -> Command {
    let upserted_memo = Some(Memo { fields: HashMap::from([(key.to_owned(), payload(&value))]) });
    let attributes = attributes::ModifyWorkflowPropertiesCommandAttributes { upserted_memo };
    command(CommandType::ModifyWorkflowProperties, Attributes::ModifyWorkflowPropertiesCommandAttributes(attributes))
}

/// A search attribute says of what type it is.
pub(super) fn attribute(value: u64) -> Command {
    let mut value = payload(&value);
    value.metadata.insert("type".to_owned(), b"Int".to_vec());
    let search_attributes = Some(SearchAttributes { indexed_fields: HashMap::from([(ATTRIBUTE.to_owned(), value)]) });
    let attributes = attributes::UpsertWorkflowSearchAttributesCommandAttributes { search_attributes };
    command(
        CommandType::UpsertWorkflowSearchAttributes,
        Attributes::UpsertWorkflowSearchAttributesCommandAttributes(attributes),
    )
}

/// As SDKs that are built on Temporal's core write it.
pub(super) fn version(change: &str) -> Command {
    let data = payloads(&serde_json::json!({ "id": change, "deprecated": false }));
    let attributes = attributes::RecordMarkerCommandAttributes {
        marker_name: "core_patch".to_owned(),
        details: HashMap::from([("patch-data".to_owned(), data)]),
        ..Default::default()
    };
    command(CommandType::RecordMarker, Attributes::RecordMarkerCommandAttributes(attributes))
}

/// What ends a run.
pub(super) fn end(names: &Names, end: RunEnd) -> Command {
    match end {
        RunEnd::Completed(seen) => {
            let result = Some(payloads(&seen));
            let attributes = attributes::CompleteWorkflowExecutionCommandAttributes { result };
            command(
                CommandType::CompleteWorkflowExecution,
                Attributes::CompleteWorkflowExecutionCommandAttributes(attributes),
            )
        }
        RunEnd::Cancelled => command(
            CommandType::CancelWorkflowExecution,
            Attributes::CancelWorkflowExecutionCommandAttributes(
                attributes::CancelWorkflowExecutionCommandAttributes { details: Some(payloads(&names.workflow_id)) },
            ),
        ),
        RunEnd::Failed { for_good, seen } => {
            let attributes = attributes::FailWorkflowExecutionCommandAttributes {
                failure: Some(failure(&seen.join("; "), for_good)),
            };
            command(CommandType::FailWorkflowExecution, Attributes::FailWorkflowExecutionCommandAttributes(attributes))
        }
        RunEnd::ContinuedAsNew(input) => continue_as_new(names, &input),
    }
}

fn continue_as_new(names: &Names, input: &RunInput) -> Command {
    let attributes = attributes::ContinueAsNewWorkflowExecutionCommandAttributes {
        workflow_type: Some(WorkflowType { name: WORKFLOW_TYPE.to_owned() }),
        task_queue: Some(queue(&names.task_queue)),
        input: Some(payloads(input)),
        ..Default::default()
    };
    command(
        CommandType::ContinueAsNewWorkflowExecution,
        Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(attributes),
    )
}

/// A failure that may be tried again, or not.
pub fn failure(message: &str, for_good: bool) -> Failure {
    let info = ApplicationFailureInfo { non_retryable: for_good, ..Default::default() };
    Failure {
        message: message.to_owned(),
        source: "program".to_owned(),
        failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
        ..Default::default()
    }
}
