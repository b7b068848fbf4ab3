//! `reads-fresh`: no answer comes from the past.
//!
//! A whole history that was asked for, without waiting for news, shows every event that was durable before the call began:
//! whoever was superseded as owner of the shard, and has not heard of it, must not answer from memory. Temporal's own reads
//! promise less; here they are proven.
//!
//! Where a failover may have lost something, a primary of the database that was deposed and does not know may answer as
//! well: then nothing is judged.
use super::{
    Commit, Invariant, Observations, Operation, Outcome, Violation,
    durable_first::{is_task_under_way, served},
    seconds,
};
use std::collections::BTreeMap;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::RunKey;

pub const INVARIANT: Invariant =
    Invariant { name: "reads-fresh", holds_when: "a history shows every event that was durable when it was asked for" };

pub fn judge(observations: &Observations) -> Vec<Violation> {
    if observations.timelines.iter().any(|began| began.may_lose) {
        return Vec::new();
    }
    let durable = Durable::of(&observations.commits);
    let answered = observations.operations.iter().filter(|operation| operation.outcome.is_ok());
    let stale = answered.filter_map(|operation| stale(&durable, operation));
    stale
        .chain(observations.operations.iter().filter_map(|operation| denied(&observations.commits, operation)))
        .collect()
}

/// A workflow that was there when it was asked for is not said to be unknown: nothing is deleted here.
fn denied(commits: &[Commit], operation: &Operation) -> Option<Violation> {
    let Outcome::Failed { code: tonic::Code::NotFound, .. } = operation.outcome else { return None };
    if operation.rpc != "GetWorkflowExecutionHistory" {
        return None;
    }
    let request: api::GetWorkflowExecutionHistoryRequest = operation.request()?;
    let asked = request.execution?;
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
        "{} asked for the history of {} at {} and was told that there is none",
        operation.caller,
        asked.workflow_id,
        seconds(operation.invoked_ns)
    );
    Some(Violation::new(INVARIANT.name, what).because(operation.line()).because(commit.line()))
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
    if operation.rpc != "GetWorkflowExecutionHistory" {
        return None;
    }
    let request: api::GetWorkflowExecutionHistoryRequest = operation.request()?;
    let response: api::GetWorkflowExecutionHistoryResponse = operation.response()?;
    let whole = request.next_page_token.is_empty() && response.next_page_token.is_empty();
    if !whole || request.wait_new_event {
        return None;
    }
    let (run_id, mut events) = served(operation)?;
    // A workflow task under way is shown before it is written: its events stand for none that are.
    while events.last().is_some_and(is_task_under_way) {
        events.pop();
    }
    let shown = events.last()?.event_id;
    let written = durable.0.get(run_id.as_str())?;
    let missing = written.iter().filter(|(last, at_ns, _)| *last > shown && *at_ns < operation.invoked_ns);
    let (last, at_ns, commit) = missing.max_by_key(|(last, ..)| *last)?;
    let what = format!(
        "{} asked for the history of run {run_id} at {} and was shown events up to {shown}, but event {last} was durable at {}",
        operation.caller,
        seconds(operation.invoked_ns),
        seconds(*at_ns)
    );
    Some(Violation::new(INVARIANT.name, what).because(operation.line()).because(commit.line()))
}

#[cfg(test)]
mod tests {
    use super::judge;
    use crate::check::data_loss::TimelineBegan;
    use crate::check::samples::{self, RUN, SECOND_NS};
    use crate::check::{Observations, Operation, Outcome};
    use tempest_api::proto::history::v1::History;
    use tempest_api::proto::workflowservice::v1 as api;
    use tempest_store::Timeline;

    const STALE: &str = "client asked for the history of run run-1 at 13.500 s and was shown events up to 13, but event 17 was \
                         durable at 10.000 s";

    /// So many of the sample's 17 events were shown to whoever asked at this time.
    fn look(observations: &mut Observations, at_ns: u64, shown: usize) {
        let answer = api::GetWorkflowExecutionHistoryResponse {
            history: Some(History { events: samples::events(RUN)[..shown].to_vec() }),
            ..Default::default()
        };
        let request =
            api::GetWorkflowExecutionHistoryRequest { execution: Some(samples::execution("")), ..Default::default() };
        let call = samples::called("GetWorkflowExecutionHistory", &request, samples::ok(&answer));
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
    fn what_is_there_is_not_denied() {
        let deny = |at_ns| {
            move |observations: &mut Observations| {
                let code = tonic::Code::NotFound;
                let refused = Outcome::Failed { code, message: "workflow not found".to_owned() };
                look(observations, at_ns, 17);
                observations.operations.last_mut().expect("it was added").outcome = refused;
            }
        };
        check(
            deny(13_500_000_000),
            &["client asked for the history of order-1 at 13.500 s and was told that there is none"],
        );
        check(deny(SECOND_NS / 2), &[]);
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
