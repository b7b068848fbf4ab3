//! RecordActivityTaskHeartbeat and RecordActivityTaskHeartbeatById.
use crate::worker::{OneActivity, by_id, by_token, fail_for_size};
use crate::{Frontend, namespace::Namespace, validation};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{Reply, ServiceResult};
use tempest_core::Input;

/// # Errors
/// `InvalidArgument` for a token that is none of ours, and history's: `NotFound` tells the worker to stop.
pub async fn heartbeat(
    frontend: &Frontend,
    request: api::RecordActivityTaskHeartbeatRequest,
) -> ServiceResult<api::RecordActivityTaskHeartbeatResponse> {
    let activity = by_token(frontend, &request.namespace, &request.task_token).await?;
    record(frontend, activity, request).await
}

/// # Errors
/// `InvalidArgument`, and history's.
pub async fn heartbeat_by_id(
    frontend: &Frontend,
    namespace: &Namespace,
    request: api::RecordActivityTaskHeartbeatByIdRequest,
) -> ServiceResult<api::RecordActivityTaskHeartbeatByIdResponse> {
    let api::RecordActivityTaskHeartbeatByIdRequest { workflow_id, run_id, activity_id, details, identity, .. } =
        request;
    let activity = by_id(namespace, workflow_id, run_id, activity_id)?;
    let request = api::RecordActivityTaskHeartbeatRequest { details, identity, ..Default::default() };
    if tempest_rt::planted!(crate::plants::HEARTBEAT_BY_ID_ANSWERED_UNRECORDED) {
        return Ok(api::RecordActivityTaskHeartbeatByIdResponse::default());
    }
    let answer = record(frontend, activity, request).await?;
    Ok(api::RecordActivityTaskHeartbeatByIdResponse {
        cancel_requested: answer.cancel_requested,
        activity_paused: answer.activity_paused,
        activity_reset: answer.activity_reset,
    })
}

async fn record(
    frontend: &Frontend,
    activity: OneActivity,
    request: api::RecordActivityTaskHeartbeatRequest,
) -> ServiceResult<api::RecordActivityTaskHeartbeatResponse> {
    if validation::too_large(frontend, request.details.as_ref()) {
        fail_for_size(frontend, activity, "Heartbeat details exceed size limit.", request.identity).await?;
        return Ok(api::RecordActivityTaskHeartbeatResponse { cancel_requested: true, ..Default::default() });
    }
    let input = Input::HeartbeatActivity(activity.named, Box::new(request));
    match frontend.history.call(activity.of, input).await? {
        Reply::Heartbeat { cancel_requested } => {
            Ok(api::RecordActivityTaskHeartbeatResponse { cancel_requested, ..Default::default() })
        }
        reply => reply.unexpected(),
    }
}
