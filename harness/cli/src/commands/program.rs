//! `tempest program`: what the scenario `program` draws from a seed, as text.
use clap::Args;
use std::process::ExitCode;
use tempest::draw::Seed;
use tempest_artifact::Settings;

#[derive(Args)]
pub struct ProgramCommand {
    /// The seed that draws it; drawn itself if it is not given.
    #[arg(long, env = "TEMPEST_SEED", value_parser = super::run::parse_seed, allow_hyphen_values = true)]
    seed: Option<Seed>,
    /// Sets an option that would have been drawn: `workflows=3`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl ProgramCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut settings = Settings::default();
        for text in &self.set {
            settings.add(text)?;
        }
        let seed = self.seed.unwrap_or_else(Seed::draw);
        let program = tempest_scenarios::drawn_program(seed, &settings)?;
        println!("# drawn by seed {seed}; `tempest run program --file FILE` runs it");
        print!("{}", tempest_program::text::write(&program));
        Ok(ExitCode::SUCCESS)
    }
}
