//! `liveness`: once everything is healed, everything ends.
use super::{Invariant, Observations, RunObserved, Violation, events, seconds};
use tempest_api::proto::history::v1::history_event::Attributes;

pub const INVARIANT: Invariant = Invariant {
    name: "liveness",
    holds_when: "after healing, every run closes and every client gets its answer within the bound, unless the scenario \
                 leaves it open on purpose",
};

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut violations: Vec<Violation> = Vec::new();
    for run in observations.runs.values() {
        let expected = observations.may_stay_open.iter().any(|id| id == run.key.workflow_id.as_str());
        if !expected && !events::is_closed(&run.stored) {
            let what = format!("{} is still open at {}", run.name(), seconds(observations.deadline_ns));
            violations.push(stuck(run).into_iter().fold(Violation::new(INVARIANT.name, what), Violation::because));
        }
    }
    if !observations.clients_done {
        let what = format!("clients are still waiting at {}", seconds(observations.deadline_ns));
        let violation = Violation::new(INVARIANT.name, what);
        violations.push(observations.clients_waited_for.iter().cloned().fold(violation, Violation::because));
    }
    violations
}

/// The chain of what waits for what.
fn stuck(run: &RunObserved) -> Vec<String> {
    let mut chain: Vec<String> = run.stored.iter().rev().take(5).rev().map(events::line).collect();
    if let Some(Attributes::WorkflowExecutionStartedEventAttributes(a)) =
        run.stored.first().and_then(|event| event.attributes.as_ref())
    {
        let queue = a.task_queue.as_ref().map_or("", |queue| queue.name.as_str());
        chain.insert(0, format!("task queue {queue:?}"));
    }
    if let Some(state) = &run.state {
        let described = state.describe();
        if let Some(task) = &described.pending_workflow_task {
            chain.push(format!("pending workflow task: attempt {}, state {:?}", task.attempt, task.state()));
        }
        for activity in &described.pending_activities {
            chain.push(format!(
                "pending activity {:?}: attempt {}, state {:?}, last failure {:?}",
                activity.activity_id,
                activity.attempt,
                activity.state(),
                activity.last_failure.as_ref().map(|failure| failure.message.as_str())
            ));
        }
    }
    chain
}
