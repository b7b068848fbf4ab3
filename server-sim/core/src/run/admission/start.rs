//! StartWorkflowExecution.
use super::attach;
use crate::{
    Context, Decision, MutableState, Rejection, Reply, RunKey, Started, Transition, WorkflowId, planted_in,
    rules::{durations, payloads, start_request},
    run::{
        decision::{Extras, Opened},
        start::open::{self, Opening},
    },
};
use temporalio_protos::temporal::api::{
    enums::v1::{
        ContinueAsNewInitiator, WorkflowExecutionStatus as Status, WorkflowIdConflictPolicy as Conflict,
        WorkflowIdReusePolicy as Reuse,
    },
    history::v1::WorkflowExecutionStartedEventAttributes,
    workflowservice::v1 as api,
};

/// Why an open run ends when another takes its place; Temporal's words are of the policy's older name.
const REPLACED: &str = "TerminateIfRunning WorkflowIdReusePolicy";

pub(crate) fn decide(
    current: Option<&MutableState>,
    request: api::StartWorkflowExecutionRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    refuse_cron(&request.cron_schedule)?;
    if let Some(run) = current.filter(|run| started_by(run, &request.request_id, context)) {
        let mut transition = Transition::nothing(Reply::Started(started(run, true)));
        transition.probes.push("start-repeated");
        return Ok(transition);
    }
    if let Some(attached) = current.and_then(|run| attach::repeated(run, &request.request_id)) {
        return Ok(Transition::nothing(Reply::Started(attached)));
    }
    let conflict = effective_conflict(request.workflow_id_reuse_policy(), request.workflow_id_conflict_policy());
    let existing = match current {
        None => Existing::MakeWay,
        Some(run) => existing(run, request.workflow_id_reuse_policy(), conflict)?,
    };
    match (existing, current) {
        (Existing::Use, Some(run)) => Ok(attach::use_existing(run, request, context)),
        (Existing::Terminate, Some(run)) => open_instead(run, request, context),
        _ => open(request, context),
    }
}

/// Refused rather than run once: the caller would wait for the second run forever.
pub(crate) fn refuse_cron(cron_schedule: &str) -> Result<(), Rejection> {
    match cron_schedule {
        "" => Ok(()),
        _ => Err(Rejection::InvalidArgument("Cron schedules are not supported yet.".into())),
    }
}

/// What becomes of the workflow id's current run.
pub(crate) enum Existing {
    /// It is closed, or there is none.
    MakeWay,
    Use,
    Terminate,
}

pub(crate) fn started_by(run: &MutableState, request_id: &str, context: &Context) -> bool {
    !request_id.is_empty()
        && run.auxiliary.start_request_id == request_id
        && !planted_in!(context, crate::planted::START_REQUEST_ID_IGNORED)
}

/// `TERMINATE_IF_RUNNING` is the old way to say `TERMINATE_EXISTING`.
pub(crate) fn effective_conflict(reuse: Reuse, conflict: Conflict) -> Conflict {
    #[allow(deprecated, reason = "older clients still send it")]
    match (reuse, conflict) {
        (Reuse::TerminateIfRunning, _) => Conflict::TerminateExisting,
        (_, Conflict::Unspecified) => Conflict::Fail,
        (_, conflict) => conflict,
    }
}

/// Applies the conflict policy to a run that is open and the reuse policy to one that is closed.
pub(crate) fn existing(run: &MutableState, reuse: Reuse, conflict: Conflict) -> Result<Existing, Rejection> {
    let refused = |what: &str, why: &str| {
        let key = run.key();
        Err(Rejection::AlreadyStarted {
            message: format!("Workflow execution {what}. WorkflowId: {}, RunId: {}.{why}", key.workflow_id, key.run_id),
            workflow_id: key.workflow_id.0.clone(),
            run_id: key.run_id.clone(),
            start_request_id: run.auxiliary.start_request_id.clone(),
            first_execution_run_id: run.first_execution_run_id().clone(),
        })
    };
    if run.is_open() {
        return match conflict {
            Conflict::UseExisting => Ok(Existing::Use),
            Conflict::TerminateExisting => Ok(Existing::Terminate),
            Conflict::Fail | Conflict::Unspecified => refused("is already running", ""),
        };
    }
    let failed = matches!(run.status(), Status::Failed | Status::Canceled | Status::Terminated | Status::TimedOut);
    match reuse {
        Reuse::RejectDuplicate => {
            refused("already finished", " Workflow Id reuse policy: reject duplicate workflow Id.")
        }
        Reuse::AllowDuplicateFailedOnly if !failed => refused(
            "already finished successfully",
            " Workflow Id reuse policy: allow duplicate workflow Id if last run failed.",
        ),
        _ => Ok(Existing::MakeWay),
    }
}

fn open(request: api::StartWorkflowExecutionRequest, context: &Context) -> Result<Transition, Rejection> {
    let key = key_of(&request.workflow_id, context);
    open_first(key, opening(request, context), context)
}

/// No other run changes.
pub(crate) fn open_first(key: RunKey, opening: Opening, context: &Context) -> Result<Transition, Rejection> {
    let Opened { run, probes } = open::open(key, opening, context)?;
    let reply = Reply::Started(started(&run.state, true));
    Ok(Transition { runs: vec![run], reply, answers: Vec::new(), probes })
}

/// Terminates the open run and opens the new one, in one transition.
fn open_instead(
    current: &MutableState,
    request: api::StartWorkflowExecutionRequest,
    context: &Context,
) -> Result<Transition, Rejection> {
    let key = key_of(&request.workflow_id, context);
    replace(current, key, opening(request, context), context)
}

pub(crate) fn replace(
    current: &MutableState,
    key: RunKey,
    opening: Opening,
    context: &Context,
) -> Result<Transition, Rejection> {
    let opened = open::open(key, opening, context)?;
    let reply = Reply::Started(started(&opened.run.state, true));
    let mut decision = Decision::about(current, context);
    let details = payloads::text(&format!("terminated by new runID: {}", opened.run.key().run_id));
    decision.probe("existing-run-terminated");
    decision.terminate_run(REPLACED, Some(details), crate::HISTORY_SERVICE, Vec::new());
    decision.open(opened);
    Ok(decision.finish(reply))
}

pub(crate) fn key_of(workflow_id: &str, context: &Context) -> RunKey {
    RunKey {
        namespace_id: context.namespace_id.clone(),
        workflow_id: WorkflowId(workflow_id.to_owned()),
        run_id: context.new_run_id.clone(),
    }
}

pub(crate) fn started(run: &MutableState, started: bool) -> Started {
    Started {
        run_id: run.key().run_id.clone(),
        first_execution_run_id: run.first_execution_run_id().clone(),
        started,
        attached: false,
        status: run.status(),
    }
}

/// A timeout that is not given stays unset in the first event, or SDKs would report one of zero. The chain ends at a whole
/// millisecond, as in Temporal (`common/util.go`), the run at any time.
pub(crate) fn opening(mut request: api::StartWorkflowExecutionRequest, context: &Context) -> Opening {
    let execution_timeout = durations::value(request.workflow_execution_timeout.as_ref());
    let run_timeout =
        start_request::run_timeout(durations::value(request.workflow_run_timeout.as_ref()), execution_timeout);
    let task_timeout = durations::value(request.workflow_task_timeout.as_ref());
    let task_timeout = start_request::workflow_task_timeout(task_timeout, run_timeout, &context.limits);
    durations::replace(&mut request.workflow_run_timeout, run_timeout);
    durations::replace(&mut request.workflow_task_timeout, task_timeout);
    let expiration =
        (!execution_timeout.is_zero()).then(|| context.now.plus(execution_timeout).to_whole_ms().to_proto());
    let run_id = context.new_run_id.0.clone();
    let started = WorkflowExecutionStartedEventAttributes {
        workflow_type: request.workflow_type,
        task_queue: request.task_queue,
        input: request.input,
        workflow_execution_timeout: request.workflow_execution_timeout,
        workflow_run_timeout: request.workflow_run_timeout,
        workflow_task_timeout: request.workflow_task_timeout,
        initiator: ContinueAsNewInitiator::Unspecified.into(),
        continued_failure: request.continued_failure,
        last_completion_result: request.last_completion_result,
        original_execution_run_id: run_id.clone(),
        identity: request.identity,
        first_execution_run_id: run_id,
        retry_policy: request.retry_policy,
        attempt: 1,
        workflow_execution_expiration_time: expiration,
        cron_schedule: request.cron_schedule,
        first_workflow_task_backoff: Some(request.workflow_start_delay.unwrap_or_default()),
        memo: request.memo,
        search_attributes: request.search_attributes,
        header: request.header,
        workflow_id: request.workflow_id,
        completion_callbacks: request.completion_callbacks,
        versioning_override: request.versioning_override,
        priority: request.priority,
        ..WorkflowExecutionStartedEventAttributes::default()
    };
    let extras = Extras { user_metadata: request.user_metadata, links: request.links };
    Opening { started, extras, request_id: request.request_id, signal: None, waits_for_parent: false }
}
