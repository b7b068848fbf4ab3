//! One run of a test, in a process made for it.
use super::{REQUEST, TestCase, again, artifact_path, settings, write_page};
use crate::campaign::{OwnCore, leave_a_shared_core};
use crate::run::{RunReport, RunSettings, run};
use tempest_artifact::RunRequest;

/// Runs one seed in this process, which ends with it.
pub(super) fn perform(test: &TestCase, seed: u64) -> ! {
    let scenario = (test.storm)().named(test.path);
    let core = OwnCore::claim();
    let pin_to_core = core.as_ref().map(|core| core.number);
    leave_a_shared_core();
    let settings = RunSettings { pin_to_core, ..RunSettings::default() };
    let report = match run(&scenario, request(test, seed), &settings) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(2);
        }
    };
    let artifact = (!report.holds()).then(|| leave(test, seed, &report));
    for violation in &report.violations {
        eprintln!("{}: {}", violation.invariant, violation.what);
        violation.evidence.iter().for_each(|line| eprintln!("    {line}"));
    }
    let summary = report.summary(artifact.as_deref());
    println!("\n{}", serde_json::to_string(&summary).expect("a summary is plain data"));
    std::process::exit(i32::from(!report.holds()));
}

fn request(test: &TestCase, seed: u64) -> RunRequest {
    match std::env::var_os(REQUEST) {
        Some(file) => {
            let text = std::fs::read_to_string(file).expect("the parent process wrote a request");
            serde_json::from_str(&text).expect("the parent process wrote a request")
        }
        None => RunRequest { scenario: test.path.to_owned(), seed, settings: settings(), ..RunRequest::default() },
    }
}

/// Writes artifact and page; the artifact's path, or why there is none.
fn leave(test: &TestCase, seed: u64, report: &RunReport) -> String {
    let file = artifact_path(test.path, seed);
    let mut artifact = report.artifact(&file);
    // No scenario of the binary `tempest` has the test's name.
    artifact.reproduce = again(test.path, &report.request.settings, seed);
    if let Err(error) = artifact.write(&file) {
        return error.to_string();
    }
    if let Err(error) = write_page(&file) {
        eprintln!("no page was written: {error}");
    }
    file.display().to_string()
}
