//! `tempest invariants`.
use clap::Args;
use std::process::ExitCode;

#[derive(Args)]
pub struct InvariantsCommand {
    /// One JSON array instead of a table.
    #[arg(long)]
    json: bool,
}

impl InvariantsCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let invariants = tempest::check::invariants();
        if self.json {
            super::say(serde_json::to_string_pretty(&invariants)?);
        } else {
            for invariant in invariants {
                super::say(format!("{:<24} {}", invariant.name, invariant.holds_when));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
