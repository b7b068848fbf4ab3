//! `tempest faults`.
use clap::Args;
use std::process::ExitCode;
use tempest::world::lacks;
use tempest_artifact::fault::FaultKind;
use tempest_artifact::{KINDS, WorldKind};

#[derive(Args)]
pub struct FaultsCommand {
    /// Only what this world has, and why it lacks the others: lockstep, turmoil or madsim.
    #[arg(long, value_name = "WORLD", default_value = "lockstep")]
    world: WorldKind,
    /// One JSON array instead of a table.
    #[arg(long)]
    json: bool,
}

impl FaultsCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let (lacking, had): (Vec<&FaultKind>, Vec<&FaultKind>) =
            KINDS.iter().partition(|kind| lacks(self.world, kind.name).is_some());
        if self.json {
            super::say(serde_json::to_string_pretty(&had)?);
            return Ok(ExitCode::SUCCESS);
        }
        for kind in had {
            super::say(format!("{:<10} {:<20} {}", kind.family, kind.name, kind.about));
        }
        if !lacking.is_empty() {
            super::say(format!("\nThe world {} lacks:", self.world));
        }
        for kind in lacking {
            super::say(format!("{:<10} {:<20} {}", kind.family, kind.name, lacks(self.world, kind.name).unwrap_or("")));
        }
        println!(
            "\nA run draws two thirds of the kinds. --set fault.KIND=1 or =0 decides for one of them, --set fault.others=0 or =1 \
             for all\nthat are not named: --set fault.others=0 --set fault.crash=1 is a storm of crashes."
        );
        Ok(ExitCode::SUCCESS)
    }
}
