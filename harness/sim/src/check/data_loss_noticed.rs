//! `data-loss-noticed`: what a failover has lost is never lost in silence, and nothing else is called lost.
//!
//! The server whose commits were acknowledged knows of them, as long as it lives: it must say which shard lost some. A
//! server that died knows nothing; then it must at least be known that the database failed over. No caller may be told
//! of success by a primary that it knows to be deposed: such commits are lost when they are acknowledged.
use super::{Commit, CommitResult, DataLossReport, Invariant, Observations, Violation};
use std::collections::BTreeMap;
use tempest_store::{ShardId, Timeline};

pub const INVARIANT: Invariant = Invariant::DataLossNoticed;
pub const HOLDS_WHEN: &str = "commits that were acknowledged and that an asynchronous failover has lost are reported \
                              by the servers themselves, each loss and no other; a server that knows of a failover \
                              believes no primary of before it";

pub fn judge(observations: &Observations) -> Vec<Violation> {
    [silences(observations), believed_in_vain(observations), untrue(observations)].concat()
}

/// Each loss is judged by itself: a server may acquire the shard on the timeline that lost something, and report the
/// next.
/// Which timeline lost it decides, not on which it was acknowledged: what one failover takes back of several timelines is
/// one loss to a server, and is reported with the newest range.
fn silences(observations: &Observations) -> Vec<Violation> {
    let mut losses: BTreeMap<(&str, u32, ShardId, Timeline), Vec<&Commit>> = BTreeMap::new();
    for commit in &observations.commits {
        let CommitResult::Lost { acknowledged: true, on } = commit.result else { continue };
        losses.entry((&commit.server, commit.incarnation, commit.shard, on)).or_default().push(commit);
    }
    losses.into_iter().flat_map(|((.., on), commits)| missing(observations, &commits, on)).collect()
}

fn missing(observations: &Observations, commits: &[&Commit], on: Timeline) -> Vec<Violation> {
    let newest =
        |commits: &[&Commit]| commits.iter().copied().max_by_key(|lost| (lost.range_id, lost.sequence)).cloned();
    let Some(commit) = newest(commits) else { return Vec::new() };
    let mut violations = Vec::new();
    let mut wrong = |what: String| violations.push(Violation::new(INVARIANT, what).because(commit.line()));
    if !observations.timelines_known.iter().any(|(_, known)| *known >= on) {
        wrong(format!("shard {} lost commits, and no server knows that the database failed over", commit.shard));
    }
    let silent = commits.iter().copied().filter(|commit| !is_reported(observations, commit, on)).collect::<Vec<_>>();
    let died = observations.incarnations.get(&commit.server).is_none_or(|newest| *newest > commit.incarnation);
    if let Some(commit) = newest(&silent)
        && (!died || went_on(observations, &commit, on))
    {
        let what = format!(
            "{} had commits of shard {} acknowledged that are lost, and did not say so",
            commit.server, commit.shard
        );
        violations.push(Violation::new(INVARIANT, what).because(commit.line()));
    }
    violations
}

fn is_reported(observations: &Observations, commit: &Commit, on: Timeline) -> bool {
    let of_commit = (commit.server.as_str(), commit.incarnation, commit.shard);
    observations.reports.iter().any(|report| {
        (report.server.as_str(), report.incarnation, report.shard) == of_commit
            && report.range_id >= commit.range_id
            // What it found left was lost later, if it was.
            && (commit.range_id > report.left.0 || commit.sequence > report.left.1)
            // With a range of that timeline or a later one it speaks of a later loss.
            && report.range_id.timeline() < on
    })
}

/// Whether a server acquired the shard again on a timeline without the commit. The row that it then read shows the
/// loss, and it is compared before anything is written: a death after that is no excuse. Of one that came before the
/// checker cannot tell: while a database is away, or refuses writes, a server may live for long and not see the row.
fn went_on(observations: &Observations, lost: &Commit, on: Timeline) -> bool {
    observations.commits.iter().any(|commit| {
        (&commit.server, commit.incarnation, commit.shard) == (&lost.server, lost.incarnation, lost.shard)
            && commit.range_id.timeline() >= on
    })
}

/// Commits of an older timeline that were handed over by a server that knew a newer one, and acknowledged. What was
/// handed over before may have been acknowledged before, and be noted here after it.
fn believed_in_vain(observations: &Observations) -> Vec<Violation> {
    let mut first: BTreeMap<(&str, u32, ShardId), Violation> = BTreeMap::new();
    let believed = |commit: &&Commit| commit.was_acknowledged() && commit.known > commit.range_id.timeline();
    for commit in observations.commits.iter().filter(believed) {
        first.entry((&commit.server, commit.incarnation, commit.shard)).or_insert_with(|| {
            let what = format!(
                "{} knew timeline {} and let itself be told that a commit of shard {} is done on timeline {}",
                commit.server,
                commit.known,
                commit.shard,
                commit.range_id.timeline()
            );
            Violation::new(INVARIANT, what).because(commit.line())
        });
    }
    first.into_values().collect()
}

/// Reports of losses that never were: of nothing that the row could have shown to the owner of that range.
fn untrue(observations: &Observations) -> Vec<Violation> {
    // A database without timelines promises to lose nothing. If it does all the same, a report is right and others judge.
    if observations.timelines.is_empty() {
        return Vec::new();
    }
    let is_true = |report: &&DataLossReport| {
        let of_shard = observations.commits.iter().filter(|commit| commit.shard == report.shard);
        of_shard.filter(|commit| commit.range_id <= report.range_id).any(Commit::was_ever_lost)
    };
    let violation = |report: &DataLossReport| {
        let what = format!("{} reported that commits of shard {} are gone, and none is", report.server, report.shard);
        Violation::new(INVARIANT, what)
            .because(format!("reported by start {} with range {}", report.incarnation, report.range_id))
    };
    observations.reports.iter().filter(|report| !is_true(report)).map(violation).collect()
}

#[cfg(test)]
mod tests {
    use crate::check::{CommitResult, DataLossReport, Observations, TimelineBegan, samples};
    use tempest_store::{CommitOutcome, RangeId, ShardId, Timeline};

    /// The sample's last commit is lost, and its server lives.
    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(
            super::judge,
            |observations| {
                lose(observations, 1, RangeId(1), 1);
                observations.incarnations.insert("server".to_owned(), 0);
                observations.timelines_known.push(("server".to_owned(), Timeline(2)));
                change(observations);
            },
            expect,
        );
    }

    /// Nothing is lost: all that the sample's server wrote is on timeline 1 too.
    fn check_harmless(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(
            super::judge,
            |observations| {
                began(observations, 1);
                observations.commits.iter_mut().for_each(|commit| commit.found_on.push(Timeline(1)));
                change(observations);
            },
            expect,
        );
    }

    fn began(observations: &mut Observations, timeline: u32) {
        observations.timelines.push(TimelineBegan { timeline: Timeline(timeline), at_ns: 0, may_lose: true });
    }

    /// The commit that is so many from the end, with this range.
    fn lose(observations: &mut Observations, from_end: usize, range_id: RangeId, on: u32) {
        began(observations, on);
        let at = observations.commits.len() - from_end;
        let commit = &mut observations.commits[at];
        commit.range_id = range_id;
        commit.known = range_id.timeline();
        commit.missing_on = vec![Timeline(on)];
        commit.result = CommitResult::Lost { acknowledged: true, on: Timeline(on) };
    }

    /// The first range id of a timeline.
    fn range(timeline: u32) -> RangeId {
        RangeId(0).next(Timeline(timeline)).expect("there are more")
    }

    const SILENT: &str = "server had commits of shard 1 acknowledged that are lost, and did not say so";
    const UNTRUE: &str = "server reported that commits of shard 1 are gone, and none is";

    /// That nothing is left of what it had been told.
    fn report(range_id: RangeId) -> DataLossReport {
        let left = (RangeId(0), 0);
        DataLossReport { server: "server".to_owned(), incarnation: 0, shard: ShardId(1), range_id, left }
    }

    #[test]
    fn whoever_lives_must_say_so() {
        check(|_| {}, &[SILENT]);
        check(|observations| observations.reports.push(report(RangeId(1))), &[]);
        check(|observations| observations.reports.push(report(RangeId(7))), &[]);
        check(|observations| observations.reports.push(report(RangeId(0))), &[SILENT, UNTRUE]);
    }

    #[test]
    fn a_later_report_excuses_no_earlier_silence() {
        let twice = |reports: &[RangeId], expect: &[&str]| {
            let reports = reports.to_vec();
            check(
                move |observations| {
                    observations.commits.rotate_right(1);
                    lose(observations, 1, range(1), 2);
                    observations.reports.extend(reports.into_iter().map(report));
                },
                expect,
            );
        };
        twice(&[RangeId(1), range(1)], &[]);
        twice(&[range(1)], &[SILENT]);
        twice(&[RangeId(1)], &[SILENT]);
        twice(&[], &[SILENT, SILENT]);
    }

    #[test]
    fn what_a_report_found_left_must_be_reported_when_it_is_lost() {
        let left = |sequence: fn(u64) -> u64, expect: &[&str]| {
            check(
                move |observations| {
                    let lost = observations.commits.last().expect("the sample has commits").sequence;
                    let left = (RangeId(1), sequence(lost));
                    observations.reports.push(DataLossReport { left, ..report(RangeId(1)) });
                },
                expect,
            );
        };
        left(|lost| lost - 1, &[]);
        left(|lost| lost, &[SILENT]);
    }

    #[test]
    fn what_one_failover_lost_of_two_timelines_is_reported_once() {
        let both = |reported: RangeId, expect: &[&str]| {
            check(
                move |observations| {
                    lose(observations, 1, RangeId(1), 2);
                    lose(observations, 2, range(1), 2);
                    observations.reports.push(report(reported));
                },
                expect,
            );
        };
        both(range(1), &[]);
        both(RangeId(1), &[SILENT]);
    }

    #[test]
    fn the_dead_need_not_unless_they_had_acquired_the_shard_again() {
        let died = |acquired_again: Option<RangeId>, expect: &[&str]| {
            check(
                move |observations| {
                    observations.incarnations.insert("server".to_owned(), 1);
                    if let Some(range_id) = acquired_again {
                        let last = observations.commits.last_mut().expect("the sample has commits").clone();
                        let result = CommitResult::Pending;
                        observations.commits.push(crate::check::Commit { range_id, result, ..last });
                    }
                },
                expect,
            );
        };
        died(None, &[]);
        died(Some(RangeId(2)), &[]);
        died(Some(range(1)), &[SILENT]);
    }

    #[test]
    fn somebody_must_know_of_the_failover() {
        let known = |timeline: Option<u32>, expect: &[&str]| {
            check(
                move |observations| {
                    lose(observations, 1, RangeId(1), 2);
                    observations.reports.push(report(RangeId(1)));
                    observations.timelines_known =
                        timeline.map(|known| ("server-2".to_owned(), Timeline(known))).into_iter().collect();
                },
                expect,
            );
        };
        let nobody = "shard 1 lost commits, and no server knows that the database failed over";
        known(None, &[nobody]);
        known(Some(1), &[nobody]);
        known(Some(2), &[]);
    }

    #[test]
    fn nobody_believes_a_primary_that_was_deposed() {
        let in_vain = "server knew timeline 1 and let itself be told that a commit of shard 1 is done on timeline 0";
        let know = |heard: bool| {
            move |observations: &mut Observations| {
                for commit in observations.commits.iter_mut().rev().take(2) {
                    (commit.known, commit.heard_ns) = (Timeline(1), heard.then_some(1));
                }
            }
        };
        check_harmless(know(true), &[in_vain]);
        check_harmless(know(false), &[]);
        check(
            |observations| {
                observations.reports.push(report(RangeId(1)));
                observations.commits.last_mut().expect("the sample has commits").known = Timeline(1);
            },
            &[in_vain],
        );
        check_harmless(
            |observations| {
                know(true)(observations);
                for commit in &mut observations.commits {
                    commit.result = CommitResult::Ended(CommitOutcome::OwnershipLost { current: RangeId(0) });
                }
            },
            &[],
        );
    }

    #[test]
    fn what_is_there_is_not_reported() {
        let reported = |range_id: RangeId, change: fn(&mut Observations), expect: &[&str]| {
            check_harmless(
                move |observations| {
                    observations.reports.push(report(range_id));
                    change(observations);
                },
                expect,
            );
        };
        reported(RangeId(1), |_| {}, &[UNTRUE]);
        reported(RangeId(1), |observations| observations.timelines.clear(), &[]);
        // Another's, which had given up waiting for it.
        reported(
            RangeId(1),
            |observations| {
                let commit = &mut observations.commits[3];
                commit.server = "server-2".to_owned();
                (commit.found_on, commit.missing_on) = (Vec::new(), vec![Timeline(1)]);
                commit.result = CommitResult::Lost { acknowledged: false, on: Timeline(1) };
            },
            &[],
        );
        // It came back later.
        reported(
            RangeId(1),
            |observations| {
                began(observations, 2);
                observations.commits.iter_mut().for_each(|commit| commit.found_on.push(Timeline(2)));
                (observations.commits[9].found_on, observations.commits[9].missing_on) =
                    (vec![Timeline(2)], vec![Timeline(1)]);
            },
            &[],
        );
        // It was never applied.
        reported(
            RangeId(1),
            |observations| {
                let commit = &mut observations.commits[9];
                (commit.found_on, commit.missing_on) = (Vec::new(), vec![Timeline(1)]);
                commit.result = CommitResult::Ended(CommitOutcome::OutcomeUnknown("no answer".to_owned()));
            },
            &[UNTRUE],
        );
        // Lost later than what the report can speak of.
        reported(
            RangeId(1),
            |observations| {
                let commit = &mut observations.commits[9];
                commit.range_id = RangeId(2);
                (commit.found_on, commit.missing_on) = (Vec::new(), vec![Timeline(1)]);
                commit.result = CommitResult::Lost { acknowledged: false, on: Timeline(1) };
            },
            &[UNTRUE],
        );
    }
}
