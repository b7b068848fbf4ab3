//! `replay`: the official replayer accepts every history; see [`super::frontier()`] for the other half.
use super::{Invariant, Observations, Violation};
use crate::scenario::Registrations;
use tempest_api::proto::history::v1::History;
use temporalio_client::WorkflowHistory;
use temporalio_sdk::workflow_replayer::WorkflowReplayer;

pub const INVARIANT: Invariant = Invariant {
    name: "replay",
    holds_when: "the official SDK's replayer accepts every full history with the workflow code that produced it, and a \
                 worker that is given a prefix of one answers with the commands that it goes on with",
};

/// Replays every history that the scenario's workflows can. Needs a tokio runtime; uses real threads and real time.
pub async fn replay(registrations: Registrations, observations: &Observations) -> Vec<Violation> {
    let options = match registrations.replayer_options() {
        Ok(Some(options)) => options,
        Ok(None) => return Vec::new(),
        Err(error) => return vec![Violation::new(INVARIANT.name, format!("no replayer could be made: {error}"))],
    };
    let runs: Vec<_> = observations.runs.values().filter(|run| !run.stored.is_empty()).collect();
    let histories: Vec<WorkflowHistory> =
        runs.iter().map(|run| WorkflowHistory::from(History { events: run.stored.clone() })).collect();
    let replayed = match WorkflowReplayer::new(options) {
        Ok(replayer) => replayer.replay_workflows(histories).await,
        Err(error) => Err(error),
    };
    let results = match replayed {
        Ok(results) => results,
        Err(error) => return vec![Violation::new(INVARIANT.name, format!("the replayer failed: {error}"))],
    };
    let failed = runs.iter().zip(results).filter_map(|(run, result)| Some((run, result.replay_failure?)));
    failed
        .map(|(run, failure)| {
            Violation::new(INVARIANT.name, format!("{} does not replay", run.name())).because(failure.to_string())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::check::samples::{self, ACTIVITY, TIMER};
    use crate::check::{Observations, Violation};

    fn judge(observations: &Observations) -> Vec<Violation> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("there are threads");
        let violations = runtime.block_on(super::replay(samples::registrations(), observations));
        runtime.shutdown_background();
        violations
    }

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(judge, change, expect);
    }

    const NOT: &str = "order-1 / run-1 does not replay";

    #[test]
    fn a_sound_history_replays() {
        check(|_| {}, &[]);
    }

    #[test]
    fn an_activity_that_nobody_asked_for_does_not() {
        check(
            |observations| {
                samples::alter!(observations, ACTIVITY, ActivityTaskScheduledEventAttributes, |a| {
                    a.activity_id = "2".to_owned();
                });
            },
            &[NOT],
        );
    }

    #[test]
    fn a_command_that_was_not_written_does_not() {
        check(
            |observations| {
                samples::replace(observations, TIMER, samples::signaled("signal-2"));
                samples::replace(observations, 13, samples::signaled("signal-3"));
            },
            &[NOT],
        );
    }

    /// The replayer compares no ids of timers: it is the frontier that must be looked at.
    #[test]
    fn a_timer_under_another_id_replays() {
        check(
            |observations| {
                samples::alter!(observations, TIMER, TimerStartedEventAttributes, |a| a.timer_id = "2".to_owned());
            },
            &[],
        );
    }

    #[test]
    fn one_bad_history_of_many_is_named() {
        check(
            |observations| {
                let mut other = samples::run("run-0", samples::events("run-0"));
                other.stored[4] = samples::event(ACTIVITY, samples::signaled("signal-2"));
                samples::add(observations, other);
            },
            &["order-1 / run-0 does not replay"],
        );
    }

    /// For the replayer the history ends before the answer: again it is the frontier that must be looked at.
    #[test]
    fn a_lost_end_replays() {
        check(|observations| samples::rewrite(observations, |events| events.truncate(16)), &[]);
    }
}
