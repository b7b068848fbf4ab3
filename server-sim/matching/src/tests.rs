//! Stories of tasks and polls, with a history and a store that do as the story says.
mod fake_cluster;
mod fakes;

use crate::{Matching, MatchingBacklog, MatchingConfig};
use fake_cluster::FakeCluster;
use fakes::{FakeHistory, FakeStore, Record};
use std::sync::Arc;
use std::time::Duration;
use tempest_api::proto::enums::v1::TaskQueueKind;
use tempest_api::proto::taskqueue::v1::{TaskQueue, TaskQueueMetadata, TaskQueueStats};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{
    AddActivityTask, AddWorkflowTask, HistoryService, MatchingService, ServiceError, ServiceResult, WorkerInstance,
};
use tempest_core::{NamespaceId, RunKey};
use tempest_rt::task::TaskGroup;
use tempest_store::CommitOutcome;

const WAIT: Duration = Duration::from_secs(60);

struct World {
    matching: Arc<Matching>,
    history: Arc<FakeHistory>,
    store: Arc<FakeStore>,
    tasks: TaskGroup,
    as_history: Arc<dyn HistoryService>,
}

fn world() -> World {
    world_on(Arc::new(FakeStore::default()))
}

fn world_on(store: Arc<FakeStore>) -> World {
    let history = Arc::new(FakeHistory::default());
    let tasks = TaskGroup::default();
    let matching =
        Matching::start(store.clone(), MatchingConfig::default(), tasks.clone()).expect("the config is valid");
    let as_history: Arc<dyn HistoryService> = history.clone();
    let as_matching: Arc<dyn MatchingService> = matching.clone();
    matching.connect(&as_history, &as_matching);
    World { matching, history, store, tasks, as_history }
}

fn namespace() -> NamespaceId {
    "ns".into()
}

fn activity(id: i64) -> AddActivityTask {
    let run = RunKey { namespace_id: namespace(), workflow_id: "w".into(), run_id: "r".into() };
    AddActivityTask { run, scheduled_event_id: id, attempt: 1, task_queue: "q".into(), schedule_to_start_timeout: None }
}

fn sticky(id: i64) -> AddWorkflowTask {
    let run = RunKey { namespace_id: namespace(), workflow_id: "w".into(), run_id: "r".into() };
    AddWorkflowTask {
        run,
        scheduled_event_id: id,
        stamp: 1,
        task_queue: "sticky".into(),
        sticky_for: Some("q".into()),
        schedule_to_start_timeout: Some(Duration::from_secs(5)),
    }
}

impl World {
    /// The scheduled event id of the activity that a poll gets, if it gets one.
    async fn poll(&self, timeout: Duration) -> ServiceResult<Option<i64>> {
        self.poll_at_rate(None, timeout).await
    }

    /// The same of a worker that wants at most so many tasks per second for its queue.
    async fn poll_at_rate(&self, per_second: Option<f64>, timeout: Duration) -> ServiceResult<Option<i64>> {
        let task_queue_metadata = Some(TaskQueueMetadata { max_tasks_per_second: per_second });
        let request = api::PollActivityTaskQueueRequest {
            task_queue: Some(TaskQueue { name: "q".into(), ..TaskQueue::default() }),
            identity: "worker".into(),
            task_queue_metadata,
            ..Default::default()
        };
        let answer = self.matching.poll_activity_task_queue(&namespace(), request, timeout).await?;
        Ok(answer.activity_id.parse().ok())
    }

    async fn poll_workflow(&self, queue: &str, kind: TaskQueueKind, timeout: Duration) -> Option<i64> {
        let request = api::PollWorkflowTaskQueueRequest {
            task_queue: Some(TaskQueue { name: queue.into(), kind: kind as i32, ..TaskQueue::default() }),
            identity: "worker".into(),
            ..Default::default()
        };
        let answer = self.matching.poll_workflow_task_queue(&namespace(), request, timeout).await;
        Some(answer.expect("the poll succeeds").started_event_id).filter(|id| *id != 0)
    }

    async fn crash(self) -> World {
        self.tasks.stop_and_wait().await;
        world_on(self.store)
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiting_poll_gets_the_task_without_a_row() {
    let w = world();
    let (polled, added) = tokio::join!(biased; w.poll(WAIT), w.matching.add_activity_task(activity(5)));
    assert_eq!((polled, added), (Ok(Some(5)), Ok(())));
    assert_eq!(w.store.rows_ever(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_poll_the_task_becomes_a_row_and_survives_a_crash() {
    let w = world();
    assert_eq!(w.matching.add_activity_task(activity(5)).await, Ok(()));
    assert_eq!(w.store.rows().len(), 1);
    let w = w.crash().await;
    assert_eq!(w.poll(WAIT).await, Ok(Some(5)));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(w.store.rows().len(), 0, "what is done is deleted");
    let w = w.crash().await;
    assert_eq!(w.poll(Duration::from_secs(1)).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn the_backlog_is_served_in_order_and_in_pages() {
    let w = world();
    for id in 1..=1200 {
        assert_eq!(w.matching.add_activity_task(activity(id)).await, Ok(()));
    }
    let w = w.crash().await;
    for id in 1..=1200 {
        assert_eq!(w.poll(WAIT).await, Ok(Some(id)));
    }
    assert!(w.store.pages_read() >= 3);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_history_does_not_want_is_dropped_and_the_poll_goes_on() {
    for error in
        [ServiceError::NotFound("gone".into()), ServiceError::TaskAlreadyStarted, ServiceError::ObsoleteMatchingTask]
    {
        let w = world();
        w.history.script([Record::Fail(error)]);
        let adding = async {
            assert_eq!(w.matching.add_activity_task(activity(5)).await, Ok(()));
            assert_eq!(w.matching.add_activity_task(activity(6)).await, Ok(()));
        };
        let (polled, ()) = tokio::join!(biased; w.poll(WAIT), adding);
        assert_eq!(polled, Ok(Some(6)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_whose_answer_was_lost_is_asked_for_again_with_the_same_request_id() {
    let w = world();
    let lost = || Record::Fail(ServiceError::OutcomeUnknown("?".into()));
    w.history.script([lost(), lost()]);
    let (polled, added) = tokio::join!(biased; w.poll(WAIT), w.matching.add_activity_task(activity(5)));
    assert_eq!((polled, added), (Ok(Some(5)), Ok(())));
    let ids = w.history.request_ids();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(w.store.rows_ever(), 1, "from the first failure on a row keeps the task");
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_goes_away_takes_no_task_with_it() {
    let w = world();
    // The poll is dropped before there is a task.
    let _ = tokio::time::timeout(Duration::from_secs(1), w.poll(WAIT)).await;
    assert_eq!(w.matching.add_activity_task(activity(5)).await, Ok(()));
    assert_eq!(w.poll(WAIT).await, Ok(Some(5)));
    // The poll is dropped while history records the start.
    w.history.script([Record::Slow(Duration::from_secs(2))]);
    assert_eq!(w.matching.add_activity_task(activity(6)).await, Ok(()));
    let _ = tokio::time::timeout(Duration::from_secs(1), w.poll(WAIT)).await;
    assert_eq!(w.poll(WAIT).await, Ok(Some(6)), "the next poll asks for the same start");
    let ids = w.history.request_ids();
    assert_eq!(ids[ids.len() - 1], ids[ids.len() - 2]);
}

#[tokio::test(start_paused = true)]
async fn a_poll_ends_when_its_time_is_over() {
    let w = world();
    let began = tokio::time::Instant::now();
    assert_eq!(w.poll(Duration::from_secs(7)).await, Ok(None));
    assert_eq!(began.elapsed(), Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn an_append_in_doubt_is_reported_and_nothing_is_lost() {
    let w = world();
    assert_eq!(w.matching.add_activity_task(activity(4)).await, Ok(()));
    for applied in [true, false] {
        w.store.script_commits([(CommitOutcome::OutcomeUnknown("timeout".into()), applied)]);
        let added = w.matching.add_activity_task(activity(5)).await;
        assert!(matches!(added, Err(ServiceError::OutcomeUnknown(_))), "{added:?}");
    }
    assert_eq!(w.matching.add_activity_task(activity(6)).await, Ok(()));
    let mut got = Vec::new();
    while let Ok(Some(id)) = w.poll(Duration::from_secs(1)).await {
        got.push(id);
    }
    assert_eq!(got, [4, 5, 6]);
}

#[tokio::test(start_paused = true)]
async fn a_stolen_partition_refuses_and_recovers() {
    let w = world();
    assert_eq!(w.matching.add_activity_task(activity(4)).await, Ok(()));
    w.store.steal();
    let added = w.matching.add_activity_task(activity(5)).await;
    assert!(matches!(added, Err(ServiceError::Unavailable(_))), "{added:?}");
    assert_eq!(w.matching.add_activity_task(activity(5)).await, Ok(()));
    assert_eq!((w.poll(WAIT).await, w.poll(WAIT).await), (Ok(Some(4)), Ok(Some(5))));
}

#[tokio::test(start_paused = true)]
async fn a_busy_history_fails_the_poll_and_keeps_the_task() {
    let w = world();
    assert_eq!(w.matching.add_activity_task(activity(5)).await, Ok(()));
    let cause = tempest_api::ResourceExhaustedCause::SystemOverloaded;
    w.history.script([Record::Fail(ServiceError::ResourceExhausted { cause, message: "busy".into() })]);
    assert!(matches!(w.poll(WAIT).await, Err(ServiceError::ResourceExhausted { .. })));
    assert_eq!(w.poll(WAIT).await, Ok(Some(5)));
}

#[tokio::test(start_paused = true)]
async fn a_sticky_queue_takes_tasks_only_while_its_worker_is_there() {
    let w = world();
    assert_eq!(w.matching.add_workflow_task(sticky(5)).await, Err(ServiceError::StickyWorkerUnavailable));
    assert_eq!(w.poll_workflow("sticky", TaskQueueKind::Sticky, Duration::from_secs(1)).await, None);
    assert_eq!(w.matching.add_workflow_task(sticky(5)).await, Ok(()));
    assert_eq!(w.poll_workflow("sticky", TaskQueueKind::Sticky, WAIT).await, Some(6));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(w.matching.add_workflow_task(sticky(7)).await, Err(ServiceError::StickyWorkerUnavailable));
    assert_eq!(w.store.rows_ever(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_sticky_task_expires_with_its_timeout() {
    let w = world();
    w.poll_workflow("sticky", TaskQueueKind::Sticky, Duration::from_secs(1)).await;
    assert_eq!(w.matching.add_workflow_task(sticky(5)).await, Ok(()));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(w.poll_workflow("sticky", TaskQueueKind::Sticky, Duration::from_secs(1)).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_goes_down_leaves_its_sticky_tasks_to_the_normal_queue() {
    let w = world();
    w.poll_workflow("sticky", TaskQueueKind::Sticky, Duration::from_secs(1)).await;
    assert_eq!(w.matching.add_workflow_task(sticky(5)).await, Ok(()));
    assert_eq!(w.matching.unload_sticky_task_queue(&namespace(), "sticky").await, Ok(()));
    assert_eq!(w.matching.add_workflow_task(sticky(9)).await, Err(ServiceError::StickyWorkerUnavailable));
    assert_eq!(w.poll_workflow("q", TaskQueueKind::Normal, WAIT).await, Some(6));
}

fn instance(key: &str) -> WorkerInstance {
    WorkerInstance { key: key.into(), identity: "worker".into() }
}

impl World {
    async fn poll_of(&self, instance_key: &str) -> Option<i64> {
        let request = api::PollActivityTaskQueueRequest {
            task_queue: Some(TaskQueue { name: "q".into(), ..TaskQueue::default() }),
            identity: "worker".into(),
            worker_instance_key: instance_key.into(),
            ..Default::default()
        };
        let answer = self.matching.poll_activity_task_queue(&namespace(), request, WAIT).await;
        answer.expect("the poll succeeds").activity_id.parse().ok()
    }
}

#[tokio::test(start_paused = true)]
async fn the_polls_of_a_worker_that_goes_down_end_at_once_and_its_tasks_go_to_others() {
    let w = world();
    let began = tokio::time::Instant::now();
    let down = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(w.matching.end_worker_polls(&namespace(), "q", instance("gone")).await, Ok(()));
        let pollers = w.matching.every_partition()[0].describe().await.expect("it is loaded").expect("it is known");
        assert_eq!(pollers.pollers.len(), 1, "the other worker has the same name");
        assert_eq!(w.matching.add_activity_task(activity(5)).await, Ok(()));
    };
    let (gone, again, stays, ()) = tokio::join!(biased; w.poll_of("gone"), w.poll_of("gone"), w.poll_of("stays"), down);
    assert_eq!((gone, again, stays), (None, None, Some(5)));
    assert_eq!(began.elapsed(), Duration::from_secs(1));
    assert_eq!(w.poll_of("gone").await, None, "this poll was on its way when the worker went");
    assert_eq!(began.elapsed(), Duration::from_secs(1), "nor does it wait");
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(w.matching.add_activity_task(activity(6)).await, Ok(()));
    assert_eq!(w.poll_of("gone").await, Some(6), "nothing is remembered forever");
}

#[tokio::test(start_paused = true)]
async fn a_task_on_its_way_to_a_worker_that_goes_down_goes_to_another() {
    let w = world();
    assert_eq!(w.matching.add_activity_task(activity(5)).await, Ok(()));
    w.history.script([Record::Slow(Duration::from_secs(2))]);
    let down = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(w.matching.end_worker_polls(&namespace(), "q", instance("gone")).await, Ok(()));
        w.poll_of("stays").await
    };
    let (gone, stays) = tokio::join!(biased; w.poll_of("gone"), down);
    assert_eq!((gone, stays), (None, Some(5)));
    let ids = w.history.request_ids();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]), "the same start was asked for");
}

#[tokio::test(start_paused = true)]
async fn a_worker_without_an_instance_key_ends_nobodys_polls() {
    let w = world();
    let down = async {
        assert_eq!(w.matching.end_worker_polls(&namespace(), "q", instance("")).await, Ok(()));
        assert_eq!(w.matching.add_activity_task(activity(5)).await, Ok(()));
    };
    let (polled, ()) = tokio::join!(biased; w.poll(WAIT), down);
    assert_eq!(polled, Ok(Some(5)));
}

#[tokio::test(start_paused = true)]
async fn sticky_tasks_go_to_the_node_of_the_normal_queue() {
    let w = world();
    let elsewhere = Arc::new(FakeCluster::default());
    let routed: Arc<dyn MatchingService> = elsewhere.clone();
    w.matching.connect(&w.as_history, &routed);
    w.matching.keep_only(|_, queue| queue == "sticky");
    w.poll_workflow("sticky", TaskQueueKind::Sticky, Duration::from_secs(1)).await;
    for id in [5, 7] {
        assert_eq!(w.matching.add_workflow_task(sticky(id)).await, Ok(()));
    }
    elsewhere.script([Err(ServiceError::OutcomeUnknown("timeout".into()))]);
    assert_eq!(w.matching.unload_sticky_task_queue(&namespace(), "sticky").await, Ok(()));
    let normal = |id| AddWorkflowTask {
        task_queue: "q".into(),
        sticky_for: None,
        schedule_to_start_timeout: None,
        ..sticky(id)
    };
    assert_eq!(elsewhere.added(), [normal(5), normal(7)]);
    assert_eq!((w.matching.partitions_loaded(), w.store.rows_ever()), (0, 0), "nothing of it was taken here");
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_was_given_away_is_not_loaded_again() {
    let w = world();
    assert_eq!(w.matching.add_activity_task(activity(5)).await, Ok(()));
    let given_away = || ServiceError::ShardOwnershipLost { owner_host: String::new() };
    w.matching.keep_only(|_, queue| queue != "q");
    assert_eq!(w.matching.add_activity_task(activity(6)).await, Err(given_away()));
    assert_eq!(w.poll(WAIT).await, Err(given_away()));
    let task_queue = Some(TaskQueue { name: "q".into(), ..TaskQueue::default() });
    let request = api::DescribeTaskQueueRequest { task_queue, ..Default::default() };
    let described = w.matching.describe_task_queue(&namespace(), request).await;
    assert_eq!(described, Err(given_away()));
    assert_eq!(w.matching.partitions_loaded(), 0);
    w.matching.keep_only(|_, _| true);
    assert_eq!(w.poll(WAIT).await, Ok(Some(5)), "it came back");
}

#[tokio::test(start_paused = true)]
async fn idle_partitions_are_unloaded() {
    let w = world();
    assert_eq!(w.poll(Duration::from_secs(1)).await, Ok(None));
    assert_eq!(w.matching.partitions_loaded(), 1);
    tokio::time::sleep(Duration::from_secs(10 * 60)).await;
    assert_eq!(w.matching.partitions_loaded(), 0);
    assert_eq!(w.matching.add_activity_task(activity(5)).await, Ok(()));
    assert_eq!(w.poll(WAIT).await, Ok(Some(5)));
}

#[tokio::test(start_paused = true)]
async fn describe_names_the_pollers_and_counts_the_backlog() {
    let w = world();
    assert_eq!(w.poll(Duration::from_secs(1)).await, Ok(None));
    assert_eq!(w.matching.add_activity_task(activity(5)).await, Ok(()));
    let request = api::DescribeTaskQueueRequest {
        task_queue: Some(TaskQueue { name: "q".into(), ..TaskQueue::default() }),
        task_queue_type: tempest_api::proto::enums::v1::TaskQueueType::Activity as i32,
        report_stats: true,
        ..Default::default()
    };
    let described = w.matching.describe_task_queue(&namespace(), request).await.expect("it is described");
    assert_eq!(described.pollers.len(), 1);
    assert_eq!(described.pollers[0].identity, "worker");
    assert_eq!(described.stats.expect("stats were asked for").approximate_backlog_count, 1);
}

/// What is told of the activities of queue `q`.
async fn stats(w: &World) -> TaskQueueStats {
    let request = api::DescribeTaskQueueRequest {
        task_queue: Some(TaskQueue { name: "q".into(), ..TaskQueue::default() }),
        task_queue_type: tempest_api::proto::enums::v1::TaskQueueType::Activity as i32,
        report_stats: true,
        ..Default::default()
    };
    let described = w.matching.describe_task_queue(&namespace(), request).await.expect("it is described");
    described.stats.expect("stats were asked for")
}

#[tokio::test(start_paused = true)]
async fn the_whole_backlog_is_counted_also_after_a_restart() {
    let w = world();
    for id in 1..=1500 {
        assert_eq!(w.matching.add_activity_task(activity(id)).await, Ok(()));
    }
    assert_eq!(stats(&w).await.approximate_backlog_count, 1500);
    assert_eq!(w.poll(WAIT).await, Ok(Some(1)));
    let before = stats(&w).await;
    assert_eq!(before.approximate_backlog_count, 1499, "what is handed out does not wait for its deletion");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let w = w.crash().await;
    let after = stats(&w).await;
    assert_eq!(after.approximate_backlog_count, 1499);
    let age = |stats: &TaskQueueStats| {
        let age = stats.approximate_backlog_age.expect("it has an age");
        (age.seconds, age.nanos)
    };
    assert!(age(&after) > age(&before) && age(&before) > (0, 0), "the oldest is the same as before the crash");
    for id in 2..=1500 {
        assert_eq!(w.poll(WAIT).await, Ok(Some(id)));
    }
    let drained = stats(&w).await;
    assert_eq!((drained.approximate_backlog_count, age(&drained)), (0, (0, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_backlog_that_cannot_be_read_is_not_said_to_be_empty() {
    let w = world();
    w.store.refuse_leases(true);
    let request = api::DescribeTaskQueueRequest {
        task_queue: Some(TaskQueue { name: "q".into(), ..TaskQueue::default() }),
        ..Default::default()
    };
    let described = w.matching.describe_task_queue(&namespace(), request.clone()).await;
    assert!(matches!(described, Err(ServiceError::Unavailable(_))), "{described:?}");
    w.store.refuse_leases(false);
    w.matching.describe_task_queue(&namespace(), request).await.expect("now it can");
}

#[tokio::test(start_paused = true)]
async fn rates_count_tasks_with_and_without_a_row() {
    let w = world();
    assert_eq!(w.matching.add_activity_task(activity(1)).await, Ok(()));
    let (polled, added) = tokio::join!(biased; w.poll(WAIT), w.matching.add_activity_task(activity(2)));
    assert_eq!((polled, added), (Ok(Some(1)), Ok(())));
    tokio::time::sleep(Duration::from_secs(9)).await;
    let described = stats(&w).await;
    let rounded = |rate: f32| (rate * 10.0).round();
    assert_eq!((rounded(described.tasks_add_rate), rounded(described.tasks_dispatch_rate)), (2.0, 1.0));
    tokio::time::sleep(Duration::from_secs(60)).await;
    let described = stats(&w).await;
    assert_eq!((described.tasks_add_rate, described.tasks_dispatch_rate), (0.0, 0.0));
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_all_partitions_is_counted() {
    let w = world();
    assert_eq!(w.matching.backlog(), MatchingBacklog::default());
    for id in 1..=3 {
        assert_eq!(w.matching.add_activity_task(activity(id)).await, Ok(()));
    }
    assert_eq!(w.poll_workflow("q", TaskQueueKind::Normal, Duration::from_secs(1)).await, None);
    assert_eq!(w.matching.backlog(), MatchingBacklog { partitions: 2, tasks: 3, unread: false });
    assert_eq!(w.poll(WAIT).await, Ok(Some(1)));
    assert_eq!(w.matching.backlog(), MatchingBacklog { partitions: 2, tasks: 2, unread: false });
}

#[tokio::test(start_paused = true)]
async fn tasks_are_handed_out_at_the_rate_of_the_latest_poll() {
    let w = world();
    for id in 1..=9 {
        assert_eq!(w.matching.add_activity_task(activity(id)).await, Ok(()));
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    let began = tokio::time::Instant::now();
    let mut times = Vec::new();
    for id in 1..=5 {
        assert_eq!(w.poll_at_rate(Some(2.0), WAIT).await, Ok(Some(id)));
        times.push(began.elapsed().as_millis());
    }
    assert_eq!(times, [0, 0, 500, 1000, 1500], "what was saved up, then two in a second");

    assert_eq!(w.poll_at_rate(Some(0.0), WAIT).await, Ok(None), "the queue is paused");
    let (paused, unlimited) = tokio::join!(biased; w.poll_at_rate(Some(0.0), WAIT), w.poll(WAIT));
    assert_eq!((paused, unlimited), (Ok(Some(6)), Ok(Some(7))), "the latest poll counts for all");

    assert_eq!(w.poll_at_rate(Some(0.25), WAIT).await, Ok(Some(8)));
    let (polled, added) =
        tokio::join!(biased; w.poll_at_rate(Some(0.25), WAIT), w.matching.add_activity_task(activity(10)));
    assert_eq!((polled, added), (Ok(Some(9)), Ok(())));
    assert_eq!(began.elapsed(), WAIT + Duration::from_millis(5500));
    let (polled, added) = tokio::join!(biased; w.poll_at_rate(Some(0.25), WAIT), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        w.matching.add_activity_task(activity(11)).await
    });
    assert_eq!((polled, added), (Ok(Some(10)), Ok(())));
}

#[tokio::test(start_paused = true)]
async fn a_panic_under_a_lock_costs_a_queue_its_memory_and_nothing_else() {
    let w = world();
    assert_eq!(w.matching.add_activity_task(activity(5)).await, Ok(()));
    assert_eq!(w.poll(WAIT).await, Ok(Some(5)));
    assert_eq!(w.matching.add_activity_task(activity(6)).await, Ok(()));
    for partition in w.matching.every_partition() {
        partition.panic_under_its_lock();
    }
    assert_eq!(w.poll(WAIT).await, Ok(Some(6)));
    assert_eq!(w.matching.add_activity_task(activity(7)).await, Ok(()));
    assert_eq!(w.poll(WAIT).await, Ok(Some(7)));
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_waits_when_the_lock_breaks_ends_and_can_come_again() {
    let w = world();
    let breaking = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        w.matching.every_partition().iter().for_each(|partition| partition.panic_under_its_lock());
        // Operators look at all partitions: the first look finds what is broken.
        assert_eq!(w.matching.backlog().tasks, 0);
    };
    let (polled, ()) = tokio::join!(w.poll(WAIT), breaking);
    assert_eq!(polled, Ok(None));
    let (polled, added) = tokio::join!(biased; w.poll(WAIT), w.matching.add_activity_task(activity(5)));
    assert_eq!((polled, added), (Ok(Some(5)), Ok(())));
}

#[tokio::test(start_paused = true)]
async fn a_queue_whose_keeper_panics_is_loaded_anew() {
    let w = world();
    w.store.panic_once();
    let refused = w.matching.add_activity_task(activity(5)).await;
    assert!(matches!(refused, Err(ServiceError::OutcomeUnknown(_))), "{refused:?}");
    // The row is there: the task need not be added again, and may be.
    assert_eq!(w.poll(WAIT).await, Ok(Some(5)));
    assert_eq!(w.matching.add_activity_task(activity(5)).await, Ok(()));
    assert_eq!(w.poll(WAIT).await, Ok(Some(5)));
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_leaves_serves_whom_it_is_serving() {
    let w = world();
    w.history.script([Record::Slow(Duration::from_secs(2))]);
    let leaving = async {
        assert_eq!(w.matching.add_activity_task(activity(5)).await, Ok(()));
    };
    let left = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        w.matching.keep_only(|_, _| false);
    };
    let began = tokio::time::Instant::now();
    let waiting = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let polled = w.poll(WAIT).await;
        (polled, began.elapsed())
    };
    let (served, (), (), (idle, idle_for)) = tokio::join!(biased; w.poll(WAIT), leaving, left, waiting);
    assert_eq!(served, Ok(Some(5)), "its start is recorded: no other worker gets it");
    assert_eq!(
        (idle, idle_for),
        (Ok(None), Duration::from_secs(1)),
        "who waits for nothing yet asks elsewhere at once"
    );
}
