//! What the errands of other runs ask of this one as their child: that it be started, and that it begin.
use super::start::{self, Existing};
use crate::{
    Context, Decision, EventId, MutableState, OtherRun, Rejection, Reply, StartChild, Transition,
    entities::run::Opening,
};
use temporalio_protos::temporal::api::common::v1::WorkflowExecution;

/// Opens a run that waits for its parent before it begins. The same child again gets the answer it got before, also when
/// its chain has gone on to another run.
pub(super) fn start(
    current: Option<&MutableState>,
    child: StartChild,
    context: &Context,
) -> Result<Transition, Rejection> {
    if let Some(run) = current.filter(|run| is_this_child(run, &child)) {
        let mut started = start::started(run, true);
        started.run_id = started.first_execution_run_id.clone();
        let mut transition = Transition::nothing(Reply::Started(started));
        transition.probes.push("child_start_repeated");
        return Ok(transition);
    }
    let (reuse, conflict) = (child.request.workflow_id_reuse_policy(), child.request.workflow_id_conflict_policy());
    let conflict = start::effective_conflict(reuse, conflict);
    let existing = current.map(|run| Ok((run, start::existing(run, reuse, conflict)?))).transpose()?;
    let key = start::key_of(&child.request.workflow_id, context);
    let opening = opening(child, context);
    if let Some((run, Existing::Terminate)) = existing {
        return start::replace(run, key, opening, context);
    }
    start::open_first(key, opening, context)
}

fn is_this_child(run: &MutableState, child: &StartChild) -> bool {
    run.is_child_of(child.parent.workflow_id.as_str(), child.parent.run_id.as_str())
        && run.durable().started.parent_initiated_event_id == child.initiated_event_id
}

fn opening(child: StartChild, context: &Context) -> Opening {
    let StartChild { request, parent, parent_namespace, initiated_event_id, root, .. } = child;
    let mut opening = start::opening(request, context);
    opening.started.parent_workflow_namespace = parent_namespace;
    opening.started.parent_workflow_namespace_id = parent.namespace_id.0;
    opening.started.parent_workflow_execution =
        Some(WorkflowExecution { workflow_id: parent.workflow_id.0, run_id: parent.run_id.0 });
    opening.started.parent_initiated_event_id = initiated_event_id;
    opening.started.root_workflow_execution = Some(root);
    Opening { waits_for_parent: true, ..opening }
}

/// The parent knows of it: it gets its first workflow task, unless something else has let it begin.
pub(super) fn begin(state: &MutableState, parent: &OtherRun, context: &Context) -> Result<Transition, Rejection> {
    refuse_strangers(state, parent)?;
    if parent_event(state) != parent.initiated_event_id {
        return Err(super::by_workflow::not_its_parent());
    }
    if !state.is_open() {
        return Err(super::closed());
    }
    let mut decision = Decision::about(state, context);
    if !state.had_workflow_task() {
        decision.schedule_workflow_task_for_news();
    }
    Ok(decision.finish(Reply::None))
}

fn parent_event(state: &MutableState) -> EventId {
    state.durable().started.parent_initiated_event_id
}

/// Who may only act on a child of his is refused by everybody else.
pub(super) fn refuse_strangers(state: &MutableState, from: &OtherRun) -> Result<(), Rejection> {
    if from.child_only && !state.is_child_of(from.workflow_id.as_str(), from.run_id.as_str()) {
        return Err(super::by_workflow::not_its_parent());
    }
    Ok(())
}
