//! One activity: its attempts, and what ended it.
use super::Wrong;
use crate::ledger::Execution;
use crate::plan::{Activity, ById, End};
use crate::replay::{StepInput, input_of};
use std::collections::BTreeSet;
use tempest_api::proto::enums::v1::{RetryState, TimeoutType};
use tempest_api::proto::failure::v1::Failure;
use tempest_api::proto::failure::v1::failure::FailureInfo;
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::history::v1::history_event::Attributes;

/// An activity that the workflow asked for.
pub(super) struct Scheduled {
    pub event_id: i64,
    pub input: StepInput,
    /// Bounds that the activity has by its plan, or by the run that it belongs to.
    pub has_schedule_to_start: bool,
    pub has_schedule_to_close: bool,
}

/// What is known of it beside the history.
pub(super) struct Known<'a> {
    pub executed: Vec<&'a Execution>,
    /// What clients may have said of it.
    pub by_clients: Vec<ById>,
}

/// What the history says ended it.
enum Ended {
    Completed { by: Option<u32> },
    Failed { retry: RetryState, for_good: bool },
    TimedOut { retry: RetryState, kind: TimeoutType },
    Cancelled,
}

pub(super) fn judge_activity(scheduled: &Scheduled, events: &[HistoryEvent], known: &Known<'_>) -> Vec<Wrong> {
    let activity = &scheduled.input.activity;
    let mut wrong = attempts(activity, &known.executed);
    let started = started_attempt(scheduled.event_id, events);
    let ends: Vec<Ended> = events.iter().filter_map(|event| ended(scheduled.event_id, event)).collect();
    if ends.len() > 1 {
        wrong.push(format!("was ended {} times", ends.len()));
    }
    for end in &ends {
        wrong.extend(of_end(scheduled, end, started, known, was_asked_to_stop(scheduled.event_id, events)));
    }
    let path = &scheduled.input.path;
    wrong.into_iter().map(|what| format!("activity {path} (event {}) {what}", scheduled.event_id)).collect()
}

/// Each attempt is executed once at most, none beyond the bound, and goes on where an earlier one was.
fn attempts(activity: &Activity, executed: &[&Execution]) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for execution in executed {
        let attempt = execution.attempt;
        if !seen.insert(attempt) {
            wrong.push(format!("was executed twice in attempt {attempt}"));
        }
        if attempt == 0 || activity.attempts_max > 0 && attempt > activity.attempts_max {
            wrong.push(format!("was executed in attempt {attempt} of {}", activity.attempts_max));
        }
        let told = (1..attempt).map(|earlier| activity.attempt(earlier).beats).max().unwrap_or(0);
        if execution.details.is_some_and(|details| details > told) {
            let details = execution.details.unwrap_or(0);
            wrong
                .push(format!("was given beat {details} in attempt {attempt}, and no attempt before it beat so often"));
        }
        if activity.unattended {
            wrong.push("was executed, though no worker polls its queue".to_owned());
        }
    }
    wrong
}

fn of_end(
    scheduled: &Scheduled,
    end: &Ended,
    started: Option<u32>,
    known: &Known<'_>,
    was_asked_to_stop: bool,
) -> Vec<Wrong> {
    let activity = &scheduled.input.activity;
    let script = |attempt: u32| activity.attempt(attempt).end;
    let was_executed = |attempt: u32| known.executed.iter().any(|execution| execution.attempt == attempt);
    let mut wrong = Vec::new();
    match end {
        Ended::Completed { by } => match (by, started) {
            (Some(by), Some(started)) if by == &started && was_executed(*by) && script(*by) == End::Succeeds => {}
            // No attempt has the number of a client's result.
            (Some(0), Some(_)) if known.by_clients.contains(&ById::Completes) => {}
            _ => wrong.push(format!("completed with the result {by:?}, attempt {started:?} was started last")),
        },
        Ended::Failed { retry, for_good } => {
            let attempt = started.unwrap_or(0);
            let expected = if *for_good { End::FailsForGood } else { End::Fails };
            let by_client = *for_good && attempt > 0 && known.by_clients.contains(&ById::Fails);
            if !by_client && (!was_executed(attempt) || script(attempt) != expected) {
                wrong.push(format!("failed in attempt {attempt}, which does something else"));
            }
            wrong.extend(no_more_tries(scheduled, attempt, *retry, *for_good));
        }
        Ended::TimedOut { retry, kind } => {
            let has_bound = match kind {
                TimeoutType::StartToClose => true,
                TimeoutType::ScheduleToStart => scheduled.has_schedule_to_start,
                TimeoutType::ScheduleToClose => scheduled.has_schedule_to_close,
                TimeoutType::Heartbeat => activity.heartbeat_ms.is_some(),
                TimeoutType::Unspecified => false,
            };
            if !has_bound {
                wrong.push(format!("timed out by a bound that it does not have: {}", kind.as_str_name()));
            }
            if matches!(kind, TimeoutType::StartToClose | TimeoutType::Heartbeat) && !was_asked_to_stop {
                wrong.extend(no_more_tries(scheduled, started.unwrap_or(0), *retry, false));
            }
        }
        Ended::Cancelled if !was_asked_to_stop => wrong.push("was cancelled, and was not asked to stop".to_owned()),
        Ended::Cancelled => {}
    }
    wrong
}

/// Why an attempt that ended badly is the last one.
fn no_more_tries(scheduled: &Scheduled, attempt: u32, retry: RetryState, for_good: bool) -> Option<Wrong> {
    let activity = &scheduled.input.activity;
    let used_up = activity.attempts_max > 0 && attempt >= activity.attempts_max;
    let fits = match retry {
        RetryState::NonRetryableFailure => for_good,
        RetryState::MaximumAttemptsReached => used_up,
        RetryState::Timeout => scheduled.has_schedule_to_close,
        // The workflow asked for it: no attempt follows.
        RetryState::CancelRequested => true,
        _ => false,
    };
    let of = activity.attempts_max;
    (!fits).then(|| format!("was not tried again after attempt {attempt} of {of}: {}", retry.as_str_name()))
}

fn started_attempt(scheduled: i64, events: &[HistoryEvent]) -> Option<u32> {
    events.iter().rev().find_map(|event| match event.attributes.as_ref()? {
        Attributes::ActivityTaskStartedEventAttributes(started) if started.scheduled_event_id == scheduled => {
            u32::try_from(started.attempt).ok()
        }
        _ => None,
    })
}

fn was_asked_to_stop(scheduled: i64, events: &[HistoryEvent]) -> bool {
    events.iter().any(|event| {
        matches!(&event.attributes, Some(Attributes::ActivityTaskCancelRequestedEventAttributes(asked))
            if asked.scheduled_event_id == scheduled)
    })
}

fn ended(scheduled: i64, event: &HistoryEvent) -> Option<Ended> {
    let (of, end) = match event.attributes.as_ref()? {
        Attributes::ActivityTaskCompletedEventAttributes(completed) => {
            (completed.scheduled_event_id, Ended::Completed { by: input_of(completed.result.as_ref()).ok() })
        }
        Attributes::ActivityTaskFailedEventAttributes(failed) => {
            let for_good = matches!(info(failed.failure.as_ref()),
                Some(FailureInfo::ApplicationFailureInfo(info)) if info.non_retryable);
            (failed.scheduled_event_id, Ended::Failed { retry: failed.retry_state(), for_good })
        }
        Attributes::ActivityTaskTimedOutEventAttributes(timed_out) => {
            let kind = match info(timed_out.failure.as_ref()) {
                Some(FailureInfo::TimeoutFailureInfo(info)) => info.timeout_type(),
                _ => TimeoutType::Unspecified,
            };
            (timed_out.scheduled_event_id, Ended::TimedOut { retry: timed_out.retry_state(), kind })
        }
        Attributes::ActivityTaskCanceledEventAttributes(canceled) => (canceled.scheduled_event_id, Ended::Cancelled),
        _ => return None,
    };
    (of == scheduled).then_some(end)
}

fn info(failure: Option<&Failure>) -> Option<&FailureInfo> {
    failure?.failure_info.as_ref()
}
