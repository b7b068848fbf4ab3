//! ShutdownWorker: its sticky queue has no poller any more.
use crate::Frontend;
use tempest_api::ServiceResult;
use tempest_api::proto::workflowservice::v1 as api;

/// # Errors
/// The namespace's, and matching's.
pub async fn shutdown(
    frontend: &Frontend,
    request: api::ShutdownWorkerRequest,
) -> ServiceResult<api::ShutdownWorkerResponse> {
    let namespace = frontend.namespace(&request.namespace).await?;
    if !request.sticky_task_queue.is_empty() {
        frontend.matching.unload_sticky_task_queue(&namespace.id, &request.sticky_task_queue).await?;
    }
    Ok(api::ShutdownWorkerResponse {})
}
