//! `tempest keep`: a failed run becomes a regression.
use anyhow::Context;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use tempest::explore::{Artifact, Regression};

#[derive(Args)]
pub struct KeepCommand {
    /// What a failed run has written.
    artifact: PathBuf,
    /// Where to write it, a planted bug left out: scenarios/catalog/regression/NAME.toml is run by the tests.
    file: PathBuf,
    /// What was wrong and what was learnt from it.
    #[arg(long)]
    lesson: String,
}

impl KeepCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let file = self.file.display();
        anyhow::ensure!(self.file.extension().is_some_and(|end| end == "toml"), "{file}: name a regression NAME.toml");
        anyhow::ensure!(!self.lesson.trim().is_empty(), "--lesson is empty: say what was wrong and what was learnt");
        let artifact = Artifact::read(&self.artifact)?;
        let regression = Regression::of(&artifact, self.lesson);
        let text = regression.to_toml()?;
        let mut kept = std::fs::File::create_new(&self.file).with_context(|| format!("cannot write {file}"))?;
        kept.write_all(text.as_bytes()).with_context(|| format!("cannot write {file}"))?;
        let without = match &artifact.plant {
            Some(plant) => format!(", without the planted bug {plant}: it is to hold"),
            None => String::new(),
        };
        println!("kept as {file}{without}\nrun it: tempest replay '{file}'");
        Ok(ExitCode::SUCCESS)
    }
}
