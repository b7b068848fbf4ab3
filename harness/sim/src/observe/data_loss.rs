//! What a failover of a database that replicates asynchronously has lost, and what may be said of a run all the same.
//!
//! A failover takes back whatever came last, for good. Of a workflow that lost a commit nothing that a caller was told
//! holds any more: what it did may be done once more, and a start that was acknowledged may never have been. Its history
//! must still be a sound one and come to an end. Everything else must be as if nothing had happened: it is judged as
//! always, in observations from which those workflows have been taken out.
use super::named_workflow::about;
use crate::observe::{Observations, RunObserved};
use std::collections::BTreeSet;
use tempest_api::proto::history::v1::history_event::Attributes;
use tempest_store::{RangeId, ShardId, Timeline};

/// A server said that acknowledged commits of a shard are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataLossReport {
    pub server: String,
    pub incarnation: u32,
    pub shard: ShardId,
    /// With which the server had owned the shard.
    pub range_id: RangeId,
    /// Up to which owner and sequence it found what it had been told.
    pub left: (RangeId, u64),
}

/// A timeline of the database, and when it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelineBegan {
    pub timeline: Timeline,
    pub at_ns: u64,
    /// Whether its primary may lack what was acknowledged: the database replicates asynchronously, or an operator chose.
    pub may_lose: bool,
}

impl Observations {
    /// Workflow ids of which commits were lost, and of those that deal with them: parents, children, those they signal.
    pub fn with_losses(&self) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = BTreeSet::new();
        for commit in self.commits.iter().filter(|commit| commit.is_lost()) {
            found.extend(commit.keys.iter().map(|key| key.workflow_id.0.clone()));
        }
        if found.is_empty() {
            return found;
        }
        let dealings: Vec<(&str, Vec<String>)> =
            self.runs.values().map(|run| (run.key.workflow_id.as_str(), deals_with(run))).collect();
        loop {
            let before = found.len();
            for (workflow, others) in &dealings {
                if found.contains(*workflow) || others.iter().any(|other| found.contains(other)) {
                    found.insert((*workflow).to_owned());
                    found.extend(others.iter().cloned());
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    /// Without some workflows, as if they had never been asked for.
    pub fn without(&self, workflows: &BTreeSet<String>) -> Observations {
        let mut rest = self.clone();
        rest.runs.retain(|_, run| !workflows.contains(run.key.workflow_id.as_str()));
        rest.commits.retain(|commit| !commit.keys.iter().any(|key| workflows.contains(key.workflow_id.as_str())));
        rest.operations
            .retain(|operation| !about(operation).is_some_and(|about| workflows.contains(&about.workflow_id)));
        rest
    }
}

/// Workflow ids that a run's history names.
fn deals_with(run: &RunObserved) -> Vec<String> {
    let others = run.stored.iter().filter_map(|event| match event.attributes.as_ref()? {
        Attributes::WorkflowExecutionStartedEventAttributes(a) => {
            Some(a.parent_workflow_execution.clone()?.workflow_id)
        }
        Attributes::StartChildWorkflowExecutionInitiatedEventAttributes(a) => Some(a.workflow_id.clone()),
        Attributes::SignalExternalWorkflowExecutionInitiatedEventAttributes(a) => {
            Some(a.workflow_execution.clone()?.workflow_id)
        }
        Attributes::RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(a) => {
            Some(a.workflow_execution.clone()?.workflow_id)
        }
        Attributes::WorkflowExecutionSignaledEventAttributes(a) => {
            Some(a.external_workflow_execution.clone()?.workflow_id)
        }
        _ => None,
    });
    others.collect()
}

#[cfg(test)]
mod tests {
    use crate::check::{CommitResult, Observations, judge, samples};
    use tempest_store::Timeline;

    /// The last three commits of the sample's only run.
    fn lose(observations: &mut Observations) {
        let count = observations.commits.len();
        for commit in &mut observations.commits[count - 3..] {
            commit.result = CommitResult::Lost { acknowledged: true, on: Timeline(1) };
        }
    }

    #[test]
    fn what_was_lost_is_excused_and_nothing_else() {
        let mut observations = samples::sound();
        assert!(observations.with_losses().is_empty());
        lose(&mut observations);
        assert_eq!(observations.with_losses().into_iter().collect::<Vec<_>>(), [samples::WORKFLOW]);
        let rest = observations.without(&observations.with_losses());
        let about: Vec<&str> = rest.operations.iter().map(|operation| operation.rpc.name()).collect();
        // A poll that brought nothing is about no workflow.
        assert_eq!((rest.runs.len(), rest.commits.len(), about), (0, 0, vec!["PollActivityTaskQueue"]));
        let untouched = observations.without(&["another".to_owned()].into());
        assert_eq!(untouched.operations.len(), observations.operations.len());
    }

    #[test]
    fn what_is_left_of_a_workflow_with_losses_must_be_sound_all_the_same() {
        let mut observations = samples::sound();
        lose(&mut observations);
        samples::rewrite(&mut observations, |events| events.truncate(10));
        let named: Vec<&str> = judge(&observations).into_iter().map(|violation| violation.invariant.name()).collect();
        assert_eq!(named, ["data-loss-noticed", "state-equals-history", "liveness"]);
    }
}
