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
    event.event_time.as_ref().map_or(0, timestamp_ns)
}

/// Nanoseconds since the Unix epoch.
pub fn timestamp_ns(time: &prost_wkt_types::Timestamp) -> i64 {
    time.seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(time.nanos))
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
    const CHILD: &[T] = &[T::StartChildWorkflowExecutionInitiated];
    const CHILD_STARTED: &[T] = &[T::ChildWorkflowExecutionStarted];
    const SIGNAL: &[T] = &[T::SignalExternalWorkflowExecutionInitiated];
    const CANCEL: &[T] = &[T::RequestCancelExternalWorkflowExecutionInitiated];
    let scheduled = |id| ("scheduled_event_id", id, SCHEDULED);
    let started = |id| ("started_event_id", id, STARTED);
    let completed = |id| ("workflow_task_completed_event_id", id, COMPLETED_WT);
    let child = |id| ("initiated_event_id", id, CHILD);
    let child_started = |id| ("started_event_id", id, CHILD_STARTED);
    let signal = |id| ("initiated_event_id", id, SIGNAL);
    let cancel = |id| ("initiated_event_id", id, CANCEL);
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
        A::StartChildWorkflowExecutionInitiatedEventAttributes(a) => {
            vec![completed(a.workflow_task_completed_event_id)]
        }
        A::StartChildWorkflowExecutionFailedEventAttributes(a) => {
            vec![child(a.initiated_event_id), completed(a.workflow_task_completed_event_id)]
        }
        A::ChildWorkflowExecutionStartedEventAttributes(a) => vec![child(a.initiated_event_id)],
        A::ChildWorkflowExecutionCompletedEventAttributes(a) => {
            vec![child(a.initiated_event_id), child_started(a.started_event_id)]
        }
        A::ChildWorkflowExecutionFailedEventAttributes(a) => {
            vec![child(a.initiated_event_id), child_started(a.started_event_id)]
        }
        A::ChildWorkflowExecutionCanceledEventAttributes(a) => {
            vec![child(a.initiated_event_id), child_started(a.started_event_id)]
        }
        A::ChildWorkflowExecutionTimedOutEventAttributes(a) => {
            vec![child(a.initiated_event_id), child_started(a.started_event_id)]
        }
        A::ChildWorkflowExecutionTerminatedEventAttributes(a) => {
            vec![child(a.initiated_event_id), child_started(a.started_event_id)]
        }
        A::SignalExternalWorkflowExecutionInitiatedEventAttributes(a) => {
            vec![completed(a.workflow_task_completed_event_id)]
        }
        A::ExternalWorkflowExecutionSignaledEventAttributes(a) => vec![signal(a.initiated_event_id)],
        A::SignalExternalWorkflowExecutionFailedEventAttributes(a) => vec![signal(a.initiated_event_id)],
        A::RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(a) => {
            vec![completed(a.workflow_task_completed_event_id)]
        }
        A::ExternalWorkflowExecutionCancelRequestedEventAttributes(a) => vec![cancel(a.initiated_event_id)],
        A::RequestCancelExternalWorkflowExecutionFailedEventAttributes(a) => vec![cancel(a.initiated_event_id)],
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

/// Which child's start an event records: the event that asked for it.
pub fn started_child(event: &HistoryEvent) -> Option<i64> {
    match event.attributes.as_ref()? {
        Attributes::ChildWorkflowExecutionStartedEventAttributes(a) => Some(a.initiated_event_id),
        _ => None,
    }
}

/// Which child an event closes: the event that asked for it, and the event of its start.
pub fn closes_child(event: &HistoryEvent) -> Option<(i64, i64)> {
    match event.attributes.as_ref()? {
        Attributes::ChildWorkflowExecutionCompletedEventAttributes(a) => {
            Some((a.initiated_event_id, a.started_event_id))
        }
        Attributes::ChildWorkflowExecutionFailedEventAttributes(a) => Some((a.initiated_event_id, a.started_event_id)),
        Attributes::ChildWorkflowExecutionCanceledEventAttributes(a) => {
            Some((a.initiated_event_id, a.started_event_id))
        }
        Attributes::ChildWorkflowExecutionTimedOutEventAttributes(a) => {
            Some((a.initiated_event_id, a.started_event_id))
        }
        Attributes::ChildWorkflowExecutionTerminatedEventAttributes(a) => {
            Some((a.initiated_event_id, a.started_event_id))
        }
        _ => None,
    }
}

/// What an event ends of what was asked of another workflow, by the event that asked.
pub fn ends_cross_call(event: &HistoryEvent) -> Option<i64> {
    match event.attributes.as_ref()? {
        Attributes::StartChildWorkflowExecutionFailedEventAttributes(a) => Some(a.initiated_event_id),
        Attributes::ExternalWorkflowExecutionSignaledEventAttributes(a) => Some(a.initiated_event_id),
        Attributes::SignalExternalWorkflowExecutionFailedEventAttributes(a) => Some(a.initiated_event_id),
        Attributes::ExternalWorkflowExecutionCancelRequestedEventAttributes(a) => Some(a.initiated_event_id),
        Attributes::RequestCancelExternalWorkflowExecutionFailedEventAttributes(a) => Some(a.initiated_event_id),
        _ => closes_child(event).map(|(initiated, _)| initiated),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::samples;

    #[test]
    fn events_are_named_as_in_temporal() {
        let events = samples::events(samples::RUN);
        assert_eq!(line(&events[4]), "event 5 ACTIVITY_TASK_SCHEDULED");
        assert_eq!(time_ns(&events[0]), 1_767_225_600_000_000_000);
        assert_eq!(time_ns(&HistoryEvent::default()), 0);
    }

    #[test]
    fn a_history_is_closed_by_its_last_event() {
        let events = samples::events(samples::RUN);
        assert!(is_closed(&events));
        assert!(!is_closed(&events[..16]));
        assert!(!is_closed(&[]));
    }

    #[test]
    fn closing_events_are_known() {
        let closing: Vec<EventType> = (0..100)
            .filter_map(|kind| EventType::try_from(kind).ok())
            .filter(|kind| is_close(&HistoryEvent { event_type: (*kind).into(), ..Default::default() }))
            .collect();
        use EventType as T;
        let expected = [
            T::WorkflowExecutionCompleted,
            T::WorkflowExecutionFailed,
            T::WorkflowExecutionTimedOut,
            T::WorkflowExecutionTerminated,
            T::WorkflowExecutionCanceled,
            T::WorkflowExecutionContinuedAsNew,
        ];
        assert_eq!(closing.len(), expected.len());
        assert!(expected.iter().all(|kind| closing.contains(kind)));
    }

    #[test]
    fn references_and_ends_of_activities_are_read() {
        let events = samples::events(samples::RUN);
        let named = |id: usize| -> Vec<i64> { references(&events[id - 1]).iter().map(|(_, id, _)| *id).collect() };
        assert_eq!(named(4), [2, 3]);
        assert_eq!(named(8), [samples::ACTIVITY, 7]);
        assert_eq!(named(13), [samples::TIMER]);
        assert!(named(10).is_empty());
        let closed: Vec<i64> = events.iter().filter_map(closes_activity).collect();
        assert_eq!(closed, [samples::ACTIVITY]);
    }
}
