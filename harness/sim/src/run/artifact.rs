//! The artifact of a run: its report, as everything that is needed to repeat and understand it.
use super::RunReport;
use std::path::Path;
use tempest_artifact::{ARTIFACT_VERSION, Artifact, RunRequest, Verdict};

impl RunReport {
    /// The artifact of this run; `file` is where it will be.
    pub fn artifact(&self, file: &Path) -> Artifact {
        // What draws programs changes: the one that was run is kept.
        let program = self.program.clone();
        let request = RunRequest { program, ..self.request.clone() };
        Artifact {
            version: ARTIFACT_VERSION,
            scenario: request.scenario.clone(),
            seed: request.seed,
            world: request.world.to_string(),
            plant: request.plants.first().cloned(),
            verdict: if self.holds() { Verdict::Held } else { Verdict::Violated },
            violations: self.violations.clone(),
            trace_hash: self.trace_hash.clone(),
            workflows: self.workflows,
            options: self.options.clone(),
            plan: self.plan.clone(),
            faults: self.faults,
            probes: self.probes.clone(),
            ownership: self.ownership.clone(),
            checks: self.checks.clone(),
            phases: self.phases.clone(),
            timeline: self.timeline.clone(),
            operations: self.operations.clone(),
            histories: self.histories.clone(),
            virtual_ms: self.virtual_ms,
            wall_ms: self.wall_ms,
            reproduce: self.request.command(Some(&file.display().to_string())),
            request,
            harness: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
