//! SignalWithStartWorkflowExecution: a signal to the open run, or a new run that begins with it.
use super::start::{self, Existing};
use crate::{
    Context, Decision, MutableState, Rejection, Reply, Transition, planted_in,
    run::{decision::Extras, signal::request::refuse_while_closing, start::open::Opening},
};
use temporalio_protos::temporal::api::{
    enums::v1::WorkflowIdConflictPolicy as Conflict, history::v1::WorkflowExecutionSignaledEventAttributes,
    workflowservice::v1 as api,
};

pub(crate) fn decide(
    current: Option<&MutableState>,
    request: api::SignalWithStartWorkflowExecutionRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    start::refuse_cron(&request.cron_schedule)?;
    if let Some(run) = current.filter(|run| start::started_by(run, &request.request_id, context)) {
        return Ok(Transition::nothing(Reply::Started(start::started(run, true))));
    }
    let conflict = match request.workflow_id_conflict_policy() {
        Conflict::Unspecified => Conflict::UseExisting,
        conflict => conflict,
    };
    let conflict = start::effective_conflict(request.workflow_id_reuse_policy(), conflict);
    let existing = match current {
        None => Existing::MakeWay,
        Some(run) => start::existing(run, request.workflow_id_reuse_policy(), conflict)?,
    };
    if let (Existing::Use, Some(run)) = (&existing, current) {
        return signal_existing(run, &request, context);
    }
    let key = start::key_of(&request.workflow_id, context);
    let opening = opening(request, context);
    match (existing, current) {
        (Existing::Terminate, Some(run)) => start::replace(run, key, opening, context),
        _ => start::open_first(key, opening, context),
    }
}

fn signal_existing(
    run: &MutableState,
    request: &api::SignalWithStartWorkflowExecutionRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    let reply = Reply::Started(start::started(run, false));
    if !request.request_id.is_empty() && run.auxiliary.signal_request_ids.contains(&request.request_id) {
        return Ok(Transition::nothing(reply));
    }
    refuse_while_closing(run)?;
    let mut decision = Decision::about(run, context);
    let (signal, extras) = signal(request);
    decision.signal(signal, extras)?;
    // Unlike a signal alone, this also ends a delay of the start: its caller wants the workflow to run now.
    decision.schedule_workflow_task();
    Ok(decision.finish(reply))
}

fn signal(
    request: &api::SignalWithStartWorkflowExecutionRequest,
) -> (WorkflowExecutionSignaledEventAttributes, Extras) {
    let attributes = WorkflowExecutionSignaledEventAttributes {
        signal_name: request.signal_name.clone(),
        input: request.signal_input.clone(),
        identity: request.identity.clone(),
        header: request.header.clone(),
        request_id: request.request_id.clone(),
        ..WorkflowExecutionSignaledEventAttributes::default()
    };
    (attributes, Extras { links: request.links.clone(), ..Extras::default() })
}

fn opening(request: api::SignalWithStartWorkflowExecutionRequest, context: &Context) -> Opening {
    let forgotten = planted_in!(context, crate::planted::SIGNAL_FORGOTTEN_BY_THE_START_THAT_BRINGS_IT);
    let signal = (!forgotten).then(|| signal(&request));
    let start = api::StartWorkflowExecutionRequest {
        namespace: request.namespace,
        workflow_id: request.workflow_id,
        workflow_type: request.workflow_type,
        task_queue: request.task_queue,
        input: request.input,
        workflow_execution_timeout: request.workflow_execution_timeout,
        workflow_run_timeout: request.workflow_run_timeout,
        workflow_task_timeout: request.workflow_task_timeout,
        identity: request.identity,
        request_id: request.request_id,
        retry_policy: request.retry_policy,
        cron_schedule: request.cron_schedule,
        memo: request.memo,
        search_attributes: request.search_attributes,
        header: request.header,
        workflow_start_delay: request.workflow_start_delay,
        user_metadata: request.user_metadata,
        links: request.links,
        versioning_override: request.versioning_override,
        priority: request.priority,
        ..api::StartWorkflowExecutionRequest::default()
    };
    Opening { signal, ..start::opening(start, context) }
}
