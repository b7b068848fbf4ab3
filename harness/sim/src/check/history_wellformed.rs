//! `history-wellformed`: a history is a history, and what a caller was ever shown of it stays.
use super::page::Page;
use super::{
    Invariant, Observations, Operation, RpcKind, RunObserved, Violation, events, of_no_workflow, pages_follow,
};
use std::collections::BTreeSet;
use tempest_api::proto::enums::v1::EventType;
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};
use tempest_api::proto::workflowservice::v1 as api;

pub const INVARIANT: Invariant = Invariant::HistoryWellformed;
pub const HOLDS_WHEN: &str = "event ids are contiguous, references name earlier events of the right kind, workflow \
                              tasks, timers and what is asked of other workflows end once, a closed run ends with its \
                              only closing event, and what was read as persisted stays a prefix of every later read";

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut violations = Vec::new();
    for run in observations.runs.values() {
        violations.extend(shape(run));
        violations.extend(served_as_stored(run));
    }
    for operation in &observations.operations {
        violations.extend(shown(operation).and_then(|shown| stays(observations, operation, &shown)));
    }
    violations.extend(pages_follow::judge(observations));
    violations
}

fn wrong(run: &RunObserved, what: impl std::fmt::Display, event: &HistoryEvent) -> Violation {
    Violation::new(INVARIANT, format!("{}: {what}", run.name())).because(format!("{event:?}")).about(run)
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
    violations.extend(timers(run));
    violations.extend(cross_calls(run));
    violations.extend(run.stored.iter().filter_map(|event| wrong_start(run, event)));
    violations
}

/// A workflow task between its scheduled and its closing event.
struct OpenTask {
    scheduled: i64,
    /// 0 until it is started.
    started: i64,
}

/// Each written workflow task: scheduled, started, closed once, one at a time.
fn workflow_tasks(run: &RunObserved) -> Vec<Violation> {
    let mut open: Option<OpenTask> = None;
    let mut violations = Vec::new();
    for event in &run.stored {
        let line = events::line(event);
        let (scheduled, started) = match &event.attributes {
            Some(Attributes::WorkflowTaskScheduledEventAttributes(_)) => {
                let opened = OpenTask { scheduled: event.event_id, started: 0 };
                if let Some(other) = open.replace(opened) {
                    violations.push(wrong(run, format!("workflow task {} is still open", other.scheduled), event));
                }
                continue;
            }
            Some(Attributes::WorkflowTaskStartedEventAttributes(a)) => {
                let waits = |task: &&mut OpenTask| task.scheduled == a.scheduled_event_id && task.started == 0;
                match open.as_mut().filter(waits) {
                    Some(task) => task.started = event.event_id,
                    None => {
                        let what = format!("{line} starts workflow task {}, which does not wait", a.scheduled_event_id);
                        violations.push(wrong(run, what, event));
                    }
                }
                continue;
            }
            Some(Attributes::WorkflowTaskCompletedEventAttributes(a)) => (a.scheduled_event_id, a.started_event_id),
            Some(Attributes::WorkflowTaskFailedEventAttributes(a)) => (a.scheduled_event_id, a.started_event_id),
            Some(Attributes::WorkflowTaskTimedOutEventAttributes(a)) => (a.scheduled_event_id, a.started_event_id),
            _ => continue,
        };
        match open.take().filter(|task| task.scheduled == scheduled) {
            None => {
                let what = format!("{line} closes workflow task {scheduled}, which is not open");
                violations.push(wrong(run, what, event));
            }
            Some(task) if task.started != started => {
                let what = format!("{line} names start {started} of workflow task {scheduled}, not {}", task.started);
                violations.push(wrong(run, what, event));
            }
            Some(_) => {}
        }
    }
    violations
}

/// Each timer ends once.
fn timers(run: &RunObserved) -> Vec<Violation> {
    let mut ended = BTreeSet::new();
    let mut violations = Vec::new();
    for event in &run.stored {
        let timer = match &event.attributes {
            Some(Attributes::TimerFiredEventAttributes(a)) => a.started_event_id,
            Some(Attributes::TimerCanceledEventAttributes(a)) => a.started_event_id,
            _ => continue,
        };
        if !ended.insert(timer) {
            violations.push(wrong(run, format!("{} ends timer {timer} again", events::line(event)), event));
        }
    }
    violations
}

/// What is asked of another workflow ends once, and a child starts once, before its end.
fn cross_calls(run: &RunObserved) -> Vec<Violation> {
    let mut ended = BTreeSet::new();
    let mut started = std::collections::BTreeMap::new();
    let mut violations = Vec::new();
    for event in &run.stored {
        let line = events::line(event);
        if let Some(Attributes::ChildWorkflowExecutionStartedEventAttributes(a)) = &event.attributes {
            let twice = started.insert(a.initiated_event_id, event.event_id).is_some();
            if twice || ended.contains(&a.initiated_event_id) {
                let what = format!("{line} starts child {}, which was started or ended", a.initiated_event_id);
                violations.push(wrong(run, what, event));
            }
        }
        if let Some((initiated, start)) = events::closes_child(event)
            && started.get(&initiated) != Some(&start)
        {
            violations.push(wrong(run, format!("{line}: {start} is no start of child {initiated}"), event));
        }
        if let Some(initiated) = events::ends_cross_call(event)
            && !ended.insert(initiated)
        {
            violations.push(wrong(run, format!("{line} ends what {initiated} asked for again"), event));
        }
    }
    violations
}

/// An activity is closed by the end of its own start, not of another's. 0: it was never started.
fn wrong_start(run: &RunObserved, event: &HistoryEvent) -> Option<Violation> {
    let (scheduled, started) = match event.attributes.as_ref()? {
        Attributes::ActivityTaskCompletedEventAttributes(a) => (a.scheduled_event_id, a.started_event_id),
        Attributes::ActivityTaskFailedEventAttributes(a) => (a.scheduled_event_id, a.started_event_id),
        Attributes::ActivityTaskTimedOutEventAttributes(a) => (a.scheduled_event_id, a.started_event_id),
        Attributes::ActivityTaskCanceledEventAttributes(a) => (a.scheduled_event_id, a.started_event_id),
        _ => return None,
    };
    let own = |start: &HistoryEvent| match &start.attributes {
        Some(Attributes::ActivityTaskStartedEventAttributes(a)) => a.scheduled_event_id == scheduled,
        _ => false,
    };
    if started == 0 || run.event(started).is_some_and(own) {
        return None;
    }
    let what = format!("{}: {started} is no start of activity {scheduled}", events::line(event));
    Some(wrong(run, what, event))
}

fn served_as_stored(run: &RunObserved) -> Option<Violation> {
    if run.served == run.stored || is_transient_tail(run) {
        return None;
    }
    let differing = run.served.iter().zip(&run.stored).find(|(served, stored)| served != stored);
    let evidence = match differing {
        Some((served, stored)) => format!("served {served:?}\nstored {stored:?}"),
        None => format!("served {} events, stored {}", run.served.len(), run.stored.len()),
    };
    let what = format!("{}: the API served another history than the one on disk", run.name());
    Some(Violation::new(INVARIANT, what).because(evidence).about(run))
}

/// Whether what was served beyond what is stored is the workflow task that a worker has: after a failed attempt it is in no
/// history yet.
fn is_transient_tail(run: &RunObserved) -> bool {
    let is_open = !run.stored.last().is_some_and(events::is_close);
    let of_task = |event: &HistoryEvent| {
        matches!(event.event_type(), EventType::WorkflowTaskScheduled | EventType::WorkflowTaskStarted)
    };
    let Some((same, tail)) = run.served.split_at_checked(run.stored.len()) else { return false };
    is_open && same == run.stored && tail.len() <= 2 && tail.iter().all(of_task)
}

/// A piece of a history that an answer contained.
struct Shown {
    run_id: String,
    events: Vec<HistoryEvent>,
    /// Events from this id on may be transient: shown to a worker, written otherwise or never.
    transient_from: i64,
}

fn shown(operation: &Operation) -> Option<Shown> {
    match &operation.rpc {
        RpcKind::PollWorkflowTaskQueue => {
            let response: api::PollWorkflowTaskQueueResponse = operation.response()?;
            of_poll(&response)
        }
        RpcKind::RespondWorkflowTaskCompleted => {
            let response: api::RespondWorkflowTaskCompletedResponse = operation.response()?;
            of_poll(response.workflow_task.as_ref()?)
        }
        RpcKind::GetWorkflowExecutionHistory => {
            let Page { run_id, events, .. } = Page::of(operation)?;
            // Workers read pages with the scheduled and started events of their transient task at the end.
            let transient_from = transient_tail(&events);
            Some(Shown { run_id, events, transient_from })
        }
        // Has no transient events.
        RpcKind::GetWorkflowExecutionHistoryReverse => {
            let Page { run_id, events, .. } = Page::of(operation)?;
            Some(Shown { run_id, events, transient_from: i64::MAX })
        }
        // Not judged because their answers show no events.
        RpcKind::DescribeWorkflowExecution
        | RpcKind::PollActivityTaskQueue
        | RpcKind::RecordActivityTaskHeartbeat
        | RpcKind::RecordActivityTaskHeartbeatById
        | RpcKind::ResetStickyTaskQueue
        | RpcKind::RequestCancelWorkflowExecution
        | RpcKind::RespondActivityTaskCanceled
        | RpcKind::RespondActivityTaskCanceledById
        | RpcKind::RespondActivityTaskCompleted
        | RpcKind::RespondActivityTaskCompletedById
        | RpcKind::RespondActivityTaskFailed
        | RpcKind::RespondActivityTaskFailedById
        | RpcKind::RespondWorkflowTaskFailed
        | RpcKind::SignalWithStartWorkflowExecution
        | RpcKind::SignalWorkflowExecution
        | RpcKind::StartWorkflowExecution
        | RpcKind::TerminateWorkflowExecution
        | of_no_workflow!() => None,
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
    let run = observations.run(&shown.run_id);
    let wrong = |what: String| {
        let violation = Violation::new(INVARIANT, format!("run {}: {what}", shown.run_id));
        Some(violation.because(operation.line()).about_each(run))
    };
    let Some(run) = run else {
        return if shown.events.is_empty() {
            None
        } else {
            wrong("its history was shown to a caller, but it is not in the store".to_owned())
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

#[cfg(test)]
mod tests {
    use crate::check::samples::{self, ACTIVITY, RUN, TIMER};
    use crate::check::{Observations, Operation, RpcKind};
    use tempest_api::proto::history::v1 as history;
    use tempest_api::proto::history::v1::HistoryEvent;
    use tempest_api::proto::workflowservice::v1 as api;

    /// Judges the shape alone: no caller was shown anything.
    fn check_shape(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        let change = |observations: &mut Observations| {
            observations.operations.clear();
            change(observations);
        };
        samples::check(super::judge, change, expect);
    }

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    #[test]
    fn a_sound_history_is_well_formed() {
        check(|_| {}, &[]);
    }

    #[test]
    fn event_ids_are_contiguous() {
        check_shape(
            |observations| samples::rewrite(observations, |events| drop(events.remove(9))),
            &["order-1 / run-1: event id 11 where 10 belongs"],
        );
    }

    #[test]
    fn a_history_begins_with_its_only_start() {
        check_shape(
            |observations| samples::replace(observations, 10, samples::started(RUN)),
            &["order-1 / run-1: a history begins with its only started event"],
        );
        check_shape(
            |observations| samples::replace(observations, 1, samples::signaled("signal-2")),
            &["order-1 / run-1: a history begins with its only started event"],
        );
    }

    #[test]
    fn nothing_follows_the_end() {
        check_shape(
            |observations| {
                let late = samples::event(18, samples::signaled("signal-2"));
                samples::rewrite(observations, |events| events.push(late));
            },
            &["order-1 / run-1: event 17 WORKFLOW_EXECUTION_COMPLETED is not the last event"],
        );
    }

    #[test]
    fn references_name_the_right_kind() {
        check_shape(
            |observations| samples::alter!(observations, 13, TimerFiredEventAttributes, |a| a.started_event_id = 5),
            &["order-1 / run-1: event 13 TIMER_FIRED: started_event_id 5 does not name an earlier [TimerStarted]"],
        );
    }

    #[test]
    fn references_name_earlier_events() {
        check_shape(
            |observations| {
                samples::alter!(observations, ACTIVITY, ActivityTaskScheduledEventAttributes, |a| {
                    a.workflow_task_completed_event_id = 12;
                });
            },
            &[
                "order-1 / run-1: event 5 ACTIVITY_TASK_SCHEDULED: workflow_task_completed_event_id 12 does not name an \
               earlier [WorkflowTaskCompleted]",
            ],
        );
    }

    #[test]
    fn workflow_tasks_come_one_at_a_time() {
        check_shape(
            |observations| samples::replace(observations, 10, samples::scheduled_workflow_task()),
            &[
                "order-1 / run-1: workflow task 9 is still open",
                "order-1 / run-1: event 11 WORKFLOW_TASK_STARTED starts workflow task 9, which does not wait",
                "order-1 / run-1: event 12 WORKFLOW_TASK_COMPLETED closes workflow task 9, which is not open",
            ],
        );
    }

    #[test]
    fn a_workflow_task_is_started_once() {
        let again = history::WorkflowTaskStartedEventAttributes { scheduled_event_id: 9, ..Default::default() };
        check_shape(
            |observations| samples::replace(observations, 10, again),
            &[
                "order-1 / run-1: event 11 WORKFLOW_TASK_STARTED starts workflow task 9, which does not wait",
                "order-1 / run-1: event 12 WORKFLOW_TASK_COMPLETED names start 11 of workflow task 9, not 10",
            ],
        );
    }

    #[test]
    fn a_workflow_task_is_closed_once() {
        let again = history::WorkflowTaskFailedEventAttributes {
            scheduled_event_id: 9,
            started_event_id: 11,
            ..Default::default()
        };
        check_shape(
            |observations| samples::replace(observations, 13, again),
            &["order-1 / run-1: event 13 WORKFLOW_TASK_FAILED closes workflow task 9, which is not open"],
        );
    }

    #[test]
    fn a_workflow_task_is_closed_by_its_own_start() {
        check_shape(
            |observations| {
                samples::alter!(observations, 12, WorkflowTaskCompletedEventAttributes, |a| a.started_event_id = 3);
            },
            &["order-1 / run-1: event 12 WORKFLOW_TASK_COMPLETED names start 3 of workflow task 9, not 11"],
        );
    }

    #[test]
    fn a_workflow_task_may_time_out_before_it_starts() {
        check_shape(
            |observations| {
                let timed_out =
                    history::WorkflowTaskTimedOutEventAttributes { scheduled_event_id: 9, ..Default::default() };
                samples::replace(observations, 11, timed_out);
                samples::replace(observations, 12, samples::signaled("signal-2"));
            },
            &[],
        );
    }

    #[test]
    fn a_timer_ends_once() {
        let fired = || history::TimerFiredEventAttributes { timer_id: "1".to_owned(), started_event_id: TIMER };
        check_shape(
            |observations| samples::replace(observations, 10, fired()),
            &["order-1 / run-1: event 13 TIMER_FIRED ends timer 6 again"],
        );
    }

    #[test]
    fn an_activity_is_closed_by_its_own_start() {
        check_shape(
            |observations| {
                let other = history::ActivityTaskScheduledEventAttributes {
                    activity_id: "2".to_owned(),
                    ..samples::scheduled_activity()
                };
                samples::replace(observations, 6, other);
                samples::replace(observations, 13, samples::signaled("signal-2"));
                samples::alter!(observations, 7, ActivityTaskStartedEventAttributes, |a| a.scheduled_event_id = 6);
            },
            &["order-1 / run-1: event 8 ACTIVITY_TASK_COMPLETED: 7 is no start of activity 5"],
        );
    }

    #[test]
    fn the_api_serves_what_is_stored() {
        let served = "order-1 / run-1: the API served another history than the one on disk";
        let run = |observations: &mut Observations, edit: fn(&mut Vec<HistoryEvent>)| {
            observations.operations.clear();
            edit(&mut observations.runs.get_mut(RUN).expect("the sample has it").served);
        };
        check(|observations| run(observations, |events| events.truncate(16)), &[served]);
        check(|observations| run(observations, |events| events[9].task_id = 7), &[served]);
    }

    #[test]
    fn what_a_client_was_shown_stays() {
        check(
            |observations| {
                samples::rewrite(observations, |events| events.truncate(16));
                observations.operations.drain(..6);
            },
            &["run run-1: event 17 WORKFLOW_EXECUTION_COMPLETED was shown, but never became durable"],
        );
        check(
            |observations| {
                samples::replace(observations, 10, samples::signaled("signal-2"));
                observations.operations.drain(..6);
            },
            &[
                "run run-1: event 10 WORKFLOW_EXECUTION_SIGNALED was shown, event 10 WORKFLOW_EXECUTION_SIGNALED is stored",
            ],
        );
    }

    #[test]
    fn a_client_that_named_no_run_was_shown_one() {
        check(
            |observations| {
                let request = api::GetWorkflowExecutionHistoryRequest {
                    execution: Some(samples::execution("")),
                    ..Default::default()
                };
                let events = samples::events("run-2")[..2].to_vec();
                let answer = api::GetWorkflowExecutionHistoryResponse {
                    history: Some(history::History { events }),
                    ..Default::default()
                };
                let read = samples::called(RpcKind::GetWorkflowExecutionHistory, &request, samples::ok(&answer));
                observations.operations.push(read);
            },
            &["run run-2: its history was shown to a caller, but it is not in the store"],
        );
    }

    /// A poll that brings the first three events, in that attempt, the last of them changed.
    fn poll(attempt: i32) -> Operation {
        let mut events = samples::events(RUN)[..3].to_vec();
        events[2].task_id = 7;
        let answer = api::PollWorkflowTaskQueueResponse {
            workflow_execution: Some(samples::execution(RUN)),
            attempt,
            history: Some(history::History { events }),
            ..Default::default()
        };
        let request = api::PollWorkflowTaskQueueRequest::default();
        samples::called(RpcKind::PollWorkflowTaskQueue, &request, samples::ok(&answer))
    }

    #[test]
    fn what_a_worker_was_shown_stays_unless_it_was_transient() {
        let shown = "run run-1: event 3 WORKFLOW_TASK_STARTED was shown, event 3 WORKFLOW_TASK_STARTED is stored";
        check(|observations| observations.operations.push(poll(1)), &[shown]);
        check(|observations| observations.operations.push(poll(2)), &[]);
    }

    #[test]
    fn what_came_with_the_answer_to_a_completion_stays() {
        check(
            |observations| {
                let next: api::PollWorkflowTaskQueueResponse = poll(1).response().expect("it was acknowledged");
                let answer =
                    api::RespondWorkflowTaskCompletedResponse { workflow_task: Some(next), ..Default::default() };
                observations.operations[2].outcome = samples::ok(&answer);
            },
            &["run run-1: event 3 WORKFLOW_TASK_STARTED was shown, event 3 WORKFLOW_TASK_STARTED is stored"],
        );
    }
}
