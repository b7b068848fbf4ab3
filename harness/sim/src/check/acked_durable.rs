//! `acked-durable`: every acknowledged call left its durable effect, once.
//!
//! What counts as the effect, per RPC that answered without an error:
//!
//! | call | effect in the recovered store |
//! |---|---|
//! | StartWorkflowExecution | the run that was returned, of that workflow id, begun as asked if this call started it |
//! | SignalWithStartWorkflowExecution | the run, and one signaled event with the request id in its chain |
//! | SignalWorkflowExecution | one signaled event with the request id, in the run named or in the chain |
//! | RequestCancelWorkflowExecution | a cancel-requested event in the run named or in the chain, unless it had ended |
//! | TerminateWorkflowExecution | a terminated event in the run named, or in the chain |
//! | RespondWorkflowTaskCompleted | one completed event for the scheduled event of the token |
//! | RespondWorkflowTaskFailed | for a first attempt, a failed event for it; later attempts leave none |
//! | RespondActivityTaskCompleted, ...Canceled | one such event for the scheduled event of the token, with the result |
//! | RespondActivityTaskCompletedById, ...CanceledById | such an event for an activity of that id, with the result |
//! | RespondActivityTaskFailed, ...FailedById | a failed event, if certainly no retry was allowed; else there may be none |
//! | RecordActivityTaskHeartbeat, ...ById | none, but the next attempt is given its details: `heartbeats.rs` |
//! | RegisterNamespace, UpdateNamespace | the namespace, with what was last set: `namespaces.rs` |
//!
//! Effects stay forever here: scenarios delete nothing yet.
use super::named_activity::{self, NamedActivity};
use super::{
    Invariant, Observations, Operation, RpcKind, RunObserved, Violation, durable_first, heartbeats, namespaces,
};
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::enums::v1::EventType;
use tempest_api::proto::failure::v1::{Failure, failure::FailureInfo};
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{decode_activity_token, decode_workflow_token};

pub const INVARIANT: Invariant = Invariant::AckedDurable;
pub const HOLDS_WHEN: &str = "every acknowledged call left its durable effect, once, in what a power cut leaves on \
                              the disk, and was not acknowledged before";

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let acknowledged = observations.operations.iter().filter(|operation| operation.outcome.is_ok());
    let missing = acknowledged.filter_map(|operation| report(observations, operation));
    let missing = missing.chain(durable_first::judge(observations));
    missing.chain(heartbeats::judge(observations)).chain(namespaces::judge(observations)).collect()
}

fn report(observations: &Observations, operation: &Operation) -> Option<Violation> {
    let missing = missing(observations, operation)?;
    let what = format!("{} was acknowledged to {}, but {missing}", operation.rpc, operation.caller);
    let runs = observations.named_in(&missing).filter(|run| missing.contains(run.key.run_id.as_str()));
    Some(Violation::new(INVARIANT, what).because(operation.line()).about_each(runs))
}

fn signaled_event_of(execution: &WorkflowExecution) -> String {
    let WorkflowExecution { workflow_id, run_id } = execution;
    match run_id.as_str() {
        "" => format!("signaled event in {workflow_id}"),
        run_id => format!("signaled event in {workflow_id} / {run_id}"),
    }
}

/// What is missing of the effect; nothing if it is there, or if the call has none.
fn missing(observations: &Observations, operation: &Operation) -> Option<String> {
    match &operation.rpc {
        RpcKind::StartWorkflowExecution => started(observations, operation),
        RpcKind::SignalWithStartWorkflowExecution => started_and_signaled(observations, operation),
        RpcKind::SignalWorkflowExecution => signaled(observations, operation),
        RpcKind::RequestCancelWorkflowExecution => cancel_requested(observations, operation),
        RpcKind::TerminateWorkflowExecution => terminated(observations, operation),
        RpcKind::RespondWorkflowTaskCompleted => workflow_task_completed(observations, operation),
        RpcKind::RespondWorkflowTaskFailed => workflow_task_failed(observations, operation),
        RpcKind::RespondActivityTaskCompleted => activity_completed(observations, operation),
        RpcKind::RespondActivityTaskFailed => activity_failed(observations, operation),
        RpcKind::RespondActivityTaskCanceled => activity_canceled(observations, operation),
        RpcKind::RespondActivityTaskCompletedById => completed_by_id(observations, operation),
        RpcKind::RespondActivityTaskFailedById => failed_by_id(observations, operation),
        RpcKind::RespondActivityTaskCanceledById => canceled_by_id(observations, operation),
        // Judged elsewhere: of heartbeats by what the next attempt is given, of namespaces by what was last set.
        RpcKind::RecordActivityTaskHeartbeat
        | RpcKind::RecordActivityTaskHeartbeatById
        | RpcKind::RegisterNamespace
        | RpcKind::UpdateNamespace => None,
        // Not judged because they change nothing that lasts. That a task was given to a poll shows in its completion, or in the
        // timeout that follows if the answer was lost.
        RpcKind::PollActivityTaskQueue
        | RpcKind::PollWorkflowTaskQueue
        | RpcKind::RecordWorkerHeartbeat
        | RpcKind::ResetStickyTaskQueue
        | RpcKind::ShutdownWorker => None,
        // Not judged because they only read.
        RpcKind::DescribeNamespace
        | RpcKind::DescribeTaskQueue
        | RpcKind::DescribeWorkflowExecution
        | RpcKind::GetClusterInfo
        | RpcKind::GetSystemInfo
        | RpcKind::GetWorkflowExecutionHistory
        | RpcKind::GetWorkflowExecutionHistoryReverse
        | RpcKind::ListNamespaces => None,
        // Not judged because it was not done.
        RpcKind::NotServed(_) => None,
    }
}

fn started_and_signaled(observations: &Observations, operation: &Operation) -> Option<String> {
    let request: api::SignalWithStartWorkflowExecutionRequest = operation.request()?;
    let response: api::SignalWithStartWorkflowExecutionResponse = operation.response()?;
    if observations.run(&response.run_id).is_none() {
        return Some(format!("run {} does not exist", response.run_id));
    }
    let execution = WorkflowExecution { workflow_id: request.workflow_id, run_id: String::new() };
    let found = count_in_one_run(observations, &execution, |event| is_signal(event, &request.request_id));
    once(found, &signaled_event_of(&execution))
}

fn signaled(observations: &Observations, operation: &Operation) -> Option<String> {
    let request: api::SignalWorkflowExecutionRequest = operation.request()?;
    let execution = request.workflow_execution?;
    let found = count_in_one_run(observations, &execution, |event| is_signal(event, &request.request_id));
    once(found, &signaled_event_of(&execution))
}

fn cancel_requested(observations: &Observations, operation: &Operation) -> Option<String> {
    let request: api::RequestCancelWorkflowExecutionRequest = operation.request()?;
    let is_cancel = |event: &HistoryEvent| event.event_type() == EventType::WorkflowExecutionCancelRequested;
    let execution = request.workflow_execution?;
    // A workflow that has ended is cancelled by doing nothing, as in Temporal.
    let ended = || super::ended_meanwhile::had_ended(observations, &execution, operation);
    at_least_once(count(observations, &execution, is_cancel), "cancel-requested event").filter(|_| !ended())
}

fn terminated(observations: &Observations, operation: &Operation) -> Option<String> {
    let request: api::TerminateWorkflowExecutionRequest = operation.request()?;
    let is_end = |event: &HistoryEvent| event.event_type() == EventType::WorkflowExecutionTerminated;
    at_least_once(count(observations, &request.workflow_execution?, is_end), "terminated event")
}

fn workflow_task_completed(observations: &Observations, operation: &Operation) -> Option<String> {
    let request: api::RespondWorkflowTaskCompletedRequest = operation.request()?;
    workflow_task(observations, &request.task_token, EventType::WorkflowTaskCompleted)
}

fn workflow_task_failed(observations: &Observations, operation: &Operation) -> Option<String> {
    let request: api::RespondWorkflowTaskFailedRequest = operation.request()?;
    workflow_task(observations, &request.task_token, EventType::WorkflowTaskFailed)
}

fn activity_completed(observations: &Observations, operation: &Operation) -> Option<String> {
    let request: api::RespondActivityTaskCompletedRequest = operation.request()?;
    activity(observations, &request.task_token, |attributes, scheduled| match attributes {
        Attributes::ActivityTaskCompletedEventAttributes(a) => {
            a.scheduled_event_id == scheduled && a.result == request.result
        }
        _ => false,
    })
}

fn activity_failed(observations: &Observations, operation: &Operation) -> Option<String> {
    let request: api::RespondActivityTaskFailedRequest = operation.request()?;
    if !is_last(observations, &request) {
        return None;
    }
    activity(observations, &request.task_token, |attributes, scheduled| match attributes {
        Attributes::ActivityTaskFailedEventAttributes(a) => a.scheduled_event_id == scheduled,
        _ => false,
    })
}

fn activity_canceled(observations: &Observations, operation: &Operation) -> Option<String> {
    let request: api::RespondActivityTaskCanceledRequest = operation.request()?;
    activity(observations, &request.task_token, |attributes, scheduled| match attributes {
        Attributes::ActivityTaskCanceledEventAttributes(a) => a.scheduled_event_id == scheduled,
        _ => false,
    })
}

fn completed_by_id(observations: &Observations, operation: &Operation) -> Option<String> {
    let request: api::RespondActivityTaskCompletedByIdRequest = operation.request()?;
    named_activity(observations, operation, |attributes| match attributes {
        Attributes::ActivityTaskCompletedEventAttributes(a) if a.result == request.result => Some(a.scheduled_event_id),
        _ => None,
    })
}

fn failed_by_id(observations: &Observations, operation: &Operation) -> Option<String> {
    let request: api::RespondActivityTaskFailedByIdRequest = operation.request()?;
    if !is_non_retryable(request.failure.as_ref()) {
        return None;
    }
    named_activity(observations, operation, |attributes| match attributes {
        Attributes::ActivityTaskFailedEventAttributes(a) => Some(a.scheduled_event_id),
        _ => None,
    })
}

fn canceled_by_id(observations: &Observations, operation: &Operation) -> Option<String> {
    named_activity(observations, operation, |attributes| match attributes {
        Attributes::ActivityTaskCanceledEventAttributes(a) => Some(a.scheduled_event_id),
        _ => None,
    })
}

fn started(observations: &Observations, operation: &Operation) -> Option<String> {
    let request: api::StartWorkflowExecutionRequest = operation.request()?;
    let response: api::StartWorkflowExecutionResponse = operation.response()?;
    let Some(run) = observations.run(&response.run_id) else {
        return Some(format!("run {} of {} does not exist", response.run_id, request.workflow_id));
    };
    if run.key.workflow_id.as_str() != request.workflow_id {
        return Some(format!("run {} belongs to workflow {}", response.run_id, run.key.workflow_id));
    }
    let Some(Attributes::WorkflowExecutionStartedEventAttributes(attributes)) =
        run.stored.first().and_then(|event| event.attributes.as_ref())
    else {
        return Some(format!("run {} has no started event", response.run_id));
    };
    let as_asked = attributes.input == request.input && attributes.workflow_type == request.workflow_type;
    (response.started && !as_asked).then(|| format!("run {} began with another type or input", response.run_id))
}

fn count(
    observations: &Observations,
    execution: &WorkflowExecution,
    is_effect: impl Fn(&HistoryEvent) -> bool,
) -> usize {
    observations.meant(execution).iter().flat_map(|run| &run.stored).filter(|event| is_effect(event)).count()
}

/// The most that any one run has: request ids of signals are a run's own, and do not follow a continue-as-new.
fn count_in_one_run(
    observations: &Observations,
    execution: &WorkflowExecution,
    is_effect: impl Fn(&HistoryEvent) -> bool,
) -> usize {
    let of_run = |run: &&RunObserved| run.stored.iter().filter(|event| is_effect(event)).count();
    observations.meant(execution).iter().map(of_run).max().unwrap_or(0)
}

pub(super) fn is_signal(event: &HistoryEvent, request_id: &str) -> bool {
    match &event.attributes {
        Some(Attributes::WorkflowExecutionSignaledEventAttributes(a)) => a.request_id == request_id,
        _ => false,
    }
}

fn once(found: usize, what: &str) -> Option<String> {
    (found != 1).then(|| format!("there are {found} of its {what}, not one"))
}

fn at_least_once(found: usize, what: &str) -> Option<String> {
    (found == 0).then(|| format!("there is no {what}"))
}

fn workflow_task(observations: &Observations, token: &[u8], kind: EventType) -> Option<String> {
    let token = decode_workflow_token(token).ok()?;
    if kind == EventType::WorkflowTaskFailed && token.attempt > 1 {
        return None;
    }
    let Some(run) = observations.run(token.run_id.as_str()) else {
        return Some(format!("run {} does not exist", token.run_id));
    };
    let closes = |event: &&HistoryEvent| match &event.attributes {
        Some(Attributes::WorkflowTaskCompletedEventAttributes(a)) => {
            kind == EventType::WorkflowTaskCompleted && a.scheduled_event_id == token.scheduled_event_id
        }
        Some(Attributes::WorkflowTaskFailedEventAttributes(a)) => {
            kind == EventType::WorkflowTaskFailed && a.scheduled_event_id == token.scheduled_event_id
        }
        _ => false,
    };
    let found = run.stored.iter().filter(closes).count();
    let what = format!("{} of {} for event {}", kind.as_str_name(), run.name(), token.scheduled_event_id);
    once(found, &what)
}

/// Whether no retry may follow that failure: it says so, or it was the last attempt.
fn is_last(observations: &Observations, request: &api::RespondActivityTaskFailedRequest) -> bool {
    let last_attempt = || {
        let token = decode_activity_token(&request.task_token).ok()?;
        let scheduled = observations.run(token.run_id.as_str())?.event(token.scheduled_event_id)?;
        let Attributes::ActivityTaskScheduledEventAttributes(scheduled) = scheduled.attributes.as_ref()? else {
            return None;
        };
        let allowed = scheduled.retry_policy.as_ref()?.maximum_attempts;
        Some(allowed > 0 && token.attempt >= allowed)
    };
    is_non_retryable(request.failure.as_ref()) || last_attempt().unwrap_or(false)
}

fn is_non_retryable(failure: Option<&Failure>) -> bool {
    let info = failure.and_then(|failure| failure.failure_info.as_ref());
    matches!(info, Some(FailureInfo::ApplicationFailureInfo(info)) if info.non_retryable)
}

fn activity(observations: &Observations, token: &[u8], is_effect: impl Fn(&Attributes, i64) -> bool) -> Option<String> {
    let token = decode_activity_token(token).ok()?;
    let Some(run) = observations.run(token.run_id.as_str()) else {
        return Some(format!("run {} does not exist", token.run_id));
    };
    let attributes = run.stored.iter().filter_map(|event| event.attributes.as_ref());
    let found = attributes.filter(|attributes| is_effect(attributes, token.scheduled_event_id)).count();
    once(found, &format!("closing event of {} for activity {}", run.name(), token.scheduled_event_id))
}

/// An event with that effect, in a run that may be meant, of an activity that has the id in the request. `closes` says which
/// activity an event closes as it was asked to, by its scheduled event.
fn named_activity(
    observations: &Observations,
    operation: &Operation,
    closes: impl Fn(&Attributes) -> Option<i64>,
) -> Option<String> {
    let named = NamedActivity::of(operation)?;
    let of_run = |run: &&RunObserved| {
        let closed = run.stored.iter().filter_map(|event| closes(event.attributes.as_ref()?));
        closed.filter(|scheduled| named_activity::activity_id(run, *scheduled) == Some(&named.activity_id)).count()
    };
    let found: usize = named.runs(observations).iter().map(of_run).sum();
    let WorkflowExecution { workflow_id, .. } = &named.execution;
    at_least_once(found, &format!("closing event of activity {:?} in {workflow_id}", named.activity_id))
}

#[cfg(test)]
mod tests {
    use crate::check::samples::{self, ACTIVITY, RUN, WORKFLOW};
    use crate::check::{Observations, Operation, Outcome, RpcKind};
    use tempest_api::proto::failure::v1::{ApplicationFailureInfo, Failure, failure::FailureInfo};
    use tempest_api::proto::history::v1 as history;
    use tempest_api::proto::history::v1::history_event::Attributes;
    use tempest_api::proto::workflowservice::v1 as api;

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    /// One more call; `what` stands in the history in place of event `id`.
    fn instead(id: i64, what: impl Into<Attributes>, operation: Operation) -> impl FnOnce(&mut Observations) {
        let what = what.into();
        move |observations| {
            samples::replace(observations, id, what);
            observations.operations.push(operation);
        }
    }

    fn acknowledge(operation: Operation) -> impl FnOnce(&mut Observations) {
        |observations| observations.operations.push(operation)
    }

    fn remove_signal(observations: &mut Observations) {
        samples::replace(observations, 10, samples::signaled("another"));
    }

    #[test]
    fn what_was_acknowledged_is_there() {
        check(|_| {}, &[]);
    }

    #[test]
    fn what_was_not_acknowledged_may_be_missing() {
        check(
            |observations| {
                remove_signal(observations);
                observations.operations[5].outcome = Outcome::Pending;
            },
            &[],
        );
    }

    #[test]
    fn a_started_run_exists() {
        check(
            |observations| {
                observations.operations.truncate(1);
                observations.runs.clear();
            },
            &["StartWorkflowExecution was acknowledged to client, but run run-1 of order-1 does not exist"],
        );
    }

    #[test]
    fn a_started_run_is_of_its_workflow() {
        check(
            |observations| {
                observations.operations.truncate(1);
                observations.runs.get_mut(RUN).expect("the sample has it").key.workflow_id = "order-2".into();
            },
            &["StartWorkflowExecution was acknowledged to client, but run run-1 belongs to workflow order-2"],
        );
    }

    #[test]
    fn a_started_run_begins_with_its_start() {
        check(
            |observations| {
                observations.operations.truncate(1);
                samples::rewrite(observations, |events| drop(events.remove(0)));
            },
            &["StartWorkflowExecution was acknowledged to client, but run run-1 has no started event"],
        );
    }

    #[test]
    fn a_run_begins_as_it_was_asked_to() {
        let other_input = |observations: &mut Observations| {
            samples::alter!(observations, 1, WorkflowExecutionStartedEventAttributes, |a| {
                a.input = samples::payloads("a car");
            });
        };
        check(
            other_input,
            &["StartWorkflowExecution was acknowledged to client, but run run-1 began with another type or input"],
        );
        // Another caller had started it.
        check(
            |observations| {
                other_input(observations);
                let answer = api::StartWorkflowExecutionResponse { run_id: RUN.to_owned(), ..Default::default() };
                observations.operations[0].outcome = samples::ok(&answer);
            },
            &[],
        );
    }

    #[test]
    fn a_signal_is_there_once() {
        check(
            remove_signal,
            &[
                "SignalWorkflowExecution was acknowledged to client, but there are 0 of its signaled event in order-1, not one",
            ],
        );
        check(
            |observations| samples::replace(observations, 8, samples::signaled("signal-1")),
            &[
                "RespondActivityTaskCompleted was acknowledged to client, but there are 0 of its closing event of \
                 order-1 / run-1 for activity 5, not one",
                "SignalWorkflowExecution was acknowledged to client, but there are 2 of its signaled event in order-1, not one",
            ],
        );
    }

    #[test]
    fn a_signal_may_be_in_two_runs_of_a_chain() {
        check(|observations| samples::add(observations, samples::run("run-2", samples::events("run-2"))), &[]);
    }

    #[test]
    fn a_start_with_a_signal_leaves_both() {
        let call = |run_id: &str, request_id: &str| {
            let request = api::SignalWithStartWorkflowExecutionRequest {
                workflow_id: WORKFLOW.to_owned(),
                request_id: request_id.to_owned(),
                ..Default::default()
            };
            let answer =
                api::SignalWithStartWorkflowExecutionResponse { run_id: run_id.to_owned(), ..Default::default() };
            samples::called(RpcKind::SignalWithStartWorkflowExecution, &request, samples::ok(&answer))
        };
        check(acknowledge(call(RUN, "signal-1")), &[]);
        check(
            acknowledge(call("run-2", "signal-1")),
            &["SignalWithStartWorkflowExecution was acknowledged to client, but run run-2 does not exist"],
        );
        check(
            acknowledge(call(RUN, "signal-2")),
            &["SignalWithStartWorkflowExecution was acknowledged to client, but there are 0 of its signaled event \
                 in order-1, not one"],
        );
    }

    fn cancel() -> Operation {
        let request = api::RequestCancelWorkflowExecutionRequest {
            workflow_execution: Some(samples::execution(RUN)),
            ..Default::default()
        };
        let answer = samples::ok(&api::RequestCancelWorkflowExecutionResponse::default());
        let called = samples::called(RpcKind::RequestCancelWorkflowExecution, &request, answer);
        Operation { completed_ns: Some(5 * samples::SECOND_NS), ..called }
    }

    #[test]
    fn a_request_to_cancel_is_there_unless_the_run_had_ended() {
        let requested = history::WorkflowExecutionCancelRequestedEventAttributes::default();
        check(instead(13, requested, cancel()), &[]);
        check(
            acknowledge(cancel()),
            &["RequestCancelWorkflowExecution was acknowledged to client, but there is no cancel-requested event"],
        );
        check(acknowledge(Operation { completed_ns: Some(50 * samples::SECOND_NS), ..cancel() }), &[]);
    }

    #[test]
    fn a_terminated_run_says_so() {
        let request = api::TerminateWorkflowExecutionRequest {
            workflow_execution: Some(samples::execution("")),
            ..Default::default()
        };
        let answer = samples::ok(&api::TerminateWorkflowExecutionResponse::default());
        let terminate = samples::called(RpcKind::TerminateWorkflowExecution, &request, answer);
        let terminated = history::WorkflowExecutionTerminatedEventAttributes::default();
        check(instead(17, terminated, terminate.clone()), &[]);
        check(
            acknowledge(terminate),
            &["TerminateWorkflowExecution was acknowledged to client, but there is no terminated event"],
        );
    }

    #[test]
    fn a_completed_workflow_task_is_there_once() {
        let missing = "RespondWorkflowTaskCompleted was acknowledged to client, but there are 0 of its \
                       EVENT_TYPE_WORKFLOW_TASK_COMPLETED of order-1 / run-1 for event 2, not one";
        check(|observations| samples::replace(observations, 4, samples::signaled("another")), &[missing]);
        check(
            |observations| {
                samples::alter!(observations, 12, WorkflowTaskCompletedEventAttributes, |a| a.scheduled_event_id = 2);
            },
            &["RespondWorkflowTaskCompleted was acknowledged to client, but there are 2 of its \
               EVENT_TYPE_WORKFLOW_TASK_COMPLETED of order-1 / run-1 for event 2, not one"],
        );
    }

    #[test]
    fn the_first_failure_of_a_workflow_task_is_there() {
        let fail = |attempt: i32| {
            let request = api::RespondWorkflowTaskFailedRequest {
                task_token: samples::workflow_token(9, attempt),
                ..Default::default()
            };
            let answer = samples::ok(&api::RespondWorkflowTaskFailedResponse::default());
            samples::called(RpcKind::RespondWorkflowTaskFailed, &request, answer)
        };
        let failed = history::WorkflowTaskFailedEventAttributes { scheduled_event_id: 9, ..Default::default() };
        check(instead(12, failed, fail(1)), &[]);
        check(
            acknowledge(fail(1)),
            &["RespondWorkflowTaskFailed was acknowledged to client, but there are 0 of its \
               EVENT_TYPE_WORKFLOW_TASK_FAILED of order-1 / run-1 for event 9, not one"],
        );
        check(acknowledge(fail(2)), &[]);
    }

    #[test]
    fn a_completed_activity_is_there_with_its_result() {
        let missing = "RespondActivityTaskCompleted was acknowledged to client, but there are 0 of its closing event of \
                       order-1 / run-1 for activity 5, not one";
        check(|observations| samples::replace(observations, 8, samples::signaled("another")), &[missing]);
        check(
            |observations| {
                samples::alter!(observations, 8, ActivityTaskCompletedEventAttributes, |a| {
                    a.result = samples::payloads("charged twice");
                });
            },
            &[missing],
        );
    }

    #[test]
    fn a_canceled_activity_is_there() {
        let request =
            api::RespondActivityTaskCanceledRequest { task_token: samples::activity_token(1), ..Default::default() };
        let answer = samples::ok(&api::RespondActivityTaskCanceledResponse::default());
        let cancel = samples::called(RpcKind::RespondActivityTaskCanceled, &request, answer);
        let canceled =
            history::ActivityTaskCanceledEventAttributes { scheduled_event_id: ACTIVITY, ..Default::default() };
        check(instead(13, canceled, cancel.clone()), &[]);
        check(
            acknowledge(cancel),
            &[
                "RespondActivityTaskCanceled was acknowledged to client, but there are 0 of its closing event of order-1 / \
               run-1 for activity 5, not one",
            ],
        );
    }

    #[test]
    fn a_failure_that_allows_no_retry_is_there() {
        let fail = |attempt: i32, non_retryable: bool| {
            let info = ApplicationFailureInfo { non_retryable, ..Default::default() };
            let failure =
                Failure { failure_info: Some(FailureInfo::ApplicationFailureInfo(info)), ..Default::default() };
            let request = api::RespondActivityTaskFailedRequest {
                task_token: samples::activity_token(attempt),
                failure: Some(failure),
                ..Default::default()
            };
            let answer = samples::ok(&api::RespondActivityTaskFailedResponse::default());
            samples::called(RpcKind::RespondActivityTaskFailed, &request, answer)
        };
        let failed =
            || history::ActivityTaskFailedEventAttributes { scheduled_event_id: ACTIVITY, ..Default::default() };
        let missing = "RespondActivityTaskFailed was acknowledged to client, but there are 0 of its closing event of \
                       order-1 / run-1 for activity 5, not one";
        // Three attempts are allowed.
        check(acknowledge(fail(1, false)), &[]);
        check(acknowledge(fail(1, true)), &[missing]);
        check(acknowledge(fail(3, false)), &[missing]);
        check(instead(13, failed(), fail(1, true)), &[]);
        check(instead(13, failed(), fail(3, false)), &[]);
    }

    #[test]
    fn an_activity_that_was_completed_by_id_is_there_with_its_result() {
        check(acknowledge(samples::activity_completed_by_id("charged")), &[]);
        check(
            acknowledge(samples::activity_completed_by_id("charged twice")),
            &[
                "RespondActivityTaskCompletedById was acknowledged to client, but there is no closing event of activity \"1\" in \
               order-1",
            ],
        );
    }

    #[test]
    fn an_activity_that_failed_for_good_or_was_canceled_by_id_is_there() {
        let fail = |non_retryable: bool| {
            let info = ApplicationFailureInfo { non_retryable, ..Default::default() };
            let failure =
                Failure { failure_info: Some(FailureInfo::ApplicationFailureInfo(info)), ..Default::default() };
            let request = api::RespondActivityTaskFailedByIdRequest {
                workflow_id: WORKFLOW.to_owned(),
                activity_id: "1".to_owned(),
                failure: Some(failure),
                ..Default::default()
            };
            let answer = samples::ok(&api::RespondActivityTaskFailedByIdResponse::default());
            samples::called(RpcKind::RespondActivityTaskFailedById, &request, answer)
        };
        let failed = history::ActivityTaskFailedEventAttributes { scheduled_event_id: ACTIVITY, ..Default::default() };
        let missing = |rpc: &str| {
            format!("{rpc} was acknowledged to client, but there is no closing event of activity \"1\" in order-1")
        };
        check(acknowledge(fail(false)), &[]);
        check(acknowledge(fail(true)), &[&missing("RespondActivityTaskFailedById")]);
        check(instead(13, failed, fail(true)), &[]);

        let request = api::RespondActivityTaskCanceledByIdRequest {
            workflow_id: WORKFLOW.to_owned(),
            activity_id: "1".to_owned(),
            ..Default::default()
        };
        let answer = samples::ok(&api::RespondActivityTaskCanceledByIdResponse::default());
        let cancel = samples::called(RpcKind::RespondActivityTaskCanceledById, &request, answer);
        let canceled =
            history::ActivityTaskCanceledEventAttributes { scheduled_event_id: ACTIVITY, ..Default::default() };
        check(acknowledge(cancel.clone()), &[&missing("RespondActivityTaskCanceledById")]);
        check(instead(13, canceled, cancel), &[]);
    }
}
