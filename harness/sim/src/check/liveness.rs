//! `liveness`: once everything is healed, everything ends.
use super::{Invariant, Observations, RunObserved, Violation, events, seconds};
use tempest_api::proto::history::v1::history_event::Attributes;

pub const INVARIANT: Invariant = Invariant::Liveness;
pub const HOLDS_WHEN: &str = "after healing, every run closes and every client gets its answer within the bound, \
                              unless the scenario leaves it open on purpose";

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut violations: Vec<Violation> = Vec::new();
    for run in observations.runs.values() {
        let expected = observations.may_stay_open.iter().any(|id| id == run.key.workflow_id.as_str());
        if !expected && !events::is_closed(&run.stored) {
            let what = format!("{} is still open at {}", run.name(), seconds(observations.deadline_ns));
            let violation = Violation::new(INVARIANT, what).about(run);
            violations.push(stuck(run).into_iter().fold(violation, Violation::because));
        }
    }
    if !observations.clients_done {
        let what = format!("clients are still waiting at {}", seconds(observations.deadline_ns));
        let violation = Violation::new(INVARIANT, what);
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
        for child in &described.pending_children {
            let run = if child.run_id.is_empty() { "not known to be started" } else { child.run_id.as_str() };
            chain.push(format!("pending child {:?} of event {}: {run}", child.workflow_id, child.initiated_id));
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

#[cfg(test)]
mod tests {
    use crate::check::{Observations, samples};

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    /// Nothing after the activity was scheduled.
    fn stop_early(observations: &mut Observations) {
        let events = samples::events(samples::RUN)[..6].to_vec();
        samples::add(observations, samples::run(samples::RUN, events));
    }

    #[test]
    fn a_sound_run_ends() {
        check(|_| {}, &[]);
    }

    #[test]
    fn a_run_that_stays_open_is_stuck() {
        check(stop_early, &["order-1 / run-1 is still open at 900.000 s"]);
    }

    #[test]
    fn a_run_may_stay_open_on_purpose() {
        check(
            |observations| {
                stop_early(observations);
                observations.may_stay_open.push(samples::WORKFLOW.to_owned());
            },
            &[],
        );
    }

    #[test]
    fn clients_must_get_their_answer() {
        check(|observations| observations.clients_done = false, &["clients are still waiting at 900.000 s"]);
    }

    #[test]
    fn what_a_run_waits_for_is_told() {
        let mut observations = samples::sound();
        stop_early(&mut observations);
        observations.clients_done = false;
        observations.clients_waited_for.push("the result of order-1".to_owned());
        let evidence: Vec<String> =
            super::judge(&observations).into_iter().flat_map(|violation| violation.evidence).collect();
        insta::assert_snapshot!(evidence.join("\n"), @r#"
        task queue "orders"
        event 2 WORKFLOW_TASK_SCHEDULED
        event 3 WORKFLOW_TASK_STARTED
        event 4 WORKFLOW_TASK_COMPLETED
        event 5 ACTIVITY_TASK_SCHEDULED
        event 6 TIMER_STARTED
        pending activity "1": attempt 1, state Scheduled, last failure None
        the result of order-1
        "#);
    }
}
