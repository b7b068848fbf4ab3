//! A workflow task's deadlines.
use crate::{Decision, TimerKind, WorkflowTaskTimeoutKind, run::fire_timer::is_over};

pub(crate) fn fire(decision: &mut Decision<'_>, stamp: u64, timeout: WorkflowTaskTimeoutKind, kind: &TimerKind) {
    if decision.state.auxiliary.workflow_task.stamp != stamp {
        return;
    }
    let Some(task) = decision.state.workflow_task() else { return };
    let deadline = match timeout {
        WorkflowTaskTimeoutKind::StartToClose if task.is_started() => task.started_time.plus(task.timeout),
        // Only sticky queues give up waiting, and the deadline of one never moves: its task's coming is enough.
        WorkflowTaskTimeoutKind::ScheduleToStart if !task.is_started() => decision.now(),
        _ => return,
    };
    if is_over(decision, Some(deadline), kind) {
        decision.probe(match timeout {
            WorkflowTaskTimeoutKind::StartToClose => "workflow-task-timed-out",
            WorkflowTaskTimeoutKind::ScheduleToStart => "sticky-queue-timed-out",
        });
        decision.time_out_workflow_task(timeout);
        decision.schedule_workflow_task();
    }
}
