//! `tempest server ...`
mod logging;
mod start_dev;

use clap::Subcommand;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum ServerCommand {
    /// Run a development server on this machine: one command, one process, one file (or none).
    StartDev(start_dev::StartDev),
}

pub fn run(command: ServerCommand) -> anyhow::Result<ExitCode> {
    match command {
        ServerCommand::StartDev(arguments) => start_dev::run(arguments),
    }
}
