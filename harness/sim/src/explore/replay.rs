//! A run from an artifact, once more.
use super::{Artifact, RunError, RunReport, RunSettings, run};
use crate::scenario::Scenario;

/// What a repetition came to.
pub struct Replayed {
    pub report: RunReport,
    /// Whether the trace is the one of the artifact.
    pub same_trace: bool,
}

/// Runs what an artifact describes, with its own fault plan, and compares.
///
/// # Errors
/// As [`run`].
pub fn replay(scenario: &dyn Scenario, artifact: &Artifact, settings: &RunSettings) -> Result<Replayed, RunError> {
    let mut request = artifact.request.clone();
    // The plan as it was, not as this version of the harness would draw it.
    request.plan = Some(artifact.faults.clone());
    let report = run(scenario, request, settings)?;
    let same_trace = report.trace_hash == artifact.trace_hash;
    Ok(Replayed { report, same_trace })
}
