//! `one-open-run`: a workflow id has at most one open run, at every moment, and a repeated start finds the first.
use super::{Invariant, Observations, Operation, Outcome, RpcKind, RunObserved, Violation, events, of_no_workflow};
use std::collections::{BTreeMap, BTreeSet};
use tempest_api::proto::enums::v1::EventType;
use tempest_api::proto::workflowservice::v1 as api;

pub const INVARIANT: Invariant = Invariant::OneOpenRun;
pub const HOLDS_WHEN: &str = "a workflow id has at most one open run after every commit, and a repeated start request \
                              id returns the run that it started";

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut violations = over_time(observations);
    violations.extend(at_the_end(observations));
    violations.extend(repeated_starts(observations));
    violations
}

/// Follows the commits: runs of one workflow id share a shard, so their commits are ordered. A commit in doubt counts if
/// it was applied: it may have closed the run whose successor comes next.
fn over_time(observations: &Observations) -> Vec<Violation> {
    let mut open: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut violations = Vec::new();
    for commit in observations.commits.iter().filter(|commit| observations.was_applied(commit)) {
        let mut touched = Vec::new();
        for batch in &commit.batches {
            let Some(run) = observations.run(&batch.tree) else { continue };
            let workflow = format!("{} / {}", run.key.namespace_id, run.key.workflow_id);
            let runs = open.entry(workflow.clone()).or_default();
            for event in batch.events() {
                if event.event_type() == EventType::WorkflowExecutionStarted && !runs.contains(&batch.tree) {
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
                let violation = Violation::new(INVARIANT, what).because(runs.join(", ")).because(commit.line());
                violations.push(violation.about_each(runs.iter().filter_map(|run| observations.run(run))));
            }
        }
    }
    violations
}

fn at_the_end(observations: &Observations) -> Vec<Violation> {
    let mut open: BTreeMap<String, Vec<&RunObserved>> = BTreeMap::new();
    for run in observations.runs.values().filter(|run| !events::is_closed(&run.stored)) {
        let workflow = format!("{} / {}", run.key.namespace_id, run.key.workflow_id);
        open.entry(workflow).or_default().push(run);
    }
    let doubled = open.into_iter().filter(|(_, runs)| runs.len() > 1);
    doubled
        .map(|(workflow, runs)| {
            let ids: Vec<&str> = runs.iter().map(|run| run.key.run_id.as_str()).collect();
            Violation::new(INVARIANT, format!("{workflow} has {} open runs at the end", runs.len()))
                .because(ids.join(", "))
                .about_each(runs)
        })
        .collect()
}

/// A call that may start a run.
enum Asked {
    Start(Box<api::StartWorkflowExecutionRequest>),
    /// Finds the open run, if there is one, and says nothing of which it was.
    SignalWithStart(Box<api::SignalWithStartWorkflowExecutionRequest>),
}

impl Asked {
    fn workflow_id(&self) -> &str {
        match self {
            Asked::Start(request) => &request.workflow_id,
            Asked::SignalWithStart(request) => &request.workflow_id,
        }
    }

    fn request_id(&self) -> &str {
        match self {
            Asked::Start(request) => &request.request_id,
            Asked::SignalWithStart(request) => &request.request_id,
        }
    }
}

fn start(operation: &Operation) -> Option<Asked> {
    match &operation.rpc {
        RpcKind::StartWorkflowExecution => Some(Asked::Start(Box::new(operation.request()?))),
        RpcKind::SignalWithStartWorkflowExecution => Some(Asked::SignalWithStart(Box::new(operation.request()?))),
        // Not judged by its answer: the runs that it opens, of children and by continuing as new, are judged as the commits show
        // them.
        RpcKind::RespondWorkflowTaskCompleted => None,
        // Not judged because they open no run. That one which ends a run does so before another is opened, the commits show.
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
        | RpcKind::SignalWorkflowExecution
        | RpcKind::TerminateWorkflowExecution
        | of_no_workflow!() => None,
    }
}

fn repeated_starts(observations: &Observations) -> Vec<Violation> {
    // All tries of one request id, and all request ids that callers used for a workflow.
    let mut tries: BTreeMap<String, Vec<(&Operation, Box<api::StartWorkflowExecutionRequest>)>> = BTreeMap::new();
    let mut requests: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for operation in &observations.operations {
        let Some(asked) = start(operation) else { continue };
        requests.entry(asked.workflow_id().to_owned()).or_default().insert(asked.request_id().to_owned());
        if let Asked::Start(request) = asked {
            tries.entry(request.request_id.clone()).or_default().push((operation, request));
        }
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
            let violation = Violation::new(INVARIANT, what).because(first.line());
            violations.push(violation.because(other.line()));
        };
        if answered.len() > 1 {
            let last = tries.last().map_or(*first, |(operation, _)| *operation);
            wrong(format!("one start request of {} was answered with two runs", request.workflow_id), last);
        }
        // No other caller started this workflow: the run that was there already was this request's.
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

#[cfg(test)]
mod tests {
    use crate::check::samples::{self, RUN};
    use crate::check::{CommitResult, Observations, Operation, Outcome, RpcKind};
    use tempest_api::proto::workflowservice::v1 as api;
    use tempest_store::CommitOutcome;

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(super::judge, change, expect);
    }

    /// A second run of the sample's workflow, which begins after so many of the first one's commits, and ends.
    fn second_run(observations: &mut Observations, after: usize) {
        let run = samples::run("run-2", samples::events("run-2"));
        let commits =
            [samples::commit(20, &run.key, &run.stored[..2]), samples::commit(21, &run.key, &run.stored[2..])];
        observations.commits.splice(after..after, commits);
        samples::add(observations, run);
    }

    fn start(request_id: &str, outcome: Outcome) -> Operation {
        let request = api::StartWorkflowExecutionRequest {
            workflow_id: samples::WORKFLOW.to_owned(),
            request_id: request_id.to_owned(),
            ..Default::default()
        };
        samples::called(RpcKind::StartWorkflowExecution, &request, outcome)
    }

    fn answered(run_id: &str) -> Outcome {
        samples::ok(&api::StartWorkflowExecutionResponse { run_id: run_id.to_owned(), ..Default::default() })
    }

    fn refused() -> Outcome {
        Outcome::Failed { code: tonic::Code::AlreadyExists, message: String::new() }
    }

    #[test]
    fn one_run_after_the_other_is_sound() {
        check(|_| {}, &[]);
        check(|observations| second_run(observations, observations.commits.len()), &[]);
    }

    #[test]
    fn two_runs_are_not_open_at_once() {
        check(|observations| second_run(observations, 9), &["default / order-1 had 2 open runs"]);
    }

    #[test]
    fn one_commit_may_close_a_run_and_open_the_next() {
        check(
            |observations| {
                second_run(observations, observations.commits.len());
                let start = observations.commits.remove(10);
                observations.commits[9].batches.extend(start.batches);
            },
            &[],
        );
    }

    #[test]
    fn a_commit_in_doubt_may_have_closed_a_run() {
        check(
            |observations| {
                let unknown = CommitOutcome::OutcomeUnknown("the disk failed".to_owned());
                observations.commits[9].result = CommitResult::Ended(unknown);
                second_run(observations, 10);
            },
            &[],
        );
    }

    #[test]
    fn a_commit_in_doubt_may_have_opened_a_run() {
        check(
            |observations| {
                second_run(observations, 9);
                observations.commits[9].result = CommitResult::Pending;
            },
            &["default / order-1 had 2 open runs"],
        );
    }

    #[test]
    fn two_runs_are_not_open_at_the_end() {
        let open = |run_id: &str| samples::run(run_id, samples::events(run_id)[..16].to_vec());
        check(|observations| samples::add(observations, open(RUN)), &[]);
        check(
            |observations| {
                samples::add(observations, open(RUN));
                samples::add(observations, open("run-2"));
            },
            &["default / order-1 has 2 open runs at the end"],
        );
    }

    #[test]
    fn a_repeated_start_finds_the_run() {
        check(|observations| observations.operations.push(start("start-1", answered(RUN))), &[]);
    }

    #[test]
    fn a_repeated_start_does_not_find_another_run() {
        check(
            |observations| observations.operations.push(start("start-1", answered("run-2"))),
            &["one start request of order-1 was answered with two runs"],
        );
    }

    #[test]
    fn a_repeated_start_is_not_refused() {
        check(
            |observations| observations.operations.push(start("start-1", refused())),
            &["a repeated start of order-1 did not find the run that it had started"],
        );
    }

    #[test]
    fn a_start_is_refused_if_somebody_else_was_first() {
        check(|observations| observations.operations.push(start("start-2", refused())), &[]);
        // Started by a signal.
        check(
            |observations| {
                let request = api::SignalWithStartWorkflowExecutionRequest {
                    workflow_id: samples::WORKFLOW.to_owned(),
                    request_id: "start-1".to_owned(),
                    ..Default::default()
                };
                let answer =
                    api::SignalWithStartWorkflowExecutionResponse { run_id: RUN.to_owned(), ..Default::default() };
                let first = samples::called(RpcKind::SignalWithStartWorkflowExecution, &request, samples::ok(&answer));
                observations.operations[0] = first;
                observations.operations.push(start("start-2", refused()));
            },
            &[],
        );
    }

    #[test]
    fn a_start_is_refused_if_its_run_has_continued_as_new() {
        check(
            |observations| {
                second_run(observations, observations.commits.len());
                observations.operations.push(start("start-1", refused()));
            },
            &[],
        );
    }
}
