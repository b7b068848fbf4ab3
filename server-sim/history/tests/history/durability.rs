//! Commits that wait, fail, or have an unknown outcome.
use crate::store::Fault;
use crate::world::*;
use tempest_api::proto::enums::v1::EventType;
use tempest_api::{HistoryService, ServiceError};
use tempest_store::StoreError;

/// Starts a run and lets everything that follows from it come to rest.
async fn started(world: &World, workflow: &str) {
    world.start(workflow).await.unwrap();
    tokio::time::sleep(SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn commits_are_in_flight_together_and_applied_in_order() {
    let world = World::new();
    started(&world, "order").await;
    world.store.hold();
    let history = world.history.clone();
    let (a, b, c) = (world.signal("order", "a"), world.signal("order", "b"), world.start("another"));
    let all = async { tokio::join!(a, b, c) };
    tokio::pin!(all);
    assert!(tokio::time::timeout(SECOND, &mut all).await.is_err(), "nobody is answered before his commit is durable");
    assert_eq!(world.store.waiting(), 3, "all of them are in flight");
    world.store.release(&[]);
    let (a, b, c) = all.await;
    a.unwrap();
    b.unwrap();
    c.unwrap();
    let applied = world.store.applied();
    assert!(applied.windows(2).all(|pair| pair[0].sequence + 1 == pair[1].sequence && pair[0].time <= pair[1].time));
    assert_eq!(world.count("order", EventType::WorkflowExecutionSignaled).await, 2);
    history.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_pipeline_closes_the_door_and_opens_it_again() {
    let world = World::with(|config| config.commits_in_flight_max = 2);
    started(&world, "order").await;
    world.store.hold();
    let signals = futures::future::join_all(["a", "b", "c", "d"].map(|name| world.signal("order", name)));
    tokio::pin!(signals);
    assert!(tokio::time::timeout(SECOND, &mut signals).await.is_err());
    assert_eq!(world.store.waiting(), 2);
    world.store.release(&[]);
    assert!(signals.await.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn large_commits_close_the_door_before_they_are_many() {
    let world = World::with(|config| config.commit_bytes_in_flight_max = 1);
    started(&world, "order").await;
    world.store.hold();
    let signals = futures::future::join_all(["a", "b", "c"].map(|name| world.signal("order", name)));
    tokio::pin!(signals);
    assert!(tokio::time::timeout(SECOND, &mut signals).await.is_err());
    assert_eq!(world.store.waiting(), 1, "one commit may exceed the bound, and nothing comes on top of it");
    world.store.release(&[]);
    assert!(signals.await.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn reads_and_repeats_wait_for_what_they_saw_staged() {
    let world = World::new();
    started(&world, "order").await;
    world.store.hold();
    let signal = world.signal("order", "a");
    let repeat = async {
        settle().await;
        world.signal("order", "a").await
    };
    let describe = async {
        settle().await;
        world.describe("order").await
    };
    let all = async { tokio::join!(signal, repeat, describe) };
    tokio::pin!(all);
    assert!(tokio::time::timeout(SECOND, &mut all).await.is_err(), "the repeat and the read saw the staged signal");
    assert_eq!(world.store.waiting(), 1, "a repeat writes nothing");
    world.store.release(&[]);
    let (signal, repeat, describe) = all.await;
    signal.unwrap();
    repeat.unwrap();
    assert_eq!(describe.unwrap().workflow_execution_info.unwrap().history_length, 3);
}

#[tokio::test(start_paused = true)]
async fn reads_that_come_together_share_a_proof() {
    let world = World::new();
    started(&world, "order").await;
    let before = world.store.proofs();
    let reads = futures::future::join_all((0..100).map(|_| world.describe("order"))).await;
    assert!(reads.iter().all(Result::is_ok));
    assert!(world.store.proofs() - before <= 3, "{} proofs", world.store.proofs() - before);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_neither_success_nor_failure_and_nothing_is_lost() {
    for (fault, applied) in [(Fault::UnknownLost, 0), (Fault::UnknownApplied, 1)] {
        let world = World::new();
        started(&world, "order").await;
        let range = world.store.record(SHARD).range_id;
        world.store.hold();
        let first = world.signal("order", "a");
        let behind = async {
            settle().await;
            world.signal("order", "b").await
        };
        let read = async {
            settle().await;
            world.describe("order").await
        };
        let all = async { tokio::join!(first, behind, read) };
        tokio::pin!(all);
        let _ = tokio::time::timeout(SECOND, &mut all).await;
        // Hold what comes after, so that only the two commits in flight are judged.
        world.store.release(&[fault, Fault::UnknownLost]);
        let (first, behind, read) = all.await;
        assert!(matches!(first, Err(ServiceError::OutcomeUnknown(_))), "{first:?}");
        assert!(matches!(behind, Err(ServiceError::OutcomeUnknown(_))), "{behind:?}");
        assert!(matches!(read, Err(ServiceError::Unavailable(_))), "{read:?}");
        // The shard has read again what there is, under a new range id, and goes on.
        assert_eq!(world.count("order", EventType::WorkflowExecutionSignaled).await, applied);
        assert_eq!(world.store.record(SHARD).range_id.0, range.0 + 1);
        // A retry makes it certain, whatever had happened.
        world.signal("order", "a").await.unwrap();
        world.signal("order", "b").await.unwrap();
        assert_eq!(world.count("order", EventType::WorkflowExecutionSignaled).await, 2);
        assert_eq!(world.history.counters().snapshot().commits_unknown, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_start_starts_once() {
    for fault in [Fault::UnknownLost, Fault::UnknownApplied] {
        let world = World::new();
        started(&world, "other").await;
        world.store.fail_next(&[fault]);
        let unknown = world.start("order").await;
        assert!(matches!(unknown, Err(ServiceError::OutcomeUnknown(_))), "{unknown:?}");
        let run = world.start("order").await.unwrap();
        assert_eq!(world.start("order").await.unwrap(), run, "the same request finds its run");
        assert_eq!(world.matching.workflow_task().await.run.workflow_id.as_str(), "other");
        assert_eq!(world.matching.workflow_task().await.run.run_id.as_str(), run);
    }
}

#[tokio::test(start_paused = true)]
async fn refused_commits_change_nothing() {
    for fault in [Fault::Conflict, Fault::Unavailable] {
        let world = World::new();
        started(&world, "order").await;
        world.store.fail_next(&[fault]);
        let refused = world.signal("order", "a").await;
        assert!(matches!(refused, Err(ServiceError::Unavailable(_))), "{refused:?}");
        assert_eq!(world.count("order", EventType::WorkflowExecutionSignaled).await, 0);
        world.signal("order", "a").await.unwrap();
        assert_eq!(world.count("order", EventType::WorkflowExecutionSignaled).await, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_was_taken_away_answers_nothing_and_is_taken_back_later() {
    let world = World::new();
    started(&world, "order").await;
    world.store.fail_next(&[Fault::Stolen]);
    let lost = world.signal("order", "a").await;
    assert!(matches!(lost, Err(ServiceError::ShardOwnershipLost { .. })), "{lost:?}");
    let lost = world.describe("order").await;
    assert!(matches!(lost, Err(ServiceError::ShardOwnershipLost { .. })), "{lost:?}");
    tokio::time::sleep(2 * SECOND).await;
    world.signal("order", "a").await.unwrap();
    assert_eq!(world.count("order", EventType::WorkflowExecutionSignaled).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_superseded_owner_gives_no_read() {
    let world = World::new();
    started(&world, "order").await;
    world.store.steal(SHARD);
    let lost = world.describe("order").await;
    assert!(matches!(lost, Err(ServiceError::ShardOwnershipLost { .. })), "{lost:?}");
}

/// It may have been durable before the other owner came: only its own end would tell.
#[tokio::test(start_paused = true)]
async fn what_is_in_flight_when_another_owner_is_seen_is_in_doubt() {
    let world = World::new();
    started(&world, "order").await;
    world.store.hold();
    let signal = world.signal("order", "a");
    let read = async {
        settle().await;
        world.store.steal(SHARD);
        world.describe("order").await
    };
    let (signal, read) = tokio::join!(signal, read);
    assert!(matches!(signal, Err(ServiceError::OutcomeUnknown(_))), "{signal:?}");
    assert!(matches!(read, Err(ServiceError::ShardOwnershipLost { .. })), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn acquiring_is_tried_until_it_works_and_callers_are_sent_away_meanwhile() {
    let mut world = World::new();
    started(&world, "order").await;
    let unknown = StoreError::OutcomeUnknown("as the test says".into());
    let down = StoreError::Unavailable("as the test says".into());
    world.store.fail_next_acquisitions(&[unknown, down.clone(), down]);
    world.restart();
    let refused = world.describe("order").await.expect_err("nobody owns the shard");
    assert!(refused.is_retryable(), "{refused:?}");
    let text = refused.to_string();
    assert!(text.starts_with("shard status unknown: ") && text.ends_with("as the test says"), "{text}");
    tokio::time::sleep(SECOND).await;
    world.describe("order").await.unwrap();
}

/// Also when all are tried again together, as after an outage of the store.
#[tokio::test(start_paused = true)]
async fn no_more_shards_are_being_taken_at_one_time_than_the_bound_says() {
    for bound in [1, 3] {
        let world = World::with(|config| (config.shard_count, config.acquisitions_in_flight_max) = (16, bound));
        world.store.acquire_slowly(SECOND);
        let down = StoreError::Unavailable("as the test says".into());
        world.store.fail_next_acquisitions(&vec![down; 16]);
        let acquired = || world.history.counters().snapshot().shards_acquired;
        tokio::time::sleep(3 * SECOND).await;
        assert_eq!(acquired(), 0, "the store is down");
        tokio::time::sleep(60 * SECOND).await;
        assert_eq!(acquired(), 16);
        assert_eq!(world.store.acquiring_max(), bound, "so many, since others wait for their turn, and never more");
    }
}

#[tokio::test(start_paused = true)]
async fn one_slow_read_does_not_stall_the_shard() {
    let mut world = World::new();
    started(&world, "slow").await;
    started(&world, "quick").await;
    world.restart();
    world.store.delay_reads("slow", 30 * SECOND);
    let before = tokio::time::Instant::now();
    let slow = async {
        let answers = tokio::join!(world.signal("slow", "a"), world.signal("slow", "b"), world.describe("slow"));
        assert!(before.elapsed() >= 30 * SECOND);
        answers
    };
    let quick = async {
        settle().await;
        world.signal("quick", "a").await.unwrap();
        assert!(before.elapsed() < SECOND);
    };
    let ((a, b, described), ()) = tokio::join!(slow, quick);
    a.unwrap();
    b.unwrap();
    // Those who waited for the read were served in the order in which they came.
    assert_eq!(described.unwrap().workflow_execution_info.unwrap().history_length, 4);
    let signals: Vec<_> = world.events("slow").await.into_iter().skip(2).map(|event| event.event_id).collect();
    assert_eq!(signals, [3, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_small_cache_evicts_and_reads_again() {
    let world = World::with(|config| config.executions_cached_max = 1);
    for workflow in ["a", "b", "c"] {
        started(&world, workflow).await;
    }
    for workflow in ["a", "b", "c", "a"] {
        world.signal(workflow, workflow).await.unwrap();
        assert_eq!(world.count(workflow, EventType::WorkflowExecutionSignaled).await, 1);
    }
    assert!(world.history.counters().snapshot().executions_evicted > 0);
}

#[tokio::test(start_paused = true)]
async fn large_states_leave_the_cache_before_they_are_many() {
    let world = World::with(|config| config.executions_bytes_max = 8 << 10);
    for workflow in ["a", "b"] {
        started(&world, workflow).await;
    }
    let evicted = || world.history.counters().snapshot().executions_evicted;
    assert_eq!(evicted(), 0, "small states fit");
    for workflow in ["a", "b"] {
        // Signals that arrive while a workflow task is started wait in the state.
        world.poll_of(workflow).await;
        for signal in 0..20 {
            world.signal(workflow, &format!("{signal}-{}", "x".repeat(200))).await.unwrap();
        }
    }
    assert!(evicted() > 0);
    for workflow in ["a", "b"] {
        let pending = world.describe(workflow).await.unwrap();
        assert_eq!(pending.workflow_execution_info.unwrap().history_length, 3, "nothing was lost or written early");
    }
}

#[tokio::test(start_paused = true)]
async fn used_up_task_ids_renew_the_range_unnoticed() {
    let world = World::with(|config| config.task_ids_per_range = 16);
    started(&world, "order").await;
    for signal in 0..40 {
        world.signal("order", &signal.to_string()).await.unwrap();
    }
    assert_eq!(world.count("order", EventType::WorkflowExecutionSignaled).await, 40);
    assert!(world.store.record(SHARD).range_id.0 >= 3);
    let ids: Vec<_> = world.events("order").await.iter().map(|event| event.task_id).collect();
    assert!(ids.is_sorted(), "{ids:?}");
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_outlives_an_unknown_outcome() {
    let world = World::new();
    started(&world, "order").await;
    let history = world.history.clone();
    let poll = tempest_rt::task::spawn(async move {
        let history: &dyn HistoryService = &*history;
        history.history_position(target("order"), wait_beyond(3, 20 * SECOND)).await
    });
    settle().await;
    world.store.fail_next(&[Fault::UnknownApplied]);
    let _ = world.signal("order", "a").await;
    assert_eq!(poll.await.unwrap().unwrap().next_event_id, 4);
}

#[tokio::test(start_paused = true)]
async fn shutdown_lets_what_is_in_flight_end() {
    let world = World::new();
    started(&world, "order").await;
    world.store.hold();
    let history = world.history.clone();
    let signal = world.signal("order", "a");
    let down = async {
        settle().await;
        history.shutdown().await;
    };
    let both = async { tokio::join!(signal, down) };
    tokio::pin!(both);
    assert!(tokio::time::timeout(SECOND, &mut both).await.is_err());
    world.store.release(&[]);
    both.await.0.unwrap();
}
