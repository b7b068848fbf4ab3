//! `TEMPEST_SHRINK=ARTIFACT cargo test NAME`: the failed run of a test becomes smaller, and a test of its own.
use super::{OUT, REQUEST, TestCase, jobs, page_path, write_page};
use crate::campaign::{ShrinkError, TrialSettings, Trials, Watcher, as_test, shrink, target};
use crate::draw::Seed;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tempest_artifact::Artifact;

/// Smaller runs that are tried at most.
const TRIES_MAX: u64 = 500;
/// A smaller run that takes longer is no smaller run.
const RUN_LIMIT: Duration = Duration::from_secs(300);

/// Shrinks the artifact if it is one of this test; other tests of the binary are not concerned.
pub(super) fn perform(test: &TestCase, file: &Path) {
    let artifact = Artifact::read(file).unwrap_or_else(|error| panic!("{error}"));
    if artifact.scenario != test.path {
        return;
    }
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let out = file.with_file_name(format!("{stem}-shrunk.json"));
    if let Err(error) = to(test, &artifact, &out) {
        panic!("{} is not shrunk: {error}", file.display());
    }
}

fn to(test: &TestCase, artifact: &Artifact, out: &Path) -> Result<(), ShrinkError> {
    let scratch = std::env::temp_dir().join(format!("tempest-shrink-{}", std::process::id()));
    let command = |request: &Path, directory: &Path| {
        let mut command = test.process(Seed(artifact.seed));
        command.env(REQUEST, request).env(OUT, directory);
        command
    };
    let interrupted = AtomicBool::new(false);
    let settings = TrialSettings {
        command: &command,
        scratch: scratch.clone(),
        invariant: target(artifact)?,
        jobs: jobs(),
        tries_max: TRIES_MAX,
        deadline: None,
        run_limit: RUN_LIMIT,
        interrupted: &interrupted,
    };
    let kept = Kept(out.to_owned());
    let shrunk = shrink(artifact, &mut Trials::new(settings, &kept));
    let _ = std::fs::remove_dir_all(&scratch);
    let shrunk = shrunk?;
    let pages = write_page(out).map(|()| format!("page:      {}\n", page_path(out).display())).unwrap_or_default();
    let (before, after) = (artifact.plan.0.len(), shrunk.best.plan.0.len());
    println!("{} runs tried, {before} faults before, {after} now\nartifact:  {}\n{pages}", shrunk.tries, out.display());
    println!("// `storm()` is what the test returns, as a function of its own\n{}", as_test(&shrunk.best));
    Ok(())
}

/// The file in which the smallest run so far is.
struct Kept(PathBuf);

impl Watcher for Kept {
    fn tried(&self, _tries: u64) {}

    fn better(&self, artifact: &Artifact) -> Result<(), ShrinkError> {
        artifact.moved_to(&self.0).replace(&self.0)?;
        let (faults, runs) = (artifact.plan.0.len(), artifact.workflows);
        let _ = writeln!(std::io::stderr(), "fails with {faults} faults and {runs} runs of workflows");
        Ok(())
    }
}
