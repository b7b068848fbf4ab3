//! RecordWorkerHeartbeat: accepted, since workers send it unasked; nothing here shows it yet.
use crate::Frontend;
use tempest_api::ServiceResult;
use tempest_api::proto::workflowservice::v1 as api;

/// # Errors
/// The namespace's.
pub async fn record(
    frontend: &Frontend,
    request: api::RecordWorkerHeartbeatRequest,
) -> ServiceResult<api::RecordWorkerHeartbeatResponse> {
    frontend.namespace(&request.namespace).await?;
    Ok(api::RecordWorkerHeartbeatResponse {})
}
