//! What `#[tempest::test]` expands to: the test executes its own binary once per seed, with just that test in it.
mod one_run;
mod progress;
mod shrinking;

use super::{Campaign, CampaignEnd, PlannedRun, SeedEnd, Twice, explore};
use crate::draw::{Seed, SeedRange};
use crate::run::prepare;
use crate::scenario::Storm;
use progress::Progress;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tempest_artifact::{Repeats, RunRequest, Settings, WorldKind};

/// Tells the test binary that it is one run; its value is the seed.
const RUN: &str = "TEMPEST_RUN_IN_TEST";
/// Tells such a run the file with its request, in place of what follows from its seed.
const REQUEST: &str = "TEMPEST_REQUEST";
/// The seed or range of seeds to try in place of the test's own.
const SEED: &str = "TEMPEST_SEED";
/// Options in place of those that would be drawn, as `--set` of the command line: `nodes=1,faults=3`.
const SET: &str = "TEMPEST_SET";
/// Seeds that run at the same time; as many as there are processors if it is not set.
const JOBS: &str = "TEMPEST_JOBS";
/// Where artifacts of failed runs go, by default a directory among the temporary files.
const OUT: &str = "TEMPEST_OUT";
/// The artifact of a failed run of a test, which is then shrunk.
const SHRINK: &str = "TEMPEST_SHRINK";

/// Far longer than any run takes; one that does not end is no reason for a test not to.
const RUN_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Tests of one binary take turns, since each uses all processors.
static TURN: Mutex<()> = Mutex::new(());

/// One test as the macro sees it.
pub struct TestCase {
    /// Path of the test within its crate, as libtest names it.
    pub path: &'static str,
    /// The first seed.
    pub first: u64,
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
            one_run::perform(self, seed.parse().expect("the parent process wrote a seed"));
        }
        let settings = settings();
        self.check(&settings);
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(artifact) = std::env::var_os(SHRINK) {
            return shrinking::perform(self, Path::new(&artifact));
        }
        let range = self.range();
        let campaign = Campaign {
            runs: range.seeds().map(|seed| self.planned(seed)).collect(),
            jobs: jobs(),
            time_limit: None,
            run_limit: Some(RUN_LIMIT),
            twice: Twice::Sample,
        };
        let progress = Progress::begin(self.path, range.count());
        let end = explore(&campaign, |run| self.process(run.seed), |end| progress.ended(end));
        let end = end.expect("a test can start its own binary");
        progress.finish(&repeats(&end));
        drop(turn);
        let failed: Vec<String> =
            end.ends.iter().filter(|end| !end.held()).map(|end| describe(self.path, &settings, end)).collect();
        assert!(failed.is_empty(), "{} of {} seeds failed\n\n{}", failed.len(), range.count(), failed.join("\n\n"));
    }

    /// What no run would take is said once, before the first.
    fn check(&self, settings: &Settings) {
        let scenario = self.path.to_owned();
        let request = RunRequest { scenario, seed: self.first, settings: settings.clone(), ..RunRequest::default() };
        if let Err(error) = prepare(&(self.storm)(), request) {
            panic!("{error}");
        }
    }

    fn range(&self) -> SeedRange {
        match std::env::var(SEED) {
            // One seed, not so many seeds.
            Ok(text) => match text.parse::<u64>() {
                Ok(seed) => SeedRange { first: seed, end: seed.saturating_add(1) },
                Err(_) => text.parse().unwrap_or_else(|error| panic!("{SEED}: {error}")),
            },
            Err(_) => SeedRange { first: self.first, end: self.first.saturating_add(self.seeds.max(1)) },
        }
    }

    fn planned(&self, seed: Seed) -> PlannedRun {
        PlannedRun { scenario: self.path.to_owned(), world: WorldKind::default(), seed }
    }

    /// The process of one run of this test.
    fn process(&self, seed: Seed) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("a running test has a file"));
        command.args([self.path, "--exact", "--nocapture", "--test-threads=1"]).env(RUN, seed.to_string());
        command
    }
}

/// What all runs together executed more than once.
fn repeats(end: &CampaignEnd) -> Repeats {
    let mut all = Repeats::default();
    let of_run = |end: &SeedEnd| serde_json::from_value(end.summary.as_ref()?.get("repeats")?.clone()).ok();
    end.ends.iter().filter_map(of_run).for_each(|repeats| all.add(&repeats));
    all
}

/// What `TEMPEST_SET` says.
fn settings() -> Settings {
    let mut settings = Settings::default();
    let text = std::env::var(SET).unwrap_or_default();
    for setting in text.split(',').filter(|setting| !setting.trim().is_empty()) {
        settings.add(setting).unwrap_or_else(|error| panic!("{SET}: {error}"));
    }
    settings
}

fn jobs() -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    match std::env::var(JOBS) {
        Ok(text) => text.trim().parse().unwrap_or_else(|_| panic!("{JOBS}: {text:?} is no number of runs")),
        Err(_) => processors(),
    }
}

fn artifact_path(path: &str, seed: u64) -> PathBuf {
    let directory = std::env::var_os(OUT).map_or_else(|| std::env::temp_dir().join("tempest"), PathBuf::from);
    directory.join(format!("{}-{seed}.json", path.replace("::", "-")))
}

/// The page of an artifact.
fn page_path(artifact: &Path) -> PathBuf {
    artifact.with_extension("html")
}

/// Writes the page of an artifact beside it.
fn write_page(artifact: &Path) -> Result<(), String> {
    let run = tempest_reports::load_file(artifact).map_err(|error| error.to_string())?;
    std::fs::write(page_path(artifact), tempest_reports::run_page(&run)).map_err(|error| error.to_string())
}

fn describe(path: &str, settings: &Settings, end: &SeedEnd) -> String {
    let name = path.rsplit("::").next().unwrap_or(path);
    let why = end.failure().unwrap_or_default();
    let artifact = end.summary.as_ref().and_then(|summary| summary.get("artifact")?.as_str());
    let mut text = format!("FAILED {why} seed={}\n{}artifact:  {}\n", end.seed, end.said, artifact.unwrap_or("none"));
    if let Some(page) = artifact.map(|artifact| page_path(Path::new(artifact))).filter(|page| page.exists()) {
        text += &format!("page:      {}\n", page.display());
    }
    text += &format!("reproduce: {}", again(path, settings, end.seed));
    if let Some(artifact) = artifact {
        text += &format!("\nshrink:    {SHRINK}={artifact} cargo test {name} -- --nocapture");
    }
    text
}

/// The command that runs this seed of a test alone.
fn again(path: &str, settings: &Settings, seed: u64) -> String {
    let name = path.rsplit("::").next().unwrap_or(path);
    let set: Vec<String> = settings.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let set = if set.is_empty() { String::new() } else { format!("{SET}={} ", set.join(",")) };
    format!("{set}{SEED}={seed} cargo test {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_how_to_see_it_again() {
        let summary = serde_json::json!({ "artifact": "/nowhere/pays-7.json" });
        let end = SeedEnd {
            scenario: "orders::pays".to_owned(),
            world: WorldKind::default(),
            seed: 7,
            status: Some(1),
            summary: Some(summary),
            said: "model: paid twice\n".to_owned(),
            too_long: false,
            wall_ms: 5,
        };
        let settings = Settings([("nodes".to_owned(), 1), ("faults".to_owned(), 3)].into());
        assert_eq!(
            describe("orders::pays", &settings, &end),
            "FAILED no verdict seed=7\nmodel: paid twice\nartifact:  /nowhere/pays-7.json\n\
             reproduce: TEMPEST_SET=faults=3,nodes=1 TEMPEST_SEED=7 cargo test pays\n\
             shrink:    TEMPEST_SHRINK=/nowhere/pays-7.json cargo test pays -- --nocapture"
        );
    }
}
