//! `signals-once-in-order`: each signal is in its workflow once, and signals sent one after another stay so.
//!
//! A signal whose outcome is unknown may be there or not, but never twice: its request id is repeated on every retry.
use super::{Invariant, Observations, Violation, acked_durable, events, seconds};
use std::collections::BTreeMap;
use tempest_api::proto::history::v1::history_event::Attributes;
use tempest_api::proto::workflowservice::v1 as api;

pub const INVARIANT: Invariant = Invariant {
    name: "signals-once-in-order",
    holds_when: "each signal is in a run's history at most once, and one that was acknowledged before the next \
                 was sent precedes it",
};

/// A signal that a client sent, its retries taken together.
struct Sent {
    workflow_id: String,
    request_id: String,
    first_invoked_ns: u64,
    /// The first acknowledgement.
    acknowledged_ns: Option<u64>,
    line: String,
}

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let sent = sent(observations);
    let mut violations = Vec::new();
    let mut by_workflow = BTreeMap::<&str, Vec<_>>::new();
    for signal in sent.values() {
        let positions = positions(observations, signal);
        // A run does not inherit the request ids of the run before it, in Temporal neither: a call delivered again after a
        // continue-as-new is a signal to the new run. Within one run it is there once.
        let most = positions.iter().map(|(run, _)| positions.iter().filter(|(other, _)| other == run).count()).max();
        if most.is_some_and(|most| most > 1) {
            let what = format!("a signal is in the history of {} {} times", signal.workflow_id, positions.len());
            violations.push(Violation::new(INVARIANT.name, what).because(signal.line.clone()));
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
                    let violation = Violation::new(INVARIANT.name, what);
                    violations.push(violation.because(earlier.line.clone()).because(later.line.clone()));
                }
            }
        }
    }
    violations.extend(unasked(observations, &sent));
    violations
}

fn sent(observations: &Observations) -> BTreeMap<String, Sent> {
    let mut sent: BTreeMap<String, Sent> = BTreeMap::new();
    for operation in &observations.operations {
        let named = match operation.rpc.as_str() {
            "SignalWorkflowExecution" => operation
                .request::<api::SignalWorkflowExecutionRequest>()
                .and_then(|request| Some((request.workflow_execution?.workflow_id, request.request_id))),
            "SignalWithStartWorkflowExecution" => operation
                .request::<api::SignalWithStartWorkflowExecutionRequest>()
                .map(|request| (request.workflow_id, request.request_id)),
            _ => None,
        };
        let Some((workflow_id, request_id)) = named else { continue };
        let signal = sent.entry(request_id.clone()).or_insert_with(|| Sent {
            workflow_id,
            request_id,
            first_invoked_ns: operation.invoked_ns,
            acknowledged_ns: None,
            line: format!("{} (first sent at {})", operation.line(), seconds(operation.invoked_ns)),
        });
        if operation.outcome.is_ok() && signal.acknowledged_ns.is_none() {
            signal.acknowledged_ns = operation.completed_ns;
        }
    }
    sent
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

/// Signals in histories that nobody sent.
fn unasked(observations: &Observations, sent: &BTreeMap<String, Sent>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for run in observations.runs.values() {
        for event in &run.stored {
            let Some(Attributes::WorkflowExecutionSignaledEventAttributes(a)) = &event.attributes else { continue };
            // A signal of another workflow is that workflow's business.
            if a.external_workflow_execution.is_none() && !sent.contains_key(&a.request_id) {
                let what = format!("{}: {} was sent by nobody", run.name(), events::line(event));
                violations.push(Violation::new(INVARIANT.name, what).because(format!("{event:?}")));
            }
        }
    }
    violations
}
