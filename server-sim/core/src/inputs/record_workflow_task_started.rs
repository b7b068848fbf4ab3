//! Matching found a poll for a workflow task.
use crate::{
    Context, Decision, MutableState, RecordWorkflowTaskStarted, Rejection, Reply, Transition,
    entities::workflow_task::started_reply, state::EphemeralChange,
};

pub(super) fn decide(
    state: &MutableState,
    request: RecordWorkflowTaskStarted,
    context: &Context,
) -> Result<Transition, Rejection> {
    if !state.is_open() {
        return Err(super::closed());
    }
    let Some(task) = state.workflow_task() else {
        return Err(Rejection::NotFound("Workflow task not found.".into()));
    };
    if state.ephemera.workflow_task.stamp != request.stamp {
        return Err(Rejection::ObsoleteTask);
    }
    if task.is_started() {
        return answer_again(state, &request);
    }
    if task.scheduled_event_id != request.scheduled_event_id {
        return Err(Rejection::ObsoleteTask);
    }
    let sticky_queue = state.ephemera.sticky.as_ref().map(|sticky| sticky.queue.as_str());
    let polled_normal = request.polled_queue == state.task_queue();
    if !polled_normal && sticky_queue != Some(request.polled_queue.as_str()) {
        // Of a sticky queue that the run has left since.
        return Err(Rejection::ObsoleteTask);
    }
    let mut decision = Decision::about(state, context);
    if polled_normal && sticky_queue.is_some() {
        // The sticky worker did not come for it; whoever did has no cache.
        decision.probe("sticky_task_taken_from_normal_queue");
        decision.ephemeral(EphemeralChange::Sticky(None));
    }
    decision.start_workflow_task(request.request_id, request.identity);
    let partial = decision.state.ephemera.sticky.is_some();
    let reply = started_reply(&decision.state, partial);
    Ok(decision.finish(Reply::WorkflowTaskStarted(Box::new(reply))))
}

/// The answer to a hand-over may be lost: asking again with the same request id gets it once more.
fn answer_again(state: &MutableState, request: &RecordWorkflowTaskStarted) -> Result<Transition, Rejection> {
    let task = state.workflow_task().expect("the caller found it");
    if task.request_id != request.request_id {
        return Err(Rejection::TaskAlreadyStarted);
    }
    let reply = started_reply(state, state.ephemera.sticky.is_some());
    let mut transition = Transition::nothing(Reply::WorkflowTaskStarted(Box::new(reply)));
    transition.probes.push("workflow_task_start_repeated");
    Ok(transition)
}
