//! What happens to a shard beside requests and commits: the ends of what it set going.
use super::executions::Loaded;
use super::owned::{Exit, Owned};
use super::request::{Ask, Request};
use crate::Counters;
use tempest_api::{ServiceError, ServiceResult, Target, WorkflowKey};
use tempest_core::HistoryTask;
use tempest_store::{RangeId, StoreError, TaskKey};

pub(crate) enum Event {
    /// A workflow was read.
    Loaded(WorkflowKey, Result<Loaded, StoreError>),
    /// A round of proving ownership has ended.
    Proven(ServiceResult<RangeId>),
    TransferPage {
        before: TaskKey,
        limit: usize,
        rows: Vec<(i64, HistoryTask)>,
    },
    TimerPage {
        limit: usize,
        rows: Vec<(TaskKey, HistoryTask)>,
    },
    /// Matching has answered.
    TransferSent(i64, ServiceResult<()>),
    /// A transfer task has waited long enough after it failed.
    TransferRetry(i64),
    /// The same for a timer whose run could not be read.
    TimerRetry(TaskKey, HistoryTask),
    /// The sender of a call was asked whether it still waits for it.
    SenderAsked(u64, ServiceResult<bool>),
}

impl Owned {
    pub fn event(&mut self, event: Event) {
        match event {
            Event::Loaded(workflow, loaded) => self.loaded(workflow, loaded),
            Event::Proven(range) => self.proven(range),
            Event::TransferPage { before, limit, rows } => self.transfers.read(before, limit, rows),
            Event::TimerPage { limit, rows } => {
                let watermark = self.watermark();
                self.timers.read(limit, rows, watermark);
            }
            Event::TransferSent(id, result) => self.transfer_sent(id, result),
            Event::TransferRetry(id) => {
                let task = self.transfers.retry(id);
                self.handle(Request { target: Target::of(&task.run), ask: Ask::SendTransfer(id, task) });
            }
            Event::TimerRetry(key, task) => {
                self.timers.retry();
                self.handle(Request { target: Target::of(&task.run), ask: Ask::FireTimer(key, task) });
            }
            Event::SenderAsked(question, awaited) => self.sender_asked(question, awaited),
        }
    }

    fn loaded(&mut self, workflow: WorkflowKey, loaded: Result<Loaded, StoreError>) {
        match loaded {
            Ok(loaded) => {
                Counters::add(&self.node.counters.executions_loaded);
                let waited = self.executions.loaded(loaded);
                self.waiting -= waited.len();
                // One of them may need another run of this workflow: then it waits again, and the rest behind it.
                waited.into_iter().for_each(|request| self.handle(request));
                self.evict();
            }
            Err(error) => {
                tempest_rt::probe!("history-load-failed");
                tracing::warn!(%error, workflow = %workflow.workflow_id, "a run could not be read");
                let waited = self.executions.load_failed(&workflow);
                self.waiting -= waited.len();
                let refused = match &error {
                    StoreError::Corrupt(_) | StoreError::Incompatible(_) => ServiceError::DataLoss(error.to_string()),
                    _ => ServiceError::Unavailable(error.to_string()),
                };
                waited.into_iter().for_each(|Request { target, ask }| match ask {
                    Ask::FireTimer(key, task) => self.timer_failed(key, task),
                    Ask::SendTransfer(id, _) => self.transfer_failed(id, None),
                    ask => Request { target, ask }.refuse(refused.clone()),
                });
            }
        }
    }

    fn proven(&mut self, range: ServiceResult<RangeId>) {
        let asked = self.proofs.in_round.take().expect("a proof ends a round");
        self.proofs.due_at = self.node.config.next_ownership_check();
        match range {
            Ok(range) if range == self.range => {
                asked.into_iter().for_each(|(sequence, answer)| self.pipeline.answer_when_durable(sequence, answer));
            }
            Ok(current) => {
                self.proofs.in_round = Some(asked);
                self.end(Exit::Superseded { current });
            }
            Err(error) => asked.into_iter().for_each(|(_, answer)| answer.withdraw(error.clone())),
        }
    }
}
