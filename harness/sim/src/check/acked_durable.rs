//! `acked-durable`: every acknowledged call left its durable effect, once.
//!
//! What counts as the effect, per RPC that answered without an error:
//!
//! | call | effect in the recovered store |
//! |---|---|
//! | StartWorkflowExecution | the run that was returned, of that workflow id, begun as asked if this call started it |
//! | SignalWithStartWorkflowExecution | the run, and one signaled event with the request id in its chain |
//! | SignalWorkflowExecution | one signaled event with the request id, in the run named or in the chain |
//! | RequestCancelWorkflowExecution | a cancel-requested event in the run named or in the chain, unless it had ended |
//! | TerminateWorkflowExecution | a terminated event in the run named, or in the chain |
//! | RespondWorkflowTaskCompleted | one completed event for the scheduled event of the token |
//! | RespondWorkflowTaskFailed | for a first attempt, a failed event for it; later attempts leave none |
//! | RespondActivityTaskCompleted, ...Canceled | one such event for the scheduled event of the token, with the result |
//! | RespondActivityTaskFailed | none if it is retried, else a failed event |
//! | RecordActivityTaskHeartbeat | none: details live until the next attempt |
//!
//! Effects stay for ever here: scenarios delete nothing yet.
use super::{Invariant, Observations, Operation, RunObserved, Violation, durable_first, events};
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::enums::v1::EventType;
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{decode_activity_token, decode_workflow_token};

pub const INVARIANT: Invariant = Invariant {
    name: "acked-durable",
    holds_when: "every acknowledged call left its durable effect, once, in what a power cut leaves on the disk, and was \
                 not acknowledged before",
};

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let acknowledged = observations.operations.iter().filter(|operation| operation.outcome.is_ok());
    let missing = acknowledged.filter_map(|operation| Some((operation, missing(observations, operation)?)));
    missing.map(report).chain(durable_first::judge(observations)).collect()
}

fn report((operation, missing): (&Operation, String)) -> Violation {
    let what = format!("{} was acknowledged to {}, but {missing}", operation.rpc, operation.caller);
    Violation::new(INVARIANT.name, what).because(operation.line())
}

/// What is missing of the effect; nothing if it is there, or if the call has none.
fn missing(observations: &Observations, operation: &Operation) -> Option<String> {
    match operation.rpc.as_str() {
        "StartWorkflowExecution" => started(observations, operation),
        "SignalWithStartWorkflowExecution" => {
            let request: api::SignalWithStartWorkflowExecutionRequest = operation.request()?;
            let response: api::SignalWithStartWorkflowExecutionResponse = operation.response()?;
            if observations.run(&response.run_id).is_none() {
                return Some(format!("run {} does not exist", response.run_id));
            }
            let execution = WorkflowExecution { workflow_id: request.workflow_id, run_id: String::new() };
            let found = count_in_one_run(observations, &execution, |event| is_signal(event, &request.request_id));
            once(found, "signaled event")
        }
        "SignalWorkflowExecution" => {
            let request: api::SignalWorkflowExecutionRequest = operation.request()?;
            let execution = request.workflow_execution?;
            let found = count_in_one_run(observations, &execution, |event| is_signal(event, &request.request_id));
            once(found, "signaled event")
        }
        "RequestCancelWorkflowExecution" => {
            let request: api::RequestCancelWorkflowExecutionRequest = operation.request()?;
            let is_cancel = |event: &HistoryEvent| event.event_type() == EventType::WorkflowExecutionCancelRequested;
            let execution = request.workflow_execution?;
            // A workflow that has ended is cancelled by doing nothing, as in Temporal.
            let ended = || ended_by(observations, &execution, operation.completed_ns.unwrap_or(u64::MAX));
            at_least_once(count(observations, &execution, is_cancel), "cancel-requested event").filter(|_| !ended())
        }
        "TerminateWorkflowExecution" => {
            let request: api::TerminateWorkflowExecutionRequest = operation.request()?;
            let is_end = |event: &HistoryEvent| event.event_type() == EventType::WorkflowExecutionTerminated;
            at_least_once(count(observations, &request.workflow_execution?, is_end), "terminated event")
        }
        "RespondWorkflowTaskCompleted" => {
            let request: api::RespondWorkflowTaskCompletedRequest = operation.request()?;
            workflow_task(observations, &request.task_token, EventType::WorkflowTaskCompleted)
        }
        "RespondWorkflowTaskFailed" => {
            let request: api::RespondWorkflowTaskFailedRequest = operation.request()?;
            workflow_task(observations, &request.task_token, EventType::WorkflowTaskFailed)
        }
        "RespondActivityTaskCompleted" => {
            let request: api::RespondActivityTaskCompletedRequest = operation.request()?;
            activity(observations, &request.task_token, |attributes, scheduled| match attributes {
                Attributes::ActivityTaskCompletedEventAttributes(a) => {
                    a.scheduled_event_id == scheduled && a.result == request.result
                }
                _ => false,
            })
        }
        "RespondActivityTaskCanceled" => {
            let request: api::RespondActivityTaskCanceledRequest = operation.request()?;
            activity(observations, &request.task_token, |attributes, scheduled| match attributes {
                Attributes::ActivityTaskCanceledEventAttributes(a) => a.scheduled_event_id == scheduled,
                _ => false,
            })
        }
        _ => None,
    }
}

fn started(observations: &Observations, operation: &Operation) -> Option<String> {
    let request: api::StartWorkflowExecutionRequest = operation.request()?;
    let response: api::StartWorkflowExecutionResponse = operation.response()?;
    let Some(run) = observations.run(&response.run_id) else {
        return Some(format!("run {} of {} does not exist", response.run_id, request.workflow_id));
    };
    if run.key.workflow_id.as_str() != request.workflow_id {
        return Some(format!("run {} belongs to workflow {}", response.run_id, run.key.workflow_id));
    }
    let Some(Attributes::WorkflowExecutionStartedEventAttributes(attributes)) =
        run.stored.first().and_then(|event| event.attributes.as_ref())
    else {
        return Some(format!("run {} has no started event", response.run_id));
    };
    let as_asked = attributes.input == request.input && attributes.workflow_type == request.workflow_type;
    (response.started && !as_asked).then(|| format!("run {} began with another type or input", response.run_id))
}

/// Runs that a request may have meant.
fn meant<'a>(observations: &'a Observations, execution: &WorkflowExecution) -> Vec<&'a RunObserved> {
    if execution.run_id.is_empty() {
        observations.chain(&execution.workflow_id)
    } else {
        observations.run(&execution.run_id).into_iter().collect()
    }
}

fn count(
    observations: &Observations,
    execution: &WorkflowExecution,
    is_effect: impl Fn(&HistoryEvent) -> bool,
) -> usize {
    meant(observations, execution).iter().flat_map(|run| &run.stored).filter(|event| is_effect(event)).count()
}

/// The most that any one run has: request ids of signals are a run's own, and do not follow a continue-as-new.
fn count_in_one_run(
    observations: &Observations,
    execution: &WorkflowExecution,
    is_effect: impl Fn(&HistoryEvent) -> bool,
) -> usize {
    let of_run = |run: &&RunObserved| run.stored.iter().filter(|event| is_effect(event)).count();
    meant(observations, execution).iter().map(of_run).max().unwrap_or(0)
}

/// Whether what an execution names had ended at that virtual time.
fn ended_by(observations: &Observations, execution: &WorkflowExecution, at_ns: u64) -> bool {
    let Some(last) = meant(observations, execution).last().map(|run| run.key.run_id.as_str()) else { return false };
    let before = observations.commits.iter().filter(|commit| commit.at_ns <= at_ns && commit.may_be_durable());
    before
        .flat_map(|commit| &commit.batches)
        .filter(|batch| batch.tree == last)
        .any(|batch| batch.events().iter().any(events::is_close))
}

pub(super) fn is_signal(event: &HistoryEvent, request_id: &str) -> bool {
    match &event.attributes {
        Some(Attributes::WorkflowExecutionSignaledEventAttributes(a)) => a.request_id == request_id,
        _ => false,
    }
}

fn once(found: usize, what: &str) -> Option<String> {
    (found != 1).then(|| format!("there are {found} of its {what}, not one"))
}

fn at_least_once(found: usize, what: &str) -> Option<String> {
    (found == 0).then(|| format!("there is no {what}"))
}

fn workflow_task(observations: &Observations, token: &[u8], kind: EventType) -> Option<String> {
    let token = decode_workflow_token(token).ok()?;
    if kind == EventType::WorkflowTaskFailed && token.attempt > 1 {
        return None;
    }
    let Some(run) = observations.run(token.run_id.as_str()) else {
        return Some(format!("run {} does not exist", token.run_id));
    };
    let closes = |event: &&HistoryEvent| match &event.attributes {
        Some(Attributes::WorkflowTaskCompletedEventAttributes(a)) => {
            kind == EventType::WorkflowTaskCompleted && a.scheduled_event_id == token.scheduled_event_id
        }
        Some(Attributes::WorkflowTaskFailedEventAttributes(a)) => {
            kind == EventType::WorkflowTaskFailed && a.scheduled_event_id == token.scheduled_event_id
        }
        _ => false,
    };
    let found = run.stored.iter().filter(closes).count();
    let what = format!("{} of {} for event {}", kind.as_str_name(), run.name(), token.scheduled_event_id);
    once(found, &what)
}

fn activity(observations: &Observations, token: &[u8], is_effect: impl Fn(&Attributes, i64) -> bool) -> Option<String> {
    let token = decode_activity_token(token).ok()?;
    let Some(run) = observations.run(token.run_id.as_str()) else {
        return Some(format!("run {} does not exist", token.run_id));
    };
    let attributes = run.stored.iter().filter_map(|event| event.attributes.as_ref());
    let found = attributes.filter(|attributes| is_effect(attributes, token.scheduled_event_id)).count();
    once(found, &format!("closing event of {} for activity {}", run.name(), token.scheduled_event_id))
}
