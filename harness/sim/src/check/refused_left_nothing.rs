//! `refused-left-nothing`: whoever was told that something was certainly not done finds no trace of it.
//!
//! It is the counterpart of `acked-durable`. A caller that is refused goes on as if nothing had happened: it charges again,
//! compensates, reports a failure. A server that says "refused" where it does not know blurs unknown into failed.
//!
//! | asked by | its trace |
//! |---|---|
//! | StartWorkflowExecution, SignalWithStartWorkflowExecution | a run that remembers that request id as its start |
//! | SignalWorkflowExecution, SignalWithStartWorkflowExecution | the signal with that request id |
//! | RespondWorkflowTaskCompleted | the completion of the task that the token names |
//! | RespondActivityTaskCompleted, -Failed, -Canceled | that end of the attempt that the token names |
use super::{Invariant, Observations, Operation, Outcome, RunObserved, Violation, events};
use std::collections::BTreeMap;
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{decode_activity_token, decode_workflow_token};

pub const INVARIANT: Invariant = Invariant {
    name: "refused-left-nothing",
    holds_when: "a start, a signal, a completed workflow task or the end of an activity that was refused with \
                 certainty each time that it was asked for is nowhere",
};

/// What a caller asks for, and a run or its history shows.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Start { workflow_id: String, request_id: String },
    Signal { workflow_id: String, request_id: String },
    CompleteWorkflowTask { run_id: String, started_event_id: i64 },
    EndActivity { run_id: String, scheduled_event_id: i64, attempt: i32, how: How },
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Completed,
    Failed,
    Canceled,
}

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let refused = refused_each_time(observations);
    let mut violations = Vec::new();
    let mut found = |deed: Option<Deed>, what: &dyn Fn() -> String| {
        let Some(operations) = deed.and_then(|deed| refused.get(&deed)) else { return };
        let violation = Violation::new(INVARIANT.name, format!("{} was refused each time, but is there", what()));
        violations.push(operations.iter().fold(violation, |violation, operation| violation.because(operation.line())));
    };
    for run in observations.runs.values() {
        found(started(run), &|| run.name());
        for event in &run.stored {
            found(shown(run, event), &|| format!("{}: {}", run.name(), events::line(event)));
        }
    }
    violations
}

/// How many calls were refused that are judged.
pub fn refused_calls(observations: &Observations) -> usize {
    let is_refused = |operation: &&Operation| matches!(operation.outcome, Outcome::Failed { .. });
    observations.operations.iter().filter(is_refused).filter(|operation| !asked_for(operation).is_empty()).count()
}

fn refused_each_time(observations: &Observations) -> BTreeMap<Deed, Vec<&Operation>> {
    let mut asked: BTreeMap<Deed, Vec<&Operation>> = BTreeMap::new();
    for operation in &observations.operations {
        for deed in asked_for(operation) {
            asked.entry(deed).or_default().push(operation);
        }
    }
    let is_certain = |operation: &&Operation| !operation.copied && matches!(operation.outcome, Outcome::Failed { .. });
    asked.retain(|_, operations| operations.iter().all(is_certain));
    asked
}

fn asked_for(operation: &Operation) -> Vec<Deed> {
    if operation.rpc != "SignalWithStartWorkflowExecution" {
        return asked_for_alone(operation).into_iter().collect();
    }
    let Some(request) = operation.request::<api::SignalWithStartWorkflowExecutionRequest>() else { return Vec::new() };
    let (workflow_id, request_id) = (request.workflow_id, request.request_id);
    let signal = Deed::Signal { workflow_id: workflow_id.clone(), request_id: request_id.clone() };
    vec![signal, Deed::Start { workflow_id, request_id }]
}

fn asked_for_alone(operation: &Operation) -> Option<Deed> {
    match operation.rpc.as_str() {
        "StartWorkflowExecution" => {
            let request: api::StartWorkflowExecutionRequest = operation.request()?;
            Some(Deed::Start { workflow_id: request.workflow_id, request_id: request.request_id })
        }
        "SignalWorkflowExecution" => {
            let request: api::SignalWorkflowExecutionRequest = operation.request()?;
            let workflow_id = request.workflow_execution?.workflow_id;
            Some(Deed::Signal { workflow_id, request_id: request.request_id })
        }
        "RespondWorkflowTaskCompleted" => {
            let request: api::RespondWorkflowTaskCompletedRequest = operation.request()?;
            let token = decode_workflow_token(&request.task_token).ok()?;
            Some(Deed::CompleteWorkflowTask { run_id: token.run_id.0, started_event_id: token.started_event_id })
        }
        "RespondActivityTaskCompleted" => {
            let request: api::RespondActivityTaskCompletedRequest = operation.request()?;
            end_of_activity(&request.task_token, How::Completed)
        }
        "RespondActivityTaskFailed" => {
            let request: api::RespondActivityTaskFailedRequest = operation.request()?;
            end_of_activity(&request.task_token, How::Failed)
        }
        "RespondActivityTaskCanceled" => {
            let request: api::RespondActivityTaskCanceledRequest = operation.request()?;
            end_of_activity(&request.task_token, How::Canceled)
        }
        _ => None,
    }
}

fn end_of_activity(token: &[u8], how: How) -> Option<Deed> {
    let token = decode_activity_token(token).ok()?;
    let (scheduled_event_id, attempt) = (token.scheduled_event_id, token.attempt);
    Some(Deed::EndActivity { run_id: token.run_id.0, scheduled_event_id, attempt, how })
}

fn started(run: &RunObserved) -> Option<Deed> {
    let request_id = run.state.as_ref()?.ephemera().start_request_id.clone();
    Some(Deed::Start { workflow_id: run.key.workflow_id.0.clone(), request_id })
}

fn shown(run: &RunObserved, event: &HistoryEvent) -> Option<Deed> {
    let run_id = || run.key.run_id.0.clone();
    let end = |scheduled_event_id, started_event_id, how| match run.event(started_event_id)?.attributes.as_ref()? {
        Attributes::ActivityTaskStartedEventAttributes(started) => {
            Some(Deed::EndActivity { run_id: run_id(), scheduled_event_id, attempt: started.attempt, how })
        }
        _ => None,
    };
    match event.attributes.as_ref()? {
        // A signal of another workflow is that workflow's business.
        Attributes::WorkflowExecutionSignaledEventAttributes(a) if a.external_workflow_execution.is_none() => {
            Some(Deed::Signal { workflow_id: run.key.workflow_id.0.clone(), request_id: a.request_id.clone() })
        }
        Attributes::WorkflowTaskCompletedEventAttributes(a) => {
            Some(Deed::CompleteWorkflowTask { run_id: run_id(), started_event_id: a.started_event_id })
        }
        Attributes::ActivityTaskCompletedEventAttributes(a) => {
            end(a.scheduled_event_id, a.started_event_id, How::Completed)
        }
        Attributes::ActivityTaskFailedEventAttributes(a) => end(a.scheduled_event_id, a.started_event_id, How::Failed),
        Attributes::ActivityTaskCanceledEventAttributes(a) => {
            end(a.scheduled_event_id, a.started_event_id, How::Canceled)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::check::samples;
    use crate::check::{Observations, Operation, Outcome};

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    const SIGNAL: &str = "order-1 / run-1: event 10 WORKFLOW_EXECUTION_SIGNALED was refused each time, but is there";

    fn refused() -> Outcome {
        Outcome::Failed { code: tonic::Code::NotFound, message: "it is over".to_owned() }
    }

    /// The sample's run remembers that request as its start, as one that is read from a database does.
    fn started_by(observations: &mut Observations, request_id: &str) {
        let state = &mut observations.runs.get_mut(samples::RUN).expect("the sample has it").state;
        let mut stored = serde_json::to_value(&state).expect("it is stored as such");
        stored["ephemera"]["start_request_id"] = request_id.into();
        *state = serde_json::from_value(stored).expect("it is read as such");
    }

    /// All calls of this RPC ended so.
    fn all(rpc: &'static str, change: impl Fn(&mut Operation)) -> impl FnOnce(&mut Observations) {
        move |observations| observations.operations.iter_mut().filter(|call| call.rpc == rpc).for_each(change)
    }

    #[test]
    fn what_was_refused_is_not_there() {
        check(|_| {}, &[]);
        let refuse = |rpc| all(rpc, |call| call.outcome = refused());
        check(refuse("SignalWorkflowExecution"), &[SIGNAL]);
        let completed = "order-1 / run-1: event 4 WORKFLOW_TASK_COMPLETED was refused each time, but is there";
        check(refuse("RespondWorkflowTaskCompleted"), &[completed]);
        check(
            |observations| {
                started_by(observations, "start-1");
                all("StartWorkflowExecution", |call| call.outcome = refused())(observations);
            },
            &["order-1 / run-1 was refused each time, but is there"],
        );
        let ended = "order-1 / run-1: event 8 ACTIVITY_TASK_COMPLETED was refused each time, but is there";
        check(refuse("RespondActivityTaskCompleted"), &[ended]);
    }

    #[test]
    fn what_one_of_its_tries_may_have_done_may_be_there() {
        let and_again = |outcome: Outcome| {
            move |observations: &mut Observations| {
                all("SignalWorkflowExecution", |call| call.outcome = refused())(observations);
                observations.operations.push(Operation { outcome, ..samples::signal("signal-1") });
            }
        };
        check(and_again(samples::signal("signal-1").outcome), &[]);
        check(and_again(Outcome::Pending), &[]);
        check(and_again(Outcome::Unknown { code: tonic::Code::Unavailable, message: String::new() }), &[]);
        check(and_again(refused()), &[SIGNAL]);
    }

    #[test]
    fn what_arrived_as_a_copy_may_be_there() {
        let copied = |call: &mut Operation| {
            call.outcome = refused();
            call.copied = true;
        };
        check(all("RespondActivityTaskCompleted", copied), &[]);
    }

    #[test]
    fn another_attempt_may_have_ended_the_activity() {
        let late = |observations: &mut Observations| {
            observations.operations.push(Operation { outcome: refused(), ..samples::activity_completed(2, "charged") });
        };
        check(late, &[]);
    }
}
