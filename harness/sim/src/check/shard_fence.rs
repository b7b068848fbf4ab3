//! `shard-fence`: the commits of a shard are totally ordered, and shard time never goes back.
use super::{Commit, Invariant, Observations, Violation};
use std::collections::BTreeMap;
use tempest_store::ShardId;

pub const INVARIANT: Invariant = Invariant::ShardFence;
pub const HOLDS_WHEN: &str = "commits of a shard are totally ordered by (range id, sequence), none by a superseded \
                              owner, and the shard's time never goes back";

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut last: BTreeMap<ShardId, &Commit> = BTreeMap::new();
    let mut violations = Vec::new();
    for commit in observations.commits.iter().filter(|commit| commit.is_committed()) {
        if let Some(before) = last.insert(commit.shard, commit) {
            let mut wrong = |what: &str| {
                let violation = Violation::new(INVARIANT, format!("shard {}: {what}", commit.shard));
                violations.push(violation.because(before.line()).because(commit.line()));
            };
            if commit.range_id < before.range_id {
                wrong("a superseded owner committed");
            }
            if commit.sequence <= before.sequence {
                wrong("a commit sequence was used twice or went back");
            }
            if commit.shard_time_ns < before.shard_time_ns {
                wrong("shard time went back");
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use crate::check::{CommitResult, Observations, samples};
    use tempest_store::{CommitOutcome, RangeId, ShardId};

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    #[test]
    fn sound_commits_are_in_order() {
        check(|_| {}, &[]);
    }

    #[test]
    fn a_superseded_owner_commits_nothing() {
        check(|observations| observations.commits[3].range_id = RangeId(2), &["shard 1: a superseded owner committed"]);
    }

    #[test]
    fn what_a_superseded_owner_was_refused_is_nothing() {
        check(
            |observations| {
                for commit in &mut observations.commits[4..] {
                    commit.result = CommitResult::Ended(CommitOutcome::OwnershipLost { current: RangeId(2) });
                }
                observations.commits[3].range_id = RangeId(2);
            },
            &[],
        );
    }

    #[test]
    fn a_sequence_is_used_once() {
        check(
            |observations| observations.commits[4].sequence = observations.commits[3].sequence,
            &["shard 1: a commit sequence was used twice or went back"],
        );
    }

    #[test]
    fn shard_time_does_not_go_back() {
        check(
            |observations| observations.commits[4].shard_time_ns = observations.commits[3].shard_time_ns - 1,
            &["shard 1: shard time went back"],
        );
    }

    #[test]
    fn shards_have_orders_of_their_own() {
        check(
            |observations| {
                let mut other = observations.commits[0].clone();
                other.shard = ShardId(2);
                observations.commits.push(other);
            },
            &[],
        );
    }
}
