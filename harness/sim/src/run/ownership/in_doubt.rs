//! Which commits were in doubt, and what became of each as far as it is certain.
//!
//! Certain is what the database itself says: what it had on enough disks, and what was read back after the run.
//! Histories only grow and no run is deleted: a commit that writes events is there if they are, else it is not. Of
//! others their place in the shard's sequence tells: places are taken one after the other, each once.
use crate::observe::{Commit, CommitResult, Observations};
use std::collections::BTreeMap;
use tempest_artifact::{CommitInDoubt, InDoubtOutcome};
use tempest_store::{CommitOutcome, RangeId, ShardId};

/// All of them, by the time at which they were handed over.
pub(super) fn commits_in_doubt(observations: &Observations) -> Vec<CommitInDoubt> {
    let places = Places::of(observations);
    let mut in_doubt: Vec<&Commit> = observations.commits.iter().filter(|commit| is_in_doubt(commit)).collect();
    in_doubt.sort_by_key(|commit| commit.at_ns);
    in_doubt.into_iter().map(|commit| describe(commit, places.outcome(observations, commit))).collect()
}

/// What was certainly refused is in no doubt. A shard that was given up hears no outcome any more, good ones included.
fn is_in_doubt(commit: &Commit) -> bool {
    match &commit.result {
        CommitResult::Pending
        | CommitResult::Ended(CommitOutcome::OutcomeUnknown(_))
        | CommitResult::Lost { acknowledged: false, .. } => true,
        CommitResult::Ended(CommitOutcome::Committed) => commit.heard_ns.is_none(),
        _ => false,
    }
}

fn describe(commit: &Commit, outcome: InDoubtOutcome) -> CommitInDoubt {
    let mut workflow_ids: Vec<String> = commit.keys.iter().map(|key| key.workflow_id.0.clone()).collect();
    // A run and its successor are of one workflow.
    workflow_ids.dedup();
    CommitInDoubt {
        at_ms: commit.at_ns / super::MS,
        server: commit.server.clone(),
        shard: commit.shard.0,
        range: commit.range_id.to_string(),
        sequence: commit.sequence,
        workflow_ids,
        outcome,
    }
}

/// What the commit itself shows, others aside.
fn own_outcome(observations: &Observations, commit: &Commit) -> InDoubtOutcome {
    if commit.is_lost() {
        return InDoubtOutcome::Lost;
    }
    match is_stored(observations, commit) {
        Some(true) => InDoubtOutcome::Applied,
        Some(false) => InDoubtOutcome::NotApplied,
        None if commit.durable_ns.is_some() => InDoubtOutcome::Applied,
        None => InDoubtOutcome::Unknown,
    }
}

/// Whether the events it writes were read back. Nothing if it writes none, or if they might be there unread.
fn is_stored(observations: &Observations, commit: &Commit) -> Option<bool> {
    let mut batches = commit.batches.iter().peekable();
    batches.peek()?;
    for batch in batches {
        let Some(run) = observations.run(&batch.tree) else {
            return observations.problems.is_empty().then_some(false);
        };
        if !batch.events().iter().all(|event| run.event(event.event_id) == Some(event)) {
            return Some(false);
        }
    }
    Some(true)
}

type Place = (ShardId, u64);

/// Who certainly has which place in the sequence of its shard, in the database as it was read back.
#[derive(Default)]
struct Places(BTreeMap<Place, RangeId>);

impl Places {
    fn of(observations: &Observations) -> Places {
        let mut places = Places::default();
        let mut undecided = Vec::new();
        for commit in observations.commits.iter().filter(|commit| commit.may_be_durable()) {
            // What others were told may be wrong; that the database had it is what counts.
            let outcome = match is_in_doubt(commit) {
                true => own_outcome(observations, commit),
                false if commit.durable_ns.is_some() => InDoubtOutcome::Applied,
                false => InDoubtOutcome::Unknown,
            };
            match outcome {
                InDoubtOutcome::Applied => places.take(commit),
                InDoubtOutcome::Unknown => undecided.push(commit),
                InDoubtOutcome::NotApplied | InDoubtOutcome::Lost => {}
            }
        }
        // An owner has its commits done in order: what comes before one of them was done.
        for commit in &undecided {
            if places.after(commit) == Some(commit.range_id) {
                places.take(commit);
            }
        }
        // Places are contiguous. If exactly one candidate fits an occupied place, it is that commit.
        undecided.retain(|commit| places.after(commit).is_some() && !places.shut_out(commit));
        let mut rivals: BTreeMap<Place, Vec<&Commit>> = BTreeMap::new();
        for commit in undecided {
            rivals.entry((commit.shard, commit.sequence)).or_default().push(commit);
        }
        for rivals in rivals.values() {
            if let [only] = rivals[..] {
                places.take(only);
            }
        }
        places
    }

    fn take(&mut self, commit: &Commit) {
        self.0.insert((commit.shard, commit.sequence), commit.range_id);
    }

    /// Who has the last place up to the commit's own.
    fn before(&self, commit: &Commit) -> Option<(u64, RangeId)> {
        let mut places = self.0.range((commit.shard, 0)..=(commit.shard, commit.sequence));
        places.next_back().map(|((_, sequence), owner)| (*sequence, *owner))
    }

    /// Who has the next place after the commit's own.
    fn after(&self, commit: &Commit) -> Option<RangeId> {
        let first = commit.sequence.checked_add(1)?;
        self.0.range((commit.shard, first)..=(commit.shard, u64::MAX)).next().map(|(_, owner)| *owner)
    }

    /// Whether another has its place, or it would stand before an earlier owner or after a later one.
    fn shut_out(&self, commit: &Commit) -> bool {
        let own = commit.range_id;
        let before = self.before(commit);
        before.is_some_and(|(sequence, owner)| owner > own || (sequence == commit.sequence && owner != own))
            || self.after(commit).is_some_and(|owner| owner < own)
    }

    fn outcome(&self, observations: &Observations, commit: &Commit) -> InDoubtOutcome {
        let outcome = match own_outcome(observations, commit) {
            InDoubtOutcome::Unknown if self.before(commit) == Some((commit.sequence, commit.range_id)) => {
                InDoubtOutcome::Applied
            }
            InDoubtOutcome::Unknown if self.shut_out(commit) => InDoubtOutcome::NotApplied,
            own => own,
        };
        // It was there when some timeline began, though that was unknown before.
        if outcome == InDoubtOutcome::NotApplied && commit.was_ever_lost() { InDoubtOutcome::Lost } else { outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::samples::{self, SECOND_NS};
    use tempest_store::Timeline;

    fn unknown() -> CommitResult {
        CommitResult::Ended(CommitOutcome::OutcomeUnknown("the connection was lost".to_owned()))
    }

    /// Of the sample with all its commits durable, and then changed.
    fn outcomes(change: impl FnOnce(&mut Observations)) -> Vec<(u64, InDoubtOutcome)> {
        let mut observations = samples::sound();
        for commit in &mut observations.commits {
            commit.durable_ns = commit.ended_ns;
        }
        change(&mut observations);
        commits_in_doubt(&observations).iter().map(|commit| (commit.sequence, commit.outcome)).collect()
    }

    /// No caller heard of it, the database is silent, and it writes no events.
    fn make_silent(commit: &mut Commit) {
        (commit.result, commit.durable_ns) = (unknown(), None);
        commit.batches.clear();
    }

    #[test]
    fn a_commit_in_doubt_is_told_whole() {
        let mut observations = samples::sound();
        let commit = &mut observations.commits[4];
        (commit.result, commit.server, commit.shard) = (unknown(), "server-2".to_owned(), ShardId(7));
        commit.range_id = RangeId((1 << 27) + 3);
        let (successor, mut other) = (samples::key("run-2"), samples::key("run-3"));
        other.workflow_id = "order-2".into();
        commit.keys.extend([successor, other]);
        let told = commits_in_doubt(&observations);
        let expected = CommitInDoubt {
            at_ms: 5 * SECOND_NS / super::super::MS,
            server: "server-2".to_owned(),
            shard: 7,
            range: "1:3".to_owned(),
            sequence: 5,
            workflow_ids: vec![samples::WORKFLOW.to_owned(), "order-2".to_owned()],
            outcome: InDoubtOutcome::Applied,
        };
        assert_eq!(told, [expected]);
        assert_eq!(told[0].to_string(), "server-2 shard 7 range 1:3 sequence 5 of order-1, order-2: applied");
        let json = serde_json::to_value(InDoubtOutcome::NotApplied).expect("it is plain data");
        assert_eq!(json, "not-applied");
    }

    #[test]
    fn only_what_its_server_never_learned_is_in_doubt() {
        let refused = CommitResult::Ended(CommitOutcome::Conflict("sequence".to_owned()));
        let found = outcomes(|observations| {
            let commits = &mut observations.commits;
            commits[1].result = CommitResult::Pending;
            commits[3].heard_ns = None;
            (commits[5].result, commits[5].heard_ns) = (refused, None);
            commits[7].result = CommitResult::Lost { acknowledged: false, on: Timeline(1) };
            commits[8].result = CommitResult::Lost { acknowledged: true, on: Timeline(1) };
        });
        assert_eq!(found, [(2, InDoubtOutcome::Applied), (4, InDoubtOutcome::Applied), (8, InDoubtOutcome::Lost)]);
    }

    #[test]
    fn what_was_read_back_decides_of_events() {
        let found = outcomes(|observations| {
            for commit in &mut observations.commits[8..] {
                (commit.result, commit.durable_ns) = (unknown(), None);
            }
            samples::rewrite(observations, |events| events.truncate(15));
        });
        assert_eq!(found, [(9, InDoubtOutcome::Applied), (10, InDoubtOutcome::NotApplied)]);
        let lost = outcomes(|observations| {
            let commit = &mut observations.commits[9];
            (commit.result, commit.durable_ns) = (unknown(), None);
            (commit.found_on, commit.missing_on) = (vec![Timeline(1)], vec![Timeline(2)]);
            samples::rewrite(observations, |events| events.truncate(15));
        });
        assert_eq!(lost, [(10, InDoubtOutcome::Lost)], "the first failover found it, the second did not");
        let unread = |problem: Option<&str>| {
            outcomes(|observations| {
                let commit = &mut observations.commits[9];
                (commit.result, commit.durable_ns) = (unknown(), None);
                observations.runs.clear();
                observations.problems.extend(problem.map(str::to_owned));
            })
        };
        assert_eq!(unread(None), [(10, InDoubtOutcome::NotApplied)], "a run that never was");
        assert_eq!(unread(Some("the disk could not be read")), [(10, InDoubtOutcome::Unknown)]);
    }

    #[test]
    fn places_decide_of_what_writes_no_events() {
        let silent =
            |index: usize| move |observations: &mut Observations| make_silent(&mut observations.commits[index]);
        assert_eq!(outcomes(silent(4)), [(5, InDoubtOutcome::Applied)], "the sixth follows the fifth");
        assert_eq!(outcomes(silent(9)), [(10, InDoubtOutcome::Unknown)], "nothing comes after it");
        let other_shard = outcomes(|observations| {
            let mut last = observations.commits[8].clone();
            (last.shard, last.sequence) = (ShardId(2), 11);
            observations.commits.push(last);
            make_silent(&mut observations.commits[9]);
        });
        assert_eq!(other_shard, [(10, InDoubtOutcome::Unknown)], "another shard's commits say nothing of it");
    }

    #[test]
    fn a_later_owner_at_its_place_shuts_it_out() {
        let found = outcomes(|observations| {
            let mut later = observations.commits[8].clone();
            later.range_id = RangeId(2);
            for commit in &mut observations.commits[8..] {
                make_silent(commit);
            }
            observations.commits.push(later);
        });
        assert_eq!(found, [(9, InDoubtOutcome::NotApplied), (10, InDoubtOutcome::NotApplied)]);
    }

    /// The sample's fifth commit and one of range 2 at its place, neither heard of; what comes later is of `range`.
    fn rivals(range: i64) -> Vec<(u64, InDoubtOutcome)> {
        outcomes(|observations| {
            let commits = &mut observations.commits;
            for commit in &mut commits[5..] {
                commit.range_id = RangeId(range);
            }
            make_silent(&mut commits[4]);
            let mut rival = commits[4].clone();
            rival.range_id = RangeId(2);
            commits.push(rival);
        })
    }

    #[test]
    fn of_two_that_may_have_a_place_the_one_whose_owner_went_on_has_it() {
        assert_eq!(rivals(1), [(5, InDoubtOutcome::Applied), (5, InDoubtOutcome::NotApplied)]);
        assert_eq!(rivals(2), [(5, InDoubtOutcome::NotApplied), (5, InDoubtOutcome::Applied)]);
        assert_eq!(rivals(3), [(5, InDoubtOutcome::Unknown), (5, InDoubtOutcome::Unknown)], "it is one of the two");
    }

    #[test]
    fn what_only_one_can_have_is_its_own() {
        let found = outcomes(|observations| {
            make_silent(&mut observations.commits[4]);
            for commit in &mut observations.commits[5..] {
                commit.range_id = RangeId(3);
            }
        });
        assert_eq!(found, [(5, InDoubtOutcome::Applied)], "the third owner began behind it");
    }
}
