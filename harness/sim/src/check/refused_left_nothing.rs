//! `refused-left-nothing`: a caller that was told that something was certainly not done finds no trace of it.
//!
//! It is the counterpart of `acked-durable`. A caller that is refused goes on as if nothing had happened: it charges again,
//! compensates, reports a failure. A server that says "refused" where it does not know blurs unknown into failed.
//!
//! | asked by | its trace |
//! |---|---|
//! | StartWorkflowExecution, SignalWithStartWorkflowExecution | a run that remembers that request id as its start |
//! | SignalWorkflowExecution, SignalWithStartWorkflowExecution | the signal with that request id |
//! | RespondWorkflowTaskCompleted | the completion of the task that the token names |
//! | RespondActivityTaskCompleted, -Failed, -Canceled | that end of the attempt that the token names, by the same caller |
//! | RespondActivityTaskCompletedById, -FailedById, -CanceledById | that end of an activity of that id, by the same caller |
//!
//! A call that the network delivers twice is not judged. What its duplicate does, the call itself may find done, and be
//! refused:
//!
//! 1. A worker completes an activity at server-1, which passes the call on to server-2, the owner of the shard.
//! 2. The call arrives there twice. Its duplicate is first, and completes the activity.
//! 3. The call itself finds no such activity pending: NotFound, which server-1 tells the worker.
use super::named_activity::{self, NamedActivity};
use super::{Invariant, Observations, Operation, Outcome, RpcKind, RunObserved, Violation, events};
use std::collections::BTreeMap;
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{decode_activity_token, decode_workflow_token};

pub const INVARIANT: Invariant = Invariant::RefusedLeftNothing;
pub const HOLDS_WHEN: &str = "a start, a signal, a completed workflow task or the end of an activity that was refused \
                              with certainty each time that it was asked for is nowhere";

/// What a caller asks for, and a run or its history shows.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    Start {
        workflow_id: String,
        request_id: String,
    },
    Signal {
        workflow_id: String,
        request_id: String,
    },
    CompleteWorkflowTask {
        run_id: String,
        started_event_id: i64,
    },
    EndActivity {
        run_id: String,
        scheduled_event_id: i64,
        attempt: i32,
        how: How,
        /// Another may have ended the same attempt, by its activity's id.
        identity: String,
    },
    /// By a caller of that name, whichever attempt there was.
    EndNamedActivity {
        workflow_id: String,
        activity_id: String,
        how: How,
        identity: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Completed,
    Failed,
    Canceled,
}

pub fn judge(observations: &Observations) -> Vec<Violation> {
    let refused = refused_each_time(observations);
    let mut violations = Vec::new();
    let mut found = |asked: Vec<Effect>, what: &dyn Fn() -> String| {
        let Some(operations) = asked.iter().find_map(|effect| refused.get(effect)) else { return };
        let violation = Violation::new(INVARIANT, format!("{} was refused each time, but is there", what()));
        violations.push(operations.iter().fold(violation, |violation, operation| violation.because(operation.line())));
    };
    for run in observations.runs.values() {
        found(started(run).into_iter().collect(), &|| run.name());
        for event in &run.stored {
            found(shown(run, event), &|| format!("{}: {}", run.name(), events::line(event)));
        }
    }
    violations
}

/// How many calls were refused that are judged.
pub fn refused_calls(observations: &Observations) -> usize {
    let is_refused = |operation: &&Operation| matches!(operation.outcome, Outcome::Failed { .. });
    observations
        .operations
        .iter()
        .filter(is_refused)
        .filter(|operation| !asked_for(observations, operation).is_empty())
        .count()
}

fn refused_each_time(observations: &Observations) -> BTreeMap<Effect, Vec<&Operation>> {
    let mut asked: BTreeMap<Effect, Vec<&Operation>> = BTreeMap::new();
    for operation in &observations.operations {
        for effect in asked_for(observations, operation) {
            asked.entry(effect).or_default().push(operation);
        }
    }
    let is_certain = |operation: &&Operation| {
        matches!(operation.outcome, Outcome::Failed { .. }) && !observations.may_have_come_twice(operation)
    };
    asked.retain(|_, operations| operations.iter().all(is_certain));
    asked
}

fn asked_for(observations: &Observations, operation: &Operation) -> Vec<Effect> {
    let ended = |token: &[u8], identity: String, how| end_of_activity(observations, token, identity, how);
    let asked = match &operation.rpc {
        RpcKind::StartWorkflowExecution => operation.request().map(|asked: api::StartWorkflowExecutionRequest| {
            vec![Effect::Start { workflow_id: asked.workflow_id, request_id: asked.request_id }]
        }),
        RpcKind::SignalWorkflowExecution => operation.request().map(|asked: api::SignalWorkflowExecutionRequest| {
            let workflow_id = asked.workflow_execution.unwrap_or_default().workflow_id;
            vec![Effect::Signal { workflow_id, request_id: asked.request_id }]
        }),
        RpcKind::SignalWithStartWorkflowExecution => operation.request().map(start_and_signal),
        RpcKind::RespondWorkflowTaskCompleted => operation.request().map(completion_of_task),
        RpcKind::RespondActivityTaskCompleted => {
            operation.request().map(|asked: api::RespondActivityTaskCompletedRequest| {
                ended(&asked.task_token, asked.identity, How::Completed)
            })
        }
        RpcKind::RespondActivityTaskFailed => operation
            .request()
            .map(|asked: api::RespondActivityTaskFailedRequest| ended(&asked.task_token, asked.identity, How::Failed)),
        RpcKind::RespondActivityTaskCanceled => {
            operation.request().map(|asked: api::RespondActivityTaskCanceledRequest| {
                ended(&asked.task_token, asked.identity, How::Canceled)
            })
        }
        RpcKind::RespondActivityTaskCompletedById
        | RpcKind::RespondActivityTaskFailedById
        | RpcKind::RespondActivityTaskCanceledById => end_of_named(operation),
        // Not judged because what they leave does not say which call it is of.
        RpcKind::RegisterNamespace
        | RpcKind::RequestCancelWorkflowExecution
        | RpcKind::RespondWorkflowTaskFailed
        | RpcKind::TerminateWorkflowExecution
        | RpcKind::UpdateNamespace => None,
        // Not judged because they leave nothing that a run or its history shows.
        RpcKind::PollActivityTaskQueue
        | RpcKind::PollWorkflowTaskQueue
        | RpcKind::RecordActivityTaskHeartbeat
        | RpcKind::RecordActivityTaskHeartbeatById
        | RpcKind::RecordWorkerHeartbeat
        | RpcKind::ResetStickyTaskQueue
        | RpcKind::ShutdownWorker => None,
        // Not judged because they only read.
        RpcKind::DescribeNamespace
        | RpcKind::DescribeTaskQueue
        | RpcKind::DescribeWorkflowExecution
        | RpcKind::GetClusterInfo
        | RpcKind::GetSystemInfo
        | RpcKind::GetWorkflowExecutionHistory
        | RpcKind::GetWorkflowExecutionHistoryReverse
        | RpcKind::ListNamespaces => None,
        // Not judged because it was not done.
        RpcKind::NotServed(_) => None,
    };
    asked.unwrap_or_default()
}

/// Two things are asked for at once: the end of that attempt, and of an activity with its id by that caller.
fn end_of_activity(observations: &Observations, token: &[u8], identity: String, how: How) -> Vec<Effect> {
    let Ok(token) = decode_activity_token(token) else { return Vec::new() };
    let (scheduled_event_id, attempt) = (token.scheduled_event_id, token.attempt);
    let named = observations.run(token.run_id.as_str()).and_then(|run| {
        let activity_id = named_activity::activity_id(run, scheduled_event_id)?.to_owned();
        let (workflow_id, identity) = (token.workflow_id.0, identity.clone());
        Some(Effect::EndNamedActivity { workflow_id, activity_id, how, identity })
    });
    let this_attempt = Effect::EndActivity { run_id: token.run_id.0, scheduled_event_id, attempt, how, identity };
    std::iter::once(this_attempt).chain(named).collect()
}

fn end_of_named(operation: &Operation) -> Option<Vec<Effect>> {
    let (how, identity) = if operation.rpc == RpcKind::RespondActivityTaskCompletedById {
        (How::Completed, operation.request::<api::RespondActivityTaskCompletedByIdRequest>()?.identity)
    } else if operation.rpc == RpcKind::RespondActivityTaskFailedById {
        (How::Failed, operation.request::<api::RespondActivityTaskFailedByIdRequest>()?.identity)
    } else {
        (How::Canceled, operation.request::<api::RespondActivityTaskCanceledByIdRequest>()?.identity)
    };
    let NamedActivity { execution, activity_id } = NamedActivity::of(operation)?;
    Some(vec![Effect::EndNamedActivity { workflow_id: execution.workflow_id, activity_id, how, identity }])
}

fn start_and_signal(asked: api::SignalWithStartWorkflowExecutionRequest) -> Vec<Effect> {
    let (workflow_id, request_id) = (asked.workflow_id, asked.request_id);
    let signal = Effect::Signal { workflow_id: workflow_id.clone(), request_id: request_id.clone() };
    vec![signal, Effect::Start { workflow_id, request_id }]
}

fn completion_of_task(asked: api::RespondWorkflowTaskCompletedRequest) -> Vec<Effect> {
    let Ok(token) = decode_workflow_token(&asked.task_token) else { return Vec::new() };
    vec![Effect::CompleteWorkflowTask { run_id: token.run_id.0, started_event_id: token.started_event_id }]
}

fn started(run: &RunObserved) -> Option<Effect> {
    let request_id = run.state.as_ref()?.auxiliary().start_request_id.clone();
    Some(Effect::Start { workflow_id: run.key.workflow_id.0.clone(), request_id })
}

/// What an event is the trace of.
fn shown(run: &RunObserved, event: &HistoryEvent) -> Vec<Effect> {
    let run_id = || run.key.run_id.0.clone();
    let workflow_id = || run.key.workflow_id.0.clone();
    let end = |scheduled_event_id, started_event_id, identity: &str, how| {
        let started = run.event(started_event_id).and_then(|event| event.attributes.as_ref());
        let this_attempt = match started {
            Some(Attributes::ActivityTaskStartedEventAttributes(started)) => {
                let (attempt, identity) = (started.attempt, identity.to_owned());
                Some(Effect::EndActivity { run_id: run_id(), scheduled_event_id, attempt, how, identity })
            }
            _ => None,
        };
        let named = named_activity::activity_id(run, scheduled_event_id).map(|activity_id| Effect::EndNamedActivity {
            workflow_id: workflow_id(),
            activity_id: activity_id.to_owned(),
            how,
            identity: identity.to_owned(),
        });
        this_attempt.into_iter().chain(named).collect()
    };
    match &event.attributes {
        // A signal of another workflow is that workflow's business.
        Some(Attributes::WorkflowExecutionSignaledEventAttributes(a)) if a.external_workflow_execution.is_none() => {
            vec![Effect::Signal { workflow_id: workflow_id(), request_id: a.request_id.clone() }]
        }
        Some(Attributes::WorkflowTaskCompletedEventAttributes(a)) => {
            vec![Effect::CompleteWorkflowTask { run_id: run_id(), started_event_id: a.started_event_id }]
        }
        Some(Attributes::ActivityTaskCompletedEventAttributes(a)) => {
            end(a.scheduled_event_id, a.started_event_id, &a.identity, How::Completed)
        }
        Some(Attributes::ActivityTaskFailedEventAttributes(a)) => {
            end(a.scheduled_event_id, a.started_event_id, &a.identity, How::Failed)
        }
        Some(Attributes::ActivityTaskCanceledEventAttributes(a)) => {
            end(a.scheduled_event_id, a.started_event_id, &a.identity, How::Canceled)
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::check::samples;
    use crate::check::{Observations, Operation, Outcome, RpcKind};
    use crate::observe::DuplicatedCall;

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
        stored["auxiliary"]["start_request_id"] = request_id.into();
        *state = serde_json::from_value(stored).expect("it is read as such");
    }

    /// All calls of this RPC ended so.
    fn all(rpc: RpcKind, change: impl Fn(&mut Operation)) -> impl FnOnce(&mut Observations) {
        move |observations| observations.operations.iter_mut().filter(|call| call.rpc == rpc).for_each(change)
    }

    #[test]
    fn what_was_refused_is_not_there() {
        check(|_| {}, &[]);
        let refuse = |rpc| all(rpc, |call| call.outcome = refused());
        check(refuse(RpcKind::SignalWorkflowExecution), &[SIGNAL]);
        let completed = "order-1 / run-1: event 4 WORKFLOW_TASK_COMPLETED was refused each time, but is there";
        check(refuse(RpcKind::RespondWorkflowTaskCompleted), &[completed]);
        check(
            |observations| {
                started_by(observations, "start-1");
                all(RpcKind::StartWorkflowExecution, |call| call.outcome = refused())(observations);
            },
            &["order-1 / run-1 was refused each time, but is there"],
        );
        let ended = "order-1 / run-1: event 8 ACTIVITY_TASK_COMPLETED was refused each time, but is there";
        check(refuse(RpcKind::RespondActivityTaskCompleted), &[ended]);
    }

    #[test]
    fn what_one_of_its_tries_may_have_done_may_be_there() {
        let and_again = |outcome: Outcome| {
            move |observations: &mut Observations| {
                all(RpcKind::SignalWorkflowExecution, |call| call.outcome = refused())(observations);
                observations.operations.push(Operation { outcome, ..samples::signal("signal-1") });
            }
        };
        check(and_again(samples::signal("signal-1").outcome), &[]);
        check(and_again(Outcome::Pending), &[]);
        check(and_again(Outcome::Unknown { code: tonic::Code::Unavailable, message: String::new() }), &[]);
        check(and_again(refused()), &[SIGNAL]);
    }

    #[test]
    fn what_arrived_as_a_late_duplicate_may_be_there() {
        let duplicated = |call: &mut Operation| {
            call.outcome = refused();
            call.duplicated = true;
        };
        check(all(RpcKind::RespondActivityTaskCompleted, duplicated), &[]);
    }

    /// A call between servers about this workflow, that went out twice in this second.
    fn between_servers(workflow_id: &str, second: u64) -> DuplicatedCall {
        let call = rmp_serde::to_vec(&("default", workflow_id)).expect("it is plain data").into();
        DuplicatedCall { at_ns: second * samples::SECOND_NS, call }
    }

    #[test]
    fn what_a_server_passed_on_twice_may_be_there() {
        let refused_while = |duplicate: DuplicatedCall| {
            move |observations: &mut Observations| {
                let lasts = |call: &mut Operation| {
                    call.outcome = refused();
                    (call.invoked_ns, call.completed_ns) = (5 * samples::SECOND_NS, Some(7 * samples::SECOND_NS));
                };
                all(RpcKind::SignalWorkflowExecution, lasts)(observations);
                observations.duplicates.push(duplicate);
            }
        };
        check(refused_while(between_servers(samples::WORKFLOW, 6)), &[]);
        check(refused_while(between_servers("order-10", 6)), &[SIGNAL]);
        check(refused_while(between_servers(samples::WORKFLOW, 4)), &[SIGNAL]);
        check(refused_while(between_servers(samples::WORKFLOW, 8)), &[SIGNAL]);
    }

    #[test]
    fn another_attempt_may_have_ended_the_activity() {
        let late = |observations: &mut Observations| {
            observations.operations.push(Operation { outcome: refused(), ..samples::activity_completed(2, "charged") });
        };
        check(late, &[]);
    }

    #[test]
    fn what_a_clerk_was_refused_is_there_by_somebody_else_alone() {
        let refused_clerk = Operation { outcome: refused(), ..samples::activity_completed_by_id("charged") };
        let ended_by = |identity: &'static str| {
            let call = refused_clerk.clone();
            move |observations: &mut Observations| {
                samples::alter!(observations, 8, ActivityTaskCompletedEventAttributes, |a| a.identity =
                    identity.into());
                observations.operations.push(call);
            }
        };
        let there = "order-1 / run-1: event 8 ACTIVITY_TASK_COMPLETED was refused each time, but is there";
        check(ended_by("worker"), &[]);
        check(ended_by("clerk"), &[there]);
    }
}
