//! `tempest faults`.
use clap::Args;
use std::process::ExitCode;

#[derive(Args)]
pub struct FaultsCommand {
    /// One JSON array instead of a table.
    #[arg(long)]
    json: bool,
}

impl FaultsCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        if self.json {
            super::say(serde_json::to_string_pretty(tempest::fault::KINDS)?);
        } else {
            for kind in tempest::fault::KINDS {
                super::say(format!("{:<10} {:<20} {}", kind.family, kind.name, kind.about));
            }
            println!(
                "\nA run draws two thirds of the kinds. --set fault.KIND=1 or =0 decides for one of them, --set fault.others=0 or =1 \
                 for all\nthat are not named: --set fault.others=0 --set fault.crash=1 is a storm of crashes."
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}
