//! What a correct server leaves of one small run, for the tests of checkers: each breaks a single thing of it.
//!
//! An order: an activity charges, a timer of five seconds runs beside it, a signal comes in, the timer fires, the end.
//! Each batch of events is one commit, one second after the one before it.
use super::{Commit, CommitResult, Observations, Operation, Outcome, RpcKind, RunObserved, Violation};
use crate::observe::Batch;
use crate::worker::Registrations;
use prost::Message;
use std::time::Duration;
use tempest_api::encode_token;
use tempest_api::proto::common::v1::{ActivityType, Payload, Payloads, RetryPolicy, WorkflowExecution, WorkflowType};
use tempest_api::proto::history::v1 as history;
use tempest_api::proto::history::v1::{HistoryEvent, history_event::Attributes};
use tempest_api::proto::sdk::v1::WorkflowTaskCompletedMetadata;
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::{ActivityTaskToken, MutableState, RunKey, Time, WorkflowTaskToken};
use tempest_store::{CommitOutcome, RangeId, ShardId, Timeline};
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_sdk::{ActivityOptions, SyncWorkflowContext, WorkflowContext, WorkflowResult};

pub const WORKFLOW: &str = "order-1";
pub const RUN: &str = "run-1";
pub const SECOND_NS: u64 = 1_000_000_000;

/// Event ids of what tests break.
pub const ACTIVITY: i64 = 5;
pub const TIMER: i64 = 6;

/// What the SDK notes in a run's first completed task: that replays compare ids and types. Without it they do not.
const CHECKS_IDS_AND_TYPES: u32 = 1;

/// The last event of each commit.
const BATCHES: &[i64] = &[2, 3, 6, 9, 10, 11, 12, 14, 15, 17];
/// Histories begin here; virtual time begins at zero.
const EPOCH_S: i64 = 1_767_225_600;

/// Runs a checker on the sample after a change, and compares what its violations say. They are about the runs that they
/// name, whose histories are shown with them.
#[track_caller]
pub fn check(judge: fn(&Observations) -> Vec<Violation>, change: impl FnOnce(&mut Observations), expect: &[&str]) {
    let mut observations = sound();
    change(&mut observations);
    let violations = judge(&observations);
    for violation in &violations {
        let named = observations.named_in(&violation.what);
        let is_about = |run: &RunObserved| {
            violation.about.iter().any(|about| about.means(run.key.workflow_id.as_str(), run.key.run_id.as_str()))
        };
        // A violation that names a workflow may be about one of its runs.
        let must_be =
            |run: &RunObserved| violation.about.is_empty() || violation.what.contains(run.key.run_id.as_str());
        let left_out = named.filter(|run| must_be(run) && !is_about(run));
        let left_out: Vec<String> = left_out.map(RunObserved::name).collect();
        assert!(left_out.is_empty(), "{violation:?} is about {left_out:?} too");
    }
    let said: Vec<String> = violations.into_iter().map(|violation| violation.what).collect();
    assert_eq!(said, expect);
}

/// The run, its commits, and the calls that brought it about.
pub fn sound() -> Observations {
    let events = events(RUN);
    let mut observations = Observations { clients_done: true, deadline_ns: 900 * SECOND_NS, ..Observations::default() };
    let mut from = 0;
    for (sequence, to) in (1..).zip(BATCHES) {
        let to = usize::try_from(*to).expect("small");
        observations.commits.push(commit(sequence, &key(RUN), &events[from..to]));
        from = to;
    }
    add(&mut observations, run(RUN, events));
    observations.operations = operations();
    observations
}

pub fn add(observations: &mut Observations, run: RunObserved) {
    observations.runs.insert(run.key.run_id.0.clone(), run);
}

/// Edits the history of the sample, as stored and as served.
pub fn rewrite(observations: &mut Observations, edit: impl FnOnce(&mut Vec<HistoryEvent>)) {
    let run = observations.runs.get_mut(RUN).expect("the sample has it");
    edit(&mut run.stored);
    run.served = run.stored.clone();
}

/// Puts an event in place of the one that has its id, at that one's time.
pub fn replace(observations: &mut Observations, id: i64, attributes: impl Into<Attributes>) {
    let attributes = attributes.into();
    rewrite(observations, |events| {
        let at = usize::try_from(id - 1).expect("ids begin with 1");
        events[at].event_type = attributes.event_type().into();
        events[at].attributes = Some(attributes);
    });
}

/// Changes one event's attributes of a known kind.
macro_rules! alter {
    ($observations:expr, $id:expr, $kind:ident, |$attributes:ident| $change:expr) => {
        $crate::check::samples::rewrite($observations, |events| {
            let event = events.iter_mut().find(|event| event.event_id == $id).expect("the sample has it");
            let Some(tempest_api::proto::history::v1::history_event::Attributes::$kind($attributes)) =
                &mut event.attributes
            else {
                panic!("event {} is of another kind", $id)
            };
            $change;
        })
    };
}
pub(super) use alter;

pub fn key(run_id: &str) -> RunKey {
    RunKey { namespace_id: "default".into(), workflow_id: WORKFLOW.into(), run_id: run_id.into() }
}

pub fn run(run_id: &str, events: Vec<HistoryEvent>) -> RunObserved {
    let state = MutableState::rebuild(key(run_id), &events).ok();
    RunObserved { key: key(run_id), served: events.clone(), stored: events, state, is_current: true }
}

pub fn commit(sequence: u64, key: &RunKey, events: &[HistoryEvent]) -> Commit {
    let run_id = key.run_id.0.clone();
    let bytes = history::History { events: events.to_vec() }.encode_to_vec();
    let batch = Batch { tree: run_id.clone(), branch: run_id, node: events[0].event_id, events: bytes.into() };
    Commit {
        at_ns: sequence * SECOND_NS,
        ended_ns: Some(sequence * SECOND_NS),
        durable_ns: None,
        server: "server".to_owned(),
        incarnation: 0,
        shard: ShardId(1),
        range_id: RangeId(1),
        sequence,
        known: Timeline(0),
        shard_time_ns: super::events::time_ns(&events[0]),
        keys: vec![key.clone()],
        states: Vec::new(),
        batches: vec![batch],
        tasks: Vec::new(),
        tasks_deleted: Vec::new(),
        heard_ns: Some(sequence * SECOND_NS),
        result: CommitResult::Ended(CommitOutcome::Committed),
        found_on: Vec::new(),
        missing_on: Vec::new(),
    }
}

/// The same history under any run id.
pub fn events(run_id: &str) -> Vec<HistoryEvent> {
    let attributes: Vec<Attributes> = vec![
        started(run_id).into(),
        scheduled_workflow_task().into(),
        history::WorkflowTaskStartedEventAttributes { scheduled_event_id: 2, ..Default::default() }.into(),
        history::WorkflowTaskCompletedEventAttributes {
            scheduled_event_id: 2,
            started_event_id: 3,
            sdk_metadata: Some(WorkflowTaskCompletedMetadata {
                core_used_flags: vec![CHECKS_IDS_AND_TYPES],
                ..Default::default()
            }),
            ..Default::default()
        }
        .into(),
        scheduled_activity().into(),
        history::TimerStartedEventAttributes {
            timer_id: "1".to_owned(),
            start_to_fire_timeout: Some(prost_wkt_types::Duration { seconds: 5, nanos: 0 }),
            workflow_task_completed_event_id: 4,
        }
        .into(),
        history::ActivityTaskStartedEventAttributes { scheduled_event_id: ACTIVITY, attempt: 1, ..Default::default() }
            .into(),
        history::ActivityTaskCompletedEventAttributes {
            scheduled_event_id: ACTIVITY,
            started_event_id: 7,
            result: payloads("charged"),
            ..Default::default()
        }
        .into(),
        scheduled_workflow_task().into(),
        signaled("signal-1").into(),
        history::WorkflowTaskStartedEventAttributes { scheduled_event_id: 9, ..Default::default() }.into(),
        history::WorkflowTaskCompletedEventAttributes {
            scheduled_event_id: 9,
            started_event_id: 11,
            ..Default::default()
        }
        .into(),
        history::TimerFiredEventAttributes { timer_id: "1".to_owned(), started_event_id: TIMER }.into(),
        scheduled_workflow_task().into(),
        history::WorkflowTaskStartedEventAttributes { scheduled_event_id: 14, ..Default::default() }.into(),
        history::WorkflowTaskCompletedEventAttributes {
            scheduled_event_id: 14,
            started_event_id: 15,
            ..Default::default()
        }
        .into(),
        completed(16).into(),
    ];
    (1..).zip(attributes).map(|(id, attributes)| event(id, attributes)).collect()
}

/// Its time is that of its commit.
pub fn event(id: i64, attributes: impl Into<Attributes>) -> HistoryEvent {
    let attributes = attributes.into();
    let batch = BATCHES.iter().position(|last| id <= *last).unwrap_or(BATCHES.len());
    let seconds = EPOCH_S + i64::try_from(batch).expect("small");
    HistoryEvent {
        event_id: id,
        event_time: Some(prost_wkt_types::Timestamp { seconds, nanos: 0 }),
        event_type: attributes.event_type().into(),
        attributes: Some(attributes),
        ..Default::default()
    }
}

pub fn started(run_id: &str) -> history::WorkflowExecutionStartedEventAttributes {
    history::WorkflowExecutionStartedEventAttributes {
        workflow_type: Some(WorkflowType { name: "Order".to_owned() }),
        task_queue: Some(TaskQueue { name: "orders".to_owned(), ..Default::default() }),
        input: payloads("a book"),
        original_execution_run_id: run_id.to_owned(),
        first_execution_run_id: run_id.to_owned(),
        ..Default::default()
    }
}

pub fn scheduled_workflow_task() -> history::WorkflowTaskScheduledEventAttributes {
    history::WorkflowTaskScheduledEventAttributes {
        task_queue: Some(TaskQueue { name: "orders".to_owned(), ..Default::default() }),
        start_to_close_timeout: Some(prost_wkt_types::Duration { seconds: 10, nanos: 0 }),
        attempt: 1,
    }
}

pub fn scheduled_activity() -> history::ActivityTaskScheduledEventAttributes {
    let seconds = |seconds| Some(prost_wkt_types::Duration { seconds, nanos: 0 });
    history::ActivityTaskScheduledEventAttributes {
        activity_id: "1".to_owned(),
        activity_type: Some(ActivityType { name: "charge".to_owned() }),
        schedule_to_start_timeout: seconds(2),
        start_to_close_timeout: seconds(2),
        heartbeat_timeout: seconds(2),
        retry_policy: Some(RetryPolicy { maximum_attempts: 3, ..Default::default() }),
        workflow_task_completed_event_id: 4,
        ..Default::default()
    }
}

pub fn signaled(request_id: &str) -> history::WorkflowExecutionSignaledEventAttributes {
    history::WorkflowExecutionSignaledEventAttributes {
        signal_name: "amend".to_owned(),
        input: payloads("as a gift"),
        request_id: request_id.to_owned(),
        ..Default::default()
    }
}

pub fn completed(workflow_task: i64) -> history::WorkflowExecutionCompletedEventAttributes {
    history::WorkflowExecutionCompletedEventAttributes {
        workflow_task_completed_event_id: workflow_task,
        ..Default::default()
    }
}

pub fn payloads(text: &str) -> Option<Payloads> {
    let metadata = [("encoding".to_owned(), b"json/plain".to_vec())].into();
    let data = serde_json::to_vec(text).expect("text is JSON");
    Some(Payloads { payloads: vec![Payload { metadata, data, ..Default::default() }] })
}

/// The calls of the client and the worker, in order, one a second; all acknowledged.
fn operations() -> Vec<Operation> {
    let workflow_type = Some(WorkflowType { name: "Order".to_owned() });
    let calls = vec![
        called(
            RpcKind::StartWorkflowExecution,
            &api::StartWorkflowExecutionRequest {
                workflow_id: WORKFLOW.to_owned(),
                workflow_type,
                input: payloads("a book"),
                request_id: "start-1".to_owned(),
                ..Default::default()
            },
            ok(&api::StartWorkflowExecutionResponse { run_id: RUN.to_owned(), started: true, ..Default::default() }),
        ),
        called(
            RpcKind::PollWorkflowTaskQueue,
            &api::PollWorkflowTaskQueueRequest::default(),
            ok(&api::PollWorkflowTaskQueueResponse {
                task_token: workflow_token(2, 1),
                workflow_execution: Some(execution(RUN)),
                attempt: 1,
                history: Some(history::History { events: events(RUN)[..3].to_vec() }),
                ..Default::default()
            }),
        ),
        called(
            RpcKind::RespondWorkflowTaskCompleted,
            &api::RespondWorkflowTaskCompletedRequest { task_token: workflow_token(2, 1), ..Default::default() },
            ok(&api::RespondWorkflowTaskCompletedResponse::default()),
        ),
        called(
            RpcKind::PollActivityTaskQueue,
            &api::PollActivityTaskQueueRequest::default(),
            ok(&api::PollActivityTaskQueueResponse { task_token: activity_token(1), ..Default::default() }),
        ),
        activity_completed(1, "charged"),
        signal("signal-1"),
        called(
            RpcKind::GetWorkflowExecutionHistory,
            &api::GetWorkflowExecutionHistoryRequest { execution: Some(execution(RUN)), ..Default::default() },
            ok(&api::GetWorkflowExecutionHistoryResponse {
                history: Some(history::History { events: events(RUN) }),
                ..Default::default()
            }),
        ),
    ];
    let at = |(id, operation): (u64, Operation)| {
        // Who reads the history comes when everything is over.
        let invoked_ns = if operation.rpc == RpcKind::GetWorkflowExecutionHistory { 20 } else { id } * SECOND_NS;
        Operation { id, invoked_ns, completed_ns: Some(invoked_ns + SECOND_NS / 2), ..operation }
    };
    (1..).zip(calls).map(at).collect()
}

/// A call of the client after all others.
pub fn called(rpc: RpcKind, request: &impl Message, outcome: Outcome) -> Operation {
    Operation {
        id: 100,
        caller: "client".to_owned(),
        rpc,
        invoked_ns: 100 * SECOND_NS,
        completed_ns: Some(101 * SECOND_NS),
        request: request.encode_to_vec().into(),
        duplicated: false,
        outcome,
    }
}

pub fn signal(request_id: &str) -> Operation {
    let request = api::SignalWorkflowExecutionRequest {
        workflow_execution: Some(execution("")),
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    called(RpcKind::SignalWorkflowExecution, &request, ok(&api::SignalWorkflowExecutionResponse::default()))
}

pub fn activity_completed(attempt: i32, result: &str) -> Operation {
    let request = api::RespondActivityTaskCompletedRequest {
        task_token: activity_token(attempt),
        result: payloads(result),
        ..Default::default()
    };
    called(RpcKind::RespondActivityTaskCompleted, &request, ok(&api::RespondActivityTaskCompletedResponse::default()))
}

/// By the id of the sample's activity, from outside.
pub fn activity_completed_by_id(result: &str) -> Operation {
    let request = api::RespondActivityTaskCompletedByIdRequest {
        workflow_id: WORKFLOW.to_owned(),
        activity_id: "1".to_owned(),
        result: payloads(result),
        identity: "clerk".to_owned(),
        ..Default::default()
    };
    called(
        RpcKind::RespondActivityTaskCompletedById,
        &request,
        ok(&api::RespondActivityTaskCompletedByIdResponse::default()),
    )
}

pub fn ok(response: &impl Message) -> Outcome {
    Outcome::Ok(response.encode_to_vec().into())
}

pub fn execution(run_id: &str) -> WorkflowExecution {
    WorkflowExecution { workflow_id: WORKFLOW.to_owned(), run_id: run_id.to_owned() }
}

pub fn workflow_token(scheduled_event_id: i64, attempt: i32) -> Vec<u8> {
    let RunKey { namespace_id, workflow_id, run_id } = key(RUN);
    encode_token(&WorkflowTaskToken {
        namespace_id,
        workflow_id,
        run_id,
        scheduled_event_id,
        started_event_id: scheduled_event_id + 1,
        started_time: Time::ZERO,
        attempt,
    })
}

/// A token of the sample's activity.
pub fn activity_token(attempt: i32) -> Vec<u8> {
    let RunKey { namespace_id, workflow_id, run_id } = key(RUN);
    let (scheduled_event_id, started_time) = (ACTIVITY, Time::ZERO);
    encode_token(&ActivityTaskToken { namespace_id, workflow_id, run_id, scheduled_event_id, attempt, started_time })
}

/// What the sample's history is of.
pub fn registrations() -> Registrations {
    Registrations::new().workflow::<Order>().activities(Charges)
}

#[workflow]
#[derive(Default)]
pub struct Order;

#[workflow_methods]
impl Order {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, item: String) -> WorkflowResult<()> {
        let options = ActivityOptions::start_to_close_timeout(Duration::from_secs(2));
        let charged = ctx.execute_activity(Charges::charge, item, options);
        let cooled_off = ctx.timer(Duration::from_secs(5));
        charged.await?;
        cooled_off.await;
        Ok(())
    }

    #[signal]
    pub fn amend(&mut self, _ctx: &mut SyncWorkflowContext<Self>, _note: String) {}
}

pub struct Charges;

#[activities]
impl Charges {
    #[activity(name = "charge")]
    pub async fn charge(_ctx: ActivityContext, item: String) -> Result<String, ActivityError> {
        Ok(item)
    }
}
