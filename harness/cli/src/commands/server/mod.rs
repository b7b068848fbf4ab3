//! `tempest server ...`
mod logging;
mod serving;
mod start;
mod start_dev;

use clap::Subcommand;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum ServerCommand {
    /// Run a development server on this machine: one command, one process, one file (or none).
    StartDev(Box<start_dev::StartDev>),
    /// Run a node as a configuration file says.
    Start(start::Start),
}

pub fn run(command: ServerCommand) -> anyhow::Result<ExitCode> {
    match command {
        ServerCommand::StartDev(arguments) => start_dev::run(*arguments),
        ServerCommand::Start(arguments) => start::run(arguments),
    }
}
