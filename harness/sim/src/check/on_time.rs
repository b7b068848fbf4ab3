//! `on-time`: what is due happens soon, where nothing disturbs.
//!
//! A wake-up that was forgotten is made up for by something else sooner or later: a poll that ends, a shard that is looked
//! after, a retry. Everything closes in the end, and no other invariant speaks of it. Here each timer and each timeout must
//! fire, each workflow task start, and each attempt of an activity start, within seconds of its time.
//!
//! Judged only in runs that nothing disturbed but the calls of workers and clients, and of what became due after all nodes
//! and a worker had come: otherwise a correct server may be late.
use super::timers_not_early::wait;
use super::{Invariant, Observations, RpcKind, RunObserved, Violation, events};
use tempest_api::decode_activity_token;
use tempest_api::proto::enums::v1::{EventType, TaskQueueKind};
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};
use tempest_api::proto::workflowservice::v1 as api;

pub const INVARIANT: Invariant = Invariant::OnTime;
pub const HOLDS_WHEN: &str = "where nothing is disturbed but calls, timers and timeouts fire, and tasks reach workers \
                              that wait for them, within seconds of their time";

/// Timers depend on the server alone.
const TIMER_LATE_NS: i64 = 3_000_000_000;
/// Longer than a slow worker keeps a poller busy, far shorter than a poll.
const TASK_LATE_NS: i64 = 10_000_000_000;

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let Some(from_ns) = judged_from_ns(observations) else { return Vec::new() };
    let mut violations: Vec<Violation> = observations.runs.values().flat_map(|run| late_in(run, from_ns)).collect();
    violations.extend(late_attempts(observations, from_ns));
    violations
}

/// Events from this time on are judged: nothing is, if more was disturbed than calls.
pub(crate) fn judged_from_ns(observations: &Observations) -> Option<i64> {
    let settled = observations.settled_from_ns.filter(|_| observations.clock_slack_ns == 0)?;
    let polls = observations.operations.iter().filter(|operation| operation.rpc == RpcKind::PollWorkflowTaskQueue);
    let first_poll = polls.map(|operation| operation.invoked_ns).min()?;
    let from = i64::try_from(settled.max(first_poll)).unwrap_or(i64::MAX);
    // Where the clocks of a world begin.
    let epoch = i64::try_from(crate::world::inside::epoch().as_nanos()).unwrap_or(0);
    Some(epoch.saturating_add(from))
}

fn late_in(run: &RunObserved, from_ns: i64) -> Vec<Violation> {
    let mut violations = Vec::new();
    for event in &run.stored {
        let Some((since, due_ns, what)) = due(run, event) else { continue };
        let late_ns = events::time_ns(event).saturating_sub(due_ns);
        let is_task = matches!(event.event_type(), EventType::WorkflowTaskStarted);
        if due_ns >= from_ns && late_ns > if is_task { TASK_LATE_NS } else { TIMER_LATE_NS } {
            let seconds = late_ns / 1_000_000_000;
            let what = format!("{}: {} came {seconds} s late: {what}", run.name(), events::line(event));
            let since = run.event(since).map(|since| format!("since {since:?}")).unwrap_or_default();
            violations.push(Violation::new(INVARIANT, what).because(since).because(format!("{event:?}")).about(run));
        }
    }
    violations
}

/// Since which event an event was waited for, when it was due, and what it is.
fn due(run: &RunObserved, event: &HistoryEvent) -> Option<(i64, i64, &'static str)> {
    if let Attributes::WorkflowTaskStartedEventAttributes(started) = event.attributes.as_ref()? {
        let scheduled = run.event(started.scheduled_event_id)?;
        // A worker that has the run in its cache may be busy with it: the sticky queue's own timeout speaks for it.
        let Attributes::WorkflowTaskScheduledEventAttributes(asked) = scheduled.attributes.as_ref()? else {
            return None;
        };
        let is_normal = asked.task_queue.as_ref().is_none_or(|queue| queue.kind() != TaskQueueKind::Sticky);
        return is_normal.then(|| (started.scheduled_event_id, events::time_ns(scheduled), "a worker waited for it"));
    }
    let waited = wait(run, event)?;
    let since = run.event(waited.since)?;
    Some((waited.since, events::time_ns(since).saturating_add(waited.at_least_ns), waited.what))
}

/// Attempts that a poll brought long after they were due.
fn late_attempts(observations: &Observations, from_ns: i64) -> Vec<Violation> {
    let polls = observations.acknowledged(RpcKind::PollActivityTaskQueue);
    let late = polls.filter_map(|operation| {
        let task: api::PollActivityTaskQueueResponse = operation.response()?;
        let due_ns = events::timestamp_ns(task.current_attempt_scheduled_time.as_ref()?);
        let late_ns = events::timestamp_ns(task.started_time.as_ref()?).saturating_sub(due_ns);
        if due_ns < from_ns || late_ns <= TASK_LATE_NS {
            return None;
        }
        let token = decode_activity_token(&task.task_token).ok()?;
        let what = format!(
            "attempt {} of {} / {} activity {} was started {} s late: a worker waited for it",
            token.attempt,
            token.workflow_id,
            token.run_id,
            token.scheduled_event_id,
            late_ns / 1_000_000_000
        );
        Some(
            Violation::new(INVARIANT, what)
                .because(operation.line())
                .about_each(observations.run(token.run_id.as_str())),
        )
    });
    late.collect()
}

#[cfg(test)]
mod tests {
    use crate::check::Observations;
    use crate::check::samples::{self, RUN};

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    /// Event 10 of the sample waits for nothing but its timer.
    fn late(observations: &mut Observations, seconds: i64) {
        observations.settled_from_ns = Some(0);
        let run = observations.runs.get_mut(RUN).expect("the sample has it");
        for event in &mut run.stored[12..] {
            if let Some(time) = &mut event.event_time {
                time.seconds += seconds;
            }
        }
    }

    #[test]
    fn what_is_late_is_named() {
        check(|observations| late(observations, 0), &[]);
        check(|observations| late(observations, 2), &[]);
        check(|observations| late(observations, 20), &["order-1 / run-1: event 13 TIMER_FIRED came 20 s late: timer"]);
    }

    #[test]
    fn a_disturbed_run_may_be_late() {
        check(
            |observations| {
                late(observations, 20);
                observations.settled_from_ns = None;
            },
            &[],
        );
        check(
            |observations| {
                late(observations, 20);
                observations.clock_slack_ns = 1;
            },
            &[],
        );
    }
}
