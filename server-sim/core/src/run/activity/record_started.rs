//! Matching found a poll for an activity.
use super::{ActivityStart, state::ACTIVITY_NOT_FOUND};
use crate::{
    ActivityTimeoutKind, Context, Decision, EventId, KnownEvents, MutableState, RecordActivityTaskStarted, Rejection,
    Reply, Transition, planted_in,
    rules::{priority, retry_policy},
    run::inputs::closed,
};
use temporalio_protos::temporal::api::{
    common::v1::{WorkflowExecution, WorkflowType},
    workflowservice::v1 as api,
};

pub(crate) fn decide(
    state: &MutableState,
    request: RecordActivityTaskStarted,
    context: &Context,
) -> Result<Transition, Rejection> {
    if !state.is_open() {
        return Err(closed());
    }
    let scheduled_event_id = request.scheduled_event_id;
    let Some((_, progress)) = state.pending_activity(scheduled_event_id) else {
        return Err(Rejection::NotFound(ACTIVITY_NOT_FOUND.into()));
    };
    if progress.attempt != request.attempt {
        return Err(Rejection::ObsoleteTask);
    }
    if let Some(start) = &progress.started {
        let same_poll = start.request_id == request.request_id;
        if !same_poll && !planted_in!(context, crate::planted::SECOND_POLLER_STARTS_ACTIVITY) {
            return Err(Rejection::TaskAlreadyStarted);
        }
        let mut transition =
            Transition::nothing(Reply::ActivityStarted(Box::new(response(state, scheduled_event_id, &context.events))));
        transition.probes.push("activity-start-repeated");
        return Ok(transition);
    }
    let mut decision = Decision::about(state, context);
    let start = ActivityStart { time: context.now, request_id: request.request_id, identity: request.identity };
    decision.change_activity(scheduled_event_id, |progress| {
        progress.last_worker_identity.clone_from(&start.identity);
        progress.started = Some(start);
    });
    decision.activity_timer(scheduled_event_id, ActivityTimeoutKind::StartToClose);
    decision.activity_timer(scheduled_event_id, ActivityTimeoutKind::Heartbeat);
    let response = response(&decision.state, scheduled_event_id, &context.events);
    Ok(decision.finish(Reply::ActivityStarted(Box::new(response))))
}

/// Without task token and namespace name: the history service, which answers the poll, knows how these are written.
fn response(
    state: &MutableState,
    scheduled_event_id: EventId,
    events: &KnownEvents,
) -> api::PollActivityTaskQueueResponse {
    let scheduled = events.activity_scheduled(scheduled_event_id);
    let activity = &state.durable.activities[&scheduled_event_id];
    let progress = state.progress(scheduled_event_id);
    let attributes = activity.attributes.as_ref();
    let mut policy = attributes.retry_policy.clone().unwrap_or_default();
    retry_policy::fill_defaults(&mut policy);
    api::PollActivityTaskQueueResponse {
        workflow_type: Some(WorkflowType { name: state.durable.workflow_type().to_owned() }),
        workflow_execution: Some(WorkflowExecution {
            workflow_id: state.key().workflow_id.0.clone(),
            run_id: state.key().run_id.0.clone(),
        }),
        activity_type: attributes.activity_type.clone(),
        activity_id: attributes.activity_id.clone(),
        header: scheduled.header.clone(),
        input: scheduled.input.clone(),
        heartbeat_details: progress.heartbeat_details.clone(),
        scheduled_time: Some(activity.scheduled_time.to_proto()),
        current_attempt_scheduled_time: Some(progress.due_time.to_proto()),
        started_time: progress.started.as_ref().map(|start| start.time.to_proto()),
        attempt: progress.attempt,
        schedule_to_close_timeout: attributes.schedule_to_close_timeout,
        start_to_close_timeout: attributes.start_to_close_timeout,
        heartbeat_timeout: attributes.heartbeat_timeout,
        retry_policy: Some(policy),
        priority: priority::merged(state.durable.started.priority.as_ref(), attributes.priority.as_ref()),
        ..api::PollActivityTaskQueueResponse::default()
    }
}
