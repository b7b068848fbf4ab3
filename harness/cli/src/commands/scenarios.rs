//! `tempest scenarios`.
use clap::Args;
use std::process::ExitCode;

#[derive(Args)]
pub struct ScenariosCommand {
    /// One JSON array instead of a table.
    #[arg(long)]
    json: bool,
}

impl ScenariosCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let all = tempest_scenarios::all();
        if self.json {
            let list: Vec<_> = all
                .iter()
                .map(|scenario| serde_json::json!({ "name": scenario.name(), "about": scenario.about() }))
                .collect();
            super::say(serde_json::to_string_pretty(&list)?);
        } else {
            for scenario in all {
                super::say(format!("{:<24} {}", scenario.name(), scenario.about()));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
