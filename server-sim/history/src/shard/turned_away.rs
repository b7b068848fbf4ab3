//! Errands that were told that there is no such run, or that there is one already. What they asked for is recorded as
//! failed, so that a copy of the call that arrives late, when that has changed, must do nothing. The other half is with
//! whoever sends them (`errands.rs`): an errand that may have been sent before does not believe its first refusal.
use super::request::WorkflowKey;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use tempest_core::{EventId, Input, RunId};

/// Errands that a node remembers. A copy is seconds late; that many errands in vain take longer.
const ERRANDS_MAX: usize = 4096;

/// The run that asks, its event that says so, and whom it asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Errand(RunId, EventId, WorkflowKey);

impl Errand {
    /// What a start, signal or cancel request of another run is; nothing if the input is none of these. What a parent's close
    /// policy asks has no event, and nobody is told how it ended.
    pub fn of(workflow: &WorkflowKey, input: &Input) -> Option<Errand> {
        let (run_id, initiated_event_id) = match input {
            Input::SignalByWorkflow(from, _) | Input::RequestCancelByWorkflow(from, _) => {
                (&from.run_id, from.initiated_event_id)
            }
            Input::StartChild(child) => (&child.parent.run_id, child.initiated_event_id),
            _ => return None,
        };
        (initiated_event_id != 0).then(|| Errand(run_id.clone(), initiated_event_id, workflow.clone()))
    }
}

/// The newest of them. A node forgets them when it ends, and knows nothing of what another told.
#[derive(Debug, Default)]
pub(crate) struct TurnedAway(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    errands: BTreeSet<Errand>,
    in_order: VecDeque<Errand>,
}

impl TurnedAway {
    /// Notes that this was refused because there is no such run, none that is open, or one already.
    pub fn note(&self, errand: Option<Errand>) {
        let Some(errand) = errand else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.errands.insert(errand.clone()) {
            known.in_order.push_back(errand);
        }
        if known.in_order.len() > ERRANDS_MAX
            && let Some(oldest) = known.in_order.pop_front()
        {
            known.errands.remove(&oldest);
        }
    }

    /// Whether this was noted.
    pub fn knows(&self, errand: Option<&Errand>) -> bool {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        errand.is_some_and(|errand| known().errands.contains(errand))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_api::proto::common::v1::WorkflowExecution;
    use tempest_api::proto::workflowservice::v1 as api;
    use tempest_core::{OtherRun, RunKey, StartChild};

    fn signal(to: &str, initiated_event_id: EventId) -> Option<Errand> {
        let workflow = WorkflowKey { workflow_id: to.into(), ..WorkflowKey::default() };
        let from = OtherRun { run_id: "run-1".into(), initiated_event_id, ..OtherRun::default() };
        Errand::of(&workflow, &Input::SignalByWorkflow(from, Box::default()))
    }

    #[test]
    fn a_copy_of_what_was_in_vain_is_known_and_nothing_else() {
        let turned_away = TurnedAway::default();
        turned_away.note(signal("order", 5));
        assert!(turned_away.knows(signal("order", 5).as_ref()));
        assert!(!turned_away.knows(signal("order", 9).as_ref()), "another signal of the same run");
        assert!(!turned_away.knows(signal("parcel", 5).as_ref()));
        assert_eq!(signal("order", 0), None);
    }

    #[test]
    fn a_child_that_could_not_be_started_is_known_by_the_event_that_wanted_it() {
        let start = |initiated_event_id| {
            let parent = RunKey { run_id: "run-1".into(), ..RunKey::default() };
            let child = StartChild {
                request: api::StartWorkflowExecutionRequest::default(),
                parent,
                parent_namespace: String::new(),
                initiated_event_id,
                root: WorkflowExecution::default(),
            };
            Errand::of(&WorkflowKey::default(), &Input::StartChild(Box::new(child)))
        };
        let turned_away = TurnedAway::default();
        turned_away.note(start(5));
        assert!(turned_away.knows(start(5).as_ref()) && !turned_away.knows(start(9).as_ref()));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let turned_away = TurnedAway::default();
        let last = EventId::try_from(ERRANDS_MAX).expect("small") + 1;
        (1..=last).for_each(|id| turned_away.note(signal("order", id)));
        let knows = |id| turned_away.knows(signal("order", id).as_ref());
        assert!(!knows(1) && knows(2) && knows(last));
    }
}
