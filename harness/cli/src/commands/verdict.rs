//! What a person reads of a run: before it, what was drawn; after it, what happened and what was found.
use std::collections::BTreeMap;
use std::fmt::Write;
use tempest::run::{Prepared, RunReport, RunRequest};
use tempest_artifact::{Lease, Ownership};

/// Evidence lines shown of each violation; the artifact has all of them.
const EVIDENCE_MAX: usize = 6;
/// Violations shown.
const VIOLATIONS_MAX: usize = 8;
/// Commits in doubt shown.
const IN_DOUBT_MAX: usize = 5;
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
    let outcomes: Vec<String> =
        report.outcomes.iter().map(|(outcome, runs)| format!("{runs} {}", words(outcome))).collect();
    let _ = writeln!(text, "ran      {}: {}", count(report.workflows, "run"), outcomes.join(", "));
    let _ = writeln!(
        text,
        "         {} calls, {} commits, {} scheduling points, {} of virtual time in {}",
        report.operations.len(),
        report.commits,
        report.scheduling_points,
        seconds(report.virtual_ms),
        seconds(report.wall_ms)
    );
    let _ = writeln!(text, "happened {}", count(report.faults, "fault"));
    for entry in &report.timeline {
        let _ = writeln!(text, "  {:>9}  {}", seconds(entry.at_ms), entry.event.in_words(&report.plan));
    }
    text += &ownership(&report.ownership);
    let _ = writeln!(text, "checked");
    for check in &report.checks {
        let mark = match check {
            check if check.violations > 0 => "FAILS",
            check if !check.judged => "  -  ",
            _ => "holds",
        };
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

/// Who owned what when, which commits were in doubt, what failovers cost; nothing for a server that was alone.
fn ownership(ownership: &Ownership) -> String {
    let mut text = String::new();
    let mut shards: BTreeMap<u32, Vec<&Lease>> = BTreeMap::new();
    for lease in &ownership.leases {
        shards.entry(lease.shard).or_default().push(lease);
    }
    if shards.is_empty() {
        return text;
    }
    let _ = writeln!(text, "owned");
    for (shard, mut leases) in shards {
        // A server that acquired its own shard anew is the same owner.
        leases.dedup_by(|later, earlier| later.server == earlier.server);
        let owners: Vec<String> =
            leases.iter().map(|lease| format!("{} from {}", lease.server, seconds(lease.from_ms))).collect();
        let _ = writeln!(text, "  shard {shard:<3} {}", owners.join(", "));
    }
    let Ownership { in_doubt, in_doubt_applied, commits_in_doubt, .. } = ownership;
    let Ownership { failovers, lost, losses_reported, harmed, .. } = ownership;
    let _ = writeln!(text, "in doubt {}, {in_doubt_applied} known to have been applied", count(*in_doubt, "commit"));
    for commit in commits_in_doubt.iter().take(IN_DOUBT_MAX) {
        let _ = writeln!(text, "  {:>9}  {}", seconds(commit.at_ms), shortened(&commit.to_string()));
    }
    text += &unshown(*in_doubt, commits_in_doubt.len());
    let _ = writeln!(text, "failover {} of the database", count(failovers.len() as u64, "time"));
    for failover in failovers {
        let (database, term) = (&failover.database, failover.term);
        let gap = seconds(failover.without_commits_ms);
        let _ = writeln!(text, "  {:>9}  {database} in term {term}: no commit for {gap}", seconds(failover.at_ms));
    }
    if *lost > 0 {
        let (commits, reports) = (count(*lost, "acknowledged commit"), count(*losses_reported, "time"));
        let _ = writeln!(text, "lost     {commits} of {}, reported {reports}", count(harmed.len() as u64, "workflow"));
    }
    text
}

/// Where the other commits in doubt are to be found.
fn unshown(in_doubt: u64, listed: usize) -> String {
    let more = in_doubt.saturating_sub(IN_DOUBT_MAX as u64);
    match listed as u64 {
        _ if more == 0 => String::new(),
        all if all == in_doubt => {
            format!("  ... and {more} more: all are in --json, and in the artifact of a failed run\n")
        }
        some => format!("  ... and {more} more: the first {some} are in --json, and in the artifact of a failed run\n"),
    }
}

/// `1 run`, `2 runs`.
pub fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `12.345 s`.
pub fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}

fn words(outcome: &str) -> String {
    outcome.trim_start_matches("WORKFLOW_EXECUTION_").to_lowercase().replace('_', " ")
}

fn shortened(line: &str) -> String {
    const LINE_MAX: usize = 400;
    if line.chars().count() <= LINE_MAX {
        return line.to_owned();
    }
    line.chars().take(LINE_MAX).chain(" ...".chars()).collect()
}
