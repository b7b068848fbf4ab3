//! RespondActivityTaskCanceled and RespondActivityTaskCanceledById.
use crate::Frontend;
use crate::worker::OneActivity;
use tempest_api::ServiceResult;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::Input;

/// # Errors
/// History's.
pub async fn cancel(
    frontend: &Frontend,
    activity: OneActivity,
    request: api::RespondActivityTaskCanceledRequest,
) -> ServiceResult<api::RespondActivityTaskCanceledResponse> {
    frontend.history.call(activity.of, Input::CancelActivity(activity.named, Box::new(request))).await?;
    Ok(api::RespondActivityTaskCanceledResponse {})
}

/// # Errors
/// History's.
pub async fn cancel_by_id(
    frontend: &Frontend,
    activity: OneActivity,
    request: api::RespondActivityTaskCanceledByIdRequest,
) -> ServiceResult<api::RespondActivityTaskCanceledByIdResponse> {
    let api::RespondActivityTaskCanceledByIdRequest { details, identity, .. } = request;
    let request = api::RespondActivityTaskCanceledRequest { details, identity, ..Default::default() };
    cancel(frontend, activity, request).await?;
    Ok(api::RespondActivityTaskCanceledByIdResponse {})
}
