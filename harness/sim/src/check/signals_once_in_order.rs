//! `signals-once-in-order`: each signal is in its workflow once, and signals sent one after another stay so.
//!
//! A signal whose outcome is unknown may be there or not, but never twice: its request id is repeated on every retry.
use super::{Invariant, Observations, Operation, RpcKind, Violation, acked_durable, events, of_no_workflow, seconds};
use std::collections::BTreeMap;
use tempest_api::proto::history::v1::history_event::Attributes;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_artifact::Evidence;

pub const INVARIANT: Invariant = Invariant::SignalsOnceInOrder;
pub const HOLDS_WHEN: &str = "each signal is in a run's history at most once, and one that was acknowledged before \
                              the next was sent precedes it";

/// A signal that a client sent, its retries taken together.
struct Sent {
    workflow_id: String,
    request_id: String,
    first_invoked_ns: u64,
    /// The first acknowledgement.
    acknowledged_ns: Option<u64>,
    line: Evidence,
}

/// By workflow id and request id.
type AllSent = BTreeMap<(String, String), Sent>;

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let sent = sent(observations);
    let mut violations = Vec::new();
    let mut by_workflow = BTreeMap::<&str, Vec<_>>::new();
    for signal in sent.values() {
        let positions = positions(observations, signal);
        // A run does not inherit the request ids of the run before it, in Temporal neither: a call delivered again after a
        // continue-as-new is a signal to the new run. Within one run it is there once.
        let most = positions.iter().map(|(run, _)| positions.iter().filter(|(other, _)| other == run).count()).max();
        if let Some(most) = most.filter(|most| *most > 1) {
            let what = format!("a signal is in the history of {} {most} times", signal.workflow_id);
            violations.push(Violation::new(INVARIANT, what).because(signal.line.clone()));
        }
        if let Some(position) = positions.first() {
            by_workflow.entry(&signal.workflow_id).or_default().push((signal, *position));
        }
    }
    for (workflow_id, signals) in by_workflow {
        for (earlier, earlier_at) in &signals {
            for (later, later_at) in &signals {
                let in_turn = earlier.acknowledged_ns.is_some_and(|at| at < later.first_invoked_ns);
                if in_turn && later_at < earlier_at {
                    let what = format!("two signals of {workflow_id} changed places");
                    let violation = Violation::new(INVARIANT, what);
                    violations.push(violation.because(earlier.line.clone()).because(later.line.clone()));
                }
            }
        }
    }
    violations.extend(unasked(observations, &sent));
    violations
}

fn sent(observations: &Observations) -> AllSent {
    let mut sent = AllSent::new();
    for operation in &observations.operations {
        let Some((workflow_id, request_id)) = signal(operation) else { continue };
        let signal = sent.entry((workflow_id.clone(), request_id.clone())).or_insert_with(|| Sent {
            workflow_id,
            request_id,
            first_invoked_ns: operation.invoked_ns,
            acknowledged_ns: None,
            line: first_sent(operation),
        });
        if operation.outcome.is_ok() && signal.acknowledged_ns.is_none() {
            signal.acknowledged_ns = operation.completed_ns;
        }
    }
    sent
}

fn first_sent(operation: &Operation) -> Evidence {
    let line = operation.line();
    Evidence { text: format!("{line} (first sent at {})", seconds(operation.invoked_ns)), ..line }
}

/// Which signal a call sends: workflow id and request id.
fn signal(operation: &Operation) -> Option<(String, String)> {
    match &operation.rpc {
        RpcKind::SignalWorkflowExecution => {
            let request: api::SignalWorkflowExecutionRequest = operation.request()?;
            Some((request.workflow_execution?.workflow_id, request.request_id))
        }
        RpcKind::SignalWithStartWorkflowExecution => {
            let request: api::SignalWithStartWorkflowExecutionRequest = operation.request()?;
            Some((request.workflow_id, request.request_id))
        }
        // Not judged here because its signals to other workflows are sent by the server: `across-runs` judges them.
        RpcKind::RespondWorkflowTaskCompleted => None,
        // Not judged because they send no signal.
        RpcKind::DescribeWorkflowExecution
        | RpcKind::GetWorkflowExecutionHistory
        | RpcKind::GetWorkflowExecutionHistoryReverse
        | RpcKind::PollActivityTaskQueue
        | RpcKind::PollWorkflowTaskQueue
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
        | RpcKind::StartWorkflowExecution
        | RpcKind::TerminateWorkflowExecution
        | of_no_workflow!() => None,
    }
}

/// Where a signal is: run of the chain, event id.
fn positions(observations: &Observations, signal: &Sent) -> Vec<(usize, i64)> {
    let chain = observations.chain(&signal.workflow_id);
    let of_run = |(index, run): (usize, &&super::RunObserved)| -> Vec<(usize, i64)> {
        let found = run.stored.iter().filter(|event| acked_durable::is_signal(event, &signal.request_id));
        found.map(|event| (index, event.event_id)).collect()
    };
    chain.iter().enumerate().flat_map(of_run).collect()
}

/// Signals in histories that were not sent there.
fn unasked(observations: &Observations, sent: &AllSent) -> Vec<Violation> {
    let mut violations = Vec::new();
    for run in observations.runs.values() {
        for event in &run.stored {
            let Some(Attributes::WorkflowExecutionSignaledEventAttributes(a)) = &event.attributes else { continue };
            // A signal of another workflow is that workflow's business.
            let named = (run.key.workflow_id.0.clone(), a.request_id.clone());
            if a.external_workflow_execution.is_none() && !sent.contains_key(&named) {
                let what = format!("{}: no client sent {}", run.name(), events::line(event));
                violations.push(Violation::new(INVARIANT, what).because(format!("{event:?}")).about(run));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use crate::check::samples::{self, SECOND_NS};
    use crate::check::{Observations, Operation, Outcome, RpcKind};
    use tempest_api::proto::common::v1::WorkflowExecution;
    use tempest_api::proto::workflowservice::v1 as api;

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    /// Sends `signal-2`, which is in the history in place of the activity's end, before `signal-1`.
    fn send_another(observations: &mut Observations, invoked_s: u64, completed_s: u64) {
        samples::replace(observations, 8, samples::signaled("signal-2"));
        observations.operations.push(Operation {
            invoked_ns: invoked_s * SECOND_NS,
            completed_ns: Some(completed_s * SECOND_NS),
            ..samples::signal("signal-2")
        });
    }

    #[test]
    fn a_signal_is_there_once() {
        check(|_| {}, &[]);
    }

    #[test]
    fn a_signal_is_not_there_twice() {
        check(
            |observations| samples::replace(observations, 8, samples::signaled("signal-1")),
            &["a signal is in the history of order-1 2 times"],
        );
    }

    #[test]
    fn a_signal_of_unknown_outcome_may_be_missing_but_not_be_there_twice() {
        let unknown = |observations: &mut Observations| {
            let outcome = Outcome::Unknown { code: tonic::Code::Unavailable, message: String::new() };
            let sent_beside_the_other = Operation { invoked_ns: 6 * SECOND_NS, ..samples::signal("signal-2") };
            observations.operations.push(Operation { outcome, ..sent_beside_the_other });
        };
        check(unknown, &[]);
        check(
            |observations| {
                unknown(observations);
                samples::replace(observations, 7, samples::signaled("signal-2"));
                samples::replace(observations, 8, samples::signaled("signal-2"));
            },
            &["a signal is in the history of order-1 2 times"],
        );
    }

    #[test]
    fn a_signal_that_is_delivered_again_to_the_next_run_is_another() {
        check(|observations| samples::add(observations, samples::run("run-2", samples::events("run-2"))), &[]);
    }

    /// `signal-1` was sent at 6 s and acknowledged at 6.5 s.
    #[test]
    fn signals_one_after_another_stay_so() {
        check(|observations| send_another(observations, 7, 8), &["two signals of order-1 changed places"]);
    }

    #[test]
    fn signals_side_by_side_may_come_in_any_order() {
        check(|observations| send_another(observations, 6, 8), &[]);
    }

    #[test]
    fn a_signal_was_sent_by_somebody() {
        check(
            |observations| samples::replace(observations, 8, samples::signaled("signal-2")),
            &["order-1 / run-1: no client sent event 8 WORKFLOW_EXECUTION_SIGNALED"],
        );
    }

    #[test]
    fn a_signal_of_another_workflow_is_that_ones_business() {
        check(
            |observations| {
                let mut signaled = samples::signaled("signal-2");
                signaled.external_workflow_execution = Some(samples::execution("run-9"));
                samples::replace(observations, 8, signaled);
            },
            &[],
        );
    }

    #[test]
    fn a_signal_goes_to_the_workflow_it_was_sent_to() {
        check(
            |observations| {
                let execution = WorkflowExecution { workflow_id: "order-2".to_owned(), run_id: String::new() };
                let request = api::SignalWorkflowExecutionRequest {
                    workflow_execution: Some(execution),
                    request_id: "signal-2".to_owned(),
                    ..Default::default()
                };
                let answer = samples::ok(&api::SignalWorkflowExecutionResponse::default());
                observations.operations.push(samples::called(RpcKind::SignalWorkflowExecution, &request, answer));
                samples::replace(observations, 8, samples::signaled("signal-2"));
            },
            &["order-1 / run-1: no client sent event 8 WORKFLOW_EXECUTION_SIGNALED"],
        );
    }

    #[test]
    fn a_start_with_a_signal_sends_one() {
        check(
            |observations| {
                let request = api::SignalWithStartWorkflowExecutionRequest {
                    workflow_id: samples::WORKFLOW.to_owned(),
                    request_id: "signal-2".to_owned(),
                    ..Default::default()
                };
                let answer = samples::ok(&api::SignalWithStartWorkflowExecutionResponse::default());
                observations.operations.push(samples::called(
                    RpcKind::SignalWithStartWorkflowExecution,
                    &request,
                    answer,
                ));
                samples::replace(observations, 12, samples::signaled("signal-2"));
            },
            &[],
        );
    }
}
