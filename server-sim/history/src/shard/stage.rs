//! From a decision to a commit in flight.
use super::effects::Effect;
use super::owned::{Owned, TASK_ID_BITS};
use super::pipeline::Staged;
use super::request::Answer;
use super::stored_as_decided::assert_stored_as_decided;
use super::timer_queue::timer_key;
use super::transfer_queue::transfer_key;
use crate::codec::{encode_parts, encode_row, encode_task};
use prost::Message;
use tempest_api::WorkflowKey;
use tempest_api::proto::history::v1::{History, HistoryEvent};
use tempest_core::{BranchRef, HistoryTask, RunKey, RunWrite, TaskKind, Time, TimerKind, TimerTask, TransferTask};
use tempest_store::{BranchId, CurrentRunWrite, HistoryAppend, ShardCommit, TaskKey, TaskRow};

/// One decision, and what goes with it.
pub(super) struct Step<'a> {
    pub workflow: &'a WorkflowKey,
    pub runs: Vec<RunWrite>,
    /// A task that ends in the same commit.
    pub ended: Option<TaskKey>,
    pub answer: Option<Answer>,
}

impl Owned {
    /// Makes the state that was decided on the staged one and sends its commit on its way.
    pub(super) fn stage(&mut self, step: Step<'_>) {
        let sequence = self.pipeline.next_sequence();
        let mut commit = self.empty_commit(sequence);
        let mut staged = self.empty_staged(sequence);

        for run in step.runs {
            self.stage_run(step.workflow, run, &mut commit, &mut staged);
        }

        self.executions.workflow_mut(step.workflow).staged(sequence);
        commit.tasks_deleted.extend(step.ended);
        match step.answer {
            Some(answer) if tempest_rt::planted!(crate::plants::REPLY_BEFORE_DURABLE) => self.give(answer),
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
        commit.tasks_deleted.append(&mut self.deletions.take());
        let states = commit.runs.iter().map(tempest_store::RunWrite::bytes);
        staged.bytes = states.chain(commit.history.iter().map(|append| append.events.len())).sum();
        self.effects.push(Effect::Commit(Box::new(commit)));
        self.pipeline.push(staged);
    }

    fn empty_commit(&mut self, sequence: u64) -> ShardCommit {
        ShardCommit {
            shard: self.shard,
            range_id: self.range,
            sequence,
            time: self.clock.at(self.now),
            ..ShardCommit::default()
        }
    }

    fn empty_staged(&self, sequence: u64) -> Staged {
        Staged {
            sequence,
            bytes: 0,
            first_task_id: self.next_task_id,
            runs: vec![],
            transfer_tasks: vec![],
            timer_tasks: vec![],
            answers: vec![],
            dependants: vec![],
        }
    }

    /// Puts one run into the commit, whether it changes or is opened, and its next state into memory.
    fn stage_run(&mut self, workflow: &WorkflowKey, run: RunWrite, commit: &mut ShardCommit, staged: &mut Staged) {
        let becomes_current = run.opens();
        let (row, parts) = (encode_row(&run.state), encode_parts(&run));
        assert_stored_as_decided(&run, &row, &parts);
        let RunWrite { state, expected_version, events, transfer_tasks, timer_tasks, .. } = run;
        assert!(expected_version.is_none_or(|expected| state.version() > expected), "every change raises the version");
        let (key, branch, version) = (state.key().clone(), state.branch(), state.version());
        let bytes = state.approximate_bytes();
        if becomes_current {
            commit.current = Some(CurrentRunWrite {
                namespace_id: key.namespace_id.clone(),
                workflow_id: key.workflow_id.clone(),
                expected: self.executions.workflow(workflow).current().cloned(),
                run_id: key.run_id.clone(),
            });
        }
        self.executions.put(workflow, state, bytes, becomes_current);
        commit.runs.push(tempest_store::RunWrite { key: key.clone(), expected_version, version, row, parts });
        self.stage_events(&branch, events, commit);
        self.stage_tasks(&key, transfer_tasks, timer_tasks, commit, staged);
        staged.runs.push(key);
    }

    /// Stamps a run's events with task ids and appends them to its history.
    fn stage_events(&mut self, branch: &BranchRef, mut events: Vec<HistoryEvent>, commit: &mut ShardCommit) {
        for event in &mut events {
            event.task_id = self.take_task_id();
        }
        let Some(node) = events.first().map(|first| first.event_id) else { return };
        let history = History { events };
        commit.history.push(HistoryAppend {
            branch: BranchId { tree: branch.tree.clone(), branch: branch.branch.clone() },
            node,
            events: history.encode_to_vec().into(),
        });
        self.recent_events.keep(branch, history.events, commit.sequence, self.pipeline.durable());
    }

    fn stage_tasks(
        &mut self,
        run: &RunKey,
        transfer_tasks: Vec<TransferTask>,
        timer_tasks: Vec<TimerTask>,
        commit: &mut ShardCommit,
        staged: &mut Staged,
    ) {
        for task in transfer_tasks {
            let id = self.take_task_id();
            let task = HistoryTask { run: run.clone(), kind: TaskKind::Transfer(task) };
            commit.tasks_added.push(TaskRow { key: transfer_key(id), body: encode_task(&task) });
            staged.transfer_tasks.push((id, task));
        }
        for timer in timer_tasks {
            let key = timer_key(timer.fire_time.max(Time::ZERO), self.take_task_id());
            let in_memory_only = matches!(timer.kind, TimerKind::ActivityRetry { .. })
                && tempest_rt::planted!(crate::plants::RETRY_KEPT_IN_MEMORY_ONLY);
            let task = HistoryTask { run: run.clone(), kind: TaskKind::Timer(timer) };
            if !in_memory_only {
                commit.tasks_added.push(TaskRow { key, body: encode_task(&task) });
            }
            staged.timer_tasks.push((key, task));
        }
    }

    fn take_task_id(&mut self) -> i64 {
        let id = self.next_task_id;
        assert_eq!(id >> TASK_ID_BITS, self.range.0, "a task id of another range would be used twice");
        self.next_task_id += 1;
        id
    }
}
