//! Sets going what the queues say: timers that are due, tasks for matching, deletions, proofs.
use super::events::Event;
use super::lag::Posted;
use super::owned::Owned;
use super::request::{Ask, Request};
use super::transfer_queue::transfer_key;
use crate::Counters;
use std::sync::Arc;
use std::time::Duration;
use tempest_api::{AddActivityTask, AddWorkflowTask, MatchingService, ServiceError, ServiceResult, Target};
use tempest_core::{HistoryTask, RunKey, TransferTask};
use tempest_rt::time::{Instant, sleep};
use tempest_store::TaskKey;

/// By how much a transfer task is sent late where the simulation wants it so: as if matching were far away or busy, and
/// longer than deletions wait.
const SENT_LATE_BY: Duration = Duration::from_secs(2);

impl Owned {
    /// Runs after everything that happened: begins what may begin now.
    pub fn pump(&mut self) {
        if self.transfers.has_arrivals() {
            self.transfers.note_arrivals(Instant::now());
        }
        if !self.is_draining() {
            self.begin_transfer_read();
            self.begin_timer_read();
            self.fire_due();
            while let Some((id, task)) = self.transfers.next() {
                self.handle(Request { target: Target::of(&task.run), ask: Ask::SendTransfer(id, task) });
            }
            self.flush_deletions();
        }
        self.begin_proof();
        self.post_lag();
    }

    fn post_lag(&self) {
        let (transfers, timers) = (self.transfers.backlog(self.watermark()), self.timers.earliest());
        let posted = Posted { range: self.range, transfers, timers, clock: self.clock.mark() };
        self.node.lags.post(self.shard, posted);
    }

    fn fire_due(&mut self) {
        if self.timers.next_due().is_none() {
            return;
        }
        let now = self.clock.now();
        while self.may_stage()
            && let Some((key, task)) = self.timers.next(now)
        {
            self.handle(Request { target: Target::of(&task.run), ask: Ask::FireTimer(key, task) });
        }
    }

    pub(super) fn timer_failed(&mut self, key: TaskKey, task: HistoryTask) {
        let pause = self.timers.failed(key);
        self.work.push(Box::pin(async move {
            sleep(pause).await;
            Event::TimerRetry(key, task)
        }));
    }

    pub(super) fn begin_send(&mut self, id: i64, run: RunKey, task: TransferTask) {
        if tempest_rt::planted!(crate::plants::TRANSFER_TASK_DELETED_BEFORE_MATCHING_ACCEPTED) {
            self.delete_later(transfer_key(id));
        }
        let matching = self.node.matching.clone();
        let late = tempest_rt::buggify!("history-transfer-sent-late");
        self.work.push(Box::pin(async move {
            if late {
                sleep(SENT_LATE_BY).await;
            }
            Event::TransferSent(id, send(&matching, run, task).await)
        }));
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
                self.transfer_failed(id, matches!(error, ServiceError::OutcomeUnknown(_)).then(Instant::now));
            }
        }
    }

    pub(super) fn transfer_failed(&mut self, id: i64, unknown_at: Option<Instant>) {
        tempest_rt::probe!("history-transfer-retried");
        Counters::add(&self.node.counters.transfer_tasks_retried);
        let pause = self.transfers.failed(id, unknown_at);
        self.work.push(Box::pin(async move {
            sleep(pause).await;
            Event::TransferRetry(id)
        }));
    }

    /// Sent, or not wanted any more. A crash before its deletion repeats it: matching's caller asks the run first.
    pub(super) fn transfer_done(&mut self, id: i64) {
        Counters::add(&self.node.counters.transfer_tasks_done);
        self.transfers.done(id);
        self.delete_later(transfer_key(id));
    }

    /// Deletes a task with one of the next commits.
    pub(super) fn delete_later(&mut self, key: TaskKey) {
        self.deletions.keys.push(key);
        if self.deletions.flush_at.is_none() {
            self.deletions.flush_at = Some(Instant::now() + self.node.config.deletion_flush_delay);
        }
    }

    fn flush_deletions(&mut self) {
        let Some(flush_at) = self.deletions.flush_at else { return };
        let full = self.deletions.keys.len() >= self.node.config.deletion_batch_max;
        if self.may_stage() && (full || Instant::now() >= flush_at) {
            self.stage_deletions();
        }
    }

    fn begin_proof(&mut self) {
        let is_due = self.proofs.due_at.is_some_and(|due_at| due_at <= Instant::now()) && !self.is_draining();
        if self.proofs.in_round.is_some() || (self.proofs.waiting.is_empty() && !is_due) {
            return;
        }
        Counters::add(&self.node.counters.ownership_proofs);
        self.proofs.in_round = Some(std::mem::take(&mut self.proofs.waiting));
        let proof = self.node.read_index.prove(self.shard);
        let believed = tempest_rt::planted!(crate::plants::READS_WITHOUT_OWNERSHIP) && !is_due;
        let range = self.range;
        self.work.push(Box::pin(async move { Event::Proven(if believed { Ok(range) } else { proof.await }) }));
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

async fn send(matching: &Arc<dyn MatchingService>, run: RunKey, task: TransferTask) -> ServiceResult<()> {
    match task {
        TransferTask::WorkflowTask { scheduled_event_id, stamp, task_queue, sticky_for, schedule_to_start_timeout } => {
            let add = AddWorkflowTask {
                run,
                scheduled_event_id,
                stamp,
                task_queue,
                sticky_for: sticky_for.clone(),
                schedule_to_start_timeout,
            };
            match (matching.add_workflow_task(add.clone()).await, sticky_for) {
                // The normal queue takes it at once and no event is written, as in Temporal
                // (transfer_queue_active_task_executor.go): stickiness ends when another queue starts the task.
                (Err(ServiceError::StickyWorkerUnavailable), Some(normal)) => {
                    tempest_rt::probe!("history-sticky-worker-unavailable");
                    matching.add_workflow_task(AddWorkflowTask { task_queue: normal, sticky_for: None, ..add }).await
                }
                (result, _) => result,
            }
        }
        TransferTask::ActivityTask { scheduled_event_id, attempt, task_queue, schedule_to_start_timeout } => {
            matching
                .add_activity_task(AddActivityTask {
                    run,
                    scheduled_event_id,
                    attempt,
                    task_queue,
                    schedule_to_start_timeout,
                })
                .await
        }
        // These have cross-workflow calls, which `begin_cross_call` runs.
        TransferTask::StartChild { .. }
        | TransferTask::SignalExternal { .. }
        | TransferTask::CancelExternal { .. }
        | TransferTask::CloseExecution => Ok(()),
    }
}
