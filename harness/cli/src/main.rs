//! The binary `tempest`. Commands live in [`commands`], one file each; this file only finds the right one.
mod commands;

use clap::Parser;
use std::process::ExitCode;

/// Tempest: a Temporal-compatible durable execution server, and the storm that proves it.
#[derive(Parser)]
#[command(name = "tempest", version, about, propagate_version = true, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    commands::run(Arguments::parse().command)
}
