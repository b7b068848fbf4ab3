//! What a person reads of a run: before it, what was drawn; after it, what happened and what was found.
use std::fmt::Write;
use tempest::explore::{Prepared, RunReport, RunRequest};

/// Evidence lines shown of each violation; the artifact has all of them.
const EVIDENCE_MAX: usize = 6;
/// Violations shown.
const VIOLATIONS_MAX: usize = 8;
const WIDTH: usize = 110;

/// The seed, every option, every fault of the plan.
pub fn announcement(request: &RunRequest, prepared: &Prepared) -> String {
    let mut text = format!("scenario {}  seed {}\n", request.scenario, request.seed);
    if !request.plants.is_empty() {
        let _ = writeln!(text, "planted  {}", request.plants.join(" "));
    }
    let mut line = "options ".to_owned();
    for drawn in prepared.drawn() {
        let option = format!(" {}={}{}", drawn.name, drawn.value, if drawn.set { "!" } else { "" });
        if line.len() + option.len() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = "        ".to_owned();
        }
        line += &option;
    }
    let _ = writeln!(text, "{line}");
    let _ = writeln!(text, "plan     {}", count(prepared.plan().0.len() as u64, "fault"));
    for planned in &prepared.plan().0 {
        let _ = writeln!(text, "  {:>9}  {}", seconds(planned.at_ms), planned.fault);
    }
    text
}

/// What ran, what went wrong and when, what was checked.
pub fn verdict(report: &RunReport) -> String {
    let mut text = String::new();
    let endings: Vec<String> =
        report.endings.iter().map(|(ending, runs)| format!("{runs} {}", words(ending))).collect();
    let _ = writeln!(text, "ran      {}: {}", count(report.workflows, "run"), endings.join(", "));
    let _ = writeln!(
        text,
        "         {} calls, {} commits, {} hand-overs, {} of virtual time in {}",
        report.operations.len(),
        report.commits,
        report.hand_overs,
        seconds(report.virtual_ms),
        seconds(report.wall_ms)
    );
    let _ = writeln!(text, "happened {}", count(report.faults, "fault"));
    for entry in &report.timeline {
        let _ = writeln!(text, "  {:>9}  {}", seconds(entry.at_ms), entry.what);
    }
    let _ = writeln!(text, "checked");
    for check in &report.checks {
        let mark = if check.violations == 0 { "holds" } else { "FAILS" };
        let _ = writeln!(text, "  {mark}  {:<24} {}", check.invariant, check.note);
    }
    for violation in report.violations.iter().take(VIOLATIONS_MAX) {
        let _ = writeln!(text, "{}: {}", violation.invariant, violation.what);
        for evidence in violation.evidence.iter().take(EVIDENCE_MAX) {
            evidence.lines().for_each(|line| {
                let _ = writeln!(text, "    {}", shortened(line));
            });
        }
    }
    if report.violations.len() > VIOLATIONS_MAX {
        let _ = writeln!(text, "... and {} more", report.violations.len() - VIOLATIONS_MAX);
    }
    text
}

/// `1 run`, `2 runs`.
fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `12.345 s`.
pub fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}

fn words(ending: &str) -> String {
    ending.trim_start_matches("WORKFLOW_EXECUTION_").to_lowercase().replace('_', " ")
}

fn shortened(line: &str) -> String {
    const LINE_MAX: usize = 400;
    if line.chars().count() <= LINE_MAX {
        return line.to_owned();
    }
    line.chars().take(LINE_MAX).chain(" ...".chars()).collect()
}
