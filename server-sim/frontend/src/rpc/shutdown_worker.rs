//! ShutdownWorker: its polls end, and its sticky queue has no poller any more.
use crate::{Frontend, namespace::Namespace};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceResult, WorkerInstance};

/// # Errors
/// The namespace's, and matching's if the sticky queue cannot be unloaded.
pub async fn shutdown(
    frontend: &Frontend,
    namespace: &Namespace,
    request: api::ShutdownWorkerRequest,
) -> ServiceResult<api::ShutdownWorkerResponse> {
    let worker = WorkerInstance { key: request.worker_instance_key, identity: request.identity };
    if !worker.key.is_empty() {
        // Before the sticky queue is unloaded: its tasks move to the normal queue, and shall not find the same worker there.
        for queue in [&request.task_queue, &request.sticky_task_queue] {
            if queue.is_empty() {
                continue;
            }
            // As in Temporal the worker may go all the same: what its polls get nevertheless times out and is tried again.
            if let Err(error) = frontend.matching.end_worker_polls(&namespace.id, queue, worker.clone()).await {
                tracing::debug!(queue, worker = worker.identity, %error, "the polls of a worker were not ended");
            }
        }
    }
    if !request.sticky_task_queue.is_empty() {
        frontend.matching.unload_sticky_task_queue(&namespace.id, &request.sticky_task_queue).await?;
    }
    Ok(api::ShutdownWorkerResponse {})
}
