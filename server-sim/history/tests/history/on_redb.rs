//! The same service on the embedded store.
use crate::matching::FakeMatching;
use crate::world::{start, target};
use std::sync::Arc;
use tempest_api::HistoryService;
use tempest_api::proto::common::v1::WorkflowType;
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::RecordWorkflowTaskStarted;
use tempest_history::{HistoryConfig, HistoryHandle};
use tempest_store::redb::{RedbConfig, RedbStore};

#[tokio::test]
async fn a_hundred_runs_in_four_shards_start_and_a_second_service_finds_them() {
    let store = Arc::new(RedbStore::in_memory(RedbConfig::default()).await.unwrap());
    let matching = Arc::new(FakeMatching::default());
    let history = Arc::new(HistoryHandle::new(HistoryConfig::default(), store.clone()).unwrap());
    let peers: Arc<dyn HistoryService> = history.clone();
    history.start(matching.clone(), Arc::downgrade(&peers));
    let starts = (0..100).map(|n| {
        let request = api::StartWorkflowExecutionRequest {
            workflow_id: format!("order-{n}"),
            workflow_type: Some(WorkflowType { name: "Order".into() }),
            task_queue: Some(TaskQueue { name: "orders".into(), ..TaskQueue::default() }),
            request_id: format!("start-{n}"),
            ..Default::default()
        };
        let history = &history;
        async move { start(&**history, request).await }
    });
    let started = futures::future::join_all(starts).await;
    assert!(started.iter().all(Result::is_ok), "{started:?}");
    for _ in 0..100 {
        let offer = matching.workflow_task().await;
        let request = RecordWorkflowTaskStarted {
            scheduled_event_id: offer.scheduled_event_id,
            stamp: offer.stamp,
            request_id: "poll".into(),
            identity: "worker".into(),
            polled_queue: offer.task_queue,
        };
        let task = peers.record_workflow_task_started(&offer.run, request).await.unwrap();
        assert_eq!(task.history.unwrap().events.len(), 3);
    }
    history.shutdown().await;
    let again = Arc::new(HistoryHandle::new(HistoryConfig::default(), store).unwrap());
    let peers: Arc<dyn HistoryService> = again.clone();
    again.start(matching, Arc::downgrade(&peers));
    let position = peers.history_position(target("order-42"), None).await.unwrap();
    assert_eq!(position.next_event_id, 4);
    again.shutdown().await;
}
