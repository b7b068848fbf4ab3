//! The artifact: everything needed to repeat a run and to understand it, as versioned JSON.
use super::{Drawn, Ownership, RunReport, RunRequest};
use crate::check::{OperationLine, Violation};
use crate::fault::{FaultPlan, TimelineEntry};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rises when an older reader could not make sense of what is written.
pub const ARTIFACT_VERSION: u32 = 1;

/// How often an invariant was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    pub invariant: String,
    pub violations: u64,
    /// How many calls, commits or events were looked at, where they are counted.
    #[serde(default)]
    pub checked: Option<u64>,
    /// What was looked at, in words.
    pub note: String,
}

/// A part of a run, in virtual milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    pub name: String,
    pub from_ms: u64,
    pub to_ms: u64,
}

/// A run on disk. Field names are those that reports read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Artifact {
    pub version: u32,
    pub scenario: String,
    pub seed: u64,
    pub world: String,
    pub plant: Option<String>,
    pub verdict: String,
    pub violations: Vec<Violation>,
    pub trace_hash: String,
    pub workflows: u64,
    pub options: Vec<Drawn>,
    /// The fault plan.
    pub faults: FaultPlan,
    pub probes: BTreeMap<String, u64>,
    #[serde(default)]
    pub ownership: Ownership,
    pub checks: Vec<Checked>,
    pub phases: Vec<Phase>,
    pub timeline: Vec<TimelineEntry>,
    pub operations: Vec<OperationLine>,
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

/// Why an artifact cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    #[error("cannot read {path}: {error}", path = path.display())]
    Read { path: PathBuf, error: std::io::Error },
    #[error("cannot write {path}: {error}", path = path.display())]
    Write { path: PathBuf, error: std::io::Error },
    #[error("{path} is no artifact of a run: {error}", path = path.display())]
    Malformed { path: PathBuf, error: serde_json::Error },
    #[error("{path} has version {found}, this tempest reads up to {ARTIFACT_VERSION}", path = path.display())]
    Version { path: PathBuf, found: u32 },
}

impl Artifact {
    /// Of a run; `file` is where it will be.
    pub fn of(report: &RunReport, file: &Path) -> Artifact {
        let request = report.request.clone();
        Artifact {
            version: ARTIFACT_VERSION,
            scenario: request.scenario.clone(),
            seed: request.seed,
            world: "lockstep".to_owned(),
            plant: request.plants.first().cloned(),
            verdict: if report.holds() { "held" } else { "violated" }.to_owned(),
            violations: report.violations.clone(),
            trace_hash: report.trace_hash.clone(),
            workflows: report.workflows,
            options: report.options.clone(),
            faults: report.plan.clone(),
            probes: report.probes.clone(),
            ownership: report.ownership.clone(),
            checks: report.checks.clone(),
            phases: report.phases.clone(),
            timeline: report.timeline.clone(),
            operations: report.operations.clone(),
            histories: report.histories.clone(),
            virtual_ms: report.virtual_ms,
            wall_ms: report.wall_ms,
            reproduce: request.command(Some(&file.display().to_string())),
            request,
            harness: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The request that repeats it: with its plan as it was, not as this version of the harness would draw it.
    pub fn repetition(&self) -> RunRequest {
        RunRequest { plan: Some(self.faults.clone()), ..self.request.clone() }
    }

    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ArtifactError> {
        let failed = |error| ArtifactError::Write { path: path.to_owned(), error };
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(failed)?;
        }
        let json = serde_json::to_vec_pretty(self).expect("an artifact is plain data");
        std::fs::write(path, json).map_err(failed)
    }

    /// # Errors
    /// It cannot be read, is no artifact, or one of a later version.
    pub fn read(path: &Path) -> Result<Artifact, ArtifactError> {
        let text = std::fs::read(path).map_err(|error| ArtifactError::Read { path: path.to_owned(), error })?;
        let malformed = |error| ArtifactError::Malformed { path: path.to_owned(), error };
        let value: serde_json::Value = serde_json::from_slice(&text).map_err(malformed)?;
        let found = value.get("version").and_then(serde_json::Value::as_u64).unwrap_or(0);
        if found > u64::from(ARTIFACT_VERSION) {
            let found = u32::try_from(found).unwrap_or(u32::MAX);
            return Err(ArtifactError::Version { path: path.to_owned(), found });
        }
        serde_json::from_value(value).map_err(malformed)
    }
}
