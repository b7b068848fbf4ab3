//! Another run wants this one as its child.
use crate::{
    Context, MutableState, Rejection, Reply, StartChild, Transition,
    run::{
        admission::start::{self, Existing},
        start::open::Opening,
    },
};
use temporalio_protos::temporal::api::common::v1::WorkflowExecution;

/// Opens a run that waits for its parent before it begins. The same child again gets the answer it got before, also when
/// its chain has gone on to another run.
pub(crate) fn decide(
    current: Option<&MutableState>,
    child: StartChild,
    context: &Context,
) -> Result<Transition, Rejection> {
    if let Some(run) = current.filter(|run| is_this_child(run, &child)) {
        let mut started = start::started(run, true);
        started.run_id = started.first_execution_run_id.clone();
        let mut transition = Transition::nothing(Reply::Started(started));
        transition.probes.push("child-start-repeated");
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
