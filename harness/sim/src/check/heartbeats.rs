//! A part of `acked-durable`: what an activity said of its progress, and was acknowledged, is what its next attempt is given.
//!
//! Heartbeats leave no events. What they leave shows when the activity is tried again: the poll that brings the next attempt
//! brings the details of the last heartbeat, or of the failure that ended the attempt if it had any.
//!
//! The last is the one that arrives last. A duplicate between two nodes that comes after a later heartbeat would be it, as
//! in Temporal, and look like a heartbeat that was forgotten: the simulated network delivers none
//! (`tempest_api::Duplicate`).
use super::named_activity::NamedActivity;
use super::register::{Look, Write, is_set, may_stand};
use super::{Invariant, Observations, Operation, RpcKind, Violation, of_no_workflow};
use std::collections::BTreeMap;
use tempest_api::decode_activity_token;
use tempest_api::proto::common::v1::Payloads;
use tempest_api::proto::workflowservice::v1 as api;

/// By run id and scheduled event.
type Activity = (String, i64);

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let mut told: BTreeMap<Activity, Vec<Write<'_, Option<Payloads>>>> = BTreeMap::new();
    for operation in &observations.operations {
        if let Some((activity, details)) = details(observations, operation) {
            told.entry(activity).or_default().push(Write { operation, value: details });
        }
    }
    observations.operations.iter().filter_map(|operation| forgotten(&told, operation)).collect()
}

/// Which activity's progress a call tells, and what it tells.
fn details(observations: &Observations, operation: &Operation) -> Option<(Activity, Option<Payloads>)> {
    let by_token = |token: &[u8]| {
        let token = decode_activity_token(token).ok()?;
        Some((token.run_id.0, token.scheduled_event_id))
    };
    let by_id = || {
        let (run, scheduled) = NamedActivity::of(operation)?.only(observations)?;
        Some((run.key.run_id.0.clone(), scheduled))
    };
    match &operation.rpc {
        RpcKind::RecordActivityTaskHeartbeat => {
            let request: api::RecordActivityTaskHeartbeatRequest = operation.request()?;
            Some((by_token(&request.task_token)?, request.details))
        }
        RpcKind::RecordActivityTaskHeartbeatById => {
            let request: api::RecordActivityTaskHeartbeatByIdRequest = operation.request()?;
            Some((by_id()?, request.details))
        }
        // A failure without details leaves those of the last heartbeat.
        RpcKind::RespondActivityTaskFailed => {
            let request: api::RespondActivityTaskFailedRequest = operation.request()?;
            Some((by_token(&request.task_token)?, Some(request.last_heartbeat_details?)))
        }
        RpcKind::RespondActivityTaskFailedById => {
            let request: api::RespondActivityTaskFailedByIdRequest = operation.request()?;
            Some((by_id()?, Some(request.last_heartbeat_details?)))
        }
        // They end the activity: no attempt comes after them.
        RpcKind::RespondActivityTaskCanceled
        | RpcKind::RespondActivityTaskCanceledById
        | RpcKind::RespondActivityTaskCompleted
        | RpcKind::RespondActivityTaskCompletedById => None,
        // They tell nothing of an activity's progress.
        RpcKind::DescribeWorkflowExecution
        | RpcKind::GetWorkflowExecutionHistory
        | RpcKind::GetWorkflowExecutionHistoryReverse
        | RpcKind::PollActivityTaskQueue
        | RpcKind::PollWorkflowTaskQueue
        | RpcKind::ResetStickyTaskQueue
        | RpcKind::RequestCancelWorkflowExecution
        | RpcKind::RespondWorkflowTaskCompleted
        | RpcKind::RespondWorkflowTaskFailed
        | RpcKind::SignalWithStartWorkflowExecution
        | RpcKind::SignalWorkflowExecution
        | RpcKind::StartWorkflowExecution
        | RpcKind::TerminateWorkflowExecution
        | of_no_workflow!() => None,
    }
}

/// An attempt that was given other details than it should have been.
fn forgotten(told: &BTreeMap<Activity, Vec<Write<'_, Option<Payloads>>>>, operation: &Operation) -> Option<Violation> {
    if operation.rpc != RpcKind::PollActivityTaskQueue {
        return None;
    }
    let task: api::PollActivityTaskQueueResponse = operation.response()?;
    let token = decode_activity_token(&task.task_token).ok()?;
    let told = told.get(&(token.run_id.0.clone(), token.scheduled_event_id))?;
    // Between these moments the attempt was started.
    let look = Look { from_ns: operation.invoked_ns, to_ns: operation.completed_ns? };
    let may_be_given = may_stand(told, look);
    let nothing_yet = task.heartbeat_details.is_none() && !is_set(told, look);
    if nothing_yet || may_be_given.iter().any(|write| write.value == task.heartbeat_details) {
        return None;
    }
    let what = format!(
        "attempt {} of {} / {} activity {} was not given what the last heartbeat told",
        token.attempt, token.workflow_id, token.run_id, token.scheduled_event_id
    );
    let violation = Violation::new(Invariant::AckedDurable, what).because(operation.line());
    Some(may_be_given.iter().fold(violation, |violation, write| violation.because(write.operation.line())))
}

#[cfg(test)]
mod tests {
    use crate::check::samples::{self, SECOND_NS};
    use crate::check::{Observations, Operation, Outcome, RpcKind};
    use tempest_api::proto::workflowservice::v1 as api;

    fn check(operations: &[Operation], expect: &[&str]) {
        let change = |observations: &mut Observations| observations.operations.extend_from_slice(operations);
        samples::check(super::judge, change, expect);
    }

    /// After the sample's poll for the first attempt, which is at 4 s.
    fn at(from_s: u64, operation: Operation) -> Operation {
        let (invoked_ns, completed_ns) = (from_s * SECOND_NS, Some(from_s * SECOND_NS + 1));
        Operation { invoked_ns, completed_ns, ..operation }
    }

    fn heartbeat(details: &str) -> Operation {
        let request = api::RecordActivityTaskHeartbeatRequest {
            task_token: samples::activity_token(1),
            details: samples::payloads(details),
            ..Default::default()
        };
        let answer = samples::ok(&api::RecordActivityTaskHeartbeatResponse::default());
        samples::called(RpcKind::RecordActivityTaskHeartbeat, &request, answer)
    }

    fn heartbeat_by_id(details: &str) -> Operation {
        let request = api::RecordActivityTaskHeartbeatByIdRequest {
            workflow_id: samples::WORKFLOW.to_owned(),
            activity_id: "1".to_owned(),
            details: samples::payloads(details),
            ..Default::default()
        };
        let answer = samples::ok(&api::RecordActivityTaskHeartbeatByIdResponse::default());
        samples::called(RpcKind::RecordActivityTaskHeartbeatById, &request, answer)
    }

    fn second_attempt(details: Option<&str>) -> Operation {
        let task = api::PollActivityTaskQueueResponse {
            task_token: samples::activity_token(2),
            heartbeat_details: details.and_then(samples::payloads),
            ..Default::default()
        };
        let request = api::PollActivityTaskQueueRequest::default();
        samples::called(RpcKind::PollActivityTaskQueue, &request, samples::ok(&task))
    }

    const FORGOTTEN: &str = "attempt 2 of order-1 / run-1 activity 5 was not given what the last heartbeat told";

    #[test]
    fn the_next_attempt_knows_how_far_the_one_before_was() {
        for heartbeat in [heartbeat, heartbeat_by_id] {
            let told = [at(6, heartbeat("a third")), at(7, heartbeat("two thirds"))];
            let then = |details| [told[0].clone(), told[1].clone(), at(9, second_attempt(details))];
            check(&then(Some("two thirds")), &[]);
            check(&then(Some("a third")), &[FORGOTTEN]);
            check(&then(None), &[FORGOTTEN]);
        }
    }

    #[test]
    fn what_was_not_acknowledged_may_be_forgotten() {
        let unknown = Outcome::Unknown { code: tonic::Code::Unavailable, message: String::new() };
        let told = at(6, Operation { outcome: unknown, ..heartbeat("a third") });
        check(&[told.clone(), at(9, second_attempt(None))], &[]);
        check(&[told, at(9, second_attempt(Some("a third")))], &[]);
    }

    #[test]
    fn a_failure_may_tell_more_than_the_last_heartbeat() {
        let request = api::RespondActivityTaskFailedRequest {
            task_token: samples::activity_token(1),
            last_heartbeat_details: samples::payloads("two thirds"),
            ..Default::default()
        };
        let answer = samples::ok(&api::RespondActivityTaskFailedResponse::default());
        let failed = samples::called(RpcKind::RespondActivityTaskFailed, &request, answer);
        let then = |details| [at(6, heartbeat("a third")), at(7, failed.clone()), at(9, second_attempt(Some(details)))];
        check(&then("two thirds"), &[]);
        check(&then("a third"), &[FORGOTTEN]);
    }
}
