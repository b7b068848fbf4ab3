//! RespondActivityTaskFailed and RespondActivityTaskFailedById.
use crate::validation::{self, invalid};
use crate::worker::{OneActivity, bounded, by_id, by_token};
use crate::{Frontend, namespace::Namespace};
use tempest_api::ServiceResult;
use tempest_api::proto::failure::v1::{Failure, failure::FailureInfo};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::Input;
use tempest_core::rules::{durations, failure};

/// # Errors
/// `InvalidArgument` for a token that is none of ours, and history's.
pub async fn fail(
    frontend: &Frontend,
    request: api::RespondActivityTaskFailedRequest,
) -> ServiceResult<api::RespondActivityTaskFailedResponse> {
    let activity = by_token(frontend, &request.namespace, &request.task_token).await?;
    let of_application =
        |failure: &Failure| matches!(failure.failure_info, Some(FailureInfo::ApplicationFailureInfo(_)));
    // As in Temporal, only here: by id any failure will do.
    if request.failure.as_ref().is_some_and(|failure| !of_application(failure)) {
        return invalid("Failure must have ApplicationFailureInfo.");
    }
    let failures = finish(frontend, activity, request).await?;
    Ok(api::RespondActivityTaskFailedResponse { failures })
}

/// # Errors
/// `InvalidArgument`, and history's.
pub async fn fail_by_id(
    frontend: &Frontend,
    namespace: &Namespace,
    request: api::RespondActivityTaskFailedByIdRequest,
) -> ServiceResult<api::RespondActivityTaskFailedByIdResponse> {
    let api::RespondActivityTaskFailedByIdRequest {
        workflow_id,
        run_id,
        activity_id,
        failure,
        identity,
        last_heartbeat_details,
        cause,
        ..
    } = request;
    let activity = by_id(namespace, workflow_id, run_id, activity_id)?;
    let request = api::RespondActivityTaskFailedRequest {
        failure,
        identity,
        last_heartbeat_details,
        cause,
        ..Default::default()
    };
    let failures = finish(frontend, activity, request).await?;
    Ok(api::RespondActivityTaskFailedByIdResponse { failures })
}

/// Returns what the server had to cut.
async fn finish(
    frontend: &Frontend,
    activity: OneActivity,
    mut request: api::RespondActivityTaskFailedRequest,
) -> ServiceResult<Vec<Failure>> {
    next_retry_delays(request.failure.as_ref())?;
    validation::within_limit(&request.identity, "Identity")?;
    let mut cut = Vec::new();
    if validation::too_large(frontend, request.last_heartbeat_details.as_ref()) {
        cut.push(failure::server_failure("Heartbeat details exceed size limit.", true));
        request.last_heartbeat_details = None;
    }
    if let Some(reported) = request.failure.take() {
        let (failure, was_cut) = bounded(frontend, reported);
        if was_cut {
            cut.push(failure.clone());
        }
        request.failure = Some(failure);
    }
    frontend.history.call(activity.of, Input::FailActivity(activity.named, Box::new(request))).await?;
    Ok(cut)
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
