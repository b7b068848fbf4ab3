//! The page of many runs.

use std::collections::BTreeSet;

use minijinja::{Value as Template, context};

use super::{Tile, outcome_bar, outcome_counts, render, rpc_note, serialized, speed, tile, tone};
use crate::{
    Campaign, Run,
    campaign::shape,
    distribution::distribution,
    picture::picture,
    words::{count, duration, plural, verdict_word},
};

/// Columns of the fault matrix; beyond it, runs that held are left out.
const MATRIX_RUNS_MAX: usize = 150;
/// Rows of the campaign's table; failures are never left out.
const TABLE_RUNS_MAX: usize = 500;
/// Distinct failures that are shown with the picture of their clearest run.
const PICTURED_FAILURES_MAX: usize = 6;

/// The page of many runs. A run whose `page` is set is linked to it.
pub fn campaign_page(runs: &[Run]) -> String {
    let campaign = Campaign::of(runs);
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by_key(|index| !runs[*index].failed());
    let shown = campaign.failed.max(TABLE_RUNS_MAX).min(runs.len());
    let times = |time: fn(&Run) -> u64| runs.iter().map(|run| (time(run), run.failed())).collect::<Vec<_>>();
    let distributions: Vec<_> = [
        distribution("Virtual time", &times(|run| run.artifact.virtual_ms)),
        distribution("Wall time", &times(|run| run.artifact.wall_ms)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let page = context! {
        tone => match (runs.len(), campaign.failed) { (0, _) => "unknown", (_, 0) => "held", _ => "violated" },
        verdict => campaign_verdict(&campaign),
        tiles => serialized(campaign_tiles(&campaign)),
        failures => failures(&campaign, runs),
        runs => order.iter().take(shown).map(|index| run_row(&runs[*index])).collect::<Vec<_>>(),
        left_out => runs.len() - shown,
        matrix => matrix(&campaign, runs, &order),
        distributions => serialized(distributions),
        checks => campaign.checks.iter().map(|(name, (judged_runs, judged, violated))| context! {
            name => name.name(), runs => count(*judged_runs), judged => judged.map(count), violated => count(*violated),
            bad => *violated > 0, idle => *judged_runs == 0,
        }).collect::<Vec<_>>(),
        never => serialized(campaign.probes_never_hit()),
        probes => campaign.probes.iter().filter(|(_, (times, _))| *times > 0)
            .map(|(name, (times, hit))| context! { name, times => count(*times), runs => count(*hit) })
            .collect::<Vec<_>>(),
        rpcs => campaign_rpcs(&campaign),
    };
    render("campaign.html", page)
}

fn campaign_tiles(campaign: &Campaign) -> Vec<Tile> {
    let mut tiles = vec![
        tile(count(campaign.runs as u64), "runs", format!("{} held, {} failed", campaign.held, campaign.failed)),
        tile(count(campaign.workflows), "workflows", String::new()),
        tile(count(campaign.faults), "faults", plural(campaign.fault_kinds.len() as u64, "kind")),
    ];
    if campaign.operations > 0 {
        tiles.push(tile(count(campaign.operations), "operations", rpc_note(campaign.rpcs.values())));
    }
    tiles.push(tile(duration(campaign.virtual_ms), "virtual time", String::new()));
    tiles.push(tile(duration(campaign.wall_ms), "wall time", speed(campaign.virtual_ms, campaign.wall_ms)));
    tiles
}

fn campaign_verdict(campaign: &Campaign) -> String {
    match (campaign.runs as u64, campaign.failed as u64) {
        (0, _) => "No artifact of a run was found.".into(),
        (1, 0) => "The one run held.".into(),
        (runs, 0) => format!("All {} runs held.", count(runs)),
        (runs, failed) => {
            let ways = campaign.failures.len() as u64;
            let ways = if ways == 1 { "one way".into() } else { format!("{ways} different ways") };
            format!("{} of {} failed, in {ways}.", count(failed), plural(runs, "run"))
        }
    }
}

fn failures(campaign: &Campaign, runs: &[Run]) -> Vec<Template> {
    let mut pictured_runs = BTreeSet::new();
    campaign
        .failures
        .iter()
        .map(|failure| {
            let clearest = &runs[failure.runs[0]];
            let violation = clearest
                .artifact
                .violations
                .iter()
                .find(|one| one.invariant.name() == failure.invariant && shape(&one.what) == failure.shape);
            let mut by_seed = failure.runs.clone();
            by_seed.sort_by_key(|run| (&runs[*run].artifact.scenario, runs[*run].artifact.seed));
            let seeds: Vec<Template> = by_seed
                .iter()
                .take(40)
                .map(|run| context! { seed => runs[*run].artifact.seed.to_string(), page => &runs[*run].page })
                .collect();
            let pictured = pictured_runs.len() < PICTURED_FAILURES_MAX
                && clearest.end_ms() > 0
                && pictured_runs.insert(failure.runs[0]);
            context! {
                invariant => &failure.invariant,
                times => count(failure.runs.len() as u64),
                message => violation.map_or(failure.shape.as_str(), |violation| &violation.what),
                seeds,
                more => failure.runs.len().saturating_sub(40),
                clearest => context! {
                    scenario => &clearest.artifact.scenario,
                    seed => clearest.artifact.seed.to_string(),
                    page => &clearest.page,
                    reproduce => clearest.reproduce_command(),
                    faults => plural(clearest.artifact.faults, "fault"),
                },
                picture => pictured.then(|| serialized(picture(clearest))),
            }
        })
        .collect()
}

fn campaign_rpcs(campaign: &Campaign) -> Vec<Template> {
    let busiest = campaign.rpcs.values().map(|outcomes| outcomes.iter().sum::<u64>()).max().unwrap_or(1).max(1);
    campaign
        .rpcs
        .iter()
        .map(|(rpc, outcomes)| context! { rpc, bar => outcome_bar(*outcomes, busiest), ..outcome_counts(*outcomes) })
        .collect()
}

fn run_row(run: &Run) -> Template {
    let artifact = &run.artifact;
    context! {
        scenario => &artifact.scenario,
        seed => artifact.seed.to_string(),
        page => &run.page,
        tone => tone(run),
        word => verdict_word(run),
        invariant => run.first_violation().map(|violation| violation.invariant.name()),
        plant => &artifact.plant,
        workflows => count(artifact.workflows),
        faults => count(artifact.faults),
        virtual_time => duration(artifact.virtual_ms),
        wall => duration(artifact.wall_ms),
        trace => artifact.trace_hash.chars().take(12).collect::<String>(),
    }
}

/// Fault kinds by runs: failed runs first, so that a kind which brings failures stands out at the left.
fn matrix(campaign: &Campaign, runs: &[Run], order: &[usize]) -> Template {
    // A summary does not list the faults.
    let listed: Vec<usize> = order.iter().copied().filter(|run| !runs[*run].happened().is_empty()).collect();
    let columns = &listed[..listed.len().min(MATRIX_RUNS_MAX)];
    let failed = columns.iter().filter(|run| runs[**run].failed()).count();
    let cell = (720.0 / columns.len().max(1) as f64).clamp(4.0, 16.0);
    let rows: Vec<Template> = campaign
        .fault_kinds
        .iter()
        .enumerate()
        .map(|(row, ((family, kind), by_run))| {
            let most = by_run.values().max().copied().unwrap_or(1).max(1);
            let cells: Vec<Template> = columns
                .iter()
                .enumerate()
                .filter_map(|(column, run)| {
                    let times = *by_run.get(run)?;
                    let strength = 0.35 + 0.65 * times as f64 / most as f64;
                    Some(context! {
                        x => column as f64 * cell, strength => (strength * 100.0).round() / 100.0,
                        title => format!("{kind} × {times} in {} seed {}", runs[*run].artifact.scenario, runs[*run].artifact.seed),
                    })
                })
                .collect();
            let failed = by_run.keys().filter(|run| runs[**run].failed()).count() as u64;
            context! {
                kind => *kind, family => family.name(), y => row as f64 * 20.0, cells,
                runs => count(by_run.len() as u64), times => count(by_run.values().sum()), failed => count(failed),
                any_failed => failed > 0,
            }
        })
        .collect();
    context! {
        rows,
        cell,
        shown => columns.len(),
        failed_width => failed as f64 * cell,
        width => columns.len() as f64 * cell,
        height => campaign.fault_kinds.len() as f64 * 20.0,
        left_out => runs.len() - columns.len(),
    }
}
