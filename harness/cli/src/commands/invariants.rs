//! `tempest invariants`.
use clap::Args;
use serde_json::json;
use std::process::ExitCode;
use tempest::check::{Invariant, holds_when};

#[derive(Args)]
pub struct InvariantsCommand {
    /// One JSON array instead of a table.
    #[arg(long)]
    json: bool,
}

impl InvariantsCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let invariants = Invariant::ALL.iter();
        if self.json {
            let listed = invariants.map(|one| json!({ "name": one.name(), "holds_when": holds_when(*one) }));
            super::say(serde_json::to_string_pretty(&listed.collect::<Vec<_>>())?);
        } else {
            invariants.for_each(|invariant| super::say(format!("{invariant:<24} {}", holds_when(*invariant))));
        }
        Ok(ExitCode::SUCCESS)
    }
}
