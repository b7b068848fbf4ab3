//! When a workflow had no open run.
use super::{Observations, Operation, events};
use std::collections::BTreeSet;
use tempest_api::proto::common::v1::WorkflowExecution;

/// Whether there was a moment, while a call was under way, at which what it names had ended: for a workflow, one between
/// the close of a run and the start of the next.
pub(super) fn had_ended(observations: &Observations, execution: &WorkflowExecution, operation: &Operation) -> bool {
    let meant: BTreeSet<&str> = observations.meant(execution).iter().map(|run| run.key.run_id.as_str()).collect();
    let (mut starts, mut closes) = (Vec::new(), Vec::new());
    for (place, commit) in observations.commits.iter().enumerate().filter(|(_, commit)| commit.may_be_durable()) {
        for batch in commit.batches.iter().filter(|batch| meant.contains(batch.tree.as_str())) {
            let events = batch.events();
            starts.extend(events.iter().any(|event| event.event_id == 1).then_some((place, commit.at_ns)));
            closes.extend(events.iter().any(events::is_close).then_some((place, commit.at_ns)));
        }
    }
    let completed_ns = operation.completed_ns.unwrap_or(u64::MAX);
    closes.into_iter().any(|(closed, closed_ns)| {
        // A run that another follows in the same commit leaves no such moment.
        let next = starts.iter().filter(|(start, _)| *start >= closed).min();
        let (next, next_ns) = next.copied().unwrap_or((usize::MAX, u64::MAX));
        closed < next && closed_ns <= completed_ns && operation.invoked_ns <= next_ns
    })
}
