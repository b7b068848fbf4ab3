//! `activity-once`: however often an activity's code runs, its workflow sees one end of it.
use super::{Invariant, Observations, Operation, RunObserved, Violation, events};
use std::collections::BTreeMap;
use tempest_api::decode_activity_token;
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::ActivityTaskToken;

pub const INVARIANT: Invariant = Invariant {
    name: "activity-once",
    holds_when: "each scheduled activity is closed by at most one event, by the attempt that was current and allowed; at \
                 most one completion of it was acknowledged, and each attempt was given to one poll",
};

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut violations: Vec<Violation> = observations.runs.values().flat_map(closed_once).collect();
    violations.extend(acknowledged_once(observations));
    violations.extend(given_once(observations));
    violations
}

fn closed_once(run: &RunObserved) -> Vec<Violation> {
    let mut closed: BTreeMap<i64, i64> = BTreeMap::new();
    let mut started: BTreeMap<i64, i64> = BTreeMap::new();
    let mut violations = Vec::new();
    let twice = |what: &str, scheduled: i64, first: i64, second: i64| {
        let what = format!("{}: activity {scheduled} was {what} twice", run.name());
        Violation::new(INVARIANT.name, what).because(format!("events {first} and {second}"))
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
    Some(Violation::new(INVARIANT.name, what).because(events::line(event)))
}

/// Tasks that polls brought home: each attempt of an activity, and of a workflow task, is one poll's.
fn given_once(observations: &Observations) -> Vec<Violation> {
    let mut given: BTreeMap<Vec<u8>, &Operation> = BTreeMap::new();
    let mut violations = Vec::new();
    for operation in &observations.operations {
        let token = match operation.rpc.as_str() {
            "PollActivityTaskQueue" => {
                operation.response().map(|task: api::PollActivityTaskQueueResponse| task.task_token)
            }
            "PollWorkflowTaskQueue" => operation
                .response()
                .filter(|task: &api::PollWorkflowTaskQueueResponse| task.query.is_none())
                .map(|task| task.task_token),
            _ => None,
        };
        let Some(token) = token.filter(|token| !token.is_empty()) else { continue };
        if let Some(first) = given.insert(token, operation) {
            let violation = Violation::new(INVARIANT.name, "one task was given to two polls");
            violations.push(violation.because(first.line()).because(operation.line()));
        }
    }
    violations
}

/// The token that an acknowledged closing call carried.
fn closing_token(operation: &Operation) -> Option<ActivityTaskToken> {
    let token = match operation.rpc.as_str() {
        "RespondActivityTaskCompleted" => operation.request::<api::RespondActivityTaskCompletedRequest>()?.task_token,
        "RespondActivityTaskCanceled" => operation.request::<api::RespondActivityTaskCanceledRequest>()?.task_token,
        _ => return None,
    };
    if operation.outcome.is_ok() { decode_activity_token(&token).ok() } else { None }
}

fn acknowledged_once(observations: &Observations) -> Vec<Violation> {
    let mut first: BTreeMap<(String, i64), &Operation> = BTreeMap::new();
    let mut violations = Vec::new();
    for operation in &observations.operations {
        let Some(token) = closing_token(operation) else { continue };
        let key = (token.run_id.0.clone(), token.scheduled_event_id);
        let activity = format!("{} / {} activity {}", token.workflow_id, token.run_id, token.scheduled_event_id);
        if let Some(first) = first.insert(key, operation) {
            let what = format!("two completions of {activity} were acknowledged");
            violations.push(Violation::new(INVARIANT.name, what).because(first.line()).because(operation.line()));
        }
        let closing = observations.run(token.run_id.as_str()).and_then(|run| closing_attempt(run, &token));
        if let Some(attempt) = closing
            && attempt != token.attempt
        {
            let what = format!(
                "a completion of attempt {} of {activity} was acknowledged, but attempt {attempt} is the one in history",
                token.attempt
            );
            violations.push(Violation::new(INVARIANT.name, what).because(operation.line()));
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
