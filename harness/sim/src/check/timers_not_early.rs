//! `timers-not-early`: nothing fires before its time.
//!
//! In shard time, always: an event's time minus that of the event it waited since. In simulator time, by the commits that
//! wrote them, less what injected clock faults may have moved the server's clock forwards.
use super::{Invariant, Observations, RunObserved, Violation, events};
use std::collections::BTreeMap;
use tempest_api::proto::enums::v1::TimeoutType;
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};

pub const INVARIANT: Invariant = Invariant {
    name: "timers-not-early",
    holds_when: "no timer and no timeout fires before its time in shard time, nor in simulator time before what injected \
                 clock faults allow",
};

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
struct Wait {
    since: i64,
    at_least_ns: i64,
    what: &'static str,
}

fn wait(run: &RunObserved, event: &HistoryEvent) -> Option<Wait> {
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
                // Judged when a retry would come too late, which may be before its time.
                TimeoutType::ScheduleToStart | TimeoutType::ScheduleToClose | TimeoutType::Unspecified => return None,
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
        _ => None,
    }
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
            violations.push(Violation::new(INVARIANT.name, what).because(format!("{since:?}\n{event:?}")));
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
