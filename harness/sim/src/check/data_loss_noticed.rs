//! `data-loss-noticed`: what a failover has lost is never lost in silence.
//!
//! Whoever had the commits acknowledged knows of them, as long as it lives: it must say which shard lost some. A server
//! that died knows nothing; then it must at least be known that the database failed over.
use super::{Commit, Invariant, Observations, Violation};
use std::collections::BTreeMap;
use tempest_store::ShardId;

pub const INVARIANT: Invariant = Invariant {
    name: "data-loss-noticed",
    holds_when: "commits that were acknowledged and that an asynchronous failover has lost are reported by the servers \
                 themselves",
};

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut last: BTreeMap<(&str, u32, ShardId), &Commit> = BTreeMap::new();
    for commit in observations.commits.iter().filter(|commit| commit.was_acknowledged_and_lost()) {
        let known = last.entry((&commit.server, commit.incarnation, commit.shard)).or_insert(commit);
        if (known.range_id, known.sequence) < (commit.range_id, commit.sequence) {
            *known = commit;
        }
    }
    last.into_values().flat_map(|commit| missing(observations, commit)).collect()
}

fn missing(observations: &Observations, commit: &Commit) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut wrong = |what: String| violations.push(Violation::new(INVARIANT.name, what).because(commit.line()));
    let timeline = commit.range_id.timeline();
    if !observations.timelines_known.iter().any(|(_, known)| *known > timeline) {
        wrong(format!("shard {} lost commits, and no server knows that the database failed over", commit.shard));
    }
    let reported = observations.reports.iter().any(|report| {
        (report.server.as_str(), report.incarnation, report.shard)
            == (commit.server.as_str(), commit.incarnation, commit.shard)
            && report.range_id >= commit.range_id
    });
    let died = observations.incarnations.get(&commit.server).is_none_or(|newest| *newest > commit.incarnation);
    if !reported && !died {
        wrong(format!(
            "{} had commits of shard {} acknowledged that are lost, and did not say so",
            commit.server, commit.shard
        ));
    }
    violations
}

#[cfg(test)]
mod tests {
    use crate::check::{CommitResult, DataLossReport, Observations, samples};
    use tempest_store::{RangeId, ShardId, Timeline};

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(
            super::judge,
            |observations| {
                let last = observations.commits.last_mut().expect("the sample has commits");
                last.result = CommitResult::Lost { acknowledged: true };
                observations.incarnations.insert(last.server.clone(), last.incarnation);
                observations.timelines_known.push(("server".to_owned(), Timeline(1)));
                change(observations);
            },
            expect,
        );
    }

    const SILENT: &str = "server had commits of shard 1 acknowledged that are lost, and did not say so";

    fn report(range: i64) -> DataLossReport {
        DataLossReport { server: "server".to_owned(), incarnation: 0, shard: ShardId(1), range_id: RangeId(range) }
    }

    #[test]
    fn whoever_lives_must_say_so() {
        check(|_| {}, &[SILENT]);
        check(|observations| observations.reports.push(report(i64::MAX)), &[]);
        check(|observations| observations.reports.push(report(0)), &[SILENT]);
    }

    #[test]
    fn the_dead_need_not() {
        check(|observations| observations.incarnations.extend([("server".to_owned(), 1)]), &[]);
    }

    #[test]
    fn somebody_must_know_of_the_failover() {
        check(
            |observations| {
                observations.reports.push(report(i64::MAX));
                observations.timelines_known.clear();
            },
            &["shard 1 lost commits, and no server knows that the database failed over"],
        );
    }
}
