//! One file per command.
mod server;

use clap::Subcommand;
use std::process::ExitCode;

/// Exit status for wrong usage or an environment that does not allow it.
const EXIT_USAGE: u8 = 2;

#[derive(Subcommand)]
pub enum Command {
    /// Run the server for real.
    #[command(subcommand)]
    Server(server::ServerCommand),
}

/// Runs a command to its exit status. Errors are printed here, in one way for all.
pub fn run(command: Command) -> ExitCode {
    let result = match command {
        Command::Server(command) => server::run(command),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(EXIT_USAGE)
    })
}
