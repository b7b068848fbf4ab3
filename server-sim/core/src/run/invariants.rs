//! What holds for every state, asserted after each change, in release builds too. A violation is a bug of this crate.
use crate::{MutableState, PartKey};
use std::collections::BTreeSet;
use temporalio_protos::temporal::api::history::v1::HistoryEvent;

/// What was not touched held before and is not looked at again.
pub(crate) fn assert_holds(state: &MutableState, touched: &BTreeSet<PartKey>) {
    if let Some(broken) = violation(state, touched) {
        panic!("broken state of run {}: {broken}", state.key().run_id);
    }
}

/// Whether a decision's tests look at it twice: always in debug builds and in the simulator, never in a deployed server.
pub(crate) const FOLLOWS_IS_ASSERTED: bool = cfg!(any(debug_assertions, feature = "chaos"));

/// The events of a decision, applied to the state before it, say the same as the state that was decided on; and nothing
/// has changed but what is said to be touched.
pub(crate) fn assert_follows(
    before: Option<&MutableState>,
    events: &[HistoryEvent],
    after: &MutableState,
    touched: &BTreeSet<PartKey>,
) {
    let run_id = &after.key().run_id;
    let empty = MutableState::empty(after.key().clone());
    let before = before.unwrap_or(&empty);
    let mut replayed = before.clone();
    for event in events {
        replayed.apply_event(event).unwrap_or_else(|why| panic!("events of run {run_id} do not follow: {why}"));
    }
    assert!(
        replayed.durable == after.durable,
        "the events of run {run_id} tell of another state\nevents: {}\nstate: {}",
        replayed.durable_projection(),
        after.durable_projection()
    );
    let changed = after.parts_changed_since(before);
    let untouched: Vec<_> = changed.difference(touched).collect();
    assert!(untouched.is_empty(), "parts of run {run_id} changed although nothing touched them: {untouched:?}");
}

fn violation(state: &MutableState, touched: &BTreeSet<PartKey>) -> Option<String> {
    if state.durable.next_event_id < 2 {
        return Some("a run without a started event".into());
    }
    let of_tasks = state.workflow_task_violation();
    of_tasks.or_else(|| state.activities_violation(touched)).or_else(|| state.timers_violation())
}
