//! Commands beside the events that a server made of them.
use tempest_api::proto::command::v1::Command;
use tempest_api::proto::command::v1::command::Attributes as Asked;
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::history::v1::history_event::Attributes as Made;

/// Whether a command of the workflow task that completed with that event made this event.
pub(super) fn is_of_command(event: &HistoryEvent, completed: i64) -> bool {
    named(event).is_some_and(|(of, _)| of == completed)
}

/// The first difference, in words.
pub(super) fn mismatch(commands: &[Command], recorded: &[&HistoryEvent]) -> Option<String> {
    let asked = commands.iter().map(name);
    let made: Vec<String> = recorded.iter().filter_map(|event| named(event).map(|(_, name)| name)).collect();
    for (index, asked) in asked.enumerate() {
        match made.get(index) {
            Some(made) if *made == asked => {}
            Some(made) => return Some(format!("the code asks for {asked}, the history has {made}")),
            None => return Some(format!("the code asks for {asked}, the history has nothing more")),
        }
    }
    made.get(commands.len()).map(|made| format!("the history has {made}, the code asks for nothing more"))
}

/// A command's kind and what it is about.
fn name(command: &Command) -> String {
    match command.attributes.as_ref() {
        Some(Asked::ScheduleActivityTaskCommandAttributes(a)) => format!("activity {}", a.activity_id),
        Some(Asked::RequestCancelActivityTaskCommandAttributes(a)) => {
            format!("cancel of activity {}", a.scheduled_event_id)
        }
        Some(Asked::StartTimerCommandAttributes(a)) => format!("timer {}", a.timer_id),
        Some(Asked::CancelTimerCommandAttributes(a)) => format!("cancel of timer {}", a.timer_id),
        Some(Asked::StartChildWorkflowExecutionCommandAttributes(a)) => format!("child {}", a.workflow_id),
        Some(Asked::RequestCancelExternalWorkflowExecutionCommandAttributes(a)) => {
            format!("cancel of {}", a.workflow_id)
        }
        Some(Asked::SignalExternalWorkflowExecutionCommandAttributes(a)) => {
            let id = a.execution.as_ref().map_or("", |execution| execution.workflow_id.as_str());
            format!("signal {} to {id}", text(a.input.as_ref()))
        }
        Some(Asked::ModifyWorkflowPropertiesCommandAttributes(_)) => "memo".to_owned(),
        Some(Asked::UpsertWorkflowSearchAttributesCommandAttributes(_)) => "attribute".to_owned(),
        Some(Asked::RecordMarkerCommandAttributes(a)) => format!("marker {}", a.marker_name),
        Some(Asked::CompleteWorkflowExecutionCommandAttributes(a)) => format!("completion {}", text(a.result.as_ref())),
        Some(Asked::CancelWorkflowExecutionCommandAttributes(_)) => "end as cancelled".to_owned(),
        Some(Asked::FailWorkflowExecutionCommandAttributes(a)) => {
            format!("failure {}", a.failure.as_ref().map_or("", |failure| failure.message.as_str()))
        }
        Some(Asked::ContinueAsNewWorkflowExecutionCommandAttributes(a)) => {
            format!("continue as new {}", text(a.input.as_ref()))
        }
        _ => format!("{:?}", command.command_type()),
    }
}

/// The completed event of the workflow task whose command made this event, and the event's kind and what it is about.
fn named(event: &HistoryEvent) -> Option<(i64, String)> {
    Some(match event.attributes.as_ref()? {
        Made::ActivityTaskScheduledEventAttributes(a) => {
            (a.workflow_task_completed_event_id, format!("activity {}", a.activity_id))
        }
        Made::ActivityTaskCancelRequestedEventAttributes(a) => {
            (a.workflow_task_completed_event_id, format!("cancel of activity {}", a.scheduled_event_id))
        }
        Made::TimerStartedEventAttributes(a) => (a.workflow_task_completed_event_id, format!("timer {}", a.timer_id)),
        Made::TimerCanceledEventAttributes(a) => {
            (a.workflow_task_completed_event_id, format!("cancel of timer {}", a.timer_id))
        }
        Made::StartChildWorkflowExecutionInitiatedEventAttributes(a) => {
            (a.workflow_task_completed_event_id, format!("child {}", a.workflow_id))
        }
        Made::RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(a) => {
            let id = a.workflow_execution.as_ref().map_or("", |execution| execution.workflow_id.as_str());
            (a.workflow_task_completed_event_id, format!("cancel of {id}"))
        }
        Made::SignalExternalWorkflowExecutionInitiatedEventAttributes(a) => {
            let id = a.workflow_execution.as_ref().map_or("", |execution| execution.workflow_id.as_str());
            (a.workflow_task_completed_event_id, format!("signal {} to {id}", text(a.input.as_ref())))
        }
        Made::WorkflowPropertiesModifiedEventAttributes(a) => (a.workflow_task_completed_event_id, "memo".to_owned()),
        Made::UpsertWorkflowSearchAttributesEventAttributes(a) => {
            (a.workflow_task_completed_event_id, "attribute".to_owned())
        }
        Made::MarkerRecordedEventAttributes(a) => {
            (a.workflow_task_completed_event_id, format!("marker {}", a.marker_name))
        }
        Made::WorkflowExecutionCompletedEventAttributes(a) => {
            (a.workflow_task_completed_event_id, format!("completion {}", text(a.result.as_ref())))
        }
        Made::WorkflowExecutionCanceledEventAttributes(a) => {
            (a.workflow_task_completed_event_id, "end as cancelled".to_owned())
        }
        Made::WorkflowExecutionFailedEventAttributes(a) => {
            let message = a.failure.as_ref().map_or("", |failure| failure.message.as_str());
            (a.workflow_task_completed_event_id, format!("failure {message}"))
        }
        Made::WorkflowExecutionContinuedAsNewEventAttributes(a) => {
            (a.workflow_task_completed_event_id, format!("continue as new {}", text(a.input.as_ref())))
        }
        _ => return None,
    })
}

fn text(payloads: Option<&tempest_api::proto::common::v1::Payloads>) -> String {
    let data = payloads.and_then(|payloads| payloads.payloads.first()).map(|payload| payload.data.as_slice());
    String::from_utf8_lossy(data.unwrap_or_default()).into_owned()
}
