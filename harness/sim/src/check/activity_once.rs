//! `activity-once`: however often an activity's code runs, its workflow sees one end of it.
use super::named_activity::NamedActivity;
use super::{Invariant, Observations, Operation, RpcKind, RunObserved, Violation, events, of_no_workflow};
use std::collections::BTreeMap;
use tempest_api::decode_activity_token;
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::{ActivityTaskToken, Time};

pub const INVARIANT: Invariant = Invariant::ActivityOnce;
pub const HOLDS_WHEN: &str = "each scheduled activity is closed by at most one event, by the attempt that was current \
                              and allowed; at most one completion of it was acknowledged, none of an attempt that had \
                              failed, and each attempt was given to one poll";

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut violations: Vec<Violation> = observations.runs.values().flat_map(closed_once).collect();
    violations.extend(acknowledged_once(observations));
    violations.extend(ended_once(observations));
    violations.extend(given_once(observations));
    violations
}

fn closed_once(run: &RunObserved) -> Vec<Violation> {
    let mut closed: BTreeMap<i64, i64> = BTreeMap::new();
    let mut started: BTreeMap<i64, i64> = BTreeMap::new();
    let mut violations = Vec::new();
    let twice = |what: &str, scheduled: i64, first: i64, second: i64| {
        let what = format!("{}: activity {scheduled} was {what} twice", run.name());
        Violation::new(INVARIANT, what).because(format!("events {first} and {second}")).about(run)
    };
    for event in &run.stored {
        if let Some(scheduled) = events::closes_activity(event)
            && let Some(first) = closed.insert(scheduled, event.event_id)
        {
            violations.push(twice("closed", scheduled, first, event.event_id));
        }
        if let Some(violation) = too_often(run, event) {
            violations.push(violation);
        }
        if let Some(Attributes::ActivityTaskStartedEventAttributes(a)) = &event.attributes
            && let Some(first) = started.insert(a.scheduled_event_id, event.event_id)
        {
            violations.push(twice("started", a.scheduled_event_id, first, event.event_id));
        }
    }
    violations
}

/// An attempt beyond those that the retry policy allows.
fn too_often(run: &RunObserved, event: &HistoryEvent) -> Option<Violation> {
    let Attributes::ActivityTaskStartedEventAttributes(started) = event.attributes.as_ref()? else { return None };
    let Attributes::ActivityTaskScheduledEventAttributes(scheduled) =
        run.event(started.scheduled_event_id)?.attributes.as_ref()?
    else {
        return None;
    };
    let allowed = scheduled.retry_policy.as_ref()?.maximum_attempts;
    if allowed == 0 || started.attempt <= allowed {
        return None;
    }
    let what = format!(
        "{}: activity {} was tried {} times, {allowed} are allowed",
        run.name(),
        started.scheduled_event_id,
        started.attempt
    );
    Some(Violation::new(INVARIANT, what).because(events::line(event)).about(run))
}

/// Tasks that polls brought home: each attempt of an activity, and of a workflow task, is one poll's. The answer to a
/// completion may bring the next workflow task.
fn given_once(observations: &Observations) -> Vec<Violation> {
    let mut given: BTreeMap<Vec<u8>, &Operation> = BTreeMap::new();
    let mut violations = Vec::new();
    for operation in &observations.operations {
        let Some(token) = task_of(operation).filter(|token| !token.is_empty()) else { continue };
        if let Some(first) = given.insert(token, operation) {
            let violation = Violation::new(INVARIANT, "one task was given to two polls");
            violations.push(violation.because(first.line()).because(operation.line()));
        }
    }
    violations
}

/// The token of the task that a call was answered with.
fn task_of(operation: &Operation) -> Option<Vec<u8>> {
    match &operation.rpc {
        RpcKind::PollActivityTaskQueue => {
            operation.response().map(|task: api::PollActivityTaskQueueResponse| task.task_token)
        }
        RpcKind::PollWorkflowTaskQueue => operation
            .response()
            .filter(|task: &api::PollWorkflowTaskQueueResponse| task.query.is_none())
            .map(|task| task.task_token),
        RpcKind::RespondWorkflowTaskCompleted => operation
            .response()
            .and_then(|answer: api::RespondWorkflowTaskCompletedResponse| answer.workflow_task)
            .map(|task| task.task_token),
        // Not judged because their answers bring no task.
        RpcKind::DescribeWorkflowExecution
        | RpcKind::GetWorkflowExecutionHistory
        | RpcKind::GetWorkflowExecutionHistoryReverse
        | RpcKind::RecordActivityTaskHeartbeat
        | RpcKind::RecordActivityTaskHeartbeatById
        | RpcKind::ResetStickyTaskQueue
        | RpcKind::RequestCancelWorkflowExecution
        | RpcKind::RespondActivityTaskCanceled
        | RpcKind::RespondActivityTaskCanceledById
        | RpcKind::RespondActivityTaskCompleted
        | RpcKind::RespondActivityTaskCompletedById
        | RpcKind::RespondActivityTaskFailed
        | RpcKind::RespondActivityTaskFailedById
        | RpcKind::RespondWorkflowTaskFailed
        | RpcKind::SignalWithStartWorkflowExecution
        | RpcKind::SignalWorkflowExecution
        | RpcKind::StartWorkflowExecution
        | RpcKind::TerminateWorkflowExecution
        | of_no_workflow!() => None,
    }
}

/// How an acknowledged call ended what it names.
enum End {
    /// The activity.
    Closes,
    /// The attempt; another may follow.
    Fails,
}

/// What an acknowledged call ended, and how.
fn end(operation: &Operation) -> Option<(End, Ended)> {
    if !operation.outcome.is_ok() {
        return None;
    }
    let by_token = |token: &[u8]| Some(Ended::ByToken(decode_activity_token(token).ok()?));
    let by_id = || Some(Ended::ById(NamedActivity::of(operation)?));
    match &operation.rpc {
        RpcKind::RespondActivityTaskCompleted => {
            let request: api::RespondActivityTaskCompletedRequest = operation.request()?;
            Some((End::Closes, by_token(&request.task_token)?))
        }
        RpcKind::RespondActivityTaskCanceled => {
            let request: api::RespondActivityTaskCanceledRequest = operation.request()?;
            Some((End::Closes, by_token(&request.task_token)?))
        }
        RpcKind::RespondActivityTaskFailed => {
            let request: api::RespondActivityTaskFailedRequest = operation.request()?;
            Some((End::Fails, by_token(&request.task_token)?))
        }
        RpcKind::RespondActivityTaskCompletedById | RpcKind::RespondActivityTaskCanceledById => {
            Some((End::Closes, by_id()?))
        }
        RpcKind::RespondActivityTaskFailedById => Some((End::Fails, by_id()?)),
        // Not judged because they tell how far an activity is, and do not end it.
        RpcKind::RecordActivityTaskHeartbeat | RpcKind::RecordActivityTaskHeartbeatById => None,
        // Not judged because they end no activity. A workflow that ends, ends those that it waits for, but leaves no events of
        // them.
        RpcKind::DescribeWorkflowExecution
        | RpcKind::GetWorkflowExecutionHistory
        | RpcKind::GetWorkflowExecutionHistoryReverse
        | RpcKind::PollActivityTaskQueue
        | RpcKind::PollWorkflowTaskQueue
        | RpcKind::ResetStickyTaskQueue
        | RpcKind::RequestCancelWorkflowExecution
        | RpcKind::RespondWorkflowTaskCompleted
        | RpcKind::RespondWorkflowTaskFailed
        | RpcKind::SignalWithStartWorkflowExecution
        | RpcKind::SignalWorkflowExecution
        | RpcKind::StartWorkflowExecution
        | RpcKind::TerminateWorkflowExecution
        | of_no_workflow!() => None,
    }
}

enum Ended {
    /// One attempt.
    ByToken(ActivityTaskToken),
    /// Whichever attempt there was.
    ById(NamedActivity),
}

impl Ended {
    /// The run and the scheduled event of the activity.
    fn activity(&self, observations: &Observations) -> Option<(String, i64)> {
        match self {
            Ended::ByToken(token) => Some((token.run_id.0.clone(), token.scheduled_event_id)),
            // Not judged where the id may mean several.
            Ended::ById(named) => {
                let (run, scheduled_event_id) = named.only(observations)?;
                Some((run.key.run_id.0.clone(), scheduled_event_id))
            }
        }
    }
}

fn acknowledged_once(observations: &Observations) -> Vec<Violation> {
    let mut first: BTreeMap<(String, i64), &Operation> = BTreeMap::new();
    let mut violations = Vec::new();
    for operation in &observations.operations {
        let Some((End::Closes, ended)) = end(operation) else { continue };
        let Some((run_id, scheduled_event_id)) = ended.activity(observations) else { continue };
        let run = observations.run(&run_id);
        let name = run.map_or_else(|| run_id.clone(), RunObserved::name);
        let activity = format!("{name} activity {scheduled_event_id}");
        if let Some(first) = first.insert((run_id, scheduled_event_id), operation) {
            let what = format!("two completions of {activity} were acknowledged");
            let violation = Violation::new(INVARIANT, what).because(first.line()).because(operation.line());
            violations.push(violation.about_each(run));
        }
        // A call by id is of whichever attempt there was.
        let Ended::ByToken(token) = ended else { continue };
        if let Some(attempt) =
            run.and_then(|run| closing_attempt(run, &token)).filter(|closing| *closing != token.attempt)
        {
            let what = format!(
                "a completion of attempt {} of {activity} was acknowledged, but attempt {attempt} is the one in history",
                token.attempt
            );
            violations.push(Violation::new(INVARIANT, what).because(operation.line()));
        }
    }
    violations
}

/// An attempt whose failure was acknowledged is over: no other end of it is.
fn ended_once(observations: &Observations) -> Vec<Violation> {
    // By all that tells one attempt from another.
    let mut failed: BTreeMap<(String, i64, i32, Time), &Operation> = BTreeMap::new();
    let mut violations = Vec::new();
    for operation in &observations.operations {
        // A call by id does not say which attempt it ended: it is not judged here.
        let Some((end, Ended::ByToken(token))) = end(operation) else { continue };
        let is_failure = matches!(end, End::Fails);
        let attempt = (token.run_id.0.clone(), token.scheduled_event_id, token.attempt, token.started_time);
        if let Some(first) = failed.get(&attempt) {
            let what = format!(
                "{} / {}: two ends of attempt {} of activity {} were acknowledged",
                token.workflow_id, token.run_id, token.attempt, token.scheduled_event_id
            );
            violations.push(Violation::new(INVARIANT, what).because(first.line()).because(operation.line()));
        } else if is_failure {
            failed.insert(attempt, operation);
        }
    }
    violations
}

fn closing_attempt(run: &RunObserved, token: &ActivityTaskToken) -> Option<i32> {
    run.stored.iter().find_map(|event| match &event.attributes {
        Some(Attributes::ActivityTaskStartedEventAttributes(a)) if a.scheduled_event_id == token.scheduled_event_id => {
            Some(a.attempt)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use crate::check::samples::{self, ACTIVITY};
    use crate::check::{Observations, Operation, Outcome, RpcKind};
    use tempest_api::proto::history::v1 as history;
    use tempest_api::proto::workflowservice::v1 as api;

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    fn failed(attempt: i32) -> Operation {
        let request = api::RespondActivityTaskFailedRequest {
            task_token: samples::activity_token(attempt),
            ..Default::default()
        };
        let answer = samples::ok(&api::RespondActivityTaskFailedResponse::default());
        samples::called(RpcKind::RespondActivityTaskFailed, &request, answer)
    }

    fn canceled(attempt: i32) -> Operation {
        let request = api::RespondActivityTaskCanceledRequest {
            task_token: samples::activity_token(attempt),
            ..Default::default()
        };
        let answer = samples::ok(&api::RespondActivityTaskCanceledResponse::default());
        samples::called(RpcKind::RespondActivityTaskCanceled, &request, answer)
    }

    /// The activity closes by that attempt.
    fn at_attempt(observations: &mut Observations, attempt: i32) {
        samples::alter!(observations, 7, ActivityTaskStartedEventAttributes, |a| a.attempt = attempt);
        observations.operations[4] = samples::activity_completed(attempt, "charged");
    }

    #[test]
    fn an_activity_is_closed_once() {
        check(|_| {}, &[]);
    }

    #[test]
    fn an_activity_is_not_closed_twice() {
        let again = history::ActivityTaskTimedOutEventAttributes { scheduled_event_id: ACTIVITY, ..Default::default() };
        check(
            |observations| samples::replace(observations, 13, again),
            &["order-1 / run-1: activity 5 was closed twice"],
        );
    }

    #[test]
    fn an_activity_is_not_started_twice() {
        let again = history::ActivityTaskStartedEventAttributes { scheduled_event_id: ACTIVITY, ..Default::default() };
        check(
            |observations| samples::replace(observations, 13, again),
            &["order-1 / run-1: activity 5 was started twice"],
        );
    }

    #[test]
    fn an_activity_is_tried_as_often_as_is_allowed() {
        check(|observations| at_attempt(observations, 3), &[]);
        check(
            |observations| at_attempt(observations, 4),
            &["order-1 / run-1: activity 5 was tried 4 times, 3 are allowed"],
        );
        // Zero: without bound.
        check(
            |observations| {
                at_attempt(observations, 4);
                samples::alter!(observations, ACTIVITY, ActivityTaskScheduledEventAttributes, |a| {
                    a.retry_policy = Some(Default::default());
                });
            },
            &[],
        );
    }

    #[test]
    fn one_completion_is_acknowledged() {
        let twice = "two completions of order-1 / run-1 activity 5 were acknowledged";
        check(|observations| observations.operations.push(samples::activity_completed(1, "charged")), &[twice]);
        check(|observations| observations.operations.push(canceled(1)), &[twice]);
        let refused = || Outcome::Failed { code: tonic::Code::NotFound, message: String::new() };
        check(
            |observations| {
                let again = samples::activity_completed(1, "charged");
                observations.operations.push(Operation { outcome: refused(), ..again });
            },
            &[],
        );
    }

    #[test]
    fn a_completion_by_id_counts_like_any_other() {
        let twice = "two completions of order-1 / run-1 activity 5 were acknowledged";
        let by_id = || samples::activity_completed_by_id("charged");
        check(|observations| observations.operations.push(by_id()), &[twice]);
        check(|observations| observations.operations[4] = by_id(), &[]);
        // An id that two runs use may mean either.
        check(
            |observations| {
                samples::add(observations, samples::run("run-2", samples::events("run-2")));
                observations.operations.push(by_id());
            },
            &[],
        );
    }

    #[test]
    fn the_attempt_in_history_is_the_one_that_was_acknowledged() {
        check(
            |observations| samples::alter!(observations, 7, ActivityTaskStartedEventAttributes, |a| a.attempt = 2),
            &["a completion of attempt 1 of order-1 / run-1 activity 5 was acknowledged, but attempt 2 is the one in \
               history"],
        );
    }

    #[test]
    fn an_attempt_that_failed_is_over() {
        let twice = "order-1 / run-1: two ends of attempt 1 of activity 5 were acknowledged";
        check(|observations| observations.operations.insert(4, failed(1)), &[twice]);
        check(
            |observations| {
                observations.operations.insert(4, failed(1));
                observations.operations.insert(4, failed(1));
                observations.operations.remove(6);
            },
            &[twice],
        );
        check(
            |observations| {
                at_attempt(observations, 2);
                observations.operations.insert(4, failed(1));
            },
            &[],
        );
    }

    #[test]
    fn a_task_is_given_to_one_poll() {
        let twice = "one task was given to two polls";
        check(|observations| observations.operations.push(observations.operations[1].clone()), &[twice]);
        check(|observations| observations.operations.push(observations.operations[3].clone()), &[twice]);
        let with_answer = |observations: &mut Observations, scheduled_event_id: i64| {
            let next = api::PollWorkflowTaskQueueResponse {
                task_token: samples::workflow_token(scheduled_event_id, 1),
                ..Default::default()
            };
            let answer = api::RespondWorkflowTaskCompletedResponse { workflow_task: Some(next), ..Default::default() };
            observations.operations[2].outcome = samples::ok(&answer);
        };
        check(|observations| with_answer(observations, 2), &[twice]);
        check(|observations| with_answer(observations, 9), &[]);
    }

    #[test]
    fn empty_polls_and_queries_bring_no_task() {
        check(
            |observations| {
                let query = api::PollWorkflowTaskQueueResponse {
                    task_token: samples::workflow_token(2, 1),
                    query: Some(Default::default()),
                    ..Default::default()
                };
                let empty = api::PollWorkflowTaskQueueResponse::default();
                for answer in [query.clone(), query, empty.clone(), empty] {
                    let request = api::PollWorkflowTaskQueueRequest::default();
                    observations.operations.push(samples::called(
                        RpcKind::PollWorkflowTaskQueue,
                        &request,
                        samples::ok(&answer),
                    ));
                }
            },
            &[],
        );
    }
}
