//! `ownership-settled`: a shard changes hands for a reason only.
//!
//! A node loses its shards when it is gone, or silent, or when another comes. Where nothing is disturbed but clocks, and the
//! calls of workers and clients, each shard stays where it was once all nodes have come: clocks decide nothing. A shard that
//! goes to and fro makes progress all the same, so that no other invariant speaks of it.
use super::{Commit, Invariant, Observations, Violation};
use std::collections::BTreeMap;
use tempest_store::ShardId;

pub const INVARIANT: Invariant = Invariant::OwnershipSettled;
pub const HOLDS_WHEN: &str = "while no host, link, disk or database is disturbed, no shard changes hands, whatever \
                              clocks say";

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let Some(settled_from_ns) = observations.settled_from_ns else { return Vec::new() };
    let mut last: BTreeMap<ShardId, &Commit> = BTreeMap::new();
    let mut violations: BTreeMap<ShardId, Violation> = BTreeMap::new();
    let settled = observations.commits.iter().filter(|commit| commit.is_committed() && commit.at_ns >= settled_from_ns);
    for commit in settled {
        let Some(before) = last.insert(commit.shard, commit) else { continue };
        if before.server != commit.server {
            let what = || format!("shard {} went from {} to {}", commit.shard, before.server, commit.server);
            violations
                .entry(commit.shard)
                .or_insert_with(|| Violation::new(INVARIANT, what()).because(before.line()).because(commit.line()));
        }
    }
    violations.into_values().collect()
}

#[cfg(test)]
mod tests {
    use crate::check::samples::{self, SECOND_NS};
    use crate::check::{CommitResult, Observations};
    use tempest_store::CommitOutcome;

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    /// From the seventh second on, another has the shard.
    fn moves(observations: &mut Observations) {
        for commit in &mut observations.commits[6..] {
            commit.server = "server-2".to_owned();
        }
    }

    #[test]
    fn a_shard_stays_where_nothing_is_disturbed() {
        let settled = |from_ns| {
            move |observations: &mut Observations| {
                moves(observations);
                observations.settled_from_ns = from_ns;
            }
        };
        check(settled(Some(5 * SECOND_NS)), &["shard 1 went from server to server-2"]);
        check(settled(Some(7 * SECOND_NS)), &[]);
        check(settled(None), &[]);
    }

    #[test]
    fn whoever_commits_nothing_owns_nothing() {
        check(
            |observations| {
                observations.settled_from_ns = Some(0);
                observations.commits.truncate(8);
                moves(observations);
                for commit in &mut observations.commits[6..] {
                    commit.result = CommitResult::Ended(CommitOutcome::Unavailable("later".to_owned()));
                }
            },
            &[],
        );
    }
}
