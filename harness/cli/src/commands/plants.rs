//! `tempest plants`: the planted bugs, and the harness's own score at finding them.
use clap::Args;
use std::num::NonZeroUsize;
use std::process::{Command, ExitCode};
use tempest::PlantedBug;
use tempest::campaign::{Campaign, CampaignEnd, Detection, PlannedRun, Twice, explore};
use tempest::draw::SeedRange;
use tempest_artifact::WorldKind;

#[derive(Args)]
pub struct PlantsCommand {
    /// Runs each bug with so many seeds, and the server without a bug, too: tells what finds it, after how many core-seconds.
    #[arg(long)]
    seeds: Option<SeedRange>,
    /// Only bugs with this in their name.
    #[arg(long, default_value = "")]
    only: String,
    /// The scenarios that have to find them.
    #[arg(long, value_name = "SCENARIO,...", value_delimiter = ',', default_value = "order-saga")]
    scenario: Vec<String>,
    /// Where: lockstep, turmoil, madsim. Each world has a line for each bug.
    #[arg(long, value_name = "WORLD,...", value_delimiter = ',', default_value = "lockstep")]
    world: Vec<WorldKind>,
    /// Sets an option for all runs.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Processes at a time.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// One JSON array instead of a table.
    #[arg(long)]
    json: bool,
}

impl PlantsCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        for scenario in &self.scenario {
            super::run::scenario(scenario)?;
        }
        let mut plants = tempest::planted_bugs();
        plants.retain(|bug| bug.name.contains(&self.only));
        anyhow::ensure!(!plants.is_empty(), "no planted bug has {:?} in its name: tempest plants lists all", self.only);
        let width = plants.iter().map(|bug| bug.name.len()).max().unwrap_or(0);
        let mut list = Vec::new();
        for PlantedBug { name, promise, place, mistake } in plants {
            let mut object =
                serde_json::json!({ "name": name, "about": mistake, "invariant": promise, "place": place });
            match self.seeds {
                Some(range) => object["found"] = self.score(&format!("{name:<width$}"), Some(name), range)?,
                None if self.json => {}
                None => super::say(format!("{name:<width$}  {promise:<22} {mistake}")),
            }
            list.push(object);
        }
        if let Some(range) = self.seeds {
            let found = self.score(&format!("{:<width$}", "(no bug)"), None, range)?;
            list.push(
                serde_json::json!({ "name": null, "about": "no bug: what is found is a false alarm", "found": found }),
            );
        }
        if self.json {
            super::say(serde_json::to_string_pretty(&list)?);
        }
        Ok(ExitCode::SUCCESS)
    }

    /// How each world finds it: a line for people, an object by world for scripts.
    fn score(&self, name: &str, plant: Option<&str>, seeds: SeedRange) -> anyhow::Result<serde_json::Value> {
        let mut by_world = serde_json::Map::new();
        for &world in &self.world {
            let found = Detection::of(&self.measure(world, plant, seeds)?);
            if !self.json {
                super::say(format!("{name}  {world:<8}  {}", in_words(&found)));
            }
            by_world.insert(world.to_string(), serde_json::to_value(&found)?);
        }
        Ok(by_world.into())
    }

    fn measure(&self, world: WorldKind, plant: Option<&str>, seeds: SeedRange) -> anyhow::Result<CampaignEnd> {
        let executable = super::builds::executable(world)?;
        let out = std::env::temp_dir().join("tempest-plants");
        let command = |run: &PlannedRun| {
            let mut command = Command::new(&executable);
            command.args(["run", &run.scenario, "--world", run.world.name(), "--json"]);
            command.args(["--seed", &run.seed.to_string(), "--out"]).arg(&out);
            if let Some(plant) = plant {
                command.args(["--plant", plant]);
            }
            for setting in &self.set {
                command.args(["--set", setting]);
            }
            command
        };
        let jobs = super::explore::jobs(self.jobs);
        let of_seed = |seed| self.scenario.iter().map(move |name| PlannedRun { scenario: name.clone(), world, seed });
        let runs = seeds.seeds().flat_map(of_seed).collect();
        let campaign = Campaign { runs, jobs, time_limit: None, run_limit: None, twice: Twice::Never };
        Ok(explore(&campaign, command, |_| {})?)
    }
}

/// `found by  4 of  20 runs, after  1.2 core-seconds (worst 4.0): acked-durable 3, model 1`.
fn in_words(found: &Detection) -> String {
    let mut text = format!("found by {:>3} of {:>3} runs", found.seeds.len(), found.runs);
    if let (Some(median), Some(worst)) = (found.median_seconds, found.worst_seconds) {
        let invariants: Vec<String> =
            found.invariants.iter().map(|(invariant, times)| format!("{invariant} {times}")).collect();
        text += &format!(", after {median:>5.1} core-seconds (worst {worst:.1}): {}", invariants.join(", "));
    }
    text
}
