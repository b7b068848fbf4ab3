//! Judges from the outside: from histories, emitted tasks and public state alone.
use crate::{interpreter::Life, shard::Shard};
use std::{collections::BTreeMap, time::Duration};
use tempest_core::{
    ActivityTimeoutKind, EventId, MutableState, Time, TimerKind, TransferTask, WorkflowTaskStarted,
    WorkflowTaskTimeoutKind,
};
use temporalio_protos::temporal::api::history::v1::{HistoryEvent, history_event::Attributes as A};

/// Whatever a run still owes is covered by a task that waits in a queue, and no activity gets more attempts than asked.
pub fn tasks_cover_state(shard: &Shard) {
    for run in &shard.runs {
        let has_transfer = |wanted: &dyn Fn(&TransferTask) -> bool| run.transfer_tasks.iter().any(wanted);
        let has_timer = |by: Time, wanted: &dyn Fn(&TimerKind) -> bool| {
            run.timer_tasks.iter().any(|task| task.fire_time <= by && wanted(&task.kind))
        };
        let state = &run.state;
        if !state.is_open() {
            assert!(has_transfer(&|task| *task == TransferTask::CloseExecution), "nobody is told that the run closed");
            continue;
        }
        let mut missing = Vec::new();
        workflow_task(state, shard.now, &has_transfer, &has_timer, &mut missing);
        activities(state, &has_transfer, &has_timer, &mut missing);
        others(state, &has_transfer, &mut missing);
        for timer in state.durable().timers.values() {
            let id = timer.started_event_id;
            if !state.auxiliary().buffered.timers_firing.contains(&id)
                && !has_timer(timer.expiry, &|kind| matches!(kind, TimerKind::UserTimer { .. }))
            {
                missing.push(format!("the user timer {id}"));
            }
        }
        if let Some(expiration) = state.durable().run_expiration()
            && !has_timer(expiration, &|kind| matches!(kind, TimerKind::RunTimeout | TimerKind::ExecutionTimeout))
        {
            missing.push("the run's timeout".into());
        }
        assert!(
            missing.is_empty(),
            "no task covers {}\ntransfer tasks {:#?}\ntimer tasks {:#?}\n{state:#?}",
            missing.join(", "),
            run.transfer_tasks,
            run.timer_tasks
        );
    }
}

type HasTransfer<'a> = dyn Fn(&dyn Fn(&TransferTask) -> bool) -> bool + 'a;
type HasTimer<'a> = dyn Fn(Time, &dyn Fn(&TimerKind) -> bool) -> bool + 'a;

fn workflow_task(
    state: &MutableState,
    now: Time,
    has_transfer: &HasTransfer<'_>,
    has_timer: &HasTimer<'_>,
    missing: &mut Vec<String>,
) {
    let stamp_now = state.auxiliary().workflow_task.stamp;
    let Some(task) = state.workflow_task() else {
        // Before its first workflow task a delayed run waits for its backoff to end.
        let waits = state.previous_started_event_id() == 0
            && now < state.durable().execution_time()
            && !has_timer(state.durable().execution_time(), &|kind| *kind == TimerKind::WorkflowBackoff);
        if waits && !state.auxiliary().backoff_is_over {
            missing.push("the first backoff".into());
        }
        return;
    };
    let times_out = |wanted: WorkflowTaskTimeoutKind| {
        move |kind: &TimerKind| {
            matches!(kind, TimerKind::WorkflowTaskTimeout { stamp, timeout, .. }
                if *stamp == stamp_now && *timeout == wanted)
        }
    };
    if task.is_started() {
        let deadline = task.started_time.plus(task.timeout);
        if !has_timer(deadline, &times_out(WorkflowTaskTimeoutKind::StartToClose)) {
            missing.push("the started workflow task's timeout".into());
        }
        return;
    }
    if !has_transfer(&|task| matches!(task, TransferTask::WorkflowTask { stamp, .. } if *stamp == stamp_now)) {
        missing.push("the scheduled workflow task".into());
    }
    if task.sticky_for.is_some() && !has_timer(Time(i64::MAX), &times_out(WorkflowTaskTimeoutKind::ScheduleToStart)) {
        missing.push("the sticky workflow task's timeout".into());
    }
}

/// What was asked of other runs is on its way until they answer, in history or in the buffer.
fn others(state: &MutableState, has_transfer: &HasTransfer<'_>, missing: &mut Vec<String>) {
    let heard: Vec<EventId> = state.auxiliary().buffered.iter().filter_map(heard_of).collect();
    let durable = state.durable();
    let unstarted = durable.children.values().filter(|child| child.started.is_none());
    let children = unstarted.map(|child| TransferTask::StartChild { initiated_event_id: child.initiated_event_id });
    let signals = durable.signals.keys().map(|id| TransferTask::SignalExternal { initiated_event_id: *id });
    let cancels = durable.cancels.keys().map(|id| TransferTask::CancelExternal { initiated_event_id: *id });
    for wanted in children.chain(signals).chain(cancels) {
        let (TransferTask::StartChild { initiated_event_id: id }
        | TransferTask::SignalExternal { initiated_event_id: id }
        | TransferTask::CancelExternal { initiated_event_id: id }) = &wanted
        else {
            unreachable!("no other kind was made")
        };
        if !heard.contains(id) && !has_transfer(&|task| *task == wanted) {
            missing.push(format!("{wanted:?}"));
        }
    }
}

/// What an event tells the news of: the event that asked for it.
fn heard_of(event: &HistoryEvent) -> Option<EventId> {
    match event.attributes.as_ref()? {
        A::ChildWorkflowExecutionStartedEventAttributes(e) => Some(e.initiated_event_id),
        _ => answered(event),
    }
}

/// The event that asked for what this event ends.
pub fn answered(event: &HistoryEvent) -> Option<EventId> {
    match event.attributes.as_ref()? {
        A::StartChildWorkflowExecutionFailedEventAttributes(e) => Some(e.initiated_event_id),
        A::ChildWorkflowExecutionCompletedEventAttributes(e) => Some(e.initiated_event_id),
        A::ChildWorkflowExecutionFailedEventAttributes(e) => Some(e.initiated_event_id),
        A::ChildWorkflowExecutionCanceledEventAttributes(e) => Some(e.initiated_event_id),
        A::ChildWorkflowExecutionTimedOutEventAttributes(e) => Some(e.initiated_event_id),
        A::ChildWorkflowExecutionTerminatedEventAttributes(e) => Some(e.initiated_event_id),
        A::ExternalWorkflowExecutionSignaledEventAttributes(e) => Some(e.initiated_event_id),
        A::SignalExternalWorkflowExecutionFailedEventAttributes(e) => Some(e.initiated_event_id),
        A::ExternalWorkflowExecutionCancelRequestedEventAttributes(e) => Some(e.initiated_event_id),
        A::RequestCancelExternalWorkflowExecutionFailedEventAttributes(e) => Some(e.initiated_event_id),
        _ => None,
    }
}

/// A child's end names its start, which comes before it.
fn child_started_before(history: &[HistoryEvent], id: EventId, started: EventId, initiated: EventId) {
    let start = usize::try_from(started - 1).ok().and_then(|index| history.get(index));
    let Some(A::ChildWorkflowExecutionStartedEventAttributes(start)) = start.and_then(|e| e.attributes.as_ref()) else {
        panic!("event {id} names {started} as its child's start, which is none")
    };
    assert_eq!(start.initiated_event_id, initiated, "event {id} names another child's start");
    assert!(started < id, "event {id} comes before its child's start {started}");
}

fn activities(
    state: &MutableState,
    has_transfer: &HasTransfer<'_>,
    has_timer: &HasTimer<'_>,
    missing: &mut Vec<String>,
) {
    for (id, activity) in state.durable().activities.iter() {
        let progress = &state.auxiliary().activities[id];
        if state.auxiliary().buffered.activities_closing.contains(id) {
            continue;
        }
        let attempts_max = activity.attributes.retry_policy.as_ref().map_or(0, |policy| policy.maximum_attempts);
        assert!(
            attempts_max == 0 || progress.attempt <= attempts_max,
            "activity {id} is tried {} times, {attempts_max} were allowed",
            progress.attempt
        );
        let timed = |missing: &mut Vec<String>, from: Time, limit: &Option<prost_wkt_types::Duration>, wanted| {
            let limit = duration(limit);
            let of_attempt = |kind: &TimerKind| {
                matches!(kind, TimerKind::ActivityTimeout { scheduled_event_id, attempt, timeout }
                    if scheduled_event_id == id && *timeout == wanted
                        // The deadline of the whole activity holds for every attempt.
                        && (*attempt == progress.attempt || wanted == ActivityTimeoutKind::ScheduleToClose))
            };
            if !limit.is_zero() && !has_timer(from.plus(limit), &of_attempt) {
                missing.push(format!("{wanted:?} of activity {id}, attempt {}", progress.attempt));
            }
        };
        let limits = &activity.attributes;
        timed(
            missing,
            activity.scheduled_time,
            &limits.schedule_to_close_timeout,
            ActivityTimeoutKind::ScheduleToClose,
        );
        if let Some(start) = &progress.started {
            timed(missing, start.time, &limits.start_to_close_timeout, ActivityTimeoutKind::StartToClose);
            let last_sign = progress.last_heartbeat_time.unwrap_or(start.time).max(start.time);
            timed(missing, last_sign, &limits.heartbeat_timeout, ActivityTimeoutKind::Heartbeat);
            continue;
        }
        let offered = has_transfer(&|task| {
            matches!(task, TransferTask::ActivityTask { scheduled_event_id, attempt, .. }
                if scheduled_event_id == id && *attempt == progress.attempt)
        });
        let will_be_offered = has_timer(progress.due_time, &|kind| {
            matches!(kind, TimerKind::ActivityRetry { scheduled_event_id, attempt }
                if scheduled_event_id == id && *attempt == progress.attempt)
        });
        if !offered && !will_be_offered {
            missing.push(format!("attempt {} of activity {id}", progress.attempt));
        }
        // While it backs off the timer of its schedule-to-start may not exist yet.
        if offered {
            timed(missing, progress.due_time, &limits.schedule_to_start_timeout, ActivityTimeoutKind::ScheduleToStart);
        }
    }
}

/// References point at events of the right kind; what is opened is closed at most once; timers are never early.
pub fn history_is_well_formed(history: &[HistoryEvent]) {
    let attributes = |id: EventId| {
        let event = usize::try_from(id - 1).ok().and_then(|index| history.get(index));
        event.and_then(|event| event.attributes.as_ref())
    };
    let mut ends: BTreeMap<EventId, EventId> = BTreeMap::new();
    let mut open_workflow_task = None;
    for event in history {
        let id = event.event_id;
        let mut ended = |opened: EventId| {
            assert!(opened < id, "event {id} ends event {opened}, which comes later");
            let other = ends.insert(opened, id);
            assert_eq!(other, None, "event {opened} is ended twice, by {other:?} and {id}");
        };
        let activity_closed = |scheduled: EventId, started: EventId| {
            assert!(
                matches!(attributes(scheduled), Some(A::ActivityTaskScheduledEventAttributes(_))),
                "event {id} closes an activity that event {scheduled} did not schedule"
            );
            if started != 0 {
                let Some(A::ActivityTaskStartedEventAttributes(start)) = attributes(started) else {
                    panic!("event {id} names {started} as its activity's start, which is none")
                };
                assert_eq!(start.scheduled_event_id, scheduled, "event {id} names another activity's start");
                assert!(started < id, "event {id} comes before its activity's start {started}");
            }
        };
        match event.attributes.as_ref().expect("every event has attributes") {
            A::WorkflowTaskScheduledEventAttributes(_) => {
                assert_eq!(open_workflow_task.replace(id), None, "event {id} schedules a second workflow task");
            }
            A::WorkflowTaskStartedEventAttributes(e) => assert_eq!(open_workflow_task, Some(e.scheduled_event_id)),
            A::WorkflowTaskCompletedEventAttributes(e) => {
                assert_eq!(open_workflow_task.take(), Some(e.scheduled_event_id));
                assert_eq!(e.started_event_id, id - 1, "a workflow task ends right after its start");
            }
            A::WorkflowTaskFailedEventAttributes(e) => {
                assert_eq!(open_workflow_task.take(), Some(e.scheduled_event_id));
            }
            A::WorkflowTaskTimedOutEventAttributes(e) => {
                assert_eq!(open_workflow_task.take(), Some(e.scheduled_event_id));
            }
            A::ActivityTaskStartedEventAttributes(e) => {
                assert!(matches!(attributes(e.scheduled_event_id), Some(A::ActivityTaskScheduledEventAttributes(_))));
            }
            A::ActivityTaskCompletedEventAttributes(e) => {
                activity_closed(e.scheduled_event_id, e.started_event_id);
                assert_ne!(e.started_event_id, 0, "event {id} completes an activity that never started");
                ended(e.scheduled_event_id);
            }
            A::ActivityTaskFailedEventAttributes(e) => {
                activity_closed(e.scheduled_event_id, e.started_event_id);
                assert_ne!(e.started_event_id, 0, "event {id} fails an activity that never started");
                ended(e.scheduled_event_id);
            }
            A::ActivityTaskTimedOutEventAttributes(e) => {
                activity_closed(e.scheduled_event_id, e.started_event_id);
                ended(e.scheduled_event_id);
            }
            A::ActivityTaskCanceledEventAttributes(e) => {
                activity_closed(e.scheduled_event_id, e.started_event_id);
                assert!(matches!(
                    attributes(e.latest_cancel_requested_event_id),
                    Some(A::ActivityTaskCancelRequestedEventAttributes(_))
                ));
                ended(e.scheduled_event_id);
            }
            A::TimerFiredEventAttributes(e) => {
                ended(e.started_event_id);
                let Some(A::TimerStartedEventAttributes(started)) = attributes(e.started_event_id) else {
                    panic!("event {id} fires a timer that nobody started")
                };
                assert_eq!(started.timer_id, e.timer_id);
                let due =
                    time(&history[e.started_event_id as usize - 1]).plus(duration(&started.start_to_fire_timeout));
                assert!(time(event) >= due, "event {id} fires its timer too early");
            }
            A::TimerCanceledEventAttributes(e) => ended(e.started_event_id),
            A::ChildWorkflowExecutionCompletedEventAttributes(e) => {
                child_started_before(history, id, e.started_event_id, e.initiated_event_id);
                ended(e.initiated_event_id);
            }
            A::ChildWorkflowExecutionFailedEventAttributes(e) => {
                child_started_before(history, id, e.started_event_id, e.initiated_event_id);
                ended(e.initiated_event_id);
            }
            A::ChildWorkflowExecutionTerminatedEventAttributes(e) => {
                child_started_before(history, id, e.started_event_id, e.initiated_event_id);
                ended(e.initiated_event_id);
            }
            _ => answered(event).into_iter().for_each(ended),
        }
    }
}

/// The events a worker is sent follow each other without a gap, and end with the start of its workflow task.
pub fn shipped_history_fits(history: &[HistoryEvent], started: &WorkflowTaskStarted) {
    assert!(started.history_from >= 1 && started.history_until <= history.len() as EventId);
    let stored = usize::try_from(started.history_from - 1).unwrap()..usize::try_from(started.history_until).unwrap();
    let shipped: Vec<_> = history[stored].iter().chain(&started.transient_events).collect();
    for (index, event) in shipped.iter().enumerate() {
        assert_eq!(event.event_id, started.history_from + index as EventId, "a gap in the shipped history");
    }
    let last = shipped.last().expect("something is shipped");
    assert!(
        matches!(&last.attributes, Some(A::WorkflowTaskStartedEventAttributes(_))),
        "the shipped history ends with {last:?}"
    );
    assert_eq!(last.event_id, started.token.started_event_id, "the token names another start");
}

/// Each accepted signal is in the history of its run exactly once, in the order of acceptance.
pub fn signals_are_there_once_in_order(life: &Life) {
    for (index, run) in life.shard.runs.iter().enumerate() {
        let accepted: Vec<_> =
            life.signals.iter().filter(|(run, _)| *run == index).map(|(_, request)| request.clone()).collect();
        let written: Vec<_> = run
            .history
            .iter()
            .filter_map(|event| match &event.attributes {
                Some(A::WorkflowExecutionSignaledEventAttributes(signaled)) => Some(signaled.request_id.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(written, accepted, "signals in the history of run {}", run.run_id());
    }
}

fn duration(value: &Option<prost_wkt_types::Duration>) -> Duration {
    value.as_ref().map_or(Duration::ZERO, |value| Duration::new(value.seconds as u64, value.nanos as u32))
}

fn time(event: &HistoryEvent) -> Time {
    event.event_time.as_ref().map_or(Time::ZERO, Time::from_proto)
}
