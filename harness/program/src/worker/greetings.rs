//! What a worker says when it comes and when it goes. Nothing depends on it, so it is said once.
use super::Worker;
use crate::calls::ask;
use tempest_api::proto::worker::v1::WorkerHeartbeat;
use tempest_api::proto::workflowservice::v1 as api;
use tonic::Status;

pub(super) async fn arrives(worker: &Worker) {
    let heartbeat = WorkerHeartbeat {
        worker_instance_key: worker.sticky_queue.clone(),
        worker_identity: worker.identity.clone(),
        task_queue: worker.task_queue.clone(),
        ..Default::default()
    };
    let request = api::RecordWorkerHeartbeatRequest {
        namespace: worker.namespace.clone(),
        identity: worker.identity.clone(),
        worker_heartbeat: vec![heartbeat],
        ..Default::default()
    };
    let _: Result<api::RecordWorkerHeartbeatResponse, Status> =
        ask(worker.calls.as_ref(), "RecordWorkerHeartbeat", &request).await;
}

pub(super) async fn leaves(worker: &Worker) {
    let request = api::ShutdownWorkerRequest {
        namespace: worker.namespace.clone(),
        identity: worker.identity.clone(),
        sticky_task_queue: worker.sticky_queue.clone(),
        task_queue: worker.task_queue.clone(),
        worker_instance_key: worker.sticky_queue.clone(),
        reason: "as it was asked to".to_owned(),
        ..Default::default()
    };
    let _: Result<api::ShutdownWorkerResponse, Status> = ask(worker.calls.as_ref(), "ShutdownWorker", &request).await;
}
