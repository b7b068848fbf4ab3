//! Runs as Markdown, for a terminal, a pull request or a CI summary.

use std::fmt::Write;

use crate::{
    Campaign, Run,
    campaign::{kinds_of_violations, rpcs},
    run::plain,
    words::{self, count, duration, moment, plural, verdict_word},
};

/// A table of this many runs is read by nobody; the failures are all listed.
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
    writeln!(out, "# {} seed {}: {}\n", text(&run.scenario), run.seed, verdict_word(run))?;
    writeln!(out, "**{}**\n", text(&words::verdict(run)))?;
    writeln!(out, "```\n{}\n```\n", run.reproduce_command())?;
    write!(out, "{} virtual in {} wall", duration(run.virtual_ms), duration(run.wall_ms))?;
    writeln!(out, ", trace {}\n", code(&run.trace_hash))?;
    for alike in kinds_of_violations(run) {
        let (index, violation) = (alike[0], &run.violations[alike[0]]);
        writeln!(out, "## {}. {}\n", index + 1, text(&violation.invariant))?;
        write!(out, "{}", text(&violation.message))?;
        if let Some(at) = violation.moment_ms() {
            write!(out, " (at {})", moment(at))?;
        }
        writeln!(out, "\n")?;
        for evidence in &violation.evidence {
            writeln!(out, "- {}", code(&plain(evidence)))?;
        }
        if alike.len() > 1 {
            writeln!(out, "\nand {} more like this", alike.len() - 1)?;
        }
        writeln!(out)?;
    }
    write_faults(out, run)?;
    write_checks(out, run)?;
    write_rpcs(out, run)?;
    if !run.options.is_empty() {
        let drawn: Vec<String> =
            run.options.iter().map(|option| code(&format!("{}={}", option.name, plain(&option.value)))).collect();
        writeln!(out, "## Options\n\n{}\n", drawn.join(" "))?;
    }
    let never: Vec<String> = run.probes.iter().filter(|(_, times)| **times == 0).map(|(name, _)| code(name)).collect();
    if !run.probes.is_empty() {
        let hit = run.probes.len() - never.len();
        writeln!(out, "## Probes\n\n{hit} of {} hit.", run.probes.len())?;
        if !never.is_empty() {
            writeln!(out, "Never: {}.", never.join(" "))?;
        }
    }
    Ok(())
}

fn write_faults(out: &mut String, run: &Run) -> std::fmt::Result {
    let faults = run.faults_in_order();
    if faults.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Faults\n\n| at | for | fault | hosts | |\n|---|---|---|---|---|")?;
    for fault in faults {
        let lasted = run.fault_end_ms(fault).map(|until| duration(until - fault.at_ms)).unwrap_or_default();
        let (at, hosts) = (moment(fault.at_ms), text(&fault.hosts.join(", ")));
        writeln!(out, "| {at} | {lasted} | {} | {hosts} | {} |", text(&fault.kind), text(&fault.detail))?;
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
        writeln!(out, "| {} | {checked} | {violations} | {} |", text(&check.invariant), text(&check.note))?;
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
        return writeln!(out, "# No runs\n\nNo artefact was found.");
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
        let verdict = run.first_violation().map_or(verdict_word(run), |violation| &violation.invariant);
        let (virtual_time, wall) = (duration(run.virtual_ms), duration(run.wall_ms));
        let (scenario, seed, faults) = (text(&run.scenario), run.seed, run.faults.len());
        let trace = code(run.trace_hash.get(..12).unwrap_or(&run.trace_hash));
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
