//! SignalWithStartWorkflowExecution.
use crate::{Frontend, validation};
use tempest_api::ServiceResult;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::rules::start_request::prepare_signal_with_start;

/// # Errors
/// `InvalidArgument` with Temporal's words, the namespace's, and history's.
pub async fn signal_with_start(
    frontend: &Frontend,
    mut request: api::SignalWithStartWorkflowExecutionRequest,
) -> ServiceResult<api::SignalWithStartWorkflowExecutionResponse> {
    let namespace = frontend.namespace_to_start_in(&request.namespace).await?;
    prepare_signal_with_start(&mut request, tempest_rt::entropy::uuid, &frontend.limits)?;
    validation::within_limit(&request.identity, "Identity")?;
    validation::payloads(frontend, request.input.as_ref())?;
    validation::payloads(frontend, request.signal_input.as_ref())?;
    validation::memo(frontend, request.memo.as_ref())?;
    validation::search_attributes(request.search_attributes.as_ref())?;
    validation::offered(false, request.versioning_override.is_some(), request.time_skipping_config.is_some())?;
    frontend.history.signal_with_start_workflow(&namespace.id, request).await
}
