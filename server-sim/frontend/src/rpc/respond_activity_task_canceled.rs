//! RespondActivityTaskCanceled and RespondActivityTaskCanceledById.
use crate::worker::{OneActivity, by_id, by_token, fail_for_size};
use crate::{Frontend, namespace::Namespace, validation};
use tempest_api::ServiceResult;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::Input;

/// # Errors
/// `InvalidArgument` for a token that is none of ours, and history's.
pub async fn cancel(
    frontend: &Frontend,
    request: api::RespondActivityTaskCanceledRequest,
) -> ServiceResult<api::RespondActivityTaskCanceledResponse> {
    let activity = by_token(frontend, &request.namespace, &request.task_token).await?;
    finish(frontend, activity, request).await?;
    Ok(api::RespondActivityTaskCanceledResponse {})
}

/// # Errors
/// `InvalidArgument`, and history's.
pub async fn cancel_by_id(
    frontend: &Frontend,
    namespace: &Namespace,
    request: api::RespondActivityTaskCanceledByIdRequest,
) -> ServiceResult<api::RespondActivityTaskCanceledByIdResponse> {
    let api::RespondActivityTaskCanceledByIdRequest { workflow_id, run_id, activity_id, details, identity, .. } =
        request;
    let activity = by_id(namespace, workflow_id, run_id, activity_id)?;
    let request = api::RespondActivityTaskCanceledRequest { details, identity, ..Default::default() };
    finish(frontend, activity, request).await?;
    Ok(api::RespondActivityTaskCanceledByIdResponse {})
}

async fn finish(
    frontend: &Frontend,
    activity: OneActivity,
    request: api::RespondActivityTaskCanceledRequest,
) -> ServiceResult<()> {
    validation::within_limit(&request.identity, "Identity")?;
    if validation::too_large(frontend, request.details.as_ref()) {
        return fail_for_size(frontend, activity, "Cancel details exceed size limit.", request.identity).await;
    }
    frontend.history.call(activity.of, Input::CancelActivity(activity.named, Box::new(request))).await.map(drop)
}
