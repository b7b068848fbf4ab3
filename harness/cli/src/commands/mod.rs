//! One file per command.
#[cfg(feature = "chaos")]
mod bench;
#[cfg(feature = "chaos")]
mod builds;
mod cluster;
#[cfg(feature = "chaos")]
mod explore;
#[cfg(feature = "chaos")]
mod faults;
#[cfg(feature = "chaos")]
mod invariants;
#[cfg(feature = "chaos")]
mod keep;
#[cfg(feature = "chaos")]
mod plants;
#[cfg(feature = "chaos")]
mod program;
#[cfg(feature = "chaos")]
mod reach;
#[cfg(feature = "chaos")]
mod replay;
#[cfg(feature = "chaos")]
mod report;
#[cfg(feature = "chaos")]
mod run;
#[cfg(feature = "chaos")]
mod scenarios;
mod server;
#[cfg(feature = "chaos")]
mod shrink;
#[cfg(feature = "chaos")]
mod simulated_log;
#[cfg(feature = "chaos")]
mod untouched;
#[cfg(feature = "chaos")]
mod verdict;

use clap::Subcommand;
use std::process::ExitCode;

/// Exit status for wrong usage or an environment that does not allow it.
const EXIT_USAGE: u8 = 2;

#[derive(Subcommand)]
pub enum Command {
    /// Run the server for real.
    #[command(subcommand)]
    Server(server::ServerCommand),
    /// Look at a running cluster.
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    /// Run one seed of a scenario in the simulator and judge it.
    #[cfg(feature = "chaos")]
    Run(run::RunCommand),
    /// Run many seeds, each in a process of its own.
    #[cfg(feature = "chaos")]
    Explore(explore::ExploreCommand),
    /// Show the program that a seed draws: `run program --file` runs what you make of it.
    #[cfg(feature = "chaos")]
    Program(program::ProgramCommand),
    /// Repeat the run of an artifact and compare the traces, or run a regression.
    #[cfg(feature = "chaos")]
    Replay(replay::ReplayCommand),
    /// Keep a failed run as a regression, with its plan, its sizes and a lesson.
    #[cfg(feature = "chaos")]
    Keep(keep::KeepCommand),
    /// Make a failed run smaller: fewer faults, less work, a smaller world, and the same invariant violated.
    #[cfg(feature = "chaos")]
    Shrink(shrink::ShrinkCommand),
    /// Make a page of what runs have left in a directory.
    #[cfg(feature = "chaos")]
    Report(report::ReportCommand),
    /// List the scenarios.
    #[cfg(feature = "chaos")]
    Scenarios(scenarios::ScenariosCommand),
    /// List what can go wrong in a storm.
    #[cfg(feature = "chaos")]
    Faults(faults::FaultsCommand),
    /// List what must hold all the same.
    #[cfg(feature = "chaos")]
    Invariants(invariants::InvariantsCommand),
    /// List the planted bugs, or measure how soon each is found.
    #[cfg(feature = "chaos")]
    Plants(plants::PlantsCommand),
    /// Measure the server, or reckon what a larger one would do.
    #[cfg(feature = "chaos")]
    #[command(subcommand)]
    Bench(bench::BenchCommand),
}

/// Prints a line. A reader that has had enough and is gone, as `head` is, misses nothing.
#[cfg(feature = "chaos")]
fn say(line: impl std::fmt::Display) {
    let _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{line}\n"));
}

/// Runs a command to its exit status. Errors are printed here, in one way for all.
pub fn run(command: Command) -> ExitCode {
    #[cfg(feature = "chaos")]
    if matches!(command, Command::Server(_) | Command::Cluster(_) | Command::Bench(_))
        && let Err(error) = builds::need_sockets()
    {
        return failed(&error);
    }
    let result = match command {
        Command::Server(command) => server::run(command),
        Command::Cluster(command) => cluster::run(command),
        #[cfg(feature = "chaos")]
        Command::Run(command) => command.run(),
        #[cfg(feature = "chaos")]
        Command::Explore(command) => command.run(),
        #[cfg(feature = "chaos")]
        Command::Program(command) => command.run(),
        #[cfg(feature = "chaos")]
        Command::Replay(command) => command.run(),
        #[cfg(feature = "chaos")]
        Command::Keep(command) => command.run(),
        #[cfg(feature = "chaos")]
        Command::Shrink(command) => command.run(),
        #[cfg(feature = "chaos")]
        Command::Report(command) => command.run(),
        #[cfg(feature = "chaos")]
        Command::Scenarios(command) => command.run(),
        #[cfg(feature = "chaos")]
        Command::Faults(command) => command.run(),
        #[cfg(feature = "chaos")]
        Command::Invariants(command) => command.run(),
        #[cfg(feature = "chaos")]
        Command::Plants(command) => command.run(),
        #[cfg(feature = "chaos")]
        Command::Bench(command) => bench::run(command),
    };
    result.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::from(EXIT_USAGE)
}
