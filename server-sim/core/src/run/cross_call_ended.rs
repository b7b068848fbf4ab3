//! What a run hears of what it asked of other runs: how that ended, certainly.
use super::inputs::closed;
use crate::{Context, CrossCallEnd, Decision, MutableState, Outcome, Rejection, Reply, Transition};

/// The end of what is not pending any more changes nothing: it was heard before, or has become pointless.
pub(crate) fn decide(state: &MutableState, end: &CrossCallEnd, context: &Context) -> Result<Transition, Rejection> {
    if !state.is_open() {
        return Err(closed());
    }
    let mut decision = Decision::about(state, context);
    if record(&mut decision, state, end) {
        decision.schedule_workflow_task_for_news();
    }
    Ok(decision.finish(Reply::None))
}

fn record(decision: &mut Decision<'_>, state: &MutableState, end: &CrossCallEnd) -> bool {
    let id = end.initiated_event_id;
    let unstarted = || state.pending_child(id).filter(|_| state.child_start(id).is_none());
    match &end.outcome {
        Outcome::ChildStarted(run_id) => {
            unstarted().map(|child| decision.record_child_started(child, run_id)).is_some()
        }
        Outcome::ChildStartFailed(cause) => {
            let cause = (*cause).try_into().unwrap_or_default();
            unstarted().map(|child| decision.record_child_start_failed(child, cause)).is_some()
        }
        Outcome::Signaled => state.pending_signal(id).map(|signal| decision.record_signal_delivered(signal)).is_some(),
        Outcome::SignalFailed(cause) => {
            let cause = (*cause).try_into().unwrap_or_default();
            state.pending_signal(id).map(|signal| decision.record_signal_failed(signal, cause)).is_some()
        }
        Outcome::CancelRequested => {
            state.pending_cancel(id).map(|cancel| decision.record_cancel_delivered(cancel)).is_some()
        }
        Outcome::CancelFailed(cause) => {
            let cause = (*cause).try_into().unwrap_or_default();
            state.pending_cancel(id).map(|cancel| decision.record_cancel_failed(cancel, cause)).is_some()
        }
    }
}
