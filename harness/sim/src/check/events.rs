//! Reading history events.
use tempest_api::proto::enums::v1::EventType;
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};

pub fn name(event: &HistoryEvent) -> String {
    let kind = EventType::try_from(event.event_type).unwrap_or(EventType::Unspecified);
    kind.as_str_name().trim_start_matches("EVENT_TYPE_").to_owned()
}

/// `5 ACTIVITY_TASK_SCHEDULED`.
pub fn line(event: &HistoryEvent) -> String {
    format!("event {} {}", event.event_id, name(event))
}

/// Nanoseconds since the Unix epoch.
pub fn time_ns(event: &HistoryEvent) -> i64 {
    event.event_time.as_ref().map_or(0, |time| time.seconds.saturating_mul(1_000_000_000) + i64::from(time.nanos))
}

pub fn is_close(event: &HistoryEvent) -> bool {
    matches!(
        event.event_type(),
        EventType::WorkflowExecutionCompleted
            | EventType::WorkflowExecutionFailed
            | EventType::WorkflowExecutionTimedOut
            | EventType::WorkflowExecutionCanceled
            | EventType::WorkflowExecutionTerminated
            | EventType::WorkflowExecutionContinuedAsNew
    )
}

pub fn is_closed(events: &[HistoryEvent]) -> bool {
    events.last().is_some_and(is_close)
}

/// What an event says of an earlier one: (the field, its value, the kinds it may name).
pub fn references(event: &HistoryEvent) -> Vec<(&'static str, i64, &'static [EventType])> {
    use Attributes as A;
    use EventType as T;
    const SCHEDULED_WT: &[T] = &[T::WorkflowTaskScheduled];
    const STARTED_WT: &[T] = &[T::WorkflowTaskStarted];
    const COMPLETED_WT: &[T] = &[T::WorkflowTaskCompleted];
    const SCHEDULED: &[T] = &[T::ActivityTaskScheduled];
    const STARTED: &[T] = &[T::ActivityTaskStarted];
    const TIMER: &[T] = &[T::TimerStarted];
    let scheduled = |id| ("scheduled_event_id", id, SCHEDULED);
    let started = |id| ("started_event_id", id, STARTED);
    let completed = |id| ("workflow_task_completed_event_id", id, COMPLETED_WT);
    let Some(attributes) = &event.attributes else { return Vec::new() };
    match attributes {
        A::WorkflowTaskStartedEventAttributes(a) => vec![("scheduled_event_id", a.scheduled_event_id, SCHEDULED_WT)],
        A::WorkflowTaskCompletedEventAttributes(a) => vec![
            ("scheduled_event_id", a.scheduled_event_id, SCHEDULED_WT),
            ("started_event_id", a.started_event_id, STARTED_WT),
        ],
        A::WorkflowTaskFailedEventAttributes(a) => vec![
            ("scheduled_event_id", a.scheduled_event_id, SCHEDULED_WT),
            ("started_event_id", a.started_event_id, STARTED_WT),
        ],
        // A schedule-to-start timeout has no started event.
        A::WorkflowTaskTimedOutEventAttributes(a) => {
            vec![("scheduled_event_id", a.scheduled_event_id, SCHEDULED_WT)]
        }
        A::ActivityTaskScheduledEventAttributes(a) => vec![completed(a.workflow_task_completed_event_id)],
        A::ActivityTaskStartedEventAttributes(a) => vec![scheduled(a.scheduled_event_id)],
        A::ActivityTaskCompletedEventAttributes(a) => {
            vec![scheduled(a.scheduled_event_id), started(a.started_event_id)]
        }
        A::ActivityTaskFailedEventAttributes(a) => {
            vec![scheduled(a.scheduled_event_id), started(a.started_event_id)]
        }
        A::ActivityTaskTimedOutEventAttributes(a) => vec![scheduled(a.scheduled_event_id)],
        A::ActivityTaskCancelRequestedEventAttributes(a) => {
            vec![scheduled(a.scheduled_event_id), completed(a.workflow_task_completed_event_id)]
        }
        A::ActivityTaskCanceledEventAttributes(a) => vec![scheduled(a.scheduled_event_id)],
        A::TimerStartedEventAttributes(a) => vec![completed(a.workflow_task_completed_event_id)],
        A::TimerFiredEventAttributes(a) => vec![("started_event_id", a.started_event_id, TIMER)],
        A::TimerCanceledEventAttributes(a) => {
            vec![("started_event_id", a.started_event_id, TIMER), completed(a.workflow_task_completed_event_id)]
        }
        A::MarkerRecordedEventAttributes(a) => vec![completed(a.workflow_task_completed_event_id)],
        A::WorkflowExecutionCompletedEventAttributes(a) => vec![completed(a.workflow_task_completed_event_id)],
        A::WorkflowExecutionFailedEventAttributes(a) => vec![completed(a.workflow_task_completed_event_id)],
        A::WorkflowExecutionCanceledEventAttributes(a) => vec![completed(a.workflow_task_completed_event_id)],
        A::WorkflowExecutionContinuedAsNewEventAttributes(a) => {
            vec![completed(a.workflow_task_completed_event_id)]
        }
        _ => Vec::new(),
    }
}

/// Which activity an event closes: its scheduled event.
pub fn closes_activity(event: &HistoryEvent) -> Option<i64> {
    match event.attributes.as_ref()? {
        Attributes::ActivityTaskCompletedEventAttributes(a) => Some(a.scheduled_event_id),
        Attributes::ActivityTaskFailedEventAttributes(a) => Some(a.scheduled_event_id),
        Attributes::ActivityTaskTimedOutEventAttributes(a) => Some(a.scheduled_event_id),
        Attributes::ActivityTaskCanceledEventAttributes(a) => Some(a.scheduled_event_id),
        _ => None,
    }
}
