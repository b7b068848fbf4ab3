//! The parent has recorded the start: the run may begin.
use super::relation::not_its_parent;
use crate::{Context, Decision, MutableState, OtherRun, Rejection, Reply, Transition, run::inputs::closed};

/// The parent knows of it: it gets its first workflow task, unless something else has let it begin.
pub(crate) fn decide(state: &MutableState, parent: &OtherRun, context: &Context) -> Result<Transition, Rejection> {
    state.require_parent(parent)?;
    if state.durable.started.parent_initiated_event_id != parent.initiated_event_id {
        return Err(not_its_parent());
    }
    if !state.is_open() {
        return Err(closed());
    }
    let mut decision = Decision::about(state, context);
    if !state.had_workflow_task() {
        decision.schedule_workflow_task_for_news();
    }
    Ok(decision.finish(Reply::None))
}
