//! PollActivityTaskQueue.
use crate::caller::Caller;
use crate::versioning;
use crate::worker::poll_timeout;
use crate::{Frontend, namespace::Namespace, validation};
use tempest_api::ServiceResult;
use tempest_api::proto::workflowservice::v1 as api;

/// Waits for a task; an empty response means that there was none. When the caller goes away the poll is withdrawn.
///
/// # Errors
/// `InvalidArgument`, also without a deadline; `FailedPrecondition` if it is too close; `PermissionDenied` to a versioned
/// worker.
pub async fn poll(
    frontend: &Frontend,
    namespace: &Namespace,
    mut request: api::PollActivityTaskQueueRequest,
    caller: &Caller,
) -> ServiceResult<api::PollActivityTaskQueueResponse> {
    let timeout = poll_timeout(frontend, caller)?;
    validation::within_limit(&request.identity, "Identity")?;
    validation::task_queue(request.task_queue.as_mut())?;
    #[allow(deprecated, reason = "older SDKs still send it")]
    let use_versioning = request.worker_version_capabilities.as_ref().is_some_and(|worker| worker.use_versioning);
    versioning::unversioned(use_versioning, request.deployment_options.as_ref())?;
    let mut task = frontend.matching.poll_activity_task_queue(&namespace.id, request, timeout).await?;
    if !task.task_token.is_empty() {
        task.workflow_namespace.clone_from(&namespace.name);
    }
    Ok(task)
}
