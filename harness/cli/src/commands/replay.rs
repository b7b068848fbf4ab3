//! `tempest replay`: the run of an artifact or of a regression, once more.
use super::run::How;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use tempest::explore::{Artifact, Regression};

/// The trace is not the one that the artifact has.
const EXIT_NOT_DETERMINISTIC: i32 = 3;

#[derive(Args)]
pub struct ReplayCommand {
    /// What a failed run has written (.json), or a regression (.toml).
    file: PathBuf,
    #[command(flatten)]
    how: How,
}

impl ReplayCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        if self.file.extension().is_some_and(|extension| extension == "toml") {
            let regression = Regression::read(&self.file)?;
            self.how.tell(&format!("{}\n\n", regression.lesson.trim()));
            let report = self.how.perform(regression.request)?;
            return self.how.conclude(&report, i32::from(!report.holds()), &self.name());
        }
        let artifact = Artifact::read(&self.file)?;
        let report = self.how.perform(artifact.repetition())?;
        let status = if report.trace_hash != artifact.trace_hash {
            eprintln!(
                "not the same run: the artifact has trace {}, this is {}",
                artifact.trace_hash, report.trace_hash
            );
            EXIT_NOT_DETERMINISTIC
        } else {
            self.how.tell("same run: the trace equals the artifact's\n");
            i32::from(!report.holds())
        };
        self.how.conclude(&report, status, &self.name())
    }

    /// What a repetition leaves never takes the place of what it repeats.
    fn name(&self) -> String {
        format!("{}-replay", self.file.file_stem().unwrap_or_default().to_string_lossy())
    }
}
