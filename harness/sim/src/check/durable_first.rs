//! The other half of `acked-durable`: when a call was answered, what it reports was durable already, not only in the end.
//!
//! The commit feed knows when each commit had ended for the server. An answer that reports an event of a commit in flight
//! was given too early, whether or not the power failed in time to show it.
//!
//! | call | events that its answer reports |
//! |---|---|
//! | StartWorkflowExecution, SignalWithStartWorkflowExecution | the started event of the run it names |
//! | SignalWorkflowExecution, SignalWithStartWorkflowExecution | the signal with its request id, as an event or in the run's buffer |
//! | GetWorkflowExecutionHistory, ...Reverse | the events served, but for the workflow task under way, which may be shown before it is written |
use super::page::{Page, is_task_under_way};
use super::{Commit, Observations, Operation, RpcKind, Violation, acked_durable, seconds};
use std::collections::BTreeMap;
use tempest_api::proto::workflowservice::v1 as api;

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let ends = Ends::of(&observations.commits);
    let answered = observations.operations.iter().filter(|operation| operation.outcome.is_ok());
    answered.filter_map(|operation| too_early(&ends, operation)).collect()
}

/// When a commit ended for the server. Nothing, if that is not known: what it wrote is not judged.
type End<'a> = Option<(u64, &'a Commit)>;

/// When what answers may report became durable.
#[derive(Default)]
struct Ends<'a> {
    /// By run id and event id.
    events: BTreeMap<(String, i64), End<'a>>,
    /// By request id of the signal: when it was first written, as an event or into a run's buffer.
    signals: BTreeMap<String, End<'a>>,
}

impl<'a> Ends<'a> {
    fn of(commits: &'a [Commit]) -> Ends<'a> {
        let mut ends = Ends::default();
        for commit in commits.iter().filter(|commit| commit.may_be_durable()) {
            let end = commit.durable_by_ns().map(|at| (at, commit));
            for request_id in commit.signal_request_ids() {
                ends.signals.entry(request_id).or_insert(end);
            }
            for batch in &commit.batches {
                for event in batch.events() {
                    ends.events.entry((batch.tree.clone(), event.event_id)).or_insert(end);
                }
            }
        }
        ends
    }
}

fn too_early(ends: &Ends<'_>, operation: &Operation) -> Option<Violation> {
    let answered_ns = operation.completed_ns?;
    let reported = reported(ends, operation);
    let (ended_ns, commit) = reported.into_iter().find(|(ended_ns, _)| *ended_ns > answered_ns)?;
    let what = format!(
        "{} was acknowledged to {} at {}, but what it reports was durable only at {}",
        operation.rpc,
        operation.caller,
        seconds(answered_ns),
        seconds(ended_ns)
    );
    Some(Violation::new(acked_durable::INVARIANT, what).because(operation.line()).because(commit.line()))
}

/// When the commits ended whose events an answer reports.
fn reported<'a>(ends: &Ends<'a>, operation: &Operation) -> Vec<(u64, &'a Commit)> {
    let started = |run_id: String| ends.events.get(&(run_id, 1)).copied().flatten();
    let signaled = |request_id: &str| ends.signals.get(request_id).copied().flatten();
    let found = match &operation.rpc {
        RpcKind::StartWorkflowExecution => {
            let response = operation.response::<api::StartWorkflowExecutionResponse>();
            vec![response.and_then(|response| started(response.run_id))]
        }
        RpcKind::SignalWithStartWorkflowExecution => {
            let request = operation.request::<api::SignalWithStartWorkflowExecutionRequest>();
            let response = operation.response::<api::SignalWithStartWorkflowExecutionResponse>();
            vec![
                response.and_then(|response| started(response.run_id)),
                request.and_then(|request| signaled(&request.request_id)),
            ]
        }
        RpcKind::SignalWorkflowExecution => {
            let request = operation.request::<api::SignalWorkflowExecutionRequest>();
            vec![request.and_then(|request| signaled(&request.request_id))]
        }
        RpcKind::GetWorkflowExecutionHistory | RpcKind::GetWorkflowExecutionHistoryReverse => {
            let Some(page) = Page::of(operation) else { return Vec::new() };
            let written = page.events.iter().filter(|event| !is_task_under_way(event));
            written.map(|event| ends.events.get(&(page.run_id.clone(), event.event_id)).copied().flatten()).collect()
        }
        // Not judged because what they report may wait in a buffer that no event shows yet. That it is there in the end is for
        // the other half to say.
        RpcKind::RequestCancelWorkflowExecution
        | RpcKind::RespondActivityTaskCanceled
        | RpcKind::RespondActivityTaskCanceledById
        | RpcKind::RespondActivityTaskCompleted
        | RpcKind::RespondActivityTaskCompletedById
        | RpcKind::RespondActivityTaskFailed
        | RpcKind::RespondActivityTaskFailedById => Vec::new(),
        // Not judged because which commit did it is not known from the answer: a duplicate of the call may have come
        // first.
        RpcKind::RespondWorkflowTaskCompleted
        | RpcKind::RespondWorkflowTaskFailed
        | RpcKind::TerminateWorkflowExecution => Vec::new(),
        // Not judged because they leave no events.
        RpcKind::RecordActivityTaskHeartbeat
        | RpcKind::RecordActivityTaskHeartbeatById
        | RpcKind::RecordWorkerHeartbeat
        | RpcKind::ResetStickyTaskQueue
        | RpcKind::RegisterNamespace
        | RpcKind::ShutdownWorker
        | RpcKind::UpdateNamespace => Vec::new(),
        // Not judged because a worker is shown its task before it is written, and nothing else that is new.
        RpcKind::PollActivityTaskQueue | RpcKind::PollWorkflowTaskQueue => Vec::new(),
        // Not judged because they report no events.
        RpcKind::DescribeNamespace
        | RpcKind::DescribeTaskQueue
        | RpcKind::DescribeWorkflowExecution
        | RpcKind::GetClusterInfo
        | RpcKind::GetSystemInfo
        | RpcKind::ListNamespaces => Vec::new(),
        // Not judged because it was not done.
        RpcKind::NotServed(_) => Vec::new(),
    };
    found.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::judge;
    use crate::check::samples::{self, RUN, SECOND_NS};
    use crate::check::{CommitResult, Observations};
    use crate::observe::StoredState;
    use tempest_core::{MutableState, Part};

    const NEVER: u64 = 1_000 * SECOND_NS;

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(judge, change, expect);
    }

    /// A state of the sample's run that remembers a signal.
    fn remembers(request_id: &str) -> StoredState {
        let mut state = MutableState::rebuild(samples::key(RUN), &samples::events(RUN)).expect("the sample is sound");
        state.restore(Part::of_signal(request_id));
        StoredState::of(&state)
    }

    #[test]
    fn what_was_durable_may_be_told() {
        check(|observations| observations.commits[4].states = vec![remembers("signal-1")], &[]);
    }

    #[test]
    fn a_start_is_durable_before_it_is_acknowledged() {
        check(
            |observations| observations.commits[0].ended_ns = Some(3 * SECOND_NS),
            &["StartWorkflowExecution was acknowledged to client at 1.500 s, but what it reports was durable only at \
               3.000 s"],
        );
    }

    #[test]
    fn a_signal_is_durable_before_it_is_acknowledged() {
        check(
            |observations| {
                observations.operations.truncate(6);
                observations.commits[4].states = vec![remembers("signal-1")];
                observations.commits[4].ended_ns = Some(13 * SECOND_NS);
            },
            &[
                "SignalWorkflowExecution was acknowledged to client at 6.500 s, but what it reports was durable only at \
               13.000 s",
            ],
        );
    }

    #[test]
    fn events_are_durable_before_they_are_served() {
        check(
            |observations| observations.commits[9].ended_ns = Some(NEVER),
            &[
                "GetWorkflowExecutionHistory was acknowledged to client at 20.500 s, but what it reports was durable only \
               at 1000.000 s",
            ],
        );
    }

    #[test]
    fn a_workflow_task_under_way_may_be_shown_before_it_is_written() {
        // The second batch is the started event of the first task alone.
        check(|observations| observations.commits[1].ended_ns = Some(NEVER), &[]);
    }

    #[test]
    fn a_commit_that_nobody_saw_end_is_not_judged() {
        let in_doubt = |observations: &mut Observations| {
            observations.commits[0].result = CommitResult::Pending;
            observations.commits[0].ended_ns = None;
        };
        check(in_doubt, &[]);
    }
}
