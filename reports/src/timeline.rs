//! The geometry of a run's picture: what happened on which host when. Pure: it takes a run and returns where things
//! are drawn; the template draws them.
//!
//! From top to bottom: the phases, the faults as bars with their names, a lane per host, a thin lane per shard of a
//! cluster, the clients' calls as columns, and the virtual clock. Violations go through all of it as numbered lines.

use serde::Serialize;

use crate::{
    Fault, HostState, Outcome, Run,
    campaign::kinds_of_violations,
    shard_lanes::{ShardLanes, shard_lanes},
    words::{duration, moment, plural},
};

pub(crate) const WIDTH: f64 = 1120.0;
/// Room for the names of hosts at the left, and for a label's end at the right.
const LEFT: f64 = 118.0;
const RIGHT: f64 = 12.0;
const PHASE_HEIGHT: f64 = 20.0;
const FAULT_ROW: f64 = 17.0;
const LANE: f64 = 24.0;
const CALLS: f64 = 54.0;
const GAP: f64 = 14.0;
/// What a letter of a label needs at the picture's font size.
pub(crate) const LETTER: f64 = 6.1;
/// Beyond this many, faults that find no free row are drawn without a label.
const FAULT_ROWS_MAX: usize = 14;
const COLUMNS: usize = 140;
const FLAGS_MAX: usize = 20;
/// A storm that would get less of the width than this gets a scale of its own.
const STORM_SHARE_MIN: f64 = 0.45;

#[derive(Debug, Default, Serialize)]
pub(crate) struct Picture {
    pub width: f64,
    pub height: f64,
    pub left: f64,
    pub right: f64,
    pub phases: Vec<PhaseBand>,
    pub faults_top: f64,
    pub faults: Vec<FaultBar>,
    pub lanes: Vec<Lane>,
    pub lanes_top: f64,
    pub lanes_bottom: f64,
    pub shards: Option<ShardLanes>,
    pub columns: Vec<Column>,
    pub columns_base: f64,
    pub columns_top: f64,
    /// Calls in the highest column.
    pub columns_max: u64,
    pub ticks: Vec<Tick>,
    pub axis: f64,
    pub flags: Vec<Flag>,
    /// The phases are drawn at different scales.
    pub stretched: bool,
    /// What a reader who cannot see the picture is told.
    pub description: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct PhaseBand {
    pub name: String,
    pub x: f64,
    pub width: f64,
    /// The name fits into the band.
    pub named: bool,
    pub odd: bool,
    pub title: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct FaultBar {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub family: &'static str,
    pub label: String,
    pub label_x: f64,
    pub anchor: &'static str,
    pub title: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Lane {
    pub name: String,
    pub y: f64,
    pub bars: Vec<Bar>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Bar {
    pub x: f64,
    pub width: f64,
    pub state: &'static str,
    pub title: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Column {
    pub x: f64,
    pub width: f64,
    pub ok: f64,
    pub failed: f64,
    pub unknown: f64,
    pub title: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Tick {
    pub x: f64,
    pub label: String,
    pub anchor: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Flag {
    pub x: f64,
    pub number: usize,
    /// Flags at nearly the same moment are drawn side by side.
    pub flag_x: f64,
    pub title: String,
}

/// The family of a fault decides its colour. Names are those of the fault catalogue, matched by what they contain.
pub(crate) fn family(kind: &str) -> &'static str {
    const FAMILIES: &[(&str, &[&str])] = &[
        ("disk", &["disk", "fsync", "torn", "bit_rot", "enospc", "eio", "misdirected"]),
        ("clock", &["clock", "skew", "drift", "jump"]),
        ("database", &["database", "primary", "standby", "promot", "read_only", "commit"]),
        ("process", &["crash", "restart", "pause", "freeze", "shutdown", "upgrade", "power", "kill", "process"]),
        (
            "network",
            &[
                "partition",
                "one_way",
                "clog",
                "latency",
                "loss",
                "reset",
                "half_open",
                "network",
                "rpc",
                "isolate",
                "bridge",
                "ring",
                "slow_node",
            ],
        ),
        ("shard", &["shard", "ownership"]),
        ("worker", &["worker", "sticky", "cache"]),
    ];
    let kind = kind.to_lowercase().replace(['-', ' '], "_");
    FAMILIES
        .iter()
        .find(|(_, words)| words.iter().any(|word| kind.contains(word)))
        .map_or("other", |(family, _)| family)
}

/// Virtual time to horizontal place, piece by piece.
pub(crate) struct Scale {
    /// (from ms, to ms, from x, to x), ascending and touching.
    pieces: Vec<(f64, f64, f64, f64)>,
    stretched: bool,
}

impl Scale {
    pub(crate) fn new(run: &Run) -> Self {
        let end = run.end_ms().max(1.0);
        let (from_x, to_x) = (LEFT, WIDTH - RIGHT);
        let linear = Scale { pieces: vec![(0.0, end, from_x, to_x)], stretched: false };
        let storm: f64 =
            run.phases.iter().filter(|phase| phase.name == "storm").map(|phase| phase.to_ms - phase.from_ms).sum();
        if run.phases.len() < 2 || storm <= 0.0 || storm / end >= STORM_SHARE_MIN {
            return linear;
        }
        let mut bounds: Vec<f64> = run.phases.iter().flat_map(|phase| [phase.from_ms, phase.to_ms]).collect();
        bounds.extend([0.0, end]);
        bounds.retain(|bound| bound.is_finite() && *bound >= 0.0);
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        let weights: Vec<f64> = bounds
            .windows(2)
            .map(|piece| {
                let stormy = run
                    .phases
                    .iter()
                    .any(|phase| phase.name == "storm" && phase.from_ms <= piece[0] && piece[1] <= phase.to_ms);
                if stormy { 0.0 } else { (piece[1] - piece[0]).sqrt() }
            })
            .collect();
        let quiet: f64 = weights.iter().sum();
        let storms = weights.iter().filter(|weight| **weight == 0.0).count() as f64;
        let mut x = from_x;
        let mut pieces = Vec::new();
        for (piece, weight) in bounds.windows(2).zip(&weights) {
            let share = if *weight == 0.0 { 0.6 / storms } else { 0.4 * weight / quiet };
            let next = x + share * (to_x - from_x);
            pieces.push((piece[0], piece[1], x, next));
            x = next;
        }
        Scale { pieces, stretched: true }
    }

    pub(crate) fn x(&self, ms: f64) -> f64 {
        let piece = self
            .pieces
            .iter()
            .find(|(_, to, _, _)| ms <= *to)
            .or(self.pieces.last())
            .expect("a scale has at least one piece");
        let (from, to, from_x, to_x) = *piece;
        let share = if to > from { ((ms - from) / (to - from)).clamp(0.0, 1.0) } else { 0.0 };
        round(from_x + share * (to_x - from_x))
    }

    fn ms(&self, x: f64) -> f64 {
        let piece = self
            .pieces
            .iter()
            .find(|(_, _, _, to_x)| x <= *to_x)
            .or(self.pieces.last())
            .expect("a scale has at least one piece");
        let (from, to, from_x, to_x) = *piece;
        if to_x > from_x { from + (x - from_x) / (to_x - from_x) * (to - from) } else { from }
    }

    /// Round moments, about every hundred units of width.
    fn ticks(&self) -> Vec<Tick> {
        let mut ticks: Vec<Tick> = Vec::new();
        for (from, to, from_x, to_x) in &self.pieces {
            let wanted = ((to_x - from_x) / 95.0).floor().max(1.0);
            let step = round_step((to - from) / wanted);
            let mut at = (from / step).ceil() * step;
            while at <= to + step * 1e-6 {
                let x = self.x(at);
                if ticks.last().is_none_or(|last| x - last.x > 55.0) && x < WIDTH - RIGHT - 20.0 {
                    let anchor = if x - LEFT < 4.0 { "start" } else { "middle" };
                    ticks.push(Tick { x, label: tick_label(at, step), anchor });
                }
                at += step;
            }
        }
        ticks
    }
}

pub(crate) fn picture(run: &Run) -> Picture {
    let scale = Scale::new(run);
    let mut picture =
        Picture { width: WIDTH, left: LEFT, right: WIDTH - RIGHT, stretched: scale.stretched, ..Picture::default() };
    picture.flags = flags(run, &scale);
    picture.phases = phases(run, &scale);
    let mut y = if picture.flags.is_empty() { 2.0 } else { 20.0 };
    y += if picture.phases.is_empty() { 0.0 } else { PHASE_HEIGHT + 8.0 };

    picture.faults_top = y;
    let (faults, rows) = fault_bars(run, &scale, y);
    picture.faults = faults;
    y += if rows == 0 { 0.0 } else { rows as f64 * FAULT_ROW + GAP };

    picture.lanes_top = y;
    picture.lanes = lanes(run, &scale, y);
    y += picture.lanes.len() as f64 * LANE;
    picture.lanes_bottom = y;
    y += if picture.lanes.is_empty() { 0.0 } else { GAP };

    picture.shards = shard_lanes(run, &scale, y);
    y = picture.shards.as_ref().map_or(y, |shards| shards.end + GAP);

    if !run.operations.is_empty() {
        picture.columns_top = y;
        picture.columns_base = y + CALLS;
        (picture.columns, picture.columns_max) = columns(run, &scale);
        y += CALLS + 4.0;
    }
    picture.axis = y;
    picture.ticks = scale.ticks();
    picture.height = y + 22.0;
    picture.description = description(run, picture.lanes.len());
    picture
}

fn description(run: &Run, hosts: usize) -> String {
    let (lasted, faults, violations) = (duration(run.end_ms()), run.faults.len(), run.violations.len());
    let mut text = format!("Timeline of {lasted}: {faults} faults and {hosts} hosts, {violations} violations.");
    if !run.ownership.is_empty() {
        let failovers = plural(run.ownership.failovers.len() as u64, "failover");
        text += &format!(" Shards changed hands {}, {failovers}.", plural(run.ownership.hand_overs(), "time"));
    }
    text
}

fn phases(run: &Run, scale: &Scale) -> Vec<PhaseBand> {
    run.phases
        .iter()
        .enumerate()
        .map(|(index, phase)| {
            let x = scale.x(phase.from_ms);
            let width = round((scale.x(phase.to_ms) - x).max(1.0));
            PhaseBand {
                x,
                width,
                named: width > phase.name.chars().count() as f64 * LETTER + 6.0,
                odd: index % 2 == 1,
                title: format!("{}: {} to {}", phase.name, moment(phase.from_ms), moment(phase.to_ms)),
                name: phase.name.clone(),
            }
        })
        .collect()
}

/// Faults in the order of their time, each in the first row where bar and label find room.
fn fault_bars(run: &Run, scale: &Scale, top: f64) -> (Vec<FaultBar>, usize) {
    let mut row_ends: Vec<f64> = Vec::new();
    let mut bars = Vec::new();
    for fault in run.faults_in_order() {
        let x = scale.x(fault.at_ms);
        let until = run.fault_end_ms(fault);
        let end = scale.x(until.unwrap_or(fault.at_ms)).max(x + 3.0);
        let label = fault_label(fault);
        let needed = label.chars().count() as f64 * LETTER;
        // A label stands behind its bar, or before it where the picture ends.
        let behind = end + 5.0 + needed <= WIDTH - 2.0;
        let (from, to) = if behind { (x, end + 5.0 + needed) } else { (x - 5.0 - needed, end) };
        let (row, label) = match free_row(&mut row_ends, from, FAULT_ROWS_MAX) {
            Some(row) => (row, label),
            None => {
                let earliest = (0..row_ends.len()).min_by(|a, b| row_ends[*a].total_cmp(&row_ends[*b]));
                (earliest.expect("there are rows when the last one is taken"), String::new())
            }
        };
        row_ends[row] = if label.is_empty() { row_ends[row].max(end) } else { to };
        bars.push(FaultBar {
            x,
            y: round(top + row as f64 * FAULT_ROW),
            width: round(end - x),
            family: family(&fault.kind),
            label,
            label_x: round(if behind { end + 5.0 } else { x - 5.0 }),
            anchor: if behind { "start" } else { "end" },
            title: fault_title(fault, until),
        });
    }
    (bars, row_ends.len())
}

/// The first row that is free from there on, or a new one if there may be more.
pub(crate) fn free_row(row_ends: &mut Vec<f64>, from: f64, rows_max: usize) -> Option<usize> {
    let free = row_ends.iter().position(|row_end| *row_end + 8.0 <= from);
    if free.is_none() && row_ends.len() < rows_max {
        row_ends.push(0.0);
        return Some(row_ends.len() - 1);
    }
    free
}

fn fault_label(fault: &Fault) -> String {
    let hosts = fault.hosts.join(", ");
    let label = if hosts.is_empty() { fault.kind.clone() } else { format!("{} {hosts}", fault.kind) };
    shorten(&label, 38)
}

fn shorten(text: &str, letters_max: usize) -> String {
    if text.chars().count() <= letters_max {
        return text.to_string();
    }
    text.chars().take(letters_max - 1).chain(['…']).collect()
}

fn fault_title(fault: &Fault, until: Option<f64>) -> String {
    let mut title = format!("{} {}", fault.kind, fault.hosts.join(", ")).trim_end().to_string();
    title += &format!("\n{}", moment(fault.at_ms));
    if let Some(until) = until {
        title += &format!(" to {} ({})", moment(until), duration(until - fault.at_ms));
    }
    if !fault.detail.is_empty() {
        title += &format!("\n{}", fault.detail);
    }
    title
}

fn lanes(run: &Run, scale: &Scale, top: f64) -> Vec<Lane> {
    let end = run.end_ms();
    run.host_lanes()
        .iter()
        .enumerate()
        .map(|(index, host)| {
            let mut bars = Vec::new();
            let mut spans: Vec<_> = host.spans.iter().filter(|span| span.state != HostState::Up).collect();
            spans.sort_by(|a, b| a.from_ms.total_cmp(&b.from_ms));
            // The host is up between what stops it; partitions lie over the bar and do not interrupt it.
            let mut up_from = 0.0;
            let stops = spans.iter().filter(|span| matches!(span.state, HostState::Down | HostState::Paused));
            for span in stops {
                push_bar(&mut bars, scale, up_from, span.from_ms, "up");
                push_bar(&mut bars, scale, span.from_ms.max(up_from), span.to_ms, state_class(span.state));
                up_from = f64::max(up_from, span.to_ms);
            }
            push_bar(&mut bars, scale, up_from, end, "up");
            for span in spans.iter().filter(|span| !matches!(span.state, HostState::Down | HostState::Paused)) {
                push_bar(&mut bars, scale, span.from_ms, span.to_ms, state_class(span.state));
            }
            Lane { name: shorten(&host.name, 17), y: round(top + index as f64 * LANE), bars }
        })
        .collect()
}

fn push_bar(bars: &mut Vec<Bar>, scale: &Scale, from: f64, to: f64, state: &'static str) {
    if to < from || (to == from && state == "up") {
        return;
    }
    let x = scale.x(from);
    let width = round((scale.x(to) - x).max(if state == "up" { 0.0 } else { 2.0 }));
    let title = format!("{state}: {} to {} ({})", moment(from), moment(to), duration(to - from));
    bars.push(Bar { x, width, state, title });
}

fn state_class(state: HostState) -> &'static str {
    match state {
        HostState::Up => "up",
        HostState::Down => "down",
        HostState::Paused => "paused",
        HostState::Partitioned => "partitioned",
        HostState::Unknown => "unknown",
    }
}

/// The clients' calls by the moment they began, in columns of equal width.
fn columns(run: &Run, scale: &Scale) -> (Vec<Column>, u64) {
    let width = (WIDTH - RIGHT - LEFT) / COLUMNS as f64;
    let mut counts = vec![[0u64; 3]; COLUMNS];
    for operation in &run.operations {
        let index = ((scale.x(operation.at_ms) - LEFT) / width) as usize;
        let outcome = match operation.outcome {
            Outcome::Ok => 0,
            Outcome::Failed => 1,
            Outcome::Unknown => 2,
        };
        counts[index.min(COLUMNS - 1)][outcome] += 1;
    }
    let max = counts.iter().map(|column| column.iter().sum::<u64>()).max().unwrap_or(0).max(1);
    let height = |count: u64| round(count as f64 / max as f64 * (CALLS - 4.0));
    let columns = counts
        .iter()
        .enumerate()
        .filter(|(_, [ok, failed, unknown])| ok + failed + unknown > 0)
        .map(|(index, [ok, failed, unknown])| {
            let x = LEFT + index as f64 * width;
            Column {
                x: round(x),
                width: round(width - 1.0),
                ok: height(*ok),
                failed: height(*failed),
                unknown: height(*unknown),
                title: format!("from {}: {ok} ok, {failed} failed, {unknown} unknown", moment(scale.ms(x))),
            }
        })
        .collect();
    (columns, max)
}

fn flags(run: &Run, scale: &Scale) -> Vec<Flag> {
    // One of each kind: hundreds of lines would hide the picture.
    let mut flags: Vec<Flag> = kinds_of_violations(run)
        .into_iter()
        .take(FLAGS_MAX)
        .filter_map(|alike| {
            let violation = &run.violations[alike[0]];
            let at = violation.moment_ms()?;
            let title = format!("{} at {}\n{}", violation.invariant, moment(at), violation.message);
            Some(Flag { x: scale.x(at), number: alike[0] + 1, flag_x: 0.0, title })
        })
        .collect();
    flags.sort_by(|a, b| a.x.total_cmp(&b.x));
    let mut free = f64::MIN;
    for flag in &mut flags {
        flag.flag_x = round(flag.x.max(free));
        free = flag.flag_x + 17.0;
    }
    // What does not fit at the right moves left again.
    let mut limit = WIDTH - 16.0;
    for flag in flags.iter_mut().rev() {
        flag.flag_x = round(flag.flag_x.min(limit));
        limit = flag.flag_x - 17.0;
    }
    flags
}

fn round_step(rough: f64) -> f64 {
    const STEPS: &[f64] = &[
        1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 1.5e4, 3e4, 6e4, 1.2e5, 3e5, 6e5,
        9e5, 1.8e6, 3.6e6, 7.2e6, 2.16e7, 4.32e7, 8.64e7,
    ];
    STEPS.iter().copied().find(|step| *step >= rough).unwrap_or((rough / 8.64e7).ceil() * 8.64e7)
}

fn tick_label(ms: f64, step: f64) -> String {
    let total = ms.round() as u64;
    let (seconds, minutes, hours) = (total / 1000 % 60, total / 60_000 % 60, total / 3_600_000);
    match step {
        _ if total == 0 => "0".into(),
        step if step < 1000.0 && total < 1000 => format!("{total} ms"),
        step if step < 1000.0 && total < 60_000 => format!("{:.1} s", ms / 1000.0),
        _ if total < 60_000 => format!("{seconds} s"),
        _ if hours == 0 => format!("{minutes}:{seconds:02}"),
        _ if hours < 48 => format!("{hours}:{minutes:02}:{seconds:02}"),
        _ => format!("{} d {} h", hours / 24, hours % 24),
    }
}

/// Tenths are enough on a screen and keep pages small.
pub(crate) fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HostLane, HostSpan, Phase};

    fn phase(name: &str, from_ms: f64, to_ms: f64) -> Phase {
        Phase { name: name.into(), from_ms, to_ms }
    }

    #[test]
    fn a_long_drain_does_not_squeeze_the_storm() {
        let run = Run {
            phases: vec![phase("storm", 0.0, 10_000.0), phase("drain", 10_000.0, 3_600_000.0)],
            ..Run::default()
        };
        let picture = picture(&run);
        assert!(picture.stretched);
        assert!(picture.phases[0].width > 0.5 * (picture.right - picture.left));
        let scale = Scale::new(&run);
        let there_and_back = scale.ms(scale.x(5_000.0));
        assert!((there_and_back - 5_000.0).abs() < 20.0, "{there_and_back}");
    }

    #[test]
    fn fault_labels_never_overlap_in_a_row() {
        let faults = (0..40)
            .map(|index| Fault {
                kind: "partition".into(),
                at_ms: f64::from(index) * 100.0,
                until_ms: Some(f64::from(index) * 100.0 + 250.0),
                hosts: vec!["server-1".into()],
                ..Fault::default()
            })
            .collect();
        let run = Run { faults, ..Run::default() };
        let picture = picture(&run);
        for (index, a) in picture.faults.iter().enumerate() {
            for b in &picture.faults[index + 1..] {
                if a.y != b.y || a.label.is_empty() || b.label.is_empty() {
                    continue;
                }
                let extent = |bar: &FaultBar| {
                    let needed = bar.label.chars().count() as f64 * LETTER;
                    if bar.anchor == "start" { (bar.x, bar.label_x + needed) } else { (bar.label_x - needed, bar.x) }
                };
                let ((a_from, a_to), (b_from, b_to)) = (extent(a), extent(b));
                assert!(a_to <= b_from || b_to <= a_from, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn a_host_is_up_between_what_stops_it() {
        let spans = vec![
            HostSpan { from_ms: 100.0, to_ms: 200.0, state: HostState::Down },
            HostSpan { from_ms: 150.0, to_ms: 300.0, state: HostState::Partitioned },
        ];
        let run =
            Run { hosts: vec![HostLane { name: "server-1".into(), spans }], virtual_ms: 1000.0, ..Run::default() };
        let picture = picture(&run);
        let states: Vec<&str> = picture.lanes[0].bars.iter().map(|bar| bar.state).collect();
        assert_eq!(states, ["up", "down", "up", "partitioned"]);
    }

    #[test]
    fn every_family_has_its_faults() {
        assert_eq!(family("partition-one-way"), "network");
        assert_eq!(family("power-loss"), "process");
        assert_eq!(family("slow-node"), "network");
        assert_eq!(family("slow-commits"), "database");
        assert_eq!(family("ring"), "network");
        assert_eq!(family("clock_jump"), "clock");
        assert_eq!(family("crash"), "process");
        assert_eq!(family("promote_standby"), "database");
        assert_eq!(family("moonshine"), "other");
    }
}
