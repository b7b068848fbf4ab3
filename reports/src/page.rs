//! HTML pages: one file each, nothing loaded from elsewhere. Templates escape whatever they print.

use std::collections::BTreeSet;

use minijinja::{Environment, Value as Template, context, value::Serde};
use serde::Serialize;

use crate::{
    Campaign, Ownership, Run, Verdict, Violation,
    campaign::{kinds_of_violations, rpcs, shape},
    distribution::distribution,
    history,
    ownership::Owner,
    run::plain,
    shard_lanes::server_colours,
    timeline::{self, family},
    words::{self, count, duration, moment, plural, verdict_word},
};

/// Columns of the fault matrix; beyond it, runs that held are left out.
const MATRIX_RUNS_MAX: usize = 150;
/// Rows of the campaign's table; failures are never left out.
const TABLE_RUNS_MAX: usize = 500;
/// Distinct failures that are shown with the picture of their clearest run.
const PICTURED_FAILURES_MAX: usize = 6;
/// Messages of violations that are like one shown in full.
const ALIKE_MAX: usize = 200;
/// Workflows harmed by lost commits that are named.
const HARMED_MAX: usize = 200;
/// Rows of the table of commits in doubt.
const IN_DOUBT_MAX: usize = 200;
/// Letters of one block of evidence.
const EVIDENCE_LETTERS_MAX: usize = 4000;

/// The page of one run.
pub fn run_page(run: &Run) -> String {
    let rpcs = rpcs(run);
    let calls = rpcs.values().flatten().sum::<u64>();
    let busiest = rpcs.values().map(|outcomes| outcomes.iter().sum::<u64>()).max().unwrap_or(1).max(1);
    let rpcs: Vec<Template> = rpcs.iter().map(|(rpc, outcomes)| rpc_row(run, rpc, *outcomes, busiest)).collect();
    let hit = run.probes.values().filter(|times| **times > 0).count();
    let page = context! {
        run => context! {
            scenario => &run.scenario, seed => run.seed.to_string(), world => &run.world, plant => &run.plant,
            trace => &run.trace_hash, commit => &run.commit, lock_hash => &run.lock_hash, source => &run.source,
            version => run.version,
        },
        tone => tone(run),
        verdict => words::verdict(run),
        verdict_word => verdict_word(run),
        reproduce => run.reproduce_command(),
        tiles => serialized(tiles(run, calls, hit)),
        violations => violations(run),
        picture => serialized(timeline::picture(run)),
        drawable => run.end_ms() > 0.0,
        ownership => (!run.ownership.is_empty()).then(|| ownership(&run.ownership)),
        faults => faults(run),
        checks => checks(run),
        rpcs => rpcs,
        options => run.options.iter().map(|option| context! {
            name => &option.name, value => plain(&option.value), set => option.set,
        }).collect::<Vec<_>>(),
        probes => run.probes.iter().map(|(name, times)| context! { name, times => count(*times), hit => *times > 0 })
            .collect::<Vec<_>>(),
        probes_hit => hit,
    };
    render("run.html", page)
}

/// The page of many runs. A run whose `page` is set is linked to it.
pub fn campaign_page(runs: &[Run]) -> String {
    let campaign = Campaign::of(runs);
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by_key(|index| !runs[*index].failed());
    let shown = campaign.failed.max(TABLE_RUNS_MAX).min(runs.len());
    let times = |time: fn(&Run) -> f64| runs.iter().map(|run| (time(run), run.failed())).collect::<Vec<_>>();
    let distributions: Vec<_> = [
        distribution("Virtual time", &times(|run| run.virtual_ms)),
        distribution("Wall time", &times(|run| run.wall_ms)),
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
            name, runs => count(*judged_runs), judged => judged.map(count), violated => count(*violated),
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

fn serialized(value: impl Serialize) -> Template {
    Template::from(Serde(value))
}

fn render(name: &str, page: Template) -> String {
    let mut environment = Environment::new();
    let templates = [
        ("base.html", include_str!("../templates/base.html")),
        ("style.css", include_str!("../templates/style.css")),
        ("picture.html", include_str!("../templates/picture.html")),
        ("run.html", include_str!("../templates/run.html")),
        ("campaign.html", include_str!("../templates/campaign.html")),
    ];
    for (name, source) in templates {
        environment.add_template(name, source).expect("the templates are compiled in and tested");
    }
    let template = environment.get_template(name).expect("the templates are compiled in and tested");
    template.render(page).expect("the templates print only what they are given")
}

#[derive(Serialize)]
struct Tile {
    figure: String,
    name: &'static str,
    note: String,
}

fn tile(figure: String, name: &'static str, note: String) -> Tile {
    Tile { figure, name, note }
}

fn tiles(run: &Run, calls: u64, probes_hit: usize) -> Vec<Tile> {
    let mut tiles = vec![
        tile(count(run.workflows), "workflows", String::new()),
        tile(count(run.faults.len() as u64), "faults", fault_families(run)),
    ];
    if calls > 0 {
        tiles.push(tile(count(calls), "operations", rpc_note(rpcs(run).values())));
    }
    let speed = run.virtual_ms / run.wall_ms;
    let speed = if speed.is_finite() && speed > 0.0 { format!("{speed:.0} × real time") } else { String::new() };
    tiles.push(tile(duration(run.virtual_ms), "virtual time", String::new()));
    tiles.push(tile(duration(run.wall_ms), "wall time", speed));
    if !run.probes.is_empty() {
        tiles.push(tile(probes_hit.to_string(), "rare paths taken", String::new()));
    }
    if !run.ownership.is_empty() {
        tiles.push(tile(count(run.ownership.hand_overs()), "shard hand-overs", ownership_note(&run.ownership)));
    }
    tiles
}

fn ownership_note(ownership: &Ownership) -> String {
    let failovers = plural(ownership.failovers.len() as u64, "database failover");
    match ownership.lost {
        0 => failovers,
        lost => format!("{failovers}, {} lost", plural(lost, "commit")),
    }
}

fn fault_families(run: &Run) -> String {
    let mut families: Vec<(&str, u64)> = Vec::new();
    for fault in run.faults_in_order() {
        let family = family(&fault.kind);
        match families.iter_mut().find(|(name, _)| *name == family) {
            Some((_, times)) => *times += 1,
            None => families.push((family, 1)),
        }
    }
    families.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    let mut notes: Vec<String> = families.iter().map(|(name, times)| format!("{times} {name}")).collect();
    if run.only_planned > 0 {
        notes.push(format!("{} more planned, not come to", count(run.only_planned)));
    }
    notes.join(", ")
}

fn rpc_note<'a>(outcomes: impl Iterator<Item = &'a [u64; 3]>) -> String {
    let [_, failed, unknown] = outcomes.fold([0; 3], |sum, one| [sum[0] + one[0], sum[1] + one[1], sum[2] + one[2]]);
    format!("{} failed, {} unknown", count(failed), count(unknown))
}

fn campaign_tiles(campaign: &Campaign) -> Vec<Tile> {
    let speed = campaign.virtual_ms / campaign.wall_ms;
    let speed = if speed.is_finite() && speed > 0.0 { format!("{speed:.0} × real time") } else { String::new() };
    let mut tiles = vec![
        tile(count(campaign.runs as u64), "runs", format!("{} held, {} failed", campaign.held, campaign.failed)),
        tile(count(campaign.workflows), "workflows", String::new()),
        tile(count(campaign.faults), "faults", plural(campaign.fault_kinds.len() as u64, "kind")),
    ];
    if campaign.operations > 0 {
        tiles.push(tile(count(campaign.operations), "operations", rpc_note(campaign.rpcs.values())));
    }
    tiles.push(tile(duration(campaign.virtual_ms), "virtual time", String::new()));
    tiles.push(tile(duration(campaign.wall_ms), "wall time", speed));
    tiles
}

fn tone(run: &Run) -> &'static str {
    match run.verdict {
        _ if !run.violations.is_empty() => "violated",
        Verdict::Held => "held",
        Verdict::Unknown => "unknown",
        _ => "violated",
    }
}

/// One of each kind of violation, the others by their message, with the histories of the runs concerned; a history is
/// shown with the first violation that names it.
fn violations(run: &Run) -> Vec<Template> {
    let mut shown = BTreeSet::new();
    kinds_of_violations(run)
        .into_iter()
        .map(|alike| {
            let first = alike[0];
            let view = violation_view(run, &run.violations[first], &mut shown);
            let others = alike[1..].iter().take(ALIKE_MAX).map(|index| run.violations[*index].message.clone());
            context! { number => first + 1, others => others.collect::<Vec<_>>(), more => alike.len() - 1, ..view }
        })
        .collect()
}

fn violation_view<'run>(run: &'run Run, violation: &Violation, shown: &mut BTreeSet<&'run str>) -> Template {
    let concerned: Vec<Template> = run
        .histories
        .iter()
        .filter(|(key, _)| violation.concerns(key) && shown.insert(key))
        .map(|(key, history)| {
            let (events, left_out) = history::events(history);
            context! { key, events => serialized(events), left_out }
        })
        .collect();
    context! {
        invariant => &violation.invariant,
        message => &violation.message,
        at => violation.at_ms.map(moment),
        about => violation.moment_ms().map(moment),
        workflow_id => &violation.workflow_id,
        run_id => &violation.run_id,
        evidence => evidence(&violation.evidence),
        histories => concerned,
    }
}

/// Lines of text stand together; anything else stands alone.
fn evidence(pieces: &[serde_json::Value]) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut after_text = false;
    for piece in pieces {
        let is_text = piece.is_string();
        let text = match piece {
            serde_json::Value::String(text) => text.clone(),
            other if other.to_string().chars().count() <= 120 => other.to_string(),
            other => serde_json::to_string_pretty(other).unwrap_or_default(),
        };
        match blocks.last_mut().filter(|_| after_text && is_text) {
            Some(block) => *block += &format!("\n{text}"),
            None => blocks.push(text),
        }
        after_text = is_text;
    }
    for block in &mut blocks {
        if block.chars().count() > EVIDENCE_LETTERS_MAX {
            let shown = block.chars().take(EVIDENCE_LETTERS_MAX);
            *block = shown.chain(" … (the artefact has all of it)".chars()).collect();
        }
    }
    blocks
}

fn faults(run: &Run) -> Vec<Template> {
    run.faults_in_order()
        .into_iter()
        .map(|fault| {
            context! {
                at => moment(fault.at_ms),
                lasted => run.fault_end_ms(fault).map(|until| duration(until - fault.at_ms)),
                kind => &fault.kind,
                family => family(&fault.kind),
                hosts => fault.hosts.join(", "),
                detail => &fault.detail,
            }
        })
        .collect()
}

fn checks(run: &Run) -> Vec<Template> {
    run.judged()
        .iter()
        .map(|check| {
            context! {
                name => &check.invariant,
                note => &check.note,
                judged => check.checked.map(count),
                violations => count(check.violations),
                bad => check.violations > 0,
                idle => !check.was_judged(),
            }
        })
        .collect()
}

fn ownership(ownership: &Ownership) -> Template {
    let owners = ownership.owners();
    let servers = server_colours(ownership).into_iter().map(|server| {
        let of_this_one = |owned: &Owner| owned.server == server.name;
        let times = owners.values().flatten().filter(|owned| of_this_one(owned));
        context! {
            shards => owners.values().filter(|owners| owners.iter().any(of_this_one)).count(),
            last => owners.values().filter(|owners| owners.last().is_some_and(of_this_one)).count(),
            commits => count(times.fold(0, |sum: u64, owned| sum.saturating_add(owned.commits))),
            name => &server.name, colour => server.colour,
        }
    });
    let failovers = ownership.failovers.iter().map(|failover| {
        let silence = failover.without_commits_ms;
        context! {
            at => moment(failover.at_ms), database => &failover.database, term => failover.term,
            silence => (silence > 0.0).then(|| duration(silence)),
        }
    });
    let commits_in_doubt = ownership.commits_in_doubt.iter().take(IN_DOUBT_MAX).map(|commit| {
        context! {
            at => moment(commit.at_ms), server => &commit.server, shard => commit.shard, range => &commit.range,
            sequence => commit.sequence, workflows => commit.workflow_ids.join(", "), fate => commit.fate_in_words(),
        }
    });
    let commits_in_doubt: Vec<Template> = commits_in_doubt.collect();
    let in_doubt_more = ownership.in_doubt.saturating_sub(commits_in_doubt.len() as u64);
    let harmed = ownership.harmed.len();
    context! {
        servers => servers.collect::<Vec<_>>(),
        failovers => failovers.collect::<Vec<_>>(),
        in_doubt => plural(ownership.in_doubt, "commit"),
        applied => count(ownership.in_doubt_applied),
        commits_in_doubt,
        in_doubt_more => (in_doubt_more > 0).then(|| count(in_doubt_more)),
        lost => (ownership.lost > 0).then(|| plural(ownership.lost, "acknowledged commit")),
        reported => plural(ownership.losses_reported, "time"),
        harmed => plural(harmed as u64, "workflow"),
        harmed_names => ownership.harmed[..harmed.min(HARMED_MAX)].join(", "),
        harmed_more => harmed.saturating_sub(HARMED_MAX),
    }
}

fn rpc_row(run: &Run, rpc: &str, outcomes: [u64; 3], busiest: u64) -> Template {
    let mut latencies: Vec<f64> = run
        .operations
        .iter()
        .filter(|operation| operation.rpc == rpc)
        .filter_map(|operation| Some(operation.done_ms? - operation.at_ms))
        .filter(|latency| latency.is_finite())
        .collect();
    latencies.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let last = latencies.len().checked_sub(1)?;
        Some(duration(latencies[(last as f64 * share).round() as usize]))
    };
    let mut codes: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    for operation in run.operations.iter().filter(|operation| operation.rpc == rpc && !operation.code.is_empty()) {
        *codes.entry(&operation.code).or_default() += 1;
    }
    let codes: Vec<String> = codes.iter().map(|(code, times)| format!("{times} {code}")).collect();
    context! { bar => outcome_bar(outcomes, busiest), rpc, median => at(0.5), worst => at(1.0), codes => codes.join(", "),
    ..outcome_counts(outcomes) }
}

fn campaign_rpcs(campaign: &Campaign) -> Vec<Template> {
    let busiest = campaign.rpcs.values().map(|outcomes| outcomes.iter().sum::<u64>()).max().unwrap_or(1).max(1);
    campaign
        .rpcs
        .iter()
        .map(|(rpc, outcomes)| context! { rpc, bar => outcome_bar(*outcomes, busiest), ..outcome_counts(*outcomes) })
        .collect()
}

fn outcome_counts([ok, failed, unknown]: [u64; 3]) -> Template {
    let shown = |number: u64| (number > 0).then(|| count(number));
    context! { ok => count(ok), failed => shown(failed), unknown => shown(unknown) }
}

/// Widths in per cent of the busiest call. What happened at all is visible.
fn outcome_bar([ok, failed, unknown]: [u64; 3], busiest: u64) -> Template {
    let width = |number: u64| match number {
        0 => 0.0,
        number => (number as f64 / busiest as f64 * 1000.0).round().max(8.0) / 10.0,
    };
    context! { ok => width(ok), failed => width(failed), unknown => width(unknown) }
}

fn campaign_verdict(campaign: &Campaign) -> String {
    match (campaign.runs as u64, campaign.failed as u64) {
        (0, _) => "No run artefact was found.".into(),
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
                .violations
                .iter()
                .find(|one| one.invariant == failure.invariant && shape(&one.message) == failure.shape);
            let mut by_seed = failure.runs.clone();
            by_seed.sort_by_key(|run| (&runs[*run].scenario, runs[*run].seed));
            let seeds: Vec<Template> = by_seed
                .iter()
                .take(40)
                .map(|run| context! { seed => runs[*run].seed.to_string(), page => &runs[*run].page })
                .collect();
            let pictured = pictured_runs.len() < PICTURED_FAILURES_MAX
                && clearest.end_ms() > 0.0
                && pictured_runs.insert(failure.runs[0]);
            context! {
                invariant => &failure.invariant,
                times => count(failure.runs.len() as u64),
                message => violation.map_or(failure.shape.as_str(), |violation| &violation.message),
                seeds,
                more => failure.runs.len().saturating_sub(40),
                clearest => context! {
                    scenario => &clearest.scenario,
                    seed => clearest.seed.to_string(),
                    page => &clearest.page,
                    reproduce => clearest.reproduce_command(),
                    faults => plural(clearest.faults.len() as u64, "fault"),
                },
                picture => pictured.then(|| serialized(timeline::picture(clearest))),
            }
        })
        .collect()
}

fn run_row(run: &Run) -> Template {
    context! {
        scenario => &run.scenario,
        seed => run.seed.to_string(),
        page => &run.page,
        tone => tone(run),
        word => verdict_word(run),
        invariant => run.first_violation().map(|violation| violation.invariant.as_str()),
        plant => &run.plant,
        workflows => count(run.workflows),
        faults => count(run.faults.len() as u64),
        virtual_time => duration(run.virtual_ms),
        wall => duration(run.wall_ms),
        trace => run.trace_hash.chars().take(12).collect::<String>(),
    }
}

/// Fault kinds by runs: failed runs first, so that a kind which brings failures stands out at the left.
fn matrix(campaign: &Campaign, runs: &[Run], order: &[usize]) -> Template {
    // Of a run of which there is only a summary, nobody knows the faults.
    let listed: Vec<usize> = order.iter().copied().filter(|run| !runs[*run].faults_in_order().is_empty()).collect();
    let columns = &listed[..listed.len().min(MATRIX_RUNS_MAX)];
    let failed = columns.iter().filter(|run| runs[**run].failed()).count();
    let cell = (720.0 / columns.len().max(1) as f64).clamp(4.0, 16.0);
    let rows: Vec<Template> = campaign
        .fault_kinds
        .iter()
        .enumerate()
        .map(|(row, (kind, by_run))| {
            let most = by_run.values().max().copied().unwrap_or(1).max(1);
            let cells: Vec<Template> = columns
                .iter()
                .enumerate()
                .filter_map(|(column, run)| {
                    let times = *by_run.get(run)?;
                    let strength = 0.35 + 0.65 * times as f64 / most as f64;
                    Some(context! {
                        x => column as f64 * cell, strength => (strength * 100.0).round() / 100.0,
                        title => format!("{kind} × {times} in {} seed {}", runs[*run].scenario, runs[*run].seed),
                    })
                })
                .collect();
            let failed = by_run.keys().filter(|run| runs[**run].failed()).count() as u64;
            context! {
                kind, family => family(kind), y => row as f64 * 20.0, cells,
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
