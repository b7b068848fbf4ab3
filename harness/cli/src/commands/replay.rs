//! `tempest replay`: the run of an artifact or of a regression, once more.
use super::run::{How, Leave};
use clap::Args;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tempest::Violation;
use tempest::campaign::Regression;
use tempest::run::{Artifact, RunReport};

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
        let name = name(&self.file);
        if self.file.extension().is_some_and(|extension| extension == "toml") {
            let regression = Regression::read(&self.file)?;
            // Before anything is said: another build would say it once more.
            super::builds::enter(self.how.world_of(&regression.request))?;
            self.how.tell(&format!("{}\n\n", regression.lesson.trim()));
            let report = self.how.perform(regression.request.clone())?;
            let lacking = regression.lacking(&report);
            for what in &lacking {
                self.how.tell(&format!("bites no more: {what}\n"));
            }
            let failed = !report.holds() || !lacking.is_empty();
            return self.how.conclude(&report, i32::from(failed), &Leave::Artifact(name));
        }
        let artifact = Artifact::read(&self.file)?;
        let report = self.how.perform(artifact.repetition())?;
        let (status, leave) = match Repetition::of(&artifact, &report) {
            Repetition::Reproduced => {
                self.how.tell("reproduced: the same run, trace and verdict equal the artifact's\n");
                (i32::from(!report.holds()), Leave::Known(self.file))
            }
            Repetition::JudgedOtherwise => {
                let (then, now) = (violated(&artifact.violations), violated(&report.violations));
                self.how.tell(&format!(
                    "same run, judged otherwise: the artifact has {}, this tempest finds {}\n",
                    listed(&then),
                    listed(&now)
                ));
                (i32::from(!report.holds()), Leave::Artifact(name))
            }
            Repetition::AnotherRun => {
                eprintln!(
                    "not the same run: the artifact has trace {}, this is {}",
                    artifact.trace_hash, report.trace_hash
                );
                (EXIT_NOT_DETERMINISTIC, Leave::Artifact(name))
            }
        };
        self.how.conclude(&report, status, &leave)
    }
}

/// What a repetition came to.
#[derive(Debug, PartialEq, Eq)]
enum Repetition {
    /// Whatever it would leave is in the artifact.
    Reproduced,
    JudgedOtherwise,
    AnotherRun,
}

impl Repetition {
    fn of(artifact: &Artifact, report: &RunReport) -> Self {
        if report.trace_hash != artifact.trace_hash {
            Self::AnotherRun
        } else if violated(&report.violations) != violated(&artifact.violations) {
            Self::JudgedOtherwise
        } else {
            Self::Reproduced
        }
    }
}

fn violated(violations: &[Violation]) -> BTreeSet<&str> {
    violations.iter().map(|violation| violation.invariant.name()).collect()
}

fn listed(invariants: &BTreeSet<&str>) -> String {
    if invariants.is_empty() {
        return "nothing violated".to_owned();
    }
    let names: Vec<&str> = invariants.iter().copied().collect();
    format!("{} violated", names.join(", "))
}

const REPETITION: &str = "-replay";
/// Of a repetition of a repetition.
const OTHER_REPETITION: &str = "-replay-2";

/// What a repetition leaves, without directory and extension: never in the place of what it repeats, and by a name that does
/// not grow however often repetitions are repeated.
fn name(repeated: &Path) -> String {
    let stem = repeated.file_stem().unwrap_or_default().to_string_lossy();
    let mut run: &str = &stem;
    while let Some(shorter) = [REPETITION, OTHER_REPETITION].iter().find_map(|suffix| run.strip_suffix(*suffix)) {
        run = shorter;
    }
    let taken = stem == format!("{run}{REPETITION}");
    format!("{run}{}", if taken { OTHER_REPETITION } else { REPETITION })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_repetitions_do_not_grow() {
        for (repeated, left) in [
            ("out/saga-1.json", "saga-1-replay"),
            ("saga-1.toml", "saga-1-replay"),
            ("out/saga-1-replay.json", "saga-1-replay-2"),
            ("out/saga-1-replay-2.json", "saga-1-replay"),
            ("out/saga-1-replay-replay-replay.json", "saga-1-replay"),
        ] {
            assert_eq!(name(Path::new(repeated)), left, "{repeated}");
        }
    }
}
