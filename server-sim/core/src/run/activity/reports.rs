//! What workers and others say of an activity: it beats, completed, failed, was cancelled.
use super::{ActivityStart, state::Reporting};
use crate::{ActivityRef, Context, Decision, MutableState, Rejection, Reply, Transition};
use temporalio_protos::temporal::api::{
    history::v1::{
        ActivityTaskCanceledEventAttributes, ActivityTaskCompletedEventAttributes, ActivityTaskFailedEventAttributes,
    },
    workflowservice::v1 as api,
};

pub(crate) fn heartbeat(
    state: &MutableState,
    activity: &ActivityRef,
    request: api::RecordActivityTaskHeartbeatRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    let scheduled_event_id = state.find_activity(activity, Reporting::Started, context)?;
    let cancel_requested = state.durable.activities[&scheduled_event_id].cancel_is_requested();
    let mut decision = Decision::about(state, context);
    decision.change_activity(scheduled_event_id, |progress| {
        // A poll that gave no name may be followed by heartbeats that do.
        if progress.started.as_ref().is_some_and(|start| start.identity.is_empty()) && !request.identity.is_empty() {
            progress.last_worker_identity = request.identity;
        }
        progress.heartbeat_details = request.details;
        progress.last_heartbeat_time = Some(context.now);
    });
    Ok(decision.finish(Reply::Heartbeat { cancel_requested }))
}

pub(crate) fn complete(
    state: &MutableState,
    activity: &ActivityRef,
    request: api::RespondActivityTaskCompletedRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    let scheduled_event_id = state.find_activity(activity, Reporting::StartedOrById, context)?;
    let mut decision = Decision::about(state, context);
    if state.progress(scheduled_event_id).started.is_none() {
        // History wants a start before a completion: a caller that completes it from outside counts as its worker.
        decision.probe("activity-start-fabricated");
        let start = ActivityStart { time: context.now, request_id: String::new(), identity: request.identity.clone() };
        decision.change_activity(scheduled_event_id, |progress| progress.started = Some(start));
    }
    let closing = ActivityTaskCompletedEventAttributes {
        result: request.result,
        scheduled_event_id,
        identity: request.identity,
        ..ActivityTaskCompletedEventAttributes::default()
    };
    decision.close_activity(scheduled_event_id, closing);
    decision.schedule_workflow_task();
    Ok(decision.finish(Reply::None))
}

pub(crate) fn fail(
    state: &MutableState,
    activity: &ActivityRef,
    request: api::RespondActivityTaskFailedRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    let scheduled_event_id = state.find_activity(activity, Reporting::Started, context)?;
    let mut decision = Decision::about(state, context);
    if let Some(details) = request.last_heartbeat_details {
        decision.change_activity(scheduled_event_id, |progress| {
            progress.heartbeat_details = Some(details);
            progress.last_heartbeat_time = Some(context.now);
        });
    }
    let failure = request.failure.unwrap_or_default();
    match decision.retry_activity(scheduled_event_id, &failure) {
        Ok(()) => decision.probe("activity-retried"),
        Err(retry_state) => {
            let closing = ActivityTaskFailedEventAttributes {
                failure: Some(failure),
                scheduled_event_id,
                identity: request.identity,
                retry_state: retry_state.into(),
                ..ActivityTaskFailedEventAttributes::default()
            };
            decision.close_activity(scheduled_event_id, closing);
            decision.schedule_workflow_task();
        }
    }
    Ok(decision.finish(Reply::None))
}

pub(crate) fn cancel(
    state: &MutableState,
    activity: &ActivityRef,
    request: api::RespondActivityTaskCanceledRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    let scheduled_event_id = state.find_activity(activity, Reporting::Started, context)?;
    let requested = state.durable.activities[&scheduled_event_id].cancel_requested_event_id;
    if requested == 0 {
        return Err(Rejection::InvalidArgument(
            "unable to mark activity as canceled without activity being request canceled first".into(),
        ));
    }
    let mut decision = Decision::about(state, context);
    let closing = ActivityTaskCanceledEventAttributes {
        details: request.details,
        latest_cancel_requested_event_id: requested,
        scheduled_event_id,
        identity: request.identity,
        ..ActivityTaskCanceledEventAttributes::default()
    };
    decision.close_activity(scheduled_event_id, closing);
    decision.schedule_workflow_task();
    Ok(decision.finish(Reply::None))
}
