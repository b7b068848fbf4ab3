//! Runs whose pending things have rows of their own, and payloads that are in no state.
use crate::store::Fault;
use crate::world::*;
use tempest_api::HistoryService;
use tempest_api::proto::command::v1::command::Attributes as Command;
use tempest_api::proto::command::v1::{
    FailWorkflowExecutionCommandAttributes, SignalExternalWorkflowExecutionCommandAttributes,
    StartChildWorkflowExecutionCommandAttributes,
};
use tempest_api::proto::common::v1::{Payload, Payloads, RetryPolicy, WorkflowType};
use tempest_api::proto::enums::v1::EventType;
use tempest_api::proto::history::v1::history_event::Attributes;
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::{ActivityRef, Input, RecordActivityTaskStarted};

fn payloads(text: &str) -> Option<Payloads> {
    let payload = Payload { data: text.as_bytes().to_vec(), ..Payload::default() };
    Some(Payloads { payloads: vec![payload] })
}

fn activity_with(id: &str, input: &str) -> Command {
    let Command::ScheduleActivityTaskCommandAttributes(mut attributes) = activity(id) else { unreachable!() };
    attributes.input = payloads(input);
    Command::ScheduleActivityTaskCommandAttributes(attributes)
}

/// A run that waits for so many activities, each with its number as input.
async fn waits_for(world: &World, activities: usize) {
    world.start("order").await.unwrap();
    let task = world.poll().await;
    let commands = (0..activities).map(|number| activity_with(&format!("charge-{number}"), &number.to_string()));
    world.complete(&task, commands.collect()).await.unwrap();
}

async fn poll_activity(world: &World) -> Box<api::PollActivityTaskQueueResponse> {
    let task = world.matching.activity_task().await;
    let start = RecordActivityTaskStarted {
        scheduled_event_id: task.scheduled_event_id,
        attempt: task.attempt,
        request_id: format!("poll-{}", task.scheduled_event_id),
        identity: "worker".into(),
    };
    world.asked().record_activity_task_started(&task.run, start).await.unwrap()
}

async fn beat(history: &dyn HistoryService, task: &api::PollActivityTaskQueueResponse) {
    let token = tempest_api::decode_activity_token(&task.task_token).unwrap();
    let request = api::RecordActivityTaskHeartbeatRequest { details: payloads("half"), ..Default::default() };
    let input = Input::HeartbeatActivity(ActivityRef::Token(token), Box::new(request));
    history.call(target("order"), input).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn each_activity_starts_with_its_own_input() {
    for kept in [1, 16 << 20] {
        let world = World::with(|config| config.recent_events_bytes_max = kept);
        waits_for(&world, 30).await;
        for number in 0..30 {
            let task = poll_activity(&world).await;
            assert_eq!(task.activity_id, format!("charge-{number}"));
            assert_eq!(task.input, payloads(&number.to_string()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_owner_reads_inputs_from_the_history_and_parts_from_their_rows() {
    let mut world = World::new();
    waits_for(&world, 100).await;
    let first = poll_activity(&world).await;
    beat(&*world.history, &first).await;
    let described = world.describe("order").await.unwrap();
    assert_eq!(described.pending_activities.len(), 100);
    assert_eq!(described.pending_activities[0].heartbeat_details, payloads("half"));
    world.restart();
    assert_eq!(world.describe("order").await.unwrap(), described);
    let second = poll_activity(&world).await;
    assert_eq!((second.activity_id.as_str(), second.input), ("charge-1", payloads("1")));
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_writes_its_own_activity_and_no_other() {
    let written = async |activities| {
        let world = World::new();
        waits_for(&world, activities).await;
        let task = poll_activity(&world).await;
        beat(&*world.history, &task).await;
        let commits = world.store.applied();
        commits.iter().rev().find_map(|commit| commit.runs.first()).unwrap().bytes()
    };
    let (few, many) = (written(1).await, written(1000).await);
    assert!(many * 2 <= few * 3, "with 1,000 activities a heartbeat writes {many} bytes, with one {few}");
}

/// A signal that comes while a worker decides.
async fn signal_with(world: &World, name: &str, input: &str) {
    let request = api::SignalWorkflowExecutionRequest {
        workflow_execution: Some(execution("order")),
        signal_name: name.into(),
        request_id: name.into(),
        input: payloads(input),
        ..Default::default()
    };
    signal(&*world.history, request).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_event_that_waits_is_written_once_until_it_is_in_the_history() {
    let mut world = World::new();
    world.start("order").await.unwrap();
    let task = world.poll().await;
    let large = "a book ".repeat(10_000);
    signal_with(&world, "first", &large).await;
    for number in 1..80 {
        signal_with(&world, &format!("signal-{number}"), "more").await;
        let written = world.store.applied().last().unwrap().runs[0].bytes();
        assert!(written < 8192, "signal {number} writes {written} bytes");
    }
    world.restart();
    world.complete(&task, vec![]).await.unwrap();
    let events = world.events("order").await.into_iter();
    let signals = events.filter_map(|event| match event.attributes {
        Some(Attributes::WorkflowExecutionSignaledEventAttributes(signaled)) => Some(signaled),
        _ => None,
    });
    for (number, signaled) in signals.enumerate() {
        let expected = match number {
            0 => ("first".to_owned(), payloads(&large)),
            _ => (format!("signal-{number}"), payloads("more")),
        };
        assert_eq!((signaled.signal_name, signaled.input), expected);
    }
    assert_eq!(world.count("order", EventType::WorkflowExecutionSignaled).await, 80);
    world.restart();
    world.describe("order").await.expect("no row of an event is left, or the run could not be read");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_read_delays_a_start() {
    let world = World::with(|config| config.recent_events_bytes_max = 1);
    waits_for(&world, 2).await;
    let task = world.matching.activity_task().await;
    let start = RecordActivityTaskStarted {
        scheduled_event_id: task.scheduled_event_id,
        attempt: 1,
        request_id: "poll".into(),
        identity: "worker".into(),
    };
    world.store.fail_history_reads(1);
    let refused = world.asked().record_activity_task_started(&task.run, start.clone()).await.unwrap_err();
    assert!(refused.is_retryable(), "{refused}");
    let started = world.asked().record_activity_task_started(&task.run, start).await.unwrap();
    assert_eq!(started.input, payloads("0"));
}

#[tokio::test(start_paused = true)]
async fn the_next_attempt_of_a_workflow_begins_with_the_input_of_the_first() {
    for kept in [1, 16 << 20] {
        let world = World::with(|config| config.recent_events_bytes_max = kept);
        let request = api::StartWorkflowExecutionRequest {
            workflow_id: "order".into(),
            workflow_type: Some(WorkflowType { name: "Order".into() }),
            task_queue: Some(TaskQueue { name: "orders".into(), ..TaskQueue::default() }),
            request_id: "start".into(),
            input: payloads("two books"),
            retry_policy: Some(RetryPolicy {
                initial_interval: Some(SECOND.try_into().unwrap()),
                maximum_attempts: 2,
                backoff_coefficient: 1.0,
                ..Default::default()
            }),
            ..Default::default()
        };
        start(&*world.history, request).await.unwrap();
        let task = world.poll().await;
        let failure = Some(tempest_api::proto::failure::v1::Failure::default());
        let fails = FailWorkflowExecutionCommandAttributes { failure };
        world.complete(&task, vec![Command::FailWorkflowExecutionCommandAttributes(fails)]).await.unwrap();
        let events = world.events("order").await;
        let Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) = &events[0].attributes else {
            panic!("{events:?}")
        };
        assert_eq!((started.attempt, &started.input), (2, &payloads("two books")));
    }
}

#[tokio::test(start_paused = true)]
async fn children_and_signals_get_what_they_are_sent() {
    for kept in [1, 16 << 20] {
        let world = World::with(|config| config.recent_events_bytes_max = kept);
        world.start("other").await.unwrap();
        world.start("order").await.unwrap();
        let task = world.poll_of("order").await;
        let child = StartChildWorkflowExecutionCommandAttributes {
            workflow_id: "ship".into(),
            workflow_type: Some(WorkflowType { name: "Ship".into() }),
            input: payloads("a parcel"),
            ..Default::default()
        };
        let signal = SignalExternalWorkflowExecutionCommandAttributes {
            execution: Some(execution("other")),
            signal_name: "hurry".into(),
            input: payloads("now"),
            ..Default::default()
        };
        let commands = vec![
            Command::StartChildWorkflowExecutionCommandAttributes(child),
            Command::SignalExternalWorkflowExecutionCommandAttributes(signal),
        ];
        world.complete(&task, commands).await.unwrap();
        world.poll_of("ship").await;
        tokio::time::sleep(SECOND).await;
        match &world.events("ship").await[0].attributes {
            Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) => {
                assert_eq!(started.input, payloads("a parcel"));
            }
            other => panic!("{other:?}"),
        }
        let signaled = world.events("other").await.into_iter().find_map(|event| match event.attributes {
            Some(Attributes::WorkflowExecutionSignaledEventAttributes(signaled)) => Some(signaled.input),
            _ => None,
        });
        assert_eq!(signaled, Some(payloads("now")));
    }
}

/// A commit that is lost takes the events along that it brought.
#[tokio::test(start_paused = true)]
async fn what_was_staged_and_came_to_nothing_is_read_by_no_decision() {
    let world = World::new();
    world.start("order").await.unwrap();
    let task = world.poll().await;
    world.store.fail_next(&[Fault::UnknownLost]);
    world.complete(&task, vec![activity_with("charge", "lost")]).await.unwrap_err();
    world.complete(&task, vec![activity_with("charge", "kept")]).await.unwrap();
    assert_eq!(poll_activity(&world).await.input, payloads("kept"));
}
