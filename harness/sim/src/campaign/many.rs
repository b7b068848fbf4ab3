//! Many runs: one process each, ended early when the time is over.
use super::process::{Finished, finish};
use crate::draw::Seed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};
use tempest_artifact::WorldKind;

/// What to explore.
pub struct Campaign {
    /// In the order in which they are begun.
    pub runs: Vec<PlannedRun>,
    /// Processes at a time; at least one.
    pub jobs: usize,
    /// No run is begun after this; those under way are ended.
    pub time_limit: Option<Duration>,
    /// A run that takes longer is ended and counts as failed.
    pub run_limit: Option<Duration>,
    /// Which runs are repeated in a second process, whose trace must be the same.
    pub twice: Twice,
}

/// Which runs of a campaign are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twice {
    Never,
    Each,
    /// The first, and then one in ten.
    Sample,
}

/// Of so many runs one is in the sample.
const SAMPLE: usize = 10;

impl Twice {
    fn is_for(self, position: usize) -> bool {
        match self {
            Twice::Never => false,
            Twice::Each => true,
            Twice::Sample => position.is_multiple_of(SAMPLE),
        }
    }
}

/// A run that is to be begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRun {
    /// Or what else the runs of a kind are called.
    pub scenario: String,
    pub world: WorldKind,
    pub seed: Seed,
}

/// How one run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedEnd {
    pub scenario: String,
    #[serde(default, skip_serializing_if = "WorldKind::is_default")]
    pub world: WorldKind,
    pub seed: u64,
    /// Exit status: 0 held, 1 violated, 2 did not run, 3 not deterministic, none if it was ended or died of a signal.
    pub status: Option<i32>,
    /// The object that the run printed.
    pub summary: Option<serde_json::Value>,
    /// What it said on standard error, if it did not hold.
    pub said: String,
    /// Whether it was ended because it took longer than a run may.
    #[serde(default)]
    pub too_long: bool,
    pub wall_ms: u64,
}

impl SeedEnd {
    pub fn held(&self) -> bool {
        self.status == Some(0)
    }

    /// The invariant that failed, or why there is no verdict.
    pub fn failure(&self) -> Option<String> {
        if self.held() {
            return None;
        }
        let violations = self.summary.as_ref().and_then(|summary| summary.get("violations"));
        let invariant = violations.and_then(|list| list.get(0)?.get("invariant")?.as_str().map(str::to_owned));
        Some(match self.status {
            _ if self.too_long => "took too long".to_owned(),
            Some(3) => "determinism".to_owned(),
            Some(_) => invariant.unwrap_or_else(|| "no verdict".to_owned()),
            None => "ended by a signal".to_owned(),
        })
    }
}

/// A whole campaign's end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CampaignEnd {
    pub ends: Vec<SeedEnd>,
    /// Runs that were not begun, or not ended, for lack of time.
    pub left_out: u64,
    pub wall_ms: u64,
}

impl CampaignEnd {
    pub fn held(&self) -> usize {
        self.ends.iter().filter(|end| end.held()).count()
    }

    /// Seeds by what failed.
    pub fn failures(&self) -> BTreeMap<String, Vec<u64>> {
        let mut failures: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for end in &self.ends {
            if let Some(failure) = end.failure() {
                failures.entry(failure).or_default().push(end.seed);
            }
        }
        failures
    }

    /// As a process would end: the worst of its runs.
    pub fn status(&self) -> i32 {
        let rank = |end: &SeedEnd| match end.status {
            Some(0) => 0,
            Some(3) => 3,
            Some(2) => 2,
            _ => 1,
        };
        let statuses: Vec<i32> = self.ends.iter().map(rank).collect();
        [3, 1, 2].into_iter().find(|status| statuses.contains(status)).unwrap_or(0)
    }
}

/// Why a campaign did not take place.
#[derive(Debug, thiserror::Error)]
pub enum ManyError {
    #[error("cannot start a process for a run: {0}")]
    Spawn(std::io::Error),
}

/// Runs all; `command` makes the process of one run, which prints its summary as one JSON object on standard output.
/// `ended` hears of each end as it comes.
///
/// # Errors
/// A process cannot be started.
pub fn explore(
    campaign: &Campaign,
    command: impl Fn(&PlannedRun) -> Command + Sync,
    mut ended: impl FnMut(&SeedEnd),
) -> Result<CampaignEnd, ManyError> {
    let began = Instant::now();
    let deadline = campaign.time_limit.map(|limit| began + limit);
    let todo = Mutex::new(campaign.runs.iter().enumerate());
    let give_up = AtomicBool::new(false);
    let mut end = CampaignEnd::default();
    std::thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for _ in 0..campaign.jobs.max(1) {
            let (sender, todo, give_up, command) = (sender.clone(), &todo, &give_up, &command);
            scope.spawn(move || {
                loop {
                    let over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
                    if over || give_up.load(Ordering::Relaxed) {
                        return;
                    }
                    let next = todo.lock().expect("no holder of this lock panics").next();
                    let Some((position, run)) = next else { return };
                    let twice = campaign.twice.is_for(position);
                    let result = one(campaign, run, twice, deadline, command);
                    if sender.send(result).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for result in results {
            match result {
                Ok(Some(seed)) => {
                    ended(&seed);
                    end.ends.push(seed);
                }
                Ok(None) => {}
                Err(error) => {
                    give_up.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(())
    })?;
    end.ends
        .sort_by(|one, other| (&one.scenario, one.world, one.seed).cmp(&(&other.scenario, other.world, other.seed)));
    end.left_out = (campaign.runs.len() - end.ends.len()) as u64;
    end.wall_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(end)
}

/// Nothing if the time was over first.
fn one(
    campaign: &Campaign,
    run: &PlannedRun,
    twice: bool,
    deadline: Option<Instant>,
    command: impl Fn(&PlannedRun) -> Command,
) -> Result<Option<SeedEnd>, ManyError> {
    let limits = Limits { deadline, run: campaign.run_limit };
    let Some(mut first) = process(command(run), run, limits)? else { return Ok(None) };
    if twice && first.held() {
        let Some(second) = process(command(run), run, limits)? else { return Ok(None) };
        let hash = |end: &SeedEnd| end.summary.as_ref().and_then(|summary| summary.get("trace_hash").cloned());
        if hash(&first) != hash(&second) {
            first.status = Some(3);
            if let Some(summary) = &mut first.summary {
                summary["verdict"] = "nondeterministic".into();
            }
            first.said = two_traces(&hash(&first), &hash(&second));
        }
    }
    Ok(Some(first))
}

/// What is said of a seed that did not take the same course twice.
fn two_traces(first: &Option<serde_json::Value>, second: &Option<serde_json::Value>) -> String {
    let text = |hash: &Option<serde_json::Value>| {
        hash.as_ref().and_then(serde_json::Value::as_str).unwrap_or("none").to_owned()
    };
    format!(
        "one seed, two traces: {} and {}\nsomething in the run depends on what the simulation does not control: an address, a \
         static that an earlier test has set, a thread of its own\n",
        text(first),
        text(second)
    )
}

/// When a run is ended before its own end.
#[derive(Clone, Copy)]
struct Limits {
    deadline: Option<Instant>,
    run: Option<Duration>,
}

fn process(command: Command, run: &PlannedRun, limits: Limits) -> Result<Option<SeedEnd>, ManyError> {
    let too_long = |ran: Duration| limits.run.is_some_and(|limit| ran >= limit);
    let over = || limits.deadline.is_some_and(|deadline| Instant::now() >= deadline);
    let finished = finish(command, &|ran| over() || too_long(ran)).map_err(ManyError::Spawn)?;
    let Finished { status, summary, said, wall } = finished;
    let wall_ms = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
    let (scenario, world, seed) = (run.scenario.clone(), run.world, run.seed.0);
    match status {
        Some(status) => {
            let said = if status.success() { String::new() } else { said };
            Ok(Some(SeedEnd { scenario, world, seed, status: status.code(), summary, said, too_long: false, wall_ms }))
        }
        None if too_long(wall) => {
            let said =
                format!("{said}ended after {}.{:03} s: a run may not take longer\n", wall_ms / 1000, wall_ms % 1000);
            Ok(Some(SeedEnd { scenario, world, seed, status: None, summary: None, said, too_long: true, wall_ms }))
        }
        None => Ok(None),
    }
}
