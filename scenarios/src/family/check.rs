//! What parents leave behind ends as their policies say, and no other workflow ends otherwise than meant.
use super::workflows::Life;
use crate::outcomes::ends_with;
use tempest::proto::enums::v1::EventType;
use tempest::proto::history::v1::{HistoryEvent, history_event::Attributes};
use tempest::{Observations, Violation};

pub fn judge(parents: u64, walkers: u64, observations: &Observations) -> Vec<Violation> {
    let children = (0..parents).flat_map(|number| {
        let prefix = format!("family-{number}/child-");
        let mut ids: Vec<&str> = observations
            .runs
            .values()
            .map(|run| run.key.workflow_id.as_str())
            .filter(|id| id.starts_with(&prefix))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    });
    let bystanders: Vec<String> =
        (0..walkers).filter(|number| number.is_multiple_of(2)).map(|number| format!("bystander-{number}")).collect();
    let cancelled =
        bystanders.iter().filter_map(|id| ends_with(observations, id, EventType::WorkflowExecutionCanceled));
    children.filter_map(|id| child(observations, id)).chain(cancelled).collect()
}

fn child(observations: &Observations, id: &str) -> Option<Violation> {
    let chain = observations.chain(id);
    let first = chain.first()?.stored.first()?.clone();
    let expected = match life(&first)? {
        Life::Completes { .. }
        | Life::Retries
        | Life::ComesAgain { .. }
        | Life::ContinuesAsNew { .. }
        | Life::Signalled
        | Life::LeftAlone { .. } => EventType::WorkflowExecutionCompleted,
        Life::Fails => EventType::WorkflowExecutionFailed,
        Life::TimesOut => EventType::WorkflowExecutionTimedOut,
        Life::CancelledByParent | Life::LeftToCancel => EventType::WorkflowExecutionCanceled,
        Life::LeftToTerminate => EventType::WorkflowExecutionTerminated,
        Life::Refused => {
            return Some(Violation::of_model(format!("{id} exists although its id was taken")).about_each(chain));
        }
    };
    ends_with(observations, id, expected)
}

fn life(started: &HistoryEvent) -> Option<Life> {
    let Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) = &started.attributes else { return None };
    let payload = started.input.as_ref()?.payloads.first()?;
    serde_json::from_slice(&payload.data).ok()
}
