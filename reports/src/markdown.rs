//! Runs as Markdown, for a terminal, a pull request or a CI summary.

use std::fmt::Write;

use crate::{
    Campaign, Run,
    campaign::{kinds_of_violations, rpcs},
    words::{self, count, duration, moment, plural, verdict_word},
};

/// A table of this many runs is not read; the failures are all listed.
const RUNS_MAX: usize = 200;

/// One run in full, or a campaign: totals, distinct failures, table of runs.
pub fn markdown(runs: &[Run]) -> String {
    let mut out = String::new();
    let written = match runs {
        [run] => write_run(&mut out, run),
        runs => write_campaign(&mut out, runs),
    };
    written.expect("text is written to memory");
    out
}

fn write_run(out: &mut String, run: &Run) -> std::fmt::Result {
    writeln!(out, "# {} seed {}: {}\n", text(&run.artifact.scenario), run.artifact.seed, verdict_word(run))?;
    writeln!(out, "**{}**\n", text(&words::verdict(run)))?;
    writeln!(out, "```\n{}\n```\n", run.reproduce_command())?;
    write!(out, "{} virtual in {} wall", duration(run.artifact.virtual_ms), duration(run.artifact.wall_ms))?;
    writeln!(out, ", trace {}\n", code(&run.artifact.trace_hash))?;
    for alike in kinds_of_violations(run) {
        let (index, violation) = (alike[0], &run.artifact.violations[alike[0]]);
        writeln!(out, "## {}. {}\n", index + 1, text(violation.invariant.name()))?;
        write!(out, "{}", text(&violation.what))?;
        if let Some(at) = violation.at_ms {
            write!(out, " (at {})", moment(at))?;
        }
        writeln!(out, "\n")?;
        for evidence in &violation.evidence {
            writeln!(out, "- {}", code(evidence))?;
        }
        if alike.len() > 1 {
            writeln!(out, "\nand {} more like this", alike.len() - 1)?;
        }
        writeln!(out)?;
    }
    write_faults(out, run)?;
    write_checks(out, run)?;
    write_rpcs(out, run)?;
    let options = &run.artifact.options;
    if !options.is_empty() {
        let drawn: Vec<String> =
            options.iter().map(|option| code(&format!("{}={}", option.name, option.value))).collect();
        writeln!(out, "## Options\n\n{}\n", drawn.join(" "))?;
    }
    let probes = &run.artifact.probes;
    let never: Vec<String> = probes.iter().filter(|(_, times)| **times == 0).map(|(name, _)| code(name)).collect();
    if !probes.is_empty() {
        let hit = probes.len() - never.len();
        writeln!(out, "## Probes\n\n{hit} of {} hit.", probes.len())?;
        if !never.is_empty() {
            writeln!(out, "Never: {}.", never.join(" "))?;
        }
    }
    Ok(())
}

fn write_faults(out: &mut String, run: &Run) -> std::fmt::Result {
    let faults = run.happened();
    if faults.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Faults\n\n| at | for | fault | where | |\n|---|---|---|---|---|")?;
    for fault in faults {
        let lasted = fault.lasted_ms().map(duration).unwrap_or_default();
        let (at, place, detail) = (moment(fault.at_ms), text(&fault.place()), text(&fault.detail()));
        writeln!(out, "| {at} | {lasted} | {} | {place} | {detail} |", text(fault.fault.name()))?;
    }
    writeln!(out)
}

fn write_checks(out: &mut String, run: &Run) -> std::fmt::Result {
    let judged = run.judged();
    if judged.is_empty() {
        return Ok(());
    }
    writeln!(out, "## What was checked\n\n| invariant | judged | violations | |\n|---|---:|---:|---|")?;
    for check in judged {
        let (checked, violations) = (check.checked.map_or("–".into(), count), count(check.violations));
        writeln!(out, "| {} | {checked} | {violations} | {} |", text(check.invariant.name()), text(&check.note))?;
    }
    writeln!(out)
}

fn write_rpcs(out: &mut String, run: &Run) -> std::fmt::Result {
    let rpcs = rpcs(run);
    if rpcs.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Operations\n\n| call | ok | failed | unknown |\n|---|---:|---:|---:|")?;
    for (rpc, [ok, failed, unknown]) in rpcs {
        writeln!(out, "| {} | {} | {} | {} |", text(&rpc), count(ok), count(failed), count(unknown))?;
    }
    writeln!(out)
}

fn write_campaign(out: &mut String, runs: &[Run]) -> std::fmt::Result {
    let campaign = Campaign::of(runs);
    if runs.is_empty() {
        return writeln!(out, "# No runs\n\nNo artifact was found.");
    }
    let verdict = match campaign.failed {
        0 => format!("all {} held", plural(runs.len() as u64, "run")),
        failed => format!("{} of {} failed", count(failed as u64), plural(runs.len() as u64, "run")),
    };
    writeln!(out, "# Campaign: {verdict}\n")?;
    writeln!(
        out,
        "{}, {}, {}; {} virtual in {} of wall time.\n",
        plural(campaign.workflows, "workflow"),
        plural(campaign.operations, "operation"),
        plural(campaign.faults, "fault"),
        duration(campaign.virtual_ms),
        duration(campaign.wall_ms)
    )?;
    if !campaign.failures.is_empty() {
        writeln!(out, "## Distinct failures\n\n| runs | invariant | what | reproduce |\n|---:|---|---|---|")?;
        for failure in &campaign.failures {
            let (invariant, shape) = (text(&failure.invariant), text(&failure.shape));
            let reproduce = code(&runs[failure.runs[0]].reproduce_command());
            writeln!(out, "| {} | {invariant} | {shape} | {reproduce} |", failure.runs.len())?;
        }
        writeln!(out)?;
    }
    let never = campaign.probes_never_hit();
    if !never.is_empty() {
        let never: Vec<String> = never.into_iter().map(code).collect();
        writeln!(out, "Probes that no run hit: {}.\n", never.join(" "))?;
    }
    writeln!(out, "## Runs\n\n| scenario | seed | verdict | faults | virtual | wall | trace |")?;
    writeln!(out, "|---|---:|---|---:|---:|---:|---|")?;
    let (failed, held): (Vec<&Run>, Vec<&Run>) = runs.iter().partition(|run| run.failed());
    let shown = failed.len().max(RUNS_MAX);
    for run in failed.iter().chain(&held).take(shown) {
        let artifact = &run.artifact;
        let verdict = run.first_violation().map_or(verdict_word(run), |violation| violation.invariant.name());
        let (virtual_time, wall) = (duration(artifact.virtual_ms), duration(artifact.wall_ms));
        let (scenario, seed, faults) = (text(&artifact.scenario), artifact.seed, artifact.faults);
        let trace = code(artifact.trace_hash.get(..12).unwrap_or(&artifact.trace_hash));
        writeln!(out, "| {scenario} | {seed} | {} | {faults} | {virtual_time} | {wall} | {trace} |", text(verdict))?;
    }
    if runs.len() > shown {
        writeln!(out, "\nand {} that held.", plural((runs.len() - shown) as u64, "run"))?;
    }
    Ok(())
}

/// Text of a run is data: nothing in it becomes a table, a tag or a link.
fn text(raw: &str) -> String {
    let mut out = String::new();
    for letter in raw.chars() {
        match letter {
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' => out.extend(['\\', letter]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\r' => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

/// A code span that its content cannot end.
fn code(raw: &str) -> String {
    let content = raw.replace(['\n', '\r'], " ").replace('|', "\\|");
    if content.is_empty() {
        return "–".into();
    }
    if content.contains('`') { format!("`` {} ``", content.replace("``", "` `")) } else { format!("`{content}`") }
}
