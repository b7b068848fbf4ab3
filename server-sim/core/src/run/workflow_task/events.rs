//! How events change the workflow task.
use super::WorkflowTask;
use crate::{
    CopyOnWrite, EventId, MutableState, PartKey,
    rules::durations,
    run::events::{Applied, At},
};
use temporalio_protos::temporal::api::{
    enums::v1::TaskQueueKind,
    history::v1::{
        WorkflowTaskCompletedEventAttributes, WorkflowTaskFailedEventAttributes, WorkflowTaskScheduledEventAttributes,
        WorkflowTaskStartedEventAttributes, WorkflowTaskTimedOutEventAttributes,
    },
};

pub(crate) fn scheduled(
    state: &mut MutableState,
    at: At<'_>,
    scheduled: &WorkflowTaskScheduledEventAttributes,
) -> Applied {
    if let Some(pending) = &state.durable.workflow_task {
        return Err(format!("workflow task {} is still pending", pending.scheduled_event_id));
    }
    let queue = scheduled.task_queue.clone().unwrap_or_default();
    let task = WorkflowTask {
        scheduled_event_id: at.id,
        scheduled_time: at.time,
        attempt: scheduled.attempt,
        timeout: durations::value(scheduled.start_to_close_timeout.as_ref()),
        sticky_for: (queue.kind == i32::from(TaskQueueKind::Sticky)).then_some(queue.normal_name),
        queue: queue.name,
        ..WorkflowTask::default()
    };
    state.durable.workflow_task = Some(CopyOnWrite::from(task));
    Ok(PartKey::Run)
}

pub(crate) fn started(state: &mut MutableState, at: At<'_>, started: &WorkflowTaskStartedEventAttributes) -> Applied {
    let pending = state.durable.workflow_task.as_mut();
    let task = pending
        .filter(|task| task.scheduled_event_id == started.scheduled_event_id && !task.is_started())
        .ok_or_else(|| format!("no workflow task {} waits to start", started.scheduled_event_id))?;
    task.started_event_id = at.id;
    task.started_time = at.time;
    task.request_id.clone_from(&started.request_id);
    task.identity.clone_from(&started.identity);
    task.suggest_continue_as_new = started.suggest_continue_as_new;
    task.suggest_continue_as_new_reasons.clone_from(&started.suggest_continue_as_new_reasons);
    task.history_size_bytes = started.history_size_bytes;
    Ok(PartKey::Run)
}

pub(crate) fn completed(
    state: &mut MutableState,
    _: At<'_>,
    completed: &WorkflowTaskCompletedEventAttributes,
) -> Applied {
    end(state, completed.scheduled_event_id)?;
    state.durable.previous_started_event_id = completed.started_event_id;
    Ok(PartKey::Run)
}

pub(crate) fn failed(state: &mut MutableState, _: At<'_>, failed: &WorkflowTaskFailedEventAttributes) -> Applied {
    end(state, failed.scheduled_event_id)
}

pub(crate) fn timed_out(
    state: &mut MutableState,
    _: At<'_>,
    timed_out: &WorkflowTaskTimedOutEventAttributes,
) -> Applied {
    end(state, timed_out.scheduled_event_id)
}

fn end(state: &mut MutableState, scheduled_event_id: EventId) -> Applied {
    state
        .durable
        .workflow_task
        .take_if(|task| task.scheduled_event_id == scheduled_event_id)
        .map(|_| PartKey::Run)
        .ok_or_else(|| format!("no workflow task {scheduled_event_id} is pending"))
}
