//! What holds for every state, asserted after each change, in release builds too. A violation is a bug of this crate.
use crate::MutableState;

pub(crate) fn assert_holds(state: &MutableState) {
    if let Some(broken) = violation(state) {
        panic!("broken state of run {}: {broken}", state.key().run_id);
    }
}

fn violation(state: &MutableState) -> Option<String> {
    let (durable, ephemera) = (&state.durable, &state.ephemera);
    if durable.next_event_id < 2 {
        return Some("a run without a started event".into());
    }
    if durable.workflow_task.is_some() && ephemera.workflow_task.transient.is_some() {
        return Some("two workflow tasks at once".into());
    }
    if !ephemera.buffered.is_empty() && !state.workflow_task_is_started() {
        return Some("events are buffered although no workflow task is started".into());
    }
    if durable.closed.is_some() && (state.workflow_task().is_some() || ephemera.sticky.is_some()) {
        return Some("a closed run with a workflow task or a sticky queue".into());
    }
    if ephemera.workflow_task.attempt < 1 {
        return Some(format!("workflow task attempt {}", ephemera.workflow_task.attempt));
    }
    if let Some(task) = &ephemera.workflow_task.transient
        && task.attempt < 2
    {
        return Some(format!("a transient workflow task of attempt {}", task.attempt));
    }
    if !durable.activities.keys().eq(ephemera.activities.keys()) {
        return Some("activities and their progress differ".into());
    }
    for (id, progress) in &ephemera.activities {
        if progress.attempt < 1 {
            return Some(format!("activity {id} of attempt {}", progress.attempt));
        }
    }
    let closing = ephemera.activities.values().filter(|progress| progress.closing).count();
    let waiting = ephemera.buffered.iter().filter(|event| crate::state::closed_activity(event).is_some()).count();
    if closing != waiting {
        return Some(format!("{closing} activities are closing, {waiting} closing events wait"));
    }
    if let Some(id) = ephemera.timers_firing.iter().find(|id| !durable.timers.contains_key(id)) {
        return Some(format!("timer {id} fires without having been started"));
    }
    None
}
