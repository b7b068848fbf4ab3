//! Transfer tasks and timers, through reloads, jumps of the clock and a matching that refuses.
use crate::store::Fault;
use crate::world::*;
use std::time::Duration;
use tempest_api::ServiceError;
use tempest_api::proto::enums::v1::EventType;
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;

/// A run that waits for timers of these seconds.
async fn with_timers(world: &World, workflow: &str, seconds: &[u64]) {
    world.start(workflow).await.unwrap();
    let task = world.poll_of(workflow).await;
    let timers = seconds.iter().map(|s| timer(&format!("t{s}"), Duration::from_secs(*s))).collect();
    world.complete(&task, timers).await.unwrap();
}

async fn fired(world: &World, workflow: &str) -> Vec<String> {
    let events = world.events(workflow).await.into_iter();
    events
        .filter_map(|event| match event.attributes {
            Some(tempest_api::proto::history::v1::history_event::Attributes::TimerFiredEventAttributes(fired)) => {
                Some(fired.timer_id)
            }
            _ => None,
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn timers_fire_in_order_and_not_early() {
    let world = World::new();
    with_timers(&world, "order", &[30, 10, 20]).await;
    tokio::time::sleep(Duration::from_millis(9_900)).await;
    assert!(fired(&world, "order").await.is_empty());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(fired(&world, "order").await, ["t10"]);
    tokio::time::sleep(20 * SECOND).await;
    assert_eq!(fired(&world, "order").await, ["t10", "t20", "t30"]);
}

#[tokio::test(start_paused = true)]
async fn timers_survive_a_restart_and_those_due_meanwhile_fire_at_once() {
    let mut world = World::new();
    with_timers(&world, "order", &[10]).await;
    with_timers(&world, "later", &[1000]).await;
    world.history.shutdown().await;
    tokio::time::sleep(100 * SECOND).await;
    world.restart();
    settle().await;
    assert_eq!(fired(&world, "order").await, ["t10"]);
    tokio::time::sleep(901 * SECOND).await;
    assert_eq!(fired(&world, "later").await, ["t1000"]);
}

#[tokio::test(start_paused = true)]
async fn many_timers_with_tiny_pages_all_fire_once() {
    let mut world = World::with(|config| {
        config.timer_page = 2;
        config.timer_pending_max = 3;
        config.timers_firing_max = 1;
        config.transfer_page = 1;
        config.transfer_pending_max = 2;
        config.transfer_concurrency_max = 1;
    });
    for n in 0..12 {
        with_timers(&world, &format!("w{n}"), &[10 + n % 5]).await;
    }
    world.restart();
    tokio::time::sleep(60 * SECOND).await;
    for n in 0..12 {
        assert_eq!(world.count(&format!("w{n}"), EventType::TimerFired).await, 1, "w{n}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_forth_and_back_neither_loses_nor_stalls_timers() {
    let world = World::new();
    with_timers(&world, "before", &[10]).await;
    world.jump(3600);
    // The jump is noticed, and this run is written in the new time.
    with_timers(&world, "during", &[10]).await;
    settle().await;
    assert_eq!(fired(&world, "before").await, ["t10"], "by shard time it is due");
    world.jump(-3600);
    with_timers(&world, "after", &[10]).await;
    tokio::time::sleep(11 * SECOND).await;
    assert_eq!(fired(&world, "during").await, ["t10"], "time went on, if a little slower");
    assert_eq!(fired(&world, "after").await, ["t10"]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_stays_behind_after_a_restart_does_not_turn_shard_time_back() {
    let mut world = World::new();
    with_timers(&world, "order", &[10]).await;
    world.jump(-3600);
    world.restart();
    tokio::time::sleep(11 * SECOND).await;
    assert_eq!(fired(&world, "order").await, ["t10"]);
    let times: Vec<_> = world.store.applied().iter().map(|commit| commit.time).collect();
    assert!(times.is_sorted());
}

#[tokio::test(start_paused = true)]
async fn an_idle_jump_is_noticed_within_the_recheck_interval() {
    let world = World::with(|config| config.timer_recheck_interval = 5 * SECOND);
    with_timers(&world, "order", &[1000]).await;
    tokio::time::sleep(SECOND).await;
    world.jump(2000);
    tokio::time::sleep(6 * SECOND).await;
    assert_eq!(fired(&world, "order").await, ["t1000"]);
}

#[tokio::test(start_paused = true)]
async fn a_timer_whose_commit_is_unknown_fires_once() {
    for fault in [Fault::UnknownLost, Fault::UnknownApplied] {
        let world = World::new();
        with_timers(&world, "order", &[10]).await;
        tokio::time::sleep(5 * SECOND).await;
        world.store.fail_next(&[fault]);
        tokio::time::sleep(10 * SECOND).await;
        assert_eq!(world.history.counters().snapshot().commits_unknown, 1);
        assert_eq!(world.count("order", EventType::TimerFired).await, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_timer_of_a_closed_run_is_deleted_and_forgotten() {
    let world = World::new();
    world.start("order").await.unwrap();
    let task = world.poll().await;
    world.complete(&task, vec![timer("t", 10 * SECOND), finish()]).await.unwrap();
    tokio::time::sleep(30 * SECOND).await;
    assert_eq!(world.count("order", EventType::TimerFired).await, 0);
    assert!(world.history.counters().snapshot().timers_stale > 0);
}

#[tokio::test(start_paused = true)]
async fn idle_shards_do_nothing() {
    let world = World::new();
    with_timers(&world, "order", &[1_000_000]).await;
    tokio::time::sleep(30 * SECOND).await;
    let before = world.store.applied().len();
    tokio::time::sleep(Duration::from_secs(100_000)).await;
    // The start-to-close timeout of nothing is pending; there are no polls, commits or proofs.
    assert_eq!(world.store.applied().len(), before);
}

#[tokio::test(start_paused = true)]
async fn a_refused_transfer_task_is_tried_again_until_it_is_taken() {
    let world = World::new();
    for _ in 0..5 {
        world.matching.refuse_next(ServiceError::Unavailable("not now".into()));
    }
    world.start("order").await.unwrap();
    let task = world.poll().await;
    world.complete(&task, vec![finish()]).await.unwrap();
    assert_eq!(world.history.counters().snapshot().transfer_tasks_retried, 5);
}

#[tokio::test(start_paused = true)]
async fn a_transfer_task_that_matching_has_not_taken_survives_a_restart() {
    let mut world = World::new();
    world.matching.never_answer(true);
    world.start("order").await.unwrap();
    tokio::time::sleep(5 * SECOND).await;
    world.matching.never_answer(false);
    world.restart();
    let task = world.poll().await;
    world.complete(&task, vec![finish()]).await.unwrap();
    tokio::time::sleep(5 * SECOND).await;
    assert!(world.matching.has_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_no_longer_wanted_is_not_sent() {
    let mut world = World::new();
    world.matching.never_answer(true);
    world.start("order").await.unwrap();
    terminate(&*world.history, "order").await.unwrap();
    world.matching.never_answer(false);
    world.restart();
    tokio::time::sleep(5 * SECOND).await;
    assert!(world.matching.has_nothing().await);
    assert_eq!(world.store.tasks_left().iter().filter(|key| key.fire_time.0 == 0).count(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_sticky_worker_the_normal_queue_gets_the_task() {
    let world = World::new();
    world.start("order").await.unwrap();
    let task = world.poll().await;
    let request = api::RespondWorkflowTaskCompletedRequest {
        sticky_attributes: Some(tempest_api::proto::taskqueue::v1::StickyExecutionAttributes {
            worker_task_queue: Some(TaskQueue { name: "sticky".into(), ..TaskQueue::default() }),
            schedule_to_start_timeout: Some((10 * SECOND).try_into().unwrap()),
        }),
        ..Default::default()
    };
    world.complete_with(&task, request).await.unwrap();
    world.matching.refuse_next(ServiceError::StickyWorkerUnavailable);
    world.signal("order", "a").await.unwrap();
    let offer = world.matching.workflow_task().await;
    assert_eq!((offer.task_queue.as_str(), offer.sticky_for.as_deref()), ("orders", None));
    let task = world.record_started(&offer, "poll").await.unwrap();
    assert_eq!(task.history.unwrap().events[0].event_id, 1, "another worker gets the full history");
    assert!(!world.story("order").await.contains("TIMED_OUT"));
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_lost_the_race_is_refused_and_a_repeat_answered() {
    let world = World::new();
    world.start("order").await.unwrap();
    let offer = world.matching.workflow_task().await;
    let first = world.record_started(&offer, "one").await.unwrap();
    assert_eq!(world.record_started(&offer, "one").await.unwrap(), first);
    assert_eq!(world.record_started(&offer, "two").await, Err(ServiceError::TaskAlreadyStarted));
}

#[tokio::test(start_paused = true)]
async fn a_workflow_task_that_no_worker_ends_comes_again() {
    let world = World::new();
    world.start("order").await.unwrap();
    world.poll().await;
    let before = tokio::time::Instant::now();
    let again = world.poll().await;
    assert_eq!(before.elapsed().as_secs(), 10);
    assert_eq!(again.attempt, 2);
    let ids: Vec<_> = again.history.unwrap().events.iter().map(|event| event.event_id).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6], "scheduled and started of the second attempt are shown, though not written");
    assert_eq!(world.events("order").await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn timers_of_a_run_that_cannot_be_read_hold_up_no_others() {
    let mut world = World::with(|config| config.timers_firing_max = 1);
    with_timers(&world, "bad", &[10, 11, 12]).await;
    with_timers(&world, "good", &[20]).await;
    world.store.corrupt("bad");
    world.history.shutdown().await;
    world.restart();
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(world.count("good", EventType::TimerFired).await, 1);
}

#[tokio::test(start_paused = true)]
async fn how_far_queues_are_behind_is_seen_from_outside() {
    let world = World::new();
    world.matching.never_answer(true);
    world.start("order").await.unwrap();
    tokio::time::sleep(7 * SECOND).await;
    let lag = world.history.lags()[&SHARD];
    assert_eq!((lag.transfer_tasks, lag.transfer_tasks_unread, lag.timer_overdue_ms), (1, false, Some(0)));
    assert!(lag.transfer_oldest_ms >= Some(6_900), "{lag:?}");
    world.history.shutdown().await;
    assert!(world.history.lags().is_empty(), "what is not owned is not behind");
}
