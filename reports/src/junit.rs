//! A campaign as JUnit XML: a suite per scenario, a case per seed.

use std::{collections::BTreeMap, time::Duration};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use tempest_artifact::Verdict;

use crate::{Run, words};

/// The XML that CI servers read. An invariant that was violated is a failure, a run without a verdict an error.
pub fn junit(runs: &[Run]) -> String {
    let mut scenarios: BTreeMap<&str, Vec<&Run>> = BTreeMap::new();
    for run in runs {
        scenarios.entry(&run.artifact.scenario).or_default().push(run);
    }
    let mut report = Report::new("tempest");
    for (scenario, runs) in scenarios {
        let mut suite = TestSuite::new(scenario);
        suite.add_test_cases(runs.into_iter().map(case));
        report.add_test_suite(suite);
    }
    report.to_string().expect("XML is written to memory")
}

fn case(run: &Run) -> TestCase {
    let mut case = TestCase::new(format!("seed {}", run.artifact.seed), status(run));
    case.set_classname(format!("tempest.{}", run.artifact.scenario));
    case.set_time(Duration::from_millis(run.artifact.wall_ms));
    case.set_system_out(format!("trace={}\nreproduce: {}\n", run.artifact.trace_hash, run.reproduce_command()));
    case
}

fn status(run: &Run) -> TestCaseStatus {
    if !run.failed() {
        return TestCaseStatus::success();
    }
    let kind = match run.artifact.verdict {
        Verdict::Unknown if run.artifact.violations.is_empty() => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(words::verdict(run));
    if let Some(violation) = run.first_violation() {
        status.set_type(violation.invariant.name());
    }
    status.set_description(description(run));
    status
}

fn description(run: &Run) -> String {
    let mut text = String::new();
    for violation in &run.artifact.violations {
        text += &format!("{}: {}\n", violation.invariant, violation.what);
        for evidence in &violation.evidence {
            text += &format!("    {evidence}\n");
        }
    }
    text += &format!("reproduce: {}\n", run.reproduce_command());
    text
}
