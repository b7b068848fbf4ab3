//! Sets going what the queues say: timers that are due, tasks for matching, deletions, proofs.
use super::cross_calls::{Business, OutboundCall};
use super::effects::{Effect, TaskPage, Work};
use super::events::Event;
use super::lag::Posted;
use super::owned::Owned;
use super::pipeline::Dependant;
use super::request::{Ask, Request};
use super::transfer_queue::transfer_key;
use crate::Counters;
use tempest_api::{ServiceError, ServiceResult, Target, WorkflowKey};
use tempest_core::{HistoryTask, RunKey, TransferTask};
use tempest_store::TaskKey;

impl Owned {
    /// Runs after everything that happened: begins what may begin now.
    pub(super) fn pump(&mut self) {
        if self.transfers.has_arrivals() {
            self.transfers.note_arrivals(self.now.instant);
        }
        if !self.is_draining() {
            self.begin_transfer_read();
            self.begin_timer_read();
            self.fire_due();
            while let Some((id, task)) = self.transfers.next() {
                self.take_up(Request { target: Target::of(&task.run), ask: Ask::SendTransfer(id, task) });
            }
            self.flush_deletions();
        }
        self.begin_proof();
        self.post_lag();
    }

    fn begin_transfer_read(&mut self) {
        let watermark = self.watermark();
        if let Some((after, before, limit)) = self.transfers.begin_read(watermark) {
            self.begin(Work::ReadTransfers(TaskPage { after, before, limit }));
        }
    }

    fn begin_timer_read(&mut self) {
        if let Some((after, before, limit)) = self.timers.begin_read() {
            self.begin(Work::ReadTimers(TaskPage { after, before, limit }));
        }
    }

    fn post_lag(&mut self) {
        let (transfers, timers) = (self.transfers.backlog(self.watermark()), self.timers.earliest());
        let posted = Posted { range: self.range, transfers, timers, clock: self.clock.mark() };
        self.effects.push(Effect::PostLag(posted));
    }

    fn fire_due(&mut self) {
        if self.timers.next_due().is_none() {
            return;
        }
        let now = self.clock.at(self.now);
        while self.may_stage()
            && let Some((key, task)) = self.timers.next(now)
        {
            self.take_up(Request { target: Target::of(&task.run), ask: Ask::FireTimer(key, task) });
        }
    }

    pub(super) fn timer_failed(&mut self, key: TaskKey, task: HistoryTask) {
        let pause = self.timers.failed(key);
        self.begin(Work::Later { pause, event: Box::new(Event::TimerRetry(key, task)) });
    }

    pub(super) fn begin_send(&mut self, id: i64, run: RunKey, task: TransferTask) {
        if tempest_rt::planted!(crate::plants::TRANSFER_TASK_DELETED_BEFORE_MATCHING_ACCEPTED) {
            self.delete_later(transfer_key(id));
        }
        self.begin(Work::Send { id, run, task });
    }

    /// The call follows from staged state, and waits for what that rests on.
    pub(super) fn begin_cross_call(&mut self, id: i64, workflow: &WorkflowKey, business: Business) {
        let duplicates_follow = self.late_duplicates.may_follow(self.now.instant, id);
        let call = Box::new(OutboundCall { id, business, duplicates_follow });
        let sequence = self.executions.workflow(workflow).last_sequence();
        self.when_proven(sequence, Dependant::Call(call));
    }

    pub(super) fn transfer_sent(&mut self, id: i64, result: ServiceResult<()>) {
        match result {
            Ok(()) => self.transfer_done(id),
            Err(error) if is_pointless(&error) => self.transfer_done(id),
            Err(ServiceError::OutcomeUnknown(_))
                if tempest_rt::planted!(crate::plants::UNKNOWN_ADD_TAKEN_FOR_ACCEPTED) =>
            {
                self.transfer_done(id);
            }
            Err(error) => {
                if error.is_retryable() {
                    tracing::debug!(%error, id, "a transfer task is tried again later");
                } else {
                    tracing::error!(%error, id, "a transfer task is refused, and tried again later");
                }
                if matches!(error, ServiceError::OutcomeUnknown(_)) {
                    self.late_duplicates.outcome_unknown(self.now.instant, id);
                }
                self.transfer_failed(id);
            }
        }
    }

    pub(super) fn transfer_failed(&mut self, id: i64) {
        tempest_rt::probe!("history-transfer-retried");
        Counters::add(&self.setup.counters.transfer_tasks_retried);
        let pause = self.transfers.failed(id);
        self.begin(Work::Later { pause, event: Box::new(Event::TransferRetry(id)) });
    }

    /// Sent, or not wanted any more. A crash before its deletion repeats it: matching's caller asks the run first.
    pub(super) fn transfer_done(&mut self, id: i64) {
        Counters::add(&self.setup.counters.transfer_tasks_done);
        self.transfers.done(id);
        self.late_duplicates.task_done(id);
        self.delete_later(transfer_key(id));
    }

    /// Deletes a task with one of the next commits.
    pub(super) fn delete_later(&mut self, key: TaskKey) {
        self.deletions.add(self.now.instant, key, self.setup.config.deletion_flush_delay);
    }

    fn flush_deletions(&mut self) {
        if self.may_stage() && self.deletions.are_due(self.now.instant, self.setup.config.deletion_batch_max) {
            self.stage_deletions();
        }
    }

    fn begin_proof(&mut self) {
        let is_due = self.proofs.is_due(self.now.instant) && !self.is_draining();
        if self.proofs.begin_round(is_due) {
            Counters::add(&self.setup.counters.ownership_proofs);
            let believed = tempest_rt::planted!(crate::plants::READS_WITHOUT_OWNERSHIP) && !is_due;
            self.begin(Work::Prove { believed: believed.then_some(self.range) });
        }
    }
}

/// The task is not wanted any more, as matching or its namespace's absence says.
fn is_pointless(error: &ServiceError) -> bool {
    matches!(
        error,
        ServiceError::NotFound(_)
            | ServiceError::NamespaceNotFound(_)
            | ServiceError::TaskAlreadyStarted
            | ServiceError::ObsoleteMatchingTask
    )
}
