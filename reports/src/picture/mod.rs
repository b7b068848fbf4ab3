//! The geometry of a run's picture: what happened on which host when. Pure: it takes a run and returns where things
//! are drawn; the template draws them.
//!
//! From top to bottom: the phases, the faults as bars with their names, a lane per host, a thin lane per shard of a
//! cluster, the clients' calls as columns, and the virtual clock. Violations go through all of it as numbered lines.
mod calls;
mod faults;
mod flags;
mod hosts;
mod rows;
mod scale;
mod shards;

use crate::Run;
use crate::ownership::transfers;
use crate::words::{duration, moment, plural};
use calls::Calls;
use faults::FaultBar;
use flags::Flag;
use hosts::Lane;
use scale::{Scale, Tick};
use serde::Serialize;
use shards::ShardLanes;
pub(crate) use shards::server_colours;
use tempest_artifact::Family;

const WIDTH: f64 = 1120.0;
/// Room for the names of hosts at the left, and for a label's end at the right.
const LEFT: f64 = 118.0;
const RIGHT: f64 = 12.0;
const PHASE_HEIGHT: f64 = 20.0;
const GAP: f64 = 14.0;
/// What a letter of a label needs at the picture's font size.
const LETTER: f64 = 6.1;

#[derive(Debug, Default, Serialize)]
pub(crate) struct Picture {
    pub width: f64,
    pub height: f64,
    pub left: f64,
    pub right: f64,
    pub phases: Vec<PhaseBand>,
    pub faults_top: f64,
    pub faults: Vec<FaultBar>,
    /// Families of the faults that are drawn, for the legend.
    pub families: Vec<Family>,
    pub lanes: Vec<Lane>,
    /// States of hosts that are drawn, for the legend.
    pub states: Vec<&'static str>,
    pub any_cut: bool,
    pub any_disturbed: bool,
    pub lanes_top: f64,
    pub lanes_bottom: f64,
    pub shards: Option<ShardLanes>,
    pub calls: Option<Calls>,
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

pub(crate) fn picture(run: &Run) -> Picture {
    let scale = Scale::new(run);
    let mut picture =
        Picture { width: WIDTH, left: LEFT, right: WIDTH - RIGHT, stretched: scale.stretched, ..Picture::default() };
    picture.flags = flags::flags(run, &scale);
    picture.phases = phases(run, &scale);
    let mut y = if picture.flags.is_empty() { 2.0 } else { 20.0 };
    y += if picture.phases.is_empty() { 0.0 } else { PHASE_HEIGHT + 8.0 };

    picture.faults_top = y;
    let (faults, height) = faults::fault_bars(run, &scale, y);
    picture.families =
        Family::ALL.into_iter().filter(|family| faults.iter().any(|bar| bar.family == *family)).collect();
    picture.faults = faults;
    y += if height == 0.0 { 0.0 } else { height + GAP };

    picture.lanes_top = y;
    (picture.lanes, y) = hosts::lanes(run, &scale, y);
    picture.states = hosts::states(&picture.lanes);
    let marks = || picture.lanes.iter().flat_map(|lane| &lane.marks);
    (picture.any_cut, picture.any_disturbed) = (marks().any(|mark| mark.is_cut), marks().any(|mark| !mark.is_cut));
    picture.lanes_bottom = y;
    y += if picture.lanes.is_empty() { 0.0 } else { GAP };

    picture.shards = shards::shard_lanes(run, &scale, y);
    y = picture.shards.as_ref().map_or(y, |shards| shards.end + GAP);

    picture.calls = calls::calls(run, &scale, y);
    y = picture.calls.as_ref().map_or(y, |calls| calls.base + 4.0);
    picture.axis = y;
    picture.ticks = scale.ticks();
    picture.height = y + 22.0;
    picture.description = description(run, picture.lanes.len());
    picture
}

fn description(run: &Run, hosts: usize) -> String {
    let (lasted, faults, violations) = (duration(run.end_ms()), run.artifact.faults, run.artifact.violations.len());
    let mut text = format!("Timeline of {lasted}: {faults} faults and {hosts} hosts, {violations} violations.");
    let ownership = &run.artifact.ownership;
    if !ownership.is_empty() {
        let failovers = plural(ownership.failovers.len() as u64, "failover");
        text += &format!(" Shards changed hands {}, {failovers}.", plural(transfers(ownership), "time"));
    }
    text
}

fn phases(run: &Run, scale: &Scale) -> Vec<PhaseBand> {
    let phases = run.artifact.phases.iter().enumerate();
    let band = |(index, phase): (usize, &tempest_artifact::Phase)| {
        let x = scale.x(phase.from_ms);
        let width = round((scale.x(phase.to_ms) - x).max(1.0));
        PhaseBand {
            x,
            width,
            named: width > rows::width_of(&phase.name) + 6.0,
            odd: index % 2 == 1,
            title: format!("{}: {} to {}", phase.name, moment(phase.from_ms), moment(phase.to_ms)),
            name: phase.name.clone(),
        }
    };
    phases.map(band).collect()
}

/// Tenths are enough on a screen and keep pages small.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
