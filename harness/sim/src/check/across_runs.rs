//! `across-runs`: what one run's history says of another is what that one's says.
//!
//! Two runs are never changed in one commit, so that each believes what it was told of the other: by answers that may have
//! been lost, doubled or misunderstood on their way.
//!
//! True of a correct server as long as no other caller uses the workflow ids of children: a child's start whose answer
//! is lost is not found again once the child has closed and another caller's run has taken its place.
use super::{Invariant, Observations, RunObserved, Violation, events};
use std::collections::BTreeMap;
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::enums::v1::EventType;
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};
use tempest_core::cross_call_request_id;

pub const INVARIANT: Invariant = Invariant::AcrossRuns;
pub const HOLDS_WHEN: &str = "a child that was recorded as started knows its parent, one recorded as refused does not \
                              exist, one recorded as closed closed so, and a signal to another workflow is there once \
                              if it was recorded as delivered and not at all if it failed";

/// A run and one of its events.
type EventOf<'a> = (&'a str, i64);

pub fn judge(observations: &Observations) -> Vec<Violation> {
    // First runs of children, by the run and the event that asked for them.
    let mut children: BTreeMap<EventOf<'_>, Vec<&RunObserved>> = BTreeMap::new();
    let mut violations = Vec::new();
    for run in observations.runs.values() {
        let Some((parent, initiated)) = parent(run) else { continue };
        if let Some(asked) = observations.run(&parent.run_id)
            && !asked_for(asked, initiated, run.key.workflow_id.as_str())
        {
            let what = format!("{}: event {initiated} of {} asked for no such child", run.name(), asked.name());
            violations.push(Violation::new(INVARIANT, what).about(run).about(asked));
        }
        if let Some(asked) = observations.runs.get_key_value(&parent.run_id) {
            children.entry((asked.0.as_str(), initiated)).or_default().push(run);
        }
    }
    for run in observations.runs.values() {
        violations.extend(run.stored.iter().filter_map(|event| of_child(observations, run, event, &children)));
        violations.extend(run.stored.iter().filter_map(|event| of_signal(observations, run, event)));
    }
    violations
}

fn parent(run: &RunObserved) -> Option<(WorkflowExecution, i64)> {
    match run.stored.first()?.attributes.as_ref()? {
        Attributes::WorkflowExecutionStartedEventAttributes(a) => {
            Some((a.parent_workflow_execution.clone()?, a.parent_initiated_event_id))
        }
        _ => None,
    }
}

fn asked_for(parent: &RunObserved, initiated: i64, workflow_id: &str) -> bool {
    match parent.event(initiated).and_then(|event| event.attributes.as_ref()) {
        Some(Attributes::StartChildWorkflowExecutionInitiatedEventAttributes(a)) => a.workflow_id == workflow_id,
        _ => false,
    }
}

fn wrong(run: &RunObserved, event: &HistoryEvent, what: &str) -> Option<Violation> {
    let what = format!("{}: {}: {what}", run.name(), events::line(event));
    Some(Violation::new(INVARIANT, what).because(format!("{event:?}")).about(run))
}

fn of_child(
    observations: &Observations,
    run: &RunObserved,
    event: &HistoryEvent,
    children: &BTreeMap<EventOf<'_>, Vec<&RunObserved>>,
) -> Option<Violation> {
    let runs_of = |initiated| children.get(&(run.key.run_id.as_str(), initiated)).into_iter().flatten();
    match event.attributes.as_ref()? {
        Attributes::ChildWorkflowExecutionStartedEventAttributes(a) => {
            let started = a.workflow_execution.as_ref()?;
            let found = runs_of(a.initiated_event_id).any(|child| child.key.run_id.as_str() == started.run_id);
            if found { None } else { wrong(run, event, "there is no such child of this run") }
        }
        Attributes::StartChildWorkflowExecutionFailedEventAttributes(a) => {
            let child = runs_of(a.initiated_event_id).next()?;
            let what = format!("but {} was started", child.name());
            wrong(run, event, &what).map(|violation| violation.about(*child))
        }
        Attributes::ChildWorkflowExecutionCompletedEventAttributes(a) => {
            closed_so(observations, run, event, a.workflow_execution.as_ref(), EventType::WorkflowExecutionCompleted)
        }
        Attributes::ChildWorkflowExecutionFailedEventAttributes(a) => {
            closed_so(observations, run, event, a.workflow_execution.as_ref(), EventType::WorkflowExecutionFailed)
        }
        Attributes::ChildWorkflowExecutionCanceledEventAttributes(a) => {
            closed_so(observations, run, event, a.workflow_execution.as_ref(), EventType::WorkflowExecutionCanceled)
        }
        Attributes::ChildWorkflowExecutionTimedOutEventAttributes(a) => {
            closed_so(observations, run, event, a.workflow_execution.as_ref(), EventType::WorkflowExecutionTimedOut)
        }
        Attributes::ChildWorkflowExecutionTerminatedEventAttributes(a) => {
            closed_so(observations, run, event, a.workflow_execution.as_ref(), EventType::WorkflowExecutionTerminated)
        }
        _ => None,
    }
}

fn closed_so(
    observations: &Observations,
    run: &RunObserved,
    event: &HistoryEvent,
    child: Option<&WorkflowExecution>,
    expected: EventType,
) -> Option<Violation> {
    let last = observations.run(&child?.run_id).and_then(|child| child.stored.last());
    if last.is_some_and(|last| last.event_type() == expected) {
        return None;
    }
    let found = last.map_or_else(|| "does not exist".to_owned(), |last| format!("ends with {}", events::line(last)));
    wrong(run, event, &format!("but the child {found}"))
}

fn of_signal(observations: &Observations, run: &RunObserved, event: &HistoryEvent) -> Option<Violation> {
    let Some(Attributes::SignalExternalWorkflowExecutionInitiatedEventAttributes(a)) = &event.attributes else {
        return None;
    };
    let request_id = cross_call_request_id(&run.key.run_id, event.event_id);
    let is_it = |event: &&HistoryEvent| match &event.attributes {
        Some(Attributes::WorkflowExecutionSignaledEventAttributes(a)) => a.request_id == request_id,
        _ => false,
    };
    let target = a.workflow_execution.as_ref()?;
    // A run does not inherit what the one before it has seen: only within one run is a signal there once.
    let counts: Vec<usize> = observations
        .chain(&target.workflow_id)
        .into_iter()
        .map(|target| target.stored.iter().filter(is_it).count())
        .collect();
    if let Some(most) = counts.iter().max().filter(|most| **most > 1) {
        return wrong(run, event, &format!("the signal is in one run {most} times"));
    }
    let is_there = counts.iter().any(|count| *count > 0);
    let end = run.stored.iter().find(|end| events::ends_cross_call(end) == Some(event.event_id));
    match (end.map(HistoryEvent::event_type), is_there) {
        (Some(EventType::ExternalWorkflowExecutionSignaled), false) => wrong(run, event, "the signal was lost"),
        (Some(EventType::SignalExternalWorkflowExecutionFailed), true) => {
            wrong(run, event, "the signal arrived, but is said to have failed")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::check::{Observations, samples};
    use samples::{RUN, WORKFLOW};
    use tempest_api::proto::common::v1::WorkflowExecution;
    use tempest_api::proto::history::v1 as history;
    use tempest_api::proto::history::v1::history_event::Attributes;

    /// The event of the sample that is made to ask something of another run, and the one that is made its end.
    const ASKS: i64 = 5;
    const ENDS: i64 = 8;

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    fn other() -> Option<WorkflowExecution> {
        Some(WorkflowExecution { workflow_id: WORKFLOW.to_owned(), run_id: "run-2".to_owned() })
    }

    fn asks_for_child(observations: &mut Observations) {
        let initiated = history::StartChildWorkflowExecutionInitiatedEventAttributes {
            workflow_id: WORKFLOW.to_owned(),
            ..Default::default()
        };
        samples::replace(observations, ASKS, initiated);
    }

    /// `run-2`, begun by that event of that run, which ends as the sample does.
    fn child_of(observations: &mut Observations, parent: &str, initiated: i64) {
        let mut events = samples::events("run-2");
        if let Some(Attributes::WorkflowExecutionStartedEventAttributes(a)) = &mut events[0].attributes {
            let parent = WorkflowExecution { workflow_id: WORKFLOW.to_owned(), run_id: parent.to_owned() };
            a.parent_workflow_execution = Some(parent);
            a.parent_initiated_event_id = initiated;
        }
        samples::add(observations, samples::run("run-2", events));
    }

    fn ends(observations: &mut Observations, end: impl Into<Attributes>) {
        samples::replace(observations, ENDS, end);
    }

    fn started() -> history::ChildWorkflowExecutionStartedEventAttributes {
        history::ChildWorkflowExecutionStartedEventAttributes {
            initiated_event_id: ASKS,
            workflow_execution: other(),
            ..Default::default()
        }
    }

    #[test]
    fn a_sound_run_knows_no_other() {
        check(|_| {}, &[]);
    }

    #[test]
    fn a_started_child_knows_its_parent() {
        check(
            |observations| {
                asks_for_child(observations);
                child_of(observations, RUN, ASKS);
                ends(observations, started());
            },
            &[],
        );
        check(
            |observations| {
                asks_for_child(observations);
                child_of(observations, "run-0", ASKS);
                ends(observations, started());
            },
            &["order-1 / run-1: event 8 CHILD_WORKFLOW_EXECUTION_STARTED: there is no such child of this run"],
        );
        check(
            |observations| child_of(observations, RUN, ASKS),
            &["order-1 / run-2: event 5 of order-1 / run-1 asked for no such child"],
        );
    }

    #[test]
    fn a_child_that_was_refused_does_not_exist() {
        let failed = history::StartChildWorkflowExecutionFailedEventAttributes {
            initiated_event_id: ASKS,
            ..Default::default()
        };
        check(
            |observations| {
                asks_for_child(observations);
                ends(observations, failed.clone());
            },
            &[],
        );
        check(
            |observations| {
                asks_for_child(observations);
                child_of(observations, RUN, ASKS);
                ends(observations, failed.clone());
            },
            &["order-1 / run-1: event 8 START_CHILD_WORKFLOW_EXECUTION_FAILED: but order-1 / run-2 was started"],
        );
    }

    #[test]
    fn a_child_closed_as_its_parent_heard() {
        let completed = history::ChildWorkflowExecutionCompletedEventAttributes {
            initiated_event_id: ASKS,
            workflow_execution: other(),
            ..Default::default()
        };
        let terminated = history::ChildWorkflowExecutionTerminatedEventAttributes {
            initiated_event_id: ASKS,
            workflow_execution: other(),
            ..Default::default()
        };
        let with_child = |observations: &mut Observations| {
            asks_for_child(observations);
            child_of(observations, RUN, ASKS);
        };
        check(
            |observations| {
                with_child(observations);
                ends(observations, completed);
            },
            &[],
        );
        check(
            |observations| {
                with_child(observations);
                ends(observations, terminated);
            },
            &["order-1 / run-1: event 8 CHILD_WORKFLOW_EXECUTION_TERMINATED: but the child ends with event 17 \
               WORKFLOW_EXECUTION_COMPLETED"],
        );
    }

    #[test]
    fn a_signal_to_another_run_is_there_once_if_it_was_delivered() {
        let asks = |observations: &mut Observations| {
            let initiated = history::SignalExternalWorkflowExecutionInitiatedEventAttributes {
                workflow_execution: other(),
                ..Default::default()
            };
            samples::replace(observations, ASKS, initiated);
        };
        let delivered = || history::ExternalWorkflowExecutionSignaledEventAttributes {
            initiated_event_id: ASKS,
            ..Default::default()
        };
        let failed = || history::SignalExternalWorkflowExecutionFailedEventAttributes {
            initiated_event_id: ASKS,
            ..Default::default()
        };
        // The other run is of the same workflow, which is as good as any.
        let arrives = |observations: &mut Observations, times: usize| {
            let mut events = samples::events("run-2");
            for event in &mut events[5..5 + times] {
                event.attributes = Some(samples::signaled("run-1:5").into());
            }
            samples::add(observations, samples::run("run-2", events));
        };
        let told = |end: Attributes, times: usize, expect: &[&str]| {
            check(
                |observations| {
                    asks(observations);
                    arrives(observations, times);
                    ends(observations, end);
                },
                expect,
            );
        };
        let line =
            |what: &str| format!("order-1 / run-1: event 5 SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: {what}");
        told(delivered().into(), 1, &[]);
        told(failed().into(), 0, &[]);
        told(delivered().into(), 0, &[&line("the signal was lost")]);
        told(delivered().into(), 2, &[&line("the signal is in one run 2 times")]);
        told(failed().into(), 1, &[&line("the signal arrived, but is said to have failed")]);
    }
}
