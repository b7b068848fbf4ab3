//! Small pictures of how the network was cut: which hosts saw which. One for each fault that cuts hosts apart; what
//! strikes a single link is told by its two ends.

use std::collections::BTreeSet;

use serde::Serialize;
use tempest_artifact::{Fault, Host};

use crate::{
    Run,
    run::Happened,
    words::{duration, moment},
};

/// Beyond this many the page would be longer than a person reads.
const SKETCHES_MAX: usize = 24;
const WIDTH: f64 = 330.0;
const BOX_WIDTH: f64 = 120.0;
const NAME_HEIGHT: f64 = 15.0;
const PADDING: f64 = 7.0;
/// Between the two sides and the group that sees both.
const GAP: f64 = 22.0;
/// Names of a ring stand outside of it.
const RING_MARGIN: f64 = 24.0;

#[derive(Debug, Default, Serialize)]
pub(crate) struct Sketch {
    pub kind: &'static str,
    pub at: String,
    pub lasted: String,
    pub about: &'static str,
    pub width: f64,
    pub height: f64,
    /// Groups of hosts that see each other.
    pub groups: Vec<Group>,
    /// Hosts that stand alone.
    pub nodes: Vec<Node>,
    pub lines: Vec<Line>,
    /// What a reader who cannot see it is told.
    pub description: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Group {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    /// It sees both sides.
    pub sees_all: bool,
    pub names: Vec<Name>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Name {
    pub x: f64,
    pub y: f64,
    pub text: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Node {
    pub x: f64,
    pub y: f64,
    pub name: Name,
    pub anchor: &'static str,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Line {
    pub x1: f64,
    pub y1: f64,
    pub x2: f64,
    pub y2: f64,
    pub is_cut: bool,
}

/// How hosts are cut apart.
enum Shape<'fault> {
    /// Nothing passes between two sides; hosts that are on none see both.
    Sides(Vec<&'fault Host>, Vec<&'fault Host>),
    /// Each sees its two neighbours.
    Ring(&'fault [Host]),
}

/// The sketches of a run, by time, and how many there would be more.
pub(crate) fn sketches(run: &Run) -> Sketches {
    let known = run.known_hosts();
    let happened = run.happened();
    let mut drawn: Vec<Sketch> = happened.iter().filter_map(|happened| sketch(happened, &known)).collect();
    let more = drawn.len().saturating_sub(SKETCHES_MAX);
    drawn.truncate(SKETCHES_MAX);
    Sketches { drawn, more }
}

#[derive(Debug, Serialize)]
pub(crate) struct Sketches {
    pub drawn: Vec<Sketch>,
    pub more: usize,
}

fn sketch(happened: &Happened, known: &BTreeSet<Host>) -> Option<Sketch> {
    let shape = match &*happened.fault {
        Fault::Partition(cut) => Shape::Sides(cut.one_side.iter().collect(), cut.other_side.iter().collect()),
        Fault::Isolate(cut) => Shape::Sides(vec![&cut.host], cut.others.iter().collect()),
        Fault::IsolateDatabase(cut) => Shape::Sides(vec![&cut.host], cut.others.iter().collect()),
        Fault::Bridge(cut) => Shape::Sides(cut.one_side.iter().collect(), cut.other_side.iter().collect()),
        Fault::Ring(cut) => Shape::Ring(&cut.ring),
        _ => return None,
    };
    let mut sketch = match shape {
        Shape::Sides(one, other) => {
            let both = known.iter().filter(|host| !one.contains(host) && !other.contains(host)).collect();
            sides(&one, &other, both)
        }
        Shape::Ring(hosts) => ring(hosts),
    };
    sketch.kind = happened.fault.name();
    sketch.about = happened.fault.about();
    sketch.at = moment(happened.at_ms);
    sketch.lasted = happened.lasted_ms().map(duration).unwrap_or_default();
    sketch.description = format!("{}: {}", sketch.kind, happened.detail());
    Some(sketch)
}

/// Two groups with a wall between them, and below it the hosts that see both.
fn sides(one: &[&Host], other: &[&Host], both: Vec<&Host>) -> Sketch {
    let height = |hosts: usize| hosts.max(1) as f64 * NAME_HEIGHT + 2.0 * PADDING;
    let top_height = height(one.len()).max(height(other.len()));
    let right = WIDTH - BOX_WIDTH;
    let mut groups = Vec::new();
    for (x, hosts) in [(0.0, one), (right, other)] {
        groups.push(group(x, (top_height - height(hosts.len())) / 2.0, hosts, false));
    }
    let middle = top_height / 2.0;
    let mut lines = vec![Line { x1: BOX_WIDTH, y1: middle, x2: right, y2: middle, is_cut: true }];
    let mut total = top_height;
    if !both.is_empty() {
        let (x, y) = ((WIDTH - BOX_WIDTH) / 2.0, top_height + GAP);
        groups.push(group(x, y, &both, true));
        // From the middle of the lower edge of each side to the group that sees both.
        for (index, from) in [BOX_WIDTH / 2.0, right + BOX_WIDTH / 2.0].into_iter().enumerate() {
            let edge = groups[index].y + groups[index].height;
            let to = if index == 0 { x } else { x + BOX_WIDTH };
            lines.push(Line { x1: from, y1: edge, x2: to, y2: y + height(both.len()) / 2.0, is_cut: false });
        }
        total = y + height(both.len());
    }
    Sketch { width: WIDTH, height: total + 2.0, groups, lines, ..Sketch::default() }
}

fn group(x: f64, y: f64, hosts: &[&Host], sees_all: bool) -> Group {
    let name = |(index, host): (usize, &&Host)| Name {
        x: x + BOX_WIDTH / 2.0,
        y: y + PADDING + (index as f64 + 0.75) * NAME_HEIGHT,
        text: host.0.clone(),
    };
    let names: Vec<Name> = hosts.iter().enumerate().map(name).collect();
    let height = names.len().max(1) as f64 * NAME_HEIGHT + 2.0 * PADDING;
    Group { x, y, width: BOX_WIDTH, height, sees_all, names }
}

/// The hosts in a circle, neighbours joined, all other pairs cut.
fn ring(hosts: &[Host]) -> Sketch {
    let radius = (hosts.len() as f64 * 7.0).clamp(40.0, 90.0);
    let (centre_x, centre_y) = (WIDTH / 2.0, radius + RING_MARGIN);
    let place = |index: usize, radius: f64| {
        let angle = std::f64::consts::TAU * index as f64 / hosts.len() as f64 - std::f64::consts::FRAC_PI_2;
        (tenth(centre_x + radius * angle.cos()), tenth(centre_y + radius * angle.sin()))
    };
    let mut lines = Vec::new();
    for one in 0..hosts.len() {
        for other in one + 1..hosts.len() {
            let is_cut = other != one + 1 && (one != 0 || other + 1 != hosts.len());
            let ((x1, y1), (x2, y2)) = (place(one, radius), place(other, radius));
            lines.push(Line { x1, y1, x2, y2, is_cut });
        }
    }
    // What is joined lies over what is cut.
    lines.sort_by_key(|line| !line.is_cut);
    let node = |(index, host): (usize, &Host)| {
        let ((x, y), (name_x, name_y)) = (place(index, radius), place(index, radius + 12.0));
        let anchor = match name_x - centre_x {
            offset if offset > 4.0 => "start",
            offset if offset < -4.0 => "end",
            _ => "middle",
        };
        Node { x, y, name: Name { x: name_x, y: name_y + 4.0, text: host.0.clone() }, anchor }
    };
    let nodes = hosts.iter().enumerate().map(node).collect();
    Sketch { width: WIDTH, height: 2.0 * (radius + RING_MARGIN), nodes, lines, ..Sketch::default() }
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(names: &[&str]) -> Vec<Host> {
        names.iter().map(|name| Host((*name).into())).collect()
    }

    #[test]
    fn a_wall_is_between_two_sides_and_a_bridge_joins_them() {
        let all = hosts(&["server-1", "server-2", "worker-1", "client"]);
        let sketch = sides(&[&all[0]], &[&all[1], &all[2]], vec![&all[3]]);
        let names: Vec<Vec<&str>> =
            sketch.groups.iter().map(|group| group.names.iter().map(|name| name.text.as_str()).collect()).collect();
        assert_eq!(names, [vec!["server-1"], vec!["server-2", "worker-1"], vec!["client"]]);
        assert_eq!(sketch.groups.iter().map(|group| group.sees_all).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(sketch.lines.iter().filter(|line| line.is_cut).count(), 1);
        assert_eq!(sketch.lines.iter().filter(|line| !line.is_cut).count(), 2);
        assert!(sketch.groups.iter().all(|group| group.y + group.height <= sketch.height), "{sketch:?}");
    }

    #[test]
    fn in_a_ring_each_has_two_neighbours() {
        for number in 0..14usize {
            let names: Vec<String> = (0..number).map(|number| format!("server-{number}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let sketch = ring(&hosts(&names));
            let joined = sketch.lines.iter().filter(|line| !line.is_cut).count();
            assert_eq!(joined, if number > 2 { number } else { number.saturating_sub(1) });
            assert_eq!(sketch.lines.len(), number * number.saturating_sub(1) / 2, "every pair is joined or cut");
        }
    }
}
