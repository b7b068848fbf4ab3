//! DescribeWorkflowExecution.
use crate::{Frontend, namespace::Namespace, validation};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceResult, Target};

/// # Errors
/// `InvalidArgument`, and history's `NotFound`.
pub async fn describe(
    frontend: &Frontend,
    namespace: &Namespace,
    request: api::DescribeWorkflowExecutionRequest,
) -> ServiceResult<api::DescribeWorkflowExecutionResponse> {
    let execution = validation::execution(request.execution.as_ref())?;
    let described = frontend.history.describe(Target::named(&namespace.id, Some(execution))).await?;
    Ok(*described)
}
