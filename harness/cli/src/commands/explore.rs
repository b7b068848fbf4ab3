//! `tempest explore`: many seeds, each in a process of its own.
use super::run::{known_plants, scenario};
use super::verdict::seconds;
use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;
use tempest::campaign::{Campaign, CampaignEnd, Coverage, GROUPS, PlannedRun, SeedEnd, Twice, can_be_seen, explore};
use tempest::draw::{Seed, SeedRange};
use tempest::run::{RunRequest, prepare};
use tempest_artifact::{Settings, Summary, WorldKind};

/// A time limit beyond this is a slip of the finger.
const TIME_LIMIT_SECONDS_MAX: u64 = 366 * 24 * 3600;
/// Lists of names are wrapped at it.
const WIDTH: usize = 100;
/// Far longer than any run takes, also one of a build without optimisation on a machine that is busy.
const RUN_LIMIT_DEFAULT: &str = "30m";

#[derive(Args)]
pub struct ExploreCommand {
    /// Names from `tempest scenarios`; order-saga if there are none.
    scenarios: Vec<String>,
    /// Runs each seed in each of these worlds: lockstep, turmoil, madsim.
    #[arg(long, value_name = "WORLD,...", value_delimiter = ',', default_value = "lockstep")]
    world: Vec<WorldKind>,
    /// How many seeds, from 1, or a range A..B without B.
    #[arg(long, default_value = "20")]
    seeds: SeedRange,
    /// Draws the seeds from this text, such as a date: another text is another campaign, the same one repeats it.
    #[arg(long, value_name = "ID")]
    campaign: Option<String>,
    /// Fails if no run has seen it: fault.NAME, probe.NAME, rpc.NAME, or a word alone for all of a kind.
    #[arg(long, value_name = "NAME")]
    require: Vec<String>,
    /// Writes what the runs have touched, and what they have not, as Markdown.
    #[arg(long, value_name = "FILE")]
    reach: Option<PathBuf>,
    /// Processes at a time; as many as there are processors if not given.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// Begins no run after this time, and ends those under way: 90s, 10m, 2h.
    #[arg(long, value_parser = parse_duration)]
    time_limit: Option<Duration>,
    /// Ends a run that takes longer, as a failed one: 90s, 10m, 2h.
    #[arg(long, value_parser = parse_duration, default_value = RUN_LIMIT_DEFAULT)]
    run_limit: Duration,
    /// Takes every N-th seed, K from 0: the seeds whose rest by N is K. For N machines that share a campaign.
    #[arg(long, value_name = "K/N", value_parser = parse_partition)]
    partition: Option<(u64, u64)>,
    /// Where artifacts of failed runs go.
    #[arg(long, value_name = "DIR", default_value = "tempest-out")]
    out: PathBuf,
    /// Runs each seed in two processes and compares the traces.
    #[arg(long)]
    twice: bool,
    /// Puts a bug from `tempest plants` into the server.
    #[arg(long, value_name = "BUG")]
    plant: Vec<String>,
    /// Sets an option for all runs.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// One JSON object on standard output; what people read goes to standard error.
    #[arg(long)]
    json: bool,
}

impl ExploreCommand {
    pub fn run(mut self) -> anyhow::Result<ExitCode> {
        if self.scenarios.is_empty() {
            self.scenarios.push("order-saga".to_owned());
        }
        for name in &self.scenarios {
            scenario(name)?;
        }
        known_plants(&self.plant)?;
        for name in &self.require {
            can_be_seen(name)?;
        }
        self.check_settings()?;
        let (runs, jobs, run_limit) = (self.runs(), jobs(self.jobs), Some(self.run_limit));
        if let Some(id) = &self.campaign {
            eprintln!("campaign {id}: {} runs; --campaign {id} repeats them", runs.len());
        }
        let twice = if self.twice { Twice::Each } else { Twice::Never };
        let campaign = Campaign { runs, jobs, time_limit: self.time_limit, run_limit, twice };
        let executables = super::builds::executables(&self.world)?;
        let command = |run: &PlannedRun| {
            let mut command = Command::new(&executables[&run.world]);
            command.args(["run", &run.scenario, "--world", run.world.name(), "--json"]);
            command.args(["--seed", &run.seed.to_string(), "--out"]).arg(&self.out);
            for plant in &self.plant {
                command.args(["--plant", plant]);
            }
            for setting in &self.set {
                command.args(["--set", setting]);
            }
            command
        };
        let end = shown(&campaign, command)?;
        std::fs::create_dir_all(&self.out)?;
        std::fs::write(self.out.join("campaign.jsonl"), summaries(&end))?;
        let coverage = Coverage::of(&end.ends);
        if let Some(file) = &self.reach {
            let text = super::reach::page(&coverage, end.ends.len());
            std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))?;
        }
        if self.json {
            println!("{}", self.object(&end, &coverage));
        } else {
            print!("{}", self.table(&end, &coverage));
        }
        Ok(ExitCode::from(u8::try_from(self.status(&end, &coverage)).unwrap_or(1)))
    }

    /// All runs, in the order in which they are begun.
    fn runs(&self) -> Vec<PlannedRun> {
        let mine = |number: &Seed| self.partition.is_none_or(|partition| belongs(*number, partition));
        let seed = |number: Seed| self.campaign.as_ref().map_or(number, |id| Seed::of_campaign(id, number.0));
        let seeds = self.seeds.seeds().filter(mine).map(seed);
        let of_scenario = |seed: Seed, name: &String| {
            let run = |world: &WorldKind| PlannedRun { scenario: name.clone(), world: *world, seed };
            self.world.iter().map(run).collect::<Vec<_>>()
        };
        seeds.flat_map(|seed| self.scenarios.iter().flat_map(move |name| of_scenario(seed, name))).collect()
    }

    /// A campaign that has not seen what it must has failed, too.
    fn status(&self, end: &CampaignEnd, coverage: &Coverage) -> i32 {
        match end.status() {
            0 if !coverage.lacking(&self.require).is_empty() => 1,
            status => status,
        }
    }

    /// What no run would take is said once, before the first.
    fn check_settings(&self) -> anyhow::Result<()> {
        let mut settings = Settings::default();
        for setting in &self.set {
            settings.add(setting)?;
        }
        for name in &self.scenarios {
            let seed = self.runs().first().map_or(1, |run| run.seed.0);
            for &world in &self.world {
                let (plants, settings) = (self.plant.clone(), settings.clone());
                let of_all = RunRequest { seed, world, settings, plants, ..RunRequest::default() };
                let request = RunRequest { scenario: name.clone(), ..of_all };
                prepare(scenario(name)?.as_ref(), request).with_context(|| format!("scenario {name}"))?;
            }
        }
        Ok(())
    }

    fn object(&self, end: &CampaignEnd, coverage: &Coverage) -> serde_json::Value {
        let not_seen: BTreeMap<&str, Vec<&str>> =
            GROUPS.iter().map(|(group, _)| (*group, coverage.not_seen(group))).collect();
        serde_json::json!({
            "scenarios": self.scenarios,
            "campaign": self.campaign,
            "not_seen": not_seen,
            "lacking": coverage.lacking(&self.require),
            "worlds": self.world,
            "plants": self.plant,
            "runs": end.ends.len(),
            "held": end.held(),
            "left_out": end.left_out,
            "failures": end.failures(),
            "wall_ms": end.wall_ms,
            "ends": end.ends,
        })
    }

    fn table(&self, end: &CampaignEnd, coverage: &Coverage) -> String {
        let mut text = String::new();
        for (failure, seeds) in end.failures() {
            let list: Vec<String> = seeds.iter().take(20).map(u64::to_string).collect();
            let more = if seeds.len() > list.len() { " ..." } else { "" };
            text += &format!("{failure:<24} {:>5} seeds: {}{more}\n", seeds.len(), list.join(" "));
            if self.world.len() > 1 {
                text += &format!("{:<24} {}\n", "", by_world(end, &failure));
            }
        }
        if self.campaign.is_some() || !self.require.is_empty() {
            text += &not_seen(coverage);
        }
        for name in coverage.lacking(&self.require) {
            text += &format!("required, and seen by no run: {name}\n");
        }
        let word = if self.status(end, coverage) == 0 { "ok" } else { "FAILED" };
        text += &format!(
            "{word} {} held={} of={} left_out={} wall={}{}\n",
            self.scenarios.join(","),
            end.held(),
            end.ends.len(),
            end.left_out,
            seconds(end.wall_ms),
            self.campaign.as_ref().map(|id| format!(" campaign={id}")).unwrap_or_default()
        );
        text
    }
}

/// Runs all, with a bar that says how far they are.
fn shown(campaign: &Campaign, command: impl Fn(&PlannedRun) -> Command + Sync) -> anyhow::Result<CampaignEnd> {
    let bar = ProgressBar::new(campaign.runs.len() as u64);
    let template = "{wide_bar} {pos}/{len} {msg} {elapsed}";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
    let mut failed = 0;
    let end = explore(campaign, command, |end| {
        bar.inc(1);
        if !end.held() {
            failed += 1;
            bar.suspend(|| eprintln!("{}", line(end)));
        }
        bar.set_message(format!("{failed} failed"));
    })?;
    bar.finish_and_clear();
    Ok(end)
}

/// Which world found it in how many of its runs.
fn by_world(end: &CampaignEnd, failure: &str) -> String {
    let mut counts: BTreeMap<WorldKind, (usize, usize)> = BTreeMap::new();
    for seed in &end.ends {
        let (found, runs) = counts.entry(seed.world).or_default();
        *found += usize::from(seed.failure().as_deref() == Some(failure));
        *runs += 1;
    }
    let of_world = |(world, (found, runs)): (WorldKind, (usize, usize))| format!("{world} {found} of {runs}");
    counts.into_iter().map(of_world).collect::<Vec<_>>().join(", ")
}

/// What no run has seen, by kind.
fn not_seen(coverage: &Coverage) -> String {
    let mut text = String::new();
    for (group, what) in GROUPS {
        let names = coverage.not_seen(group);
        text += &format!("not seen {} of {} {what}\n", names.len(), coverage.count(group));
        let mut line = String::new();
        // There are hundreds of fields: --reach lists them.
        for name in names.into_iter().filter(|_| *group != "field") {
            if line.len() + name.len() > WIDTH {
                text += &format!(" {line}\n");
                line.clear();
            }
            line += &format!(" {name}");
        }
        if !line.is_empty() {
            text += &format!(" {line}\n");
        }
    }
    text
}

/// As many as were asked for, or as there are processors.
pub fn jobs(asked: Option<NonZeroUsize>) -> usize {
    asked.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
}

fn line(end: &SeedEnd) -> String {
    let is_for_people = |line: &&str| line.starts_with("reproduce:") || end.too_long && line.starts_with("ended after");
    let said: Vec<&str> = end.said.lines().filter(is_for_people).collect();
    let world = Some(end.world).filter(|world| !world.is_default());
    let world = world.map(|world| format!(" world={world}")).unwrap_or_default();
    let failure = end.failure().unwrap_or_default();
    format!("FAILED {failure} {} seed={}{world}  {}", end.scenario, end.seed, said.join(" "))
}

/// One line of JSON per run; of one that died before it could tell anything, that it did.
fn summaries(end: &CampaignEnd) -> String {
    let line = |end: &SeedEnd| match &end.summary {
        Some(summary) => format!("{summary}\n"),
        None => {
            let (scenario, world) = (end.scenario.clone(), end.world.to_string());
            let died = Summary { scenario, world, seed: end.seed, ..Summary::default() };
            serde_json::to_string(&died).expect("a summary is plain data") + "\n"
        }
    };
    end.ends.iter().map(line).collect()
}

pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = number.parse().map_err(|_| format!("{text:?} is no duration: write 90s, 10m or 2h"))?;
    let unit_seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(format!("{unit:?} is no unit of time: write 90s, 10m or 2h")),
    };
    match number.checked_mul(unit_seconds) {
        Some(seconds) if seconds <= TIME_LIMIT_SECONDS_MAX => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("{text:?} is longer than a year: leave --time-limit out for no limit")),
    }
}

/// Whether the K-th of N machines runs this seed.
fn belongs(seed: Seed, (part, parts): (u64, u64)) -> bool {
    seed.0 % parts == part
}

fn parse_partition(text: &str) -> Result<(u64, u64), String> {
    let malformed = || format!("{text:?} is no part of a campaign: write K/N with K from 0 and below N");
    let (part, parts) = text.split_once('/').ok_or_else(malformed)?;
    match (part.parse(), parts.parse()) {
        (Ok(part), Ok(parts)) if parts > 0 && part < parts => Ok((part, parts)),
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_a_bound() {
        let check = |input, seconds| assert_eq!(parse_duration(input), Ok(Duration::from_secs(seconds)), "{input}");
        check("90", 90);
        check("90s", 90);
        check("10m", 600);
        check("2h", 7200);
        check("0s", 0);
        for nonsense in ["", "s", "-1s", "1.5h", "10 m", "10d", "18446744073709551615h", "99999999999999999999"] {
            assert!(parse_duration(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_campaign_has_a_line_for_a_run_that_died() {
        let died = SeedEnd {
            scenario: "hello".to_owned(),
            world: WorldKind::Turmoil,
            seed: 7,
            status: None,
            summary: None,
            said: String::new(),
            too_long: false,
            wall_ms: 5,
        };
        let lines = summaries(&CampaignEnd { ends: vec![died], left_out: 0, wall_ms: 5 });
        let read: Summary = serde_json::from_str(&lines).expect("one object");
        assert_eq!((read.seed, read.verdict), (7, tempest_artifact::Verdict::Unknown));
    }

    #[test]
    fn a_part_is_below_the_number_of_parts() {
        let check = |input, expect| assert_eq!(parse_partition(input).ok(), expect, "{input}");
        check("0/1", Some((0, 1)));
        check("2/3", Some((2, 3)));
        for nonsense in ["3/3", "1/0", "-1/3", "1", "1/", "/3", "a/b", "1/2/3"] {
            check(nonsense, None);
        }
    }

    #[test]
    fn every_seed_belongs_to_exactly_one_part() {
        for parts in 1..=5 {
            for seed in 0..50 {
                let owners = (0..parts).filter(|part| belongs(Seed(seed), (*part, parts)));
                assert_eq!(owners.count(), 1, "seed {seed} of {parts} parts");
            }
        }
    }
}
