//! `reads-fresh`: no answer comes from the past.
//!
//! A whole history that was asked for, without waiting for news, shows every event that was durable before the call began:
//! an owner of the shard that was superseded, and has not heard of it, must not answer from memory. Temporal's own
//! reads promise less; here they are proven.
//!
//! The newest page of a history that is read backwards shows them as well, and a description counts them. A namespace that was registered is not denied.
//!
//! Where a failover may have lost something, a primary of the database that was deposed and does not know may answer as
//! well: then nothing is judged.
use super::page::{Order, Page, is_task_under_way};
use super::{Commit, Invariant, Observations, Operation, Outcome, RpcKind, Violation, seconds};
use std::collections::BTreeMap;
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::RunKey;

pub const INVARIANT: Invariant = Invariant::ReadsFresh;
pub const HOLDS_WHEN: &str = "a history shows every event that was durable when it was asked for";

pub fn judge(observations: &Observations) -> Vec<Violation> {
    if observations.timelines.iter().any(|began| began.may_lose) {
        return Vec::new();
    }
    let durable = Durable::of(&observations.commits);
    let answered = observations.operations.iter().filter(|operation| operation.outcome.is_ok());
    let stale = answered.filter_map(|operation| stale(&durable, operation));
    let denied = observations.operations.iter().filter_map(|operation| {
        denied(&observations.commits, operation).or_else(|| denied_namespace(observations, operation))
    });
    stale.chain(denied).collect()
}

/// A workflow that was there when it was asked for is not said to be unknown: nothing is deleted here.
fn denied(commits: &[Commit], operation: &Operation) -> Option<Violation> {
    let Outcome::Failed { code: tonic::Code::NotFound, .. } = operation.outcome else { return None };
    let asked = read(operation)?;
    let is_meant = |key: &RunKey| {
        key.workflow_id.as_str() == asked.workflow_id
            && (asked.run_id.is_empty() || key.run_id.as_str() == asked.run_id)
    };
    let was_there = |commit: &&Commit| {
        let durable = commit.may_be_durable() && commit.durable_by_ns().is_some_and(|at| at < operation.invoked_ns);
        durable && commit.keys.iter().any(is_meant)
    };
    let commit = commits.iter().find(was_there)?;
    let what = format!(
        "{} asked for {} at {} and was told that there is none",
        operation.caller,
        asked.workflow_id,
        seconds(operation.invoked_ns)
    );
    Some(Violation::new(INVARIANT, what).because(operation.line()).because(commit.line()))
}

/// Neither is a namespace whose registration had been acknowledged: what a frontend does not know of, it looks up.
fn denied_namespace(observations: &Observations, operation: &Operation) -> Option<Violation> {
    let Outcome::Failed { code: tonic::Code::NotFound, .. } = operation.outcome else { return None };
    let asked = namespace(operation)?;
    let of_it = |registered: &&Operation| {
        let request: Option<api::RegisterNamespaceRequest> = registered.request();
        registered.completed_ns.is_some_and(|at| at < operation.invoked_ns)
            && request.is_some_and(|request| request.namespace == asked)
    };
    let registered = observations.acknowledged(RpcKind::RegisterNamespace).find(of_it)?;
    let what = format!(
        "{} asked for namespace {asked} at {} and was told that there is none",
        operation.caller,
        seconds(operation.invoked_ns)
    );
    Some(Violation::new(INVARIANT, what).because(operation.line()).because(registered.line()))
}

/// The namespace that a call reads or changes, by name.
fn namespace(operation: &Operation) -> Option<String> {
    match &operation.rpc {
        RpcKind::DescribeNamespace => Some(operation.request::<api::DescribeNamespaceRequest>()?.namespace),
        RpcKind::UpdateNamespace => Some(operation.request::<api::UpdateNamespaceRequest>()?.namespace),
        // Not judged because it never says that a namespace does not exist.
        RpcKind::ListNamespaces | RpcKind::RegisterNamespace => None,
        // Not judged because it may be the workflow or the task that does not exist, and scenarios have but one namespace
        // for those.
        RpcKind::DescribeTaskQueue
        | RpcKind::DescribeWorkflowExecution
        | RpcKind::GetWorkflowExecutionHistory
        | RpcKind::GetWorkflowExecutionHistoryReverse
        | RpcKind::PollActivityTaskQueue
        | RpcKind::PollWorkflowTaskQueue
        | RpcKind::RecordActivityTaskHeartbeat
        | RpcKind::RecordActivityTaskHeartbeatById
        | RpcKind::RecordWorkerHeartbeat
        | RpcKind::ResetStickyTaskQueue
        | RpcKind::RequestCancelWorkflowExecution
        | RpcKind::RespondActivityTaskCanceled
        | RpcKind::RespondActivityTaskCanceledById
        | RpcKind::RespondActivityTaskCompleted
        | RpcKind::RespondActivityTaskCompletedById
        | RpcKind::RespondActivityTaskFailed
        | RpcKind::RespondActivityTaskFailedById
        | RpcKind::RespondWorkflowTaskCompleted
        | RpcKind::RespondWorkflowTaskFailed
        | RpcKind::ShutdownWorker
        | RpcKind::SignalWithStartWorkflowExecution
        | RpcKind::SignalWorkflowExecution
        | RpcKind::StartWorkflowExecution
        | RpcKind::TerminateWorkflowExecution => None,
        // They name no namespace.
        RpcKind::GetClusterInfo | RpcKind::GetSystemInfo | RpcKind::NotServed(_) => None,
    }
}

/// The workflow, or the run, that a call reads.
fn read(operation: &Operation) -> Option<WorkflowExecution> {
    match &operation.rpc {
        RpcKind::GetWorkflowExecutionHistory => {
            operation.request::<api::GetWorkflowExecutionHistoryRequest>()?.execution
        }
        RpcKind::GetWorkflowExecutionHistoryReverse => {
            operation.request::<api::GetWorkflowExecutionHistoryReverseRequest>()?.execution
        }
        RpcKind::DescribeWorkflowExecution => operation.request::<api::DescribeWorkflowExecutionRequest>()?.execution,
        // Not judged because they read nothing of a run: namespaces from a cache that may be old, queues and the cluster as they
        // are at that moment.
        RpcKind::DescribeNamespace
        | RpcKind::DescribeTaskQueue
        | RpcKind::GetClusterInfo
        | RpcKind::GetSystemInfo
        | RpcKind::ListNamespaces => None,
        // Not judged because a task that is given out is compared with the store when its start is recorded there.
        RpcKind::PollActivityTaskQueue | RpcKind::PollWorkflowTaskQueue => None,
        // Not judged because they write: a write that is decided on an old state is refused by the store.
        RpcKind::RecordActivityTaskHeartbeat
        | RpcKind::RecordActivityTaskHeartbeatById
        | RpcKind::RecordWorkerHeartbeat
        | RpcKind::ResetStickyTaskQueue
        | RpcKind::RegisterNamespace
        | RpcKind::RequestCancelWorkflowExecution
        | RpcKind::RespondActivityTaskCanceled
        | RpcKind::RespondActivityTaskCanceledById
        | RpcKind::RespondActivityTaskCompleted
        | RpcKind::RespondActivityTaskCompletedById
        | RpcKind::RespondActivityTaskFailed
        | RpcKind::RespondActivityTaskFailedById
        | RpcKind::RespondWorkflowTaskCompleted
        | RpcKind::RespondWorkflowTaskFailed
        | RpcKind::ShutdownWorker
        | RpcKind::SignalWithStartWorkflowExecution
        | RpcKind::SignalWorkflowExecution
        | RpcKind::StartWorkflowExecution
        | RpcKind::TerminateWorkflowExecution
        | RpcKind::UpdateNamespace
        | RpcKind::NotServed(_) => None,
    }
}

/// The run that an answer shows, and the newest of its events that is known by it.
fn newest_shown(operation: &Operation) -> Option<(String, i64)> {
    if operation.rpc == RpcKind::DescribeWorkflowExecution {
        let response: api::DescribeWorkflowExecutionResponse = operation.response()?;
        let info = response.workflow_execution_info?;
        return Some((info.execution?.run_id, info.history_length));
    }
    let page = Page::of(operation)?;
    // Newest events come first, or last if it is all one page. A page that follows another begins where that one said.
    let shows_the_newest = page.token.is_empty() && (page.order == Order::NewestFirst || page.next_token.is_empty());
    if !shows_the_newest || page.is_partial {
        return None;
    }
    // A workflow task under way is shown before it is written: its events stand for none that are.
    let newest = page.events.iter().filter(|event| !is_task_under_way(event)).map(|event| event.event_id).max()?;
    Some((page.run_id, newest))
}

/// By run id: which event each commit wrote last, when that was durable for certain.
struct Durable<'a>(BTreeMap<&'a str, Vec<(i64, u64, &'a Commit)>>);

impl<'a> Durable<'a> {
    fn of(commits: &'a [Commit]) -> Durable<'a> {
        let mut durable = Durable(BTreeMap::new());
        for commit in commits.iter().filter(|commit| commit.may_be_durable()) {
            let Some(at_ns) = commit.durable_by_ns() else { continue };
            for batch in &commit.batches {
                if let Some(last) = batch.events().iter().rfind(|event| !is_task_under_way(event)) {
                    durable.0.entry(&batch.tree).or_default().push((last.event_id, at_ns, commit));
                }
            }
        }
        durable
    }
}

fn stale(durable: &Durable<'_>, operation: &Operation) -> Option<Violation> {
    let (run_id, shown) = newest_shown(operation)?;
    let written = durable.0.get(run_id.as_str())?;
    let missing = written.iter().filter(|(last, at_ns, _)| *last > shown && *at_ns < operation.invoked_ns);
    let (last, at_ns, commit) = missing.max_by_key(|(last, ..)| *last)?;
    let what = format!(
        "{} asked for run {run_id} at {} and was shown events up to {shown}, but event {last} was durable at {}",
        operation.caller,
        seconds(operation.invoked_ns),
        seconds(*at_ns)
    );
    Some(Violation::new(INVARIANT, what).because(operation.line()).because(commit.line()))
}

#[cfg(test)]
mod tests {
    use super::judge;
    use crate::check::TimelineBegan;
    use crate::check::samples::{self, RUN, SECOND_NS};
    use crate::check::{Observations, Operation, Outcome, RpcKind};
    use tempest_api::proto::history::v1::History;
    use tempest_api::proto::workflow::v1::WorkflowExecutionInfo;
    use tempest_api::proto::workflowservice::v1 as api;
    use tempest_store::Timeline;

    const STALE: &str = "client asked for run run-1 at 13.500 s and was shown events up to 13, but event 17 was \
                         durable at 10.000 s";

    /// So many of the sample's 17 events were shown to a caller at this time.
    fn look(observations: &mut Observations, at_ns: u64, shown: usize) {
        let answer = api::GetWorkflowExecutionHistoryResponse {
            history: Some(History { events: samples::events(RUN)[..shown].to_vec() }),
            ..Default::default()
        };
        let request =
            api::GetWorkflowExecutionHistoryRequest { execution: Some(samples::execution("")), ..Default::default() };
        let call = samples::called(RpcKind::GetWorkflowExecutionHistory, &request, samples::ok(&answer));
        observations.operations.push(Operation { invoked_ns: at_ns, ..call });
    }

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(judge, change, expect);
    }

    #[test]
    fn what_was_durable_is_shown() {
        check(|observations| look(observations, 13_500_000_000, 17), &[]);
        check(|observations| look(observations, 13_500_000_000, 14), &[STALE]);
    }

    #[test]
    fn a_description_counts_what_was_durable() {
        let describe = |history_length| {
            move |observations: &mut Observations| {
                let info = WorkflowExecutionInfo {
                    execution: Some(samples::execution(RUN)),
                    history_length,
                    ..Default::default()
                };
                let answer = api::DescribeWorkflowExecutionResponse {
                    workflow_execution_info: Some(info),
                    ..Default::default()
                };
                let request = api::DescribeWorkflowExecutionRequest {
                    execution: Some(samples::execution("")),
                    ..Default::default()
                };
                let call = samples::called(RpcKind::DescribeWorkflowExecution, &request, samples::ok(&answer));
                observations.operations.push(Operation { invoked_ns: 13_500_000_000, ..call });
            }
        };
        check(describe(17), &[]);
        check(describe(13), &[STALE]);
    }

    #[test]
    fn what_is_there_is_not_denied() {
        let deny = |at_ns| {
            move |observations: &mut Observations| {
                let code = tonic::Code::NotFound;
                let refused = Outcome::Failed { code, message: "workflow not found".to_owned() };
                look(observations, at_ns, 17);
                observations.operations.last_mut().expect("it was added").outcome = refused;
            }
        };
        check(deny(13_500_000_000), &["client asked for order-1 at 13.500 s and was told that there is none"]);
        check(deny(SECOND_NS / 2), &[]);
    }

    #[test]
    fn a_namespace_that_was_registered_is_not_denied() {
        let deny = |at_ns| {
            move |observations: &mut Observations| {
                let request = api::RegisterNamespaceRequest { namespace: "shop".to_owned(), ..Default::default() };
                let answer = samples::ok(&api::RegisterNamespaceResponse::default());
                let registered = samples::called(RpcKind::RegisterNamespace, &request, answer);
                let request = api::DescribeNamespaceRequest { namespace: "shop".to_owned(), ..Default::default() };
                let refused = Outcome::Failed { code: tonic::Code::NotFound, message: String::new() };
                let described = samples::called(RpcKind::DescribeNamespace, &request, refused);
                observations.operations.push(registered);
                observations.operations.push(Operation { invoked_ns: at_ns, ..described });
            }
        };
        // It was acknowledged at 101 s.
        check(deny(102 * SECOND_NS), &["client asked for namespace shop at 102.000 s and was told that there is none"]);
        check(deny(100 * SECOND_NS), &[]);
    }

    #[test]
    fn what_became_durable_while_it_was_asked_may_be_missing() {
        check(|observations| look(observations, 9 * SECOND_NS, 15), &[]);
    }

    #[test]
    fn where_something_may_be_lost_nothing_is_judged() {
        check(
            |observations| {
                let began = TimelineBegan { timeline: Timeline(1), at_ns: 0, may_lose: true };
                observations.timelines.push(began);
                look(observations, 13_500_000_000, 14);
            },
            &[],
        );
    }
}
