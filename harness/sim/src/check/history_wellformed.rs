//! `history-wellformed`: a history is a history, and what anybody was ever shown of it stays.
use super::{Invariant, Observations, Operation, RunObserved, Violation, events};
use tempest_api::proto::enums::v1::EventType;
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};
use tempest_api::proto::workflowservice::v1 as api;

pub const INVARIANT: Invariant = Invariant {
    name: "history-wellformed",
    holds_when: "event ids are contiguous, references name earlier events of the right kind, a closed run ends with its \
                 only closing event, and what was read as persisted stays a prefix of every later read",
};

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut violations = Vec::new();
    for run in observations.runs.values() {
        violations.extend(shape(run));
        violations.extend(served_as_stored(run));
    }
    for operation in &observations.operations {
        violations.extend(shown(operation).and_then(|shown| stays(observations, operation, &shown)));
    }
    violations
}

fn wrong(run: &RunObserved, what: impl std::fmt::Display, event: &HistoryEvent) -> Violation {
    Violation::new(INVARIANT.name, format!("{}: {what}", run.name())).because(format!("{event:?}"))
}

fn shape(run: &RunObserved) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, event) in run.stored.iter().enumerate() {
        let expected = i64::try_from(index).expect("a history is short") + 1;
        if event.event_id != expected {
            violations.push(wrong(run, format!("event id {} where {expected} belongs", event.event_id), event));
            return violations;
        }
        let is_start = event.event_type() == EventType::WorkflowExecutionStarted;
        if is_start != (expected == 1) {
            violations.push(wrong(run, "a history begins with its only started event", event));
        }
        if events::is_close(event) && index + 1 != run.stored.len() {
            violations.push(wrong(run, format!("{} is not the last event", events::line(event)), event));
        }
        for (field, id, kinds) in events::references(event) {
            let named = run.event(id).filter(|named| named.event_id < event.event_id);
            if !named.is_some_and(|named| kinds.contains(&named.event_type())) {
                let what = format!("{}: {field} {id} does not name an earlier {kinds:?}", events::line(event));
                violations.push(wrong(run, what, event));
            }
        }
    }
    violations.extend(workflow_tasks(run));
    violations
}

/// Each written workflow task: scheduled, started, closed once, one at a time.
fn workflow_tasks(run: &RunObserved) -> Vec<Violation> {
    let mut open: Option<i64> = None;
    let mut violations = Vec::new();
    for event in &run.stored {
        match &event.attributes {
            Some(Attributes::WorkflowTaskScheduledEventAttributes(_)) => {
                if let Some(other) = open {
                    violations.push(wrong(run, format!("workflow task {other} is still open"), event));
                }
                open = Some(event.event_id);
            }
            Some(Attributes::WorkflowTaskCompletedEventAttributes(a)) => {
                violations.extend(close(run, &mut open, a.scheduled_event_id, event));
            }
            Some(Attributes::WorkflowTaskFailedEventAttributes(a)) => {
                violations.extend(close(run, &mut open, a.scheduled_event_id, event));
            }
            Some(Attributes::WorkflowTaskTimedOutEventAttributes(a)) => {
                violations.extend(close(run, &mut open, a.scheduled_event_id, event));
            }
            _ => {}
        }
    }
    violations
}

fn close(run: &RunObserved, open: &mut Option<i64>, scheduled: i64, event: &HistoryEvent) -> Option<Violation> {
    if open.take() == Some(scheduled) {
        return None;
    }
    Some(wrong(run, format!("{} closes workflow task {scheduled}, which is not open", events::line(event)), event))
}

fn served_as_stored(run: &RunObserved) -> Option<Violation> {
    if run.served == run.stored {
        return None;
    }
    let differing = run.served.iter().zip(&run.stored).find(|(served, stored)| served != stored);
    let evidence = match differing {
        Some((served, stored)) => format!("served {served:?}\nstored {stored:?}"),
        None => format!("served {} events, stored {}", run.served.len(), run.stored.len()),
    };
    let what = format!("{}: the API served another history than the one on disk", run.name());
    Some(Violation::new(INVARIANT.name, what).because(evidence))
}

/// A piece of a history that an answer contained.
struct Shown {
    run_id: String,
    events: Vec<HistoryEvent>,
    /// Events from this id on may be transient: shown to a worker, written otherwise or never.
    transient_from: i64,
}

fn shown(operation: &Operation) -> Option<Shown> {
    match operation.rpc.as_str() {
        "PollWorkflowTaskQueue" => {
            let response: api::PollWorkflowTaskQueueResponse = operation.response()?;
            of_poll(&response)
        }
        "RespondWorkflowTaskCompleted" => {
            let response: api::RespondWorkflowTaskCompletedResponse = operation.response()?;
            of_poll(response.workflow_task.as_ref()?)
        }
        "GetWorkflowExecutionHistory" => {
            let request: api::GetWorkflowExecutionHistoryRequest = operation.request()?;
            let response: api::GetWorkflowExecutionHistoryResponse = operation.response()?;
            let events = response.history?.events;
            let asked = request.execution?.run_id;
            let run_id = if asked.is_empty() { own_run_id(&events)? } else { asked };
            // Workers read pages with the scheduled and started events of their transient task at the end.
            let transient_from = transient_tail(&events);
            Some(Shown { run_id, events, transient_from })
        }
        _ => None,
    }
}

/// The run that a page from the beginning is of.
fn own_run_id(events: &[HistoryEvent]) -> Option<String> {
    match events.first()?.attributes.as_ref()? {
        Attributes::WorkflowExecutionStartedEventAttributes(a) => Some(a.original_execution_run_id.clone()),
        _ => None,
    }
}

fn of_poll(response: &api::PollWorkflowTaskQueueResponse) -> Option<Shown> {
    let run_id = response.workflow_execution.as_ref()?.run_id.clone();
    let events = response.history.as_ref()?.events.clone();
    let transient_from = if response.attempt > 1 { transient_tail(&events) } else { i64::MAX };
    Some(Shown { run_id, events, transient_from })
}

fn transient_tail(events: &[HistoryEvent]) -> i64 {
    let is_tail = |event: &&HistoryEvent| {
        matches!(event.event_type(), EventType::WorkflowTaskScheduled | EventType::WorkflowTaskStarted)
    };
    let tail = events.iter().rev().take(2).take_while(is_tail).last();
    tail.map_or(i64::MAX, |event| event.event_id)
}

fn stays(observations: &Observations, operation: &Operation, shown: &Shown) -> Option<Violation> {
    let wrong = |what: String| {
        Some(Violation::new(INVARIANT.name, format!("run {}: {what}", shown.run_id)).because(operation.line()))
    };
    let Some(run) = observations.run(&shown.run_id) else {
        return if shown.events.is_empty() {
            None
        } else {
            wrong("its history was shown to somebody, but it is not in the store".to_owned())
        };
    };
    for event in &shown.events {
        if event.event_id >= shown.transient_from {
            continue;
        }
        match run.event(event.event_id) {
            Some(stored) if stored == event => {}
            Some(stored) => {
                return wrong(format!("{} was shown, {} is stored", events::line(event), events::line(stored)))
                    .map(|violation| violation.because(format!("shown {event:?}\nstored {stored:?}")));
            }
            None => return wrong(format!("{} was shown, but never became durable", events::line(event))),
        }
    }
    None
}
