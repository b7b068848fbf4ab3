//! RespondActivityTaskCompleted and RespondActivityTaskCompletedById.
use crate::worker::{OneActivity, by_id, by_token, fail_for_size};
use crate::{Frontend, namespace::Namespace, validation};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceError, ServiceResult};
use tempest_core::Input;

/// # Errors
/// `InvalidArgument` for a token that is none of ours, and history's.
pub async fn complete(
    frontend: &Frontend,
    request: api::RespondActivityTaskCompletedRequest,
) -> ServiceResult<api::RespondActivityTaskCompletedResponse> {
    let activity = by_token(frontend, &request.namespace, &request.task_token).await?;
    finish(frontend, activity, request).await?;
    Ok(api::RespondActivityTaskCompletedResponse {})
}

/// # Errors
/// `InvalidArgument`, and history's.
pub async fn complete_by_id(
    frontend: &Frontend,
    namespace: &Namespace,
    request: api::RespondActivityTaskCompletedByIdRequest,
) -> ServiceResult<api::RespondActivityTaskCompletedByIdResponse> {
    let api::RespondActivityTaskCompletedByIdRequest { workflow_id, run_id, activity_id, result, identity, .. } =
        request;
    let activity = by_id(namespace, workflow_id, run_id, activity_id)?;
    let request = api::RespondActivityTaskCompletedRequest { result, identity, ..Default::default() };
    match finish(frontend, activity, request).await {
        Err(ServiceError::OutcomeUnknown(_))
            if tempest_rt::planted!(crate::plants::UNKNOWN_COMPLETION_BY_ID_ANSWERED_AS_DONE) => {}
        finished => finished?,
    }
    Ok(api::RespondActivityTaskCompletedByIdResponse {})
}

async fn finish(
    frontend: &Frontend,
    activity: OneActivity,
    request: api::RespondActivityTaskCompletedRequest,
) -> ServiceResult<()> {
    validation::within_limit(&request.identity, "Identity")?;
    if validation::too_large(frontend, request.result.as_ref()) {
        return fail_for_size(frontend, activity, "Complete result exceeds size limit.", request.identity).await;
    }
    frontend.history.call(activity.of, Input::CompleteActivity(activity.named, Box::new(request))).await.map(drop)
}
