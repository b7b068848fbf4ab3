//! What the RPCs of workers share.
use crate::caller::Caller;
use crate::routes::Wait;
use crate::validation::{self, invalid};
use crate::{Frontend, namespace::Namespace};
use std::sync::Arc;
use std::time::Duration;
use tempest_api::proto::failure::v1::Failure;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceError, ServiceResult, Target, TokenError, decode_activity_token};
use tempest_core::{ActivityRef, Input, rules::failure};

/// Callers that wait for less than this poll in vain.
const POLL_DEADLINE_MIN: Duration = Duration::from_secs(2);

/// How long a poll may wait for a task.
pub fn poll_timeout(frontend: &Frontend, caller: &Caller) -> ServiceResult<Duration> {
    let Some(remaining) = caller.remaining() else { return invalid("Context timeout is not set.") };
    if remaining < POLL_DEADLINE_MIN {
        return Err(ServiceError::FailedPrecondition("Context timeout is too short.".into()));
    }
    Ok(Wait::TaskPoll.patience(frontend, caller))
}

/// A task token, read back.
pub fn task_token<T>(bytes: &[u8], decode: fn(&[u8]) -> Result<T, TokenError>) -> ServiceResult<T> {
    if bytes.is_empty() {
        return invalid("Task token not set on request.");
    }
    decode(bytes).map_err(|error| ServiceError::InvalidArgument(error.to_string()))
}

/// Which activity of which run a worker means.
pub struct OneActivity {
    pub of: Target,
    pub named: ActivityRef,
}

/// The activity of a task token.
pub async fn by_token(frontend: &Frontend, namespace: &str, token: &[u8]) -> ServiceResult<OneActivity> {
    let token = task_token(token, decode_activity_token)?;
    let namespace: Arc<Namespace> = frontend.namespace_of_token(namespace, &token.namespace_id).await?;
    let of = Target::new(namespace.id.clone(), token.workflow_id.clone(), token.run_id.clone());
    Ok(OneActivity { of, named: ActivityRef::Token(token) })
}

/// The activity that a workflow gave this id; without a run id, of its current run.
pub fn by_id(
    namespace: &Namespace,
    workflow_id: String,
    run_id: String,
    activity_id: String,
) -> ServiceResult<OneActivity> {
    if activity_id.is_empty() {
        return invalid("ActivityId is not set on request.");
    }
    validation::workflow_id(&workflow_id)?;
    validation::run_id(&run_id)?;
    let of = Target::new(namespace.id.clone(), workflow_id, run_id);
    Ok(OneActivity { of, named: ActivityRef::Id(activity_id) })
}

/// What a worker sent is too large to be kept: the activity fails for good, and says why.
pub async fn fail_for_size(
    frontend: &Frontend,
    activity: OneActivity,
    reason: &str,
    identity: String,
) -> ServiceResult<()> {
    let failure = Some(failure::server_failure(reason, true));
    let request = api::RespondActivityTaskFailedRequest { failure, identity, ..Default::default() };
    frontend.history.call(activity.of, Input::FailActivity(activity.named, Box::new(request))).await.map(drop)
}

/// A failure within the limits: causes beyond what stays readable are dropped, and an oversized one becomes the cause, cut
/// short, of a server failure.
pub fn bounded(frontend: &Frontend, mut reported: Failure) -> (Failure, bool) {
    failure::cut_causes(&mut reported);
    if !validation::too_large(frontend, Some(&reported)) {
        return (reported, false);
    }
    let cause = Some(Box::new(failure::head(&reported, frontend.config.failure_head_bytes_max)));
    (Failure { cause, ..failure::server_failure(failure::FAILURE_EXCEEDS_LIMIT, true) }, true)
}
