//! The part of a run's page that says who owned what, what failovers cost, what was in doubt and what was lost.

use minijinja::{Value as Template, context};
use tempest_artifact::Ownership;

use crate::{
    ownership::{Owner, owners},
    picture::server_colours,
    words::{count, duration, moment, plural},
};

/// Workflows harmed by lost commits that are named.
const HARMED_MAX: usize = 200;
/// Rows of the table of commits in doubt.
const IN_DOUBT_MAX: usize = 200;

/// What the tile says of it.
pub(super) fn note(ownership: &Ownership) -> String {
    let failovers = plural(ownership.failovers.len() as u64, "database failover");
    match ownership.lost {
        0 => failovers,
        lost => format!("{failovers}, {} lost", plural(lost, "commit")),
    }
}

pub(super) fn ownership(ownership: &Ownership) -> Template {
    let owners = owners(ownership);
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
            silence => (silence > 0).then(|| duration(silence)),
        }
    });
    let commits_in_doubt = ownership.commits_in_doubt.iter().take(IN_DOUBT_MAX).map(|commit| {
        context! {
            at => moment(commit.at_ms), server => &commit.server, shard => commit.shard, range => &commit.range,
            sequence => commit.sequence, workflows => commit.workflow_ids.join(", "), outcome => commit.outcome.to_string(),
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
