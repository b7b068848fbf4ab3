//! What is seen of the workflow task: what it is owed, what describes it, what holds of it.
use crate::{MutableState, Owed, TimerKind, TransferTask, WorkflowTaskTimeoutKind};
use temporalio_protos::temporal::api::{enums::v1::PendingWorkflowTaskState, workflow::v1::PendingWorkflowTaskInfo};

impl MutableState {
    pub(crate) fn workflow_task_owes(&self, owed: &mut Vec<Owed>) {
        let Some(task) = self.workflow_task() else { return };
        let (scheduled_event_id, stamp) = (task.scheduled_event_id, self.auxiliary.workflow_task.stamp);
        if task.is_started() {
            let timeout = WorkflowTaskTimeoutKind::StartToClose;
            let kind = TimerKind::WorkflowTaskTimeout { scheduled_event_id, stamp, timeout };
            owed.push(Owed::Timer { by: task.started_time.plus(task.timeout), kind });
            return;
        }
        // The sticky queue that the task was offered on may have been left since: then it was offered anew.
        let sticky = self.auxiliary.sticky.as_ref();
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

    pub(crate) fn describe_workflow_task(&self) -> Option<PendingWorkflowTaskInfo> {
        let task = self.workflow_task()?;
        let state = match task.is_started() {
            true => PendingWorkflowTaskState::Started,
            false => PendingWorkflowTaskState::Scheduled,
        };
        Some(PendingWorkflowTaskInfo {
            state: state.into(),
            scheduled_time: Some(task.scheduled_time.to_proto()),
            original_scheduled_time: Some(self.auxiliary.workflow_task.original_scheduled_time.to_proto()),
            started_time: task.is_started().then(|| task.started_time.to_proto()),
            attempt: task.attempt,
        })
    }

    pub(crate) fn workflow_task_violation(&self) -> Option<String> {
        let auxiliary = &self.auxiliary.workflow_task;
        if self.durable.workflow_task.is_some() && auxiliary.transient.is_some() {
            return Some("two workflow tasks at once".into());
        }
        if !self.auxiliary.buffered.is_empty() && !self.workflow_task_is_started() {
            return Some("events are buffered although no workflow task is started".into());
        }
        if !self.is_open() && (self.workflow_task().is_some() || self.auxiliary.sticky.is_some()) {
            return Some("a closed run with a workflow task or a sticky queue".into());
        }
        if auxiliary.attempt < 1 {
            return Some(format!("workflow task attempt {}", auxiliary.attempt));
        }
        let transient = auxiliary.transient.as_ref().filter(|task| task.attempt < 2)?;
        Some(format!("a transient workflow task of attempt {}", transient.attempt))
    }
}
