//! What happens to a shard while it is owned, and what the machine makes of it.
use super::effects::Effect;
use super::executions::Loaded;
use super::owned::{Exit, Owned};
use super::pipeline::Dependant;
use super::request::{Ask, Request};
use crate::Counters;
use std::collections::VecDeque;
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::{ServiceError, ServiceResult, Target, WorkflowKey};
use tempest_core::{BranchRef, HistoryTask};
use tempest_store::{CommitOutcome, RangeId, StoreError, TaskKey};

pub(crate) enum Event {
    /// The shard was acquired; these requests were left undecided by the previous ownership, or waited meanwhile.
    Acquired(VecDeque<Request>),
    /// A request from outside.
    Request(Request),
    /// The oldest commit in flight has ended.
    CommitEnded(CommitOutcome),
    /// A workflow was read.
    Loaded(WorkflowKey, Result<Loaded, StoreError>),
    /// Events were read that a decision needs.
    EventsRead {
        workflow: WorkflowKey,
        branch: BranchRef,
        events: ServiceResult<Vec<HistoryEvent>>,
    },
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
    /// Matching has answered, or a cross-workflow call has ended.
    TransferSent(i64, ServiceResult<()>),
    /// A transfer task has waited long enough after it failed.
    TransferRetry(i64),
    /// The same for a timer whose run could not be read.
    TimerRetry(TaskKey, HistoryTask),
    /// The sender of a call was asked whether it still waits for it.
    SenderAsked(u64, ServiceResult<bool>),
    /// Something is due: see [`Owned::next_wake`].
    Alarm,
    /// The shard is to take nothing new on, and to end like this when all that it began has ended.
    Leave(Exit),
}

impl Owned {
    pub(super) fn happened(&mut self, event: Event) {
        match event {
            Event::Acquired(requests) => requests.into_iter().for_each(|request| self.take_up(request)),
            Event::Request(request) => self.take_up(request),
            Event::CommitEnded(outcome) => self.commit_ended(outcome),
            Event::Loaded(workflow, loaded) => self.loaded(workflow, loaded),
            Event::EventsRead { workflow, branch, events } => self.events_read(&workflow, &branch, events),
            Event::Proven(range) => self.proven(range),
            Event::TransferPage { before, limit, rows } => self.transfers.read(before, limit, rows),
            Event::TimerPage { limit, rows } => {
                let watermark = self.watermark();
                self.timers.read(limit, rows, watermark);
            }
            Event::TransferSent(id, result) => self.transfer_sent(id, result),
            Event::TransferRetry(id) => {
                let task = self.transfers.retry(id);
                // The next ownership finds it in the store: one that makes calls while it drains might never end.
                if self.is_draining() {
                    return;
                }
                self.take_up(Request { target: Target::of(&task.run), ask: Ask::SendTransfer(id, task) });
            }
            Event::TimerRetry(key, task) => {
                self.timers.retry();
                if self.is_draining() {
                    return;
                }
                self.take_up(Request { target: Target::of(&task.run), ask: Ask::FireTimer(key, task) });
            }
            Event::SenderAsked(question, awaited) => self.sender_asked(question, awaited),
            // The pump sees what is due.
            Event::Alarm => {}
            Event::Leave(exit) => self.leave(exit),
        }
    }

    /// The oldest commit in flight has ended.
    fn commit_ended(&mut self, outcome: CommitOutcome) {
        let counters = self.setup.counters.clone();
        match outcome {
            CommitOutcome::Committed => {
                Counters::add(&counters.commits);
                self.committed();
            }
            CommitOutcome::OwnershipLost { current } => self.end(Exit::OwnershipLost { current }),
            CommitOutcome::OutcomeUnknown(_)
                if tempest_rt::planted!(crate::plants::UNKNOWN_COMMIT_TAKEN_FOR_COMMITTED) =>
            {
                self.committed();
            }
            CommitOutcome::OutcomeUnknown(why) => {
                tempest_rt::probe!("history-outcome-unknown");
                Counters::add(&counters.commits_unknown);
                self.end(Exit::Failed(ServiceError::OutcomeUnknown(why)));
            }
            CommitOutcome::Unavailable(why) => {
                tempest_rt::probe!("history-commit-refused");
                self.end(Exit::Failed(ServiceError::Unavailable(why)));
            }
            CommitOutcome::Conflict(why) => {
                tempest_rt::probe!("history-commit-conflict");
                Counters::add(&counters.commits_conflicting);
                tracing::error!(%why, "a commit did not find what this shard believed: everything is read again");
                self.end(Exit::Failed(ServiceError::Unavailable(why)));
            }
        }
    }

    fn committed(&mut self) {
        let staged = self.pipeline.committed();
        let watermark = self.watermark();
        self.transfers.durable(staged.first_task_id, watermark, staged.transfer_tasks);
        self.timers.durable(staged.timer_tasks);
        staged.answers.into_iter().for_each(|answer| self.give(answer));
        staged.dependants.into_iter().for_each(|dependant| self.release(dependant));
        for run in &staged.runs {
            for request in self.waiters.wake(run) {
                self.take_up(request);
            }
        }
        for run in &staged.runs {
            self.executions.prune(&WorkflowKey::of(run), self.pipeline.durable());
        }
        self.evict();
    }

    fn loaded(&mut self, workflow: WorkflowKey, loaded: Result<Loaded, StoreError>) {
        match loaded {
            Ok(loaded) => {
                Counters::add(&self.setup.counters.executions_loaded);
                let waited = self.executions.loaded(loaded);
                // One of them may need another run of this workflow: then it waits again, and the rest behind it.
                waited.into_iter().for_each(|request| self.take_up(request));
                self.evict();
            }
            Err(error) => {
                tempest_rt::probe!("history-load-failed");
                tracing::warn!(%error, workflow = %workflow.workflow_id, "a run could not be read");
                let waited = self.executions.load_ended(&workflow);
                // What another build wrote is not lost: a node of that build serves it.
                let refused = match &error {
                    StoreError::Corrupt(_) => ServiceError::DataLoss(error.to_string()),
                    _ => ServiceError::Unavailable(error.to_string()),
                };
                self.turn_waiting_back(waited, &refused);
            }
        }
    }

    /// What requests of a workflow wait for could not be read. Where it is damaged, that concerns the first of them, which
    /// asked for it: the others may need another run or event, and matching drops a task whose run is damaged.
    pub(super) fn turn_waiting_back(&mut self, waited: impl IntoIterator<Item = Request>, error: &ServiceError) {
        let concerned = if says_damage(error) { 1 } else { usize::MAX };
        for (index, request) in waited.into_iter().enumerate() {
            if index < concerned {
                self.turn_back(request, error);
            } else {
                self.take_up(request);
            }
        }
    }

    /// What a request needs could not be read: callers hear so, and the queues try again. Two reads around a failover that
    /// lost something find half a run: none but a shard that is owned still may call that damage.
    fn turn_back(&mut self, Request { target, ask }: Request, error: &ServiceError) {
        match ask {
            Ask::FireTimer(key, task) => self.timer_failed(key, task),
            Ask::SendTransfer(id, _) => self.transfer_failed(id),
            Ask::Decide(_, _, to) if says_damage(error) => self.answer_when_proven(to, Err(error.clone().into())),
            Ask::Read(_, to) if says_damage(error) => self.answer_when_proven(to, Err(error.clone())),
            ask => self.refuse(Request { target, ask }, error.clone()),
        }
    }

    fn proven(&mut self, range: ServiceResult<RangeId>) {
        let asked = self.proofs.end_round(self.setup.config.next_ownership_check(self.now.instant));
        match range {
            Ok(range) if range == self.range => {
                for (sequence, dependant) in asked {
                    if let Some(dependant) = self.pipeline.when_durable(sequence, dependant) {
                        self.release(dependant);
                    }
                }
            }
            Ok(current) => {
                asked.into_iter().for_each(|(sequence, dependant)| self.proofs.wait(sequence, dependant));
                self.end(Exit::Superseded { current });
            }
            Err(error) => asked.into_iter().for_each(|(_, dependant)| self.withdraw(dependant, error.clone())),
        }
    }

    /// Whether the shard is still owned could not be learnt.
    fn withdraw(&mut self, dependant: Dependant, error: ServiceError) {
        match dependant {
            Dependant::Answer(answer) => self.effects.push(Effect::Withdraw(answer, error)),
            Dependant::Call(call) => self.transfer_sent(call.id, Err(error)),
        }
    }
}

fn says_damage(error: &ServiceError) -> bool {
    matches!(error, ServiceError::DataLoss(_))
}
