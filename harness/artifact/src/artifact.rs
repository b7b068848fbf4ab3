use crate::{Checked, Drawn, FaultPlan, Operation, Ownership, Phase, RunRequest, TimelineEntry, Violation};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rises with every change after which an older reader could not make sense of what is written. What an older harness
/// wrote is brought up to it when it is read.
pub const ARTIFACT_VERSION: u32 = 3;

/// A run on disk: everything needed to repeat it and to understand it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    pub version: u32,
    pub scenario: String,
    pub seed: u64,
    pub world: String,
    /// The planted bug that was in, if one was.
    pub plant: Option<String>,
    pub verdict: Verdict,
    pub violations: Vec<Violation>,
    pub trace_hash: String,
    /// Runs of workflows in the store.
    pub workflows: u64,
    /// What was drawn from the seed or set, in this order.
    pub options: Vec<Drawn>,
    /// Every fault that was planned; the timeline says which of them began.
    pub plan: FaultPlan,
    /// How many faults really began, a sweep's crash at its crash point included.
    pub faults: u64,
    /// Rare paths by name, and how often each was taken. Zero is worth telling.
    pub probes: BTreeMap<String, u64>,
    pub ownership: Ownership,
    pub checks: Vec<Checked>,
    pub phases: Vec<Phase>,
    pub timeline: Vec<TimelineEntry>,
    pub operations: Vec<Operation>,
    /// By `workflow id/run id`, in the JSON that Temporal's tools load.
    pub histories: BTreeMap<String, serde_json::Value>,
    pub virtual_ms: u64,
    pub wall_ms: u64,
    /// The command that repeats the run.
    pub reproduce: String,
    /// What was asked for: the input of a repetition.
    pub request: RunRequest,
    /// Version of the harness that ran.
    pub harness: String,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every invariant held.
    Held,
    Violated,
    /// Two executions of the same seed gave different traces.
    Nondeterministic,
    /// The process died or was ended before it could judge.
    #[default]
    Unknown,
}

impl Artifact {
    /// The request that repeats it: with its plan as it was, not as this version of the harness would draw it.
    pub fn repetition(&self) -> RunRequest {
        RunRequest { plan: Some(self.plan.clone()), ..self.request.clone() }
    }
}
