//! Scheduling a workflow task and offering it to matching.
use super::{Sticky, WorkflowTask};
use crate::{
    AuxiliaryChange, Decision, MutableState, Time, TimerKind, TransferTask, WorkflowTaskTimeoutKind, rules::durations,
};
use std::time::Duration;

/// Up to this attempt the timeout stays as it is; then it grows, so that a run that always fails costs less and less.
const GROWING_TIMEOUT_AFTER_ATTEMPT: i32 = 3;

const TIMEOUT_GROWTH_FIRST: Duration = Duration::from_secs(5);

const TIMEOUT_GROWTH_MAX: Duration = Duration::from_secs(600);

/// Who is told of a scheduled workflow task.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    ToMatching,
    /// It is started at once and returned to the worker that just completed one.
    Inline,
}

impl Decision<'_> {
    /// Schedules a workflow task for news that just arrived, unless one is pending or the run still waits to begin.
    pub(crate) fn schedule_workflow_task_for_news(&mut self) {
        if !self.state.waits_for_first_backoff() {
            self.schedule_workflow_task();
        }
    }

    /// Schedules a workflow task unless one is pending.
    pub(crate) fn schedule_workflow_task(&mut self) {
        self.schedule_workflow_task_as(self.now(), Offer::ToMatching);
    }

    pub(crate) fn schedule_workflow_task_as(&mut self, original_scheduled_time: Time, offer: Offer) {
        if self.state.workflow_task().is_some() {
            return;
        }
        let mut auxiliary = self.state.auxiliary.workflow_task.clone();
        if !self.state.auxiliary.buffered.is_empty() {
            // There is news: whatever failed before may work now, so this is a first attempt with events of its own.
            auxiliary.attempt = 1;
            self.flush_buffer();
        }
        auxiliary.stamp += 1;
        auxiliary.original_scheduled_time = original_scheduled_time;
        let sticky = self.state.auxiliary.sticky.clone();
        let task = self.next_workflow_task(auxiliary.attempt, sticky.as_ref());
        if auxiliary.attempt == 1 {
            self.event(task.scheduled_attributes());
        } else {
            self.probe("transient-workflow-task");
            auxiliary.transient = Some(task);
        }
        self.auxiliary(AuxiliaryChange::WorkflowTask(auxiliary));
        if offer == Offer::ToMatching {
            self.offer_workflow_task(sticky.map(|sticky| sticky.schedule_to_start_timeout));
        }
    }

    fn next_workflow_task(&self, attempt: i32, sticky: Option<&Sticky>) -> WorkflowTask {
        let normal = self.state.task_queue().to_owned();
        WorkflowTask {
            scheduled_event_id: self.next_event_id(),
            scheduled_time: self.now(),
            attempt,
            timeout: workflow_task_timeout(&self.state, attempt),
            sticky_for: sticky.map(|_| normal.clone()),
            queue: sticky.map_or(normal, |sticky| sticky.queue.clone()),
            ..WorkflowTask::default()
        }
    }

    fn offer_workflow_task(&mut self, sticky_timeout: Option<Duration>) {
        let stamp = self.state.auxiliary.workflow_task.stamp;
        let task = self.state.workflow_task().expect("a workflow task was just scheduled").clone();
        let timeout = sticky_timeout.filter(|timeout| !timeout.is_zero());
        if let Some(timeout) = timeout {
            let kind = TimerKind::WorkflowTaskTimeout {
                scheduled_event_id: task.scheduled_event_id,
                stamp,
                timeout: WorkflowTaskTimeoutKind::ScheduleToStart,
            };
            self.timer(task.scheduled_time.plus(timeout), kind);
        }
        self.transfer(TransferTask::WorkflowTask {
            scheduled_event_id: task.scheduled_event_id,
            stamp,
            task_queue: task.queue,
            sticky_for: task.sticky_for,
            schedule_to_start_timeout: timeout,
        });
    }
}

fn workflow_task_timeout(state: &MutableState, attempt: i32) -> Duration {
    let timeout = durations::value(state.durable.started.workflow_task_timeout.as_ref());
    if attempt <= GROWING_TIMEOUT_AFTER_ATTEMPT {
        return timeout;
    }
    let doublings = u32::try_from(attempt - GROWING_TIMEOUT_AFTER_ATTEMPT - 1).expect("attempts count up").min(16);
    timeout + (TIMEOUT_GROWTH_FIRST * 2u32.pow(doublings)).min(TIMEOUT_GROWTH_MAX)
}
