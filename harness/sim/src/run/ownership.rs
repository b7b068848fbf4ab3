//! Who owned which shard when, which commits were in doubt, and what failovers of the database cost: read off the
//! commit feed.
mod in_doubt;

use crate::observe::{Commit, Observations};
use std::collections::BTreeMap;
use tempest_artifact::{InDoubtOutcome, Lease, Ownership, Promotion};

/// Commits in doubt that are listed; more are counted.
const IN_DOUBT_MAX: usize = 500;

const MS: u64 = 1_000_000;

/// `promotions` are in order.
pub(super) fn ownership(observations: &Observations, promotions: &[Promotion]) -> Ownership {
    if promotions.is_empty() {
        return Ownership::default();
    }
    let commits = &observations.commits;
    let mut commits_in_doubt = in_doubt::commits_in_doubt(observations);
    let (in_doubt, applied) = (
        commits_in_doubt.len() as u64,
        commits_in_doubt.iter().filter(|commit| commit.outcome == InDoubtOutcome::Applied).count() as u64,
    );
    commits_in_doubt.truncate(IN_DOUBT_MAX);
    Ownership {
        leases: leases(commits),
        in_doubt,
        in_doubt_applied: applied,
        commits_in_doubt,
        lost: commits.iter().filter(|commit| commit.was_acknowledged_and_lost()).count() as u64,
        losses_reported: observations.reports.len() as u64,
        harmed: observations.with_losses().into_iter().collect(),
        failovers: promotions.iter().skip(1).map(|promotion| with_cost(promotion, commits)).collect(),
    }
}

fn leases(commits: &[Commit]) -> Vec<Lease> {
    let mut leases: BTreeMap<(u32, i64), Lease> = BTreeMap::new();
    for commit in commits.iter().filter(|commit| commit.is_committed()) {
        let at_ms = commit.at_ns / MS;
        let lease = leases.entry((commit.shard.0, commit.range_id.0)).or_insert_with(|| Lease {
            shard: commit.shard.0,
            server: commit.server.clone(),
            range_id: commit.range_id.0,
            from_ms: at_ms,
            to_ms: at_ms,
            commits: 0,
        });
        lease.to_ms = at_ms;
        lease.commits += 1;
    }
    leases.into_values().collect()
}

fn with_cost(promotion: &Promotion, commits: &[Commit]) -> Promotion {
    let ends = || commits.iter().filter(|commit| commit.is_committed()).filter_map(|commit| commit.ended_ns);
    let at_ns = promotion.at_ms * MS;
    let before = ends().filter(|end| *end <= at_ns).max().unwrap_or(0);
    let after = ends().filter(|end| *end > at_ns).min().unwrap_or(at_ns);
    Promotion { without_commits_ms: (after - before) / MS, ..promotion.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{CommitResult, samples};
    use tempest_store::{CommitOutcome, RangeId};

    fn promotion(at_ms: u64, term: u64) -> Promotion {
        Promotion { at_ms, database: format!("db-{term}"), term, without_commits_ms: 0 }
    }

    #[test]
    fn a_server_that_is_alone_has_nothing_to_tell() {
        assert_eq!(ownership(&samples::sound(), &[]), Ownership::default());
    }

    #[test]
    fn owners_follow_each_other_and_commits_in_doubt_are_listed() {
        let mut observations = samples::sound();
        let last = observations.commits.len() - 1;
        for commit in &mut observations.commits[3..] {
            (commit.server, commit.range_id) = ("server-2".to_owned(), RangeId(9));
        }
        observations.commits[last].result =
            CommitResult::Ended(CommitOutcome::OutcomeUnknown("the connection was lost".to_owned()));
        let first_end = observations.commits[0].ended_ns.expect("it was committed") / MS;
        let told = ownership(&observations, &[promotion(0, 1), promotion(first_end, 2)]);
        let owners: Vec<(&str, u64)> = told.leases.iter().map(|lease| (lease.server.as_str(), lease.commits)).collect();
        assert_eq!(owners, [("server", 3), ("server-2", last as u64 - 3)]);
        assert_eq!((told.in_doubt, told.in_doubt_applied), (1, 1));
        let listed: Vec<(&str, u64)> =
            told.commits_in_doubt.iter().map(|commit| (commit.server.as_str(), commit.sequence)).collect();
        assert_eq!(listed, [("server-2", last as u64 + 1)]);
        assert_eq!(told.failovers.len(), 1, "the first primary is no failover");
        assert!(told.failovers[0].without_commits_ms > 0);
    }

    #[test]
    fn of_very_many_commits_in_doubt_the_first_are_listed_and_all_are_counted() {
        let mut observations = samples::sound();
        let mut in_doubt = observations.commits[0].clone();
        in_doubt.heard_ns = None;
        for sequence in 0..IN_DOUBT_MAX as u64 + 3 {
            in_doubt.sequence = sequence;
            observations.commits.push(in_doubt.clone());
        }
        let told = ownership(&observations, &[promotion(0, 1)]);
        assert_eq!(told.in_doubt, IN_DOUBT_MAX as u64 + 3);
        assert_eq!(told.in_doubt_applied, told.in_doubt);
        assert_eq!(told.commits_in_doubt.len(), IN_DOUBT_MAX);
        assert_eq!(told.commits_in_doubt[0].sequence, 0);
    }
}
