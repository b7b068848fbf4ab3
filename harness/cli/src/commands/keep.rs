//! `tempest keep`: a failed run becomes a regression.
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use tempest::explore::{Artifact, Regression};

#[derive(Args)]
pub struct KeepCommand {
    /// What a failed run has written.
    artifact: PathBuf,
    /// Where to write it: scenarios/catalog/regression/NAME.toml is run by the tests.
    file: PathBuf,
    /// What was wrong and what was learnt from it.
    #[arg(long)]
    lesson: String,
}

impl KeepCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let regression = Regression::of(&Artifact::read(&self.artifact)?, self.lesson);
        std::fs::write(&self.file, regression.to_toml()?)
            .with_context(|| format!("cannot write {}", self.file.display()))?;
        println!("kept as {}; again: tempest replay {0}", self.file.display());
        Ok(ExitCode::SUCCESS)
    }
}
