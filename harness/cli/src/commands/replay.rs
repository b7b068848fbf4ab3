//! `tempest replay`: the run of an artifact, once more.
use super::run::How;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use tempest::explore::Artifact;

/// The trace is not the one that the artifact has.
const EXIT_NOT_DETERMINISTIC: i32 = 3;

#[derive(Args)]
pub struct ReplayCommand {
    /// What a failed run has written.
    artifact: PathBuf,
    #[command(flatten)]
    how: How,
}

impl ReplayCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let artifact = Artifact::read(&self.artifact)?;
        let report = self.how.perform(artifact.repetition())?;
        let status = if report.trace_hash != artifact.trace_hash {
            eprintln!(
                "not the same run: the artifact has trace {}, this is {}",
                artifact.trace_hash, report.trace_hash
            );
            EXIT_NOT_DETERMINISTIC
        } else {
            i32::from(!report.holds())
        };
        self.how.conclude(&report, status)
    }
}
