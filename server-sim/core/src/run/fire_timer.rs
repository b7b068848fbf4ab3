//! A timer task of the timer queue is due. It is only a hint: what it speaks of may be over, changed or not due yet.
use super::{activity, close, start, timer, workflow_task};
use crate::{Context, Decision, MutableState, Reply, Time, TimerKind, TimerTask, Transition};

pub(crate) fn decide(state: &MutableState, task: &TimerTask, context: &Context) -> Transition {
    let mut decision = Decision::about(state, context);
    if !state.is_open() {
        return decision.finish(Reply::None);
    }
    if task.fire_time > context.now {
        // Too early, whichever clock was wrong: it comes again.
        decision.timer(task.fire_time, task.kind.clone());
    } else {
        fire(&mut decision, &task.kind);
    }
    decision.finish(Reply::None)
}

fn fire(decision: &mut Decision<'_>, kind: &TimerKind) {
    match kind {
        TimerKind::UserTimer { started_event_id } => timer::fire::fire(decision, *started_event_id),
        TimerKind::ActivityTimeout { scheduled_event_id, attempt, timeout } => {
            activity::timeout::fire(decision, *scheduled_event_id, *attempt, *timeout);
        }
        TimerKind::ActivityRetry { scheduled_event_id, attempt } => {
            activity::timeout::fire_retry(decision, *scheduled_event_id, *attempt);
        }
        TimerKind::WorkflowTaskTimeout { stamp, timeout, .. } => {
            workflow_task::timeout::fire(decision, *stamp, *timeout, kind);
        }
        TimerKind::WorkflowBackoff => start::backoff::fire(decision),
        TimerKind::RunTimeout => close::timeout::fire_run(decision, kind),
        TimerKind::ExecutionTimeout => close::timeout::fire_execution(decision, kind),
        // The run is open: nothing may be deleted.
        TimerKind::DeleteHistory => {}
    }
}

/// Whether the deadline has come. If the task came before it, another one is made for it.
pub(crate) fn is_over(decision: &mut Decision<'_>, deadline: Option<Time>, kind: &TimerKind) -> bool {
    let Some(deadline) = deadline else { return false };
    if deadline <= decision.now() {
        return true;
    }
    decision.timer(deadline, kind.clone());
    false
}
