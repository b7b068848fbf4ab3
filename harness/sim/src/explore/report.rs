//! What one run came to.
use super::{Checked, Drawn, Override, Ownership, Phase, Seed, Settings};
use crate::check::{OperationLine, Violation};
use crate::fault::{FaultPlan, TimelineEntry};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is asked of a run: with the binary, everything needed to repeat it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRequest {
    pub scenario: String,
    pub seed: u64,
    /// Options that a person chose.
    #[serde(default)]
    pub settings: Settings,
    /// Planted bugs that are in.
    #[serde(default)]
    pub plants: Vec<String>,
    /// In place of the plan that the seed would draw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<FaultPlan>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
}

impl RunRequest {
    pub fn seed(&self) -> Seed {
        Seed(self.seed)
    }

    /// The command that repeats this run. A plan or overrides of its own need the artifact instead.
    pub fn command(&self, artifact: Option<&str>) -> String {
        if self.plan.is_some() || !self.overrides.is_empty() {
            return format!("tempest replay {}", artifact.unwrap_or("ARTIFACT"));
        }
        let mut command = format!("tempest run {} --seed {}", self.scenario, self.seed);
        for plant in &self.plants {
            command += &format!(" --plant {plant}");
        }
        for (name, value) in &self.settings.0 {
            command += &format!(" --set {name}={value}");
        }
        command
    }
}

/// A run, judged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunReport {
    pub request: RunRequest,
    pub options: Vec<Drawn>,
    pub plan: FaultPlan,
    pub timeline: Vec<TimelineEntry>,
    pub violations: Vec<Violation>,
    pub trace_hash: String,
    /// Runs of workflows in the store.
    pub workflows: u64,
    /// Runs by how they ended.
    pub endings: BTreeMap<String, u64>,
    pub ownership: Ownership,
    /// Faults that really began.
    pub faults: u64,
    pub probes: BTreeMap<String, u64>,
    pub commits: u64,
    pub hand_overs: u64,
    pub virtual_ms: u64,
    pub wall_ms: u64,
    pub phases: Vec<Phase>,
    pub checks: Vec<Checked>,
    pub operations: Vec<OperationLine>,
    /// By `workflow id/run id`, in the JSON that Temporal's tools load.
    pub histories: BTreeMap<String, serde_json::Value>,
}

impl RunReport {
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }

    /// The invariant that names the verdict.
    pub fn invariant(&self) -> Option<&str> {
        self.violations.first().map(|violation| violation.invariant.name())
    }

    /// The line a script reads: the last of a passing run, the last but one of a failing one.
    pub fn verdict_line(&self) -> String {
        let (scenario, seed, trace) = (&self.request.scenario, self.request.seed, &self.trace_hash);
        match self.invariant() {
            None => format!(
                "ok {scenario} seed={seed} trace={trace} workflows={} faults={} virtual={}.{:03} wall={}.{:03}",
                self.workflows,
                self.faults,
                self.virtual_ms / 1000,
                self.virtual_ms % 1000,
                self.wall_ms / 1000,
                self.wall_ms % 1000,
            ),
            Some(invariant) => format!("FAILED {invariant} seed={seed} trace={trace}"),
        }
    }

    /// The one object that `--json` prints.
    pub fn summary(&self, artifact: Option<&str>) -> serde_json::Value {
        serde_json::json!({
            "scenario": self.request.scenario,
            "seed": self.request.seed,
            "world": "lockstep",
            "verdict": if self.holds() { "ok" } else { "failed" },
            "violations": self.violations,
            "trace_hash": self.trace_hash,
            "workflows": self.workflows,
            "faults": self.faults,
            "ownership": self.ownership,
            "probes": self.probes,
            "virtual_ms": self.virtual_ms,
            "wall_ms": self.wall_ms,
            "artifact": artifact,
        })
    }
}
