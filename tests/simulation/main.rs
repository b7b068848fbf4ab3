//! Storms, through the binary as people run it. Each run is a process of its own.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod command_line;
mod determinism;
mod planted_bugs;
mod regressions;
mod seeds;
mod shard_bench;
mod worlds;

use std::process::{Command, Output};

/// `tempest` with these arguments, to its end.
fn tempest(arguments: &[&str]) -> Output {
    tempest_with(arguments, &[])
}

/// The same with environment variables.
fn tempest_with(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let directory = env!("CARGO_TARGET_TMPDIR");
    Command::new(env!("CARGO_BIN_EXE_tempest"))
        .args(arguments)
        .env_remove("TEMPEST_SEED")
        .envs(environment.iter().copied())
        .current_dir(directory)
        .output()
        .expect("the binary was built for this test")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("what people read is text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("what people read is text")
}

/// The last line on standard output.
fn last_line(output: &Output) -> String {
    stdout(output).lines().last().unwrap_or_default().to_owned()
}
