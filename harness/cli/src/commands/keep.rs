//! `tempest keep`: a failed run becomes a regression.
use anyhow::Context;
use clap::Args;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tempest::campaign::{Regression, can_be_seen};
use tempest::run::Artifact;

#[derive(Args)]
pub struct KeepCommand {
    /// What a failed run has written.
    artifact: PathBuf,
    /// Where to write it, a planted bug left out: scenarios/catalog/regression/NAME.toml is run by the tests.
    file: PathBuf,
    /// What was wrong and what was learnt from it.
    #[arg(long)]
    lesson: String,
    /// What must happen again, or the regression fails since it proves nothing any more: probe.NAME, fault.KIND, rpc.NAME.
    #[arg(long, value_name = "NAME")]
    again: Vec<String>,
    /// Words of lines of the timeline that must follow each other.
    #[arg(long, value_name = "WORDS")]
    in_order: Vec<String>,
}

impl KeepCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let file = self.file.display();
        anyhow::ensure!(self.file.extension().is_some_and(|end| end == "toml"), "{file}: name a regression NAME.toml");
        anyhow::ensure!(!self.lesson.trim().is_empty(), "--lesson is empty: say what was wrong and what was learnt");
        for name in &self.again {
            can_be_seen(name)?;
        }
        let artifact = Artifact::read(&self.artifact)?;
        let (again, in_order) = (self.again, self.in_order);
        let regression = Regression { again, in_order, ..Regression::of(&artifact, self.lesson) };
        let text = regression.to_toml()?;
        let mut kept = create(&self.file)?;
        kept.write_all(text.as_bytes()).with_context(|| format!("cannot write {file}"))?;
        let without = match &artifact.plant {
            Some(plant) => format!(", without the planted bug {plant}: it is to hold"),
            None => String::new(),
        };
        println!("kept as {file}{without}\nrun it: tempest replay '{file}'");
        Ok(ExitCode::SUCCESS)
    }
}

/// A new file. What is kept is kept: none is overwritten, and no directory is made, since a new one is mostly a slip.
fn create(file: &Path) -> anyhow::Result<File> {
    let name = file.display();
    File::create_new(file).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            anyhow::anyhow!(
                "{name} exists already: choose another name, or delete it first if its lesson is no longer needed"
            )
        }
        ErrorKind::NotFound => {
            let directory = file.parent().unwrap_or(Path::new("")).display();
            anyhow::anyhow!("{name} cannot be written, there is no directory {directory}: mkdir -p '{directory}'")
        }
        ErrorKind::PermissionDenied => {
            anyhow::anyhow!("{name} may not be written here: choose a directory that you may write to")
        }
        _ => anyhow::Error::new(error).context(format!("cannot write {name}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten_and_the_fix_is_named() {
        let directory = tempfile::tempdir().expect("there is a place for temporary files");
        let refusal = |name: &str| create(&directory.path().join(name)).err().map(|error| error.to_string());
        assert_eq!(refusal("kept.toml"), None);
        let again = refusal("kept.toml").expect("it is there");
        assert!(again.contains("kept.toml exists already: choose another name"), "{again}");
        let nowhere = refusal("regresion/kept.toml").expect("there is no such directory");
        assert!(nowhere.contains("mkdir -p '") && nowhere.ends_with("regresion'"), "{nowhere}");
    }
}
