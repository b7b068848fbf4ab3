//! What a run still owes the world: for each pending thing the task that must exist for it, or it would wait forever.
use super::MutableState;
use crate::{ActivityTimeoutKind, EventId, Time, TimerKind, TransferTask, WorkflowTaskTimeoutKind, rules::durations};

/// One task that must be stored somewhere or be on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owed {
    Transfer(TransferTask),
    /// A timer task of this kind that fires no later than `by` (an earlier one makes the next when it fires).
    Timer {
        by: Time,
        kind: TimerKind,
    },
}

impl MutableState {
    /// The tasks that must cover this state. A transfer task counts as paid once matching has acknowledged it: matching
    /// then holds what is offered until it is started.
    pub fn tasks_owed(&self) -> Vec<Owed> {
        if !self.is_open() {
            return vec![Owed::Transfer(TransferTask::CloseExecution)];
        }
        let mut owed = Vec::new();
        self.run_owes(&mut owed);
        self.workflow_task_owes(&mut owed);
        for timer in self.pending_timers() {
            let kind = TimerKind::UserTimer { started_event_id: timer.started_event_id };
            owed.push(Owed::Timer { by: timer.expiry, kind });
        }
        let activities: Vec<EventId> =
            self.pending_activities().map(|(activity, _)| activity.scheduled_event_id).collect();
        for scheduled_event_id in activities {
            self.activity_owes(scheduled_event_id, &mut owed);
        }
        self.others_are_owed(&mut owed);
        owed
    }

    /// What was asked of other runs. A child whose start is recorded may still have to be told to begin: its task knows.
    fn others_are_owed(&self, owed: &mut Vec<Owed>) {
        let unstarted = self.pending_children().filter(|child| self.child_start(child.initiated_event_id).is_none());
        let children = unstarted.map(|child| TransferTask::StartChild { initiated_event_id: child.initiated_event_id });
        let signals = self
            .pending_signals()
            .map(|signal| TransferTask::SignalExternal { initiated_event_id: signal.initiated_event_id });
        let cancels = self
            .pending_cancels()
            .map(|cancel| TransferTask::CancelExternal { initiated_event_id: cancel.initiated_event_id });
        owed.extend(children.chain(signals).chain(cancels).map(Owed::Transfer));
    }

    fn run_owes(&self, owed: &mut Vec<Owed>) {
        if let Some(by) = self.durable.run_expiration() {
            owed.push(Owed::Timer { by, kind: TimerKind::RunTimeout });
        }
        if let Some(by) = self.durable.execution_expiration() {
            owed.push(Owed::Timer { by, kind: TimerKind::ExecutionTimeout });
        }
        if self.waits_for_first_backoff() {
            owed.push(Owed::Timer { by: self.durable.execution_time(), kind: TimerKind::WorkflowBackoff });
        }
    }

    fn workflow_task_owes(&self, owed: &mut Vec<Owed>) {
        let Some(task) = self.workflow_task() else { return };
        let (scheduled_event_id, stamp) = (task.scheduled_event_id, self.ephemera.workflow_task.stamp);
        if task.is_started() {
            let timeout = WorkflowTaskTimeoutKind::StartToClose;
            let kind = TimerKind::WorkflowTaskTimeout { scheduled_event_id, stamp, timeout };
            owed.push(Owed::Timer { by: task.started_time.plus(task.timeout), kind });
            return;
        }
        // The sticky queue that the task was offered on may have been left since: then it was offered anew.
        let sticky = self.ephemera.sticky.as_ref();
        let timeout = sticky.map(|sticky| sticky.schedule_to_start_timeout).filter(|timeout| !timeout.is_zero());
        owed.push(Owed::Transfer(TransferTask::WorkflowTask {
            scheduled_event_id,
            stamp,
            task_queue: sticky.map_or_else(|| self.task_queue().to_owned(), |sticky| sticky.queue.clone()),
            sticky_for: sticky.map(|_| self.task_queue().to_owned()),
            schedule_to_start_timeout: timeout,
        }));
        if let Some(timeout) = timeout {
            let by = task.scheduled_time.plus(timeout);
            let timeout = WorkflowTaskTimeoutKind::ScheduleToStart;
            let kind = TimerKind::WorkflowTaskTimeout { scheduled_event_id, stamp, timeout };
            owed.push(Owed::Timer { by, kind });
        }
    }

    fn activity_owes(&self, scheduled_event_id: EventId, owed: &mut Vec<Owed>) {
        let Some((activity, progress)) = self.pending_activity(scheduled_event_id) else { return };
        let attempt = progress.attempt;
        for (by, timeout) in self.activity_deadlines(scheduled_event_id) {
            // This deadline is of all attempts: its task was made by the first.
            let attempt = if timeout == ActivityTimeoutKind::ScheduleToClose { 1 } else { attempt };
            owed.push(Owed::Timer { by, kind: TimerKind::ActivityTimeout { scheduled_event_id, attempt, timeout } });
        }
        if progress.started.is_some() {
            return;
        }
        if !progress.offered {
            let kind = TimerKind::ActivityRetry { scheduled_event_id, attempt };
            owed.push(Owed::Timer { by: progress.due_time, kind });
            return;
        }
        owed.push(Owed::Transfer(TransferTask::ActivityTask {
            scheduled_event_id,
            attempt,
            task_queue: activity.task_queue().to_owned(),
            schedule_to_start_timeout: durations::limit(activity.attributes.schedule_to_start_timeout.as_ref()),
        }));
    }
}
