//! RespondWorkflowTaskCompleted: completion, commands, news, next workflow task, in this order. If a command is bad,
//! nothing of that happens: the workflow task fails instead, and the caller is told why.
use super::{end::WorkflowTaskFailure, fail::check_token, record_started::started_reply, schedule::Offer};
use crate::{
    AuxiliaryChange, Context, Decision, MutableState, Rejection, Reply, Transition, WorkflowTaskCompleted,
    WorkflowTaskTimeoutKind, WorkflowTaskToken, planted_in,
    rules::{failure, names},
    run::commands::{Commands, Failed, sequence},
};
use temporalio_protos::temporal::api::{
    command::v1::Command, enums::v1::WorkflowTaskFailedCause as Cause, workflowservice::v1 as api,
};

/// The request id of a workflow task that was started in the answer to the one before.
const INLINE_REQUEST_ID: &str = "request-from-RespondWorkflowTaskCompleted";

pub(crate) fn decide(
    state: &MutableState,
    token: &WorkflowTaskToken,
    mut request: api::RespondWorkflowTaskCompletedRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    check_token(state, token)?;
    if !state.auxiliary.caches.agree(context.timeline, &request.identity)
        && !planted_in!(context, crate::planted::CACHES_OUTLIVE_A_FAILOVER)
    {
        return Ok(empty_cache(state, &request, context));
    }
    sequence(&request.commands)?;
    if is_heartbeat(&request, &request.commands) && heartbeats_too_long(state, context) {
        return Ok(time_out_heartbeats(state, context));
    }
    let commands = std::mem::take(&mut request.commands);
    complete(state, &request, commands, context).or_else(|failed| fail(state, &request, &failed, context))
}

/// The worker may have applied events that a failover has taken back. That its workflow task is not found makes every SDK
/// drop the run from its cache; then it gets the whole history that is left.
fn empty_cache(
    state: &MutableState,
    request: &api::RespondWorkflowTaskCompletedRequest,
    context: &Context,
) -> Transition {
    let mut decision = Decision::about(state, context);
    decision.probe("worker-cache-emptied-after-failover");
    let caches = state.auxiliary.caches.after_emptying(context.timeline, &request.identity);
    decision.auxiliary(AuxiliaryChange::Caches(caches));
    let why = "the database failed over: workflow tasks of before are done again, from the history that is left";
    #[allow(deprecated, reason = "Temporal still copies it, and older SDKs still send it")]
    let binary_checksum = request.binary_checksum.clone();
    decision.fail_workflow_task(WorkflowTaskFailure {
        cause: Cause::FailoverCloseCommand,
        failure: Some(failure::server_failure(why.to_owned(), false)),
        identity: request.identity.clone(),
        binary_checksum,
    });
    decision.schedule_workflow_task();
    decision.finish(Reply::Refused(Rejection::NotFound(format!("Workflow task not found: {why}."))))
}

/// Only a completion that brings nothing at all prolongs the same workflow task.
fn is_heartbeat(request: &api::RespondWorkflowTaskCompletedRequest, commands: &[Command]) -> bool {
    request.force_create_new_workflow_task && commands.is_empty() && request.messages.is_empty()
}

fn heartbeats_too_long(state: &MutableState, context: &Context) -> bool {
    let since = state.auxiliary.workflow_task.original_scheduled_time;
    since.0 > 0 && context.now > since.plus(context.limits.workflow_task_heartbeat_timeout)
}

/// The worker makes no progress: its stickiness ends, and any worker may try.
fn time_out_heartbeats(state: &MutableState, context: &Context) -> Transition {
    let mut decision = Decision::about(state, context);
    decision.probe("workflow-task-heartbeats-timed-out");
    decision.time_out_workflow_task(WorkflowTaskTimeoutKind::StartToClose);
    decision.schedule_workflow_task();
    decision.finish(Reply::Refused(Rejection::NotFound("workflow task heartbeat timeout".into())))
}

fn complete(
    state: &MutableState,
    request: &api::RespondWorkflowTaskCompletedRequest,
    commanded: Vec<Command>,
    context: &Context,
) -> Result<Transition, Failed> {
    let mut decision = Decision::about(state, context);
    let original_scheduled_time = state.auxiliary.workflow_task.original_scheduled_time;
    let completed_event_id = decision.complete_workflow_task(request);
    decision.set_stickiness(request);
    let prolongs = is_heartbeat(request, &commanded);
    let mut commands = Commands::new(&mut decision, completed_event_id, &request.identity, &request.namespace);
    for command in commanded {
        commands.handle(command)?;
    }
    let next_needed =
        request.force_create_new_workflow_task || commands.has_news || commands.cancelled_unstarted_activity;
    let mut workflow_task = None;
    if decision.state.is_open() && next_needed {
        let original = if prolongs { original_scheduled_time } else { context.now };
        let offer = if request.return_new_workflow_task { Offer::Inline } else { Offer::ToMatching };
        decision.schedule_workflow_task_as(original, offer);
        if offer == Offer::Inline {
            decision.start_workflow_task(INLINE_REQUEST_ID.to_owned(), request.identity.clone());
            workflow_task = Some(started_reply(&decision.state, true));
        }
    }
    let reply = WorkflowTaskCompleted {
        workflow_task,
        // Eager activities are declined: they all go through matching.
        activity_tasks: Vec::new(),
        reset_history_event_id: 0,
        now: context.now,
    };
    Ok(decision.finish(Reply::WorkflowTaskCompleted(Box::new(reply))))
}

fn fail(
    state: &MutableState,
    request: &api::RespondWorkflowTaskCompletedRequest,
    failed: &Failed,
    context: &Context,
) -> Result<Transition, Rejection> {
    let cause = failed.bad.cause;
    let unhandled = cause == Cause::UnhandledCommand;
    let message =
        if unhandled { names::workflow_task_failed_cause(cause).to_owned() } else { failed.bad.full_message() };
    let rejection = Rejection::InvalidArgument(message.clone());
    if state.workflow_task().is_some_and(|task| task.attempt > 1) && !unhandled {
        // A worker that fails again and again waits for its workflow task to time out, or it would spin.
        return Err(rejection);
    }
    let mut decision = Decision::about(state, context);
    decision.probe(if unhandled { "unhandled-command" } else { "workflow-task-failed-for-bad-command" });
    #[allow(deprecated, reason = "Temporal still copies it, and older SDKs still send it")]
    let binary_checksum = request.binary_checksum.clone();
    decision.fail_workflow_task(WorkflowTaskFailure {
        cause,
        failure: Some(failure::server_failure(message.clone(), false)),
        identity: request.identity.clone(),
        binary_checksum,
    });
    if failed.terminates {
        decision.probe("terminated-for-oversized-command");
        decision.flush_buffer();
        decision.terminate_run(&message, None, crate::HISTORY_SERVICE, Vec::new());
    } else {
        decision.schedule_workflow_task();
    }
    Ok(decision.finish(Reply::Refused(rejection)))
}
