//! The part of a run's picture that shows its cluster: a thin lane per shard with a bar per owner, and the failovers of
//! the database as lines through all lanes. Pure, like the rest of the picture; a server that was alone has none of it.

use serde::Serialize;

use super::round;
use super::rows::{Rows, width_of};
use super::scale::Scale;
use crate::Run;
use crate::ownership::{Owner, failover_in_words, owners, servers, silence};
use crate::words::{count, duration, moment, plural};
use tempest_artifact::{Ownership, Promotion};

const LANE: f64 = 16.0;
const LABEL_ROW: f64 = 15.0;
/// Beyond this many, failovers that find no free row have their words in the title alone.
const LABEL_ROWS_MAX: usize = 3;
/// Lanes of more shards than these would push the rest of the picture off the screen.
const LANES_MAX: usize = 16;
/// The stylesheet has this many colours. With more servers some share one: bars and legend name them all the same.
const COLOURS: usize = 8;
/// Below this width, in units of the picture, a bar would not be seen.
const BAR_WIDTH_MIN: f64 = 2.0;

#[derive(Debug, Default, Serialize)]
pub(crate) struct ShardLanes {
    pub lanes: Vec<ShardLane>,
    /// Which shards are not drawn, in words; empty if all are.
    pub left_out: String,
    pub failovers: Vec<FailoverLine>,
    /// Some failover's time without commits is drawn.
    pub any_silence: bool,
    /// Servers and their colours, for the legend.
    pub servers: Vec<ServerColour>,
    /// Where the lanes begin, below the labels of the failovers.
    pub top: f64,
    /// Where the lanes end.
    pub bottom: f64,
    /// Where whatever follows in the picture may begin.
    pub end: f64,
}

#[derive(Debug, Serialize)]
pub(crate) struct ShardLane {
    pub name: String,
    pub y: f64,
    pub bars: Vec<OwnerBar>,
}

#[derive(Debug, Serialize)]
pub(crate) struct OwnerBar {
    pub x: f64,
    pub width: f64,
    pub colour: usize,
    /// The server's name, where it fits.
    pub label: String,
    pub title: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct FailoverLine {
    pub x: f64,
    pub label: String,
    pub label_x: f64,
    pub label_y: f64,
    pub anchor: &'static str,
    pub title: String,
    pub silence: Option<Silence>,
}

/// The time without commits around a failover.
#[derive(Debug, Serialize)]
pub(crate) struct Silence {
    pub x: f64,
    pub width: f64,
}

#[derive(Debug, Serialize)]
pub(crate) struct ServerColour {
    pub name: String,
    pub colour: usize,
}

/// What the picture shows of a cluster, from `top` downwards; none for a server that was alone.
pub(super) fn shard_lanes(run: &Run, scale: &Scale, top: f64) -> Option<ShardLanes> {
    let ownership = &run.artifact.ownership;
    if ownership.leases.is_empty() && ownership.failovers.is_empty() {
        return None;
    }
    let (failovers, rows) = failover_lines(ownership, scale, top);
    let lanes_top = top + rows as f64 * LABEL_ROW;
    let servers = server_colours(ownership);
    let owners = owners(ownership);
    let (drawn, left_out) = most_transferred(owners.iter().map(|(shard, owners)| (*shard, owners.len())).collect());
    let lanes: Vec<ShardLane> = drawn
        .iter()
        .enumerate()
        .map(|(index, shard)| ShardLane {
            name: format!("shard {shard}"),
            y: round(lanes_top + index as f64 * LANE),
            bars: owners[shard].iter().map(|owner| owner_bar(*shard, owner, &servers, scale)).collect(),
        })
        .collect();
    let bottom = lanes_top + lanes.len() as f64 * LANE;
    let end = bottom + if left_out.is_empty() { 0.0 } else { LABEL_ROW };
    let any_silence = failovers.iter().any(|failover| failover.silence.is_some());
    Some(ShardLanes { lanes, left_out, failovers, any_silence, servers, top: lanes_top, bottom, end })
}

pub(crate) fn server_colours(ownership: &Ownership) -> Vec<ServerColour> {
    let colour = |(index, name): (usize, &str)| ServerColour { name: name.into(), colour: index % COLOURS + 1 };
    servers(ownership).into_iter().enumerate().map(colour).collect()
}

/// Of shards and the number of their owners: the shards that are drawn, in order, and what is said of the others.
fn most_transferred(mut shards: Vec<(u32, usize)>) -> (Vec<u32>, String) {
    shards.sort_by_key(|(shard, owners)| (std::cmp::Reverse(*owners), *shard));
    let left_out = shards.split_off(shards.len().min(LANES_MAX));
    let mut drawn: Vec<u32> = shards.into_iter().map(|(shard, _)| shard).collect();
    drawn.sort_unstable();
    let said = left_out.first().map(|(_, owners)| {
        let others = plural(left_out.len() as u64, "more shard");
        match owners - 1 {
            0 => format!("not drawn: {others}, which never changed hands"),
            1 => format!("not drawn: {others}, which changed hands at most once"),
            times => format!("not drawn: {others}, which changed hands at most {times} times"),
        }
    });
    (drawn, said.unwrap_or_default())
}

fn owner_bar(shard: u32, owner: &Owner, servers: &[ServerColour], scale: &Scale) -> OwnerBar {
    let x = scale.x(owner.from_ms);
    let width = round((scale.x(owner.until_ms) - x).max(BAR_WIDTH_MIN));
    let fits = width_of(owner.server) + 8.0 <= width;
    let server = servers.iter().find(|server| server.name == owner.server);
    OwnerBar {
        x,
        width,
        colour: server.expect("colours are given to all who own anything").colour,
        label: if fits { owner.server.into() } else { String::new() },
        title: owner_title(shard, owner),
    }
}

fn owner_title(shard: u32, owner: &Owner) -> String {
    let Owner { server, from_ms, until_ms, .. } = owner;
    let lasted = duration(until_ms.saturating_sub(*from_ms));
    let mut title = format!("shard {shard}: {server}\n{} to {} ({lasted})", moment(*from_ms), moment(*until_ms));
    title += &format!("\n{}, the last at {}", plural(owner.commits, "commit"), moment(owner.last_commit_ms));
    if owner.times_acquired > 1 {
        title += &format!("\nacquired {} times in a row", count(owner.times_acquired));
    }
    title
}

/// The failovers, and how many rows their labels take.
fn failover_lines(ownership: &Ownership, scale: &Scale, top: f64) -> (Vec<FailoverLine>, usize) {
    let mut failovers: Vec<&Promotion> = ownership.failovers.iter().collect();
    failovers.sort_by_key(|failover| failover.at_ms);
    let mut rows = Rows::default();
    let mut silence_before = None;
    let line = |failover: &Promotion| {
        let x = scale.x(failover.at_ms);
        let words = failover_in_words(failover);
        let place = rows.place(x, x, &words, LABEL_ROWS_MAX);
        let silence = silence(ownership, failover);
        // Failovers without a commit between them share one silence, which is drawn once.
        let its_own = silence.filter(|_| silence != silence_before);
        silence_before = silence;
        FailoverLine {
            x,
            title: format!("{words}\n{}", moment(failover.at_ms)),
            label: if place.row.is_some() { words } else { String::new() },
            label_x: round(place.label_x),
            label_y: round(top + place.row.unwrap_or(0) as f64 * LABEL_ROW),
            anchor: place.anchor,
            silence: its_own.map(|(from_ms, to_ms)| silence_bar(from_ms, to_ms, scale)),
        }
    };
    let lines = failovers.into_iter().map(line).collect();
    (lines, rows.count())
}

fn silence_bar(from_ms: u64, to_ms: u64, scale: &Scale) -> Silence {
    let x = scale.x(from_ms);
    Silence { x, width: round(scale.x(to_ms) - x) }
}

#[cfg(test)]
mod tests {
    use super::super::picture;
    use super::*;
    use tempest_artifact::{Artifact, Lease, Phase};

    fn lease(shard: u32, server: &str, from_ms: u64, to_ms: u64) -> Lease {
        Lease { shard, server: server.into(), range_id: 1, from_ms, to_ms, commits: 1 }
    }

    /// What the picture of ten seconds shows.
    fn lanes(leases: Vec<Lease>, failovers: Vec<Promotion>) -> Option<ShardLanes> {
        let ownership = Ownership { leases, failovers, ..Ownership::default() };
        let phases = vec![Phase { name: Phase::STORM.into(), from_ms: 0, to_ms: 10_000 }];
        picture(&Artifact { phases, ownership, ..Artifact::default() }.into()).shards
    }

    #[test]
    fn a_server_that_was_alone_has_no_lanes() {
        assert!(lanes(Vec::new(), Vec::new()).is_none());
    }

    #[test]
    fn a_bar_lasts_until_the_next_owner_and_a_server_has_one_colour() {
        let leases = vec![
            lease(3, "server-1", 1_000, 2_000),
            lease(3, "server-1", 3_000, 3_500),
            lease(3, "server-2", 6_000, 6_001),
            lease(4, "server-2", 1_000, 9_000),
        ];
        let shown = lanes(leases, Vec::new()).expect("there are owners");
        let [shard_3, shard_4] = &shown.lanes[..] else { panic!("a lane per shard: {shown:?}") };
        let [first, second] = &shard_3.bars[..] else { panic!("a bar per owner: {shard_3:?}") };
        assert!((first.x + first.width - second.x).abs() < 0.2, "{first:?} ends where {second:?} begins");
        assert_eq!((first.label.as_str(), second.label.as_str()), ("server-1", ""), "a name stands where it fits");
        assert_eq!(second.width, BAR_WIDTH_MIN);
        assert!(first.title.contains("acquired 2 times in a row"), "{}", first.title);
        let server_2 = shown.servers.iter().find(|server| server.name == "server-2").expect("it is in the legend");
        assert_eq!([second.colour, shard_4.bars[0].colour], [server_2.colour; 2]);
        assert_ne!(first.colour, second.colour);
        assert_eq!(shown.left_out, "");
        assert!(shown.bottom >= shard_4.y + LANE);
    }

    #[test]
    fn of_many_shards_those_that_changed_hands_most_are_drawn() {
        let owned_once = (1..=20).map(|shard| lease(shard, "server-1", 0, 10));
        let taken = [18, 20, 20].into_iter().zip(["server-2", "server-2", "server-3"]).zip([100, 200, 300]);
        let leases = owned_once.chain(taken.map(|((shard, server), at)| lease(shard, server, at, at + 10)));
        let shown = lanes(leases.collect(), Vec::new()).expect("there are owners");
        let names: Vec<&str> = shown.lanes.iter().map(|lane| lane.name.as_str()).collect();
        assert_eq!(names.len(), LANES_MAX);
        assert_eq!(names[12..], ["shard 13", "shard 14", "shard 18", "shard 20"], "in the order of their numbers");
        assert_eq!(shown.left_out, "not drawn: 4 more shards, which never changed hands");
        assert!(shown.end > shown.bottom, "the sentence has room below the lanes");
        let transferred = (1..=17).map(|shard| (shard, 3)).collect();
        assert_eq!(most_transferred(transferred).1, "not drawn: 1 more shard, which changed hands at most 2 times");
    }

    #[test]
    fn failovers_at_one_moment_do_not_write_over_each_other() {
        let failover = |term: u64| Promotion {
            at_ms: 5_000 + term,
            database: format!("db-{term}"),
            term,
            without_commits_ms: 7_100,
        };
        let leases = vec![lease(1, "server-1", 100, 1_000), lease(1, "server-1", 8_100, 9_000)];
        let shown = lanes(leases, (2..7).rev().map(failover).collect()).expect("there are failovers");
        let labels: Vec<&str> = shown.failovers.iter().map(|line| line.label.as_str()).collect();
        assert_eq!(labels[0], "db-2 primary of term 2: no commit for 7.10 s");
        assert_eq!(labels[LABEL_ROWS_MAX..], ["", ""], "there is no row for them");
        let mut rows: Vec<f64> = shown.failovers[..LABEL_ROWS_MAX].iter().map(|line| line.label_y).collect();
        rows.dedup();
        assert_eq!(rows.len(), LABEL_ROWS_MAX);
        assert!(rows[LABEL_ROWS_MAX - 1] + LABEL_ROW <= shown.top, "the labels are above the lanes");
        assert!(shown.failovers.iter().all(|line| line.title.contains("no commit for 7.10 s")));
        let silences: Vec<&Silence> = shown.failovers.iter().filter_map(|line| line.silence.as_ref()).collect();
        assert_eq!(silences.len(), 1, "one time without commits is drawn once");
        assert!(silences[0].x < shown.failovers[0].x && shown.failovers[4].x < silences[0].x + silences[0].width);
    }
}
