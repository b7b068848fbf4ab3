//! `shard-fence`: the commits of a shard are totally ordered, and shard time never goes back.
use super::{Commit, Invariant, Observations, Violation};
use std::collections::BTreeMap;
use tempest_store::ShardId;

pub const INVARIANT: Invariant = Invariant {
    name: "shard-fence",
    holds_when: "commits of a shard are totally ordered by (range id, sequence), none by a superseded owner, and the \
                 shard's time never goes back",
};

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut last: BTreeMap<ShardId, &Commit> = BTreeMap::new();
    let mut violations = Vec::new();
    for commit in observations.commits.iter().filter(|commit| commit.is_committed()) {
        if let Some(before) = last.insert(commit.shard, commit) {
            let mut wrong = |what: &str| {
                let violation = Violation::new(INVARIANT.name, format!("shard {}: {what}", commit.shard));
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
