//! Everything that was observed of a run, gathered after it.
use super::{Commit, Operation};
use std::collections::BTreeMap;
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_core::{MutableState, RunKey};

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
    pub panics: Vec<Panic>,
    /// Programs on hosts that ended with an error of their own, and what could not be read back.
    pub complaints: Vec<String>,
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

    /// Acknowledged operations of one RPC.
    pub fn acknowledged<'a>(&'a self, rpc: &'a str) -> impl Iterator<Item = &'a Operation> {
        self.operations.iter().filter(move |operation| operation.rpc == rpc && operation.outcome.is_ok())
    }
}
