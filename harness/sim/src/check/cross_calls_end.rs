//! `cross-calls-end`: what a run asked of another is done before the answer is recorded, and never after it.
//!
//! A call between nodes may be repeated, and a late duplicate of it may arrive when the child that it starts has come
//! and gone, or when the run that it signals has been followed by another. Nothing in the state of that workflow
//! tells of the first time.
//!
//! Before its end is recorded a cross-workflow call may be done twice, to two runs of one workflow id: its sender does not
//! know of the first. An end that waits in its run's buffer counts from when it gets its place in history.
use super::{Commit, Invariant, Observations, Violation, events};
use std::collections::BTreeMap;
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};
use tempest_core::{RunId, cross_call_request_id};

pub const INVARIANT: Invariant = Invariant::CrossCallsEnd;
pub const HOLDS_WHEN: &str = "once a run has recorded how a child's start, a signal or a request to cancel another \
                              ended, no run is started, signaled or asked to end because of it any more";

/// The run that asks and its event that says so.
type CrossCall = (String, i64);

pub fn judge(observations: &Observations) -> Vec<Violation> {
    // By cross-workflow call: the commit that recorded its end.
    let mut ended: BTreeMap<CrossCall, usize> = BTreeMap::new();
    let mut violations = Vec::new();
    for (position, commit) in observations.commits.iter().enumerate() {
        if !observations.was_applied(commit) {
            continue;
        }
        for batch in &commit.batches {
            for event in batch.events() {
                if let Some(initiated) = events::started_child(&event).or_else(|| events::ends_cross_call(&event)) {
                    ended.entry((batch.tree.clone(), initiated)).or_insert(position);
                }
                let Some((cross_call, record)) =
                    done_for(&event).and_then(|cross_call| ended.get_key_value(&cross_call))
                else {
                    continue;
                };
                let before = &observations.commits[..*record];
                if *record == position || was_buffered(before, &batch.tree, &event) {
                    continue;
                }
                let run = observations.run(&batch.tree).map_or_else(|| batch.tree.clone(), super::RunObserved::name);
                let (sender, initiated) = cross_call;
                let what = format!(
                    "{run}: {}: but run {sender} had recorded how event {initiated} ended",
                    events::line(&event)
                );
                let record = observations.commits[*record].line();
                violations.push(Violation::new(INVARIANT, what).because(record).because(commit.line()));
            }
        }
    }
    violations
}

/// For which cross-workflow call a run is changed by this event.
fn done_for(event: &HistoryEvent) -> Option<CrossCall> {
    let of = |run: &WorkflowExecution, initiated| (initiated != 0).then(|| (run.run_id.clone(), initiated));
    match event.attributes.as_ref()? {
        // Later runs of its chain are not started by the cross-workflow call.
        Attributes::WorkflowExecutionStartedEventAttributes(a) if a.continued_execution_run_id.is_empty() => {
            of(a.parent_workflow_execution.as_ref()?, a.parent_initiated_event_id)
        }
        Attributes::WorkflowExecutionSignaledEventAttributes(a) => {
            let from = a.external_workflow_execution.as_ref()?;
            let initiated = a.request_id.rsplit_once(':')?.1.parse().ok()?;
            let is_a_cross_call = a.request_id == cross_call_request_id(&RunId(from.run_id.clone()), initiated);
            is_a_cross_call.then(|| of(from, initiated))?
        }
        Attributes::WorkflowExecutionCancelRequestedEventAttributes(a) => {
            of(a.external_workflow_execution.as_ref()?, a.external_initiated_event_id)
        }
        _ => None,
    }
}

/// Whether the event was durable before, without a place in history yet.
fn was_buffered(commits: &[Commit], run_id: &str, event: &HistoryEvent) -> bool {
    let is_of_run = |commit: &&Commit| commit.keys.iter().any(|key| key.run_id.as_str() == run_id);
    // Most of these have no events of their own, so that one in doubt cannot be told from one that was not applied.
    let of_run = commits.iter().rev().filter(|commit| commit.may_be_durable()).filter(is_of_run);
    of_run.flat_map(Commit::states).any(|state| {
        state.key().run_id.as_str() == run_id
            && state.auxiliary().buffered.iter().any(|buffered| buffered.attributes == event.attributes)
    })
}

#[cfg(test)]
mod tests {
    use crate::check::samples::{self, RUN};
    use crate::check::{CommitResult, Observations};
    use crate::observe::StoredState;
    use tempest_api::proto::history::v1 as history;
    use tempest_api::proto::history::v1::history_event::Attributes;
    use tempest_core::{MutableState, Part};
    use tempest_store::CommitOutcome;

    /// `run-1` asks with event 5; its end is recorded in a commit of its own.
    const ASKS: i64 = 5;
    const RECORDS: i64 = 10;

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    /// Another run, into whose history this comes as event 10, one commit before or after that of `run-1`'s record.
    fn asked(observations: &mut Observations, end: impl Into<Attributes>, asked: impl Into<Attributes>, after: bool) {
        samples::replace(observations, RECORDS, end);
        let record = samples::commit(6, &samples::key(RUN), &observations.runs[RUN].stored[9..10]);
        observations.commits[4] = record;
        let event = samples::event(RECORDS, asked);
        let mut events = samples::events("run-2");
        events[9] = event.clone();
        samples::add(observations, samples::run("run-2", events));
        let commit = samples::commit(20, &samples::key("run-2"), &[event]);
        observations.commits.insert(if after { 5 } else { 4 }, commit);
    }

    fn child_started() -> history::ChildWorkflowExecutionStartedEventAttributes {
        history::ChildWorkflowExecutionStartedEventAttributes { initiated_event_id: ASKS, ..Default::default() }
    }

    fn started_as_child() -> history::WorkflowExecutionStartedEventAttributes {
        history::WorkflowExecutionStartedEventAttributes {
            parent_workflow_execution: Some(samples::execution(RUN)),
            parent_initiated_event_id: ASKS,
            ..samples::started("run-2")
        }
    }

    fn signal_recorded() -> history::ExternalWorkflowExecutionSignaledEventAttributes {
        history::ExternalWorkflowExecutionSignaledEventAttributes { initiated_event_id: ASKS, ..Default::default() }
    }

    fn signaled() -> history::WorkflowExecutionSignaledEventAttributes {
        history::WorkflowExecutionSignaledEventAttributes {
            external_workflow_execution: Some(samples::execution(RUN)),
            ..samples::signaled("run-1:5")
        }
    }

    fn refused() -> history::RequestCancelExternalWorkflowExecutionFailedEventAttributes {
        history::RequestCancelExternalWorkflowExecutionFailedEventAttributes {
            initiated_event_id: ASKS,
            ..Default::default()
        }
    }

    fn asked_to_cancel() -> history::WorkflowExecutionCancelRequestedEventAttributes {
        history::WorkflowExecutionCancelRequestedEventAttributes {
            external_workflow_execution: Some(samples::execution(RUN)),
            external_initiated_event_id: ASKS,
            ..Default::default()
        }
    }

    #[test]
    fn what_is_done_before_its_end_is_recorded_is_sound() {
        check(|_| {}, &[]);
        check(|observations| asked(observations, child_started(), started_as_child(), false), &[]);
        check(|observations| asked(observations, signal_recorded(), signaled(), false), &[]);
        check(|observations| asked(observations, refused(), asked_to_cancel(), false), &[]);
    }

    #[test]
    fn nothing_is_done_after_it() {
        let late =
            |kind: &str| format!("order-1 / run-2: event 10 {kind}: but run run-1 had recorded how event 5 ended");
        check(
            |observations| asked(observations, child_started(), started_as_child(), true),
            &[&late("WORKFLOW_EXECUTION_STARTED")],
        );
        check(
            |observations| asked(observations, signal_recorded(), signaled(), true),
            &[&late("WORKFLOW_EXECUTION_SIGNALED")],
        );
        check(
            |observations| asked(observations, refused(), asked_to_cancel(), true),
            &[&late("WORKFLOW_EXECUTION_CANCEL_REQUESTED")],
        );
    }

    #[test]
    fn what_others_do_is_their_business() {
        check(|observations| asked(observations, signal_recorded(), samples::signaled("run-1:5"), true), &[]);
        let next_of_chain = || history::WorkflowExecutionStartedEventAttributes {
            continued_execution_run_id: "run-3".to_owned(),
            ..started_as_child()
        };
        check(|observations| asked(observations, child_started(), next_of_chain(), true), &[]);
    }

    #[test]
    fn what_was_not_applied_counts_for_nothing() {
        let refused = || CommitResult::Ended(CommitOutcome::Unavailable("the disk was full".to_owned()));
        check(
            |observations| {
                asked(observations, child_started(), started_as_child(), true);
                observations.commits[4].result = refused();
            },
            &[],
        );
        check(
            |observations| {
                asked(observations, child_started(), started_as_child(), true);
                observations.commits[5].result = refused();
            },
            &[],
        );
    }

    #[test]
    fn what_was_buffered_came_before() {
        check(
            |observations| {
                asked(observations, signal_recorded(), signaled(), true);
                observations.commits[3].keys = vec![samples::key("run-2")];
                observations.commits[3].states = vec![with_buffered(samples::event(0, signaled()))];
            },
            &[],
        );
    }

    /// A state of `run-2` that has an event without a place in history yet.
    fn with_buffered(event: history::HistoryEvent) -> StoredState {
        let mut state = MutableState::rebuild(samples::key("run-2"), &samples::events("run-2")).expect("it is sound");
        state.restore(Part::of_buffered(1, event));
        StoredState::of(&state)
    }
}
