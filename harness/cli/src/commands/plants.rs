//! `tempest plants`: the planted bugs, and the harness's own score at finding them.
use super::verdict::seconds;
use clap::Args;
use std::num::NonZeroUsize;
use std::process::{Command, ExitCode};
use tempest::PlantedBug;
use tempest::campaign::{Campaign, CampaignEnd, explore};
use tempest::draw::{Seed, SeedRange};
use tempest_artifact::WorldKind;

#[derive(Args)]
pub struct PlantsCommand {
    /// Runs each bug with so many seeds and tells how many find it.
    #[arg(long)]
    seeds: Option<SeedRange>,
    /// Only bugs with this in their name.
    #[arg(long, default_value = "")]
    only: String,
    /// The scenario that has to find them.
    #[arg(long, default_value = "order-saga")]
    scenario: String,
    /// Where the runs take place: lockstep, turmoil or madsim.
    #[arg(long, value_name = "WORLD", default_value_t)]
    world: WorldKind,
    /// Processes at a time.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// One JSON array instead of a table.
    #[arg(long)]
    json: bool,
}

impl PlantsCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        super::run::scenario(&self.scenario)?;
        let mut plants = tempest::planted_bugs();
        plants.retain(|bug| bug.name.contains(&self.only));
        anyhow::ensure!(!plants.is_empty(), "no planted bug has {:?} in its name: tempest plants lists all", self.only);
        let width = plants.iter().map(|bug| bug.name.len()).max().unwrap_or(0);
        let mut list = Vec::new();
        for PlantedBug { name, promise, place, mistake } in plants {
            let mut object =
                serde_json::json!({ "name": name, "about": mistake, "invariant": promise, "place": place });
            let mut line = format!("{name:<width$}  {promise:<22} {mistake}");
            if let Some(range) = self.seeds {
                let end = self.measure(name, range)?;
                let found = found(&end);
                // A bug that f of n seeds find is found after about n / f seeds.
                let median = found.get(found.len() / 2).map(|_| end.ends.len().div_ceil(2 * found.len().max(1)));
                object["runs"] = end.ends.len().into();
                object["found"] = found.len().into();
                object["first_seed"] = found.first().copied().into();
                object["median_seeds"] = median.into();
                object["failures"] = serde_json::to_value(end.failures())?;
                line = format!(
                    "{name:<width$}  found by {:>3} of {:>3} seeds in {}: {:?}",
                    found.len(),
                    end.ends.len(),
                    seconds(end.wall_ms),
                    end.failures().keys().collect::<Vec<_>>()
                );
            }
            if !self.json {
                super::say(&line);
            }
            list.push(object);
        }
        if self.json {
            super::say(serde_json::to_string_pretty(&list)?);
        }
        Ok(ExitCode::SUCCESS)
    }

    fn measure(&self, plant: &str, seeds: SeedRange) -> anyhow::Result<CampaignEnd> {
        let (executable, world) = (super::builds::executable(self.world)?, self.world.name());
        let out = std::env::temp_dir().join("tempest-plants");
        let command = |scenario: &str, seed: Seed| {
            let mut command = Command::new(&executable);
            command.args(["run", scenario, "--json", "--world", world, "--seed", &seed.to_string(), "--plant", plant]);
            command.arg("--out").arg(&out);
            command
        };
        let jobs = super::explore::jobs(self.jobs);
        let runs = seeds.seeds().map(|seed| (self.scenario.clone(), seed)).collect();
        Ok(explore(&Campaign { runs, jobs, time_limit: None, run_limit: None, twice: false }, command, |_| {})?)
    }
}

/// Seeds that found it, smallest first.
fn found(end: &CampaignEnd) -> Vec<u64> {
    end.ends.iter().filter(|end| end.status == Some(1)).map(|end| end.seed).collect()
}
