//! A timer task of the timer queue is due. It is only a hint: what it speaks of may be over, changed or not due yet.
use crate::{
    ActivityTimeoutKind, Context, Decision, EventId, MutableState, Reply, Time, TimerKind, TimerTask, Transition,
    WorkflowTaskTimeoutKind, planted_in, state::EphemeralChange,
};

pub(super) fn decide(state: &MutableState, task: &TimerTask, context: &Context) -> Transition {
    let mut decision = Decision::about(state, context);
    if !state.is_open() {
        return decision.finish(Reply::None);
    }
    if task.fire_time > context.now {
        // Too early, whoever's clock was wrong: it comes again.
        decision.timer(task.fire_time, task.kind.clone());
    } else {
        fire(&mut decision, &task.kind);
    }
    decision.finish(Reply::None)
}

fn fire(decision: &mut Decision<'_>, kind: &TimerKind) {
    match kind {
        TimerKind::UserTimer { started_event_id } => user_timer(decision, *started_event_id),
        TimerKind::ActivityTimeout { scheduled_event_id, attempt, timeout } => {
            activity_timeout(decision, *scheduled_event_id, *attempt, *timeout);
        }
        TimerKind::ActivityRetry { scheduled_event_id, attempt } => {
            activity_retry(decision, *scheduled_event_id, *attempt);
        }
        TimerKind::WorkflowTaskTimeout { stamp, timeout, .. } => {
            workflow_task_timeout(decision, *stamp, *timeout, kind)
        }
        TimerKind::WorkflowBackoff => workflow_backoff(decision),
        TimerKind::RunTimeout => {
            if is_over(decision, decision.state.run_expiration(), kind) {
                decision.time_out_run();
            }
        }
        TimerKind::ExecutionTimeout => {
            if is_over(decision, decision.state.durable.execution_expiration(), kind) {
                decision.time_out_execution();
            }
        }
        // The run is open: nothing may be deleted.
        TimerKind::DeleteHistory => {}
    }
}

/// Whether the deadline has come. If the task came before it, another one is made for it.
fn is_over(decision: &mut Decision<'_>, deadline: Option<Time>, kind: &TimerKind) -> bool {
    let Some(deadline) = deadline else { return false };
    if deadline <= decision.now() {
        return true;
    }
    decision.timer(deadline, kind.clone());
    false
}

fn user_timer(decision: &mut Decision<'_>, started_event_id: EventId) {
    let now = decision.now();
    let early = planted_in!(decision.context, "timer-fires-early");
    let due: Vec<_> = decision.state.pending_timers().filter(|timer| timer.expiry <= now || early).cloned().collect();
    if due.is_empty() {
        let own = decision.state.pending_timers().find(|timer| timer.started_event_id == started_event_id);
        if let Some(expiry) = own.map(|timer| timer.expiry) {
            decision.timer(expiry, TimerKind::UserTimer { started_event_id });
        }
        return;
    }
    decision.fire_timers(due);
    decision.schedule_workflow_task();
}

fn activity_timeout(
    decision: &mut Decision<'_>,
    scheduled_event_id: EventId,
    attempt: i32,
    timeout: ActivityTimeoutKind,
) {
    let Some((_, progress)) = decision.state.pending_activity(scheduled_event_id) else { return };
    if progress.attempt != attempt && timeout != ActivityTimeoutKind::ScheduleToClose {
        return;
    }
    let deadlines = decision.state.activity_deadlines(scheduled_event_id);
    let Some((first, kind)) = deadlines.first().copied() else { return };
    if first <= decision.now() {
        decision.time_out_activity(scheduled_event_id, kind);
    } else if deadlines.iter().any(|(_, kind)| *kind == timeout) {
        // A heartbeat has moved the deadline since this task was made.
        decision.probe("activity_deadline_moved");
        decision.activity_timer(scheduled_event_id, timeout);
    }
}

fn activity_retry(decision: &mut Decision<'_>, scheduled_event_id: EventId, attempt: i32) {
    let Some((_, progress)) = decision.state.pending_activity(scheduled_event_id) else { return };
    if progress.attempt != attempt || progress.offered {
        return;
    }
    let due = progress.due_time;
    let kind = TimerKind::ActivityRetry { scheduled_event_id, attempt };
    if is_over(decision, Some(due), &kind) {
        decision.change_activity(scheduled_event_id, |progress| progress.offered = true);
        decision.offer_activity(scheduled_event_id);
    }
}

fn workflow_task_timeout(decision: &mut Decision<'_>, stamp: u64, timeout: WorkflowTaskTimeoutKind, kind: &TimerKind) {
    if decision.state.ephemera.workflow_task.stamp != stamp {
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
            WorkflowTaskTimeoutKind::StartToClose => "workflow_task_timed_out",
            WorkflowTaskTimeoutKind::ScheduleToStart => "sticky_queue_timed_out",
        });
        decision.time_out_workflow_task(timeout);
        decision.schedule_workflow_task();
    }
}

fn workflow_backoff(decision: &mut Decision<'_>) {
    if !decision.state.waits_for_first_backoff() {
        return;
    }
    let due = decision.state.durable.execution_time();
    if is_over(decision, Some(due), &TimerKind::WorkflowBackoff) {
        decision.ephemeral(EphemeralChange::BackoffOver);
        decision.schedule_workflow_task();
    }
}
