//! GetSystemInfo: what SDKs may rely on. Only what works is advertised.
use crate::Frontend;
use crate::capabilities;
use tempest_api::ServiceResult;
use tempest_api::proto::workflowservice::v1 as api;

/// # Errors
/// None.
pub async fn system_info(
    frontend: &Frontend,
    _: api::GetSystemInfoRequest,
) -> ServiceResult<api::GetSystemInfoResponse> {
    Ok(api::GetSystemInfoResponse {
        server_version: frontend.config.server_version.clone(),
        capabilities: Some(capabilities::advertised()),
    })
}
