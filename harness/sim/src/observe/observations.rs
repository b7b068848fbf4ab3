//! Everything that was observed of a run, gathered after it.
use super::data_loss::{DataLossReport, TimelineBegan};
use crate::observe::{Commit, DuplicatedCall, Operation, RpcKind, commit_feed::Batch};
use std::collections::{BTreeMap, BTreeSet};
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::namespace::v1::NamespaceInfo;
use tempest_artifact::About;
use tempest_core::{MutableState, RunKey};
use tempest_store::Timeline;

/// One run of a workflow as it was read back.
#[derive(Clone, Debug)]
pub struct RunObserved {
    pub key: RunKey,
    /// From the disk, after a last power cut and recovery.
    pub stored: Vec<HistoryEvent>,
    /// Through the public API, before that. Empty if it could not be read.
    pub served: Vec<HistoryEvent>,
    /// From the disk.
    pub state: Option<MutableState>,
    /// Whether the disk calls it its workflow's current run.
    pub is_current: bool,
}

impl RunObserved {
    pub fn event(&self, id: i64) -> Option<&HistoryEvent> {
        let index = usize::try_from(id.checked_sub(1)?).ok()?;
        self.stored.get(index).filter(|event| event.event_id == id)
    }

    pub fn name(&self) -> String {
        format!("{} / {}", self.key.workflow_id, self.key.run_id)
    }
}

/// The run that a violation is about.
impl From<&RunObserved> for About {
    fn from(run: &RunObserved) -> About {
        About { workflow_id: run.key.workflow_id.0.clone(), run_id: run.key.run_id.0.clone() }
    }
}

/// A panic on a host that was not dead already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    pub host: String,
    pub at_ns: u64,
    pub message: String,
}

/// What checkers look at.
#[derive(Clone, Debug, Default)]
pub struct Observations {
    pub operations: Vec<Operation>,
    pub commits: Vec<Commit>,
    /// By run id.
    pub runs: BTreeMap<String, RunObserved>,
    /// From the disk, by name. Nothing if they could not be read.
    pub namespaces: Option<BTreeMap<String, NamespaceInfo>>,
    pub panics: Vec<Panic>,
    /// Programs on hosts that ended with an error of their own, and what could not be read back.
    pub problems: Vec<String>,
    /// How far clock faults may have moved the server's clock forwards, over the whole run. Weakens what is said of
    /// timers in simulator time.
    pub clock_slack_ns: u64,
    /// Runs that the scenario leaves open on purpose, by workflow id.
    pub may_stay_open: Vec<String>,
    /// True once clients said they are done, before the deadline.
    pub clients_done: bool,
    /// What the clients were waiting for when the deadline came.
    pub clients_waited_for: Vec<String>,
    /// Virtual time at which everything had to be closed.
    pub deadline_ns: u64,
    /// From when on nothing was disturbed that could make a shard change hands; nothing if something was all the time.
    pub settled_from_ns: Option<u64>,
    /// Of a database whose terms are timelines, in order.
    pub timelines: Vec<TimelineBegan>,
    /// The newest timeline that each server has shown to know.
    pub timelines_known: Vec<(String, Timeline)>,
    /// What servers said of commits that are gone.
    pub reports: Vec<DataLossReport>,
    /// The newest incarnation of each server.
    pub incarnations: BTreeMap<String, u32>,
    /// Calls between servers that went out twice.
    pub duplicates: Vec<DuplicatedCall>,
}

impl Observations {
    pub fn run(&self, run_id: &str) -> Option<&RunObserved> {
        self.runs.get(run_id)
    }

    /// The runs of a workflow id, oldest first.
    pub fn chain(&self, workflow_id: &str) -> Vec<&RunObserved> {
        let mut chain: Vec<&RunObserved> =
            self.runs.values().filter(|run| run.key.workflow_id.as_str() == workflow_id).collect();
        chain.sort_by_key(|run| run.stored.first().and_then(|event| event.event_time).map(|t| (t.seconds, t.nanos)));
        chain
    }

    /// Runs that a request may have meant: the one that it names, or any of its workflow.
    pub fn meant(&self, execution: &WorkflowExecution) -> Vec<&RunObserved> {
        if execution.run_id.is_empty() {
            self.chain(&execution.workflow_id)
        } else {
            self.run(&execution.run_id).into_iter().collect()
        }
    }

    /// The runs that a sentence names, by their own id or that of their workflow: all that is known where a check says
    /// in words what is wrong.
    pub(crate) fn named_in(&self, sentence: &str) -> impl Iterator<Item = &RunObserved> {
        let words = sentence.split(|letter: char| letter.is_whitespace() || "\"'`,;:()/".contains(letter));
        let words: BTreeSet<&str> = words.collect();
        let is_named = move |run: &&RunObserved| {
            words.contains(run.key.workflow_id.as_str()) || words.contains(run.key.run_id.as_str())
        };
        self.runs.values().filter(is_named)
    }

    /// Whether a commit is certainly in what was read back: acknowledged, or all that it wrote is there.
    pub fn was_applied(&self, commit: &Commit) -> bool {
        let is_stored = |event: &HistoryEvent, run: &RunObserved| run.event(event.event_id) == Some(event);
        let is_there = |batch: &Batch| {
            self.run(&batch.tree).is_some_and(|run| batch.events().iter().all(|event| is_stored(event, run)))
        };
        let in_doubt = || commit.may_be_durable() && !commit.batches.is_empty();
        commit.is_committed() || (in_doubt() && commit.batches.iter().all(is_there))
    }

    /// Whether the server may have got it once more: from its caller's side, or because a server that passed it on to another
    /// did so twice while its caller waited. The second may find done what the first did, and its refusal be what the
    /// caller hears.
    pub fn may_have_come_twice(&self, operation: &Operation) -> bool {
        let until = operation.completed_ns.unwrap_or(u64::MAX);
        let meanwhile = |duplicate: &&DuplicatedCall| (operation.invoked_ns..=until).contains(&duplicate.at_ns);
        let twice_between_servers = || {
            let about = super::named_workflow::about(operation)?;
            self.duplicates.iter().filter(meanwhile).find(|duplicate| duplicate.names(&about.workflow_id))
        };
        operation.duplicated || twice_between_servers().is_some()
    }

    /// Acknowledged operations of one RPC.
    pub fn acknowledged(&self, rpc: RpcKind) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(move |operation| operation.rpc == rpc && operation.outcome.is_ok())
    }
}

#[cfg(test)]
mod tests {
    use crate::check::samples::{self, sound};
    use crate::check::{CommitResult, Outcome, RpcKind};
    use tempest_store::CommitOutcome;

    #[test]
    fn events_are_found_by_id() {
        let mut observations = sound();
        let run = &observations.runs[samples::RUN];
        assert_eq!(run.event(17).map(|event| event.event_id), Some(17));
        assert!([0, -123, 18].iter().all(|id| run.event(*id).is_none()));
        samples::rewrite(&mut observations, |events| drop(events.remove(0)));
        assert_eq!(observations.runs[samples::RUN].event(2), None, "what stands there has another id");
    }

    #[test]
    fn a_chain_is_in_the_order_of_its_starts() {
        let mut observations = sound();
        let mut earlier = samples::run("run-2", samples::events("run-2"));
        earlier.stored[0].event_time = Some(prost_wkt_types::Timestamp { seconds: 1, nanos: 0 });
        samples::add(&mut observations, earlier);
        let ids = |workflow: &str| -> Vec<&str> {
            observations.chain(workflow).iter().map(|run| run.key.run_id.as_str()).collect()
        };
        assert_eq!(ids(samples::WORKFLOW), ["run-2", samples::RUN]);
        assert!(ids("order-2").is_empty());
    }

    #[test]
    fn a_commit_in_doubt_was_applied_if_what_it_wrote_is_there() {
        let mut observations = sound();
        let of = |result| crate::check::Commit { result, ..sound().commits.remove(2) };
        let in_doubt = of(CommitResult::Ended(CommitOutcome::OutcomeUnknown("the disk failed".to_owned())));
        let refused = of(CommitResult::Ended(CommitOutcome::Conflict("version".to_owned())));
        assert!(observations.was_applied(&in_doubt));
        assert!(observations.was_applied(&of(CommitResult::Pending)));
        assert!(!observations.was_applied(&refused));
        samples::replace(&mut observations, samples::TIMER, samples::signaled("another"));
        assert!(!observations.was_applied(&in_doubt));
        assert!(observations.was_applied(&of(CommitResult::Ended(CommitOutcome::Committed))));
    }

    #[test]
    fn only_acknowledged_calls_are_acknowledged() {
        let mut observations = sound();
        assert_eq!(observations.acknowledged(RpcKind::SignalWorkflowExecution).count(), 1);
        observations
            .operations
            .push(crate::check::Operation { outcome: Outcome::Pending, ..samples::signal("signal-2") });
        assert_eq!(observations.acknowledged(RpcKind::SignalWorkflowExecution).count(), 1);
    }
}
