//! RespondActivityTaskCompleted and RespondActivityTaskCompletedById.
use crate::Frontend;
use crate::worker::OneActivity;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceError, ServiceResult};
use tempest_core::Input;

/// # Errors
/// History's.
pub async fn complete(
    frontend: &Frontend,
    activity: OneActivity,
    request: api::RespondActivityTaskCompletedRequest,
) -> ServiceResult<api::RespondActivityTaskCompletedResponse> {
    frontend.history.call(activity.of, Input::CompleteActivity(activity.named, Box::new(request))).await?;
    Ok(api::RespondActivityTaskCompletedResponse {})
}

/// # Errors
/// History's.
pub async fn complete_by_id(
    frontend: &Frontend,
    activity: OneActivity,
    request: api::RespondActivityTaskCompletedByIdRequest,
) -> ServiceResult<api::RespondActivityTaskCompletedByIdResponse> {
    let api::RespondActivityTaskCompletedByIdRequest { result, identity, .. } = request;
    let request = api::RespondActivityTaskCompletedRequest { result, identity, ..Default::default() };
    match complete(frontend, activity, request).await {
        Err(ServiceError::OutcomeUnknown(_))
            if tempest_rt::planted!(crate::plants::UNKNOWN_COMPLETION_BY_ID_ANSWERED_AS_DONE) => {}
        completed => {
            completed?;
        }
    }
    Ok(api::RespondActivityTaskCompletedByIdResponse {})
}
