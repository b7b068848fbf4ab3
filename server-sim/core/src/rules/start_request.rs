//! Requests that open runs: their validity and defaults.
//!
//! The frontend calls these before anything else sees the request. Whether search attributes are registered, and what
//! a cron schedule means, is not known here.
#![allow(deprecated, reason = "TERMINATE_IF_RUNNING is deprecated, and still sent")]

use super::{durations, priority, retry_policy, task_queue};
use crate::{Limits, Rejection};
use std::time::Duration;
use temporalio_protos::temporal::api::{
    common::v1::RetryPolicy,
    enums::v1::{WorkflowIdConflictPolicy as Conflict, WorkflowIdReusePolicy as Reuse},
    workflowservice::v1::{SignalWithStartWorkflowExecutionRequest, StartWorkflowExecutionRequest},
};

/// Checks a start request and fills in its defaults. `fresh_request_id` is used if the caller gave none.
///
/// # Errors
/// `InvalidArgument` with Temporal's words.
pub fn prepare_start(
    request: &mut StartWorkflowExecutionRequest,
    fresh_request_id: impl FnOnce() -> String,
    limits: &Limits,
) -> Result<(), Rejection> {
    // Defaults come before the check of combinations, so that TERMINATE_IF_RUNNING alone passes it.
    let (reuse, conflict) = normalize_id_policies(
        request.workflow_id_reuse_policy(),
        request.workflow_id_conflict_policy(),
        Conflict::Fail,
    );
    request.set_workflow_id_reuse_policy(reuse);
    request.set_workflow_id_conflict_policy(conflict);
    validate_workflow_id(&request.workflow_id, limits)?;
    validate_retry_policy(request.retry_policy.as_mut())?;
    validate_start_delay(&request.cron_schedule, request.workflow_start_delay.as_mut())?;
    let workflow_type = request.workflow_type.as_ref().map_or("", |workflow_type| &workflow_type.name);
    if workflow_type.is_empty() {
        return invalid("WorkflowType is not set on request.");
    }
    if workflow_type.len() > limits.id_bytes_max {
        return invalid("WorkflowType length exceeds limit.");
    }
    validate_task_queue(request.task_queue.as_mut(), limits)?;
    validate_timeouts([
        &mut request.workflow_execution_timeout,
        &mut request.workflow_run_timeout,
        &mut request.workflow_task_timeout,
    ])?;
    if request.request_id.is_empty() {
        request.request_id = fresh_request_id();
    } else if request.request_id.len() > limits.id_bytes_max {
        return invalid("RequestId length exceeds limit.");
    }
    validate_id_policies(reuse, conflict)?;
    if let Some(options) = &request.on_conflict_options
        && options.attach_completion_callbacks
        && !options.attach_request_id
    {
        return invalid("attaching request ID is required for attaching completion callbacks");
    }
    validate_priority(request.priority.as_ref())?;
    clamp_timeouts(
        request.workflow_execution_timeout,
        &mut request.workflow_run_timeout,
        &mut request.workflow_task_timeout,
        limits,
    );
    Ok(())
}

/// The same for a signal that starts its run if need be. Texts differ from those of a start, as in Temporal.
///
/// # Errors
/// `InvalidArgument` with Temporal's words.
pub fn prepare_signal_with_start(
    request: &mut SignalWithStartWorkflowExecutionRequest,
    fresh_request_id: impl FnOnce() -> String,
    limits: &Limits,
) -> Result<(), Rejection> {
    validate_workflow_id(&request.workflow_id, limits)?;
    if request.signal_name.is_empty() {
        return invalid("signal not set");
    }
    validate_length("signal name", &request.signal_name, limits)?;
    let workflow_type = request.workflow_type.as_ref().map_or("", |workflow_type| &workflow_type.name);
    if workflow_type.is_empty() {
        return invalid("workflow type not set");
    }
    validate_length("workflow type name", workflow_type, limits)?;
    validate_task_queue(request.task_queue.as_mut(), limits)?;
    if request.request_id.is_empty() {
        request.request_id = fresh_request_id();
    }
    validate_length("Request ID", &request.request_id, limits)?;
    validate_timeouts([
        &mut request.workflow_execution_timeout,
        &mut request.workflow_run_timeout,
        &mut request.workflow_task_timeout,
    ])?;
    validate_retry_policy(request.retry_policy.as_mut())?;
    validate_start_delay(&request.cron_schedule, request.workflow_start_delay.as_mut())?;
    let (reuse, conflict) = (request.workflow_id_reuse_policy(), request.workflow_id_conflict_policy());
    validate_id_policies(reuse, conflict)?;
    if conflict == Conflict::Fail {
        return invalid(
            "Invalid WorkflowIDConflictPolicy: \
             WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation.",
        );
    }
    let (reuse, conflict) = normalize_id_policies(reuse, conflict, Conflict::UseExisting);
    request.set_workflow_id_reuse_policy(reuse);
    request.set_workflow_id_conflict_policy(conflict);
    validate_priority(request.priority.as_ref())?;
    clamp_timeouts(
        request.workflow_execution_timeout,
        &mut request.workflow_run_timeout,
        &mut request.workflow_task_timeout,
        limits,
    );
    Ok(())
}

/// A run's timeout within its chain's; zero means none.
pub fn run_timeout(run: Duration, execution: Duration) -> Duration {
    match (run.is_zero(), execution.is_zero()) {
        (_, true) => run,
        (true, false) => execution,
        (false, false) => run.min(execution),
    }
}

/// A workflow task's timeout within its run's (zero: none), never zero itself.
pub fn workflow_task_timeout(task: Duration, run: Duration, limits: &Limits) -> Duration {
    let task = if task.is_zero() { limits.workflow_task_timeout_default } else { task };
    let task = task.min(limits.workflow_task_timeout_max);
    if run.is_zero() { task } else { task.min(run) }
}

/// TERMINATE_IF_RUNNING is the old spelling of ALLOW_DUPLICATE with TERMINATE_EXISTING.
fn normalize_id_policies(reuse: Reuse, conflict: Conflict, default_conflict: Conflict) -> (Reuse, Conflict) {
    let (reuse, conflict) = match (reuse, conflict) {
        (Reuse::TerminateIfRunning, Conflict::Unspecified) => (Reuse::AllowDuplicate, Conflict::TerminateExisting),
        (reuse, Conflict::Unspecified) => (reuse, default_conflict),
        explicit => explicit,
    };
    (if reuse == Reuse::Unspecified { Reuse::AllowDuplicate } else { reuse }, conflict)
}

fn validate_id_policies(reuse: Reuse, conflict: Conflict) -> Result<(), Rejection> {
    if reuse == Reuse::TerminateIfRunning && conflict != Conflict::Unspecified {
        return invalid(
            "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING \
             cannot be used together with a WorkflowIDConflictPolicy",
        );
    }
    if reuse == Reuse::RejectDuplicate && conflict == Conflict::TerminateExisting {
        return invalid(
            "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE \
             cannot be used together with WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING",
        );
    }
    Ok(())
}

fn validate_workflow_id(id: &str, limits: &Limits) -> Result<(), Rejection> {
    if id.is_empty() {
        return invalid("WorkflowId is not set on request.");
    }
    validate_length("WorkflowId", id, limits)
}

fn validate_length(name: &str, value: &str, limits: &Limits) -> Result<(), Rejection> {
    if value.len() > limits.id_bytes_max {
        return invalid(format!("{name} exceeds maximum allowed length ({}/{})", value.len(), limits.id_bytes_max));
    }
    Ok(())
}

fn validate_task_queue(
    queue: Option<&mut temporalio_protos::temporal::api::taskqueue::v1::TaskQueue>,
    limits: &Limits,
) -> Result<(), Rejection> {
    task_queue::normalize(queue, None, None, limits.id_bytes_max).map_err(Rejection::InvalidArgument)
}

fn validate_retry_policy(policy: Option<&mut RetryPolicy>) -> Result<(), Rejection> {
    // No policy means that the run is not retried.
    let Some(policy) = policy else { return Ok(()) };
    retry_policy::fill_defaults(policy);
    retry_policy::validate(policy).map_err(Rejection::InvalidArgument)
}

fn validate_start_delay(cron: &str, delay: Option<&mut prost_wkt_types::Duration>) -> Result<(), Rejection> {
    if !cron.is_empty() && delay.is_some() {
        return invalid("CronSchedule and WorkflowStartDelay may not be used together.");
    }
    durations::validate_and_cap(delay)
        .or_else(|error| invalid(format!("An invalid WorkflowStartDelaySeconds is set on request. cause: {error}")))
}

fn validate_timeouts(timeouts: [&mut Option<prost_wkt_types::Duration>; 3]) -> Result<(), Rejection> {
    for (timeout, name) in timeouts.into_iter().zip(["Execution", "Run", "Task"]) {
        durations::validate_and_cap(timeout.as_mut()).or_else(|error| {
            invalid(format!("An invalid Workflow{name}TimeoutSeconds is set on request. cause: {error}"))
        })?;
    }
    Ok(())
}

fn validate_priority(
    priority: Option<&temporalio_protos::temporal::api::common::v1::Priority>,
) -> Result<(), Rejection> {
    priority::validate(priority).or_else(invalid)
}

/// The execution timeout stays as it is (zero: forever); the run's and the workflow task's are bounded by it.
fn clamp_timeouts(
    execution: Option<prost_wkt_types::Duration>,
    run: &mut Option<prost_wkt_types::Duration>,
    task: &mut Option<prost_wkt_types::Duration>,
    limits: &Limits,
) {
    let run_value = run_timeout(durations::value(run.as_ref()), durations::value(execution.as_ref()));
    let task_value = workflow_task_timeout(durations::value(task.as_ref()), run_value, limits);
    durations::replace(run, run_value);
    durations::replace(task, task_value);
}

fn invalid<T>(message: impl Into<String>) -> Result<T, Rejection> {
    Err(Rejection::InvalidArgument(message.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use temporalio_protos::temporal::api::{common::v1::WorkflowType, taskqueue::v1::TaskQueue};

    type Start = StartWorkflowExecutionRequest;
    type SignalWithStart = SignalWithStartWorkflowExecutionRequest;

    fn seconds(seconds: i64) -> Option<prost_wkt_types::Duration> {
        Some(prost_wkt_types::Duration { seconds, nanos: 0 })
    }

    fn start() -> Start {
        Start {
            workflow_id: "order-7".into(),
            workflow_type: Some(WorkflowType { name: "OrderSaga".into() }),
            task_queue: Some(TaskQueue { name: "orders".into(), ..Default::default() }),
            ..Default::default()
        }
    }

    fn signal_with_start() -> SignalWithStart {
        SignalWithStart {
            workflow_id: "order-7".into(),
            signal_name: "amend".into(),
            workflow_type: Some(WorkflowType { name: "OrderSaga".into() }),
            task_queue: Some(TaskQueue { name: "orders".into(), ..Default::default() }),
            ..Default::default()
        }
    }

    fn check(mut input: Start, expect: Result<(), &str>) -> Start {
        let result = prepare_start(&mut input, || "fresh".into(), &Limits::default());
        assert_eq!(result, expect.map_err(|text| Rejection::InvalidArgument(text.into())));
        input
    }

    #[test]
    fn defaults_are_filled_in() {
        let request = check(start(), Ok(()));
        assert_eq!(request.request_id, "fresh");
        assert_eq!(request.workflow_id_reuse_policy(), Reuse::AllowDuplicate);
        assert_eq!(request.workflow_id_conflict_policy(), Conflict::Fail);
        assert_eq!(request.retry_policy, None);
        assert_eq!((request.workflow_run_timeout, request.workflow_task_timeout), (None, seconds(10)));
        let partial = RetryPolicy { maximum_attempts: 3, ..Default::default() };
        let request = check(Start { retry_policy: Some(partial), request_id: "mine".into(), ..start() }, Ok(()));
        assert_eq!(request.request_id, "mine");
        assert_eq!(request.retry_policy.unwrap().maximum_interval, seconds(100));
    }

    #[test]
    fn timeouts_bound_each_other() {
        /// Execution, run, workflow task.
        type Timeouts = [i64; 3];
        let check = |input: Timeouts, expect: Timeouts| {
            let request = Start {
                workflow_execution_timeout: seconds(input[0]),
                workflow_run_timeout: seconds(input[1]),
                workflow_task_timeout: seconds(input[2]),
                ..start()
            };
            let request = check(request, Ok(()));
            let found =
                [request.workflow_execution_timeout, request.workflow_run_timeout, request.workflow_task_timeout];
            assert_eq!(found, expect.map(seconds), "{input:?}");
        };
        check([0, 0, 0], [0, 0, 10]);
        check([60, 0, 0], [60, 60, 10]);
        check([60, 90, 0], [60, 60, 10]);
        check([60, 30, 0], [60, 30, 10]);
        check([0, 30, 300], [0, 30, 30]);
        check([0, 0, 300], [0, 0, 120]);
        check([0, 5, 0], [0, 5, 5]);
    }

    #[test]
    fn bad_starts_are_refused() {
        let long = "x".repeat(1001);
        check(Start { workflow_id: String::new(), ..start() }, Err("WorkflowId is not set on request."));
        check(
            Start { workflow_id: long.clone(), ..start() },
            Err("WorkflowId exceeds maximum allowed length (1001/1000)"),
        );
        check(Start { workflow_type: None, ..start() }, Err("WorkflowType is not set on request."));
        check(
            Start { workflow_type: Some(WorkflowType { name: long.clone() }), ..start() },
            Err("WorkflowType length exceeds limit."),
        );
        check(Start { task_queue: None, ..start() }, Err("taskQueue is not set"));
        check(Start { task_queue: Some(TaskQueue::default()), ..start() }, Err("missing task queue name"));
        check(Start { request_id: long, ..start() }, Err("RequestId length exceeds limit."));
        check(
            Start { workflow_execution_timeout: seconds(-1), ..start() },
            Err("An invalid WorkflowExecutionTimeoutSeconds is set on request. cause: negative duration"),
        );
        check(
            Start { workflow_run_timeout: seconds(-1), ..start() },
            Err("An invalid WorkflowRunTimeoutSeconds is set on request. cause: negative duration"),
        );
        check(
            Start { workflow_task_timeout: seconds(-1), ..start() },
            Err("An invalid WorkflowTaskTimeoutSeconds is set on request. cause: negative duration"),
        );
        check(
            Start { workflow_start_delay: seconds(-1), ..start() },
            Err("An invalid WorkflowStartDelaySeconds is set on request. cause: negative duration"),
        );
        check(
            Start { workflow_start_delay: seconds(1), cron_schedule: "* * * * *".into(), ..start() },
            Err("CronSchedule and WorkflowStartDelay may not be used together."),
        );
        let policy = RetryPolicy { maximum_attempts: -1, ..Default::default() };
        check(
            Start { retry_policy: Some(policy), ..start() },
            Err("MaximumAttempts cannot be negative on retry policy."),
        );
    }

    #[test]
    fn id_policies_are_normalised_or_refused() {
        let check = |reuse: Reuse, conflict: Conflict, expect: Result<(Reuse, Conflict), &str>| {
            let mut request = start();
            request.set_workflow_id_reuse_policy(reuse);
            request.set_workflow_id_conflict_policy(conflict);
            let request = check(request, expect.map(|_| ()));
            if let Ok(expect) = expect {
                assert_eq!((request.workflow_id_reuse_policy(), request.workflow_id_conflict_policy()), expect);
            }
        };
        check(Reuse::RejectDuplicate, Conflict::Unspecified, Ok((Reuse::RejectDuplicate, Conflict::Fail)));
        check(Reuse::Unspecified, Conflict::UseExisting, Ok((Reuse::AllowDuplicate, Conflict::UseExisting)));
        check(
            Reuse::TerminateIfRunning,
            Conflict::Unspecified,
            Ok((Reuse::AllowDuplicate, Conflict::TerminateExisting)),
        );
        let with_conflict = "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING \
                             cannot be used together with a WorkflowIDConflictPolicy";
        check(Reuse::TerminateIfRunning, Conflict::Fail, Err(with_conflict));
        check(Reuse::TerminateIfRunning, Conflict::TerminateExisting, Err(with_conflict));
        check(
            Reuse::RejectDuplicate,
            Conflict::TerminateExisting,
            Err("Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE \
                 cannot be used together with WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING"),
        );
    }

    #[test]
    fn signal_with_start_has_words_of_its_own() {
        let check = |mut input: SignalWithStart, expect: Result<(), &str>| {
            let result = prepare_signal_with_start(&mut input, || "fresh".into(), &Limits::default());
            assert_eq!(result, expect.map_err(|text| Rejection::InvalidArgument(text.into())));
            input
        };
        let request = check(signal_with_start(), Ok(()));
        assert_eq!(request.workflow_id_conflict_policy(), Conflict::UseExisting);
        assert_eq!(request.workflow_id_reuse_policy(), Reuse::AllowDuplicate);
        assert_eq!(request.request_id, "fresh");
        assert_eq!(request.workflow_task_timeout, seconds(10));

        let long = "x".repeat(1001);
        check(SignalWithStart { signal_name: String::new(), ..signal_with_start() }, Err("signal not set"));
        check(
            SignalWithStart { signal_name: long.clone(), ..signal_with_start() },
            Err("signal name exceeds maximum allowed length (1001/1000)"),
        );
        check(SignalWithStart { workflow_type: None, ..signal_with_start() }, Err("workflow type not set"));
        check(
            SignalWithStart { request_id: long, ..signal_with_start() },
            Err("Request ID exceeds maximum allowed length (1001/1000)"),
        );
        let mut failing = signal_with_start();
        failing.set_workflow_id_conflict_policy(Conflict::Fail);
        check(
            failing,
            Err("Invalid WorkflowIDConflictPolicy: \
                 WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation."),
        );
        let mut terminating = signal_with_start();
        terminating.set_workflow_id_reuse_policy(Reuse::TerminateIfRunning);
        let terminating = check(terminating, Ok(()));
        assert_eq!(terminating.workflow_id_conflict_policy(), Conflict::TerminateExisting);
    }
}
