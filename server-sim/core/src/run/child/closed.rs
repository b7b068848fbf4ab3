//! A child reports that the last run of its chain has closed.
use crate::{ChildClosed, Context, Decision, MutableState, Rejection, Reply, Transition, run::inputs};

/// # Errors
/// `NotFound` if the run is closed or waits for no such child: there is no run to tell.
pub(crate) fn decide(state: &MutableState, closed: &ChildClosed, context: &Context) -> Result<Transition, Rejection> {
    if !state.is_open() {
        return Err(inputs::closed());
    }
    let unknown = || Rejection::NotFound("Pending child execution not found.".into());
    let child = state.pending_child(closed.initiated_event_id).ok_or_else(unknown)?;
    let mut decision = Decision::about(state, context);
    if !decision.record_child_closed(child, closed) {
        return Err(unknown());
    }
    decision.schedule_workflow_task_for_news();
    Ok(decision.finish(Reply::None))
}
