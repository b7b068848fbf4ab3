//! Who owned which shard when, which commits were in doubt, and what failovers of the database cost: read off the
//! commit feed.
mod in_doubt;

pub use in_doubt::{CommitInDoubt, Fate};

use crate::check::{Commit, Observations};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Commits in doubt that are listed; more are counted.
const IN_DOUBT_MAX: usize = 500;

/// A server's time as owner of a shard, from its first commit to its last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenure {
    pub shard: u32,
    pub server: String,
    pub range_id: i64,
    pub from_ms: u64,
    pub to_ms: u64,
    pub commits: u64,
}

/// A database node became primary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    pub at_ms: u64,
    pub database: String,
    pub term: u64,
    /// How long no commit was acknowledged around it.
    pub without_commits_ms: u64,
}

/// Empty for a server that is alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// By shard, then in order.
    pub tenures: Vec<Tenure>,
    /// Commits whose end their server never learned.
    pub in_doubt: u64,
    /// How many of those are in the database.
    pub in_doubt_applied: u64,
    /// Those commits, by the time at which they were handed to the store; the first ones if there are very many.
    #[serde(default)]
    pub commits_in_doubt: Vec<CommitInDoubt>,
    /// All but the first, with which the database began.
    pub failovers: Vec<Promotion>,
    /// Commits that were acknowledged and that failovers of an asynchronous database have lost.
    #[serde(default)]
    pub lost: u64,
    /// How often a server said that a shard lost some.
    #[serde(default)]
    pub losses_reported: u64,
    /// Workflows that are excused because of it, themselves or for dealing with one that is.
    #[serde(default)]
    pub harmed: Vec<String>,
}

const MS: u64 = 1_000_000;

impl Ownership {
    /// `promotions` are in order.
    pub(crate) fn of(observations: &Observations, promotions: &[Promotion]) -> Ownership {
        if promotions.is_empty() {
            return Ownership::default();
        }
        let commits = &observations.commits;
        let mut commits_in_doubt = in_doubt::commits_in_doubt(observations);
        let (in_doubt, applied) = (
            commits_in_doubt.len() as u64,
            commits_in_doubt.iter().filter(|commit| commit.fate == Fate::Applied).count() as u64,
        );
        commits_in_doubt.truncate(IN_DOUBT_MAX);
        Ownership {
            tenures: tenures(commits),
            in_doubt,
            in_doubt_applied: applied,
            commits_in_doubt,
            lost: commits.iter().filter(|commit| commit.was_acknowledged_and_lost()).count() as u64,
            losses_reported: observations.reports.len() as u64,
            harmed: observations.with_losses().into_iter().collect(),
            failovers: promotions.iter().skip(1).map(|promotion| with_cost(promotion, commits)).collect(),
        }
    }
}

fn tenures(commits: &[Commit]) -> Vec<Tenure> {
    let mut tenures: BTreeMap<(u32, i64), Tenure> = BTreeMap::new();
    for commit in commits.iter().filter(|commit| commit.is_committed()) {
        let at_ms = commit.at_ns / MS;
        let tenure = tenures.entry((commit.shard.0, commit.range_id.0)).or_insert_with(|| Tenure {
            shard: commit.shard.0,
            server: commit.server.clone(),
            range_id: commit.range_id.0,
            from_ms: at_ms,
            to_ms: at_ms,
            commits: 0,
        });
        tenure.to_ms = at_ms;
        tenure.commits += 1;
    }
    tenures.into_values().collect()
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
        assert_eq!(Ownership::of(&samples::sound(), &[]), Ownership::default());
    }

    #[test]
    fn owners_follow_each_other_and_doubts_are_listed() {
        let mut observations = samples::sound();
        let last = observations.commits.len() - 1;
        for commit in &mut observations.commits[3..] {
            (commit.server, commit.range_id) = ("server-2".to_owned(), RangeId(9));
        }
        observations.commits[last].result =
            CommitResult::Ended(CommitOutcome::OutcomeUnknown("the connection was lost".to_owned()));
        let first_end = observations.commits[0].ended_ns.expect("it was committed") / MS;
        let ownership = Ownership::of(&observations, &[promotion(0, 1), promotion(first_end, 2)]);
        let owners: Vec<(&str, u64)> =
            ownership.tenures.iter().map(|tenure| (tenure.server.as_str(), tenure.commits)).collect();
        assert_eq!(owners, [("server", 3), ("server-2", last as u64 - 3)]);
        assert_eq!((ownership.in_doubt, ownership.in_doubt_applied), (1, 1));
        let listed: Vec<(&str, u64)> =
            ownership.commits_in_doubt.iter().map(|commit| (commit.server.as_str(), commit.sequence)).collect();
        assert_eq!(listed, [("server-2", last as u64 + 1)]);
        assert_eq!(ownership.failovers.len(), 1, "the first primary is no failover");
        assert!(ownership.failovers[0].without_commits_ms > 0);
    }

    #[test]
    fn of_very_many_doubts_the_first_are_listed_and_all_are_counted() {
        let mut observations = samples::sound();
        let mut doubtful = observations.commits[0].clone();
        doubtful.heard = false;
        for sequence in 0..IN_DOUBT_MAX as u64 + 3 {
            doubtful.sequence = sequence;
            observations.commits.push(doubtful.clone());
        }
        let ownership = Ownership::of(&observations, &[promotion(0, 1)]);
        assert_eq!(ownership.in_doubt, IN_DOUBT_MAX as u64 + 3);
        assert_eq!(ownership.in_doubt_applied, ownership.in_doubt);
        assert_eq!(ownership.commits_in_doubt.len(), IN_DOUBT_MAX);
        assert_eq!(ownership.commits_in_doubt[0].sequence, 0);
        let older = serde_json::json!({"tenures": [], "in_doubt": 3, "in_doubt_applied": 1, "failovers": []});
        let older: Ownership = serde_json::from_value(older).expect("artifacts of before have the number alone");
        assert_eq!((older.in_doubt, older.commits_in_doubt.len()), (3, 0));
    }
}
