//! RespondActivityTaskFailed and RespondActivityTaskFailedById.
use crate::Frontend;
use crate::validation::invalid;
use crate::worker::OneActivity;
use tempest_api::ServiceResult;
use tempest_api::proto::failure::v1::{Failure, failure::FailureInfo};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::Input;
use tempest_core::rules::durations;

/// What must hold of the failure as the worker sent it.
///
/// # Errors
/// `InvalidArgument`.
pub fn checked(request: &api::RespondActivityTaskFailedRequest) -> ServiceResult<()> {
    let of_application =
        |failure: &Failure| matches!(failure.failure_info, Some(FailureInfo::ApplicationFailureInfo(_)));
    // As in Temporal, only here: by id any failure will do.
    if request.failure.as_ref().is_some_and(|failure| !of_application(failure)) {
        return invalid("Failure must have ApplicationFailureInfo.");
    }
    next_retry_delays(request.failure.as_ref())
}

/// # Errors
/// `InvalidArgument`.
pub fn checked_by_id(request: &api::RespondActivityTaskFailedByIdRequest) -> ServiceResult<()> {
    next_retry_delays(request.failure.as_ref())
}

/// # Errors
/// History's.
pub async fn fail(
    frontend: &Frontend,
    activity: OneActivity,
    request: api::RespondActivityTaskFailedRequest,
) -> ServiceResult<api::RespondActivityTaskFailedResponse> {
    frontend.history.call(activity.of, Input::FailActivity(activity.named, Box::new(request))).await?;
    Ok(api::RespondActivityTaskFailedResponse::default())
}

/// # Errors
/// History's.
pub async fn fail_by_id(
    frontend: &Frontend,
    activity: OneActivity,
    request: api::RespondActivityTaskFailedByIdRequest,
) -> ServiceResult<api::RespondActivityTaskFailedByIdResponse> {
    let api::RespondActivityTaskFailedByIdRequest { failure, identity, last_heartbeat_details, cause, .. } = request;
    let request = api::RespondActivityTaskFailedRequest {
        failure,
        identity,
        last_heartbeat_details,
        cause,
        ..Default::default()
    };
    fail(frontend, activity, request).await?;
    Ok(api::RespondActivityTaskFailedByIdResponse::default())
}

/// Each delay in the chain of causes is a duration; a negative one is.
fn next_retry_delays(failure: Option<&Failure>) -> ServiceResult<()> {
    for failure in std::iter::successors(failure, |failure| failure.cause.as_deref()) {
        let Some(FailureInfo::ApplicationFailureInfo(info)) = &failure.failure_info else { continue };
        let Some(delay) = &info.next_retry_delay else { continue };
        if let Err(error) = durations::check(delay) {
            return invalid(format!("NextRetryDelay is not a valid duration: {error}"));
        }
    }
    Ok(())
}
