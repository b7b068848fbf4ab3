//! `replay`: the official replayer accepts every history; see [`super::frontier()`] for the other half.
use super::{Invariant, Observations, RunObserved, Violation};
use crate::worker::Registrations;
use std::time::Duration;
use tempest_api::proto::history::v1::History;
use temporalio_client::WorkflowHistory;
use temporalio_sdk::workflow_replayer::WorkflowReplayer;

pub const INVARIANT: Invariant = Invariant::Replay;
pub const HOLDS_WHEN: &str = "the official SDK's replayer accepts every full history with the workflow code that \
                              produced it, and a worker that is given a prefix of one answers with the commands that \
                              it goes on with";

/// In real time, for the replayer to accept or refuse all histories of a run, which takes a second or two. Some histories
/// that no server should write leave it waiting forever.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same for some of them, in search of one that stops it.
const PATIENCE_OF_SEARCH: Duration = Duration::from_secs(10);

/// Replays every history that the scenario's workflows can. Needs a tokio runtime; uses real threads and real time.
pub async fn replay(register: impl Fn() -> Registrations, observations: &Observations) -> Vec<Violation> {
    let violation = |what: String| Violation::new(INVARIANT, what);
    let runs: Vec<&RunObserved> = observations.runs.values().filter(|run| !run.stored.is_empty()).collect();
    match replayed(&register, &runs, PATIENCE).await {
        Ok(Some(failures)) => failures
            .into_iter()
            .map(|(run, failure)| {
                violation(format!("{} does not replay", run.name())).because(in_short(&failure)).about(run)
            })
            .collect(),
        Ok(None) => vec![violation(stopped_by(&register, &runs).await)],
        Err(error) => vec![violation(format!("no replayer could be made, or it failed: {error}"))],
    }
}

/// The runs that fail, each with what the replayer says; `None` if it does not come to an end.
async fn replayed<'r>(
    register: impl Fn() -> Registrations,
    runs: &[&'r RunObserved],
    patience: Duration,
) -> anyhow::Result<Option<Vec<(&'r RunObserved, String)>>> {
    let Some(options) = register().replayer_options()? else { return Ok(Some(Vec::new())) };
    let histories: Vec<WorkflowHistory> =
        runs.iter().map(|run| WorkflowHistory::from(History { events: run.stored.clone() })).collect();
    let replayer = WorkflowReplayer::new(options)?;
    let Ok(results) = tokio::time::timeout(patience, replayer.replay_workflows(histories)).await else {
        return Ok(None);
    };
    let results = runs.iter().zip(results?);
    Ok(Some(results.filter_map(|(run, result)| Some((*run, result.replay_failure?.to_string()))).collect()))
}

/// What the SDK says at the heart of its error, which repeats all that it is wrapped in.
fn in_short(failure: &str) -> String {
    let heart = failure.find("[TMPRL").map(|begin| &failure[begin..]);
    let end = |heart: &str| heart.find("\", source").unwrap_or(heart.len());
    heart.map_or(failure, |heart| &heart[..end(heart)]).to_owned()
}

/// Which history it is that the replayer does not come to an end with.
async fn stopped_by(register: impl Fn() -> Registrations, runs: &[&RunObserved]) -> String {
    let mut suspects = runs;
    while suspects.len() > 1 {
        let (one, other) = suspects.split_at(suspects.len() / 2);
        let stops = matches!(replayed(&register, one, PATIENCE_OF_SEARCH).await, Ok(None));
        suspects = if stops { one } else { other };
    }
    let name = suspects.first().map(|run| run.name()).unwrap_or_default();
    format!("the replayer does not come to an end with these histories, probably for the one of {name}")
}

#[cfg(test)]
mod tests {
    use crate::check::samples::{self, ACTIVITY, TIMER};
    use crate::check::{Observations, Violation};

    fn judge(observations: &Observations) -> Vec<Violation> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("there are threads");
        let violations = runtime.block_on(super::replay(samples::registrations, observations));
        runtime.shutdown_background();
        violations
    }

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(judge, change, expect);
    }

    #[test]
    fn of_an_error_its_heart_is_told() {
        let whole = "failed: Failure { message: \"[TMPRL1100] Nondeterminism error: a timer\", source: \"\" } }";
        assert_eq!(super::in_short(whole), "[TMPRL1100] Nondeterminism error: a timer");
        assert_eq!(super::in_short("no memory"), "no memory");
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
