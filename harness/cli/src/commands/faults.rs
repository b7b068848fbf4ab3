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
            println!("{}", serde_json::to_string_pretty(tempest::fault::KINDS)?);
        } else {
            for kind in tempest::fault::KINDS {
                println!("{:<10} {:<20} {}", kind.family, kind.name, kind.about);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
