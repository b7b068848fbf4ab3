//! `replay`: the official replayer accepts every history.
use super::{Invariant, Observations, Violation};
use crate::scenario::Registrations;
use tempest_api::proto::history::v1::History;
use temporalio_client::WorkflowHistory;
use temporalio_sdk::workflow_replayer::WorkflowReplayer;

pub const INVARIANT: Invariant = Invariant {
    name: "replay",
    holds_when: "the official SDK's replayer accepts every full history with the workflow code that produced it",
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
