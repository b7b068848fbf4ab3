//! GetWorkflowExecutionHistory in all its moods.
use super::*;
use tempest_api::ServiceError;
use tempest_api::proto::enums::v1::{EventType, HistoryEventFilterType, WorkflowExecutionStatus};
use tempest_api::proto::history::v1::history_event::Attributes;
use tempest_api::proto::history::v1::{HistoryEvent, WorkflowExecutionCompletedEventAttributes};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::workflow::workflow_service_server::WorkflowService;
use tempest_rt::time::Instant;

fn event(event_id: i64) -> HistoryEvent {
    HistoryEvent { event_id, ..Default::default() }
}

fn events(ids: std::ops::RangeInclusive<i64>) -> Vec<HistoryEvent> {
    ids.map(event).collect()
}

fn completed(event_id: i64, next_run: &str) -> HistoryEvent {
    let attributes =
        WorkflowExecutionCompletedEventAttributes { new_execution_run_id: next_run.into(), ..Default::default() };
    HistoryEvent {
        event_id,
        event_type: EventType::WorkflowExecutionCompleted as i32,
        attributes: Some(Attributes::WorkflowExecutionCompletedEventAttributes(attributes)),
        ..Default::default()
    }
}

fn all() -> api::GetWorkflowExecutionHistoryRequest {
    api::GetWorkflowExecutionHistoryRequest {
        namespace: "default".into(),
        execution: execution(""),
        ..Default::default()
    }
}

fn close_event() -> api::GetWorkflowExecutionHistoryRequest {
    let history_event_filter_type = HistoryEventFilterType::CloseEvent as i32;
    api::GetWorkflowExecutionHistoryRequest { history_event_filter_type, ..all() }
}

fn waiting(request: api::GetWorkflowExecutionHistoryRequest) -> api::GetWorkflowExecutionHistoryRequest {
    api::GetWorkflowExecutionHistoryRequest { wait_new_event: true, ..request }
}

/// Ids and token of one page.
async fn page(w: &World, request: Request<api::GetWorkflowExecutionHistoryRequest>) -> (Vec<i64>, Vec<u8>) {
    let answer = ok(w.service.get_workflow_execution_history(request).await);
    let ids = answer.history.unwrap().events.iter().map(|event| event.event_id).collect();
    (ids, answer.next_page_token)
}

fn with_token(
    request: api::GetWorkflowExecutionHistoryRequest,
    next_page_token: Vec<u8>,
) -> Request<api::GetWorkflowExecutionHistoryRequest> {
    Request::new(api::GetWorkflowExecutionHistoryRequest { next_page_token, ..request })
}

#[tokio::test]
async fn pages_end_without_a_token() {
    let w = world().await;
    w.history.change_run(|run| run.events = events(1..=7));
    let (ids, token) = page(&w, Request::new(all())).await;
    assert_eq!(ids, [1, 2, 3], "three events are a page here");
    // What comes after the first page does not belong to this reading.
    w.history.change_run(|run| run.events = events(1..=9));
    let (ids, token) = page(&w, with_token(all(), token)).await;
    assert_eq!(ids, [4, 5, 6]);
    let (ids, token) = page(&w, with_token(all(), token)).await;
    assert_eq!((ids, token), (vec![7], vec![]));
}

#[tokio::test(start_paused = true)]
async fn who_waits_gets_what_there_is_then_what_comes() {
    let w = world().await;
    w.history.change_run(|run| run.events = events(1..=2));
    let began = Instant::now();
    let (ids, token) = page(&w, Request::new(waiting(all()))).await;
    assert_eq!(ids, [1, 2]);
    assert_eq!(began.elapsed(), Duration::ZERO, "the first call returns at once");
    let (ids, token) = page(&w, with_token(waiting(all()), token)).await;
    assert_eq!((ids.len(), began.elapsed()), (0, Duration::from_secs(20)), "nothing came, and the token goes on");
    w.history.change_run(|run| run.events = events(1..=3));
    let (ids, token) = page(&w, with_token(waiting(all()), token)).await;
    assert_eq!(ids, [3]);
    w.history.change_run(|run| {
        run.events = events(1..=4);
        run.status = WorkflowExecutionStatus::Completed;
    });
    let (ids, token) = page(&w, with_token(waiting(all()), token)).await;
    assert_eq!((ids, token), (vec![4], vec![]), "the run is closed: that was all");
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_ends_before_its_caller_does() {
    let w = world().await;
    let began = Instant::now();
    let (ids, token) = page(&w, within(Duration::from_secs(8), waiting(close_event()))).await;
    assert_eq!((ids.len(), began.elapsed()), (0, Duration::from_secs(7)));
    assert!(!token.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_close_event_comes_alone() {
    let w = world().await;
    w.history.change_run(|run| run.events = events(1..=2));
    assert_eq!(page(&w, Request::new(close_event())).await, (vec![], vec![]), "open, and nobody waits");
    let (ids, token) = page(&w, Request::new(waiting(close_event()))).await;
    assert!(ids.is_empty());
    w.history.change_run(|run| {
        run.events.push(completed(3, ""));
        run.status = WorkflowExecutionStatus::Completed;
    });
    assert_eq!(page(&w, with_token(waiting(close_event()), token)).await, (vec![3], vec![]));
    assert_eq!(page(&w, Request::new(close_event())).await, (vec![3], vec![]));
}

#[tokio::test]
async fn old_clients_see_a_next_run_as_continued() {
    let w = world().await;
    w.history.change_run(|run| {
        run.events = vec![event(1), completed(2, OTHER_RUN)];
        run.status = WorkflowExecutionStatus::Completed;
    });
    let event_type = |answer: api::GetWorkflowExecutionHistoryResponse| answer.history.unwrap().events[0].event_type();
    let answer = ok(w.service.get_workflow_execution_history(Request::new(close_event())).await);
    assert_eq!(event_type(answer), EventType::WorkflowExecutionContinuedAsNew);
    let mut request = Request::new(close_event());
    request.metadata_mut().insert("supported-features", "follows-next-run-id".parse().unwrap());
    let answer = ok(w.service.get_workflow_execution_history(request).await);
    assert_eq!(event_type(answer), EventType::WorkflowExecutionCompleted);
}

#[tokio::test]
async fn transient_events_end_the_last_page_but_not_for_people() {
    let w = world().await;
    w.history.change_run(|run| {
        run.events = events(1..=4);
        run.transient = events(5..=6);
    });
    let (ids, token) = page(&w, Request::new(all())).await;
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(page(&w, with_token(all(), token)).await, (vec![4, 5, 6], vec![]));
    let mut request = Request::new(api::GetWorkflowExecutionHistoryRequest { maximum_page_size: 9, ..all() });
    request.metadata_mut().insert("client-name", "temporal-cli".parse().unwrap());
    let (ids, token) = page(&w, request).await;
    assert_eq!(ids, [1, 2, 3], "the page size has a bound");
    assert_eq!(page(&w, with_token(all(), token)).await, (vec![4], vec![]));
}

#[tokio::test]
async fn a_token_pins_its_run() {
    let w = world().await;
    w.history.change_run(|run| run.events = events(1..=7));
    let (_, token) = page(&w, Request::new(all())).await;
    let other = api::GetWorkflowExecutionHistoryRequest { execution: execution(OTHER_RUN), ..all() };
    let answer = w.service.get_workflow_execution_history(with_token(other, token)).await;
    assert_eq!(refused(answer), invalid("RunId in the request does not match the NextPageToken."));
    let answer = w.service.get_workflow_execution_history(with_token(all(), b"nonsense".to_vec())).await;
    assert_eq!(refused(answer), invalid("Invalid NextPageToken."));
}

#[tokio::test]
async fn the_newest_first_on_request() {
    let w = world().await;
    w.history.change_run(|run| run.events = events(1..=4));
    let mut token = Vec::new();
    let mut ids = Vec::new();
    loop {
        let request = api::GetWorkflowExecutionHistoryReverseRequest {
            namespace: "default".into(),
            execution: execution(""),
            next_page_token: token,
            ..Default::default()
        };
        let answer = ok(w.service.get_workflow_execution_history_reverse(Request::new(request)).await);
        ids.extend(answer.history.unwrap().events.iter().map(|event| event.event_id));
        token = answer.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(ids, [4, 3, 2, 1]);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_does_not_notice_that_the_owner_changes() {
    let w = world().await;
    w.history.change_run(|run| {
        run.events = events(1..=3);
        run.status = WorkflowExecutionStatus::Completed;
    });
    *w.history.unreadable.lock().unwrap() = vec![
        ServiceError::ShardOwnershipLost { owner_host: String::new() },
        ServiceError::Unavailable("the shard is moving to another node".into()),
        ServiceError::OutcomeUnknown("no answer of the other node".into()),
    ];
    assert_eq!(page(&w, Request::new(waiting(close_event()))).await, (vec![3], vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_wait_without_an_owner_ends_empty_and_goes_on_with_its_token() {
    let w = world().await;
    w.history.change_run(|run| run.events = events(1..=3));
    let (_, token) = page(&w, Request::new(waiting(all()))).await;
    *w.history.unreadable.lock().unwrap() = vec![ServiceError::Unavailable("nobody owns the shard".into()); 1000];
    let began = Instant::now();
    assert_eq!(page(&w, with_token(waiting(all()), token.clone())).await, (vec![], token.clone()));
    assert!(began.elapsed() >= Duration::from_secs(10), "not over and over: {:?}", began.elapsed());

    *w.history.unreadable.lock().unwrap() = vec![ServiceError::NotFound("it was deleted".into())];
    let answer = w.service.get_workflow_execution_history(with_token(waiting(all()), token)).await;
    assert_eq!(refused(answer).0, Code::NotFound, "what does not pass is told at once");
}
