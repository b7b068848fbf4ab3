//! A lane per host: a bar for its process, and thin marks below it for whatever else was wrong.
use super::round;
use super::rows::shorten;
use super::scale::Scale;
use crate::Run;
use crate::run::{HostLane, Mark, Span, State};
use crate::words::{duration, moment};
use serde::Serialize;
use tempest_artifact::Family;

/// Height of a lane without marks, and of a row of marks.
const LANE: f64 = 22.0;
const MARK_ROW: f64 = 6.0;
/// Marks that find no free row lie over others.
const MARK_ROWS_MAX: usize = 4;
/// An instant is drawn this wide.
const WIDTH_MIN: f64 = 3.0;
/// Beyond this many, hosts to which nothing happened are left out.
const LANES_MAX: usize = 24;

#[derive(Debug, Serialize)]
pub(crate) struct Lane {
    pub name: String,
    pub y: f64,
    pub bars: Vec<Bar>,
    pub marks: Vec<MarkBar>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Bar {
    pub x: f64,
    pub width: f64,
    pub state: &'static str,
    pub title: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct MarkBar {
    pub kind: &'static str,
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub family: Family,
    pub is_cut: bool,
    /// The more others it is cut from, the darker.
    pub strength: f64,
    pub title: String,
}

/// The lanes from `top` downwards, and where they end.
pub(super) fn lanes(run: &Run, scale: &Scale, top: f64) -> (Vec<Lane>, f64) {
    let mut hosts = run.host_lanes();
    if hosts.len() > LANES_MAX {
        hosts.retain(|host| host.spans.len() > 1 || !host.marks.is_empty());
    }
    let mut y = top;
    let mut lanes = Vec::new();
    for host in &hosts {
        let (marks, rows) = marks(&host.marks, hosts.len() - 1, scale, y + LANE - 5.0);
        lanes.push(Lane { name: shorten(host.host.as_str(), 17), y: round(y), bars: bars(host, scale), marks });
        y += LANE + rows as f64 * MARK_ROW;
    }
    (lanes, round(y))
}

/// The states that are drawn at all, in the order in which they get worse.
pub(super) fn states(lanes: &[Lane]) -> Vec<&'static str> {
    let all = [State::Up, State::CutOff, State::Stopping, State::Paused, State::Down].map(State::name);
    let is_drawn = |state: &&str| lanes.iter().flat_map(|lane| &lane.bars).any(|bar| bar.state == *state);
    all.into_iter().filter(is_drawn).collect()
}

fn bars(host: &HostLane, scale: &Scale) -> Vec<Bar> {
    let bar = |Span { state, from_ms, to_ms }: &Span| {
        let x = scale.x(*from_ms);
        let width_min = if *state == State::Up { 0.0 } else { WIDTH_MIN };
        let lasted = duration(to_ms.saturating_sub(*from_ms));
        Bar {
            x,
            width: round((scale.x(*to_ms) - x).max(width_min)),
            state: state.name(),
            title: format!("{}: {} to {} ({lasted})", state.name(), moment(*from_ms), moment(*to_ms)),
        }
    };
    // What is widened to be seen lies over what follows it.
    let (up, struck): (Vec<&Span>, Vec<&Span>) = host.spans.iter().partition(|span| span.state == State::Up);
    up.into_iter().chain(struck).map(bar).collect()
}

/// Marks in the first row that is free, from `top` downwards, and how many rows they take.
fn marks(marks: &[Mark], others: usize, scale: &Scale, top: f64) -> (Vec<MarkBar>, usize) {
    let mut row_ends: Vec<f64> = Vec::new();
    let bar = |mark: &Mark| {
        let x = scale.x(mark.from_ms);
        let width = (scale.x(mark.to_ms) - x).max(WIDTH_MIN);
        let row = match row_ends.iter().position(|end| *end + 1.0 <= x) {
            Some(row) => row,
            None if row_ends.len() < MARK_ROWS_MAX => {
                row_ends.push(0.0);
                row_ends.len() - 1
            }
            None => MARK_ROWS_MAX - 1,
        };
        row_ends[row] = row_ends[row].max(x + width);
        let lasted = match mark.to_ms.saturating_sub(mark.from_ms) {
            0 => String::new(),
            lasted => format!(" to {} ({})", moment(mark.to_ms), duration(lasted)),
        };
        MarkBar {
            kind: mark.kind,
            x,
            y: round(top + row as f64 * MARK_ROW),
            width: round(width),
            family: mark.family,
            is_cut: mark.cut_from.is_some(),
            strength: mark.cut_from.map_or(0.5, |from| round(0.3 + 0.7 * from as f64 / others.max(1) as f64)),
            title: format!("{}: {}\n{}{lasted}", mark.kind, mark.how, moment(mark.from_ms)),
        }
    };
    let bars = marks.iter().map(bar).collect();
    (bars, row_ends.len())
}
