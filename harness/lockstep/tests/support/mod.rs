//! One simulation per process: a test runs its body in a process of its own, made by executing this test binary again
//! with nothing but that test.

use std::process::{Command, Stdio};

/// Names the test whose body this process is to run.
const BODY: &str = "LOCKSTEP_TEST_BODY";
/// What the body is told by its test.
const ARGUMENT: &str = "LOCKSTEP_TEST_ARGUMENT";
const REPORT: &str = "report: ";
/// What a panic says that a test wants.
pub const ON_PURPOSE: &str = "panics on purpose";

#[allow(dead_code, reason = "each test binary uses its own part of this module")]
/// Runs `body` in a process of its own; fails if it fails. For tests that need one process only.
pub fn alone(test: &str, body: impl FnOnce()) {
    in_processes(test, &[""], |_| body());
}

/// Runs `body` once per argument, each in a process of its own, and returns what they reported. In those processes it
/// does not return.
pub fn in_processes(test: &str, arguments: &[&str], body: impl FnOnce(&str)) -> Vec<String> {
    if std::env::var(BODY).is_ok_and(|wanted| wanted == test) {
        body(&std::env::var(ARGUMENT).unwrap_or_default());
        // Threads of crashed hosts are still there; no thread shall wait for anything of theirs.
        std::process::exit(0);
    }
    arguments.iter().map(|argument| execute(test, argument)).collect()
}

#[allow(dead_code, reason = "each test binary uses its own part of this module")]
/// Adds a line to what the body tells its test.
pub fn report(text: impl std::fmt::Display) {
    println!("{REPORT}{text}");
}

fn execute(test: &str, argument: &str) -> String {
    let program = std::env::current_exe().expect("a test binary knows where it is");
    let output = Command::new(program)
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(BODY, test)
        .env(ARGUMENT, argument)
        .stdin(Stdio::null())
        .output()
        .expect("a test binary can be executed");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{test} {argument}: {}\n{out}\n{err}", output.status);
    // A host that panics ends quietly, as far as the process is concerned.
    let panics = err.matches("panicked at").count();
    assert_eq!(panics, err.matches(ON_PURPOSE).count(), "{test} {argument}:\n{out}\n{err}");
    let lines = out.lines().filter_map(|line| line.split_once(REPORT).map(|found| found.1));
    lines.collect::<Vec<_>>().join("\n")
}

/// Runs a simulation of seed 1 with ordinary options.
#[allow(dead_code, reason = "each test binary uses its own part of this module")]
pub fn in_simulation(body: impl FnOnce(&mut tempest_lockstep::Simulation) + Send + 'static) {
    tempest_lockstep::simulate(1, tempest_lockstep::Options::default(), body).expect("a simulation begins");
}
