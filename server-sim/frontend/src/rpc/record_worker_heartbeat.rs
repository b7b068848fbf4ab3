//! RecordWorkerHeartbeat: accepted, since workers send it unasked; nothing here shows it yet.
use crate::{Frontend, namespace::Namespace};
use tempest_api::ServiceResult;
use tempest_api::proto::workflowservice::v1 as api;

/// # Errors
/// The namespace's.
pub async fn record(
    _: &Frontend,
    _: &Namespace,
    _: api::RecordWorkerHeartbeatRequest,
) -> ServiceResult<api::RecordWorkerHeartbeatResponse> {
    Ok(api::RecordWorkerHeartbeatResponse {})
}
