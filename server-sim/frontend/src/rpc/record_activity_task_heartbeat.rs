//! RecordActivityTaskHeartbeat and RecordActivityTaskHeartbeatById.
use crate::Frontend;
use crate::worker::OneActivity;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{Reply, ServiceResult};
use tempest_core::Input;

/// # Errors
/// History's: `NotFound` tells the worker to stop.
pub async fn heartbeat(
    frontend: &Frontend,
    activity: OneActivity,
    request: api::RecordActivityTaskHeartbeatRequest,
) -> ServiceResult<api::RecordActivityTaskHeartbeatResponse> {
    let input = Input::HeartbeatActivity(activity.named, Box::new(request));
    match frontend.history.call(activity.of, input).await? {
        Reply::Heartbeat { cancel_requested } => {
            Ok(api::RecordActivityTaskHeartbeatResponse { cancel_requested, ..Default::default() })
        }
        reply => reply.unexpected(),
    }
}

/// # Errors
/// History's.
pub async fn heartbeat_by_id(
    frontend: &Frontend,
    activity: OneActivity,
    request: api::RecordActivityTaskHeartbeatByIdRequest,
) -> ServiceResult<api::RecordActivityTaskHeartbeatByIdResponse> {
    let api::RecordActivityTaskHeartbeatByIdRequest { details, identity, .. } = request;
    let request = api::RecordActivityTaskHeartbeatRequest { details, identity, ..Default::default() };
    if tempest_rt::planted!(crate::plants::HEARTBEAT_BY_ID_ANSWERED_UNRECORDED) {
        return Ok(api::RecordActivityTaskHeartbeatByIdResponse::default());
    }
    let answer = heartbeat(frontend, activity, request).await?;
    Ok(api::RecordActivityTaskHeartbeatByIdResponse {
        cancel_requested: answer.cancel_requested,
        activity_paused: answer.activity_paused,
        activity_reset: answer.activity_reset,
    })
}
