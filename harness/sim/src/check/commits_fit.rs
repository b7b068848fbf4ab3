//! `commits-fit`: what a shard believes is what its store has.
//!
//! One owner writes at a time, and knows what it wrote. A commit that finds another state than it was decided on ends in
//! `Conflict`; the shard reads everything again and its callers try again, so that no other invariant speaks of it. But
//! either its owner believed something wrong, or the fence let another one in.
//!
//! Commits are handed over before those in front of them have ended. When one of these is refused, or its outcome is
//! unknown, those behind it find a gap, and rightly so, if they were handed over before its owner heard of that. An owner
//! that hands over more afterwards decides on what is not there.
use super::{Commit, CommitResult, Invariant, Observations, Violation};
use std::collections::BTreeMap;
use tempest_store::{CommitOutcome, RangeId, ShardId};

pub const INVARIANT: Invariant = Invariant::CommitsFit;
pub const HOLDS_WHEN: &str = "no commit ends in a conflict, but for those that were under way when one before them was \
                              refused or remained unknown";

/// The commits of one owner.
type Owner = (ShardId, RangeId);

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut by_owner: BTreeMap<Owner, Vec<&Commit>> = BTreeMap::new();
    for commit in &observations.commits {
        by_owner.entry((commit.shard, commit.range_id)).or_default().push(commit);
    }
    by_owner.values().filter_map(|commits| first_unexplained(commits)).collect()
}

/// An owner that got into a conflict is in many: the first tells most.
fn first_unexplained(commits: &[&Commit]) -> Option<Violation> {
    let first_failure = commits.iter().filter(|commit| !commit.is_committed()).min_by_key(|commit| commit.sequence);
    let in_conflict = |commit: &&&Commit| conflict(commit).is_some();
    let explained = |commit: &Commit| {
        first_failure.is_some_and(|failed| {
            let is_before = failed.sequence < commit.sequence;
            let was_under_way = failed.heard_ns.is_none_or(|heard_ns| commit.at_ns <= heard_ns);
            is_before && conflict(failed).is_none() && was_under_way
        })
    };
    // What follows the first conflict follows from it.
    let commit = commits.iter().filter(in_conflict).min_by_key(|commit| commit.sequence)?;
    if explained(commit) {
        return None;
    }
    let why = conflict(commit)?;
    let before = commits.iter().filter(|before| before.sequence < commit.sequence).max_by_key(|before| before.sequence);
    let what = format!("shard {}: {} wrote what does not fit what is stored: {why}", commit.shard, commit.server);
    let violation =
        before.into_iter().fold(Violation::new(INVARIANT, what), |violation, before| violation.because(before.line()));
    Some(violation.because(commit.line()))
}

fn conflict(commit: &Commit) -> Option<&str> {
    match &commit.result {
        CommitResult::Ended(CommitOutcome::Conflict(why)) => Some(why),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::check::samples::{self, SECOND_NS};
    use crate::check::{Commit, CommitResult, Observations};
    use tempest_store::{CommitOutcome, RangeId};

    const UNFIT: &str = "shard 1: server wrote what does not fit what is stored: version";

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    fn ended(commit: &mut Commit, outcome: CommitOutcome) {
        commit.result = CommitResult::Ended(outcome);
    }

    fn conflict() -> CommitOutcome {
        CommitOutcome::Conflict("version".to_owned())
    }

    #[test]
    fn commits_of_one_owner_fit() {
        check(|_| {}, &[]);
    }

    #[test]
    fn a_conflict_out_of_nothing_does_not() {
        check(|observations| ended(&mut observations.commits[4], conflict()), &[UNFIT]);
        let all_from_there =
            |observations: &mut Observations| observations.commits[4..].iter_mut().for_each(|c| ended(c, conflict()));
        check(all_from_there, &[UNFIT]);
    }

    #[test]
    fn what_was_under_way_when_another_failed_may_find_a_gap() {
        for outcome in
            [CommitOutcome::Unavailable("full".to_owned()), CommitOutcome::OutcomeUnknown("it broke".to_owned())]
        {
            // Handed over in the sixth second, when its owner had not heard of the fifth commit, and when it had.
            let failed = |heard_ns: Option<u64>| {
                let outcome = outcome.clone();
                move |observations: &mut Observations| {
                    ended(&mut observations.commits[4], outcome);
                    observations.commits[4].heard_ns = heard_ns;
                    ended(&mut observations.commits[5], conflict());
                }
            };
            check(failed(None), &[]);
            check(failed(Some(7 * SECOND_NS)), &[]);
            check(failed(Some(5 * SECOND_NS)), &[UNFIT]);
        }
    }

    #[test]
    fn the_failure_of_another_owner_explains_nothing() {
        let superseded = |observations: &mut Observations| {
            observations.commits[4].range_id = RangeId(0);
            ended(&mut observations.commits[4], CommitOutcome::OwnershipLost { current: RangeId(1) });
            ended(&mut observations.commits[5], conflict());
        };
        check(superseded, &[UNFIT]);
    }
}
