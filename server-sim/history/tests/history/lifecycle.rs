//! What goes well.
use crate::world::*;
use tempest_api::proto::enums::v1::EventType;
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{HistoryPageToken, HistoryService, ServiceError, Target};
use tempest_core::{ActivityRef, Input, RecordActivityTaskStarted};

#[tokio::test(start_paused = true)]
async fn a_run_goes_from_start_to_completion() {
    let world = World::new();
    let run_id = world.start("order").await.unwrap();
    let task = world.poll().await;
    let started = task.workflow_execution.as_ref().unwrap();
    assert_eq!((started.workflow_id.as_str(), &started.run_id), ("order", &run_id));
    let ids: Vec<_> = task.history.as_ref().unwrap().events.iter().map(|event| event.event_id).collect();
    assert_eq!(ids, [1, 2, 3]);
    assert!(task.next_page_token.is_empty());
    world.complete(&task, vec![finish()]).await.unwrap();
    assert_eq!(
        world.story("order").await,
        "WORKFLOW_EXECUTION_STARTED WORKFLOW_TASK_SCHEDULED WORKFLOW_TASK_STARTED WORKFLOW_TASK_COMPLETED \
         WORKFLOW_EXECUTION_COMPLETED"
    );
    assert!(world.events("order").await.iter().all(|event| event.task_id > 0));
}

#[tokio::test(start_paused = true)]
async fn an_activity_is_offered_started_once_and_completed() {
    let world = World::new();
    world.start("order").await.unwrap();
    let task = world.poll().await;
    world.complete(&task, vec![activity("charge")]).await.unwrap();
    let offer = world.matching.activity_task().await;
    let record = |poll: &str| RecordActivityTaskStarted {
        scheduled_event_id: offer.scheduled_event_id,
        attempt: offer.attempt,
        request_id: poll.into(),
        identity: "worker".into(),
    };
    let started = world.asked().record_activity_task_started(&offer.run, record("one")).await.unwrap();
    let again = world.asked().record_activity_task_started(&offer.run, record("one")).await.unwrap();
    assert_eq!(started, again, "a lost answer can be asked for again");
    let other = world.asked().record_activity_task_started(&offer.run, record("two")).await;
    assert_eq!(other, Err(ServiceError::TaskAlreadyStarted));
    let token = tempest_api::decode_activity_token(&started.task_token).unwrap();
    let input = Input::CompleteActivity(ActivityRef::Token(token), Box::default());
    world.history.call(Target::of(&offer.run), input).await.unwrap();
    let task = world.poll().await;
    world.complete(&task, vec![finish()]).await.unwrap();
    assert!(world.story("order").await.ends_with("WORKFLOW_EXECUTION_COMPLETED"));
}

#[tokio::test(start_paused = true)]
async fn a_long_history_comes_in_pages_of_whole_batches() {
    let world = World::with(|config| config.poll_page_events = 4);
    world.start("order").await.unwrap();
    let task = world.poll().await;
    world.complete(&task, vec![]).await.unwrap();
    for signal in ["a", "b", "c"] {
        world.signal("order", signal).await.unwrap();
    }
    let task = world.poll().await;
    let shipped = task.history.as_ref().unwrap().events.last().unwrap().event_id;
    let token = HistoryPageToken::decode(&task.next_page_token).unwrap();
    assert_eq!(token.from, shipped + 1);
    assert_eq!(token.until, task.started_event_id + 1);
    let rest = world.asked().read_history(&token.run, &token.branch, token.from, token.until, 100).await.unwrap();
    assert_eq!(rest.last().unwrap().event_id, task.started_event_id);
    // From the middle of a batch, and backwards.
    let middle = world.asked().read_history(&token.run, &token.branch, 2, 4, 100).await.unwrap();
    assert_eq!(middle.iter().map(|event| event.event_id).collect::<Vec<_>>(), [2, 3]);
    let back = world.asked().read_history_reverse(&token.run, &token.branch, 4, 2).await.unwrap();
    assert_eq!(back.iter().map(|event| event.event_id).collect::<Vec<_>>(), [3, 2]);
}

#[tokio::test(start_paused = true)]
async fn large_events_make_pages_short() {
    const PAGE: usize = 2000;
    let world = World::with(|config| config.history_page_bytes_max = PAGE);
    world.start("order").await.unwrap();
    let task = world.poll().await;
    world.complete(&task, vec![]).await.unwrap();
    for (name, length) in [("a", 600), ("b", 600), ("c", 600), ("d", 600), ("e", 3000), ("f", 600)] {
        world.signal("order", &name.repeat(length)).await.unwrap();
    }
    let task = world.poll().await;
    let first = task.history.unwrap().events;
    let token = HistoryPageToken::decode(&task.next_page_token).unwrap();
    assert_eq!(token.from, first.last().unwrap().event_id + 1);

    let mut pages = vec![first];
    let next = |pages: &Vec<Vec<HistoryEvent>>| pages.last().unwrap().last().unwrap().event_id + 1;
    while next(&pages) < token.until {
        let from = next(&pages);
        pages.push(world.asked().read_history(&token.run, &token.branch, from, token.until, 100).await.unwrap());
    }
    let size = |page: &Vec<HistoryEvent>| page.iter().map(prost::Message::encoded_len).sum::<usize>();
    assert!(pages.iter().all(|page| size(page) <= PAGE || page.len() == 1));
    assert!(pages.iter().any(|page| size(page) > PAGE), "what is too large for any page has one of its own");
    assert!(pages.len() > 3);
    let there: Vec<_> = pages.into_iter().flatten().map(|event| event.event_id).collect();
    assert_eq!(there, (1..token.until).collect::<Vec<_>>());

    let (mut until, mut back) = (token.until, vec![]);
    while until > 1 {
        let page = world.asked().read_history_reverse(&token.run, &token.branch, until, 100).await.unwrap();
        assert!(size(&page) <= PAGE || page.len() == 1);
        until = page.last().unwrap().event_id;
        back.extend(page.into_iter().map(|event| event.event_id));
    }
    back.reverse();
    assert_eq!(back, there);
}

#[tokio::test(start_paused = true)]
async fn the_next_workflow_task_comes_inline_when_it_is_asked_for() {
    let world = World::new();
    world.start("order").await.unwrap();
    let task = world.poll().await;
    let request = api::RespondWorkflowTaskCompletedRequest {
        return_new_workflow_task: true,
        force_create_new_workflow_task: true,
        ..Default::default()
    };
    let next = world.complete_with(&task, request).await.unwrap().workflow_task.unwrap();
    let ids: Vec<_> = next.history.as_ref().unwrap().events.iter().map(|event| event.event_id).collect();
    assert_eq!(ids, [4, 5, 6], "an inline task ships only what is new");
    world.complete(&next, vec![finish()]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_wakes_for_news_and_ends_without() {
    let world = World::new();
    world.start("order").await.unwrap();
    let before = tokio::time::Instant::now();
    let position = |timeout| {
        let history = world.history.clone();
        async move {
            (&*history as &dyn HistoryService).history_position(target("order"), wait_beyond(3, timeout)).await.unwrap()
        }
    };
    assert_eq!(position(20 * SECOND).await.next_event_id, 3, "after its time it gets what there is");
    assert!(before.elapsed() >= 20 * SECOND);
    let waiting = tempest_rt::task::spawn(position(20 * SECOND));
    settle().await;
    let before = tokio::time::Instant::now();
    world.signal("order", "hurry").await.unwrap();
    assert_eq!(waiting.await.unwrap().next_event_id, 4);
    assert!(before.elapsed() < SECOND);
}

#[tokio::test(start_paused = true)]
async fn unknown_workflows_and_runs_are_not_found() {
    let world = World::new();
    let missing = world.describe("nobody").await.unwrap_err();
    assert_eq!(missing, ServiceError::NotFound("workflow not found for ID: nobody".into()));
    world.start("order").await.unwrap();
    let other = Target { run_id: "another".into(), ..target("order") };
    let missing = world.asked().describe(other).await.unwrap_err();
    assert!(matches!(missing, ServiceError::NotFound(_)), "{missing:?}");
}

#[tokio::test(start_paused = true)]
async fn everything_done_with_is_deleted_in_the_end() {
    let world = World::new();
    world.start("order").await.unwrap();
    let task = world.poll().await;
    world.complete(&task, vec![finish()]).await.unwrap();
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(world.store.tasks_left().iter().filter(|key| key.fire_time.0 == 0).count(), 0, "no transfer task");
    world.history.shutdown().await;
    let gone = world.describe("order").await.unwrap_err();
    assert!(matches!(gone, ServiceError::Unavailable(_)), "{gone:?}");
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_the_ownership_of_a_shard_but_not_its_service() {
    let mut world = World::new();
    world.start("order").await.unwrap();
    tokio::time::sleep(SECOND).await;
    world.history.shutdown().await;
    world.restart();
    world.store.panic_once("order");
    let lost = world.signal("order", "a").await;
    assert!(matches!(lost, Err(ServiceError::OutcomeUnknown(_))), "{lost:?}");
    tokio::time::sleep(10 * SECOND).await;
    world.signal("order", "b").await.unwrap();
    assert_eq!(world.count("order", EventType::WorkflowExecutionSignaled).await, 1);
    assert_eq!(world.history.counters().snapshot().shard_panics, 1);
    tokio::time::timeout(SECOND, world.history.shutdown()).await.unwrap();
}
