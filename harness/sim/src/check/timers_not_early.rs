//! `timers-not-early`: nothing fires before its time.
//!
//! In shard time, always: an event's time minus that of the event it waited since. In simulator time, by the commits that
//! wrote them, less what injected clock faults may have moved the server's clock forwards.
use super::{Invariant, Observations, RunObserved, Violation, events};
use std::collections::BTreeMap;
use tempest_api::proto::enums::v1::TimeoutType;
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};

pub const INVARIANT: Invariant = Invariant::TimersNotEarly;
pub const HOLDS_WHEN: &str = "no timer and no timeout fires before its time in shard time, nor in simulator time \
                              before what injected clock faults allow";

/// Each clock read takes a nanosecond and clocks have no other grain: this covers rounding, not a bug.
const GRAIN_NS: i64 = 1_000_000;

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let written = written(observations);
    observations.runs.values().flat_map(|run| of_run(observations, run, &written)).collect()
}

/// When the commit that wrote an event was handed to the store: by run id and event id.
type Written = BTreeMap<(String, i64), u64>;

fn written(observations: &Observations) -> Written {
    let mut written = Written::new();
    for commit in observations.commits.iter().filter(|commit| commit.is_committed()) {
        for batch in &commit.batches {
            for event in batch.events() {
                written.insert((batch.tree.clone(), event.event_id), commit.at_ns);
            }
        }
    }
    written
}

/// What an event waited for: since which event, and how long.
pub(super) struct Wait {
    pub since: i64,
    pub at_least_ns: i64,
    pub what: &'static str,
}

pub(super) fn wait(run: &RunObserved, event: &HistoryEvent) -> Option<Wait> {
    match event.attributes.as_ref()? {
        Attributes::TimerFiredEventAttributes(fired) => {
            let Attributes::TimerStartedEventAttributes(started) =
                run.event(fired.started_event_id)?.attributes.as_ref()?
            else {
                return None;
            };
            let at_least_ns = ns(started.start_to_fire_timeout.as_ref()?);
            Some(Wait { since: fired.started_event_id, at_least_ns, what: "timer" })
        }
        Attributes::ActivityTaskTimedOutEventAttributes(timed_out) => {
            let Attributes::ActivityTaskScheduledEventAttributes(scheduled) =
                run.event(timed_out.scheduled_event_id)?.attributes.as_ref()?
            else {
                return None;
            };
            // The timeouts of retried attempts are inside: the event tells the last one's only.
            let kind = timed_out.failure.as_ref().and_then(timeout_type)?;
            let (since, timeout) = match kind {
                TimeoutType::StartToClose => (timed_out.started_event_id, scheduled.start_to_close_timeout.as_ref()?),
                TimeoutType::Heartbeat => (timed_out.started_event_id, scheduled.heartbeat_timeout.as_ref()?),
                // Of the first attempt at least: later ones are scheduled later.
                TimeoutType::ScheduleToStart => {
                    (timed_out.scheduled_event_id, scheduled.schedule_to_start_timeout.as_ref()?)
                }
                // Judged when a retry would come too late, which may be before its time.
                TimeoutType::ScheduleToClose | TimeoutType::Unspecified => return None,
            };
            Some(Wait { since, at_least_ns: ns(timeout), what: "activity timeout" })
        }
        Attributes::WorkflowTaskTimedOutEventAttributes(timed_out)
            if timed_out.timeout_type() == TimeoutType::StartToClose =>
        {
            let Attributes::WorkflowTaskScheduledEventAttributes(scheduled) =
                run.event(timed_out.scheduled_event_id)?.attributes.as_ref()?
            else {
                return None;
            };
            let at_least_ns = ns(scheduled.start_to_close_timeout.as_ref()?);
            Some(Wait { since: timed_out.started_event_id, at_least_ns, what: "workflow task timeout" })
        }
        Attributes::WorkflowExecutionTimedOutEventAttributes(_) => {
            let start = run.event(1)?;
            Some(Wait { since: 1, at_least_ns: run_timeout_ns(start)?, what: "run timeout" })
        }
        _ => None,
    }
}

/// The run's own timeout counts from the end of its first backoff; that of the whole chain is a moment.
fn run_timeout_ns(start: &HistoryEvent) -> Option<i64> {
    let Attributes::WorkflowExecutionStartedEventAttributes(started) = start.attributes.as_ref()? else { return None };
    let backoff = started.first_workflow_task_backoff.as_ref().map_or(0, ns);
    let own = started.workflow_run_timeout.as_ref().map(ns).filter(|timeout| *timeout > 0);
    let chain = started.workflow_execution_expiration_time.as_ref();
    let chain = chain.map(|time| events::timestamp_ns(time) - events::time_ns(start));
    own.map(|own| own.saturating_add(backoff)).into_iter().chain(chain).min()
}

fn timeout_type(failure: &tempest_api::proto::failure::v1::Failure) -> Option<TimeoutType> {
    use tempest_api::proto::failure::v1::failure::FailureInfo;
    match failure.failure_info.as_ref()? {
        FailureInfo::TimeoutFailureInfo(info) => Some(info.timeout_type()),
        _ => None,
    }
}

fn ns(duration: &prost_wkt_types::Duration) -> i64 {
    duration.seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(duration.nanos))
}

fn of_run(observations: &Observations, run: &RunObserved, written: &Written) -> Vec<Violation> {
    let mut violations = Vec::new();
    for event in &run.stored {
        let Some(wait) = wait(run, event) else { continue };
        let Some(since) = run.event(wait.since) else { continue };
        let waited = events::time_ns(event) - events::time_ns(since);
        let mut early = |waited: i64, clock: &str| {
            let what = format!(
                "{}: the {} of {} fired {} ms early in {clock}",
                run.name(),
                wait.what,
                events::line(since),
                (wait.at_least_ns - waited) / 1_000_000
            );
            violations.push(Violation::new(INVARIANT, what).because(format!("{since:?}\n{event:?}")).about(run));
        };
        if waited + GRAIN_NS < wait.at_least_ns {
            early(waited, "shard time");
        }
        let at = |id: i64| written.get(&(run.key.run_id.0.clone(), id)).copied();
        // Started events of activities are written with their close: their commit says nothing of when they began.
        if wait.what == "timer"
            && let (Some(began), Some(fired)) = (at(wait.since), at(event.event_id))
        {
            let waited = i64::try_from(fired.saturating_sub(began)).unwrap_or(i64::MAX);
            let slack = i64::try_from(observations.clock_slack_ns).unwrap_or(i64::MAX);
            if waited.saturating_add(slack).saturating_add(GRAIN_NS) < wait.at_least_ns {
                early(waited, "simulator time");
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use crate::check::Observations;
    use crate::check::samples::{self, ACTIVITY, SECOND_NS, TIMER};
    use prost_wkt_types::Duration;
    use tempest_api::proto::enums::v1::TimeoutType;
    use tempest_api::proto::failure::v1::{Failure, TimeoutFailureInfo, failure::FailureInfo};
    use tempest_api::proto::history::v1 as history;

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    fn seconds(seconds: i64) -> Option<Duration> {
        Some(Duration { seconds, nanos: 0 })
    }

    /// The activity times out, in its event's place, a second after it was scheduled and as soon as it was started.
    fn activity_times_out(observations: &mut Observations, kind: TimeoutType) {
        let info = TimeoutFailureInfo { timeout_type: kind.into(), ..Default::default() };
        let failure = Failure { failure_info: Some(FailureInfo::TimeoutFailureInfo(info)), ..Default::default() };
        let timed_out = history::ActivityTaskTimedOutEventAttributes {
            failure: Some(failure),
            scheduled_event_id: ACTIVITY,
            started_event_id: 7,
            ..Default::default()
        };
        samples::replace(observations, 8, timed_out);
    }

    /// Moves an event by so many seconds.
    fn postpone(observations: &mut Observations, id: i64, by: i64) {
        samples::rewrite(observations, |events| {
            let event = events.iter_mut().find(|event| event.event_id == id).expect("the sample has it");
            event.event_time.as_mut().expect("each event has a time").seconds += by;
        });
    }

    #[test]
    fn a_timer_that_fires_in_time_is_sound() {
        check(|_| {}, &[]);
        check(|observations| postpone(observations, 13, 100), &[]);
    }

    #[test]
    fn a_timer_does_not_fire_early_in_shard_time() {
        check(
            |observations| postpone(observations, 13, -1),
            &["order-1 / run-1: the timer of event 6 TIMER_STARTED fired 1000 ms early in shard time"],
        );
    }

    #[test]
    fn a_timer_does_not_fire_early_in_simulator_time() {
        let early = "order-1 / run-1: the timer of event 6 TIMER_STARTED fired 2000 ms early in simulator time";
        let hurry = |observations: &mut Observations| observations.commits[7].at_ns -= 2 * SECOND_NS;
        check(hurry, &[early]);
        // As far as injected faults have moved the clock.
        check(
            |observations| {
                hurry(observations);
                observations.clock_slack_ns = 2 * SECOND_NS;
            },
            &[],
        );
        check(
            |observations| {
                hurry(observations);
                observations.clock_slack_ns = SECOND_NS;
            },
            &[early],
        );
    }

    #[test]
    fn a_longer_timer_waits_longer() {
        check(
            |observations| {
                samples::alter!(observations, TIMER, TimerStartedEventAttributes, |a| {
                    a.start_to_fire_timeout = Some(Duration { seconds: 5, nanos: 500_000_000 });
                });
            },
            &[
                "order-1 / run-1: the timer of event 6 TIMER_STARTED fired 500 ms early in shard time",
                "order-1 / run-1: the timer of event 6 TIMER_STARTED fired 500 ms early in simulator time",
            ],
        );
    }

    /// Its timeouts are two seconds each; the event comes one second after the schedule, together with the start.
    #[test]
    fn no_timeout_of_an_activity_is_early() {
        let early = |kind: TimeoutType, expect: &[&str], in_time_by: i64| {
            check(|observations| activity_times_out(observations, kind), expect);
            check(
                |observations| {
                    activity_times_out(observations, kind);
                    postpone(observations, 8, in_time_by);
                },
                &[],
            );
        };
        let of_start = "order-1 / run-1: the activity timeout of event 7 ACTIVITY_TASK_STARTED \
             fired 2000 ms early in shard time";
        early(TimeoutType::StartToClose, &[of_start], 2);
        early(TimeoutType::Heartbeat, &[of_start], 2);
        let of_schedule = "order-1 / run-1: the activity timeout of event 5 ACTIVITY_TASK_SCHEDULED \
             fired 1000 ms early in shard time";
        early(TimeoutType::ScheduleToStart, &[of_schedule], 1);
        early(TimeoutType::ScheduleToClose, &[], 0);
    }

    /// Its timeout is ten seconds.
    #[test]
    fn no_timeout_of_a_workflow_task_is_early() {
        let timed_out = |kind: TimeoutType| history::WorkflowTaskTimedOutEventAttributes {
            scheduled_event_id: 9,
            started_event_id: 11,
            timeout_type: kind.into(),
        };
        check(
            |observations| samples::replace(observations, 12, timed_out(TimeoutType::StartToClose)),
            &["order-1 / run-1: the workflow task timeout of event 11 WORKFLOW_TASK_STARTED \
             fired 9000 ms early in shard time"],
        );
        check(
            |observations| {
                samples::replace(observations, 12, timed_out(TimeoutType::StartToClose));
                postpone(observations, 12, 9);
            },
            &[],
        );
        // How long a sticky queue was given is not in its history.
        check(|observations| samples::replace(observations, 12, timed_out(TimeoutType::ScheduleToStart)), &[]);
    }

    /// The run ends nine seconds after its start.
    #[test]
    fn no_timeout_of_a_run_is_early() {
        let times_out = |observations: &mut Observations, run_s: i64, backoff_s: i64| {
            samples::replace(observations, 17, history::WorkflowExecutionTimedOutEventAttributes::default());
            samples::alter!(observations, 1, WorkflowExecutionStartedEventAttributes, |a| {
                a.workflow_run_timeout = seconds(run_s);
                a.first_workflow_task_backoff = seconds(backoff_s);
            });
        };
        let early = "order-1 / run-1: the run timeout of event 1 WORKFLOW_EXECUTION_STARTED \
             fired 1000 ms early in shard time";
        check(|observations| times_out(observations, 9, 0), &[]);
        check(|observations| times_out(observations, 10, 0), &[early]);
        check(|observations| times_out(observations, 9, 1), &[early]);
        // The whole chain's comes first.
        check(
            |observations| {
                times_out(observations, 100, 0);
                samples::alter!(observations, 1, WorkflowExecutionStartedEventAttributes, |a| {
                    a.workflow_execution_expiration_time =
                        Some(prost_wkt_types::Timestamp { seconds: 1_767_225_609, nanos: 0 });
                });
            },
            &[],
        );
    }
}
