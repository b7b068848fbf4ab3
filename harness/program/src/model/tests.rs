//! A history that is right, of which each test makes one thing wrong.
use super::activity::{Known, Scheduled, judge_activity};
use crate::ledger::Execution;
use crate::plan::{Activity, Attempt, Backoff, ById, CancelType, End};
use crate::replay::{StepInput, failure, payloads};
use tempest_api::proto::enums::v1::RetryState;
use tempest_api::proto::history::v1 as history;
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::history::v1::history_event::Attributes;

/// Fails twice, the first time after two beats, and has three tries.
fn scheduled(last: End) -> Scheduled {
    let fails = Attempt { end: End::Fails, ..Attempt::SIMPLE };
    let activity = Activity {
        attempts: vec![Attempt { beats: 2, ..fails }, fails, Attempt { end: last, ..Attempt::SIMPLE }],
        attempts_max: 3,
        backoff: Backoff { initial_ms: 10, coefficient: 1, max_ms: 10 },
        start_to_close_ms: 1_000,
        schedule_to_close_ms: None,
        schedule_to_start_ms: None,
        heartbeat_ms: None,
        cancel: CancelType::Try,
        unattended: false,
    };
    let input = StepInput { path: "0".to_owned(), activity };
    Scheduled { event_id: 5, input, has_schedule_to_start: false, has_schedule_to_close: false }
}

fn executed(attempts: &[(u32, Option<u32>)]) -> Vec<Execution> {
    let executed = |(attempt, details): &(u32, Option<u32>)| {
        let (run_id, path) = ("run".to_owned(), "0".to_owned());
        Execution { run_id, path, attempt: *attempt, details: *details }
    };
    attempts.iter().map(executed).collect()
}

fn event(event_id: i64, attributes: Attributes) -> HistoryEvent {
    HistoryEvent { event_id, attributes: Some(attributes), ..Default::default() }
}

fn started(attempt: i32) -> HistoryEvent {
    let started = history::ActivityTaskStartedEventAttributes { scheduled_event_id: 5, attempt, ..Default::default() };
    event(6, Attributes::ActivityTaskStartedEventAttributes(started))
}

fn completed(by: u32) -> HistoryEvent {
    let result = Some(payloads(&by));
    let completed =
        history::ActivityTaskCompletedEventAttributes { scheduled_event_id: 5, result, ..Default::default() };
    event(7, Attributes::ActivityTaskCompletedEventAttributes(completed))
}

fn failed(retry: RetryState) -> HistoryEvent {
    let failed = history::ActivityTaskFailedEventAttributes {
        scheduled_event_id: 5,
        failure: Some(failure("as the script says", false)),
        retry_state: retry.into(),
        ..Default::default()
    };
    event(7, Attributes::ActivityTaskFailedEventAttributes(failed))
}

fn check(last: End, events: &[HistoryEvent], attempts: &[(u32, Option<u32>)], expect: &[&str]) {
    check_beside(&[], last, events, attempts, expect);
}

/// Beside clients that have said something of it.
fn check_beside(
    by_clients: &[ById],
    last: End,
    events: &[HistoryEvent],
    attempts: &[(u32, Option<u32>)],
    expect: &[&str],
) {
    let executions = executed(attempts);
    let known = Known { executed: executions.iter().collect(), by_clients: by_clients.to_vec() };
    let wrong = judge_activity(&scheduled(last), events, &known);
    let wrong: Vec<&str> = wrong.iter().map(|what| what.trim_start_matches("activity 0 (event 5) ")).collect();
    assert_eq!(wrong, expect);
}

#[test]
fn a_client_ends_only_what_it_spoke_of() {
    let by_client = [started(1), completed(0)];
    check_beside(&[ById::Completes], End::Fails, &by_client, &[(1, None)], &[]);
    let wrong = "completed with the result Some(0), attempt Some(1) was started last";
    check_beside(&[ById::Beats], End::Fails, &by_client, &[(1, None)], &[wrong]);
}

#[test]
fn an_activity_that_keeps_to_its_plan_is_right() {
    check(End::Succeeds, &[started(3), completed(3)], &[(1, None), (2, Some(2)), (3, Some(2))], &[]);
    check(End::Fails, &[started(3), failed(RetryState::MaximumAttemptsReached)], &[(1, None), (3, None)], &[]);
}

#[test]
fn attempts_are_bounded_and_executed_once() {
    let events = [started(3), completed(3)];
    check(End::Succeeds, &events, &[(3, None), (3, None)], &["was executed twice in attempt 3"]);
    check(End::Succeeds, &events, &[(3, None), (4, None)], &["was executed in attempt 4 of 3"]);
}

#[test]
fn an_attempt_goes_on_where_an_earlier_one_was() {
    let wrong = "was given beat 3 in attempt 3, and no attempt before it beat so often";
    check(End::Succeeds, &[started(3), completed(3)], &[(1, None), (3, Some(3))], &[wrong]);
}

#[test]
fn an_end_is_that_of_the_last_attempt() {
    let wrong = "completed with the result Some(2), attempt Some(3) was started last";
    check(End::Succeeds, &[started(3), completed(2)], &[(2, None), (3, None)], &[wrong]);
    let events = [started(3), failed(RetryState::MaximumAttemptsReached)];
    check(End::Succeeds, &events, &[(3, None)], &["failed in attempt 3, which does something else"]);
}

#[test]
fn what_may_be_tried_again_is() {
    let wrong = "was not tried again after attempt 2 of 3: RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED";
    check(End::Fails, &[started(2), failed(RetryState::MaximumAttemptsReached)], &[(2, None)], &[wrong]);
}
