//! Runs of several shards that act on each other.
use crate::store::Fault;
use crate::world::*;
use std::time::Duration;
use tempest_api::proto::command::v1::command::Attributes as Command;
use tempest_api::proto::command::v1::{
    RequestCancelExternalWorkflowExecutionCommandAttributes, SignalExternalWorkflowExecutionCommandAttributes,
    StartChildWorkflowExecutionCommandAttributes,
};
use tempest_api::proto::common::v1::WorkflowType;
use tempest_api::proto::enums::v1::{EventType, ParentClosePolicy};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{HistoryService, ServiceError};
use tempest_core::{Input, OtherRun};

/// A shard's new owner does not ask whether a cross-workflow call is wanted once it has had the shard for so long.
const DUPLICATE_LATE_MAX: Duration = Duration::from_secs(60);

/// Parents and children live in different ones.
const SHARDS: u32 = 8;

fn world() -> World {
    World::with(|config| config.shard_count = SHARDS)
}

fn child(id: &str, policy: ParentClosePolicy) -> Command {
    Command::StartChildWorkflowExecutionCommandAttributes(StartChildWorkflowExecutionCommandAttributes {
        workflow_id: id.into(),
        workflow_type: Some(WorkflowType { name: "Ship".into() }),
        parent_close_policy: policy.into(),
        ..Default::default()
    })
}

fn signal(id: &str) -> Command {
    Command::SignalExternalWorkflowExecutionCommandAttributes(SignalExternalWorkflowExecutionCommandAttributes {
        execution: Some(execution(id)),
        signal_name: "hurry".into(),
        ..Default::default()
    })
}

fn cancel(id: &str) -> Command {
    Command::RequestCancelExternalWorkflowExecutionCommandAttributes(
        RequestCancelExternalWorkflowExecutionCommandAttributes { workflow_id: id.into(), ..Default::default() },
    )
}

/// A parent whose children have been asked for.
async fn parent(world: &World, commands: Vec<Command>) {
    world.start("order").await.unwrap();
    let task = world.poll_of("order").await;
    world.complete(&task, commands).await.unwrap();
}

/// Waits until there is such an event.
async fn until(world: &World, workflow: &str, event_type: EventType) {
    const TRIES: usize = 100;
    for _ in 0..TRIES {
        let known = world.describe(workflow).await.is_ok();
        if known && world.count(workflow, event_type).await > 0 {
            return;
        }
        tokio::time::sleep(SECOND / 10).await;
    }
    panic!("{workflow} never has {event_type:?}");
}

#[tokio::test(start_paused = true)]
async fn a_child_begins_when_its_parent_knows_of_it_and_reports_its_end() {
    let world = world();
    parent(&world, vec![child("ship", ParentClosePolicy::Terminate)]).await;
    let task = world.poll_of("ship").await;
    // The child's first workflow task is the proof that the start is recorded.
    assert_eq!(world.count("order", EventType::ChildWorkflowExecutionStarted).await, 1);
    let described = world.describe("ship").await.unwrap().workflow_execution_info.unwrap();
    assert_eq!(described.parent_execution.unwrap().workflow_id, "order");
    assert_eq!(described.root_execution.unwrap().workflow_id, "order");
    assert_eq!(world.describe("order").await.unwrap().pending_children[0].workflow_id, "ship");
    world.complete(&task, vec![finish()]).await.unwrap();
    until(&world, "order", EventType::ChildWorkflowExecutionCompleted).await;
    assert!(world.describe("order").await.unwrap().pending_children.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_child_whose_id_is_taken_is_refused() {
    let world = world();
    world.start("ship").await.unwrap();
    parent(&world, vec![child("ship", ParentClosePolicy::Terminate)]).await;
    until(&world, "order", EventType::StartChildWorkflowExecutionFailed).await;
}

#[tokio::test(start_paused = true)]
async fn children_end_as_their_policies_say() {
    let world = world();
    let ids = [
        ("terminated", ParentClosePolicy::Terminate),
        ("cancelled", ParentClosePolicy::RequestCancel),
        ("abandoned", ParentClosePolicy::Abandon),
    ];
    parent(&world, ids.iter().map(|(id, policy)| child(id, *policy)).collect()).await;
    for (id, _) in ids {
        until(&world, id, EventType::WorkflowTaskScheduled).await;
    }
    terminate(&*world.history, "order").await.unwrap();
    until(&world, "terminated", EventType::WorkflowExecutionTerminated).await;
    until(&world, "cancelled", EventType::WorkflowExecutionCancelRequested).await;
    tokio::time::sleep(5 * SECOND).await;
    assert!(!world.story("abandoned").await.contains("CANCEL"));
    assert_eq!(world.count("abandoned", EventType::WorkflowExecutionTerminated).await, 0);
}

#[tokio::test(start_paused = true)]
async fn signals_and_requests_to_cancel_cross_shards() {
    let world = world();
    world.start("other").await.unwrap();
    parent(&world, vec![signal("other"), signal("nobody"), cancel("other"), cancel("nobody")]).await;
    for expected in [
        EventType::ExternalWorkflowExecutionSignaled,
        EventType::SignalExternalWorkflowExecutionFailed,
        EventType::ExternalWorkflowExecutionCancelRequested,
        EventType::RequestCancelExternalWorkflowExecutionFailed,
    ] {
        until(&world, "order", expected).await;
    }
    assert_eq!(world.count("other", EventType::WorkflowExecutionSignaled).await, 1);
    assert_eq!(world.count("other", EventType::WorkflowExecutionCancelRequested).await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_process_had_begun_is_done_once() {
    let mut world = world();
    world.start("other").await.unwrap();
    parent(&world, vec![child("ship", ParentClosePolicy::Terminate), signal("other")]).await;
    // The task queues are as likely to have done nothing as to have done all of it.
    world.restart();
    until(&world, "order", EventType::ChildWorkflowExecutionStarted).await;
    until(&world, "order", EventType::ExternalWorkflowExecutionSignaled).await;
    until(&world, "ship", EventType::WorkflowTaskScheduled).await;
    world.restart();
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(world.count("ship", EventType::WorkflowTaskScheduled).await, 1);
    assert_eq!(world.count("other", EventType::WorkflowExecutionSignaled).await, 1);
    assert_eq!(world.count("order", EventType::ChildWorkflowExecutionStarted).await, 1);
}

/// The close that a cross-workflow call came too late for was never durable: no caller was told, so the call is not known as
/// one in vain.
#[tokio::test(start_paused = true)]
async fn a_cross_call_is_not_refused_for_a_refusal_that_was_never_given() {
    let world = World::new();
    world.start("order").await.unwrap();
    // By then the sender is not asked any more whether it still waits.
    tokio::time::sleep(DUPLICATE_LATE_MAX).await;
    world.store.hold();
    let cross_call = || {
        let from = OtherRun { run_id: "another".into(), initiated_event_id: 5, ..OtherRun::default() };
        let request = api::SignalWorkflowExecutionRequest {
            workflow_execution: Some(execution("order")),
            signal_name: "hurry".into(),
            request_id: "cross-call".into(),
            ..Default::default()
        };
        signal_by(&*world.history, from, request)
    };
    let too_late = async {
        settle().await;
        cross_call().await
    };
    let fails = async {
        tokio::time::sleep(SECOND).await;
        world.store.release(&[Fault::Unavailable]);
    };
    let (terminated, too_late, ()) = tokio::join!(terminate(&*world.history, "order"), too_late, fails);
    assert!(matches!(terminated, Err(ServiceError::Unavailable(_))), "{terminated:?}");
    assert!(matches!(too_late, Err(ServiceError::Unavailable(_))), "{too_late:?}");
    tokio::time::sleep(SECOND).await;
    cross_call().await.unwrap();
    assert_eq!(world.count("order", EventType::WorkflowExecutionSignaled).await, 1);
}

/// A new owner of a shard knows nothing of what was done there before: a signal may be the duplicate of one that the
/// workflow's last run has had. No run waits for this one.
#[tokio::test(start_paused = true)]
async fn a_new_owner_does_no_cross_call_that_nobody_waits_for() {
    let world = World::new();
    world.start("order").await.unwrap();
    let another = world.start("another").await.unwrap();
    for (from, request) in [cross_call_of("another", &another), cross_call_of("nobody", "none")] {
        let refused = signal_by(&*world.history, from, request).await;
        assert!(
            matches!(&refused, Err(ServiceError::Unavailable(why)) if why.contains("does not wait")),
            "{refused:?}"
        );
    }
    assert_eq!(world.count("order", EventType::WorkflowExecutionSignaled).await, 0);
    // What the owner before did is too long ago for a duplicate to be on its way.
    tokio::time::sleep(DUPLICATE_LATE_MAX).await;
    let (from, request) = cross_call_of("nobody", "none");
    signal_by(&*world.history, from, request).await.unwrap();
    assert_eq!(world.count("order", EventType::WorkflowExecutionSignaled).await, 1);
}

/// A signal to `order` that event 5 of that run asks for.
fn cross_call_of(workflow_id: &str, run_id: &str) -> (OtherRun, api::SignalWorkflowExecutionRequest) {
    let from = OtherRun {
        namespace_id: namespace(),
        workflow_id: workflow_id.into(),
        run_id: run_id.into(),
        initiated_event_id: 5,
        child_only: false,
    };
    let request = api::SignalWorkflowExecutionRequest {
        workflow_execution: Some(execution("order")),
        signal_name: "hurry".into(),
        request_id: format!("cross-workflow call of {workflow_id}"),
        ..Default::default()
    };
    (from, request)
}

/// Its sender did not hear the answer. Meanwhile the run that got the signal is over, and another one too.
#[tokio::test(start_paused = true)]
async fn a_signal_that_was_delivered_is_not_refused_for_the_run_that_followed() {
    let world = World::new();
    world.start("order").await.unwrap();
    tokio::time::sleep(DUPLICATE_LATE_MAX).await;
    let send = || {
        let (from, request) = cross_call_of("another", "run");
        let history = world.history.clone();
        async move { signal_by(&*history, from, request).await }
    };
    send().await.unwrap();
    terminate(&*world.history, "order").await.unwrap();
    world.start_with("order", "second").await.unwrap();
    send().await.unwrap();
    assert_eq!(world.count("order", EventType::WorkflowExecutionSignaled).await, 0, "of the second run");
    terminate(&*world.history, "order").await.unwrap();
    send().await.unwrap();
}

/// The first run had been asked to end before: that changed nothing, and is remembered all the same.
#[tokio::test(start_paused = true)]
async fn a_copy_of_what_changed_nothing_does_not_change_the_next_run() {
    let world = World::new();
    world.start("order").await.unwrap();
    tokio::time::sleep(DUPLICATE_LATE_MAX).await;
    let ask = |workflow_id: &str| {
        let (from, _) = cross_call_of(workflow_id, "run");
        let request = api::RequestCancelWorkflowExecutionRequest {
            workflow_execution: Some(execution("order")),
            request_id: format!("cross-workflow call of {workflow_id}"),
            ..Default::default()
        };
        let history = world.history.clone();
        let input = Input::RequestCancelByWorkflow(from, Box::new(request));
        async move { history.call(target("order"), input).await }
    };
    ask("another").await.unwrap();
    ask("third").await.unwrap();
    assert_eq!(world.count("order", EventType::WorkflowExecutionCancelRequested).await, 1);
    terminate(&*world.history, "order").await.unwrap();
    world.start_with("order", "second").await.unwrap();
    ask("third").await.unwrap();
    assert_eq!(world.count("order", EventType::WorkflowExecutionCancelRequested).await, 0, "of the second run");
}
