//! One run, as its artifact tells it, and what follows from that: which faults happened and until when, what became of
//! each host. Times are virtual and in milliseconds.
mod effects;
mod happened;
mod hosts;

pub(crate) use effects::describe;
pub(crate) use happened::Happened;
pub(crate) use hosts::{HostLane, Mark, Span, State};

use tempest_artifact::{Artifact, Checked, Verdict, Violation};

/// One simulated universe: what was drawn, what happened, what was found.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// What the harness wrote. Of a run of which there is only a summary, lists are empty.
    pub artifact: Artifact,
    /// Where the artifact was read from, relative to the directory of the report.
    pub source: Option<String>,
    /// Where this run's own page is, relative to the campaign page.
    pub page: Option<String>,
}

impl From<Artifact> for Run {
    fn from(artifact: Artifact) -> Run {
        Run { artifact, source: None, page: None }
    }
}

impl Run {
    /// The invariant that failed first, if one did.
    pub fn first_violation(&self) -> Option<&Violation> {
        self.artifact.violations.first()
    }

    pub fn failed(&self) -> bool {
        self.artifact.verdict != Verdict::Held || !self.artifact.violations.is_empty()
    }

    /// Whether more is known than a summary tells.
    pub fn is_whole(&self) -> bool {
        !self.artifact.options.is_empty() || !self.artifact.operations.is_empty()
    }

    /// The end of the picture: the latest moment that anything in the artifact names.
    pub fn end_ms(&self) -> u64 {
        let artifact = &self.artifact;
        let phases = artifact.phases.iter().map(|phase| phase.to_ms);
        let events = artifact.timeline.iter().map(|entry| entry.at_ms);
        let operations =
            artifact.operations.iter().map(|operation| operation.completed_ms.unwrap_or(operation.invoked_ms));
        let violations = artifact.violations.iter().filter_map(|violation| violation.at_ms);
        let leases = artifact.ownership.leases.iter().map(|lease| lease.to_ms);
        let failovers = artifact.ownership.failovers.iter().map(|failover| failover.at_ms);
        let all = phases.chain(events).chain(operations).chain(violations).chain(leases).chain(failovers);
        all.fold(artifact.virtual_ms, u64::max)
    }

    /// What was judged, and what was violated without having been listed among the checks.
    pub fn judged(&self) -> Vec<Checked> {
        let mut checks = self.artifact.checks.clone();
        for violation in &self.artifact.violations {
            if !checks.iter().any(|check| check.invariant == violation.invariant) {
                let found = self.artifact.violations.iter().filter(|other| other.invariant == violation.invariant);
                checks.push(Checked {
                    invariant: violation.invariant,
                    judged: true,
                    violations: found.count() as u64,
                    checked: None,
                    note: String::new(),
                });
            }
        }
        checks
    }

    /// The command that repeats the run: the artifact's own, or the one that its scenario and seed make.
    pub fn reproduce_command(&self) -> String {
        let Artifact { reproduce, scenario, seed, plant, .. } = &self.artifact;
        if !reproduce.is_empty() {
            return reproduce.clone();
        }
        let plant = plant.as_ref().map(|plant| format!(" --plant {plant}")).unwrap_or_default();
        format!("tempest run {scenario} --seed {seed}{plant}")
    }

    /// Whether the history of this key, `workflow id/run id`, is of a run that the violation is about.
    pub(crate) fn concerns(violation: &Violation, key: &str) -> bool {
        let (workflow_id, run_id) = key.rsplit_once('/').unwrap_or((key, ""));
        violation.about.iter().any(|about| about.means(workflow_id, run_id))
    }
}
