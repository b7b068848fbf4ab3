//! How events change activities.
use super::{Activity, ActivityProgress};
use crate::{
    EventId, MutableState, PartKey,
    run::events::{Applied, At},
};
use std::sync::Arc;
use temporalio_protos::temporal::api::history::v1::{
    ActivityTaskCancelRequestedEventAttributes, ActivityTaskCanceledEventAttributes,
    ActivityTaskCompletedEventAttributes, ActivityTaskFailedEventAttributes, ActivityTaskScheduledEventAttributes,
    ActivityTaskStartedEventAttributes, ActivityTaskTimedOutEventAttributes, HistoryEvent, history_event::Attributes,
};

pub(crate) fn scheduled(
    state: &mut MutableState,
    at: At<'_>,
    scheduled: &ActivityTaskScheduledEventAttributes,
) -> Applied {
    let activity = Activity {
        scheduled_event_id: at.id,
        scheduled_time: at.time,
        attributes: Arc::new(without_payloads(scheduled)),
        cancel_requested_event_id: 0,
        started_event_id: 0,
    };
    state.durable.activities.insert(at.id, activity);
    let progress = ActivityProgress { due_time: at.time, ..ActivityProgress::default() };
    state.auxiliary.activities.insert(at.id, progress);
    Ok(PartKey::Activity(at.id))
}

/// What a state keeps of it: all but what only the worker reads. Each field is named, so that a new one is not forgotten.
fn without_payloads(scheduled: &ActivityTaskScheduledEventAttributes) -> ActivityTaskScheduledEventAttributes {
    #[allow(deprecated, reason = "older workers still send it")]
    ActivityTaskScheduledEventAttributes {
        activity_id: scheduled.activity_id.clone(),
        activity_type: scheduled.activity_type.clone(),
        task_queue: scheduled.task_queue.clone(),
        header: None,
        input: None,
        schedule_to_close_timeout: scheduled.schedule_to_close_timeout,
        schedule_to_start_timeout: scheduled.schedule_to_start_timeout,
        start_to_close_timeout: scheduled.start_to_close_timeout,
        heartbeat_timeout: scheduled.heartbeat_timeout,
        workflow_task_completed_event_id: scheduled.workflow_task_completed_event_id,
        retry_policy: scheduled.retry_policy.clone(),
        use_workflow_build_id: scheduled.use_workflow_build_id,
        priority: scheduled.priority.clone(),
    }
}

pub(crate) fn started(state: &mut MutableState, at: At<'_>, started: &ActivityTaskStartedEventAttributes) -> Applied {
    change(state, started.scheduled_event_id, |activity| activity.started_event_id = at.id)
}

/// The activity may have closed while its closing event waited in the buffer.
pub(crate) fn cancel_requested(
    state: &mut MutableState,
    at: At<'_>,
    requested: &ActivityTaskCancelRequestedEventAttributes,
) -> Applied {
    change(state, requested.scheduled_event_id, |activity| activity.cancel_requested_event_id = at.id)
}

pub(crate) fn completed(state: &mut MutableState, _: At<'_>, closed: &ActivityTaskCompletedEventAttributes) -> Applied {
    remove(state, closed.scheduled_event_id)
}

pub(crate) fn failed(state: &mut MutableState, _: At<'_>, closed: &ActivityTaskFailedEventAttributes) -> Applied {
    remove(state, closed.scheduled_event_id)
}

pub(crate) fn timed_out(state: &mut MutableState, _: At<'_>, closed: &ActivityTaskTimedOutEventAttributes) -> Applied {
    remove(state, closed.scheduled_event_id)
}

pub(crate) fn canceled(state: &mut MutableState, _: At<'_>, closed: &ActivityTaskCanceledEventAttributes) -> Applied {
    remove(state, closed.scheduled_event_id)
}

fn change(state: &mut MutableState, scheduled_event_id: EventId, change: impl FnOnce(&mut Activity)) -> Applied {
    let changed = state.durable.activities.change(&scheduled_event_id, change);
    changed.ok_or_else(|| unknown(scheduled_event_id))?;
    Ok(PartKey::Activity(scheduled_event_id))
}

fn remove(state: &mut MutableState, scheduled_event_id: EventId) -> Applied {
    if !state.durable.activities.remove(&scheduled_event_id) {
        return Err(unknown(scheduled_event_id));
    }
    state.auxiliary.activities.remove(&scheduled_event_id);
    Ok(PartKey::Activity(scheduled_event_id))
}

fn unknown(scheduled_event_id: EventId) -> String {
    format!("no activity {scheduled_event_id} is pending")
}

/// The activity that this event closes.
pub(crate) fn closed_activity(event: &HistoryEvent) -> Option<EventId> {
    match &event.attributes {
        Some(Attributes::ActivityTaskCompletedEventAttributes(closed)) => Some(closed.scheduled_event_id),
        Some(Attributes::ActivityTaskFailedEventAttributes(closed)) => Some(closed.scheduled_event_id),
        Some(Attributes::ActivityTaskTimedOutEventAttributes(closed)) => Some(closed.scheduled_event_id),
        Some(Attributes::ActivityTaskCanceledEventAttributes(closed)) => Some(closed.scheduled_event_id),
        _ => None,
    }
}

/// While the buffer is written, what closes an activity learns the id that its start has been given just before.
pub(crate) fn learn_started_id(event: &mut HistoryEvent, started_id: impl Fn(EventId) -> Option<EventId>) {
    let (scheduled, started) = match event.attributes.as_mut() {
        Some(Attributes::ActivityTaskCompletedEventAttributes(e)) => (e.scheduled_event_id, &mut e.started_event_id),
        Some(Attributes::ActivityTaskFailedEventAttributes(e)) => (e.scheduled_event_id, &mut e.started_event_id),
        Some(Attributes::ActivityTaskTimedOutEventAttributes(e)) => (e.scheduled_event_id, &mut e.started_event_id),
        Some(Attributes::ActivityTaskCanceledEventAttributes(e)) => (e.scheduled_event_id, &mut e.started_event_id),
        _ => return,
    };
    if let Some(id) = started_id(scheduled) {
        *started = id;
    }
}

/// The activity whose start this event tells.
pub(crate) fn started_activity(event: &HistoryEvent) -> Option<EventId> {
    match &event.attributes {
        Some(Attributes::ActivityTaskStartedEventAttributes(started)) => Some(started.scheduled_event_id),
        _ => None,
    }
}
