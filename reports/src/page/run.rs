//! The page of one run.

use std::collections::BTreeMap;

use minijinja::{Value as Template, context};

use super::{Tile, outcome_bar, outcome_counts, ownership, render, rpc_note, serialized, tile, tone, violations};
use crate::{
    Run,
    campaign::rpcs,
    ownership::transfers,
    picture::picture,
    run::Happened,
    sketch::sketches,
    words::{self, count, duration, moment, verdict_word},
};

/// The page of one run.
pub fn run_page(run: &Run) -> String {
    let artifact = &run.artifact;
    let rpcs = rpcs(run);
    let calls = rpcs.values().flatten().sum::<u64>();
    let busiest = rpcs.values().map(|outcomes| outcomes.iter().sum::<u64>()).max().unwrap_or(1).max(1);
    let rpcs: Vec<Template> = rpcs.iter().map(|(rpc, outcomes)| rpc_row(run, rpc, *outcomes, busiest)).collect();
    let hit = artifact.probes.values().filter(|times| **times > 0).count();
    let page = context! {
        run => context! {
            scenario => &artifact.scenario, seed => artifact.seed.to_string(), world => &artifact.world,
            plant => &artifact.plant, trace => &artifact.trace_hash, harness => &artifact.harness,
            source => &run.source, version => artifact.version,
        },
        tone => tone(run),
        verdict => words::verdict(run),
        verdict_word => verdict_word(run),
        reproduce => run.reproduce_command(),
        tiles => serialized(tiles(run, calls, hit)),
        violations => violations::violations(run),
        picture => serialized(picture(run)),
        drawable => run.end_ms() > 0,
        sketches => serialized(sketches(run)),
        ownership => (!artifact.ownership.is_empty()).then(|| ownership::ownership(&artifact.ownership)),
        faults => run.happened().iter().map(fault).collect::<Vec<_>>(),
        checks => checks(run),
        rpcs => rpcs,
        options => artifact.options.iter().map(|option| context! {
            name => &option.name, value => option.value.to_string(), set => option.set,
        }).collect::<Vec<_>>(),
        probes => artifact.probes.iter()
            .map(|(name, times)| context! { name, times => count(*times), hit => *times > 0 })
            .collect::<Vec<_>>(),
        probes_hit => hit,
    };
    render("run.html", page)
}

fn tiles(run: &Run, calls: u64, probes_hit: usize) -> Vec<Tile> {
    let artifact = &run.artifact;
    let mut tiles = vec![
        tile(count(artifact.workflows), "workflows", String::new()),
        tile(count(artifact.faults), "faults", fault_families(run)),
    ];
    if calls > 0 {
        tiles.push(tile(count(calls), "operations", rpc_note(rpcs(run).values())));
    }
    tiles.push(tile(duration(artifact.virtual_ms), "virtual time", String::new()));
    tiles.push(tile(duration(artifact.wall_ms), "wall time", super::speed(artifact.virtual_ms, artifact.wall_ms)));
    if !artifact.probes.is_empty() {
        tiles.push(tile(probes_hit.to_string(), "rare paths taken", String::new()));
    }
    let owned = &artifact.ownership;
    if !owned.is_empty() {
        tiles.push(tile(count(transfers(owned)), "ownership transfers", ownership::note(owned)));
    }
    tiles
}

/// How many faults of each family, the most first.
fn fault_families(run: &Run) -> String {
    let mut families: BTreeMap<_, u64> = BTreeMap::new();
    for happened in run.happened() {
        *families.entry(happened.fault.family()).or_default() += 1;
    }
    let mut families: Vec<_> = families.into_iter().collect();
    families.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    let mut notes: Vec<String> = families.iter().map(|(family, times)| format!("{times} {family}")).collect();
    let only_planned = run.only_planned();
    if only_planned > 0 {
        notes.push(format!("{} more planned, not come to", count(only_planned)));
    }
    notes.join(", ")
}

fn fault(happened: &Happened) -> Template {
    context! {
        at => moment(happened.at_ms),
        lasted => happened.lasted_ms().map(duration),
        kind => happened.fault.name(),
        family => happened.fault.family().name(),
        about => happened.fault.about(),
        place => happened.place(),
        detail => happened.detail(),
    }
}

fn checks(run: &Run) -> Vec<Template> {
    run.judged()
        .iter()
        .map(|check| {
            context! {
                name => check.invariant.name(),
                note => &check.note,
                judged => check.checked.map(count),
                violations => count(check.violations),
                bad => check.violations > 0,
                idle => !check.judged,
            }
        })
        .collect()
}

fn rpc_row(run: &Run, rpc: &str, outcomes: [u64; 3], busiest: u64) -> Template {
    let operations = || run.artifact.operations.iter().filter(|operation| operation.rpc == rpc);
    let mut latencies: Vec<u64> = operations()
        .filter_map(|operation| Some(operation.completed_ms?.saturating_sub(operation.invoked_ms)))
        .collect();
    latencies.sort_unstable();
    let at = |share: f64| {
        let last = latencies.len().checked_sub(1)?;
        Some(duration(latencies[(last as f64 * share).round() as usize]))
    };
    let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
    for code in operations().filter_map(|operation| operation.outcome.code()) {
        *codes.entry(code).or_default() += 1;
    }
    let codes: Vec<String> = codes.iter().map(|(code, times)| format!("{times} {code}")).collect();
    context! { bar => outcome_bar(outcomes, busiest), rpc, median => at(0.5), worst => at(1.0), codes => codes.join(", "),
    ..outcome_counts(outcomes) }
}
