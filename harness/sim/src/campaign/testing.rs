//! What `#[tempest::test]` expands to: the test executes its own binary once per seed, with just that test in it.
use super::{Campaign, OwnCore, SeedEnd, explore};
use crate::draw::{Seed, SeedRange};
use crate::run::{RunSettings, run};
use crate::scenario::Storm;
use std::path::PathBuf;
use std::process::Command;
use tempest_artifact::{RunRequest, Settings};

/// Tells the test binary that it is one run; its value is the seed.
const RUN: &str = "TEMPEST_RUN_IN_TEST";
/// The seed or range of seeds to try in place of the test's own.
const SEED: &str = "TEMPEST_SEED";
/// Where artifacts of failed runs go, by default beside other build output.
const OUT: &str = "TEMPEST_OUT";

/// One test as the macro sees it.
pub struct TestCase {
    /// Path of the test within its crate, as libtest names it.
    pub path: &'static str,
    pub seeds: u64,
    pub storm: fn() -> Storm,
}

impl TestCase {
    /// Runs all seeds, or, in a process made for it, one.
    ///
    /// # Panics
    /// If a run does not hold: that is how a test fails.
    pub fn run(&self) {
        if let Ok(seed) = std::env::var(RUN) {
            self.one(seed.parse().expect("the parent process wrote a seed"));
        }
        let range = match std::env::var(SEED) {
            // One seed, not so many seeds.
            Ok(text) => match text.parse::<u64>() {
                Ok(seed) => SeedRange { first: seed, end: seed.saturating_add(1) },
                Err(_) => text.parse().unwrap_or_else(|error| panic!("{SEED}: {error}")),
            },
            Err(_) => SeedRange { first: 1, end: self.seeds.max(1) + 1 },
        };
        let campaign = Campaign {
            runs: range.seeds().map(|seed| (self.path.to_owned(), seed)).collect(),
            jobs: 1,
            time_limit: None,
            twice: false,
        };
        let executable = std::env::current_exe().expect("a running test has a file");
        let command = |path: &str, seed: Seed| {
            let mut command = Command::new(&executable);
            command.args([path, "--exact", "--nocapture", "--test-threads=1"]).env(RUN, seed.to_string());
            command
        };
        let end = explore(&campaign, command, |_| {}).expect("a test can start its own binary");
        let failed: Vec<String> = end.ends.iter().filter(|end| !end.held()).map(describe(self.path)).collect();
        assert!(failed.is_empty(), "{} of {} seeds failed\n\n{}", failed.len(), range.count(), failed.join("\n\n"));
    }

    /// One seed, in this process, which ends with it.
    fn one(&self, seed: u64) -> ! {
        let scenario = (self.storm)().named(self.path);
        let request =
            RunRequest { scenario: self.path.to_owned(), seed, settings: Settings::default(), ..RunRequest::default() };
        let core = OwnCore::claim();
        let pin_to_core = core.as_ref().map(|core| core.number);
        let settings = RunSettings { pin_to_core, ..RunSettings::default() };
        let report = match run(&scenario, request, &settings) {
            Ok(report) => report,
            Err(error) => {
                eprintln!("{error}");
                std::process::exit(2);
            }
        };
        let artifact = (!report.holds()).then(|| {
            let file = artifact_path(self.path, seed);
            let written = report.artifact(&file).write(&file);
            written.map_or_else(|error| error.to_string(), |()| file.display().to_string())
        });
        for violation in &report.violations {
            eprintln!("{}: {}", violation.invariant, violation.what);
            violation.evidence.iter().for_each(|line| eprintln!("    {line}"));
        }
        let summary = report.summary(artifact.as_deref());
        println!("\n{}", serde_json::to_string(&summary).expect("a summary is plain data"));
        std::process::exit(i32::from(!report.holds()));
    }
}

fn artifact_path(path: &str, seed: u64) -> PathBuf {
    let directory = std::env::var_os(OUT).map_or_else(|| std::env::temp_dir().join("tempest"), PathBuf::from);
    directory.join(format!("{}-{seed}.json", path.replace("::", "-")))
}

fn describe(path: &'static str) -> impl Fn(&SeedEnd) -> String {
    move |end| {
        let name = path.rsplit("::").next().unwrap_or(path);
        let why = end.failure().unwrap_or_default();
        let artifact = end.summary.as_ref().and_then(|summary| summary.get("artifact")?.as_str()).unwrap_or("none");
        format!(
            "FAILED {why} seed={}\n{}artifact: {artifact}\nreproduce: {SEED}={} cargo test {name}",
            end.seed, end.said, end.seed
        )
    }
}
