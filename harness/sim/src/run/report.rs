//! What one run came to.
use std::collections::BTreeMap;
use tempest_artifact::{
    Checked, Drawn, Event, FaultPlan, Operation, Ownership, Phase, Reach, Repeats, RunRequest, Summary, TimelineEntry,
    Verdict, Violation,
};

/// A run, judged.
#[derive(Clone, Debug)]
pub struct RunReport {
    pub request: RunRequest,
    /// The program that was run, if it was one.
    pub program: Option<String>,
    pub options: Vec<Drawn>,
    pub plan: FaultPlan,
    pub timeline: Vec<TimelineEntry>,
    pub violations: Vec<Violation>,
    pub trace_hash: String,
    /// Runs of workflows in the store.
    pub workflows: u64,
    /// Runs by outcome.
    pub outcomes: BTreeMap<String, u64>,
    pub ownership: Ownership,
    /// Faults that really began.
    pub faults: u64,
    pub probes: BTreeMap<String, u64>,
    /// Which user code was executed more than once.
    pub repeats: Repeats,
    /// What of the API was touched.
    pub reach: Reach,
    pub commits: u64,
    pub scheduling_points: u64,
    pub virtual_ms: u64,
    pub wall_ms: u64,
    pub phases: Vec<Phase>,
    pub checks: Vec<Checked>,
    pub operations: Vec<Operation>,
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

    fn kinds_that_began(&self) -> impl Iterator<Item = &str> {
        self.timeline.iter().filter_map(|entry| match &entry.event {
            Event::FaultBegan { fault } => self.plan.0.get(*fault).map(|planned| planned.fault.name()),
            _ => None,
        })
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
    pub fn summary(&self, artifact: Option<&str>) -> Summary {
        Summary {
            scenario: self.request.scenario.clone(),
            seed: self.request.seed,
            world: self.request.world.to_string(),
            verdict: if self.holds() { Verdict::Held } else { Verdict::Violated },
            violations: self.violations.clone(),
            trace_hash: self.trace_hash.clone(),
            workflows: self.workflows,
            faults: self.faults,
            ownership: self.ownership.clone(),
            probes: self.probes.clone(),
            fault_kinds: counted(self.kinds_that_began()),
            calls: counted(self.operations.iter().map(|operation| operation.rpc.as_str())),
            repeats: self.repeats.clone(),
            reach: self.reach.clone(),
            virtual_ms: self.virtual_ms,
            wall_ms: self.wall_ms,
            artifact: artifact.map(str::to_owned),
        }
    }
}

/// How often each name comes.
fn counted<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}
