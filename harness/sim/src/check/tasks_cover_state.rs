//! `tasks-cover-state`: whatever a run waits for has a task that will wake it.
//!
//! A commit that leaves a run waiting for something without a stored task is found at once here; in the world only when the
//! shard is loaded anew at the wrong moment, by a run that never ends.
//!
//! Followed are the commits that certainly took place, in order. What a commit in doubt adds counts as there, what it
//! deletes too: that is unknown, and later states tell nothing of it.
use super::{Commit, Invariant, Observations, Violation};
use std::collections::{BTreeMap, BTreeSet};
use tempest_core::{Owed, RunKey, TaskKind, Time, TimerKind, TransferTask};
use tempest_store::{ShardId, TaskKey};

pub const INVARIANT: Invariant = Invariant::TasksCoverState;
pub const HOLDS_WHEN: &str = "after every commit each pending timer, timeout, activity, workflow task, child and \
                              signal of the runs it wrote has a stored task, or had one that was handed on";

/// The tasks of a run, as far as its shard's commits tell.
#[derive(Default)]
struct Tasks {
    timers: BTreeMap<TaskKey, (Time, TimerKind)>,
    /// All that there ever were: they are deleted when they are handed on.
    transfers: Vec<TransferTask>,
}

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut tasks: BTreeMap<RunKey, Tasks> = BTreeMap::new();
    let mut whose: BTreeMap<(ShardId, TaskKey), RunKey> = BTreeMap::new();
    let mut reported = BTreeSet::new();
    let mut violations = Vec::new();
    for commit in observations.commits.iter().filter(|commit| commit.may_be_durable()) {
        for (key, task) in commit.tasks_added() {
            whose.insert((commit.shard, key), task.run.clone());
            let tasks = tasks.entry(task.run).or_default();
            match task.kind {
                TaskKind::Transfer(transfer) => tasks.transfers.push(transfer),
                TaskKind::Timer(timer) => drop(tasks.timers.insert(key, (timer.fire_time, timer.kind))),
            }
        }
        if !observations.was_applied(commit) {
            continue;
        }
        for key in &commit.tasks_deleted {
            if let Some(tasks) = whose.remove(&(commit.shard, *key)).and_then(|run| tasks.get_mut(&run)) {
                tasks.timers.remove(key);
            }
        }
        for (run, missing) in uncovered(commit, &tasks) {
            if reported.insert((run.clone(), missing.clone())) {
                let what = format!("{} / {}: no task will come for {missing}", run.workflow_id, run.run_id);
                violations.push(Violation::new(INVARIANT, what).because(commit.line()));
            }
        }
    }
    violations
}

/// What the states of a commit wait for in vain.
fn uncovered(commit: &Commit, tasks: &BTreeMap<RunKey, Tasks>) -> Vec<(RunKey, String)> {
    let none = Tasks::default();
    let mut found = Vec::new();
    for state in commit.states() {
        let tasks = tasks.get(state.key()).unwrap_or(&none);
        let missing = state.tasks_owed().into_iter().filter(|owed| !covers(tasks, owed));
        found.extend(missing.map(|owed| (state.key().clone(), format!("{owed:?}"))));
    }
    found
}

fn covers(tasks: &Tasks, owed: &Owed) -> bool {
    match owed {
        Owed::Timer { by, kind } => tasks.timers.values().any(|(at, stored)| stored == kind && at <= by),
        Owed::Transfer(owed) => tasks.transfers.contains(owed),
    }
}

#[cfg(test)]
mod tests {
    use crate::check::{CommitResult, Observations, samples};
    use crate::observe::StoredState;
    use tempest_core::{HistoryTask, MutableState, Owed, TaskKind, Time, TimerTask};
    use tempest_store::{CommitOutcome, TaskCategory, TaskKey, TaskRow};

    fn state(observations: &Observations) -> MutableState {
        // It waits for an activity and a timer.
        let events = observations.runs[samples::RUN].stored[..6].to_vec();
        MutableState::rebuild(samples::key(samples::RUN), &events).expect("these can follow each other")
    }

    /// The third commit leaves the run waiting, and has a task for each thing but those that are left out.
    fn with_tasks(observations: &mut Observations, left_out: usize) {
        let state = state(observations);
        let commit = &mut observations.commits[2];
        commit.states = vec![StoredState::of(&state)];
        for (task_id, owed) in (1..).zip(state.tasks_owed()).skip(left_out) {
            let (fire_time, category, kind) = match owed {
                Owed::Transfer(task) => (Time(0), TaskCategory::Transfer, TaskKind::Transfer(task)),
                Owed::Timer { by, kind } => {
                    (by, TaskCategory::Timer, TaskKind::Timer(TimerTask { fire_time: by, kind }))
                }
            };
            let body = tempest_history::encode_task(&HistoryTask { run: state.key().clone(), kind });
            commit.tasks.push(TaskRow { key: TaskKey { category, fire_time, task_id }, body });
        }
    }

    fn violations(change: impl FnOnce(&mut Observations)) -> usize {
        let mut observations = samples::sound();
        change(&mut observations);
        super::judge(&observations).len()
    }

    #[test]
    fn whatever_is_waited_for_needs_a_task() {
        let owed = state(&samples::sound()).tasks_owed().len();
        assert!(owed >= 2);
        assert_eq!(violations(|observations| with_tasks(observations, 0)), 0);
        assert_eq!(violations(|observations| with_tasks(observations, 1)), 1);
        assert_eq!(violations(|observations| with_tasks(observations, owed)), owed);
    }

    #[test]
    fn a_timer_that_was_deleted_comes_no_more() {
        let deleted = |observations: &mut Observations, by_whom: CommitResult| {
            with_tasks(observations, 0);
            let timers = observations.commits[2].tasks.iter().map(|row| row.key);
            let timers: Vec<TaskKey> = timers.filter(|key| key.category == TaskCategory::Timer).collect();
            observations.commits[1].tasks = std::mem::take(&mut observations.commits[2].tasks);
            observations.commits[2].tasks_deleted = timers;
            observations.commits[2].result = by_whom;
        };
        let committed = CommitResult::Ended(CommitOutcome::Committed);
        assert!(violations(|observations| deleted(observations, committed)) > 0);
        let refused = CommitResult::Ended(CommitOutcome::Conflict("sequence".to_owned()));
        assert_eq!(violations(|observations| deleted(observations, refused)), 0);
    }
}
