//! `one-open-run`: a workflow id has at most one open run, at every moment, and a repeated start finds the first.
use super::commit_feed::applied;
use super::{Invariant, Observations, Operation, Outcome, Violation, events};
use std::collections::{BTreeMap, BTreeSet};
use tempest_api::proto::enums::v1::EventType;
use tempest_api::proto::workflowservice::v1 as api;

pub const INVARIANT: Invariant = Invariant {
    name: "one-open-run",
    holds_when: "a workflow id has at most one open run after every commit, and a repeated start request id returns the \
                 run that it started",
};

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut violations = over_time(observations);
    violations.extend(at_the_end(observations));
    violations.extend(repeated_starts(observations));
    violations
}

/// Follows the commits: runs of one workflow id share a shard, so their commits are ordered.
fn over_time(observations: &Observations) -> Vec<Violation> {
    let mut open: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut violations = Vec::new();
    for commit in applied(&observations.commits) {
        let mut touched = Vec::new();
        for batch in &commit.batches {
            let Some(run) = observations.run(&batch.tree) else { continue };
            let workflow = format!("{} / {}", run.key.namespace_id, run.key.workflow_id);
            let runs = open.entry(workflow.clone()).or_default();
            for event in batch.events() {
                if event.event_type() == EventType::WorkflowExecutionStarted {
                    runs.push(batch.tree.clone());
                } else if events::is_close(&event) {
                    runs.retain(|open| *open != batch.tree);
                }
            }
            touched.push(workflow);
        }
        // One commit may close a run and open its successor: what counts is the state after it.
        for workflow in touched {
            if let Some(runs) = open.get(&workflow).filter(|runs| runs.len() > 1) {
                let what = format!("{workflow} had {} open runs", runs.len());
                violations.push(Violation::new(INVARIANT.name, what).because(runs.join(", ")).because(commit.line()));
            }
        }
    }
    violations
}

fn at_the_end(observations: &Observations) -> Vec<Violation> {
    let mut open: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for run in observations.runs.values().filter(|run| !events::is_closed(&run.stored)) {
        let workflow = format!("{} / {}", run.key.namespace_id, run.key.workflow_id);
        open.entry(workflow).or_default().push(run.key.run_id.0.clone());
    }
    let doubled = open.into_iter().filter(|(_, runs)| runs.len() > 1);
    doubled
        .map(|(workflow, runs)| {
            Violation::new(INVARIANT.name, format!("{workflow} has {} open runs at the end", runs.len()))
                .because(runs.join(", "))
        })
        .collect()
}

fn repeated_starts(observations: &Observations) -> Vec<Violation> {
    // All tries of one request id, and all request ids that anybody used for a workflow.
    let mut tries: BTreeMap<String, Vec<(&Operation, api::StartWorkflowExecutionRequest)>> = BTreeMap::new();
    let mut requests: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for operation in observations.operations.iter().filter(|operation| operation.rpc == "StartWorkflowExecution") {
        let Some(request) = operation.request::<api::StartWorkflowExecutionRequest>() else { continue };
        requests.entry(request.workflow_id.clone()).or_default().insert(request.request_id.clone());
        tries.entry(request.request_id.clone()).or_default().push((operation, request));
    }
    let mut violations = Vec::new();
    for tries in tries.values() {
        let Some((first, request)) = tries.first() else { continue };
        let answered: BTreeSet<String> = tries
            .iter()
            .filter_map(|(operation, _)| operation.response::<api::StartWorkflowExecutionResponse>())
            .map(|response| response.run_id)
            .collect();
        let refused = tries.iter().find(|(operation, _)| {
            matches!(&operation.outcome, Outcome::Failed { code: tonic::Code::AlreadyExists, .. })
        });
        let mut wrong = |what: String, other: &Operation| {
            let violation = Violation::new(INVARIANT.name, what).because(first.line());
            violations.push(violation.because(other.line()));
        };
        if answered.len() > 1 {
            let last = tries.last().map_or(*first, |(operation, _)| *operation);
            wrong(format!("one start request of {} was answered with two runs", request.workflow_id), last);
        }
        // Nobody else started this workflow: who was there already was this request.
        if let Some((refused, _)) = refused
            && requests[&request.workflow_id].len() == 1
            // Once it has continued as new, the current run is another, which that request did not start.
            && observations.chain(&request.workflow_id).len() == 1
        {
            wrong(
                format!("a repeated start of {} did not find the run that it had started", request.workflow_id),
                refused,
            );
        }
    }
    violations
}
