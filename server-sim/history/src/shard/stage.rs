//! From a decision to a commit in flight.
use super::owned::{Owned, TASK_ID_BITS};
use super::pipeline::Staged;
use super::request::{Answer, WorkflowKey};
use super::timer_queue::timer_key;
use super::transfer_queue::transfer_key;
use crate::codec::{encode_state, encode_task};
use prost::Message;
use tempest_api::proto::history::v1::{History, HistoryEvent};
use tempest_core::{
    BranchRef, HistoryTask, NewRun, RunChange, RunId, RunKey, TaskKind, Time, TimerKind, TimerTask, TransferTask,
};
use tempest_store::{BranchId, CurrentRunWrite, HistoryAppend, RunWrite, ShardCommit, TaskKey, TaskRow};

/// One decision, and what goes with it.
pub(super) struct Step<'a> {
    pub workflow: &'a WorkflowKey,
    pub run_id: Option<&'a RunId>,
    pub change: Option<RunChange>,
    pub new_run: Option<Box<NewRun>>,
    /// A task that ends in the same commit.
    pub ended: Option<TaskKey>,
    pub answer: Option<Answer>,
}

/// What a run adds to a commit beside its state.
struct Additions {
    run: RunKey,
    branch: BranchRef,
    events: Vec<HistoryEvent>,
    transfer_tasks: Vec<TransferTask>,
    timer_tasks: Vec<TimerTask>,
}

impl Owned {
    /// Applies a decision to the staged state and sends its commit on its way.
    pub(super) fn stage(&mut self, step: Step<'_>) {
        let sequence = self.pipeline.next_sequence();
        let mut commit = self.empty_commit(sequence);
        let mut staged = self.empty_staged(sequence);

        if let Some(change) = step.change {
            let run_id = step.run_id.expect("a change has a run");
            let workflow = self.executions.workflow_mut(step.workflow);
            let state = workflow.state_mut(run_id).expect("a run that was decided on is in memory");
            let expected = state.version();
            state.apply(&change);
            assert!(state.version() > expected, "every change raises the version");
            let encoded = encode_state(state);
            let bytes = encoded.len();
            let (run, branch) = (state.key().clone(), state.branch());
            commit.runs.push(RunWrite {
                key: run.clone(),
                expected_version: Some(expected),
                version: state.version(),
                state: encoded,
            });
            self.executions.resized(step.workflow, run_id, bytes);
            let RunChange { events, transfer_tasks, timer_tasks, .. } = change;
            self.add(Additions { run, branch, events, transfer_tasks, timer_tasks }, &mut commit, &mut staged);
        }
        if let Some(new_run) = step.new_run {
            let NewRun { run_id, state, events, transfer_tasks, timer_tasks, becomes_current } = *new_run;
            let run = step.workflow.run(run_id.clone());
            let encoded = encode_state(&state);
            let bytes = encoded.len();
            commit.runs.push(RunWrite {
                key: run.clone(),
                expected_version: None,
                version: state.version(),
                state: encoded,
            });
            if becomes_current {
                commit.current = Some(CurrentRunWrite {
                    namespace_id: run.namespace_id.clone(),
                    workflow_id: run.workflow_id.clone(),
                    expected: self.executions.workflow(step.workflow).current().cloned(),
                    run_id: run_id.clone(),
                });
            }
            let branch = state.branch();
            self.executions.open_run(step.workflow, run_id, state, bytes, becomes_current);
            self.add(Additions { run, branch, events, transfer_tasks, timer_tasks }, &mut commit, &mut staged);
        }

        self.executions.workflow_mut(step.workflow).staged(sequence);
        commit.tasks_deleted.extend(step.ended);
        match step.answer {
            Some(answer) if tempest_rt::planted!("reply-before-durable") => answer.give(),
            answer => staged.answers.extend(answer),
        }
        self.submit(commit, staged);
    }

    /// A commit that only deletes tasks which are done with.
    pub(super) fn stage_deletions(&mut self) {
        let sequence = self.pipeline.next_sequence();
        let (commit, staged) = (self.empty_commit(sequence), self.empty_staged(sequence));
        self.submit(commit, staged);
    }

    fn submit(&mut self, mut commit: ShardCommit, mut staged: Staged) {
        commit.tasks_deleted.append(&mut self.deletions.keys);
        self.deletions.flush_at = None;
        let states = commit.runs.iter().map(|run| run.state.len());
        staged.bytes = states.chain(commit.history.iter().map(|append| append.events.len())).sum();
        // `commit` enqueues before it returns: the order of these calls is the order of the commits.
        staged.future = self.node.store.commit(commit);
        self.pipeline.push(staged);
    }

    fn empty_commit(&mut self, sequence: u64) -> ShardCommit {
        ShardCommit {
            shard: self.shard,
            range_id: self.range,
            sequence,
            time: self.clock.now(),
            ..ShardCommit::default()
        }
    }

    fn empty_staged(&self, sequence: u64) -> Staged {
        Staged {
            sequence,
            bytes: 0,
            first_task_id: self.next_task_id,
            future: Box::pin(std::future::pending()),
            runs: vec![],
            transfer_tasks: vec![],
            timer_tasks: vec![],
            answers: vec![],
            dependants: vec![],
        }
    }

    /// Stamps a run's events and tasks with task ids and puts them into the commit.
    fn add(&mut self, additions: Additions, commit: &mut ShardCommit, staged: &mut Staged) {
        let Additions { run, branch, mut events, transfer_tasks, timer_tasks } = additions;
        for event in &mut events {
            event.task_id = self.take_task_id();
        }
        if let Some(first) = events.first() {
            commit.history.push(HistoryAppend {
                branch: BranchId { tree: branch.tree, branch: branch.branch },
                node: first.event_id,
                events: History { events }.encode_to_vec().into(),
            });
        }
        for task in transfer_tasks {
            let id = self.take_task_id();
            let task = HistoryTask { run: run.clone(), kind: TaskKind::Transfer(task) };
            commit.tasks_added.push(TaskRow { key: transfer_key(id), body: encode_task(&task) });
            staged.transfer_tasks.push((id, task));
        }
        for timer in timer_tasks {
            let key = timer_key(timer.fire_time.max(Time::ZERO), self.take_task_id());
            let task = HistoryTask { run: run.clone(), kind: TaskKind::Timer(timer) };
            let in_memory_only =
                matches!(&task.kind, TaskKind::Timer(TimerTask { kind: TimerKind::ActivityRetry { .. }, .. }))
                    && tempest_rt::planted!("retry-kept-in-memory-only");
            if !in_memory_only {
                commit.tasks_added.push(TaskRow { key, body: encode_task(&task) });
            }
            staged.timer_tasks.push((key, task));
        }
        staged.runs.push(run);
    }

    fn take_task_id(&mut self) -> i64 {
        let id = self.next_task_id;
        assert_eq!(id >> TASK_ID_BITS, self.range.0, "a task id of another range would be used twice");
        self.next_task_id += 1;
        id
    }
}
